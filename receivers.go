package scrip

import (
	"context"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/engine"
	"github.com/seed42445051/scrip/letters"
	"github.com/seed42445051/scrip/mail"
	"github.com/seed42445051/scrip/notify"
	"github.com/seed42445051/scrip/payments"
	"github.com/seed42445051/scrip/payments/stripe"
)

// receivers are those within Scrip itself to which is written what happens. Letters are written though
// no mail is set up here: they wait, and can be read.
func receivers(h *Hooks) []*catalog.Endpoint {
	all := []*catalog.Endpoint{
		{ID: catalog.PaymentsReceiver, Events: []catalog.EventType{catalog.EventPaymentDue, catalog.EventRefundDue}},
		{ID: catalog.MailReceiver, Events: letters.Events()},
	}
	if h != nil {
		all = append(all, &catalog.Endpoint{ID: catalog.HooksReceiver})
	}
	return all
}

// taking are the receivers that this process takes events for.
func taking(p *payments.Core, l *letters.Core, h *Hooks) map[string]notify.Receiver {
	all := map[string]notify.Receiver{catalog.PaymentsReceiver: charges{p}}
	if l.Sender != nil {
		all[catalog.MailReceiver] = l
	}
	if h != nil {
		all[catalog.HooksReceiver] = h
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

// open makes what sends letters, and what writes them; no sender where no mail is set up.
func (m *mailOptions) open(now engine.Clock) (*mail.Sender, *mail.Templates, error) {
	templates, err := mail.Load(m.templates)
	if err != nil || m.address == "" {
		return nil, templates, err
	}
	sender, err := mail.New(mail.Options{URL: m.address, Clock: now, Templates: templates})
	return sender, templates, err
}

// useStripe has Stripe move the money of the modes that it is configured for.
func (o *options) useStripe(p *payments.Core) error {
	if !o.stripe.Live.Key.Set() && !o.stripe.Test.Key.Set() {
		return nil
	}
	s, err := stripe.New(o.stripe, o.engine.Clock)
	if err != nil {
		return err
	}
	p.Others = append(p.Others, s)
	if o.stripe.Live.Key.Set() {
		p.Live = s
	}
	if o.stripe.Test.Key.Set() {
		p.Test = s
	}
	return nil
}
