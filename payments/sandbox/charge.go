package sandbox

import (
	"context"

	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/payments/provider"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/wallet"
)

// Charge charges a card that is kept, or a test card by its name, once for each attempt of an order. An
// order that is paid is not charged again, nor one whose money is on its way.
func (p *Provider) Charge(ctx context.Context, c provider.Charge) (wallet.OrderNews, error) {
	const op = "sandbox.Charge"
	if err := enough(op, c.Order); err != nil {
		return wallet.OrderNews{}, err
	}
	with, err := p.cardOf(ctx, op, c.Key, c.Method)
	if err != nil {
		return wallet.OrderNews{}, err
	}
	blank, err := p.orderObject(ctx, op, c.Key, c.OrderID)
	if err != nil {
		return wallet.OrderNews{}, err
	}
	attempt := max(1, c.Order.Attempt)
	r, err := p.change(ctx, op, blank, func(r *record) error {
		if r.Order == "" {
			r.describe(c.Place, c.Order, c.OrderID)
		}
		if r.Status == open && r.attempt(attempt) == nil {
			r.pay(attempt, with, with.charge, p.Clock.Now())
		}
		return nil
	})
	if err != nil {
		return wallet.OrderNews{}, err
	}
	p.delivered(ctx, blank, r)
	return r.charged(attempt), nil
}

// charged is what came of a charge: of its attempt, or of what was paid otherwise.
func (r *record) charged(attempt int) wallet.OrderNews {
	if p := r.attempt(attempt); p != nil {
		return r.newsOf(p)
	}
	if p := r.last(); p != nil {
		return r.newsOf(p)
	}
	return r.newsOfPage()
}

// Refund pays back, once for each number within an order. The error's code is order_not_paid,
// refund_too_large or invalid_amount.
func (p *Provider) Refund(ctx context.Context, q provider.Refund) (wallet.OrderNews, error) {
	const op = "sandbox.Refund"
	blank, err := p.orderObject(ctx, op, q.Key, q.OrderID)
	if err != nil {
		return wallet.OrderNews{}, err
	}
	var news wallet.OrderNews
	r, err := p.change(ctx, op, blank, func(r *record) error {
		if r.Order == "" {
			return fault.New(op, fault.CodeOrderNotPaid, "Nothing was paid here for the order.")
		}
		f, err := r.refund(op, &q, p.Clock.Now())
		if err != nil {
			return err
		}
		news = r.newsOfRefund(f)
		return nil
	})
	if err != nil {
		return wallet.OrderNews{}, err
	}
	p.delivered(ctx, blank, r)
	return news, nil
}

// delivered delivers what an order has to tell. What fails is delivered by Redeliver.
func (p *Provider) delivered(ctx context.Context, o store.ProviderObject, r *record) {
	if len(r.Events) > 0 {
		_ = p.deliver(ctx, o.ID)
	}
}
