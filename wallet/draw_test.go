package wallet_test

import (
	"testing"
	"time"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/money"
	"github.com/seed42445051/scrip/wallet"
)

// drawn is the order in which a charge that takes everything draws the grants.
func (b *book) drawn(c wallet.Charge) string {
	b.t.Helper()
	a := b.deduct(c)
	if !a.Allowed {
		b.t.Fatalf("denied: %v", a.Reasons)
	}
	var order []int64
	for _, d := range a.Draw {
		order = append(order, d.Grant)
	}
	return text(order)
}

// TestDrawOrderKeys: each key alone, with the grant that it puts first made last; where the key
// is equal the smaller number goes first.
func TestDrawOrderKeys(t *testing.T) {
	late := start.Add(time.Hour)
	preset := func(name string) []catalog.DrawKey {
		order, ok := catalog.DrawPreset(name)
		if !ok {
			t.Fatalf("no preset %s", name)
		}
		return order
	}
	for _, c := range []struct {
		name  string
		order []catalog.DrawKey
		give  func(b *book)
		want  string
	}{
		{"priority: lower first", []catalog.DrawKey{catalog.ByPriority}, func(b *book) {
			b.give(1, priority(60))
			b.give(1) // 50
			b.give(1, priority(0))
			b.give(1, priority(50))
		}, "[3 2 4 1]"},
		{"expires_at: sooner first, never last", []catalog.DrawKey{catalog.ByExpiry}, func(b *book) {
			b.give(1)
			b.give(1, expires(late+1))
			b.give(1, expires(late))
			b.give(1)
			b.give(1, expires(late))
		}, "[3 5 2 1 4]"},
		{"category: promotional first", []catalog.DrawKey{catalog.ByCategory}, func(b *book) {
			b.give(1)
			b.give(1, promotional)
			b.give(1)
			b.give(1, promotional)
		}, "[2 4 1 3]"},
		{"effective_at: earlier first", []catalog.DrawKey{catalog.ByEffectiveAt}, func(b *book) {
			b.give(1, begins(start.Add(2*time.Minute)))
			b.give(1, begins(start.Add(time.Minute)))
			b.give(1)
			b.pass(time.Hour)
		}, "[3 2 1]"},
		{"created_at: earlier first", []catalog.DrawKey{catalog.ByCreatedAt}, func(b *book) {
			b.give(1, priority(90))
			b.pass(time.Second)
			b.give(1, priority(10))
			b.give(1, priority(0), promotional)
		}, "[1 2 3]"},
		{"several keys: the next decides ties of the one before", []catalog.DrawKey{catalog.ByCategory, catalog.ByPriority}, func(b *book) {
			b.give(1, priority(10))
			b.give(1, promotional, priority(90))
			b.give(1, promotional, priority(80))
			b.give(1, priority(10))
		}, "[3 2 1 4]"},
		{"default: priority, then expiry, then category, then effective, then created", preset(catalog.PresetDefault), func(b *book) {
			b.give(1)                                                 // 1: never expires
			b.give(1, expires(late))                                  // 2
			b.give(1, expires(late), promotional)                     // 3: as 2, promotional
			b.give(1, priority(40))                                   // 4: first of all
			b.pass(time.Second)                                       //
			b.give(1, expires(late), promotional)                     // 5: as 3, later
			b.give(1, priority(60), promotional, expires(b.now+1000)) // 6: last of all
		}, "[4 3 5 2 1 6]"},
		{"fifo: created, whatever else", preset(catalog.PresetFIFO), func(b *book) {
			b.give(1, priority(90))
			b.pass(time.Second)
			b.give(1, priority(0), promotional, expires(late))
		}, "[1 2]"},
		{"promotional_first: category, then the default", preset(catalog.PresetPromotionalFirst), func(b *book) {
			b.give(1, priority(0), expires(late))
			b.give(1, promotional, priority(90))
			b.give(1, promotional, priority(80))
			b.give(1)
		}, "[3 2 1 4]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := open(t, calls(ordered(c.order...)))
			c.give(b)
			if got := b.drawn(units(b.State().Credits["calls"].Available())); got != c.want {
				t.Errorf("drawn %s, want %s", got, c.want)
			}
		})
	}
}

