package dodo

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/payments"
	v1 "github.com/seed42445051/scrip/v1"
	"github.com/seed42445051/scrip/wallet"
)

// paymentRoutes are what was paid, or is to be (dodo.md section 12).
var paymentRoutes = []route{
	{http.MethodGet, "/payments", http.StatusOK, (*call).listPayments},
	{http.MethodPost, "/payments", http.StatusOK, (*call).createPayment},
	{http.MethodGet, "/payments/{payment}", http.StatusOK, (*call).getPayment},
	{http.MethodGet, "/payments/{payment}/line-items", http.StatusOK, (*call).lineItems},
	{http.MethodGet, "/payments/{payment}/retry", http.StatusOK, (*call).retryState},
	{http.MethodPost, "/payments/{payment}/retry", http.StatusOK, (*call).retryPayment},
	{http.MethodGet, "/invoices/payments/{payment}", http.StatusOK, (*call).paymentInvoice},
}

// paymentRow is a payment as a list has it.
type paymentRow struct {
	PaymentID         string            `json:"payment_id"`
	BrandID           string            `json:"brand_id"`
	CreatedAt         clock.Instant     `json:"created_at"`
	Currency          string            `json:"currency"`
	TotalAmount       int64             `json:"total_amount"`
	Status            string            `json:"status"`
	Customer          subscriber        `json:"customer"`
	Metadata          map[string]string `json:"metadata"`
	DigitalDelivered  bool              `json:"digital_products_delivered"`
	HasLicenseKey     bool              `json:"has_license_key"`
	MultiSubscription bool              `json:"is_multi_subscription"`
	PaymentProvider   string            `json:"payment_provider"`
	SubscriptionID    *string           `json:"subscription_id"`
	SubscriptionIDs   []string          `json:"subscription_ids"`
	InvoiceID         *string           `json:"invoice_id"`
	RefundStatus      *string           `json:"refund_status"`
	DisputeStatus     *string           `json:"dispute_status"`
}

// payment is one payment.
type payment struct {
	paymentRow
	BusinessID         string        `json:"business_id"`
	Billing            address       `json:"billing"`
	CheckoutSession    *string       `json:"checkout_session_id"`
	Cart               []boughtLine  `json:"product_cart"`
	Disputes           []dispute     `json:"disputes"`
	Refunds            []refundRow   `json:"refunds"`
	ErrorCode          *string       `json:"error_code"`
	ErrorMessage       *string       `json:"error_message"`
	UpdateMethod       bool          `json:"is_update_payment_method"`
	RetryAttempt       int           `json:"retry_attempt"`
	PaymentLink        *string       `json:"payment_link"`
	SettlementAmount   int64         `json:"settlement_amount"`
	SettlementCurrency string        `json:"settlement_currency"`
	Tax                int64         `json:"tax"`
	UpdatedAt          clock.Instant `json:"updated_at"`
}

type boughtLine struct {
	ProductID string `json:"product_id"`
	Quantity  int64  `json:"quantity"`
}

// intents are the vendor's statuses of payments, by ours of orders.
var intents = map[wallet.OrderStatus]string{
	wallet.OrderOpen: "requires_payment_method", wallet.OrderDue: "processing", wallet.OrderProcessing: "processing",
	wallet.OrderPaid: "succeeded", wallet.OrderWaiting: "failed", wallet.OrderFailed: "failed", wallet.OrderExpired: "cancelled",
	wallet.OrderCanceled: "cancelled", wallet.OrderMismatched: "requires_merchant_action",
}

// otherIntents are those that nothing here ever has.
var otherIntents = []string{
	"requires_customer_action", "requires_confirmation", "requires_capture", "partially_captured", "partially_captured_and_capturable",
}

func intentOf(o *wallet.Order) string { return intents[o.Status] }

func paymentID(f *payments.Found) string { return alias(paymentPrefix, f.Order.ID(f.Key.ID())) }

