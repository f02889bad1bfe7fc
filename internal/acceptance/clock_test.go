package acceptance

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed42445051/scrip"
	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/client"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/money"
	v1 "github.com/seed42445051/scrip/v1"
)

// site is whole servers on one database, each with all that scrip.Open makes and nothing swept.
type site struct {
	t     *testing.T
	db    *database
	clock handClock
	app   string
	first *host
}

type host struct {
	*wire
	scrip *scrip.Scrip
}

func newSite(t *testing.T, kind string, opts ...scrip.Option) *site {
	s := &site{t: t, db: emptyDatabase(t, kind), clock: newClock(), app: "sandboxed"}
	s.first = s.host(opts...)
	_, err := s.as(catalog.Live).CreateCredit(t.Context(), v1.CreateCredit{Name: "credits", Unit: "credit"})
	noError(t, err)
	return s
}

// host starts one more server, as another machine would.
func (s *site) host(opts ...scrip.Option) *host {
	s.t.Helper()
	open, err := scrip.Open(s.t.Context(), append([]scrip.Option{
		scrip.DB(s.db.address), scrip.WithClock(s.clock), scrip.SweepEvery(0), scrip.WithoutWebhooks(),
	}, opts...)...)
	noError(s.t, err)
	srv := httptest.NewServer(open.Handler())
	s.t.Cleanup(func() {
		srv.Close()
		report, err := open.Verify(context.Background())
		if err != nil || len(report.Differences) > 0 {
			s.t.Errorf("verify: %v, %v", report.Differences, err)
		}
		noError(s.t, open.Close(context.Background()))
	})
	return &host{newWire(s.t, srv.URL), open}
}

func (s *site) as(mode catalog.Mode) *scrip.App {
	s.t.Helper()
	app, err := s.first.scrip.App(s.t.Context(), s.app, mode)
	noError(s.t, err)
	return app
}

// key makes a secret key of a mode.
func (s *site) key(mode catalog.Mode) string {
	s.t.Helper()
	made, err := s.as(mode).CreateKey(s.t.Context(), v1.CreateKey{Kind: "secret"})
	noError(s.t, err)
	return made.Key
}

func (h *host) advance(key string, by time.Duration) v1.TestClock {
	h.t.Helper()
	return read[v1.TestClock](h.t, h.call(key, http.MethodPost, "/v1/test-clock/advance", v1.AdvanceTestClock{BySeconds: int64(by / time.Second)}))
}

func (h *host) now(key string) v1.TestClock {
	h.t.Helper()
	return read[v1.TestClock](h.t, h.call(key, http.MethodGet, "/v1/test-clock", nil))
}

// give grants for so long; zero is for ever.
func (h *host) give(key, customer string, amount money.Decimal, ends clock.Instant) v1.Grant {
	h.t.Helper()
	r := v1.GrantRequest{CustomerID: customer, CreditID: "credits", Amount: amount}
	if !ends.IsZero() {
		r.ExpiresAt = v1.ExpiresAt(ends)
	}
	return read[v1.Grants](h.t, h.call(key, http.MethodPost, "/v1/grants", r)).Grants[0]
}

func (h *host) balance(key, customer string) v1.Balance {
	h.t.Helper()
	b := read[v1.Balances](h.t, h.call(key, http.MethodGet, "/v1/customers/"+customer+"/balances?credit_id=credits", nil))
	return b.Data[0]
}

// written is what is in the database of a customer's ledger, whoever reads it: nothing is swept here,
// so what time did is there when somebody wrote it down.
func (s *site) written(mode catalog.Mode, customer string) []v1.Entry {
	s.t.Helper()
	return entries(s.t, s.as(mode), customer)
}

func onEach(t *testing.T, test func(t *testing.T, kind string)) {
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) { test(t, kind) })
	}
}

