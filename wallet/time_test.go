package wallet_test

import (
	"testing"
	"time"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/wallet"
)

// TestRollover: 200 unused at 75 % become 150, and 50 expire (design section 5.5).
func TestRollover(t *testing.T) {
	b := open(t, calls(rolls(75, 1, catalog.Month, 0)))
	n := b.give(1000, expires(start.Add(day)), promotional, priority(30))
	b.deduct(units(800))
	b.pass(day)
	b.is(n, "rolled_over, 800 spent, 50 expired, 150 rolled over")
	b.is(2, "active, 150 available")
	b.says("credit_added +1000 =1000", "credit_deducted -800 =200",
		"credit_rolled_over -150 =50", "credit_rolled_over +150 =200", "credit_expired -50 =150")
	g := b.Stored(2)
	if g.Source != wallet.SourceRollover || g.Parent != n || g.RolloverCount != 1 || g.Category != catalog.Promotional || g.Priority != 30 {
		t.Errorf("%+v", g)
	}
	if got := g.ExpiresAt.String(); got != "2026-02-02T10:00:00Z" { // a month after 2 January
		t.Errorf("valid until %s", got)
	}
	if b.Stored(n).RolledInto != 2 {
		t.Errorf("%+v", b.Stored(n))
	}
}

func TestRolloverRoundsDown(t *testing.T) {
	for _, c := range []struct {
		unused  int64
		percent int
		want    string // what became of the grant
	}{
		{199, 75, "rolled_over, 50 expired, 149 rolled over"}, // 149.25
		{1, 99, "rolled_over, 1 expired"},                     // 0.99: nothing moves on
		{10, 100, "rolled_over, 10 rolled over"},
		{99, 1, "rolled_over, 99 expired"}, // 0.99
		{100, 1, "rolled_over, 99 expired, 1 rolled over"},
		{wallet.MaxUnits, 33, "rolled_over, 670000000000000000 expired, 330000000000000000 rolled over"},
	} {
		b := open(t, calls(rolls(c.percent, 1, catalog.Month, 0)))
		n := b.give(c.unused, expires(start.Add(day)))
		b.pass(day)
		b.is(n, c.want)
	}
}

// TestRolloverHasAMaximumCount: the third end forfeits what has rolled over twice.
func TestRolloverHasAMaximumCount(t *testing.T) {
	b := open(t, calls(rolls(50, 1, catalog.Day, 2)))
	b.give(100, expires(start.Add(day)))
	b.pass(3 * day)
	b.is(1, "rolled_over, 50 expired, 50 rolled over")
	b.is(2, "rolled_over, 25 expired, 25 rolled over")
	b.is(3, "expired, 25 expired")
	b.says("credit_added +100 =100",
		"credit_rolled_over -50 =50", "credit_rolled_over +50 =100", "credit_expired -50 =50",
		"credit_rolled_over -25 =25", "credit_rolled_over +25 =50", "credit_expired -25 =25",
		"rollover_forfeited -25 =0")
}

// TestIdleOrWatched is law 4: whether a wallet was looked at every hour or not for weeks, the
// same happened at the same instants.
func TestIdleOrWatched(t *testing.T) {
	live := func(step time.Duration) *book {
		b := open(t, calls(rolls(50, 3, catalog.Day, 0)))
		b.give(100, expires(start.Add(day+time.Minute)))
		b.give(7, begins(start.Add(2*day+time.Second)), expires(start.Add(9*day)))
		b.reserve(units(3))
		for passed := time.Duration(0); passed < 20*day; passed += step {
			b.pass(step)
		}
		return b
	}
	idle, watched := live(20*day), live(time.Hour)
	e, f := idle.View().Entries, watched.View().Entries
	if len(e) != len(f) {
		t.Fatalf("%d entries when idle, %d when watched", len(e), len(f))
	}
	for i := range e {
		if e[i].Type != f[i].Type || e[i].Amount != f[i].Amount || e[i].EffectiveAt != f[i].EffectiveAt || e[i].BalanceAfter != f[i].BalanceAfter {
			t.Errorf("entry %d: %s %+d at %s when idle, %s %+d at %s when watched", e[i].Seq,
				e[i].Type, e[i].Amount, e[i].EffectiveAt, f[i].Type, f[i].Amount, f[i].EffectiveAt)
		}
		if e[i].RecordedAt < e[i].EffectiveAt {
			t.Errorf("entry %d was recorded before it took effect", e[i].Seq)
		}
	}
}

