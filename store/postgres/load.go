package postgres

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/wallet"
)

// Statements that read wallets, any number at a time.
var (
	selectStandings = over(`SELECT s.wallet, s.credit_id, s.overage, s.used_outside, s.uncovered, s.metered_overage
		FROM unnest($1::smallint[], $2::uuid[]) AS d (bucket, wallet)
		JOIN standings s ON s.bucket = {d.bucket} AND s.wallet = d.wallet ORDER BY s.wallet, s.credit_id`)

	selectLanes = over(`SELECT l.wallet, l.n, l.credit_id, l.scope, l.inherited
		FROM unnest($1::smallint[], $2::uuid[]) AS d (bucket, wallet)
		JOIN lanes l ON l.bucket = {d.bucket} AND l.wallet = d.wallet ORDER BY l.wallet, l.n`)

	// Open grants, and whatever they rolled into, however often.
	selectOpenGrants = over(`WITH RECURSIVE seen AS (
		SELECT g.bucket, g.wallet, g.n, g.rolled_into
		FROM unnest($1::smallint[], $2::uuid[]) AS d (bucket, wallet)
		JOIN grants g ON g.bucket = {d.bucket} AND g.wallet = d.wallet WHERE g.is_open` + followGrants)

	// Grants by number, and whatever they rolled into.
	selectGrants = over(`WITH RECURSIVE seen AS (
		SELECT g.bucket, g.wallet, g.n, g.rolled_into
		FROM unnest($1::smallint[], $2::uuid[], $3::bigint[]) AS d (bucket, wallet, n)
		JOIN grants g ON g.bucket = {d.bucket} AND g.wallet = d.wallet AND g.n = d.n` + followGrants)

	// Grants by external reference, and whatever they rolled into.
	selectExternal = over(`WITH RECURSIVE seen AS (
		SELECT g.bucket, g.wallet, g.n, g.rolled_into
		FROM unnest($1::smallint[], $2::uuid[], $3::text[], $4::text[]) AS d (bucket, wallet, what, ref)
		JOIN grants g ON g.bucket = {d.bucket} AND g.wallet = d.wallet AND g.external_ref = d.ref
			AND g.external_ref <> '' AND g.parent = 0
			AND (g.pack_id = d.what OR (g.pack_id = '' AND g.credit_id = d.what))` + followGrants)

	// Grants of a credit that pay for what meters count, and whatever they rolled into.
	selectMeteredGrants = over(`WITH RECURSIVE seen AS (
		SELECT g.bucket, g.wallet, g.n, g.rolled_into
		FROM unnest($1::smallint[], $2::uuid[], $3::text[]) AS d (bucket, wallet, credit)
		JOIN grants g ON g.bucket = {d.bucket} AND g.wallet = d.wallet AND g.credit_id = d.credit AND g.metered > 0` + followGrants)

	// One transaction asks for thousands of usages and uniques, and a plan made while the table was
	// nearly empty may read all of a bucket for each of them. OFFSET 0 leaves it no other order.
	selectUsages = byID(over(`SELECT ` + usageColumns + ` FROM unnest($1::smallint[], $2::uuid[], $3::text[]) AS d (bucket, wallet, id)
		JOIN LATERAL (SELECT * FROM usages a WHERE a.id = d.id AND a.bucket = {d.bucket} AND a.wallet = d.wallet OFFSET 0) u ON true`))

	selectUsageRanges = over(`SELECT ` + usageColumns + `, d.event, d.since, d.until
		FROM unnest($1::smallint[], $2::uuid[], $3::text[], $4::bigint[], $5::bigint[]) AS d (bucket, wallet, event, since, until)
		JOIN usages u ON u.bucket = {d.bucket} AND u.wallet = d.wallet AND u.at >= d.since AND u.at < d.until
			AND u.event = d.event AND u.voided_at = 0`)

	// Tallies of periods that had not ended when the wallet was last written.
	selectOpenTallies = over(`SELECT ` + tallyColumns + ` FROM unnest($1::smallint[], $2::uuid[]) AS d (bucket, wallet)
		JOIN wallets w ON w.bucket = {d.bucket} AND w.wallet = d.wallet
		JOIN tallies t ON t.bucket = {d.bucket} AND t.wallet = d.wallet AND t.period_end > w.last_at`)

	selectTallies = over(`SELECT ` + tallyColumns + `
		FROM unnest($1::smallint[], $2::uuid[], $3::text[], $4::text[], $5::bigint[]) AS d (bucket, wallet, meter, credit, since)
		JOIN tallies t ON t.bucket = {d.bucket} AND t.wallet = d.wallet AND t.meter_id = d.meter AND t.credit_id = d.credit
			AND t.period_start = d.since`)

	selectUniques = over(`SELECT q.wallet, q.meter_id, q.credit_id, q.period_start, q.value, q.events
		FROM unnest($1::smallint[], $2::uuid[], $3::text[], $4::text[], $5::bytea[]) AS d (bucket, wallet, meter, credit, value)
		JOIN LATERAL (SELECT * FROM uniques a WHERE a.bucket = {d.bucket} AND a.wallet = d.wallet AND a.meter_id = d.meter
			AND a.credit_id = d.credit AND a.value = d.value OFFSET 0) q ON true`)

	selectPendingHolds = over(`SELECT ` + holdColumns + ` FROM unnest($1::smallint[], $2::uuid[]) AS d (bucket, wallet)
		JOIN holds h ON h.bucket = {d.bucket} AND h.wallet = d.wallet WHERE h.status = 'pending' ORDER BY h.wallet, h.n`)

	selectHolds = over(`SELECT ` + holdColumns + ` FROM unnest($1::smallint[], $2::uuid[], $3::bigint[]) AS d (bucket, wallet, n)
		JOIN holds h ON h.bucket = {d.bucket} AND h.wallet = d.wallet AND h.n = d.n ORDER BY h.wallet, h.n`)

	// The last of each wallet.
	selectSubscriptions = over(`SELECT ` + subscriptionColumns + ` FROM unnest($1::smallint[], $2::uuid[]) AS d (bucket, wallet)
		JOIN LATERAL (SELECT * FROM subscriptions b WHERE b.bucket = {d.bucket} AND b.wallet = d.wallet
			ORDER BY b.n DESC LIMIT 1) s ON true`)

	selectInvoices = over(`SELECT ` + invoiceColumns + ` FROM unnest($1::smallint[], $2::uuid[], $3::bigint[]) AS d (bucket, wallet, n)
		JOIN invoices v ON v.bucket = {d.bucket} AND v.wallet = d.wallet AND v.n = d.n ORDER BY v.wallet, v.n`)

	selectOrders = over(`SELECT ` + orderColumns + ` FROM unnest($1::smallint[], $2::uuid[], $3::bigint[]) AS d (bucket, wallet, n)
		JOIN orders o ON o.bucket = {d.bucket} AND o.wallet = d.wallet AND o.n = d.n ORDER BY o.wallet, o.n`)

	selectChargingOrders = over(`SELECT ` + orderColumns + ` FROM unnest($1::smallint[], $2::uuid[]) AS d (bucket, wallet)
		JOIN orders o ON o.bucket = {d.bucket} AND o.wallet = d.wallet WHERE o.status IN ('due', 'waiting') ORDER BY o.wallet, o.n`)

	selectTopUps = over(`SELECT ` + topUpColumns + ` FROM unnest($1::smallint[], $2::uuid[]) AS d (bucket, wallet)
		JOIN top_ups t ON t.bucket = {d.bucket} AND t.wallet = d.wallet ORDER BY t.wallet, t.credit_id`)

	selectPayers = over(`SELECT p.wallet, p.provider, p.customer_id, p.method, p.label, p.saved_at
		FROM unnest($1::smallint[], $2::uuid[]) AS d (bucket, wallet)
		JOIN payers p ON p.bucket = {d.bucket} AND p.wallet = d.wallet`)

	selectEntries = over(`SELECT ` + entryColumns + ` FROM unnest($1::smallint[], $2::uuid[], $3::bigint[]) AS d (bucket, wallet, seq)
		JOIN entries e ON e.bucket = {d.bucket} AND e.wallet = d.wallet AND e.seq = d.seq ORDER BY e.wallet, e.seq`)

	// The refunds of an entry name it by its public id.
	selectReversals = over(`SELECT ` + entryColumns + `, d.seq
		FROM unnest($1::smallint[], $2::uuid[], $3::bigint[], $4::text[]) AS d (bucket, wallet, seq, ref_id)
		JOIN entries e ON e.bucket = {d.bucket} AND e.wallet = d.wallet AND e.ref_id = d.ref_id
			AND e.type = 'refund' AND e.ref_type = '` + wallet.RefEntry + `' ORDER BY e.wallet, e.seq`)

	selectAnswers = over(`SELECT a.wallet, a.key, a.request, a.answer, a.created_at
		FROM unnest($1::smallint[], $2::uuid[], $3::text[]) AS d (bucket, wallet, key)
		JOIN answers a ON a.bucket = {d.bucket} AND a.wallet = d.wallet AND a.key = d.key ORDER BY a.wallet, a.key`)
)

