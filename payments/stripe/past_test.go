package stripe

import (
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/wallet"
)

const listEvents = "GET /v1/events"

const pastPage = `200 {"object":"list","has_more":true,"data":[
	{"id":"evt_5","object":"event","type":"charge.dispute.closed","data":{"object":{"id":"dp_1","status":"won","payment_intent":"pi_1"}}},
	{"id":"evt_4","object":"event","type":"refund.created","account":"acct_other","data":{"object":{"id":"re_9","payment_intent":"pi_1"}}},
	{"id":"evt_3","object":"event","type":"refund.created","data":{"object":"re_1"}},
	{"id":"evt_2","object":"event","type":"refund.created","data":{"object":{"id":"re_2","status":"succeeded","amount":500,"currency":"usd","payment_intent":"pi_1","metadata":{"scrip_order":"ord_1","scrip_refund":"1"}}}}]}`

// TestPast: what was told of money that went back is told again, oldest first; what is another's, or cannot
// be read, is left out.
func TestPast(t *testing.T) {
	w := newWorld(t)
	w.answer(listEvents, pastPage)
	w.answer(getIntent, `200 {"id":"pi_1","metadata":{"scrip_order":"ord_1"}}`)
	events, next, err := w.Past(t.Context(), catalog.Test, start.Add(-time.Hour), "evt_9")
	if err != nil || next != "evt_2" || len(events) != 2 {
		t.Fatal(events, next, err)
	}
	for i, want := range []wallet.OrderNews{
		{Kind: wallet.NewsRefund, Payment: "pi_1", Refund: "re_2", Own: 1, Minor: 500, Currency: "usd", RefundStatus: wallet.RefundSucceeded},
		{Kind: wallet.NewsDispute, Payment: "pi_1", DisputeID: "dp_1", Dispute: wallet.DisputeWon},
	} {
		if diff := cmp.Diff(want, events[i].News); diff != "" || events[i].OrderID != "ord_1" || events[i].ID == "" {
			t.Error(events[i].ID, events[i].OrderID, diff)
		}
	}
	sent := w.last(listEvents)
	sent.want(t, "starting_after", "evt_9")
	sent.want(t, "created[gte]", strconv.FormatInt(start.Add(-time.Hour).Time().Unix(), 10))
	sent.want(t, "limit", "100")
	if diff := cmp.Diff(pastTypes, sent.form["types[]"]); diff != "" || len(pastTypes) > 20 { // that is Stripe's limit
		t.Error(diff)
	}

	w.answer(listEvents, nothing)
	events, next, err = w.Past(t.Context(), catalog.Test, start, "")
	if err != nil || next != "" || events != nil {
		t.Error(events, next, err)
	}
	if _, given := w.last(listEvents).form["starting_after"]; given {
		t.Error("a cursor of nothing")
	}
	for _, answer := range []string{"CUT", "500 {}"} {
		w.answer(listEvents, answer)
		_, _, err = w.Past(t.Context(), catalog.Test, start, "")
		wantCode(t, err, fault.CodePaymentProviderError)
	}
	w.answer(listEvents, pastPage)
	w.answer(getIntent, "500 {}") // whose dispute it is must be known
	_, _, err = w.Past(t.Context(), catalog.Test, start, "")
	wantCode(t, err, fault.CodePaymentProviderError)
}
