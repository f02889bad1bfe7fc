// Package pgtest gives tests a real PostgreSQL without asking anyone to set
// one up: it owns a throwaway cluster, started from the installed binaries once
// per test binary, and hands out a fresh database per call. SCRIP_TEST_POSTGRES
// names an existing server to use instead, as a postgres:// URL whose user may
// create databases.
//
// A server never outlives the process that started it, however that process
// ends: Main stops it in good order, and the kernel stops it otherwise. Where
// PostgreSQL is not installed a test fails with the command that installs it;
// nothing is skipped.
package pgtest

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"sync"
	"testing"
)

// Variable names the setting with the URL of a server to use instead of a
// throwaway one.
const Variable = "SCRIP_TEST_POSTGRES"

// shared is the cluster of this test binary, started by the first call that
// needs it.
var shared struct {
	mu      sync.Mutex
	options []Option
	server  *Server
	err     error
}

// Main runs the tests of a package and then stops the shared server; without
// it the server is killed when the process exits, and leaves its folder for the
// next run to remove. The options are for the shared server. The caller exits
// with the code that Main returns:
//
//	func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }
//
// Once Main has returned, no goroutine of this package is left, so that a
// check for leaks can follow it.
func Main(m *testing.M, options ...Option) int {
	shared.mu.Lock()
	shared.options = options
	shared.mu.Unlock()
	code := m.Run()
	if err := closeShared(); err != nil {
		fmt.Fprintln(os.Stderr, "pgtest:", err)
		if code == 0 {
			code = 1
		}
	}
	return code
}

// URL returns the address of a fresh, empty database, which is dropped when
// the test ends. It may be called from tests that run in parallel.
func URL(t testing.TB) string {
	t.Helper()
	admin := os.Getenv(Variable)
	if admin == "" {
		s, err := sharedServer()
		if err != nil {
			t.Fatal(err)
		}
		admin = s.URL("postgres")
	}
	return fresh(t, admin, emptyTemplate)
}

// Prepared returns the address of a fresh database that something was done to, such as making a schema,
// which is dropped when the test ends. It is done once: the databases are copies of the first. A test
// binary has one way to prepare, which leaves no connection open.
func Prepared(t testing.TB, prepare func(ctx context.Context, address string) error) string {
	t.Helper()
	if os.Getenv(Variable) != "" { // somebody else's server, where nothing is to stay behind
		address := URL(t)
		if err := prepare(t.Context(), address); err != nil {
			t.Fatal(err)
		}
		return address
	}
	s, err := sharedServer()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.prepared(t.Context(), prepare); err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	return fresh(t, s.URL("postgres"), original)
}

// New returns a server of the test's own, for tests that stop or kill it, and
// closes it when the test ends. SCRIP_TEST_POSTGRES has no say here: a server
// that somebody else uses must not be killed.
func New(t testing.TB, options ...Option) *Server {
	t.Helper()
	s, err := Start("", options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("pgtest: %v", err)
		}
	})
	return s
}

// fresh creates a database through the given administrative address, as a copy
// of another, and drops it when the test ends.
func fresh(t testing.TB, admin, template string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	address, name, err := createDatabase(ctx, admin, template)
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), startLimit)
		defer cancel()
		if err := dropDatabase(ctx, admin, name); err != nil {
			t.Errorf("pgtest: %v", err)
		}
	})
	return address
}

// sharedServer starts the cluster of this test binary, or returns it. A failed
// start is remembered, so that a thousand tests do not each wait for it.
func sharedServer() (*Server, error) {
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if shared.server == nil && shared.err == nil {
		shared.server, shared.err = Start("", shared.options...)
	}
	return shared.server, shared.err
}

func closeShared() error {
	shared.mu.Lock()
	defer shared.mu.Unlock()
	s := shared.server
	shared.server, shared.err = nil, nil
	if s == nil {
		return nil
	}
	return s.Close()
}

// withDatabase replaces the database in an address.
func withDatabase(address, database string) (string, error) {
	u, err := url.Parse(address)
	if err != nil || (u.Scheme != "postgres" && u.Scheme != "postgresql") {
		return "", fmt.Errorf("%s must be a postgres:// URL", Variable)
	}
	u.Path = "/" + database
	return u.String(), nil
}
