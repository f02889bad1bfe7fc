package payments

import (
	"context"
	"errors"

	"github.com/seed42445051/scrip/engine"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/payments/provider"
	"github.com/seed42445051/scrip/wallet"
)

// errUnknownOutcome marks a call to a provider of which nobody knows what came of it. The outbox makes
// it again, under the same key.
var errUnknownOutcome = errors.New("the outcome is not known yet")

func previewOf(key wallet.Key, command wallet.Command) engine.Request {
	return engine.Request{Wallet: key, Command: command, Actor: "payments", Preview: true}
}

// Due makes the call to a provider that a decision has asked for: the charge of an order, or with a
// refund that. The outbox hands it over, at least once; a provider knows one that comes again by its
// key.
func (c *Core) Due(ctx context.Context, key wallet.Key, o *wallet.Order, r *wallet.OrderRefund) error {
	done, err := c.asking.alone(ctx, o.ID(key.ID()))
	if err != nil {
		return err
	}
	defer done()
	// Whoever asked meanwhile has told the order.
	now, err := c.find(ctx, key.ID(), o.N)
	if err != nil {
		return err
	}
	if r == nil {
		return c.charge(ctx, key, now.Order)
	}
	for i := range now.Order.Refunds {
		if is := &now.Order.Refunds[i]; is.Own == r.Own {
			return c.refund(ctx, key, now.Order, is)
		}
	}
	return errNoOrder()
}

// charge charges the card that is kept for an order that is due, and tells the order what came of it.
func (c *Core) charge(ctx context.Context, key wallet.Key, o *wallet.Order) error {
	if o.Status != wallet.OrderDue {
		return nil // it was done, or is no longer wanted
	}
	p, err := c.named(key.Mode, o.Provider)
	if err != nil {
		return err
	}
	place, payer, err := c.place(ctx, key)
	if err != nil {
		return err
	}
	var news wallet.OrderNews
	if payer == nil || payer.Method == "" || payer.Provider != p.Name() {
		news = wallet.OrderNews{Kind: wallet.NewsDeclined, Decline: &wallet.Decline{
			Code: "no_payment_method", Text: "The customer has no saved card.", Class: wallet.DeclineHard, Attempt: o.Attempt,
		}}
	} else {
		news, err = p.Charge(ctx, provider.Charge{Place: with(place, payer, p.Name()), Order: o, OrderID: o.ID(key.ID()), Method: payer.Method})
	}
	if fault.CodeOf(err) == fault.CodePaymentProviderError {
		return errors.Join(errUnknownOutcome, err)
	}
	if err != nil {
		c.Log.Warn("a charge was refused by the provider", "order", o.ID(key.ID()), "cause", err)
		news = wallet.OrderNews{Kind: wallet.NewsDeclined, Decline: &wallet.Decline{
			Code: string(fault.CodeOf(err)), Text: fault.As(err).Message, Class: wallet.DeclineHard, Attempt: o.Attempt,
		}}
	}
	_, err = c.do(ctx, key, &wallet.TellOrder{Order: o.N, News: news})
	return err
}
