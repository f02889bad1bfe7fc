package notify

import (
	"time"

	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/store"
)

// prunePause is how long everybody else has the database between two batches.
const prunePause = 20 * time.Millisecond

// prune deletes what is old, batch by batch, from the beginning of the dispatcher to its end.
// Whoever else does so at the same time finds less to do.
func (d *Dispatcher) prune() {
	for {
		next := d.service.Clock.After(PruneEvery)
		d.pruneAll(d.service.Clock.Now().Add(-d.service.Keep))
		select {
		case <-next:
		case <-d.stop:
			return
		}
	}
}

// pruneAll deletes what was made before an instant.
func (d *Dispatcher) pruneAll(before clock.Instant) {
	q := store.PruneQuery{Before: before, Limit: PruneBatch}
	for {
		pruned, err := d.service.Store.PruneDeliveries(d.ctx, q)
		if err != nil {
			d.service.Log.Warn("deleting old webhook deliveries failed", "cause", err)
			return // the next round finds what is left
		}
		d.service.stats.Pruned.Add(pruned.Deleted)
		if pruned.Next == nil {
			return
		}
		q.After = *pruned.Next
		select {
		case <-d.service.Clock.After(prunePause):
		case <-d.stop:
			return
		}
	}
}
