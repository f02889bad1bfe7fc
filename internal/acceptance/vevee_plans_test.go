package acceptance

import (
	"testing"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/money"
	v1 "github.com/seed42445051/scrip/v1"
)

// Plans as an operator defines them.
var planRows = []row[*forge]{
	{"V01 free: two images for life", func(t *testing.T, f *forge) {
		p := f.createPlan(v1.CreatePlan{ID: "gratis", Name: "Gratis", Allowances: images("2", "lifetime", gemini)})
		equal(t, "price", p.Price, 0)
		a := p.Allowances[0]
		equal(t, "id", a.ID, "gratis.1")
		equal(t, "quota", a.Quota, money.Decimal("2"))
		equal(t, "period", a.Period, "lifetime")
		equal(t, "anchor", a.Anchor, "start")
	}},
	{"V05 pro: a monthly window", func(t *testing.T, f *forge) {
		a := f.pro().Allowances[0]
		equal(t, "period", a.Period, "monthly")
		equal(t, "anchor", a.Anchor, "calendar")
	}},
	{"V07 pro is 9 a month", func(t *testing.T, f *forge) {
		p, err := f.GetPlan(t.Context(), "pro")
		noError(t, err)
		equal(t, "price", p.Price, 900)
		equal(t, "currency", p.Currency, "usd")
		equal(t, "interval", p.Interval, v1.Interval{Count: 1, Unit: "month"})
		if p.RunsFor != nil {
			t.Errorf("it ends after %v", *p.RunsFor)
		}
		equal(t, "on change", p.OnChange, "reset")
	}},
	{"V07 plans that are listed", func(t *testing.T, f *forge) {
		f.createPlan(v1.CreatePlan{ID: "team", Name: "Team"})
		_, err := f.ArchivePlan(t.Context(), "team")
		noError(t, err)
		f.createPlan(v1.CreatePlan{ID: "squad", Name: "Team"})
		page, err := f.ListPlans(t.Context())
		noError(t, err)
		equal(t, "plans", len(page.Data), 3)
		ids := map[string]bool{}
		for _, p := range page.Data {
			ids[p.ID] = true
		}
		same(t, "plans", ids, map[string]bool{"free": true, "pro": true, "squad": true})
		old, err := f.GetPlan(t.Context(), "team")
		noError(t, err)
		equal(t, "archived", old.ArchivedAt.IsZero(), false)
	}},
	{"V07 a plan that is replaced", func(t *testing.T, f *forge) {
		was := f.pro()
		f.clock.Set(days(1))
		now, err := f.UpdatePlan(t.Context(), "PRO", v1.CreatePlan{Name: "Pro", Price: 1200})
		noError(t, err)
		equal(t, "id", now.ID, "pro")
		equal(t, "price", now.Price, 1200)
		equal(t, "allowances", len(now.Allowances), 0)
		equal(t, "created", now.CreatedAt, was.CreatedAt)
		equal(t, "updated", now.UpdatedAt, days(1))
		_, err = f.CreatePlan(t.Context(), v1.CreatePlan{ID: "pro", Name: "Other"})
		refused(t, err, fault.CodeNameTaken, 409)
		_, err = f.CreatePlan(t.Context(), v1.CreatePlan{Name: "pRO"})
		refused(t, err, fault.CodeNameTaken, 409)
	}},
	{"V65 a plan may be named in any case", func(t *testing.T, f *forge) {
		for _, name := range []string{"pro", "PRO", "Pro"} {
			p, err := f.GetPlan(t.Context(), name)
			noError(t, err)
			equal(t, "id", p.ID, "pro")
		}
		_, err := f.GetPlan(t.Context(), "team")
		refused(t, err, fault.CodePlanNotFound, 404)
	}},
	{"V81 both modes have the plan", func(t *testing.T, f *forge) {
		p, err := f.as(f.app, catalog.Test).GetPlan(t.Context(), "pro")
		noError(t, err)
		equal(t, "price", p.Price, 900)
	}},
}

