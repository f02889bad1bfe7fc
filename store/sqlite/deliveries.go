package sqlite

import (
	"context"
	"encoding/hex"
	"math"
	"slices"
	"strings"

	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/store"
)

// DueDeliveries tells when something is due, for each endpoint.
func (s *Store) DueDeliveries(ctx context.Context, now clock.Instant) ([]store.Due, error) {
	return readAll(ctx, s, query{"sqlite.DueDeliveries", selectDueDeliveries, []any{int64(now)}}, func(r row) (store.Due, error) {
		return store.Due{App: r.text(0), Endpoint: r.text(1), Now: r.bool(2), Next: r.instant(3)}, nil
	})
}

// Lease takes deliveries that are due. There is one writer, and so nothing to be passed over.
func (s *Store) Lease(ctx context.Context, q store.LeaseQuery) ([]store.Leased, error) {
	var taken []store.Leased
	err := s.change(ctx, "sqlite.Lease", func(c *session) error {
		ctx := context.WithoutCancel(ctx)
		var err error
		if q.Ordered {
			taken, err = c.orderedDue(ctx, &q)
		} else {
			taken, err = c.leasedRows(ctx, selectDueOf, q.Endpoint, int64(q.Now), limit(q.Limit))
		}
		if err != nil {
			return err
		}
		for i := range taken {
			d := &taken[i]
			if _, err := c.exec(ctx, leaseDelivery, append([]any{int64(q.Until)}, of(d.Wallet, d.N)...)...); err != nil {
				return err
			}
			d.NextAt = q.Until
		}
		return nil
	})
	return taken, err
}

func (c *session) leasedRows(ctx context.Context, st statement, args ...any) ([]store.Leased, error) {
	var all []store.Leased
	err := c.query(ctx, st, func(r row) error {
		d, err := r.leased()
		all = append(all, d)
		return err
	}, args...)
	return all, err
}

// orderedDue finds the runs that may be sent, and makes what has to wait for a head wait.
func (c *session) orderedDue(ctx context.Context, q *store.LeaseQuery) ([]store.Leased, error) {
	busy := make([]string, len(q.Busy))
	for i, w := range q.Busy {
		busy[i] = strings.ToUpper(hex.EncodeToString(w[:]))
	}
	for {
		due, waiting, err := c.runsDue(ctx, q, jsonOf(busy, 1))
		if err != nil || len(due) > 0 || !waiting {
			return due, err
		}
		// All that was looked at has to wait, and is not due any more.
	}
}

func (c *session) runsDue(ctx context.Context, q *store.LeaseQuery, busy string) (due []store.Leased, waiting bool, err error) {
	var wallets []id.Wallet
	err = c.query(ctx, selectDueWallets, func(r row) error {
		if w := id.Wallet(r.blob(0)); !slices.Contains(wallets, w) {
			wallets = append(wallets, w)
		}
		return nil
	}, q.Endpoint, int64(q.Now), busy, limit(q.Limit))
	if err != nil {
		return nil, false, err
	}
	for _, w := range wallets {
		if len(due) >= q.Limit {
			break
		}
		run, err := c.leasedRows(ctx, selectRun, of(w, q.Endpoint, int64(min(store.MaxRun, q.Limit-len(due))))...)
		if err != nil {
			return nil, false, err
		}
		if head := &run[0]; head.NextAt > q.Now {
			err := c.follow(ctx, &store.Follow{Wallet: w, Endpoint: q.Endpoint, After: head.N, At: head.NextAt, Hold: true})
			if err != nil {
				return nil, false, err
			}
			waiting = true
			continue
		}
		due = append(due, run...)
	}
	return due, waiting, nil
}

