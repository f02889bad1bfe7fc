package stripe

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/payments/provider"
	"github.com/seed42445051/scrip/wallet"
)

const (
	postSession  = "POST /v1/checkout/sessions"
	listSessions = "GET /v1/checkout/sessions"
	postCustomer = "POST /v1/customers"
	aSession     = `200 {"id":"cs_1","url":"https://checkout.example.org/cs_1","status":"open"}`
)

func (w *world) open(o *wallet.Order) (provider.Opened, error) {
	return w.OpenPage(context.Background(), provider.Page{Place: place, Order: o, OrderID: "ord_1", AppName: "PixelForge", CreditsAs: "1,000 credits"})
}

func TestPageOfAPack(t *testing.T) {
	w := newWorld(t)
	w.answer(postSession, aSession)
	opened, err := w.open(order())
	if diff := cmp.Diff(provider.Opened{Session: "cs_1", URL: "https://checkout.example.org/cs_1", Customer: "cus_1"}, opened); err != nil || diff != "" {
		t.Error(err, diff)
	}
	sent := w.last(postSession)
	want := map[string]string{
		"mode": "payment", "customer": "cus_1", "client_reference_id": "u1",
		"success_url": "https://example.org/ok?s={CHECKOUT_SESSION_ID}", "cancel_url": "https://example.org/no",
		"expires_at":              strconv.FormatInt(start.Add(24*time.Hour-time.Minute).Time().Unix(), 10),
		"line_items[0][quantity]": "1", "line_items[0][price_data][currency]": "usd", "line_items[0][price_data][unit_amount]": "1500",
		"line_items[0][price_data][product_data][name]": "Creator Bundle", "line_items[0][price_data][product_data][description]": "1,000 credits",
		"payment_intent_data[description]": "PixelForge: Creator Bundle",
	}
	for key, value := range map[string]string{
		"scrip_order": "ord_1", "scrip_customer": "u1", "scrip_app": "app_1", "scrip_mode": "test", "packId": "pck_1", "userId": "u1",
	} {
		want["metadata["+key+"]"], want["payment_intent_data[metadata]["+key+"]"] = value, value
	}
	got := map[string]string{}
	for field := range sent.form {
		got[field] = sent.form.Get(field)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if sent.key != "checkout-ord_1" {
		t.Errorf("the idempotency key is %q", sent.key)
	}
}

func TestPagesOfOtherForms(t *testing.T) {
	w := newWorld(t)
	w.answer(postSession, aSession)
	for name, c := range map[string]struct {
		change func(o *wallet.Order)
		want   map[string]string
	}{
		"by the provider's price": {
			func(o *wallet.Order) { o.PriceRef, o.Quantity = "price_1", 3 },
			map[string]string{"line_items[0][price]": "price_1", "line_items[0][quantity]": "3", "line_items[0][price_data][currency]": ""},
		},
		"three": {
			func(o *wallet.Order) { o.Quantity = 3 },
			map[string]string{"line_items[0][price_data][unit_amount]": "500", "line_items[0][quantity]": "3"},
		},
		"not to be divided": {
			func(o *wallet.Order) { o.Quantity = 7 },
			map[string]string{"line_items[0][price_data][unit_amount]": "1500", "line_items[0][quantity]": "1"},
		},
		"in shillings": {
			func(o *wallet.Order) { o.Currency = "ugx" },
			map[string]string{"line_items[0][price_data][unit_amount]": "150000"},
		},
		"card kept": {
			func(o *wallet.Order) { o.SaveCard = true },
			map[string]string{
				"payment_intent_data[setup_future_usage]": "off_session", "payment_method_types[0]": "card",
				"metadata[scrip_saves_card]": "true", "payment_intent_data[metadata][scrip_saves_card]": "true",
			},
		},
		"card only": {
			func(o *wallet.Order) { o.Kind, o.Minor, o.Currency, o.SaveCard = wallet.CardOrder, 0, "", true },
			map[string]string{
				"mode": "setup", "payment_method_types[0]": "card", "setup_intent_data[metadata][scrip_order]": "ord_1",
				"line_items[0][quantity]": "", "payment_intent_data[metadata][scrip_order]": "", "metadata[packId]": "",
			},
		},
	} {
		o := order()
		c.change(o)
		if _, err := w.open(o); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for field, value := range c.want {
			w.last(postSession).want(t, field, value)
		}
	}
	long := place
	long.Key.Customer = strings.Repeat("é", 201)
	if _, err := w.OpenPage(context.Background(), provider.Page{Place: long, Order: order(), OrderID: "ord_1"}); err != nil {
		t.Error(err)
	}
	w.last(postSession).want(t, "client_reference_id", "")
	w.last(postSession).want(t, "metadata[userId]", long.Key.Customer)
	long.Key.Customer = strings.Repeat("é", 200)
	if _, err := w.OpenPage(context.Background(), provider.Page{Place: long, Order: order(), OrderID: "ord_1"}); err != nil {
		t.Error(err)
	}
	w.last(postSession).want(t, "client_reference_id", long.Key.Customer)
}

// The page closes when the order says, within what Stripe allows by its own clock.
func TestWhenPagesClose(t *testing.T) {
	p := newWorld(t).Provider
	for name, c := range map[string]struct{ made, closes, want time.Duration }{
		"within":        {0, 2 * time.Hour, 2 * time.Hour},
		"asked late":    {-time.Hour, 2 * time.Hour, 2 * time.Hour},
		"too soon":      {0, 30 * time.Minute, 31 * time.Minute},
		"over already":  {-3 * time.Hour, -time.Hour, 31 * time.Minute},
		"too late":      {0, 24 * time.Hour, 24*time.Hour - time.Minute},
		"a test clock":  {1000 * time.Hour, 1002 * time.Hour, 2 * time.Hour},
		"its full time": {1000 * time.Hour, 1024 * time.Hour, 24*time.Hour - time.Minute},
		"late, at most": {-time.Hour, 23 * time.Hour, 23*time.Hour - time.Minute},
	} {
		o := order()
		o.CreatedAt, o.ExpiresAt = start.Add(c.made), start.Add(c.closes)
		if got := p.expiry(o).Sub(start); got != c.want {
			t.Errorf("%s: closes after %s, not %s", name, got, c.want)
		}
	}
	never := order()
	never.ExpiresAt = 0
	if got := p.expiry(never).Sub(start); got != 24*time.Hour-time.Minute {
		t.Errorf("closes after %s", got)
	}
}

func TestCustomersAreMadeOnce(t *testing.T) {
	w := newWorld(t)
	w.answer(postSession, aSession)
	w.answer(postCustomer, `200 {"id":"cus_9"}`)
	newcomer := place
	newcomer.Customer = ""
	open := func() string {
		t.Helper()
		opened, err := w.OpenPage(context.Background(), provider.Page{Place: newcomer, Order: order(), OrderID: "ord_1"})
		if err != nil || opened.Customer != "cus_9" {
			t.Error(opened, err)
		}
		w.last(postSession).want(t, "customer", "cus_9")
		return w.last(postCustomer).key
	}
	first := open()
	for field, value := range map[string]string{
		"email": "u1@example.org", "name": "U One", "metadata[scrip_customer]": "u1", "metadata[scrip_app]": "app_1", "metadata[scrip_mode]": "test", "metadata[userId]": "u1",
	} {
		w.last(postCustomer).want(t, field, value)
	}
	if again := open(); again != first {
		t.Errorf("the keys are %q and %q", first, again)
	}
	keys := map[string]bool{first: true}
	for _, change := range []func(){
		func() { newcomer.Email = "u2@example.org" }, func() { newcomer.Key.Mode = "test/ci" }, func() { newcomer.Key.App = "app_2" }, func() { newcomer.Key.Customer = "u2" },
	} {
		change()
		key := open()
		if keys[key] || len(key) > 255 {
			t.Errorf("the key is %q again", key)
		}
		keys[key] = true
	}
	w.answer(postCustomer, `400 {"error":{"type":"invalid_request_error","code":"email_invalid","param":"email","message":"Invalid email address: x"}}`)
	_, err := w.OpenPage(context.Background(), provider.Page{Place: newcomer, Order: order(), OrderID: "ord_1"})
	wantCode(t, err, fault.CodeInvalidRequest)
}

// A customer who was deleted at Stripe is made again.
func TestCustomersWhoAreGone(t *testing.T) {
	w := newWorld(t)
	w.answer(postSession, `400 {"error":{"type":"invalid_request_error","code":"resource_missing","param":"customer","message":"No such customer: 'cus_1'"}}`, aSession)
	w.answer(postCustomer, `200 {"id":"cus_9"}`)
	opened, err := w.open(order())
	if err != nil || opened.Customer != "cus_9" || opened.Session != "cs_1" {
		t.Error(opened, err)
	}
	if sent := w.last(postSession); sent.key != "checkout-ord_1-cus_9" {
		t.Errorf("the idempotency key is %q", sent.key)
	}
}

// A page that is asked for a second time, with a name that changed, is the page of the first time.
func TestPagesThatWereOpenedAlready(t *testing.T) {
	w := newWorld(t)
	w.answer(postSession, `400 {"error":{"type":"idempotency_error","message":"other parameters"}}`)
	w.answer(listSessions, `200 {"object":"list","has_more":true,"data":[{"id":"cs_3","metadata":{"scrip_order":"ord_3"}}]}`,
		`200 {"object":"list","data":[{"id":"cs_1","url":"https://checkout.example.org/cs_1","metadata":{"scrip_order":"ord_1"}}]}`)
	opened, err := w.open(order())
	if err != nil || opened.Session != "cs_1" || opened.URL == "" {
		t.Error(opened, err)
	}
	w.last(listSessions).want(t, "starting_after", "cs_3")
	w.last(listSessions).want(t, "customer", "cus_1")
	w.answer(listSessions, `200 {"object":"list","data":[]}`)
	_, err = w.open(order())
	wantCode(t, err, fault.CodePaymentProviderError)

	known := order()
	known.Session, known.URL = "cs_7", "https://checkout.example.org/cs_7"
	before := w.count(postSession)
	if opened, err := w.open(known); err != nil || opened.Session != "cs_7" || w.count(postSession) != before {
		t.Error(opened, err)
	}
}

func TestPagesThatStripeRefuses(t *testing.T) {
	for body, want := range map[string]struct {
		code  fault.Code
		field string
	}{
		`400 {"error":{"type":"invalid_request_error","code":"amount_too_small","message":"must convert to at least 50 cents"}}`:            {fault.CodeAmountTooSmall, ""},
		`400 {"error":{"type":"invalid_request_error","code":"amount_too_large","message":"at most"}}`:                                      {fault.CodeAmountOutOfRange, ""},
		`400 {"error":{"type":"invalid_request_error","code":"url_invalid","param":"success_url","message":"Not a valid URL"}}`:             {fault.CodeInvalidRequest, "success_url"},
		`400 {"error":{"type":"invalid_request_error","code":"resource_missing","param":"line_items[0][price]","message":"No such price"}}`: {fault.CodeInvalidRequest, ""},
		"CUT":                                {fault.CodePaymentProviderError, ""},
		`500 {"error":{"type":"api_error"}}`: {fault.CodePaymentProviderError, ""},
		`409 {"error":{"type":"idempotency_error"}}`:     {fault.CodePaymentProviderError, ""},
		`401 {"error":{"type":"invalid_request_error"}}`: {fault.CodePaymentsNotConfigured, ""},
	} {
		w := newWorld(t)
		w.answer(postSession, body)
		_, err := w.open(order())
		wantCode(t, err, want.code)
		if got := fault.As(err).Field; got != want.field {
			t.Errorf("%s: the field is %q", body, got)
		}
	}
	uneven := order()
	uneven.Currency, uneven.Minor = "kwd", 1234
	_, err := newWorld(t).open(uneven)
	wantCode(t, err, fault.CodeInvalidAmount)
}

func TestClosePage(t *testing.T) {
	const expire = "POST /v1/checkout/sessions/cs_1/expire"
	for body, code := range map[string]fault.Code{
		`200 {"id":"cs_1","status":"expired"}`: "",
		`400 {"error":{"type":"invalid_request_error","message":"Only Checkout Sessions with a status in [\"open\"] can be expired."}}`: "",
		`404 {"error":{"type":"invalid_request_error","code":"resource_missing"}}`:                                                      "",
		`500 {"error":{"type":"api_error"}}`: fault.CodePaymentProviderError,
		"CUT":                                fault.CodePaymentProviderError,
	} {
		w := newWorld(t)
		w.answer(expire, body)
		wantCode(t, w.ClosePage(context.Background(), place, "cs_1"), code)
	}
}

func TestPortal(t *testing.T) {
	const path = "POST /v1/billing_portal/sessions"
	w := newWorld(t)
	w.answer(path, `200 {"id":"bps_1","url":"https://billing.example.org/1"}`)
	if url, err := w.Portal(context.Background(), place, "https://example.org"); err != nil || url != "https://billing.example.org/1" {
		t.Error(url, err)
	}
	w.last(path).want(t, "customer", "cus_1")
	w.last(path).want(t, "return_url", "https://example.org")
	stranger := place
	stranger.Customer = ""
	_, err := w.Portal(context.Background(), stranger, "")
	wantCode(t, err, fault.CodeNoPaymentMethod)
	w.answer(path, `400 {"error":{"type":"invalid_request_error","code":"resource_missing","param":"customer"}}`)
	_, err = w.Portal(context.Background(), place, "")
	wantCode(t, err, fault.CodeNoPaymentMethod)
	w.answer(path, `400 {"error":{"type":"invalid_request_error","message":"save your customer portal settings first"}}`)
	_, err = w.Portal(context.Background(), place, "")
	wantCode(t, err, fault.CodeInvalidRequest)
}
