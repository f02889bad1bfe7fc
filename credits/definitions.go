package credits

import (
	"context"
	"iter"
	"maps"
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

// credits is how credits are kept.
func (s *Session) credits() caller.Kind[catalog.Credit, v1.Credit] {
	return caller.Kind[catalog.Credit, v1.Credit]{
		Author: s.author(), Name: "credit",
		All:   func(defs *catalog.Definitions) iter.Seq[*catalog.Credit] { return maps.Values(defs.Credits) },
		Find:  findCredit,
		Head:  (*catalog.Credit).Head,
		Store: func(c *catalog.Credit) store.Definition { return store.Definition{Credits: []*catalog.Credit{c}} },
		Out:   func(c *catalog.Credit, _ *catalog.Definitions) v1.Credit { return creditOut(c) },
	}
}

var findCredit = caller.Finder(fault.CodeCreditNotFound, "credit", (*catalog.Definitions).Credit)

// CreateCredit defines a credit.
func (s *Session) CreateCredit(ctx context.Context, r v1.CreateCredit, opts ...v1.Option) (v1.Credit, error) {
	credits := s.credits()
	return credits.Create(ctx, r, opts, func(defs *catalog.Definitions) (*catalog.Credit, error) {
		c, err := ReadCredit(&r)
		if err != nil {
			return nil, err
		}
		c.ID = id.New(id.PrefixCredit)
		return c, credits.FreeName(c, defs)
	})
}

// UpdateCredit changes a credit. What is absent stays; existing grants stay as they are
// (design law 7).
func (s *Session) UpdateCredit(ctx context.Context, creditID string, r v1.UpdateCredit, opts ...v1.Option) (v1.Credit, error) {
	request := struct {
		ID string
		v1.UpdateCredit
	}{creditID, r}
	return s.credits().Change(ctx, creditID, request, opts, func(c *catalog.Credit, defs *catalog.Definitions) error {
		return s.updateCredit(c, &r, defs)
	})
}

// EditCredit is UpdateCredit where what is to be written depends on what is there: edit sees the
// credit as the change will find it.
func (s *Session) EditCredit(ctx context.Context, creditID string, edit func(v1.Credit) (v1.UpdateCredit, error)) (v1.Credit, error) {
	return s.credits().Change(ctx, creditID, "edit credit "+creditID, nil, func(c *catalog.Credit, defs *catalog.Definitions) error {
		r, err := edit(creditOut(c))
		if err != nil {
			return err
		}
		return s.updateCredit(c, &r, defs)
	})
}

func (s *Session) updateCredit(c *catalog.Credit, r *v1.UpdateCredit, defs *catalog.Definitions) error {
	v1.Set(&c.Name, r.Name)
	v1.Set(&c.Unit, r.Unit)
	v1.Set(&c.Description, r.Description)
	v1.Set(&c.ExpiresAfterDays, r.ExpiresAfterDays)
	if err := fillCredit(c, r); err != nil {
		return err
	}
	return s.credits().FreeName(c, defs)
}

// ArchiveCredit ends a credit: what was granted can be spent, nothing more can be granted, and
// its name can be used again. Archiving again is no error.
func (s *Session) ArchiveCredit(ctx context.Context, creditID string, opts ...v1.Option) (v1.Credit, error) {
	return s.credits().Archive(ctx, creditID, opts)
}

// UnarchiveCredit lets a credit be granted again, unless its name was taken meanwhile. One that
// is not archived stays as it is, which is no error.
func (s *Session) UnarchiveCredit(ctx context.Context, creditID string, opts ...v1.Option) (v1.Credit, error) {
	return s.credits().Unarchive(ctx, creditID, opts)
}

// GetCredit reads a credit by id or name.
func (s *Session) GetCredit(ctx context.Context, creditID string) (v1.Credit, error) {
	if creditID == "" {
		return v1.Credit{}, errCreditMissing()
	}
	return s.credits().Get(ctx, creditID)
}

// ListCredits lists the app's credits in order of creation, archived ones included.
func (s *Session) ListCredits(ctx context.Context) (v1.Page[v1.Credit], error) {
	return s.credits().List(ctx, func(catalog.Head) bool { return true })
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
