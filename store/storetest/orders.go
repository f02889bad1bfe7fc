package storetest

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/wallet"
)

var orderTests = []test{
	{"a snapshot has the orders that are being charged", checkCharging},
	{"what is expected of an order never changes", checkExpected},
	{"a transaction sees what a snapshot does", checkSeenPurchases},
	{"a top-up that was never switched on stays", checkIdleTopUp},
	{"commands", checkPurchases},
}

// changedOrder changes everything that changes in an order.
func changedOrder(o *wallet.Order) *wallet.Order {
	o.Status, o.Invoice, o.Session, o.URL, o.ExpiresAt, o.Attempt, o.NextTry = wallet.OrderPaid, 1, "s", "u", 2, 3, 4
	o.Payment, o.Paid, o.Cumulative, o.Dispute = "p", 5, 6, wallet.DisputeWon
	o.Refunds = []wallet.OrderRefund{{ID: "r", Minor: 7, Status: wallet.RefundPending, At: start}}
	o.Disputes = []wallet.OrderDispute{{ID: "d", Status: wallet.DisputeWon}}
	o.Subscription, o.DisputedAt, o.Unmet = 12, 13, false
	o.LastDecline, o.Grants = nil, []wallet.OrderGrant{{Grant: 8, Amount: 9}}
	o.PaidAt, o.ClosedAt, o.Reason = 10, 11, "why"
	return o
}

// checkCharging lets orders go through every status, beside one that stays open.
func checkCharging(b *bench) {
	k := key("a")
	c := store.WalletChange{Header: wallet.Header{ID: k.ID(), Key: k, Version: 1, OrderSeq: 3}, Created: true}
	c.NewOrders = []*wallet.Order{plainOrder(1, wallet.OrderOpen), plainOrder(2, wallet.OrderDue), plainOrder(3, wallet.OrderWaiting)}
	b.must(b.write(c))
	h := c.Header
	for _, step := range []struct {
		status wallet.OrderStatus // of the first from now on
		want   string
	}{
		{wallet.OrderOpen, "2 3"},
		{wallet.OrderDue, "1 2 3"},
		{wallet.OrderWaiting, "1 2 3"},
		{wallet.OrderDue, "1 2 3"},
		{wallet.OrderProcessing, "2 3"},
		{wallet.OrderPaid, "2 3"},
		{wallet.OrderFailed, "2 3"},
		{wallet.OrderExpired, "2 3"},
		{wallet.OrderCanceled, "2 3"},
		{wallet.OrderMismatched, "2 3"},
	} {
		h.Version++
		b.must(b.write(store.WalletChange{Header: h, Orders: []*wallet.Order{plainOrder(1, step.status)}}))
		sn := b.snapshot(k)
		b.same(string(step.status), list(sn.Orders, func(o *wallet.Order) any { return o.N }), step.want)
		b.same("number of the last", sn.OrderSeq, int64(3))
		b.same("order", b.find(h.ID, wallet.Needs{Orders: []int64{1}}).Orders, []*wallet.Order{plainOrder(1, step.status)})
	}
	h.Version, h.OrderSeq = h.Version+1, math.MaxInt64
	b.must(b.write(store.WalletChange{Header: h, Orders: []*wallet.Order{plainOrder(2, wallet.OrderPaid), plainOrder(3, wallet.OrderFailed)}}))
	b.same("orders", len(b.snapshot(k).Orders), 0)
	b.same("number of the last", b.snapshot(k).OrderSeq, int64(math.MaxInt64))
}

// checkExpected hands over a changed order that differs in everything; what is expected stays.
func checkExpected(b *bench) {
	c := fullChange(key("a"))
	b.must(b.write(c))
	h := c.Header
	h.Version = 2
	other := changedOrder(plainOrder(1, wallet.OrderPaid))
	other.Provider, other.Minor, other.Currency, other.Actor = "x", 1, "x", "x"
	b.must(b.write(store.WalletChange{Header: h, Orders: []*wallet.Order{other}}))
	b.same("order", b.find(h.ID, wallet.Needs{Orders: []int64{1}}).Orders, []*wallet.Order{changedOrder(fullOrder(1))})
}

