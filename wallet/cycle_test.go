package wallet_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/money"
	"github.com/seed42445051/scrip/wallet"
)

func every(count int, unit catalog.IntervalUnit) catalog.Interval {
	return catalog.Interval{Count: count, Unit: unit}
}

// included is calls that come with a plan by the month, and end with their cycle. A change makes it
// what the example needs.
func included(amount int64, change ...func(*wallet.IncludedCredit)) wallet.IncludedCredit {
	in := wallet.IncludedCredit{
		Credit: "calls", Amount: amount, Every: every(1, catalog.Month), AtCycleEnd: true, Category: catalog.Paid, Priority: wallet.DefaultPriority,
	}
	for _, f := range change {
		f(&in)
	}
	return in
}

func prorated(in *wallet.IncludedCredit) { in.Prorate = true }

func beyond(o catalog.Overage) func(*wallet.IncludedCredit) {
	return func(in *wallet.IncludedCredit) { in.Overage = o }
}

// costs and gives are changes of a plan.
func costs(minor int64) func(*wallet.Subscribe) {
	return func(c *wallet.Subscribe) { c.Terms.Minor = minor }
}

func gives(all ...wallet.IncludedCredit) func(*wallet.Subscribe) {
	return func(c *wallet.Subscribe) { c.Terms.Credits = all }
}

func each(count int, unit catalog.IntervalUnit) func(*wallet.Subscribe) {
	return func(c *wallet.Subscribe) { c.Terms.Every = every(count, unit) }
}

// named is another plan, and charged how a change to it is charged.
func named(id string) func(*wallet.Subscribe) { return func(c *wallet.Subscribe) { c.Plan = id } }

func charged(how wallet.Charging) func(*wallet.Subscribe) {
	return func(c *wallet.Subscribe) { c.Charge = how }
}

func atCycleEnd(c *wallet.Subscribe) { c.AtCycleEnd = true }

func anchored(at clock.Instant) func(*wallet.Subscribe) {
	return func(c *wallet.Subscribe) { c.CycleStart = at }
}

// instant reads a time.
func instant(text string) clock.Instant {
	at, err := clock.Parse(text)
	if err != nil {
		panic(err)
	}
	return at
}

// to lets time pass up to an instant.
func (b *book) to(text string) {
	b.t.Helper()
	b.pass(instant(text).Time().Sub(b.now.Time()))
}

// over charges calls, beyond zero too.
func over(n int64) *wallet.Deduct {
	c := units(n)
	c.Shortfall = wallet.Overage
	return &wallet.Deduct{Charge: c}
}

// invoices tells the invoices in one line each: number, status, total, lines.
func (b *book) invoices(want ...string) {
	b.t.Helper()
	var got []string
	for _, v := range b.View().Plan.Invoices {
		got = append(got, strings.TrimSuffix(fmt.Sprintf("%d %s %d %s: %s", v.N, v.Status, v.Total, v.Currency, v.Lines), "; "))
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		b.t.Errorf("invoices:\n  got  %s\n  want %s", strings.Join(got, "\n       "), strings.Join(want, "\n       "))
	}
}

// story checks the history of subscriptions.
func (b *book) story(want ...wallet.SubscriptionChange) {
	b.t.Helper()
	var got []wallet.SubscriptionChange
	for _, s := range b.View().Plan.Story {
		got = append(got, s.Change)
	}
	if text(got) != text(want) {
		b.t.Errorf("history:\n  got  %v\n  want %v", got, want)
	}
}

// cycle checks the running billing cycle.
func (b *book) cycle(from, to string) {
	b.t.Helper()
	s := b.State().Subscription
	if s.CycleStart != instant(from) || s.CycleEnd != instant(to) {
		b.t.Errorf("the cycle is [%s, %s), want [%s, %s)", s.CycleStart, s.CycleEnd, from, to)
	}
}

var (
	forgiven = catalog.Overage{Enabled: true, Behavior: catalog.ForgiveAtReset}
	invoiced = catalog.Overage{Enabled: true, Behavior: catalog.InvoiceAtBilling, PricePerUnit: "3", Currency: "usd"}
	carried  = catalog.Overage{Enabled: true, Behavior: catalog.CarryDeficit}
	repaid   = catalog.Overage{Enabled: true, Behavior: catalog.CarryDeficitAutoRepay}
)

