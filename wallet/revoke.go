package wallet

import (
	"slices"

	"github.com/seed42445051/scrip/fault"
)

// known returns a grant for changing, or says that it must be fetched or does not exist.
func (w *work) known(op string, n int64) (*Grant, error) {
	if _, ok := w.s.grants[n]; ok {
		return w.grant(n), nil
	}
	if n < 1 || n > w.s.GrantSeq {
		return nil, fault.New(op, fault.CodeGrantNotFound, "there is no such grant")
	}
	return nil, &Missing{Needs{Grants: []int64{n}}}
}

// Revoking takes what is left and unheld; spent credits stay spent. Without an amount it also
// takes what pending holds give back later. Revoking again is no error and takes nothing more
// (vevee-golivekit-stripe.md section 1.6).
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
	if g.Status == GrantPending {
		// Effective at once and gone at once: the ledger shows both, and the balance
		// never held it.
		w.bookStart(g)
	}
	kind := c.Entry
	if kind == "" {
		kind = Revoked
	}
	w.takeBack(g, kind, c.Amount)
	if c.Amount == nil && (g.Status == GrantActive || g.Held > 0) {
		g.Status = GrantRevoked
	}
	w.d.Answer.Allowed, w.d.Answer.Grants = true, []Grant{*g}
	return nil
}

func (w *work) bookStart(g *Grant) {
	g.Status = GrantActive
	w.book(line{kind: CreditAdded, credit: g.Credit, amount: g.Amount, slices: []Slice{{Grant: g.N, Available: g.Amount}}})
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
		w.book(line{
			kind: HoldPlaced, credit: g.Credit, amount: -g.Available,
			slices: []Slice{{Grant: g.N, Available: -g.Available, Frozen: g.Available}},
		})
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

func (c *ResetOverage) decide(w *work) error {
	w.note = c.Note
	if over := w.seeCredit(c.Credit).Overage; over > 0 {
		w.book(line{kind: OverageReset, credit: c.Credit, amount: over, overage: -over})
	}
	w.d.Answer.Allowed = true
	return nil
}

func (c *Subscribe) decide(w *work) error {
	const op = "wallet.Subscribe"
	next := c.Subscription
	if err := checkAllowances(next.Allowances); err != nil {
		return err
	}
	if next.StartedAt.IsZero() {
		next.StartedAt = w.at
	}
	allowances := make([]Allowance, len(next.Allowances))
	for i, a := range next.Allowances {
		a.roll(next.StartedAt, w.at)
		if c.Keep {
			w.keepCount(&a)
		}
		allowances[i] = a
	}
	next.Allowances = allowances
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

// keepCount carries an allowance's count over from the subscription that is replaced.
func (w *work) keepCount(a *Allowance) {
	if w.s.Subscription == nil {
		return
	}
	for _, old := range w.s.Subscription.Allowances {
		if old.ID == a.ID {
			a.Used, a.WindowStart, a.WindowEnd = old.Used, old.WindowStart, old.WindowEnd
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
