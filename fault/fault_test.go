package fault

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

func TestErrorText(t *testing.T) {
	e := New("wallet.Deduct", CodeInvalidAmount, "amount %s is negative", "-1")
	for _, tc := range []struct {
		err  *Error
		want string
	}{
		{e, "wallet.Deduct: invalid_amount: amount -1 is negative"},
		{e.In("amount"), "wallet.Deduct: invalid_amount: amount -1 is negative (field amount)"},
		{e.In("amount").Because(io.EOF), "wallet.Deduct: invalid_amount: amount -1 is negative (field amount): EOF"},
		{&Error{Code: CodeNotFound}, "not_found"},
		{nil, "<nil>"},
	} {
		if got := tc.err.Error(); got != tc.want {
			t.Errorf("got %q, want %q", got, tc.want)
		}
	}
}

func TestChainingCopies(t *testing.T) {
	base := New("op", CodeInsufficientCredits, "short").With("missing", "3")
	a := base.With("credit", "a").In("x").Because(io.EOF)
	b := base.With("credit", "b")
	if len(base.Details) != 1 || base.Field != "" || base.Err != nil {
		t.Errorf("the original was changed: %+v", base)
	}
	if a.Details["credit"] != "a" || a.Details["missing"] != "3" || b.Details["credit"] != "b" {
		t.Errorf("details: %v, %v", a.Details, b.Details)
	}
	if a.Field != "x" || !errors.Is(a, io.EOF) {
		t.Errorf("field and cause: %+v", a)
	}
	var none *Error
	if none.In("x") != nil || none.With("k", 1) != nil || none.Because(io.EOF) != nil || none.Unwrap() != nil {
		t.Error("a nil Error must stay nil")
	}
}

func TestIsMatchesByCode(t *testing.T) {
	err := fmt.Errorf("loading: %w", New("a", CodeGrantNotFound, "one").Because(io.EOF))
	if !errors.Is(err, New("b", CodeGrantNotFound, "two")) {
		t.Error("same code must match")
	}
	if errors.Is(err, New("a", CodePackNotFound, "one")) {
		t.Error("another code must not match")
	}
	if !errors.Is(err, io.EOF) {
		t.Error("the cause must be seen")
	}
}

func TestAsAndCodeOf(t *testing.T) {
	ours := New("a", CodeGrantNotFound, "one")
	var typedNil *Error
	for _, tc := range []struct {
		name string
		err  error
		want Code
	}{
		{"nil", nil, ""},
		{"ours", ours, CodeGrantNotFound},
		{"wrapped", fmt.Errorf("x: %w", ours), CodeGrantNotFound},
		{"joined", errors.Join(io.EOF, ours), CodeGrantNotFound},
		{"foreign", io.EOF, CodeInternalError},
		{"nil in an interface", typedNil, CodeInternalError},
	} {
		if got := CodeOf(tc.err); got != tc.want {
			t.Errorf("%s: CodeOf = %q, want %q", tc.name, got, tc.want)
		}
		if e := As(tc.err); (e == nil) != (tc.err == nil) {
			t.Errorf("%s: As = %v", tc.name, e)
		}
	}
}

func TestForeignErrorsDoNotLeak(t *testing.T) {
	secret := errors.New("dial postgres://user:hunter2@db")
	e := As(secret)
	if strings.Contains(e.Message, "hunter2") || len(e.Details) != 0 {
		t.Errorf("the public message leaks: %q", e.Message)
	}
	if !errors.Is(e, secret) || e.Kind() != Internal {
		t.Errorf("cause or kind lost: %v", e)
	}
	if New("a", CodeNotFound, "x").Kind() != NotFound || typedNilKind() != Internal {
		t.Error("Kind")
	}
}

func typedNilKind() Kind {
	var e *Error
	return e.Kind()
}
