package stripefake_test

import (
	"encoding/json"
	"testing"

	"github.com/stripe/stripe-go/v85"

	"github.com/seed42445051/scrip/payments/stripefake"
)

func TestDeclines(t *testing.T) {
	for _, tc := range []struct {
		card          string
		code, decline string
	}{
		{"pm_card_chargeDeclined", "card_declined", "generic_decline"},
		{"pm_card_visa_chargeDeclined", "card_declined", "generic_decline"},
		{"pm_card_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"},
		{"pm_card_chargeDeclinedLostCard", "card_declined", "lost_card"},
		{"pm_card_chargeDeclinedStolenCard", "card_declined", "stolen_card"},
		{"pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card"},
		{"pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", "incorrect_cvc"},
		{"pm_card_chargeDeclinedProcessingError", "processing_error", "processing_error"},
		{"pm_card_authenticationRequired", "authentication_required", "authentication_required"},
	} {
		w := newWorld(t, stripefake.Options{})
		who := w.customer().ID
		w.delivered()
		_, err := w.charge(who, tc.card, "")
		e := stripeError(t, err)
		if e.HTTPStatusCode != 402 || e.Type != stripe.ErrorTypeCard || string(e.Code) != tc.code || string(e.DeclineCode) != tc.decline ||
			e.PaymentIntent.Status != "requires_payment_method" || e.ChargeID == "" || e.PaymentMethod == nil {
			t.Errorf("%s: %+v", tc.card, e)
		}
		pi := ok(w.V1PaymentIntents.Retrieve(w.ctx, e.PaymentIntent.ID, nil))(t)
		if string(pi.LastPaymentError.Code) != tc.code || string(pi.LastPaymentError.DeclineCode) != tc.decline || pi.Metadata["topup"] != "7" {
			t.Errorf("%s: %+v", tc.card, pi.LastPaymentError)
		}
		w.wantTypes("payment_intent.created", "charge.failed", "payment_intent.payment_failed")
	}
}

func TestAttach(t *testing.T) {
	w := newWorld(t, stripefake.Options{})
	who := w.customer().ID
	attach := func(id, customer string) (*stripe.PaymentMethod, error) {
		return w.V1PaymentMethods.Attach(w.ctx, id, &stripe.PaymentMethodAttachParams{Customer: &customer})
	}
	_, err := attach("pm_card_chargeDeclinedLostCard", who)
	if e := stripeError(t, err); e.HTTPStatusCode != 402 || e.DeclineCode != "lost_card" {
		t.Errorf("%+v", e)
	}
	pm := ok(attach("pm_card_chargeCustomerFail", who))(t)
	if _, err := w.charge(who, pm.ID, ""); stripeError(t, err).Code != stripe.ErrorCodeCardDeclined {
		t.Errorf("got %v", err)
	}
	if _, err := attach(pm.ID, w.customer().ID); err == nil {
		t.Error("attached to two")
	}
	good := ok(attach("pm_card_visa", who))(t)
	updated := ok(w.V1Customers.Update(w.ctx, who, &stripe.CustomerUpdateParams{
		InvoiceSettings: &stripe.CustomerUpdateInvoiceSettingsParams{DefaultPaymentMethod: &good.ID},
		Metadata:        map[string]string{"user": "", "tier": "gold"},
	}))(t)
	if updated.InvoiceSettings.DefaultPaymentMethod.ID != good.ID || updated.Email != "a@example.com" ||
		len(updated.Metadata) != 1 || updated.Metadata["tier"] != "gold" {
		t.Errorf("%+v", updated)
	}
	if off := ok(w.V1PaymentMethods.Detach(w.ctx, good.ID, nil))(t); off.Customer != nil {
		t.Errorf("%+v", off.Customer)
	}
}

