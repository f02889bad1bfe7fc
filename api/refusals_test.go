package api

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/seed42445051/scrip/fault"
	v1 "github.com/seed42445051/scrip/v1"
)

// refusal is a request that is refused, and how. Ids of the world stand in braces.
type refusal struct {
	name, request, body string
	code                fault.Code
	field               string
}

const (
	deduct = "POST /v1/deduct"
	grant  = "POST /v1/grants"
	hook   = "POST /v1/webhook-endpoints"

	subscribe = "POST /v1/subscriptions"
)

func charging(amount string) string {
	return `{"customer_id":"c","credit_id":"api","amount":` + amount + `}`
}

// subscribing asks for the plan and something more.
func subscribing(more string) string { return `{"customer_id":"n","plan_id":"pro",` + more + `}` }

func tagged(metadata string) string {
	return `{"customer_id":"c","credit_id":"api","amount":"1","metadata":` + metadata + `}`
}

var refusals = []refusal{
	{"neither true nor false", "GET /v1/orders?unmet=1", "", fault.CodeInvalidRequest, "unmet"},
	{"zero", deduct, charging(`"0"`), fault.CodeInvalidAmount, "amount"},
	{"zero as a number", deduct, charging(`0`), fault.CodeInvalidAmount, "amount"},
	{"zero with an exponent", deduct, charging(`0e9`), fault.CodeInvalidAmount, "amount"},
	{"negative", deduct, charging(`"-1"`), fault.CodeInvalidAmount, "amount"},
	{"negative as a number", deduct, charging(`-1`), fault.CodeInvalidAmount, "amount"},
	{"negative grant", grant, charging(`-1`), fault.CodeInvalidAmount, "amount"},
	{"zero grant", grant, charging(`0`), fault.CodeInvalidAmount, "amount"},
	{"more decimals than the credit has", deduct, charging(`"0.001"`), fault.CodeAmountTooPrecise, "amount"},
	{"more decimals as a number", deduct, charging(`1e-3`), fault.CodeAmountTooPrecise, "amount"},
	{"beyond int64", deduct, charging(`"92233720368547758.08"`), fault.CodeAmountOutOfRange, "amount"},
	{"grant beyond int64", grant, charging(`"92233720368547758.08"`), fault.CodeAmountOutOfRange, "amount"},
	{"grant that overflows the balance", grant, charging(`"10000000000000000"`), fault.CodeAmountOutOfRange, "amount"},
	{"huge exponent", deduct, charging(`1e400`), fault.CodeAmountOutOfRange, "amount"},
	{"absurd exponent", deduct, charging(`"1e999999999999999999999"`), fault.CodeAmountOutOfRange, "amount"},
	{"tiny exponent", deduct, charging(`1e-400`), fault.CodeAmountTooPrecise, "amount"},
	{"NaN", deduct, charging(`"NaN"`), fault.CodeInvalidAmount, "amount"},
	{"infinity", deduct, charging(`"Infinity"`), fault.CodeInvalidAmount, "amount"},
	{"NaN bare", deduct, charging(`NaN`), fault.CodeInvalidJSON, ""},
	{"letters", deduct, charging(`"abc"`), fault.CodeInvalidAmount, "amount"},
	{"hexadecimal", deduct, charging(`"0x10"`), fault.CodeInvalidAmount, "amount"},
	{"thousands", deduct, charging(`"1,000"`), fault.CodeInvalidAmount, "amount"},
	{"spaces", deduct, charging(`" 1"`), fault.CodeInvalidAmount, "amount"},
	{"plus", deduct, charging(`"+1"`), fault.CodeInvalidAmount, "amount"},
	{"other digits", deduct, charging(`"١"`), fault.CodeInvalidAmount, "amount"},
	{"a very long number", deduct, charging(strings.Repeat("9", 500)), fault.CodeInvalidAmount, "amount"},
	{"boolean amount", deduct, charging(`true`), fault.CodeInvalidAmount, "amount"},
	{"list as amount", deduct, charging(`["1"]`), fault.CodeInvalidAmount, "amount"},
	{"object as amount", deduct, charging(`{"value":"1"}`), fault.CodeInvalidAmount, "amount"},
	{"no amount", deduct, `{"customer_id":"c","credit_id":"api"}`, fault.CodeMissingField, "amount"},
	{"null amount", deduct, charging(`null`), fault.CodeMissingField, "amount"},
	{"empty amount", deduct, charging(`""`), fault.CodeMissingField, "amount"},
	{"more than there is", deduct, charging(`"1000"`), fault.CodeInsufficientCredits, ""},
	{"amount twice", deduct, `{"customer_id":"c","credit_id":"api","amount":"1","amount":"2"}`, fault.CodeInvalidRequest, "amount"},
	{"customer twice, once escaped", deduct, `{"customer_id":"c","customer\u005fid":"d","credit_id":"api","amount":"1"}`, fault.CodeInvalidRequest, "customer_id"},
	{"customer in other letters", deduct, `{"Customer_ID":"c","credit_id":"api","amount":"1"}`, fault.CodeUnknownField, "Customer_ID"},
	{"customer in these letters and others", deduct, `{"customer_id":"c","CUSTOMER_ID":"d","credit_id":"api","amount":"1"}`, fault.CodeUnknownField, "CUSTOMER_ID"},
	{"metadata twice", deduct, tagged(`{"a":"1"},"metadata":{}`), fault.CodeInvalidRequest, "metadata"},
	{"a key of metadata twice", deduct, tagged(`{"a":"1", "b" : 2, "a":"3"}`), fault.CodeInvalidRequest, "metadata.a"},
	{"a field twice in a list", grant, `{"customer_id":"c","credit_id":"api","amount":"1","scope":[{"event":"a"},{"event":"a","event":"*"}]}`, fault.CodeInvalidRequest, "scope.1.event"},
	{"a field in other letters in a list", grant, `{"customer_id":"c","credit_id":"api","amount":"1","scope":[{"Event":"*"}]}`, fault.CodeUnknownField, "scope.0.Event"},
	{"a key twice in a clause", "POST /v1/meters", `{"name":"m","event_name":"e","measurement_unit":"u","aggregation":{"type":"count"},"filter":{"conjunction":"and","clauses":[{"key":"a","operator":"equals","value":"x","value":"y"}]}}`, fault.CodeInvalidRequest, "filter.clauses.0.value"},
	{"zero quantity", deduct, `{"customer_id":"c","event":"chat","quantity":0}`, fault.CodeInvalidQuantity, "quantity"},
	{"negative quantity", deduct, `{"customer_id":"c","event":"chat","quantity":"-2"}`, fault.CodeInvalidQuantity, "quantity"},
	{"quantity NaN", "POST /v1/track", `{"customer_id":"c","event":"chat","quantity":"NaN"}`, fault.CodeInvalidQuantity, "quantity"},
	{"event and amount", deduct, `{"customer_id":"c","event":"chat","amount":"1"}`, fault.CodeConflictingFields, "amount"},
	{"credit and quantity", deduct, `{"customer_id":"c","credit_id":"api","amount":"1","quantity":"1"}`, fault.CodeConflictingFields, "quantity"},
	{"neither credit nor event", deduct, `{"customer_id":"c"}`, fault.CodeMissingField, "credit_id"},
	{"no customer", deduct, `{"credit_id":"api","amount":"1"}`, fault.CodeMissingField, "customer_id"},
	{"long customer", deduct, `{"customer_id":"` + strings.Repeat("x", 257) + `","credit_id":"api","amount":"1"}`, fault.CodeInvalidCustomerID, "customer_id"},
	{"control character in customer", deduct, `{"customer_id":"a\nb","credit_id":"api","amount":"1"}`, fault.CodeInvalidCustomerID, "customer_id"},
	{"not UTF-8", deduct, "{\"customer_id\":\"\xff\",\"credit_id\":\"api\",\"amount\":\"1\"}", fault.CodeInvalidCustomerID, "customer_id"},
	{"number as customer", deduct, `{"customer_id":7,"credit_id":"api","amount":"1"}`, fault.CodeInvalidJSON, "customer_id"},
	{"unknown shortfall", deduct, `{"customer_id":"c","credit_id":"api","amount":"1","shortfall":"free"}`, fault.CodeInvalidRequest, "shortfall"},
	{"ttl too long", "POST /v1/reserve", `{"customer_id":"c","credit_id":"api","amount":"1","ttl_seconds":86401}`, fault.CodeInvalidRequest, "ttl_seconds"},
	{"fractional ttl", "POST /v1/reserve", `{"customer_id":"c","credit_id":"api","amount":"1","ttl_seconds":1.5}`, fault.CodeInvalidJSON, "ttl_seconds"},
	{"huge ttl", "POST /v1/reserve", `{"customer_id":"c","credit_id":"api","amount":"1","ttl_seconds":1e30}`, fault.CodeInvalidJSON, "ttl_seconds"},
	{"priority", grant, `{"customer_id":"c","credit_id":"api","amount":"1","priority":101}`, fault.CodeInvalidPriority, "priority"},
	{"category", grant, `{"customer_id":"c","credit_id":"api","amount":"1","category":"free"}`, fault.CodeInvalidRequest, "category"},
	{"expiry in the past", grant, `{"customer_id":"c","credit_id":"api","amount":"1","expires_at":"2020-01-01T00:00:00Z"}`, fault.CodeInvalidTime, "expires_at"},
	{"expiry that is no time", grant, `{"customer_id":"c","credit_id":"api","amount":"1","expires_at":"tomorrow"}`, fault.CodeInvalidTime, "expires_at"},
	{"expiry as a number", grant, `{"customer_id":"c","credit_id":"api","amount":"1","expires_at":1893456000}`, fault.CodeInvalidTime, "expires_at"},
	{"pack and credit", grant, `{"customer_id":"c","credit_id":"api","amount":"1","pack_id":"starter"}`, fault.CodeConflictingFields, "pack_id"},
	{"scope without event", grant, `{"customer_id":"c","credit_id":"api","amount":"1","scope":[{"metadata":{"a":"b"}}]}`, fault.CodeMissingField, "scope.0.event"},
	{"nested unknown field", grant, `{"customer_id":"c","credit_id":"api","amount":"1","scope":[{"event":"a"},{"event":"b","evnt":"c"}]}`, fault.CodeUnknownField, "scope.1.evnt"},
	{"nested wrong type", "POST /v1/packs", `{"name":"p","items":[{"credit_id":"api","amount":"1","priority":"high"}]}`, fault.CodeInvalidJSON, "items.0.priority"},

	{"unknown credit", deduct, `{"customer_id":"c","credit_id":"nope","amount":"1"}`, fault.CodeCreditNotFound, "credit_id"},
	{"unknown pack", grant, `{"customer_id":"c","pack_id":"nope"}`, fault.CodePackNotFound, "pack_id"},
	{"unknown grant", "GET /v1/grants/nope", ``, fault.CodeGrantNotFound, "grant_id"},
	{"unknown grant to revoke", "POST /v1/grants/nope/revoke", `{}`, fault.CodeGrantNotFound, "grant_id"},
	{"an entry for a grant", "GET /v1/grants/{entry}", ``, fault.CodeGrantNotFound, "grant_id"},
	{"unknown reservation", "POST /v1/commit", `{"reservation_id":"nope"}`, fault.CodeReservationNotFound, "reservation_id"},
	{"unknown reservation to read", "GET /v1/reservations/nope", ``, fault.CodeReservationNotFound, "reservation_id"},
	{"unknown entry", "GET /v1/entries/nope", ``, fault.CodeEntryNotFound, "entry_id"},
	{"unknown entry to reverse", "POST /v1/entries/nope/reverse", `{}`, fault.CodeEntryNotFound, "entry_id"},
	{"unknown entry to explain", "GET /v1/entries/nope/explain", ``, fault.CodeEntryNotFound, "entry_id"},
	{"unknown credit to read", "GET /v1/credits/nope", ``, fault.CodeCreditNotFound, "credit_id"},
	{"unknown credit to change", "PATCH /v1/credits/nope", `{}`, fault.CodeCreditNotFound, "credit_id"},
	{"unknown credit to archive", "POST /v1/credits/nope/archive", ``, fault.CodeCreditNotFound, "credit_id"},
	{"unknown pack to read", "GET /v1/packs/nope", ``, fault.CodePackNotFound, "pack_id"},
	{"unknown pack to archive", "POST /v1/packs/nope/archive", ``, fault.CodePackNotFound, "pack_id"},
	{"unknown customer", "GET /v1/customers/nobody", ``, fault.CodeCustomerNotFound, "customer_id"},
	{"unknown key", "POST /v1/keys/nope/revoke", ``, fault.CodeKeyNotFound, "key_id"},
	{"name taken", "POST /v1/credits", `{"name":"API","unit":"call"}`, fault.CodeNameTaken, "name"},
	{"more than is reserved", "POST /v1/commit", `{"reservation_id":"{hold}","amount":"8"}`, fault.CodeReservationTooSmall, "amount"},
	{"revoke nothing", "POST /v1/grants/{grant}/revoke", `{"amount":"0"}`, fault.CodeInvalidAmount, "amount"},
	{"reverse more than was taken", "POST /v1/entries/{entry}/reverse", `{"amount":"6"}`, fault.CodeInvalidAmount, "amount"},
	{"adjust by zero", "POST /v1/adjust", `{"customer_id":"c","credit_id":"api","amount":"0","reason":"x"}`, fault.CodeInvalidAmount, "amount"},
	{"adjust without reason", "POST /v1/adjust", `{"customer_id":"c","credit_id":"api","amount":"1"}`, fault.CodeMissingField, "reason"},

	{"webhook without address", hook, `{}`, fault.CodeMissingField, "url"},
	{"webhook to no address", hook, `{"url":"example.com"}`, fault.CodeInvalidRequest, "url"},
	{"webhook to a file", hook, `{"url":"file:///etc/passwd"}`, fault.CodeInvalidRequest, "url"},
	{"webhook with a password", hook, `{"url":"https://a:b@example.com"}`, fault.CodeInvalidRequest, "url"},
	{"webhook for no event", hook, `{"url":"https://example.com","events":["credit.stolen"]}`, fault.CodeInvalidRequest, "events"},
	{"webhook for a test only", hook, `{"url":"https://example.com","events":["endpoint.test"]}`, fault.CodeInvalidRequest, "events"},
	{"webhook with our header", hook, `{"url":"https://example.com","headers":{"Webhook-Signature":"x"}}`, fault.CodeInvalidRequest, "headers.Webhook-Signature"},
	{"webhook with a header that ends another", hook, `{"url":"https://example.com","headers":{"X":"a\r\nWebhook-Id: b"}}`, fault.CodeInvalidRequest, "headers.X"},
	{"webhook with a header without a name", hook, `{"url":"https://example.com","headers":{"":"a"}}`, fault.CodeInvalidRequest, "headers"},
	{"webhook of an unknown format", hook, `{"url":"https://example.com","format":"xml"}`, fault.CodeInvalidConfig, "format"},
	{"unknown webhook endpoint", "GET /v1/webhook-endpoints/nope", ``, fault.CodeWebhookEndpointNotFound, "endpoint_id"},
	{"unknown webhook endpoint to change", "PATCH /v1/webhook-endpoints/nope", `{}`, fault.CodeWebhookEndpointNotFound, "endpoint_id"},
	{"unknown webhook endpoint to try", "POST /v1/webhook-endpoints/nope/test", ``, fault.CodeWebhookEndpointNotFound, "endpoint_id"},
	{"unknown webhook endpoint to list", "GET /v1/webhook-endpoints/nope/deliveries", ``, fault.CodeWebhookEndpointNotFound, "endpoint_id"},
	{"secret of an unknown webhook endpoint", "GET /v1/webhook-endpoints/nope/secret", ``, fault.CodeWebhookEndpointNotFound, "endpoint_id"},
	{"unknown webhook delivery", "GET /v1/webhook-deliveries/nope", ``, fault.CodeWebhookDeliveryNotFound, "delivery_id"},
	{"unknown webhook delivery to repeat", "POST /v1/webhook-deliveries/dlv_{entry}/redeliver", ``, fault.CodeWebhookDeliveryNotFound, "delivery_id"},
	{"redelivery since never", "POST /v1/webhook-endpoints/{hook}/redeliver", `{}`, fault.CodeMissingField, "from"},
	{"redelivery backwards", "POST /v1/webhook-endpoints/{hook}/redeliver", `{"from":"2026-01-02T00:00:00Z","to":"2026-01-01T00:00:00Z"}`, fault.CodeInvalidTime, "to"},
	{"deliveries of no status", "GET /v1/webhook-endpoints/{hook}/deliveries?status=lost", ``, fault.CodeInvalidRequest, "status"},
	{"deliveries of no event", "GET /v1/webhook-endpoints/{hook}/deliveries?type=credit.stolen", ``, fault.CodeInvalidRequest, "type"},
	{"cursor of no delivery", "GET /v1/webhook-endpoints/{hook}/deliveries?cursor=x", ``, fault.CodeInvalidCursor, "cursor"},
	{"too many deliveries", "GET /v1/webhook-endpoints/{hook}/deliveries?limit=501", ``, fault.CodeInvalidLimit, "limit"},
	{"negative threshold", "POST /v1/credits", `{"name":"n","unit":"u","low_balance_threshold":"-1"}`, fault.CodeInvalidAmount, "low_balance_threshold"},
	{"threshold too precise", "POST /v1/credits", `{"name":"n","unit":"u","low_balance_threshold":"0.5"}`, fault.CodeAmountTooPrecise, "low_balance_threshold"},

	{"subscription of nobody", subscribe, `{"plan_id":"pro"}`, fault.CodeMissingField, "customer_id"},
	{"subscription to nothing", subscribe, `{"customer_id":"n"}`, fault.CodeMissingField, "plan_id"},
	{"unknown plan", subscribe, `{"customer_id":"n","plan_id":"nope"}`, fault.CodePlanNotFound, "plan_id"},
	{"a pack for a plan", subscribe, `{"customer_id":"n","plan_id":"starter"}`, fault.CodePlanNotFound, "plan_id"},
	{"less than none of a plan", subscribe, subscribing(`"quantity":-1`), fault.CodeInvalidRequest, "quantity"},
	{"trial of less than nothing", subscribe, subscribing(`"trial_days":-1`), fault.CodeInvalidRequest, "trial_days"},
	{"unknown zone", subscribe, subscribing(`"zone":"Mars/Olympus"`), fault.CodeInvalidRequest, "zone"},
	{"the zone of whichever machine", subscribe, subscribing(`"zone":"Local"`), fault.CodeInvalidRequest, "zone"},
	{"end in the past", subscribe, subscribing(`"ends_at":"2020-01-01T00:00:00Z"`), fault.CodeInvalidTime, "ends_at"},
	{"end now", subscribe, subscribing(`"ends_at":"2026-02-02T02:40:00Z"`), fault.CodeInvalidTime, "ends_at"},
	{"limit of an unknown allowance", subscribe, subscribing(`"custom_limits":{"Videos":"5"}`), fault.CodeInvalidRequest, "custom_limits.Videos"},
	{"negative limit", subscribe, subscribing(`"custom_limits":{"Images":"-1"}`), fault.CodeInvalidQuantity, "custom_limits.Images"},
	{"limit that is no number", subscribe, subscribing(`"custom_limits":{"Images":"many"}`), fault.CodeInvalidAmount, "custom_limits.Images"},
	{"change that comes never", subscribe, subscribing(`"when":"never"`), fault.CodeInvalidRequest, "when"},
	{"unknown way to charge", subscribe, subscribing(`"charge":"twice"`), fault.CodeInvalidRequest, "charge"},
	{"unknown way to change", subscribe, subscribing(`"on_change":"forget"`), fault.CodeInvalidRequest, "on_change"},
	{"plan with more credits than fit", subscribe, `{"customer_id":"n","plan_id":"vast","quantity":1000000}`, fault.CodeAmountOutOfRange, "quantity"},
	{"end of nothing", "POST /v1/subscriptions/cancel", `{}`, fault.CodeMissingField, "customer_id"},
	{"end of two sorts", "POST /v1/subscriptions/cancel", `{"customer_id":"s","ends_at":"2040-01-01T00:00:00Z","at_cycle_end":true}`, fault.CodeConflictingFields, "ends_at"},
	{"end of what never began", "POST /v1/subscriptions/cancel", `{"customer_id":"c"}`, fault.CodeSubscriptionNotFound, "subscription_id"},
	{"unknown subscription to end", "POST /v1/subscriptions/cancel", `{"subscription_id":"nope"}`, fault.CodeSubscriptionNotFound, "subscription_id"},
	{"unknown subscription", "GET /v1/subscriptions/nope", ``, fault.CodeSubscriptionNotFound, "subscription_id"},
	{"an invoice for a subscription", "GET /v1/subscriptions/{invoice}", ``, fault.CodeSubscriptionNotFound, "subscription_id"},
	{"history of an unknown subscription", "GET /v1/subscriptions/nope/history", ``, fault.CodeSubscriptionNotFound, "subscription_id"},
	{"next invoice of an unknown subscription", "GET /v1/subscriptions/nope/next-invoice", ``, fault.CodeSubscriptionNotFound, "subscription_id"},
	{"unknown subscription to pause", "POST /v1/subscriptions/nope/pause", `{}`, fault.CodeSubscriptionNotFound, "subscription_id"},
	{"unknown subscription to change", "PATCH /v1/subscriptions/nope", `{}`, fault.CodeSubscriptionNotFound, "subscription_id"},
	{"next cycle in the past", "PATCH /v1/subscriptions/{subscription}", `{"next_cycle_at":"2020-01-01T00:00:00Z"}`, fault.CodeInvalidTime, "next_cycle_at"},
	{"terms of an unknown credit", "PATCH /v1/subscriptions/{subscription}", `{"credits":[{"credit_id":"nope"}]}`, fault.CodeCreditNotFound, "credits.credit_id"},
	{"terms too precise", "PATCH /v1/subscriptions/{subscription}", `{"credits":[{"credit_id":"api","amount":"0.001"}]}`, fault.CodeAmountTooPrecise, "credits.amount"},
	{"terms beyond what fits", "PATCH /v1/subscriptions/{subscription}", `{"credits":[{"credit_id":"api","amount":"92233720368547758.07"}]}`, fault.CodeInvalidAmount, "credits.amount"},
	{"negative overage limit", "PATCH /v1/subscriptions/{subscription}", `{"credits":[{"credit_id":"api","overage":{"enabled":true,"limit":"-1"}}]}`, fault.CodeInvalidAmount, "credits.overage.limit"},
	{"unknown invoice", "GET /v1/invoices/nope", ``, fault.CodeInvoiceNotFound, "invoice_id"},
	{"unknown invoice to pay", "POST /v1/invoices/nope/pay", `{}`, fault.CodeInvoiceNotFound, "invoice_id"},
	{"a subscription for an invoice", "POST /v1/invoices/{subscription}/void", `{}`, fault.CodeInvoiceNotFound, "invoice_id"},
	{"cursor of no subscription", "GET /v1/subscriptions?cursor=x", ``, fault.CodeInvalidCursor, "cursor"},
	{"cursor of no invoice", "GET /v1/invoices?cursor=x", ``, fault.CodeInvalidCursor, "cursor"},
	{"subscriptions of no status", "GET /v1/subscriptions?status=odd", ``, fault.CodeInvalidRequest, "status"},
	{"invoices of no status", "GET /v1/invoices?status=draft", ``, fault.CodeInvalidRequest, "status"},
	{"too many invoices", "GET /v1/invoices?limit=501", ``, fault.CodeInvalidLimit, "limit"},
	{"wrong method beside an id", "GET /v1/subscriptions/cancel/", ``, fault.CodeNotFound, ""},

	{"deep metadata", deduct, tagged(`{"a":{"b":1}}`), fault.CodeInvalidMetadata, "metadata"},
	{"null in metadata", deduct, tagged(`{"a":null}`), fault.CodeInvalidMetadata, "metadata"},
	{"metadata that is a list", deduct, tagged(`["a"]`), fault.CodeInvalidMetadata, "metadata"},
	{"long metadata value", deduct, tagged(`{"a":"` + strings.Repeat("x", 5000) + `"}`), fault.CodeMetadataTooLarge, "metadata.a"},
	{"long metadata name", deduct, tagged(`{"` + strings.Repeat("x", 300) + `":"a"}`), fault.CodeMetadataTooLarge, "metadata"},
	{"many metadata pairs", deduct, tagged(manyPairs(200)), fault.CodeMetadataTooLarge, "metadata"},

	{"malformed", deduct, `{"customer_id":"c"`, fault.CodeInvalidJSON, ""},
	{"two values", deduct, charging(`1`) + `{}`, fault.CodeInvalidJSON, ""},
	{"garbage behind", deduct, charging(`1`) + `x`, fault.CodeInvalidJSON, ""},
	{"trailing comma", deduct, `{"customer_id":"c",}`, fault.CodeInvalidJSON, ""},
	{"list as body", deduct, `[]`, fault.CodeInvalidJSON, ""},
	{"text as body", deduct, `"deduct"`, fault.CodeInvalidJSON, ""},
	{"null as body", deduct, `null`, fault.CodeInvalidJSON, ""},
	{"deeply nested", deduct, `{"metadata":` + strings.Repeat("[", 20000) + strings.Repeat("]", 20000) + `}`, fault.CodeInvalidJSON, ""},
	{"unknown field", deduct, `{"customer_id":"c","credit_id":"api","amount":"1","ammount":"2"}`, fault.CodeUnknownField, "ammount"},
	{"field of a call that has none", "POST /v1/packs/{pack}/archive", `{"reason":"x"}`, fault.CodeUnknownField, "reason"},
	{"no body", deduct, ``, fault.CodeMissingField, "customer_id"},

	{"unknown parameter", "GET /v1/customers/c/ledger?credit=api", ``, fault.CodeUnknownField, "credit"},
	{"parameter twice", "GET /v1/customers/c/ledger?limit=1&limit=2", ``, fault.CodeInvalidRequest, "limit"},
	{"limit zero", "GET /v1/customers/c/ledger?limit=0", ``, fault.CodeInvalidLimit, "limit"},
	{"limit that is no number", "GET /v1/customers/c/grants?limit=ten", ``, fault.CodeInvalidLimit, "limit"},
	{"limit too large", "GET /v1/customers?limit=501", ``, fault.CodeInvalidLimit, "limit"},
	{"limit beyond int64", "GET /v1/customers?limit=99999999999999999999", ``, fault.CodeInvalidLimit, "limit"},
	{"cursor of nobody", "GET /v1/customers/c/ledger?cursor=x", ``, fault.CodeInvalidCursor, "cursor"},
	{"type of no entry", "GET /v1/customers/c/ledger?type=theft", ``, fault.CodeInvalidRequest, "type"},
	{"status of no grant", "GET /v1/customers/c/grants?status=lost", ``, fault.CodeInvalidRequest, "status"},
	{"balance of the future", "GET /v1/customers/c/balances?at=2099-01-01T00:00:00Z", ``, fault.CodeInvalidTime, "at"},
	{"balance of no time", "GET /v1/customers/c/balances?at=now", ``, fault.CodeInvalidTime, "at"},
	{"usage of nobody", "GET /v1/usage", ``, fault.CodeInvalidCustomerID, "customer_id"},
	{"query that cannot be read", "GET /v1/usage?customer_id=%zz", ``, fault.CodeInvalidRequest, ""},

	{"wrong method", "GET /v1/deduct", ``, fault.CodeMethodNotAllowed, ""},
	{"wrong method on what is read", "DELETE /v1/entries/{entry}", ``, fault.CodeMethodNotAllowed, ""},
	{"wrong method on a collection", "PUT /v1/credits", `{}`, fault.CodeMethodNotAllowed, ""},
	{"unknown path", "GET /v1/nope", ``, fault.CodeNotFound, ""},
	{"unknown path outside", "POST /nope", `{}`, fault.CodeNotFound, ""},
	{"slash behind", "POST /v1/deduct/", charging(`1`), fault.CodeNotFound, ""},
	{"empty customer in the path", "GET /v1/customers//balances", ``, fault.CodeNotFound, ""},
	{"steps in the path", "POST /v1/x/../deduct", charging(`1`), fault.CodeNotFound, ""},
	{"too large", deduct, `{"reason":"` + strings.Repeat("x", v1.MaxBody) + `"}`, fault.CodeRequestTooLarge, ""},
}

