package acceptance

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/client"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/money"
	"github.com/seed42445051/scrip/store"
	v1 "github.com/seed42445051/scrip/v1"
)

// What is about the wire: statuses, codes, and which key may call what.
var wireRows = []row[*wired]{
	{"V12 a pack holds one or more items", func(t *testing.T, w *wired) {
		w.post("/v1/packs", v1.CreatePack{Name: "Empty", Items: []v1.PackItem{}}).is(t, 400, fault.CodeInvalidRequest)
		w.post("/v1/packs", `{"name":"None"}`).is(t, 400, fault.CodeMissingField)
		item := v1.PackItem{CreditID: w.renders, Amount: "1", Scope: only(gemini)}
		for _, n := range []int{1, 2, 20} {
			p, err := w.client.CreatePack(t.Context(), v1.CreatePack{Name: strings.Repeat("x", n), Items: repeat(item, n)})
			noError(t, err)
			equal(t, "items", len(p.Items), n)
		}
		_, err := w.client.CreatePack(t.Context(), v1.CreatePack{Name: "Many", Items: repeat(item, 21)})
		refused(t, err, fault.CodeInvalidRequest, 400)
	}},
	{"V15 the item fixes the amount", func(t *testing.T, w *wired) {
		r := w.post("/v1/grants", map[string]any{"customer_id": "u", "pack_id": topUp, "amount": "7"})
		r.is(t, 400, fault.CodeInvalidRequest)
		_, err := w.client.Grant(t.Context(), v1.GrantRequest{CustomerID: "u", PackID: topUp, Amount: "50"})
		refused(t, err, fault.CodeInvalidRequest, 400)
		equal(t, "field", fault.As(err).Field, "amount")
		// The row's own name of the amount is no field of this API, and refused as such.
		w.post("/v1/grants", map[string]any{"customer_id": "u", "pack_id": topUp, "quantity": 7}).is(t, 400, fault.CodeUnknownField)
		b, err := w.client.Balances(t.Context(), "u", "", 0)
		noError(t, err)
		equal(t, "balances", len(b.Data), 0)
	}},
	{"V24 the browser holds the public key only", publicKey},
	{"V52 a release names its error", releaseError},
	{"V55 a late commit", func(t *testing.T, w *wired) {
		w.buy("u", topUp, "cs_1")
		d, err := w.client.Reserve(t.Context(), v1.ReserveRequest{Charge: charge("u", gemini, "1")})
		noError(t, err)
		w.clock.Advance(61 * time.Second)
		body := v1.CommitRequest{ReservationID: d.ReservationID}
		w.post("/v1/commit", body).is(t, 400, fault.CodeReservationExpired)
		w.post("/v1/release", body).is(t, 400, fault.CodeReservationExpired)
		b, err := w.client.Balances(t.Context(), "u", w.renders, 0)
		noError(t, err)
		equal(t, "available", b.Data[0].Available, "50")
	}},
	{"V56 closing twice", func(t *testing.T, w *wired) {
		w.buy("u", topUp, "cs_1")
		d, err := w.client.Reserve(t.Context(), v1.ReserveRequest{Charge: charge("u", gemini, "1")})
		noError(t, err)
		body := v1.CommitRequest{ReservationID: d.ReservationID}
		equal(t, "first commit", w.post("/v1/commit", body).status, 200)
		w.post("/v1/commit", body).is(t, 400, fault.CodeReservationNotPending)
		w.post("/v1/release", body).is(t, 400, fault.CodeReservationNotPending)
	}},
	{"V60 usage without a plan", func(t *testing.T, w *wired) {
		w.buy("u", topUp, "cs_1")
		r := w.call(w.secret, http.MethodGet, "/v1/usage?customer_id=u&event=image.*", nil)
		equal(t, "status", r.status, 200)
		u := read[map[string]any](t, r)
		if period, there := u["period"]; !there || period != nil {
			t.Fatalf("period is %v, want null", period)
		}
		same(t, "counters", u["counters"], []any{})
		usage, err := w.client.Usage(t.Context(), "u", "")
		noError(t, err)
		equal(t, "credits", len(usage.Credits), 1)
		equal(t, "remaining", usage.Credits[0].Remaining, "50")
	}},
	{"V67 a denial is an answer", func(t *testing.T, w *wired) {
		w.buy("u", topUp, "cs_1")
		w.use("u", gemini, "50")
		for _, path := range []string{"/v1/can-use", "/v1/reserve"} {
			r := w.post(path, charge("u", gemini, "1"))
			equal(t, "status", r.status, 200)
			d := read[map[string]any](t, r)
			equal(t, "allowed", d["allowed"].(bool), false)
			same(t, "reasons", d["reasons"], []string{"no_subscription", "credits_exhausted"})
		}
	}},
	{"V79 live does not see what test has", func(t *testing.T, w *wired) {
		modesDoNotMeet(t, w, catalog.Test, catalog.Live)
	}},
	{"V79 test does not see what live has", func(t *testing.T, w *wired) {
		modesDoNotMeet(t, w, catalog.Live, catalog.Test)
	}},
	{"V36 history tells source and notes", func(t *testing.T, w *wired) {
		w.buy("u", bundle, "cs_1")
		_, err := w.client.Grant(t.Context(), v1.GrantRequest{CustomerID: "u", CreditID: w.renders, Amount: "1"})
		noError(t, err)
		page, err := w.client.Ledger(t.Context(), "u", v1.LedgerQuery{Type: "credit_added"})
		noError(t, err)
		equal(t, "entries", len(page.Data), 3)
		for _, e := range page.Data[1:] {
			equal(t, "source", e.ReferenceType+" "+e.ReferenceID, "purchase cs_1")
			equal(t, "notes", e.Reason, "bought "+bundle)
		}
		equal(t, "source when none is named", page.Data[0].ReferenceType, "api")
	}},
	{"V52 an error code of other letters", func(t *testing.T, w *wired) {
		w.buy("u", topUp, "cs_1")
		d, err := w.client.Reserve(t.Context(), v1.ReserveRequest{Charge: charge("u", gemini, "1")})
		noError(t, err)
		body := v1.ReleaseRequest{ReservationID: d.ReservationID, ErrorCode: strings.Repeat("錯", 101)}
		w.post("/v1/release", body).is(t, 400, fault.CodeInvalidRequest)
		body.ErrorCode = strings.Repeat("錯", 100)
		equal(t, "stored", read[v1.Reservation](t, w.post("/v1/release", body)).ErrorCode, body.ErrorCode)
	}},
	{"6.2 closings tell why, and an extension needs no time", closingsTell},
	{"5.4 the actor is the key that called", actors},
}

