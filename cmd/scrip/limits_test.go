package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/seed42445051/scrip"
	"github.com/seed42445051/scrip/accounts"
	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/credits"
	"github.com/seed42445051/scrip/engine"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/letters"
	"github.com/seed42445051/scrip/metering"
	"github.com/seed42445051/scrip/money"
	"github.com/seed42445051/scrip/notify"
	"github.com/seed42445051/scrip/payments"
	"github.com/seed42445051/scrip/payments/stripe"
	"github.com/seed42445051/scrip/store"
	v1 "github.com/seed42445051/scrip/v1"
	"github.com/seed42445051/scrip/wallet"
)

// limit is a row of the page of limits. The compiler reads the constant's value, so the page
// cannot name one that is not there or has another value.
type limit struct {
	what     string
	value    any
	constant string
	code     fault.Code // of a request beyond it; empty: nothing is refused
	beyond   call       // such a request, where a single one can be
}

// call is a request to a shop that has the credit c and its customer u.
type call struct{ route, body string }

func text(n int) string { return strings.Repeat("x", n) }

// pairs is JSON of metadata.
func pairs(n int) string {
	m := map[string]string{}
	for i := range n {
		m[fmt.Sprint(i)] = "x"
	}
	out, _ := json.Marshal(m)
	return string(out)
}

func grant(fields string) call {
	return call{"POST /v1/grants", `{"customer_id": "u", "credit_id": "c", "amount": 1, ` + fields + `}`}
}

func credit(fields string) call {
	return call{"POST /v1/credits", `{"name": "n", "unit": "u", ` + fields + `}`}
}

func hook(fields string) call { return call{"POST /v1/webhook-endpoints", "{" + fields + "}"} }

func pack(fields, item string, items int) call {
	list := strings.Repeat(`, {"credit_id": "c", `+item+`}`, items)[2:]
	return call{"POST /v1/packs", `{"name": "p", ` + fields + ` "items": [` + list + `]}`}
}

func code(fields string) call {
	return call{"POST /v1/codes", `{"credit_id": "c", "amount": 1, ` + fields + `}`}
}

func plan(fields string) call { return call{"POST /v1/plans", `{"name": "p", ` + fields + `}`} }

func allowance(quota string, n int) string {
	one := `, {"label": "l", "period": "daily", "rules": [{"event": "e"}], "quota": "` + quota + `"}`
	return `"allowances": [` + strings.Repeat(one, n)[2:] + `]`
}

func meter(fields string) call {
	return call{"POST /v1/meters", `{"name": "n", "event_name": "e", "measurement_unit": "u", "aggregation": {"type": "count"}, ` + fields + `}`}
}

// filter is JSON of a filter so many levels deep, with so many conditions on the last.
func filter(depth, clauses int) string {
	inner := strings.Repeat(`, {"key": "k", "operator": "equals", "value": "v"}`, clauses)[2:]
	for range depth {
		inner = `{"conjunction": "and", "clauses": [` + inner + `]}`
	}
	return inner
}

func rules(n int, rule string) string {
	return `"scope": [` + strings.Repeat(", {"+rule+"}", n)[2:] + `]`
}

