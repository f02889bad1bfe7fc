package wallet

import (
	"fmt"
	"math/big"
	"slices"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/money"
)

// Invoice is what a subscription comes to: its price in advance, and what was used beyond it. Its
// number follows on the customer's last, so that none is missing. Amounts are in minor units of
// Currency.
type Invoice struct {
	N            int64 // the number within the wallet
	Subscription int64
	Status       InvoiceStatus
	Currency     string
	Lines        []InvoiceLine
	Total        int64         // never negative
	From, To     clock.Instant // the cycle that it opens
	IssuedAt     clock.Instant
	ClosedAt     clock.Instant // when it was paid or voided; zero: it is open
	Ref          string        // of the payment, or why it is void
}

// InvoiceStatus is where an invoice is in its life. A draft is what the next one would be, and is
// never stored.
type InvoiceStatus string

// The statuses of an invoice.
const (
	InvoiceDraft InvoiceStatus = "draft"
	InvoiceOpen  InvoiceStatus = "open"
	InvoicePaid  InvoiceStatus = "paid"
	InvoiceVoid  InvoiceStatus = "void"
)

// LineKind says what a line of an invoice is for.
type LineKind string

// The kinds of line.
const (
	PlanLine      LineKind = "plan"      // the plan's price for a cycle
	ProrationLine LineKind = "proration" // a change of plan within a cycle
	OverageLine   LineKind = "overage"   // credits used beyond zero
	UsageLine     LineKind = "usage"     // metered usage that is paid for in money
	TopUpLine     LineKind = "top_up"    // credits bought
	ProductLine   LineKind = "product"   // a product bought, with its credits
	BalanceLine   LineKind = "balance"   // what an earlier change left to the customer's favour
)

// InvoiceLine is one line of an invoice.
type InvoiceLine struct {
	Kind     LineKind      `json:"kind"`
	What     string        `json:"what"` // the plan, credit or meter: its id
	Text     string        `json:"text"` // for people
	Quantity money.Decimal `json:"quantity"`
	Price    money.Decimal `json:"price"` // of one, in minor units
	Minor    int64         `json:"minor"` // what it comes to; negative when it is to the customer's favour
	From     clock.Instant `json:"from,omitzero"`
	To       clock.Instant `json:"to,omitzero"`

	currency string
}

// Number is the invoice's number for people: the customer's own series.
func (v *Invoice) Number(w id.Wallet) string { return fmt.Sprintf("%.8s-%04d", w.String(), v.N) }

// CloseInvoice says that an open invoice was paid, or voids it.
type CloseInvoice struct {
	Invoice int64
	Status  InvoiceStatus // InvoicePaid or InvoiceVoid
	Ref     string
	Note
}

// Needs asks for the invoice.
func (c *CloseInvoice) Needs(*catalog.Definitions) Needs { return Needs{Invoices: []int64{c.Invoice}} }

func (c *CloseInvoice) decide(w *work) error {
	const op = "wallet.CloseInvoice"
	if c.Status != InvoicePaid && c.Status != InvoiceVoid {
		return fault.New(op, fault.CodeInvalidRequest, "an invoice is closed as paid or void").In("status")
	}
	if catalog.Longer(c.Ref, MaxReasonLength) {
		return fault.New(op, fault.CodeInvalidRequest, "the reference has at most %d characters", MaxReasonLength).In("reference")
	}
	have, ok := w.s.invoices[c.Invoice]
	if !ok {
		if c.Invoice < 1 || c.Invoice > w.s.InvoiceSeq {
			return fault.New(op, fault.CodeInvoiceNotFound, "there is no such invoice").In("invoice_id")
		}
		return &Missing{Needs{Invoices: []int64{c.Invoice}}}
	}
	w.d.Answer.Allowed = true
	if have.Status == c.Status {
		w.d.Answer.Invoices = []Invoice{*have}
		return nil
	}
	if have.Status != InvoiceOpen {
		return fault.New(op, fault.CodeInvoiceClosed, "the invoice is %s since %s", have.Status, have.ClosedAt).In("invoice_id")
	}
	w.note = c.Note
	w.d.Answer.Invoices = []Invoice{*w.closeInvoice(have, c.Status, c.Ref)}
	return nil
}

// closeInvoice closes an open invoice. What a plan grants and waits for the payment of its cycle comes
// now, also when nobody is to pay for it any more.
func (w *work) closeInvoice(have *Invoice, status InvoiceStatus, ref string) *Invoice {
	v := *have
	v.Status, v.Ref, v.ClosedAt = status, ref, w.at
	w.d.Invoices = append(w.d.Invoices, &v)
	w.dropCharges(&v, "the invoice is "+string(status))
	if sub := w.seeSubscription(); sub != nil && sub.Unpaid == v.N && !sub.Ended {
		w.cyclePaid(w.subscription())
	}
	return &v
}