func manyPairs(n int) string {
	pairs := make([]string, n)
	for i := range pairs {
		pairs[i] = fmt.Sprintf(`"k%d":1`, i)
	}
	return "{" + strings.Join(pairs, ",") + "}"
}

// check holds an answer against what a refusal should be, and finds that nothing changed.
func (w *world) check(t *testing.T, before string, a answer, code fault.Code, field string) {
	t.Helper()
	w.checkProblem(t, a, code, field)
	w.checkState(t, before)
}

// checkProblem holds an answer against its code: the status is the code's, the body a problem.
func (w *world) checkProblem(t *testing.T, a answer, code fault.Code, field string) {
	t.Helper()
	status := (&fault.Error{Code: code}).Kind().HTTPStatus()
	got, _ := a.at("field").(string)
	if a.status != status || a.at("code") != string(code) || got != field {
		t.Errorf("answered %d %v on field %q, not %d %s on %q: %s", a.status, a.at("code"), got, status, code, field, a.text)
	}
	if kind := a.header.Get("Content-Type"); kind != "application/problem+json" {
		t.Errorf("a refusal of type %s", kind)
	}
	if a.at("status") != float64(status) || w.f.text(a, "title") == "" || w.f.text(a, "detail") == "" ||
		w.f.text(a, "type") != docsURL+string(code) {
		t.Errorf("not a whole problem: %s", a.text)
	}
}

