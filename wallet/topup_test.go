package wallet_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/wallet"
)

// agrees is an agreement that a hundred calls are bought when fewer than 20 are left.
func agrees(change ...func(*wallet.SetTopUp)) *wallet.SetTopUp {
	c := &wallet.SetTopUp{Credit: "calls", Enabled: true, Threshold: 20, Pack: "hundred"}
	for _, f := range change {
		f(c)
	}
	return c
}

func capped(caps wallet.Caps) func(*wallet.SetTopUp) {
	return func(c *wallet.SetTopUp) { c.Caps = caps }
}

// carded is a customer with a card that is kept, 100 calls, and an agreement.
func carded(t *testing.T, change ...func(*wallet.SetTopUp)) *book {
	t.Helper()
	b := shop(t)
	b.bought(savesCard)
	b.do(agrees(change...))
	return b
}

// charges counts the orders of automatic top-ups.
func (b *book) charges() (n int) {
	for i := int64(1); i <= b.State().OrderSeq; i++ {
		if b.Order(i).Kind == wallet.TopUpOrder {
			n++
		}
	}
	return n
}

// TestTopUp: strictly below the threshold one pack is bought, with the card that is kept.
func TestTopUp(t *testing.T) {
	b := carded(t, func(c *wallet.SetTopUp) { c.Quantity, c.Metadata = 2, wallet.Metadata{"k": "v"} })
	if a := b.TopUp("calls"); a.ConsentAt != start || a.ConsentBy != "model" || a.Quantity != 2 || a.Running != 0 {
		t.Errorf("agreed %+v", a)
	}
	b.deduct(units(80))
	if b.charges() != 0 {
		t.Error("bought at the threshold")
	}
	b.told(catalog.EventPaymentSucceeded, catalog.EventCreditsTopUp)
	b.deduct(units(1))
	n := b.last()
	if o := b.Order(n); o.Kind != wallet.TopUpOrder || o.Status != wallet.OrderDue || o.Minor != 2000 || o.Quantity != 2 || !o.OffSession || o.Attempt != 1 ||
		o.Provider != "bank" || o.What != "hundred" || o.Metadata["k"] != "v" || !o.ExpiresAt.IsZero() {
		t.Errorf("charged %+v", o)
	}
	if a := b.TopUp("calls"); a.Running != n || a.Day != (wallet.Spent{Start: instant("2026-01-01T00:00:00Z"), Count: 1, Minor: 2000}) || a.Month != a.Day {
		t.Errorf("running %+v", a)
	}
	b.deduct(units(5))
	b.pass(time.Minute)
	if b.charges() != 1 {
		t.Error("bought twice")
	}
	b.said()
	b.pays(n)
	b.pays(n)
	b.says("auto_top_up +200 =214")
	b.told(catalog.EventPaymentSucceeded, catalog.EventCreditsTopUp, catalog.EventTopUpSucceeded)
	if a := b.TopUp("calls"); a.Running != 0 || !a.Enabled || a.Day.Count != 1 {
		t.Errorf("ran %+v", a)
	}
	if g := b.Stored(2); g.Source != wallet.SourcePurchase || g.ExternalRef != b.Order(n).Payment || g.Pack != "hundred" {
		t.Errorf("granted %+v", g)
	}
}

// TestTopUpOnce: twenty spends that cross the threshold buy once (T14).
func TestTopUpOnce(t *testing.T) {
	b := carded(t)
	for range 20 {
		b.deduct(units(5))
	}
	if b.charges() != 1 || b.due(catalog.EventPaymentDue) != 1 {
		t.Errorf("%d charges", b.charges())
	}
}