// TestBoundary is the order of design section 5.5 at one instant: what holds give back comes first;
// of 200 unused 75 % roll over and the rest expires; overage goes; the new cycle is granted.
func TestBoundary(t *testing.T) {
	boundary := func(policy catalog.Overage) *book {
		b := open(t)
		b.do(plan(costs(1000), gives(included(1000, beyond(policy), func(in *wallet.IncludedCredit) {
			in.Rollover = catalog.Rollover{Percent: 75, Validity: every(1, catalog.Month)}
		}))))
		b.to("2026-01-31T10:00:00Z")
		b.reserve(units(200))
		b.do(over(850)) // 50 beyond zero
		b.said()
		b.to("2026-02-01T10:00:00Z")
		return b
	}
	unused := []string{
		"hold_released +200 =200",
		"credit_rolled_over -150 =50", "credit_rolled_over +150 =200", "credit_expired -50 =150",
	}
	const first = "1 open 1000 usd: plan pln 1000"
	for _, c := range []struct {
		name    string
		policy  catalog.Overage
		then    []string
		overage int64
		invoice string
	}{
		{"forgive_at_reset", forgiven, []string{"overage_reset +50 =150", "credit_added +1000 =1150"}, 0, "2 open 1000 usd: plan pln 1000"},
		{"invoice_at_billing", invoiced, []string{"overage_reset +50 =150", "credit_added +1000 =1150"}, 0, "2 open 1150 usd: plan pln 1000; overage calls 150"},
		{"carry_deficit", carried, []string{"credit_added +1000 =1150"}, 50, "2 open 1000 usd: plan pln 1000"},
		{"carry_deficit_auto_repay", repaid, []string{"credit_added +1000 =1150", "credit_deducted -50 =1100"}, 0, "2 open 1000 usd: plan pln 1000"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := boundary(c.policy)
			b.says(append(unused, c.then...)...)
			if got := b.State().Credits["calls"].Overage; got != c.overage {
				t.Errorf("overage %d, want %d", got, c.overage)
			}
			b.invoices(first, c.invoice)
			b.story(wallet.SubscriptionStarted, wallet.SubscriptionRenewed)
		})
	}
}

// TestAgreedLimit: while the plan runs its policy for use beyond zero holds, afterwards the credit's.
func TestAgreedLimit(t *testing.T) {
	b := open(t, calls(overage(catalog.Overage{Enabled: true, Limited: true, Limit: 3})))
	b.do(plan(gives(included(1, beyond(catalog.Overage{Enabled: true, Limited: true, Limit: 20, Behavior: catalog.CarryDeficit})))))
	if a := b.do(over(22)); a.Allowed || text(a.Reasons) != "[credits_exhausted overage_limit_reached]" {
		t.Errorf("allowed %t, reasons %v", a.Allowed, a.Reasons)
	}
	b.do(over(21))
	b.stands("calls", 0, 0, 20)
	b.do(&wallet.EndSubscription{})
	if a := b.do(over(1)); a.Allowed {
		t.Error("the plan is over, and the credit's own limit is passed")
	}
}

// TestSlicesOfAYear: a yearly plan grants every month and bills once.
func TestSlicesOfAYear(t *testing.T) {
	b := open(t)
	b.do(plan(each(1, catalog.Year), costs(12_000), gives(included(100))))
	b.deduct(units(30))
	b.said()
	b.to("2026-03-01T10:00:00Z")
	b.says("credit_expired -70 =0", "credit_added +100 =100", "credit_expired -100 =0", "credit_added +100 =100")
	b.to("2026-12-31T10:00:00Z")
	b.stands("calls", 100, 100, 0)
	b.invoices("1 open 12000 usd: plan pln 12000")
	b.to("2027-01-01T10:00:00Z")
	if n := b.State().GrantSeq; n != 13 {
		t.Errorf("%d grants in a year and an instant", n)
	}
	b.invoices("1 open 12000 usd: plan pln 12000", "2 open 12000 usd: plan pln 12000")
}

// TestTrial: the first cycle is the trial, with an amount and a price of its own; what is left of it
// ends when the plan is paid for, or lives on.
func TestTrial(t *testing.T) {
	for _, expires := range []bool{true, false} {
		b := open(t)
		b.do(plan(costs(2000), gives(included(1000, func(in *wallet.IncludedCredit) {
			in.Trial, in.TrialExpires, in.AtCycleEnd = some(50), expires, false
		})), func(c *wallet.Subscribe) { c.TrialDays, c.Terms.TrialMinor = days(14), 100 }))
		b.deduct(units(20))
		b.cycle("2026-01-01T10:00:00Z", "2026-01-15T10:00:00Z")
		b.said()
		b.to("2026-01-15T10:00:00Z")
		if expires {
			b.says("credit_expired -30 =0", "credit_added +1000 =1000")
		} else {
			b.says("credit_added +1000 =1030")
		}
		b.invoices("1 open 100 usd: plan pln 100", "2 open 2000 usd: plan pln 2000")
		b.story(wallet.SubscriptionStarted, wallet.SubscriptionConverted)
		b.cycle("2026-01-15T10:00:00Z", "2026-02-15T10:00:00Z")
	}
}

// TestTrialCreditsThatNeedNotExpire: they end with the first cycle that is paid for, where the plan's
// credits end with their cycle.
func TestTrialCreditsThatNeedNotExpire(t *testing.T) {
	b := open(t)
	b.do(plan(costs(2000), gives(included(1000, func(in *wallet.IncludedCredit) { in.Trial = some(50) })),
		func(c *wallet.Subscribe) { c.TrialDays = days(14) }))
	b.said()
	b.to("2026-01-15T10:00:00Z")
	b.says("credit_added +1000 =1050")
	b.to("2026-02-15T10:00:00Z")
	b.says("credit_expired -50 =1000", "credit_expired -1000 =0", "credit_added +1000 =1000")
}

