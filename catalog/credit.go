package catalog

import (
	"slices"
	"strings"

	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/money"
)

// Category says whether a customer paid for a grant or was given it.
type Category string

// The categories of a grant (design section 2).
const (
	Paid        Category = "paid"
	Promotional Category = "promotional"
)

// Valid reports whether c is a known category.
func (c Category) Valid() bool { return c == Paid || c == Promotional }

// OverageBehavior says what becomes of overage at the end of a billing cycle
// (design section 5.5).
type OverageBehavior string

// The four behaviours of overage.
const (
	ForgiveAtReset        OverageBehavior = "forgive_at_reset"
	InvoiceAtBilling      OverageBehavior = "invoice_at_billing"
	CarryDeficit          OverageBehavior = "carry_deficit"
	CarryDeficitAutoRepay OverageBehavior = "carry_deficit_auto_repay"
)

// Valid reports whether b is a known behaviour.
func (b OverageBehavior) Valid() bool {
	return slices.Contains([]OverageBehavior{
		ForgiveAtReset, InvoiceAtBilling, CarryDeficit, CarryDeficitAutoRepay,
	}, b)
}

// Overage is a credit's policy for use beyond zero.
type Overage struct {
	Enabled  bool            `json:"enabled"`
	Limited  bool            `json:"limited"`  // false: no upper bound
	Limit    int64           `json:"limit"`    // units of the credit; meaningful when Limited
	Behavior OverageBehavior `json:"behavior"` // empty reads as ForgiveAtReset
	// PricePerUnit is the price of one whole credit of overage in minor units of Currency,
	// as exact decimal text; empty when overage is not billed.
	PricePerUnit money.Decimal `json:"price_per_unit,omitempty"`
	Currency     string        `json:"currency,omitempty"`
}

// Rollover is a policy for what is unused when a grant ends (design section 5.5). The zero
// value rolls nothing over.
type Rollover struct {
	Percent  int      `json:"percent"`             // 1 to 100 of the unused amount moves on; 0 = off
	Validity Interval `json:"validity"`            // how long the new grant lives
	MaxCount int      `json:"max_count,omitempty"` // how often the same credits may roll; 0 = no bound
	// Off keeps the rest for the day on which it is switched on; meanwhile nothing rolls over.
	Off bool `json:"off,omitempty"`
}

// Enabled reports whether anything rolls over at all.
func (r Rollover) Enabled() bool { return r.Percent > 0 && !r.Off }

// Sales is how a credit comes to customers other than by packs and plans, and whether it does at
// all (vevee-golivekit-stripe.md section 3.1).
type Sales struct {
	Off bool `json:"off,omitempty"` // not sold in any way; what was granted can be spent
	// PricePerCredit is the price of one whole credit in minor units of Currency, exact; empty where
	// credits have no price of their own. AnyAmount lets customers say how many they buy at it.
	PricePerCredit money.Decimal `json:"price_per_credit,omitempty"`
	Currency       string        `json:"currency,omitempty"`
	AnyAmount      bool          `json:"any_amount,omitempty"`
	SignupBonus    int64         `json:"signup_bonus,omitempty"` // units, promotional, once for each customer who registers
}

func (s *Sales) validate() error {
	const op = "catalog.Sales.validate"
	if (s.PricePerCredit == "") != (s.Currency == "") {
		return fault.New(op, fault.CodeMissingField, "a price_per_credit and its currency go together").In("sales.currency")
	}
	if s.Currency != "" {
		if err := CheckCurrency(s.Currency, "sales.currency"); err != nil {
			return err
		}
		if _, err := ReadPrice(s.PricePerCredit, "sales.price_per_credit"); err != nil {
			return err
		}
	}
	if s.AnyAmount && !positive(s.PricePerCredit) {
		return fault.New(op, fault.CodeMissingField, "to sell any amount takes a price_per_credit above zero").In("sales.price_per_credit")
	}
	if s.SignupBonus < 0 || s.SignupBonus > MaxItemAmount {
		return fault.New(op, fault.CodeInvalidAmount, "signup_bonus must be positive and at most %d units of the credit's precision, or absent", int64(MaxItemAmount)).In("sales.signup_bonus")
	}
	return nil
}

