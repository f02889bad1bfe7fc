package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/store"
)

// failure is the error of one statement, with the part of the work that it was for. What a
// broken constraint means depends on the statement that broke it; the constraint's name says
// nothing reliable: Citus appends a shard's number to it, or leaves it out.
type failure struct {
	part part
	err  error
}

// part is what a statement is for.
type part string

// The parts whose failure means something of its own.
const (
	partOther   part = "other"
	partHeaders part = "headers" // the wallets' own rows
	partGrants  part = "grants"  // new grants: two processes may use one external reference
	partUnique  part = "unique"  // rows that another process may have written first
	partNamed   part = "named"   // definitions with a name that may be taken
	partKnown   part = "known"   // the proof of what was decided on ahead
)

func (f *failure) Error() string { return string(f.part) + ": " + f.err.Error() }

func (f *failure) Unwrap() error { return f.err }

// fail turns what went wrong into the error that the interface promises. The transaction must
// have ended without effect, or never have written.
func fail(ctx context.Context, op string, err error) error {
	if err == nil {
		return nil
	}
	if cause := ctx.Err(); cause != nil {
		return fault.New(op, fault.CodeStoreUnavailable, "the call ended before the database answered").Because(errors.Join(cause, err))
	}
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return f
	}
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return failState(op, pg, err)
	}
	// Whatever is not an answer of the server is a connection that could not be made or kept.
	return store.Retry(unavailable(op, err))
}

// failCommit is fail for what may have committed: when the connection broke, nobody knows, and
// the error must not say that nothing was written.
func failCommit(ctx context.Context, op string, err error) error {
	if err == nil {
		return nil
	}
	pg, ok := errors.AsType[*pgconn.PgError](err)
	if _, connecting := errors.AsType[*pgconn.ConnectError](err); connecting || (ok && pg.SeverityUnlocalized == "ERROR") {
		return fail(ctx, op, err)
	}
	return fault.New(op, fault.CodeStoreUnavailable, "the connection to the database broke; the change may have been made").Because(err)
}

func unavailable(op string, err error) *fault.Error {
	return fault.New(op, fault.CodeStoreUnavailable, "the database cannot be reached").Because(err)
}

func errClosed(op string) *fault.Error {
	return fault.New(op, fault.CodeStoreUnavailable, "the store was closed")
}

// failState reads the server's own errors, by SQLSTATE and by what the statement was for.
func failState(op string, pg *pgconn.PgError, err error) error {
	where := partOther
	if f, ok := errors.AsType[*failure](err); ok {
		where = f.part
	}
	switch pg.Code {
	case "40001", "40P01", "55P03", "57014", "25P03", "25006", "0A000":
		// Serialization, deadlock, lock not available, canceled by a server's timeout, idle
		// too long, a standby that is not the primary yet, a plan from before a migration.
		return store.Retry(unavailable(op, err))
	case "22021", "22P05":
		return fault.New(op, fault.CodeInvalidRequest, "text must be valid Unicode without the character U+0000").Because(err)
	case "22012":
		// A statement changed fewer rows than it was given; see table.update.
		broken := fault.New(op, fault.CodeInvariantViolated, "a row is not as it was expected; nothing was written").Because(err)
		switch where {
		case partHeaders, partGrants:
			return store.Retry(broken)
		case partKnown:
			return store.Stale(broken)
		}
		return broken
	case "23505":
		switch where {
		case partUnique:
			return store.Retry(fault.New(op, fault.CodeStoreUnavailable, "another process wrote the same first").Because(err))
		case partNamed:
			return fault.New(op, fault.CodeNameTaken, "the name is taken").In("name").Because(err)
		}
	}
	switch pg.Code[:min(2, len(pg.Code))] {
	case "08", "53", "57":
		return store.Retry(unavailable(op, err))
	case "28", "3D":
		return unavailable(op, err)
	case "23":
		return fault.New(op, fault.CodeInvariantViolated, "the database refused rows that break a rule; nothing was written").Because(err)
	}
	return fault.New(op, fault.CodeInternalError, "the database refused a statement; nothing was written").Because(err)
}
