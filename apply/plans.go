package apply

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/money"
	v1 "github.com/seed42445051/scrip/v1"
)

// plans compares all plans.
func (c *comparison) plans(ctx context.Context) error {
	if len(c.file.Plans) == 0 {
		return nil
	}
	page, err := c.ops.ListPlans(ctx)
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for i := range c.file.Plans {
		want, path := &c.file.Plans[i], fmt.Sprintf("plans[%d]", i)
		if err := c.once(seen, path, "plan", want.ID, want.Name); err != nil {
			return err
		}
		old, err := findSold(ctx, c, path, sold[v1.Plan]{
			what: "plan", id: want.ID, name: want.Name, onSale: page.Data, missing: fault.CodePlanNotFound, get: c.ops.GetPlan,
			of: func(p *v1.Plan) (string, string) { return p.ID, p.Name },
		})
		if err != nil {
			return err
		}
		if err := c.plan(path, want, old); err != nil {
			return err
		}
	}
	return nil
}

// plan compares one plan with the one that is defined, if any.
func (c *comparison) plan(path string, want *Plan, old *v1.Plan) error {
	s := sides{what: "plan", wantArchived: want.Archived}
	if old != nil {
		s.oldID, s.oldName, s.oldArchived = old.ID, old.Name, !old.ArchivedAt.IsZero()
	}
	def, err := planOf(s.oldID, &want.CreatePlan, c.defs)
	if err != nil {
		return c.file.refused(path, err)
	}
	s.name, s.fields = def.Name, planFields(def, c.defs)
	if old != nil && !s.oldArchived {
		have, err := definedPlan(old, c.defs)
		if err != nil {
			return err
		}
		s.oldFields = planFields(have, c.defs)
	}
	s.create = func(ctx context.Context) error { _, err := c.ops.CreatePlan(ctx, want.CreatePlan); return err }
	s.update = func(ctx context.Context) error { _, err := c.ops.UpdatePlan(ctx, s.oldID, want.CreatePlan); return err }
	s.archive = func(ctx context.Context) error { _, err := c.ops.ArchivePlan(ctx, s.oldID); return err }
	return c.compare(path, &s)
}

// definedPlan reads a plan that is defined as if it stood in a file.
func definedPlan(old *v1.Plan, defs *catalog.Definitions) (*catalog.Product, error) {
	return planOf(old.ID, &v1.CreatePlan{
		Name: old.Name, Description: old.Description, Price: old.Price, Currency: old.Currency, Interval: &old.Interval, RunsFor: old.RunsFor,
		TrialDays: old.TrialDays, TrialPrice: old.TrialPrice, Allowances: old.Allowances, Credits: old.Credits, OnChange: old.OnChange,
		Metadata: old.Metadata,
	}, defs)
}

// planFields lists what can be compared of a plan.
func planFields(p *catalog.Product, defs *catalog.Definitions) []field {
	trial := ""
	if p.Price.TrialDays > 0 {
		trial = fmt.Sprintf("%d days for %d %s", p.Price.TrialDays, p.Price.TrialMinor, p.Price.Currency)
	}
	onChange := ""
	if p.OnChange != catalog.ResetCounts {
		onChange = string(p.OnChange)
	}
	fields := []field{
		{"name", p.Name},
		{"description", p.Description},
		{"price", fmt.Sprintf("%d %s every %s", p.Price.Minor, p.Price.Currency, intervalText(p.Price.Every))},
		{"runs_for", intervalText(p.Price.Period)},
		{"trial", trial},
		{"on_change", onChange},
		{"metadata", metadataText(p.Metadata)},
	}
	for i := range p.Allowances {
		fields = append(fields, field{fmt.Sprintf("allowances[%d]", i), allowanceText(p, i)})
	}
	for i := range p.Credits {
		fields = append(fields, field{fmt.Sprintf("credits[%d]", i), planCreditText(&p.Credits[i], defs)})
	}
	return fields
}

func intervalText(v catalog.Interval) string {
	switch v.Count {
	case 0:
		return ""
	case 1:
		return string(v.Unit)
	}
	return fmt.Sprintf("%d %ss", v.Count, v.Unit)
}

func metadataText(m map[string]string) string {
	pairs := make([]string, 0, len(m))
	for _, key := range slices.Sorted(maps.Keys(m)) {
		pairs = append(pairs, fmt.Sprintf("%s=%q", key, m[key]))
	}
	return strings.Join(pairs, " ")
}

func allowanceText(p *catalog.Product, i int) string {
	a := &p.Allowances[i]
	text := fmt.Sprintf("%q, %s", a.Label, money.FormatUnits(a.Quota, microDecimals))
	if a.Unit != "" {
		text += " " + a.Unit
	}
	text += fmt.Sprintf(" %s from its %s", a.Period.Kind, a.Period.Anchor)
	if a.Period.Zone != "" {
		text += " in " + a.Period.Zone
	}
	text += ", for " + scopeText(a.Rules)
	if a.ID != p.DefaultAllowanceID(i) {
		text += ", id " + a.ID
	}
	return text
}

func planCreditText(c *catalog.ProductCredit, defs *catalog.Definitions) string {
	name, precision := c.Credit, 0
	if def, ok := defs.Credits[c.Credit]; ok {
		name, precision = def.Name, def.Precision
	}
	parts := []string{fmt.Sprintf("%s of %q", money.FormatUnits(c.Amount, precision), name)}
	add := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	if c.Every.Count > 0 {
		add("every %s", intervalText(c.Every))
	}
	switch {
	case c.Never:
		add("never expires")
	case c.AtCycleEnd:
		add("expires at the cycle's end")
	case c.ExpiresAfterDays != nil:
		add("expires after %d days", *c.ExpiresAfterDays)
	}
	add("%s", c.Category)
	add("priority %d", *c.Priority)
	if len(c.Scope) > 0 {
		add("for %s", scopeText(c.Scope))
	}
	if c.Trial != nil {
		add("%s in a trial", money.FormatUnits(*c.Trial, precision))
	}
	if c.TrialExpires {
		add("which end with it")
	}
	if c.Prorate {
		add("prorated")
	}
	if c.LowBalancePercent != nil {
		add("low below %d %%", *c.LowBalancePercent)
	}
	if text := overrideText(c, precision); text != "" {
		add("%s", text)
	}
	return strings.Join(parts, ", ")
}

// overrideText lists what a plan says otherwise than its credit.
func overrideText(c *catalog.ProductCredit, precision int) string {
	var parts []string
	put := func(name string, value any) { parts = append(parts, fmt.Sprintf("%s=%v", name, value)) }
	if c.OverageEnabled != nil {
		put("overage.enabled", *c.OverageEnabled)
	}
	if c.OverageLimit != nil {
		put("overage.limit", money.FormatUnits(*c.OverageLimit, precision))
	}
	if c.OverageBehavior != nil {
		put("overage.behavior", *c.OverageBehavior)
	}
	if c.PricePerUnit != nil {
		put("overage.price_per_unit", *c.PricePerUnit)
	}
	if c.Currency != nil {
		put("overage.currency", *c.Currency)
	}
	if c.RolloverPercent != nil {
		put("rollover.percent", *c.RolloverPercent)
	}
	if c.RolloverValidity != nil {
		put("rollover.validity", intervalText(*c.RolloverValidity))
	}
	if c.RolloverMaxCount != nil {
		put("rollover.max_count", *c.RolloverMaxCount)
	}
	if c.RolloverEnabled != nil {
		put("rollover.off", !*c.RolloverEnabled)
	}
	return strings.Join(parts, " ")
}
