package catalog

import (
	"strings"

	"github.com/seed42445051/scrip/clock"
)

// Head is what definitions of every kind have. It points into the definition that it is of, so
// that what goes for all kinds is said once, for heads.
type Head struct {
	ID, App *string
	// Name is what operators call it, free again once it is archived; nil of a kind that has none.
	Name                             *string
	CreatedAt, UpdatedAt, ArchivedAt *clock.Instant // ArchivedAt is zero while it is in use
}

// InUse reports whether the definition is not archived.
func (h Head) InUse() bool { return h.ArchivedAt.IsZero() }

// Named reports whether the definition is in use under a name, which is the same in any case.
func (h Head) Named(name string) bool {
	return h.Name != nil && h.InUse() && strings.EqualFold(*h.Name, name)
}

// Head returns the credit's head.
func (c *Credit) Head() Head {
	return Head{&c.ID, &c.App, &c.Name, &c.CreatedAt, &c.UpdatedAt, &c.ArchivedAt}
}

// Head returns the pack's head.
func (p *Pack) Head() Head {
	return Head{&p.ID, &p.App, &p.Name, &p.CreatedAt, &p.UpdatedAt, &p.ArchivedAt}
}

// Head returns the meter's head.
func (m *Meter) Head() Head {
	return Head{&m.ID, &m.App, &m.Name, &m.CreatedAt, &m.UpdatedAt, &m.ArchivedAt}
}

// Head returns the product's head.
func (p *Product) Head() Head {
	return Head{&p.ID, &p.App, &p.Name, &p.CreatedAt, &p.UpdatedAt, &p.ArchivedAt}
}

// Head returns the endpoint's head, which has no name.
func (e *Endpoint) Head() Head {
	return Head{&e.ID, &e.App, nil, &e.CreatedAt, &e.UpdatedAt, &e.ArchivedAt}
}

// named finds a definition by its id or, if it is in use, by its name (vevee-golivekit-stripe.md
// section 1.1): archived ones have only their id, so that a name can be used again.
func named[D interface{ Head() Head }](all map[string]D, idOrName string) (D, bool) {
	if d, ok := all[idOrName]; ok {
		return d, true
	}
	for _, d := range all {
		if d.Head().Named(idOrName) {
			return d, true
		}
	}
	var none D
	return none, false
}
