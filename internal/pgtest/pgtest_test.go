package pgtest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"
)

// orphanVariable makes this test binary start a server, print where it is and
// wait to be killed, instead of running tests.
const orphanVariable = "SCRIP_PGTEST_ORPHAN"

func TestMain(m *testing.M) {
	if os.Getenv(orphanVariable) != "" {
		os.Exit(waitToBeKilled())
	}
	code := Main(m, WithoutFsync())
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func waitToBeKilled() int {
	s, err := Start("", WithoutFsync())
	if err != nil {
		fmt.Println("failed:", err)
		return 1
	}
	fmt.Println(s.run)
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n') // ends with this process
	return 1
}

// query runs a statement that returns one value.
func query[T any](t *testing.T, address, statement string) T {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }()
	var v T
	if err := conn.QueryRow(ctx, statement).Scan(&v); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	return v
}

func TestURLGivesFreshDatabases(t *testing.T) {
	var mu sync.Mutex
	seen := map[string]bool{}
	t.Run("all", func(t *testing.T) {
		for range 4 {
			t.Run("one", func(t *testing.T) {
				t.Parallel()
				address := URL(t)
				if n := query[int](t, address, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"); n != 0 {
					t.Errorf("the database has %d tables", n)
				}
				mu.Lock()
				defer mu.Unlock()
				seen[query[string](t, address, "SELECT current_database()")] = true
			})
		}
	})
	if len(seen) != 4 {
		t.Errorf("4 calls gave the databases %v", seen)
	}
	s, err := sharedServer()
	if err != nil {
		t.Fatal(err)
	}
	if n := query[int](t, s.URL("postgres"), "SELECT count(*) FROM pg_database WHERE datname LIKE 'scrip\\_%'"); n != 0 {
		t.Errorf("%d databases are left after their tests", n)
	}
}

func TestPreparedPreparesOnce(t *testing.T) {
	times := 0
	prepare := func(ctx context.Context, address string) error {
		times++
		return execute(ctx, address, "CREATE TABLE prepared (n int)")
	}
	seen := map[string]bool{}
	for range 3 {
		address := Prepared(t, prepare)
		if n := query[int](t, address, "SELECT count(*) FROM prepared"); n != 0 {
			t.Errorf("%d rows of another test", n)
		}
		query[int](t, address, "INSERT INTO prepared VALUES (1) RETURNING n")
		seen[query[string](t, address, "SELECT current_database()")] = true
	}
	if times != 1 || len(seen) != 3 {
		t.Errorf("prepared %d times for %v", times, seen)
	}
	t.Setenv(Variable, New(t, WithoutFsync()).URL("postgres"))
	query[int](t, Prepared(t, prepare), "SELECT count(*) FROM prepared")
	if times != 2 {
		t.Errorf("prepared %d times, once of them on a named server", times)
	}
}

func TestURLUsesNamedServer(t *testing.T) {
	s := New(t, WithoutFsync(), WithSetting("cluster_name", "named"))
	t.Setenv(Variable, s.URL("postgres"))
	if got := query[string](t, URL(t), "SHOW cluster_name"); got != "named" {
		t.Errorf("the database is on the server %q", got)
	}
}

func TestFsyncIsOnUnlessAsked(t *testing.T) {
	s, err := Start(traversable(t))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	for _, setting := range []string{"fsync", "synchronous_commit", "full_page_writes"} {
		if got := query[string](t, s.URL("postgres"), "SHOW "+setting); got != "on" {
			t.Errorf("%s is %s", setting, got)
		}
	}
	if got := query[string](t, New(t, WithoutFsync()).URL("postgres"), "SHOW fsync"); got != "off" {
		t.Errorf("without fsync it is %s", got)
	}
}

