package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/seed42445051/scrip/internal/bench"
	"github.com/seed42445051/scrip/internal/pgtest"
)

func printConditions(ctx context.Context, out io.Writer, m *measurement, pg *pgtest.Server) error {
	sync, err := bench.SyncTime(m.folder)
	if err != nil {
		return err
	}
	settings, err := bench.Durability(ctx, pg.URL("postgres"))
	if err != nil {
		return err
	}
	if m.postmaster, err = postmasterOf(ctx, pg.URL("postgres")); err != nil {
		return err
	}
	server := "the same code in a server of the bench's own"
	if m.scrip != "" {
		server = m.scrip
		info, err := os.Stat(m.scrip)
		if err != nil {
			return err
		}
		m.binary = info.Size()
	}
	fmt.Fprintf(out, "machine     %s\n", bench.Machine())
	fmt.Fprintf(out, "disk        4 KiB written and synced in %s (median)\n", sync.Round(time.Microsecond))
	fmt.Fprintf(out, "databases   SQLite, journal_mode=WAL, synchronous=FULL; %s\n", settings)
	fmt.Fprintf(out, "server      %s, a process of its own; the rivals are plain net/http, hand-written with %d connections\n", server, handwrittenN)
	fmt.Fprintf(out, "run         %d rounds of %s after %s of warm-up, seed %d; medians over rounds, ratios within a round\n\n",
		m.rounds, m.duration, m.warmup, m.seed)
	return nil
}

// postmasterOf finds the process whose children serve the connections.
func postmasterOf(ctx context.Context, url string) (int, error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return 0, err
	}
	parent, err := bench.Parent(int(conn.PgConn().PID()))
	return parent, errors.Join(err, conn.Close(ctx))
}

// median is the middle of what a function gives for each round.
func median[T cmp.Ordered](n int, of func(round int) T) T {
	var none T
	if n == 0 {
		return none // it was not measured
	}
	values := make([]T, n)
	for i := range values {
		values[i] = of(i)
	}
	slices.Sort(values)
	return values[n/2]
}

func (m *measurement) rate(c cell) float64 {
	return median(len(m.cells[c]), func(i int) float64 { return m.cells[c][i].Rate() })
}

func (m *measurement) percentile(c cell, p float64) time.Duration {
	return median(len(m.cells[c]), func(i int) time.Duration { return m.cells[c][i].Percentile(p) })
}

// cost is processor time for one operation, in microseconds.
func (m *measurement) cost(c cell, of func(round int) time.Duration) float64 {
	return median(len(m.cells[c]), func(i int) float64 { return float64(of(i)) / 1e3 })
}

// against is how many times the rate of another cell a cell has; zero when that was not measured.
func (m *measurement) against(c, other cell) float64 {
	if len(m.cells[other]) < len(m.cells[c]) || len(m.cells[c]) == 0 {
		return 0
	}
	return median(len(m.cells[c]), func(i int) float64 { return m.cells[c][i].Rate() / m.cells[other][i].Rate() })
}

func (m *measurement) print(out io.Writer) {
	t := tabwriter.NewWriter(out, 0, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "operation\twallets\tclients\tsubject\tper second\tp50\tp99\tCPU: server\tdatabase\tclient\tof echo\tof hand-written\tof ceiling\t")
	for _, c := range m.ordered() {
		echoed := cell{bare, deduction, c.wallets, c.clients}
		written := cell{rival, deduction, c.wallets, c.clients}
		ofCeiling := ""
		if c.what == deduction {
			if all := m.ceilings[ceilingKey(c.subject, c.wallets)]; len(all) > 0 {
				ofCeiling = fmt.Sprintf("%.2f", m.rate(c)/median(len(all), func(i int) float64 { return all[i] }))
			}
		}
		fmt.Fprintf(t, "%s\t%d\t%d\t%s\t%.0f\t%s\t%s\t%.1f\t%.1f\t%.1f\t%.2f\t%.2f\t%s\t\n", c.what, c.wallets, c.clients, c.subject, m.rate(c),
			m.percentile(c, 50).Round(time.Microsecond), m.percentile(c, 99).Round(time.Microsecond),
			m.cost(c, func(i int) time.Duration { return m.cells[c][i].Server }), m.cost(c, func(i int) time.Duration { return m.database[c][i] }),
			m.cost(c, func(i int) time.Duration { return m.cells[c][i].Client }),
			m.against(c, echoed), m.against(c, written), ofCeiling)
	}
	_ = t.Flush() // to standard output, where nobody is left to tell
	for _, subject := range []string{onSQLite, onPostgres} {
		for _, wallets := range []int{1, spreadOver} {
			if all := m.ceilings[ceilingKey(subject, wallets)]; len(all) > 0 {
				fmt.Fprintf(out, "ceiling of the store (%s), %d wallets: %.0f deductions/s\n", subject, wallets,
					median(len(all), func(i int) float64 { return all[i] }))
			}
		}
	}
	if n := len(m.inProcess); n > 0 {
		fmt.Fprintf(out, "in process, SQLite FULL, one wallet, %d goroutines: %.0f deductions/s\n", mostClients,
			median(n, func(i int) float64 { return m.inProcess[i].Rate() }))
	}
	for _, round := range m.flatness {
		fmt.Fprintf(out, "flatness: %.0f deductions/s on one grant, %.0f on %d grants, %.0f after %d entries\n",
			round[0], round[1], manyGrants, round[2], manyEntries)
	}
	for _, subject := range []string{onSQLite, onPostgres} {
		if m.loaded[subject] > 0 {
			fmt.Fprintf(out, "memory of %s: %d MB after start, %d MB at most under load\n", subject, m.idle[subject]>>20, m.loaded[subject]>>20)
		}
	}
	if m.binary > 0 {
		fmt.Fprintf(out, "binary: %.1f MB\n", float64(m.binary)/1e6)
	}
	m.printEvents(out)
	fmt.Fprintln(out)
	m.printTargets(out)
}

