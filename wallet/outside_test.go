package wallet_test

import (
	"strings"
	"testing"
	"time"

	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/wallet"
)

// billed starts an example with a plan of 50 calls a month that somebody else bills for 20.00.
func billed(t *testing.T) *book {
	t.Helper()
	b := shop(t)
	b.product("pln", 2000, 50)
	b.product("big", 5000, 200)
	return b
}

// month is news of the cycle that begins in a month of 2026, on the first at 10:00.
func month(m int, change ...func(*wallet.BilledOutside)) *wallet.BilledOutside {
	at := func(m int) clock.Instant { return clock.At(time.Date(2026, time.Month(m), 1, 10, 0, 0, 0, time.UTC)) }
	c := &wallet.BilledOutside{Ref: "sub_1", Plan: "pln", Start: at(m), End: at(m + 1), Paid: true, Invoice: "in"}
	for _, f := range change {
		f(c)
	}
	return c
}

func unpaid(c *wallet.BilledOutside) { c.Paid = false }
func isOver(c *wallet.BilledOutside) { c.Ended, c.Paid = true, false }

// TestBilledOutside: a cycle's credits come when the biller says that it is paid, once (T22).
func TestBilledOutside(t *testing.T) {
	b := billed(t)
	b.do(month(1, unpaid))
	if b.State().Subscription != nil {
		t.Error("it began before it was paid")
	}
	for range 3 {
		b.do(month(1))
		b.do(month(1, unpaid))
	}
	b.stands("calls", 50, 50, 0)
	b.invoices("1 paid 2000 usd: plan pln 2000")
	b.to("2026-02-01T10:00:00Z")
	b.stands("calls", 0, 0, 0)
	b.invoices("1 paid 2000 usd: plan pln 2000", "2 open 2000 usd: plan pln 2000")
	b.do(month(1)) // again
	b.do(month(2, unpaid))
	b.stands("calls", 0, 0, 0)
	b.pass(time.Hour)
	for range 3 {
		b.do(month(2))
	}
	b.stands("calls", 50, 50, 0)
	b.invoices("1 paid 2000 usd: plan pln 2000", "2 paid 2000 usd: plan pln 2000")
	b.cycle("2026-02-01T10:00:00Z", "2026-03-01T10:00:00Z")
	if b.due("payment.due") != 0 {
		t.Error("somebody was charged here as well")
	}
}

// TestBilledAhead: the biller's clock, or the biller, may be ahead of ours: what is paid is granted
// once, and no cycle comes for nothing.
func TestBilledAhead(t *testing.T) {
	b := billed(t)
	b.now = start.Add(-2 * time.Second)
	b.do(month(1))
	b.stands("calls", 50, 50, 0)
	b.deduct(units(10))
	b.pass(time.Hour)
	b.stands("calls", 40, 40, 0)
	b.invoices("1 paid 2000 usd: plan pln 2000")
	b.to("2026-02-01T09:59:58Z") // the next is paid before it begins here
	b.do(month(2))
	b.stands("calls", 40, 40, 0)
	b.to("2026-02-01T10:00:00Z")
	b.stands("calls", 50, 50, 0)
	b.to("2026-03-01T10:00:00Z")
	b.stands("calls", 0, 0, 0)
	b.invoices("1 paid 2000 usd: plan pln 2000", "2 paid 2000 usd: plan pln 2000", "3 open 2000 usd: plan pln 2000")
}

// TestBilledLate: news may be late by a while, or by more than a cycle.
func TestBilledLate(t *testing.T) {
	b := billed(t)
	b.pass(2 * day)
	b.do(month(1))
	b.cycle("2026-01-03T10:00:00Z", "2026-02-01T10:00:00Z")
	b.stands("calls", 50, 50, 0)
	b.to("2026-02-15T10:00:00Z")
	b.stands("calls", 0, 0, 0)
	b.do(month(2))
	b.cycle("2026-02-01T10:00:00Z", "2026-03-01T10:00:00Z")
	b.stands("calls", 50, 50, 0)
	b.to("2026-04-10T10:00:00Z")
	b.do(month(3)) // of a cycle that is over
	b.stands("calls", 0, 0, 0)
	b.do(month(4))
	b.stands("calls", 50, 50, 0)
	// What was paid for is over, and nothing else is known: nothing begins.
	b = billed(t)
	b.to("2026-03-01T10:00:00Z")
	b.do(month(1))
	if b.State().Subscription != nil {
		t.Error("it began though it was over")
	}
}

