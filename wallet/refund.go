package wallet

import (
	"math/big"
	"slices"

	"github.com/seed42445051/scrip/catalog"
)

// learnRefund takes what is told of money that goes back: of one refund, or of all.
func (w *work) learnRefund(o *Order, n *OrderNews) {
	o.Cumulative = max(o.Cumulative, n.Cumulative)
	if n.Refund == "" && n.Own == 0 {
		return
	}
	i := o.refund(n)
	if i < 0 {
		if len(o.Refunds) >= MaxOrderRefunds {
			return // the cumulative amount still counts
		}
		o.Refunds = append(o.Refunds, OrderRefund{Own: n.Own, Minor: n.Minor, Status: RefundAsked, Reason: n.Reason, At: w.at})
		i = len(o.Refunds) - 1
	}
	r := &o.Refunds[i]
	if n.Refund != "" {
		r.ID = n.Refund
	}
	if n.Minor > 0 {
		r.Minor = n.Minor
	}
	if refundRank(n.RefundStatus) <= refundRank(r.Status) {
		return
	}
	r.Status = n.RefundStatus
	switch r.Status {
	case RefundSucceeded:
		w.d.Told = append(w.d.Told, OrderEvent{Order: o.N, Type: catalog.EventRefundSucceeded, Refund: r.ID, Own: r.Own, At: w.at})
	case RefundFailed:
		w.d.Told = append(w.d.Told, OrderEvent{Order: o.N, Type: catalog.EventRefundFailed, Refund: r.ID, Own: r.Own, At: w.at})
	}
}

// refund finds the refund that news is about; negative: none. One that was asked for here may have been
// told of by the provider's id alone before: then the two are the same.
func (o *Order) refund(n *OrderNews) int {
	named := slices.IndexFunc(o.Refunds, func(r OrderRefund) bool { return n.Refund != "" && r.ID == n.Refund })
	own := slices.IndexFunc(o.Refunds, func(r OrderRefund) bool { return n.Own != 0 && r.Own == n.Own })
	if named < 0 || own < 0 || named == own {
		return max(named, own)
	}
	r, other := &o.Refunds[own], o.Refunds[named]
	if other.Own != 0 || r.ID != "" {
		return named
	}
	r.ID, r.Minor = other.ID, other.Minor
	if refundRank(other.Status) > refundRank(r.Status) {
		r.Status = other.Status
	}
	o.Refunds = slices.Delete(o.Refunds, named, named+1)
	return slices.IndexFunc(o.Refunds, func(r OrderRefund) bool { return r.ID == n.Refund })
}

// refundRank orders what a refund goes through: one that succeeded can fail later, and never the
// other way.
func refundRank(s RefundStatus) int {
	return slices.Index([]RefundStatus{RefundAsked, RefundPending, RefundSucceeded, RefundFailed}, s)
}

// learnDispute takes what is told of one dispute. One that is over stays as it ended, whatever is told of
// it later; the order stands as all of its disputes do.
func (w *work) learnDispute(o *Order, n *OrderNews) {
	i := slices.IndexFunc(o.Disputes, func(d OrderDispute) bool { return d.ID == n.DisputeID })
	if i < 0 {
		if len(o.Disputes) >= MaxOrderDisputes {
			return
		}
		o.Disputes = append(o.Disputes, OrderDispute{ID: n.DisputeID, Status: DisputeOpen})
		i = len(o.Disputes) - 1
	}
	if d := &o.Disputes[i]; d.Status == DisputeOpen {
		d.Status = n.Dispute
	}
	if o.DisputedAt.IsZero() {
		o.DisputedAt = w.at
	}
	stands := o.disputed()
	if stands == o.Dispute {
		return
	}
	o.Dispute = stands
	switch stands {
	case DisputeWon:
		w.tellOrder(o, catalog.EventDisputeWon)
	case DisputeLost:
		w.tellOrder(o, catalog.EventDisputeLost)
	default:
		w.tellOrder(o, catalog.EventDisputeOpened)
	}
}

