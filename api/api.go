package api

import (
	"bytes"
	"context"
	_ "embed" // openapi.json
	"encoding/json"
	"log/slog"
	"net/http"
	"path"
	"runtime/debug"
	"strings"
	"sync"

	"github.com/seed42445051/scrip/accounts"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/services"
	v1 "github.com/seed42445051/scrip/v1"
)

// openAPI is the committed document.
//
//go:embed openapi.json
var openAPI []byte

// Options are what an operator may add. The zero value is complete.
type Options struct {
	// Log receives failures of our side; nothing when nil. At debug it receives every request.
	Log *slog.Logger
	// Ready tells whether requests can be served, for /readyz; always when nil.
	Ready func(context.Context) error
	// Mount adds handlers under patterns of http.ServeMux, such as "GET /metrics". They are
	// served as they are, without authentication.
	Mount map[string]http.Handler
}

// server is the state of the handler.
type server struct {
	gate
	clock clock.Clock
	log   *slog.Logger
	mux   *http.ServeMux
	ops   func(accounts.Identity) v1.Operations
}

// New returns the handler of the whole API: /v1, /openapi.json, /healthz, /readyz and what the
// options mount.
func New(s services.Set, opts Options) http.Handler {
	return newServer(s.Accounts, s.Accounts.Clock, opts, func(who accounts.Identity) v1.Operations { return s.As(who, "") })
}

func newServer(keys authenticator, now clock.Clock, opts Options, ops func(accounts.Identity) v1.Operations) *server {
	s := &server{gate: gate{keys}, clock: now, log: opts.Log, mux: http.NewServeMux(), ops: ops}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	for _, section := range sections {
		for i := range section.routes {
			rt := &section.routes[i]
			s.mux.HandleFunc(rt.method+" "+rt.path, s.serve(rt))
			if rt.access != secretOnly {
				s.mux.HandleFunc(http.MethodOptions+" "+rt.path, preflight)
			}
		}
	}
	s.mux.HandleFunc("GET /openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Write(openAPI)
	})
	s.mux.HandleFunc("GET "+outboxPath, s.outbox)
	s.mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { s.write(w, "application/json", http.StatusOK, up{"ok"}) })
	s.mux.HandleFunc("GET /readyz", s.readyz(opts.Ready))
	s.mux.HandleFunc("/", s.notFound)
	for pattern, h := range opts.Mount {
		s.mux.Handle(pattern, h)
	}
	return s
}

// up is the body of /healthz and /readyz.
type up struct {
	Status string `json:"status"`
}

func (s *server) readyz(ready func(context.Context) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if ready != nil {
			if err := ready(r.Context()); err != nil {
				s.problem(w, r, fault.New("api.readyz", fault.CodeStoreUnavailable, "").Because(err))
				return
			}
		}
		s.write(w, "application/json", http.StatusOK, up{"ok"})
	}
}

func (s *server) notFound(w http.ResponseWriter, r *http.Request) {
	if allowed := s.methods(r); allowed != "" {
		w.Header().Set("Allow", allowed)
		s.problem(w, r, fault.New("api.notFound", fault.CodeMethodNotAllowed, "this path has %s only", allowed))
		return
	}
	s.nowhere(w, r)
}

func (s *server) nowhere(w http.ResponseWriter, r *http.Request) {
	s.problem(w, r, fault.New("api.nowhere", fault.CodeNotFound, "there is nothing at this path: GET /openapi.json lists what there is"))
}

// methods lists those with which a path leads somewhere.
func (s *server) methods(r *http.Request) string {
	var allowed []string
	for _, method := range []string{post, read, put, patch} {
		probe := &http.Request{Method: method, URL: r.URL, Host: r.Host}
		if _, pattern := s.mux.Handler(probe); pattern != "/" {
			allowed = append(allowed, method)
		}
	}
	return strings.Join(allowed, ", ")
}

// ServeHTTP routes a request, outlives a panic behind it, and logs it where debug is on.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer s.recover(w, r)
	if p := r.URL.EscapedPath(); strings.HasPrefix(p, "/v1/") && path.Clean(p) != p {
		s.nowhere(w, r) // the mux would redirect, and lose the body
		return
	}
	if !s.log.Enabled(r.Context(), slog.LevelDebug) {
		s.mux.ServeHTTP(w, r)
		return
	}
	seen := &statusWriter{ResponseWriter: w, status: http.StatusOK}
	start := s.clock.Now()
	s.mux.ServeHTTP(seen, r)
	// The pattern, not the path: paths name customers.
	s.log.LogAttrs(r.Context(), slog.LevelDebug, "request", slog.String("method", r.Method), slog.String("route", r.Pattern),
		slog.Int("status", seen.status), slog.Duration("took", s.clock.Now().Sub(start)))
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
	s.problem(w, r, fault.New("api.recover", fault.CodeInternalError, "panic"))
}

type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController find what the writer can do.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// serve is what every route does: who asks, what is asked, the operation, the answer.
func (s *server) serve(rt *route) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if rt.access != secretOnly {
			w.Header().Set("Access-Control-Allow-Origin", "*")
		}
		out, err := s.answer(w, r, rt)
		if err != nil {
			s.problem(w, r, err)
			return
		}
		if page, ok := out.(v1.HTML); ok {
			page.ServeHTTP(w, r)
			return
		}
		s.write(w, "application/json", rt.status, out)
	}
}

func (s *server) answer(w http.ResponseWriter, r *http.Request, rt *route) (any, error) {
	who, err := s.admit(r, rt)
	if err != nil {
		return nil, err
	}
	out, err := s.call(w, r, rt, who)
	if err != nil {
		if refused := s.confirm(r, rt); refused != nil {
			return nil, refused
		}
	}
	return out, err
}

func (s *server) call(w http.ResponseWriter, r *http.Request, rt *route, who accounts.Identity) (out any, err error) {
	in := input{id: r.PathValue("id")}
	if rt.method == read {
		if in.query, err = parseQuery(r.URL); err != nil {
			return nil, err
		}
		return rt.call(r.Context(), s.ops(who), &in)
	}
	if in.opts, err = idempotency(r.Header); err != nil {
		return nil, err
	}
	if !rt.free {
		if err := s.keys.Operate(r.Context(), who); err != nil {
			return nil, err
		}
	}
	buffer := buffers.Get().(*bytes.Buffer)
	defer release(buffer)
	if streams(r, rt) {
		return rt.stream(r.Context(), s.ops(who), r)
	}
	if err := readBody(w, r, buffer, rt.most()); err != nil {
		return nil, err
	}
	in.body = buffer.Bytes()
	return rt.call(r.Context(), s.ops(who), &in)
}

// buffers keeps the buffers of bodies, read and written.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

func release(b *bytes.Buffer) {
	const most = 64 << 10 // a rare large body should not be kept
	if b.Cap() <= most {
		b.Reset()
		buffers.Put(b)
	}
}

// write sends a body, encoded whole before the status is sent.
func (s *server) write(w http.ResponseWriter, contentType string, status int, body any) {
	buffer := buffers.Get().(*bytes.Buffer)
	defer release(buffer)
	encoder := json.NewEncoder(buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(body); err != nil {
		panic(err) // a type of ours that JSON cannot hold
	}
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	w.Write(buffer.Bytes())
}
