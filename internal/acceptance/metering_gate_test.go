package acceptance

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/money"
	"github.com/seed42445051/scrip/store"
	v1 "github.com/seed42445051/scrip/v1"
)

// chat is an event that two meters charge: one sums up n at 10 tokens a credit beyond 100 free
// ones, the other counts calls at one credit each.
type chat struct {
	*gauge
	tokens, calls string
}

func newChat(g *gauge) *chat {
	g.t.Helper()
	c := &chat{gauge: g, tokens: g.credit(v1.CreateCredit{Name: "Tokens"}), calls: g.credit(v1.CreateCredit{Name: "Calls"})}
	g.meter("chat", "sum", "n", linked(c.tokens, "10", "100"))
	g.meter("chat", "count", "", linked(c.calls, "", ""))
	return c
}

// has fails the test unless this much is available and held of a credit.
func (g *gauge) has(customer, credit string, available, held money.Decimal) {
	g.t.Helper()
	b := balance(g.t, g, customer, credit)
	if b.Available != available || b.Held != held {
		g.t.Fatalf("available %s, held %s, want %s and %s", b.Available, b.Held, available, held)
	}
}

// TestGatedMetering reserves before the work and commits what it came to. Ann has 50 tokens'
// credits and 9 calls. Due of tokens is always floor((aggregate - 100) / 10).
//
//	hold  60: floor((60 - 100) / 10) -> 0 held; 1 call held
//	hold  60: 60 + 60 = 120 -> 2 held; 2 calls held
//	release the first: 2 held, 1 call; commit the second: aggregate 60, due 0, so all 2 go back
//	hold 200: 260 -> 16; commit 100: aggregate 160 -> 6 taken, 10 back: 44 left, 7 calls
//	hold 100: 260 -> 16 - 6 = 10; commit 255, which is more: aggregate 415 -> 31: 10 held and 15 fresh: 19 left, 6 calls
//	hold 100: 515 -> 41 - 31 = 10, and let it expire
//	300 more would make 715 -> 61 - 31 = 30 due and there are 19: due may rise to 50, which the
//	aggregate reaches at 600 and leaves at 610: what is there of the 300 is 610 - 415 - 1 = 194
//	track 10.5: 425.5 -> 32: 18 left, 5 calls; deduct 4.5: 430 -> 33: 17 left, 4 calls
func TestGatedMetering(t *testing.T) {
	overGauge(t, func(t *testing.T, g *gauge) {
		ctx := context.Background()
		c := newChat(g)
		g.give("ann", c.tokens, "50", 0)
		g.give("ann", c.calls, "9", 0)
		has := func(tokens, held, calls, callsHeld money.Decimal) {
			t.Helper()
			g.has("ann", c.tokens, tokens, held)
			g.has("ann", c.calls, calls, callsHeld)
		}
		first := g.hold(used("ann", "chat", "60"))
		has("50", "0", "8", "1")
		second := g.hold(used("ann", "chat", "60"))
		has("48", "2", "7", "2")
		_, err := g.Release(ctx, v1.ReleaseRequest{ReservationID: first})
		noError(t, err)
		has("48", "2", "8", "1")
		g.take(second, "", false)
		has("50", "0", "8", "0")

		less := g.hold(used("ann", "chat", "200"))
		has("34", "16", "7", "1")
		done := g.take(less, "100", false)
		equal(t, "committed", done.Committed, "100")
		has("44", "0", "7", "0")

		more := g.hold(used("ann", "chat", "100"))
		has("34", "10", "6", "1")
		excess := decimal("255")
		_, err = g.Commit(ctx, v1.CommitRequest{ReservationID: more, Amount: &excess})
		wantCode(t, err, fault.CodeReservationTooSmall)
		has("34", "10", "6", "1")
		done = g.take(more, "255", true)
		equal(t, "committed", done.Committed, "255")
		has("19", "0", "6", "0")
		_, err = g.Commit(ctx, v1.CommitRequest{ReservationID: more})
		wantCode(t, err, fault.CodeReservationNotPending)

		lapses := g.hold(used("ann", "chat", "100"))
		has("9", "10", "5", "1")
		g.clock.Advance(time.Hour)
		has("19", "0", "6", "0")
		_, err = g.Commit(ctx, v1.CommitRequest{ReservationID: lapses})
		wantCode(t, err, fault.CodeReservationExpired)

		g.denies(used("ann", "chat", "300"), "194", "credits_exhausted")
		d, err := g.CanUse(ctx, v1.CanUseRequest{Charge: used("ann", "chat", "194")})
		noError(t, err)
		equal(t, "what is there is allowed", d.Allowed, true)
		d, err = g.CanUse(ctx, v1.CanUseRequest{Charge: used("ann", "chat", "195")})
		noError(t, err)
		equal(t, "and no more", d.Allowed, false)
		has("19", "0", "6", "0")

		tracked, err := g.Track(ctx, v1.TrackRequest{Charge: used("ann", "chat", "10.5")})
		noError(t, err)
		equal(t, "match", tracked.MatchStatus, "matched")
		has("18", "0", "5", "0")
		_, err = g.Deduct(ctx, v1.DeductRequest{Charge: used("ann", "chat", "4.5")})
		noError(t, err)
		has("17", "0", "4", "0")

		// Each of the two is all or nothing with the other.
		part := used("ann", "chat", "1")
		part.Shortfall = "partial"
		_, err = g.Deduct(ctx, v1.DeductRequest{Charge: part})
		wantCode(t, err, fault.CodeInvalidRequest)
		for range 4 {
			_, err = g.Track(ctx, v1.TrackRequest{Charge: used("ann", "chat", "0.1")})
			noError(t, err)
		}
		g.denies(used("ann", "chat", "0.1"), "0", "credits_exhausted")
		has("17", "0", "0", "0")

		// The commits, tracks and deductions are usage events like any other: they are listed,
		// and voiding one gives back what it cost.
		page, err := g.ListEvents(ctx, v1.EventQuery{CustomerID: "ann"})
		noError(t, err)
		equal(t, "events", len(page.Data), 9)
		for _, e := range page.Data {
			if e.EventID == tracked.EventID {
				g.void("ann", e.EventID)
			}
		}
		// 430.4 - 10.5 = 419.9 -> floor(319.9 / 10) = 31, where it was 33.
		has("19", "0", "1", "0")
	})
}

