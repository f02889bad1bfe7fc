package serve

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/engine"
)

// Source is where the engine's counters come from; scrip.Scrip is one.
type Source interface {
	Stats() *engine.Stats
	Waiting() int
}

// buckets are the bounds of latencies, in seconds: from what a cached read takes to what a
// client gives up at.
var buckets = []float64{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10}

// WithMetrics measures a handler and adds /metrics to it. The metrics live in a registry of
// their own, so that a program that embeds this one keeps its own apart.
func WithMetrics(h http.Handler, src Source, now clock.Clock, version string) http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	registry.MustRegister(engineMetrics(src)...)
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "scrip_build_info", Help: "Always 1; the label tells the version.", ConstLabels: prometheus.Labels{"version": version},
	})
	build.Set(1)
	m := &measured{handler: h, clock: now, latency: prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "scrip_http_request_duration_seconds", Buckets: buckets,
		Help: "How long requests took, by route and status.",
	}, []string{"route", "status"})}
	registry.MustRegister(build, m.latency)

	shown := promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
	// Not a ServeMux: it would redirect paths that the handler has its own answers for.
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/metrics" && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
			shown.ServeHTTP(w, r)
			return
		}
		m.ServeHTTP(w, r)
	})
}

// engineMetrics reads the engine's counters when they are asked for.
func engineMetrics(src Source) []prometheus.Collector {
	stats := src.Stats()
	counter := func(name, help string, value func() int64) prometheus.Collector {
		return prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, func() float64 { return float64(value()) })
	}
	return []prometheus.Collector{
		counter("scrip_commands_total", "Commands that were answered, previews and denials included.", stats.Commands.Load),
		counter("scrip_batches_total", "Transactions; commands per batch is how well writes are grouped.", stats.Batches.Load),
		counter("scrip_retries_total", "Transactions that were tried again after a conflict or a lost connection.", stats.Retries.Load),
		counter("scrip_refused_total", "Commands refused because a queue was full (overloaded).", stats.Refused.Load),
		counter("scrip_wallet_loads_total", "Wallets read because the cache did not have them.", stats.Loads.Load),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "scrip_queue_length", Help: "Commands that wait for a batch now.",
		}, func() float64 { return float64(src.Waiting()) }),
	}
}

// measured times every request.
type measured struct {
	handler http.Handler
	clock   clock.Clock
	latency *prometheus.HistogramVec
}

// ServeHTTP serves the request and records it under the pattern of its route: paths name
// customers, and there is no end of them.
func (m *measured) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := m.clock.Now()
	seen := &recorder{ResponseWriter: w, status: http.StatusOK}
	r.Pattern = ""
	m.handler.ServeHTTP(seen, r)
	route := r.Pattern
	if route == "" {
		route = "other"
	}
	took := m.clock.Now().Sub(start)
	m.latency.WithLabelValues(route, strconv.Itoa(seen.status)).Observe(float64(took) / float64(time.Second))
}

// recorder remembers the status.
type recorder struct {
	http.ResponseWriter
	status int
}

// WriteHeader remembers the status of the answer; 1xx come before it.
func (r *recorder) WriteHeader(status int) {
	if status >= http.StatusOK {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController find what the writer can do.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
