package wallet_test

import (
	"testing"
	"time"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/wallet"
)

// plans is an order of a plan of 20.00 a month with 50 calls each. A change makes it what the example
// needs.
func plans(change ...func(*wallet.Subscribe)) *wallet.PlaceOrder {
	p := plan(append([]func(*wallet.Subscribe){costs(2000), gives(included(50))}, change...)...)
	return &wallet.PlaceOrder{Kind: wallet.PlanOrder, Plan: p, Provider: "bank"}
}

func trial(days int, minor int64, units int64) func(*wallet.Subscribe) {
	return func(c *wallet.Subscribe) {
		c.Terms.TrialDays, c.Terms.TrialMinor = days, minor
		c.Terms.Credits[0].Trial, c.Terms.Credits[0].TrialExpires = &units, true
	}
}

// member is a customer who has paid for a plan, which is collected from now on.
func member(t *testing.T, change ...func(*wallet.Subscribe)) *book {
	t.Helper()
	b := shop(t)
	b.pays(b.order(plans(change...)))
	return b
}

// next is the number of the last order.
func (b *book) last() int64 { return b.State().OrderSeq }

// TestPlanOrder: the plan begins when it is paid, and the order pays its first invoice.
func TestPlanOrder(t *testing.T) {
	b := shop(t)
	c := plans()
	c.Plan.Quantity = 3
	n := b.order(c)
	if o := b.Order(n); o.Minor != 6000 || o.Text != "Plan" || o.What != "pln" || o.Quantity != 3 || !o.SaveCard || len(o.Items) > 0 {
		t.Errorf("the order is %+v", o)
	}
	if b.State().Subscription != nil {
		t.Error("it began before it was paid")
	}
	b.pass(time.Hour)
	b.pays(n)
	b.pays(n)
	b.stands("calls", 150, 150, 0)
	b.invoices("1 paid 6000 usd: plan pln 6000")
	sub := b.State().Subscription
	if o := b.Order(n); o.Invoice != 1 || len(o.Grants) != 1 || !sub.Collect || sub.Unpaid != 0 || sub.StartedAt != b.now || b.Invoice(1).Ref != "pi" {
		t.Errorf("paid %+v, %+v", o, sub)
	}
	b.told(catalog.EventPaymentSucceeded)
	b.news(n, refundedInAll(2000))
	b.stands("calls", 100, 100, 0)
	b.refused(plans(), fault.CodeSubscriptionExists)
}

// TestPlanOrderRefused: a plan that makes no sense is refused before anybody is asked to pay.
func TestPlanOrderRefused(t *testing.T) {
	b := shop(t)
	with := func(change func(*wallet.Subscribe)) *wallet.PlaceOrder { return plans(change) }
	b.refused(with(func(c *wallet.Subscribe) { c.Quantity = -1 }), fault.CodeInvalidQuantity)
	b.refused(with(func(c *wallet.Subscribe) { c.Quantity = wallet.MaxPlanQuantity + 1 }), fault.CodeInvalidQuantity)
	b.refused(with(func(c *wallet.Subscribe) { c.EndsAt = start }), fault.CodeInvalidTime)
	b.refused(with(func(c *wallet.Subscribe) { c.Terms = wallet.Terms{} }), fault.CodePlanNotFound)
	dear := with(costs(catalog.MaxPrice))
	b.do(dear)
	dear.Plan.Quantity = 2
	b.refused(dear, fault.CodeAmountOutOfRange)
}

// TestPlanOrderWithTrial: what the trial costs is paid first, the plan's price with its end.
func TestPlanOrderWithTrial(t *testing.T) {
	for _, minor := range []int64{0, 100} {
		b := shop(t)
		n := b.order(plans(trial(7, minor, 5)))
		if o := b.Order(n); o.Minor != minor || o.Text != "Plan (trial)" || o.Status != wallet.OrderOpen {
			t.Fatalf("the order is %+v", o) // a card is kept though nothing is paid
		}
		b.pays(n)
		b.stands("calls", 5, 5, 0)
		if minor == 0 {
			b.invoices()
		} else {
			b.invoices("1 paid 100 usd: plan pln 100")
		}
		b.pass(7 * day)
		b.stands("calls", 0, 0, 0) // until the price is paid
		charge := b.last()
		if o := b.Order(charge); charge != n+1 || o.Kind != wallet.InvoiceOrder || o.Minor != 2000 || o.Status != wallet.OrderDue || !o.OffSession || o.Attempt != 1 {
			t.Fatalf("charged %+v", o)
		}
		b.pays(charge)
		b.stands("calls", 50, 50, 0)
	}
}

