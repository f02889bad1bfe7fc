package postgres

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/seed42445051/scrip/store"
)

// Statements that prove what was decided on before the database was asked. Each divides by zero
// where it was not so, and the server then skips what follows, COMMIT included.
var (
	proveVersions = `SELECT 1 / (count(*) = cardinality($1::text[]))::int
		FROM unnest($1::text[], $2::bigint[]) AS d (id, version) JOIN apps a ON a.id = d.id AND a.version = d.version`

	// It locks as lockWallets does. A row that somebody else changes meanwhile is waited for, and
	// compared as it is then.
	proveWallets = over(`SELECT 1 / (count(*) = cardinality($2::uuid[]))::int FROM (SELECT w.version
		FROM unnest($1::smallint[], $2::uuid[], $3::bigint[]) AS d (bucket, wallet, version)
		JOIN wallets w ON w.bucket = {d.bucket} AND w.wallet = d.wallet WHERE w.version = d.version
		ORDER BY w.bucket, w.wallet FOR UPDATE OF w) AS locked`)

	proveNoAnswers = over(`SELECT 1 / (count(*) = 0)::int FROM unnest($1::smallint[], $2::uuid[], $3::text[]) AS d (bucket, wallet, key)
		JOIN answers a ON a.bucket = {d.bucket} AND a.wallet = d.wallet AND a.key = d.key`)
)

// known reports whether a transaction wants nothing that its caller does not have.
func known(want *store.Want) bool {
	return !slices.ContainsFunc(want.Apps, func(a store.WantApp) bool { return a.Version == 0 }) &&
		!slices.ContainsFunc(want.Wallets, func(w store.WantWallet) bool { return w.Version == 0 || !w.Needs.Empty() })
}

// ahead decides on what the caller knows, and then proves and writes in one round trip. An
// idempotency key is taken to be new: where it has an answer, that is out of date as well.
func (t *transaction) ahead(ctx context.Context, decide func(*store.Found) (*store.Changes, error)) error {
	t.found = &store.Found{Wallets: make([]store.FoundWallet, len(t.want.Wallets))}
	for i := range t.found.Wallets {
		t.found.Wallets[i].Exists = true
	}
	changes, err := decide(t.found)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return fail(ctx, opTransact, err)
	}
	s := script{}
	s.exec(begin)
	s.forgetPlans(t.conn.Conn())
	s.add(partOther, func(r pgx.Rows) error { return r.Scan(&t.number, nil, nil, nil, nil, nil, nil) }, prepare, false)
	t.prove(&s)
	if changes == nil || len(changes.Wallets) == 0 {
		s.exec("ROLLBACK")
		err := s.run(ctx, t.conn.Conn())
		t.ended = err == nil
		return fail(ctx, opTransact, err)
	}
	if witnessOf(changes).sql == "" {
		// Should its answer be lost, only the transaction's number could tell what became of it.
		if err := s.run(ctx, t.conn.Conn()); err != nil {
			return fail(ctx, opTransact, err)
		}
		s = script{}
	}
	if err := s.changes(changes); err != nil {
		return err
	}
	return t.commit(ctx, &s, changes)
}

// prove queues what compares the database with what was known.
func (t *transaction) prove(s *script) {
	apps, versions := make([]string, len(t.want.Apps)), make([]int64, len(t.want.Apps))
	for i, a := range t.want.Apps {
		apps[i], versions[i] = a.App, a.Version
	}
	if len(apps) > 0 {
		s.add(partKnown, nil, proveVersions, apps, versions)
	}
	var wallets, answers keys
	at := make([]int64, len(t.want.Wallets))
	var asked []string
	for i := range t.want.Wallets {
		w := &t.want.Wallets[i]
		wallets.add(w.ID)
		at[i] = w.Version
		for _, key := range w.Answers {
			answers.add(w.ID)
			asked = append(asked, key)
		}
	}
	s.over(partKnown, nil, proveWallets, &wallets, at)
	s.over(partKnown, nil, proveNoAnswers, &answers, asked)
}
