package wallet

import (
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
	w.revoke(g, kind, c.Amount)
	w.d.Answer.Allowed, w.d.Answer.Grants = true, []Grant{*g}
	return nil
}

// revoke takes back what is left of a grant, or at most some of it, and returns how much it took.
func (w *work) revoke(g *Grant, kind EntryType, most *int64) int64 {
	before := g.Revoked
	all := takesAll(g, most)
	if g.Status == GrantPending {
		w.startToRevoke(g, most)
	}
	w.takeBack(g, kind, most)
	if all && (g.Status == GrantPending || g.Status == GrantActive || g.Held > 0) {
		g.Status = GrantRevoked
	}
	return g.Revoked - before
}

// takesAll reports whether the grant ends with this: a refund often says how much, and when that
// is all that is live, what is held is part of it. What was spent is not: where nothing is held,
// an amount ends only a grant of which nothing was used, so that usage that is reversed later
// comes back to its customer.
func takesAll(g *Grant, most *int64) bool {
	switch {
	case most == nil:
		return true
	case g.Status == GrantPending:
		return *most >= g.Amount-g.Revoked
	case g.Held > 0:
		return *most >= g.Live()
	}
	return g.Live() > 0 && g.Spent == 0 && *most >= g.Live()
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
	w.dispute(g, c.Frozen)
	w.d.Answer.Allowed, w.d.Answer.Grants = true, []Grant{*g}
	return nil
}

// dispute says whether a dispute about a grant is open.
func (w *work) dispute(g *Grant, open bool) {
	g.Disputed = open
	if open && g.Available > 0 {
		w.freeze(g)
	}
	if !open && g.Frozen > 0 {
		w.book(line{
			kind: HoldReleased, credit: g.Credit, amount: g.Frozen,
			slices: []Slice{{Grant: g.N, Available: g.Frozen, Frozen: -g.Frozen}},
		})
	}
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
	w.takeOverage(c.Credit, nil)
	w.d.Answer.Allowed = true
	return nil
}
