package acceptance

import (
	"context"
	"testing"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/money"
	v1 "github.com/seed42445051/scrip/v1"
)

// The three priced examples of the Dodo seed. A cycle is a calendar month; where billing will
// begin and end one, these tests grant, let expire and reset.

func months(count, percent, most int) v1.Rollover {
	return v1.Rollover{Percent: percent, ValidityCount: count, ValidityUnit: "month", MaxCount: most}
}

// grantsOf lists the grants of a customer as "source available/spent/expired/rolled over", oldest
// first.
func (g *gauge) grantsOf(customer string) []string {
	g.t.Helper()
	page, err := g.CustomerGrants(context.Background(), customer, v1.GrantQuery{})
	noError(g.t, err)
	var all []string
	for _, grant := range page.Data {
		all = append(all, grant.Source+" "+string(grant.Available+"/"+grant.Spent+"/"+grant.Expired+"/"+grant.RolledOver))
	}
	return all
}

// hasGrants fails the test unless the customer has exactly these grants, in whatever order.
func (g *gauge) hasGrants(customer string, want ...string) {
	g.t.Helper()
	have := map[string]int{}
	for _, grant := range g.grantsOf(customer) {
		have[grant]++
	}
	for _, grant := range want {
		have[grant]--
	}
	for grant, n := range have {
		if n != 0 {
			g.t.Fatalf("grants %v, want %v: %q differs by %d", g.grantsOf(customer), want, grant, n)
		}
	}
}

// TestAIPlatform is the plan Pro: 100,000 tokens a month, 25 % of the unused roll over for one
// month, overage is billed at $0.002. The first 1,000 tokens of each month are free; cached
// tokens cost a quarter, so 4 of them make one credit.
//
// March. Generated: 500 + 1,500 (as text) + 41,000 + 4 x 7.25 = 43,029 tokens.
//
//	after    500: max(0,    500 - 1,000) = 0 due                      100,000 left
//	after  1,500: 2,000 - 1,000          = 1,000 due                   99,000 left
//	after 41,000: 43,000 - 1,000         = 42,000 due                  58,000 left
//	after   7.25: floor(43,007.25 - 1,000) = 42,007 due                57,993 left
//	after 4x7.25: 43,029.00 - 1,000      = 42,029 due (not 4 x 7 = 28, but 29: remainders are carried)
//	cached 10: floor(10 / 4) = 2; 2 more: floor(12 / 4) = 3            57,971 - 3 = 57,968 left
//
// April 1. 57,968 are unused: 25 % = 14,492 roll over, 43,476 expire. With the new 100,000 there
// are 114,492. April's usage counts from zero: 119,992 tokens, of which 1,000 are free, make
// 118,992 due: 114,492 from grants and 4,500 overage.
// On the invoice of May 1: 4,500 x $0.002 = 4,500 x 0.2 cents = 900 cents.
// Then the overage is reset, nothing is left to roll over, and May begins with 100,000.
func TestAIPlatform(t *testing.T) {
	overGauge(t, func(t *testing.T, g *gauge) {
		tokens := g.credit(v1.CreateCredit{
			Name: "AI Tokens", Unit: "tokens", Rollover: months(1, 25, 0),
			Overage: v1.Overage{Enabled: true, Behavior: "invoice_at_billing", PricePerUnit: "0.2", Currency: "usd"},
		})
		generation := g.meter("ai.generation", "sum", "tokens", linked(tokens, "1", "1000"))
		g.meter("ai.cached", "sum", "tokens", linked(tokens, "4", ""))
		g.give("acme", tokens, "100000", day("2026-04-01"))
		generate := func(metadata catalog.Values, left money.Decimal) {
			t.Helper()
			g.send("acme", "ai.generation", metadata)
			g.stands("acme", tokens, left, "0")
		}
		generate(number("tokens", "500"), "100000")
		generate(catalog.Values{"model": catalog.Text("gpt-4"), "tokens": catalog.Text("1500")}, "99000")
		generate(number("tokens", "41000"), "58000")
		generate(number("tokens", "7.25"), "57993")
		generate(number("tokens", "7.25"), "57986")
		generate(number("tokens", "7.25"), "57979")
		generate(number("tokens", "7.25"), "57971")
		g.send("acme", "ai.cached", number("tokens", "10"))
		g.stands("acme", tokens, "57969", "0")
		g.send("acme", "ai.cached", number("tokens", "2"))
		g.stands("acme", tokens, "57968", "0")
		march := g.counted("acme", generation)
		equal(t, "aggregate of March", march.Aggregate, "43029")
		equal(t, "chargeable in March", march.Chargeable, "42029")
		equal(t, "credits of March", march.Credits, "42029")

		g.to("2026-04-01T00:00:00Z")
		g.stands("acme", tokens, "14492", "0")
		g.give("acme", tokens, "100000", day("2026-05-01"))
		g.hasGrants("acme", "api 0/42032/43476/14492", "rollover 14492/0/0/0", "api 100000/0/0/0")
		g.send("acme", "ai.generation", number("tokens", "119992"))
		g.stands("acme", tokens, "0", "4500")

		g.to("2026-05-01T00:00:00Z")
		g.stands("acme", tokens, "0", "4500")
		g.resetOverage("acme", tokens)
		g.give("acme", tokens, "100000", day("2026-06-01"))
		g.stands("acme", tokens, "100000", "0")
		equal(t, "entries", types(entries(t, g, "acme")), "credit_added"+
			" credit_deducted credit_deducted credit_deducted credit_deducted credit_deducted credit_deducted credit_deducted credit_deducted"+
			" credit_rolled_over credit_rolled_over credit_expired credit_added"+
			" credit_deducted overage_charged overage_reset credit_added")
	})
}

