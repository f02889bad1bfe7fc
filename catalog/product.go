package catalog

import (
	"slices"
	"strconv"

	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/money"
)

// PriceKind says how a product is paid for.
type PriceKind string

// The kinds of price (dodo.md section 9).
const (
	OneTimePrice    PriceKind = "one_time"
	RecurringPrice  PriceKind = "recurring"
	UsageBasedPrice PriceKind = "usage_based"
)

// Price is what a product costs. Amounts are in minor units of Currency.
type Price struct {
	Kind         PriceKind `json:"kind"`
	Currency     string    `json:"currency"`
	Minor        int64     `json:"minor"` // once, each cycle, or each cycle before usage
	DiscountBps  int       `json:"discount_bps,omitempty"`
	TaxInclusive bool      `json:"tax_inclusive,omitempty"`

	// Of a price paid once: the buyer may pay more than Minor.
	PayWhatYouWant bool  `json:"pay_what_you_want,omitempty"`
	SuggestedMinor int64 `json:"suggested_minor,omitempty"`

	// Of all others: the cycle, and how long the subscription runs; a Period of zero runs until it
	// is cancelled.
	Every  Interval `json:"every,omitzero"`
	Period Interval `json:"period,omitzero"`

	TrialDays          int   `json:"trial_days,omitempty"`
	TrialMinor         int64 `json:"trial_minor,omitempty"` // a trial that is paid for
	TrialDiscounted    bool  `json:"trial_discounted,omitempty"`
	TrialWithoutMethod bool  `json:"trial_without_method,omitempty"` // no means of payment is asked for
	FreeWithoutMethod  bool  `json:"free_without_method,omitempty"`

	Meters []ProductMeter `json:"meters,omitempty"`
}

// ProductMeter is a meter that a usage-based price counts: for money, or against a credit.
type ProductMeter struct {
	Meter          string        `json:"meter_id"`
	PricePerUnit   money.Decimal `json:"price_per_unit,omitempty"` // minor units, exact decimal text
	FreeThreshold  int64         `json:"free_threshold,omitempty"`
	Credit         string        `json:"credit_id,omitempty"`
	UnitsPerCredit money.Decimal `json:"units_per_credit,omitempty"`
}

// ProductCredit is a credit that comes with a product: with its purchase, or with each cycle.
// What is nil is as the credit itself says.
type ProductCredit struct {
	ID     string `json:"id"`
	Credit string `json:"credit_id"`
	Amount int64  `json:"amount"` // units of the credit

	// Every is how often it is granted; zero: with each billing cycle. A yearly plan can grant
	// monthly slices.
	Every Interval `json:"every,omitzero"`
	// AtCycleEnd ends what was granted with its cycle, and Never lets it live on for ever, whatever
	// the credit says of expiry (design section 5.5).
	AtCycleEnd bool     `json:"at_cycle_end,omitempty"`
	Never      bool     `json:"never,omitempty"`
	Category   Category `json:"category,omitempty"` // empty: paid
	Priority   *int     `json:"priority,omitempty"` // nil: 50
	Scope      Scope    `json:"scope,omitempty"`    // empty: the credit's

	Trial             *int64 `json:"trial,omitempty"` // instead of Amount while a trial runs
	TrialExpires      bool   `json:"trial_expires,omitempty"`
	LowBalancePercent *int   `json:"low_balance_percent,omitempty"`
	Prorate           bool   `json:"prorate,omitempty"`

	ExpiresAfterDays *int             `json:"expires_after_days,omitempty"`
	OverageEnabled   *bool            `json:"overage_enabled,omitempty"`
	OverageBehavior  *OverageBehavior `json:"overage_behavior,omitempty"`
	OverageLimit     *int64           `json:"overage_limit,omitempty"` // units of the credit
	PricePerUnit     *money.Decimal   `json:"price_per_unit,omitempty"`
	Currency         *string          `json:"currency,omitempty"`
	RolloverEnabled  *bool            `json:"rollover_enabled,omitempty"`
	RolloverPercent  *int             `json:"rollover_percent,omitempty"`
	RolloverValidity *Interval        `json:"rollover_validity,omitempty"`
	RolloverMaxCount *int             `json:"rollover_max_count,omitempty"`
}

