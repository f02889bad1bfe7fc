package wallet_test

import (
	"strings"
	"testing"
	"time"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/money"
	"github.com/seed42445051/scrip/wallet"
)

// TestGrantDefaults: what a grant is that says only how much of what.
func TestGrantDefaults(t *testing.T) {
	b := open(t, calls(func(c *catalog.Credit) { c.ExpiresAfterDays = 30 }, rolls(50, 1, catalog.Month, 2)))
	g := b.Stored(b.give(10))
	if g.Category != catalog.Paid || g.Priority != wallet.DefaultPriority || g.Source != wallet.SourceAPI {
		t.Errorf("category %s, priority %d, source %s", g.Category, g.Priority, g.Source)
	}
	if want := start.Add(30 * day); g.EffectiveAt != start || g.ExpiresAt != want || g.CreatedAt != start {
		t.Errorf("effective %s, expires %s, created %s", g.EffectiveAt, g.ExpiresAt, g.CreatedAt)
	}
	if g.Rollover.Percent != 50 || g.Rollover.MaxCount != 2 {
		t.Errorf("rollover %+v", g.Rollover)
	}
}

// TestExpiryOfAGrant: the caller's, else the pack's or the credit's default, else never.
func TestExpiryOfAGrant(t *testing.T) {
	soon := start.Add(time.Hour)
	for _, c := range []struct {
		name   string
		change func(*wallet.GiveCredits)
		want   string
	}{
		{"credit's default", func(*wallet.GiveCredits) {}, "2026-01-31T10:00:00Z"},
		{"caller's", expires(soon), "2026-01-01T11:00:00Z"},
		{"never, whatever the default", func(c *wallet.GiveCredits) { c.Never = true }, ""},
		{"counted from when it begins", begins(start.Add(day)), "2026-02-01T10:00:00Z"},
		{"pack's default", func(c *wallet.GiveCredits) { c.Pack, c.Credit, c.Amount = "pck", "", 0 }, "2026-01-08T10:00:00Z"},
		{"caller's over the pack's", func(c *wallet.GiveCredits) {
			c.Pack, c.Credit, c.Amount, c.ExpiresAt = "pck", "", 0, soon
		}, "2026-01-01T11:00:00Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := open(t, calls(func(c *catalog.Credit) { c.ExpiresAfterDays = 30 }))
			b.defs.Packs["pck"] = &catalog.Pack{ID: "pck", ExpiresAfterDays: 7, Items: []catalog.PackItem{
				{ID: "pki", Credit: "calls", Amount: 10, Category: catalog.Paid, Priority: 50},
			}}
			if got := b.Stored(b.give(10, c.change)).ExpiresAt.String(); got != c.want {
				t.Errorf("expires %q, want %q", got, c.want)
			}
		})
	}
}

// TestGrantExpiresAtItsInstant: the last microsecond is the last in which it can be spent.
func TestGrantExpiresAtItsInstant(t *testing.T) {
	b := open(t)
	n := b.give(10, expires(start.Add(time.Hour)))
	b.pass(time.Hour - time.Microsecond)
	if a := b.deduct(units(1)); !a.Allowed {
		t.Errorf("denied %v before the expiry", a.Reasons)
	}
	b.pass(time.Microsecond)
	if a := b.deduct(units(1)); a.Allowed {
		t.Error("spent at the expiry")
	}
	b.is(n, "expired, 1 spent, 9 expired")
	b.says("credit_added +10 =10", "credit_deducted -1 =9", "credit_expired -9 =0")
}

// TestGrantBeginsAtItsInstant: until then it is part of no balance.
func TestGrantBeginsAtItsInstant(t *testing.T) {
	b := open(t)
	n := b.give(10, begins(start.Add(time.Hour)))
	b.is(n, "pending")
	b.stands("calls", 0, 0, 0)
	b.pass(time.Hour - time.Microsecond)
	if a := b.deduct(units(1)); a.Allowed {
		t.Error("spent before it began")
	}
	b.pass(time.Microsecond)
	if a := b.deduct(units(1)); !a.Allowed {
		t.Errorf("denied %v although it has begun", a.Reasons)
	}
	b.is(n, "active, 9 available, 1 spent")
}

