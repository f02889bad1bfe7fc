package apply_test

import (
	"strings"
	"testing"

	"github.com/seed42445051/scrip/apply"
	"github.com/seed42445051/scrip/fault"
	v1 "github.com/seed42445051/scrip/v1"
)

const planned = `
credits: [{name: tokens, unit: token, precision: 3}, {name: calls, unit: call}]
plans:
  - id: free
    name: Free
    allowances:
      - {label: Images, quota: 2, rules: [{event: image.small}], period: lifetime}
  - name: Pro
    description: For work.
    price: 900
    interval: {count: 1, unit: year}
    runs_for: {count: 3, unit: year}
    trial_days: 14
    trial_price: 100
    on_change: keep
    metadata: {tier: "2"}
    allowances:
      - {id: img, label: Images, unit: count, quota: 40.5, rules: [{event: "image.*", metadata: {size: large}}], period: monthly, anchor: start, zone: Europe/Zurich}
    credits:
      - credit_id: TOKENS
        amount: 0.125
        every: {count: 1, unit: month}
        category: promotional
        scope: [{event: "chat.*"}]
        trial_amount: 0.05
        trial_expires: true
        prorate: true
        low_balance_percent: 20
        overage: {enabled: true, limit: 1.5, behavior: carry_deficit, price_per_unit: 0.25, currency: eur}
        rollover: {percent: 75, validity_count: 2, validity_unit: week, max_count: 0, off: false}
      - {credit_id: calls, amount: 100, expires_after_days: 30, priority: 7}
`

// TestPlans makes plans, changes them and takes them off sale.
func TestPlans(t *testing.T) {
	everywhere(t, func(t *testing.T, ops v1.Operations) {
		_, text := compare(t, ops, planned)
		const want = `+ plan "Free"
    price: 0 usd every month
    allowances[0]: "Images", 2 lifetime from its start, for image.small
+ plan "Pro"
    description: For work.
    price: 900 usd every year
    runs_for: 3 years
    trial: 14 days for 100 usd
    on_change: keep
    metadata: tier="2"
    allowances[0]: "Images", 40.5 count monthly from its start in Europe/Zurich, for image.* size="large", id img
    credits[0]: 0.125 of "tokens", every month, expires at the cycle's end, promotional, priority 60, for chat.*, 0.05 in a trial, which end with it, prorated, low below 20 %, overage.enabled=true overage.limit=1.5 overage.behavior=carry_deficit overage.price_per_unit=0.25 overage.currency=eur rollover.percent=75 rollover.validity=2 weeks rollover.max_count=0 rollover.off=false
    credits[1]: 100 of "calls", expires after 30 days, paid, priority 7
`
		if !strings.HasSuffix(text, want) {
			t.Errorf("differs by:\n%s", text)
		}
		settle(t, ops, planned)
		pro, err := ops.GetPlan(t.Context(), "pro")
		if err != nil || pro.Credits[0].Amount != "0.125" || pro.Allowances[0].Quota != "40.5" || pro.Interval.Unit != "year" {
			t.Fatalf("%+v, %v", pro, err)
		}

		changed := strings.NewReplacer("price: 900", "price: 1200", "quota: 2,", "quota: 3,", "      - {credit_id: calls, amount: 100, expires_after_days: 30, priority: 7}\n", "").Replace(planned)
		if _, text = compare(t, ops, changed); text != `~ plan "Free"
    allowances[0]: "Images", 2 lifetime from its start, for image.small -> "Images", 3 lifetime from its start, for image.small
~ plan "Pro"
    price: 900 usd every year -> 1200 usd every year
    credits[1]: 100 of "calls", expires after 30 days, paid, priority 7 -> (not set)
` {
			t.Errorf("differs by:\n%s", text)
		}
		settle(t, ops, changed)
		if now, err := ops.GetPlan(t.Context(), "PRO"); err != nil || now.ID != pro.ID || now.Price != 1200 || len(now.Credits) != 1 {
			t.Errorf("%+v, %v", now, err)
		}

		ended := strings.Replace(changed, "    name: Free\n", "    name: Free\n    archived: true\n", 1)
		if _, text = compare(t, ops, ended); text != "- plan \"Free\" is archived; who has it keeps it\n" {
			t.Errorf("differs by:\n%s", text)
		}
		settle(t, ops, ended)
	})
}

// TestPlansThatCannotBe are refused with their place in the file.
func TestPlansThatCannotBe(t *testing.T) {
	for what, c := range map[string]struct{ old, new, want string }{
		"an unknown credit":        {"credit_id: TOKENS", "credit_id: toasts", `catalog.yaml:20: credits[0].credit_id: there is no credit "toasts"`},
		"a fraction of a fraction": {"quota: 40.5", "quota: 0.0000001", "catalog.yaml:18: allowances[0].quota"},
		"an unknown period":        {"period: monthly", "period: hourly", "catalog.yaml:18: allowances[0].period: period must be daily"},
		"an unknown zone":          {"Europe/Zurich", "Europe/Zuerich", "catalog.yaml:18: allowances[0].zone"},
		"an unknown cycle":         {"{count: 1, unit: year}", "{count: 1, unit: moon}", "catalog.yaml:11: interval: interval must be"},
		"an unknown field":         {"trial_days: 14", "trail_days: 14", `catalog.yaml:13: unknown field "trail_days"; known: allowances, archived, credits, currency, description, id, interval, metadata, name, on_change, price, runs_for, trial_days, trial_price`},
		"a field deeper":           {"limit: 1.5", "limits: 1.5", `catalog.yaml:29: unknown field "limits"; known: behavior, currency, enabled, limit, price_per_unit`},
		"a plan twice":             {"name: Pro", "name: free", "catalog.yaml:8: the file has a plan with the name free twice"},
		"a price with a point":     {"price: 900", "price: 9.00", "catalog.yaml:10: 9.00 is not a whole number"},
	} {
		if !strings.Contains(planned, c.old) {
			t.Fatalf("%s: %q is not in the file", what, c.old)
		}
		file, err := apply.Read("catalog.yaml", []byte(strings.Replace(planned, c.old, c.new, 1)))
		if err == nil {
			_, err = file.Compare(t.Context(), nil)
		}
		if fault.CodeOf(err) != fault.CodeInvalidConfig || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", what, err, c.want)
		}
	}
}
