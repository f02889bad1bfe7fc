package stripefake_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v85"
	"pgregory.net/rapid"

	"github.com/seed42445051/scrip/payments/stripefake"
)

// intents counts the payment intents that there are.
func (w *world) intents() (n int) {
	w.t.Helper()
	for _, err := range w.V1PaymentIntents.List(w.ctx, &stripe.PaymentIntentListParams{}).All(w.ctx) {
		w.must(err)
		n++
	}
	return n
}

func TestIdempotencyReplays(t *testing.T) {
	w := newWorld(t, stripefake.Options{})
	who := w.customer().ID
	first := ok(w.charge(who, "pm_card_visa", "good"))(t)
	again := ok(w.charge(who, "pm_card_visa", "good"))(t)
	if first.ID != again.ID || again.LastResponse.Header.Get("Idempotent-Replayed") != "true" || first.LastResponse.Header.Get("Idempotent-Replayed") != "" {
		t.Errorf("%s, then %s", first.ID, again.ID)
	}
	_, err := w.charge(who, "pm_card_chargeDeclinedInsufficientFunds", "bad")
	_, err2 := w.charge(who, "pm_card_chargeDeclinedInsufficientFunds", "bad")
	a, b := stripeError(t, err), stripeError(t, err2)
	if a.HTTPStatusCode != 402 || b.HTTPStatusCode != 402 || a.PaymentIntent.ID != b.PaymentIntent.ID || a.ChargeID != b.ChargeID {
		t.Errorf("%+v, then %+v", a, b)
	}
	if n := w.intents(); n != 2 {
		t.Errorf("%d payment intents", n)
	}
	if _, err := w.charge(who, "pm_card_mastercard", "good"); stripeError(t, err).Type != stripe.ErrorTypeIdempotency {
		t.Errorf("other parameters: %v", err)
	}
	p := &stripe.CustomerCreateParams{}
	p.SetIdempotencyKey("good")
	_, err = w.V1Customers.Create(w.ctx, p)
	if e := stripeError(t, err); e.HTTPStatusCode != 400 || e.Type != stripe.ErrorTypeIdempotency {
		t.Errorf("another path: %+v", e)
	}
	w.Advance(24*time.Hour - time.Microsecond)
	if same := ok(w.charge(who, "pm_card_visa", "good"))(t); same.ID != first.ID {
		t.Error("forgotten before 24 hours")
	}
	w.Advance(time.Microsecond)
	if other := ok(w.charge(who, "pm_card_visa", "good"))(t); other.ID == first.ID {
		t.Error("kept for 24 hours and more")
	}
}

func TestIdempotencyIgnoresWhatWasNotExecuted(t *testing.T) {
	w := newWorld(t, stripefake.Options{})
	create := func(form url.Values) (int, string) {
		r := ok(http.NewRequest(http.MethodPost, w.URL+"/v1/payment_intents", strings.NewReader(form.Encode())))(t)
		r.Header.Set("Authorization", "Bearer sk_test_x")
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Idempotency-Key", "k")
		answer := ok(http.DefaultClient.Do(r))(t)
		_ = answer.Body.Close()
		return answer.StatusCode, answer.Header.Get("Idempotent-Replayed")
	}
	good := url.Values{"amount": {"50"}, "currency": {"usd"}}
	for _, amount := range []string{"x", "x", "49", "49"} {
		if status, replayed := create(url.Values{"amount": {amount}, "currency": {"usd"}}); status != 400 || replayed != "" {
			t.Errorf("%s: %d %s", amount, status, replayed)
		}
	}
	if status, _ := create(good); status != 200 {
		t.Errorf("after a request that failed validation: %d", status)
	}
	if _, replayed := create(good); replayed != "true" {
		t.Error("not replayed")
	}
	missing := func() *stripe.Error { // found out in execution, and so kept
		_, err := w.charge("cus_no", "pm_card_visa", "missing")
		return stripeError(t, err)
	}
	if a, b := missing(), missing(); a.LastResponse.Header.Get("Idempotent-Replayed") != "" || b.LastResponse.Header.Get("Idempotent-Replayed") != "true" {
		t.Errorf("%+v, then %+v", a, b)
	}
}

