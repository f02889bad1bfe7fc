package sandbox_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/payments/provider"
	"github.com/seed42445051/scrip/payments/sandbox"
	"github.com/seed42445051/scrip/wallet"
)

var start = clock.At(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))

// world is a sandbox, and the receiver of its webhooks, which reads them as a server does.
type world struct {
	*sandbox.Provider
	t     *testing.T
	store *memory
	clock *clock.Manual

	mu     sync.Mutex
	events []provider.Event
	down   bool // webhooks are not taken
	last   hook
}

// hook is a webhook as it was delivered.
type hook struct {
	header http.Header
	body   []byte
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, store: &memory{}, clock: clock.NewManual(start)}
	w.restart()
	return w
}

// restart makes another sandbox over what is stored.
func (w *world) restart() {
	w.Provider = sandbox.New(sandbox.Config{
		Objects: w.store, Clock: w.clock, Base: "http://scrip.test/",
		Deliver: func(ctx context.Context, mode catalog.Mode, h http.Header, body []byte) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			if w.down {
				return errors.New("down")
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
			events, err := w.Read(ctx, mode, h, body)
			w.events = append(w.events, events...)
			w.last = hook{h, body}
			return err
		},
	})
}

// told takes the events that were delivered since it was called last.
func (w *world) told() []provider.Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	events := w.events
	w.events = nil
	return events
}

// kinds are the kinds of news that were delivered since told was called last.
func (w *world) kinds() string {
	var kinds []string
	for _, e := range w.told() {
		kinds = append(kinds, string(e.News.Kind))
	}
	return strings.Join(kinds, " ")
}

func (w *world) setDown(down bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.down = down
}

var ann = provider.Place{
	Key: wallet.Key{App: "app_1", Mode: catalog.Test, Customer: "ann"}, Name: "Ann Example", Email: "ann@example.test",
}

// order is an order of 10 dollars.
func order() *wallet.Order {
	return &wallet.Order{
		N: 1, Kind: wallet.PackOrder, Status: wallet.OrderOpen, Provider: "sandbox", Minor: 1000, Currency: "usd", Text: "Starter", Quantity: 1,
		SuccessURL: "https://shop.test/done?session={CHECKOUT_SESSION_ID}&x=1#top", CancelURL: "https://shop.test/back",
		CreatedAt: start, ExpiresAt: start.Add(time.Hour),
	}
}

// saving is an order that keeps the card.
func saving() *wallet.Order {
	o := order()
	o.SaveCard = true
	return o
}

func (w *world) open(o *wallet.Order) provider.Opened {
	w.t.Helper()
	opened, err := w.OpenPage(w.t.Context(), provider.Page{Place: ann, Order: o, OrderID: "ord_1", AppName: "PixelForge", CreditsAs: "1,000 credits"})
	noError(w.t, err)
	return opened
}

func (w *world) charge(o *wallet.Order, attempt int, method string) wallet.OrderNews {
	w.t.Helper()
	c := *o
	c.OffSession, c.Attempt = true, attempt
	news, err := w.Charge(w.t.Context(), provider.Charge{Place: ann, Order: &c, OrderID: "ord_1", Method: method})
	noError(w.t, err)
	return news
}

func (w *world) look() []wallet.OrderNews {
	w.t.Helper()
	news, err := w.Look(w.t.Context(), provider.Question{Place: ann, Order: order(), OrderID: "ord_1"})
	noError(w.t, err)
	return news
}

// page is an answer to a browser.
type page struct {
	code   int
	header http.Header
	text   string
}

func (w *world) send(r *http.Request) page {
	w.t.Helper()
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, r)
	body, err := io.ReadAll(rec.Result().Body)
	noError(w.t, err)
	return page{rec.Code, rec.Result().Header, string(body)}
}

func (w *world) get(address string) page {
	w.t.Helper()
	return w.send(httptest.NewRequest(http.MethodGet, address, nil))
}

var tokenField = regexp.MustCompile(`name="token" value="([^"]+)"`)

// press fills in the form of a page and presses one of its buttons.
func (w *world) press(address, do string, fields ...string) page {
	w.t.Helper()
	form := url.Values{"do": {do}}
	if m := tokenField.FindStringSubmatch(w.get(address).text); m != nil {
		form.Set("token", m[1])
	}
	for i := 0; i+1 < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return w.send(post(address, form))
}

func post(address string, form url.Values) *http.Request {
	r := httptest.NewRequest(http.MethodPost, address, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", "http://"+r.Host)
	return r
}

// pay pays a page with a card.
func (w *world) pay(address, number string) page {
	w.t.Helper()
	return w.press(address, "pay", "number", number)
}

func noError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func refused(t *testing.T, err error, code fault.Code) {
	t.Helper()
	if got := fault.CodeOf(err); got != code {
		t.Errorf("got %q (%v), want %q", got, err, code)
	}
}

func contains(t *testing.T, text string, wanted ...string) {
	t.Helper()
	for _, want := range wanted {
		if !strings.Contains(text, want) {
			t.Errorf("there is no %q in\n%s", want, text)
		}
	}
}

func lacks(t *testing.T, text string, unwanted ...string) {
	t.Helper()
	for _, bad := range unwanted {
		if strings.Contains(text, bad) {
			t.Errorf("there is %q in\n%s", bad, text)
		}
	}
}