func TestGrantThatMakesNoSense(t *testing.T) {
	credit10 := func(change func(*wallet.GiveCredits)) *wallet.GiveCredits {
		c := &wallet.GiveCredits{Credit: "calls", Amount: 10}
		change(c)
		return c
	}
	for _, c := range []struct {
		name   string
		change func(*wallet.GiveCredits)
		code   fault.Code
	}{
		{"amount zero", func(c *wallet.GiveCredits) { c.Amount = 0 }, fault.CodeInvalidAmount},
		{"amount negative", func(c *wallet.GiveCredits) { c.Amount = -1 }, fault.CodeInvalidAmount},
		{"amount one past the greatest", func(c *wallet.GiveCredits) { c.Amount = wallet.MaxUnits + 1 }, fault.CodeInvalidAmount},
		{"unknown credit", of("gold"), fault.CodeCreditNotFound},
		{"archived credit", of("old"), fault.CodeCreditArchived},
		{"priority below", priority(-1), fault.CodeInvalidPriority},
		{"priority above", priority(101), fault.CodeInvalidPriority},
		{"unknown category", func(c *wallet.GiveCredits) { c.Category = "gold" }, fault.CodeInvalidRequest},
		{"expires now", expires(start), fault.CodeInvalidTime},
		{"expires when it begins", func(c *wallet.GiveCredits) {
			c.EffectiveAt, c.ExpiresAt = start.Add(day), start.Add(day)
		}, fault.CodeInvalidTime},
		{"unknown pack", func(c *wallet.GiveCredits) { c.Pack, c.Credit, c.Amount = "pck", "", 0 }, fault.CodePackNotFound},
		{"pack and credit", func(c *wallet.GiveCredits) { c.Pack = "pck" }, fault.CodeConflictingFields},
		{"pattern in the middle", scoped(event("a.*.b")), fault.CodeInvalidScope},
		{"a rate that costs nothing", scoped(catalog.Rule{Event: "*", UnitsPerCredit: money.Ratio{Num: 5}}), fault.CodeInvalidScope},
		{"a rate that pays out", scoped(catalog.Rule{Event: "*", UnitsPerCredit: money.Ratio{Num: -1, Den: 1}}), fault.CodeInvalidScope},
		{"more than all rolls over", func(c *wallet.GiveCredits) {
			c.Rollover = &catalog.Rollover{Percent: 101, Validity: catalog.Interval{Count: 1, Unit: catalog.Day}}
		}, fault.CodeInvalidRequest},
		{"rolls over into nothing", func(c *wallet.GiveCredits) { c.Rollover = &catalog.Rollover{Percent: 50} }, fault.CodeInvalidRequest},
		{"an entry that takes", func(c *wallet.GiveCredits) { c.Entry = wallet.CreditDeducted }, fault.CodeInvalidRequest},
	} {
		t.Run(c.name, func(t *testing.T) {
			old := credit("old", 0)
			old.ArchivedAt = start
			b := open(t, calls(), old)
			b.refused(credit10(c.change), c.code)
			if n := len(b.View().Grants); n != 0 {
				t.Errorf("%d grants were made", n)
			}
		})
	}
	t.Run("priority 0 and 100", func(t *testing.T) {
		b := open(t)
		b.give(1, priority(0))
		b.give(1, priority(100))
	})
}

// TestBalanceHasAGreatest: what is there and what is yet to begin fit together, so that a
// pending grant finds room when its time comes.
func TestBalanceHasAGreatest(t *testing.T) {
	more := &wallet.GiveCredits{Credit: "calls", Amount: 1}
	t.Run("at once", func(t *testing.T) {
		b := open(t)
		b.give(wallet.MaxUnits)
		b.refused(more, fault.CodeAmountOutOfRange)
	})
	t.Run("later", func(t *testing.T) {
		b := open(t)
		later := b.give(wallet.MaxUnits-5, begins(start.Add(day)))
		b.give(5)
		b.refused(more, fault.CodeAmountOutOfRange)
		b.refused(&wallet.GiveCredits{Credit: "calls", Amount: 1, EffectiveAt: start.Add(2 * day)}, fault.CodeAmountOutOfRange)
		b.pass(day)
		b.is(later, "active, 999999999999999995 available")
	})
	t.Run("what comes back needs room too", func(t *testing.T) {
		b := open(t)
		b.give(5)
		b.deduct(units(5))
		b.give(wallet.MaxUnits, begins(start.Add(day)))
		b.refused(&wallet.Reverse{Entry: 2}, fault.CodeAmountOutOfRange)
		b.pass(day)
	})
}

