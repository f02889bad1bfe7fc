package model

import (
	"math/big"
	"slices"

	"github.com/seed42445051/scrip/wallet"
)

// hearRefund is told of a refund.
func (o *order) hearRefund(news *wallet.OrderNews) {
	o.most = max(o.most, news.Cumulative)
	if news.Refund == "" && news.Own == 0 {
		return
	}
	at := -1
	for i, b := range o.refunds { // one that was asked for here may be known by the provider's id beside it
		if news.Own != 0 && b.own == news.Own && (b.id == "" || news.Refund == "" || b.id == news.Refund) {
			at = i
		}
	}
	for i, b := range o.refunds {
		if news.Refund == "" || b.id != news.Refund || i == at {
			continue
		}
		if at < 0 || b.own != 0 { // the provider's id says more than our number
			at = i
			break
		}
		o.refunds[at].id, o.refunds[at].minor = b.id, b.minor
		o.refunds[at].status = later(o.refunds[at].status, b.status)
		o.refunds = slices.Delete(slices.Clone(o.refunds), i, i+1)
		if i < at {
			at--
		}
		break
	}
	if at < 0 {
		if len(o.refunds) >= wallet.MaxOrderRefunds {
			return
		}
		o.refunds = append(o.refunds, back{own: news.Own, status: wallet.RefundAsked})
		at = len(o.refunds) - 1
	}
	b := &o.refunds[at]
	if news.Refund != "" {
		b.id = news.Refund
	}
	if news.Minor > 0 {
		b.minor = news.Minor
	}
	b.status = later(b.status, news.RefundStatus)
}

// later is the later of two statuses of a refund: one that succeeded can still fail.
func later(a, b wallet.RefundStatus) wallet.RefundStatus {
	for _, s := range []wallet.RefundStatus{wallet.RefundFailed, wallet.RefundSucceeded, wallet.RefundPending} {
		if a == s || b == s {
			return s
		}
	}
	return wallet.RefundAsked
}

// hearDispute is told of a dispute: over is over. In all it is lost if one is, and open while one is.
func (o *order) hearDispute(news *wallet.OrderNews) {
	all := slices.Clone(o.disputes)
	known := false
	for i := range all {
		if all[i].id == news.DisputeID {
			known = true
			if all[i].status == wallet.DisputeOpen {
				all[i].status = news.Dispute
			}
		}
	}
	if !known && len(all) < wallet.MaxOrderDisputes {
		all = append(all, disputeOf{news.DisputeID, news.Dispute})
	}
	o.disputes, o.disputed = all, ""
	for _, d := range all {
		switch {
		case d.status == wallet.DisputeLost || o.disputed == "":
			o.disputed = d.status
		case d.status == wallet.DisputeOpen && o.disputed == wallet.DisputeWon:
			o.disputed = wallet.DisputeOpen
		}
	}
}

// owes is what is to be taken of an item: floor(granted x refunded / paid), all of it once a dispute is
// lost, less what was taken before.
func (o *order) owes(b *bought) int64 {
	target := b.amount
	if o.disputed != wallet.DisputeLost {
		target = 0
		if o.paid > 0 {
			target = scaled(b.amount, big.NewInt(o.refunded()), big.NewInt(o.paid), false).Int64()
		}
	}
	return target - (b.taken - b.again)
}

// balanceOut brings what an item has granted to what is known of its money.
func (m *Model) balanceOut(n int64, i int, decided bool) {
	o := m.orderOf(n)
	b := &o.bought[i]
	grants := m.following(append([]int64{b.grant}, b.instead...))
	if extra := -o.owes(b); extra > 0 {
		m.happened("a refund failed, and credits are given again")
		g := m.newBought(b.item, extra)
		m.grant(g).disputed = o.disputed == wallet.DisputeOpen
		m.begin(m.grant(g), wallet.CreditAdded)
		o = m.orderOf(n)
		b = &o.bought[i]
		b.again += extra
		b.instead = append(slices.Clone(b.instead), g)
	}
	for _, at := range grants {
		if owes := o.owes(b); owes > 0 {
			b.taken += m.takePaid(at, owes)
		}
		if decided {
			m.dispute(&wallet.Freeze{Grant: at, Frozen: o.disputed == wallet.DisputeOpen})
		}
	}
	if o.owes(b) > 0 {
		for h := range m.holds {
			m.holds[h].claim(grants, n, i)
		}
	}
}

// takePaid takes up to so many units of a grant that are not held, and says how many.
func (m *Model) takePaid(n, most int64) int64 {
	g := m.grant(n)
	before := g.revoked
	if g.held == 0 {
		m.revoke(&wallet.RevokeGrant{Grant: n, Amount: &most, Entry: wallet.Refund})
	} else if available, frozen := min(g.available, most), min(g.frozen, most-min(g.available, most)); available+frozen > 0 {
		m.move(wallet.Refund, g.credit, part{n: n, available: -available, frozen: -frozen, revoked: available + frozen})
	}
	return m.grant(n).revoked - before
}

// following is grants and what they rolled over into.
func (m *Model) following(grants []int64) []int64 {
	var all []int64
	for _, n := range grants {
		for ; n != 0; n = m.grant(n).into {
			all = append(all, n)
		}
	}
	return all
}

// claimed is an order that takes what comes back of a grant from a hold.
type claimed struct {
	grant, order int64
	item         int
}

func (h *hold) claim(grants []int64, order int64, item int) {
	if h.status != wallet.ReservationPending {
		return
	}
	for _, s := range h.slices {
		is := func(c claimed) bool { return c.grant == s.Grant }
		if slices.Contains(grants, s.Grant) && !slices.ContainsFunc(h.claims, is) {
			h.claims = append(slices.Clone(h.claims), claimed{s.Grant, order, item})
		}
	}
}

// takeClaimed takes what has come back to a grant for an order that still misses it.
func (m *Model) takeClaimed(h *hold, p part) {
	for _, c := range h.claims {
		if c.grant != p.n {
			continue
		}
		o := m.orderOf(c.order)
		b := &o.bought[c.item]
		if take := min(p.available, o.owes(b)); take > 0 {
			m.happened("taken as it came back")
			g := m.grant(p.n)
			m.move(wallet.Refund, g.credit, part{n: p.n, available: -take, revoked: take})
			b.taken += take
		}
	}
}
