package acceptance

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/client"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/internal/testenv"
	"github.com/seed42445051/scrip/store"
	v1 "github.com/seed42445051/scrip/v1"
	"github.com/seed42445051/scrip/wallet"
)

// tenants is how many customers meet the end of their cycle at one instant: several transactions
// are needed for them, so that there is a middle to be killed in.
const tenants = 1000

// usualBoundaryKills is how often a server is killed in the middle of a boundary, on each store.
const usualBoundaryKills = 1

// landlord has many customers of one plan in test mode, whose cycles all end at one instant of the
// test clock. Each uses more than it has.
type landlord struct {
	t       *testing.T
	address string
	app     string
	secret  string
	begun   clock.Instant
}

func newLandlord(t *testing.T, db *database) (*landlord, *process) {
	t.Helper()
	noError(t, db.store.Close()) // a reader would keep SQLite's log alive over the crash
	l := &landlord{t: t, address: db.address, secret: makeKey(t, db.address, "rented", "test")}
	p := runServer(t, l.address)
	c := p.client(l.secret)
	on := true
	_, err := c.CreateCredit(t.Context(), v1.CreateCredit{Name: "plain", Unit: "x"})
	noError(t, err)
	_, err = c.CreatePlan(t.Context(), v1.CreatePlan{ID: "rent", Name: "Rent", Price: 900, Credits: []v1.PlanCredit{{
		CreditID: "plain", Amount: "10", Overage: &v1.OverageOverride{Enabled: &on, Behavior: "invoice_at_billing", PricePerUnit: "2", Currency: "usd"},
	}}})
	noError(t, err)
	app, err := c.GetApp(t.Context())
	noError(t, err)
	l.app = app.ID
	now, err := c.TestClock(t.Context())
	noError(t, err)
	l.begun = now.Now
	together(20, func(worker int) {
		for i := worker; i < tenants; i += 20 {
			_, err := c.Subscribe(context.Background(), v1.Subscribe{CustomerID: l.customer(i), PlanID: "rent", CycleStart: l.begun})
			if err == nil {
				_, err = c.Deduct(context.Background(), v1.DeductRequest{Charge: v1.Charge{CustomerID: l.customer(i), CreditID: "plain", Amount: "13", Shortfall: "overage"}})
			}
			if err != nil {
				t.Error(err)
				return
			}
		}
	})
	return l, p
}

func (l *landlord) customer(i int) string { return fmt.Sprintf("c%04d", i) }

// end is the end of the cycle of that number.
func (l *landlord) end(cycle int) clock.Instant {
	return catalog.Interval{Count: cycle, Unit: catalog.Month}.After(l.begun)
}

func (l *landlord) advance(c *client.Client, to clock.Instant) error {
	_, err := c.AdvanceTestClock(context.Background(), v1.AdvanceTestClock{To: to})
	return err
}

// written counts the customers by how many ends of cycles are in the database. Each end must be
// there whole: the cycle, the invoice with its overage, the history, what was granted and what was
// taken away.
func (l *landlord) written() map[int]int {
	l.t.Helper()
	db := &database{address: l.address}
	st := db.connect(l.t)
	defer func() { noError(l.t, st.Close()) }()
	const readers = 8
	ends := make([]int, tenants)
	together(readers, func(reader int) {
		for i := reader; i < tenants; i += readers {
			n, err := l.ends(st, i)
			if err != nil {
				l.t.Error(err)
				return
			}
			ends[i] = n
		}
	})
	if l.t.Failed() {
		l.t.FailNow()
	}
	counts := map[int]int{}
	for _, n := range ends {
		counts[n]++
	}
	return counts
}

// ends is how many ends of cycles are written of one customer, each of them whole. PostgreSQL may be
// about to commit what it had been given by the server that was killed: what changes while it is read
// is read again.
func (l *landlord) ends(st store.Store, i int) (int, error) {
	ctx := context.Background()
	w := wallet.Key{App: l.app, Mode: catalog.Test, Customer: l.customer(i)}.ID()
	for {
		before, err := st.Snapshot(ctx, w)
		if err != nil {
			return 0, err
		}
		ends, whole := l.endsIn(st, i, before)
		after, err := st.Snapshot(ctx, w)
		if err != nil {
			return 0, err
		}
		if before.Version == after.Version {
			return ends, whole
		}
	}
}