func TestVeveeOverHTTP(t *testing.T) { runRows(t, wireRows, newWired) }

func repeat[T any](v T, n int) []T {
	all := make([]T, n)
	for i := range all {
		all[i] = v
	}
	return all
}

// publicKey tries every call that changes something with a publishable key, with and without a
// customer token, and reads what such a key may read.
func publicKey(t *testing.T, w *wired) {
	g := w.buy("u", topUp, "cs_1")[0]
	d := w.reserve("u", gemini, "1")
	entry := entries(t, w.ops, "u")[0]
	before := toJSON(t, entries(t, w.ops, "u"))
	_, public := w.newKey(t, w.app, catalog.Live, store.Publishable)
	token, err := w.as(w.app, catalog.Live).MintToken(t.Context(), v1.MintToken{CustomerID: "u"})
	if err == nil {
		t.Fatal("a token was minted without a key to sign it")
	}
	token, err = w.client.MintToken(t.Context(), v1.MintToken{CustomerID: "u"})
	noError(t, err)
	for _, c := range []struct {
		path string
		body any
	}{
		{"/v1/grants", v1.GrantRequest{CustomerID: "u", PackID: topUp}},
		{"/v1/grants/" + g.ID + "/revoke", v1.RevokeRequest{}},
		{"/v1/adjust", v1.AdjustRequest{CustomerID: "u", CreditID: w.renders, Amount: "5", Reason: "x"}},
		{"/v1/deduct", charge("u", gemini, "1")},
		{"/v1/can-use", charge("u", gemini, "1")},
		{"/v1/reserve", charge("u", gemini, "1")},
		{"/v1/commit", v1.CommitRequest{ReservationID: d.ReservationID}},
		{"/v1/release", v1.ReleaseRequest{ReservationID: d.ReservationID}},
		{"/v1/extend", v1.ExtendRequest{ReservationID: d.ReservationID, TTLSeconds: 60}},
		{"/v1/track", charge("u", gemini, "1")},
		{"/v1/entries/" + entry.ID + "/reverse", v1.ReverseRequest{}},
		{"/v1/credits", v1.CreateCredit{Name: "Mine", Unit: "x"}},
		{"/v1/packs", v1.CreatePack{Name: "Mine"}},
		{"/v1/keys", v1.CreateKey{Kind: "secret"}},
		{"/v1/customer-tokens", v1.MintToken{CustomerID: "other"}},
	} {
		for _, headers := range [][]string{nil, {"Scrip-Customer-Token", token.Token}} {
			w.call(public, http.MethodPost, c.path, c.body, headers...).is(t, 403, fault.CodeRequiresSecretKey)
		}
	}
	if after := toJSON(t, entries(t, w.ops, "u")); string(after) != string(before) {
		t.Fatalf("the ledger changed:\n%s\n%s", before, after)
	}
	own := w.wire.client(public, client.WithCustomerToken(token.Token))
	usage, err := own.Usage(t.Context(), "u", gemini)
	noError(t, err)
	equal(t, "remaining", usage.Credits[0].Remaining, "49")
	_, err = own.Balances(t.Context(), "somebody else", "", 0)
	refused(t, err, fault.CodeWrongCustomer, 403)
	_, err = w.wire.client(public).Balances(t.Context(), "u", "", 0)
	refused(t, err, fault.CodeCustomerTokenRequired, 403)
	for _, path := range []string{"ledger", "grants"} {
		w.call(public, http.MethodGet, "/v1/customers/u/"+path, nil, "Scrip-Customer-Token", token.Token).is(t, 403, fault.CodeRequiresSecretKey)
	}
}

