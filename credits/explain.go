package credits

import (
	"context"
	"slices"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/id"
	v1 "github.com/seed42445051/scrip/v1"
	"github.com/seed42445051/scrip/wallet"
)

// maxCandidates bounds the grants that an explanation lists, and those that it lists as excluded.
const maxCandidates = 100

// Explain says which grants an entry concerns, as they stood just before it, and which rule
// put them in their order.
func (s *Session) Explain(ctx context.Context, entryID string) (v1.Explanation, error) {
	e, r, err := s.entry(ctx, entryID)
	if err != nil {
		return v1.Explanation{}, err
	}
	shown := r.view.entry(e)
	out := v1.Explanation{Entry: &shown, Allowed: true, Summary: r.summary(e), DrawOrder: []string{}, Candidates: []v1.Candidate{}}
	p := past{reading: r, entry: e, drew: drew(e)}
	if err := s.lookBack(ctx, &p); err != nil {
		return v1.Explanation{}, err
	}
	p.explain(&out)
	return out, nil
}

// past is what an explanation knows of the moment before an entry.
type past struct {
	*reading
	entry  *wallet.Entry
	drew   bool            // a draw order decided which grants it took from
	charge *wallet.Charge  // that it paid for; nil: none, or every grant of its credit may pay
	hold   *wallet.Hold    // that it belongs to; nil: none
	before []*wallet.Grant // what had something left, and what it touched
	taken  map[int64]int64 // by grant
	paid   []int64         // the grants it touched, in their order
}

// drew reports whether an entry took from what was available, along a draw order. A commit takes
// from what was held, and the repayment of overage from the grant that just began.
func drew(e *wallet.Entry) bool {
	switch e.Type {
	case wallet.CreditDeducted, wallet.ManualAdjustment:
		return e.RefType != wallet.RefRepayment && slices.ContainsFunc(e.Slices, func(s wallet.Slice) bool { return s.Available < 0 && s.Held == 0 })
	case wallet.HoldPlaced: // in a dispute credits are frozen, not held
		return slices.ContainsFunc(e.Slices, func(s wallet.Slice) bool { return s.Held > 0 })
	}
	return false
}

// lookBack reads what the entry's command found.
func (s *Session) lookBack(ctx context.Context, p *past) error {
	if err := s.findCharge(ctx, p); err != nil {
		return err
	}
	from, credit := p.entry.Seq, p.entry.Credit
	if p.drew {
		from = p.entry.Op // a command draws from all its credits at once, and writes an entry for each
	}
	if p.charge != nil && p.charge.Gated() && p.charge.Credit == "" {
		credit = ""
	}
	later, err := s.entriesAfter(ctx, p.reading, p.entry.EffectiveAt-1)
	if err != nil {
		return err
	}
	all, err := s.allGrants(ctx, p.reading, credit)
	if err != nil {
		return err
	}
	p.undo(all, later, from)
	return nil
}

// findCharge finds out what the entry paid for: its reservation says it, or its event, or else it
// was a direct charge of its credit.
func (s *Session) findCharge(ctx context.Context, p *past) error {
	e := p.entry
	if e.RefType == wallet.RefReservation {
		_, n, err := id.ParseObject(id.PrefixReservation, e.RefID)
		if err != nil {
			return err
		}
		if p.hold, err = s.holdOf(ctx, p.reading, n); err != nil || p.hold == nil {
			return err
		}
		p.charge = &p.hold.Charge
	}
	switch {
	case !p.drew || p.charge != nil || e.Type == wallet.ManualAdjustment:
	case e.RefType == wallet.RefEvent:
		p.charge = &wallet.Charge{Event: e.RefID, Metadata: e.Metadata}
	default:
		p.charge = &wallet.Charge{Credit: e.Credit}
	}
	return nil
}

// holdOf returns a hold, be it closed; nil when there is none.
func (s *Session) holdOf(ctx context.Context, r *reading, n int64) (*wallet.Hold, error) {
	if h, ok := r.Hold(n); ok {
		return h, nil
	}
	found, err := s.core.Store.Fetch(ctx, r.State.ID, wallet.Needs{Holds: []int64{n}})
	if err != nil || len(found.Holds) == 0 {
		return nil, err
	}
	return found.Holds[0], nil
}

// undo takes every entry from a sequence on back from the present grants, and keeps what had
// something left, or what the entry touched.
func (p *past) undo(all []*wallet.Grant, later []wallet.Entry, from int64) {
	then := make(map[int64]*wallet.Grant, len(all))
	for _, g := range all {
		copied := *g
		then[g.N] = &copied
	}
	p.taken = map[int64]int64{}
	for i := range later {
		l := &later[i]
		for _, slice := range l.Slices {
			g := then[slice.Grant]
			if l.Seq < from || g == nil {
				continue
			}
			g.Available -= slice.Available
			g.Held -= slice.Held
			g.Frozen -= slice.Frozen
			if l.Seq == p.entry.Seq || p.drew && l.Op == p.entry.Op && l.Type == p.entry.Type {
				p.taken[slice.Grant] += max(0, -slice.Amount())
			}
		}
	}
	for _, slice := range p.entry.Slices {
		p.paid = append(p.paid, slice.Grant)
	}
	for _, g := range all {
		if _, touched := p.taken[g.N]; touched || then[g.N].Available > 0 {
			p.before = append(p.before, then[g.N])
		}
	}
}

