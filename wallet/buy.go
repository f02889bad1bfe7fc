package wallet

import (
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/money"
)

// PlaceOrder writes down what is expected before anybody is asked to pay: what is bought, at which
// price, and what it grants. Price and credits are those of the definitions, whatever the caller
// believes them to be.
type PlaceOrder struct {
	Kind     OrderKind
	Pack     string     // of a pack
	Quantity int64      // of a pack; zero: one
	Credit   string     // of credits
	Amount   int64      // of credits: units
	Plan     *Subscribe // of a plan
	Invoice  int64      // of an invoice
	Cart     []CartItem // of products
	// Overrides replace what is granted, by the credit: units for one of the pack, or of the plan each
	// cycle.
	Overrides map[string]int64
	// OnDemand, of a plan, has it charged only when somebody asks, by an order of its product for this
	// Subscription. First is what beginning costs; nil: the plan's price.
	OnDemand     bool
	First        *int64
	Subscription int64

	Provider   string
	SaveCard   bool
	OffSession bool // charge the card that is kept, at once
	SuccessURL string
	CancelURL  string
	OpenFor    time.Duration // how long the page is open; zero: DefaultOpenFor
	Note
}

// How long a page is open (vevee-golivekit-stripe.md section 4.2).
const (
	DefaultOpenFor = 24 * time.Hour
	MinOpenFor     = 30 * time.Minute
	MaxOpenFor     = 24 * time.Hour
)

// OpenOrder takes down where an order is paid, once the provider has opened a page.
type OpenOrder struct {
	Order    int64
	Session  string
	URL      string
	Customer string // the provider's id of the customer; empty: it has none
	Note
}

// CancelOrder ends an order that is not paid: its page is closed.
type CancelOrder struct {
	Order int64
	Note
}

// AskRefund asks for money to be paid back.
type AskRefund struct {
	Order int64
	Minor int64 // zero: all that is left
	// Lines names what is paid back of an order of products, in the place of Minor; of one without an
	// amount it is all that is left.
	Lines []RefundLine
	Note
}

// RetryOrder charges an order anew that was declined and waits for its next attempt.
type RetryOrder struct {
	Order int64
	Note
}

// Needs asks for the invoice that is paid.
func (c *PlaceOrder) Needs(*catalog.Definitions) Needs {
	if c.Invoice == 0 {
		return Needs{}
	}
	return Needs{Invoices: []int64{c.Invoice}}
}

// Needs asks for the order.
func (c *OpenOrder) Needs(*catalog.Definitions) Needs { return Needs{Orders: []int64{c.Order}} }

// Needs asks for the order.
func (c *CancelOrder) Needs(*catalog.Definitions) Needs { return Needs{Orders: []int64{c.Order}} }

// Needs asks for the order.
func (c *RetryOrder) Needs(*catalog.Definitions) Needs { return Needs{Orders: []int64{c.Order}} }

// Needs asks for the order.
func (c *AskRefund) Needs(*catalog.Definitions) Needs { return Needs{Orders: []int64{c.Order}} }

const opOrder = "wallet.PlaceOrder"

// Quote is what an order of a pack, of credits, of products or of a plan would come to, without a wallet.
func (c *PlaceOrder) Quote(defs *catalog.Definitions) (*Order, error) {
	if c.Kind != PlanOrder || c.Plan == nil || c.Plan.Terms.Every != (catalog.Interval{}) {
		return c.quote(defs)
	}
	p, ok := defs.Plan(c.Plan.Plan)
	if !ok || !p.ArchivedAt.IsZero() {
		return nil, fault.New(opOrder, fault.CodePlanNotFound, "there is no plan %q in this app", c.Plan.Plan).In("plan_id")
	}
	agreed, plan := *c, *c.Plan
	plan.Plan, plan.Terms = p.ID, TermsOf(p, defs)
	agreed.Plan = &plan
	return agreed.quote(defs)
}

