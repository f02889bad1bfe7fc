package stripe

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"

	api "github.com/stripe/stripe-go/v85"

	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/payments/provider"
	"github.com/seed42445051/scrip/wallet"
)

const (
	pathRefunds  = "/v1/refunds"
	pathDisputes = "/v1/disputes"
)

// refundReasons are those that Stripe knows; others stay with us.
var refundReasons = []string{"duplicate", "fraudulent", "requested_by_customer"}

const opRefund = "stripe.Refund"

// Refund pays back. A refund that Stripe will not make, since the payment was refunded already or is
// disputed, is news of a refund that failed.
func (p *Provider) Refund(ctx context.Context, r provider.Refund) (wallet.OrderNews, error) {
	a, err := p.account(opRefund, r.Key.Mode)
	if err != nil {
		return wallet.OrderNews{}, err
	}
	if r.Order.Payment == "" {
		return wallet.OrderNews{}, fault.New(opRefund, fault.CodeOrderNotPaid, "Stripe has no payment of this order that could be paid back")
	}
	amount, err := toStripe(r.Minor, r.Order.Currency)
	if err != nil {
		f := fault.As(err)
		return notRefunded(&r, string(f.Code)), nil
	}
	// An idempotency key may be forgotten after a day, and money that went back stays away.
	made, failed := a.refundsOf(ctx, r.Order.Payment)
	if failed != nil {
		return wallet.OrderNews{}, failed.fault(opRefund)
	}
	for _, have := range made {
		if have.Metadata[metaOrder] == r.OrderID && refundIn(have.Metadata) == r.Own {
			return refundNews(have), nil
		}
	}
	back, failed := post[refund](ctx, a, pathRefunds, fmt.Sprintf("%s-refund-%d", r.OrderID, r.Own), refundParams(&r, amount))
	switch {
	case failed == nil:
		n := refundNews(back)
		n.Payment, n.Own = r.Order.Payment, r.Own
		return n, nil
	case failed.refused():
		reason := failed.problem.Code
		if reason == "" {
			reason = failed.problem.Message
		}
		return notRefunded(&r, reason), nil
	}
	return wallet.OrderNews{}, failed.fault(opRefund)
}

func refundParams(r *provider.Refund, amount int64) *api.RefundCreateParams {
	params := &api.RefundCreateParams{PaymentIntent: &r.Order.Payment, Amount: &amount, Metadata: customerMetadata(&r.Key)}
	params.Metadata[metaOrder], params.Metadata[metaRefund] = r.OrderID, strconv.FormatInt(r.Own, 10)
	if slices.Contains(refundReasons, r.Reason) {
		params.Reason = &r.Reason
	}
	return params
}

func notRefunded(r *provider.Refund, reason string) wallet.OrderNews {
	return wallet.OrderNews{
		Kind: wallet.NewsRefund, Payment: r.Order.Payment, Own: r.Own, Minor: r.Minor, Currency: r.Order.Currency,
		RefundStatus: wallet.RefundFailed, Reason: reason,
	}
}

// refundsOf are the refunds of a payment, oldest first.
func (a *account) refundsOf(ctx context.Context, payment string) ([]*refund, *failure) {
	return collect(ctx, a, pathRefunds, url.Values{"payment_intent": {payment}}, func(*refund) bool { return true })
}

// disputesOf are the disputes of a payment, oldest first.
func (a *account) disputesOf(ctx context.Context, payment string) ([]*dispute, *failure) {
	return collect(ctx, a, pathDisputes, url.Values{"payment_intent": {payment}}, func(*dispute) bool { return true })
}
