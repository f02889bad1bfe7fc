package postgres

import (
	"encoding/json"
	"slices"

	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/wallet"
)

// How the rows of each table travel.
var (
	walletsTable = table{
		name:    "wallets",
		numbers: []string{"version", "seq", "grant_seq", "hold_seq", "usage_seq", "invoice_seq", "order_seq", "tell_seq", "last_at", "next_due", "created_at"},
		texts:   []string{"app_id", "mode", "customer_id"},
		blobs:   []string{"head"},
	}
	headersTable = table{ // what changes of a wallet's own row
		name:    "wallets",
		numbers: []string{"version", "seq", "grant_seq", "hold_seq", "usage_seq", "invoice_seq", "order_seq", "tell_seq", "last_at", "next_due"},
		blobs:   []string{"head"},
	}
	lanesTable = table{
		name:      "lanes",
		numbers:   []string{"n"},
		texts:     []string{"credit_id"},
		documents: []string{"scope"},
		flags:     []string{"inherited"},
	}
	grantsTable = table{
		name: "grants",
		numbers: []string{
			"n", "lane", "amount", "available", "frozen", "held", "spent", "metered", "expired", "revoked", "rolled_over",
			"priority", "effective_at", "expires_at", "ended_at", "created_at", "rollover_count", "parent", "rolled_into",
		},
		texts: []string{
			"credit_id", "status", "category", "source", "source_id", "pack_id", "pack_item_id", "external_ref",
			"cost_basis", "cost_currency", "reason", "actor",
		},
		documents: []string{"rollover", "metadata"},
		flags:     []string{"is_open", "disputed"},
	}
	changedGrantsTable = table{ // what changes of a grant; the rest is fixed when it is made
		name: "grants",
		numbers: []string{
			"n", "amount", "available", "frozen", "held", "spent", "metered", "expired", "revoked", "rolled_over",
			"effective_at", "expires_at", "ended_at", "rolled_into",
		},
		texts: []string{"status"},
		flags: []string{"is_open", "disputed"},
	}
	spentGrantsTable = table{ // what most commands change of a grant
		name:    "grants",
		numbers: []string{"n", "available", "held", "spent", "metered"},
	}
	holdsTable = table{
		name:    "holds",
		numbers: []string{"n", "amount", "quantity", "committed", "created_at", "expires_at", "closed_at"},
		texts: []string{
			"status", "credit_id", "event", "shortfall", "reason", "error_code", "response", "actor",
		},
		documents: []string{"metadata", "plan", "slices", "overage", "metered"},
	}
	changedHoldsTable = table{ // what changes of a hold
		name:      "holds",
		numbers:   []string{"n", "committed", "expires_at", "closed_at"},
		texts:     []string{"status", "reason", "error_code", "response"},
		documents: []string{"plan", "slices"},
	}
	standingsTable = table{
		name:    "standings",
		numbers: []string{"overage", "used_outside", "uncovered", "metered_overage"},
		texts:   []string{"credit_id"},
	}
	subscriptionsTable = table{
		name: "subscriptions",
		numbers: []string{
			"n", "quantity", "started_at", "ends_at", "trial_ends_at", "paused_at", "anchor", "cycle_start", "cycle_end", "owed",
			"events", "unpaid", "paid_to", "held_at",
		},
		texts:     []string{"plan_id", "zone", "reason", "outside"},
		documents: []string{"terms", "included", "next", "cycles", "metadata"},
		flags:     []string{"ended", "collect"},
	}
	historyTable = table{
		name:    "subscription_events",
		numbers: []string{"subscription", "n", "at"},
		texts:   []string{"change", "from_plan", "to_plan", "reason", "actor"},
	}
	countsTable = table{ // what a use changes of an allowance
		name:    "allowances",
		numbers: []string{"position", "window_start", "window_end", "used"},
	}
	invoicesTable = table{
		name:      "invoices",
		numbers:   []string{"n", "subscription", "total", "period_from", "period_to", "issued_at", "closed_at"},
		texts:     []string{"status", "currency", "ref"},
		documents: []string{"lines"},
	}
	closedInvoicesTable = table{ // what changes of an invoice
		name:    "invoices",
		numbers: []string{"n", "closed_at"},
		texts:   []string{"status", "ref"},
	}
	ordersTable = table{
		name: "orders",
		numbers: []string{
			"n", "minor", "quantity", "created_at", "invoice", "expires_at", "attempt", "next_try", "paid", "cumulative", "paid_at",
			"closed_at", "subscription", "disputed_at",
		},
		texts: []string{
			"kind", "status", "provider", "currency", "what", "text", "price_ref", "session", "url", "success_url", "cancel_url",
			"payment", "dispute", "reason", "actor",
		},
		documents: []string{"items", "plan", "refunds", "disputes", "last_decline", "grants", "metadata", "cart"},
		flags:     []string{"save_card", "off_session", "unmet"},
	}
	changedOrdersTable = table{ // what changes of an order; what is expected never does
		name: "orders",
		numbers: []string{
			"n", "invoice", "expires_at", "attempt", "next_try", "paid", "cumulative", "paid_at", "closed_at",
			"subscription", "disputed_at",
		},
		texts:     []string{"status", "session", "url", "payment", "dispute", "reason"},
		documents: []string{"refunds", "disputes", "last_decline", "grants"},
		flags:     []string{"unmet"},
	}
	topUpsTable = table{
		name:      "top_ups",
		numbers:   []string{"threshold", "quantity", "consent_at", "running", "not_before"},
		texts:     []string{"credit_id", "pack_id", "consent_by", "off_reason"},
		documents: []string{"caps", "metadata", "day", "month"},
		flags:     []string{"enabled"},
	}
	payersTable = table{
		name:    "payers",
		numbers: []string{"saved_at"},
		texts:   []string{"provider", "customer_id", "method", "label"},
	}
	allowancesTable = table{
		name:      "allowances",
		numbers:   []string{"position", "quota", "window_start", "window_end", "used"},
		texts:     []string{"id", "label", "unit"},
		documents: []string{"rules", "period"},
	}
	entriesTable = table{
		name: "entries",
		numbers: []string{
			"seq", "amount", "balance_before", "balance_after", "overage_before", "overage_after", "op",
			"effective_at", "recorded_at",
		},
		texts:     []string{"type", "credit_id", "ref_type", "ref_id", "reason", "idempotency_key", "actor"},
		documents: []string{"metadata"},
		blobs:     []string{"slices", "prev_hash", "hash"},
	}
	usagesTable = table{
		name:    "usages",
		numbers: []string{"n", "quantity", "hold", "at", "recorded_at", "voided_at"},
		texts:   []string{"id", "event", "metadata", "match", "response", "corrects"},
		blobs:   []string{"counted"},
		flags:   []string{"metered"},
	}
	changedUsagesTable = table{
		name:    "usages",
		numbers: []string{"at", "n", "voided_at"},
		texts:   []string{"match"},
	}
	talliesTable = table{
		name: "tallies",
		numbers: []string{
			"period_start", "period_end", "units_num", "units_den", "free_threshold", "events", "aggregate", "held",
			"last_at", "due",
		},
		texts: []string{"meter_id", "credit_id", "last_id"},
	}
	uniquesTable = table{
		name:    "uniques",
		numbers: []string{"period_start", "events"},
		texts:   []string{"meter_id", "credit_id"},
		blobs:   []string{"value"},
	}
	answersTable = table{
		name:    "answers",
		numbers: []string{"created_at"},
		texts:   []string{"key"},
		blobs:   []string{"request", "answer"},
	}
	deliveriesTable = table{
		name:      "deliveries",
		numbers:   []string{"n", "event", "seq", "tries", "created_at", "next_at", "finished_at"},
		absent:    []string{"seq"},
		texts:     []string{"endpoint_id", "type", "status"},
		documents: []string{"about", "log"},
	}
)