// byID leaves a statement about usages no index but that of their ids: none serves IS NOT DISTINCT
// FROM, and to a plan that knows nothing of the table yet all indexes look alike. Where the table
// is distributed the bucket must be seen to be equal.
func byID(st statement) statement {
	plain := strings.NewReplacer("a.bucket = ", "a.bucket IS NOT DISTINCT FROM ", "a.wallet = ", "a.wallet IS NOT DISTINCT FROM ")
	st.many, st.one = plain.Replace(st.many), plain.Replace(st.one)
	return st
}

// followGrants ends a statement that has begun to see grants: it adds what they rolled into,
// however often, and reads them all.
const followGrants = `
		UNION
		SELECT g.bucket, g.wallet, g.n, g.rolled_into
		FROM seen s JOIN grants g ON g.bucket = {s.bucket} AND g.wallet = s.wallet AND g.n = s.rolled_into
		WHERE s.rolled_into <> 0)
	SELECT ` + grantColumns + ` FROM seen s
	JOIN grants g ON g.bucket = {s.bucket} AND g.wallet = s.wallet AND g.n = s.n
	JOIN lanes l ON l.bucket = {g.bucket} AND l.wallet = g.wallet AND l.n = g.lane
	ORDER BY g.wallet, g.n`

// snapshots queues what reads wallets whole, given their headers, and fills them in.
func (s *script) snapshots(loaded map[id.Wallet]*wallet.Snapshot) {
	if len(loaded) == 0 {
		return
	}
	var k keys
	for _, w := range slices.SortedFunc(maps.Keys(loaded), compareIDs) {
		k.add(w)
	}
	var w id.Wallet
	s.over(partOther, func(r pgx.Rows) error {
		var st wallet.Standing
		err := r.Scan(key(&w), &st.Credit, &st.Overage, &st.UsedOutside, &st.Uncovered, &st.MeteredOverage)
		if err != nil {
			return err
		}
		loaded[w].Standings = append(loaded[w].Standings, st)
		return nil
	}, selectStandings, &k)
	s.over(partOther, func(r pgx.Rows) error {
		l, err := scanLane(r, &w)
		if err != nil {
			return err
		}
		loaded[w].Lanes = append(loaded[w].Lanes, l)
		return nil
	}, selectLanes, &k)
	s.over(partOther, func(r pgx.Rows) error {
		g, err := scanGrant(r, &w)
		if err != nil {
			return err
		}
		loaded[w].Grants = append(loaded[w].Grants, g)
		return nil
	}, selectOpenGrants, &k)
	s.over(partOther, func(r pgx.Rows) error {
		h, err := scanHold(r, &w)
		if err != nil {
			return err
		}
		loaded[w].Holds = append(loaded[w].Holds, h)
		return nil
	}, selectPendingHolds, &k)
	s.over(partOther, func(r pgx.Rows) error {
		sub, err := scanSubscription(r, &w)
		if err != nil {
			return err
		}
		loaded[w].Subscription = sub
		return nil
	}, selectSubscriptions, &k)
	s.over(partOther, func(r pgx.Rows) error {
		t, err := scanTally(r, &w)
		if err != nil {
			return err
		}
		loaded[w].Tallies = append(loaded[w].Tallies, t)
		return nil
	}, selectOpenTallies, &k)
	s.purchases(loaded, &k)
}

