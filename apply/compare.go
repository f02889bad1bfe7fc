package apply

import (
	"context"
	"strings"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/fault"
	v1 "github.com/seed42445051/scrip/v1"
)

// comparison is a file beside what is defined.
type comparison struct {
	file *File
	ops  v1.Operations
	defs *catalog.Definitions // what there is, and what there will be
	diff Difference
}

// Compare tells what has to be done to make the definitions what the file says. It changes
// nothing, and refuses a file that could not be applied as a whole. ops is nil for an app that
// is not there yet; the difference can then only be shown.
func (f *File) Compare(ctx context.Context, ops v1.Operations) (*Difference, error) {
	if ops == nil {
		ops = nothing{}
	}
	c := &comparison{file: f, ops: ops, defs: catalog.NewDefinitions("", "", 0)}
	defined, err := c.known(ctx)
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for i := range f.Credits {
		path := f.Credits[i].at
		name := strings.ToLower(strings.TrimSpace(f.Credits[i].Name))
		if seen[name] {
			return nil, f.wrong(f.at(path+".name"), "the file has the credit %q twice", f.Credits[i].Name)
		}
		seen[name] = true
		if err := c.credit(path, &f.Credits[i], defined); err != nil {
			return nil, err
		}
	}
	if err := c.meters(ctx); err != nil {
		return nil, err
	}
	if err := c.packs(ctx); err != nil {
		return nil, err
	}
	if err := c.plans(ctx); err != nil {
		return nil, err
	}
	if err := c.codes(ctx); err != nil {
		return nil, err
	}
	c.diff.order()
	return &c.diff, nil
}

// nothing is an app that is not there yet.
type nothing struct{ v1.Operations }

func (nothing) ListCredits(context.Context) (page v1.Page[v1.Credit], err error) { return page, nil }

func (nothing) ListMeters(context.Context, v1.MeterQuery) (page v1.Page[v1.Meter], err error) {
	return page, nil
}

func (nothing) ListPacks(context.Context) (page v1.Page[v1.Pack], err error) { return page, nil }

func (nothing) GetPack(_ context.Context, packID string) (v1.Pack, error) {
	return v1.Pack{}, fault.New("apply.nothing", fault.CodePackNotFound, "there is no pack %q", packID)
}

func (nothing) ListPlans(context.Context) (page v1.Page[v1.Plan], err error) { return page, nil }

func (nothing) GetPlan(_ context.Context, planID string) (v1.Plan, error) {
	return v1.Plan{}, fault.New("apply.nothing", fault.CodePlanNotFound, "there is no plan %q", planID)
}

// known reads the credits that are defined. They are listed under their ids, for packs that
// name them.
func (c *comparison) known(ctx context.Context) ([]v1.Credit, error) {
	page, err := c.ops.ListCredits(ctx)
	if err != nil {
		return nil, err
	}
	for i := range page.Data {
		have, err := definedCredit(&page.Data[i])
		if err != nil {
			return nil, err
		}
		c.defs.Credits[have.ID] = have
	}
	return page.Data, nil
}

// definedCredit reads a credit that is defined as if it stood in a file.
func definedCredit(d *v1.Credit) (*catalog.Credit, error) {
	have, err := creditOf(&v1.CreateCredit{
		Name: d.Name, Unit: d.Unit, Description: d.Description, Precision: d.Precision, DrawOrder: d.DrawOrder,
		Scope: d.Scope, ExpiresAfterDays: d.ExpiresAfterDays, Overage: d.Overage, Rollover: d.Rollover, LowBalance: d.LowBalance, Sales: d.Sales,
	})
	if err != nil {
		return nil, err
	}
	have.ID, have.ArchivedAt = d.ID, d.ArchivedAt
	return have, nil
}

// credit compares one credit.
func (c *comparison) credit(path string, want *Credit, defined []v1.Credit) error {
	def, err := creditOf(&want.CreateCredit)
	if err != nil {
		return c.file.refused(path, err)
	}
	old := find(defined, def.Name)
	switch {
	case old == nil && want.Archived:
		return nil
	case old == nil:
		c.defs.Credits[def.ID] = def
		c.diff.add(Change{Kind: Created, What: "credit", Name: def.Name, Fields: changes(nil, creditFields(def)), do: func(ctx context.Context) error {
			_, err := c.ops.CreateCredit(ctx, want.CreateCredit)
			return err
		}})
		return nil
	case !old.ArchivedAt.IsZero() && want.Archived:
		return nil
	case !old.ArchivedAt.IsZero():
		return c.file.wrong(c.file.at(path), "the credit %q is archived, which cannot be undone: give it archived: true, or choose another name", old.Name)
	}
	if old.Precision != def.Precision {
		return c.file.wrong(c.file.at(path+".precision"), "the precision of %q is %d and cannot be changed: define another credit instead", old.Name, old.Precision)
	}
	have := c.defs.Credits[old.ID]
	def.ID = old.ID
	c.defs.Credits[def.ID] = def
	if fields := changes(creditFields(have), creditFields(def)); len(fields) > 0 {
		c.diff.add(Change{Kind: Changed, What: "credit", Name: old.Name, Fields: fields, do: func(ctx context.Context) error {
			_, err := c.ops.UpdateCredit(ctx, old.ID, update(&want.CreateCredit, def))
			return err
		}})
	}
	if want.Archived {
		c.diff.add(Change{Kind: Archived, What: "credit", Name: old.Name, do: func(ctx context.Context) error {
			_, err := c.ops.ArchiveCredit(ctx, old.ID)
			return err
		}})
	}
	return nil
}

