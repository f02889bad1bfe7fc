package api

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed42445051/scrip/accounts"
	"github.com/seed42445051/scrip/billing"
	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/credits"
	"github.com/seed42445051/scrip/engine"
	"github.com/seed42445051/scrip/internal/selltest"
	"github.com/seed42445051/scrip/metering"
	"github.com/seed42445051/scrip/notify"
	"github.com/seed42445051/scrip/services"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/store/sqlite"
)

// start is where every test's clock begins.
const start = clock.Instant(1_770_000_000_000_000)

// fixture is a server over a real database, with a key of every sort.
type fixture struct {
	all   services.Set
	pages http.Handler // of the sandbox
	t     testing.TB
	url   string
	clock *clock.Manual
	acc   *accounts.Accounts
	core  *credits.Core
	hooks *notify.Service

	app, test, live, other, publishable, revoked string // the app's id, and keys by what they are
}

func newFixture(t testing.TB, opts Options) *fixture {
	t.Helper()
	ctx := context.Background()
	st, err := sqlite.Open(ctx, filepath.Join(t.TempDir(), "scrip.db")+"?sync=off")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	if err := st.Migrate(ctx); err != nil {
		t.Fatal(err)
	}
	now := clock.NewManual(start)
	e := engine.New(st, engine.Options{Clock: now, Receivers: services.Receivers(false)})
	t.Cleanup(func() { e.Close(ctx) })
	f := &fixture{t: t, clock: now}
	f.core = &credits.Core{Engine: e, Store: st, Clock: now}
	f.acc = &accounts.Accounts{Store: st, Engine: e, Clock: now}
	f.other = f.newKey(f.newApp("theirs"), catalog.Test, store.Secret)
	f.use("ours")
	key, text, err := f.acc.CreateKey(ctx, f.app, catalog.Test, store.Secret, "revoked")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.acc.RevokeKey(ctx, f.app, key.ID); err != nil {
		t.Fatal(err)
	}
	f.revoked = text
	f.hooks = notify.New(notify.Options{Store: st, Engine: e, Clock: now, Log: slog.New(slog.DiscardHandler), Allow: notify.AllowLoopback})
	f.all = services.Set{Accounts: f.acc, Credits: f.core, Metering: &metering.Core{Engine: e, Store: st, Clock: now}, Billing: &billing.Core{Engine: e, Store: st, Clock: now}, Notify: f.hooks}
	f.pages = selltest.Sell(t, &f.all, st, e, now)
	server := httptest.NewServer(New(f.all, opts))
	t.Cleanup(server.Close)
	f.url = server.URL
	return f
}

// use acts for a new app from now on.
func (f *fixture) use(name string) {
	f.t.Helper()
	f.app = f.newApp(name)
	f.test = f.newKey(f.app, catalog.Test, store.Secret)
	f.live = f.newKey(f.app, catalog.Live, store.Secret)
	f.publishable = f.newKey(f.app, catalog.Test, store.Publishable)
}

func (f *fixture) newApp(name string) string {
	f.t.Helper()
	app, err := f.acc.App(context.Background(), name)
	if err != nil {
		f.t.Fatal(err)
	}
	return app.ID
}

func (f *fixture) newKey(app string, mode catalog.Mode, kind store.KeyKind) string {
	f.t.Helper()
	_, text, err := f.acc.CreateKey(context.Background(), app, mode, kind, "")
	if err != nil {
		f.t.Fatal(err)
	}
	return text
}

// answer is a response that was read.
type answer struct {
	status int
	header http.Header
	text   string
	body   map[string]any
}

// at reads a value deep in the body; nil when it is not there.
func (a answer) at(path ...any) any {
	var v any = a.body
	for _, step := range path {
		switch step := step.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[step]
		case int:
			l, _ := v.([]any)
			if step >= len(l) {
				return nil
			}
			v = l[step]
		}
	}
	return v
}

// text reads a text deep in the body.
func (f *fixture) text(a answer, path ...any) string {
	f.t.Helper()
	s, ok := a.at(path...).(string)
	if !ok {
		f.t.Fatalf("no text at %v of %s", path, a.text)
	}
	return s
}

// send makes a request. Headers are pairs of name and value; a body is JSON unless they say
// otherwise.
func (f *fixture) send(key, method, path, body string, headers ...string) answer {
	f.t.Helper()
	r, err := http.NewRequest(method, f.url+path, strings.NewReader(body))
	if err != nil {
		f.t.Fatal(err)
	}
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		f.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		f.t.Fatal(err)
	}
	a := answer{status: res.StatusCode, header: res.Header, text: string(text)}
	if json.Valid(text) {
		if err := json.Unmarshal(text, &a.body); err != nil {
			f.t.Fatalf("%s %s answered %s", method, path, text)
		}
	}
	return a
}

// must makes a request of the test key that has to succeed.
func (f *fixture) must(method, path, body string, headers ...string) answer {
	f.t.Helper()
	a := f.send(f.test, method, path, body, headers...)
	if a.status >= 300 {
		f.t.Fatalf("%s %s %s answered %d %s", method, path, body, a.status, a.text)
	}
	return a
}
