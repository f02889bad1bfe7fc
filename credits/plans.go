package credits

import (
	"context"
	"iter"
	"slices"
	"strconv"
	"strings"

	"github.com/seed42445051/scrip/caller"
	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/money"
	v1 "github.com/seed42445051/scrip/v1"
	"github.com/seed42445051/scrip/wallet"
)

// MaxPlanID bounds an id that the caller chooses for a plan, in characters.
const MaxPlanID = 100

// planTaxCategory is what plans are for taxes unless another interface says otherwise.
const planTaxCategory = "saas"

// plans is how plans are kept: the products whose price recurs.
func (s *Session) plans() caller.Kind[catalog.Product, v1.Plan] {
	return caller.Kind[catalog.Product, v1.Plan]{
		Author: s.author(), Name: "plan",
		All:   allPlans,
		Find:  findPlan,
		Head:  (*catalog.Product).Head,
		Store: storeProduct,
		Out:   planOut,
	}
}

func allPlans(defs *catalog.Definitions) iter.Seq[*catalog.Product] {
	return func(yield func(*catalog.Product) bool) {
		for _, p := range defs.Products {
			if p.Recurs() && !yield(p) {
				return
			}
		}
	}
}

var findPlan = caller.Finder(fault.CodePlanNotFound, "plan", (*catalog.Definitions).Plan)

// CreatePlan defines a plan.
func (s *Session) CreatePlan(ctx context.Context, r v1.CreatePlan, opts ...v1.Option) (v1.Plan, error) {
	return s.plans().Create(ctx, r, opts, func(defs *catalog.Definitions) (*catalog.Product, error) {
		if _, taken := defs.Products[r.ID]; taken {
			return nil, fault.New("credits.CreatePlan", fault.CodeNameTaken, "there is a plan or product with the id %q already: PUT replaces a plan", caller.Clip(r.ID)).In("id")
		}
		p := &catalog.Product{ID: r.ID}
		if p.ID == "" {
			p.ID = id.New(id.PrefixPlan)
		}
		return p, s.fillPlan(p, &r, defs)
	})
}

// UpdatePlan replaces a plan under its id; subscriptions and grants stay as they are. What other
// interfaces say of it and this one has no words for is kept.
func (s *Session) UpdatePlan(ctx context.Context, planID string, r v1.CreatePlan, opts ...v1.Option) (v1.Plan, error) {
	request := struct {
		ID string
		v1.CreatePlan
	}{planID, r}
	return s.plans().Change(ctx, planID, request, opts, func(p *catalog.Product, defs *catalog.Definitions) error {
		return s.fillPlan(p, &r, defs)
	})
}

// ArchivePlan takes a plan off sale; its name can be used again, and who has it keeps it. Archiving
// again is no error.
func (s *Session) ArchivePlan(ctx context.Context, planID string, opts ...v1.Option) (v1.Plan, error) {
	return s.plans().Archive(ctx, planID, opts)
}

// GetPlan reads a plan by id or name.
func (s *Session) GetPlan(ctx context.Context, planID string) (v1.Plan, error) {
	return s.plans().Get(ctx, planID)
}

// ListPlans lists the plans that are on sale, in order of creation.
func (s *Session) ListPlans(ctx context.Context) (v1.Page[v1.Plan], error) {
	return s.plans().List(ctx, catalog.Head.InUse)
}

func (s *Session) fillPlan(p *catalog.Product, r *v1.CreatePlan, defs *catalog.Definitions) error {
	if err := ReadPlan(p, r, defs); err != nil {
		return err
	}
	if err := s.plans().FreeName(p, defs); err != nil {
		return err
	}
	return finishProduct(p, defs)
}

