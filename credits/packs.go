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
	"github.com/seed42445051/scrip/store"
	v1 "github.com/seed42445051/scrip/v1"
	"github.com/seed42445051/scrip/wording"
)

// MaxPackID bounds an id that the caller chooses for a pack, in characters.
const MaxPackID = 100

// packs is how packs are kept.
func (s *Session) packs() caller.Kind[catalog.Pack, v1.Pack] {
	return caller.Kind[catalog.Pack, v1.Pack]{
		Author: s.author(), Name: "pack",
		All:   func(defs *catalog.Definitions) iter.Seq[*catalog.Pack] { return maps.Values(defs.Packs) },
		Find:  findPack,
		Head:  (*catalog.Pack).Head,
		Store: func(p *catalog.Pack) store.Definition { return store.Definition{Packs: []*catalog.Pack{p}} },
		Out:   packOut,
	}
}

var findPack = caller.Finder(fault.CodePackNotFound, "pack", (*catalog.Definitions).Pack)

// CreatePack defines a pack.
func (s *Session) CreatePack(ctx context.Context, r v1.CreatePack, opts ...v1.Option) (v1.Pack, error) {
	packs := s.packs()
	return packs.Create(ctx, r, opts, func(defs *catalog.Definitions) (*catalog.Pack, error) {
		if _, taken := defs.Packs[r.ID]; taken {
			return nil, fault.New("credits.CreatePack", fault.CodeNameTaken, "there is a pack with the id %q already: PUT replaces it", caller.Clip(r.ID)).In("id")
		}
		p := &catalog.Pack{ID: r.ID}
		if p.ID == "" {
			p.ID = id.New(id.PrefixPack)
		}
		if err := ReadPack(p, &r, defs); err != nil {
			return nil, err
		}
		return p, packs.FreeName(p, defs)
	})
}

// UpdatePack replaces a pack under its id; what was granted from it stays as it is.
func (s *Session) UpdatePack(ctx context.Context, packID string, r v1.CreatePack, opts ...v1.Option) (v1.Pack, error) {
	packs, request := s.packs(), struct {
		ID string
		v1.CreatePack
	}{packID, r}
	return packs.Change(ctx, packID, request, opts, func(p *catalog.Pack, defs *catalog.Definitions) error {
		*p = catalog.Pack{ID: p.ID, App: p.App, CreatedAt: p.CreatedAt, ArchivedAt: p.ArchivedAt}
		if err := ReadPack(p, &r, defs); err != nil {
			return err
		}
		return packs.FreeName(p, defs)
	})
}

// ArchivePack takes a pack off sale; its name can be used again. Archiving again is no error.
func (s *Session) ArchivePack(ctx context.Context, packID string, opts ...v1.Option) (v1.Pack, error) {
	return s.packs().Archive(ctx, packID, opts)
}

// GetPack reads a pack by id or name.
func (s *Session) GetPack(ctx context.Context, packID string) (v1.Pack, error) {
	return s.packs().Get(ctx, packID)
}

// ListPacks lists the packs that are on sale, in order of creation.
func (s *Session) ListPacks(ctx context.Context) (v1.Page[v1.Pack], error) {
	return s.packs().List(ctx, catalog.Head.InUse)
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
			return within("items", i, err)
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
	def, err := findCredit(defs, r.CreditID)
	if err != nil {
		return item, err
	}
	item.Credit = def.ID
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
	v1.Set(&item.Priority, r.Priority)
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
		out.Items[i] = v1.PackItem{
			ID: item.ID, CreditID: item.Credit, Amount: decimal(item.Amount, wording.Precision(defs, item.Credit)), Scope: rulesOut(item.Scope),
			Category: string(item.Category), Priority: &item.Priority,
		}
	}
	return out
}
