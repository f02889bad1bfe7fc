package storetest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/money"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/wallet"
)

var listTests = []test{
	{"grants", checkGrants},
	{"entries", checkEntries},
	{"usages", checkUsages},
	{"tallies", checkTallies},
	{"subscriptions", checkSubscriptions},
	{"the history of a subscription", checkHistory},
	{"invoices", checkInvoices},
	{"orders", checkOrders},
	{"orders by what a provider knows them by", checkProviderRefs},
	{"automatic top-ups", checkTopUps},
	{"wallets that are due", checkDue},
	{"headers", checkHeaders},
	{"a page has its bounds", checkPage},
	{"lists of a wallet that does not exist are empty", func(b *bench) {
		w := key("none").ID()
		grants, err := b.Grants(b.ctx, store.GrantQuery{Wallet: w})
		b.must(err)
		entries, err := b.Entries(b.ctx, store.EntryQuery{Wallet: w})
		b.must(err)
		usages, err := b.Usages(b.ctx, store.UsageQuery{App: app, Mode: catalog.Live, Customer: "none"})
		b.must(err)
		subs, err := b.Subscriptions(b.ctx, store.SubscriptionQuery{Wallet: w})
		b.must(err)
		events, err := b.SubscriptionEvents(b.ctx, w, 1, 0, 0)
		b.must(err)
		invoices, err := b.Invoices(b.ctx, store.InvoiceQuery{Wallet: w})
		b.must(err)
		orders, err := b.Orders(b.ctx, store.OrderQuery{Wallet: w})
		b.must(err)
		topUps, err := b.TopUps(b.ctx, store.TopUpQuery{Wallet: w})
		b.must(err)
		if len(orders)+len(topUps)+len(grants)+len(entries)+len(usages)+len(subs)+len(events)+len(invoices) != 0 {
			b.Fatal("something was found")
		}
	}},
}

func checkGrants(b *bench) {
	k := key("a")
	under := give(calls, 3)
	under.ExternalRef = "order 1"
	b.do(k, give(calls, 1), give(tokens, 2), under, give(dollars, 4), spend(calls, 1))
	b.do(key("b"), give(calls, 100))
	numbers := func(q store.GrantQuery) string {
		q.Wallet = k.ID()
		grants, err := b.Grants(b.ctx, q)
		b.must(err)
		return list(grants, func(g *wallet.Grant) any { return g.N })
	}
	for _, c := range []struct {
		q    store.GrantQuery
		want string
	}{
		{store.GrantQuery{}, "1 2 3 4"},
		{store.GrantQuery{Credit: calls}, "1 3"},
		{store.GrantQuery{Credit: "none"}, ""},
		{store.GrantQuery{After: 2}, "3 4"},
		{store.GrantQuery{After: 1, Limit: 2}, "2 3"},
		{store.GrantQuery{Only: []int64{4, 1, 9, 1}}, "1 4"},
		{store.GrantQuery{Only: []int64{4, 1}, Credit: dollars}, "4"},
		{store.GrantQuery{Ref: "order 1"}, "3"},
		{store.GrantQuery{Ref: "order 1", After: 3}, ""},
		{store.GrantQuery{Ref: "order 1", Credit: tokens}, ""},
		{store.GrantQuery{Ref: "order"}, ""},
		{store.GrantQuery{Only: []int64{4, 3, 1}, After: 1, Limit: 1}, "3"},
	} {
		b.same(fmt.Sprintf("%+v", c.q), numbers(c.q), c.want)
	}
}

