package stripefake_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v85"
	"github.com/stripe/stripe-go/v85/webhook"
	"pgregory.net/rapid"

	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/payments/stripefake"
)

func TestDeliveryIsSigned(t *testing.T) {
	w := newWorld(t, stripefake.Options{})
	w.customer()
	w.inbox.set(http.StatusOK, "whsec_wrong")
	attempts := ok(w.Deliver(w.ctx))(t)
	if len(attempts) != 1 || attempts[0].Status != 400 || attempts[0].Number != 1 || attempts[0].Next != w.Now().Add(5*time.Minute) {
		t.Fatalf("%+v", attempts)
	}
	w.inbox.set(http.StatusOK, secret)
	w.wantTypes() // is not due yet
	w.Advance(5 * time.Minute)
	w.wantTypes("customer.created")
	first, second := w.inbox.headers[0], w.inbox.headers[1]
	if first == second || !strings.HasPrefix(first, "t=1767225600,v1=") || !strings.HasPrefix(second, "t=1767225900,v1=") {
		t.Errorf("each attempt has its own time: %s, %s", first, second)
	}
}

func TestSecretRolls(t *testing.T) {
	w := newWorld(t, stripefake.Options{})
	w.must(w.RollSecret(w.inbox.url, "whsec_second", 24*time.Hour))
	if w.RollSecret("http://localhost/other", "x", 0) == nil {
		t.Error("an unknown endpoint was given a secret")
	}
	for _, known := range []string{secret, "whsec_second"} { // both sign for a day
		w.inbox.set(http.StatusOK, known)
		w.customer()
		w.wantTypes("customer.created")
	}
	if n := strings.Count(w.inbox.headers[0], "v1="); n != 2 {
		t.Errorf("%d signatures", n)
	}
	w.Advance(24 * time.Hour)
	w.customer()
	w.wantTypes("customer.created")
	w.inbox.set(http.StatusOK, secret)
	w.customer()
	w.wantTypes()
}

// TestSignForTheLibrary: what Sign makes is what the vendor's library takes now.
func TestSignForTheLibrary(t *testing.T) {
	body := []byte(`{"object":"event","api_version":"` + stripe.APIVersion + `"}`)
	header := stripefake.Sign(body, clock.System{}.Now(), "whsec_other", secret)
	if _, err := webhook.ConstructEvent(body, header, secret); err != nil {
		t.Error(err)
	}
	if _, err := webhook.ConstructEvent(body, header, "whsec_wrong"); err == nil {
		t.Error("a wrong secret was taken")
	}
	if stripefake.DefaultAPIVersion != stripe.APIVersion {
		t.Errorf("the default version is %s, the library's %s", stripefake.DefaultAPIVersion, stripe.APIVersion)
	}
}

func TestEventEnvelope(t *testing.T) {
	w := newWorld(t, stripefake.Options{APIVersion: "2024-06-20"})
	p := &stripe.CustomerCreateParams{}
	p.SetIdempotencyKey("k1")
	who := ok(w.V1Customers.Create(w.ctx, p))(t)
	w.SetAPIVersion("2030-01-01.future")
	s := w.session()
	w.must(w.Expire(s.ID))
	events := w.delivered()
	byAPI, byControl := events[0], events[1]
	if byAPI.APIVersion != "2024-06-20" || byAPI.Request.IdempotencyKey != "k1" || byAPI.Request.ID != who.LastResponse.RequestID ||
		byAPI.Livemode || byAPI.PendingWebhooks != 1 || byAPI.Created != who.Created {
		t.Errorf("%+v", byAPI)
	}
	if byControl.APIVersion != "2030-01-01.future" || byControl.Request != nil {
		t.Errorf("%+v", byControl)
	}
	if same := ok(w.V1Events.Retrieve(w.ctx, byAPI.ID, nil))(t); same.Type != "customer.created" || same.Data.Object["id"] != who.ID {
		t.Errorf("%+v", same)
	}
}

