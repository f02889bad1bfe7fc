package acceptance

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed42445051/scrip"
	"github.com/seed42445051/scrip/apply"
	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/client"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/money"
	"github.com/seed42445051/scrip/payments/stripe"
	"github.com/seed42445051/scrip/payments/stripefake"
	"github.com/seed42445051/scrip/store"
	v1 "github.com/seed42445051/scrip/v1"
)

// sold is what the tills sell: GoLiveKit's configuration as the seed has it, and PixelForge's packs.
const sold = `
billing: {
  credits: {
    enabled: true,
    enterManually: true,
    pricePerCredit: 0.01,
    packages: [
      {
        id: 'starter',
        priceId: 'starter',
        name: 'Starter Pack',
        description: '1000 credits for $10',
        amount: 10,
        currency: 'usd',
        creditsAmount: 1000,
      },
      {
        id: 'pro',
        priceId: 'pro',
        name: 'Pro Pack',
        description: '5000 credits for $40',
        amount: 40,
        creditsAmount: 5000,
      },
    ],
  },
}
credits:
  - name: Renders
    unit: count
packs:
  - id: cpk_gemini_topup
    name: Gemini Top-Up
    price: 400
    items: [{id: g, credit_id: Renders, amount: "50", scope: [{event: image.gemini-3-1-flash-image-preview}]}]
  - id: cpk_creator_bundle
    name: Creator Bundle
    price: 1500
    expires_after_days: 90
    items:
      - {id: d, credit_id: Renders, amount: "10", scope: [{event: image.dall-e-3}]}
      - {id: v, credit_id: Renders, amount: "5", scope: [{event: video.veo-3}]}
plans:
  - id: studio
    name: Studio
    price: 900
    credits: [{credit_id: Renders, amount: "100"}]
`

// The keys and secrets of the tills. None of them may ever be seen anywhere.
const (
	liveKey    = "sk_live_4eC39HqLyjWDarjtT1zdp7dc"
	testKey    = "sk_test_Bq2L7mVnX0pWkE5rTz8YuJ3s"
	liveSecret = "whsec_Q6vT1xPz9LkM3nRb"
	testSecret = "whsec_D4gH8jKs2NwC7yXf"
	mailSecret = "hunter2-of-the-mail"
)

// till is a whole Scrip that sells, opened as a program opens it and behind HTTP: with a stand-in of
// Stripe for live mode and one for test, functions that are called, and a mail server.
type till struct {
	t     *testing.T
	db    *database
	now   *clock.Manual
	live  *stripefake.Fake
	test  *stripefake.Fake
	front *front
	heard *heard
	box   *postbox
	*counter
	servers []*counter // all of them
	keys    map[catalog.Mode]string
}

// counter is one server of a till.
type counter struct {
	*wire
	till  *till
	scrip *scrip.Scrip
	gate  *gate
	clock beatClock
	log   *diary
}

// newTill opens one on a database of its own: whatever is sent from there is this test's.
func newTill(t *testing.T, db *database) *till {
	t.Helper()
	c := &till{t: t, db: db, now: clock.NewManual(begin), heard: &heard{}, box: newPostbox(t)}
	c.live = stripefake.New(stripefake.Options{Clock: c.now, Live: true, Seed: 1})
	c.test = stripefake.New(stripefake.Options{Clock: c.now, Seed: 2})
	t.Cleanup(func() { noError(t, c.live.Close()); noError(t, c.test.Close()) })
	c.front = &front{till: c}
	c.front.Server = httptest.NewServer(c.front)
	t.Cleanup(c.front.Close)
	for _, f := range []*stripefake.Fake{c.live, c.test} {
		noError(t, f.AddPrice(stripefake.Price{ID: "starter", Product: "Starter Pack", Currency: "usd", Amount: 1000}))
		noError(t, f.AddPrice(stripefake.Price{ID: "pro", Product: "Pro Pack", Currency: "usd", Amount: 4000}))
		noError(t, f.AddPrice(stripefake.Price{ID: "monthly", Product: "Studio", Currency: "usd", Amount: 900, Interval: "month"}))
	}
	c.counter = c.open()
	noError(t, c.live.AddEndpoint(stripefake.Endpoint{URL: c.base + "/webhooks/stripe/live", Secret: liveSecret}))
	noError(t, c.test.AddEndpoint(stripefake.Endpoint{URL: c.base + "/webhooks/stripe/test", Secret: testSecret}))
	c.keys = map[catalog.Mode]string{}
	for _, mode := range []catalog.Mode{catalog.Live, catalog.Test} {
		app, err := c.scrip.App(t.Context(), "shop", mode)
		noError(t, err)
		key, err := app.CreateKey(t.Context(), v1.CreateKey{Kind: "secret"})
		noError(t, err)
		c.keys[mode] = key.Key
	}
	c.apply(sold)
	return c
}

