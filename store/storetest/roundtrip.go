package storetest

import (
	"math"
	"reflect"
	"slices"
	"strings"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/wallet"
)

var roundTripTests = []test{
	{"fixtures set every field", func(b *bench) {
		for _, v := range []any{
			fullChange(key("a")), fullCredit("c", "n"), fullPack("p", "n"), fullProduct("d", "n"), fullMeter("m", "n"), fullKey("k"), fullCustomer(key("a")),
			fullEndpoint("e"), fullObject("o"),
		} {
			v := reflect.ValueOf(v)
			if c, ok := v.Interface().(store.WalletChange); ok {
				c.Spent, c.Grants, c.Holds, c.Usages = c.NewGrants, c.NewGrants, c.NewHolds, c.NewUsages
				c.Counts, c.Invoices, c.Orders = c.Subscription, c.NewInvoices, c.NewOrders
				c.Ended[0].Allowances = c.Subscription.Allowances
				c.Deliveries = []store.Delivery{fullDelivery(c.Header.ID)}
				v = reflect.ValueOf(c)
			}
			b.wantFull(v.Type().Name(), v)
		}
	}},
	{"a new wallet reads as it was written", func(b *bench) {
		for _, customer := range []string{"a", hard, longest} {
			c := fullChange(key(customer))
			b.must(b.write(c))
			b.same("snapshot", b.snapshot(key(customer)), fullSnapshot(c))
		}
	}},
	{"closed things read as they were written", checkClosedRoundTrip},
	{"a changed wallet reads as it was changed", checkChangedRoundTrip},
	{"what is empty reads as empty", checkEmptyRoundTrip},
	{"a subscription is replaced whole", checkSubscription},
	{"the counts of allowances change alone", checkCounts},
	{"what ended stays, and the next one is the wallet's", checkEnded},
	{"usage that is paid for in money has no credit", checkMoneyTally},
	{"commands", func(b *bench) { b.runCommands(key("a")) }},
}

func checkClosedRoundTrip(b *bench) {
	c := fullChange(key("a"))
	b.must(b.write(c))
	w := c.Header.ID
	all := wallet.UsageRange{Event: hard, From: math.MinInt64, To: math.MaxInt64}
	found := b.find(w, wallet.Needs{
		Holds: []int64{2}, Grants: []int64{3}, Invoices: []int64{2, 1, 2, 9}, Orders: []int64{2, 9, 1, 2}, Usages: []string{hard, "none", hard}, Ranges: []wallet.UsageRange{all},
		Tallies: []wallet.TallyKey{c.Tallies[0].TallyKey, {Meter: "none", Credit: calls}},
		Uniques: []wallet.UniqueRef{{Meter: hard, Credit: calls, Value: c.Uniques[0].Value}, {Meter: "none", Credit: calls}},
	})
	b.same("usages by id", found.Usages, c.NewUsages)
	b.same("usages that are not void", found.Ranges[all], []*wallet.Usage{})
	b.same("tallies", found.Tallies, c.Tallies)
	b.same("uniques", found.Uniques, c.Uniques)
	b.same("hold", found.Holds, c.NewHolds[1:2])
	b.same("grants", found.Grants, c.NewGrants)
	b.same("invoices", found.Invoices, c.NewInvoices)
	b.same("orders", found.Orders, c.NewOrders)
	entries, err := b.Entries(b.ctx, store.EntryQuery{Wallet: w})
	b.must(err)
	b.same("entries", entries, c.Entries)
	usages, err := b.Usages(b.ctx, store.UsageQuery{App: c.Header.Key.App, Mode: c.Header.Key.Mode, Customer: c.Header.Key.Customer})
	b.must(err)
	b.same("usages", usages, []store.CustomerUsage{{Customer: c.Header.Key.Customer, Wallet: w, Usage: *c.NewUsages[0]}})
	b.same("answers", b.answers(c.Header.ID, hard), c.Answers)
	b.same("history", b.history(key("a"), 1), c.History[:1])
	b.same("history", b.history(key("a"), 2), []wallet.SubscriptionEvent{c.History[2], c.History[1]})
	subs, err := b.Subscriptions(b.ctx, store.SubscriptionQuery{Wallet: w})
	b.must(err)
	b.same("subscriptions", subs, []store.FoundSubscription{
		{Key: key("a"), Subscription: c.Subscription}, {Key: key("a"), Subscription: c.Ended[0]},
	})
	headers, err := b.Headers(b.ctx, [16]byte{}, 10)
	b.must(err)
	b.same("headers", headers, []wallet.Header{c.Header})
}

