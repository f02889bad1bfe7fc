package acceptance

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/fault"
	v1 "github.com/seed42445051/scrip/v1"
)

func (g *gauge) void(customer, id string) {
	g.t.Helper()
	e, err := g.VoidEvent(context.Background(), id, v1.VoidEvent{CustomerID: customer, Reason: "it did not take place"})
	noError(g.t, err)
	if e.VoidedAt.IsZero() {
		g.t.Fatalf("not voided: %+v", e)
	}
}

// correct puts an event with other metadata in the place of one and returns its id.
func (g *gauge) correct(customer, id string, metadata catalog.Values) string {
	g.t.Helper()
	e, err := g.CorrectEvent(context.Background(), id, v1.CorrectEvent{CustomerID: customer, EventID: "for " + id, Metadata: metadata})
	noError(g.t, err)
	equal(g.t, "corrects", e.Corrects, id)
	return e.EventID
}

// TestVoidAndCorrect voids and corrects what each aggregation has counted. Each meter's credit has
// 100, one unit of usage costs one.
//
//	count: 3 events                           97; one voided: 98; again: 98; corrected: still 98
//	sum:   10 + 20 + 30 = 60                  40; 20 voided: 60; 30 becomes 5: 85
//	max:   10, 30, 20 -> 30                   70; 30 voided -> 20: 80; 20 becomes 50: 50; 50 voided -> 10: 90
//	last:  10 at 10:00, 30 at 11:00, 20 at 10:30 -> 30     70; 30 voided -> 20: 80; 20 becomes 7: 93
//	unique: ann, bob, ann -> 2                98; one ann voided: 98; the other: 99; bob becomes cid: 99
func TestVoidAndCorrect(t *testing.T) {
	overGauge(t, func(t *testing.T, g *gauge) {
		ids := map[string][]string{}
		credits := map[string]string{}
		for _, kind := range []string{"count", "sum", "max", "last", "unique_count"} {
			credits[kind] = g.credit(v1.CreateCredit{Name: kind})
			key := "n"
			if kind == "count" {
				key = ""
			}
			g.meter(kind, kind, key, linked(credits[kind], "", ""))
			g.give("c", credits[kind], "100", 0)
		}
		send := func(kind, at string, value catalog.Value) {
			t.Helper()
			e := g.event("c", kind, catalog.Values{"n": value})
			e.Timestamp.Instant = clockOf("2026-03-01T" + at + ":00Z")
			g.ingest(e)
			ids[kind] = append(ids[kind], e.EventID)
		}
		left := func(kind, want string) {
			t.Helper()
			g.stands("c", credits[kind], decimal(want), "0")
		}
		for _, kind := range []string{"count", "sum"} {
			for _, n := range []string{"10", "20", "30"} {
				send(kind, "10:00", catalog.Number(n))
			}
		}
		for _, kind := range []string{"max", "last"} {
			send(kind, "10:00", catalog.Number("10"))
			send(kind, "11:00", catalog.Text("30"))
			send(kind, "10:30", catalog.Number("20"))
		}
		for _, user := range []string{"ann", "bob", "ann"} {
			send("unique_count", "10:00", catalog.Text(user))
		}

		left("count", "97")
		for range 2 {
			g.void("c", ids["count"][1])
			left("count", "98")
		}
		g.correct("c", ids["count"][0], nil)
		left("count", "98")

		left("sum", "40")
		g.void("c", ids["sum"][1])
		left("sum", "60")
		g.correct("c", ids["sum"][2], number("n", "5"))
		left("sum", "85")

		left("max", "70")
		g.void("c", ids["max"][1])
		left("max", "80")
		most := g.correct("c", ids["max"][2], number("n", "50"))
		left("max", "50")
		g.void("c", most)
		left("max", "90")

		left("last", "70")
		g.void("c", ids["last"][1])
		left("last", "80")
		g.correct("c", ids["last"][2], number("n", "7"))
		left("last", "93")

		left("unique_count", "98")
		g.void("c", ids["unique_count"][0])
		left("unique_count", "98")
		g.void("c", ids["unique_count"][2])
		left("unique_count", "99")
		g.correct("c", ids["unique_count"][1], catalog.Values{"n": catalog.Text("cid")})
		left("unique_count", "99")
	})
}

