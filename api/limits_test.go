package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/seed42445051/scrip/accounts"
	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/credits"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/store"
	v1 "github.com/seed42445051/scrip/v1"
	"github.com/seed42445051/scrip/wallet"
)

// bounded is a field with a limit: what is sent with so much of it, and what one more is answered.
type bounded struct {
	name    string
	most    int
	request string
	body    func(n int) string
	code    fault.Code
	field   string
}

// letters is so many characters of two bytes each: what is counted in characters takes them all.
func letters(n int) string { return strings.Repeat("é", n) }

func with(fields ...any) string {
	body := map[string]any{}
	for i := 0; i < len(fields); i += 2 {
		body[fields[i].(string)] = fields[i+1]
	}
	text, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	return string(text)
}

var bounds = []bounded{
	{
		"body", v1.MaxBody, "POST /v1/can-use",
		func(n int) string { return charging("1") + strings.Repeat(" ", n-len(charging("1"))) }, fault.CodeRequestTooLarge, "",
	},
	{
		"description of a credit", catalog.MaxDescriptionLength, "POST /v1/credits",
		func(n int) string {
			return with("name", fmt.Sprint("credit", n), "unit", "u", "description", letters(n))
		}, fault.CodeInvalidRequest, "description",
	},
	{
		"description of a pack", catalog.MaxDescriptionLength, "PUT /v1/packs/{pack}",
		func(n int) string { return with("name", "p", "description", letters(n), "items", oneItem) }, fault.CodeInvalidRequest, "description",
	},
	{
		"description that is changed", catalog.MaxDescriptionLength, "PATCH /v1/credits/{credit}",
		func(n int) string { return with("description", letters(n)) }, fault.CodeInvalidRequest, "description",
	},
	{
		"price of a pack", catalog.MaxPrice, "PUT /v1/packs/{pack}",
		func(n int) string { return with("name", "p", "price", n, "items", oneItem) }, fault.CodeInvalidRequest, "price",
	},
	{
		"expiry of a pack", catalog.MaxExpiryDays, "PUT /v1/packs/{pack}",
		func(n int) string { return with("name", "p", "expires_after_days", n, "items", oneItem) }, fault.CodeInvalidRequest, "expires_after_days",
	},
	{
		"id of a pack", credits.MaxPackID, "POST /v1/packs",
		func(n int) string { return with("id", letters(n), "name", fmt.Sprint("pack", n), "items", oneItem) }, fault.CodeInvalidRequest, "id",
	},
	{
		"price reference of a pack", catalog.MaxPriceRef, "PUT /v1/packs/{pack}",
		func(n int) string { return with("name", "p", "price_ref", letters(n), "items", oneItem) }, fault.CodeInvalidRequest, "price_ref",
	},
	{
		"id of a plan", credits.MaxPlanID, "POST /v1/plans",
		func(n int) string { return with("id", letters(n), "name", fmt.Sprint("plan", n)) }, fault.CodeInvalidRequest, "id",
	},
	{
		"price of a plan", catalog.MaxPrice, "PUT /v1/plans/{plan}",
		func(n int) string { return with("name", "p", "price", n) }, fault.CodeInvalidRequest, "price",
	},
	{
		"description of a plan", catalog.MaxDescriptionLength, "PUT /v1/plans/{plan}",
		func(n int) string { return with("name", "p", "description", letters(n)) }, fault.CodeInvalidRequest, "description",
	},
	{
		"trial of a plan", catalog.MaxTrialDays, "PUT /v1/plans/{plan}",
		func(n int) string { return with("name", "p", "trial_days", n) }, fault.CodeInvalidRequest, "trial_days",
	},
	{
		"cycle of a plan", catalog.MaxIntervalCount, "PUT /v1/plans/{plan}",
		func(n int) string { return with("name", "p", "interval", map[string]any{"count": n, "unit": "day"}) }, fault.CodeInvalidRequest, "interval.count",
	},
	{
		"allowances of a plan", catalog.MaxPlanAllowances, "PUT /v1/plans/{plan}",
		func(n int) string { return with("name", "p", "allowances", slices.Repeat(oneAllowance, n)) }, fault.CodeInvalidRequest, "allowances",
	},
	{
		"label of a key", v1.MaxKeyLabel, "POST /v1/keys",
		func(n int) string { return with("kind", "publishable", "label", letters(n)) }, fault.CodeInvalidRequest, "label",
	},
	{
		"name of a customer", v1.MaxCustomerName, "PUT /v1/customers/d",
		func(n int) string { return with("name", letters(n)) }, fault.CodeInvalidRequest, "name",
	},
	{
		"mail address of a customer", v1.MaxCustomerEmail, "PUT /v1/customers/d",
		func(n int) string { return with("email", letters(n)) }, fault.CodeInvalidRequest, "email",
	},
	{
		"life of a token", int(accounts.MaxTokenTTL.Seconds()), "POST /v1/customer-tokens",
		func(n int) string { return with("customer_id", "c", "ttl_seconds", n) }, fault.CodeInvalidRequest, "ttl_seconds",
	},
	{
		"life of a reservation", int(wallet.MaxTTL.Seconds()), "POST /v1/reserve",
		func(n int) string {
			return with("customer_id", "c", "credit_id", "api", "amount", "1", "ttl_seconds", n)
		}, fault.CodeInvalidRequest, "ttl_seconds",
	},
	{
		"extension of a reservation", int(wallet.MaxTTL.Seconds()), "POST /v1/extend",
		func(n int) string { return `{"reservation_id":"{hold}","ttl_seconds":` + fmt.Sprint(n) + `}` }, fault.CodeInvalidRequest, "ttl_seconds",
	},
	{
		"event of a charge", catalog.MaxEventNameLength, "POST /v1/can-use",
		func(n int) string { return with("customer_id", "c", "event", letters(n)) }, fault.CodeInvalidRequest, "event",
	},
	{
		"error code of an extension", wallet.MaxErrorCodeLength, "POST /v1/extend",
		func(n int) string { return `{"reservation_id":"{hold}","error_code":"` + letters(n) + `"}` }, fault.CodeInvalidRequest, "error_code",
	},
	{
		"reason", wallet.MaxReasonLength, "POST /v1/extend",
		func(n int) string { return `{"reservation_id":"{hold}","reason":"` + letters(n) + `"}` }, fault.CodeInvalidRequest, "reason",
	},
	{
		"adjustment", 0, "POST /v1/adjust",
		func(n int) string {
			return with("customer_id", "d", "credit_id", "api", "amount", fmt.Sprintf("10000000000000000.%02d", n), "reason", "why")
		}, fault.CodeInvalidAmount, "amount",
	},
}

