package billing

import (
	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/money"
	v1 "github.com/seed42445051/scrip/v1"
	"github.com/seed42445051/scrip/wallet"
)

// TermsOf is what a plan comes with now: what it leaves open is as its credits say now. A
// subscription keeps them (law 7).
func TermsOf(p *catalog.Product, defs *catalog.Definitions) wallet.Terms {
	t := wallet.Terms{
		Name: p.Name, Currency: p.Price.Currency, Minor: p.Price.Minor, Every: p.Price.Every, Runs: p.Price.Period,
		TrialMinor: p.Price.TrialMinor, TaxInside: p.Price.TaxInclusive,
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
		term := wallet.MeterTerm{Meter: m.Meter, Credit: m.Credit, FreeThreshold: m.FreeThreshold * wallet.MicrosPerUnit, PricePerUnit: m.PricePerUnit}
		if m.Credit != "" {
			term.PricePerUnit = ""
			term.UnitsPerCredit, _ = money.ParseRatio(string(m.UnitsPerCredit)) // validated with the product
		}
		t.Meters = append(t.Meters, term)
	}
	return t
}

func includedCredit(p *catalog.ProductCredit, def *catalog.Credit, every catalog.Interval) wallet.IncludedCredit {
	c := wallet.IncludedCredit{
		Credit: p.Credit, Amount: p.Amount, Every: p.Every, Trial: p.Trial, TrialExpires: p.TrialExpires, Prorate: p.Prorate,
		AtCycleEnd: p.AtCycleEnd, Category: p.Category, Priority: wallet.DefaultPriority, Scope: p.Scope,
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
func allowancesOf(p *catalog.Product) []wallet.Allowance {
	all := make([]wallet.Allowance, len(p.Allowances))
	for i := range p.Allowances {
		a := &p.Allowances[i]
		all[i] = wallet.Allowance{ID: a.ID, Label: a.Label, Unit: a.Unit, Quota: a.Quota, Rules: a.Rules, Period: a.Period}
	}
	return all
}

// readLimits reads the quotas that are agreed with one customer.
func readLimits(limits v1.Limits) (map[string]int64, error) {
	var all map[string]int64
	for name, quota := range limits {
		micros, err := quota.Units(wallet.QuantityDecimals)
		if err != nil {
			return nil, fault.As(err).In("custom_limits." + name)
		}
		if all == nil {
			all = map[string]int64{}
		}
		all[name] = micros
	}
	return all, nil
}