// TestDrawOrderIsTheSameAcrossScopes: grants of different scopes stand in one order.
func TestDrawOrderIsTheSameAcrossScopes(t *testing.T) {
	b := open(t)
	b.give(1, scoped(event("*")), priority(70))
	b.give(1, scoped(event("image.*")), priority(60))
	b.give(1, scoped(event("image.a")))
	b.give(1, scoped(event("*")), priority(40))
	b.give(1, scoped(event("video.x")), priority(0)) // does not accept
	if got := b.drawn(uses("image.a", 4)); got != "[4 3 2 1]" {
		t.Errorf("drawn %s", got)
	}
}

// TestDrawOrderBetweenCredits: where the orders of the credits differ the default decides
// between all their grants; what is used up has no say.
func TestDrawOrderBetweenCredits(t *testing.T) {
	fifo := credit("fifo", 0, ordered(catalog.ByCreatedAt))
	other := calls()
	anything := scoped(event("*"))
	t.Run("the orders differ", func(t *testing.T) {
		b := open(t, fifo, other)
		b.give(1, of("fifo"), anything, priority(60))
		b.pass(time.Second)
		b.give(1, of("fifo"), anything, priority(50))
		b.give(1, anything, priority(55))
		if got := b.drawn(uses("image.a", 3)); got != "[2 3 1]" {
			t.Errorf("drawn %s", got)
		}
	})
	t.Run("the other credit is used up", func(t *testing.T) {
		b := open(t, fifo, other)
		b.give(1, of("fifo"), anything, priority(60))
		b.pass(time.Second)
		b.give(1, of("fifo"), anything, priority(50))
		b.give(1, anything)
		b.deduct(units(1)) // of calls
		if got := b.drawn(uses("image.a", 2)); got != "[1 2]" {
			t.Errorf("drawn %s", got)
		}
	})
}

// subscribed gives the wallet a plan with one allowance of images.
func subscribed(b *book, quota int64, rules ...catalog.Rule) {
	b.t.Helper()
	b.do(plan(counts(wallet.Allowance{
		ID: "images", Quota: quota * wallet.MicrosPerUnit, Rules: rules,
		Period: catalog.Period{Kind: catalog.Monthly, Anchor: catalog.AnchorCalendar},
	})))
}

// TestDenialReasons is the table of vevee-golivekit-stripe.md section 1.3, row by row. The
// charge is 3 images; the plan gives 1 where it is short, the credits 1 where they are.
func TestDenialReasons(t *testing.T) {
	images := scoped(event("image.*"))
	for _, c := range []struct {
		name    string
		prepare func(b *book)
		allowed bool
		matched bool
		reasons string
	}{
		{"subscription, plan covers", func(b *book) { subscribed(b, 3, event("image.*")) }, true, true, "[]"},
		{"subscription, plan short, credits cover the rest", func(b *book) {
			subscribed(b, 1, event("image.*"))
			b.give(2, images)
		}, true, true, "[]"},
		{"subscription, plan short, never any credits", func(b *book) {
			subscribed(b, 1, event("image.*"))
			b.give(9, scoped(event("video.x")))
		}, false, true, "[plan_exhausted]"},
		{"subscription, plan short, credits too few", func(b *book) {
			subscribed(b, 1, event("image.*"))
			b.give(1, images)
		}, false, true, "[plan_and_credits_exhausted]"},
		{"subscription, plan short, credits expired", func(b *book) {
			subscribed(b, 1, event("image.*"))
			b.give(9, images, expires(start.Add(time.Hour)))
			b.pass(time.Hour)
		}, false, true, "[plan_and_credits_exhausted]"},
		{"subscription, plan short, credits revoked", func(b *book) {
			subscribed(b, 1, event("image.*"))
			b.do(&wallet.RevokeGrant{Grant: b.give(9, images)})
		}, false, true, "[plan_and_credits_exhausted]"},
		{"subscription, no allowance for it, credits cover", func(b *book) {
			subscribed(b, 9, event("video.x"))
			b.give(3, images)
		}, true, true, "[]"},
		{"subscription, no allowance for it, credits too few", func(b *book) {
			subscribed(b, 9, event("video.x"))
			b.give(2, images)
		}, false, true, "[credits_exhausted]"},
		{"subscription, no allowance for it, never any credits", func(b *book) {
			subscribed(b, 9, event("video.x"))
			b.give(9) // no scope: any use that names its credit, and this one does not
		}, false, false, "[unmatched_event]"},
		{"no subscription, credits cover", func(b *book) { b.give(3, images) }, true, true, "[]"},
		{"no subscription, credits too few", func(b *book) { b.give(2, images) }, false, true, "[no_subscription credits_exhausted]"},
		{"no subscription, never any credits", func(*book) {}, false, false, "[no_subscription]"},
		{"ended subscription counts as none", func(b *book) {
			subscribed(b, 9, event("image.*"))
			b.do(&wallet.EndSubscription{})
		}, false, false, "[no_subscription]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := open(t)
			c.prepare(b)
			a := b.deduct(uses("image.a", 3))
			if a.Allowed != c.allowed || a.Matched != c.matched || text(a.Reasons) != c.reasons {
				t.Errorf("allowed %t, matched %t, reasons %v; want %t, %t, %s", a.Allowed, a.Matched, a.Reasons, c.allowed, c.matched, c.reasons)
			}
		})
	}
	t.Run("a direct charge is only ever short of credits", func(t *testing.T) {
		b := open(t)
		a := b.deduct(units(3))
		if a.Allowed || !a.Matched || text(a.Reasons) != "[credits_exhausted]" {
			t.Errorf("%+v", a)
		}
	})
	t.Run("the overage limit comes last", func(t *testing.T) {
		b := open(t, calls(overage(catalog.Overage{Enabled: true, Limited: true, Limit: 2})))
		b.give(1, images)
		charge := uses("image.a", 4) // 1 + 2 < 4
		charge.Shortfall = wallet.Overage
		a := b.deduct(charge)
		if text(a.Reasons) != "[no_subscription credits_exhausted overage_limit_reached]" {
			t.Errorf("reasons %v", a.Reasons)
		}
	})
}

