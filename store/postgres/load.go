package postgres

import (
	"cmp"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/wallet"
)

// Statements that read wallets, any number at a time. Their parameters are arrays of keys.
const (
	selectStandings = `SELECT s.wallet, s.credit_id, s.overage, s.used
		FROM unnest($1::smallint[], $2::uuid[]) AS d (bucket, wallet)
		JOIN standings s ON s.bucket = d.bucket AND s.wallet = d.wallet ORDER BY s.wallet, s.credit_id`

	selectLanes = `SELECT l.wallet, l.n, l.credit_id, l.scope, l.inherited
		FROM unnest($1::smallint[], $2::uuid[]) AS d (bucket, wallet)
		JOIN lanes l ON l.bucket = d.bucket AND l.wallet = d.wallet ORDER BY l.wallet, l.n`

	// Open grants, and whatever they rolled into, however often.
	selectOpenGrants = `WITH RECURSIVE seen AS (
		SELECT g.bucket, g.wallet, g.n, g.rolled_into
		FROM unnest($1::smallint[], $2::uuid[]) AS d (bucket, wallet)
		JOIN grants g ON g.bucket = d.bucket AND g.wallet = d.wallet WHERE g.is_open` + followGrants

	// Grants by number or by external reference, and whatever they rolled into.
	selectGrants = `WITH RECURSIVE seen AS (
		(SELECT g.bucket, g.wallet, g.n, g.rolled_into
		FROM unnest($1::smallint[], $2::uuid[], $3::bigint[]) AS d (bucket, wallet, n)
		JOIN grants g ON g.bucket = d.bucket AND g.wallet = d.wallet AND g.n = d.n
		UNION
		SELECT g.bucket, g.wallet, g.n, g.rolled_into
		FROM unnest($4::smallint[], $5::uuid[], $6::text[], $7::text[]) AS d (bucket, wallet, what, ref)
		JOIN grants g ON g.bucket = d.bucket AND g.wallet = d.wallet AND g.external_ref = d.ref
			AND g.external_ref <> '' AND g.parent = 0
			AND (g.pack_id = d.what OR (g.pack_id = '' AND g.credit_id = d.what)))` + followGrants

	followGrants = `
		UNION
		SELECT g.bucket, g.wallet, g.n, g.rolled_into
		FROM seen s JOIN grants g ON g.bucket = s.bucket AND g.wallet = s.wallet AND g.n = s.rolled_into
		WHERE s.rolled_into <> 0)
	SELECT ` + grantColumns + ` FROM seen s
	JOIN grants g ON g.bucket = s.bucket AND g.wallet = s.wallet AND g.n = s.n
	JOIN lanes l ON l.bucket = g.bucket AND l.wallet = g.wallet AND l.n = g.lane
	ORDER BY g.wallet, g.n`

	selectPendingHolds = `SELECT ` + holdColumns + ` FROM unnest($1::smallint[], $2::uuid[]) AS d (bucket, wallet)
		JOIN holds h ON h.bucket = d.bucket AND h.wallet = d.wallet WHERE h.status = 'pending' ORDER BY h.wallet, h.n`

	selectHolds = `SELECT ` + holdColumns + ` FROM unnest($1::smallint[], $2::uuid[], $3::bigint[]) AS d (bucket, wallet, n)
		JOIN holds h ON h.bucket = d.bucket AND h.wallet = d.wallet AND h.n = d.n ORDER BY h.wallet, h.n`

	selectSubscriptions = `SELECT s.wallet, s.id, s.plan_id, s.started_at, s.ends_at
		FROM unnest($1::smallint[], $2::uuid[]) AS d (bucket, wallet)
		JOIN subscriptions s ON s.bucket = d.bucket AND s.wallet = d.wallet`

	selectAllowances = `SELECT a.wallet, a.id, a.label, a.unit, a.quota, a.rules, a.period, a.window_start, a.window_end, a.used
		FROM unnest($1::smallint[], $2::uuid[]) AS d (bucket, wallet)
		JOIN allowances a ON a.bucket = d.bucket AND a.wallet = d.wallet ORDER BY a.wallet, a.position`

	selectEntries = `SELECT ` + entryColumns + ` FROM unnest($1::smallint[], $2::uuid[], $3::bigint[]) AS d (bucket, wallet, seq)
		JOIN entries e ON e.bucket = d.bucket AND e.wallet = d.wallet AND e.seq = d.seq ORDER BY e.wallet, e.seq`

	// The refunds of an entry name it by its public id.
	selectReversals = `SELECT ` + entryColumns + `, d.seq
		FROM unnest($1::smallint[], $2::uuid[], $3::bigint[], $4::text[]) AS d (bucket, wallet, seq, ref_id)
		JOIN entries e ON e.bucket = d.bucket AND e.wallet = d.wallet AND e.ref_id = d.ref_id
			AND e.type = 'refund' AND e.ref_type = '` + wallet.RefEntry + `' ORDER BY e.wallet, e.seq`

	selectAnswers = `SELECT a.wallet, a.key, a.request, a.answer, a.created_at
		FROM unnest($1::smallint[], $2::uuid[], $3::text[]) AS d (bucket, wallet, key)
		JOIN answers a ON a.bucket = d.bucket AND a.wallet = d.wallet AND a.key = d.key ORDER BY a.wallet, a.key`
)