// TestGatedOverage: calls beyond zero count against the limit, holds included. The limit is 5.
// A hold of 3 on an empty wallet is 3 of it; 3 more are denied, of which 2 would be there.
func TestGatedOverage(t *testing.T) {
	overGauge(t, func(t *testing.T, g *gauge) {
		limit := money.Decimal("5")
		credit := g.credit(v1.CreateCredit{Name: "C", Overage: v1.Overage{Enabled: true, Limit: &limit}})
		g.meter("call", "count", "", linked(credit, "", ""))
		g.denies(used("bob", "call", ""), "0", "credits_exhausted")
		first := g.hold(overdrawn("bob", "call", "3"))
		g.denies(overdrawn("bob", "call", "3"), "2", "credits_exhausted", "overage_limit_reached")
		// A usage event comes in meanwhile: it may not take what the hold was promised.
		for range 3 {
			g.send("bob", "call", nil)
		}
		g.stands("bob", credit, "0", "2")
		equal(t, "uncovered", g.uncovered("bob", credit), 1)
		g.take(first, "", false)
		g.stands("bob", credit, "0", "5")
	})
}

// TestGatedRounding takes 1,000 times 1.01 at 7 units a credit and a precision of 2. Each commit
// is rounded, and none of them adds up: 1010 / 7 = 144.2857, so 144.28 are taken in the end and
// 55.72 of 200 are left. The holds are rounded the same way, so nothing stays held.
func TestGatedRounding(t *testing.T) {
	overGauge(t, func(t *testing.T, g *gauge) {
		credit := g.credit(v1.CreateCredit{Name: "C", Precision: 2})
		g.meter("call", "sum", "n", linked(credit, "7", ""))
		g.give("c", credit, "200", 0)
		ctx, ops := context.Background(), g.live()
		most, half := money.Decimal("1.01"), money.Decimal("0.51")
		for i := range 1000 {
			c := used("c", "call", "2")
			d, err := ops.Reserve(ctx, v1.ReserveRequest{Charge: c})
			noError(t, err)
			amount := &most
			if i%2 == 1 {
				amount = &half // and the rest in the next
			}
			_, err = ops.Commit(ctx, v1.CommitRequest{ReservationID: d.ReservationID, Amount: amount})
			noError(t, err)
			if i%2 == 1 {
				_, err = ops.Track(ctx, v1.TrackRequest{Charge: used("c", "call", "0.5")})
				noError(t, err)
			}
		}
		g.has("c", credit, "55.72", "0")
	})
}

