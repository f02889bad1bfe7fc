package credits

import (
	"context"

	"github.com/seed42445051/scrip/caller"
	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/store"
	v1 "github.com/seed42445051/scrip/v1"
	"github.com/seed42445051/scrip/wallet"
)

// GetCustomer reads what is known of a customer.
func (s *Session) GetCustomer(ctx context.Context, customerID string) (v1.Customer, error) {
	key, err := caller.Wallet(s.caller, customerID)
	if err != nil {
		return v1.Customer{}, err
	}
	found, err := s.core.Store.Customers(ctx, store.CustomerQuery{App: key.App, Mode: key.Mode, ID: customerID, Limit: 1})
	if err != nil {
		return v1.Customer{}, err
	}
	if len(found) == 0 {
		return v1.Customer{}, errNoCustomer("credits.GetCustomer")
	}
	return customerOut(&found[0]), nil
}

// SaveCustomer tells what is known of a customer; the customer is made where there is none.
func (s *Session) SaveCustomer(ctx context.Context, customerID string, r v1.SaveCustomer, _ ...v1.Option) (v1.Customer, error) {
	key, err := caller.Wallet(s.caller, customerID)
	if err != nil {
		return v1.Customer{}, err
	}
	if err := checkNote("", r.Metadata); err != nil {
		return v1.Customer{}, err
	}
	if err := checkContact(&r.Name, &r.Email, &r.Phone); err != nil {
		return v1.Customer{}, err
	}
	now, err := s.Now(ctx)
	if err != nil {
		return v1.Customer{}, err
	}
	err = s.core.Store.SaveCustomer(ctx, store.Customer{
		Key: key, Name: r.Name, Email: r.Email, Phone: r.Phone, Metadata: wallet.Metadata(r.Metadata), CreatedAt: now, UpdatedAt: now,
	})
	if err != nil {
		return v1.Customer{}, err
	}
	return s.GetCustomer(ctx, customerID)
}

// UpdateCustomer changes what is known of a customer; what is absent stays.
func (s *Session) UpdateCustomer(ctx context.Context, customerID string, r v1.UpdateCustomer, _ ...v1.Option) (v1.Customer, error) {
	key, err := caller.Wallet(s.caller, customerID)
	if err != nil {
		return v1.Customer{}, err
	}
	if err := checkContact(r.Name, r.Email, r.Phone); err != nil {
		return v1.Customer{}, err
	}
	now, err := s.Now(ctx)
	if err != nil {
		return v1.Customer{}, err
	}
	change := store.CustomerChange{Key: key, Name: r.Name, Email: r.Email, Phone: r.Phone, At: now}
	if r.Metadata != nil {
		if err := checkNote("", *r.Metadata); err != nil {
			return v1.Customer{}, err
		}
		metadata := wallet.Metadata(*r.Metadata)
		change.Metadata = &metadata
	}
	found, err := s.core.Store.UpdateCustomer(ctx, change)
	if err != nil {
		return v1.Customer{}, err
	}
	if !found {
		return v1.Customer{}, errNoCustomer("credits.UpdateCustomer")
	}
	return s.GetCustomer(ctx, customerID)
}

func errNoCustomer(op string) error {
	return fault.New(op, fault.CodeCustomerNotFound, "there is no such customer; one exists from its first grant or use on").In("customer_id")
}

func checkContact(name, email, phone *string) error {
	for _, text := range []struct {
		field string
		value *string
		most  int
	}{{"name", name, v1.MaxCustomerName}, {"email", email, v1.MaxCustomerEmail}, {"phone", phone, v1.MaxCustomerPhone}} {
		if text.value == nil {
			continue
		}
		if catalog.Longer(*text.value, text.most) || !catalog.ValidText(*text.value) {
			return fault.New("credits.checkContact", fault.CodeInvalidRequest, "%s must be valid Unicode of at most %d characters", text.field, text.most).In(text.field)
		}
	}
	return nil
}

// ListCustomers lists customers by id.
func (s *Session) ListCustomers(ctx context.Context, q v1.CustomerQuery) (v1.Page[v1.Customer], error) {
	page := v1.Page[v1.Customer]{Data: []v1.Customer{}}
	limit, err := v1.PageLimit(q.Limit)
	if err != nil {
		return page, err
	}
	query := store.CustomerQuery{
		App: s.caller.App, Mode: s.caller.Mode, Email: q.Email, Name: q.Name, From: q.From, To: q.To,
		Offset: max(q.Offset, 0), Limit: limit + 1,
	}
	if q.Cursor != "" {
		if query.After, err = v1.FromCursor("c", q.Cursor); err != nil {
			return page, err
		}
	}
	found, err := s.core.Store.Customers(ctx, query)
	if err != nil {
		return page, err
	}
	if len(found) > limit {
		found, page.HasMore = found[:limit], true
		page.NextCursor = v1.Cursor("c", found[limit-1].Key.Customer)
	}
	for i := range found {
		page.Data = append(page.Data, customerOut(&found[i]))
	}
	return page, nil
}

func customerOut(c *store.Customer) v1.Customer {
	return v1.Customer{
		ID: c.Key.Customer, Name: c.Name, Email: c.Email, Phone: c.Phone, Metadata: c.Metadata,
		CreatedAt: c.CreatedAt, UpdatedAt: c.UpdatedAt,
	}
}
