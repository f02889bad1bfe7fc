package stripe

import (
	"context"
	"fmt"

	"github.com/seed42445051/scrip/wallet"
)

// The statuses of sessions and intents that are told apart.
const (
	sessionComplete = "complete"
	sessionExpired  = "expired"

	statusUnpaid     = "unpaid" // of a session that is complete: the money is on its way
	statusSucceeded  = "succeeded"
	statusProcessing = "processing"
	statusCapture    = "requires_capture"
	statusAction     = "requires_action"
	statusCanceled   = "canceled"
)

// sessionNews is what a session says of its order; nil: nothing yet. The card is not part of it.
func sessionNews(s *session) *wallet.OrderNews {
	n := &wallet.OrderNews{
		Session: s.ID, Payment: s.PaymentIntent.ID, Minor: fromStripe(s.AmountTotal, s.Currency), Currency: s.Currency, Customer: s.Customer.ID,
	}
	switch {
	case s.Status == sessionExpired:
		n.Kind = wallet.NewsExpired
	case s.Status != sessionComplete:
		return nil
	case s.PaymentStatus == statusUnpaid:
		n.Kind = wallet.NewsProcessing
	default: // paid, or nothing to pay
		n.Kind = wallet.NewsPaid
	}
	return n
}

// intentNews is what a payment says of its order; nil: nothing yet. A charge without a page that waits
// for somebody has failed, since nobody is there.
func intentNews(in *intent) *wallet.OrderNews {
	attempt := attemptIn(in.Metadata)
	n := &wallet.OrderNews{Payment: in.ID, Currency: in.Currency, Customer: in.Customer.ID}
	switch {
	case in.Status == statusSucceeded:
		n.Kind, n.Minor = wallet.NewsPaid, fromStripe(in.AmountReceived, in.Currency)
	case in.Status == statusProcessing || in.Status == statusCapture:
		n.Kind = wallet.NewsProcessing
	case in.Status == statusCanceled && attempt > 0:
		n.Kind, n.Decline = wallet.NewsDeclined, hard(reasonCanceled, "The payment was canceled.", attempt)
	case in.LastError != nil:
		n.Kind, n.Decline = wallet.NewsDeclined, in.LastError.declined(attempt)
	case in.Status == statusAction && attempt > 0:
		p := problem{Code: reasonNeedsPerson}
		n.Kind, n.Decline = wallet.NewsDeclined, p.declined(attempt)
	case attempt > 0:
		p := problem{}
		n.Kind, n.Decline = wallet.NewsDeclined, p.declined(attempt)
	default:
		return nil
	}
	return n
}

// chargeNews is what a charge says of what went back in all.
func chargeNews(c *charge, payment string) wallet.OrderNews {
	return wallet.OrderNews{Kind: wallet.NewsRefund, Payment: payment, Cumulative: fromStripe(c.AmountRefunded, c.Currency), Currency: c.Currency}
}

// refundStatuses are Stripe's statuses of a refund in our words. One that waits for something is on its
// way; one that was canceled has moved no money.
var refundStatuses = map[string]wallet.RefundStatus{
	"pending": wallet.RefundPending, "requires_action": wallet.RefundPending, "succeeded": wallet.RefundSucceeded,
	"failed": wallet.RefundFailed, "canceled": wallet.RefundFailed,
}

func refundNews(r *refund) wallet.OrderNews {
	status, ok := refundStatuses[r.Status]
	if !ok {
		status = wallet.RefundPending
	}
	return wallet.OrderNews{
		Kind: wallet.NewsRefund, Payment: r.PaymentIntent.ID, Refund: r.ID, Own: refundIn(r.Metadata), RefundStatus: status,
		Minor: fromStripe(r.Amount, r.Currency), Currency: r.Currency, Reason: r.FailureReason,
	}
}

// disputeStatuses are those of disputes that are over; all others are open, inquiries included: the
// money may go.
var disputeStatuses = map[string]wallet.DisputeStatus{
	"won": wallet.DisputeWon, "warning_closed": wallet.DisputeWon, "prevented": wallet.DisputeWon, "lost": wallet.DisputeLost,
}

func disputeNews(d *dispute) wallet.OrderNews {
	status, ok := disputeStatuses[d.Status]
	if !ok {
		status = wallet.DisputeOpen
	}
	return wallet.OrderNews{Kind: wallet.NewsDispute, Payment: d.PaymentIntent.ID, DisputeID: d.ID, Dispute: status, Reason: d.Reason}
}

// addCard adds the card that is kept to news, as the intent that kept it has it. It is fetched unless
// it came along.
func (a *account) addCard(ctx context.Context, n *wallet.OrderNews, path string, in ref[intent]) *failure {
	if in.Value == nil || in.Value.PaymentMethod.Value == nil {
		fetched, failed := get[intent](ctx, a, at(path, in.ID), expand("payment_method"))
		if failed != nil {
			return failed
		}
		in.Value = fetched
	}
	m := in.Value.PaymentMethod.Value
	if m == nil || m.Card == nil {
		return nil // nothing that can be charged as a card later
	}
	if n.Customer == "" {
		n.Customer = in.Value.Customer.ID
	}
	n.Method, n.Label = m.ID, fmt.Sprintf("%s •••• %s", m.Card.Brand, m.Card.Last4)
	return nil
}

// addSessionCard adds the card that a session kept, if it kept one.
func (a *account) addSessionCard(ctx context.Context, n *wallet.OrderNews, s *session) *failure {
	switch {
	case n.Kind != wallet.NewsPaid:
		return nil
	case s.Mode == modeSetup && s.SetupIntent.ID != "":
		return a.addCard(ctx, n, pathSetups, s.SetupIntent)
	case s.Metadata[metaSaves] == saves && s.PaymentIntent.ID != "":
		return a.addCard(ctx, n, pathIntents, s.PaymentIntent)
	}
	return nil
}
