package model

import (
	"cmp"
	"maps"
	"slices"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/wallet"
)

// Subject is one wallet under test: a bare wallet.State, or an engine over some store.
type Subject interface {
	// Do carries a command out at an instant; a nil command only lets time pass. A denial is an
	// answer, what makes no sense an error with a fault code.
	Do(at clock.Instant, c wallet.Command) (wallet.Answer, error)
	// View tells how the wallet stands at the instant of the last Do.
	View() View
}

// Restarter is a Subject that can lose what it has in memory. That must change nothing.
type Restarter interface{ Restart() }

// Redefiner is a Subject whose definitions can be edited.
type Redefiner interface{ Redefine(*catalog.Definitions) }

// View is how a wallet stands.
type View struct {
	Grants   []GrantView // all that ever were, by number
	Holds    []HoldView  // all that ever were, by number
	Credits  []CreditView
	Counters []CounterView
	Entries  []wallet.Entry // all, oldest first
}

// GrantView is a grant's buckets and fate.
type GrantView struct {
	N                                                            int64
	Credit                                                       string
	Amount                                                       int64
	Available, Frozen, Held, Spent, Expired, Revoked, RolledOver int64
	Status                                                       wallet.GrantStatus
	Disputed                                                     bool
	EffectiveAt, ExpiresAt, EndedAt                              clock.Instant
	RolloverCount                                                int
	Parent, RolledInto                                           int64
}

// HoldView is a hold's measure and fate.
type HoldView struct {
	N         int64
	Status    wallet.HoldStatus
	Measure   int64
	Committed int64
	ExpiresAt clock.Instant
}

// CreditView is the standing in one credit.
type CreditView struct {
	Credit            string
	Paid, Promotional wallet.Sums
	Overage           int64
	OverageHeld       int64
	Used              int64
}

// CounterView is an allowance in its present window.
type CounterView struct {
	ID         string
	Used       int64
	Start, End clock.Instant
}

// ViewGrant reads a grant.
func ViewGrant(g *wallet.Grant) GrantView {
	return GrantView{
		N: g.N, Credit: g.Credit, Amount: g.Amount, Available: g.Available, Frozen: g.Frozen, Held: g.Held,
		Spent: g.Spent, Expired: g.Expired, Revoked: g.Revoked, RolledOver: g.RolledOver,
		Status: g.ReadStatus(), Disputed: g.Disputed, EffectiveAt: g.EffectiveAt, ExpiresAt: g.ExpiresAt,
		EndedAt: g.EndedAt, RolloverCount: g.RolloverCount, Parent: g.Parent, RolledInto: g.RolledInto,
	}
}

// ViewHold reads a hold.
func ViewHold(h *wallet.Hold) HoldView {
	return HoldView{N: h.N, Status: h.Status, Measure: h.Measure(), Committed: h.Committed, ExpiresAt: h.ExpiresAt}
}

// ViewCredits reads the standings; those that say nothing are left out.
func ViewCredits(credits map[string]*wallet.CreditState) []CreditView {
	var views []CreditView
	for _, id := range slices.Sorted(maps.Keys(credits)) {
		c := credits[id]
		v := CreditView{
			Credit: id, Paid: c.Paid, Promotional: c.Promotional,
			Overage: c.Overage, OverageHeld: c.OverageHeld, Used: c.Used,
		}
		if v != (CreditView{Credit: id}) {
			views = append(views, v)
		}
	}
	return views
}

// ViewCounters reads the allowances of a subscription as a reader at an instant must: a window
// that is over has nothing counted in the one that runs.
func ViewCounters(s *wallet.Subscription, at clock.Instant) []CounterView {
	if s == nil {
		return nil
	}
	var views []CounterView
	for i := range s.Allowances {
		a := &s.Allowances[i]
		v := CounterView{ID: a.ID, Used: a.Used, Start: a.WindowStart, End: a.WindowEnd}
		if v.End != 0 && (at < v.Start || at >= v.End) {
			v.Used = 0
			v.Start, v.End = a.Period.Window(s.StartedAt, at)
		}
		views = append(views, v)
	}
	return views
}

// View tells what the model expects.
func (m *Model) View() View {
	v := View{Grants: make([]GrantView, 0, len(m.grants)), Holds: make([]HoldView, 0, len(m.holds))}
	ids := map[string]*CreditView{}
	standing := func(credit string) *CreditView {
		if ids[credit] == nil {
			ids[credit] = &CreditView{Credit: credit}
		}
		return ids[credit]
	}
	for i := range m.grants {
		g := &m.grants[i]
		v.Grants = append(v.Grants, g.view())
		c := standing(g.credit)
		sums := &c.Paid
		if g.category == catalog.Promotional {
			sums = &c.Promotional
		}
		sums.Available += g.available
		sums.Frozen += g.frozen
		sums.Held += g.held
	}
	for i := range m.holds {
		h := &m.holds[i]
		v.Holds = append(v.Holds, HoldView{N: h.n, Status: h.status, Measure: h.measure(), Committed: h.committed, ExpiresAt: h.expires})
		if h.overage != nil {
			standing(h.overage.Credit)
		}
	}
	for i := range m.ledger {
		standing(m.ledger[i].credit).Used += m.ledger[i].used
	}
	for id, c := range ids {
		c.Overage, c.OverageHeld = m.overage(id), m.overageHeld(id)
		if *c != (CreditView{Credit: id}) {
			v.Credits = append(v.Credits, *c)
		}
	}
	slices.SortFunc(v.Credits, func(a, b CreditView) int { return cmp.Compare(a.Credit, b.Credit) })
	if m.plan != nil {
		for i := range m.plan.allowances {
			a := &m.plan.allowances[i]
			v.Counters = append(v.Counters, CounterView{ID: a.id, Used: a.used, Start: a.start, End: a.end})
		}
	}
	return v
}

func (g *grant) view() GrantView {
	v := GrantView{
		N: g.n, Credit: g.credit, Amount: g.amount, Available: g.available, Frozen: g.frozen, Held: g.held,
		Spent: g.spent, Expired: g.expired, Revoked: g.revoked, RolledOver: g.rolledOut,
		Status: g.status, Disputed: g.disputed, EffectiveAt: g.effective, ExpiresAt: g.expires,
		EndedAt: g.ended, RolloverCount: g.rolled, Parent: g.parent, RolledInto: g.into,
	}
	if g.status == wallet.GrantActive && g.live() == 0 {
		v.Status = wallet.GrantDepleted
	}
	return v
}
