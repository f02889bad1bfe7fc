package wallet_test

import (
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/money"
	"github.com/seed42445051/scrip/wallet"
)

// shop starts an example in which things are bought: every decision is compared with what it must not
// change, and the wallet's memory is lost again and again. There is a pack of 100 calls for 10.00 usd.
func shop(t *testing.T, credits ...*catalog.Credit) *book {
	t.Helper()
	b := open(t, credits...)
	b.Watched, b.restless = true, true
	b.pack("hundred", 1000, item("i", 100))
	return b
}

func item(id string, amount int64, change ...func(*catalog.PackItem)) catalog.PackItem {
	it := catalog.PackItem{ID: id, Credit: "calls", Amount: amount, Category: catalog.Paid, Priority: catalog.NarrowPriority}
	for _, f := range change {
		f(&it)
	}
	return it
}

// pack defines a pack that is priced in cents.
func (b *book) pack(id string, minor int64, items ...catalog.PackItem) *catalog.Pack {
	b.t.Helper()
	p := &catalog.Pack{ID: id, App: "app", Name: id, PriceMinor: minor, Currency: "usd", Items: items}
	if err := p.Validate(b.defs); err != nil {
		b.t.Fatal(err)
	}
	b.defs.Packs[id] = p
	return p
}

// product defines a plan by the month, which gives calls until its cycle ends.
func (b *book) product(id string, minor, calls int64) {
	b.defs.Products[id] = &catalog.Product{
		ID: id, App: "app", Name: id, Price: catalog.Price{Kind: catalog.RecurringPrice, Currency: "usd", Minor: minor, Every: every(1, catalog.Month)},
		Credits: []catalog.ProductCredit{{ID: "pc", Credit: "calls", Amount: calls, AtCycleEnd: true}},
	}
}

// buys is an order of packs on a page of the provider.
func buys(pack string, change ...func(*wallet.PlaceOrder)) *wallet.PlaceOrder {
	c := &wallet.PlaceOrder{Kind: wallet.PackOrder, Pack: pack, Provider: "bank"}
	for _, f := range change {
		f(c)
	}
	return c
}

func savesCard(c *wallet.PlaceOrder)  { c.SaveCard = true }
func offSession(c *wallet.PlaceOrder) { c.OffSession = true }

func quantity(n int64) func(*wallet.PlaceOrder) {
	return func(c *wallet.PlaceOrder) { c.Quantity = n }
}

// order places an order and opens its page, and returns its number.
func (b *book) order(c *wallet.PlaceOrder) int64 {
	b.t.Helper()
	o := b.do(c).Order
	if !o.OffSession && o.Status == wallet.OrderOpen {
		b.do(&wallet.OpenOrder{Order: o.N, Session: fmt.Sprintf("cs_%d", o.N), URL: "https://pay.test", Customer: "cus"})
	}
	return o.N
}

// news tells an order something.
func (b *book) news(order int64, n wallet.OrderNews) wallet.Answer {
	b.t.Helper()
	if n.Payment == paymentOfFirst && order > 1 { // no two orders have one payment
		n.Payment += fmt.Sprint(order)
	}
	return b.do(&wallet.TellOrder{Order: order, News: n})
}

// pays tells that what was expected is paid, and that the card is kept.
func (b *book) pays(order int64) wallet.Answer {
	b.t.Helper()
	return b.news(order, paid(b.Order(order).Minor))
}

// paymentOfFirst is the payment of a wallet's first order, and the head of the others' names.
const paymentOfFirst = "pi"

func paid(minor int64) wallet.OrderNews {
	return wallet.OrderNews{Kind: wallet.NewsPaid, Payment: paymentOfFirst, Minor: minor, Currency: "usd", Customer: "cus", Method: "pm", Label: "visa •••• 4242"}
}

// bought is an order of a hundred calls that is paid.
func (b *book) bought(change ...func(*wallet.PlaceOrder)) int64 {
	b.t.Helper()
	n := b.order(buys("hundred", change...))
	b.pays(n)
	return n
}

func refunded(id string, minor int64) wallet.OrderNews {
	return wallet.OrderNews{Kind: wallet.NewsRefund, Refund: id, Minor: minor, RefundStatus: wallet.RefundSucceeded}
}

func refundFailed(id string, minor int64) wallet.OrderNews {
	return wallet.OrderNews{Kind: wallet.NewsRefund, Refund: id, Minor: minor, RefundStatus: wallet.RefundFailed}
}

func refundedInAll(minor int64) wallet.OrderNews {
	return wallet.OrderNews{Kind: wallet.NewsRefund, Cumulative: minor}
}

func disputed(id string, status wallet.DisputeStatus) wallet.OrderNews {
	return wallet.OrderNews{Kind: wallet.NewsDispute, DisputeID: id, Dispute: status}
}

// declined is a decline of an attempt.
func declined(attempt int, class wallet.DeclineClass) wallet.OrderNews {
	return wallet.OrderNews{Kind: wallet.NewsDeclined, Decline: &wallet.Decline{Code: "card_" + string(class), Class: class, Attempt: attempt}}
}

// told checks what orders have told since it was last called, without those that only Scrip hears.
func (b *book) told(want ...catalog.EventType) {
	b.t.Helper()
	var got, all []string
	for _, e := range b.Told()[b.heard:] {
		if !e.Type.Internal() {
			got = append(got, string(e.Type))
		}
	}
	b.heard = len(b.Told())
	for _, e := range want {
		all = append(all, string(e))
	}
	if strings.Join(got, ", ") != strings.Join(all, ", ") {
		b.t.Errorf("told:\n  got  %v\n  want %v", got, all)
	}
}

// due counts how often money was to be moved: charges, and refunds.
func (b *book) due(event catalog.EventType) (n int) {
	for _, e := range b.Told() {
		if e.Type == event {
			n++
		}
	}
	return n
}

// status checks where an order is.
func (b *book) status(order int64, want wallet.OrderStatus) {
	b.t.Helper()
	if got := b.Order(order).Status; got != want {
		b.t.Errorf("order %d is %s, want %s", order, got, want)
	}
}

// granted checks what became of an order's items: amount, what was taken back, and what was given again.
func (b *book) granted(order int64, want string) {
	b.t.Helper()
	var got []string
	for _, g := range b.Order(order).Grants {
		line := fmt.Sprint(g.Amount)
		if g.Revoked > 0 {
			line += fmt.Sprintf(" -%d", g.Revoked)
		}
		if g.Returned > 0 {
			line += fmt.Sprintf(" +%d", g.Returned)
		}
		got = append(got, line)
	}
	if strings.Join(got, ", ") != want {
		b.t.Errorf("order %d granted %q, want %q", order, strings.Join(got, ", "), want)
	}
}

// same compares decimals by value.
func same(got money.Decimal, want string) bool {
	x, ok := new(big.Rat).SetString(string(got))
	y, _ := new(big.Rat).SetString(want)
	return ok && x.Cmp(y) == 0
}
