package postgres

import (
	"context"
	"errors"
	"io"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/store"
)

func TestFail(t *testing.T) {
	for _, c := range []struct {
		state string
		part  part
		code  fault.Code
		retry bool
	}{
		{"40001", partOther, fault.CodeStoreUnavailable, true},
		{"40P01", partOther, fault.CodeStoreUnavailable, true},
		{"55P03", partOther, fault.CodeStoreUnavailable, true},
		{"57014", partOther, fault.CodeStoreUnavailable, true},
		{"57P01", partOther, fault.CodeStoreUnavailable, true},
		{"57P03", partOther, fault.CodeStoreUnavailable, true},
		{"08006", partOther, fault.CodeStoreUnavailable, true},
		{"53300", partOther, fault.CodeStoreUnavailable, true},
		{"25006", partOther, fault.CodeStoreUnavailable, true},
		{"0A000", partOther, fault.CodeStoreUnavailable, true},
		{"28P01", partOther, fault.CodeStoreUnavailable, false},
		{"3D000", partOther, fault.CodeStoreUnavailable, false},
		{"23505", partUnique, fault.CodeStoreUnavailable, true},
		{"23505", partNamed, fault.CodeNameTaken, false},
		{"23505", partGrants, fault.CodeInvariantViolated, false},
		{"23505", partOther, fault.CodeInvariantViolated, false},
		{"23503", partUnique, fault.CodeInvariantViolated, false},
		{"23514", partHeaders, fault.CodeInvariantViolated, false},
		{"22012", partHeaders, fault.CodeInvariantViolated, true},
		{"22012", partGrants, fault.CodeInvariantViolated, true},
		{"22012", partOther, fault.CodeInvariantViolated, false},
		{"22021", partOther, fault.CodeInvalidRequest, false},
		{"22P05", partOther, fault.CodeInvalidRequest, false},
		{"42P01", partOther, fault.CodeInternalError, false},
		{"", partOther, fault.CodeInternalError, false},
	} {
		err := fail(t.Context(), "op", &failure{c.part, &pgconn.PgError{Code: c.state}})
		if fault.CodeOf(err) != c.code || errors.Is(err, store.ErrRetry) != c.retry {
			t.Errorf("%s of %s: %v", c.state, c.part, err)
		}
	}
	if err := fail(t.Context(), "op", io.ErrUnexpectedEOF); !errors.Is(err, store.ErrRetry) || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a broken connection: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := fail(ctx, "op", io.ErrUnexpectedEOF); errors.Is(err, store.ErrRetry) || !errors.Is(err, context.Canceled) {
		t.Errorf("a canceled call: %v", err)
	}
	if err := fail(ctx, "op", nil); err != nil {
		t.Errorf("no error: %v", err)
	}
}

// TestFailCommit is about errors of what may have been committed: they must not say that
// nothing was written unless the server said so.
func TestFailCommit(t *testing.T) {
	for name, c := range map[string]struct {
		err   error
		retry bool
	}{
		"refused":       {&pgconn.PgError{Severity: "ERROR", SeverityUnlocalized: "ERROR", Code: "40001"}, true},
		"never reached": {&pgconn.ConnectError{Config: &pgconn.Config{}}, true},
		"terminated":    {&pgconn.PgError{Severity: "FATAL", SeverityUnlocalized: "FATAL", Code: "57P01"}, false},
		"broken":        {io.ErrUnexpectedEOF, false},
	} {
		err := failCommit(t.Context(), "op", c.err)
		if fault.CodeOf(err) != fault.CodeStoreUnavailable || errors.Is(err, store.ErrRetry) != c.retry {
			t.Errorf("%s: %v", name, err)
		}
	}
}
