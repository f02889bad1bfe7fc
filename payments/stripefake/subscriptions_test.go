package stripefake_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v85"

	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/payments/stripefake"
)

func (w *world) subscribed() *stripe.Subscription {
	w.t.Helper()
	w.must(w.AddPrice(stripefake.Price{ID: "monthly", Product: "Pro", Currency: "usd", Amount: 900, Interval: "month"}))
	id := ok(w.CreateSubscription(stripefake.Subscription{Customer: w.customer().ID, Price: "monthly", Metadata: map[string]string{"plan": "pro"}}))(w.t)
	return w.subscription(id)
}

func (w *world) subscription(id string) *stripe.Subscription {
	w.t.Helper()
	return ok(w.V1Subscriptions.Retrieve(w.ctx, id, nil))(w.t)
}

// invoices returns those of the events that are of a type, in order.
func invoices(t *testing.T, events []stripe.Event, kind string) []*stripe.Invoice {
	t.Helper()
	var all []*stripe.Invoice
	for _, e := range events {
		if string(e.Type) != kind {
			continue
		}
		in := &stripe.Invoice{}
		if err := json.Unmarshal(e.Data.Raw, in); err != nil {
			t.Fatal(err)
		}
		all = append(all, in)
	}
	return all
}

func TestSubscriptionCheckout(t *testing.T) {
	for _, trial := range []int64{0, 14} {
		w := newWorld(t, stripefake.Options{})
		p := pack(1)
		p.Mode, p.PaymentIntentData = stripe.String("subscription"), nil
		p.SubscriptionData = &stripe.CheckoutSessionCreateSubscriptionDataParams{Metadata: map[string]string{"plan": "pro"}}
		if trial > 0 {
			p.SubscriptionData.TrialPeriodDays = &trial
		}
		p.LineItems[0].PriceData.Recurring = &stripe.CheckoutSessionCreateLineItemPriceDataRecurringParams{Interval: stripe.String("month")}
		s := ok(w.V1CheckoutSessions.Create(w.ctx, p))(t)
		if w.Pay(s.ID, "pm_card_chargeDeclined") == nil || w.read(s.ID).Subscription != nil {
			t.Fatal("not declined")
		}
		w.delivered()
		w.must(w.Pay(s.ID, ""))
		events := w.delivered()
		s = w.read(s.ID)
		sub := w.subscription(s.Subscription.ID)
		in := invoices(t, events, "invoice.paid")
		if len(in) != 1 || in[0].BillingReason != "subscription_create" || in[0].ID != s.Invoice.ID ||
			in[0].Parent.SubscriptionDetails.Metadata["plan"] != "pro" || in[0].Parent.SubscriptionDetails.Subscription.ID != sub.ID {
			t.Fatalf("%+v", in)
		}
		from, to := time.Unix(sub.Items.Data[0].CurrentPeriodStart, 0).UTC(), time.Unix(sub.Items.Data[0].CurrentPeriodEnd, 0).UTC()
		want, status, paid, amount := from.AddDate(0, 1, 0), "active", "paid", int64(400)
		if trial > 0 {
			want, status, paid, amount = from.AddDate(0, 0, 14), "trialing", "no_payment_required", 0
		}
		if !to.Equal(want) || string(sub.Status) != status || string(s.PaymentStatus) != paid || in[0].AmountPaid != amount ||
			s.AmountTotal != amount || s.PaymentIntent != nil || sub.Metadata["plan"] != "pro" {
			t.Errorf("trial of %d: %v to %v, %s, %s, %d", trial, from, to, sub.Status, s.PaymentStatus, in[0].AmountPaid)
		}
		next := ok(w.Renew(sub.ID))(t)
		renewed := w.subscription(sub.ID)
		if item := renewed.Items.Data[0]; renewed.Status != "active" || item.CurrentPeriodStart != to.Unix() ||
			item.CurrentPeriodEnd != to.AddDate(0, 1, 0).Unix() || renewed.LatestInvoice.ID != next {
			t.Errorf("%+v", item)
		}
	}
}

func TestSubscriptionRenews(t *testing.T) {
	w := newWorld(t, stripefake.Options{})
	sub := w.subscribed()
	if got := w.types(); !slices.Contains(got, "customer.subscription.created") || !slices.Contains(got, "invoice.paid") {
		t.Errorf("%v", got)
	}
	first := sub.Items.Data[0]
	id := ok(w.Renew(sub.ID))(t)
	events := w.delivered()
	in := invoices(t, events, "invoice.paid")
	line := in[0].Lines.Data[0]
	if in[0].ID != id || in[0].BillingReason != "subscription_cycle" || in[0].AmountPaid != 900 ||
		in[0].PeriodStart != first.CurrentPeriodStart || line.Period.Start != first.CurrentPeriodEnd ||
		line.Parent.SubscriptionItemDetails.Subscription != sub.ID || line.Pricing.PriceDetails.Price.ID != "monthly" {
		t.Errorf("%+v", in[0])
	}
	i := slices.IndexFunc(events, func(e stripe.Event) bool { return e.Type == "customer.subscription.updated" })
	if i < 0 || events[i].Data.PreviousAttributes["items"] == nil || events[i].Data.PreviousAttributes["status"] != nil {
		t.Errorf("%+v", events)
	}
	// What paid is in a list of payments, not in the invoice.
	full := ok(w.V1Invoices.Retrieve(w.ctx, id, &stripe.InvoiceRetrieveParams{Expand: []*string{stripe.String("payments")}}))(t)
	intent := full.Payments.Data[0].Payment.PaymentIntent.ID
	found := 0
	list := &stripe.InvoicePaymentListParams{Payment: &stripe.InvoicePaymentListPaymentParams{
		Type: stripe.String("payment_intent"), PaymentIntent: &intent,
	}}
	for p, err := range w.V1InvoicePayments.List(w.ctx, list).All(w.ctx) {
		w.must(err)
		if p.Invoice.ID != id {
			t.Errorf("%+v", p)
		}
		found++
	}
	ofIt := 0
	for _, err := range w.V1Invoices.List(w.ctx, &stripe.InvoiceListParams{Subscription: &sub.ID}).All(w.ctx) {
		w.must(err)
		ofIt++
	}
	if found != 1 || ofIt != 2 || ok(w.V1PaymentIntents.Retrieve(w.ctx, intent, nil))(t).Status != "succeeded" {
		t.Errorf("%d payments, %d invoices", found, ofIt)
	}
}