// traversable returns a folder that the server's user can reach.
func traversable(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, folder := range []string{dir, filepath.Dir(dir)} {
		if err := os.Chmod(folder, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestStartLeavesOtherFilesAlone(t *testing.T) {
	dir := traversable(t)
	kept := filepath.Join(dir, "pgdata", "kept")
	if err := os.Mkdir(filepath.Dir(kept), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(kept, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if s, err := Start(dir); err == nil {
		t.Errorf("a folder in use is accepted; closing: %v", s.Close())
	}
	if _, err := os.Stat(kept); err != nil {
		t.Error(err)
	}
}

func TestKillCutsConnections(t *testing.T) {
	s := New(t)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	address, err := s.NewDatabase(ctx)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(ctx, "CREATE TABLE kept (n int); INSERT INTO kept VALUES (7)"); err != nil {
		t.Fatal(err)
	}
	if err := s.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := conn.Ping(ctx); err == nil {
		t.Error("the connection survives")
	}
	_ = conn.Close(ctx)
	if err := errors.Join(s.Kill(), s.Stop()); err != nil {
		t.Errorf("ending a server that is down: %v", err)
	}
	for _, end := range []func() error{s.Stop, s.Kill} {
		if err := errors.Join(s.Start(), s.Start()); err != nil {
			t.Fatal(err)
		}
		if got := query[int](t, address, "SELECT n FROM kept"); got != 7 {
			t.Errorf("after a restart: %d", got)
		}
		if err := end(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestCloseRemovesEverything(t *testing.T) {
	dir := traversable(t)
	s, err := Start(dir, WithoutFsync())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(s.run); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder for the socket: %v", err)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) > 0 {
		t.Errorf("left in the folder: %v, %v", left, err)
	}
}

func TestStartReportsTheServersLog(t *testing.T) {
	_, err := Start("", WithSetting("max_connections", "plenty"))
	if err == nil || !strings.Contains(err.Error(), "max_connections") {
		t.Errorf("a wrong setting gives: %v", err)
	}
}

// TestServerDiesWithItsProcess kills a process that has started a server, as
// the time limit of a test or a user may, and waits until nothing answers.
func TestServerDiesWithItsProcess(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), orphanVariable+"=1")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stdin.Close() }() // Wait may have closed it
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	run := strings.TrimSpace(line)
	if !answers(run) {
		t.Fatalf("no server in %q", run)
	}
	sweep()
	if !answers(run) {
		t.Fatal("sweep removes the folder of a living process")
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // says that it was killed
	deadline := time.After(5 * time.Minute)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for answers(run) {
		select {
		case <-deadline:
			t.Fatal("the server outlives its process")
		case <-tick.C:
		}
	}
	sweep()
	if _, err := os.Stat(run); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder of a dead process stays: %v", err)
	}
}

// answers tells whether a server listens in a folder.
func answers(run string) bool {
	conn, err := net.Dial("unix", filepath.Join(run, ".s.PGSQL.5432"))
	if err != nil {
		return false
	}
	return conn.Close() == nil
}

func TestFindBinaries(t *testing.T) {
	root := t.TempDir()
	install := func(folder string, names ...string) string {
		folder = filepath.Join(root, folder)
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if err := os.WriteFile(filepath.Join(folder, name), nil, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		return folder
	}
	nothing := func(string) (string, error) { return "", exec.ErrNotFound }
	pattern := filepath.Join(root, "*", "bin")

	_, err := findBinariesIn(pattern, nothing)
	if err == nil || !strings.Contains(err.Error(), "apt-get install -y postgresql") {
		t.Errorf("without an installation: %v", err)
	}
	inPath := install("elsewhere", "postgres", "initdb")
	path := func(name string) (string, error) { return filepath.Join(inPath, name), nil }
	if got, err := findBinariesIn(pattern, path); err != nil || got != inPath {
		t.Errorf("from the path: %q, %v", got, err)
	}
	install("9/bin", "postgres", "initdb")
	newest := install("15/bin", "postgres", "initdb")
	install("16/bin", "psql") // a client only
	if got, err := findBinariesIn(pattern, path); err != nil || got != newest {
		t.Errorf("of several: %q, %v", got, err)
	}
}

func TestWithDatabase(t *testing.T) {
	got, err := withDatabase("postgres://u:p@host:5433/postgres?sslmode=require", "fresh")
	if err != nil || got != "postgres://u:p@host:5433/fresh?sslmode=require" {
		t.Errorf("%q, %v", got, err)
	}
	for _, bad := range []string{"host=localhost dbname=x", "mysql://host/x", ":"} {
		if _, err := withDatabase(bad, "fresh"); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
	s := Server{run: "/tmp/with space"}
	u, err := url.Parse(s.URL("db"))
	if err != nil || u.Query().Get("host") != s.run {
		t.Errorf("%q, %v", s.URL("db"), err)
	}
}