// TestVoidIsRefused tells which events cannot be voided or corrected, and that asking again for a
// correction gets the same one.
func TestVoidIsRefused(t *testing.T) {
	overGauge(t, func(t *testing.T, g *gauge) {
		ctx := context.Background()
		credit := g.credit(v1.CreateCredit{Name: "C"})
		g.meter("metered", "sum", "n", linked(credit, "", ""))
		_, err := g.Grant(ctx, v1.GrantRequest{CustomerID: "c", CreditID: credit, Amount: "10", Scope: only("plain")})
		noError(t, err)
		g.give("c", credit, "10", 0)
		refuses := func(id string, code fault.Code) {
			t.Helper()
			_, err := g.VoidEvent(ctx, id, v1.VoidEvent{CustomerID: "c"})
			wantCode(t, err, code)
			_, err = g.CorrectEvent(ctx, id, v1.CorrectEvent{CustomerID: "c", EventID: "other"})
			wantCode(t, err, code)
		}
		refuses("nothing", fault.CodeEventNotFound)
		_, err = g.VoidEvent(ctx, "e", v1.VoidEvent{CustomerID: "nobody"})
		wantCode(t, err, fault.CodeEventNotFound)

		tracked, err := g.Track(ctx, v1.TrackRequest{Charge: used("c", "plain", "3")})
		noError(t, err)
		refuses(tracked.EventID, fault.CodeEventNotVoidable)

		first, second := g.send("c", "metered", number("n", "3")), g.send("c", "metered", number("n", "4"))
		_, err = g.CorrectEvent(ctx, first, v1.CorrectEvent{CustomerID: "c", EventID: second, Metadata: number("n", "1")})
		wantCode(t, err, fault.CodeEventExists)
		g.stands("c", credit, "10", "0") // 20 - 3 plain - 7 metered
		for range 2 {
			g.correct("c", first, number("n", "1"))
			g.stands("c", credit, "12", "0")
		}
		g.void("c", second)
		_, err = g.CorrectEvent(ctx, second, v1.CorrectEvent{CustomerID: "c", EventID: "late", Metadata: number("n", "1")})
		wantCode(t, err, fault.CodeEventVoided)
		g.stands("c", credit, "16", "0")
	})
}

// TestVoidAndReverse: what was given back once is not given back twice, whichever came first.
func TestVoidAndReverse(t *testing.T) {
	overGauge(t, func(t *testing.T, g *gauge) {
		ctx := context.Background()
		credit := g.credit(v1.CreateCredit{Name: "C", Overage: v1.Overage{Enabled: true}})
		g.meter("metered", "sum", "n", linked(credit, "", ""))
		reverse := func(e v1.Entry) error {
			_, err := g.Reverse(ctx, e.ID, v1.ReverseRequest{Reason: "goodwill"})
			return err
		}
		newest := func(customer string) v1.Entry {
			all := entries(t, g, customer)
			return all[len(all)-1]
		}

		g.give("reversed first", credit, "10", 0)
		id := g.send("reversed first", "metered", number("n", "4"))
		noError(t, reverse(newest("reversed first")))
		g.stands("reversed first", credit, "10", "0")
		g.void("reversed first", id)
		g.stands("reversed first", credit, "10", "0")

		g.give("voided first", credit, "10", 0)
		id = g.send("voided first", "metered", number("n", "4"))
		paid := newest("voided first")
		g.void("voided first", id)
		g.stands("voided first", credit, "10", "0")
		wantCode(t, reverse(paid), fault.CodeAlreadyReversed)
		g.stands("voided first", credit, "10", "0")

		// The grant's 10 pay for a part: 4 are overage. Half of what the grant paid is given
		// back by hand, then the usage is voided: 10 - 5 from the grant, and the overage.
		g.give("half", credit, "10", 0)
		id = g.send("half", "metered", number("n", "14"))
		g.stands("half", credit, "0", "4")
		half := decimal("5")
		_, err := g.Reverse(ctx, entries(t, g, "half")[1].ID, v1.ReverseRequest{Amount: &half})
		noError(t, err)
		g.stands("half", credit, "5", "4")
		g.void("half", id)
		g.stands("half", credit, "10", "0")

		// 4 of overage are repaid by a grant of 10, which leaves 6. Whether the repayment is reversed
		// first or the usage voided first, 10 are there in the end, and not 14.
		repaid := g.credit(v1.CreateCredit{Name: "R", Overage: v1.Overage{Enabled: true, Behavior: "carry_deficit_auto_repay"}})
		g.meter("repaid", "sum", "n", linked(repaid, "", ""))
		for _, voidFirst := range []bool{true, false} {
			customer := fmt.Sprint("repaid, void first: ", voidFirst)
			id = g.send(customer, "repaid", number("n", "4"))
			g.stands(customer, repaid, "0", "4")
			g.give(customer, repaid, "10", 0)
			g.stands(customer, repaid, "6", "0")
			repayment := newest(customer)
			if voidFirst {
				g.void(customer, id)
				wantCode(t, reverse(repayment), fault.CodeAlreadyReversed)
			} else {
				noError(t, reverse(repayment))
				g.void(customer, id)
			}
			g.stands(customer, repaid, "10", "0")
		}

		// Forgiven overage does not come back as credits.
		id = g.send("forgiven", "metered", number("n", "4"))
		g.stands("forgiven", credit, "0", "4")
		g.resetOverage("forgiven", credit)
		g.void("forgiven", id)
		g.stands("forgiven", credit, "0", "0")
		equal(t, "entries of the forgiven", types(entries(t, g, "forgiven")), "overage_charged overage_reset")
	})
}