// TestAdvance moves a test clock over the end of a hold and of a grant: when it answers both are in
// the ledger, each at its own instant, and live is where it was.
func TestAdvance(t *testing.T) {
	onEach(t, func(t *testing.T, kind string) {
		s := newSite(t, kind)
		h, test, live := s.first, s.key(catalog.Test), s.key(catalog.Live)
		for _, key := range []string{test, live} {
			h.give(key, "u", "10", begin.Add(30*24*time.Hour))
			h.give(key, "u", "5", 0)
			d := read[v1.Decision](t, h.call(key, http.MethodPost, "/v1/reserve", v1.ReserveRequest{Charge: direct("u", "credits", "12"), TTLSeconds: 3600}))
			equal(t, "allowed", d.Allowed, true)
		}
		same(t, "the clock at first", h.now(test), v1.TestClock{Mode: "test", Now: begin})
		same(t, "after an hour less a second", h.advance(test, time.Hour-time.Second), v1.TestClock{Mode: "test", Now: begin.Add(3599 * time.Second), OffsetSeconds: 3599})
		equal(t, "held", h.balance(test, "u").Held, "12")
		h.advance(test, time.Second)
		equal(t, "available once the hold has lapsed", h.balance(test, "u").Available, "15")

		to := begin.Add(40 * 24 * time.Hour)
		moved := read[v1.TestClock](t, h.call(test, http.MethodPost, "/v1/test-clock/advance", v1.AdvanceTestClock{To: to}))
		same(t, "the clock", moved, v1.TestClock{Mode: "test", Now: to, OffsetSeconds: 40 * 24 * 3600})
		same(t, "the clock as it is read", h.now(test), moved)
		equal(t, "available once the grant has ended", h.balance(test, "u").Available, "5")
		key := s.as(catalog.Test)
		ledger := entries(t, key, "u")
		equal(t, "entries", types(ledger), "credit_added credit_added hold_placed hold_released credit_expired")
		equal(t, "the hold ended", ledger[3].EffectiveAt, begin.Add(time.Hour))
		equal(t, "and was written down", ledger[3].RecordedAt, begin.Add(time.Hour))
		equal(t, "the grant ended", ledger[4].EffectiveAt, begin.Add(30*24*time.Hour))
		equal(t, "and was written down", ledger[4].RecordedAt, to)

		equal(t, "held in live", h.balance(live, "u").Held, "12")
		equal(t, "entries in live", types(s.written(catalog.Live, "u")), "credit_added credit_added hold_placed")

		// The clock goes on, and what comes now comes at its time.
		s.clock.Advance(time.Minute)
		equal(t, "a minute later", h.now(test).Now, to.Add(time.Minute))
		g := h.give(test, "u", "1", to.Add(time.Hour))
		equal(t, "created", g.CreatedAt, to.Add(time.Minute))
		events := v1.IngestRequest{Events: []v1.UsageEvent{{EventID: "e1", CustomerID: "u", EventName: "chat", Timestamp: v1.Timestamp{Instant: to}}}}
		equal(t, "an event of that time", h.call(test, http.MethodPost, "/v1/events", events).status, 200)
		h.call(live, http.MethodPost, "/v1/events", events).is(t, 400, fault.CodeInvalidTime)
		h.advance(test, time.Hour)
		equal(t, "available", h.balance(test, "u").Available, "5")

		// Who only reads sees it too, although nobody has written it down.
		now := h.now(test).Now
		h.give(test, "u", "1", now.Add(time.Minute))
		equal(t, "available while it lasts", h.balance(test, "u").Available, "6")
		s.clock.Advance(time.Minute)
		b := read[v1.Balances](t, h.call(test, http.MethodGet, "/v1/customers/u/balances", nil))
		equal(t, "available", b.Data[0].Available, "5")
		equal(t, "as of", b.At, now.Add(time.Minute))
	})
}

