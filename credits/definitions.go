package credits

import (
	"context"
	"slices"
	"strings"

	"github.com/seed42445051/scrip/caller"
	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/money"
	"github.com/seed42445051/scrip/store"
	v1 "github.com/seed42445051/scrip/v1"
	"github.com/seed42445051/scrip/wording"
)

// CreateCredit defines a credit.
func (s *Session) CreateCredit(ctx context.Context, r v1.CreateCredit, opts ...v1.Option) (v1.Credit, error) {
	return caller.Define(ctx, s.core.Engine, s.caller, opts, r, func(defs *catalog.Definitions) (store.Definition, v1.Credit, error) {
		now := s.core.Clock.Now()
		c, err := ReadCredit(&r)
		if err != nil {
			return store.Definition{}, v1.Credit{}, err
		}
		c.ID, c.App, c.CreatedAt, c.UpdatedAt = id.New(id.PrefixCredit), s.caller.App, now, now
		if err := freeName(defs, c); err != nil {
			return store.Definition{}, v1.Credit{}, err
		}
		return store.Definition{Credits: []*catalog.Credit{c}}, creditOut(c), nil
	})
}

// ReadCredit reads a credit as an operator wrote it, with its defaults, and checks it. The error
// names the field. It has no id yet.
func ReadCredit(r *v1.CreateCredit) (*catalog.Credit, error) {
	c := &catalog.Credit{
		Name: strings.TrimSpace(r.Name), Unit: r.Unit, Description: r.Description, Precision: r.Precision,
		ExpiresAfterDays: r.ExpiresAfterDays,
	}
	return c, fillCredit(c, &v1.UpdateCredit{
		DrawOrder: &r.DrawOrder, Scope: &r.Scope, Overage: &r.Overage, Rollover: &r.Rollover, LowBalance: &r.LowBalance, Sales: &r.Sales,
	})
}

// fillCredit sets the structured fields that are given and checks the whole.
func fillCredit(c *catalog.Credit, r *v1.UpdateCredit) (err error) {
	if r.DrawOrder != nil {
		if c.DrawOrder, err = drawOrderIn(*r.DrawOrder); err != nil {
			return err
		}
	}
	if r.Scope != nil {
		if c.Scope, err = rulesIn(*r.Scope); err != nil {
			return err
		}
	}
	if r.Overage != nil {
		if c.Overage, err = overageIn(r.Overage, c.Precision); err != nil {
			return err
		}
	}
	if rollover := r.Rollover; rollover != nil {
		c.Rollover = catalog.Rollover{
			Percent: rollover.Percent, MaxCount: rollover.MaxCount,
			Validity: catalog.Interval{Count: rollover.ValidityCount, Unit: catalog.IntervalUnit(rollover.ValidityUnit)},
			Off:      rollover.Off,
		}
	}
	if r.LowBalance != nil {
		if c.LowBalance, err = thresholdIn(*r.LowBalance, c.Precision, "low_balance_threshold"); err != nil {
			return err
		}
	}
	if r.Sales != nil {
		if c.Sales, err = salesIn(r.Sales, c.Precision); err != nil {
			return err
		}
	}
	return c.Validate()
}

// thresholdIn reads an amount of which zero and absent are none.
func thresholdIn(d money.Decimal, precision int, field string) (int64, error) {
	if d == "" {
		return 0, nil
	}
	return units(d, precision, field)
}

func salesIn(s *v1.Sales, precision int) (catalog.Sales, error) {
	out := catalog.Sales{Off: s.Off, Currency: strings.ToLower(s.Currency), AnyAmount: s.AnyAmount}
	var err error
	if out.SignupBonus, err = thresholdIn(s.SignupBonus, precision, "sales.signup_bonus"); err != nil {
		return out, err
	}
	if s.PricePerCredit != "" {
		out.PricePerCredit, err = catalog.ReadPrice(s.PricePerCredit, "sales.price_per_credit")
	}
	return out, err
}

