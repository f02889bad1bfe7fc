// Package postgres keeps Scrip's rows in PostgreSQL, and unchanged in Citus: it implements the
// interface of package store with statements that carry whole batches. A transaction over any
// number of wallets is two round trips when the caller's caches are current.
//
// It owns the schema, the statements, the locks, and what becomes of a commit whose answer was
// lost. It decides nothing about credits (package wallet does), nothing about what is written
// together or tried again (package engine does), and it asks the database for no time.
package postgres

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/store"
)

// Options configure a store. The zero value of each field takes the default.
type Options struct {
	// Waiter is how the store waits between two questions about a commit whose answer was
	// lost. The default is the machine's clock.
	Waiter clock.Waiter
	// CommitLimit bounds how long a commit may take once it was sent; after it the connection
	// counts as lost. The default is DefaultCommitLimit.
	CommitLimit time.Duration
}

// DefaultCommitLimit is how long a commit may take, unless Options say otherwise.
const DefaultCommitLimit = 30 * time.Second

// Store is a database of PostgreSQL. It is safe for concurrent use. Make it with Open.
type Store struct {
	pool   *pgxpool.Pool
	opts   Options
	layout atomic.Int32 // how the tables lie; see layout

	mu     sync.Mutex
	closed bool
	calls  sync.WaitGroup // calls under way
}

var _ store.Store = (*Store)(nil)

// Open prepares a store for a postgres:// URL, or a connection string of keywords and values.
// It connects when it is first used. All of pgx's parameters may stand in the URL, among them
// pool_max_conns, and default_query_exec_mode for poolers that keep no prepared statements
// (exec or simple_protocol). The error's code is invalid_config.
func Open(ctx context.Context, url string, opts Options) (*Store, error) {
	const op = "postgres.Open"
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fault.New(op, fault.CodeInvalidConfig, "the address of the database is not understood: use postgres://user:password@host:5432/database").Because(err)
	}
	// A ping before each use of an idle connection would be a round trip more. A dead
	// connection shows at the first statement, before anything was written.
	config.ShouldPing = func(context.Context, pgxpool.ShouldPingParams) bool { return false }
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fault.New(op, fault.CodeInvalidConfig, "the address of the database cannot be used").Because(err)
	}
	if opts.Waiter == nil {
		opts.Waiter = clock.System{}
	}
	if opts.CommitLimit <= 0 {
		opts.CommitLimit = DefaultCommitLimit
	}
	return &Store{pool: pool, opts: opts}, nil
}

// Close lets calls under way finish and closes every connection. Closing again does nothing.
func (s *Store) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.calls.Wait()
	s.pool.Close()
	return nil
}

// enter begins a call; leave ends it.
func (s *Store) enter(op string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errClosed(op)
	}
	s.calls.Add(1)
	return nil
}

func (s *Store) leave() { s.calls.Done() }

// Ping reports whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	const op = "postgres.Ping"
	var one script
	one.exec("SELECT 1")
	return s.read(ctx, op, &one)
}

// read runs a script that changes nothing, once more when the first connection turns out dead.
func (s *Store) read(ctx context.Context, op string, work *script) error {
	if err := s.enter(op); err != nil {
		return err
	}
	defer s.leave()
	broken := false
	try := func(conn *pgx.Conn) error {
		err := work.run(ctx, conn)
		broken = conn.IsClosed()
		return err
	}
	err := s.with(ctx, try)
	if err != nil && broken && work.seen == 0 && ctx.Err() == nil {
		err = s.with(ctx, try)
	}
	return fail(ctx, op, err)
}

// query is a statement that reads a list; op names the call it is for in errors.
type query struct {
	op, sql string
	args    []any
}

// readAll runs a query, and reads each row with scan.
func readAll[T any](ctx context.Context, s *Store, q query, scan func(pgx.Rows) (T, error)) ([]T, error) {
	var rows []T
	var work script
	work.add(partOther, func(r pgx.Rows) error {
		one, err := scan(r)
		rows = append(rows, one)
		return err
	}, q.sql, q.args...)
	if err := s.read(ctx, q.op, &work); err != nil {
		return nil, err
	}
	return rows, nil
}

// with runs a function on a connection of the pool. When the function leaves the connection
// broken, those that lie idle are most likely dead as well and are dropped.
func (s *Store) with(ctx context.Context, do func(*pgx.Conn) error) error {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer s.release(conn)
	return do(conn.Conn())
}

// release gives a connection back.
func (s *Store) release(conn *pgxpool.Conn) {
	if conn.Conn().IsClosed() {
		s.pool.Reset()
	}
	conn.Release()
}
