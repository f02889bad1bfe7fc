package acceptance

import (
	"context"
	"fmt"
	"testing"

	"github.com/seed42445051/scrip/catalog"
	v1 "github.com/seed42445051/scrip/v1"
)

// TestFirstGrantAtTwoServers grants wallets that do not exist yet, at two servers at once under one
// reference: there is no row that one of them could lock, and so what it reads may be of the other's
// wallet already.
func TestFirstGrantAtTwoServers(t *testing.T) {
	onBoth(t, func(t *testing.T, db *database) {
		k := newKit(t, db)
		other := startServer(t, db.open(t), k.options())
		servers := []*ops{k.live(), other.as(k.app, catalog.Live)}
		const customers = 60
		together(4*customers, func(i int) {
			_, err := servers[i%2].Grant(context.Background(), v1.GrantRequest{
				CustomerID: fmt.Sprint("u", i/4), CreditID: k.credit, Amount: "5", ExternalRef: "order",
			})
			if err != nil {
				t.Error(err)
			}
		})
		for i := range customers {
			equal(t, "balance", balance(t, k.client, fmt.Sprint("u", i), k.credit).Available, "5")
		}
	})
}
