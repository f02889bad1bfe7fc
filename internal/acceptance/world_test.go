package acceptance

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed42445051/scrip/accounts"
	"github.com/seed42445051/scrip/audit"
	"github.com/seed42445051/scrip/billing"
	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/credits"
	"github.com/seed42445051/scrip/engine"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/internal/pgtest"
	"github.com/seed42445051/scrip/internal/selltest"
	"github.com/seed42445051/scrip/internal/testenv"
	"github.com/seed42445051/scrip/metering"
	"github.com/seed42445051/scrip/notify"
	"github.com/seed42445051/scrip/payments/sandbox"
	"github.com/seed42445051/scrip/services"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/store/postgres"
	"github.com/seed42445051/scrip/store/sqlite"
	v1 "github.com/seed42445051/scrip/v1"
	"github.com/seed42445051/scrip/wallet"
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	code := pgtest.Main(m, pgtest.WithoutFsync())
	if err := built.remove(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return max(code, 1)
	}
	return code
}

// begin is the instant at which every story here begins.
var begin = must(clock.Parse("2026-03-01T12:00:00Z"))

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// kinds are the stores that every test here runs on.
var kinds = []string{"sqlite", "postgres"}

// onBoth runs a test once on each store, over an empty database.
func onBoth(t *testing.T, test func(t *testing.T, db *database)) {
	t.Helper()
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) { test(t, newDatabase(t, kind)) })
	}
}

// database is a database of one test, by its address and open.
type database struct {
	kind    string
	address string
	store   store.Store
}

func newDatabase(t testing.TB, kind string) *database {
	t.Helper()
	var db *database
	if kind == "sqlite" {
		db = emptyDatabase(t, kind)
	} else {
		db = &database{kind: kind, address: pgtest.Prepared(t, migrate)}
	}
	db.store = db.open(t)
	if err := db.store.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return db
}

// migrate makes the schema in a database of PostgreSQL.
func migrate(ctx context.Context, address string) error {
	st, err := postgres.Open(ctx, address, postgres.Options{})
	if err != nil {
		return err
	}
	return errors.Join(st.Migrate(ctx), st.Close())
}

// withoutFsync lets SQLite lose data when the machine stops, as pgtest.WithoutFsync does PostgreSQL. What a
// killed process has written is there.
const withoutFsync = "?sync=off"

// path is SQLite's file.
func (db *database) path() string {
	return strings.TrimSuffix(strings.TrimPrefix(db.address, "sqlite:"), withoutFsync)
}

// emptyDatabase is one without a schema, and not open.
func emptyDatabase(t testing.TB, kind string) *database {
	t.Helper()
	if kind == "sqlite" {
		return &database{kind: kind, address: "sqlite:" + filepath.Join(t.TempDir(), "scrip.db") + withoutFsync}
	}
	return &database{kind: kind, address: pgtest.URL(t)}
}

// open connects to the database once more, as another process would, until the test ends.
func (db *database) open(t testing.TB) store.Store {
	t.Helper()
	st := db.connect(t)
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Errorf("closing the store: %v", err)
		}
	})
	return st
}

// connect is open without the end.
func (db *database) connect(t testing.TB) store.Store {
	t.Helper()
	var st store.Store
	var err error
	if path, ok := strings.CutPrefix(db.address, "sqlite:"); ok {
		st, err = sqlite.Open(t.Context(), path)
	} else {
		st, err = postgres.Open(t.Context(), db.address, postgres.Options{})
	}
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// handClock stands still for every decision, while the pauses between retries really pass.
type handClock struct{ *clock.Manual }

// After really waits.
func (handClock) After(d time.Duration) <-chan time.Time { return time.After(d) }

func newClock() handClock { return handClock{clock.NewManual(begin)} }

// world is one app on a database, with an engine and a clock of its own.
type world struct {
	t     testing.TB
	db    *database
	store store.Store
	clock handClock
	*server
	app store.App
}

// server is what one process has: an engine over the store, and the services above it.
type server struct {
	engine   *engine.Engine
	core     *credits.Core
	metering *metering.Core
	billing  *billing.Core
	accounts *accounts.Accounts
	notify   *notify.Service
	selling  services.Set // of which only what sells is set
	sandbox  *sandbox.Provider
}

var apps struct {
	sync.Mutex
	n int
}

// newWorld makes an app on the database. When the test ends its wallets must add up.
func newWorld(t testing.TB, db *database) *world {
	return newWorldOver(t, db, db.store, engine.Options{})
}

// newWorldOver is newWorld with a store around the database's own and with options of the engine.
func newWorldOver(t testing.TB, db *database, st store.Store, o engine.Options) *world {
	t.Helper()
	w := &world{t: t, db: db, store: st, clock: newClock()}
	if o.Clock == nil {
		o.Clock = w.clock
	}
	if o.Shards == 0 {
		o.Shards = w.options().Shards
	}
	w.server = startServer(t, st, o)
	apps.Lock()
	apps.n++
	name := fmt.Sprintf("app %d", apps.n)
	apps.Unlock()
	app, err := w.accounts.App(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	w.app = app
	t.Cleanup(func() { w.addsUp() })
	return w
}

// options are those of another server on the same database and clock, as scrip.Open has them.
func (w *world) options() engine.Options {
	o := engine.Options{Clock: w.clock, Shards: 1}
	if w.db.kind == "postgres" {
		o.Shards = 4
	}
	return o
}

func startServer(t testing.TB, st store.Store, o engine.Options) *server {
	t.Helper()
	e := engine.New(st, o)
	t.Cleanup(func() {
		if err := e.Close(context.Background()); err != nil {
			t.Errorf("closing the engine: %v", err)
		}
	})
	log := o.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	s := &server{
		engine:   e,
		core:     &credits.Core{Engine: e, Store: st, Clock: o.Clock},
		metering: &metering.Core{Engine: e, Store: st, Clock: o.Clock},
		billing:  &billing.Core{Engine: e, Store: st, Clock: o.Clock},
		accounts: &accounts.Accounts{Store: st, Engine: e, Clock: o.Clock},
		notify:   notify.New(notify.Options{Store: st, Engine: e, Clock: o.Clock, Log: log, Allow: notify.AllowLoopback}),
	}
	s.selling = services.Set{Notify: s.notify}
	s.sandbox = selltest.Sell(t, &s.selling, st, e, o.Clock)
	return s
}

// ops is every operation of v1 for one app and mode, in process.
type ops = services.Session

func (s *server) services() services.Set {
	return services.Set{
		Accounts: s.accounts, Credits: s.core, Metering: s.metering, Billing: s.billing, Notify: s.notify,
		Payments: s.selling.Payments, Letters: s.selling.Letters,
	}
}

func (s *server) as(app store.App, mode catalog.Mode) *ops {
	all := s.services()
	return all.As(accounts.Identity{App: app.ID, Mode: mode, Kind: store.Secret}, "test")
}

func (w *world) live() *ops { return w.as(w.app, catalog.Live) }

// ofApp narrows an audit to the wallets of one app, on a database that tests share.
type ofApp struct {
	store.Store
	app string
}

// Headers lists the wallets of the app only.
func (o ofApp) Headers(ctx context.Context, after id.Wallet, limit int) ([]wallet.Header, error) {
	var found []wallet.Header
	for len(found) < limit {
		page, err := o.Store.Headers(ctx, after, limit)
		if err != nil {
			return nil, err
		}
		for i := range page {
			after = page[i].ID
			if page[i].Key.App == o.app && len(found) < limit {
				found = append(found, page[i])
			}
		}
		if len(page) < limit {
			break
		}
	}
	return found, nil
}

// addsUp fails the test when the app's books do not.
func (w *world) addsUp() {
	w.t.Helper()
	report, err := audit.Run(context.Background(), ofApp{w.db.store, w.app.ID})
	if err != nil {
		w.t.Errorf("audit: %v", err)
	}
	for _, d := range report.Differences {
		w.t.Errorf("audit: %s", d)
	}
}

// wantCode fails the test unless the error has the code.
func wantCode(t testing.TB, err error, code fault.Code) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want %s", code)
	}
	if got := fault.CodeOf(err); got != code {
		t.Fatalf("error %v, want %s", err, code)
	}
}