// beats are the pauses of loops that turn when a test says so.
const sweepBeat, pollBeat, askBeat = 3 * time.Second, time.Second, 5 * time.Minute

// open opens one more server on the till's database.
func (c *till) open(opts ...scrip.Option) *counter {
	c.t.Helper()
	s := &counter{till: c, gate: &gate{}, log: &diary{}, clock: newBeatClock(c.now, sweepBeat, pollBeat, askBeat)}
	server := httptest.NewUnstartedServer(s.gate)
	base := "http://" + server.Listener.Addr().String()
	all := append([]scrip.Option{
		scrip.DB(c.db.address), scrip.WithClock(s.clock), scrip.SweepEvery(sweepBeat), scrip.PublicURL(base),
		scrip.WithStripe(c.config()), scrip.WithHooks(c.heard.hooks()), scrip.WithMail(c.box.url(), ""),
		scrip.WithLog(slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))),
		scrip.WebhooksToLoopback(), scrip.Shards(2),
	}, opts...)
	var err error
	s.scrip, err = scrip.Open(context.Background(), all...)
	noError(c.t, err)
	s.gate.handler = s.scrip.Handler()
	server.Start()
	c.t.Cleanup(func() {
		server.Close()
		noError(c.t, s.scrip.Close(context.Background()))
	})
	s.wire = newWire(c.t, base)
	c.servers = append(c.servers, s)
	return s
}

func (c *till) config() stripe.Config {
	return stripe.Config{
		URL:  c.front.URL,
		Live: stripe.Keys{Key: stripe.NewSecret(liveKey), Webhook: []stripe.Secret{stripe.NewSecret(liveSecret)}},
		Test: stripe.Keys{Key: stripe.NewSecret(testKey), Webhook: []stripe.Secret{stripe.NewSecret(testSecret)}},
	}
}

// apply brings the catalogue to what a file says.
func (c *till) apply(text string) {
	c.t.Helper()
	file, err := apply.Read("catalog.yaml", []byte(text))
	noError(c.t, err)
	app, err := c.scrip.App(c.t.Context(), "shop", catalog.Live)
	noError(c.t, err)
	d, err := file.Compare(c.t.Context(), app)
	noError(c.t, err)
	noError(c.t, d.Apply(c.t.Context()))
}

// tillRow is one acceptance row played against a whole till.
type tillRow = row[*till]

// runTills plays rows on both stores, each on a database of its own: what is due in one is not for
// the servers of another. In the end the books must add up.
func runTills(t *testing.T, rows []tillRow) {
	t.Helper()
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			for _, r := range rows {
				t.Run(r.name, func(t *testing.T) {
					t.Parallel()
					c := newTill(t, newDatabase(t, kind))
					r.run(t, c)
					c.addsUp()
				})
			}
		})
	}
}

func (c *till) addsUp() {
	c.t.Helper()
	report, err := c.scrip.Verify(context.Background())
	noError(c.t, err)
	for _, d := range report.Differences {
		c.t.Errorf("audit: %s", d)
	}
}

// as is the Go client of a mode, over HTTP.
func (s *counter) as(mode catalog.Mode) *client.Client { return s.client(s.till.keys[mode]) }

// checkout opens a page in live mode.
func (c *till) checkout(customer, pack string) v1.Order {
	c.t.Helper()
	return c.order(v1.CheckoutRequest{CustomerID: customer, PackID: pack})
}