// opensCycle reports whether the price of a cycle is part of the invoice.
func (v *Invoice) opensCycle() bool {
	return slices.ContainsFunc(v.Lines, func(l InvoiceLine) bool { return l.Kind == PlanLine })
}

// issuePaid writes the invoice over a price that an order has paid.
func (w *work) issuePaid(sub *Subscription, price []InvoiceLine, o *Order) {
	w.d.invoiceSeq++
	v := &Invoice{
		N: w.d.invoiceSeq, Subscription: sub.N, Status: InvoicePaid, Currency: o.Currency, Lines: price, Total: o.Minor,
		From: sub.CycleStart, To: sub.CycleEnd, IssuedAt: w.at, ClosedAt: w.at, Ref: o.Payment,
	}
	o.Invoice = v.N
	w.d.Invoices = append(w.d.Invoices, v)
	w.d.Answer.Invoices = append(w.d.Answer.Invoices, *v)
}

// maxLine bounds what a line comes to, in minor units: nobody owes as much, and time must go on.
const maxLine = 1_000_000_000_000_000

// issue writes invoices over lines, one a currency; none over nothing.
func (w *work) issue(sub *Subscription, lines []InvoiceLine) {
	for len(lines) > 0 {
		currency := lines[0].currency
		var mine, rest []InvoiceLine
		for _, l := range lines {
			if l.currency == currency {
				mine = append(mine, l)
			} else {
				rest = append(rest, l)
			}
		}
		w.issueOne(sub, currency, mine)
		lines = rest
	}
}

func (w *work) issueOne(sub *Subscription, currency string, lines []InvoiceLine) {
	total := int64(0)
	for _, l := range lines {
		total += l.Minor // they are few, and each is at most maxLine
	}
	if currency == sub.Terms.Currency {
		// What is to the customer's favour is kept for the next invoice.
		switch {
		case total < 0:
			sub.Owed -= total
			lines = append(lines, balanceLine(-total, currency))
			total = 0
		case sub.Owed > 0 && total > 0:
			use := min(sub.Owed, total)
			sub.Owed -= use
			lines = append(lines, balanceLine(-use, currency))
			total -= use
		}
	}
	w.d.invoiceSeq++
	v := &Invoice{
		N: w.d.invoiceSeq, Subscription: sub.N, Status: InvoiceOpen, Currency: currency, Lines: lines, Total: total,
		From: sub.CycleStart, To: sub.CycleEnd, IssuedAt: w.at,
	}
	switch {
	case total == 0:
		v.Status, v.ClosedAt = InvoicePaid, w.at
	case sub.Outside != "" && sub.PaidTo > sub.CycleStart && currency == sub.Terms.Currency:
		v.Status, v.ClosedAt, v.Ref = InvoicePaid, w.at, sub.Outside
	case sub.Unpaid == unpaidNext && currency == sub.Terms.Currency:
		sub.Unpaid = v.N
	}
	w.d.Invoices = append(w.d.Invoices, v)
	w.d.Answer.Invoices = append(w.d.Answer.Invoices, *v)
	w.collect(sub, v)
}

func balanceLine(minor int64, currency string) InvoiceLine {
	text := "Balance from earlier"
	if minor > 0 {
		text = "Kept for the next invoice"
	}
	return InvoiceLine{Kind: BalanceLine, Text: text, Quantity: "1", Price: decimalOf(minor, 0), Minor: minor, currency: currency}
}

// priceLines is the plan's price for the cycle that begins: that of the trial while it runs.
func (w *work) priceLines(sub *Subscription) []InvoiceLine {
	each := sub.Terms.Minor
	text := sub.Terms.Name
	if sub.TrialAt(w.at) {
		each, text = sub.Terms.TrialMinor, sub.Terms.Name+" (trial)"
	}
	if each == 0 {
		return nil
	}
	return []InvoiceLine{{
		Kind: PlanLine, What: sub.Plan, Text: text, Quantity: decimalOf(sub.quantity(), 0), Price: decimalOf(each, 0),
		Minor: priceOf(each, sub.quantity()), From: sub.CycleStart, To: sub.CycleEnd, currency: sub.Terms.Currency,
	}}
}

