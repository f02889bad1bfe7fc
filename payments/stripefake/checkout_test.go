package stripefake_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stripe/stripe-go/v85"

	"github.com/seed42445051/scrip/payments/stripefake"
)

func TestCheckoutPays(t *testing.T) {
	w := newWorld(t, stripefake.Options{})
	s := ok(w.V1CheckoutSessions.Create(w.ctx, pack(3)))(t)
	if s.AmountTotal != 1200 || s.Currency != "usd" || s.Status != "open" || s.PaymentStatus != "unpaid" || s.PaymentIntent != nil ||
		s.ClientReferenceID != "user-1" || s.ExpiresAt-s.Created != 86400 || !strings.HasPrefix(s.URL, w.URL+"/pay/") {
		t.Fatalf("%+v", s)
	}
	w.wantTypes() // nothing has happened yet
	w.must(w.Pay(s.ID, ""))
	events := w.delivered()
	var got []string
	for _, e := range events {
		got = append(got, string(e.Type))
	}
	want := []string{"payment_intent.created", "charge.succeeded", "payment_intent.succeeded", "checkout.session.completed"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatal(diff)
	}
	var done stripe.CheckoutSession
	w.must(json.Unmarshal(events[3].Data.Raw, &done))
	if done.PaymentStatus != "paid" || done.Status != "complete" || done.URL != "" || done.AmountTotal != 1200 ||
		done.CustomerDetails.Email == "" || done.Customer != nil {
		t.Errorf("%+v", done)
	}
	// The session's metadata is the session's alone; that of the intent reaches its charge.
	pi := ok(w.V1PaymentIntents.Retrieve(w.ctx, done.PaymentIntent.ID, &stripe.PaymentIntentRetrieveParams{
		Expand: []*string{stripe.String("latest_charge")},
	}))(t)
	if done.Metadata["order"] != "o1" || pi.Metadata["order"] != "p1" || pi.LatestCharge.Metadata["order"] != "p1" || !pi.LatestCharge.Paid {
		t.Errorf("metadata %v, %v, %v", done.Metadata, pi.Metadata, pi.LatestCharge.Metadata)
	}
	if w.Pay(s.ID, "") == nil || w.Expire(s.ID) == nil || w.SettleLate(s.ID) == nil || w.Pay("cs_no", "") == nil {
		t.Error("a session that is complete must stay as it is")
	}
}

func TestCheckoutDeclineLeavesItOpen(t *testing.T) {
	w := newWorld(t, stripefake.Options{})
	s := w.session()
	if err := w.Pay(s.ID, "pm_card_visa_chargeDeclinedLostCard"); err == nil || !strings.Contains(err.Error(), "card_declined") {
		t.Fatalf("got %v", err)
	}
	w.wantTypes("payment_intent.created", "charge.failed", "payment_intent.payment_failed")
	w.must(w.Pay(s.ID, "pm_card_authenticationRequired")) // in person, it can be confirmed
	w.wantTypes("payment_intent.requires_action", "charge.succeeded", "payment_intent.succeeded", "checkout.session.completed")
}

func TestCheckoutPaysLate(t *testing.T) {
	w := newWorld(t, stripefake.Options{})
	good, bad := w.session(), w.session()
	w.must(w.PayLate(good.ID))
	w.must(w.PayLate(bad.ID))
	for _, id := range []string{good.ID, bad.ID} {
		if s := w.read(id); s.Status != "complete" || s.PaymentStatus != "unpaid" {
			t.Fatalf("%+v", s)
		}
	}
	w.delivered()
	w.must(w.SettleLate(good.ID))
	w.wantTypes("charge.succeeded", "payment_intent.succeeded", "checkout.session.async_payment_succeeded")
	w.must(w.FailLate(bad.ID))
	w.wantTypes("charge.failed", "payment_intent.payment_failed", "checkout.session.async_payment_failed")
	if a, b := w.read(good.ID), w.read(bad.ID); a.PaymentStatus != "paid" || b.PaymentStatus != "unpaid" {
		t.Errorf("%s, %s", a.PaymentStatus, b.PaymentStatus)
	}
	if w.SettleLate(good.ID) == nil || w.SettleLate(bad.ID) == nil {
		t.Error("a payment was decided twice")
	}
}

