package wallet_test

import (
	"strings"
	"testing"
	"time"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/money"
	"github.com/seed42445051/scrip/wallet"
)

// TestPlaceOrder: what is expected is written down before anybody is asked to pay, and nothing is
// granted (V25, V26, G18).
func TestPlaceOrder(t *testing.T) {
	b := shop(t)
	b.defs.Packs["hundred"].PriceRef = "price_1"
	c := buys("hundred", quantity(3))
	c.SuccessURL, c.CancelURL, c.Note = "https://a", "https://b", wallet.Note{Reason: "r", Metadata: wallet.Metadata{"k": "v"}}
	a := b.do(c)
	o := b.Order(a.Order.N)
	if !a.Allowed || o.N != 1 || o.Kind != wallet.PackOrder || o.Status != wallet.OrderOpen || o.Minor != 3000 || o.Currency != "usd" ||
		o.What != "hundred" || o.Text != "hundred" || o.Quantity != 3 || o.PriceRef != "price_1" || o.Provider != "bank" || o.SuccessURL != "https://a" ||
		o.CancelURL != "https://b" || o.Reason != "r" || o.Metadata["k"] != "v" || o.Actor != "model" || o.CreatedAt != start || o.ExpiresAt != start.Add(day) {
		t.Errorf("the order is %+v", o)
	}
	if len(o.Items) != 1 || o.Items[0].Amount != 300 || o.Items[0].CostBasis != "10.000000000000" && o.Items[0].CostBasis != "10" {
		t.Errorf("the items are %+v", o.Items)
	}
	b.stands("calls", 0, 0, 0)
	b.told()
	b.do(&wallet.OpenOrder{Order: 1, Session: "cs_1", URL: "https://pay", Customer: "cus"})
	if o := b.Order(1); o.Session != "cs_1" || o.URL != "https://pay" || b.State().Payer.Customer != "cus" || b.State().Payer.Provider != "bank" {
		t.Errorf("opened %+v, payer %+v", o, b.State().Payer)
	}
}

// TestOrderIsAsDefined: the definitions say what is bought and what it costs, whatever the caller
// believes (G21), and what they say later does not reach back (law 7).
func TestOrderIsAsDefined(t *testing.T) {
	b := shop(t, calls(), credit("other", 2))
	b.pack("bundle", 999, item("a", 10, func(it *catalog.PackItem) { it.Scope = catalog.Scope{event("image.a")} }),
		item("b", 250, func(it *catalog.PackItem) { it.Credit, it.Category, it.Priority = "other", catalog.Promotional, 70 })).ExpiresAfterDays = 90
	c := buys("bundle", quantity(2))
	c.Credit, c.Amount = "calls", 1_000_000 // of no account
	n := b.order(c)
	b.pack("bundle", 1, item("a", 1))
	b.defs.Packs["bundle"].ArchivedAt, b.defs.Credits["other"].ArchivedAt = start, start
	b.pass(time.Hour)
	a := b.pays(n)
	b.granted(n, "20, 500")
	if len(a.Grants) != 2 || a.Order.Minor != 1998 {
		t.Fatalf("paid: %+v", a)
	}
	first, second := b.Stored(1), b.Stored(2)
	if first.Source != wallet.SourcePurchase || first.SourceID != a.Order.ID(b.State().ID) || first.ExternalRef != "cs_1" || first.Pack != "bundle" ||
		first.PackItem != "a" || first.Reason != "bundle" || first.ExpiresAt != b.now.Add(90*day) || len(first.Scope) != 1 || first.CostCurr != "usd" {
		t.Errorf("V35, V36: granted %+v", first)
	}
	if second.Credit != "other" || second.Category != catalog.Promotional || second.Priority != 70 {
		t.Errorf("granted %+v", second)
	}
	// 19.98 for two items, each 9.99: of 20 whole calls, and of 5 whole others.
	if !same(first.CostBasis, "49.95") || !same(second.CostBasis, "199.8") {
		t.Errorf("the cost is %s and %s", first.CostBasis, second.CostBasis)
	}
	for _, e := range a.Entries {
		if e.Type != wallet.CreditAdded || e.RefType != wallet.RefOrder || e.RefID != first.SourceID {
			t.Errorf("entry %+v", e)
		}
	}
	b.told(catalog.EventPaymentSucceeded, catalog.EventCreditsTopUp)
}

