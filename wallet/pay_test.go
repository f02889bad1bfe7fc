package wallet_test

import (
	"strings"
	"testing"
	"time"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/money"
	"github.com/seed42445051/scrip/wallet"
)

var (
	processing = wallet.OrderNews{Kind: wallet.NewsProcessing}
	failed     = wallet.OrderNews{Kind: wallet.NewsFailed, Decline: &wallet.Decline{Code: "async", Class: wallet.DeclineHard}}
	expired    = wallet.OrderNews{Kind: wallet.NewsExpired}
)

// TestPaidOnce: however often it is told that an order is paid, and under whatever ids, it grants once
// (T02, T13, T18, T24).
func TestPaidOnce(t *testing.T) {
	b := shop(t)
	n := b.order(buys("hundred"))
	b.pays(n)
	b.told(catalog.EventPaymentSucceeded, catalog.EventCreditsTopUp)
	before := b.Order(n)
	again := paid(1000)
	again.Session, again.Payment = "cs_other", "pi_other"
	for range 3 {
		b.pass(40 * time.Hour)
		if a := b.news(n, again); len(a.Entries) > 0 || a.Order == nil || a.Order.Status != wallet.OrderPaid {
			t.Errorf("again %+v", a)
		}
	}
	if o := b.Order(n); text(o) != text(before) || o.Payment != "pi" || o.PaidAt != start {
		t.Errorf("the order is %+v, was %+v", o, before)
	}
	b.told()
	b.stands("calls", 100, 100, 0)
	b.says("credit_added +100 =100")
}

// TestGrantedBefore: what somebody else has granted under the name that the outside has for a purchase is
// not granted again when the news comes, whatever became of it since; it is what a refund takes back (V35).
func TestGrantedBefore(t *testing.T) {
	underSession := func(c *wallet.GiveCredits) { c.Pack, c.Credit, c.Amount, c.ExternalRef = "hundred", "", 0, "cs_1" }
	for name, spent := range map[string]int64{"nothing was spent": 0, "some was spent": 30, "all was spent": 100} {
		t.Run(name, func(t *testing.T) {
			b := shop(t)
			n := b.order(buys("hundred"))
			b.do(&wallet.OpenOrder{Order: n, Session: "cs_1", URL: "https://pay.example/cs_1"})
			grant := b.give(0, underSession)
			if spent > 0 {
				b.do(&wallet.Deduct{Charge: wallet.Charge{Credit: "calls", Amount: spent}})
			}
			b.pays(n)
			b.pays(n)
			b.status(n, wallet.OrderPaid)
			if o := b.Order(n); len(o.Grants) != 1 || o.Grants[0].Grant != grant || o.Invoice == 0 {
				t.Errorf("the order is %+v", o)
			}
			b.stands("calls", 100-spent, 100-spent, 0)
			b.news(n, refunded("re", 1000))
			b.stands("calls", 0, 0, 0)
		})
	}
}

