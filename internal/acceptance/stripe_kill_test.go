package acceptance

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/payments/stripefake"
	v1 "github.com/seed42445051/scrip/v1"
)

// relay stands between Stripe and a process: it can kill the process over one webhook, once the
// process has answered or while it works, and Stripe never hears of the answer.
type relay struct {
	*httptest.Server
	mu      sync.Mutex
	process *process
	kill    bool // over the next news of a payment
	wait    bool // for the answer first
	killed  int
}

func (r *relay) ServeHTTP(w http.ResponseWriter, in *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	body, err := io.ReadAll(in.Body)
	if err != nil || r.process == nil {
		http.Error(w, "nobody is there", http.StatusBadGateway)
		return
	}
	out, err := http.NewRequest(http.MethodPost, r.process.base+in.URL.Path, bytes.NewReader(body))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	out.Header.Set("Stripe-Signature", in.Header.Get("Stripe-Signature"))
	over := r.kill && bytes.Contains(body, []byte(`"type":"payment_intent.succeeded"`))
	answered := make(chan *http.Response, 1)
	go func() {
		res, err := http.DefaultClient.Do(out)
		if err == nil {
			_, _ = io.Copy(io.Discard, res.Body)
			_ = res.Body.Close()
		}
		answered <- res
	}()
	var res *http.Response
	if !over || r.wait {
		res = <-answered
	}
	if over {
		r.process.kill()
		r.process, r.kill = nil, false
		r.killed++
		panic(http.ErrAbortHandler)
	}
	if res == nil {
		http.Error(w, "no answer", http.StatusBadGateway)
		return
	}
	w.WriteHeader(res.StatusCode)
}

// TestT12KilledAfterTheGrant kills a server with kill -9 between the grant's commit and the answer to
// Stripe, and another one while it works: what is told again finds the grant, or makes it.
func TestT12KilledAfterTheGrant(t *testing.T) {
	onBoth(t, func(t *testing.T, db *database) {
		noError(t, db.store.Close())
		fake, err := stripefake.Start(stripefake.Options{Clock: clock.System{}, Live: true, Seed: 3})
		noError(t, err)
		t.Cleanup(func() { noError(t, fake.Close()) })
		r := &relay{}
		r.Server = httptest.NewServer(r)
		t.Cleanup(r.Close)
		noError(t, fake.AddEndpoint(stripefake.Endpoint{URL: r.URL + "/webhooks/stripe/live", Secret: liveSecret}))
		secret := makeKey(t, db.address, "shop", "live")
		env := []string{"SCRIP_STRIPE_LIVE_KEY=" + liveKey, "SCRIP_STRIPE_LIVE_WEBHOOK_SECRET=" + liveSecret, "SCRIP_STRIPE_URL=" + fake.URL}
		start := func() *process {
			p := listens(t, launchIn(t, env, db.address))
			r.mu.Lock()
			defer r.mu.Unlock()
			r.process = p
			return p
		}
		p := start()
		c := p.client(secret)
		credit, err := c.CreateCredit(t.Context(), v1.CreateCredit{Name: "Credits", Unit: "credit"})
		noError(t, err)
		_, err = c.CreatePack(t.Context(), v1.CreatePack{ID: "starter", Name: "Starter", Price: 1000, Items: []v1.PackItem{{CreditID: credit.ID, Amount: "1000"}}})
		noError(t, err)
		for round, wait := range []bool{true, false} {
			customer := fmt.Sprint("u", round)
			o, err := c.Checkout(t.Context(), v1.CheckoutRequest{CustomerID: customer, PackID: "starter"})
			noError(t, err)
			noError(t, fake.Pay(o.SessionID, ""))
			r.mu.Lock()
			r.kill, r.wait = true, wait
			r.mu.Unlock()
			attempts, err := fake.Deliver(context.Background())
			noError(t, err)
			for _, a := range attempts {
				if a.Type == succeeded && a.Status != 0 {
					t.Fatalf("Stripe was answered with %d", a.Status)
				}
			}
			p = start()
			c = p.client(secret)
			if wait { // it was granted, and nobody has told
				equal(t, "balance before it is told again", balance(t, c, customer, credit.ID).Available, "1000")
			}
			for _, a := range attempts {
				_, err := fake.Redeliver(a.Event, false)
				noError(t, err)
			}
			again, err := fake.Deliver(context.Background())
			noError(t, err)
			for _, a := range again {
				equal(t, a.Type, a.Status, 200)
			}
			equal(t, "balance", balance(t, c, customer, credit.ID).Available, "1000")
			equal(t, "entries", types(entries(t, c, customer)), "credit_added")
			o, err = c.GetOrder(t.Context(), o.ID)
			noError(t, err)
			equal(t, "status", o.Status, "paid")
		}
		equal(t, "processes killed", r.killed, 2)
		noError(t, p.stop(t))
		verify(t, db.address)
	})
}
