// Package cycles has many customers live through a year of billing.
package cycles

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seed42445051/scrip"
	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/internal/pgtest"
	"github.com/seed42445051/scrip/internal/testenv"
	"github.com/seed42445051/scrip/money"
	v1 "github.com/seed42445051/scrip/v1"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m, pgtest.WithoutFsync())) }

// begin is the instant at which the year begins.
const begin = clock.Instant(1_772_366_400_000_000) // 2026-03-01T12:00:00Z

// handClock stands still for every decision, while the pauses between retries really pass.
type handClock struct{ *clock.Manual }

// After really waits.
func (handClock) After(d time.Duration) <-chan time.Time { return time.After(d) }

func noError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestTwelveCycles has a thousand customers, whose months begin on different days, use more than they
// have in three seasons of a year. One sandbox goes from season to season in one jump of its clock,
// the other day by day; in the end their books are the same, entry by entry.
func TestTwelveCycles(t *testing.T) {
	customers := testenv.Ops(t, usualCustomers)
	for _, kind := range []string{"sqlite", "postgres"} {
		t.Run(kind, func(t *testing.T) {
			address := "sqlite:" + filepath.Join(t.TempDir(), "scrip.db") + "?sync=off" // as PostgreSQL is without fsync
			if kind == "postgres" {
				address = pgtest.URL(t)
			}
			s, err := scrip.Open(t.Context(), scrip.DB(address), scrip.WithClock(handClock{clock.NewManual(begin)}), scrip.SweepEvery(0), scrip.WithoutWebhooks())
			noError(t, err)
			defer func() { noError(t, s.Close(context.Background())) }()
			define(t, s)
			jump := year{t: t, mode: "test/jump", step: 0, customers: customers}
			daily := year{t: t, mode: "test/daily", step: 24 * time.Hour, customers: customers}
			for _, y := range []*year{&jump, &daily} {
				start := clock.System{}.Now()
				y.live(s)
				t.Logf("%d customers, %s: %s", customers, y.mode, clock.System{}.Now().Sub(start)) // told, and not judged
			}
			same := 0
			there := jump.all()
			for i, b := range daily.all() {
				a := there[i]
				if a != b {
					t.Fatalf("customer %d (- in one jump, + day by day):\n%s", i, cmp.Diff(strings.Split(a, "\n"), strings.Split(b, "\n")))
				}
				same += strings.Count(a, "\n")
			}
			if same < customers*60 {
				t.Errorf("only %d lines of %d customers were compared", same, customers)
			}
			report, err := s.Verify(t.Context())
			noError(t, err)
			for _, d := range report.Differences {
				t.Errorf("verify: %s", d)
			}
		})
	}
}

// define makes one plan with a credit of every sort: one that rolls over, one whose overage is
// billed, one whose deficit the next cycle repays, and one that comes weekly.
func define(t *testing.T, s *scrip.Scrip) {
	t.Helper()
	app, err := s.App(t.Context(), "books", scrip.Live)
	noError(t, err)
	for _, c := range []v1.CreateCredit{
		{Name: "rolling", Unit: "unit", Precision: 2, Rollover: v1.Rollover{Percent: 50, ValidityCount: 1, ValidityUnit: "month", MaxCount: 2}},
		{Name: "billed", Unit: "unit", Overage: v1.Overage{Enabled: true, Behavior: "invoice_at_billing", PricePerUnit: "2.5", Currency: "usd"}},
		{Name: "repaid", Unit: "unit", Overage: v1.Overage{Enabled: true, Behavior: "carry_deficit_auto_repay"}},
		{Name: "weekly", Unit: "unit", Overage: v1.Overage{Enabled: true, Behavior: "forgive_at_reset"}},
	} {
		_, err := app.CreateCredit(t.Context(), c)
		noError(t, err)
	}
	_, err = app.CreatePlan(t.Context(), v1.CreatePlan{
		ID: "all", Name: "All", Price: 900, Credits: []v1.PlanCredit{
			{CreditID: "rolling", Amount: "100"},
			{CreditID: "billed", Amount: "10"},
			{CreditID: "repaid", Amount: "10", Expires: "never"},
			{CreditID: "weekly", Amount: "3", Every: &v1.Interval{Count: 1, Unit: "week"}},
		},
	})
	noError(t, err)
}

// year is twelve cycles of many customers in a sandbox of their own.
type year struct {
	t         *testing.T
	mode      catalog.Mode
	step      time.Duration // of the clock; zero: everything at once
	customers int
	app       *scrip.App
}