// TestPaidInAnyOrder: what a provider says before and after that an order is paid changes nothing about
// it (T03 to T06).
func TestPaidInAnyOrder(t *testing.T) {
	for name, c := range map[string]struct {
		news []wallet.OrderNews
		want wallet.OrderStatus
		tell []catalog.EventType
	}{
		"T03 unpaid, then paid":         {[]wallet.OrderNews{processing, processing, paid(1000)}, wallet.OrderPaid, []catalog.EventType{catalog.EventPaymentProcessing, catalog.EventPaymentSucceeded, catalog.EventCreditsTopUp}},
		"T04 paid before unpaid":        {[]wallet.OrderNews{paid(1000), processing}, wallet.OrderPaid, []catalog.EventType{catalog.EventPaymentSucceeded, catalog.EventCreditsTopUp}},
		"T05 unpaid, then failed":       {[]wallet.OrderNews{processing, failed, failed}, wallet.OrderFailed, []catalog.EventType{catalog.EventPaymentProcessing, catalog.EventPaymentFailed}},
		"failed before unpaid":          {[]wallet.OrderNews{failed, processing}, wallet.OrderFailed, []catalog.EventType{catalog.EventPaymentFailed}},
		"T06 expired, then paid":        {[]wallet.OrderNews{expired, paid(1000)}, wallet.OrderPaid, []catalog.EventType{catalog.EventPaymentCanceled, catalog.EventPaymentSucceeded, catalog.EventCreditsTopUp}},
		"paid, then expired":            {[]wallet.OrderNews{paid(1000), expired}, wallet.OrderPaid, []catalog.EventType{catalog.EventPaymentSucceeded, catalog.EventCreditsTopUp}},
		"failed, then paid":             {[]wallet.OrderNews{failed, paid(1000)}, wallet.OrderPaid, []catalog.EventType{catalog.EventPaymentFailed, catalog.EventPaymentSucceeded, catalog.EventCreditsTopUp}},
		"expired, then on its way":      {[]wallet.OrderNews{expired, processing}, wallet.OrderProcessing, []catalog.EventType{catalog.EventPaymentCanceled, catalog.EventPaymentProcessing}},
		"on its way, then expired":      {[]wallet.OrderNews{processing, expired}, wallet.OrderProcessing, []catalog.EventType{catalog.EventPaymentProcessing}},
		"declined on a page, then paid": {[]wallet.OrderNews{declined(0, wallet.DeclineHard), paid(1000)}, wallet.OrderPaid, []catalog.EventType{catalog.EventPaymentSucceeded, catalog.EventCreditsTopUp}},
	} {
		t.Run(name, func(t *testing.T) {
			b := shop(t)
			n := b.order(buys("hundred"))
			for _, news := range c.news {
				b.pass(time.Minute)
				b.news(n, news)
			}
			b.status(n, c.want)
			b.told(c.tell...)
			want := int64(0)
			if o := b.Order(n); c.want == wallet.OrderPaid {
				want = 100
				if !o.ClosedAt.IsZero() || o.PaidAt.IsZero() || o.Paid != 1000 {
					t.Errorf("paid %+v", o)
				}
			} else if o.Status.Settled() == o.ClosedAt.IsZero() {
				t.Errorf("closed %+v", o)
			}
			b.stands("calls", want, want, 0)
		})
	}
}

// TestMismatch: a payment that differs from what is expected grants nothing and is told (T07).
func TestMismatch(t *testing.T) {
	for name, n := range map[string]wallet.OrderNews{
		"less": {Kind: wallet.NewsPaid, Minor: 999, Currency: "usd"}, "more": {Kind: wallet.NewsPaid, Minor: 1001, Currency: "usd"},
		"nothing": {Kind: wallet.NewsPaid, Currency: "usd"}, "in another currency": {Kind: wallet.NewsPaid, Minor: 1000, Currency: "eur"},
		"in none": {Kind: wallet.NewsPaid, Minor: 1000},
	} {
		t.Run(name, func(t *testing.T) {
			b := shop(t)
			o := b.order(buys("hundred"))
			b.news(o, n)
			b.news(o, n)
			b.news(o, refunded("re", 10))
			b.status(o, wallet.OrderMismatched)
			b.told(catalog.EventPaymentMismatched, catalog.EventRefundSucceeded)
			b.stands("calls", 0, 0, 0)
			if o := b.Order(o); o.Paid != n.Minor || o.Reason == "" || o.ClosedAt != start || len(o.Grants) > 0 {
				t.Errorf("the order is %+v", o)
			}
			if n.Minor == 0 {
				b.refused(&wallet.AskRefund{Order: o}, fault.CodeOrderNotPaid)
				return
			}
			b.do(&wallet.AskRefund{Order: o}) // what nothing was granted for can be paid back
			if o := b.Order(o); o.Refundable() != 0 {
				t.Errorf("%d more can be paid back", o.Refundable())
			}
		})
	}
}