func checkEntries(b *bench) {
	k := key("a")
	b.do(k, give(calls, 100)) // 1
	for range 3 {             // 2 to 7: one of each credit every day
		b.now += day
		b.do(k, spend(calls, 1), give(tokens, 1))
	}
	b.do(key("b"), give(calls, 100))
	for _, c := range []struct {
		q    store.EntryQuery
		want string
	}{
		{store.EntryQuery{}, "7 6 5 4 3 2 1"},
		{store.EntryQuery{Limit: 2}, "7 6"},
		{store.EntryQuery{Limit: 2, Before: 6}, "5 4"},
		{store.EntryQuery{Limit: 2, Offset: 3}, "4 3"},
		{store.EntryQuery{Credit: calls, Offset: 1, Before: 6}, "2 1"},
		{store.EntryQuery{Offset: 7}, ""},
		{store.EntryQuery{Before: 1}, ""},
		{store.EntryQuery{Seq: 3}, "3"},
		{store.EntryQuery{Seq: 3, Credit: calls}, ""},
		{store.EntryQuery{Credit: calls}, "6 4 2 1"},
		{store.EntryQuery{Types: []wallet.EntryType{wallet.CreditDeducted}}, "6 4 2"},
		{store.EntryQuery{Types: []wallet.EntryType{wallet.CreditDeducted, wallet.CreditAdded}, Credit: calls, Limit: 3}, "6 4 2"},
		{store.EntryQuery{Types: []wallet.EntryType{wallet.Revoked}}, ""},
		{store.EntryQuery{From: start + 2*day}, "7 6 5 4"},
		{store.EntryQuery{To: start + 2*day}, "3 2 1"},
		{store.EntryQuery{From: start + day, To: start + 3*day}, "5 4 3 2"},
		{store.EntryQuery{From: start + day, To: start + 3*day, Credit: tokens, Before: 5, Limit: 1}, "3"},
	} {
		c.q.Wallet = k.ID()
		entries, err := b.Entries(b.ctx, c.q)
		b.must(err)
		b.same(fmt.Sprintf("%+v", c.q), list(entries, func(e wallet.Entry) any { return e.Seq }), c.want)
	}
}

func checkUsages(b *bench) {
	k, other := key("a"), key("b")
	other.Mode = catalog.Test
	n := int64(0)
	usage := func(name, event string, at clock.Instant) *wallet.Usage {
		n++
		return &wallet.Usage{N: n, ID: name, Event: event, Quantity: 1, At: at}
	}
	create := func(k wallet.Key, usages ...*wallet.Usage) {
		b.must(b.write(store.WalletChange{Header: wallet.Header{ID: k.ID(), Key: k, Version: 1}, Created: true, NewUsages: usages}))
	}
	create(k, usage("u1", "chat", 10), usage("u2", "image", 20), usage("u3", "chat", 30), usage("u4", "chat", 30), usage("u5", "chat", 40))
	create(key("c"), usage("u2", "chat", 25))
	create(other, usage("u1", "chat", 10)) // another mode
	after := func(at clock.Instant, n int64) store.UsagePosition {
		return store.UsagePosition{At: at, Wallet: k.ID(), N: n}
	}
	for _, c := range []struct {
		q    store.UsageQuery
		want string
	}{
		{store.UsageQuery{Customer: "a"}, "u5 u4 u3 u2 u1"},
		{store.UsageQuery{Customer: "a", Limit: 2}, "u5 u4"},
		{store.UsageQuery{Customer: "a", Limit: 2, Skip: 1}, "u4 u3"},
		{store.UsageQuery{Customer: "a", Event: "chat"}, "u5 u4 u3 u1"},
		{store.UsageQuery{Customer: "a", After: after(30, 4)}, "u3 u2 u1"},
		{store.UsageQuery{Customer: "a", Event: "chat", To: 30}, "u1"},
		{store.UsageQuery{Customer: "a", From: 20, To: 40}, "u4 u3 u2"},
		{store.UsageQuery{Customer: "a", ID: "u3"}, "u3"},
		{store.UsageQuery{Customer: "a", ID: "u3", Event: "image"}, ""},
		{store.UsageQuery{Customer: "a", ID: "none"}, ""},
		{store.UsageQuery{Customer: "nobody"}, ""},
		{store.UsageQuery{}, "u5 u4 u3 u2 u2 u1"},
		{store.UsageQuery{After: after(25, 9), Limit: 1}, "u2"},
		{store.UsageQuery{ID: "u2"}, "u2 u2"},
		{store.UsageQuery{ID: "u2", Customer: "c"}, "u2"},
		{store.UsageQuery{From: 25, To: 31, Skip: 1}, "u3 u2"},
	} {
		c.q.App, c.q.Mode = k.App, k.Mode
		usages, err := b.Usages(b.ctx, c.q)
		b.must(err)
		b.same(fmt.Sprintf("%+v", c.q), list(usages, func(u store.CustomerUsage) any { return u.ID }), c.want)
	}
}

