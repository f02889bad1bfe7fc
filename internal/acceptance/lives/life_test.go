package lives

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/money"
	"github.com/seed42445051/scrip/payments/stripefake"
	v1 "github.com/seed42445051/scrip/v1"
)

// market is what lives meet: an app over v1, and the provider.
type market struct {
	t      testing.TB
	ops    v1.Operations
	stripe *stripefake.Fake
	now    func() clock.Instant
	// known is the record as it was when the round began.
	known *record
	// alone: nothing in it happens at the same time as anything else, and the clock stands still.
	alone bool
}

// life is one customer, with what they did, as they know it themselves.
type life struct {
	*market
	id     string
	random *rand.Rand
	calls  int
	eager  int // how many of ten steps concern automatic top-ups and spending

	bought   map[string]*purchase // by order
	orders   []string             // the same in order
	agreed   []agreement
	holds    []string
	disputed bool
}

// purchase is what somebody wanted, and expects once they have paid.
type purchase struct {
	kind    string // pack, credits, plan or card
	order   string
	session string
	minor   int64
	gives   map[string]int64 // units by credit
}

// agreement is what was agreed about automatic top-ups from an instant on.
type agreement struct {
	at        clock.Instant
	on        bool
	pack      string
	threshold int64
	caps      v1.TopUpCaps
}

// holds tells whether charges are agreed to.
func (a *agreement) holds() bool { return a.on }

func newCustomer(m *market, id string, random *rand.Rand) *life {
	return &life{market: m, id: id, random: random, eager: random.IntN(9), bought: map[string]*purchase{}}
}

// step does one thing. Most refusals are part of life; which they are, the check at the end does not
// ask.
func (l *life) step() {
	type choice struct {
		weight int
		do     func()
	}
	choices := []choice{
		{6, l.buyPack},
		{2, l.buyAmount},
		{1, l.buyPlan},
		{1, l.saveCard},
		{2 + l.eager/2, l.agree},
		{1, l.disagree},
		{1, l.chargeSaved},
		{12, l.visitPage},
		{3, l.settlePage},
		{1, l.cancel},
		{4 + 2*l.eager, l.spend},
		{2, l.reserve},
		{2, l.finish},
		{3, l.refund},
		{2, l.askRefund},
		{1, l.failRefund},
		{2, l.openDispute},
		{3, l.closeDispute},
	}
	sum := 0
	for _, c := range choices {
		sum += c.weight
	}
	n := l.random.IntN(sum)
	for _, c := range choices {
		if n -= c.weight; n < 0 {
			c.do()
			return
		}
	}
}

// key is an idempotency key that nobody else has.
func (l *life) key() v1.Option {
	l.calls++
	return v1.IdempotencyKey(fmt.Sprintf("%s-%d", l.id, l.calls))
}

// tolerable are what a customer may be told without anything being wrong.
var tolerable = []fault.Code{
	fault.CodePaymentProviderError, fault.CodeInsufficientCredits, fault.CodeNoPaymentMethod, fault.CodeOrderClosed, fault.CodeOrderNotPaid,
	fault.CodeRefundTooLarge, fault.CodeSubscriptionExists, fault.CodeReservationNotPending, fault.CodeReservationExpired,
	fault.CodeCustomerNotFound,
}

// told fails the test when an error is none that a customer may be told; true: there is none.
func (l *life) told(what string, err error) bool {
	if err == nil {
		return true
	}
	if !slices.Contains(tolerable, fault.CodeOf(err)) {
		l.t.Errorf("%s: %s: %v", l.id, what, err)
	}
	return false
}

// checkout asks for a page, and again under the same key where the answer was lost. Some give up.
func (l *life) checkout(r v1.CheckoutRequest, p *purchase) {
	r.CustomerID, r.SuccessURL = l.id, "http://127.0.0.1/thanks"
	key := l.key()
	for range 3 {
		o, err := l.ops.Checkout(context.Background(), r, key)
		if err != nil {
			l.told("checkout", err)
			if fault.CodeOf(err) == fault.CodePaymentProviderError && l.random.IntN(4) > 0 {
				continue
			}
			return
		}
		p.order, p.session = o.ID, o.SessionID
		if l.bought[o.ID] == nil {
			l.bought[o.ID] = p
			l.orders = append(l.orders, o.ID)
		}
		if p.session != "" && l.random.IntN(4) > 0 {
			l.visit(p) // most go on at once
		}
		return
	}
}

// packRequest is any pack, some of it.
func (l *life) packRequest() (v1.CheckoutRequest, *purchase) {
	id := []string{"starter", "duo", "brief"}[l.random.IntN(3)]
	n := int64(1 + l.random.IntN(3)*l.random.IntN(2))
	p := &purchase{kind: "pack", minor: packs[id].price * n, gives: map[string]int64{}}
	for credit, units := range packs[id].gives {
		p.gives[credit] = units * n
	}
	return v1.CheckoutRequest{PackID: id, Quantity: n}, p
}

