// Package scrip is the engine for prepaid credits as a Go library: open it over a database, act
// for an app, and mount its HTTP handler where you like.
//
//	s, err := scrip.Open(ctx, scrip.DB("sqlite:credits.db"))
//	app, err := s.App(ctx, "my-product", scrip.Live)
//	d, err := app.Deduct(ctx, v1.DeductRequest{Charge: v1.Charge{CustomerID: "u1", CreditID: "credits", Amount: "3"}})
//
// The package owns the wiring: which store is behind which address, and which services share
// it. The rules are in package wallet, the operations in package credits, the vocabulary in
// package v1.
package scrip

import (
	"context"
	"log/slog"
	"net/http"
	"runtime"
	"strings"
	"time"

	"github.com/seed42445051/scrip/accounts"
	"github.com/seed42445051/scrip/api"
	"github.com/seed42445051/scrip/audit"
	"github.com/seed42445051/scrip/billing"
	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/compat/dodo"
	"github.com/seed42445051/scrip/credits"
	"github.com/seed42445051/scrip/engine"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/letters"
	"github.com/seed42445051/scrip/metering"
	"github.com/seed42445051/scrip/notify"
	"github.com/seed42445051/scrip/payments"
	"github.com/seed42445051/scrip/payments/provider"
	"github.com/seed42445051/scrip/payments/sandbox"
	"github.com/seed42445051/scrip/payments/stripe"
	"github.com/seed42445051/scrip/services"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/store/postgres"
	"github.com/seed42445051/scrip/store/sqlite"
	v1 "github.com/seed42445051/scrip/v1"
)

// The two modes that every app has. Test never meets live.
const (
	Live = catalog.Live
	Test = catalog.Test
)

// DefaultSweep is how often what time has done is written down.
const DefaultSweep = time.Second

// postgresShards is how many batches a process has under way on PostgreSQL, where transactions
// on different wallets do not wait for one another. SQLite has one writer, so one. More of them
// only make each batch smaller, and most of what a batch costs does not depend on its size: half
// of the processors are left to those who ask and to the database.
func postgresShards() int { return min(4, max(1, runtime.GOMAXPROCS(0)/2)) }

// Option changes how Scrip is opened.
type Option func(*options)

type options struct {
	db      string
	migrate bool
	engine  engine.Options
	quiet   bool // no webhooks are sent
	sandbox int64
	allow   notify.Addresses
	keep    time.Duration // of deliveries
	hooks   *Hooks
	public  string // where the handler is reached from outside
	stripe  stripe.Config
	mail    mailOptions
}

type mailOptions struct{ address, templates string }

// DB names the database: sqlite:PATH, or postgres://... for PostgreSQL. The default is
// sqlite:scrip.db.
func DB(address string) Option { return func(o *options) { o.db = address } }

// WithoutMigration leaves the schema as it is.
func WithoutMigration() Option { return func(o *options) { o.migrate = false } }

// WithClock replaces the machine's clock, for tests and simulations.
func WithClock(c engine.Clock) Option { return func(o *options) { o.engine.Clock = c } }

// WithLog gives a place to log to; nothing is logged without it.
func WithLog(log *slog.Logger) Option { return func(o *options) { o.engine.Log = log } }

// SweepEvery sets how often what time has done is written down; zero is never. No balance and
// no decision depends on it.
func SweepEvery(d time.Duration) Option { return func(o *options) { o.engine.SweepEvery = d } }

// WithoutWebhooks sends none from this process: another one, or a later one, sends what is written
// here.
func WithoutWebhooks() Option { return func(o *options) { o.quiet = true } }

// WebhooksToLoopback sends webhooks to this machine too, for trying out. By default they go to
// public addresses only.
func WebhooksToLoopback() Option { return func(o *options) { o.allow = notify.AllowLoopback } }

// WebhooksToPrivate sends webhooks to any address, those of the operator's own network included.
func WebhooksToPrivate() Option { return func(o *options) { o.allow = notify.AllowAll } }

// KeepDeliveries sets how long deliveries of webhooks are kept after they were made, those aside that
// are still to be sent; notify.Keep by default, and for ever when it is zero.
func KeepDeliveries(d time.Duration) Option { return func(o *options) { o.keep = d } }

