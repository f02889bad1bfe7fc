package wallet

import (
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/money"
)

// TellOrder takes what a payment provider says of an order. The same news again changes nothing,
// and news may come in any order.
type TellOrder struct {
	Order int64
	News  OrderNews
}

// Needs asks for the order.
func (c *TellOrder) Needs(*catalog.Definitions) Needs { return Needs{Orders: []int64{c.Order}} }

// OrderNews is one thing that a provider says of an order. Which fields count depends on Kind;
// what is empty is not known. Money is in minor units.
type OrderNews struct {
	Kind     NewsKind
	Session  string // the provider's id of the page
	Payment  string // and of the payment
	Minor    int64  // what was paid; of a refund what goes back with it
	Currency string

	Cumulative   int64 // of NewsRefund: what was refunded in all, where the provider says so
	Refund       string
	Own          int64 // the number of a refund that was asked for here
	RefundStatus RefundStatus
	Reason       string

	DisputeID string
	Dispute   DisputeStatus

	Decline *Decline

	// The card that is kept, if one is.
	Customer string
	Method   string
	Label    string
}

// NewsKind says what a provider's news is about.
type NewsKind string

// The kinds of news.
const (
	NewsPaid       NewsKind = "paid"       // or the card is kept, where that is all
	NewsProcessing NewsKind = "processing" // the money is on its way
	NewsDeclined   NewsKind = "declined"   // an attempt; on a page the customer may try again
	NewsFailed     NewsKind = "failed"     // for good
	NewsExpired    NewsKind = "expired"    // the page was closed unpaid
	NewsRefund     NewsKind = "refund"
	NewsDispute    NewsKind = "dispute"
	NewsCard       NewsKind = "card" // nothing but the card that is kept
)

const opTell = "wallet.TellOrder"

func (c *TellOrder) decide(w *work) error {
	have, err := w.knownOrder(opTell, c.Order)
	if err != nil {
		return err
	}
	if err := c.News.check(); err != nil {
		return err
	}
	w.note = Note{RefType: RefOrder, RefID: have.ID(w.s.ID), Metadata: have.Metadata}
	o := w.order(have)
	w.learn(o, &c.News)
	if err := w.reconcile(have, o); err != nil {
		return err
	}
	if reflect.DeepEqual(have, o) {
		w.d.Orders = slices.DeleteFunc(w.d.Orders, func(x *Order) bool { return x == o })
	}
	w.d.Answer.Allowed, w.d.Answer.Order = true, o
	return nil
}

// RefOrder is the reference type of entries that an order made.
const RefOrder = "order"

func (n *OrderNews) check() error {
	for _, id := range []string{n.Session, n.Payment, n.Refund, n.DisputeID, n.Customer, n.Method, n.Label} {
		if len(id) > MaxReferenceLength {
			return fault.New(opTell, fault.CodeInvalidRequest, "an id of a payment provider has at most %d bytes", MaxReferenceLength)
		}
	}
	if n.Minor < 0 || n.Cumulative < 0 {
		return fault.New(opTell, fault.CodeInvalidAmount, "what was paid or refunded cannot be negative")
	}
	return nil
}

// learn adds what is told to what is known.
func (w *work) learn(o *Order, n *OrderNews) {
	if o.Session == "" {
		o.Session = n.Session
	}
	if n.Payment != "" && (o.Payment == "" || n.Kind == NewsPaid && o.Status != OrderPaid) {
		o.Payment = n.Payment // the last attempt's, until one is paid
	}
	w.keepCard(o, n)
	switch n.Kind {
	case NewsPaid:
		w.paid(o, n)
	case NewsProcessing:
		if o.Status == OrderOpen || o.Status == OrderDue {
			o.Status = OrderProcessing
			w.tellOrder(o, catalog.EventPaymentProcessing)
		}
	case NewsDeclined:
		w.declined(o, n.Decline)
	case NewsFailed:
		w.failed(o, n.Decline)
	case NewsExpired:
		if o.Status == OrderOpen {
			w.close(o, OrderExpired)
			w.tellOrder(o, catalog.EventPaymentCanceled)
		}
	case NewsRefund:
		w.learnRefund(o, n)
	case NewsDispute:
		w.learnDispute(o, n)
	}
}