// TestOneInstant: holds lapse, then grants end, then grants begin. So what a hold gives back
// expires with its grant, and the new grant is not touched by either.
func TestOneInstant(t *testing.T) {
	b := open(t)
	noon := start.Add(2 * time.Hour)
	old := b.give(10, expires(noon))
	next := b.give(20, begins(noon))
	b.do(&wallet.Reserve{Charge: units(4), TTL: 2 * time.Hour})
	b.said()
	b.pass(2 * time.Hour)
	b.says("hold_released +4 =10", "credit_expired -10 =0", "credit_added +20 =20")
	b.is(old, "expired, 10 expired")
	b.is(next, "active, 20 available")
}

// TestTimeDoesNotGoBack: a machine whose clock is late does not undo what has happened.
func TestTimeDoesNotGoBack(t *testing.T) {
	b := open(t)
	b.give(10, expires(start.Add(day)))
	b.pass(day)
	b.now = start
	b.give(1)
	entries := b.View().Entries
	if last := entries[len(entries)-1]; last.EffectiveAt != start.Add(day) {
		t.Errorf("the entry takes effect at %s", last.EffectiveAt)
	}
	if a := b.deduct(units(2)); a.Allowed {
		t.Error("what has expired was spent")
	}
}

// TestReversal gives a deduction back to the grants that it came from, the last drawn first.
func TestReversal(t *testing.T) {
	deducted := func(b *book) (first, other int64) {
		first, other = b.give(3), b.give(7)
		b.deduct(units(5)) // 3 of the first and 2 of the other, entry 3
		b.said()
		return first, other
	}
	t.Run("whole", func(t *testing.T) {
		b := open(t)
		first, other := deducted(b)
		b.do(&wallet.Reverse{Entry: 3})
		b.is(first, "active, 3 available")
		b.is(other, "active, 7 available")
		b.says("refund +5 =10")
		if used := b.State().Credits["calls"].Used; used != 0 {
			t.Errorf("%d count as used", used)
		}
		b.refused(&wallet.Reverse{Entry: 3}, fault.CodeAlreadyReversed)
	})
	t.Run("in parts, and no more than there was", func(t *testing.T) {
		b := open(t)
		first, other := deducted(b)
		b.do(&wallet.Reverse{Entry: 3, Amount: some(3)}) // 2 of the other, 1 of the first
		b.is(first, "active, 1 available, 2 spent")
		b.is(other, "active, 7 available")
		b.refused(&wallet.Reverse{Entry: 3, Amount: some(3)}, fault.CodeInvalidAmount)
		b.refused(&wallet.Reverse{Entry: 3, Amount: some(0)}, fault.CodeInvalidAmount)
		b.refused(&wallet.Reverse{Entry: 3, Amount: some(-1)}, fault.CodeInvalidAmount)
		b.do(&wallet.Reverse{Entry: 3}) // the 2 that are left
		b.is(first, "active, 3 available")
		b.says("refund +3 =8", "refund +2 =10")
	})
	t.Run("only deductions and overage", func(t *testing.T) {
		b := open(t)
		deducted(b)
		b.refused(&wallet.Reverse{Entry: 1}, fault.CodeEntryNotReversible) // credit_added
		b.refused(&wallet.Reverse{Entry: 4}, fault.CodeEntryNotFound)
		b.refused(&wallet.Reverse{Entry: 0}, fault.CodeEntryNotFound)
	})
	t.Run("of a commit", func(t *testing.T) {
		b := open(t)
		n := b.give(10)
		b.do(&wallet.Commit{Hold: b.reserve(units(4)), Amount: "3"})
		b.do(&wallet.Reverse{Entry: 3})
		b.is(n, "active, 10 available")
	})
	t.Run("of overage", func(t *testing.T) {
		b := open(t, calls(overage(catalog.Overage{Enabled: true})))
		charge := units(5)
		charge.Shortfall = wallet.Overage
		b.deduct(charge)
		b.do(&wallet.Reverse{Entry: 1, Amount: some(2)})
		b.stands("calls", 0, 0, 3)
		b.do(&wallet.ResetOverage{Credit: "calls"}) // the rest is gone, so it cannot be undone
		b.refused(&wallet.Reverse{Entry: 1}, fault.CodeEntryNotReversible)
	})
}

