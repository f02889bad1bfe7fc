package notify_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	v1 "github.com/seed42445051/scrip/v1"
)

// month is how long cycles are here: from 2 February to 2 March 2026.
const month = 28 * 24 * time.Hour

// sells defines a plan without credits, so that a wallet of its subscribers has no entry, one with
// credits, and one that costs nothing.
func (w *world) sells() {
	w.t.Helper()
	for _, p := range []v1.CreatePlan{
		{ID: "seat", Name: "Seat", Price: 1000},
		{ID: "calls", Name: "Calls", Price: 3000, Credits: []v1.PlanCredit{{CreditID: "api", Amount: "400"}}},
		{ID: "free", Name: "Free"},
	} {
		_, err := w.live().CreatePlan(w.ctx, p)
		w.must(err)
	}
}

func (w *world) subscribe(customer, plan string) v1.Subscription {
	w.t.Helper()
	s, err := w.plans().Subscribe(w.ctx, v1.Subscribe{CustomerID: customer, PlanID: plan})
	w.must(err)
	return s
}

// sweep writes down what time has done.
func (w *world) sweep() {
	w.t.Helper()
	_, err := w.engine.Sweep(w.ctx)
	w.must(err)
}

// told are the types of what a receiver got, in the order in which it came.
func told(c *receiver) string {
	var types []string
	for _, r := range c.all() {
		types = append(types, r.event.Type)
	}
	return strings.Join(types, " ")
}

// A subscription and its invoice are told as they can be read, though the wallet has no entry.
func TestEventsOfAWalletWithoutEntries(t *testing.T) {
	for name, newWorld := range map[string]func(*testing.T) *world{"sqlite": func(t *testing.T) *world { return newWorld(t) }, "postgres": newPostgresWorld} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.sells()
			w.dispatch()
			to, other := newReceiver(t, nil), newReceiver(t, nil)
			e, second := w.endpoint(to.url, ordered), w.endpoint(other.url, only("invoice.issued"))
			sub := w.subscribe("alice", "seat")
			w.delivered(e.ID, 2)
			w.delivered(second.ID, 1)
			if page, err := w.live().Ledger(w.ctx, "alice", v1.LedgerQuery{}); err != nil || len(page.Data) != 0 {
				t.Fatalf("the wallet has entries: %+v, %v", page.Data, err)
			}

			started, issued := to.all()[0], to.all()[1]
			if got := told(to); got != "subscription.started invoice.issued" {
				t.Fatal(got)
			}
			for _, r := range to.all() {
				if !verified(t, r, e.Secret) || r.event.AppID != w.app || r.event.Mode != "live" || r.event.Timestamp != begin {
					t.Errorf("envelope %+v", r.event)
				}
			}
			var change v1.WebhookSubscription
			w.must(json.Unmarshal(started.event.Data, &change))
			read, err := w.plans().GetSubscription(w.ctx, sub.ID)
			w.must(err)
			want := v1.WebhookSubscription{Change: v1.SubscriptionEvent{Type: "started", ToPlanID: "seat", At: begin}, Subscription: read}
			if diff := cmp.Diff(want, change); diff != "" {
				t.Errorf("subscription (-want +got):\n%s", diff)
			}
			var invoice v1.Invoice
			w.must(json.Unmarshal(issued.event.Data, &invoice))
			stored, err := w.plans().GetInvoice(w.ctx, invoice.ID)
			w.must(err)
			if diff := cmp.Diff(stored, invoice); diff != "" || stored.Total != 1000 || stored.Status != "open" {
				t.Errorf("invoice %+v (-want +got):\n%s", stored, diff)
			}
			if other.all()[0].event.ID != issued.event.ID || started.event.ID == issued.event.ID {
				t.Error("an event has one id for all its endpoints, and two events have two")
			}

			list := w.deliveries(e.ID, v1.WebhookDeliveryQuery{})
			wanted := []v1.WebhookDelivery{
				{Type: "subscription.started", SubscriptionID: sub.ID, MessageID: started.event.ID},
				{Type: "invoice.issued", InvoiceID: invoice.ID, MessageID: issued.event.ID},
			}
			for i := range wanted {
				d := &wanted[i]
				d.ID, d.EndpointID, d.Status, d.Tries, d.CreatedAt, d.FinishedAt = list[i].ID, e.ID, "delivered", 1, begin, begin
				d.Attempts = []v1.WebhookAttempt{{At: begin, Succeeded: true, StatusCode: 200}}
			}
			if diff := cmp.Diff(wanted, list); diff != "" {
				t.Errorf("deliveries (-want +got):\n%s", diff)
			}
		})
	}
}