func checkChangedRoundTrip(b *bench) {
	c := fullChange(key("a"))
	b.must(b.write(c))
	grant := fullGrant(1)
	grant.Lane, grant.Scope, grant.Inherited = 1, fullScope(), true
	grant.Available, grant.Frozen, grant.Held, grant.Spent, grant.Metered = 1, 0, math.MaxInt64-20, 1, 1
	grant.EffectiveAt, grant.ExpiresAt = 8, 9
	grant.Status, grant.Disputed, grant.EndedAt, grant.RolledInto = wallet.GrantRolledOver, false, 7, 3
	hold := fullHold(1)
	hold.Status, hold.ClosedAt, hold.Committed, hold.ExpiresAt = wallet.ReservationCommitted, 5, 6, 7
	hold.Reason, hold.ErrorCode, hold.Response = "r", "e", "x"
	hold.Plan[0].WindowStart, hold.Slices[0].Order = 0, 4 // another plan, and a refund of what is held
	usage := fullUsage(hard, 1)
	usage.Match, usage.VoidedAt = wallet.Matched, 0
	tally, unique := fullTally(), fullUnique()
	tally.To--
	tally.Events, tally.Aggregate, tally.Held, tally.LastAt, tally.LastID, tally.Due = 1, 2, 3, 4, "5", 6
	unique.Events = 7
	invoice := *c.NewInvoices[1]
	invoice.Status, invoice.ClosedAt, invoice.Ref = wallet.InvoiceVoid, math.MinInt64, hard
	order := changedOrder(fullOrder(1))
	order.Status = wallet.OrderWaiting
	next := store.WalletChange{
		Orders: []*wallet.Order{order}, NewOrders: []*wallet.Order{plainOrder(3, wallet.OrderDue)},
		TopUps: []*wallet.TopUp{{Credit: calls, Caps: wallet.Caps{DayMinor: 1}}, fullTopUp(tokens)},
		Payer:  &wallet.Payer{Provider: "p"},
		Header: c.Header, Grants: []*wallet.Grant{grant}, Holds: []*wallet.Hold{hold},
		Standings: []wallet.Standing{{Credit: calls, Overage: 1, UsedOutside: math.MaxInt64, Uncovered: 5}, {Credit: dollars, Overage: 2, UsedOutside: 3, MeteredOverage: 1}},
		Usages:    []*wallet.Usage{usage}, Tallies: []*wallet.Tally{tally}, Uniques: []*wallet.Unique{unique},
		Invoices: []*wallet.Invoice{&invoice},
		Lanes:    []*wallet.Lane{{N: 3, Credit: tokens, Scope: catalog.Scope{{Event: "x"}}}},
		NewHolds: []*wallet.Hold{{N: 3, Charge: wallet.Charge{Event: "e", Quantity: 1}, Status: wallet.ReservationPending}},
	}
	h := &next.Header
	h.Version, h.Seq, h.GrantSeq, h.HoldSeq, h.InvoiceSeq, h.OrderSeq, h.Head, h.LastAt, h.NextDue = 2, 9, 10, 11, 12, 13, sum("next"), 12, 0
	b.must(b.write(next))

	third := *c.NewGrants[2]
	spent := *grant
	spent.Available, spent.Held, spent.Spent, spent.Metered = 0, grant.Held, 2, 2
	last := store.WalletChange{Header: next.Header, Spent: []*wallet.Grant{&spent}}
	last.Header.Version = 3
	b.must(b.write(last))
	next.Header, grant = last.Header, &spent
	b.same("snapshot", b.snapshot(key("a")), &wallet.Snapshot{
		Header:    next.Header,
		Standings: []wallet.Standing{next.Standings[0], next.Standings[1], {Credit: tokens}},
		Lanes:     slices.Concat(c.Lanes, next.Lanes),
		Grants:    []*wallet.Grant{grant, &third},
		Holds:     next.NewHolds, Subscription: c.Subscription, Tallies: next.Tallies,
		Orders: []*wallet.Order{order, next.NewOrders[0]}, TopUps: next.TopUps, Payer: next.Payer,
	})
	all := wallet.UsageRange{Event: hard, From: math.MinInt64, To: math.MaxInt64}
	found := b.find(h.ID, wallet.Needs{Ranges: []wallet.UsageRange{all}, Uniques: []wallet.UniqueRef{{Meter: hard, Credit: calls, Value: unique.Value}}})
	b.same("usages", found.Ranges[all], next.Usages)
	b.same("uniques", found.Uniques, next.Uniques)
	b.same("closed invoice", b.find(h.ID, wallet.Needs{Invoices: []int64{2}}).Invoices, []*wallet.Invoice{&invoice})
	b.same("closed hold", b.find(h.ID, wallet.Needs{Holds: []int64{1}}).Holds, []*wallet.Hold{hold})
}

