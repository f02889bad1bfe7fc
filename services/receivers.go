package services

import (
	"context"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/letters"
	"github.com/seed42445051/scrip/notify"
	"github.com/seed42445051/scrip/payments"
)

// Receivers are those within Scrip itself to which is written what happens, hooks among them where there
// are any. Letters are written though no mail is set up here: they wait, and can be read.
func Receivers(hooks bool) []*catalog.Endpoint {
	all := []*catalog.Endpoint{
		{ID: catalog.PaymentsReceiver, Events: []catalog.EventType{catalog.EventPaymentDue, catalog.EventRefundDue}},
		{ID: catalog.MailReceiver, Events: letters.Events()},
	}
	if hooks {
		all = append(all, &catalog.Endpoint{ID: catalog.HooksReceiver})
	}
	return all
}

// Taking are the receivers of services, for the outbox to hand events to.
func Taking(p *payments.Core, l *letters.Core) map[string]notify.Receiver {
	all := map[string]notify.Receiver{catalog.PaymentsReceiver: charges{p}}
	if l.Sender != nil {
		all[catalog.MailReceiver] = l
	}
	return all
}

// charges hands over what a payment provider has to be asked for.
type charges struct{ *payments.Core }

// Receive makes the call that an event asks for.
func (c charges) Receive(ctx context.Context, e *notify.Event) error {
	if e.Order == nil {
		return notify.ErrNotForMe
	}
	if e.Type == catalog.EventPaymentDue {
		return c.Due(ctx, e.Key, e.Order, nil)
	}
	r := e.Refund()
	if r == nil {
		return notify.ErrNotForMe
	}
	return c.Due(ctx, e.Key, e.Order, r)
}
