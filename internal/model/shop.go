package model

import (
	"fmt"
	"strings"

	"github.com/seed42445051/scrip/wallet"
)

// buy makes an order, or opens the page of one.
func (k *maker) buy() wallet.Command {
	r := k.r
	if n := len(k.m.orders); n > 0 && chance(r, 20) {
		order := k.order()
		return &wallet.OpenOrder{Order: order, Session: fmt.Sprintf("ses_%d_%d", order, r.IntN(3)), URL: "https://page", Customer: pick(r, "cus", "cus", "cus", "cus_2")}
	}
	c := &wallet.PlaceOrder{Provider: "bank", Note: k.note(), SaveCard: chance(r, 60), OffSession: chance(r, 15)}
	switch n := r.IntN(100); {
	case n < 55:
		c.Kind, c.Pack, c.Quantity = wallet.PackOrder, pick(r, k.u.packs...), pick[int64](r, 0, 0, 1, 2, 7)
		if chance(r, 10) {
			c.Overrides = map[string]int64{pick(r, k.u.credits...): k.amount("")}
		}
	case n < 70:
		c.Kind, c.Credit = wallet.CreditOrder, k.credit()
		c.Amount = k.amount(c.Credit)
	case n < 85:
		if s, ok := k.subscribe().(*wallet.Subscribe); ok {
			c.Kind, c.Plan = wallet.PlanOrder, s
			s.Note = wallet.Note{}
		}
	case n < 92:
		c.Kind, c.Invoice = wallet.InvoiceOrder, r.Int64N(int64(len(k.m.bills))+2)
	case n < 96:
		c.Kind = wallet.CardOrder
	default:
		c.Kind, c.Pack = wallet.PackOrder, "pck_unknown"
		switch r.IntN(4) {
		case 0:
			c.Kind = "gift"
		case 1:
			c.Pack, c.Quantity = pick(r, k.u.packs...), pick[int64](r, -1, wallet.MaxOrderQuantity, wallet.MaxOrderQuantity+1)
		case 2:
			c.OpenFor = pick(r, -1, wallet.MinOpenFor-1, wallet.MaxOpenFor+1)
		}
	}
	return c
}

// order is an order, most often the last or one of which something is still to come.
func (k *maker) order() int64 {
	r, n := k.r, int64(len(k.m.orders))
	if chance(r, 40) { // those that are charged without a page are few
		for i := range k.m.orders {
			if k.m.orders[i].status == wallet.OrderDue {
				return k.m.orders[i].n
			}
		}
	}
	if n > 0 && chance(r, 60) {
		var open []int64
		for i := range k.m.orders {
			if o := &k.m.orders[i]; !o.over() || len(o.bought) > 0 {
				open = append(open, o.n)
			}
		}
		if len(open) > 0 {
			return open[max(0, len(open)-1-r.IntN(5))]
		}
	}
	return r.Int64N(n+2) + pick[int64](r, 0, 0, 0, 0, -1)
}

