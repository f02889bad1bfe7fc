package acceptance

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/seed42445051/scrip/apply"
	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/payments/stripefake"
	v1 "github.com/seed42445051/scrip/v1"
)

func disputed(o v1.Order) stripefake.Dispute { return stripefake.Dispute{Payment: o.PaymentID} }

const (
	livePath = "/webhooks/stripe/live"
	testPath = "/webhooks/stripe/test"

	completed = "checkout.session.completed"
	succeeded = "payment_intent.succeeded"
)

// The Vevee seed's way from the button to the credits.
var checkoutRows = []tillRow{
	{"V25 V26 the session says who buys what", func(t *testing.T, c *till) {
		o := c.checkout("u", topUp)
		form := requested(c.live, "/v1/checkout/sessions")[0].Form
		for name, want := range map[string]string{
			"mode": "payment", "metadata[userId]": "u", "metadata[packId]": topUp, "client_reference_id": "u",
			"payment_intent_data[metadata][userId]": "u", "payment_intent_data[metadata][packId]": topUp,
			"line_items[0][price_data][unit_amount]": "400", "line_items[0][price_data][currency]": "usd", "line_items[0][quantity]": "1",
		} {
			equal(t, name, form.Get(name), want)
		}
		if o.URL == "" || o.SessionID == "" {
			t.Errorf("no page: %+v", o)
		}
		found, err := c.as(catalog.Live).ListOrders(t.Context(), v1.OrderQuery{SessionID: o.SessionID})
		noError(t, err)
		equal(t, "orders of the session", len(found.Data), 1)
		equal(t, "status", found.Data[0].Status, "open")
	}},
	{"V27 a pack is found by id and by name", func(t *testing.T, c *till) {
		for _, name := range []string{topUp, "gemini top-up", "GEMINI TOP-UP"} {
			equal(t, "pack", c.checkout("u", name).ItemID, topUp)
		}
		_, err := c.as(catalog.Live).Checkout(t.Context(), v1.CheckoutRequest{CustomerID: "u", PackID: "cpk_nothing"})
		refused(t, err, fault.CodePackNotFound, 404)
	}},
	{"V29 coming back grants nothing", func(t *testing.T, c *till) {
		o := c.checkout("u", "starter")
		c.pay(o)
		for _, address := range []string{c.base + "/app?billing=success", c.base + "/app?billing=success&session_id=" + o.SessionID, c.base + "/pay/" + o.SessionID} {
			res, err := http.Get(address)
			noError(t, err)
			noError(t, res.Body.Close())
		}
		c.has("u", "0")
		equal(t, "status", c.read(o).Status, "open")
		c.deliver()
		c.has("u", "1000")
	}},
	{"V30 T01 what is not signed leaves nothing behind", unsigned},
	{"V31 T21 other events are acknowledged", func(t *testing.T, c *till) {
		c.stripePost("/v1/customers", url.Values{"email": {"eve@example.com"}})
		all := c.caught()
		equal(t, "events", len(of(all, "customer.created")), 1)
		c.tell(all...)
		c.tell(all[0].with(`"customer.created"`, `"radar.early_fraud_warning.created"`), all[0].with(`"customer.created"`, `"something.nobody.knows"`))
		c.tell(message{path: livePath, body: []byte(`{"object":"event","livemode":true}`)}, message{path: livePath, body: []byte(`{"object":"v2.core.event","type":"x"}`)})
		page, err := c.as(catalog.Live).ListOrders(t.Context(), v1.OrderQuery{})
		noError(t, err)
		equal(t, "orders", len(page.Data), 0)
	}},
	{"V32 V35 V36 V37 exactly those, under the session", func(t *testing.T, c *till) {
		o := c.buy("u", bundle)
		page, err := c.as(catalog.Live).CustomerGrants(t.Context(), "u", v1.GrantQuery{ExternalRef: o.SessionID})
		noError(t, err)
		equal(t, "grants", len(page.Data), 2)
		for _, g := range page.Data {
			equal(t, "source", g.Source, "purchase")
			equal(t, "pack", g.PackID, bundle)
			equal(t, "reason", g.Reason, "Creator Bundle")
			equal(t, "expiry", g.ExpiresAt, days(90))
		}
		equal(t, "grants of the order", len(o.Grants), 2)
		_, err = c.as(catalog.Live).GetCustomer(t.Context(), "eve")
		wantCode(t, err, fault.CodeCustomerNotFound)
	}},
	{"V35 V39 the app's own webhook handler was faster", func(t *testing.T, c *till) {
		o := c.checkout("u", bundle)
		c.pay(o)
		own, err := c.as(catalog.Live).Grant(t.Context(), v1.GrantRequest{CustomerID: "u", PackID: bundle, ExternalRef: o.SessionID})
		noError(t, err)
		c.deliver()
		o = c.read(o)
		equal(t, "status", o.Status, "paid")
		equal(t, "grants of the order", len(o.Grants), 2)
		for i := range own.Grants {
			equal(t, "grant of the order", o.Grants[i].GrantID, own.Grants[i].ID)
		}
		page, err := c.as(catalog.Live).CustomerGrants(t.Context(), "u", v1.GrantQuery{ExternalRef: o.SessionID})
		noError(t, err)
		equal(t, "grants", len(page.Data), 2)
	}},
	{"V33 a payment of which nobody knows what for", func(t *testing.T, c *till) {
		c.checkout("u", "starter") // so that there is an app and a customer
		session := c.stripePost("/v1/checkout/sessions", url.Values{
			"mode": {"payment"}, "success_url": {"https://a.example/"}, "line_items[0][price]": {"starter"}, "line_items[0][quantity]": {"1"},
		})
		noError(t, c.live.Pay(session, ""))
		c.deliver()
		c.has("u", "0")
		if log := c.log.String(); !strings.Contains(log, "a payment belongs to no order") || !strings.Contains(log, session) {
			t.Errorf("nobody is told of it:\n%s", log)
		}
		// An order that names one who is not there.
		session = c.stripePost("/v1/checkout/sessions", url.Values{
			"mode": {"payment"}, "success_url": {"https://a.example/"}, "line_items[0][price]": {"starter"}, "line_items[0][quantity]": {"1"},
			"metadata[scrip_order]": {"ord_nonsense"}, "metadata[userId]": {"u"}, "metadata[packId]": {"starter"},
		})
		noError(t, c.live.Pay(session, ""))
		c.deliver()
		c.has("u", "0")
	}},
	{"V41 Stripe tries again for three days", func(t *testing.T, c *till) {
		o := c.checkout("u", "starter")
		c.pay(o)
		c.gate.close(true)
		c.run(36 * time.Hour)
		c.has("u", "0")
		c.gate.close(false)
		c.run(24 * time.Hour)
		c.has("u", "1000")
		equal(t, "status", c.read(o).Status, "paid")
		c.run(72 * time.Hour)
		equal(t, "entries", types(entries(t, c.as(catalog.Live), "u")), "credit_added")
	}},
}

