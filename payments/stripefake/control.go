package stripefake

// What a test can bring about. Each of these takes effect at once and makes the
// events that Stripe would make; an error tells that the thing does not exist or
// is in the wrong state, or, where a payment is made, that it was declined.

// Pay fills a checkout session in and pays with a test card, or with DefaultCard
// when card is empty. A card that is declined is an error and leaves the session open.
func (f *Fake) Pay(sessionID, card string) error {
	if card == "" {
		card = DefaultCard
	}
	f.lock()
	defer f.mu.Unlock()
	s, err := f.openSession(sessionID)
	if err != nil {
		return err
	}
	return f.complete(s, card)
}

// PayLate completes a checkout session with a payment that takes days: the
// session is complete and unpaid, until SettleLate or FailLate.
func (f *Fake) PayLate(sessionID string) error { return f.Pay(sessionID, "pm_usBankAccount_success") }

// SettleLate lets the payment of a session after PayLate succeed.
func (f *Fake) SettleLate(sessionID string) error {
	f.lock()
	defer f.mu.Unlock()
	return f.decide(sessionID, "")
}

// FailLate lets the payment of a session after PayLate fail.
func (f *Fake) FailLate(sessionID string) error {
	f.lock()
	defer f.mu.Unlock()
	return f.decide(sessionID, "generic_decline")
}

// Expire ends an open checkout session before its time.
func (f *Fake) Expire(sessionID string) error {
	f.lock()
	defer f.mu.Unlock()
	s, err := f.openSession(sessionID)
	if err == nil {
		f.expire(s)
	}
	return err
}

// DeclineNext declines the next charge, whatever the card. A reason is a decline
// code such as insufficient_funds, or expired_card, incorrect_cvc,
// processing_error or authentication_required. Further calls are for the charges
// after that.
func (f *Fake) DeclineNext(reason string) {
	f.lock()
	defer f.mu.Unlock()
	f.next = append(f.next, declined(reason))
}

// DeclineNone forgets what DeclineNext has lined up and no charge has met.
func (f *Fake) DeclineNone() {
	f.lock()
	defer f.mu.Unlock()
	f.next = nil
}

// RequireAuthentication lets the next charge need the customer in person: off
// session it is declined, on session it waits for Settle.
func (f *Fake) RequireAuthentication() { f.DeclineNext(AuthenticationRequired) }

// Settle lets a payment intent that waits, for its bank or for its customer, succeed.
func (f *Fake) Settle(paymentID string) error {
	f.lock()
	defer f.mu.Unlock()
	return f.decidePayment(paymentID, "")
}

// Unsettle lets a payment intent that waits fail for a reason, as DeclineNext has it.
func (f *Fake) Unsettle(paymentID, reason string) error {
	f.lock()
	defer f.mu.Unlock()
	return f.decidePayment(paymentID, reason)
}

// Refund gives an amount of a payment intent back, in minor units; 0 stands for
// what is left of it. It returns the id of the refund.
func (f *Fake) Refund(paymentID string, amount int64) (string, error) {
	f.lock()
	defer f.mu.Unlock()
	ch, err := f.chargeOf(paymentID)
	if err != nil {
		return "", err
	}
	if amount == 0 {
		amount = ch.Amount - ch.AmountRefunded
	}
	r := &refund{Amount: amount, Reason: "requested_by_customer"}
	if err := f.giveBack(ch, r); err != nil {
		return "", err
	}
	return r.ID, nil
}

// FailRefund lets a refund that had succeeded fail: the bank sends it back, and
// the charge is refunded by that much less.
func (f *Fake) FailRefund(refundID string) error {
	f.lock()
	defer f.mu.Unlock()
	r, err := find[*refund](f, "refund", refundID, "refund")
	if err != nil {
		return err
	}
	if r.Status != hasSucceeded {
		return refused("", "refund", "The refund is %s.", r.Status)
	}
	ch, err := find[*charge](f, "charge", r.Charge, "refund")
	if err != nil {
		return err
	}
	before := snapshot(r)
	r.Status, r.FailureReason = "failed", "lost_or_stolen_card"
	ch.AmountRefunded -= r.Amount
	ch.Refunded = false
	f.changed("refund.updated", r, before)
	f.changed("refund.failed", r, before)
	return nil
}

// Dispute is what OpenDispute needs.
type Dispute struct {
	Payment string // the id of the payment intent
	Amount  int64  // in minor units; 0: all of it
	Reason  string // empty: fraudulent
	Inquiry bool   // the bank only asks; the money stays
}

// OpenDispute lets a customer's bank dispute a payment. It returns the id of the dispute.
func (f *Fake) OpenDispute(d Dispute) (string, error) {
	f.lock()
	defer f.mu.Unlock()
	ch, err := f.chargeOf(d.Payment)
	if err != nil {
		return "", err
	}
	if ch.Disputed || !ch.Paid {
		return "", refused("", "payment", "The charge %s cannot be disputed, or not again.", ch.ID)
	}
	made := &dispute{
		Amount: d.Amount, Charge: ch.ID, Currency: ch.Currency, PaymentIntent: ch.PaymentIntent,
		Reason: d.Reason, Status: "needs_response",
	}
	if made.Amount == 0 {
		made.Amount = ch.Amount
	}
	if made.Reason == "" {
		made.Reason = "fraudulent"
	}
	if d.Inquiry {
		made.Status, made.IsChargeRefundable = "warning_needs_response", true
	}
	f.add(made, "dispute", "du")
	ch.Disputed = true
	f.happened("charge.dispute.created", made)
	if !d.Inquiry {
		f.happened("charge.dispute.funds_withdrawn", made)
	}
	return made.ID, nil
}