func TestCheckoutExpires(t *testing.T) {
	w := newWorld(t, stripefake.Options{})
	at := func(d time.Duration) *int64 { return stripe.Int64(w.Now().Add(d).Time().Unix()) }
	for _, d := range []time.Duration{30*time.Minute - time.Second, 24*time.Hour + time.Second} {
		p := pack(1)
		p.ExpiresAt = at(d)
		_, err := w.V1CheckoutSessions.Create(w.ctx, p)
		if e := stripeError(t, err); e.Param != "expires_at" {
			t.Errorf("%v: %+v", d, e)
		}
	}
	p := pack(1)
	p.ExpiresAt = at(30 * time.Minute)
	short := ok(w.V1CheckoutSessions.Create(w.ctx, p))(t)
	byHand, byAPI, paid := w.session(), w.session(), w.session()
	w.must(w.Pay(paid.ID, ""))
	w.delivered()
	w.Advance(30*time.Minute - time.Second)
	w.wantTypes()
	w.Advance(time.Second)
	w.wantTypes("checkout.session.expired")
	w.must(w.Expire(byHand.ID))
	if s := ok(w.V1CheckoutSessions.Expire(w.ctx, byAPI.ID, nil))(t); s.Status != "expired" || s.URL != "" {
		t.Errorf("%+v", s)
	}
	if _, err := w.V1CheckoutSessions.Expire(w.ctx, byAPI.ID, nil); err == nil {
		t.Error("expired twice")
	}
	if w.Pay(short.ID, "") == nil {
		t.Error("an expired session was paid")
	}
	w.Advance(48 * time.Hour)
	if s := w.read(paid.ID); s.Status != "complete" {
		t.Errorf("a paid session is %s", s.Status)
	}
}

func TestCheckoutPrices(t *testing.T) {
	w := newWorld(t, stripefake.Options{})
	w.must(w.AddPrice(stripefake.Price{ID: "starter", Product: "Starter", Currency: "usd", Amount: 1000}))
	w.must(w.AddPrice(stripefake.Price{ID: "euro", Product: "Euro", Currency: "eur", Amount: 1000}))
	w.must(w.AddPrice(stripefake.Price{ID: "monthly", Product: "Pro", Currency: "usd", Amount: 900, Interval: "month"}))
	w.must(w.AddPrice(stripefake.Price{ID: "free", Product: "Free", Currency: "usd"}))
	if w.AddPrice(stripefake.Price{ID: "starter", Currency: "usd"}) == nil {
		t.Error("a price was added twice")
	}
	create := func(mode string, prices ...string) (*stripe.CheckoutSession, error) {
		p := pack(1)
		p.Mode, p.LineItems, p.PaymentIntentData = &mode, nil, nil
		for _, id := range prices {
			p.LineItems = append(p.LineItems, &stripe.CheckoutSessionCreateLineItemParams{Price: &id, Quantity: stripe.Int64(2)})
		}
		return w.V1CheckoutSessions.Create(w.ctx, p)
	}
	s := ok(create("payment", "starter", "free"))(t)
	if s.AmountTotal != 2000 {
		t.Errorf("costs %d", s.AmountTotal)
	}
	full := ok(w.V1CheckoutSessions.Retrieve(w.ctx, s.ID, &stripe.CheckoutSessionRetrieveParams{
		Expand: []*string{stripe.String("line_items")},
	}))(t)
	if len(full.LineItems.Data) != 2 || full.LineItems.Data[0].Price.ID != "starter" || full.LineItems.Data[0].Description != "Starter" {
		t.Errorf("%+v", full.LineItems)
	}
	n := 0
	for line, err := range w.V1CheckoutSessions.ListLineItems(w.ctx, &stripe.CheckoutSessionListLineItemsParams{Session: &s.ID}).All(w.ctx) {
		w.must(err)
		n += int(line.Quantity)
	}
	if n != 4 {
		t.Errorf("%d of all", n)
	}
	for _, bad := range [][]string{{"payment", "none"}, {"payment", "starter", "euro"}, {"payment", "monthly"}, {"subscription", "starter"}} {
		if _, err := create(bad[0], bad[1:]...); err == nil {
			t.Errorf("%v was sold", bad)
		}
	}
	free := ok(create("payment", "free"))(t)
	w.must(w.Pay(free.ID, ""))
	if got := w.read(free.ID); got.PaymentStatus != "no_payment_required" || got.PaymentIntent != nil {
		t.Errorf("%+v", got)
	}
}