// keepCard takes down how the customer can be charged from now on, where they agreed to that.
func (w *work) keepCard(o *Order, n *OrderNews) {
	if n.Customer != "" {
		w.meet(o.Provider, n.Customer)
	}
	have := w.seePayer()
	if n.Method == "" || !o.SaveCard || have == nil || have.Method == n.Method {
		return
	}
	if n.Kind != NewsPaid && n.Kind != NewsCard || o.Status == OrderPaid {
		return // late news of an older card
	}
	p := *have
	p.Method, p.Label, p.SavedAt = n.Method, n.Label, w.at
	w.putPayer(&p)
}

// paid takes a payment, once. One that is not what was expected grants nothing (design section
// 5.7); one that comes after the page was closed counts all the same.
func (w *work) paid(o *Order, n *OrderNews) {
	if o.Status == OrderPaid || o.Status == OrderMismatched {
		return
	}
	if o.Status.Settled() && o.Kind == TopUpOrder {
		w.unlate(o)
	}
	if n.Minor != o.Minor || n.Minor > 0 && n.Currency != o.Currency {
		o.Paid, o.Reason = n.Minor, fmt.Sprintf("paid %d minor units of %s instead of %d of %s", n.Minor, n.Currency, o.Minor, o.Currency)
		w.close(o, OrderMismatched)
		w.tellOrder(o, catalog.EventPaymentMismatched)
		return
	}
	o.Status, o.Paid, o.PaidAt, o.ClosedAt, o.NextTry = OrderPaid, n.Minor, w.at, 0, 0
	w.tellOrder(o, catalog.EventPaymentSucceeded)
	switch o.Kind {
	case PlanOrder:
		w.takePaidPlan(o)
	case InvoiceOrder:
		w.payInvoice(o)
	case PackOrder, CreditOrder, TopUpOrder:
		w.grantOrder(o)
	}
	if o.Kind == TopUpOrder {
		w.topUpEnded(o)
		w.tellOrder(o, catalog.EventTopUpSucceeded)
	}
}

// unlate counts a top-up that was given up, and was paid after all, under the caps again.
func (w *work) unlate(o *Order) {
	for _, t := range w.s.TopUps {
		if t.Pack == o.What {
			c := w.changeTopUp(t.Credit)
			c.Day, c.Month = c.Day.add(dayOf(w.at), o.Minor), c.Month.add(monthOf(w.at), o.Minor)
			return
		}
	}
}

// grantOrder grants what was bought, with a receipt.
func (w *work) grantOrder(o *Order) {
	give := GiveCredits{Source: SourcePurchase, SourceID: o.ID(w.s.ID), ExternalRef: o.ref(w), Note: w.note}
	give.Reason = o.Text
	if o.Kind != CreditOrder {
		give.Pack = o.What
	}
	if o.Kind == TopUpOrder {
		give.Entry = AutoTopUp
	}
	for i := range o.Items {
		w.grantItem(o, &give, &o.Items[i])
	}
	if o.Minor > 0 {
		w.receipt(o)
	}
	w.tellOrder(o, catalog.EventCreditsTopUp)
}

// ref is what the outside knows the purchase by (V35).
func (o *Order) ref(w *work) string {
	switch {
	case o.Session != "":
		return o.Session
	case o.Payment != "":
		return o.Payment
	}
	return o.ID(w.s.ID)
}

