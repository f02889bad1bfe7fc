package storetest

import (
	"testing"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/wallet"
)

// Upgrade checks that a database which an older program made reads the same after it was migrated,
// and can be written. It fills a store with what the first schema has columns for; upgraded brings its
// rows into a database of an older schema and migrates that. It returns the store over that database.
func Upgrade(t *testing.T, s store.Store, upgraded func() store.Store) store.Store {
	t.Helper()
	b := newBench(t, s)
	keys := []wallet.Key{key("a"), {App: app, Mode: alice, Customer: longest}}
	b.must(b.define(store.Definition{NewKeys: []store.Key{fullKey("key_1")}}))
	for _, k := range keys {
		b.now = start
		b.runCommands(k)
		customer := fullCustomer(k)
		b.must(b.SaveCustomer(b.ctx, customer))
		b.tellFully(k)
	}
	want := b.contents(keys)
	after := &bench{T: t, Store: upgraded(), ctx: b.ctx, defs: b.defs, now: b.now}
	b.same("contents", after.contents(keys), want)
	for _, k := range keys {
		h := after.snapshot(k).Header
		b.same("number of the last order", h.OrderSeq, int64(0))
		after.now += day
		after.do(k, &wallet.PlaceOrder{Kind: wallet.CardOrder, Provider: "p"}, spend(calls, 1))
		after.sameAsRules(k)
		h = after.snapshot(k).Header
		b.same("number of the last order", h.OrderSeq, int64(1))
		h.Version++
		d := newDelivery(h.ID, h.TellSeq+1, 1)
		d.Endpoint = catalog.MailReceiver
		b.must(after.write(store.WalletChange{Header: h, Deliveries: []store.Delivery{d}}))
	}
	return after.Store
}

// tellFully writes deliveries of every status in which every column has something to say.
func (b *bench) tellFully(k wallet.Key) {
	b.Helper()
	h := b.snapshot(k).Header
	h.Version++
	c := store.WalletChange{Header: h}
	var results []store.Result
	for i, status := range []store.DeliveryStatus{store.DeliveryPending, store.DeliveryDelivered, store.DeliveryFailed, store.DeliverySkipped} {
		d := newDelivery(h.ID, h.TellSeq+int64(i)+1, int64(i)) // the first tells of no entry
		d.Event, d.CreatedAt, d.NextAt = h.TellSeq+1, start+clock.Instant(i), start+clock.Instant(10*i)
		if d.Seq == 0 {
			d.About.Low = nil
		}
		c.Deliveries = append(c.Deliveries, d)
		c.Header.TellSeq = d.N
		if status != store.DeliveryPending {
			results = append(results, store.Result{
				Wallet: d.Wallet, N: d.N, Lease: d.NextAt, Status: status, Tries: i + 1, FinishedAt: start + 99, Log: fullLog(),
			})
		}
	}
	b.must(b.write(c))
	b.must(b.Finish(b.ctx, results, nil))
}

// contents is all that can be read of wallets, and of their app.
func (b *bench) contents(keys []wallet.Key) (all []any) {
	b.Helper()
	add := func(v any, err error) {
		b.Helper()
		b.must(err)
		all = append(all, v)
	}
	defs, err := b.Definitions(b.ctx, app)
	add(defs, err)
	found, err := b.ListKeys(b.ctx, app)
	add(found, err)
	headers, err := b.Headers(b.ctx, [16]byte{}, 0)
	add(headers, err)
	deliveries, err := b.ListDeliveries(b.ctx, store.DeliveryQuery{Endpoint: hook})
	add(deliveries, err)
	due, err := b.DueDeliveries(b.ctx, b.now)
	add(due, err)
	for _, d := range deliveries {
		one, err := b.FindDelivery(b.ctx, d.Wallet, d.N)
		add(one, err)
	}
	for _, k := range keys {
		w := k.ID()
		add(b.snapshot(k), nil)
		entries, err := b.Entries(b.ctx, store.EntryQuery{Wallet: w})
		add(entries, err)
		grants, err := b.Grants(b.ctx, store.GrantQuery{Wallet: w})
		add(grants, err)
		usages, err := b.Usages(b.ctx, store.UsageQuery{App: k.App, Mode: k.Mode, Customer: k.Customer})
		add(usages, err)
		tallies, err := b.Tallies(b.ctx, store.TallyQuery{Wallet: w})
		add(tallies, err)
		subs, err := b.Subscriptions(b.ctx, store.SubscriptionQuery{Wallet: w})
		add(subs, err)
		for _, s := range subs {
			add(b.history(k, s.Subscription.N), nil)
		}
		invoices, err := b.Invoices(b.ctx, store.InvoiceQuery{Wallet: w})
		add(invoices, err)
		closed, err := b.Fetch(b.ctx, w, wallet.Needs{Holds: []int64{1, 2, 3}})
		add(closed, err)
		customers, err := b.Customers(b.ctx, store.CustomerQuery{App: k.App, Mode: k.Mode})
		add(customers, err)
	}
	return all
}
