package wallet_test

import (
	"testing"

	"github.com/seed42445051/scrip/wallet"
)

// TestRefundOfACycle: what is paid back of a cycle takes back what it gave, in proportion and as far as it is
// unspent, and nothing of another cycle or order.
func TestRefundOfACycle(t *testing.T) {
	b := member(t)
	other := b.bought()
	first := int64(1)
	b.news(first, refunded("r1", 500))
	b.granted(first, "50 -12")
	b.is(1, "active, 38 available, 12 revoked")
	b.to("2026-02-01T10:00:00Z")
	charge := b.last()
	b.pays(charge)
	b.granted(charge, "50")
	b.news(first, refunded("r2", 1500)) // that cycle is over: there is nothing to be taken
	b.granted(first, "50 -12")
	b.deduct(units(20))
	b.news(charge, refunded("r3", 2000))
	b.granted(charge, "50 -30")
	if g := b.Order(charge).Grants[0]; g.Short(ptr(b.Order(charge))) != 20 {
		t.Errorf("short of %d", g.Short(ptr(b.Order(charge))))
	}
	b.granted(other, "100")
	b.stands("calls", 100, 100, 0)
	b.to("2026-03-01T10:00:00Z") // the plan goes on
	b.pays(b.last())
	b.stands("calls", 150, 150, 0)
}

func ptr[T any](v T) *T { return &v }

// TestRefundOfACycleFails: what was taken is given again for as long as the cycle's credits live.
func TestRefundOfACycleFails(t *testing.T) {
	b := member(t)
	b.news(1, refunded("r", 1000))
	b.stands("calls", 25, 25, 0)
	b.pass(2 * day)
	b.news(1, refundFailed("r", 1000))
	b.granted(1, "50 -25 +25")
	b.stands("calls", 50, 50, 0)
	if g := b.Stored(2); g.ExpiresAt != b.now.Add(31*day) || g.Source != wallet.SourceRefund {
		t.Errorf("given again: %+v", g)
	}
}

// TestDisputeOfACycle: what a cycle gave is frozen while its payment is disputed, and gone once that is lost.
func TestDisputeOfACycle(t *testing.T) {
	b := member(t)
	b.news(1, disputed("dp", wallet.DisputeOpen))
	b.stands("calls", 50, 0, 0)
	b.news(1, disputed("dp", wallet.DisputeLost))
	b.stands("calls", 0, 0, 0)
	b.is(1, "revoked, 50 revoked")
}

// TestRefundOfAnInvoice: a plan that nobody charges for gives at once, and its invoice is paid later: by the
// order, once. What support has frozen meanwhile stays so.
func TestRefundOfAnInvoice(t *testing.T) {
	b := shop(t)
	b.do(plan(costs(2000), gives(included(50))))
	b.do(&wallet.Freeze{Grant: 1, Frozen: true})
	n := b.order(&wallet.PlaceOrder{Kind: wallet.InvoiceOrder, Invoice: 1, Provider: "bank"})
	b.granted(n, "")
	b.pays(n)
	b.pays(n)
	b.granted(n, "50")
	b.is(1, "active, 50 frozen")
	b.do(&wallet.Freeze{Grant: 1})
	b.news(n, refunded("r", 1000))
	b.granted(n, "50 -25")
	b.stands("calls", 25, 25, 0)
}

// TestRefundOfATrial: what a trial gave for nothing is no order's.
func TestRefundOfATrial(t *testing.T) {
	b := shop(t)
	n := b.order(plans(trial(7, 0, 10)))
	b.pays(n)
	b.granted(n, "")
	b.pass(7 * day)
	b.pays(b.last())
	b.granted(b.last(), "50")
}
