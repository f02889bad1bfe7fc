package model

import (
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/wallet"
)

// order is one purchase (design section 5.7).
type order struct {
	n        int64
	kind     wallet.OrderKind
	status   wallet.OrderStatus
	minor    int64
	currency string
	what     string
	quantity int64
	items    []wallet.OrderItem
	take     *wallet.Subscribe // of a plan
	invoice  int64
	saves    bool // the card is kept
	free     bool // it costs nothing, and has no provider
	alone    bool // charged without a page
	attempt  int
	next     clock.Instant
	created  clock.Instant
	paidAt   clock.Instant
	closed   clock.Instant

	session  string
	paid     int64
	unmet    bool  // it gave nothing for that
	most     int64 // refunded in all, as it was told
	refunds  []back
	disputes []disputeOf
	disputed wallet.DisputeStatus // all in all
	declined wallet.DeclineClass
	code     string
	bought   []bought
}

// back is money that goes back.
type back struct {
	id     string
	own    int64
	minor  int64
	status wallet.RefundStatus
}

// disputeOf is one of the disputes of a payment.
type disputeOf struct {
	id     string
	status wallet.DisputeStatus
}

// bought is what became of an item: taken for money that went back, and given again.
type bought struct {
	grant, amount, taken, again int64
	instead                     []int64
	item                        wallet.OrderItem
}

// payer is the customer as the provider knows them, and the card that is kept.
type payer struct{ customer, card string }

func (m *Model) orderOf(n int64) *order {
	refuse(n < 1 || n > int64(len(m.orders)), fault.CodeOrderNotFound)
	return &m.orders[n-1]
}

func (m *Model) add(o order) int64 {
	o.n, o.created = int64(len(m.orders))+1, m.now
	m.orders = append(m.orders, o)
	return o.n
}

func (m *Model) place(c *wallet.PlaceOrder) Outcome {
	refuse(c.OpenFor != 0 && (c.OpenFor < wallet.MinOpenFor || c.OpenFor > wallet.MaxOpenFor), fault.CodeInvalidTime)
	refuse(len(c.SuccessURL) > wallet.MaxAddressLength || len(c.CancelURL) > wallet.MaxAddressLength, fault.CodeInvalidRequest)
	o := order{kind: c.Kind, status: wallet.OrderOpen, saves: c.SaveCard, quantity: max(1, c.Quantity)}
	switch c.Kind {
	case wallet.PackOrder:
		m.offerPack(&o, c)
	case wallet.CreditOrder:
		m.offerCredits(&o, c)
	case wallet.PlanOrder:
		m.offerPlan(&o, c)
	case wallet.InvoiceOrder:
		m.offerInvoice(&o, c)
	case wallet.CardOrder:
		o.saves = true
	default:
		refuse(true, fault.CodeInvalidRequest)
	}
	if c.OffSession {
		refuse(m.payer == nil || m.payer.card == "", fault.CodeNoPaymentMethod)
		o.alone, o.attempt, o.status = true, 1, wallet.OrderDue
	}
	n := m.add(o)
	if o.minor == 0 && !o.saves {
		m.happened("an order costs nothing")
		m.orders[n-1].free = true
		m.pay(n, 0, o.currency)
	}
	return Outcome{Allowed: true, Grants: m.made, Invoices: m.billed}
}

// worth is a price times a number, rounded half up to the minor unit.
func worth(price *big.Rat, units, scale int64) *big.Int {
	exact := new(big.Rat).Mul(price, big.NewRat(units, scale))
	exact.Add(exact, big.NewRat(1, 2))
	return new(big.Int).Div(exact.Num(), exact.Denom())
}

func (m *Model) offerPack(o *order, c *wallet.PlaceOrder) {
	p := m.Defs.Packs[c.Pack]
	refuse(p == nil || p.ArchivedAt != 0, fault.CodePackNotFound)
	refuse(c.Quantity < 0 || c.Quantity > wallet.MaxOrderQuantity, fault.CodeInvalidQuantity)
	total := worth(big.NewRat(p.PriceMinor, 1), o.quantity, 1)
	refuse(total.Cmp(big.NewInt(catalog.MaxPrice)) > 0, fault.CodeAmountOutOfRange)
	o.what, o.minor, o.currency = p.ID, total.Int64(), p.Currency
	refuse(c.Kind == wallet.TopUpOrder && o.minor == 0, fault.CodeInvalidRequest)
	for _, it := range p.Items {
		def := m.Defs.Credits[it.Credit]
		refuse(def.ArchivedAt != 0, fault.CodeCreditArchived)
		each := it.Amount
		if instead, ok := c.Overrides[it.Credit]; ok {
			refuse(instead <= 0, fault.CodeInvalidAmount)
			each = instead
		}
		amount := worth(big.NewRat(each, 1), o.quantity, 1)
		refuse(amount.Cmp(big.NewInt(wallet.MaxUnits)) > 0, fault.CodeAmountOutOfRange)
		days := p.ExpiresAfterDays
		if days == 0 {
			days = def.ExpiresAfterDays
		}
		o.items = append(o.items, wallet.OrderItem{
			Item: it.ID, Credit: it.Credit, Amount: amount.Int64(), Scope: it.Scope, Category: it.Category, Priority: it.Priority, ExpiresAfterDays: days,
		})
	}
}