// Product is what an operator sells: packs and plans are derived from it. It says what is
// offered, and nothing of what was sold.
type Product struct {
	ID          string          `json:"id"`
	App         string          `json:"app_id"`
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	TaxCategory string          `json:"tax_category"`
	Price       Price           `json:"price"`
	Credits     []ProductCredit `json:"credits,omitempty"`
	// Of a plan, which is a product whose price recurs: its counted quotas, and what becomes of
	// their counts when a customer comes to it from another plan.
	Allowances []PlanAllowance   `json:"allowances,omitempty"`
	OnChange   OnChange          `json:"on_change,omitempty"` // empty: reset
	Metadata   map[string]string `json:"metadata,omitempty"`
	CreatedAt  clock.Instant     `json:"created_at"`
	UpdatedAt  clock.Instant     `json:"updated_at"`
	ArchivedAt clock.Instant     `json:"archived_at"`
}

// Limits of a product.
const (
	MaxProductCredits = 5
	MaxProductMeters  = 10
	MaxTrialDays      = 10_000
	MaxDiscountBps    = 10_000
)

// taxCategories are the kinds of goods that taxes tell apart.
var taxCategories = []string{"digital_products", "saas", "e_book", "edtech", "live_tutoring"}

// Overage is the policy for use beyond zero that the product's customers have.
func (p *ProductCredit) Overage(def *Credit) Overage {
	o := def.Overage
	override(&o.Enabled, p.OverageEnabled)
	override(&o.Behavior, p.OverageBehavior)
	override(&o.PricePerUnit, p.PricePerUnit)
	override(&o.Currency, p.Currency)
	if p.OverageLimit != nil {
		o.Limited, o.Limit = true, *p.OverageLimit
	}
	return o
}

// Rollover is the policy for what is unused of the product's grants.
func (p *ProductCredit) Rollover(def *Credit) Rollover {
	r := def.Rollover
	override(&r.Percent, p.RolloverPercent)
	override(&r.Validity, p.RolloverValidity)
	override(&r.MaxCount, p.RolloverMaxCount)
	if p.RolloverEnabled != nil {
		r.Off = !*p.RolloverEnabled
	}
	return r
}

// Expiry is after how many days the product's grants expire; 0 is never.
func (p *ProductCredit) Expiry(def *Credit) int {
	if p.Never {
		return 0
	}
	days := def.ExpiresAfterDays
	override(&days, p.ExpiresAfterDays)
	return days
}

func override[T any](to *T, value *T) {
	if value != nil {
		*to = *value
	}
}

// Validate checks a product as an operator wrote it; credits and meters must resolve in defs.
func (p *Product) Validate(defs *Definitions) error {
	const op = "catalog.Product.Validate"
	if err := validateName(op, p.Name); err != nil {
		return err
	}
	if !slices.Contains(taxCategories, p.TaxCategory) {
		return fault.New(op, fault.CodeInvalidRequest, "tax_category must be digital_products, saas, e_book, edtech or live_tutoring").In("tax_category")
	}
	if err := p.Price.validate(defs); err != nil {
		return err
	}
	if len(p.Credits) > MaxProductCredits {
		return fault.New(op, fault.CodeInvalidRequest, "a product has at most %d credits", MaxProductCredits).In("credits")
	}
	seen := map[string]bool{}
	for i := range p.Credits {
		c := &p.Credits[i]
		if err := c.validate(defs); err != nil {
			return fault.As(err).In("credits." + strconv.Itoa(i))
		}
		if seen[c.Credit] {
			return fault.New(op, fault.CodeInvalidRequest, "a credit is attached twice").In("credits." + strconv.Itoa(i))
		}
		seen[c.Credit] = true
	}
	return p.validatePlan()
}