func TestVeveeSells(t *testing.T) { runTills(t, checkoutRows) }

// run moves time on while Stripe tries to tell.
func (c *till) run(d time.Duration) {
	c.t.Helper()
	_, err := c.live.Run(context.Background(), d)
	noError(c.t, err)
}

// unsigned is every signature that is refused, over HTTP.
func unsigned(t *testing.T, c *till) {
	o := c.checkout("u", "starter")
	c.pay(o)
	m := of(c.caught(), completed)[0]
	now, body := c.now.Now(), m.body
	good := stripefake.Sign(body, now, liveSecret)
	altered := strings.Replace(string(body), `"amount_total":1000`, `"amount_total":1001`, 1)
	sum := good[strings.Index(good, "v1=")+3:]
	for name, try := range map[string]struct{ body, signature string }{
		"another secret":  {string(body), stripefake.Sign(body, now, "whsec_other")},
		"the test secret": {string(body), stripefake.Sign(body, now, testSecret)},
		"an altered body": {altered, good},
		"no signature":    {string(body), ""},
		"garbage":         {string(body), "garbage"},
		"v0 alone":        {string(body), strings.Replace(good, "v1=", "v0=", 1)},
		"no time":         {string(body), "v1=" + sum},
		"301 s ago":       {string(body), stripefake.Sign(body, now.Add(-301*time.Second), liveSecret)},
		"an hour ahead":   {string(body), stripefake.Sign(body, now.Add(time.Hour), liveSecret)},
		"nothing":         {"", ""},
	} {
		status, text := c.post(livePath, []byte(try.body), try.signature)
		if status != 400 || !strings.HasPrefix(text, "invalid_signature: ") {
			t.Errorf("%s: %d %s", name, status, text)
		}
	}
	for path, want := range map[string]int{"/webhooks/stripe/production": 404, "/webhooks/nobody/live": 501} {
		if status, text := c.post(path, body, good); status != want {
			t.Errorf("%s: %d %s", path, status, text)
		}
	}
	equal(t, "status", c.read(o).Status, "open")
	equal(t, "entries", len(entries(t, c.as(catalog.Live), "u")), 0)
	c.quiet()
	equal(t, "calls", len(c.heard.bought()), 0)
	equal(t, "mails", len(c.box.all()), 0)

	// What was refused before is taken when it is signed: the second of two signatures will do.
	for _, signature := range []string{
		stripefake.Sign(body, now.Add(-299*time.Second), "whsec_old", liveSecret), good,
	} {
		status, text := c.post(livePath, body, signature)
		equal(t, "status of "+text, status, 200)
	}
	c.has("u", "1000")
}

