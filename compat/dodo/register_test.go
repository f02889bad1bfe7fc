package dodo

import (
	"testing"

	v1 "github.com/seed42445051/scrip/v1"
)

// TestCreatingACustomerIsRegistration: the bonus of a credit is for those who come this way, too.
func TestCreatingACustomerIsRegistration(t *testing.T) {
	f := newFixture(t)
	c, err := f.native.CreateCredit(t.Context(), v1.CreateCredit{Name: "API", Unit: "call", Sales: v1.Sales{SignupBonus: "50"}})
	if err != nil {
		t.Fatal(err)
	}
	made := f.must("POST", "/customers", `{"email":"a@example.test","name":"Ada"}`)
	id, _ := made.body["customer_id"].(string)
	for range 2 {
		again, err := f.native.RegisterCustomer(t.Context(), v1.RegisterCustomer{ID: id})
		if err != nil || again.Name != "Ada" || again.Email != "a@example.test" {
			t.Fatalf("registered again: %+v, %v", again, err)
		}
	}
	b, err := f.native.Balances(t.Context(), id, c.ID, 0)
	if err != nil || len(b.Data) != 1 || b.Data[0].ByCategory.Promotional.Available != "50" {
		t.Errorf("balances: %+v, %v", b, err)
	}
}
