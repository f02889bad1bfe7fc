package acceptance

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed42445051/scrip"
	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/payments/stripe"
	"github.com/seed42445051/scrip/payments/stripefake"
	"github.com/seed42445051/scrip/store"
	v1 "github.com/seed42445051/scrip/v1"
)

// listener notes every answer that comes over a wire.
type listener struct {
	http.RoundTripper
	mu    sync.Mutex
	heard bytes.Buffer
}

func (l *listener) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := l.RoundTripper.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintf(&l.heard, "%s %s: %d %v\n%s\n", r.Method, r.URL, res.StatusCode, res.Header, body)
	res.Body = io.NopCloser(bytes.NewReader(body))
	return res, nil
}

// Settings that are wrong, and what is said of them.
var wrongSettings = []tillRow{
	{"a mode without a key", func(t *testing.T, c *till) {
		other := c.open(scrip.WithStripe(stripe.Config{URL: c.front.URL, Test: c.config().Test}))
		_, err := other.as(catalog.Live).Checkout(t.Context(), c.complete(v1.CheckoutRequest{CustomerID: "u", PackID: "starter"}))
		says(t, err, fault.CodePaymentsNotConfigured, "SCRIP_STRIPE_LIVE_KEY", "SCRIP_STRIPE_LIVE_WEBHOOK_SECRET")
		equal(t, "orders", len(c.orders("u", "")), 0)
		// An order from when there was one is not forgotten, and says what is missing.
		o := c.checkout("u", "starter")
		_, err = other.as(catalog.Live).CancelOrder(t.Context(), o.ID, v1.CancelOrder{})
		says(t, err, fault.CodePaymentsNotConfigured, "Stripe", "SCRIP_STRIPE_LIVE_KEY")
		status, text := other.post(livePath, []byte("{}"), "t=1,v1=ff")
		if status/100 == 2 || !strings.Contains(text, "payments_not_configured") {
			t.Errorf("a webhook of a mode without a key: %d %s", status, text)
		}
	}},
	{"a key that Stripe does not accept", func(t *testing.T, c *till) {
		c.front.refuse(http.StatusUnauthorized)
		_, err := c.as(catalog.Live).Checkout(t.Context(), c.complete(v1.CheckoutRequest{CustomerID: "u", PackID: "starter"}))
		says(t, err, fault.CodePaymentsNotConfigured, "SCRIP_STRIPE_LIVE_KEY")
		c.front.refuse(http.StatusForbidden)
		_, err = c.as(catalog.Test).Checkout(t.Context(), c.complete(v1.CheckoutRequest{CustomerID: "u", PackID: "starter"}))
		says(t, err, fault.CodePaymentsNotConfigured, "SCRIP_STRIPE_TEST_KEY", "permission")
	}},
	{"a price that Stripe does not have", func(t *testing.T, c *till) {
		c.apply(strings.Replace(sold, "priceId: 'starter'", "priceId: 'prod_wrong'", 1))
		_, err := c.as(catalog.Live).Checkout(t.Context(), c.complete(v1.CheckoutRequest{CustomerID: "u", PackID: "starter"}))
		says(t, err, fault.CodeInvalidRequest, `no price "prod_wrong"`, "Starter Pack", "price_ref")
		// Mended, the same customer buys.
		c.apply(sold)
		c.buy("u", "starter")
		c.once("u")
	}},
	{"another endpoint's signing secret", func(t *testing.T, c *till) {
		noError(t, c.live.RollSecret(c.base+livePath, "whsec_of_another_endpoint", 0))
		o := c.checkout("u", "starter")
		c.pay(o)
		attempts, err := c.live.Deliver(t.Context())
		noError(t, err)
		for _, a := range attempts {
			equal(t, a.Type, a.Status, 400)
		}
		c.gate.mu.Lock()
		m := c.gate.seen[len(c.gate.seen)-1]
		c.gate.mu.Unlock()
		_, text := c.post(m.path, m.body, m.signature)
		if !strings.Contains(text, "SCRIP_STRIPE_LIVE_WEBHOOK_SECRET") || !strings.Contains(text, "this very endpoint") {
			t.Errorf("the answer does not say what to set: %s", text)
		}
		if log := c.log.String(); !strings.Contains(log, "SCRIP_STRIPE_LIVE_WEBHOOK_SECRET") {
			t.Errorf("the log does not say what to set:\n%s", log)
		}
		// With the right secret again, Stripe's next try is taken.
		noError(t, c.live.RollSecret(c.base+livePath, liveSecret, 0))
		c.run(time.Hour)
		c.once("u")
	}},
	{"a secret that is being rolled", func(t *testing.T, c *till) {
		noError(t, c.live.RollSecret(c.base+livePath, "whsec_next", 24*time.Hour))
		c.buy("u", "starter")
		c.once("u")
	}},
	{"no secret is ever seen", noSecretIsSeen},
}

func TestStripeSettings(t *testing.T) { runTills(t, wrongSettings) }

// says fails the test unless an error has the code, and its text the words.
func says(t *testing.T, err error, code fault.Code, words ...string) {
	t.Helper()
	wantCode(t, err, code)
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("the error does not say %s: %v", word, err)
		}
	}
}

