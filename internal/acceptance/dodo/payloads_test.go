package dodo

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/seed42445051/scrip"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/money"
	v1 "github.com/seed42445051/scrip/v1"
)

// TestPayloads has every event happen that a customer's credits can make, on a clock of its own,
// and holds what is really sent against the strict schemas of the vendor's adapters.
func TestPayloads(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		now := clock.NewManual(clock.System{}.Now())
		d := newServer(t, address, scrip.WithClock(now))
		url, sent := receiver(t)
		_, err := d.app.CreateWebhookEndpoint(t.Context(), v1.CreateWebhookEndpoint{URL: url, Format: "dodo", Events: creditEvents})
		noError(t, err)
		d.everyEvent(t, now)
		d.overageReset(t, now)
		text, err := json.Marshal(collect(t, sent, 9+6))
		noError(t, err)
		d.run(t, readScript(t, "payloads.mjs"), "BODIES="+string(text))
	})
}

// TestSubscriptionPayloads has every event happen that a subscription makes without payments.
func TestSubscriptionPayloads(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		start, err := clock.Parse(begin)
		noError(t, err)
		now := clock.NewManual(start)
		d := newServer(t, address, scrip.WithClock(now))
		url, sent := receiver(t)
		d.run(t, readScript(t, "lifecycle.mjs"), "CLOCK="+moved(t, now), "RECEIVER="+url)
		text, err := json.Marshal(collect(t, sent, 11))
		noError(t, err)
		d.run(t, readScript(t, "lifecyclepayloads.mjs"), "BODIES="+string(text))
	})
}

// creditEvents are the vendor's events of credits.
var creditEvents = []string{
	"credit.added", "credit.deducted", "credit.expired", "credit.rolled_over", "credit.rollover_forfeited", "credit.overage_charged",
	"credit.overage_reset", "credit.manual_adjustment", "credit.balance_low",
}

// receiver is where webhooks arrive, and what arrives there.
func receiver(t *testing.T) (string, <-chan delivery) {
	sent := make(chan delivery, 100)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // cut off; it is sent again
		}
		sent <- delivery{r.URL.Path + r.Header.Get("webhook-id"), string(body)}
	}))
	t.Cleanup(server.Close)
	return server.URL, sent
}

// everyEvent makes nine events that the vendor has, and two that it has not.
func (d *server) everyEvent(t *testing.T, now *clock.Manual) {
	t.Helper()
	ctx, limit := t.Context(), money.Decimal("50")
	credit, err := d.app.CreateCredit(ctx, v1.CreateCredit{
		Name: "API Credits", Unit: "call", Precision: 2, LowBalance: "10", Overage: v1.Overage{Enabled: true, Limit: &limit},
		Rollover: v1.Rollover{Percent: 75, ValidityCount: 1, ValidityUnit: "day", MaxCount: 1},
	})
	noError(t, err)
	deduct := func(amount money.Decimal, shortfall string) v1.Deducted {
		t.Helper()
		done, err := d.app.Deduct(ctx, v1.DeductRequest{Charge: v1.Charge{CustomerID: "ada", CreditID: credit.ID, Amount: amount, Shortfall: shortfall}})
		noError(t, err)
		return done
	}
	_, err = d.app.Grant(ctx, v1.GrantRequest{CustomerID: "ada", CreditID: credit.ID, Amount: "200", ExpiresAt: v1.ExpiresAt(now.Now().Add(time.Hour))})
	noError(t, err)
	now.Advance(time.Hour) // 150 roll over, 50 expire
	_, err = d.app.Reverse(ctx, deduct("10", "").Entry.ID, v1.ReverseRequest{})
	noError(t, err)
	now.Advance(48 * time.Hour) // 150 are forfeited, and the balance is low
	deduct("3", "overage")
	_, err = d.app.Adjust(ctx, v1.AdjustRequest{CustomerID: "ada", CreditID: credit.ID, Amount: "5", Reason: "sorry"})
	noError(t, err)
	last, err := d.app.Grant(ctx, v1.GrantRequest{CustomerID: "ada", CreditID: credit.ID, Amount: "3", Metadata: v1.Metadata{"campaign": "spring"}})
	noError(t, err)
	_, err = d.app.RevokeGrant(ctx, last.Grants[0].ID, v1.RevokeRequest{})
	noError(t, err)
}

// overageReset has a cycle end with overage that is forgiven. It makes six events: 5 are added and
// deducted, 3 beyond them charged; the cycle's end resets those and adds 5; and 1 is deducted.
func (d *server) overageReset(t *testing.T, now *clock.Manual) {
	t.Helper()
	ctx := t.Context()
	credit, err := d.app.CreateCredit(ctx, v1.CreateCredit{Name: "Forgiven", Unit: "call", Overage: v1.Overage{Enabled: true}})
	noError(t, err)
	_, err = d.app.CreatePlan(ctx, v1.CreatePlan{ID: "forgiving", Name: "Forgiving", Credits: []v1.PlanCredit{{CreditID: credit.ID, Amount: "5"}}})
	noError(t, err)
	sub, err := d.app.Subscribe(ctx, v1.Subscribe{CustomerID: "bob", PlanID: "forgiving"})
	noError(t, err)
	for _, amount := range []money.Decimal{"8", "1"} {
		_, err = d.app.Deduct(ctx, v1.DeductRequest{Charge: v1.Charge{CustomerID: "bob", CreditID: credit.ID, Amount: amount, Shortfall: "overage"}})
		noError(t, err)
		now.Set(max(now.Now(), sub.Cycle.End))
	}
}

// delivery is a body under the path and the id that it has however often it is sent.
type delivery struct{ id, body string }

// collect waits for the bodies of so many events. One may come twice, as any receiver has to
// expect: here because the clock jumps past the end of a lease.
func collect(t *testing.T, sent <-chan delivery, n int) []string {
	t.Helper()
	const patience = 5 * time.Minute // a busy machine is slow
	end := time.After(patience)
	seen := map[string]bool{}
	var bodies []string
	for len(bodies) < n {
		select {
		case d := <-sent:
			if !seen[d.id] {
				seen[d.id] = true
				bodies = append(bodies, d.body)
			}
		case <-end:
			t.Fatalf("%d of %d bodies within %s: %q", len(bodies), n, patience, bodies)
		}
	}
	return bodies
}
