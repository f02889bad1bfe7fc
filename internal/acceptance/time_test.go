package acceptance

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/engine"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/money"
	"github.com/seed42445051/scrip/store"
	v1 "github.com/seed42445051/scrip/v1"
	"github.com/seed42445051/scrip/wallet"
)

// asked is everything that a reader can ask about a customer's one credit.
type asked struct {
	Balance v1.Balance
	Grants  []v1.Grant
	Ledger  []v1.Entry
	Usage   v1.Usage
}

func (f *forge) ask(customer, credit string) asked {
	f.t.Helper()
	a := asked{Balance: balance(f.t, f, customer, credit), Ledger: entries(f.t, f, customer)}
	page, err := f.CustomerGrants(context.Background(), customer, v1.GrantQuery{})
	noError(f.t, err)
	a.Grants = page.Data
	a.Usage, err = f.Usage(context.Background(), customer, "")
	noError(f.t, err)
	return a
}

// decides fails the test unless a charge would be allowed, or denied, as every question about it
// says.
func (f *forge) decides(c v1.Charge, allowed bool) {
	f.t.Helper()
	d, err := f.CanUse(context.Background(), v1.CanUseRequest{Charge: c})
	noError(f.t, err)
	equal(f.t, "can-use", d.Allowed, allowed)
	e, err := f.ExplainCharge(context.Background(), v1.CanUseRequest{Charge: c})
	noError(f.t, err)
	equal(f.t, "explanation", e.Allowed, allowed)
}

// stored counts the entries that were written down.
func (f *forge) stored(customer string) int {
	f.t.Helper()
	found, err := f.store.Entries(context.Background(), store.EntryQuery{Wallet: f.key(customer).ID(), Limit: store.MaxPage})
	noError(f.t, err)
	return len(found)
}

// TestTimeNeedsNobody lets a grant end, a hold lapse and a grant begin while nothing sweeps: one
// microsecond before the instant nothing has happened, and from the instant on everything has,
// to readers and to commands alike, although nothing is written.
func TestTimeNeedsNobody(t *testing.T) {
	type story struct {
		name          string
		begin         func(f *forge, credit string, at clock.Instant) // brings about what happens at the instant
		before, after money.Decimal                                   // available
		entry         string                                          // what time adds to the ledger
	}
	stories := []story{
		{"a grant ends", func(f *forge, credit string, at clock.Instant) {
			_, err := f.Grant(context.Background(), v1.GrantRequest{CustomerID: "u", CreditID: credit, Amount: "10", ExpiresAt: v1.ExpiresAt(at)})
			noError(f.t, err)
		}, "10", "0", "credit_expired"},
		{"a hold lapses", func(f *forge, credit string, at clock.Instant) {
			f.give("u", credit, "10")
			d, err := f.Reserve(context.Background(), v1.ReserveRequest{
				Charge: direct("u", credit, "10"), TTLSeconds: int(at.Sub(f.clock.Now()).Seconds()),
			})
			noError(f.t, err)
			f.allowed(d)
		}, "0", "10", "hold_released"},
		{"a grant begins", func(f *forge, credit string, at clock.Instant) {
			_, err := f.Grant(context.Background(), v1.GrantRequest{CustomerID: "u", CreditID: credit, Amount: "10", EffectiveAt: at})
			noError(f.t, err)
		}, "0", "10", "credit_added"},
	}
	onBoth(t, func(t *testing.T, db *database) {
		for _, s := range stories {
			t.Run(s.name, func(t *testing.T) {
				f := newForge(t, db)
				credit := f.plain("Plain")
				at := f.clock.Now().Add(time.Hour)
				s.begin(f, credit, at)
				written := f.stored("u")
				for _, moment := range []struct {
					at        clock.Instant
					available money.Decimal
					entries   int
				}{{at - 1, s.before, written}, {at, s.after, written + 1}, {at + 1, s.after, written + 1}} {
					f.clock.Set(moment.at)
					a := f.ask("u", credit)
					equal(t, "available", a.Balance.Available, moment.available)
					equal(t, "entries", len(a.Ledger), moment.entries)
					equal(t, "entries written", f.stored("u"), written)
				}
				f.clock.Set(at - 1)
				f.decides(direct("u", credit, "10"), s.before == "10")
				f.clock.Set(at)
				last := entries(t, f, "u")[written]
				equal(t, "type", last.Type, s.entry)
				equal(t, "effective", last.EffectiveAt, at)

				// A command sees it, and writes it down.
				f.decides(direct("u", credit, "10"), s.after == "10")
				_, err := f.Deduct(t.Context(), v1.DeductRequest{Charge: direct("u", credit, "10")})
				if s.after == "10" {
					noError(t, err)
				} else {
					wantCode(t, err, fault.CodeInsufficientCredits)
				}
				equal(t, "the entry as it was written", f.id(entries(t, f, "u")[written]), f.id(last))
			})
		}
	})
}