// TestTopUpLooksAt: holds are part of the balance; what is frozen is not, and what is denied looks too.
func TestTopUpLooksAt(t *testing.T) {
	b := carded(t)
	h := b.reserve(units(95))
	b.do(&wallet.Release{Hold: h})
	if b.charges() != 0 {
		t.Error("a reservation bought something")
	}
	b.reserve(units(95))
	b.do(&wallet.Commit{Hold: 2})
	if b.charges() != 1 {
		t.Error("a commit bought nothing")
	}
	b = carded(t)
	b.do(&wallet.Freeze{Grant: 1, Frozen: true})
	if b.charges() != 1 {
		t.Error("nothing can be spent, and nothing is bought")
	}
	b = carded(t)
	b.pass(time.Hour)
	b.do(&wallet.Adjust{Credit: "calls", Delta: -90})
	if b.charges() != 1 {
		t.Error("an adjustment bought nothing")
	}
	b = shop(t)
	b.bought(savesCard)
	b.deduct(units(90))
	b.do(agrees())
	if b.charges() != 1 {
		t.Error("switched on below the threshold, and nothing is bought")
	}
	b = shop(t)
	b.defs.Packs["hundred"].ExpiresAfterDays = 5
	b.bought(savesCard)
	b.do(agrees())
	b.pass(5 * day) // time alone
	if b.charges() != 1 {
		t.Error("what expired bought nothing")
	}
	// One decision of many entries crosses the threshold once.
	b = carded(t)
	for range 4 {
		b.give(10, promotional)
	}
	if a := b.deduct(units(139)); len(a.Entries) != 1 || b.charges() != 1 {
		t.Errorf("%d charges", b.charges())
	}
}

// TestTopUpAgain: what does not reach the threshold leads to another at once, as the caps allow.
func TestTopUpAgain(t *testing.T) {
	b := carded(t, func(c *wallet.SetTopUp) { c.Threshold, c.Caps.DayCount = 250, 2 })
	b.pays(b.last())
	b.stands("calls", 200, 200, 0)
	b.pays(b.last())
	b.stands("calls", 300, 300, 0)
	b.deduct(units(100))
	if b.charges() != 2 {
		t.Errorf("%d charges", b.charges())
	}
}

// TestTopUpCaps: by count and money, a day and a month, of the calendar in UTC.
func TestTopUpCaps(t *testing.T) {
	for name, c := range map[string]struct {
		caps  wallet.Caps
		today int // charges on one day
		month int // in a month, one day at a time
	}{
		"none":        {wallet.Caps{}, 5, 5},
		"day count":   {wallet.Caps{DayCount: 2}, 2, 5},
		"day money":   {wallet.Caps{DayMinor: 2999}, 2, 5},
		"day exactly": {wallet.Caps{DayMinor: 3000}, 3, 5},
		"too little":  {wallet.Caps{DayMinor: 999}, 0, 0},
		"month count": {wallet.Caps{MonthCount: 3}, 3, 3},
		"month money": {wallet.Caps{MonthMinor: 4999}, 4, 4},
		"both":        {wallet.Caps{DayCount: 1, MonthCount: 3}, 1, 3},
	} {
		t.Run(name, func(t *testing.T) {
			for _, daily := range []bool{false, true} {
				b := carded(t, capped(c.caps))
				for range 5 {
					if daily {
						b.pass(day)
					}
					before := b.charges()
					b.deduct(units(b.State().Credits["calls"].Available()))
					if b.charges() > before {
						b.pays(b.last())
					}
					b.give(1)
				}
				want := c.today
				if daily {
					want = c.month
				}
				if b.charges() != want {
					t.Errorf("%d charges, want %d (daily: %t)", b.charges(), want, daily)
				}
			}
		})
	}
}

// TestTopUpDenialInANewDay: when a new day makes room under a cap, what is denied tells.
func TestTopUpDenialInANewDay(t *testing.T) {
	b := carded(t, capped(wallet.Caps{DayCount: 1}))
	b.deduct(units(100))
	b.pays(b.last())
	b.deduct(units(100))
	b.to("2026-01-01T23:59:59.999999Z")
	if a := b.deduct(units(1)); a.Allowed || a.CanContinue || b.charges() != 1 {
		t.Errorf("denied %+v", a)
	}
	b.to("2026-01-02T00:00:00Z")
	if a := b.deduct(units(1)); a.Allowed || !a.CanContinue || b.charges() != 2 {
		t.Errorf("denied %+v", a)
	}
	// A month begins with its first day.
	b = carded(t, capped(wallet.Caps{MonthCount: 1}))
	b.deduct(units(100))
	b.pays(b.last())
	b.deduct(units(100))
	b.to("2026-01-31T23:59:59.999999Z")
	b.deduct(units(1))
	if b.charges() != 1 {
		t.Error("bought in the same month")
	}
	b.to("2026-02-01T00:00:00Z")
	b.deduct(units(1))
	if b.charges() != 2 {
		t.Error("not bought in the next month")
	}
}