func (w *work) grantItem(o *Order, give *GiveCredits, it *OrderItem) {
	c := *give
	c.Never = it.ExpiresAfterDays == 0
	if !c.Never {
		c.ExpiresAt = catalog.Interval{Count: it.ExpiresAfterDays, Unit: catalog.Day}.After(w.at)
	}
	if it.CostBasis != "" {
		c.CostBasis, c.CostCurr = it.CostBasis, o.Currency
	}
	g, err := w.newGrant(&c, catalog.PackItem{
		ID: it.Item, Credit: it.Credit, Amount: it.Amount, Scope: it.Scope, Category: it.Category, Priority: it.Priority,
	})
	if err != nil {
		w.fail(err)
		return
	}
	o.Grants = append(o.Grants, OrderGrant{Grant: g.N, Amount: g.Amount})
	w.activate(g, c.Entry)
	w.d.Answer.Grants = append(w.d.Answer.Grants, *g)
}

// receipt is the invoice of a purchase, paid as it is issued.
func (w *work) receipt(o *Order) {
	w.d.invoiceSeq++
	price := o.Minor / o.Quantity
	v := &Invoice{
		N: w.d.invoiceSeq, Status: InvoicePaid, Currency: o.Currency, Total: o.Minor, IssuedAt: w.at, ClosedAt: w.at, Ref: o.Payment,
		Lines: []InvoiceLine{{
			Kind: TopUpLine, What: o.What, Text: o.Text, Quantity: decimalOf(o.Quantity, 0), Price: decimalOf(price, 0), Minor: o.Minor,
		}},
	}
	o.Invoice = v.N
	w.d.Invoices = append(w.d.Invoices, v)
}

// takePaidPlan begins the plan that was paid for; its first invoice is paid with the order.
func (w *work) takePaidPlan(o *Order) {
	agreed := *o.Plan
	agreed.Collect = o.Provider != ""
	saved := w.note
	w.settling = o
	w.fail(agreed.take(w))
	w.settling = nil
	w.note = saved
}

// payInvoice closes the invoice that was paid for.
func (w *work) payInvoice(o *Order) {
	v := w.seeInvoice(o.Invoice)
	if v == nil {
		w.fail(&Missing{Needs{Invoices: []int64{o.Invoice}}})
		return
	}
	if v.Status == InvoiceOpen {
		w.closeInvoice(v, InvoicePaid, o.Payment)
	}
}

// declined takes a decline: on a page the customer tries another card, a charge without a page is
// tried again where that may help.
func (w *work) declined(o *Order, d *Decline) {
	if d == nil || o.Status.Settled() {
		return
	}
	if !o.OffSession {
		if have := o.LastDecline; have == nil || have.Code != d.Code {
			o.LastDecline = w.dated(d)
		}
		return
	}
	if o.Status != OrderDue && o.Status != OrderProcessing || d.Attempt != 0 && d.Attempt != o.Attempt {
		return // known already
	}
	retries := o.retries()
	if o.Attempt > len(retries) || d.Class != DeclineSoft && o.Kind != InvoiceOrder {
		w.failed(o, d)
		return
	}
	o.LastDecline = w.dated(d)
	o.Status, o.NextTry = OrderWaiting, w.at.Add(retries[o.Attempt-1])
	w.tellOrder(o, catalog.EventPaymentFailed)
}

func (w *work) dated(d *Decline) *Decline {
	c := *d
	c.At = w.at
	return &c
}

func (o *Order) retries() []time.Duration {
	switch o.Kind {
	case TopUpOrder:
		return topUpRetries
	case InvoiceOrder:
		return invoiceRetries
	}
	return nil // somebody waits for the answer
}

// failed ends an order for which nothing will be paid.
func (w *work) failed(o *Order, d *Decline) {
	if o.Status.Settled() {
		return
	}
	if d != nil {
		o.LastDecline = w.dated(d)
	}
	w.close(o, OrderFailed)
	w.tellOrder(o, catalog.EventPaymentFailed)
	action := d != nil && d.Class == DeclineAction
	switch {
	case o.Kind == TopUpOrder && action:
		w.tellOrder(o, catalog.EventTopUpActionRequired)
	case o.Kind == TopUpOrder:
		w.tellOrder(o, catalog.EventTopUpFailed)
	case o.Kind == InvoiceOrder:
		w.endUnpaid(o)
	}
}

