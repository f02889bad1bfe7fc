package postgres_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/internal/pgtest"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/store/postgres"
	"github.com/seed42445051/scrip/wallet"
)

const (
	benchWallets = 1000
	benchBatch   = 64
)

// BenchmarkWrite measures what the engine does most: batches of deductions of one entry
// each, on wallets and definitions whose versions are known. The server runs beside it on the
// same machine and makes every commit durable.
func BenchmarkWrite(b *testing.B) {
	server := pgtest.New(b)
	for _, bench := range []struct {
		name    string
		wallets int // that share a batch
		writers int // batches under way at one time
		answers bool
	}{
		{"one wallet", 1, 1, false},
		{"64 of 1000 wallets", benchBatch, 1, false},
		{"one wallet, with idempotency keys", 1, 1, true},
		{"64 of 1000 wallets, with idempotency keys", benchBatch, 1, true},
		{"one wallet each, 4 writers", 1, 4, false},
		{"64 of 1000 wallets, 4 writers", benchBatch, 4, false},
		{"64 of 1000 wallets, 4 writers, with idempotency keys", benchBatch, 4, true},
	} {
		b.Run(bench.name, func(b *testing.B) {
			url, err := server.NewDatabase(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			s := openURL(b, url)
			define(b, s)
			loads := make([]*load, bench.writers)
			for i := range loads {
				loads[i] = newLoad(b, s, fmt.Sprint(i), benchWallets/bench.writers)
			}
			for b.Loop() {
				var wg sync.WaitGroup
				for _, l := range loads {
					wg.Go(func() {
						for range 8 { // so that writers need not wait for one another each time
							l.batch(b, bench.wallets, benchBatch/bench.wallets, bench.answers)
						}
					})
				}
				wg.Wait()
			}
			b.ReportMetric(float64(b.N*bench.writers*8*benchBatch)/b.Elapsed().Seconds(), "entries/s")
		})
	}
}

// load is wallets that spend in turn, all of them known.
type load struct {
	store   *postgres.Store
	headers []wallet.Header
	next    int
}

func newLoad(b testing.TB, s *postgres.Store, name string, wallets int) *load {
	b.Helper()
	l := &load{store: s}
	var all []store.WalletChange
	for i := range wallets {
		c := opening(wallet.Key{App: app, Mode: catalog.Live, Customer: fmt.Sprintf("%s-%d", name, i)})
		all = append(all, c)
		l.headers = append(l.headers, c.Header)
	}
	for chunk := range slices.Chunk(all, 250) {
		inOrder(chunk)
		want := &store.Want{}
		for i := range chunk {
			want.Wallets = append(want.Wallets, store.WantWallet{ID: chunk[i].Header.ID})
		}
		if err := s.Transact(b.Context(), want, func(*store.Found) (*store.Changes, error) { return &store.Changes{Wallets: chunk}, nil }); err != nil {
			b.Fatal(err)
		}
	}
	for range 2 * wallets / benchBatch {
		l.batch(b, benchBatch, 1, false)
	}
	return l
}

// batch writes one transaction: each deductions on so many wallets.
func (l *load) batch(b testing.TB, wallets, each int, answers bool) {
	changes := make([]store.WalletChange, 0, wallets)
	for range wallets {
		h := &l.headers[l.next]
		l.next = (l.next + 619) % len(l.headers) // far apart, and all of them in turn
		operations := make([]string, each)
		if answers {
			for i := range operations {
				operations[i] = fmt.Sprintf("%08d-%s", h.Seq+int64(i), h.ID)
			}
		}
		c := spending(*h, operations...)
		if answers {
			for _, operation := range operations {
				c.Answers = append(c.Answers, store.StoredAnswer{Key: operation, Answer: make([]byte, 900), At: start})
			}
		}
		*h = c.Header
		changes = append(changes, c)
	}
	l.write(b, changes)
}

func (l *load) write(b testing.TB, changes []store.WalletChange) {
	inOrder(changes)
	want := &store.Want{Apps: []store.WantApp{{App: app, Version: 2}}}
	for i := range changes {
		w := store.WantWallet{ID: changes[i].Header.ID, Version: changes[i].Header.Version - 1}
		for _, a := range changes[i].Answers {
			w.Answers = append(w.Answers, a.Key)
		}
		want.Wallets = append(want.Wallets, w)
	}
	if err := l.store.Write(b.Context(), want, &store.Changes{Wallets: changes}); err != nil {
		b.Fatal(err)
	}
}

func inOrder(changes []store.WalletChange) {
	slices.SortFunc(changes, func(x, y store.WalletChange) int { return slices.Compare(x.Header.ID[:], y.Header.ID[:]) })
}
