package api

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/store"
)

// token mints a customer token of the test key.
func (f *fixture) token(customer string) string {
	f.t.Helper()
	return f.text(f.must("POST", "/v1/customer-tokens", `{"customer_id":"`+customer+`"}`), "token")
}

// routeRequest is a request of a route that would succeed under the right key.
func (w *world) request(rt *route) (path, body string) {
	path = w.path(rt)
	switch rt.id {
	case "getUsage":
		path += "?customer_id=c"
	case "usageSeries":
		path += "?customer_id=c&meter_id=tokens&from=2026-01-31T00:00:00Z"
	}
	return path, w.fill(samples[rt.id])
}

func each(visit func(rt *route)) {
	for _, section := range sections {
		for i := range section.routes {
			visit(&section.routes[i])
		}
	}
}

func TestKeysAreAskedForEverywhere(t *testing.T) {
	f := newFixture(t, Options{})
	w := newWorld(f)
	before := w.state()
	unknown := f.test[:len(f.test)-1] + "0"
	if unknown == f.test {
		unknown = f.test[:len(f.test)-1] + "1"
	}
	each(func(rt *route) {
		path, body := w.request(rt)
		for name, headers := range map[string][]string{
			"none":         nil,
			"empty":        {"Authorization", "Bearer "},
			"unknown":      {"Authorization", "Bearer " + unknown},
			"revoked":      {"Authorization", "Bearer " + f.revoked},
			"no scheme":    {"Authorization", f.test},
			"other scheme": {"Authorization", "Basic " + f.test},
			"two keys":     {"Authorization", "Bearer " + f.test + " " + f.test},
			"long":         {"Authorization", "Bearer sk_" + strings.Repeat("x", 1000)},
		} {
			a := f.send("", rt.method, path, body, headers...)
			if a.header.Get("WWW-Authenticate") != "Bearer" {
				t.Errorf("%s with key %s: no WWW-Authenticate", rt.id, name)
			}
			w.checkProblem(t, a, fault.CodeInvalidKey, "")
		}
		w.checkState(t, before)
	})
	if a := f.send("", "GET", "/v1/app", "", "Authorization", "bearer "+f.test); a.status != http.StatusOK {
		t.Errorf("the scheme is told apart by case: %s", a.text)
	}
}

func TestPublishableKeysOnlyRead(t *testing.T) {
	f := newFixture(t, Options{})
	w := newWorld(f)
	own, other := f.token("c"), f.token("d")
	before := w.state()
	open, free := map[string]bool{}, map[string]bool{}
	each(func(rt *route) {
		path, body := w.request(rt)
		for _, headers := range [][]string{nil, {headerToken, own}} {
			a := f.send(f.publishable, rt.method, path, body, headers...)
			switch {
			case rt.access == ownCustomer && headers != nil:
				if a.status != http.StatusOK || a.header.Get("Access-Control-Allow-Origin") != "*" {
					t.Errorf("%s answered %d %s", rt.id, a.status, a.text)
				}
				open[rt.id] = true
			case rt.access == anyKey && headers == nil:
				if a.status != http.StatusOK || a.header.Get("Access-Control-Allow-Origin") != "*" {
					t.Errorf("%s answered %d %s", rt.id, a.status, a.text)
				}
				free[rt.id] = true
			case rt.access == anyKey:
				w.check(t, before, a, fault.CodeWrongCustomer, "customer_id") // a token is for what concerns its customer
			case rt.access == ownCustomer:
				w.check(t, before, a, fault.CodeCustomerTokenRequired, "")
			default:
				w.check(t, before, a, fault.CodeRequiresSecretKey, "")
			}
		}
		if rt.access == ownCustomer {
			w.check(t, before, f.send(f.publishable, rt.method, path, body, headerToken, other), fault.CodeWrongCustomer, "customer_id")
		}
	})
	if len(open) != 2 || !open["getUsage"] || !open["getBalances"] {
		t.Errorf("publishable keys may call %v", open)
	}
	if len(free) != 2 || !free["listPacks"] || !free["listPlans"] { // V28
		t.Errorf("publishable keys may call %v by themselves", free)
	}
}

// TestTokensNarrowSecretKeys sends a token beside a secret key: it is not ignored.
func TestTokensNarrowSecretKeys(t *testing.T) {
	f := newFixture(t, Options{})
	w := newWorld(f)
	token := f.token("c")
	before := w.state()
	if a := f.send(f.test, "GET", "/v1/customers/c/balances", "", headerToken, token); a.status != http.StatusOK {
		t.Errorf("answered %s", a.text)
	}
	w.check(t, before, f.send(f.test, "GET", "/v1/customers/d/balances", "", headerToken, token), fault.CodeWrongCustomer, "customer_id")
	w.check(t, before, f.send(f.test, "POST", "/v1/deduct", charging("1"), headerToken, token), fault.CodeRequiresSecretKey, "")
}