// find finds a credit by its name: the one that is in use, else one that was archived.
func find(defined []v1.Credit, name string) *v1.Credit {
	var archived *v1.Credit
	for i := range defined {
		d := &defined[i]
		if !strings.EqualFold(d.Name, name) {
			continue
		}
		if d.ArchivedAt.IsZero() {
			return d
		}
		archived = d
	}
	return archived
}

// update sets every field, so that what the file leaves out gets its default back.
func update(r *v1.CreateCredit, def *catalog.Credit) v1.UpdateCredit {
	order := make(v1.DrawOrder, len(def.DrawOrder))
	for i, key := range def.DrawOrder {
		order[i] = string(key)
	}
	low := r.LowBalance
	if low == "" {
		low = "0"
	}
	scope := append([]v1.Rule{}, r.Scope...) // empty, not null, which over HTTP would leave it as it is
	return v1.UpdateCredit{
		Name: &r.Name, Unit: &r.Unit, Description: &r.Description, DrawOrder: &order, Scope: &scope,
		ExpiresAfterDays: &r.ExpiresAfterDays, Overage: &r.Overage, Rollover: &r.Rollover, LowBalance: &low, Sales: &r.Sales,
	}
}

// packs compares all packs.
func (c *comparison) packs(ctx context.Context) error {
	page, err := c.ops.ListPacks(ctx)
	if err != nil {
		return err
	}
	for i := range page.Data {
		c.knowPack(&catalog.Pack{ID: page.Data[i].ID, Name: page.Data[i].Name})
	}
	seen := map[string]bool{}
	for i := range c.file.Packs {
		want, path := &c.file.Packs[i], c.file.Packs[i].at
		if err := c.once(seen, path, "pack", want.ID, want.Name); err != nil {
			return err
		}
		old, err := findSold(ctx, c, path, sold[v1.Pack]{
			what: "pack", id: want.ID, name: want.Name, onSale: page.Data, missing: fault.CodePackNotFound, get: c.ops.GetPack,
			of: func(p *v1.Pack) (string, string) { return p.ID, p.Name },
		})
		if err != nil {
			return err
		}
		if err := c.pack(path, want, old); err != nil {
			return err
		}
	}
	return nil
}

// pack compares one pack with the one that is defined, if any.
func (c *comparison) pack(path string, want *Pack, old *v1.Pack) error {
	s := sides{what: "pack", wantArchived: want.Archived}
	if old != nil {
		s.oldID, s.oldName, s.oldArchived = old.ID, old.Name, !old.ArchivedAt.IsZero()
	}
	def, err := packOf(s.oldID, &want.CreatePack, c.defs)
	if err != nil {
		return c.file.refused(path, err)
	}
	c.knowPack(def)
	s.name, s.fields = def.Name, packFields(def, c.defs)
	if old != nil && !s.oldArchived {
		have, err := definedPack(old, c.defs)
		if err != nil {
			return err
		}
		s.oldFields = packFields(have, c.defs)
	}
	s.create = func(ctx context.Context) error { _, err := c.ops.CreatePack(ctx, want.CreatePack); return err }
	s.update = func(ctx context.Context) error { _, err := c.ops.UpdatePack(ctx, s.oldID, want.CreatePack); return err }
	s.archive = func(ctx context.Context) error { _, err := c.ops.ArchivePack(ctx, s.oldID); return err }
	return c.compare(path, &s)
}

// definedPack reads a pack that is defined as if it stood in a file.
func definedPack(old *v1.Pack, defs *catalog.Definitions) (*catalog.Pack, error) {
	return packOf(old.ID, &v1.CreatePack{
		Name: old.Name, Description: old.Description, Price: old.Price, Currency: old.Currency,
		PriceRef: old.PriceRef, ExpiresAfterDays: old.ExpiresAfterDays, Items: old.Items,
	}, defs)
}
