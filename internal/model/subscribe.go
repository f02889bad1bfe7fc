package model

import (
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/money"
	"github.com/seed42445051/scrip/wallet"
)

// interval is a cycle of days, weeks or months, none so short that a history is nothing else.
func interval(r *rand.Rand) catalog.Interval {
	return pick(
		r, catalog.Interval{Count: 1, Unit: catalog.Month}, catalog.Interval{Count: 1, Unit: catalog.Month},
		catalog.Interval{Count: 1, Unit: catalog.Week}, catalog.Interval{Count: 1, Unit: catalog.Week},
		catalog.Interval{Count: 2, Unit: catalog.Day}, catalog.Interval{Count: 3, Unit: catalog.Month},
		catalog.Interval{Count: 1, Unit: catalog.Year},
	)
}

// newTerms is what a plan is sold with.
func (u *universe) newTerms(r *rand.Rand) wallet.Terms {
	t := wallet.Terms{
		Name: "plan", Currency: pick(r, "usd", "usd", "usd", "jpy"), Minor: pick[int64](r, 0, 1, 999, 2000, catalog.MaxPrice),
		Every: interval(r), TrialMinor: pick[int64](r, 0, 0, 100), TrialDays: pick(r, 0, 0, 0, 0, 2),
		Runs: pick(r, catalog.Interval{}, catalog.Interval{}, catalog.Interval{}, catalog.Interval{Count: 2, Unit: catalog.Month}),
	}
	for _, id := range u.credits {
		if chance(r, 50) {
			t.Credits = append(t.Credits, u.included(r, id, t.Every))
		}
	}
	return t
}

func (u *universe) included(r *rand.Rand, id string, every catalog.Interval) wallet.IncludedCredit {
	def := u.defs.Credits[id]
	in := wallet.IncludedCredit{
		Credit: id, Amount: 1 + int64(r.IntN(60)), Every: every, TrialExpires: chance(r, 50), Prorate: chance(r, 60),
		Category: pick(r, catalog.Paid, catalog.Promotional), Priority: pick(r, 40, 50, 60),
		Rollover: rollover(r), Overage: overagePolicy(r), Scope: scope(r),
	}
	for range def.Precision {
		if chance(r, 80) {
			in.Amount *= 10
		}
	}
	if chance(r, 2) {
		in.Amount = wallet.MaxUnits - int64(r.IntN(2))
	}
	if chance(r, 40) {
		in.Every = interval(r)
	}
	if chance(r, 60) {
		trial := pick(r, 0, 1+int64(r.IntN(20)), in.Amount)
		in.Trial = &trial
	}
	switch r.IntN(5) {
	case 0, 1, 2:
		in.AtCycleEnd = true
	case 3:
		in.ExpiresAfterDays = pick(r, 1, 7, 30)
	}
	if len(in.Scope) == 0 && len(def.Scope) > 0 {
		in.Scope, in.Inherited = def.Scope, true
	}
	return in
}

func (k *maker) subscribe() wallet.Command {
	r := k.r
	c := &wallet.Subscribe{
		Plan: pick(r, k.u.plans...), Allowances: allowances(r), Note: k.note(),
		OnChange: pick(r, "", catalog.ResetCounts, catalog.KeepCounts, catalog.KeepCounts, catalog.BlockCounts),
		EndsAt:   pick(r, 0, 0, 0, k.now()+day, k.now()+30*day), Zone: pick(r, "", "", "Europe/Zurich"),
		AtCycleEnd: chance(r, 25), New: chance(r, 5), Collect: chance(r, 30), Retake: chance(r, 20), Quantity: pick[int64](r, 0, 0, 1, 2, 5),
		Charge: pick(r, "", wallet.ChargeFull, wallet.ChargeProrated, wallet.ChargeProrated, wallet.ChargeDifference, wallet.ChargeNothing),
	}
	if p := k.m.plan; p.runs(k.now()) && chance(r, 30) {
		c.Plan, c.EndsAt = p.id, p.ends
	}
	c.Terms = k.u.terms[c.Plan]
	if c.Retake && chance(r, 50) { // the plan was edited
		c.Terms = k.u.newTerms(r)
	}
	if chance(r, 25) {
		days := pick(r, 0, 1, 3, 14)
		c.TrialDays = &days
	}
	if chance(r, 15) {
		for _, a := range allowances(r) {
			c.Limits = map[string]int64{pick(r, a.ID, strings.ToUpper(a.Label)): a.Quota}
		}
	}
	if chance(r, 10) {
		c.CycleStart = k.now() + pick(r, -20*day, -day, -1, 0, 1, 3*day)
	}
	if chance(r, 5) {
		k.spoilPlan(c)
	}
	return c
}

