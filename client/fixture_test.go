package client

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/seed42445051/scrip/accounts"
	"github.com/seed42445051/scrip/api"
	"github.com/seed42445051/scrip/billing"
	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/credits"
	"github.com/seed42445051/scrip/engine"
	"github.com/seed42445051/scrip/internal/selltest"
	"github.com/seed42445051/scrip/metering"
	"github.com/seed42445051/scrip/money"
	"github.com/seed42445051/scrip/notify"
	"github.com/seed42445051/scrip/services"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/store/sqlite"
	v1 "github.com/seed42445051/scrip/v1"
)

// fixture is the API over a real database, reached in process and over HTTP.
type fixture struct {
	t       testing.TB
	clock   *clock.Manual
	all     services.Set
	pages   http.Handler  // of the sandbox
	direct  v1.Operations // the same app, mode and key without HTTP
	key     string
	core    *credits.Core
	meters  *metering.Core
	plans   *billing.Core
	acc     *accounts.Accounts
	hooks   *notify.Service
	who     accounts.Identity
	handler http.Handler
}

func newFixture(t testing.TB) *fixture {
	t.Helper()
	ctx := context.Background()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	st, err := sqlite.Open(ctx, filepath.Join(t.TempDir(), "scrip.db")+"?sync=off")
	must(err)
	t.Cleanup(func() { st.Close() })
	must(st.Migrate(ctx))
	f := &fixture{t: t, clock: clock.NewManual(1_770_000_000_000_000)}
	e := engine.New(st, engine.Options{Clock: f.clock, Receivers: services.Receivers(false)})
	t.Cleanup(func() { e.Close(ctx) })
	core := &credits.Core{Engine: e, Store: st, Clock: f.clock}
	f.acc = &accounts.Accounts{Store: st, Engine: e, Clock: f.clock}
	f.core = core
	f.meters = &metering.Core{Engine: e, Store: st, Clock: f.clock}
	f.plans = &billing.Core{Engine: e, Store: st, Clock: f.clock}
	f.hooks = notify.New(notify.Options{Store: st, Engine: e, Clock: clock.System{}, Log: slog.New(slog.DiscardHandler), Allow: notify.AllowLoopback})
	f.all = services.Set{Accounts: f.acc, Credits: core, Metering: f.meters, Billing: f.plans, Notify: f.hooks}
	f.pages = selltest.Sell(t, &f.all, st, e, f.clock)
	f.handler = api.New(f.all, api.Options{})
	f.use("app")
	return f
}

// use acts for a new app from now on.
func (f *fixture) use(name string) {
	f.t.Helper()
	ctx := context.Background()
	app, err := f.acc.App(ctx, name)
	if err != nil {
		f.t.Fatal(err)
	}
	key, text, err := f.acc.CreateKey(ctx, app.ID, catalog.Test, store.Secret, "")
	if err != nil {
		f.t.Fatal(err)
	}
	f.key = text
	f.who = accounts.Identity{App: app.ID, Mode: catalog.Test, Kind: store.Secret, Key: key.ID}
	f.direct = f.all.As(f.who, "")
}

// serve starts a server of a handler.
func serve(t *testing.T, h http.Handler) string {
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

// calling is a client of a server that notes its pauses instead of waiting.
func calling(t *testing.T, url, key string, opts ...Option) (*Client, *pauses) {
	t.Helper()
	p := &pauses{}
	c, err := New(url, key, append([]Option{WithWaiter(p)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.http.CloseIdleConnections)
	return c, p
}

// pauses is a clock.Waiter that never waits, and remembers for how long it should have.
type pauses struct {
	mu   sync.Mutex
	took []time.Duration
}

// After fires at once.
func (p *pauses) After(d time.Duration) <-chan time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.took = append(p.took, d)
	c := make(chan time.Time, 1)
	c <- time.Time{}
	return c
}

// world defines a credit and a pack, and gives customer c 100 credits.
func (f *fixture) world() {
	f.t.Helper()
	ctx := context.Background()
	if _, err := f.direct.CreateCredit(ctx, v1.CreateCredit{Name: "api", Unit: "call", Precision: 2}); err != nil {
		f.t.Fatal(err)
	}
	if _, err := f.direct.CreatePlan(ctx, v1.CreatePlan{Name: "pro", Price: 900}); err != nil {
		f.t.Fatal(err)
	}
	if _, err := f.direct.CreatePack(ctx, v1.CreatePack{Name: "starter", Items: []v1.PackItem{{CreditID: "api", Amount: "50"}}}); err != nil {
		f.t.Fatal(err)
	}
	if _, err := f.direct.Grant(ctx, v1.GrantRequest{CustomerID: "c", CreditID: "api", Amount: "100"}); err != nil {
		f.t.Fatal(err)
	}
}

func charge(amount string) v1.Charge {
	return v1.Charge{CustomerID: "c", CreditID: "api", Amount: money.Decimal(amount)}
}