func (l *life) buyPack() {
	r, p := l.packRequest()
	r.SaveCard = l.random.IntN(4) > 0
	l.checkout(r, p)
}

func (l *life) chargeSaved() {
	r, p := l.packRequest()
	r.OffSession = true
	l.mishap()
	l.checkout(r, p)
	l.stripe.DeclineNone()
}

func (l *life) buyAmount() {
	n := int64(20 + l.random.IntN(3000))
	l.checkout(v1.CheckoutRequest{CreditID: tokens, Amount: decimal(n, 0)}, &purchase{kind: "credits", minor: n * tokenPrice, gives: map[string]int64{tokens: n}})
}

func (l *life) buyPlan() {
	l.checkout(v1.CheckoutRequest{PlanID: "weekly"}, &purchase{kind: "plan", minor: 400})
}

func (l *life) saveCard() { l.checkout(v1.CheckoutRequest{SaveCard: true}, &purchase{kind: "card"}) }

// mishap has something happen to the next charge, now and then.
func (l *life) mishap() {
	reasons := []string{"insufficient_funds", "generic_decline", "lost_card", "expired_card", "processing_error", stripefake.AuthenticationRequired}
	if l.random.IntN(4) == 0 {
		l.stripe.DeclineNext(reasons[l.random.IntN(len(reasons))])
	}
}

// agree agrees on automatic top-ups.
func (l *life) agree() {
	a := agreement{at: l.now(), on: true, pack: []string{"starter", "duo"}[l.random.IntN(2)], threshold: int64(l.random.IntN(900))}
	if l.random.IntN(3) > 0 {
		a.caps.DayCount = int64(1 + l.random.IntN(3))
	}
	if l.random.IntN(3) == 0 {
		a.caps.DayAmount = packs[a.pack].price * int64(1+l.random.IntN(3))
	}
	if l.random.IntN(2) == 0 {
		a.caps.MonthCount = int64(2 + l.random.IntN(6))
	}
	if l.random.IntN(3) == 0 {
		a.caps.MonthAmount = 900 * int64(2+l.random.IntN(8))
	}
	// The charge may be made before this returns, or long after an error: consent begins now.
	_, err := l.ops.SetAutoTopUp(context.Background(), l.id, v1.SetAutoTopUp{CreditID: tokens, Enabled: true, PackID: a.pack, Threshold: decimal(a.threshold, 0), Caps: a.caps}, l.key())
	if l.told("agreeing", err) {
		l.agreed = append(l.agreed, a)
	}
}

// disagree ends automatic top-ups, or takes the card away.
func (l *life) disagree() {
	if len(l.agreed) == 0 || l.random.IntN(2) == 0 {
		return
	}
	if l.random.IntN(3) == 0 {
		_, err := l.ops.ForgetPaymentMethod(context.Background(), l.id, l.key())
		l.ends("forgetting the card", err)
		return
	}
	last := l.agreed[len(l.agreed)-1]
	_, err := l.ops.SetAutoTopUp(context.Background(), l.id, v1.SetAutoTopUp{CreditID: tokens, PackID: last.pack, Threshold: decimal(last.threshold, 0)}, l.key())
	l.ends("switching off", err)
}

func (l *life) ends(what string, err error) {
	if l.told(what, err) {
		off := l.agreed[len(l.agreed)-1]
		off.at, off.on = l.now(), false
		l.agreed = append(l.agreed, off)
	}
}

// page is one of the last pages of this customer; nil: there is none.
func (l *life) page() *purchase {
	var all []*purchase
	for _, id := range l.orders {
		if p := l.bought[id]; p.session != "" {
			all = append(all, p)
		}
	}
	if len(all) == 0 {
		return nil
	}
	return all[max(0, len(all)-1-l.random.IntN(2))]
}

// visitPage does what customers do on a page: most pay.
func (l *life) visitPage() {
	p := l.page()
	if p == nil {
		l.buyPack()
		return
	}
	l.visit(p)
}

func (l *life) visit(p *purchase) {
	cards := []string{
		"pm_card_visa", "pm_card_visa", "pm_card_visa", "pm_card_mastercard", "pm_card_authenticationRequired", "pm_card_chargeCustomerFail",
		"pm_card_chargeDeclined", "pm_card_chargeDeclinedInsufficientFunds", "pm_card_chargeDeclinedExpiredCard",
	}
	switch n := l.random.IntN(20); {
	case n == 0:
		_ = l.stripe.Expire(p.session) // it may be over
	case n <= 2 && p.kind != "card":
		_ = l.stripe.PayLate(p.session)
	default:
		_ = l.stripe.Pay(p.session, cards[l.random.IntN(len(cards))]) // it may be over, or declined
	}
}

// settlePage ends the wait for a bank, where there is one.
func (l *life) settlePage() {
	for _, id := range l.orders {
		if p := l.bought[id]; p.session != "" {
			if l.random.IntN(3) == 0 {
				_ = l.stripe.FailLate(p.session) // nothing may wait
			} else {
				_ = l.stripe.SettleLate(p.session)
			}
		}
	}
}

