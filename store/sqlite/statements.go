package sqlite

import "github.com/seed42445051/scrip/catalog"

// statement is one of the SQL texts below. Each is prepared once a connection.
type statement int

// The statements, by what they do.
const (
	ping statement = iota
	begin
	beginImmediate
	dataVersion
	commit
	rollback
	selectSchemaTable
	selectSchemaVersion

	selectVersion
	selectHeader
	selectHeaders
	selectStandings
	selectLanes
	selectOpenGrants
	selectGrants
	selectGrantsThrough
	selectGrantsUnder
	selectPendingHolds
	selectHolds
	selectSubscription
	selectSubscriptionsOf
	selectAllSubscriptions
	selectSubscriptionEvents
	selectAllowances
	selectInvoices
	selectInvoicesOf
	selectAllInvoices
	selectOrders
	selectChargingOrders
	selectOrdersOf
	selectAllOrders
	selectOrdersBySession
	selectOrdersByPayment
	selectTopUps
	selectTopUpsOf
	selectAllTopUps
	selectPayer
	selectEntry
	selectReversals
	selectEntries
	selectAnswer
	selectAnswers
	selectUsages
	selectAllUsages
	selectUsagesByID
	selectUsagesAmong
	selectStored
	selectStoredAmong
	selectUsageRange
	selectOpenTallies
	selectTallies
	selectTally
	selectUniques
	selectMeteredGrants
	selectDue
	selectDueIn

	insertWallet
	updateWallet
	updateWalletDue
	updateStanding
	insertStanding
	insertLane
	insertGrant
	updateGrantSpent
	updateGrant
	updateGrantOpen
	insertHold
	updateHold
	upsertSubscription
	insertSubscriptionEvent
	upsertAllowance
	updateCount
	deleteAllowances
	insertInvoice
	closeInvoice
	insertOrder
	updateOrder
	upsertTopUp
	upsertPayer
	insertEntry
	insertUsage
	updateUsage
	upsertTally
	upsertUnique
	insertAnswer

	insertApp
	selectApps
	selectApp
	selectAppVersion
	raiseAppVersion
	upsertCredit
	selectCredits
	upsertProduct
	selectProducts
	upsertPack
	selectPacks
	upsertMeter
	selectMeters
	upsertEndpoint
	selectEndpoints
	insertKey
	revokeKey
	selectKeyExists
	selectKeyByHash
	selectKeys
	selectValidKeys
	upsertClock
	selectClocks
	takeOperations
	returnOperations
	insertAppAnswer
	selectAppAnswer
	upsertCode
	selectCode
	selectCodeByText
	selectCodes
	selectCodeUses
	selectCodeUsesOf
	selectCodeUseUnder
	selectClaimedCodes
	insertCodeUse
	codeGranted

	insertWalletOnce
	upsertCustomer
	updateCustomer
	selectCustomers
	selectCustomer
	selectCustomersAt
	selectHolders
	selectHolder

	insertDelivery
	selectDueDeliveries
	selectDueOf
	selectDueWallets
	selectRun
	leaseDelivery
	finishDelivery
	holdFollowers
	wakeFollowers
	redeliverOne
	redeliverRange
	selectDeliveries
	selectDelivery
	selectPrunedEndpoints
	selectPruned
	deleteDelivery
	selectBacklog

	insertProviderObject
	updateProviderObject
	selectProviderObject
	selectProviderObjects

	statements // how many there are
)