// overageLine is what the overage of an included credit comes to, where it is billed: units times
// the price of one, rounded half up to the minor unit.
func (w *work) overageLine(sub *Subscription, i int) (InvoiceLine, bool) {
	terms := &sub.Terms.Credits[i]
	over := w.seeCredit(terms.Credit).Overage
	def, ok := w.cx.Defs.Credits[terms.Credit]
	if terms.Overage.Behavior != catalog.InvoiceAtBilling || over == 0 || terms.Overage.PricePerUnit == "" || !ok {
		return InvoiceLine{}, false
	}
	quantity := decimalOf(over, def.Precision)
	minor, err := UsagePrice(quantity, terms.Overage.PricePerUnit)
	w.fail(err)
	currency := terms.Overage.Currency
	if currency == "" {
		currency = sub.Terms.Currency
	}
	return InvoiceLine{
		Kind: OverageLine, What: terms.Credit, Text: def.Name + " beyond the plan", Quantity: quantity,
		Price: terms.Overage.PricePerUnit, Minor: minor, From: sub.CycleStart, To: w.at, currency: currency,
	}, true
}

// usageLines is what the meters that the plan prices in money have counted in the cycle that ends.
func (w *work) usageLines(sub *Subscription) []InvoiceLine {
	var lines []InvoiceLine
	for i := range sub.Terms.Meters {
		m := &sub.Terms.Meters[i]
		if m.Credit != "" || m.PricePerUnit == "" {
			continue
		}
		t, err := w.tallyAt(TallyKey{Meter: m.Meter, From: sub.CycleStart}, sub.CycleEnd)
		w.fail(err)
		if t == nil || t.Aggregate <= t.FreeThreshold {
			continue
		}
		quantity := decimalOf(t.Aggregate-t.FreeThreshold, QuantityDecimals)
		minor, err := UsagePrice(quantity, m.PricePerUnit)
		w.fail(err)
		name := m.Meter
		if def, ok := w.cx.Defs.Meters[m.Meter]; ok {
			name = def.Name
		}
		lines = append(lines, InvoiceLine{
			Kind: UsageLine, What: m.Meter, Text: name, Quantity: quantity, Price: m.PricePerUnit, Minor: minor,
			From: sub.CycleStart, To: w.at, currency: sub.Terms.Currency,
		})
	}
	return lines
}

// changeLines is what a change within the cycle comes to.
func (w *work) changeLines(sub *Subscription, c *PlanChange, charge Charging) []InvoiceLine {
	if charge == ChargeNothing || c.Terms.Currency != sub.Terms.Currency || sub.TrialAt(w.at) {
		return nil // a trial goes on as one: the price comes with its end
	}
	quantity := sub.quantity()
	if c.Quantity > 0 {
		quantity = c.Quantity
	}
	cycle := CreditCycle{Start: sub.CycleStart, End: sub.CycleEnd}
	line := func(text, plan string, minor int64) InvoiceLine {
		return InvoiceLine{
			Kind: ProrationLine, What: plan, Text: text, Quantity: "1", Price: decimalOf(minor, 0), Minor: minor,
			From: w.at, To: sub.CycleEnd, currency: sub.Terms.Currency,
		}
	}
	was, is := priceOf(sub.Terms.Minor, sub.quantity()), priceOf(c.Terms.Minor, quantity)
	if charge == ChargeProrated {
		was, is = share(was, w.at, cycle), share(is, w.at, cycle)
	}
	var lines []InvoiceLine
	if was != 0 {
		lines = append(lines, line(sub.Terms.Name+", unused", sub.Plan, -was))
	}
	if is != 0 {
		lines = append(lines, line(c.Terms.Name, c.Plan, is))
	}
	return lines
}

// priceOf is the price of some of a plan; neither passes what a line can say by much.
func priceOf(minor, quantity int64) int64 {
	total, err := money.MulDivFloor(minor, quantity, 1)
	if err != nil {
		return maxLine
	}
	return min(total, maxLine)
}

func decimalOf(units int64, precision int) money.Decimal {
	return money.Decimal(money.FormatUnits(units, precision))
}

// UsagePrice is what a quantity comes to at the price of one, rounded half up to the minor unit.
func UsagePrice(quantity, price money.Decimal) (int64, error) {
	x, ok := new(big.Rat).SetString(string(quantity))
	y, good := new(big.Rat).SetString(string(price))
	if !ok || !good {
		return 0, fault.New("wallet.UsagePrice", fault.CodeInvariantViolated, "%q times %q is no amount", quantity, price)
	}
	x.Mul(x, y)
	two := big.NewInt(2)
	sum := new(big.Int).Add(new(big.Int).Mul(x.Num(), two), x.Denom())
	whole := sum.Div(sum, new(big.Int).Mul(x.Denom(), two))
	if !whole.IsInt64() {
		return maxLine, nil
	}
	return min(whole.Int64(), maxLine), nil
}
