// Package letters tells customers by mail what concerns them: it takes events from the outbox and makes
// a letter of each that a customer should have.
//
// It owns which event makes which letter, and what the letter says. When an event happens is decided in
// package wallet, that it is not forgotten is the outbox's doing, and how a letter looks and travels is
// package mail's. Where no mail is set up, letters wait in the outbox, and the page at /outbox shows them.
package letters

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/mail"
	"github.com/seed42445051/scrip/money"
	"github.com/seed42445051/scrip/notify"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/wallet"
	"github.com/seed42445051/scrip/wording"
)

// Stale is how old news may be that is still sent: a letter that waited for longer, as while no mail was
// set up, would only confuse.
const Stale = 72 * time.Hour

// Core makes letters of events.
type Core struct {
	Notify *notify.Service
	Store  store.Store
	Clock  clock.Clock
	// Sender sends them; nil where no mail is set up.
	Sender *mail.Sender
	// Templates write them, for those who read the outbox.
	Templates *mail.Templates
	// Offer opens a page on which what an order failed to buy can be bought after all.
	Offer func(ctx context.Context, key wallet.Key, o *wallet.Order) (string, error)
}

// Events lists the events of which letters are made.
func Events() []catalog.EventType {
	return []catalog.EventType{
		catalog.EventCreditsTopUp, catalog.EventBalanceLow, catalog.EventCreditExpiring, catalog.EventTopUpSucceeded,
		catalog.EventTopUpFailed, catalog.EventTopUpActionRequired, catalog.EventTrialEnding, catalog.EventPaymentFailed,
	}
}

// Receive sends the letter that an event makes, if it makes one.
func (c *Core) Receive(ctx context.Context, e *notify.Event) error {
	if c.Clock.Now().Sub(e.SentAt) > Stale {
		return notify.ErrNotForMe
	}
	l, err := c.letter(ctx, e)
	if err != nil {
		return err
	}
	if l == nil || l.To == "" {
		return notify.ErrNotForMe
	}
	err = c.Sender.Send(ctx, *l, e.Key.App+" "+string(e.Key.Mode)+" "+e.ID)
	if err != nil && fault.CodeOf(err) == fault.CodeMailRefused {
		return errors.Join(notify.ErrGiveUp, err)
	}
	return err
}

// letter is what an event makes; nil when it makes none. It is without an address where the customer
// has none.
func (c *Core) letter(ctx context.Context, e *notify.Event) (*mail.Letter, error) {
	who, err := e.Customer(ctx)
	if err != nil {
		return nil, err
	}
	l := &mail.Letter{To: who.Email, Name: who.Name, App: e.Defs.Name, Test: e.Key.Mode != catalog.Live}
	switch {
	case e.Order != nil:
		return c.ofOrder(ctx, e, l)
	case e.Low != nil:
		return c.ofLow(e, l), nil
	case e.Notice != nil:
		return c.ofNotice(e, l), nil
	}
	return nil, nil
}

func (c *Core) ofLow(e *notify.Event, l *mail.Letter) *mail.Letter {
	credit := e.Credit()
	l.Kind, l.Credit = mail.LowBalance, credit.Name
	l.Balance, l.Threshold = wording.Amount(e.Low.Balance, credit.Precision), wording.Amount(e.Low.Threshold, credit.Precision)
	return l
}

func (c *Core) ofNotice(e *notify.Event, l *mail.Letter) *mail.Letter {
	l.When = e.Notice.Ends
	if sub := e.Subscription; sub != nil {
		l.Kind, l.Plan, l.Zone = mail.TrialEnding, sub.Terms.Name, sub.Zone
		if sub.Terms.Minor > 0 {
			l.Amount = money.Display(sub.Terms.Minor, sub.Terms.Currency)
		}
		return l
	}
	l.Kind = mail.CreditsExpiring
	l.Credit, l.Credits = creditOf(e.Defs, e.Notice.Credit, e.Notice.Units)
	return l
}