// endUnpaid ends a plan whose cycle was not paid for in the end.
func (w *work) endUnpaid(o *Order) {
	if sub := w.running(); sub != nil && sub.Unpaid == o.Invoice {
		sub.Reason = "payment_failed"
		w.note.Reason = sub.Reason
		w.endSubscription(sub)
	}
}

// learnRefund takes what is told of money that goes back: of one refund, or of all.
func (w *work) learnRefund(o *Order, n *OrderNews) {
	o.Cumulative = max(o.Cumulative, n.Cumulative)
	if n.Refund == "" && n.Own == 0 {
		return
	}
	i := slices.IndexFunc(o.Refunds, func(r OrderRefund) bool {
		return n.Refund != "" && r.ID == n.Refund || n.Own != 0 && r.Own == n.Own
	})
	if i < 0 {
		if len(o.Refunds) >= MaxOrderRefunds {
			return // the cumulative amount still counts
		}
		o.Refunds = append(o.Refunds, OrderRefund{Own: n.Own, Minor: n.Minor, Status: RefundAsked, Reason: n.Reason, At: w.at})
		i = len(o.Refunds) - 1
	}
	r := &o.Refunds[i]
	if n.Refund != "" {
		r.ID = n.Refund
	}
	if n.Minor > 0 {
		r.Minor = n.Minor
	}
	if refundRank(n.RefundStatus) <= refundRank(r.Status) {
		return
	}
	r.Status = n.RefundStatus
	switch r.Status {
	case RefundSucceeded:
		w.d.Told = append(w.d.Told, OrderEvent{Order: o.N, Type: catalog.EventRefundSucceeded, Refund: r.ID, Own: r.Own, At: w.at})
	case RefundFailed:
		w.d.Told = append(w.d.Told, OrderEvent{Order: o.N, Type: catalog.EventRefundFailed, Refund: r.ID, Own: r.Own, At: w.at})
	}
}

// refundRank orders what a refund goes through: one that succeeded can fail later, and never the
// other way.
func refundRank(s RefundStatus) int {
	return slices.Index([]RefundStatus{RefundAsked, RefundPending, RefundSucceeded, RefundFailed}, s)
}

func (w *work) learnDispute(o *Order, n *OrderNews) {
	if o.DisputeID == n.DisputeID && o.Dispute != "" && (o.Dispute != DisputeOpen || n.Dispute == DisputeOpen) {
		return // known already, or older news
	}
	o.DisputeID, o.Dispute = n.DisputeID, n.Dispute
	switch n.Dispute {
	case DisputeWon:
		w.tellOrder(o, catalog.EventDisputeWon)
	case DisputeLost:
		w.tellOrder(o, catalog.EventDisputeLost)
	default:
		w.tellOrder(o, catalog.EventDisputeOpened)
	}
}

// reconcile brings what the order granted to what is known of its money: taken back in proportion
// to what was refunded, frozen while a dispute is open, gone when it is lost. It acts only when
// that has changed, so that news that comes again does nothing.
func (w *work) reconcile(have, o *Order) error {
	same := have.Status == o.Status && have.Refunded() == o.Refunded() && have.Dispute == o.Dispute
	if w.err != nil || o.Status != OrderPaid || same || len(o.Grants) == 0 {
		return w.err
	}
	for i := range o.Grants {
		if err := w.reconcileGrant(o, &o.Grants[i]); err != nil {
			return err
		}
	}
	return nil
}

func (w *work) reconcileGrant(o *Order, og *OrderGrant) error {
	chain, err := w.chainOf(og)
	if err != nil {
		return err
	}
	target := og.target(o)
	if have := og.Revoked - og.Returned; target < have {
		return w.giveAgain(o, og, have-target)
	}
	for _, g := range chain {
		if missing := target - (og.Revoked - og.Returned); missing > 0 {
			og.Revoked += w.revoke(g, Refund, &missing)
		}
		w.dispute(g, o.Dispute == DisputeOpen)
	}
	return nil
}

