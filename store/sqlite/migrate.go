package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"io/fs"

	"github.com/pressly/goose/v3"

	"github.com/seed42445051/scrip/fault"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrate brings the schema up to date.
func (s *Store) Migrate(ctx context.Context) error {
	const op = "sqlite.Migrate"
	if err := s.checkVersion(ctx); err != nil {
		return err
	}
	// Holding the writer keeps this process's own transactions out of the way.
	c, err := s.take(ctx, op, s.writer)
	if err != nil {
		return err
	}
	defer func() { s.writer.idle <- c }()
	db, err := sql.Open("sqlite", s.file.forWriting())
	if err != nil {
		return failed(ctx, op, err)
	}
	err = up(ctx, db)
	return failed(ctx, op, errors.Join(err, db.Close()))
}

func up(ctx context.Context, db *sql.DB) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	_, err = provider.Up(ctx)
	if err == nil {
		return nil
	}
	// Another process may have done the same first; then nothing is left to do.
	if pending, again := provider.HasPending(ctx); again != nil || pending {
		return errors.Join(err, again)
	}
	return nil
}

// checkVersion refuses a file that a newer program has migrated.
func (s *Store) checkVersion(ctx context.Context) error {
	const op = "sqlite.Open"
	known, err := knownVersion()
	if err != nil {
		return failed(ctx, op, err)
	}
	var has int64
	err = s.read(ctx, op, func(c *session) error {
		tracked := false
		err := c.query(ctx, selectSchemaTable, func(row) error { tracked = true; return nil })
		if err != nil || !tracked {
			return err
		}
		return c.query(ctx, selectSchemaVersion, func(r row) error { has = r.int(0); return nil })
	})
	if err != nil {
		return err
	}
	if has > known {
		return fault.New(op, fault.CodeNewerSchema, "the database has schema version %d, this program knows %d: use the newer program", has, known)
	}
	return nil
}

// knownVersion is the last version that this program migrates to.
func knownVersion() (int64, error) {
	entries, err := migrations.ReadDir("migrations")
	if err != nil {
		return 0, err
	}
	var last int64
	for _, e := range entries {
		n, err := goose.NumericComponent(e.Name())
		if err != nil {
			return 0, err
		}
		last = max(last, n)
	}
	return last, nil
}
