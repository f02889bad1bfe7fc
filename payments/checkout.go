package payments

import (
	"context"
	"errors"
	"time"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/money"
	"github.com/seed42445051/scrip/payments/provider"
	"github.com/seed42445051/scrip/store"
	v1 "github.com/seed42445051/scrip/v1"
	"github.com/seed42445051/scrip/wallet"
	"github.com/seed42445051/scrip/wording"
)

const opCheckout = "payments.Checkout"

// Checkout writes down what a customer wants to buy and opens the page on which they pay for it, or
// charges the card that is kept. Under one idempotency key there is one order and one page.
func (s *Session) Checkout(ctx context.Context, r v1.CheckoutRequest, opts ...v1.Option) (v1.Order, error) {
	command, err := s.command(ctx, &r)
	if err != nil {
		return v1.Order{}, err
	}
	return s.Place(ctx, r.CustomerID, contact(&r), command, opts...)
}

// Contact is what is said of a customer who buys; what is empty is not said.
type Contact struct{ Email, Name string }

func contact(r *v1.CheckoutRequest) Contact { return Contact{r.Email, r.Name} }

// Place is Checkout for those who have an order of their own kind: the translators.
func (s *Session) Place(ctx context.Context, customer string, who Contact, command *wallet.PlaceOrder, opts ...v1.Option) (v1.Order, error) {
	p, err := s.core.provider(s.caller.Mode)
	if err != nil {
		return v1.Order{}, err
	}
	command.Provider = p.Name()
	if err := s.chargeable(ctx, p, command); err != nil {
		return v1.Order{}, err
	}
	req, err := s.request(customer, opts, command)
	if err != nil {
		return v1.Order{}, err
	}
	if err := s.introduce(ctx, req.Wallet, who); err != nil {
		return v1.Order{}, err
	}
	res, err := s.core.Engine.Do(ctx, req)
	if err != nil {
		return v1.Order{}, err
	}
	o, err := s.core.carryOut(ctx, res.Key, res.Order)
	if err != nil {
		return v1.Order{}, err
	}
	return s.say(ctx, res.Key, o)
}

// introduce keeps what a checkout says of a customer.
func (s *Session) introduce(ctx context.Context, key wallet.Key, who Contact) error {
	if who == (Contact{}) {
		return nil
	}
	change := store.CustomerChange{Key: key, At: s.core.Clock.Now()}
	if who.Email != "" {
		change.Email = &who.Email
	}
	if who.Name != "" {
		change.Name = &who.Name
	}
	known, err := s.core.Store.UpdateCustomer(ctx, change)
	if err != nil || known {
		return err
	}
	return s.core.Store.SaveCustomer(ctx, store.Customer{Key: key, Email: who.Email, Name: who.Name, CreatedAt: change.At, UpdatedAt: change.At})
}

// chargeable refuses what no provider charges before it is asked (G13).
func (s *Session) chargeable(ctx context.Context, p provider.Provider, command *wallet.PlaceOrder) error {
	if command.Kind == wallet.InvoiceOrder || command.Kind == wallet.PlanOrder {
		return nil // their amount is known to the wallet alone; the provider refuses what is too small
	}
	defs, err := s.core.Engine.Definitions(ctx, s.caller.App)
	if err != nil {
		return err
	}
	o, err := command.Quote(defs)
	if err != nil {
		return err
	}
	if least := p.Minimum(o.Currency); o.Minor > 0 && o.Minor < least {
		return fault.New(opCheckout, fault.CodeAmountTooSmall, "this costs %s, and no less than %s can be charged", money.Display(o.Minor, o.Currency), money.Display(least, o.Currency)).In("amount")
	}
	return nil
}

// command is what is asked for, in the wallet's terms.
func (s *Session) command(ctx context.Context, r *v1.CheckoutRequest) (*wallet.PlaceOrder, error) {
	c := &wallet.PlaceOrder{
		Quantity: r.Quantity, SaveCard: r.SaveCard, OffSession: r.OffSession, SuccessURL: r.SuccessURL, CancelURL: r.CancelURL,
		OpenFor: time.Duration(r.ExpiresIn) * time.Second, Note: wallet.Note{Metadata: wallet.Metadata(r.Metadata)},
	}
	given := 0
	for _, field := range []string{r.PackID, r.CreditID, r.PlanID, r.InvoiceID} {
		if field != "" {
			given++
		}
	}
	if given > 1 || given == 0 && !r.SaveCard {
		return nil, fault.New(opCheckout, fault.CodeConflictingFields, "say what is bought by one of pack_id, credit_id with amount, plan_id or invoice_id; or send save_card alone").In("pack_id")
	}
	for _, address := range []struct{ text, field string }{{r.SuccessURL, "success_url"}, {r.CancelURL, "cancel_url"}} {
		if err := CheckAddress(address.text, address.field); err != nil {
			return nil, err
		}
	}
	return c, s.what(ctx, r, c)
}

