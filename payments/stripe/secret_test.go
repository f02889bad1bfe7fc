package stripe

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/payments/provider"
)

func wantNoSecret(t *testing.T, text string) {
	t.Helper()
	if strings.Contains(text, "NobodyMaySee") {
		t.Errorf("a secret is shown: %s", text)
	}
}

// Nothing that holds a secret shows it, in whatever way it is printed.
func TestSecretsAreNotPrinted(t *testing.T) {
	w := newWorld(t)
	config := Config{Test: Keys{NewSecret(testKey), []Secret{NewSecret(testSecret)}}}
	type around struct {
		Config Config
		inner  Keys
		secret *Secret
	}
	secret := NewSecret(testKey)
	for _, v := range []any{
		secret, &secret, config, &config, config.Test, &config.Test, w.Provider, w.accounts[catalog.Test], *w.accounts[catalog.Test],
		around{config, config.Test, &secret},
		map[string]Secret{"a": secret},
		[]Secret{secret},
		error(&failure{names: testNames, text: "x"}),
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			wantNoSecret(t, fmt.Sprintf(verb, v))
		}
		body, err := json.Marshal(v)
		if err != nil {
			t.Errorf("%T cannot be written as JSON: %v", v, err)
		}
		wantNoSecret(t, string(body))
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "v", v)
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "v", v)
		wantNoSecret(t, log.String())
	}
	if got := secret.String() + secret.GoString() + fmt.Sprint(Secret{}); got != `[hidden]"[hidden]"` {
		t.Errorf("a secret reads %s", got)
	}
	if NewSecret("").Set() || !secret.Set() || secret.text() != testKey {
		t.Error("a secret has lost its text")
	}
}

// What comes back from whatever stands between Stripe and us may contain the key.
func TestKeysThatComeBackAreNotShown(t *testing.T) {
	for _, body := range []string{
		`401 {"error":{"type":"invalid_request_error","message":"Invalid API Key provided: {AUTHORIZATION}"}}`,
		`400 {"error":{"type":"invalid_request_error","message":"you sent {AUTHORIZATION}"}}`,
		`502 <html>{AUTHORIZATION}</html>`, `400 "{AUTHORIZATION}"`, `200 {AUTHORIZATION}`, `302 {AUTHORIZATION}`,
		`500 {"error":"{AUTHORIZATION}"}`, `500 {"message":"{AUTHORIZATION}"}`,
	} {
		w := newWorld(t)
		for _, path := range []string{"POST /v1/checkout/sessions", "POST /v1/payment_intents", "POST /v1/billing_portal/sessions", "GET /v1/refunds"} {
			w.answer(path, body)
		}
		_, err := w.OpenPage(context.Background(), provider.Page{Place: place, Order: order(), OrderID: "ord_1"})
		if err == nil {
			t.Errorf("%s opened a page", body)
		}
		wantCode(t, err, fault.CodeOf(err))
		news, err := w.charge(topUp())
		wantNoSecret(t, fmt.Sprintf("%v %+v", err, news.Decline))
		_, err = w.Portal(context.Background(), place, "https://example.org")
		wantNoSecret(t, fmt.Sprintf("%v %+v %#v", err, err, err))
		paid := order()
		paid.Payment = "pi_1"
		_, err = w.Refund(context.Background(), provider.Refund{Place: place, Order: paid, OrderID: "ord_1", Own: 1, Minor: 5})
		wantNoSecret(t, fmt.Sprintf("%v %+v %#v", err, err, err))
	}
}