// TestNewsLimits: at the limit it is taken, one past it is refused.
func TestNewsLimits(t *testing.T) {
	b := shop(t)
	n := b.order(buys("hundred"))
	long := func(n int) string { return strings.Repeat("x", n) }
	for _, set := range []func(*wallet.OrderNews, string){
		func(n *wallet.OrderNews, id string) { n.Session = id }, func(n *wallet.OrderNews, id string) { n.Payment = id },
		func(n *wallet.OrderNews, id string) { n.Refund = id }, func(n *wallet.OrderNews, id string) { n.DisputeID = id },
		func(n *wallet.OrderNews, id string) { n.Customer = id }, func(n *wallet.OrderNews, id string) { n.Method = id },
		func(n *wallet.OrderNews, id string) { n.Label = id },
	} {
		news := wallet.OrderNews{Kind: wallet.NewsProcessing}
		set(&news, long(wallet.MaxReferenceLength+1))
		b.refused(&wallet.TellOrder{Order: n, News: news}, fault.CodeInvalidRequest)
		set(&news, long(wallet.MaxReferenceLength))
		b.news(n, news)
	}
	b.refused(&wallet.TellOrder{Order: n, News: disputed("dp", "maybe")}, fault.CodeInvalidRequest)
	for _, wrong := range []wallet.OrderNews{paid(-1), refundedInAll(-1), refunded("re", 1<<62), refundedInAll(1 << 62)} {
		b.refused(&wallet.TellOrder{Order: n, News: wrong}, fault.CodeInvalidAmount)
	}
}

// TestReceipt: a purchase comes with an invoice that is paid as it is issued; one that costs nothing
// with none.
func TestReceipt(t *testing.T) {
	b := shop(t)
	n := b.bought(quantity(3))
	o := b.Order(n)
	if v := b.Invoice(o.Invoice); o.Invoice != 1 || v.Status != wallet.InvoicePaid || v.Total != 3000 || v.Ref != "pi" || v.Currency != "usd" ||
		v.IssuedAt != start || v.ClosedAt != start || len(v.Lines) != 1 || v.Lines[0].Kind != wallet.TopUpLine || v.Lines[0].Quantity != "3" ||
		v.Lines[0].Price != "1000" || v.Lines[0].Minor != 3000 || v.Lines[0].What != "hundred" {
		t.Errorf("the receipt is %+v", v)
	}
}

// TestSavedCard: the card of a payment is kept where the customer agreed to that, and later news of it
// bring no card back that was replaced or forgotten.
func TestSavedCard(t *testing.T) {
	b := shop(t)
	b.bought()
	if p := b.State().Payer; p == nil || p.Customer != "cus" || p.Method != "" {
		t.Errorf("the payer is %+v", p)
	}
	b.refused(buys("hundred", offSession), fault.CodeNoPaymentMethod)
	n := b.bought(savesCard)
	if p := b.State().Payer; p.Method != "pm" || p.Label != "visa •••• 4242" || p.SavedAt != start || p.Provider != "bank" {
		t.Errorf("the payer is %+v", p)
	}
	b.pass(time.Hour)
	card := b.order(&wallet.PlaceOrder{Kind: wallet.CardOrder, Provider: "bank"})
	b.status(card, wallet.OrderOpen)
	b.told(catalog.EventPaymentSucceeded, catalog.EventCreditsTopUp, catalog.EventPaymentSucceeded, catalog.EventCreditsTopUp)
	b.news(card, wallet.OrderNews{Kind: wallet.NewsPaid, Customer: "cus", Method: "pm_2", Label: "mc"})
	b.status(card, wallet.OrderPaid)
	b.stands("calls", 200, 200, 0)
	b.pays(n) // again, with the older card
	if p := b.State().Payer; p.Method != "pm_2" || p.SavedAt != b.now {
		t.Errorf("the payer is %+v", p)
	}
	b.do(&wallet.ForgetPayer{})
	b.pays(n)
	b.news(card, wallet.OrderNews{Kind: wallet.NewsCard, Customer: "cus", Method: "pm_2"})
	if p := b.State().Payer; p.Method != "" || p.Customer != "cus" {
		t.Errorf("the payer is %+v", p)
	}
	b.refused(buys("hundred", offSession), fault.CodeNoPaymentMethod)
	// The provider knows the customer by another id: the card was the old one's.
	b.bought(savesCard)
	b.do(&wallet.OpenOrder{Order: b.do(buys("hundred")).Order.N, Session: "cs", Customer: "cus_2"})
	if p := b.State().Payer; p.Method != "" || p.Customer != "cus_2" {
		t.Errorf("the payer is %+v", p)
	}
}