// explain tells the grants that could pay in the order that decided, and the others as excluded.
func (p *past) explain(out *v1.Explanation) {
	p.tellAllowances(out)
	var paying []*wallet.Grant
	for _, g := range p.before {
		_, touched := p.taken[g.N]
		switch {
		case touched || p.drew && (p.charge == nil || g.PaysFor(p.charge)):
			paying = append(paying, g)
		case p.drew:
			out.Excluded = append(out.Excluded, p.excluded(g, p.charge))
		}
	}
	out.Excluded = out.Excluded[:min(len(out.Excluded), maxCandidates)]
	order := p.order(paying)
	if order == nil && p.drew {
		out.OrderLost = true
		out.Summary += " A credit was edited since, so how its grants were ordered then is not known; below are those that were drawn, as they were."
	}
	if order == nil {
		p.listPaid(out, paying)
		return
	}
	wallet.SortByDrawOrder(paying, order)
	out.DrawOrder = orderText(order)
	p.list(out, paying, order, p.taken)
}

// order is how the grants were ordered when the entry was made; nil when no order decided, or when
// that cannot be known: a definition is kept as it is now, so once a credit was edited nobody can
// say how it ordered its grants before.
func (p *past) order(paying []*wallet.Grant) []catalog.DrawKey {
	if !p.drew {
		return nil
	}
	for _, g := range paying {
		def, ok := p.defs.Credits[g.Credit]
		if !ok || def.UpdatedAt > def.CreatedAt && def.UpdatedAt >= p.entry.EffectiveAt {
			return nil
		}
	}
	order := wallet.CommonOrder(paying, p.defs)
	if p.charge == nil { // an adjustment by hand goes by its credit's own
		order = orderOf(p.defs, p.entry.Credit)
	}
	return order
}

// listPaid lists what the entry touched, in the order in which it did.
func (p *past) listPaid(out *v1.Explanation, paying []*wallet.Grant) {
	rank := func(g *wallet.Grant) int {
		if i := slices.Index(p.paid, g.N); i >= 0 {
			return i
		}
		return len(p.paid)
	}
	touched := slices.DeleteFunc(paying, func(g *wallet.Grant) bool { _, ok := p.taken[g.N]; return !ok })
	slices.SortStableFunc(touched, func(a, b *wallet.Grant) int { return rank(a) - rank(b) })
	p.list(out, touched, nil, p.taken)
}

// tellAllowances tells what a reservation counted against allowances. A charge at once leaves that
// to the counters: the ledger is of credits.
func (p *past) tellAllowances(out *v1.Explanation) {
	if p.hold == nil {
		return
	}
	for _, part := range p.hold.Plan {
		out.Allowances = append(out.Allowances, v1.ExplainedAllowance{AllowanceID: part.Allowance, Taken: quantity(part.Micros)})
	}
}

func orderOf(defs *catalog.Definitions, credit string) []catalog.DrawKey {
	if def, ok := defs.Credits[credit]; ok {
		return def.DrawOrder
	}
	return catalog.DefaultDrawOrder()
}

func orderText(order []catalog.DrawKey) []string {
	out := make([]string, len(order))
	for i, key := range order {
		out[i] = string(key)
	}
	return out
}

// list lists more grants with the criterion that put each before the next; none without an order.
func (r *reading) list(out *v1.Explanation, grants []*wallet.Grant, order []catalog.DrawKey, taken map[int64]int64) {
	room := max(0, maxCandidates-len(out.Candidates))
	out.LeftOff += max(0, len(grants)-room)
	for i, g := range grants[:min(len(grants), room)] {
		because := ""
		switch {
		case order == nil:
		case i+1 == len(grants):
			because = "last"
		default:
			because = wallet.DecidingKey(g, grants[i+1], order)
		}
		p := r.precision(g.Credit)
		out.Candidates = append(out.Candidates, v1.Candidate{
			GrantID: r.grantID(g.N), CreditID: g.Credit, Available: decimal(g.Available, p), Taken: decimal(taken[g.N], p),
			Priority: g.Priority, Category: string(g.Category), ExpiresAt: g.ExpiresAt, Because: because,
		})
	}
}

// excluded says why a grant does not pay for a charge.
func (r *reading) excluded(g *wallet.Grant, c *wallet.Charge) v1.Excluded {
	because := "scope"
	switch {
	case g.Status == wallet.GrantPending:
		because = "pending"
	case !g.PaysFor(c) && len(g.Scope) == 0:
		because = "no_scope"
	case !g.PaysFor(c):
	case g.Frozen > 0:
		because = "frozen"
	default:
		because = "held"
	}
	return v1.Excluded{GrantID: r.grantID(g.N), CreditID: g.Credit, Because: because}
}
