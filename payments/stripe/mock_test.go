package stripe

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/payments/provider"
	"github.com/seed42445051/scrip/wallet"
)

// findMock finds the vendor's mock: where make setup builds it, or in the path.
func findMock(t *testing.T) string {
	t.Helper()
	built, err := filepath.Abs("../../bin/tools/stripe-mock")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(built); err == nil {
		return built
	}
	path, err := exec.LookPath("stripe-mock")
	if err != nil {
		t.Fatal("stripe-mock is not installed; run: make setup, or: go install github.com/stripe/stripe-mock@v0.203.0")
	}
	return path
}

// freePort is an address on which nothing listens.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// startMock starts the mock and returns its address once it answers.
func startMock(t *testing.T) string {
	t.Helper()
	address := freePort(t)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute) // for all that the mock is asked
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, findMock(t), "-http-addr", address, "-https-addr", freePort(t))
	out := &strings.Builder{}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait()
		if t.Failed() {
			t.Log(out)
		}
	})
	for wait := (clock.System{}); ctx.Err() == nil; <-wait.After(20 * time.Millisecond) {
		res, err := http.Get("http://" + address)
		if err == nil {
			_ = res.Body.Close()
			return "http://" + address
		}
	}
	t.Fatal("stripe-mock does not answer")
	return ""
}

// recorder remembers which requests went through and how they were answered.
type recorder struct {
	next http.RoundTripper
	seen map[string]int // method and path, with ids left out, to status
	t    *testing.T
}

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := r.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	parts := strings.Split(req.URL.Path, "/")
	for i, p := range parts {
		if strings.HasSuffix(p, "_1") {
			parts[i] = "ID"
		}
	}
	r.seen[req.Method+" "+strings.Join(parts, "/")] = res.StatusCode
	if res.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(res.Body)
		r.t.Errorf("%s %s was answered with %d: %s", req.Method, req.URL, res.StatusCode, body)
	}
	return res, nil
}

// T25: every kind of request is one that Stripe's own description of its API allows.
func TestRequestsAreAcceptedByTheVendorsMock(t *testing.T) {
	w := &world{t: t, clock: clock.NewManual(clock.System{}.Now())}
	address := startMock(t)
	seen := &recorder{next: http.DefaultTransport, seen: map[string]int{}, t: t}
	http.DefaultTransport = seen // the provider's client has no transport of its own
	t.Cleanup(func() { http.DefaultTransport = seen.next })
	w.Provider = w.provider(address)
	ctx := context.Background()
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Error(err)
		}
	}
	for _, page := range mockPages() {
		opened, err := w.OpenPage(ctx, page)
		ok(err)
		if opened.Session == "" || opened.Customer == "" || page.Order.Minor > 0 && opened.URL == "" {
			t.Errorf("opened %+v", opened)
		}
	}
	ok(w.ClosePage(ctx, place, "cs_1"))
	url, err := w.Portal(ctx, place, "https://example.org/back")
	ok(err)
	if url == "" {
		t.Error("the portal has no address")
	}
	fresh, old := topUp(), topUp()
	fresh.CreatedAt, old.CreatedAt = w.clock.Now(), w.clock.Now().Add(-48*time.Hour)
	for _, o := range []*wallet.Order{fresh, old} {
		news, err := w.charge(o)
		ok(err)
		if news.Kind == "" || news.Payment == "" {
			t.Errorf("charged %+v", news)
		}
	}
	paid := order()
	paid.Payment = "pi_1"
	for _, reason := range []string{"", "duplicate", "they were unhappy"} {
		news, err := w.Refund(ctx, provider.Refund{Place: place, Order: paid, OrderID: "ord_1", Own: 1, Minor: 500, Reason: reason})
		ok(err)
		if news.Refund == "" || news.RefundStatus != wallet.RefundSucceeded || news.Own != 1 {
			t.Errorf("refunded %+v", news)
		}
	}
	mockLooks(w)
	for kind, object := range map[string]string{
		"payment_intent.succeeded":      `{"id":"pi_1","status":"succeeded","payment_method":"pm_1","metadata":{"scrip_order":"ord_1","scrip_saves_card":"true"}}`,
		"setup_intent.succeeded":        `{"id":"seti_1","payment_method":"pm_1","metadata":{"scrip_order":"ord_1"}}`,
		"invoice.paid":                  `{"id":"in_1","subscription":"sub_1"}`,
		"customer.subscription.updated": `{"id":"sub_1","metadata":{"userId":"u1","planId":"pro"}}`,
	} {
		_, err := w.hook(kind, object)
		ok(err)
	}
	_, _, err = w.Past(ctx, place.Key.Mode, start, "evt_1")
	ok(err)
	_, failed := w.accounts["test"].disputesOf(ctx, "pi_1")
	if failed != nil {
		t.Error(failed)
	}
	wantKinds(t, seen.seen)
}

// mockPages are pages of every form.
func mockPages() []provider.Page {
	known, unknown := place, place
	unknown.Customer = ""
	saving, priced, many, card := order(), order(), order(), order()
	saving.SaveCard = true
	priced.PriceRef = "price_1"
	many.Quantity = 3
	card.Kind, card.Minor, card.Currency, card.SaveCard = wallet.CardOrder, 0, "", true
	var pages []provider.Page
	for _, o := range []*wallet.Order{order(), saving, priced, many, card} {
		pages = append(pages,
			provider.Page{Place: known, Order: o, OrderID: "ord_1", AppName: "PixelForge", CreditsAs: "1,000 credits"},
			provider.Page{Place: unknown, Order: o, OrderID: "ord_1"})
	}
	return pages
}

// mockLooks looks for orders in every way.
func mockLooks(w *world) {
	w.t.Helper()
	withPage, withPayment, lost, lostPage := order(), topUp(), topUp(), order()
	withPage.Session = "cs_1"
	withPayment.Status, withPayment.Payment = wallet.OrderPaid, "pi_1"
	for _, o := range []*wallet.Order{withPage, withPayment, lost, lostPage} {
		if _, err := w.Look(context.Background(), provider.Question{Place: place, Order: o, OrderID: "ord_1"}); err != nil {
			w.t.Error(err)
		}
	}
}

// wantKinds tells which kinds of request were not sent.
func wantKinds(t *testing.T, seen map[string]int) {
	t.Helper()
	for _, kind := range []string{
		"POST /v1/customers", "POST /v1/checkout/sessions", "GET /v1/checkout/sessions", "GET /v1/checkout/sessions/ID",
		"POST /v1/checkout/sessions/ID/expire", "POST /v1/billing_portal/sessions", "POST /v1/payment_intents", "GET /v1/payment_intents",
		"GET /v1/payment_intents/ID", "GET /v1/setup_intents/ID", "POST /v1/refunds", "GET /v1/refunds", "GET /v1/disputes", "GET /v1/events", "GET /v1/subscriptions/ID",
	} {
		if seen[kind] != http.StatusOK {
			t.Errorf("%s was not asked for", kind)
		}
		delete(seen, kind)
	}
	for kind := range seen {
		if kind != "GET /" && kind != "GET " {
			t.Errorf("%s is a kind of request that the test does not know", kind)
		}
	}
}