// Statements that write, one for all rows of a table.
var (
	insertWallets = walletsTable.insertNew("(bucket, wallet)")
	updateHeaders = headersTable.update(nil, []string{"t.version = d.version - 1"})
	insertLanes   = lanesTable.insert()
	// One external reference grants an item once; see the index grants_ref.
	insertGrants = grantsTable.insertNew(
		"(bucket, wallet, external_ref, pack_id, pack_item_id, credit_id) WHERE external_ref <> '' AND parent = 0")
	updateSpent         = spentGrantsTable.update([]string{"n"}, nil)
	updateGrants        = changedGrantsTable.update([]string{"n"}, nil)
	insertHolds         = holdsTable.insert()
	updateHolds         = changedHoldsTable.update([]string{"n"}, nil)
	upsertStandings     = standingsTable.upsert("credit_id")
	upsertSubscriptions = subscriptionsTable.upsert("n")
	insertHistory       = historyTable.insert()
	upsertAllowances    = allowancesTable.upsert("position")
	updateCounts        = countsTable.update([]string{"position"}, nil)
	insertInvoices      = invoicesTable.insert()
	updateInvoices      = closedInvoicesTable.update([]string{"n"}, nil)
	insertOrders        = ordersTable.insert()
	updateOrders        = changedOrdersTable.update([]string{"n"}, nil)
	upsertTopUps        = topUpsTable.upsert("credit_id")
	upsertPayers        = payersTable.upsert()
	insertEntries       = entriesTable.insert()
	insertUsages        = usagesTable.insert()
	updateUsages        = changedUsagesTable.update([]string{"at", "n"}, nil)
	upsertTallies       = talliesTable.upsert("period_start", "meter_id", "credit_id")
	upsertUniques       = uniquesTable.upsert("meter_id", "credit_id", "value", "period_start")
	insertAnswers       = answersTable.insert()
	insertDeliveries    = deliveriesTable.insert()
)