// freeName refuses a name that another credit has.
func freeName(defs *catalog.Definitions, c *catalog.Credit) error {
	for _, other := range defs.Credits {
		if other.ID != c.ID && other.ArchivedAt.IsZero() && strings.EqualFold(other.Name, c.Name) {
			return nameTaken("credit", c.Name)
		}
	}
	return nil
}

func nameTaken(what, name string) error {
	return fault.New("credits.define", fault.CodeNameTaken, "there is a %s named %q already in this app", what, clip(name)).In("name")
}

func drawOrderIn(order v1.DrawOrder) ([]catalog.DrawKey, error) {
	if len(order) == 0 {
		return catalog.DefaultDrawOrder(), nil
	}
	if len(order) == 1 {
		if keys, ok := catalog.DrawPreset(order[0]); ok {
			return keys, nil
		}
	}
	keys := make([]catalog.DrawKey, len(order))
	for i, key := range order {
		keys[i] = catalog.DrawKey(key)
	}
	return keys, catalog.ValidateDrawOrder(keys)
}

func overageIn(o *v1.Overage, precision int) (catalog.Overage, error) {
	out := catalog.Overage{
		Enabled: o.Enabled, Behavior: catalog.OverageBehavior(o.Behavior), PricePerUnit: o.PricePerUnit, Currency: strings.ToLower(o.Currency),
	}
	if out.Behavior == "" {
		out.Behavior = catalog.ForgiveAtReset
	}
	if o.Limit != nil {
		limit, err := units(*o.Limit, precision, "overage.limit")
		if err != nil {
			return out, err
		}
		out.Limited, out.Limit = true, limit
	}
	if o.PricePerUnit == "" {
		return out, nil
	}
	var err error
	out.PricePerUnit, err = catalog.ReadPrice(o.PricePerUnit, "overage.price_per_unit")
	return out, err
}

func creditOut(c *catalog.Credit) v1.Credit {
	out := v1.Credit{
		ID: c.ID, Name: c.Name, Unit: c.Unit, Description: c.Description, Precision: c.Precision,
		DrawOrder: make([]string, len(c.DrawOrder)), Scope: rulesOut(c.Scope), ExpiresAfterDays: c.ExpiresAfterDays,
		Overage: wording.Overage(c.Overage, c.Precision), Rollover: wording.Rollover(c.Rollover),
		CreatedAt: c.CreatedAt, UpdatedAt: c.UpdatedAt, ArchivedAt: c.ArchivedAt,
	}
	for i, key := range c.DrawOrder {
		out.DrawOrder[i] = string(key)
	}
	if c.LowBalance > 0 {
		out.LowBalance = decimal(c.LowBalance, c.Precision)
	}
	out.Sales = v1.Sales{
		Off: c.Sales.Off, PricePerCredit: c.Sales.PricePerCredit, Currency: c.Sales.Currency, AnyAmount: c.Sales.AnyAmount,
	}
	if c.Sales.SignupBonus > 0 {
		out.Sales.SignupBonus = decimal(c.Sales.SignupBonus, c.Precision)
	}
	return out
}

// GetCredit reads a credit by id or name.
func (s *Session) GetCredit(ctx context.Context, creditID string) (v1.Credit, error) {
	if _, err := s.core.Engine.Definitions(ctx, s.caller.App); err != nil {
		return v1.Credit{}, err
	}
	c, err := s.credit(ctx, creditID)
	if err != nil {
		return v1.Credit{}, err
	}
	return creditOut(c), nil
}

// ListCredits lists the app's credits in order of creation, archived ones included.
func (s *Session) ListCredits(ctx context.Context) (v1.Page[v1.Credit], error) {
	page := v1.Page[v1.Credit]{Data: []v1.Credit{}}
	defs, err := s.core.Engine.Definitions(ctx, s.caller.App)
	if err != nil {
		return page, err
	}
	for _, c := range defs.Credits {
		page.Data = append(page.Data, creditOut(c))
	}
	slices.SortFunc(page.Data, func(a, b v1.Credit) int { return strings.Compare(a.ID, b.ID) })
	return page, nil
}

