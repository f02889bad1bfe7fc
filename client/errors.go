package client

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/seed42445051/scrip/fault"
)

// InsufficientCreditsError is what a charge that was refused for want of credits is for errors.As.
// It and its like are of package fault, because they are the same in process.
type InsufficientCreditsError = fault.InsufficientCreditsError

// IsRetryable reports whether the same call may succeed later, as it is: the server was not
// reached, or could not serve it then. Send it again under the same idempotency key, since it
// may have taken effect. The client has done so already, as often as it was told to.
func IsRetryable(err error) bool {
	if err == nil || errors.Is(err, context.Canceled) {
		return false
	}
	return fault.As(err).Kind() == fault.Unavailable
}

// problem is the body of a refusal (RFC 9457).
type problem struct {
	Code   fault.Code `json:"code"`
	Detail string     `json:"detail"`
	Field  string     `json:"field"`
}

// standard are the members of a problem that are not details of its code.
var standard = []string{"type", "title", "status", "detail", "code", "field"}

// refused makes an error of an answer that is none.
func refused(op string, res *http.Response, body []byte) error {
	var p problem
	if json.Unmarshal(body, &p) != nil || p.Code == "" {
		// Not the server's: a proxy before it, or something else at its address.
		return fault.New(op, codeOf(res), "the server answered %s", res.Status).With("status", res.StatusCode)
	}
	e := fault.New(op, p.Code, "%s", p.Detail)
	e.Field = p.Field
	if json.Unmarshal(body, &e.Details) == nil {
		for _, name := range standard {
			delete(e.Details, name)
		}
	}
	return e
}

// codeOf is the code that comes closest to a status without a problem body.
func codeOf(res *http.Response) fault.Code {
	switch res.StatusCode {
	case http.StatusRequestTimeout, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return fault.CodeStoreUnavailable
	case http.StatusTooManyRequests:
		return fault.CodeOverloaded
	case http.StatusUnauthorized:
		return fault.CodeInvalidKey
	case http.StatusNotFound:
		return fault.CodeNotFound
	case http.StatusRequestEntityTooLarge:
		return fault.CodeRequestTooLarge
	}
	return fault.CodeInternalError
}