// id is what an entry says, without when it was written down.
func (f *forge) id(e v1.Entry) string {
	e.RecordedAt, e.PreviousHash, e.Hash = 0, "", ""
	return string(toJSON(f.t, e))
}

// TestDecidedJustBefore commits a hold one microsecond before it lapses, over a grant that has
// ended meanwhile: the hold was made in time.
func TestDecidedJustBefore(t *testing.T) {
	onBoth(t, func(t *testing.T, db *database) {
		f := newForge(t, db)
		credit := f.plain("Plain")
		at := f.clock.Now().Add(time.Minute)
		_, err := f.Grant(t.Context(), v1.GrantRequest{CustomerID: "u", CreditID: credit, Amount: "10", ExpiresAt: v1.ExpiresAt(at - 2)})
		noError(t, err)
		d, err := f.Reserve(t.Context(), v1.ReserveRequest{Charge: direct("u", credit, "10")})
		noError(t, err)
		equal(t, "expiry of the hold", d.ExpiresAt, at)
		f.clock.Set(at - 1)
		equal(t, "held", balance(t, f, "u", credit).Held, "10")
		four := money.Decimal("4")
		_, err = f.Commit(t.Context(), v1.CommitRequest{ReservationID: d.ReservationID, Amount: &four})
		noError(t, err)
		equal(t, "entries", types(entries(t, f, "u")), "credit_added hold_placed credit_deducted hold_released credit_expired")
		equal(t, "left", balance(t, f, "u", credit).Balance, "0")
	})
}

// TestSweepWritesDown sweeps many wallets in which something is due: what readers were told
// before is what is written, and a second sweep finds nothing to do.
func TestSweepWritesDown(t *testing.T) {
	onBoth(t, func(t *testing.T, db *database) {
		f := newForge(t, db)
		credit := f.plain("Plain")
		customers := []string{"a", "b", "c"}
		for i, customer := range customers {
			f.give(customer, credit, "10")
			_, err := f.Grant(t.Context(), v1.GrantRequest{
				CustomerID: customer, CreditID: credit, Amount: "5", ExpiresAt: v1.ExpiresAt(f.clock.Now().Add(time.Duration(i+1) * time.Hour)),
			})
			noError(t, err)
			f.allowed(must(f.Reserve(t.Context(), v1.ReserveRequest{Charge: direct(customer, credit, "7")})))
		}
		f.clock.Advance(24 * time.Hour)
		before := map[string]asked{}
		for _, customer := range customers {
			before[customer] = f.ask(customer, credit)
			equal(t, "written for "+customer, f.stored(customer), 3)
		}
		f.clock.Advance(time.Second)
		n, err := f.engine.Sweep(t.Context())
		noError(t, err)
		equal(t, "wallets", n, len(customers))
		for _, customer := range customers {
			// The hold gives back to both grants, and the one that has ended loses it.
			equal(t, "written for "+customer, f.stored(customer), len(before[customer].Ledger))
			after, then := f.ask(customer, credit), before[customer]
			for i := range after.Ledger {
				equal(t, "entry", f.id(after.Ledger[i]), f.id(then.Ledger[i]))
			}
			after.Ledger, then.Ledger = nil, nil
			same(t, "what can be asked", after, then)
		}
		n, err = f.engine.Sweep(t.Context())
		noError(t, err)
		equal(t, "wallets in the second sweep", n, 0)
	})
}

// lookingSlowly is a store whose looks at what is due wait until the test lets them.
type lookingSlowly struct {
	store.Store
	looks chan clock.Instant
	pass  chan struct{}
}

func (l *lookingSlowly) Due(ctx context.Context, now clock.Instant, most int) ([]wallet.Key, error) {
	l.looks <- now
	<-l.pass
	return l.Store.Due(ctx, now, most)
}

// TestTimePassesWhileSweeping has an hour pass while a sweep looks for what is due: it looks again,
// without waiting for more time to pass.
func TestTimePassesWhileSweeping(t *testing.T) {
	slow := &lookingSlowly{Store: newDatabase(t, "sqlite").store, looks: make(chan clock.Instant, 2), pass: make(chan struct{})}
	now := clock.NewManual(begin)
	e := engine.New(slow, engine.Options{Clock: now, SweepEvery: time.Second})
	t.Cleanup(func() { noError(t, e.Close(context.Background())) })
	now.BlockUntil(1)
	now.Advance(time.Second)
	equal(t, "the first look", <-slow.looks, begin.Add(time.Second))
	now.Advance(time.Hour)
	close(slow.pass)
	until(t, "a second look", func() bool { return len(slow.looks) == 1 })
	equal(t, "the second look", <-slow.looks, begin.Add(time.Second+time.Hour))
}