func TestCheckoutSavesTheCard(t *testing.T) {
	w := newWorld(t, stripefake.Options{})
	p := pack(1)
	p.PaymentIntentData.SetupFutureUsage = stripe.String("off_session")
	s := ok(w.V1CheckoutSessions.Create(w.ctx, p))(t)
	w.must(w.Pay(s.ID, "pm_card_mastercard"))
	s = w.read(s.ID)
	if s.Customer == nil || s.SetupIntent != nil {
		t.Fatalf("%+v", s)
	}
	var methods []*stripe.PaymentMethod
	for pm, err := range w.V1PaymentMethods.List(w.ctx, &stripe.PaymentMethodListParams{Customer: &s.Customer.ID, Type: stripe.String("card")}).All(w.ctx) {
		w.must(err)
		methods = append(methods, pm)
	}
	if len(methods) != 1 || methods[0].Card.Brand != "mastercard" {
		t.Fatalf("%+v", methods)
	}
	pi := ok(w.charge(s.Customer.ID, methods[0].ID, ""))(t)
	if pi.Status != "succeeded" || pi.Metadata["topup"] != "7" {
		t.Errorf("%+v", pi)
	}
	if _, err := w.charge(w.customer().ID, methods[0].ID, ""); stripeError(t, err).Code != stripe.ErrorCodeResourceMissing {
		t.Errorf("another customer paid with it: %v", err)
	}
	once := w.session() // without setup_future_usage, nobody is made
	w.must(w.Pay(once.ID, ""))
	if got := w.read(once.ID); got.Customer != nil {
		t.Errorf("%+v", got.Customer)
	}
}

func TestCheckoutSetup(t *testing.T) {
	w := newWorld(t, stripefake.Options{})
	who := w.customer()
	s := ok(w.V1CheckoutSessions.Create(w.ctx, &stripe.CheckoutSessionCreateParams{
		Mode: stripe.String("setup"), Customer: &who.ID, SuccessURL: stripe.String("http://localhost/"),
		SetupIntentData: &stripe.CheckoutSessionCreateSetupIntentDataParams{Metadata: map[string]string{"a": "b"}},
	}))(t)
	w.delivered()
	if err := w.Pay(s.ID, "pm_card_chargeDeclined"); err == nil || w.read(s.ID).Status != "open" {
		t.Errorf("saved a card that cannot be: %v", err)
	}
	w.wantTypes("setup_intent.setup_failed")
	w.must(w.Pay(s.ID, ""))
	w.wantTypes("payment_method.attached", "setup_intent.succeeded", "checkout.session.completed")
	si := ok(w.V1SetupIntents.Retrieve(w.ctx, w.read(s.ID).SetupIntent.ID, &stripe.SetupIntentRetrieveParams{
		Expand: []*string{stripe.String("payment_method")},
	}))(t)
	if si.Status != "succeeded" || si.PaymentMethod.Customer.ID != who.ID || si.Metadata["a"] != "b" {
		t.Errorf("%+v", si)
	}
}

func TestPayPage(t *testing.T) {
	w := newWorld(t, stripefake.Options{})
	s := w.session()
	get := func(target string) (int, string) {
		answer := ok(http.Get(target))(t)
		defer func() { _ = answer.Body.Close() }()
		return answer.StatusCode, string(ok(io.ReadAll(answer.Body))(t))
	}
	if status, page := get(s.URL); status != 200 || !strings.Contains(page, "Top-up: 400 usd") || !strings.Contains(page, "pm_card_visa") {
		t.Errorf("%d %s", status, page)
	}
	if status, page := post(t, s.URL, "", url.Values{"action": {"decline"}}); status != 402 || !strings.Contains(page, "card_declined") {
		t.Errorf("%d %s", status, page)
	}
	if status, to := post(t, s.URL, "", url.Values{"action": {"cancel"}}); status != 303 || to != "http://localhost/no" {
		t.Errorf("%d %s", status, to)
	}
	if status, _ := post(t, s.URL, "", url.Values{"action": {"steal"}}); status != 400 || w.read(s.ID).Status != "open" {
		t.Errorf("%d", status)
	}
	if status, to := post(t, s.URL, "", url.Values{"action": {"pay"}}); status != 303 || to != "http://localhost/ok?s="+s.ID {
		t.Errorf("%d %s", status, to)
	}
	if status, _ := get(s.URL); status != 404 {
		t.Errorf("the page of a paid session: %d", status)
	}
	late := w.session()
	if status, _ := post(t, late.URL, "", url.Values{"action": {"later"}}); status != 303 || w.read(late.ID).PaymentStatus != "unpaid" {
		t.Errorf("%d", status)
	}
	portal := ok(w.V1BillingPortalSessions.Create(w.ctx, &stripe.BillingPortalSessionCreateParams{
		Customer: &w.customer().ID, ReturnURL: stripe.String("http://localhost/back"),
	}))(t)
	if status, page := get(portal.URL); status != 200 || !strings.Contains(page, "http://localhost/back") {
		t.Errorf("%d %s", status, page)
	}
}