func (c *PlaceOrder) decide(w *work) error {
	w.note = c.Note
	if err := c.check(); err != nil {
		return err
	}
	o, err := c.inWallet(w)
	if err != nil {
		return err
	}
	if c.OffSession {
		if err := w.chargeable(c.Provider); err != nil {
			return err
		}
		o.OffSession, o.Attempt, o.Status = true, 1, OrderDue
	} else {
		openFor := c.OpenFor
		if openFor == 0 {
			openFor = DefaultOpenFor
		}
		o.ExpiresAt = w.at.Add(openFor)
	}
	w.addOrder(o)
	o.SuccessURL = o.addressed(o.SuccessURL, w.s.ID)
	w.d.Answer.Allowed = true
	switch {
	case o.Minor == 0 && o.Kind != CardOrder && !o.SaveCard:
		o.Provider = ""
		w.note.RefType, w.note.RefID = RefOrder, o.ID(w.s.ID)
		w.paid(o, &OrderNews{Currency: o.Currency}) // nobody is asked for nothing
	case o.OffSession:
		w.tellOrder(o, catalog.EventPaymentDue)
	}
	w.d.Answer.Order = o
	return nil
}

// addressed is an address of the caller's with what it cannot know filled in: the order's id, or that
// without its prefix for who has another, and the subscription's.
func (o *Order) addressed(address string, w id.Wallet) string {
	_, bare, _ := strings.Cut(o.ID(w), "_")
	return strings.NewReplacer(
		"{ORDER_ID}", o.ID(w), "{ORDER_KEY}", bare, "{SUBSCRIPTION_ID}", id.Object(id.PrefixSubscription, w, o.Subscription),
	).Replace(address)
}

func (c *PlaceOrder) check() error {
	if c.OpenFor != 0 && (c.OpenFor < MinOpenFor || c.OpenFor > MaxOpenFor) {
		return fault.New(opOrder, fault.CodeInvalidTime, "a checkout page is open for %s to %s", MinOpenFor, MaxOpenFor).In("expires_in_seconds")
	}
	if len(c.SuccessURL) > MaxAddressLength || len(c.CancelURL) > MaxAddressLength {
		return fault.New(opOrder, fault.CodeInvalidRequest, "an address has at most %d bytes", MaxAddressLength).In("success_url")
	}
	return nil
}

// chargeable refuses a charge for which there is no card.
func (w *work) chargeable(provider string) error {
	p := w.seePayer()
	if p == nil || p.Method == "" || p.Provider != provider {
		return fault.New(opOrder, fault.CodeNoPaymentMethod, "the customer has no card that can be charged: let them save one on a checkout page first")
	}
	return nil
}

// inWallet is the order as this wallet can place it.
func (c *PlaceOrder) inWallet(w *work) (*Order, error) {
	switch c.Kind {
	case InvoiceOrder:
		return c.ofInvoice(w)
	case PlanOrder:
		if c.Plan == nil {
			return nil, errNoPlan()
		}
		plan := *c.Plan
		if plan.Terms.Every == (catalog.Interval{}) {
			if err := plan.asDefined(w); err != nil {
				return nil, err
			}
		}
		if err := plan.check(w); err != nil {
			return nil, err
		}
		if sub := w.s.Subscription; sub.RunsAt(w.at) {
			return nil, fault.New(opOrder, fault.CodeSubscriptionExists, "the customer has a subscription already: change its plan, or end it first").With("subscription_id", sub.ID(w.s.ID))
		}
		agreed := *c
		agreed.Plan = &plan
		o, err := agreed.quote(w.cx.Defs)
		if err == nil {
			o.Subscription = w.d.subSeq + 1
		}
		return o, err
	case ProductOrder:
		if err := c.forSubscription(w); err != nil {
			return nil, err
		}
	}
	return c.quote(w.cx.Defs)
}