// TestDenialChangesNothingAndSaysWhatWasThere: of 10 asked 7 were there.
func TestDenialChangesNothingAndSaysWhatWasThere(t *testing.T) {
	b := open(t)
	n := b.give(7)
	a := b.deduct(units(10))
	if s := a.Shortage; a.Allowed || s == nil || s.Required != 10 || s.Available != 7 || s.Credit != "calls" {
		t.Errorf("allowed %t, shortage %+v", a.Allowed, a.Shortage)
	}
	b.is(n, "active, 7 available")
	b.says("credit_added +7 =7")
}

// TestShortfall: 10 are asked and 7 are there.
func TestShortfall(t *testing.T) {
	for _, c := range []struct {
		policy              wallet.Shortfall
		allowed             bool
		taken, short, owing int64
	}{
		{"", false, 0, 0, 0},
		{wallet.Deny, false, 0, 0, 0},
		{wallet.Partial, true, 7, 3, 0},
		{wallet.Overage, true, 10, 0, 3},
	} {
		t.Run("policy "+string(c.policy), func(t *testing.T) {
			b := open(t, calls(overage(catalog.Overage{Enabled: true})))
			b.give(7)
			charge := units(10)
			charge.Shortfall = c.policy
			a := b.deduct(charge)
			if a.Allowed != c.allowed || a.Taken != c.taken || a.Short != c.short {
				t.Errorf("allowed %t, taken %d, short %d", a.Allowed, a.Taken, a.Short)
			}
			b.stands("calls", 7-min(c.taken, 7), 7-min(c.taken, 7), c.owing)
		})
	}
	t.Run("partial of nothing is denied", func(t *testing.T) {
		b := open(t)
		charge := units(10)
		charge.Shortfall = wallet.Partial
		if a := b.deduct(charge); a.Allowed || text(a.Reasons) != "[credits_exhausted]" {
			t.Errorf("allowed %t, reasons %v", a.Allowed, a.Reasons)
		}
	})
	t.Run("partial of an allowance is as good", func(t *testing.T) {
		b := open(t)
		subscribed(b, 2, event("image.*"))
		charge := uses("image.a", 3)
		charge.Shortfall = wallet.Partial
		if a := b.deduct(charge); !a.Allowed || a.Taken != 2_000_000 || a.Short != 1_000_000 {
			t.Errorf("allowed %t, taken %d, short %d", a.Allowed, a.Taken, a.Short)
		}
	})
}