// TestAdvanceTwice asks again: under an idempotency key, and to the same instant.
func TestAdvanceTwice(t *testing.T) {
	onEach(t, func(t *testing.T, kind string) {
		s := newSite(t, kind)
		h, test, alice := s.first, s.key(catalog.Test), s.key("test/alice")
		by := v1.AdvanceTestClock{BySeconds: 100}
		again := func(key string, body v1.AdvanceTestClock, id string) reply {
			return h.call(key, http.MethodPost, "/v1/test-clock/advance", body, "Idempotency-Key", id)
		}
		for range 2 {
			equal(t, "offset", read[v1.TestClock](t, again(test, by, "k")).OffsetSeconds, 100)
			s.clock.Advance(time.Second)
		}
		again(test, v1.AdvanceTestClock{BySeconds: 101}, "k").is(t, 409, fault.CodeIdempotencyKeyReused)
		equal(t, "another sandbox under the same key", read[v1.TestClock](t, again(alice, v1.AdvanceTestClock{BySeconds: 7}, "k")).OffsetSeconds, 7)
		to := v1.AdvanceTestClock{To: begin.Add(time.Hour)}
		equal(t, "now", read[v1.TestClock](t, again(test, to, "to")).Now, to.To)
		s.clock.Advance(time.Second)
		equal(t, "now, one second later", read[v1.TestClock](t, h.call(test, http.MethodPost, "/v1/test-clock/advance", to)).Now, to.To.Add(time.Second))
	})
}

// TestAdvanceRefused asks for what a test clock does not do.
func TestAdvanceRefused(t *testing.T) {
	onEach(t, func(t *testing.T, kind string) {
		s := newSite(t, kind)
		h, test, live := s.first, s.key(catalog.Test), s.key(catalog.Live)
		h.advance(test, time.Hour)
		before := h.now(test)
		for name, c := range map[string]struct {
			key  string
			body any
			code fault.Code
		}{
			"back":                 {test, v1.AdvanceTestClock{To: before.Now - 1}, fault.CodeInvalidTime},
			"to real time":         {test, v1.AdvanceTestClock{To: begin}, fault.CodeInvalidTime},
			"by less than nothing": {test, `{"by_seconds":-1}`, fault.CodeInvalidRequest},
			"by nothing":           {test, `{"by_seconds":0}`, fault.CodeMissingField},
			"nowhere":              {test, `{}`, fault.CodeMissingField},
			"twice":                {test, v1.AdvanceTestClock{To: before.Now + 1, BySeconds: 1}, fault.CodeConflictingFields},
			"too far":              {test, v1.AdvanceTestClock{To: begin.Add(catalog.MaxAhead) + 1}, fault.CodeInvalidTime},
			"too far in sum":       {test, v1.AdvanceTestClock{BySeconds: int64(catalog.MaxAhead/time.Second) - 3599}, fault.CodeInvalidTime},
			"live":                 {live, v1.AdvanceTestClock{BySeconds: 1}, fault.CodeRequiresTestKey},
		} {
			t.Run(name, func(t *testing.T) {
				status := 400
				if c.key == live {
					status = 403
				}
				h.call(c.key, http.MethodPost, "/v1/test-clock/advance", c.body).is(t, status, c.code)
			})
		}
		h.call(live, http.MethodGet, "/v1/test-clock", nil).is(t, 403, fault.CodeRequiresTestKey)
		_, err := s.as(catalog.Live).AdvanceTestClock(t.Context(), v1.AdvanceTestClock{BySeconds: 1})
		wantCode(t, err, fault.CodeRequiresTestKey)
		_, err = s.as(catalog.Test).AdvanceTestClock(t.Context(), v1.AdvanceTestClock{BySeconds: -1})
		wantCode(t, err, fault.CodeInvalidTime)
		same(t, "the clock", h.now(test), before)
		h.call(test, http.MethodPost, "/v1/test-clock/advance", v1.AdvanceTestClock{To: begin.Add(catalog.MaxAhead)}).is(t, 200, "")
	})
}

