package notify_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/notify"
	"github.com/seed42445051/scrip/store"
	v1 "github.com/seed42445051/scrip/v1"
)

func TestAnEventIsDelivered(t *testing.T) {
	w := newWorld(t)
	w.dispatch()
	to, other := newReceiver(t, func(_ int, _ *request, w http.ResponseWriter) { w.Write([]byte("thanks")) }), newReceiver(t, nil)
	e := w.endpoint(to.url+"/hook", func(r *v1.CreateWebhookEndpoint) {
		r.Headers = map[string]string{"X-Team": "billing", "User-Agent": "shop"}
	})
	second := w.endpoint(other.url)
	w.grant("alice", "100")
	entry := w.deduct("alice", "2.50")
	w.delivered(e.ID, 2)
	w.delivered(second.ID, 2)

	all := to.all()
	i := slices.IndexFunc(all, func(r request) bool { return r.event.Type == "credit.deducted" })
	got := all[i]
	var data v1.WebhookEntry
	w.must(json.Unmarshal(got.event.Data, &data))
	if diff := cmp.Diff(v1.WebhookEntry{Entry: entry, CreditName: "api", Unit: "call"}, data); diff != "" {
		t.Errorf("data (-want +got):\n%s", diff)
	}
	if got.event.AppID != w.app || got.event.Mode != "live" || got.event.Timestamp != begin || got.event.ID != got.header.Get("webhook-id") {
		t.Errorf("envelope %+v", got.event)
	}
	if !verified(t, got, e.Secret) || verified(t, got, second.Secret) {
		t.Error("the signature is not the endpoint's")
	}
	if got.header.Get("webhook-timestamp") != fmt.Sprint(begin.Time().Unix()) || got.header.Get("X-Team") != "billing" ||
		got.header.Get("User-Agent") != "shop" || got.header.Get("Content-Type") != "application/json" {
		t.Errorf("headers %v", got.header)
	}
	if all[0].event.ID == all[1].event.ID || !slices.ContainsFunc(other.all(), func(r request) bool { return r.event.ID == got.event.ID }) {
		t.Error("an event has one id for all its endpoints, and two events have two")
	}
	list := w.deliveries(e.ID, v1.WebhookDeliveryQuery{Type: "credit.deducted"})
	want := v1.WebhookDelivery{
		ID: list[0].ID, EndpointID: e.ID, MessageID: got.event.ID, Type: "credit.deducted", EntryID: entry.ID, Status: "delivered", Tries: 1,
		CreatedAt: begin, FinishedAt: begin, Attempts: []v1.WebhookAttempt{{At: begin, Succeeded: true, StatusCode: 200, Response: "thanks"}},
	}
	if diff := cmp.Diff([]v1.WebhookDelivery{want}, list); diff != "" {
		t.Errorf("delivery (-want +got):\n%s", diff)
	}
}

// Every attempt is made at the very instant that the schedule says, and at no other.
func TestAttemptsKeepTheSchedule(t *testing.T) {
	w := newWorld(t)
	w.dispatch()
	failing, good := newReceiver(t, status(500)), newReceiver(t, nil)
	e, control := w.endpoint(failing.url, only("credit.added")), w.endpoint(good.url, only("credit.deducted"))
	w.grant("alice", "1000")
	due := begin
	want := []v1.WebhookAttempt{{At: due, StatusCode: 500}}
	seen := 0
	for i, pause := range notify.Schedule() {
		due = due.Add(pause)
		want = append(want, v1.WebhookAttempt{At: due, StatusCode: 500})
		if pause == 0 {
			continue
		}
		d := w.tried(e.ID, i+1)
		if d.NextAt != due || d.Status != "pending" {
			t.Fatalf("after %d attempts the next is at %s, want %s", i+1, d.NextAt, due)
		}
		// Just before it is due another endpoint is served, and this one is left alone.
		w.clock.Advance(pause - time.Microsecond)
		w.deduct("alice", "1")
		seen++
		w.delivered(control.ID, seen)
		if n := failing.count(); n != i+1 {
			t.Fatalf("%d attempts before the next one is due, want %d", n, i+1)
		}
		w.clock.Advance(time.Microsecond)
	}
	d := w.tried(e.ID, len(want))
	if d.Status != "failed" || d.FinishedAt != due || !d.NextAt.IsZero() {
		t.Errorf("given up: %+v", d)
	}
	if diff := cmp.Diff(want, d.Attempts); diff != "" {
		t.Errorf("attempts (-want +got):\n%s", diff)
	}
	ids := map[string]bool{}
	for _, r := range failing.all() {
		ids[r.header.Get("webhook-id")] = true
	}
	if len(ids) != 1 {
		t.Errorf("%d ids for one event", len(ids))
	}
	w.clock.Advance(1000 * time.Hour)
	w.deduct("alice", "1")
	w.delivered(control.ID, seen+1)
	if n := failing.count(); n != len(want) {
		t.Errorf("%d attempts, want %d", n, len(want))
	}
}

