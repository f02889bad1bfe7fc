package notify_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/money"
	"github.com/seed42445051/scrip/notify"
	v1 "github.com/seed42445051/scrip/v1"
)

// lows are the balances that a receiver was told to be low.
func lows(w *world, c *receiver) (all []v1.WebhookBalanceLow) {
	for _, r := range c.all() {
		if r.event.Type != "credit.balance_low" {
			continue
		}
		var data v1.WebhookBalanceLow
		w.must(json.Unmarshal(r.event.Data, &data))
		all = append(all, data)
	}
	return all
}

// A balance is low once on its way down: not while it stays there, nor for what reservations set
// aside, and again only after it has recovered. Time brings it down as well.
func TestBalanceLowOncePerCrossing(t *testing.T) {
	w := newWorld(t)
	w.dispatch()
	to, all := newReceiver(t, nil), newReceiver(t, nil)
	e := w.endpoint(to.url, only("credit.balance_low"), ordered)
	every := w.endpoint(all.url)
	told := 0
	expect := func(what string, more int) {
		t.Helper()
		told += more
		w.delivered(e.ID, told)
		page, err := w.hooks().ListWebhookDeliveries(w.ctx, e.ID, v1.WebhookDeliveryQuery{})
		w.must(err)
		if len(page.Data) != told || to.count() != told {
			t.Fatalf("%s: told %d times, %d received, want %d", what, len(page.Data), to.count(), told)
		}
	}
	w.grant("alice", "5")
	expect("a first grant below the threshold", 0)
	w.grant("alice", "15")
	w.deduct("alice", "10")
	expect("exactly at the threshold", 0)
	crossed := w.deduct("alice", "0.01")
	expect("below it", 1)
	w.deduct("alice", "1")
	expect("further below", 0)
	w.grant("alice", "100")
	reserved, err := w.live().Reserve(w.ctx, v1.ReserveRequest{Charge: charge("alice", "105")})
	w.must(err)
	expect("reserved, not spent", 0)
	_, err = w.live().Release(w.ctx, v1.ReleaseRequest{ReservationID: reserved.ReservationID})
	w.must(err)
	expect("released", 0)
	reserved, err = w.live().Reserve(w.ctx, v1.ReserveRequest{Charge: charge("alice", "105")})
	w.must(err)
	_, err = w.live().Commit(w.ctx, v1.CommitRequest{ReservationID: reserved.ReservationID})
	w.must(err)
	expect("committed", 1)
	_, err = w.live().Grant(w.ctx, v1.GrantRequest{
		CustomerID: "alice", CreditID: "api", Amount: "50", ExpiresAt: v1.ExpiresAt(begin.Add(time.Hour)),
	})
	w.must(err)
	expect("recovered", 0)
	settled := func() bool { return len(w.deliveries(every.ID, v1.WebhookDeliveryQuery{Status: "pending"})) == 0 }
	w.eventually("all events", settled)
	w.clock.Advance(time.Hour)
	n, err := w.engine.Sweep(w.ctx)
	if err != nil || n != 1 {
		t.Fatalf("%d swept, %v", n, err)
	}
	expect("expired", 1)
	_, err = w.live().Adjust(w.ctx, v1.AdjustRequest{CustomerID: "alice", CreditID: "api", Amount: "100", Reason: "x"})
	w.must(err)
	_, err = w.live().Adjust(w.ctx, v1.AdjustRequest{CustomerID: "alice", CreditID: "api", Amount: "-95", Reason: "x"})
	w.must(err)
	expect("adjusted", 1)

	want := v1.WebhookBalanceLow{
		CustomerID: "alice", CreditID: crossed.CreditID, CreditName: "api", Unit: "call", Balance: "9.99", Threshold: "10", EntryID: crossed.ID,
	}
	got := lows(w, to)
	if diff := cmp.Diff(want, got[0]); diff != "" {
		t.Errorf("data (-want +got):\n%s", diff)
	}
	w.eventually("all events", settled)
	ids := map[string]bool{}
	for _, r := range all.all() {
		ids[r.event.ID] = true
	}
	if len(ids) != all.count() || len(lows(w, all)) != told {
		t.Errorf("%d ids of %d events, %d of them low", len(ids), all.count(), len(lows(w, all)))
	}
}

