package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"github.com/seed42445051/scrip/audit"
	"github.com/seed42445051/scrip/internal/pgtest"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/store/storetest"
)

// TestUpgrade migrates a database that has the first schema, and rows in it. Both databases are
// schemas of one, between which rows can be copied.
func TestUpgrade(t *testing.T) {
	url := pgtest.URL(t)
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	if _, err := conn.Exec(t.Context(), "CREATE SCHEMA newer; CREATE SCHEMA older"); err != nil {
		t.Fatal(err)
	}
	s, old := openIn(t, url, "newer"), openIn(t, url, "older")
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	upgraded := storetest.Upgrade(t, s, func() store.Store {
		migrateTo(t, old, 1)
		copyRows(t, conn)
		if err := old.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		return old
	})
	report, err := audit.Run(t.Context(), upgraded)
	if err != nil || len(report.Differences) > 0 || report.Wallets != 2 {
		t.Errorf("audit: %+v, %v", report, err)
	}
}

func openIn(t *testing.T, url, schema string) *Store {
	t.Helper()
	mark := "?"
	if strings.Contains(url, mark) {
		mark = "&"
	}
	s, err := Open(t.Context(), url+mark+"search_path="+schema, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func migrateTo(t *testing.T, s *Store, version int64) {
	t.Helper()
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		t.Fatal(err)
	}
	db := stdlib.OpenDB(*s.pool.Config().ConnConfig)
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	_, err = provider.UpTo(t.Context(), version)
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}

// copyRows takes, from the newer schema, what the tables of the older one have columns for, in the
// order in which they were made, so that what a row refers to is there.
func copyRows(t *testing.T, conn *pgx.Conn) {
	t.Helper()
	rows, err := conn.Query(t.Context(), `SELECT c.relname, string_agg(quote_ident(a.attname), ', ') FROM pg_class c
		JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
		WHERE c.relnamespace = 'older'::regnamespace AND c.relkind = 'r' AND c.relname NOT LIKE 'goose%' GROUP BY c.oid ORDER BY c.oid`)
	if err != nil {
		t.Fatal(err)
	}
	statements, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (string, error) {
		var table, columns string
		err := r.Scan(&table, &columns)
		return fmt.Sprintf("INSERT INTO older.%s (%s) SELECT %s FROM newer.%s", table, columns, columns, table), err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range statements {
		if _, err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}