func (m *Model) offerCredits(o *order, c *wallet.PlaceOrder) {
	def := m.Defs.Credits[c.Credit]
	refuse(def == nil || def.ArchivedAt != 0, fault.CodeCreditNotFound)
	refuse(!def.Sales.AnyAmount, fault.CodeInvalidRequest)
	refuse(c.Amount <= 0 || c.Amount > wallet.MaxUnits, fault.CodeInvalidAmount)
	price, _ := new(big.Rat).SetString(string(def.Sales.PricePerCredit))
	scale := int64(1)
	for range def.Precision {
		scale *= 10
	}
	total := worth(price, c.Amount, scale)
	refuse(total.Cmp(big.NewInt(catalog.MaxPrice)) > 0, fault.CodeAmountOutOfRange)
	o.what, o.minor, o.currency, o.quantity = def.ID, total.Int64(), def.Sales.Currency, 1
	o.items = []wallet.OrderItem{{Credit: def.ID, Amount: c.Amount, Category: catalog.Paid, Priority: 50, ExpiresAfterDays: def.ExpiresAfterDays}}
}

func (m *Model) offerPlan(o *order, c *wallet.PlaceOrder) {
	refuse(c.Plan == nil, fault.CodeInvalidRequest)
	m.checkPlan(c.Plan)
	refuse(m.plan.runs(m.now), fault.CodeSubscriptionExists)
	o.quantity = max(1, c.Plan.Quantity)
	m.affords(&c.Plan.Terms, o.quantity)
	each, days := c.Plan.Terms.Minor, c.Plan.Terms.TrialDays
	if c.Plan.TrialDays != nil {
		days = *c.Plan.TrialDays
	}
	if days > 0 {
		each = c.Plan.Terms.TrialMinor
	}
	total := worth(big.NewRat(each, 1), o.quantity, 1)
	refuse(total.Cmp(big.NewInt(catalog.MaxPrice)) > 0, fault.CodeAmountOutOfRange)
	o.what, o.minor, o.currency, o.saves = c.Plan.Plan, total.Int64(), c.Plan.Terms.Currency, c.Plan.Terms.Minor > 0
	take := *c.Plan
	o.take = &take
}

func (m *Model) offerInvoice(o *order, c *wallet.PlaceOrder) {
	refuse(c.Invoice < 1 || c.Invoice > int64(len(m.bills)), fault.CodeInvoiceNotFound)
	b := &m.bills[c.Invoice-1]
	refuse(b.Status != wallet.InvoiceOpen, fault.CodeInvoiceClosed)
	o.what, o.minor, o.currency, o.invoice, o.quantity = "", b.Total, b.Currency, b.N, 1
	if c.OffSession {
		for i := range m.orders {
			refuse(m.orders[i].charges(b.N) && m.orders[i].status == wallet.OrderDue, fault.CodeInvalidRequest)
		}
		m.spare(b.N)
	}
}

// charges reports whether an order charges an invoice without a page, now or later.
func (o *order) charges(invoice int64) bool {
	return o.kind == wallet.InvoiceOrder && o.invoice == invoice && (o.status == wallet.OrderDue || o.status == wallet.OrderWaiting)
}

// spare ends the charges of an invoice that need not be made any more.
func (m *Model) spare(invoice int64) {
	for i := range m.orders {
		if o := &m.orders[i]; o.charges(invoice) {
			m.happened("a charge is spared")
			m.shut(o, wallet.OrderCanceled)
		}
	}
}

func (m *Model) openPage(c *wallet.OpenOrder) Outcome {
	o := m.orderOf(c.Order)
	if c.Session != "" {
		o.session = c.Session
	}
	if !o.free {
		m.meet(c.Customer)
	}
	return Outcome{Allowed: true}
}

