package wallet

import (
	"maps"
	"slices"
	"strings"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
)

// Subscribe gives the customer a plan, or changes what they have of one. Where none runs it begins
// one. Where the same plan runs it brings it to what is said here (its end, its anchor, its limits)
// and takes no newer terms. Where another runs it changes to this one.
//
// Orders of plans are stored with it, under the names of its fields.
type Subscribe struct {
	Plan string // id, or with no terms its name in any case
	// Terms are agreed with this customer, with their allowances. With no cycle they are what the
	// plan says when the command is decided (law 7).
	Terms      Terms
	Allowances []Allowance
	Quantity   int64            // zero: one, or as it is
	Limits     map[string]int64 // quotas agreed with this customer, in micros, by the allowance's id or label; of a plan that runs the others stay
	OnChange   catalog.OnChange // how counts enter this plan from another

	TrialDays  *int          // of one that begins; nil: as the terms say
	CycleStart clock.Instant // an outside biller's own start of the cycle; zero: the start
	Zone       string
	EndsAt     clock.Instant // zero: as long as the plan runs
	New        bool          // only begin one; that one runs is an error
	Retake     bool          // take the plan's terms anew though the customer has the same plan

	Outside string `json:",omitempty" hash:"later"` // of one that begins: the id that it has where it is billed; empty: here
	Collect bool   `json:",omitempty" hash:"later"` // of one that begins: charge its invoices to the card that is kept

	N          int64    // change this subscription, which must run; 0: whichever does, or none
	AtCycleEnd bool     // a change waits for the end of the cycle
	Charge     Charging // what a change at once comes to
	Note
}

// Charging says what a change of plan within a cycle comes to (dodo.md section 11).
type Charging string

// The ways of charging a change of plan.
const (
	// ChargeFull ends the cycle and begins one of the new plan, at its full price and with its full
	// credits. The zero value reads as this.
	ChargeFull Charging = "full"
	// ChargeProrated keeps the cycle and charges for what is left of it, less what is left of the old.
	ChargeProrated Charging = "prorated"
	// ChargeDifference keeps the cycle and charges the difference of the two prices.
	ChargeDifference Charging = "difference"
	// ChargeNothing keeps the cycle and charges the new price from the next on.
	ChargeNothing Charging = "none"
)

// Valid reports whether c is a known way of charging; empty is ChargeFull.
func (c Charging) Valid() bool {
	return c == "" || c == ChargeFull || c == ChargeProrated || c == ChargeDifference || c == ChargeNothing
}

// EndSubscription ends the plan at an instant; zero is now. An end that is yet to come can be
// moved.
type EndSubscription struct {
	N          int64 // 0: whichever runs
	At         clock.Instant
	AtCycleEnd bool // then At is empty
	Note
}

// PauseSubscription freezes the plan: its cycle stands still, its allowances give nothing, and what
// it granted until the cycle's end stays. With Resume everything goes on where it was.
type PauseSubscription struct {
	N      int64 // 0: whichever runs
	Resume bool
	Note
}

// EditSubscription changes what was agreed with one customer. What is nil stays.
type EditSubscription struct {
	N         int64                   // 0: whichever runs
	Runs      catalog.Interval        // how long the plan runs instead, and no shorter; zero: as it is
	NextCycle clock.Instant           // when the running cycle ends instead; zero: as it is
	Credits   []catalog.ProductCredit // of each only the overrides count, by its Credit
	KeepPlan  bool                    // a change that waits for the end of the cycle is dropped
	KeepOn    bool                    // an end that is yet to come is dropped
	End       *EndSubscription        // it ends as well; what this says of N is of no account
	Data      Metadata                // replaces the metadata when not nil
	Note
}

// Needs asks for nothing.
func (c *Subscribe) Needs(*catalog.Definitions) Needs { return Needs{} }

// Needs asks for nothing.
func (c *EndSubscription) Needs(*catalog.Definitions) Needs { return Needs{} }