func paymentRowOut(app string, f *payments.Found, customer *v1.Customer) paymentRow {
	o := f.Order
	out := paymentRow{
		PaymentID: paymentID(f), BrandID: app, CreatedAt: o.CreatedAt, Currency: paidIn(o), TotalAmount: o.Minor, Status: intentOf(o),
		Customer: subscriberOut(customer), Metadata: present(o.Metadata), PaymentProvider: providerOut(o), SubscriptionIDs: []string{},
	}
	// Of one that is not paid, the subscription is only promised.
	if o.Subscription > 0 {
		sub := id.Object(id.PrefixSubscription, f.Key.ID(), o.Subscription)
		out.SubscriptionID, out.SubscriptionIDs = &sub, []string{sub}
	}
	if o.Invoice > 0 {
		out.InvoiceID = unlessZero(id.Object(id.PrefixInvoice, f.Key.ID(), o.Invoice))
	}
	switch back := o.Refunded(); {
	case back > 0 && back == o.Paid:
		out.RefundStatus = unlessZero("full")
	case back > 0:
		out.RefundStatus = unlessZero("partial")
	}
	if o.Dispute != "" {
		out.DisputeStatus = unlessZero(disputeStatuses[o.Dispute])
	}
	return out
}

// paidIn is the currency; the vendor has one even where nothing is paid.
func paidIn(o *wallet.Order) string {
	if o.Currency == "" {
		return "USD"
	}
	return currencyOut(o.Currency)
}

// providerOut is who moved the money, among those that the vendor's schemas know.
func providerOut(o *wallet.Order) string {
	if o.Provider == "stripe" {
		return "stripe"
	}
	return "dodo"
}

func paymentOut(app string, f *payments.Found, customer *v1.Customer) payment {
	o := f.Order
	out := payment{
		paymentRow: paymentRowOut(app, f, customer), BusinessID: app, Billing: addressOut(customer), Cart: cartOut(o), Disputes: []dispute{},
		Refunds: refundRows(app, f), UpdateMethod: o.Kind == wallet.CardOrder, RetryAttempt: max(0, o.Attempt-1),
		SettlementAmount: o.Minor, SettlementCurrency: paidIn(o), UpdatedAt: max(o.CreatedAt, o.PaidAt, o.ClosedAt),
	}
	if !o.OffSession {
		out.CheckoutSession = unlessZero(alias(sessionPrefix, o.ID(f.Key.ID())))
	}
	if o.Status == wallet.OrderOpen {
		out.PaymentLink = unlessZero(o.URL)
	}
	if o.Dispute != "" {
		out.Disputes = append(out.Disputes, disputeOut(app, f))
	}
	if d := o.LastDecline; d != nil && o.Status != wallet.OrderPaid {
		out.ErrorCode, out.ErrorMessage = unlessZero(d.Code), unlessZero(d.Text)
	}
	return out
}

// cartOut is what was bought; nil where it is no product, as of an invoice.
func cartOut(o *wallet.Order) []boughtLine {
	var lines []boughtLine
	for i := range o.Cart {
		lines = append(lines, boughtLine{o.Cart[i].Product, o.Cart[i].Quantity})
	}
	if lines == nil && (o.Kind == wallet.PlanOrder || o.Kind == wallet.PackOrder || o.Kind == wallet.TopUpOrder) {
		lines = []boughtLine{{o.What, o.Quantity}}
	}
	return lines
}

func (c *call) getPayment() (any, error) {
	found, err := c.orderOf(paymentPrefix, c.path("payment"))
	if err != nil {
		return nil, err
	}
	customer, err := c.GetCustomer(c, found.Key.Customer)
	if err != nil {
		return nil, err
	}
	return paymentOut(c.app, found, &customer), nil
}

func (c *call) listPayments() (any, error) {
	w, err := c.window()
	if err != nil {
		return nil, err
	}
	q, none, err := c.orderQuery(w)
	if err != nil {
		return nil, err
	}
	status := c.query.Get("status")
	for ours, theirs := range intents {
		if status == theirs {
			q.Status = append(q.Status, ours)
		}
	}
	slices.Sort(q.Status)
	if status != "" && len(q.Status) == 0 {
		if !slices.Contains(otherIntents, status) {
			return nil, invalidQuery("status is none of a payment's")
		}
		none = true
	}
	if none {
		return listed[paymentRow](nil), nil
	}
	found, err := c.OrdersWhere(c, q, c.keep())
	if err != nil {
		return nil, err
	}
	rows := make([]paymentRow, len(found))
	for i := range found {
		customer, err := c.GetCustomer(c, found[i].Key.Customer)
		if err != nil {
			return nil, err
		}
		rows[i] = paymentRowOut(c.app, &found[i], &customer)
	}
	return listed(rows), nil
}

