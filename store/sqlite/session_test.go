package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/wallet"
)

func openFile(t *testing.T, path string) *Store {
	t.Helper()
	s, err := Open(t.Context(), path)
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
	return s
}

func newPath(t *testing.T) string { return filepath.Join(t.TempDir(), "scrip.db") + "?sync=off" }

// raw opens a file by itself, to do what no store would.
func raw(t *testing.T, f file) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", f.forWriting())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// TestPlans keeps every statement about a wallet on an index: a scan or a sort would only be
// noticed when the tables have grown.
func TestPlans(t *testing.T) {
	db := raw(t, openFile(t, newPath(t)).file)
	// These read all that an app defines, or all endpoints, or wallets in the order of their key, or
	// sort no more than twice what they return, or the few that a provider's id finds, of which the
	// indexes are named in the statement.
	whole := []statement{
		selectApps, selectHeaders, selectCredits, selectPacks, selectMeters, selectKeys, selectValidKeys, selectSchemaTable, selectSchemaVersion,
		selectEndpoints, selectDueDeliveries, selectDue, selectBacklog,
		selectOrdersBySession, selectOrdersByPayment,
	}
	args := make([]any, 30)
	for i := range args {
		args[i] = "[]"
	}
	for st := range statements {
		verb, _, _ := strings.Cut(text[st], " ")
		if slices.Contains(whole, st) || !slices.Contains([]string{"SELECT", "WITH", "UPDATE", "DELETE"}, verb) {
			continue
		}
		rows, err := db.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+text[st], args...)
		if err != nil {
			t.Fatalf("%s: %v", text[st], err)
		}
		for rows.Next() {
			var n int
			var step string
			if err := rows.Scan(&n, &n, &n, &step); err != nil {
				t.Fatal(err)
			}
			given := strings.HasPrefix(step, "SCAN json_each") || step == "SCAN wanted" || step == "SCAN CONSTANT ROW"
			if !given && (strings.HasPrefix(step, "SCAN") || strings.Contains(step, "TEMP B-TREE")) {
				t.Errorf("%s\n%s", text[st], step)
			}
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestBusy: another process that writes for too long is worth another try.
func TestBusy(t *testing.T) {
	path := newPath(t)
	openFile(t, path)
	f, err := parsePath(path)
	if err != nil {
		t.Fatal(err)
	}
	other, err := newSession(t.Context(), f.forWriting())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.exec(t.Context(), beginImmediate); err != nil {
		t.Fatal(err)
	}
	f.busy = 1
	s := &Store{file: f, writer: newPool(1), readers: newPool(1), closed: make(chan struct{})}
	if err := errors.Join(s.writer.fill(t.Context(), f.forWriting()), s.readers.fill(t.Context(), f.forReading())); err != nil {
		t.Fatal(err)
	}
	nothing := func(*store.Found) (*store.Changes, error) { return nil, nil }
	if err := s.Transact(t.Context(), &store.Want{}, nothing); !errors.Is(err, store.ErrRetry) {
		t.Fatalf("error %v, want ErrRetry", err)
	}
	if _, err := s.Apps(t.Context()); err != nil {
		t.Fatalf("a reader waits for the writer: %v", err)
	}
	other.rollback()
	if err := s.Transact(t.Context(), &store.Want{}, nothing); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(other.close(), s.Close()); err != nil {
		t.Fatal(err)
	}
}

// TestRevive: a connection in which a rollback failed is replaced before it is used again.
func TestRevive(t *testing.T) {
	s := openFile(t, newPath(t))
	app := store.App{ID: "app_1", Name: "A"}
	boom := errors.New("boom")
	err := s.change(t.Context(), "test", func(c *session) error {
		if _, err := c.exec(t.Context(), rollback); err != nil {
			return err
		}
		return boom // and the rollback that follows finds no transaction
	})
	if !errors.Is(err, boom) {
		t.Fatalf("error %v, want %v", err, boom)
	}
	if err := s.CreateApp(t.Context(), app); err != nil {
		t.Fatal(err)
	}
	if v, err := s.DefinitionsVersion(t.Context(), app.ID); v != 1 || err != nil {
		t.Fatalf("version %d, %v", v, err)
	}
}

// TestPanic: a decision that panics leaves neither rows nor a transaction behind.
func TestPanic(t *testing.T) {
	s := openFile(t, newPath(t))
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		_ = s.Transact(t.Context(), &store.Want{}, func(*store.Found) (*store.Changes, error) { panic("boom") })
	}()
	if err := s.CreateApp(t.Context(), store.App{ID: "app_1", Name: "A"}); err != nil {
		t.Fatal(err)
	}
}

// TestNewerSchema: a file that a newer program has migrated is left alone.
func TestNewerSchema(t *testing.T) {
	path := newPath(t)
	s := openFile(t, path)
	_, err := raw(t, s.file).ExecContext(t.Context(), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)`)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Migrate(t.Context()); fault.CodeOf(err) != fault.CodeNewerSchema {
		t.Fatalf("Migrate: %v, want newer_schema", err)
	}
	if _, err := Open(t.Context(), path); fault.CodeOf(err) != fault.CodeNewerSchema {
		t.Fatalf("Open: %v, want newer_schema", err)
	}
}

func TestPaths(t *testing.T) {
	for _, bad := range []string{"", ":memory:", "x.db?sync=never", "x.db?mode=ro", "x.db?sync=off&cache=shared", "x.db?%"} {
		if _, err := Open(t.Context(), bad); fault.CodeOf(err) != fault.CodeInvalidConfig {
			t.Errorf("%q: %v, want invalid_config", bad, err)
		}
	}
	if _, err := Open(t.Context(), filepath.Join(t.TempDir(), "none", "x.db")); fault.CodeOf(err) != fault.CodeStoreUnavailable {
		t.Errorf("a folder that does not exist: %v, want store_unavailable", err)
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Open(canceled, newPath(t)); fault.CodeOf(err) != fault.CodeStoreUnavailable {
		t.Errorf("a canceled start: %v, want store_unavailable", err)
	}
}

// TestTwoPrograms migrate one file at the same time, and then both write it.
func TestTwoPrograms(t *testing.T) {
	path := newPath(t)
	stores := make([]*Store, 2)
	errs := make(chan error, len(stores))
	for i := range stores {
		s, err := Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		stores[i] = s
		t.Cleanup(func() { _ = s.Close() })
		go func() { errs <- s.Migrate(t.Context()) }()
	}
	for range stores {
		if err := <-errs; err != nil {
			t.Fatal(err)
		}
	}
	for i, s := range stores {
		if err := s.CreateApp(t.Context(), store.App{ID: string(rune('a' + i)), Name: string(rune('A' + i))}); err != nil {
			t.Fatal(err)
		}
	}
	for _, s := range stores {
		if apps, err := s.Apps(t.Context()); len(apps) != 2 || err != nil {
			t.Fatalf("apps %v, %v", apps, err)
		}
	}
}

// TestMark: a version that is known is not looked up again, until somebody else has written to
// the file.
func TestMark(t *testing.T) {
	path := newPath(t)
	ours, theirs := openFile(t, path), openFile(t, path)
	key := wallet.Key{App: "app", Mode: catalog.Live, Customer: "c"}
	if err := ours.CreateApp(t.Context(), store.App{ID: "app", Name: "app", Version: 1}); err != nil {
		t.Fatal(err)
	}
	write := func(s *Store, version int64) {
		t.Helper()
		change := store.WalletChange{Header: wallet.Header{ID: key.ID(), Key: key, Version: version}, Created: version == 1}
		_, err := transact(t, s, store.WantWallet{ID: key.ID()}, &store.Changes{Wallets: []store.WalletChange{change}})
		if err != nil {
			t.Fatal(err)
		}
	}
	look := func(version, mark int64) store.FoundWallet {
		t.Helper()
		found, err := transact(t, ours, store.WantWallet{ID: key.ID(), Version: version, Mark: mark}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	write(ours, 1)
	first := look(0, 0)
	if first.Snapshot == nil || first.Mark == 0 {
		t.Fatalf("found %+v", first)
	}
	write(ours, 2) // its writer knows, and nobody else has to
	if f := look(1, first.Mark); f.Snapshot != nil || f.Mark != first.Mark {
		t.Errorf("the version was looked up: %+v", f)
	}
	write(theirs, 3)
	if f := look(2, first.Mark); f.Snapshot == nil || f.Snapshot.Version != 3 || f.Mark == first.Mark {
		t.Errorf("another's write was not seen: %+v", f)
	}
}

// transact writes changes, and returns what was found of the only wanted wallet.
func transact(t *testing.T, s *Store, want store.WantWallet, changes *store.Changes) (found store.FoundWallet, err error) {
	err = s.Transact(t.Context(), &store.Want{Wallets: []store.WantWallet{want}}, func(f *store.Found) (*store.Changes, error) {
		found = f.Wallets[0]
		return changes, nil
	})
	return found, err
}
