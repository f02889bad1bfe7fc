package stripe

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"time"
	"unicode/utf8"

	api "github.com/stripe/stripe-go/v85"

	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/payments/provider"
	"github.com/seed42445051/scrip/wallet"
)

// Limits of Checkout Sessions (vevee-golivekit-stripe.md section 4.2).
const (
	minOpen = 30 * time.Minute
	maxOpen = 24 * time.Hour
	// clockSlack is how far Stripe's clock may be from ours: what is just within a limit here might be
	// beyond it there.
	clockSlack = time.Minute

	maxReference = 200     // characters of client_reference_id
	maxLineItems = 999_999 // quantity of one line
)

const (
	pathSessions  = "/v1/checkout/sessions"
	pathCustomers = "/v1/customers"
	pathPortals   = "/v1/billing_portal/sessions"
)

// The modes of a session.
const (
	modePayment      = "payment"
	modeSetup        = "setup"
	modeSubscription = "subscription"
)

const opPage = "stripe.OpenPage"

// OpenPage opens a hosted Checkout page. What cannot be opened as it is asked for is invalid_request,
// invalid_amount or amount_too_small.
func (p *Provider) OpenPage(ctx context.Context, page provider.Page) (provider.Opened, error) {
	a, err := p.account(opPage, page.Key.Mode)
	if err != nil {
		return provider.Opened{}, err
	}
	if o := page.Order; o.Session != "" && o.URL != "" {
		return provider.Opened{Session: o.Session, URL: o.URL, Customer: page.Customer}, nil
	}
	params, err := p.sessionParams(&page)
	if err != nil {
		return provider.Opened{}, err
	}
	s, customer, failed := a.openSession(ctx, &page, params)
	if failed != nil {
		return provider.Opened{}, failed.fault(opPage)
	}
	return provider.Opened{Session: s.ID, URL: s.URL, Customer: customer}, nil
}

// openSession opens the page for the customer that Stripe knows, or comes to know.
func (a *account) openSession(ctx context.Context, page *provider.Page, params *api.CheckoutSessionCreateParams) (*session, string, *failure) {
	customer, key := page.Customer, "checkout-"+page.OrderID
	if customer == "" {
		made, failed := a.makeCustomer(ctx, &page.Place)
		if failed != nil {
			return nil, "", failed
		}
		customer = made
	}
	s, failed := a.createSession(ctx, page.OrderID, customer, key, params)
	if failed == nil || !failed.missing("customer") {
		return s, customer, failed
	}
	// The customer was deleted at Stripe.
	customer, failed = a.makeCustomer(ctx, &page.Place)
	if failed != nil {
		return nil, "", failed
	}
	s, failed = a.createSession(ctx, page.OrderID, customer, key+"-"+customer, params)
	return s, customer, failed
}

// createSession opens a page. Where the key was used for other parameters (the page is asked for a
// second time, and a name changed meanwhile) the page of that time is the order's.
func (a *account) createSession(ctx context.Context, orderID, customer, key string, params *api.CheckoutSessionCreateParams) (*session, *failure) {
	params.Customer = &customer
	s, failed := post[session](ctx, a, pathSessions, key, params)
	if failed == nil || !failed.twisted() {
		return s, failed
	}
	if found, _ := a.findSession(ctx, customer, orderID); found != nil {
		return found, nil
	}
	return nil, failed
}

// findSession finds the page of an order among those of its customer; nil: there is none.
func (a *account) findSession(ctx context.Context, customer, orderID string) (*session, *failure) {
	ours := func(s *session) bool { return s.Metadata[metaOrder] == orderID }
	all, failed := collect(ctx, a, pathSessions, url.Values{"customer": {customer}}, ours)
	if failed != nil || len(all) == 0 {
		return nil, failed
	}
	return all[len(all)-1], nil
}

// makeCustomer has Stripe know a customer, once for the same email and name. What it was deleted under
// is part of the key: Stripe would answer with the customer that is gone.
func (a *account) makeCustomer(ctx context.Context, p *provider.Place) (string, *failure) {
	params := &api.CustomerCreateParams{Metadata: customerMetadata(&p.Key), Email: optional(p.Email), Name: optional(p.Name)}
	sum := sha256.Sum256([]byte(p.Email + "\x00" + p.Name + "\x00" + p.Customer))
	made, failed := post[object](ctx, a, pathCustomers, "customer-"+p.Key.ID().String()+"-"+hex.EncodeToString(sum[:8]), params)
	if failed != nil {
		return "", failed
	}
	return made.ID, nil
}