// TestExternalRefGrantsOnce: the same reference gives the grants that are there, as they are
// now, also when they are long gone.
func TestExternalRefGrantsOnce(t *testing.T) {
	ref := func(c *wallet.GiveCredits) { c.ExternalRef = "cs_1" }
	b := open(t, calls(), credit("other", 0))
	n := b.give(10, ref)
	b.deduct(units(4))
	b.said()
	for _, when := range []string{"at once", "after a year, all expired and revoked", "once more"} {
		a := b.do(&wallet.GiveCredits{Credit: "calls", Amount: 10, ExternalRef: "cs_1"})
		if !a.Existing || len(a.Grants) != 1 || a.Grants[0].N != n {
			t.Errorf("%s: existing %t, grants %+v", when, a.Existing, a.Grants)
		}
		b.says()
		b.do(&wallet.RevokeGrant{Grant: n})
		b.said()
		b.pass(365 * day)
	}
	b.is(n, "revoked, 4 spent, 6 revoked")
	// Another credit under the same reference is another granting.
	if a := b.do(&wallet.GiveCredits{Credit: "other", Amount: 1, ExternalRef: "cs_1"}); a.Existing {
		t.Error("the reference counts for what was granted under it")
	}
}

// TestExternalRefOfAPackGivesAllItsGrants, also those of items that the pack no longer has and
// not those that it got since.
func TestExternalRefOfAPackGivesAllItsGrants(t *testing.T) {
	b := open(t, calls(), credit("seconds", 0))
	pack := &catalog.Pack{ID: "pck", Items: []catalog.PackItem{
		{ID: "pki_1", Credit: "calls", Amount: 10, Scope: catalog.Scope{event("image.a")}, Category: catalog.Paid, Priority: 50},
		{ID: "pki_2", Credit: "seconds", Amount: 5, Scope: catalog.Scope{event("video.*")}, Category: catalog.Promotional, Priority: 60},
	}}
	b.defs.Packs["pck"] = pack
	buy := &wallet.GiveCredits{Pack: "pck", ExternalRef: "cs_1", Source: wallet.SourcePurchase}
	a := b.do(buy)
	if len(a.Grants) != 2 {
		t.Fatalf("%d grants, want one for each item", len(a.Grants))
	}
	for i, item := range pack.Items {
		g := a.Grants[i]
		if g.Credit != item.Credit || g.Amount != item.Amount || g.Category != item.Category || g.Priority != item.Priority ||
			g.Pack != "pck" || g.PackItem != item.ID || g.Source != wallet.SourcePurchase {
			t.Errorf("grant %d is %+v", i, g)
		}
	}
	pack.Items = append(pack.Items[1:], catalog.PackItem{ID: "pki_3", Credit: "calls", Amount: 99, Category: catalog.Paid, Priority: 50})
	if a := b.do(buy); !a.Existing || len(a.Grants) != 2 || a.Grants[0].N != 1 || a.Grants[1].N != 2 {
		t.Errorf("existing %t, grants %+v", a.Existing, a.Grants)
	}
	if a := b.do(&wallet.GiveCredits{Pack: "pck", ExternalRef: "cs_2"}); a.Existing || len(a.Grants) != 2 || a.Grants[1].Amount != 99 {
		t.Errorf("existing %t, grants %+v", a.Existing, a.Grants)
	}
}

