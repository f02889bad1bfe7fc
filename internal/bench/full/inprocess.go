package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"time"

	"github.com/seed42445051/scrip"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/internal/bench"
	v1 "github.com/seed42445051/scrip/v1"
)

// inProcess measures App.Deduct without HTTP: many goroutines, one wallet.
func inProcess(ctx context.Context, folder string, load bench.Load) (*bench.Sample, error) {
	s, err := scrip.Open(ctx, scrip.DB("sqlite:"+filepath.Join(folder, "inprocess.db")))
	if err != nil {
		return nil, err
	}
	defer func() { _ = s.Close(ctx) }()
	app, f, err := open(ctx, s, 1)
	if err != nil {
		return nil, err
	}
	return load.InProcess(ctx, func(*rand.Rand) error { return deduct(ctx, app, f, 0) })
}

func open(ctx context.Context, s *scrip.Scrip, customers int) (*scrip.App, *bench.Fixture, error) {
	const name = "bench"
	f, err := bench.Fill(ctx, s, name, customers)
	if err != nil {
		return nil, nil, err
	}
	app, err := s.App(ctx, name, scrip.Test)
	return app, f, err
}

func deduct(ctx context.Context, app *scrip.App, f *bench.Fixture, customer int) error {
	_, err := app.Deduct(ctx, v1.DeductRequest{Charge: v1.Charge{CustomerID: f.Customer(customer), CreditID: f.Credit, Amount: "1"}})
	return err
}

// What the wallets have behind them when flatness is measured.
const (
	manyGrants  = 10_000
	manyEntries = 1_000_000
)

// flatness is deductions per second on a wallet with one grant, on one with many live grants,
// and on one with many entries; round by round, so that what else the machine does concerns
// them alike. The store does not wait for the disk, which would hide a difference.
func flatness(ctx context.Context, folder string, load bench.Load, rounds int) ([][3]float64, error) {
	s, err := scrip.Open(ctx, scrip.DB("sqlite:"+filepath.Join(folder, "flatness.db")+"?sync=off"))
	if err != nil {
		return nil, err
	}
	defer func() { _ = s.Close(ctx) }()
	app, f, err := open(ctx, s, 3)
	if err != nil {
		return nil, err
	}
	expires := time.Now().Add(24 * time.Hour)
	err = bench.Many(manyGrants-1, func(i int) error {
		r := v1.GrantRequest{CustomerID: f.Customer(1), CreditID: f.Credit, Amount: "1000"}
		r.ExpiresAt = v1.ExpiresAt(clock.At(expires.Add(time.Duration(i) * time.Second)))
		_, err := app.Grant(ctx, r)
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := bench.Many(manyEntries, func(int) error { return deduct(ctx, app, f, 2) }); err != nil {
		return nil, err
	}
	var rates [][3]float64
	for range rounds {
		var round [3]float64
		for customer := range round {
			sample, err := load.InProcess(ctx, func(*rand.Rand) error { return deduct(ctx, app, f, customer) })
			if err != nil {
				return nil, fmt.Errorf("customer %d: %w", customer, err)
			}
			round[customer] = sample.Rate()
		}
		rates = append(rates, round)
	}
	return rates, nil
}
