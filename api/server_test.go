package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/seed42445051/scrip/accounts"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	v1 "github.com/seed42445051/scrip/v1"
)

// failing is a service that fails as it is told.
type failing struct {
	v1.Operations
	fail func() error
}

func (f failing) GetApp(context.Context) (v1.App, error) { return v1.App{}, f.fail() }

// failure is the answer to a call whose service fails, and what was logged.
func failure(t *testing.T, level slog.Level, fail func() error) (answer, string) {
	t.Helper()
	var log bytes.Buffer
	opts := Options{Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: level}))}
	h := newServer(everyone{}, clock.NewManual(start), opts, func(accounts.Identity) v1.Operations { return failing{fail: fail} })
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, "/v1/app", nil)
	r.Header.Set("Authorization", "Bearer sk_test_secret")
	h.ServeHTTP(w, r)
	a := answer{status: w.Code, header: w.Header(), text: w.Body.String()}
	if err := json.Unmarshal(w.Body.Bytes(), &a.body); err != nil {
		t.Fatalf("answered %s", a.text)
	}
	return a, log.String()
}

// TestEveryCodeHasItsStatus answers with every code of the catalogue.
func TestEveryCodeHasItsStatus(t *testing.T) {
	for _, entry := range fault.Catalogue() {
		err := fault.New("hidden.Op", entry.Code, "what happened").In("some_field").With("left", "3").Because(errors.New("hidden cause"))
		a, log := failure(t, slog.LevelInfo, func() error { return err })
		if a.status != entry.Kind.HTTPStatus() || a.at("status") != float64(a.status) || a.at("code") != string(entry.Code) || a.at("title") != entry.Title {
			t.Errorf("%s: answered %d %s", entry.Code, a.status, a.text)
		}
		if strings.Contains(a.text, "hidden") {
			t.Errorf("%s leaks: %s", entry.Code, a.text)
		}
		if retry := a.header.Get("Retry-After"); (retry == "1") != (entry.Kind == fault.Unavailable) {
			t.Errorf("%s: Retry-After %q", entry.Code, retry)
		}
		if entry.Kind != fault.Internal && entry.Kind != fault.Unavailable {
			if a.at("detail") != "what happened" || a.at("field") != "some_field" || a.at("left") != "3" || log != "" {
				t.Errorf("%s: %s; logged %q", entry.Code, a.text, log)
			}
			continue
		}
		id, _ := a.at("request_id").(string)
		if a.at("detail") == "what happened" || a.at("field") != nil || a.at("left") != nil || id == "" {
			t.Errorf("%s says too much or too little: %s", entry.Code, a.text)
		}
		for _, want := range []string{id, "hidden cause", "GET /v1/app"} {
			if !strings.Contains(log, want) {
				t.Errorf("%s: the log lacks %s: %s", entry.Code, want, log)
			}
		}
	}
}

func TestDetailsNeverReplaceTheProblem(t *testing.T) {
	err := fault.New("op", fault.CodeInsufficientCredits, "short").With("status", 200).With("code", "fine").With("request_id", "x").With("field", "y")
	a, _ := failure(t, slog.LevelInfo, func() error { return err })
	if a.at("status") != 402.0 || a.at("code") != "insufficient_credits" || a.at("request_id") != nil || a.at("field") != nil {
		t.Errorf("answered %s", a.text)
	}
}

func TestWhatIsNoFaultLeaksNothing(t *testing.T) {
	for name, fail := range map[string]func() error{
		"error":             func() error { return errors.New("dial postgres://user:secret@db") },
		"unknown code":      func() error { return fault.New("secret", "secret_code", "secret text") },
		"panic":             func() error { panic("secret") },
		"panic of an error": func() error { panic(errors.New("secret")) },
	} {
		t.Run(name, func(t *testing.T) {
			a, log := failure(t, slog.LevelInfo, fail)
			if a.status != 500 || a.at("code") != "internal_error" || strings.Contains(a.text, "secret") || a.at("request_id") == nil {
				t.Errorf("answered %d %s", a.status, a.text)
			}
			if !strings.Contains(log, "level=ERROR") || strings.Contains(log, "sk_test_secret") {
				t.Errorf("logged %s", log)
			}
		})
	}
	defer func() {
		if recover() != http.ErrAbortHandler {
			t.Error("a handler that aborts was kept from it")
		}
	}()
	failure(t, slog.LevelInfo, func() error { panic(http.ErrAbortHandler) })
}

// TestLogsNameNobody makes calls that succeed and that fail, and reads what was logged.
func TestLogsNameNobody(t *testing.T) {
	for _, level := range []slog.Level{slog.LevelInfo, slog.LevelDebug} {
		var log bytes.Buffer
		f := newFixture(t, Options{Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: level}))})
		newWorld(f)
		f.must("PUT", "/v1/customers/somebody", `{"name":"Some Body","email":"some@body.example"}`)
		token := f.token("somebody")
		f.send(f.publishable, "GET", "/v1/customers/somebody/balances", "", headerToken, token)
		f.send(f.publishable, "GET", "/v1/customers/c/balances", "", headerToken, token)
		f.send(f.test, "POST", "/v1/deduct", `{"customer_id":"somebody","credit_id":"api","amount":"1"}`)
		for _, secret := range []string{f.test, f.publishable, token, "somebody", "Some Body", "body.example"} {
			if strings.Contains(log.String(), secret) {
				t.Errorf("%s is in the log at %s", secret, level)
			}
		}
		if level == slog.LevelInfo && log.Len() > 0 {
			t.Errorf("logged at info: %s", log.String())
		}
		if want := `route="PUT /v1/customers/{id}" status=200`; level == slog.LevelDebug && !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %s:\n%s", want, log.String())
		}
	}
}