func TestLists(t *testing.T) {
	w := newWorld(t, stripefake.Options{})
	var sessions []string
	for range 7 {
		s := w.session()
		sessions = append(sessions, s.ID)
		w.must(w.Pay(s.ID, ""))
		w.Advance(time.Minute)
	}
	slices.Reverse(sessions)
	var got []string
	list := &stripe.CheckoutSessionListParams{Status: stripe.String("complete")}
	list.Limit = stripe.Int64(3)
	for s, err := range w.V1CheckoutSessions.List(w.ctx, list).All(w.ctx) {
		w.must(err)
		got = append(got, s.ID)
	}
	if diff := cmp.Diff(sessions, got); diff != "" {
		t.Errorf("newest first, over all pages: %s", diff)
	}
	oldest := w.read(sessions[6])
	byPayment := &stripe.CheckoutSessionListParams{PaymentIntent: &oldest.PaymentIntent.ID}
	for s, err := range w.V1CheckoutSessions.List(w.ctx, byPayment).All(w.ctx) {
		w.must(err)
		if s.ID != oldest.ID {
			t.Errorf("got %s, want %s", s.ID, oldest.ID)
		}
	}
	count := func(p *stripe.EventListParams) (n int) {
		for _, err := range w.V1Events.List(w.ctx, p).All(w.ctx) {
			w.must(err)
			n++
		}
		return n
	}
	since := &stripe.RangeQueryParams{GreaterThanOrEqual: oldest.Created + 120}
	if n := count(&stripe.EventListParams{Type: stripe.String("checkout.session.completed")}); n != 7 {
		t.Errorf("%d events of a type", n)
	}
	if n := count(&stripe.EventListParams{Type: stripe.String("checkout.session.completed"), CreatedRange: since}); n != 5 {
		t.Errorf("%d events since", n)
	}
	both := []*string{stripe.String("checkout.session.completed"), stripe.String("charge.succeeded")}
	if n := count(&stripe.EventListParams{Types: both}); n != 14 {
		t.Errorf("%d events of two types", n)
	}
	intents := &stripe.PaymentIntentListParams{CreatedRange: since}
	n := 0
	for _, err := range w.V1PaymentIntents.List(w.ctx, intents).All(w.ctx) {
		w.must(err)
		n++
	}
	if n != 5 {
		t.Errorf("%d payment intents since", n)
	}
	w.Advance(30*24*time.Hour - 2*time.Minute)
	if n := count(&stripe.EventListParams{Type: stripe.String("checkout.session.completed")}); n >= 7 || n == 0 {
		t.Errorf("%d events are listed after 30 days", n)
	}
	for _, query := range []string{"limit=0", "limit=101", "starting_after=cs_no", "colour=red"} {
		r := ok(http.NewRequest(http.MethodGet, w.URL+"/v1/events?"+query, nil))(t)
		r.Header.Set("Authorization", "Bearer sk_test_x")
		answer := ok(http.DefaultClient.Do(r))(t)
		_ = answer.Body.Close()
		if answer.StatusCode != 400 {
			t.Errorf("%s: %d", query, answer.StatusCode)
		}
	}
}

