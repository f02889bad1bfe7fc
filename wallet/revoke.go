package wallet

import (
	"slices"

	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
)

// known returns a grant for changing, or says that it must be fetched or does not exist.
func (w *work) known(op string, n int64) (*Grant, error) {
	if _, ok := w.s.grants[n]; ok {
		return w.grant(n), nil
	}
	if n < 1 || n > w.s.GrantSeq {
		return nil, fault.New(op, fault.CodeGrantNotFound, "there is no such grant").In("grant_id")
	}
	return nil, &Missing{Needs{Grants: []int64{n}}}
}

// Revoking takes what is left and unheld; spent credits stay spent. Without an amount, or with
// one that is all there is, it also takes what pending holds give back later. Revoking again is no
// error and takes nothing more (vevee-golivekit-stripe.md section 1.6).
func (c *RevokeGrant) decide(w *work) error {
	const op = "wallet.Revoke"
	w.note = c.Note
	g, err := w.known(op, c.Grant)
	if err != nil {
		return err
	}
	if c.Amount != nil && *c.Amount <= 0 {
		return fault.New(op, fault.CodeInvalidAmount, "the amount to revoke must be positive").In("amount")
	}
	if c.Entry != "" && c.Entry != Revoked && c.Entry != Refund {
		return fault.New(op, fault.CodeInvalidRequest, "credits are taken back by revoked or refund, not by %s", c.Entry)
	}
	kind := c.Entry
	if kind == "" {
		kind = Revoked
	}
	all := c.takesAll(g)
	if g.Status == GrantPending {
		w.startToRevoke(g, c.Amount)
	}
	w.takeBack(g, kind, c.Amount)
	if all && (g.Status == GrantPending || g.Status == GrantActive || g.Held > 0) {
		g.Status = GrantRevoked
	}
	w.d.Answer.Allowed, w.d.Answer.Grants = true, []Grant{*g}
	return nil
}

// takesAll reports whether the grant ends with this: a refund often says how much, and when that
// is all that is live, what is held is part of it. What was spent is not: where nothing is held,
// an amount ends only a grant of which nothing was used, so that usage that is reversed later
// comes back to its customer.
func (c *RevokeGrant) takesAll(g *Grant) bool {
	switch {
	case c.Amount == nil:
		return true
	case g.Status == GrantPending:
		return *c.Amount >= g.Amount-g.Revoked
	case g.Held > 0:
		return *c.Amount >= g.Live()
	}
	return g.Live() > 0 && g.Spent == 0 && *c.Amount >= g.Live()
}

// startToRevoke makes what will be revoked of a pending grant effective: at once and gone at
// once, so that the ledger shows both and the balance never held it. The rest begins when it
// should.
func (w *work) startToRevoke(g *Grant, most *int64) {
	units := g.Amount - g.Revoked
	if most != nil {
		units = min(units, *most)
	}
	w.book(line{kind: CreditAdded, credit: g.Credit, amount: units, slices: []Slice{{Grant: g.N, Available: units}}})
}

// takeBack books at most the given amount off a grant: available first, then frozen.
func (w *work) takeBack(g *Grant, kind EntryType, most *int64) {
	available, frozen := g.Available, g.Frozen
	if most != nil {
		available = min(available, *most)
		frozen = min(frozen, *most-available)
	}
	if available+frozen == 0 {
		return
	}
	w.book(line{
		kind: kind, credit: g.Credit, amount: -(available + frozen),
		slices: []Slice{{Grant: g.N, Available: -available, Frozen: -frozen}},
	})
}

func (c *Freeze) decide(w *work) error {
	const op = "wallet.Freeze"
	w.note = c.Note
	g, err := w.known(op, c.Grant)
	if err != nil {
		return err
	}
	g.Disputed = c.Frozen
	if c.Frozen && g.Available > 0 {
		w.freeze(g)
	}
	if !c.Frozen && g.Frozen > 0 {
		w.book(line{
			kind: HoldReleased, credit: g.Credit, amount: g.Frozen,
			slices: []Slice{{Grant: g.N, Available: g.Frozen, Frozen: -g.Frozen}},
		})
	}
	w.d.Answer.Allowed, w.d.Answer.Grants = true, []Grant{*g}
	return nil
}