var oneItem = []map[string]string{{"credit_id": "api", "amount": "1"}}

var oneAllowance = []map[string]any{{"label": "Images", "quota": "1", "rules": []map[string]any{{"event": "image.*"}}, "period": "daily"}}

// TestLimitsOverHTTP sends every field at its limit, which is taken, and one past it, which is
// refused and changes nothing.
func TestLimitsOverHTTP(t *testing.T) {
	for _, b := range bounds {
		t.Run(b.name, func(t *testing.T) {
			f := newFixture(t, Options{})
			w := newWorld(f)
			method, path, _ := strings.Cut(w.fill(b.request), " ")
			before := w.state()
			w.check(t, before, f.send(f.test, method, path, w.fill(b.body(b.most+1))), b.code, b.field)
			if a := f.send(f.test, method, path, w.fill(b.body(b.most))); a.status >= 300 {
				t.Errorf("at the limit: %s", a.text)
			}
		})
	}
}

// TestIdempotencyKeysAtTheLimit: 255 characters are a key, 256 are none.
func TestIdempotencyKeysAtTheLimit(t *testing.T) {
	f := newFixture(t, Options{})
	w := newWorld(f)
	key := strings.Repeat("k", store.MaxIdempotencyKey)
	first := f.must("POST", "/v1/deduct", charging("1"), "Idempotency-Key", key)
	before := w.state()
	if again := f.must("POST", "/v1/deduct", charging("1"), "Idempotency-Key", key); again.text != first.text {
		t.Errorf("the replay answered %s", again.text)
	}
	w.check(t, before, f.send(f.test, "POST", "/v1/deduct", charging("1"), "Idempotency-Key", key+"k"), fault.CodeIdempotencyKeyInvalid, "Idempotency-Key")
}