// deleteAllowances removes those that a shorter list left behind its end.
var deleteAllowances = over(`DELETE FROM allowances a USING unnest($1::smallint[], $2::uuid[], $3::bigint[]) AS d (bucket, wallet, length)
	WHERE a.bucket = {d.bucket} AND a.wallet = d.wallet AND a.position >= d.length`)

// writer gathers the rows of a transaction's changes.
type writer struct {
	created, headers, lanes, newGrants, spent, grants, newHolds, holds, standings *rows
	subscriptions, history, allowances, counts, newInvoices, invoices             *rows
	newOrders, orders, topUps, payers                                             *rows
	entries, answers, deliveries, newUsages, usages, tallies, uniques             *rows
	whole                                                                         keys    // wallets whose allowances are written whole
	lengths                                                                       []int64 // how many they are
	err                                                                           error   // the first value that JSON cannot hold
}

// changes queues everything that is to be written. A wallet's own row comes first where it is
// new, since everything else refers to it, and last where it changes: it is locked already, and
// its new version would be locked again by every row that is inserted after it.
func (s *script) changes(c *store.Changes) error {
	sorted, byID := c.Wallets, func(x, y store.WalletChange) int { return compareIDs(x.Header.ID, y.Header.ID) }
	if !slices.IsSortedFunc(sorted, byID) {
		sorted = slices.Clone(sorted)
		slices.SortFunc(sorted, byID)
	}
	w := newWriter(sorted)
	for i := range sorted {
		w.wallet(&sorted[i])
	}
	if w.err != nil {
		return fault.New(opTransact, fault.CodeInternalError, "the change cannot be stored").Because(w.err)
	}
	s.rows(partHeaders, insertWallets, w.created)
	s.rows(partOther, insertLanes, w.lanes)
	s.rows(partGrants, insertGrants, w.newGrants)
	s.rows(partOther, updateSpent, w.spent)
	s.rows(partOther, updateGrants, w.grants)
	s.rows(partOther, insertHolds, w.newHolds)
	s.rows(partOther, updateHolds, w.holds)
	s.rows(partOther, upsertStandings, w.standings)
	s.rows(partOther, upsertSubscriptions, w.subscriptions)
	s.rows(partOther, upsertAllowances, w.allowances)
	s.over(partOther, nil, deleteAllowances, &w.whole, w.lengths)
	s.rows(partOther, updateCounts, w.counts)
	s.rows(partOther, insertHistory, w.history)
	s.rows(partOther, insertInvoices, w.newInvoices)
	s.rows(partOther, updateInvoices, w.invoices)
	s.rows(partOther, insertOrders, w.newOrders)
	s.rows(partOther, updateOrders, w.orders)
	s.rows(partOther, upsertTopUps, w.topUps)
	s.rows(partOther, upsertPayers, w.payers)
	s.rows(partOther, insertEntries, w.entries)
	s.rows(partUnique, insertUsages, w.newUsages)
	s.rows(partOther, updateUsages, w.usages)
	s.rows(partOther, upsertTallies, w.tallies)
	s.rows(partOther, upsertUniques, w.uniques)
	s.rows(partUnique, insertAnswers, w.answers)
	s.rows(partOther, insertDeliveries, w.deliveries)
	s.rows(partHeaders, updateHeaders, w.headers)
	return nil
}

