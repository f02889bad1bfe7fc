package wallet_test

import (
	"strconv"
	"testing"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/wallet"
)

// TestDispute: frozen while it is open, restored when it is won, gone when it is lost (T11).
func TestDispute(t *testing.T) {
	b := shop(t)
	n := b.bought()
	other := b.bought()
	b.deduct(units(30))
	b.told(catalog.EventPaymentSucceeded, catalog.EventCreditsTopUp, catalog.EventPaymentSucceeded, catalog.EventCreditsTopUp)
	b.news(n, disputed("dp", wallet.DisputeOpen))
	b.news(n, disputed("dp", wallet.DisputeOpen))
	b.is(1, "active, 70 frozen, 30 spent")
	b.stands("calls", 170, 100, 0)
	b.news(n, disputed("dp", wallet.DisputeWon))
	b.is(1, "active, 70 available, 30 spent")
	b.news(n, disputed("dp", wallet.DisputeOpen)) // older news
	b.is(1, "active, 70 available, 30 spent")
	b.news(n, disputed("dp", wallet.DisputeLost)) // nobody changes their mind
	b.is(1, "active, 70 available, 30 spent")
	b.told(catalog.EventDisputeOpened, catalog.EventDisputeWon)
	b.news(other, disputed("dp2", wallet.DisputeOpen))
	b.news(other, disputed("dp2", wallet.DisputeLost))
	b.news(other, disputed("dp2", wallet.DisputeOpen))
	b.is(2, "revoked, 100 revoked")
	b.stands("calls", 70, 70, 0)
	b.told(catalog.EventDisputeOpened, catalog.EventDisputeLost)
	b.refused(&wallet.AskRefund{Order: other}, fault.CodeRefundTooLarge)
}

// TestDisputeInAnyOrder: how it ended counts, whenever that is told.
func TestDisputeInAnyOrder(t *testing.T) {
	for name, c := range map[string]struct {
		news            []wallet.OrderNews
		balance, usable int64
	}{
		"lost":                         {[]wallet.OrderNews{disputed("a", wallet.DisputeLost)}, 0, 0},
		"lost before it was opened":    {[]wallet.OrderNews{disputed("a", wallet.DisputeLost), disputed("a", wallet.DisputeOpen)}, 0, 0},
		"won before it was opened":     {[]wallet.OrderNews{disputed("a", wallet.DisputeWon), disputed("a", wallet.DisputeOpen)}, 100, 100},
		"open":                         {[]wallet.OrderNews{disputed("a", wallet.DisputeOpen)}, 100, 0},
		"won, and another":             {[]wallet.OrderNews{disputed("a", wallet.DisputeWon), disputed("b", wallet.DisputeOpen)}, 100, 0},
		"lost, and another":            {[]wallet.OrderNews{disputed("a", wallet.DisputeLost), disputed("b", wallet.DisputeOpen), disputed("b", wallet.DisputeWon)}, 0, 0},
		"open, and another won":        {[]wallet.OrderNews{disputed("a", wallet.DisputeOpen), disputed("b", wallet.DisputeWon)}, 100, 0},
		"two won, one opens late":      {[]wallet.OrderNews{disputed("a", wallet.DisputeOpen), disputed("a", wallet.DisputeWon), disputed("b", wallet.DisputeOpen), disputed("b", wallet.DisputeWon), disputed("a", wallet.DisputeOpen)}, 100, 100},
		"two won, told backwards":      {[]wallet.OrderNews{disputed("b", wallet.DisputeWon), disputed("b", wallet.DisputeOpen), disputed("a", wallet.DisputeWon), disputed("a", wallet.DisputeOpen), disputed("b", wallet.DisputeOpen)}, 100, 100},
		"two open, one won":            {[]wallet.OrderNews{disputed("a", wallet.DisputeOpen), disputed("b", wallet.DisputeOpen), disputed("a", wallet.DisputeWon)}, 100, 0},
		"two open, both won":           {[]wallet.OrderNews{disputed("a", wallet.DisputeOpen), disputed("b", wallet.DisputeOpen), disputed("b", wallet.DisputeWon), disputed("a", wallet.DisputeWon)}, 100, 100},
		"open, and another lost":       {[]wallet.OrderNews{disputed("a", wallet.DisputeOpen), disputed("b", wallet.DisputeLost), disputed("a", wallet.DisputeWon)}, 0, 0},
		"half refunded, then open":     {[]wallet.OrderNews{refundedInAll(500), disputed("a", wallet.DisputeOpen)}, 50, 0},
		"open, then half refunded":     {[]wallet.OrderNews{disputed("a", wallet.DisputeOpen), refundedInAll(500)}, 50, 0},
		"half refunded between":        {[]wallet.OrderNews{disputed("a", wallet.DisputeOpen), refundedInAll(500), disputed("a", wallet.DisputeWon)}, 50, 50},
		"half refunded, then lost":     {[]wallet.OrderNews{refundedInAll(500), disputed("a", wallet.DisputeLost)}, 0, 0},
		"lost, then half refunded":     {[]wallet.OrderNews{disputed("a", wallet.DisputeLost), refundedInAll(500)}, 0, 0},
		"a refund fails while open":    {[]wallet.OrderNews{refunded("r", 500), disputed("a", wallet.DisputeOpen), refundFailed("r", 500)}, 100, 0},
		"a refund failed, then won":    {[]wallet.OrderNews{refunded("r", 500), disputed("a", wallet.DisputeOpen), refundFailed("r", 500), disputed("a", wallet.DisputeWon)}, 100, 100},
		"a refund fails after it lost": {[]wallet.OrderNews{refunded("r", 500), disputed("a", wallet.DisputeLost), refundFailed("r", 500)}, 0, 0},
	} {
		for _, last := range []bool{false, true} { // the order is paid first, or last
			t.Run(name, func(t *testing.T) {
				b := shop(t)
				n := b.order(buys("hundred"))
				if !last {
					b.pays(n)
				}
				for _, news := range c.news {
					b.news(n, news)
				}
				if last {
					b.pays(n)
				}
				b.stands("calls", c.balance, c.usable, 0)
			})
		}
	}
}