// TestLimitsInTheLibrary calls what the API's tags would refuse without the API: it is refused all
// the same.
func TestLimitsInTheLibrary(t *testing.T) {
	ctx := context.Background()
	f := newFixture(t, Options{})
	w := newWorld(f)
	ops := f.all.As(accounts.Identity{App: f.app, Mode: catalog.Test, Kind: store.Secret}, "")
	before := w.state()
	for name, c := range map[string]struct {
		call  func() error
		field string
	}{
		"name of a customer": {func() error {
			_, err := ops.SaveCustomer(ctx, "d", v1.SaveCustomer{Name: letters(v1.MaxCustomerName + 1)})
			return err
		}, "name"},
		"mail address of a customer": {func() error {
			_, err := ops.SaveCustomer(ctx, "d", v1.SaveCustomer{Email: letters(v1.MaxCustomerEmail + 1)})
			return err
		}, "email"},
		"label of a key": {func() error {
			_, err := ops.CreateKey(ctx, v1.CreateKey{Kind: "secret", Label: letters(v1.MaxKeyLabel + 1)})
			return err
		}, "label"},
		"reason of an adjustment": {func() error {
			_, err := ops.Adjust(ctx, v1.AdjustRequest{CustomerID: "c", CreditID: "api", Amount: "1"})
			return err
		}, "reason"},
		"id of a pack": {func() error {
			_, err := ops.CreatePack(ctx, v1.CreatePack{
				ID: letters(credits.MaxPackID + 1), Name: "p", Items: []v1.PackItem{{CreditID: "api", Amount: "1"}},
			})
			return err
		}, "id"},
		"price of a pack": {func() error {
			_, err := ops.CreatePack(ctx, v1.CreatePack{Name: "p", Price: catalog.MaxPrice + 1, Items: []v1.PackItem{{CreditID: "api", Amount: "1"}}})
			return err
		}, "price"},
		"currency of a pack": {func() error {
			_, err := ops.CreatePack(ctx, v1.CreatePack{Name: "p", Currency: "dollars", Items: []v1.PackItem{{CreditID: "api", Amount: "1"}}})
			return err
		}, "currency"},
		"id of a plan": {func() error {
			_, err := ops.CreatePlan(ctx, v1.CreatePlan{ID: letters(credits.MaxPlanID + 1), Name: "p"})
			return err
		}, "id"},
		"price of a plan": {func() error {
			_, err := ops.CreatePlan(ctx, v1.CreatePlan{Name: "p", Price: catalog.MaxPrice + 1})
			return err
		}, "price"},
		"description of a plan": {func() error {
			_, err := ops.CreatePlan(ctx, v1.CreatePlan{Name: "p", Description: letters(catalog.MaxDescriptionLength + 1)})
			return err
		}, "description"},
		"currency of a plan": {func() error {
			_, err := ops.CreatePlan(ctx, v1.CreatePlan{Name: "p", Currency: "dollars"})
			return err
		}, "currency"},
		"cycle of a plan": {func() error {
			_, err := ops.CreatePlan(ctx, v1.CreatePlan{Name: "p", Interval: &v1.Interval{Count: 1, Unit: "fortnight"}})
			return err
		}, "interval"},
		"trial of a plan": {func() error {
			_, err := ops.CreatePlan(ctx, v1.CreatePlan{Name: "p", TrialDays: catalog.MaxTrialDays + 1})
			return err
		}, "trial_days"},
		"price of a trial": {func() error {
			_, err := ops.CreatePlan(ctx, v1.CreatePlan{Name: "p", TrialPrice: 1})
			return err
		}, "trial_price"},
		"life of a token": {func() error {
			_, err := ops.MintToken(ctx, v1.MintToken{CustomerID: "c", TTLSeconds: int(accounts.MaxTokenTTL.Seconds()) + 1})
			return err
		}, "ttl_seconds"},
		"name of an app": {func() error {
			_, err := f.acc.App(ctx, letters(accounts.MaxAppName+1))
			return err
		}, "app"},
	} {
		if err := c.call(); err == nil || fault.As(err).Field != c.field || fault.As(err).Kind() != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	w.checkState(t, before)
	if _, err := f.acc.App(ctx, letters(accounts.MaxAppName)); err != nil {
		t.Errorf("the longest name of an app: %v", err)
	}
}

// TestCostsOverHTTP grants at a cost that is a price and at some that are none.
func TestCostsOverHTTP(t *testing.T) {
	f := newFixture(t, Options{})
	w := newWorld(f)
	before := w.state()
	grant := func(fields string) answer {
		return f.send(f.test, "POST", "/v1/grants", `{"customer_id":"c","credit_id":"api","amount":"1",`+fields+`}`)
	}
	w.check(t, before, grant(`"cost_basis":"-0.5","cost_currency":"usd"`), fault.CodeInvalidAmount, "cost_basis")
	w.check(t, before, grant(`"cost_basis":"1e300","cost_currency":"usd"`), fault.CodeInvalidAmount, "cost_basis")
	w.check(t, before, grant(`"cost_basis":"0.5"`), fault.CodeMissingField, "cost_currency")
	w.check(t, before, grant(`"cost_basis":"0.5","cost_currency":"dollars"`), fault.CodeInvalidRequest, "cost_currency")
	a := grant(`"cost_basis":0.50,"cost_currency":"USD"`)
	if a.status != http.StatusOK || a.at("grants", 0, "cost_basis") != "0.5" || a.at("grants", 0, "cost_currency") != "usd" {
		t.Errorf("answered %s", a.text)
	}
}

// TestShortIsTold: what a partial charge could not take is in the answer, of track and of a
// reservation as of a deduction.
func TestShortIsTold(t *testing.T) {
	ctx := context.Background()
	f := newFixture(t, Options{})
	newWorld(f)
	ops := f.core.As(v1.Caller{App: f.app, Mode: catalog.Test})
	if _, err := ops.Grant(ctx, v1.GrantRequest{CustomerID: "d", CreditID: "api", Amount: "5", Scope: []v1.Rule{{Event: "chat"}}}); err != nil {
		t.Fatal(err)
	}
	charge := `{"customer_id":"d","event":"chat","quantity":"3","shortfall":"partial"`
	held := f.must("POST", "/v1/reserve", charge+`}`)
	id := f.text(held, "reservation_id")
	second := f.must("POST", "/v1/reserve", charge+`}`)
	if second.at("taken") != "2" || second.at("short") != "1" {
		t.Errorf("reserved %s", second.text)
	}
	stored := f.must("GET", "/v1/reservations/"+f.text(second, "reservation_id"), "")
	if stored.at("reserved") != "2" || stored.at("short") != "1" {
		t.Errorf("stored %s", stored.text)
	}
	committed := f.must("POST", "/v1/commit", `{"reservation_id":"`+id+`","amount":"4","allow_more":true}`)
	if committed.at("committed") != "3" || committed.at("short") != "1" {
		t.Errorf("committed %s", committed.text)
	}
	if a := f.must("POST", "/v1/release", `{"reservation_id":"`+f.text(second, "reservation_id")+`"}`); a.at("short") != "1" {
		t.Errorf("released %s", a.text)
	}
	if a := f.must("POST", "/v1/track", charge+`}`); a.at("taken") != "2" || a.at("short") != "1" {
		t.Errorf("tracked %s", a.text)
	}
	if a := f.must("POST", "/v1/track", `{"customer_id":"nobody","event":"chat"}`); a.at("taken") != "0" || a.at("short") != "0" {
		t.Errorf("recorded %s", a.text)
	}
}