// TestAnchorsAreNotLost: 31 January, 28 February, 31 March.
func TestAnchorsAreNotLost(t *testing.T) {
	b := open(t)
	b.to("2026-01-31T00:00:00Z")
	b.do(plan(gives(included(1))))
	b.cycle("2026-01-31T00:00:00Z", "2026-02-28T00:00:00Z")
	b.to("2026-02-28T00:00:00Z")
	b.cycle("2026-02-28T00:00:00Z", "2026-03-31T00:00:00Z")
	b.to("2026-03-31T00:00:00Z")
	b.cycle("2026-03-31T00:00:00Z", "2026-04-30T00:00:00Z")
	if got := b.Stored(3).ExpiresAt; got != instant("2026-04-30T00:00:00Z") {
		t.Errorf("the third grant ends at %s", got)
	}
}

// TestPause: over its end and longer, the cycle stands still, and what it granted with it; then it
// goes on where it was.
func TestPause(t *testing.T) {
	b := open(t)
	b.do(plan(costs(500), counts(wallet.Allowance{
		ID: "images", Quota: 5_000_000, Rules: catalog.Scope{event("image.*")}, Period: catalog.Period{Kind: catalog.Lifetime, Anchor: catalog.AnchorStart},
	}), gives(included(100))))
	b.to("2026-01-21T10:00:00Z")
	b.do(&wallet.PauseSubscription{})
	b.said()
	b.to("2026-03-21T10:00:00Z")
	b.says()
	b.stands("calls", 100, 100, 0)
	if a := b.deduct(uses("image.a", 1)); a.Allowed || text(a.Reasons) != "[no_subscription]" {
		t.Errorf("allowed %t, reasons %v", a.Allowed, a.Reasons)
	}
	b.do(&wallet.PauseSubscription{Resume: true})
	b.do(&wallet.PauseSubscription{Resume: true}) // as it is
	b.cycle("2026-01-01T10:00:00Z", "2026-04-01T10:00:00Z")
	if a := b.deduct(uses("image.a", 1)); !a.Allowed {
		t.Errorf("denied %v", a.Reasons)
	}
	b.to("2026-04-01T10:00:00Z")
	b.says("credit_expired -100 =0", "credit_added +100 =100")
	b.invoices("1 open 500 usd: plan pln 500", "2 open 500 usd: plan pln 500")
	b.story(wallet.SubscriptionStarted, wallet.SubscriptionPaused, wallet.SubscriptionResumed, wallet.SubscriptionRenewed)
}

// TestPauseAndEnd: an end that was yet to come moves too, and a plan that ends while it is paused
// gives its grants back the time that they had left.
func TestPauseAndEnd(t *testing.T) {
	t.Run("the end is yet to come", func(t *testing.T) {
		b := open(t)
		b.do(plan(func(c *wallet.Subscribe) { c.EndsAt = start.Add(10 * day) }))
		b.do(&wallet.PauseSubscription{})
		b.pass(40 * day)
		b.do(&wallet.PauseSubscription{Resume: true})
		b.pass(10*day - time.Microsecond)
		if !b.State().Subscription.RunsAt(b.now) {
			t.Error("it has ended")
		}
		b.pass(time.Microsecond)
		b.story(wallet.SubscriptionStarted, wallet.SubscriptionPaused, wallet.SubscriptionResumed, wallet.SubscriptionEnded)
	})
	t.Run("it ends while it is paused", func(t *testing.T) {
		b := open(t)
		b.do(plan(gives(included(100))))
		b.pass(21 * day)
		b.do(&wallet.PauseSubscription{})
		b.pass(100 * day)
		b.do(&wallet.EndSubscription{})
		b.pass(10*day - 1)
		b.is(1, "active, 100 available")
		b.pass(1)
		b.pass(time.Microsecond)
		b.is(1, "expired, 100 expired")
	})
	t.Run("its cycle cannot be moved", func(t *testing.T) {
		b := open(t)
		b.do(plan())
		b.do(&wallet.PauseSubscription{})
		b.refused(&wallet.EditSubscription{NextCycle: start.Add(day)}, fault.CodeSubscriptionPaused)
		b.refused(plan(anchored(start.Add(day))), fault.CodeSubscriptionPaused)
		b.refused(plan(named("pro")), fault.CodeSubscriptionPaused)
		b.do(plan(named("pro"), atCycleEnd))
	})
}

