package acceptance

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/engine"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/internal/pgtest"
	"github.com/seed42445051/scrip/store"
	v1 "github.com/seed42445051/scrip/v1"
)

// TestFullQueue slows the store until the queue is full: one command more is told so at once,
// and nothing of what was accepted is lost.
func TestFullQueue(t *testing.T) {
	const room = 16
	onBoth(t, func(t *testing.T, db *database) {
		gate := newGated(db.store)
		w := newWorldOver(t, db, gate, engine.Options{Shards: 1, Queue: room})
		f := forgeOver(t, w)
		credit := f.plain("Plain")
		f.give("u", credit, "1000")
		wire := f.serve(t)
		_, secret := f.newKey(t, f.app, catalog.Live, store.Secret)
		wire.call(secret, http.MethodPost, "/v1/can-use", direct("u", credit, "1")) // the key is known from here on

		reopen := gate.shut()
		defer reopen()
		var wg sync.WaitGroup
		var done atomic.Int64
		deduct := func() {
			r := wire.call(secret, http.MethodPost, "/v1/deduct", direct("u", credit, "1"))
			if r.status == http.StatusOK {
				done.Add(1)
			} else {
				t.Errorf("an accepted command was answered %d %s", r.status, r.body)
			}
		}
		// A command about somebody unknown waits at the gate, and everyone behind it in the queue.
		wg.Go(func() { wire.call(secret, http.MethodPost, "/v1/deduct", direct("nobody", credit, "1")) })
		<-gate.arrived
		for range room {
			wg.Go(deduct)
		}
		until(t, "the queue to fill", func() bool { return f.engine.Waiting() == room })
		for range 3 {
			r := wire.call(secret, http.MethodPost, "/v1/deduct", direct("u", credit, "1"))
			r.is(t, http.StatusServiceUnavailable, fault.CodeOverloaded)
			equal(t, "Retry-After", r.header.Get("Retry-After"), "1")
		}
		equal(t, "refused", f.engine.Stats().Refused.Load(), 3)
		reopen()
		wg.Wait()
		equal(t, "done", done.Load(), room)
		equal(t, "used", balance(t, f, "u", credit).Used, units(room))
		wire.call(secret, http.MethodPost, "/v1/deduct", direct("u", credit, "1")).is(t, 200, "")
	})
}

// TestClosingFinishesWhatWasAccepted ends an engine with a full queue: what it accepted is done
// and answered, what comes later is told to go elsewhere.
func TestClosingFinishesWhatWasAccepted(t *testing.T) {
	onBoth(t, func(t *testing.T, db *database) {
		gate := newGated(db.store)
		w := newWorldOver(t, db, gate, engine.Options{Shards: 1})
		f := forgeOver(t, w)
		credit := f.plain("Plain")
		f.give("u", credit, "1000")
		reopen := gate.shut()
		defer reopen()
		var wg sync.WaitGroup
		deduct := func() {
			if _, err := f.Deduct(context.Background(), v1.DeductRequest{Charge: direct("u", credit, "1")}); err != nil {
				t.Errorf("an accepted command: %v", err)
			}
		}
		// As above: what is known would be decided meanwhile, and not wait in the queue.
		wg.Go(func() { _, _ = f.Deduct(context.Background(), v1.DeductRequest{Charge: direct("nobody", credit, "1")}) })
		<-gate.arrived
		for range 20 {
			wg.Go(deduct)
		}
		until(t, "the queue to fill", func() bool { return f.engine.Waiting() == 20 })
		ended := make(chan error, 1)
		go func() { ended <- f.engine.Close(context.Background()) }()
		impatient, cancel := context.WithCancel(context.Background())
		cancel() // does not wait for its answer
		until(t, "the engine to refuse", func() bool {
			_, err := f.Deduct(impatient, v1.DeductRequest{Charge: direct("nobody", credit, "1")})
			return fault.CodeOf(err) == fault.CodeShuttingDown
		})
		reopen()
		wg.Wait()
		noError(t, <-ended)
		equal(t, "used", balance(t, f, "u", credit).Used, "20")
	})
}

