package catalog

import "strings"

// EventType names what a webhook tells.
type EventType string

// The events that a wallet's entries make, and the one that a balance makes.
const (
	EventCreditAdded       EventType = "credit.added" // bought, given, or topped up
	EventCreditDeducted    EventType = "credit.deducted"
	EventCreditExpired     EventType = "credit.expired"
	EventCreditRolledOver  EventType = "credit.rolled_over" // into the new grant
	EventRolloverForfeited EventType = "credit.rollover_forfeited"
	EventOverageCharged    EventType = "credit.overage_charged"
	EventOverageReset      EventType = "credit.overage_reset"
	EventManualAdjustment  EventType = "credit.manual_adjustment"
	EventCreditRefunded    EventType = "credit.refunded" // usage given back, or money: the sign tells
	EventCreditRevoked     EventType = "credit.revoked"
	EventBalanceLow        EventType = "credit.balance_low"
)

// The events that subscriptions and invoices make.
const (
	EventSubscriptionStarted     EventType = "subscription.started"
	EventSubscriptionRenewed     EventType = "subscription.renewed" // the end of a trial included
	EventSubscriptionPlanChanged EventType = "subscription.plan_changed"
	EventSubscriptionUpdated     EventType = "subscription.updated" // what was agreed, or what is planned
	EventSubscriptionPaused      EventType = "subscription.paused"
	EventSubscriptionResumed     EventType = "subscription.resumed"
	EventSubscriptionEnded       EventType = "subscription.ended"
	EventSubscriptionHeld        EventType = "subscription.on_hold"   // the cycle's payment was declined
	EventSubscriptionRecovered   EventType = "subscription.recovered" // and made after all
	EventSubscriptionFailed      EventType = "subscription.failed"    // one was ordered, and will not begin
	EventInvoiceIssued           EventType = "invoice.issued"
	EventInvoicePaid             EventType = "invoice.paid"
	EventInvoiceVoided           EventType = "invoice.voided"
)

// The events that purchases make (design section 5.7), and those that announce what is about to happen.
const (
	EventCreditsTopUp        EventType = "credits.top_up" // credits were bought, however that came
	EventPaymentSucceeded    EventType = "payment.succeeded"
	EventPaymentFailed       EventType = "payment.failed" // an attempt without a page, or for good
	EventPaymentProcessing   EventType = "payment.processing"
	EventPaymentCanceled     EventType = "payment.canceled"   // the page was closed unpaid
	EventPaymentMismatched   EventType = "payment.mismatched" // paid otherwise than expected: nothing was granted
	EventRefundSucceeded     EventType = "refund.succeeded"
	EventRefundFailed        EventType = "refund.failed"
	EventDisputeOpened       EventType = "dispute.opened"
	EventDisputeWon          EventType = "dispute.won"
	EventDisputeLost         EventType = "dispute.lost"
	EventTopUpSucceeded      EventType = "auto_top_up.succeeded"
	EventTopUpFailed         EventType = "auto_top_up.failed"
	EventTopUpActionRequired EventType = "auto_top_up.action_required"
	EventCreditExpiring      EventType = "credit.expiring"
	EventTrialEnding         EventType = "subscription.trial_ending"
)

// The events that only Scrip itself hears: money has to be moved.
const (
	EventPaymentDue EventType = "payment.due"
	EventRefundDue  EventType = "refund.due"
)

// Internal reports whether an event is told to no endpoint of an operator.
func (e EventType) Internal() bool { return e == EventPaymentDue || e == EventRefundDue }

// EventEndpointTest is sent when an operator tries an endpoint, and at no other time. No filter
// concerns it.
const EventEndpointTest EventType = "endpoint.test"

// EventTypes lists the events that an endpoint can subscribe to.
func EventTypes() []EventType {
	return []EventType{
		EventCreditAdded, EventCreditDeducted, EventCreditExpired, EventCreditRolledOver, EventRolloverForfeited,
		EventOverageCharged, EventOverageReset, EventManualAdjustment, EventCreditRefunded, EventCreditRevoked, EventBalanceLow,
		EventSubscriptionStarted, EventSubscriptionRenewed, EventSubscriptionPlanChanged, EventSubscriptionUpdated,
		EventSubscriptionPaused, EventSubscriptionResumed, EventSubscriptionEnded, EventSubscriptionHeld, EventSubscriptionRecovered,
		EventSubscriptionFailed, EventInvoiceIssued, EventInvoicePaid, EventInvoiceVoided,
		EventCreditsTopUp, EventPaymentSucceeded, EventPaymentFailed, EventPaymentProcessing, EventPaymentCanceled, EventPaymentMismatched,
		EventRefundSucceeded, EventRefundFailed, EventDisputeOpened, EventDisputeWon, EventDisputeLost,
		EventTopUpSucceeded, EventTopUpFailed, EventTopUpActionRequired, EventCreditExpiring, EventTrialEnding,
	}
}

// Group is the word before the dot: what the event is about.
func (e EventType) Group() string {
	group, _, _ := strings.Cut(string(e), ".")
	return group
}
