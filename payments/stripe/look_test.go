package stripe

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/payments/provider"
	"github.com/seed42445051/scrip/wallet"
)

const (
	postRefund   = "POST /v1/refunds"
	listRefunds  = "GET /v1/refunds"
	listDisputes = "GET /v1/disputes"
	getSession   = "GET /v1/checkout/sessions/cs_1"
	getIntent    = "GET /v1/payment_intents/pi_1"
	nothing      = `200 {"object":"list","data":[]}`
)

func (w *world) refund(minor int64, reason string) (wallet.OrderNews, error) {
	o := order()
	o.Status, o.Payment = wallet.OrderPaid, "pi_1"
	return w.Refund(context.Background(), provider.Refund{Place: place, Order: o, OrderID: "ord_1", Own: 2, Minor: minor, Reason: reason})
}

func TestRefund(t *testing.T) {
	w := newWorld(t)
	w.answer(listRefunds, `200 {"object":"list","data":[{"id":"re_1","status":"succeeded","metadata":{"scrip_order":"ord_1","scrip_refund":"1"}},
		{"id":"re_0","status":"succeeded","metadata":{"scrip_refund":"2"}}]}`)
	w.answer(postRefund, `200 {"id":"re_2","status":"pending","amount":500,"currency":"usd","payment_intent":"pi_1"}`)
	news, err := w.refund(500, "duplicate")
	want := wallet.OrderNews{Kind: wallet.NewsRefund, Payment: "pi_1", Refund: "re_2", Own: 2, Minor: 500, Currency: "usd", RefundStatus: wallet.RefundPending}
	if diff := cmp.Diff(want, news); err != nil || diff != "" {
		t.Error(err, diff)
	}
	sent := w.last(postRefund)
	if sent.key != "ord_1-refund-2" {
		t.Errorf("the idempotency key is %q", sent.key)
	}
	for field, value := range map[string]string{
		"payment_intent": "pi_1", "amount": "500", "reason": "duplicate", "metadata[scrip_order]": "ord_1", "metadata[scrip_refund]": "2",
	} {
		sent.want(t, field, value)
	}
	if _, err := w.refund(500, "they were unhappy"); err != nil {
		t.Error(err)
	}
	w.last(postRefund).want(t, "reason", "")
}

// A refund that was made already is not made again, when its key is forgotten by Stripe as well.
func TestRefundsAreMadeOnce(t *testing.T) {
	w := newWorld(t)
	w.answer(listRefunds, `200 {"object":"list","data":[{"id":"re_2","status":"succeeded","amount":500,"currency":"usd","payment_intent":"pi_1","metadata":{"scrip_order":"ord_1","scrip_refund":"2"}}]}`)
	news, err := w.refund(500, "")
	if err != nil || news.Refund != "re_2" || news.RefundStatus != wallet.RefundSucceeded || news.Own != 2 || w.count(postRefund) != 0 {
		t.Error(news, err)
	}
}

func TestRefundsThatStripeRefuses(t *testing.T) {
	for body, reason := range map[string]string{
		`400 {"error":{"type":"invalid_request_error","code":"charge_already_refunded","message":"Charge ch_1 has already been refunded."}}`: "charge_already_refunded",
		`400 {"error":{"type":"invalid_request_error","code":"charge_disputed","message":"disputed"}}`:                                       "charge_disputed",
		`400 {"error":{"type":"invalid_request_error","param":"amount","message":"greater than unrefunded amount"}}`:                         "greater than unrefunded amount",
	} {
		w := newWorld(t)
		w.answer(listRefunds, nothing)
		w.answer(postRefund, body)
		news, err := w.refund(500, "")
		want := wallet.OrderNews{Kind: wallet.NewsRefund, Payment: "pi_1", Own: 2, Minor: 500, Currency: "usd", RefundStatus: wallet.RefundFailed, Reason: reason}
		if diff := cmp.Diff(want, news); err != nil || diff != "" {
			t.Errorf("%s: %v %s", body, err, diff)
		}
	}
	for _, body := range []string{"CUT", `500 {"error":{"type":"api_error"}}`, `409 {"error":{"type":"idempotency_error"}}`, `400 {"error":{"type":"idempotency_error"}}`, `429 {"error":{"code":"rate_limit"}}`} {
		w := newWorld(t)
		w.answer(listRefunds, nothing)
		w.answer(postRefund, body)
		_, err := w.refund(500, "")
		wantCode(t, err, fault.CodePaymentProviderError)
		w.answer(listRefunds, body)
		if _, err := w.refund(500, ""); err == nil {
			t.Error("refunded without having looked")
		}
	}
	w := newWorld(t)
	_, err := w.Refund(context.Background(), provider.Refund{Place: place, Order: order(), OrderID: "ord_1", Own: 1, Minor: 5})
	wantCode(t, err, fault.CodeOrderNotPaid)
}

