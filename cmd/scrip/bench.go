package main

import (
	"time"

	"github.com/seed42445051/scrip"
	"github.com/seed42445051/scrip/internal/bench"
)

// benchCmd is scrip bench.
type benchCmd struct {
	DB        string        `name:"db" default:"sqlite:scrip-bench.db" placeholder:"ADDRESS" help:"Database to load, better not the one of a business: the run leaves an app of its own in it (${default})."`
	Customers int           `default:"1000" placeholder:"N" help:"How many customers are served (${default})."`
	Clients   []int         `default:"1,16,64" placeholder:"N" help:"How many clients ask at one time; each number is measured (${default})."`
	Duration  time.Duration `default:"2s" placeholder:"DURATION" help:"How long each measurement takes (${default})."`
	Seed      uint64        `default:"1" placeholder:"N" help:"Of what the clients draw (${default})."`
}

// Run starts a server as a process of its own, loads it, and checks its books.
func (c *benchCmd) Run(w *world) error {
	// A database that cannot be used is better said here than by the server that is started.
	d := database{DB: c.DB}
	if err := d.with(w, func(*scrip.Scrip) error { return nil }); err != nil {
		return err
	}
	return bench.Run(w.ctx, bench.Options{
		DB: c.DB, Customers: c.Customers, Clients: c.Clients, Duration: c.Duration, Seed: c.Seed, Log: w.err,
	}, w.out)
}