// What Stripe tells, in any order and any number of times.
var stripeRows = []tillRow{
	{"T02 twice, and with two ids", func(t *testing.T, c *till) {
		c.live.SetPolicy(stripefake.Policy{Duplicates: 1, Twins: 1})
		c.buy("u", "starter")
		c.once("u")
	}},
	{"T03 a payment that takes days", func(t *testing.T, c *till) {
		o := c.checkout("u", "starter")
		noError(t, c.live.PayLate(o.SessionID))
		c.deliver()
		equal(t, "status", c.read(o).Status, "processing")
		c.has("u", "0")
		c.now.Advance(72 * time.Hour)
		noError(t, c.live.SettleLate(o.SessionID))
		c.deliver()
		equal(t, "status", c.read(o).Status, "paid")
		c.once("u")
	}},
	{"T04 success before completion", func(t *testing.T, c *till) {
		o := c.checkout("u", "starter")
		noError(t, c.live.PayLate(o.SessionID))
		first := c.caught()
		noError(t, c.live.SettleLate(o.SessionID))
		second := c.caught()
		c.tell(of(second, "checkout.session.async_payment_succeeded")...)
		c.tell(first...)
		c.tell(second...)
		equal(t, "status", c.read(o).Status, "paid")
		c.once("u")
	}},
	{"T05 the bank does not pay", func(t *testing.T, c *till) {
		o := c.checkout("u", "starter")
		noError(t, c.live.PayLate(o.SessionID))
		c.deliver()
		noError(t, c.live.FailLate(o.SessionID))
		c.deliver()
		equal(t, "status", c.read(o).Status, "failed")
		c.has("u", "0")
		c.quiet()
		equal(t, "payment.failed", c.heard.count(catalog.EventPaymentFailed), 1)
	}},
	{"T06 closed, and paid after all", func(t *testing.T, c *till) {
		o := c.checkout("u", "starter")
		c.pay(o)
		all := c.caught()
		done := of(all, completed)[0]
		c.tell(done.with(completed, "checkout.session.expired", `"status":"complete"`, `"status":"expired"`, `"payment_status":"paid"`, `"payment_status":"unpaid"`))
		equal(t, "status", c.read(o).Status, "expired")
		c.tell(done)
		equal(t, "status", c.read(o).Status, "paid")
		c.tell(done.with(completed, "checkout.session.expired", `"status":"complete"`, `"status":"expired"`, `"payment_status":"paid"`, `"payment_status":"unpaid"`))
		equal(t, "status", c.read(o).Status, "paid")
		c.tell(all...)
		c.once("u")
	}},
	{"T07 another amount than expected", func(t *testing.T, c *till) {
		noError(t, c.live.AddPrice(stripefake.Price{ID: "cheap", Product: "Starter Pack", Currency: "usd", Amount: 900}))
		c.apply(strings.Replace(sold, "priceId: 'starter'", "priceId: 'cheap'", 1))
		o := c.buy("u", "starter")
		equal(t, "status", o.Status, "mismatched")
		c.has("u", "0")
		if !strings.Contains(o.Reason, "900") || !strings.Contains(o.Reason, "1000") {
			t.Errorf("the order does not say why: %q", o.Reason)
		}
		c.quiet()
		equal(t, "payment.mismatched", c.heard.count(catalog.EventPaymentMismatched), 1)
		equal(t, "mails", len(c.box.all()), 0)
	}},
	{"T08 half goes back, then all", func(t *testing.T, c *till) {
		for i, order := range []struct{ first, second string }{{"forwards", ""}, {"", "backwards"}} {
			customer := string(rune('a' + i))
			o := c.buy(customer, "starter")
			_, err := c.live.Refund(o.PaymentID, 500)
			noError(t, err)
			half := c.caught()
			if order.first != "" {
				c.tell(half...)
				c.tell(half...)
				c.has(customer, "500")
			}
			_, err = c.live.Refund(o.PaymentID, 0)
			noError(t, err)
			all := c.caught()
			c.tell(all...)
			c.has(customer, "0")
			c.tell(half...)
			c.tell(all...)
			o = c.read(o)
			equal(t, "refunded", o.Refunded, 1000)
			equal(t, "revoked", o.Grants[0].Revoked, "1000")
			c.has(customer, "0")
		}
	}},
	{"T09 the refund before the payment", func(t *testing.T, c *till) {
		for _, kinds := range [][]string{{"charge.refunded", "refund.created"}, {"refund.created", "charge.refunded"}, {"refund.created"}} {
			customer := strings.Join(kinds, "-")
			o := c.checkout(customer, "starter")
			c.pay(o)
			paid := c.caught()
			intent := paymentOf(of(paid, completed)[0])
			_, err := c.live.Refund(intent, 0)
			noError(t, err)
			c.tell(of(c.caught(), kinds...)...)
			c.has(customer, "0")
			c.tell(of(paid, completed)...)
			c.has(customer, "0")
			equal(t, "entries of "+customer, types(entries(t, c.as(catalog.Live), customer)), "credit_added refund")
		}
	}},
	{"T10 a refund of what was spent", func(t *testing.T, c *till) {
		o := c.buy("u", "starter")
		c.spend("u", "1000")
		_, err := c.live.Refund(o.PaymentID, 0)
		noError(t, err)
		c.deliver()
		c.has("u", "0")
		o = c.read(o)
		equal(t, "short", o.Grants[0].Short, "1000")
		equal(t, "entries", types(entries(t, c.as(catalog.Live), "u")), "credit_added credit_deducted")
	}},
	{"T11 disputes", func(t *testing.T, c *till) {
		for status, want := range map[string]string{"won": "1000", "lost": "0"} {
			o := c.buy(status, "starter")
			dispute := must(c.live.OpenDispute(disputed(o)))
			c.deliver()
			equal(t, "available while it is open", c.credits(status, apply.KitCredit).Available, "0")
			equal(t, "balance while it is open", c.credits(status, apply.KitCredit).Balance, "1000")
			noError(t, c.live.CloseDispute(dispute, status))
			c.deliver()
			equal(t, status, string(c.credits(status, apply.KitCredit).Available), want)
			equal(t, "dispute", c.read(o).Dispute, status)
		}
	}},
	{"T11 a dispute before the payment", func(t *testing.T, c *till) {
		o := c.checkout("u", "starter")
		c.pay(o)
		paid := c.caught()
		must(c.live.OpenDispute(stripefake.Dispute{Payment: paymentOf(of(paid, completed)[0])}))
		c.tell(of(c.caught(), "charge.dispute.created")...)
		c.tell(paid...)
		equal(t, "dispute", c.read(o).Dispute, "open")
		equal(t, "available", c.credits("u", apply.KitCredit).Available, "0")
	}},
	{"T13 two servers, one event at once", func(t *testing.T, c *till) {
		other := c.open()
		o := c.checkout("u", "starter")
		c.pay(o)
		all := of(c.caught(), completed, succeeded)
		together(20, func(i int) {
			for _, m := range all {
				[]*counter{c.counter, other}[i%2].tell(m)
			}
		})
		c.once("u")
		c.quiet()
		equal(t, "calls", len(c.heard.bought()), 1)
		equal(t, "mails", len(c.box.all()), 1)
	}},
	{"T19 test and live never meet", apart},
	{"T20 another version of the API", func(t *testing.T, c *till) {
		for i, version := range []string{"2019-12-03", "2024-11-20.acacia", "2031-01-01.nobody"} {
			c.live.SetAPIVersion(version)
			customer := string(rune('a' + i))
			c.buy(customer, "starter")
			c.has(customer, "1000")
		}
	}},
	{"T22 a cycle is paid twice over", func(t *testing.T, c *till) {
		c.live.SetPolicy(stripefake.Policy{Duplicates: 1, Twins: 1})
		sub := c.subscribes("u")
		c.deliver()
		equal(t, "credits", c.credits("u", "Renders").Available, "100")
		c.now.Advance(31 * 24 * time.Hour)
		must(c.live.Renew(sub))
		c.deliver()
		equal(t, "credits", c.credits("u", "Renders").Available, "100")
		added := 0
		for _, e := range entries(t, c.as(catalog.Live), "u") {
			if e.Type == "credit_added" {
				added++
			}
		}
		equal(t, "times that credits were added", added, 2)
	}},
	{"T23 the end before what was before it", func(t *testing.T, c *till) {
		sub := c.subscribes("u")
		c.deliver()
		r, err := http.NewRequest(http.MethodPost, c.front.URL+"/v1/subscriptions/"+sub, strings.NewReader("cancel_at_period_end=true"))
		noError(t, err)
		r.Header.Set("Authorization", "Bearer sk_live_owner")
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		res, err := http.DefaultClient.Do(r)
		noError(t, err)
		noError(t, res.Body.Close())
		updated := of(c.caught(), "customer.subscription.updated")
		equal(t, "updates", len(updated), 1)
		noError(t, c.live.EndSubscription(sub))
		c.tell(of(c.caught(), "customer.subscription.deleted")...)
		c.tell(updated...)
		page, err := c.as(catalog.Live).ListSubscriptions(t.Context(), v1.SubscriptionQuery{CustomerID: "u"})
		noError(t, err)
		equal(t, "subscriptions", len(page.Data), 1)
		equal(t, "status", page.Data[0].Status, "ended")
	}},
	{"T24 webhooks are down for two days", func(t *testing.T, c *till) {
		c.gate.close(true)
		var all []v1.Order
		for _, customer := range []string{"a", "b", "c"} {
			o := c.checkout(customer, "starter")
			c.pay(o)
			all = append(all, o)
			c.run(12 * time.Hour)
		}
		c.run(12 * time.Hour)
		for _, o := range all {
			equal(t, "status", c.read(o).Status, "open")
		}
		c.gate.close(false)
		c.run(13 * time.Hour)
		for _, o := range all {
			equal(t, "status", c.read(o).Status, "paid")
			c.once(o.CustomerID)
		}
		found, err := c.as(catalog.Live).Reconcile(t.Context(), v1.ReconcileRequest{})
		noError(t, err)
		equal(t, "checked", found.Checked, 3)
		equal(t, "missing", found.Changed, 0)
	}},
	{"T24 what no webhook told is asked for", func(t *testing.T, c *till) {
		c.live.SetPolicy(stripefake.Policy{DropThousandth: 1000})
		paid, closed, open := c.checkout("a", "starter"), c.checkout("b", "starter"), c.checkout("c", "starter")
		c.pay(paid)
		noError(t, c.live.Expire(closed.SessionID))
		c.deliver()
		c.beat(askBeat)
		equal(t, "status at once", c.read(paid).Status, "open") // a webhook has its time
		c.now.Advance(11 * time.Minute)
		c.beat(askBeat)
		equal(t, "paid", c.read(paid).Status, "paid")
		equal(t, "closed", c.read(closed).Status, "expired")
		equal(t, "open", c.read(open).Status, "open")
		c.once("a")
		c.beat(askBeat)
		c.once("a")
		// Money that went back is found at once when somebody asks.
		_, err := c.live.Refund(c.read(paid).PaymentID, 500)
		noError(t, err)
		found, err := c.as(catalog.Live).Reconcile(t.Context(), v1.ReconcileRequest{})
		noError(t, err)
		equal(t, "changed", found.Changed, 1)
		c.has("a", "500")
		c.quiet()
		equal(t, "calls", len(c.heard.bought()), 1)
	}},
	{"T24 what became of payments is read again", goneUnheard},
}