// target is how much of a grant is to be taken back: floor(granted x refunded / paid), and all of it
// once a dispute is lost.
func (og *OrderGrant) target(o *Order) int64 {
	if o.Dispute == DisputeLost {
		return og.Amount
	}
	if o.Paid == 0 {
		return 0
	}
	part, err := money.MulDivFloor(og.Amount, o.Refunded(), o.Paid)
	if err != nil {
		return og.Amount
	}
	return part
}

// Short is how much of a grant is still to be taken back, and was spent.
func (og *OrderGrant) Short(o *Order) int64 { return max(0, og.target(o)-(og.Revoked-og.Returned)) }

// chainOf is a grant of an order, what stands in its stead, and what they rolled over into.
func (w *work) chainOf(og *OrderGrant) ([]*Grant, error) {
	var chain []*Grant
	for _, n := range append([]int64{og.Grant}, og.Instead...) {
		for n != 0 {
			if w.s.grantOrNew(w, n) == nil {
				return nil, &Missing{Needs{Grants: []int64{n}}}
			}
			g := w.grantNow(n)
			chain = append(chain, g)
			n = g.RolledInto
		}
	}
	return chain, nil
}

// grantNow returns a grant for changing that may have been made within this very work.
func (w *work) grantNow(n int64) *Grant {
	if g, ok := w.grants[n]; ok {
		return g
	}
	return w.grant(n)
}

// giveAgain grants anew what was taken back for a refund that failed.
func (w *work) giveAgain(o *Order, og *OrderGrant, units int64) error {
	i := slices.IndexFunc(o.Grants, func(x OrderGrant) bool { return x.Grant == og.Grant })
	it := &o.Items[i]
	give := GiveCredits{Source: SourceRefund, SourceID: o.ID(w.s.ID), Never: it.ExpiresAfterDays == 0, Note: w.note}
	give.Reason = "the refund failed"
	if !give.Never {
		give.ExpiresAt = catalog.Interval{Count: it.ExpiresAfterDays, Unit: catalog.Day}.After(w.at)
	}
	if it.CostBasis != "" {
		give.CostBasis, give.CostCurr = it.CostBasis, o.Currency
	}
	g, err := w.newGrant(&give, catalog.PackItem{Credit: it.Credit, Amount: units, Scope: it.Scope, Category: it.Category, Priority: it.Priority})
	if err != nil {
		return err
	}
	w.activate(g, CreditAdded)
	og.Returned += units
	og.Instead = append(slices.Clone(og.Instead), g.N)
	return nil
}

// collect charges an invoice of a plan with the card that is kept.
func (w *work) collect(sub *Subscription, v *Invoice) {
	payer := w.seePayer()
	if !sub.Collect || v.Status != InvoiceOpen || payer == nil || payer.Method == "" {
		return
	}
	o := w.addOrder(&Order{
		Kind: InvoiceOrder, Status: OrderDue, Provider: payer.Provider, Minor: v.Total, Currency: v.Currency, Invoice: v.N,
		What: v.Number(w.s.ID), Text: "Invoice " + v.Number(w.s.ID), Quantity: 1, OffSession: true, Attempt: 1, Metadata: sub.Metadata,
	})
	w.tellOrder(o, catalog.EventPaymentDue)
}

// tryAgain begins the next attempt of the charges whose time has come.
func (w *work) tryAgain() {
	for _, n := range w.s.charging {
		have := w.s.orders[n]
		if have.Status != OrderWaiting || have.NextTry > w.at {
			continue
		}
		o := w.order(have)
		o.Status, o.NextTry = OrderDue, 0
		o.Attempt++
		w.tellOrder(o, catalog.EventPaymentDue)
	}
}

// nextTry is when the next charge is tried again; zero: none waits.
func (s *State) nextTry() clock.Instant {
	var soonest clock.Instant
	for _, n := range s.charging {
		if o := s.orders[n]; o.Status == OrderWaiting && (soonest.IsZero() || o.NextTry < soonest) {
			soonest = o.NextTry
		}
	}
	return soonest
}