// forSubscription refuses products for a subscription that is not charged on demand, or is not of that
// product.
func (c *PlaceOrder) forSubscription(w *work) error {
	if c.Subscription == 0 {
		return nil
	}
	sub := w.seeSubscription()
	switch {
	case sub == nil || c.Subscription < 0 || c.Subscription > sub.N:
		return fault.New(opOrder, fault.CodeSubscriptionNotFound, "the customer has no such subscription").In("subscription_id")
	case c.Subscription != sub.N || !sub.RunsAt(w.at):
		return fault.New(opOrder, fault.CodeAlreadyCanceled, "the subscription has ended").In("subscription_id")
	case !sub.Terms.OnDemand || len(c.Cart) != 1 || c.Cart[0].Product != sub.Plan:
		return fault.New(opOrder, fault.CodeInvalidRequest, "only a subscription on demand is charged for its product when somebody asks").In("subscription_id")
	}
	return nil
}

// quote is the order of a pack, of credits, of a plan whose terms are known, or of a card.
func (c *PlaceOrder) quote(defs *catalog.Definitions) (*Order, error) {
	o := &Order{
		Kind: c.Kind, Status: OrderOpen, Provider: c.Provider, Quantity: max(1, c.Quantity), SaveCard: c.SaveCard,
		SuccessURL: c.SuccessURL, CancelURL: c.CancelURL, Reason: c.Reason, Metadata: c.Metadata,
	}
	switch c.Kind {
	case PackOrder, TopUpOrder:
		return o, c.ofPack(defs, o)
	case CreditOrder:
		return o, c.ofCredits(defs, o)
	case PlanOrder:
		if c.Plan == nil {
			return nil, errNoPlan()
		}
		return o, c.ofPlan(defs, o)
	case ProductOrder:
		return o, c.ofCart(defs, o)
	case CardOrder:
		o.SaveCard, o.Text = true, "Save a card"
		return o, nil
	}
	return nil, fault.New(opOrder, fault.CodeInvalidRequest, "an order is for a pack, for credits, for products, for a plan, or to save a card").In("kind")
}

func errNoPlan() error {
	return fault.New(opOrder, fault.CodeInvalidRequest, "an order of a plan says which, and how it is taken").In("plan_id")
}

func (c *PlaceOrder) ofPack(defs *catalog.Definitions, o *Order) error {
	pack, ok := defs.Packs[c.Pack]
	if !ok || !pack.ArchivedAt.IsZero() {
		return fault.New(opOrder, fault.CodePackNotFound, "there is no pack %q to buy", c.Pack).In("pack_id")
	}
	if c.Quantity < 0 || c.Quantity > MaxOrderQuantity {
		return fault.New(opOrder, fault.CodeInvalidQuantity, "the quantity of a pack is 1 to %d", MaxOrderQuantity).In("quantity")
	}
	o.What, o.Text, o.Currency, o.PriceRef = pack.ID, pack.Name, pack.Currency, pack.PriceRef
	o.Minor = priceOf(pack.PriceMinor, o.Quantity)
	if o.Minor > catalog.MaxPrice {
		return errTooDear("quantity")
	}
	if o.Minor == 0 && c.Kind == TopUpOrder {
		return fault.New(opOrder, fault.CodeInvalidRequest, "a pack that costs nothing cannot be topped up with: there is nothing to charge").In("pack_id")
	}
	for i := range pack.Items {
		if err := c.addItem(defs, o, pack, &pack.Items[i]); err != nil {
			return err
		}
	}
	return nil
}