// TestMaxOrderDisputes: of more disputes than are told apart nothing is known.
func TestMaxOrderDisputes(t *testing.T) {
	b := shop(t)
	n := b.bought()
	for i := range wallet.MaxOrderDisputes {
		b.news(n, disputed("dp_"+strconv.Itoa(i), wallet.DisputeWon))
	}
	b.news(n, disputed("one more", wallet.DisputeOpen))
	if got := len(b.Order(n).Disputes); got != wallet.MaxOrderDisputes {
		t.Errorf("%d disputes", got)
	}
	b.stands("calls", 100, 100, 0)
}

// TestDisputesTell: what is told is how the order stands with all of its disputes.
func TestDisputesTell(t *testing.T) {
	b := shop(t)
	n := b.bought()
	b.told(catalog.EventPaymentSucceeded, catalog.EventCreditsTopUp)
	for _, news := range []wallet.OrderNews{
		disputed("a", wallet.DisputeOpen), disputed("b", wallet.DisputeOpen), disputed("a", wallet.DisputeWon), disputed("b", wallet.DisputeWon),
		disputed("a", wallet.DisputeOpen), disputed("b", wallet.DisputeLost), disputed("a", wallet.DisputeWon),
	} {
		b.news(n, news)
	}
	b.told(catalog.EventDisputeOpened, catalog.EventDisputeWon)
}

// TestDisputeWhileHeld: what comes back to a disputed grant is frozen, and gone once it is lost.
func TestDisputeWhileHeld(t *testing.T) {
	for _, lost := range []bool{false, true} {
		b := shop(t)
		n := b.bought()
		x, y := b.reserve(units(30)), b.reserve(units(20))
		b.news(n, disputed("dp", wallet.DisputeOpen))
		b.do(&wallet.Release{Hold: x})
		b.is(1, "active, 80 frozen, 20 held")
		if !lost {
			b.news(n, disputed("dp", wallet.DisputeWon))
			b.do(&wallet.Release{Hold: y})
			b.is(1, "active, 100 available")
			continue
		}
		b.news(n, disputed("dp", wallet.DisputeLost))
		b.do(&wallet.Release{Hold: y})
		b.stands("calls", 0, 0, 0)
		b.granted(n, "100 -100")
	}
}
