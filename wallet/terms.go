package wallet

import (
	"slices"
	"strconv"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/money"
)

// Terms are what a plan was sold with, copied when it was taken: an edit of the plan changes no
// subscription (law 7). Money is in minor units of Currency.
type Terms struct {
	Name       string           `json:"name"`
	Currency   string           `json:"currency"`
	Minor      int64            `json:"minor"` // a cycle, in advance, for one
	Every      catalog.Interval `json:"every"`
	Runs       catalog.Interval `json:"runs,omitzero"`  // how long the plan runs; zero: until it is ended
	Until      clock.Instant    `json:"until,omitzero"` // when that is over, since the plan was taken
	TrialMinor int64            `json:"trial_minor,omitempty"`
	TrialDays  int              `json:"trial_days,omitempty"`
	TaxInside  bool             `json:"tax_inside,omitempty"` // Minor includes the tax
	OnDemand   bool             `json:"on_demand,omitempty"`  // it is charged when somebody asks, see PlaceOrder
	Credits    []IncludedCredit `json:"credits,omitempty"`
	Meters     []MeterTerm      `json:"meters,omitempty"`
}

// IncludedCredit is a credit that comes with a plan, resolved: what the plan left open is what the
// credit said.
type IncludedCredit struct {
	Credit       string           `json:"credit"`
	Amount       int64            `json:"amount"` // units, each cycle, for one
	Every        catalog.Interval `json:"every"`
	Trial        *int64           `json:"trial,omitempty"` // instead of Amount while the trial runs
	TrialExpires bool             `json:"trial_expires,omitempty"`
	Prorate      bool             `json:"prorate,omitempty"`

	AtCycleEnd       bool             `json:"at_cycle_end,omitempty"`
	ExpiresAfterDays int              `json:"expires_after_days,omitempty"` // 0, and not AtCycleEnd: never
	Category         catalog.Category `json:"category"`
	Priority         int              `json:"priority"`
	Scope            catalog.Scope    `json:"scope,omitempty"`
	Inherited        bool             `json:"inherited,omitempty"`
	Rollover         catalog.Rollover `json:"rollover"`
	Overage          catalog.Overage  `json:"overage"`
	LowPercent       int              `json:"low_percent,omitempty"` // of Amount; 0: as the credit says
}

// MeterTerm is a meter that a plan counts: towards a credit at the plan's own rate, or for money.
type MeterTerm struct {
	Meter          string        `json:"meter"`
	Credit         string        `json:"credit,omitempty"` // empty: for money
	UnitsPerCredit money.Ratio   `json:"units_per_credit,omitzero"`
	FreeThreshold  int64         `json:"free_threshold,omitempty"` // micros, each cycle
	PricePerUnit   money.Decimal `json:"price_per_unit,omitempty"` // minor units
}

func (t *Terms) check(w *work) error {
	if t.Minor < 0 || t.Minor > catalog.MaxPrice || t.TrialMinor < 0 || t.TrialMinor > catalog.MaxPrice {
		return fault.New(opSubscribe, fault.CodeInvalidRequest, "a price is 0 to %d minor units", int64(catalog.MaxPrice)).In("price")
	}
	if !t.Every.Valid() {
		return fault.New(opSubscribe, fault.CodeInvalidRequest, "a plan's cycle is 1 to %d days, weeks, months or years", catalog.MaxIntervalCount).In("interval")
	}
	for i := range t.Credits {
		if err := t.Credits[i].check(w); err != nil {
			e := fault.As(err)
			return e.In("credits." + strconv.Itoa(i) + "." + e.Field)
		}
	}
	for i := range t.Meters {
		if p := t.Meters[i].PricePerUnit; p != "" {
			if _, err := catalog.ReadPrice(p, "meters."+strconv.Itoa(i)); err != nil {
				return err
			}
		}
	}
	return t.roomForLanes(w)
}

// check refuses what no plan can grant; the error names the field within the credit.
func (c *IncludedCredit) check(w *work) error {
	if _, err := w.definition(c.Credit); err != nil {
		return err
	}
	if c.Amount < 0 || c.Trial != nil && *c.Trial < 0 || c.most() > MaxUnits {
		return fault.New(opSubscribe, fault.CodeInvalidAmount, "what a plan grants must be positive and at most %d units of the credit's precision", int64(MaxUnits)).In("amount")
	}
	if !c.Every.Valid() {
		return fault.New(opSubscribe, fault.CodeInvalidRequest, "a credit is granted every 1 to %d days, weeks, months or years", catalog.MaxIntervalCount).In("every")
	}
	if c.ExpiresAfterDays < 0 || c.ExpiresAfterDays > catalog.MaxExpiryDays {
		return fault.New(opSubscribe, fault.CodeInvalidRequest, "expires_after_days must be 1 to %d", catalog.MaxExpiryDays).In("expires_after_days")
	}
	if c.Priority < 0 || c.Priority > catalog.MaxPriority {
		return fault.New(opSubscribe, fault.CodeInvalidPriority, "priority must be 0 to %d; lower is spent first", catalog.MaxPriority).In("priority")
	}
	if !c.Category.Valid() {
		return fault.New(opSubscribe, fault.CodeInvalidRequest, "category must be paid or promotional").In("category")
	}
	if c.LowPercent < 0 || c.LowPercent > 100 {
		return fault.New(opSubscribe, fault.CodeInvalidRequest, "the threshold of a low balance is 0 to 100 %%").In("low_balance_percent")
	}
	if err := c.Overage.Validate(); err != nil {
		return err
	}
	if err := c.Scope.Validate(); err != nil {
		return err
	}
	if err := c.Rollover.Validate(); err != nil {
		return fault.As(err).In("rollover")
	}
	return nil
}

// roomForLanes refuses scopes that would be too many for the wallet. Their lanes are made when
// there is something to grant.
func (t *Terms) roomForLanes(w *work) error {
	n := len(w.s.Lanes)
	for i := range t.Credits {
		c := &t.Credits[i]
		if w.findLane(c.Credit, c.Scope, c.Inherited) == 0 {
			n++
		}
	}
	if n > max(MaxLanes, len(w.s.Lanes)) {
		return errTooManyScopes()
	}
	return nil
}

// fits refuses so many of the plan that what it grants passes what a wallet can hold.
func (t *Terms) fits(quantity int64) error {
	for i := range t.Credits {
		if units, err := money.MulDivFloor(t.Credits[i].most(), quantity, 1); err != nil || units > MaxUnits {
			return fault.New(opSubscribe, fault.CodeAmountOutOfRange, "the plan's credits times the quantity pass what a wallet can hold").In("quantity")
		}
	}
	return nil
}

// free reports whether the plan never asks for money in its own currency.
func (t *Terms) free() bool {
	priced := func(m MeterTerm) bool { return m.PricePerUnit != "" }
	return t.Minor == 0 && t.TrialMinor == 0 && !slices.ContainsFunc(t.Meters, priced)
}

// most is the greater of what the credit grants in a trial and after it.
func (c *IncludedCredit) most() int64 {
	if c.Trial != nil {
		return max(c.Amount, *c.Trial)
	}
	return c.Amount
}

// begin counts from now how long the plan runs.
func (t *Terms) begin(at clock.Instant) {
	t.Until = 0
	if t.Runs != (catalog.Interval{}) {
		t.Until = t.Runs.After(at)
	}
}

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
	t.Minor = discounted(t.Minor, p.Price.DiscountBps)
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