// CloseDispute ends a dispute. The status is won or lost, or warning_closed for
// an inquiry.
func (f *Fake) CloseDispute(disputeID, status string) error {
	f.lock()
	defer f.mu.Unlock()
	d, err := find[*dispute](f, "dispute", disputeID, "dispute")
	if err != nil {
		return err
	}
	ch, err := find[*charge](f, "charge", d.Charge, "dispute")
	if err != nil {
		return err
	}
	inquiry := d.Status == "warning_needs_response"
	fits := (inquiry && status == "warning_closed") || (d.Status == "needs_response" && (status == "won" || status == "lost"))
	if !fits {
		return refused("", "status", "A dispute that is %s cannot be closed as %s.", d.Status, status)
	}
	before := snapshot(d)
	d.Status = status
	ch.lost = status == "lost"
	f.changed("charge.dispute.closed", d, before)
	if status == "won" {
		f.happened("charge.dispute.funds_reinstated", d)
	}
	return nil
}

// CreateSubscription begins a subscription as if it had been bought elsewhere,
// and takes its first payment. It returns its id.
func (f *Fake) CreateSubscription(s Subscription) (string, error) {
	f.lock()
	defer f.mu.Unlock()
	if _, err := find[*customer](f, "customer", s.Customer, "customer"); err != nil {
		return "", err
	}
	p, err := find[*price](f, "price", s.Price, "price")
	if err != nil {
		return "", err
	}
	if p.Recurring == nil {
		return "", refused("", "price", "The price is not a recurring one.")
	}
	if s.Card == "" {
		s.Card = DefaultCard
	}
	pm, err := f.method(s.Card, "card")
	if err != nil {
		return "", err
	}
	sub := f.newSubscription(s.Customer, []*lineItem{{Price: p, Quantity: 1, Currency: p.Currency}})
	sub.merge(s.Metadata)
	if _, err := f.begins(sub, pm, 0); err != nil {
		return "", err
	}
	return sub.ID, nil
}

// Renew ends a subscription's present period, whatever the time: the next one
// begins and is paid. It returns the id of the invoice, which is empty when the
// subscription was to be cancelled at the period's end and has been. A payment
// that is declined leaves it past due, which is no error.
func (f *Fake) Renew(subscriptionID string) (string, error) {
	f.lock()
	defer f.mu.Unlock()
	return f.renewOf(subscriptionID)
}

// FailRenewal is Renew with a payment that is declined for a reason, as
// DeclineNext has it.
func (f *Fake) FailRenewal(subscriptionID, reason string) (string, error) {
	f.lock()
	defer f.mu.Unlock()
	waiting := f.next
	f.next = []outcome{declined(reason)}
	defer func() { f.next = waiting }()
	return f.renewOf(subscriptionID)
}

func (f *Fake) renewOf(id string) (string, error) {
	sub, err := f.running(id, "subscription")
	if err != nil {
		return "", err
	}
	in, err := f.renew(sub)
	if err != nil || in == nil {
		return "", err
	}
	return in.ID, nil
}

// PayInvoice tries an invoice again that FailRenewal left open.
func (f *Fake) PayInvoice(invoiceID string) error {
	f.lock()
	defer f.mu.Unlock()
	in, err := find[*invoice](f, "invoice", invoiceID, "invoice")
	if err != nil {
		return err
	}
	return f.payInvoice(in)
}

// EndSubscription ends a subscription now, as after too many failed payments.
func (f *Fake) EndSubscription(subscriptionID string) error {
	f.lock()
	defer f.mu.Unlock()
	sub, err := f.running(subscriptionID, "subscription")
	if err == nil {
		f.endNow(sub)
	}
	return err
}

// Price is what AddPrice needs.
type Price struct {
	ID       string // any that is free
	Product  string // the name of the product
	Currency string // three letters
	Amount   int64  // in minor units
	Interval string // day, week, month or year; empty: paid once
}

// AddPrice adds a price under an id of the caller's choice, which the API itself
// does not allow: a catalog may name prices that exist in a real account. An id
// that is taken is an error.
func (f *Fake) AddPrice(p Price) error {
	f.lock()
	defer f.mu.Unlock()
	if _, taken := f.byID[p.ID]; taken || p.ID == "" {
		return refused("resource_already_exists", "id", "The id %q cannot be used.", p.ID)
	}
	if err := checkCurrency(p.Currency, "currency"); err != nil {
		return err
	}
	of := &product{Name: p.Product, Active: true}
	f.add(of, "product", "prod")
	made := &price{Active: true, Type: "one_time", Currency: p.Currency, UnitAmount: p.Amount, Product: of.ID}
	if p.Interval != "" {
		made.Type, made.Recurring = "recurring", &recurring{p.Interval, 1, "licensed"}
	}
	made.ID = p.ID
	f.add(made, "price", "price")
	return nil
}

// chargeOf returns the latest charge of a payment intent.
func (f *Fake) chargeOf(paymentID string) (*charge, error) {
	pi, err := find[*paymentIntent](f, "payment_intent", paymentID, "payment")
	if err != nil {
		return nil, err
	}
	return find[*charge](f, "charge", string(pi.LatestCharge), "payment")
}
