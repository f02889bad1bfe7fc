package credits

import (
	"context"
	"fmt"
	"slices"

	"github.com/seed42445051/scrip/caller"
	"github.com/seed42445051/scrip/engine"
	v1 "github.com/seed42445051/scrip/v1"
	"github.com/seed42445051/scrip/wallet"
)

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
	req := caller.Request(s.caller, nil, now.key, &wallet.Deduct{Charge: c, Note: note})
	req.Preview = true
	res, err := s.core.Engine.Do(ctx, req)
	if err != nil {
		return v1.Explanation{}, err
	}
	return now.explainCharge(&c, res), nil
}

func (r *reading) explainCharge(c *wallet.Charge, res engine.Result) v1.Explanation {
	out := v1.Explanation{
		Allowed: res.Allowed, Reasons: reasonsOut(res.Reasons), DrawOrder: []string{}, Candidates: []v1.Candidate{},
		Summary: "The charge would be allowed; these grants would pay, in this order.",
	}
	if r.Reading != nil {
		r.explainGrants(&out, c, res)
		r.explainAllowances(&out, c, res)
	}
	if res.Allowed {
		return out
	}
	missing := res.Shortage.Required - res.Shortage.Available
	out.Required, out.Available = r.measure(c, res.Shortage.Required), r.measure(c, res.Shortage.Available)
	out.Enough = r.measure(c, missing)
	out.Summary = fmt.Sprintf("The charge would be refused: it needs %s and %s is there; %s more would be enough.", out.Required, out.Available, out.Enough)
	return out
}

// explainGrants lists the grants that can pay for the charge in the order in which they would be
// drawn, also where it is refused, and those that cannot. What meters charge is drawn from each
// credit by itself, as if it were named.
func (r *reading) explainGrants(out *v1.Explanation, c *wallet.Charge, res engine.Result) {
	taken := map[int64]int64{}
	draws := func(n int64) bool {
		return slices.ContainsFunc(res.Draw, func(d wallet.Drawn) bool { return d.Grant == n })
	}
	if res.Allowed { // nothing is taken for a charge that is refused
		for _, d := range res.Draw {
			taken[d.Grant] += d.Units
		}
	}
	charges := []*wallet.Charge{c}
	if len(res.Charges) > 0 {
		charges = nil
		for _, credit := range res.Charges {
			charges = append(charges, &wallet.Charge{Credit: credit})
		}
	}
	paying := make([][]*wallet.Grant, len(charges))
	for _, g := range r.State.Open() {
		i := slices.IndexFunc(charges, func(c *wallet.Charge) bool { return c.Credit == "" || c.Credit == g.Credit })
		switch {
		case i >= 0 && (draws(g.N) || g.Status == wallet.GrantActive && g.Available > 0 && g.PaysFor(charges[i])):
			paying[i] = append(paying[i], g)
		case len(out.Excluded) == maxCandidates:
		case i >= 0:
			out.Excluded = append(out.Excluded, r.excluded(g, charges[i]))
		case c.Credit == "":
			out.Excluded = append(out.Excluded, v1.Excluded{GrantID: r.grantID(g.N), CreditID: g.Credit, Because: "metered"})
		}
	}
	for i := range paying {
		order := wallet.CommonOrder(paying[i], r.defs)
		wallet.SortByDrawOrder(paying[i], order)
		r.list(out, paying[i], order, taken)
		switch text := orderText(order); {
		case i == 0:
			out.DrawOrder = text
		case !slices.Equal(out.DrawOrder, text):
			out.DrawOrder = []string{}
		}
	}
}

// explainAllowances tells what the plan's allowances have left, and what they would give.
func (r *reading) explainAllowances(out *v1.Explanation, c *wallet.Charge, res engine.Result) {
	for _, a := range r.State.AllowancesFor(c, res.At) {
		given := int64(0)
		for _, after := range res.Counters {
			if res.Allowed && after.ID == a.ID {
				given = after.Used - a.Used
			}
		}
		out.Allowances = append(out.Allowances, v1.ExplainedAllowance{
			AllowanceID: a.ID, Label: a.Label, Quota: quantity(a.Quota), Remaining: quantity(a.Left()), Taken: quantity(given),
		})
	}
}
