package notify

import (
	"context"
	"encoding/json"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/engine"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/money"
	"github.com/seed42445051/scrip/store"
	v1 "github.com/seed42445051/scrip/v1"
	"github.com/seed42445051/scrip/wallet"
	"github.com/seed42445051/scrip/wording"
)

// Event is what happened, with all that it takes to write it down.
type Event struct {
	ID       string // the header webhook-id
	Type     catalog.EventType
	At       clock.Instant        // when it took effect
	Key      wallet.Key           // of the wallet; without a customer for endpoint.test
	Defs     *catalog.Definitions // of the app, as they are now
	Endpoint *catalog.Endpoint
	Entry    *wallet.Entry      // of events of credits
	Low      *wallet.LowBalance // of credit.balance_low
	// Of events of a subscription: what happened, and how the subscription is when this is sent.
	Change       *wallet.SubscriptionEvent
	Subscription *wallet.Subscription
	Invoice      *wallet.Invoice // of events of an invoice, as it is when this is sent
	// Of events of an order: what happened, and the order as that tells of it (see wallet.Order.AsTold).
	Told   *wallet.OrderEvent
	Order  *wallet.Order
	Notice *wallet.Notice // of what is about to happen

	SentAt clock.Instant // when it was put into the outbox, by the machine's clock
	Now    clock.Instant // when it is sent, by the clock of the app and mode
	store  store.Store
	engine *engine.Engine
}

// event gathers what it takes to write a delivery down.
func (s *Service) event(ctx context.Context, d *store.Leased, defs *catalog.Definitions, endpoint *catalog.Endpoint) (*Event, error) {
	if defs == nil {
		var err error
		if defs, err = s.Engine.Definitions(ctx, d.Key.App); err != nil {
			return nil, err
		}
	}
	e := &Event{
		ID: d.Message(), Type: d.Type, Key: d.Key, Defs: defs, Endpoint: endpoint, Entry: d.Entry, Low: d.About.Low,
		Change: d.About.Change, Now: defs.Now(d.Key.Mode, s.Clock.Now()), SentAt: d.CreatedAt, store: s.Store, engine: s.Engine,
	}
	about := &d.About
	switch {
	case d.Entry != nil:
		e.At = d.Entry.EffectiveAt
	case about.Change != nil:
		e.At = about.Change.At
		return e, s.addSubscription(ctx, e, d, about.Change.Subscription)
	case about.Order != nil:
		e.At, e.Told = about.Order.At, about.Order
		found, err := s.Store.Orders(ctx, store.OrderQuery{Wallet: d.Wallet, N: about.Order.Order, Limit: 1})
		if err != nil || len(found) != 1 {
			return nil, gone(d, err)
		}
		e.Order = found[0].Order.AsTold(about.Order)
	case about.Notice != nil:
		e.At, e.Notice = about.Notice.At, about.Notice
		if about.Notice.Subscription != 0 {
			return e, s.addSubscription(ctx, e, d, about.Notice.Subscription)
		}
	default:
		found, err := s.Store.Invoices(ctx, store.InvoiceQuery{Wallet: d.Wallet, N: d.About.Invoice, Limit: 1})
		if err != nil || len(found) != 1 {
			return nil, gone(d, err)
		}
		e.Invoice = found[0].Invoice
		e.At = max(e.Invoice.IssuedAt, e.Invoice.ClosedAt)
		if d.Type == catalog.EventInvoiceIssued {
			e.At = e.Invoice.IssuedAt
		}
	}
	return e, nil
}

func (s *Service) addSubscription(ctx context.Context, e *Event, d *store.Leased, n int64) error {
	found, err := s.Store.Subscriptions(ctx, store.SubscriptionQuery{Wallet: d.Wallet, N: n, Limit: 1})
	if err != nil || len(found) != 1 {
		return gone(d, err)
	}
	e.Subscription = found[0].Subscription
	return nil
}

// EventOf is the event of a delivery, as it would be sent now.
func (s *Service) EventOf(ctx context.Context, w id.Wallet, n int64) (*Event, error) {
	d, err := s.Store.FindDelivery(ctx, w, n)
	if err != nil {
		return nil, err
	}
	if d == nil {
		return nil, fault.New("notify.EventOf", fault.CodeNotFound, "there is no such delivery")
	}
	return s.event(ctx, d, nil, &catalog.Endpoint{ID: d.Endpoint})
}

// gone is the error of a delivery about something that cannot be read.
func gone(d *store.Leased, err error) error {
	if err != nil {
		return err
	}
	return fault.New("notify.event", fault.CodeInvariantViolated, "what delivery %d of %s tells of does not exist", d.N, d.Wallet)
}

// Credit is the definition of the entry's credit.
func (e *Event) Credit() *catalog.Credit {
	if e.Entry != nil {
		if c, ok := e.Defs.Credits[e.Entry.Credit]; ok {
			return c
		}
	}
	return &catalog.Credit{}
}

// Grants reads the grants that the entry touched, as they are now, in order of their numbers.
func (e *Event) Grants(ctx context.Context) ([]*wallet.Grant, error) {
	if e.Entry == nil || len(e.Entry.Slices) == 0 {
		return nil, nil
	}
	numbers := make([]int64, len(e.Entry.Slices))
	for i, s := range e.Entry.Slices {
		numbers[i] = s.Grant
	}
	return e.store.Grants(ctx, store.GrantQuery{Wallet: e.Key.ID(), Only: numbers})
}

