package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/seed42445051/scrip/internal/bench"
	"github.com/seed42445051/scrip/internal/pgtest"
)

// shape is how events are reported, and how many a second have to get through.
type shape struct {
	perCall, clients int
	target           float64
}

var shapes = []shape{{1000, 16, 30_000}, {1, 64, 8_000}}

// mostSlower is how much more an event may cost beside many stored ones than beside none.
const mostSlower = 1.3

// metering is a server whose meter counts what is reported, over a database that holds many events
// already or none.
type metering struct {
	subject, db string
	stored      int
	process     *bench.Process
	fixture     *bench.Fixture
	reported    int
}

// reporting is one thing that is measured.
type reporting struct {
	subject string
	many    bool // beside many stored events
	shape
}

// runEvents measures usage events over HTTP: on both stores, beside none and beside many.
func (m *measurement) runEvents(ctx context.Context, pg *pgtest.Server) (err error) {
	log, err := os.Create(filepath.Join(m.folder, "events.log"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	var servers []*metering
	defer func() {
		for _, s := range servers {
			err = errors.Join(err, s.process.Stop())
			if err == nil {
				err = bench.CheckEvents(ctx, s.db, s.fixture, s.stored+s.reported)
			}
		}
	}()
	for _, stored := range []int{0, m.stored} {
		for _, subject := range []string{onSQLite, onPostgres} {
			db := "sqlite:" + filepath.Join(m.folder, fmt.Sprintf("events%d.db", stored))
			if subject == onPostgres {
				if db, err = pg.NewDatabase(ctx); err != nil {
					return err
				}
			}
			s := &metering{subject: subject, db: db, stored: stored}
			if s.fixture, err = bench.PrepareEvents(ctx, db, "bench", spreadOver, stored); err != nil {
				return err
			}
			if err := settle(ctx, subject, db); err != nil {
				return err
			}
			if s.process, err = m.startOne(ctx, log, subject, "scrip", db); err != nil {
				return err
			}
			servers = append(servers, s)
		}
	}
	if err := pause(ctx, 2*time.Second); err != nil {
		return err
	}
	for range m.rounds {
		for _, shape := range shapes {
			for _, s := range servers {
				if err := m.report(ctx, s, shape); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// report measures one shape. Before that every wallet has to be in memory, for which a call of many
// events needs longer than others.
func (m *measurement) report(ctx context.Context, s *metering, shape shape) error {
	load := m.load(shape.clients)
	load.Warmup = max(load.Warmup, 2*time.Second)
	before, err := bench.Family(m.postmaster)
	if err != nil {
		return err
	}
	sample, err := s.process.Measure(ctx, load, s.fixture.Ingest(shape.perCall))
	if err != nil {
		return err
	}
	after, err := bench.Family(m.postmaster)
	if s.subject == onPostgres {
		sample.Server += (after - before) / time.Duration(sample.Calls)
	}
	s.reported += sample.Calls * shape.perCall
	r := reporting{s.subject, s.stored > 0, shape}
	m.events[r] = append(m.events[r], sample)
	return err
}

// settle lets PostgreSQL do at once what it would do in the minutes after a back-fill.
func settle(ctx context.Context, subject, db string) error {
	if subject != onPostgres {
		return nil
	}
	conn, err := pgx.Connect(ctx, db)
	if err != nil {
		return err
	}
	for _, statement := range []string{"VACUUM (ANALYZE)", "CHECKPOINT"} {
		if _, err = conn.Exec(ctx, statement); err != nil {
			break
		}
	}
	return errors.Join(err, conn.Close(ctx))
}

// reported is events per second.
func (m *measurement) reported(r reporting) float64 {
	return float64(r.perCall) * median(len(m.events[r]), func(i int) float64 { return m.events[r][i].Rate() })
}

func (m *measurement) printEvents(out io.Writer) {
	if len(m.events) == 0 {
		return
	}
	t := tabwriter.NewWriter(out, 0, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "events a call\tclients\tstored before\tsubject\tevents per second\tp50\tp99\tCPU of server and database for an event\t")
	for _, r := range m.eachReporting() {
		samples, stored := m.events[r], 0
		if r.many {
			stored = m.stored
		}
		percentile := func(p float64) time.Duration {
			return median(len(samples), func(i int) time.Duration { return samples[i].Percentile(p) }).Round(time.Microsecond)
		}
		cost := median(len(samples), func(i int) time.Duration { return samples[i].Server }) / time.Duration(r.perCall)
		fmt.Fprintf(t, "%d\t%d\t%d\t%s\t%.0f\t%s\t%s\t%s\t\n", r.perCall, r.clients, stored, r.subject, m.reported(r), percentile(50), percentile(99), cost.Round(100*time.Nanosecond))
	}
	_ = t.Flush() // to standard output, where nobody is left to tell
}

func (m *measurement) eachReporting() []reporting {
	var all []reporting
	for _, shape := range shapes {
		for _, subject := range []string{onSQLite, onPostgres} {
			for _, many := range []bool{false, true} {
				if r := (reporting{subject, many, shape}); len(m.events[r]) > 0 {
					all = append(all, r)
				}
			}
		}
	}
	return all
}

// checkEvents says which targets of metering were met.
func (v verdicts) checkEvents() {
	for _, r := range v.eachReporting() {
		if !r.many {
			rate := v.reported(r)
			v.check(true, rate >= r.target, "%s, calls of %d events, %d clients: %.0f events/s (at least %.0f)", r.subject, r.perCall, r.clients, rate, r.target)
			continue
		}
		none := r
		none.many = false
		slower := median(len(v.events[r]), func(i int) float64 { return v.events[none][i].Rate() / v.events[r][i].Rate() })
		v.check(true, slower <= mostSlower, "%s, calls of %d events, time for an event with %d stored, against none: %.2f (at most %.1f)",
			r.subject, r.perCall, v.stored, slower, mostSlower)
		dearer := median(len(v.events[r]), func(i int) float64 { return float64(v.events[r][i].Server) / float64(v.events[none][i].Server) })
		v.check(true, dearer <= mostSlower, "%s, calls of %d events, processor time for an event with %d stored, against none: %.2f (at most %.1f)",
			r.subject, r.perCall, v.stored, dearer, mostSlower)
	}
}
