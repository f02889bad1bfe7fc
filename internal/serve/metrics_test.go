package serve

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/engine"
	"github.com/seed42445051/scrip/notify"
	"github.com/seed42445051/scrip/store"
)

// idle is an engine that has done nothing.
type idle struct {
	stats    engine.Stats
	webhooks notify.Stats
}

func (i *idle) Stats() *engine.Stats                         { return &i.stats }
func (*idle) Waiting() int                                   { return 0 }
func (i *idle) Webhooks() *notify.Stats                      { return &i.webhooks }
func (*idle) Backlog(context.Context) (store.Backlog, error) { return store.Backlog{}, nil }

// TestMetricsTakeOnePath asks for /metrics, and for paths that only the handler may judge: none of
// them is redirected on the way.
func TestMetricsTakeOnePath(t *testing.T) {
	const begin = clock.Instant(1_770_000_000_000_000)
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	h := WithMetrics(handler, &idle{}, clock.NewManual(begin), "test")
	for request, want := range map[string]int{
		"GET /metrics":                 http.StatusOK,
		"HEAD /metrics":                http.StatusOK,
		"POST /metrics":                http.StatusTeapot,
		"GET /metrics/":                http.StatusTeapot,
		"POST /v1/grants//revoke":      http.StatusTeapot,
		"GET /v1/customers/../balance": http.StatusTeapot,
		"GET //metrics":                http.StatusTeapot,
	} {
		method, path, _ := strings.Cut(request, " ")
		r := httptest.NewRequest(method, "/", nil)
		r.URL.Path = path
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%s: %d, want %d", request, w.Code, want)
		}
	}
}