func TestTokensThatAreNoGood(t *testing.T) {
	ctx := context.Background()
	f := newFixture(t, Options{})
	w := newWorld(f)
	minting, text, err := f.acc.CreateKey(ctx, f.app, catalog.Test, store.Secret, "minting")
	if err != nil {
		t.Fatal(err)
	}
	orphan := f.text(f.send(text, "POST", "/v1/customer-tokens", `{"customer_id":"c"}`), "token")
	if _, err := f.acc.RevokeKey(ctx, f.app, minting.ID); err != nil {
		t.Fatal(err)
	}
	live := f.text(f.send(f.live, "POST", "/v1/customer-tokens", `{"customer_id":"c"}`), "token")
	foreign := f.text(f.send(f.other, "POST", "/v1/customer-tokens", `{"customer_id":"c"}`), "token")
	expiring := f.text(f.must("POST", "/v1/customer-tokens", `{"customer_id":"c","ttl_seconds":10}`), "token")
	good := f.token("c")
	f.clock.Advance(10 * time.Second)
	before := w.state()
	claims, _, _ := strings.Cut(good, ".")
	_, mac, _ := strings.Cut(f.token("d"), ".")
	for name, token := range map[string]string{
		"expired": expiring, "of a revoked key": orphan, "of the other mode": live, "of another app": foreign,
		"signed for another": claims + "." + mac, "not signed": claims + ".", "cut off": good[:len(good)-2], "garbage": "ct_x.y", "none of ours": "x",
	} {
		t.Run(name, func(t *testing.T) {
			w.check(t, before, f.send(f.publishable, "GET", "/v1/customers/c/balances", "", headerToken, token), fault.CodeCustomerTokenRequired, "")
		})
	}
	if a := f.send(f.publishable, "GET", "/v1/customers/c/balances", "", headerToken, good); a.status != http.StatusOK {
		t.Errorf("the good token: %s", a.text)
	}
}

// TestOthersSeeNothing reads and changes one app's test mode with keys of another app and of the
// live mode: nothing in it exists for them.
func TestOthersSeeNothing(t *testing.T) {
	f := newFixture(t, Options{})
	w := newWorld(f)
	before := w.state()
	type notThere struct {
		code  fault.Code
		field string
	}
	wallets := map[string]notThere{
		"GET /v1/grants/{grant}":           {fault.CodeGrantNotFound, "grant_id"},
		"POST /v1/grants/{grant}/revoke":   {fault.CodeGrantNotFound, "grant_id"},
		"GET /v1/entries/{entry}":          {fault.CodeEntryNotFound, "entry_id"},
		"GET /v1/entries/{entry}/explain":  {fault.CodeEntryNotFound, "entry_id"},
		"POST /v1/entries/{entry}/reverse": {fault.CodeEntryNotFound, "entry_id"},
		"GET /v1/reservations/{hold}":      {fault.CodeReservationNotFound, "reservation_id"},
		"POST /v1/commit reservation_id":   {fault.CodeReservationNotFound, "reservation_id"},
		"POST /v1/release reservation_id":  {fault.CodeReservationNotFound, "reservation_id"},
		"POST /v1/extend reservation_id":   {fault.CodeReservationNotFound, "reservation_id"},
		"GET /v1/customers/c":              {fault.CodeCustomerNotFound, "customer_id"},
	}
	definitions := map[string]notThere{
		"GET /v1/credits/{credit}":          {fault.CodeCreditNotFound, "credit_id"},
		"PATCH /v1/credits/{credit}":        {fault.CodeCreditNotFound, "credit_id"},
		"POST /v1/credits/{credit}/archive": {fault.CodeCreditNotFound, "credit_id"},
		"GET /v1/packs/{pack}":              {fault.CodePackNotFound, "pack_id"},
		"POST /v1/packs/{pack}/archive":     {fault.CodePackNotFound, "pack_id"},
		"GET /v1/plans/{plan}":              {fault.CodePlanNotFound, "plan_id"},
		"POST /v1/plans/{plan}/archive":     {fault.CodePlanNotFound, "plan_id"},
		"POST /v1/keys/{key}/revoke":        {fault.CodeKeyNotFound, "key_id"},
	}
	ask := func(key, request string) answer {
		method, rest, _ := strings.Cut(w.fill(request), " ")
		path, hasID, _ := strings.Cut(rest, " ")
		body := ""
		if method != "GET" {
			body = "{}"
		}
		if hasID != "" {
			body = w.fill(`{"reservation_id":"{hold}"}`)
		}
		if path == "/v1/extend" {
			body = w.fill(`{"reservation_id":"{hold}","ttl_seconds":60}`)
		}
		return f.send(key, method, path, body)
	}
	for name, key := range map[string]string{"another app": f.other, "live": f.live} {
		for request, want := range wallets {
			t.Run(name+" "+request, func(t *testing.T) {
				w.check(t, before, ask(key, request), want.code, want.field)
			})
		}
		for _, path := range []string{"/v1/customers/c/balances", "/v1/customers/c/ledger", "/v1/customers/c/grants", "/v1/customers"} {
			if a := f.send(key, "GET", path, ""); a.status != http.StatusOK || a.at("data", 0) != nil {
				t.Errorf("%s reads %s: %s", name, path, a.text)
			}
		}
	}
	for request, want := range definitions {
		t.Run("another app "+request, func(t *testing.T) {
			w.check(t, before, ask(f.other, request), want.code, want.field)
		})
	}
	for _, path := range []string{"/v1/credits", "/v1/packs", "/v1/plans"} {
		if a := f.send(f.other, "GET", path, ""); a.status != http.StatusOK || a.at("data", 0) != nil {
			t.Errorf("another app reads %s: %s", path, a.text)
		}
	}
}