// TestSandboxes has two sandboxes of one app, beside test and live: none sees what another has.
func TestSandboxes(t *testing.T) {
	onEach(t, func(t *testing.T, kind string) {
		s := newSite(t, kind)
		h := s.first
		modes := []catalog.Mode{catalog.Live, catalog.Test, "test/alice", "test/bob"}
		keys, grants, holds, deducted := map[catalog.Mode]string{}, map[catalog.Mode]string{}, map[catalog.Mode]string{}, map[catalog.Mode]string{}
		for i, mode := range modes {
			keys[mode] = s.key(mode)
			if want := "sk_" + string(mode.Base()) + "_"; !strings.HasPrefix(keys[mode], want) {
				t.Errorf("a key of %s begins with %s", mode, keys[mode][:8])
			}
			equal(t, "mode", read[v1.App](t, h.call(keys[mode], http.MethodGet, "/v1/app", nil)).Mode, string(mode))
			grants[mode] = h.give(keys[mode], "u", money.Decimal(fmt.Sprint(10*(i+1))), begin.Add(time.Hour)).ID
			holds[mode] = read[v1.Decision](t, h.call(keys[mode], http.MethodPost, "/v1/reserve", v1.ReserveRequest{Charge: direct("u", "credits", "1"), TTLSeconds: 60})).ReservationID
			deducted[mode] = read[v1.Deducted](t, h.call(keys[mode], http.MethodPost, "/v1/deduct", v1.DeductRequest{Charge: direct("u", "credits", "1")})).Entry.ID
			h.give(keys[mode], "only-"+string(mode.Base())+mode.Sandbox(), "1", 0)
		}
		for i, mode := range modes {
			equal(t, "available", h.balance(keys[mode], "u").Available, money.Decimal(fmt.Sprint(10*(i+1)-2)))
			page := read[v1.Page[v1.Customer]](t, h.call(keys[mode], http.MethodGet, "/v1/customers", nil))
			equal(t, "customers", len(page.Data), 2)
			for _, other := range modes {
				if other == mode {
					continue
				}
				h.call(keys[mode], http.MethodGet, "/v1/grants/"+grants[other], nil).is(t, 404, fault.CodeGrantNotFound)
				h.call(keys[mode], http.MethodPost, "/v1/grants/"+grants[other]+"/revoke", `{}`).is(t, 404, fault.CodeGrantNotFound)
				h.call(keys[mode], http.MethodPost, "/v1/commit", v1.CommitRequest{ReservationID: holds[other]}).is(t, 404, fault.CodeReservationNotFound)
				h.call(keys[mode], http.MethodGet, "/v1/reservations/"+holds[other], nil).is(t, 404, fault.CodeReservationNotFound)
				h.call(keys[mode], http.MethodPost, "/v1/entries/"+deducted[other]+"/reverse", `{}`).is(t, 404, fault.CodeEntryNotFound)
			}
		}
		h.advance(keys["test/alice"], 30*time.Minute)
		h.advance(keys["test/bob"], 2*time.Hour)
		for mode, ahead := range map[catalog.Mode]int64{catalog.Test: 0, "test/alice": 1800, "test/bob": 7200} {
			equal(t, "the clock of "+string(mode), h.now(keys[mode]).OffsetSeconds, ahead)
		}
		for mode, available := range map[catalog.Mode]money.Decimal{catalog.Live: "8", catalog.Test: "18", "test/alice": "29", "test/bob": "0"} {
			equal(t, "available in "+string(mode), h.balance(keys[mode], "u").Available, available)
		}
	})
}

