package wallet

import (
	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
)

// BilledOutside takes what an outside biller says of a subscription that it bills by itself: a payment
// provider's own subscriptions (vevee-golivekit-stripe.md section 4.5). The cycle follows the biller's,
// and what a cycle grants comes when the biller says that it is paid. The same news again changes
// nothing.
type BilledOutside struct {
	Ref      string // the biller's id of the subscription
	Plan     string // id or name
	Quantity int64  // zero: one, or as it is
	Start    clock.Instant
	End      clock.Instant
	Paid     bool
	Invoice  string // the biller's id of what was paid
	Ended    bool
	EndsAt   clock.Instant // zero: none is planned
	Note
}

// Needs asks for nothing.
func (c *BilledOutside) Needs(*catalog.Definitions) Needs { return Needs{} }

const opOutside = "wallet.BilledOutside"

func (c *BilledOutside) decide(w *work) error {
	w.note = c.Note
	w.d.Answer.Allowed = true
	if c.Ref == "" || len(c.Ref) > MaxReferenceLength || len(c.Invoice) > MaxReferenceLength {
		return fault.New(opOutside, fault.CodeInvalidRequest, "an outside biller's ids have 1 to %d bytes", MaxReferenceLength)
	}
	have := w.s.Subscription
	known := have != nil && have.Outside == c.Ref
	switch {
	case known && have.Ended:
		return nil // what ended does not begin again: older news
	case c.Ended && !known:
		return nil
	case c.Ended:
		if sub := w.running(); sub != nil {
			sub.Reason = c.Reason
			w.endSubscription(sub)
		}
		return nil
	case !known && (!c.Paid || c.End <= w.at):
		return nil // it begins with its first payment, unless what that paid for is over
	case !known && have != nil && have.Outside != "" && c.Start < have.CycleStart:
		return nil // older news of another than the last
	case !c.Paid && !have.PausedAt.IsZero():
		return nil // it stands still here until it is paid for
	}
	if err := c.follow(w, known); err != nil {
		return err
	}
	if c.Paid {
		return w.paidOutside(c)
	}
	return nil
}

// follow brings the subscription to the biller's plan, cycle and end. One that was taken here is theirs
// from now on.
func (c *BilledOutside) follow(w *work, known bool) error {
	take := Subscribe{Plan: c.Plan, Quantity: c.Quantity, CycleStart: c.Start, EndsAt: c.EndsAt, Outside: c.Ref, Note: c.Note}
	if take.EndsAt <= w.at {
		take.EndsAt = 0 // a biller's end that is over comes with Ended
	}
	sub := w.running()
	switch {
	case sub != nil && !known:
		sub.Outside, sub.PaidTo, sub.Collect = c.Ref, 0, false
	case sub != nil && sub.CycleStart >= c.Start:
		take.CycleStart = 0 // it is there already, by its own reckoning
	case sub == nil && c.Start > w.at:
		take.CycleStart = 0 // the biller's clock is ahead: the cycle begins now
	}
	if sub != nil && !sub.PausedAt.IsZero() {
		w.resume(sub)
	}
	begins := sub == nil
	if err := take.decide(w); err != nil {
		return err
	}
	sub = w.subscription()
	if (begins || c.Start <= w.at) && c.End > w.at && sub.CycleEnd != c.End {
		w.moveCycleEnd(sub, c.End)
	}
	return nil
}

// paidOutside takes a cycle as paid: the one that runs, or one that is about to begin here.
func (w *work) paidOutside(c *BilledOutside) error {
	sub := w.subscription()
	if c.End <= sub.PaidTo {
		return nil
	}
	sub.PaidTo = c.End
	if sub.Unpaid == 0 || sub.CycleStart >= c.End {
		return nil
	}
	v := w.seeInvoice(sub.Unpaid)
	if v == nil {
		return &Missing{Needs{Invoices: []int64{sub.Unpaid}}}
	}
	if v.Status == InvoiceOpen {
		w.closeInvoice(v, InvoicePaid, c.Invoice)
	}
	return nil
}