// TestDefinitionsDoNotReachBack is law 7: what was granted keeps its scope, expiry and rollover.
func TestDefinitionsDoNotReachBack(t *testing.T) {
	b := open(t, calls(rolls(50, 1, catalog.Month, 0), func(c *catalog.Credit) {
		c.Scope = catalog.Scope{event("image.*")}
		c.ExpiresAfterDays = 30
	}))
	before := b.Stored(b.give(10))
	edited := *b.defs
	edited.Credits = map[string]*catalog.Credit{"calls": calls(func(c *catalog.Credit) {
		c.Scope = catalog.Scope{event("video.*")}
		c.ExpiresAfterDays = 1
	})}
	b.Redefine(&edited)
	b.Restart()
	b.pass(2 * day)
	if after := b.Stored(1); after.ExpiresAt != before.ExpiresAt || after.Rollover != before.Rollover {
		t.Errorf("before %+v, after %+v", before, after)
	}
	if a := b.deduct(uses("image.a", 1)); !a.Allowed {
		t.Errorf("denied %v", a.Reasons)
	}
	if a := b.deduct(uses("video.a", 1)); a.Allowed {
		t.Error("the grant pays for what the credit was edited to")
	}
	b.pass(28 * day)
	b.is(1, "rolled_over, 1 spent, 5 expired, 4 rolled over")
}

func TestAdjust(t *testing.T) {
	b := open(t)
	paid := b.give(10)
	scopedGrant := b.give(5, scoped(event("image.a")), priority(40))
	b.said()
	up := b.do(&wallet.Adjust{Credit: "calls", Delta: 3}).Grants[0]
	if up.Category != catalog.Promotional || up.Source != wallet.SourceManual {
		t.Errorf("category %s, source %s", up.Category, up.Source)
	}
	// Down along the draw order, whatever the scope: 5 of the scoped (priority 40), then of the
	// promotional 3, then 4 of the paid.
	b.do(&wallet.Adjust{Credit: "calls", Delta: -12})
	b.says("manual_adjustment +3 =18", "manual_adjustment -12 =6")
	b.is(scopedGrant, "depleted, 5 spent")
	b.is(up.N, "depleted, 3 spent")
	b.is(paid, "active, 6 available, 4 spent")
	if used := b.State().Credits["calls"].Used; used != 0 {
		t.Errorf("an adjustment is no usage, but %d count as used", used)
	}
	a := b.do(&wallet.Adjust{Credit: "calls", Delta: -7})
	if a.Allowed || a.Shortage.Required != 7 || a.Shortage.Available != 6 {
		t.Errorf("allowed %t, shortage %+v", a.Allowed, a.Shortage)
	}
	for delta, code := range map[int64]fault.Code{
		0: fault.CodeInvalidAmount, wallet.MaxUnits + 1: fault.CodeInvalidAmount, -wallet.MaxUnits - 1: fault.CodeInvalidAmount,
	} {
		b.refused(&wallet.Adjust{Credit: "calls", Delta: delta}, code)
	}
	b.refused(&wallet.Adjust{Credit: "gold", Delta: -1}, fault.CodeCreditNotFound)
	b.refused(&wallet.Adjust{Credit: "gold", Delta: 1}, fault.CodeCreditNotFound)
}