// noSecretIsSeen plays a story in which everything goes wrong that can: in no log, at whatever level,
// in no answer, in no letter and in nothing that a function hears is any key, secret or password.
func noSecretIsSeen(t *testing.T, c *till) {
	var errs bytes.Buffer
	note := func(err error) { fmt.Fprintf(&errs, "%v\n%+v\n%#v\n", err, err, err) }
	wires := []*listener{{RoundTripper: c.http.Transport}}
	c.http.Transport = wires[0]
	live := c.as(catalog.Live)

	// What goes well.
	first := c.savesCard("u")
	c.topsUp("u")
	c.spend("u", "600")
	c.quiet()
	_, err := live.RefundOrder(t.Context(), first.ID, v1.RefundRequest{Amount: 100})
	noError(t, err)
	_, err = live.PaymentPortal(t.Context(), "u", v1.PortalRequest{ReturnURL: "https://a.example/"})
	noError(t, err)
	c.deliver()
	// What does not.
	for _, kind := range []stripefake.FaultKind{stripefake.ErrorBefore, stripefake.ErrorAfter, stripefake.RateLimit, stripefake.ResetBefore, stripefake.ResetAfter} {
		c.live.Fail(stripefake.Fault{Kind: kind, Path: "/v1/checkout/sessions"})
		_, err := live.Checkout(t.Context(), c.complete(v1.CheckoutRequest{CustomerID: "u", PackID: "pro"}))
		note(err)
	}
	for _, status := range []int{401, 403, 404, 418, 500} {
		c.front.refuse(status) // with the whole key in its text
		_, err := live.Checkout(t.Context(), c.complete(v1.CheckoutRequest{CustomerID: "u", PackID: "pro"}))
		if err == nil {
			t.Errorf("%d is no error", status)
		}
		note(err)
		_, err = live.Reconcile(t.Context(), v1.ReconcileRequest{})
		note(err)
		_, err = live.PaymentPortal(t.Context(), "u", v1.PortalRequest{})
		note(err)
	}
	c.front.refuse(0)
	for _, reason := range []string{"insufficient_funds", "lost_card"} {
		c.live.DeclineNext(reason)
		_, err := live.Checkout(t.Context(), v1.CheckoutRequest{CustomerID: "u", PackID: "pro", OffSession: true})
		note(err)
	}
	status, text := c.post(livePath, []byte(`{"object":"event"}`), stripefake.Sign([]byte(`{"object":"event"}`), c.now.Now(), testSecret))
	equal(t, "status", status, 400)
	errs.WriteString(text)
	// A server whose own settings are wrong: another key, another secret, a mail server that says the
	// password back.
	const wrongMail = "this-is-not-the-password"
	bad := c.config()
	bad.Live.Key = stripe.NewSecret("sk_live_wrongwrongwrong")
	other := c.open(scrip.WithStripe(bad), scrip.WithMail(strings.Replace(c.box.url(), mailSecret, wrongMail, 1), ""))
	wires = append(wires, &listener{RoundTripper: other.http.Transport})
	other.http.Transport = wires[1]
	_, err = other.as(catalog.Live).RefundOrder(t.Context(), first.ID, v1.RefundRequest{Amount: 100})
	note(err)
	_, err = other.as(catalog.Test).Checkout(t.Context(), c.complete(v1.CheckoutRequest{CustomerID: "u", PackID: "starter"}))
	note(err)
	late := c.checkout("v", "starter")
	c.pay(late)
	other.tell(c.caught()...)
	c.waits("the mail server to refuse", func() bool { return strings.Contains(c.told(), "mail_login_refused") })
	c.later(48 * time.Hour)
	c.front.refuse(http.StatusUnauthorized)
	c.beat(askBeat)
	other.beat(askBeat)
	c.front.refuse(0)

	mails, err := live.ListMails(t.Context(), v1.MailQuery{})
	noError(t, err)
	seen := map[string]string{
		"a log": c.log.String() + other.log.String(), "an error": errs.String(), "a letter": fmt.Sprint(c.box.all(), mails),
		"what functions hear":  fmt.Sprintf("%+v %+v", c.heard.bought(), c.heard.told()),
		"printed settings":     fmt.Sprintf("%v %+v %#v %s", c.config(), c.config(), c.config(), toJSON(t, c.config())),
		"an answer":            wires[0].heard.String() + wires[1].heard.String(),
		"what is in the store": c.told(),
	}
	for where, text := range seen {
		if text == "" {
			t.Errorf("%s: nothing was noted", where)
		}
		for what, secret := range map[string]string{
			"the live key": liveKey, "the test key": testKey, "the wrong key": "sk_live_wrongwrongwrong",
			"the live secret": liveSecret, "the test secret": testSecret, "the mail password": mailSecret, "the wrong password": wrongMail,
		} {
			for _, form := range []string{secret, base64.StdEncoding.EncodeToString([]byte(secret)), secret[len("sk_live_"):]} {
				if i := strings.Index(text, form); i >= 0 {
					t.Errorf("%s is in %s: ...%s...", what, where, text[max(0, i-200):min(len(text), i+100)])
				}
			}
		}
	}
}

// told is what the outbox has kept of its attempts.
func (c *till) told() string {
	st := c.db.connect(c.t)
	defer func() { noError(c.t, st.Close()) }()
	var text strings.Builder
	for _, to := range catalog.Receivers() {
		found, err := st.ListDeliveries(context.Background(), store.DeliveryQuery{Endpoint: to, Limit: 100})
		noError(c.t, err)
		for _, d := range found {
			l, err := st.FindDelivery(context.Background(), d.Wallet, d.N)
			noError(c.t, err)
			fmt.Fprintf(&text, "%s %s %+v\n", to, d.Type, l.Log)
		}
	}
	return text.String()
}