// disputed is how the order stands with all of its disputes: one that is lost has taken the money, and
// while one is open, how others ended says nothing about it.
func (o *Order) disputed() DisputeStatus {
	for _, status := range []DisputeStatus{DisputeLost, DisputeOpen, DisputeWon} {
		if slices.ContainsFunc(o.Disputes, func(d OrderDispute) bool { return d.Status == status }) {
			return status
		}
	}
	return ""
}

// reconcile brings what the order granted to what is known of its money: taken back in proportion
// to what was refunded, frozen while a dispute is open, gone when it is lost. It acts only when
// that has changed, so that news that comes again does nothing.
func (w *work) reconcile(have, o *Order) error {
	same := have.Status == o.Status && have.Refunded() == o.Refunded() && have.Dispute == o.Dispute
	if w.err != nil || o.Status != OrderPaid || same || len(o.Grants) == 0 {
		return w.err
	}
	for i := range o.Grants {
		if err := w.reconcileGrant(have, o, &o.Grants[i]); err != nil {
			return err
		}
	}
	return nil
}

func (w *work) reconcileGrant(have, o *Order, og *OrderGrant) error {
	chain, err := w.chainOf(og)
	if err != nil {
		return err
	}
	if extra := og.Revoked - og.Returned - og.target(o); extra > 0 {
		if err := w.giveAgain(o, og, extra); err != nil {
			return err
		}
	}
	for _, g := range chain {
		if short := og.Short(o); short > 0 {
			og.Revoked += w.takePaid(g, short)
		}
		if have.Dispute != o.Dispute || have.Status != o.Status && o.Dispute == DisputeOpen { // else support may have frozen it
			w.dispute(g, o.Dispute == DisputeOpen)
		}
	}
	if og.Short(o) > 0 {
		w.claim(chain, o, og)
	}
	return nil
}

// takePaid takes back what is unheld of a grant for money that went back, and returns how much it took.
// Nothing ends a grant of which something is held: what of that comes back may be the customer's.
func (w *work) takePaid(g *Grant, most int64) int64 {
	if g.Held == 0 {
		return w.revoke(g, Refund, &most)
	}
	before := g.Revoked
	w.takeBack(g, Refund, &most)
	return g.Revoked - before
}

// claim marks what holds have set aside of some grants for an order that misses credits: it takes what
// comes back, and what is committed is spent (design section 5.3).
func (w *work) claim(chain []*Grant, o *Order, og *OrderGrant) {
	item := slices.IndexFunc(o.Grants, func(x OrderGrant) bool { return x.Grant == og.Grant })
	held := func(s HoldSlice) bool {
		return s.Order == 0 && slices.ContainsFunc(chain, func(g *Grant) bool { return g.N == s.Grant })
	}
	if !slices.ContainsFunc(chain, func(g *Grant) bool { return g.Held > 0 }) {
		return
	}
	for _, have := range w.s.lapsing {
		if !slices.ContainsFunc(have.Slices, held) {
			continue
		}
		h := w.hold(have.N)
		h.Slices = slices.Clone(h.Slices)
		for i := range h.Slices {
			if held(h.Slices[i]) {
				h.Slices[i].Order, h.Slices[i].Item = o.N, item
			}
		}
	}
}

// takeClaimed takes what has come back to a grant from a hold, as far as the order that claims it still
// misses something: by now the refund may have failed.
func (w *work) takeClaimed(s *HoldSlice, g *Grant, units int64) {
	have, err := w.knownOrder(opTell, s.Order)
	if err != nil {
		w.fail(err)
		return
	}
	take := min(units, have.Grants[s.Item].Short(have))
	if take == 0 {
		return
	}
	o, saved := w.order(have), w.note
	w.note = Note{RefType: RefOrder, RefID: o.ID(w.s.ID), Metadata: o.Metadata}
	before := g.Revoked
	w.takeBack(g, Refund, &take)
	o.Grants[s.Item].Revoked += g.Revoked - before
	w.note = saved
}

