package acceptance

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/money"
	"github.com/seed42445051/scrip/store"
	v1 "github.com/seed42445051/scrip/v1"
	"github.com/seed42445051/scrip/wallet"
)

// Holds, plans beside credits, and taking back.
var spendRows = []row[*forge]{
	{"V46 only a matching pack helps", func(t *testing.T, f *forge) {
		f.subscribe("u", "pro")
		f.use("u", gemini, "40")
		f.buy("u", bundle, "cs_1")
		f.denied(f.reserve("u", gemini, "1"), true, "plan_exhausted")
	}},
	{"V48 plan exhausted: offer an upgrade", func(t *testing.T, f *forge) {
		f.subscribe("u", "free")
		f.use("u", gemini, "2")
		f.denied(f.reserve("u", gemini, "1"), true, "plan_exhausted")
	}},
	{"V49 plan and credits exhausted: offer credits", func(t *testing.T, f *forge) {
		f.subscribe("u", "free")
		f.use("u", gemini, "2")
		f.buy("u", topUp, "cs_1")
		f.use("u", gemini, "50")
		f.denied(f.reserve("u", gemini, "1"), true, "plan_and_credits_exhausted")
	}},
	{"V51 commit stores the response", commitResponse},
	{"V53 a refund goes to the very grant", func(t *testing.T, f *forge) {
		a := f.buy("u", topUp, "cs_a")[0]
		b := f.buy("u", topUp, "cs_b")[0]
		d := f.reserve("u", gemini, "20")
		f.has(a.ID, "30", "20")
		f.release(d.ReservationID)
		f.has(a.ID, "50", "0")
		f.has(b.ID, "50", "0")
		// Over both, and back to both.
		d = f.reserve("u", gemini, "70")
		f.has(a.ID, "0", "50")
		f.has(b.ID, "30", "20")
		f.release(d.ReservationID)
		f.has(a.ID, "50", "0")
		f.has(b.ID, "50", "0")
	}},
	{"V54 a forgotten hold", func(t *testing.T, f *forge) {
		f.buy("u", topUp, "cs_1")
		f.allowed(f.reserve("u", gemini, "50"))
		f.clock.Advance(60*time.Second - time.Microsecond)
		f.denied(f.reserve("u", gemini, "1"), true, "no_subscription", "credits_exhausted")
		f.clock.Advance(time.Microsecond)
		f.allowed(f.reserve("u", gemini, "50"))
	}},
	{"V55 a late commit", func(t *testing.T, f *forge) {
		g := f.buy("u", topUp, "cs_1")[0]
		d := f.reserve("u", gemini, "20")
		f.clock.Advance(61 * time.Second)
		_, err := f.Commit(t.Context(), v1.CommitRequest{ReservationID: d.ReservationID})
		refused(t, err, fault.CodeReservationExpired, 400)
		f.has(g.ID, "50", "0")
		equal(t, "used", balance(t, f, "u", f.renders).Used, "0")
		_, err = f.Release(t.Context(), v1.ReleaseRequest{ReservationID: d.ReservationID})
		refused(t, err, fault.CodeReservationExpired, 400)
	}},
	{"V56 closing twice", closingTwice},
	{"V66 a cancelled user spends credits", func(t *testing.T, f *forge) {
		f.subscribe("u", "pro")
		f.buy("u", topUp, "cs_1")
		f.use("u", gemini, "1")
		equal(t, "counter", f.counter("u"), "1")
		f.unsubscribe("u")
		f.use("u", gemini, "1")
		equal(t, "credits", balance(t, f, "u", f.renders).Available, "49")
	}},
	{"V67 then both are out", func(t *testing.T, f *forge) {
		f.subscribe("u", "pro")
		f.buy("u", topUp, "cs_1")
		f.unsubscribe("u")
		f.use("u", gemini, "50")
		d, err := f.CanUse(t.Context(), v1.CanUseRequest{Charge: charge("u", gemini, "1")})
		noError(t, err)
		f.denied(d, true, "no_subscription", "credits_exhausted")
	}},
	{"V68 a refund revokes by balance", func(t *testing.T, f *forge) {
		g := f.buy("u", topUp, "cs_1")[0]
		revoked, err := f.RevokeGrant(t.Context(), g.ID, v1.RevokeRequest{Reason: "refunded re_1"})
		noError(t, err)
		equal(t, "left", revoked.Available, "0")
		equal(t, "status", revoked.Status, "revoked")
		f.denied(f.reserve("u", gemini, "1"), true, "no_subscription", "credits_exhausted")
		again, err := f.RevokeGrant(t.Context(), g.ID, v1.RevokeRequest{})
		noError(t, err)
		same(t, "after revoking again", again, revoked)
	}},
	{"V70 grant and revocation are two entries", func(t *testing.T, f *forge) {
		g := f.buy("u", topUp, "cs_1")[0]
		_, err := f.RevokeGrant(t.Context(), g.ID, v1.RevokeRequest{Reason: "refunded re_1"})
		noError(t, err)
		ledger := entries(t, f, "u")
		equal(t, "entries", types(ledger), "credit_added revoked")
		equal(t, "granted", ledger[0].Amount, "50")
		equal(t, "taken back", ledger[1].Amount, "-50")
		equal(t, "reason", ledger[1].Reason, "refunded re_1")
		equal(t, "amount of the grant", f.grantNow(g.ID).Amount, "50")
	}},
	{"V71 support can reconstruct", reconstruct},
	{"V72 revoking after partial use", func(t *testing.T, f *forge) {
		g := f.buy("u", topUp, "cs_1")[0]
		f.use("u", gemini, "20")
		_, err := f.RevokeGrant(t.Context(), g.ID, v1.RevokeRequest{Reason: "refund"})
		noError(t, err)
		ledger := entries(t, f, "u")
		equal(t, "last entry", ledger[len(ledger)-1].Amount, "-30")
		now := f.grantNow(g.ID)
		equal(t, "spent", now.Spent, "20")
		equal(t, "revoked", now.Revoked, "30")
		equal(t, "used", balance(t, f, "u", f.renders).Used, "20")
	}},
	{"V76 pay as you go", func(t *testing.T, f *forge) {
		f.createPack(v1.CreatePack{
			ID: "cpk_welcome", Name: "Welcome",
			Items: []v1.PackItem{{CreditID: f.renders, Amount: "3", Scope: only("*")}},
		})
		_, err := f.Grant(t.Context(), v1.GrantRequest{CustomerID: "u", PackID: "cpk_welcome", Source: "grant"})
		noError(t, err)
		f.use("u", gemini, "3")
		f.denied(f.reserve("u", gemini, "1"), true, "no_subscription", "credits_exhausted")
		f.buy("u", topUp, "cs_1")
		f.allowed(f.reserve("u", gemini, "1"))
	}},
}

