// Package stripefake owns a stand-in for the part of Stripe's API that an
// engine of prepaid credits uses: objects that remember, payments that can be
// declined, idempotency keys, webhooks that are signed, lost, repeated and
// retried, and faults on demand. It is an http.Handler, so that any client of
// Stripe can be pointed at it; nothing of it ever leaves the machine.
//
// It is not Stripe. A parameter that it does not know is refused, though Stripe
// may know it: a parameter that were accepted and ignored would let a test pass
// that proves nothing. There is no tax, no proration, no payout, and card
// numbers are never asked for; the names of test cards decide what happens.
//
// Time is a clock that the caller sets, or moves with Advance. Webhooks are sent
// when Deliver or Run says so, unless Options.Automatic is set. What is random
// comes from Options.Seed, so that one thread of requests always gives the same
// answers, ids included.
//
// Everything a test may bring about is a method of Fake, and a POST below
// /_control/ for programs in other languages: see control.go and remote.go.
package stripefake
