package v1

import (
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/money"
)

func errMetadata(message string) error {
	return fault.New("v1.Metadata", fault.CodeInvalidMetadata, "%s", message).In("metadata")
}

// GrantRequest gives a customer credits: an amount of one credit, or a pack's items.
type GrantRequest struct {
	CustomerID   string        `json:"customer_id"`
	CreditID     string        `json:"credit_id,omitempty" doc:"Id or name of the credit; or give pack_id"`
	Amount       money.Decimal `json:"amount,omitempty" doc:"In whole credits"`
	PackID       string        `json:"pack_id,omitempty" doc:"Id or name of the pack; its items say what is granted"`
	Category     string        `json:"category,omitempty" enum:"paid,promotional,"`
	Priority     *int          `json:"priority,omitempty" minimum:"0" maximum:"100" code:"invalid_priority" doc:"Lower is spent first; 50 when absent"`
	EffectiveAt  clock.Instant `json:"effective_at,omitzero" doc:"Now when absent"`
	ExpiresAt    Expiry        `json:"expires_at,omitzero" doc:"null: never; absent: the default of the pack or credit"`
	Scope        []Rule        `json:"scope,omitempty" doc:"Which usage it may pay for; the credit's own scope when absent"`
	ExternalRef  string        `json:"external_ref,omitempty" doc:"Granting the same thing under the same reference again changes nothing and returns what is there"`
	Source       string        `json:"source,omitempty" enum:"purchase,grant,refund,manual,api,subscription,"`
	CostBasis    money.Decimal `json:"cost_basis,omitempty" doc:"What one credit cost, in minor units of cost_currency"`
	CostCurrency string        `json:"cost_currency,omitempty"`
	Reason       string        `json:"reason,omitempty"`
	Metadata     Metadata      `json:"metadata,omitempty"`
}

// Grant is a block of one credit given to one customer.
type Grant struct {
	ID            string            `json:"id"`
	CustomerID    string            `json:"customer_id"`
	CreditID      string            `json:"credit_id"`
	Amount        money.Decimal     `json:"amount"`
	Available     money.Decimal     `json:"available"`
	Held          money.Decimal     `json:"held"`
	Frozen        money.Decimal     `json:"frozen"`
	Spent         money.Decimal     `json:"spent"`
	Expired       money.Decimal     `json:"expired"`
	Revoked       money.Decimal     `json:"revoked"`
	RolledOver    money.Decimal     `json:"rolled_over"`
	Status        string            `json:"status" enum:"pending,active,depleted,expired,revoked,rolled_over"`
	Disputed      bool              `json:"disputed,omitempty"`
	Category      string            `json:"category" enum:"paid,promotional"`
	Priority      int               `json:"priority"`
	EffectiveAt   clock.Instant     `json:"effective_at"`
	ExpiresAt     clock.Instant     `json:"expires_at" doc:"null: never"`
	CreatedAt     clock.Instant     `json:"created_at"`
	Scope         []Rule            `json:"scope,omitempty"`
	Source        string            `json:"source"`
	SourceID      string            `json:"source_id,omitempty"`
	PackID        string            `json:"pack_id,omitempty"`
	PackItemID    string            `json:"pack_item_id,omitempty"`
	ExternalRef   string            `json:"external_ref,omitempty"`
	CostBasis     money.Decimal     `json:"cost_basis,omitempty"`
	CostCurrency  string            `json:"cost_currency,omitempty"`
	ParentID      string            `json:"parent_id,omitempty" doc:"The grant it was rolled over from"`
	RolledIntoID  string            `json:"rolled_into_id,omitempty"`
	RolloverCount int               `json:"rollover_count,omitempty"`
	Reason        string            `json:"reason,omitempty"`
	Metadata      map[string]string `json:"metadata,omitempty"`
}

// Grants is what a granting came to.
type Grants struct {
	Grants   []Grant `json:"grants"`
	Entries  []Entry `json:"entries,omitempty" doc:"What was booked; nothing yet for a grant that begins later"`
	Existing bool    `json:"existing,omitempty" doc:"They were there already, under the same external_ref"`
}

