// Package wallet is the heart of Scrip: the rules of credits, pure.
//
// State + Command + instant -> Decision. A State is all that one customer holds in one app and
// mode: grants, holds, allowances, overage. Decide looks at it and answers; it changes nothing.
// Apply takes a Decision into the State. Settle is the decision that time alone brings about:
// what has expired, what has begun.
//
// The package owns the draw order, denials, holds, expiry, rollover, overage, revocation,
// reversal, and the entries that record them (design section 5). It does not own storage,
// concurrency, idempotency, ids of other things, or the clock: instants are arguments.
//
// Read it in this order: state.go (the nouns), entry.go (the record), command.go (the verbs),
// draw.go (which grant pays), then spend.go, hold.go, grant.go, settle.go, revoke.go. Plans follow:
// subscription.go and terms.go (the nouns), subscribe.go (the verbs), cycle.go (what time does to
// them), invoice.go. Purchases: order.go (the nouns), buy.go and cart.go (the verbs), pay.go (what a
// payment means), refund.go, collect.go, topup.go, and outside.go for billers other than us. Meters come
// last: meter.go, period.go, gate.go.
package wallet