// checkSeenPurchases looks at wallets with orders and without in one transaction.
func checkSeenPurchases(b *bench) {
	keys := []wallet.Key{key("a"), key("b"), key("c")}
	slices.SortFunc(keys, func(x, y wallet.Key) int { return compareIDs(x.ID(), y.ID()) })
	plain := wallet.Header{ID: keys[1].ID(), Key: keys[1], Version: 1}
	b.must(b.write(fullChange(keys[0]), store.WalletChange{Header: plain, Created: true}, fullChange(keys[2])))
	want := &store.Want{}
	for _, k := range keys {
		want.Wallets = append(want.Wallets, store.WantWallet{ID: k.ID(), Needs: wallet.Needs{Orders: []int64{2}}})
	}
	b.must(b.Transact(b.ctx, want, func(found *store.Found) (*store.Changes, error) {
		for i, k := range keys {
			f := &found.Wallets[i]
			if i == 1 {
				b.same("without orders", f.Snapshot, &wallet.Snapshot{Header: plain})
				b.same("orders of none", f.Fetched.Orders, []*wallet.Order{})
				continue
			}
			b.same("with orders", f.Snapshot, fullSnapshot(fullChange(k)))
			b.same("an order", f.Fetched.Orders, fullChange(k).NewOrders[1:])
		}
		return nil, nil
	}))
	for i, k := range keys {
		if i != 1 {
			b.same("snapshot", b.snapshot(k), fullSnapshot(fullChange(k)))
		}
	}
	b.same("snapshot without orders", b.snapshot(keys[1]), &wallet.Snapshot{Header: plain})
}

// checkIdleTopUp: a top-up that is switched off takes no card, and so no order before it.
func checkIdleTopUp(b *bench) {
	k := key("a")
	b.do(k, &wallet.SetTopUp{Credit: calls, Threshold: 5, Pack: "pck"})
	want := []*wallet.TopUp{{Credit: calls, Threshold: 5, Pack: "pck", Quantity: 1}}
	b.same("top-ups", b.snapshot(k).TopUps, want)
	b.must(b.Transact(b.ctx, &store.Want{Wallets: []store.WantWallet{{ID: k.ID()}}}, func(found *store.Found) (*store.Changes, error) {
		b.same("top-ups within a transaction", found.Wallets[0].Snapshot.TopUps, want)
		return nil, nil
	}))
}

