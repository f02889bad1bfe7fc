package stripefake_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v85"
	"github.com/stripe/stripe-go/v85/webhook"
	"go.uber.org/goleak"

	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/payments/stripefake"
)

func TestMain(m *testing.M) {
	code := m.Run()
	if err := goleak.Find(); err != nil && code == 0 {
		println(err.Error())
		code = 1
	}
	os.Exit(code)
}

// world is a fake with the vendor's client pointed at it, and an endpoint.
type world struct {
	*stripefake.Fake
	*stripe.Client
	t     *testing.T
	ctx   context.Context
	inbox *inbox
}

const secret = "whsec_first"

func newWorld(t *testing.T, o stripefake.Options) *world {
	t.Helper()
	f, err := stripefake.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	key := "sk_test_1"
	if o.Live {
		key = "sk_live_1"
	}
	w := &world{f, client(f.URL, key), t, t.Context(), newInbox(t)}
	w.must(f.AddEndpoint(stripefake.Endpoint{URL: w.inbox.url, Secret: secret}))
	return w
}

// client is the vendor's, without retries of its own.
func client(base, key string) *stripe.Client {
	backend := stripe.GetBackendWithConfig(stripe.APIBackend, &stripe.BackendConfig{
		URL: &base, MaxNetworkRetries: new(int64), EnableTelemetry: new(bool),
		LeveledLogger: &stripe.LeveledLogger{Level: stripe.LevelNull},
		HTTPClient:    &http.Client{Transport: &http.Transport{DisableKeepAlives: true}},
	})
	return stripe.NewClient(key, stripe.WithBackends(&stripe.Backends{API: backend}))
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// ok returns the value of a call that must succeed.
func ok[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// stripeError returns the error that a call must have failed with.
func stripeError(t *testing.T, err error) *stripe.Error {
	t.Helper()
	var e *stripe.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want an error of Stripe's", err)
	}
	return e
}

// pack is a session that sells n of something at 400 each.
func pack(n int64) *stripe.CheckoutSessionCreateParams {
	return &stripe.CheckoutSessionCreateParams{
		Mode: stripe.String("payment"), SuccessURL: stripe.String("http://localhost/ok?s={CHECKOUT_SESSION_ID}"),
		CancelURL: stripe.String("http://localhost/no"), ClientReferenceID: stripe.String("user-1"),
		Metadata: map[string]string{"order": "o1"},
		PaymentIntentData: &stripe.CheckoutSessionCreatePaymentIntentDataParams{
			Metadata: map[string]string{"order": "p1"},
		},
		LineItems: []*stripe.CheckoutSessionCreateLineItemParams{{
			Quantity: &n,
			PriceData: &stripe.CheckoutSessionCreateLineItemPriceDataParams{
				Currency: stripe.String("usd"), UnitAmount: stripe.Int64(400),
				ProductData: &stripe.CheckoutSessionCreateLineItemPriceDataProductDataParams{Name: stripe.String("Top-up")},
			},
		}},
	}
}

func (w *world) session() *stripe.CheckoutSession {
	w.t.Helper()
	return ok(w.V1CheckoutSessions.Create(w.ctx, pack(1)))(w.t)
}

func (w *world) read(id string) *stripe.CheckoutSession {
	w.t.Helper()
	return ok(w.V1CheckoutSessions.Retrieve(w.ctx, id, nil))(w.t)
}

// paid returns the payment intent of a session that was paid.
func (w *world) paid() *stripe.PaymentIntent {
	w.t.Helper()
	s := w.session()
	w.must(w.Pay(s.ID, ""))
	return ok(w.V1PaymentIntents.Retrieve(w.ctx, w.read(s.ID).PaymentIntent.ID, nil))(w.t)
}

func (w *world) customer() *stripe.Customer {
	w.t.Helper()
	return ok(w.V1Customers.Create(w.ctx, &stripe.CustomerCreateParams{
		Email: stripe.String("a@example.com"), Metadata: map[string]string{"user": "user-1"},
	}))(w.t)
}

// charge tries an automatic top-up of 400.
func (w *world) charge(customer, method, key string) (*stripe.PaymentIntent, error) {
	p := &stripe.PaymentIntentCreateParams{
		Amount: stripe.Int64(400), Currency: stripe.String("usd"), Customer: &customer, PaymentMethod: &method,
		OffSession: stripe.Bool(true), Confirm: stripe.Bool(true), PaymentMethodTypes: []*string{stripe.String("card")},
		Metadata: map[string]string{"topup": "7"},
	}
	if key != "" {
		p.SetIdempotencyKey(key)
	}
	return w.V1PaymentIntents.Create(w.ctx, p)
}

// delivered delivers what is due and returns the events that arrived by that.
func (w *world) delivered() []stripe.Event {
	w.t.Helper()
	ok(w.Deliver(w.ctx))(w.t)
	return w.inbox.take()
}

func (w *world) types() []string {
	w.t.Helper()
	var all []string
	for _, e := range w.delivered() {
		all = append(all, string(e.Type))
	}
	return all
}

func (w *world) wantTypes(want ...string) {
	w.t.Helper()
	if got := w.types(); !slices.Equal(got, want) {
		w.t.Fatalf("events:\n got %v\nwant %v", got, want)
	}
}

// inbox is a webhook endpoint that checks signatures with the vendor's library.
type inbox struct {
	t       *testing.T
	url     string
	arrived chan stripe.Event // has room for many; the automatic mode is waited for by it

	mu      sync.Mutex
	secret  string
	status  int
	headers []string
	events  []stripe.Event
}

func newInbox(t *testing.T) *inbox {
	in := &inbox{t: t, secret: secret, status: http.StatusOK, arrived: make(chan stripe.Event, 1000)}
	s := httptest.NewServer(in)
	t.Cleanup(s.Close)
	in.url = s.URL
	return in
}

func (in *inbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	in.mu.Lock()
	defer in.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	in.headers = append(in.headers, r.Header.Get("Stripe-Signature"))
	e, err := webhook.ConstructEventWithOptions(body, r.Header.Get("Stripe-Signature"), in.secret,
		webhook.ConstructEventOptions{IgnoreTolerance: true, IgnoreAPIVersionMismatch: true})
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	w.WriteHeader(in.status)
	if in.status == http.StatusOK {
		in.events = append(in.events, e)
		in.arrived <- e
	}
}

func (in *inbox) take() []stripe.Event {
	in.mu.Lock()
	defer in.mu.Unlock()
	all := in.events
	in.events = nil
	return all
}

func (in *inbox) set(status int, secret string) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.status, in.secret = status, secret
}