// TestPlanOrderWhenOneBegan: a subscription may have begun between the page and the payment. What is
// paid counts: the plan is the one that was paid for, and what the other left is billed apart.
func TestPlanOrderWhenOneBegan(t *testing.T) {
	b := shop(t)
	n := b.order(plans())
	b.do(plan(named("old"), costs(300), gives(included(10, beyond(invoiced)))))
	b.do(over(13))
	b.pays(n)
	if sub := b.State().Subscription; sub.Plan != "pln" || sub.Ended {
		t.Errorf("the subscription is %+v", sub)
	}
	b.invoices("1 open 300 usd: plan old 300", "2 paid 2000 usd: plan pln 2000", "3 open 9 usd: overage calls 9")
	b.stands("calls", 50, 50, 0)
	// The same plan: nothing begins anew, and the payment can be paid back.
	b = shop(t)
	n = b.order(plans())
	other := b.order(plans())
	b.pays(n)
	b.pays(other)
	b.status(other, wallet.OrderPaid)
	b.stands("calls", 50, 50, 0)
	b.invoices("1 paid 2000 usd: plan pln 2000")
	b.do(&wallet.AskRefund{Order: other})
	// It cannot be taken: the money is there all the same.
	b = shop(t)
	n = b.order(plans())
	b.do(plan(named("old")))
	b.do(&wallet.PauseSubscription{})
	b.pays(n)
	b.status(n, wallet.OrderMismatched)
}

// TestCollect: what a cycle grants comes when its invoice is paid.
func TestCollect(t *testing.T) {
	b := member(t)
	b.to("2026-02-01T10:00:00Z")
	charge := b.last()
	b.stands("calls", 0, 0, 0)
	if sub := b.State().Subscription; sub.Unpaid != 2 || b.Order(charge).Invoice != 2 {
		t.Errorf("waits for %d, charged %+v", sub.Unpaid, b.Order(charge))
	}
	b.pass(time.Minute)
	b.pays(charge)
	b.pays(charge)
	b.stands("calls", 50, 50, 0)
	b.invoices("1 paid 2000 usd: plan pln 2000", "2 paid 2000 usd: plan pln 2000")
	if g := b.Stored(2); g.ExpiresAt != instant("2026-03-01T10:00:00Z") {
		t.Errorf("granted %+v", g)
	}
}

// TestCollectDeclined: declined it is tried again after 24, 48 and 96 hours, then the plan ends.
func TestCollectDeclined(t *testing.T) {
	for _, class := range []wallet.DeclineClass{wallet.DeclineSoft, wallet.DeclineHard, wallet.DeclineAction} {
		b := member(t)
		b.to("2026-02-01T10:00:00Z")
		charge := b.last()
		for attempt, pause := range []time.Duration{24 * time.Hour, 48 * time.Hour, 96 * time.Hour} {
			b.news(charge, declined(attempt+1, class))
			b.news(charge, declined(attempt+1, class)) // the answer, and the webhook
			if o := b.Order(charge); o.Status != wallet.OrderWaiting || o.NextTry != b.now.Add(pause) || o.Attempt != attempt+1 {
				t.Fatalf("declined %+v", o)
			}
			b.pass(pause - time.Microsecond)
			b.status(charge, wallet.OrderWaiting)
			b.pass(time.Microsecond)
			if o := b.Order(charge); o.Status != wallet.OrderDue || !o.NextTry.IsZero() || o.Attempt != attempt+2 {
				t.Fatalf("tried again %+v", o)
			}
			b.news(charge, declined(attempt+1, class)) // old news
			b.status(charge, wallet.OrderDue)
		}
		if b.State().Subscription.Ended {
			t.Error("ended too early")
		}
		b.news(charge, declined(4, class))
		b.status(charge, wallet.OrderFailed)
		if sub := b.State().Subscription; !sub.Ended || sub.Reason != "payment_failed" {
			t.Errorf("the subscription is %+v", sub)
		}
		b.stands("calls", 0, 0, 0)
		b.invoices("1 paid 2000 usd: plan pln 2000", "2 open 2000 usd: plan pln 2000")
	}
}

