package wallet_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/seed42445051/scrip/money"
	"github.com/seed42445051/scrip/wallet"
)

// story is all that a provider ever says of one order, each thing once, as it might have happened.
type story struct {
	news  []wallet.OrderNews
	spent int64 // of a hundred credits, before anything but the payment is told
	held  int64 // set aside then
	takes int64 // what of that is committed in the end; the rest comes back
}

func drawStory(t *rapid.T) story {
	is := func(what string) bool { return rapid.Bool().Draw(t, what) }
	s := story{news: []wallet.OrderNews{paid(1000)}}
	if is("processing") {
		s.news = append(s.news, processing)
	}
	if is("expired") {
		s.news = append(s.news, expired)
	}
	inAll := int64(0)
	for i := range rapid.IntRange(0, 3).Draw(t, "refunds") {
		id, minor := fmt.Sprint("re_", i), rapid.Int64Range(1, 700).Draw(t, "minor")
		if is("pending") {
			n := refunded(id, minor)
			n.RefundStatus = wallet.RefundPending
			s.news = append(s.news, n)
		}
		s.news = append(s.news, refunded(id, minor))
		if inAll = min(inAll+minor, 1000); is("told in all") {
			s.news = append(s.news, refundedInAll(inAll))
		}
		if is("failed") {
			s.news = append(s.news, refundFailed(id, minor))
		}
	}
	for i := range rapid.IntRange(0, 3).Draw(t, "disputes") {
		id := fmt.Sprint("dp_", i)
		s.news = append(s.news, disputed(id, wallet.DisputeOpen))
		if is("closed") {
			s.news = append(s.news, disputed(id, rapid.SampledFrom([]wallet.DisputeStatus{wallet.DisputeWon, wallet.DisputeLost}).Draw(t, "how")))
		}
	}
	s.spent = rapid.Int64Range(0, 100).Draw(t, "spent")
	s.held = rapid.Int64Range(0, 100-s.spent).Draw(t, "held")
	s.takes = rapid.Int64Range(0, s.held).Draw(t, "takes")
	return s
}

// end is how an order and the credits stand in the end, without the instants and numbers that follow
// from the order in which things happened.
type end struct {
	status                   wallet.OrderStatus
	paid, back               int64
	dispute                  wallet.DisputeStatus
	taken, short             int64
	balance, available, used int64
}

// shuffled draws an order of so many things in which each comes at least once.
func shuffled(t *rapid.T, n int) []int {
	all := make([]int, 0, 2*n)
	for i := range n {
		for range rapid.IntRange(1, 2).Draw(t, "times") {
			all = append(all, i)
		}
	}
	return rapid.Permutation(all).Draw(t, "order")
}

// tell leads a wallet through a story in some order. With used, the payment was told before, and some of
// the credits are spent and held by then.
func (s *story) tell(t *testing.T, order []int, used bool) end {
	t.Helper()
	b := shop(t)
	b.Watched = false
	other := b.bought()
	b.deduct(units(100)) // of no account: what the other order gave is used first
	n := b.order(buys("hundred"))
	hold := int64(0)
	if used {
		b.pays(n)
		if s.spent > 0 {
			b.deduct(units(s.spent))
		}
		if s.held > 0 {
			hold = b.reserve(units(s.held))
		}
	}
	for _, i := range order {
		b.news(n, s.news[i])
	}
	if hold > 0 {
		b.do(&wallet.Commit{Hold: hold, Amount: money.Decimal(fmt.Sprint(s.takes))})
	}
	for g := int64(1); g <= b.State().GrantSeq; g++ {
		if stored := b.Stored(g); !stored.Conserved() {
			t.Fatalf("grant %d: %+v", g, stored)
		}
	}
	b.granted(other, "100")
	b.is(1, "depleted, 100 spent")
	if err := b.Check(); err != nil {
		t.Fatal(err)
	}
	o, c := b.Order(n), b.State().Credits["calls"]
	g := &o.Grants[0]
	return end{
		status: o.Status, paid: o.Paid, back: o.Refunded(), dispute: o.Dispute, taken: g.Revoked - g.Returned, short: g.Short(&o),
		balance: c.Balance(), available: c.Available(), used: c.Used,
	}
}

// TestNewsInAnyOrder: the same news in every order, and any number of times, come to the same: status,
// money, what was taken back, balances. Of what is told and numbered only the order differs. Nothing
// of one order's news touches what another has bought.
//
// Where the order matters, it is bounded: a decline that is told after the payment is not remembered,
// and two payments of one order that differ from each other (a page is paid once) leave the first.
func TestNewsInAnyOrder(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		s := drawStory(r)
		used := rapid.Bool().Draw(r, "used")
		straight := make([]int, len(s.news))
		for i := range straight {
			straight[i] = i
		}
		want := s.tell(t, straight, used)
		for range 3 {
			order := shuffled(r, len(s.news))
			if got := s.tell(t, order, used); got != want {
				r.Fatalf("%+v\n told in the order %v\n  got  %+v\n  want %+v", s, order, got, want)
			}
		}
		// What was refunded is what is gone, as far as it was not spent: floor(granted x refunded / paid).
		target := 100 * want.back / want.paid
		if want.dispute == wallet.DisputeLost {
			target = 100
		}
		unspent := int64(100)
		if used {
			unspent -= s.spent + s.takes
		}
		if want.taken != min(target, unspent) || want.balance != unspent-want.taken || want.short != target-want.taken {
			r.Fatalf("%+v\n  came to %+v", s, want)
		}
		if frozen := want.dispute == wallet.DisputeOpen; frozen && want.available != 0 || !frozen && want.available != want.balance {
			r.Fatalf("%+v\n  came to %+v", s, want)
		}
	})
}
