package lives

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/seed42445051/scrip/accounts"
	"github.com/seed42445051/scrip/api"
	"github.com/seed42445051/scrip/audit"
	"github.com/seed42445051/scrip/billing"
	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/credits"
	"github.com/seed42445051/scrip/engine"
	"github.com/seed42445051/scrip/internal/pgtest"
	"github.com/seed42445051/scrip/metering"
	"github.com/seed42445051/scrip/notify"
	"github.com/seed42445051/scrip/payments"
	"github.com/seed42445051/scrip/payments/provider"
	"github.com/seed42445051/scrip/payments/stripe"
	"github.com/seed42445051/scrip/payments/stripefake"
	"github.com/seed42445051/scrip/services"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/store/postgres"
	"github.com/seed42445051/scrip/store/sqlite"
	v1 "github.com/seed42445051/scrip/v1"
)

// begin is the instant at which every life begins.
const begin = clock.Instant(1_772_366_400_000_000) // 2026-03-01T12:00:00Z

// Secrets of the provider, which are none.
const (
	providerKey   = "sk_test_lives"
	webhookSecret = "whsec_lives"
)

// handClock stands still for every decision, while the pauses between retries really pass.
type handClock struct{ *clock.Manual }

// After really waits.
func (handClock) After(d time.Duration) <-chan time.Time { return time.After(d) }

