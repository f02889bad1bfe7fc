package dodo

import (
	"fmt"
	"testing"

	v1 "github.com/seed42445051/scrip/v1"
)

// TestPlansAreProducts: what one interface defines the other shows, and an edit by either keeps what
// only the other has words for.
func TestPlansAreProducts(t *testing.T) {
	f := newFixture(t)
	credit, _ := f.world()
	plan, err := f.native.CreatePlan(t.Context(), v1.CreatePlan{
		ID: "pro", Name: "Pro", Price: 900,
		Allowances: []v1.PlanAllowance{{Label: "Images", Quota: "40", Rules: []v1.UsageRule{{Event: "image.*"}}, Period: "monthly"}},
		Credits:    []v1.PlanCredit{{CreditID: credit, Amount: "12.5"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	seen := f.must("GET", "/products/pro", "").body
	price, _ := seen["price"].(map[string]any)
	attached, _ := seen["credit_entitlements"].([]any)[0].(map[string]any)
	for what, is := range map[string][2]any{
		"recurring": {seen["is_recurring"], true}, "tax": {seen["tax_category"], "saas"}, "price": {price["price"], 900.0},
		"frequency": {price["payment_frequency_interval"], "Month"}, "end": {price["subscription_period_interval"], "Year"},
		"amount": {attached["credits_amount"], "12.5"}, "expiry": {attached["expires_after_days"], nil},
	} {
		if is[0] != is[1] {
			t.Errorf("%s: %v, want %v", what, is[0], is[1])
		}
	}
	f.must("PATCH", "/products/pro", `{"name":"Pro 2","price":{"type":"recurring_price","currency":"USD","price":1900,"discount_bps":500,"tax_inclusive":true,
		"payment_frequency_count":1,"payment_frequency_interval":"Month","subscription_period_count":2,"subscription_period_interval":"Year"}}`)
	now, err := f.native.GetPlan(t.Context(), "PRO 2")
	if err != nil || now.Price != 1900 || fmt.Sprint(now.Allowances) != fmt.Sprint(plan.Allowances) || *now.RunsFor != (v1.Interval{Count: 2, Unit: "year"}) {
		t.Fatalf("%+v, %v", now, err)
	}
	if _, err := f.native.UpdatePlan(t.Context(), "pro", v1.CreatePlan{Name: "Pro 3", Price: 2900, Credits: now.Credits}); err != nil {
		t.Fatal(err)
	}
	after := f.must("GET", "/products/pro", "").body
	price, _ = after["price"].(map[string]any)
	again, _ := after["credit_entitlements"].([]any)[0].(map[string]any)
	if price["discount_bps"] != 500.0 || price["tax_inclusive"] != true || price["price"] != 2900.0 || again["id"] != attached["id"] {
		t.Errorf("%v", after)
	}

	// What was bought elsewhere is granted by the native interface until there are checkouts.
	if _, err := f.native.Grant(t.Context(), v1.GrantRequest{CustomerID: "buyer", CreditID: credit, Amount: "500", Source: "purchase", ExternalRef: "order-7"}); err != nil {
		t.Fatal(err)
	}
	bought := f.must("GET", "/credit-entitlements/"+credit+"/balances/buyer/grants", "").list()
	if len(bought) != 1 || bought[0]["source_type"] != "one_time" || bought[0]["initial_amount"] != "500" || bought[0]["source_id"] != "order-7" {
		t.Errorf("bought: %v", bought)
	}

	// A product that is sold once is no plan.
	once, _ := f.must("POST", "/products", `{"name":"Book","tax_category":"e_book","price":{"type":"one_time_price","currency":"USD","price":100}}`).body["product_id"].(string)
	if p, err := f.native.GetPlan(t.Context(), once); err == nil {
		t.Errorf("%+v", p)
	}
	if page, err := f.native.ListPlans(t.Context()); err != nil || len(page.Data) != 1 {
		t.Errorf("%+v, %v", page, err)
	}
}