// TestOrderLife: what is bought lives as long as the pack says, else the credit, else for ever.
func TestOrderLife(t *testing.T) {
	for _, c := range []struct{ pack, credit, want int }{{0, 0, 0}, {0, 30, 30}, {7, 30, 7}, {7, 0, 7}} {
		b := shop(t, calls(func(d *catalog.Credit) { d.ExpiresAfterDays = c.credit }))
		b.defs.Packs["hundred"].ExpiresAfterDays = c.pack
		b.bought()
		want := clock.Instant(0)
		if c.want > 0 {
			want = start.Add(time.Duration(c.want) * day)
		}
		if g := b.Stored(1); g.ExpiresAt != want {
			t.Errorf("%+v: expires %s", c, g.ExpiresAt)
		}
	}
}

// TestOrderOfNothing: nobody is asked for nothing, and what it grants points at the order.
func TestOrderOfNothing(t *testing.T) {
	b := shop(t)
	b.pack("free", 0, item("i", 5))
	a := b.do(buys("free"))
	b.status(a.Order.N, wallet.OrderPaid)
	b.stands("calls", 5, 5, 0)
	b.told(catalog.EventPaymentSucceeded, catalog.EventCreditsTopUp)
	if o := b.Order(1); o.Invoice != 0 || o.PaidAt != start || len(a.Grants) != 1 {
		t.Errorf("paid %+v", o)
	}
	if e := a.Entries[0]; e.RefType != wallet.RefOrder || e.RefID != a.Order.ID(b.State().ID) {
		t.Errorf("the entry is of %s %s", e.RefType, e.RefID)
	}
	if g := b.Stored(1); !same(g.CostBasis, "0") {
		t.Errorf("the cost is %q", g.CostBasis)
	}
	b.refused(&wallet.AskRefund{Order: 1}, fault.CodeOrderNotPaid)
	// With a card to be kept there is a page all the same.
	n := b.do(buys("free", savesCard)).Order.N
	b.status(n, wallet.OrderOpen)
	b.pays(n)
	b.stands("calls", 10, 10, 0)
}

// TestOrderOverrides: what a caller grants instead counts for each of the pack.
func TestOrderOverrides(t *testing.T) {
	b := shop(t)
	c := buys("hundred", quantity(4))
	c.Overrides = map[string]int64{"calls": 7, "other": -1}
	n := b.order(c)
	b.pays(n)
	b.granted(n, "28")
	for _, wrong := range []int64{0, -1} {
		c.Overrides = map[string]int64{"calls": wrong}
		b.refused(c, fault.CodeInvalidAmount)
	}
	c.Overrides = map[string]int64{"calls": wallet.MaxUnits / 4}
	b.do(c)
	c.Overrides = map[string]int64{"calls": wallet.MaxUnits/4 + 1}
	b.refused(c, fault.CodeAmountOutOfRange)
	c.Overrides = map[string]int64{"calls": 1<<63 - 1}
	b.refused(c, fault.CodeAmountOutOfRange)
}

// TestOrderOfCredits: any amount at the credit's own price, rounded half up to the minor unit (G11).
func TestOrderOfCredits(t *testing.T) {
	priced := func(price string) func(*catalog.Credit) {
		return func(c *catalog.Credit) {
			c.Sales = catalog.Sales{PricePerCredit: money.Decimal(price), Currency: "usd", AnyAmount: true}
		}
	}
	for _, c := range []struct {
		price     string
		precision int
		units     int64
		minor     int64
		basis     string
	}{
		{"1", 0, 333, 333, "1"}, // G11: 333 at 0.01
		{"0.5", 0, 1, 1, "1"},   // half up
		{"0.5", 0, 3, 2, "0.666666"},
		{"0.49", 0, 1, 0, "0"},
		{"12.345", 2, 101, 12, "11.881188"}, // 1.01 at 12.345 = 12.468
		{"1000", 2, 1, 10, "1000"},
	} {
		b := shop(t, credit("calls", c.precision, priced(c.price)))
		o := b.do(&wallet.PlaceOrder{Kind: wallet.CreditOrder, Credit: "calls", Amount: c.units, Provider: "bank"}).Order
		if o.Minor != c.minor || o.Quantity != 1 || o.What != "calls" || !strings.HasPrefix(string(o.Items[0].CostBasis), c.basis) {
			t.Errorf("%+v: %+v", c, o)
		}
		if c.minor > 0 {
			b.pays(o.N)
		}
		b.stands("calls", c.units, c.units, 0)
		if g := b.Stored(1); g.Pack != "" || g.Category != catalog.Paid || g.Priority != wallet.DefaultPriority {
			t.Errorf("granted %+v", g)
		}
	}
}