const (
	headerColumns = `wallet, app_id, mode, customer_id, version, seq, grant_seq, hold_seq, usage_seq, invoice_seq, order_seq, tell_seq, head, last_at,
		next_due, created_at`
	grantColumns = `n, lane, credit_id, amount, available, frozen, held, spent, metered, expired, revoked, rolled_over, status, disputed,
		category, priority, effective_at, expires_at, ended_at, created_at, source, source_id, pack_id, pack_item_id, external_ref,
		cost_basis, cost_currency, rollover, rollover_count, parent, rolled_into, reason, actor, metadata`
	holdColumns = `n, status, credit_id, amount, event, quantity, shortfall, metadata, plan, slices, overage, metered, committed,
		created_at, expires_at, closed_at, reason, error_code, response, actor`
	entryColumns = `seq, type, credit_id, amount, balance_before, balance_after, overage_before, overage_after, slices, op,
		ref_type, ref_id, reason, metadata, idempotency_key, actor, effective_at, recorded_at, prev_hash, hash`
	usageColumns = `n, id, event, quantity, metadata, match, metered, hold, response, at, recorded_at, voided_at, corrects,
		counted`
	whose = `u.n, u.id, u.event, u.quantity, u.metadata, u.match, u.metered, u.hold, u.response, u.at, u.recorded_at,
		u.voided_at, u.corrects, u.counted, w.customer_id, u.wallet FROM usages u CROSS JOIN wallets w ON w.bucket = u.bucket AND w.wallet = u.wallet`
	subscriptionColumns = `n, plan_id, quantity, started_at, ends_at, trial_ends_at, paused_at, ended, anchor, zone, cycle_start,
		cycle_end, owed, reason, events, terms, included, next, cycles, metadata, collect, unpaid, outside, paid_to, held_at`
	invoiceColumns = `n, subscription, status, currency, total, period_from, period_to, issued_at, closed_at, ref, lines`
	// Subscriptions and invoices with whose they are, and of a subscription whether it is its wallet's
	// last. Within a wallet numbers rise with time, so that one wallet's list goes by its key.
	subscriptionList = `SELECT ` + subscriptionColumns + `, w.app_id, w.mode, w.customer_id,
		s.n = (SELECT max(l.n) FROM subscriptions l WHERE l.bucket = s.bucket AND l.wallet = s.wallet)
		FROM subscriptions s CROSS JOIN wallets w ON w.bucket = s.bucket AND w.wallet = s.wallet WHERE `
	subscriptionFilter = ` AND s.started_at >= ?7 AND s.started_at < ?8 AND (?1 = '' OR w.app_id = ?1) AND (?2 = '' OR w.mode = ?2)
		AND (?9 = 0 OR s.n = ?9) AND (?10 = '' OR s.plan_id = ?10)
		AND (?11 = '' OR ?11 = CASE WHEN s.ended = 0 AND s.paused_at <> 0 THEN 'paused'
			WHEN s.ended = 0 AND s.started_at <= ?12 AND (s.ends_at = 0 OR s.ends_at > ?12) THEN 'active' ELSE 'ended' END)`
	invoiceList = `SELECT ` + invoiceColumns + `, w.app_id, w.mode, w.customer_id
		FROM invoices v CROSS JOIN wallets w ON w.bucket = v.bucket AND w.wallet = v.wallet WHERE `
	invoiceFilter = ` AND (?1 = '' OR w.app_id = ?1) AND (?2 = '' OR w.mode = ?2) AND (?7 = 0 OR v.n = ?7) AND (?8 = 0 OR v.subscription = ?8) AND (?9 = '' OR v.status = ?9)`
	orderColumns  = `n, kind, status, provider, minor, currency, items, what, text, quantity, plan, invoice, price_ref, save_card, off_session,
		session, url, success_url, cancel_url, expires_at, attempt, next_try, payment, paid, cumulative, refunds, disputes, dispute,
		last_decline, grants, o.created_at, paid_at, closed_at, reason, actor, metadata, cart, subscription, disputed_at, unmet`
	// Orders with whose they are. Each list goes by the index that it names, and looks at the rest.
	orderList   = `SELECT ` + orderColumns + `, w.app_id, w.mode, w.customer_id FROM orders o `
	orderFilter = ` CROSS JOIN wallets w ON w.bucket = o.bucket AND w.wallet = o.wallet
		WHERE (?1 = '' OR w.app_id = ?1) AND (?2 = '' OR w.mode = ?2) AND (?7 = 0 OR o.n = ?7) AND (?8 = '' OR o.kind = ?8)
		AND (?9 = '' OR o.status IN (SELECT value FROM json_each(?9))) AND o.created_at >= ?10 AND o.created_at < ?11
		AND (?12 = 0 OR o.paid > 0) AND (?13 = '' OR o.session = ?13) AND (?14 = '' OR o.payment = ?14) AND (?15 = 0 OR o.unmet = 1) AND `
	ordersNewest = `(o.created_at, o.bucket, o.wallet, o.n) < (?3, ?4, ?5, ?6)
		ORDER BY o.created_at DESC, o.bucket DESC, o.wallet DESC, o.n DESC LIMIT ?16 OFFSET ?17`
	topUpColumns = `credit_id, enabled, threshold, pack_id, quantity, caps, consent_at, consent_by, metadata, running, not_before, off_reason,
		day, month`
	topUpList = `SELECT ` + topUpColumns + `, w.app_id, w.mode, w.customer_id
		FROM top_ups t CROSS JOIN wallets w ON w.bucket = t.bucket AND w.wallet = t.wallet
		WHERE (?1 = '' OR w.app_id = ?1) AND (?2 = '' OR w.mode = ?2) AND (t.bucket, t.wallet, t.credit_id) > (?3, ?4, ?5)`
	providerColumns = `id, app_id, mode, kind, ref, version, body, created_at`
	tallyColumns    = `meter_id, credit_id, period_start, period_end, units_num, units_den, free_threshold, events,
		aggregate, held, last_at, last_id, due`
	meterColumns  = `id, app_id, name, description, event, filter, aggregation, unit, links, created_at, updated_at, archived_at`
	creditColumns = `id, app_id, name, unit, description, decimals, draw_order, scope, expires_after_days, overage, rollover,
		created_at, updated_at, archived_at, low_balance, sales`
	endpointColumns = `id, app_id, mode, url, description, format, events, headers, secret, previous_secret, previous_until,
		disabled, ordered, rate_limit, metadata, created_at, updated_at, archived_at`
	productColumns = `app_id, id, name, description, tax_category, price, credits, metadata, created_at, updated_at, archived_at,
		allowances, on_change`
	codeColumns = `id, app_id, code, pack_id, credit_id, amount, category, expires_after_days, valid_from, valid_until, max_uses,
		max_uses_per_customer, description, metadata, created_at, updated_at, archived_at`
	code = `SELECT ` + codeColumns + `, (SELECT coalesce(max(n), 0) FROM code_uses WHERE code_id = codes.id AND mode = ?1) FROM codes WHERE `

	codeUseColumns = `app_id, code_id, mode, n, customer_id, idempotency_key, actor, uses_left, claimed_at, granted_at, grants`

	packColumns = `id, app_id, name, description, price_minor, currency, expires_after_days, items,
		created_at, updated_at, archived_at, price_ref`
	keyColumns      = `id, app_id, mode, kind, label, prefix, hash, created_at, revoked_at`
	customerColumns = `SELECT w.customer_id, coalesce(c.name, ''), coalesce(c.email, ''), coalesce(c.phone, ''),
		coalesce(c.metadata, ''), coalesce(c.created_at, w.created_at), coalesce(c.updated_at, w.created_at) FROM `
	customer = customerColumns + `wallets w LEFT JOIN customers c ON c.bucket = w.bucket AND c.wallet = w.wallet
		WHERE w.app_id = ?1 AND w.mode = ?2 AND `
	holder = `SELECT w.customer_id,
		coalesce((SELECT g.created_at FROM grants g WHERE g.bucket = w.bucket AND g.wallet = w.wallet AND g.credit_id = ?3
			ORDER BY g.n LIMIT 1), w.created_at),
		coalesce((SELECT e.effective_at FROM entries e WHERE e.bucket = w.bucket AND e.wallet = w.wallet AND e.credit_id = ?3
			AND e.type <> 'hold_placed' AND e.type <> 'hold_released' ORDER BY e.seq DESC LIMIT 1), 0)
		FROM `
	customerFilter = `w.customer_id > ?3 AND (?4 = '' OR instr(c.folded, ?4) > 0)
		AND (?5 = 0 OR coalesce(c.created_at, w.created_at) >= ?5) AND (?6 = 0 OR coalesce(c.created_at, w.created_at) < ?6)
		ORDER BY w.customer_id LIMIT ?7 OFFSET ?8`
	mine = ` WHERE bucket = ? AND wallet = ?`
	// A delivery with what it takes to write its body. The entry's columns come last.
	leased = `SELECT d.wallet, d.n, coalesce(d.seq, 0), d.endpoint_id, d.type, d.about, d.status, d.tries, d.created_at, d.next_at, d.finished_at, d.log, d.event,
		w.app_id, w.mode, w.customer_id, e.seq, e.type, e.credit_id, e.amount, e.balance_before, e.balance_after, e.overage_before,
		e.overage_after, e.slices, e.op, e.ref_type, e.ref_id, e.reason, e.metadata, e.idempotency_key, e.actor, e.effective_at,
		e.recorded_at, e.prev_hash, e.hash FROM deliveries d
		JOIN wallets w ON w.bucket = d.bucket AND w.wallet = d.wallet
		LEFT JOIN entries e ON e.bucket = d.bucket AND e.wallet = d.wallet AND e.seq = d.seq`
)

