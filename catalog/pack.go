package catalog

import (
	"strconv"

	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
)

// Default priorities of pack items: an item for one exact event is spent before a broad one
// (design section 5.1).
const (
	NarrowPriority = 50
	BroadPriority  = 60
	MaxPriority    = 100
)

// PackItem is one line of a pack: it becomes a grant of its own when the pack is granted, so
// that what it pays for cannot be drained by anything else.
type PackItem struct {
	ID       string   `json:"id"`
	Credit   string   `json:"credit_id"`
	Amount   int64    `json:"amount"` // units of the credit
	Scope    Scope    `json:"scope,omitempty"`
	Category Category `json:"category"`
	Priority int      `json:"priority"`
}

// Pack is a product that is sold once and grants its items.
type Pack struct {
	ID               string     `json:"id"`
	App              string     `json:"app_id"`
	Name             string     `json:"name"`
	Description      string     `json:"description,omitempty"`
	PriceMinor       int64      `json:"price_minor"` // minor units of Currency
	Currency         string     `json:"currency"`
	ExpiresAfterDays int        `json:"expires_after_days,omitempty"` // 0: as each credit says
	Items            []PackItem `json:"items"`
	// PriceRef is the price that the payment provider has of the pack already, by its id there; empty
	// where the price above is told to the provider with each purchase.
	PriceRef   string        `json:"price_ref,omitempty"`
	CreatedAt  clock.Instant `json:"created_at"`
	UpdatedAt  clock.Instant `json:"updated_at"`
	ArchivedAt clock.Instant `json:"archived_at"`
}

// DefaultItemID is the id of the pack's i-th item, from 0, when the operator gives it none: its
// place.
func (p *Pack) DefaultItemID(i int) string { return p.ID + "." + strconv.Itoa(i+1) }

// MaxPackItems bounds a pack; MaxItemID and MaxPriceRef bound an item's id and a provider's id of
// a price, in characters; MaxItemAmount bounds what an item grants, in units of its credit.
const (
	MaxPackItems  = 20
	MaxItemID     = 110 // a pack's own id and the item's place in it fit
	MaxPriceRef   = 255
	MaxItemAmount = 1_000_000_000_000_000_000
)

// Validate checks a pack as an operator wrote it; credits must resolve in defs.
func (p *Pack) Validate(defs *Definitions) error {
	const op = "catalog.Pack.Validate"
	if err := validateName(op, p.Name); err != nil {
		return err
	}
	if len(p.Items) == 0 || len(p.Items) > MaxPackItems {
		return fault.New(op, fault.CodeInvalidRequest, "a pack has 1 to %d items: each names a credit and the exact amount that it grants", MaxPackItems).In("items")
	}
	if Longer(p.Description, MaxDescriptionLength) {
		return fault.New(op, fault.CodeInvalidRequest, "description must have at most %d characters", MaxDescriptionLength).In("description")
	}
	if p.PriceMinor < 0 || p.PriceMinor > MaxPrice {
		return fault.New(op, fault.CodeInvalidRequest, "price must be 0 to %d minor units", int64(MaxPrice)).In("price")
	}
	if err := CheckCurrency(p.Currency, "currency"); err != nil {
		return err
	}
	if Longer(p.PriceRef, MaxPriceRef) || !ValidText(p.PriceRef) {
		return fault.New(op, fault.CodeInvalidRequest, "price_ref must have at most %d characters", MaxPriceRef).In("price_ref")
	}
	if p.ExpiresAfterDays < 0 || p.ExpiresAfterDays > MaxExpiryDays {
		return fault.New(op, fault.CodeInvalidRequest, "expires_after_days must be 1 to %d, or absent for what each credit says", MaxExpiryDays).In("expires_after_days")
	}
	seen := make(map[string]bool, len(p.Items))
	for i := range p.Items {
		item := &p.Items[i]
		if err := item.validate(defs); err != nil {
			return err.In("items." + strconv.Itoa(i) + "." + err.Field)
		}
		if seen[item.ID] {
			// One reference grants each item once, and tells them apart by their ids.
			return fault.New(op, fault.CodeInvalidID, "two items of the pack have the id %q", clip(item.ID)).In("items." + strconv.Itoa(i) + ".id")
		}
		seen[item.ID] = true
	}
	return nil
}

func (it *PackItem) validate(defs *Definitions) *fault.Error {
	const op = "catalog.PackItem.validate"
	if _, ok := defs.Credits[it.Credit]; !ok {
		return fault.New(op, fault.CodeCreditNotFound, "credit %q does not exist in this app", it.Credit).In("credit_id")
	}
	if Longer(it.ID, MaxItemID) || !ValidText(it.ID) {
		return fault.New(op, fault.CodeInvalidID, "the id of a pack item must be valid Unicode of at most %d characters", MaxItemID).In("id")
	}
	if it.Amount <= 0 || it.Amount > MaxItemAmount {
		return fault.New(op, fault.CodeInvalidAmount, "the amount of a pack item must be positive and at most %d units of the credit's precision", int64(MaxItemAmount)).In("amount")
	}
	if it.Priority < 0 || it.Priority > MaxPriority {
		return fault.New(op, fault.CodeInvalidPriority, "priority must be 0 to %d; lower is spent first", MaxPriority).In("priority")
	}
	if !it.Category.Valid() {
		return fault.New(op, fault.CodeInvalidRequest, "category must be paid or promotional").In("category")
	}
	if err := it.Scope.Validate(); err != nil {
		return fault.As(err)
	}
	return nil
}
