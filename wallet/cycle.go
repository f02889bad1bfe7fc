package wallet

import (
	"math"
	"slices"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/money"
)

// What time does to a subscription (design section 5.5). Grants have rolled over or expired when
// it begins; then, in this order: overage is billed and reset, the next cycle is granted, and what
// is granted repays a deficit.

// Forever is an instant that never comes: the end of a cycle that stands still, and of what is
// counted in it.
const Forever clock.Instant = math.MaxInt64

// boundary is the next instant at which time changes the subscription; zero: none.
func (s *Subscription) boundary() clock.Instant {
	if s == nil || s.Ended || !s.PausedAt.IsZero() {
		return 0
	}
	due := s.CycleEnd
	for i := range s.Included {
		due = min(due, s.Included[i].End)
	}
	if !s.EndsAt.IsZero() {
		due = min(due, s.EndsAt)
	}
	return due
}

// turn takes a subscription over the boundary that is due.
func (w *work) turn() {
	if due := w.s.Subscription.boundary(); due.IsZero() || due > w.at {
		return
	}
	sub := w.subscription()
	if !sub.EndsAt.IsZero() && sub.EndsAt <= w.at {
		w.note = Note{Reason: sub.Reason}
		w.endSubscription(sub)
		return
	}
	w.note = Note{Reason: "cycle ended"}
	if sub.CycleEnd <= w.at {
		w.renew(sub)
		return
	}
	for i := range sub.Included {
		if sub.Included[i].End <= w.at {
			w.resetOverage(sub, i, false)
		}
	}
	w.nextCreditCycles(sub)
}

// renew begins the next billing cycle, under another plan where one waits for it. The credits
// whose own cycle ends with it are granted anew.
func (w *work) renew(sub *Subscription) {
	var lines []InvoiceLine
	switch from := sub.Plan; {
	case sub.Next != nil:
		w.cutGrants(sub)
		lines = w.closeCycle(sub, true)
		w.enterPlan(sub, sub.Next)
		sub.Next = nil
		w.tellSubscription(sub, SubscriptionPlanChanged, from, sub.Plan)
	case sub.TrialEnds == sub.CycleEnd:
		lines = w.closeCycle(sub, false)
		w.tellSubscription(sub, SubscriptionConverted, "", "")
	default:
		lines = w.closeCycle(sub, false)
		w.tellSubscription(sub, SubscriptionRenewed, "", "")
	}
	if start, _ := sub.Terms.Every.Window(sub.Anchor, sub.Zone, w.at); start != w.at {
		// The length of a cycle is another now, or a pause has moved it: it is a whole one all the same.
		w.rollAllowances(sub)
		sub.Anchor = w.at
	}
	w.nextCycle(sub)
	w.billCycle(sub, lines)
}

// unpaidNext stands for the invoice that is about to be issued.
const unpaidNext = -1

// billCycle bills the cycle that has just begun, with what earlier ones left to be billed, and grants
// what it includes: at once, or when it is paid where that is up to a card.
func (w *work) billCycle(sub *Subscription, lines []InvoiceLine) {
	price := w.priceLines(sub)
	sub.Unpaid = 0
	waits := sub.Collect || sub.Outside != "" && sub.PaidTo <= sub.CycleStart
	paid := false
	switch o := w.settling; {
	case len(price) == 0:
	case o != nil && o.Minor == price[0].Minor && o.Currency == price[0].currency:
		w.issuePaid(sub, price, o) // what earlier cycles left is another invoice
		price, paid = nil, true
	case waits:
		sub.Unpaid = unpaidNext
	}
	w.nextCreditCycles(sub)
	if paid {
		w.paidBy(w.settling, sub)
	}
	w.issue(sub, append(price, lines...))
	switch sub.Unpaid {
	case unpaidNext: // what was owed to the customer has paid it
		w.cyclePaid(sub)
	case 0:
		w.recovered(sub)
	}
}

// cyclePaid grants what has waited for the payment of the cycle.
func (w *work) cyclePaid(sub *Subscription) {
	sub.Unpaid = 0
	w.recovered(sub)
	for i := range sub.Included {
		if sub.Included[i].Waits {
			sub.Included[i].Waits = false
			w.include(sub, i, unitsOf(sub, &sub.Terms.Credits[i], w.at))
			if !sub.PausedAt.IsZero() {
				w.reschedule(&sub.Included[i], 0) // as what was granted before the pause
			}
		}
	}
}

