package credits

import (
	"context"
	"fmt"
	"slices"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/engine"
	v1 "github.com/seed42445051/scrip/v1"
	"github.com/seed42445051/scrip/wallet"
)

// maxCandidates bounds the grants that an explanation lists.
const maxCandidates = 100

// Explain says which grants an entry concerns, as they stood just before it, and which rule
// put them in their order.
func (s *Session) Explain(ctx context.Context, entryID string) (v1.Explanation, error) {
	e, r, err := s.entry(ctx, entryID)
	if err != nil {
		return v1.Explanation{}, err
	}
	before, err := s.grantsBefore(ctx, r, e)
	if err != nil {
		return v1.Explanation{}, err
	}
	order := orderOf(r.defs, e.Credit)
	taken := map[int64]int64{}
	for _, slice := range e.Slices {
		taken[slice.Grant] = slice.Amount()
	}
	shown := r.view.entry(e)
	out := v1.Explanation{
		Entry: &shown, Allowed: true, DrawOrder: orderText(order), Summary: r.summary(e),
		Candidates: r.candidates(before, order, taken),
	}
	return out, nil
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

// grantsBefore is the grants of the entry's credit that had something to give just before it,
// and those that it touched: the present ones, with every later entry undone.
func (s *Session) grantsBefore(ctx context.Context, r *reading, e *wallet.Entry) ([]*wallet.Grant, error) {
	all, err := s.allGrants(ctx, r, e.Credit)
	if err != nil {
		return nil, err
	}
	later, err := s.entriesAfter(ctx, r, e.EffectiveAt-1)
	if err != nil {
		return nil, err
	}
	then := make(map[int64]*wallet.Grant, len(all))
	for _, g := range all {
		copied := *g
		then[g.N] = &copied
	}
	for i := range later {
		if later[i].Seq < e.Seq {
			continue
		}
		for _, slice := range later[i].Slices {
			if g, ok := then[slice.Grant]; ok {
				g.Available -= slice.Available
				g.Held -= slice.Held
				g.Frozen -= slice.Frozen
			}
		}
	}
	touched := func(n int64) bool {
		return slices.ContainsFunc(e.Slices, func(s wallet.Slice) bool { return s.Grant == n })
	}
	var before []*wallet.Grant
	for _, g := range then {
		if g.Available > 0 || touched(g.N) {
			before = append(before, g)
		}
	}
	wallet.SortByDrawOrder(before, orderOf(r.defs, e.Credit))
	return before, nil
}

func (r *reading) candidates(grants []*wallet.Grant, order []catalog.DrawKey, taken map[int64]int64) []v1.Candidate {
	out := []v1.Candidate{}
	for i, g := range grants {
		if i == maxCandidates {
			break
		}
		p := r.precision(g.Credit)
		because := "last"
		if i+1 < len(grants) {
			because = wallet.DecidingKey(g, grants[i+1], order)
		}
		out = append(out, v1.Candidate{
			GrantID: r.grantID(g.N), CreditID: g.Credit, Available: decimal(g.Available, p), Taken: decimal(taken[g.N], p),
			Priority: g.Priority, Category: string(g.Category), ExpiresAt: g.ExpiresAt, Because: because,
		})
	}
	return out
}

// summary says in a sentence what an entry did.
func (r *reading) summary(e *wallet.Entry) string {
	amount := decimal(max(e.Amount, -e.Amount), r.precision(e.Credit))
	unit := "credits"
	if def, ok := r.defs.Credits[e.Credit]; ok {
		unit = def.Unit
	}
	grants := fmt.Sprintf("%d grants", len(e.Slices))
	if len(e.Slices) == 1 {
		grants = "one grant"
	}
	switch e.Type {
	case wallet.CreditAdded, wallet.AutoTopUp:
		return fmt.Sprintf("%s %s were granted.", amount, unit)
	case wallet.CreditDeducted:
		return fmt.Sprintf("%s %s were taken from %s, in the draw order below.", amount, unit, grants)
	case wallet.CreditExpired:
		return fmt.Sprintf("%s %s were unused when their grant ended, and expired.", amount, unit)
	case wallet.CreditRolledOver:
		return fmt.Sprintf("%s %s moved between an ended grant and the grant it rolled over into.", amount, unit)
	case wallet.RolloverForfeited:
		return fmt.Sprintf("%s %s had rolled over as often as they may, and were forfeited.", amount, unit)
	case wallet.OverageCharged:
		return fmt.Sprintf("%s %s were used beyond zero and became overage.", amount, unit)
	case wallet.OverageReset:
		return fmt.Sprintf("%s %s of overage were taken away.", amount, unit)
	case wallet.Refund:
		if e.Amount > 0 {
			return fmt.Sprintf("%s %s of usage were given back to %s that they came from.", amount, unit, grants)
		}
		return fmt.Sprintf("%s %s were taken back because their price was refunded.", amount, unit)
	case wallet.Revoked:
		return fmt.Sprintf("%s %s were revoked.", amount, unit)
	case wallet.HoldPlaced:
		return fmt.Sprintf("%s %s were set aside in %s.", amount, unit, grants)
	case wallet.HoldReleased:
		return fmt.Sprintf("%s %s went back to %s that they were set aside in.", amount, unit, grants)
	default:
		return fmt.Sprintf("The balance was adjusted by hand by %s %s.", decimal(e.Amount, r.precision(e.Credit)), unit)
	}
}

// ExplainCharge says which grants would pay for a charge now, or why it would be refused and
// what would have been enough.
func (s *Session) ExplainCharge(ctx context.Context, r v1.CanUseRequest) (v1.Explanation, error) {
	c, note, err := s.charge(ctx, &r.Charge)
	if err != nil {
		return v1.Explanation{}, err
	}
	now, err := s.read(ctx, r.CustomerID)
	if err != nil {
		return v1.Explanation{}, err
	}
	req := s.request(now.key, &wallet.Deduct{Charge: c, Note: note}, nil)
	req.Preview = true
	res, err := s.core.Engine.Do(ctx, req)
	if err != nil {
		return v1.Explanation{}, err
	}
	return now.explainCharge(&c, res), nil
}

func (r *reading) explainCharge(c *wallet.Charge, res engine.Result) v1.Explanation {
	order := orderOf(r.defs, c.Credit)
	out := v1.Explanation{
		Allowed: res.Allowed, Reasons: reasonsOut(res.Reasons), DrawOrder: orderText(order),
		Summary: "The charge would be allowed; these grants would pay, in this order.",
	}
	taken := map[int64]int64{}
	var paying []*wallet.Grant
	if r.Reading != nil {
		for _, d := range res.Draw {
			if g, ok := r.Grant(d.Grant); ok {
				paying = append(paying, g)
				taken[d.Grant] = d.Units
			}
		}
	}
	out.Candidates = r.candidates(paying, order, taken)
	if res.Allowed {
		return out
	}
	missing := res.Shortage.Required - res.Shortage.Available
	out.Required, out.Available = r.measure(c, res.Shortage.Required), r.measure(c, res.Shortage.Available)
	out.Enough = r.measure(c, missing)
	out.Summary = fmt.Sprintf("The charge would be refused: it needs %s and %s is there; %s more would be enough.", out.Required, out.Available, out.Enough)
	return out
}
