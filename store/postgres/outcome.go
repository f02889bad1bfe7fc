package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/wallet"
)

// How long to wait between two questions about a lost commit, at first and at most, and for an
// answer.
const (
	firstPause = 10 * time.Millisecond
	lastPause  = time.Second
	askLimit   = 5 * time.Second
)

// certain reports whether an error of the last round trip means that nothing was committed. A
// connection that is still in order tells; one that broke does not, and neither does the fatal
// error of a server that goes away, which may come after the commit has taken effect.
// pgconn.SafeToRetry must have no say here: with pgx 5.12 it is true of a connection that broke
// while the results of a batch were read, long after COMMIT was sent.
func certain(conn *pgx.Conn, err error) bool {
	if conn.IsClosed() {
		return false
	}
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return (ok && pg.SeverityUnlocalized == "ERROR") || conn.PgConn().TxStatus() != 'I'
}

// lost is a commit whose answer was lost.
type lost struct {
	number  string // of the transaction, as the database counts them; empty where it did not tell
	witness witness
	cause   error
}

// witness is a row that is there, with just this content, only if the transaction was committed.
//
// The transaction's number alone does not prove it. A server that crashes forgets the numbers
// that it gave to transactions of which nothing had reached the disk, and after its recovery
// gives them again: the commit of a stranger would then pass for ours.
type witness struct {
	change *store.WalletChange
	sql    string // selects one row if the row is there
	args   []any
}

// outcome finds out whether a transaction was committed whose answer was lost: nil when it was,
// ErrRetry when it was not, and store_unavailable when the database could not tell in time.
func (s *Store) outcome(ctx context.Context, l *lost) error {
	// The caller may go, but the question has to be settled before anyone tries again.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.opts.CommitLimit)
	defer cancel()
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		committed, known, err := s.askOnce(ctx, l)
		switch {
		case err == nil && known && committed:
			return nil
		case err == nil && known:
			return store.Retry(unavailable(opTransact, l.cause))
		}
		select {
		case <-s.opts.Waiter.After(pause):
		case <-ctx.Done():
			return fault.New(opTransact, fault.CodeStoreUnavailable,
				"the connection to the database broke during a commit, and the database cannot say what became of it").
				Because(errors.Join(l.cause, err))
		}
	}
}

// askOnce asks on a connection of its own.
func (s *Store) askOnce(ctx context.Context, l *lost) (committed, known bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	err = s.with(ctx, func(conn *pgx.Conn) (err error) {
		committed, known, err = l.ask(ctx, conn)
		return err
	})
	return committed, known, err
}