// Customer reads what is known of whose the event is, as it is now.
func (e *Event) Customer(ctx context.Context) (store.Customer, error) {
	found, err := e.store.Customers(ctx, store.CustomerQuery{App: e.Key.App, Mode: e.Key.Mode, ID: e.Key.Customer, Limit: 1})
	if err != nil || len(found) == 0 {
		return store.Customer{Key: e.Key}, err
	}
	return found[0], nil
}

// Payer reads how whose the event is can be charged now; empty when they cannot.
func (e *Event) Payer(ctx context.Context) (wallet.Payer, error) {
	r, err := e.engine.Read(ctx, e.Key.ID())
	if err != nil || r == nil || r.State.Payer == nil {
		return wallet.Payer{}, err
	}
	return *r.State.Payer, nil
}

// Standing reads how a customer stands in a credit now.
func (e *Event) Standing(ctx context.Context, credit string) (wallet.CreditState, error) {
	r, err := e.engine.Read(ctx, e.Key.ID())
	if err != nil || r == nil || r.State.Credits[credit] == nil {
		return wallet.CreditState{Credit: credit}, err
	}
	return *r.State.Credits[credit], nil
}

// render writes an event in the format of its endpoint; no body when it has no such event.
func (s *Service) render(ctx context.Context, e *Event) ([]byte, error) {
	r, ok := s.Formats[e.Endpoint.Format]
	if !ok {
		return nil, errFormat(e.Endpoint.Format)
	}
	return r.Render(ctx, e)
}

// native writes Scrip's own form.
type native struct{}

// Render writes the envelope with the event's data.
func (native) Render(ctx context.Context, e *Event) ([]byte, error) {
	said, err := e.Data(ctx)
	if err != nil {
		return nil, err
	}
	data, err := json.Marshal(said)
	if err != nil {
		return nil, err
	}
	return json.Marshal(v1.WebhookEvent{
		ID: e.ID, Type: string(e.Type), AppID: e.Key.App, Mode: string(e.Key.Mode), Timestamp: e.At, Data: data,
	})
}

// Data is what the event says, in the words of v1: which of its types of webhook data, the event's type
// tells.
func (e *Event) Data(ctx context.Context) (any, error) {
	w, credit := e.Key.ID(), e.Credit()
	switch {
	case e.Order != nil:
		return e.orderData(ctx)
	case e.Notice != nil:
		return e.noticeData(), nil
	case e.Change != nil:
		return v1.WebhookSubscription{
			Change: wording.SubscriptionEvent(e.Change), Subscription: wording.Subscription(e.Defs, e.Key, w, e.Subscription, e.Now),
		}, nil
	case e.Invoice != nil:
		return wording.Invoice(e.Key, w, e.Invoice), nil
	case e.Entry == nil:
		return v1.WebhookTest{EndpointID: e.Endpoint.ID}, nil
	}
	if e.Low == nil {
		return v1.WebhookEntry{Entry: wording.Entry(e.Defs, e.Key, w, e.Entry), CreditName: credit.Name, Unit: credit.Unit}, nil
	}
	return v1.WebhookBalanceLow{
		CustomerID: e.Key.Customer, CreditID: e.Low.Credit, CreditName: credit.Name, Unit: credit.Unit,
		Balance: wording.Amount(e.Low.Balance, credit.Precision), Threshold: wording.Amount(e.Low.Threshold, credit.Precision),
		EntryID: id.Object(id.PrefixEntry, w, e.Entry.Seq),
	}, nil
}

// orderData is what events of an order say: the fields that the seed's callback has are among them
// (vevee-golivekit-stripe.md section 3.1).
func (e *Event) orderData(ctx context.Context) (any, error) {
	who, err := e.Customer(ctx)
	if err != nil {
		return nil, err
	}
	w, o := e.Key.ID(), e.Order
	out := v1.WebhookOrder{Order: wording.Order(e.Defs, e.Key, w, o), UserID: e.Key.Customer, Email: who.Email, Name: who.Name}
	if o.Minor > 0 {
		out.AmountText = money.Display(o.Minor, o.Currency)
	}
	if e.Type == catalog.EventCreditsTopUp && len(out.Order.Items) > 0 {
		out.CreditsAdded = out.Order.Items[0].Amount
	}
	if r := e.Refund(); r != nil {
		said := wording.Refund(w, o, r)
		out.Refund = &said
	}
	return out, nil
}

// Refund is the refund that an event of an order is about; nil when it is about none.
func (e *Event) Refund() *wallet.OrderRefund {
	if e.Order == nil || e.Told.Refund == "" && e.Told.Own == 0 {
		return nil
	}
	for i := range e.Order.Refunds {
		if r := &e.Order.Refunds[i]; e.Told.Own != 0 && r.Own == e.Told.Own || e.Told.Own == 0 && r.ID == e.Told.Refund {
			return r
		}
	}
	return nil
}

func (e *Event) noticeData() any {
	w, n := e.Key.ID(), e.Notice
	if e.Subscription != nil {
		return v1.WebhookTrialEnding{Subscription: wording.Subscription(e.Defs, e.Key, w, e.Subscription, e.Now), TrialEndsAt: n.Ends}
	}
	out := v1.WebhookExpiring{
		CustomerID: e.Key.Customer, CreditID: n.Credit, Amount: wording.Amount(n.Units, wording.Precision(e.Defs, n.Credit)), ExpiresAt: n.Ends,
	}
	if c, ok := e.Defs.Credits[n.Credit]; ok {
		out.CreditName, out.Unit = c.Name, c.Unit
	}
	for _, g := range n.Grants {
		out.GrantIDs = append(out.GrantIDs, wording.GrantID(w, g))
	}
	return out
}
