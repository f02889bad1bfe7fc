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
	Plan     *PlanView      // nil: the subject does not tell, or there never was one
	Sales    *SalesView     // nil: the subject does not tell
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
		frozen := s.PausedAt != 0 && a.Period.Anchor == catalog.AnchorStart && a.Period.Kind != catalog.Lifetime
		if v.End != 0 && (at < v.Start || at >= v.End) && !frozen {
			v.Used = 0
			anchor := s.Anchor
			if a.Period.Kind == catalog.Lifetime {
				anchor = s.StartedAt
			}
			v.Start, v.End = a.Period.Window(anchor, at)
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
		v.Plan = m.planView()
	}
	v.Sales = m.sales()
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

// PlanView is the last subscription, with what ever happened to it and those before it.
type PlanView struct {
	Standing PlanStanding
	Included []IncludedView
	Story    []StoryView
	Invoices []InvoiceView
}

// PlanStanding is how the last subscription stands.
type PlanStanding struct {
	N                                      int64
	Plan, Next                             string
	Quantity                               int64
	StartedAt, EndsAt, TrialEnds, PausedAt clock.Instant
	Ended                                  bool
	Anchor, CycleStart, CycleEnd           clock.Instant
	Cycles                                 int
	Owed                                   int64
}

// IncludedView is the running cycle of an included credit.
type IncludedView struct {
	Credit     string
	Start, End clock.Instant
	Grant      int64
}

// StoryView is a line of the history of subscriptions.
type StoryView struct {
	Subscription int64
	Change       wallet.SubscriptionChange
	From, To     string
	At           clock.Instant
}

// InvoiceView is an invoice.
type InvoiceView struct {
	N, Subscription    int64
	Status             wallet.InvoiceStatus
	Currency           string
	Lines              string
	Total              int64
	From, To           clock.Instant
	IssuedAt, ClosedAt clock.Instant
}

// ViewPlan reads a subscription. What ever happened to it and those before it, oldest first, and
// all invoices by number, were read before.
func ViewPlan(s *wallet.Subscription, story []StoryView, invoices []InvoiceView) *PlanView {
	if s == nil {
		return nil
	}
	v := &PlanView{Standing: PlanStanding{
		N: s.N, Plan: s.Plan, Quantity: max(1, s.Quantity), StartedAt: s.StartedAt, EndsAt: s.EndsAt, TrialEnds: s.TrialEnds,
		PausedAt: s.PausedAt, Ended: s.Ended, Anchor: s.Anchor, CycleStart: s.CycleStart, CycleEnd: s.CycleEnd,
		Cycles: len(s.Cycles), Owed: s.Owed,
	}, Story: story, Invoices: invoices}
	if s.Next != nil {
		v.Standing.Next = s.Next.Plan
	}
	for i, c := range s.Included {
		v.Included = append(v.Included, IncludedView{Credit: s.Terms.Credits[i].Credit, Start: c.Start, End: c.End, Grant: c.Grant})
	}
	return v
}

// ViewStory reads a line of a subscription's history.
func ViewStory(e *wallet.SubscriptionEvent) StoryView {
	return StoryView{Subscription: e.Subscription, Change: e.Change, From: e.From, To: e.To, At: e.At}
}

// ViewInvoice reads an invoice.
func ViewInvoice(in *wallet.Invoice) InvoiceView {
	var lines []billLine
	for _, l := range in.Lines {
		lines = append(lines, billLine{kind: l.Kind, what: l.What, minor: l.Minor})
	}
	return InvoiceView{
		N: in.N, Subscription: in.Subscription, Status: in.Status, Currency: in.Currency, Lines: tellLines(lines),
		Total: in.Total, From: in.From, To: in.To, IssuedAt: in.IssuedAt, ClosedAt: in.ClosedAt,
	}
}

func (m *Model) planView() *PlanView {
	p := m.plan
	v := &PlanView{Standing: PlanStanding{
		N: p.n, Plan: p.id, Quantity: p.quantity, StartedAt: p.starts, EndsAt: p.ends, TrialEnds: p.trial, PausedAt: p.paused,
		Ended: p.ended, Anchor: p.anchor, CycleStart: p.from, CycleEnd: p.to, Cycles: p.past, Owed: p.owed,
	}, Story: m.story, Invoices: m.bills}
	if p.next != nil {
		v.Standing.Next = p.next.Plan
	}
	for i, in := range p.included {
		v.Included = append(v.Included, IncludedView{Credit: p.terms.Credits[i].Credit, Start: in.start, End: in.end, Grant: in.grant})
	}
	return v
}