// TestOverage: the balance is 2, the charge 5, so 3 would go beyond zero.
func TestOverage(t *testing.T) {
	for _, c := range []struct {
		name    string
		policy  catalog.Overage
		allowed bool
		reasons string
	}{
		{"off", catalog.Overage{}, false, "[credits_exhausted]"},
		{"without limit", catalog.Overage{Enabled: true}, true, "[]"},
		{"at the limit", catalog.Overage{Enabled: true, Limited: true, Limit: 3}, true, "[]"},
		{"one past the limit", catalog.Overage{Enabled: true, Limited: true, Limit: 2}, false, "[credits_exhausted overage_limit_reached]"},
		{"limit zero", catalog.Overage{Enabled: true, Limited: true}, false, "[credits_exhausted overage_limit_reached]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := open(t, calls(overage(c.policy)))
			n := b.give(2)
			charge := units(5)
			charge.Shortfall = wallet.Overage
			a := b.deduct(charge)
			if a.Allowed != c.allowed || text(a.Reasons) != c.reasons {
				t.Fatalf("allowed %t, reasons %v", a.Allowed, a.Reasons)
			}
			if !c.allowed {
				b.is(n, "active, 2 available") // all of the rest goes beyond zero, or nothing is taken
				return
			}
			b.says("credit_added +2 =2", "credit_deducted -2 =0", "overage_charged -3 =0")
			b.stands("calls", 0, 0, 3) // the balance is never negative
		})
	}
}

// TestOverageRepaid: 3 are owed and 10 are granted.
func TestOverageRepaid(t *testing.T) {
	for _, c := range []struct {
		behavior catalog.OverageBehavior
		entries  []string
		balance  int64
		owing    int64
	}{
		{catalog.CarryDeficit, []string{"credit_added +10 =10"}, 10, 3},
		{catalog.ForgiveAtReset, []string{"credit_added +10 =10"}, 10, 3},
		{catalog.InvoiceAtBilling, []string{"credit_added +10 =10"}, 10, 3},
		{catalog.CarryDeficitAutoRepay, []string{"credit_added +10 =10", "credit_deducted -3 =7"}, 7, 0},
	} {
		t.Run(string(c.behavior), func(t *testing.T) {
			b := open(t, calls(overage(catalog.Overage{Enabled: true, Behavior: c.behavior})))
			charge := units(3)
			charge.Shortfall = wallet.Overage
			b.deduct(charge)
			b.said()
			b.give(10)
			b.says(c.entries...)
			b.stands("calls", c.balance, c.balance, c.owing)
			if used := b.State().Credits["calls"].Used; used != 3 { // repaying is not using
				t.Errorf("%d used, want 3", used)
			}
		})
	}
	t.Run("a grant smaller than what is owed", func(t *testing.T) {
		b := open(t, calls(overage(catalog.Overage{Enabled: true, Behavior: catalog.CarryDeficitAutoRepay})))
		charge := units(12)
		charge.Shortfall = wallet.Overage
		b.deduct(charge)
		b.is(b.give(10), "depleted, 10 spent")
		b.stands("calls", 0, 0, 2)
	})
	t.Run("when it begins, not when it is granted", func(t *testing.T) {
		b := open(t, calls(overage(catalog.Overage{Enabled: true, Behavior: catalog.CarryDeficitAutoRepay})))
		charge := units(3)
		charge.Shortfall = wallet.Overage
		b.deduct(charge)
		n := b.give(10, begins(start.Add(time.Hour)))
		b.stands("calls", 0, 0, 3)
		b.pass(time.Hour)
		b.is(n, "active, 7 available, 3 spent")
		b.stands("calls", 7, 7, 0)
	})
}

func TestResetOverage(t *testing.T) {
	b := open(t, calls(overage(catalog.Overage{Enabled: true})))
	charge := units(3)
	charge.Shortfall = wallet.Overage
	b.deduct(charge)
	b.do(&wallet.ResetOverage{Credit: "calls"})
	b.do(&wallet.ResetOverage{Credit: "calls"}) // nothing is left to reset
	b.says("overage_charged -3 =0", "overage_reset +3 =0")
	b.stands("calls", 0, 0, 0)
}