// meet is told by which id the provider knows the customer: by another, the card was another's.
func (m *Model) meet(customer string) {
	if customer != "" && (m.payer == nil || m.payer.customer != customer) {
		m.payer = &payer{customer: customer}
	}
}

func (m *Model) cancel(c *wallet.CancelOrder) Outcome {
	o := m.orderOf(c.Order)
	if o.status == wallet.OrderCanceled {
		return Outcome{Allowed: true}
	}
	refuse(o.status != wallet.OrderOpen && o.status != wallet.OrderWaiting, fault.CodeOrderClosed)
	m.shut(o, wallet.OrderCanceled)
	return Outcome{Allowed: true}
}

// refunded is what went back or is on its way.
func (o *order) refunded() int64 {
	single, failed := int64(0), int64(0)
	for _, b := range o.refunds {
		switch b.status {
		case wallet.RefundPending, wallet.RefundSucceeded:
			single += b.minor
		case wallet.RefundFailed:
			if b.id != "" { // else there was none at the provider
				failed += b.minor
			}
		}
	}
	return min(o.paid, max(single, o.most-failed))
}

func (m *Model) askBack(c *wallet.AskRefund) Outcome {
	o := m.orderOf(c.Order)
	refuse(o.paid == 0 || o.status != wallet.OrderPaid && o.status != wallet.OrderMismatched, fault.CodeOrderNotPaid)
	left, own := o.paid-o.refunded(), int64(1)
	for _, b := range o.refunds {
		if b.status == wallet.RefundAsked {
			left -= b.minor
		}
		own = max(own, b.own+1)
	}
	if left = max(0, left); o.disputed == wallet.DisputeLost {
		left = 0
	}
	minor := c.Minor
	if minor == 0 {
		minor = left
	}
	refuse(minor < 0, fault.CodeInvalidAmount)
	refuse(minor > left || minor == 0, fault.CodeRefundTooLarge)
	o.refunds = append(o.refunds, back{own: own, minor: minor, status: wallet.RefundAsked})
	return Outcome{Allowed: true}
}

// over reports whether nothing more is expected of an order; what comes all the same counts.
func (o *order) over() bool {
	return slices.Contains([]wallet.OrderStatus{wallet.OrderPaid, wallet.OrderFailed, wallet.OrderExpired, wallet.OrderCanceled, wallet.OrderMismatched}, o.status)
}

// hear takes what a provider says. When what was paid cannot be granted it counts as one that differs.
func (m *Model) hear(c *wallet.TellOrder) Outcome {
	news := &c.News
	for _, id := range []string{news.Session, news.Payment, news.Refund, news.DisputeID, news.Customer, news.Method, news.Label} {
		refuse(len(id) > wallet.MaxReferenceLength, fault.CodeInvalidRequest)
	}
	refuse(news.Minor < 0 || news.Cumulative < 0 || news.Minor > mostMinor || news.Cumulative > mostMinor, fault.CodeInvalidAmount)
	m.orderOf(c.Order)
	try := m.clone()
	if try.fails(func() { try.learn(c.Order, news) }) {
		refuse(news.Kind != wallet.NewsPaid, fault.CodeAmountOutOfRange)
		m.happened("paid, and cannot be granted")
		try = m.clone()
		try.stuck = true
		try.learn(c.Order, news)
		try.stuck = false
	}
	*m = *try
	return Outcome{Allowed: true, Grants: m.made, Invoices: m.billed}
}

// fails reports whether something is refused.
func (m *Model) fails(do func()) (failed bool) {
	defer func() {
		r := recover()
		if _, ok := r.(refused); ok {
			failed = true
		} else if r != nil {
			panic(r)
		}
	}()
	do()
	return false
}

