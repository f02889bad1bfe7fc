package storetest

import (
	"maps"
	"slices"

	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/wallet"
)

var refusalTests = []test{
	{"rows that break a law are refused, and nothing is written", checkLaws},
	{"what is not there cannot be changed", checkMissingRows},
	{"numbers are given once", checkNumbers},
	{"a usage event is recorded once", checkUsageOnce},
	{"bytes that are no text are the caller's mistake", checkText},
}

// refused are changes of a wallet that no database may accept, however they came about.
func refused() map[string]func(c *store.WalletChange) {
	grant := func(edit func(g *wallet.Grant)) func(c *store.WalletChange) {
		return func(c *store.WalletChange) {
			g := plainGrant(9)
			edit(g)
			c.NewGrants = []*wallet.Grant{g}
		}
	}
	entry := func(edit func(e *wallet.Entry)) func(c *store.WalletChange) {
		return func(c *store.WalletChange) {
			e := fullEntry(2)
			edit(&e)
			c.Entries = []wallet.Entry{e}
		}
	}
	invoice := func(edit func(v *wallet.Invoice)) func(c *store.WalletChange) {
		return func(c *store.WalletChange) {
			v := fullInvoice(9)
			edit(v)
			c.NewInvoices = []*wallet.Invoice{v}
		}
	}
	return map[string]func(c *store.WalletChange){
		"a new grant that does not add up":   grant(func(g *wallet.Grant) { g.Spent = 1 }),
		"a grant of nothing":                 grant(func(g *wallet.Grant) { g.Amount, g.Available = 0, 0 }),
		"a grant with less than nothing":     grant(func(g *wallet.Grant) { g.Available, g.Spent = -1, 11 }),
		"a grant of an unknown status":       grant(func(g *wallet.Grant) { g.Status = "x" }),
		"a grant of an unknown category":     grant(func(g *wallet.Grant) { g.Category = "" }),
		"a grant of too high a priority":     grant(func(g *wallet.Grant) { g.Priority = 101 }),
		"a grant of an unknown credit":       grant(func(g *wallet.Grant) { g.Credit = "crd_none" }),
		"a grant in an unknown lane":         grant(func(g *wallet.Grant) { g.Lane = 9 }),
		"an entry of an unknown type":        entry(func(e *wallet.Entry) { e.Type = "x" }),
		"an entry below zero":                entry(func(e *wallet.Entry) { e.BalanceAfter = -1 }),
		"an entry with less than no overage": entry(func(e *wallet.Entry) { e.OverageAfter = -1 }),
		"overage below zero":                 func(c *store.WalletChange) { c.Standings = []wallet.Standing{{Credit: calls, Overage: -1}} },
		"a standing in an unknown credit":    func(c *store.WalletChange) { c.Standings = []wallet.Standing{{Credit: "crd_none"}} },
		"a lane of an unknown credit":        func(c *store.WalletChange) { c.Lanes = []*wallet.Lane{{N: 3, Credit: "crd_none"}} },
		"a lane without a number":            func(c *store.WalletChange) { c.Lanes = []*wallet.Lane{{Credit: calls}} },
		"a hold of an unknown status":        func(c *store.WalletChange) { c.NewHolds = []*wallet.Hold{{N: 9}} },
		"a hold of less than nothing":        func(c *store.WalletChange) { h := closedHold(9); h.Charge.Amount = -1; c.NewHolds = []*wallet.Hold{h} },
		"an allowance counted below zero":    func(c *store.WalletChange) { c.Subscription.Allowances[0].Used = -1 },
		"a count below zero": func(c *store.WalletChange) {
			c.Counts, c.Subscription = c.Subscription, nil
			c.Counts.Allowances[0].Used = -1
		},
		"a subscription that owes less than nothing": func(c *store.WalletChange) { c.Subscription.Owed = -1 },
		"a subscription without a number":            func(c *store.WalletChange) { c.Subscription.N = 0 },
		"a subscription of less than one":            func(c *store.WalletChange) { c.Subscription.Quantity = -1 },
		"an ended subscription that owes less than nothing": func(c *store.WalletChange) {
			c.Ended = []*wallet.Subscription{endedSubscription(1)}
			c.Ended[0].Owed = -1
		},
		"an invoice over less than nothing":      invoice(func(v *wallet.Invoice) { v.Total = -1 }),
		"an invoice of an unknown status":        invoice(func(v *wallet.Invoice) { v.Status = "" }),
		"an invoice that is a draft":             invoice(func(v *wallet.Invoice) { v.Status = wallet.InvoiceDraft }),
		"an invoice without a number":            invoice(func(v *wallet.Invoice) { v.N = 0 }),
		"an invoice closed as something unknown": func(c *store.WalletChange) { c.Invoices = []*wallet.Invoice{{N: 2, Status: "x"}} },
		"a tally of a credit at no rate":         func(c *store.WalletChange) { c.Tallies = []*wallet.Tally{{TallyKey: wallet.TallyKey{Credit: calls}}} },
		"a header with fewer invoices than none": func(c *store.WalletChange) { c.Header.InvoiceSeq = -1 },
		"a header with a number below zero":      func(c *store.WalletChange) { c.Header.Seq = -1 },
		"a spent grant that does not add up":     func(c *store.WalletChange) { c.Spent, c.Grants = c.Grants, nil; c.Spent[0].Spent++ },
		"more metered than spent":                func(c *store.WalletChange) { c.Spent, c.Grants = c.Grants, nil; c.Spent[0].Metered = 5 },
		"a changed grant that does not add up":   func(c *store.WalletChange) { c.Grants[0].Spent++ },
		"a changed grant below zero":             func(c *store.WalletChange) { c.Grants[0].Held, c.Grants[0].Frozen = -1, 6 },
		"a changed grant of an unknown status":   func(c *store.WalletChange) { c.Grants[0].Status = wallet.GrantDepleted },
		"a changed hold of an unknown status":    func(c *store.WalletChange) { c.Holds[0].Status = "" },
		"a changed hold that took too little":    func(c *store.WalletChange) { c.Holds[0].Committed = -1 },
	}
}

