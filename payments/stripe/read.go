package stripe

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/payments/provider"
	"github.com/seed42445051/scrip/wallet"
)

// event is the envelope of a webhook.
type event struct {
	object
	Object   string `json:"object"`
	Type     string `json:"type"`
	Account  string `json:"account"` // of another business that is connected to this one
	Livemode bool   `json:"livemode"`
	Data     struct {
		Object json.RawMessage `json:"object"`
	} `json:"data"`
}

// ours tells whether it is an event of this account, and no other kind of message.
func (e *event) ours() bool { return e.Object == "event" && e.Account == "" }

const opRead = "stripe.Read"

// Read verifies a webhook and says what it tells. The version of the API that it was written in does
// not matter. Events come in any order, more than once, and several about one thing: that is for the
// rules to sort out, and nothing here depends on it.
//
// What is not signed, or is of the other mode, is invalid_signature; what is signed and cannot be read
// is invalid_json. Where more has to be fetched and Stripe does not answer it is
// payment_provider_error: Stripe sends the webhook again.
func (p *Provider) Read(ctx context.Context, mode catalog.Mode, header http.Header, body []byte) ([]provider.Event, error) {
	a, err := p.account(opRead, mode)
	if err != nil {
		return nil, err
	}
	if err := a.verify(header.Get(headerSignature), body, p.clock.Now()); err != nil {
		return nil, err
	}
	var e event
	if err := json.Unmarshal(body, &e); err != nil {
		return nil, errUnreadable(err)
	}
	if !e.ours() {
		return nil, nil
	}
	if live := mode.Base() == catalog.Live; e.Livemode != live {
		return nil, errSignature("a webhook of the other mode came to the endpoint of the mode %s, and is not taken: have Stripe send it to the endpoint of its own mode", a.mode)
	}
	r := &reading{ctx: ctx, a: a, mode: mode, e: &e}
	return r.read()
}

func errUnreadable(err error) error {
	return fault.New(opRead, fault.CodeInvalidJSON, "the webhook is signed, and is not an event that can be read").Because(err)
}

// reading is one webhook that is read.
type reading struct {
	ctx  context.Context
	a    *account
	mode catalog.Mode
	e    *event
}

func (r *reading) read() ([]provider.Event, error) {
	switch r.e.Type {
	case "checkout.session.completed", "checkout.session.async_payment_succeeded", asyncFailed, "checkout.session.expired":
		return read(r, r.session)
	case "payment_intent.succeeded", "payment_intent.payment_failed", "payment_intent.processing", "payment_intent.canceled":
		return read(r, r.intent)
	case "setup_intent.succeeded":
		return read(r, r.setup)
	case "charge.refunded":
		return read(r, r.charge)
	case "refund.created", "refund.updated", "refund.failed", "charge.refund.updated":
		return read(r, r.refund)
	case "charge.dispute.created", "charge.dispute.closed":
		return read(r, r.dispute)
	case "customer.subscription.created", "customer.subscription.updated", "customer.subscription.deleted",
		"customer.subscription.paused", "customer.subscription.resumed":
		return read(r, r.subscription)
	case invoicePaid, "invoice.payment_failed":
		return read(r, r.invoice)
	}
	return nil, nil
}

// Types of events that are more than a reason to look at their object.
const (
	asyncFailed = "checkout.session.async_payment_failed"
	invoicePaid = "invoice.paid"
)

// read reads the event's object, and what it tells; nil is nothing of ours.
func read[T any](r *reading, tell func(*T) (*provider.Event, *failure)) ([]provider.Event, error) {
	thing := new(T)
	if err := json.Unmarshal(r.e.Data.Object, thing); err != nil {
		return nil, errUnreadable(err)
	}
	told, failed := tell(thing)
	if failed != nil {
		return nil, failed.fault(opRead)
	}
	if told == nil {
		return nil, nil
	}
	told.ID = r.e.ID
	return []provider.Event{*told}, nil
}

// session tells of a page. One that sells a subscription is none of an order: the subscription's own
// events tell.
func (r *reading) session(s *session) (*provider.Event, *failure) {
	if s.Mode == modeSubscription {
		return nil, nil
	}
	n := sessionNews(s)
	if n == nil {
		return nil, nil
	}
	if r.e.Type == asyncFailed {
		n.Kind, n.Decline = wallet.NewsFailed, hard(reasonAsync, "The bank did not make the payment in the end.", 0)
	}
	failed := r.a.addSessionCard(r.ctx, n, s)
	return &provider.Event{OrderID: s.Metadata[metaOrder], News: *n}, failed
}

// intent tells of a payment that Scrip asked for. Others are of no order, and those of a page are told
// by the page as well.
func (r *reading) intent(in *intent) (*provider.Event, *failure) {
	order := in.Metadata[metaOrder]
	n := intentNews(in)
	if order == "" || n == nil {
		return nil, nil
	}
	var failed *failure
	if n.Kind == wallet.NewsPaid && in.Metadata[metaSaves] == saves && attemptIn(in.Metadata) == 0 {
		// Whatever tells first that the order is paid must tell of the card too.
		failed = r.a.addCard(r.ctx, n, pathIntents, ref[intent]{ID: in.ID, Value: in})
	}
	return &provider.Event{OrderID: order, News: *n}, failed
}

// setup tells of a card that was kept.
func (r *reading) setup(in *intent) (*provider.Event, *failure) {
	order := in.Metadata[metaOrder]
	if order == "" {
		return nil, nil
	}
	n := &wallet.OrderNews{Kind: wallet.NewsCard, Customer: in.Customer.ID}
	failed := r.a.addCard(r.ctx, n, pathSetups, ref[intent]{ID: in.ID, Value: in})
	return &provider.Event{OrderID: order, News: *n}, failed
}

func (r *reading) charge(c *charge) (*provider.Event, *failure) {
	order := c.Metadata[metaOrder]
	if order == "" && c.PaymentIntent.ID == "" {
		return nil, nil
	}
	return &provider.Event{OrderID: order, News: chargeNews(c, c.PaymentIntent.ID)}, nil
}

// refund tells of one refund.
func (r *reading) refund(back *refund) (*provider.Event, *failure) {
	if order := back.Metadata[metaOrder]; order != "" || back.PaymentIntent.ID == "" {
		return ofOrder(order, refundNews(back)), nil
	}
	order, failed := r.orderOf(back.PaymentIntent.ID)
	return &provider.Event{OrderID: order, News: refundNews(back)}, failed
}

func (r *reading) dispute(d *dispute) (*provider.Event, *failure) {
	if d.PaymentIntent.ID == "" {
		return nil, nil
	}
	order, failed := r.orderOf(d.PaymentIntent.ID)
	return &provider.Event{OrderID: order, News: disputeNews(d)}, failed
}

// ofOrder is news of an order; nil where none is named.
func ofOrder(order string, news wallet.OrderNews) *provider.Event {
	if order == "" {
		return nil
	}
	return &provider.Event{OrderID: order, News: news}
}

// orderOf is the order that a payment names; empty: none. Disputes, and refunds that others asked for,
// name none themselves, and Scrip need not know yet whose the payment is: events come in any order.
func (r *reading) orderOf(payment string) (string, *failure) {
	in, failed := get[intent](r.ctx, r.a, at(pathIntents, payment), nil)
	if failed != nil && failed.status == http.StatusNotFound {
		return "", nil
	}
	if failed != nil {
		return "", failed
	}
	return in.Metadata[metaOrder], nil
}