func TestAnswers(t *testing.T) {
	for code, want := range map[int]bool{200: true, 202: true, 204: true, 299: true, 301: false, 400: false, 404: false, 410: false, 503: false} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			w := newWorld(t)
			w.dispatch()
			elsewhere := newReceiver(t, nil)
			to := newReceiver(t, func(_ int, _ *request, w http.ResponseWriter) {
				w.Header().Set("Location", elsewhere.url)
				w.WriteHeader(code)
			})
			e := w.endpoint(to.url)
			w.grant("alice", "100")
			tries := 2 // the second is made at once
			if want {
				tries = 1
			}
			d := w.tried(e.ID, tries)
			if (d.Status == "delivered") != want || d.Attempts[0].StatusCode != code || d.Attempts[0].Succeeded != want {
				t.Errorf("%+v", d)
			}
			if elsewhere.count() != 0 {
				t.Error("a redirect was followed")
			}
			if got, err := w.hooks().GetWebhookEndpoint(w.ctx, e.ID); err != nil || got.Disabled {
				t.Errorf("an answer has disabled the endpoint: %+v, %v", got, err)
			}
		})
	}
}

func TestTimeout(t *testing.T) {
	w := newWorld(t)
	w.dispatch()
	to := newReceiver(t, hang)
	e := w.endpoint(to.url)
	w.grant("alice", "100")
	w.eventually("the request", func() bool { return to.count() == 1 })
	w.clock.Advance(notify.Timeout)
	w.eventually("the attempt", func() bool { return w.only(e.ID).Tries == 1 })
	a := w.only(e.ID).Attempts[0]
	if a.Succeeded || a.Error != "no answer within 15s" || a.DurationMS != notify.Timeout.Milliseconds() {
		t.Errorf("%+v", a)
	}
}

func TestAnswersAreCut(t *testing.T) {
	w := newWorld(t)
	w.dispatch()
	to := newReceiver(t, func(n int, _ *request, w http.ResponseWriter) {
		text := "ä\x00\xff" + strings.Repeat("x", 2*notify.MaxResponse)
		if n == 1 {
			text = strings.Repeat("y", notify.MaxResponse)
		}
		w.WriteHeader(500)
		w.Write([]byte(text))
	})
	e := w.endpoint(to.url)
	w.grant("alice", "100")
	log := w.tried(e.ID, 2).Attempts
	if log[0].Response != strings.Repeat("y", notify.MaxResponse) {
		t.Errorf("an answer of the most that is kept: %d bytes", len(log[0].Response))
	}
	if len(log[1].Response) > notify.MaxResponse || !strings.HasPrefix(log[1].Response, "ä\uFFFD\uFFFDxxx") {
		t.Errorf("a longer one: %d bytes, %q", len(log[1].Response), log[1].Response[:20])
	}
}