// TestPauseMovesWhatEndsWithTheCycle, and nothing else: not what ends after as many days, and what
// was used up as well, since something can come back to it.
func TestPauseMovesWhatEndsWithTheCycle(t *testing.T) {
	b := open(t, calls(), credit("other", 0))
	b.do(plan(each(1, catalog.Week), gives(
		included(10, func(in *wallet.IncludedCredit) { in.Every = every(1, catalog.Week) }),
		included(10, func(in *wallet.IncludedCredit) {
			in.Credit, in.Every, in.AtCycleEnd, in.ExpiresAfterDays = "other", every(1, catalog.Week), false, 7
		}),
	)))
	b.deduct(units(10)) // entry 3
	b.Restart()         // what is used up is no longer in memory
	b.do(&wallet.PauseSubscription{})
	b.pass(10 * day)
	b.is(2, "expired, 10 expired")
	b.do(&wallet.Reverse{Entry: 3})
	b.is(1, "active, 10 available")
	b.do(&wallet.PauseSubscription{Resume: true})
	b.pass(7 * day)
	b.is(1, "expired, 10 expired")
}

// TestQueuesFollowAMovedEnd: what ends later now is drawn later, and what ends is found.
func TestQueuesFollowAMovedEnd(t *testing.T) {
	b := open(t)
	b.do(plan(gives(included(10))))                          // ends on 1 February
	other := b.give(10, expires(start+60*24*3600*1_000_000)) // on 2 March
	b.do(&wallet.EditSubscription{NextCycle: instant("2026-04-01T00:00:00Z")})
	b.deduct(units(4))
	b.is(1, "active, 10 available")
	b.is(other, "active, 6 available, 4 spent")
	b.to("2026-03-05T00:00:00Z")
	b.is(other, "expired, 4 spent, 6 expired")
	b.is(1, "active, 10 available")
	b.to("2026-04-01T00:00:00Z")
	b.is(1, "expired, 10 expired")
}

// TestChangeOfPlan: at full price the cycle ends and another begins.
func TestChangeOfPlan(t *testing.T) {
	b := open(t)
	b.do(plan(costs(1000), gives(included(100, beyond(forgiven)))))
	b.to("2026-01-11T10:00:00Z")
	b.do(over(130))
	b.do(&wallet.Reverse{Entry: 2, Amount: some(40)})
	b.said()
	b.do(plan(named("pro"), costs(3000), gives(included(500, beyond(invoiced))), func(c *wallet.Subscribe) { c.Reason = "upgrade" }))
	b.says("credit_expired -40 =0", "overage_reset +30 =0", "credit_added +500 =500")
	b.invoices("1 open 1000 usd: plan pln 1000", "2 open 3000 usd: plan pro 3000")
	b.cycle("2026-01-11T10:00:00Z", "2026-02-11T10:00:00Z")
	if got := b.Stored(2).Reason; got != "upgrade" {
		t.Errorf("the grant's reason is %q", got)
	}
}

// TestProratedChange: with 1/2 of the cycle left, the old grant loses the smaller of what is
// available and half of its amount, and the new plan gives half of its own. So does money.
func TestProratedChange(t *testing.T) {
	// half of a cycle of 31 days
	const half = 31 * day / 2
	for _, c := range []struct {
		name string
		used int64
		said []string
	}{
		{"little used", 10, []string{"revoked -50 =41", "credit_added +150 =191"}}, // of 101, 50.5 is unused
		{"much used", 80, []string{"revoked -21 =0", "credit_added +150 =150"}},
		{"all used", 101, []string{"credit_added +150 =150"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := open(t)
			b.do(plan(costs(1001), gives(included(101, prorated))))
			b.deduct(units(c.used))
			b.pass(half)
			b.said()
			b.do(plan(named("pro"), costs(3001), gives(included(301, prorated)), charged(wallet.ChargeProrated)))
			b.says(c.said...)
			b.invoices("1 open 1001 usd: plan pln 1001", "2 open 1000 usd: proration pln -500; proration pro 1500")
			b.cycle("2026-01-01T10:00:00Z", "2026-02-01T10:00:00Z")
			if got := b.Stored(2).ExpiresAt; got != instant("2026-02-01T10:00:00Z") {
				t.Errorf("the new grant ends at %s", got)
			}
		})
	}
	t.Run("to a lesser plan, and what that leaves", func(t *testing.T) {
		b := open(t)
		b.do(plan(costs(3000)))
		b.pass(half)
		b.do(plan(named("mini"), costs(1000), charged(wallet.ChargeProrated)))
		b.refused(plan(named("yen"), func(c *wallet.Subscribe) { c.Terms.Currency, c.Terms.Minor = "jpy", 1 }), fault.CodeInvalidRequest)
		b.to("2026-03-01T10:00:00Z")
		b.invoices("1 open 3000 usd: plan pln 3000",
			"2 paid 0 usd: proration pln -1500; proration mini 500; balance  1000",
			"3 paid 0 usd: plan mini 1000; balance  -1000", "4 open 1000 usd: plan mini 1000")
	})
	t.Run("twice within one instant", func(t *testing.T) {
		b := open(t)
		b.do(plan(costs(1000), gives(included(100, prorated))))
		b.pass(half)
		b.said()
		b.do(plan(named("pro"), costs(3000), gives(included(300, prorated)), charged(wallet.ChargeProrated)))
		b.do(plan(costs(1000), gives(included(100, prorated)), charged(wallet.ChargeProrated)))
		b.says("revoked -50 =50", "credit_added +150 =200", "revoked -150 =50", "credit_added +50 =100")
		b.invoices("1 open 1000 usd: plan pln 1000", "2 open 1000 usd: proration pln -500; proration pro 1500",
			"3 paid 0 usd: proration pro -1500; proration pln 500; balance  1000")
	})
	t.Run("twice, of a credit with another cycle", func(t *testing.T) {
		b := open(t)
		week := func(in *wallet.IncludedCredit) { in.Every = every(1, catalog.Week) }
		b.do(plan())
		b.pass(7 * day / 2)
		b.do(plan(named("pro"), gives(included(100, prorated, week)), charged(wallet.ChargeNothing)))
		b.said()
		b.pass(7 * day / 4)
		b.do(plan(named("max"), gives(included(200, prorated, week)), charged(wallet.ChargeNothing)))
		b.says("revoked -25 =25", "credit_added +50 =75") // a quarter of the week is left
	})
	t.Run("within a trial", func(t *testing.T) {
		b := open(t)
		trial := func(n int64) func(*wallet.IncludedCredit) {
			return func(in *wallet.IncludedCredit) { in.Trial, in.TrialExpires = some(n), true }
		}
		b.do(plan(costs(900), gives(included(1000, prorated, trial(20))), func(c *wallet.Subscribe) { c.TrialDays = days(10) }))
		b.pass(5 * day)
		b.said()
		b.do(plan(named("pro"), costs(2900), gives(included(3000, prorated, trial(60))), charged(wallet.ChargeProrated)))
		b.invoices() // the trial goes on as one
		b.says("revoked -10 =10", "credit_added +30 =40")
		b.pass(5 * day)
		b.says("credit_expired -10 =30", "credit_expired -30 =0", "credit_added +3000 =3000")
		b.invoices("1 open 2900 usd: plan pro 2900")
	})
}