// releaseError keeps why a reservation was released, within its bounds.
func releaseError(t *testing.T, w *wired) {
	w.buy("u", topUp, "cs_1")
	d, err := w.client.Reserve(t.Context(), v1.ReserveRequest{Charge: charge("u", gemini, "1")})
	noError(t, err)
	long := v1.ReleaseRequest{ReservationID: d.ReservationID, ErrorCode: strings.Repeat("e", 101)}
	w.post("/v1/release", long).is(t, 400, fault.CodeInvalidRequest)
	w.has(d.Grants[0].GrantID, "49", "1")
	r, err := w.client.Release(t.Context(), v1.ReleaseRequest{
		ReservationID: d.ReservationID, ErrorCode: "provider_error", Reason: "the model was down", Response: "502",
	})
	noError(t, err)
	equal(t, "status", r.Status, "released")
	stored, err := w.client.GetReservation(t.Context(), d.ReservationID)
	noError(t, err)
	equal(t, "error_code", stored.ErrorCode, "provider_error")
	equal(t, "reason", stored.Reason, "the model was down")
	equal(t, "response", stored.Response, "502")
	w.has(d.Grants[0].GrantID, "50", "0")
}

// modesDoNotMeet uses a key of one mode for a whole purchase and then knocks at everything it made
// with a key of the other.
func modesDoNotMeet(t *testing.T, w *wired, mode, other catalog.Mode) {
	_, secret := w.newKey(t, w.app, mode, store.Secret)
	_, stranger := w.newKey(t, w.app, other, store.Secret)
	own, theirs := w.wire.client(secret), w.wire.client(stranger)
	made, err := own.Grant(t.Context(), v1.GrantRequest{CustomerID: "u", PackID: topUp, ExternalRef: "cs_1"})
	noError(t, err)
	held, err := own.Reserve(t.Context(), v1.ReserveRequest{Charge: charge("u", gemini, "5")})
	noError(t, err)
	equal(t, "allowed in its mode", held.Allowed, true)
	spent, err := own.Deduct(t.Context(), v1.DeductRequest{Charge: charge("u", gemini, "5")})
	noError(t, err)
	grant, entry := made.Grants[0].ID, spent.Entry.ID

	usage, err := theirs.Usage(t.Context(), "u", "")
	noError(t, err)
	equal(t, "credits seen in the other mode", len(usage.Credits), 0)
	b, err := theirs.Balances(t.Context(), "u", "", 0)
	noError(t, err)
	equal(t, "balances seen in the other mode", len(b.Data), 0)
	post := func(path string, body any) reply { return w.call(stranger, http.MethodPost, path, body) }
	post("/v1/grants/"+grant+"/revoke", v1.RevokeRequest{}).is(t, 404, fault.CodeGrantNotFound)
	post("/v1/commit", v1.CommitRequest{ReservationID: held.ReservationID}).is(t, 404, fault.CodeReservationNotFound)
	post("/v1/release", v1.ReleaseRequest{ReservationID: held.ReservationID}).is(t, 404, fault.CodeReservationNotFound)
	post("/v1/extend", v1.ExtendRequest{ReservationID: held.ReservationID, TTLSeconds: 9}).is(t, 404, fault.CodeReservationNotFound)
	post("/v1/entries/"+entry+"/reverse", v1.ReverseRequest{}).is(t, 404, fault.CodeEntryNotFound)
	for path, code := range map[string]fault.Code{
		"/v1/grants/" + grant:                    fault.CodeGrantNotFound,
		"/v1/reservations/" + held.ReservationID: fault.CodeReservationNotFound,
		"/v1/entries/" + entry:                   fault.CodeEntryNotFound,
		"/v1/entries/" + entry + "/explain":      fault.CodeEntryNotFound,
		"/v1/customers/u":                        fault.CodeCustomerNotFound,
	} {
		w.call(stranger, http.MethodGet, path, nil).is(t, 404, code)
	}
	b, err = own.Balances(t.Context(), "u", "Renders", 0)
	noError(t, err)
	for what, got := range map[string][2]money.Decimal{
		"available": {b.Data[0].Available, "40"}, "held": {b.Data[0].Held, "5"}, "used": {b.Data[0].Used, "5"},
	} {
		equal(t, what, got[0], got[1])
	}
}