// nextCreditCycles begins the next cycle of the credits whose cycle is over.
func (w *work) nextCreditCycles(sub *Subscription) {
	for i := range sub.Included {
		if sub.Included[i].End <= w.at {
			w.nextCreditCycle(sub, i)
		}
	}
}

// closeCycle settles what the cycle that ends has used beyond what it gave: it returns the lines
// that say what it comes to. With all, the credits' own cycles end with it.
func (w *work) closeCycle(sub *Subscription, all bool) []InvoiceLine {
	lines := w.usageLines(sub)
	for i := range sub.Terms.Credits {
		if line, ok := w.overageLine(sub, i); ok {
			lines = append(lines, line)
		}
		if all || sub.Included[i].End <= w.at || sub.Terms.Credits[i].Overage.Behavior == catalog.InvoiceAtBilling {
			w.resetOverage(sub, i, true)
		}
	}
	return lines
}

// nextCycle moves the billing cycle on to the one that begins now.
func (w *work) nextCycle(sub *Subscription) {
	if !sub.CycleEnd.IsZero() && sub.CycleStart < w.at {
		w.moveTallies(sub.CycleStart, w.at)
		sub.Cycles = append(slices.Clone(sub.Cycles), sub.CycleStart)
		if extra := len(sub.Cycles) - MaxCycles; extra > 0 {
			sub.Cycles = sub.Cycles[extra:]
		}
	}
	sub.CycleStart = w.at
	sub.CycleEnd = sub.cycleEnd(sub.Terms.Every, w.at)
	w.moveTallies(sub.CycleStart, sub.CycleEnd)
	w.periodFrom, w.periodTo = 0, 0
}

// cycleEnd is when a cycle of some length that begins now ends: with the trial while that runs.
func (s *Subscription) cycleEnd(every catalog.Interval, at clock.Instant) clock.Instant {
	if s.TrialAt(at) {
		return s.TrialEnds
	}
	_, end := every.Window(s.Anchor, s.Zone, at)
	return end
}

// nextCreditCycle begins the next cycle of an included credit, and grants it.
func (w *work) nextCreditCycle(sub *Subscription, i int) {
	terms, cycle := &sub.Terms.Credits[i], &sub.Included[i]
	*cycle = CreditCycle{Start: w.at, End: sub.cycleEnd(terms.Every, w.at), Waits: sub.Unpaid != 0}
	if !cycle.Waits {
		w.include(sub, i, unitsOf(sub, terms, w.at))
	}
}

// unitsOf is what an included credit grants each cycle, at an instant at which its plan runs: no
// more than a wallet can hold.
func unitsOf(sub *Subscription, terms *IncludedCredit, at clock.Instant) int64 {
	amount := terms.Amount
	if terms.Trial != nil && sub.TrialAt(at) {
		amount = *terms.Trial
	}
	units, err := money.MulDivFloor(amount, sub.quantity(), 1)
	if err != nil {
		return MaxUnits
	}
	return min(units, MaxUnits)
}

// include grants units of an included credit for its running cycle, as far as the wallet has room:
// time must go on.
func (w *work) include(sub *Subscription, i int, units int64) {
	terms, cycle := &sub.Terms.Credits[i], &sub.Included[i]
	def, ok := w.cx.Defs.Credits[terms.Credit]
	if !ok || !def.ArchivedAt.IsZero() {
		return
	}
	units = min(units, w.room(terms.Credit))
	if units <= 0 {
		return
	}
	g := &Grant{
		Credit: terms.Credit, Amount: units, Status: GrantPending, Category: terms.Category, Priority: terms.Priority,
		EffectiveAt: w.at, CreatedAt: w.at, Source: SourceSubscription, SourceID: sub.ID(w.s.ID),
		Scope: terms.Scope, Inherited: terms.Inherited, Rollover: terms.Rollover, Reason: w.note.Reason,
		Actor: w.cx.Actor, Metadata: sub.Metadata,
	}
	w.endIncluded(sub, i, g)
	lane := w.findLane(g.Credit, g.Scope, g.Inherited)
	if lane == 0 {
		lane = w.newLane(g.Credit, g.Scope, g.Inherited) // there was room when the plan was taken
	}
	made := w.addTo(lane, g)
	saved := w.note
	w.note = Note{Reason: w.note.Reason, Metadata: sub.Metadata, RefType: string(SourceSubscription), RefID: g.SourceID}
	w.activate(made, CreditAdded)
	w.note = saved
	w.d.Answer.Grants = append(w.d.Answer.Grants, *made)
	cycle.Grant = made.N
}

