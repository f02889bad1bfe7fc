package payments

import (
	"context"
	"errors"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/payments/provider"
)

// past is how far a server has read what the provider of one side, live or test, tells of money that went
// back. It is kept in memory: a server that begins reads from ReconcileBack ago, so that what is lost with
// it is read twice, and nothing is missed.
type past struct {
	mode   catalog.Mode
	since  clock.Instant // all before was read
	began  clock.Instant // when the pass under way began; zero: none is
	cursor string        // where it has come to
	failed error         // why some of it could not be taken: then it is all read again
}

// read goes on reading, at most ReconcilePages, and brings what is news to the orders. News may be known:
// what is told twice changes nothing.
func (s *past) read(ctx context.Context, c *Core, p provider.Provider, now clock.Instant) error {
	if s.began.IsZero() {
		s.began, s.cursor, s.failed = now, "", nil
		s.since = max(s.since, now.Add(-ReconcileBack))
	}
	for range ReconcilePages {
		events, next, err := p.Past(ctx, s.mode, s.since, s.cursor)
		if err != nil {
			s.began = 0 // the cursor may be what is wrong
			return err
		}
		for i := range events {
			if err := c.take(ctx, s.mode, &events[i]); err != nil {
				s.failed = err // others are not to wait for it
			}
		}
		if s.cursor = next; next != "" {
			continue
		}
		if s.failed == nil {
			s.since = s.began.Add(-ReconcileOverlap)
		}
		s.began = 0
		return s.failed
	}
	return nil // the next round goes on
}

// readPast reads on at every provider that moves money now.
func (r *Reconciler) readPast(ctx context.Context, now clock.Instant) error {
	var failed error
	for i, p := range []provider.Provider{r.core.Live, r.core.Test} {
		if p != nil {
			failed = errors.Join(failed, r.past[i].read(ctx, r.core, p, now))
		}
	}
	return failed
}
