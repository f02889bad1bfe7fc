package wallet

import "slices"

// maxWithdrawn bounds the invoices among which those of a cycle are looked for. A customer with more of
// them since it began keeps what is open.
const maxWithdrawn = 1000

// withdraw takes back what was to be paid for the running cycle, where another takes its place before
// anybody has paid: the invoice of the cycle, and those of changes within it. What earlier cycles left to
// be billed was part of it, and is returned for the next invoice.
func (w *work) withdraw(sub *Subscription) []InvoiceLine {
	if sub.Unpaid == 0 || w.s.InvoiceSeq-sub.Unpaid >= maxWithdrawn {
		return nil
	}
	var missing []int64
	var all []*Invoice
	for n := sub.Unpaid; n <= w.s.InvoiceSeq; n++ {
		v := w.seeInvoice(n)
		switch {
		case v == nil:
			missing = append(missing, n)
		case v.Subscription == sub.N && (n == sub.Unpaid || v.changesCycle()):
			all = append(all, v)
		}
	}
	if len(missing) > 0 {
		w.fail(&Missing{Needs{Invoices: missing}})
		return nil
	}
	sub.Unpaid = 0 // what has waited for it does not come
	var left []InvoiceLine
	kept := int64(0)
	for _, v := range all {
		for _, l := range v.Lines {
			switch {
			case l.Kind == BalanceLine && l.Minor > 0:
				kept += l.Minor // of what was not paid
			case v.Status != InvoiceOpen:
			case l.Kind == BalanceLine:
				sub.Owed -= l.Minor
			case l.Kind != PlanLine && l.Kind != ProrationLine:
				l.currency = v.Currency
				left = append(left, l)
			}
		}
		if v.Status == InvoiceOpen {
			w.closeInvoice(v, InvoiceVoid, "the plan was changed before the cycle was paid")
		}
	}
	sub.Owed = max(0, sub.Owed-kept)
	return left
}

// changesCycle reports whether the invoice is about a change of plan within a cycle.
func (v *Invoice) changesCycle() bool {
	return slices.ContainsFunc(v.Lines, func(l InvoiceLine) bool { return l.Kind == ProrationLine })
}
