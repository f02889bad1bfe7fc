package credits

import (
	"context"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/store"
	v1 "github.com/seed42445051/scrip/v1"
	"github.com/seed42445051/scrip/wallet"
)

// GetCustomer reads what is known of a customer.
func (s *Session) GetCustomer(ctx context.Context, customerID string) (v1.Customer, error) {
	key, err := s.key(customerID)
	if err != nil {
		return v1.Customer{}, err
	}
	found, err := s.core.Store.Customers(ctx, store.CustomerQuery{App: key.App, Mode: key.Mode, ID: customerID, Limit: 1})
	if err != nil {
		return v1.Customer{}, err
	}
	if len(found) == 0 {
		return v1.Customer{}, fault.New("credits.GetCustomer", fault.CodeCustomerNotFound, "there is no such customer; one exists from its first grant or use on").In("customer_id")
	}
	return customerOut(&found[0]), nil
}

// SaveCustomer tells what is known of a customer; the customer is made where there is none.
func (s *Session) SaveCustomer(ctx context.Context, customerID string, r v1.SaveCustomer, _ ...v1.Option) (v1.Customer, error) {
	key, err := s.key(customerID)
	if err != nil {
		return v1.Customer{}, err
	}
	if err := checkNote("", r.Metadata); err != nil {
		return v1.Customer{}, err
	}
	if err := checkLengths(&r); err != nil {
		return v1.Customer{}, err
	}
	now := s.core.Clock.Now()
	err = s.core.Store.SaveCustomer(ctx, store.Customer{
		Key: key, Name: r.Name, Email: r.Email, Metadata: wallet.Metadata(r.Metadata), CreatedAt: now, UpdatedAt: now,
	})
	if err != nil {
		return v1.Customer{}, err
	}
	return s.GetCustomer(ctx, customerID)
}

func checkLengths(r *v1.SaveCustomer) error {
	const op = "credits.SaveCustomer"
	if catalog.Longer(r.Name, v1.MaxCustomerName) {
		return fault.New(op, fault.CodeInvalidRequest, "name must have at most %d characters", v1.MaxCustomerName).In("name")
	}
	if catalog.Longer(r.Email, v1.MaxCustomerEmail) {
		return fault.New(op, fault.CodeInvalidRequest, "email must have at most %d characters", v1.MaxCustomerEmail).In("email")
	}
	return nil
}

// ListCustomers lists customers by id.
func (s *Session) ListCustomers(ctx context.Context, q v1.CustomerQuery) (v1.Page[v1.Customer], error) {
	page := v1.Page[v1.Customer]{Data: []v1.Customer{}}
	limit, err := pageLimit(q.Limit)
	if err != nil {
		return page, err
	}
	query := store.CustomerQuery{App: s.caller.App, Mode: s.caller.Mode, Limit: limit + 1}
	if q.Cursor != "" {
		if query.After, err = fromCursor("c", q.Cursor); err != nil {
			return page, err
		}
	}
	found, err := s.core.Store.Customers(ctx, query)
	if err != nil {
		return page, err
	}
	if len(found) > limit {
		found, page.HasMore = found[:limit], true
		page.NextCursor = cursor("c", found[limit-1].Key.Customer)
	}
	for i := range found {
		page.Data = append(page.Data, customerOut(&found[i]))
	}
	return page, nil
}

func customerOut(c *store.Customer) v1.Customer {
	return v1.Customer{
		ID: c.Key.Customer, Name: c.Name, Email: c.Email, Metadata: c.Metadata,
		CreatedAt: c.CreatedAt, UpdatedAt: c.UpdatedAt,
	}
}