func TestVeveeSpending(t *testing.T) { runRows(t, spendRows, newForge) }

// commitResponse keeps what the model said with the reservation and with the event, up to 32 KB
// of whole characters.
func commitResponse(t *testing.T, f *forge) {
	f.buy("u", topUp, "cs_1")
	short := f.reserve("u", gemini, "1")
	r, err := f.Commit(t.Context(), v1.CommitRequest{ReservationID: short.ReservationID, Response: "a cat, drawn"})
	noError(t, err)
	equal(t, "response", r.Response, "a cat, drawn")

	long := f.reserve("u", gemini, "1")
	text := "x" + strings.Repeat("é", 20_000) // a cut at 32 KB goes through a character
	f.clock.Advance(time.Second)
	_, err = f.Commit(t.Context(), v1.CommitRequest{ReservationID: long.ReservationID, Response: text})
	noError(t, err)
	stored, err := f.GetReservation(t.Context(), long.ReservationID)
	noError(t, err)
	if n := len(stored.Response); n > 32<<10 || n < 32<<10-4 || !strings.HasPrefix(text, stored.Response) {
		t.Fatalf("%d bytes were kept, which are not the beginning of the response", n)
	}
	usages, err := f.store.Usages(t.Context(), store.UsageQuery{App: f.key("u").App, Mode: f.key("u").Mode, Customer: "u", Limit: 10})
	noError(t, err)
	equal(t, "events", len(usages), 2)
	equal(t, "newest", usages[0].Response, stored.Response)
	equal(t, "oldest", usages[1].Response, "a cat, drawn")
}