// checkPurchases runs every command about orders, as the engine would, and checks the rows.
func checkPurchases(b *bench) {
	pack := &catalog.Pack{
		ID: "pck_ten", App: app, Name: "Ten", PriceMinor: 500, Currency: "EUR", CreatedAt: start, UpdatedAt: start,
		Items: []catalog.PackItem{{ID: "pki_1", Credit: calls, Amount: 10, Category: catalog.Paid, Priority: 50}},
	}
	b.must(b.define(store.Definition{Packs: []*catalog.Pack{pack}}))
	b.defs = b.definitions(app)
	k := key("a")
	steps := []struct {
		command wallet.Command
		want    string // the orders in memory, and behind them whether there is a card
	}{
		{&wallet.PlaceOrder{Kind: wallet.PackOrder, Pack: pack.ID, Provider: "p", SaveCard: true}, " false"},
		{&wallet.OpenOrder{Order: 1, Session: "cs_1", URL: "https://pay.test/1", Customer: "cus_1"}, " false"},
		{&wallet.TellOrder{Order: 1, News: wallet.OrderNews{
			Kind: wallet.NewsPaid, Payment: "pi_1", Minor: 500, Currency: "EUR", Customer: "cus_1", Method: "pm_1", Label: "visa",
		}}, " true"},
		{&wallet.SetTopUp{Credit: calls, Enabled: true, Threshold: 6, Pack: pack.ID, Caps: wallet.Caps{DayCount: 2}}, " true"},
		{spend(calls, 5), "2due true"},
		{&wallet.TellOrder{Order: 2, News: wallet.OrderNews{Kind: wallet.NewsDeclined, Decline: &wallet.Decline{Code: "x", Class: wallet.DeclineSoft}}}, "2waiting true"},
		{spend(calls, 1), "2due true"}, // its time has come
		{&wallet.TellOrder{Order: 2, News: wallet.OrderNews{Kind: wallet.NewsPaid, Payment: "pi_2", Minor: 500, Currency: "EUR"}}, " true"},
		{&wallet.AskRefund{Order: 1, Minor: 100}, " true"},
		{&wallet.TellOrder{Order: 1, News: wallet.OrderNews{
			Kind: wallet.NewsRefund, Refund: "re_1", Own: 1, Minor: 100, RefundStatus: wallet.RefundSucceeded, Currency: "EUR",
		}}, " true"},
		{&wallet.TellOrder{Order: 2, News: wallet.OrderNews{Kind: wallet.NewsDispute, DisputeID: "dp_1", Dispute: wallet.DisputeLost}}, "3due true"},
		{&wallet.ForgetPayer{}, "3due false"},
		{&wallet.TellOrder{Order: 3, News: wallet.OrderNews{Kind: wallet.NewsFailed, Decline: &wallet.Decline{Code: "y", Class: wallet.DeclineHard}}}, " false"},
		{&wallet.PlaceOrder{Kind: wallet.CardOrder, Provider: "p"}, " false"},
		{&wallet.CancelOrder{Order: 4}, " false"},
	}
	for i, step := range steps {
		b.now += day / 8
		if err := b.try(k, step.command); err != nil {
			b.Fatalf("step %d: %v", i+1, err)
		}
		b.sameAsRules(k)
		sn := b.snapshot(k)
		got := list(sn.Orders, func(o *wallet.Order) any { return fmt.Sprint(o.N, o.Status) }) + fmt.Sprint(" ", sn.Payer != nil && sn.Payer.Method != "")
		b.same(fmt.Sprintf("step %d", i+1), got, step.want)
	}
	orders, err := b.Orders(b.ctx, store.OrderQuery{Wallet: k.ID()})
	b.must(err)
	b.same("orders", list(orders, func(f store.FoundOrder) any { return fmt.Sprint(f.Order.N, f.Order.Status) }), "4canceled 3failed 2paid 1paid")
	first := orders[3].Order
	if len(first.Grants) != 1 || first.Grants[0].Revoked == 0 || len(first.Refunds) != 1 || first.Refunds[0].ID != "re_1" || first.Session != "cs_1" {
		b.Fatalf("the first order: %+v", first)
	}
	b.same("number of the last", b.snapshot(k).OrderSeq, int64(4))
}