// refusedPurchases are those of orders, and of what was agreed about buying.
func refusedPurchases() map[string]func(c *store.WalletChange) {
	order := func(edit func(o *wallet.Order)) func(c *store.WalletChange) {
		return func(c *store.WalletChange) {
			o := fullOrder(9)
			edit(o)
			c.NewOrders = []*wallet.Order{o}
		}
	}
	changed := func(edit func(o *wallet.Order)) func(c *store.WalletChange) {
		return func(c *store.WalletChange) {
			o := fullOrder(1)
			edit(o)
			c.Orders = []*wallet.Order{o}
		}
	}
	topUp := func(edit func(t *wallet.TopUp)) func(c *store.WalletChange) {
		return func(c *store.WalletChange) {
			t := fullTopUp(calls)
			edit(t)
			c.TopUps = []*wallet.TopUp{t}
		}
	}
	return map[string]func(c *store.WalletChange){
		"an order without a number":                          order(func(o *wallet.Order) { o.N = 0 }),
		"an order of an unknown kind":                        order(func(o *wallet.Order) { o.Kind = "" }),
		"an order of an unknown status":                      order(func(o *wallet.Order) { o.Status = "x" }),
		"an order for less than nothing":                     order(func(o *wallet.Order) { o.Minor = -1 }),
		"an order of less than none":                         order(func(o *wallet.Order) { o.Quantity = -1 }),
		"an order of an invoice below zero":                  order(func(o *wallet.Order) { o.Invoice = -1 }),
		"an order of an attempt below zero":                  order(func(o *wallet.Order) { o.Attempt = -1 }),
		"an order that was paid less than nothing":           order(func(o *wallet.Order) { o.Paid = -1 }),
		"an order with an unknown dispute":                   order(func(o *wallet.Order) { o.Dispute = "x" }),
		"a changed order of an unknown status":               changed(func(o *wallet.Order) { o.Status = "" }),
		"a changed order paid less than nothing":             changed(func(o *wallet.Order) { o.Paid = -1 }),
		"a changed order refunded less than nothing":         changed(func(o *wallet.Order) { o.Cumulative = -1 }),
		"a changed order with an unknown dispute":            changed(func(o *wallet.Order) { o.Dispute = "x" }),
		"a top-up of an unknown credit":                      topUp(func(t *wallet.TopUp) { t.Credit = "crd_none" }),
		"a top-up below a threshold under zero":              topUp(func(t *wallet.TopUp) { t.Threshold = -1 }),
		"a top-up of less than none":                         topUp(func(t *wallet.TopUp) { t.Quantity = -1 }),
		"a top-up that runs under a number below one":        topUp(func(t *wallet.TopUp) { t.Running = -1 }),
		"a header with fewer orders than none":               func(c *store.WalletChange) { c.Header.OrderSeq = -1 },
		"a subscription that waits for less than no invoice": func(c *store.WalletChange) { c.Subscription.Unpaid = -1 },
	}
}

