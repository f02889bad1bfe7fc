// Package lives has many customers buy, spend, and get their money back, beside a payment provider that
// declines, forgets, repeats and breaks off. In the end what they have is held against what the
// provider's own record says of money.
package lives

import (
	"context"
	"math/rand/v2"
	"os"
	"runtime/debug"
	"testing"
	"time"

	"github.com/seed42445051/scrip/engine"
	"github.com/seed42445051/scrip/internal/pgtest"
	"github.com/seed42445051/scrip/internal/testenv"
	"github.com/seed42445051/scrip/payments/stripefake"
	v1 "github.com/seed42445051/scrip/v1"
)

func TestMain(m *testing.M) {
	debug.SetGCPercent(400) // worlds are many and small
	code := pgtest.Main(m, pgtest.WithoutFsync())
	if binary.dir != "" {
		_ = os.RemoveAll(binary.dir) // it is in the folder for what may go at any time
	}
	os.Exit(code)
}

// worldLives is how many lives share a world, its clock and its mishaps.
const worldLives = 100

// stretches is how many stretches of time a world has. Together they are shorter than payments.ReconcileFor,
// and than payments.ReconcileBack.
const stretches = 7

// TestLives has customers live. One in five does so on PostgreSQL, where everything takes longer and
// nothing else happens; the lives of a world are one after the other, and worlds go on beside each other.
func TestLives(t *testing.T) {
	seed := testenv.Seed(t)
	t.Logf("%s=%d", testenv.SeedVariable, seed)
	lives := testenv.Ops(t, usualLives)
	for _, part := range []struct {
		name, kind string
		lives      int
	}{{"sqlite", "sqlite", lives * 2 / 5}, {"sqlite too", "sqlite", lives * 2 / 5}, {"postgres", "postgres", max(1, lives/5)}} {
		t.Run(part.name, func(t *testing.T) {
			t.Parallel()
			var sum tally
			random := rand.New(rand.NewPCG(seed, uint64(len(part.name))))
			for left := part.lives; left > 0; left -= worldLives {
				liveWorld(t, part.kind, random, min(left, worldLives), &sum)
			}
			t.Logf("%d lives: %s", part.lives, &sum)
		})
	}
}

// liveWorld lives one world to its end.
func liveWorld(t *testing.T, kind string, random *rand.Rand, lives int, sum *tally) {
	t.Helper()
	w := newWorld(t, kind, rand.New(rand.NewPCG(random.Uint64(), 0)), lives)
	defer w.close()
	for n := range stretches {
		w.round(n)
	}
	w.settle()
	w.checkAll(sum)
	if t.Failed() {
		t.Fatalf("world of %d lives failed", lives)
	}
}

// round is a stretch of time with weather of its own: what goes wrong, and how often.
func (w *world) round(n int) {
	w.t.Helper()
	r := w.random
	w.stripe.FailRandomly(0)
	w.market.known = readRecord(w.t, w.stripe.URL)
	w.broken = r.IntN(2) * r.IntN(40)
	w.stripe.FailRandomly(r.IntN(3)*r.IntN(2)*100, stripefake.RateLimit, stripefake.LockTimeout, stripefake.ErrorBefore, stripefake.ErrorAfter,
		stripefake.ResetBefore, stripefake.ResetAfter)
	w.stripe.SetPolicy(stripefake.Policy{
		Duplicates: r.IntN(2) * r.IntN(3), Twins: r.IntN(2) * r.IntN(2), Shuffle: r.IntN(2) == 0,
		Delay:          []time.Duration{0, 0, 0, time.Minute, 6 * time.Hour, 60 * time.Hour}[r.IntN(6)],
		DropThousandth: []int{0, 0, 0, 200, 500, 1000}[r.IntN(6)], FailFirst: r.IntN(2) * r.IntN(3),
	})
	for _, l := range w.lives {
		for range l.random.IntN(4) {
			l.step()
		}
		if l.random.IntN(4) == 0 {
			w.deliver()
		}
		if l.random.IntN(4) == 0 {
			l.mishap()
			w.drain()
			w.stripe.DeclineNone()
		}
	}
	w.deliver()
	w.drain()
	w.jump()
	if n%4 == 3 && r.IntN(2) == 0 {
		w.reconcile()
	}
}