func TestScopeDecidesWhatAGrantPaysFor(t *testing.T) {
	high := catalog.Rule{Event: "image.*", Metadata: map[string]string{"tier": "high"}}
	direct, named := units(1), uses("image.a", 1)
	named.Credit = "calls"
	premium := uses("image.a", 1)
	premium.Metadata = wallet.Metadata{"tier": "high", "size": "2"}
	for _, c := range []struct {
		name   string
		scope  []catalog.Rule
		charge wallet.Charge
		pays   bool
	}{
		{"no scope, direct", nil, direct, true},
		{"no scope, event", nil, uses("image.a", 1), false},
		{"no scope, event and credit", nil, named, true},
		{"exact, its event", []catalog.Rule{event("image.a")}, uses("image.a", 1), true},
		{"exact, another event", []catalog.Rule{event("image.a")}, uses("image.b", 1), false},
		{"exact, direct", []catalog.Rule{event("image.a")}, direct, false},
		{"glob, below", []catalog.Rule{event("image.*")}, uses("image.a.large", 1), true},
		{"glob, beside", []catalog.Rule{event("image.*")}, uses("imagery", 1), false},
		{"everything, event", []catalog.Rule{event("*")}, uses("video", 1), true},
		{"everything, direct", []catalog.Rule{event("*")}, direct, true},
		{"metadata equal", []catalog.Rule{high}, premium, true},
		{"metadata missing", []catalog.Rule{high}, uses("image.a", 1), false},
		{"any of several rules", []catalog.Rule{event("video.x"), high}, premium, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := open(t)
			b.give(1, scoped(c.scope...))
			if a := b.deduct(c.charge); a.Allowed != c.pays {
				t.Errorf("allowed %t, reasons %v", a.Allowed, a.Reasons)
			}
		})
	}
	t.Run("the credit's scope is the default and does not bind direct charges", func(t *testing.T) {
		b := open(t, calls(func(c *catalog.Credit) { c.Scope = catalog.Scope{event("image.*")} }))
		b.give(3)
		for charge, want := range map[string]bool{"image.a": true, "video.x": false} {
			if a := b.deduct(uses(charge, 1)); a.Allowed != want {
				t.Errorf("%s: allowed %t", charge, a.Allowed)
			}
		}
		if a := b.deduct(direct); !a.Allowed {
			t.Errorf("direct: %v", a.Reasons)
		}
	})
}

// TestUnitsPerCredit: how many units a quantity costs, rounded up to the credit's smallest unit.
func TestUnitsPerCredit(t *testing.T) {
	ratio := func(text string) money.Ratio {
		r, err := money.ParseRatio(text)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	for _, c := range []struct {
		name      string
		precision int
		perCredit string // how much quantity one credit pays for
		quantity  int64  // micros
		units     int64
	}{
		{"one for one", 0, "1", 4_000_000, 4},
		{"a fraction costs a whole one", 0, "1", 4_000_001, 5},
		{"two decimals", 2, "1", 4_001_000, 401}, // 4.001 credits, up to 4.01
		{"3 a credit", 0, "3", 7_000_000, 3},     // 2.33 credits
		{"3 a credit, exactly", 0, "3", 6_000_000, 2},
		{"8 credits for one", 0, "0.125", 1_000_000, 8},
		{"0.075 with precision 4", 4, "0.075", 1_000_000, 133_334}, // 13.33333.. credits
		{"the smallest quantity", 0, "1000", 1, 1},
		{"precision 10, a million a credit", 10, "1000000", 1_000_000, 10_000},
		{"a quantity so large that it needs 128 bits", 10, "1000000000", wallet.MaxQuantity, 10_000_000_000_000},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := open(t, credit("calls", c.precision))
			b.give(100_000_000_000_000, scoped(catalog.Rule{Event: "*", UnitsPerCredit: ratio(c.perCredit)}))
			a := b.deduct(wallet.Charge{Event: "image.a", Quantity: c.quantity})
			if !a.Allowed || len(a.Draw) != 1 || a.Draw[0].Units != c.units || a.Taken != c.quantity {
				t.Errorf("allowed %t, taken %d, draw %+v; want %d units", a.Allowed, a.Taken, a.Draw, c.units)
			}
		})
	}
}

// TestGrantsAtDifferentRates: 10 images are asked. The narrow grant has 2 calls at 3 images
// each and covers 6; the broad one pays one for one and covers 4.
func TestGrantsAtDifferentRates(t *testing.T) {
	b := open(t)
	three := catalog.Rule{Event: "image.a", UnitsPerCredit: money.Ratio{Num: 3, Den: 1}}
	narrow, broad := b.give(2, scoped(three)), b.give(9, scoped(event("*")), priority(60))
	a := b.deduct(uses("image.a", 10))
	if !a.Allowed || a.Taken != 10_000_000 {
		t.Errorf("allowed %t, taken %d", a.Allowed, a.Taken)
	}
	b.is(narrow, "depleted, 2 spent")
	b.is(broad, "active, 5 available, 4 spent")
}

