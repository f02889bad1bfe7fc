package notify

import (
	"context"
	"encoding/json"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/engine"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/id"
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

	Now    clock.Instant // when it is sent, by the clock of the app and mode
	store  store.Store
	engine *engine.Engine
}

// event gathers what it takes to write a delivery down.
func (s *Service) event(ctx context.Context, d *store.Leased, defs *catalog.Definitions, endpoint *catalog.Endpoint) (*Event, error) {
	e := &Event{
		ID: d.Message(), Type: d.Type, Key: d.Key, Defs: defs, Endpoint: endpoint, Entry: d.Entry, Low: d.About.Low,
		Change: d.About.Change, Now: defs.Now(d.Key.Mode, s.Clock.Now()), store: s.Store, engine: s.Engine,
	}
	switch {
	case d.Entry != nil:
		e.At = d.Entry.EffectiveAt
	case d.About.Change != nil:
		e.At = d.About.Change.At
		found, err := s.Store.Subscriptions(ctx, store.SubscriptionQuery{Wallet: d.Wallet, N: d.About.Change.Subscription, Limit: 1})
		if err != nil || len(found) != 1 {
			return nil, gone(d, err)
		}
		e.Subscription = found[0].Subscription
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
func (native) Render(_ context.Context, e *Event) ([]byte, error) {
	data, err := json.Marshal(e.data())
	if err != nil {
		return nil, err
	}
	return json.Marshal(v1.WebhookEvent{
		ID: e.ID, Type: string(e.Type), AppID: e.Key.App, Mode: string(e.Key.Mode), Timestamp: e.At, Data: data,
	})
}

func (e *Event) data() any {
	w, credit := e.Key.ID(), e.Credit()
	switch {
	case e.Change != nil:
		return v1.WebhookSubscription{
			Change: wording.SubscriptionEvent(e.Change), Subscription: wording.Subscription(e.Defs, e.Key, w, e.Subscription, e.Now),
		}
	case e.Invoice != nil:
		return wording.Invoice(e.Key, w, e.Invoice)
	case e.Entry == nil:
		return v1.WebhookTest{EndpointID: e.Endpoint.ID}
	}
	if e.Low == nil {
		return v1.WebhookEntry{Entry: wording.Entry(e.Defs, e.Key, w, e.Entry), CreditName: credit.Name, Unit: credit.Unit}
	}
	return v1.WebhookBalanceLow{
		CustomerID: e.Key.Customer, CreditID: e.Low.Credit, CreditName: credit.Name, Unit: credit.Unit,
		Balance: wording.Amount(e.Low.Balance, credit.Precision), Threshold: wording.Amount(e.Low.Threshold, credit.Precision),
		EntryID: id.Object(id.PrefixEntry, w, e.Entry.Seq),
	}
}