// TestCanContinue: a denial tells whether a charge under way covers it.
func TestCanContinue(t *testing.T) {
	b := carded(t)
	b.deduct(units(95))
	for amount, want := range map[int64]bool{6: true, 105: true, 106: false} {
		if a := b.deduct(units(amount)); a.Allowed || a.CanContinue != want {
			t.Errorf("%d: %+v", amount, a)
		}
	}
	if a := b.do(&wallet.Reserve{Charge: units(50)}); a.Allowed || !a.CanContinue {
		t.Errorf("a hold: %+v", a)
	}
	b.news(b.last(), processing)
	if a := b.deduct(units(50)); a.CanContinue {
		t.Error("a bank takes days")
	}
	b = carded(t)
	b.deduct(units(95))
	b.news(b.last(), declined(1, wallet.DeclineSoft))
	if a := b.deduct(units(50)); a.CanContinue {
		t.Error("an hour is long")
	}
}

// TestTopUpSoft: a soft decline is tried again after 1, 5 and 16 hours, then given up for a day; what
// was not paid counts under no cap (T16).
func TestTopUpSoft(t *testing.T) {
	b := carded(t, capped(wallet.Caps{DayCount: 1, MonthMinor: 1000}))
	b.deduct(units(100))
	n := b.last()
	for i, pause := range []time.Duration{time.Hour, 5 * time.Hour, 16 * time.Hour} {
		b.news(n, declined(i+1, wallet.DeclineSoft))
		b.pass(pause - time.Microsecond)
		b.status(n, wallet.OrderWaiting)
		b.deduct(units(1))
		b.pass(time.Microsecond)
		if o := b.Order(n); o.Status != wallet.OrderDue || o.Attempt != i+2 {
			t.Fatalf("tried again %+v", o)
		}
	}
	b.told(catalog.EventPaymentSucceeded, catalog.EventCreditsTopUp, catalog.EventPaymentFailed, catalog.EventPaymentFailed, catalog.EventPaymentFailed)
	b.news(n, declined(4, wallet.DeclineSoft))
	b.status(n, wallet.OrderFailed)
	b.told(catalog.EventPaymentFailed, catalog.EventTopUpFailed)
	if a := b.TopUp("calls"); !a.Enabled || a.Running != 0 || a.NotBefore != b.now.Add(day) || a.Month.Count != 0 || a.Month.Minor != 0 {
		t.Errorf("given up %+v", a)
	}
	b.pass(day - time.Microsecond)
	b.deduct(units(1))
	if b.charges() != 1 {
		t.Error("it was not given up")
	}
	b.pass(time.Microsecond)
	b.deduct(units(1))
	if b.charges() != 2 {
		t.Error("it was given up for good")
	}
	if due := b.due(catalog.EventPaymentDue); due != 5 {
		t.Errorf("%d charges", due)
	}
	// The one that was given up is paid after all: it counts, under the caps too.
	b.pays(n)
	b.stands("calls", 100, 100, 0)
	if a := b.TopUp("calls"); a.Running != b.last() || a.Month.Count != 2 {
		t.Errorf("paid late %+v", a)
	}
}

