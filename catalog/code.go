package catalog

import (
	"strings"

	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
)

// Code is a text that customers redeem for a pack, or for an amount of one credit. It is defined
// for all modes; its uses are counted in each by itself. What it gives never changes, so that
// whoever has redeemed it gets what they were promised, whenever that is granted.
type Code struct {
	ID       string   `json:"id"`
	App      string   `json:"app_id"`
	Text     string   `json:"code"` // as it was written; in any case it is the same code
	Pack     string   `json:"pack_id,omitempty"`
	Credit   string   `json:"credit_id,omitempty"` // instead of Pack, with Amount
	Amount   int64    `json:"amount,omitempty"`    // units of the credit
	Category Category `json:"category,omitempty"`  // empty, with a pack: as the pack says
	// ExpiresAfterDays is how long what it gives lives from when it was redeemed; 0: as the pack or
	// credit says.
	ExpiresAfterDays int `json:"expires_after_days,omitempty"`

	ValidFrom          clock.Instant     `json:"valid_from"`         // zero: from the first
	ValidUntil         clock.Instant     `json:"valid_until"`        // before it; zero: without an end
	MaxUses            int64             `json:"max_uses,omitempty"` // in each mode; 0: any number
	MaxUsesPerCustomer int64             `json:"max_uses_per_customer"`
	Description        string            `json:"description,omitempty"`
	Metadata           map[string]string `json:"metadata,omitempty"`
	CreatedAt          clock.Instant     `json:"created_at"`
	UpdatedAt          clock.Instant     `json:"updated_at"`
	ArchivedAt         clock.Instant     `json:"archived_at"`
}

// Limits of a code: its text in characters, and how often it can be redeemed in all and by one
// customer.
const (
	MinCodeLength          = 3
	MaxCodeLength          = 64
	MaxCodeUses            = 1_000_000_000
	MaxCodeUsesPerCustomer = 1000
)

// FoldCode is what two texts share exactly when they are the same code. The texts of codes are
// ASCII.
func FoldCode(text string) string { return strings.ToLower(text) }

// ValidCode reports whether a text can be a code's.
func ValidCode(text string) bool {
	return len(text) >= MinCodeLength && len(text) <= MaxCodeLength && codeCharacters(text)
}

func codeCharacters(text string) bool {
	for _, r := range []byte(text) {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (r < '0' || r > '9') && r != '-' && r != '_' {
			return false
		}
	}
	return true
}

// ValidCodePrefix reports whether codes can begin with a text and have so many characters after it.
func ValidCodePrefix(prefix string, after int) bool {
	return len(prefix)+after <= MaxCodeLength && codeCharacters(prefix)
}

// Validate checks a code as an operator wrote it; pack and credit must resolve in defs.
func (c *Code) Validate(defs *Definitions) error {
	const op = "catalog.Code.Validate"
	if !ValidCode(c.Text) {
		return fault.New(op, fault.CodeInvalidRequest, "a code has %d to %d letters of English, digits, - and _", MinCodeLength, MaxCodeLength).In("code")
	}
	if err := c.validateGift(defs); err != nil {
		return err
	}
	if !c.ValidUntil.IsZero() && c.ValidUntil <= c.ValidFrom {
		return fault.New(op, fault.CodeInvalidTime, "valid_until must lie after valid_from").In("valid_until")
	}
	if c.MaxUses < 0 || c.MaxUses > MaxCodeUses {
		return fault.New(op, fault.CodeInvalidRequest, "max_uses must be 1 to %d, or absent for any number", int64(MaxCodeUses)).In("max_uses")
	}
	if c.MaxUsesPerCustomer < 1 || c.MaxUsesPerCustomer > MaxCodeUsesPerCustomer {
		return fault.New(op, fault.CodeInvalidRequest, "max_uses_per_customer must be 1 to %d", MaxCodeUsesPerCustomer).In("max_uses_per_customer")
	}
	if Longer(c.Description, MaxDescriptionLength) || !ValidText(c.Description) {
		return fault.New(op, fault.CodeInvalidRequest, "description must have at most %d characters", MaxDescriptionLength).In("description")
	}
	return nil
}