func TestRevoke(t *testing.T) {
	t.Run("takes what is left, and again takes nothing", func(t *testing.T) {
		b := open(t)
		n := b.give(50)
		b.deduct(units(20))
		b.do(&wallet.RevokeGrant{Grant: n})
		b.do(&wallet.RevokeGrant{Grant: n})
		b.is(n, "revoked, 20 spent, 30 revoked")
		b.says("credit_added +50 =50", "credit_deducted -20 =30", "revoked -30 =0")
	})
	t.Run("a part, for a partial refund", func(t *testing.T) {
		b := open(t)
		n := b.give(50)
		b.do(&wallet.RevokeGrant{Grant: n, Amount: some(20), Entry: wallet.Refund})
		b.is(n, "active, 30 available, 20 revoked")
		b.do(&wallet.RevokeGrant{Grant: n, Amount: some(40), Entry: wallet.Refund})
		b.is(n, "revoked, 50 revoked")
		b.says("credit_added +50 =50", "refund -20 =30", "refund -30 =0")
	})
	t.Run("a part that is all that is left of what was spent in part", func(t *testing.T) {
		b := open(t)
		n := b.give(50)
		b.deduct(units(20))
		b.do(&wallet.RevokeGrant{Grant: n, Amount: some(30), Entry: wallet.Refund})
		b.is(n, "depleted, 20 spent, 30 revoked")
		b.do(&wallet.Reverse{Entry: 2}) // those 20 were paid for, and not refunded
		b.is(n, "active, 20 available, 30 revoked")
	})
	t.Run("all of what has not begun, by amount", func(t *testing.T) {
		b := open(t)
		n := b.give(50, begins(start.Add(day)))
		b.do(&wallet.RevokeGrant{Grant: n, Amount: some(50), Entry: wallet.Refund})
		b.is(n, "revoked, 50 revoked")
		b.says("credit_added +50 =50", "refund -50 =0")
	})
	t.Run("a part takes what is frozen last", func(t *testing.T) {
		b := open(t)
		n := b.give(50)
		b.do(&wallet.Freeze{Grant: n, Frozen: true})
		b.do(&wallet.RevokeGrant{Grant: n, Amount: some(20)})
		b.is(n, "active, 30 frozen, 20 revoked")
		b.do(&wallet.RevokeGrant{Grant: n})
		b.is(n, "revoked, 50 revoked")
	})
	t.Run("all of what has not begun", func(t *testing.T) {
		b := open(t)
		n := b.give(50, begins(start.Add(day)))
		b.do(&wallet.RevokeGrant{Grant: n})
		b.is(n, "revoked, 50 revoked")
		b.says("credit_added +50 =50", "revoked -50 =0")
		b.pass(2 * day)
		b.is(n, "revoked, 50 revoked")
	})
	t.Run("a part of what has not begun: the rest begins when it should", func(t *testing.T) {
		b := open(t)
		n := b.give(50, begins(start.Add(day)))
		b.do(&wallet.RevokeGrant{Grant: n, Amount: some(20)})
		b.is(n, "pending, 20 revoked")
		b.stands("calls", 0, 0, 0)
		b.pass(day)
		b.is(n, "active, 30 available, 20 revoked")
		b.says("credit_added +20 =20", "revoked -20 =0", "credit_added +30 =30")
	})
	t.Run("makes no sense", func(t *testing.T) {
		b := open(t)
		n := b.give(50)
		b.refused(&wallet.RevokeGrant{Grant: n + 1}, fault.CodeGrantNotFound)
		b.refused(&wallet.RevokeGrant{Grant: 0}, fault.CodeGrantNotFound)
		b.refused(&wallet.RevokeGrant{Grant: n, Amount: some(0)}, fault.CodeInvalidAmount)
		b.refused(&wallet.RevokeGrant{Grant: n, Amount: some(-5)}, fault.CodeInvalidAmount)
		b.refused(&wallet.RevokeGrant{Grant: n, Entry: wallet.CreditAdded}, fault.CodeInvalidRequest)
	})
}