// Needs asks for nothing.
func (c *PauseSubscription) Needs(*catalog.Definitions) Needs { return Needs{} }

// Needs asks for nothing.
func (c *EditSubscription) Needs(*catalog.Definitions) Needs { return Needs{} }

const opSubscribe = "wallet.Subscribe"

func (c *Subscribe) decide(w *work) error {
	agreed := *c
	if c.Terms.Every == (catalog.Interval{}) {
		if err := agreed.asDefined(w); err != nil {
			return err
		}
	}
	return agreed.take(w)
}

// take carries the command out under terms that are known.
func (c *Subscribe) take(w *work) error {
	if err := c.check(w); err != nil {
		return err
	}
	w.note = c.Note
	w.d.Answer.Allowed = true
	sub := w.running()
	if c.N != 0 {
		if _, err := w.the(opSubscribe, c.N); err != nil {
			return err
		}
	}
	if sub != nil && c.New {
		return fault.New(opSubscribe, fault.CodeSubscriptionExists, "the customer has a subscription already: change its plan, or end it first").With("subscription_id", sub.ID(w.s.ID))
	}
	if sub != nil && sub.Plan == c.Plan && !c.Retake {
		return c.refresh(w, sub)
	}
	quantity := max(1, c.Quantity)
	if sub != nil && c.Quantity == 0 {
		quantity = sub.quantity()
	}
	if err := c.Terms.fits(quantity); err != nil {
		return err
	}
	allowances := slices.Clone(c.Allowances)
	if err := c.limit(allowances); err != nil {
		return err
	}
	if sub == nil {
		return c.begin(w, allowances)
	}
	return c.change(w, sub, &PlanChange{Plan: c.Plan, Terms: c.Terms, Quantity: c.Quantity, Allowances: allowances, OnChange: c.OnChange})
}

// change takes another plan than the one that runs, or newer terms of the same, now or later.
func (c *Subscribe) change(w *work, sub *Subscription, to *PlanChange) error {
	if to.Terms.free() {
		to.Terms.Currency = sub.Terms.Currency // nothing is said in it, and what is owed is said in the other
	}
	if err := sub.keepsBalance(to.Terms.Currency); err != nil {
		return err
	}
	if c.AtCycleEnd {
		if sub.Next != nil {
			to.At = sub.Next.At
		}
		if !sub.Next.same(to) {
			sub.Next, to.At = to, w.at
			w.tellSubscription(sub, SubscriptionChangeSet, sub.Plan, c.Plan)
		}
		c.moveEnd(w, sub)
		return nil
	}
	if !sub.PausedAt.IsZero() {
		return errPaused(opSubscribe)
	}
	w.changeNow(sub, to, c.Charge)
	return c.refresh(w, sub)
}

// keepsBalance refuses a currency in which nothing can be said of what is owed to the customer.
func (s *Subscription) keepsBalance(currency string) error {
	if s.Owed == 0 || currency == s.Terms.Currency {
		return nil
	}
	return fault.New(opSubscribe, fault.CodeInvalidRequest, "the subscription has a balance of %d minor units of %s, which a plan in %s cannot take over: end it, and begin another", s.Owed, s.Terms.Currency, currency).In("plan_id")
}

