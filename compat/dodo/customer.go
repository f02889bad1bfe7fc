package dodo

import (
	"net/http"
	"strings"

	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/money"
	v1 "github.com/seed42445051/scrip/v1"
)

// customerRoutes are the holders of credits (dodo.md sections 6.6 and 12).
var customerRoutes = []route{
	{http.MethodPost, "/customers", http.StatusOK, (*call).createCustomer},
	{http.MethodGet, "/customers", http.StatusOK, (*call).listCustomers},
	{http.MethodGet, "/customers/{customer}", http.StatusOK, (*call).getCustomer},
	{http.MethodPatch, "/customers/{customer}", http.StatusOK, (*call).updateCustomer},
	{http.MethodGet, "/customers/{customer}/credit-entitlements", http.StatusOK, (*call).customerCredits},
}

// customer is the holder of credits.
type customer struct {
	CustomerID  string            `json:"customer_id"`
	BusinessID  string            `json:"business_id"`
	Email       string            `json:"email"`
	Name        string            `json:"name"`
	PhoneNumber *string           `json:"phone_number"`
	Metadata    map[string]string `json:"metadata"`
	CreatedAt   clock.Instant     `json:"created_at"`
}

func (c *call) customer(v *v1.Customer) customer {
	return customer{
		CustomerID: v.ID, BusinessID: c.app, Email: v.Email, Name: v.Name, PhoneNumber: unlessZero(v.Phone),
		Metadata: present(v.Metadata), CreatedAt: v.CreatedAt,
	}
}

// customerBody is what creating and updating a customer take.
type customerBody struct {
	Email       optional[string]      `json:"email"`
	Name        optional[string]      `json:"name"`
	PhoneNumber optional[string]      `json:"phone_number"`
	Metadata    optional[v1.Metadata] `json:"metadata"`
}

func (b *customerBody) check() error {
	if name, domain, ok := strings.Cut(b.Email.value, "@"); b.Email.has() && (!ok || name == "" || domain == "") {
		return invalidValue("email must be a mail address")
	}
	if b.Name.has() && b.Name.value == "" {
		return invalidValue("name must not be empty")
	}
	return nil
}

func (c *call) createCustomer() (any, error) {
	var body customerBody
	if err := c.decode(&body); err != nil {
		return nil, err
	}
	if !body.Email.has() || !body.Name.has() {
		return nil, invalidBody("email and name are required")
	}
	if err := body.check(); err != nil {
		return nil, err
	}
	made, err := c.RegisterCustomer(c, v1.RegisterCustomer{
		Email: body.Email.value, Name: body.Name.value, Phone: body.PhoneNumber.value, Metadata: body.Metadata.value,
	})
	if err != nil {
		return nil, err
	}
	return c.customer(&made.Customer), nil
}

func (c *call) getCustomer() (any, error) {
	found, err := c.GetCustomer(c, c.path("customer"))
	if err != nil {
		return nil, err
	}
	return c.customer(&found), nil
}

// updateCustomer leaves email and name as they are where they are null: a customer always has
// both.
func (c *call) updateCustomer() (any, error) {
	var body customerBody
	if err := c.decode(&body); err != nil {
		return nil, err
	}
	if err := body.check(); err != nil {
		return nil, err
	}
	changed, err := c.UpdateCustomer(c, c.path("customer"), v1.UpdateCustomer{
		Email: body.Email.pointer(), Name: body.Name.pointer(), Phone: body.PhoneNumber.setting(), Metadata: body.Metadata.setting(),
	})
	if err != nil {
		return nil, err
	}
	return c.customer(&changed), nil
}

func (c *call) listCustomers() (any, error) {
	w, err := c.window()
	if err != nil {
		return nil, err
	}
	from, to, err := c.span("created_at_gte", "created_at_lte")
	if err != nil {
		return nil, err
	}
	page, err := c.ListCustomers(c, v1.CustomerQuery{
		Email: c.query.Get("email"), Name: c.query.Get("name"), From: from, To: inclusive(to), Limit: w.limit, Offset: w.offset,
	})
	if err != nil {
		return nil, err
	}
	return each(page.Data, c.customer), nil
}

// customerCredit is a customer's standing in one credit, as seen from the customer.
type customerCredit struct {
	CreditEntitlement string        `json:"credit_entitlement_id"`
	Name              string        `json:"name"`
	Description       *string       `json:"description"`
	Unit              string        `json:"unit"`
	Balance           money.Decimal `json:"balance"`
	Overage           money.Decimal `json:"overage"`
}

func (c *call) customerCredits() (any, error) {
	found, err := c.GetCustomer(c, c.path("customer"))
	if err != nil {
		return nil, err
	}
	balances, err := c.Balances(c, found.ID, "", 0)
	if err != nil {
		return nil, err
	}
	out := make([]customerCredit, len(balances.Data))
	for i := range balances.Data {
		b := &balances.Data[i]
		def, err := c.GetCredit(c, b.CreditID)
		if err != nil {
			return nil, err
		}
		out[i] = customerCredit{b.CreditID, b.CreditName, unlessZero(def.Description), b.Unit, b.Balance, b.Overage}
	}
	return listed(out), nil
}