// No threshold, and one that is taken away, are never crossed.
func TestBalanceLowNeedsAThreshold(t *testing.T) {
	w := newWorld(t)
	none := money.Decimal("0")
	_, err := w.live().UpdateCredit(w.ctx, "api", v1.UpdateCredit{LowBalance: &none})
	w.must(err)
	e := w.endpoint("https://example.test", only("credit.balance_low"))
	w.grant("alice", "100")
	w.deduct("alice", "100")
	if list := w.deliveries(e.ID, v1.WebhookDeliveryQuery{}); len(list) != 0 {
		t.Errorf("%+v", list)
	}
}

// Every kind of entry makes the event that it should, and holds make none.
func TestEventsOfEntries(t *testing.T) {
	w := newWorld(t)
	limit, zero := money.Decimal("50"), money.Decimal("0")
	_, err := w.live().UpdateCredit(w.ctx, "api", v1.UpdateCredit{
		LowBalance: &zero, Overage: &v1.Overage{Enabled: true, Limit: &limit},
		Rollover: &v1.Rollover{Percent: 75, ValidityCount: 1, ValidityUnit: "day", MaxCount: 1},
	})
	w.must(err)
	e := w.endpoint("https://example.test")
	expire := v1.ExpiresAt(begin.Add(time.Hour))
	_, err = w.live().Grant(w.ctx, v1.GrantRequest{CustomerID: "alice", CreditID: "api", Amount: "200", ExpiresAt: expire})
	w.must(err)
	w.clock.Advance(time.Hour) // 150 roll over, 50 expire
	deducted := w.deduct("alice", "10")
	_, err = w.live().Reverse(w.ctx, deducted.ID, v1.ReverseRequest{})
	w.must(err)
	reserved, err := w.live().Reserve(w.ctx, v1.ReserveRequest{Charge: charge("alice", "10")})
	w.must(err)
	_, err = w.live().Release(w.ctx, v1.ReleaseRequest{ReservationID: reserved.ReservationID})
	w.must(err)
	w.clock.Advance(48 * time.Hour) // 150 are forfeited
	over, err := w.live().Deduct(w.ctx, v1.DeductRequest{Charge: v1.Charge{CustomerID: "alice", CreditID: "api", Amount: "3", Shortfall: "overage"}})
	w.must(err)
	_, err = w.live().Adjust(w.ctx, v1.AdjustRequest{CustomerID: "alice", CreditID: "api", Amount: "5", Reason: "x"})
	w.must(err)
	g := w.grant("alice", "7")
	_, err = w.live().RevokeGrant(w.ctx, g.ID, v1.RevokeRequest{})
	w.must(err)
	_, err = w.live().CanUse(w.ctx, v1.CanUseRequest{Charge: charge("alice", "1")})
	w.must(err)
	if over.Entry.Type != "overage_charged" {
		t.Fatalf("%+v", over.Entry)
	}
	var types []string
	for _, d := range w.deliveries(e.ID, v1.WebhookDeliveryQuery{}) {
		types = append(types, d.Type)
	}
	want := []string{
		"credit.added", "credit.rolled_over", "credit.expired", "credit.deducted", "credit.refunded", "credit.rollover_forfeited",
		"credit.overage_charged", "credit.manual_adjustment", "credit.added", "credit.revoked",
	}
	slices.Sort(types) // those of one transaction are listed in the order of their numbers
	slices.Sort(want)
	if diff := cmp.Diff(want, types); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

// What is refused, denied or only asked about is told to nobody.
func TestNothingIsToldOfWhatDidNotHappen(t *testing.T) {
	w := newWorld(t)
	w.grant("alice", "10")
	e := w.endpoint("https://example.test")
	if _, err := w.live().Deduct(w.ctx, v1.DeductRequest{Charge: charge("alice", "11")}); fault.CodeOf(err) != fault.CodeInsufficientCredits {
		t.Fatal(err)
	}
	_, err := w.live().CanUse(w.ctx, v1.CanUseRequest{Charge: charge("alice", "1")})
	w.must(err)
	key := v1.IdempotencyKey("once")
	for range 2 {
		_, err := w.live().Deduct(w.ctx, v1.DeductRequest{Charge: charge("alice", "1")}, key)
		w.must(err)
	}
	if list := w.deliveries(e.ID, v1.WebhookDeliveryQuery{Type: "credit.deducted"}); len(list) != 1 {
		t.Errorf("%d deliveries of one deduction", len(list))
	}
	if list := w.deliveries(e.ID, v1.WebhookDeliveryQuery{}); len(list) != 2 { // and the balance is low
		t.Errorf("%d deliveries, want 2", len(list))
	}
}

// vendor is a format that knows no deductions, and whose bodies need a grant.
type vendor struct{}

func (vendor) Render(ctx context.Context, e *notify.Event) ([]byte, error) {
	switch e.Type {
	case catalog.EventCreditDeducted:
		return nil, nil
	case catalog.EventBalanceLow:
		return nil, errors.New("cannot be told\x00")
	}
	grants, err := e.Grants(ctx)
	if err != nil {
		return nil, err
	}
	return json.Marshal(map[string]any{
		"customer": e.Key.Customer, "credit": e.Credit().Name, "amount": e.Entry.Amount, "source": grants[0].Source, "url": e.Endpoint.URL,
	})
}

func TestFormats(t *testing.T) {
	w := newWorld(t, func(o *notify.Options) { o.Formats = map[string]notify.Renderer{"vendor": vendor{}} })
	w.dispatch()
	to := newReceiver(t, nil)
	e := w.endpoint(to.url, func(r *v1.CreateWebhookEndpoint) {
		r.Format, r.Events = "vendor", []string{"credit.added", "credit.deducted", "credit.balance_low", "payment.succeeded"}
	})
	w.grant("alice", "20")
	w.deduct("alice", "15")
	w.delivered(e.ID, 1)
	if want := `{"amount":2000,"credit":"api","customer":"alice","source":"api","url":"` + to.url + `"}`; string(to.all()[0].body) != want {
		t.Errorf("%s, want %s", to.all()[0].body, want)
	}
	if !verified(t, to.all()[0], e.Secret) {
		t.Error("it is not signed")
	}
	w.eventually("skipped", func() bool { return len(w.deliveries(e.ID, v1.WebhookDeliveryQuery{Status: "skipped"})) == 1 })
	w.eventually("what cannot be written", func() bool {
		d := w.deliveries(e.ID, v1.WebhookDeliveryQuery{Type: "credit.balance_low"})[0]
		return d.Tries == 2 && d.Attempts[1].Error == "cannot be told\uFFFD" && d.Attempts[1].StatusCode == 0
	})
	if to.count() != 1 {
		t.Errorf("%d requests, want 1", to.count())
	}
}

// An endpoint of the most that is allowed is taken; one more of anything is refused.
func TestLimitsOfEndpoints(t *testing.T) {
	w := newWorld(t)
	for i := range catalog.MaxEndpoints {
		mode := []catalog.Mode{catalog.Live, catalog.Test}[i%2]
		_, err := w.service.As(v1.Caller{App: w.app, Mode: mode}).CreateWebhookEndpoint(w.ctx, v1.CreateWebhookEndpoint{URL: "https://example.test"})
		w.must(err)
	}
	_, err := w.hooks().CreateWebhookEndpoint(w.ctx, v1.CreateWebhookEndpoint{URL: "https://example.test"})
	if fault.CodeOf(err) != fault.CodeTooManyWebhookEndpoints {
		t.Fatalf("one endpoint more: %v", err)
	}
	list, err := w.hooks().ListWebhookEndpoints(w.ctx)
	w.must(err)
	_, err = w.hooks().ArchiveWebhookEndpoint(w.ctx, list.Data[0].ID)
	w.must(err)
	w.endpoint("https://example.test")
	// Every entry finds numbers for the deliveries to all of them, both of its events included.
	w.grant("alice", "20")
	w.deduct("alice", "15")
	w.deduct("alice", "1")
}