// TestCollectedWithinAWeek: a plan whose cycle is shorter than the time in which a charge is tried again
// ends all the same.
func TestCollectedWithinAWeek(t *testing.T) {
	b := member(t, each(1, catalog.Day))
	for range 9 * 24 {
		b.pass(time.Hour)
		for n := int64(2); n <= b.last(); n++ {
			if o := b.Order(n); o.Status == wallet.OrderDue {
				b.news(n, declined(o.Attempt, wallet.DeclineSoft))
			}
		}
	}
	if sub := b.State().Subscription; !sub.Ended || sub.EndsAt != start.Add(8*day) {
		t.Errorf("the subscription is %+v", sub)
	}
}

// TestCollectPaidOtherwise: what is paid on a page, taken as paid or voided is not charged again.
func TestCollectPaidOtherwise(t *testing.T) {
	for name, pay := range map[string]func(*book){
		"on a page": func(b *book) {
			b.pays(b.order(&wallet.PlaceOrder{Kind: wallet.InvoiceOrder, Invoice: 2, Provider: "bank"}))
		},
		"by hand": func(b *book) { b.do(&wallet.CloseInvoice{Invoice: 2, Status: wallet.InvoicePaid, Ref: "cash"}) },
		"voided":  func(b *book) { b.do(&wallet.CloseInvoice{Invoice: 2, Status: wallet.InvoiceVoid}) },
	} {
		for _, waits := range []bool{true, false} {
			t.Run(name, func(t *testing.T) {
				b := member(t)
				b.to("2026-02-01T10:00:00Z")
				charge := b.last()
				if waits {
					b.news(charge, declined(1, wallet.DeclineSoft))
				}
				pay(b)
				b.stands("calls", 50, 50, 0)
				b.status(charge, wallet.OrderCanceled)
				b.pass(10 * day)
				if due := b.due(catalog.EventPaymentDue); due != 1 {
					t.Errorf("%d charges", due)
				}
				b.pays(charge) // it was on its way
				b.status(charge, wallet.OrderPaid)
				b.stands("calls", 50, 50, 0)
				if o := b.Order(charge); o.Reason == "" || o.Refundable() != 2000 {
					t.Errorf("paid twice: %+v", o)
				}
				b.refused(&wallet.PlaceOrder{Kind: wallet.InvoiceOrder, Invoice: 2, Provider: "bank"}, fault.CodeInvoiceClosed)
			})
		}
	}
}

// TestChargedAnew: an invoice is charged once at a time.
func TestChargedAnew(t *testing.T) {
	b := member(t)
	b.to("2026-02-01T10:00:00Z")
	charge := b.last()
	anew := &wallet.PlaceOrder{Kind: wallet.InvoiceOrder, Invoice: 2, Provider: "bank", OffSession: true}
	b.refused(anew, fault.CodeInvalidRequest)
	b.news(charge, declined(1, wallet.DeclineSoft))
	n := b.order(anew)
	b.status(charge, wallet.OrderCanceled)
	b.pays(n)
	b.stands("calls", 50, 50, 0)
}

// TestCollectWithoutACard: a plan whose card was forgotten is not free: what cannot be charged is
// declined, and the plan ends.
func TestCollectWithoutACard(t *testing.T) {
	b := member(t)
	b.do(&wallet.ForgetPayer{})
	b.to("2026-02-01T10:00:00Z")
	b.status(b.last(), wallet.OrderDue)
	b.news(b.last(), declined(1, wallet.DeclineHard))
	b.status(b.last(), wallet.OrderWaiting)
}

