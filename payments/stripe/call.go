package stripe

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	api "github.com/stripe/stripe-go/v85"

	"github.com/seed42445051/scrip/fault"
)

// answer takes in what Stripe answers.
type answer[T any] struct{ into *T }

// UnmarshalJSON reads the body of an answer.
func (a *answer[T]) UnmarshalJSON(body []byte) error { return json.Unmarshal(body, a.into) }

// SetLastResponse is what the library calls once it has read the body; nothing of it is needed.
func (a *answer[T]) SetLastResponse(*api.APIResponse) {}

// post asks for something to be done; under the same key it is done once. Without a key the library
// makes one up.
func post[T named](ctx context.Context, a *account, path, key string, params api.ParamsContainer) (*T, *failure) {
	common := params.GetParams()
	common.Context = ctx
	if key != "" {
		common.IdempotencyKey = &key
	}
	return call[T](a, http.MethodPost, path, params)
}

// get reads one object or list.
func get[T named](ctx context.Context, a *account, path string, query url.Values) (*T, *failure) {
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return call[T](a, http.MethodGet, path, &api.Params{Context: ctx})
}

func call[T named](a *account, method, path string, params api.ParamsContainer) (*T, *failure) {
	out := new(T)
	if err := a.backend.Call(method, path, a.keys.Key.text(), params, &answer[T]{out}); err != nil {
		return nil, a.failed(err)
	}
	if (*out).name() == "" {
		return nil, &failure{text: "the answer is not what was asked for", names: a.names}
	}
	return out, nil
}

// at is the path of one object. An id of ours to be: nothing of it may be read as a path.
func at(path, id string) string { return path + "/" + url.PathEscape(id) }

// expand is a query that asks for objects in the place of their ids.
func expand(paths ...string) url.Values { return url.Values{"expand[]": paths} }

// Limits of lists.
const (
	pageSize = 100 // the most that Stripe gives
	maxPages = 10
)

// collect reads a list, newest first, and returns those that are wanted, oldest first. It gives up
// after maxPages: what is asked for is recent.
func collect[T named](ctx context.Context, a *account, path string, query url.Values, wanted func(*T) bool) ([]*T, *failure) {
	var found []*T
	query.Set("limit", strconv.Itoa(pageSize))
	for range maxPages {
		page, failed := get[list[T]](ctx, a, path, query)
		if failed != nil {
			return nil, failed
		}
		for i := range page.Data {
			if wanted(&page.Data[i]) {
				found = append([]*T{&page.Data[i]}, found...)
			}
		}
		if !page.HasMore || len(page.Data) == 0 {
			break
		}
		query.Set("starting_after", page.Data[len(page.Data)-1].name())
	}
	return found, nil
}

// failure is a request that did not succeed: either Stripe says why, or its status is 0 and nobody
// knows what became of it.
type failure struct {
	names
	status  int
	problem problem
	request string // Stripe's id of the request
	text    string // where Stripe says nothing
}

// Types and codes of errors that are told apart (docs.stripe.com/api/errors).
const (
	typeIdempotency = "idempotency_error"

	codeMissing  = "resource_missing"
	codeTooSmall = "amount_too_small"
	codeTooLarge = "amount_too_large"
)

// maxFailureText bounds what is kept of an answer that nobody can read, in bytes.
const maxFailureText = 300

// failed takes down why a request failed. The library's own errors are not kept: they hold whole
// objects, with secrets of the customer's browser among them.
func (a *account) failed(err error) *failure {
	f := &failure{names: a.names}
	var said *api.Error
	if !errors.As(err, &said) {
		text := a.redact(err.Error())
		f.text = strings.ToValidUTF8(text[:min(len(text), maxFailureText)], "")
		return f
	}
	f.status, f.request = said.HTTPStatusCode, said.RequestID
	var body struct {
		Error problem `json:"error"`
	}
	if said.LastResponse != nil {
		_ = json.Unmarshal(said.LastResponse.RawJSON, &body) // the library read it already; what cannot be read stays empty
	}
	f.problem = body.Error
	f.problem.Message = a.redact(f.problem.Message)
	return f
}

// redact takes the key out of a text that may come from whatever stands between Stripe and us.
func (a *account) redact(text string) string {
	return strings.ReplaceAll(text, a.keys.Key.text(), hidden)
}

// Error is for the operator's log.
func (f *failure) Error() string {
	if f.status == 0 {
		return "stripe: " + f.text
	}
	p := &f.problem
	return fmt.Sprintf("stripe: %d %s code=%s decline_code=%s param=%s request=%s: %s", f.status, p.Type, p.Code, p.DeclineCode, p.Param, f.request, p.Message)
}

// refused tells whether Stripe says that it did not, and will not, do what was asked.
func (f *failure) refused() bool {
	return (f.status == http.StatusBadRequest || f.status == http.StatusNotFound) && f.problem.Type != typeIdempotency
}

// twisted tells whether the idempotency key was used with another request: that one's outcome counts.
func (f *failure) twisted() bool {
	return f.problem.Type == typeIdempotency && f.status == http.StatusBadRequest
}

// missing tells whether what a parameter names does not exist.
func (f *failure) missing(param string) bool {
	return f.refused() && f.problem.Code == codeMissing && f.problem.Param == param
}

// fields are our names of those parameters that callers choose.
var fields = map[string]string{"success_url": "success_url", "cancel_url": "cancel_url", "return_url": "return_url"}

// fault says a failure in our words.
func (f *failure) fault(op string) error {
	message := f.problem.Message
	switch {
	case f.status == http.StatusUnauthorized:
		return fault.New(op, fault.CodePaymentsNotConfigured, "Stripe does not accept the key in %s: set a current one, and start again", f.key).Because(f)
	case f.status == http.StatusForbidden:
		return fault.New(op, fault.CodePaymentsNotConfigured, "the key in %s may not do this at Stripe: give it the permission, or set a secret key, and start again", f.key).Because(f)
	case f.problem.Code == codeTooSmall:
		return fault.New(op, fault.CodeAmountTooSmall, "Stripe charges no amount as small as this: %s", message).Because(f)
	case f.problem.Code == codeTooLarge:
		return fault.New(op, fault.CodeAmountOutOfRange, "Stripe charges no amount as large as this: %s", message).Because(f)
	case f.status == http.StatusPaymentRequired:
		return fault.New(op, fault.CodePaymentDeclined, "%s", message).Because(f)
	case f.refused():
		return fault.New(op, fault.CodeInvalidRequest, "Stripe refuses this: %s", message).In(fields[f.problem.Param]).Because(f)
	}
	return fault.New(op, fault.CodePaymentProviderError, "Stripe did not answer as it should; the same request can be made again").Because(f)
}