// TestReversalAfterTheGrantsFate: what comes back meets the fate of its grant at once, by its
// own entry, as what a hold gives back does.
func TestReversalAfterTheGrantsFate(t *testing.T) {
	for _, c := range []struct {
		name   string
		spend  int64 // of 10
		credit *catalog.Credit
		befall func(b *book)
		grant  string
		said   []string
	}{
		{
			"expired", 4, calls(), func(b *book) { b.pass(day) },
			"expired, 10 expired",
			[]string{"refund +4 =4", "credit_expired -4 =0"},
		},
		{
			"used up, and its time is over", 10, calls(), func(b *book) { b.pass(day) },
			"expired, 10 expired",
			[]string{"refund +10 =10", "credit_expired -10 =0"},
		},
		{
			"revoked", 4, calls(), func(b *book) { b.do(&wallet.RevokeGrant{Grant: 1}) },
			"revoked, 10 revoked",
			[]string{"refund +4 =4", "revoked -4 =0"},
		},
		{
			// 3 of the 6 unused rolled over, and 2 of the 4 that come back.
			"rolled over", 4, calls(rolls(50, 1, catalog.Month, 0)), func(b *book) { b.pass(day) },
			"rolled_over, 5 expired, 5 rolled over",
			[]string{"refund +4 =7", "credit_rolled_over -2 =5", "credit_rolled_over +2 =7", "credit_expired -2 =5"},
		},
		{
			// As if it had been there when the grant ended: valid for a month from then.
			"used up, and would have rolled over", 10, calls(rolls(50, 1, catalog.Month, 0)), func(b *book) { b.pass(10 * day) },
			"rolled_over, 5 expired, 5 rolled over",
			[]string{"refund +10 =10", "credit_rolled_over -5 =5", "credit_rolled_over +5 =10", "credit_expired -5 =5"},
		},
		{
			// The grant that it would have rolled over into would be over by now, too.
			"used up, rolled over and over again", 10, calls(rolls(50, 1, catalog.Day, 1)), func(b *book) { b.pass(10 * day) },
			"rolled_over, 5 expired, 5 rolled over",
			[]string{"refund +10 =10", "credit_rolled_over -5 =5", "credit_rolled_over +5 =10", "credit_expired -5 =5", "rollover_forfeited -5 =0"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := open(t, c.credit)
			n := b.give(10, expires(start.Add(day)))
			b.deduct(units(c.spend))
			c.befall(b)
			b.said()
			b.do(&wallet.Reverse{Entry: 2})
			b.is(n, c.grant)
			b.says(c.said...)
		})
	}
	t.Run("used up, and would have rolled over: until when", func(t *testing.T) {
		b := open(t, calls(rolls(50, 1, catalog.Month, 0)))
		b.give(10, expires(start.Add(day)))
		b.deduct(units(10))
		b.pass(10 * day)
		b.do(&wallet.Reverse{Entry: 2})
		if got := b.Stored(2).ExpiresAt.String(); got != "2026-02-02T10:00:00Z" {
			t.Errorf("valid until %s", got)
		}
	})
}

// TestReversalReachesThroughManyRollovers: each grant on the way takes its share.
func TestReversalReachesThroughManyRollovers(t *testing.T) {
	b := open(t, calls(rolls(100, 1, catalog.Day, 0)))
	b.give(10, expires(start.Add(day)))
	b.deduct(units(4))
	b.pass(40 * day) // rolled over 40 times, and all of those grants but the last are closed
	b.do(&wallet.Reverse{Entry: 2})
	b.is(41, "active, 10 available")
	for n := int64(1); n <= 40; n++ {
		b.is(n, "rolled_over, 10 rolled over")
	}
}