// RevokeRequest takes back what is left of a grant.
type RevokeRequest struct {
	Amount *money.Decimal `json:"amount,omitempty" doc:"At most this much; all that is left when absent"`
	Reason string         `json:"reason,omitempty"`
}

// Charge is what spending, holding and asking have in common.
type Charge struct {
	CustomerID string        `json:"customer_id"`
	CreditID   string        `json:"credit_id,omitempty" doc:"Id or name of the credit to charge"`
	Amount     money.Decimal `json:"amount,omitempty" doc:"In whole credits; goes with credit_id"`
	Event      string        `json:"event,omitempty" doc:"What is used; goes with quantity"`
	Quantity   money.Decimal `json:"quantity,omitempty" doc:"How much is used; 1 when absent"`
	Metadata   Metadata      `json:"metadata,omitempty"`
	Shortfall  string        `json:"shortfall,omitempty" enum:"deny,partial,overage," doc:"What to do when the balance does not cover it; deny when absent"`
	Reason     string        `json:"reason,omitempty"`
}

// DeductRequest spends at once.
type DeductRequest struct{ Charge }

// ReserveRequest sets credits aside.
type ReserveRequest struct {
	Charge
	TTLSeconds int `json:"ttl_seconds,omitempty" minimum:"0" maximum:"86400" doc:"60 when absent"`
}

// CanUseRequest asks what a charge would come to.
type CanUseRequest struct{ Charge }

// TrackRequest records a usage event and charges it.
type TrackRequest struct {
	Charge
	Response string `json:"response,omitempty" doc:"Kept with the event; cut at 32 KB"`
}

// Slice is what an entry changed in one grant.
type Slice struct {
	GrantID string        `json:"grant_id"`
	Amount  money.Decimal `json:"amount"`
}

// Entry is one immutable line of the ledger.
type Entry struct {
	ID             string            `json:"id"`
	Sequence       int64             `json:"sequence"`
	OperationID    string            `json:"operation_id" doc:"The entries of one call share it"`
	Type           string            `json:"type"`
	CustomerID     string            `json:"customer_id"`
	CreditID       string            `json:"credit_id"`
	Amount         money.Decimal     `json:"amount" doc:"Signed"`
	BalanceBefore  money.Decimal     `json:"balance_before"`
	BalanceAfter   money.Decimal     `json:"balance_after"`
	OverageBefore  money.Decimal     `json:"overage_before"`
	OverageAfter   money.Decimal     `json:"overage_after"`
	Slices         []Slice           `json:"slices"`
	ReferenceType  string            `json:"reference_type,omitempty"`
	ReferenceID    string            `json:"reference_id,omitempty"`
	Reason         string            `json:"reason,omitempty"`
	Metadata       map[string]string `json:"metadata,omitempty"`
	IdempotencyKey string            `json:"idempotency_key,omitempty"`
	Actor          string            `json:"actor,omitempty"`
	EffectiveAt    clock.Instant     `json:"effective_at"`
	RecordedAt     clock.Instant     `json:"recorded_at"`
	PreviousHash   string            `json:"previous_hash"`
	Hash           string            `json:"hash"`
}

// Sums are totals over grants.
type Sums struct {
	Available money.Decimal `json:"available"`
	Held      money.Decimal `json:"held"`
	Frozen    money.Decimal `json:"frozen"`
}

// ByCategory splits a balance by what was paid for and what was given.
type ByCategory struct {
	Paid        Sums `json:"paid"`
	Promotional Sums `json:"promotional"`
}