// optional is a text, or nothing for none.
func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func (p *Provider) sessionParams(page *provider.Page) (*api.CheckoutSessionCreateParams, error) {
	o, metadata := page.Order, orderMetadata(&page.Place, page.Order, page.OrderID)
	params := &api.CheckoutSessionCreateParams{
		Mode: api.String(modePayment), Metadata: metadata,
		SuccessURL: optional(o.SuccessURL), CancelURL: optional(o.CancelURL),
		ExpiresAt: api.Int64(p.expiry(o).Time().Unix()),
	}
	if utf8.RuneCountInString(page.Key.Customer) <= maxReference {
		params.ClientReferenceID = &page.Key.Customer
	}
	if o.SaveCard {
		// What is kept is charged as a card later, so nothing else may be kept.
		params.PaymentMethodTypes = []*string{api.String("card")}
	}
	if o.Minor == 0 {
		params.Mode = api.String(modeSetup)
		params.SetupIntentData = &api.CheckoutSessionCreateSetupIntentDataParams{Metadata: metadata}
		return params, nil
	}
	params.PaymentIntentData = &api.CheckoutSessionCreatePaymentIntentDataParams{
		Metadata: metadata, Description: optional(described(page.AppName, o)),
	}
	if o.SaveCard {
		params.PaymentIntentData.SetupFutureUsage = api.String("off_session")
	}
	line, err := lineOf(page)
	params.LineItems = []*api.CheckoutSessionCreateLineItemParams{line}
	return params, err
}

// described is what the merchant reads beside a payment.
func described(app string, o *wallet.Order) string {
	if app == "" || o.Text == "" {
		return app + o.Text
	}
	return app + ": " + o.Text
}

// lineOf is what the page sells: at the price that Stripe has of it, or at the order's own.
func lineOf(page *provider.Page) (*api.CheckoutSessionCreateLineItemParams, error) {
	o := page.Order
	if o.PriceRef != "" {
		return &api.CheckoutSessionCreateLineItemParams{Price: &o.PriceRef, Quantity: &o.Quantity}, nil
	}
	each, quantity := o.Minor, int64(1)
	if q := o.Quantity; q > 1 && q <= maxLineItems && o.Minor%q == 0 {
		each, quantity = o.Minor/q, q
	}
	amount, err := toStripe(each, o.Currency)
	if err != nil {
		return nil, err
	}
	title := o.Text
	if title == "" {
		title = "Credits"
	}
	return &api.CheckoutSessionCreateLineItemParams{
		Quantity: &quantity,
		PriceData: &api.CheckoutSessionCreateLineItemPriceDataParams{
			Currency: &o.Currency, UnitAmount: &amount,
			ProductData: &api.CheckoutSessionCreateLineItemPriceDataProductDataParams{Name: &title, Description: optional(page.CreditsAs)},
		},
	}, nil
}

// expiry is when the page closes, as near to the order's own as Stripe allows. An order that lives by
// a test clock, which Stripe knows nothing of, is open for as long as it would be there.
func (p *Provider) expiry(o *wallet.Order) clock.Instant {
	now := p.clock.Now()
	soonest, latest := now.Add(minOpen+clockSlack), now.Add(maxOpen-clockSlack)
	if o.ExpiresAt.IsZero() {
		return latest
	}
	at := o.ExpiresAt
	if o.CreatedAt > now.Add(clockSlack) {
		at = now.Add(o.ExpiresAt.Sub(o.CreatedAt))
	}
	if last := o.CreatedAt.Add(maxOpen - clockSlack); o.CreatedAt <= now && last < latest {
		latest = last // the same however often it is asked
	}
	return max(soonest, min(at, latest))
}

// ClosePage closes a page. One that is not open any more is as good as closed.
func (p *Provider) ClosePage(ctx context.Context, place provider.Place, sessionID string) error {
	const op = "stripe.ClosePage"
	a, err := p.account(op, place.Key.Mode)
	if err != nil {
		return err
	}
	_, failed := post[session](ctx, a, at(pathSessions, sessionID)+"/expire", "", &api.CheckoutSessionExpireParams{})
	if failed == nil || failed.refused() {
		return nil
	}
	return failed.fault(op)
}

// Portal opens Stripe's page on which a customer manages their cards. A customer whom Stripe does not
// know has none (no_payment_method).
func (p *Provider) Portal(ctx context.Context, place provider.Place, returnURL string) (string, error) {
	const op = "stripe.Portal"
	a, err := p.account(op, place.Key.Mode)
	if err != nil {
		return "", err
	}
	customer := place.Customer
	if customer == "" {
		return "", errNoCustomer(op)
	}
	page, failed := post[portal](ctx, a, pathPortals, "", &api.BillingPortalSessionCreateParams{Customer: &customer, ReturnURL: optional(returnURL)})
	if failed == nil {
		return page.URL, nil
	}
	if failed.missing("customer") || failed.status == http.StatusNotFound {
		return "", errNoCustomer(op)
	}
	return "", failed.fault(op)
}

func errNoCustomer(op string) error {
	return fault.New(op, fault.CodeNoPaymentMethod, "Stripe knows no card of this customer: let them pay, or save a card, on a checkout page first")
}
