package stripe

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/payments/provider"
	"github.com/seed42445051/scrip/wallet"
)

const postIntent, listIntents = "POST /v1/payment_intents", "GET /v1/payment_intents"

func TestChargeSucceeds(t *testing.T) {
	w := newWorld(t)
	w.answer(postIntent, `200 {"id":"pi_1","status":"succeeded","amount_received":1500,"currency":"usd","customer":"cus_1","metadata":{"scrip_order":"ord_1","scrip_attempt":"2"}}`)
	news, err := w.charge(topUp())
	want := wallet.OrderNews{Kind: wallet.NewsPaid, Payment: "pi_1", Minor: 1500, Currency: "usd", Customer: "cus_1"}
	if diff := cmp.Diff(want, news); err != nil || diff != "" {
		t.Error(err, diff)
	}
	sent := w.last(postIntent)
	if sent.key != "ord_1-2" {
		t.Errorf("the idempotency key is %q", sent.key)
	}
	for field, value := range map[string]string{
		"amount": "1500", "currency": "usd", "customer": "cus_1", "payment_method": "pm_1", "payment_method_types[0]": "card",
		"off_session": "true", "confirm": "true", "description": "Creator Bundle", "metadata[scrip_order]": "ord_1", "metadata[scrip_attempt]": "2",
		"metadata[scrip_customer]": "u1", "metadata[scrip_app]": "app_1", "metadata[scrip_mode]": "test", "metadata[packId]": "pck_1", "metadata[userId]": "u1",
	} {
		sent.want(t, field, value)
	}
	if len(sent.form) != 15 {
		t.Errorf("more was sent than is known of: %v", sent.form)
	}
}

// What Stripe says of a charge that it took and that is not paid.
func TestChargeIsNotPaidYet(t *testing.T) {
	for body, want := range map[string]struct {
		kind  wallet.NewsKind
		class wallet.DeclineClass
		code  string
	}{
		`{"id":"pi_1","status":"processing"}`:              {wallet.NewsProcessing, "", ""},
		`{"id":"pi_1","status":"requires_capture"}`:        {wallet.NewsProcessing, "", ""},
		`{"id":"pi_1","status":"requires_action"}`:         {wallet.NewsDeclined, wallet.DeclineAction, "authentication_required"},
		`{"id":"pi_1","status":"requires_confirmation"}`:   {wallet.NewsDeclined, wallet.DeclineSoft, "declined"},
		`{"id":"pi_1","status":"canceled"}`:                {wallet.NewsDeclined, wallet.DeclineHard, "canceled"},
		`{"id":"pi_1","status":"requires_payment_method"}`: {wallet.NewsDeclined, wallet.DeclineSoft, "declined"},
		`{"id":"pi_1","status":"requires_payment_method","last_payment_error":{"code":"card_declined","decline_code":"lost_card"}}`: {
			wallet.NewsDeclined, wallet.DeclineHard, "lost_card",
		},
	} {
		w := newWorld(t)
		w.answer(postIntent, "200 "+body)
		news, err := w.charge(topUp())
		if err != nil || news.Kind != want.kind || news.Payment != "pi_1" {
			t.Errorf("%s: %+v, %v", body, news, err)
		}
		if want.code == "" {
			continue
		}
		if d := news.Decline; d == nil || d.Class != want.class || d.Code != want.code || d.Attempt != 2 || d.Text == "" {
			t.Errorf("%s: %+v", body, d)
		}
	}
}