// noError fails the test when there is an error.
func noError(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// equal fails the test unless two values are the same.
func equal[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Fatalf("%s: got %v, want %v", what, got, want)
	}
}

// same is equal for whatever JSON can write.
func same(t testing.TB, what string, got, want any) {
	t.Helper()
	g, w := toJSON(t, got), toJSON(t, want)
	if !bytes.Equal(g, w) {
		t.Fatalf("%s:\n got %s\nwant %s", what, g, w)
	}
}

func toJSON(t testing.TB, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// together runs f n times at once and returns when all are done.
func together(n int, f func(i int)) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-start
			f(i)
		})
	}
	close(start)
	wg.Wait()
}

// do runs a command of the wallet's own, for what is no operation of v1 yet.
func (w *world) do(mode catalog.Mode, customer string, c wallet.Command) engine.Result {
	w.t.Helper()
	res, err := w.engine.Do(context.Background(), engine.Request{
		Wallet: wallet.Key{App: w.app.ID, Mode: mode, Customer: customer}, Command: c, Actor: "test",
	})
	noError(w.t, err)
	return res
}

// entries lists all entries of a customer, oldest first.
func entries(t testing.TB, ops v1.Operations, customer string) []v1.Entry {
	t.Helper()
	var all []v1.Entry
	q := v1.LedgerQuery{Limit: v1.MaxPage}
	for {
		page, err := ops.Ledger(context.Background(), customer, q)
		noError(t, err)
		all = append(all, page.Data...)
		if !page.HasMore {
			break
		}
		q.Cursor = page.NextCursor
	}
	for i, j := 0, len(all)-1; i < j; i, j = i+1, j-1 {
		all[i], all[j] = all[j], all[i]
	}
	return all
}

// types lists the types of entries.
func types(entries []v1.Entry) string {
	var names []string
	for i := range entries {
		names = append(names, entries[i].Type)
	}
	return strings.Join(names, " ")
}

// balance reads one credit of a customer.
func balance(t testing.TB, ops v1.Operations, customer, credit string) v1.Balance {
	t.Helper()
	return balanceAt(t, ops, customer, credit, 0)
}

func balanceAt(t testing.TB, ops v1.Operations, customer, credit string, at clock.Instant) v1.Balance {
	t.Helper()
	b, err := ops.Balances(context.Background(), customer, credit, at)
	noError(t, err)
	if len(b.Data) != 1 {
		t.Fatalf("%d balances of %s, want 1", len(b.Data), credit)
	}
	return b.Data[0]
}

// seeded is the chance of a test. It says how to repeat it when the test fails.
func seeded(t testing.TB) *rand.Rand {
	t.Helper()
	seed := testenv.Seed(t)
	t.Logf("%s=%d", testenv.SeedVariable, seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// statusOf is the HTTP status of an error's code.
func statusOf(err error) int {
	if err == nil {
		return http.StatusOK
	}
	return fault.As(err).Kind().HTTPStatus()
}

func (w *world) key(customer string) wallet.Key {
	return wallet.Key{App: w.app.ID, Mode: catalog.Live, Customer: customer}
}

func clockAt(micros int64) clock.Instant { return clock.Instant(micros) }