// endIncluded says when what an included credit grants ends (design section 5.5). What a trial gave
// and need not expire with it lives as long as what the first paid cycle gives.
func (w *work) endIncluded(sub *Subscription, i int, g *Grant) {
	terms, cycle := &sub.Terms.Credits[i], &sub.Included[i]
	end := cycle.End
	if sub.TrialAt(w.at) {
		if terms.TrialExpires {
			g.ExpiresAt, g.Rollover, cycle.Ends = sub.TrialEnds, catalog.Rollover{}, true
			return
		}
		_, end = terms.Every.Window(sub.Anchor, sub.Zone, sub.TrialEnds)
	}
	switch {
	case terms.AtCycleEnd:
		g.ExpiresAt = end
	case terms.ExpiresAfterDays > 0:
		g.ExpiresAt = catalog.Interval{Count: terms.ExpiresAfterDays, Unit: catalog.Day}.After(w.at)
	}
	bound := terms.AtCycleEnd
	if g.Rollover.Enabled() && (g.ExpiresAt.IsZero() || g.ExpiresAt >= end) {
		g.ExpiresAt, bound = end, true // what rolls over does so with the cycle at the latest
	}
	cycle.Ends = bound && end == cycle.End
}

// resetOverage takes overage away where the policy of the included credit says so: what is
// forgiven with each cycle of the credit, what is billed with the billing cycle.
func (w *work) resetOverage(sub *Subscription, i int, billing bool) {
	terms := &sub.Terms.Credits[i]
	switch terms.Overage.Behavior {
	case catalog.InvoiceAtBilling:
		if !billing {
			return
		}
	case catalog.CarryDeficit, catalog.CarryDeficitAutoRepay:
		return
	}
	w.takeOverage(terms.Credit, sub)
}

func (w *work) takeOverage(credit string, sub *Subscription) {
	over := w.seeCredit(credit).Overage
	if over == 0 {
		return
	}
	saved := w.note
	if sub != nil {
		w.note.RefType, w.note.RefID = string(SourceSubscription), sub.ID(w.s.ID)
	}
	w.book(line{kind: OverageReset, credit: credit, amount: over, overage: -over})
	w.uncoverOverage(w.credit(credit))
	w.note = saved
}

// endSubscription is the end: what was used beyond the plan is billed, and what was granted lives
// on until its own end (dodo.md section 15).
func (w *work) endSubscription(sub *Subscription) {
	if !sub.PausedAt.IsZero() {
		w.goOn(sub)
	}
	lines := w.closeCycle(sub, true)
	sub.Ended, sub.EndsAt, sub.Next = true, w.at, nil
	if sub.CycleStart < w.at {
		w.moveTallies(sub.CycleStart, w.at)
	}
	w.periodFrom, w.periodTo = 0, 0
	w.tellSubscription(sub, SubscriptionEnded, "", "")
	w.issue(sub, lines)
}

// changeNow takes another plan within the cycle.
func (w *work) changeNow(sub *Subscription, c *PlanChange, charge Charging) {
	from := sub.Plan
	if charge == "" || charge == ChargeFull {
		w.cutGrants(sub)
		lines := append(w.withdraw(sub), w.closeCycle(sub, true)...)
		w.fail(sub.keepsBalance(c.Terms.Currency))
		w.rollAllowances(sub)
		sub.TrialEnds, sub.Anchor = 0, w.at
		w.enterPlan(sub, c)
		w.tellSubscription(sub, SubscriptionPlanChanged, from, sub.Plan)
		w.nextCycle(sub)
		w.billCycle(sub, lines)
		return
	}
	lines := w.changeLines(sub, c, charge)
	old := *sub
	w.enterPlan(sub, c)
	w.tellSubscription(sub, SubscriptionPlanChanged, from, sub.Plan)
	for i := range old.Included {
		w.takeUnused(&old, i)
	}
	for i := range sub.Included {
		w.giveRest(sub, i, &old)
	}
	w.issue(sub, lines)
}

