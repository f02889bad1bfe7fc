package acceptance

import (
	"context"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/seed42445051/scrip/apply"
	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/client"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/payments/stripefake"
	v1 "github.com/seed42445051/scrip/v1"
)

const intents = "/v1/payment_intents"

// Charges without a page: at one server or two, while the network or the bank does not do its part.
var topUpRows = []tillRow{
	{"T14 T18 twenty spends at two servers, one payment", func(t *testing.T, c *till) {
		other := c.open()
		c.savesCard("u")
		c.topsUp("u")
		together(20, func(i int) {
			_, err := []*counter{c.counter, other}[i%2].as(catalog.Live).Deduct(context.Background(), v1.DeductRequest{Charge: v1.Charge{
				CustomerID: "u", CreditID: apply.KitCredit, Amount: "30",
			}})
			if err != nil {
				t.Error(err)
			}
		})
		c.quiet()
		c.has("u", "1400")
		c.deliver() // payment_intent.succeeded is no news any more
		c.quiet()
		c.has("u", "1400")
		equal(t, "payments", len(requested(c.live, intents)), 1)
		form := requested(c.live, intents)[0].Form
		for name, want := range map[string]string{"amount": "1000", "currency": "usd", "off_session": "true", "confirm": "true"} {
			equal(t, name, form.Get(name), want)
		}
		orders := c.orders("u", "auto_top_up")
		equal(t, "orders", len(orders), 1)
		equal(t, "status", orders[0].Status, "paid")
		equal(t, "auto_top_up.succeeded", c.heard.count(catalog.EventTopUpSucceeded), 1)
		page, err := c.as(catalog.Live).CustomerGrants(t.Context(), "u", v1.GrantQuery{ExternalRef: orders[0].PaymentID})
		noError(t, err)
		equal(t, "grants under the payment", len(page.Data), 1)
	}},
	{"T15 the bank wants the customer", bankWantsCustomer},
	{"T16 a card without funds", func(t *testing.T, c *till) {
		c.savesCard("u")
		c.topsUp("u")
		for range 4 {
			c.live.DeclineNext("insufficient_funds")
		}
		c.spend("u", "600")
		c.quiet()
		for i, pause := range []time.Duration{time.Hour, 5 * time.Hour, 16 * time.Hour} {
			equal(t, "attempts", len(requested(c.live, intents)), i+1)
			equal(t, "status", c.orders("u", "auto_top_up")[0].Status, "waiting")
			c.later(pause - time.Minute)
			c.quiet()
			equal(t, "attempts before their time", len(requested(c.live, intents)), i+1)
			c.later(time.Minute)
			c.quiet()
		}
		keys := map[string]bool{}
		for _, r := range requested(c.live, intents) {
			keys[r.IdempotencyKey] = true
		}
		equal(t, "attempts with keys of their own", len(keys), 4)
		equal(t, "status", c.orders("u", "auto_top_up")[0].Status, "failed")
		c.deliver()
		c.later(12 * time.Hour)
		c.spend("u", "10")
		c.quiet()
		equal(t, "attempts", len(requested(c.live, intents)), 4)
		equal(t, "enabled", c.agreed("u").Enabled, true)
		equal(t, "auto_top_up.failed", c.heard.count(catalog.EventTopUpFailed), 1)
		equal(t, "mails", len(c.box.all()), 2) // the receipt, and this one
		// A day later it is tried again, and the card has funds.
		c.later(13 * time.Hour)
		c.spend("u", "10")
		c.quiet()
		c.has("u", "1380")
	}},
	{"T16 caps stop it", func(t *testing.T, c *till) {
		c.savesCard("u")
		_, err := c.as(catalog.Live).SetAutoTopUp(t.Context(), "u", v1.SetAutoTopUp{
			CreditID: apply.KitCredit, Enabled: true, Threshold: "500", PackID: "starter", Caps: v1.TopUpCaps{DayCount: 1},
		})
		noError(t, err)
		c.spend("u", "600")
		c.quiet()
		c.spend("u", "1000")
		c.quiet()
		c.has("u", "400")
		equal(t, "payments today", len(requested(c.live, intents)), 1)
		c.later(24 * time.Hour)
		c.spend("u", "1")
		c.quiet()
		c.has("u", "1399")
		equal(t, "payments by tomorrow", len(requested(c.live, intents)), 2)
	}},
	{"T16 a lost card is not tried again", func(t *testing.T, c *till) {
		c.savesCard("u")
		c.topsUp("u")
		c.live.DeclineNext("lost_card")
		c.spend("u", "600")
		c.quiet()
		equal(t, "enabled", c.agreed("u").Enabled, false)
		equal(t, "reason", c.agreed("u").OffReason, "lost_card")
		c.later(48 * time.Hour)
		c.spend("u", "10")
		c.quiet()
		equal(t, "payments", len(requested(c.live, intents)), 1)
	}},
	{"T17 the network is cut after the charge", func(t *testing.T, c *till) {
		c.savesCard("u")
		c.topsUp("u")
		c.live.Fail(stripefake.Fault{Kind: stripefake.ResetAfter, Path: intents})
		c.spend("u", "600")
		c.quiet()
		c.has("u", "1400")
		all := requested(c.live, intents)
		equal(t, "requests", len(all), 2)
		equal(t, "key", all[0].IdempotencyKey, all[1].IdempotencyKey)
		equal(t, "replayed", all[1].Replayed, true)
		c.deliver()
		c.has("u", "1400")
		equal(t, "entries", types(entries(t, c.as(catalog.Live), "u")), "credit_added credit_deducted auto_top_up")
	}},
	{"T17 the webhook is faster than the network", func(t *testing.T, c *till) {
		c.savesCard("u")
		c.topsUp("u")
		// Charged, and the answer lost until the outbox gives up for now: the webhook tells.
		for range 2 {
			c.live.Fail(stripefake.Fault{Kind: stripefake.ResetAfter, Path: intents})
		}
		c.spend("u", "600")
		c.waits("two tries", func() bool { return len(requested(c.live, intents)) == 2 })
		c.deliver()
		c.has("u", "1400")
		c.passes(10*time.Second, "an empty outbox", c.calm)
		c.has("u", "1400")
		equal(t, "status", c.orders("u", "auto_top_up")[0].Status, "paid")
	}},
	{"T17 errors of Stripe's own", func(t *testing.T, c *till) {
		c.savesCard("u")
		c.topsUp("u")
		for _, kind := range []stripefake.FaultKind{stripefake.ErrorBefore, stripefake.RateLimit, stripefake.ResetBefore} {
			c.live.Fail(stripefake.Fault{Kind: kind, Path: intents})
		}
		c.spend("u", "600")
		c.waits("two tries", func() bool { return len(requested(c.live, intents)) == 2 })
		c.passes(10*time.Second, "a third", func() bool { return len(requested(c.live, intents)) == 3 })
		c.passes(6*time.Minute, "a fourth", func() bool { return len(requested(c.live, intents)) == 4 })
		c.quiet()
		c.has("u", "1400")
		keys := map[string]bool{}
		for _, r := range requested(c.live, intents) {
			keys[r.IdempotencyKey] = true
		}
		equal(t, "keys", len(keys), 1)
	}},
	{"T17 a page that opened although nobody heard", func(t *testing.T, c *till) {
		c.live.Fail(stripefake.Fault{Kind: stripefake.ResetAfter, Path: "/v1/checkout/sessions"})
		r := c.complete(v1.CheckoutRequest{CustomerID: "u", PackID: "starter"})
		_, err := c.as(catalog.Live).Checkout(t.Context(), r, v1.IdempotencyKey("click"))
		wantCode(t, err, fault.CodePaymentProviderError)
		retrying := c.client(c.keys[catalog.Live], client.WithRetries(2))
		o, err := retrying.Checkout(t.Context(), r, v1.IdempotencyKey("click"))
		noError(t, err)
		equal(t, "orders", len(c.orders("u", "")), 1)
		all := requested(c.live, "/v1/checkout/sessions")
		equal(t, "replayed", all[len(all)-1].Replayed, true)
		c.pay(o)
		c.deliver()
		c.once("u")
	}},
	{"T18 a charge at once, and its webhook", func(t *testing.T, c *till) {
		c.savesCard("u")
		o := c.order(v1.CheckoutRequest{CustomerID: "u", PackID: "pro", OffSession: true})
		equal(t, "status", o.Status, "paid")
		c.has("u", "6000")
		c.deliver()
		c.quiet() // the outbox asks for what is done
		c.has("u", "6000")
		equal(t, "payments", len(requested(c.live, intents)), 1)
		back, err := c.as(catalog.Live).RefundOrder(t.Context(), o.ID, v1.RefundRequest{Amount: 2000})
		noError(t, err)
		equal(t, "refund", back.Refunds[0].Status, "succeeded")
		c.deliver()
		c.quiet()
		equal(t, "refunds", len(requested(c.live, "/v1/refunds")), 1)
		c.has("u", "3500")
	}},
	{"T18 the webhook before the answer", func(t *testing.T, c *till) {
		c.savesCard("u")
		c.topsUp("u")
		c.spend("u", "600")
		together(8, func(i int) {
			if i%2 == 0 {
				if _, err := c.live.Deliver(context.Background()); err != nil {
					t.Error(err)
				}
				return
			}
			c.quiet()
		})
		c.deliver()
		c.quiet()
		c.has("u", "1400")
	}},
}