func (p *Price) validate(defs *Definitions) error {
	const op = "catalog.Price.validate"
	wrong := func(message string, args ...any) error {
		return fault.New(op, fault.CodeInvalidRequest, message, args...).In("price")
	}
	if err := CheckCurrency(p.Currency, "price.currency"); err != nil {
		return err
	}
	switch {
	case p.Kind != OneTimePrice && p.Kind != RecurringPrice && p.Kind != UsageBasedPrice:
		return wrong("the price must be one_time, recurring or usage_based")
	case min(p.Minor, p.SuggestedMinor, p.TrialMinor) < 0 || max(p.Minor, p.SuggestedMinor, p.TrialMinor) > MaxPrice:
		return wrong("a price is 0 to %d minor units", int64(MaxPrice))
	case p.DiscountBps < 0 || p.DiscountBps > MaxDiscountBps:
		return wrong("a discount is 0 to 100 %%")
	case p.Kind != OneTimePrice && (!p.Every.Valid() || p.Period != Interval{} && !p.Period.Valid()):
		return wrong("the price needs the frequency of payment, and the period of the subscription unless that runs until it is cancelled")
	case p.TrialDays < 0 || p.TrialDays > MaxTrialDays:
		return wrong("a trial lasts 0 to %d days", MaxTrialDays)
	case p.TrialMinor > 0 && p.TrialDays == 0:
		return wrong("a paid trial needs days")
	case len(p.Meters) > MaxProductMeters:
		return wrong("a price counts at most %d meters", MaxProductMeters)
	}
	seen := map[string]bool{}
	for i := range p.Meters {
		m := &p.Meters[i]
		if err := m.validate(defs); err != nil {
			return err
		}
		if seen[m.Meter] {
			return wrong("a meter is counted twice")
		}
		seen[m.Meter] = true
	}
	return nil
}

func (m *ProductMeter) validate(defs *Definitions) error {
	const op = "catalog.ProductMeter.validate"
	if _, ok := defs.Meters[m.Meter]; !ok {
		return fault.New(op, fault.CodeInvalidRequest, "there is no meter %q in this app", clip(m.Meter)).In("price.meters")
	}
	if m.FreeThreshold < 0 || m.FreeThreshold > MaxQuota/1_000_000 {
		return fault.New(op, fault.CodeInvalidRequest, "free_threshold must be 0 to %d", int64(MaxQuota/1_000_000)).In("price.meters")
	}
	if m.PricePerUnit != "" && !positive(m.PricePerUnit) {
		return fault.New(op, fault.CodeInvalidRequest, "price_per_unit must be a decimal above zero").In("price.meters")
	}
	if m.Credit == "" {
		return nil
	}
	if _, ok := defs.Credits[m.Credit]; !ok {
		return fault.New(op, fault.CodeCreditNotFound, "there is no credit %q in this app", clip(m.Credit)).In("price.meters")
	}
	if !positive(m.UnitsPerCredit) {
		return fault.New(op, fault.CodeInvalidRequest, "a meter that takes credits needs how many of its units one credit pays for").In("price.meters")
	}
	return nil
}

func positive(d money.Decimal) bool {
	r, err := money.ParseRatio(string(d))
	return err == nil && r.Num > 0
}

func (p *ProductCredit) validate(defs *Definitions) error {
	const op = "catalog.ProductCredit.validate"
	def, ok := defs.Credits[p.Credit]
	if !ok {
		return fault.New(op, fault.CodeCreditNotFound, "there is no credit %q in this app", clip(p.Credit))
	}
	if p.Amount <= 0 || p.Amount > MaxItemAmount || p.Trial != nil && (*p.Trial < 0 || *p.Trial > MaxItemAmount) {
		return fault.New(op, fault.CodeInvalidAmount, "the amount of a product's credit must be positive and at most %d units of the credit's precision", int64(MaxItemAmount))
	}
	if err := p.validateCycle(); err != nil {
		return err
	}
	if p.LowBalancePercent != nil && (*p.LowBalancePercent < 0 || *p.LowBalancePercent > 100) {
		return fault.New(op, fault.CodeInvalidRequest, "the threshold of a low balance is 0 to 100 %%")
	}
	if days := p.Expiry(def); days < 0 || days > MaxExpiryDays || p.ExpiresAfterDays != nil && days == 0 {
		return fault.New(op, fault.CodeInvalidRequest, "expires_after_days must be 1 to %d, or absent for what the credit says", MaxExpiryDays)
	}
	o := p.Overage(def)
	if o.PricePerUnit != "" && o.Currency == "" {
		return fault.New(op, fault.CodeMissingField, "a price_per_unit needs a currency")
	}
	if err := o.Validate(); err != nil {
		return err
	}
	return p.Rollover(def).Validate()
}
