package postgres_test

import (
	"os"
	"strings"
	"testing"

	"github.com/seed42445051/scrip/internal/pgtest"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/store/postgres"
	"github.com/seed42445051/scrip/store/storetest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m, pgtest.WithoutFsync())) }

// open returns a migrated store in a database of its own.
func open(t testing.TB, parameters string) *postgres.Store {
	t.Helper()
	return openURL(t, with(pgtest.URL(t), parameters))
}

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
	return s
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

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store { return open(t, "") })
}
