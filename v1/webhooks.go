package v1

import (
	"encoding/json"

	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/money"
)

// WebhookEndpoint is where events of one mode are sent.
type WebhookEndpoint struct {
	ID          string            `json:"id"`
	Mode        string            `json:"mode" doc:"live, test or test/NAME"`
	URL         string            `json:"url"`
	Description string            `json:"description,omitempty"`
	Format      string            `json:"format" doc:"How bodies are written; native unless a compatibility layer made the endpoint"`
	Events      []string          `json:"events" doc:"The types of event that are sent; all when empty"`
	Headers     map[string]string `json:"headers,omitempty"`
	Disabled    bool              `json:"disabled"`
	Ordered     bool              `json:"ordered"`
	RateLimit   int               `json:"rate_limit,omitempty"`
	Metadata    map[string]string `json:"metadata,omitempty"`
	Secret      string            `json:"secret,omitempty" doc:"Only in the answer that made the endpoint; later ask for it"`
	CreatedAt   clock.Instant     `json:"created_at"`
	UpdatedAt   clock.Instant     `json:"updated_at"`
	ArchivedAt  clock.Instant     `json:"archived_at,omitzero"`
}

// CreateWebhookEndpoint says where events of the calling key's mode are to be sent.
type CreateWebhookEndpoint struct {
	URL         string            `json:"url" maxLength:"2000" doc:"http or https"`
	Description string            `json:"description,omitempty"`
	Format      string            `json:"format,omitempty" doc:"native when absent"`
	Events      []string          `json:"events,omitempty" maxItems:"100" doc:"The types of event to send; all when absent" example:"[\"credit.added\"]"`
	Headers     map[string]string `json:"headers,omitempty" doc:"Sent with every request"`
	Disabled    bool              `json:"disabled,omitempty"`
	Ordered     bool              `json:"ordered,omitempty" doc:"Send each customer's events one at a time, in order; one that fails holds back that customer's only"`
	RateLimit   int               `json:"rate_limit,omitempty" minimum:"0" maximum:"10000" doc:"Requests per second; no limit when absent"`
	Metadata    Metadata          `json:"metadata,omitempty"`
}

// UpdateWebhookEndpoint changes an endpoint. What is absent stays.
type UpdateWebhookEndpoint struct {
	URL         *string            `json:"url,omitempty" maxLength:"2000"`
	Description *string            `json:"description,omitempty"`
	Events      *[]string          `json:"events,omitempty" doc:"An empty list is all"`
	Headers     *map[string]string `json:"headers,omitempty" doc:"Replaces all of them"`
	Disabled    *bool              `json:"disabled,omitempty" doc:"What happens while it is true is not sent later; what was pending goes on when it is false again"`
	Ordered     *bool              `json:"ordered,omitempty"`
	RateLimit   *int               `json:"rate_limit,omitempty" minimum:"0" maximum:"10000" doc:"0 for no limit"`
	Metadata    *Metadata          `json:"metadata,omitempty" doc:"Replaces all of it"`
}

// WebhookSecret signs what is sent to an endpoint.
type WebhookSecret struct {
	Secret        string        `json:"secret" doc:"As the Standard Webhooks specification has it: whsec_ and base64"`
	Previous      string        `json:"previous_secret,omitempty" doc:"Signs beside the other until previous_until"`
	PreviousUntil clock.Instant `json:"previous_until,omitzero"`
}

// WebhookDelivery is one event on its way to one endpoint.
type WebhookDelivery struct {
	ID             string           `json:"id"`
	EndpointID     string           `json:"endpoint_id"`
	MessageID      string           `json:"message_id" doc:"The header webhook-id: the same for every attempt, and for every endpoint of the event"`
	Type           string           `json:"type"`
	EntryID        string           `json:"entry_id,omitempty" doc:"The entry that it tells of"`
	SubscriptionID string           `json:"subscription_id,omitempty" doc:"The subscription that it tells of"`
	InvoiceID      string           `json:"invoice_id,omitempty" doc:"The invoice that it tells of"`
	Status         string           `json:"status" enum:"pending,delivered,failed,skipped,canceled" doc:"skipped: the endpoint's format has no such event; canceled: the endpoint was archived"`
	Tries          int              `json:"tries" doc:"Attempts since it was made, or sent again by hand"`
	CreatedAt      clock.Instant    `json:"created_at"`
	NextAt         clock.Instant    `json:"next_attempt_at,omitzero"`
	FinishedAt     clock.Instant    `json:"finished_at,omitzero"`
	Attempts       []WebhookAttempt `json:"attempts,omitempty" doc:"Oldest first; only where one delivery was asked for"`
}

// WebhookAttempt is what came of one request.
type WebhookAttempt struct {
	At         clock.Instant `json:"at"`
	Succeeded  bool          `json:"succeeded"`
	StatusCode int           `json:"status_code,omitempty" doc:"Absent when there was no answer"`
	Error      string        `json:"error,omitempty"`
	DurationMS int64         `json:"duration_ms"`
	Response   string        `json:"response,omitempty" doc:"The first 1 KB of it"`
}

// WebhookDeliveryQuery selects deliveries of an endpoint, newest first.
type WebhookDeliveryQuery struct {
	Status string `query:"status" enum:"pending,delivered,failed,skipped"`
	Type   string `query:"type" doc:"One type of event"`
	Limit  int    `query:"limit" minimum:"1" maximum:"500" doc:"50 when absent"`
	Cursor string `query:"cursor" doc:"next_cursor of the page before"`
}

// RedeliverWebhooks sends an endpoint's deliveries again.
type RedeliverWebhooks struct {
	From       clock.Instant `json:"from" doc:"Made at or after"`
	To         clock.Instant `json:"to,omitzero" doc:"Made before; until now when absent"`
	FailedOnly bool          `json:"failed_only,omitempty" doc:"Only those that were given up"`
}

// Redelivered is how many deliveries will be sent again.
type Redelivered struct {
	Count int64 `json:"count"`
}

// WebhookEvent is the body of a request in the native format.
type WebhookEvent struct {
	ID        string          `json:"id" doc:"As the header webhook-id"`
	Type      string          `json:"type"`
	AppID     string          `json:"app_id"`
	Mode      string          `json:"mode" doc:"live, test or test/NAME"`
	Timestamp clock.Instant   `json:"timestamp" doc:"When it took effect"`
	Data      json.RawMessage `json:"data"`
}

// WebhookEntry is the data of every credit event but credit.balance_low.
type WebhookEntry struct {
	Entry
	CreditName string `json:"credit_name"`
	Unit       string `json:"unit"`
}

// WebhookBalanceLow is the data of credit.balance_low.
type WebhookBalanceLow struct {
	CustomerID string        `json:"customer_id"`
	CreditID   string        `json:"credit_id"`
	CreditName string        `json:"credit_name"`
	Unit       string        `json:"unit"`
	Balance    money.Decimal `json:"balance"`
	Threshold  money.Decimal `json:"threshold"`
	EntryID    string        `json:"entry_id" doc:"The entry that took the balance below"`
}

// WebhookSubscription is the data of events of a subscription: what happened, and how the
// subscription is when this is sent.
type WebhookSubscription struct {
	Change       SubscriptionEvent `json:"change"`
	Subscription Subscription      `json:"subscription"`
}

// WebhookTest is the data of endpoint.test.
type WebhookTest struct {
	EndpointID string `json:"endpoint_id"`
}