// recipients are all that deliveries go to: endpoints, and the receivers within Scrip itself.
var recipients = func() string {
	all := `SELECT app_id, id, archived_at, disabled FROM webhook_endpoints`
	for _, name := range catalog.Receivers() {
		all += ` UNION ALL SELECT '', '` + name + `', 0, 0`
	}
	return all
}()

// text is the SQL of each statement.
var text = [statements]string{
	ping:                `SELECT 1`,
	begin:               `BEGIN`,
	beginImmediate:      `BEGIN IMMEDIATE`,
	dataVersion:         `PRAGMA data_version`,
	commit:              `COMMIT`,
	rollback:            `ROLLBACK`,
	selectSchemaTable:   `SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'goose_db_version'`,
	selectSchemaVersion: `SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied`,

	selectVersion:    `SELECT version FROM wallets` + mine,
	selectHeader:     `SELECT ` + headerColumns + ` FROM wallets` + mine,
	selectHeaders:    `SELECT ` + headerColumns + ` FROM wallets WHERE (bucket, wallet) > (?, ?) ORDER BY bucket, wallet LIMIT ?`,
	selectStandings:  `SELECT credit_id, overage, used_outside, uncovered, metered_overage FROM standings` + mine + ` ORDER BY credit_id`,
	selectLanes:      `SELECT n, credit_id, scope, inherited FROM lanes` + mine + ` ORDER BY n`,
	selectOpenGrants: `SELECT ` + grantColumns + ` FROM grants` + mine + ` AND is_open = 1 ORDER BY n`,
	selectGrants: `SELECT ` + grantColumns + ` FROM grants` + mine + ` AND n > ?3
		AND (?4 = '' OR credit_id = ?4) AND (?5 = '' OR n IN (SELECT value FROM json_each(?5)))
		AND (?6 = '' OR n IN (SELECT n FROM grants WHERE bucket = ?1 AND wallet = ?2 AND external_ref = ?6 AND external_ref <> '' AND parent = 0))
		ORDER BY n LIMIT ?7`,
	// Grants by number, with those that they rolled into. UNION drops what was seen before, so
	// the recursion ends whatever the rows say.
	selectGrantsThrough: `WITH RECURSIVE wanted (n) AS (
			SELECT value FROM json_each(?3)
			UNION
			SELECT g.rolled_into FROM wanted JOIN grants g ON g.bucket = ?1 AND g.wallet = ?2 AND g.n = wanted.n WHERE g.rolled_into <> 0
		) SELECT ` + grantColumns + ` FROM grants WHERE bucket = ?1 AND wallet = ?2 AND n IN (SELECT n FROM wanted) ORDER BY n`,
	selectGrantsUnder: `SELECT n FROM grants` + mine + ` AND external_ref = ?3 AND external_ref <> '' AND parent = 0
		AND (pack_id = ?4 OR (pack_id = '' AND credit_id = ?4))`,
	selectPendingHolds: `SELECT ` + holdColumns + ` FROM holds` + mine + ` AND status = 'pending' ORDER BY n`,
	selectHolds:        `SELECT ` + holdColumns + ` FROM holds` + mine + ` AND n IN (SELECT value FROM json_each(?)) ORDER BY n`,
	selectSubscription: `SELECT ` + subscriptionColumns + ` FROM subscriptions` + mine + ` ORDER BY n DESC LIMIT 1`,
	selectSubscriptionsOf: subscriptionList + `s.bucket = ?15 AND s.wallet = ?16 AND s.n < ?6` + subscriptionFilter +
		` ORDER BY s.n DESC LIMIT ?13 OFFSET ?14`,
	selectAllSubscriptions: subscriptionList + `(s.started_at, s.bucket, s.wallet, s.n) < (?3, ?4, ?5, ?6)` + subscriptionFilter +
		` ORDER BY s.started_at DESC, s.bucket DESC, s.wallet DESC, s.n DESC LIMIT ?13 OFFSET ?14`,
	selectSubscriptionEvents: `SELECT n, change, from_plan, to_plan, reason, actor, at FROM subscription_events` + mine +
		` AND subscription = ? AND n < ? ORDER BY n DESC LIMIT ?`,
	selectInvoices:   `SELECT ` + invoiceColumns + ` FROM invoices` + mine + ` AND n IN (SELECT value FROM json_each(?)) ORDER BY n`,
	selectInvoicesOf: invoiceList + `v.bucket = ?12 AND v.wallet = ?13 AND v.n < ?6` + invoiceFilter + ` ORDER BY v.n DESC LIMIT ?10 OFFSET ?11`,
	selectAllInvoices: invoiceList + `(v.issued_at, v.bucket, v.wallet, v.n) < (?3, ?4, ?5, ?6)` + invoiceFilter +
		` ORDER BY v.issued_at DESC, v.bucket DESC, v.wallet DESC, v.n DESC LIMIT ?10 OFFSET ?11`,
	selectOrders: `SELECT ` + orderColumns + ` FROM orders o` + mine + ` AND n IN (SELECT value FROM json_each(?)) ORDER BY n`,
	selectChargingOrders: `SELECT ` + orderColumns + ` FROM orders o INDEXED BY orders_charging` + mine +
		` AND (status = 'due' OR status = 'waiting') ORDER BY n`,
	selectOrdersOf:        orderList + orderFilter + `o.bucket = ?18 AND o.wallet = ?19 AND o.n < ?6 ORDER BY o.n DESC LIMIT ?16 OFFSET ?17`,
	selectAllOrders:       orderList + `INDEXED BY orders_time` + orderFilter + ordersNewest,
	selectOrdersBySession: orderList + `INDEXED BY orders_session` + orderFilter + `o.session = ?13 AND o.session <> '' AND ` + ordersNewest,
	selectOrdersByPayment: orderList + `INDEXED BY orders_payment` + orderFilter + `o.payment = ?14 AND o.payment <> '' AND ` + ordersNewest,
	selectTopUps:          `SELECT ` + topUpColumns + ` FROM top_ups` + mine + ` ORDER BY credit_id`,
	selectTopUpsOf:        topUpList + ` AND t.bucket = ?7 AND t.wallet = ?8 ORDER BY t.credit_id LIMIT ?6`,
	selectAllTopUps:       topUpList + ` ORDER BY t.bucket, t.wallet, t.credit_id LIMIT ?6`,
	selectPayer:           `SELECT provider, customer_id, method, label, saved_at FROM payers` + mine,
	selectAllowances: `SELECT id, label, unit, quota, rules, period, window_start, window_end, used FROM allowances` + mine +
		` ORDER BY position`,
	selectEntry:     `SELECT ` + entryColumns + ` FROM entries` + mine + ` AND seq = ?`,
	selectReversals: `SELECT ` + entryColumns + ` FROM entries` + mine + ` AND ref_id = ? AND type = 'refund' AND ref_type = ? ORDER BY seq`,
	selectEntries: `SELECT ` + entryColumns + ` FROM entries` + mine + ` AND seq >= ?3 AND seq <= ?4
		AND (?5 = '' OR credit_id = ?5) AND (?6 = '' OR type IN (SELECT value FROM json_each(?6)))
		AND (?7 = 0 OR effective_at >= ?7) AND (?8 = 0 OR effective_at < ?8) ORDER BY seq DESC LIMIT ?9 OFFSET ?10`,
	selectAnswer:  `SELECT key, request, answer, created_at FROM answers` + mine + ` AND key = ?`,
	selectAnswers: `SELECT key, request, answer, created_at FROM answers` + mine + ` AND key IN (SELECT value FROM json_each(?))`,
	selectUsages: `SELECT ` + whose + ` WHERE u.bucket = ?1 AND u.wallet = ?2 AND u.at >= ?3 AND u.at < ?4
		AND (u.at, u.n) < (?5, ?6) AND (?7 = '' OR u.event = ?7) ORDER BY u.at DESC, u.n DESC LIMIT ?8 OFFSET ?9`,
	selectAllUsages: `SELECT ` + whose + ` WHERE u.at >= ?3 AND u.at < ?4
		AND (u.at, u.bucket, u.wallet, u.n) < (?5, ?6, ?7, ?8) AND w.app_id = ?1 AND w.mode = ?2 AND (?9 = '' OR u.event = ?9)
		ORDER BY u.at DESC, u.bucket DESC, u.wallet DESC, u.n DESC LIMIT ?10 OFFSET ?11`,
	selectUsagesByID: `SELECT ` + whose + ` WHERE u.id = ?3 AND w.app_id = ?1 AND w.mode = ?2 AND (?4 = '' OR w.customer_id = ?4)
		AND (?5 = '' OR u.event = ?5) ORDER BY u.bucket DESC, u.wallet DESC LIMIT ?6`,
	selectUsagesAmong: `SELECT ` + usageColumns + ` FROM usages WHERE id IN (SELECT value FROM json_each(?3)) AND bucket = ?1 AND wallet = ?2`,
	selectStored:      `SELECT 1 FROM usages WHERE id = ?3 AND bucket = ?1 AND wallet = ?2`,
	selectStoredAmong: `SELECT 1 FROM usages WHERE id IN (SELECT value FROM json_each(?3)) AND bucket = ?1 AND wallet = ?2 LIMIT 1`,
	selectUsageRange:  `SELECT ` + usageColumns + ` FROM usages` + mine + ` AND at >= ? AND at < ? AND event = ? AND voided_at = 0`,
	selectOpenTallies: `SELECT ` + tallyColumns + ` FROM tallies` + mine + ` AND period_end > ?`,
	selectTallies: `SELECT ` + tallyColumns + ` FROM tallies` + mine + ` AND (?3 = '' OR meter_id = ?3) AND period_end > ?4
		AND period_start < ?5 AND (period_start, meter_id, credit_id) < (?6, ?7, ?8)
		ORDER BY period_start DESC, meter_id DESC, credit_id DESC LIMIT ?9`,
	selectTally:         `SELECT ` + tallyColumns + ` FROM tallies` + mine + ` AND meter_id = ? AND credit_id = ? AND period_start = ?`,
	selectUniques:       `SELECT meter_id, credit_id, period_start, value, events FROM uniques` + mine + ` AND meter_id = ? AND credit_id = ? AND value = ?`,
	selectMeteredGrants: `SELECT n FROM grants` + mine + ` AND credit_id = ? AND metered > 0`,
	// In the usual case the second half finds no clock, and so reads no wallet. Live has none, which
	// is said again for the sake of the index that leaves it out.
	selectDue: `SELECT app_id, mode, customer_id FROM (
		SELECT * FROM (SELECT app_id, mode, customer_id, next_due FROM wallets INDEXED BY wallets_due
			WHERE next_due > 0 AND next_due <= ?1 ORDER BY next_due LIMIT ?2)
		UNION ALL
		SELECT * FROM (SELECT w.app_id, w.mode, w.customer_id, w.next_due FROM test_clocks c
			CROSS JOIN wallets w INDEXED BY wallets_due_test ON w.app_id = c.app_id AND w.mode = c.mode
			WHERE w.mode <> 'live' AND w.next_due > 0 AND w.next_due > ?1 AND w.next_due <= ?1 + c.ahead ORDER BY w.next_due LIMIT ?2))
		ORDER BY next_due LIMIT ?2`,
	selectDueIn: `SELECT app_id, mode, customer_id FROM wallets INDEXED BY wallets_due_test
		WHERE app_id = ? AND mode = ? AND mode <> 'live' AND next_due > 0 AND next_due <= ? ORDER BY next_due LIMIT ?`,

	insertWallet: `INSERT INTO wallets (bucket, ` + headerColumns + `) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
	updateWallet: `UPDATE wallets SET version = ?, seq = ?, grant_seq = ?, hold_seq = ?, usage_seq = ?, invoice_seq = ?, order_seq = ?,
		tell_seq = ?, head = ?, last_at = ?` + mine +
		` AND version = ? AND next_due = ?`,
	updateWalletDue: `UPDATE wallets SET version = ?, seq = ?, grant_seq = ?, hold_seq = ?, usage_seq = ?, invoice_seq = ?, order_seq = ?,
		tell_seq = ?, head = ?, last_at = ?, next_due = ?` + mine +
		` AND version = ?`,
	updateStanding: `UPDATE standings SET overage = ?, used_outside = ?, uncovered = ?, metered_overage = ?` + mine + ` AND credit_id = ?`,
	insertStanding: `INSERT INTO standings (bucket, wallet, credit_id, overage, used_outside, uncovered, metered_overage)
		VALUES (?, ?, ?, ?, ?, ?, ?)`,
	insertLane: `INSERT INTO lanes (bucket, wallet, n, credit_id, scope, inherited) VALUES (?, ?, ?, ?, ?, ?)`,
	insertGrant: `INSERT INTO grants (bucket, wallet, is_open, ` + grantColumns + `) VALUES (?, ?, ?,
		?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
	updateGrantSpent: `UPDATE grants SET available = ?, held = ?, spent = ?, metered = ?` + mine + ` AND n = ?`,
	// The first leaves is_open alone, so that SQLite need not touch the index over it.
	updateGrant: `UPDATE grants SET amount = ?, available = ?, frozen = ?, held = ?, spent = ?, metered = ?, expired = ?, revoked = ?,
		rolled_over = ?, status = ?, disputed = ?, effective_at = ?, expires_at = ?, ended_at = ?, rolled_into = ?` + mine +
		` AND n = ? AND is_open = ?`,
	updateGrantOpen: `UPDATE grants SET amount = ?, available = ?, frozen = ?, held = ?, spent = ?, metered = ?, expired = ?, revoked = ?,
		rolled_over = ?, status = ?, disputed = ?, effective_at = ?, expires_at = ?, ended_at = ?, rolled_into = ?, is_open = ?` + mine +
		` AND n = ?`,
	insertHold: `INSERT INTO holds (bucket, wallet, ` + holdColumns + `) VALUES (?, ?,
		?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
	updateHold: `UPDATE holds SET status = ?, committed = ?, expires_at = ?, closed_at = ?, reason = ?, error_code = ?, response = ?,
		plan = ?, slices = ?` + mine +
		` AND n = ?`,
	upsertSubscription: `INSERT INTO subscriptions (bucket, wallet, ` + subscriptionColumns + `) VALUES (?, ?,
		?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET plan_id = excluded.plan_id, quantity = excluded.quantity, started_at = excluded.started_at,
		ends_at = excluded.ends_at, trial_ends_at = excluded.trial_ends_at, paused_at = excluded.paused_at, ended = excluded.ended,
		anchor = excluded.anchor, zone = excluded.zone, cycle_start = excluded.cycle_start, cycle_end = excluded.cycle_end,
		owed = excluded.owed, reason = excluded.reason, events = excluded.events, terms = excluded.terms, included = excluded.included,
		next = excluded.next, cycles = excluded.cycles, metadata = excluded.metadata, collect = excluded.collect, unpaid = excluded.unpaid,
		outside = excluded.outside, paid_to = excluded.paid_to, held_at = excluded.held_at`,
	insertSubscriptionEvent: `INSERT INTO subscription_events (bucket, wallet, subscription, n, change, from_plan, to_plan, reason, actor, at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
	upsertAllowance: `INSERT INTO allowances (bucket, wallet, position, id, label, unit, quota, rules, period, window_start, window_end, used)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET id = excluded.id, label = excluded.label, unit = excluded.unit, quota = excluded.quota,
		rules = excluded.rules, period = excluded.period, window_start = excluded.window_start, window_end = excluded.window_end,
		used = excluded.used`,
	updateCount:      `UPDATE allowances SET window_start = ?, window_end = ?, used = ?` + mine + ` AND position = ?`,
	deleteAllowances: `DELETE FROM allowances` + mine + ` AND position >= ?`,
	insertInvoice:    `INSERT INTO invoices (bucket, wallet, ` + invoiceColumns + `) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
	insertOrder: `INSERT INTO orders (bucket, wallet, n, kind, status, provider, minor, currency, items, what, text, quantity, plan, invoice,
		price_ref, save_card, off_session, session, url, success_url, cancel_url, expires_at, attempt, next_try, payment, paid, cumulative,
		refunds, disputes, dispute, last_decline, grants, created_at, paid_at, closed_at, reason, actor, metadata, cart, subscription, disputed_at, unmet)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
	// What is expected never changes.
	updateOrder: `UPDATE orders SET status = ?, invoice = ?, session = ?, url = ?, expires_at = ?, attempt = ?, next_try = ?, payment = ?,
		paid = ?, cumulative = ?, refunds = ?, disputes = ?, dispute = ?, last_decline = ?, grants = ?, paid_at = ?, closed_at = ?,
		reason = ?, subscription = ?, disputed_at = ?, unmet = ?` + mine + ` AND n = ?`,
	upsertTopUp: `INSERT INTO top_ups (bucket, wallet, ` + topUpColumns + `) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET enabled = excluded.enabled, threshold = excluded.threshold, pack_id = excluded.pack_id,
		quantity = excluded.quantity, caps = excluded.caps, consent_at = excluded.consent_at, consent_by = excluded.consent_by,
		metadata = excluded.metadata, running = excluded.running, not_before = excluded.not_before, off_reason = excluded.off_reason,
		day = excluded.day, month = excluded.month`,
	upsertPayer: `INSERT INTO payers (bucket, wallet, provider, customer_id, method, label, saved_at) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET provider = excluded.provider, customer_id = excluded.customer_id, method = excluded.method,
		label = excluded.label, saved_at = excluded.saved_at`,
	closeInvoice: `UPDATE invoices SET status = ?, closed_at = ?, ref = ?` + mine + ` AND n = ?`,
	insertEntry: `INSERT INTO entries (bucket, wallet, ` + entryColumns + `) VALUES (?, ?,
		?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
	insertUsage: `INSERT INTO usages (bucket, wallet, ` + usageColumns + `) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
	updateUsage: `UPDATE usages SET match = ?, voided_at = ?` + mine + ` AND at = ? AND n = ?`,
	upsertTally: `INSERT INTO tallies (bucket, wallet, ` + tallyColumns + `) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET period_end = excluded.period_end, events = excluded.events, aggregate = excluded.aggregate, held = excluded.held,
		last_at = excluded.last_at, last_id = excluded.last_id, due = excluded.due`,
	upsertUnique: `INSERT INTO uniques (bucket, wallet, meter_id, credit_id, period_start, value, events) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET events = excluded.events`,
	insertAnswer: `INSERT INTO answers (bucket, wallet, key, request, answer, created_at) VALUES (?, ?, ?, ?, ?, ?)`,

	insertApp:        `INSERT INTO apps (id, name, version, created_at) VALUES (?, ?, 1, ?)`,
	selectApps:       `SELECT id, name, version, created_at FROM apps ORDER BY name`,
	selectApp:        `SELECT id, name, version, created_at FROM apps WHERE id = ?`,
	selectAppVersion: `SELECT version FROM apps WHERE id = ?`,
	raiseAppVersion:  `UPDATE apps SET version = version + 1 WHERE id = ? AND version = ?`,
	upsertCredit: `INSERT INTO credits (folded, ` + creditColumns + `) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET folded = excluded.folded, name = excluded.name, unit = excluded.unit, description = excluded.description,
		decimals = excluded.decimals, draw_order = excluded.draw_order, scope = excluded.scope,
		expires_after_days = excluded.expires_after_days, overage = excluded.overage, rollover = excluded.rollover,
		created_at = excluded.created_at, updated_at = excluded.updated_at, archived_at = excluded.archived_at,
		low_balance = excluded.low_balance, sales = excluded.sales WHERE app_id = excluded.app_id`,
	selectCredits: `SELECT ` + creditColumns + ` FROM credits WHERE app_id = ?`,
	upsertProduct: `INSERT INTO products (` + productColumns + `) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (app_id, id) DO UPDATE SET name = excluded.name, description = excluded.description, tax_category = excluded.tax_category,
		price = excluded.price, credits = excluded.credits, metadata = excluded.metadata, created_at = excluded.created_at,
		updated_at = excluded.updated_at, archived_at = excluded.archived_at, allowances = excluded.allowances,
		on_change = excluded.on_change`,
	selectProducts: `SELECT ` + productColumns + ` FROM products WHERE app_id = ?`,
	upsertPack: `INSERT INTO packs (folded, ` + packColumns + `) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (app_id, id) DO UPDATE SET folded = excluded.folded, name = excluded.name, description = excluded.description,
		price_minor = excluded.price_minor, currency = excluded.currency, expires_after_days = excluded.expires_after_days,
		items = excluded.items, price_ref = excluded.price_ref, created_at = excluded.created_at, updated_at = excluded.updated_at, archived_at = excluded.archived_at`,
	selectPacks: `SELECT ` + packColumns + ` FROM packs WHERE app_id = ?`,
	upsertMeter: `INSERT INTO meters (folded, ` + meterColumns + `) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET folded = excluded.folded, name = excluded.name, description = excluded.description,
		event = excluded.event, filter = excluded.filter, aggregation = excluded.aggregation, unit = excluded.unit,
		links = excluded.links, created_at = excluded.created_at, updated_at = excluded.updated_at, archived_at = excluded.archived_at
		WHERE app_id = excluded.app_id`,
	selectMeters: `SELECT ` + meterColumns + ` FROM meters WHERE app_id = ?`,
	upsertEndpoint: `INSERT INTO webhook_endpoints (` + endpointColumns + `) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET mode = excluded.mode, url = excluded.url, description = excluded.description,
		format = excluded.format, events = excluded.events, headers = excluded.headers, secret = excluded.secret,
		previous_secret = excluded.previous_secret, previous_until = excluded.previous_until, disabled = excluded.disabled,
		ordered = excluded.ordered, rate_limit = excluded.rate_limit, metadata = excluded.metadata,
		created_at = excluded.created_at, updated_at = excluded.updated_at, archived_at = excluded.archived_at
		WHERE app_id = excluded.app_id`,
	selectEndpoints: `SELECT ` + endpointColumns + ` FROM webhook_endpoints WHERE app_id = ?`,
	insertKey:       `INSERT INTO api_keys (` + keyColumns + `) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
	revokeKey:       `UPDATE api_keys SET revoked_at = ? WHERE app_id = ? AND id = ? AND revoked_at = 0`,
	selectKeyExists: `SELECT 1 FROM api_keys WHERE app_id = ? AND id = ?`,
	selectKeyByHash: `SELECT ` + keyColumns + ` FROM api_keys WHERE hash = ?`,
	selectKeys:      `SELECT ` + keyColumns + ` FROM api_keys WHERE app_id = ? ORDER BY created_at, id`,
	selectValidKeys: `SELECT id FROM api_keys WHERE app_id = ? AND revoked_at = 0`,
	upsertClock: `INSERT INTO test_clocks (app_id, mode, ahead, reached) VALUES (?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET ahead = excluded.ahead, reached = excluded.reached`,
	selectClocks: `SELECT mode, ahead, reached FROM test_clocks WHERE app_id = ?`,
	takeOperations: `INSERT INTO sandbox_operations (app_id, month, used, taken)
		SELECT ?1, ?2, n, n FROM (SELECT min(?4, max(1, ?3 / 10)) AS n) WHERE ?3 > 0
		ON CONFLICT DO UPDATE SET used = used + min(?4, max(1, (?3 - used) / 10)), taken = min(?4, max(1, (?3 - used) / 10))
		WHERE used < ?3 RETURNING taken`,
	returnOperations: `UPDATE sandbox_operations SET used = used - ?3 WHERE app_id = ?1 AND month = ?2`,
	insertAppAnswer:  `INSERT INTO app_answers (app_id, key, request, answer, created_at) VALUES (?, ?, ?, ?, ?)`,
	selectAppAnswer:  `SELECT request, answer, created_at FROM app_answers WHERE app_id = ? AND key = ?`,

	upsertCode: `INSERT INTO codes (folded, ` + codeColumns + `) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET valid_from = excluded.valid_from, valid_until = excluded.valid_until, max_uses = excluded.max_uses,
		max_uses_per_customer = excluded.max_uses_per_customer, description = excluded.description, metadata = excluded.metadata,
		updated_at = excluded.updated_at, archived_at = excluded.archived_at WHERE app_id = excluded.app_id`,
	selectCode:       code + `app_id = ?2 AND id = ?3`,
	selectCodeByText: code + `app_id = ?2 AND folded = ?3 AND archived_at = 0`,
	selectCodes:      code + `app_id = ?2 AND (archived_at <> 0) = ?3 AND (?4 = '' OR id < ?4) ORDER BY id DESC LIMIT ?5`,
	// Uses are numbered without gaps, so the last number is how many there are.
	selectCodeUses:     `SELECT coalesce(max(n), 0) FROM code_uses WHERE code_id = ? AND mode = ?`,
	selectCodeUsesOf:   `SELECT ` + codeUseColumns + ` FROM code_uses WHERE code_id = ? AND mode = ? AND customer_id = ? ORDER BY n`,
	selectCodeUseUnder: `SELECT ` + codeUseColumns + ` FROM code_uses WHERE app_id = ? AND mode = ? AND customer_id = ? AND idempotency_key = ? AND idempotency_key <> ''`,
	selectClaimedCodes: `SELECT ` + codeUseColumns + ` FROM code_uses WHERE granted_at = 0 AND (code_id, mode, n) > (?, ?, ?)
		ORDER BY code_id, mode, n LIMIT ?`,
	insertCodeUse: `INSERT INTO code_uses (` + codeUseColumns + `) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
	codeGranted:   `UPDATE code_uses SET granted_at = ?4, grants = ?5 WHERE code_id = ?1 AND mode = ?2 AND n = ?3 AND granted_at = 0`,

	insertWalletOnce: `INSERT INTO wallets (bucket, ` + headerColumns + `) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT DO NOTHING`,
	// When a customer became known is told once.
	upsertCustomer: `INSERT INTO customers (bucket, wallet, name, folded, email, address, phone, metadata, created_at, updated_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET name = excluded.name, folded = excluded.folded, email = excluded.email, address = excluded.address,
		phone = excluded.phone, metadata = excluded.metadata, updated_at = excluded.updated_at`,
	updateCustomer: `INSERT INTO customers (bucket, wallet, name, folded, email, address, phone, metadata, created_at, updated_at)
		SELECT bucket, wallet, coalesce(?3, ''), coalesce(?4, ''), coalesce(?5, ''), coalesce(?6, ''), coalesce(?7, ''), coalesce(?8, ''),
		created_at, ?9 FROM wallets WHERE bucket = ?1 AND wallet = ?2
		ON CONFLICT DO UPDATE SET name = coalesce(?3, name), folded = coalesce(?4, folded), email = coalesce(?5, email),
		address = coalesce(?6, address), phone = coalesce(?7, phone), metadata = coalesce(?8, metadata), updated_at = ?9`,
	selectCustomers: customer + customerFilter,
	selectCustomer:  customer + `w.customer_id = ?3`,
	selectCustomersAt: customerColumns + `customers c JOIN wallets w ON w.bucket = c.bucket AND w.wallet = c.wallet
		WHERE c.address = ?9 AND c.address <> '' AND w.app_id = ?1 AND w.mode = ?2 AND ` + customerFilter,
	selectHolders: holder + `(SELECT bucket, wallet FROM lanes WHERE credit_id = ?3 UNION SELECT bucket, wallet FROM standings WHERE credit_id = ?3) h
		JOIN wallets w ON w.bucket = h.bucket AND w.wallet = h.wallet
		WHERE w.app_id = ?1 AND w.mode = ?2 AND w.customer_id > ?4 ORDER BY w.customer_id LIMIT ?5 OFFSET ?6`,
	selectHolder: holder + `wallets w WHERE w.bucket = ?1 AND w.wallet = ?2 AND (
		EXISTS (SELECT 1 FROM lanes l WHERE l.bucket = ?1 AND l.wallet = ?2 AND l.credit_id = ?3) OR
		EXISTS (SELECT 1 FROM standings s WHERE s.bucket = ?1 AND s.wallet = ?2 AND s.credit_id = ?3))`,
	insertDelivery: `INSERT INTO deliveries (bucket, wallet, n, event, seq, endpoint_id, type, about, status, tries, created_at, next_at,
		finished_at, log) VALUES (?, ?, ?, ?, nullif(?, 0), ?, ?, ?, 'pending', 0, ?, ?, 0, '')`,
	selectDueDeliveries: `SELECT app_id, id, due, next FROM (SELECT p.app_id, p.id, EXISTS (SELECT 1 FROM deliveries d
		WHERE d.endpoint_id = p.id AND d.status = 'pending' AND d.next_at <= ?1) AS due, (SELECT coalesce(min(d.next_at), 0) FROM deliveries d
		WHERE d.endpoint_id = p.id AND d.status = 'pending' AND d.next_at > ?1) AS next FROM (` + recipients + `) p WHERE p.archived_at = 0)
		WHERE due OR next > 0`,
	selectDueOf: leased + ` WHERE d.endpoint_id = ? AND d.status = 'pending' AND d.next_at <= ? ORDER BY d.next_at LIMIT ?`,
	selectDueWallets: `SELECT wallet FROM deliveries WHERE endpoint_id = ? AND status = 'pending'
		AND next_at <= ? AND hex(wallet) NOT IN (SELECT value FROM json_each(?)) ORDER BY next_at LIMIT ?`,
	selectRun:     leased + ` WHERE d.bucket = ? AND d.wallet = ? AND d.endpoint_id = ? AND d.status = 'pending' ORDER BY d.n LIMIT ?`,
	leaseDelivery: `UPDATE deliveries SET next_at = ?` + mine + ` AND n = ?`,
	finishDelivery: `UPDATE deliveries SET status = ?, tries = ?, next_at = ?, finished_at = ?, log = ?` + mine +
		` AND n = ? AND status = 'pending' AND next_at = ?`,
	holdFollowers: `UPDATE deliveries SET next_at = ?3 WHERE bucket = ?1 AND wallet = ?2 AND endpoint_id = ?4 AND status = 'pending' AND n > ?5 AND next_at <> ?3`,
	wakeFollowers: `UPDATE deliveries SET next_at = ?3 WHERE bucket = ?1 AND wallet = ?2 AND endpoint_id = ?4 AND status = 'pending' AND n > ?5 AND next_at > ?3`,
	redeliverOne:  `UPDATE deliveries SET status = 'pending', tries = 0, next_at = ?, finished_at = 0` + mine + ` AND n = ?`,
	redeliverRange: `UPDATE deliveries SET status = 'pending', tries = 0, next_at = ?, finished_at = 0 WHERE endpoint_id = ? AND status <> 'pending'
		AND created_at >= ? AND created_at < ? AND (? = 0 OR status = 'failed')`,
	selectDeliveries: `SELECT wallet, n, coalesce(seq, 0), endpoint_id, type, about, status, tries, created_at, next_at, finished_at, '', event FROM deliveries
		WHERE endpoint_id = ?1 AND created_at <= ?2 AND (created_at, wallet, n) < (?2, ?3, ?4)
		AND (?5 = '' OR status = ?5) AND (?6 = '' OR type = ?6)
		AND (?8 = '' AND ?9 = '' OR EXISTS (SELECT 1 FROM wallets w WHERE w.bucket = deliveries.bucket AND w.wallet = deliveries.wallet
			AND (?8 = '' OR w.app_id = ?8) AND (?9 = '' OR w.mode = ?9)))
		ORDER BY created_at DESC, wallet DESC, n DESC LIMIT ?7`,
	selectDelivery:        leased + ` WHERE d.bucket = ? AND d.wallet = ? AND d.n = ?`,
	selectPrunedEndpoints: `SELECT id, archived_at FROM webhook_endpoints WHERE id >= ? ORDER BY id LIMIT 2`,
	selectPruned: `SELECT created_at, wallet, n, status = 'pending' FROM deliveries
		WHERE endpoint_id = ? AND created_at < ? AND (created_at, wallet, n) > (?, ?, ?) ORDER BY created_at, wallet, n LIMIT ?`,
	deleteDelivery: `DELETE FROM deliveries` + mine + ` AND n = ? AND (status <> 'pending' OR ?)`,
	selectBacklog: `SELECT count(*), coalesce(min(created_at), 0) FROM (SELECT d.created_at FROM (` + recipients + `) p
		CROSS JOIN deliveries d ON d.endpoint_id = p.id AND d.status = 'pending' WHERE p.archived_at = 0 AND p.disabled = 0 LIMIT ?)`,

	insertProviderObject: `INSERT INTO provider_objects (` + providerColumns + `) VALUES (?1, ?2, ?3, ?4, ?5, 1, ?6, ?7) ON CONFLICT (id) DO NOTHING`,
	updateProviderObject: `UPDATE provider_objects SET app_id = ?2, mode = ?3, kind = ?4, ref = ?5, version = version + 1, body = ?6, created_at = ?7
		WHERE id = ?1 AND version = ?8`,
	selectProviderObject: `SELECT ` + providerColumns + ` FROM provider_objects WHERE id = ?`,
	selectProviderObjects: `SELECT ` + providerColumns + ` FROM provider_objects
		WHERE kind = ?3 AND ref = ?4 AND (?1 = '' OR app_id = ?1 AND mode = ?2) ORDER BY created_at, id LIMIT ?5`,
}