func TestBrowsersMayAskFirst(t *testing.T) {
	f := newFixture(t, Options{})
	each(func(rt *route) {
		a := f.send("", http.MethodOptions, strings.Replace(rt.path, "{id}", "c", 1), "",
			"Origin", "https://shop.example", "Access-Control-Request-Method", "GET", "Access-Control-Request-Headers", "authorization,scrip-customer-token")
		open := a.status == http.StatusNoContent && a.header.Get("Access-Control-Allow-Origin") == "*" &&
			a.header.Get("Access-Control-Allow-Headers") == "Authorization, Scrip-Customer-Token" && a.header.Get("Access-Control-Allow-Methods") == "GET"
		if want := rt.access != secretOnly; rt.method == http.MethodGet && open != want {
			t.Errorf("%s: a browser may ask: %v, want %v", rt.path, open, want)
		}
	})
	if a := f.send("", "GET", "/v1/usage?customer_id=c", ""); a.header.Get("Access-Control-Allow-Origin") != "*" {
		t.Error("a site cannot read why it was refused")
	}
	if a := f.send(f.test, "POST", "/v1/packs", `{}`); a.header.Get("Access-Control-Allow-Origin") != "" {
		t.Error("a site may read the answer to a call of secret keys")
	}
}

// TestKeysManageTheirOwnMode lets a test key and a live key of one app try to see, make and end keys
// of the other mode: whoever has the one must not come by the other.
func TestKeysManageTheirOwnMode(t *testing.T) {
	f := newFixture(t, Options{})
	w := newWorld(f)
	for _, side := range []struct{ key, mode, other, otherKey string }{
		{f.test, "test", "live", f.live}, {f.live, "live", "test", f.test},
	} {
		t.Run(side.mode, func(t *testing.T) {
			before := w.state()
			for _, kind := range []string{"secret", "publishable"} {
				a := f.send(side.key, "POST", "/v1/keys", `{"kind":"`+kind+`","mode":"`+side.other+`"}`)
				w.check(t, before, a, fault.CodeInvalidRequest, "mode")
			}
			foreign := f.text(f.send(side.otherKey, "GET", "/v1/keys", ""), "data", 0, "id")
			w.check(t, before, f.send(side.key, "POST", "/v1/keys/"+foreign+"/revoke", ""), fault.CodeKeyNotFound, "key_id")
			listed, _ := f.send(side.key, "GET", "/v1/keys", "").at("data").([]any)
			if len(listed) == 0 {
				t.Error("a key does not see itself")
			}
			for _, key := range listed {
				if got := key.(map[string]any)["mode"]; got != side.mode {
					t.Errorf("a %s key lists a %v one", side.mode, got)
				}
			}
			made := f.send(side.key, "POST", "/v1/keys", `{"kind":"publishable","mode":"`+side.mode+`"}`)
			if made.status != http.StatusCreated {
				t.Fatalf("a key of the own mode: %s", made.text)
			}
			if a := f.send(side.key, "POST", "/v1/keys/"+f.text(made, "id")+"/revoke", ""); a.status != http.StatusOK {
				t.Errorf("ending a key of the own mode: %s", a.text)
			}
		})
	}
}
