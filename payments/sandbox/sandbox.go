// Package sandbox is the payment provider that is built in, for test modes and for scrip dev: pages to
// pay on, cards that are kept, charges, refunds and disputes, without any money.
//
// It owns its pages, what the test cards mean, and what it knows of each order, all of which it keeps in
// the store, so that it survives a restart and several servers share it. Each order is one object there,
// with the news that were not delivered yet: an outcome and its news are written together, and an order is
// paid once, whoever asks at the same time. It does not own what news mean: they leave as signed webhooks,
// as those of any provider, and package wallet decides. The cards, and what they do, are Stripe's.
package sandbox

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/money"
	"github.com/seed42445051/scrip/payments/provider"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/wallet"
)

// Name is what orders remember of this provider.
const Name = "sandbox"

// Limits of the sandbox.
const (
	minimum     = 50                  // of any currency, in minor units
	tolerance   = 5 * time.Minute     // between the signing of a webhook and its reading, both ways
	giveUp      = 30 * 24 * time.Hour // after which news is not delivered any more; Look still tells it
	portalLife  = time.Hour           // of a link to a customer's cards
	maxCards    = 20                  // that are kept of a customer
	maxForm     = 16 << 10            // bytes of a form
	maxTries    = 100                 // to change an object that others change at the same time
	maxWebhook  = 64 << 10            // bytes of a webhook
	maxAtOnce   = 500                 // orders whose news Redeliver delivers in one call
	deliverTime = provider.Timeout    // for all news of one order
)

// Config is what a Provider is made of. All of it is needed.
type Config struct {
	Objects store.ProviderObjects
	Clock   interface{ Now() clock.Instant }
	// Base is the address under which the pages are reached, without /pay: "http://127.0.0.1:8080".
	Base string
	// Deliver takes a webhook, as its receiver gets it over HTTP. After an error it is delivered again. It
	// is called before the call that made the news returns, so it must wait for nothing that the caller holds.
	Deliver func(ctx context.Context, mode catalog.Mode, header http.Header, body []byte) error
}

// Provider is the sandbox. It is a provider.Provider, and the handler of its pages, all of which are
// under /pay/. It is safe for concurrent use.
type Provider struct {
	Config
	known sync.Map // of keys by place: they never change
	pages http.Handler
}

var _ provider.Provider = (*Provider)(nil)

// New makes the sandbox over what is stored.
func New(c Config) *Provider {
	c.Base = strings.TrimRight(c.Base, "/")
	p := &Provider{Config: c}
	p.pages = p.routes()
	return p
}

// Name is "sandbox".
func (p *Provider) Name() string { return Name }

// Minimum is 50 minor units of every currency.
func (p *Provider) Minimum(string) int64 { return minimum }

// OpenPage opens the page of an order; asked again it answers with the same. The error's code is
// amount_too_small below the minimum.
func (p *Provider) OpenPage(ctx context.Context, page provider.Page) (provider.Opened, error) {
	const op = "sandbox.OpenPage"
	if err := enough(op, page.Order); err != nil {
		return provider.Opened{}, err
	}
	blank, err := p.orderObject(ctx, op, page.Key, page.OrderID)
	if err != nil {
		return provider.Opened{}, err
	}
	r, err := p.change(ctx, op, blank, func(r *record) error {
		if r.Page {
			return nil
		}
		r.describe(page.Place, page.Order, page.OrderID)
		r.Page, r.AppName, r.Credits = true, page.AppName, page.CreditsAs
		if !page.Order.ExpiresAt.IsZero() {
			// The order's instants are those of its mode, which may have a clock of its own.
			r.ExpiresAt = p.Clock.Now().Add(page.Order.ExpiresAt.Sub(page.Order.CreatedAt))
		}
		return nil
	})
	if err != nil {
		return provider.Opened{}, err
	}
	return provider.Opened{Session: blank.ID, URL: p.address(blank.ID), Customer: r.Customer}, nil
}

// enough refuses what is below the minimum; nothing at all is no payment, and fine.
func enough(op string, o *wallet.Order) error {
	if o.Minor == 0 || o.Minor >= minimum {
		return nil
	}
	return fault.New(op, fault.CodeAmountTooSmall, "%s is less than the %s that can be charged",
		money.Display(o.Minor, o.Currency), money.Display(minimum, o.Currency))
}

// ClosePage closes a page that is not paid; news of it follows. One that is closed, paid or being paid
// stays as it is.
func (p *Provider) ClosePage(ctx context.Context, place provider.Place, session string) error {
	const op = "sandbox.ClosePage"
	_, err := p.act(ctx, op, session, func(r *record) error {
		if r.Key != place.Key {
			return unknownPage(op)
		}
		r.close(p.Clock.Now())
		return nil
	})
	return err
}

// Look tells all that is known of an order.
func (p *Provider) Look(ctx context.Context, q provider.Question) ([]wallet.OrderNews, error) {
	const op = "sandbox.Look"
	blank, err := p.orderObject(ctx, op, q.Key, q.OrderID)
	if err != nil {
		return nil, err
	}
	r, err := p.act(ctx, op, blank.ID, func(*record) error { return nil })
	if fault.CodeOf(err) == fault.CodeOrderNotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return r.news(), nil
}

// Past tells nothing: what was not taken when it happened waits in the store, and Redeliver delivers it.
func (p *Provider) Past(context.Context, catalog.Mode, clock.Instant, string) ([]provider.Event, string, error) {
	return nil, "", nil
}

func unknownPage(op string) error {
	return fault.New(op, fault.CodeOrderNotFound, "The sandbox knows no such page.")
}

// address is where the page of an order is.
func (p *Provider) address(session string) string { return p.Base + "/pay/" + session }