// enterPlan replaces the terms, and lets the counts of allowances begin anew, go on, or be full.
func (w *work) enterPlan(sub *Subscription, c *PlanChange) {
	old := *sub
	sub.Plan, sub.Terms = c.Plan, c.Terms
	sub.Terms.begin(w.at)
	if old.Plan == c.Plan && old.Terms.Runs == c.Terms.Runs {
		sub.Terms.Until = old.Terms.Until
	}
	if sub.EndsAt == old.Terms.Until {
		sub.EndsAt = sub.Terms.Until
	}
	if c.Quantity > 0 {
		sub.Quantity = c.Quantity
	}
	sub.Included = make([]CreditCycle, len(c.Terms.Credits))
	sub.Allowances = make([]Allowance, len(c.Allowances))
	var kept []keptCount
	for i, a := range c.Allowances {
		a.WindowStart, a.WindowEnd, a.Used = 0, 0, 0
		a.roll(sub, w.at)
		switch c.OnChange {
		case catalog.KeepCounts:
			kept = w.keepCount(kept, &old, &a)
		case catalog.BlockCounts:
			a.Used = a.Quota
		}
		sub.Allowances[i] = a
	}
	w.recount(kept)
}

// takeUnused is what the old plan loses when it is prorated: of its running grant the smaller of
// what is available and floor(old amount x unused share of the cycle).
func (w *work) takeUnused(old *Subscription, i int) {
	terms, cycle := &old.Terms.Credits[i], &old.Included[i]
	if !terms.Prorate || cycle.Grant == 0 {
		return
	}
	have, ok := w.s.grants[cycle.Grant]
	if !ok || w.see(have).Status != GrantActive {
		return
	}
	g := w.grant(cycle.Grant)
	take := min(g.Available, share(unitsOf(old, terms, w.at), w.at, *cycle))
	if take > 0 {
		w.book(line{kind: Revoked, credit: g.Credit, amount: -take, slices: []Slice{{Grant: g.N, Available: -take}}})
	}
}

// giveRest begins an included credit of the new plan within the running cycle: at once in part
// where it is prorated, with the next cycle where it is not.
func (w *work) giveRest(sub *Subscription, i int, old *Subscription) {
	terms := &sub.Terms.Credits[i]
	cycle := CreditCycle{Start: sub.CycleStart, End: sub.cycleEnd(terms.Every, w.at)}
	if !sub.TrialAt(w.at) {
		cycle.Start, _ = terms.Every.Window(sub.Anchor, sub.Zone, w.at)
	}
	same := func(o IncludedCredit) bool { return o.Credit == terms.Credit && o.Every == terms.Every }
	if k := slices.IndexFunc(old.Terms.Credits, same); k >= 0 {
		cycle = CreditCycle{Start: old.Included[k].Start, End: old.Included[k].End}
	}
	sub.Included[i] = cycle
	switch {
	case sub.Unpaid != 0:
		sub.Included[i].Waits = true // what the cycle includes comes when it is paid, as the plan is by then
	case terms.Prorate:
		w.include(sub, i, share(unitsOf(sub, terms, w.at), w.at, cycle))
	}
}

// share is floor(amount x what is left of the cycle / all of it).
func share(amount int64, at clock.Instant, c CreditCycle) int64 {
	if c.End <= at || c.End <= c.Start {
		return 0
	}
	part, err := money.MulDivFloor(amount, int64(c.End-max(at, c.Start)), int64(c.End-c.Start))
	if err != nil {
		return 0
	}
	return part
}

// cutGrants ends now what was granted until the end of cycles that are cut short.
func (w *work) cutGrants(sub *Subscription) {
	for i := range sub.Included {
		w.reschedule(&sub.Included[i], w.at)
	}
	saved := w.note
	w.endDue()
	w.note = saved
}

// reschedule gives the grant of a cycle another end, if it ends with the cycle. One that is used up
// gets it as well: what is given back to it later ends with it.
func (w *work) reschedule(cycle *CreditCycle, to clock.Instant) {
	if !cycle.Ends {
		return
	}
	have := w.s.grantOrNew(w, cycle.Grant)
	if have == nil {
		w.fail(&Missing{Needs{Grants: []int64{cycle.Grant}}})
		return
	}
	if have = w.see(have); have.Status == GrantActive && have.ExpiresAt != to {
		w.grant(cycle.Grant).ExpiresAt = to
	}
}

