package payments

import (
	"context"
	"math/big"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/money"
	"github.com/seed42445051/scrip/payments/provider"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/wallet"
)

// refund asks the provider for a refund that was written down, and tells the order what it answered.
// Asked again it is the same refund.
func (c *Core) refund(ctx context.Context, key wallet.Key, o *wallet.Order, r *wallet.OrderRefund) error {
	if r.Status != wallet.RefundAsked {
		return nil // the provider has it
	}
	p, err := c.named(key.Mode, o.Provider)
	if err != nil {
		return err
	}
	place, payer, err := c.place(ctx, key)
	if err != nil {
		return err
	}
	news, err := p.Refund(ctx, provider.Refund{
		Place: with(place, payer, p.Name()), Order: o, OrderID: o.ID(key.ID()), Own: r.Own, Minor: r.Minor, Reason: r.Reason,
	})
	if err != nil {
		return err
	}
	_, err = c.do(ctx, key, &wallet.TellOrder{Order: o.N, News: news})
	return err
}

// fateOf is what a refund would do to one grant of an order. Amounts are in units.
type fateOf struct {
	Grant         int64
	Credit        string
	Category      catalog.Category
	Amount        int64
	Unspent, Held int64
	CostBasis     money.Decimal
	Takes, Misses int64
}

// Worth is what the unspent part has cost, in minor units and rounded down; what was given away has
// cost nothing.
func (f *fateOf) Worth(precision int) int64 {
	basis, ok := new(big.Rat).SetString(string(f.CostBasis))
	if !ok || f.Category == catalog.Promotional {
		return 0
	}
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(precision)), nil)
	basis.Mul(basis, new(big.Rat).SetFrac(big.NewInt(f.Unspent), scale))
	return new(big.Int).Quo(basis.Num(), basis.Denom()).Int64()
}

// fate is the decision about a refund, without writing: what each grant of the order would lose.
func (c *Core) fate(ctx context.Context, found *store.FoundOrder, minor int64) ([]fateOf, error) {
	o := found.Order
	after := o
	if minor > 0 {
		news := wallet.OrderNews{Kind: wallet.NewsRefund, Refund: "preview", Minor: minor, RefundStatus: wallet.RefundPending, Cumulative: o.Refunded() + minor}
		res, err := c.preview(ctx, found.Key, &wallet.TellOrder{Order: o.N, News: news})
		if err != nil {
			return nil, err
		}
		after = res
	}
	r, err := c.Engine.Read(ctx, found.Key.ID())
	if err != nil {
		return nil, err
	}
	if r == nil {
		return nil, errNoOrder()
	}
	var all []fateOf
	for i := range o.Grants {
		was, is, it := &o.Grants[i], &after.Grants[i], o.ItemOf(i)
		f := fateOf{
			Grant: was.Grant, Credit: it.Credit, Category: it.Category, Amount: was.Amount, CostBasis: it.CostBasis,
			Takes: is.Revoked - was.Revoked, Misses: is.Short(after),
		}
		for _, n := range append([]int64{was.Grant}, was.Instead...) {
			for n != 0 {
				g, ok := r.Grant(n)
				if !ok {
					break // nothing is left in a grant that is not open
				}
				f.Unspent += g.Available + g.Frozen
				f.Held += g.Held
				n = g.RolledInto
			}
		}
		all = append(all, f)
	}
	return all, nil
}

func (c *Core) preview(ctx context.Context, key wallet.Key, command wallet.Command) (*wallet.Order, error) {
	res, err := c.Engine.Do(ctx, previewOf(key, command))
	if err != nil {
		return nil, err
	}
	if res.Order == nil {
		return nil, fault.New("payments.preview", fault.CodeInternalError, "a preview came without its order")
	}
	return res.Order, nil
}