// TestOffSession: somebody waits for the answer, so a decline is the end.
func TestOffSession(t *testing.T) {
	b := shop(t)
	b.bought(savesCard)
	for _, class := range []wallet.DeclineClass{wallet.DeclineSoft, wallet.DeclineHard, wallet.DeclineAction} {
		n := b.order(buys("hundred", offSession))
		if o := b.Order(n); o.Status != wallet.OrderDue || o.Attempt != 1 || !o.OffSession || !o.ExpiresAt.IsZero() {
			t.Errorf("charged %+v", o)
		}
		b.refused(&wallet.CancelOrder{Order: n}, fault.CodeOrderClosed)
		b.news(n, declined(1, class))
		b.status(n, wallet.OrderFailed)
		if o := b.Order(n); o.LastDecline == nil || o.LastDecline.At != b.now || o.LastDecline.Class != class {
			t.Errorf("declined %+v", o.LastDecline)
		}
	}
	n := b.order(buys("hundred", offSession))
	b.pays(n)
	b.pays(n) // T18: the answer, and the webhook
	b.stands("calls", 200, 200, 0)
	if due := b.due(catalog.EventPaymentDue); due != 4 {
		t.Errorf("%d charges", due)
	}
	b.refused(buys("hundred", offSession, func(c *wallet.PlaceOrder) { c.Provider = "other" }), fault.CodeNoPaymentMethod)
}

// TestRefundsInAnyOrder: however money goes back, and however that is told, what is taken is
// floor(granted x refunded / paid), once (T08).
func TestRefundsInAnyOrder(t *testing.T) {
	half, whole := refundedInAll(500), refundedInAll(1000)
	for name, c := range map[string]struct {
		news []wallet.OrderNews
		want string
	}{
		"half":                            {[]wallet.OrderNews{half, half}, "100 -50"},
		"half, then all":                  {[]wallet.OrderNews{half, whole}, "100 -100"},
		"all, then half":                  {[]wallet.OrderNews{whole, half}, "100 -100"},
		"two halves":                      {[]wallet.OrderNews{refunded("a", 500), refunded("b", 500)}, "100 -100"},
		"two halves, told again":          {[]wallet.OrderNews{refunded("a", 500), refunded("b", 500), refunded("a", 500), whole, half}, "100 -100"},
		"one and all":                     {[]wallet.OrderNews{refunded("a", 500), half}, "100 -50"},
		"a third, rounded down":           {[]wallet.OrderNews{refunded("a", 333)}, "100 -33"},
		"three thirds":                    {[]wallet.OrderNews{refunded("a", 333), refunded("b", 333), refunded("c", 334)}, "100 -100"},
		"a cent":                          {[]wallet.OrderNews{refunded("a", 1)}, "100"},
		"more than was paid":              {[]wallet.OrderNews{refunded("a", 5000)}, "100 -100"},
		"pending counts":                  {[]wallet.OrderNews{{Kind: wallet.NewsRefund, Refund: "a", Minor: 500, RefundStatus: wallet.RefundPending}}, "100 -50"},
		"pending after it succeeded":      {[]wallet.OrderNews{refunded("a", 500), {Kind: wallet.NewsRefund, Refund: "a", Minor: 500, RefundStatus: wallet.RefundPending}}, "100 -50"},
		"failed":                          {[]wallet.OrderNews{refundFailed("a", 500)}, "100"},
		"failed after it succeeded":       {[]wallet.OrderNews{refunded("a", 500), refundFailed("a", 500)}, "100 -50 +50"},
		"succeeded, told after it failed": {[]wallet.OrderNews{refundFailed("a", 500), refunded("a", 500)}, "100"},
		"failed, told in all before":      {[]wallet.OrderNews{half, refundFailed("a", 500)}, "100 -50 +50"},
		"one of two failed":               {[]wallet.OrderNews{refunded("a", 500), refunded("b", 500), refundFailed("a", 500), refundFailed("a", 500)}, "100 -100 +50"},
		"one failed, another made":        {[]wallet.OrderNews{refunded("a", 500), refundFailed("a", 500), refunded("b", 500), whole}, "100 -100 +50"},
	} {
		for place := range len(c.news) + 1 { // where it is told that the order is paid
			t.Run(name, func(t *testing.T) {
				b := shop(t)
				n := b.order(buys("hundred"))
				for i, news := range c.news {
					if i == place {
						b.pays(n)
					}
					b.news(n, news)
				}
				if place == len(c.news) {
					b.pays(n)
				}
				o := b.Order(n)
				if place == 0 {
					b.granted(n, c.want)
				}
				left := 100 - 100*o.Refunded()/1000
				b.stands("calls", left, left, 0)
			})
		}
	}
}