// closingTwice closes reservations a second time, in each way after each way.
func closingTwice(t *testing.T, f *forge) {
	f.buy("u", topUp, "cs_1")
	for _, first := range []string{"commit", "release"} {
		d := f.reserve("u", gemini, "5")
		if first == "commit" {
			f.commit(d.ReservationID)
		} else {
			f.release(d.ReservationID)
		}
		before := balance(t, f, "u", f.renders)
		written := len(entries(t, f, "u"))
		_, err := f.Commit(t.Context(), v1.CommitRequest{ReservationID: d.ReservationID})
		refused(t, err, fault.CodeReservationNotPending, 400)
		_, err = f.Release(t.Context(), v1.ReleaseRequest{ReservationID: d.ReservationID})
		refused(t, err, fault.CodeReservationNotPending, 400)
		_, err = f.Extend(t.Context(), v1.ExtendRequest{ReservationID: d.ReservationID, TTLSeconds: 60})
		refused(t, err, fault.CodeReservationNotPending, 400)
		same(t, "balance after "+first, balance(t, f, "u", f.renders), before)
		equal(t, "entries", len(entries(t, f, "u")), written)
	}
}

// reconstruct sums the ledger at every instant of a life and compares with what was there then.
func reconstruct(t *testing.T, f *forge) {
	type moment struct {
		available money.Decimal
		held      money.Decimal
	}
	then := map[int64]moment{}
	step := func(what func()) {
		f.clock.Advance(time.Minute / 2)
		what()
		b := balance(t, f, "u", f.renders)
		then[int64(f.clock.Now())] = moment{b.Available, b.Held}
	}
	var g v1.Grant
	var d v1.Decision
	step(func() { g = f.buy("u", topUp, "cs_1")[0] })
	step(func() { f.buy("u", bundle, "cs_2") })
	step(func() { f.use("u", gemini, "20") })
	step(func() { d = f.reserve("u", gemini, "7") })
	step(func() { f.release(d.ReservationID) })
	step(func() { d = f.reserve("u", gemini, "5") })
	step(func() {}) // half of the hold's life
	step(func() {}) // it lapses at this very instant
	step(func() {
		_, err := f.RevokeGrant(context.Background(), g.ID, v1.RevokeRequest{Reason: "refund"})
		noError(t, err)
	})
	f.clock.Set(days(91)) // the bundle has expired
	then[int64(f.clock.Now())] = moment{"0", "0"}

	ledger := entries(t, f, "u")
	for at, want := range then {
		var sum int64
		for _, e := range ledger {
			if int64(e.EffectiveAt) > at {
				continue
			}
			for _, s := range e.Slices {
				n, err := s.Amount.Units(0)
				noError(t, err)
				sum += n // a hold takes from what is available, its release gives back
				if e.Type == "credit_deducted" && e.ReferenceType == wallet.RefReservation {
					sum -= n // the hold had taken it already
				}
			}
		}
		equal(t, "sum of the rows", money.Decimal(money.FormatUnits(sum, 0)), want.available)
		b := balanceAt(t, f, "u", f.renders, clockAt(at))
		equal(t, "available at the instant", b.Available, want.available)
		equal(t, "held at the instant", b.Held, want.held)
	}
}
