package wallet

import "github.com/seed42445051/scrip/catalog"

// LowBalance is a balance that a decision brought below the threshold of its credit. It happens
// once on the way down: it can only happen again when the balance has recovered meanwhile. What
// holds set aside is part of the balance, so reservations do not make it flap.
type LowBalance struct {
	Seq       int64  `json:"-"` // of the entry that crossed the threshold
	Credit    string `json:"credit"`
	Balance   int64  `json:"balance"` // units, after the decision
	Threshold int64  `json:"threshold"`

	// Of a threshold that is a share of what a subscription gives each cycle.
	Subscription string `json:"subscription_id,omitempty"`
	Allowance    int64  `json:"allowance,omitempty"`
	Percent      int    `json:"percent,omitempty"`
}

// lowBalances compares each balance before the decision with what it is after it: what goes
// down and comes up again within one decision has not been low for anybody.
func (w *work) lowBalances() []LowBalance {
	var low []LowBalance
	for _, c := range w.d.Credits {
		def, ok := w.cx.Defs.Credits[c.Credit]
		if !ok {
			continue
		}
		l := w.threshold(def)
		before, ok := w.s.Credits[c.Credit]
		if !ok || c.Balance() >= l.Threshold || before.Balance() < l.Threshold {
			continue
		}
		l.Seq, l.Balance = w.crossing(c.Credit, l.Threshold), c.Balance()
		low = append(low, l)
	}
	return low
}

// threshold is what a balance is low below: a share of what the running plan gives each cycle where
// that was agreed, else what the credit says.
func (w *work) threshold(def *catalog.Credit) LowBalance {
	if sub := w.seeSubscription(); sub.RunsAt(w.at) {
		for i := range sub.Terms.Credits {
			c := &sub.Terms.Credits[i]
			if c.Credit != def.ID || c.LowPercent == 0 {
				continue
			}
			given, percent := unitsOf(sub, c, w.at), int64(c.LowPercent)
			at := given/100*percent + given%100*percent/100
			return LowBalance{Credit: def.ID, Threshold: at, Subscription: sub.ID(w.s.ID), Allowance: given, Percent: c.LowPercent}
		}
	}
	return LowBalance{Credit: def.ID, Threshold: def.LowBalance}
}

// crossing is the entry that took a balance below a threshold for the last time.
func (w *work) crossing(credit string, threshold int64) int64 {
	for i := len(w.d.Entries) - 1; i >= 0; i-- {
		e := &w.d.Entries[i]
		if e.Credit == credit && e.BalanceBefore >= threshold && e.BalanceAfter < threshold {
			return e.Seq
		}
	}
	return 0 // never: a balance changes by entries only
}

// Event is what the entry tells the outside, and empty where it tells nothing: holds come and
// go without a word, and what rolls over is told once, by the entry of the new grant.
func (e *Entry) Event() catalog.EventType {
	switch e.Type {
	case CreditAdded, AutoTopUp:
		return catalog.EventCreditAdded
	case CreditDeducted:
		return catalog.EventCreditDeducted
	case CreditExpired:
		return catalog.EventCreditExpired
	case CreditRolledOver:
		if e.Amount > 0 {
			return catalog.EventCreditRolledOver
		}
	case RolloverForfeited:
		return catalog.EventRolloverForfeited
	case OverageCharged:
		return catalog.EventOverageCharged
	case OverageReset:
		return catalog.EventOverageReset
	case ManualAdjustment:
		return catalog.EventManualAdjustment
	case Refund:
		return catalog.EventCreditRefunded
	case Revoked:
		return catalog.EventCreditRevoked
	}
	return ""
}

// Event is what the change of a subscription tells the outside.
func (e *SubscriptionEvent) Event() catalog.EventType {
	switch e.Change {
	case SubscriptionStarted:
		return catalog.EventSubscriptionStarted
	case SubscriptionRenewed, SubscriptionConverted:
		return catalog.EventSubscriptionRenewed
	case SubscriptionPlanChanged:
		return catalog.EventSubscriptionPlanChanged
	case SubscriptionPaused:
		return catalog.EventSubscriptionPaused
	case SubscriptionResumed:
		return catalog.EventSubscriptionResumed
	case SubscriptionEnded:
		return catalog.EventSubscriptionEnded
	case SubscriptionHeld:
		return catalog.EventSubscriptionHeld
	case SubscriptionRecovered:
		return catalog.EventSubscriptionRecovered
	}
	return catalog.EventSubscriptionUpdated
}

// Events are what an invoice tells the outside when it is issued or closed: one over nothing is
// paid as it is issued.
func (v *Invoice) Events() []catalog.EventType {
	switch {
	case v.Status == InvoiceOpen:
		return []catalog.EventType{catalog.EventInvoiceIssued}
	case v.Status == InvoiceVoid:
		return []catalog.EventType{catalog.EventInvoiceVoided}
	case v.Total == 0:
		return []catalog.EventType{catalog.EventInvoiceIssued, catalog.EventInvoicePaid}
	}
	return []catalog.EventType{catalog.EventInvoicePaid}
}
