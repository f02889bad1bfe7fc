package model

import (
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/wallet"
)

// billLine is a line of an invoice as the model expects it.
type billLine struct {
	kind     wallet.LineKind
	what     string
	minor    int64
	currency string
}

// mostMinor is the most that a line comes to.
const mostMinor = 1_000_000_000_000_000

func owedFor(price, quantity int64) int64 {
	v := new(big.Int).Mul(big.NewInt(price), big.NewInt(quantity))
	if v.Cmp(big.NewInt(mostMinor)) > 0 {
		return mostMinor
	}
	return v.Int64()
}

// price is what the cycle that begins costs in advance.
func (m *Model) price() []billLine {
	p := m.plan
	each := p.terms.Minor
	if m.now < p.trial {
		each = p.terms.TrialMinor
	}
	if each == 0 {
		return nil
	}
	return []billLine{{wallet.PlanLine, p.id, owedFor(each, p.quantity), p.terms.Currency}}
}

// overageLine is units x price of a whole credit, to the nearest minor unit.
func (m *Model) overageLine(in *wallet.IncludedCredit, over int64) billLine {
	price, ok := new(big.Rat).SetString(string(in.Overage.PricePerUnit))
	if !ok {
		broken("price %q", in.Overage.PricePerUnit)
	}
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(m.Defs.Credits[in.Credit].Precision)), nil)
	exact := price.Mul(price, new(big.Rat).SetFrac(big.NewInt(over), scale))
	exact.Add(exact, big.NewRat(1, 2)) // and rounded down
	minor := new(big.Int).Div(exact.Num(), exact.Denom())
	if minor.Cmp(big.NewInt(mostMinor)) > 0 {
		minor.SetInt64(mostMinor)
	}
	currency := in.Overage.Currency
	if currency == "" {
		currency = m.plan.terms.Currency
	}
	return billLine{wallet.OverageLine, in.Credit, minor.Int64(), currency}
}

// changeLines is what a change within a cycle comes to: the new price less the old, for all of the
// cycle or for what is left of it.
func (m *Model) changeLines(c *wallet.PlanChange, charge wallet.Charging) []billLine {
	p := m.plan
	if charge == wallet.ChargeNothing || c.Terms.Currency != p.terms.Currency || m.now < p.trial {
		return nil
	}
	quantity := p.quantity
	if c.Quantity > 0 {
		quantity = c.Quantity
	}
	was, is := owedFor(p.terms.Minor, p.quantity), owedFor(c.Terms.Minor, quantity)
	if charge == wallet.ChargeProrated {
		was, is = m.rest(was, p.from, p.to), m.rest(is, p.from, p.to)
	}
	var lines []billLine
	if was > 0 {
		lines = append(lines, billLine{wallet.ProrationLine, p.id, -was, p.terms.Currency})
	}
	if is > 0 {
		lines = append(lines, billLine{wallet.ProrationLine, c.Plan, is, p.terms.Currency})
	}
	return lines
}

// bill writes invoices, one a currency in the order in which they first come.
func (m *Model) bill(lines []billLine) {
	var currencies []string
	by := map[string][]billLine{}
	for _, l := range lines {
		if by[l.currency] == nil {
			currencies = append(currencies, l.currency)
		}
		by[l.currency] = append(by[l.currency], l)
	}
	for _, currency := range currencies {
		m.billIn(currency, by[currency])
	}
}

// billCycle bills a cycle that has just begun and begins those of its credits that are over: what they
// give comes at once, or when the cycle is paid.
func (m *Model) billCycle(lines []billLine) {
	p := m.plan
	price := m.price()
	p.unpaid = 0
	settled := false
	if o := m.settling; o > 0 && len(price) > 0 && m.orders[o-1].minor == price[0].minor && m.orders[o-1].currency == price[0].currency {
		m.happened("an order pays the first cycle")
		m.bills = append(m.bills, InvoiceView{
			N: int64(len(m.bills)) + 1, Subscription: p.n, Status: wallet.InvoicePaid, Currency: price[0].currency, Total: price[0].minor,
			Lines: tellLines(price), From: p.from, To: p.to, IssuedAt: m.now, ClosedAt: m.now,
		})
		m.lines = append(m.lines, price)
		m.billed = append(m.billed, int64(len(m.bills)))
		m.orders[o-1].invoice = int64(len(m.bills))
		price, settled = nil, true
	} else if p.collect && len(price) > 0 {
		p.unpaid = toCome
	}
	for i := range p.included {
		if p.included[i].end <= m.now {
			m.creditCycle(i)
		}
	}
	if settled {
		m.cyclePaidBy(m.settling)
	}
	m.bill(append(price, lines...))
	if p.unpaid == toCome {
		m.happened("what was owed to the customer pays a cycle")
		m.cyclePaid()
	}
	if p.unpaid == 0 {
		m.holdUp(false)
	}
}

// holdUp says that nobody knows when the cycle will be paid, or that it was paid after all.
func (m *Model) holdUp(held bool) {
	if m.plan.held == held {
		return
	}
	m.plan.held = held
	if held {
		m.tell(wallet.SubscriptionHeld, "", "")
	} else {
		m.tell(wallet.SubscriptionRecovered, "", "")
	}
}