func (c *PlaceOrder) addItem(defs *catalog.Definitions, o *Order, pack *catalog.Pack, it *catalog.PackItem) error {
	def := defs.Credits[it.Credit]
	if def == nil || !def.ArchivedAt.IsZero() {
		return fault.New(opOrder, fault.CodeCreditArchived, "the pack gives a credit that is archived").In("pack_id")
	}
	if def.Sales.Off {
		return errSalesOff(def)
	}
	each := it.Amount
	if more, ok := c.Overrides[it.Credit]; ok {
		if more <= 0 {
			return fault.New(opOrder, fault.CodeInvalidAmount, "the credits that are granted instead must be more than zero").In("credits")
		}
		each = more
	}
	amount, err := money.MulDivFloor(each, o.Quantity, 1)
	if err != nil || amount > MaxUnits {
		return fault.New(opOrder, fault.CodeAmountOutOfRange, "the pack would give more than a wallet can hold").In("quantity")
	}
	days := pack.ExpiresAfterDays
	if days == 0 {
		days = def.ExpiresAfterDays
	}
	o.Items = append(o.Items, OrderItem{
		Item: it.ID, Credit: it.Credit, Amount: amount, Scope: it.Scope, Category: it.Category, Priority: it.Priority,
		ExpiresAfterDays: days, CostBasis: costBasis(o.Minor, int64(len(pack.Items)), amount, def.Precision),
	})
	return nil
}

func errTooDear(field string) error {
	return fault.New(opOrder, fault.CodeAmountOutOfRange, "the price would be more than %d minor units", int64(catalog.MaxPrice)).In(field)
}

func errSalesOff(def *catalog.Credit) error {
	return fault.New(opOrder, fault.CodeSalesOff, "%s is not sold: switch its sales on first", def.Name).In("credit_id")
}

func (c *PlaceOrder) ofCredits(defs *catalog.Definitions, o *Order) error {
	def, ok := defs.Credits[c.Credit]
	if !ok || !def.ArchivedAt.IsZero() {
		return fault.New(opOrder, fault.CodeCreditNotFound, "credit %q does not exist in this app", c.Credit).In("credit_id")
	}
	if def.Sales.Off {
		return errSalesOff(def)
	}
	if !def.Sales.AnyAmount {
		return fault.New(opOrder, fault.CodeInvalidRequest, "%s is not sold by the amount: name a pack, or switch sales.any_amount on", def.Name).In("amount")
	}
	if c.Amount <= 0 || c.Amount > MaxUnits {
		return fault.New(opOrder, fault.CodeInvalidAmount, "the amount must be positive and at most %d units of the credit's precision", int64(MaxUnits)).In("amount")
	}
	minor, err := UsagePrice(decimalOf(c.Amount, def.Precision), def.Sales.PricePerCredit)
	if err != nil {
		return err
	}
	if minor > catalog.MaxPrice {
		return errTooDear("amount")
	}
	o.What, o.Text, o.Minor, o.Currency, o.Quantity = def.ID, def.Name, minor, def.Sales.Currency, 1
	o.Items = []OrderItem{{
		Credit: def.ID, Amount: c.Amount, Category: catalog.Paid, Priority: DefaultPriority, ExpiresAfterDays: def.ExpiresAfterDays,
		CostBasis: costBasis(minor, 1, c.Amount, def.Precision),
	}}
	return nil
}

// ofPlan is the price of the first cycle, or of the trial; what the plan includes is granted by the
// subscription itself.
func (c *PlaceOrder) ofPlan(defs *catalog.Definitions, o *Order) error {
	plan := *c.Plan
	t := &plan.Terms
	if err := c.override(defs, t); err != nil {
		return err
	}
	if c.OnDemand {
		t.onDemand()
		plan.TrialDays = nil
	}
	quantity := max(1, c.Plan.Quantity)
	if err := t.fits(quantity); err != nil {
		return err
	}
	each := t.Minor
	o.Text = t.Name
	trial := plan.trialDays() > 0
	if trial {
		each, o.Text = t.TrialMinor, t.Name+" (trial)"
	}
	o.What, o.Currency, o.Minor, o.Quantity, o.Plan = plan.Plan, t.Currency, priceOf(each, quantity), quantity, &plan
	if o.Minor > catalog.MaxPrice {
		return errTooDear("quantity")
	}
	o.SaveCard = t.Minor > 0 || c.OnDemand // the next cycle is charged without a page
	if c.OnDemand {
		return c.firstCharge(defs, o)
	}
	if p, ok := defs.Products[plan.Plan]; ok && trial && o.Minor == 0 && p.Price.TrialWithoutMethod {
		o.SaveCard = false // it is asked for when the trial is over
	}
	return nil
}

