package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"modernc.org/sqlite"

	"github.com/seed42445051/scrip/fault"
)

// session is one connection with its prepared statements, for one goroutine at a time.
//
// It uses the driver without database/sql between: a batch runs hundreds of small statements on
// one connection, and the pool's bookkeeping for each would cost as much as the statement.
type session struct {
	dsn    string
	conn   driver.Conn
	stmts  [statements]prepared
	args   []driver.NamedValue
	values row
	others int64 // SQLite's count of the commits of others, as it was last seen; 0: not yet
	mark   int64 // rises when others have committed: see store.FoundWallet
	broken bool  // a transaction may still be open, so the connection must be replaced
}

// prepared is a statement as the driver gives it out.
type prepared interface {
	driver.StmtExecContext
	driver.StmtQueryContext
	Close() error
}

func newSession(ctx context.Context, dsn string) (*session, error) {
	c := &session{dsn: dsn}
	return c, c.connect(ctx)
}

func (c *session) connect(ctx context.Context) error {
	connector, err := sqlite.NewConnector(c.dsn)
	if err != nil {
		return err
	}
	c.conn, err = connector.Connect(ctx)
	return err
}

// revive replaces a connection that was left in doubt.
func (c *session) revive(ctx context.Context) error {
	if !c.broken {
		return nil
	}
	if c.conn != nil {
		// What the old connection says on leaving changes nothing: its file is sound, and
		// whatever it left open is rolled back.
		_ = c.close()
	}
	if err := c.connect(ctx); err != nil {
		return err
	}
	c.broken, c.others = false, 0 // the new connection counts for itself
	return nil
}

func (c *session) close() error {
	var errs []error
	for i, st := range c.stmts {
		if st != nil {
			errs = append(errs, st.Close())
			c.stmts[i] = nil
		}
	}
	errs = append(errs, c.conn.Close())
	c.conn = nil
	return errors.Join(errs...)
}

// look raises the mark when another connection has committed since the last transaction. It is
// asked within a transaction, so that nobody commits meanwhile.
func (c *session) look(ctx context.Context) error {
	return c.query(ctx, dataVersion, func(r row) error {
		if others := r.int(0); others != c.others {
			c.others = others
			c.mark++
		}
		return nil
	})
}

// rollback ends a transaction without effect.
func (c *session) rollback() {
	if _, err := c.exec(context.Background(), rollback); err != nil {
		// SQLite may have rolled back by itself, or could not; the driver does not tell which.
		c.broken = true
	}
}

func (c *session) prepare(ctx context.Context, s statement) (prepared, error) {
	if st := c.stmts[s]; st != nil {
		return st, nil
	}
	st, err := c.conn.(driver.ConnPrepareContext).PrepareContext(ctx, text[s])
	if err != nil {
		return nil, err
	}
	c.stmts[s] = st.(prepared)
	return c.stmts[s], nil
}

// bind puts arguments into the form that the driver takes. Text must be text, as it must be in
// every other store.
func (c *session) bind(args []any) ([]driver.NamedValue, error) {
	c.args = c.args[:0]
	for i, arg := range args {
		if s, ok := arg.(string); ok && (!utf8.ValidString(s) || strings.IndexByte(s, 0) >= 0) {
			return nil, fault.New("sqlite.bind", fault.CodeInvalidRequest, "text must be valid Unicode without the character U+0000")
		}
		c.args = append(c.args, driver.NamedValue{Ordinal: i + 1, Value: arg})
	}
	return c.args, nil
}

// exec runs a statement and returns how many rows it changed.
func (c *session) exec(ctx context.Context, s statement, args ...any) (int64, error) {
	st, err := c.prepare(ctx, s)
	if err != nil {
		return 0, err
	}
	named, err := c.bind(args)
	if err != nil {
		return 0, err
	}
	result, err := st.ExecContext(ctx, named)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// query runs a statement and hands over its rows one by one. What each gets is valid during the
// call only, and no other statement may run meanwhile.
func (c *session) query(ctx context.Context, s statement, each func(row) error, args ...any) (err error) {
	st, err := c.prepare(ctx, s)
	if err != nil {
		return err
	}
	named, err := c.bind(args)
	if err != nil {
		return err
	}
	rows, err := st.QueryContext(ctx, named)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	n := len(rows.Columns())
	for len(c.values) < n {
		c.values = append(c.values, nil)
	}
	values := c.values[:n]
	for {
		switch err := rows.Next(values); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		if err := each(values); err != nil {
			return err
		}
	}
}

// row is the columns of one row. STRICT tables keep every column in the type it was declared
// with, so a column of another type is a mistake in a query.
type row []driver.Value

func (r row) int(i int) int64 { return r[i].(int64) }

func (r row) text(i int) string { return r[i].(string) }

// blob is a copy that the caller may keep; nil when it is empty.
func (r row) blob(i int) []byte { return r[i].([]byte) }