// TestChangeAtTheCyclesEnd: to a plan with another cycle, which is a whole one.
func TestChangeAtTheCyclesEnd(t *testing.T) {
	b := open(t)
	b.to("2026-01-31T00:00:00Z")
	b.do(plan(costs(1000), gives(included(10))))
	b.do(plan(named("year"), each(1, catalog.Year), costs(9000), gives(included(20)), atCycleEnd))
	b.said()
	b.to("2026-02-28T00:00:00Z")
	b.says("credit_expired -10 =0", "credit_added +20 =20")
	b.cycle("2026-02-28T00:00:00Z", "2027-02-28T00:00:00Z")
	b.story(wallet.SubscriptionStarted, wallet.SubscriptionChangeSet, wallet.SubscriptionPlanChanged)
	b.invoices("1 open 1000 usd: plan pln 1000", "2 open 9000 usd: plan year 9000")
	t.Run("unless it is taken back", func(t *testing.T) {
		b := open(t)
		b.do(plan(costs(1000)))
		b.do(plan(named("year"), each(1, catalog.Year), atCycleEnd))
		b.do(plan())
		b.to("2026-02-01T10:00:00Z")
		b.story(wallet.SubscriptionStarted, wallet.SubscriptionChangeSet, wallet.SubscriptionChangeUnset, wallet.SubscriptionRenewed)
	})
}

// TestHoldOverACycle is the table of design section 5.3 for what a plan granted.
func TestHoldOverACycle(t *testing.T) {
	held := func(change ...func(*wallet.IncludedCredit)) (*book, int64) {
		b := open(t)
		b.do(plan(gives(included(10, change...))))
		b.to("2026-02-01T09:00:00Z")
		h := b.reserve(units(6))
		b.to("2026-02-01T10:00:00Z")
		b.said()
		return b, h
	}
	t.Run("commit", func(t *testing.T) {
		b, h := held()
		b.do(&wallet.Commit{Hold: h})
		b.is(1, "expired, 6 spent, 4 expired")
		b.is(2, "active, 10 available")
	})
	t.Run("release", func(t *testing.T) {
		b, h := held()
		b.do(&wallet.Release{Hold: h})
		b.says("hold_released +6 =16", "credit_expired -6 =10")
	})
	t.Run("release, with rollover", func(t *testing.T) {
		b, h := held(func(in *wallet.IncludedCredit) {
			in.Rollover = catalog.Rollover{Percent: 50, Validity: every(1, catalog.Month)}
		})
		b.do(&wallet.Release{Hold: h})
		b.is(1, "rolled_over, 5 expired, 5 rolled over")
		b.is(2, "active, 5 available")
		b.is(3, "active, 10 available")
	})
	t.Run("the plan is changed meanwhile", func(t *testing.T) {
		b := open(t)
		b.do(plan(gives(included(10))))
		h := b.reserve(units(6))
		b.do(plan(named("pro"), gives(included(20))))
		b.is(1, "expired, 6 held, 4 expired")
		b.do(&wallet.Commit{Hold: h, Amount: "5"})
		b.is(1, "expired, 5 spent, 5 expired")
	})
}