// TestVoidAfterTheMeterChanged: a void takes the event out of what counted it, and of nothing
// else, whatever has become of the meter, its links and the customer's periods in between.
func TestVoidAfterTheMeterChanged(t *testing.T) {
	overGauge(t, func(t *testing.T, g *gauge) {
		ctx := context.Background()
		for _, kind := range []string{"sum", "max", "last", "unique_count"} {
			credit, other := g.credit(v1.CreateCredit{Name: kind}), g.credit(v1.CreateCredit{Name: kind + " 2"})
			meter := g.meter("of "+kind, kind, "n", linked(credit, "", ""))
			paid := map[string]string{"sum": "7", "max": "7", "last": "7", "unique_count": "9"}[kind]
			give := func(customer string) {
				g.give(customer, credit, "10", 0)
				g.give(customer, other, "10", 0)
			}
			send := func(customer, n string) string { return g.send(customer, "of "+kind, number("n", n)) }

			// Counted, and the meter archived since: voiding gives back.
			give("archived" + kind)
			counted := send("archived"+kind, "3")
			g.stands("archived"+kind, credit, decimal(paid), "0")
			_, err := g.ArchiveMeter(ctx, meter)
			noError(t, err)
			// Not counted, for the meter is archived: voiding gives nothing back, ever.
			missed := send("archived"+kind, "2")
			g.stands("archived"+kind, credit, decimal(paid), "0")
			missedToo := send("archived"+kind, "9")
			g.void("archived"+kind, missed)
			g.stands("archived"+kind, credit, decimal(paid), "0")
			_, err = g.UnarchiveMeter(ctx, meter)
			noError(t, err)
			g.void("archived"+kind, missedToo)
			g.stands("archived"+kind, credit, decimal(paid), "0")
			_, err = g.ArchiveMeter(ctx, meter)
			noError(t, err)
			g.void("archived"+kind, counted)
			g.stands("archived"+kind, credit, "10", "0")
			_, err = g.UnarchiveMeter(ctx, meter)
			noError(t, err)

			// Counted, and the link is gone since.
			give("unlinked" + kind)
			counted = send("unlinked"+kind, "3")
			g.stands("unlinked"+kind, credit, decimal(paid), "0")
			_, err = g.UpdateMeter(ctx, meter, v1.UpdateMeter{Links: &[]v1.MeterLink{linked(other, "", "")}})
			noError(t, err)
			missed = send("unlinked"+kind, "2")
			g.stands("unlinked"+kind, credit, decimal(paid), "0")
			_, err = g.UpdateMeter(ctx, meter, v1.UpdateMeter{Links: &[]v1.MeterLink{linked(credit, "", "")}})
			noError(t, err)
			g.void("unlinked"+kind, missed)
			g.stands("unlinked"+kind, credit, decimal(paid), "0")
			g.stands("unlinked"+kind, other, "10", "0")
			_, err = g.UpdateMeter(ctx, meter, v1.UpdateMeter{Links: &[]v1.MeterLink{}})
			noError(t, err)
			g.void("unlinked"+kind, counted)
			g.stands("unlinked"+kind, credit, "10", "0")
			_, err = g.UpdateMeter(ctx, meter, v1.UpdateMeter{Links: &[]v1.MeterLink{linked(credit, "", "")}})
			noError(t, err)

			// Counted in a subscription's cycle, and the subscription has ended since, or another has
			// begun.
			for _, since := range []string{"ended", "ended and begun again"} {
				customer := since + kind
				give(customer)
				_, err = g.Subscribe(ctx, v1.Subscribe{CustomerID: customer, PlanID: g.bare(ctx)})
				noError(t, err)
				counted = send(customer, "3")
				g.stands(customer, credit, decimal(paid), "0")
				_, err = g.CancelSubscription(ctx, v1.CancelSubscription{CustomerID: customer})
				noError(t, err)
				if since != "ended" {
					_, err = g.Subscribe(ctx, v1.Subscribe{CustomerID: customer, PlanID: g.bare(ctx)})
					noError(t, err)
				}
				g.void(customer, counted)
				g.stands(customer, credit, "10", "0")
			}
		}
	})
}