func creditOf(defs *catalog.Definitions, credit string, units int64) (string, money.Decimal) {
	name := credit
	if c, ok := defs.Credits[credit]; ok {
		name = c.Name
	}
	return name, wording.Amount(units, wording.Precision(defs, credit))
}

func (c *Core) ofOrder(ctx context.Context, e *notify.Event, l *mail.Letter) (*mail.Letter, error) {
	o := e.Order
	if len(o.Items) > 0 {
		l.Credit, l.Credits = creditOf(e.Defs, o.Items[0].Credit, o.Items[0].Amount)
	}
	l.Amount, l.When = money.Display(o.Minor, o.Currency), o.PaidAt
	if d := o.LastDecline; d != nil {
		l.Reason = d.Text
	}
	switch e.Type {
	case catalog.EventCreditsTopUp:
		if o.Kind == wallet.TopUpOrder || o.Minor == 0 {
			return nil, nil // that one has a letter of its own, or there is nothing to be receipted
		}
		l.Kind, l.Reason = mail.TopUpReceipt, ""
		return l, c.addReceipt(ctx, e, l)
	case catalog.EventTopUpSucceeded:
		l.Kind, l.Reason = mail.AutoTopUpSucceeded, ""
		return l, c.addReceipt(ctx, e, l)
	case catalog.EventTopUpFailed:
		l.Kind = mail.AutoTopUpFailed
		return l, nil
	case catalog.EventTopUpActionRequired:
		l.Kind = mail.AutoTopUpActionNeeded
		var err error
		l.Link, err = c.Offer(ctx, e.Key, o)
		return l, err
	case catalog.EventPaymentFailed:
		return c.ofUnpaid(ctx, e, l)
	}
	return nil, nil
}

// ofUnpaid tells that a plan's renewal was declined; what is bought on a page, or automatically, tells
// by itself.
func (c *Core) ofUnpaid(ctx context.Context, e *notify.Event, l *mail.Letter) (*mail.Letter, error) {
	if e.Order.Kind != wallet.InvoiceOrder {
		return nil, nil
	}
	found, err := c.Store.Invoices(ctx, store.InvoiceQuery{Wallet: e.Key.ID(), N: e.Order.Invoice, Limit: 1})
	if err != nil || len(found) == 0 {
		return nil, err
	}
	subs, err := c.Store.Subscriptions(ctx, store.SubscriptionQuery{Wallet: e.Key.ID(), N: found[0].Invoice.Subscription, Limit: 1})
	if err != nil || len(subs) == 0 {
		return nil, err
	}
	l.Kind, l.Plan, l.When = mail.PaymentFailed, subs[0].Subscription.Terms.Name, e.Order.NextTry
	return l, nil
}

// addReceipt adds the lines of what was paid.
func (c *Core) addReceipt(ctx context.Context, e *notify.Event, l *mail.Letter) error {
	found, err := c.Store.Invoices(ctx, store.InvoiceQuery{Wallet: e.Key.ID(), N: e.Order.Invoice, Limit: 1})
	if err != nil || len(found) == 0 || e.Order.Invoice == 0 {
		return err
	}
	v := found[0].Invoice
	l.Invoice = v.Number(e.Key.ID())
	for i := range v.Lines {
		line := &v.Lines[i]
		l.Lines = append(l.Lines, mail.Line{
			Text: line.Text, Quantity: fmt.Sprint(line.Quantity), Amount: money.Display(line.Minor, v.Currency),
		})
	}
	return nil
}

// silent stands in for Offer where nothing may be opened: the letter has the provider's last page, or
// none that leads anywhere.
func (c *Core) silent(_ context.Context, _ wallet.Key, o *wallet.Order) (string, error) {
	if o.URL != "" {
		return o.URL, nil
	}
	return "https://example.com/checkout", nil
}
