package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/seed42445051/scrip"
	"github.com/seed42445051/scrip/internal/bench"
	"github.com/seed42445051/scrip/internal/pgtest"
	v1 "github.com/seed42445051/scrip/v1"
)

// How many events wait when the sending begins, and of how many customers.
const (
	webhookEvents    = 10_000
	webhookCustomers = 100
	webhookTarget    = 2000 // deliveries per second
)

// sending is the rates of one round on one database.
type sending struct {
	subject       string
	alone, beside float64 // deliveries per second: with a fast receiver only, and while another one hangs
}

func (m *measurement) runWebhooks(ctx context.Context, pg *pgtest.Server) error {
	for i := range m.rounds {
		for _, subject := range []string{onSQLite, onPostgres} {
			round := sending{subject: subject}
			for _, hanging := range []bool{false, true} {
				db := "sqlite:" + filepath.Join(m.folder, fmt.Sprintf("webhooks%d-%t.db", i, hanging))
				if subject == onPostgres {
					var err error
					if db, err = pg.NewDatabase(ctx); err != nil {
						return err
					}
				}
				rate, err := deliver(ctx, db, hanging)
				if err != nil {
					return err
				}
				if hanging {
					round.beside = rate
				} else {
					round.alone = rate
				}
			}
			m.webhooks = append(m.webhooks, round)
		}
	}
	return nil
}

// counter is a receiver that acknowledges everything at once, and tells when it has got all.
type counter struct {
	left atomic.Int64
	all  chan struct{}
}

func (c *counter) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	if c.left.Add(-1) == 0 {
		close(c.all)
	}
}

// deliver writes events while nobody sends them, and then measures how fast they are sent.
func deliver(ctx context.Context, db string, hanging bool) (rate float64, err error) {
	fast := &counter{all: make(chan struct{})}
	fast.left.Store(webhookEvents)
	to := httptest.NewServer(fast)
	defer to.Close()
	release := make(chan struct{})
	stuck := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer stuck.Close()
	defer close(release)
	urls := []string{to.URL}
	if hanging {
		urls = append(urls, stuck.URL)
	}
	if err := writeEvents(ctx, db, urls); err != nil {
		return 0, err
	}
	s, err := scrip.Open(ctx, scrip.DB(db), scrip.WebhooksToLoopback())
	if err != nil {
		return 0, err
	}
	begin := time.Now()
	select {
	case <-fast.all:
	case <-ctx.Done():
		err = ctx.Err()
	}
	took := time.Since(begin)
	// Requests to the one that hangs are not waited for.
	now, cancel := context.WithCancel(ctx)
	cancel()
	if closed := s.Close(now); !errors.Is(closed, context.Canceled) {
		err = errors.Join(err, closed)
	}
	return webhookEvents / took.Seconds(), err
}

func writeEvents(ctx context.Context, db string, urls []string) (err error) {
	s, err := scrip.Open(ctx, scrip.DB(db), scrip.WithoutWebhooks())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close(ctx)) }()
	app, f, err := open(ctx, s, webhookCustomers)
	if err != nil {
		return err
	}
	for _, url := range urls {
		if _, err := app.CreateWebhookEndpoint(ctx, v1.CreateWebhookEndpoint{URL: url}); err != nil {
			return err
		}
	}
	return bench.Many(webhookEvents, func(int) error { return deduct(ctx, app, f, rand.IntN(webhookCustomers)) })
}

// printWebhooks prints the median of the rounds, and whether they are what is wanted.
func (m *measurement) printWebhooks(v verdicts) {
	for _, subject := range []string{onSQLite, onPostgres} {
		var rounds []sending
		for _, s := range m.webhooks {
			if s.subject == subject {
				rounds = append(rounds, s)
			}
		}
		for _, c := range []struct {
			what string
			rate float64
		}{
			{"to a fast receiver", median(len(rounds), func(i int) float64 { return rounds[i].alone })},
			{"while another receiver hangs", median(len(rounds), func(i int) float64 { return rounds[i].beside })},
		} {
			v.check(c.rate > 0, c.rate >= webhookTarget, "webhooks, %s, %s: %.0f/s (at least %d)", subject, c.what, c.rate, webhookTarget)
		}
	}
}