func checkEmptyRoundTrip(b *bench) {
	entry := wallet.Entry{Seq: 1, Type: wallet.OverageReset, Credit: calls, Metadata: wallet.Metadata{}, Slices: []wallet.Slice{}}
	k := key("a")
	b.must(b.write(store.WalletChange{
		Header: wallet.Header{ID: k.ID(), Key: k, Version: 1, Seq: 1, OrderSeq: 1}, Created: true, Entries: []wallet.Entry{entry},
		NewOrders: []*wallet.Order{plainOrder(1, wallet.OrderDue)}, TopUps: []*wallet.TopUp{{Credit: calls}}, Payer: &wallet.Payer{},
		Lanes: []*wallet.Lane{{N: 1, Credit: calls}}, Subscription: plainSubscription(1),
		NewInvoices: []*wallet.Invoice{{N: 1, Status: wallet.InvoiceVoid}}, History: []wallet.SubscriptionEvent{{N: 1}},
		NewUsages: []*wallet.Usage{{N: 1, ID: "u"}}, Answers: []store.StoredAnswer{{Key: "k"}},
	}))
	entries, err := b.Entries(b.ctx, store.EntryQuery{Wallet: k.ID()})
	b.must(err)
	if entries[0].Metadata != nil {
		b.Fatal("empty metadata must read as none")
	}
	b.same("entries", entries, []wallet.Entry{entry})
	usages, err := b.Usages(b.ctx, store.UsageQuery{App: k.App, Mode: k.Mode, Customer: k.Customer})
	b.must(err)
	b.same("usages", usages, []store.CustomerUsage{{Customer: k.Customer, Wallet: k.ID(), Usage: wallet.Usage{N: 1, ID: "u"}}})
	b.same("answers", b.answers(k.ID(), "k"), []store.StoredAnswer{{Key: "k"}})
	sn := b.snapshot(k)
	b.same("subscription", sn.Subscription, plainSubscription(1))
	if sn.Subscription.Next != nil {
		b.Fatal("a change of plan came up from nowhere")
	}
	b.same("invoices", b.find(k.ID(), wallet.Needs{Invoices: []int64{1}}).Invoices, []*wallet.Invoice{{N: 1, Status: wallet.InvoiceVoid}})
	b.same("history", b.history(k, 0), []wallet.SubscriptionEvent{{N: 1}})
	b.same("lanes", sn.Lanes, []*wallet.Lane{{N: 1, Credit: calls}})
	b.same("orders", sn.Orders, []*wallet.Order{plainOrder(1, wallet.OrderDue)})
	if sn.Orders[0].Plan != nil || sn.Orders[0].LastDecline != nil {
		b.Fatal("a plan or a decline came up from nowhere")
	}
	b.same("top-ups", sn.TopUps, []*wallet.TopUp{{Credit: calls}})
	b.same("payer", sn.Payer, &wallet.Payer{})
}

func checkSubscription(b *bench) {
	c := fullChange(key("a"))
	b.must(b.write(c))
	for i, sub := range []*wallet.Subscription{
		plainSubscription(2, fullAllowance("z"), fullAllowance("a")),
		plainSubscription(2, fullAllowance("z"), fullAllowance("a"), fullAllowance("b")),
		plainSubscription(3),
		fullSubscription(3),
		plainSubscription(4, fullAllowance("d")),
	} {
		h := c.Header
		h.Version = int64(i) + 2
		b.must(b.write(store.WalletChange{Header: h, Subscription: sub}))
		b.same("subscription", b.snapshot(key("a")).Subscription, sub)
	}
}

// checkCounts changes windows and counts, and hands over a subscription whose other fields must not
// be taken for news.
func checkCounts(b *bench) {
	c := fullChange(key("a"))
	b.must(b.write(c))
	want := fullSubscription(2)
	counts := plainSubscription(2)
	for i := range want.Allowances {
		a := &want.Allowances[i]
		a.WindowStart, a.WindowEnd, a.Used = clock.Instant(i), clock.Instant(i+1), int64(i+2)
		counts.Allowances = append(counts.Allowances, wallet.Allowance{WindowStart: a.WindowStart, WindowEnd: a.WindowEnd, Used: a.Used})
	}
	h := c.Header
	h.Version = 2
	b.must(b.write(store.WalletChange{Header: h, Counts: counts}))
	b.same("subscription", b.snapshot(key("a")).Subscription, want)
}