func (c *till) order(r v1.CheckoutRequest) v1.Order {
	c.t.Helper()
	o, err := c.as(catalog.Live).Checkout(context.Background(), c.complete(r))
	noError(c.t, err)
	return o
}

// complete adds what every checkout of these tests says.
func (c *till) complete(r v1.CheckoutRequest) v1.CheckoutRequest {
	if r.Email == "" {
		r.Email, r.Name = r.CustomerID+"@example.com", "Ann"
	}
	if r.SuccessURL == "" {
		r.SuccessURL, r.CancelURL = c.base+"/app?billing=success", c.base+"/app?billing=cancel"
	}
	return r
}

// pay pays an order's page in live mode. No webhook has told of it yet.
func (c *till) pay(o v1.Order) {
	c.t.Helper()
	noError(c.t, c.live.Pay(o.SessionID, ""))
}

// buy opens a page, pays it, and lets Stripe tell.
func (c *till) buy(customer, pack string) v1.Order {
	c.t.Helper()
	o := c.checkout(customer, pack)
	c.pay(o)
	c.deliver()
	return c.read(o)
}

// read reads an order again.
func (c *till) read(o v1.Order) v1.Order {
	c.t.Helper()
	now, err := c.as(catalog.Live).GetOrder(context.Background(), o.ID)
	noError(c.t, err)
	return now
}

// deliver lets Stripe tell what is due, and fails the test unless all of it is taken.
func (c *till) deliver() {
	c.t.Helper()
	for _, f := range []*stripefake.Fake{c.live, c.test} {
		attempts, err := f.Deliver(context.Background())
		noError(c.t, err)
		for _, a := range attempts {
			if a.Status != http.StatusOK {
				c.t.Fatalf("%s was answered with %d, %v", a.Type, a.Status, a.Err)
			}
		}
	}
}

// quiet returns when nothing waits to be sent.
func (c *till) quiet() {
	c.t.Helper()
	c.waits("the outbox to be empty", c.calm)
}

// calm tells whether nothing is left in the outbox.
func (c *till) calm() bool {
	c.t.Helper()
	b, err := c.scrip.Backlog(context.Background())
	noError(c.t, err)
	return b.Pending == 0
}

// waits is until for what the outbox brings about. Now and then it lets the servers look for what is
// due, as they do each second: whom a busy database has refused waits for that.
func (c *till) waits(what string, condition func() bool) {
	c.t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(longestWait)
	for n := 1; !condition(); n++ {
		select {
		case <-tick.C:
		case <-limit:
			c.t.Fatalf("waited %s for %s:\n%s", longestWait, what, c.pending())
		}
		for _, s := range c.servers {
			if n%25 != 0 {
				break
			}
			select {
			case s.clock.beats[pollBeat] <- s.clock.Now().Time():
			default: // it looks already
			}
		}
	}
}

// pending is what waits to be sent, and why.
func (c *till) pending() string {
	st := c.db.connect(c.t)
	defer func() { noError(c.t, st.Close()) }()
	var text strings.Builder
	for _, to := range catalog.Receivers() {
		found, err := st.ListDeliveries(context.Background(), store.DeliveryQuery{Endpoint: to, Status: store.DeliveryPending, Limit: 10})
		noError(c.t, err)
		for _, d := range found {
			l, err := st.FindDelivery(context.Background(), d.Wallet, d.N)
			noError(c.t, err)
			fmt.Fprintf(&text, "%s %s at %s: %+v\n", to, d.Type, d.NextAt, l.Log)
		}
	}
	return text.String() + c.log.String()
}

// credits is what a customer has of a credit, all in all.
func (c *till) credits(customer, credit string) v1.Balance {
	c.t.Helper()
	return balance(c.t, c.as(catalog.Live), customer, credit)
}

// has fails the test unless a customer can spend so many of GoLiveKit's credits.
func (c *till) has(customer string, available money.Decimal) {
	c.t.Helper()
	equal(c.t, "available", c.credits(customer, apply.KitCredit).Available, available)
}

