package bench

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seed42445051/scrip"
	"github.com/seed42445051/scrip/internal/serve"
)

// serveMark makes the test binary the server: serveMark ADDRESS DATABASE.
const serveMark = "serve-for-bench"

func TestMain(m *testing.M) {
	if len(os.Args) > 3 && os.Args[1] == serveMark {
		if err := serveFor(os.Args[2], os.Args[3]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func serveFor(address, db string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	s, err := scrip.Open(ctx, scrip.DB(db))
	if err != nil {
		return err
	}
	defer s.Close(context.Background())
	l, err := serve.Listen(ctx, address)
	if err != nil {
		return err
	}
	server := serve.Server{Handler: s.Handler(), Log: slog.New(slog.DiscardHandler)}
	return server.Run(ctx, l)
}

// The whole, short: every operation, every number of clients, and the books afterwards.
func TestRun(t *testing.T) {
	db := "sqlite:" + filepath.Join(t.TempDir(), "scrip.db")
	var out strings.Builder
	err := Run(t.Context(), Options{
		DB: db, Serve: []string{os.Args[0], serveMark, AddressMark, db}, Customers: 3, Clients: []int{1, 4},
		Duration: 50 * time.Millisecond, Warmup: 10 * time.Millisecond, Log: os.Stderr,
	}, &out)
	if err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	for _, part := range []string{"synchronous=full", "deduct, idempotent", "reserve and commit", "as many are in the ledger"} {
		if !strings.Contains(out.String(), part) {
			t.Errorf("%q is missing in\n%s", part, out.String())
		}
	}
}

func TestRunSaysWhyTheServerDoesNotServe(t *testing.T) {
	db := "sqlite:" + filepath.Join(t.TempDir(), "scrip.db")
	nowhere := []string{os.Args[0], serveMark, AddressMark, "nowhere:"}
	err := Run(t.Context(), Options{DB: db, Serve: nowhere, Customers: 1}, io.Discard)
	if err == nil {
		t.Fatal("a server that does not start was measured")
	}
}

// Answers with a length, in chunks, and larger than the buffer.
func TestConnReadsAnswers(t *testing.T) {
	large := strings.Repeat("x", 40<<10)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		switch string(body) {
		case "chunks":
			fmt.Fprint(w, large)
			w.(http.Flusher).Flush()
			fmt.Fprint(w, "end")
		case "large":
			w.Header().Set("Content-Length", fmt.Sprint(len(large)))
			fmt.Fprint(w, large)
		case "wrong":
			http.Error(w, "no", http.StatusTeapot)
		default:
			fmt.Fprint(w, "small")
		}
	}))
	defer server.Close()
	c, err := Dial(t.Context(), server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, test := range []struct {
		body, contains string
		status         int
	}{{"", "small", 200}, {"large", large, 200}, {"chunks", "end", 200}, {"wrong", "no", 418}, {"", "small", 200}} {
		status, body, err := c.Do(post("/", "key", test.body))
		if err != nil || status != test.status || !strings.Contains(string(body), test.contains) {
			t.Fatalf("%q: status %d, %d bytes, error %v", test.body, status, len(body), err)
		}
	}
}

func TestLoadEndsWithAnErrorWhenAnswersDo(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	f := Fixture{Customers: 1}
	load := Load{Address: server.Listener.Addr().String(), Clients: 2, Duration: time.Second}
	if _, err := load.Run(t.Context(), f.Deduct(1)); err == nil {
		t.Fatal("failures were measured")
	}
}

func TestPercentile(t *testing.T) {
	var s Sample
	if s.Percentile(50) != 0 {
		t.Error("a sample of nothing has a latency")
	}
	for i := range 100 {
		s.Latencies = append(s.Latencies, time.Duration(i+1))
	}
	for p, want := range map[float64]time.Duration{1: 1, 50: 50, 99: 99, 99.5: 100, 100: 100} {
		if got := s.Percentile(p); got != want {
			t.Errorf("p%v is %d, want %d", p, got, want)
		}
	}
}
