package dodo

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/money"
	"github.com/seed42445051/scrip/notify"
	v1 "github.com/seed42445051/scrip/v1"
	"github.com/seed42445051/scrip/wallet"
)

// endpoint makes an endpoint and returns its id.
func (f *fixture) endpoint(body string) string {
	f.t.Helper()
	return f.must("POST", "/webhooks", body).body["id"].(string)
}

// same compares an answer with what it has to be, but for the fields named besides.
func (f *fixture) same(r reply, want string, besides ...string) {
	f.t.Helper()
	var expected map[string]any
	if err := json.Unmarshal([]byte(want), &expected); err != nil {
		f.t.Fatal(err)
	}
	for _, field := range besides {
		expected[field] = r.body[field]
	}
	if diff := cmp.Diff(expected, r.body); diff != "" {
		f.t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestWebhookRoutes makes, reads, changes and deletes an endpoint.
func TestWebhookRoutes(t *testing.T) {
	f := newFixture(t)
	plain := f.must("POST", "/webhooks", `{"url":"https://example.test/a"}`)
	at := "/webhooks/" + plain.body["id"].(string)
	f.same(plain, `{"url":"https://example.test/a","description":"","disabled":false,"filter_types":null,"rate_limit":null,"metadata":{}}`,
		"id", "created_at", "updated_at")
	f.same(f.must("GET", at, ""), plain.text)

	f.clock.Advance(time.Second)
	whole := f.must("PATCH", at, `{"url":"https://example.test/b","description":"B","disabled":true,
		"filter_types":["credit.added","payment.succeeded"],"rate_limit":5,"metadata":{"team":"x"}}`)
	f.same(whole, `{"url":"https://example.test/b","description":"B","disabled":true,"filter_types":["credit.added","payment.succeeded"],
		"rate_limit":5,"metadata":{"team":"x"},"created_at":"2026-02-02T02:40:00Z","updated_at":"2026-02-02T02:40:01Z"}`, "id")
	f.same(f.must("GET", at, ""), whole.text)
	f.same(f.must("PATCH", at, `{}`), whole.text)
	cleared := f.must("PATCH", at, `{"url":null,"description":null,"disabled":null,"filter_types":null,"rate_limit":null,"metadata":null}`)
	f.same(cleared, `{"url":"https://example.test/b","description":"","disabled":true,"filter_types":null,"rate_limit":null,"metadata":{}}`,
		"id", "created_at", "updated_at")

	signing, _ := f.must("GET", at+"/secret", "").body["secret"].(string)
	if _, err := catalog.SecretKey(signing); err != nil {
		t.Error(err)
	}
	if strings.Contains(plain.text, signing) {
		t.Error("the secret is in the answer that made the endpoint")
	}

	if r := f.must("DELETE", at, ""); r.text != "" || r.status != 200 || r.header.Get("Content-Type") != "" {
		t.Errorf("delete: %d %q", r.status, r.text)
	}
	for _, c := range [][2]string{{"GET", ""}, {"PATCH", ""}, {"DELETE", ""}, {"GET", "/secret"}, {"GET", "/headers"}, {"PATCH", "/headers"}} {
		f.refused(f.send(f.test, c[0], at+c[1], `{"headers":{}}`), 404, "NOT_FOUND")
	}
	f.same(f.must("GET", "/webhooks", ""), `{"data":[],"iterator":null,"done":true}`)
}

// TestWebhookHeaders adds headers to those that are there, under any case.
func TestWebhookHeaders(t *testing.T) {
	f := newFixture(t)
	at := "/webhooks/" + f.endpoint(`{"url":"https://example.test","headers":{"X-Team":"a","X-Env":"test"}}`) + "/headers"
	f.same(f.must("GET", at, ""), `{"headers":{"X-Team":"a","X-Env":"test"},"sensitive":[]}`)
	if r := f.must("PATCH", at, `{"headers":{"x-team":"b","X-New":"n"}}`); r.text != "" {
		t.Errorf("%q", r.text)
	}
	f.same(f.must("GET", at, ""), `{"headers":{"x-team":"b","X-Env":"test","X-New":"n"},"sensitive":[]}`)
	f.refused(f.send(f.test, "PATCH", at, `{"headers":{"Webhook-Id":"b"}}`), 422, "INVALID_REQUEST_PARAMETERS")
	f.refused(f.send(f.test, "PATCH", at, `{"headers":{"a":null}}`), 422, "INVALID_REQUEST_BODY")
	f.refused(f.send(f.test, "PATCH", at, `{"headers":null}`), 422, "INVALID_REQUEST_BODY")
	f.refused(f.send(f.test, "PATCH", at, `{}`), 422, "INVALID_REQUEST_BODY")
	f.same(f.must("GET", at, ""), `{"headers":{"x-team":"b","X-Env":"test","X-New":"n"},"sensitive":[]}`)
	bare := "/webhooks/" + f.endpoint(`{"url":"https://example.test"}`) + "/headers"
	f.same(f.must("GET", bare, ""), `{"headers":{},"sensitive":[]}`)
	f.must("PATCH", bare, `{"headers":{"X-First":"1"}}`)
	f.same(f.must("GET", bare, ""), `{"headers":{"X-First":"1"},"sensitive":[]}`)
}

// TestWebhookOnce makes an endpoint once under an idempotency key.
func TestWebhookOnce(t *testing.T) {
	f := newFixture(t)
	body := `{"url":"https://example.test","idempotency_key":"k"}`
	if first := f.endpoint(body); f.endpoint(body) != first {
		t.Error("two endpoints under one key")
	}
	f.refused(f.send(f.test, "POST", "/webhooks", `{"url":"https://other.test","idempotency_key":"k"}`), 409, "IDEMPOTENCY_KEY_ALREADY_USED")
	f.refused(f.send(f.test, "POST", "/webhooks", `{"url":"https://other.test","idempotency_key":""}`), 422, "INVALID_REQUEST_PARAMETERS")
	if n := len(f.must("GET", "/webhooks", "").body["data"].([]any)); n != 1 {
		t.Errorf("%d endpoints", n)
	}
}

// TestWebhookPages walks the list by its iterator, while endpoints come and go, and has none that
// are not of this interface.
func TestWebhookPages(t *testing.T) {
	f := newFixture(t)
	var made []string
	for range 5 {
		f.clock.Advance(time.Second)
		made = append(made, f.endpoint(`{"url":"https://example.test"}`))
		native, err := f.hooks.As(f.caller(catalog.Test)).CreateWebhookEndpoint(context.Background(), v1.CreateWebhookEndpoint{URL: "https://example.test"})
		if err != nil {
			t.Fatal(err)
		}
		f.refused(f.send(f.test, "GET", "/webhooks/"+native.ID, ""), 404, "NOT_FOUND")
	}
	slices.Reverse(made)
	page := func(query string) (string, string, any) {
		r := f.must("GET", "/webhooks"+query, "")
		var ids []string
		for _, e := range r.body["data"].([]any) {
			ids = append(ids, e.(map[string]any)["id"].(string))
		}
		iterator, _ := r.body["iterator"].(string)
		return strings.Join(ids, " "), iterator, r.body["done"]
	}
	check := func(query, wantIDs, wantIterator string, wantDone bool) {
		t.Helper()
		if ids, iterator, done := page(query); ids != wantIDs || iterator != wantIterator || done != wantDone {
			t.Errorf("%s: %s, %s, %v", query, ids, iterator, done)
		}
	}
	check("", strings.Join(made, " "), "", true)
	check("?limit=2", made[0]+" "+made[1], made[1], false)
	check("?limit=5", strings.Join(made, " "), "", true)
	f.must("DELETE", "/webhooks/"+made[1], "")
	f.clock.Advance(time.Second)
	f.endpoint(`{"url":"https://example.test"}`)
	check("?limit=2&iterator="+made[1], made[2]+" "+made[3], made[3], false)
	check("?limit=2&iterator="+made[3], made[4], "", true)
	check("?iterator="+made[4], "", "", true)
	if r := f.send(f.live, "GET", "/webhooks", ""); len(r.body["data"].([]any)) != 0 {
		t.Errorf("live has %s", r.text)
	}
	f.refused(f.send(f.live, "GET", "/webhooks/"+made[0], ""), 404, "NOT_FOUND")
	for _, query := range []string{"limit=0", "limit=101", "limit=x", "iterator=x"} {
		f.refused(f.send(f.test, "GET", "/webhooks?"+query, ""), 422, "INVALID_QUERY_PARAMS")
	}
}

// TestWebhookRefusals makes each refusal of a body, on creating and on changing.
func TestWebhookRefusals(t *testing.T) {
	f := newFixture(t)
	at := "/webhooks/" + f.endpoint(`{"url":"https://example.test"}`)
	before := f.must("GET", at, "").text
	for _, c := range []struct{ fields, code string }{
		{`"url":"ftp://example.test"`, "INVALID_REQUEST_PARAMETERS"},
		{`"url":"example.test"`, "INVALID_REQUEST_PARAMETERS"},
		{`"url":""`, "INVALID_REQUEST_PARAMETERS"},
		{`"url":1`, "INVALID_REQUEST_BODY"},
		{`"filter_types":["credit.add"]`, "INVALID_REQUEST_BODY"},
		{`"filter_types":["credit.refunded"]`, "INVALID_REQUEST_BODY"},
		{`"filter_types":"credit.added"`, "INVALID_REQUEST_BODY"},
		{`"metadata":{"a":1}`, "INVALID_REQUEST_BODY"},
		{`"metadata":{"a":null}`, "INVALID_REQUEST_BODY"},
		{`"metadata":{"":"v"}`, "MAXIMUM_KEYS_REACHED"},
		{`"rate_limit":-1`, "INVALID_REQUEST_PARAMETERS"},
		{`"rate_limit":1.5`, "INVALID_REQUEST_BODY"},
		{`"disabled":"yes"`, "INVALID_REQUEST_BODY"},
		{`"description":"` + strings.Repeat("x", catalog.MaxDescriptionLength+1) + `"`, "INVALID_REQUEST_PARAMETERS"},
	} {
		create := `{"url":"https://example.test",` + c.fields + `}` // the last of two urls counts
		f.refused(f.send(f.test, "POST", "/webhooks", create), 422, c.code)
		f.refused(f.send(f.test, "PATCH", at, `{`+c.fields+`}`), 422, c.code)
		if t.Failed() {
			t.Fatal(c.fields)
		}
	}
	f.refused(f.send(f.test, "POST", "/webhooks", `{}`), 422, "INVALID_REQUEST_BODY")
	f.refused(f.send(f.test, "POST", "/webhooks", `{"url":null}`), 422, "INVALID_REQUEST_BODY")
	f.refused(f.send(f.test, "POST", "/webhooks", ``), 422, "INVALID_REQUEST_BODY")
	f.refused(f.send(f.test, "POST", "/webhooks", `{"url":"https://example.test","headers":{"Host":"x"}}`), 422, "INVALID_REQUEST_PARAMETERS")
	f.refused(f.send(f.publishable, "GET", "/webhooks", ""), 403, "FORBIDDEN")
	f.refused(f.send(f.test, "PATCH", "/webhooks/whk_none", `{}`), 404, "NOT_FOUND")
	if after := f.must("GET", at, "").text; after != before {
		t.Errorf("what was refused changed it: %s", after)
	}
	for range catalog.MaxEndpoints - 1 {
		f.endpoint(`{"url":"https://example.test"}`)
	}
	f.refused(f.send(f.test, "POST", "/webhooks", `{"url":"https://example.test"}`), 409, "CONFLICT")
}

// TestPayloads writes every event that an entry makes, and no others.
func TestPayloads(t *testing.T) {
	defs := catalog.NewDefinitions("app_1", "app", 1)
	defs.Credits["crd_1"] = &catalog.Credit{ID: "crd_1", Name: "Calls", Precision: 2}
	key := wallet.Key{App: "app_1", Mode: catalog.Live, Customer: "ada"}
	render := func(e *wallet.Entry) map[string]any {
		body, err := Renderer{}.Render(t.Context(), &notify.Event{Type: e.Event(), At: start, Key: key, Defs: defs, Endpoint: &catalog.Endpoint{}, Entry: e})
		if err != nil {
			t.Fatal(err)
		}
		if body == nil {
			return nil
		}
		var got map[string]any
		if err := json.Unmarshal(body, &got); err != nil {
			t.Fatal(err)
		}
		return got
	}
	for _, c := range []struct {
		entry             wallet.EntryType
		amount            int64
		event, kind, size string // no event: it is not told
		credit            bool
	}{
		{wallet.CreditAdded, 150, "credit.added", "credit_added", "1.5", true},
		{wallet.CreditDeducted, -150, "credit.deducted", "credit_deducted", "1.5", false},
		{wallet.CreditExpired, -1, "credit.expired", "credit_expired", "0.01", false},
		{wallet.CreditRolledOver, 100, "credit.rolled_over", "credit_rolled_over", "1", true},
		{wallet.RolloverForfeited, -100, "credit.rollover_forfeited", "rollover_forfeited", "1", false},
		{wallet.OverageCharged, -100, "credit.overage_charged", "overage_charged", "1", false},
		{wallet.OverageReset, 100, "credit.overage_reset", "overage_reset", "1", false},
		{wallet.ManualAdjustment, 100, "credit.manual_adjustment", "manual_adjustment", "1", true},
		{wallet.ManualAdjustment, -100, "credit.manual_adjustment", "manual_adjustment", "1", false},
		{entry: wallet.CreditRolledOver, amount: -100}, // out of the old grant
		{entry: wallet.AutoTopUp, amount: 100},
		{entry: wallet.Refund, amount: 100},
		{entry: wallet.Revoked, amount: -100},
	} {
		got := render(&wallet.Entry{
			Seq: 7, Type: c.entry, Credit: "crd_1", Amount: c.amount, BalanceBefore: 1000, BalanceAfter: 1000 + c.amount, OverageBefore: 25,
			OverageAfter: 50, Slices: []wallet.Slice{{Grant: 3}}, RefType: "api", RefID: "r", Reason: "why", Metadata: wallet.Metadata{"a": "b"},
			EffectiveAt: start,
		})
		if c.event == "" {
			if got != nil {
				t.Errorf("%s is told: %v", c.entry, got)
			}
			continue
		}
		want := map[string]any{"business_id": "app_1", "type": c.event, "timestamp": "2026-02-02T02:40:00Z", "data": map[string]any{
			"payload_type": "CreditLedgerEntry", "id": id.Object(id.PrefixEntry, key.ID(), 7), "business_id": "app_1", "brand_id": "app_1", "customer_id": "ada",
			"credit_entitlement_id": "crd_1", "transaction_type": c.kind, "type": c.kind, "is_credit": c.credit, "amount": c.size,
			"balance_before": "10", "balance_after": money.FormatUnits(1000+c.amount, 2), "overage_before": "0.25", "overage_after": "0.5",
			"description": "why", "grant_id": id.Object(id.PrefixGrant, key.ID(), 3), "reference_type": "api", "reference_id": "r",
			"metadata": map[string]any{"a": "b"}, "created_at": "2026-02-02T02:40:00Z",
		}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.event, diff)
		}
	}
}

func eventTypesOf(names []string) []catalog.EventType {
	var types []catalog.EventType
	for _, name := range names {
		types = append(types, catalog.EventType(name))
	}
	return types
}

// TestNames reads and writes filters of events that have another name in Scrip.
func TestNames(t *testing.T) {
	for _, c := range []struct {
		filter, stored []string
		event          catalog.EventType
		name           string
		want           bool
	}{
		{nil, nil, catalog.EventSubscriptionStarted, "subscription.active", true},
		{[]string{"credit.added"}, []string{"credit.added"}, catalog.EventCreditAdded, "credit.added", true},
		{[]string{"payment.cancelled"}, []string{"payment.cancelled", "payment.canceled"}, catalog.EventPaymentCanceled, "payment.cancelled", true},
		{[]string{"subscription.active"}, []string{"subscription.active", "subscription.recovered", "subscription.started"}, catalog.EventSubscriptionStarted, "subscription.active", true},
		{[]string{"subscription.expired", "subscription.unpaused"}, []string{"subscription.expired", "subscription.unpaused", "subscription.ended", "subscription.resumed"}, catalog.EventSubscriptionEnded, "subscription.cancelled", false},
		{[]string{"subscription.expired"}, []string{"subscription.expired", "subscription.ended"}, catalog.EventSubscriptionEnded, "subscription.expired", true},
		{[]string{"subscription.expired", "subscription.cancelled"}, []string{"subscription.expired", "subscription.cancelled", "subscription.ended"}, catalog.EventSubscriptionEnded, "subscription.cancelled", true},
	} {
		stored := filterIn(c.filter)
		if diff := cmp.Diff(c.stored, stored); diff != "" {
			t.Errorf("%v is stored as (-want +got):\n%s", c.filter, diff)
		}
		if diff := cmp.Diff(c.filter, filterOut(stored)); diff != "" {
			t.Errorf("%v is told as (-want +got):\n%s", c.filter, diff)
		}
		if got := wants(eventTypesOf(stored), c.event, c.name); got != c.want {
			t.Errorf("%v wants %s: %v", c.filter, c.name, got)
		}
	}
	// An endpoint that Scrip's own interface made may have Scrip's own names.
	if !wants([]catalog.EventType{catalog.EventSubscriptionEnded}, catalog.EventSubscriptionEnded, "subscription.cancelled") {
		t.Error("subscription.ended is neither of the vendor's names")
	}
}

// delivery is a request that a receiver got.
type delivery struct {
	header http.Header
	text   []byte
	body   map[string]any
}

// receiver starts the dispatcher, and a server that hands on what it is sent.
func (f *fixture) receiver() (string, func() delivery) {
	got := make(chan delivery, 100)
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		d := delivery{header: r.Header}
		d.text, _ = io.ReadAll(r.Body)
		_ = json.Unmarshal(d.text, &d.body) // a body that is none has no type either
		got <- d
	}))
	f.t.Cleanup(s.Close)
	sending := f.hooks.Start()
	f.t.Cleanup(func() {
		if err := sending.Close(context.Background()); err != nil {
			f.t.Error(err)
		}
	})
	return s.URL, func() delivery {
		f.t.Helper()
		const patience = 5 * time.Minute // a busy machine is slow
		select {
		case d := <-got:
			return d
		case <-time.After(patience):
			f.t.Fatalf("nothing was sent within %s", patience)
			return delivery{}
		}
	}
}