// TestFreeze: while a dispute is open nothing of the grant can be spent, however it gets there;
// the balance keeps it.
func TestFreeze(t *testing.T) {
	freeze := func(b *book, n int64, on bool) { b.do(&wallet.Freeze{Grant: n, Frozen: on}) }
	t.Run("and unfreeze", func(t *testing.T) {
		b := open(t)
		n := b.give(10)
		freeze(b, n, true)
		freeze(b, n, true)
		b.stands("calls", 10, 0, 0)
		if a := b.deduct(units(1)); a.Allowed {
			t.Error("frozen credits were spent")
		}
		freeze(b, n, false)
		b.is(n, "active, 10 available")
		b.says("credit_added +10 =10", "hold_placed -10 =10", "hold_released +10 =10")
	})
	t.Run("what a hold gives back", func(t *testing.T) {
		b := open(t)
		n := b.give(10)
		h := b.reserve(units(4))
		freeze(b, n, true)
		b.is(n, "active, 6 frozen, 4 held")
		b.do(&wallet.Release{Hold: h})
		b.is(n, "active, 10 frozen")
	})
	t.Run("what a hold takes was held before", func(t *testing.T) {
		b := open(t)
		n := b.give(10)
		h := b.reserve(units(4))
		freeze(b, n, true)
		b.do(&wallet.Commit{Hold: h, Amount: "3"})
		b.is(n, "active, 7 frozen, 3 spent")
	})
	t.Run("what a reversal gives back", func(t *testing.T) {
		b := open(t)
		n := b.give(10)
		b.deduct(units(4))
		freeze(b, n, true)
		b.do(&wallet.Reverse{Entry: 2})
		b.is(n, "active, 10 frozen")
	})
	t.Run("before it begins", func(t *testing.T) {
		b := open(t)
		n := b.give(10, begins(start.Add(day)))
		freeze(b, n, true)
		b.pass(day)
		b.is(n, "active, 10 frozen")
	})
	t.Run("before it begins, with overage to repay", func(t *testing.T) {
		b := open(t, calls(overage(catalog.Overage{Enabled: true, Behavior: catalog.CarryDeficitAutoRepay})))
		charge := units(3)
		charge.Shortfall = wallet.Overage
		b.deduct(charge)
		n := b.give(10, begins(start.Add(day)))
		freeze(b, n, true)
		b.pass(day)
		b.is(n, "active, 10 frozen")
		b.stands("calls", 10, 0, 3)
	})
	t.Run("expires all the same", func(t *testing.T) {
		b := open(t)
		n := b.give(10, expires(start.Add(day)))
		freeze(b, n, true)
		b.pass(day)
		b.is(n, "expired, 10 expired")
	})
	t.Run("rolls over frozen, and so does what comes back", func(t *testing.T) {
		b := open(t, calls(rolls(50, 1, catalog.Month, 0)))
		n := b.give(10, expires(start.Add(time.Hour)))
		h := b.reserve(units(4))
		freeze(b, n, true)
		b.pass(time.Hour)
		b.is(2, "active, 3 frozen") // half of the 6 that were not held
		b.do(&wallet.Release{Hold: h})
		b.is(2, "active, 5 frozen") // and half of the 4 that were
		freeze(b, 2, false)
		b.is(2, "active, 5 available")
	})
	t.Run("makes no sense", func(t *testing.T) {
		open(t).refused(&wallet.Freeze{Grant: 1, Frozen: true}, fault.CodeGrantNotFound)
	})
}

// TestNotes: entries carry what a command says about itself.
func TestNotes(t *testing.T) {
	b := open(t)
	b.do(&wallet.GiveCredits{Credit: "calls", Amount: 10, Note: wallet.Note{
		Reason: "welcome", Metadata: wallet.Metadata{"campaign": "spring"}, RefType: "order", RefID: "ord_1",
	}})
	charge := units(1)
	charge.Metadata = wallet.Metadata{"request": "r1"}
	b.deduct(charge)
	entries := b.View().Entries
	if e := entries[0]; e.Reason != "welcome" || e.Metadata["campaign"] != "spring" || e.RefType != "order" || e.RefID != "ord_1" {
		t.Errorf("%+v", e)
	}
	if e := entries[1]; e.Metadata["request"] != "r1" {
		t.Errorf("a charge's metadata is its entry's: %+v", e)
	}
}

// TestResponsesAreCutBetweenCharacters: half of a character is no text.
func TestResponsesAreCutBetweenCharacters(t *testing.T) {
	b := open(t)
	b.give(3, scoped(event("image.a")))
	const kept = wallet.MaxResponseBytes
	for _, c := range []struct{ given, want string }{
		{strings.Repeat("a", kept), strings.Repeat("a", kept)},
		{strings.Repeat("a", kept+1), strings.Repeat("a", kept)},
		{"a" + strings.Repeat("é", kept/2), "a" + strings.Repeat("é", kept/2-1)}, // two bytes each
	} {
		a := b.do(&wallet.Track{Charge: wallet.Charge{Event: "image.a", Quantity: 1}, Response: c.given})
		if a.Usage == nil {
			t.Fatalf("not recorded: %v", a.Reasons)
		}
		if a.Usage.Response != c.want {
			t.Errorf("of %d bytes %d are kept, want %d", len(c.given), len(a.Usage.Response), len(c.want))
		}
	}
}
