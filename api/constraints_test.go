package api

import (
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
	"testing"
)

// samples are bodies that each operation accepts. {x} stands for an id of the world's.
var samples = map[string]string{
	"deduct":                `{"customer_id":"c","credit_id":"api","amount":"1"}`,
	"canUse":                `{"customer_id":"c","credit_id":"api","amount":"1"}`,
	"reserve":               `{"customer_id":"c","credit_id":"api","amount":"1"}`,
	"commit":                `{"reservation_id":"{hold}"}`,
	"release":               `{"reservation_id":"{hold}"}`,
	"extend":                `{"reservation_id":"{hold}","ttl_seconds":120}`,
	"track":                 `{"customer_id":"c","event":"chat"}`,
	"grant":                 `{"customer_id":"c","credit_id":"api","amount":"1"}`,
	"revokeGrant":           `{"amount":"1"}`,
	"adjust":                `{"customer_id":"c","credit_id":"api","amount":"1","reason":"why"}`,
	"reverseEntry":          `{"amount":"1"}`,
	"explainCharge":         `{"customer_id":"c","credit_id":"api","amount":"1"}`,
	"saveCustomer":          `{}`,
	"registerCustomer":      `{"id":"n","name":"N","metadata":{"a":"b"}}`,
	"createCodes":           `{"credit_id":"api","amount":"1","prefix":"GIFT-","category":"paid","expires_after_days":3,"valid_until":"2099-01-01T00:00:00Z","max_uses_per_customer":2,"metadata":{"a":"b"}}`,
	"updateCode":            `{"max_uses":5}`,
	"redeemCode":            `{"customer_id":"n","code":"SUMMER"}`,
	"updateCustomer":        `{}`,
	"createCredit":          `{"name":"fresh","unit":"u","overage":{"enabled":true},"rollover":{"percent":50,"validity_count":1,"validity_unit":"month"},"scope":[{"event":"x"}]}`,
	"updateCredit":          `{}`,
	"createPack":            `{"name":"fresh pack","items":[{"credit_id":"api","amount":"1"}]}`,
	"updatePack":            `{"name":"fresh pack","items":[{"credit_id":"api","amount":"1"}]}`,
	"createPlan":            `{"name":"fresh plan","price":900,"trial_days":7,"interval":{"count":1,"unit":"year"},"runs_for":{"count":2,"unit":"year"},"on_change":"keep","metadata":{"a":"b"},"allowances":[{"label":"Images","quota":"40","rules":[{"event":"image.*"}],"period":"monthly","anchor":"start","zone":"Europe/Zurich"}],"credits":[{"credit_id":"api","amount":"100","every":{"count":1,"unit":"month"},"expires":"after_days","expires_after_days":30,"trial_amount":"5","low_balance_percent":20,"overage":{"enabled":true,"limit":"10"},"rollover":{"percent":50,"validity_count":1,"validity_unit":"month","max_count":2}}]}`,
	"updatePlan":            `{"name":"fresh plan","price":900,"trial_days":7,"interval":{"count":1,"unit":"year"},"runs_for":{"count":2,"unit":"year"},"on_change":"keep","metadata":{"a":"b"},"allowances":[{"label":"Images","quota":"40","rules":[{"event":"image.*"}],"period":"monthly","anchor":"start","zone":"Europe/Zurich"}],"credits":[{"credit_id":"api","amount":"100","every":{"count":1,"unit":"month"},"expires":"after_days","expires_after_days":30,"trial_amount":"5","low_balance_percent":20,"overage":{"enabled":true,"limit":"10"},"rollover":{"percent":50,"validity_count":1,"validity_unit":"month","max_count":2}}]}`,
	"subscribe":             `{"customer_id":"n","plan_id":"pro","quantity":2,"trial_days":3,"custom_limits":{"Images":"50"},"metadata":{"a":"b"}}`,
	"previewSubscription":   `{"customer_id":"n","plan_id":"pro"}`,
	"cancelSubscription":    `{"customer_id":"s","at_cycle_end":true}`,
	"updateSubscription":    `{"credits":[{"credit_id":"api","amount":"60","expires_after_days":5,"low_balance_percent":10,"overage":{"enabled":true,"limit":"5"},"rollover":{"percent":10,"validity_count":1,"validity_unit":"day"}}],"metadata":{"a":"b"}}`,
	"pauseSubscription":     `{"reason":"away"}`,
	"resumeSubscription":    `{}`,
	"payInvoice":            `{"reference":"ch_1"}`,
	"voidInvoice":           `{}`,
	"checkout":              `{"customer_id":"b","email":"b@example.test","name":"B","pack_id":"starter","quantity":2,"success_url":"https://shop.example/ok?billing=success","cancel_url":"https://shop.example/no","expires_in_seconds":3600,"metadata":{"a":"b"}}`,
	"previewCheckout":       `{"customer_id":"b","plan_id":"pro","trial_days":3}`,
	"cancelOrder":           `{"reason":"changed their mind"}`,
	"refundOrder":           `{"amount":100,"reason":"asked for it"}`,
	"reconcile":             `{"customer_id":"b"}`,
	"setAutoTopUp":          `{"credit_id":"api","enabled":true,"threshold":"10","pack_id":"starter","quantity":2,"caps":{"day_count":3,"day_amount":5000,"month_count":9,"month_amount":9000}}`,
	"paymentPortal":         `{"return_url":"https://shop.example/cards"}`,
	"createKey":             `{"kind":"publishable"}`,
	"mintToken":             `{"customer_id":"c"}`,
	"ingestEvents":          `{"events":[{"event_id":"e2","customer_id":"c","event_name":"llm","timestamp":"2026-01-31T09:30:00","metadata":{"n":5,"ok":true,"none":null}}]}`,
	"voidEvent":             `{"customer_id":"c"}`,
	"correctEvent":          `{"customer_id":"c","event_id":"e3","metadata":{"n":7}}`,
	"createMeter":           `{"name":"calls","event_name":"call","aggregation":{"type":"count"},"measurement_unit":"call","links":[{"credit_id":"api"}],"filter":{"conjunction":"or","clauses":[{"conjunction":"and","clauses":[{"key":"n","operator":"greater_than","value":1}]}]}}`,
	"updateMeter":           `{"links":[{"credit_id":"api","units_per_credit":"10"}]}`,
	"createWebhookEndpoint": `{"url":"https://example.test/hook","events":["credit.added"],"headers":{"X-Team":"billing"},"rate_limit":10,"metadata":{"a":"b"}}`,
	"updateWebhookEndpoint": `{}`,
	"advanceTestClock":      `{"by_seconds":1}`,
	"redeliverWebhooks":     `{"from":"2026-01-01T00:00:00Z"}`,
}