// TestCollectNothing: a balance in the customer's favour pays, and nobody is charged.
func TestCollectNothing(t *testing.T) {
	b := member(t)
	b.pass(day)
	b.do(plan(named("less"), costs(0), gives(included(7)), charged(wallet.ChargeDifference)))
	b.do(plan(named("more"), costs(1500), gives(included(30)), charged(wallet.ChargeNothing)))
	b.to("2026-02-01T10:00:00Z")
	b.stands("calls", 30, 30, 0)
	b.invoices("1 paid 2000 usd: plan pln 2000", "2 paid 0 usd: proration pln -2000; balance  2000", "3 paid 0 usd: plan more 1500; balance  -1500")
	if b.due(catalog.EventPaymentDue) != 0 || b.State().Subscription.Unpaid != 0 {
		t.Error("somebody was charged")
	}
	b.to("2026-03-01T10:00:00Z")
	if o := b.Order(b.last()); o.Minor != 1000 || o.Status != wallet.OrderDue {
		t.Errorf("charged %+v", o)
	}
}

// TestCollectChange: what a change of plan comes to is charged as well.
func TestCollectChange(t *testing.T) {
	b := member(t)
	b.do(plan(named("more"), costs(3000), charged(wallet.ChargeDifference)))
	if o := b.Order(b.last()); o.Kind != wallet.InvoiceOrder || o.Minor != 1000 || o.Status != wallet.OrderDue {
		t.Errorf("charged %+v", o)
	}
	b.news(b.last(), wallet.OrderNews{Kind: wallet.NewsFailed})
	if b.State().Subscription.Ended {
		t.Error("the cycle was paid, and the plan ended")
	}
	b.do(plan(named("full"), costs(4000), gives(included(60))))
	b.stands("calls", 50, 50, 0) // of the first plan: it is paid
	b.pays(b.last())
	b.stands("calls", 110, 110, 0)
}

// TestPaidTooLate: who pays for a cycle when it is over gets nothing for it, and the order says so.
func TestPaidTooLate(t *testing.T) {
	late := "the cycle that it pays for was over by then, and gave no credits"
	for name, c := range map[string]struct {
		until string
		then  wallet.Command
		why   string
	}{
		"in time":               {"2026-02-01T10:00:00Z", nil, ""},
		"the plan has ended":    {"2026-02-01T10:00:00Z", &wallet.EndSubscription{}, late},
		"a cycle later":         {"2026-03-01T10:00:00Z", nil, late},
		"a cycle later, ended":  {"2026-03-01T10:00:00Z", &wallet.EndSubscription{}, late},
		"the plan was replaced": {"2026-02-01T10:00:00Z", plan(named("full"), costs(3000)), "the invoice was void already"},
	} {
		t.Run(name, func(t *testing.T) {
			b := member(t)
			b.to("2026-02-01T10:00:00Z")
			charge := b.last()
			b.to(c.until)
			if c.then != nil {
				b.do(c.then)
			}
			b.pays(charge)
			if o := b.Order(charge); o.Unmet != (c.why != "") || o.Reason != c.why || o.Status != wallet.OrderPaid {
				t.Errorf("paid: %v, %q, %s", o.Unmet, o.Reason, o.Status)
			}
			if c.why != "" {
				b.stands("calls", 0, 0, 0)
			}
		})
	}
	b := member(t)
	b.to("2026-02-01T10:00:00Z")
	charge := b.last()
	b.do(&wallet.EndSubscription{})
	b.do(plan(named("other"), costs(100)))
	b.pays(charge)
	if o := b.Order(charge); !o.Unmet || o.Reason != late {
		t.Errorf("paid for an earlier plan: %v, %q", o.Unmet, o.Reason)
	}
	b = member(t, func(c *wallet.Subscribe) { c.Terms.Credits = nil }) // it includes nothing that could come late
	b.to("2026-02-01T10:00:00Z")
	charge = b.last()
	b.to("2026-03-01T10:00:00Z")
	b.pays(charge)
	if b.Order(charge).Unmet {
		t.Error("a plan of no credits has not given them")
	}
}