func TestVeveePlans(t *testing.T) { runRows(t, planRows, newForge) }

func (f *forge) createPlan(r v1.CreatePlan) v1.Plan {
	f.t.Helper()
	p, err := f.CreatePlan(f.t.Context(), r)
	noError(f.t, err)
	return p
}

func (f *forge) pro() v1.Plan {
	f.t.Helper()
	p, err := f.GetPlan(f.t.Context(), "pro")
	noError(f.t, err)
	return p
}

// named gives the only allowance of a list an id of its own.
func named(id string, a []v1.PlanAllowance) []v1.PlanAllowance {
	a[0].ID = id
	return a
}

// images is an allowance of so many of an event per period.
func images(quota money.Decimal, period, event string) []v1.PlanAllowance {
	return []v1.PlanAllowance{{Label: "Images", Unit: "count", Quota: quota, Rules: []v1.UsageRule{{Event: event}}, Period: period}}
}

// TestPlanCredits reads back everything that can be said of a credit of a plan.
func TestPlanCredits(t *testing.T) {
	onBoth(t, func(t *testing.T, db *database) {
		f := newForge(t, db)
		off, on, no := true, true, false
		ten, five, twenty := money.Decimal("10"), money.Decimal("5"), 20
		zero := 0
		yearly, monthly := v1.Interval{Count: 1, Unit: "year"}, v1.Interval{Count: 1, Unit: "month"}
		tokens, err := f.CreateCredit(t.Context(), v1.CreateCredit{Name: "Tokens", Unit: "token", Precision: 3})
		noError(t, err)
		r := v1.CreatePlan{
			Name: "Everything", Description: "All of it", Price: 9900, Currency: "eur", Interval: &yearly, RunsFor: &v1.Interval{Count: 3, Unit: "year"},
			TrialDays: 14, TrialPrice: 100, OnChange: "block", Metadata: v1.Metadata{"tier": "top"},
			Allowances: []v1.PlanAllowance{{
				ID: "img", Label: "Images", Unit: "count", Quota: "0.5", Rules: []v1.UsageRule{{Event: "image.*", Metadata: map[string]string{"size": "large"}}},
				Period: "daily", Anchor: "start", Zone: "Asia/Kathmandu",
			}},
			Credits: []v1.PlanCredit{
				{
					CreditID: tokens.ID, Amount: "0.125", Every: &monthly, Expires: "after_days", ExpiresAfterDays: 45, Category: "promotional",
					Priority: &twenty, Scope: only("chat.*"), TrialAmount: &five, TrialExpires: true, Prorate: true, LowBalancePercent: &twenty,
					Overage:  &v1.OverageOverride{Enabled: &on, Limit: &ten, Behavior: "carry_deficit", PricePerUnit: "0.25", Currency: "eur"},
					Rollover: &v1.RolloverOverride{Percent: &twenty, ValidityCount: 2, ValidityUnit: "week", MaxCount: &zero, Off: &no},
				},
				{CreditID: f.renders, Amount: "10", Expires: "never", Rollover: &v1.RolloverOverride{Off: &off}},
			},
		}
		p := f.createPlan(r)
		high := catalog.NarrowPriority
		r.Credits[1].Category, r.Credits[1].Priority = "paid", &high
		same(t, "plan", p, v1.Plan{
			ID: p.ID, Name: r.Name, Description: r.Description, Price: r.Price, Currency: "eur", Interval: yearly, RunsFor: r.RunsFor, TrialDays: 14,
			TrialPrice: 100, Allowances: r.Allowances, Credits: r.Credits, OnChange: "block", Metadata: r.Metadata,
			CreatedAt: p.CreatedAt, UpdatedAt: p.UpdatedAt,
		})
		again, err := f.GetPlan(t.Context(), p.ID)
		noError(t, err)
		same(t, "plan that is read", again, p)

		// What is left out has a default: a credit of a plan ends with its cycle.
		p = f.createPlan(v1.CreatePlan{Name: "Plain", Credits: []v1.PlanCredit{{CreditID: "renders", Amount: "1", Scope: only("image.*")}, {CreditID: "tokens", Amount: "1", ExpiresAfterDays: 3}}})
		equal(t, "expires", p.Credits[0].Expires, "cycle_end")
		equal(t, "priority", *p.Credits[0].Priority, catalog.BroadPriority)
		equal(t, "expires with days", p.Credits[1].Expires, "after_days")
	})
}

