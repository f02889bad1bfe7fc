package dodo

import (
	"net/http"
	"strings"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/money"
	"github.com/seed42445051/scrip/payments"
	v1 "github.com/seed42445051/scrip/v1"
	"github.com/seed42445051/scrip/wallet"
	"github.com/seed42445051/scrip/wording"
)

// checkoutRoutes are pages on which customers pay (dodo.md section 10).
var checkoutRoutes = []route{
	{http.MethodPost, "/checkouts", http.StatusOK, (*call).createCheckout},
	{http.MethodPost, "/checkouts/preview", http.StatusOK, (*call).previewCheckout},
	{http.MethodGet, "/checkouts/{session}", http.StatusOK, (*call).getCheckout},
}

// Prefixes of the vendor's ids of what is an order here, or a part of one.
const (
	sessionPrefix = "cks"
	paymentPrefix = "pay"
	disputePrefix = "dp"
)

// alias is the vendor's id of an order, or of a part of it.
func alias(prefix, orderID string) string {
	_, bare, _ := strings.Cut(orderID, "_")
	return prefix + "_" + bare
}

// orderOf finds the order behind one of the vendor's ids.
func (c *call) orderOf(prefix, theirs string) (*payments.Found, error) {
	bare, ok := strings.CutPrefix(theirs, prefix+"_")
	if !ok {
		return nil, notFound("nothing exists under this id")
	}
	return c.FindOrder(c, id.PrefixOrder+"_"+bare)
}

// checkoutBody is what a checkout takes. What only changes how the vendor's page looks is passed over.
type checkoutBody struct {
	Cart          []cartLine            `json:"product_cart"`
	Customer      optional[customerRef] `json:"customer"`
	Subscription  subscriptionData      `json:"subscription_data"`
	ReturnURL     string                `json:"return_url"`
	CancelURL     string                `json:"cancel_url"`
	Metadata      v1.Metadata           `json:"metadata"`
	Billing       optional[address]     `json:"billing_address"`
	Currency      string                `json:"billing_currency"`
	BusinessName  optional[string]      `json:"customer_business_name"`
	TaxID         optional[string]      `json:"tax_id"`
	Confirm       bool                  `json:"confirm"`
	PaymentMethod string                `json:"payment_method_id"`
	Flags         checkoutFlags         `json:"feature_flags"`
}

type subscriptionData struct {
	TrialDays *int      `json:"trial_period_days"`
	OnDemand  *onDemand `json:"on_demand"`
}

type checkoutFlags struct {
	CreateNew bool `json:"always_create_new_customer"`
}

// checkoutBody reads it, and refuses what has no counterpart here.
func (c *call) checkoutBody() (*checkoutBody, error) {
	var body checkoutBody
	return &body, c.decodeWhole(&body)
}

func (b *checkoutBody) sale() *sale {
	return &sale{
		cart: b.Cart, currency: b.Currency, trialDays: b.Subscription.TrialDays, onDemand: b.Subscription.OnDemand,
		metadata: b.Metadata, returnURL: b.ReturnURL, cancelURL: b.CancelURL, quiet: b.PaymentMethod != "",
	}
}

// madeCheckout is a page that was opened. The address is none where a kept card was charged, and where
// there was nothing to pay it is the one to come back to.
type madeCheckout struct {
	SessionID      string  `json:"session_id"`
	CheckoutURL    *string `json:"checkout_url"`
	PaymentID      *string `json:"payment_id"`
	ClientSecret   *string `json:"client_secret"`
	PublishableKey *string `json:"publishable_key"`
}

func (c *call) createCheckout() (any, error) {
	body, err := c.checkoutBody()
	if err != nil {
		return nil, err
	}
	if !body.Customer.has() {
		return nil, invalidBody("customer is required: what is bought is somebody's from the start")
	}
	if body.PaymentMethod != "" && (!body.Confirm || !body.Customer.value.CustomerID.has()) {
		return nil, invalidValue("payment_method_id goes with confirm and the customer_id of a customer")
	}
	s := body.sale()
	defs, err := c.Catalog(c)
	if err != nil {
		return nil, err
	}
	if _, err := s.command(defs); err != nil { // before anybody is made a customer for it
		return nil, err
	}
	who := body.Customer.value
	who.CreateNew = who.CreateNew || body.Flags.CreateNew
	about := contact{business: body.BusinessName, tax: body.TaxID, billing: body.Billing}
	_, found, err := c.sellTo(&who, about, s, body.PaymentMethod)
	if err != nil {
		return nil, err
	}
	o, orderID := found.Order, found.Order.ID(found.Key.ID())
	out := madeCheckout{SessionID: alias(sessionPrefix, orderID)}
	switch {
	case s.quiet:
		out.PaymentID = new(string)
		*out.PaymentID = alias(paymentPrefix, orderID)
	case o.Status == wallet.OrderPaid:
		out.CheckoutURL = unlessZero(o.SuccessURL)
	default:
		out.CheckoutURL = unlessZero(o.URL)
	}
	return out, nil
}