func (l *life) cancel() {
	if p := l.page(); p != nil {
		_, err := l.ops.CancelOrder(context.Background(), p.order, v1.CancelOrder{}, l.key())
		l.told("cancelling", err)
	}
}

// available reads what can be spent, in units.
func (l *life) available(credit string) int64 {
	all, err := l.ops.Balances(context.Background(), l.id, credit, 0)
	if !l.told("balances", err) || len(all.Data) == 0 {
		return 0
	}
	return units(l.t, all.Data[0].Available, decimals[credit])
}

// some is a random part of what is there, often nearly all of it.
func (l *life) some(of int64) int64 { return 1 + l.random.Int64N(max(1, of)) }

// spend takes what it can get of a random amount.
func (l *life) spend() {
	credit := tokens
	if l.random.IntN(6) == 0 {
		credit = images
	}
	_, err := l.ops.Deduct(context.Background(), v1.DeductRequest{Charge: v1.Charge{
		CustomerID: l.id, CreditID: credit, Amount: decimal(l.some(1500), decimals[credit]), Shortfall: "partial",
	}}, l.key())
	l.told("spending", err)
}

func (l *life) reserve() {
	have := l.available(tokens)
	if have == 0 {
		return
	}
	d, err := l.ops.Reserve(context.Background(), v1.ReserveRequest{
		Charge: v1.Charge{CustomerID: l.id, CreditID: tokens, Amount: decimal(l.some(have), 0)}, TTLSeconds: 60 + l.random.IntN(86_000),
	}, l.key())
	if l.told("reserving", err) && d.Allowed {
		l.holds = append(l.holds, d.ReservationID)
	}
}

// finish commits or releases the oldest reservation.
func (l *life) finish() {
	if len(l.holds) == 0 {
		l.reserve()
		return
	}
	id := l.holds[0]
	l.holds = l.holds[1:]
	if l.random.IntN(2) == 0 {
		_, err := l.ops.Commit(context.Background(), v1.CommitRequest{ReservationID: id}, l.key())
		l.told("committing", err)
		return
	}
	_, err := l.ops.Release(context.Background(), v1.ReleaseRequest{ReservationID: id}, l.key())
	l.told("releasing", err)
}

// payment is one that succeeded; nil: there is none.
func (l *life) payment(fits func(*payment) bool) *payment {
	var all []*payment
	for _, p := range l.known.payments {
		if p.customer() == l.id && p.paid() && fits(p) {
			all = append(all, p)
		}
	}
	if len(all) == 0 {
		return nil
	}
	return all[l.random.IntN(len(all))]
}

// part is some of an amount of money, often all.
func (l *life) part(of int64) int64 {
	if l.random.IntN(3) == 0 {
		return of
	}
	return 1 + l.random.Int64N(max(1, of))
}

// refund is one that somebody makes at the provider.
func (l *life) refund() {
	if p := l.payment(func(p *payment) bool { return p.refunded() < p.Received }); p != nil {
		_, _ = l.stripe.Refund(p.ID, l.part(p.Received-p.refunded())) // it may be lost to a dispute
	}
}

// askRefund is one that is asked for through Scrip.
func (l *life) askRefund() {
	p := l.payment(func(p *payment) bool { return p.refunded() < p.Received })
	if p == nil {
		return
	}
	_, err := l.ops.RefundOrder(context.Background(), p.order(), v1.RefundRequest{Amount: l.part(p.Received - p.refunded()), Reason: "requested_by_customer"}, l.key())
	l.told("refunding", err)
}

// failRefund has the bank send a refund back.
func (l *life) failRefund() {
	if p := l.payment(func(p *payment) bool { return p.refunded() > 0 }); p != nil {
		_ = l.stripe.FailRefund(p.refunds[l.random.IntN(len(p.refunds))].ID) // it may have failed already
	}
}

func (l *life) openDispute() {
	if p := l.payment(func(p *payment) bool { return p.dispute == nil }); p != nil {
		if _, err := l.stripe.OpenDispute(stripefake.Dispute{Payment: p.ID, Inquiry: l.random.IntN(3) == 0}); err == nil {
			l.disputed = true
		}
	}
}

func (l *life) closeDispute() {
	p := l.payment(func(p *payment) bool { return p.dispute != nil })
	if p == nil {
		return
	}
	how := []string{"won", "lost"}[l.random.IntN(2)]
	if p.dispute.Status == "warning_needs_response" {
		how = "warning_closed"
	}
	_ = l.stripe.CloseDispute(p.dispute.ID, how) // it may be closed already
}

func units(t testing.TB, d money.Decimal, precision int) int64 {
	t.Helper()
	if d == "" {
		return 0
	}
	n, err := d.Units(precision)
	noError(t, err)
	return n
}

func decimal(n int64, precision int) money.Decimal {
	return money.Decimal(money.FormatUnits(n, precision))
}

// day and month are the stretches that caps are about.
func day(at clock.Instant) string   { return at.Time().UTC().Format(time.DateOnly) }
func month(at clock.Instant) string { return day(at)[:7] }