// TestSandboxKeys has keys make keys: one of test makes those of sandboxes, and none of another's.
func TestSandboxKeys(t *testing.T) {
	onEach(t, func(t *testing.T, kind string) {
		s := newSite(t, kind)
		h := s.first
		keys := map[catalog.Mode]string{catalog.Live: s.key(catalog.Live), catalog.Test: s.key(catalog.Test), "test/alice": s.key("test/alice")}
		for _, c := range []struct {
			by   catalog.Mode
			mode string
			ok   bool
		}{
			{catalog.Test, "", true},
			{catalog.Test, "test", true},
			{catalog.Test, "test/bob", true},
			{catalog.Test, "live", false},
			{catalog.Test, "test/Bob", false},
			{catalog.Test, "test/", false},
			{catalog.Live, "test", false},
			{catalog.Live, "test/alice", false},
			{"test/alice", "", true},
			{"test/alice", "test/alice", true},
			{"test/alice", "test", false},
			{"test/alice", "test/bob", false},
			{"test/alice", "live", false},
		} {
			r := h.call(keys[c.by], http.MethodPost, "/v1/keys", v1.CreateKey{Kind: "secret", Mode: c.mode})
			if !c.ok {
				r.is(t, 400, fault.CodeInvalidRequest)
				continue
			}
			made := read[v1.Key](t, r)
			want := c.mode
			if want == "" {
				want = string(c.by)
			}
			equal(t, "mode", made.Mode, want)
			equal(t, "mode of the key", read[v1.App](t, h.call(made.Key, http.MethodGet, "/v1/app", nil)).Mode, want)
		}
		for mode, n := range map[catalog.Mode]int{catalog.Live: 1, catalog.Test: 7, "test/alice": 3} {
			page := read[v1.Page[v1.Key]](t, h.call(keys[mode], http.MethodGet, "/v1/keys", nil))
			equal(t, "keys that one of "+string(mode)+" sees", len(page.Data), n)
		}
	})
}

// TestAdvanceOnSeveralServers moves the clock at one server while another has the wallet, and its
// time, in memory.
func TestAdvanceOnSeveralServers(t *testing.T) {
	onEach(t, func(t *testing.T, kind string) {
		s := newSite(t, kind)
		one, two, key := s.first, s.host(), s.key(catalog.Test)
		for _, h := range []*host{one, two} {
			h.give(key, "u", "10", begin.Add(time.Hour))
			equal(t, "status", h.call(key, http.MethodPost, "/v1/deduct", v1.DeductRequest{Charge: direct("u", "credits", "1")}).status, 200)
		}
		one.advance(key, 59*time.Minute)
		equal(t, "the other's clock", two.now(key).OffsetSeconds, 59*60)
		equal(t, "before", two.call(key, http.MethodPost, "/v1/deduct", v1.DeductRequest{Charge: direct("u", "credits", "1")}).status, 200)
		one.advance(key, time.Minute)
		two.call(key, http.MethodPost, "/v1/deduct", v1.DeductRequest{Charge: direct("u", "credits", "1")}).is(t, 402, fault.CodeInsufficientCredits)
		equal(t, "available", two.balance(key, "u").Available, "0")
		late := two.give(key, "u", "1", 0)
		equal(t, "created at the other", late.CreatedAt, begin.Add(time.Hour))

		// Both at once: the clock moves by the sum, and everything ends once.
		two.give(key, "u", "10", begin.Add(2*time.Hour))
		together(8, func(i int) { []*host{one, two}[i%2].advance(key, time.Hour) })
		equal(t, "the clock", one.now(key).OffsetSeconds, 9*3600)
		expired := 0
		for _, e := range s.written(catalog.Test, "u") {
			if e.Type == "credit_expired" {
				expired++
			}
		}
		equal(t, "grants that ended", expired, 3)
	})
}