// validateGift checks what the code gives.
func (c *Code) validateGift(defs *Definitions) error {
	const op = "catalog.Code.Validate"
	switch {
	case c.Pack == "" && c.Credit == "":
		return fault.New(op, fault.CodeMissingField, "a code gives a pack_id, or a credit_id and an amount").In("pack_id")
	case c.Pack != "" && (c.Credit != "" || c.Amount != 0):
		return fault.New(op, fault.CodeConflictingFields, "a pack fixes credits and amounts: give pack_id, or credit_id and amount").In("pack_id")
	}
	if c.Pack != "" {
		if _, ok := defs.Packs[c.Pack]; !ok {
			return fault.New(op, fault.CodePackNotFound, "there is no pack %q in this app", clip(c.Pack)).In("pack_id")
		}
	} else {
		if _, ok := defs.Credits[c.Credit]; !ok {
			return fault.New(op, fault.CodeCreditNotFound, "there is no credit %q in this app", clip(c.Credit)).In("credit_id")
		}
		if c.Amount <= 0 || c.Amount > MaxItemAmount {
			return fault.New(op, fault.CodeInvalidAmount, "the amount of a code must be positive and at most %d units of the credit's precision", int64(MaxItemAmount)).In("amount")
		}
	}
	if !c.Category.Valid() && (c.Pack == "" || c.Category != "") {
		return fault.New(op, fault.CodeInvalidRequest, "category must be paid or promotional").In("category")
	}
	if c.ExpiresAfterDays < 0 || c.ExpiresAfterDays > MaxExpiryDays {
		return fault.New(op, fault.CodeInvalidRequest, "expires_after_days must be 1 to %d, or absent for what the pack or credit says", MaxExpiryDays).In("expires_after_days")
	}
	return nil
}

// Open refuses to let the code be redeemed at an instant that is not its time.
func (c *Code) Open(now clock.Instant) error {
	const op = "catalog.Code.Open"
	switch {
	case !c.ArchivedAt.IsZero():
		return fault.New(op, fault.CodeCodeNotFound, "there is no such code").In("code")
	case now < c.ValidFrom:
		return fault.New(op, fault.CodeCodeNotYetValid, "the code can be redeemed from %s on", c.ValidFrom).In("code").With("valid_from", c.ValidFrom)
	case !c.ValidUntil.IsZero() && now >= c.ValidUntil:
		return fault.New(op, fault.CodeCodeExpired, "the code could be redeemed until %s", c.ValidUntil).In("code").With("valid_until", c.ValidUntil)
	}
	return nil
}

// Left is how many more uses the code has after so many; -1 where it can be used any number of
// times.
func (c *Code) Left(uses int64) int64 {
	if c.MaxUses == 0 {
		return -1
	}
	return max(0, c.MaxUses-uses)
}

// Sold refuses to give what the code gives when the sales of a credit of it are switched off.
func (c *Code) Sold(defs *Definitions) error {
	credits := []string{c.Credit}
	if pack, ok := defs.Packs[c.Pack]; ok {
		credits = credits[:0]
		for i := range pack.Items {
			credits = append(credits, pack.Items[i].Credit)
		}
	}
	for _, id := range credits {
		if def, ok := defs.Credits[id]; ok && def.Sales.Off {
			return fault.New("catalog.Code.Sold", fault.CodeSalesOff, "the sales of %q are switched off", def.Name).With("credit_id", def.ID)
		}
	}
	return nil
}

// SignupBonus is what the credit gives each customer who registers, in its units; 0 when it gives
// nothing.
func (c *Credit) SignupBonus() int64 {
	if c.Sales.Off || !c.ArchivedAt.IsZero() {
		return 0
	}
	return c.Sales.SignupBonus
}
