package v1

import (
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/money"
)

// Interval is a length in calendar units, such as 3 months.
type Interval struct {
	Count int    `json:"count" minimum:"1" maximum:"1000"`
	Unit  string `json:"unit" enum:"day,week,month,year"`
}

// UsageRule accepts a kind of usage.
type UsageRule struct {
	Event    string            `json:"event" doc:"An exact event name, a prefix such as image.* or * for everything" example:"image.*"`
	Metadata map[string]string `json:"metadata,omitempty" doc:"Pairs that must all be present and equal"`
}

// PlanAllowance is a counted quota that a plan gives per period.
type PlanAllowance struct {
	ID     string        `json:"id,omitempty" maxLength:"110" doc:"Your own id; the allowance's place in the plan when absent"`
	Label  string        `json:"label" maxLength:"255" example:"Images"`
	Unit   string        `json:"unit,omitempty" maxLength:"50"`
	Quota  money.Decimal `json:"quota" doc:"How much quantity each period has; up to 6 decimals"`
	Rules  []UsageRule   `json:"rules" minItems:"1" maxItems:"20" doc:"Which usage it counts: what any of them accepts"`
	Period string        `json:"period" enum:"daily,weekly,monthly,yearly,lifetime"`
	Anchor string        `json:"anchor,omitempty" enum:"calendar,start," doc:"What periods are counted from: midnight, Monday, the 1st, 1 January; or the start of the subscription, which is what lifetime has when absent"`
	Zone   string        `json:"zone,omitempty" doc:"The time zone of the periods, by its IANA name; UTC when absent" example:"Europe/Zurich"`
}

// OverageOverride is an overage policy for customers of a plan. What is absent is as the credit says.
type OverageOverride struct {
	Enabled      *bool          `json:"enabled,omitempty"`
	Limit        *money.Decimal `json:"limit,omitempty" doc:"In whole credits"`
	Behavior     string         `json:"behavior,omitempty" enum:"forgive_at_reset,invoice_at_billing,carry_deficit,carry_deficit_auto_repay,"`
	PricePerUnit money.Decimal  `json:"price_per_unit,omitempty" doc:"Price of one credit of overage in minor units of currency"`
	Currency     string         `json:"currency,omitempty"`
}

// RolloverOverride is a rollover policy for what a plan grants. What is absent is as the credit says.
type RolloverOverride struct {
	Percent       *int   `json:"percent,omitempty" minimum:"0" maximum:"100"`
	ValidityCount int    `json:"validity_count,omitempty" minimum:"0" maximum:"1000" doc:"With validity_unit"`
	ValidityUnit  string `json:"validity_unit,omitempty" enum:"day,week,month,year,"`
	MaxCount      *int   `json:"max_count,omitempty" minimum:"0"`
	Off           *bool  `json:"off,omitempty"`
}

// The ways in which what a plan grants ends.
const (
	ExpiresAtCycleEnd = "cycle_end"  // with the cycle for which it was granted
	ExpiresNever      = "never"      // not at all
	ExpiresAfterDays  = "after_days" // so many days after it was granted
	ExpiresAsCredit   = "as_credit"  // as the credit says
)

// PlanCredit is a credit that a plan grants each cycle.
type PlanCredit struct {
	CreditID         string         `json:"credit_id"`
	Amount           money.Decimal  `json:"amount"`
	Every            *Interval      `json:"every,omitempty" doc:"How often it is granted; with each billing cycle when absent"`
	Expires          string         `json:"expires,omitempty" enum:"cycle_end,never,after_days,as_credit," doc:"When absent: cycle_end, or after_days where expires_after_days is given"`
	ExpiresAfterDays int            `json:"expires_after_days,omitempty" minimum:"0" maximum:"36500" doc:"With after_days"`
	Category         string         `json:"category,omitempty" enum:"paid,promotional,"`
	Priority         *int           `json:"priority,omitempty" minimum:"0" maximum:"100" code:"invalid_priority" doc:"As that of a pack's item when absent"`
	Scope            []Rule         `json:"scope,omitempty" doc:"Which usage it may pay for; the credit's scope when absent"`
	TrialAmount      *money.Decimal `json:"trial_amount,omitempty" doc:"Instead of amount while a trial runs"`
	TrialExpires     bool           `json:"trial_expires,omitempty" doc:"What is unused of a trial ends with it"`
	Prorate          bool           `json:"prorate,omitempty" doc:"A change of plan moves credits in proportion to the rest of the cycle"`

	LowBalancePercent *int              `json:"low_balance_percent,omitempty" minimum:"0" maximum:"100" doc:"A balance below this share of amount is low"`
	Overage           *OverageOverride  `json:"overage,omitempty"`
	Rollover          *RolloverOverride `json:"rollover,omitempty"`
}

// Plan is a product that is subscribed to: it has a price each cycle, counted quotas and included
// credits.
type Plan struct {
	ID          string          `json:"id"`
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Price       int64           `json:"price" doc:"Each cycle, in minor units of currency"`
	Currency    string          `json:"currency"`
	Interval    Interval        `json:"interval" doc:"The billing cycle"`
	RunsFor     *Interval       `json:"runs_for,omitempty" doc:"Until it is cancelled when absent"`
	TrialDays   int             `json:"trial_days,omitempty"`
	TrialPrice  int64           `json:"trial_price,omitempty"`
	Allowances  []PlanAllowance `json:"allowances"`
	Credits     []PlanCredit    `json:"credits"`
	OnChange    string          `json:"on_change" enum:"reset,keep,block"`
	Metadata    Metadata        `json:"metadata,omitempty"`
	CreatedAt   clock.Instant   `json:"created_at"`
	UpdatedAt   clock.Instant   `json:"updated_at"`
	ArchivedAt  clock.Instant   `json:"archived_at,omitzero"`
}

// CreatePlan defines a plan, or replaces one.
type CreatePlan struct {
	ID          string          `json:"id,omitempty" doc:"Your own id for the plan; one is made when absent" maxLength:"100"`
	Name        string          `json:"name" maxLength:"255"`
	Description string          `json:"description,omitempty" maxLength:"1000"`
	Price       int64           `json:"price,omitempty" minimum:"0" maximum:"1000000000000" doc:"Each cycle, in minor units of currency"`
	Currency    string          `json:"currency,omitempty" doc:"usd when absent"`
	Interval    *Interval       `json:"interval,omitempty" doc:"The billing cycle; one month when absent"`
	RunsFor     *Interval       `json:"runs_for,omitempty" doc:"How long a subscription runs; until it is cancelled when absent"`
	TrialDays   int             `json:"trial_days,omitempty" minimum:"0" maximum:"10000"`
	TrialPrice  int64           `json:"trial_price,omitempty" minimum:"0" maximum:"1000000000000" doc:"Of a trial that is paid for"`
	Allowances  []PlanAllowance `json:"allowances,omitempty" maxItems:"20"`
	Credits     []PlanCredit    `json:"credits,omitempty" maxItems:"5"`
	OnChange    string          `json:"on_change,omitempty" enum:"reset,keep,block," doc:"What becomes of the counts of allowances when a customer comes from another plan: they begin anew (the default), those with the same id count on, or all are used up until the next period"`
	Metadata    Metadata        `json:"metadata,omitempty"`
}
