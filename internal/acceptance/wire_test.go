package acceptance

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/seed42445051/scrip/api"
	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/client"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/store"
	v1 "github.com/seed42445051/scrip/v1"
)

// wire is a world behind HTTP.
type wire struct {
	t    testing.TB
	base string
	http *http.Client
}

// serve puts a server's handler behind HTTP until the test ends.
func (s *server) serve(t testing.TB) *wire {
	t.Helper()
	srv := httptest.NewServer(api.New(s.services(), api.Options{Ready: s.core.Store.Ping}))
	t.Cleanup(srv.Close)
	return newWire(t, srv.URL)
}

// newWire calls the server at an address.
func newWire(t testing.TB, base string) *wire {
	transport := &http.Transport{MaxIdleConnsPerHost: 256}
	t.Cleanup(transport.CloseIdleConnections)
	return &wire{t: t, base: base, http: &http.Client{Transport: transport}}
}

// newKey makes a key of an app and returns its id and text.
func (s *server) newKey(t testing.TB, app store.App, mode catalog.Mode, kind store.KeyKind) (id, text string) {
	t.Helper()
	key, text, err := s.accounts.CreateKey(context.Background(), app.ID, mode, kind, "")
	noError(t, err)
	return key.ID, text
}

// client is the Go client of the world under a key. It sends every call once, so that what a
// test sees is what the server said.
func (w *wire) client(key string, opts ...client.Option) *client.Client {
	w.t.Helper()
	c, err := client.New(w.base, key, append([]client.Option{client.WithHTTPClient(w.http), client.WithRetries(0)}, opts...)...)
	noError(w.t, err)
	return c
}

// reply is an answer as it came over the wire.
type reply struct {
	status int
	header http.Header
	body   []byte
	code   fault.Code // of a problem
}

// call sends a body as it is. Headers come in pairs.
func (w *wire) call(key, method, path string, body any, headers ...string) reply {
	w.t.Helper()
	var text []byte
	switch body := body.(type) {
	case nil:
	case string:
		text = []byte(body)
	default:
		text = toJSON(w.t, body)
	}
	req, err := http.NewRequestWithContext(context.Background(), method, w.base+path, bytes.NewReader(text))
	noError(w.t, err)
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := w.http.Do(req)
	noError(w.t, err)
	defer res.Body.Close()
	r := reply{status: res.StatusCode, header: res.Header}
	r.body, err = io.ReadAll(res.Body)
	noError(w.t, err)
	if r.status >= 400 {
		var p struct{ Code fault.Code }
		if err := json.Unmarshal(r.body, &p); err != nil {
			w.t.Fatalf("%d with a body that is no problem: %s", r.status, r.body)
		}
		r.code = p.Code
	}
	return r
}

// is fails the test unless a reply has this status and code.
func (r reply) is(t testing.TB, status int, code fault.Code) {
	t.Helper()
	if r.status != status || r.code != code {
		t.Fatalf("%d %s, want %d %s: %s", r.status, r.code, status, code, r.body)
	}
}

// read decodes the body of an answer.
func read[T any](t testing.TB, r reply) T {
	t.Helper()
	var v T
	if r.status >= 300 {
		t.Fatalf("status %d: %s", r.status, r.body)
	}
	noError(t, json.Unmarshal(r.body, &v))
	return v
}

// wired is PixelForge behind HTTP: what the fixture does, it does with the Go client.
type wired struct {
	*forge
	*wire
	secret string
	client *client.Client
}

func newWired(t *testing.T, db *database) *wired {
	t.Helper()
	f := newForge(t, db)
	w := &wired{forge: f, wire: f.serve(t)}
	_, w.secret = f.newKey(t, f.app, catalog.Live, store.Secret)
	w.client = w.wire.client(w.secret)
	return w
}

// post sends a body under the secret key.
func (w *wired) post(path string, body any) reply {
	w.forge.t.Helper()
	return w.call(w.secret, http.MethodPost, path, body)
}

var _ v1.Operations = (*client.Client)(nil)
