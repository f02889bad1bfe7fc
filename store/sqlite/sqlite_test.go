package sqlite_test

import (
	"path/filepath"
	"testing"

	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/store/sqlite"
	"github.com/seed42445051/scrip/store/storetest"
)

func open(t testing.TB, options string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "scrip #% ü.db"+options))
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

func TestConformance(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store { return open(t, "?sync=off") })
}
