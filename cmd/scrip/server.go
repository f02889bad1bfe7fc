package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/seed42445051/scrip"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/internal/dev"
	"github.com/seed42445051/scrip/internal/serve"
	"github.com/seed42445051/scrip/payments/stripe"
)

// devCmd is scrip dev.
type devCmd struct {
	Addr string `default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Where to listen (${default})."`
	DB   string `name:"db" default:"sqlite:scrip-dev.db" placeholder:"sqlite:FILE" help:"The SQLite file to work on (${default})."`
	sandbox
	selling
}

// selling is the flags that concern money and letters. Keys of Stripe are in the environment alone: a
// command line can be read by others.
type selling struct {
	PublicURL     string `name:"public-url" placeholder:"URL" help:"Where customers reach this server, for the sandbox's pages (where it listens)."`
	MailURL       string `name:"mail-url" placeholder:"smtp://USER:PASSWORD@HOST?from=ADDRESS" help:"The SMTP server that letters to customers go through (none: they wait in the outbox)."`
	MailTemplates string `name:"mail-templates" placeholder:"FOLDER" help:"A folder with templates of letters that take the place of the built-in ones."`
}

// options are what the flags and the environment come to. base is where the server listens.
func (s *selling) options(base string) ([]scrip.Option, error) {
	public := s.PublicURL
	if public == "" {
		public = base
	}
	u, err := url.Parse(public)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fault.New("scrip.selling", fault.CodeInvalidConfig, "--public-url must be an http or https address, such as https://credits.example.com").In("public-url")
	}
	keys, err := stripe.FromEnv(os.Getenv)
	if err != nil {
		return nil, err
	}
	return []scrip.Option{scrip.PublicURL(public), scrip.WithStripe(keys), scrip.WithMail(s.MailURL, s.MailTemplates)}, nil
}

// sandbox is the flag that bounds trying out.
type sandbox struct {
	SandboxOperations int64 `default:"0" placeholder:"N" help:"How many calls that change something each app has in a month with test keys (0: any number)."`
}

func (s *sandbox) option() (scrip.Option, error) {
	if s.SandboxOperations < 0 {
		return nil, fault.New("scrip.sandbox", fault.CodeInvalidConfig, "--sandbox-operations must not be negative").In("sandbox-operations")
	}
	return scrip.SandboxOperations(s.SandboxOperations), nil
}

// serveCmd is scrip serve.
type serveCmd struct {
	database
	sandbox
	selling
	Addr                string        `default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Where to listen (${default})."`
	NoMigrate           bool          `help:"Leave the schema as it is instead of bringing it up to date."`
	WebhookAllowPrivate bool          `help:"Send webhooks to private and local addresses too, such as those of your own network."`
	WebhookKeep         time.Duration `default:"720h" placeholder:"DURATION" help:"How long deliveries of webhooks are kept, those aside that are still to be sent (${default}; 0: for ever)."`
	Grace               time.Duration `default:"20s" placeholder:"DURATION" help:"How long requests under way may take once the server is asked to stop (${default})."`
}

// Run runs the server for trying out.
func (c *devCmd) Run(w *world) error {
	keyFile, err := dev.KeyFile(c.DB)
	if err != nil {
		return err
	}
	allowance, err := c.option()
	if err != nil {
		return err
	}
	log := w.log(slog.LevelWarn) // the output is for reading
	h := host{addr: c.Addr, grace: serve.DefaultGrace, log: log, selling: &c.selling, options: []scrip.Option{scrip.DB(c.DB), scrip.WithLog(log), scrip.WebhooksToLoopback(), allowance}}
	return h.run(w.ctx, func(s *scrip.Scrip, l net.Listener) error {
		keys, err := dev.Prepare(w.ctx, s, keyFile)
		if err != nil {
			return err
		}
		return dev.Welcome(w.out, baseURL(l), c.DB, keys)
	})
}

// Run runs the server.
func (c *serveCmd) Run(w *world) error {
	allowance, err := c.option()
	if err != nil {
		return err
	}
	if c.WebhookKeep < 0 {
		return fault.New("scrip.serve", fault.CodeInvalidConfig, "--webhook-keep must not be negative").In("webhook-keep")
	}
	log := w.log(slog.LevelInfo)
	h := host{addr: c.Addr, grace: c.Grace, log: log, selling: &c.selling, options: []scrip.Option{scrip.DB(c.DB), scrip.WithLog(log), scrip.KeepDeliveries(c.WebhookKeep), allowance}}
	if c.WebhookAllowPrivate {
		h.options = append(h.options, scrip.WebhooksToPrivate())
	}
	if c.NoMigrate {
		h.options = append(h.options, scrip.WithoutMigration())
	}
	return h.run(w.ctx, func(_ *scrip.Scrip, l net.Listener) error {
		log.Info("serving", "address", l.Addr().String(), "database", redacted(c.DB), "version", version())
		return nil
	})
}

// host is a server and the engine behind it, from start to end.
type host struct {
	addr    string
	grace   time.Duration
	log     *slog.Logger
	selling *selling
	options []scrip.Option
}

// run opens the database, serves until ctx ends, and closes everything in order. begin is
// called when the address is taken and the database is open.
func (h *host) run(ctx context.Context, begin func(*scrip.Scrip, net.Listener) error) error {
	if h.grace <= 0 {
		h.grace = serve.DefaultGrace
	}
	l, err := serve.Listen(ctx, h.addr)
	if err != nil {
		return err
	}
	selling, err := h.selling.options(baseURL(l))
	if err != nil {
		return errors.Join(err, l.Close())
	}
	s, err := scrip.Open(ctx, append(h.options, selling...)...)
	if err != nil {
		return errors.Join(err, l.Close())
	}
	if err := begin(s, l); err != nil {
		return errors.Join(err, l.Close(), h.close(ctx, s))
	}
	handler := serve.WithMetrics(s.Handler(), s, clock.System{}, version())
	server := serve.Server{Handler: handler, Log: h.log, Grace: h.grace}
	return errors.Join(server.Run(ctx, l), h.close(ctx, s))
}

// close ends the engine and the database, in bounded time although ctx has ended.
func (h *host) close(ctx context.Context, s *scrip.Scrip) error {
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), h.grace)
	defer cancel()
	return s.Close(bounded)
}

// baseURL is where a listener can be reached from this machine.
func baseURL(l net.Listener) string {
	tcp, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		return "http://" + l.Addr().String()
	}
	if tcp.IP.IsUnspecified() {
		return fmt.Sprintf("http://127.0.0.1:%d", tcp.Port)
	}
	return "http://" + tcp.String()
}

// redacted is a database's address without its password.
func redacted(db string) string {
	if strings.HasPrefix(db, "sqlite:") {
		return db
	}
	u, err := url.Parse(db)
	if err != nil {
		return "postgres"
	}
	return u.Redacted()
}
