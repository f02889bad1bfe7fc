package stripefake_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/seed42445051/scrip/payments/stripefake"
)

// control calls a control over HTTP and returns its answer.
func (w *world) control(name string, pairs ...string) (int, map[string]any) {
	w.t.Helper()
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	status, body := post(w.t, w.URL+"/_control/"+name, "", form)
	var object map[string]any
	if strings.HasPrefix(body, "[") {
		body = `{"all":` + body + `}`
	}
	w.must(json.Unmarshal([]byte(body), &object))
	return status, object
}

// done is a control that must succeed; it returns the id in the answer.
func (w *world) done(name string, pairs ...string) string {
	w.t.Helper()
	status, answer := w.control(name, pairs...)
	if status != 200 {
		w.t.Fatalf("%s %v: %d %v", name, pairs, status, answer)
	}
	id, _ := answer["id"].(string)
	return id
}

// TestControlsOverHTTP does over HTTP, once, everything that the methods do.
func TestControlsOverHTTP(t *testing.T) {
	w := newWorld(t, stripefake.Options{})
	a, b, c, d := w.session(), w.session(), w.session(), w.session()
	w.done("pay", "session", a.ID, "card", "pm_card_mastercard")
	w.done("pay_late", "session", b.ID)
	w.done("pay_late", "session", c.ID)
	w.done("settle_late", "session", b.ID)
	w.done("fail_late", "session", c.ID)
	w.done("expire", "session", d.ID)
	paid, settled := w.read(a.ID).PaymentIntent.ID, w.read(b.ID).PaymentIntent.ID
	refund := w.done("refund", "payment", paid, "amount", "100")
	w.done("fail_refund", "refund", refund)
	dispute := w.done("open_dispute", "payment", settled, "reason", "duplicate")
	w.done("close_dispute", "dispute", dispute, "status", "won")

	who := w.customer().ID
	w.done("decline_next", "reason", "lost_card")
	w.done("require_authentication")
	for range 2 {
		if _, err := w.charge(who, "pm_card_visa", ""); err == nil {
			t.Error("not declined")
		}
	}
	x, y := ok(w.charge(who, "pm_usBankAccount_success", ""))(t), ok(w.charge(who, "pm_usBankAccount_success", ""))(t)
	w.done("settle", "payment", x.ID)
	w.done("unsettle", "payment", y.ID, "reason", "lost_card")

	w.done("add_price", "id", "monthly", "product", "Pro", "currency", "usd", "amount", "900", "interval", "month")
	sub := w.done("create_subscription", "customer", who, "price", "monthly", "metadata[plan]", "pro")
	if w.done("renew", "subscription", sub) == "" {
		t.Error("no invoice")
	}
	invoice := w.done("fail_renewal", "subscription", sub, "reason", "lost_card")
	w.done("pay_invoice", "invoice", invoice)
	w.done("end_subscription", "subscription", sub)

	w.done("set_api_version", "version", "2030-01-01.future")
	w.done("set_policy", "duplicates", "1", "twins", "1", "shuffle", "true", "delay", "60", "fail_first", "1")
	w.done("add_endpoint", "url", w.inbox.url, "secret", secret, "types[]", "customer.created")
	w.done("roll_secret", "url", w.inbox.url, "secret", "whsec_second", "keep", "3600")
	w.done("deliver")
	w.customer()
	before := w.Now()
	w.done("advance", "seconds", "60")
	_, ran := w.control("run", "seconds", "3600")
	if w.Now() != before.Add(time.Minute+time.Hour) || !strings.Contains(fmt.Sprint(ran["all"]), "policy") {
		t.Errorf("%v", ran)
	}
	event := w.inbox.take()[0].ID
	if w.done("redeliver", "event", event, "as_new", "true") == event {
		t.Error("not a new event")
	}

	w.done("fail", "kind", "rate_limit", "path", "/v1/refunds")
	w.done("fail_randomly", "thousandths", "1000", "kinds[]", "error_before")
	if _, err := w.charge(who, "pm_card_visa", ""); stripeError(t, err).HTTPStatusCode != 500 {
		t.Errorf("got %v", err)
	}
	w.done("fail_randomly", "thousandths", "0")
	w.done("release")
	_, all := w.control("requests")
	if n := len(all["all"].([]any)); n != len(w.Requests()) || n == 0 {
		t.Errorf("%d requests", n)
	}
}

func TestControlsRefuse(t *testing.T) {
	w := newWorld(t, stripefake.Options{})
	s := w.session()
	for _, tc := range [][]string{
		{"pay"},
		{"pay", "session", "cs_no"},
		{"pay", "session", s.ID, "colour", "red"},
		{"pay", "session", s.ID, "card", "pm_card_chargeDeclined"},
		{"advance", "seconds", "soon"},
		{"fail", "kind", "fire"},
		{"add_endpoint", "url", "http://example.com/", "secret", "x"},
		{"destroy"},
	} {
		status, answer := w.control(tc[0], tc[1:]...)
		if body, _ := answer["error"].(map[string]any); status < 400 || body["message"] == "" {
			t.Errorf("%v: %d %v", tc, status, answer)
		}
	}
}