func TestSubscriptionFailsAndRecovers(t *testing.T) {
	w := newWorld(t, stripefake.Options{})
	sub := w.subscribed()
	w.delivered()
	w.DeclineNext("lost_card") // waits for the charge after the renewal's
	id := ok(w.FailRenewal(sub.ID, "insufficient_funds"))(t)
	if got := w.types(); !slices.Contains(got, "invoice.payment_failed") || slices.Contains(got, "invoice.paid") {
		t.Errorf("%v", got)
	}
	if got := w.subscription(sub.ID); got.Status != "past_due" || got.Items.Data[0].CurrentPeriodStart != sub.Items.Data[0].CurrentPeriodEnd {
		t.Errorf("%+v", got)
	}
	if w.PayInvoice(id) == nil {
		t.Error("not declined")
	}
	w.delivered()
	w.must(w.PayInvoice(id))
	w.wantTypes("charge.succeeded", "payment_intent.succeeded", "invoice.paid", "invoice.payment_succeeded", "customer.subscription.updated")
	if got := w.subscription(sub.ID); got.Status != "active" || w.PayInvoice(id) == nil {
		t.Errorf("%+v", got)
	}
	w.must(w.EndSubscription(sub.ID))
	w.wantTypes("customer.subscription.deleted")
	_, err := w.Renew(sub.ID)
	if w.EndSubscription(sub.ID) == nil || err == nil {
		t.Error("it had ended")
	}
}

func TestSubscriptionChangesAndEnds(t *testing.T) {
	w := newWorld(t, stripefake.Options{})
	a := w.subscribed()
	w.must(w.AddPrice(stripefake.Price{ID: "yearly", Product: "Pro", Currency: "usd", Amount: 9000, Interval: "year"}))
	changed := ok(w.V1Subscriptions.Update(w.ctx, a.ID, &stripe.SubscriptionUpdateParams{
		Items:             []*stripe.SubscriptionUpdateItemParams{{ID: &a.Items.Data[0].ID, Price: stripe.String("yearly")}},
		ProrationBehavior: stripe.String("none"), CancelAtPeriodEnd: stripe.Bool(true),
	}))(t)
	if changed.Items.Data[0].Price.ID != "yearly" || !changed.CancelAtPeriodEnd || changed.CancelAt != a.Items.Data[0].CurrentPeriodEnd || changed.Status != "active" {
		t.Errorf("%+v", changed)
	}
	w.delivered()
	if id := ok(w.Renew(a.ID))(t); id != "" {
		t.Errorf("billed once more: %s", id)
	}
	w.wantTypes("customer.subscription.deleted")
	b := ok(w.CreateSubscription(stripefake.Subscription{Customer: a.Customer.ID, Price: "yearly"}))(t)
	listed := func(status *string) (n int) {
		for _, err := range w.V1Subscriptions.List(w.ctx, &stripe.SubscriptionListParams{Customer: &a.Customer.ID, Status: status}).All(w.ctx) {
			w.must(err)
			n++
		}
		return n
	}
	if listed(nil) != 1 || listed(stripe.String("all")) != 2 || listed(stripe.String("canceled")) != 1 {
		t.Error("lists of subscriptions")
	}
	if gone := ok(w.V1Subscriptions.Cancel(w.ctx, b, nil))(t); gone.Status != "canceled" || gone.EndedAt == 0 {
		t.Errorf("%+v", gone)
	}
}

// TestPeriodsKeepTheDay: a subscription of the 31st ends on the last day of
// shorter months and comes back to the 31st.
func TestPeriodsKeepTheDay(t *testing.T) {
	begin := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	w := newWorld(t, stripefake.Options{Clock: clock.NewManual(clock.At(begin))})
	sub := w.subscribed()
	for _, want := range []string{"2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"} {
		if got := time.Unix(w.subscription(sub.ID).Items.Data[0].CurrentPeriodEnd, 0).UTC().Format(time.DateOnly); got != want {
			t.Errorf("ends on %s, want %s", got, want)
		}
		ok(w.Renew(sub.ID))(t)
	}
}