// post sends a form as no client of Stripe's would.
func post(t *testing.T, target, authorization string, form url.Values) (int, string) {
	t.Helper()
	return send(t, target, authorization, "application/x-www-form-urlencoded", form.Encode())
}

func send(t *testing.T, target, authorization, kind, body string) (int, string) {
	t.Helper()
	r := ok(http.NewRequestWithContext(t.Context(), http.MethodPost, target, strings.NewReader(body)))(t)
	r.Header.Set("Content-Type", kind)
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	c := &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	answer := ok(c.Do(r))(t)
	defer func() { _ = answer.Body.Close() }()
	text := string(ok(io.ReadAll(answer.Body))(t))
	return answer.StatusCode, answer.Header.Get("Location") + text
}

func TestKeys(t *testing.T) {
	test, live := newWorld(t, stripefake.Options{}), newWorld(t, stripefake.Options{Live: true})
	for _, tc := range []struct {
		w      *world
		header string
		want   int
	}{
		{test, "Bearer sk_test_x", 200},
		{test, "bearer rk_test_x", 200},
		{test, "Basic c2tfdGVzdF94Og==", 200}, // sk_test_x:
		{test, "", 401},
		{test, "Bearer", 401},
		{test, "Bearer sk_test_", 401},
		{test, "Bearer sk_live_x", 401},
		{test, "Bearer pk_test_x", 401},
		{test, "Digest sk_test_x", 401},
		{live, "Bearer sk_live_x", 200},
		{live, "Bearer rk_live_x", 200},
		{live, "Bearer sk_test_x", 401},
	} {
		if got, body := post(t, tc.w.URL+"/v1/customers", tc.header, nil); got != tc.want {
			t.Errorf("%q: %d %s, want %d", tc.header, got, body, tc.want)
		}
	}
	s := live.session()
	if !s.Livemode || !strings.HasPrefix(s.ID, "cs_live_") || test.session().Livemode {
		t.Errorf("%s livemode %v", s.ID, s.Livemode)
	}
}