// ReadPlan fills a plan, whose id may be set already, with what an operator wrote, and checks it.
// What the product has that plans have no words for stays. The error names the field.
func ReadPlan(p *catalog.Product, r *v1.CreatePlan, defs *catalog.Definitions) error {
	const op = "credits.ReadPlan"
	if catalog.Longer(p.ID, MaxPlanID) {
		return fault.New(op, fault.CodeInvalidID, "a plan's id has at most %d characters", MaxPlanID).In("id")
	}
	if catalog.Longer(r.Description, catalog.MaxDescriptionLength) {
		return fault.New(op, fault.CodeInvalidRequest, "description must have at most %d characters", catalog.MaxDescriptionLength).In("description")
	}
	p.Name, p.Description, p.Metadata = strings.TrimSpace(r.Name), r.Description, r.Metadata
	if p.TaxCategory == "" {
		p.TaxCategory = planTaxCategory
	}
	if err := readPlanPrice(&p.Price, r); err != nil {
		return err
	}
	p.OnChange = catalog.OnChange(r.OnChange)
	if p.OnChange == "" {
		p.OnChange = catalog.ResetCounts
	}
	p.Allowances = nil
	for i := range r.Allowances {
		a, err := planAllowance(&r.Allowances[i])
		if err != nil {
			return within("allowances", i, err)
		}
		if a.ID == "" {
			a.ID = p.DefaultAllowanceID(i)
		}
		p.Allowances = append(p.Allowances, a)
	}
	before := p.Credits
	p.Credits = nil
	for i := range r.Credits {
		c, err := planCredit(&r.Credits[i], defs)
		if err != nil {
			return within("credits", i, err)
		}
		if at := slices.IndexFunc(before, func(b catalog.ProductCredit) bool { return b.Credit == c.Credit }); at >= 0 {
			c.ID = before[at].ID
		}
		p.Credits = append(p.Credits, c)
	}
	return p.Validate(defs)
}

// within puts the place of an element of a list before the field that is wrong in it.
func within(list string, i int, err error) error {
	e := fault.As(err)
	return e.In(list + "." + strconv.Itoa(i) + "." + e.Field)
}

func readPlanPrice(p *catalog.Price, r *v1.CreatePlan) error {
	const op = "credits.readPlanPrice"
	if p.Kind == "" {
		p.Kind = catalog.RecurringPrice
	}
	p.Minor, p.Currency, p.TrialDays, p.TrialMinor = r.Price, strings.ToLower(r.Currency), r.TrialDays, r.TrialPrice
	if p.Currency == "" {
		p.Currency = "usd"
	}
	p.Every, p.Period = catalog.Interval{Count: 1, Unit: catalog.Month}, catalog.Interval{}
	for _, given := range []struct {
		field string
		value *v1.Interval
		into  *catalog.Interval
	}{{"interval", r.Interval, &p.Every}, {"runs_for", r.RunsFor, &p.Period}} {
		if given.value == nil {
			continue
		}
		var err error
		if *given.into, err = interval(*given.value, given.field); err != nil {
			return err
		}
	}
	if r.Price < 0 || r.Price > catalog.MaxPrice {
		return fault.New(op, fault.CodeInvalidRequest, "price must be 0 to %d minor units", int64(catalog.MaxPrice)).In("price")
	}
	if r.TrialDays < 0 || r.TrialDays > catalog.MaxTrialDays {
		return fault.New(op, fault.CodeInvalidRequest, "trial_days must be 0 to %d", catalog.MaxTrialDays).In("trial_days")
	}
	if r.TrialPrice < 0 || r.TrialPrice > catalog.MaxPrice || r.TrialPrice > 0 && r.TrialDays == 0 {
		return fault.New(op, fault.CodeInvalidRequest, "trial_price must be 0 to %d minor units, and needs trial_days", int64(catalog.MaxPrice)).In("trial_price")
	}
	return catalog.CheckCurrency(p.Currency, "currency")
}

func interval(v v1.Interval, field string) (catalog.Interval, error) {
	out := catalog.Interval{Count: v.Count, Unit: catalog.IntervalUnit(v.Unit)}
	if !out.Valid() {
		return out, fault.New("credits.interval", fault.CodeInvalidRequest, "%s must be a count of 1 to %d and a unit of day, week, month or year", field, catalog.MaxIntervalCount).In(field)
	}
	return out, nil
}

func planAllowance(r *v1.PlanAllowance) (catalog.PlanAllowance, error) {
	a := catalog.PlanAllowance{
		ID: r.ID, Label: r.Label, Unit: r.Unit, Rules: make(catalog.Scope, len(r.Rules)),
		Period: catalog.Period{Kind: catalog.PeriodKind(r.Period), Anchor: catalog.Anchor(r.Anchor), Zone: r.Zone},
	}
	for i, rule := range r.Rules {
		a.Rules[i] = catalog.Rule{Event: rule.Event, Metadata: rule.Metadata}
	}
	if a.Period.Anchor == "" {
		a.Period.Anchor = catalog.AnchorCalendar
		if a.Period.Kind == catalog.Lifetime {
			a.Period.Anchor = catalog.AnchorStart
		}
	}
	var err error
	a.Quota, err = units(r.Quota, wallet.QuantityDecimals, "quota")
	return a, err
}