// look is what is looked up of wallets besides what is open in them.
type look struct {
	entries struct {
		keys
		seqs []int64
		refs []string
	}
	holds struct {
		keys
		numbers []int64
	}
	grants struct {
		keys
		numbers []int64
	}
	invoices struct {
		keys
		numbers []int64
	}
	orders struct {
		keys
		numbers []int64
	}
	external struct {
		keys
		what, refs []string
	}
	answers struct {
		keys
		texts []string
	}
	metered struct {
		keys
		credits []string
	}
	usages struct {
		keys
		ids []string
	}
	ranges struct {
		keys
		events   []string
		from, to []int64
	}
	tallies struct {
		keys
		meters, credits []string
		from            []int64
	}
	uniques struct {
		keys
		meters, credits []string
		values          [][]byte
	}
	found func(id.Wallet) *store.FoundWallet
}

// wantUsage adds what one wallet's needs name of usage events and of what meters made of them.
func (l *look) wantUsage(w id.Wallet, needs *wallet.Needs) {
	for _, event := range distinct(needs.Usages) {
		l.usages.add(w)
		l.usages.ids = append(l.usages.ids, event)
	}
	for _, r := range needs.Ranges {
		l.ranges.add(w)
		l.ranges.events = append(l.ranges.events, r.Event)
		l.ranges.from, l.ranges.to = append(l.ranges.from, int64(r.From)), append(l.ranges.to, int64(r.To))
	}
	for _, key := range needs.Tallies {
		l.tallies.add(w)
		l.tallies.meters, l.tallies.credits = append(l.tallies.meters, key.Meter), append(l.tallies.credits, key.Credit)
		l.tallies.from = append(l.tallies.from, int64(key.From))
	}
	seen := make(map[wallet.UniqueRef]bool, len(needs.Uniques))
	for i := range needs.Uniques {
		ref := &needs.Uniques[i]
		if seen[*ref] {
			continue
		}
		seen[*ref] = true
		l.uniques.add(w)
		l.uniques.meters, l.uniques.credits = append(l.uniques.meters, ref.Meter), append(l.uniques.credits, ref.Credit)
		l.uniques.values = append(l.uniques.values, ref.Value[:])
	}
	for _, credit := range distinct(needs.Metered) {
		l.metered.add(w)
		l.metered.credits = append(l.metered.credits, credit)
	}
}