// Which declines are worth another attempt (table 4.3).
func TestDeclines(t *testing.T) {
	soft, action, hard := wallet.DeclineSoft, wallet.DeclineAction, wallet.DeclineHard
	for _, c := range []struct {
		code, decline, advice string
		class                 wallet.DeclineClass
		told                  string
	}{
		{"authentication_required", "authentication_required", "", action, "authentication_required"},
		{"card_declined", "authentication_required", "", action, "authentication_required"},
		{"card_declined", "insufficient_funds", "", soft, "insufficient_funds"},
		{"card_declined", "insufficient_funds", "try_again_later", soft, "insufficient_funds"},
		{"card_declined", "do_not_honor", "", soft, "do_not_honor"},
		{"card_declined", "do_not_honor", "do_not_try_again", hard, "do_not_honor"},
		{"card_declined", "generic_decline", "", soft, "generic_decline"},
		{"card_declined", "try_again_later", "", soft, "try_again_later"},
		{"card_declined", "issuer_not_available", "", soft, "issuer_not_available"},
		{"card_declined", "", "", soft, "card_declined"},
		{"card_declined", "something_new", "", soft, "something_new"},
		{"card_declined", "lost_card", "", hard, "lost_card"},
		{"card_declined", "stolen_card", "", hard, "stolen_card"},
		{"card_declined", "pickup_card", "", hard, "pickup_card"},
		{"card_declined", "fraudulent", "", hard, "fraudulent"},
		{"card_declined", "revocation_of_authorization", "", hard, "revocation_of_authorization"},
		{"card_declined", "revocation_of_all_authorizations", "", hard, "revocation_of_all_authorizations"},
		{"card_declined", "do_not_try_again", "", hard, "do_not_try_again"},
		{"expired_card", "expired_card", "", hard, "expired_card"},
		{"expired_card", "", "", hard, "expired_card"},
		{"incorrect_cvc", "incorrect_cvc", "", hard, "incorrect_cvc"},
		{"incorrect_number", "", "", hard, "incorrect_number"},
		{"processing_error", "processing_error", "", soft, "processing_error"},
		{"", "", "", soft, "card_error"},
	} {
		w := newWorld(t)
		w.answer(postIntent, fmt.Sprintf(`402 {"error":{"type":"card_error","code":%q,"decline_code":%q,"advice_code":%q,"message":"Your card was declined.",`+
			`"charge":"ch_1","payment_intent":{"id":"pi_1","object":"payment_intent","client_secret":"pi_1_secret_NobodyMaySee","status":"requires_payment_method"}}}`,
			c.code, c.decline, c.advice))
		news, err := w.charge(topUp())
		want := wallet.OrderNews{
			Kind: wallet.NewsDeclined, Payment: "pi_1",
			Decline: &wallet.Decline{Code: c.told, Text: "Your card was declined.", Class: c.class, Attempt: 2},
		}
		if diff := cmp.Diff(want, news); err != nil || diff != "" {
			t.Errorf("%+v: %v %s", c, err, diff)
		}
	}
}

// What will be refused again ends the order; what may be otherwise the next time does not.
func TestChargesThatStripeRefuses(t *testing.T) {
	for body, code := range map[string]string{
		`400 {"error":{"type":"invalid_request_error","code":"resource_missing","param":"payment_method","message":"No such PaymentMethod"}}`: "resource_missing",
		`400 {"error":{"type":"invalid_request_error","code":"resource_missing","param":"customer","message":"No such customer"}}`:            "resource_missing",
		`400 {"error":{"type":"invalid_request_error","param":"payment_method","message":"belongs to another customer"}}`:                     "invalid_request_error",
		`400 {"error":{"type":"invalid_request_error","code":"amount_too_small","message":"Amount must be at least 50 cents"}}`:               "amount_too_small",
		`404 {"error":{"type":"invalid_request_error","code":"resource_missing","message":"No such thing"}}`:                                  "resource_missing",
	} {
		w := newWorld(t)
		w.answer(postIntent, body)
		news, err := w.charge(topUp())
		if d := news.Decline; err != nil || d == nil || d.Class != wallet.DeclineHard || d.Code != code || d.Attempt != 2 {
			t.Errorf("%s: %+v, %v", body, d, err)
		}
	}
	for body, code := range map[string]fault.Code{
		"CUT": fault.CodePaymentProviderError,
		`409 {"error":{"type":"idempotency_error","code":"idempotency_key_in_use"}}`: fault.CodePaymentProviderError,
		`429 {"error":{"type":"invalid_request_error","code":"rate_limit"}}`:         fault.CodePaymentProviderError,
		`429 {"error":{"type":"invalid_request_error","code":"lock_timeout"}}`:       fault.CodePaymentProviderError,
		`500 {"error":{"type":"api_error","message":"sorry"}}`:                       fault.CodePaymentProviderError,
		`503 <html>`: fault.CodePaymentProviderError,
		`200 {}`:     fault.CodePaymentProviderError,
		`200 <html>`: fault.CodePaymentProviderError,
		`302 `:       fault.CodePaymentProviderError,
		`401 {"error":{"type":"invalid_request_error","message":"Invalid API Key"}}`: fault.CodePaymentsNotConfigured,
		`403 {"error":{"type":"invalid_request_error","message":"not permitted"}}`:   fault.CodePaymentsNotConfigured,
	} {
		w := newWorld(t)
		w.answer(postIntent, body)
		news, err := w.charge(topUp())
		wantCode(t, err, code)
		if news.Kind != "" || w.count(postIntent) != 1 {
			t.Errorf("%s: %+v after %d requests", body, news, w.count(postIntent))
		}
	}
}

