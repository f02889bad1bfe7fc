package credits

import (
	"context"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/seed42445051/scrip/caller"
	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/store"
)

// Products that are sold once have no vocabulary of their own in v1: there they are packs, and only
// the compatible interfaces write them, in catalog's types. Plans are products too.

// Catalog returns what the app defines, as the store has it now. It is read-only.
func (s *Session) Catalog(ctx context.Context) (*catalog.Definitions, error) {
	return s.core.Engine.Definitions(ctx, s.caller.App)
}

// products is how products are kept, plans among them.
func (s *Session) products() caller.Kind[catalog.Product, catalog.Product] {
	return caller.Kind[catalog.Product, catalog.Product]{
		Author: s.author(), Name: "product",
		All:   func(defs *catalog.Definitions) iter.Seq[*catalog.Product] { return maps.Values(defs.Products) },
		Find:  findProduct,
		Head:  (*catalog.Product).Head,
		Store: storeProduct,
		Out:   func(p *catalog.Product, _ *catalog.Definitions) catalog.Product { return *p },
	}
}

// findProduct finds a product by its id alone: names may repeat.
func findProduct(defs *catalog.Definitions, productID string) (*catalog.Product, error) {
	if p, ok := defs.Products[productID]; ok {
		return p, nil
	}
	return nil, caller.ErrNotFound(fault.CodeProductNotFound, "product", productID)
}

func storeProduct(p *catalog.Product) store.Definition {
	return store.Definition{Products: []*catalog.Product{p}}
}

// CreateProduct defines a product, under a new id.
func (s *Session) CreateProduct(ctx context.Context, p catalog.Product) (catalog.Product, error) {
	return s.products().Create(ctx, p, nil, func(defs *catalog.Definitions) (*catalog.Product, error) {
		p.ID, p.ArchivedAt = id.New(id.PrefixProduct), 0
		return &p, finishProduct(&p, defs)
	})
}

// EditProduct changes a product; edit sees it as the change will find it.
func (s *Session) EditProduct(ctx context.Context, productID string, edit func(*catalog.Product) error) (catalog.Product, error) {
	return s.products().Change(ctx, productID, "edit product "+productID, nil, func(p *catalog.Product, defs *catalog.Definitions) error {
		if err := edit(p); err != nil {
			return err
		}
		return finishProduct(p, defs)
	})
}

// finishProduct gives new credits of the product an id, and checks the whole. What is archived is
// not sold, and need not agree with definitions that changed since.
func finishProduct(p *catalog.Product, defs *catalog.Definitions) error {
	p.Name = strings.TrimSpace(p.Name)
	if err := checkNote("", p.Metadata); err != nil {
		return err
	}
	if p.ArchivedAt.IsZero() {
		if err := p.Validate(defs); err != nil {
			return err
		}
	}
	p.Credits = slices.Clone(p.Credits)
	for i := range p.Credits {
		if p.Credits[i].ID == "" {
			p.Credits[i].ID = id.New(id.PrefixPackItem)
		}
	}
	return nil
}
