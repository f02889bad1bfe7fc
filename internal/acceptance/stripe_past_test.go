package acceptance

import (
	"net/http"
	"testing"
	"time"

	"github.com/seed42445051/scrip/apply"
	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/payments/stripefake"
)

// goneUnheard has money go back of which no webhook tells: servers find it by themselves, in few calls.
func goneUnheard(t *testing.T, c *till) {
	refunded, disputed1, won := c.buy("a", "starter"), c.buy("b", "starter"), c.buy("c", "starter")
	c.live.SetPolicy(stripefake.Policy{DropThousandth: 1000})
	c.front.refuse(http.StatusInternalServerError)
	c.beat(askBeat)
	_, err := c.live.Refund(refunded.PaymentID, 300)
	noError(t, err)
	must(c.live.OpenDispute(disputed(disputed1)))
	first := must(c.live.OpenDispute(disputed(won)))
	noError(t, c.live.CloseDispute(first, "won"))
	c.deliver()
	c.now.Advance(5 * time.Minute)
	c.beat(askBeat)
	c.has("a", "1000")
	c.front.refuse(0)

	before := len(c.live.Requests())
	c.now.Advance(5 * time.Minute)
	c.beat(askBeat)
	c.has("a", "700")
	equal(t, "dispute", c.read(disputed1).Dispute, "open")
	c.has("b", "0")
	equal(t, "dispute", c.read(won).Dispute, "won")
	c.has("c", "1000")
	requests, lists := c.live.Requests()[before:], 0
	for _, r := range requests {
		if r.Path == "/v1/events" {
			lists++
		}
	}
	if lists > 3 || len(requests) > 5*(lists+1) { // in each turn one list, and of which orders four of them tell
		t.Errorf("%d requests, %d of them lists", len(requests), lists)
	}

	// A server that begins reads it all again, which changes nothing, and finds what came of it since.
	last := must(c.live.Refund(refunded.PaymentID, 100))
	noError(t, c.live.FailRefund(last))
	c.now.Advance(29 * 24 * time.Hour)
	other := c.open()
	other.beat(askBeat)
	for customer, available := range map[string]string{"a": "700", "b": "0", "c": "1000"} {
		equal(t, "available", string(c.credits(customer, apply.KitCredit).Available), available)
	}
	equal(t, "refunds", len(c.read(refunded).Refunds), 2)
	equal(t, "entries", types(entries(t, c.as(catalog.Live), "c")), "credit_added hold_placed hold_released")
	c.quiet()
	equal(t, "refund.succeeded", c.heard.count(catalog.EventRefundSucceeded), 2)
	equal(t, "refund.failed", c.heard.count(catalog.EventRefundFailed), 1)
	equal(t, "dispute.won", c.heard.count(catalog.EventDisputeWon), 1)
}
