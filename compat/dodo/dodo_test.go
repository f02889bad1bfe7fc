package dodo

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed42445051/scrip/accounts"
	"github.com/seed42445051/scrip/billing"
	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/credits"
	"github.com/seed42445051/scrip/engine"
	"github.com/seed42445051/scrip/internal/selltest"
	"github.com/seed42445051/scrip/metering"
	"github.com/seed42445051/scrip/notify"
	"github.com/seed42445051/scrip/services"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/store/sqlite"
	v1 "github.com/seed42445051/scrip/v1"
)

// start is where every test's clock begins.
const start = clock.Instant(1_770_000_000_000_000)

// fixture is the handler under its prefix over a real database, with keys of every sort.
type fixture struct {
	t      *testing.T
	url    string
	clock  *clock.Manual
	core   *credits.Core
	app    string
	native *credits.Session // the same app and mode, past this interface
	acc    *accounts.Accounts
	hooks  *notify.Service // sends nothing until it is started

	test, live, publishable, revoked string
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	ctx := context.Background()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	st, err := sqlite.Open(ctx, filepath.Join(t.TempDir(), "scrip.db")+"?sync=off")
	must(err)
	t.Cleanup(func() { must(st.Close()) })
	must(st.Migrate(ctx))
	f := &fixture{t: t, clock: clock.NewManual(start)}
	e := engine.New(st, engine.Options{Clock: f.clock, Receivers: services.Receivers(false)})
	t.Cleanup(func() { must(e.Close(ctx)) })
	f.core = &credits.Core{Engine: e, Store: st, Clock: f.clock}
	acc := &accounts.Accounts{Store: st, Engine: e, Clock: f.clock}
	f.acc = acc
	app, err := acc.App(ctx, "ours")
	must(err)
	f.app = app.ID
	key := func(mode catalog.Mode, kind store.KeyKind) (string, string) {
		k, text, err := acc.CreateKey(ctx, app.ID, mode, kind, "")
		must(err)
		return k.ID, text
	}
	_, f.test = key(catalog.Test, store.Secret)
	_, f.live = key(catalog.Live, store.Secret)
	_, f.publishable = key(catalog.Test, store.Publishable)
	id, text := key(catalog.Test, store.Secret)
	f.revoked = text
	_, err = acc.RevokeKey(ctx, app.ID, id)
	must(err)
	f.native = f.core.As(f.caller(catalog.Test))
	meters := &metering.Core{Engine: e, Store: st, Clock: f.clock}
	plans := &billing.Core{Engine: e, Store: st, Clock: f.clock}
	f.hooks = notify.New(notify.Options{Store: st, Engine: e, Clock: f.clock, Log: slog.New(slog.DiscardHandler), Allow: notify.AllowLoopback, Formats: map[string]notify.Renderer{Format: Renderer{}}})
	all := services.Set{Accounts: acc, Credits: f.core, Metering: meters, Billing: plans, Notify: f.hooks}
	selltest.Sell(t, &all, st, e, f.clock)
	server := httptest.NewServer(http.StripPrefix("/dodo", New(all, Options{})))
	t.Cleanup(server.Close)
	f.url = server.URL + "/dodo"
	return f
}

// caller acts in a mode past this interface.
func (f *fixture) caller(mode catalog.Mode) v1.Caller {
	return v1.Caller{App: f.app, Mode: mode, Actor: "test"}
}

// reply is an answer that was read.
type reply struct {
	status int
	header http.Header
	text   string
	body   map[string]any
}

// send sends a body as it is. Headers come in pairs.
func (f *fixture) send(key, method, path, body string, headers ...string) reply {
	f.t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), method, f.url+path, strings.NewReader(body))
	if err != nil {
		f.t.Fatal(err)
	}
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		f.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		f.t.Fatal(err)
	}
	r := reply{status: res.StatusCode, header: res.Header, text: string(text)}
	if len(text) > 0 {
		if err := json.Unmarshal(text, &r.body); err != nil {
			f.t.Fatalf("%s %s: %v in %s", method, path, err, text)
		}
	}
	return r
}

// must sends what has to succeed.
func (f *fixture) must(method, path, body string) reply {
	f.t.Helper()
	r := f.send(f.test, method, path, body)
	if r.status >= 300 {
		f.t.Fatalf("%s %s answered %d: %s", method, path, r.status, r.text)
	}
	return r
}