// TestPlansThatAreRefused names the field that is wrong, and defines nothing.
func TestPlansThatAreRefused(t *testing.T) {
	f := newForge(t, newDatabase(t, kinds[0]))
	n := 101
	year := &v1.Interval{Count: 1, Unit: "year"}
	two := images("1", "daily", "a")
	two = append(two, two[0])
	two[0].ID, two[1].ID = "a", "a"
	of := func(c v1.PlanCredit) v1.CreatePlan {
		if c.CreditID == "" {
			c.CreditID = "renders"
		}
		if c.Amount == "" {
			c.Amount = "1"
		}
		return v1.CreatePlan{Credits: []v1.PlanCredit{c}}
	}
	allowing := func(a v1.PlanAllowance) v1.CreatePlan { return v1.CreatePlan{Allowances: []v1.PlanAllowance{a}} }
	good := images("1", "daily", "a")[0]
	with := func(change func(*v1.PlanAllowance)) v1.CreatePlan {
		a := good
		change(&a)
		return allowing(a)
	}
	minus := money.Decimal("-1")
	for field, r := range map[string]v1.CreatePlan{
		"runs_for":                     {RunsFor: &v1.Interval{Count: 0, Unit: "day"}},
		"on_change":                    {OnChange: "forget"},
		"allowances.1.id":              {Allowances: two},
		"allowances.0.quota":           with(func(a *v1.PlanAllowance) { a.Quota = "0.0000001" }),
		"allowances.0.label":           with(func(a *v1.PlanAllowance) { a.Label = "" }),
		"allowances.0.rules":           with(func(a *v1.PlanAllowance) { a.Rules = []v1.UsageRule{{Event: "*.a"}} }),
		"allowances.0.period":          with(func(a *v1.PlanAllowance) { a.Period = "hourly" }),
		"allowances.0.anchor":          with(func(a *v1.PlanAllowance) { a.Anchor = "noon" }),
		"allowances.0.zone":            with(func(a *v1.PlanAllowance) { a.Zone = "Mars/Olympus" }),
		"credits.0.credit_id":          of(v1.PlanCredit{CreditID: "nothing"}),
		"credits.0.amount":             of(v1.PlanCredit{Amount: "1.5"}),
		"credits.0.trial_amount":       of(v1.PlanCredit{TrialAmount: &[]money.Decimal{"x"}[0]}),
		"credits.0.expires":            of(v1.PlanCredit{Expires: "soon"}),
		"credits.0.expires_after_days": of(v1.PlanCredit{Expires: "never", ExpiresAfterDays: 3}),
		"credits.0.every":              of(v1.PlanCredit{Every: &v1.Interval{Count: 1, Unit: "moon"}}),
		"credits.0.rollover.validity_count": of(v1.PlanCredit{
			Rollover: &v1.RolloverOverride{ValidityCount: 3},
		}),
		"credits.0": of(v1.PlanCredit{Priority: &n}),
		"credits.1": {Credits: []v1.PlanCredit{{CreditID: "renders", Amount: "1"}, {CreditID: "renders", Amount: "2", Every: year}}},
	} {
		r.Name = "Plan"
		_, err := f.CreatePlan(t.Context(), r)
		if err == nil || fault.As(err).Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	if _, err := f.CreatePlan(t.Context(), of(v1.PlanCredit{Overage: &v1.OverageOverride{Limit: &minus}})); err == nil {
		t.Error("an overage limit below zero is taken")
	}
	page, err := f.ListPlans(t.Context())
	noError(t, err)
	equal(t, "plans", len(page.Data), 2)
}
