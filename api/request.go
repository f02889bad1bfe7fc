package api

import (
	"bytes"
	"context"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/seed42445051/scrip/accounts"
	"github.com/seed42445051/scrip/fault"
	v1 "github.com/seed42445051/scrip/v1"
)

// Headers of the API.
const (
	headerIdempotency = "Idempotency-Key"
	headerToken       = "Scrip-Customer-Token"
)

// authenticator knows keys and customer tokens; accounts.Accounts is one.
type authenticator interface {
	Authenticate(ctx context.Context, key string) (accounts.Identity, error)
	Identify(ctx context.Context, key string) (accounts.Identity, error)
	Operate(ctx context.Context, who accounts.Identity) error
	Restrict(ctx context.Context, who accounts.Identity, token string) (accounts.Identity, error)
}

// gate decides who may call what.
type gate struct{ keys authenticator }

// admit finds out who asks, and whether the route is theirs to call.
func (g gate) admit(r *http.Request, rt *route) (accounts.Identity, error) {
	const op = "api.admit"
	identify := g.keys.Authenticate
	if rt.checked && !streams(r, rt) { // a stream may hold no command
		identify = g.keys.Identify
	}
	who, err := identify(r.Context(), bearer(r.Header))
	if err != nil {
		return who, err
	}
	token := r.Header.Get(headerToken)
	switch {
	case who.CanWrite() && token == "":
		return who, nil
	case rt.access == secretOnly:
		return who, fault.New(op, fault.CodeRequiresSecretKey, "this call needs a secret key, without a customer token")
	case rt.access == anyKey && token == "":
		return who, nil
	}
	if who, err = g.keys.Restrict(r.Context(), who, token); err != nil {
		return who, err
	}
	if asked := customerOf(r); asked != who.Customer {
		return who, fault.New(op, fault.CodeWrongCustomer, "the customer token was issued for another customer").In("customer_id")
	}
	return who, nil
}

// confirm asks again for a key that was only remembered, before the caller learns why a command
// failed: what failed may not have got to the transaction that checks the key.
func (g gate) confirm(r *http.Request, rt *route) error {
	if !rt.checked {
		return nil
	}
	_, err := g.keys.Authenticate(r.Context(), bearer(r.Header))
	return err
}

// customerOf is the customer that a route open to customers asks about.
func customerOf(r *http.Request) string {
	if customer := r.PathValue("id"); customer != "" {
		return customer
	}
	return r.URL.Query().Get("customer_id")
}

func bearer(h http.Header) string {
	scheme, key, _ := strings.Cut(h.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(key)
}

// preflight lets browsers of any site ask what publishable keys may: the key and the token are
// in headers that a site has to know, so there is no ambient authority to protect.
func preflight(w http.ResponseWriter, _ *http.Request) {
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Allow-Methods", http.MethodGet)
	h.Set("Access-Control-Allow-Headers", "Authorization, "+headerToken)
	h.Set("Access-Control-Max-Age", "86400")
	w.WriteHeader(http.StatusNoContent)
}

func parseQuery(u *url.URL) (url.Values, error) {
	if u.RawQuery == "" {
		return nil, nil
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, fault.New("api.parseQuery", fault.CodeInvalidRequest, "the query is not well-formed").Because(err)
	}
	return query, nil
}

// idempotency reads the header. A key that is there and empty is refused: its sender believes
// to be protected.
func idempotency(h http.Header) ([]v1.Option, error) {
	keys, ok := h[headerIdempotency]
	if !ok {
		return nil, nil
	}
	if len(keys) > 1 || keys[0] == "" {
		return nil, fault.New("api.idempotency", fault.CodeIdempotencyKeyInvalid, "send one idempotency key that is not empty, or none").In(headerIdempotency)
	}
	return []v1.Option{v1.IdempotencyKey(keys[0])}, nil
}

// readBody reads a body of JSON that is not too large.
func readBody(w http.ResponseWriter, r *http.Request, into *bytes.Buffer, most int64) error {
	const op = "api.readBody"
	if r.Body == nil || r.ContentLength == 0 {
		return nil
	}
	if !isJSON(r.Header.Get("Content-Type")) {
		return fault.New(op, fault.CodeUnsupportedMediaType, "the body must be application/json").In("Content-Type")
	}
	_, err := into.ReadFrom(http.MaxBytesReader(w, r.Body, most))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return fault.New(op, fault.CodeRequestTooLarge, "the body has more than %d bytes", most)
	}
	if err != nil {
		return fault.New(op, fault.CodeInvalidRequest, "the body did not arrive whole").Because(err)
	}
	return nil
}

// isJSON accepts JSON in UTF-8, and what says nothing about itself.
func isJSON(contentType string) bool {
	if contentType == "" || contentType == "application/json" {
		return true
	}
	media, parameters, err := mime.ParseMediaType(contentType)
	if err != nil || media != "application/json" && !strings.HasSuffix(media, "+json") {
		return false
	}
	charset := parameters["charset"]
	return charset == "" || strings.EqualFold(charset, "utf-8")
}