func checkOrders(b *bench) {
	keys := b.inThree(func(c *store.WalletChange, i int) {
		for n := range int64(3) {
			o := fullOrder(n + 1)
			o.CreatedAt, o.Status, o.Kind, o.Paid = clock.Instant(10*(n+1)), wallet.OrderPaid, wallet.PackOrder, 0
			o.Unmet = n == 0 && i == 2
			if n == 2 && i < 2 {
				o.Status, o.Kind = wallet.OrderDue, wallet.TopUpOrder
			}
			if n == 1 && i == 1 {
				o.Status, o.Paid = wallet.OrderMismatched, 1
			}
			c.Header.OrderSeq = 3
			c.NewOrders = append(c.NewOrders, o)
		}
	})
	first, other, test := keys[0].ID(), keys[1].ID(), keys[3].ID()
	name := func(f store.FoundOrder) any {
		o := fullOrder(f.Order.N)
		o.CreatedAt, o.Status, o.Kind, o.Paid = f.Order.CreatedAt, f.Order.Status, f.Order.Kind, f.Order.Paid
		o.Unmet = f.Order.Unmet
		b.same("order", f.Order, o)
		return fmt.Sprintf("%d.%d", slices.Index(keys, f.Key), f.Order.N)
	}
	all := store.OrderQuery{App: app, Mode: catalog.Live}
	some, paid := []wallet.OrderStatus{wallet.OrderMismatched, wallet.OrderDue, wallet.OrderOpen}, []wallet.OrderStatus{wallet.OrderPaid}
	with := func(edit func(q *store.OrderQuery)) store.OrderQuery {
		q := all
		edit(&q)
		return q
	}
	for _, c := range []struct {
		q    store.OrderQuery
		want string
	}{
		{all, "2.3 1.3 0.3 2.2 1.2 0.2 2.1 1.1 0.1"},
		{store.OrderQuery{App: app, Mode: catalog.Test}, "3.3 3.2 3.1"},
		{store.OrderQuery{App: "app_none"}, ""},
		{store.OrderQuery{Wallet: first}, "0.3 0.2 0.1"},
		{with(func(q *store.OrderQuery) { q.Wallet = test }), ""},
		{with(func(q *store.OrderQuery) { q.Wallet, q.N = other, 2 }), "1.2"},
		{with(func(q *store.OrderQuery) { q.Kind = wallet.TopUpOrder }), "1.3 0.3"},
		{with(func(q *store.OrderQuery) { q.Kind, q.Wallet = wallet.TopUpOrder, first }), "0.3"},
		{with(func(q *store.OrderQuery) { q.Status = []wallet.OrderStatus{wallet.OrderDue} }), "1.3 0.3"},
		{with(func(q *store.OrderQuery) { q.Status = some }), "1.3 0.3 1.2"},
		{with(func(q *store.OrderQuery) { q.Status, q.Wallet = paid, first }), "0.2 0.1"},
		{with(func(q *store.OrderQuery) { q.Status = []wallet.OrderStatus{wallet.OrderExpired} }), ""},
		{with(func(q *store.OrderQuery) { q.Paid = true }), "1.2"},
		{with(func(q *store.OrderQuery) { q.Paid, q.Wallet = true, first }), ""},
		{with(func(q *store.OrderQuery) { q.Unmet = true }), "2.1"},
		{with(func(q *store.OrderQuery) { q.Unmet, q.Wallet = true, first }), ""},
		{with(func(q *store.OrderQuery) { q.From, q.To = 20, 30 }), "2.2 1.2 0.2"},
		{with(func(q *store.OrderQuery) { q.From, q.Wallet = 20, first }), "0.3 0.2"},
		{with(func(q *store.OrderQuery) { q.To, q.Wallet = 20, first }), "0.1"},
		{with(func(q *store.OrderQuery) { q.Skip, q.Limit = 2, 2 }), "0.3 2.2"},
		{with(func(q *store.OrderQuery) { q.Skip, q.Limit, q.Wallet = 1, 1, first }), "0.2"},
		{with(func(q *store.OrderQuery) { q.After, q.Limit = store.ListPosition{At: 20, Wallet: other, N: 2}, 2 }), "0.2 2.1"},
		{with(func(q *store.OrderQuery) {
			q.After, q.Wallet = store.ListPosition{At: 20, Wallet: other, N: 2}, other
		}), "1.1"},
		{store.OrderQuery{Wallet: first, Session: fullOrder(1).Session, N: 2}, "0.2"},
		{store.OrderQuery{Wallet: first, Session: "none"}, ""},
		{store.OrderQuery{Wallet: first, Payment: "none"}, ""},
	} {
		found, err := b.Orders(b.ctx, c.q)
		b.must(err)
		b.same(fmt.Sprintf("%+v", c.q), list(found, name), c.want)
	}
}