// orderQuery reads the filters that lists of payments and refunds share; none when nothing can match.
func (c *call) orderQuery(w window) (q payments.Selection, none bool, err error) {
	q = payments.Selection{Skip: w.offset, Limit: w.limit}
	if q.From, q.To, err = c.span("created_at_gte", "created_at_lte"); err != nil {
		return q, false, err
	}
	q.To = inclusive(q.To)
	if customer := c.query.Get("customer_id"); customer != "" {
		q.Wallet = c.wallet(customer)
	}
	if sub := c.query.Get("subscription_id"); sub != "" {
		w, _, err := id.ParseObject(id.PrefixSubscription, sub)
		none = err != nil || q.Wallet != (id.Wallet{}) && q.Wallet != w
		q.Wallet = w
	}
	brand := c.query.Get("brand_id")
	return q, none || brand != "" && brand != c.app, nil
}

// keep tells which orders the rest of the filters mean.
func (c *call) keep() func(*payments.Found) bool {
	product, currency, sub := c.query.Get("product_id"), c.query.Get("currency"), c.query.Get("subscription_id")
	return func(f *payments.Found) bool {
		return (currency == "" || currency == paidIn(f.Order)) &&
			(product == "" || slices.ContainsFunc(cartOut(f.Order), func(l boughtLine) bool { return l.ProductID == product })) &&
			(sub == "" || f.Order.Subscription > 0 && sub == id.Object(id.PrefixSubscription, f.Key.ID(), f.Order.Subscription))
	}
}

// items are the lines of a payment, by which it can be refunded: the products, or all of it as one.
type lineItem struct {
	ItemsID          string  `json:"items_id"`
	Name             *string `json:"name"`
	Description      *string `json:"description"`
	Amount           int64   `json:"amount"`
	RefundableAmount int64   `json:"refundable_amount"`
	Tax              int64   `json:"tax"`
}

func lineItemsOf(f *payments.Found) []lineItem {
	o := f.Order
	if len(o.Cart) == 0 {
		item := o.What
		if item == "" {
			item = paymentID(f)
		}
		return []lineItem{{ItemsID: item, Name: unlessZero(o.Text), Amount: o.Minor, RefundableAmount: o.Refundable()}}
	}
	all := make([]lineItem, len(o.Cart))
	for i := range o.Cart {
		l := &o.Cart[i]
		left := min(l.Minor-o.LineRefunded(i, true), o.Refundable())
		all[i] = lineItem{ItemsID: l.Product, Name: unlessZero(l.Text), Amount: l.Minor, RefundableAmount: left}
	}
	return all
}

// paidLines are the lines of a payment with their currency.
type paidLines struct {
	Currency string     `json:"currency"`
	Items    []lineItem `json:"items"`
}

func (c *call) lineItems() (any, error) {
	found, err := c.orderOf(paymentPrefix, c.path("payment"))
	if err != nil {
		return nil, err
	}
	return paidLines{paidIn(found.Order), lineItemsOf(found)}, nil
}

// paymentBody is what creating a payment takes: products that are sold once.
type paymentBody struct {
	Cart          []cartLine            `json:"product_cart"`
	Customer      optional[customerRef] `json:"customer"`
	Billing       optional[address]     `json:"billing"`
	Currency      string                `json:"billing_currency"`
	BusinessName  optional[string]      `json:"customer_business_name"`
	TaxID         optional[string]      `json:"tax_id"`
	Metadata      v1.Metadata           `json:"metadata"`
	ReturnURL     string                `json:"return_url"`
	PaymentMethod string                `json:"payment_method_id"`
}

// madePayment is what creating a payment came to. The page is always there, asked for or not: without
// one there is nothing to pay on.
type madePayment struct {
	PaymentID    string            `json:"payment_id"`
	TotalAmount  int64             `json:"total_amount"`
	Customer     subscriber        `json:"customer"`
	Metadata     map[string]string `json:"metadata"`
	Cart         []boughtLine      `json:"product_cart"`
	ClientSecret string            `json:"client_secret"`
	PaymentLink  *string           `json:"payment_link"`
	ExpiresOn    clock.Instant     `json:"expires_on"`
}