// refused sends what has to fail, and checks that the body is flat and what is said to the SDKs'
// retries.
func (f *fixture) refused(r reply, status int, code string) {
	f.t.Helper()
	if r.status != status || r.body["code"] != code {
		f.t.Errorf("answered %d %s, want %d %s", r.status, r.text, status, code)
	}
	if message, _ := r.body["message"].(string); message == "" || len(r.body) != 2 {
		f.t.Errorf("the body is not flat code and message: %s", r.text)
	}
	if retry := r.header.Get("X-Should-Retry"); (retry == "false") != (status == 409 || status == 429 || status == 501) {
		f.t.Errorf("%d came with x-should-retry %q", status, retry)
	}
}

// list reads the items of a list.
func (r reply) list() []map[string]any {
	var rows []map[string]any
	items, _ := r.body["items"].([]any)
	for _, item := range items {
		rows = append(rows, item.(map[string]any))
	}
	return rows
}

// column is one field of all rows.
func column(rows []map[string]any, field string) string {
	var all []string
	for _, row := range rows {
		text, err := json.Marshal(row[field])
		if err != nil {
			return err.Error()
		}
		all = append(all, strings.Trim(string(text), `"`))
	}
	return strings.Join(all, " ")
}

// world is a credit and a customer who holds some of it.
func (f *fixture) world() (credit, customer string) {
	f.t.Helper()
	credit, _ = f.must("POST", "/credit-entitlements", `{"name":"Calls","unit":"call","precision":2,"rollover_enabled":false,"overage_enabled":false}`).body["id"].(string)
	customer, _ = f.must("POST", "/customers", `{"email":"ada@example.test","name":"Ada"}`).body["customer_id"].(string)
	f.must("POST", "/credit-entitlements/"+credit+"/balances/"+customer+"/ledger-entries", `{"entry_type":"credit","amount":"100"}`)
	return credit, customer
}

func TestWhoMayAsk(t *testing.T) {
	f := newFixture(t)
	_, customer := f.world()
	for name, key := range map[string]string{"none": "", "unknown": "sk_test_unknown", "revoked": f.revoked, "the vendor's": "dodo_test_x"} {
		t.Run(name, func(t *testing.T) {
			f := *f
			f.t = t
			for _, path := range []string{"/customers", "/credit-entitlements", "/products", "/checkouts/x"} {
				f.refused(f.send(key, "GET", path, ""), 401, "UNAUTHORIZED")
			}
		})
	}
	f.refused(f.send(f.publishable, "GET", "/customers", ""), 403, "FORBIDDEN")
	// Definitions are of both modes; customers and what they hold are not.
	f.refused(f.send(f.live, "GET", "/customers/"+customer, ""), 404, "NOT_FOUND")
	if n := len(f.send(f.live, "GET", "/credit-entitlements", "").list()); n != 1 {
		t.Errorf("live has %d entitlements", n)
	}
}