// TestHoldOverTheMonth holds in March and commits in April. 100 units a month are free, 10 make a
// credit, and March's are used up: a hold of 50 sets 5 aside. In April the same 50 are free, so
// all 5 go back; a second hold is released, and a third lapses. March's tally then expects nothing
// more. The commit comes to a server that has not seen the hold.
func TestHoldOverTheMonth(t *testing.T) {
	overGauge(t, func(t *testing.T, g *gauge) {
		ctx := context.Background()
		credit := g.credit(v1.CreateCredit{Name: "C"})
		meter := g.meter("call", "sum", "n", linked(credit, "10", "100"))
		g.give("c", credit, "100", 0)
		g.to("2026-03-31T23:59:50Z")
		g.send("c", "call", number("n", "100"))
		committed, released := g.hold(used("c", "call", "50")), g.hold(used("c", "call", "50"))
		g.hold(used("c", "call", "50"))
		g.has("c", credit, "85", "15")
		g.to("2026-04-01T00:00:10Z")
		other := startServer(t, g.db.open(g.t), g.options()).as(g.app, catalog.Live)
		_, err := other.IngestEvents(ctx, v1.IngestRequest{Events: []v1.UsageEvent{g.event("c", "call", number("n", "10"))}})
		noError(t, err)
		third := startServer(t, g.db.open(g.t), g.options()).as(g.app, catalog.Live)
		_, err = third.Commit(ctx, v1.CommitRequest{ReservationID: committed})
		noError(t, err)
		g.has("c", credit, "90", "10")
		_, err = third.Release(ctx, v1.ReleaseRequest{ReservationID: released})
		noError(t, err)
		g.has("c", credit, "95", "5")
		g.to("2026-04-01T02:00:00Z")
		fourth := startServer(t, g.db.open(g.t), g.options()).as(g.app, catalog.Live)
		equal(t, "available to a reader", balance(t, fourth, "c", credit).Available, "100")
		_, err = fourth.Track(ctx, v1.TrackRequest{Charge: used("c", "call", "40")})
		noError(t, err)
		g.has("c", credit, "100", "0")
		tallies, err := g.store.Tallies(ctx, store.TallyQuery{Wallet: g.key("c").ID(), Meter: meter, Limit: 10})
		noError(t, err)
		equal(t, "tallies", len(tallies), 2)
		for _, tally := range tallies {
			equal(t, "expected of holds", tally.Held, 0)
		}
		equal(t, "aggregate of April", tallies[0].Aggregate, 100_000_000)
		equal(t, "aggregate of March", tallies[1].Aggregate, 100_000_000)
	})
}

// TestVoidOfTracked: what was committed has an event id that Scrip gave, and meters that go by
// the newest event count it like any other. Two commits of 5 and then 7: the last is 7, after
// voiding it 5.
func TestVoidOfTracked(t *testing.T) {
	overGauge(t, func(t *testing.T, g *gauge) {
		ctx := context.Background()
		sum, last := g.credit(v1.CreateCredit{Name: "S"}), g.credit(v1.CreateCredit{Name: "L"})
		g.meter("call", "sum", "n", linked(sum, "", ""))
		g.meter("call", "last", "n", linked(last, "", ""))
		g.give("c", sum, "100", 0)
		g.give("c", last, "100", 0)
		for _, n := range []money.Decimal{"5", "7"} {
			g.clock.Advance(time.Second)
			g.take(g.hold(used("c", "call", n)), "", false)
		}
		g.stands("c", sum, "88", "0")
		g.stands("c", last, "93", "0")
		page, err := g.ListEvents(ctx, v1.EventQuery{CustomerID: "c", Limit: 1})
		noError(t, err)
		g.void("c", page.Data[0].EventID)
		g.stands("c", sum, "95", "0")
		g.stands("c", last, "95", "0")
	})
}

// TestOneCorrection: of many that correct one event at the same time, under ids of their own, one
// does, and the others learn that the event is void.
func TestOneCorrection(t *testing.T) {
	overGauge(t, func(t *testing.T, g *gauge) {
		credit := g.credit(v1.CreateCredit{Name: "C"})
		g.meter("call", "sum", "n", linked(credit, "", ""))
		g.give("c", credit, "100", 0)
		id := g.send("c", "call", number("n", "10"))
		const n = 16
		codes := make([]fault.Code, n)
		together(n, func(i int) {
			_, err := g.live().CorrectEvent(context.Background(), id, v1.CorrectEvent{
				CustomerID: "c", EventID: string(rune('a' + i)), Metadata: number("n", "3"),
			})
			codes[i] = fault.CodeOf(err)
		})
		corrected := 0
		for _, code := range codes {
			if code == "" {
				corrected++
			} else {
				equal(t, "code", code, fault.CodeEventVoided)
			}
		}
		equal(t, "corrections", corrected, 1)
		g.stands("c", credit, "97", "0")
	})
}

// TestGatedExcess commits more than was held where the last call was held too: the commit is one
// call, however many tokens it took. 50 credits pay for 600 tokens.
func TestGatedExcess(t *testing.T) {
	overGauge(t, func(t *testing.T, g *gauge) {
		c := newChat(g)
		g.give("ann", c.tokens, "50", 0)
		g.give("ann", c.calls, "1", 0)
		held := g.hold(used("ann", "chat", "100"))
		g.has("ann", c.calls, "0", "1")
		g.take(held, "600", true)
		g.has("ann", c.calls, "0", "0")
		g.has("ann", c.tokens, "0", "0")
	})
}