func TestCheckoutRefuses(t *testing.T) {
	w := newWorld(t, stripefake.Options{})
	who := w.customer().ID
	for name, spoil := range map[string]func(*stripe.CheckoutSessionCreateParams){
		"a long reference": func(p *stripe.CheckoutSessionCreateParams) {
			p.ClientReferenceID = stripe.String(strings.Repeat("x", 201))
		},
		"customer and e-mail": func(p *stripe.CheckoutSessionCreateParams) {
			p.Customer, p.CustomerEmail = &who, stripe.String("b@example.com")
		},
		"an unknown customer":    func(p *stripe.CheckoutSessionCreateParams) { p.Customer = stripe.String("cus_no") },
		"setup with lines":       func(p *stripe.CheckoutSessionCreateParams) { p.Mode, p.PaymentIntentData = stripe.String("setup"), nil },
		"an intent to subscribe": func(p *stripe.CheckoutSessionCreateParams) { p.Mode = stripe.String("subscription") },
		"no quantity":            func(p *stripe.CheckoutSessionCreateParams) { p.LineItems[0].Quantity = nil },
		"no price":               func(p *stripe.CheckoutSessionCreateParams) { p.LineItems[0].PriceData = nil },
		"both kinds of price":    func(p *stripe.CheckoutSessionCreateParams) { p.LineItems[0].Price = stripe.String("price_1") },
		"no amount":              func(p *stripe.CheckoutSessionCreateParams) { p.LineItems[0].PriceData.UnitAmount = nil },
		"a small amount":         func(p *stripe.CheckoutSessionCreateParams) { p.LineItems[0].PriceData.UnitAmount = stripe.Int64(49) },
		"a large amount":         func(p *stripe.CheckoutSessionCreateParams) { p.LineItems[0].Quantity = stripe.Int64(250_000) },
		"no product":             func(p *stripe.CheckoutSessionCreateParams) { p.LineItems[0].PriceData.ProductData = nil },
		"an unknown product": func(p *stripe.CheckoutSessionCreateParams) {
			p.LineItems[0].PriceData.ProductData, p.LineItems[0].PriceData.Product = nil, stripe.String("prod_no")
		},
		"a currency that is none": func(p *stripe.CheckoutSessionCreateParams) {
			p.LineItems[0].PriceData.Currency = stripe.String("dollar")
		},
		"an old ui_mode": func(p *stripe.CheckoutSessionCreateParams) { p.UIMode = stripe.String("hosted") },
		"too many lines": func(p *stripe.CheckoutSessionCreateParams) {
			for range 100 {
				p.LineItems = append(p.LineItems, p.LineItems[0])
			}
		},
	} {
		p := pack(1)
		spoil(p)
		_, err := w.V1CheckoutSessions.Create(w.ctx, p)
		if e := stripeError(t, err); e.HTTPStatusCode != 400 || e.Type != stripe.ErrorTypeInvalidRequest {
			t.Errorf("%s: %+v", name, e)
		}
	}
	if page := w.V1CheckoutSessions.List(w.ctx, nil); len(page.Data()) != 0 {
		t.Errorf("%d sessions", len(page.Data()))
	}
}

func TestEmbeddedCheckout(t *testing.T) {
	w := newWorld(t, stripefake.Options{})
	p := pack(1)
	p.UIMode, p.SuccessURL, p.CancelURL, p.ReturnURL = stripe.String("embedded_page"), nil, nil, stripe.String("http://localhost/back")
	p.CustomerCreation = stripe.String("always")
	s := ok(w.V1CheckoutSessions.Create(w.ctx, p))(t)
	w.must(w.Pay(s.ID, ""))
	if got := w.read(s.ID); s.URL != "" || got.PaymentStatus != "paid" || got.Customer == nil {
		t.Errorf("%q, %+v", s.URL, got)
	}
}

func TestProductsAndPrices(t *testing.T) {
	w := newWorld(t, stripefake.Options{})
	product := ok(w.V1Products.Create(w.ctx, &stripe.ProductCreateParams{Name: stripe.String("Pro"), Metadata: map[string]string{"a": "b"}}))(t)
	p := ok(w.V1Prices.Create(w.ctx, &stripe.PriceCreateParams{
		Product: &product.ID, Currency: stripe.String("EUR"), UnitAmount: stripe.Int64(900),
		Recurring: &stripe.PriceCreateRecurringParams{Interval: stripe.String("month"), IntervalCount: stripe.Int64(3)},
	}))(t)
	got := ok(w.V1Prices.Retrieve(w.ctx, p.ID, &stripe.PriceRetrieveParams{Expand: []*string{stripe.String("product")}}))(t)
	if got.Product.Name != "Pro" || got.Product.Metadata["a"] != "b" || got.Currency != "eur" || got.UnitAmount != 900 ||
		got.Type != "recurring" || got.Recurring.IntervalCount != 3 {
		t.Errorf("%+v", got)
	}
}

func TestExpand(t *testing.T) {
	w := newWorld(t, stripefake.Options{})
	paid, open := w.paid(), w.session()
	list := &stripe.CheckoutSessionListParams{Expand: []*string{stripe.String("data.payment_intent.latest_charge")}}
	for s, err := range w.V1CheckoutSessions.List(w.ctx, list).All(w.ctx) {
		w.must(err)
		if s.ID == open.ID {
			if s.PaymentIntent != nil {
				t.Errorf("%+v", s.PaymentIntent)
			}
			continue
		}
		if s.PaymentIntent.ID != paid.ID || s.PaymentIntent.LatestCharge.Amount != 400 {
			t.Errorf("%+v", s.PaymentIntent)
		}
	}
	for _, path := range []string{"status", "colour", "payment_intent.colour", "created.x"} {
		s := w.session()
		w.must(w.Pay(s.ID, ""))
		_, err := w.V1CheckoutSessions.Retrieve(w.ctx, s.ID, &stripe.CheckoutSessionRetrieveParams{Expand: []*string{&path}})
		if e := stripeError(t, err); e.Param != "expand" {
			t.Errorf("%s: %+v", path, e)
		}
	}
}
