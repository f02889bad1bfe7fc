package wallet

import (
	"cmp"
	"errors"
	"fmt"
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
	if n.Payment != "" && (o.Payment == "" || n.Kind == NewsPaid && o.Status != OrderPaid || o.tells(n)) {
		o.Payment = n.Payment // that of the last attempt which had one, until one is paid
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

// tells reports whether news are a decline of the order's last attempt, and no old news.
func (o *Order) tells(n *OrderNews) bool {
	return n.Kind == NewsDeclined && n.Decline != nil && n.Decline.Attempt == o.Attempt && !o.Status.Settled()
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

// unmet takes down why nothing was given for what was paid: somebody has to pay it back, or to grant it.
func (o *Order) unmet(why string) { o.Unmet, o.Reason = true, why }

func (w *work) mismatched(o *Order, n *OrderNews, reason string) {
	o.Paid = n.Minor
	o.unmet(reason)
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

// grantOrder grants what was bought, with a receipt. What was granted before under the name that the
// outside has for the purchase, by whoever hears of payments as well, is not granted again: it is what
// the order gave (V35).
func (w *work) grantOrder(o *Order) {
	give := GiveCredits{Source: SourcePurchase, SourceID: o.ID(w.s.ID), ExternalRef: o.ref(w), Note: w.note}
	give.Reason = o.Text
	switch o.Kind {
	case PackOrder:
		give.Pack = o.What
	case TopUpOrder:
		give.Pack, give.Entry = o.What, AutoTopUp
	}
	before, err := w.grantedBefore(o, &give)
	if err != nil {
		w.fail(err)
		return
	}
	for i := range o.Items {
		it := &o.Items[i]
		at := slices.IndexFunc(before, func(g Grant) bool { return g.PackItem == it.Item && g.Credit == it.Credit })
		if at < 0 {
			w.grantItem(o, &give, it)
			continue
		}
		o.Grants = append(o.Grants, OrderGrant{Grant: before[at].N, Amount: before[at].Amount})
		w.d.Answer.Grants = append(w.d.Answer.Grants, before[at])
	}
	if o.Minor > 0 {
		w.receipt(o)
	}
	if len(o.Items) > 0 {
		w.tellOrder(o, catalog.EventCreditsTopUp)
	}
}

// grantedBefore are the grants that were made under the reference of a purchase.
func (w *work) grantedBefore(o *Order, give *GiveCredits) ([]Grant, error) {
	var refs []ExternalRef
	for i := range o.Items {
		ref := ExternalRef{What: cmp.Or(give.Pack, o.Items[i].Credit), Ref: give.ExternalRef}
		if !slices.Contains(refs, ref) {
			refs = append(refs, ref)
		}
	}
	if missing := w.s.unasked(refs); len(missing) > 0 {
		return nil, &Missing{Needs{External: missing}}
	}
	var before []Grant
	for i := range refs {
		before = append(before, w.s.underRef(refs[i:i+1])...)
	}
	return before, nil
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
		o.unmet("the plan runs already") // it was taken from another page
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
		o.unmet(fmt.Sprintf("the invoice was %s already", v.Status))
		return
	}
	if w.lapsed(v) {
		o.unmet("the cycle that it pays for was over by then, and gave no credits")
	}
	w.closeInvoice(v, InvoicePaid, o.Payment)
	if sub := w.seeSubscription(); sub != nil && sub.N == v.Subscription && sub.CycleStart == v.From && v.opensCycle() {
		w.paidBy(o, w.subscription())
	}
}

// paidBy takes down with an order what the cycle that it has paid for has granted: what is refunded of it
// takes that back. Credits that come again within the cycle are those of its first payment alone.
func (w *work) paidBy(o *Order, sub *Subscription) {
	for i := range sub.Included {
		cycle := &sub.Included[i]
		if cycle.Grant == 0 || cycle.Order != 0 {
			continue
		}
		g := w.s.grantOrNew(w, cycle.Grant)
		if g == nil {
			w.fail(&Missing{Needs{Grants: []int64{cycle.Grant}}})
			return
		}
		g = w.see(g)
		lasts := g.ExpiresAt - g.EffectiveAt
		switch {
		case cycle.Ends:
			lasts = cycle.End - cycle.Start
		case g.ExpiresAt.IsZero():
			lasts = 0
		}
		rollover, day := g.Rollover, clock.Instant(24*time.Hour/time.Microsecond)
		it := &OrderItem{
			Credit: g.Credit, Amount: g.Amount, Category: g.Category, Priority: g.Priority, Rollover: &rollover,
			ExpiresAfterDays: int((lasts + day - 1) / day),
		}
		if !g.Inherited {
			it.Scope = g.Scope
		}
		cycle.Order = o.N
		o.Grants = append(o.Grants, OrderGrant{Grant: g.N, Amount: g.Amount, Item: it})
	}
}

// lapsed reports whether what a cycle includes has waited for the payment of an invoice, and does not come
// any more: another cycle has begun, or the plan has ended. Of an earlier subscription's nobody knows
// whether it gave something.
func (w *work) lapsed(v *Invoice) bool {
	sub := w.seeSubscription()
	switch {
	case sub == nil || !v.opensCycle():
		return false
	case sub.N != v.Subscription:
		return true
	case len(sub.Terms.Credits) == 0:
		return false
	case sub.Ended && sub.Unpaid == v.N:
		return true
	}
	return sub.Collect && v.From < sub.CycleStart
}