// TestEditedPlan is law 7: what a plan says now changes no subscription to it.
func TestEditedPlan(t *testing.T) {
	b := open(t)
	b.do(plan(costs(1000), gives(included(10))))
	b.do(plan(costs(5000), gives(included(99)))) // an upsert of what runs
	b.to("2026-02-01T10:00:00Z")
	b.is(2, "active, 10 available")
	b.invoices("1 open 1000 usd: plan pln 1000", "2 open 1000 usd: plan pln 1000")
}

// TestYearInTwoSteps: whether time passes half a year at a time or day by day, the same is written.
func TestYearInTwoSteps(t *testing.T) {
	live := func(step time.Duration) *book {
		b := open(t, calls(), credit("other", 2))
		b.do(plan(costs(999), gives(
			included(100, beyond(repaid), func(in *wallet.IncludedCredit) {
				in.Rollover = catalog.Rollover{Percent: 50, Validity: every(2, catalog.Week), MaxCount: 2}
			}),
			included(700, beyond(invoiced), func(in *wallet.IncludedCredit) { in.Credit, in.Every = "other", every(1, catalog.Week) }),
		), func(c *wallet.Subscribe) { c.TrialDays, c.Zone = days(9), "Europe/Zurich" }))
		b.do(over(250))
		const half = 186 * day
		for range half / step {
			b.pass(step)
		}
		b.do(plan(named("pro"), costs(1999), gives(included(300, beyond(repaid))), atCycleEnd))
		for range half / step {
			b.pass(step)
		}
		return b
	}
	idle, watched := live(186*day), live(day)
	e, f := idle.View().Entries, watched.View().Entries
	if len(e) != len(f) {
		t.Fatalf("%d entries at once, %d day by day", len(e), len(f))
	}
	for i := range e {
		x, y := e[i], f[i]
		x.RecordedAt, x.Prev, x.Hash = 0, wallet.Hash{}, wallet.Hash{}
		y.RecordedAt, y.Prev, y.Hash = 0, wallet.Hash{}, wallet.Hash{}
		if text(x) != text(y) {
			t.Fatalf("at once     %+v\nday by day %+v", x, y)
		}
	}
	if p, q := idle.View().Plan, watched.View().Plan; text(*p) != text(*q) || len(p.Invoices) != 12 {
		t.Errorf("at once     %+v\nday by day %+v", p, q)
	}
}

// TestPriceOfOverage: units x price, rounded half up, and an invoice of its own in another currency.
func TestPriceOfOverage(t *testing.T) {
	for _, c := range []struct {
		over     int64 // units of a credit with two decimals
		price    string
		currency string
		want     []string
	}{
		{1200, "0.2", "usd", []string{"2 open 2 usd: overage calls 2"}}, // 2.4
		{1250, "0.2", "usd", []string{"2 open 3 usd: overage calls 3"}}, // 2.5
		{249, "0.2", "usd", []string{"2 paid 0 usd: overage calls 0"}},  // 0.498
		{300, "0.2", "jpy", []string{"2 open 1 jpy: overage calls 1"}},  // 0.6
		{1, "1000000000", "usd", []string{"2 open 10000000 usd: overage calls 10000000"}},
	} {
		t.Run(fmt.Sprint(c.over, " at ", c.price, " ", c.currency), func(t *testing.T) {
			b := open(t, credit("calls", 2))
			b.do(plan(costs(0), gives(included(1, beyond(catalog.Overage{
				Enabled: true, Behavior: catalog.InvoiceAtBilling, PricePerUnit: money.Decimal(c.price), Currency: c.currency,
			}))), func(c *wallet.Subscribe) { c.TrialDays, c.Terms.TrialMinor = days(3), 7 }))
			b.do(over(c.over + 1))
			b.do(&wallet.EndSubscription{})
			b.invoices(append([]string{"1 open 7 usd: plan pln 7"}, c.want...)...)
		})
	}
}

// TestMeteredForMoney: what a plan counts for money is on the invoice of the cycle that ends.
func TestMeteredForMoney(t *testing.T) {
	b := open(t)
	b.defs.AddMeter(&catalog.Meter{ID: "m", Name: "tokens", Event: "llm", Aggregation: catalog.Aggregation{Kind: catalog.Sum, Key: "n"}})
	b.do(plan(costs(100), func(c *wallet.Subscribe) {
		c.Terms.Meters = []wallet.MeterTerm{{Meter: "m", FreeThreshold: 1000 * wallet.MicrosPerUnit, PricePerUnit: "0.002"}}
	}))
	use := func(id, n string) {
		b.do(&wallet.Ingest{Events: []wallet.UsageEvent{{ID: id, Event: "llm", Metadata: catalog.Values{"n": catalog.Number(n)}}}})
	}
	use("a", "2500")
	b.pass(day)
	b.do(&wallet.PauseSubscription{})
	b.pass(50 * day)
	b.Restart()
	use("b", "1250.5") // of the same cycle, which stands still
	b.do(&wallet.PauseSubscription{Resume: true})
	b.pass(30 * day)
	b.invoices("1 open 100 usd: plan pln 100", "2 open 106 usd: plan pln 100; usage m 6") // 2750.5 at 0.002
	use("c", "900")
	b.pass(31 * day)
	if v := b.View().Plan.Invoices; v[len(v)-1].Total != 100 {
		t.Errorf("%+v", v[len(v)-1])
	}
}