// usage queues what reads usage events, and what meters made of them.
func (s *script) usage(l *look) {
	var w id.Wallet
	s.over(partOther, func(r pgx.Rows) error {
		u, err := scanUsage(r, &w)
		if err != nil {
			return err
		}
		f := &l.found(w).Fetched
		f.Usages = append(f.Usages, u)
		return nil
	}, selectUsages, &l.usages.keys, l.usages.ids)
	s.over(partOther, func(r pgx.Rows) error {
		var of wallet.UsageRange
		u, err := scanUsage(r, &w, &of.Event, instant(&of.From), instant(&of.To))
		if err != nil {
			return err
		}
		f := &l.found(w).Fetched
		if f.Ranges == nil {
			f.Ranges = map[wallet.UsageRange][]*wallet.Usage{}
		}
		f.Ranges[of] = append(f.Ranges[of], u)
		return nil
	}, selectUsageRanges, &l.ranges.keys, l.ranges.events, l.ranges.from, l.ranges.to)
	s.over(partOther, func(r pgx.Rows) error {
		t, err := scanTally(r, &w)
		if err != nil {
			return err
		}
		f := &l.found(w).Fetched
		f.Tallies = append(f.Tallies, t)
		return nil
	}, selectTallies, &l.tallies.keys, l.tallies.meters, l.tallies.credits, l.tallies.from)
	s.over(partOther, func(r pgx.Rows) error {
		u := &wallet.Unique{}
		value := []byte{}
		if err := r.Scan(key(&w), &u.Meter, &u.Credit, instant(&u.From), &value, &u.Events); err != nil {
			return err
		}
		u.Value = [16]byte(value)
		f := &l.found(w).Fetched
		f.Uniques = append(f.Uniques, u)
		return nil
	}, selectUniques, &l.uniques.keys, l.uniques.meters, l.uniques.credits, l.uniques.values)
	s.over(partOther, l.addGrant, selectMeteredGrants, &l.metered.keys, l.metered.credits)
}

// want adds what one wallet's needs name.
func (l *look) want(w id.Wallet, needs wallet.Needs) {
	for _, seq := range distinct(needs.Entries) {
		l.entries.add(w)
		l.entries.seqs = append(l.entries.seqs, seq)
		l.entries.refs = append(l.entries.refs, id.Object(id.PrefixEntry, w, seq))
	}
	for _, n := range distinct(needs.Holds) {
		l.holds.add(w)
		l.holds.numbers = append(l.holds.numbers, n)
	}
	for _, n := range distinct(needs.Invoices) {
		l.invoices.add(w)
		l.invoices.numbers = append(l.invoices.numbers, n)
	}
	for _, n := range distinct(needs.Orders) {
		l.orders.add(w)
		l.orders.numbers = append(l.orders.numbers, n)
	}
	for _, n := range needs.Grants {
		l.grants.add(w)
		l.grants.numbers = append(l.grants.numbers, n)
	}
	for _, x := range needs.External {
		l.external.add(w)
		l.external.what = append(l.external.what, x.What)
		l.external.refs = append(l.external.refs, x.Ref)
	}
	l.wantUsage(w, &needs)
}

