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