func noError(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// world is an app of its own on a database of its own, a provider beside it, and the customers who
// live there. Nothing in it happens at the same time as anything else, so that its chance decides
// everything.
type world struct {
	t      testing.TB
	random *rand.Rand
	clock  engine.Clock
	store  store.Store
	engine *engine.Engine
	all    services.Set
	ops    *services.Session
	stripe *stripefake.Fake
	hooks  *httptest.Server
	app    store.App
	market *market
	lives  []*life
	owned  bool // the provider ends with the world
	broken int  // percent of webhooks after which the answer is lost
}

func newWorld(t testing.TB, kind string, random *rand.Rand, lives int) *world {
	t.Helper()
	now := handClock{clock.NewManual(begin)}
	fake, err := stripefake.Start(stripefake.Options{Clock: now, Seed: random.Uint64()})
	noError(t, err)
	st := openStore(t, kind)
	w := newWorldOver(t, st, now, fake, random)
	w.owned = true
	define(t, w.ops)
	w.hooks = httptest.NewServer(w.webhooks())
	noError(t, fake.AddEndpoint(stripefake.Endpoint{URL: w.hooks.URL + "/webhooks/stripe/test", Secret: webhookSecret, Types: webhookTypes}))
	w.market = &market{t: t, ops: w.ops, stripe: w.stripe, now: w.clock.Now, alone: true}
	for i := range lives {
		w.lives = append(w.lives, newCustomer(w.market, fmt.Sprintf("life-%d", i), rand.New(rand.NewPCG(random.Uint64(), 0))))
	}
	return w
}

// newWorldOver is a world over a store and beside a provider that are there.
func newWorldOver(t testing.TB, st store.Store, now engine.Clock, fake *stripefake.Fake, random *rand.Rand) *world {
	t.Helper()
	w := &world{t: t, random: random, clock: now, store: st, stripe: fake}
	noError(t, st.Migrate(context.Background()))
	w.engine = engine.New(w.store, engine.Options{Clock: w.clock, Shards: 1, Receivers: []*catalog.Endpoint{
		{ID: catalog.PaymentsReceiver, Events: []catalog.EventType{catalog.EventPaymentDue, catalog.EventRefundDue}},
	}})
	w.serve()
	app, err := w.all.Accounts.App(context.Background(), "lives")
	noError(t, err)
	w.app = app
	w.ops = w.all.As(accounts.Identity{App: app.ID, Mode: catalog.Test, Kind: store.Secret}, "test")
	return w
}

func openStore(t testing.TB, kind string) store.Store {
	t.Helper()
	var st store.Store
	var err error
	if kind == "sqlite" {
		st, err = sqlite.Open(context.Background(), filepath.Join(t.TempDir(), "scrip.db")+"?sync=off") // as PostgreSQL is without fsync
	} else {
		st, err = postgres.Open(context.Background(), pgtest.Prepared(t, migrate), postgres.Options{})
	}
	noError(t, err)
	return st
}

// migrate makes the schema in a database of PostgreSQL.
func migrate(ctx context.Context, address string) error {
	st, err := postgres.Open(ctx, address, postgres.Options{})
	if err != nil {
		return err
	}
	return errors.Join(st.Migrate(ctx), st.Close())
}

// serve puts the services together.
func (w *world) serve() {
	quiet := slog.New(slog.DiscardHandler)
	p, err := stripe.New(stripe.Config{
		Test: stripe.Keys{Key: stripe.NewSecret(providerKey), Webhook: []stripe.Secret{stripe.NewSecret(webhookSecret)}}, URL: w.stripe.URL,
	}, w.clock)
	noError(w.t, err)
	paying := &payments.Core{Engine: w.engine, Store: w.store, Clock: w.clock, Log: quiet, Test: p, Others: []provider.Provider{p}}
	w.all = services.Set{
		Accounts: &accounts.Accounts{Store: w.store, Engine: w.engine, Clock: w.clock},
		Credits:  &credits.Core{Engine: w.engine, Store: w.store, Clock: w.clock},
		Metering: &metering.Core{Engine: w.engine, Store: w.store, Clock: w.clock},
		Billing:  &billing.Core{Engine: w.engine, Store: w.store, Clock: w.clock},
		Payments: paying,
		Notify:   notify.New(notify.Options{Store: w.store, Engine: w.engine, Clock: w.clock, Log: quiet, Allow: notify.AllowLoopback}),
	}
}

// webhooks takes what the provider tells.
func (w *world) webhooks() http.Handler {
	mux := http.NewServeMux()
	mux.Handle(api.WebhookPath, w.losing(api.Webhooks(w.all.Payments, slog.New(slog.DiscardHandler))))
	return mux
}

// webhookTypes are what the provider is asked to tell.
var webhookTypes = []string{
	"checkout.session.completed", "checkout.session.async_payment_succeeded", "checkout.session.async_payment_failed", "checkout.session.expired",
	"payment_intent.succeeded", "payment_intent.payment_failed", "payment_intent.processing", "payment_intent.canceled",
	"setup_intent.succeeded", "charge.refunded", "refund.created", "refund.updated", "refund.failed",
	"charge.dispute.created", "charge.dispute.closed",
}

// losing loses some answers after the work was done, as a server does that is killed then.
func (w *world) losing(h http.Handler) http.Handler {
	return http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		if w.random.IntN(100) >= w.broken {
			h.ServeHTTP(out, r)
			return
		}
		h.ServeHTTP(httptest.NewRecorder(), r)
		out.WriteHeader(http.StatusInternalServerError)
	})
}

func (w *world) close() {
	if w.owned {
		w.hooks.Close()
		noError(w.t, w.stripe.Close())
	}
	noError(w.t, w.engine.Close(context.Background()))
	noError(w.t, w.store.Close())
}

// What is sold.
const (
	tokens = "tokens" // whole ones
	images = "images" // with two decimals
)

// packs are what each pack gives, in units, and costs.
var packs = map[string]struct {
	price int64
	gives map[string]int64
}{
	"starter": {900, map[string]int64{tokens: 1000}},
	"duo":     {777, map[string]int64{tokens: 333, images: 1234}},
	"brief":   {501, map[string]int64{tokens: 500}},
}

// tokenPrice is what one token costs by the amount, in minor units.
const tokenPrice = 3

// weekly is how many tokens a week of the plan gives.
const weekly = 100

// decimals are those of each credit.
var decimals = map[string]int{tokens: 0, images: 2}