// TestPeriodsOfOneCall: of two events in one call, one before the subscription and one within it, each
// counts in its own period, though both lie in one month.
func TestPeriodsOfOneCall(t *testing.T) {
	b := open(t)
	b.defs.AddMeter(&catalog.Meter{
		ID: "m", Event: "llm", Aggregation: catalog.Aggregation{Kind: catalog.Count},
		Links: []catalog.MeterLink{{Credit: "calls", UnitsPerCredit: money.Ratio{Num: 1, Den: 1}}},
	})
	b.pass(day)
	b.do(plan())
	call := &wallet.Ingest{Events: []wallet.UsageEvent{{ID: "a", Event: "llm", At: start}, {ID: "b", Event: "llm"}}}
	b.do(call)
	for i, id := range []string{"a", "b"} {
		u := b.do(&wallet.VoidUsage{ID: id}).Usage
		if want := []string{"2026-01-01T00:00:00Z", "2026-01-02T10:00:00Z"}[i]; u.Counted[0].From.String() != want {
			t.Errorf("%s counts in the period from %s, want %s", id, u.Counted[0].From, want)
		}
	}
}

// TestCloseInvoice: paid or void, once.
func TestCloseInvoice(t *testing.T) {
	b := open(t)
	b.refused(&wallet.CloseInvoice{Invoice: 1, Status: wallet.InvoicePaid}, fault.CodeInvoiceNotFound)
	b.do(plan(costs(1000)))
	b.to("2026-02-01T10:00:00Z")
	b.refused(&wallet.CloseInvoice{Invoice: 1, Status: wallet.InvoiceOpen}, fault.CodeInvalidRequest)
	b.do(&wallet.CloseInvoice{Invoice: 1, Status: wallet.InvoicePaid, Ref: "pi_1"})
	b.do(&wallet.CloseInvoice{Invoice: 1, Status: wallet.InvoicePaid, Ref: "pi_1"})
	b.Restart()
	b.refused(&wallet.CloseInvoice{Invoice: 1, Status: wallet.InvoiceVoid}, fault.CodeInvoiceClosed)
	b.do(&wallet.CloseInvoice{Invoice: 2, Status: wallet.InvoiceVoid})
	b.invoices("1 paid 1000 usd: plan pln 1000", "2 void 1000 usd: plan pln 1000")
}

// TestHoldGivesBackToAMovedWindow: a biller's own anchor moves the window of a count, which goes on.
func TestHoldGivesBackToAMovedWindow(t *testing.T) {
	b := open(t)
	images := counts(wallet.Allowance{
		ID: "images", Quota: 9_000_000, Rules: catalog.Scope{event("image.*")}, Period: catalog.Period{Kind: catalog.Monthly, Anchor: catalog.AnchorStart},
	})
	b.do(plan(images))
	h := b.reserve(uses("image.a", 4))
	b.do(plan(images, anchored(start.Add(-day))))
	b.do(&wallet.Release{Hold: h})
	if got := b.View().Counters[0].Used; got != 0 {
		t.Errorf("%d counted", got)
	}
}

// TestWindowsDoNotDependOnWhoLooked: a count whose window was over before the plan was changed is
// not kept, used since or not.
func TestWindowsDoNotDependOnWhoLooked(t *testing.T) {
	for _, looked := range []bool{false, true} {
		b := open(t)
		daily := wallet.Allowance{ID: "images", Quota: 9_000_000, Rules: catalog.Scope{event("image.*")}, Period: catalog.Period{Kind: catalog.Daily, Anchor: catalog.AnchorStart}}
		b.do(plan(counts(daily)))
		b.deduct(uses("image.a", 4))
		b.pass(day + time.Hour)
		if looked {
			b.do(&wallet.Release{Hold: b.reserve(uses("image.a", 1))})
		}
		b.do(plan(named("pro"), counts(daily), func(c *wallet.Subscribe) { c.OnChange = catalog.KeepCounts }))
		c := b.View().Counters[0]
		if c.Used != 0 || c.Start != start.Add(day) {
			t.Errorf("looked %t: %+v", looked, c)
		}
	}
}