func checkTallies(b *bench) {
	k := key("a")
	tally := func(meter, credit string, from clock.Instant) *wallet.Tally {
		return &wallet.Tally{
			TallyKey: wallet.TallyKey{Meter: meter, Credit: credit, From: from}, To: from + 10, UnitsPerCredit: money.Ratio{Num: 1, Den: 1},
		}
	}
	b.must(b.write(store.WalletChange{
		Header: wallet.Header{ID: k.ID(), Key: k, Version: 1, LastAt: 20}, Created: true,
		Tallies: []*wallet.Tally{tally("m1", calls, 0), tally("m1", calls, 10), tally("m1", calls, 20), tally("m2", calls, 20), tally("m2", tokens, 20)},
	}))
	name := func(t *wallet.Tally) any { return fmt.Sprint(t.Meter, t.Credit[len(t.Credit)-1:], int64(t.From)) }
	for _, c := range []struct {
		q    store.TallyQuery
		want string
	}{
		{store.TallyQuery{}, "m2s20 m2s20 m1s20 m1s10 m1s0"},
		{store.TallyQuery{Meter: "m1"}, "m1s20 m1s10 m1s0"},
		{store.TallyQuery{Meter: "m1", From: 10, To: 20}, "m1s10"},
		{store.TallyQuery{Limit: 1}, "m2s20"},
		{store.TallyQuery{After: wallet.TallyKey{Meter: "m2", Credit: tokens, From: 20}}, "m2s20 m1s20 m1s10 m1s0"},
		{store.TallyQuery{After: wallet.TallyKey{Meter: "m1", Credit: calls, From: 20}, Limit: 1}, "m1s10"},
		{store.TallyQuery{After: wallet.TallyKey{Meter: "m1", Credit: calls}}, ""},
	} {
		c.q.Wallet = k.ID()
		tallies, err := b.Tallies(b.ctx, c.q)
		b.must(err)
		b.same(fmt.Sprintf("%+v", c.q), list(tallies, name), c.want)
	}
	if open := b.snapshot(k).Tallies; len(open) != 3 {
		b.Fatalf("%d tallies of periods that go on, want 3", len(open))
	}
}

func checkDue(b *bench) {
	due := map[string]clock.Instant{"never": 0, "late": 300, "soon": 100, "next": 200, "other": 200}
	for customer, at := range due {
		k := key(customer)
		b.must(b.write(store.WalletChange{Header: wallet.Header{ID: k.ID(), Key: k, Version: 1, NextDue: at}, Created: true}))
	}
	customers := func(now clock.Instant, limit int) []string {
		keys, err := b.Due(b.ctx, now, limit)
		b.must(err)
		var names []string
		for _, k := range keys {
			b.same("key", k, key(k.Customer))
			names = append(names, k.Customer)
		}
		return names
	}
	b.same("before", customers(99, 10), []string{})
	b.same("at the instant", customers(100, 10), []string{"soon"})
	b.same("the longest due first", customers(300, 1), []string{"soon"})
	all := customers(1000, 10)
	if len(all) != 4 || all[0] != "soon" || all[3] != "late" {
		b.Fatalf("due: %v", all)
	}
	soon := b.snapshot(key("soon")).Header
	soon.Version, soon.NextDue = 2, 0
	b.must(b.write(store.WalletChange{Header: soon}))
	b.same("after", customers(199, 10), []string{})
}

func checkHeaders(b *bench) {
	var want []wallet.Header
	for i := range 7 {
		k := key(fmt.Sprint(i))
		b.do(k, give(calls, int64(i+1)))
		want = append(want, b.snapshot(k).Header)
	}
	slices.SortFunc(want, func(x, y wallet.Header) int { return compareIDs(x.ID, y.ID) })
	var got []wallet.Header
	var after id.Wallet
	for {
		page, err := b.Headers(b.ctx, after, 3)
		b.must(err)
		if len(page) == 0 {
			break
		}
		got = append(got, page...)
		after = page[len(page)-1].ID
	}
	b.same("headers", got, want)
}

func checkPage(b *bench) {
	k := key("a")
	change := store.WalletChange{Header: wallet.Header{ID: k.ID(), Key: k, Version: 1}, Created: true}
	for i := range store.MaxPage + 2 {
		change.NewUsages = append(change.NewUsages, &wallet.Usage{N: int64(i) + 1, ID: fmt.Sprint(i)})
	}
	b.must(b.write(change))
	for limit, want := range map[int]int{0: store.MaxPage, 1: 1, store.MaxPage: store.MaxPage, store.MaxPage + 1: store.MaxPage, -1: store.MaxPage} {
		usages, err := b.Usages(b.ctx, store.UsageQuery{App: k.App, Mode: k.Mode, Customer: k.Customer, Limit: limit})
		b.must(err)
		if len(usages) != want {
			b.Errorf("limit %d: %d rows, want %d", limit, len(usages), want)
		}
	}
}

func list[T any](all []T, name func(T) any) string {
	var words []string
	for _, x := range all {
		words = append(words, fmt.Sprint(name(x)))
	}
	return strings.Join(words, " ")
}