func TestSetupIntent(t *testing.T) {
	w := newWorld(t, stripefake.Options{})
	who := w.customer().ID
	save := func(card string) (*stripe.SetupIntent, error) {
		return w.V1SetupIntents.Create(w.ctx, &stripe.SetupIntentCreateParams{Customer: &who, PaymentMethod: &card, Confirm: stripe.Bool(true)})
	}
	si := ok(save("pm_card_visa"))(t)
	if si.Status != "succeeded" || ok(w.charge(who, si.PaymentMethod.ID, ""))(t).Status != "succeeded" {
		t.Errorf("%+v", si)
	}
	_, err := save("pm_card_chargeDeclined")
	if e := stripeError(t, err); e.HTTPStatusCode != 402 || e.SetupIntent.Status != "requires_payment_method" {
		t.Errorf("%+v", e)
	}
}

func TestDeclineNext(t *testing.T) {
	w := newWorld(t, stripefake.Options{})
	who := w.customer().ID
	w.DeclineNext("do_not_honor")
	w.RequireAuthentication()
	for _, want := range []string{"card_declined", "authentication_required"} {
		if _, err := w.charge(who, "pm_card_visa", ""); string(stripeError(t, err).Code) != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	ok(w.charge(who, "pm_card_visa", ""))(t)
}

func TestPaymentsThatWait(t *testing.T) {
	w := newWorld(t, stripefake.Options{})
	who := w.customer().ID
	bank, failing := ok(w.charge(who, "pm_usBankAccount_success", ""))(t), ok(w.charge(who, "pm_usBankAccount_success", ""))(t)
	inPerson := ok(w.V1PaymentIntents.Create(w.ctx, &stripe.PaymentIntentCreateParams{
		Amount: stripe.Int64(400), Currency: stripe.String("usd"), Confirm: stripe.Bool(true),
		PaymentMethod: stripe.String("pm_card_authenticationRequired"),
	}))(t)
	if bank.Status != "processing" || inPerson.Status != "requires_action" || inPerson.NextAction == nil {
		t.Fatalf("%s, %s", bank.Status, inPerson.Status)
	}
	w.must(w.Settle(bank.ID))
	w.must(w.Settle(inPerson.ID))
	w.must(w.Unsettle(failing.ID, "insufficient_funds"))
	for id, want := range map[string]stripe.PaymentIntentStatus{bank.ID: "succeeded", inPerson.ID: "succeeded", failing.ID: "requires_payment_method"} {
		if pi := ok(w.V1PaymentIntents.Retrieve(w.ctx, id, nil))(t); pi.Status != want {
			t.Errorf("%s, want %s", pi.Status, want)
		}
	}
	if w.Settle(bank.ID) == nil {
		t.Error("settled twice")
	}
	// An intent step by step: made, confirmed, and another one cancelled.
	make1 := func() *stripe.PaymentIntent {
		return ok(w.V1PaymentIntents.Create(w.ctx, &stripe.PaymentIntentCreateParams{Amount: stripe.Int64(50), Currency: stripe.String("usd")}))(t)
	}
	a, b := make1(), make1()
	done := ok(w.V1PaymentIntents.Confirm(w.ctx, a.ID, &stripe.PaymentIntentConfirmParams{PaymentMethod: stripe.String("pm_card_visa")}))(t)
	gone := ok(w.V1PaymentIntents.Cancel(w.ctx, b.ID, nil))(t)
	if a.Status != "requires_payment_method" || done.Status != "succeeded" || done.AmountReceived != 50 || gone.Status != "canceled" {
		t.Errorf("%s, %s, %s", a.Status, done.Status, gone.Status)
	}
	if _, err := w.V1PaymentIntents.Cancel(w.ctx, a.ID, nil); stripeError(t, err).Code != stripe.ErrorCodePaymentIntentUnexpectedState {
		t.Errorf("cancelled after it was paid: %v", err)
	}
}

func TestRefunds(t *testing.T) {
	w := newWorld(t, stripefake.Options{})
	pi := w.paid()
	w.delivered()
	ok(w.Refund(pi.ID, 150))(t)
	second := ok(w.V1Refunds.Create(w.ctx, &stripe.RefundCreateParams{PaymentIntent: &pi.ID, Metadata: map[string]string{"r": "1"}}))(t)
	if second.Amount != 250 || second.Status != "succeeded" || second.Metadata["r"] != "1" {
		t.Errorf("%+v", second)
	}
	type state struct {
		amount, before int64
		refunded       bool
	}
	var got []state
	for _, e := range w.delivered() {
		if e.Type != "charge.refunded" {
			continue
		}
		var ch stripe.Charge
		w.must(json.Unmarshal(e.Data.Raw, &ch))
		before, _ := e.Data.PreviousAttributes["amount_refunded"].(float64)
		got = append(got, state{ch.AmountRefunded, int64(before), ch.Refunded})
		if ch.Refunds != nil || ch.PaymentIntent.ID != pi.ID {
			t.Errorf("%+v", ch)
		}
	}
	if len(got) != 2 || got[0] != (state{150, 0, false}) || got[1] != (state{400, 150, true}) {
		t.Errorf("%+v", got)
	}
	full := ok(w.V1Charges.Retrieve(w.ctx, pi.LatestCharge.ID, &stripe.ChargeRetrieveParams{Expand: []*string{stripe.String("refunds")}}))(t)
	if len(full.Refunds.Data) != 2 || full.Refunds.Data[0].ID != second.ID {
		t.Errorf("%+v", full.Refunds)
	}
	_, err := w.Refund(pi.ID, 1)
	_, err2 := w.V1Refunds.Create(w.ctx, &stripe.RefundCreateParams{Charge: &pi.LatestCharge.ID})
	if err == nil || stripeError(t, err2).Code != stripe.ErrorCodeChargeAlreadyRefunded {
		t.Errorf("%v, %v", err, err2)
	}
	n := 0
	for _, err := range w.V1Refunds.List(w.ctx, &stripe.RefundListParams{PaymentIntent: &pi.ID}).All(w.ctx) {
		w.must(err)
		n++
	}
	w.must(w.FailRefund(second.ID))
	w.wantTypes("refund.updated", "refund.failed")
	ch := ok(w.V1Charges.Retrieve(w.ctx, pi.LatestCharge.ID, nil))(t)
	if n != 2 || ch.AmountRefunded != 150 || ch.Refunded || w.FailRefund(second.ID) == nil {
		t.Errorf("%d refunds; %+v", n, ch)
	}
	other := w.paid()
	for _, amount := range []int64{-1, 401} {
		if _, err := w.Refund(other.ID, amount); err == nil {
			t.Errorf("refunded %d of 400", amount)
		}
	}
}

func TestDisputes(t *testing.T) {
	for _, tc := range []struct {
		inquiry bool
		status  string
		opened  []string
		closed  []string
	}{
		{false, "won", []string{"charge.dispute.created", "charge.dispute.funds_withdrawn"}, []string{"charge.dispute.closed", "charge.dispute.funds_reinstated"}},
		{false, "lost", []string{"charge.dispute.created", "charge.dispute.funds_withdrawn"}, []string{"charge.dispute.closed"}},
		{true, "warning_closed", []string{"charge.dispute.created"}, []string{"charge.dispute.closed"}},
	} {
		w := newWorld(t, stripefake.Options{})
		pi := w.paid()
		w.delivered()
		id := ok(w.OpenDispute(stripefake.Dispute{Payment: pi.ID, Inquiry: tc.inquiry}))(t)
		w.wantTypes(tc.opened...)
		if _, err := w.OpenDispute(stripefake.Dispute{Payment: pi.ID}); err == nil {
			t.Error("disputed twice")
		}
		for _, other := range []string{"won", "lost", "warning_closed", "nonsense"} {
			if (other == "warning_closed") != tc.inquiry && w.CloseDispute(id, other) == nil {
				t.Errorf("closed as %s", other)
			}
		}
		w.must(w.CloseDispute(id, tc.status))
		w.wantTypes(tc.closed...)
		d := ok(w.V1Disputes.Retrieve(w.ctx, id, nil))(t)
		if string(d.Status) != tc.status || d.PaymentIntent.ID != pi.ID || d.Amount != 400 {
			t.Errorf("%+v", d)
		}
		if _, err := w.Refund(pi.ID, 0); (err != nil) != (tc.status == "lost") {
			t.Errorf("%s: refund: %v", tc.status, err)
		}
	}
}