// TestRetriesForThreeDays: an endpoint that is down sees each event until three
// days are over, at times of the fake's clock.
func TestRetriesForThreeDays(t *testing.T) {
	w := newWorld(t, stripefake.Options{})
	w.customer()
	w.inbox.set(http.StatusInternalServerError, secret)
	begin := w.Now()
	attempts := ok(w.Run(w.ctx, 10*24*time.Hour))(t)
	last := attempts[len(attempts)-1]
	if len(attempts) != 10 || last.Number != 10 || last.Next != 0 || w.Now() != begin.Add(10*24*time.Hour) {
		t.Errorf("%d attempts, the last %+v", len(attempts), last)
	}
	if before := attempts[len(attempts)-2]; before.Next.Sub(begin) > 72*time.Hour || before.Next.Sub(begin) < 60*time.Hour {
		t.Errorf("the last try was after %v", before.Next.Sub(begin))
	}
	w.customer()
	ok(w.Run(w.ctx, 2*24*time.Hour))(t)
	w.inbox.set(http.StatusOK, secret)
	ok(w.Run(w.ctx, 24*time.Hour))(t)
	if got := w.inbox.take(); len(got) != 1 {
		t.Errorf("%d events arrived after two days", len(got))
	}
}

func TestRunExpiresSessionsOnTheWay(t *testing.T) {
	w := newWorld(t, stripefake.Options{})
	s := w.session()
	ok(w.Run(w.ctx, 48*time.Hour))(t)
	events := w.inbox.take()
	if len(events) != 1 || events[0].Type != "checkout.session.expired" || events[0].Created != s.ExpiresAt {
		t.Errorf("%+v", events)
	}
}

func TestDeliveryFailures(t *testing.T) {
	w := newWorld(t, stripefake.Options{})
	redirect := httptest.NewServer(http.RedirectHandler(w.inbox.url, http.StatusTemporaryRedirect))
	defer redirect.Close()
	closed := httptest.NewServer(nil)
	closed.Close()
	w.must(w.AddEndpoint(stripefake.Endpoint{URL: redirect.URL, Secret: secret, Types: []string{"customer.created"}}))
	w.must(w.AddEndpoint(stripefake.Endpoint{URL: closed.URL, Secret: secret}))
	w.customer()
	attempts := ok(w.Deliver(w.ctx))(t)
	if len(attempts) != 3 || attempts[0].Status != 200 || attempts[1].Status != 307 || attempts[1].Next == 0 || attempts[2].Status != 0 || attempts[2].Err == nil {
		t.Errorf("%+v", attempts)
	}
	w.must(w.Expire(w.session().ID)) // a type that one of them does not want
	if n := len(ok(w.Deliver(w.ctx))(t)); n != 2 {
		t.Errorf("%d attempts", n)
	}
	w.customer()
	ended, cancel := context.WithCancel(w.ctx)
	cancel()
	if attempts, err := w.Deliver(ended); err == nil || len(attempts) != 0 {
		t.Errorf("%v, %v", attempts, err)
	}
	if n := len(ok(w.Deliver(w.ctx))(t)); n != 3 {
		t.Errorf("%d of 3 were kept", n)
	}
}