// checkoutStatus is how a page stands. There is no payment before anybody has tried to pay.
type checkoutStatus struct {
	ID            string        `json:"id"`
	CreatedAt     clock.Instant `json:"created_at"`
	CustomerEmail *string       `json:"customer_email"`
	CustomerName  *string       `json:"customer_name"`
	PaymentID     *string       `json:"payment_id"`
	PaymentStatus *string       `json:"payment_status"`
}

func (c *call) getCheckout() (any, error) {
	found, err := c.orderOf(sessionPrefix, c.path("session"))
	if err != nil {
		return nil, err
	}
	customer, err := c.GetCustomer(c, found.Key.Customer)
	if err != nil {
		return nil, err
	}
	o, orderID := found.Order, found.Order.ID(found.Key.ID())
	out := checkoutStatus{
		ID: alias(sessionPrefix, orderID), CreatedAt: o.CreatedAt,
		CustomerEmail: unlessZero(customer.Email), CustomerName: unlessZero(customer.Name),
	}
	if o.Status != wallet.OrderOpen || o.LastDecline != nil {
		payment, status := alias(paymentPrefix, orderID), intentOf(o)
		out.PaymentID, out.PaymentStatus = &payment, &status
	}
	return out, nil
}

// checkoutPreview is what a checkout would come to. There are no taxes, nor discounts but a product's own.
type checkoutPreview struct {
	BillingCountry  string                `json:"billing_country"`
	Currency        string                `json:"currency"`
	Current         breakup               `json:"current_breakup"`
	Recurring       *breakup              `json:"recurring_breakup"`
	PayWhatYouWant  bool                  `json:"is_byop"`
	MethodRequired  bool                  `json:"payment_method_required"`
	Cart            []previewedLine       `json:"product_cart"`
	Subscriptions   []previewSubscription `json:"subscriptions"`
	TotalPrice      int64                 `json:"total_price"`
	TotalTax        int64                 `json:"total_tax"`
	NextBilling     clock.Instant         `json:"next_billing_date"`
	TrialAmount     *int64                `json:"trial_amount"`
	TrialPeriodDays *int                  `json:"trial_period_days"`
}

type breakup struct {
	Subtotal    int64 `json:"subtotal"`
	Discount    int64 `json:"discount"`
	TotalAmount int64 `json:"total_amount"`
	Tax         int64 `json:"tax"`
}

type previewedLine struct {
	ProductID       string            `json:"product_id"`
	Name            *string           `json:"name"`
	Description     *string           `json:"description"`
	Quantity        int64             `json:"quantity"`
	Currency        string            `json:"currency"`
	OgCurrency      string            `json:"og_currency"`
	OgPrice         int64             `json:"og_price"`
	DiscountedPrice int64             `json:"discounted_price"`
	IsSubscription  bool              `json:"is_subscription"`
	IsUsageBased    bool              `json:"is_usage_based"`
	TaxCategory     string            `json:"tax_category"`
	TaxInclusive    bool              `json:"tax_inclusive"`
	TaxRate         int64             `json:"tax_rate"`
	Tax             int64             `json:"tax"`
	Addons          []struct{}        `json:"addons"`
	Credits         []previewedCredit `json:"credit_entitlements"`
	Meters          []previewedMeter  `json:"meters"`
}

type previewedCredit struct {
	CreditEntitlement string        `json:"credit_entitlement_id"`
	Name              string        `json:"credit_entitlement_name"`
	Unit              string        `json:"credit_entitlement_unit"`
	CreditsAmount     money.Decimal `json:"credits_amount"`
}

type previewedMeter struct {
	Name            string        `json:"name"`
	Description     *string       `json:"description"`
	MeasurementUnit string        `json:"measurement_unit"`
	PricePerUnit    money.Decimal `json:"price_per_unit"`
	FreeThreshold   *int64        `json:"free_threshold"`
}

type previewSubscription struct {
	ProductID       string        `json:"product_id"`
	AmountDueNow    int64         `json:"amount_due_now"`
	RecurringAmount int64         `json:"recurring_amount"`
	NextBilling     clock.Instant `json:"next_billing_date"`
	TrialPeriodDays *int          `json:"trial_period_days"`
	TaxDueNow       int64         `json:"tax_due_now"`
	RecurringTax    int64         `json:"recurring_tax"`
}

