package wallet

import (
	"bytes"
	"encoding/json"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/id"
)

// Subscription is what a customer has of a plan: its terms as they were when it was taken, the
// cycle that runs, and the counts of its allowances. A wallet has one at a time; those that ended
// are kept by the store.
type Subscription struct {
	N        int64  // the number within the wallet
	Plan     string // id
	Terms    Terms
	Quantity int64 // how many of the plan; zero reads as one

	StartedAt clock.Instant
	EndsAt    clock.Instant // zero: open-ended
	TrialEnds clock.Instant // zero: no trial; the end of the first cycle otherwise
	PausedAt  clock.Instant // zero: it runs
	Ended     bool          // its end was written down

	// Cycles follow one another from the anchor, each of Terms.Every (design section 5.5). The one
	// that runs is [CycleStart, CycleEnd); Cycles are the starts of those before it, oldest first.
	Anchor     clock.Instant
	Zone       string // IANA name; empty is UTC
	CycleStart clock.Instant
	CycleEnd   clock.Instant
	Cycles     []clock.Instant

	Included []CreditCycle // as Terms.Credits
	Next     *PlanChange   // takes effect when the cycle ends
	Owed     int64         // minor units that the next invoice is less by, from a change to less

	// Collect has invoices charged to the card that is kept. What a cycle grants comes then when its
	// invoice is paid: Unpaid is that invoice, and 0 when nothing is waited for.
	Collect bool
	Unpaid  int64
	// HeldAt is since when that payment was declined, or had no card to be charged to; zero: it was not.
	HeldAt clock.Instant
	// Outside is the id of a subscription that somebody else bills; what a cycle grants comes then when
	// they say that it is paid, which they have until PaidTo.
	Outside string
	PaidTo  clock.Instant

	Allowances []Allowance
	Reason     string // why it ends or ended
	Metadata   Metadata
	Events     int64 // how many SubscriptionEvents it has
}

// CreditCycle is the running cycle of an included credit.
type CreditCycle struct {
	Start clock.Instant `json:"start"`
	End   clock.Instant `json:"end"`
	Grant int64         `json:"grant"`           // what it gave; 0: nothing
	Ends  bool          `json:"ends,omitempty"`  // what it gave ends with it
	Waits bool          `json:"waits,omitempty"` // what it gives comes when the cycle is paid
	Order int64         `json:"order,omitempty"` // that has paid for what it gave; 0: none
}

// PlanChange is a change of plan that waits for the end of the cycle.
type PlanChange struct {
	At         clock.Instant    `json:"at"` // when it was asked for
	Plan       string           `json:"plan"`
	Terms      Terms            `json:"terms"`
	Quantity   int64            `json:"quantity"`
	Allowances []Allowance      `json:"allowances,omitempty"`
	OnChange   catalog.OnChange `json:"on_change,omitempty"`
}

// Allowance is a plan's counted quota per period.
type Allowance struct {
	ID          string
	Label       string
	Unit        string
	Quota       int64 // micros
	Rules       catalog.Scope
	Period      catalog.Period
	WindowStart clock.Instant
	WindowEnd   clock.Instant // zero: never
	Used        int64         // micros in this window, pending holds included
}

// SubscriptionChange says what happened to a subscription.
type SubscriptionChange string

// What can happen to a subscription.
const (
	SubscriptionStarted     SubscriptionChange = "started"
	SubscriptionRenewed     SubscriptionChange = "renewed"
	SubscriptionConverted   SubscriptionChange = "trial_converted"
	SubscriptionPlanChanged SubscriptionChange = "plan_changed"
	SubscriptionChangeSet   SubscriptionChange = "plan_change_scheduled"
	SubscriptionChangeUnset SubscriptionChange = "plan_change_unscheduled"
	SubscriptionCancelSet   SubscriptionChange = "cancel_scheduled"
	SubscriptionReactivated SubscriptionChange = "reactivated"
	SubscriptionUpdated     SubscriptionChange = "updated"
	SubscriptionPaused      SubscriptionChange = "paused"
	SubscriptionResumed     SubscriptionChange = "resumed"
	SubscriptionEnded       SubscriptionChange = "ended"
	SubscriptionHeld        SubscriptionChange = "on_hold"   // the cycle's payment was declined
	SubscriptionRecovered   SubscriptionChange = "recovered" // and made after all
)

// SubscriptionEvent is one line of a subscription's history, which is only ever added to.
type SubscriptionEvent struct {
	Subscription int64
	N            int64 // the number within the subscription
	Change       SubscriptionChange
	From, To     string // plans, where they differ
	Reason       string
	Actor        string
	At           clock.Instant
}

// Limits of a subscription.
const (
	// MaxCycles bounds the earlier cycles that a subscription remembers; usage that took place
	// before them counts in months of the calendar.
	MaxCycles = 1200
	// MaxPlanQuantity bounds how many of a plan a customer has.
	MaxPlanQuantity = 1_000_000
)

// same reports whether another change is written down alike.
func (c *PlanChange) same(other *PlanChange) bool {
	a, err := json.Marshal(c)
	b, err2 := json.Marshal(other)
	return err == nil && err2 == nil && bytes.Equal(a, b)
}

// ID is the subscription's public id.
func (s *Subscription) ID(w id.Wallet) string { return id.Object(id.PrefixSubscription, w, s.N) }

// ActiveAt reports whether the subscription gives its allowances at an instant; the end is
// exclusive, and one that is paused gives nothing.
func (s *Subscription) ActiveAt(at clock.Instant) bool {
	return s.RunsAt(at) && s.PausedAt.IsZero()
}

// RunsAt reports whether the subscription has begun and not ended at an instant. While it is paused
// no end comes: that moves when it is resumed.
func (s *Subscription) RunsAt(at clock.Instant) bool {
	return s != nil && !s.Ended && s.StartedAt <= at && (s.EndsAt.IsZero() || at < s.EndsAt || !s.PausedAt.IsZero())
}

// TrialAt reports whether the trial runs at an instant.
func (s *Subscription) TrialAt(at clock.Instant) bool { return at < s.TrialEnds }

// RanOut reports whether what ends it, or ended it, is that its plan is over.
func (s *Subscription) RanOut() bool { return !s.Terms.Until.IsZero() && s.EndsAt >= s.Terms.Until }

// quantity is how many of the plan there are.
func (s *Subscription) quantity() int64 { return max(1, s.Quantity) }

// Left is what the allowance still gives in its window.
func (a *Allowance) Left() int64 { return max(0, a.Quota-a.Used) }

// roll moves the allowance to the window that holds at.
func (a *Allowance) roll(s *Subscription, at clock.Instant) {
	if a.WindowEnd.IsZero() && !a.WindowStart.IsZero() || at < a.WindowEnd && at >= a.WindowStart {
		return
	}
	a.WindowStart, a.WindowEnd = a.Period.Window(s.anchorOf(a), at)
	a.Used = 0
}

// standsStill reports whether the allowance's window stands still while the plan is paused, as the
// plan's cycle does: that of a calendar goes on.
func (a *Allowance) standsStill() bool {
	return a.Period.Anchor == catalog.AnchorStart && a.Period.Kind != catalog.Lifetime
}

// anchorOf is what an allowance's windows are counted from: a lifetime begins with the
// subscription, all else follows its cycles.
func (s *Subscription) anchorOf(a *Allowance) clock.Instant {
	if a.Period.Kind == catalog.Lifetime || s.Anchor.IsZero() {
		return s.StartedAt
	}
	return s.Anchor
}