// TestPlannedIsNotGranted: what a plan would grant later gives nobody a row of credits now.
func TestPlannedIsNotGranted(t *testing.T) {
	b := open(t)
	b.do(plan())
	b.do(plan(named("pro"), atCycleEnd, gives(included(5, func(in *wallet.IncludedCredit) { in.Scope = catalog.Scope{event("image.*")} }))))
	if a := b.deduct(uses("image.a", 1)); a.Matched || text(a.Reasons) != "[unmatched_event]" {
		t.Errorf("matched %t, reasons %v", a.Matched, a.Reasons)
	}
}

// TestPlansMintNothing: the greatest amount fills the wallet, and more is refused or not granted.
func TestPlansMintNothing(t *testing.T) {
	b := open(t)
	b.refused(plan(gives(included(wallet.MaxUnits)), func(c *wallet.Subscribe) { c.Quantity = 2 }), fault.CodeAmountOutOfRange)
	b.do(plan(gives(included(wallet.MaxUnits))))
	b.stands("calls", wallet.MaxUnits, wallet.MaxUnits, 0)
	b.to("2026-02-01T10:00:00Z")
	b.stands("calls", wallet.MaxUnits, wallet.MaxUnits, 0)
	b.refused(&wallet.GiveCredits{Credit: "calls", Amount: 1}, fault.CodeAmountOutOfRange)
}

// TestTermsMakeSense: what time could not carry out later is refused now.
func TestTermsMakeSense(t *testing.T) {
	with := func(change func(*wallet.IncludedCredit)) *wallet.Subscribe { return plan(gives(included(1, change))) }
	for name, c := range map[string]struct {
		command *wallet.Subscribe
		code    fault.Code
	}{
		"price of overage": {with(beyond(catalog.Overage{PricePerUnit: "much", Currency: "usd"})), fault.CodeInvalidAmount},
		"price of a meter": {plan(func(c *wallet.Subscribe) { c.Terms.Meters = []wallet.MeterTerm{{Meter: "m", PricePerUnit: "-1"}} }), fault.CodeInvalidAmount},
		"rollover":         {with(func(in *wallet.IncludedCredit) { in.Rollover.Percent = 101 }), fault.CodeInvalidRequest},
		"scope":            {with(func(in *wallet.IncludedCredit) { in.Scope = catalog.Scope{event("a*")} }), fault.CodeInvalidScope},
		"priority":         {with(func(in *wallet.IncludedCredit) { in.Priority = -1 }), fault.CodeInvalidPriority},
		"category":         {with(func(in *wallet.IncludedCredit) { in.Category = "gold" }), fault.CodeInvalidRequest},
		"trial":            {with(func(in *wallet.IncludedCredit) { in.Trial = some(-1) }), fault.CodeInvalidAmount},
		"days":             {with(func(in *wallet.IncludedCredit) { in.ExpiresAfterDays = -1 }), fault.CodeInvalidRequest},
		"cycle":            {plan(each(0, catalog.Month)), fault.CodeInvalidRequest},
	} {
		t.Run(name, func(t *testing.T) { open(t).refused(c.command, c.code) })
	}
}

// TestEditOfOneSubscription: what was agreed with one customer counts from the next grant on.
func TestEditOfOneSubscription(t *testing.T) {
	b := open(t)
	b.do(plan(gives(included(10))))
	days := 3
	b.do(&wallet.EditSubscription{Credits: []catalog.ProductCredit{{Credit: "calls", Amount: 25, ExpiresAfterDays: &days}}})
	b.said()
	b.to("2026-02-01T10:00:00Z")
	b.says("credit_expired -10 =0", "credit_added +25 =25")
	b.pass(3 * day)
	b.says("credit_expired -25 =0")
	price, usd := money.Decimal("much"), "usd"
	b.refused(&wallet.EditSubscription{Credits: []catalog.ProductCredit{{Credit: "calls", PricePerUnit: &price, Currency: &usd}}}, fault.CodeInvalidAmount)
	b.refused(&wallet.EditSubscription{Credits: []catalog.ProductCredit{{Credit: "other"}}}, fault.CodeCreditNotFound)
}

// TestHoldOutlivesThePlan: credits that were set aside for an event that the plan metered are spent,
// though the plan ended before the hold did.
func TestHoldOutlivesThePlan(t *testing.T) {
	b := open(t)
	b.defs.AddMeter(&catalog.Meter{ID: "m", Name: "renders", Event: "render", Aggregation: catalog.Aggregation{Kind: catalog.Count}})
	b.do(plan(gives(included(10)), func(c *wallet.Subscribe) {
		c.Terms.Meters = []wallet.MeterTerm{{Meter: "m", Credit: "calls", UnitsPerCredit: money.Ratio{Num: 1, Den: 2}}}
	}))
	hold := b.do(&wallet.Reserve{Charge: uses("render", 3)}).Hold
	b.do(&wallet.EndSubscription{})
	b.said()
	b.do(&wallet.Commit{Hold: hold.N})
	b.says("credit_deducted -6 =4")
	if used := b.do(&wallet.Reserve{Charge: uses("render", 1)}); used.Allowed {
		t.Error("the plan is over, and nothing else is linked to the meter")
	}
}

func days(n int) *int { return &n }
