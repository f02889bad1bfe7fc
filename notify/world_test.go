package notify_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/seed42445051/scrip/billing"
	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/credits"
	"github.com/seed42445051/scrip/engine"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/internal/pgtest"
	"github.com/seed42445051/scrip/money"
	"github.com/seed42445051/scrip/notify"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/store/postgres"
	"github.com/seed42445051/scrip/store/sqlite"
	v1 "github.com/seed42445051/scrip/v1"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m, pgtest.WithoutFsync())) }

// begin is where every test's clock begins.
const begin = clock.Instant(1_770_000_000_000_000)

// world is an app over a database, with a clock that stands still.
type world struct {
	t     *testing.T
	ctx   context.Context
	store store.Store
	clock *clock.Manual
	*server
	app string
}

// pausing stands still for every decision, while the pauses between retries really pass.
type pausing struct{ *clock.Manual }

// After really waits.
func (pausing) After(d time.Duration) <-chan time.Time { return time.After(d) }

// server is what one process has.
type server struct {
	engine  *engine.Engine
	core    *credits.Core
	billing *billing.Core
	service *notify.Service
}

func newWorld(t *testing.T, options ...func(*notify.Options)) *world {
	st, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "scrip.db")+"?sync=off")
	if err != nil {
		t.Fatal(err)
	}
	return newWorldOver(t, st, options...)
}

