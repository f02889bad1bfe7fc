package wallet

import (
	"errors"
	"fmt"
	"math/big"
	"reflect"
	"slices"
	"time"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
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
	if err := c.News.check(); err != nil {
		return err
	}
	err := c.tell(w)
	var missing *Missing
	if err == nil || c.News.Kind != NewsPaid || errors.As(err, &missing) || fault.CodeOf(err) == fault.CodeOrderNotFound {
		return err
	}
	// It is paid whether or not it can be granted any more, and a provider cannot be told to take its
	// word back: that is for somebody to look at, as a payment that differs.
	*w = *newWork(w.s, w.cx, w.cx.Now)
	w.stuck = err
	return c.tell(w)
}

// tell takes the news into the order, and what follows from it.
func (c *TellOrder) tell(w *work) error {
	have, err := w.knownOrder(opTell, c.Order)
	if err != nil {
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
	if n.Minor < 0 || n.Cumulative < 0 || n.Minor > maxLine || n.Cumulative > maxLine {
		return fault.New(opTell, fault.CodeInvalidAmount, "what was paid or refunded is 0 to %d minor units", int64(maxLine))
	}
	if n.Kind == NewsDispute && n.Dispute != DisputeOpen && n.Dispute != DisputeWon && n.Dispute != DisputeLost {
		return fault.New(opTell, fault.CodeInvalidRequest, "a dispute is open, won or lost")
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
		if o.Status == OrderOpen || o.Status == OrderDue || o.Status == OrderExpired {
			o.Status, o.ClosedAt = OrderProcessing, 0
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
			if o.Kind == PlanOrder {
				w.tellOrder(o, catalog.EventSubscriptionFailed)
			}
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
		w.mismatched(o, n, fmt.Sprintf("paid %d minor units of %s instead of %d of %s", n.Minor, n.Currency, o.Minor, o.Currency))
		return
	}
	if w.stuck != nil {
		w.mismatched(o, n, "paid, and cannot be granted: "+fault.As(w.stuck).Message)
		return
	}
	o.Status, o.Paid, o.PaidAt, o.ClosedAt, o.NextTry = OrderPaid, n.Minor, w.at, 0, 0
	w.tellOrder(o, catalog.EventPaymentSucceeded)
	switch o.Kind {
	case PlanOrder:
		w.takePaidPlan(o)
	case InvoiceOrder:
		w.payInvoice(o)
	case PackOrder, CreditOrder, TopUpOrder, ProductOrder:
		w.grantOrder(o)
	}
	if o.Kind == TopUpOrder {
		w.topUpEnded(o)
		w.tellOrder(o, catalog.EventTopUpSucceeded)
	}
}

func (w *work) mismatched(o *Order, n *OrderNews, reason string) {
	o.Paid, o.Reason = n.Minor, reason
	w.close(o, OrderMismatched)
	w.tellOrder(o, catalog.EventPaymentMismatched)
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
	switch o.Kind {
	case PackOrder:
		give.Pack = o.What
	case TopUpOrder:
		give.Pack, give.Entry = o.What, AutoTopUp
	}
	for i := range o.Items {
		w.grantItem(o, &give, &o.Items[i])
	}
	if o.Minor > 0 {
		w.receipt(o)
	}
	if len(o.Items) > 0 {
		w.tellOrder(o, catalog.EventCreditsTopUp)
	}
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
	c.Rollover = it.Rollover
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
	line := func(kind LineKind, what, text string, quantity, minor int64) InvoiceLine {
		price := decimalOf(minor/quantity, 0)
		return InvoiceLine{Kind: kind, What: what, Text: text, Quantity: decimalOf(quantity, 0), Price: price, Minor: minor}
	}
	v := &Invoice{
		N: w.d.invoiceSeq, Subscription: o.Subscription, Status: InvoicePaid, Currency: o.Currency, Total: o.Minor,
		IssuedAt: w.at, ClosedAt: w.at, Ref: o.Payment,
	}
	for i := range o.Cart {
		l := &o.Cart[i]
		v.Lines = append(v.Lines, line(ProductLine, l.Product, l.Text, l.Quantity, l.Minor))
	}
	if len(o.Cart) == 0 {
		v.Lines = []InvoiceLine{line(TopUpLine, o.What, o.Text, o.Quantity, o.Minor)}
	}
	o.Invoice = v.N
	w.d.Invoices = append(w.d.Invoices, v)
}

// takePaidPlan begins the plan that was paid for; its first invoice is paid with the order.
func (w *work) takePaidPlan(o *Order) {
	agreed := *o.Plan
	agreed.Collect = o.Provider != "" || agreed.Terms.Minor > 0
	saved := w.note
	w.settling = o
	w.fail(agreed.take(w))
	w.settling = nil
	w.note = saved
	if sub := w.d.Subscription; sub != nil {
		o.Subscription = sub.N
	}
	if len(o.Cart) > 0 { // the first charge of one on demand
		w.grantOrder(o)
	}
	if o.Minor > 0 && o.Invoice == 0 && w.err == nil {
		o.Reason = "the plan runs already" // it was taken from another page; somebody has to pay this back
	}
}

// payInvoice closes the invoice that was paid for.
func (w *work) payInvoice(o *Order) {
	v := w.seeInvoice(o.Invoice)
	if v == nil {
		w.fail(&Missing{Needs{Invoices: []int64{o.Invoice}}})
		return
	}
	if v.Status != InvoiceOpen {
		o.Reason = fmt.Sprintf("the invoice was %s already", v.Status) // somebody has to pay it back
		return
	}
	w.closeInvoice(v, InvoicePaid, o.Payment)
}

// dropCharges ends the charges of an invoice that is closed: nobody pays twice. One that is on its way to
// the provider at this moment may still come.
func (w *work) dropCharges(v *Invoice, reason string) {
	for _, n := range w.s.charging {
		have := w.seeOrder(n)
		if have.Kind == InvoiceOrder && have.Invoice == v.N && have.charging() {
			o := w.order(have)
			o.Reason = reason
			w.close(o, OrderCanceled)
		}
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
	if sub := w.seeSubscription(); o.Kind == InvoiceOrder && sub.RunsAt(w.at) && sub.Unpaid == o.Invoice {
		w.heldUp()
	}
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
	if o.Status.Settled() && o.Status != OrderExpired {
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
	case o.Kind == InvoiceOrder && o.OffSession:
		w.endUnpaid(o)
	case o.Kind == PlanOrder:
		w.tellOrder(o, catalog.EventSubscriptionFailed)
	}
}

// endUnpaid ends a plan whose cycle was not paid for in the end. That may be an earlier cycle than the
// one that runs, where cycles are shorter than the time in which a charge is tried again; but the one
// that runs is not paid either.
func (w *work) endUnpaid(o *Order) {
	if sub := w.seeSubscription(); sub == nil || sub.Unpaid == 0 || sub.Unpaid < o.Invoice {
		return
	}
	v := w.seeInvoice(o.Invoice)
	if v == nil {
		w.fail(&Missing{Needs{Invoices: []int64{o.Invoice}}})
		return
	}
	if sub := w.running(); sub != nil && v.Subscription == sub.N && v.opensCycle() {
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
	i := o.refund(n)
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

// refund finds the refund that news is about; negative: none. One that was asked for here may have been
// told of by the provider's id alone before: then the two are the same.
func (o *Order) refund(n *OrderNews) int {
	named := slices.IndexFunc(o.Refunds, func(r OrderRefund) bool { return n.Refund != "" && r.ID == n.Refund })
	own := slices.IndexFunc(o.Refunds, func(r OrderRefund) bool { return n.Own != 0 && r.Own == n.Own })
	if named < 0 || own < 0 || named == own {
		return max(named, own)
	}
	r, other := &o.Refunds[own], o.Refunds[named]
	if other.Own != 0 || r.ID != "" {
		return named
	}
	r.ID, r.Minor = other.ID, other.Minor
	if refundRank(other.Status) > refundRank(r.Status) {
		r.Status = other.Status
	}
	o.Refunds = slices.Delete(o.Refunds, named, named+1)
	return slices.IndexFunc(o.Refunds, func(r OrderRefund) bool { return r.ID == n.Refund })
}

// refundRank orders what a refund goes through: one that succeeded can fail later, and never the
// other way.
func refundRank(s RefundStatus) int {
	return slices.Index([]RefundStatus{RefundAsked, RefundPending, RefundSucceeded, RefundFailed}, s)
}

// learnDispute takes what is told of a dispute. One that is lost has taken the money, whatever comes of
// others; one that is over is not opened again by older news; and while one is open, how another ended
// says nothing about it, unless that was lost.
func (w *work) learnDispute(o *Order, n *OrderNews) {
	known := o.DisputeID == n.DisputeID
	switch o.Dispute {
	case DisputeLost:
		return
	case DisputeWon:
		if known {
			return
		}
	case DisputeOpen:
		if known && n.Dispute == DisputeOpen || !known && n.Dispute != DisputeLost {
			return
		}
	}
	o.DisputeID, o.Dispute = n.DisputeID, n.Dispute
	if o.DisputedAt.IsZero() {
		o.DisputedAt = w.at
	}
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
		if err := w.reconcileGrant(have, o, &o.Grants[i]); err != nil {
			return err
		}
	}
	return nil
}

func (w *work) reconcileGrant(have, o *Order, og *OrderGrant) error {
	chain, err := w.chainOf(og)
	if err != nil {
		return err
	}
	if extra := og.Revoked - og.Returned - og.target(o); extra > 0 {
		if err := w.giveAgain(o, og, extra); err != nil {
			return err
		}
	}
	for _, g := range chain {
		if short := og.Short(o); short > 0 {
			og.Revoked += w.takePaid(g, short)
		}
		if have.Dispute != o.Dispute || have.Status != o.Status { // else support may have frozen it
			w.dispute(g, o.Dispute == DisputeOpen)
		}
	}
	if og.Short(o) > 0 {
		w.claim(chain, o.N)
	}
	return nil
}

// takePaid takes back what is unheld of a grant for money that went back, and returns how much it took.
// Nothing ends a grant of which something is held: what of that comes back may be the customer's.
func (w *work) takePaid(g *Grant, most int64) int64 {
	if g.Held == 0 {
		return w.revoke(g, Refund, &most)
	}
	before := g.Revoked
	w.takeBack(g, Refund, &most)
	return g.Revoked - before
}

// claim marks what holds have set aside of some grants for an order that misses credits: it takes what
// comes back, and what is committed is spent (design section 5.3).
func (w *work) claim(chain []*Grant, order int64) {
	held := func(s HoldSlice) bool {
		return s.Order == 0 && slices.ContainsFunc(chain, func(g *Grant) bool { return g.N == s.Grant })
	}
	if !slices.ContainsFunc(chain, func(g *Grant) bool { return g.Held > 0 }) {
		return
	}
	for _, have := range w.s.lapsing {
		if !slices.ContainsFunc(have.Slices, held) {
			continue
		}
		h := w.hold(have.N)
		h.Slices = slices.Clone(h.Slices)
		for i := range h.Slices {
			if held(h.Slices[i]) {
				h.Slices[i].Order = order
			}
		}
	}
}

// takeClaimed takes what has come back to a grant from a hold, as far as the order that claims it still
// misses something: by now the refund may have failed.
func (w *work) takeClaimed(order int64, g *Grant, units int64) {
	have, err := w.knownOrder(opTell, order)
	if err != nil {
		w.fail(err)
		return
	}
	i := slices.IndexFunc(have.Items, func(it OrderItem) bool { return it.Item == g.PackItem && it.Credit == g.Credit })
	if i < 0 || i >= len(have.Grants) {
		return
	}
	take := min(units, have.Grants[i].Short(have))
	if take == 0 {
		return
	}
	o, saved := w.order(have), w.note
	w.note = Note{RefType: RefOrder, RefID: o.ID(w.s.ID), Metadata: o.Metadata}
	before := g.Revoked
	w.takeBack(g, Refund, &take)
	o.Grants[i].Revoked += g.Revoked - before
	w.note = saved
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
	back, paid := o.refundedOf(og)
	back.Mul(back, big.NewInt(og.Amount))
	return min(og.Amount, back.Quo(back, paid).Int64())
}

// refundedOf is what was refunded of what was paid for a grant, as a fraction. What was paid back for
// one product by name counts for its credits alone; the rest counts for all, in proportion to what is
// left of each.
func (o *Order) refundedOf(og *OrderGrant) (back, paid *big.Int) {
	back, paid = big.NewInt(o.Refunded()), big.NewInt(o.Paid)
	if len(o.Cart) == 0 {
		return back, paid
	}
	line := o.Items[slices.IndexFunc(o.Grants, func(x OrderGrant) bool { return x.Grant == og.Grant })].Line
	cost, named := o.Cart[line].Minor, int64(0)
	for i := range o.Cart {
		named += o.LineRefunded(i, false)
	}
	mine, rest := o.LineRefunded(line, false), o.Paid-named
	switch {
	case cost == 0:
		return back, paid
	case rest <= 0:
		return big.NewInt(mine), big.NewInt(cost)
	}
	back.Sub(back, big.NewInt(named)).Mul(back, big.NewInt(cost-mine))
	back.Add(back, new(big.Int).Mul(big.NewInt(mine), big.NewInt(rest)))
	return back, paid.Mul(big.NewInt(cost), big.NewInt(rest))
}

// Short is how much of a grant is still to be taken back, and was spent or is held.
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
	give := GiveCredits{
		Source: SourceRefund, SourceID: o.ID(w.s.ID), Never: it.ExpiresAfterDays == 0, Rollover: it.Rollover, Note: w.note,
	}
	give.Reason = "the refund failed"
	if !give.Never {
		give.ExpiresAt = catalog.Interval{Count: it.ExpiresAfterDays, Unit: catalog.Day}.After(w.at)
	}
	if it.CostBasis != "" {
		give.CostBasis, give.CostCurr = it.CostBasis, o.Currency
	}
	g, err := w.newGrant(&give, catalog.PackItem{ID: it.Item, Credit: it.Credit, Amount: units, Scope: it.Scope, Category: it.Category, Priority: it.Priority})
	if err != nil {
		return err
	}
	g.Disputed = o.Dispute == DisputeOpen
	w.activate(g, CreditAdded)
	og.Returned += units
	og.Instead = append(slices.Clone(og.Instead), g.N)
	return nil
}

// collect charges an invoice of a plan with the card that is kept. Where none is any more the charge is
// declined, and tried again as any other: a plan that nobody pays for ends.
func (w *work) collect(sub *Subscription, v *Invoice) {
	if !sub.Collect || v.Status != InvoiceOpen {
		return
	}
	payer := w.seePayer()
	if payer == nil { // the plan began without a card
		if sub.Unpaid == v.N {
			w.heldUp()
		}
		return
	}
	o := w.addOrder(&Order{
		Kind: InvoiceOrder, Status: OrderDue, Provider: payer.Provider, Minor: v.Total, Currency: v.Currency, Invoice: v.N,
		What: v.Number(w.s.ID), Text: "Invoice " + v.Number(w.s.ID), Quantity: 1, OffSession: true, Attempt: 1, Metadata: sub.Metadata,
		Subscription: sub.N,
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
		w.chargeAgain(have)
	}
}

// chargeAgain begins the next attempt of a charge that was declined.
func (w *work) chargeAgain(have *Order) *Order {
	o := w.order(have)
	o.Status, o.NextTry = OrderDue, 0
	o.Attempt++
	w.tellOrder(o, catalog.EventPaymentDue)
	return o
}

// heldUp takes down that the running cycle is not paid for, and that nobody knows when it will be.
func (w *work) heldUp() {
	if sub := w.subscription(); sub.HeldAt.IsZero() {
		sub.HeldAt = w.at
		w.tellSubscription(sub, SubscriptionHeld, "", "")
	}
}

// recovered takes down that the cycle is paid for, where that was held up.
func (w *work) recovered(sub *Subscription) {
	if !sub.HeldAt.IsZero() {
		sub.HeldAt = 0
		w.tellSubscription(sub, SubscriptionRecovered, "", "")
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
