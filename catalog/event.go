package catalog

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
	EventInvoiceIssued           EventType = "invoice.issued"
	EventInvoicePaid             EventType = "invoice.paid"
	EventInvoiceVoided           EventType = "invoice.voided"
)

// EventEndpointTest is sent when an operator tries an endpoint, and at no other time. No filter
// concerns it.
const EventEndpointTest EventType = "endpoint.test"

// EventTypes lists the events that an endpoint can subscribe to.
func EventTypes() []EventType {
	return []EventType{
		EventCreditAdded, EventCreditDeducted, EventCreditExpired, EventCreditRolledOver, EventRolloverForfeited,
		EventOverageCharged, EventOverageReset, EventManualAdjustment, EventCreditRefunded, EventCreditRevoked, EventBalanceLow,
		EventSubscriptionStarted, EventSubscriptionRenewed, EventSubscriptionPlanChanged, EventSubscriptionUpdated,
		EventSubscriptionPaused, EventSubscriptionResumed, EventSubscriptionEnded, EventInvoiceIssued, EventInvoicePaid, EventInvoiceVoided,
	}
}
