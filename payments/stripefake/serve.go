package stripefake

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/seed42445051/scrip/clock"
)

// Limits of a request, and how long the outcome of an idempotency key is kept.
const (
	mostBody      = 1 << 20 // bytes
	mostKeyLength = 255
	keyKept       = 24 * time.Hour
)

// Request is what was asked of the API, as Requests returns it.
type Request struct {
	Method         string
	Path           string
	Form           url.Values // of the body and the query
	IdempotencyKey string
	Authorization  string // with the secret part of the key masked
	Status         int    // of the answer; 0 while there is none, and when the connection was cut
	Replayed       bool   // the answer is that of an earlier request with the same key
}

// answer is what a request is told.
type answer struct {
	status   int
	body     []byte
	id       string // of the request, as in the events that it caused
	replayed bool
	cut      bool // the connection is reset instead
}

// keyed is what an idempotency key stands for.
type keyed struct {
	what    string // method, path and parameters
	at      clock.Instant
	running bool
	answer  answer
}

// cause is the request that an event came of.
type cause struct {
	ID  string `json:"id"`
	Key ref    `json:"idempotency_key"`
}

// call is one request on its way through a route.
type call struct {
	*form
	id   string // in the path
	path string
	base string // where this fake can be reached, without a slash at the end
}

// route is one call of the API.
type route struct {
	pattern string // as http.ServeMux reads it
	params  *spec
	run     func(*Fake, *call) (any, error)
}

// ServeHTTP answers the API below /v1/, the pages that stand in for Stripe's,
// and the controls below /_control/.
//
// Every connection is closed after one answer: Go's transport quietly sends a
// request again when a connection that it reuses breaks, and a fault would be
// hidden from the client under test.
func (f *Fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Connection", "close")
	f.mux.ServeHTTP(w, r)
}

// Requests returns what was asked of the API so far, in order. Pages and
// controls are not in it.
func (f *Fake) Requests() []Request {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := make([]Request, len(f.requests))
	for i, r := range f.requests {
		all[i] = *r
	}
	return all
}

func (f *Fake) newMux() *http.ServeMux {
	mux := http.NewServeMux()
	for _, rt := range routes {
		mux.HandleFunc(rt.pattern, func(w http.ResponseWriter, r *http.Request) { f.serve(w, r, &rt) })
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { f.serve(w, r, nil) })
	f.addPages(mux)
	f.addControls(mux)
	return mux
}

// serve answers one request of the API; a nil route is one that there is not.
func (f *Fake) serve(w http.ResponseWriter, r *http.Request, rt *route) {
	values, err := readValues(w, r)
	entry := f.record(r, values)
	a := f.answer(r, rt, values, err)
	f.mu.Lock()
	entry.Replayed = a.replayed
	if !a.cut {
		entry.Status = a.status
	}
	f.mu.Unlock()
	if a.cut {
		reset(w)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Request-Id", a.id)
	if a.replayed {
		h.Set("Idempotent-Replayed", "true")
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body) // a client that has gone away is not our error
}

// readValues reads the parameters: of the query, and of the body of a POST.
func readValues(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return values, invalid("", "", "The query cannot be read: %v", err)
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, mostBody))
	if err != nil {
		return values, invalid("", "", "The body cannot be read: %v", err)
	}
	if len(body) == 0 {
		return values, nil
	}
	if kind := r.Header.Get("Content-Type"); !strings.HasPrefix(kind, "application/x-www-form-urlencoded") {
		return values, invalid("", "", "Invalid content type %q: send application/x-www-form-urlencoded.", kind)
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return values, invalid("", "", "The body cannot be read: %v", err)
	}
	for name, all := range form {
		values[name] = append(values[name], all...)
	}
	return values, nil
}

func (f *Fake) record(r *http.Request, values url.Values) *Request {
	f.mu.Lock()
	defer f.mu.Unlock()
	entry := &Request{
		Method: r.Method, Path: r.URL.Path, Form: values,
		IdempotencyKey: r.Header.Get("Idempotency-Key"), Authorization: mask(r.Header.Get("Authorization")),
	}
	f.requests = append(f.requests, entry)
	return entry
}

// mask keeps of an Authorization header what kind of key it has.
func mask(header string) string {
	scheme, secret, _ := strings.Cut(header, " ")
	if secret == "" {
		return ""
	}
	for _, prefix := range []string{"sk_test_", "rk_test_", "sk_live_", "rk_live_"} {
		if strings.HasPrefix(secret, prefix) {
			return scheme + " " + prefix + "***"
		}
	}
	return scheme + " ***"
}