func (m *measurement) ordered() []cell {
	var cells []cell
	for c := range m.cells {
		cells = append(cells, c)
	}
	slices.SortFunc(cells, func(a, b cell) int {
		return cmp.Or(cmp.Compare(a.what, b.what), cmp.Compare(a.wallets, b.wallets), cmp.Compare(a.clients, b.clients), cmp.Compare(b.subject, a.subject))
	})
	return cells
}

// verdicts prints whether targets were met; what was not measured has none.
type verdicts struct {
	*measurement
	out io.Writer
}

func (v verdicts) check(measured, ok bool, format string, args ...any) {
	if !measured {
		return
	}
	verdict := "MISS"
	if ok {
		verdict = "PASS"
	}
	fmt.Fprintf(v.out, "%s  %s\n", verdict, fmt.Sprintf(format, args...))
}

// atLeast is about the rate of one cell as a multiple of another's.
func (v verdicts) atLeast(least float64, c, other cell, what string) {
	x := v.against(c, other)
	v.check(x > 0, x >= least, "%s: %.2f (at least %.2f)", what, x, least)
}

func (v verdicts) latency(c cell, p float64, below time.Duration) {
	d := v.percentile(c, p)
	v.check(d > 0, d < below, "%s, %d clients, %d wallets: p%.0f %s (below %s)", c.subject, c.clients, c.wallets, p, d.Round(time.Microsecond), below)
}

func (v verdicts) megabytes(bytes int64, below float64, what string) {
	size := float64(bytes) / 1e6
	v.check(bytes > 0, size < below, "%s: %.1f MB (below %.0f)", what, size, below)
}

// printTargets says which of the targets were met.
func (m *measurement) printTargets(out io.Writer) {
	v := verdicts{m, out}
	at := func(subject string, wallets, clients int) cell { return cell{subject, deduction, wallets, clients} }
	most := func(subject string, wallets int) cell { return at(subject, wallets, mostClients) }
	v.atLeast(5, most(onPostgres, 1), most(rival, 1), "PostgreSQL, one wallet, 64 clients, against hand-written")
	v.atLeast(0.8, most(onPostgres, 1), most(onPostgres, spreadOver), "PostgreSQL, 64 clients, one wallet against 1,000")
	v.atLeast(3, most(onPostgres, spreadOver), most(rival, spreadOver), "PostgreSQL, 1,000 wallets, 64 clients, against hand-written")
	for _, wallets := range []int{1, spreadOver} {
		v.atLeast(0.35, most(onSQLite, wallets), most(bare, wallets), fmt.Sprintf("SQLite, %d wallets, 64 clients, against echo", wallets))
	}
	for _, wallets := range []int{1, spreadOver} {
		v.latency(at(onSQLite, wallets, 1), 50, time.Millisecond)
		v.latency(at(onPostgres, wallets, 1), 50, 2*time.Millisecond)
		v.latency(most(onSQLite, wallets), 99, 25*time.Millisecond)
		v.latency(most(onPostgres, wallets), 99, 25*time.Millisecond)
	}
	for _, subject := range []string{onSQLite, onPostgres} {
		v.megabytes(m.idle[subject], 60, subject+", memory after start")
		v.megabytes(m.loaded[subject], 250, subject+", memory under load")
	}
	v.megabytes(m.binary, 60, "binary")
	m.printWebhooks(v)
	rate := median(len(m.inProcess), func(i int) float64 { return m.inProcess[i].Rate() })
	v.check(rate > 0, rate >= 30_000, "in process, SQLite, one wallet: %.0f deductions/s (at least 30,000)", rate)
	v.checkEvents()
	for i, what := range []string{"10,000 live grants", "1,000,000 entries"} {
		x := median(len(m.flatness), func(r int) float64 { return m.flatness[r][0] / m.flatness[r][i+1] })
		v.check(x > 0, x <= 1.5, "cost of a deduction with %s, against one grant: %.2f (at most 1.5)", what, x)
	}
}
