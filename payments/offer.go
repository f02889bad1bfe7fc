package payments

import (
	"context"

	"github.com/seed42445051/scrip/engine"
	"github.com/seed42445051/scrip/wallet"
)

// Offer opens a page on which a customer buys, and saves a card for, what an automatic top-up could not
// buy. Asked again for the same order it is the same page, as long as that is open.
func (c *Core) Offer(ctx context.Context, key wallet.Key, failed *wallet.Order) (string, error) {
	p, err := c.provider(key.Mode)
	if err != nil {
		return "", err
	}
	place := &wallet.PlaceOrder{
		Kind: wallet.PackOrder, Pack: failed.What, Quantity: failed.Quantity, Provider: p.Name(), SaveCard: true,
		Note: wallet.Note{Reason: "offered for " + failed.ID(key.ID()), Metadata: failed.Metadata},
	}
	res, err := c.Engine.Do(ctx, engine.Request{Wallet: key, Command: place, Actor: "payments", Idempotency: "offer-" + failed.ID(key.ID())})
	if err != nil {
		return "", err
	}
	o, err := c.carryOut(ctx, res.Key, res.Order)
	if err != nil {
		return "", err
	}
	return o.URL, nil
}