func TestRefusesParameters(t *testing.T) {
	w := newWorld(t, stripefake.Options{})
	many := url.Values{}
	for i := range 51 {
		many.Set("metadata[k"+strings.Repeat("x", i)+"]", "v")
	}
	for _, tc := range []struct {
		path  string
		form  url.Values
		code  string
		param string
	}{
		{"customers", url.Values{"nickname": {"x"}}, "parameter_unknown", "nickname"},
		{"customers", url.Values{"metadata[a][b]": {"x"}}, "parameter_unknown", "metadata[a]"},
		{"customers", url.Values{"metadata": {"x"}}, "parameter_unknown", "metadata"},
		{"customers", url.Values{"email[": {"x"}}, "parameter_unknown", "email["},
		{"customers", url.Values{"email": {"x", "y"}}, "parameter_invalid", "email"},
		{"customers", url.Values{"metadata[" + strings.Repeat("n", 41) + "]": {"x"}}, "parameter_invalid", "metadata"},
		{"customers", url.Values{"metadata[a]": {strings.Repeat("v", 501)}}, "parameter_invalid", "metadata"},
		{"customers", many, "parameter_invalid", "metadata"},
		{"checkout/sessions", url.Values{}, "parameter_missing", "mode"},
		{"checkout/sessions", url.Values{"mode": {"rent"}}, "parameter_invalid", "mode"},
		{"checkout/sessions", url.Values{"mode": {"payment"}}, "parameter_missing", "success_url"},
		{"checkout/sessions", url.Values{"mode": {"payment"}, "success_url": {"x"}}, "parameter_missing", "line_items"},
		{"checkout/sessions", url.Values{"mode": {"payment"}, "line_items[0][colour]": {"red"}}, "parameter_unknown", "line_items[0][colour]"},
		{"payment_intents", url.Values{"amount": {"1.5"}, "currency": {"usd"}}, "parameter_invalid_integer", "amount"},
		{"payment_intents", url.Values{"amount": {"49"}, "currency": {"usd"}}, "amount_too_small", "amount"},
		{"payment_intents", url.Values{"amount": {"100000000"}, "currency": {"usd"}}, "amount_too_large", "amount"},
		{"payment_intents", url.Values{"amount": {"50"}, "currency": {"US$"}}, "parameter_invalid", "currency"},
		{"payment_intents", url.Values{"amount": {"50"}, "currency": {"usd"}, "confirm": {"yes"}}, "parameter_invalid_boolean", "confirm"},
		{"payment_intents", url.Values{"amount": {"50"}, "currency": {"usd"}, "customer": {"cus_no"}}, "resource_missing", "customer"},
		{"refunds", url.Values{"payment_intent": {"pi_no"}}, "resource_missing", "payment_intent"},
		{"customers", url.Values{"expand[]": {"friends"}}, "", "expand"},
	} {
		status, body := post(t, w.URL+"/v1/"+tc.path, "Bearer sk_test_x", tc.form)
		if status != 400 || !strings.Contains(body, `"type":"invalid_request_error"`) ||
			!strings.Contains(body, `"param":"`+tc.param+`"`) || (tc.code != "" && !strings.Contains(body, `"code":"`+tc.code+`"`)) {
			t.Errorf("%s %v: %d %s; want %s of %s", tc.path, tc.form, status, body, tc.code, tc.param)
		}
	}
	if status, _ := send(t, w.URL+"/v1/customers", "Bearer sk_test_x", "application/json", `{}`); status != 400 {
		t.Errorf("JSON: %d", status)
	}
	if status, _ := post(t, w.URL+"/v1/nothing", "Bearer sk_test_x", nil); status != 404 {
		t.Errorf("unknown path: %d", status)
	}
	_, err := w.V1Customers.Retrieve(w.ctx, "cus_no", nil)
	if e := stripeError(t, err); e.HTTPStatusCode != 404 || e.Code != stripe.ErrorCodeResourceMissing || e.Param != "id" {
		t.Errorf("unknown id: %+v", e)
	}
}