func newPostgresWorld(t *testing.T) *world {
	st, err := postgres.Open(t.Context(), pgtest.URL(t), postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return newWorldOver(t, st)
}

func newWorldOver(t *testing.T, st store.Store, options ...func(*notify.Options)) *world {
	t.Helper()
	w := &world{t: t, ctx: context.WithoutCancel(t.Context()), store: st, clock: clock.NewManual(begin), app: id.New(id.PrefixApp)}
	t.Cleanup(func() { st.Close() })
	w.must(st.Migrate(w.ctx))
	w.must(st.CreateApp(w.ctx, store.App{ID: w.app, Name: "app", Version: 1, CreatedAt: begin}))
	w.server = w.startServer(options...)
	_, err := w.live().CreateCredit(w.ctx, v1.CreateCredit{Name: "api", Unit: "call", Precision: 2, LowBalance: "10"})
	w.must(err)
	return w
}

// startServer makes another process on the same database. It sends nothing yet.
func (w *world) startServer(options ...func(*notify.Options)) *server {
	e := engine.New(w.store, engine.Options{Clock: pausing{w.clock}})
	w.t.Cleanup(func() { e.Close(w.ctx) })
	o := notify.Options{Store: w.store, Engine: e, Clock: w.clock, Log: slog.New(slog.NewTextHandler(w.t.Output(), nil)), Allow: notify.AllowLoopback}
	for _, option := range options {
		option(&o)
	}
	return &server{
		engine: e, service: notify.New(o),
		core:    &credits.Core{Engine: e, Store: w.store, Clock: w.clock},
		billing: &billing.Core{Engine: e, Store: w.store, Clock: w.clock},
	}
}

// dispatch sends what is due until the test ends.
func (w *world) dispatch() *notify.Dispatcher { return w.dispatchFrom(w.server) }

func (w *world) dispatchFrom(s *server) *notify.Dispatcher {
	d := s.service.Start()
	w.t.Cleanup(func() {
		now, cancel := context.WithCancel(w.ctx) // a receiver may hang
		cancel()
		d.Close(now)
	})
	return d
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) caller() v1.Caller { return v1.Caller{App: w.app, Mode: catalog.Live} }

func (w *world) live() *credits.Session { return w.as(catalog.Live) }

func (w *world) as(mode catalog.Mode) *credits.Session {
	return w.core.As(v1.Caller{App: w.app, Mode: mode})
}

func (w *world) plans() *billing.Session { return w.billing.As(w.caller()) }

func (w *world) hooks() *notify.Session {
	return w.service.As(w.caller())
}

// endpoint sends events to a receiver.
func (w *world) endpoint(url string, edit ...func(*v1.CreateWebhookEndpoint)) v1.WebhookEndpoint {
	w.t.Helper()
	r := v1.CreateWebhookEndpoint{URL: url}
	for _, e := range edit {
		e(&r)
	}
	e, err := w.hooks().CreateWebhookEndpoint(w.ctx, r)
	w.must(err)
	return e
}

func (w *world) grant(customer, amount string) v1.Grant {
	w.t.Helper()
	g, err := w.live().Grant(w.ctx, v1.GrantRequest{CustomerID: customer, CreditID: "api", Amount: money.Decimal(amount)})
	w.must(err)
	return g.Grants[0]
}

func charge(customer, amount string) v1.Charge {
	return v1.Charge{CustomerID: customer, CreditID: "api", Amount: money.Decimal(amount)}
}

func (w *world) deduct(customer, amount string) v1.Entry {
	w.t.Helper()
	d, err := w.live().Deduct(w.ctx, v1.DeductRequest{Charge: charge(customer, amount)})
	w.must(err)
	return *d.Entry
}

// deliveries are those of an endpoint, oldest first.
func (w *world) deliveries(endpoint string, q v1.WebhookDeliveryQuery) []v1.WebhookDelivery {
	w.t.Helper()
	page, err := w.hooks().ListWebhookDeliveries(w.ctx, endpoint, q)
	w.must(err)
	var list []v1.WebhookDelivery
	for i := len(page.Data) - 1; i >= 0; i-- {
		d, err := w.hooks().GetWebhookDelivery(w.ctx, page.Data[i].ID)
		w.must(err)
		list = append(list, d)
	}
	return list
}

// only is the delivery of an endpoint that has one.
func (w *world) only(endpoint string) v1.WebhookDelivery {
	w.t.Helper()
	list := w.deliveries(endpoint, v1.WebhookDeliveryQuery{})
	if len(list) != 1 {
		w.t.Fatalf("%d deliveries, want 1", len(list))
	}
	return list[0]
}

// eventually waits for what other goroutines bring about by themselves.
func (w *world) eventually(what string, ok func() bool) {
	w.t.Helper()
	const patience = 5 * time.Minute // a busy machine is slow
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	end := time.After(patience)
	for !ok() {
		select {
		case <-tick.C:
		case <-end:
			w.t.Fatalf("%s: not within %s", what, patience)
		}
	}
}

// finished waits until a delivery has been tried so often, and what came of it is written.
func (w *world) tried(endpoint string, tries int) v1.WebhookDelivery {
	w.t.Helper()
	w.eventually(fmt.Sprint(tries, " attempts"), func() bool { return w.only(endpoint).Tries == tries })
	return w.only(endpoint)
}

// delivered waits until so many deliveries of an endpoint are done.
func (w *world) delivered(endpoint string, n int) {
	w.t.Helper()
	w.eventually(fmt.Sprint(n, " deliveries"), func() bool {
		page, err := w.hooks().ListWebhookDeliveries(w.ctx, endpoint, v1.WebhookDeliveryQuery{Status: "delivered", Limit: 500})
		w.must(err)
		return len(page.Data) == n
	})
}

// request is one that a receiver got.
type request struct {
	header http.Header
	body   []byte
	event  v1.WebhookEvent
	end    chan struct{} // closed when the test ends
}

// receiver is a server that notes what it gets, and answers as it is told.
type receiver struct {
	url    string
	mu     sync.Mutex
	got    []request
	end    chan struct{}
	answer func(n int, r *request, w http.ResponseWriter) // n counts from 1
}

func newReceiver(t *testing.T, answer func(n int, r *request, w http.ResponseWriter)) *receiver {
	c := &receiver{answer: answer, end: make(chan struct{})}
	s := httptest.NewServer(c)
	t.Cleanup(s.Close)
	t.Cleanup(func() { close(c.end) })
	c.url = s.URL
	return c
}

func (c *receiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // cut off; the attempt counts for nothing
	}
	got := request{header: r.Header, body: body, end: c.end}
	_ = json.Unmarshal(body, &got.event)
	c.mu.Lock()
	c.got = append(c.got, got)
	n := len(c.got)
	c.mu.Unlock()
	if c.answer != nil {
		c.answer(n, &got, w)
	}
}

func (c *receiver) all() []request {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]request{}, c.got...)
}

func (c *receiver) count() int { return len(c.all()) }

func status(code int) func(int, *request, http.ResponseWriter) {
	return func(_ int, _ *request, w http.ResponseWriter) { w.WriteHeader(code) }
}

// hang answers nothing until the test ends.
func hang(_ int, r *request, _ http.ResponseWriter) { <-r.end }

// verified holds a request against a secret, by the specification's own library.
func verified(t *testing.T, r request, secret string) bool {
	t.Helper()
	hook, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	return hook.VerifyIgnoringTimestamp(r.body, r.header) == nil
}

// ordered makes an endpoint keep the order of each customer's events.
func ordered(r *v1.CreateWebhookEndpoint) { r.Ordered = true }

func only(events ...string) func(*v1.CreateWebhookEndpoint) {
	return func(r *v1.CreateWebhookEndpoint) { r.Events = events }
}
