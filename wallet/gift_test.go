package wallet_test

import (
	"fmt"
	"testing"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/wallet"
)

func bonus(units int64) func(*catalog.Credit) {
	return func(c *catalog.Credit) { c.Sales.SignupBonus = units }
}

func redeem(use int64) *wallet.Redeem {
	return &wallet.Redeem{Code: "code_1", Text: "SUMMER", Use: use, Credit: "calls", Amount: 10, Category: catalog.Promotional}
}

// TestRedeemOnce: a use of a code is granted once, also when what it gave is spent.
func TestRedeemOnce(t *testing.T) {
	b := open(t)
	first := b.do(redeem(1)).Grants[0]
	if g := b.Stored(first.N); g.Source != wallet.SourceGrant || g.SourceID != "code_1" || g.ExternalRef != "code:code_1:1" || g.Reason != "Code SUMMER" {
		t.Errorf("granted %+v", g)
	}
	b.do(&wallet.Deduct{Charge: wallet.Charge{Credit: "calls", Amount: 10}})
	for range 3 {
		again := b.do(redeem(1))
		if !again.Existing || again.Grants[0].N != first.N || len(again.Entries) > 0 {
			t.Errorf("again %+v", again)
		}
	}
	if next := b.do(redeem(2)); next.Existing || next.Entries[0].RefType != wallet.RefCode || next.Entries[0].RefID != "code_1" {
		t.Errorf("another use %+v", next)
	}
}

// TestRedeemedLife: it lives as long as the code says, from when it is granted, else as the credit
// says.
func TestRedeemedLife(t *testing.T) {
	b := open(t, calls(func(c *catalog.Credit) { c.ExpiresAfterDays = 30 }))
	if g := b.do(redeem(1)).Grants[0]; g.ExpiresAt != start.Add(30*day) {
		t.Errorf("expires %s", g.ExpiresAt)
	}
	b.pass(day)
	short := redeem(2)
	short.Days = 2
	if g := b.do(short).Grants[0]; g.ExpiresAt != start.Add(3*day) {
		t.Errorf("expires %s", g.ExpiresAt)
	}
	b.defs.Credits["calls"].ArchivedAt = start
	b.refused(redeem(3), fault.CodeCreditArchived)
}

// TestRegisterOnce: every credit that has a bonus gives it once, whatever became of it.
func TestRegisterOnce(t *testing.T) {
	b := open(t, calls(bonus(50)), credit("other", 2, bonus(125)), credit("none", 0), credit("off", 0, bonus(7)), credit("gone", 0, bonus(9)))
	b.defs.Credits["off"].Sales.Off = true
	b.defs.Credits["gone"].ArchivedAt = start
	first := b.do(&wallet.Register{Told: "a"})
	if first.Existing || len(first.Grants) != 2 || len(first.Entries) != 2 {
		t.Fatalf("registered %+v", first)
	}
	if g := first.Grants[0]; g.Credit != "calls" || g.Amount != 50 || g.Category != catalog.Promotional || g.Reason != "Sign-up bonus" ||
		g.Source != wallet.SourceGrant || g.ExternalRef != wallet.RefSignupBonus {
		t.Errorf("granted %+v", g)
	}
	b.do(&wallet.Deduct{Charge: wallet.Charge{Credit: "calls", Amount: 50}})
	if again := b.do(&wallet.Register{Told: "b"}); !again.Existing || len(again.Entries) > 0 || len(again.Grants) != 2 {
		t.Errorf("again %+v", again)
	}
	b.defs.Credits["off"].Sales.Off = false
	late := b.do(&wallet.Register{})
	if len(late.Entries) != 1 || late.Entries[0].Credit != "off" || len(late.Grants) != 3 {
		t.Errorf("with another bonus %+v", late)
	}
	if none := open(t).do(&wallet.Register{}); !none.Allowed || none.Existing || len(none.Grants)+len(none.Entries) > 0 {
		t.Errorf("without a bonus %+v", none)
	}
}

// TestRegisterAsksWhatItDoesNotKnow: which bonuses there are may have changed since the needs were
// read, and a bonus that was spent is not in memory.
func TestRegisterAsksWhatItDoesNotKnow(t *testing.T) {
	b := open(t, calls(bonus(50)))
	state := wallet.Load(&wallet.Snapshot{Header: wallet.Header{ID: b.State().ID, Key: b.State().Key, Version: 1}}, b.defs)
	_, err := wallet.Decide(state, &wallet.Register{}, wallet.Context{Now: start, Defs: b.defs})
	missing, ok := err.(*wallet.Missing)
	if !ok || len(missing.Needs.External) != 1 || missing.Needs.External[0] != (wallet.ExternalRef{What: "calls", Ref: wallet.RefSignupBonus}) {
		t.Fatalf("the error is %v", err)
	}
	state.Adopt(&missing.Needs, &wallet.Found{})
	if d, err := wallet.Decide(state, &wallet.Register{}, wallet.Context{Now: start, Defs: b.defs}); err != nil || len(d.Grants) != 1 {
		t.Errorf("%+v, %v", d, err)
	}
	state.Trim()
	if _, err := wallet.Decide(state, &wallet.Register{}, wallet.Context{Now: start, Defs: b.defs}); err == nil {
		t.Error("what was fetched for one batch is known in the next")
	}
}

// TestRegisterAtTheLimit: all bonuses are granted, or none.
func TestRegisterAtTheLimit(t *testing.T) {
	b := open(t, calls(bonus(50)), credit("other", 0, bonus(1)))
	pack := &catalog.Pack{ID: "pck"}
	for i := range catalog.MaxPackItems {
		pack.Items = append(pack.Items, catalog.PackItem{ID: fmt.Sprint(i), Credit: "calls", Amount: 1, Category: catalog.Paid})
	}
	b.defs.Packs["pck"] = pack
	filled := 0
	for ; filled+len(pack.Items) <= wallet.MaxOpenGrants-2; filled += len(pack.Items) {
		b.do(&wallet.GiveCredits{Pack: "pck"})
	}
	for ; filled < wallet.MaxOpenGrants-1; filled++ {
		b.give(1)
	}
	b.refused(&wallet.Register{}, fault.CodeTooManyGrants)
	b.do(&wallet.Deduct{Charge: wallet.Charge{Credit: "calls", Amount: 1}})
	if a := b.do(&wallet.Register{}); len(a.Entries) != 2 {
		t.Errorf("registered %+v", a)
	}
}
