package stripe

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/payments/provider"
	"github.com/seed42445051/scrip/wallet"
)

// A payment method as an intent has it when it is asked for.
const withCard = `200 {"id":"pi_1","customer":"cus_1","payment_method":{"id":"pm_1","type":"card","card":{"brand":"visa","last4":"4242"}}}`

const ours = `"metadata":{"scrip_order":"ord_1","scrip_customer":"u1","scrip_app":"app_1","scrip_mode":"test"}`

// Each type of event, and what it tells of an order (table 4.5).
func TestEvents(t *testing.T) {
	session := `{"id":"cs_1","object":"checkout.session","mode":"payment","customer":"cus_1","payment_intent":"pi_1","amount_total":1500,"currency":"usd",` + ours + `,`
	sessionNews := wallet.OrderNews{Session: "cs_1", Payment: "pi_1", Customer: "cus_1", Minor: 1500, Currency: "usd"}
	attempt := `"metadata":{"scrip_order":"ord_1","scrip_attempt":"2"}`
	of := func(n wallet.OrderNews, kind wallet.NewsKind) wallet.OrderNews {
		n.Kind = kind
		return n
	}
	declined := func(d wallet.Decline) wallet.OrderNews {
		return wallet.OrderNews{Kind: wallet.NewsDeclined, Payment: "pi_1", Currency: "usd", Customer: "cus_1", Decline: &d}
	}
	failed := of(sessionNews, wallet.NewsFailed)
	failed.Decline = &wallet.Decline{Code: "async_payment_failed", Text: "The bank did not make the payment in the end.", Class: wallet.DeclineHard}
	refund := wallet.OrderNews{Kind: wallet.NewsRefund, Payment: "pi_1", Refund: "re_1", Minor: 500, Currency: "usd"}
	status := func(n wallet.OrderNews, s wallet.RefundStatus, own int64) wallet.OrderNews {
		n.RefundStatus, n.Own = s, own
		return n
	}
	dispute := func(s wallet.DisputeStatus) wallet.OrderNews {
		return wallet.OrderNews{Kind: wallet.NewsDispute, Payment: "pi_1", DisputeID: "dp_1", Dispute: s, Reason: "fraudulent"}
	}
	const intent = `{"id":"pi_1","object":"payment_intent","customer":"cus_1","currency":"usd","amount":1500,"amount_received":1500,"payment_method":"pm_1",`
	const disputed = `{"id":"dp_1","object":"dispute","charge":"ch_1","payment_intent":"pi_1","reason":"fraudulent","status":`
	const back = `{"id":"re_1","object":"refund","amount":500,"currency":"usd","payment_intent":"pi_1",`
	for _, c := range []struct {
		kind, object, order string
		want                wallet.OrderNews
	}{
		{"checkout.session.completed", session + `"status":"complete","payment_status":"paid"}`, "ord_1", of(sessionNews, wallet.NewsPaid)},
		{"checkout.session.completed", session + `"status":"complete","payment_status":"no_payment_required"}`, "ord_1", of(sessionNews, wallet.NewsPaid)},
		{"checkout.session.completed", session + `"status":"complete","payment_status":"unpaid"}`, "ord_1", of(sessionNews, wallet.NewsProcessing)},
		{"checkout.session.async_payment_succeeded", session + `"status":"complete","payment_status":"paid"}`, "ord_1", of(sessionNews, wallet.NewsPaid)},
		{"checkout.session.async_payment_failed", session + `"status":"complete","payment_status":"unpaid"}`, "ord_1", failed},
		{"checkout.session.expired", session + `"status":"expired","payment_status":"unpaid"}`, "ord_1", of(sessionNews, wallet.NewsExpired)},
		{"payment_intent.succeeded", intent + ours + `,"status":"succeeded"}`, "ord_1", wallet.OrderNews{Kind: wallet.NewsPaid, Payment: "pi_1", Minor: 1500, Currency: "usd", Customer: "cus_1"}},
		{"payment_intent.processing", intent + ours + `,"status":"processing"}`, "ord_1", wallet.OrderNews{Kind: wallet.NewsProcessing, Payment: "pi_1", Currency: "usd", Customer: "cus_1"}},
		{
			"payment_intent.payment_failed", intent + attempt + `,"status":"requires_payment_method","last_payment_error":{"type":"card_error","code":"card_declined","decline_code":"insufficient_funds","message":"Insufficient."}}`, "ord_1",
			declined(wallet.Decline{Code: "insufficient_funds", Text: "Insufficient.", Class: wallet.DeclineSoft, Attempt: 2}),
		},
		{
			"payment_intent.payment_failed", intent + ours + `,"status":"requires_payment_method","last_payment_error":{"type":"card_error","code":"authentication_required","message":"Confirm."}}`, "ord_1",
			declined(wallet.Decline{Code: "authentication_required", Text: "Confirm.", Class: wallet.DeclineAction}),
		},
		{
			"payment_intent.canceled", intent + attempt + `,"status":"canceled"}`, "ord_1",
			declined(wallet.Decline{Code: "canceled", Text: "The payment was canceled.", Class: wallet.DeclineHard, Attempt: 2}),
		},
		{
			"charge.refunded", `{"id":"ch_1","object":"charge","amount":1500,"amount_refunded":700,"refunded":false,"currency":"usd","payment_intent":"pi_1",` + ours + `}`, "ord_1",
			wallet.OrderNews{Kind: wallet.NewsRefund, Payment: "pi_1", Cumulative: 700, Currency: "usd"},
		},
		{
			"charge.refunded", `{"id":"ch_1","amount":500,"amount_refunded":500,"refunded":true,"currency":"ugx","payment_intent":"pi_1","metadata":{}}`, "",
			wallet.OrderNews{Kind: wallet.NewsRefund, Payment: "pi_1", Cumulative: 5, Currency: "ugx"},
		},
		{"refund.created", back + `"status":"pending","metadata":{"scrip_order":"ord_1","scrip_refund":"3"}}`, "ord_1", status(refund, wallet.RefundPending, 3)},
		{"refund.created", back + `"status":"requires_action","metadata":null}`, "ord_2", status(refund, wallet.RefundPending, 0)},
		{"refund.created", back + `"status":"something_new","metadata":{"scrip_refund":"3"}}`, "ord_2", status(refund, wallet.RefundPending, 0)},
		{"refund.updated", back + `"status":"succeeded"}`, "ord_2", status(refund, wallet.RefundSucceeded, 0)},
		{"charge.refund.updated", back + `"status":"canceled"}`, "ord_2", status(refund, wallet.RefundFailed, 0)},
		{"refund.failed", back + `"status":"failed"}`, "ord_2", status(refund, wallet.RefundFailed, 0)},
		{"charge.dispute.created", disputed + `"needs_response"}`, "ord_2", dispute(wallet.DisputeOpen)},
		{"charge.dispute.created", disputed + `"warning_needs_response"}`, "ord_2", dispute(wallet.DisputeOpen)},
		{"charge.dispute.closed", disputed + `"won"}`, "ord_2", dispute(wallet.DisputeWon)},
		{"charge.dispute.closed", disputed + `"warning_closed"}`, "ord_2", dispute(wallet.DisputeWon)},
		{"charge.dispute.closed", disputed + `"prevented"}`, "ord_2", dispute(wallet.DisputeWon)},
		{"charge.dispute.closed", disputed + `"lost"}`, "ord_2", dispute(wallet.DisputeLost)},
	} {
		w := newWorld(t)
		// What names no order itself is of the payment's.
		w.answer("GET /v1/payment_intents/pi_1", `200 {"id":"pi_1","object":"payment_intent","metadata":{"scrip_order":"ord_2"}}`)
		events, err := w.hook(c.kind, c.object)
		want := []provider.Event{{ID: "evt_1", OrderID: c.order, News: c.want}}
		if diff := cmp.Diff(want, events); err != nil || diff != "" {
			t.Errorf("%s %s: %v %s", c.kind, c.object, err, diff)
		}
	}
}

