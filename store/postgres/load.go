package postgres

import (
	"cmp"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/wallet"
)

// Statements that read wallets, any number at a time.
var (
	selectStandings = over(`SELECT s.wallet, s.credit_id, s.overage, s.used
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

	selectPendingHolds = over(`SELECT ` + holdColumns + ` FROM unnest($1::smallint[], $2::uuid[]) AS d (bucket, wallet)
		JOIN holds h ON h.bucket = {d.bucket} AND h.wallet = d.wallet WHERE h.status = 'pending' ORDER BY h.wallet, h.n`)

	selectHolds = over(`SELECT ` + holdColumns + ` FROM unnest($1::smallint[], $2::uuid[], $3::bigint[]) AS d (bucket, wallet, n)
		JOIN holds h ON h.bucket = {d.bucket} AND h.wallet = d.wallet AND h.n = d.n ORDER BY h.wallet, h.n`)

	selectSubscriptions = over(`SELECT s.wallet, s.id, s.plan_id, s.started_at, s.ends_at
		FROM unnest($1::smallint[], $2::uuid[]) AS d (bucket, wallet)
		JOIN subscriptions s ON s.bucket = {d.bucket} AND s.wallet = d.wallet`)

	selectAllowances = over(`SELECT a.wallet, a.id, a.label, a.unit, a.quota, a.rules, a.period, a.window_start, a.window_end, a.used
		FROM unnest($1::smallint[], $2::uuid[]) AS d (bucket, wallet)
		JOIN allowances a ON a.bucket = {d.bucket} AND a.wallet = d.wallet ORDER BY a.wallet, a.position`)

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
		err := r.Scan(key(&w), &st.Credit, &st.Overage, &st.Used)
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
		var sub wallet.Subscription
		err := r.Scan(key(&w), &sub.ID, &sub.Plan, instant(&sub.StartedAt), instant(&sub.EndsAt))
		if err != nil {
			return err
		}
		loaded[w].Subscription = &sub
		return nil
	}, selectSubscriptions, &k)
	s.over(partOther, func(r pgx.Rows) error {
		a, err := scanAllowance(r, &w)
		if err != nil {
			return err
		}
		sub := loaded[w].Subscription
		sub.Allowances = append(sub.Allowances, a)
		return nil
	}, selectAllowances, &k)
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
	external struct {
		keys
		what, refs []string
	}
	answers struct {
		keys
		texts []string
	}
	found func(id.Wallet) *store.FoundWallet
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
	for _, n := range needs.Grants {
		l.grants.add(w)
		l.grants.numbers = append(l.grants.numbers, n)
	}
	for _, x := range needs.External {
		l.external.add(w)
		l.external.what = append(l.external.what, x.What)
		l.external.refs = append(l.external.refs, x.Ref)
	}
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