// TestRefusals makes each refusal without an SDK, whose checks come first there.
func TestRefusals(t *testing.T) {
	f := newFixture(t)
	credit, customer := f.world()
	at := "/credit-entitlements/" + credit + "/balances/" + customer
	big := `{"name":"` + strings.Repeat("x", v1.MaxEventsBody) + `"}`
	for _, c := range []struct {
		method, path, body string
		status             int
		code               string
	}{
		{"GET", "/nowhere", "", 404, "NOT_FOUND"},
		{"GET", "/", "", 404, "NOT_FOUND"},
		{"GET", "/customers//x", "", 404, "NOT_FOUND"},
		{"GET", "/customers/", "", 404, "NOT_FOUND"},
		{"DELETE", "/customers", "", 405, "METHOD_NOT_ALLOWED"},
		{"PUT", at, "", 405, "METHOD_NOT_ALLOWED"},

		{"POST", "/customers", "", 422, "INVALID_REQUEST_BODY"},
		{"POST", "/customers", "null", 422, "INVALID_REQUEST_BODY"},
		{"POST", "/customers", "[]", 422, "INVALID_REQUEST_BODY"},
		{"POST", "/customers", "{", 422, "INVALID_REQUEST_BODY"},
		{"POST", "/customers", `{"email":"a@b.c","name":"A"} {}`, 422, "INVALID_REQUEST_BODY"},
		{"POST", "/customers", `{"email":1,"name":"A"}`, 422, "INVALID_REQUEST_BODY"},
		{"POST", "/customers", `{"email":"@","name":"A"}`, 422, "INVALID_REQUEST_PARAMETERS"},
		{"POST", "/customers", `{"email":"a@b.c","name":""}`, 422, "INVALID_REQUEST_PARAMETERS"},
		{"POST", "/customers", `{"email":"a@b.c","name":"A","metadata":[]}`, 422, "INVALID_REQUEST_BODY"},
		{"POST", "/customers", `{"email":"a@b.c","name":"` + strings.Repeat("x", 256) + `"}`, 422, "INVALID_REQUEST_PARAMETERS"},
		{"POST", "/customers", `{"email":"a@b.c","name":"a\u0000b"}`, 422, "INVALID_REQUEST_PARAMETERS"},
		{"POST", "/customers", big, 413, "REQUEST_TOO_LARGE"},
		{"PATCH", "/customers/" + customer, `{"email":"x"}`, 422, "INVALID_REQUEST_PARAMETERS"},
		{"GET", "/customers/" + strings.Repeat("x", 257), "", 422, "INVALID_REQUEST_PARAMETERS"},

		{"GET", "/customers?page_size=101", "", 422, "INVALID_QUERY_PARAMS"},
		{"GET", "/customers?page_size=0", "", 422, "INVALID_QUERY_PARAMS"},
		{"GET", "/customers?page_number=-1", "", 422, "INVALID_QUERY_PARAMS"},
		{"GET", "/customers?page_number=9999999999999999999", "", 422, "INVALID_QUERY_PARAMS"},
		{"GET", "/customers?page_size=ten", "", 422, "INVALID_QUERY_PARAMS"},
		{"GET", "/customers?created_at_gte=today", "", 422, "INVALID_QUERY_PARAMS"},
		{"GET", "/customers?created_at_lte=today", "", 422, "INVALID_QUERY_PARAMS"},
		{"GET", "/customers?a=%zz", "", 422, "INVALID_QUERY_PARAMS"},
		{"GET", "/credit-entitlements?deleted=yes", "", 422, "INVALID_QUERY_PARAMS"},
		{"GET", "/products?recurring=yes", "", 422, "INVALID_QUERY_PARAMS"},
		{"GET", "/products?archived=1", "", 422, "INVALID_QUERY_PARAMS"},
		{"GET", "/payments?page_size=101", "", 422, "INVALID_QUERY_PARAMS"},
		{"GET", at + "/grants?status=open", "", 422, "INVALID_QUERY_PARAMS"},
		{"GET", at + "/ledger?end_date=x", "", 422, "INVALID_QUERY_PARAMS"},
		{"GET", at + "/ledger?start_date=2026-02-01T00:00:00Z&end_date=2026-01-01T00:00:00Z", "", 422, "INVALID_QUERY_PARAMS"},

		{"GET", "/credit-entitlements/none/balances", "", 404, "NOT_FOUND"},
		{"GET", "/credit-entitlements/none/balances/" + customer, "", 404, "NOT_FOUND"},
		{"GET", "/credit-entitlements/" + credit + "/balances/none", "", 404, "NOT_FOUND"},
		{"GET", "/credit-entitlements/" + credit + "/balances/none/ledger", "", 404, "NOT_FOUND"},
		{"GET", "/credit-entitlements/" + credit + "/balances/none/grants", "", 404, "NOT_FOUND"},
		{"PATCH", "/credit-entitlements/none", `{}`, 404, "NOT_FOUND"},
		{"DELETE", "/credit-entitlements/none", "", 404, "NOT_FOUND"},
		{"PATCH", "/credit-entitlements/" + credit, `{"name":null}`, 422, "INVALID_REQUEST_BODY"},
		{"PATCH", "/credit-entitlements/" + credit, `{"overage_enabled":"yes"}`, 422, "INVALID_REQUEST_BODY"},
		{"PATCH", "/credit-entitlements/" + credit, `{"overage_limit":1.5}`, 422, "INVALID_REQUEST_PARAMETERS"},
		{"PATCH", "/credit-entitlements/" + credit, `{"max_rollover_count":0}`, 422, "INVALID_REQUEST_PARAMETERS"},
		{"PATCH", "/credit-entitlements/" + credit, `{"currency":"USD","price_per_unit":"-1"}`, 422, "INVALID_REQUEST_PARAMETERS"},
		{"PATCH", "/credit-entitlements/" + credit, `{"rollover_enabled":true,"rollover_percentage":0}`, 422, "INVALID_REQUEST_PARAMETERS"},
		{"POST", "/credit-entitlements/" + credit + "/undelete", "", 409, "CREDIT_ENTITLEMENT_IS_NOT_DELETED"},

		{"POST", at + "/ledger-entries", `{"entry_type":"debit","amount":"100.01"}`, 400, "INSUFFICIENT_CREDIT_BALANCE"},
		{"POST", at + "/ledger-entries", `{"entry_type":"credit","amount":"0.001"}`, 400, "INVALID_REQUEST_PARAMETERS"},
		{"POST", at + "/ledger-entries", `{"entry_type":"credit","amount":"99999999999999999999"}`, 400, "INVALID_REQUEST_PARAMETERS"},
		{"POST", at + "/ledger-entries", `{"entry_type":"credit","amount":"1","expires_at":"soon"}`, 422, "INVALID_REQUEST_BODY"},
		{"POST", at + "/ledger-entries", `{"entry_type":"credit","amount":"1","reason":"` + strings.Repeat("x", 501) + `"}`, 422, "INVALID_REQUEST_PARAMETERS"},
		{"POST", at + "/ledger-entries", `{"entry_type":"credit","amount":"1","idempotency_key":"two words"}`, 422, "INVALID_REQUEST_PARAMETERS"},
		{"POST", at + "/ledger-entries", `{"entry_type":"credit","amount":true}`, 422, "INVALID_REQUEST_BODY"},
		{"POST", "/checkouts", `{}`, 422, "INVALID_REQUEST_BODY"},
		{"POST", "/customers/" + customer + "/customer-portal/session?send_email=true", "", 501, "NOT_IMPLEMENTED"},
		{"POST", "/customers/" + customer + "/customer-portal/session?return_url=nowhere", "", 422, "INVALID_REQUEST_PARAMETERS"},
		{"POST", "/customers/cus_nobody/customer-portal/session", "", 404, "NOT_FOUND"},
	} {
		f.refused(f.send(f.test, c.method, c.path, c.body), c.status, c.code)
		if t.Failed() {
			t.Fatalf("%s %s %.200s", c.method, c.path, c.body)
		}
	}
	if b := f.must("GET", at, "").body["balance"]; b != "100" {
		t.Errorf("the balance is %v after nothing but refusals", b)
	}
}

