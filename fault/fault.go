// Package fault owns the one error type of Scrip and the one catalogue of
// error codes.
//
// It decides what a code means, which kind of failure it is and which HTTP
// status that kind has. It does not decide when an error happens, and it knows
// nothing of JSON problem bodies, vendors' error shapes or drivers: those
// translate a fault at their own edge, by its code and never by its text.
package fault

import (
	"errors"
	"fmt"
	"maps"
	"strings"
)

// Code names one reason of failure, in snake_case. Codes are part of the public
// contract: callers branch on them, so a code once released keeps its meaning.
type Code string

// Error is a failure that Scrip has a name for.
//
// Message, Field and Details are public: they are sent to the caller as they
// are, so they must hold nothing secret. Op and Err are for the operator's log.
type Error struct {
	// Op is the operation that failed, such as "wallet.Deduct".
	Op string
	// Code is the stable reason, one of the catalogue's.
	Code Code
	// Message says in one sentence what is wrong with this particular call.
	Message string
	// Field is the path of the offending input field, or "" when none is.
	Field string
	// Details holds machine-readable facts, such as how much was missing.
	Details map[string]any
	// Err is the cause, or nil. It is never shown to the caller.
	Err error
}

// New makes an Error for the operation op. The message is built as by
// fmt.Sprintf and is public; a cause belongs in Because, not in the message.
func New(op string, code Code, format string, args ...any) *Error {
	return &Error{Op: op, Code: code, Message: fmt.Sprintf(format, args...)}
}

// In returns a copy of e that names field as the offending input.
// On a nil Error it returns nil.
func (e *Error) In(field string) *Error {
	c := e.clone()
	if c != nil {
		c.Field = field
	}
	return c
}

// With returns a copy of e that carries the public detail key = v.
// On a nil Error it returns nil.
func (e *Error) With(key string, v any) *Error {
	c := e.clone()
	if c == nil {
		return nil
	}
	if c.Details == nil {
		c.Details = make(map[string]any, 1)
	}
	c.Details[key] = v
	return c
}

// Because returns a copy of e with err as its private cause.
// On a nil Error it returns nil.
func (e *Error) Because(err error) *Error {
	c := e.clone()
	if c != nil {
		c.Err = err
	}
	return c
}

// clone copies e with its details. The chainable methods copy because an error
// may be shared (a package variable, one answer given to a whole batch), and
// adding a detail for one caller must not show up at another.
func (e *Error) clone() *Error {
	if e == nil {
		return nil
	}
	c := *e
	c.Details = maps.Clone(e.Details)
	return &c
}

// Error gives the operator's view: operation, code, message, field and cause.
// It is for logs; a caller is shown Message.
func (e *Error) Error() string {
	if e == nil {
		return "<nil>"
	}
	var b strings.Builder
	if e.Op != "" {
		b.WriteString(e.Op)
		b.WriteString(": ")
	}
	b.WriteString(string(e.Code))
	if e.Message != "" {
		b.WriteString(": ")
		b.WriteString(e.Message)
	}
	if e.Field != "" {
		b.WriteString(" (field ")
		b.WriteString(e.Field)
		b.WriteString(")")
	}
	if e.Err != nil {
		b.WriteString(": ")
		b.WriteString(e.Err.Error())
	}
	return b.String()
}

// Unwrap returns the cause, so that errors.Is and errors.As see through e.
func (e *Error) Unwrap() error {
	if e == nil {
		return nil
	}
	return e.Err
}

// Is reports whether target is an Error with the same code, whatever its
// operation, message and details. errors.Is uses it:
//
//	errors.Is(err, &fault.Error{Code: fault.CodeNotFound})
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && e != nil && t != nil && e.Code == t.Code
}

// Kind returns the kind that the catalogue gives to e's code. A code that is
// not in the catalogue is a bug of ours, so it counts as Internal.
func (e *Error) Kind() Kind {
	if e == nil {
		return Internal
	}
	if entry, ok := byCode[e.Code]; ok {
		return entry.Kind
	}
	return Internal
}

// CodeOf returns the code of the first Error in err's chain,
// CodeInternalError when there is none, and "" when err is nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	return As(err).Code
}

// As returns the first Error in err's chain. Any other error becomes a
// CodeInternalError that keeps err as its cause and tells the caller nothing
// about it. A nil err gives nil; do not return that nil as an error interface,
// where it would compare unequal to nil.
func As(err error) *Error {
	if err == nil {
		return nil
	}
	// A nil *Error inside a non-nil interface is somebody's mistake. It is
	// reported as an internal error, so that no caller has to check for it.
	if e, ok := errors.AsType[*Error](err); ok && e != nil {
		return e
	}
	return &Error{
		Code:    CodeInternalError,
		Message: "Something went wrong on our side; the request can be retried with the same idempotency key.",
		Err:     err,
	}
}