var limits = []struct {
	title string
	rows  []limit
}{
	{"Requests", []limit{
		{
			"body of a request, bytes", v1.MaxBody, "v1.MaxBody", fault.CodeRequestTooLarge,
			grant(`"reason": "` + text(v1.MaxBody) + `"`),
		},
		{
			"page of a list, entries; 50 when not given", v1.MaxPage, "v1.MaxPage", fault.CodeInvalidLimit,
			call{"GET /v1/customers?limit=" + fmt.Sprint(v1.MaxPage+1), ""},
		},
		{
			"customer id, characters", v1.MaxCustomerID, "v1.MaxCustomerID", fault.CodeInvalidCustomerID,
			call{"POST /v1/grants", `{"customer_id": "` + text(v1.MaxCustomerID+1) + `", "credit_id": "c", "amount": 1}`},
		},
		{"idempotency key, bytes", store.MaxIdempotencyKey, "store.MaxIdempotencyKey", fault.CodeIdempotencyKeyInvalid, call{}},
		{
			"metadata, pairs", wallet.MaxMetadataPairs, "wallet.MaxMetadataPairs", fault.CodeMetadataTooLarge,
			grant(`"metadata": ` + pairs(wallet.MaxMetadataPairs+1)),
		},
		{
			"metadata key, bytes", wallet.MaxMetadataKey, "wallet.MaxMetadataKey", fault.CodeMetadataTooLarge,
			grant(`"metadata": {"` + text(wallet.MaxMetadataKey+1) + `": "x"}`),
		},
		{
			"metadata value, bytes", wallet.MaxMetadataValue, "wallet.MaxMetadataValue", fault.CodeMetadataTooLarge,
			grant(`"metadata": {"x": "` + text(wallet.MaxMetadataValue+1) + `"}`),
		},
		{
			"reason, characters", wallet.MaxReasonLength, "wallet.MaxReasonLength", fault.CodeInvalidRequest,
			grant(`"reason": "` + text(wallet.MaxReasonLength+1) + `"`),
		},
		{
			"external reference, characters", wallet.MaxExternalRefLength, "wallet.MaxExternalRefLength", fault.CodeInvalidRequest,
			grant(`"external_ref": "` + text(wallet.MaxExternalRefLength+1) + `"`),
		},
		{"error code of a commit, release or extension, characters", wallet.MaxErrorCodeLength, "wallet.MaxErrorCodeLength", fault.CodeInvalidRequest, call{}},
		{"response kept with a commit, release, extension or track, bytes; a longer one is cut", wallet.MaxResponseBytes, "wallet.MaxResponseBytes", "", call{}},
	}},
	{"Amounts", []limit{
		{
			"decimals of a credit", money.MaxPrecision, "money.MaxPrecision", fault.CodeInvalidRequest,
			credit(`"precision": ` + fmt.Sprint(money.MaxPrecision+1)),
		},
		{
			"one amount, in the smallest unit of its credit", wallet.MaxUnits, "wallet.MaxUnits", fault.CodeInvalidAmount,
			call{"POST /v1/grants", `{"customer_id": "u", "credit_id": "c", "amount": ` + fmt.Sprint(wallet.MaxUnits+1) + `}`},
		},
		{"balance of one credit, with what is yet to begin, in its smallest unit", wallet.MaxUnits, "wallet.MaxUnits", fault.CodeAmountOutOfRange, call{}},
		{
			"quantity of usage, in millionths", wallet.MaxQuantity, "wallet.MaxQuantity", fault.CodeInvalidQuantity,
			call{"POST /v1/can-use", `{"customer_id": "u", "event": "e", "quantity": 1000000000001}`},
		},
		{
			"decimals of a quantity", wallet.QuantityDecimals, "wallet.QuantityDecimals", fault.CodeInvalidQuantity,
			call{"POST /v1/can-use", `{"customer_id": "u", "event": "e", "quantity": 0.0000001}`},
		},
	}},
	{"Usage events and meters", []limit{
		{
			"events of a call; any number as lines", v1.MaxEvents, "v1.MaxEvents", fault.CodeInvalidRequest,
			call{"POST /v1/events", `{"events": [` + strings.Repeat(`, {"event_id": "e", "customer_id": "u", "event_name": "e"}`, v1.MaxEvents+1)[2:] + `]}`},
		},
		{
			"body of a call with events, bytes", v1.MaxEventsBody, "v1.MaxEventsBody", fault.CodeRequestTooLarge,
			call{"POST /v1/events", strings.Repeat(" ", v1.MaxEventsBody+1)},
		},
		{
			"id of an event, characters", v1.MaxEventID, "v1.MaxEventID", fault.CodeInvalidRequest,
			call{"POST /v1/events", `{"events": [{"event_id": "` + text(v1.MaxEventID+1) + `", "customer_id": "u", "event_name": "e"}]}`},
		},
		{
			"how far ahead of the server an event may lie", metering.MaxAhead, "metering.MaxAhead", fault.CodeInvalidTime,
			call{"POST /v1/events", `{"events": [{"event_id": "e", "customer_id": "u", "event_name": "e", "timestamp": "2999-01-01T00:00:00Z"}]}`},
		},
		{
			"windows of a series", v1.MaxWindows, "v1.MaxWindows", fault.CodeInvalidRequest,
			call{"GET /v1/usage/series?customer_id=u&event_name=e&window=minute&from=2026-01-01T00:00:00Z&to=2026-01-03T00:00:00Z", ""},
		},
		{
			"links of a meter", catalog.MaxMeterLinks, "catalog.MaxMeterLinks", fault.CodeInvalidRequest,
			meter(`"links": [` + strings.Repeat(`, {"credit_id": "c"}`, catalog.MaxMeterLinks+1)[2:] + `]`),
		},
		{
			"levels of a filter", catalog.MaxFilterDepth, "catalog.MaxFilterDepth", fault.CodeInvalidRequest,
			meter(`"filter": ` + filter(catalog.MaxFilterDepth+1, 1)),
		},
		{
			"clauses of a filter, on each level", catalog.MaxFilterClauses, "catalog.MaxFilterClauses", fault.CodeInvalidRequest,
			meter(`"filter": ` + filter(1, catalog.MaxFilterClauses+1)),
		},
	}},
	{"One wallet", []limit{
		{"grants that still hold something", wallet.MaxOpenGrants, "wallet.MaxOpenGrants", fault.CodeTooManyGrants, call{}},
		{"open reservations", wallet.MaxPendingHolds, "wallet.MaxPendingHolds", fault.CodeTooManyHolds, call{}},
		{"different scopes, ever", wallet.MaxLanes, "wallet.MaxLanes", fault.CodeTooManyScopes, call{}},
		{
			"life of a reservation; 1m0s when not given", wallet.MaxTTL, "wallet.MaxTTL", fault.CodeInvalidRequest,
			call{"POST /v1/reserve", `{"customer_id": "u", "credit_id": "c", "amount": 1, "ttl_seconds": 86401}`},
		},
	}},
	{"Definitions", []limit{
		{
			"name, characters", catalog.MaxNameLength, "catalog.MaxNameLength", fault.CodeInvalidRequest,
			call{"POST /v1/credits", `{"name": "` + text(catalog.MaxNameLength+1) + `", "unit": "u"}`},
		},
		{
			"unit, characters", catalog.MaxUnitLength, "catalog.MaxUnitLength", fault.CodeInvalidRequest,
			call{"POST /v1/credits", `{"name": "n", "unit": "` + text(catalog.MaxUnitLength+1) + `"}`},
		},
		{
			"description, characters", catalog.MaxDescriptionLength, "catalog.MaxDescriptionLength", fault.CodeInvalidRequest,
			credit(`"description": "` + text(catalog.MaxDescriptionLength+1) + `"`),
		},
		{
			"days until an expiry", catalog.MaxExpiryDays, "catalog.MaxExpiryDays", fault.CodeInvalidRequest,
			credit(`"expires_after_days": ` + fmt.Sprint(catalog.MaxExpiryDays+1)),
		},
		{
			"items of a pack", catalog.MaxPackItems, "catalog.MaxPackItems", fault.CodeInvalidRequest,
			pack("", `"amount": 1`, catalog.MaxPackItems+1),
		},
		{
			"id of a pack, characters", credits.MaxPackID, "credits.MaxPackID", fault.CodeInvalidRequest,
			pack(`"id": "`+text(101)+`",`, `"amount": 1`, 1),
		},
		{
			"price of a pack or plan, in minor units", catalog.MaxPrice, "catalog.MaxPrice", fault.CodeInvalidRequest,
			pack(`"price": `+fmt.Sprint(catalog.MaxPrice+1)+`,`, `"amount": 1`, 1),
		},
		{
			"a provider's id of a price, characters", catalog.MaxPriceRef, "catalog.MaxPriceRef", fault.CodeInvalidRequest,
			pack(`"price_ref": "`+text(catalog.MaxPriceRef+1)+`",`, `"amount": 1`, 1),
		},
		{
			"id of a plan, characters", credits.MaxPlanID, "credits.MaxPlanID", fault.CodeInvalidRequest,
			plan(`"id": "` + text(credits.MaxPlanID+1) + `"`),
		},
		{
			"allowances of a plan", catalog.MaxPlanAllowances, "catalog.MaxPlanAllowances", fault.CodeInvalidRequest,
			plan(allowance("1", catalog.MaxPlanAllowances+1)),
		},
		{
			"quota of an allowance, in millionths", catalog.MaxQuota, "catalog.MaxQuota", fault.CodeInvalidQuantity,
			plan(allowance("1000000000000.000001", 1)),
		},
		{
			"credits of a plan", catalog.MaxProductCredits, "catalog.MaxProductCredits", fault.CodeInvalidRequest,
			plan(`"credits": [` + strings.Repeat(`, {"credit_id": "c", "amount": 1}`, catalog.MaxProductCredits+1)[2:] + `]`),
		},
		{
			"days of a trial", catalog.MaxTrialDays, "catalog.MaxTrialDays", fault.CodeInvalidRequest,
			plan(`"trial_days": ` + fmt.Sprint(catalog.MaxTrialDays+1)),
		},
		{
			"units of a cycle", catalog.MaxIntervalCount, "catalog.MaxIntervalCount", fault.CodeInvalidRequest,
			plan(`"interval": {"unit": "day", "count": ` + fmt.Sprint(catalog.MaxIntervalCount+1) + `}`),
		},
		{
			"price or cost of one credit, in minor units", catalog.MaxUnitPrice, "catalog.MaxUnitPrice", fault.CodeInvalidAmount,
			grant(`"cost_basis": ` + fmt.Sprint(catalog.MaxUnitPrice+1) + `, "cost_currency": "usd"`),
		},
		{
			"decimals of a price or cost of one credit", catalog.MaxPriceDecimals, "catalog.MaxPriceDecimals", fault.CodeInvalidAmount,
			credit(`"overage": {"enabled": true, "price_per_unit": "0.0000000001", "currency": "usd"}`),
		},
		{
			"amount of an item, in the smallest unit of its credit", catalog.MaxItemAmount, "catalog.MaxItemAmount", fault.CodeInvalidAmount,
			pack("", `"amount": `+fmt.Sprint(catalog.MaxItemAmount+1), 1),
		},
		{
			"priority; 0 goes first", catalog.MaxPriority, "catalog.MaxPriority", fault.CodeInvalidPriority,
			pack("", `"amount": 1, "priority": `+fmt.Sprint(catalog.MaxPriority+1), 1),
		},
		{
			"rules of a scope", catalog.MaxRules, "catalog.MaxRules", fault.CodeInvalidScope,
			credit(rules(catalog.MaxRules+1, `"event": "e"`)),
		},
		{
			"metadata compared by a rule, pairs", catalog.MaxRuleMetadata, "catalog.MaxRuleMetadata", fault.CodeInvalidScope,
			credit(rules(1, `"event": "e", "metadata": `+pairs(catalog.MaxRuleMetadata+1))),
		},
		{
			"name compared by a rule, bytes", catalog.MaxRuleKey, "catalog.MaxRuleKey", fault.CodeInvalidScope,
			credit(rules(1, `"event": "e", "metadata": {"`+text(catalog.MaxRuleKey+1)+`": "x"}`)),
		},
		{
			"value compared by a rule, bytes", catalog.MaxRuleValue, "catalog.MaxRuleValue", fault.CodeInvalidScope,
			credit(rules(1, `"event": "e", "metadata": {"x": "`+text(catalog.MaxRuleValue+1)+`"}`)),
		},
		{
			"event name, characters", catalog.MaxEventNameLength, "catalog.MaxEventNameLength", fault.CodeInvalidRequest,
			call{"POST /v1/can-use", `{"customer_id": "u", "event": "` + text(catalog.MaxEventNameLength+1) + `"}`},
		},
	}},
	{"Codes", []limit{
		{
			"text of a code, characters", catalog.MaxCodeLength, "catalog.MaxCodeLength", fault.CodeInvalidRequest,
			code(`"code": "` + text(catalog.MaxCodeLength+1) + `"`),
		},
		{
			"what codes begin with that are made, characters", v1.MaxCodePrefix, "v1.MaxCodePrefix", fault.CodeInvalidRequest,
			code(`"prefix": "` + text(v1.MaxCodePrefix+1) + `"`),
		},
		{
			"codes that one call makes", v1.MaxCodes, "v1.MaxCodes", fault.CodeInvalidRequest,
			code(`"count": ` + fmt.Sprint(v1.MaxCodes+1)),
		},
		{
			"uses of a code, in each mode; any number when not given", catalog.MaxCodeUses, "catalog.MaxCodeUses", fault.CodeInvalidRequest,
			code(`"max_uses": ` + fmt.Sprint(catalog.MaxCodeUses+1)),
		},
		{
			"uses of a code by one customer; 1 when not given", catalog.MaxCodeUsesPerCustomer, "catalog.MaxCodeUsesPerCustomer", fault.CodeInvalidRequest,
			code(`"max_uses_per_customer": ` + fmt.Sprint(catalog.MaxCodeUsesPerCustomer+1)),
		},
		{"time after which a claim that was not granted is granted", credits.FinishEvery, "credits.FinishEvery", "", call{}},
	}},
	{"Selling", []limit{
		{
			"time for which a page is open; 24h0m0s when not given, and 30m0s at least", wallet.MaxOpenFor, "wallet.MaxOpenFor", fault.CodeInvalidRequest,
			call{"POST /v1/checkout", `{"customer_id": "u", "save_card": true, "expires_in_seconds": 86401}`},
		},
		{
			"address that a customer comes back to, bytes", wallet.MaxAddressLength, "wallet.MaxAddressLength", fault.CodeInvalidRequest,
			call{"POST /v1/checkout", `{"customer_id": "u", "save_card": true, "success_url": "https://example.test/` + text(wallet.MaxAddressLength) + `"}`},
		},
		{"times a pack is bought with one order", wallet.MaxOrderQuantity, "wallet.MaxOrderQuantity", fault.CodeInvalidQuantity, call{}},
		{"refunds of an order that are told apart", wallet.MaxOrderRefunds, "wallet.MaxOrderRefunds", "", call{}},
		{"disputes of an order that are told apart", wallet.MaxOrderDisputes, "wallet.MaxOrderDisputes", "", call{}},
		{"credits that a customer has automatic top-ups of", wallet.MaxTopUps, "wallet.MaxTopUps", fault.CodeInvalidRequest, call{}},
		{"rest after an automatic top-up was given up", wallet.TopUpPause, "wallet.TopUpPause", "", call{}},
		{"time after which the provider is asked about an order of which no webhook told", payments.ReconcileAfter, "payments.ReconcileAfter", "", call{}},
		{"time for which it is asked", payments.ReconcileFor, "payments.ReconcileFor", "", call{}},
		{"time for which a server that begins reads which refunds and disputes there were", payments.ReconcileBack, "payments.ReconcileBack", "", call{}},
		{"pages of them that are read every five minutes", payments.ReconcilePages, "payments.ReconcilePages", "", call{}},
		{"webhook of a provider, bytes", payments.MaxWebhook, "payments.MaxWebhook", fault.CodeRequestTooLarge, call{}},
		{"signing secrets of one endpoint at Stripe", stripe.MaxWebhookSecrets, "stripe.MaxWebhookSecrets", fault.CodeInvalidConfig, call{}},
		{"age of news of which a letter is sent", letters.Stale, "letters.Stale", "", call{}},
	}},
	{"Apps, keys and customers", []limit{
		{
			"label of a key, characters", v1.MaxKeyLabel, "v1.MaxKeyLabel", fault.CodeInvalidRequest,
			call{"POST /v1/keys", `{"kind": "secret", "label": "` + text(101) + `"}`},
		},
		{
			"name of a customer, characters", v1.MaxCustomerName, "v1.MaxCustomerName", fault.CodeInvalidRequest,
			call{"PUT /v1/customers/u", `{"name": "` + text(256) + `"}`},
		},
		{
			"mail address of a customer, characters", v1.MaxCustomerEmail, "v1.MaxCustomerEmail", fault.CodeInvalidRequest,
			call{"PUT /v1/customers/u", `{"email": "` + text(321) + `"}`},
		},
		{
			"name of a sandbox, characters", catalog.MaxSandboxName, "catalog.MaxSandboxName", fault.CodeInvalidRequest,
			call{"POST /v1/keys", `{"kind": "secret", "mode": "test/` + text(catalog.MaxSandboxName+1) + `"}`},
		},
		{
			"how far a test clock is ahead of real time", catalog.MaxAhead, "catalog.MaxAhead", fault.CodeInvalidTime,
			call{"POST /v1/test-clock/advance", `{"to": "2099-01-01T00:00:00Z"}`},
		},
		{"name of an app, characters", accounts.MaxAppName, "accounts.MaxAppName", fault.CodeInvalidRequest, call{}},
		{
			"telephone number of a customer, characters", v1.MaxCustomerPhone, "v1.MaxCustomerPhone", fault.CodeInvalidRequest,
			call{"PUT /v1/customers/u", `{"phone": "` + text(v1.MaxCustomerPhone+1) + `"}`},
		},
		{
			"life of a customer token; 1h0m0s when not given", accounts.MaxTokenTTL, "accounts.MaxTokenTTL", fault.CodeInvalidRequest,
			call{"POST /v1/customer-tokens", `{"customer_id": "u", "ttl_seconds": 86401}`},
		},
	}},
	{"Webhooks", []limit{
		{"endpoints of an app, all modes together", catalog.MaxEndpoints, "catalog.MaxEndpoints", fault.CodeTooManyWebhookEndpoints, call{}},
		{
			"address of an endpoint, bytes", catalog.MaxEndpointURL, "catalog.MaxEndpointURL", fault.CodeInvalidRequest,
			hook(`"url": "https://example.test/` + text(catalog.MaxEndpointURL) + `"`),
		},
		{
			"types in a filter", catalog.MaxEndpointEvents, "catalog.MaxEndpointEvents", fault.CodeInvalidRequest,
			hook(`"url": "https://example.test", "events": [` + strings.Repeat(`, "credit.added"`, catalog.MaxEndpointEvents+1)[2:] + `]`),
		},
		{
			"headers of an endpoint", catalog.MaxEndpointHeaders, "catalog.MaxEndpointHeaders", fault.CodeInvalidRequest,
			hook(`"url": "https://example.test", "headers": ` + pairs(catalog.MaxEndpointHeaders+1)),
		},
		{
			"name of a header, bytes", catalog.MaxEndpointHeaderName, "catalog.MaxEndpointHeaderName", fault.CodeInvalidRequest,
			hook(`"url": "https://example.test", "headers": {"` + text(catalog.MaxEndpointHeaderName+1) + `": "x"}`),
		},
		{
			"value of a header, characters", catalog.MaxEndpointHeaderValue, "catalog.MaxEndpointHeaderValue", fault.CodeInvalidRequest,
			hook(`"url": "https://example.test", "headers": {"x": "` + text(catalog.MaxEndpointHeaderValue+1) + `"}`),
		},
		{
			"metadata of an endpoint, pairs", catalog.MaxEndpointMetadata, "catalog.MaxEndpointMetadata", fault.CodeMetadataTooLarge,
			hook(`"url": "https://example.test", "metadata": ` + pairs(catalog.MaxEndpointMetadata+1)),
		},
		{
			"requests per second that a rate may allow", catalog.MaxEndpointRate, "catalog.MaxEndpointRate", fault.CodeInvalidRequest,
			hook(`"url": "https://example.test", "rate_limit": ` + fmt.Sprint(catalog.MaxEndpointRate+1)),
		},
		{"life of a secret after another took its place", catalog.SecretOverlap, "catalog.SecretOverlap", "", call{}},
		{"time of one request", notify.Timeout, "notify.Timeout", "", call{}},
		{"requests to one endpoint at one time, per server", notify.InFlight, "notify.InFlight", "", call{}},
		{"answer that is kept of each attempt, bytes", notify.MaxResponse, "notify.MaxResponse", "", call{}},
		{"attempts that are kept of a delivery", store.MaxLog, "store.MaxLog", "", call{}},
		{"time for which a delivery that is over is kept, unless the operator says otherwise", notify.Keep, "notify.Keep", "", call{}},
	}},
	{"One server", []limit{
		{"commands that wait, per shard", engine.DefaultQueue, "engine.DefaultQueue", fault.CodeOverloaded, call{}},
		{"commands of one transaction", engine.DefaultBatch, "engine.DefaultBatch", "", call{}},
		{"tries of a transaction after conflicts", engine.MaxTries, "engine.MaxTries", fault.CodeStoreUnavailable, call{}},
		{"what a shard keeps in memory, counted in grants, holds and scopes", engine.DefaultCacheWeight, "engine.DefaultCacheWeight", "", call{}},
	}},
}