// checkEnded lets subscriptions end and begin, both that were stored and that were not.
func checkEnded(b *bench) {
	c := fullChange(key("a"))
	b.must(b.write(c))
	h := c.Header
	h.Version = 2
	ended, brief := endedSubscription(2), endedSubscription(3)
	ended.Owed, ended.Reason, ended.Events, brief.Plan = 0, "changed", 3, "brief"
	b.must(b.write(store.WalletChange{
		Header: h, Ended: []*wallet.Subscription{ended, brief}, Subscription: plainSubscription(4, fullAllowance("n")),
	}))
	b.same("subscription", b.snapshot(key("a")).Subscription, plainSubscription(4, fullAllowance("n")))
	h.Version = 3
	last := fullSubscription(4)
	b.must(b.write(store.WalletChange{Header: h, Subscription: last})) // it has ended, and is the last all the same
	b.same("subscription", b.snapshot(key("a")).Subscription, last)
	for n, want := range map[int64]*wallet.Subscription{1: endedSubscription(1), 2: ended, 3: brief, 4: last} {
		found, err := b.Subscriptions(b.ctx, store.SubscriptionQuery{Wallet: h.ID, N: n})
		b.must(err)
		b.same("subscriptions", found, []store.FoundSubscription{{Key: key("a"), Subscription: want}})
	}
}

// checkMoneyTally: what is paid for in money has neither a credit nor a rate, and the cycle that it
// is counted in may be prolonged.
func checkMoneyTally(b *bench) {
	c := fullChange(key("a"))
	money := &wallet.Tally{TallyKey: wallet.TallyKey{Meter: "m", From: 5}, To: math.MaxInt64 - 1, Events: 1, Aggregate: 2}
	c.Tallies = append(c.Tallies, money)
	b.must(b.write(c))
	open := func() []*wallet.Tally {
		return slices.DeleteFunc(b.snapshot(key("a")).Tallies, func(t *wallet.Tally) bool { return t.Credit != "" })
	}
	b.same("ended at the wallet's last instant", open(), []*wallet.Tally{})
	money.To, money.Aggregate = math.MaxInt64, 3
	h := c.Header
	h.Version = 2
	b.must(b.write(store.WalletChange{Header: h, Tallies: []*wallet.Tally{money}}))
	b.same("prolonged", open(), []*wallet.Tally{money})
	b.same("fetched", b.find(h.ID, wallet.Needs{Tallies: []wallet.TallyKey{money.TallyKey}}).Tallies, []*wallet.Tally{money})
}

// runCommands runs every kind of command but those about orders, and checks the rows after each.
func (b *bench) runCommands(k wallet.Key) {
	b.Helper()
	later := b.now + 30*day
	steps := []wallet.Command{
		&wallet.GiveCredits{Credit: calls, Amount: 100, ExternalRef: "order 1", Note: wallet.Note{Metadata: hardMetadata(), Reason: hard}},
		&wallet.GiveCredits{Credit: tokens, Amount: 100, ExpiresAt: later, Scope: fullScope()},
		&wallet.GiveCredits{Credit: calls, Amount: 7, EffectiveAt: b.now + day},
		spend(calls, 30),
		&wallet.Reserve{Charge: wallet.Charge{Credit: calls, Amount: 40}, TTL: wallet.MaxTTL},
		&wallet.Reserve{Charge: wallet.Charge{Event: "image.new", Quantity: wallet.MicrosPerUnit, Metadata: hardMetadata()}},
		&wallet.Deduct{Charge: wallet.Charge{Credit: dollars, Amount: 5, Shortfall: wallet.Overage}},
		&wallet.Track{Charge: wallet.Charge{Event: "other", Quantity: wallet.MicrosPerUnit}, Response: hard},
		subscribe("pln"),
		&wallet.Track{Charge: wallet.Charge{Event: "chat", Quantity: wallet.MicrosPerUnit}},
		&wallet.Commit{Hold: 1},
		&wallet.Reverse{Entry: 3},
		&wallet.Freeze{Grant: 1, Frozen: true},
		&wallet.RevokeGrant{Grant: 1},
		&wallet.Adjust{Credit: calls, Delta: 11},
		&wallet.Ingest{Events: []wallet.UsageEvent{
			{ID: "e1", Event: "metered", At: b.now, Metadata: catalog.Values{"n": catalog.Number("25"), "user": catalog.Text("u1")}},
			{ID: "e2", Event: "metered", At: b.now - 400*day, Metadata: catalog.Values{"n": catalog.Text("15"), "user": catalog.Text("u1")}},
		}},
		&wallet.VoidUsage{ID: "e1"},
		&wallet.Reserve{Charge: wallet.Charge{Event: "metered", Quantity: 2 * wallet.MicrosPerUnit, Metadata: wallet.Metadata{"user": "u2"}, Shortfall: wallet.Overage}, TTL: wallet.MaxTTL},
		&wallet.Commit{Hold: 3},
		&wallet.PauseSubscription{},
		&wallet.PauseSubscription{Resume: true},
		&wallet.EditSubscription{Data: hardMetadata()},
		&wallet.CloseInvoice{Invoice: 1, Status: wallet.InvoicePaid, Ref: hard},
		subscribe("another"),
		&wallet.EndSubscription{},
		subscribe("third"),
		give(calls, 1),
	}
	for i, step := range steps {
		b.now += day / 12
		if i == len(steps)-1 {
			b.now = later + day
		}
		b.do(k, step)
		b.sameAsRules(k)
	}
}