// TestOrderRefused: every order that makes no sense is refused, and writes nothing.
func TestOrderRefused(t *testing.T) {
	b := shop(t, calls(), credit("off", 0, func(c *catalog.Credit) {
		c.Sales = catalog.Sales{Off: true, PricePerCredit: "1", Currency: "usd", AnyAmount: true}
	}), credit("any", 0, func(c *catalog.Credit) {
		c.Sales = catalog.Sales{PricePerCredit: "1000000", Currency: "usd", AnyAmount: true}
	}), credit("old", 0, func(c *catalog.Credit) { c.ArchivedAt = start }))
	b.pack("offer", 5, item("i", 1, func(it *catalog.PackItem) { it.Credit = "off" }))
	b.pack("old", 5, item("i", 1, func(it *catalog.PackItem) { it.Credit = "old" }))
	b.pack("gone", 5, item("i", 1)).ArchivedAt = start
	b.pack("dear", catalog.MaxPrice, item("i", 1))
	b.pack("much", 5, item("i", catalog.MaxItemAmount))
	credits := func(credit string, amount int64) *wallet.PlaceOrder {
		return &wallet.PlaceOrder{Kind: wallet.CreditOrder, Credit: credit, Amount: amount, Provider: "bank"}
	}
	openFor := func(d time.Duration) *wallet.PlaceOrder {
		return buys("hundred", func(c *wallet.PlaceOrder) { c.OpenFor = d })
	}
	for _, c := range []struct {
		command *wallet.PlaceOrder
		code    fault.Code
	}{
		{&wallet.PlaceOrder{}, fault.CodeInvalidRequest},
		{&wallet.PlaceOrder{Kind: "gift"}, fault.CodeInvalidRequest},
		{&wallet.PlaceOrder{Kind: wallet.PlanOrder}, fault.CodeInvalidRequest},
		{&wallet.PlaceOrder{Kind: wallet.InvoiceOrder}, fault.CodeInvoiceNotFound},
		{buys("none"), fault.CodePackNotFound},
		{buys("gone"), fault.CodePackNotFound},
		{buys("offer"), fault.CodeSalesOff},
		{buys("old"), fault.CodeCreditArchived},
		{buys("hundred", quantity(-1)), fault.CodeInvalidQuantity},
		{buys("hundred", quantity(wallet.MaxOrderQuantity+1)), fault.CodeInvalidQuantity},
		{buys("dear", quantity(2)), fault.CodeAmountOutOfRange},
		{buys("much", quantity(2)), fault.CodeAmountOutOfRange},
		{credits("none", 1), fault.CodeCreditNotFound},
		{credits("old", 1), fault.CodeCreditNotFound},
		{credits("off", 1), fault.CodeSalesOff},
		{credits("calls", 1), fault.CodeInvalidRequest}, // G12
		{credits("any", 0), fault.CodeInvalidAmount},
		{credits("any", -1), fault.CodeInvalidAmount},
		{credits("any", wallet.MaxUnits+1), fault.CodeInvalidAmount},
		{credits("any", catalog.MaxPrice/1_000_000+1), fault.CodeAmountOutOfRange},
		{openFor(-1), fault.CodeInvalidTime},
		{openFor(wallet.MinOpenFor - 1), fault.CodeInvalidTime},
		{openFor(wallet.MaxOpenFor + 1), fault.CodeInvalidTime},
		{buys("hundred", func(c *wallet.PlaceOrder) { c.SuccessURL = strings.Repeat("x", wallet.MaxAddressLength+1) }), fault.CodeInvalidRequest},
		{buys("hundred", func(c *wallet.PlaceOrder) { c.CancelURL = strings.Repeat("x", wallet.MaxAddressLength+1) }), fault.CodeInvalidRequest},
		{buys("hundred", func(c *wallet.PlaceOrder) { c.Reason = strings.Repeat("x", wallet.MaxReasonLength+1) }), fault.CodeInvalidRequest},
		{buys("hundred", offSession), fault.CodeNoPaymentMethod},
	} {
		b.refused(c.command, c.code)
	}
	if n := b.State().OrderSeq; n != 0 {
		t.Errorf("%d orders were written", n)
	}
	for _, c := range []*wallet.PlaceOrder{
		buys("hundred", quantity(wallet.MaxOrderQuantity)), buys("dear"), buys("much"), credits("any", catalog.MaxPrice/1_000_000),
		openFor(wallet.MinOpenFor), openFor(wallet.MaxOpenFor),
		buys("hundred", func(c *wallet.PlaceOrder) { c.SuccessURL = strings.Repeat("x", wallet.MaxAddressLength) }),
		{Kind: wallet.CardOrder, Provider: "bank"},
	} {
		if a := b.do(c); !a.Allowed || a.Order.Status != wallet.OrderOpen {
			t.Errorf("%+v: %+v", c, a)
		}
	}
}

