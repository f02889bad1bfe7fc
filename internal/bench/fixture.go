package bench

import (
	"context"
	"fmt"
	"strconv"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/seed42445051/scrip"
	v1 "github.com/seed42445051/scrip/v1"
)

// Fixture is an app with a key, a credit, and customers who have plenty of it.
type Fixture struct {
	App       string // its name
	Key       string
	Credit    string // id
	Customers int
}

// perCustomer is what each customer is granted: more than any run can spend.
const perCustomer = "1000000000000"

// Prepare makes the fixture in a database through the library. The app's name must be new.
func Prepare(ctx context.Context, db, app string, customers int) (*Fixture, error) {
	s, err := scrip.Open(ctx, scrip.DB(db), scrip.SweepEvery(0), scrip.WithoutWebhooks())
	if err != nil {
		return nil, err
	}
	f, err := Fill(ctx, s, app, customers)
	if closed := s.Close(ctx); err == nil {
		err = closed
	}
	return f, err
}

// Fill is Prepare on an open Scrip.
func Fill(ctx context.Context, s *scrip.Scrip, app string, customers int) (*Fixture, error) {
	a, err := s.App(ctx, app, scrip.Test)
	if err != nil {
		return nil, err
	}
	credit, err := a.CreateCredit(ctx, v1.CreateCredit{Name: "Bench credits", Unit: "credit"})
	if err != nil {
		return nil, err
	}
	key, err := a.CreateKey(ctx, v1.CreateKey{Kind: "secret", Label: "scrip bench"})
	if err != nil {
		return nil, err
	}
	f := &Fixture{App: app, Key: key.Key, Credit: credit.ID, Customers: customers}
	give := func(customer int) error {
		_, err := a.Grant(ctx, v1.GrantRequest{CustomerID: f.Customer(customer), CreditID: credit.ID, Amount: perCustomer})
		return err
	}
	return f, Many(customers, give)
}

// Many calls do for 0 to n-1, many at a time, so that the engine can commit them in groups.
func Many(n int, do func(i int) error) error {
	const atOnce = 256
	var group errgroup.Group
	var next atomic.Int64
	for range min(atOnce, n) {
		group.Go(func() error {
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					return nil
				}
				if err := do(i); err != nil {
					return err
				}
			}
		})
	}
	return group.Wait()
}

// Customer is the id of a customer.
func (f *Fixture) Customer(i int) string { return "customer_" + strconv.Itoa(i) }

func (f *Fixture) charge(customer int) string {
	return fmt.Sprintf(`{"customer_id":%q,"credit_id":%q,"amount":"1"}`, f.Customer(customer), f.Credit)
}