// TestWebhooksAreSent follows an entry to the receiver: what is sent is the line of the ledger,
// signed with the secret that the interface tells.
func TestWebhooksAreSent(t *testing.T) {
	f := newFixture(t)
	url, next := f.receiver()
	hook := f.endpoint(`{"url":"` + url + `","headers":{"X-Team":"billing"}}`)
	credit, customer := f.world()
	added := next()
	line := f.must("GET", "/credit-entitlements/"+credit+"/balances/"+customer+"/ledger", "").list()[0]
	line["payload_type"] = "CreditLedgerEntry"
	want := map[string]any{"business_id": f.app, "type": "credit.added", "timestamp": line["created_at"], "data": line}
	if diff := cmp.Diff(want, added.body); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if added.header.Get("X-Team") != "billing" {
		t.Errorf("headers %v", added.header)
	}
	check, err := standardwebhooks.NewWebhook(f.must("GET", "/webhooks/"+hook+"/secret", "").body["secret"].(string))
	if err != nil {
		t.Fatal(err)
	}
	if err := check.VerifyIgnoringTimestamp(added.text, added.header); err != nil {
		t.Error(err)
	}

	// What the vendor has no event for is passed over, and what is filtered is not even written.
	revoked := f.must("POST", "/credit-entitlements/"+credit+"/balances/"+customer+"/ledger-entries", `{"entry_type":"credit","amount":"7"}`).body
	next()
	f.must("PATCH", "/webhooks/"+hook, `{"filter_types":["credit.deducted"]}`)
	f.must("POST", "/credit-entitlements/"+credit+"/balances/"+customer+"/ledger-entries", `{"entry_type":"credit","amount":"8"}`)
	f.must("PATCH", "/webhooks/"+hook, `{"filter_types":[]}`)
	if _, err := f.native.RevokeGrant(t.Context(), revoked["grant_id"].(string), v1.RevokeRequest{}); err != nil {
		t.Fatal(err)
	}
	f.must("POST", "/credit-entitlements/"+credit+"/balances/"+customer+"/ledger-entries", `{"entry_type":"debit","amount":"1"}`)
	if d := next(); d.body["type"] != "credit.deducted" {
		t.Errorf("%s", d.text)
	}
	if _, err := f.hooks.As(f.caller(catalog.Test)).TestWebhookEndpoint(t.Context(), hook); fault.CodeOf(err) != fault.CodeNotImplemented {
		t.Errorf("a test event: %v", err)
	}
}

