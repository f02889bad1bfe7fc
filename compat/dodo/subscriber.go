package dodo

import (
	"maps"

	v1 "github.com/seed42445051/scrip/v1"
)

// What the vendor keeps with a subscription or a payment and Scrip has no use for is kept with the
// customer, or with the subscription, as metadata under these names.
const (
	businessName = "business_name"
	taxID        = "tax_id"
	feedback     = "cancellation_feedback"
	cancelReason = "cancel_reason"
)

// address is where an invoice goes. The vendor's schemas want every field of it.
type address struct {
	Country string  `json:"country"`
	City    *string `json:"city"`
	State   *string `json:"state"`
	Street  *string `json:"street"`
	Zipcode *string `json:"zipcode"`
}

func addressOut(c *v1.Customer) address {
	of := func(part string) *string { return unlessZero(c.Metadata["billing_"+part]) }
	return address{c.Metadata["billing_country"], of("city"), of("state"), of("street"), of("zipcode")}
}

// contact is what a request about a subscription says of its customer.
type contact struct {
	name     optional[string]
	business optional[string]
	tax      optional[string]
	billing  optional[address]
}

// save keeps it with the customer.
func (t *contact) save(c *call, have *v1.Customer) error {
	metadata := v1.Metadata{}
	maps.Copy(metadata, have.Metadata)
	put := func(name, value string) {
		if delete(metadata, name); value != "" {
			metadata[name] = value
		}
	}
	if t.business.given {
		put(businessName, t.business.value)
	}
	if t.tax.given {
		put(taxID, t.tax.value)
	}
	if b := t.billing.value; t.billing.has() {
		put("billing_country", b.Country)
		for part, value := range map[string]*string{"city": b.City, "state": b.State, "street": b.Street, "zipcode": b.Zipcode} {
			text := ""
			v1.Set(&text, value)
			put("billing_"+part, text)
		}
	}
	change := v1.UpdateCustomer{Name: t.name.pointer(), Metadata: &metadata}
	if change.Name == nil && maps.Equal(metadata, have.Metadata) {
		return nil
	}
	changed, err := c.UpdateCustomer(c, have.ID, change)
	if err == nil {
		*have = changed
	}
	return err
}

// customerRef is a customer as a request about a sale names one: by id, or by mail address.
type customerRef struct {
	CustomerID  optional[string] `json:"customer_id"`
	Email       optional[string] `json:"email"`
	Name        optional[string] `json:"name"`
	PhoneNumber optional[string] `json:"phone_number"`
	CreateNew   bool             `json:"create_new_customer"`
}

// resolve finds the customer, and makes one where nobody has the address. Of several with it the
// newest is meant (dodo.md section 10).
func (r *customerRef) resolve(c *call) (v1.Customer, error) {
	if r.CustomerID.has() {
		return c.GetCustomer(c, r.CustomerID.value)
	}
	body := customerBody{Email: r.Email, Name: r.Name}
	if err := body.check(); err != nil || !r.Email.has() {
		if err == nil {
			err = invalidBody("customer needs a customer_id or an email")
		}
		return v1.Customer{}, err
	}
	if !r.CreateNew {
		newest, err := c.newestWith(r.Email.value)
		if err != nil || newest.ID != "" {
			return newest, err
		}
	}
	made, err := c.RegisterCustomer(c, v1.RegisterCustomer{Email: r.Email.value, Name: r.Name.value, Phone: r.PhoneNumber.value})
	return made.Customer, err
}

// newestWith is the newest customer with a mail address; one without an id when there is none.
func (c *call) newestWith(email string) (newest v1.Customer, err error) {
	q := v1.CustomerQuery{Email: email, Limit: v1.MaxPage}
	for {
		page, err := c.ListCustomers(c, q)
		if err != nil {
			return newest, err
		}
		for i := range page.Data {
			if newest.ID == "" || page.Data[i].CreatedAt > newest.CreatedAt {
				newest = page.Data[i]
			}
		}
		if q.Cursor = page.NextCursor; !page.HasMore {
			return newest, nil
		}
	}
}