// rows queues a statement, unless there is no row for it.
func (s *script) rows(p part, st statement, r *rows) { s.over(p, nil, st, &r.keys, r.arrays()...) }

// newWriter makes room for exactly the rows to come.
func newWriter(changes []store.WalletChange) *writer {
	var created, lanes, newGrants, spent, grants, newHolds, holds, standings, subs, allowances, entries, answers int
	var newUsages, usages, tallies, uniques, deliveries, history, counts, newInvoices, invoices int
	var newOrders, orders, topUps, payers int
	for i := range changes {
		c := &changes[i]
		if c.Created {
			created++
		}
		if c.Subscription != nil {
			subs++
			allowances += len(c.Subscription.Allowances)
		}
		if c.Counts != nil {
			counts += len(c.Counts.Allowances)
		}
		subs += len(c.Ended)
		history += len(c.History)
		newInvoices += len(c.NewInvoices)
		invoices += len(c.Invoices)
		newOrders += len(c.NewOrders)
		orders += len(c.Orders)
		topUps += len(c.TopUps)
		if c.Payer != nil {
			payers++
		}
		lanes += len(c.Lanes)
		newGrants += len(c.NewGrants)
		spent += len(c.Spent)
		grants += len(c.Grants)
		newHolds += len(c.NewHolds)
		holds += len(c.Holds)
		standings += len(c.Standings)
		entries += len(c.Entries)
		newUsages += len(c.NewUsages)
		usages += len(c.Usages)
		tallies += len(c.Tallies)
		uniques += len(c.Uniques)
		answers += len(c.Answers)
		deliveries += len(c.Deliveries)
	}
	return &writer{
		created: walletsTable.rows(created), headers: headersTable.rows(len(changes) - created),
		lanes: lanesTable.rows(lanes), newGrants: grantsTable.rows(newGrants), spent: spentGrantsTable.rows(spent), grants: changedGrantsTable.rows(grants),
		newHolds: holdsTable.rows(newHolds), holds: changedHoldsTable.rows(holds),
		standings: standingsTable.rows(standings), subscriptions: subscriptionsTable.rows(subs),
		history: historyTable.rows(history), allowances: allowancesTable.rows(allowances), counts: countsTable.rows(counts),
		newInvoices: invoicesTable.rows(newInvoices), invoices: closedInvoicesTable.rows(invoices),
		newOrders: ordersTable.rows(newOrders), orders: changedOrdersTable.rows(orders), topUps: topUpsTable.rows(topUps),
		payers: payersTable.rows(payers), entries: entriesTable.rows(entries),
		newUsages: usagesTable.rows(newUsages), usages: changedUsagesTable.rows(usages), tallies: talliesTable.rows(tallies),
		uniques: uniquesTable.rows(uniques), answers: answersTable.rows(answers), deliveries: deliveriesTable.rows(deliveries),
	}
}

