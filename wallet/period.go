package wallet

import (
	"slices"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
)

// billingPeriod is the period that an instant falls into.
func (w *work) billingPeriod(at clock.Instant) (from, to clock.Instant) {
	if at >= w.periodFrom && at < w.periodTo {
		return w.periodFrom, w.periodTo
	}
	sub := w.seeSubscription()
	from, to = billingPeriod(sub, at)
	if _, _, ok := sub.period(at); ok || sub == nil { // else another cycle may lie within the month
		w.periodFrom, w.periodTo = from, to
	}
	return from, to
}

// BillingPeriod is the half-open period over which meters count, at an instant: the cycle of the
// subscription that ran then, else the month of the calendar in UTC.
func (s *State) BillingPeriod(at clock.Instant) (from, to clock.Instant) {
	return billingPeriod(s.Subscription, at)
}

func billingPeriod(sub *Subscription, at clock.Instant) (from, to clock.Instant) {
	if from, to, ok := sub.period(at); ok {
		return from, to
	}
	return catalog.Period{Kind: catalog.Monthly, Anchor: catalog.AnchorCalendar}.Window(at, at)
}

// period is the cycle that holds an instant; false when the subscription did not run then, as far
// as it remembers.
func (s *Subscription) period(at clock.Instant) (from, to clock.Instant, ok bool) {
	switch {
	case s == nil || at < s.StartedAt:
		return 0, 0, false
	case at >= s.CycleStart && !s.PausedAt.IsZero():
		return s.CycleStart, Forever, true
	case !s.EndsAt.IsZero() && at >= s.EndsAt:
		return 0, 0, false
	case at >= s.CycleStart && s.Ended:
		return s.CycleStart, s.EndsAt, true
	case at >= s.CycleEnd:
		from, to = s.Terms.Every.Window(s.Anchor, s.Zone, at)
		return max(from, s.CycleEnd), to, true
	case at >= s.CycleStart:
		return s.CycleStart, s.CycleEnd, true
	}
	i, found := slices.BinarySearch(s.Cycles, at)
	if !found {
		i--
	}
	if i < 0 {
		return 0, 0, false
	}
	to = s.CycleStart
	if i+1 < len(s.Cycles) {
		to = s.Cycles[i+1]
	}
	return s.Cycles[i], to, true
}