// TestBalanceLow tells of a balance below its threshold, and as a share of which grant.
func TestBalanceLow(t *testing.T) {
	f := newFixture(t)
	url, next := f.receiver()
	threshold := money.Decimal("20")
	def, err := f.native.CreateCredit(t.Context(), v1.CreateCredit{Name: "Calls", Unit: "call", LowBalance: threshold})
	if err != nil {
		t.Fatal(err)
	}
	f.endpoint(`{"url":"` + url + `","filter_types":["credit.balance_low"]}`)
	for _, c := range []struct {
		customer  string
		grants    []v1.GrantRequest
		taken     money.Decimal
		balance   string
		allowance string
		percent   string
		from      string
	}{
		{"plain", []v1.GrantRequest{{Amount: "100"}}, "85", "15", "100", "20", ""},
		{"a third", []v1.GrantRequest{{Amount: "60"}}, "41", "19", "60", "33", ""},
		{"above", []v1.GrantRequest{{Amount: "10"}, {Amount: "11"}}, "15", "6", "11", "181", ""},
		{"subscribed", []v1.GrantRequest{{Amount: "40", Source: "subscription", ExternalRef: "sub_9"}, {Amount: "10"}}, "50", "0", "40", "50", "sub_9"},
		{"twice", []v1.GrantRequest{{Amount: "40", Source: "subscription", ExternalRef: "sub_1"}, {Amount: "50", Source: "subscription", ExternalRef: "sub_2"}}, "90", "0", "50", "40", "sub_2"},
	} {
		for i := range c.grants {
			c.grants[i].CustomerID, c.grants[i].CreditID = c.customer, def.ID
			if _, err := f.native.Grant(t.Context(), c.grants[i]); err != nil {
				t.Fatal(err)
			}
		}
		_, err := f.native.Deduct(t.Context(), v1.DeductRequest{Charge: v1.Charge{CustomerID: c.customer, CreditID: def.ID, Amount: c.taken}})
		if err != nil {
			t.Fatal(err)
		}
		want := `{"business_id":"` + f.app + `","type":"credit.balance_low","timestamp":"2026-02-02T02:40:00Z","data":{"payload_type":"CreditBalanceLow",` +
			`"brand_id":"` + f.app + `","customer_id":"` + c.customer + `","subscription_id":"` + c.from + `","credit_entitlement_id":"` + def.ID +
			`","credit_entitlement_name":"Calls","available_balance":"` + c.balance + `","subscription_credits_amount":"` + c.allowance +
			`","threshold_percent":` + c.percent + `,"threshold_amount":"20"}}`
		if got := next(); string(got.text) != want {
			t.Errorf("%s:\n%s, want\n%s", c.customer, got.text, want)
		}
	}
}