// PublicURL says where the handler is reached from outside, as https://credits.example.com: the sandbox's
// pages have their addresses under it. The default is http://127.0.0.1:8080.
func PublicURL(base string) Option { return func(o *options) { o.public = base } }

// WithStripe has Stripe move the money of the modes that it is configured for. Test modes that it is not
// configured for have the sandbox; a live mode that it is not configured for sells nothing.
func WithStripe(c stripe.Config) Option { return func(o *options) { o.stripe = c } }

// WithMail sends letters to customers over an SMTP server: address is as mail.Options.URL has it, and
// templates a folder with templates in the place of those that are built in, or empty. Without it letters
// wait in the outbox.
func WithMail(address, templates string) Option {
	return func(o *options) { o.mail = mailOptions{address, templates} }
}

// SandboxOperations sets how many calls of its HTTP interfaces that change something an app has in a
// calendar month (UTC), in all its test modes together. The default, zero, is any number.
func SandboxOperations(n int64) Option { return func(o *options) { o.sandbox = n } }

// Shards sets how many batches may be under way at one time.
func Shards(n int) Option { return func(o *options) { o.engine.Shards = n } }

// Queue bounds the commands that wait in one shard; one more is refused with overloaded.
func Queue(n int) Option { return func(o *options) { o.engine.Queue = n } }

// Scrip is the engine over one database.
type Scrip struct {
	store    store.Store
	engine   *engine.Engine
	services services.Set
	sending  *notify.Dispatcher // nil: nothing is sent from here
	asking   *payments.Reconciler
	sandbox  *sandbox.Provider
	finisher *credits.Finisher // nil: nothing is swept from here
	log      *slog.Logger
}

// Open opens a database, brings its schema up to date, and starts the engine, and what sends
// webhooks. Close it.
func Open(ctx context.Context, opts ...Option) (*Scrip, error) {
	o := options{db: "sqlite:scrip.db", migrate: true, keep: notify.Keep, public: "http://127.0.0.1:8080"}
	o.engine.SweepEvery = DefaultSweep
	o.engine.Clock = clock.System{}
	o.engine.Log = slog.New(slog.DiscardHandler)
	for _, opt := range opts {
		opt(&o)
	}
	sender, templates, err := o.mail.open(o.engine.Clock)
	if err != nil {
		return nil, err
	}
	st, err := openStore(ctx, &o)
	if err != nil {
		return nil, err
	}
	if o.migrate {
		if err := st.Migrate(ctx); err != nil {
			return nil, closing(st, err)
		}
	}
	o.engine.Receivers = services.Receivers(o.hooks != nil)
	e := engine.New(st, o.engine)
	paying := &payments.Core{Engine: e, Store: st, Clock: o.engine.Clock, Log: o.engine.Log}
	box := sandbox.New(sandbox.Config{
		Objects: st, Clock: o.engine.Clock, Base: o.public,
		Deliver: func(ctx context.Context, mode catalog.Mode, header http.Header, body []byte) error {
			return paying.Webhook(ctx, sandbox.Name, mode, header, body)
		},
	})
	paying.Others, paying.Test, paying.EveryRound = []provider.Provider{box}, box, box.Redeliver
	if err := o.useStripe(paying); err != nil {
		return nil, closing(st, err)
	}
	writing := &letters.Core{Store: st, Clock: o.engine.Clock, Sender: sender, Templates: templates, Offer: paying.Offer}
	s := &Scrip{store: st, sandbox: box, engine: e, log: o.engine.Log, services: services.Set{
		Accounts: &accounts.Accounts{Store: st, Engine: e, Clock: o.engine.Clock, SandboxOperations: o.sandbox},
		Credits:  &credits.Core{Engine: e, Store: st, Clock: o.engine.Clock},
		Metering: &metering.Core{Engine: e, Store: st, Clock: o.engine.Clock},
		Billing:  &billing.Core{Engine: e, Store: st, Clock: o.engine.Clock},
		Payments: paying,
		Letters:  writing,
		Notify: notify.New(notify.Options{
			Store: st, Engine: e, Clock: o.engine.Clock, Log: o.engine.Log, Allow: o.allow, Keep: o.keep,
			Formats: map[string]notify.Renderer{dodo.Format: dodo.Renderer{}}, Receivers: taking(paying, writing, o.hooks),
		}),
	}}
	writing.Notify = s.services.Notify
	if o.engine.SweepEvery > 0 {
		s.finisher = s.services.Credits.Finish(credits.FinishEvery, o.engine.Clock, o.engine.Log)
	}
	if !o.quiet {
		s.sending = s.services.Notify.Start()
		s.asking = paying.StartReconciler(o.engine.Clock)
	}
	return s, nil
}

