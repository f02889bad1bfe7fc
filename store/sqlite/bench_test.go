package sqlite_test

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/store/sqlite"
	"github.com/seed42445051/scrip/wallet"
)

const (
	benchWallets = 1000
	benchBefore  = 200_000 // entries in the file before anything is measured
	benchBatch   = 64
)

// BenchmarkTransact measures what the engine does most: a batch of deductions, each with one
// entry, on wallets whose version is known.
func BenchmarkTransact(b *testing.B) {
	for _, bench := range []struct {
		name    string
		wallets int // that share the batch
		with    extras
	}{
		{"one wallet", 1, extras{}},
		{"64 of 1000 wallets", benchBatch, extras{}},
		{"one wallet, with idempotency keys", 1, extras{answers: true}},
		{"64 of 1000 wallets, with idempotency keys", benchBatch, extras{answers: true}},
		{"one wallet, placing and taking holds", 1, extras{holds: true}},
		{"64 of 1000 wallets, placing and taking holds", benchBatch, extras{holds: true}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			l := newLoad(b)
			for l.entries < benchBefore {
				l.batch(b, benchBatch, 256/benchBatch, extras{})
			}
			before, cpu := l.entries, cpuTime()
			for b.Loop() {
				l.batch(b, bench.wallets, benchBatch/bench.wallets, bench.with)
			}
			b.ReportMetric((cpuTime()-cpu).Seconds()*1e6/float64(l.entries-before), "cpu-us/entry")
			b.ReportMetric(float64(l.entries-before)/b.Elapsed().Seconds(), "entries/s")
		})
	}
}

// extras is what comes with an entry.
type extras struct {
	answers bool // an idempotency key, looked up and stored
	holds   bool // a hold, placed in one round of the wallets and taken in the next
}

// load is wallets that spend in turn.
type load struct {
	store   *sqlite.Store
	headers []wallet.Header
	next    int
	entries int
}

func newLoad(b *testing.B) *load {
	s, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "bench.db"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	l := &load{store: s}
	l.must(b, s.Migrate(b.Context()))
	l.must(b, s.CreateApp(b.Context(), store.App{ID: "app_01kbench00000000000000000", Name: "Bench"}))
	credit := &catalog.Credit{ID: benchCredit, Name: "Calls", DrawOrder: catalog.DefaultDrawOrder()}
	l.must(b, s.Define(b.Context(), "app_01kbench00000000000000000", 1, store.Definition{Credits: []*catalog.Credit{credit}}, nil))
	for i := range benchWallets {
		key := wallet.Key{App: "app_01kbench00000000000000000", Mode: catalog.Live, Customer: fmt.Sprintf("customer-%d", i)}
		l.headers = append(l.headers, wallet.Header{ID: key.ID(), Key: key})
	}
	for chunk := range slices.Chunk(l.headers, 250) {
		var changes []store.WalletChange
		for i := range chunk {
			chunk[i].Version, chunk[i].GrantSeq = 1, 1
			changes = append(changes, store.WalletChange{
				Header: chunk[i], Created: true, Lanes: []*wallet.Lane{{N: 1, Credit: benchCredit}},
				NewGrants: []*wallet.Grant{benchGrant(0)}, Standings: []wallet.Standing{{Credit: benchCredit}},
			})
		}
		l.write(b, changes, extras{})
	}
	return l
}

const (
	benchCredit = "crd_01kbench00000000000000000"
	benchAmount = 1_000_000_000
)

func (l *load) must(b *testing.B, err error) {
	if err != nil {
		b.Fatal(err)
	}
}

func benchGrant(spent int64) *wallet.Grant {
	return &wallet.Grant{
		N: 1, Lane: 1, Credit: benchCredit, Amount: benchAmount, Available: benchAmount - spent, Spent: spent,
		Status: wallet.GrantActive, Category: catalog.Paid, Priority: 50, Source: wallet.SourcePurchase,
		EffectiveAt: benchStart, CreatedAt: benchStart, Actor: "key_01kbench00000000000000000",
	}
}

