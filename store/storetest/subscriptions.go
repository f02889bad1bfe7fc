package storetest

import (
	"fmt"
	"slices"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/wallet"
)

// inThree makes three wallets of one app in the order of their ids, and one in the other mode.
func (b *bench) inThree(fill func(c *store.WalletChange, i int)) []wallet.Key {
	b.Helper()
	keys := []wallet.Key{key("a"), key("b"), key("c")}
	slices.SortFunc(keys, func(x, y wallet.Key) int { return compareIDs(x.ID(), y.ID()) })
	keys = append(keys, wallet.Key{App: app, Mode: catalog.Test, Customer: "a"})
	for i, k := range keys {
		c := store.WalletChange{Header: wallet.Header{ID: k.ID(), Key: k, Version: 1}, Created: true}
		fill(&c, i)
		b.must(b.write(c))
	}
	return keys
}

// plansTaken fills the wallets of inThree: two with plans that ended before their last, one whose
// plan is paused, and one in the other mode.
func plansTaken(b *bench) []wallet.Key {
	b.Helper()
	sub := func(n int64, plan string, started, ends, paused clock.Instant, ended bool) *wallet.Subscription {
		return &wallet.Subscription{N: n, Plan: plan, StartedAt: started, EndsAt: ends, PausedAt: paused, Ended: ended}
	}
	return b.inThree(func(c *store.WalletChange, i int) {
		switch i {
		case 0:
			c.Ended = []*wallet.Subscription{sub(1, "p", 10, 15, 0, true), sub(2, "q", 20, 30, 25, true)}
			c.Subscription = sub(3, "p", 30, 0, 0, false)
		case 1:
			c.Ended = []*wallet.Subscription{sub(1, "q", 20, 30, 0, true)}
			c.Subscription = sub(2, "p", 30, 40, 0, false)
		case 2:
			c.Subscription = sub(1, "p", 30, 0, 35, false)
		default:
			c.Subscription = sub(1, "p", 30, 0, 0, false)
		}
		c.Subscription.Allowances = []wallet.Allowance{fullAllowance("x"), fullAllowance(fmt.Sprint(i))}
	})
}

func checkSubscriptions(b *bench) {
	keys := plansTaken(b)
	first, other, test := keys[0].ID(), keys[1].ID(), keys[3].ID()
	name := func(f store.FoundSubscription) any {
		for i, k := range keys {
			if f.Key == k {
				if n := len(f.Subscription.Allowances); n == 2 && f.Subscription.Allowances[1].ID != fmt.Sprint(i) || n != 2 && n != 0 {
					b.Errorf("subscription %d of wallet %d has the allowances %v", f.Subscription.N, i, f.Subscription.Allowances)
				}
				return fmt.Sprintf("%d.%d/%d", i, f.Subscription.N, len(f.Subscription.Allowances))
			}
		}
		return f.Key
	}
	all := store.SubscriptionQuery{App: app, Mode: catalog.Live}
	with := func(edit func(q *store.SubscriptionQuery)) store.SubscriptionQuery {
		q := all
		edit(&q)
		return q
	}
	for _, c := range []struct {
		q    store.SubscriptionQuery
		want string
	}{
		{all, "2.1/2 1.2/2 0.3/2 1.1/0 0.2/0 0.1/0"},
		{store.SubscriptionQuery{App: app, Mode: catalog.Test}, "3.1/2"},
		{store.SubscriptionQuery{App: "none", Mode: catalog.Live}, ""},
		{store.SubscriptionQuery{Wallet: first}, "0.3/2 0.2/0 0.1/0"},
		{store.SubscriptionQuery{Wallet: test}, "3.1/2"},
		{with(func(q *store.SubscriptionQuery) { q.Wallet = test }), ""},
		{with(func(q *store.SubscriptionQuery) { q.Wallet, q.N = first, 2 }), "0.2/0"},
		{with(func(q *store.SubscriptionQuery) { q.Wallet, q.N = first, 4 }), ""},
		{with(func(q *store.SubscriptionQuery) { q.Plan = "p" }), "2.1/2 1.2/2 0.3/2 0.1/0"},
		{with(func(q *store.SubscriptionQuery) { q.Plan, q.Wallet = "q", first }), "0.2/0"},
		{with(func(q *store.SubscriptionQuery) { q.Status, q.At = store.SubscriptionRuns, 30 }), "1.2/2 0.3/2"},
		{with(func(q *store.SubscriptionQuery) { q.Status, q.At = store.SubscriptionRuns, 39 }), "1.2/2 0.3/2"},
		{with(func(q *store.SubscriptionQuery) { q.Status, q.At = store.SubscriptionRuns, 40 }), "0.3/2"},
		{with(func(q *store.SubscriptionQuery) { q.Status, q.At = store.SubscriptionPaused, 40 }), "2.1/2"},
		{with(func(q *store.SubscriptionQuery) { q.Status, q.At = store.SubscriptionEnded, 39 }), "1.1/0 0.2/0 0.1/0"},
		{with(func(q *store.SubscriptionQuery) { q.Status, q.At = store.SubscriptionEnded, 40 }), "1.2/2 1.1/0 0.2/0 0.1/0"},
		{with(func(q *store.SubscriptionQuery) { q.Status, q.At, q.Wallet = store.SubscriptionEnded, 40, other }), "1.2/2 1.1/0"},
		{with(func(q *store.SubscriptionQuery) { q.From, q.To = 20, 30 }), "1.1/0 0.2/0"},
		{with(func(q *store.SubscriptionQuery) { q.From, q.Wallet = 20, first }), "0.3/2 0.2/0"},
		{with(func(q *store.SubscriptionQuery) { q.Skip, q.Limit = 1, 3 }), "1.2/2 0.3/2 1.1/0"},
		{with(func(q *store.SubscriptionQuery) { q.Skip, q.Limit, q.Wallet = 1, 1, first }), "0.2/0"},
		{with(func(q *store.SubscriptionQuery) { q.After = store.ListPosition{At: 30, Wallet: other, N: 2} }), "0.3/2 1.1/0 0.2/0 0.1/0"},
		{with(func(q *store.SubscriptionQuery) {
			q.After, q.Limit = store.ListPosition{At: 20, Wallet: other, N: 1}, 1
		}), "0.2/0"},
		{with(func(q *store.SubscriptionQuery) {
			q.After, q.Wallet = store.ListPosition{At: 30, Wallet: first, N: 3}, first
		}), "0.2/0 0.1/0"},
	} {
		found, err := b.Subscriptions(b.ctx, c.q)
		b.must(err)
		b.same(fmt.Sprintf("%+v", c.q), list(found, name), c.want)
	}
}