// retaken takes the plan's terms anew.
func retaken(entering catalog.OnChange) func(*wallet.Subscribe) {
	return func(c *wallet.Subscribe) { c.Retake, c.OnChange = true, entering }
}

// TestAllowanceWindows: a hold counts in the window in which it was made, and gives back to no
// other.
func TestAllowanceWindows(t *testing.T) {
	used := func(b *book) int64 {
		c := b.View().Counters
		return c[0].Used / wallet.MicrosPerUnit
	}
	take := func(b *book, kind catalog.PeriodKind, entering catalog.OnChange) {
		b.do(plan(retaken(entering), counts(wallet.Allowance{
			ID: "images", Quota: 10 * wallet.MicrosPerUnit, Rules: catalog.Scope{event("image.*")},
			Period: catalog.Period{Kind: kind, Anchor: catalog.AnchorCalendar},
		})))
	}
	hold := func(b *book) int64 { return b.reserve(uses("image.a", 6)) }
	for _, c := range []struct {
		name   string
		change func(b *book) // between the hold and its release
		before int64
		after  int64 // 2 were used besides the hold
	}{
		{"the same window", func(*book) {}, 8, 2},
		{"the next window", func(b *book) { b.pass(14 * time.Hour) }, 0, 0}, // at midnight
		{"counters begin anew", func(b *book) { take(b, catalog.Daily, catalog.ResetCounts) }, 0, 0},
		{"counters are kept", func(b *book) { take(b, catalog.Daily, catalog.KeepCounts) }, 8, 2},
		{"counters are kept in another period", func(b *book) { take(b, catalog.Lifetime, catalog.KeepCounts) }, 8, 2},
		{"counters are full", func(b *book) { take(b, catalog.Daily, catalog.BlockCounts) }, 10, 10},
		{"dropped and back again", func(b *book) {
			b.do(plan(retaken(catalog.KeepCounts)))
			take(b, catalog.Daily, catalog.KeepCounts)
		}, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := open(t)
			take(b, catalog.Daily, catalog.ResetCounts)
			b.deduct(uses("image.a", 2))
			h := hold(b)
			c.change(b)
			if got := used(b); got != c.before {
				t.Errorf("%d counted before the release, want %d", got, c.before)
			}
			b.do(&wallet.Release{Hold: h})
			if got := used(b); got != c.after {
				t.Errorf("%d counted after the release, want %d", got, c.after)
			}
		})
	}
	t.Run("a kept lifetime becomes days and ends with them", func(t *testing.T) {
		b := open(t)
		take(b, catalog.Lifetime, catalog.ResetCounts)
		b.deduct(uses("image.a", 10))
		take(b, catalog.Daily, catalog.KeepCounts)
		if a := b.deduct(uses("image.a", 1)); a.Allowed {
			t.Error("what was used is not kept")
		}
		b.pass(14 * time.Hour)
		if a := b.deduct(uses("image.a", 10)); !a.Allowed {
			t.Errorf("denied %v on the next day", a.Reasons)
		}
	})
}

// TestAllowancesAllCount: every allowance that matches counts the same part, so the smallest
// decides, and the plan is never bypassed.
func TestAllowancesAllCount(t *testing.T) {
	b := open(t)
	images := b.give(10, scoped(event("image.*")))
	b.do(plan(counts(
		wallet.Allowance{ID: "all", Quota: 9_000_000, Rules: catalog.Scope{event("*")}, Period: catalog.Period{Kind: catalog.Daily, Anchor: catalog.AnchorCalendar}},
		wallet.Allowance{ID: "images", Quota: 4_000_000, Rules: catalog.Scope{event("image.*")}, Period: catalog.Period{Kind: catalog.Monthly, Anchor: catalog.AnchorStart}},
		wallet.Allowance{ID: "video", Quota: 7_000_000, Rules: catalog.Scope{event("video.*")}, Period: catalog.Period{Kind: catalog.Lifetime, Anchor: catalog.AnchorStart}},
	)))
	a := b.deduct(uses("image.a", 6)) // 4 of the plan, 2 of the credits
	if !a.Allowed || a.Taken != 6_000_000 || len(a.Counters) != 2 {
		t.Errorf("allowed %t, taken %d, counters %+v", a.Allowed, a.Taken, a.Counters)
	}
	b.is(images, "active, 8 available, 2 spent")
	want := []int64{4_000_000, 4_000_000, 0}
	for i, c := range b.View().Counters {
		if c.Used != want[i] {
			t.Errorf("%s counted %d, want %d", c.ID, c.Used, want[i])
		}
	}
}