func (l *look) wantAnswers(w id.Wallet, wanted []string) {
	for _, k := range distinct(wanted) {
		l.answers.add(w)
		l.answers.texts = append(l.answers.texts, k)
	}
}

// distinct leaves out repetitions, which would repeat rows.
func distinct[T cmp.Ordered](values []T) []T {
	if len(values) < 2 {
		return values
	}
	return slices.Compact(slices.Sorted(slices.Values(values)))
}

// things queues what reads closed things. Grants by number come apart, because those of an
// entry's slices are known only once the entry is read: they are added to what is wanted.
func (s *script) things(l *look) {
	var w id.Wallet
	s.over(partOther, func(r pgx.Rows) error {
		var a store.StoredAnswer
		if err := r.Scan(key(&w), &a.Key, (*fixed)(&a.Request), &a.Answer, instant(&a.At)); err != nil {
			return err
		}
		f := l.found(w)
		f.Answers = append(f.Answers, a)
		return nil
	}, selectAnswers, &l.answers.keys, l.answers.texts)
	s.over(partOther, func(r pgx.Rows) error {
		h, err := scanHold(r, &w)
		if err != nil {
			return err
		}
		f := l.found(w)
		f.Fetched.Holds = append(f.Fetched.Holds, h)
		return nil
	}, selectHolds, &l.holds.keys, l.holds.numbers)
	s.over(partOther, func(r pgx.Rows) error {
		v, err := scanInvoice(r, &w)
		if err != nil {
			return err
		}
		f := &l.found(w).Fetched
		f.Invoices = append(f.Invoices, v)
		return nil
	}, selectInvoices, &l.invoices.keys, l.invoices.numbers)
	s.over(partOther, func(r pgx.Rows) error {
		o, err := scanOrder(r, &w)
		if err != nil {
			return err
		}
		f := &l.found(w).Fetched
		f.Orders = append(f.Orders, o)
		return nil
	}, selectOrders, &l.orders.keys, l.orders.numbers)
	s.usage(l)
	s.over(partOther, l.addGrant, selectExternal, &l.external.keys, l.external.what, l.external.refs)
	s.over(partOther, func(r pgx.Rows) error {
		p := &wallet.Past{}
		if err := scanEntry(r, &w, &p.Entry); err != nil {
			return err
		}
		f := l.found(w)
		f.Fetched.Past = append(f.Fetched.Past, p)
		for _, slice := range p.Entry.Slices {
			l.grants.add(w)
			l.grants.numbers = append(l.grants.numbers, slice.Grant)
		}
		return nil
	}, selectEntries, &l.entries.keys, l.entries.seqs)
	s.over(partOther, func(r pgx.Rows) error {
		var e wallet.Entry
		var of int64
		if err := scanEntry(r, &w, &e, &of); err != nil {
			return err
		}
		for _, p := range l.found(w).Fetched.Past {
			if p.Entry.Seq == of {
				p.Reversals = append(p.Reversals, e)
			}
		}
		return nil
	}, selectReversals, &l.entries.keys, l.entries.seqs, l.entries.refs)
}

// grants queues what reads grants by number.
func (s *script) grants(l *look) {
	s.over(partOther, l.addGrant, selectGrants, &l.grants.keys, l.grants.numbers)
}

// addGrant takes a grant that was found, unless it was found before: by another reference, or
// as one that another rolled into.
func (l *look) addGrant(r pgx.Rows) error {
	var w id.Wallet
	g, err := scanGrant(r, &w)
	if err != nil {
		return err
	}
	f := &l.found(w).Fetched
	at, known := slices.BinarySearchFunc(f.Grants, g.N, func(x *wallet.Grant, n int64) int { return cmp.Compare(x.N, n) })
	if !known {
		f.Grants = slices.Insert(f.Grants, at, g)
	}
	return nil
}