func TestHealth(t *testing.T) {
	down := errors.New("the database is away")
	var ready error
	f := newFixture(t, Options{
		Ready: func(context.Context) error { return ready },
		Mount: map[string]http.Handler{"GET /metrics": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("scrip_up 1")) })},
	})
	for _, path := range []string{"/healthz", "/readyz"} {
		if a := f.send("", "GET", path, ""); a.status != 200 || a.at("status") != "ok" {
			t.Errorf("%s answered %d %s", path, a.status, a.text)
		}
	}
	ready = down
	if a := f.send("", "GET", "/readyz", ""); a.status != 503 || a.header.Get("Retry-After") != "1" || strings.Contains(a.text, "away") {
		t.Errorf("/readyz answered %d %s", a.status, a.text)
	}
	if a := f.send("", "GET", "/healthz", ""); a.status != 200 {
		t.Errorf("/healthz answered %d %s", a.status, a.text)
	}
	if a := f.send("", "GET", "/metrics", ""); a.text != "scrip_up 1" {
		t.Errorf("/metrics answered %s", a.text)
	}
}

// TestAmountsAreExact sends amounts that a float would alter, as text and as numbers.
func TestAmountsAreExact(t *testing.T) {
	f := newFixture(t, Options{})
	f.must("POST", "/v1/credits", `{"name":"fine","unit":"u","precision":10}`)
	for i, amount := range []string{"0.1", "0.0000000001", "12345678.0123456789", "99999999.9999999999"} {
		for j, form := range []string{amount, `"` + amount + `"`, amount + "e0", `"00` + amount + `"`} {
			a := f.must("POST", "/v1/grants", `{"customer_id":"c`+string(rune('a'+i*4+j))+`","credit_id":"fine","amount":`+form+`}`)
			if got := a.at("grants", 0, "amount"); got != amount {
				t.Errorf("%s became %v", form, got)
			}
		}
	}
}

// TestCustomersOfEveryForm uses ids that mean something in a path, and finds each again.
func TestCustomersOfEveryForm(t *testing.T) {
	f := newFixture(t, Options{})
	f.must("POST", "/v1/credits", `{"name":"api","unit":"u"}`)
	ids := []string{"a/b", "%2F", "a b", "ä", "?x=1", "#x", "a+b", "..", ".", "a;b", `"q"`, "balances", "🙂", strings.Repeat("é", 256)}
	for _, id := range ids {
		name, err := json.Marshal(id)
		if err != nil {
			t.Fatal(err)
		}
		f.must("POST", "/v1/grants", `{"customer_id":`+string(name)+`,"credit_id":"api","amount":"1"}`)
		escaped := strings.ReplaceAll(url.PathEscape(id), ".", "%2E")
		if a := f.must("GET", "/v1/customers/"+escaped+"/balances", ""); a.at("customer_id") != id || a.at("data", 0, "balance") != "1" {
			t.Errorf("%q: %s", id, a.text)
		}
		if a := f.must("GET", "/v1/usage?customer_id="+url.QueryEscape(id), ""); a.at("customer_id") != id || a.at("credits", 0, "remaining") != "1" {
			t.Errorf("%q: %s", id, a.text)
		}
	}
	if a := f.must("GET", "/v1/customers?limit=500", ""); len(a.at("data").([]any)) != len(ids) {
		t.Errorf("%d customers: %s", len(ids), a.text)
	}
}

// TestPages walks through every list page by page and comes by everything once.
func TestPages(t *testing.T) {
	f := newFixture(t, Options{})
	f.must("POST", "/v1/credits", `{"name":"api","unit":"u"}`)
	const n = 7
	for i := range n {
		f.must("POST", "/v1/grants", `{"customer_id":"c","credit_id":"api","amount":"1"}`)
		f.must("PUT", "/v1/customers/customer-"+string(rune('a'+i)), `{}`)
	}
	for path, want := range map[string]int{"/v1/customers/c/ledger": n, "/v1/customers/c/grants": n, "/v1/customers": n + 1} {
		seen := map[string]bool{}
		cursor := ""
		for pages := 0; ; pages++ {
			a := f.must("GET", path+"?limit=3"+cursor, "")
			data := a.at("data").([]any)
			for i := range data {
				seen[f.text(a, "data", i, "id")] = true
			}
			if a.at("has_more") != true {
				break
			}
			if len(data) != 3 || pages > want {
				t.Fatalf("%s: a page of %d, and more", path, len(data))
			}
			cursor = "&cursor=" + url.QueryEscape(f.text(a, "next_cursor"))
		}
		if len(seen) != want {
			t.Errorf("%s: %d of %d", path, len(seen), want)
		}
	}
}