// Statements that settle what became of a transaction.
const (
	askStatus = `SELECT coalesce(pg_xact_status($1::text::xid8), 'forgotten')`

	// A process that waits for statements of a client which is gone holds its locks for as
	// long. One that is at work is left alone: it may be committing. It is found by the
	// transaction, since a pooler does not tell which process that has.
	endBackend = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
		WHERE backend_xid = $1::text::xid8::xid AND state LIKE 'idle in transaction%'
			AND datname = current_database() AND usename = current_user`

	// A transaction that decided ahead may not have begun when its connection broke, and begin yet:
	// whatever it finds then is not what it must be.
	fence = `UPDATE wallets SET version = version + 1 WHERE bucket = $1::smallint AND wallet = $2::uuid AND version = $3::bigint`

	lockWallet = `SELECT ` + headerColumns + ` FROM wallets w
		WHERE w.bucket = $1::smallint AND w.wallet = $2::uuid FOR UPDATE`
)

// ask asks once. Locking the wallet waits for whatever still holds it, proves that this is no
// standby that lags behind, and lets the statement after it see what that holder left.
func (l *lost) ask(ctx context.Context, conn *pgx.Conn) (committed, known bool, err error) {
	status, err := l.status(ctx, conn)
	if err != nil {
		return false, false, err
	}
	if status == "in progress" {
		_, err := conn.Exec(ctx, endBackend, l.number)
		return false, false, err
	}
	var work script
	var stored *wallet.Header
	found := false
	h := &l.witness.change.Header
	work.exec(begin)
	work.add(partOther, func(r pgx.Rows) error {
		stored = &wallet.Header{}
		return scanHeader(r, stored)
	}, lockWallet, int16(h.ID.Bucket()), uuid(h.ID))
	if l.witness.sql != "" {
		work.add(partOther, func(pgx.Rows) error { found = true; return nil }, l.witness.sql, l.witness.args...)
	}
	if l.number == "" {
		work.exec(fence, int16(h.ID.Bucket()), uuid(h.ID), h.Version-1)
		work.exec("COMMIT")
	} else {
		work.exec("ROLLBACK")
	}
	if err := work.run(ctx, conn); err != nil {
		return false, false, err
	}
	if l.witness.sql == "" {
		found = l.byHeader(stored, status)
	}
	return found, true, nil
}

// status is what the server says of the transaction's number.
func (l *lost) status(ctx context.Context, conn *pgx.Conn) (status string, err error) {
	if l.number == "" {
		return "unknown", nil
	}
	err = conn.QueryRow(ctx, askStatus, l.number).Scan(&status)
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok && pg.Code == "22023" {
		return "erased", nil // a number from the future: a crash has taken it back
	}
	return status, err
}

// byHeader judges a change that added no row, such as a hold that was extended, by the wallet's
// own row. If it has been written again since, the transaction's number has to do.
func (l *lost) byHeader(stored *wallet.Header, status string) bool {
	h := l.witness.change.Header
	switch {
	case stored == nil || stored.Version < h.Version:
		return false
	case stored.Version == h.Version:
		return *stored == h
	}
	return status == "committed"
}

// witnessOf chooses the row that proves a transaction: an entry where there is one, since its
// hash covers its content and all that came before it.
func witnessOf(changes *store.Changes) witness {
	for i := range changes.Wallets {
		if w := witnessIn(&changes.Wallets[i]); w.sql != "" {
			return w
		}
	}
	return witness{change: &changes.Wallets[0]}
}

func witnessIn(c *store.WalletChange) witness {
	const where = " WHERE bucket = $1::smallint AND wallet = $2::uuid AND "
	w := witness{change: c, args: []any{int16(c.Header.ID.Bucket()), uuid(c.Header.ID)}}
	switch {
	case len(c.Entries) > 0:
		e := &c.Entries[0]
		w.sql = "SELECT 1 FROM entries" + where + "seq = $3::bigint AND hash = $4::bytea"
		w.args = append(w.args, e.Seq, e.Hash[:])
	case len(c.Answers) > 0:
		a := &c.Answers[0]
		w.sql = "SELECT 1 FROM answers" + where + "key = $3::text AND request = $4::bytea AND answer = $5::bytea AND created_at = $6::bigint"
		w.args = append(w.args, a.Key, a.Request[:], present(a.Answer), int64(a.At))
	case len(c.History) > 0:
		e := &c.History[0]
		w.sql = "SELECT 1 FROM subscription_events" + where + "subscription = $3::bigint AND n = $4::bigint AND at = $5::bigint AND actor = $6::text"
		w.args = append(w.args, e.Subscription, e.N, int64(e.At), e.Actor)
	case len(c.NewUsages) > 0:
		u := c.NewUsages[0]
		w.sql = "SELECT 1 FROM usages" + where + "id = $3::text AND at = $4::bigint"
		w.args = append(w.args, u.ID, int64(u.At))
	case len(c.NewGrants) > 0:
		g := c.NewGrants[0]
		w.sql = "SELECT 1 FROM grants" + where + "n = $3::bigint AND created_at = $4::bigint AND amount = $5::bigint AND external_ref = $6::text"
		w.args = append(w.args, g.N, int64(g.CreatedAt), g.Amount, g.ExternalRef)
	case len(c.NewOrders) > 0:
		o := c.NewOrders[0]
		w.sql = "SELECT 1 FROM orders" + where + "n = $3::bigint AND created_at = $4::bigint AND kind = $5::text AND actor = $6::text"
		w.args = append(w.args, o.N, int64(o.CreatedAt), string(o.Kind), o.Actor)
	case len(c.NewHolds) > 0:
		h := c.NewHolds[0]
		w.sql = "SELECT 1 FROM holds" + where + "n = $3::bigint AND created_at = $4::bigint AND actor = $5::text"
		w.args = append(w.args, h.N, int64(h.CreatedAt), h.Actor)
	}
	return w
}