// A payment that is gone, or that Stripe does not tell of, is not the end of a dispute about it.
func TestDisputesOfPaymentsThatCannotBeRead(t *testing.T) {
	const object = `{"id":"dp_1","object":"dispute","payment_intent":"pi_1","status":"lost"}`
	w := newWorld(t)
	w.answer("GET /v1/payment_intents/pi_1", `404 {"error":{"type":"invalid_request_error","code":"resource_missing"}}`)
	events, err := w.hook("charge.dispute.closed", object)
	if err != nil || len(events) != 1 || events[0].OrderID != "" || events[0].News.Payment != "pi_1" {
		t.Errorf("%+v, %v", events, err)
	}
	w.answer("GET /v1/payment_intents/pi_1", `500 {"error":{"type":"api_error"}}`)
	if _, err := w.hook("charge.dispute.closed", object); fault.CodeOf(err) != fault.CodePaymentProviderError {
		t.Errorf("%v, and Stripe would not tell it again", err)
	}
}

// What is about nothing of ours tells nothing.
func TestEventsAboutOthers(t *testing.T) {
	w := newWorld(t)
	for _, c := range [][2]string{
		{"checkout.session.completed", `{"id":"cs_1","mode":"subscription","status":"complete","payment_status":"paid","subscription":"sub_1"}`},
		{"checkout.session.completed", `{"id":"cs_1","mode":"payment","status":"open"}`},
		{"payment_intent.succeeded", `{"id":"pi_1","status":"succeeded","amount_received":1500,"currency":"usd","metadata":{}}`},
		{"payment_intent.canceled", `{"id":"pi_1","status":"canceled",` + ours + `}`},
		{"payment_intent.payment_failed", `{"id":"pi_1","status":"requires_payment_method","last_payment_error":{"code":"card_declined"}}`},
		{"setup_intent.succeeded", `{"id":"seti_1","status":"succeeded","payment_method":"pm_1"}`},
		{"charge.refunded", `{"id":"ch_1","amount_refunded":700,"currency":"usd","payment_intent":null}`},
		{"refund.created", `{"id":"re_1","status":"succeeded","payment_intent":null}`},
		{"charge.dispute.created", `{"id":"dp_1","status":"needs_response","payment_intent":null}`},
		{"customer.subscription.updated", `{"id":"sub_1","metadata":{}}`},
		{"invoice.paid", `{"id":"in_1","parent":null}`},
	} {
		if events, err := w.hook(c[0], c[1]); err != nil || events != nil {
			t.Errorf("%s: %v, %v", c, events, err)
		}
	}
	events, err := w.hook("checkout.session.completed", `{"id":"cs_7","mode":"payment","status":"complete","payment_status":"paid","amount_total":5,"currency":"usd"}`)
	if err != nil || len(events) != 1 || events[0].OrderID != "" || events[0].News.Session != "cs_7" {
		t.Errorf("a session without metadata is %v, %v", events, err)
	}
}

