package wallet

import (
	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/money"
)

// asDefined completes a command that names a plan and agrees on no terms of its own: they are the
// plan's as the definitions of the transaction have it. One whose customer has the plan needs it
// no more to be offered.
func (c *Subscribe) asDefined(w *work) error {
	p, ok := w.cx.Defs.Plan(c.Plan)
	if !ok {
		return fault.New(opSubscribe, fault.CodePlanNotFound, "there is no plan %q in this app", c.Plan).In("plan_id")
	}
	has := w.s.Subscription.RunsAt(w.at) && w.s.Subscription.Plan == p.ID && !c.Retake
	if !p.ArchivedAt.IsZero() && !has {
		return fault.New(opSubscribe, fault.CodePlanNotFound, "the plan %q is archived: those who have it keep it, nobody new can have it", p.Name).In("plan_id")
	}
	c.Plan, c.Terms, c.Allowances = p.ID, TermsOf(p, w.cx.Defs), allowancesOf(p)
	if c.OnChange == "" {
		c.OnChange = p.OnChange
	}
	return nil
}

// TermsOf is what a plan comes with now: what it leaves open is as its credits say now. A
// subscription keeps them (law 7).
func TermsOf(p *catalog.Product, defs *catalog.Definitions) Terms {
	t := Terms{
		Name: p.Name, Currency: p.Price.Currency, Minor: p.Price.Minor, Every: p.Price.Every, Runs: p.Price.Period,
		TrialMinor: p.Price.TrialMinor, TaxInside: p.Price.TaxInclusive, TrialDays: p.Price.TrialDays,
	}
	if off := int64(p.Price.DiscountBps); off > 0 {
		// Rounded down in favour of who pays; the operands are bounded far below overflow.
		t.Minor -= (t.Minor*off + catalog.MaxDiscountBps - 1) / catalog.MaxDiscountBps
	}
	for i := range p.Credits {
		if def, ok := defs.Credits[p.Credits[i].Credit]; ok {
			t.Credits = append(t.Credits, includedCredit(&p.Credits[i], def, p.Price.Every))
		}
	}
	for i := range p.Price.Meters {
		m := &p.Price.Meters[i]
		term := MeterTerm{Meter: m.Meter, Credit: m.Credit, FreeThreshold: m.FreeThreshold * MicrosPerUnit, PricePerUnit: m.PricePerUnit}
		if m.Credit != "" {
			term.PricePerUnit = ""
			term.UnitsPerCredit, _ = money.ParseRatio(string(m.UnitsPerCredit)) // validated with the product
		}
		t.Meters = append(t.Meters, term)
	}
	return t
}

func includedCredit(p *catalog.ProductCredit, def *catalog.Credit, every catalog.Interval) IncludedCredit {
	c := IncludedCredit{
		Credit: p.Credit, Amount: p.Amount, Every: p.Every, Trial: p.Trial, TrialExpires: p.TrialExpires, Prorate: p.Prorate,
		AtCycleEnd: p.AtCycleEnd, Category: p.Category, Priority: DefaultPriority, Scope: p.Scope,
		Rollover: p.Rollover(def), Overage: p.Overage(def),
	}
	if c.Every == (catalog.Interval{}) {
		c.Every = every
	}
	if !p.AtCycleEnd && !p.Never {
		c.ExpiresAfterDays = p.Expiry(def)
	}
	if c.Category == "" {
		c.Category = catalog.Paid
	}
	if p.Priority != nil {
		c.Priority = *p.Priority
	}
	if len(c.Scope) == 0 {
		c.Scope, c.Inherited = def.Scope, len(def.Scope) > 0
	}
	if p.LowBalancePercent != nil {
		c.LowPercent = *p.LowBalancePercent
	}
	return c
}

// allowancesOf are a plan's allowances as they are now.
func allowancesOf(p *catalog.Product) []Allowance {
	all := make([]Allowance, len(p.Allowances))
	for i := range p.Allowances {
		a := &p.Allowances[i]
		all[i] = Allowance{ID: a.ID, Label: a.Label, Unit: a.Unit, Quota: a.Quota, Rules: a.Rules, Period: a.Period}
	}
	return all
}
