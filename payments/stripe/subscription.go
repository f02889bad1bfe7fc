package stripe

import (
	"net/http"
	"slices"
	"time"

	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/payments/provider"
)

const pathSubscriptions = "/v1/subscriptions"

// The statuses of a subscription that is over.
var subscriptionOver = []string{"canceled", "incomplete_expired"}

// cycleReasons are those of invoices that pay for a cycle; others are for changes within one.
var cycleReasons = []string{"subscription_create", "subscription_cycle", "subscription"}

const invoiceIsPaid = "paid"

// subscription tells how a subscription stands that Stripe bills, if it names a customer of Scrip.
func (r *reading) subscription(s *subscription) (*provider.Event, *failure) {
	if customerIn(s.Metadata) == "" {
		return nil, nil
	}
	return r.standing(s.ID, nil)
}

// invoice tells how the subscription stands that an invoice is for.
func (r *reading) invoice(v *invoice) (*provider.Event, *failure) {
	of := v.Older.ID
	if v.Parent != nil && v.Parent.Details != nil {
		of = v.Parent.Details.Subscription.ID
	}
	if of == "" {
		return nil, nil
	}
	if r.e.Type != invoicePaid {
		v = nil
	}
	return r.standing(of, v)
}

// standing fetches a subscription, so that what is told is how it stands now: events come in any order,
// and an old one says nothing any more (T23). Paid is an invoice that was paid just now, or nil.
func (r *reading) standing(id string, paid *invoice) (*provider.Event, *failure) {
	s, failed := get[subscription](r.ctx, r.a, at(pathSubscriptions, id), expand("latest_invoice"))
	if failed != nil && failed.status == http.StatusNotFound {
		return nil, nil // deleted with all of its traces, as test data are
	}
	if failed != nil {
		return nil, failed
	}
	customer, plan, mode := customerIn(s.Metadata), planIn(s.Metadata), s.Metadata[metaMode]
	if customer == "" || plan == "" || mode != "" && mode != string(r.mode) {
		return nil, nil
	}
	told := &provider.Subscription{
		Ref: s.ID, App: s.Metadata[metaApp], Customer: customer, Plan: plan, Quantity: 1,
		Ended: slices.Contains(subscriptionOver, s.Status), EndsAt: second(s.CancelAt),
	}
	if len(s.Items.Data) > 0 {
		item := &s.Items.Data[0]
		told.Quantity, told.Start, told.End = max(1, item.Quantity), second(item.Start), second(item.End)
	}
	if s.CancelAtPeriodEnd && told.EndsAt.IsZero() {
		told.EndsAt = told.End
	}
	for _, v := range []*invoice{paid, s.LatestInvoice.Value} {
		if !told.Paid && pays(v, told.Start) {
			told.Paid, told.Invoice = true, v.ID
		}
	}
	return &provider.Event{Subscription: told}, nil
}

// pays tells whether an invoice has paid the cycle that began at start: a cycle's invoice is made as
// the cycle begins, so that an older one paid an earlier cycle.
func pays(v *invoice, start clock.Instant) bool {
	return v != nil && v.Status == invoiceIsPaid && slices.Contains(cycleReasons, v.BillingReason) && second(v.Created) >= start
}

func customerIn(metadata map[string]string) string {
	return first(metadata[metaCustomer], metadata[metaUser])
}

func planIn(metadata map[string]string) string {
	return first(metadata[metaPlan], metadata[metaPlanID])
}

// first is the first text that is not empty.
func first(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// second is an instant that Stripe gave in seconds; 0: none.
func second(unix int64) clock.Instant {
	if unix == 0 {
		return 0
	}
	return clock.At(time.Unix(unix, 0))
}