func planCredit(r *v1.PlanCredit, defs *catalog.Definitions) (catalog.ProductCredit, error) {
	c := catalog.ProductCredit{
		Category: catalog.Category(r.Category), TrialExpires: r.TrialExpires, LowBalancePercent: r.LowBalancePercent, Prorate: r.Prorate,
	}
	def, err := findCredit(defs, r.CreditID)
	if err != nil {
		return c, err
	}
	c.Credit = def.ID
	if c.Category == "" {
		c.Category = catalog.Paid
	}
	if c.Amount, err = units(r.Amount, def.Precision, "amount"); err != nil {
		return c, err
	}
	if c.Trial, err = unitsIfAny(r.TrialAmount, def.Precision, "trial_amount"); err != nil {
		return c, err
	}
	if c.Scope, err = rulesIn(r.Scope); err != nil {
		return c, err
	}
	priority := usualPriority(c.Scope, def)
	v1.Set(&priority, r.Priority)
	c.Priority = &priority
	if r.Every != nil {
		if c.Every, err = interval(*r.Every, "every"); err != nil {
			return c, err
		}
	}
	if err := readExpires(&c, r); err != nil {
		return c, err
	}
	if err := overrideOverage(&c, r.Overage, def.Precision); err != nil {
		return c, err
	}
	return c, overrideRollover(&c, r.Rollover)
}

func unitsIfAny(d *money.Decimal, precision int, field string) (*int64, error) {
	if d == nil {
		return nil, nil
	}
	n, err := units(*d, precision, field)
	return &n, err
}

// readExpires reads how what the plan grants ends: with its cycle, unless something else is said.
func readExpires(c *catalog.ProductCredit, r *v1.PlanCredit) error {
	const op = "credits.readExpires"
	expires := r.Expires
	switch {
	case expires == "" && r.ExpiresAfterDays != 0:
		expires = v1.ExpiresAfterDays
	case expires == "":
		expires = v1.ExpiresAtCycleEnd
	}
	if expires != v1.ExpiresAfterDays && r.ExpiresAfterDays != 0 {
		return fault.New(op, fault.CodeConflictingFields, "expires_after_days goes with expires after_days only").In("expires_after_days")
	}
	switch expires {
	case v1.ExpiresAtCycleEnd:
		c.AtCycleEnd = true
	case v1.ExpiresNever:
		c.Never = true
	case v1.ExpiresAfterDays:
		if r.ExpiresAfterDays < 1 || r.ExpiresAfterDays > catalog.MaxExpiryDays {
			return fault.New(op, fault.CodeInvalidRequest, "expires_after_days must be 1 to %d", catalog.MaxExpiryDays).In("expires_after_days")
		}
		c.ExpiresAfterDays = &r.ExpiresAfterDays
	case v1.ExpiresAsCredit:
	default:
		return fault.New(op, fault.CodeInvalidRequest, "expires must be cycle_end, never, after_days or as_credit").In("expires")
	}
	return nil
}

func overrideOverage(c *catalog.ProductCredit, o *v1.OverageOverride, precision int) (err error) {
	if o == nil {
		return nil
	}
	c.OverageEnabled = o.Enabled
	if o.Behavior != "" {
		behavior := catalog.OverageBehavior(o.Behavior)
		c.OverageBehavior = &behavior
	}
	if o.Currency != "" {
		currency := strings.ToLower(o.Currency)
		c.Currency = &currency
	}
	if o.PricePerUnit != "" {
		price, err := catalog.ReadPrice(o.PricePerUnit, "overage.price_per_unit")
		if err != nil {
			return err
		}
		c.PricePerUnit = &price
	}
	c.OverageLimit, err = unitsIfAny(o.Limit, precision, "overage.limit")
	return err
}

func overrideRollover(c *catalog.ProductCredit, r *v1.RolloverOverride) error {
	if r == nil {
		return nil
	}
	c.RolloverPercent, c.RolloverMaxCount = r.Percent, r.MaxCount
	if r.Off != nil {
		enabled := !*r.Off
		c.RolloverEnabled = &enabled
	}
	if r.ValidityCount == 0 && r.ValidityUnit == "" {
		return nil
	}
	validity, err := interval(v1.Interval{Count: r.ValidityCount, Unit: r.ValidityUnit}, "rollover.validity_count")
	c.RolloverValidity = &validity
	return err
}