// The card that is kept comes with whatever tells first that the order is paid.
func TestEventsWithACard(t *testing.T) {
	const setup = "GET /v1/setup_intents/seti_1"
	const saving = `"customer":"cus_1","metadata":{"scrip_order":"ord_1","scrip_saves_card":"true"}`
	for _, c := range [][3]string{
		{getIntent, "checkout.session.completed", `{"id":"cs_1","mode":"payment","status":"complete","payment_status":"paid","payment_intent":"pi_1","amount_total":5,"currency":"usd",` + saving + `}`},
		{getIntent, "payment_intent.succeeded", `{"id":"pi_1","status":"succeeded","amount_received":5,"currency":"usd","payment_method":"pm_1",` + saving + `}`},
		{setup, "checkout.session.completed", `{"id":"cs_1","mode":"setup","status":"complete","payment_status":"no_payment_required","setup_intent":"seti_1","amount_total":null,"currency":null,` + saving + `}`},
		{setup, "setup_intent.succeeded", `{"id":"seti_1","status":"succeeded","payment_method":"pm_1",` + saving + `}`},
	} {
		w := newWorld(t)
		w.answer(c[0], withCard)
		events, err := w.hook(c[1], c[2])
		if err != nil || len(events) != 1 {
			t.Fatal(events, err)
		}
		n := events[0].News
		if n.Customer != "cus_1" || n.Method != "pm_1" || n.Label != "visa •••• 4242" || events[0].OrderID != "ord_1" {
			t.Errorf("%s: %+v", c[1], events[0])
		}
		kind, minor := wallet.NewsPaid, int64(5)
		if c[0] == setup {
			minor = 0
		}
		if c[1] == "setup_intent.succeeded" {
			kind = wallet.NewsCard
		}
		if n.Kind != kind || n.Minor != minor {
			t.Errorf("%s: %+v", c[1], n)
		}
		w.last(c[0]).want(t, "expand[]", "payment_method")
		// What is no card is not kept: it could not be charged later.
		w.answer(c[0], `200 {"id":"pi_1","payment_method":{"id":"pm_1","type":"link"}}`)
		if events, err = w.hook(c[1], c[2]); err != nil || events[0].News.Method != "" {
			t.Error(events, err)
		}
		// Stripe sends again what cannot be read to the end.
		w.answer(c[0], "500 {}")
		_, err = w.hook(c[1], c[2])
		wantCode(t, err, fault.CodePaymentProviderError)
	}
}