// moveCycleEnd lets the running cycle end at another instant, and the following ones with it.
func (w *work) moveCycleEnd(sub *Subscription, end clock.Instant) {
	w.rollAllowances(sub)
	old := sub.CycleEnd
	if sub.TrialEnds == old {
		sub.TrialEnds = end
	}
	sub.Anchor, sub.CycleEnd = end, end
	for i := range sub.Included {
		c := &sub.Included[i]
		next := end
		if c.End != old {
			next = sub.cycleEnd(sub.Terms.Credits[i].Every, w.at)
		}
		c.End = next
		w.reschedule(c, next)
	}
	w.moveTallies(sub.CycleStart, end)
	w.periodFrom, w.periodTo = 0, 0
}

// reanchor follows an outside biller whose cycle begins at another instant, or in another zone. A
// count whose window begins later now begins anew; the cycle that runs ends when the biller's does,
// unless it is a trial.
func (w *work) reanchor(sub *Subscription, anchor clock.Instant) {
	if sub.TrialAt(w.at) {
		w.rollAllowances(sub)
	} else {
		_, end := sub.Terms.Every.Window(anchor, sub.Zone, w.at)
		w.moveCycleEnd(sub, end)
	}
	sub.Anchor = anchor
	var kept []keptCount
	for i := range sub.Allowances {
		a := &sub.Allowances[i]
		from, to := a.WindowStart, a.WindowEnd
		if a.standsStill() {
			from, to = a.Period.Window(anchor, w.at)
		}
		if from > a.WindowStart {
			a.Used = 0
		} else {
			kept = append(kept, keptCount{a.ID, a.WindowStart, from})
		}
		a.WindowStart, a.WindowEnd = from, to
	}
	w.recount(kept)
}

// pause lets the cycle stand still: what was granted until its end does not end meanwhile.
func (w *work) pause(sub *Subscription) {
	w.rollAllowances(sub)
	sub.PausedAt = w.at
	for i := range sub.Included {
		w.reschedule(&sub.Included[i], 0)
	}
	w.moveTallies(sub.CycleStart, Forever)
	w.tellSubscription(sub, SubscriptionPaused, "", "")
}

// resume lets the cycle go on where it was.
func (w *work) resume(sub *Subscription) {
	w.goOn(sub)
	w.tellSubscription(sub, SubscriptionResumed, "", "")
}

// goOn moves everything that was yet to come by the length of the pause. The cycles follow on the
// end of the one that runs: counted from an anchor that moved as far, they would not meet it in
// months of different lengths.
func (w *work) goOn(sub *Subscription) {
	by := w.at - sub.PausedAt
	for i := range sub.Allowances {
		if a := &sub.Allowances[i]; a.standsStill() {
			a.WindowEnd += by
		}
	}
	sub.PausedAt = 0
	for _, at := range []*clock.Instant{&sub.CycleEnd, &sub.EndsAt, &sub.Terms.Until, &sub.TrialEnds} {
		if !at.IsZero() {
			*at += by
		}
	}
	sub.Anchor = sub.CycleEnd
	for i := range sub.Included {
		c := &sub.Included[i]
		c.End += by
		w.reschedule(c, c.End)
	}
	w.moveTallies(sub.CycleStart, sub.CycleEnd)
	w.periodFrom, w.periodTo = 0, 0
}

// rollAllowances moves every allowance to the window that holds now, before windows are counted
// from elsewhere: they must not depend on when somebody looked last.
func (w *work) rollAllowances(sub *Subscription) {
	for i := range sub.Allowances {
		sub.Allowances[i].roll(sub, w.at)
	}
}

// moveTallies lets the tallies of the running cycle end when it does.
func (w *work) moveTallies(from, to clock.Instant) {
	for key, have := range w.s.tallies {
		if key.From != from || have.To == to {
			continue
		}
		t, err := w.tallyAt(key, have.To)
		w.fail(err)
		if t != nil {
			t.To = to
		}
	}
}