// keys are wallets as parameters, with one more array per thing that is wanted of them.
type keys struct {
	buckets []int16
	wallets []pgtype.UUID
}

func (k *keys) add(w id.Wallet) {
	k.buckets = append(k.buckets, int16(w.Bucket()))
	k.wallets = append(k.wallets, pgtype.UUID{Bytes: w, Valid: true})
}

// snapshots queues what reads wallets whole, given their headers, and fills them in.
func (s *script) snapshots(loaded map[id.Wallet]*wallet.Snapshot) {
	if len(loaded) == 0 {
		return
	}
	var k keys
	for w := range loaded {
		k.add(w)
	}
	var w id.Wallet
	s.add(partOther, func(r pgx.Rows) error {
		var st wallet.Standing
		err := r.Scan(key(&w), &st.Credit, &st.Overage, &st.Used)
		if err != nil {
			return err
		}
		loaded[w].Standings = append(loaded[w].Standings, st)
		return nil
	}, selectStandings, k.buckets, k.wallets)
	s.add(partOther, func(r pgx.Rows) error {
		l, err := scanLane(r, &w)
		if err != nil {
			return err
		}
		loaded[w].Lanes = append(loaded[w].Lanes, l)
		return nil
	}, selectLanes, k.buckets, k.wallets)
	s.add(partOther, func(r pgx.Rows) error {
		g, err := scanGrant(r, &w)
		if err != nil {
			return err
		}
		loaded[w].Grants = append(loaded[w].Grants, g)
		return nil
	}, selectOpenGrants, k.buckets, k.wallets)
	s.add(partOther, func(r pgx.Rows) error {
		h, err := scanHold(r, &w)
		if err != nil {
			return err
		}
		loaded[w].Holds = append(loaded[w].Holds, h)
		return nil
	}, selectPendingHolds, k.buckets, k.wallets)
	s.add(partOther, func(r pgx.Rows) error {
		var sub wallet.Subscription
		err := r.Scan(key(&w), &sub.ID, &sub.Plan, instant(&sub.StartedAt), instant(&sub.EndsAt))
		if err != nil {
			return err
		}
		loaded[w].Subscription = &sub
		return nil
	}, selectSubscriptions, k.buckets, k.wallets)
	s.add(partOther, func(r pgx.Rows) error {
		a, err := scanAllowance(r, &w)
		if err != nil {
			return err
		}
		sub := loaded[w].Subscription
		sub.Allowances = append(sub.Allowances, a)
		return nil
	}, selectAllowances, k.buckets, k.wallets)
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

// things queues what reads closed things. Grants come apart, because those of an entry's slices
// are known only once the entry is read: they are added to what is wanted of grants.
func (s *script) things(l *look) {
	var w id.Wallet
	if len(l.answers.buckets) > 0 {
		s.add(partOther, func(r pgx.Rows) error {
			var a store.StoredAnswer
			err := r.Scan(key(&w), &a.Key, (*fixed)(&a.Request), &a.Answer, instant(&a.At))
			if err != nil {
				return err
			}
			f := l.found(w)
			f.Answers = append(f.Answers, a)
			return nil
		}, selectAnswers, l.answers.buckets, l.answers.wallets, l.answers.texts)
	}
	if len(l.holds.buckets) > 0 {
		s.add(partOther, func(r pgx.Rows) error {
			h, err := scanHold(r, &w)
			if err != nil {
				return err
			}
			f := l.found(w)
			f.Fetched.Holds = append(f.Fetched.Holds, h)
			return nil
		}, selectHolds, l.holds.buckets, l.holds.wallets, l.holds.numbers)
	}
	if len(l.entries.buckets) > 0 {
		s.add(partOther, func(r pgx.Rows) error {
			p := &wallet.Past{}
			err := scanEntry(r, &w, &p.Entry)
			if err != nil {
				return err
			}
			f := l.found(w)
			f.Fetched.Past = append(f.Fetched.Past, p)
			for _, slice := range p.Entry.Slices {
				l.grants.add(w)
				l.grants.numbers = append(l.grants.numbers, slice.Grant)
			}
			return nil
		}, selectEntries, l.entries.buckets, l.entries.wallets, l.entries.seqs)
		s.add(partOther, func(r pgx.Rows) error {
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
		}, selectReversals, l.entries.buckets, l.entries.wallets, l.entries.seqs, l.entries.refs)
	}
}

// grants queues what reads the wanted grants, if any.
func (s *script) grants(l *look) {
	if len(l.grants.buckets)+len(l.external.buckets) == 0 {
		return
	}
	var w id.Wallet
	s.add(
		partOther, func(r pgx.Rows) error {
			g, err := scanGrant(r, &w)
			if err != nil {
				return err
			}
			f := l.found(w)
			f.Fetched.Grants = append(f.Fetched.Grants, g)
			return nil
		}, selectGrants, l.grants.buckets, l.grants.wallets, l.grants.numbers,
		l.external.buckets, l.external.wallets, l.external.what, l.external.refs,
	)
}
