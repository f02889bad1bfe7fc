package postgres

import (
	"bytes"
	"context"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/wallet"
)

const opTransact = "postgres.Transact"

// Statements that head a transaction.
const (
	begin = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"

	// The transaction's own number tells later whether it took effect, should its answer be
	// lost. The settings hold for this transaction only, so that they pass through a pooler.
	//
	// Every statement here looks rows up by key, and one plan serves it for ever. Left alone,
	// the planner makes a new one for each small batch, which takes longer than the batch; and
	// one that it makes while the tables are still empty reads them whole, and stays in use
	// while they grow. What is acknowledged must be durable, hence synchronous_commit. And a
	// process that stands still with locks in hand must not hold up all others for ever, hence
	// the limit on idleness: deciding takes milliseconds.
	//
	// Where the tables are distributed the nodes plan for themselves, and the coordinator must
	// see the bucket each time.
	prepare = `SELECT pg_current_xact_id()::text,
		CASE WHEN NOT $1::boolean THEN set_config('plan_cache_mode', 'force_generic_plan', true) END,
		CASE WHEN NOT $1::boolean THEN set_config('enable_seqscan', 'off', true) END,
		CASE WHEN NOT $1::boolean THEN set_config('enable_hashjoin', 'off', true) END,
		CASE WHEN NOT $1::boolean THEN set_config('enable_mergejoin', 'off', true) END,
		CASE current_setting('synchronous_commit') WHEN 'off' THEN set_config('synchronous_commit', 'on', true) END,
		set_config('idle_in_transaction_session_timeout', '60s', true)`

	selectVersions = `SELECT id, version FROM apps WHERE id = ANY($1::text[])`
)

// Everyone locks in the order of the ids, of which the bucket is the head.
var lockWallets = over(`SELECT ` + headerColumns + ` FROM unnest($1::smallint[], $2::uuid[]) AS d (bucket, wallet)
	JOIN wallets w ON w.bucket = {d.bucket} AND w.wallet = d.wallet ORDER BY w.bucket, w.wallet FOR UPDATE OF w`)

// transaction is one call of Transact under way.
type transaction struct {
	store   *Store
	conn    *pgxpool.Conn
	want    *store.Want
	found   *store.Found
	number  string // as the database counts transactions
	headers map[id.Wallet]*wallet.Header
	ended   bool

	distributed bool // the tables are
}

// Transact runs one transaction over the wanted wallets in two round trips: what is wanted is
// locked and read in one, what decide returns is written and committed in the other. A third lies
// between them when definitions or wallets have to be loaded.
func (s *Store) Transact(ctx context.Context, want *store.Want, decide func(*store.Found) (*store.Changes, error)) error {
	return s.transact(ctx, want, func(t *transaction) error {
		if err := t.look(ctx); err != nil {
			return t.misplaced(ctx, err)
		}
		changes, err := decide(t.found)
		if err != nil || changes == nil || len(changes.Wallets) == 0 {
			return err
		}
		return t.write(ctx, changes)
	})
}

// Write proves, writes and commits in one round trip, see ahead; where the tables are distributed,
// which takes one node's word for nothing, in two.
func (s *Store) Write(ctx context.Context, want *store.Want, changes *store.Changes) error {
	if changes == nil {
		changes = &store.Changes{}
	}
	return s.transact(ctx, want, func(t *transaction) error {
		if !t.distributed {
			err := t.ahead(ctx, changes)
			if err != nil {
				s.layout.Store(int32(unknown))
			}
			return err
		}
		if err := t.look(ctx); err != nil {
			return t.misplaced(ctx, err)
		}
		if !t.asKnown() {
			return store.Stale(fault.New(opTransact, fault.CodeInvariantViolated, "what was known has changed; nothing was written"))
		}
		if len(changes.Wallets) == 0 {
			return nil
		}
		return t.write(ctx, changes)
	})
}

// transact gives a transaction its connection, and takes it back.
func (s *Store) transact(ctx context.Context, want *store.Want, work func(*transaction) error) error {
	if err := s.enter(opTransact); err != nil {
		return err
	}
	defer s.leave()
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return fail(ctx, opTransact, err)
	}
	t := &transaction{store: s, conn: conn, want: want}
	defer t.end(ctx)
	if t.distributed, err = s.distributed(ctx, conn.Conn()); err != nil {
		return t.misplaced(ctx, err)
	}
	return work(t)
}

// misplaced says what an error is that came before anything was decided. The tables may have been
// distributed since they were last looked at, which makes statements fail that were right before.
func (t *transaction) misplaced(ctx context.Context, err error) error {
	t.store.layout.Store(int32(unknown))
	return fail(ctx, opTransact, err)
}

// end gives the connection back, and undoes the transaction if it was not committed.
func (t *transaction) end(ctx context.Context) {
	if t.conn == nil {
		return
	}
	if !t.ended && !t.conn.Conn().IsClosed() {
		// The locks must go even when the caller has gone. If this fails the connection is
		// closed, and the server rolls back by itself.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), t.store.opts.CommitLimit)
		defer cancel()
		_, _ = t.conn.Exec(ctx, "ROLLBACK")
	}
	t.store.release(t.conn)
	t.conn = nil
}