// TestAPIGateway has the plans Free (1,000 calls, then blocked) and Developer (50,000 calls, then
// overage at $0.001 that is forgiven at the cycle's end). Nothing rolls over.
//
// Free: 1,200 calls come in. 1,000 are paid; 200 are recorded, and nobody owes for them. The
// 1,001st would have been refused by can-use and reserve, which say that 0 are there.
//
// Developer: 49,900 calls in one report, then 1,000 single ones: 100 from the grant, 900 overage,
// which would be 900 x $0.001 = $0.90, and is forgiven: it ends as overage_reset, and April begins
// with 50,000 and no debt. In April 10 calls are made, and 49,990 expire in May.
func TestAPIGateway(t *testing.T) {
	overGauge(t, func(t *testing.T, g *gauge) {
		ctx := context.Background()
		free := g.credit(v1.CreateCredit{Name: "Free Calls", Unit: "calls"})
		calls := g.credit(v1.CreateCredit{
			Name: "API Calls", Unit: "calls",
			Overage: v1.Overage{Enabled: true, Behavior: "forgive_at_reset", PricePerUnit: "0.1", Currency: "usd"},
		})
		g.meter("free.request", "count", "", linked(free, "", ""))
		g.meter("api.request", "count", "", linked(calls, "", ""))

		g.give("hobby", free, "1000", day("2026-04-01"))
		for range 2 {
			var events []v1.UsageEvent
			for range 600 {
				events = append(events, g.event("hobby", "free.request", nil))
			}
			g.ingest(events...)
		}
		g.stands("hobby", free, "0", "0")
		equal(t, "uncovered", g.uncovered("hobby", free), 200)
		g.denies(used("hobby", "free.request", ""), "0", "credits_exhausted")
		_, err := g.Deduct(ctx, v1.DeductRequest{Charge: used("hobby", "free.request", "")})
		wantCode(t, err, "insufficient_credits")

		g.give("dev", calls, "50000", day("2026-04-01"))
		_, err = g.Track(ctx, v1.TrackRequest{Charge: used("dev", "api.request", "49900")})
		noError(t, err)
		g.stands("dev", calls, "100", "0")
		var events []v1.UsageEvent
		for range 1000 {
			events = append(events, g.event("dev", "api.request", catalog.Values{"method": catalog.Text("GET")}))
		}
		g.ingest(events...)
		g.stands("dev", calls, "0", "900")
		g.to("2026-04-01T00:00:00Z")
		g.resetOverage("dev", calls)
		g.give("dev", calls, "50000", day("2026-05-01"))
		g.stands("dev", calls, "50000", "0")
		_, err = g.Track(ctx, v1.TrackRequest{Charge: used("dev", "api.request", "10")})
		noError(t, err)
		g.to("2026-05-01T00:00:00Z")
		g.stands("dev", calls, "0", "0")
		g.hasGrants("dev", "api 0/50000/0/0", "api 0/10/49990/0")
		equal(t, "used in all", balance(t, g, "dev", calls).Used, "50910")
	})
}