// TestStoppedServer stops a server process under load: it answers what it accepted, ends well,
// and every deduction that was answered is there, and no other.
func TestStoppedServer(t *testing.T) {
	onBoth(t, func(t *testing.T, db *database) {
		key := makeKey(t, db.address, "stopped", "live")
		p := runServer(t, db.address)
		c := p.client(key)
		credit, err := c.CreateCredit(t.Context(), v1.CreateCredit{Name: "Plain", Unit: "x"})
		noError(t, err)
		_, err = c.Grant(t.Context(), v1.GrantRequest{CustomerID: "u", CreditID: credit.ID, Amount: "1000000"})
		noError(t, err)
		var done atomic.Int64
		var wg sync.WaitGroup
		for range 16 {
			wg.Go(func() {
				for {
					_, err := c.Deduct(context.Background(), v1.DeductRequest{Charge: direct("u", credit.ID, "1")})
					if err != nil {
						if code := fault.CodeOf(err); code != fault.CodeStoreUnavailable && code != fault.CodeShuttingDown {
							t.Errorf("while the server stopped: %v", err)
						}
						return
					}
					done.Add(1)
				}
			})
		}
		until(t, "some deductions", func() bool { return done.Load() > 200 })
		noError(t, p.stop(t))
		wg.Wait()
		fresh := runServer(t, db.address)
		equal(t, "used", balance(t, fresh.client(key), "u", credit.ID).Used, units(done.Load()))
		noError(t, fresh.stop(t))
		verify(t, db.address)
	})
}

// TestPostgresDown stops PostgreSQL under a server: every call says that the store is not there,
// none that credits are missing, and when it is back the same calls succeed.
func TestPostgresDown(t *testing.T) {
	pg := pgtest.New(t, pgtest.WithSetting("fsync", "off"))
	address, err := pg.NewDatabase(t.Context())
	noError(t, err)
	key := makeKey(t, address, "down", "live")
	p := runServer(t, address)
	c := p.client(key)
	credit, err := c.CreateCredit(t.Context(), v1.CreateCredit{Name: "Plain", Unit: "x"})
	noError(t, err)
	_, err = c.Grant(t.Context(), v1.GrantRequest{CustomerID: "u", CreditID: credit.ID, Amount: "5"})
	noError(t, err)
	calls := map[string]any{
		"/v1/deduct":  direct("u", credit.ID, "10"), // more than there is
		"/v1/reserve": direct("u", credit.ID, "1"),
		"/v1/grants":  v1.GrantRequest{CustomerID: "v", CreditID: credit.ID, Amount: "1"},
		"/v1/credits": v1.CreateCredit{Name: "Made while down", Unit: "x"},
	}
	noError(t, pg.Stop())
	for path, body := range calls {
		r := p.call(key, http.MethodPost, path, body, "Idempotency-Key", "down")
		r.is(t, http.StatusServiceUnavailable, fault.CodeStoreUnavailable)
	}
	p.call(key, http.MethodGet, "/v1/customers/u/balances", nil).is(t, 503, fault.CodeStoreUnavailable)
	p.call(key, http.MethodGet, "/readyz", nil).is(t, 503, fault.CodeStoreUnavailable)
	equal(t, "liveness", p.call(key, http.MethodGet, "/healthz", nil).status, 200)
	noError(t, pg.Start())
	want := map[string]int{"/v1/deduct": 402, "/v1/reserve": 200, "/v1/grants": 200, "/v1/credits": 201}
	for path, body := range calls {
		equal(t, "status of "+path, p.call(key, http.MethodPost, path, body, "Idempotency-Key", "down"+path).status, want[path])
	}
	equal(t, "used", balance(t, c, "u", credit.ID).Used, "0")
	verify(t, address)
}

