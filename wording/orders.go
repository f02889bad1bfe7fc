package wording

import (
	"strconv"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/id"
	v1 "github.com/seed42445051/scrip/v1"
	"github.com/seed42445051/scrip/wallet"
)

// Order is a purchase as it stands.
func Order(defs *catalog.Definitions, key wallet.Key, w id.Wallet, o *wallet.Order) v1.Order {
	out := v1.Order{
		CustomerID: key.Customer, Kind: string(o.Kind), Status: string(o.Status), ItemID: o.What, Description: o.Text,
		Quantity: o.Quantity, Amount: o.Minor, Currency: o.Currency, URL: o.URL, ExpiresAt: o.ExpiresAt,
		SessionID: o.Session, PaymentID: o.Payment, SaveCard: o.SaveCard, Attempt: o.Attempt, NextTryAt: o.NextTry,
		Paid: o.Paid, Unmet: o.Unmet, Refunded: o.Refunded(), Dispute: string(o.Dispute), Reason: o.Reason,
		CreatedAt: o.CreatedAt, PaidAt: o.PaidAt, ClosedAt: o.ClosedAt, Metadata: v1.Metadata(o.Metadata),
	}
	if o.N > 0 {
		out.ID = o.ID(w)
	}
	if o.Invoice > 0 {
		out.InvoiceID = id.Object(id.PrefixInvoice, w, o.Invoice)
	}
	if o.Subscription > 0 {
		out.SubscriptionID = id.Object(id.PrefixSubscription, w, o.Subscription)
	}
	for i := range o.Cart {
		l := &o.Cart[i]
		out.Lines = append(out.Lines, v1.OrderLine{ProductID: l.Product, Description: l.Text, Quantity: l.Quantity, Amount: l.Minor})
	}
	if o.Status != wallet.OrderOpen {
		out.URL = "" // there is nothing to do there any more
	}
	if d := o.LastDecline; d != nil {
		out.Decline = &v1.Decline{Code: d.Code, Text: d.Text, Class: string(d.Class), At: d.At}
	}
	for i := range o.Items {
		it := &o.Items[i]
		out.Items = append(out.Items, v1.OrderItem{
			PackItemID: it.Item, CreditID: it.Credit, Amount: Amount(it.Amount, Precision(defs, it.Credit)),
			Category: string(it.Category), ExpiresAfterDays: it.ExpiresAfterDays,
		})
	}
	for i := range o.Refunds {
		out.Refunds = append(out.Refunds, Refund(w, o, &o.Refunds[i]))
	}
	for i := range o.Grants {
		out.Grants = append(out.Grants, orderGrant(defs, w, o, i))
	}
	return out
}

func orderGrant(defs *catalog.Definitions, w id.Wallet, o *wallet.Order, i int) v1.OrderGrant {
	g, credit := &o.Grants[i], o.ItemOf(i).Credit
	p := Precision(defs, credit)
	out := v1.OrderGrant{GrantID: GrantID(w, g.Grant), CreditID: credit, Amount: Amount(g.Amount, p)}
	if taken := g.Revoked - g.Returned; taken > 0 {
		out.Revoked = Amount(taken, p)
	}
	if short := g.Short(o); short > 0 {
		out.Short = Amount(short, p)
	}
	return out
}

// RefundID is the public id of a refund of an order: its own number where it was asked for here, else
// what the provider calls it.
func RefundID(w id.Wallet, o *wallet.Order, r *wallet.OrderRefund) string {
	if r.Own == 0 {
		return r.ID
	}
	return id.Object(id.PrefixRefund, w, o.N) + "_" + strconv.FormatInt(r.Own, 10)
}

// Refund is money that goes back.
func Refund(w id.Wallet, o *wallet.Order, r *wallet.OrderRefund) v1.Refund {
	return v1.Refund{
		ID: RefundID(w, o, r), RefundID: r.ID, Amount: r.Minor, Status: string(r.Status), Reason: r.Reason,
		Metadata: v1.Metadata(r.Meta), CreatedAt: r.At,
	}
}

// AutoTopUp is what was agreed about automatic top-ups of a credit.
func AutoTopUp(defs *catalog.Definitions, key wallet.Key, w id.Wallet, t *wallet.TopUp) v1.AutoTopUp {
	out := v1.AutoTopUp{
		CustomerID: key.Customer, CreditID: t.Credit, Enabled: t.Enabled, Threshold: Amount(t.Threshold, Precision(defs, t.Credit)),
		PackID: t.Pack, Quantity: t.Quantity, ConsentAt: t.ConsentAt, OffReason: t.OffReason, NotBefore: t.NotBefore,
		Caps: v1.TopUpCaps{
			DayCount: t.Caps.DayCount, DayAmount: t.Caps.DayMinor, MonthCount: t.Caps.MonthCount, MonthAmount: t.Caps.MonthMinor,
		},
		Day: v1.TopUpSpent{Count: t.Day.Count, Amount: t.Day.Minor}, Month: v1.TopUpSpent{Count: t.Month.Count, Amount: t.Month.Minor},
	}
	if t.Running != 0 {
		out.OrderID = id.Object(id.PrefixOrder, w, t.Running)
	}
	return out
}