// TestAdvanceManyWallets has more wallets due than one sweep takes, a hold in each that was
// committed before it would have lapsed, and a grant that ends.
func TestAdvanceManyWallets(t *testing.T) {
	const wallets = 1100
	onEach(t, func(t *testing.T, kind string) {
		s := newSite(t, kind)
		app := s.as("test/many")
		ends := v1.ExpiresAt(begin.Add(24 * time.Hour))
		together(wallets, func(i int) {
			customer := fmt.Sprint("c", i)
			if _, err := app.Grant(context.Background(), v1.GrantRequest{CustomerID: customer, CreditID: "credits", Amount: "5", ExpiresAt: ends}); err != nil {
				t.Error(err)
			}
			d, err := app.Reserve(context.Background(), v1.ReserveRequest{Charge: direct(customer, "credits", "1")})
			if err == nil {
				_, err = app.Commit(context.Background(), v1.CommitRequest{ReservationID: d.ReservationID})
			}
			if err != nil {
				t.Error(err)
			}
		})
		due := func() int {
			st := s.db.open(t)
			var n int
			for _, at := range []clock.Instant{begin.Add(time.Hour), begin.Add(48 * time.Hour)} {
				found, err := st.DueIn(t.Context(), must(app.GetApp(t.Context())).ID, "test/many", at, wallets)
				noError(t, err)
				n += len(found)
			}
			return n
		}
		if due() == 0 {
			t.Fatal("nothing was due")
		}
		_, err := app.AdvanceTestClock(t.Context(), v1.AdvanceTestClock{BySeconds: 3600})
		noError(t, err)
		_, err = app.AdvanceTestClock(t.Context(), v1.AdvanceTestClock{BySeconds: 48 * 3600})
		noError(t, err)
		equal(t, "wallets that are still due", due(), 0)
		equal(t, "entries", types(s.written("test/many", "c7")), "credit_added hold_placed credit_deducted credit_expired")
	})
}

// TestSweepAhead sweeps as a server does: wallets whose time is ahead come with it.
func TestSweepAhead(t *testing.T) {
	onBoth(t, func(t *testing.T, db *database) {
		f := newForge(t, db)
		credit := f.plain("Plain")
		ops := f.as(f.app, "test/swept")
		_, err := ops.AdvanceTestClock(t.Context(), v1.AdvanceTestClock{BySeconds: 3600})
		noError(t, err)
		for _, to := range []v1.Operations{ops, f.live()} {
			_, err := to.Grant(t.Context(), v1.GrantRequest{CustomerID: "u", CreditID: credit, Amount: "5", ExpiresAt: v1.ExpiresAt(begin.Add(2 * time.Hour))})
			noError(t, err)
		}
		f.clock.Advance(time.Hour)
		for _, want := range []int{1, 0} {
			n, err := f.engine.Sweep(t.Context())
			noError(t, err)
			equal(t, "wallets of a sweep", n, want)
		}
	})
}

// TestNothingIsDueForEver commits a hold in time: once its end has passed the sweep looks at the
// wallet, and then no more.
func TestNothingIsDueForEver(t *testing.T) {
	onBoth(t, func(t *testing.T, db *database) {
		f := newForge(t, newDatabase(t, db.kind))
		credit := f.plain("Plain")
		f.give("u", credit, "5")
		d := must(f.Reserve(t.Context(), v1.ReserveRequest{Charge: direct("u", credit, "1")}))
		f.commit(d.ReservationID)
		f.clock.Advance(time.Hour)
		for _, want := range []int{1, 0} {
			n, err := f.engine.Sweep(t.Context())
			noError(t, err)
			equal(t, "wallets of a sweep", n, want)
		}
	})
}

