package model

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/wallet"
)

// SalesView is all that was bought and is agreed about buying, and what was announced.
type SalesView struct {
	Orders   []OrderView // by number
	TopUps   []TopUpView // by credit
	Customer string      // as the provider knows them
	Card     string      // that is kept
	Notices  []NoticeView
}

// OrderView is an order.
type OrderView struct {
	N                                    int64
	Kind                                 wallet.OrderKind
	Status                               wallet.OrderStatus
	Minor                                int64
	Currency                             string
	Quantity, Invoice                    int64
	Attempt                              int
	NextTry, CreatedAt, PaidAt, ClosedAt clock.Instant
	Paid, Back                           int64
	Unmet                                bool
	Dispute                              wallet.DisputeStatus
	Refunds, Grants                      string
}

// TopUpView is what is agreed about a credit.
type TopUpView struct {
	Credit                                     string
	Enabled                                    bool
	Threshold                                  int64
	Pack                                       string
	Quantity, Running                          int64
	NotBefore                                  clock.Instant
	OffReason                                  string
	DayCount, DayMinor, MonthCount, MonthMinor int64 // at the instant of the view
}

// NoticeView is what was announced.
type NoticeView struct {
	Type     catalog.EventType
	Credit   string
	Units    int64
	Grants   string
	Ends, At clock.Instant
}

func tellNumber(n int64) string { return fmt.Sprintf("%d ", n) }

// ViewOrder reads an order.
func ViewOrder(o *wallet.Order) OrderView {
	var got []bought
	for _, g := range o.Grants {
		got = append(got, bought{grant: g.Grant, amount: g.Amount, taken: g.Revoked, again: g.Returned, instead: g.Instead})
	}
	var backs []back
	for _, r := range o.Refunds {
		backs = append(backs, back{id: r.ID, own: r.Own, minor: r.Minor, status: r.Status})
	}
	return OrderView{
		N: o.N, Kind: o.Kind, Status: o.Status, Minor: o.Minor, Currency: o.Currency, Quantity: o.Quantity, Invoice: o.Invoice,
		Attempt: o.Attempt, NextTry: o.NextTry, CreatedAt: o.CreatedAt, PaidAt: o.PaidAt, ClosedAt: o.ClosedAt, Paid: o.Paid, Unmet: o.Unmet, Back: o.Refunded(),
		Dispute: o.Dispute, Refunds: tellBacks(backs), Grants: tellBought(got),
	}
}

// viewTopUp reads what is agreed at an instant: what was charged in a day or month that is over is of no
// account.
func viewTopUp(t *wallet.TopUp, at clock.Instant) TopUpView {
	v := TopUpView{
		Credit: t.Credit, Enabled: t.Enabled, Threshold: t.Threshold, Pack: t.Pack, Quantity: t.Quantity, Running: t.Running,
		NotBefore: t.NotBefore, OffReason: t.OffReason,
	}
	if t.Day.Start != 0 && sameDay(t.Day.Start, at) {
		v.DayCount, v.DayMinor = t.Day.Count, t.Day.Minor
	}
	if t.Month.Start != 0 && sameMonth(t.Month.Start, at) {
		v.MonthCount, v.MonthMinor = t.Month.Count, t.Month.Minor
	}
	return v
}

func viewNotice(n *wallet.Notice) NoticeView {
	v := NoticeView{Type: n.Type, Credit: n.Credit, Units: n.Units, Ends: n.Ends, At: n.At}
	grants := slices.Clone(n.Grants)
	slices.Sort(grants)
	for _, g := range grants {
		v.Grants += tellNumber(g)
	}
	return v
}

// sales tells what was sold, as it was last stored.
func (b *Bare) sales() *SalesView {
	v := &SalesView{Orders: b.orderViews}
	for _, credit := range slices.Sorted(maps.Keys(b.topUps)) {
		t := b.topUps[credit]
		v.TopUps = append(v.TopUps, viewTopUp(&t, b.at))
	}
	if b.payer != nil {
		v.Customer, v.Card = b.payer.Customer, b.payer.Method
	}
	for i := range b.notices {
		v.Notices = append(v.Notices, viewNotice(&b.notices[i]))
	}
	sortNotices(v.Notices)
	return v
}

// sortNotices puts those of one instant in order: which of two credits comes first is of no account.
func sortNotices(all []NoticeView) {
	slices.SortStableFunc(all, func(a, b NoticeView) int {
		return cmp.Or(cmp.Compare(a.At, b.At), strings.Compare(string(a.Type), string(b.Type)), strings.Compare(a.Credit, b.Credit))
	})
}

// sales tells what the model expects.
func (m *Model) sales() *SalesView {
	v := &SalesView{}
	for i := range m.orders {
		o := &m.orders[i]
		v.Orders = append(v.Orders, OrderView{
			N: o.n, Kind: o.kind, Status: o.status, Minor: o.minor, Currency: o.currency, Quantity: o.quantity, Invoice: o.invoice,
			Attempt: o.attempt, NextTry: o.next, CreatedAt: o.created, PaidAt: o.paidAt, ClosedAt: o.closed, Paid: o.paid, Unmet: o.unmet, Back: o.refunded(),
			Dispute: o.disputed, Refunds: tellBacks(o.refunds), Grants: tellBought(o.bought),
		})
	}
	for i := range m.topUps {
		t := &m.topUps[i]
		w := TopUpView{
			Credit: t.credit, Enabled: t.on, Threshold: t.threshold, Pack: t.pack, Quantity: t.quantity, Running: t.running,
			NotBefore: t.notBefore, OffReason: t.reason,
		}
		w.DayCount, w.DayMinor = t.in(m.now, sameDay)
		w.MonthCount, w.MonthMinor = t.in(m.now, sameMonth)
		v.TopUps = append(v.TopUps, w)
	}
	slices.SortFunc(v.TopUps, func(a, b TopUpView) int { return strings.Compare(a.Credit, b.Credit) })
	if m.payer != nil {
		v.Customer, v.Card = m.payer.customer, m.payer.card
	}
	v.Notices = slices.Clone(m.said)
	sortNotices(v.Notices)
	return v
}

// compareSales compares what a subject tells of what was sold, if it does.
func compareSales(got, want *SalesView) string {
	if got == nil {
		return ""
	}
	if s := firstDifference("order", got.Orders, want.Orders); s != "" {
		return s
	}
	if s := firstDifference("automatic top-up", got.TopUps, want.TopUps); s != "" {
		return s
	}
	if got.Customer != want.Customer || got.Card != want.Card {
		return fmt.Sprintf("the payer is %s with the card %s, want %s with %s", got.Customer, got.Card, want.Customer, want.Card)
	}
	return firstDifference("notice", got.Notices, want.Notices)
}