// TestRefundBeforeThePayment: credits end at nothing, and the ledger shows both (T09).
func TestRefundBeforeThePayment(t *testing.T) {
	b := shop(t)
	n := b.order(buys("hundred"))
	b.news(n, refundedInAll(1000))
	b.says()
	b.pays(n)
	b.says("credit_added +100 =100", "refund -100 =0")
	b.is(1, "revoked, 100 revoked")
}

// TestRefundOfWhatIsSpent: what was spent stays spent, nothing is negative, and what is missing is said
// (T10).
func TestRefundOfWhatIsSpent(t *testing.T) {
	b := shop(t)
	n := b.bought()
	b.deduct(units(100))
	b.said()
	b.news(n, refundedInAll(1000))
	b.says()
	o := b.Order(n)
	if short := o.Grants[0].Short(&o); short != 100 {
		t.Errorf("short of %d", short)
	}
	n = b.bought()
	other := b.bought()
	b.deduct(units(70))
	b.news(n, refundedInAll(500))
	b.granted(n, "100 -30")
	b.granted(other, "100") // no order's credits pay for another's refund
	b.news(n, refundedInAll(1000))
	b.granted(n, "100 -30")
	b.stands("calls", 100, 100, 0)
}

// TestRefundOfSeveralItems: each grant of the order loses its own share, rounded down.
func TestRefundOfSeveralItems(t *testing.T) {
	b := shop(t, calls(), credit("other", 0))
	b.pack("three", 300, item("a", 10), item("b", 7, func(it *catalog.PackItem) { it.Credit = "other" }), item("c", 1))
	n := b.order(buys("three"))
	b.pays(n)
	b.news(n, refunded("re", 150))
	b.granted(n, "10 -5, 7 -3, 1")
	b.news(n, refunded("re2", 150))
	b.granted(n, "10 -10, 7 -7, 1 -1")
	b.stands("calls", 0, 0, 0)
	b.stands("other", 0, 0, 0)
}

// TestRefundWhileHeld: what is held is spent when it is committed; what comes back is taken, as far as
// the refund still misses it (design section 5.3).
func TestRefundWhileHeld(t *testing.T) {
	for name, c := range map[string]struct {
		held, refund int64
		after        func(b *book, hold int64)
		left, short  int64
		granted      string
	}{
		"all back, all refunded":      {40, 1000, released, 0, 0, "100 -100"},
		"all back, half refunded":     {80, 500, released, 50, 0, "100 -50"},
		"all held, half refunded":     {100, 500, released, 50, 0, "100 -50"},
		"all spent, all refunded":     {40, 1000, committed(40), 0, 40, "100 -60"},
		"a part spent, all refunded":  {40, 1000, committed(15), 0, 15, "100 -85"},
		"a part spent, half refunded": {80, 500, committed(40), 10, 0, "100 -50"},
		"much spent, half refunded":   {80, 500, committed(70), 0, 20, "100 -30"},
		"lapsed, all refunded":        {40, 1000, lapsed, 0, 0, "100 -100"},
		"lapsed, half refunded":       {80, 500, lapsed, 50, 0, "100 -50"},
	} {
		t.Run(name, func(t *testing.T) {
			b := shop(t)
			n := b.bought()
			h := b.reserve(units(c.held))
			b.news(n, refundedInAll(c.refund))
			b.news(n, refundedInAll(c.refund))
			c.after(b, h)
			b.stands("calls", c.left, c.left, 0)
			b.granted(n, c.granted)
			o := b.Order(n)
			if short := o.Grants[0].Short(&o); short != c.short {
				t.Errorf("short of %d, want %d", short, c.short)
			}
		})
	}
}

