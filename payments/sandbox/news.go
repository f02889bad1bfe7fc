package sandbox

import (
	"slices"

	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/wallet"
)

// event is news on its way.
type event struct {
	ID   string        `json:"id"`
	At   clock.Instant `json:"at"`
	News message       `json:"news"`
}

// message is wallet.OrderNews as it is stored and sent.
type message struct {
	Kind     wallet.NewsKind `json:"kind"`
	Session  string          `json:"session,omitempty"`
	Payment  string          `json:"payment,omitempty"`
	Minor    int64           `json:"amount,omitempty"`
	Currency string          `json:"currency,omitempty"`

	Cumulative   int64               `json:"amount_refunded,omitempty"`
	Refund       string              `json:"refund,omitempty"`
	Own          int64               `json:"refund_number,omitempty"`
	RefundStatus wallet.RefundStatus `json:"refund_status,omitempty"`
	Reason       string              `json:"reason,omitempty"`

	DisputeID string               `json:"dispute,omitempty"`
	Dispute   wallet.DisputeStatus `json:"dispute_status,omitempty"`

	Decline *wallet.Decline `json:"decline,omitempty"`

	Customer string `json:"customer,omitempty"`
	Method   string `json:"payment_method,omitempty"`
	Label    string `json:"card,omitempty"`
}

// tell puts news among what is to be delivered. Where the same decline of a page waits already it is not
// told twice: a customer who tries on and on fills no list.
func (r *record) tell(n wallet.OrderNews, at clock.Instant) {
	same := func(e event) bool {
		return n.Kind == wallet.NewsDeclined && e.News.Kind == n.Kind && e.News.Payment == n.Payment && e.News.Decline.Code == n.Decline.Code
	}
	if slices.ContainsFunc(r.Events, same) {
		return
	}
	r.Events = append(r.Events, event{ID: id.New("evt_sbx"), At: at, News: message(n)})
}

// news is all news that there are of an order, in the order of what happened.
func (r *record) news() []wallet.OrderNews {
	var all []wallet.OrderNews
	for i := range r.Payments {
		all = append(all, r.newsOf(&r.Payments[i]))
	}
	if r.Status == closed || r.Status == expired {
		all = append(all, r.newsOfPage())
	}
	for i := range r.Refunds {
		all = append(all, r.newsOfRefund(&r.Refunds[i]))
	}
	if r.Dispute != nil {
		all = append(all, r.newsOfDispute())
	}
	return all
}

// about is what all news of an order say.
func (r *record) about(kind wallet.NewsKind) wallet.OrderNews {
	n := wallet.OrderNews{Kind: kind, Customer: r.Customer}
	if r.Page {
		n.Session = r.session
	}
	return n
}

func (r *record) newsOfPage() wallet.OrderNews { return r.about(wallet.NewsExpired) }

// newsOf is the news of a payment.
func (r *record) newsOf(p *payment) wallet.OrderNews {
	n := r.about(map[status]wallet.NewsKind{
		paid: wallet.NewsPaid, processing: wallet.NewsProcessing, declined: wallet.NewsDeclined, failed: wallet.NewsFailed,
	}[p.Status])
	n.Payment, n.Decline = p.ID, p.Decline
	if p.Status != paid {
		return n
	}
	n.Minor, n.Currency = r.Minor, r.Currency
	if c := named(p.Card); p.Method != "" && c != nil {
		n.Method, n.Label = p.Method, c.label()
	}
	return n
}

// paidAs is the id of the payment that was made.
func (r *record) paidAs() string {
	if p := r.last(); p != nil {
		return p.ID
	}
	return ""
}

func (r *record) newsOfRefund(f *refund) wallet.OrderNews {
	n := r.about(wallet.NewsRefund)
	n.Payment, n.Currency, n.Cumulative = r.paidAs(), r.Currency, r.refunded()
	n.Refund, n.Own, n.Minor, n.RefundStatus, n.Reason = f.ID, f.Own, f.Minor, f.Status, f.Reason
	return n
}

func (r *record) newsOfDispute() wallet.OrderNews {
	n := r.about(wallet.NewsDispute)
	n.Payment, n.Minor, n.Currency = r.paidAs(), r.Minor, r.Currency
	n.DisputeID, n.Dispute = r.Dispute.ID, r.Dispute.Status
	return n
}
