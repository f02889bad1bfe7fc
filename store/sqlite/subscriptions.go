package sqlite

import (
	"context"
	"math"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/wallet"
)

// writeSubscriptions writes what changed of a wallet's subscriptions, and the invoices over them.
func (c *session) writeSubscriptions(ctx context.Context, o owner, w *store.WalletChange) error {
	for _, sub := range w.Ended {
		if err := c.writeSubscription(ctx, o, sub); err != nil {
			return err
		}
	}
	switch {
	case w.Subscription != nil:
		if err := c.writeSubscription(ctx, o, w.Subscription); err != nil {
			return err
		}
		if err := c.writeAllowances(ctx, o, w.Subscription.Allowances); err != nil {
			return err
		}
	case w.Counts != nil:
		if err := c.writeCounts(ctx, o, w.Counts.Allowances); err != nil {
			return err
		}
	}
	for i := range w.History {
		e := &w.History[i]
		_, err := c.exec(ctx, insertSubscriptionEvent, o.bucket, o.wallet, e.Subscription, e.N, string(e.Change), e.From, e.To,
			e.Reason, e.Actor, int64(e.At))
		if err != nil {
			return err
		}
	}
	return c.writeInvoices(ctx, o, w)
}

func (c *session) writeSubscription(ctx context.Context, o owner, s *wallet.Subscription) error {
	next := 0
	if s.Next != nil {
		next = 1
	}
	_, err := c.exec(ctx, upsertSubscription, o.bucket, o.wallet, s.N, s.Plan, s.Quantity,
		int64(s.StartedAt), int64(s.EndsAt), int64(s.TrialEnds), int64(s.PausedAt), flag(s.Ended),
		int64(s.Anchor), s.Zone, int64(s.CycleStart), int64(s.CycleEnd), s.Owed, s.Reason, s.Events,
		jsonOf(s.Terms, 1), jsonOf(s.Included, len(s.Included)), jsonOf(s.Next, next),
		jsonOf(store.Instants(s.Cycles), len(s.Cycles)), jsonOf(s.Metadata, len(s.Metadata)), flag(s.Collect), s.Unpaid, s.Outside, int64(s.PaidTo),
		int64(s.HeldAt))
	return err
}

func (c *session) writeAllowances(ctx context.Context, o owner, all []wallet.Allowance) error {
	for i := range all {
		a := &all[i]
		_, err := c.exec(ctx, upsertAllowance, o.bucket, o.wallet, int64(i), a.ID, a.Label, a.Unit, a.Quota,
			jsonOf(a.Rules, len(a.Rules)), jsonOf(a.Period, 1), int64(a.WindowStart), int64(a.WindowEnd), a.Used)
		if err != nil {
			return err
		}
	}
	_, err := c.exec(ctx, deleteAllowances, o.bucket, o.wallet, int64(len(all)))
	return err
}

// writeCounts is what each use of an allowance writes.
func (c *session) writeCounts(ctx context.Context, o owner, all []wallet.Allowance) error {
	for i := range all {
		a := &all[i]
		n, err := c.exec(ctx, updateCount, int64(a.WindowStart), int64(a.WindowEnd), a.Used, o.bucket, o.wallet, int64(i))
		if err != nil {
			return err
		}
		if n != 1 {
			return missing("allowance", int64(i))
		}
	}
	return nil
}

func (c *session) writeInvoices(ctx context.Context, o owner, w *store.WalletChange) error {
	for _, v := range w.NewInvoices {
		_, err := c.exec(ctx, insertInvoice, o.bucket, o.wallet, v.N, v.Subscription, string(v.Status), v.Currency, v.Total,
			int64(v.From), int64(v.To), int64(v.IssuedAt), int64(v.ClosedAt), v.Ref, jsonOf(v.Lines, len(v.Lines)))
		if err != nil {
			return err
		}
	}
	for _, v := range w.Invoices {
		n, err := c.exec(ctx, closeInvoice, string(v.Status), int64(v.ClosedAt), v.Ref, o.bucket, o.wallet, v.N)
		if err != nil {
			return err
		}
		if n != 1 {
			return missing("invoice", v.N)
		}
	}
	return nil
}

// subscription reads a wallet's last subscription; nil when it never had one.
func (c *session) subscription(ctx context.Context, w id.Wallet) (*wallet.Subscription, error) {
	var sub *wallet.Subscription
	err := c.query(ctx, selectSubscription, func(r row) error {
		var err error
		sub, err = r.subscription()
		return err
	}, of(w)...)
	if err != nil || sub == nil {
		return nil, err
	}
	sub.Allowances, err = c.allowances(ctx, w)
	return sub, err
}