// Balance is a customer's standing in one credit. Balance = available + held + frozen; overage
// is kept apart, so a balance is never negative.
type Balance struct {
	CreditID   string        `json:"credit_id"`
	CreditName string        `json:"credit_name"`
	Unit       string        `json:"unit"`
	Balance    money.Decimal `json:"balance"`
	Available  money.Decimal `json:"available"`
	Held       money.Decimal `json:"held"`
	Frozen     money.Decimal `json:"frozen"`
	Overage    money.Decimal `json:"overage"`
	Used       money.Decimal `json:"used" doc:"All that was ever deducted, less what was reversed"`
	ByCategory ByCategory    `json:"by_category"`
}

// CustomerBalance is one customer's standing in a credit.
type CustomerBalance struct {
	CustomerID string `json:"customer_id"`
	Balance
	CreatedAt   clock.Instant `json:"created_at" doc:"When the customer was first granted the credit"`
	LastEntryAt clock.Instant `json:"last_entry_at" doc:"When the balance last changed; null when nothing took effect yet"`
}

// Balances is a customer's standing in every credit.
type Balances struct {
	CustomerID string        `json:"customer_id"`
	At         clock.Instant `json:"at"`
	Data       []Balance     `json:"data"`
}

// Counter is an allowance as it stands in its period.
type Counter struct {
	AllowanceID string        `json:"allowance_id"`
	Label       string        `json:"label"`
	Unit        string        `json:"unit"`
	Events      []string      `json:"events"`
	Quota       money.Decimal `json:"quota"`
	Count       money.Decimal `json:"count"`
	Remaining   money.Decimal `json:"remaining"`
	PeriodStart clock.Instant `json:"period_start"`
	ResetsAt    clock.Instant `json:"resets_at" doc:"null: never"`
}

// Deducted is what a deduction came to.
type Deducted struct {
	Entry    *Entry        `json:"entry" doc:"Null when an allowance covered all of it"`
	Entries  []Entry       `json:"entries,omitempty" doc:"All entries, where there are several: one for each credit, and one for overage"`
	Balance  *Balance      `json:"balance" doc:"Of the credit that was touched; null when none was"`
	Balances []Balance     `json:"balances,omitempty" doc:"All balances, where several credits were touched"`
	Counters []Counter     `json:"counters,omitempty"`
	Taken    money.Decimal `json:"taken"`
	Short    money.Decimal `json:"short" doc:"What a partial deduction could not take"`
}

// Drawn is a grant that pays a part of a charge.
type Drawn struct {
	GrantID  string        `json:"grant_id"`
	CreditID string        `json:"credit_id"`
	Amount   money.Decimal `json:"amount"`
}

// Decision is what a reservation or a question came to. A denial is an answer, not an error.
type Decision struct {
	Allowed       bool          `json:"allowed"`
	Matched       bool          `json:"matched"`
	Reasons       []string      `json:"reasons" doc:"Why it was denied"`
	ReservationID string        `json:"reservation_id,omitempty"`
	ExpiresAt     clock.Instant `json:"expires_at,omitzero"`
	Taken         money.Decimal `json:"taken,omitempty"`
	Short         money.Decimal `json:"short,omitempty"`
	Required      money.Decimal `json:"required,omitempty" doc:"What was asked for, where it was denied"`
	Available     money.Decimal `json:"available,omitempty" doc:"What there was, where it was denied"`
	CanContinue   bool          `json:"can_continue,omitempty" doc:"It was denied, and an automatic top-up under way will cover it"`
	Grants        []Drawn       `json:"grants,omitempty" doc:"The grants that pay, in the order in which they are drawn"`
	Counters      []Counter     `json:"counters,omitempty"`
}

// CommitRequest takes a reservation, or part of it.
type CommitRequest struct {
	ReservationID string         `json:"reservation_id"`
	Amount        *money.Decimal `json:"amount,omitempty" doc:"Less or more than was reserved; all of it when absent"`
	AllowMore     bool           `json:"allow_more,omitempty" doc:"Draw what exceeds the reservation afresh"`
	Reason        string         `json:"reason,omitempty"`
	ErrorCode     string         `json:"error_code,omitempty" doc:"Of work that failed and is paid for all the same"`
	Response      string         `json:"response,omitempty" doc:"Kept with the event; cut at 32 KB"`
}