// spend deducts GoLiveKit's credits.
func (c *till) spend(customer string, amount money.Decimal) {
	c.t.Helper()
	_, err := c.as(catalog.Live).Deduct(context.Background(), v1.DeductRequest{Charge: v1.Charge{CustomerID: customer, CreditID: apply.KitCredit, Amount: amount}})
	noError(c.t, err)
}

// requested are the requests to Stripe that made something at a path.
func requested(f *stripefake.Fake, path string) []stripefake.Request {
	var all []stripefake.Request
	for _, r := range f.Requests() {
		if r.Method == http.MethodPost && r.Path == path {
			all = append(all, r)
		}
	}
	return all
}

// savesCard has a customer buy the starter pack and keep the card.
func (c *till) savesCard(customer string) v1.Order {
	c.t.Helper()
	o := c.order(v1.CheckoutRequest{CustomerID: customer, PackID: "starter", SaveCard: true})
	c.pay(o)
	c.deliver()
	return c.read(o)
}

// topsUp agrees on an automatic top-up below 500 credits.
func (c *till) topsUp(customer string) {
	c.t.Helper()
	_, err := c.as(catalog.Live).SetAutoTopUp(context.Background(), customer, v1.SetAutoTopUp{CreditID: apply.KitCredit, Enabled: true, Threshold: "500", PackID: "starter"})
	noError(c.t, err)
}

// agreed is what was agreed about automatic top-ups of a customer.
func (c *till) agreed(customer string) v1.AutoTopUp {
	c.t.Helper()
	page, err := c.as(catalog.Live).AutoTopUps(context.Background(), customer)
	noError(c.t, err)
	equal(c.t, "agreements", len(page.Data), 1)
	return page.Data[0]
}

// orders are a customer's of a kind, newest first.
func (c *till) orders(customer, kind string) []v1.Order {
	c.t.Helper()
	page, err := c.as(catalog.Live).ListOrders(context.Background(), v1.OrderQuery{CustomerID: customer, Kind: kind})
	noError(c.t, err)
	return page.Data
}