func released(b *book, hold int64) { b.do(&wallet.Release{Hold: hold}) }

func lapsed(b *book, _ int64) { b.pass(wallet.MaxTTL) }

func committed(n int64) func(*book, int64) {
	return func(b *book, hold int64) {
		b.do(&wallet.Commit{Hold: hold, Amount: money.Decimal(money.FormatUnits(n, 0))})
	}
}

// TestRefundOfTwoHolds: which of two holds comes back makes no difference.
func TestRefundOfTwoHolds(t *testing.T) {
	for _, first := range []bool{true, false} {
		b := shop(t)
		n := b.bought()
		x, y := b.reserve(units(50)), b.reserve(units(50))
		b.news(n, refundedInAll(500))
		if !first {
			x, y = y, x
		}
		b.do(&wallet.Commit{Hold: x})
		b.do(&wallet.Release{Hold: y})
		b.granted(n, "100 -50")
		b.stands("calls", 0, 0, 0)
	}
}

// TestRefundWhileHeldForAMeter: what a commit of metered usage leaves of its hold is taken as well.
func TestRefundWhileHeldForAMeter(t *testing.T) {
	b := shop(t)
	b.defs.AddMeter(&catalog.Meter{
		ID: "m", Name: "renders", Event: "render", Aggregation: catalog.Aggregation{Kind: catalog.Count},
		Links: []catalog.MeterLink{{Credit: "calls", UnitsPerCredit: money.Ratio{Num: 1, Den: 1}}},
	})
	n := b.bought()
	h := b.reserve(uses("render", 80))
	b.news(n, refundedInAll(500))
	committed(40)(b, h)
	b.granted(n, "100 -50")
	b.stands("calls", 10, 10, 0)
	if err := b.CheckMetered(); err != nil {
		t.Error(err)
	}
}

// TestRefundOfACartWhileHeld: two products may attach the same credit under the same name; each takes
// what comes back of its own.
func TestRefundOfACartWhileHeld(t *testing.T) {
	b := shop(t)
	for _, id := range []string{"a", "b"} {
		b.defs.Products[id] = &catalog.Product{
			ID: id, App: "app", Name: id, Price: catalog.Price{Kind: catalog.OneTimePrice, Currency: "usd", Minor: 500},
			Credits: []catalog.ProductCredit{{ID: "pc", Credit: "calls", Amount: 50}},
		}
	}
	n := b.order(&wallet.PlaceOrder{Kind: wallet.ProductOrder, Cart: []wallet.CartItem{{Product: "a"}, {Product: "b"}}, Provider: "bank"})
	b.pays(n)
	b.deduct(units(50)) // what a has granted
	h := b.reserve(units(50))
	b.news(n, refundedInAll(1000))
	b.do(&wallet.Release{Hold: h})
	b.granted(n, "50, 50 -50")
	b.stands("calls", 0, 0, 0)
}

// TestRefundFailsWhileHeld: what was taken is given again, and what is held then stays when it comes
// back.
func TestRefundFailsWhileHeld(t *testing.T) {
	for _, early := range []bool{true, false} {
		b := shop(t)
		n := b.bought()
		h := b.reserve(units(40))
		b.news(n, refunded("re", 1000))
		if early {
			b.do(&wallet.Release{Hold: h})
			b.granted(n, "100 -100")
		}
		b.news(n, refundFailed("re", 1000))
		if !early {
			b.do(&wallet.Release{Hold: h})
			b.granted(n, "100 -60 +60")
		}
		b.stands("calls", 100, 100, 0)
		b.news(n, refunded("re2", 1000))
		b.stands("calls", 0, 0, 0)
	}
}