// TestReplacedUnpaid: a cycle whose place another takes before it is paid is not to be paid any more. What
// the cycle before it has used is, and what was to the customer's favour stays so.
func TestReplacedUnpaid(t *testing.T) {
	b := member(t, gives(included(10, beyond(invoiced))))
	b.do(over(13))
	b.to("2026-02-01T10:00:00Z")
	charge := b.last()
	b.news(charge, declined(1, wallet.DeclineSoft))
	b.do(plan(named("full"), costs(3000), gives(included(60))))
	b.status(charge, wallet.OrderCanceled)
	b.invoices("1 paid 2000 usd: plan pln 2000", "2 void 2009 usd: plan pln 2000; overage calls 9", "3 open 3009 usd: plan full 3000; overage calls 9")
	if o := b.Order(b.last()); o.Minor != 3009 || o.Status != wallet.OrderDue {
		t.Errorf("charged %+v", o)
	}
	b.stands("calls", 0, 0, 0)
	b.pays(b.last())
	b.stands("calls", 60, 60, 0)
	b.pass(10 * day)
	b.status(charge, wallet.OrderCanceled) // it is not tried again
	if b.State().Subscription.Ended {
		t.Error("the plan ended, which is paid")
	}
	b.pays(charge) // it was on its way
	b.stands("calls", 60, 60, 0)
	if o := b.Order(charge); o.Reason != "the invoice was void already" {
		t.Errorf("nobody is told why: %q", o.Reason)
	}
}

// TestReplacedUnpaidBalance: changes within a cycle that nobody paid leave no money behind.
func TestReplacedUnpaidBalance(t *testing.T) {
	for name, c := range map[string]struct {
		change []*wallet.Subscribe
		want   []string
	}{
		"to less": {
			[]*wallet.Subscribe{plan(named("less"), costs(500), charged(wallet.ChargeDifference)), plan(named("full"), costs(3000))},
			[]string{"2 void 2000 usd: plan pln 2000", "3 paid 0 usd: proration pln -2000; proration less 500; balance  1500", "4 open 3000 usd: plan full 3000"},
		},
		"to more": {
			[]*wallet.Subscribe{plan(named("more"), costs(2500), charged(wallet.ChargeDifference)), plan(named("full"), costs(3000))},
			[]string{"2 void 2000 usd: plan pln 2000", "3 void 500 usd: proration pln -2000; proration more 2500", "4 open 3000 usd: plan full 3000"},
		},
		"to less, and back": {
			[]*wallet.Subscribe{
				plan(named("less"), costs(500), charged(wallet.ChargeDifference)), plan(named("more"), costs(2500), charged(wallet.ChargeDifference)),
				plan(named("full"), costs(3000)),
			},
			[]string{
				"2 void 2000 usd: plan pln 2000", "3 paid 0 usd: proration pln -2000; proration less 500; balance  1500",
				"4 void 500 usd: proration less -500; proration more 2500; balance  -1500", "5 open 3000 usd: plan full 3000",
			},
		},
		"twice": {
			[]*wallet.Subscribe{plan(named("full"), costs(3000)), plan(named("other"), costs(400))},
			[]string{"2 void 2000 usd: plan pln 2000", "3 void 3000 usd: plan full 3000", "4 open 400 usd: plan other 400"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := member(t)
			b.to("2026-02-01T10:00:00Z")
			for _, change := range c.change {
				b.do(change)
			}
			b.invoices(append([]string{"1 paid 2000 usd: plan pln 2000"}, c.want...)...)
			if owed := b.State().Subscription.Owed; owed != 0 {
				t.Errorf("%d is owed to the customer", owed)
			}
			due := 0
			for n := int64(1); n <= b.last(); n++ {
				if o := b.Order(n); o.Status == wallet.OrderDue {
					due++
				}
			}
			if due != 1 {
				t.Errorf("%d charges are due", due)
			}
		})
	}
}

// TestCollectSlices: what a yearly plan gives by the month waits with its year.
func TestCollectSlices(t *testing.T) {
	b := member(t, each(1, catalog.Year))
	for month := 1; month < 12; month++ {
		b.to(time.Date(2026, time.Month(1+month), 1, 10, 0, 0, 0, time.UTC).Format(time.RFC3339))
		b.stands("calls", 50, 50, 0)
	}
	b.to("2027-01-01T10:00:00Z")
	b.stands("calls", 0, 0, 0)
	b.to("2027-02-01T10:00:00Z") // nobody answered
	b.stands("calls", 0, 0, 0)
	b.pays(b.last())
	b.stands("calls", 50, 50, 0)
	b.to("2027-03-01T10:00:00Z")
	b.stands("calls", 50, 50, 0)
}