// spoilPlan makes a plan wrong in one way.
func (k *maker) spoilPlan(c *wallet.Subscribe) {
	r := k.r
	credit := func(change func(*wallet.IncludedCredit)) {
		c.Terms.Credits = slices.Clone(c.Terms.Credits)
		if len(c.Terms.Credits) > 0 {
			change(&c.Terms.Credits[0])
		}
	}
	allowance := func(change func(*wallet.Allowance)) {
		if len(c.Allowances) > 0 {
			change(&c.Allowances[0])
		}
	}
	switch r.IntN(22) {
	case 0:
		allowance(func(a *wallet.Allowance) { a.Quota = pick[int64](r, -1, wallet.MaxQuantity+1) })
	case 1:
		allowance(func(a *wallet.Allowance) { a.Period.Kind = "hourly" })
	case 2:
		allowance(func(a *wallet.Allowance) { a.Period.Zone = pick(r, "Mars/Olympus", "Local") })
	case 3:
		allowance(func(a *wallet.Allowance) { a.Rules = catalog.Scope{{Event: ""}} })
	case 4:
		allowance(func(a *wallet.Allowance) { c.Allowances = append(c.Allowances, *a) })
	case 5:
		c.Terms.Minor = pick[int64](r, -1, catalog.MaxPrice+1)
	case 6:
		c.Terms.TrialMinor = pick[int64](r, -1, catalog.MaxPrice+1)
	case 7:
		c.Terms.Every = pick(r, catalog.Interval{}, catalog.Interval{Count: 1, Unit: "aeon"})
	case 8:
		credit(func(in *wallet.IncludedCredit) { in.Credit = "crd_unknown" })
	case 9:
		credit(func(in *wallet.IncludedCredit) { in.Amount = pick[int64](r, -1, wallet.MaxUnits+1) })
	case 10:
		credit(func(in *wallet.IncludedCredit) { in.Every.Count = 0 })
	case 11:
		c.Quantity = pick[int64](r, -1, wallet.MaxPlanQuantity+1, wallet.MaxPlanQuantity)
	case 12:
		days := pick(r, -1, catalog.MaxTrialDays+1)
		c.TrialDays = &days
	case 13:
		c.OnChange = "maybe"
	case 14:
		c.Charge = "maybe"
	case 15:
		c.EndsAt = k.now() - clock.Instant(r.IntN(2))
	case 16:
		c.Zone = pick(r, "Mars/Olympus", "Local")
	case 17:
		credit(func(in *wallet.IncludedCredit) { trial := pick[int64](r, -1, wallet.MaxUnits+1); in.Trial = &trial })
	case 18:
		credit(func(in *wallet.IncludedCredit) { in.Priority = pick(r, -1, catalog.MaxPriority+1) })
	case 19:
		credit(func(in *wallet.IncludedCredit) {
			in.Overage.PricePerUnit, in.Overage.Currency = pick[money.Decimal](r, "-1", "much", "1000000001"), "usd"
		})
	case 20:
		credit(func(in *wallet.IncludedCredit) { in.Scope = catalog.Scope{{Event: "image.**"}} })
	case 21:
		credit(func(in *wallet.IncludedCredit) { in.Rollover = catalog.Rollover{Percent: 101} })
	}
}

func (k *maker) unsubscribe() wallet.Command {
	c := &wallet.EndSubscription{Note: k.note()}
	if chance(k.r, 30) {
		c.AtCycleEnd = true
	} else {
		c.At = pick(k.r, 0, 0, k.now()+1, k.now()+day, k.now()+5*day, k.now()-day)
	}
	return c
}

// edit changes what was agreed with the customer.
func (k *maker) edit() wallet.Command {
	r := k.r
	c := &wallet.EditSubscription{Note: k.note(), KeepPlan: chance(r, 20), KeepOn: chance(r, 20)}
	if chance(r, 40) {
		c.NextCycle = k.now() + pick(r, 0, 1, day, 9*day, 9*day)
	}
	if p := k.m.plan; p != nil && len(p.terms.Credits) > 0 && chance(r, 60) {
		edit := catalog.ProductCredit{Credit: pick(r, p.terms.Credits...).Credit, Amount: pick[int64](r, 0, 1, 40, 1000)}
		if chance(r, 3) {
			edit.Credit = "crd_unknown"
		}
		yes, limit, percent, days := chance(r, 70), int64(r.IntN(50)), r.IntN(101), 1+r.IntN(9)
		switch r.IntN(5) {
		case 0:
			edit.OverageEnabled = &yes
		case 1:
			edit.OverageLimit = &limit
		case 2:
			for _, in := range p.terms.Credits {
				if in.Credit == edit.Credit && in.Rollover.Percent > 0 {
					edit.RolloverPercent = &percent
				}
			}
		case 3:
			edit.ExpiresAfterDays = &days
		}
		c.Credits = append(c.Credits, edit)
	}
	return c
}

func (k *maker) closeInvoice() wallet.Command {
	r := k.r
	c := &wallet.CloseInvoice{
		Invoice: r.Int64N(int64(len(k.m.bills))+2) + pick[int64](r, 0, 0, 0, -1), Note: k.note(),
		Status: pick(r, wallet.InvoicePaid, wallet.InvoicePaid, wallet.InvoiceVoid),
	}
	switch r.IntN(40) {
	case 0:
		c.Status = pick(r, "", wallet.InvoiceOpen, wallet.InvoiceDraft)
	case 1:
		c.Ref = strings.Repeat("ö", wallet.MaxReasonLength+r.IntN(2))
	}
	return c
}

// price is what one credit beyond the plan costs; not all have one.
func price(r *rand.Rand, o *catalog.Overage) {
	if chance(r, 70) {
		o.PricePerUnit = pick[money.Decimal](r, "0.2", "1", "3", "0.000001", "1000000000", "0.5", "12.345")
		o.Currency = pick(r, "usd", "usd", "jpy")
	}
}