// Each endpoint is told of the types that it asked for, and of no other.
func TestFiltersOfBilling(t *testing.T) {
	w := newWorld(t)
	w.sells()
	filters := map[string][]string{
		"started": {"subscription.started"},
		"ended":   {"subscription.ended", "invoice.voided"},
		"paid":    {"invoice.paid"},
		"pauses":  {"subscription.paused", "subscription.resumed"},
		"changes": {"subscription.updated", "subscription.plan_changed"},
		"renewed": {"subscription.renewed", "credit.expired"},
		"all":     nil,
	}
	endpoints := map[string]string{}
	for name, filter := range filters {
		endpoints[name] = w.endpoint("https://example.test", only(filter...)).ID
	}
	plans := w.plans()
	sub := w.subscribe("alice", "calls") // started, invoice.issued, credit.added
	pause := v1.PauseSubscription{}
	_, err := plans.PauseSubscription(w.ctx, sub.ID, pause)
	w.must(err)
	_, err = plans.ResumeSubscription(w.ctx, sub.ID, pause)
	w.must(err)
	invoices, err := plans.ListInvoices(w.ctx, v1.InvoiceQuery{CustomerID: "alice"})
	w.must(err)
	_, err = plans.PayInvoice(w.ctx, invoices.Data[0].ID, v1.CloseInvoice{Reference: "bank"})
	w.must(err)
	_, err = plans.Subscribe(w.ctx, v1.Subscribe{CustomerID: "alice", PlanID: "free", When: "cycle_end"}) // updated
	w.must(err)
	w.clock.Advance(month)
	w.sweep()                   // plan_changed and credit.expired; an invoice over nothing is issued and paid
	w.subscribe("bob", "seat")  // started, invoice.issued
	w.subscribe("bob", "calls") // plan_changed, invoice.issued, credit.added
	invoices, err = plans.ListInvoices(w.ctx, v1.InvoiceQuery{CustomerID: "bob"})
	w.must(err)
	_, err = plans.VoidInvoice(w.ctx, invoices.Data[0].ID, v1.CloseInvoice{})
	w.must(err)
	w.clock.Advance(month + 3*24*time.Hour)
	w.sweep() // alice is renewed; bob too, whose credits expire and are given anew
	_, err = plans.CancelSubscription(w.ctx, v1.CancelSubscription{CustomerID: "bob"})
	w.must(err)

	for name, want := range map[string]map[string]int{
		"started": {"subscription.started": 2},
		"ended":   {"subscription.ended": 1, "invoice.voided": 1},
		"pauses":  {"subscription.paused": 1, "subscription.resumed": 1},
		"changes": {"subscription.updated": 1, "subscription.plan_changed": 2},
		"renewed": {"subscription.renewed": 2, "credit.expired": 2},
	} {
		got := map[string]int{}
		for _, d := range w.deliveries(endpoints[name], v1.WebhookDeliveryQuery{Limit: 100}) {
			got[d.Type]++
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	// Every event is one, however many endpoints it goes to, and none has the number of another.
	messages := map[string]string{}
	for _, d := range w.deliveries(endpoints["all"], v1.WebhookDeliveryQuery{Limit: 100}) {
		if _, twice := messages[d.MessageID]; twice {
			t.Errorf("%s is told twice under one id", d.Type)
		}
		messages[d.MessageID] = d.Type
	}
	for name, endpoint := range endpoints {
		for _, d := range w.deliveries(endpoint, v1.WebhookDeliveryQuery{Limit: 100}) {
			if messages[d.MessageID] != d.Type {
				t.Errorf("%s hears of %s as %s, others as %q", name, d.Type, d.MessageID, messages[d.MessageID])
			}
		}
	}
}

// Several cycles that are written down at one time are told one after the other, as they ended.
func TestOrderOfBilling(t *testing.T) {
	w := newWorld(t)
	w.sells()
	w.dispatch()
	var mu sync.Mutex
	broken := true
	to := newReceiver(t, func(_ int, r *request, w http.ResponseWriter) {
		mu.Lock()
		defer mu.Unlock()
		if broken && r.event.Type == "subscription.started" && strings.Contains(string(r.event.Data), `"alice"`) {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	e := w.endpoint(to.url, ordered)
	w.subscribe("alice", "calls")
	w.subscribe("bob", "calls")
	w.delivered(e.ID, 3+1) // all of bob's; alice's credits, and what stands behind them waits
	w.eventually("the second attempt", func() bool {
		return w.deliveries(e.ID, v1.WebhookDeliveryQuery{Status: "pending"})[0].Tries == 2
	})
	mu.Lock()
	broken = false
	mu.Unlock()
	w.clock.Advance(2*month + 3*24*time.Hour)
	w.sweep() // two cycles have ended
	_, err := w.live().Deduct(w.ctx, v1.DeductRequest{Charge: charge("alice", "1")})
	w.must(err)
	const begun = "credit.added subscription.started invoice.issued"
	const renewed = " credit.expired credit.added subscription.renewed invoice.issued"
	want := map[string]string{"alice": begun + renewed + renewed + " credit.deducted", "bob": begun + renewed + renewed}
	w.delivered(e.ID, len(strings.Fields(want["alice"]+" "+want["bob"])))

	lines, last := map[string]string{}, map[string]clock.Instant{}
	for _, r := range to.all() {
		var data struct {
			CustomerID   string `json:"customer_id"`
			Subscription struct {
				CustomerID string `json:"customer_id"`
			} `json:"subscription"`
		}
		w.must(json.Unmarshal(r.event.Data, &data))
		who := data.CustomerID + data.Subscription.CustomerID
		if r.event.Timestamp < last[who] {
			t.Errorf("%s: %s of %s comes after %s", who, r.event.Type, r.event.Timestamp, last[who])
		}
		last[who] = r.event.Timestamp
		if seen := strings.Fields(lines[who]); len(seen) > 0 && seen[len(seen)-1] == r.event.Type {
			continue // it is the same, sent again
		}
		lines[who] = strings.TrimSpace(lines[who] + " " + r.event.Type)
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// What is sent again tells of the same event, with the subscription as it is by then.
func TestRedeliveryOfBilling(t *testing.T) {
	w := newWorld(t)
	w.sells()
	w.dispatch()
	to := newReceiver(t, nil)
	e := w.endpoint(to.url, only("subscription.started", "invoice.issued"))
	sub := w.subscribe("alice", "seat")
	w.delivered(e.ID, 2)
	_, err := w.plans().CancelSubscription(w.ctx, v1.CancelSubscription{CustomerID: "alice", Reason: "moved away"})
	w.must(err)
	n, err := w.hooks().RedeliverWebhooks(w.ctx, e.ID, v1.RedeliverWebhooks{From: begin})
	w.must(err)
	if n.Count != 2 {
		t.Fatalf("%d are sent again, want 2", n.Count)
	}
	w.eventually("the second time", func() bool { return to.count() == 4 })
	byType := map[string][]request{}
	for _, r := range to.all() {
		byType[r.event.Type] = append(byType[r.event.Type], r)
	}
	for kind, pair := range byType {
		if len(pair) != 2 || pair[0].event.ID != pair[1].event.ID || pair[0].event.Timestamp != pair[1].event.Timestamp {
			t.Errorf("%s: %+v", kind, pair)
		}
	}
	var again v1.WebhookSubscription
	w.must(json.Unmarshal(byType["subscription.started"][1].event.Data, &again))
	if again.Change.Type != "started" || again.Subscription.ID != sub.ID || again.Subscription.Status != "ended" || again.Subscription.Reason != "moved away" {
		t.Errorf("%+v", again)
	}
}

// Two servers that write of one wallet give every event a number of its own.
func TestNumbersOfEventsFromTwoServers(t *testing.T) {
	w := newPostgresWorld(t)
	w.sells()
	e := w.endpoint("https://example.test")
	second := w.startServer()
	const each = 20
	var wg sync.WaitGroup
	for i, s := range []*server{w.server, second} {
		wg.Go(func() {
			for n := range each {
				plan := []string{"seat", "free"}[(i+n)%2]
				if _, err := s.billing.As(w.caller()).Subscribe(w.ctx, v1.Subscribe{CustomerID: "alice", PlanID: plan}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	history, err := w.plans().SubscriptionHistory(w.ctx, w.subscribe("alice", "seat").ID, v1.PageQuery{Limit: 500})
	w.must(err)
	page, err := w.hooks().ListWebhookDeliveries(w.ctx, e.ID, v1.WebhookDeliveryQuery{Limit: 500})
	w.must(err)
	changes, messages := 0, map[string]bool{}
	for _, d := range page.Data {
		if strings.HasPrefix(d.Type, "subscription.") {
			changes++
		}
		messages[d.MessageID] = true
	}
	if changes != len(history.Data) || len(messages) != len(page.Data) {
		t.Errorf("%d lines of history, %d are told, %d ids of %d events", len(history.Data), changes, len(messages), len(page.Data))
	}
}

// Every event of the catalogue can be asked for by an endpoint.
func TestEveryEventCanBeAskedFor(t *testing.T) {
	w := newWorld(t)
	var all []string
	for _, event := range catalog.EventTypes() {
		all = append(all, string(event))
	}
	e := w.endpoint("https://example.test", only(all...))
	if !slices.Equal(e.Events, all) {
		t.Errorf("%v, want %v", e.Events, all)
	}
	_, err := w.hooks().CreateWebhookEndpoint(w.ctx, v1.CreateWebhookEndpoint{URL: "https://example.test", Events: []string{"subscription.active"}})
	if err == nil {
		t.Error("an event of a vendor's is taken for one of ours")
	}
}