// TestOneIDOfTwoCustomers: the vendor's ids of events are the business's, and here the customer's.
func TestOneIDOfTwoCustomers(t *testing.T) {
	f := newFixture(t)
	var customers []string
	for _, name := range []string{"Ada", "Bob"} {
		made := f.must("POST", "/customers", `{"email":"a@example.test","name":"`+name+`"}`).body["customer_id"].(string)
		customers = append(customers, made)
		for _, want := range []float64{1, 0} {
			r := f.must("POST", "/events/ingest", `{"events":[{"event_id":"same","customer_id":"`+made+`","event_name":"`+name+`"}]}`)
			if r.body["ingested_count"] != want {
				t.Errorf("%s: %s, want %v", name, r.text, want)
			}
		}
	}
	f.refused(f.send(f.test, "GET", "/events/same", ""), 422, "INVALID_QUERY_PARAMS")
	if r := f.must("GET", "/events/same?customer_id="+customers[1], ""); r.body["event_name"] != "Bob" {
		t.Errorf("%s", r.text)
	}
}

// TestTooManyCalls: beyond what a sandbox may do nothing is done, and the SDKs do not try again.
func TestTooManyCalls(t *testing.T) {
	f := newFixture(t)
	f.acc.SandboxOperations = 2
	made := f.must("POST", "/customers", `{"email":"ada@example.test","name":"Ada"}`).body["customer_id"].(string)
	f.must("PATCH", "/customers/"+made, `{"name":"Countess"}`)
	for _, c := range [][3]string{
		{"POST", "/customers", `{"email":"bob@example.test","name":"Bob"}`},
		{"PATCH", "/customers/" + made, `{"name":"Bob"}`},
		{"POST", "/events/ingest", `{"events":[{"event_id":"a","customer_id":"` + made + `","event_name":"x"}]}`},
	} {
		f.refused(f.send(f.test, c[0], c[1], c[2]), 429, "TOO_MANY_REQUESTS")
	}
	if names := column(f.must("GET", "/customers", "").list(), "name"); names != "Countess" {
		t.Errorf("customers are %s", names)
	}
	if n := len(f.must("GET", "/events", "").list()); n != 0 {
		t.Errorf("%d events were stored", n)
	}
}