// toCome stands for an invoice that is about to be written.
const toCome = -1

// cyclePaid gives what has waited for the payment of the cycle.
func (m *Model) cyclePaid() {
	p := m.plan
	p.unpaid = 0
	m.holdUp(false)
	for i := range p.included {
		if !p.included[i].waits {
			continue
		}
		m.happened("credits come with the payment of their cycle")
		p.included[i].waits = false
		m.include(i, times(m.amount(&p.terms.Credits[i]), p.quantity))
		if g := m.cycleGrant(&p.included[i]); g != nil && p.paused != 0 {
			g.expires = 0
		}
	}
}

// takeBack voids what nobody has paid of a cycle whose place another takes. What it says of earlier ones
// is billed with the next; and what it left for the next, or took of that, is as if it had not been.
func (m *Model) takeBack() (left []billLine) {
	p := m.plan
	first := p.unpaid
	if first == 0 {
		return nil
	}
	m.happened("a cycle is replaced before it is paid")
	p.unpaid = 0
	balance := int64(0)
	for n := first; n <= int64(len(m.bills)); n++ {
		b := &m.bills[n-1]
		if b.Subscription != p.n || n > first && !m.has(n, wallet.ProrationLine) {
			continue
		}
		for _, l := range m.lines[n-1] {
			l.currency = b.Currency
			switch l.kind {
			case wallet.BalanceLine:
				if b.Status == wallet.InvoiceOpen || l.minor > 0 {
					balance -= l.minor
				}
			case wallet.OverageLine:
				if b.Status == wallet.InvoiceOpen {
					left = append(left, l)
				}
			}
		}
		if b.Status == wallet.InvoiceOpen {
			m.close(n, wallet.InvoiceVoid)
		}
	}
	p.owed = max(0, p.owed+balance)
	return left
}

// has reports whether an invoice has a line of a kind.
func (m *Model) has(n int64, kind wallet.LineKind) bool {
	return slices.ContainsFunc(m.lines[n-1], func(l billLine) bool { return l.kind == kind })
}

// close closes an open invoice.
func (m *Model) close(n int64, status wallet.InvoiceStatus) {
	b := &m.bills[n-1]
	b.Status, b.ClosedAt = status, m.now
	m.spare(n)
	if p := m.plan; p != nil && !p.ended && p.unpaid == n {
		m.cyclePaid()
	}
}

func (m *Model) billIn(currency string, lines []billLine) {
	p := m.plan
	b := InvoiceView{
		N: int64(len(m.bills)) + 1, Subscription: p.n, Status: wallet.InvoiceOpen, Currency: currency,
		From: p.from, To: p.to, IssuedAt: m.now,
	}
	for _, l := range lines {
		b.Total += l.minor
	}
	if currency == p.terms.Currency {
		change := int64(0)
		switch {
		case b.Total < 0:
			m.happened("an invoice leaves something for the next")
			change = -b.Total
		case b.Total > 0 && p.owed > 0:
			m.happened("an invoice is less by what an earlier one left")
			change = -min(p.owed, b.Total)
		}
		if change != 0 {
			p.owed += change
			b.Total += change
			lines = append(lines, billLine{kind: wallet.BalanceLine, minor: change, currency: currency})
		}
	}
	b.Lines = tellLines(lines)
	m.lines = append(m.lines, lines)
	switch {
	case b.Total == 0:
		b.Status, b.ClosedAt = wallet.InvoicePaid, m.now
	case p.unpaid == toCome && currency == p.terms.Currency:
		p.unpaid = b.N
	}
	m.bills = append(m.bills, b)
	m.billed = append(m.billed, b.N)
	switch {
	case !p.collect || b.Total == 0:
	case m.payer == nil:
		if p.unpaid == b.N {
			m.happened("nobody is there to be charged")
			m.holdUp(true)
		}
	default:
		m.happened("an invoice is collected")
		m.add(order{
			kind: wallet.InvoiceOrder, status: wallet.OrderDue, minor: b.Total, currency: currency, invoice: b.N, quantity: 1, alone: true, attempt: 1,
		})
	}
}

func (m *Model) closeInvoice(c *wallet.CloseInvoice) Outcome {
	refuse(c.Status != wallet.InvoicePaid && c.Status != wallet.InvoiceVoid, fault.CodeInvalidRequest)
	refuse(catalog.Longer(c.Ref, wallet.MaxReasonLength), fault.CodeInvalidRequest)
	refuse(c.Invoice < 1 || c.Invoice > int64(len(m.bills)), fault.CodeInvoiceNotFound)
	b := &m.bills[c.Invoice-1]
	if b.Status != c.Status {
		refuse(b.Status != wallet.InvoiceOpen, fault.CodeInvoiceClosed)
		m.close(b.N, c.Status)
	}
	return Outcome{Allowed: true, Grants: m.made, Invoices: []int64{c.Invoice}}
}

// tellLines writes lines in one text, to be compared.
func tellLines(lines []billLine) string {
	var b strings.Builder
	for _, l := range lines {
		fmt.Fprintf(&b, "%s %s %d; ", l.kind, l.what, l.minor)
	}
	return b.String()
}
