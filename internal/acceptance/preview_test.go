package acceptance

import (
	"context"
	"testing"
	"time"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/money"
	"github.com/seed42445051/scrip/store"
	v1 "github.com/seed42445051/scrip/v1"
	"github.com/seed42445051/scrip/wallet"
)

// untouched is all that a question could change: the wallets' rows, their ledgers and customers.
func (f *forge) untouched(customers ...string) string {
	f.t.Helper()
	ctx := context.Background()
	all, err := f.ListCustomers(ctx, v1.CustomerQuery{})
	noError(f.t, err)
	text := string(toJSON(f.t, all))
	for _, customer := range customers {
		sn, err := f.store.Snapshot(ctx, f.key(customer).ID())
		noError(f.t, err)
		stored, err := f.store.Entries(ctx, store.EntryQuery{Wallet: f.key(customer).ID(), Limit: store.MaxPage})
		noError(f.t, err)
		text += string(toJSON(f.t, sn)) + string(toJSON(f.t, stored))
	}
	return text
}

// previews are charges of customer u, or of nobody, and what the world is like before them.
var previews = []struct {
	name   string
	before func(f *forge)
	charge v1.Charge
}{
	{"enough", func(f *forge) { f.give("u", f.renders, "10") }, direct("u", "Renders", "10")},
	{"too little", func(f *forge) { f.give("u", f.renders, "10") }, direct("u", "Renders", "11")},
	{"a part", func(f *forge) { f.give("u", f.renders, "10") }, v1.Charge{CustomerID: "u", CreditID: "Renders", Amount: "11", Shortfall: "partial"}},
	{"a part of nothing", func(f *forge) { f.give("u", f.renders, "10"); f.spendAll() }, v1.Charge{CustomerID: "u", CreditID: "Renders", Amount: "1", Shortfall: "partial"}},
	{"beyond zero", func(f *forge) { f.overdraws("5"); f.give("u", f.renders, "10") }, v1.Charge{CustomerID: "u", CreditID: "Renders", Amount: "15", Shortfall: "overage"}},
	{"too far beyond zero", func(f *forge) { f.overdraws("5"); f.give("u", f.renders, "10") }, v1.Charge{CustomerID: "u", CreditID: "Renders", Amount: "16", Shortfall: "overage"}},
	{"gated", func(f *forge) { f.buy("u", bundle, "cs"); f.buy("u", topUp, "cs") }, charge("u", dalle, "7")},
	{"gated, with a plan before", func(f *forge) { f.subscribe("u", "pro"); f.buy("u", topUp, "cs") }, charge("u", gemini, "60")},
	{"gated, plan and credits used up", func(f *forge) { f.subscribe("u", "free"); f.buy("u", topUp, "cs") }, charge("u", gemini, "60")},
	{"unmatched", func(f *forge) { f.subscribe("u", "free") }, charge("u", veo, "1")},
	{"nobody", func(*forge) {}, direct("nobody", "Renders", "1")},
	{"nobody, by event", func(*forge) {}, charge("nobody", gemini, "1")},
	{"after a grant ended and a hold lapsed", func(f *forge) {
		f.give("u", f.renders, "3")
		f.do(catalog.Live, "u", &wallet.GiveCredits{Credit: f.renders, Amount: 10, ExpiresAt: f.clock.Now().Add(time.Hour)})
		f.do(catalog.Live, "u", &wallet.GiveCredits{Credit: f.renders, Amount: 4, EffectiveAt: f.clock.Now().Add(time.Minute)})
		_, err := f.Reserve(context.Background(), v1.ReserveRequest{Charge: direct("u", f.renders, "2")})
		noError(f.t, err)
		f.clock.Advance(2 * time.Hour)
	}, direct("u", "Renders", "7")},
}

func (f *forge) spendAll() {
	f.t.Helper()
	_, err := f.Deduct(context.Background(), v1.DeductRequest{Charge: v1.Charge{CustomerID: "u", CreditID: "Renders", Amount: "1000", Shortfall: "partial"}})
	noError(f.t, err)
}

// overdraws lets the credit go beyond zero.
func (f *forge) overdraws(most money.Decimal) {
	f.t.Helper()
	o := v1.Overage{Enabled: true, Limit: &most}
	_, err := f.UpdateCredit(context.Background(), f.renders, v1.UpdateCredit{Overage: &o})
	noError(f.t, err)
}

// TestPreview asks what a charge would come to, finds that nothing was written, and makes the
// reservation: it comes to exactly what was said.
func TestPreview(t *testing.T) {
	onBoth(t, func(t *testing.T, db *database) {
		for _, c := range previews {
			t.Run(c.name, func(t *testing.T) {
				f := newForge(t, db)
				c.before(f)
				before := f.untouched("u", "nobody")
				said, err := f.CanUse(t.Context(), v1.CanUseRequest{Charge: c.charge})
				noError(t, err)
				explained, err := f.ExplainCharge(t.Context(), v1.CanUseRequest{Charge: c.charge})
				noError(t, err)
				equal(t, "explained", explained.Allowed, said.Allowed)
				equal(t, "what is stored", f.untouched("u", "nobody"), before)

				made, err := f.Reserve(t.Context(), v1.ReserveRequest{Charge: c.charge})
				noError(t, err)
				equal(t, "a reservation", made.ReservationID != "", made.Allowed)
				made.ReservationID, made.ExpiresAt = "", 0
				same(t, "the reservation", made, said)
			})
		}
	})
}
