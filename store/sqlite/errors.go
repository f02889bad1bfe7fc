package sqlite

import (
	"context"
	"errors"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/store"
)

// failed says in Scrip's terms what an error is. Nothing was written when it is called, except
// that a commit may have failed at a point where only the next start can tell.
func failed(ctx context.Context, op string, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*fault.Error](err); ok {
		return err
	}
	if cause := ctx.Err(); cause != nil {
		return fault.New(op, fault.CodeStoreUnavailable, "the call ended before the database answered").Because(errors.Join(cause, err))
	}
	switch codeOf(err) & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return store.Retry(fault.New(op, fault.CodeStoreUnavailable, "another process is writing the database file").Because(err))
	case sqlite3.SQLITE_CONSTRAINT:
		return fault.New(op, fault.CodeInvariantViolated, "the change breaks a law of the ledger and was not written").Because(err)
	case sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY,
		sqlite3.SQLITE_PERM, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_INTERRUPT:
		return fault.New(op, fault.CodeStoreUnavailable, "the database file cannot be used now").Because(err)
	}
	return fault.New(op, fault.CodeInternalError, "the database refused a statement").Because(err)
}

// codeOf is SQLite's extended result code; 0 when the error is not SQLite's.
func codeOf(err error) int {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code()
	}
	return 0
}

// uniqueIndex is the code of a row that a unique index refuses; a repeated primary key has
// another.
const uniqueIndex = sqlite3.SQLITE_CONSTRAINT_UNIQUE

// duplicate reports whether a row was there already.
func duplicate(err error) bool {
	code := codeOf(err)
	return code == uniqueIndex || code == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
}

// raced turns a duplicate of what is written once into another try: whoever looked before
// writing did not see it, so somebody wrote it since.
func raced(err error) error {
	if !duplicate(err) {
		return err
	}
	return store.Retry(fault.New("sqlite.Transact", fault.CodeStoreUnavailable, "somebody else wrote the same first").Because(err))
}

// moved is the answer to a version that is no longer the one that was read.
func moved(op string) error {
	return store.Retry(fault.New(op, fault.CodeStoreUnavailable, "somebody else changed it first"))
}

// stale is the answer to what was known and is not so any more.
func stale() error {
	return store.Stale(fault.New("sqlite.Write", fault.CodeStoreUnavailable, "somebody else changed what was known"))
}

// missing is the answer to a change of a row that is not there.
func missing(what string, n int64) error {
	return fault.New("sqlite.Transact", fault.CodeInvariantViolated, "%s %d was to be changed and is not stored", what, n)
}