// TestCommitCountsThePlanFirst: of 6 held the plan carries 4; a commit of 3 leaves the credits.
func TestCommitCountsThePlanFirst(t *testing.T) {
	b := open(t)
	n := b.give(10, scoped(event("image.*")))
	subscribed(b, 4, event("image.*"))
	b.do(&wallet.Commit{Hold: b.reserve(uses("image.a", 6)), Amount: "3"})
	b.is(n, "active, 10 available")
	if got := b.View().Counters[0].Used; got != 3_000_000 {
		t.Errorf("the plan counted %d", got)
	}
}

func TestSubscription(t *testing.T) {
	at := func(d time.Duration) clock.Instant { return start.Add(d) }
	t.Run("runs from its start to before its end", func(t *testing.T) {
		b := open(t)
		b.pass(time.Hour)
		b.do(plan(func(c *wallet.Subscribe) { c.EndsAt = at(2 * time.Hour) }, counts(wallet.Allowance{
			ID: "a", Quota: 9_000_000, Rules: catalog.Scope{event("*")}, Period: catalog.Period{Kind: catalog.Lifetime, Anchor: catalog.AnchorStart},
		})))
		for _, c := range []struct {
			at   clock.Instant
			runs bool
		}{{at(time.Hour), true}, {at(2*time.Hour) - 1, true}, {at(2 * time.Hour), false}} {
			b.now = c.at
			if a := b.deduct(uses("image.a", 1)); a.Allowed != c.runs {
				t.Errorf("at %s allowed %t", c.at, a.Allowed)
			}
		}
	})
	t.Run("ends now or later, and once", func(t *testing.T) {
		b := open(t)
		b.refused(&wallet.EndSubscription{}, fault.CodeSubscriptionNotFound)
		subscribed(b, 1, event("*"))
		b.do(&wallet.EndSubscription{At: at(day)})
		b.do(&wallet.EndSubscription{At: at(time.Hour)}) // still to come, so it can be changed
		b.pass(time.Hour)
		b.refused(&wallet.EndSubscription{}, fault.CodeAlreadyCanceled)
	})
	t.Run("makes no sense", func(t *testing.T) {
		good := wallet.Allowance{ID: "a", Quota: 1, Rules: catalog.Scope{event("*")}, Period: catalog.Period{Kind: catalog.Daily, Anchor: catalog.AnchorStart}}
		change := func(f func(*wallet.Allowance)) wallet.Allowance { a := good; f(&a); return a }
		for name, c := range map[string]struct {
			allowances []wallet.Allowance
			code       fault.Code
		}{
			"two of one id":     {[]wallet.Allowance{good, good}, fault.CodeInvalidRequest},
			"negative quota":    {[]wallet.Allowance{change(func(a *wallet.Allowance) { a.Quota = -1 })}, fault.CodeInvalidRequest},
			"quota too large":   {[]wallet.Allowance{change(func(a *wallet.Allowance) { a.Quota = wallet.MaxQuantity + 1 })}, fault.CodeInvalidRequest},
			"unknown period":    {[]wallet.Allowance{change(func(a *wallet.Allowance) { a.Period.Kind = "hourly" })}, fault.CodeInvalidRequest},
			"unknown zone":      {[]wallet.Allowance{change(func(a *wallet.Allowance) { a.Period.Zone = "Mars/Olympus" })}, fault.CodeInvalidRequest},
			"malformed pattern": {[]wallet.Allowance{change(func(a *wallet.Allowance) { a.Rules = catalog.Scope{event("a*")} })}, fault.CodeInvalidScope},
		} {
			t.Run(name, func(t *testing.T) {
				open(t).refused(plan(counts(c.allowances...)), c.code)
			})
		}
	})
}