func TestStripeTells(t *testing.T) { runTills(t, stripeRows) }

// once fails the test unless a customer was granted the starter pack one time.
func (c *till) once(customer string) {
	c.t.Helper()
	c.has(customer, "1000")
	equal(c.t, "entries", types(entries(c.t, c.as(catalog.Live), customer)), "credit_added")
}

// paymentOf is the payment of a session that was completed.
func paymentOf(m message) string {
	_, rest, _ := strings.Cut(string(m.body), `"payment_intent":"`)
	intent, _, _ := strings.Cut(rest, `"`)
	return intent
}

// subscribes has a customer subscribe at Stripe itself, which bills from then on.
func (c *till) subscribes(customer string) string {
	c.t.Helper()
	who := c.stripePost("/v1/customers", url.Values{"email": {customer + "@example.com"}})
	return must(c.live.CreateSubscription(stripefake.Subscription{
		Customer: who, Price: "monthly", Metadata: map[string]string{"userId": customer, "planId": "studio"},
	}))
}

// apart sends what belongs to one mode to the other, in every way that there is.
func apart(t *testing.T, c *till) {
	live := c.checkout("u", "starter")
	test, err := c.as(catalog.Test).Checkout(t.Context(), c.complete(v1.CheckoutRequest{CustomerID: "u", PackID: "starter"}))
	noError(t, err)
	if !strings.HasPrefix(live.SessionID, "cs_live_") || !strings.HasPrefix(test.SessionID, "cs_test_") {
		t.Fatalf("sessions %s and %s", live.SessionID, test.SessionID)
	}
	c.pay(live)
	noError(t, c.test.Pay(test.SessionID, ""))
	all := c.caught()
	for _, m := range of(all, completed, succeeded) {
		fromTest := m.path == testPath
		to, secret, own, flag, other := testPath, testSecret, liveSecret, `"livemode":true`, `"livemode":false`
		if fromTest {
			to, secret, own, flag, other = livePath, liveSecret, testSecret, other, flag
		}
		for name, try := range map[string]struct {
			body   string
			secret string
			status int
		}{
			"as it is":                       {string(m.body), own, 400},
			"signed by the other":            {string(m.body), secret, 400},
			"as if it had been of the other": {strings.ReplaceAll(string(m.body), flag, other), secret, 200},
		} {
			status, text := c.post(to, []byte(try.body), stripefake.Sign([]byte(try.body), c.now.Now(), try.secret))
			if status != try.status {
				t.Errorf("%s to %s, %s: %d %s", m.kind, to, name, status, text)
			}
		}
	}
	for mode, o := range map[catalog.Mode]v1.Order{catalog.Live: live, catalog.Test: test} {
		now, err := c.as(mode).GetOrder(t.Context(), o.ID)
		noError(t, err)
		equal(t, "status in "+string(mode), now.Status, "open")
		equal(t, "entries in "+string(mode), len(entries(t, c.as(mode), "u")), 0)
	}
	_, err = c.as(catalog.Live).GetOrder(t.Context(), test.ID)
	refused(t, err, fault.CodeOrderNotFound, 404)
	_, err = c.as(catalog.Test).RefundOrder(t.Context(), live.ID, v1.RefundRequest{})
	refused(t, err, fault.CodeOrderNotFound, 404)
	for _, r := range c.live.Requests() {
		equal(t, "key at live", r.Authorization, "Bearer sk_live_***")
	}
	for _, r := range c.test.Requests() {
		equal(t, "key at test", r.Authorization, "Bearer sk_test_***")
	}
	c.tell(all...)
	c.once("u")
	equal(t, "of test", balance(t, c.as(catalog.Test), "u", apply.KitCredit).Available, "1000")
}