// UpdateCredit changes a credit. What is absent stays; existing grants stay as they are
// (design law 7).
func (s *Session) UpdateCredit(ctx context.Context, creditID string, r v1.UpdateCredit, opts ...v1.Option) (v1.Credit, error) {
	return caller.Define(ctx, s.core.Engine, s.caller, opts, struct {
		ID string
		v1.UpdateCredit
	}{creditID, r}, func(defs *catalog.Definitions) (store.Definition, v1.Credit, error) {
		return s.changeCredit(defs, creditID, func(c *catalog.Credit) error { return updateCredit(defs, c, &r) })
	})
}

// EditCredit is UpdateCredit where what is to be written depends on what is there: edit sees the
// credit as the change will find it.
func (s *Session) EditCredit(ctx context.Context, creditID string, edit func(v1.Credit) (v1.UpdateCredit, error)) (v1.Credit, error) {
	return caller.Define(ctx, s.core.Engine, s.caller, nil, "edit credit "+creditID, func(defs *catalog.Definitions) (store.Definition, v1.Credit, error) {
		return s.changeCredit(defs, creditID, func(c *catalog.Credit) error {
			r, err := edit(creditOut(c))
			if err != nil {
				return err
			}
			return updateCredit(defs, c, &r)
		})
	})
}

func updateCredit(defs *catalog.Definitions, c *catalog.Credit, r *v1.UpdateCredit) error {
	set(&c.Name, r.Name)
	set(&c.Unit, r.Unit)
	set(&c.Description, r.Description)
	set(&c.ExpiresAfterDays, r.ExpiresAfterDays)
	if err := fillCredit(c, r); err != nil {
		return err
	}
	return freeName(defs, c)
}

// ArchiveCredit ends a credit: what was granted can be spent, nothing more can be granted, and
// its name can be used again. Archiving again is no error.
func (s *Session) ArchiveCredit(ctx context.Context, creditID string, opts ...v1.Option) (v1.Credit, error) {
	return caller.Define(ctx, s.core.Engine, s.caller, opts, "archive credit "+creditID, func(defs *catalog.Definitions) (store.Definition, v1.Credit, error) {
		return s.changeCredit(defs, creditID, func(c *catalog.Credit) error {
			if c.ArchivedAt.IsZero() {
				c.ArchivedAt = s.core.Clock.Now()
			}
			return nil
		})
	})
}

// UnarchiveCredit lets a credit be granted again, unless its name was taken meanwhile. One that
// is not archived stays as it is, which is no error.
func (s *Session) UnarchiveCredit(ctx context.Context, creditID string, opts ...v1.Option) (v1.Credit, error) {
	return caller.Define(ctx, s.core.Engine, s.caller, opts, "unarchive credit "+creditID, func(defs *catalog.Definitions) (store.Definition, v1.Credit, error) {
		return s.changeCredit(defs, creditID, func(c *catalog.Credit) error {
			c.ArchivedAt = 0
			return freeName(defs, c)
		})
	})
}

func (s *Session) changeCredit(defs *catalog.Definitions, creditID string, change func(*catalog.Credit) error) (store.Definition, v1.Credit, error) {
	have, ok := defs.Credit(creditID)
	if !ok {
		return store.Definition{}, v1.Credit{}, fault.New("credits.changeCredit", fault.CodeCreditNotFound, "there is no credit %q in this app", clip(creditID)).In("credit_id")
	}
	c := *have
	if err := change(&c); err != nil {
		return store.Definition{}, v1.Credit{}, err
	}
	c.UpdatedAt = s.core.Clock.Now()
	return store.Definition{Credits: []*catalog.Credit{&c}}, creditOut(&c), nil
}

func set[T any](to *T, value *T) {
	if value != nil {
		*to = *value
	}
}