func TestAutoTopUpByStripe(t *testing.T) { runTills(t, topUpRows) }

// link finds where a letter leads.
var link = regexp.MustCompile(`https?://[^\s<>]+`)

// bankWantsCustomer is a charge that only the customer can confirm: nothing more is charged, and they
// are told by a letter with a page on which they can buy it themselves.
func bankWantsCustomer(t *testing.T, c *till) {
	c.savesCard("u")
	c.topsUp("u")
	c.live.RequireAuthentication()
	c.spend("u", "600")
	c.quiet()
	has := c.agreed("u")
	equal(t, "enabled", has.Enabled, false)
	equal(t, "reason", has.OffReason, "authentication_required")
	c.deliver()
	c.spend("u", "10")
	c.later(48 * time.Hour)
	c.spend("u", "10")
	c.quiet()
	equal(t, "payments", len(requested(c.live, intents)), 1)
	equal(t, "auto_top_up.action_required", c.heard.count(catalog.EventTopUpActionRequired), 1)

	mails := c.box.all()
	equal(t, "mails", len(mails), 2)
	m := mails[1]
	equal(t, "to", m.to, "u@example.com")
	address := link.FindString(m.text)
	if !strings.Contains(m.text, "your bank wants you to confirm") || address == "" {
		t.Fatalf("the letter does not lead anywhere:\n%s", m.text)
	}
	offered := c.orders("u", "pack")[0]
	if !strings.HasSuffix(address, offered.SessionID) {
		t.Fatalf("the letter leads to %s, and the order is paid at %s", address, offered.SessionID)
	}
}

