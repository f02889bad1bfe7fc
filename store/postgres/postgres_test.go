package postgres_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/internal/pgtest"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/store/postgres"
	"github.com/seed42445051/scrip/store/storetest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m, pgtest.WithoutFsync())) }

// openURL returns a migrated store.
func openURL(t testing.TB, url string) *postgres.Store {
	t.Helper()
	s, err := postgres.Open(t.Context(), url, postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	distribute(t, url)
	return s
}

// openSchema returns a migrated store in a schema of its own, which is made faster than a
// database.
func openSchema(t testing.TB, url, schema, parameters string) *postgres.Store {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), "CREATE SCHEMA "+schema); err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	url = with(url, "search_path="+schema)
	return openURL(t, with(url, parameters))
}

// distribute spreads the tables by bucket where the server is a coordinator of Citus, and does
// nothing elsewhere. Where the environment names no such server, nothing here says that the
// store works on one.
func distribute(t testing.TB, url string) {
	t.Helper()
	config, err := pgxpool.ParseConfig(url) // which knows the parameters of the pool as well
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.ConnectConfig(t.Context(), config.ConnConfig)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	var preloaded string
	if err := conn.QueryRow(t.Context(), "SHOW shared_preload_libraries").Scan(&preloaded); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(preloaded, "citus") {
		return
	}
	if _, err := conn.Exec(t.Context(), "CREATE EXTENSION IF NOT EXISTS citus"); err != nil {
		t.Fatal(err)
	}
	var done bool
	err = conn.QueryRow(t.Context(), "SELECT EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = 'wallets'::regclass)").Scan(&done)
	if err != nil {
		t.Fatal(err)
	}
	if done {
		return
	}
	script, err := os.ReadFile("distribute.sql")
	if err != nil {
		t.Fatal(err)
	}
	statements := append([]string{
		fmt.Sprintf("SELECT citus_set_coordinator_host('%s', %d)", conn.Config().Host, conn.Config().Port),
		fmt.Sprintf("SELECT citus_set_node_property('%s', %d, 'shouldhaveshards', true)", conn.Config().Host, conn.Config().Port),
		"SET citus.shard_count = 4",
	}, strings.Split(string(script), ";\n")...)
	for _, statement := range statements {
		if _, err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
}

// with adds parameters to an address.
func with(url, parameters string) string {
	if parameters == "" {
		return url
	}
	if strings.Contains(url, "?") {
		return url + "&" + parameters
	}
	return url + "?" + parameters
}

// TestStore runs the conformance suite in every mode in which pgx can run statements: what
// works in the last ones passes through poolers that keep no state between transactions.
func TestStore(t *testing.T) {
	for _, mode := range []string{"cache_statement", "cache_describe", "exec", "simple_protocol"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			url, n := pgtest.URL(t), 0
			storetest.Run(t, func(t *testing.T) store.Store {
				n++
				return openSchema(t, url, fmt.Sprintf("s%d", n), "default_query_exec_mode="+mode)
			})
		})
	}
}

func TestOpen(t *testing.T) {
	if _, err := postgres.Open(t.Context(), "postgres://user:secret@host:port/db", postgres.Options{}); fault.CodeOf(err) != fault.CodeInvalidConfig {
		t.Errorf("a wrong address: %v", err)
	} else if strings.Contains(err.Error(), "secret") {
		t.Error("the error tells the password")
	}
	s, err := postgres.Open(t.Context(), "postgres://user@127.0.0.1:1/db?connect_timeout=5", postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	err = s.Transact(t.Context(), &store.Want{}, nil)
	if !errors.Is(err, store.ErrRetry) || fault.CodeOf(err) != fault.CodeStoreUnavailable {
		t.Errorf("no server there: %v", err)
	}
}

// TestMigrateTogether starts several servers on one empty database.
func TestMigrateTogether(t *testing.T) {
	url := pgtest.URL(t)
	var wg sync.WaitGroup
	for range 6 {
		s, err := postgres.Open(t.Context(), url, postgres.Options{})
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			if err := errors.Join(s.Migrate(t.Context()), s.Close()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	define(t, openURL(t, url))
}

func TestNewerSchema(t *testing.T) {
	url := pgtest.URL(t)
	s := openURL(t, url)
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	if _, err := conn.Exec(t.Context(), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, true)"); err != nil {
		t.Fatal(err)
	}
	if err := s.Migrate(t.Context()); fault.CodeOf(err) != fault.CodeNewerSchema {
		t.Errorf("error %v, want newer_schema", err)
	}
}

// overAllBuckets are the indexes with no bucket at their head: they serve lists and the sweep, which
// go through all buckets, and ids that rise with time. The migration says why above each.
const overAllBuckets = "{wallets_customer, wallets_due, wallets_due_test, customers_address, standings_credit, lanes_credit, usages_id, usages_time, subscriptions_time, invoices_time, orders_time, orders_session, orders_payment, deliveries_due, deliveries_listed}"

// TestDistributable checks the rules that let the tables be distributed by bucket: it heads
// every index and every foreign key of a wallet table but those above, is part of every unique one, and
// nothing fires by itself.
func TestDistributable(t *testing.T) {
	url := pgtest.URL(t)
	openURL(t, url)
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	for what, query := range map[string]string{
		"primary key without bucket at its head": `SELECT i.indexrelid::regclass::text FROM pg_index i
			JOIN pg_attribute b ON b.attrelid = i.indrelid AND b.attname = 'bucket'
			WHERE i.indisprimary AND i.indkey[0] <> b.attnum`,
		"unique index without bucket": `SELECT i.indexrelid::regclass::text FROM pg_index i
			JOIN pg_attribute b ON b.attrelid = i.indrelid AND b.attname = 'bucket'
			WHERE i.indisunique AND NOT b.attnum = ANY(i.indkey)`,
		"index of a wallet table without bucket at its head": `SELECT i.indexrelid::regclass::text FROM pg_index i
			JOIN pg_attribute b ON b.attrelid = i.indrelid AND b.attname = 'bucket'
			WHERE i.indkey[0] <> b.attnum AND i.indexrelid::regclass::text <> ALL ('` + overAllBuckets + `')`,
		"index that is said to run over all buckets, and is not there": `SELECT name FROM unnest('` + overAllBuckets + `'::text[]) name
			WHERE to_regclass(name) IS NULL`,
		"foreign key between wallet tables without bucket at its head": `SELECT c.conrelid::regclass::text || '.' || c.conname FROM pg_constraint c
			JOIN pg_attribute b ON b.attrelid = c.conrelid AND b.attname = 'bucket'
			JOIN pg_attribute f ON f.attrelid = c.confrelid AND f.attname = 'bucket'
			WHERE c.contype = 'f' AND (c.conkey[1] <> b.attnum OR c.confkey[1] <> f.attnum)`,
		"trigger": `SELECT t.tgname::text FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
			WHERE NOT t.tgisinternal AND c.relnamespace = 'public'::regnamespace`,
		"sequence": `SELECT relname::text FROM pg_class
			WHERE relkind = 'S' AND relname NOT LIKE 'goose%' AND relnamespace = 'public'::regnamespace`,
		"function": "SELECT proname::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
	} {
		rows, err := conn.Query(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		found, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		if len(found) > 0 {
			t.Errorf("%s: %v", what, found)
		}
	}
}