// freeze sets aside all that is available in a grant.
func (w *work) freeze(g *Grant) {
	w.book(line{
		kind: HoldPlaced, credit: g.Credit, amount: -g.Available,
		slices: []Slice{{Grant: g.N, Available: -g.Available, Frozen: g.Available}},
	})
}

func (c *ResetOverage) decide(w *work) error {
	w.note = c.Note
	if over := w.seeCredit(c.Credit).Overage; over > 0 {
		w.book(line{kind: OverageReset, credit: c.Credit, amount: over, overage: -over})
		w.uncoverOverage(w.credit(c.Credit))
	}
	w.d.Answer.Allowed = true
	return nil
}

func (c *Subscribe) decide(w *work) error {
	next := c.Subscription
	if err := checkAllowances(next.Allowances); err != nil {
		return err
	}
	if next.StartedAt.IsZero() {
		next.StartedAt = w.at
	}
	allowances := make([]Allowance, len(next.Allowances))
	var kept []keptCount
	for i, a := range next.Allowances {
		a.roll(next.StartedAt, w.at)
		if c.Keep {
			kept = w.keepCount(kept, &a)
		}
		allowances[i] = a
	}
	next.Allowances = allowances
	w.recount(kept)
	w.d.Subscription = &next
	w.d.Answer.Allowed = true
	return nil
}

// checkAllowances refuses what could not be counted: every count goes by the allowance's id.
func checkAllowances(all []Allowance) error {
	const op = "wallet.Subscribe"
	if len(all) > MaxAllowances {
		return fault.New(op, fault.CodeInvalidRequest, "a plan has at most %d allowances", MaxAllowances).In("allowances")
	}
	for i := range all {
		a := &all[i]
		if slices.ContainsFunc(all[:i], func(b Allowance) bool { return b.ID == a.ID }) {
			return fault.New(op, fault.CodeInvalidRequest, "two allowances have the id %q", a.ID).In("allowances.id")
		}
		if a.Quota < 0 || a.Quota > MaxQuantity {
			return fault.New(op, fault.CodeInvalidRequest, "a quota is 0 to %d", int64(MaxQuantity/MicrosPerUnit)).In("allowances.quota")
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

// keptCount is a window of the old subscription whose count goes on in one of the new.
type keptCount struct {
	allowance string
	from, to  clock.Instant // where the windows start
}

// keepCount carries an allowance's count over from the subscription that is replaced. The
// window goes on too, unless the period is another now.
func (w *work) keepCount(kept []keptCount, a *Allowance) []keptCount {
	sub := w.s.Subscription
	if sub == nil {
		return kept
	}
	for _, old := range sub.Allowances {
		if old.ID != a.ID {
			continue
		}
		old.roll(sub.StartedAt, w.at)
		a.Used = old.Used
		if old.Period == a.Period {
			a.WindowStart, a.WindowEnd = old.WindowStart, old.WindowEnd
		}
		kept = append(kept, keptCount{a.ID, old.WindowStart, a.WindowStart})
	}
	return kept
}

// recount lets pending holds give back to the counts that go on, and to no others: what was
// counted under the old subscription is not part of a count that begins anew.
func (w *work) recount(kept []keptCount) {
	for _, h := range w.s.lapsing {
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

func (c *EndSubscription) decide(w *work) error {
	const op = "wallet.EndSubscription"
	sub := w.subscription()
	if sub == nil {
		return fault.New(op, fault.CodeNotFound, "the customer has no subscription")
	}
	if !sub.EndsAt.IsZero() && sub.EndsAt <= w.at {
		return fault.New(op, fault.CodeAlreadyCanceled, "the subscription ended at %s", sub.EndsAt)
	}
	sub.EndsAt = max(c.At, w.at)
	w.d.Answer.Allowed = true
	return nil
}
