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

// PaysFor reports whether a grant with something left would pay for a charge.
func (g *Grant) PaysFor(c *Charge) bool {
	_, ok := c.accepted(g.Scope, g.Inherited)
	return ok && (c.Credit == "" || g.Credit == c.Credit)
}

// CommonOrder is the order between grants that pay for one charge: their credits' own where that
// is the same, else the default. It is what commonOrder comes to for what is left in their lanes.
func CommonOrder(grants []*Grant, defs *catalog.Definitions) []catalog.DrawKey {
	var order []catalog.DrawKey
	for _, g := range grants {
		own := orderOf(g, defs)
		if order != nil && !slices.Equal(order, own) {
			return catalog.DefaultDrawOrder()
		}
		order = own
	}
	if order == nil {
		return catalog.DefaultDrawOrder()
	}
	return order
}

// SortByDrawOrder puts grants in the order in which they are drawn for one charge.
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

// Usable lists the grants that a customer can use: those that can be drawn now, in order, and then
// those of which holds have set all aside, since what is held may come back.
func (s *State) Usable(defs *catalog.Definitions) []*Grant {
	all := s.Drawable(defs)
	for _, g := range s.Open() {
		if g.Status == GrantActive && g.Available == 0 && g.Held > 0 {
			all = append(all, g)
		}
	}
	return all
}

// AllowancesFor lists the allowances that count a charge, as they stand in the window of an
// instant; none without an active subscription.
func (s *State) AllowancesFor(c *Charge, at clock.Instant) []Allowance {
	at = max(at, s.LastAt)
	if !c.Gated() || !s.Subscription.ActiveAt(at) {
		return nil
	}
	var found []Allowance
	for _, a := range s.Subscription.Allowances {
		if _, ok := a.Rules.Match(c.Event, c.Metadata); ok {
			a.roll(s.Subscription, at)
			found = append(found, a)
		}
	}
	return found
}

// Open lists the grants that hold something, or will when they begin, by their number.
func (s *State) Open() []*Grant {
	var all []*Grant
	for _, g := range s.grants {
		if g.open() {
			all = append(all, g)
		}
	}
	slices.SortFunc(all, func(a, b *Grant) int { return cmp.Compare(a.N, b.N) })
	return all
}

// CountersAt lists the allowances that concern an event or a glob (all of them when it is
// empty) as they stand in the window of an instant; none without an active subscription.
func (s *State) CountersAt(at clock.Instant, filter string) []Allowance {
	at = max(at, s.LastAt) // as commands decide, whatever the machine's clock says
	if !s.Subscription.ActiveAt(at) {
		return nil
	}
	return s.Subscription.Counters(at, filter)
}

// Counters lists the allowances that concern an event or a glob, all of them when it is empty, as
// they stand in the window of an instant.
func (s *Subscription) Counters(at clock.Instant, filter string) []Allowance {
	var found []Allowance
	for _, a := range s.Allowances {
		concerns := func(r catalog.Rule) bool { return r.Covers(filter) }
		if filter == "" || slices.ContainsFunc(a.Rules, concerns) {
			a.roll(s, at)
			found = append(found, a)
		}
	}
	return found
}
