package stripe

import (
	"context"
	"net/http"

	"github.com/seed42445051/scrip/payments/provider"
	"github.com/seed42445051/scrip/wallet"
)

// Look asks what became of an order: by its page, by its payment, or among the customer's payments
// where neither is known, since the answer to what was asked was lost.
func (p *Provider) Look(ctx context.Context, q provider.Question) ([]wallet.OrderNews, error) {
	const op = "stripe.Look"
	a, err := p.account(op, q.Key.Mode)
	if err != nil {
		return nil, err
	}
	l := &look{ctx: ctx, p: p, a: a, q: &q}
	if failed := l.look(); failed != nil && failed.status != http.StatusNotFound {
		return nil, failed.fault(op)
	}
	return l.news, nil
}

// look gathers the news of one order.
type look struct {
	ctx  context.Context
	p    *Provider
	a    *account
	q    *provider.Question
	news []wallet.OrderNews
}

func (l *look) look() *failure {
	o := l.q.Order
	switch {
	case o.OffSession && o.Status != wallet.OrderPaid && l.q.Customer != "":
		return l.charges()
	case o.OffSession:
		return l.payment(o.Payment)
	case o.Session != "":
		return l.page(o.Session)
	case l.q.Customer != "":
		s, failed := l.a.findSession(l.ctx, l.q.Customer, l.q.OrderID)
		if failed != nil || s == nil {
			return failed
		}
		return l.page(s.ID)
	}
	return nil
}

// page tells what became of a page, and of what was paid on it.
func (l *look) page(id string) *failure {
	s, failed := get[session](l.ctx, l.a, at(pathSessions, id),
		expand("payment_intent.payment_method", "payment_intent.latest_charge", "setup_intent.payment_method"))
	if failed != nil {
		return failed
	}
	n := sessionNews(s)
	if n == nil { // it is open: a decline is all that there can be
		return l.intent(s.PaymentIntent.Value)
	}
	if in := s.PaymentIntent.Value; n.Kind == wallet.NewsProcessing && in != nil && in.LastError != nil {
		n.Kind, n.Decline = wallet.NewsFailed, in.LastError.declined(0)
	}
	if failed := l.a.addSessionCard(l.ctx, n, s); failed != nil {
		return failed
	}
	l.news = append(l.news, *n)
	return l.money(s.PaymentIntent.Value)
}

// charges tells what became of every charge without a page.
func (l *look) charges() *failure {
	all, failed := l.p.intentsOf(l.ctx, l.a, l.q)
	if failed != nil {
		return failed
	}
	for _, in := range all {
		if failed := l.intent(in); failed != nil {
			return failed
		}
	}
	return nil
}

// payment tells what became of one payment.
func (l *look) payment(id string) *failure {
	if id == "" {
		return nil
	}
	in, failed := get[intent](l.ctx, l.a, at(pathIntents, id), expand("latest_charge"))
	if failed != nil {
		return failed
	}
	return l.intent(in)
}

func (l *look) intent(in *intent) *failure {
	if in == nil {
		return nil
	}
	if n := intentNews(in); n != nil {
		l.news = append(l.news, *n)
	}
	return l.money(in)
}

// money tells what went back of a payment, single refunds before all of them: of one that failed the
// sum knows nothing.
func (l *look) money(in *intent) *failure {
	if in == nil || in.Status != statusSucceeded {
		return nil
	}
	refunds, failed := l.a.refundsOf(l.ctx, in.ID)
	if failed != nil {
		return failed
	}
	for _, r := range refunds {
		l.news = append(l.news, refundNews(r))
	}
	c := in.LatestCharge.Value
	if c != nil && c.AmountRefunded > 0 {
		l.news = append(l.news, chargeNews(c, in.ID))
	}
	if c != nil && !c.Disputed {
		return nil
	}
	disputes, failed := l.a.disputesOf(l.ctx, in.ID)
	if failed != nil {
		return failed
	}
	for _, d := range disputes {
		l.news = append(l.news, disputeNews(d))
	}
	return nil
}
