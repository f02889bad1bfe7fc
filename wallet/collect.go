package wallet

import (
	"time"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
)

// collect charges an invoice of a plan with the card that is kept. Where none is any more the charge is
// declined, and tried again as any other: a plan that nobody pays for ends.
func (w *work) collect(sub *Subscription, v *Invoice) {
	if !sub.Collect || v.Status != InvoiceOpen {
		return
	}
	payer := w.seePayer()
	if payer == nil { // the plan began without a card
		if sub.Unpaid == v.N {
			w.heldUp()
		}
		return
	}
	o := w.addOrder(&Order{
		Kind: InvoiceOrder, Status: OrderDue, Provider: payer.Provider, Minor: v.Total, Currency: v.Currency, Invoice: v.N,
		What: v.Number(w.s.ID), Text: "Invoice " + v.Number(w.s.ID), Quantity: 1, OffSession: true, Attempt: 1, Metadata: sub.Metadata,
		Subscription: sub.N,
	})
	w.tellOrder(o, catalog.EventPaymentDue)
}

// tryAgain begins the next attempt of the charges whose time has come.
func (w *work) tryAgain() {
	for _, n := range w.s.charging {
		have := w.s.orders[n]
		if have.Status != OrderWaiting || have.NextTry > w.at {
			continue
		}
		w.chargeAgain(have)
	}
}

// chargeAgain begins the next attempt of a charge that was declined.
func (w *work) chargeAgain(have *Order) *Order {
	o := w.order(have)
	o.Status, o.NextTry = OrderDue, 0
	o.Attempt++
	w.tellOrder(o, catalog.EventPaymentDue)
	return o
}

// heldUp takes down that the running cycle is not paid for, and that nobody knows when it will be.
func (w *work) heldUp() {
	if sub := w.subscription(); sub.HeldAt.IsZero() {
		sub.HeldAt = w.at
		w.tellSubscription(sub, SubscriptionHeld, "", "")
	}
}

// recovered takes down that the cycle is paid for, where that was held up.
func (w *work) recovered(sub *Subscription) {
	if !sub.HeldAt.IsZero() {
		sub.HeldAt = 0
		w.tellSubscription(sub, SubscriptionRecovered, "", "")
	}
}

// nextTry is when the next charge is tried again; zero: none waits.
func (s *State) nextTry() clock.Instant {
	var soonest clock.Instant
	for _, n := range s.charging {
		if o := s.orders[n]; o.Status == OrderWaiting && (soonest.IsZero() || o.NextTry < soonest) {
			soonest = o.NextTry
		}
	}
	return soonest
}

// dropCharges ends the charges of an invoice that is closed: nobody pays twice. One that is on its way to
// the provider at this moment may still come.
func (w *work) dropCharges(v *Invoice, reason string) {
	for _, n := range w.s.charging {
		have := w.seeOrder(n)
		if have.Kind == InvoiceOrder && have.Invoice == v.N && have.charging() {
			o := w.order(have)
			o.Reason = reason
			w.close(o, OrderCanceled)
		}
	}
}

// declined takes a decline: on a page the customer tries another card, a charge without a page is
// tried again where that may help.
func (w *work) declined(o *Order, d *Decline) {
	if d == nil || o.Status.Settled() {
		return
	}
	if !o.OffSession {
		if have := o.LastDecline; have == nil || have.Code != d.Code {
			o.LastDecline = w.dated(d)
		}
		return
	}
	if o.Status != OrderDue && o.Status != OrderProcessing || d.Attempt != 0 && d.Attempt != o.Attempt {
		return // known already
	}
	retries := o.retries()
	if o.Attempt > len(retries) || d.Class != DeclineSoft && o.Kind != InvoiceOrder || o.Kind == TopUpOrder && !w.agreedTo(o) {
		w.failed(o, d)
		return
	}
	o.LastDecline = w.dated(d)
	o.Status, o.NextTry = OrderWaiting, w.at.Add(retries[o.Attempt-1])
	w.tellOrder(o, catalog.EventPaymentFailed)
	if sub := w.seeSubscription(); o.Kind == InvoiceOrder && sub.RunsAt(w.at) && sub.Unpaid == o.Invoice {
		w.heldUp()
	}
}

func (w *work) dated(d *Decline) *Decline {
	c := *d
	c.At = w.at
	return &c
}

func (o *Order) retries() []time.Duration {
	switch o.Kind {
	case TopUpOrder:
		return topUpRetries
	case InvoiceOrder:
		return invoiceRetries
	}
	return nil // somebody waits for the answer
}

// failed ends an order for which nothing will be paid.
func (w *work) failed(o *Order, d *Decline) {
	if o.Status.Settled() && o.Status != OrderExpired {
		return
	}
	if d != nil {
		o.LastDecline = w.dated(d)
	}
	w.close(o, OrderFailed)
	w.tellOrder(o, catalog.EventPaymentFailed)
	action := d != nil && d.Class == DeclineAction
	switch {
	case o.Kind == TopUpOrder && action:
		w.tellOrder(o, catalog.EventTopUpActionRequired)
	case o.Kind == TopUpOrder:
		w.tellOrder(o, catalog.EventTopUpFailed)
	case o.Kind == InvoiceOrder && o.OffSession:
		w.endUnpaid(o)
	case o.Kind == PlanOrder:
		w.tellOrder(o, catalog.EventSubscriptionFailed)
	}
}

// endUnpaid ends a plan whose cycle was not paid for in the end. That may be an earlier cycle than the
// one that runs, where cycles are shorter than the time in which a charge is tried again; but the one
// that runs is not paid either.
func (w *work) endUnpaid(o *Order) {
	if sub := w.seeSubscription(); sub == nil || sub.Unpaid == 0 || sub.Unpaid < o.Invoice {
		return
	}
	v := w.seeInvoice(o.Invoice)
	if v == nil {
		w.fail(&Missing{Needs{Invoices: []int64{o.Invoice}}})
		return
	}
	if sub := w.running(); sub != nil && v.Subscription == sub.N && v.opensCycle() {
		sub.Reason = "payment_failed"
		w.note.Reason = sub.Reason
		w.endSubscription(sub)
	}
}