// override has the plan include other amounts of its credits. Those of a subscription on demand come
// with its charges.
func (c *PlaceOrder) override(defs *catalog.Definitions, t *Terms) error {
	if len(c.Overrides) == 0 {
		return nil
	}
	if p, ok := defs.Products[c.Plan.Plan]; ok {
		if err := checkOverrides(c.Overrides, p.Credits); err != nil {
			return err
		}
	}
	t.Credits = slices.Clone(t.Credits)
	for i := range t.Credits {
		if units, ok := c.Overrides[t.Credits[i].Credit]; ok {
			t.Credits[i].Amount = units
		}
	}
	return nil
}

func (c *PlaceOrder) ofInvoice(w *work) (*Order, error) {
	v, err := w.openInvoice(opOrder, c.Invoice)
	if err != nil {
		return nil, err
	}
	if c.OffSession {
		if err := w.chargedNow(v); err != nil {
			return nil, err
		}
	}
	return &Order{
		Kind: InvoiceOrder, Status: OrderOpen, Provider: c.Provider, Minor: v.Total, Currency: v.Currency, Invoice: v.N,
		What: v.Number(w.s.ID), Text: "Invoice " + v.Number(w.s.ID), Quantity: 1, SaveCard: c.SaveCard, Subscription: v.Subscription,
		SuccessURL: c.SuccessURL, CancelURL: c.CancelURL, Metadata: c.Metadata,
	}, nil
}

// chargedNow refuses to charge an invoice that is being charged already; a charge that waits to be tried
// again makes room for the new one.
func (w *work) chargedNow(v *Invoice) error {
	for _, n := range w.s.charging {
		if have := w.seeOrder(n); have.Kind == InvoiceOrder && have.Invoice == v.N && have.Status == OrderDue {
			return fault.New(opOrder, fault.CodeInvalidRequest, "the invoice is being charged already").In("invoice_id").With("order_id", have.ID(w.s.ID))
		}
	}
	w.dropCharges(v, "the invoice is charged anew")
	return nil
}

// openInvoice finds an invoice that can be paid.
func (w *work) openInvoice(op string, n int64) (*Invoice, error) {
	v := w.seeInvoice(n)
	if v == nil {
		if n < 1 || n > w.s.InvoiceSeq {
			return nil, fault.New(op, fault.CodeInvoiceNotFound, "there is no such invoice").In("invoice_id")
		}
		return nil, &Missing{Needs{Invoices: []int64{n}}}
	}
	if v.Status != InvoiceOpen {
		return nil, fault.New(op, fault.CodeInvoiceClosed, "the invoice is %s since %s", v.Status, v.ClosedAt).In("invoice_id")
	}
	return v, nil
}

// seeInvoice returns an invoice as this work sees it; nil when it is not in memory.
func (w *work) seeInvoice(n int64) *Invoice {
	for _, v := range w.d.Invoices {
		if v.N == n {
			return v
		}
	}
	return w.s.invoices[n]
}

// costBasis is what one whole credit of an item costs in minor units, where the price is shared
// equally among a number of items: exact as far as a price has decimals, rounded down beyond.
func costBasis(minor, items, units int64, precision int) money.Decimal {
	if minor == 0 {
		return "0"
	}
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(precision+catalog.MaxPriceDecimals)), nil)
	x := new(big.Int).Mul(big.NewInt(minor), scale)
	x.Div(x, new(big.Int).Mul(big.NewInt(items), big.NewInt(units)))
	if !x.IsInt64() {
		return ""
	}
	return decimalOf(x.Int64(), catalog.MaxPriceDecimals)
}

