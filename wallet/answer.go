package wallet

import (
	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
)

// Reason says why a charge was denied. Where several hold they come in the order below
// (design section 5.2; conditions in vevee-golivekit-stripe.md section 1.3).
type Reason string

// The reasons of a denial.
const (
	NoSubscription          Reason = "no_subscription"
	PlanExhausted           Reason = "plan_exhausted"             // offer an upgrade
	PlanAndCreditsExhausted Reason = "plan_and_credits_exhausted" // offer credits
	CreditsExhausted        Reason = "credits_exhausted"
	UnmatchedEvent          Reason = "unmatched_event"
	OverageLimitReached     Reason = "overage_limit_reached"
)

// MatchStatus is what became of a tracked event.
type MatchStatus string

// The outcomes of tracking.
const (
	Matched       MatchStatus = "matched"
	Unmatched     MatchStatus = "unmatched"
	NotSubscribed MatchStatus = "no_subscription"
)

// Usage is a usage event that a command recorded.
type Usage struct {
	N          int64  // the number within the wallet
	ID         string // the caller's, or given by the engine
	Event      string
	Quantity   int64 // micros
	Metadata   catalog.Values
	Match      MatchStatus
	Metered    bool  // meters charge it; else it was charged when it was tracked, by its event
	Hold       int64 // the hold that it was charged by; 0 = charged at once
	Response   string
	At         clock.Instant // when it took place
	RecordedAt clock.Instant
	VoidedAt   clock.Instant // zero: it counts
	Corrects   string        // the event in whose place it stands
	Counted    []TallyKey    // the tallies that it was added to when it came
}

// Shortage says how much a denied charge asked for, how much there was, and so what would have
// been enough. All are in the charge's own measure.
type Shortage struct {
	Required  int64
	Available int64
	Credit    string // whose units the measure is in; empty when it is micros of quantity
}

// Answer is what a command came to. Which fields are set depends on the command.
type Answer struct {
	Allowed  bool
	Matched  bool
	Reasons  []Reason  `json:",omitempty"`
	Shortage *Shortage `json:",omitempty"`

	Taken      int64         // what the charge took, in its own measure
	Short      int64         // what a partial charge could not take
	Entries    []Entry       `json:",omitempty"`
	Grants     []Grant       `json:",omitempty"` // granted, revoked or frozen by the command
	Hold       *Hold         `json:",omitempty"`
	Standing   []CreditState `json:",omitempty"` // the touched credits afterwards
	Counters   []Allowance   `json:",omitempty"` // the allowances that matched, afterwards
	Usage      *Usage        `json:",omitempty"`
	Ingested   int           `json:",omitempty"` // usage events that were new
	Duplicates int           `json:",omitempty"` // and those that were there already
	Draw       []Drawn       `json:",omitempty"` // the grants that pay, in the order they are drawn
	Charges    []string      `json:",omitempty"` // the credits that meters charge, where they do; each is drawn by itself
	Invoices   []Invoice     `json:",omitempty"` // issued or closed by the command
	// Subscription is as a command about it left it.
	Subscription *Subscription `json:",omitempty"`
	Order        *Order        `json:",omitempty"` // as a command about it left it
	// CanContinue tells, of a charge that was denied, that an automatic top-up under way will cover it.
	CanContinue bool `json:",omitempty"`
	Existing    bool // the grants were there already, under the same external reference
}

// Drawn is a grant that pays a part of a charge.
type Drawn struct {
	Grant   int64
	Credit  string
	Units   int64
	Measure int64
}

// Decision is what a command, or time, changes. It holds new values only: the State is as it
// was until Apply.
type Decision struct {
	Answer       Answer
	Entries      []Entry
	Grants       []*Grant
	Holds        []*Hold
	Credits      []*CreditState
	Lanes        []*Lane
	Subscription *Subscription // nil: unchanged
	Whole        bool          // more of the subscription changed than the counts of its allowances
	History      []SubscriptionEvent
	Invoices     []*Invoice // new, or closed
	Usages       []*Usage   // new, or changed
	Tallies      []*Tally
	Uniques      []*Unique
	Orders       []*Order // new, or changed
	TopUps       []*TopUp // new, or changed
	Payer        *Payer   // nil: unchanged
	Told         []OrderEvent
	Notices      []Notice     // what is about to happen
	Low          []LowBalance // balances that this decision brought below their thresholds

	seq, grantSeq, holdSeq, usageSeq, subSeq, invoiceSeq, orderSeq int64
	head                                                           Hash
	at                                                             clock.Instant
}

// Empty reports whether there is nothing to write.
func (d *Decision) Empty() bool {
	return len(d.Entries) == 0 && len(d.Grants) == 0 && len(d.Holds) == 0 && len(d.Credits) == 0 &&
		len(d.Lanes) == 0 && d.Subscription == nil && len(d.Usages) == 0 && len(d.Tallies) == 0 && len(d.Invoices) == 0 &&
		len(d.Orders) == 0 && len(d.TopUps) == 0 && d.Payer == nil && len(d.Notices) == 0
}

// Context is what surrounds a command: the instant, the definitions, and who asks.
type Context struct {
	Now         clock.Instant
	Defs        *catalog.Definitions
	Actor       string        // the key or process that asks, for the record
	Idempotency string        // the caller's key, for the record
	NewID       func() string // names a usage event for which the caller has no id; nil leaves it without
}

// Missing is the error of a command that looks back at something closed that was not fetched.
// Adopt it and decide again.
type Missing struct{ Needs Needs }

// Error names the condition; it never reaches a user.
func (m *Missing) Error() string { return "wallet: something closed must be fetched first" }
