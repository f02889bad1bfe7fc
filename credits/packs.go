package credits

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/seed42445051/scrip/caller"
	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/store"
	v1 "github.com/seed42445051/scrip/v1"
)

// MaxPackID bounds an id that the caller chooses for a pack, in characters.
const MaxPackID = 100

// CreatePack defines a pack.
func (s *Session) CreatePack(ctx context.Context, r v1.CreatePack, opts ...v1.Option) (v1.Pack, error) {
	return caller.Define(ctx, s.core.Engine, s.caller, opts, r, func(defs *catalog.Definitions) (store.Definition, v1.Pack, error) {
		if _, taken := defs.Packs[r.ID]; taken {
			return store.Definition{}, v1.Pack{}, fault.New("credits.CreatePack", fault.CodeNameTaken, "there is a pack with the id %q already: PUT replaces it", clip(r.ID)).In("id")
		}
		p := &catalog.Pack{ID: r.ID, CreatedAt: s.core.Clock.Now()}
		if p.ID == "" {
			p.ID = id.New(id.PrefixPack)
		}
		return s.fillPack(defs, p, &r)
	})
}

// UpdatePack replaces a pack under its id; what was granted from it stays as it is.
func (s *Session) UpdatePack(ctx context.Context, packID string, r v1.CreatePack, opts ...v1.Option) (v1.Pack, error) {
	return caller.Define(ctx, s.core.Engine, s.caller, opts, struct {
		ID string
		v1.CreatePack
	}{packID, r}, func(defs *catalog.Definitions) (store.Definition, v1.Pack, error) {
		have, ok := defs.Pack(packID)
		if !ok {
			return store.Definition{}, v1.Pack{}, errNoPack(packID)
		}
		return s.fillPack(defs, &catalog.Pack{ID: have.ID, CreatedAt: have.CreatedAt, ArchivedAt: have.ArchivedAt}, &r)
	})
}

// ArchivePack takes a pack off sale; its name can be used again. Archiving again is no error.
func (s *Session) ArchivePack(ctx context.Context, packID string, opts ...v1.Option) (v1.Pack, error) {
	return caller.Define(ctx, s.core.Engine, s.caller, opts, "archive pack "+packID, func(defs *catalog.Definitions) (store.Definition, v1.Pack, error) {
		have, ok := defs.Pack(packID)
		if !ok {
			return store.Definition{}, v1.Pack{}, errNoPack(packID)
		}
		p := *have
		if p.ArchivedAt.IsZero() {
			p.ArchivedAt = s.core.Clock.Now()
		}
		p.UpdatedAt = s.core.Clock.Now()
		return store.Definition{Packs: []*catalog.Pack{&p}}, packOut(&p, defs), nil
	})
}

func errNoPack(packID string) error {
	return fault.New("credits.pack", fault.CodePackNotFound, "there is no pack %q in this app", clip(packID)).In("pack_id")
}

func (s *Session) fillPack(defs *catalog.Definitions, p *catalog.Pack, r *v1.CreatePack) (store.Definition, v1.Pack, error) {
	fail := func(err error) (store.Definition, v1.Pack, error) { return store.Definition{}, v1.Pack{}, err }
	if err := ReadPack(p, r, defs); err != nil {
		return fail(err)
	}
	p.App, p.UpdatedAt = s.caller.App, s.core.Clock.Now()
	for _, other := range defs.Packs {
		if other.ID != p.ID && other.ArchivedAt.IsZero() && strings.EqualFold(other.Name, p.Name) {
			return fail(nameTaken("pack", p.Name))
		}
	}
	return store.Definition{Packs: []*catalog.Pack{p}}, packOut(p, defs), nil
}