func (s *Session) what(ctx context.Context, r *v1.CheckoutRequest, c *wallet.PlaceOrder) error {
	defs, err := s.core.Engine.Definitions(ctx, s.caller.App)
	if err != nil {
		return err
	}
	switch {
	case r.PackID != "":
		pack, ok := defs.Pack(r.PackID)
		if !ok {
			return fault.New(opCheckout, fault.CodePackNotFound, "there is no pack %q in this app", r.PackID).In("pack_id")
		}
		c.Kind, c.Pack = wallet.PackOrder, pack.ID
	case r.CreditID != "":
		credit, ok := defs.Credit(r.CreditID)
		if !ok {
			return fault.New(opCheckout, fault.CodeCreditNotFound, "there is no credit %q in this app", r.CreditID).In("credit_id")
		}
		c.Kind, c.Credit = wallet.CreditOrder, credit.ID
		if c.Amount, err = r.Amount.Units(credit.Precision); err != nil {
			return fault.As(err).In("amount")
		}
	case r.PlanID != "":
		plan, ok := defs.Plan(r.PlanID)
		if !ok {
			return fault.New(opCheckout, fault.CodePlanNotFound, "there is no plan %q in this app", r.PlanID).In("plan_id")
		}
		c.Kind = wallet.PlanOrder
		c.Plan = &wallet.Subscribe{Plan: plan.ID, Quantity: r.Quantity, TrialDays: r.TrialDays, Note: c.Note}
	case r.InvoiceID != "":
		c.Kind = wallet.InvoiceOrder
		if _, c.Invoice, err = id.ParseObject(id.PrefixInvoice, r.InvoiceID); err != nil {
			return fault.New(opCheckout, fault.CodeInvoiceNotFound, "there is no such invoice").In("invoice_id")
		}
		return s.ownInvoice(r)
	default:
		c.Kind = wallet.CardOrder
	}
	return nil
}

// ownInvoice refuses an invoice of another customer: numbers repeat between wallets.
func (s *Session) ownInvoice(r *v1.CheckoutRequest) error {
	w, _, err := id.ParseObject(id.PrefixInvoice, r.InvoiceID)
	if err != nil || w != (wallet.Key{App: s.caller.App, Mode: s.caller.Mode, Customer: r.CustomerID}).ID() {
		return fault.New(opCheckout, fault.CodeInvoiceNotFound, "the customer has no such invoice").In("invoice_id")
	}
	return nil
}

// PreviewCheckout is what Checkout would come to; nothing is written, and nobody is asked.
func (s *Session) PreviewCheckout(ctx context.Context, r v1.CheckoutRequest) (v1.Order, error) {
	command, err := s.command(ctx, &r)
	if err != nil {
		return v1.Order{}, err
	}
	return s.PreviewOrder(ctx, r.CustomerID, command)
}

// Quote is what a command would come to for anybody: that a customer may not place it is not seen.
func (s *Session) Quote(ctx context.Context, command *wallet.PlaceOrder) (*wallet.Order, error) {
	defs, err := s.core.Engine.Definitions(ctx, s.caller.App)
	if err != nil {
		return nil, err
	}
	return command.Quote(defs)
}

// PreviewOrder is what Place would come to.
func (s *Session) PreviewOrder(ctx context.Context, customer string, command *wallet.PlaceOrder) (v1.Order, error) {
	req, err := s.request(customer, nil, command)
	if err != nil {
		return v1.Order{}, err
	}
	if p, err := s.core.provider(s.caller.Mode); err == nil {
		command.Provider = p.Name()
	}
	req.Preview = true
	res, err := s.core.Engine.Do(ctx, req)
	if err != nil {
		return v1.Order{}, err
	}
	res.Order.N = 0
	return s.say(ctx, res.Key, res.Order)
}

// carryOut asks the provider for what an order that was just placed needs: a page, or a charge. It is
// the same when asked again, as under an idempotency key.
func (c *Core) carryOut(ctx context.Context, key wallet.Key, o *wallet.Order) (*wallet.Order, error) {
	// What was answered under an idempotency key may be long ago.
	now, err := c.find(ctx, key.ID(), o.N)
	if err != nil {
		return nil, err
	}
	o = now.Order
	switch {
	case o.Status == wallet.OrderDue:
		if err := c.charge(ctx, key, o); err != nil && !errors.Is(err, errUnknownOutcome) {
			return nil, err
		}
		again, err := c.find(ctx, key.ID(), o.N)
		if err != nil {
			return nil, err
		}
		return again.Order, nil
	case o.Status == wallet.OrderOpen && o.Session == "":
		return c.open(ctx, key, o)
	}
	return o, nil
}

// open opens the page of an order, and takes down where it is.
func (c *Core) open(ctx context.Context, key wallet.Key, o *wallet.Order) (*wallet.Order, error) {
	p, err := c.named(key.Mode, o.Provider)
	if err != nil {
		return nil, err
	}
	place, payer, err := c.place(ctx, key)
	if err != nil {
		return nil, err
	}
	defs, err := c.Engine.Definitions(ctx, key.App)
	if err != nil {
		return nil, err
	}
	opened, err := p.OpenPage(ctx, provider.Page{
		Place: with(place, payer, p.Name()), Order: o, OrderID: o.ID(key.ID()), AppName: defs.Name, CreditsAs: asText(defs, o),
	})
	if err != nil {
		return nil, err
	}
	res, err := c.do(ctx, key, &wallet.OpenOrder{Order: o.N, Session: opened.Session, URL: opened.URL, Customer: opened.Customer})
	if err != nil {
		return nil, err
	}
	return res.Order, nil
}

// say is an order in the words of v1.
func (s *Session) say(ctx context.Context, key wallet.Key, o *wallet.Order) (v1.Order, error) {
	defs, err := s.core.Engine.Known(ctx, key.App)
	if err != nil {
		return v1.Order{}, err
	}
	return wording.Order(defs, key, key.ID(), o), nil
}

// creditsText is an amount of a credit for people.
func creditsText(c *catalog.Credit, units int64) string {
	text := string(money.Group(wording.Amount(units, c.Precision))) + " " + c.Name
	return text
}