// checkProviderRefs finds orders without knowing whose they are.
func checkProviderRefs(b *bench) {
	keys := b.inThree(func(c *store.WalletChange, i int) {
		for n := range int64(3) {
			o := plainOrder(n+1, wallet.OrderOpen)
			o.CreatedAt = clock.Instant(10 * (n + 1))
			switch n {
			case 0:
				o.Session, o.Payment = fmt.Sprint("cs_", i), fmt.Sprint("pi_", i)
			case 1:
				o.Session, o.Payment = "cs_same", "pi_same"
			}
			c.NewOrders = append(c.NewOrders, o)
		}
	})
	name := func(f store.FoundOrder) any { return fmt.Sprintf("%d.%d", slices.Index(keys, f.Key), f.Order.N) }
	for _, c := range []struct {
		q    store.OrderQuery
		want string
	}{
		{store.OrderQuery{Session: "cs_1"}, "1.1"},
		{store.OrderQuery{Session: "cs_3"}, "3.1"},
		{store.OrderQuery{Session: "cs_none"}, ""},
		{store.OrderQuery{Payment: "pi_2"}, "2.1"},
		{store.OrderQuery{Payment: "cs_2"}, ""},
		{store.OrderQuery{Session: "cs_2", Payment: "pi_2"}, "2.1"},
		{store.OrderQuery{Session: "cs_2", Payment: "pi_1"}, ""},
		{store.OrderQuery{App: app, Mode: catalog.Live, Session: "cs_3"}, ""},
		{store.OrderQuery{App: app, Mode: catalog.Test, Payment: "pi_3"}, "3.1"},
		{store.OrderQuery{App: app, Mode: catalog.Live, Session: "cs_same"}, "2.2 1.2 0.2"},
		{store.OrderQuery{App: app, Mode: catalog.Live, Payment: "pi_same", Skip: 1, Limit: 1}, "1.2"},
		{store.OrderQuery{App: app, Mode: catalog.Live, Payment: "pi_same", After: store.ListPosition{At: 20, Wallet: keys[2].ID(), N: 2}}, "1.2 0.2"},
		{store.OrderQuery{Payment: "pi_same", Status: []wallet.OrderStatus{wallet.OrderPaid}}, ""},
		{store.OrderQuery{Payment: "pi_same", Wallet: keys[3].ID()}, "3.2"},
	} {
		found, err := b.Orders(b.ctx, c.q)
		b.must(err)
		b.same(fmt.Sprintf("%+v", c.q), list(found, name), c.want)
	}
}

func checkTopUps(b *bench) {
	keys := b.inThree(func(c *store.WalletChange, i int) {
		c.Header.OrderSeq = 1
		c.TopUps = []*wallet.TopUp{fullTopUp(tokens), fullTopUp(calls)}
	})
	name := func(f store.FoundTopUp) any {
		b.same("top-up", f.TopUp, fullTopUp(f.TopUp.Credit))
		return fmt.Sprintf("%d.%s", slices.Index(keys, f.Key), strings.TrimPrefix(f.TopUp.Credit, "crd_"))
	}
	first, other := keys[0].ID(), keys[1].ID()
	for _, c := range []struct {
		q    store.TopUpQuery
		want string
	}{
		{store.TopUpQuery{App: app, Mode: catalog.Live}, "0.calls 0.tokens 1.calls 1.tokens 2.calls 2.tokens"},
		{store.TopUpQuery{App: app, Mode: catalog.Test}, "3.calls 3.tokens"},
		{store.TopUpQuery{App: "app_none"}, ""},
		{store.TopUpQuery{Wallet: first}, "0.calls 0.tokens"},
		{store.TopUpQuery{Wallet: first, Mode: catalog.Test}, ""},
		{store.TopUpQuery{Wallet: first, After: store.TopUpPlace{Wallet: first, Credit: calls}}, "0.tokens"},
		{store.TopUpQuery{Wallet: first, Limit: 1}, "0.calls"},
		{store.TopUpQuery{App: app, Mode: catalog.Live, After: store.TopUpPlace{Wallet: other, Credit: calls}, Limit: 2}, "1.tokens 2.calls"},
		{store.TopUpQuery{App: app, Mode: catalog.Live, After: store.TopUpPlace{Wallet: keys[2].ID(), Credit: tokens}}, ""},
	} {
		found, err := b.TopUps(b.ctx, c.q)
		b.must(err)
		b.same(fmt.Sprintf("%+v", c.q), list(found, name), c.want)
	}
}
