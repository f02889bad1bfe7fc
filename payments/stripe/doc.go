// Package stripe is the payment provider Stripe: hosted Checkout pages, cards that are charged
// without anybody there, refunds, and the webhooks that tell of them.
//
// It owns how Stripe is asked and how its answers read: requests and their idempotency keys, the
// signature of webhooks, which decline means what, and how Stripe counts money. What an order comes
// to, and what its news lead to, is decided in package wallet; when something is asked, or asked
// again, in package payments. It keeps nothing, and its own requests are never repeated by themselves.
//
// Requests are written with the vendor's library, which knows their fields. Answers and events are
// read with the few fields that are needed, so that those of another version of the API read as well.
package stripe