// check refuses what makes no sense: nothing that time does later can fail.
func (c *Subscribe) check(w *work) error {
	if err := checkAllowances(c.Allowances); err != nil {
		return err
	}
	if err := c.Terms.check(w); err != nil {
		return err
	}
	if c.Quantity < 0 || c.Quantity > MaxPlanQuantity {
		return fault.New(opSubscribe, fault.CodeInvalidQuantity, "the quantity of a plan is 1 to %d", MaxPlanQuantity).In("quantity")
	}
	if c.TrialDays != nil && (*c.TrialDays < 0 || *c.TrialDays > catalog.MaxTrialDays) {
		return fault.New(opSubscribe, fault.CodeInvalidRequest, "a trial lasts 0 to %d days", catalog.MaxTrialDays).In("trial_days")
	}
	if !c.OnChange.Valid() {
		return fault.New(opSubscribe, fault.CodeInvalidRequest, "on_change must be reset, keep or block").In("on_change")
	}
	if !c.Charge.Valid() {
		return fault.New(opSubscribe, fault.CodeInvalidRequest, "charge must be full, prorated, difference or none").In("charge")
	}
	for name, quota := range c.Limits {
		if quota < 0 || quota > MaxQuantity {
			return fault.New(opSubscribe, fault.CodeInvalidQuantity, "a quota is 0 to %d", int64(MaxQuantity/MicrosPerUnit)).In("custom_limits." + name)
		}
	}
	if !c.EndsAt.IsZero() && c.EndsAt <= w.at {
		return fault.New(opSubscribe, fault.CodeInvalidTime, "ends_at must lie in the future").In("ends_at")
	}
	return catalog.CheckZone(c.Zone, "zone")
}

// checkAllowances refuses what could not be counted: every count goes by the allowance's id.
func checkAllowances(all []Allowance) error {
	if len(all) > MaxAllowances {
		return fault.New(opSubscribe, fault.CodeInvalidRequest, "a plan has at most %d allowances", MaxAllowances).In("allowances")
	}
	for i := range all {
		a := &all[i]
		if slices.ContainsFunc(all[:i], func(b Allowance) bool { return b.ID == a.ID }) {
			return fault.New(opSubscribe, fault.CodeInvalidRequest, "two allowances have the id %q", a.ID).In("allowances.id")
		}
		if a.Quota < 0 || a.Quota > MaxQuantity {
			return fault.New(opSubscribe, fault.CodeInvalidRequest, "a quota is 0 to %d", int64(MaxQuantity/MicrosPerUnit)).In("allowances.quota")
		}
		if err := a.Period.Validate(); err != nil {
			return err
		}
		if err := a.Rules.Validate(); err != nil {
			return err
		}
	}
	return nil
}

// begin starts a subscription: its first cycle is the trial where it has one.
func (c *Subscribe) begin(w *work, allowances []Allowance) error {
	w.d.subSeq++
	sub := w.putSubscription(&Subscription{
		N: w.d.subSeq, Plan: c.Plan, Terms: c.Terms, Quantity: max(1, c.Quantity), StartedAt: w.at, EndsAt: c.EndsAt,
		Anchor: w.at, Zone: c.Zone, CycleStart: w.at, Metadata: c.Metadata, Collect: c.Collect, Outside: c.Outside,
	})
	sub.Terms.begin(w.at)
	if sub.EndsAt.IsZero() {
		sub.EndsAt = sub.Terms.Until
	}
	if sub.TrialEnds = c.trialEnds(w.at); !sub.TrialEnds.IsZero() {
		sub.Anchor = sub.TrialEnds
	}
	if !c.CycleStart.IsZero() {
		sub.Anchor = c.CycleStart
	}
	w.recount(nil)
	for _, a := range allowances {
		a.roll(sub, w.at)
		sub.Allowances = append(sub.Allowances, a)
	}
	w.tellSubscription(sub, SubscriptionStarted, "", sub.Plan)
	w.nextCycle(sub)
	sub.Included = make([]CreditCycle, len(sub.Terms.Credits))
	w.billCycle(sub, nil)
	return nil
}

// trialDays is how long the trial is of one that begins.
func (c *Subscribe) trialDays() int {
	if c.TrialDays != nil {
		return *c.TrialDays
	}
	return c.Terms.TrialDays
}

// trialEnds is when the trial is over of one that begins; zero where it has none.
func (c *Subscribe) trialEnds(at clock.Instant) (end clock.Instant) {
	if days := c.trialDays(); days > 0 {
		_, end = catalog.Interval{Count: days, Unit: catalog.Day}.Window(at, c.Zone, at)
	}
	return end
}