func limitsPage() string {
	var b strings.Builder
	b.WriteString(generated + `# Limits

Every number that something may not exceed, where it stands in the code, and the
[error](errors.md) of a request beyond it. A request beyond a limit changes nothing.
`)
	for _, section := range limits {
		fmt.Fprintf(&b, "\n## %s\n\n| what | at most | constant | beyond it |\n|---|---|---|---|\n", section.title)
		for _, l := range section.rows {
			beyond := "nothing is refused"
			if l.code != "" {
				beyond = fmt.Sprintf("[`%s`](errors.md#%s)", l.code, l.code)
			}
			fmt.Fprintf(&b, "| %s | %s | `%s` | %s |\n", l.what, grouped(l.value), l.constant, beyond)
		}
	}
	return b.String()
}

// grouped writes a number with commas between its thousands.
func grouped(value any) string {
	if d, ok := value.(time.Duration); ok {
		return d.String()
	}
	digits := fmt.Sprint(value)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// TestLimitsAnswerAsThePageSays makes the requests that the page says are refused.
func TestLimitsAnswerAsThePageSays(t *testing.T) {
	s, err := scrip.Open(t.Context(), scrip.DB("sqlite:"+t.TempDir()+"/limits.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close(t.Context()) })
	app, err := s.App(t.Context(), "shop", scrip.Test)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := app.CreateCredit(t.Context(), v1.CreateCredit{Name: "c", Unit: "credit"}); err != nil {
		t.Fatal(err)
	}
	key, err := app.CreateKey(t.Context(), v1.CreateKey{Kind: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	send := func(c call, idempotency string) fault.Code {
		method, path, _ := strings.Cut(c.route, " ")
		r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(c.body))
		r.Header.Set("Authorization", "Bearer "+key.Key)
		if idempotency != "" {
			r.Header.Set("Idempotency-Key", idempotency)
		}
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		var answer struct{ Code fault.Code }
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || w.Code < http.StatusBadRequest != (answer.Code == "") {
			t.Errorf("%d: %s, %v", w.Code, w.Body, err)
		}
		return answer.Code
	}
	for _, section := range limits {
		for _, l := range section.rows {
			if l.beyond.route == "" {
				continue
			}
			if got := send(l.beyond, ""); got != l.code {
				t.Errorf("%s: %q, the page says %q", l.what, got, l.code)
			}
		}
	}
	if got := send(grant(`"reason": "x"`), text(store.MaxIdempotencyKey+1)); got != fault.CodeIdempotencyKeyInvalid {
		t.Errorf("idempotency key: %q", got)
	}
	most := call{"POST /v1/grants", fmt.Sprintf(`{"customer_id": "rich", "credit_id": "c", "amount": %d}`, wallet.MaxUnits)}
	if got := send(most, ""); got != "" {
		t.Errorf("the largest balance: %q", got)
	}
	if got := send(most, ""); got != fault.CodeAmountOutOfRange {
		t.Errorf("twice the largest balance: %q", got)
	}
	if _, err := s.App(t.Context(), text(accounts.MaxAppName+1), scrip.Test); fault.CodeOf(err) != fault.CodeInvalidRequest {
		t.Errorf("name of an app: %v", err)
	}
}
