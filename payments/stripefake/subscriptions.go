package stripefake

import (
	"time"

	"github.com/seed42445051/scrip/clock"
)

// Subscription is what CreateSubscription needs.
type Subscription struct {
	Customer string // its id
	Price    string // the id of a recurring price
	Card     string // a payment method or the name of a test card; empty: DefaultCard
	Metadata map[string]string
}

// The states of a subscription that this fake gives it.
const (
	isActive   = "active"
	isTrialing = "trialing"
	isPastDue  = "past_due"
)

// day is the length of a day of UTC.
const day = 24 * time.Hour

// completeSubscription begins the subscription of a checkout session. A card
// that is declined begins none.
func (f *Fake) completeSubscription(s *session, pm *paymentMethod) error {
	sub := f.newSubscription(string(s.Customer), s.lines)
	sub.merge(s.terms.pairs("metadata"))
	if s.trialDays > 0 {
		sub.Status = isTrialing
	}
	in, err := f.begins(sub, pm, time.Duration(s.trialDays)*day)
	if err != nil {
		return err
	}
	s.Subscription, s.Invoice = ref(sub.ID), ref(in.ID)
	if s.PaymentStatus != isFree {
		s.PaymentStatus = isPaid
	}
	return nil
}

// newSubscription makes a subscription to the recurring ones of some lines,
// without storing it.
func (f *Fake) newSubscription(customer string, lines []*lineItem) *subscription {
	sub := &subscription{Status: isActive, Customer: customer, CollectionMethod: "charge_automatically", Items: newList[*subscriptionItem]("/v1/subscription_items")}
	for _, line := range lines {
		if line.Price.Recurring == nil {
			continue
		}
		item := &subscriptionItem{Price: line.Price, Quantity: line.Quantity}
		sub.Items.Data = append(sub.Items.Data, item)
		sub.Currency = line.Currency
	}
	return sub
}

// begins stores a subscription and takes its first payment, which is of nothing
// during a trial.
func (f *Fake) begins(sub *subscription, pm *paymentMethod, trial time.Duration) (*invoice, error) {
	now := f.now()
	in := f.newInvoice(sub, "subscription_create")
	if trial > 0 {
		in.setAmount(0)
	}
	if err := f.payFirst(in, pm); err != nil {
		return nil, err
	}
	f.attach(pm, ref(sub.Customer))
	f.add(sub, "subscription", "sub")
	sub.anchor = now.Add(trial)
	sub.StartDate, sub.BillingCycleAnchor = f.unix(), sub.anchor.Time().Unix()
	sub.DefaultPaymentMethod = ref(pm.ID)
	from, to := now, sub.anchor
	if trial > 0 {
		sub.TrialStart, sub.TrialEnd = stamp(f.unix()), stamp(sub.BillingCycleAnchor)
	} else {
		to = sub.periodEnd()
	}
	for _, item := range sub.Items.Data {
		f.add(item, "subscription_item", "si")
		item.Subscription = sub.ID
	}
	sub.setPeriod(from, to)
	in.PeriodStart, in.PeriodEnd = f.unix(), f.unix() // the first invoice looks back at nothing
	f.issue(in, sub)
	f.happened("customer.subscription.created", sub)
	f.invoicePaid(in)
	return in, nil
}

// payFirst takes the payment of an invoice whose subscription begins. Where
// nothing is due, the card must be one that can be saved.
func (f *Fake) payFirst(in *invoice, pm *paymentMethod) error {
	if in.AmountDue == 0 {
		if !pm.attaches {
			return cardError(pm.outcome, pm)
		}
		return nil
	}
	pi := f.intentOf(in)
	if err := f.collectInPerson(pi, pm); err != nil {
		return err
	}
	if pi.Status != hasSucceeded {
		return refused("", "card", "A subscription cannot begin with a payment that takes days.")
	}
	return nil
}