func (c *OpenOrder) decide(w *work) error {
	const op = "wallet.OpenOrder"
	if len(c.Session) > MaxReferenceLength || len(c.Customer) > MaxReferenceLength || len(c.URL) > MaxAddressLength {
		return fault.New(op, fault.CodeInvalidRequest, "an id of a payment provider has at most %d bytes, and an address %d", MaxReferenceLength, MaxAddressLength)
	}
	o, err := w.knownOrder(op, c.Order)
	if err != nil {
		return err
	}
	w.note = c.Note
	o = w.order(o)
	if c.Session != "" {
		o.Session, o.URL = c.Session, c.URL
	}
	if c.Customer != "" {
		w.meet(o.Provider, c.Customer)
	}
	w.d.Answer.Allowed, w.d.Answer.Order = true, o
	return nil
}

// meet keeps the provider's id of the customer.
func (w *work) meet(provider, customer string) {
	p := Payer{Provider: provider}
	if have := w.seePayer(); have != nil && have.Provider == provider {
		p = *have
	}
	if p.Customer == customer || provider == "" {
		return // an order of nothing has no provider, and says nothing about cards
	}
	p = Payer{Provider: provider, Customer: customer}
	w.putPayer(&p)
}

func (c *CancelOrder) decide(w *work) error {
	const op = "wallet.CancelOrder"
	have, err := w.knownOrder(op, c.Order)
	if err != nil {
		return err
	}
	w.note = c.Note
	w.d.Answer.Allowed, w.d.Answer.Order = true, have
	if have.Status == OrderCanceled {
		return nil
	}
	// The page that was closed for this may have told of it first.
	if have.Status == OrderDue || have.Status == OrderProcessing || have.Status.Settled() && have.Status != OrderExpired {
		return fault.New(op, fault.CodeOrderClosed, "the order is %s and cannot be canceled", have.Status).In("order_id")
	}
	o := w.order(have)
	o.Reason = c.Reason
	if have.Status != OrderExpired {
		w.tellOrder(o, catalog.EventPaymentCanceled)
	}
	w.close(o, OrderCanceled)
	w.d.Answer.Order = o
	return nil
}

func (c *AskRefund) decide(w *work) error {
	const op = "wallet.AskRefund"
	have, err := w.knownOrder(op, c.Order)
	if err != nil {
		return err
	}
	w.note = c.Note
	if have.Paid == 0 || have.Status != OrderPaid && have.Status != OrderMismatched {
		return fault.New(op, fault.CodeOrderNotPaid, "nothing was paid for the order that could be paid back: it is %s", have.Status).In("order_id")
	}
	left := have.Refundable()
	minor, lines, err := c.wanted(have)
	if err != nil {
		return err
	}
	if minor == 0 {
		minor = left
	}
	if minor < 0 {
		return fault.New(op, fault.CodeInvalidAmount, "what is paid back must be more than zero").In("amount")
	}
	if minor > left || minor == 0 {
		return fault.New(op, fault.CodeRefundTooLarge, "at most %d minor units of %s can be paid back", left, have.Currency).In("amount")
	}
	if len(have.Refunds) >= MaxOrderRefunds {
		return fault.New(op, fault.CodeInvalidRequest, "an order has at most %d refunds", MaxOrderRefunds)
	}
	o := w.order(have)
	own := int64(1)
	for i := range o.Refunds {
		own = max(own, o.Refunds[i].Own+1)
	}
	o.Refunds = append(o.Refunds, OrderRefund{Own: own, Minor: minor, Status: RefundAsked, Reason: c.Reason, Meta: c.Metadata, Lines: lines, At: w.at})
	w.d.Told = append(w.d.Told, OrderEvent{Order: o.N, Type: catalog.EventRefundDue, Own: own, At: w.at})
	w.d.Answer.Allowed, w.d.Answer.Order = true, o
	return nil
}

