package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/seed42445051/scrip/internal/bench"
	"github.com/seed42445051/scrip/internal/pgtest"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/store/postgres"
	"github.com/seed42445051/scrip/store/sqlite"
)

type options struct {
	scrip      string
	duration   time.Duration
	warmup     time.Duration
	rounds     int
	seed       uint64
	folder     string
	only       string
	profiles   string
	clients    []int
	wallets    []int
	operations string
	stored     int
}

// among tells whether a list that commas separate names something; an empty list names all.
func among(list, name string) bool {
	return list == "" || slices.Contains(strings.Split(list, ","), name)
}

// measurement is everything that a run found out.
type measurement struct {
	options
	postmaster int                      // process of the throwaway PostgreSQL
	cells      map[cell][]*bench.Sample // a sample a round
	database   map[cell][]time.Duration // processor time of the database for one operation, likewise
	ceilings   map[string][]float64     // by subject and wallets
	inProcess  []*bench.Sample
	flatness   [][3]float64
	events     map[reporting][]*bench.Sample
	webhooks   []sending
	idle       map[string]int64 // memory, by subject
	loaded     map[string]int64
	binary     int64 // size; 0 when it is not the real one
}

// cell is one thing that is measured.
type cell struct {
	subject string
	what    string
	wallets int
	clients int
}

// The subjects and operations.
const (
	onSQLite     = "scrip, SQLite"
	onPostgres   = "scrip, PostgreSQL"
	rival        = "hand-written"
	bare         = "echo"
	deduction    = "deduct"
	deductOnce   = "deduct once"
	reservation  = "reserve+commit"
	spreadOver   = 1000 // wallets
	mostClients  = 64
	handwrittenN = 16 // connections of the rival's pool
)

// full runs every part and prints what it found.
func full(ctx context.Context, o options, out io.Writer) (err error) {
	if o.folder == "" {
		if o.folder, err = os.MkdirTemp("", "scrip-bench-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(o.folder)) }()
	}
	pg, err := pgtest.Start("")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pg.Close()) }()
	m := &measurement{
		options: o, cells: map[cell][]*bench.Sample{}, database: map[cell][]time.Duration{}, ceilings: map[string][]float64{},
		idle: map[string]int64{}, loaded: map[string]int64{}, events: map[reporting][]*bench.Sample{},
	}
	if err := printConditions(ctx, out, m, pg); err != nil {
		return err
	}
	for _, part := range []struct {
		name string
		run  func(context.Context, *pgtest.Server) error
	}{
		{"inprocess", m.runInProcess},
		{"ceiling", m.runCeilings},
		{"flatness", m.runFlatness},
		{"webhooks", m.runWebhooks},
		{"http", m.runHTTP},
		{"events", m.runEvents},
	} {
		if !among(o.only, part.name) {
			continue
		}
		begin := time.Now()
		if err := part.run(ctx, pg); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
		fmt.Fprintf(out, "(%s took %s)\n", part.name, time.Since(begin).Round(time.Second))
	}
	m.print(out)
	return nil
}

func (m *measurement) load(clients int) bench.Load {
	return bench.Load{Clients: clients, Warmup: m.warmup, Duration: m.duration, Seed: m.seed}
}

func (m *measurement) runInProcess(ctx context.Context, _ *pgtest.Server) error {
	for i := range m.rounds {
		folder := filepath.Join(m.folder, fmt.Sprint("inprocess", i))
		if err := os.Mkdir(folder, 0o700); err != nil {
			return err
		}
		s, err := inProcess(ctx, folder, m.load(mostClients))
		if err != nil {
			return err
		}
		m.inProcess = append(m.inProcess, s)
	}
	return nil
}

func (m *measurement) runFlatness(ctx context.Context, _ *pgtest.Server) (err error) {
	m.flatness, err = flatness(ctx, m.folder, m.load(mostClients), m.rounds)
	return err
}

func (m *measurement) runCeilings(ctx context.Context, pg *pgtest.Server) error {
	for i := range m.rounds {
		for _, wallets := range []int{1, spreadOver} {
			path := filepath.Join(m.folder, fmt.Sprintf("ceiling%d-%d.db", i, wallets))
			lite, err := sqlite.Open(ctx, path)
			if err != nil {
				return err
			}
			if err := m.ceiling(ctx, lite, onSQLite, 1, wallets); err != nil {
				return err
			}
			db, err := pg.NewDatabase(ctx)
			if err != nil {
				return err
			}
			st, err := postgres.Open(ctx, db, postgres.Options{})
			if err != nil {
				return err
			}
			// Connections that write to one wallet would only wait for one another.
			if err := m.ceiling(ctx, st, onPostgres, min(4, wallets), wallets); err != nil {
				return err
			}
		}
	}
	return nil
}

func (m *measurement) ceiling(ctx context.Context, st store.Store, subject string, connections, wallets int) error {
	if err := st.Migrate(ctx); err != nil {
		return err
	}
	rate, err := ceiling(ctx, st, connections, wallets)
	key := ceilingKey(subject, wallets)
	m.ceilings[key] = append(m.ceilings[key], rate)
	return errors.Join(err, st.Close())
}

func ceilingKey(subject string, wallets int) string { return fmt.Sprintf("%s/%d", subject, wallets) }