// running returns the subscription for changing; nil when none runs.
func (w *work) running() *Subscription {
	if !w.s.Subscription.RunsAt(w.at) {
		return nil
	}
	return w.subscription()
}

// the returns the subscription of a number for changing, or says why it cannot be changed.
func (w *work) the(op string, n int64) (*Subscription, error) {
	last := w.s.Subscription
	if last == nil || n < 0 || n > last.N {
		return nil, fault.New(op, fault.CodeSubscriptionNotFound, "the customer has no such subscription").In("subscription_id")
	}
	if n != 0 && n != last.N {
		return nil, fault.New(op, fault.CodeAlreadyCanceled, "the subscription ended, and the customer has another since").In("subscription_id")
	}
	if !last.RunsAt(w.at) {
		return nil, fault.New(op, fault.CodeAlreadyCanceled, "the subscription ended at %s", last.EndsAt).In("subscription_id")
	}
	return w.subscription(), nil
}

// subscription returns the wallet's subscription for changing as a whole. There must be one.
func (w *work) subscription() *Subscription {
	c := w.counting()
	if !w.d.Whole {
		w.d.Whole = true
		c.Included = slices.Clone(c.Included)
	}
	return c
}

// counting returns the subscription for changing the counts of its allowances, and nothing else.
func (w *work) counting() *Subscription {
	if w.d.Subscription == nil {
		c := *w.s.Subscription
		c.Allowances = slices.Clone(c.Allowances)
		w.d.Subscription = &c
	}
	return w.d.Subscription
}

func (w *work) putSubscription(s *Subscription) *Subscription {
	w.d.Subscription, w.d.Whole = s, true
	return s
}

// seeSubscription returns the subscription for reading.
func (w *work) seeSubscription() *Subscription {
	if w.d.Subscription != nil {
		return w.d.Subscription
	}
	return w.s.Subscription
}

// tellSubscription adds a line to the subscription's history.
func (w *work) tellSubscription(sub *Subscription, change SubscriptionChange, from, to string) {
	sub.Events++
	w.d.History = append(w.d.History, SubscriptionEvent{
		Subscription: sub.N, N: sub.Events, Change: change, From: from, To: to, Reason: w.note.Reason, Actor: w.cx.Actor, At: w.at,
	})
}

// overagePolicy is what holds for use of a credit beyond zero: what the running plan agreed, else
// what the credit says.
func (w *work) overagePolicy(credit string) catalog.Overage {
	return w.seeSubscription().overage(w.cx.Defs.Credits[credit], w.at)
}

func (s *Subscription) overage(def *catalog.Credit, at clock.Instant) catalog.Overage {
	if s.RunsAt(at) {
		for i := range s.Terms.Credits {
			if s.Terms.Credits[i].Credit == def.ID {
				return s.Terms.Credits[i].Overage
			}
		}
	}
	return def.Overage
}

// keptCount is a window of the old plan whose count goes on in one of the new.
type keptCount struct {
	allowance string
	from, to  clock.Instant // where the windows start
}

// keepCount carries an allowance's count over from the plan that is left. The window goes on too,
// unless the period is another now.
func (w *work) keepCount(kept []keptCount, was *Subscription, a *Allowance) []keptCount {
	for _, old := range was.Allowances {
		if old.ID != a.ID {
			continue
		}
		old.roll(was, w.at)
		a.Used = old.Used
		if old.Period == a.Period {
			a.WindowStart, a.WindowEnd = old.WindowStart, old.WindowEnd
		}
		kept = append(kept, keptCount{a.ID, old.WindowStart, a.WindowStart})
	}
	return kept
}

// recount lets pending holds give back to the counts that go on, and to no others: what was
// counted under the old plan is not part of a count that begins anew.
func (w *work) recount(kept []keptCount) {
	for _, h := range w.s.lapsing {
		if changed, ok := w.holds[h.N]; ok {
			h = changed
		}
		plan := slices.Clone(h.Plan)
		for i := range plan {
			p := &plan[i]
			in := func(k keptCount) bool { return k.allowance == p.Allowance && k.from == p.WindowStart }
			if k := slices.IndexFunc(kept, in); k >= 0 {
				p.WindowStart = kept[k].to
			} else {
				p.WindowStart = 0
			}
		}
		if !slices.Equal(plan, h.Plan) {
			w.hold(h.N).Plan = plan
		}
	}
}