// tellOrder makes news of an order.
func (k *maker) tellOrder() wallet.Command {
	r := k.r
	c := &wallet.TellOrder{Order: k.order()}
	n := &c.News
	if len(k.m.orders) == 0 {
		return k.buy()
	}
	if c.Order < 1 || c.Order > int64(len(k.m.orders)) {
		n.Kind = wallet.NewsProcessing
		return c
	}
	o := &k.m.orders[c.Order-1]
	if chance(r, 20) {
		n.Payment = fmt.Sprintf("pi_%d_%d", c.Order, r.IntN(2)) // a provider never names two orders the same
	}
	switch p := r.IntN(100); {
	case p < 35 || o.status == wallet.OrderOpen && p < 60:
		n.Kind, n.Minor, n.Currency, n.Customer = wallet.NewsPaid, o.minor, o.currency, "cus"
		if chance(r, 80) {
			n.Method = pick(r, "pm_1", "pm_2")
		}
		switch {
		case chance(r, 4):
			n.Minor++
		case chance(r, 3):
			n.Currency = "eur"
		}
	case p < 45 || !o.over() && p < 65 || o.status == wallet.OrderDue && p < 85:
		n.Kind, n.Decline = wallet.NewsDeclined, &wallet.Decline{
			Code: pick(r, "insufficient_funds", "lost_card"), Class: pick(r, wallet.DeclineSoft, wallet.DeclineSoft, wallet.DeclineSoft, wallet.DeclineHard, wallet.DeclineAction),
			Attempt: pick(r, o.attempt, o.attempt, o.attempt, max(0, o.attempt-1)),
		}
	case p < 48:
		n.Kind = pick(r, wallet.NewsProcessing, wallet.NewsExpired, wallet.NewsCard)
	case p < 50:
		n.Kind = wallet.NewsFailed
		if chance(r, 50) {
			n.Decline = &wallet.Decline{Code: "async", Class: wallet.DeclineHard}
		}
	case p < 85:
		k.tellRefund(o, n)
	case p < 98:
		n.Kind, n.DisputeID, n.Dispute = wallet.NewsDispute, pick(r, "dp_1", "dp_1", "dp_2"), pick(r, wallet.DisputeOpen, wallet.DisputeOpen, wallet.DisputeWon, wallet.DisputeWon, wallet.DisputeLost)
	default:
		n.Kind = wallet.NewsPaid
		switch r.IntN(3) {
		case 0:
			n.Minor = -1
		case 1:
			n.Label = strings.Repeat("x", wallet.MaxReferenceLength+1)
		case 2:
			n.Cumulative = mostMinor + 1
		}
	}
	return c
}

func (k *maker) tellRefund(o *order, n *wallet.OrderNews) {
	r := k.r
	n.Kind = wallet.NewsRefund
	if chance(r, 30) {
		n.Cumulative = r.Int64N(min(o.minor, 1_000_000) + 1)
		return
	}
	n.RefundStatus = pick(r, wallet.RefundPending, wallet.RefundSucceeded, wallet.RefundSucceeded, wallet.RefundSucceeded, wallet.RefundFailed)
	if len(o.refunds) > 0 && chance(r, 50) {
		b := pick(r, o.refunds...)
		n.Refund, n.Own, n.Minor = b.id, b.own, b.minor
		if b.id == "" && chance(r, 70) {
			n.Refund = fmt.Sprint("re_", r.IntN(6))
		}
		return
	}
	n.Refund, n.Minor = fmt.Sprint("re_", r.IntN(6)), pick(r, o.minor, o.minor/2, o.minor/3, 1)
}

// agree makes an agreement about automatic top-ups.
func (k *maker) agree() wallet.Command {
	r := k.r
	c := &wallet.SetTopUp{Credit: k.credit(), Enabled: chance(r, 85), Pack: pick(r, k.u.packs...), Quantity: pick[int64](r, 0, 0, 1, 3), Note: k.note()}
	if def := k.m.Defs.Credits[c.Credit]; def != nil {
		for _, id := range k.u.packs { // most often one that gives the credit
			for _, it := range k.m.Defs.Packs[id].Items {
				if it.Credit == c.Credit && chance(r, 80) {
					c.Pack = id
				}
			}
		}
	}
	c.Threshold = pick(r, 1, 10, 200, 1000, k.amount(c.Credit), k.amount(c.Credit))
	if chance(r, 50) {
		c.Caps = wallet.Caps{DayCount: pick[int64](r, 0, 1, 2), MonthCount: pick[int64](r, 0, 1, 3), DayMinor: pick[int64](r, 0, 0, 1000, 2500), MonthMinor: pick[int64](r, 0, 0, 3000)}
	}
	switch r.IntN(40) {
	case 0:
		c.Quantity = pick[int64](r, -1, wallet.MaxOrderQuantity+1)
	case 1:
		c.Caps.DayCount = -1
	case 2:
		c.Pack = "pck_unknown"
	}
	return c
}