// refresh brings a running subscription to what an upsert of its own plan says.
func (c *Subscribe) refresh(w *work, sub *Subscription) error {
	c.moveEnd(w, sub)
	if sub.Next != nil && !c.AtCycleEnd {
		sub.Next = nil
		w.tellSubscription(sub, SubscriptionChangeUnset, "", "")
	}
	was := *sub
	if c.Quantity > 0 {
		if err := sub.Terms.fits(c.Quantity); err != nil {
			return err
		}
		sub.Quantity = c.Quantity
	}
	if len(c.Metadata) > 0 {
		sub.Metadata = c.Metadata
	}
	sub.Allowances = slices.Clone(sub.Allowances)
	if err := c.limit(sub.Allowances); err != nil {
		return err
	}
	anchor := sub.Anchor
	if !c.CycleStart.IsZero() {
		anchor = c.CycleStart
	}
	if c.Zone != "" {
		sub.Zone = c.Zone
	}
	if anchor != sub.Anchor || sub.Zone != was.Zone {
		if !sub.PausedAt.IsZero() {
			return errPaused(opSubscribe)
		}
		w.reanchor(sub, anchor)
	}
	if sub.Quantity != was.Quantity || sub.Anchor != was.Anchor || sub.Zone != was.Zone ||
		!maps.Equal(sub.Metadata, was.Metadata) || !slices.EqualFunc(sub.Allowances, was.Allowances, sameQuota) {
		w.tellSubscription(sub, SubscriptionUpdated, "", "")
	}
	return nil
}

func errPaused(op string) error {
	return fault.New(op, fault.CodeSubscriptionPaused, "the subscription is paused: resume it before its cycle changes, or change its plan at the end of the cycle")
}

func sameQuota(a, b Allowance) bool { return a.Quota == b.Quota }

// moveEnd lets the subscription end when the upsert says, or else when its plan is over.
func (c *Subscribe) moveEnd(w *work, sub *Subscription) {
	end := c.EndsAt
	if end.IsZero() {
		end = sub.Terms.Until
	}
	if end == sub.EndsAt {
		return
	}
	change := SubscriptionCancelSet
	sub.EndsAt, sub.Reason = end, c.Reason
	if end == sub.Terms.Until {
		change, sub.Reason = SubscriptionReactivated, ""
	}
	w.tellSubscription(sub, change, "", "")
}

// limit takes the quotas that were agreed with this customer.
func (c *Subscribe) limit(allowances []Allowance) error {
	for name, quota := range c.Limits {
		found := false
		for i := range allowances {
			if a := &allowances[i]; a.ID == name || strings.EqualFold(a.Label, name) {
				a.Quota, found = quota, true
			}
		}
		if !found {
			return fault.New(opSubscribe, fault.CodeInvalidRequest, "the plan has no allowance with the id or label %q", name).In("custom_limits." + name)
		}
	}
	return nil
}

func (c *EndSubscription) decide(w *work) error {
	sub, err := w.the("wallet.EndSubscription", c.N)
	if err != nil {
		return err
	}
	w.note = c.Note
	w.d.Answer.Allowed = true
	c.end(w, sub)
	return nil
}

func (c *EndSubscription) end(w *work, sub *Subscription) {
	end := max(c.At, w.at)
	if c.AtCycleEnd {
		end = sub.CycleEnd
	}
	atOnce := end == w.at && !c.AtCycleEnd
	if end == sub.EndsAt && !atOnce {
		return // as it is
	}
	sub.EndsAt, sub.Reason = end, c.Reason
	if atOnce {
		w.endSubscription(sub)
		return
	}
	w.tellSubscription(sub, SubscriptionCancelSet, "", "")
}

func (c *PauseSubscription) decide(w *work) error {
	sub, err := w.the("wallet.PauseSubscription", c.N)
	if err != nil {
		return err
	}
	w.note = c.Note
	w.d.Answer.Allowed = true
	switch {
	case c.Resume == sub.PausedAt.IsZero():
		return nil // as it is
	case c.Resume:
		w.resume(sub)
	default:
		w.pause(sub)
	}
	return nil
}