// ReleaseRequest gives a reservation back.
type ReleaseRequest struct {
	ReservationID string `json:"reservation_id"`
	Reason        string `json:"reason,omitempty"`
	ErrorCode     string `json:"error_code,omitempty"`
	Response      string `json:"response,omitempty"`
}

// ExtendRequest moves a reservation's expiry.
type ExtendRequest struct {
	ReservationID string `json:"reservation_id"`
	TTLSeconds    int    `json:"ttl_seconds,omitempty" minimum:"0" maximum:"86400" doc:"From now; 60 when absent"`
	Reason        string `json:"reason,omitempty" doc:"Kept with the reservation, as error_code and response are"`
	ErrorCode     string `json:"error_code,omitempty"`
	Response      string `json:"response,omitempty"`
}

// Reservation is credits and allowance set aside.
type Reservation struct {
	ID         string            `json:"id"`
	CustomerID string            `json:"customer_id"`
	Status     string            `json:"status" enum:"pending,committed,released,expired"`
	CreditID   string            `json:"credit_id,omitempty"`
	Event      string            `json:"event,omitempty"`
	Reserved   money.Decimal     `json:"reserved" doc:"Amount of the credit, or quantity of the event"`
	Committed  money.Decimal     `json:"committed"`
	Short      money.Decimal     `json:"short" doc:"What a partial reservation could not set aside; in the answer to a commit, what the commit could not take"`
	Grants     []Drawn           `json:"grants"`
	Metadata   map[string]string `json:"metadata,omitempty"`
	CreatedAt  clock.Instant     `json:"created_at"`
	ExpiresAt  clock.Instant     `json:"expires_at"`
	ClosedAt   clock.Instant     `json:"closed_at,omitzero"`
	Reason     string            `json:"reason,omitempty"`
	ErrorCode  string            `json:"error_code,omitempty"`
	Response   string            `json:"response,omitempty"`
	Entries    []Entry           `json:"entries,omitempty"`
	Balances   []Balance         `json:"balances,omitempty"`
}

// Tracked is what recording a usage event came to.
type Tracked struct {
	EventID     string        `json:"event_id"`
	MatchStatus string        `json:"match_status" enum:"matched,unmatched,no_subscription"`
	Taken       money.Decimal `json:"taken" doc:"What was charged, of the quantity"`
	Short       money.Decimal `json:"short" doc:"What a partial charge could not take"`
	Entries     []Entry       `json:"entries"`
	Balances    []Balance     `json:"balances"`
	Counters    []Counter     `json:"counters"`
}

// Period is a half-open stretch of time.
type Period struct {
	Start clock.Instant `json:"start"`
	End   clock.Instant `json:"end" doc:"null: never"`
}

// UsableCredit is a grant as usage sees it.
type UsableCredit struct {
	GrantID    string        `json:"grant_id"`
	CreditID   string        `json:"credit_id"`
	CreditName string        `json:"credit_name"`
	PackID     string        `json:"pack_id,omitempty"`
	PackName   string        `json:"pack_name,omitempty"`
	PackItemID string        `json:"pack_item_id,omitempty"`
	Events     []string      `json:"events"`
	Unit       string        `json:"unit"`
	Granted    money.Decimal `json:"granted"`
	Remaining  money.Decimal `json:"remaining"`
	Held       money.Decimal `json:"held"`
	ExpiresAt  clock.Instant `json:"expires_at" doc:"null: never"`
	Source     string        `json:"source"`
	Priority   int           `json:"priority"`
	GrantedAt  clock.Instant `json:"granted_at"`
}

// Usage is what a customer may still use.
type Usage struct {
	CustomerID string         `json:"customer_id"`
	Period     *Period        `json:"period" doc:"Of the first counter, or of the plan's first where the filter leaves none; null without a subscription"`
	Counters   []Counter      `json:"counters"`
	Credits    []UsableCredit `json:"credits" doc:"In the order in which they are drawn; last those of which everything is held"`
}