// target is how much of a grant is to be taken back: floor(granted x refunded / paid), and all of it
// once a dispute is lost.
func (og *OrderGrant) target(o *Order) int64 {
	if o.Dispute == DisputeLost {
		return og.Amount
	}
	if o.Paid == 0 {
		return 0
	}
	back, paid := o.refundedOf(og)
	back.Mul(back, big.NewInt(og.Amount))
	return min(og.Amount, back.Quo(back, paid).Int64())
}

// refundedOf is what was refunded of what was paid for a grant, as a fraction. What was paid back for
// one product by name counts for its credits alone; the rest counts for all, in proportion to what is
// left of each.
func (o *Order) refundedOf(og *OrderGrant) (back, paid *big.Int) {
	back, paid = big.NewInt(o.Refunded()), big.NewInt(o.Paid)
	if len(o.Cart) == 0 {
		return back, paid
	}
	line := o.Items[slices.IndexFunc(o.Grants, func(x OrderGrant) bool { return x.Grant == og.Grant })].Line
	cost, named := o.Cart[line].Minor, int64(0)
	for i := range o.Cart {
		named += o.LineRefunded(i, false)
	}
	mine, rest := o.LineRefunded(line, false), o.Paid-named
	switch {
	case cost == 0:
		return back, paid
	case rest <= 0:
		return big.NewInt(mine), big.NewInt(cost)
	}
	back.Sub(back, big.NewInt(named)).Mul(back, big.NewInt(cost-mine))
	back.Add(back, new(big.Int).Mul(big.NewInt(mine), big.NewInt(rest)))
	return back, paid.Mul(big.NewInt(cost), big.NewInt(rest))
}

// Short is how much of a grant is still to be taken back, and was spent or is held.
func (og *OrderGrant) Short(o *Order) int64 { return max(0, og.target(o)-(og.Revoked-og.Returned)) }

// chainOf is a grant of an order, what stands in its stead, and what they rolled over into.
func (w *work) chainOf(og *OrderGrant) ([]*Grant, error) {
	var chain []*Grant
	for _, n := range append([]int64{og.Grant}, og.Instead...) {
		for n != 0 {
			if w.s.grantOrNew(w, n) == nil {
				return nil, &Missing{Needs{Grants: []int64{n}}}
			}
			g := w.grantNow(n)
			chain = append(chain, g)
			n = g.RolledInto
		}
	}
	return chain, nil
}

// grantNow returns a grant for changing that may have been made within this very work.
func (w *work) grantNow(n int64) *Grant {
	if g, ok := w.grants[n]; ok {
		return g
	}
	return w.grant(n)
}

// giveAgain grants anew what was taken back for a refund that failed.
func (w *work) giveAgain(o *Order, og *OrderGrant, units int64) error {
	i := slices.IndexFunc(o.Grants, func(x OrderGrant) bool { return x.Grant == og.Grant })
	it := o.ItemOf(i)
	give := GiveCredits{
		Source: SourceRefund, SourceID: o.ID(w.s.ID), Never: it.ExpiresAfterDays == 0, Rollover: it.Rollover, Note: w.note,
	}
	give.Reason = "the refund failed"
	if !give.Never {
		give.ExpiresAt = catalog.Interval{Count: it.ExpiresAfterDays, Unit: catalog.Day}.After(w.at)
	}
	if it.CostBasis != "" {
		give.CostBasis, give.CostCurr = it.CostBasis, o.Currency
	}
	g, err := w.newGrant(&give, catalog.PackItem{ID: it.Item, Credit: it.Credit, Amount: units, Scope: it.Scope, Category: it.Category, Priority: it.Priority})
	if err != nil {
		return err
	}
	g.Disputed = o.Dispute == DisputeOpen
	w.activate(g, CreditAdded)
	og.Returned += units
	og.Instead = append(slices.Clone(og.Instead), g.N)
	return nil
}
