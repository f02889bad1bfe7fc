package wallet

import (
	"cmp"
	"slices"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
)

// UsedChange is what an entry did to its credit's lifetime usage: deductions and overage raise
// it, reversals lower it, and overage that a new grant repaid was counted when it was used.
func (e *Entry) UsedChange() int64 {
	switch {
	case e.Type == CreditDeducted && e.RefType != RefRepayment, e.Type == OverageCharged:
		return -e.Amount
	case e.Type == Refund && (e.RefType == RefEntry || e.RefType == RefUsage):
		return -e.Amount
	}
	return 0
}

// SortForReading puts grants in the order in which they are drawn: first what can be drawn, by
// each credit's own order, then the rest, newest first. Where the credits' orders differ, one
// credit follows the other: no order between them would agree with both.
func SortForReading(grants []*Grant, defs *catalog.Definitions) {
	same := sameOrder(grants, defs)
	slices.SortFunc(grants, func(a, b *Grant) int {
		if c := cmp.Compare(readingRank(a), readingRank(b)); c != 0 {
			return c
		}
		if readingRank(a) > 0 {
			return cmp.Compare(b.N, a.N)
		}
		if !same && a.Credit != b.Credit {
			return cmp.Compare(a.Credit, b.Credit)
		}
		return compareBy(orderOf(a, defs))(a, b)
	})
}

// sameOrder reports whether all the grants that can be drawn are of credits with one order.
func sameOrder(grants []*Grant, defs *catalog.Definitions) bool {
	var order []catalog.DrawKey
	for _, g := range grants {
		if readingRank(g) > 0 {
			continue
		}
		if order != nil && !slices.Equal(order, orderOf(g, defs)) {
			return false
		}
		order = orderOf(g, defs)
	}
	return true
}

func readingRank(g *Grant) int {
	if g.Status == GrantActive && g.Available > 0 {
		return 0
	}
	return 1
}

func orderOf(g *Grant, defs *catalog.Definitions) []catalog.DrawKey {
	if def, ok := defs.Credits[g.Credit]; ok {
		return def.DrawOrder
	}
	return catalog.DefaultDrawOrder()
}

// DecidingKey names the criterion that puts a before b; "sequence" when only the number does.
func DecidingKey(a, b *Grant, order []catalog.DrawKey) string {
	for _, key := range order {
		if compareKey(key, a, b) != 0 {
			return string(key)
		}
	}
	return "sequence"
}

// SortByDrawOrder puts grants of one credit in the order in which they are drawn.
func SortByDrawOrder(grants []*Grant, order []catalog.DrawKey) {
	slices.SortFunc(grants, compareBy(order))
}

// Drawable lists the grants that can be drawn now, in order.
func (s *State) Drawable(defs *catalog.Definitions) []*Grant {
	var all []*Grant
	for _, lane := range s.Lanes {
		all = append(all, lane.queue...)
	}
	SortForReading(all, defs)
	return all
}

// CountersAt lists the allowances that concern an event or a glob (all of them when it is
// empty) as they stand in the window of an instant; none without an active subscription.
func (s *State) CountersAt(at clock.Instant, filter string) []Allowance {
	at = max(at, s.LastAt) // as commands decide, whatever the machine's clock says
	if !s.Subscription.ActiveAt(at) {
		return nil
	}
	var found []Allowance
	for _, a := range s.Subscription.Allowances {
		concerns := func(r catalog.Rule) bool { return r.Covers(filter) }
		if filter == "" || slices.ContainsFunc(a.Rules, concerns) {
			a.roll(s.Subscription.StartedAt, at)
			found = append(found, a)
		}
	}
	return found
}