func (c *session) allowances(ctx context.Context, w id.Wallet) ([]wallet.Allowance, error) {
	var all []wallet.Allowance
	err := c.query(ctx, selectAllowances, func(r row) error {
		a, err := r.allowance()
		all = append(all, a)
		return err
	}, of(w)...)
	return all, err
}

func (c *session) invoices(ctx context.Context, w id.Wallet, among []int64) ([]*wallet.Invoice, error) {
	var all []*wallet.Invoice
	err := c.query(ctx, selectInvoices, func(r row) error {
		v, err := r.invoice()
		all = append(all, v)
		return err
	}, of(w, numbers(among))...)
	return all, err
}

// Subscriptions lists subscriptions, newest first.
func (s *Store) Subscriptions(ctx context.Context, q store.SubscriptionQuery) ([]store.FoundSubscription, error) {
	from, to := int64(math.MinInt64), int64(math.MaxInt64)
	if !q.From.IsZero() {
		from = int64(q.From)
	}
	if !q.To.IsZero() {
		to = int64(q.To)
	}
	args := append(listed(q.App, q.Mode, q.After), from, to, q.N, q.Plan, string(q.Status), int64(q.At), limit(q.Limit), int64(q.Skip))
	st, args := oneOrAll(q.Wallet, selectSubscriptionsOf, selectAllSubscriptions, args)
	var found []store.FoundSubscription
	err := s.view(ctx, "sqlite.Subscriptions", func(c *session) error {
		var last []int // which are their wallets' last
		err := c.query(ctx, st, func(r row) error {
			const key = 25 // where the columns of the wallet begin
			sub, err := r.subscription()
			if r.bool(key + 3) {
				last = append(last, len(found))
			}
			found = append(found, store.FoundSubscription{Key: r.keyAt(key), Subscription: sub})
			return err
		}, args...)
		for _, i := range last {
			if err == nil {
				found[i].Subscription.Allowances, err = c.allowances(ctx, found[i].Key.ID())
			}
		}
		return err
	})
	return found, err
}

// SubscriptionEvents lists the history of one subscription, newest first.
func (s *Store) SubscriptionEvents(ctx context.Context, w id.Wallet, n, before int64, most int) ([]wallet.SubscriptionEvent, error) {
	if before == 0 {
		before = math.MaxInt64
	}
	q := query{"sqlite.SubscriptionEvents", selectSubscriptionEvents, of(w, n, before, limit(most))}
	return readAll(ctx, s, q, func(r row) (wallet.SubscriptionEvent, error) {
		return wallet.SubscriptionEvent{
			Subscription: n, N: r.int(0), Change: wallet.SubscriptionChange(r.text(1)), From: r.text(2), To: r.text(3),
			Reason: r.text(4), Actor: r.text(5), At: r.instant(6),
		}, nil
	})
}

// Invoices lists invoices, newest first.
func (s *Store) Invoices(ctx context.Context, q store.InvoiceQuery) ([]store.FoundInvoice, error) {
	args := append(listed(q.App, q.Mode, q.After), q.N, q.Subscription, string(q.Status), limit(q.Limit), int64(q.Skip))
	st, args := oneOrAll(q.Wallet, selectInvoicesOf, selectAllInvoices, args)
	return readAll(ctx, s, query{"sqlite.Invoices", st, args}, func(r row) (store.FoundInvoice, error) {
		const key = 11 // where the columns of the wallet begin
		v, err := r.invoice()
		return store.FoundInvoice{Key: r.keyAt(key), Invoice: v}, err
	})
}

// listed is how the arguments of a list over wallets begin.
func listed(app string, mode catalog.Mode, after store.ListPosition) []any {
	if after == (store.ListPosition{}) {
		after.At, after.N = math.MaxInt64, math.MaxInt64
	}
	return []any{app, string(mode), int64(after.At), int64(after.Wallet.Bucket()), after.Wallet[:], after.N}
}

// oneOrAll chooses between a list's statements for one wallet, whose key comes last, and for all.
func oneOrAll(w id.Wallet, one, all statement, args []any) (statement, []any) {
	if w == (id.Wallet{}) {
		return all, args
	}
	return one, append(args, of(w)...)
}
