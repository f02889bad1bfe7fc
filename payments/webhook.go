package payments

import (
	"context"
	"net/http"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/payments/provider"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/wallet"
)

// MaxWebhook bounds the body of a provider's webhook, in bytes.
const MaxWebhook = 1 << 20

// Webhook takes a provider's webhook: mode is live or test, whose endpoint it came to. An error means
// that it must come again; what is about nothing of ours is acknowledged.
func (c *Core) Webhook(ctx context.Context, name string, mode catalog.Mode, header http.Header, body []byte) error {
	p, err := c.named(mode, name)
	if err != nil {
		return err
	}
	events, err := p.Read(ctx, mode, header, body)
	if err != nil {
		return err
	}
	for i := range events {
		if err := c.take(ctx, mode, &events[i]); err != nil {
			return err
		}
	}
	return nil
}

// take brings one piece of news to where it belongs.
func (c *Core) take(ctx context.Context, mode catalog.Mode, e *provider.Event) error {
	if e.Subscription != nil {
		return c.takeSubscription(ctx, mode, e)
	}
	found, err := c.about(ctx, mode, e)
	if err != nil {
		return err
	}
	if found == nil {
		c.unplaced(mode, e)
		return nil
	}
	_, err = c.do(ctx, found.Key, &wallet.TellOrder{Order: found.Order.N, News: e.News})
	return err
}

// about finds the order of an event: by its id in the provider's metadata, or by the provider's own
// ids; nil when there is none in this mode.
func (c *Core) about(ctx context.Context, mode catalog.Mode, e *provider.Event) (*store.FoundOrder, error) {
	var queries []store.OrderQuery
	if w, n, err := id.ParseObject(id.PrefixOrder, e.OrderID); err == nil {
		queries = append(queries, store.OrderQuery{Wallet: w, N: n, Limit: 1})
	}
	if e.News.Session != "" {
		queries = append(queries, store.OrderQuery{Session: e.News.Session, Limit: 1})
	}
	if e.News.Payment != "" {
		queries = append(queries, store.OrderQuery{Payment: e.News.Payment, Limit: 1})
	}
	for _, q := range queries {
		found, err := c.Store.Orders(ctx, q)
		if err != nil {
			return nil, err
		}
		if len(found) == 1 && sameSide(found[0].Key.Mode, mode) {
			return &found[0], nil
		}
	}
	return nil, nil
}

// sameSide reports whether two modes are both live, or neither is: test never meets live.
func sameSide(a, b catalog.Mode) bool { return (a == catalog.Live) == (b == catalog.Live) }

// unplaced writes into the log that there is money of which nobody here knows what it was for (V33), for
// somebody to look at.
func (c *Core) unplaced(mode catalog.Mode, e *provider.Event) {
	if e.News.Kind != wallet.NewsPaid {
		return
	}
	c.Log.Warn("a payment belongs to no order: nothing was granted", "mode", mode, "event", e.ID,
		"session", e.News.Session, "payment", e.News.Payment, "amount", e.News.Minor, "currency", e.News.Currency)
}

// takeSubscription brings a subscription to what its outside biller says of it.
func (c *Core) takeSubscription(ctx context.Context, mode catalog.Mode, e *provider.Event) error {
	s := e.Subscription
	app, err := c.appOf(ctx, s)
	if err != nil || app == "" {
		return err
	}
	defs, err := c.Engine.Definitions(ctx, app)
	if err != nil {
		return err
	}
	plan, ok := defs.Plan(s.Plan)
	if !ok {
		c.Log.Warn("a subscription names no plan of this app: nothing was changed", "app", app, "subscription", s.Ref, "plan", s.Plan)
		return nil
	}
	_, err = c.do(ctx, wallet.Key{App: app, Mode: mode, Customer: s.Customer}, &wallet.BilledOutside{
		Ref: s.Ref, Plan: plan.ID, Quantity: s.Quantity, Start: s.Start, End: s.End, Paid: s.Paid, Invoice: s.Invoice,
		Ended: s.Ended, EndsAt: s.EndsAt, Note: wallet.Note{RefType: wallet.RefOrder, RefID: s.Invoice},
	})
	if fault.CodeOf(err) == fault.CodeCustomerNotFound {
		return nil // it ended before it was known here
	}
	return err
}

// appOf is the app that a subscription belongs to: the one that its metadata names, or the only one.
func (c *Core) appOf(ctx context.Context, s *provider.Subscription) (string, error) {
	if s.App != "" || s.Customer == "" {
		return s.App, nil
	}
	apps, err := c.Store.Apps(ctx)
	if err != nil {
		return "", err
	}
	if len(apps) != 1 {
		c.Log.Warn("a subscription names no app, and there is not exactly one: nothing was changed", "subscription", s.Ref)
		return "", nil
	}
	return apps[0].ID, nil
}
