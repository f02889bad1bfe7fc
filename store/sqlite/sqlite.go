// Package sqlite keeps everything that Scrip knows in one SQLite file: one connection that
// writes, and a few that read beside it without waiting (write-ahead log).
//
// It owns the SQL, the schema's migrations, and what SQLite's result codes mean to callers. It
// decides nothing: when to write, and what, is the business of the engine and of package
// wallet. Other processes may write the same file; the transaction that relies on what was read
// checks it.
package sqlite

import (
	"context"
	"errors"
	"runtime"
	"sync"

	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/store"
)

// Store is a store.Store over one file. Make it with Open.
type Store struct {
	file    file
	writer  *pool // of one
	readers *pool
	closing sync.Once
	closed  chan struct{} // closed when Close begins
}

var _ store.Store = (*Store)(nil)

// mostReaders bounds the connections that read: more than the cores would only compete.
const mostReaders = 8

// Open opens the file, and makes it where there is none. It does not migrate, but refuses a
// schema that is newer than this program (newer_schema).
//
// The path may end in ?sync=normal or ?sync=off, for tests and benchmarks only: the default,
// full, is what makes an acknowledged change survive a power failure.
func Open(ctx context.Context, path string) (*Store, error) {
	const op = "sqlite.Open"
	f, err := parsePath(path)
	if err != nil {
		return nil, err
	}
	readers := min(max(2, runtime.GOMAXPROCS(0)), mostReaders)
	s := &Store{file: f, writer: newPool(1), readers: newPool(readers), closed: make(chan struct{})}
	// The writer comes first: it makes the file, which the readers cannot.
	err = s.writer.fill(ctx, f.forWriting())
	if err == nil {
		err = s.readers.fill(ctx, f.forReading())
	}
	if err == nil {
		err = s.checkVersion(ctx)
	}
	if err != nil {
		return nil, errors.Join(failed(ctx, op, err), s.Close())
	}
	return s, nil
}

// Ping reports whether the store answers.
func (s *Store) Ping(ctx context.Context) error {
	return s.read(ctx, "sqlite.Ping", func(c *session) error {
		return c.query(ctx, ping, func(row) error { return nil })
	})
}

// Close waits for the calls under way and closes the file. Closing again does nothing.
func (s *Store) Close() error {
	var err error
	s.closing.Do(func() {
		close(s.closed)
		// The writer goes last: whoever leaves last folds the log into the file, which the
		// readers may not.
		err = errors.Join(s.readers.drain(), s.writer.drain())
	})
	if err != nil {
		return fault.New("sqlite.Close", fault.CodeStoreUnavailable, "the database file did not close in order").Because(err)
	}
	return nil
}

// pool is connections that wait to be used.
type pool struct {
	idle chan *session
	size int // how many there are, in use or not
}

func newPool(most int) *pool { return &pool{idle: make(chan *session, most)} }

func (p *pool) fill(ctx context.Context, dsn string) error {
	for range cap(p.idle) {
		c, err := newSession(ctx, dsn)
		if err != nil {
			return err
		}
		p.idle <- c
		p.size++
	}
	return nil
}

func (p *pool) drain() error {
	var errs []error
	for range p.size {
		errs = append(errs, (<-p.idle).close())
	}
	return errors.Join(errs...)
}

// take waits for a connection, which the caller must put back.
func (s *Store) take(ctx context.Context, op string, p *pool) (*session, error) {
	shut := fault.New(op, fault.CodeStoreUnavailable, "the store was closed")
	if err := ctx.Err(); err != nil {
		return nil, failed(ctx, op, err)
	}
	select {
	case <-s.closed:
		return nil, shut
	default:
	}
	select {
	case <-s.closed:
		return nil, shut
	case <-ctx.Done():
		return nil, failed(ctx, op, ctx.Err())
	case c := <-p.idle:
		if err := c.revive(ctx); err != nil {
			p.idle <- c
			return nil, failed(ctx, op, err)
		}
		return c, nil
	}
}

// read runs a single query; several that must see the same state need view.
func (s *Store) read(ctx context.Context, op string, work func(c *session) error) error {
	c, err := s.take(ctx, op, s.readers)
	if err != nil {
		return err
	}
	defer func() { s.readers.idle <- c }()
	return failed(ctx, op, work(c))
}

// query is a statement that reads a list; op names the call it is for in errors.
type query struct {
	op   string
	st   statement
	args []any
}

// readAll runs a query, and reads each row with scan.
func readAll[T any](ctx context.Context, s *Store, q query, scan func(row) (T, error)) ([]T, error) {
	var rows []T
	err := s.read(ctx, q.op, func(c *session) error {
		return c.query(ctx, q.st, func(r row) error {
			one, err := scan(r)
			rows = append(rows, one)
			return err
		}, q.args...)
	})
	return rows, err
}

// view runs queries that all see the same committed state.
func (s *Store) view(ctx context.Context, op string, work func(c *session) error) error {
	return s.read(ctx, op, func(c *session) error {
		if _, err := c.exec(ctx, begin); err != nil {
			return err
		}
		defer c.rollback()
		return work(c)
	})
}

// change runs a transaction that may write. It takes the file's write lock first, so that what
// the transaction reads stays true until it commits. From there on ctx no longer counts: the
// work is short, and a commit that has begun must not be left half known.
func (s *Store) change(ctx context.Context, op string, work func(c *session) error) error {
	c, err := s.take(ctx, op, s.writer)
	if err != nil {
		return err
	}
	defer func() { s.writer.idle <- c }()
	unbound := context.WithoutCancel(ctx)
	if _, err := c.exec(unbound, beginImmediate); err != nil {
		return failed(ctx, op, err)
	}
	committed := false
	defer func() {
		if !committed { // also when the work panics
			c.rollback()
		}
	}()
	if err := work(c); err != nil {
		return failed(unbound, op, err)
	}
	if _, err := c.exec(unbound, commit); err != nil {
		return failed(unbound, op, err)
	}
	committed = true
	return nil
}