func TestIdempotencyKeyInUse(t *testing.T) {
	w := newWorld(t, stripefake.Options{})
	who := w.customer().ID
	w.Fail(stripefake.Fault{Kind: stripefake.Hold, Path: "/v1/payment_intents"})
	type result struct {
		pi  *stripe.PaymentIntent
		err error
	}
	slow := make(chan result)
	go func() {
		pi, err := w.charge(who, "pm_card_visa", "k")
		slow <- result{pi, err}
	}()
	w.WaitHeld(1)
	_, err := w.charge(who, "pm_card_visa", "k")
	if e := stripeError(t, err); e.HTTPStatusCode != 409 || e.Code != stripe.ErrorCodeIdempotencyKeyInUse {
		t.Errorf("%+v", e)
	}
	ok(w.charge(who, "pm_card_visa", "other"))(t) // which nothing holds up
	w.Release()
	first := <-slow
	if first.err != nil {
		t.Fatal(first.err)
	}
	if again := ok(w.charge(who, "pm_card_visa", "k"))(t); again.ID != first.pi.ID {
		t.Error("not replayed")
	}
}

func TestFaults(t *testing.T) {
	for _, tc := range []struct {
		kind     stripefake.FaultKind
		status   int // of the first try; 0: no answer
		code     stripe.ErrorCode
		executed bool
		retried  int // status of the second try with the same key
	}{
		{stripefake.RateLimit, 429, stripe.ErrorCodeRateLimit, false, 200},
		{stripefake.LockTimeout, 429, stripe.ErrorCodeLockTimeout, false, 200},
		{stripefake.ErrorBefore, 500, "", false, 200},
		{stripefake.ErrorAfter, 500, "", true, 500},
		{stripefake.ResetBefore, 0, "", false, 200},
		{stripefake.ResetAfter, 0, "", true, 200},
	} {
		t.Run(string(tc.kind), func(t *testing.T) {
			w := newWorld(t, stripefake.Options{})
			who := w.customer().ID
			w.Fail(stripefake.Fault{Kind: tc.kind, Path: "/v1/payment_intents"})
			w.customer() // is not what the fault waits for
			_, err := w.charge(who, "pm_card_visa", "k")
			var e *stripe.Error
			if got := errors.As(err, &e); got != (tc.status != 0) || (got && (e.HTTPStatusCode != tc.status || e.Code != tc.code)) || err == nil {
				t.Fatalf("got %v", err)
			}
			if n := w.intents(); (n == 1) != tc.executed {
				t.Errorf("%d payment intents", n)
			}
			status := 200
			if _, err = w.charge(who, "pm_card_visa", "k"); err != nil {
				status = stripeError(t, err).HTTPStatusCode
			}
			want := 1 // charged once, whatever happened
			if n := w.intents(); status != tc.retried || n != want {
				t.Errorf("the retry got %d; %d payment intents", status, n)
			}
		})
	}
}

// TestRetriesChargeOnce: whatever befalls a request, to send it again with its
// key until there is an answer charges once.
func TestRetriesChargeOnce(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t, stripefake.Options{Seed: rapid.Uint64().Draw(rt, "seed")})
		who := w.customer().ID
		w.FailRandomly(rapid.IntRange(0, 700).Draw(rt, "thousandths"), stripefake.RateLimit, stripefake.LockTimeout,
			stripefake.ErrorBefore, stripefake.ErrorAfter, stripefake.ResetBefore, stripefake.ResetAfter)
		for n := range 3 {
			key := "k" + string(rune('0'+n))
			for range 100 {
				_, err := w.charge(who, "pm_card_visa", key)
				var e *stripe.Error
				replayed := errors.As(err, &e) && e.HTTPStatusCode == 500 && e.LastResponse.Header.Get("Idempotent-Replayed") != ""
				if err == nil || replayed {
					break
				}
			}
		}
		w.FailRandomly(0)
		if n := w.intents(); n != 3 {
			rt.Fatalf("%d payments for 3 keys", n)
		}
	})
}