// front stands where Stripe does: a key's kind decides which of the two answers, as it does there.
type front struct {
	*httptest.Server
	till    *till
	mu      sync.Mutex
	refuses int // the status that every request is answered with, unless 0
}

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	status := f.refuses
	f.mu.Unlock()
	if status != 0 {
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"error":{"type":"invalid_request_error","message":"Invalid API Key provided: %s"}}`, strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
		return
	}
	if strings.Contains(r.Header.Get("Authorization"), "_live_") || strings.HasPrefix(r.URL.Path, "/pay/cs_live_") {
		f.till.live.ServeHTTP(w, r)
		return
	}
	f.till.test.ServeHTTP(w, r)
}

func (f *front) refuse(status int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refuses = status
}

// message is a webhook as it was sent.
type message struct {
	path      string
	body      []byte
	signature string
	kind      string // the event's type
}

// gate stands before a server: it can be shut, and notes the webhooks that come.
type gate struct {
	handler http.Handler
	mu      sync.Mutex
	shut    bool
	seen    []message
}

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.HasPrefix(r.URL.Path, "/webhooks/") {
		g.handler.ServeHTTP(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var e struct{ Type string }
	_ = json.Unmarshal(body, &e) // what is no event has no type
	g.mu.Lock()
	g.seen = append(g.seen, message{r.URL.Path, body, r.Header.Get("Stripe-Signature"), e.Type})
	shut := g.shut
	g.mu.Unlock()
	if shut {
		http.Error(w, "down", http.StatusServiceUnavailable)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	g.handler.ServeHTTP(w, r)
}

func (g *gate) close(shut bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = shut
}

// caught returns what Stripe wants to tell now, without that the server hears of it.
func (c *till) caught() []message {
	c.t.Helper()
	c.gate.mu.Lock()
	c.gate.shut, c.gate.seen = true, nil
	c.gate.mu.Unlock()
	for _, f := range []*stripefake.Fake{c.live, c.test} {
		_, err := f.Deliver(context.Background())
		noError(c.t, err)
	}
	c.gate.mu.Lock()
	defer c.gate.mu.Unlock()
	c.gate.shut = false
	return append([]message(nil), c.gate.seen...)
}

// of are the messages of some types, in this order.
func of(all []message, kinds ...string) []message {
	var some []message
	for _, kind := range kinds {
		for _, m := range all {
			if m.kind == kind {
				some = append(some, m)
			}
		}
	}
	return some
}

// post sends a webhook with a signature as it is, and returns the status and text of the answer.
func (s *counter) post(path string, body []byte, signature string) (int, string) {
	s.till.t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, s.base+path, bytes.NewReader(body))
	noError(s.till.t, err)
	if signature != "" {
		r.Header.Set("Stripe-Signature", signature)
	}
	res, err := s.http.Do(r)
	noError(s.till.t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	noError(s.till.t, err)
	return res.StatusCode, string(text)
}

// tell sends messages, signed now, and fails the test unless each is taken.
func (s *counter) tell(all ...message) {
	s.till.t.Helper()
	for _, m := range all {
		secret := liveSecret
		if m.path == testPath {
			secret = testSecret
		}
		status, text := s.post(m.path, m.body, stripefake.Sign(m.body, s.clock.Now(), secret))
		if status != http.StatusOK {
			s.till.t.Fatalf("%s was answered with %d %s", m.kind, status, text)
		}
	}
}

// with is the message with some texts replaced.
func (m message) with(pairs ...string) message {
	text := strings.NewReplacer(pairs...).Replace(string(m.body))
	m.body = []byte(text)
	var e struct{ Type string }
	_ = json.Unmarshal(m.body, &e) // as the gate reads it
	m.kind = e.Type
	return m
}

// stripePost asks the stand-in itself for something, as its owner would, and returns the id.
func (c *till) stripePost(path string, form url.Values) string {
	c.t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, c.front.URL+path, strings.NewReader(form.Encode()))
	noError(c.t, err)
	r.Header.Set("Authorization", "Bearer sk_live_owner")
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := http.DefaultClient.Do(r)
	noError(c.t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	noError(c.t, err)
	var made struct{ ID string }
	if err := json.Unmarshal(body, &made); err != nil || made.ID == "" {
		c.t.Fatalf("%s: %d %s", path, res.StatusCode, body)
	}
	return made.ID
}

// beatClock stands still until it is moved. Those of its pauses that have a beat end when the test
// says so; all others really pass, and are those between tries.
type beatClock struct {
	*clock.Manual
	beats map[time.Duration]chan time.Time
}

func newBeatClock(m *clock.Manual, beats ...time.Duration) beatClock {
	c := beatClock{m, map[time.Duration]chan time.Time{}}
	for _, d := range beats {
		c.beats[d] = make(chan time.Time)
	}
	return c
}

// After waits for a beat, or really.
func (c beatClock) After(d time.Duration) <-chan time.Time {
	if ch, ok := c.beats[d]; ok {
		return ch
	}
	return time.After(d)
}

// beat lets a server's loop turn once, and returns when it has.
func (s *counter) beat(d time.Duration) {
	s.till.t.Helper()
	for range 2 { // it takes the second when it is done with the first
		select {
		case s.clock.beats[d] <- s.clock.Now().Time():
		case <-time.After(longestWait):
			s.till.t.Fatalf("nobody waits for %s", d)
		}
	}
}

// later moves the time and lets what it has made due happen: in the outbox, and in wallets that
// nobody uses.
func (c *till) later(d time.Duration) {
	c.t.Helper()
	c.now.Advance(d)
	c.beat(sweepBeat)
	c.beat(pollBeat)
}

// passes lets time go by, in steps, until something has come of it. What fails is tried again some time
// after its failure was written down, and that may be after a step.
func (c *till) passes(step time.Duration, what string, condition func() bool) {
	c.t.Helper()
	for range 100 { // of half a second each, at least
		c.later(step)
		for range 50 {
			if condition() {
				return
			}
			<-time.After(10 * time.Millisecond)
		}
	}
	c.t.Fatalf("%s did not come:\n%s", what, c.pending())
}