// Credit is a unit of account that an operator defines.
type Credit struct {
	ID               string        `json:"id"`
	App              string        `json:"app_id"`
	Name             string        `json:"name"`
	Unit             string        `json:"unit"`
	Description      string        `json:"description,omitempty"`
	Precision        int           `json:"precision"` // decimals; units are 10^-Precision
	DrawOrder        []DrawKey     `json:"draw_order"`
	Scope            Scope         `json:"scope,omitempty"` // the default scope of its grants
	ExpiresAfterDays int           `json:"expires_after_days,omitempty"`
	Overage          Overage       `json:"overage"`
	Rollover         Rollover      `json:"rollover"`
	LowBalance       int64         `json:"low_balance,omitempty"` // units; below it a balance is low; 0: none is
	Sales            Sales         `json:"sales,omitzero"`
	CreatedAt        clock.Instant `json:"created_at"`
	UpdatedAt        clock.Instant `json:"updated_at"`
	ArchivedAt       clock.Instant `json:"archived_at"`
}

// Limits on definitions; of texts, in characters.
const (
	MaxNameLength        = 255
	MaxUnitLength        = 50
	MaxDescriptionLength = 1000
	MaxExpiryDays        = 36500
)

// Validate checks a credit as an operator wrote it. The error names the field and what would
// be right.
func (c *Credit) Validate() error {
	const op = "catalog.Credit.Validate"
	if err := validateName(op, c.Name); err != nil {
		return err
	}
	if c.Unit == "" || Longer(c.Unit, MaxUnitLength) {
		return fault.New(op, fault.CodeInvalidRequest, "unit must have 1 to %d characters", MaxUnitLength).In("unit")
	}
	if Longer(c.Description, MaxDescriptionLength) {
		return fault.New(op, fault.CodeInvalidRequest, "description must have at most %d characters", MaxDescriptionLength).In("description")
	}
	if c.Precision < 0 || c.Precision > money.MaxPrecision {
		return fault.New(op, fault.CodeInvalidRequest, "precision must be 0 to %d decimals", money.MaxPrecision).In("precision")
	}
	if c.ExpiresAfterDays < 0 || c.ExpiresAfterDays > MaxExpiryDays {
		return fault.New(op, fault.CodeInvalidRequest, "expires_after_days must be 1 to %d, or absent for credits that never expire", MaxExpiryDays).In("expires_after_days")
	}
	if err := c.Scope.Validate(); err != nil {
		return err
	}
	if err := ValidateDrawOrder(c.DrawOrder); err != nil {
		return err
	}
	if err := c.Overage.Validate(); err != nil {
		return err
	}
	if c.LowBalance < 0 || c.LowBalance > MaxItemAmount {
		return fault.New(op, fault.CodeInvalidAmount, "low_balance_threshold must be positive and at most %d units of the credit's precision, or absent", int64(MaxItemAmount)).In("low_balance_threshold")
	}
	if err := c.Sales.validate(); err != nil {
		return err
	}
	return c.Rollover.Validate()
}

func validateName(op, name string) error {
	if strings.TrimSpace(name) == "" || Longer(name, MaxNameLength) {
		return fault.New(op, fault.CodeInvalidRequest, "name must have 1 to %d characters", MaxNameLength).In("name")
	}
	return nil
}

// Validate checks the vocabulary and the bounds.
func (o Overage) Validate() error {
	const op = "catalog.Overage.validate"
	if o.Behavior != "" && !o.Behavior.Valid() {
		return fault.New(op, fault.CodeInvalidRequest, "overage behavior %q is unknown: use forgive_at_reset, invoice_at_billing, carry_deficit or carry_deficit_auto_repay", o.Behavior).In("overage.behavior")
	}
	if o.Limited && o.Limit < 0 {
		return fault.New(op, fault.CodeInvalidAmount, "the overage limit must not be negative").In("overage.limit")
	}
	if o.Currency != "" {
		if err := CheckCurrency(o.Currency, "overage.currency"); err != nil {
			return err
		}
	}
	if o.PricePerUnit == "" {
		return nil
	}
	if o.Currency == "" {
		return fault.New(op, fault.CodeMissingField, "a price_per_unit needs a currency").In("overage.currency")
	}
	_, err := ReadPrice(o.PricePerUnit, "overage.price_per_unit")
	return err
}

// Validate refuses what would roll over more than there is, or into nothing.
func (r Rollover) Validate() error {
	const op = "catalog.Rollover.Validate"
	if r.Percent < 0 || r.Percent > 100 {
		return fault.New(op, fault.CodeInvalidRequest, "rollover percent must be 0 to 100").In("rollover.percent")
	}
	if r.MaxCount < 0 {
		return fault.New(op, fault.CodeInvalidRequest, "rollover max_count must not be negative").In("rollover.max_count")
	}
	if r.Enabled() && !r.Validity.Valid() {
		return fault.New(op, fault.CodeInvalidRequest, "rollover needs a validity: a count of at least 1 and a unit of day, week, month or year").In("rollover.validity")
	}
	return nil
}