// checkState finds that what the server holds is what it held.
func (w *world) checkState(t *testing.T, before string) {
	t.Helper()
	if after := w.state(); after != before {
		t.Errorf("a refused request changed something:\n%s\n%s", before, after)
	}
}

func TestRefusals(t *testing.T) {
	f := newFixture(t, Options{})
	w := newWorld(f)
	before := w.state()
	for _, r := range refusals {
		t.Run(r.name, func(t *testing.T) {
			method, path, _ := strings.Cut(w.fill(r.request), " ")
			w.check(t, before, f.send(f.test, method, path, w.fill(r.body)), r.code, r.field)
		})
	}
}

func TestMethodNotAllowedNamesTheMethods(t *testing.T) {
	f := newFixture(t, Options{})
	if a := f.send(f.test, "DELETE", "/v1/packs", ""); a.header.Get("Allow") != "POST, GET" {
		t.Errorf("Allow: %q", a.header.Get("Allow"))
	}
}

func TestContentTypes(t *testing.T) {
	f := newFixture(t, Options{})
	w := newWorld(f)
	before := w.state()
	for _, kind := range []string{
		"text/plain", "application/x-www-form-urlencoded", "application/xml", "application/json; charset=latin1", "nonsense;;",
	} {
		w.check(t, before, f.send(f.test, "POST", "/v1/deduct", charging("1"), "Content-Type", kind), fault.CodeUnsupportedMediaType, "Content-Type")
	}
	for _, kind := range []string{"application/json", "application/json; charset=UTF-8", "application/vnd.scrip+json", ""} {
		if a := f.send(f.test, "POST", "/v1/deduct", charging("1"), "Content-Type", kind); a.status != http.StatusOK {
			t.Errorf("%q answered %s", kind, a.text)
		}
	}
}