func (w *world) look(o *wallet.Order) []wallet.OrderNews {
	w.t.Helper()
	news, err := w.Look(context.Background(), provider.Question{Place: place, Order: o, OrderID: "ord_1"})
	if err != nil {
		w.t.Error(err)
	}
	return news
}

func paged() *wallet.Order {
	o := order()
	o.Session, o.SaveCard = "cs_1", true
	return o
}

func TestLookAtAPage(t *testing.T) {
	base := wallet.OrderNews{Session: "cs_1", Customer: "cus_1"}
	with := func(change func(n *wallet.OrderNews)) []wallet.OrderNews {
		n := base
		change(&n)
		return []wallet.OrderNews{n}
	}
	for body, want := range map[string][]wallet.OrderNews{
		`{"id":"cs_1","status":"open","payment_status":"unpaid","customer":"cus_1","payment_intent":null}`: nil,
		`{"id":"cs_1","status":"expired","payment_status":"unpaid","customer":"cus_1"}`: with(func(n *wallet.OrderNews) {
			n.Kind = wallet.NewsExpired
		}),
		`{"id":"cs_1","status":"complete","payment_status":"unpaid","customer":"cus_1","payment_intent":{"id":"pi_1","status":"processing"}}`: with(func(n *wallet.OrderNews) {
			n.Kind, n.Payment = wallet.NewsProcessing, "pi_1"
		}),
		`{"id":"cs_1","status":"complete","payment_status":"unpaid","customer":"cus_1","payment_intent":{"id":"pi_1","status":"requires_payment_method","last_payment_error":{"code":"payment_failed","message":"No."}}}`: with(func(n *wallet.OrderNews) {
			n.Kind, n.Payment = wallet.NewsFailed, "pi_1"
			n.Decline = &wallet.Decline{Code: "payment_failed", Text: "No.", Class: wallet.DeclineSoft}
		}),
		`{"id":"cs_1","status":"open","payment_intent":{"id":"pi_1","status":"requires_payment_method","last_payment_error":{"code":"card_declined","decline_code":"lost_card","message":"No."}}}`: {{
			Kind: wallet.NewsDeclined, Payment: "pi_1", Decline: &wallet.Decline{Code: "lost_card", Text: "No.", Class: wallet.DeclineHard},
		}},
		`{"id":"cs_1","status":"complete","mode":"setup","payment_status":"no_payment_required","customer":"cus_1","setup_intent":{"id":"seti_1","payment_method":{"id":"pm_1","card":{"brand":"visa","last4":"4242"}}}}`: with(func(n *wallet.OrderNews) {
			n.Kind, n.Method, n.Label = wallet.NewsPaid, "pm_1", "visa •••• 4242"
		}),
	} {
		w := newWorld(t)
		w.answer(getSession, "200 "+body)
		if diff := cmp.Diff(want, w.look(paged())); diff != "" {
			t.Errorf("%s: %s", body, diff)
		}
	}
	w := newWorld(t)
	w.answer(getSession, `404 {"error":{"type":"invalid_request_error","code":"resource_missing"}}`)
	if news := w.look(paged()); news != nil {
		t.Error(news)
	}
}

const paidPage = `200 {"id":"cs_1","status":"complete","mode":"payment","payment_status":"paid","amount_total":1500,"currency":"usd","customer":"cus_1",
	"metadata":{"scrip_order":"ord_1","scrip_saves_card":"true"},"payment_intent":{"id":"pi_1","status":"succeeded","customer":"cus_1",
	"payment_method":{"id":"pm_1","card":{"brand":"visa","last4":"4242"}},"latest_charge":{"id":"ch_1","amount_refunded":700,"currency":"usd","disputed":true}}}`