// TestOrderNotFound: every command about an order says when there is none, and asks for one that is
// not in memory.
func TestOrderNotFound(t *testing.T) {
	b := shop(t)
	b.order(buys("hundred"))
	for _, n := range []int64{0, -1, 2} {
		for _, c := range []wallet.Command{
			&wallet.OpenOrder{Order: n}, &wallet.CancelOrder{Order: n}, &wallet.AskRefund{Order: n}, &wallet.TellOrder{Order: n, News: paid(1)},
		} {
			b.refused(c, fault.CodeOrderNotFound)
		}
	}
	b.Restart()
	if _, err := wallet.Decide(b.State(), &wallet.TellOrder{Order: 1, News: paid(1000)}, wallet.Context{Now: b.now, Defs: b.defs}); err == nil {
		t.Error("an order that is not in memory was told something")
	}
}

// TestOpenOrderLimits: at the limit a page is taken down, one past it is refused.
func TestOpenOrderLimits(t *testing.T) {
	b := shop(t)
	n := b.do(buys("hundred")).Order.N
	long := func(n int) string { return strings.Repeat("x", n) }
	for _, c := range []*wallet.OpenOrder{
		{Session: long(wallet.MaxReferenceLength + 1)}, {Session: "s", URL: long(wallet.MaxAddressLength + 1)}, {Customer: long(wallet.MaxReferenceLength + 1)},
	} {
		c.Order = n
		b.refused(c, fault.CodeInvalidRequest)
	}
	b.do(&wallet.OpenOrder{Order: n, Session: long(wallet.MaxReferenceLength), URL: long(wallet.MaxAddressLength), Customer: long(wallet.MaxReferenceLength)})
}

// TestCancelOrder: what is not paid can be canceled, once; money that comes all the same counts.
func TestCancelOrder(t *testing.T) {
	b := shop(t)
	n := b.order(buys("hundred"))
	b.do(&wallet.CancelOrder{Order: n, Note: wallet.Note{Reason: "changed my mind"}})
	b.status(n, wallet.OrderCanceled)
	if o := b.Order(n); o.Reason != "changed my mind" || o.ClosedAt != start {
		t.Errorf("canceled %+v", o)
	}
	b.do(&wallet.CancelOrder{Order: n})
	b.news(n, wallet.OrderNews{Kind: wallet.NewsExpired})
	b.status(n, wallet.OrderCanceled)
	b.pays(n)
	b.status(n, wallet.OrderPaid)
	b.stands("calls", 100, 100, 0)
	b.refused(&wallet.CancelOrder{Order: n}, fault.CodeOrderClosed)
	for _, c := range []struct {
		news wallet.OrderNews
		code fault.Code
	}{
		{wallet.OrderNews{Kind: wallet.NewsProcessing}, fault.CodeOrderClosed},
		{wallet.OrderNews{Kind: wallet.NewsFailed}, fault.CodeOrderClosed},
		{paid(1), fault.CodeOrderClosed},
	} {
		n := b.order(buys("hundred"))
		b.news(n, c.news)
		b.refused(&wallet.CancelOrder{Order: n}, c.code)
	}
	// The page is closed before the order is canceled, and may tell of it first.
	n = b.order(buys("hundred"))
	b.news(n, wallet.OrderNews{Kind: wallet.NewsExpired})
	b.do(&wallet.CancelOrder{Order: n})
	b.status(n, wallet.OrderCanceled)
}