// TestCloudStorage is the plan Personal: 100.00 GB-hours a month at a precision of 2, half of the
// unused carry over, once, and overage at $0.05 up to 200 %, which is 200.00.
//
// March: 3 x 13.3368 = 40.0104 GB-hours. Due after each: 13.33, 26.67, 40.01, so that 59.99 are
// left. April 1: floor(59.99 x 50 %) = 29.99 carry over and 30.00 expire.
// April: 129.99, of which 10.00 are used: the carried ones go first, for they came first. May 1:
// of those 19.99 are left and were carried once already, so that they are forfeited; of April's
// own 100.00 half carries over and half expires.
// May: 100.00 + 50.00 = 150.00. 400.00 are used: 150.00 from grants, 200.00 as overage, and the
// limit leaves 50.00 uncovered. On the invoice: 200.00 x $0.05 = $10.00.
func TestCloudStorage(t *testing.T) {
	overGauge(t, func(t *testing.T, g *gauge) {
		limit := money.Decimal("200")
		hours := g.credit(v1.CreateCredit{
			Name: "GB-hours", Unit: "GB-hours", Precision: 2, Rollover: months(1, 50, 1),
			Overage: v1.Overage{Enabled: true, Limit: &limit, Behavior: "invoice_at_billing", PricePerUnit: "5", Currency: "usd"},
		})
		g.meter("storage.usage", "sum", "gb_hours", linked(hours, "1", ""))
		g.give("home", hours, "100", day("2026-04-01"))
		for _, left := range []money.Decimal{"86.67", "73.33", "59.99"} {
			g.send("home", "storage.usage", number("gb_hours", "13.3368"))
			g.stands("home", hours, left, "0")
		}
		g.to("2026-04-01T00:00:00Z")
		g.stands("home", hours, "29.99", "0")
		g.give("home", hours, "100", day("2026-05-01"))
		g.send("home", "storage.usage", number("gb_hours", "10"))
		g.hasGrants("home", "api 0/40.01/30/29.99", "rollover 19.99/10/0/0", "api 100/0/0/0")
		g.to("2026-05-01T00:00:00Z")
		g.stands("home", hours, "50", "0")
		g.give("home", hours, "100", day("2026-06-01"))
		g.hasGrants("home", "api 0/40.01/30/29.99", "rollover 0/10/19.99/0", "api 0/0/50/50", "rollover 50/0/0/0", "api 100/0/0/0")
		g.send("home", "storage.usage", number("gb_hours", "340"))
		g.stands("home", hours, "0", "190")
		g.denies(overdrawn("home", "storage.usage", "10.01"), "10", "credits_exhausted", "overage_limit_reached")
		g.send("home", "storage.usage", number("gb_hours", "60"))
		g.stands("home", hours, "0", "200")
		equal(t, "uncovered", g.uncovered("home", hours), 5000)
		forfeited := 0
		for _, e := range entries(t, g, "home") {
			if e.Type == "rollover_forfeited" {
				forfeited++
				equal(t, "forfeited", e.Amount, "-19.99")
			}
		}
		equal(t, "forfeitures", forfeited, 1)
	})
}