// wanted is how much is to be paid back, and of which lines.
func (c *AskRefund) wanted(o *Order) (int64, []RefundLine, error) {
	const op = "wallet.AskRefund"
	if len(c.Lines) == 0 {
		return c.Minor, nil, nil
	}
	sum, lines := int64(0), make([]RefundLine, len(c.Lines))
	for i, l := range c.Lines {
		if l.Line < 0 || l.Line >= len(o.Cart) || slices.ContainsFunc(lines[:i], func(x RefundLine) bool { return x.Line == l.Line }) {
			return 0, nil, fault.New(op, fault.CodeInvalidRequest, "the order has no such line, or it is named twice").In("lines")
		}
		left := o.Cart[l.Line].Minor - o.LineRefunded(l.Line, true)
		if l.Minor == 0 {
			l.Minor = left
		}
		if l.Minor <= 0 || l.Minor > left {
			return 0, nil, fault.New(op, fault.CodeRefundTooLarge, "at most %d minor units of %s can be paid back for %s", left, o.Currency, o.Cart[l.Line].Text).In("lines")
		}
		lines[i], sum = l, sum+l.Minor
	}
	return sum, lines, nil
}

func (c *RetryOrder) decide(w *work) error {
	const op = "wallet.RetryOrder"
	have, err := w.knownOrder(op, c.Order)
	if err != nil {
		return err
	}
	if have.Status != OrderWaiting {
		return fault.New(op, fault.CodeOrderClosed, "the order does not wait for another attempt: it is %s", have.Status).In("order_id")
	}
	w.note = c.Note
	w.d.Answer.Allowed, w.d.Answer.Order = true, w.chargeAgain(have)
	return nil
}

// addOrder numbers an order and writes it.
func (w *work) addOrder(o *Order) *Order {
	w.d.orderSeq++
	o.N, o.CreatedAt, o.Actor = w.d.orderSeq, w.at, w.cx.Actor
	w.d.Orders = append(w.d.Orders, o)
	return o
}

// seeOrder returns an order as this work sees it; nil when it is not in memory.
func (w *work) seeOrder(n int64) *Order {
	for _, o := range w.d.Orders {
		if o.N == n {
			return o
		}
	}
	return w.s.orders[n]
}

// order returns an order for changing.
func (w *work) order(have *Order) *Order {
	if slices.Contains(w.d.Orders, have) {
		return have
	}
	c := have.copied()
	w.d.Orders = append(w.d.Orders, c)
	return c
}

// knownOrder returns an order for reading, or says that it must be fetched or does not exist.
func (w *work) knownOrder(op string, n int64) (*Order, error) {
	if o := w.seeOrder(n); o != nil {
		return o, nil
	}
	if n < 1 || n > w.s.OrderSeq {
		return nil, fault.New(op, fault.CodeOrderNotFound, "there is no such order").In("order_id")
	}
	return nil, &Missing{Needs{Orders: []int64{n}}}
}

func (w *work) tellOrder(o *Order, events ...catalog.EventType) {
	for _, e := range events {
		told := OrderEvent{Order: o.N, Type: e, At: w.at}
		switch e {
		case catalog.EventPaymentFailed, catalog.EventTopUpFailed, catalog.EventTopUpActionRequired:
			told.Failed = &Failed{Status: o.Status, Attempt: o.Attempt, Payment: o.Payment, NextTry: o.NextTry, Decline: o.LastDecline}
		}
		w.d.Told = append(w.d.Told, told)
	}
}

// close ends an order that is not paid.
func (w *work) close(o *Order, status OrderStatus) {
	o.Status, o.ClosedAt, o.NextTry = status, w.at, clock.Instant(0)
	if o.Kind == TopUpOrder {
		w.topUpEnded(o)
	}
}