// define makes what is sold. Ids are their names.
func define(t testing.TB, ops v1.Operations) {
	t.Helper()
	ctx := context.Background()
	_, err := ops.CreateCredit(ctx, v1.CreateCredit{Name: tokens, Unit: "token", Sales: v1.Sales{AnyAmount: true, PricePerCredit: "3", Currency: "usd"}})
	noError(t, err)
	_, err = ops.CreateCredit(ctx, v1.CreateCredit{Name: images, Unit: "image", Precision: 2})
	noError(t, err)
	for _, p := range []v1.CreatePack{
		{ID: "starter", Name: "Starter", Price: 900, Items: []v1.PackItem{{CreditID: tokens, Amount: "1000"}}},
		{ID: "duo", Name: "Duo", Price: 777, Items: []v1.PackItem{
			{CreditID: tokens, Amount: "333"}, {CreditID: images, Amount: "12.34", Category: "promotional"},
		}},
		{ID: "brief", Name: "Brief", Price: 501, ExpiresAfterDays: 9, Items: []v1.PackItem{{CreditID: tokens, Amount: "500"}}},
	} {
		_, err := ops.CreatePack(ctx, p)
		noError(t, err)
	}
	_, err = ops.CreatePlan(ctx, v1.CreatePlan{
		ID: "weekly", Name: "Weekly", Price: 400, Interval: &v1.Interval{Count: 1, Unit: "week"},
		Credits: []v1.PlanCredit{{CreditID: tokens, Amount: decimal(weekly, 0)}},
	})
	noError(t, err)
}

// drain makes the calls that the outbox asks for, as the dispatcher of a server does, one by one.
func (w *world) drain() {
	w.t.Helper()
	ctx := context.Background()
	for {
		now := w.clock.Now()
		leased, err := w.store.Lease(ctx, store.LeaseQuery{Endpoint: catalog.PaymentsReceiver, Now: now, Until: now.Add(notify.LeaseFor), Limit: notify.Ahead})
		noError(w.t, err)
		if len(leased) == 0 {
			return
		}
		for i := range leased {
			noError(w.t, w.store.Finish(ctx, []store.Result{w.hand(&leased[i])}, nil))
		}
	}
}

func (w *world) hand(l *store.Leased) store.Result {
	w.t.Helper()
	result := store.Result{Wallet: l.Wallet, N: l.N, Lease: l.NextAt, Tries: l.Tries + 1, Status: store.DeliveryDelivered, FinishedAt: w.clock.Now()}
	e, err := w.all.Notify.EventOf(context.Background(), l.Wallet, l.N)
	noError(w.t, err)
	if e.Type == catalog.EventPaymentDue {
		err = w.all.Payments.Due(context.Background(), e.Key, e.Order, nil)
	} else if r := e.Refund(); r != nil {
		err = w.all.Payments.Due(context.Background(), e.Key, e.Order, r)
	}
	if err == nil {
		return result
	}
	schedule := notify.Schedule()
	if result.Tries > len(schedule) {
		result.Status = store.DeliveryFailed
		return result
	}
	result.Status, result.FinishedAt, result.NextAt = store.DeliveryPending, 0, w.clock.Now().Add(schedule[result.Tries-1])
	return result
}

// sweep writes down what time has done, as a server does every second.
func (w *world) sweep() {
	w.t.Helper()
	for {
		n, err := w.engine.Sweep(context.Background())
		noError(w.t, err)
		if n < engine.SweepBatch {
			return
		}
	}
}

// deliver sends the webhooks that are due.
func (w *world) deliver() {
	w.t.Helper()
	_, err := w.stripe.Deliver(context.Background())
	noError(w.t, err)
}

// audit proves the books.
func (w *world) audit() {
	w.t.Helper()
	report, err := audit.Run(context.Background(), w.store)
	noError(w.t, err)
	for _, d := range report.Differences {
		w.t.Errorf("audit: %s", d)
	}
}
