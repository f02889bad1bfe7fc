package dodo

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"path"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/services"
	v1 "github.com/seed42445051/scrip/v1"
	"github.com/seed42445051/scrip/wallet"
)

// Options are what an operator may add. The zero value is complete.
type Options struct {
	// Log receives failures of our side; nothing when nil.
	Log *slog.Logger
}

// server is the state of the handler: the services, and nothing of its own.
type server struct {
	services.Set
	log *slog.Logger
	mux *http.ServeMux
}

// New returns the handler. It is to be mounted under a prefix with http.StripPrefix.
func New(all services.Set, opts Options) http.Handler {
	s := &server{Set: all, log: opts.Log, mux: http.NewServeMux()}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	paths := map[string]map[string]route{}
	for _, routes := range table {
		for _, rt := range routes {
			if paths[rt.path] == nil {
				paths[rt.path] = map[string]route{}
			}
			paths[rt.path][rt.method] = rt
		}
	}
	for path, methods := range paths {
		s.mux.HandleFunc(path, s.serve(methods))
	}
	s.mux.HandleFunc("/", s.notFound)
	return s
}

// route is one line of the table: where a call is, and what it does.
type route struct {
	method, path string
	status       int // of a success
	run          func(*call) (any, error)
}

// table is every route, by what it is about.
var table = [][]route{
	entitlementRoutes, balanceRoutes, customerRoutes, productRoutes, meterRoutes, eventRoutes, subscriptionRoutes, webhookRoutes,
	checkoutRoutes, paymentRoutes, refundRoutes, methodRoutes,
}

// call is a request that was let in.
type call struct {
	context.Context
	*services.Session
	clock clock.Clock
	app   string // the vendor's business, and its primary brand
	mode  catalog.Mode
	r     *http.Request
	query url.Values
	body  []byte
}

// path is a part of the path. Ids may hold any character, so the SDKs escape them.
func (c *call) path(name string) string { return c.r.PathValue(name) }

// wallet is the wallet of a customer of the caller's.
func (c *call) wallet(customer string) id.Wallet {
	return wallet.Key{App: c.app, Mode: c.mode, Customer: customer}.ID()
}

// ServeHTTP routes a request, and outlives a panic behind it.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer s.recover(w, r)
	if p := r.URL.EscapedPath(); path.Clean(p) != p {
		s.notFound(w, r) // the mux would redirect, and lose the body
		return
	}
	s.mux.ServeHTTP(w, r)
}

func (s *server) recover(w http.ResponseWriter, r *http.Request) {
	cause := recover()
	if cause == nil {
		return
	}
	if cause == http.ErrAbortHandler {
		panic(cause)
	}
	s.log.ErrorContext(r.Context(), "panic", "route", r.Pattern, "cause", cause, "stack", string(debug.Stack()))
	s.refuse(w, r, fault.New("dodo.recover", fault.CodeInternalError, "panic"))
}

func (s *server) notFound(w http.ResponseWriter, r *http.Request) {
	s.refuse(w, r, fault.New("dodo.notFound", fault.CodeNotFound, "there is nothing at this path"))
}

// serve answers the calls of one path. The method is told apart here and not by the mux, which
// takes a path of one method and a pattern of another for ambiguous.
func (s *server) serve(methods map[string]route) http.HandlerFunc {
	allowed := strings.Join(slices.Sorted(maps.Keys(methods)), ", ")
	return func(w http.ResponseWriter, r *http.Request) {
		rt, ok := methods[r.Method]
		if !ok {
			w.Header().Set("Allow", allowed)
			s.refuse(w, r, fault.New("dodo.serve", fault.CodeMethodNotAllowed, "this path has %s only", allowed))
			return
		}
		c, err := s.admit(w, r)
		var out any
		if err == nil {
			out, err = rt.run(c)
		}
		if err != nil {
			s.refuse(w, r, err)
			return
		}
		write(w, rt.status, out)
	}
}

// admit finds out who asks, and reads what they ask.
func (s *server) admit(w http.ResponseWriter, r *http.Request) (*call, error) {
	const op = "dodo.admit"
	who, err := s.Accounts.Authenticate(r.Context(), bearer(r.Header))
	if err != nil {
		return nil, err
	}
	if !who.CanWrite() {
		return nil, fault.New(op, fault.CodeRequiresSecretKey, "this interface needs a secret key")
	}
	if r.Method != http.MethodGet {
		if err := s.Accounts.Operate(r.Context(), who); err != nil {
			return nil, err
		}
	}
	c := &call{Context: r.Context(), Session: s.As(who, ""), clock: s.Credits.Clock, app: who.App, mode: who.Mode, r: r}
	if c.query, err = url.ParseQuery(r.URL.RawQuery); err != nil {
		return nil, invalidQuery("the query is not well-formed")
	}
	c.body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, v1.MaxEventsBody))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return nil, fault.New(op, fault.CodeRequestTooLarge, "the body has more than %d bytes", v1.MaxEventsBody)
	}
	if err != nil {
		return nil, fault.New(op, fault.CodeInvalidJSON, "the body did not arrive whole").Because(err)
	}
	return c, nil
}

func bearer(h http.Header) string {
	scheme, key, _ := strings.Cut(h.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(key)
}

// write sends an answer; nil is one without a body, and then without a content type, which the
// SDK would otherwise parse (dodo.md section 1.2).
func write(w http.ResponseWriter, status int, body any) {
	if body == nil {
		w.WriteHeader(status)
		return
	}
	if page, ok := body.(v1.HTML); ok {
		page.ServeHTTP(w, nil)
		return
	}
	text, err := json.Marshal(body)
	if err != nil {
		panic(err) // a type of ours that JSON cannot hold
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(text)
}
