package sandbox

import (
	"slices"

	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/payments/provider"
	"github.com/seed42445051/scrip/wallet"
)

// record is all that is known of one order: what is to be paid, and what was done about that. Money is
// in minor units of Currency.
type record struct {
	session string // the object's id

	Order    string     `json:"order"` // its public id; empty: nothing is known
	Key      wallet.Key `json:"key"`
	Customer string     `json:"customer"` // as it is called here
	Name     string     `json:"name,omitempty"`
	Email    string     `json:"email,omitempty"`
	AppName  string     `json:"app_name,omitempty"`
	Text     string     `json:"text"`
	Credits  string     `json:"credits,omitempty"`
	Quantity int64      `json:"quantity"`
	Minor    int64      `json:"minor"`
	Currency string     `json:"currency"`
	SaveCard bool       `json:"save_card,omitempty"`

	Page       bool          `json:"page,omitempty"` // it has one
	SuccessURL string        `json:"success_url,omitempty"`
	CancelURL  string        `json:"cancel_url,omitempty"`
	ExpiresAt  clock.Instant `json:"expires_at,omitzero"`

	Status   status    `json:"status"`
	Asked    string    `json:"asked,omitempty"` // the card that the customer is to confirm
	Payments []payment `json:"payments,omitempty"`
	Refunds  []refund  `json:"refunds,omitempty"`
	Dispute  *dispute  `json:"dispute,omitempty"`
	Events   []event   `json:"events,omitempty"` // that are to be delivered
}

// status is where an order stands.
type status string

const (
	open       status = "open"       // nothing is paid; on a page the customer may try
	confirming status = "confirming" // on a page: the bank asks the customer
	processing status = "processing" // the money is on its way
	paid       status = "paid"
	declined   status = "declined" // of a payment: another may be tried
	failed     status = "failed"   // for good
	closed     status = "closed"   // the page is
	expired    status = "expired"
)

// payment is one payment of an order: the page's, or that of one charge.
type payment struct {
	ID      string          `json:"id,omitempty"`      // empty: there was nothing to pay
	Attempt int             `json:"attempt,omitempty"` // of a charge; 0: the page's
	Card    string          `json:"card"`              // its name
	Method  string          `json:"method,omitempty"`  // under which it is kept; empty: it is not
	Status  status          `json:"status"`
	Decline *wallet.Decline `json:"decline,omitempty"`
}

// refund is money that went back.
type refund struct {
	ID     string              `json:"id"`
	Own    int64               `json:"own"`
	Minor  int64               `json:"minor"`
	Status wallet.RefundStatus `json:"status"`
	Reason string              `json:"reason,omitempty"`
}

// dispute is that the customer wants the money back from the bank.
type dispute struct {
	ID     string               `json:"id"`
	Status wallet.DisputeStatus `json:"status"`
}

// describe takes down what an order is about.
func (r *record) describe(p provider.Place, o *wallet.Order, order string) {
	r.Order, r.Key, r.Customer, r.Name, r.Email = order, p.Key, customerID(p.Key), p.Name, p.Email
	r.Text, r.Quantity, r.Minor, r.Currency, r.SaveCard = o.Text, o.Quantity, o.Minor, o.Currency, o.SaveCard
	r.SuccessURL, r.CancelURL = o.SuccessURL, o.CancelURL
	if r.Status == "" {
		r.Status = open
	}
}

// attempt returns the payment of an attempt, nil when there is none. Attempt 0 is the page's.
func (r *record) attempt(n int) *payment {
	i := slices.IndexFunc(r.Payments, func(p payment) bool { return p.Attempt == n })
	if i < 0 {
		return nil
	}
	return &r.Payments[i]
}

// last is the payment that was begun last, nil when none was.
func (r *record) last() *payment {
	if len(r.Payments) == 0 {
		return nil
	}
	return &r.Payments[len(r.Payments)-1]
}

// waiting reports whether the page waits for the customer.
func (r *record) waiting() bool { return r.Page && (r.Status == open || r.Status == confirming) }

// expire closes the page when its time is over.
func (r *record) expire(at clock.Instant) {
	if r.waiting() && !r.ExpiresAt.IsZero() && r.ExpiresAt <= at {
		r.end(expired, at)
	}
}

// close closes the page, unless it is paid or being paid.
func (r *record) close(at clock.Instant) {
	if r.waiting() {
		r.end(closed, at)
	}
}

func (r *record) end(s status, at clock.Instant) {
	r.Status, r.Asked = s, ""
	r.tell(r.newsOfPage(), at)
}

// ask has the customer confirm the payment with a card.
func (r *record) ask(c *card) { r.Status, r.Asked = confirming, c.name }