func (m *Model) learn(n int64, news *wallet.OrderNews) {
	o := m.orderOf(n)
	paid, back, dispute := o.status == wallet.OrderPaid, o.refunded(), o.disputed
	if o.session == "" {
		o.session = news.Session
	}
	if !o.free {
		m.meet(news.Customer)
	}
	if news.Method != "" && o.saves && m.payer != nil && !paid && (news.Kind == wallet.NewsPaid || news.Kind == wallet.NewsCard) {
		m.payer = &payer{m.payer.customer, news.Method}
	}
	switch news.Kind {
	case wallet.NewsPaid:
		m.pay(n, news.Minor, news.Currency)
	case wallet.NewsProcessing:
		if o.status == wallet.OrderOpen || o.status == wallet.OrderDue || o.status == wallet.OrderExpired {
			o.status, o.closed = wallet.OrderProcessing, 0
		}
	case wallet.NewsDeclined:
		m.decline(o, news.Decline)
	case wallet.NewsFailed:
		m.giveUp(o, news.Decline)
	case wallet.NewsExpired:
		if o.status == wallet.OrderOpen {
			m.shut(o, wallet.OrderExpired)
		}
	case wallet.NewsRefund:
		o.hearRefund(news)
	case wallet.NewsDispute:
		o.hearDispute(news)
	}
	o = m.orderOf(n)
	if o.status == wallet.OrderPaid && (!paid || back != o.refunded() || dispute != o.disputed) {
		for i := range o.bought {
			m.balanceOut(n, i, dispute != o.disputed || !paid && o.disputed == wallet.DisputeOpen)
		}
	}
}

// pay takes a payment, once.
func (m *Model) pay(n, minor int64, currency string) {
	o := m.orderOf(n)
	if o.status == wallet.OrderPaid || o.status == wallet.OrderMismatched {
		return
	}
	if o.over() && o.kind == wallet.TopUpOrder {
		m.happened("a top-up is paid late")
		for i := range m.topUps {
			if t := &m.topUps[i]; t.pack == o.what {
				t.charges = append(t.charges, spent{o.n, m.now, o.minor})
				break
			}
		}
	}
	if minor != o.minor || minor > 0 && currency != o.currency || m.stuck {
		m.happened("paid otherwise than expected")
		o.paid, o.unmet = minor, true
		m.shut(o, wallet.OrderMismatched)
		return
	}
	m.happened("paid: " + string(o.kind))
	o.status, o.paid, o.paidAt, o.closed, o.next = wallet.OrderPaid, minor, m.now, 0, 0
	switch o.kind {
	case wallet.PlanOrder:
		take := *o.take
		take.Collect = !o.free || take.Terms.Minor > 0
		m.settling = n
		m.subscribe(&take)
		m.settling = 0
		if o := m.orderOf(n); o.minor > 0 && o.invoice == 0 {
			m.happened("a plan is paid that runs already")
			o.unmet = true
		}
	case wallet.InvoiceOrder:
		if m.bills[o.invoice-1].Status != wallet.InvoiceOpen {
			m.happened("a closed invoice is paid")
			o.unmet = true
		} else {
			o.unmet = m.tooLate(o.invoice)
			of := o.invoice
			m.close(o.invoice, wallet.InvoicePaid)
			if p, b := m.plan, &m.bills[of-1]; p != nil && p.n == b.Subscription && p.from == b.From && m.has(of, wallet.PlanLine) {
				m.cyclePaidBy(n)
			}
		}
	default:
		m.deliver(n)
	}
	m.ran(n)
}

// cyclePaidBy takes down what the running cycle gave with the order that paid for it.
func (m *Model) cyclePaidBy(n int64) {
	p, o := m.plan, m.orderOf(n)
	for i := range p.included {
		c := &p.included[i]
		if c.grant == 0 || c.order > 0 {
			continue
		}
		m.happened("an order pays what a cycle includes")
		c.order = n
		g := m.grant(c.grant)
		rolls := g.rollover
		it := wallet.OrderItem{Credit: g.credit, Amount: g.amount, Category: g.category, Priority: g.priority, Rollover: &rolls}
		if !g.inherited {
			it.Scope = g.scope
		}
		from, to := g.effective, g.expires
		if c.bound {
			from, to = c.start, c.end
		}
		for ; to != 0 && from < to; from += day {
			it.ExpiresAfterDays++
		}
		o.bought = append(slices.Clone(o.bought), bought{grant: g.n, amount: g.amount, item: it})
	}
}

// tooLate reports whether a cycle is paid whose credits have waited for that, and do not come any more.
func (m *Model) tooLate(n int64) bool {
	p, b := m.plan, &m.bills[n-1]
	if p == nil || !m.has(n, wallet.PlanLine) {
		return false
	}
	late := p.n != b.Subscription || len(p.terms.Credits) > 0 && (p.ended && p.unpaid == n || p.collect && b.From < p.from)
	if late {
		m.happened("a cycle is paid too late")
	}
	return late
}

