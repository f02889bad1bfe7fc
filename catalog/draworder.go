package catalog

import (
	"slices"

	"github.com/seed42445051/scrip/fault"
)

// DrawKey is one criterion of the order in which grants pay (design section 5.1). The grant's
// number always breaks the last tie, so every order is total.
type DrawKey string

// The criteria, each with the grant that goes first.
const (
	ByPriority    DrawKey = "priority"     // lower number first
	ByExpiry      DrawKey = "expires_at"   // sooner first, never last
	ByCategory    DrawKey = "category"     // promotional first
	ByEffectiveAt DrawKey = "effective_at" // earlier first
	ByCreatedAt   DrawKey = "created_at"   // earlier first
)

// The named orders that a credit may choose instead of listing criteria.
const (
	PresetDefault          = "default"
	PresetFIFO             = "fifo"
	PresetPromotionalFirst = "promotional_first"
)

// DefaultDrawOrder returns the order of a credit that names none.
func DefaultDrawOrder() []DrawKey {
	return []DrawKey{ByPriority, ByExpiry, ByCategory, ByEffectiveAt, ByCreatedAt}
}

// DrawPreset returns the criteria behind a preset's name.
func DrawPreset(name string) ([]DrawKey, bool) {
	switch name {
	case PresetDefault:
		return DefaultDrawOrder(), true
	case PresetFIFO:
		return []DrawKey{ByCreatedAt}, true
	case PresetPromotionalFirst:
		return []DrawKey{ByCategory, ByPriority, ByExpiry, ByEffectiveAt, ByCreatedAt}, true
	}
	return nil, false
}

// ValidateDrawOrder refuses an empty order, unknown criteria and repeated ones.
func ValidateDrawOrder(order []DrawKey) error {
	const op = "catalog.ValidateDrawOrder"
	if len(order) == 0 {
		return fault.New(op, fault.CodeInvalidDrawOrder, "draw_order must name a preset (default, fifo, promotional_first) or at least one criterion").In("draw_order")
	}
	known := DefaultDrawOrder()
	for i, key := range order {
		if !slices.Contains(known, key) {
			return fault.New(op, fault.CodeInvalidDrawOrder, "draw_order criterion %q is unknown: use priority, expires_at, category, effective_at, created_at", key).In("draw_order")
		}
		if slices.Contains(order[:i], key) {
			return fault.New(op, fault.CodeInvalidDrawOrder, "draw_order names %q twice", key).In("draw_order")
		}
	}
	return nil
}