func (c *EditSubscription) decide(w *work) error {
	const op = "wallet.EditSubscription"
	sub, err := w.the(op, c.N)
	if err != nil {
		return err
	}
	w.note = c.Note
	if err := c.prolong(sub); err != nil {
		return err
	}
	if !c.NextCycle.IsZero() {
		if c.NextCycle <= w.at {
			return fault.New(op, fault.CodeInvalidTime, "the next cycle must begin in the future").In("next_cycle_at")
		}
		if !sub.PausedAt.IsZero() {
			return errPaused(op)
		}
		w.moveCycleEnd(sub, c.NextCycle)
	}
	for i := range c.Credits {
		if err := w.editCredit(sub, &c.Credits[i]); err != nil {
			return err
		}
	}
	if c.KeepPlan && sub.Next != nil {
		sub.Next = nil
		w.tellSubscription(sub, SubscriptionChangeUnset, "", "")
	}
	if c.KeepOn && sub.EndsAt != sub.Terms.Until {
		sub.EndsAt, sub.Reason = sub.Terms.Until, ""
		w.tellSubscription(sub, SubscriptionReactivated, "", "")
	}
	if c.Data != nil {
		if err := c.Data.check(); err != nil {
			return err
		}
		sub.Metadata = c.Data
	}
	w.tellSubscription(sub, SubscriptionUpdated, "", "")
	if c.End != nil {
		w.note.Reason = c.End.Reason
		c.End.end(w, sub)
	}
	w.d.Answer.Allowed = true
	return nil
}

// prolong lets the plan run longer. An end that is only the plan's moves along.
func (c *EditSubscription) prolong(sub *Subscription) error {
	const op = "wallet.EditSubscription"
	if c.Runs == (catalog.Interval{}) {
		return nil
	}
	if !c.Runs.Valid() {
		return fault.New(op, fault.CodeInvalidRequest, "a plan runs 1 to %d days, weeks, months or years", catalog.MaxIntervalCount).In("period")
	}
	t := &sub.Terms
	if t.Until.IsZero() {
		return fault.New(op, fault.CodeInvalidTime, "the plan runs until it is ended, and no longer than that").In("period")
	}
	longer := c.Runs.After(sub.StartedAt) - t.Runs.After(sub.StartedAt)
	if longer < 0 {
		return fault.New(op, fault.CodeInvalidTime, "how long the plan runs can only become longer").In("period")
	}
	if sub.EndsAt == t.Until {
		sub.EndsAt += longer
	}
	t.Runs, t.Until = c.Runs, t.Until+longer
	return nil
}

// editCredit overrides what was agreed of an included credit, from its next grant on.
func (w *work) editCredit(sub *Subscription, edit *catalog.ProductCredit) error {
	i := slices.IndexFunc(sub.Terms.Credits, func(c IncludedCredit) bool { return c.Credit == edit.Credit })
	if i < 0 {
		return fault.New("wallet.EditSubscription", fault.CodeCreditNotFound, "the plan includes no credit %q", edit.Credit).In("credits")
	}
	sub.Terms.Credits = slices.Clone(sub.Terms.Credits)
	c := &sub.Terms.Credits[i]
	if edit.Amount > 0 {
		c.Amount = edit.Amount
	}
	base := catalog.Credit{Overage: c.Overage, Rollover: c.Rollover, ExpiresAfterDays: c.ExpiresAfterDays}
	c.Overage, c.Rollover = edit.Overage(&base), edit.Rollover(&base)
	if edit.ExpiresAfterDays != nil {
		c.ExpiresAfterDays, c.AtCycleEnd = *edit.ExpiresAfterDays, false
	}
	if edit.LowBalancePercent != nil {
		c.LowPercent = *edit.LowBalancePercent
	}
	err := c.check(w)
	if err == nil {
		err = sub.Terms.fits(sub.quantity())
	}
	if err != nil {
		e := fault.As(err)
		return e.In("credits." + e.Field)
	}
	return nil
}
