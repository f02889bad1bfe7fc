package fault

import "net/http"

// Kind is the class of a failure. The list is closed: every code has exactly
// one kind, and the kind alone decides the HTTP status.
type Kind uint8

// The kinds. The zero Kind is none of them and counts as Internal.
const (
	Invalid              Kind = iota + 1 // the request is wrong and will stay wrong
	Unauthenticated                      // no valid credentials
	PaymentRequired                      // understood and refused for want of credits
	Forbidden                            // the credentials are valid but do not allow this
	NotFound                             // no such thing in this app and mode
	MethodNotAllowed                     // the path exists, the method does not
	Conflict                             // at odds with what is stored
	Gone                                 // existed once and never will again
	TooLarge                             // more bytes than are accepted
	UnsupportedMediaType                 // a content type that is not understood
	RateLimited                          // a limit per time is used up
	Unimplemented                        // known, and not available here
	Unavailable                          // cannot be served now; retry later
	Internal                             // a defect on our side
)

// kinds holds name and status of every kind, so that neither can be forgotten
// when a kind is added.
var kinds = [...]struct {
	name   string
	status int
}{
	Invalid:              {"invalid", http.StatusBadRequest},
	Unauthenticated:      {"unauthenticated", http.StatusUnauthorized},
	PaymentRequired:      {"payment_required", http.StatusPaymentRequired},
	Forbidden:            {"forbidden", http.StatusForbidden},
	NotFound:             {"not_found", http.StatusNotFound},
	MethodNotAllowed:     {"method_not_allowed", http.StatusMethodNotAllowed},
	Conflict:             {"conflict", http.StatusConflict},
	Gone:                 {"gone", http.StatusGone},
	TooLarge:             {"too_large", http.StatusRequestEntityTooLarge},
	UnsupportedMediaType: {"unsupported_media_type", http.StatusUnsupportedMediaType},
	RateLimited:          {"rate_limited", http.StatusTooManyRequests},
	Unimplemented:        {"unimplemented", http.StatusNotImplemented},
	Unavailable:          {"unavailable", http.StatusServiceUnavailable},
	Internal:             {"internal", http.StatusInternalServerError},
}

// HTTPStatus returns the status code that a response of this kind has; 500 for
// a value that is not a kind.
func (k Kind) HTTPStatus() int {
	if k < Invalid || int(k) >= len(kinds) {
		return http.StatusInternalServerError
	}
	return kinds[k].status
}

// String returns the kind's name in snake_case; "internal" for a value that is
// not a kind.
func (k Kind) String() string {
	if k < Invalid || int(k) >= len(kinds) {
		return kinds[Internal].name
	}
	return kinds[k].name
}