// jump moves the clock: by nothing, by minutes or by days.
func (w *world) jump() {
	w.t.Helper()
	all := []time.Duration{0, time.Minute, 40 * time.Minute, 5 * time.Hour, 25 * time.Hour, 49 * time.Hour, 72 * time.Hour}
	w.stripe.Advance(all[w.random.IntN(len(all))])
	w.sweep()
	w.drain()
	w.deliver()
}

// reconcile asks the provider about everything. It may not answer.
func (w *world) reconcile() v1.Reconciled {
	w.t.Helper()
	found, err := w.ops.Reconcile(context.Background(), v1.ReconcileRequest{})
	if err != nil {
		w.lives[0].told("reconciling", err)
	}
	return found
}

// settle ends the bad weather, and waits until everything has come to an end: webhooks that were
// delayed, calls that are made again, and by reconciliation whatever was dropped.
func (w *world) settle() {
	w.t.Helper()
	w.broken = 0
	w.stripe.FailRandomly(0)
	w.stripe.SetPolicy(stripefake.Policy{})
	for range 8 {
		w.sweep()
		w.drain()
		w.deliver()
		w.stripe.Advance(10 * time.Hour)
	}
	background := w.random.IntN(2) == 0
	for range 5 {
		w.sweep()
		w.drain()
		w.deliver()
		if background {
			w.rounds()
		}
		found := w.reconcile()
		if found.Changed == 0 {
			return
		}
		if background {
			w.t.Errorf("servers by themselves have left %d orders to be found", found.Changed)
		}
	}
	w.t.Error("reconciliation finds something new each time")
}

// rounds lets a server ask and read by itself, as often as all webhooks of a world need.
func (w *world) rounds() {
	beats := make(chan time.Time)
	r := w.all.Payments.StartReconciler(beatClock{w.clock, beats})
	for range 10 {
		beats <- w.clock.Now().Time()
	}
	r.Close()
}

// beatClock ends every pause when it is told to.
type beatClock struct {
	engine.Clock
	beats chan time.Time
}

// After waits for a beat.
func (c beatClock) After(time.Duration) <-chan time.Time { return c.beats }

func (w *world) checkAll(sum *tally) {
	w.t.Helper()
	r := readRecord(w.t, w.stripe.URL)
	names := creditNames(w.t, w.ops)
	for _, l := range w.lives {
		l.check(r, names, sum)
		l.wanted(r)
	}
	w.audit()
}

// TestNoChargeAfterConsent has a customer end automatic top-ups while a declined one waits to be tried
// again.
func TestNoChargeAfterConsent(t *testing.T) {
	for _, kind := range []string{"sqlite", "postgres"} {
		t.Run(kind, func(t *testing.T) {
			w := newWorld(t, kind, rand.New(rand.NewPCG(1, 1)), 1)
			defer w.close()
			ctx := context.Background()
			o, err := w.ops.Checkout(ctx, v1.CheckoutRequest{CustomerID: "c", PackID: "starter", SaveCard: true, SuccessURL: "http://127.0.0.1/thanks"})
			noError(t, err)
			noError(t, w.stripe.Pay(o.SessionID, ""))
			w.deliver()
			w.stripe.DeclineNext("insufficient_funds")
			_, err = w.ops.SetAutoTopUp(ctx, "c", v1.SetAutoTopUp{CreditID: tokens, Enabled: true, PackID: "starter", Threshold: "1001"})
			noError(t, err)
			w.drain()
			_, err = w.ops.SetAutoTopUp(ctx, "c", v1.SetAutoTopUp{CreditID: tokens})
			noError(t, err)
			w.stripe.Advance(49 * time.Hour)
			w.sweep()
			w.drain()
			if made := readRecord(t, w.stripe.URL).payments; len(made) != 2 || made[1].paid() {
				t.Errorf("after the customer ended automatic top-ups: %v", made)
			}
			// They may agree anew, and are charged at once.
			_, err = w.ops.SetAutoTopUp(ctx, "c", v1.SetAutoTopUp{CreditID: tokens, Enabled: true, PackID: "starter", Threshold: "1001"})
			noError(t, err)
			w.drain()
			w.deliver()
			if made := readRecord(t, w.stripe.URL).payments; len(made) != 3 || !made[2].paid() {
				t.Errorf("after they agreed anew: %v", made)
			}
			w.audit()
		})
	}
}