func checkLaws(b *bench) {
	b.must(b.write(fullChange(key("a"))))
	before := b.snapshot(key("a"))
	cases := refused()
	maps.Copy(cases, refusedPurchases())
	for _, name := range slices.Sorted(maps.Keys(cases)) {
		c := store.WalletChange{
			Header: before.Header, Grants: []*wallet.Grant{fullGrant(1)}, Holds: []*wallet.Hold{fullHold(1)},
			Subscription: fullSubscription(2),
		}
		c.Header.Version = 2
		cases[name](&c)
		err := b.write(c)
		if err == nil {
			b.Errorf("%s was accepted", name)
			continue
		}
		b.wantRefused(err)
		b.same("snapshot after "+name, b.snapshot(key("a")), before)
		entries, err := b.Entries(b.ctx, store.EntryQuery{Wallet: before.ID})
		b.must(err)
		if len(entries) != 1 {
			b.Errorf("%s left an entry behind", name)
		}
	}
	orphan := fullChange(wallet.Key{App: "app_none", Mode: "live", Customer: "x"})
	b.wantRefused(b.write(orphan))
	moody := fullChange(wallet.Key{App: app, Mode: "demo", Customer: "x"})
	b.wantRefused(b.write(moody))
}

func checkMissingRows(b *bench) {
	b.must(b.write(fullChange(key("a"))))
	before := b.snapshot(key("a"))
	for _, c := range []store.WalletChange{
		{Grants: []*wallet.Grant{fullGrant(4)}},
		{Spent: []*wallet.Grant{fullGrant(4)}},
		{Holds: []*wallet.Hold{fullHold(4)}},
		{Invoices: []*wallet.Invoice{fullInvoice(4)}},
		{Orders: []*wallet.Order{fullOrder(4)}},
		{Counts: plainSubscription(2, slices.Repeat([]wallet.Allowance{fullAllowance("a")}, 4)...)},
	} {
		c.Header = before.Header
		c.Header.Version = 2
		b.wantRefused(b.write(c))
		b.same("snapshot", b.snapshot(key("a")), before)
	}
}

func checkNumbers(b *bench) {
	b.must(b.write(fullChange(key("a"))))
	before := b.snapshot(key("a"))
	for _, c := range []store.WalletChange{
		{Entries: []wallet.Entry{fullEntry(1)}},
		{Entries: []wallet.Entry{fullEntry(2), fullEntry(2)}},
		{NewGrants: []*wallet.Grant{plainGrant(3)}},
		{NewHolds: []*wallet.Hold{fullHold(2)}},
		{Lanes: []*wallet.Lane{{N: 2, Credit: calls}}},
		{NewInvoices: []*wallet.Invoice{fullInvoice(2)}},
		{NewOrders: []*wallet.Order{fullOrder(2)}},
		{History: []wallet.SubscriptionEvent{fullEvent(2, 1)}},
	} {
		c.Header = before.Header
		c.Header.Version = 2
		b.wantRefused(b.write(c))
		b.same("snapshot", b.snapshot(key("a")), before)
	}
}

func checkUsageOnce(b *bench) {
	first := fullChange(key("a"))
	other := fullChange(key("b"))
	b.must(b.write(first, other)) // the same event of another customer is another event
	again := store.WalletChange{Header: first.Header, NewUsages: first.NewUsages}
	again.Header.Version = 2
	b.wantRetry(b.write(again))
	if b.snapshot(key("a")).Version != 1 {
		b.Fatal("the header was written without the event")
	}
}

// checkText: PostgreSQL cannot store these, so no store may.
func checkText(b *bench) {
	first := fullChange(key("a"))
	b.must(b.write(first))
	before := b.snapshot(key("a"))
	for _, text := range []string{"a\xffb", "\xed\xa0\x80"} {
		for _, c := range []store.WalletChange{
			{Entries: []wallet.Entry{{Seq: 2, Type: wallet.OverageReset, Credit: calls, Reason: text}}},
			{NewUsages: []*wallet.Usage{{N: 9, ID: "u", Response: text}}},
			{Subscription: &wallet.Subscription{N: 9, Reason: text}},
			{History: []wallet.SubscriptionEvent{{N: 9, Reason: text}}},
			{NewInvoices: []*wallet.Invoice{{N: 9, Status: wallet.InvoiceOpen, Ref: text}}},
			{NewOrders: []*wallet.Order{{N: 9, Kind: wallet.CardOrder, Status: wallet.OrderOpen, Text: text}}},
			{Orders: []*wallet.Order{{N: 1, Status: wallet.OrderOpen, Payment: text}}},
			{TopUps: []*wallet.TopUp{{Credit: calls, OffReason: text}}},
			{Payer: &wallet.Payer{Label: text}},
			{NewHolds: []*wallet.Hold{{N: 9, Status: wallet.ReservationPending, Charge: wallet.Charge{Event: text}}}},
		} {
			c.Header = before.Header
			c.Header.Version = 2
			b.wantCode(b.write(c), fault.CodeInvalidRequest)
			b.same("snapshot", b.snapshot(key("a")), before)
		}
	}
}
