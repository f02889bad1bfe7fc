package postgres

import (
	"context"
	"embed"
	"io/fs"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/seed42445051/scrip/fault"
)

//go:embed migrations/*.sql
var migrations embed.FS

// A server that is killed while it migrates leaves its claim behind, and the next one waits for
// it to run out. A server that is alive renews its claim five times in that while.
const (
	claimLasts   = 10 * time.Second
	claimRenewed = 2 * time.Second
)

// migrateTries bounds how often migrating begins anew. Servers that start on an empty database
// at one time may all try to make the table that keeps them apart, and only one can.
const migrateTries = 5

// Migrate brings the schema up to date. It refuses a schema newer than this program knows
// (newer_schema). Any number of servers may call it at one time: one migrates, the others wait
// for it. They agree through a row, since a session lock would not pass through a pooler.
func (s *Store) Migrate(ctx context.Context) error {
	const op = "postgres.Migrate"
	if err := s.enter(op); err != nil {
		return err
	}
	defer s.leave()
	var err error
	for range migrateTries {
		if err = s.migrate(ctx); err == nil || ctx.Err() != nil || fault.CodeOf(err) == fault.CodeNewerSchema {
			break
		}
	}
	return fail(ctx, op, err)
}

func (s *Store) migrate(ctx context.Context) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	locker, err := lock.NewPostgresTableLocker(
		lock.WithTableLeaseDuration(claimLasts), lock.WithTableHeartbeatInterval(claimRenewed),
		lock.WithTableLockTimeout(250*time.Millisecond, 1200),
		lock.WithTableUnlockTimeout(250*time.Millisecond, 20),
		lock.WithTableLogger(slog.New(slog.DiscardHandler)),
	)
	if err != nil {
		return err
	}
	// Connections of its own: migrating takes several at one time, and the pool may have one.
	db := stdlib.OpenDB(*s.pool.Config().ConnConfig)
	defer func() { _ = db.Close() }() // nothing is left to lose
	provider, err := goose.NewProvider(
		goose.DialectPostgres, db, files, goose.WithLocker(locker), goose.WithDisableGlobalRegistry(true),
	)
	if err != nil {
		return err
	}
	have, know, err := provider.GetVersions(ctx)
	if err != nil {
		return err
	}
	if have > know {
		return fault.New("postgres.Migrate", fault.CodeNewerSchema,
			"the database has schema %d and this program knows %d: start the newer program", have, know)
	}
	if have == know {
		return nil
	}
	_, err = provider.Up(ctx)
	return err
}
