package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/seed42445051/scrip"
	v1 "github.com/seed42445051/scrip/v1"
)

// shop is a database with a key and a customer who has credits.
type shop struct{ dir, db, key string }

func newShop(t *testing.T) shop {
	t.Helper()
	s := shop{dir: t.TempDir(), db: "sqlite:shop.db"}
	s.key = strings.TrimSpace(runScrip(t, s.dir, "keys", "create", "--db", s.db, "--app", "shop", "--mode", "test"))
	s.inside(t, func(app *scrip.App) {
		if _, err := app.CreateCredit(t.Context(), v1.CreateCredit{Name: "credits", Unit: "credit"}); err != nil {
			t.Fatal(err)
		}
		if _, err := app.Grant(t.Context(), v1.GrantRequest{CustomerID: "alice", CreditID: "credits", Amount: "1000"}); err != nil {
			t.Fatal(err)
		}
	})
	return s
}

// inside works on the database while no server does.
func (s shop) inside(t *testing.T, work func(*scrip.App)) {
	t.Helper()
	open, err := scrip.Open(t.Context(), scrip.DB("sqlite:"+s.dir+"/shop.db"))
	if err != nil {
		t.Fatal(err)
	}
	app, err := open.App(t.Context(), "shop", scrip.Test)
	if err != nil {
		t.Fatal(err)
	}
	work(app)
	if err := open.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (s shop) serve(t *testing.T, args ...string) (*process, string) {
	t.Helper()
	p := startScrip(t, s.dir, append([]string{"serve", "--db", s.db, "--addr", "127.0.0.1:0"}, args...)...)
	return p, p.stderr.find(t, `serving.* ?"?address"?[=:]"?([0-9.:]+)`)
}

const deduction = `{"customer_id": "alice", "credit_id": "credits", "amount": 3}`

// underWay is a request that the server has begun to work on and that cannot be finished yet:
// half of its body is still to come.
type underWay struct {
	net.Conn
	answers *bufio.Reader
}

func beginDeduction(t *testing.T, addr, key string) underWay {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	fmt.Fprintf(conn, "POST /v1/deduct HTTP/1.1\r\nHost: scrip\r\nAuthorization: Bearer %s\r\n"+
		"Content-Type: application/json\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n", key, len(deduction))
	r := underWay{conn, bufio.NewReader(conn)}
	// The server says this when its handler begins to read the body.
	line, err := r.answers.ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "HTTP/1.1 100") {
		t.Fatalf("%q, %v", line, err)
	}
	if _, err := r.answers.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	io.WriteString(conn, deduction[:len(deduction)/2])
	return r
}

func (r underWay) finish(t *testing.T) {
	t.Helper()
	io.WriteString(r, deduction[len(deduction)/2:])
	answer, err := http.ReadResponse(r.answers, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v", answer.Status, body, err)
	}
}

func TestTermFinishesWhatWasAccepted(t *testing.T) {
	const requests = 8
	s := newShop(t)
	p, addr := s.serve(t)
	var begun []underWay
	for range requests {
		begun = append(begun, beginDeduction(t, addr, s.key))
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	p.stderr.find(t, "stopping: requests under way are finished first")
	for _, r := range begun {
		r.finish(t)
	}
	if code := p.wait(); code != 0 {
		t.Errorf("exit code %d\n%s", code, p.stderr)
	}
	if _, err := net.Dial("tcp", addr); err == nil {
		t.Error("somebody still listens")
	}
	s.inside(t, func(app *scrip.App) {
		b, err := app.Balances(t.Context(), "alice", "credits", 0)
		if want := fmt.Sprint(1000 - 3*requests); err != nil || string(b.Data[0].Available) != want {
			t.Errorf("%+v, %v; want %s", b, err, want)
		}
	})
	if out := runScrip(t, s.dir, "verify", "--db", s.db); !strings.Contains(out, "9 entries: 0 differences") {
		t.Error(out)
	}
}

func TestTermDoesNotWaitForEver(t *testing.T) {
	s := newShop(t)
	p, addr := s.serve(t, "--grace", "50ms")
	beginDeduction(t, addr, s.key) // and never finish
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if code := p.wait(); code != 1 {
		t.Errorf("exit code %d", code)
	}
	p.stderr.find(t, `scrip: some requests did not finish within 50ms and were cut off.*--grace \(SCRIP_GRACE\)`)
	if out := runScrip(t, s.dir, "verify", "--db", s.db); !strings.Contains(out, "1 entry: 0 differences") {
		t.Error(out)
	}
}

func TestHealthAndMetrics(t *testing.T) {
	s := newShop(t)
	p, addr := s.serve(t, "--log", "json", "--no-migrate")
	get := func(path string) string {
		t.Helper()
		answer, err := http.Get("http://" + addr + path)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		if err != nil || answer.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s %s, %v", path, answer.Status, body, err)
		}
		return string(body)
	}
	get("/healthz")
	get("/readyz")
	beginDeduction(t, addr, s.key).finish(t)
	if !strings.Contains(get("/openapi.json"), `"openapi":"3.1`) && !strings.Contains(get("/openapi.json"), `"openapi": "3.1`) {
		t.Error("there is no OpenAPI document")
	}
	if _, err := http.Get("http://" + addr + "/customers/alice/secret-plan"); err != nil {
		t.Fatal(err)
	}
	metrics := get("/metrics")
	for _, want := range []string{
		"scrip_commands_total 1\n", "scrip_batches_total 1\n", "scrip_retries_total 0\n", "scrip_refused_total 0\n",
		"scrip_wallet_loads_total 1\n", "scrip_queue_length 0\n", "go_goroutines ", "process_open_fds ", "scrip_build_info{version=",
		`scrip_http_request_duration_seconds_count{route="POST /v1/deduct",status="200"} 1`,
		`scrip_http_request_duration_seconds_count{route="GET /healthz",status="200"} 1`,
	} {
		if !strings.Contains(metrics, want) {
			t.Errorf("the metrics lack %q", want)
		}
	}
	if strings.Contains(metrics, "secret-plan") {
		t.Error("a path became a label")
	}
	if line, _, _ := strings.Cut(p.stderr.String(), "\n"); !strings.Contains(line, `"msg":"serving"`) {
		t.Errorf("the log is not JSON: %s", line)
	}
	p.stop(syscall.SIGTERM)
}

