package dodo

import (
	"net/http"

	"github.com/seed42445051/scrip/billing"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/store"
	v1 "github.com/seed42445051/scrip/v1"
	"github.com/seed42445051/scrip/wallet"
	"github.com/seed42445051/scrip/wording"
)

// chargeBody is what charging a subscription on demand takes.
type chargeBody struct {
	Price       optional[int64]       `json:"product_price"`
	Currency    string                `json:"product_currency"`
	Description string                `json:"product_description"`
	Metadata    optional[v1.Metadata] `json:"metadata"`
}

// charged is the payment by which a subscription is charged.
type charged struct {
	PaymentID string `json:"payment_id"`
}

// chargeable refuses what cannot be charged, under the vendor's codes.
func chargeable(f *billing.Found) error {
	switch {
	case f.V1.Status == wording.Ended && f.Subscription.RanOut():
		return &refusal{http.StatusUnprocessableEntity, "SUBSCRIPTION_EXPIRED", "the subscription has expired"}
	case f.V1.Status == wording.Ended || f.V1.Status == wording.Paused:
		return &refusal{http.StatusUnprocessableEntity, "SUBSCRIPTION_INACTIVE", "the subscription is " + f.V1.Status}
	}
	return nil
}

// chargeSubscription charges the card that is kept, at once. What comes with the product is granted with
// each charge.
func (c *call) chargeSubscription() (any, error) {
	var body chargeBody
	if err := c.decode(&body); err != nil {
		return nil, err
	}
	if !body.Price.has() {
		return nil, invalidBody("product_price is required")
	}
	f, err := c.found()
	if err != nil {
		return nil, err
	}
	if err := chargeable(&f); err != nil {
		return nil, err
	}
	if !f.Subscription.Terms.OnDemand {
		return nil, &refusal{http.StatusUnprocessableEntity, "SUBSCRIPTION_NOT_ON_DEMAND", "the subscription is not on demand"}
	}
	if own := currencyOut(f.Subscription.Terms.Currency); body.Currency != "" && body.Currency != own {
		return nil, &refusal{http.StatusUnprocessableEntity, "UNSUPPORTED_CURRENCY", "the subscription is billed in " + own}
	}
	if err := c.nonePending(&f); err != nil {
		return nil, err
	}
	metadata := f.Subscription.Metadata
	if body.Metadata.has() {
		metadata = wallet.Metadata(body.Metadata.value)
	}
	found, err := c.place(f.Key.Customer, &wallet.PlaceOrder{
		Kind: wallet.ProductOrder, Subscription: f.Subscription.N, OffSession: true, Note: wallet.Note{Metadata: metadata},
		Cart: []wallet.CartItem{{Product: f.Subscription.Plan, Quantity: 1, Minor: &body.Price.value, Text: body.Description}},
	})
	if err != nil {
		return nil, err
	}
	return charged{paymentID(found)}, nil
}

// nonePending refuses another charge of a subscription while nobody knows what became of the last.
func (c *call) nonePending(f *billing.Found) error {
	q := store.OrderQuery{
		Wallet: f.Key.ID(), Kind: wallet.ProductOrder, Limit: 1,
		Status: []wallet.OrderStatus{wallet.OrderDue, wallet.OrderProcessing},
	}
	pending, err := c.OrdersWhere(c, q, func(o *store.FoundOrder) bool { return o.Order.Subscription == f.Subscription.N })
	if err == nil && len(pending) > 0 {
		err = &refusal{http.StatusConflict, "PREVIOUS_PAYMENT_PENDING", "the last charge is still under way"}
	}
	return err
}

// methodBody is what another means of payment takes: a new one, on a page, or the one that is kept.
type methodBody struct {
	Type          string `json:"type"`
	ReturnURL     string `json:"return_url"`
	PaymentMethod string `json:"payment_method_id"`
}

// changedMethod is the page on which a card is entered. There is none where one is kept already.
type changedMethod struct {
	PaymentID    *string       `json:"payment_id"`
	PaymentLink  *string       `json:"payment_link"`
	ClientSecret *string       `json:"client_secret"`
	ExpiresOn    clock.Instant `json:"expires_on"`
}

// updateMethod lets a customer enter a card for what recurs. Where a cycle waits to be paid for, it is
// paid for on the same page, and the subscription is active again.
func (c *call) updateMethod() (any, error) {
	var body methodBody
	if err := c.decode(&body); err != nil {
		return nil, err
	}
	f, err := c.found()
	if err != nil {
		return nil, err
	}
	if f.V1.Status == wording.Ended {
		return nil, &refusal{http.StatusUnprocessableEntity, "SUBSCRIPTION_INACTIVE", "the subscription has ended"}
	}
	switch body.Type {
	case "existing":
		return c.existingMethod(&f, body.PaymentMethod)
	case "new":
		return c.newMethod(&f, body.ReturnURL)
	}
	return nil, invalidBody("type must be new or existing")
}

// existingMethod charges the card that is kept for what waits to be paid.
func (c *call) existingMethod(f *billing.Found, method string) (any, error) {
	if method == "" {
		return nil, invalidBody("payment_method_id is required")
	}
	if err := c.keptCard(f.Key.Customer, method); err != nil || !held(f) {
		return changedMethod{}, err
	}
	q := store.OrderQuery{Wallet: f.Key.ID(), Kind: wallet.InvoiceOrder, Status: []wallet.OrderStatus{wallet.OrderWaiting}, Limit: 1}
	waiting, err := c.OrdersWhere(c, q, func(o *store.FoundOrder) bool { return o.Order.Invoice == f.Subscription.Unpaid })
	if err != nil {
		return nil, err
	}
	var found *store.FoundOrder
	if len(waiting) > 0 {
		found, err = c.RetryOrder(c, waiting[0].Order.ID(f.Key.ID()))
	} else {
		found, err = c.place(f.Key.Customer, &wallet.PlaceOrder{Kind: wallet.InvoiceOrder, Invoice: f.Subscription.Unpaid, OffSession: true})
	}
	if err != nil {
		return nil, err
	}
	payment := paymentID(found)
	return changedMethod{PaymentID: &payment}, nil
}

// held reports whether a cycle waits to be paid for, and nothing is being charged for it.
func held(f *billing.Found) bool {
	return f.Subscription.Unpaid > 0 && !f.Subscription.HeldAt.IsZero()
}

func (c *call) newMethod(f *billing.Found, returnURL string) (any, error) {
	command := &wallet.PlaceOrder{Kind: wallet.CardOrder}
	if held(f) {
		command = &wallet.PlaceOrder{Kind: wallet.InvoiceOrder, Invoice: f.Subscription.Unpaid, SaveCard: true}
	}
	var err error
	if command.SuccessURL, err = returning(returnURL, "subscription_id="+f.V1.ID+"&status=active"); err != nil {
		return nil, err
	}
	found, err := c.place(f.Key.Customer, command)
	if err != nil {
		return nil, err
	}
	payment := paymentID(found)
	return changedMethod{PaymentID: &payment, PaymentLink: unlessZero(found.Order.URL), ExpiresOn: found.Order.ExpiresAt}, nil
}