// look locks and reads everything that is wanted.
func (t *transaction) look(ctx context.Context) error {
	t.found = &store.Found{Wallets: make([]store.FoundWallet, len(t.want.Wallets))}
	t.headers = make(map[id.Wallet]*wallet.Header, len(t.want.Wallets))
	first := script{distributed: t.distributed}
	first.exec(begin)
	first.forgetPlans(t.conn.Conn())
	first.add(partOther, func(r pgx.Rows) error { return r.Scan(&t.number, nil, nil, nil, nil, nil, nil) }, prepare, t.distributed)
	t.lock(&first)
	stale := t.versions(&first)
	l := &look{found: t.of}
	for i := range t.want.Wallets {
		w := &t.want.Wallets[i]
		l.want(w.ID, w.Needs)
		l.want(w.ID, wallet.Needs{Usages: w.Fresh})
		l.wantAnswers(w.ID, w.Answers)
	}
	first.things(l)
	early := len(l.entries.buckets) == 0
	if early {
		first.grants(l)
	}
	if err := first.run(ctx, t.conn.Conn()); err != nil {
		return err
	}
	return t.load(ctx, *stale, l, early)
}

// load reads what the first round trip has shown to be missing.
func (t *transaction) load(ctx context.Context, stale []string, l *look, early bool) error {
	second := script{distributed: t.distributed}
	loaded := t.loaded()
	second.snapshots(loaded)
	if !early {
		second.grants(l)
	}
	defs := second.definitions(stale, true)
	if len(second.steps) == 0 {
		return nil
	}
	if err := second.run(ctx, t.conn.Conn()); err != nil {
		return err
	}
	t.found.Definitions = inOrder(defs, t.want.Apps)
	return nil
}

// inOrder lists definitions in the order in which they were wanted.
func inOrder(defs map[string]*catalog.Definitions, apps []store.WantApp) []*catalog.Definitions {
	var list []*catalog.Definitions
	for _, a := range apps {
		if d := defs[a.App]; d != nil {
			list = append(list, d)
		}
	}
	return list
}

// lock queues the statement that locks and reads the wallets' own rows.
func (t *transaction) lock(s *script) {
	var k keys
	for i := range t.want.Wallets {
		k.add(t.want.Wallets[i].ID)
	}
	s.over(partOther, func(r pgx.Rows) error {
		h := &wallet.Header{}
		if err := scanHeader(r, h); err != nil {
			return err
		}
		t.headers[h.ID] = h
		t.of(h.ID).Exists = true
		return nil
	}, lockWallets, &k)
}

// versions queues the statement that compares definitions; the list it returns is filled when
// the script has run.
func (t *transaction) versions(s *script) *[]string {
	stale := &[]string{}
	if len(t.want.Apps) == 0 {
		return stale
	}
	known := make(map[string]int64, len(t.want.Apps))
	ids := make([]string, 0, len(t.want.Apps))
	for _, a := range t.want.Apps {
		known[a.App] = a.Version
		ids = append(ids, a.App)
	}
	s.add(partOther, func(r pgx.Rows) error {
		var app string
		var version int64
		if err := r.Scan(&app, &version); err != nil {
			return err
		}
		if known[app] != version {
			*stale = append(*stale, app)
		}
		return nil
	}, selectVersions, ids)
	return stale
}

// loaded makes a snapshot, with nothing but the header yet, for each wallet that the caller
// does not know in its present version.
func (t *transaction) loaded() map[id.Wallet]*wallet.Snapshot {
	loaded := make(map[id.Wallet]*wallet.Snapshot)
	for i := range t.want.Wallets {
		w := &t.want.Wallets[i]
		h := t.headers[w.ID]
		if h == nil || (h.Version == w.Version && w.Version != 0) {
			continue
		}
		sn := &wallet.Snapshot{Header: *h}
		loaded[w.ID], t.found.Wallets[i].Snapshot = sn, sn
	}
	return loaded
}

// of finds what belongs to a wanted wallet.
func (t *transaction) of(w id.Wallet) *store.FoundWallet {
	i, _ := slices.BinarySearchFunc(t.want.Wallets, w, func(x store.WantWallet, y id.Wallet) int {
		return compareIDs(x.ID, y)
	})
	return &t.found.Wallets[i]
}

// write writes and commits in one round trip. The server stops at the first statement that
// fails, and each fails that did not change what it should; COMMIT comes last.
func (t *transaction) write(ctx context.Context, changes *store.Changes) error {
	if err := ctx.Err(); err != nil {
		return fail(ctx, opTransact, err)
	}
	s := script{distributed: t.distributed}
	if err := s.changes(changes); err != nil {
		return err
	}
	return t.commit(ctx, &s, changes)
}

// commit runs what writes, and COMMIT behind it.
func (t *transaction) commit(ctx context.Context, s *script, changes *store.Changes) error {
	s.exec("COMMIT")
	// From here on the caller's context must not cut the connection: whether the commit
	// took effect would be unknown for no good reason.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), t.store.opts.CommitLimit)
	defer cancel()
	err := s.run(ctx, t.conn.Conn())
	if err == nil {
		t.ended = true
		return nil
	}
	if certain(t.conn.Conn(), err) {
		return fail(ctx, opTransact, err)
	}
	l := &lost{number: t.number, witness: witnessOf(changes), cause: err}
	t.end(ctx)
	return t.store.outcome(ctx, l)
}

// compareIDs puts wallets into the order in which every transaction locks them.
func compareIDs(x, y id.Wallet) int { return bytes.Compare(x[:], y[:]) }