// bare makes a plan that is only a cycle of a month, once.
func (g *gauge) bare(ctx context.Context) string {
	g.t.Helper()
	if p, err := g.GetPlan(ctx, "bare"); err == nil {
		return p.ID
	}
	p, err := g.CreatePlan(ctx, v1.CreatePlan{ID: "bare", Name: "Bare"})
	noError(g.t, err)
	return p.ID
}

// TestLateEventsOfASubscription: an event counts in the cycle in which it took place, also when
// that is over, when the subscription has ended, and when it stands still; and a server that has not
// the cycle in memory any more counts on where it was.
func TestLateEventsOfASubscription(t *testing.T) {
	overGauge(t, func(t *testing.T, g *gauge) {
		ctx := context.Background()
		credit := g.credit(v1.CreateCredit{Name: "C"})
		meter := g.meter("metered", "sum", "n", linked(credit, "", "10"))
		late := func(customer, at, n string) {
			t.Helper()
			e := g.event(customer, "metered", number("n", n))
			e.Timestamp.Instant = clockOf(at)
			g.ingest(e)
		}
		// periods lists what the meter has counted, newest period first.
		periods := func(customer string) string {
			t.Helper()
			page, err := g.MeterUsages(ctx, customer, v1.MeterUsageQuery{MeterID: meter})
			noError(t, err)
			var all []string
			for _, u := range page.Data {
				all = append(all, fmt.Sprintf("%s..%s %s", u.PeriodStart, u.PeriodEnd, u.Aggregate))
			}
			return strings.Join(all, "; ")
		}
		const first, second = "2026-03-01T12:00:00Z..2026-04-01T12:00:00Z", "2026-04-01T12:00:00Z..2026-04-20T00:00:00Z"

		g.give("c", credit, "100", 0)
		_, err := g.Subscribe(ctx, v1.Subscribe{CustomerID: "c", PlanID: g.bare(ctx)})
		noError(t, err)
		g.to("2026-03-10T00:00:00Z")
		late("c", "2026-03-05T00:00:00Z", "11")
		g.stands("c", credit, "99", "0")
		g.to("2026-04-10T00:00:00Z") // in the second cycle
		late("c", "2026-04-02T00:00:00Z", "11")
		late("c", "2026-03-06T00:00:00Z", "1")
		equal(t, "in the second cycle", periods("c"), "2026-04-01T12:00:00Z..2026-05-01T12:00:00Z 11; "+first+" 12")
		g.stands("c", credit, "97", "0")

		g.to("2026-04-20T00:00:00Z")
		_, err = g.CancelSubscription(ctx, v1.CancelSubscription{CustomerID: "c"})
		noError(t, err)
		g.to("2026-04-25T00:00:00Z")
		g.give("c", credit, "1", 0) // the wallet has been used since, so an ended cycle is over
		other := startServer(t, g.store, g.options())
		over := other.serve(t)
		send := func(at, n string) {
			t.Helper()
			e := g.event("c", "metered", number("n", n))
			e.Timestamp.Instant = clockOf(at)
			_, err := over.client(g.secret).IngestEvents(ctx, v1.IngestRequest{Events: []v1.UsageEvent{e}})
			noError(t, err)
		}
		send("2026-04-19T23:59:59Z", "1")
		send("2026-03-07T00:00:00Z", "1")
		equal(t, "once it ended", periods("c"), second+" 12; "+first+" 13")
		g.stands("c", credit, "96", "0")
		send("2026-04-20T00:00:00Z", "12") // the month of the calendar, with a threshold of its own
		equal(t, "after the end", periods("c"), second+" 12; 2026-04-01T00:00:00Z..2026-05-01T00:00:00Z 12; "+first+" 13")
		g.stands("c", credit, "94", "0")

		// A cycle that stands still goes on as one, however long it does.
		g.give("still", credit, "100", 0)
		sub, err := g.Subscribe(ctx, v1.Subscribe{CustomerID: "still", PlanID: g.bare(ctx)})
		noError(t, err)
		late("still", "2026-04-25T00:00:00Z", "11")
		_, err = g.PauseSubscription(ctx, sub.ID, v1.PauseSubscription{})
		noError(t, err)
		g.to("2026-07-25T00:00:00Z")
		late("still", "2026-07-24T00:00:00Z", "1")
		_, err = g.ResumeSubscription(ctx, sub.ID, v1.PauseSubscription{})
		noError(t, err)
		late("still", "2026-07-24T00:00:00Z", "1")
		equal(t, "paused", periods("still"), "2026-04-25T00:00:00Z..2026-08-24T00:00:00Z 13")
		g.stands("still", credit, "97", "0")
	})
}
