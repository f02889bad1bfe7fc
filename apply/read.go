package apply

import (
	"strconv"
	"strings"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/money"
	v1 "github.com/seed42445051/scrip/v1"
)

// creditOf reads a credit as the services do, so that the file is checked before anything is
// changed, and both sides of the comparison have their defaults.
func creditOf(r *v1.CreateCredit) (*catalog.Credit, error) {
	c := &catalog.Credit{
		ID: newID(r.Name), Name: strings.TrimSpace(r.Name), Unit: r.Unit, Description: r.Description,
		Precision: r.Precision, ExpiresAfterDays: r.ExpiresAfterDays, DrawOrder: catalog.DefaultDrawOrder(),
		Rollover: catalog.Rollover{
			Percent: r.Rollover.Percent, MaxCount: r.Rollover.MaxCount,
			Validity: catalog.Interval{Count: r.Rollover.ValidityCount, Unit: catalog.IntervalUnit(r.Rollover.ValidityUnit)},
		},
		Overage: catalog.Overage{
			Enabled: r.Overage.Enabled, Behavior: catalog.OverageBehavior(r.Overage.Behavior),
			PricePerUnit: r.Overage.PricePerUnit, Currency: r.Overage.Currency,
		},
	}
	if len(r.DrawOrder) > 0 {
		preset, ok := catalog.DrawPreset(r.DrawOrder[0])
		c.DrawOrder = preset
		if !ok || len(r.DrawOrder) > 1 {
			c.DrawOrder = nil
			for _, key := range r.DrawOrder {
				c.DrawOrder = append(c.DrawOrder, catalog.DrawKey(key))
			}
		}
	}
	var err error
	if c.Scope, err = scopeOf(r.Scope); err != nil {
		return nil, err
	}
	if err := overageOf(&r.Overage, c); err != nil {
		return nil, err
	}
	return c, c.Validate()
}

// newID marks a credit that is not defined yet.
func newID(name string) string { return "new " + strings.ToLower(strings.TrimSpace(name)) }

func overageOf(r *v1.Overage, c *catalog.Credit) error {
	const op = "apply.Read"
	o := &c.Overage
	if o.Behavior == "" {
		o.Behavior = catalog.ForgiveAtReset
	}
	if r.Limit != nil {
		limit, err := r.Limit.Units(c.Precision)
		if err != nil {
			return fault.As(err).In("overage.limit")
		}
		o.Limited, o.Limit = true, limit
	}
	if r.PricePerUnit == "" {
		return nil
	}
	price, err := money.ParseRatio(string(r.PricePerUnit))
	if err != nil {
		return fault.As(err).In("overage.price_per_unit")
	}
	if o.Currency == "" {
		return fault.New(op, fault.CodeMissingField, "a price_per_unit needs a currency").In("overage.currency")
	}
	o.PricePerUnit = money.Decimal(price.String()) // two ways to write a price are the same price
	return nil
}

func scopeOf(rules []v1.Rule) (catalog.Scope, error) {
	var scope catalog.Scope
	for i, r := range rules {
		rule := catalog.Rule{Event: r.Event, Metadata: r.Metadata}
		if r.UnitsPerCredit != "" {
			ratio, err := money.ParseRatio(string(r.UnitsPerCredit))
			if err != nil {
				return nil, fault.As(err).In("scope." + strconv.Itoa(i) + ".units_per_credit")
			}
			rule.UnitsPerCredit = ratio
		}
		scope = append(scope, rule)
	}
	return scope, scope.Validate()
}

// packOf reads a pack as the services do.
func packOf(r *v1.CreatePack, defs *catalog.Definitions) (*catalog.Pack, error) {
	p := &catalog.Pack{
		ID: r.ID, Name: strings.TrimSpace(r.Name), Description: r.Description,
		PriceMinor: r.Price, Currency: strings.ToLower(r.Currency), ExpiresAfterDays: r.ExpiresAfterDays,
	}
	if p.Currency == "" {
		p.Currency = "usd"
	}
	for i := range r.Items {
		item, err := itemOf(&r.Items[i], defs)
		if err != nil {
			e := fault.As(err)
			return nil, e.In("items." + strconv.Itoa(i) + "." + e.Field)
		}
		p.Items = append(p.Items, item)
	}
	return p, p.Validate(defs)
}

func itemOf(r *v1.PackItem, defs *catalog.Definitions) (catalog.PackItem, error) {
	const op = "apply.Read"
	item := catalog.PackItem{ID: r.ID, Category: catalog.Category(r.Category), Priority: catalog.NarrowPriority}
	def, ok := defs.Credit(r.CreditID)
	if !ok {
		return item, fault.New(op, fault.CodeCreditNotFound, "there is no credit %q, neither in the file nor defined", r.CreditID).In("credit_id")
	}
	item.Credit = def.ID
	var err error
	if item.Amount, err = r.Amount.Units(def.Precision); err != nil {
		return item, fault.As(err).In("amount")
	}
	if item.Scope, err = scopeOf(r.Scope); err != nil {
		return item, err
	}
	if item.Category == "" {
		item.Category = catalog.Paid
	}
	scope := item.Scope
	if len(scope) == 0 {
		scope = def.Scope
	}
	if len(scope) > 0 && scope.IsBroad() {
		item.Priority = catalog.BroadPriority
	}
	if r.Priority != nil {
		item.Priority = *r.Priority
	}
	return item, nil
}