// TestRefundFails: what was taken is given again, once, as it was bought.
func TestRefundFails(t *testing.T) {
	b := shop(t)
	b.defs.Packs["hundred"].ExpiresAfterDays = 30
	n := b.bought()
	b.deduct(units(10))
	b.news(n, refunded("re", 1000))
	b.stands("calls", 0, 0, 0)
	b.pass(day)
	b.defs.Credits["calls"].ArchivedAt = start
	b.news(n, refundFailed("re", 1000))
	b.news(n, refundFailed("re", 1000))
	b.granted(n, "100 -90 +90")
	b.stands("calls", 90, 90, 0)
	if g := b.Stored(2); g.Source != wallet.SourceRefund || g.SourceID != b.Stored(1).SourceID || !same(g.CostBasis, "10") || g.CostCurr != "usd" || g.ExpiresAt.IsZero() {
		t.Errorf("given again %+v", g)
	}
	if o := b.Order(n); len(o.Grants[0].Instead) != 1 || o.Grants[0].Instead[0] != 2 {
		t.Errorf("the order is %+v", o)
	}
	b.told(catalog.EventPaymentSucceeded, catalog.EventCreditsTopUp, catalog.EventRefundSucceeded, catalog.EventRefundFailed)
}

// TestRefundAfterRollover: what the credits rolled over into is theirs too.
func TestRefundAfterRollover(t *testing.T) {
	b := shop(t, calls(rolls(75, 1, catalog.Month, 2)))
	b.defs.Packs["hundred"].ExpiresAfterDays = 10
	n := b.bought()
	h := b.reserve(units(20))
	b.do(&wallet.Extend{Hold: h, TTL: wallet.MaxTTL})
	for range 10 {
		b.pass(day - time.Hour)
		b.do(&wallet.Extend{Hold: h, TTL: wallet.MaxTTL})
	}
	b.pass(12 * time.Hour) // 80 rolled into 60, and 20 are held
	b.stands("calls", 80, 60, 0)
	b.news(n, refundedInAll(500))
	b.granted(n, "100 -50")
	b.news(n, refundedInAll(1000))
	b.granted(n, "100 -60")
	b.do(&wallet.Release{Hold: h})
	b.granted(n, "100 -80")
	b.stands("calls", 0, 0, 0)
}

// TestRefundAfterExpiry: nothing is left to be taken.
func TestRefundAfterExpiry(t *testing.T) {
	b := shop(t)
	b.defs.Packs["hundred"].ExpiresAfterDays = 10
	n := b.bought()
	b.pass(11 * day)
	b.said()
	b.news(n, refundedInAll(1000))
	b.says()
	b.is(1, "expired, 100 expired")
}

// TestAskRefund: asked for is what is told of later, and no more than was paid goes back.
func TestAskRefund(t *testing.T) {
	b := shop(t)
	open := b.order(buys("hundred"))
	b.refused(&wallet.AskRefund{Order: open}, fault.CodeOrderNotPaid)
	n := b.bought()
	b.told(catalog.EventPaymentSucceeded, catalog.EventCreditsTopUp)
	b.refused(&wallet.AskRefund{Order: n, Minor: -1}, fault.CodeInvalidAmount)
	b.refused(&wallet.AskRefund{Order: n, Minor: 1001}, fault.CodeRefundTooLarge)
	b.do(&wallet.AskRefund{Order: n, Minor: 400, Note: wallet.Note{Reason: "duplicate", Metadata: wallet.Metadata{"k": "v"}}})
	b.stands("calls", 200-100, 100, 0) // the provider has not been told yet
	if o := b.Order(n); len(o.Refunds) != 1 || o.Refunds[0].Own != 1 || o.Refunds[0].Reason != "duplicate" || o.Refunds[0].Meta["k"] != "v" || o.Refundable() != 600 {
		t.Errorf("asked %+v", o.Refunds)
	}
	if b.due(catalog.EventRefundDue) != 1 {
		t.Error("nobody was told to pay back")
	}
	b.refused(&wallet.AskRefund{Order: n, Minor: 601}, fault.CodeRefundTooLarge)
	own := func(own int64, id string, status wallet.RefundStatus) wallet.OrderNews {
		return wallet.OrderNews{Kind: wallet.NewsRefund, Refund: id, Own: own, Minor: 400, RefundStatus: status}
	}
	b.news(n, own(1, "re", wallet.RefundPending))
	b.stands("calls", 60, 60, 0)
	b.news(n, own(0, "re", wallet.RefundSucceeded))
	b.news(n, own(1, "", wallet.RefundSucceeded))
	b.stands("calls", 60, 60, 0)
	b.do(&wallet.AskRefund{Order: n}) // the rest
	if o := b.Order(n); o.Refunds[1].Minor != 600 || o.Refunds[1].Own != 2 || o.Refundable() != 0 {
		t.Errorf("asked %+v", o.Refunds)
	}
	b.refused(&wallet.AskRefund{Order: n}, fault.CodeRefundTooLarge)
	b.news(n, wallet.OrderNews{Kind: wallet.NewsRefund, Own: 2, RefundStatus: wallet.RefundFailed, Minor: 600})
	if o := b.Order(n); o.Refundable() != 600 || o.Refunds[1].Status != wallet.RefundFailed {
		t.Errorf("failed %+v", o.Refunds)
	}
	b.stands("calls", 60, 60, 0)
	b.told(catalog.EventRefundSucceeded, catalog.EventRefundFailed)
}