// TestMetricsOfWebhooksAndEvents: what happens is counted, and what waits is told.
func TestMetricsOfWebhooksAndEvents(t *testing.T) {
	s := newShop(t)
	var acknowledged, rejected atomic.Int64
	to := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/good" {
			acknowledged.Add(1)
			return
		}
		rejected.Add(1)
		w.WriteHeader(http.StatusTeapot)
	}))
	defer to.Close()
	p, addr := s.serve(t, "--webhook-allow-private", "--webhook-keep", "0s")
	post := func(path, body string) {
		t.Helper()
		request, err := http.NewRequest(http.MethodPost, "http://"+addr+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+s.key)
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		if answer.StatusCode/100 != 2 {
			t.Fatalf("%s: %s", path, answer.Status)
		}
	}
	metrics := func() string {
		t.Helper()
		answer, err := http.Get("http://" + addr + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	until := func(lines ...string) {
		t.Helper()
		var have string
		for end := time.After(patience); ; {
			have = metrics()
			if !slices.ContainsFunc(lines, func(line string) bool { return !strings.Contains(have, line+"\n") }) {
				return
			}
			select {
			case <-end:
				t.Fatalf("the metrics never have all of %q:\n%s", lines, have)
			default:
			}
		}
	}
	until("scrip_webhook_pending 0", "scrip_webhook_oldest_pending_seconds 0", `scrip_usage_events_total{outcome="stored"} 0`)
	post("/v1/webhook-endpoints", `{"url": "`+to.URL+`/good"}`)
	post("/v1/webhook-endpoints", `{"url": "`+to.URL+`/bad"}`)
	post("/v1/webhook-endpoints", `{"url": "http://127.0.0.1:1/"}`)
	post("/v1/deduct", deduction)
	// One is there, one answers wrongly, and one is not: the latter two are tried twice at once, and
	// then wait.
	until(
		`scrip_webhook_attempts_total{outcome="acknowledged"} 1`, `scrip_webhook_attempts_total{outcome="rejected"} 2`,
		`scrip_webhook_attempts_total{outcome="unanswered"} 2`, "scrip_webhook_pending 2", "scrip_webhook_given_up_total 0",
	)
	if acknowledged.Load() != 1 || rejected.Load() != 2 {
		t.Errorf("%d and %d requests came", acknowledged.Load(), rejected.Load())
	}
	if strings.Contains(metrics(), "scrip_webhook_oldest_pending_seconds 0\n") {
		t.Error("what waits has no age")
	}
	post("/v1/events", `{"events": [{"event_id": "a", "customer_id": "alice", "event_name": "x"}, {"event_id": "b", "customer_id": "alice", "event_name": "x"}]}`)
	post("/v1/events", `{"events": [{"event_id": "a", "customer_id": "alice", "event_name": "x"}, {"event_id": "c", "customer_id": "alice", "event_name": "x"}]}`)
	until(`scrip_usage_events_total{outcome="stored"} 3`, `scrip_usage_events_total{outcome="duplicate"} 1`)
	p.stop(syscall.SIGTERM)
}

func TestVerifyFindsWhatWasTamperedWith(t *testing.T) {
	s := newShop(t)
	execSQL(t, s.dir+"/shop.db", "UPDATE grants SET available = available + 1, amount = amount + 1")
	p := startScrip(t, s.dir, "verify", "--db", s.db)
	if code := p.wait(); code != 1 {
		t.Errorf("exit code %d", code)
	}
	p.stdout.find(t, `customer "alice": grant 1: amount is 1001, but entries say 1000`)
	p.stderr.find(t, `^scrip: the books do not add up \(\d+ differences, listed above\)`)
}