// endsIn is ends of a customer whose wallet is at a version.
func (l *landlord) endsIn(st store.Store, i int, sn *wallet.Snapshot) (int, error) {
	ctx, w := context.Background(), sn.ID
	invoices, err := st.Invoices(ctx, store.InvoiceQuery{Wallet: w, Limit: store.MaxPage})
	if err != nil {
		return 0, err
	}
	history, err := st.SubscriptionEvents(ctx, w, 1, 0, store.MaxPage)
	if err != nil {
		return 0, err
	}
	found, err := st.Entries(ctx, store.EntryQuery{Wallet: w, Limit: store.MaxPage})
	if err != nil {
		return 0, err
	}
	kinds := map[wallet.EntryType]int{}
	for k := range found {
		kinds[found[k].Type]++
	}
	ends := len(sn.Subscription.Cycles)
	got := fmt.Sprint(len(invoices), len(history), kinds[wallet.CreditAdded], kinds[wallet.CreditExpired], kinds[wallet.OverageReset])
	want := fmt.Sprint(ends+1, ends+1, ends+1, max(0, ends-1), min(1, ends))
	if got != want {
		return 0, fmt.Errorf("%s after %d ends of a cycle: %s invoices, lines of history, grants, expiries and resets, want %s", l.customer(i), ends, got, want)
	}
	if ends > 0 {
		if first := invoices[len(invoices)-2].Invoice; first.Total != 906 {
			return 0, fmt.Errorf("%s was invoiced %d", l.customer(i), first.Total)
		}
	}
	return ends, nil
}

// TestKilledAtTheBoundary kills the server while the cycles of many customers end: of each it is
// whole or not begun, and the next server does what is left.
func TestKilledAtTheBoundary(t *testing.T) {
	random := seeded(t)
	kills := testenv.Kills(t, usualBoundaryKills)
	onBoth(t, func(t *testing.T, db *database) {
		l, p := newLandlord(t, db)
		met := 0
		took := 150 * time.Millisecond // until the cycles of all have ended; a guess, then measured
		for cycle := 1; met < kills; cycle++ {
			if cycle > kills*20+patience {
				t.Fatalf("of %d kills %d met the end of a cycle in the middle", cycle, met)
			}
			at := time.Duration(rand.New(rand.NewPCG(random.Uint64(), 0)).Int64N(int64(took)))
			done := make(chan error, 1)
			start := clock.System{}.Now()
			go func(c *client.Client) { done <- l.advance(c, l.end(cycle)) }(p.client(l.secret))
			select {
			case err := <-done:
				noError(t, err)
				took = clock.System{}.Now().Sub(start)
			case <-time.After(at):
			}
			p.kill()
			counts := l.written()
			switch {
			case len(counts) > 1:
				met++
			case counts[cycle] == 0: // it was killed before it began: the guess is too short for this machine
				took += took / 2
			}
			p = runServer(t, l.address)
			until(t, "the test clock to arrive", func() bool { return l.advance(p.client(l.secret), l.end(cycle)) == nil })
			p.kill()
			if counts = l.written(); counts[cycle] != tenants {
				t.Fatalf("after %d cycles: %v", cycle, counts)
			}
			p = runServer(t, l.address)
		}
		noError(t, p.stop(t))
		verify(t, l.address)
	})
}

// TestBoundaryOnTwoServers moves the clock on both of two servers at once while both sweep: each end
// of a cycle happens once.
func TestBoundaryOnTwoServers(t *testing.T) {
	l, first := newLandlord(t, newDatabase(t, "postgres"))
	second := runServer(t, l.address)
	for cycle := 1; cycle <= 3; cycle++ {
		together(4, func(i int) {
			p := []*process{first, second}[i%2]
			if err := l.advance(p.client(l.secret), l.end(cycle)); err != nil {
				t.Error(err)
			}
		})
		if counts := l.written(); counts[cycle] != tenants {
			t.Fatalf("after %d cycles: %v", cycle, counts)
		}
	}
	for _, p := range []*process{first, second} {
		noError(t, p.stop(t))
	}
	verify(t, l.address)
}