func closing(st store.Store, err error) error {
	if closed := st.Close(); closed != nil {
		return fault.New("scrip.Open", fault.CodeOf(err), "the database could not be opened, nor closed again: %v", closed).Because(err)
	}
	return err
}

func openStore(ctx context.Context, o *options) (store.Store, error) {
	if path, ok := strings.CutPrefix(o.db, "sqlite:"); ok {
		return sqlite.Open(ctx, path)
	}
	if strings.HasPrefix(o.db, "postgres://") || strings.HasPrefix(o.db, "postgresql://") {
		if o.engine.Shards == 0 {
			o.engine.Shards = postgresShards()
		}
		return postgres.Open(ctx, o.db, postgres.Options{})
	}
	return nil, fault.New("scrip.Open", fault.CodeInvalidConfig, "the database address must begin with sqlite: or postgres://").In("db")
}

// App acts for one app in one mode. It is every operation of v1.Operations, in process.
type App struct{ *services.Session }

var _ v1.Operations = (*App)(nil)

// App finds an app by name, makes it where there is none, and acts for it.
func (s *Scrip) App(ctx context.Context, name string, mode catalog.Mode) (*App, error) {
	if !mode.Valid() {
		return nil, fault.New("scrip.App", fault.CodeInvalidRequest, "mode must be %s", catalog.ModeWords).In("mode")
	}
	app, err := s.services.Accounts.App(ctx, name)
	if err != nil {
		return nil, err
	}
	return &App{s.services.As(accounts.Identity{App: app.ID, Mode: mode, Kind: store.Secret}, "library")}, nil
}

// Handler serves the HTTP API, and at /dodo the interface that Dodo Payments' SDKs speak.
func (s *Scrip) Handler() http.Handler {
	return api.New(s.services, api.Options{Log: s.log, Ready: s.store.Ping, Mount: map[string]http.Handler{
		api.WebhookPath: api.Webhooks(s.services.Payments, s.log),
		"/pay/":         s.sandbox,
		"/dodo/":        http.StripPrefix("/dodo", dodo.New(s.services, dodo.Options{Log: s.log})),
	}})
}

// Stats returns the engine's counters.
func (s *Scrip) Stats() *engine.Stats { return s.engine.Stats() }

// Waiting is how many commands are queued now.
func (s *Scrip) Waiting() int { return s.engine.Waiting() }

// Webhooks returns the counters of what this process sends.
func (s *Scrip) Webhooks() *notify.Stats { return s.services.Notify.Stats() }

// Backlog is what waits to be sent, by this process or by others.
func (s *Scrip) Backlog(ctx context.Context) (store.Backlog, error) {
	return s.services.Notify.Backlog(ctx)
}

// Verify recomputes every balance from its entries and lists what does not add up.
func (s *Scrip) Verify(ctx context.Context) (audit.Report, error) { return audit.Run(ctx, s.store) }

// Close refuses new calls, finishes those that were accepted, and closes the database.
func (s *Scrip) Close(ctx context.Context) error {
	var err error
	if s.finisher != nil {
		s.finisher.Close()
	}
	if s.sending != nil {
		s.asking.Close()
		err = s.sending.Close(ctx)
	}
	if closed := s.engine.Close(ctx); err == nil {
		err = closed
	}
	if closed := s.services.Accounts.Close(ctx); err == nil {
		err = closed
	}
	if closed := s.store.Close(); err == nil {
		err = closed
	}
	return err
}