// TestTopUpHard: a decline that will not be otherwise later switches it off, until the customer agrees
// anew (T15).
func TestTopUpHard(t *testing.T) {
	for class, event := range map[wallet.DeclineClass]catalog.EventType{
		wallet.DeclineHard: catalog.EventTopUpFailed, wallet.DeclineAction: catalog.EventTopUpActionRequired,
	} {
		b := carded(t)
		b.deduct(units(100))
		n := b.last()
		b.told(catalog.EventPaymentSucceeded, catalog.EventCreditsTopUp)
		b.news(n, declined(1, class))
		b.news(n, declined(1, class))
		b.told(catalog.EventPaymentFailed, event)
		if a := b.TopUp("calls"); a.Enabled || a.OffReason != "card_"+string(class) || a.Running != 0 || a.Day.Count != 0 {
			t.Errorf("off %+v", a)
		}
		b.pass(40 * day)
		b.deduct(units(1))
		if b.charges() != 1 {
			t.Error("it was charged again")
		}
		b.do(agrees())
		if a := b.TopUp("calls"); b.charges() != 2 || a.OffReason != "" || a.ConsentAt != b.now {
			t.Errorf("agreed anew %+v", a)
		}
		b.pays(n) // late: it is paid all the same
		b.stands("calls", 100, 100, 0)
	}
}

// TestTopUpGivesBack: what was not paid is taken off the day and month in which it was charged.
func TestTopUpGivesBack(t *testing.T) {
	b := carded(t)
	b.to("2026-01-31T23:30:00Z")
	b.deduct(units(100))
	b.news(b.last(), declined(1, wallet.DeclineSoft))
	b.to("2026-02-01T00:30:00Z")
	b.news(b.last(), wallet.OrderNews{Kind: wallet.NewsFailed})
	january := wallet.Spent{Start: instant("2026-01-01T00:00:00Z")}
	if a := b.TopUp("calls"); a.Month != january || a.Day.Count != 0 || a.NotBefore != b.now.Add(day) {
		t.Errorf("given back %+v", a)
	}
	b.pass(2 * day)
	b.deduct(units(1))
	if a := b.TopUp("calls"); a.Month != (wallet.Spent{Start: instant("2026-02-01T00:00:00Z"), Count: 1, Minor: 1000}) {
		t.Errorf("charged %+v", a)
	}
	// A payment that differs has taken money, and counts.
	b = carded(t)
	b.deduct(units(100))
	b.news(b.last(), paid(999))
	if a := b.TopUp("calls"); a.Day.Count != 1 || a.Running != 0 || a.NotBefore != b.now.Add(day) {
		t.Errorf("mismatched %+v", a)
	}
}

// TestTopUpOff: what is switched off buys nothing; what runs already is paid.
func TestTopUpOff(t *testing.T) {
	b := carded(t)
	b.deduct(units(100))
	n := b.last()
	b.do(&wallet.SetTopUp{Credit: "calls", Threshold: 20, Pack: "gone"})
	b.do(agrees())
	if b.charges() != 1 || b.TopUp("calls").Running != n {
		t.Errorf("%d charges", b.charges())
	}
	b.do(&wallet.SetTopUp{Credit: "calls"})
	b.pays(n)
	b.stands("calls", 100, 100, 0)
	b.deduct(units(100))
	if b.charges() != 1 {
		t.Error("it is off, and buys")
	}
}

// TestTopUpForgotten: without a card there is no agreement.
func TestTopUpForgotten(t *testing.T) {
	b := carded(t)
	b.do(&wallet.ForgetPayer{})
	b.do(&wallet.ForgetPayer{})
	if a := b.TopUp("calls"); a.Enabled || a.OffReason != "payment_method_removed" {
		t.Errorf("forgotten %+v", a)
	}
	b.refused(agrees(), fault.CodeNoPaymentMethod)
	b.do(&wallet.SetTopUp{Credit: "calls"})
	// The provider knows the customer by another id, and no card.
	b = carded(t)
	b.do(&wallet.OpenOrder{Order: b.do(buys("hundred")).Order.N, Session: "cs", Customer: "cus_2"})
	b.deduct(units(100))
	if b.charges() != 0 {
		t.Error("charged without a card")
	}
}