// wallet adds everything that changed in one wallet.
func (w *writer) wallet(c *store.WalletChange) {
	h := &c.Header
	if c.Created {
		w.created.add(h.ID).
			nums(
				h.Version, h.Seq, h.GrantSeq, h.HoldSeq, h.UsageSeq, h.InvoiceSeq, h.OrderSeq, h.TellSeq, int64(h.LastAt), int64(h.NextDue),
				int64(h.CreatedAt),
			).
			strs(h.Key.App, string(h.Key.Mode), h.Key.Customer).bins(h.Head[:])
	} else {
		w.headers.add(h.ID).
			nums(h.Version, h.Seq, h.GrantSeq, h.HoldSeq, h.UsageSeq, h.InvoiceSeq, h.OrderSeq, h.TellSeq, int64(h.LastAt), int64(h.NextDue)).
			bins(h.Head[:])
	}
	for _, l := range c.Lanes {
		w.lanes.add(h.ID).nums(int64(l.N)).strs(l.Credit).docs(list(w, l.Scope)).bits(l.Inherited)
	}
	for _, g := range c.NewGrants {
		w.newGrant(c, g)
	}
	for _, g := range c.Spent {
		w.spent.add(h.ID).nums(g.N, g.Available, g.Held, g.Spent, g.Metered)
	}
	for _, g := range c.Grants {
		w.grants.add(h.ID).
			nums(
				g.N, g.Amount, g.Available, g.Frozen, g.Held, g.Spent, g.Metered, g.Expired, g.Revoked, g.RolledOver,
				int64(g.EffectiveAt), int64(g.ExpiresAt), int64(g.EndedAt), g.RolledInto,
			).
			strs(string(g.Status)).bits(g.Open(), g.Disputed)
	}
	for _, hold := range c.NewHolds {
		w.newHold(c, hold)
	}
	for _, hold := range c.Holds {
		w.holds.add(h.ID).nums(hold.N, hold.Committed, int64(hold.ExpiresAt), int64(hold.ClosedAt)).
			strs(string(hold.Status), hold.Reason, hold.ErrorCode, hold.Response).docs(w.planOf(hold), w.slicesOf(hold))
	}
	for _, st := range c.Standings {
		w.standings.add(h.ID).nums(st.Overage, st.UsedOutside, st.Uncovered, st.MeteredOverage).strs(st.Credit)
	}
	w.plans(c)
	w.purchases(c)
	for i := range c.Entries {
		w.entry(c, &c.Entries[i])
	}
	w.usage(c)
	for i := range c.Answers {
		a := &c.Answers[i]
		w.answers.add(h.ID).nums(int64(a.At)).strs(a.Key).bins(a.Request[:], present(a.Answer))
	}
	for i := range c.Deliveries {
		d := &c.Deliveries[i]
		w.deliveries.add(h.ID).nums(d.N, d.Event, d.Seq, 0, int64(d.CreatedAt), int64(d.NextAt), 0).
			strs(d.Endpoint, string(d.Type), string(store.DeliveryPending)).docs(w.about(d.About), "[]")
	}
}