// ReverseRequest gives a deduction back to the grants that it came from.
type ReverseRequest struct {
	Amount *money.Decimal `json:"amount,omitempty" doc:"All that was not reversed yet when absent"`
	Reason string         `json:"reason,omitempty"`
}

// AdjustRequest corrects a balance by hand.
type AdjustRequest struct {
	CustomerID string        `json:"customer_id"`
	CreditID   string        `json:"credit_id"`
	Amount     money.Decimal `json:"amount" doc:"Positive adds, negative takes"`
	Reason     string        `json:"reason" minLength:"1"`
	Metadata   Metadata      `json:"metadata,omitempty"`
}

// Candidate is a grant as it stood when a charge was decided, and could pay for it.
type Candidate struct {
	GrantID   string        `json:"grant_id"`
	CreditID  string        `json:"credit_id"`
	Available money.Decimal `json:"available" doc:"Before the charge"`
	Taken     money.Decimal `json:"taken"`
	Priority  int           `json:"priority"`
	Category  string        `json:"category"`
	ExpiresAt clock.Instant `json:"expires_at" doc:"null: never"`
	Because   string        `json:"because,omitempty" doc:"The criterion that put it before the next one; last, or absent where no order decided"`
}

// Excluded is a grant with something left that did not pay, whatever the order.
type Excluded struct {
	GrantID  string `json:"grant_id"`
	CreditID string `json:"credit_id"`
	Because  string `json:"because" enum:"scope,no_scope,metered,pending,frozen,held" doc:"scope: its own does not accept the charge; no_scope: it has none, and pays for what names its credit; metered: meters charge the event, and another credit; pending: it has not begun; frozen, held: nothing else is left of it"`
}

// ExplainedAllowance is what an allowance had and gave.
type ExplainedAllowance struct {
	AllowanceID string        `json:"allowance_id"`
	Label       string        `json:"label,omitempty"`
	Quota       money.Decimal `json:"quota,omitempty"`
	Remaining   money.Decimal `json:"remaining,omitempty" doc:"Before the charge"`
	Taken       money.Decimal `json:"taken"`
}

// Explanation says which grants paid, which rule decided, and what would have been enough.
type Explanation struct {
	Entry      *Entry               `json:"entry,omitempty"`
	Allowed    bool                 `json:"allowed"`
	Reasons    []string             `json:"reasons,omitempty"`
	Summary    string               `json:"summary"`
	DrawOrder  []string             `json:"draw_order" doc:"By which the candidates are ordered; empty where no order decided, none is known any more, or meters charge credits that are ordered each in its own way"`
	OrderLost  bool                 `json:"order_lost,omitempty" doc:"A credit was edited since, so how it ordered its grants then is not known: the candidates are those that paid, in their order"`
	Candidates []Candidate          `json:"candidates"`
	LeftOff    int                  `json:"left_off,omitempty" doc:"Candidates beyond those listed"`
	Excluded   []Excluded           `json:"excluded,omitempty" doc:"Grants with something left that do not pay for such a charge"`
	Allowances []ExplainedAllowance `json:"allowances,omitempty" doc:"The allowances that count the charge, and what they give before any grant does; of an entry, those of its reservation"`
	Required   money.Decimal        `json:"required,omitempty"`
	Available  money.Decimal        `json:"available,omitempty"`
	Enough     money.Decimal        `json:"enough,omitempty" doc:"How much more would have been enough"`
}

// BalanceQuery selects balances of a customer.
type BalanceQuery struct {
	CreditID string        `query:"credit_id" doc:"Id or name of one credit; all when absent"`
	At       clock.Instant `query:"at" doc:"An earlier instant; now when absent"`
}

// CreditBalanceQuery selects the customers who hold a credit, by id.
type CreditBalanceQuery struct {
	CustomerID string `query:"customer_id" doc:"One customer; all when absent"`
	Limit      int    `query:"limit" minimum:"1" maximum:"500" doc:"50 when absent"`
	Offset     int    `query:"offset" minimum:"0" doc:"How many to leave out; a cursor is faster"`
	Cursor     string `query:"cursor" doc:"next_cursor of the page before"`
}

