package dodo

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/money"
	"github.com/seed42445051/scrip/notify"
	"github.com/seed42445051/scrip/store"
	v1 "github.com/seed42445051/scrip/v1"
	"github.com/seed42445051/scrip/wallet"
	"github.com/seed42445051/scrip/wording"
)

// Renderer writes events as the vendor sends them, for endpoints of this package's Format. The
// vendor's adapters refuse a body that lacks anything of it (dodo.md section 13.4).
type Renderer struct{}

// envelope is the body of a request.
type envelope struct {
	BusinessID string        `json:"business_id"`
	Type       string        `json:"type"`
	Timestamp  clock.Instant `json:"timestamp"`
	Data       any           `json:"data"`
}

// Render writes an event; no body for one that the vendor does not have.
func (Renderer) Render(ctx context.Context, e *notify.Event) ([]byte, error) {
	name := nameOf(e)
	if name == "" || !wants(e.Endpoint.Events, e.Type, name) {
		return nil, nil
	}
	data, err := payload(ctx, e)
	if err != nil {
		return nil, err
	}
	return json.Marshal(envelope{e.Key.App, name, e.At, data})
}

func payload(ctx context.Context, e *notify.Event) (any, error) {
	switch {
	case e.Subscription != nil:
		return subscriptionEvent(ctx, e, e.Subscription, nil)
	case e.Order != nil:
		return orderEvent(ctx, e)
	case e.Low != nil:
		return balanceLow(ctx, e)
	}
	return entryPayload{"CreditLedgerEntry", eventEntry(e)}, nil
}

// otherNames are the vendor's names of events that have another name here, and more than one where
// the vendor tells apart what we do not.
var otherNames = map[catalog.EventType][]string{
	catalog.EventSubscriptionStarted:   {"subscription.active"},
	catalog.EventSubscriptionRecovered: {"subscription.active"},
	catalog.EventSubscriptionResumed:   {"subscription.unpaused"},
	catalog.EventSubscriptionEnded:     {"subscription.cancelled", "subscription.expired"},
	catalog.EventPaymentCanceled:       {"payment.cancelled"},
}

// nameOf is the vendor's name of an event; empty of one that the vendor does not have. It tells of no
// top-up, which is credits added to us (section 13.6).
func nameOf(e *notify.Event) string {
	names := otherNames[e.Type]
	switch {
	case e.Entry != nil && e.Low == nil && e.Entry.Type == wallet.AutoTopUp:
		return ""
	case len(names) > 1 && e.Subscription.RanOut():
		return names[1]
	case len(names) > 0:
		return names[0]
	case !slices.Contains(eventTypes, string(e.Type)):
		return ""
	}
	return string(e.Type)
}

// wants reports whether a filter that lets an event through means it under one of its names too.
func wants(filter []catalog.EventType, event catalog.EventType, name string) bool {
	names := otherNames[event]
	among := func(one catalog.EventType) bool { return slices.Contains(names, string(one)) }
	return !slices.ContainsFunc(filter, among) || slices.Contains(filter, catalog.EventType(name))
}

// filterIn is a filter of the vendor's names with those that the same events have here.
func filterIn(names []string) []string {
	all := slices.Clone(names)
	for ours, theirs := range otherNames {
		if slices.ContainsFunc(theirs, func(name string) bool { return slices.Contains(names, name) }) {
			all = append(all, string(ours))
		}
	}
	slices.Sort(all[len(names):])
	return all
}

// filterOut is the vendor's part of it.
func filterOut(all []string) []string {
	var names []string
	for _, name := range all {
		if slices.Contains(eventTypes, name) {
			names = append(names, name)
		}
	}
	return names
}

// subscriptionPayload is the data of every event of a subscription: how that is now.
type subscriptionPayload struct {
	PayloadType string `json:"payload_type"`
	subscription
}

// holder is whose the event is.
func holder(ctx context.Context, e *notify.Event) (v1.Customer, error) {
	h, err := e.Customer(ctx)
	return v1.Customer{ID: e.Key.Customer, Name: h.Name, Email: h.Email, Phone: h.Phone, Metadata: v1.Metadata(h.Metadata)}, err
}

// subscriptionEvent tells of a subscription: one that has begun, or that an order promises.
func subscriptionEvent(ctx context.Context, e *notify.Event, sub *wallet.Subscription, by *wallet.Order) (subscriptionPayload, error) {
	customer, err := holder(ctx, e)
	if err != nil {
		return subscriptionPayload{}, err
	}
	payer, err := e.Payer(ctx)
	if err != nil {
		return subscriptionPayload{}, err
	}
	d := subscribed{app: e.Key.App, defs: e.Defs, key: e.Key, sub: sub, order: by, at: e.Now, customer: customer, method: payer.Method}
	for i := range d.sub.Terms.Credits {
		credit := d.sub.Terms.Credits[i].Credit
		standing, err := e.Standing(ctx, credit)
		if err != nil {
			return subscriptionPayload{}, err
		}
		p := wording.Precision(e.Defs, credit)
		d.balances = append(d.balances, v1.Balance{
			CreditID: credit, Balance: wording.Amount(standing.Balance(), p), Overage: wording.Amount(standing.Overage, p),
		})
	}
	return subscriptionPayload{"Subscription", d.whole()}, nil
}