func (y *year) live(s *scrip.Scrip) {
	y.t.Helper()
	app, err := s.App(y.t.Context(), "books", y.mode)
	noError(y.t, err)
	y.app = app
	y.each(func(ctx context.Context, i int) error {
		_, err := app.Subscribe(ctx, v1.Subscribe{CustomerID: name(i), PlanID: "all", CycleStart: begin.Add(-time.Duration(i%28) * 24 * time.Hour)})
		return err
	})
	for season := range 3 {
		y.each(func(ctx context.Context, i int) error { return y.use(ctx, season, i) })
		y.pass(122 * 24 * time.Hour)
	}
}

// use spends of everything, of some more than there is.
func (y *year) use(ctx context.Context, season, i int) error {
	for _, u := range []struct {
		credit string
		amount int
	}{{"rolling", 1 + (i*7+season)%100}, {"billed", 5 + i%11}, {"repaid", 8 + i%30}, {"weekly", 1 + i%6}} {
		_, err := y.app.Deduct(ctx, v1.DeductRequest{Charge: v1.Charge{
			CustomerID: name(i), CreditID: u.credit, Amount: money.Decimal(fmt.Sprint(u.amount)), Shortfall: "overage",
		}})
		if err != nil {
			return err
		}
	}
	return nil
}

// pass lets time go by.
func (y *year) pass(all time.Duration) {
	y.t.Helper()
	step := y.step
	if step == 0 {
		step = all
	}
	for range all / step {
		_, err := y.app.AdvanceTestClock(y.t.Context(), v1.AdvanceTestClock{BySeconds: int64(step / time.Second)})
		noError(y.t, err)
	}
}

// each does something for every customer, some at a time.
func (y *year) each(do func(ctx context.Context, i int) error) {
	y.t.Helper()
	const workers = 64
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := w; i < y.customers; i += workers {
				if err := do(y.t.Context(), i); err != nil {
					y.t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	if y.t.Failed() {
		y.t.FailNow()
	}
}

func name(i int) string { return fmt.Sprintf("c%04d", i) }

// all are the books of every customer.
func (y *year) all() []string {
	y.t.Helper()
	all := make([]string, y.customers)
	y.each(func(ctx context.Context, i int) error {
		var err error
		all[i], err = y.books(ctx, i)
		return err
	})
	return all
}

// books is everything that is told of a customer but what names the wallet.
func (y *year) books(ctx context.Context, i int) (string, error) {
	var all strings.Builder
	encoder := json.NewEncoder(&all)
	q := v1.LedgerQuery{Limit: v1.MaxPage}
	for {
		page, err := y.app.Ledger(ctx, name(i), q)
		if err != nil {
			return "", err
		}
		for _, e := range page.Data {
			e.ID, e.OperationID, e.ReferenceID, e.PreviousHash, e.Hash, e.RecordedAt, e.Actor = "", "", "", "", "", 0, ""
			for k := range e.Slices {
				_, n, err := id.ParseObject(id.PrefixGrant, e.Slices[k].GrantID)
				if err != nil {
					return "", err
				}
				e.Slices[k].GrantID = fmt.Sprint(n)
			}
			if err := encoder.Encode(e); err != nil {
				return "", err
			}
		}
		if !page.HasMore {
			break
		}
		q.Cursor = page.NextCursor
	}
	grants, err := y.app.CustomerGrants(ctx, name(i), v1.GrantQuery{Limit: v1.MaxPage})
	if err != nil {
		return "", err
	}
	for k := range grants.Data {
		g := &grants.Data[k]
		g.ID, g.ParentID, g.RolledIntoID, g.SourceID = "", "", "", ""
	}
	invoices, err := y.app.ListInvoices(ctx, v1.InvoiceQuery{CustomerID: name(i), Limit: v1.MaxPage})
	if err != nil {
		return "", err
	}
	for k := range invoices.Data {
		v := &invoices.Data[k]
		v.ID, v.SubscriptionID, v.Number = "", "", v.Number[len(v.Number)-4:]
	}
	subs, err := y.app.ListSubscriptions(ctx, v1.SubscriptionQuery{CustomerID: name(i)})
	if err != nil {
		return "", err
	}
	history, err := y.app.SubscriptionHistory(ctx, subs.Data[0].ID, v1.PageQuery{Limit: v1.MaxPage})
	if err != nil {
		return "", err
	}
	for k := range history.Data {
		history.Data[k].Actor = ""
	}
	for _, part := range []any{grants.Data, invoices.Data, subs.Data[0].Cycle, history.Data} {
		if err := encoder.Encode(part); err != nil {
			return "", err
		}
	}
	return all.String(), nil
}
