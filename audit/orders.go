package audit

import (
	"context"
	"slices"

	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/wallet"
)

// readOrders reads what was bought.
func (b *books) readOrders(ctx context.Context, st store.Store, w id.Wallet) error {
	q := store.OrderQuery{Wallet: w, Limit: page}
	for {
		found, err := st.Orders(ctx, q)
		if err != nil {
			return err
		}
		for i := range found {
			b.orders = append(b.orders, found[i].Order)
		}
		if len(found) < page {
			return nil
		}
		last := found[len(found)-1].Order
		q.After = store.ListPosition{At: last.CreatedAt, Wallet: w, N: last.N}
	}
}

// checkOrders holds what was bought against what was granted: one that is paid granted what was agreed,
// once and to nobody else's account, and took back no more than that; any other granted nothing.
func (b *books) checkOrders() {
	if int64(len(b.orders)) != b.sn.OrderSeq {
		b.differ(0, "%d orders are stored, and %d were made", len(b.orders), b.sn.OrderSeq)
	}
	of := map[int64]int64{} // whose a grant is
	for _, o := range b.orders {
		if o.Status != wallet.OrderPaid && len(o.Grants) > 0 {
			b.differ(0, "order %d is %s, and granted something", o.N, o.Status)
		}
		bought := slices.IndexFunc(o.Grants, func(g wallet.OrderGrant) bool { return g.Item != nil }) // then those of a cycle
		if bought < 0 {
			bought = len(o.Grants)
		}
		if o.Status == wallet.OrderPaid && bought != len(o.Items) {
			b.differ(0, "order %d is paid, and granted %d of %d items", o.N, bought, len(o.Items))
			continue
		}
		for i := range o.Grants {
			b.checkBought(o, i, of)
		}
	}
}

func (b *books) checkBought(o *wallet.Order, i int, of map[int64]int64) {
	bought := &o.Grants[i]
	g := b.grants[bought.Grant]
	if other, taken := of[bought.Grant]; taken {
		b.differ(0, "grant %d is order %d's and order %d's", bought.Grant, other, o.N)
	}
	of[bought.Grant] = o.N
	if it := o.ItemOf(i); g == nil || g.Credit != it.Credit || bought.Amount != g.Amount || !b.isOf(o, bought, g, it) {
		b.differ(0, "order %d bought %d of %s, and its grant %d is another", o.N, it.Amount, it.Credit, bought.Grant)
		return
	}
	if bought.Revoked < 0 || bought.Returned < 0 || bought.Returned > bought.Revoked || bought.Revoked-bought.Returned > bought.Amount {
		b.differ(0, "order %d took back %d of grant %d and gave %d of that again, of %d in all", o.N, bought.Revoked, bought.Grant, bought.Returned, bought.Amount)
	}
}

// isOf tells whether a grant is what an order gave: made for it, or by somebody else under the name that
// the outside has for the purchase.
func (b *books) isOf(o *wallet.Order, bought *wallet.OrderGrant, g *wallet.Grant, it *wallet.OrderItem) bool {
	switch {
	case bought.Item != nil:
		return g.Source == wallet.SourceSubscription && g.Amount == it.Amount
	case g.SourceID == o.ID(b.sn.ID):
		return g.Amount == it.Amount
	}
	return g.ExternalRef != "" && (g.ExternalRef == o.Session || g.ExternalRef == o.Payment)
}
