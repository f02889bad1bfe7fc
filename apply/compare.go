package apply

import (
	"context"
	"fmt"
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
		path := fmt.Sprintf("credits[%d]", i)
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
		Scope: d.Scope, ExpiresAfterDays: d.ExpiresAfterDays, Overage: d.Overage, Rollover: d.Rollover, LowBalance: d.LowBalance,
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
		ExpiresAfterDays: &r.ExpiresAfterDays, Overage: &r.Overage, Rollover: &r.Rollover, LowBalance: &low,
	}
}

// packs compares all packs.
func (c *comparison) packs(ctx context.Context) error {
	page, err := c.ops.ListPacks(ctx)
	if err != nil {
		return err
	}
	f := c.file
	seen := map[string]bool{}
	for i := range f.Packs {
		want, path := &f.Packs[i], fmt.Sprintf("packs[%d]", i)
		for _, key := range []string{"id " + want.ID, "name " + strings.ToLower(strings.TrimSpace(want.Name))} {
			if seen[key] && key != "id " {
				return f.wrong(f.at(path), "the file has a pack with the %s twice", key)
			}
			seen[key] = true
		}
		old, err := c.findPack(ctx, path, want, page.Data)
		if err != nil {
			return err
		}
		if err := c.pack(path, want, old); err != nil {
			return err
		}
	}
	return nil
}

// findPack finds the pack that is meant: by its id, archived or not; without an id by its name,
// among those on sale.
func (c *comparison) findPack(ctx context.Context, path string, want *Pack, onSale []v1.Pack) (*v1.Pack, error) {
	var named *v1.Pack
	for i := range onSale {
		if strings.EqualFold(onSale[i].Name, strings.TrimSpace(want.Name)) {
			named = &onSale[i]
		}
	}
	if want.ID == "" {
		return named, nil
	}
	p, err := c.ops.GetPack(ctx, want.ID)
	if err == nil && p.ID == want.ID { // GetPack takes names too
		return &p, nil
	}
	if err != nil && fault.CodeOf(err) != fault.CodePackNotFound {
		return nil, err
	}
	if named != nil {
		return nil, c.file.wrong(c.file.at(path+".id"), "there is a pack named %q already, with the id %q: use that id, or another name", named.Name, named.ID)
	}
	return nil, nil
}

// pack compares one pack with the one that is defined, if any.
func (c *comparison) pack(path string, want *Pack, old *v1.Pack) error {
	packID := ""
	if old != nil {
		packID = old.ID
	}
	def, err := packOf(packID, &want.CreatePack, c.defs)
	if err != nil {
		return c.file.refused(path, err)
	}
	switch {
	case old == nil && want.Archived:
		return nil
	case old == nil:
		c.diff.add(Change{Kind: Created, What: "pack", Name: def.Name, Fields: changes(nil, packFields(def, c.defs)), do: func(ctx context.Context) error {
			_, err := c.ops.CreatePack(ctx, want.CreatePack)
			return err
		}})
		return nil
	case !old.ArchivedAt.IsZero() && want.Archived:
		return nil
	case !old.ArchivedAt.IsZero():
		return c.file.wrong(c.file.at(path), "the pack %q is archived, which cannot be undone: give it archived: true, or choose another id", old.ID)
	}
	have, err := definedPack(old, c.defs)
	if err != nil {
		return err
	}
	if fields := changes(packFields(have, c.defs), packFields(def, c.defs)); len(fields) > 0 {
		c.diff.add(Change{Kind: Changed, What: "pack", Name: old.Name, Fields: fields, do: func(ctx context.Context) error {
			_, err := c.ops.UpdatePack(ctx, old.ID, want.CreatePack)
			return err
		}})
	}
	if want.Archived {
		c.diff.add(Change{Kind: Archived, What: "pack", Name: old.Name, do: func(ctx context.Context) error {
			_, err := c.ops.ArchivePack(ctx, old.ID)
			return err
		}})
	}
	return nil
}

// definedPack reads a pack that is defined as if it stood in a file.
func definedPack(old *v1.Pack, defs *catalog.Definitions) (*catalog.Pack, error) {
	return packOf(old.ID, &v1.CreatePack{
		Name: old.Name, Description: old.Description, Price: old.Price, Currency: old.Currency,
		ExpiresAfterDays: old.ExpiresAfterDays, Items: old.Items,
	}, defs)
}
