package credits

import (
	"context"
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

// CreateProduct defines a product.
func (s *Session) CreateProduct(ctx context.Context, p catalog.Product) (catalog.Product, error) {
	return caller.Define(ctx, s.core.Engine, s.caller, nil, p, func(defs *catalog.Definitions) (store.Definition, catalog.Product, error) {
		p.ID, p.App, p.CreatedAt, p.ArchivedAt = id.New(id.PrefixProduct), s.caller.App, s.core.Clock.Now(), 0
		return s.fillProduct(defs, p)
	})
}

// EditProduct changes a product; edit sees it as the change will find it.
func (s *Session) EditProduct(ctx context.Context, productID string, edit func(*catalog.Product) error) (catalog.Product, error) {
	return caller.Define(ctx, s.core.Engine, s.caller, nil, "edit product "+productID, func(defs *catalog.Definitions) (store.Definition, catalog.Product, error) {
		have, ok := defs.Products[productID]
		if !ok {
			return store.Definition{}, catalog.Product{}, errNoProduct(productID)
		}
		p := *have
		if err := edit(&p); err != nil {
			return store.Definition{}, catalog.Product{}, err
		}
		return s.fillProduct(defs, p)
	})
}

// fillProduct gives new credits of the product an id, and checks the whole. What is archived is
// not sold, and need not agree with definitions that changed since.
func (s *Session) fillProduct(defs *catalog.Definitions, p catalog.Product) (store.Definition, catalog.Product, error) {
	p.Name, p.UpdatedAt = strings.TrimSpace(p.Name), s.core.Clock.Now()
	if err := checkNote("", p.Metadata); err != nil {
		return store.Definition{}, p, err
	}
	if p.ArchivedAt.IsZero() {
		if err := p.Validate(defs); err != nil {
			return store.Definition{}, p, err
		}
	}
	p.Credits = slices.Clone(p.Credits)
	for i := range p.Credits {
		if p.Credits[i].ID == "" {
			p.Credits[i].ID = id.New(id.PrefixPackItem)
		}
	}
	return store.Definition{Products: []*catalog.Product{&p}}, p, nil
}

func errNoProduct(productID string) error {
	return fault.New("credits.product", fault.CodeProductNotFound, "there is no product %q in this app", clip(productID)).In("product_id")
}
