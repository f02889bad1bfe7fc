package v1

import (
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/money"
)

// Subscribe gives a customer a plan, or changes what they have of one. Sent again it changes
// nothing more.
type Subscribe struct {
	CustomerID string        `json:"customer_id" maxLength:"256"`
	PlanID     string        `json:"plan_id" doc:"The plan's id, or its name in any case"`
	Quantity   int64         `json:"quantity,omitempty" minimum:"0" maximum:"1000000" doc:"How many of the plan; one, or as it is, when absent or 0"`
	TrialDays  *int          `json:"trial_days,omitempty" minimum:"0" maximum:"10000" doc:"Of a subscription that begins; the plan's when absent"`
	CycleStart clock.Instant `json:"cycle_start,omitzero" doc:"When the cycle begins at an outside biller; the start of the subscription when absent"`
	Zone       string        `json:"zone,omitempty" doc:"IANA time zone in which cycles begin and end; UTC, or as it is, when absent" example:"Europe/Zurich"`
	EndsAt     clock.Instant `json:"ends_at,omitzero" doc:"Absent: as long as the plan runs, and an end that was planned is dropped"`
	Limits     Limits        `json:"custom_limits,omitempty" doc:"Quotas agreed with this customer, by the allowance's id or label; those that are not named stay as they are"`
	OnChange   string        `json:"on_change,omitempty" enum:"reset,keep,block," doc:"What becomes of counts when another plan ran; as the plan says when absent"`
	When       string        `json:"when,omitempty" enum:"now,cycle_end," doc:"When a change of plan takes effect; now when absent"`
	Charge     string        `json:"charge,omitempty" enum:"full,prorated,difference,none," doc:"What a change within a cycle comes to. full, when absent, begins a new cycle; the others keep the one that runs"`
	Retake     bool          `json:"retake,omitempty" doc:"Take the plan's terms as they are now, though the customer has the same plan"`
	Reason     string        `json:"reason,omitempty" maxLength:"500"`
	Metadata   Metadata      `json:"metadata,omitempty"`
}

// Limits are quotas by allowance.
type Limits map[string]money.Decimal

// CancelSubscription ends a subscription: of a customer, or the one that is named.
type CancelSubscription struct {
	CustomerID     string        `json:"customer_id,omitempty" maxLength:"256"`
	SubscriptionID string        `json:"subscription_id,omitempty"`
	EndsAt         clock.Instant `json:"ends_at,omitzero" doc:"Now when absent. An end that is yet to come can be moved"`
	AtCycleEnd     bool          `json:"at_cycle_end,omitempty" doc:"Instead of ends_at"`
	Reason         string        `json:"reason,omitempty" maxLength:"500"`
}

// UpdateSubscription changes what was agreed with one customer. What is absent stays.
type UpdateSubscription struct {
	NextCycleAt clock.Instant `json:"next_cycle_at,omitzero" doc:"When the running cycle, or the trial, ends instead"`
	KeepPlan    bool          `json:"keep_plan,omitempty" doc:"Drop a change of plan that waits for the end of the cycle"`
	KeepOn      bool          `json:"keep_on,omitempty" doc:"Drop an end that is yet to come"`
	Credits     []CreditTerms `json:"credits,omitempty" maxItems:"20" doc:"Other terms of included credits, from their next grant on"`
	Metadata    Metadata      `json:"metadata,omitempty"`
	Reason      string        `json:"reason,omitempty" maxLength:"500"`
}

// CreditTerms are other terms of a credit that comes with a plan. What is absent stays.
type CreditTerms struct {
	CreditID          string        `json:"credit_id"`
	Amount            money.Decimal `json:"amount,omitempty"`
	ExpiresAfterDays  *int          `json:"expires_after_days,omitempty" minimum:"1"`
	LowBalancePercent *int          `json:"low_balance_percent,omitempty" minimum:"0" maximum:"100"`
	Overage           *Overage      `json:"overage,omitempty"`
	Rollover          *Rollover     `json:"rollover,omitempty"`
}

// PauseSubscription pauses or resumes.
type PauseSubscription struct {
	Reason string `json:"reason,omitempty" maxLength:"500"`
}

// Subscription is what a customer has of a plan.
type Subscription struct {
	ID            string           `json:"id"`
	CustomerID    string           `json:"customer_id"`
	PlanID        string           `json:"plan_id"`
	PlanName      string           `json:"plan_name"`
	Status        string           `json:"status" enum:"trialing,active,paused,ended"`
	Quantity      int64            `json:"quantity"`
	Price         int64            `json:"price" doc:"Of one, each cycle, in minor units of currency"`
	Currency      string           `json:"currency"`
	Interval      Interval         `json:"interval"`
	StartedAt     clock.Instant    `json:"started_at"`
	EndsAt        clock.Instant    `json:"ends_at,omitzero"`
	TrialEndsAt   clock.Instant    `json:"trial_ends_at,omitzero"`
	PausedAt      clock.Instant    `json:"paused_at,omitzero"`
	OnHoldAt      clock.Instant    `json:"on_hold_at,omitzero" doc:"When the payment of the running cycle was declined; what the cycle gives comes when it is made"`
	CycleAnchorAt clock.Instant    `json:"cycle_anchor_at"`
	Zone          string           `json:"zone,omitempty"`
	Cycle         Period           `json:"cycle"`
	Next          *NextPlan        `json:"next_plan,omitempty" doc:"A change that waits for the end of the cycle"`
	BalanceMinor  int64            `json:"balance_minor,omitempty" doc:"What the next invoice is less by, in minor units"`
	Allowances    []Counter        `json:"allowances"`
	Credits       []IncludedCredit `json:"credits"`
	Reason        string           `json:"reason,omitempty" doc:"Why it ends or ended"`
	Metadata      Metadata         `json:"metadata,omitempty"`
	Invoices      []Invoice        `json:"invoices,omitempty" doc:"What this call invoiced"`
}