// periodEnd returns when the period that follows sub.periods others ends.
// Months keep the day of the anchor where they have it.
func (sub *subscription) periodEnd() clock.Instant {
	r := sub.Items.Data[0].Price.Recurring
	n := int(r.IntervalCount * (sub.periods + 1))
	at := sub.anchor.Time()
	switch r.Interval {
	case "day":
		return clock.At(at.AddDate(0, 0, n))
	case "week":
		return clock.At(at.AddDate(0, 0, 7*n))
	case "year":
		n *= 12
	}
	first := time.Date(at.Year(), at.Month()+time.Month(n), 1, at.Hour(), at.Minute(), at.Second(), at.Nanosecond(), time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	return clock.At(first.AddDate(0, 0, min(at.Day(), last)-1))
}

func (sub *subscription) setPeriod(from, to clock.Instant) {
	for _, item := range sub.Items.Data {
		item.CurrentPeriodStart, item.CurrentPeriodEnd = from.Time().Unix(), to.Time().Unix()
	}
}

// newInvoice makes an invoice of what a subscription costs, without storing it.
func (f *Fake) newInvoice(sub *subscription, reason string) *invoice {
	in := &invoice{
		Status: isOpen, BillingReason: reason, CollectionMethod: sub.CollectionMethod,
		Currency: sub.Currency, Customer: sub.Customer, Attempted: true, AttemptCount: 1,
	}
	if who, ok := f.byID[sub.Customer].(*customer); ok {
		in.CustomerEmail = who.Email
	}
	total := int64(0)
	for _, item := range sub.Items.Data {
		total += item.Price.UnitAmount * item.Quantity
	}
	in.setAmount(total)
	return in
}

func (in *invoice) setAmount(total int64) {
	in.Subtotal, in.Total, in.AmountDue, in.AmountRemaining = total, total, total, total
}

// intentOf makes the payment intent of an invoice. It has none of the
// subscription's metadata, as at Stripe.
func (f *Fake) intentOf(in *invoice) *paymentIntent {
	pi := &paymentIntent{Amount: in.AmountDue, Currency: in.Currency, Customer: ref(in.Customer)}
	f.addPayment(pi)
	in.payment = &invoicePayment{
		AmountRequested: in.AmountDue, Currency: in.Currency, IsDefault: true, Status: isOpen,
		Payment: paymentOfIt{"payment_intent", pi.ID},
	}
	return pi
}

// issue stores an invoice for the present period of a subscription.
func (f *Fake) issue(in *invoice, sub *subscription) {
	f.add(in, "invoice", "in")
	in.Transitions.FinalizedAt = stamp(f.unix())
	in.Parent = invoiceParent{"subscription_details", subscribedFrom{sub.ID, sub.Metadata}}
	in.Lines = newList[*invoiceLine]("/v1/invoices/" + in.ID + "/lines")
	for _, item := range sub.Items.Data {
		amount := item.Price.UnitAmount * item.Quantity
		if in.Total == 0 {
			amount = 0
		}
		in.Lines.Data = append(in.Lines.Data, &invoiceLine{
			ID: f.newID("il"), Object: "line_item", Amount: amount, Currency: in.Currency, Quantity: item.Quantity,
			Invoice: in.ID, Period: period{item.CurrentPeriodStart, item.CurrentPeriodEnd}, Metadata: sub.Metadata,
			Parent:  lineParent{"subscription_item_details", lineOrigin{sub.ID, item.ID}},
			Pricing: linePricing{"price_details", priceDetails{item.Price.ID, item.Price.Product}},
		})
	}
	if in.payment != nil {
		in.payment.Invoice = in.ID
		f.add(in.payment, "invoice_payment", "inpay")
	}
	sub.LatestInvoice = ref(in.ID)
}

// invoicePaid notes that an invoice has been paid, or that it is of nothing.
func (f *Fake) invoicePaid(in *invoice) {
	in.Status, in.AmountPaid, in.AmountRemaining, in.Transitions.PaidAt = isPaid, in.AmountDue, 0, stamp(f.unix())
	if in.payment != nil {
		in.payment.Status, in.payment.AmountPaid = isPaid, &in.AmountPaid
	}
	f.happened("invoice.paid", in)
	f.happened("invoice.payment_succeeded", in)
}

// payments returns what an invoice was paid with: nothing, or one payment.
func (in *invoice) payments() []*invoicePayment {
	if in.payment == nil {
		return nil
	}
	return []*invoicePayment{in.payment}
}

// running finds a subscription that has not ended.
func (f *Fake) running(id, param string) (*subscription, error) {
	sub, err := find[*subscription](f, "subscription", id, param)
	if err == nil && sub.Status == isCanceled {
		err = refused("resource_missing", param, "The subscription %s has ended.", id)
	}
	return sub, err
}

// renew ends the present period of a subscription: it begins the next one and
// takes its payment, or ends a subscription that was to be cancelled. The
// invoice is nil then. A payment that fails leaves the subscription past due.
func (f *Fake) renew(sub *subscription) (*invoice, error) {
	if sub.CancelAtPeriodEnd {
		f.endNow(sub)
		return nil, nil
	}
	before := snapshot(sub)
	ended := sub.Items.Data[0]
	from, previous := clock.At(time.Unix(ended.CurrentPeriodEnd, 0)), ended.CurrentPeriodStart
	if from > sub.anchor {
		sub.periods++
	}
	sub.setPeriod(from, sub.periodEnd())
	in := f.newInvoice(sub, "subscription_cycle")
	in.PeriodStart, in.PeriodEnd = previous, from.Time().Unix()
	pm, err := find[*paymentMethod](f, "PaymentMethod", string(sub.DefaultPaymentMethod), "subscription")
	if err != nil {
		return nil, err
	}
	failed := f.collect(f.intentOf(in), pm, true)
	f.issue(in, sub)
	sub.Status = isActive
	if failed != nil {
		sub.Status = isPastDue
		f.changed("customer.subscription.updated", sub, before)
		f.happened("invoice.payment_failed", in)
		return in, nil
	}
	f.changed("customer.subscription.updated", sub, before)
	f.invoicePaid(in)
	return in, nil
}

// payInvoice tries an invoice once more that could not be paid.
func (f *Fake) payInvoice(in *invoice) error {
	sub, err := f.running(in.Parent.SubscriptionDetails.Subscription, "invoice")
	if err != nil {
		return err
	}
	if in.Status != isOpen {
		return refused("", "invoice", "The invoice is %s.", in.Status)
	}
	pm, err := find[*paymentMethod](f, "PaymentMethod", string(sub.DefaultPaymentMethod), "invoice")
	if err != nil {
		return err
	}
	pi, err := find[*paymentIntent](f, "payment_intent", in.payment.Payment.PaymentIntent, "invoice")
	if err != nil {
		return err
	}
	in.AttemptCount++
	if failed := f.collect(pi, pm, true); failed != nil {
		f.happened("invoice.payment_failed", in)
		return failed
	}
	f.invoicePaid(in)
	before := snapshot(sub)
	sub.Status = isActive
	f.changed("customer.subscription.updated", sub, before)
	return nil
}

// endNow ends a subscription now.
func (f *Fake) endNow(sub *subscription) {
	sub.Status, sub.EndedAt = isCanceled, stamp(f.unix())
	if sub.CanceledAt == 0 {
		sub.CanceledAt = sub.EndedAt
	}
	f.happened("customer.subscription.deleted", sub)
}

func deleteSubscription(f *Fake, c *call) (any, error) {
	sub, err := f.running(c.id, "")
	if err != nil {
		return nil, err
	}
	f.endNow(sub)
	return sub, nil
}

// updateSubscription changes a subscription. A new price counts from the next
// period on, since there is no proration here.
func updateSubscription(f *Fake, c *call) (any, error) {
	sub, err := f.running(c.id, "")
	if err != nil {
		return nil, err
	}
	before := snapshot(sub)
	if err := f.changeItem(sub, c); err != nil {
		return nil, err
	}
	if c.has("cancel_at_period_end") {
		sub.CancelAtPeriodEnd, sub.CancelAt, sub.CanceledAt = c.is("cancel_at_period_end"), 0, 0
	}
	if sub.CancelAtPeriodEnd {
		sub.CancelAt, sub.CanceledAt = stamp(sub.Items.Data[0].CurrentPeriodEnd), stamp(f.unix())
	}
	sub.merge(c.pairs("metadata"))
	f.changed("customer.subscription.updated", sub, before)
	return sub, nil
}

func (f *Fake) changeItem(sub *subscription, c *call) error {
	for _, change := range c.list("items") {
		p, err := find[*price](f, "price", change.text("price"), "items[][price]")
		if err != nil {
			return err
		}
		found := false
		for _, item := range sub.Items.Data {
			if item.ID == change.text("id") && p.Recurring != nil {
				item.Price, found = p, true
			}
		}
		if !found {
			return refused("resource_missing", "items", "Items are changed by their id, to a recurring price.")
		}
	}
	return nil
}

// listSubscriptions leaves out those that have ended, unless it is asked for them.
func listSubscriptions(f *Fake, c *call) (any, error) {
	who, status := c.text("customer"), c.text("status")
	return f.page(c, "subscription", func(e entity) bool {
		sub, ok := e.(*subscription)
		return ok && (who == "" || sub.Customer == who) &&
			(status == "all" || sub.Status == status || (status == "" && sub.Status != isCanceled))
	})
}