// TestGatedBelowZero: usage that lowers the sum takes nothing, and promises nothing to other holds.
// Ann's 10 credits pay for 200 tokens. While a hold of -1000 is open, 210 are denied, and 200
// are not; its commit lowers what is due by what was due.
func TestGatedBelowZero(t *testing.T) {
	overGauge(t, func(t *testing.T, g *gauge) {
		c := newChat(g)
		g.give("ann", c.tokens, "10", 0)
		g.give("ann", c.calls, "9", 0)
		lower := used("ann", "chat", "")
		lower.Metadata = v1.Metadata{"n": "-1000"}
		held := g.hold(lower)
		g.has("ann", c.tokens, "10", "0")
		g.denies(used("ann", "chat", "210"), "209", "credits_exhausted")
		g.take(g.hold(used("ann", "chat", "200")), "", false)
		g.has("ann", c.tokens, "0", "0")
		g.take(held, "", false)
		g.has("ann", c.tokens, "10", "0")
	})
}

// TestGatedIsExplained asks why, before and after.
func TestGatedIsExplained(t *testing.T) {
	overGauge(t, func(t *testing.T, g *gauge) {
		ctx := context.Background()
		c := newChat(g)
		grant := g.give("ann", c.tokens, "10", 0)
		g.give("ann", c.calls, "1", 0)
		why, err := g.ExplainCharge(ctx, v1.CanUseRequest{Charge: used("ann", "chat", "150")})
		noError(t, err)
		equal(t, "allowed", why.Allowed, true)
		why, err = g.ExplainCharge(ctx, v1.CanUseRequest{Charge: used("ann", "chat", "1000")})
		noError(t, err)
		equal(t, "allowed", why.Allowed, false)
		g.take(g.hold(used("ann", "chat", "150")), "", false)
		found := 0
		for _, e := range entries(t, g, "ann") {
			if e.Type != "credit_deducted" {
				continue
			}
			found++
			equal(t, "reference", e.ReferenceType, "usage")
			why, err := g.Explain(ctx, e.ID)
			noError(t, err)
			if e.CreditID == c.tokens {
				equal(t, "amount", e.Amount, "-5")
				equal(t, "grant that paid", why.Candidates[0].GrantID, grant.ID)
			}
		}
		equal(t, "deductions", found, 2)
	})
}

// TestEveryGrantOfGatedIsExplained: of each credit that a meter charges, all that could pay are
// told, in the order in which the credit draws, and what is not drawn says why.
func TestEveryGrantOfGatedIsExplained(t *testing.T) {
	overGauge(t, func(t *testing.T, g *gauge) {
		ctx := context.Background()
		c := newChat(g)
		other := g.credit(v1.CreateCredit{Name: "Other"})
		give := func(credit string, amount money.Decimal, priority int, scope ...v1.Rule) string {
			t.Helper()
			made, err := g.Grant(ctx, v1.GrantRequest{CustomerID: "ann", CreditID: credit, Amount: amount, Priority: &priority, Scope: scope})
			noError(t, err)
			return made.Grants[0].ID
		}
		late, first := give(c.tokens, "10", 60), give(c.tokens, "3", 40)
		call := give(c.calls, "1", 50)
		scoped := give(c.tokens, "10", 1, v1.Rule{Event: "image"})
		elsewhere := give(other, "10", 1, v1.Rule{Event: "chat"})
		for quantity, want := range map[money.Decimal]struct {
			allowed bool
			taken   map[string]money.Decimal
		}{
			"150":  {true, map[string]money.Decimal{first: "3", late: "2", call: "1"}}, // (150 - 100) / 10 = 5
			"1000": {false, map[string]money.Decimal{first: "0", late: "0", call: "0"}},
		} {
			why, err := g.ExplainCharge(ctx, v1.CanUseRequest{Charge: used("ann", "chat", quantity)})
			noError(t, err)
			equal(t, "allowed", why.Allowed, want.allowed)
			taken, order := map[string]money.Decimal{}, map[string][]string{}
			for _, candidate := range why.Candidates {
				taken[candidate.GrantID] = candidate.Taken
				order[candidate.CreditID] = append(order[candidate.CreditID], candidate.GrantID)
			}
			equal(t, "taken", fmt.Sprint(taken), fmt.Sprint(want.taken))
			equal(t, "order", fmt.Sprint(order), fmt.Sprint(map[string][]string{c.tokens: {first, late}, c.calls: {call}}))
			because := map[string]string{}
			for _, e := range why.Excluded {
				because[e.GrantID] = e.Because
			}
			equal(t, "excluded", fmt.Sprint(because), fmt.Sprint(map[string]string{scoped: "scope", elsewhere: "metered"}))
		}
	})
}