const benchStart = clock.Instant(1_750_000_000_000_000)

// batch writes one transaction: each deductions on so many wallets.
func (l *load) batch(b *testing.B, wallets, each int, with extras) {
	changes := make([]store.WalletChange, 0, wallets)
	for range wallets {
		h := &l.headers[l.next]
		l.next = (l.next + 619) % benchWallets // far apart, and all of them in turn
		changes = append(changes, l.deduct(h, each, with))
	}
	slices.SortFunc(changes, func(x, y store.WalletChange) int { return bytes.Compare(x.Header.ID[:], y.Header.ID[:]) })
	l.write(b, changes, with)
	l.entries += wallets * each
}

func (l *load) deduct(h *wallet.Header, each int, with extras) store.WalletChange {
	h.Version++
	c := store.WalletChange{Entries: make([]wallet.Entry, each)}
	for i := range c.Entries {
		h.Seq++
		e := &c.Entries[i]
		*e = wallet.Entry{
			Seq: h.Seq, Type: wallet.CreditDeducted, Credit: benchCredit, Amount: -1,
			BalanceBefore: benchAmount - h.Seq, BalanceAfter: benchAmount - h.Seq - 1, Op: h.Seq,
			Slices: []wallet.Slice{{Grant: 1, Available: -1}}, Actor: "key_01kbench00000000000000000",
			EffectiveAt: benchStart + clock.Instant(h.Seq), RecordedAt: benchStart + clock.Instant(h.Seq), Prev: h.Head,
		}
		if with.answers {
			e.Idempotency = fmt.Sprintf("%08d-%s", h.Seq, h.ID)
			c.Answers = append(c.Answers, store.StoredAnswer{Key: e.Idempotency, Answer: make([]byte, 900), At: benchStart})
		}
		h.Head = e.Seal(h.ID)
		e.Hash = h.Head
	}
	if with.holds {
		c.NewHolds, c.Holds = benchHolds(h, each)
	}
	h.LastAt = benchStart + clock.Instant(h.Seq)
	c.Header = *h
	c.Spent = []*wallet.Grant{benchGrant(h.Seq)}
	return c
}

// benchHolds places holds in one call and takes them in the next.
func benchHolds(h *wallet.Header, each int) (placed, taken []*wallet.Hold) {
	hold := func(n int64, status wallet.HoldStatus) *wallet.Hold {
		return &wallet.Hold{
			N: n, Charge: wallet.Charge{Event: "image.generated", Quantity: 1_000_000, Metadata: wallet.Metadata{"model": "large"}},
			Slices: []wallet.HoldSlice{{Grant: 1, Units: 1, Measure: 1_000_000}}, Status: status,
			CreatedAt: benchStart, ExpiresAt: benchStart, Actor: "key_01kbench00000000000000000",
		}
	}
	if h.Version%2 == 0 {
		for range each {
			h.HoldSeq++
			placed = append(placed, hold(h.HoldSeq, wallet.ReservationPending))
		}
		return placed, nil
	}
	for n := h.HoldSeq - int64(each) + 1; n > 0 && n <= h.HoldSeq; n++ {
		taken = append(taken, hold(n, wallet.ReservationCommitted))
	}
	return nil, taken
}

func (l *load) write(b *testing.B, changes []store.WalletChange, with extras) {
	want := &store.Want{Apps: []store.WantApp{{App: "app_01kbench00000000000000000", Version: 2}}}
	for i := range changes {
		w := store.WantWallet{ID: changes[i].Header.ID, Version: changes[i].Header.Version - 1}
		if with.answers {
			for _, a := range changes[i].Answers {
				w.Answers = append(w.Answers, a.Key)
			}
		}
		want.Wallets = append(want.Wallets, w)
	}
	l.must(b, l.store.Transact(b.Context(), want, func(found *store.Found) (*store.Changes, error) {
		return &store.Changes{Wallets: changes}, nil
	}))
}

// cpuTime is what this process has used. It says more than the wall's clock on a machine that
// others use too.
func cpuTime() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
