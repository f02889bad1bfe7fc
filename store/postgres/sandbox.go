package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/wallet"
)

const (
	// In the usual case the second half finds no clock, and so reads no wallet. Live has none, which
	// is said again for the sake of the index that leaves it out.
	selectDue = `SELECT app_id, mode, customer_id FROM (
		(SELECT app_id, mode, customer_id, next_due FROM wallets WHERE next_due > 0 AND next_due <= $1::bigint
			ORDER BY next_due LIMIT $2::bigint)
		UNION ALL
		(SELECT w.app_id, w.mode, w.customer_id, w.next_due FROM test_clocks c JOIN wallets w ON w.app_id = c.app_id AND w.mode = c.mode
			WHERE w.mode <> 'live' AND w.next_due > 0 AND w.next_due > $1::bigint AND w.next_due <= $1::bigint + c.ahead
			ORDER BY w.next_due LIMIT $2::bigint)) d
		ORDER BY next_due LIMIT $2::bigint`

	selectDueIn = `SELECT app_id, mode, customer_id FROM wallets WHERE app_id = $1::text AND mode = $2::text AND mode <> 'live'
		AND next_due > 0 AND next_due <= $3::bigint ORDER BY next_due LIMIT $4::bigint`

	takeOperations = `INSERT INTO sandbox_operations AS s (app_id, month, used, taken)
		SELECT $1::text, $2::text, n, n FROM (SELECT least($4::bigint, greatest(1, $3::bigint / 10)) AS n) d WHERE $3::bigint > 0
		ON CONFLICT (app_id, month) DO UPDATE SET
			used = s.used + least($4::bigint, greatest(1, ($3::bigint - s.used) / 10)),
			taken = least($4::bigint, greatest(1, ($3::bigint - s.used) / 10))
		WHERE s.used < $3::bigint RETURNING taken`

	returnOperations = `UPDATE sandbox_operations SET used = used - $3::bigint WHERE app_id = $1::text AND month = $2::text`

	upsertClock = `INSERT INTO test_clocks (app_id, mode, ahead, reached) VALUES ($1::text, $2::text, $3::bigint, $4::bigint)
		ON CONFLICT (app_id, mode) DO UPDATE SET ahead = EXCLUDED.ahead, reached = EXCLUDED.reached`
)

// Due lists wallets in which time has something to write down, the longest due first.
func (s *Store) Due(ctx context.Context, now clock.Instant, limit int) ([]wallet.Key, error) {
	return s.due(ctx, "postgres.Due", selectDue, int64(now), int64(store.PageLimit(limit)))
}

// DueIn lists wallets of one test mode in which time has something to write down.
func (s *Store) DueIn(ctx context.Context, app string, mode catalog.Mode, now clock.Instant, limit int) ([]wallet.Key, error) {
	return s.due(ctx, "postgres.DueIn", selectDueIn, app, string(mode), int64(now), int64(store.PageLimit(limit)))
}

func (s *Store) due(ctx context.Context, op, sql string, args ...any) ([]wallet.Key, error) {
	return readAll(ctx, s, query{op, sql, args}, func(r pgx.Rows) (wallet.Key, error) {
		var k wallet.Key
		err := r.Scan(&k.App, (*string)(&k.Mode), &k.Customer)
		return k, err
	})
}

// TakeOperations takes operations of an app's allowance for a month.
func (s *Store) TakeOperations(ctx context.Context, app, month string, allowance int64) (int64, error) {
	var taken int64
	var work script
	work.add(partOther, func(r pgx.Rows) error { return r.Scan(&taken) }, takeOperations, app, month, allowance, int64(store.OperationBlock))
	err := s.read(ctx, "postgres.TakeOperations", &work)
	return taken, err
}

// ReturnOperations gives back what was taken and not used.
func (s *Store) ReturnOperations(ctx context.Context, app, month string, n int64) error {
	const op = "postgres.ReturnOperations"
	if err := s.enter(op); err != nil {
		return err
	}
	defer s.leave()
	// Once only: where it is not certain that it was done, doing it again would give back too much.
	return fail(ctx, op, s.with(ctx, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, returnOperations, app, month, n)
		return err
	}))
}

// clocks queues what reads the test clocks of apps.
func (s *script) clocks(apps []string, defs map[string]*catalog.Definitions) {
	s.add(partOther, func(r pgx.Rows) error {
		var app, mode string
		var ahead int64
		var t catalog.TestClock
		if err := r.Scan(&app, &mode, &ahead, instant(&t.Reached)); err != nil {
			return err
		}
		t.Offset = time.Duration(ahead) * time.Microsecond
		defs[app].Clocks[catalog.Mode(mode)] = t
		return nil
	}, "SELECT app_id, mode, ahead, reached FROM test_clocks WHERE app_id = ANY($1::text[])", apps)
}

func (d *definer) clocks(clocks map[catalog.Mode]catalog.TestClock) error {
	for mode, t := range clocks {
		if _, err := d.exec(partOther, upsertClock, d.app, string(mode), t.Offset.Microseconds(), int64(t.Reached)); err != nil {
			return err
		}
	}
	return nil
}
