package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/pressly/goose/v3"

	"github.com/seed42445051/scrip/audit"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/store/storetest"
)

// TestUpgrade migrates a database that has the first schema, and rows in it.
func TestUpgrade(t *testing.T) {
	s := openFile(t, newPath(t))
	old, err := parsePath(newPath(t))
	if err != nil {
		t.Fatal(err)
	}
	db := raw(t, old)
	upgraded := storetest.Upgrade(t, s, func() store.Store {
		migrateTo(t, db, 1)
		copyRows(t, db, s.file.path)
		return openFile(t, old.path+"?sync=off")
	})
	report, err := audit.Run(t.Context(), upgraded)
	if err != nil || len(report.Differences) > 0 || report.Wallets != 2 {
		t.Errorf("audit: %+v, %v", report, err)
	}
	for pragma, want := range map[string]string{
		"integrity_check": "ok", "foreign_key_check": "", "foreign_key_list(deliveries)": "entries entries entries",
		"index_list(deliveries)": "deliveries_listed deliveries_customer deliveries_due sqlite_autoindex_deliveries_1",
	} {
		column := map[string]int{"foreign_key_list(deliveries)": 2, "index_list(deliveries)": 1}[pragma]
		if got := pragmaColumn(t, db, pragma, column); got != want {
			t.Errorf("%s: %s, want %s", pragma, got, want)
		}
	}
}

func migrateTo(t *testing.T, db *sql.DB, version int64) {
	t.Helper()
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		t.Fatal(err)
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.UpTo(t.Context(), version); err != nil {
		t.Fatal(err)
	}
}

// copyRows takes, from a database of a newer schema, what the tables of an older one have columns for.
func copyRows(t *testing.T, db *sql.DB, path string) {
	t.Helper()
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	must := func(statement string, args ...any) {
		t.Helper()
		if _, err := conn.ExecContext(context.WithoutCancel(t.Context()), statement, args...); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	must("PRAGMA foreign_keys = OFF")
	must("ATTACH ? AS newer", path)
	rows, err := conn.QueryContext(t.Context(), `SELECT s.name, group_concat(c.name) FROM sqlite_schema s JOIN pragma_table_info(s.name) c
		WHERE s.type = 'table' AND s.name NOT LIKE 'sqlite%' AND s.name NOT LIKE 'goose%' GROUP BY s.name`)
	if err != nil {
		t.Fatal(err)
	}
	var statements []string
	for rows.Next() {
		var table, columns string
		if err := rows.Scan(&table, &columns); err != nil {
			t.Fatal(err)
		}
		statements = append(statements, fmt.Sprintf("INSERT INTO main.%s (%s) SELECT %s FROM newer.%s", table, columns, columns, table))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	for _, statement := range statements {
		must(statement)
	}
	must("DETACH newer")
	must("PRAGMA foreign_keys = ON")
}

// pragmaColumn is one column of what a pragma says, row by row.
func pragmaColumn(t *testing.T, db *sql.DB, pragma string, column int) string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), "PRAGMA "+pragma)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	names, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for rows.Next() {
		values := make([]any, len(names))
		for i := range values {
			values[i] = new(any)
		}
		if err := rows.Scan(values...); err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprint(*values[column].(*any)))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return strings.Join(got, " ")
}