// TestSweepIsLimited has one wallet more due than one sweep takes: the next takes it.
func TestSweepIsLimited(t *testing.T) {
	onBoth(t, func(t *testing.T, db *database) {
		db = newDatabase(t, db.kind) // where nothing else is due
		f := newForge(t, db)
		ends := v1.ExpiresAt(f.clock.Now().Add(time.Hour))
		together(engine.SweepBatch+1, func(i int) {
			r := v1.GrantRequest{CustomerID: fmt.Sprint("c", i), CreditID: f.renders, Amount: "1", ExpiresAt: ends}
			if _, err := f.Grant(context.Background(), r); err != nil {
				t.Error(err)
			}
		})
		f.clock.Advance(time.Hour)
		for _, want := range []int{engine.SweepBatch, 1, 0} {
			n, err := f.engine.Sweep(t.Context())
			noError(t, err)
			equal(t, "wallets of a sweep", n, want)
		}
		for _, customer := range []string{"c0", fmt.Sprint("c", engine.SweepBatch)} {
			equal(t, "written for "+customer, f.stored(customer), 2)
		}
	})
}

// TestSweepLoop runs the sweep in the background, as a server does.
func TestSweepLoop(t *testing.T) {
	onBoth(t, func(t *testing.T, db *database) {
		w := newWorld(t, db)
		sweeper := w.options()
		sweeper.SweepEvery = time.Millisecond
		f := forgeOver(t, w)
		credit := f.plain("Plain")
		_, err := f.Grant(t.Context(), v1.GrantRequest{CustomerID: "u", CreditID: credit, Amount: "5", ExpiresAt: v1.ExpiresAt(f.clock.Now().Add(time.Hour))})
		noError(t, err)
		startServer(t, db.open(t), sweeper)
		f.clock.Advance(time.Hour)
		until(t, "the sweep to write the expiry", func() bool { return f.stored("u") == 2 })
		equal(t, "entries", types(entries(t, f, "u")), "credit_added credit_expired")
	})
}

// interrupted is a store in which something happens right after a snapshot was read.
type interrupted struct {
	store.Store
	after atomic.Pointer[func()]
}

func (i *interrupted) Snapshot(ctx context.Context, w id.Wallet) (*wallet.Snapshot, error) {
	sn, err := i.Store.Snapshot(ctx, w)
	if f := i.after.Swap(nil); f != nil {
		(*f)()
	}
	return sn, err
}

// TestReadersSeeOneMoment changes a wallet in the middle of a read of it: the answer is the one
// of before, whole.
func TestReadersSeeOneMoment(t *testing.T) {
	onBoth(t, func(t *testing.T, db *database) {
		st := &interrupted{Store: db.store}
		w := newWorldOver(t, db, st, engine.Options{})
		f := forgeOver(t, w)
		other := startServer(t, db.open(t), w.options()).as(w.app, "live") // another server, with its own store
		credit := f.plain("Plain")
		_, err := f.Grant(t.Context(), v1.GrantRequest{CustomerID: "u", CreditID: credit, Amount: "100"})
		noError(t, err)
		_, err = f.Grant(t.Context(), v1.GrantRequest{CustomerID: "u", CreditID: credit, Amount: "5", ExpiresAt: v1.ExpiresAt(f.clock.Now().Add(time.Hour))})
		noError(t, err)
		at := f.clock.Now()
		f.clock.Advance(2 * time.Hour)
		interrupt := func() {
			deduct := func() {
				_, err := other.Deduct(context.Background(), v1.DeductRequest{Charge: direct("u", credit, "10")})
				noError(t, err)
			}
			st.after.Store(&deduct)
		}
		interrupt()
		equal(t, "balance at an earlier instant", balanceAt(t, f, "u", credit, at).Available, "105")
		interrupt()
		b := balance(t, f, "u", credit)
		equal(t, "balance now", b.Available, "90") // the second deduction came after the snapshot
		for range 2 {
			interrupt()
			seen := map[int64]bool{}
			for _, e := range entries(t, f, "u") {
				if seen[e.Sequence] {
					t.Fatalf("entry %d is listed twice", e.Sequence)
				}
				seen[e.Sequence] = true
			}
		}
		// What time has done to a wallet is listed once, whoever writes it down meanwhile.
		_, err = f.Grant(t.Context(), v1.GrantRequest{CustomerID: "v", CreditID: credit, Amount: "5", ExpiresAt: v1.ExpiresAt(f.clock.Now().Add(time.Hour))})
		noError(t, err)
		f.clock.Advance(2 * time.Hour)
		sweep := func() { _, _ = other.Balances(context.Background(), "v", "", 0); f.sweepBy(other, "v", credit) }
		st.after.Store(&sweep)
		equal(t, "entries", types(entries(t, f, "v")), "credit_added credit_expired")
		equal(t, "written", f.stored("v"), 2)
	})
}

// sweepBy lets another server write down what time has done to a customer.
func (f *forge) sweepBy(other *ops, customer, credit string) {
	_, err := other.Deduct(context.Background(), v1.DeductRequest{Charge: direct(customer, credit, "1")})
	wantCode(f.t, err, fault.CodeInsufficientCredits)
}