// TestSQLiteLocked holds SQLite's write lock from another program: reads go on, and a write waits
// for its turn.
func TestSQLiteLocked(t *testing.T) {
	db := newDatabase(t, "sqlite")
	f := newForge(t, db)
	credit := f.plain("Plain")
	f.give("u", credit, "5")
	w := f.serve(t)
	_, secret := f.newKey(t, f.app, catalog.Live, store.Secret)
	equal(t, "balance", balance(t, w.client(secret), "u", credit).Available, "5")
	unlock := lock(t, db)
	answer := make(chan reply, 1)
	go func() {
		defer close(answer) // also where the call fails the test
		answer <- w.call(secret, http.MethodPost, "/v1/deduct", direct("u", credit, "2"))
	}()
	for range 10 {
		equal(t, "balance read meanwhile", balance(t, w.client(secret), "u", credit).Available, "5")
	}
	select {
	case r := <-answer:
		t.Fatalf("a write was answered %d %s while another program had the lock", r.status, r.body)
	default:
	}
	unlock()
	(<-answer).is(t, 200, "")
	equal(t, "balance", balance(t, w.client(secret), "u", credit).Available, "3")
}

// TestUnknownOutcome loses the answer of a commit for good, under a batch of commands that have
// no key: all of them are told that the store is not there, and none is tried again, because it
// may have happened. Those that have a key find out by asking again.
func TestUnknownOutcome(t *testing.T) {
	onBoth(t, func(t *testing.T, db *database) {
		st := &forgetful{Store: db.store}
		gate := newGated(st)
		w := newWorldOver(t, db, gate, engine.Options{Shards: 1})
		f := forgeOver(t, w)
		q := &queued{forge: f, gate: gate, credit: f.plain("Plain")}
		q.give("u", q.credit, "100")
		errs := make([]error, 4)
		deduct := func(i int, opts ...v1.Option) func() {
			return func() {
				_, errs[i] = q.Deduct(context.Background(), v1.DeductRequest{Charge: direct("u", q.credit, "1")}, opts...)
			}
		}
		st.forgetAfter(2) // the plug of the batch comes first
		q.batchOf(1, deduct(0), deduct(1), deduct(2, v1.IdempotencyKey("k")), func() {
			_, errs[3] = q.Deduct(context.Background(), v1.DeductRequest{Charge: direct("v", q.credit, "1")})
		})
		for _, err := range errs {
			refused(t, err, fault.CodeStoreUnavailable, 503)
		}
		equal(t, "used", balance(t, q, "u", q.credit).Used, "3")
		_, err := q.Deduct(t.Context(), v1.DeductRequest{Charge: direct("u", q.credit, "1")}, v1.IdempotencyKey("k"))
		noError(t, err)
		equal(t, "used after asking again", balance(t, q, "u", q.credit).Used, "3")
	})
}

// TestStoreDownUnderLoad takes the store away under a batch of commands: they are tried again
// together, not one after the other, so that all callers know within a second or two.
func TestStoreDownUnderLoad(t *testing.T) {
	onBoth(t, func(t *testing.T, db *database) {
		st := &breakable{Store: db.store}
		gate := newGated(st)
		w := newWorldOver(t, db, gate, engine.Options{Shards: 1})
		f := forgeOver(t, w)
		q := &queued{forge: f, gate: gate, credit: f.plain("Plain")}
		q.give("u", q.credit, "100")
		commands := make([]func(), 30)
		for i := range commands {
			commands[i] = func() {
				_, err := q.Deduct(context.Background(), v1.DeductRequest{Charge: direct("u", q.credit, "1")})
				if code := fault.CodeOf(err); code != fault.CodeStoreUnavailable {
					t.Errorf("command %d: %v", i, err)
				}
			}
		}
		tried := q.engine.Stats().Retries.Load()
		q.onceQueued = func() { st.down.Store(true) }
		q.batchOf(0, commands...)
		if n := q.engine.Stats().Retries.Load() - tried; n > 2*engine.MaxTries {
			t.Errorf("the store was asked again %d times for two batches", n)
		}
		st.down.Store(false)
		equal(t, "used", balance(t, q, "u", q.credit).Used, "0")
	})
}
