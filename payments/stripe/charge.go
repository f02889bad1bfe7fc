package stripe

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	api "github.com/stripe/stripe-go/v85"

	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/payments/provider"
	"github.com/seed42445051/scrip/wallet"
)

const (
	pathIntents = "/v1/payment_intents"
	pathSetups  = "/v1/setup_intents"
)

// keyLife is for how long an idempotency key surely counts: Stripe may forget it after 24 hours.
const keyLife = 23 * time.Hour

const opCharge = "stripe.Charge"

// Charge charges the card that is kept (vevee-golivekit-stripe.md section 4.3). Whatever Stripe says no
// to is a decline; payment_provider_error leaves the outcome open.
func (p *Provider) Charge(ctx context.Context, c provider.Charge) (wallet.OrderNews, error) {
	a, err := p.account(opCharge, c.Key.Mode)
	if err != nil {
		return wallet.OrderNews{}, err
	}
	if c.Customer == "" || c.Method == "" {
		return declinedHere(&c, reasonNoMethod, "There is no card that can be charged."), nil
	}
	amount, err := toStripe(c.Order.Minor, c.Order.Currency)
	if err != nil {
		f := fault.As(err)
		return declinedHere(&c, string(f.Code), f.Message), nil
	}
	if p.keyMayBeForgotten(c.Order) {
		if found, failed := p.findCharge(ctx, a, &c); failed != nil {
			return wallet.OrderNews{}, failed.fault(opCharge)
		} else if found != nil {
			return chargedNews(found, c.Order), nil
		}
	}
	in, failed := post[intent](ctx, a, pathIntents, fmt.Sprintf("%s-%d", c.OrderID, c.Order.Attempt), &api.PaymentIntentCreateParams{
		Amount: &amount, Currency: &c.Order.Currency, Customer: &c.Customer, PaymentMethod: &c.Method,
		PaymentMethodTypes: []*string{api.String("card")}, OffSession: api.Bool(true), Confirm: api.Bool(true),
		Description: optional(c.Order.Text), Metadata: orderMetadata(&c.Place, c.Order, c.OrderID),
	})
	if failed == nil {
		return chargedNews(in, c.Order), nil
	}
	return p.notCharged(ctx, a, &c, failed)
}

// notCharged says what a charge that Stripe did not take leads to.
func (p *Provider) notCharged(ctx context.Context, a *account, c *provider.Charge, failed *failure) (wallet.OrderNews, error) {
	switch {
	case failed.status == http.StatusPaymentRequired:
		n := wallet.OrderNews{Kind: wallet.NewsDeclined, Payment: failed.problem.PaymentIntent.ID}
		n.Decline = failed.problem.declined(c.Order.Attempt)
		return n, nil
	case failed.twisted(): // the attempt was made with another card or name: its outcome counts
		if found, _ := p.findCharge(ctx, a, c); found != nil {
			return chargedNews(found, c.Order), nil
		}
	case failed.refused(): // no such customer or card, an amount that is not allowed: it will not be otherwise later
		d := failed.problem.declined(c.Order.Attempt)
		d.Class = wallet.DeclineHard
		return wallet.OrderNews{Kind: wallet.NewsDeclined, Decline: d}, nil
	}
	return wallet.OrderNews{}, failed.fault(opCharge)
}

func declinedHere(c *provider.Charge, code, text string) wallet.OrderNews {
	return wallet.OrderNews{Kind: wallet.NewsDeclined, Decline: hard(code, text, c.Order.Attempt)}
}

// chargedNews is the news of the payment that an attempt made.
func chargedNews(in *intent, o *wallet.Order) wallet.OrderNews {
	if attemptIn(in.Metadata) == 0 {
		in.Metadata = map[string]string{metaAttempt: strconv.Itoa(o.Attempt)}
	}
	return *intentNews(in)
}

// keyMayBeForgotten tells whether an attempt may have been made so long ago that asking again would
// charge again. How old an order with a test clock is, nobody knows.
func (p *Provider) keyMayBeForgotten(o *wallet.Order) bool {
	age := p.clock.Now().Sub(o.CreatedAt)
	return age < 0 || age > keyLife
}

// findCharge finds the payment of the very attempt; nil: it was not made.
func (p *Provider) findCharge(ctx context.Context, a *account, c *provider.Charge) (*intent, *failure) {
	all, failed := p.intentsOf(ctx, a, &provider.Question{Place: c.Place, Order: c.Order, OrderID: c.OrderID})
	if failed != nil {
		return nil, failed
	}
	for _, in := range all {
		if attemptIn(in.Metadata) == c.Order.Attempt {
			return in, nil
		}
	}
	return nil, nil
}

// intentsOf finds the payments of an order among those of its customer, oldest first. Stripe's search by
// metadata is behind by minutes; its lists are not.
func (p *Provider) intentsOf(ctx context.Context, a *account, q *provider.Question) ([]*intent, *failure) {
	query := url.Values{"customer": {q.Customer}, "expand[]": {"data.latest_charge"}}
	if made := q.Order.CreatedAt; made <= p.clock.Now() {
		query.Set("created[gte]", strconv.FormatInt(made.Add(-time.Hour).Time().Unix(), 10))
	}
	return collect(ctx, a, pathIntents, query, func(in *intent) bool { return in.Metadata[metaOrder] == q.OrderID })
}