func checkHistory(b *bench) {
	keys := b.inThree(func(c *store.WalletChange, i int) {
		for n := range int64(4) {
			c.History = append(c.History, fullEvent(1, n+1), fullEvent(2, n+1))
		}
	})
	for _, c := range []struct {
		n, before int64
		limit     int
		want      string
	}{
		{1, 0, 0, "4 3 2 1"},
		{2, 0, 2, "4 3"},
		{2, 3, 0, "2 1"},
		{2, 3, 1, "2"},
		{2, 1, 0, ""},
		{3, 0, 0, ""},
	} {
		events, err := b.SubscriptionEvents(b.ctx, keys[0].ID(), c.n, c.before, c.limit)
		b.must(err)
		b.same(fmt.Sprintf("%+v", c), list(events, func(e wallet.SubscriptionEvent) any { return e.N }), c.want)
		for _, e := range events {
			b.same("event", e, fullEvent(c.n, e.N))
		}
	}
}

func checkInvoices(b *bench) {
	keys := b.inThree(func(c *store.WalletChange, i int) {
		for n := range int64(3) {
			v := fullInvoice(n + 1)
			v.Subscription, v.IssuedAt, v.Status = 1+n/2, clock.Instant(10*(n+1)), wallet.InvoicePaid
			if n == 2 && i < 2 {
				v.Status = wallet.InvoiceOpen
			}
			c.NewInvoices = append(c.NewInvoices, v)
		}
	})
	first, other, test := keys[0].ID(), keys[1].ID(), keys[3].ID()
	name := func(f store.FoundInvoice) any {
		v := fullInvoice(f.Invoice.N)
		v.Subscription, v.IssuedAt, v.Status = f.Invoice.Subscription, f.Invoice.IssuedAt, f.Invoice.Status
		b.same("invoice", f.Invoice, v)
		return fmt.Sprintf("%d.%d", slices.Index(keys, f.Key), f.Invoice.N)
	}
	all := store.InvoiceQuery{App: app, Mode: catalog.Live}
	with := func(edit func(q *store.InvoiceQuery)) store.InvoiceQuery {
		q := all
		edit(&q)
		return q
	}
	for _, c := range []struct {
		q    store.InvoiceQuery
		want string
	}{
		{all, "2.3 1.3 0.3 2.2 1.2 0.2 2.1 1.1 0.1"},
		{store.InvoiceQuery{App: app, Mode: catalog.Test}, "3.3 3.2 3.1"},
		{store.InvoiceQuery{Wallet: first}, "0.3 0.2 0.1"},
		{with(func(q *store.InvoiceQuery) { q.Wallet = test }), ""},
		{with(func(q *store.InvoiceQuery) { q.Wallet, q.N = other, 2 }), "1.2"},
		{with(func(q *store.InvoiceQuery) { q.Wallet, q.Subscription = other, 1 }), "1.2 1.1"},
		{with(func(q *store.InvoiceQuery) { q.Status = wallet.InvoiceOpen }), "1.3 0.3"},
		{with(func(q *store.InvoiceQuery) { q.Status, q.Wallet = wallet.InvoicePaid, first }), "0.2 0.1"},
		{with(func(q *store.InvoiceQuery) { q.Status = wallet.InvoiceVoid }), ""},
		{with(func(q *store.InvoiceQuery) { q.Skip, q.Limit = 2, 2 }), "0.3 2.2"},
		{with(func(q *store.InvoiceQuery) { q.Skip, q.Limit, q.Wallet = 1, 1, first }), "0.2"},
		{with(func(q *store.InvoiceQuery) {
			q.After, q.Limit = store.ListPosition{At: 20, Wallet: other, N: 2}, 2
		}), "0.2 2.1"},
		{with(func(q *store.InvoiceQuery) {
			q.After, q.Wallet = store.ListPosition{At: 20, Wallet: other, N: 2}, other
		}), "1.1"},
	} {
		found, err := b.Invoices(b.ctx, c.q)
		b.must(err)
		b.same(fmt.Sprintf("%+v", c.q), list(found, name), c.want)
	}
}