// TestWindow has page_number missing where an SDK asks, and where somebody else does.
func TestWindow(t *testing.T) {
	f := newFixture(t)
	for range 25 {
		f.must("POST", "/customers", `{"email":"a@b.c","name":"A"}`)
	}
	for _, c := range []struct {
		query, lang string
		want        int
	}{
		{"", "", 10},
		{"", "js", 20},
		{"?page_size=5", "", 5},
		{"?page_size=5", "go", 10},
		{"?page_size=100", "python", 25},
		{"?page_number=", "js", 20},
		{"?page_number=0", "js", 10},
		{"?page_number=2", "js", 5},
		{"?page_number=2", "", 5},
		{"?page_number=3", "", 0},
		{"?page_number=1000000000&page_size=100", "", 0},
		{"?page_number=1&page_size=20", "js", 5},
	} {
		var headers []string
		if c.lang != "" {
			headers = []string{"X-Stainless-Lang", c.lang}
		}
		r := f.send(f.test, "GET", "/customers"+c.query, "", headers...)
		if got := len(r.list()); r.status != 200 || got != c.want || !strings.HasPrefix(r.text, `{"items":[`) {
			t.Errorf("%q from %q: %d with %d rows, want %d", c.query, c.lang, r.status, got, c.want)
		}
	}
}

// TestAsTheGoModuleSends repeats what the vendor's Go module puts on the wire: escaped JSON,
// its headers, and calls without a body, whose answers it would decode.
func TestAsTheGoModuleSends(t *testing.T) {
	f := newFixture(t)
	credit, customer := f.world()
	headers := []string{
		"User-Agent", "DodoPayments/Go 1.113.0", "X-Stainless-Lang", "go", "X-Stainless-Package-Version", "1.113.0",
		"X-Stainless-Retry-Count", "0", "Accept", "application/json",
	}
	made := f.send(f.test, "POST", "/credit-entitlements",
		`{"name":"A \u003cb\u003e \u0026 c","overage_enabled":false,"precision":0,"rollover_enabled":false,"unit":"x"}`, headers...)
	if made.status != 201 || made.body["name"] != "A <b> & c" {
		t.Errorf("create: %d %s", made.status, made.text)
	}
	id, _ := made.body["id"].(string)
	// The skill's example in Go reports usage with text alone in its metadata.
	usage := `{"events":[{"customer_id":"` + customer + `","event_id":"api_1770000000_x","event_name":"ai.tokens","metadata":{"model":"gpt-4","tokens":"1500"},"timestamp":"` + f.clock.Now().String() + `"}]}`
	for _, want := range []float64{1, 0} {
		if r := f.send(f.test, "POST", "/events/ingest", usage, headers...); r.status != 200 || r.body["ingested_count"] != want {
			t.Errorf("ingest: %d %s, want %v", r.status, r.text, want)
		}
	}
	headers[len(headers)-1] = "*/*"
	for _, c := range [][2]string{{"PATCH", ""}, {"DELETE", ""}, {"POST", "/undelete"}} {
		body := ""
		if c[0] == "PATCH" {
			body = `{"unit":"y"}`
		}
		r := f.send(f.test, c[0], "/credit-entitlements/"+id+c[1], body, headers...)
		// A body that is empty must not be called JSON: the SDKs would parse it (section 1.2).
		if r.status != 200 || r.text != "" || r.header.Get("Content-Type") != "" {
			t.Errorf("%s: %d %q %q", c[0], r.status, r.text, r.header)
		}
	}
	r := f.send(f.test, "GET", "/credit-entitlements/"+credit+"/balances/"+customer, "", headers...)
	for _, field := range []string{"created_at", "updated_at", "last_transaction_at"} {
		if _, err := time.Parse(time.RFC3339, r.body[field].(string)); err != nil {
			t.Errorf("%s: %v", field, err)
		}
	}
}