// authorized tells whether a request has a secret key of the fake's mode.
func (f *Fake) authorized(r *http.Request) bool {
	scheme, secret, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if strings.EqualFold(scheme, "Basic") {
		decoded, _ := base64.StdEncoding.DecodeString(secret)
		secret, _, _ = strings.Cut(string(decoded), ":")
	} else if !strings.EqualFold(scheme, "Bearer") {
		return false
	}
	mode := "test_"
	if f.live {
		mode = "live_"
	}
	body, ok := strings.CutPrefix(secret, "sk_"+mode)
	if !ok {
		body, ok = strings.CutPrefix(secret, "rk_"+mode)
	}
	return ok && body != ""
}

// answer decides what a request is told.
func (f *Fake) answer(r *http.Request, rt *route, values url.Values, readErr error) answer {
	welcome := f.authorized(r)
	f.lock()
	id, fault := f.newID("req"), FaultKind("")
	if welcome {
		fault = f.takeFault(r.URL.Path)
	}
	f.mu.Unlock()
	if !welcome {
		return refusal(id, failure(http.StatusUnauthorized, typeInvalid, "", "Invalid API Key provided: "+mask(r.Header.Get("Authorization"))))
	}
	if a, ok := faultBefore(id, fault); ok {
		return a
	}
	if rt == nil {
		return refusal(id, failure(http.StatusNotFound, typeInvalid, "", "Unrecognized request URL ("+r.Method+": "+r.URL.Path+")."))
	}
	if readErr != nil {
		return refusal(id, readErr)
	}
	key := ""
	if r.Method == http.MethodPost {
		key = r.Header.Get("Idempotency-Key")
	}
	if a, ok := f.begin(id, key, r.Method+" "+r.URL.Path+"?"+values.Encode()); ok {
		return a
	}
	if fault == Hold {
		f.hold(r.Context())
	}
	a, executed := f.execute(r, rt, values, &cause{ID: id, Key: ref(key)})
	if fault == ErrorAfter {
		a = refusal(id, serverError())
	}
	f.end(key, a, executed)
	a.cut = fault == ResetAfter
	return a
}

func refusal(id string, err error) answer {
	e := asAPIError(err)
	body, _ := json.Marshal(map[string]errorBody{"error": e.body}) // plain values: it cannot fail
	return answer{status: e.status, body: body, id: id}
}

// begin looks an idempotency key up. It returns the answer when there is one;
// otherwise the key is in use until end.
func (f *Fake) begin(id, key, what string) (answer, bool) {
	if key == "" {
		return answer{}, false
	}
	if len(key) > mostKeyLength {
		return refusal(id, invalid("", "", "The idempotency key is longer than %d characters.", mostKeyLength)), true
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	known := f.keys[key]
	switch {
	case known == nil, !known.running && f.now() >= known.at.Add(keyKept):
		f.keys[key] = &keyed{what: what, at: f.now(), running: true}
		return answer{}, false
	case known.running:
		return refusal(id, failure(http.StatusConflict, typeInvalid, "idempotency_key_in_use",
			"There is another request in progress with this idempotency key: "+key)), true
	case known.what != what:
		return refusal(id, failure(http.StatusBadRequest, typeIdempotency, "",
			"Keys for idempotent requests can only be used with the parameters they were first used with: "+key)), true
	}
	a := known.answer
	a.replayed = true
	return a, true
}

// end keeps the answer of what was executed, and forgets the key of what was not.
func (f *Fake) end(key string, a answer, executed bool) {
	if key == "" {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if !executed {
		delete(f.keys, key)
		return
	}
	f.keys[key].answer = a
	f.keys[key].running = false
}

// execute carries a call out, and tells whether it got as far as that.
func (f *Fake) execute(r *http.Request, rt *route, values url.Values, by *cause) (answer, bool) {
	params, err := parseForm(values)
	if err == nil {
		err = rt.params.check(params)
	}
	if err != nil {
		return refusal(by.ID, err), false
	}
	f.lock()
	defer f.mu.Unlock()
	f.cause = by
	defer func() { f.cause = nil }()
	c := &call{form: params, id: r.PathValue("id"), path: r.URL.Path, base: "http://" + r.Host}
	result, err := rt.run(f, c)
	if err == nil {
		result, err = f.expand(result, params.texts("expand"))
	}
	if err != nil {
		return refusal(by.ID, err), !asAPIError(err).checked
	}
	body, err := encode(result)
	if err != nil {
		return refusal(by.ID, err), true
	}
	return answer{status: http.StatusOK, body: body, id: by.ID}, true
}

// encode writes JSON as Stripe does: URLs stay readable.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return b.Bytes(), err
}

// reset cuts the connection off without an answer, so that the client cannot
// tell what became of its request.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // what cannot be hijacked is aborted by its server
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // close with a reset rather than an end
	}
	_ = conn.Close()
}