// closingsTell says why, with which error and which answer, wherever a reservation is touched.
func closingsTell(t *testing.T, w *wired) {
	w.buy("u", topUp, "cs_1")
	told := func(r reply, status, want string) {
		t.Helper()
		v := read[v1.Reservation](t, r)
		stored, err := w.client.GetReservation(t.Context(), v.ID)
		noError(t, err)
		for _, v := range []v1.Reservation{v, stored} {
			equal(t, "status", v.Status, status)
			equal(t, "told", v.Reason+"/"+v.ErrorCode+"/"+v.Response, want)
		}
	}
	for path, want := range map[string]string{"/v1/commit": "committed", "/v1/release": "released"} {
		id := w.reserve("u", gemini, "1").ReservationID
		told(w.post("/v1/extend", map[string]any{"reservation_id": id, "reason": "still at it", "error_code": "slow", "response": "half"}), "pending", "still at it/slow/half")
		w.clock.Advance(30 * time.Second)
		r := w.post("/v1/extend", map[string]any{"reservation_id": id})
		told(r, "pending", "still at it/slow/half")
		equal(t, "expires", read[v1.Reservation](t, r).ExpiresAt, w.clock.Now().Add(60*time.Second))
		told(w.post(path, map[string]any{"reservation_id": id, "reason": "done", "error_code": "cut", "response": "all"}), want, "done/cut/all")
	}
}

// actors finds the calling key on everything that it did.
func actors(t *testing.T, w *wired) {
	id, secret := w.newKey(t, w.app, catalog.Live, store.Secret)
	c := w.wire.client(secret)
	g, err := c.Grant(t.Context(), v1.GrantRequest{CustomerID: "v", CreditID: w.renders, Amount: "9"})
	noError(t, err)
	d, err := c.Deduct(t.Context(), v1.DeductRequest{Charge: direct("v", w.renders, "2")})
	noError(t, err)
	_, err = c.Reverse(t.Context(), d.Entry.ID, v1.ReverseRequest{})
	noError(t, err)
	held, err := c.Reserve(t.Context(), v1.ReserveRequest{Charge: direct("v", w.renders, "1")})
	noError(t, err)
	_, err = c.Release(t.Context(), v1.ReleaseRequest{ReservationID: held.ReservationID})
	noError(t, err)
	_, err = c.RevokeGrant(t.Context(), g.Grants[0].ID, v1.RevokeRequest{})
	noError(t, err)
	ledger := entries(t, c, "v")
	equal(t, "entries", len(ledger), 6)
	for _, e := range ledger {
		equal(t, "actor of "+e.Type, e.Actor, id)
	}
}
