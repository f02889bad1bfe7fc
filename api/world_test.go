package api

import (
	"strings"

	"github.com/seed42445051/scrip/internal/selltest"
)

// world is what a fixture's server holds before a request that should change nothing: credits,
// a pack, a plan, a webhook endpoint with a delivery, customer c with a grant, a deduction and a hold,
// customer s with a subscription and an invoice of it, and customer b with a purchase that is paid, one
// that is not, and a card that is kept.
type world struct {
	f   *fixture
	ids map[string]string
}

func newWorld(f *fixture) *world {
	f.t.Helper()
	w := &world{f: f, ids: map[string]string{}}
	credit := f.must("POST", "/v1/credits", `{"name":"api","unit":"call","precision":2}`)
	w.ids["credit"] = f.text(credit, "id")
	pack := f.must("POST", "/v1/packs", `{"name":"starter","price":500,"items":[{"credit_id":"api","amount":"50"}]}`)
	w.ids["pack"] = f.text(pack, "id")
	plan := f.must("POST", "/v1/plans", `{"name":"pro","price":900,"allowances":[{"label":"Images","quota":"40","rules":[{"event":"image.*"}],"period":"monthly"}],"credits":[{"credit_id":"api","amount":"50"}]}`)
	w.ids["plan"] = f.text(plan, "id")
	f.must("POST", "/v1/plans", `{"name":"vast","credits":[{"credit_id":"api","amount":"1000000000000"}]}`)
	code := f.must("POST", "/v1/codes", `{"code":"summer","credit_id":"api","amount":"3","max_uses":10}`)
	w.ids["code"] = f.text(code, "data", 0, "id")
	hook := f.must("POST", "/v1/webhook-endpoints", `{"url":"http://127.0.0.1:9/hook","events":["credit.added"]}`)
	w.ids["hook"] = f.text(hook, "id")
	grant := f.must("POST", "/v1/grants", `{"customer_id":"c","credit_id":"api","amount":"100"}`)
	w.ids["grant"] = f.text(grant, "grants", 0, "id")
	deducted := f.must("POST", "/v1/deduct", `{"customer_id":"c","credit_id":"api","amount":"5"}`)
	w.ids["entry"] = f.text(deducted, "entry", "id")
	held := f.must("POST", "/v1/reserve", `{"customer_id":"c","credit_id":"api","amount":"7","ttl_seconds":3600}`)
	w.ids["hold"] = f.text(held, "reservation_id")
	meter := f.must("POST", "/v1/meters", `{"name":"tokens","event_name":"llm","aggregation":{"type":"sum","key":"n"},"measurement_unit":"token","links":[{"credit_id":"api","units_per_credit":"1000"}]}`)
	w.ids["meter"] = f.text(meter, "id")
	f.must("POST", "/v1/events", `{"events":[{"event_id":"e1","customer_id":"c","event_name":"llm","metadata":{"n":"1500"}}]}`)
	w.ids["event"] = "e1"
	sent := f.must("GET", "/v1/webhook-endpoints/"+w.ids["hook"]+"/deliveries", "")
	w.ids["delivery"] = f.text(sent, "data", 0, "id")
	sub := f.must("POST", "/v1/subscriptions", `{"customer_id":"s","plan_id":"pro"}`)
	w.ids["subscription"], w.ids["invoice"] = f.text(sub, "id"), f.text(sub, "invoices", 0, "id")
	bought := f.must("POST", "/v1/checkout", `{"customer_id":"b","pack_id":"starter","save_card":true}`)
	selltest.Pay(f.t, f.pages, f.text(bought, "url"))
	w.ids["order"] = f.text(bought, "id")
	opened := f.must("POST", "/v1/checkout", `{"customer_id":"b","pack_id":"starter"}`)
	w.ids["open"] = f.text(opened, "id")
	keys := f.must("GET", "/v1/keys", "")
	w.ids["key"] = f.text(keys, "data", 1, "id") // the publishable one
	for name, value := range w.ids {
		if value == "" {
			f.t.Fatalf("the world has no %s", name)
		}
	}
	return w
}

// fill puts the world's ids into a text.
func (w *world) fill(text string) string {
	for name, id := range w.ids {
		text = strings.ReplaceAll(text, "{"+name+"}", id)
	}
	return text
}

// path is a route's path, with the id of something that exists.
func (w *world) path(rt *route) string {
	id := "c"
	switch rt.id {
	case "cancelOrder":
		return strings.Replace(rt.path, "{id}", w.ids["open"], 1)
	case "setAutoTopUp", "paymentPortal":
		return strings.Replace(rt.path, "{id}", "b", 1)
	}
	for prefix, name := range map[string]string{
		"/v1/credits": "credit", "/v1/packs": "pack", "/v1/plans": "plan", "/v1/codes": "code", "/v1/grants": "grant", "/v1/entries": "entry",
		"/v1/reservations": "hold", "/v1/keys": "key", "/v1/meters": "meter", "/v1/events": "event",
		"/v1/webhook-endpoints": "hook", "/v1/webhook-deliveries": "delivery",
		"/v1/subscriptions": "subscription", "/v1/invoices": "invoice", "/v1/orders": "order",
	} {
		if strings.HasPrefix(rt.path, prefix) {
			id = w.ids[name]
		}
	}
	return strings.Replace(rt.path, "{id}", id, 1)
}

// state is everything that can be read of the test mode, and that live has nothing.
func (w *world) state() string {
	w.f.t.Helper()
	var all strings.Builder
	for _, path := range []string{
		"/v1/credits", "/v1/packs", "/v1/plans", "/v1/codes", "/v1/keys", "/v1/customers", "/v1/customers/c/balances",
		"/v1/customers/c/ledger", "/v1/customers/c/grants", "/v1/reservations/{hold}", "/v1/meters", "/v1/meters?archived=true",
		"/v1/events", "/v1/customers/c/meters", "/v1/customers/s/ledger",
		"/v1/subscriptions", "/v1/subscriptions/{subscription}/history", "/v1/invoices",
		"/v1/orders", "/v1/customers/b/auto-top-ups", "/v1/customers/b/payment-method", "/v1/customers/b/ledger",
		"/v1/webhook-endpoints", "/v1/webhook-endpoints/{hook}/secret", "/v1/webhook-endpoints/{hook}/deliveries",
	} {
		all.WriteString(w.f.must("GET", w.fill(path), "").text)
	}
	all.WriteString(w.f.send(w.f.live, "GET", "/v1/customers", "").text)
	return all.String()
}
