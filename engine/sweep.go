package engine

import (
	"context"

	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/wallet"
)

// SweepBatch bounds the wallets that one sweep writes down.
const SweepBatch = 500

// Sweep writes down what time has done to wallets that nobody used since: expiries, lapsed
// holds, grants that began. It returns how many wallets it looked at. No balance and no
// decision depends on it (design law 4); it keeps the ledger current for those who only read
// it, and sends the events that follow.
func (e *Engine) Sweep(ctx context.Context) (int, error) {
	due, err := e.store.Due(ctx, e.clock.Now(), SweepBatch)
	if err != nil {
		return 0, err
	}
	for _, key := range due {
		if _, err := e.Do(ctx, Request{Wallet: key, Actor: "sweep"}); err != nil {
			return 0, err
		}
	}
	return len(due), nil
}

func (e *Engine) sweepLoop() {
	for {
		select {
		case <-e.clock.After(e.opts.SweepEvery):
		case <-e.stop:
			return
		}
		for {
			n, err := e.Sweep(e.ctx)
			if err != nil && fault.CodeOf(err) != fault.CodeShuttingDown {
				e.log.Warn("sweep failed", "cause", err)
			}
			if err != nil || n < SweepBatch {
				break
			}
		}
	}
}

// Read returns a wallet as it is at this instant, time's doing included, and the entries that
// time has made but nobody has written down yet. Nothing is written. The state is nil when the
// wallet does not exist.
func (e *Engine) Read(ctx context.Context, key wallet.Key) (*wallet.State, []wallet.Entry, error) {
	sn, err := e.store.Snapshot(ctx, key.ID())
	if err != nil || sn == nil {
		return nil, nil, err
	}
	defs, err := e.Definitions(ctx, key.App)
	if err != nil {
		return nil, nil, err
	}
	state := wallet.Load(sn, defs)
	entries, err := settleCopy(ctx, e.store, state, wallet.Context{Now: e.clock.Now(), Defs: defs})
	return state, entries, err
}

// settleCopy brings a private copy of a wallet to now, fetching what it looks back at.
func settleCopy(ctx context.Context, st store.Store, s *wallet.State, cx wallet.Context) ([]wallet.Entry, error) {
	var entries []wallet.Entry
	for {
		d, err := wallet.Settle(s, cx)
		if m, ok := asMissing(err); ok {
			f, err := st.Fetch(ctx, s.ID, m.Needs)
			if err != nil {
				return nil, err
			}
			s.Adopt(f.Grants, f.Holds, f.Past)
			continue
		}
		if err != nil || d == nil {
			return entries, err
		}
		s.Apply(d, cx.Defs)
		entries = append(entries, d.Entries...)
	}
}
