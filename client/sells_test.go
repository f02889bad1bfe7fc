package client

import (
	"context"
	"log/slog"
	"net/http"
	"testing"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/engine"
	"github.com/seed42445051/scrip/letters"
	"github.com/seed42445051/scrip/mail"
	selling "github.com/seed42445051/scrip/payments"
	"github.com/seed42445051/scrip/payments/provider"
	"github.com/seed42445051/scrip/payments/sandbox"
	"github.com/seed42445051/scrip/services"
	"github.com/seed42445051/scrip/store"
)

// sells adds what sells to services: the sandbox moves the money of test modes.
func sells(t testing.TB, all *services.Set, st store.Store, e *engine.Engine, now engine.Clock) *sandbox.Provider {
	t.Helper()
	templates, err := mail.Load("")
	if err != nil {
		t.Fatal(err)
	}
	paying := &selling.Core{Engine: e, Store: st, Clock: now, Log: slog.New(slog.DiscardHandler)}
	box := sandbox.New(sandbox.Config{Objects: st, Clock: now, Base: "http://127.0.0.1:8080", Deliver: func(ctx context.Context, mode catalog.Mode, header http.Header, body []byte) error {
		return paying.Webhook(ctx, sandbox.Name, mode, header, body)
	}})
	paying.Test, paying.Others = box, []provider.Provider{box}
	all.Payments = paying
	all.Letters = &letters.Core{Notify: all.Notify, Store: st, Clock: now, Templates: templates, Offer: paying.Offer}
	return box
}