// usage adds usage events, and what meters made of them.
func (w *writer) usage(c *store.WalletChange) {
	for _, u := range c.NewUsages {
		w.newUsages.add(c.Header.ID).nums(u.N, u.Quantity, u.Hold, int64(u.At), int64(u.RecordedAt), int64(u.VoidedAt)).
			strs(u.ID, u.Event, u.Metadata.Text(), string(u.Match), u.Response, u.Corrects).
			bins(store.EncodeTallyKeys(u.Counted)).bits(u.Metered)
	}
	for _, u := range c.Usages {
		w.usages.add(c.Header.ID).nums(int64(u.At), u.N, int64(u.VoidedAt)).strs(string(u.Match))
	}
	for _, t := range c.Tallies {
		w.tallies.add(c.Header.ID).
			nums(
				int64(t.From), int64(t.To), t.UnitsPerCredit.Num, t.UnitsPerCredit.Den, t.FreeThreshold, t.Events,
				t.Aggregate, t.Held, int64(t.LastAt), t.Due,
			).
			strs(t.Meter, t.Credit, t.LastID)
	}
	for _, u := range c.Uniques {
		w.uniques.add(c.Header.ID).nums(int64(u.From), u.Events).strs(u.Meter, u.Credit).bins(u.Value[:])
	}
}

func (w *writer) newGrant(c *store.WalletChange, g *wallet.Grant) {
	w.newGrants.add(c.Header.ID).
		nums(
			g.N, int64(g.Lane), g.Amount, g.Available, g.Frozen, g.Held, g.Spent, g.Metered, g.Expired, g.Revoked, g.RolledOver,
			int64(g.Priority), int64(g.EffectiveAt), int64(g.ExpiresAt), int64(g.EndedAt), int64(g.CreatedAt),
			int64(g.RolloverCount), g.Parent, g.RolledInto,
		).
		strs(
			g.Credit, string(g.Status), string(g.Category), string(g.Source), g.SourceID, g.Pack, g.PackItem,
			g.ExternalRef, string(g.CostBasis), g.CostCurr, g.Reason, g.Actor,
		).
		docs(w.json(g.Rollover), w.metadata(g.Metadata)).
		bits(g.Open(), g.Disputed)
}

// Holds store what they carry under names of their own, so that no rename in Go changes rows.
type (
	holdSlice struct {
		Grant   int64 `json:"grant"`
		Units   int64 `json:"units"`
		Measure int64 `json:"measure"`
		Order   int64 `json:"order,omitempty"`
		Item    int   `json:"item,omitempty"`
	}
	overagePart struct {
		Credit  string `json:"credit"`
		Units   int64  `json:"units"`
		Measure int64  `json:"measure"`
	}
)

func (w *writer) newHold(c *store.WalletChange, h *wallet.Hold) {
	overage := make([]overagePart, len(h.Overage))
	for i, p := range h.Overage {
		overage[i] = overagePart(p)
	}
	metered := make([]meteredPart, len(h.Metered))
	for i, p := range h.Metered {
		metered[i] = meteredPart{p.Meter, p.Credit, int64(p.From), p.Micros}
	}
	w.newHolds.add(c.Header.ID).
		nums(
			h.N, h.Charge.Amount, h.Charge.Quantity, h.Committed, int64(h.CreatedAt), int64(h.ExpiresAt), int64(h.ClosedAt),
		).
		strs(
			string(h.Status), h.Charge.Credit, h.Charge.Event, string(h.Charge.Shortfall), h.Reason, h.ErrorCode,
			h.Response, h.Actor,
		).
		docs(w.metadata(h.Charge.Metadata), w.planOf(h), w.slicesOf(h), list(w, overage), list(w, metered))
}

// planOf and slicesOf are what a hold carries. They change while it is pending: with the plan that it
// counts under, and with a refund of what it holds.
func (w *writer) planOf(h *wallet.Hold) string {
	plan := make([]planPart, len(h.Plan))
	for i, p := range h.Plan {
		plan[i] = planPart{p.Allowance, int64(p.WindowStart), p.Micros}
	}
	return list(w, plan)
}

func (w *writer) slicesOf(h *wallet.Hold) string {
	parts := make([]holdSlice, len(h.Slices))
	for i, p := range h.Slices {
		parts[i] = holdSlice(p)
	}
	return list(w, parts)
}