// violation is a value that a field's description rules out; nil removes the field.
type violation struct {
	path  []any
	value any
	rule  string
}

// violations lists a way to break every constraint of a type's tags.
func violations(t reflect.Type, path []any) []violation {
	var found []violation
	for _, f := range fieldsOf(t) {
		at := append(path[:len(path):len(path)], f.name)
		kind := f.Type
		if kind.Kind() == reflect.Pointer {
			kind = kind.Elem()
		}
		add := func(rule string, value any) { found = append(found, violation{at, value, rule}) }
		if f.Tag.Get("enum") != "" {
			add("enum", "nonsense")
		}
		if n, err := strconv.Atoi(f.Tag.Get("minimum")); err == nil {
			add("minimum", n-1)
		}
		if n, err := strconv.Atoi(f.Tag.Get("maximum")); err == nil {
			add("maximum", n+1)
		}
		if n, err := strconv.Atoi(f.Tag.Get("maxLength")); err == nil {
			add("maxLength", strings.Repeat("x", n+1))
		}
		if f.Tag.Get("minItems") != "" {
			add("minItems", []any{})
		}
		if n, err := strconv.Atoi(f.Tag.Get("maxItems")); err == nil {
			item := map[string]any{"credit_id": "api", "amount": "1"}
			items := make([]any, n+1)
			for i := range items {
				items[i] = item
			}
			add("maxItems", items)
		}
		if text := kind.Kind() == reflect.String || kind.Kind() == reflect.Slice; text && !strings.Contains(f.Tag.Get("json"), ",omit") {
			add("required", nil)
		}
		switch {
		case readsItself(kind):
		case kind.Kind() == reflect.Struct:
			found = append(found, violations(kind, at)...)
		case kind.Kind() == reflect.Slice && kind.Elem().Kind() == reflect.Struct:
			found = append(found, violations(kind.Elem(), append(at, 0))...)
		}
	}
	return found
}

// violate returns the body with one value changed; false when the sample has no such place.
func violate(body any, v violation) (any, bool) {
	at := body
	for i, step := range v.path {
		last := i == len(v.path)-1
		switch s := step.(type) {
		case string:
			m, ok := at.(map[string]any)
			if !ok {
				return nil, false
			}
			if !last {
				at = m[s]
				continue
			}
			if v.value == nil {
				delete(m, s)
				continue
			}
			m[s] = v.value
		case int:
			l, ok := at.([]any)
			if !ok || len(l) <= s {
				return nil, false
			}
			at = l[s]
		}
	}
	return body, true
}

// TestDocumentedConstraintsAreKept breaks everything that the document says of a body's fields:
// what is written there is what the server refuses.
func TestDocumentedConstraintsAreKept(t *testing.T) {
	f := newFixture(t, Options{})
	w := newWorld(f)
	for _, section := range sections {
		for _, rt := range section.routes {
			if rt.body == nil {
				continue
			}
			for _, v := range violations(rt.body, nil) {
				var body any
				if err := json.Unmarshal([]byte(w.fill(samples[rt.id])), &body); err != nil {
					t.Fatalf("sample of %s: %v", rt.id, err)
				}
				body, ok := violate(body, v)
				if !ok {
					continue
				}
				text, err := json.Marshal(body)
				if err != nil {
					t.Fatal(err)
				}
				before := w.state()
				a := f.send(f.test, rt.method, w.path(&rt), string(text))
				field, _ := a.at("field").(string)
				if a.status != 400 || !strings.HasPrefix(field, v.path[0].(string)) {
					t.Errorf("%s with %v against its %s answered %d %v, field %q", rt.id, v.path, v.rule, a.status, a.at("code"), field)
				}
				if after := w.state(); after != before {
					t.Errorf("%s with %v against its %s changed something", rt.id, v.path, v.rule)
				}
			}
		}
	}
}

// TestSamplesAreAccepted shows that the samples fail for what was changed, and nothing else.
func TestSamplesAreAccepted(t *testing.T) {
	f := newFixture(t, Options{})
	for _, section := range sections {
		for _, rt := range section.routes {
			if rt.body == nil {
				continue
			}
			f.use(rt.id)
			w := newWorld(f)
			if a := f.send(f.test, rt.method, w.path(&rt), w.fill(samples[rt.id])); a.status != rt.status {
				t.Errorf("%s answered %d %s", rt.id, a.status, a.text)
			}
		}
	}
}
