package engine

import (
	"context"
	"fmt"
	"testing"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/wallet"
)

// yes is a store that finds everything as it is known, and accepts every change.
type yes struct{ store.Store }

func (yes) Transact(_ context.Context, want *store.Want, decide func(*store.Found) (*store.Changes, error)) error {
	found := &store.Found{Wallets: make([]store.FoundWallet, len(want.Wallets))}
	for i := range want.Wallets {
		found.Wallets[i].Exists = want.Wallets[i].Version > 0
	}
	_, err := decide(found)
	return err
}

func (yes) Write(context.Context, *store.Want, *store.Changes) error { return nil }

// BenchmarkProcess is what the engine and the rules cost a command, without queue and store.
func BenchmarkProcess(b *testing.B) {
	for _, bench := range []struct {
		name    string
		wallets int
		key     string
	}{
		{"one wallet", 1, ""},
		{"64 wallets", 64, ""},
		{"64 wallets, with idempotency keys", 64, "key-%d-%d"},
	} {
		b.Run(bench.name, func(b *testing.B) {
			const batch = 64
			e := New(yes{}, Options{Clock: clock.NewManual(1_770_000_000_000_000)})
			defer e.Close(context.Background())
			credit := &catalog.Credit{ID: "crd_bench", App: "app_bench", Name: "Bench", DrawOrder: catalog.DefaultDrawOrder()}
			defs := catalog.NewDefinitions("app_bench", "Bench", 1)
			defs.Credits[credit.ID] = credit
			e.learn(defs)
			s := newShard(e)
			run := func(round int, command wallet.Command) {
				jobs := make([]*job, batch)
				for i := range jobs {
					r := Request{Wallet: wallet.Key{App: "app_bench", Mode: catalog.Live, Customer: fmt.Sprint("c", i%bench.wallets)}, Command: command}
					if bench.key != "" {
						r.Idempotency = fmt.Sprintf(bench.key, round, i)
					}
					j, err := newJob(r)
					if err != nil {
						b.Fatal(err)
					}
					jobs[i] = j
				}
				s.process(jobs)
				for _, j := range jobs {
					if j.err != nil {
						b.Fatal(j.err)
					}
				}
			}
			run(0, &wallet.GiveCredits{Credit: credit.ID, Amount: 1_000_000_000})
			spend := &wallet.Deduct{Charge: wallet.Charge{Credit: credit.ID, Amount: 1}}
			b.ReportAllocs()
			for round := 1; b.Loop(); round++ {
				run(round, spend)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*batch), "ns/command")
		})
	}
}
