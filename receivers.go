package scrip

import (
	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/engine"
	"github.com/seed42445051/scrip/letters"
	"github.com/seed42445051/scrip/mail"
	"github.com/seed42445051/scrip/notify"
	"github.com/seed42445051/scrip/payments"
	"github.com/seed42445051/scrip/payments/stripe"
	"github.com/seed42445051/scrip/services"
)

// taking are the receivers that this process takes events for.
func taking(p *payments.Core, l *letters.Core, h *Hooks) map[string]notify.Receiver {
	all := services.Taking(p, l)
	if h != nil {
		all[catalog.HooksReceiver] = h
	}
	return all
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
