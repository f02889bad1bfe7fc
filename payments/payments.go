// Package payments is the money edge: checkout, charges of a saved card, refunds, and what a payment
// provider tells of them.
//
// It owns when a provider is asked, and that its news reach the order that they are about. What an
// order comes to, and what news of it mean for credits, package wallet decides; how a provider is
// spoken to, package provider and the providers own. Money flows one way through it: an order is
// written, the provider is asked, the provider tells, the order is told (design section 5.7).
package payments

import (
	"context"
	"log/slog"
	"strings"

	"github.com/seed42445051/scrip/caller"
	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/engine"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/payments/provider"
	"github.com/seed42445051/scrip/store"
	v1 "github.com/seed42445051/scrip/v1"
	"github.com/seed42445051/scrip/wallet"
)

// Core is what every session shares.
type Core struct {
	Engine *engine.Engine
	Store  store.Store
	Clock  clock.Clock
	Log    *slog.Logger
	// Live and Test move the money of live modes and of all others; nil where none is set up. Others are
	// those that orders may still name since they were placed.
	Live   provider.Provider
	Test   provider.Provider
	Others []provider.Provider
	// EveryRound is called whenever the reconciler begins to ask; nil: nothing is.
	EveryRound func(context.Context) error
}

// Session does what one caller asks.
type Session struct {
	core   *Core
	caller v1.Caller
}

// As returns the session of a caller.
func (c *Core) As(caller v1.Caller) *Session { return &Session{core: c, caller: caller} }

// provider is who moves the money of a mode.
func (c *Core) provider(mode catalog.Mode) (provider.Provider, error) {
	p := c.Test
	if mode == catalog.Live {
		p = c.Live
	}
	if p == nil {
		return nil, fault.New("payments.provider", fault.CodePaymentsNotConfigured,
			"nothing can be sold in mode %s: no payment provider is set up for it. Set SCRIP_STRIPE_LIVE_KEY and SCRIP_STRIPE_LIVE_WEBHOOK_SECRET for live mode, or use a test key, for which the sandbox is built in", mode)
	}
	return p, nil
}

// named finds the provider that an order was placed with.
func (c *Core) named(mode catalog.Mode, name string) (provider.Provider, error) {
	current := c.Test
	if mode == catalog.Live {
		current = c.Live
	}
	for _, p := range append([]provider.Provider{current}, c.Others...) {
		if p != nil && p.Name() == name {
			return p, nil
		}
	}
	return nil, fault.New("payments.named", fault.CodePaymentsNotConfigured, "the order was placed with %s, which is not set up here for mode %s", name, mode)
}

// do runs a command on a wallet that exists, in nobody's name but the provider's.
func (c *Core) do(ctx context.Context, key wallet.Key, command wallet.Command) (engine.Result, error) {
	return c.Engine.Do(ctx, engine.Request{Wallet: key, Command: command, Actor: "payments"})
}

// find reads an order.
func (c *Core) find(ctx context.Context, w id.Wallet, n int64) (*store.FoundOrder, error) {
	found, err := c.Store.Orders(ctx, store.OrderQuery{Wallet: w, N: n, Limit: 1})
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, errNoOrder()
	}
	return &found[0], nil
}

func errNoOrder() error {
	return fault.New("payments.find", fault.CodeOrderNotFound, "there is no such order").In("order_id")
}

// FindOrder finds an order of the caller's app and mode by its id.
func (s *Session) FindOrder(ctx context.Context, orderID string) (*store.FoundOrder, error) {
	w, n, err := id.ParseObject(id.PrefixOrder, orderID)
	if err != nil {
		return nil, errNoOrder()
	}
	found, err := s.core.find(ctx, w, n)
	if err != nil {
		return nil, err
	}
	if found.Key.App != s.caller.App || found.Key.Mode != s.caller.Mode {
		return nil, errNoOrder()
	}
	return found, nil
}

// request is a command for a customer of the caller's app and mode.
func (s *Session) request(customer string, opts []v1.Option, command wallet.Command) (engine.Request, error) {
	key, err := caller.Wallet(s.caller, customer)
	return caller.Request(s.caller, opts, key, command), err
}

// place is whose money it is, with what is known of them.
func (c *Core) place(ctx context.Context, key wallet.Key) (provider.Place, *wallet.Payer, error) {
	p := provider.Place{Key: key}
	known, err := c.Store.Customers(ctx, store.CustomerQuery{App: key.App, Mode: key.Mode, ID: key.Customer, Limit: 1})
	if err != nil {
		return p, nil, err
	}
	for i := range known {
		p.Email, p.Name = known[i].Email, known[i].Name
	}
	r, err := c.Engine.Read(ctx, key.ID())
	if err != nil || r == nil {
		return p, nil, err
	}
	return p, r.State.Payer, nil
}

// with adds the provider's id of the customer, where it is this provider's.
func with(p provider.Place, payer *wallet.Payer, name string) provider.Place {
	if payer != nil && payer.Provider == name {
		p.Customer = payer.Customer
	}
	return p
}

// asText is what is bought, for people: "1,000 credits".
func asText(defs *catalog.Definitions, o *wallet.Order) string {
	var parts []string
	for i := range o.Items {
		if c, ok := defs.Credits[o.Items[i].Credit]; ok {
			parts = append(parts, creditsText(c, o.Items[i].Amount))
		}
	}
	return strings.Join(parts, ", ")
}