// TestTooLittleToCountIsLeft: of a grant with 1 unit that pays for a third of a micro nothing
// can be counted, so it stays and the next grant pays.
func TestTooLittleToCountIsLeft(t *testing.T) {
	b := open(t, credit("calls", 10))
	rule := catalog.Rule{Event: "*", UnitsPerCredit: money.Ratio{Num: 3, Den: 1000}}
	// A credit of 10^10 units pays for 0.003, which are 3000 micros: a micro costs 3333333.3 units.
	crumb, loaf := b.give(3_333_333, scoped(rule), priority(0)), b.give(10_000_000, scoped(rule))
	a := b.deduct(wallet.Charge{Event: "image.a", Quantity: 2})
	if !a.Allowed {
		t.Fatalf("denied: %v", a.Reasons)
	}
	b.is(crumb, "active, 3333333 available")
	b.is(loaf, "active, 3333333 available, 6666667 spent")
}

func TestChargesThatMakeNoSense(t *testing.T) {
	change := func(c wallet.Charge, f func(*wallet.Charge)) wallet.Charge { f(&c); return c }
	for _, c := range []struct {
		name   string
		charge wallet.Charge
		code   fault.Code
	}{
		{"nothing named", wallet.Charge{Amount: 1}, fault.CodeMissingField},
		{"event with an amount", wallet.Charge{Event: "image.a", Amount: 1, Quantity: 1}, fault.CodeConflictingFields},
		{"unknown credit", wallet.Charge{Credit: "gold", Amount: 1}, fault.CodeCreditNotFound},
		{"unknown credit with an event", wallet.Charge{Credit: "gold", Event: "image.a", Quantity: 1}, fault.CodeCreditNotFound},
		{"amount zero", units(0), fault.CodeInvalidAmount},
		{"amount negative", units(-1), fault.CodeInvalidAmount},
		{"amount one past the greatest", units(wallet.MaxUnits + 1), fault.CodeInvalidAmount},
		{"quantity zero", uses("image.a", 0), fault.CodeInvalidQuantity},
		{"quantity negative", uses("image.a", -1), fault.CodeInvalidQuantity},
		{"quantity one past the greatest", wallet.Charge{Event: "image.a", Quantity: wallet.MaxQuantity + 1}, fault.CodeInvalidQuantity},
		{"a pattern is no event", uses("image.*", 1), fault.CodeInvalidRequest},
		{"unknown shortfall", change(units(1), func(c *wallet.Charge) { c.Shortfall = "beg" }), fault.CodeInvalidRequest},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := open(t)
			b.give(9)
			b.refused(&wallet.Deduct{Charge: c.charge}, c.code)
			b.refused(&wallet.Reserve{Charge: c.charge}, c.code)
			if c.charge.Event != "" {
				b.refused(&wallet.Track{Charge: c.charge}, c.code)
			}
		})
	}
	t.Run("the greatest amount and quantity are asked for in vain but in order", func(t *testing.T) {
		b := open(t)
		b.deduct(units(wallet.MaxUnits))
		b.deduct(wallet.Charge{Event: "image.a", Quantity: wallet.MaxQuantity})
	})
}

// TestTrack: what matches is charged or blocked; what does not is recorded and charges nothing.
func TestTrack(t *testing.T) {
	for _, c := range []struct {
		name    string
		prepare func(b *book)
		allowed bool
		match   wallet.MatchStatus
	}{
		{"charged", func(b *book) { b.give(3, scoped(event("image.*"))) }, true, wallet.Matched},
		{"blocked is not recorded", func(b *book) { b.give(2, scoped(event("image.*"))) }, false, ""},
		{"no subscription", func(*book) {}, false, wallet.NotSubscribed},
		{"unmatched", func(b *book) { subscribed(b, 9, event("video.x")) }, false, wallet.Unmatched},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := open(t)
			c.prepare(b)
			a := b.do(&wallet.Track{Charge: uses("image.a", 3), Response: "r"})
			var match wallet.MatchStatus
			if a.Usage != nil {
				match = a.Usage.Match
			}
			if a.Allowed != c.allowed || match != c.match {
				t.Errorf("allowed %t, recorded as %q; want %t, %q", a.Allowed, match, c.allowed, c.match)
			}
		})
	}
	t.Run("an event must be named", func(t *testing.T) {
		open(t).refused(&wallet.Track{Charge: units(1)}, fault.CodeMissingField)
	})
}
