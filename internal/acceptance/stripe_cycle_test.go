package acceptance

import (
	"context"
	"testing"
	"time"

	"github.com/seed42445051/scrip/catalog"
	v1 "github.com/seed42445051/scrip/v1"
)

// Cycles of a plan that Scrip bills, and the payments for them.
var cycleRows = []tillRow{
	{"a cycle that is replaced before it is paid", func(t *testing.T, c *till) {
		c.apply(sold + grand)
		charge := c.unpaidCycle("u")
		_, err := c.as(catalog.Live).Subscribe(t.Context(), v1.Subscribe{CustomerID: "u", PlanID: "grand"})
		noError(t, err)
		c.waits("the new cycle to be paid", func() bool { return c.orders("u", "invoice")[0].Status == "paid" })
		equal(t, "renders", c.credits("u", "Renders").Available, "500")
		c.passes(48*time.Hour, "an empty outbox", c.calm)
		equal(t, "charge", c.read(charge).Status, "canceled")
		equal(t, "charges", len(requested(c.live, "/v1/payment_intents")), 2)
		page, err := c.as(catalog.Live).ListInvoices(t.Context(), v1.InvoiceQuery{CustomerID: "u"})
		noError(t, err)
		var all string
		for _, v := range page.Data {
			all += v.Status + " "
		}
		equal(t, "invoices", all, "paid void paid ")
		c.unmet("")
	}},
	{"a cycle is paid back", func(t *testing.T, c *till) {
		o := c.order(v1.CheckoutRequest{CustomerID: "u", PlanID: "studio"})
		c.pay(o)
		c.deliver()
		_, err := c.as(catalog.Live).Deduct(t.Context(), v1.DeductRequest{Charge: v1.Charge{CustomerID: "u", CreditID: "Renders", Amount: "60"}})
		noError(t, err)
		preview, err := c.as(catalog.Live).PreviewRefund(t.Context(), o.ID, v1.RefundQuery{})
		noError(t, err)
		equal(t, "grants of the preview", len(preview.Grants), 1)
		equal(t, "would revoke", preview.Grants[0].WouldRevoke, "40")
		equal(t, "would miss", preview.Grants[0].WouldMiss, "60")
		_, err = c.as(catalog.Live).RefundOrder(t.Context(), o.ID, v1.RefundRequest{Amount: 90})
		noError(t, err)
		c.quiet()
		c.deliver()
		equal(t, "renders", c.credits("u", "Renders").Available, "30")
		dispute := must(c.live.OpenDispute(disputed(c.read(o))))
		c.deliver()
		equal(t, "renders while it is disputed", c.credits("u", "Renders").Available, "0")
		noError(t, c.live.CloseDispute(dispute, "lost"))
		c.deliver()
		equal(t, "renders", c.credits("u", "Renders").Balance, "0")
		o = c.read(o)
		equal(t, "revoked", o.Grants[0].Revoked, "40")
		equal(t, "short", o.Grants[0].Short, "60")
	}},
	{"a cycle that is paid when the plan has ended", func(t *testing.T, c *till) {
		charge := c.unpaidCycle("u")
		o := c.order(v1.CheckoutRequest{CustomerID: "u", InvoiceID: charge.InvoiceID})
		_, err := c.as(catalog.Live).CancelSubscription(t.Context(), v1.CancelSubscription{CustomerID: "u"})
		noError(t, err)
		c.pay(o)
		c.deliver()
		o = c.read(o)
		equal(t, "status", o.Status, "paid")
		if !o.Unmet || o.Reason == "" {
			t.Errorf("nobody is told: %+v", o)
		}
		c.unmet(o.ID)
		c.quiet()
		told := false
		for _, e := range c.heard.told() {
			told = told || e.Order.ID == o.ID && e.Order.Unmet && e.Order.Reason == o.Reason
		}
		equal(t, "told", told, true)
	}},
}

func TestCyclesAreSold(t *testing.T) { runTills(t, cycleRows) }

// grand is another plan.
const grand = `
  - id: grand
    name: Grand
    price: 2900
    credits: [{credit_id: Renders, amount: "500"}]
`

// unpaidCycle has a customer buy a plan, and the charge of its second cycle be declined.
func (c *till) unpaidCycle(customer string) v1.Order {
	c.t.Helper()
	o := c.order(v1.CheckoutRequest{CustomerID: customer, PlanID: "studio"})
	c.pay(o)
	c.deliver()
	equal(c.t, "renders", c.credits(customer, "Renders").Available, "100")
	c.live.DeclineNext("insufficient_funds")
	c.later(32 * 24 * time.Hour)
	c.waits("a charge that is declined", func() bool {
		all := c.orders(customer, "invoice")
		return len(all) > 0 && all[0].Status == "waiting"
	})
	return c.orders(customer, "invoice")[0]
}

// unmet fails the test unless these are the orders that were paid and gave nothing for it.
func (c *till) unmet(want string) {
	c.t.Helper()
	page, err := c.as(catalog.Live).ListOrders(context.Background(), v1.OrderQuery{Unmet: true})
	noError(c.t, err)
	got := ""
	for _, o := range page.Data {
		got += o.ID
	}
	equal(c.t, "unmet", got, want)
}