// TestWorkspaceLimit is V80: past the allowance of a month test keys are refused what changes
// something, whatever their sandbox, and live keys nothing.
func TestWorkspaceLimit(t *testing.T) {
	onEach(t, func(t *testing.T, kind string) {
		const allowance = 25
		s := newSite(t, kind, scrip.SandboxOperations(allowance))
		h, test, alice, live := s.first, s.key(catalog.Test), s.key("test/alice"), s.key(catalog.Live)
		charge := v1.CanUseRequest{Charge: direct("u", "credits", "1")}
		for i := range allowance {
			key := []string{test, alice}[i%2]
			switch i % 4 {
			case 0:
				h.give(key, "u", "1", 0)
			case 1: // a refusal is a call as well
				h.call(key, http.MethodPost, "/v1/grants", `{"customer_id":"u"}`).is(t, 400, fault.CodeMissingField)
			case 2:
				equal(t, "status", h.call(key, http.MethodPut, "/v1/customers/u", `{}`).status, 200)
			case 3:
				r := h.call(key, http.MethodPost, "/dodo/customers", `{"email":"a@example.test","name":"A"}`)
				if r.status >= 300 {
					t.Fatalf("%d: %s", r.status, r.body)
				}
			}
			// Reading is free, and so is asking.
			h.call(key, http.MethodGet, "/v1/customers", nil).is(t, 200, "")
			h.call(key, http.MethodPost, "/v1/can-use", charge).is(t, 200, "")
			h.call("sk_test_none", http.MethodPost, "/v1/grants", `{}`).is(t, 401, fault.CodeInvalidKey)
		}
		for range 2 {
			for _, key := range []string{test, alice} {
				r := h.call(key, http.MethodPost, "/v1/deduct", v1.DeductRequest{Charge: direct("u", "credits", "1")})
				r.is(t, 429, fault.CodeWorkspaceLimitReached)
				if !strings.Contains(string(r.body), "2026-04-01T00:00:00Z") {
					t.Errorf("it does not say when they start anew: %s", r.body)
				}
				equal(t, "status at /dodo", h.call(key, http.MethodPost, "/dodo/customers", `{"email":"a@example.test","name":"A"}`).status, 429)
				h.call(key, http.MethodPost, "/v1/test-clock/advance", `{"by_seconds":1}`).is(t, 429, fault.CodeWorkspaceLimitReached)
				h.call(key, http.MethodGet, "/v1/customers", nil).is(t, 200, "")
				h.call(key, http.MethodPost, "/v1/can-use", charge).is(t, 200, "")
			}
		}
		for range allowance + 1 {
			h.give(live, "u", "1", 0)
		}
		_, err := s.as(catalog.Test).Deduct(t.Context(), v1.DeductRequest{Charge: direct("u", "credits", "1")})
		noError(t, err) // in process nobody is counted
		s.clock.Set(must(clock.Parse("2026-04-01T00:00:00Z")) - 1)
		h.call(test, http.MethodPut, "/v1/customers/u", `{}`).is(t, 429, fault.CodeWorkspaceLimitReached)
		s.clock.Advance(time.Microsecond)
		h.call(test, http.MethodPut, "/v1/customers/u", `{}`).is(t, 200, "")
	})
}

// TestWorkspaceLimitOnSeveralServers shares the allowance between two servers, one of which is
// stopped and gives back what it had taken.
func TestWorkspaceLimitOnSeveralServers(t *testing.T) {
	onEach(t, func(t *testing.T, kind string) {
		const allowance = 300
		// A server takes several operations at a time. So that it has used all that it took when this
		// ends, each alone is asked for more than there are.
		const clients, calls = 8, 80
		limited := scrip.SandboxOperations(allowance)
		s := newSite(t, kind, limited)
		hosts, key := []*host{s.first, s.host(limited)}, s.key(catalog.Test)
		stopped, err := scrip.Open(t.Context(), scrip.DB(s.db.address), scrip.WithClock(s.clock), scrip.SweepEvery(0), scrip.WithoutWebhooks(), limited)
		noError(t, err)
		srv := httptest.NewServer(stopped.Handler())
		third := newWire(t, srv.URL)
		third.call(key, http.MethodPut, "/v1/customers/u", `{}`).is(t, 200, "")
		srv.Close()
		noError(t, stopped.Close(t.Context()))
		var done, refused atomic.Int64
		together(clients, func(i int) {
			c, err := client.New(hosts[i%2].base, key, client.WithHTTPClient(hosts[i%2].http), client.WithRetries(0))
			if err != nil {
				t.Error(err)
				return
			}
			for range calls {
				switch _, err := c.SaveCustomer(context.Background(), "u", v1.SaveCustomer{}); fault.CodeOf(err) {
				case "":
					done.Add(1)
				case fault.CodeWorkspaceLimitReached:
					refused.Add(1)
				default:
					t.Error(err)
				}
			}
		})
		equal(t, "calls that were let in", done.Load(), allowance-1)
		equal(t, "calls that were refused", refused.Load(), clients*calls-(allowance-1))
	})
}