func TestSecretRotation(t *testing.T) {
	w := newWorld(t)
	w.dispatch()
	to := newReceiver(t, nil)
	e := w.endpoint(to.url)
	rotated, err := w.hooks().RotateWebhookSecret(w.ctx, e.ID)
	w.must(err)
	if rotated.Previous != e.Secret || rotated.Secret == e.Secret || rotated.PreviousUntil != begin.Add(24*time.Hour) {
		t.Fatalf("%+v", rotated)
	}
	send := func(n int) request {
		w.grant("alice", "1")
		w.delivered(e.ID, n)
		return to.all()[n-1]
	}
	both := send(1)
	if !verified(t, both, e.Secret) || !verified(t, both, rotated.Secret) || len(strings.Fields(both.header.Get("webhook-signature"))) != 2 {
		t.Error("during the overlap both secrets sign")
	}
	w.clock.Advance(24*time.Hour - time.Microsecond)
	if last := send(2); !verified(t, last, e.Secret) {
		t.Error("the old secret has ended too soon")
	}
	w.clock.Advance(time.Microsecond)
	after := send(3)
	if verified(t, after, e.Secret) || !verified(t, after, rotated.Secret) {
		t.Error("after the overlap only the new secret signs")
	}
	if s, err := w.hooks().GetWebhookSecret(w.ctx, e.ID); err != nil || s != (v1.WebhookSecret{Secret: rotated.Secret}) {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestWhoHearsOfWhat(t *testing.T) {
	w := newWorld(t)
	to := newReceiver(t, nil)
	everything, some := w.endpoint(to.url), w.endpoint(to.url, only("credit.deducted", "credit.balance_low"))
	off := w.endpoint(to.url, func(r *v1.CreateWebhookEndpoint) { r.Disabled = true })
	gone := w.endpoint(to.url)
	_, err := w.hooks().ArchiveWebhookEndpoint(w.ctx, gone.ID)
	w.must(err)
	inTest := w.service.As(v1.Caller{App: w.app, Mode: catalog.Test})
	tests, err := inTest.CreateWebhookEndpoint(w.ctx, v1.CreateWebhookEndpoint{URL: to.url})
	w.must(err)
	_, err = w.as(catalog.Test).Grant(w.ctx, v1.GrantRequest{CustomerID: "alice", CreditID: "api", Amount: "5"})
	w.must(err)
	w.grant("alice", "100")
	w.deduct("alice", "95")

	types := func(s *notify.Session, endpoint string) (all []string) {
		page, err := s.ListWebhookDeliveries(w.ctx, endpoint, v1.WebhookDeliveryQuery{})
		w.must(err)
		for _, d := range page.Data {
			all = append(all, d.Type)
		}
		slices.Sort(all)
		return all
	}
	for name, c := range map[string]struct {
		session  *notify.Session
		endpoint string
		want     []string
	}{
		"all":      {w.hooks(), everything.ID, []string{"credit.added", "credit.balance_low", "credit.deducted"}},
		"a filter": {w.hooks(), some.ID, []string{"credit.balance_low", "credit.deducted"}},
		"disabled": {w.hooks(), off.ID, nil},
		"archived": {w.hooks(), gone.ID, nil},
		"test":     {inTest, tests.ID, []string{"credit.added"}},
	} {
		if diff := cmp.Diff(c.want, types(c.session, c.endpoint)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	for _, endpoint := range []string{everything.ID, tests.ID} {
		session := inTest
		if endpoint == tests.ID {
			session = w.hooks()
		}
		if _, err := session.GetWebhookEndpoint(w.ctx, endpoint); err == nil {
			t.Error("an endpoint of the other mode can be read")
		}
	}
	// A disabled endpoint's pending deliveries wait; they go on when it is enabled again.
	yes, no := true, false
	_, err = w.hooks().UpdateWebhookEndpoint(w.ctx, everything.ID, v1.UpdateWebhookEndpoint{Disabled: &yes})
	w.must(err)
	w.dispatch()
	w.delivered(some.ID, 2)
	if list := w.deliveries(everything.ID, v1.WebhookDeliveryQuery{Status: "pending"}); len(list) != 3 {
		t.Errorf("%d are pending, want 3", len(list))
	}
	_, err = w.hooks().UpdateWebhookEndpoint(w.ctx, everything.ID, v1.UpdateWebhookEndpoint{Disabled: &no})
	w.must(err)
	w.clock.Advance(notify.PollEvery)
	w.delivered(everything.ID, 3)
	for _, r := range to.all() {
		if r.event.Mode == "test" && verified(t, r, everything.Secret) {
			t.Error("a live endpoint was told of a test")
		}
	}
}

func TestOneThatHangsSlowsNobodyElse(t *testing.T) {
	w := newWorld(t)
	w.dispatch()
	slow, fast := newReceiver(t, hang), newReceiver(t, nil)
	w.endpoint(slow.url)
	e := w.endpoint(fast.url)
	const events = 3 * notify.Ahead
	for i := range events {
		w.grant(fmt.Sprint("c", i%7), "1")
	}
	w.delivered(e.ID, events) // while the clock stands still, the other one hangs
	w.eventually("a request to the one that hangs", func() bool { return slow.count() > 0 })
	if n := slow.count(); n > notify.InFlight {
		t.Errorf("%d requests under way to the one that hangs, want at most %d", n, notify.InFlight)
	}
}

// What has piled up is sent without anybody being told again, and in an order nobody waits for a
// customer with whom it hangs.
func TestBacklog(t *testing.T) {
	for name, edit := range map[string]func(*v1.CreateWebhookEndpoint){"plain": only(), "ordered": ordered} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			to := newReceiver(t, func(n int, r *request, rw http.ResponseWriter) {
				if strings.Contains(string(r.body), `"customer_id":"stuck"`) {
					hang(n, r, rw)
				}
			})
			e := w.endpoint(to.url, edit)
			const others = 3 * notify.Ahead
			if name == "ordered" {
				for range 2 * notify.Ahead {
					w.grant("stuck", "1")
				}
			}
			for i := range others {
				w.grant(fmt.Sprint("c", i%5), "1")
			}
			w.dispatch()
			w.delivered(e.ID, others)
		})
	}
}

func TestOrder(t *testing.T) {
	w := newWorld(t)
	var mu sync.Mutex
	broken := true
	to := newReceiver(t, func(_ int, r *request, w http.ResponseWriter) {
		var data v1.WebhookEntry
		_ = json.Unmarshal(r.event.Data, &data)
		mu.Lock()
		defer mu.Unlock()
		if broken && data.CustomerID == "a" && data.Sequence == 3 {
			w.WriteHeader(500)
		}
	})
	e := w.endpoint(to.url, ordered)
	const each = 2 * store.MaxRun
	for range each {
		for _, customer := range []string{"a", "b", "c"} {
			w.grant(customer, "1")
		}
	}
	w.dispatch()
	w.delivered(e.ID, 2*each+2) // all but a's from the third on
	waiting := w.deliveries(e.ID, v1.WebhookDeliveryQuery{Status: "pending", Limit: 500})
	w.eventually("the second attempt", func() bool {
		waiting = w.deliveries(e.ID, v1.WebhookDeliveryQuery{Status: "pending", Limit: 500})
		return waiting[0].Tries == 2
	})
	if head, next := waiting[0], waiting[1]; head.NextAt != begin.Add(notify.Schedule()[1]) || next.NextAt != head.NextAt || next.Tries != 0 {
		t.Errorf("behind %+v stands %+v", head, next)
	}
	mu.Lock()
	broken = false
	mu.Unlock()
	w.grant("a", "1")
	w.grant("b", "1")
	w.delivered(e.ID, 2*each+3)
	w.clock.Advance(notify.Schedule()[1])
	w.delivered(e.ID, 3*each+2)

	last := map[string]int64{}
	for _, r := range to.all() {
		var data v1.WebhookEntry
		w.must(json.Unmarshal(r.event.Data, &data))
		if data.Sequence != last[data.CustomerID]+1 && data.Sequence != last[data.CustomerID] {
			t.Fatalf("%s: %d after %d", data.CustomerID, data.Sequence, last[data.CustomerID])
		}
		last[data.CustomerID] = data.Sequence
	}
	if diff := cmp.Diff(map[string]int64{"a": each + 1, "b": each + 1, "c": each}, last); diff != "" {
		t.Error(diff)
	}
}

// A dispatcher that was killed leaves its leases behind; another one takes over when they end.
func TestLeasesOfTheKilled(t *testing.T) {
	w := newWorld(t)
	to := newReceiver(t, nil)
	e := w.endpoint(to.url)
	w.grant("alice", "1")
	_, err := w.store.Lease(w.ctx, store.LeaseQuery{Endpoint: e.ID, Now: begin, Until: begin.Add(notify.LeaseFor), Limit: 10})
	w.must(err)
	w.grant("bob", "1")
	w.dispatch()
	w.delivered(e.ID, 1)
	w.clock.Advance(notify.LeaseFor - time.Microsecond)
	w.grant("carol", "1")
	w.delivered(e.ID, 2)
	w.clock.Advance(time.Microsecond)
	w.delivered(e.ID, 3)
	if to.count() != 3 {
		t.Errorf("%d requests, want 3", to.count())
	}
}

// Close waits for what is under way, and leaves the rest to others at once.
func TestClose(t *testing.T) {
	w := newWorld(t)
	release := make(chan struct{})
	to := newReceiver(t, func(int, *request, http.ResponseWriter) { <-release })
	e := w.endpoint(to.url)
	const events = 2 * notify.InFlight
	for i := range events {
		w.grant(fmt.Sprint("c", i), "1")
	}
	d := w.dispatch()
	w.eventually("requests", func() bool { return to.count() == notify.InFlight })
	closed := make(chan error)
	go func() { closed <- d.Close(w.ctx) }()
	close(release)
	w.must(<-closed)
	w.delivered(e.ID, to.count()) // those that had begun: it may have closed a little later
	second := w.startServer()
	w.dispatchFrom(second)
	w.delivered(e.ID, events)
	if to.count() != events {
		t.Errorf("%d requests, want %d", to.count(), events)
	}
}

// When there is no time to wait, requests are cut off, and made again by others.
func TestCloseInHaste(t *testing.T) {
	w := newWorld(t)
	to := newReceiver(t, func(n int, r *request, rw http.ResponseWriter) {
		if n == 1 {
			hang(n, r, rw)
		}
	})
	e := w.endpoint(to.url)
	w.grant("alice", "1")
	d := w.dispatch()
	w.eventually("the request", func() bool { return to.count() == 1 })
	ctx, cancel := context.WithCancel(w.ctx)
	cancel()
	if err := d.Close(ctx); err == nil {
		t.Error("the requests that were cut off are not told of")
	}
	if got := w.only(e.ID); got.Status != "pending" || got.Tries != 0 || len(got.Attempts) != 0 || got.NextAt != begin {
		t.Errorf("%+v", got)
	}
	w.dispatchFrom(w.startServer())
	w.delivered(e.ID, 1)
}

func TestRedelivery(t *testing.T) {
	w := newWorld(t)
	w.dispatch()
	to := newReceiver(t, func(_ int, r *request, w http.ResponseWriter) {
		if r.event.Type == "credit.added" {
			w.WriteHeader(500)
		}
	})
	e := w.endpoint(to.url)
	w.grant("alice", "100")
	w.eventually("attempts", func() bool { return to.count() == 2 })
	for i, pause := range notify.Schedule()[1:] {
		w.tried(e.ID, i+2)
		w.clock.Advance(pause)
	}
	failed := w.tried(e.ID, 9)
	later := w.clock.Now()
	w.deduct("alice", "1")
	w.delivered(e.ID, 1)

	again, err := w.hooks().RedeliverWebhook(w.ctx, failed.ID)
	w.must(err)
	if again.Status != "pending" || again.Tries != 0 || len(again.Attempts) != 9 {
		t.Errorf("%+v", again)
	}
	w.eventually("two attempts at once", func() bool { return to.count() == 9+1+2 })
	w.eventually("their results", func() bool {
		d, err := w.hooks().GetWebhookDelivery(w.ctx, failed.ID)
		w.must(err)
		return d.Tries == 2 && len(d.Attempts) == 11
	})
	count := func(r v1.RedeliverWebhooks) int64 {
		t.Helper()
		n, err := w.hooks().RedeliverWebhooks(w.ctx, e.ID, r)
		w.must(err)
		return n.Count
	}
	if n := count(v1.RedeliverWebhooks{From: begin, To: later}); n != 0 { // it is pending
		t.Errorf("%d, want 0", n)
	}
	if n := count(v1.RedeliverWebhooks{From: later, FailedOnly: true}); n != 0 {
		t.Errorf("%d failed ones, want 0", n)
	}
	if n := count(v1.RedeliverWebhooks{From: later}); n != 1 {
		t.Errorf("%d, want 1", n)
	}
	w.eventually("the one that was delivered", func() bool { return to.count() == 9+1+2+1 })
	last := to.all()[to.count()-1]
	if first := to.all()[9]; last.event.ID != first.event.ID || string(last.body) != string(first.body) {
		t.Error("what is sent again is another event")
	}
	// Under an idempotency key it is sent again once.
	w.delivered(e.ID, 1)
	key := v1.IdempotencyKey("again")
	delivered := w.deliveries(e.ID, v1.WebhookDeliveryQuery{Status: "delivered"})[0]
	for range 2 {
		_, err := w.hooks().RedeliverWebhook(w.ctx, delivered.ID, key)
		w.must(err)
		w.delivered(e.ID, 1)
	}
	if n := to.count(); n != 14 {
		t.Errorf("%d requests, want 14", n)
	}
}

func TestTheLogIsBounded(t *testing.T) {
	w := newWorld(t)
	w.dispatch()
	to := newReceiver(t, nil)
	e := w.endpoint(to.url)
	w.grant("alice", "100")
	w.delivered(e.ID, 1)
	for i := range store.MaxLog {
		w.clock.Advance(time.Minute)
		_, err := w.hooks().RedeliverWebhook(w.ctx, w.only(e.ID).ID)
		w.must(err)
		w.eventually("the attempt", func() bool { return w.only(e.ID).Status == "delivered" && to.count() == i+2 })
		if n := len(w.only(e.ID).Attempts); n != min(i+2, store.MaxLog) {
			t.Fatalf("%d attempts are kept of %d", n, i+2)
		}
	}
	if first := w.only(e.ID).Attempts[0].At; first != begin.Add(time.Minute) {
		t.Errorf("the oldest attempt is of %s", first)
	}
}

func TestRate(t *testing.T) {
	w := newWorld(t)
	w.dispatch()
	to := newReceiver(t, nil)
	e := w.endpoint(to.url, func(r *v1.CreateWebhookEndpoint) { r.RateLimit = 2 })
	for i := range 4 {
		w.grant(fmt.Sprint("c", i), "1")
	}
	for n := 1; n <= 4; n++ {
		w.delivered(e.ID, n)
		if to.count() != n {
			t.Fatalf("%d requests, want %d", to.count(), n)
		}
		w.clock.Advance(time.Second / 2)
	}
}

func TestTestEvent(t *testing.T) {
	w := newWorld(t)
	to := newReceiver(t, func(n int, _ *request, w http.ResponseWriter) {
		if n > 1 {
			w.WriteHeader(404)
		}
		w.Write([]byte("hello"))
	})
	e := w.endpoint(to.url, only("credit.added"), func(r *v1.CreateWebhookEndpoint) { r.Disabled = true })
	for _, want := range []v1.WebhookAttempt{
		{At: begin, Succeeded: true, StatusCode: 200, Response: "hello"}, {At: begin, StatusCode: 404, Response: "hello"},
	} {
		got, err := w.hooks().TestWebhookEndpoint(w.ctx, e.ID)
		if err != nil || got != want {
			t.Errorf("%+v, %v; want %+v", got, err, want)
		}
	}
	r := to.all()[0]
	if r.event.Type != "endpoint.test" || r.event.Mode != "live" || !verified(t, r, e.Secret) || string(r.event.Data) != `{"endpoint_id":"`+e.ID+`"}` {
		t.Errorf("%s", r.body)
	}
	if list := w.deliveries(e.ID, v1.WebhookDeliveryQuery{}); len(list) != 0 {
		t.Errorf("a test is listed: %+v", list)
	}
}

// Two servers on one PostgreSQL: every event arrives, and nothing is sent twice while both are
// well.
func TestTwoDispatchers(t *testing.T) {
	w := newPostgresWorld(t)
	to := newReceiver(t, nil)
	plain, inOrder := w.endpoint(to.url), w.endpoint(to.url, ordered)
	second := w.startServer()
	w.dispatch()
	w.dispatchFrom(second)
	const events = 240
	var wg sync.WaitGroup
	for _, s := range []*server{w.server, second} {
		for part := range 4 {
			wg.Go(func() {
				for i := range events / 8 {
					_, err := s.core.As(w.caller()).Grant(w.ctx, v1.GrantRequest{CustomerID: fmt.Sprint("c", (part+i)%5), CreditID: "api", Amount: "1"})
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	wg.Wait()
	w.delivered(plain.ID, events)
	w.delivered(inOrder.ID, events)
	seen := map[string]int{}
	last := map[string]int64{}
	for _, r := range to.all() {
		var data v1.WebhookEntry
		w.must(json.Unmarshal(r.event.Data, &data))
		if verified(t, r, inOrder.Secret) {
			if data.Sequence != last[data.CustomerID]+1 {
				t.Errorf("%s: %d after %d", data.CustomerID, data.Sequence, last[data.CustomerID])
			}
			last[data.CustomerID] = data.Sequence
		}
		seen[r.event.ID]++
	}
	if len(seen) != events || to.count() != 2*events {
		t.Errorf("%d events in %d requests, want %d in %d", len(seen), to.count(), events, 2*events)
	}
}

// Whatever a name resolves to, what is dialled is looked at.
func TestPrivateAddressesAreRefused(t *testing.T) {
	w := newWorld(t, func(o *notify.Options) { o.Allow = notify.PublicOnly })
	w.dispatch()
	to := newReceiver(t, nil)
	for _, url := range []string{to.url, strings.Replace(to.url, "127.0.0.1", "localhost", 1), strings.Replace(to.url, "127.0.0.1", "[::ffff:127.0.0.1]", 1)} {
		e := w.endpoint(url)
		made, err := w.hooks().TestWebhookEndpoint(w.ctx, e.ID)
		w.must(err)
		if made.Succeeded || !strings.Contains(made.Error, "not a public address") {
			t.Errorf("%s: %+v", url, made)
		}
		w.grant("alice", "1")
		w.tried(e.ID, 2)
		yes := true
		_, err = w.hooks().UpdateWebhookEndpoint(w.ctx, e.ID, v1.UpdateWebhookEndpoint{Disabled: &yes})
		w.must(err)
	}
	if to.count() != 0 {
		t.Error("a private address was reached")
	}
}

// Those who stand behind a delivery that failed are told to be due when it is.
func TestWhoWaitsIsDueWithTheHead(t *testing.T) {
	w := newWorld(t)
	to := newReceiver(t, status(500))
	e := w.endpoint(to.url, ordered)
	for range 3 {
		w.grant("alice", "1")
	}
	w.dispatch()
	line := w.deliveries(e.ID, v1.WebhookDeliveryQuery{})
	w.eventually("two attempts", func() bool {
		line = w.deliveries(e.ID, v1.WebhookDeliveryQuery{})
		return line[0].Tries == 2
	})
	for _, d := range line {
		if due := begin.Add(notify.Schedule()[1]); d.NextAt != due {
			t.Errorf("due at %s, want %s: %+v", d.NextAt, due, d)
		}
	}
}

// What is old is deleted, bit by bit, and what is still to be sent is not, whatever its age.
func TestOldDeliveriesAreDeleted(t *testing.T) {
	const keep = 48 * time.Hour
	w := newWorld(t, func(o *notify.Options) { o.Keep = keep })
	to := newReceiver(t, nil)
	e := w.endpoint(to.url)
	off := w.endpoint(to.url)
	const events = 2*notify.PruneBatch + 10
	for i := range events {
		w.grant(fmt.Sprint("c", i), "1")
	}
	yes := true
	_, err := w.hooks().UpdateWebhookEndpoint(w.ctx, off.ID, v1.UpdateWebhookEndpoint{Disabled: &yes})
	w.must(err)
	w.dispatch()
	left := func(endpoint string) int {
		list, err := w.store.ListDeliveries(w.ctx, store.DeliveryQuery{Endpoint: endpoint})
		w.must(err)
		return len(list)
	}
	w.eventually("all deliveries", func() bool {
		backlog, err := w.service.Backlog(w.ctx)
		w.must(err)
		return backlog.Pending == 0
	})
	w.clock.Advance(keep - time.Hour)
	w.grant("late", "1")
	w.clock.Advance(time.Hour + time.Second)
	w.eventually("all to be deleted", func() bool {
		w.clock.Advance(time.Second) // a pause between batches, and now and then between rounds
		return w.service.Stats().Pruned.Load() >= events
	})
	for range 3 {
		w.clock.BlockUntil(2) // it waits for the next round, and watch for what is due
		w.clock.Advance(notify.PruneEvery)
	}
	if n := w.service.Stats().Pruned.Load(); n != events {
		t.Errorf("%d were deleted, of %d that are old", n, events)
	}
	if got := left(e.ID); got != 1 {
		t.Errorf("%d are left, want the one that came later", got)
	}
	if left(off.ID) == 0 {
		t.Error("what waits for a disabled endpoint was deleted")
	}
}
