package sandbox

import (
	"context"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/wallet"
)

// Order names an order to those who play with it: the controls do what with a real provider banks and
// their customers do. The page of an order has buttons for all of them.
type Order struct {
	App  string
	Mode catalog.Mode
	ID   string // public
}

// Address is the page that shows how an order stands, with buttons for what can become of it. Orders
// that are charged without a page have it as well. Who knows it can use it.
func (p *Provider) Address(ctx context.Context, o Order) (string, error) {
	session, err := p.sessionOf(ctx, "sandbox.Address", o)
	if err != nil {
		return "", err
	}
	return p.address(session), nil
}

func (p *Provider) sessionOf(ctx context.Context, op string, o Order) (string, error) {
	blank, err := p.orderObject(ctx, op, wallet.Key{App: o.App, Mode: o.Mode}, o.ID)
	return blank.ID, err
}

// Dispute opens a dispute of what was paid for an order, and then decides it. The error's code is
// order_not_found, order_not_paid, or invalid_request where that does not follow.
func (p *Provider) Dispute(ctx context.Context, o Order, to wallet.DisputeStatus) error {
	const op = "sandbox.Dispute"
	return p.control(ctx, op, o, func(r *record) error { return r.contest(op, to, p.Clock.Now()) })
}

// FailRefund makes a refund fail that had succeeded; refund is the sandbox's id of it. The error's code
// is order_not_found or not_found.
func (p *Provider) FailRefund(ctx context.Context, o Order, refund string) error {
	const op = "sandbox.FailRefund"
	return p.control(ctx, op, o, func(r *record) error { return r.failRefund(op, refund, p.Clock.Now()) })
}

// Settle ends a payment whose money is on its way: it arrives, or the bank refuses. Where none is on its
// way nothing happens. The error's code is order_not_found.
func (p *Provider) Settle(ctx context.Context, o Order, arrived bool) error {
	return p.control(ctx, "sandbox.Settle", o, func(r *record) error {
		r.settle(arrived, p.Clock.Now())
		return nil
	})
}

func (p *Provider) control(ctx context.Context, op string, o Order, f func(*record) error) error {
	session, err := p.sessionOf(ctx, op, o)
	if err != nil {
		return err
	}
	_, err = p.act(ctx, op, session, f)
	return err
}
