package catalog

import (
	"slices"
	"strconv"

	"github.com/seed42445051/scrip/fault"
)

// OnChange is what becomes of the counts of allowances when a customer enters a plan from another
// (vevee-golivekit-stripe.md section 0.2, row X4).
type OnChange string

// The ways of entering a plan.
const (
	ResetCounts OnChange = "reset" // counts begin anew
	KeepCounts  OnChange = "keep"  // allowances with the same id count on
	BlockCounts OnChange = "block" // everything counts as used until the next window
)

// Valid reports whether c is a known way; empty reads as reset.
func (c OnChange) Valid() bool {
	return c == "" || c == ResetCounts || c == KeepCounts || c == BlockCounts
}

// PlanAllowance is a counted quota that a plan gives per period, such as 40 images a month
// (vevee-golivekit-stripe.md section 1.1, limit groups).
type PlanAllowance struct {
	ID     string `json:"id"`
	Label  string `json:"label"`
	Unit   string `json:"unit,omitempty"`
	Quota  int64  `json:"quota"` // micros of quantity
	Rules  Scope  `json:"rules"` // which usage it counts: any of them
	Period Period `json:"period"`
}

// Limits of a plan.
const (
	MaxPlanAllowances = 20
	MaxAllowanceID    = 110 // as a pack item's
	MaxQuota          = 1_000_000_000_000_000_000
)

// DefaultAllowanceID is the id of the plan's i-th allowance, from 0, when the operator gives it none:
// its place.
func (p *Product) DefaultAllowanceID(i int) string { return p.ID + "." + strconv.Itoa(i+1) }

// Recurs reports whether the product is a plan: something that is subscribed to.
func (p *Product) Recurs() bool { return p.Price.Kind != OneTimePrice }

// Plan finds a plan by id or by its name in any case (vevee-golivekit-stripe.md section 1.1),
// archived ones by id only. Where several have the name, the oldest is meant.
func (d *Definitions) Plan(idOrName string) (*Product, bool) {
	if p, ok := d.Products[idOrName]; ok && p.Recurs() {
		return p, true
	}
	var found *Product
	for _, p := range d.Products {
		if !p.Recurs() || !p.Head().Named(idOrName) {
			continue
		}
		if found == nil || p.CreatedAt < found.CreatedAt || p.CreatedAt == found.CreatedAt && p.ID < found.ID {
			found = p
		}
	}
	return found, found != nil
}

// validatePlan checks what only plans have.
func (p *Product) validatePlan() error {
	const op = "catalog.Product.validatePlan"
	if !p.Recurs() && (len(p.Allowances) > 0 || p.OnChange != "") {
		return fault.New(op, fault.CodeInvalidRequest, "allowances belong to a plan: give the product a price that recurs").In("allowances")
	}
	if !p.OnChange.Valid() {
		return fault.New(op, fault.CodeInvalidRequest, "on_change must be reset, keep or block").In("on_change")
	}
	if len(p.Allowances) > MaxPlanAllowances {
		return fault.New(op, fault.CodeInvalidRequest, "a plan has at most %d allowances", MaxPlanAllowances).In("allowances")
	}
	for i := range p.Allowances {
		a := &p.Allowances[i]
		if err := a.validate(); err != nil {
			return err.In("allowances." + strconv.Itoa(i) + "." + err.Field)
		}
		if slices.ContainsFunc(p.Allowances[:i], func(b PlanAllowance) bool { return b.ID == a.ID }) {
			return fault.New(op, fault.CodeInvalidID, "two allowances of the plan have the id %q", clip(a.ID)).In("allowances." + strconv.Itoa(i) + ".id")
		}
	}
	return nil
}

func (a *PlanAllowance) validate() *fault.Error {
	const op = "catalog.PlanAllowance.validate"
	switch {
	case a.ID == "" || Longer(a.ID, MaxAllowanceID) || !ValidText(a.ID):
		return fault.New(op, fault.CodeInvalidID, "the id of an allowance must be valid Unicode of 1 to %d characters", MaxAllowanceID).In("id")
	case a.Quota < 0 || a.Quota > MaxQuota:
		return fault.New(op, fault.CodeInvalidQuantity, "a quota is 0 to %d", int64(MaxQuota/1_000_000)).In("quota")
	case Longer(a.Unit, MaxUnitLength) || !ValidText(a.Unit):
		return fault.New(op, fault.CodeInvalidRequest, "unit must have at most %d characters", MaxUnitLength).In("unit")
	case len(a.Rules) == 0:
		return fault.New(op, fault.CodeMissingField, "say which events the allowance counts").In("rules")
	}
	if err := validateName(op, a.Label); err != nil {
		return fault.As(err).In("label")
	}
	if err := a.Rules.Validate(); err != nil {
		return fault.As(err).In("rules")
	}
	if err := a.Period.Validate(); err != nil {
		return fault.As(err)
	}
	return nil
}

// validateCycle checks when the credit is granted and how it ends.
func (p *ProductCredit) validateCycle() error {
	const op = "catalog.ProductCredit.validateCycle"
	switch {
	case p.Every != Interval{} && !p.Every.Valid():
		return fault.New(op, fault.CodeInvalidRequest, "the cycle of a plan's credit is 1 to %d days, weeks, months or years", MaxIntervalCount)
	case p.AtCycleEnd && p.Never || (p.AtCycleEnd || p.Never) && p.ExpiresAfterDays != nil:
		return fault.New(op, fault.CodeConflictingFields, "what a plan grants ends with its cycle, after some days, or never: choose one")
	case p.Category != "" && !p.Category.Valid():
		return fault.New(op, fault.CodeInvalidRequest, "category must be paid or promotional")
	case p.Priority != nil && (*p.Priority < 0 || *p.Priority > MaxPriority):
		return fault.New(op, fault.CodeInvalidPriority, "priority must be 0 to %d; lower is spent first", MaxPriority)
	}
	return p.Scope.Validate()
}
