package sqlite

import (
	"context"
	"time"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/wallet"
)

// DueIn lists wallets of one test mode in which time has something to write down.
func (s *Store) DueIn(ctx context.Context, app string, mode catalog.Mode, now clock.Instant, most int) ([]wallet.Key, error) {
	return s.due(ctx, "sqlite.DueIn", selectDueIn, app, string(mode), int64(now), limit(most))
}

func (s *Store) due(ctx context.Context, op string, st statement, args ...any) ([]wallet.Key, error) {
	return readAll(ctx, s, query{op, st, args}, func(r row) (wallet.Key, error) {
		return wallet.Key{App: r.text(0), Mode: catalog.Mode(r.text(1)), Customer: r.text(2)}, nil
	})
}

// TakeOperations takes operations of an app's allowance for a month.
func (s *Store) TakeOperations(ctx context.Context, app, month string, allowance int64) (int64, error) {
	var taken int64
	err := s.change(ctx, "sqlite.TakeOperations", func(c *session) error {
		return c.query(context.WithoutCancel(ctx), takeOperations, func(r row) error {
			taken = r.int(0)
			return nil
		}, app, month, allowance, int64(store.OperationBlock))
	})
	return taken, err
}

// ReturnOperations gives back what was taken and not used.
func (s *Store) ReturnOperations(ctx context.Context, app, month string, n int64) error {
	return s.change(ctx, "sqlite.ReturnOperations", func(c *session) error {
		_, err := c.exec(context.WithoutCancel(ctx), returnOperations, app, month, n)
		return err
	})
}

func (c *session) clocks(ctx context.Context, defs *catalog.Definitions) error {
	return c.query(ctx, selectClocks, func(r row) error {
		defs.Clocks[catalog.Mode(r.text(0))] = catalog.TestClock{Offset: time.Duration(r.int(1)) * time.Microsecond, Reached: r.instant(2)}
		return nil
	}, defs.App)
}

func (c *session) writeClocks(ctx context.Context, app string, clocks map[catalog.Mode]catalog.TestClock) error {
	for mode, t := range clocks {
		if _, err := c.exec(ctx, upsertClock, app, string(mode), t.Offset.Microseconds(), int64(t.Reached)); err != nil {
			return err
		}
	}
	return nil
}