// deliver grants what was bought.
func (m *Model) deliver(n int64) {
	kind := wallet.CreditAdded
	if m.orderOf(n).kind == wallet.TopUpOrder {
		kind = wallet.AutoTopUp
	}
	for _, it := range m.orderOf(n).items {
		g := m.newBought(it, it.Amount)
		m.begin(m.grant(g), kind)
		m.made = append(m.made, g)
		o := m.orderOf(n)
		o.bought = append(o.bought, bought{grant: g, amount: it.Amount, item: it})
	}
	if o := m.orderOf(n); o.minor > 0 && len(o.items) > 0 {
		m.bills = append(m.bills, InvoiceView{
			N: int64(len(m.bills)) + 1, Status: wallet.InvoicePaid, Currency: o.currency, Total: o.minor, IssuedAt: m.now, ClosedAt: m.now,
			Lines: tellLines([]billLine{{kind: wallet.TopUpLine, what: o.what, minor: o.minor}}),
		})
		m.lines = append(m.lines, nil)
		o.invoice = int64(len(m.bills))
	}
}

// newBought is a grant of what was paid for: whatever became of its credit since.
func (m *Model) newBought(it wallet.OrderItem, units int64) int64 {
	give := &wallet.GiveCredits{Never: it.ExpiresAfterDays == 0, Rollover: it.Rollover}
	if !give.Never {
		give.ExpiresAt = m.now + clock.Instant(it.ExpiresAfterDays)*day
	}
	m.paidFor = true
	defer func() { m.paidFor = false }()
	return m.newGrant(give, catalog.PackItem{Credit: it.Credit, Amount: units, Scope: it.Scope, Category: it.Category, Priority: it.Priority}, "")
}

// decline is told of an attempt that came to nothing.
func (m *Model) decline(o *order, d *wallet.Decline) {
	if d == nil || o.over() || !o.alone {
		return
	}
	if o.status != wallet.OrderDue && o.status != wallet.OrderProcessing || d.Attempt != 0 && d.Attempt != o.attempt {
		return
	}
	var pauses []clock.Instant // in hours
	switch o.kind {
	case wallet.TopUpOrder:
		pauses = []clock.Instant{1, 5, 16}
	case wallet.InvoiceOrder:
		pauses = []clock.Instant{24, 48, 96}
	}
	agreed := slices.ContainsFunc(m.topUps, func(t topUp) bool { return t.running == o.n && t.on })
	if o.attempt > len(pauses) || o.kind == wallet.TopUpOrder && (d.Class != wallet.DeclineSoft || !agreed) {
		m.giveUp(o, d)
		return
	}
	o.declined, o.code = d.Class, d.Code
	o.status, o.next = wallet.OrderWaiting, m.now+pauses[o.attempt-1]*3_600_000_000
	if o.kind == wallet.InvoiceOrder && m.plan.runs(m.now) && m.plan.unpaid == o.invoice {
		m.holdUp(true)
	}
}

// giveUp ends an order for which nothing will be paid.
func (m *Model) giveUp(o *order, d *wallet.Decline) {
	if o.over() && o.status != wallet.OrderExpired {
		return
	}
	if d != nil {
		o.declined, o.code = d.Class, d.Code
	}
	m.happened("given up: " + string(o.kind))
	m.shut(o, wallet.OrderFailed)
	p := m.plan
	if o.kind != wallet.InvoiceOrder || !o.alone || !p.runs(m.now) || p.unpaid == 0 || p.unpaid < o.invoice {
		return
	}
	if b := &m.bills[o.invoice-1]; b.Subscription == p.n && m.has(o.invoice, wallet.PlanLine) {
		m.happened("a plan is not paid, and ends")
		m.endPlan()
	}
}

// shut ends an order that is not paid.
func (m *Model) shut(o *order, status wallet.OrderStatus) {
	o.status, o.closed, o.next = status, m.now, 0
	m.ran(o.n)
}

// tryAgain begins the attempts whose time has come.
func (m *Model) tryAgain() {
	for i := range m.orders {
		if o := &m.orders[i]; o.status == wallet.OrderWaiting && o.next <= m.now {
			m.happened("charged again")
			o.status, o.next = wallet.OrderDue, 0
			o.attempt++
		}
	}
}

// tellBought and tellBacks write lists in one text, to be compared.
func tellBought(all []bought) string {
	var b strings.Builder
	for _, x := range all {
		fmt.Fprintf(&b, "%d: %d -%d +%d %v; ", x.grant, x.amount, x.taken, x.again, x.instead)
	}
	return b.String()
}

func tellBacks(all []back) string {
	var b strings.Builder
	for _, x := range all {
		fmt.Fprintf(&b, "%s %d: %d %s; ", x.id, x.own, x.minor, x.status)
	}
	return b.String()
}
