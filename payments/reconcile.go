package payments

import (
	"context"
	"errors"
	"time"

	"github.com/seed42445051/scrip/caller"
	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/engine"
	"github.com/seed42445051/scrip/payments/provider"
	"github.com/seed42445051/scrip/store"
	v1 "github.com/seed42445051/scrip/v1"
	"github.com/seed42445051/scrip/wallet"
)

// How a provider is asked about what no webhook told.
const (
	// ReconcileEvery is how often a server asks.
	ReconcileEvery = 5 * time.Minute
	// ReconcileAfter is how long a webhook may take before anybody asks.
	ReconcileAfter = 10 * time.Minute
	// ReconcileFor is how long after it was made an order is asked about.
	ReconcileFor = 35 * 24 * time.Hour
	// ReconcileBatch bounds the orders that are asked about in one go.
	ReconcileBatch = 200
	// ReconcileBack is how far back a server that begins reads of refunds and disputes: as long as Stripe
	// tells of them.
	ReconcileBack = 30 * 24 * time.Hour
	// ReconcileOverlap is how much of what was read is read again: the provider's clock is another.
	ReconcileOverlap = 15 * time.Minute
	// ReconcilePages bounds how much of it is read in one go, in pages of the provider's.
	ReconcilePages = 10
)

// unsettled are the statuses in which news is waited for.
var unsettled = []wallet.OrderStatus{wallet.OrderOpen, wallet.OrderDue, wallet.OrderProcessing}

// Reconcile asks the provider about every order of the caller's app and mode that still waits for news,
// and tells the orders what it answers.
func (s *Session) Reconcile(ctx context.Context, r v1.ReconcileRequest, _ ...v1.Option) (v1.Reconciled, error) {
	q := store.OrderQuery{App: s.caller.App, Mode: s.caller.Mode, From: s.core.Clock.Now().Add(-ReconcileFor)}
	if r.CustomerID != "" {
		key, err := caller.Wallet(s.caller, r.CustomerID)
		if err != nil {
			return v1.Reconciled{}, err
		}
		q.Wallet = key.ID()
	}
	return s.core.reconcile(ctx, q)
}

// reconcile asks about the orders that a query selects and that wait for news, and about those that
// are paid, for refunds and disputes of which no webhook told.
func (c *Core) reconcile(ctx context.Context, q store.OrderQuery) (v1.Reconciled, error) {
	var out v1.Reconciled
	q.Status, q.Limit = append([]wallet.OrderStatus{wallet.OrderPaid, wallet.OrderExpired, wallet.OrderFailed}, unsettled...), ReconcileBatch
	for {
		found, err := c.Store.Orders(ctx, q)
		if err != nil {
			return out, err
		}
		for i := range found {
			changed, err := c.look(ctx, &found[i])
			if err != nil {
				return out, err
			}
			out.Checked++
			if changed {
				out.Changed++
			}
		}
		if len(found) < ReconcileBatch {
			return out, nil
		}
		last := &found[len(found)-1]
		q.After = store.ListPosition{At: last.Order.CreatedAt, Wallet: last.Key.ID(), N: last.Order.N}
	}
}

// look asks the provider about one order; true when something was news.
func (c *Core) look(ctx context.Context, found *store.FoundOrder) (bool, error) {
	key, o := found.Key, found.Order
	news, err := c.ask(ctx, found)
	if err != nil {
		return false, err
	}
	changed := false
	for i := range news {
		res, err := c.do(ctx, key, &wallet.TellOrder{Order: o.N, News: news[i]})
		if err != nil {
			return changed, err
		}
		changed = changed || res.Order.Status != o.Status || res.Order.Refunded() != o.Refunded() || res.Order.Dispute != o.Dispute
	}
	return changed, nil
}

// ask is what the provider knows of an order.
func (c *Core) ask(ctx context.Context, found *store.FoundOrder) ([]wallet.OrderNews, error) {
	key, o := found.Key, found.Order
	if o.Provider == "" {
		return nil, nil
	}
	if o.Status == wallet.OrderOpen && o.Session == "" {
		// The page was never opened: the call that would have was cut off, and its caller knows of none.
		return nil, nil
	}
	p, err := c.named(key.Mode, o.Provider)
	if err != nil {
		return nil, err
	}
	place, payer, err := c.place(ctx, key)
	if err != nil {
		return nil, err
	}
	return p.Look(ctx, provider.Question{Place: with(place, payer, p.Name()), Order: o, OrderID: o.ID(key.ID())})
}

// Reconciler asks providers, until it is closed, about orders of which no webhook has told.
type Reconciler struct {
	core  *Core
	clock engine.Clock
	past  [2]past // of the live side, and of the test side
	stop  chan struct{}
	done  chan struct{}
}

// StartReconciler begins to ask. Close it before the engine and the store.
func (c *Core) StartReconciler(waiter engine.Clock) *Reconciler {
	r := &Reconciler{core: c, clock: waiter, stop: make(chan struct{}), done: make(chan struct{})}
	r.past[0].mode, r.past[1].mode = catalog.Live, catalog.Test
	go r.run()
	return r
}

// Close stops, and waits for a question under way.
func (r *Reconciler) Close() {
	close(r.stop)
	<-r.done
}

func (r *Reconciler) run() {
	defer close(r.done)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		select {
		case <-r.stop:
			cancel()
		case <-ctx.Done():
		}
	}()
	next := r.clock.After(ReconcileEvery)
	for {
		select {
		case <-next:
		case <-r.stop:
			return
		}
		next = r.clock.After(ReconcileEvery) // before it asks: the time in which it does so counts
		now := r.clock.Now()
		if err := errors.Join(r.core.round(ctx, now), r.readPast(ctx, now)); err != nil && ctx.Err() == nil {
			r.core.Log.Warn("reconciling payments failed; it is tried again", "cause", err)
		}
	}
}

// round asks about the orders of all apps and modes that have waited for news for long. What becomes of
// those that were paid is among what the provider tells of the past.
func (c *Core) round(ctx context.Context, now clock.Instant) error {
	if c.EveryRound != nil {
		if err := c.EveryRound(ctx); err != nil {
			return err
		}
	}
	q := store.OrderQuery{Status: unsettled, From: now.Add(-ReconcileFor), To: now.Add(-ReconcileAfter), Limit: ReconcileBatch}
	for {
		found, err := c.Store.Orders(ctx, q)
		if err != nil {
			return err
		}
		for i := range found {
			if _, err := c.look(ctx, &found[i]); err != nil {
				c.Log.Warn("a payment provider could not be asked about an order", "order", found[i].Order.ID(found[i].Key.ID()), "cause", err)
			}
		}
		if len(found) < ReconcileBatch {
			return nil
		}
		last := &found[len(found)-1]
		q.After = store.ListPosition{At: last.Order.CreatedAt, Wallet: last.Key.ID(), N: last.Order.N}
	}
}
