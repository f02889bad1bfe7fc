package stripe

import (
	"strconv"

	"github.com/seed42445051/scrip/payments/provider"
	"github.com/seed42445051/scrip/wallet"
)

// The metadata that Scrip gives to what it makes at Stripe. Only these keys go there, so that Stripe's
// limits (50 keys of 40 characters, values of 500) hold whatever an order's own metadata are.
const (
	metaOrder    = "scrip_order"      // public id
	metaCustomer = "scrip_customer"   // Scrip's id
	metaApp      = "scrip_app"        // id
	metaMode     = "scrip_mode"       // with the sandbox
	metaAttempt  = "scrip_attempt"    // of a charge without a page
	metaRefund   = "scrip_refund"     // the number of a refund within its order
	metaSaves    = "scrip_saves_card" // saves, where the card is kept
	metaPlan     = "scrip_plan"       // of a subscription that Stripe bills: id or name

	// Names of the same that programs which read Stripe's webhooks themselves expect (seed 001).
	metaUser   = "userId"
	metaPack   = "packId"
	metaPlanID = "planId"
)

const saves = "true"

// customerMetadata is whose something is.
func customerMetadata(k *wallet.Key) map[string]string {
	return map[string]string{metaCustomer: k.Customer, metaApp: k.App, metaMode: string(k.Mode), metaUser: k.Customer}
}

// orderMetadata is what something is for.
func orderMetadata(p *provider.Place, o *wallet.Order, orderID string) map[string]string {
	m := customerMetadata(&p.Key)
	m[metaOrder] = orderID
	if o.Kind == wallet.PackOrder || o.Kind == wallet.TopUpOrder {
		m[metaPack] = o.What
	}
	if o.SaveCard {
		m[metaSaves] = saves
	}
	if o.OffSession {
		m[metaAttempt] = strconv.Itoa(o.Attempt)
	}
	return m
}

// attemptIn is the attempt that a charge without a page was; 0: it had a page, or is none of ours.
func attemptIn(metadata map[string]string) int {
	n, err := strconv.Atoi(metadata[metaAttempt])
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// refundIn is the number of a refund that was asked for by Scrip; 0: somebody else asked for it.
func refundIn(metadata map[string]string) int64 {
	n, err := strconv.ParseInt(metadata[metaRefund], 10, 64)
	if err != nil || n < 0 || metadata[metaOrder] == "" {
		return 0
	}
	return n
}