func (c *call) createPayment() (any, error) {
	var body paymentBody
	if err := c.decodeWhole(&body); err != nil {
		return nil, err
	}
	if !body.Customer.has() || !body.Billing.has() {
		return nil, invalidBody("customer and billing are required")
	}
	s := &sale{
		cart: body.Cart, currency: body.Currency, metadata: body.Metadata, returnURL: body.ReturnURL, quiet: body.PaymentMethod != "",
	}
	defs, err := c.Catalog(c)
	if err != nil {
		return nil, err
	}
	switch command, err := s.command(defs); {
	case err != nil:
		return nil, err
	case command.Kind != wallet.ProductOrder:
		return nil, invalidValue("the product recurs: subscribe to it")
	}
	about := contact{business: body.BusinessName, tax: body.TaxID, billing: body.Billing}
	customer, found, err := c.sellTo(&body.Customer.value, about, s, body.PaymentMethod)
	if err != nil {
		return nil, err
	}
	o := found.Order
	return madePayment{
		PaymentID: paymentID(found), TotalAmount: o.Minor, Customer: subscriberOut(&customer), Metadata: present(o.Metadata), Cart: cartOut(o),
		PaymentLink: unlessZero(o.URL), ExpiresOn: o.ExpiresAt,
	}, nil
}

// retries is whether the next attempt of a charge can be made now. A page has no attempts: the customer
// tries as often as they like.
type retries struct {
	CanRetry     bool          `json:"can_retry"`
	SendsAllowed int           `json:"sends_allowed"`
	SendsUsed    int           `json:"sends_used"`
	Reason       *string       `json:"reason"`
	AvailableAt  clock.Instant `json:"retry_available_at"`
}

func retriesOf(o *wallet.Order) retries {
	out := retries{CanRetry: o.Status == wallet.OrderWaiting, SendsUsed: max(0, o.Attempt-1)}
	out.SendsAllowed = out.SendsUsed
	if out.CanRetry {
		out.SendsAllowed++
		return out
	}
	out.Reason = unlessZero(notRetriable)
	return out
}

const notRetriable = "PAYMENT_NOT_RETRIABLE"

func (c *call) retryState() (any, error) {
	found, err := c.orderOf(paymentPrefix, c.path("payment"))
	if err != nil {
		return nil, err
	}
	return retriesOf(found.Order), nil
}

// retried is what another attempt came to. It is the same payment: an order is charged under one id.
type retried struct {
	retries
	PaymentID    string  `json:"payment_id"`
	InvoiceID    string  `json:"invoice_id"`
	Manual       bool    `json:"is_manual_retry"`
	RetryAttempt int     `json:"retry_attempt"`
	Status       *string `json:"status"`
}

func (c *call) retryPayment() (any, error) {
	found, err := c.orderOf(paymentPrefix, c.path("payment"))
	if err != nil {
		return nil, err
	}
	if !retriesOf(found.Order).CanRetry {
		return nil, &refusal{http.StatusUnprocessableEntity, notRetriable, "the payment does not wait for another attempt: it is " + intentOf(found.Order)}
	}
	if found, err = c.RetryOrder(c, found.Order.ID(found.Key.ID())); err != nil {
		return nil, err
	}
	row := paymentRowOut(c.app, found, &v1.Customer{})
	out := retried{retries: retriesOf(found.Order), PaymentID: row.PaymentID, Manual: true, RetryAttempt: found.Order.Attempt - 1, Status: &row.Status}
	v1.Set(&out.InvoiceID, row.InvoiceID)
	return out, nil
}

// paymentInvoice is the invoice or receipt of a payment, as a page: there are no PDFs here.
func (c *call) paymentInvoice() (any, error) {
	found, err := c.orderOf(paymentPrefix, c.path("payment"))
	if err != nil {
		return nil, err
	}
	if found.Order.Invoice == 0 {
		return nil, notFound("the payment has no invoice: it is " + strconv.Quote(intentOf(found.Order)))
	}
	return c.InvoicePage(c, id.Object(id.PrefixInvoice, found.Key.ID(), found.Order.Invoice))
}