// TestCollectWhilePaused: what is paid in a pause lives as long as what was granted before it.
func TestCollectWhilePaused(t *testing.T) {
	b := member(t)
	b.to("2026-02-01T10:00:00Z")
	b.do(&wallet.PauseSubscription{})
	b.pass(60 * day)
	b.pays(b.last())
	b.stands("calls", 50, 50, 0)
	b.do(&wallet.PauseSubscription{Resume: true})
	b.pass(28*day - time.Microsecond)
	b.stands("calls", 50, 50, 0)
	b.pass(time.Microsecond)
	b.stands("calls", 0, 0, 0)
}

// TestCollectEnds: what was used beyond the plan is charged when it ends.
func TestCollectEnds(t *testing.T) {
	b := member(t, gives(included(10, beyond(invoiced))))
	b.do(over(13))
	b.do(&wallet.EndSubscription{})
	if o := b.Order(b.last()); o.Minor != 9 || o.Status != wallet.OrderDue {
		t.Errorf("charged %+v", o)
	}
	b.pays(b.last())
	b.invoices("1 paid 2000 usd: plan pln 2000", "2 paid 9 usd: overage calls 9")
}

// TestDeclinesAreToldAsTheyWere: what tells of a decline shows the order as it was declined, though it was
// tried again since, and paid.
func TestDeclinesAreToldAsTheyWere(t *testing.T) {
	b := member(t)
	b.pass(31 * 24 * time.Hour)
	charge := b.last()
	of := func(payment string, n wallet.OrderNews) wallet.OrderNews {
		n.Payment = payment
		return n
	}
	b.news(charge, of("pi_1", declined(1, wallet.DeclineSoft)))
	first := b.now
	b.pass(24 * time.Hour)
	b.news(charge, of("pi_2", declined(2, wallet.DeclineHard)))
	second := b.now
	b.news(charge, of("pi_1", declined(1, wallet.DeclineSoft))) // old news
	if o := b.Order(charge); o.Payment != "pi_2" {
		t.Errorf("the last attempt's payment is %s", o.Payment)
	}
	b.pass(48 * time.Hour)
	b.news(charge, of("pi_3", paid(2000)))
	b.news(charge, refundedInAll(500))
	b.news(charge, disputed("dp", wallet.DisputeOpen))
	o := b.Order(charge)
	var failures []*wallet.Order
	for _, e := range b.Told() {
		switch as := o.AsTold(&e); {
		case e.Order != charge:
		case e.Type == catalog.EventPaymentFailed:
			failures = append(failures, as)
		case as != &o:
			t.Errorf("%s tells of %+v", e.Type, as)
		}
	}
	if len(failures) != 2 {
		t.Fatalf("%d declines are told", len(failures))
	}
	for i, want := range []wallet.Failed{
		{Status: wallet.OrderWaiting, Attempt: 1, Payment: "pi_1", NextTry: first.Add(24 * time.Hour), Decline: &wallet.Decline{Class: wallet.DeclineSoft, At: first}},
		{Status: wallet.OrderWaiting, Attempt: 2, Payment: "pi_2", NextTry: second.Add(48 * time.Hour), Decline: &wallet.Decline{Class: wallet.DeclineHard, At: second}},
	} {
		is := failures[i]
		if is.Status != want.Status || is.Attempt != want.Attempt || is.Payment != want.Payment || is.NextTry != want.NextTry || is.LastDecline.At != want.Decline.At ||
			is.LastDecline.Class != want.Decline.Class || is.Paid != 0 || !is.PaidAt.IsZero() || is.Minor != 2000 ||
			is.Refunded() != 0 || len(is.Refunds)+len(is.Disputes)+len(is.Grants) > 0 || is.Dispute != "" || !is.DisputedAt.IsZero() || is.Invoice != o.Invoice {
			t.Errorf("decline %d is told as %+v, %+v", i+1, is, is.LastDecline)
		}
	}
	if o.Status != wallet.OrderPaid || o.Paid != 2000 || o.Payment != "pi_3" || o.Refunded() != 500 || o.Dispute != wallet.DisputeOpen {
		t.Errorf("telling of declines changed the order: %+v", o)
	}
}