// TestT15TheLinkWorks follows the letter's link before its page is closed.
func TestT15TheLinkWorks(t *testing.T) {
	runTills(t, []tillRow{{"T15 the link works", func(t *testing.T, c *till) {
		c.savesCard("u")
		c.topsUp("u")
		c.live.RequireAuthentication()
		c.spend("u", "600")
		c.quiet()
		mails := c.box.all()
		address := link.FindString(mails[len(mails)-1].text)
		res, err := http.Get(address)
		noError(t, err)
		noError(t, res.Body.Close())
		equal(t, "status of "+address, res.StatusCode, 200)
		stay := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		res, err = stay.PostForm(address, map[string][]string{"action": {"pay"}, "card": {"pm_card_mastercard"}})
		noError(t, err)
		noError(t, res.Body.Close())
		equal(t, "status of the payment", res.StatusCode, http.StatusSeeOther)
		// They end where somebody tells them that it is done.
		res, err = http.Get(res.Header.Get("Location"))
		noError(t, err)
		noError(t, res.Body.Close())
		equal(t, "status of the last page", res.StatusCode, 200)
		c.deliver()
		c.has("u", "1400")
		method, err := c.as(catalog.Live).PaymentMethod(t.Context(), "u")
		noError(t, err)
		equal(t, "card", method.Label, "mastercard •••• 4444")
		equal(t, "enabled", c.agreed("u").Enabled, false)
		c.topsUp("u") // they agree anew
		c.spend("u", "1000")
		c.quiet()
		c.has("u", "1400")
	}}})
}
