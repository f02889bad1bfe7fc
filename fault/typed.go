package fault

import (
	"fmt"
	"strings"
)

// The typed errors, for errors.As: an *Error of the code is each of them, whether it was made in
// this process or came over HTTP, so that code which asks for one works in both.
//
//	var short *fault.InsufficientCreditsError
//	if errors.As(err, &short) {
//		offer(short.Required, short.Available)
//	}
type (
	// InsufficientCreditsError is insufficient_credits: nothing was taken.
	InsufficientCreditsError struct{ Shortage }
	// OverageLimitReachedError is overage_limit_reached: nothing was taken.
	OverageLimitReachedError struct{ Shortage }
	// LimitReachedError is limit_reached: the customer has used up what they may use.
	LimitReachedError struct{ Reasons []string }
	// NotFoundError is not_found, or customer_not_found and the like.
	NotFoundError struct {
		What  string // "customer", "credit", "grant", "reservation", "entry", ...; empty: a path
		Field string // the field that named it
	}
	// IdempotencyKeyReusedError is idempotency_key_reused: the key was used for another request.
	IdempotencyKeyReusedError struct{}
	// ReservationExpiredError is reservation_expired: its credits are back in their grants.
	ReservationExpiredError struct{}
	// ReservationNotPendingError is reservation_not_pending: it was closed before.
	ReservationNotPendingError struct{}
	// UnavailableError is what is worth another try under the same idempotency key: overloaded,
	// store_unavailable, shutting_down.
	UnavailableError struct{ Code Code }
)

// Shortage is what a charge that was refused asked for, and what was there, in its own measure.
type Shortage struct {
	Required  string
	Available string
	Reasons   []string
}

// Error says what was missing.
func (s *Shortage) Error() string {
	return fmt.Sprintf("%s needed, %s available", s.Required, s.Available)
}

// Error says why.
func (e *LimitReachedError) Error() string { return "limit reached: " + strings.Join(e.Reasons, ", ") }

// Error says what.
func (e *NotFoundError) Error() string { return strings.TrimSpace(e.What + " not found") }

// Error says it in words.
func (*IdempotencyKeyReusedError) Error() string {
	return "idempotency key reused for another request"
}

// Error says it in words.
func (*ReservationExpiredError) Error() string { return "reservation expired" }

// Error says it in words.
func (*ReservationNotPendingError) Error() string { return "reservation not pending" }

// Error says which way.
func (e *UnavailableError) Error() string { return string(e.Code) }

// As lets errors.As find the typed error that e's code stands for.
func (e *Error) As(target any) bool {
	if e == nil {
		return false
	}
	switch t := target.(type) {
	case **InsufficientCreditsError:
		return found(e.Code == CodeInsufficientCredits, t, &InsufficientCreditsError{e.shortage()})
	case **OverageLimitReachedError:
		return found(e.Code == CodeOverageLimitReached, t, &OverageLimitReachedError{e.shortage()})
	case **LimitReachedError:
		return found(e.Code == CodeLimitReached, t, &LimitReachedError{e.texts("reasons")})
	case **NotFoundError:
		what := strings.TrimSuffix(strings.TrimSuffix(string(e.Code), "not_found"), "_")
		return found(e.Kind() == NotFound, t, &NotFoundError{what, e.Field})
	case **IdempotencyKeyReusedError:
		return found(e.Code == CodeIdempotencyKeyReused, t, &IdempotencyKeyReusedError{})
	case **ReservationExpiredError:
		return found(e.Code == CodeReservationExpired, t, &ReservationExpiredError{})
	case **ReservationNotPendingError:
		return found(e.Code == CodeReservationNotPending, t, &ReservationNotPendingError{})
	case **UnavailableError:
		return found(e.Kind() == Unavailable, t, &UnavailableError{e.Code})
	}
	return false
}

func found[T any](is bool, target *T, value T) bool {
	if is {
		*target = value
	}
	return is
}

func (e *Error) shortage() Shortage {
	return Shortage{Required: e.text("required"), Available: e.text("available"), Reasons: e.texts("reasons")}
}

// text reads a detail, which is text of some type here and text in JSON.
func (e *Error) text(name string) string {
	if v, ok := e.Details[name]; ok {
		return fmt.Sprint(v)
	}
	return ""
}

// texts reads a detail that is a list of texts here, and of anything after JSON.
func (e *Error) texts(name string) []string {
	switch list := e.Details[name].(type) {
	case []string:
		return list
	case []any:
		texts := make([]string, len(list))
		for i, v := range list {
			texts[i] = fmt.Sprint(v)
		}
		return texts
	}
	return nil
}