// TestTopUpPackGone: a pack that cannot be bought any more switches it off.
func TestTopUpPackGone(t *testing.T) {
	for want, change := range map[string]func(*book){
		"pack_not_found":  func(b *book) { b.defs.Packs["hundred"].ArchivedAt = start },
		"sales_off":       func(b *book) { b.defs.Credits["calls"].Sales.Off = true },
		"credit_archived": func(b *book) { b.defs.Credits["calls"].ArchivedAt = start },
		"invalid_request": func(b *book) { b.defs.Packs["hundred"].PriceMinor = 0 },
	} {
		b := carded(t)
		change(b)
		b.deduct(units(100))
		if a := b.TopUp("calls"); a.Enabled || a.OffReason != want || b.charges() != 0 {
			t.Errorf("%s: %+v, %d charges", want, a, b.charges())
		}
		b.refused(agrees(), fault.Code(want))
	}
}

// TestTopUpRefused: an agreement that makes no sense is refused.
func TestTopUpRefused(t *testing.T) {
	b := shop(t, calls(), credit("other", 0))
	b.refused(agrees(), fault.CodeNoPaymentMethod)
	b.bought(savesCard)
	with := func(change func(*wallet.SetTopUp)) *wallet.SetTopUp { return agrees(change) }
	for _, c := range []struct {
		command *wallet.SetTopUp
		code    fault.Code
	}{
		{with(func(c *wallet.SetTopUp) { c.Credit = "none" }), fault.CodeCreditNotFound},
		{with(func(c *wallet.SetTopUp) { c.Credit = "other" }), fault.CodeInvalidRequest},
		{with(func(c *wallet.SetTopUp) { c.Pack = "none" }), fault.CodePackNotFound},
		{with(func(c *wallet.SetTopUp) { c.Threshold = -1 }), fault.CodeInvalidAmount},
		{with(func(c *wallet.SetTopUp) { c.Threshold = wallet.MaxUnits + 1 }), fault.CodeInvalidAmount},
		{with(func(c *wallet.SetTopUp) { c.Quantity = -1 }), fault.CodeInvalidQuantity},
		{with(func(c *wallet.SetTopUp) { c.Quantity = wallet.MaxOrderQuantity + 1 }), fault.CodeInvalidQuantity},
		{with(capped(wallet.Caps{DayCount: -1})), fault.CodeInvalidRequest},
		{with(capped(wallet.Caps{MonthMinor: 1 << 62})), fault.CodeInvalidRequest},
	} {
		b.refused(c.command, c.code)
	}
	if len(b.State().TopUps) != 0 {
		t.Error("something was agreed")
	}
	b.do(with(func(c *wallet.SetTopUp) { c.Quantity, c.Threshold = wallet.MaxOrderQuantity, 0 }))
}

// TestMaxTopUps: at the limit one is agreed, one past it is refused.
func TestMaxTopUps(t *testing.T) {
	all := []*catalog.Credit{calls()}
	for i := range wallet.MaxTopUps {
		all = append(all, credit(fmt.Sprint("c", i), 0))
	}
	b := shop(t, all...)
	for i := range wallet.MaxTopUps {
		b.do(&wallet.SetTopUp{Credit: fmt.Sprint("c", i)})
	}
	b.refused(&wallet.SetTopUp{Credit: "calls"}, fault.CodeInvalidRequest)
	b.do(&wallet.SetTopUp{Credit: "c3", Threshold: 5})
}

// TestTopUpsOfTwoCredits: each has its own agreement and its own charges, with the same pack too.
func TestTopUpsOfTwoCredits(t *testing.T) {
	b := shop(t, calls(), credit("other", 0))
	b.pack("both", 500, item("a", 10), item("b", 10, func(it *catalog.PackItem) { it.Credit = "other" }))
	b.do(&wallet.PlaceOrder{Kind: wallet.CardOrder, Provider: "bank"})
	b.news(1, paid(0))
	b.do(agrees(func(c *wallet.SetTopUp) { c.Pack, c.Threshold = "both", 5 }))
	b.do(agrees(func(c *wallet.SetTopUp) { c.Pack, c.Threshold, c.Credit = "both", 5, "other" }))
	if b.charges() != 2 {
		t.Fatalf("%d charges", b.charges())
	}
	b.pays(3)
	b.pays(2)
	b.stands("calls", 20, 20, 0)
	b.stands("other", 20, 20, 0)
	if b.TopUp("calls").Running+b.TopUp("other").Running != 0 {
		t.Error("something runs still")
	}
}
