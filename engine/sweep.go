package engine

import (
	"context"

	"github.com/seed42445051/scrip/fault"
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
	return len(due), e.settleAll(ctx, due)
}

// settleAll writes down what time has done to wallets.
func (e *Engine) settleAll(ctx context.Context, due []wallet.Key) error {
	requests := make([]Request, len(due))
	for i, key := range due {
		requests[i] = Request{Wallet: key, Actor: "sweep"}
	}
	_, err := e.DoAll(ctx, requests)
	return err
}

func (e *Engine) sweepLoop() {
	next := e.clock.After(e.opts.SweepEvery)
	for {
		select {
		case <-next:
		case <-e.stop:
			return
		}
		next = e.clock.After(e.opts.SweepEvery) // before it looks: the time in which it does so counts
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
