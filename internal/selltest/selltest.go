// Package selltest lets tests of other packages sell: it puts all services together over a fresh
// database, with the sandbox provider, or adds that and what sells over it to services that a test has
// put together; and it pays on the provider's pages as a browser would.
//
// It owns nothing of what it wires, and knows no rules; package scrip does the same for programs.
package selltest

import (
	"context"
	"html"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/seed42445051/scrip/accounts"
	"github.com/seed42445051/scrip/billing"
	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/credits"
	"github.com/seed42445051/scrip/engine"
	"github.com/seed42445051/scrip/letters"
	"github.com/seed42445051/scrip/mail"
	"github.com/seed42445051/scrip/metering"
	"github.com/seed42445051/scrip/notify"
	"github.com/seed42445051/scrip/payments"
	"github.com/seed42445051/scrip/payments/provider"
	"github.com/seed42445051/scrip/payments/sandbox"
	"github.com/seed42445051/scrip/services"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/store/sqlite"
)

// Base is where the sandbox's pages say they are.
const Base = "http://127.0.0.1:8080"

// TestCard is the number of the card that pays.
const TestCard = "4242424242424242"

// World is all services over one database, which sell in test modes.
type World struct {
	services.Set
	Pages *sandbox.Provider // where customers pay
}

// Open puts services together over a fresh SQLite database that need not outlive the machine, under one
// clock. Of hooks, how webhooks are sent, what is not given is as tests want it: the same clock, no log,
// and receivers on this machine. Nothing is sent until the test starts it.
func Open(t testing.TB, now *clock.Manual, hooks notify.Options) *World {
	t.Helper()
	ctx := context.Background()
	st, err := sqlite.Open(ctx, filepath.Join(t.TempDir(), "scrip.db")+"?sync=off")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := st.Migrate(ctx); err != nil {
		t.Fatal(err)
	}
	e := engine.New(st, engine.Options{Clock: now, Receivers: services.Receivers(false)})
	t.Cleanup(func() {
		if err := e.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	hooks.Store, hooks.Engine, hooks.Log, hooks.Allow = st, e, slog.New(slog.DiscardHandler), notify.AllowLoopback
	if hooks.Clock == nil {
		hooks.Clock = now
	}
	w := &World{Set: services.Set{
		Accounts: &accounts.Accounts{Store: st, Engine: e, Clock: now},
		Credits:  &credits.Core{Engine: e, Store: st, Clock: now},
		Metering: &metering.Core{Engine: e, Store: st, Clock: now},
		Billing:  &billing.Core{Engine: e, Store: st, Clock: now},
		Notify:   notify.New(hooks),
	}}
	w.Pages = Sell(t, &w.Set, st, e, now)
	return w
}

// Sell adds what sells to services: the sandbox moves the money of test modes.
func Sell(t testing.TB, all *services.Set, st store.Store, e *engine.Engine, now engine.Clock) *sandbox.Provider {
	t.Helper()
	templates, err := mail.Load("")
	if err != nil {
		t.Fatal(err)
	}
	paying := &payments.Core{Engine: e, Store: st, Clock: now, Log: slog.New(slog.DiscardHandler)}
	box := sandbox.New(sandbox.Config{
		Objects: st, Clock: now, Base: Base,
		Deliver: func(ctx context.Context, mode catalog.Mode, header http.Header, body []byte) error {
			return paying.Webhook(ctx, sandbox.Name, mode, header, body)
		},
	})
	paying.Test, paying.Others = box, []provider.Provider{box}
	all.Payments = paying
	all.Letters = &letters.Core{Notify: all.Notify, Store: st, Clock: now, Templates: templates, Offer: paying.Offer}
	return box
}

var tokenField = regexp.MustCompile(`name="token" value="([^"]*)"`)

// Pay opens a page of the sandbox and pays on it with the card that pays; it returns where the customer
// is sent.
func Pay(t testing.TB, pages http.Handler, address string) string {
	t.Helper()
	return Press(t, pages, address, "pay", TestCard)
}

// Press opens a page of the sandbox and presses a button on it, with a card's number typed in.
func Press(t testing.TB, pages http.Handler, address, button, number string) string {
	t.Helper()
	page := httptest.NewRecorder()
	pages.ServeHTTP(page, httptest.NewRequest(http.MethodGet, address, nil))
	found := tokenField.FindStringSubmatch(page.Body.String())
	if page.Code != http.StatusOK || found == nil {
		t.Fatalf("the page %s answers %d without a form", address, page.Code)
	}
	form := url.Values{"token": {html.UnescapeString(found[1])}, "do": {button}, "number": {number}}
	r := httptest.NewRequest(http.MethodPost, address, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	sent := httptest.NewRecorder()
	pages.ServeHTTP(sent, r)
	if sent.Code != http.StatusSeeOther {
		t.Fatalf("pressing %s on %s answers %d: %s", button, address, sent.Code, sent.Body)
	}
	return sent.Header().Get("Location")
}
