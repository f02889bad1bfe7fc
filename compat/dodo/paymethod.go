package dodo

import (
	"net/http"
	"strings"

	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	v1 "github.com/seed42445051/scrip/v1"
)

// methodRoutes are how customers pay (dodo.md section 12). There is no money of customers here, so that
// wallets are empty.
var methodRoutes = []route{
	{http.MethodGet, "/customers/{customer}/payment-methods", http.StatusOK, (*call).paymentMethods},
	{http.MethodDelete, "/customers/{customer}/payment-methods/{method}", http.StatusOK, (*call).forgetMethod},
	{http.MethodGet, "/customers/{customer}/wallets", http.StatusOK, (*call).wallets},
	{http.MethodGet, "/customers/{customer}/wallets/ledger-entries", http.StatusOK, (*call).walletEntries},
	{http.MethodPost, "/customers/{customer}/wallets/ledger-entries", http.StatusOK, (*call).noWalletEntry},
	{http.MethodPost, "/customers/{customer}/customer-portal/session", http.StatusOK, (*call).portal},
}

// paymentMethod is the card that is kept.
type paymentMethod struct {
	ID               string        `json:"payment_method_id"`
	Method           string        `json:"payment_method"`
	Type             *string       `json:"payment_method_type"`
	RecurringEnabled bool          `json:"recurring_enabled"`
	LastUsedAt       clock.Instant `json:"last_used_at"`
	Card             methodCard    `json:"card"`
}

type methodCard struct {
	Network     *string `json:"card_network"`
	LastFour    *string `json:"last4_digits"`
	Holder      *string `json:"card_holder_name"`
	Country     *string `json:"card_issuing_country"`
	Type        *string `json:"card_type"`
	ExpiryMonth *string `json:"expiry_month"`
	ExpiryYear  *string `json:"expiry_year"`
}

func methodOut(m *v1.PaymentMethod) paymentMethod {
	out := paymentMethod{ID: m.ID, Method: "card", RecurringEnabled: true}
	// "visa •••• 4242", as a provider tells it.
	if parts := strings.Fields(m.Label); len(parts) > 1 {
		out.Card.Network, out.Card.LastFour = &parts[0], &parts[len(parts)-1]
	}
	return out
}

func (c *call) paymentMethods() (any, error) {
	customer, err := c.GetCustomer(c, c.path("customer"))
	if err != nil {
		return nil, err
	}
	kept, err := c.PaymentMethod(c, customer.ID)
	if err != nil || !kept.Saved {
		return listed[paymentMethod](nil), err
	}
	return listed([]paymentMethod{methodOut(&kept)}), nil
}

// keptCard refuses a means of payment that is not kept of the customer; empty is none.
func (c *call) keptCard(customer, method string) error {
	if method == "" {
		return nil
	}
	kept, err := c.PaymentMethod(c, customer)
	if err == nil && (!kept.Saved || kept.ID != method) {
		err = notFound("the customer has no such payment method")
	}
	return err
}

func (c *call) forgetMethod() (any, error) {
	customer, err := c.GetCustomer(c, c.path("customer"))
	if err != nil {
		return nil, err
	}
	if err := c.keptCard(customer.ID, c.path("method")); err != nil {
		return nil, err
	}
	_, err = c.ForgetPaymentMethod(c, customer.ID)
	return nil, err
}

// customerWallet is money that the vendor keeps for a customer.
type customerWallet struct {
	CustomerID string        `json:"customer_id"`
	Currency   string        `json:"currency"`
	Balance    int64         `json:"balance"`
	CreatedAt  clock.Instant `json:"created_at"`
	UpdatedAt  clock.Instant `json:"updated_at"`
}

type customerWallets struct {
	Items []customerWallet `json:"items"`
	Total int64            `json:"total_balance_usd"`
}

func (c *call) wallets() (any, error) {
	customer, err := c.GetCustomer(c, c.path("customer"))
	if err != nil {
		return nil, err
	}
	empty := customerWallet{CustomerID: customer.ID, Currency: "USD", CreatedAt: customer.CreatedAt, UpdatedAt: customer.CreatedAt}
	return customerWallets{Items: []customerWallet{empty}}, nil
}

func (c *call) walletEntries() (any, error) {
	if _, err := c.window(); err != nil {
		return nil, err
	}
	_, err := c.GetCustomer(c, c.path("customer"))
	return listed[struct{}](nil), err
}

// noWalletEntry refuses money for a customer, and finds none to take.
func (c *call) noWalletEntry() (any, error) {
	var body struct {
		EntryType string `json:"entry_type"`
	}
	if err := c.decode(&body); err != nil {
		return nil, err
	}
	if _, err := c.GetCustomer(c, c.path("customer")); err != nil {
		return nil, err
	}
	if body.EntryType == "debit" {
		return nil, &refusal{http.StatusBadRequest, "INSUFFICIENT_WALLET_FUNDS", "the customer has no money here"}
	}
	return nil, fault.New("dodo.wallet", fault.CodeNotImplemented, "Scrip keeps no money for customers: give them credits")
}

// portalLink is where a customer looks after their cards.
type portalLink struct {
	Link string `json:"link"`
}

// portal opens the payment provider's own page for a customer who has bought something or saved a card.
func (c *call) portal() (any, error) {
	customer, err := c.GetCustomer(c, c.path("customer"))
	if err != nil {
		return nil, err
	}
	send, err := c.flag("send_email")
	if err != nil {
		return nil, err
	}
	if send != nil && *send {
		return nil, fault.New("dodo.portal", fault.CodeNotImplemented, "Scrip does not mail the link: show it to the customer")
	}
	opened, err := c.PaymentPortal(c, customer.ID, v1.PortalRequest{ReturnURL: c.query.Get("return_url")})
	return portalLink{opened.URL}, err
}