// NextPlan is a change of plan that waits for the end of the cycle.
type NextPlan struct {
	PlanID   string        `json:"plan_id"`
	PlanName string        `json:"plan_name"`
	Quantity int64         `json:"quantity,omitempty"`
	At       clock.Instant `json:"at"`
}

// IncludedCredit is a credit that comes with a subscription.
type IncludedCredit struct {
	CreditID         string        `json:"credit_id"`
	Amount           money.Decimal `json:"amount" doc:"Each cycle, for one of the plan"`
	Cycle            Period        `json:"cycle"`
	GrantID          string        `json:"grant_id,omitempty" doc:"What the running cycle gave"`
	Expires          string        `json:"expires" enum:"cycle_end,after_days,never"`
	ExpiresAfterDays int           `json:"expires_after_days,omitempty"`
	Overage          Overage       `json:"overage"`
	Rollover         Rollover      `json:"rollover"`
}

// SubscriptionQuery selects subscriptions, newest first.
type SubscriptionQuery struct {
	CustomerID string `query:"customer_id"`
	PlanID     string `query:"plan_id"`
	Status     string `query:"status" enum:"active,paused,ended" doc:"active is on trial too"`
	Limit      int    `query:"limit" minimum:"1" maximum:"500" doc:"50 when absent"`
	Cursor     string `query:"cursor" doc:"next_cursor of the page before"`
}

// PageQuery selects a page.
type PageQuery struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"500" doc:"50 when absent"`
	Cursor string `query:"cursor" doc:"next_cursor of the page before"`
}

// SubscriptionEvent is one line of a subscription's history.
type SubscriptionEvent struct {
	Type       string        `json:"event_type" enum:"started,renewed,trial_converted,plan_changed,plan_change_scheduled,plan_change_unscheduled,cancel_scheduled,reactivated,updated,paused,resumed,ended,on_hold,recovered"`
	FromPlanID string        `json:"from_plan_id,omitempty"`
	ToPlanID   string        `json:"to_plan_id,omitempty"`
	Reason     string        `json:"reason,omitempty"`
	Actor      string        `json:"actor,omitempty"`
	At         clock.Instant `json:"at"`
}

// Invoice is what a subscription comes to, or the receipt of a purchase. Money is in minor units of currency.
type Invoice struct {
	ID             string        `json:"id,omitempty" doc:"Absent of a draft"`
	Number         string        `json:"number,omitempty"`
	CustomerID     string        `json:"customer_id"`
	SubscriptionID string        `json:"subscription_id,omitempty" doc:"Absent of a receipt of a purchase"`
	Status         string        `json:"status" enum:"draft,open,paid,void"`
	Currency       string        `json:"currency"`
	Total          int64         `json:"total"`
	Lines          []InvoiceLine `json:"lines"`
	Period         *Period       `json:"period,omitempty" doc:"The cycle that it opens; absent of a receipt of a purchase"`
	IssuedAt       clock.Instant `json:"issued_at"`
	ClosedAt       clock.Instant `json:"closed_at,omitzero" doc:"When it was paid or voided"`
	Reference      string        `json:"reference,omitempty"`
}

// InvoiceLine is one line of an invoice.
type InvoiceLine struct {
	Kind        string        `json:"kind" enum:"plan,proration,overage,usage,top_up,product,balance"`
	ItemID      string        `json:"item_id,omitempty" doc:"The plan, credit or meter"`
	Description string        `json:"description"`
	Quantity    money.Decimal `json:"quantity"`
	UnitPrice   money.Decimal `json:"unit_price"`
	Amount      int64         `json:"amount"`
	From        clock.Instant `json:"from,omitzero"`
	To          clock.Instant `json:"to,omitzero"`
}

// InvoiceQuery selects invoices, newest first.
type InvoiceQuery struct {
	CustomerID     string `query:"customer_id"`
	SubscriptionID string `query:"subscription_id"`
	Status         string `query:"status" enum:"open,paid,void"`
	Limit          int    `query:"limit" minimum:"1" maximum:"500" doc:"50 when absent"`
	Cursor         string `query:"cursor" doc:"next_cursor of the page before"`
}

// CloseInvoice says what closed an invoice.
type CloseInvoice struct {
	Reference string `json:"reference,omitempty" maxLength:"500" doc:"Of the payment, or why it is void"`
}
