package serve

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/engine"
	"github.com/seed42445051/scrip/notify"
	"github.com/seed42445051/scrip/store"
)

// Source is where counters come from; scrip.Scrip is one.
type Source interface {
	Stats() *engine.Stats
	Waiting() int
	Webhooks() *notify.Stats
	Backlog(ctx context.Context) (store.Backlog, error)
}

// scrapeTimeout bounds what the database is asked when the metrics are.
const scrapeTimeout = 5 * time.Second

// buckets are the bounds of latencies, in seconds: from what a cached read takes to what a
// client gives up at.
var buckets = []float64{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10}

// WithMetrics measures a handler and adds /metrics to it. The metrics live in a registry of
// their own, so that a program that embeds this one keeps its own apart.
func WithMetrics(h http.Handler, src Source, now clock.Clock, version string) http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	registry.MustRegister(engineMetrics(src)...)
	registry.MustRegister(webhookMetrics(src, now)...)
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

func counter(name, help string, value func() int64) prometheus.Collector {
	return prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, func() float64 { return float64(value()) })
}

// labelled is one of several counters of one name.
func labelled(name, help, label, is string, value func() int64) prometheus.Collector {
	return prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: name, Help: help, ConstLabels: prometheus.Labels{label: is},
	}, func() float64 { return float64(value()) })
}

// webhookMetrics are the counters of what is sent, and what waits to be.
func webhookMetrics(src Source, now clock.Clock) []prometheus.Collector {
	const attempts = "scrip_webhook_attempts_total"
	const help = "Attempts to deliver a webhook, by what came of them: acknowledged (2xx), rejected (another status), unanswered."
	stats := src.Webhooks()
	return []prometheus.Collector{
		labelled(attempts, help, "outcome", "acknowledged", stats.Acknowledged.Load),
		labelled(attempts, help, "outcome", "rejected", stats.Rejected.Load),
		labelled(attempts, help, "outcome", "unanswered", stats.Unanswered.Load),
		counter("scrip_webhook_given_up_total", "Deliveries that were given up after their last attempt.", stats.GivenUp.Load),
		counter("scrip_webhook_pruned_total", "Deliveries that were deleted because they were old.", stats.Pruned.Load),
		&backlog{src, now},
	}
}

// backlog asks the database what waits, once each time the metrics are asked for.
type backlog struct {
	src   Source
	clock clock.Clock
}

var (
	pendingDesc = prometheus.NewDesc("scrip_webhook_pending",
		"Deliveries that wait for endpoints that are neither archived nor disabled, whichever server makes them; at most 100000 are counted.", nil, nil)
	oldestDesc = prometheus.NewDesc("scrip_webhook_oldest_pending_seconds", "How long the oldest of them has waited; 0 when none does.", nil, nil)
)

// Describe tells the names.
func (b *backlog) Describe(to chan<- *prometheus.Desc) {
	to <- pendingDesc
	to <- oldestDesc
}

// Collect asks. When the database does not answer, these two are left out and the others are not.
func (b *backlog) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
	defer cancel()
	waiting, err := b.src.Backlog(ctx)
	if err != nil {
		return
	}
	age := time.Duration(0)
	if !waiting.Oldest.IsZero() {
		age = max(0, b.clock.Now().Sub(waiting.Oldest))
	}
	to <- prometheus.MustNewConstMetric(pendingDesc, prometheus.GaugeValue, float64(waiting.Pending))
	to <- prometheus.MustNewConstMetric(oldestDesc, prometheus.GaugeValue, age.Seconds())
}

// engineMetrics reads the engine's counters when they are asked for.
func engineMetrics(src Source) []prometheus.Collector {
	stats := src.Stats()
	return []prometheus.Collector{
		counter("scrip_commands_total", "Commands that were answered, previews and denials included.", stats.Commands.Load),
		counter("scrip_commands_decided_ahead_total", "Commands that were decided on what was in memory, while others were being written.", stats.DecidedAhead.Load),
		counter("scrip_batches_total", "Transactions; commands per batch is how well writes are grouped.", stats.Batches.Load),
		counter("scrip_retries_total", "Transactions that were tried again after a conflict or a lost connection.", stats.Retries.Load),
		counter("scrip_refused_total", "Commands refused because a queue was full (overloaded).", stats.Refused.Load),
		counter("scrip_wallet_loads_total", "Wallets read because the cache did not have them.", stats.Loads.Load),
		labelled("scrip_usage_events_total", "Usage events, by whether they were stored or there already.", "outcome", "stored", stats.Usages.Load),
		labelled("scrip_usage_events_total", "Usage events, by whether they were stored or there already.", "outcome", "duplicate", stats.Duplicates.Load),
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