func (c *call) previewCheckout() (any, error) {
	body, err := c.checkoutBody()
	if err != nil {
		return nil, err
	}
	defs, err := c.Catalog(c)
	if err != nil {
		return nil, err
	}
	command, err := body.sale().command(defs)
	if err != nil {
		return nil, err
	}
	o, err := c.Quote(c, command)
	if err != nil {
		return nil, err
	}
	now, err := c.Now(c)
	if err != nil {
		return nil, err
	}
	out := checkoutPreview{
		BillingCountry: body.Billing.value.Country, Currency: currencyOut(o.Currency), MethodRequired: o.Minor > 0 || o.SaveCard,
		TotalPrice: o.Minor, Cart: make([]previewedLine, len(body.Cart)), Subscriptions: []previewSubscription{},
	}
	for i := range body.Cart {
		out.Cart[i] = previewLineOut(defs, &body.Cart[i], o, i)
		out.Current.Subtotal += out.Cart[i].OgPrice * body.Cart[i].Quantity
		out.PayWhatYouWant = out.PayWhatYouWant || defs.Products[body.Cart[i].ProductID].Price.PayWhatYouWant
	}
	out.Current.TotalAmount = o.Minor
	if o.Plan != nil {
		out.recurs(o, now)
	}
	out.Current.Subtotal = max(out.Current.Subtotal, o.Minor) // where the buyer says the price, and where a trial costs more
	out.Current.Discount = out.Current.Subtotal - o.Minor
	return out, nil
}

// previewLineOut tells a line of a cart, at the price for one.
func previewLineOut(defs *catalog.Definitions, l *cartLine, o *wallet.Order, i int) previewedLine {
	p := defs.Products[l.ProductID]
	out := previewedLine{
		ProductID: p.ID, Name: unlessZero(p.Name), Description: unlessZero(p.Description), Quantity: l.Quantity,
		Currency: currencyOut(p.Price.Currency), OgCurrency: currencyOut(p.Price.Currency), OgPrice: p.Price.Minor, DiscountedPrice: p.Price.Minor,
		IsSubscription: p.Recurs(), IsUsageBased: p.Price.Kind == catalog.UsageBasedPrice, TaxCategory: p.TaxCategory,
		TaxInclusive: p.Price.TaxInclusive, Addons: []struct{}{}, Credits: []previewedCredit{}, Meters: []previewedMeter{},
	}
	credit := func(credit string, units int64) {
		def := defs.Credits[credit]
		out.Credits = append(out.Credits, previewedCredit{def.ID, def.Name, def.Unit, wording.Amount(units, def.Precision)})
	}
	if o.Plan != nil {
		out.DiscountedPrice = o.Plan.Terms.Minor
		for k := range o.Plan.Terms.Credits {
			credit(o.Plan.Terms.Credits[k].Credit, o.Plan.Terms.Credits[k].Amount)
		}
	}
	if len(o.Cart) > 0 {
		out.DiscountedPrice = o.Cart[i].Minor / o.Cart[i].Quantity
	}
	for k := range o.Items {
		if it := &o.Items[k]; it.Line == i {
			credit(it.Credit, it.Amount/l.Quantity)
		}
	}
	for _, m := range p.Price.Meters {
		if def, ok := defs.Meters[m.Meter]; ok {
			meter := previewedMeter{def.Name, unlessZero(def.Description), def.Unit, m.PricePerUnit, unlessZero(m.FreeThreshold)}
			if meter.PricePerUnit == "" {
				meter.PricePerUnit = "0" // it takes credits
			}
			out.Meters = append(out.Meters, meter)
		}
	}
	return out
}

// recurs tells what comes after the first payment.
func (p *checkoutPreview) recurs(o *wallet.Order, now clock.Instant) {
	o.CreatedAt = now
	s := o.Promised()
	each := s.Terms.Minor * o.Quantity
	p.Recurring = &breakup{Subtotal: each, TotalAmount: each}
	p.NextBilling = s.CycleEnd
	sub := previewSubscription{ProductID: s.Plan, AmountDueNow: o.Minor, RecurringAmount: each, NextBilling: s.CycleEnd}
	if !s.TrialEnds.IsZero() {
		days := daysBetween(now, s.TrialEnds)
		p.TrialPeriodDays, p.TrialAmount = &days, unlessZero(s.Terms.TrialMinor)
		p.Current.Subtotal, sub.TrialPeriodDays = o.Minor, &days
	}
	p.Subscriptions = append(p.Subscriptions, sub)
}
