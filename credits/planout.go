package credits

import (
	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/money"
	v1 "github.com/seed42445051/scrip/v1"
	"github.com/seed42445051/scrip/wording"
)

func planOut(p *catalog.Product, defs *catalog.Definitions) v1.Plan {
	out := v1.Plan{
		ID: p.ID, Name: p.Name, Description: p.Description, Price: p.Price.Minor, Currency: p.Price.Currency,
		Interval: intervalOut(p.Price.Every), RunsFor: intervalIfAny(p.Price.Period),
		TrialDays: p.Price.TrialDays, TrialPrice: p.Price.TrialMinor, OnChange: string(p.OnChange), Metadata: p.Metadata,
		Allowances: make([]v1.PlanAllowance, len(p.Allowances)), Credits: make([]v1.PlanCredit, len(p.Credits)),
		CreatedAt: p.CreatedAt, UpdatedAt: p.UpdatedAt, ArchivedAt: p.ArchivedAt,
	}
	if out.OnChange == "" {
		out.OnChange = string(catalog.ResetCounts)
	}
	for i := range p.Allowances {
		out.Allowances[i] = planAllowanceOut(&p.Allowances[i])
	}
	for i := range p.Credits {
		out.Credits[i] = planCreditOut(&p.Credits[i], defs)
	}
	return out
}

func intervalOut(v catalog.Interval) v1.Interval {
	return v1.Interval{Count: v.Count, Unit: string(v.Unit)}
}

func intervalIfAny(v catalog.Interval) *v1.Interval {
	if v == (catalog.Interval{}) {
		return nil
	}
	out := intervalOut(v)
	return &out
}

func planAllowanceOut(a *catalog.PlanAllowance) v1.PlanAllowance {
	out := v1.PlanAllowance{
		ID: a.ID, Label: a.Label, Unit: a.Unit, Quota: quantity(a.Quota), Rules: make([]v1.UsageRule, len(a.Rules)),
		Period: string(a.Period.Kind), Anchor: string(a.Period.Anchor), Zone: a.Period.Zone,
	}
	for i, r := range a.Rules {
		out.Rules[i] = v1.UsageRule{Event: r.Event, Metadata: r.Metadata}
	}
	return out
}

func planCreditOut(c *catalog.ProductCredit, defs *catalog.Definitions) v1.PlanCredit {
	precision := wording.Precision(defs, c.Credit)
	out := v1.PlanCredit{
		CreditID: c.Credit, Amount: decimal(c.Amount, precision), Every: intervalIfAny(c.Every), Expires: v1.ExpiresAsCredit,
		Category: string(c.Category), Priority: c.Priority, Scope: rulesOut(c.Scope), TrialAmount: decimalIfAny(c.Trial, precision),
		TrialExpires: c.TrialExpires, Prorate: c.Prorate, LowBalancePercent: c.LowBalancePercent,
		Overage: overageOverride(c, precision), Rollover: rolloverOverride(c),
	}
	switch {
	case c.AtCycleEnd:
		out.Expires = v1.ExpiresAtCycleEnd
	case c.Never:
		out.Expires = v1.ExpiresNever
	case c.ExpiresAfterDays != nil:
		out.Expires, out.ExpiresAfterDays = v1.ExpiresAfterDays, *c.ExpiresAfterDays
	}
	if out.Category == "" {
		out.Category = string(catalog.Paid)
	}
	if out.Priority == nil {
		priority := catalog.NarrowPriority
		out.Priority = &priority
	}
	return out
}

func decimalIfAny(n *int64, precision int) *money.Decimal {
	if n == nil {
		return nil
	}
	d := decimal(*n, precision)
	return &d
}

// overageOverride is nil where a plan leaves overage to its credit.
func overageOverride(c *catalog.ProductCredit, precision int) *v1.OverageOverride {
	o := v1.OverageOverride{Enabled: c.OverageEnabled, Limit: decimalIfAny(c.OverageLimit, precision)}
	if c.OverageBehavior != nil {
		o.Behavior = string(*c.OverageBehavior)
	}
	v1.Set(&o.PricePerUnit, c.PricePerUnit)
	v1.Set(&o.Currency, c.Currency)
	if o == (v1.OverageOverride{}) {
		return nil
	}
	return &o
}

// rolloverOverride is nil where a plan leaves rollover to its credit.
func rolloverOverride(c *catalog.ProductCredit) *v1.RolloverOverride {
	r := v1.RolloverOverride{Percent: c.RolloverPercent, MaxCount: c.RolloverMaxCount}
	if c.RolloverValidity != nil {
		r.ValidityCount, r.ValidityUnit = c.RolloverValidity.Count, string(c.RolloverValidity.Unit)
	}
	if c.RolloverEnabled != nil {
		off := !*c.RolloverEnabled
		r.Off = &off
	}
	if r == (v1.RolloverOverride{}) {
		return nil
	}
	return &r
}
