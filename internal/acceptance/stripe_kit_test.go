package acceptance

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/seed42445051/scrip/apply"
	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/fault"
	v1 "github.com/seed42445051/scrip/v1"
)

// What GoLiveKit sells, with the seed's own configuration, from the button to the mail.
var kitTillRows = []tillRow{
	{"G01 G03 G18 a package is bought", func(t *testing.T, c *till) {
		o := c.checkout("u", "starter")
		equal(t, "amount", o.Amount, 1000)
		c.has("u", "0")
		c.pay(o)
		c.deliver()
		b := c.credits("u", apply.KitCredit)
		equal(t, "purchased", b.ByCategory.Paid.Available, "1000")
		equal(t, "bonus", b.ByCategory.Promotional.Available, "0")
		equal(t, "status", c.read(o).Status, "paid")
	}},
	{"G02 the balance is new when the customer comes back", func(t *testing.T, c *till) {
		c.buy("u", "starter")
		r := c.call(c.keys[catalog.Live], http.MethodGet, "/v1/customers/u/balances?credit_id="+apply.KitCredit, nil)
		equal(t, "available", read[v1.Balances](t, r).Data[0].Available, "1000")
	}},
	{"G10 nothing is sold when it is not enabled", func(t *testing.T, c *till) {
		c.apply(strings.Replace(sold, "enabled: true", "enabled: false", 1))
		for _, body := range []string{`{"customer_id":"u","pack_id":"starter"}`, `{"customer_id":"u","credit_id":"Credits","amount":"500"}`} {
			c.call(c.keys[catalog.Live], http.MethodPost, "/v1/checkout", body).is(t, http.StatusForbidden, fault.CodeSalesOff)
		}
		equal(t, "requests to Stripe", len(c.live.Requests()), 0)
	}},
	{"G11 any number of credits", func(t *testing.T, c *till) {
		o := c.order(v1.CheckoutRequest{CustomerID: "u", CreditID: apply.KitCredit, Amount: "333"})
		form := requested(c.live, "/v1/checkout/sessions")[0].Form
		equal(t, "unit_amount", form.Get("line_items[0][price_data][unit_amount]"), "333")
		equal(t, "currency", form.Get("line_items[0][price_data][currency]"), "usd")
		equal(t, "quantity", form.Get("line_items[0][quantity]"), "1")
		c.pay(o)
		c.deliver()
		c.has("u", "333")
	}},
	{"G12 only packages when numbers are off", func(t *testing.T, c *till) {
		c.apply(strings.Replace(sold, "enterManually: true", "enterManually: false", 1))
		c.call(c.keys[catalog.Live], http.MethodPost, "/v1/checkout", `{"customer_id":"u","credit_id":"Credits","amount":"500"}`).is(t, 400, fault.CodeInvalidRequest)
		equal(t, "requests to Stripe", len(c.live.Requests()), 0)
		c.checkout("u", "starter")
	}},
	{"G13 less than can be charged", func(t *testing.T, c *till) {
		r := c.call(c.keys[catalog.Live], http.MethodPost, "/v1/checkout", `{"customer_id":"u","credit_id":"Credits","amount":"10"}`)
		r.is(t, 400, fault.CodeAmountTooSmall)
		if !strings.Contains(string(r.body), "$0.10") || !strings.Contains(string(r.body), "$0.50") {
			t.Errorf("the answer does not say what it costs and what the least is: %s", r.body)
		}
		equal(t, "requests to Stripe", len(c.live.Requests()), 0)
		equal(t, "orders", len(c.orders("u", "")), 0)
	}},
	{"G16 G17 the fields of a package", func(t *testing.T, c *till) {
		p, err := c.as(catalog.Live).GetPack(t.Context(), "pro")
		noError(t, err)
		equal(t, "id", p.ID, "pro")
		equal(t, "price", p.PriceRef, "pro")
		equal(t, "name", p.Name, "Pro Pack")
		equal(t, "description", p.Description, "5000 credits for $40")
		equal(t, "amount", p.Price, 4000)
		equal(t, "currency", p.Currency, "usd")
		equal(t, "credits", p.Items[0].Amount, "5000")
	}},
	{"G19 the other package", func(t *testing.T, c *till) {
		equal(t, "paid", c.buy("u", "pro").Paid, 4000)
		c.has("u", "5000")
	}},
	{"G20 the price that Stripe has is the line", func(t *testing.T, c *till) {
		c.checkout("u", "starter")
		form := requested(c.live, "/v1/checkout/sessions")[0].Form
		equal(t, "price", form.Get("line_items[0][price]"), "starter")
		equal(t, "quantity", form.Get("line_items[0][quantity]"), "1")
		for name := range form {
			if strings.Contains(name, "price_data") || strings.HasPrefix(name, "line_items[1]") {
				t.Errorf("there is %s as well", name)
			}
		}
	}},
	{"G21 the package decides, whatever the client says", func(t *testing.T, c *till) {
		for _, more := range []string{`"amount":"9000"`, `"credits":9000`, `"creditsAmount":9000`, `"price":1`, `"currency":"jpy"`} {
			body := `{"customer_id":"u","pack_id":"starter","success_url":"https://a.example/","cancel_url":"https://a.example/",` + more + `}`
			r := c.call(c.keys[catalog.Live], http.MethodPost, "/v1/checkout", body)
			if r.status == 400 {
				continue
			}
			o := read[v1.Order](t, r)
			equal(t, "amount with "+more, o.Amount, 1000)
			equal(t, "credits with "+more, o.Items[0].Amount, "1000")
		}
		for _, r := range requested(c.live, "/v1/checkout/sessions") {
			equal(t, "price", r.Form.Get("line_items[0][price]"), "starter")
		}
	}},
	{"G34 G37 a page opens, with the addresses that were given", func(t *testing.T, c *till) {
		success, cancel := "https://a.example/b?x=1&billing=success#h", "https://a.example/b?billing=cancel"
		o := c.order(v1.CheckoutRequest{CustomerID: "u", PackID: "starter", SuccessURL: success, CancelURL: cancel})
		if u, err := url.Parse(o.URL); err != nil || u.Host == "" {
			t.Fatalf("the page is at %q", o.URL)
		}
		form := requested(c.live, "/v1/checkout/sessions")[0].Form
		equal(t, "success", form.Get("success_url"), success)
		equal(t, "cancel", form.Get("cancel_url"), cancel)
		for _, bad := range []string{"javascript:alert(1)", "/dashboard", "ftp://a.example/", "https://"} {
			_, err := c.as(catalog.Live).Checkout(t.Context(), v1.CheckoutRequest{CustomerID: "u", PackID: "starter", SuccessURL: bad})
			refused(t, err, fault.CodeInvalidRequest, 400)
		}
	}},
	{"G38 a package that there is not", func(t *testing.T, c *till) {
		_, err := c.as(catalog.Live).Checkout(t.Context(), v1.CheckoutRequest{CustomerID: "u", PackID: "credits_starter"})
		refused(t, err, fault.CodePackNotFound, 404)
		equal(t, "requests to Stripe", len(c.live.Requests()), 0)
	}},
	{"G39 who goes back has nothing", func(t *testing.T, c *till) {
		o := c.checkout("u", "starter")
		c.call("", http.MethodGet, "/healthz?billing=cancel", nil)
		canceled, err := c.as(catalog.Live).CancelOrder(t.Context(), o.ID, v1.CancelOrder{Reason: "went back"})
		noError(t, err)
		equal(t, "status", canceled.Status, "canceled")
		if c.live.Pay(o.SessionID, "") == nil {
			t.Error("the page can still be paid")
		}
		c.deliver()
		equal(t, "status", c.read(o).Status, "canceled")
		c.has("u", "0")
	}},
	{"G40 G41 G43 the program hears once, and the customer", func(t *testing.T, c *till) {
		o := c.buy("u", "starter")
		c.quiet()
		heard := c.heard.bought()
		equal(t, "calls", len(heard), 1)
		e := heard[0]
		equal(t, "userId", e.UserID, "u")
		equal(t, "email", e.Email, "u@example.com")
		equal(t, "name", e.Name, "Ann")
		equal(t, "creditsAdded", e.CreditsAdded, "1000")
		equal(t, "amountText", e.AmountText, "$10.00")
		equal(t, "order", e.Order.ID, o.ID)
		equal(t, "status", e.Order.Status, "paid")
		mails := c.box.all()
		equal(t, "mails", len(mails), 1)
		equal(t, "to", mails[0].to, "u@example.com")
		for _, want := range []string{"1,000 Credits", "$10.00", "Starter Pack"} {
			if !strings.Contains(mails[0].text, want) {
				t.Errorf("the mail does not say %q:\n%s", want, mails[0].text)
			}
		}
	}},
	{"G42 a function that fails is called again, and credits stay", func(t *testing.T, c *till) {
		c.heard.fails(2)
		c.box.refuses(1)
		c.buy("u", "starter")
		c.has("u", "1000")
		c.waits("two calls", func() bool { return c.heard.called() == 2 })
		equal(t, "heard", len(c.heard.bought()), 0)
		c.passes(10*time.Second, "an empty outbox", c.calm) // the third try is seconds later
		equal(t, "heard", len(c.heard.bought()), 1)
		equal(t, "calls", c.heard.called(), 3)
		equal(t, "mails", len(c.box.all()), 1)
		c.has("u", "1000")
	}},
	{"G44 the same webhook again", func(t *testing.T, c *till) {
		o := c.checkout("u", "starter")
		c.pay(o)
		all := c.caught()
		for range 5 {
			c.tell(all...)
		}
		c.quiet()
		c.has("u", "1000")
		equal(t, "entries", types(entries(t, c.as(catalog.Live), "u")), "credit_added")
		equal(t, "calls", len(c.heard.bought()), 1)
		equal(t, "mails", len(c.box.all()), 1)
		equal(t, "payment.succeeded", c.heard.count(catalog.EventPaymentSucceeded), 1)
	}},
	{"G45 other events have functions too", func(t *testing.T, c *till) {
		o := c.buy("u", "starter")
		_, err := c.live.Refund(o.PaymentID, 500)
		noError(t, err)
		dispute := must(c.live.OpenDispute(disputed(o)))
		noError(t, c.live.CloseDispute(dispute, "won"))
		c.deliver()
		c.quiet()
		for event, want := range map[catalog.EventType]int{
			catalog.EventPaymentSucceeded: 1, catalog.EventRefundSucceeded: 1, catalog.EventDisputeOpened: 1, catalog.EventDisputeWon: 1,
		} {
			equal(t, string(event), c.heard.count(event), want)
		}
	}},
}

func TestGoLiveKitSells(t *testing.T) { runTills(t, kitTillRows) }
