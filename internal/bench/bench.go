// Package bench loads a Scrip server over HTTP and measures what it does: operations per
// second, exact percentiles of latency, processor time for an operation, and memory.
//
// It owns the load generator, which is lean because it shares the machine with the server, and
// starts the server as a process of its own, as it runs in production. It does not compare with
// anything else; internal/bench/full does, and `make bench` runs that. Nothing here is a test:
// numbers depend on the machine and on who else uses it, so only ratios within one run mean
// much.
package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/seed42445051/scrip"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/id"
)

// Options of Run. The zero value of each field but DB takes the default.
type Options struct {
	// DB is the address of the database. The run leaves an app with a name of its own in it.
	DB string
	// Serve is the command that serves DB on AddressMark; by default `serve` of this program.
	Serve     []string
	Customers int           // who are served; 1,000
	Clients   []int         // at one time; 1, 16 and 64
	Duration  time.Duration // of each measurement; 2 s
	Warmup    time.Duration // before each; 500 ms
	Seed      uint64        // of what the clients draw; 1
	Log       io.Writer     // of the server; nowhere
}

func (o *Options) fill() error {
	if len(o.Serve) == 0 {
		self, err := os.Executable()
		if err != nil {
			return err
		}
		o.Serve = []string{self, "serve", "--addr", AddressMark, "--db", o.DB}
	}
	if o.Customers <= 0 {
		o.Customers = 1000
	}
	if len(o.Clients) == 0 {
		o.Clients = []int{1, 16, 64}
	}
	if o.Duration <= 0 {
		o.Duration = 2 * time.Second
	}
	if o.Warmup <= 0 {
		o.Warmup = 500 * time.Millisecond
	}
	if o.Seed == 0 {
		o.Seed = 1
	}
	if o.Log == nil {
		o.Log = io.Discard
	}
	return nil
}

// Run loads one server on one database, prints what it measured, and checks afterwards that the
// ledger holds exactly what was acknowledged.
func Run(ctx context.Context, o Options, out io.Writer) error {
	if err := o.fill(); err != nil {
		return err
	}
	durability, err := Durability(ctx, o.DB)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "machine   %s\ndatabase  %s\nrun       %s for each line after %s of warm-up, seed %d\n\n",
		Machine(), durability, o.Duration, o.Warmup, o.Seed)
	f, err := Prepare(ctx, o.DB, id.New("bench"), o.Customers)
	if err != nil {
		return err
	}
	p, err := Start(ctx, o.Log, o.Serve...)
	if err != nil {
		return err
	}
	calls, err := measure(ctx, &o, f, p, out)
	if err := errors.Join(err, p.Stop()); err != nil {
		return err
	}
	return checkBooks(ctx, o.DB, f, calls, out)
}

// measure prints a line for each combination and returns how many credits were spent.
func measure(ctx context.Context, o *Options, f *Fixture, p *Process, out io.Writer) (spent int, err error) {
	memory, err := p.Memory()
	if err != nil {
		return 0, err
	}
	fmt.Fprintf(out, "memory after start: %d MB\n", memory>>20)
	t := tabwriter.NewWriter(out, 0, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "operation\twallets\tclients\tper second\tp50\tp99\tCPU of the server\t")
	for _, wallets := range []int{1, o.Customers} {
		for _, what := range []struct {
			name string
			op   Operation
		}{
			{"deduct", f.Deduct(wallets)},
			{"deduct, idempotent", f.DeductOnce(wallets)},
			{"reserve and commit", f.ReserveAndCommit(wallets)},
		} {
			for _, clients := range o.Clients {
				load := Load{Clients: clients, Warmup: o.Warmup, Duration: o.Duration, Seed: o.Seed}
				s, err := p.Measure(ctx, load, what.op)
				if err != nil {
					return 0, err
				}
				spent += s.Calls
				o.Seed++ // idempotency keys are drawn too, and must not come again
				fmt.Fprintf(t, "%s\t%d\t%d\t%.0f\t%s\t%s\t%s\t\n", what.name, wallets, clients, s.Rate(),
					s.Percentile(50).Round(time.Microsecond), s.Percentile(99).Round(time.Microsecond), s.Server.Round(time.Microsecond))
			}
		}
	}
	if err := t.Flush(); err != nil {
		return 0, err
	}
	memory, err = p.Memory()
	fmt.Fprintf(out, "memory after the load: %d MB\n", memory>>20)
	return spent, err
}

// checkBooks reads every balance again: each acknowledged operation spent one credit.
func checkBooks(ctx context.Context, db string, f *Fixture, acknowledged int, out io.Writer) (err error) {
	s, err := scrip.Open(ctx, scrip.DB(db), scrip.SweepEvery(0), scrip.WithoutWebhooks())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close(ctx)) }()
	app, err := s.App(ctx, f.App, scrip.Test)
	if err != nil {
		return err
	}
	stored := 0
	for i := range f.Customers {
		balances, err := app.Balances(ctx, f.Customer(i), f.Credit, clock.Instant(0))
		if err != nil {
			return err
		}
		used, err := strconv.Atoi(string(balances.Data[0].Used))
		if err != nil {
			return err
		}
		stored += used
	}
	if stored != acknowledged {
		return fmt.Errorf("bench: %d operations were acknowledged, and %d are in the ledger", acknowledged, stored)
	}
	fmt.Fprintf(out, "books: %d operations were acknowledged, and as many are in the ledger\n", stored)
	return nil
}

// Machine describes what a run runs on.
func Machine() string {
	return fmt.Sprintf("%d CPUs (%s), %s/%s, %s, load average before: %s",
		runtime.NumCPU(), processorName(), runtime.GOOS, runtime.GOARCH, runtime.Version(), loadAverage())
}