// UsageQuery selects what a customer may still use.
type UsageQuery struct {
	CustomerID string `query:"customer_id" required:"true"`
	Event      string `query:"event" doc:"What is used; everything when absent"`
}

// LedgerQuery selects entries of a customer, newest first.
type LedgerQuery struct {
	CreditID string        `query:"credit_id" doc:"Id or name of one credit"`
	Type     string        `query:"type" doc:"One entry type, or several with commas between"`
	From     clock.Instant `query:"from" doc:"Effective at or after"`
	To       clock.Instant `query:"to" doc:"Effective before"`
	Limit    int           `query:"limit" minimum:"1" maximum:"500" doc:"50 when absent"`
	Offset   int           `query:"offset" minimum:"0" doc:"How many to leave out; a cursor is faster"`
	Cursor   string        `query:"cursor" doc:"next_cursor of the page before"`
}

// GrantQuery selects grants of a customer, in draw order.
type GrantQuery struct {
	CreditID    string `query:"credit_id" doc:"Id or name of one credit"`
	Status      string `query:"status" doc:"pending, active, depleted, expired, revoked or rolled_over, or several with commas between"`
	ExternalRef string `query:"external_ref" doc:"Made under this reference, as the order's"`
	Limit       int    `query:"limit" minimum:"1" maximum:"500" doc:"50 when absent"`
	Offset      int    `query:"offset" minimum:"0" doc:"How many to leave out; a cursor is faster"`
	Cursor      string `query:"cursor" doc:"next_cursor of the page before"`
}

// CustomerQuery selects customers by id.
type CustomerQuery struct {
	Email  string        `query:"email" doc:"The mail address, in upper or lower case"`
	Name   string        `query:"name" doc:"Part of the name, in upper or lower case"`
	From   clock.Instant `query:"from" doc:"Known at or after"`
	To     clock.Instant `query:"to" doc:"Known before"`
	Limit  int           `query:"limit" minimum:"1" maximum:"500" doc:"50 when absent"`
	Offset int           `query:"offset" minimum:"0" doc:"How many to leave out; a cursor is faster"`
	Cursor string        `query:"cursor" doc:"next_cursor of the page before"`
}

// CreateKey makes an API key.
type CreateKey struct {
	Mode  string `json:"mode,omitempty" maxLength:"45" doc:"live, test or test/NAME; the mode of the calling key when absent"`
	Kind  string `json:"kind" enum:"secret,publishable"`
	Label string `json:"label,omitempty" maxLength:"100"`
}

// Key is an API key. Its text is shown once, when it is made.
type Key struct {
	ID        string        `json:"id"`
	AppID     string        `json:"app_id"`
	Mode      string        `json:"mode"`
	Kind      string        `json:"kind"`
	Label     string        `json:"label,omitempty"`
	Prefix    string        `json:"prefix"`
	Key       string        `json:"key,omitempty" doc:"Only in the answer that made it"`
	CreatedAt clock.Instant `json:"created_at"`
	RevokedAt clock.Instant `json:"revoked_at,omitzero"`
}

// App is one product of the operator.
type App struct {
	ID        string        `json:"id"`
	Name      string        `json:"name"`
	Mode      string        `json:"mode" doc:"Of the calling key"`
	CreatedAt clock.Instant `json:"created_at"`
}

// MintToken makes a short-lived token with which a publishable key may read one customer.
type MintToken struct {
	CustomerID string `json:"customer_id"`
	TTLSeconds int    `json:"ttl_seconds,omitempty" minimum:"0" maximum:"86400" doc:"3600 when absent"`
}

// Token is a customer token.
type Token struct {
	Token     string        `json:"token" doc:"Send it as Scrip-Customer-Token beside the publishable key"`
	ExpiresAt clock.Instant `json:"expires_at"`
}