func TestRecordsRequests(t *testing.T) {
	w := newWorld(t, stripefake.Options{})
	p := pack(2)
	p.SetIdempotencyKey("k1")
	ok(w.V1CheckoutSessions.Create(w.ctx, p))(t)
	ok(w.V1CheckoutSessions.Create(w.ctx, p))(t)
	post(t, w.URL+"/v1/customers", "Bearer sk_other_secret", nil)
	all := w.Requests()
	if len(all) != 3 {
		t.Fatalf("%d requests", len(all))
	}
	first := all[0]
	if first.Method != "POST" || first.Path != "/v1/checkout/sessions" || first.IdempotencyKey != "k1" ||
		first.Form.Get("line_items[0][quantity]") != "2" || first.Status != 200 || first.Replayed || !all[1].Replayed {
		t.Errorf("%+v\n%+v", first, all[1])
	}
	if first.Authorization != "Bearer sk_test_***" || all[2].Authorization != "Bearer ***" || all[2].Status != 401 {
		t.Errorf("%q, %q", first.Authorization, all[2].Authorization)
	}
}

func TestLoopbackOnly(t *testing.T) {
	for _, addr := range []string{"0.0.0.0:0", ":0", "192.0.2.1:0", "example.com:0", "nonsense"} {
		if f, err := stripefake.Start(stripefake.Options{Addr: addr}); err == nil {
			_ = f.Close()
			t.Errorf("%s was listened on", addr)
		}
	}
	w := newWorld(t, stripefake.Options{Addr: "localhost:0"})
	if u := ok(url.Parse(w.URL))(t); u.Hostname() != "127.0.0.1" && u.Hostname() != "::1" {
		t.Errorf("listens on %s", w.URL)
	}
	for _, target := range []string{"http://example.com/hook", "http://192.0.2.1/", "/hook", "http://localhost.example.com/"} {
		if w.AddEndpoint(stripefake.Endpoint{URL: target, Secret: secret}) == nil {
			t.Errorf("%s would be called", target)
		}
	}
}

// TestSameSeedSameAnswers runs one story twice.
func TestSameSeedSameAnswers(t *testing.T) {
	story := func(seed uint64) []string {
		w := newWorld(t, stripefake.Options{Seed: seed})
		w.SetPolicy(stripefake.Policy{Shuffle: true, Duplicates: 1, DropThousandth: 300})
		w.FailRandomly(300, stripefake.ErrorBefore, stripefake.RateLimit)
		var all []string
		for range 10 {
			s, err := w.V1CheckoutSessions.Create(w.ctx, pack(1))
			if err != nil {
				all = append(all, string(stripeError(t, err).Type))
				continue
			}
			w.must(w.Pay(s.ID, ""))
			all = append(all, s.ID)
		}
		for _, e := range w.delivered() {
			all = append(all, e.ID)
		}
		return all
	}
	first := story(1)
	if second := story(1); !slices.Equal(first, second) {
		t.Errorf("seed 1 gave\n%v, then\n%v", first, second)
	}
	if slices.Equal(first, story(2)) {
		t.Error("another seed gave the same")
	}
}

// TestForeignClock: a clock that others move is the fake's as well, and one that
// cannot be moved is moved for the fake alone.
func TestForeignClock(t *testing.T) {
	shared := clock.NewManual(1_767_225_600_000_000)
	w := newWorld(t, stripefake.Options{Clock: shared})
	s := w.session()
	w.Advance(time.Hour)
	if got := shared.Now(); got != clock.Instant(1_767_225_600_000_000).Add(time.Hour) {
		t.Errorf("the shared clock stands at %v", got)
	}
	shared.Advance(23 * time.Hour)
	if got := w.read(s.ID).Status; got != "expired" {
		t.Errorf("the session is %s", got)
	}
	system := newWorld(t, stripefake.Options{Clock: clock.System{}})
	before := system.Now()
	system.Advance(48 * time.Hour)
	if d := system.Now().Sub(before); d < 48*time.Hour || d > 49*time.Hour {
		t.Errorf("moved by %v", d)
	}
}
