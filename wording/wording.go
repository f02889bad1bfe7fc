// Package wording writes values of the rules in the vocabulary of v1: units become amounts, and
// numbers within a wallet become ids.
//
// It owns what more than one service says: what an entry looks like in an answer and in a
// webhook is the same. What only one service says is that service's own business.
package wording

import (
	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/money"
	v1 "github.com/seed42445051/scrip/v1"
	"github.com/seed42445051/scrip/wallet"
)

// Amount is a number of units as whole credits.
func Amount(units int64, precision int) money.Decimal {
	return money.Decimal(money.FormatUnits(units, precision))
}

// Precision is how many decimals a credit has.
func Precision(defs *catalog.Definitions, credit string) int {
	if c, ok := defs.Credits[credit]; ok {
		return c.Precision
	}
	return 0
}

// GrantID is the public id of a wallet's grant; empty for none.
func GrantID(w id.Wallet, n int64) string {
	if n == 0 {
		return ""
	}
	return id.Object(id.PrefixGrant, w, n)
}

// Entry is an entry of the wallet of a key, under the definitions of its app. The wallet's id
// follows from the key, and is known to who has many entries.
func Entry(defs *catalog.Definitions, key wallet.Key, w id.Wallet, e *wallet.Entry) v1.Entry {
	p := Precision(defs, e.Credit)
	out := v1.Entry{
		ID: id.Object(id.PrefixEntry, w, e.Seq), Sequence: e.Seq,
		OperationID: id.Object(id.PrefixOperation, w, e.Op), Type: string(e.Type),
		CustomerID: key.Customer, CreditID: e.Credit, Amount: Amount(e.Amount, p),
		BalanceBefore: Amount(e.BalanceBefore, p), BalanceAfter: Amount(e.BalanceAfter, p),
		OverageBefore: Amount(e.OverageBefore, p), OverageAfter: Amount(e.OverageAfter, p),
		Slices: make([]v1.Slice, len(e.Slices)), ReferenceType: e.RefType, ReferenceID: e.RefID,
		Reason: e.Reason, Metadata: e.Metadata, IdempotencyKey: e.Idempotency, Actor: e.Actor,
		EffectiveAt: e.EffectiveAt, RecordedAt: e.RecordedAt, PreviousHash: e.Prev.String(), Hash: e.Hash.String(),
	}
	for i, s := range e.Slices {
		out.Slices[i] = v1.Slice{GrantID: GrantID(w, s.Grant), Amount: Amount(s.Amount(), p)}
	}
	return out
}

// Quantity is a quantity of usage in whole units.
func Quantity(micros int64) money.Decimal { return Amount(micros, wallet.QuantityDecimals) }

// Counters are allowances with their counts.
func Counters(allowances []wallet.Allowance) []v1.Counter {
	out := make([]v1.Counter, len(allowances))
	for i := range allowances {
		a := &allowances[i]
		out[i] = v1.Counter{
			AllowanceID: a.ID, Label: a.Label, Unit: a.Unit, Events: Events(a.Rules), Quota: Quantity(a.Quota),
			Count: Quantity(a.Used), Remaining: Quantity(a.Left()), PeriodStart: a.WindowStart, ResetsAt: a.WindowEnd,
		}
	}
	return out
}

// Events are the event patterns of a scope.
func Events(scope catalog.Scope) []string {
	events := make([]string, len(scope))
	for i, r := range scope {
		events[i] = r.Event
	}
	return events
}

// Overage is a policy for use beyond zero, of a credit with that many decimals.
func Overage(o catalog.Overage, precision int) v1.Overage {
	out := v1.Overage{Enabled: o.Enabled, Behavior: string(o.Behavior), PricePerUnit: o.PricePerUnit, Currency: o.Currency}
	if o.Limited {
		limit := Amount(o.Limit, precision)
		out.Limit = &limit
	}
	return out
}

// Rollover is a policy for what is unused.
func Rollover(r catalog.Rollover) v1.Rollover {
	return v1.Rollover{
		Percent: r.Percent, ValidityCount: r.Validity.Count, ValidityUnit: string(r.Validity.Unit), MaxCount: r.MaxCount, Off: r.Off,
	}
}