// paymentPayload is the data of every event of a payment: how that is now.
type paymentPayload struct {
	PayloadType string `json:"payload_type"`
	payment
}

// refundPayload is the data of every event of a refund.
type refundPayload struct {
	PayloadType string `json:"payload_type"`
	refund
}

// disputePayload is the data of every event of a dispute.
type disputePayload struct {
	PayloadType string `json:"payload_type"`
	dispute
	BrandID         string     `json:"brand_id"`
	Customer        subscriber `json:"customer"`
	PaymentProvider string     `json:"payment_provider"`
	Reason          *string    `json:"reason"`
}

// orderEvent tells of an order what the event is about: the payment, a refund of it, a dispute about it,
// or the subscription that it does not begin.
func orderEvent(ctx context.Context, e *notify.Event) (any, error) {
	if promised := e.Order.Promised(); e.Type == catalog.EventSubscriptionFailed && promised != nil {
		return subscriptionEvent(ctx, e, promised, e.Order)
	}
	customer, err := holder(ctx, e)
	if err != nil {
		return nil, err
	}
	f := &store.FoundOrder{Key: e.Key, Order: e.Order}
	switch {
	case e.Refund() != nil:
		i := slices.IndexFunc(e.Order.Refunds, func(r wallet.OrderRefund) bool { return r.ID == e.Refund().ID && r.Own == e.Refund().Own })
		return refundPayload{"Refund", refundOut(e.Key.App, f, i, &customer)}, nil
	case e.Type.Group() == "dispute":
		return disputePayload{
			PayloadType: "Dispute", dispute: disputeOut(e.Key.App, f), BrandID: e.Key.App, Customer: subscriberOut(&customer),
			PaymentProvider: providerOut(e.Order),
		}, nil
	}
	return paymentPayload{"Payment", paymentOut(e.Key.App, f, &customer)}, nil
}

// entryPayload is the data of every event of credits but one (section 13.6).
type entryPayload struct {
	PayloadType string `json:"payload_type"`
	ledgerEntry
}

func eventEntry(e *notify.Event) ledgerEntry {
	entry := wording.Entry(e.Defs, e.Key, e.Key.ID(), e.Entry)
	return ledgerEntryOut(e.Key.App, &entry)
}

// lowPayload is the data of credit.balance_low (section 13.6).
type lowPayload struct {
	PayloadType       string        `json:"payload_type"`
	BrandID           string        `json:"brand_id"`
	CustomerID        string        `json:"customer_id"`
	SubscriptionID    string        `json:"subscription_id"`
	CreditEntitlement string        `json:"credit_entitlement_id"`
	CreditName        string        `json:"credit_entitlement_name"`
	AvailableBalance  money.Decimal `json:"available_balance"`
	Allowance         money.Decimal `json:"subscription_credits_amount"`
	ThresholdPercent  int64         `json:"threshold_percent"` // of the allowance, rounded down
	ThresholdAmount   money.Decimal `json:"threshold_amount"`
}

// balanceLow tells of a balance that fell below the threshold of its credit. The vendor's
// threshold is a share of what a subscription gives each cycle. Where ours is the credit's own
// amount, the share is told of the grant that was drawn on.
func balanceLow(ctx context.Context, e *notify.Event) (lowPayload, error) {
	credit := e.Credit()
	out := lowPayload{
		PayloadType: "CreditBalanceLow", BrandID: e.Key.App, CustomerID: e.Key.Customer, CreditEntitlement: e.Low.Credit,
		CreditName: credit.Name, AvailableBalance: wording.Amount(e.Low.Balance, credit.Precision), Allowance: "0",
		ThresholdAmount: wording.Amount(e.Low.Threshold, credit.Precision),
	}
	if low := e.Low; low.Percent > 0 {
		out.SubscriptionID, out.ThresholdPercent = low.Subscription, int64(low.Percent)
		out.Allowance = wording.Amount(low.Allowance, credit.Precision)
		return out, nil
	}
	grants, err := e.Grants(ctx)
	if err != nil {
		return out, err
	}
	drawn := drawnOn(grants)
	if drawn == nil {
		return out, nil
	}
	if drawn.Source == wallet.SourceSubscription {
		out.SubscriptionID = sourceID(drawn.Pack, drawn.ExternalRef, drawn.SourceID)
	}
	out.Allowance = wording.Amount(drawn.Amount, credit.Precision)
	out.ThresholdPercent, err = money.MulDivFloor(e.Low.Threshold, 100, drawn.Amount)
	return out, err
}

// drawnOn is the grant that says most of a balance that fell: the newest of a subscription, or
// else the newest.
func drawnOn(grants []*wallet.Grant) *wallet.Grant {
	var newest *wallet.Grant
	for _, g := range grants { // in order of their numbers
		if newest == nil || g.Source == wallet.SourceSubscription || newest.Source != wallet.SourceSubscription {
			newest = g
		}
	}
	return newest
}
