package dodo

import (
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/seed42445051/scrip/money"
	v1 "github.com/seed42445051/scrip/v1"
)

// entitlementBody is what creating and updating an entitlement take. The second part are names
// of an earlier version of the interface, which the vendor's own skill still teaches (dodo.md
// section 17).
type entitlementBody struct {
	Name             optional[string]        `json:"name"`
	Description      optional[string]        `json:"description"`
	Unit             optional[string]        `json:"unit"`
	Precision        optional[int]           `json:"precision"`
	Currency         optional[string]        `json:"currency"`
	ExpiresAfterDays optional[int]           `json:"expires_after_days"`
	RolloverEnabled  optional[bool]          `json:"rollover_enabled"`
	RolloverPercent  optional[int]           `json:"rollover_percentage"`
	RolloverCount    optional[int]           `json:"rollover_timeframe_count"`
	RolloverInterval optional[string]        `json:"rollover_timeframe_interval"`
	MaxRolloverCount optional[int]           `json:"max_rollover_count"`
	OverageEnabled   optional[bool]          `json:"overage_enabled"`
	OverageBehavior  optional[string]        `json:"overage_behavior"`
	OverageLimit     optional[money.Decimal] `json:"overage_limit"`
	PricePerUnit     optional[money.Decimal] `json:"price_per_unit"`

	CreditType         optional[string] `json:"credit_type"`
	UnitName           optional[string] `json:"unit_name"`
	UnitCurrency       optional[string] `json:"unit_currency"`
	ExpiryDuration     optional[int]    `json:"expiry_duration"`
	MaxRolloverPercent optional[int]    `json:"max_rollover_percentage"`
	RolloverTimeframe  optional[string] `json:"rollover_timeframe"`
	AllowOverage       optional[bool]   `json:"allow_overage"`

	major bool // the price is in whole units of the currency
}

// olderBehaviors are the earlier names of what becomes of overage.
var olderBehaviors = map[string]string{
	"forgive":                       "forgive_at_reset",
	"forgive_overage_at_reset":      "forgive_at_reset",
	"bill_overage_at_billing":       "invoice_at_billing",
	"carry_over_deficit":            "carry_deficit",
	"carry_over_deficit_auto_repay": "carry_deficit_auto_repay",
}

// older reports whether the body speaks the earlier version.
func (b *entitlementBody) older() bool {
	_, behavior := olderBehaviors[b.OverageBehavior.value]
	return behavior || b.CreditType.given || b.UnitName.given || b.UnitCurrency.given || b.ExpiryDuration.given ||
		b.MaxRolloverPercent.given || b.RolloverTimeframe.given || b.AllowOverage.given
}

// modernise gives what was said under an earlier name its present one. In the earlier version a
// price is in whole units of the currency, dollars unless another is named, and in the present
// one in its smallest unit; so which it is goes by whether an earlier name is there.
func (b *entitlementBody) modernise(create bool) {
	if !b.older() {
		return
	}
	b.major = true
	b.Unit = b.Unit.or(b.UnitName).or(b.UnitCurrency)
	b.Currency = b.Currency.or(b.UnitCurrency)
	if create {
		b.Precision = b.Precision.or(optional[int]{given: true, value: b.fiatPrecision()})
	}
	b.ExpiresAfterDays = b.ExpiresAfterDays.or(b.ExpiryDuration)
	b.RolloverPercent = b.RolloverPercent.or(b.MaxRolloverPercent)
	b.RolloverInterval = b.RolloverInterval.or(b.RolloverTimeframe)
	if b.RolloverTimeframe.has() && !b.RolloverCount.given {
		b.RolloverCount = optional[int]{given: true, value: 1}
	}
	b.OverageEnabled = b.OverageEnabled.or(b.AllowOverage)
	if name, ok := olderBehaviors[b.OverageBehavior.value]; ok {
		b.OverageBehavior.value = name
	}
}

// fiatPrecision is how finely credits of the earlier type fiat are counted: as their currency is.
func (b *entitlementBody) fiatPrecision() int {
	if b.CreditType.value != "fiat" {
		return 0
	}
	return money.CurrencyDecimals(b.Currency.value)
}

// complete refuses to create without the fields that the vendor requires.
func (b *entitlementBody) complete() error {
	for _, field := range []struct {
		name string
		has  bool
	}{
		{"name", b.Name.has()},
		{"unit", b.Unit.has()},
		{"precision", b.Precision.has()},
		{"rollover_enabled", b.RolloverEnabled.has()},
		{"overage_enabled", b.OverageEnabled.has()},
	} {
		if !field.has {
			return invalidBody(field.name + " is missing")
		}
	}
	return nil
}

var currencyForm = regexp.MustCompile(`^[A-Z]{3}$`)

// currencyIn reads the code of a currency: theirs are capitals, ours are small.
func currencyIn(code string) (string, error) {
	if !currencyForm.MatchString(code) {
		return "", invalidValue("currency must be an ISO 4217 code in capitals")
	}
	return strings.ToLower(code), nil
}

func currencyOut(code string) string { return strings.ToUpper(code) }