// All that there is of an order is told: the payment, each refund, what was refunded in all, the dispute.
func TestLookAtMoneyThatWentBack(t *testing.T) {
	w := newWorld(t)
	w.answer(getSession, paidPage)
	w.answer(listRefunds, `200 {"object":"list","data":[{"id":"re_2","status":"failed","amount":300,"currency":"usd","payment_intent":"pi_1","failure_reason":"lost_or_stolen_card"},
		{"id":"re_1","status":"succeeded","amount":700,"currency":"usd","payment_intent":"pi_1","metadata":{"scrip_order":"ord_1","scrip_refund":"1"}}]}`)
	w.answer(listDisputes, `200 {"object":"list","data":[{"id":"dp_1","status":"under_review","payment_intent":"pi_1","reason":"fraudulent"}]}`)
	want := []wallet.OrderNews{
		{Kind: wallet.NewsPaid, Session: "cs_1", Payment: "pi_1", Minor: 1500, Currency: "usd", Customer: "cus_1", Method: "pm_1", Label: "visa •••• 4242"},
		{Kind: wallet.NewsRefund, Payment: "pi_1", Refund: "re_1", Own: 1, Minor: 700, Currency: "usd", RefundStatus: wallet.RefundSucceeded},
		{Kind: wallet.NewsRefund, Payment: "pi_1", Refund: "re_2", Minor: 300, Currency: "usd", RefundStatus: wallet.RefundFailed, Reason: "lost_or_stolen_card"},
		{Kind: wallet.NewsRefund, Payment: "pi_1", Cumulative: 700, Currency: "usd"},
		{Kind: wallet.NewsDispute, Payment: "pi_1", DisputeID: "dp_1", Dispute: wallet.DisputeOpen, Reason: "fraudulent"},
	}
	if diff := cmp.Diff(want, w.look(paged())); diff != "" {
		t.Error(diff)
	}
	for _, path := range []string{listRefunds, listDisputes} {
		w.last(path).want(t, "payment_intent", "pi_1")
	}
	w.answer(getSession, strings.Replace(paidPage, `"disputed":true`, `"disputed":false`, 1))
	if before := w.count(listDisputes); len(w.look(paged())) != 4 || w.count(listDisputes) != before {
		t.Error("a charge that is not disputed was asked for its disputes")
	}
	w.answer(listRefunds, "500 {}")
	_, err := w.Look(context.Background(), provider.Question{Place: place, Order: paged(), OrderID: "ord_1"})
	wantCode(t, err, fault.CodePaymentProviderError)
}

// A charge whose answer was lost is found among those of the customer.
func TestLookAtCharges(t *testing.T) {
	w := newWorld(t)
	w.answer(listIntents, "200 "+listed)
	w.answer(listRefunds, nothing)
	w.answer(listDisputes, nothing)
	want := []wallet.OrderNews{
		{Kind: wallet.NewsDeclined, Payment: "pi_1", Decline: &wallet.Decline{Code: "card_declined", Text: "The payment was declined.", Class: wallet.DeclineSoft, Attempt: 1}},
		{Kind: wallet.NewsPaid, Payment: "pi_3", Minor: 1500, Currency: "usd"},
	}
	if diff := cmp.Diff(want, w.look(topUp())); diff != "" {
		t.Error(diff)
	}
	w.last(listIntents).want(t, "customer", "cus_1")

	paid := topUp()
	paid.Status, paid.Payment = wallet.OrderPaid, "pi_1"
	w.answer(getIntent, `200 {"id":"pi_1","status":"succeeded","amount_received":1500,"currency":"usd","latest_charge":{"id":"ch_1"}}`)
	if diff := cmp.Diff([]wallet.OrderNews{{Kind: wallet.NewsPaid, Payment: "pi_1", Minor: 1500, Currency: "usd"}}, w.look(paid)); diff != "" {
		t.Error(diff)
	}
	w.answer(listIntents, nothing)
	if news := w.look(topUp()); news != nil {
		t.Error(news)
	}
}

// A page whose answer was lost is found among those of the customer, if it is known.
func TestLookForAPage(t *testing.T) {
	w := newWorld(t)
	w.answer(listSessions, `200 {"object":"list","data":[{"id":"cs_1","metadata":{"scrip_order":"ord_1"}}]}`)
	w.answer(getSession, `200 {"id":"cs_1","status":"expired"}`)
	if news := w.look(order()); len(news) != 1 || news[0].Kind != wallet.NewsExpired {
		t.Error(news)
	}
	w.answer(listSessions, nothing)
	if news := w.look(order()); news != nil {
		t.Error(news)
	}
	stranger := place
	stranger.Customer = ""
	for _, o := range []*wallet.Order{order(), topUp()} {
		if news, err := w.Look(context.Background(), provider.Question{Place: stranger, Order: o, OrderID: "ord_1"}); err != nil || news != nil {
			t.Error(news, err)
		}
	}
}

func TestListsAreReadWithinBounds(t *testing.T) {
	w := newWorld(t)
	w.answer(listIntents, `200 {"object":"list","has_more":true,"data":[{"id":"pi_1","status":"processing"}]}`)
	if news := w.look(topUp()); news != nil || w.count(listIntents) != maxPages {
		t.Error(news, w.count(listIntents))
	}
}