func TestChargesThatAreNotAskedFor(t *testing.T) {
	w := newWorld(t)
	uneven := topUp()
	uneven.Currency, uneven.Minor = "isk", 150
	nobody := place
	nobody.Customer = ""
	for _, c := range []provider.Charge{
		{Place: place, Order: uneven, OrderID: "ord_1", Method: "pm_1"},
		{Place: nobody, Order: topUp(), OrderID: "ord_1", Method: "pm_1"},
		{Place: place, Order: topUp(), OrderID: "ord_1"},
	} {
		news, err := w.Charge(context.Background(), c)
		if err != nil || news.Decline == nil || news.Decline.Class != wallet.DeclineHard {
			t.Errorf("%+v, %v", news, err)
		}
	}
}

const listed = `{"object":"list","has_more":false,"data":[
	{"id":"pi_3","status":"succeeded","amount_received":1500,"currency":"usd","metadata":{"scrip_order":"ord_1","scrip_attempt":"2"},"latest_charge":{"id":"ch_1","amount_refunded":0}},
	{"id":"pi_2","status":"succeeded","amount_received":9,"currency":"usd","metadata":{"scrip_order":"ord_2","scrip_attempt":"2"}},
	{"id":"pi_1","status":"requires_payment_method","last_payment_error":{"code":"card_declined"},"metadata":{"scrip_order":"ord_1","scrip_attempt":"1"}}]}`

// T17 after a day: Stripe may have forgotten the key, so what was charged is looked for first.
func TestOldChargesAreNotMadeAgain(t *testing.T) {
	for age, looks := range map[time.Duration]int{time.Hour: 0, 22 * time.Hour: 0, 24 * time.Hour: 1, -time.Hour: 1} {
		w := newWorld(t)
		w.answer(postIntent, `200 {"id":"pi_9","status":"succeeded","amount_received":1500,"currency":"usd"}`)
		w.answer(listIntents, "200 "+listed)
		w.clock.Advance(age)
		news, err := w.charge(topUp())
		if err != nil || news.Kind != wallet.NewsPaid || w.count(listIntents) != looks || w.count(postIntent) != 1-looks {
			t.Errorf("%s: %+v %v, %d looks, %d charges", age, news, err, w.count(listIntents), w.count(postIntent))
		}
	}
	w := newWorld(t)
	w.clock.Advance(48 * time.Hour)
	w.answer(listIntents, "500 {}")
	_, err := w.charge(topUp())
	wantCode(t, err, fault.CodePaymentProviderError)
	third := topUp()
	third.Attempt = 3
	w.answer(listIntents, "200 "+listed)
	w.answer(postIntent, `200 {"id":"pi_9","status":"processing"}`)
	if news, err := w.charge(third); err != nil || news.Payment != "pi_9" {
		t.Error(news, err)
	}
}

// A key that was used with another card has an outcome, which counts.
func TestChargeUnderAKeyThatWasUsed(t *testing.T) {
	const twisted = `400 {"error":{"type":"idempotency_error","message":"Keys for idempotent requests can only be used with the same parameters"}}`
	w := newWorld(t)
	w.answer(postIntent, twisted)
	w.answer(listIntents, "200 "+listed)
	if news, err := w.charge(topUp()); err != nil || news.Kind != wallet.NewsPaid || news.Payment != "pi_3" {
		t.Error(news, err)
	}
	w.answer(listIntents, `200 {"object":"list","data":[]}`)
	_, err := w.charge(topUp())
	wantCode(t, err, fault.CodePaymentProviderError)
}