// sameAsRules checks that what is stored of a wallet obeys the laws that tie its rows together.
func (b *bench) sameAsRules(k wallet.Key) {
	b.Helper()
	sn := b.snapshot(k)
	entries, err := b.Entries(b.ctx, store.EntryQuery{Wallet: k.ID()})
	b.must(err)
	slices.Reverse(entries)
	if int64(len(entries)) != sn.Seq {
		b.Fatalf("%d entries, but the header says %d", len(entries), sn.Seq)
	}
	var prev wallet.Hash
	balance := map[string]int64{}
	for i := range entries {
		e := &entries[i]
		if e.Prev != prev || e.Seal(k.ID()) != e.Hash {
			b.Fatalf("the chain breaks at entry %d", e.Seq)
		}
		prev, balance[e.Credit] = e.Hash, e.BalanceAfter
	}
	if prev != sn.Head {
		b.Fatal("the head is not the last entry's hash")
	}
	all, err := b.Grants(b.ctx, store.GrantQuery{Wallet: k.ID()})
	b.must(err)
	for _, g := range all {
		if !g.Conserved() {
			b.Fatalf("grant %d does not add up", g.N)
		}
		balance[g.Credit] -= g.Live()
		if g.Open() && !slices.ContainsFunc(sn.Grants, func(have *wallet.Grant) bool { return reflect.DeepEqual(have, g) }) {
			b.Fatalf("grant %d is open and not in the snapshot", g.N)
		}
	}
	for credit, rest := range balance {
		if rest != 0 {
			b.Fatalf("entries and grants of %s differ by %d", credit, rest)
		}
	}
}

// answers reads stored answers of a wallet, and sorts them by key: they come in no order.
func (b *bench) answers(w [16]byte, keys ...string) []store.StoredAnswer {
	b.Helper()
	var got []store.StoredAnswer
	want := &store.Want{Wallets: []store.WantWallet{{ID: w, Answers: keys}}}
	b.must(b.Transact(b.ctx, want, func(found *store.Found) (*store.Changes, error) {
		got = found.Wallets[0].Answers
		return nil, nil
	}))
	slices.SortFunc(got, func(x, y store.StoredAnswer) int { return strings.Compare(x.Key, y.Key) })
	return got
}

// subscribe takes a plan with every kind of term, for three days at a time.
func subscribe(plan string) *wallet.Subscribe {
	every := catalog.Interval{Count: 3, Unit: catalog.Day}
	return &wallet.Subscribe{
		Plan: plan, Quantity: 2,
		Terms: wallet.Terms{
			Name: plan, Currency: "EUR", Minor: 900, Every: every,
			Credits: []wallet.IncludedCredit{{
				Credit: tokens, Amount: 10, Every: every, AtCycleEnd: true, Category: catalog.Paid, Priority: 50,
			}},
			Meters: []wallet.MeterTerm{{Meter: "mtr_most", PricePerUnit: "0.5"}},
		},
		Allowances: []wallet.Allowance{{
			ID: "alw", Quota: 5 * wallet.MicrosPerUnit, Rules: catalog.Scope{{Event: "chat"}},
			Period: catalog.Period{Kind: catalog.Daily, Anchor: catalog.AnchorCalendar},
		}},
	}
}

// history reads what happened to a subscription, newest first.
func (b *bench) history(k wallet.Key, n int64) []wallet.SubscriptionEvent {
	b.Helper()
	events, err := b.SubscriptionEvents(b.ctx, k.ID(), n, 0, 0)
	b.must(err)
	return events
}
