package stripe

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v85/webhook"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/payments/provider"
	"github.com/seed42445051/scrip/wallet"
)

// Secrets of these tests; none of them may be printed by anything.
const (
	testKey    = "sk_test_KeyThatNobodyMaySee"
	liveKey    = "sk_live_KeyThatNobodyMaySee"
	testSecret = "whsec_TestThatNobodyMaySee"
	nextSecret = "whsec_NextThatNobodyMaySee"
	liveSecret = "whsec_LiveThatNobodyMaySee"
)

var start = clock.At(time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC))

// asked is a request that arrived at the server that stands for Stripe.
type asked struct {
	what string // method and path
	key  string // of idempotency
	form url.Values
}

// world is a provider and a server with canned answers.
type world struct {
	t     *testing.T
	clock *clock.Manual
	*Provider

	mu      sync.Mutex
	answers map[string][]string // by method and path: STATUS BODY, the last one for ever
	asked   []asked
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, clock: clock.NewManual(start), answers: map[string][]string{}}
	server := httptest.NewServer(w)
	t.Cleanup(server.Close)
	w.Provider = w.provider(server.URL)
	return w
}

func (w *world) provider(address string) *Provider {
	w.t.Helper()
	p, err := New(Config{
		Test: Keys{NewSecret(testKey), []Secret{NewSecret(testSecret), NewSecret(nextSecret)}},
		Live: Keys{NewSecret(liveKey), []Secret{NewSecret(liveSecret)}},
		URL:  address,
	}, w.clock)
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

// ServeHTTP answers what was canned. The answer CUT breaks the connection.
func (w *world) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := r.ParseForm(); err != nil {
		w.t.Error(err)
	}
	what := r.Method + " " + r.URL.Path
	w.asked = append(w.asked, asked{what, r.Header.Get("Idempotency-Key"), r.Form})
	list := w.answers[what]
	if len(list) == 0 {
		w.t.Errorf("nobody expected %s %v", what, r.Form)
		rw.WriteHeader(http.StatusTeapot)
		return
	}
	if len(list) > 1 {
		w.answers[what] = list[1:]
	}
	if list[0] == "CUT" {
		panic(http.ErrAbortHandler)
	}
	status, body, _ := strings.Cut(list[0], " ")
	code := 0
	_, _ = fmt.Sscan(status, &code)
	body = strings.ReplaceAll(body, "{AUTHORIZATION}", r.Header.Get("Authorization"))
	rw.Header().Set("Request-Id", "req_1")
	rw.WriteHeader(code)
	_, _ = io.WriteString(rw, body)
}

// answer cans answers, one after the other.
func (w *world) answer(what string, list ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answers[what] = list
}

// last is the last request for something.
func (w *world) last(what string) asked {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := len(w.asked) - 1; i >= 0; i-- {
		if w.asked[i].what == what {
			return w.asked[i]
		}
	}
	w.t.Fatalf("%s was not asked for: %v", what, w.asked)
	return asked{}
}

// count is how often something was asked for.
func (w *world) count(what string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, a := range w.asked {
		if a.what == what {
			n++
		}
	}
	return n
}

func (a asked) want(t *testing.T, field, value string) {
	t.Helper()
	if got := a.form.Get(field); got != value {
		t.Errorf("%s: %s is %q, not %q", a.what, field, got, value)
	}
}

var place = provider.Place{Key: wallet.Key{App: "app_1", Mode: catalog.Test, Customer: "u1"}, Customer: "cus_1", Email: "u1@example.org", Name: "U One"}

// order is one of a pack of 15 USD.
func order() *wallet.Order {
	return &wallet.Order{
		N: 1, Kind: wallet.PackOrder, Status: wallet.OrderOpen, Provider: Name, Minor: 1500, Currency: "usd", What: "pck_1", Text: "Creator Bundle",
		Quantity: 1, SuccessURL: "https://example.org/ok?s={CHECKOUT_SESSION_ID}", CancelURL: "https://example.org/no",
		CreatedAt: start, ExpiresAt: start.Add(24 * time.Hour),
	}
}

// topUp is one that is charged without a page.
func topUp() *wallet.Order {
	o := order()
	o.Kind, o.Status, o.OffSession, o.Attempt, o.ExpiresAt = wallet.TopUpOrder, wallet.OrderDue, true, 2, 0
	return o
}

func (w *world) charge(o *wallet.Order) (wallet.OrderNews, error) {
	return w.Charge(context.Background(), provider.Charge{Place: place, Order: o, OrderID: "ord_1", Method: "pm_1"})
}

// signedBy is the header that the vendor's library makes of a body.
func signedBy(secret string, at clock.Instant, body string) string {
	return webhook.GenerateTestSignedPayload(&webhook.UnsignedPayload{Payload: []byte(body), Secret: secret, Timestamp: at.Time()}).Header
}

// hook is a webhook about an object, as it arrives.
func (w *world) hook(kind, object string) ([]provider.Event, error) {
	body := fmt.Sprintf(`{"id":"evt_1","object":"event","api_version":"2024-06-20","created":1,"livemode":false,"type":%q,"data":{"object":%s}}`, kind, object)
	return w.read(catalog.Test, signedBy(testSecret, w.clock.Now(), body), body)
}

func (w *world) read(mode catalog.Mode, signature, body string) ([]provider.Event, error) {
	h := http.Header{}
	if signature != "" {
		h.Set("Stripe-Signature", signature)
	}
	return w.Read(context.Background(), mode, h, []byte(body))
}

func wantCode(t *testing.T, err error, code fault.Code) {
	t.Helper()
	if got := fault.CodeOf(err); got != code {
		t.Errorf("error %v has code %q, not %q", err, got, code)
	}
	wantNoSecret(t, fmt.Sprintf("%v %+v %#v", err, err, err))
}