const getSubscription = "GET /v1/subscriptions/sub_1"

func at0(seconds int64) clock.Instant { return clock.At(time.Unix(seconds, 0)) }

// How a subscription stands is asked of Stripe, so that the order of events does not matter (T22, T23).
func TestSubscriptions(t *testing.T) {
	const named = `"metadata":{"scrip_customer":"u1","scrip_plan":"pln_1","scrip_app":"app_1"},"items":{"object":"list","data":[{"id":"si_1","quantity":2,"current_period_start":1000,"current_period_end":2000}]}`
	base := provider.Subscription{Ref: "sub_1", App: "app_1", Customer: "u1", Plan: "pln_1", Quantity: 2, Start: at0(1000), End: at0(2000)}
	with := func(change func(s *provider.Subscription)) *provider.Subscription {
		s := base
		change(&s)
		return &s
	}
	paid := with(func(s *provider.Subscription) { s.Paid, s.Invoice = true, "in_1" })
	unpaid := with(func(*provider.Subscription) {})
	const mine = `{"id":"sub_1","metadata":{"userId":"u1"}}`
	const parent = `"parent":{"type":"subscription_details","subscription_details":{"subscription":"sub_1"}}`
	for name, c := range map[string]struct {
		kind, object, now string
		want              *provider.Subscription
	}{
		"begun and paid": {
			"customer.subscription.created", mine,
			`{"id":"sub_1","status":"active","latest_invoice":{"id":"in_1","status":"paid","billing_reason":"subscription_create","created":1000},` + named + `}`, paid,
		},
		"begun, not paid": {
			"customer.subscription.created", mine,
			`{"id":"sub_1","status":"incomplete","latest_invoice":{"id":"in_1","status":"open","billing_reason":"subscription_create","created":1000},` + named + `}`, unpaid,
		},
		"paid": {
			"invoice.paid", `{"id":"in_1","status":"paid","billing_reason":"subscription_cycle","created":1001,` + parent + `}`,
			`{"id":"sub_1","status":"active","latest_invoice":{"id":"in_2","status":"paid","billing_reason":"subscription_update","created":1500},` + named + `}`, paid,
		},
		"paid, in an older version": {
			"invoice.paid", `{"id":"in_1","status":"paid","billing_reason":"subscription_cycle","created":1001,"subscription":"sub_1"}`,
			`{"id":"sub_1","status":"active","latest_invoice":"in_1",` + named + `}`, paid,
		},
		"an earlier cycle was paid": {
			"invoice.paid", `{"id":"in_0","status":"paid","billing_reason":"subscription_cycle","created":10,` + parent + `}`,
			`{"id":"sub_1","status":"past_due","latest_invoice":{"id":"in_1","status":"open","billing_reason":"subscription_cycle","created":1000},` + named + `}`, unpaid,
		},
		"an earlier cycle was paid, and this one as well": {
			"invoice.paid", `{"id":"in_0","status":"paid","billing_reason":"subscription_cycle","created":10,` + parent + `}`,
			`{"id":"sub_1","status":"active","latest_invoice":{"id":"in_1","status":"paid","billing_reason":"subscription_cycle","created":1000},` + named + `}`, paid,
		},
		"a change was paid": {
			"invoice.paid", `{"id":"in_2","status":"paid","billing_reason":"subscription_update","created":1500,` + parent + `}`,
			`{"id":"sub_1","status":"active","latest_invoice":{"id":"in_2","status":"paid","billing_reason":"subscription_update","created":1500},` + named + `}`, unpaid,
		},
		"not paid": {
			"invoice.payment_failed", `{"id":"in_1","status":"open","billing_reason":"subscription_cycle","created":1000,` + parent + `}`,
			`{"id":"sub_1","status":"past_due","latest_invoice":{"id":"in_1","status":"open","billing_reason":"subscription_cycle","created":1000},` + named + `}`, unpaid,
		},
		"will end": {
			"customer.subscription.updated", mine, `{"id":"sub_1","status":"active","cancel_at":2000,"cancel_at_period_end":true,` + named + `}`,
			with(func(s *provider.Subscription) { s.EndsAt = at0(2000) }),
		},
		"will end with its cycle": {
			"customer.subscription.updated", mine, `{"id":"sub_1","status":"active","cancel_at":null,"cancel_at_period_end":true,` + named + `}`,
			with(func(s *provider.Subscription) { s.EndsAt = at0(2000) }),
		},
		"updated after it was deleted": {
			"customer.subscription.updated", mine, `{"id":"sub_1","status":"canceled",` + named + `}`,
			with(func(s *provider.Subscription) { s.Ended = true }),
		},
		"never paid": {
			"customer.subscription.deleted", mine, `{"id":"sub_1","status":"incomplete_expired",` + named + `}`,
			with(func(s *provider.Subscription) { s.Ended = true }),
		},
		"paused": {"customer.subscription.paused", mine, `{"id":"sub_1","status":"paused",` + named + `}`, unpaid},
		"as the seed names them": {
			"customer.subscription.resumed", mine, `{"id":"sub_1","status":"active","metadata":{"userId":"u1","planId":"pro"}}`,
			&provider.Subscription{Ref: "sub_1", Customer: "u1", Plan: "pro", Quantity: 1},
		},
		"no plan":         {"customer.subscription.updated", mine, `{"id":"sub_1","status":"active","metadata":{"userId":"u1"}}`, nil},
		"another sandbox": {"customer.subscription.updated", mine, `{"id":"sub_1","metadata":{"userId":"u1","planId":"pro","scrip_mode":"test/ci"}}`, nil},
		"not ours":        {"invoice.paid", `{"id":"in_1","status":"paid",` + parent + `}`, `{"id":"sub_1","metadata":{}}`, nil},
	} {
		w := newWorld(t)
		w.answer(getSubscription, "200 "+c.now)
		events, err := w.hook(c.kind, c.object)
		var want []provider.Event
		if c.want != nil {
			want = []provider.Event{{ID: "evt_1", Subscription: c.want}}
		}
		if diff := cmp.Diff(want, events); err != nil || diff != "" {
			t.Errorf("%s: %v %s", name, err, diff)
		}
	}
	w := newWorld(t)
	w.answer(getSubscription, `404 {"error":{"type":"invalid_request_error","code":"resource_missing"}}`, "500 {}")
	if events, err := w.hook("customer.subscription.deleted", mine); err != nil || events != nil {
		t.Error(events, err)
	}
	_, err := w.hook("customer.subscription.deleted", mine)
	wantCode(t, err, fault.CodePaymentProviderError)
}