// TestWhatHappensBesides shows through this interface what only the native one and time do.
func TestWhatHappensBesides(t *testing.T) {
	f := newFixture(t)
	ctx := context.Background()
	credit, customer := f.world()
	at := "/credit-entitlements/" + credit + "/balances/" + customer
	check := func(what, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
	}
	hold, err := f.native.Reserve(ctx, v1.ReserveRequest{Charge: v1.Charge{CustomerID: customer, CreditID: credit, Amount: "30"}, TTLSeconds: 60})
	if err != nil || !hold.Allowed {
		t.Fatal(hold, err)
	}
	b := f.must("GET", at, "").body
	if b["balance"] != "100" || b["available_balance"] != "70" {
		t.Errorf("with a hold: %v", b)
	}
	check("a hold is no transaction", column(f.must("GET", at+"/ledger", "").list(), "transaction_type"), "credit_added")
	if _, err := f.native.Release(ctx, v1.ReleaseRequest{ReservationID: hold.ReservationID}); err != nil {
		t.Fatal(err)
	}

	soon := f.clock.Now().Add(time.Hour).String()
	short := f.must("POST", at+"/ledger-entries", `{"entry_type":"credit","amount":"5","expires_at":"`+soon+`"}`).body
	gone := f.must("POST", at+"/ledger-entries", `{"entry_type":"credit","amount":"7"}`).body
	if _, err := f.native.RevokeGrant(ctx, gone["grant_id"].(string), v1.RevokeRequest{Reason: "mistake"}); err != nil {
		t.Fatal(err)
	}
	order := "order-1"
	pack, err := f.native.CreatePack(ctx, v1.CreatePack{Name: "Pack", Items: []v1.PackItem{{CreditID: credit, Amount: "9"}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.native.Grant(ctx, v1.GrantRequest{CustomerID: customer, PackID: pack.ID, ExternalRef: order, Source: "purchase"}); err != nil {
		t.Fatal(err)
	}
	f.clock.Advance(2 * time.Hour)

	ledger := f.must("GET", at+"/ledger", "").list()
	check("types", column(ledger, "transaction_type"), "credit_expired credit_added manual_adjustment credit_added credit_added credit_added")
	check("older types", column(ledger, "type"), column(ledger, "transaction_type"))
	check("amounts", column(ledger, "amount"), "5 9 7 7 5 100")
	check("directions", column(ledger, "is_credit"), "false true false true true true")
	check("filtered", column(f.must("GET", at+"/ledger?transaction_type=manual_adjustment", "").list(), "description"), "mistake")
	check("second page", column(f.must("GET", at+"/ledger?page_size=2&page_number=1", "").list(), "amount"), "7 7")
	check("first page past what time did", column(f.must("GET", at+"/ledger?page_size=1&page_number=1", "").list(), "amount"), "9")

	check("expired", column(f.must("GET", at+"/grants?status=expired", "").list(), "id"), short["grant_id"].(string))
	check("is_expired", column(f.must("GET", at+"/grants?status=expired", "").list(), "is_expired"), "true")
	check("depleted", column(f.must("GET", at+"/grants?status=depleted", "").list(), "id"), gone["grant_id"].(string))
	active := f.must("GET", at+"/grants?status=active", "").list()
	check("sources", column(active, "source_type"), "api one_time")
	check("source ids", column(active, "source_id"), "null "+order)
	check("balance", f.must("GET", at, "").body["balance"].(string), "109")
	check("balances", column(f.must("GET", "/credit-entitlements/"+credit+"/balances", "").list(), "balance"), "109")
}

// TestPriceUnits reads a price by whether the body speaks the older version of the interface.
func TestPriceUnits(t *testing.T) {
	f := newFixture(t)
	base := `"unit":"x","precision":0,"rollover_enabled":false,`
	for i, c := range []struct{ body, price, currency string }{
		{`"overage_enabled":true,"currency":"USD","price_per_unit":"0.001"`, "0.001", "USD"},
		{`"overage_enabled":true,"currency":"USD","price_per_unit":0.001`, "0.001", "USD"},
		{`"allow_overage":true,"price_per_unit":0.001`, "0.1", "USD"},
		{`"allow_overage":true,"price_per_unit":"0.001"`, "0.1", "USD"},
		{`"allow_overage":true,"price_per_unit":1e-05`, "0.001", "USD"},
		{`"allow_overage":true,"currency":"JPY","price_per_unit":3`, "3", "JPY"},
		{`"allow_overage":true,"currency":"KWD","price_per_unit":"0.5"`, "500", "KWD"},
		{`"overage_enabled":true,"currency":"USD","price_per_unit":2,"overage_behavior":"bill_overage_at_billing"`, "200", "USD"},
	} {
		r := f.must("POST", "/credit-entitlements", `{"name":"c`+string(rune('a'+i))+`",`+base+c.body+`}`)
		if r.body["price_per_unit"] != c.price || r.body["currency"] != c.currency {
			t.Errorf("%s: %v %v, want %s %s", c.body, r.body["price_per_unit"], r.body["currency"], c.price, c.currency)
		}
	}
}