// TestBilledEnds: what ended does not begin again by older news (T23).
func TestBilledEnds(t *testing.T) {
	b := billed(t)
	b.do(month(1, isOver)) // unknown
	b.do(month(1))
	b.pass(day)
	b.do(month(1, isOver))
	b.do(month(1, isOver))
	b.do(month(1, unpaid))
	b.do(month(1))
	if sub := b.State().Subscription; !sub.Ended || sub.N != 1 {
		t.Errorf("the subscription is %+v", sub)
	}
	b.stands("calls", 50, 50, 0) // until its own end
	// Another begins; news of the first says nothing about it.
	b.pass(day)
	second := func(c *wallet.BilledOutside) { c.Ref, c.Plan = "sub_2", "big" }
	b.do(month(1, second))
	b.stands("calls", 250, 250, 0)
	b.do(month(1))
	b.do(month(1, isOver))
	if sub := b.State().Subscription; sub.Ended || sub.Outside != "sub_2" || sub.Plan != "big" || sub.N != 2 {
		t.Errorf("the subscription is %+v", sub)
	}
	b.do(month(2, second))
	b.do(month(1, second, isOver))
	if sub := b.State().Subscription; !sub.Ended {
		t.Errorf("the subscription is %+v", sub)
	}
}

// TestBilledEndPlanned: an end that is planned outside is planned here, and can be taken back.
func TestBilledEndPlanned(t *testing.T) {
	b := billed(t)
	b.do(month(1))
	end := instant("2026-02-01T10:00:00Z")
	b.do(month(1, unpaid, func(c *wallet.BilledOutside) { c.EndsAt = end }))
	if sub := b.State().Subscription; sub.EndsAt != end {
		t.Errorf("ends at %s", sub.EndsAt)
	}
	b.do(month(1, unpaid))
	if sub := b.State().Subscription; !sub.EndsAt.IsZero() {
		t.Errorf("ends at %s", sub.EndsAt)
	}
	b.do(month(1, unpaid, func(c *wallet.BilledOutside) { c.EndsAt = start })) // over: that comes with the end
	if sub := b.State().Subscription; !sub.EndsAt.IsZero() || sub.Ended {
		t.Errorf("ends at %s", sub.EndsAt)
	}
}

// TestBilledTakesOver: a plan that was taken here is billed outside from the first payment there on.
func TestBilledTakesOver(t *testing.T) {
	for _, same := range []bool{true, false} {
		b := billed(t)
		plan := "pln"
		if !same {
			plan = "big"
		}
		b.do(&wallet.Subscribe{Plan: plan})
		b.pass(day)
		b.do(month(1))
		sub := b.State().Subscription
		if sub.Outside != "sub_1" || sub.Plan != "pln" || sub.PaidTo != month(1).End {
			t.Errorf("the subscription is %+v", sub)
		}
		b.to("2026-02-01T10:00:00Z")
		b.stands("calls", 0, 0, 0)
		b.do(month(2))
		b.stands("calls", 50, 50, 0)
		b.do(month(2, isOver))
		if !b.State().Subscription.Ended {
			t.Error("it goes on")
		}
	}
}

// TestBilledChange: another plan, or another number of it, follows the biller.
func TestBilledChange(t *testing.T) {
	b := billed(t)
	b.do(month(1))
	b.pass(day)
	b.do(month(1, unpaid, func(c *wallet.BilledOutside) { c.Plan = "big" }))
	if sub := b.State().Subscription; sub.Plan != "big" || sub.Outside != "sub_1" {
		t.Errorf("the subscription is %+v", sub)
	}
	b.to("2026-02-01T10:00:00Z")
	b.do(month(2, func(c *wallet.BilledOutside) { c.Plan, c.Quantity = "big", 2 }))
	if sub := b.State().Subscription; sub.Quantity != 2 {
		t.Errorf("the subscription is %+v", sub)
	}
	b.stands("calls", 400, 400, 0)
}

// TestBilledRefused: news that names nothing is refused.
func TestBilledRefused(t *testing.T) {
	b := billed(t)
	long := strings.Repeat("x", wallet.MaxReferenceLength+1)
	b.refused(month(1, func(c *wallet.BilledOutside) { c.Ref = "" }), fault.CodeInvalidRequest)
	b.refused(month(1, func(c *wallet.BilledOutside) { c.Ref = long }), fault.CodeInvalidRequest)
	b.refused(month(1, func(c *wallet.BilledOutside) { c.Invoice = long }), fault.CodeInvalidRequest)
	b.refused(month(1, func(c *wallet.BilledOutside) { c.Plan = "none" }), fault.CodePlanNotFound)
	b.do(month(1, func(c *wallet.BilledOutside) { c.Ref, c.Invoice = long[1:], long[1:] }))
}