// pay carries out the payment of an attempt with a card.
func (r *record) pay(attempt int, c *card, does outcome, at clock.Instant) {
	if r.attempt(attempt) == nil {
		p := payment{Attempt: attempt}
		if r.Minor > 0 {
			p.ID = id.New("pi_sbx")
		}
		r.Payments = append(r.Payments, p)
	}
	p := r.attempt(attempt)
	p.Card, p.Method, p.Decline = c.name, "", nil
	r.Asked = ""
	switch does {
	case pays:
		p.Status = paid
	case waits:
		p.Status = processing
	default:
		r.refuse(p, c.decline, at)
		return
	}
	if r.SaveCard && r.Page {
		p.Method = c.method(r.Customer)
	}
	r.Status = p.Status
	r.tell(r.newsOf(p), at)
}

// refuse declines a payment: another may be tried.
func (r *record) refuse(p *payment, d wallet.Decline, at clock.Instant) {
	d.Attempt, d.At = p.Attempt, at
	p.Status, p.Decline, p.Method = declined, &d, ""
	r.Status, r.Asked = open, ""
	r.tell(r.newsOf(p), at)
}

// settle ends a payment whose money was on its way.
func (r *record) settle(arrived bool, at clock.Instant) {
	p := r.last()
	if r.Status != processing || p == nil {
		return
	}
	switch {
	case arrived:
		p.Status, r.Status = paid, paid
	case r.Page: // the customer has left it
		d := bankDecline
		d.At = at
		p.Status, p.Decline, p.Method, r.Status = failed, &d, "", failed
	default:
		r.refuse(p, bankDecline, at)
		return
	}
	r.tell(r.newsOf(p), at)
}

// refunded is how much went back.
func (r *record) refunded() int64 {
	sum := int64(0)
	for i := range r.Refunds {
		if r.Refunds[i].Status != wallet.RefundFailed {
			sum += r.Refunds[i].Minor
		}
	}
	return sum
}

// refund pays back, once for each number within the order.
func (r *record) refund(op string, q *provider.Refund, at clock.Instant) (*refund, error) {
	for i := range r.Refunds {
		if r.Refunds[i].Own == q.Own {
			return &r.Refunds[i], nil
		}
	}
	if r.Status != paid || r.Minor == 0 {
		return nil, fault.New(op, fault.CodeOrderNotPaid, "Nothing was paid for the order that could be paid back.")
	}
	if q.Minor <= 0 {
		return nil, fault.New(op, fault.CodeInvalidAmount, "A refund is of more than nothing.").In("amount")
	}
	left := r.Minor - r.refunded()
	if r.Dispute != nil && r.Dispute.Status == wallet.DisputeLost {
		left = 0
	}
	if q.Minor > left {
		return nil, fault.New(op, fault.CodeRefundTooLarge, "%d minor units are left to be paid back.", left).In("amount")
	}
	r.Refunds = append(r.Refunds, refund{
		ID: id.New("re_sbx"), Own: q.Own, Minor: q.Minor, Status: wallet.RefundSucceeded, Reason: q.Reason,
	})
	f := &r.Refunds[len(r.Refunds)-1]
	r.tell(r.newsOfRefund(f), at)
	return f, nil
}

// failRefund makes a refund fail after the fact, as when the card's account is closed.
func (r *record) failRefund(op, name string, at clock.Instant) error {
	i := slices.IndexFunc(r.Refunds, func(f refund) bool { return f.ID == name })
	if i < 0 {
		return fault.New(op, fault.CodeNotFound, "The order has no such refund.")
	}
	f := &r.Refunds[i]
	if f.Status == wallet.RefundFailed {
		return nil
	}
	f.Status = wallet.RefundFailed
	r.tell(r.newsOfRefund(f), at)
	return nil
}

// contest opens a dispute, or decides the one that is open.
func (r *record) contest(op string, to wallet.DisputeStatus, at clock.Instant) error {
	if r.Status != paid || r.Minor == 0 {
		return fault.New(op, fault.CodeOrderNotPaid, "Nothing was paid for the order that could be disputed.")
	}
	have := wallet.DisputeStatus("")
	if r.Dispute != nil {
		have = r.Dispute.Status
	}
	switch {
	case have == to:
		return nil
	case to == wallet.DisputeOpen && have != wallet.DisputeLost:
		r.Dispute = &dispute{ID: id.New("dp_sbx"), Status: to}
	case (to == wallet.DisputeWon || to == wallet.DisputeLost) && have == wallet.DisputeOpen:
		r.Dispute.Status = to
	default:
		return fault.New(op, fault.CodeInvalidRequest, "A dispute is opened first, and is then won or lost; one that is lost is final.")
	}
	r.tell(r.newsOfDispute(), at)
	return nil
}