// TestRefundKnownByTwoNames: the webhook may tell of a refund by the provider's id before the answer
// to our own call says which it is.
func TestRefundKnownByTwoNames(t *testing.T) {
	b := shop(t)
	n := b.bought()
	b.do(&wallet.AskRefund{Order: n, Minor: 400})
	b.news(n, refunded("re", 400))
	b.stands("calls", 60, 60, 0)
	b.news(n, wallet.OrderNews{Kind: wallet.NewsRefund, Refund: "re", Own: 1, Minor: 400, RefundStatus: wallet.RefundPending})
	b.stands("calls", 60, 60, 0)
	if o := b.Order(n); len(o.Refunds) != 1 || o.Refunds[0].ID != "re" || o.Refunds[0].Own != 1 || o.Refunds[0].Status != wallet.RefundSucceeded || o.Refundable() != 600 {
		t.Errorf("the refunds are %+v", o.Refunds)
	}
}

// TestMaxOrderRefunds: at the limit one is kept, past it only what went back in all counts.
func TestMaxOrderRefunds(t *testing.T) {
	b := shop(t)
	n := b.bought()
	for i := range wallet.MaxOrderRefunds {
		b.do(&wallet.AskRefund{Order: n, Minor: 1})
		b.news(n, wallet.OrderNews{Kind: wallet.NewsRefund, Own: int64(i) + 1, Minor: 1, RefundStatus: wallet.RefundSucceeded})
	}
	b.granted(n, "100 -10")
	b.refused(&wallet.AskRefund{Order: n, Minor: 1}, fault.CodeInvalidRequest)
	b.news(n, refunded("one more", 500))
	b.granted(n, "100 -10")
	n2 := refunded("one more", 500)
	n2.Cumulative = 600
	b.news(n, n2)
	b.granted(n, "100 -60")
}

// TestFrozenByHand: a refund says nothing about what support has frozen.
func TestFrozenByHand(t *testing.T) {
	b := shop(t)
	n := b.bought()
	b.do(&wallet.Freeze{Grant: 1, Frozen: true})
	b.news(n, refundedInAll(500))
	b.is(1, "active, 50 frozen, 50 revoked")
}

// TestPaymentCountsThoughNothingCanBeGranted: a provider's word cannot be refused. What was paid and
// cannot be granted is told as a payment at which somebody must look.
func TestPaymentCountsThoughNothingCanBeGranted(t *testing.T) {
	b := shop(t)
	n := b.order(buys("hundred"))
	b.give(wallet.MaxUnits)
	b.told()
	b.pays(n)
	b.pays(n)
	b.status(n, wallet.OrderMismatched)
	b.told(catalog.EventPaymentMismatched)
	if o := b.Order(n); o.Paid != 1000 || o.Reason == "" || len(o.Grants) > 0 || o.Payment != "pi" {
		t.Errorf("the order is %+v", o)
	}
}