func TestPolicies(t *testing.T) {
	ids := func(events []stripe.Event) (all []string) {
		for _, e := range events {
			all = append(all, e.ID)
		}
		slices.Sort(all)
		return slices.Compact(all)
	}
	t.Run("duplicates", func(t *testing.T) {
		w := newWorld(t, stripefake.Options{})
		w.SetPolicy(stripefake.Policy{Duplicates: 2})
		w.customer()
		if got := w.delivered(); len(got) != 3 || len(ids(got)) != 1 {
			t.Errorf("%d of %d", len(got), len(ids(got)))
		}
	})
	t.Run("twins", func(t *testing.T) {
		w := newWorld(t, stripefake.Options{})
		w.SetPolicy(stripefake.Policy{Twins: 2, Duplicates: 1})
		who := w.customer()
		got := w.delivered()
		if len(got) != 6 || len(ids(got)) != 3 || got[5].Data.Object["id"] != who.ID {
			t.Errorf("%d of %d", len(got), len(ids(got)))
		}
	})
	t.Run("delay", func(t *testing.T) {
		w := newWorld(t, stripefake.Options{})
		w.SetPolicy(stripefake.Policy{Delay: time.Hour})
		w.customer()
		w.wantTypes()
		w.Advance(time.Hour)
		w.wantTypes("customer.created")
	})
	t.Run("fail first", func(t *testing.T) {
		w := newWorld(t, stripefake.Options{})
		w.SetPolicy(stripefake.Policy{FailFirst: 2})
		w.customer()
		attempts := ok(w.Run(w.ctx, 24*time.Hour))(t)
		if len(attempts) != 3 || attempts[1].Err == nil || attempts[2].Status != 200 || len(w.inbox.headers) != 1 {
			t.Errorf("%+v", attempts)
		}
	})
	t.Run("drop", func(t *testing.T) {
		w := newWorld(t, stripefake.Options{})
		w.SetPolicy(stripefake.Policy{DropThousandth: 1000})
		w.customer()
		w.wantTypes()
		if page := w.V1Events.List(w.ctx, &stripe.EventListParams{}); len(page.Data()) != 1 {
			t.Errorf("%d events are listed", len(page.Data()))
		}
	})
	t.Run("shuffle", func(t *testing.T) {
		w := newWorld(t, stripefake.Options{})
		w.SetPolicy(stripefake.Policy{Shuffle: true})
		for range 4 {
			w.must(w.Pay(w.session().ID, ""))
		}
		got, sorted := w.types(), []string{}
		for range 4 {
			sorted = append(sorted, "payment_intent.created", "charge.succeeded", "payment_intent.succeeded", "checkout.session.completed")
		}
		if slices.Equal(got, sorted) || len(got) != len(sorted) {
			t.Errorf("%v", got)
		}
	})
}

func TestRedeliver(t *testing.T) {
	w := newWorld(t, stripefake.Options{})
	w.customer()
	first := w.delivered()[0]
	w.Advance(4 * 24 * time.Hour)
	same := ok(w.Redeliver(first.ID, false))(t)
	other := ok(w.Redeliver(first.ID, true))(t)
	got := w.delivered()
	if len(got) != 2 || got[0].ID != first.ID || same != first.ID || got[1].ID != other || other == first.ID ||
		string(got[1].Data.Raw) != string(first.Data.Raw) {
		t.Errorf("%+v", got)
	}
	if _, err := w.Redeliver("evt_no", false); err == nil {
		t.Error("an unknown event was sent")
	}
}

// TestNothingIsLost: unless it is dropped, every event arrives in the end,
// whatever the policy and however often the endpoint fails.
func TestNothingIsLost(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t, stripefake.Options{Seed: rapid.Uint64().Draw(rt, "seed")})
		policy := stripefake.Policy{
			Duplicates: rapid.IntRange(0, 2).Draw(rt, "duplicates"), Twins: rapid.IntRange(0, 2).Draw(rt, "twins"),
			Shuffle: rapid.Bool().Draw(rt, "shuffle"), FailFirst: rapid.IntRange(0, 8).Draw(rt, "fail first"),
			Delay: time.Duration(rapid.Int64Range(0, int64(5*24*time.Hour)).Draw(rt, "delay")),
		}
		w.SetPolicy(policy)
		n := rapid.IntRange(1, 5).Draw(rt, "events")
		for range n {
			w.customer()
		}
		ok(w.Run(w.ctx, 9*24*time.Hour))(t)
		if got, want := len(w.inbox.take()), n*(1+policy.Duplicates)*(1+policy.Twins); got != want {
			rt.Fatalf("%d events arrived, want %d", got, want)
		}
	})
}

// TestAutomatic: nobody calls Deliver, and a retry follows once the clock says so.
func TestAutomatic(t *testing.T) {
	w := newWorld(t, stripefake.Options{Automatic: true})
	w.customer()
	<-w.inbox.arrived
	w.SetPolicy(stripefake.Policy{Delay: time.Hour})
	w.must(w.Expire(w.session().ID))
	w.Advance(time.Hour)
	if e := <-w.inbox.arrived; e.Type != "checkout.session.expired" {
		t.Errorf("got %s", e.Type)
	}
	system := newWorld(t, stripefake.Options{Automatic: true, Clock: clock.System{}})
	system.customer()
	<-system.inbox.arrived
	system.SetPolicy(stripefake.Policy{FailFirst: 1})
	system.customer()
	system.Advance(time.Hour)
	<-system.inbox.arrived
}