// ReadPack fills a pack, whose id may be set already, with what an operator wrote, and checks it.
// The error names the field.
func ReadPack(p *catalog.Pack, r *v1.CreatePack, defs *catalog.Definitions) error {
	if catalog.Longer(p.ID, MaxPackID) {
		return fault.New("credits.ReadPack", fault.CodeInvalidID, "a pack's id has at most %d characters", MaxPackID).In("id")
	}
	p.Name, p.Description = strings.TrimSpace(r.Name), r.Description
	p.PriceMinor, p.Currency, p.ExpiresAfterDays = r.Price, strings.ToLower(r.Currency), r.ExpiresAfterDays
	p.PriceRef = r.PriceRef
	if p.Currency == "" {
		p.Currency = "usd"
	}
	for i := range r.Items {
		item, err := packItem(defs, p, &r.Items[i], i)
		if err != nil {
			e := fault.As(err)
			return e.In("items." + strconv.Itoa(i) + "." + e.Field)
		}
		p.Items = append(p.Items, item)
	}
	return p.Validate(defs)
}

// packItem reads an item. Its id stays the same over edits of the pack when it is given, else
// it is the item's place.
func packItem(defs *catalog.Definitions, p *catalog.Pack, r *v1.PackItem, i int) (catalog.PackItem, error) {
	item := catalog.PackItem{ID: r.ID, Category: catalog.Category(r.Category)}
	if item.ID == "" {
		item.ID = p.DefaultItemID(i)
	}
	def, ok := defs.Credit(r.CreditID)
	if !ok {
		return item, fault.New("credits.packItem", fault.CodeCreditNotFound, "there is no credit %q in this app", clip(r.CreditID)).In("credit_id")
	}
	item.Credit = def.ID
	var err error
	if item.Amount, err = units(r.Amount, def.Precision, "amount"); err != nil {
		return item, err
	}
	if item.Scope, err = rulesIn(r.Scope); err != nil {
		return item, err
	}
	if item.Category == "" {
		item.Category = catalog.Paid
	}
	item.Priority = usualPriority(item.Scope, def)
	set(&item.Priority, r.Priority)
	return item, nil
}

// usualPriority is the priority of what a pack or plan grants where it gives none.
func usualPriority(scope catalog.Scope, def *catalog.Credit) int {
	if len(scope) == 0 {
		scope = def.Scope
	}
	if len(scope) > 0 && scope.IsBroad() {
		return catalog.BroadPriority
	}
	return catalog.NarrowPriority
}

func packOut(p *catalog.Pack, defs *catalog.Definitions) v1.Pack {
	out := v1.Pack{
		ID: p.ID, Name: p.Name, Description: p.Description, Price: p.PriceMinor, Currency: p.Currency,
		PriceRef: p.PriceRef, ExpiresAfterDays: p.ExpiresAfterDays, Items: make([]v1.PackItem, len(p.Items)),
		CreatedAt: p.CreatedAt, UpdatedAt: p.UpdatedAt, ArchivedAt: p.ArchivedAt,
	}
	for i := range p.Items {
		item := &p.Items[i]
		precision := 0
		if def, ok := defs.Credits[item.Credit]; ok {
			precision = def.Precision
		}
		out.Items[i] = v1.PackItem{
			ID: item.ID, CreditID: item.Credit, Amount: decimal(item.Amount, precision), Scope: rulesOut(item.Scope),
			Category: string(item.Category), Priority: &item.Priority,
		}
	}
	return out
}

// GetPack reads a pack by id or name.
func (s *Session) GetPack(ctx context.Context, packID string) (v1.Pack, error) {
	defs, err := s.core.Engine.Definitions(ctx, s.caller.App)
	if err != nil {
		return v1.Pack{}, err
	}
	p, ok := defs.Pack(packID)
	if !ok {
		return v1.Pack{}, errNoPack(packID)
	}
	return packOut(p, defs), nil
}

// ListPacks lists the packs that are on sale, in order of creation.
func (s *Session) ListPacks(ctx context.Context) (v1.Page[v1.Pack], error) {
	page := v1.Page[v1.Pack]{Data: []v1.Pack{}}
	defs, err := s.core.Engine.Definitions(ctx, s.caller.App)
	if err != nil {
		return page, err
	}
	for _, p := range defs.Packs {
		if p.ArchivedAt.IsZero() {
			page.Data = append(page.Data, packOut(p, defs))
		}
	}
	slices.SortFunc(page.Data, func(a, b v1.Pack) int {
		if a.CreatedAt != b.CreatedAt {
			return int(a.CreatedAt - b.CreatedAt)
		}
		return strings.Compare(a.ID, b.ID)
	})
	return page, nil
}
