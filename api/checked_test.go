package api

import (
	"context"
	"net/http"
	"testing"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/store"
)

// A key that was just used is remembered, and its revocation must count at once all the same:
// whether the call gets as far as the transaction that checks the key, or fails before it.
func TestRevokedKeyThatIsRemembered(t *testing.T) {
	f := newFixture(t, Options{})
	credit := f.text(f.must(http.MethodPost, "/v1/credits", `{"name":"Calls","unit":"call"}`), "id")
	f.must(http.MethodPost, "/v1/grants", `{"customer_id":"c","credit_id":"`+credit+`","amount":"100"}`)
	body := `{"customer_id":"c","credit_id":"` + credit + `","amount":"1"}`
	for name, call := range map[string]struct{ path, body string }{
		"command":         {"/v1/deduct", body},
		"preview":         {"/v1/can-use", body},
		"unknown credit":  {"/v1/deduct", `{"customer_id":"c","credit_id":"guessed","amount":"1"}`},
		"malformed":       {"/v1/deduct", `{`},
		"unknown wallet":  {"/v1/commit", `{"reservation_id":"rsv_guessed"}`},
		"events":          {"/v1/events", `{"events":[{"event_id":"e","customer_id":"c","event_name":"x"}]}`},
		"no events":       {"/v1/events", `{"events":[]}`},
		"not on a wallet": {"/v1/credits", `{"name":"More","unit":"call"}`},
	} {
		t.Run(name, func(t *testing.T) {
			key, text, err := f.acc.CreateKey(context.Background(), f.app, catalog.Test, store.Secret, name)
			if err != nil {
				t.Fatal(err)
			}
			if a := f.send(text, http.MethodPost, "/v1/deduct", body); a.status != http.StatusOK {
				t.Fatalf("the key does not work: %d %s", a.status, a.text)
			}
			if _, err := f.acc.RevokeKey(context.Background(), f.app, key.ID); err != nil {
				t.Fatal(err)
			}
			if a := f.send(text, http.MethodPost, call.path, call.body); a.status != http.StatusUnauthorized || a.at("code") != "invalid_key" {
				t.Errorf("answered %d %s after the key was revoked", a.status, a.text)
			}
		})
	}
}

// A key that this process meets for the first time is newer than the definitions it knows. Its
// first call may be one that does not read them again, and its second must work all the same.
func TestKeyThatIsNewerThanWhatIsKnown(t *testing.T) {
	f := newFixture(t, Options{})
	credit := f.text(f.must(http.MethodPost, "/v1/credits", `{"name":"Calls","unit":"call"}`), "id")
	f.must(http.MethodPost, "/v1/grants", `{"customer_id":"c","credit_id":"`+credit+`","amount":"100"}`)
	_, text, err := f.acc.CreateKey(context.Background(), f.app, catalog.Test, store.Secret, "new")
	if err != nil {
		t.Fatal(err)
	}
	if a := f.send(text, http.MethodGet, "/v1/entries/none", ""); a.status != http.StatusNotFound {
		t.Fatalf("answered %d %s", a.status, a.text)
	}
	if a := f.send(text, http.MethodPost, "/v1/deduct", `{"customer_id":"c","credit_id":"`+credit+`","amount":"1"}`); a.status != http.StatusOK {
		t.Errorf("answered %d %s", a.status, a.text)
	}
}