// Finish writes what came of leased deliveries.
func (s *Store) Finish(ctx context.Context, results []store.Result, follow []store.Follow) error {
	return s.change(ctx, "sqlite.Finish", func(c *session) error {
		ctx := context.WithoutCancel(ctx)
		for i := range results {
			r := &results[i]
			args := append([]any{
				string(r.Status), int64(r.Tries), int64(r.NextAt), int64(r.FinishedAt), jsonOf(r.Log, len(r.Log)),
			}, of(r.Wallet, r.N, int64(r.Lease))...)
			if _, err := c.exec(ctx, finishDelivery, args...); err != nil {
				return err
			}
		}
		for i := range follow {
			if err := c.follow(ctx, &follow[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

func (c *session) follow(ctx context.Context, f *store.Follow) error {
	st := wakeFollowers
	if f.Hold {
		st = holdFollowers
	}
	_, err := c.exec(ctx, st, of(f.Wallet, int64(f.At), f.Endpoint, f.After)...)
	return err
}

// Redeliver makes deliveries pending again.
func (s *Store) Redeliver(ctx context.Context, q store.RedeliverQuery) (n int64, err error) {
	err = s.change(ctx, "sqlite.Redeliver", func(c *session) error {
		ctx := context.WithoutCancel(ctx)
		if q.N != 0 {
			n, err = c.exec(ctx, redeliverOne, append([]any{int64(q.At)}, of(q.Wallet, q.N)...)...)
			return err
		}
		to := q.To
		if to.IsZero() {
			to = math.MaxInt64
		}
		n, err = c.exec(ctx, redeliverRange, int64(q.At), q.Endpoint, int64(q.From), int64(to), flag(q.Failed))
		return err
	})
	return n, err
}

// ListDeliveries lists an endpoint's deliveries, newest first.
func (s *Store) ListDeliveries(ctx context.Context, q store.DeliveryQuery) ([]store.Delivery, error) {
	before := store.DeliveryPlace{At: clock.Instant(math.MaxInt64)}
	if q.Before != nil {
		before = *q.Before
	}
	args := []any{q.Endpoint, int64(before.At), before.Wallet[:], before.N, string(q.Status), string(q.Type), limit(q.Limit), q.App, string(q.Mode)}
	return readAll(ctx, s, query{"sqlite.ListDeliveries", selectDeliveries, args}, row.delivery)
}

// FindDelivery reads one delivery; nil when it does not exist.
func (s *Store) FindDelivery(ctx context.Context, w id.Wallet, n int64) (*store.Leased, error) {
	var found []store.Leased
	err := s.read(ctx, "sqlite.FindDelivery", func(c *session) error {
		var err error
		found, err = c.leasedRows(ctx, selectDelivery, of(w, n)...)
		return err
	})
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], nil
}

// PruneDeliveries deletes, of a stretch of deliveries, those that nothing is to become of.
func (s *Store) PruneDeliveries(ctx context.Context, q store.PruneQuery) (store.Pruned, error) {
	const op = "sqlite.PruneDeliveries"
	var stretch store.Stretch
	err := s.read(ctx, op, func(c *session) error {
		err := c.query(ctx, selectPrunedEndpoints, func(r row) error {
			stretch.Endpoint(r.text(0), r.instant(1))
			return nil
		}, q.After.Endpoint)
		if err != nil || !stretch.Begin(&q) {
			return err
		}
		at := stretch.After
		return c.query(ctx, selectPruned, func(r row) error {
			stretch.Row(store.DeliveryPlace{At: r.instant(0), Wallet: id.Wallet(r.blob(1)), N: r.int(2)}, r.bool(3))
			return nil
		}, at.Endpoint, int64(q.Before), int64(at.At), at.Wallet[:], at.N, limit(q.Limit))
	})
	out := store.Pruned{Next: stretch.Next(store.PageLimit(q.Limit))}
	if err != nil || len(stretch.Doomed) == 0 {
		return out, err
	}
	err = s.change(ctx, op, func(c *session) error {
		ctx := context.WithoutCancel(ctx)
		for _, d := range stretch.Doomed {
			n, err := c.exec(ctx, deleteDelivery, of(d.Wallet, d.N, flag(stretch.All))...)
			if err != nil {
				return err
			}
			out.Deleted += n
		}
		return nil
	})
	return out, err
}

// Backlog tells what waits to be sent.
func (s *Store) Backlog(ctx context.Context) (b store.Backlog, err error) {
	err = s.read(ctx, "sqlite.Backlog", func(c *session) error {
		return c.query(ctx, selectBacklog, func(r row) error {
			b = store.Backlog{Pending: r.int(0), Oldest: r.instant(1)}
			return nil
		}, int64(store.MaxBacklog))
	})
	return b, err
}