// change makes of a credit what the body says, and holds the whole against the vendor's rules
// (section 5), as it does after merging a PATCH.
func (b *entitlementBody) change(have *v1.Credit) error {
	for name, null := range map[string]bool{
		"name": b.Name.null, "unit": b.Unit.null, "rollover_enabled": b.RolloverEnabled.null, "overage_enabled": b.OverageEnabled.null,
	} {
		if null {
			return invalidBody(name + " must not be null")
		}
	}
	b.Name.apply(&have.Name)
	b.Unit.apply(&have.Unit)
	b.Description.apply(&have.Description)
	b.ExpiresAfterDays.apply(&have.ExpiresAfterDays)
	switch {
	case !within(have.Name, 1, 255):
		return invalidValue("name must have 1 to 255 characters")
	case !within(have.Unit, 1, 50):
		return invalidValue("unit must have 1 to 50 characters")
	case !within(have.Description, 0, 1000):
		return invalidValue("description must have at most 1000 characters")
	case b.ExpiresAfterDays.has() && have.ExpiresAfterDays < 1:
		return invalidValue("expires_after_days must be at least 1; null is never")
	}
	if err := b.overage(&have.Overage); err != nil {
		return err
	}
	return b.rollover(&have.Rollover)
}

func within(text string, least, most int) bool {
	n := utf8.RuneCountInString(text)
	return n >= least && n <= most
}

func (b *entitlementBody) overage(o *v1.Overage) error {
	b.OverageEnabled.apply(&o.Enabled)
	b.OverageBehavior.apply(&o.Behavior)
	o.Currency = currencyOut(o.Currency)
	b.Currency.apply(&o.Currency)
	if b.major && b.PricePerUnit.has() && o.Currency == "" {
		o.Currency = "USD"
	}
	if o.Currency != "" && !currencyForm.MatchString(o.Currency) {
		return invalidValue("currency must be an ISO 4217 code in capitals")
	}
	if b.OverageLimit.given {
		o.Limit = b.OverageLimit.pointer()
		if o.Limit != nil {
			if _, err := o.Limit.Units(0); err != nil {
				return invalidValue("overage_limit must be a whole number")
			}
		}
	}
	if b.PricePerUnit.given {
		price, err := b.price(o.Currency)
		if err != nil {
			return err
		}
		o.PricePerUnit = price
	}
	switch {
	case o.PricePerUnit != "" && o.Currency == "":
		return invalidValue("currency is required where price_per_unit is set")
	case o.Enabled && o.PricePerUnit == "":
		return invalidValue("price_per_unit is required where overage_enabled is true")
	}
	return nil
}

// price reads the price of a credit of overage, in the smallest unit of its currency.
func (b *entitlementBody) price(currency string) (money.Decimal, error) {
	if b.PricePerUnit.null {
		return "", nil
	}
	price, err := money.ParseRatio(string(b.PricePerUnit.value))
	if err == nil && b.major {
		// The ratio's text is a plain decimal, so an exponent can follow it.
		price, err = money.ParseRatio(price.String() + "e" + strconv.Itoa(money.CurrencyDecimals(currency)))
	}
	if err != nil || price.Num < 0 {
		return "", invalidValue("price_per_unit must be a decimal that is not negative")
	}
	return money.Decimal(price.String()), nil
}

// rollover reads the policy for what is unused. Without a percentage all of it rolls over, and
// without a timeframe for a month: the vendor requires neither, and the credit needs both.
func (b *entitlementBody) rollover(r *v1.Rollover) error {
	enabled := r.Percent > 0 && !r.Off
	b.RolloverEnabled.apply(&enabled)
	b.RolloverPercent.apply(&r.Percent)
	b.RolloverCount.apply(&r.ValidityCount)
	b.MaxRolloverCount.apply(&r.MaxCount)
	if b.RolloverInterval.given {
		r.ValidityUnit = ""
	}
	if b.RolloverInterval.has() {
		unit, err := intervalIn(b.RolloverInterval.value, "rollover_timeframe_interval")
		if err != nil {
			return err
		}
		r.ValidityUnit = unit
	}
	switch {
	case r.Percent < 0 || r.Percent > 100:
		return invalidValue("rollover_percentage must be 0 to 100")
	case enabled && b.RolloverPercent.has() && r.Percent == 0:
		return invalidValue("a rollover of 0 % is none: set rollover_enabled to false")
	case (r.ValidityCount == 0) != (r.ValidityUnit == ""):
		return invalidValue("rollover_timeframe_count and rollover_timeframe_interval go together")
	case b.RolloverCount.has() && r.ValidityCount < 1:
		return invalidValue("rollover_timeframe_count must be at least 1")
	case b.MaxRolloverCount.has() && r.MaxCount < 1:
		return invalidValue("max_rollover_count must be at least 1; null is without bound")
	}
	r.Off = false
	r.Off = !enabled && *r != v1.Rollover{}
	if enabled && r.Percent == 0 {
		r.Percent = 100
	}
	if enabled && r.ValidityCount == 0 {
		r.ValidityCount, r.ValidityUnit = 1, "month"
	}
	return nil
}
