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

	// OFFSET 0 keeps the planner to one look by id for each event, however it takes the tables to be.
	proveNoUsages = byID(over(`SELECT 1 / (count(*) = 0)::int FROM unnest($1::smallint[], $2::uuid[], $3::text[]) AS d (bucket, wallet, id)
		JOIN LATERAL (SELECT 1 FROM usages a WHERE a.id = d.id AND a.bucket = {d.bucket} AND a.wallet = d.wallet OFFSET 0) u ON true`))
)

// ahead proves that what the caller knows is so, and writes, in one round trip.
func (t *transaction) ahead(ctx context.Context, changes *store.Changes) error {
	if err := ctx.Err(); err != nil {
		return fail(ctx, opTransact, err)
	}
	s := script{}
	s.exec(begin)
	s.forgetPlans(t.conn.Conn())
	s.add(partOther, func(r pgx.Rows) error { return r.Scan(&t.number, nil, nil, nil, nil, nil, nil) }, prepare, false)
	t.prove(&s)
	if len(changes.Wallets) == 0 {
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
	var wallets, answers, usages keys
	at := make([]int64, len(t.want.Wallets))
	var asked, fresh []string
	for i := range t.want.Wallets {
		w := &t.want.Wallets[i]
		wallets.add(w.ID)
		at[i] = w.Version
		for _, key := range w.Answers {
			answers.add(w.ID)
			asked = append(asked, key)
		}
		for _, event := range w.Fresh {
			usages.add(w.ID)
			fresh = append(fresh, event)
		}
	}
	s.over(partKnown, nil, proveWallets, &wallets, at)
	s.over(partKnown, nil, proveNoAnswers, &answers, asked)
	s.over(partKnown, nil, proveNoUsages, &usages, fresh)
}

// asKnown compares what was looked at with what was known.
func (t *transaction) asKnown() bool {
	return len(t.found.Definitions) == 0 && !slices.ContainsFunc(t.found.Wallets, func(f store.FoundWallet) bool {
		return !f.Exists || f.Snapshot != nil || len(f.Answers) > 0 || len(f.Fetched.Usages) > 0
	})
}
