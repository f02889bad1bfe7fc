package main

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/seed42445051/scrip/internal/bench"
	"github.com/seed42445051/scrip/internal/pgtest"
)

// server is a subject as it runs, with what it can be asked.
type server struct {
	subject string
	process *bench.Process
	fixture *bench.Fixture
}

// runHTTP measures every subject over HTTP, round by round.
func (m *measurement) runHTTP(ctx context.Context, pg *pgtest.Server) (err error) {
	servers, err := m.start(ctx, pg)
	defer func() {
		for _, s := range servers {
			err = errors.Join(err, s.process.Stop())
		}
	}()
	if err != nil {
		return err
	}
	if err := m.memory(ctx, servers, m.idle); err != nil {
		return err
	}
	for range m.rounds {
		for _, clients := range m.clients {
			if err := m.round(ctx, servers, clients); err != nil {
				return err
			}
		}
	}
	return nil
}

// round measures every subject once with so many clients. What is compared comes close
// together in time.
func (m *measurement) round(ctx context.Context, servers []*server, clients int) error {
	for _, wallets := range m.wallets {
		for _, what := range []string{deduction, deductOnce, reservation} {
			for _, s := range servers {
				if op := s.operation(what, wallets); op != nil && among(m.operations, what) {
					if err := m.sample(ctx, s, cell{s.subject, what, wallets, clients}, op); err != nil {
						return err
					}
				}
			}
		}
	}
	return m.memory(ctx, servers, m.loaded)
}

// operation is how a subject does what is measured; nil when it cannot.
func (s *server) operation(what string, wallets int) bench.Operation {
	switch {
	case what == deduction:
		return s.fixture.Deduct(wallets)
	case s.subject == bare || s.subject == rival:
		return nil
	case what == deductOnce:
		return s.fixture.DeductOnce(wallets)
	}
	return s.fixture.ReserveAndCommit(wallets)
}

// sample measures one cell, and what the database's processes spend on it.
func (m *measurement) sample(ctx context.Context, s *server, c cell, op bench.Operation) error {
	before, err := bench.Family(m.postmaster)
	if err != nil {
		return err
	}
	m.seed++ // idempotency keys are drawn too, and must not come again
	sample, err := s.process.Measure(ctx, m.load(c.clients), op)
	if err != nil {
		return err
	}
	after, err := bench.Family(m.postmaster)
	m.cells[c] = append(m.cells[c], sample)
	m.database[c] = append(m.database[c], (after-before)/time.Duration(sample.Calls))
	return err
}

// memory notes the most that each server was seen to use.
func (m *measurement) memory(_ context.Context, servers []*server, at map[string]int64) error {
	for _, s := range servers {
		bytes, err := s.process.Memory()
		if err != nil {
			return err
		}
		at[s.subject] = max(at[s.subject], bytes)
	}
	return nil
}

// start starts all servers over databases of their own. Those that it started are returned with
// an error, too, to be stopped.
func (m *measurement) start(ctx context.Context, pg *pgtest.Server) (servers []*server, err error) {
	log, err := os.Create(filepath.Join(m.folder, "servers.log"))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	lite := "sqlite:" + filepath.Join(m.folder, "scrip.db")
	theirs, err := pg.NewDatabase(ctx)
	if err != nil {
		return nil, err
	}
	ours, err := pg.NewDatabase(ctx)
	if err != nil {
		return nil, err
	}
	var fixture *bench.Fixture
	for _, s := range []struct{ subject, role, db string }{
		{onSQLite, "scrip", lite}, {onPostgres, "scrip", ours}, {rival, "handwritten", theirs}, {bare, "echo", ""},
	} {
		switch s.subject {
		case onSQLite, onPostgres:
			fixture, err = bench.Prepare(ctx, s.db, "bench", spreadOver)
		case rival:
			customers := make([]string, spreadOver)
			for i := range customers {
				customers[i] = fixture.Customer(i)
			}
			err = prepareHandwritten(ctx, s.db, fixture.Credit, customers)
			s.db += "&pool_max_conns=16"
		}
		if err != nil {
			return servers, err
		}
		p, err := m.startOne(ctx, log, s.subject, s.role, s.db)
		if err != nil {
			return servers, err
		}
		servers = append(servers, &server{s.subject, p, fixture})
	}
	return servers, pause(ctx, 2*time.Second)
}

// pause lets what a start left behind settle.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (m *measurement) startOne(ctx context.Context, log io.Writer, subject, role, db string) (*bench.Process, error) {
	if role == "scrip" && m.scrip != "" {
		return bench.Start(ctx, log, m.scrip, "serve", "--addr", bench.AddressMark, "--db", db)
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	profiles := ""
	if role == "scrip" && m.profiles != "" {
		profiles = filepath.Join(m.profiles, subject)
		if err := os.MkdirAll(profiles, 0o700); err != nil {
			return nil, err
		}
	}
	return bench.Start(ctx, log, self, "serve", role, bench.AddressMark, db, profiles)
}