func TestIdempotencyKeys(t *testing.T) {
	f := newFixture(t, Options{})
	w := newWorld(f)
	first := f.must("POST", "/v1/deduct", charging("1"), "Idempotency-Key", "once")
	before := w.state()
	if again := f.must("POST", "/v1/deduct", charging("1"), "Idempotency-Key", "once"); again.text != first.text {
		t.Errorf("the replay answered %s, not %s", again.text, first.text)
	}
	for name, key := range map[string]string{
		"empty": "", "long": strings.Repeat("x", 256), "space": "a b", "not ASCII": "schlüssel",
	} {
		t.Run(name, func(t *testing.T) {
			w.check(t, before, f.send(f.test, "POST", "/v1/deduct", charging("1"), "Idempotency-Key", key), fault.CodeIdempotencyKeyInvalid, "Idempotency-Key")
		})
	}
	w.check(t, before, f.send(f.test, "POST", "/v1/deduct", charging("2"), "Idempotency-Key", "once"), fault.CodeIdempotencyKeyReused, "Idempotency-Key")
	w.check(t, before, f.send(f.test, "POST", "/v1/keys", `{"kind":"secret"}`, "Idempotency-Key", "key"), fault.CodeInvalidRequest, "Idempotency-Key")
}

// TestEveryActionHappensOnce repeats every call that takes an idempotency key under that key.
func TestEveryActionHappensOnce(t *testing.T) {
	f := newFixture(t, Options{})
	for _, section := range sections {
		for _, rt := range section.routes {
			if rt.method == http.MethodGet || rt.id == "createKey" || rt.id == "mintToken" || rt.id == "paymentPortal" { // what opens a page opens another each time
				continue
			}
			t.Run(rt.id, func(t *testing.T) {
				f.use(rt.id)
				w := newWorld(f)
				body := w.fill(samples[rt.id])
				first := f.must(rt.method, w.path(&rt), body, "Idempotency-Key", "once")
				between := w.state()
				again := f.must(rt.method, w.path(&rt), body, "Idempotency-Key", "once")
				if first.text != again.text || first.status != again.status {
					t.Errorf("first %s\nthen %s", first.text, again.text)
				}
				if after := w.state(); after != between {
					t.Errorf("it happened twice:\n%s\n%s", between, after)
				}
			})
		}
	}
}