// plans adds what changed of a wallet's subscriptions, and the invoices over them.
func (w *writer) plans(c *store.WalletChange) {
	key := c.Header.ID
	for _, sub := range c.Ended {
		w.subscription(key, sub)
	}
	switch {
	case c.Subscription != nil:
		w.subscription(key, c.Subscription)
		w.allowancesOf(key, c.Subscription)
	case c.Counts != nil:
		for i := range c.Counts.Allowances {
			a := &c.Counts.Allowances[i]
			w.counts.add(key).nums(int64(i), int64(a.WindowStart), int64(a.WindowEnd), a.Used)
		}
	}
	for i := range c.History {
		e := &c.History[i]
		w.history.add(key).nums(e.Subscription, e.N, int64(e.At)).strs(string(e.Change), e.From, e.To, e.Reason, e.Actor)
	}
	for _, v := range c.NewInvoices {
		w.newInvoices.add(key).
			nums(v.N, v.Subscription, v.Total, int64(v.From), int64(v.To), int64(v.IssuedAt), int64(v.ClosedAt)).
			strs(string(v.Status), v.Currency, v.Ref).docs(list(w, v.Lines))
	}
	for _, v := range c.Invoices {
		w.invoices.add(key).nums(v.N, int64(v.ClosedAt)).strs(string(v.Status), v.Ref)
	}
}

func (w *writer) subscription(key id.Wallet, s *wallet.Subscription) {
	next := "{}"
	if s.Next != nil {
		next = w.json(s.Next)
	}
	w.subscriptions.add(key).
		nums(
			s.N, s.Quantity, int64(s.StartedAt), int64(s.EndsAt), int64(s.TrialEnds), int64(s.PausedAt), int64(s.Anchor),
			int64(s.CycleStart), int64(s.CycleEnd), s.Owed, s.Events, s.Unpaid, int64(s.PaidTo), int64(s.HeldAt),
		).
		strs(s.Plan, s.Zone, s.Reason, s.Outside).
		docs(w.json(s.Terms), list(w, s.Included), next, w.json(store.Instants(s.Cycles)), w.metadata(s.Metadata)).
		bits(s.Ended, s.Collect)
}

func (w *writer) allowancesOf(key id.Wallet, s *wallet.Subscription) {
	w.whole.add(key)
	w.lengths = append(w.lengths, int64(len(s.Allowances)))
	for i := range s.Allowances {
		a := &s.Allowances[i]
		w.allowances.add(key).
			nums(int64(i), a.Quota, int64(a.WindowStart), int64(a.WindowEnd), a.Used).
			strs(a.ID, a.Label, a.Unit).docs(list(w, a.Rules), w.json(a.Period))
	}
}

func (w *writer) entry(c *store.WalletChange, e *wallet.Entry) {
	w.entries.add(c.Header.ID).
		nums(
			e.Seq, e.Amount, e.BalanceBefore, e.BalanceAfter, e.OverageBefore, e.OverageAfter, e.Op,
			int64(e.EffectiveAt), int64(e.RecordedAt),
		).
		strs(string(e.Type), e.Credit, e.RefType, e.RefID, e.Reason, e.Idempotency, e.Actor).
		docs(w.metadata(e.Metadata)).
		bins(store.EncodeSlices(e.Slices), e.Prev[:], e.Hash[:])
}

// about is most often empty.
func (w *writer) about(a store.About) string {
	if a == (store.About{}) {
		return "{}"
	}
	return w.json(a)
}

// metadata is most often empty, and then costs nothing.
func (w *writer) metadata(m wallet.Metadata) string {
	if len(m) == 0 {
		return "{}"
	}
	return w.json(m)
}

// list is a list as JSON, where none and empty are the same.
func list[T any](w *writer, values []T) string {
	if len(values) == 0 {
		return "[]"
	}
	return w.json(values)
}

func (w *writer) json(v any) string {
	b, err := json.Marshal(v)
	if err != nil && w.err == nil {
		w.err = err
	}
	return string(b)
}

// present keeps empty bytes from becoming NULL.
func present(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
