package acceptance

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed42445051/scrip"
	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/internal/selltest"
	"github.com/seed42445051/scrip/money"
	v1 "github.com/seed42445051/scrip/v1"

	_ "modernc.org/sqlite"
)

// damages is what somebody may do to the file by hand, each within what the tables themselves
// allow, and what the audit says about it.
var damages = []struct {
	name  string
	sql   string
	found string // a part of some difference
}{
	{"an entry's amount", `UPDATE entries SET amount = amount - 1 WHERE type = 'credit_deducted'`, "does not have the hash"},
	{"an entry's balance", `UPDATE entries SET balance_after = balance_after + 1 WHERE seq = 3`, "does not have the hash"},
	{"an entry's reason", `UPDATE entries SET reason = 'for the boss' WHERE seq = 3`, "does not have the hash"},
	{"an entry's instant", `UPDATE entries SET effective_at = effective_at - 1 WHERE seq = 3`, "does not have the hash"},
	{"who made an entry", `UPDATE entries SET actor = 'nobody' WHERE seq = 3`, "does not have the hash"},
	{"an entry's key", `UPDATE entries SET idempotency_key = 'k' WHERE seq = 3`, "does not have the hash"},
	{"the first entry is gone", `DELETE FROM entries WHERE seq = 1`, "the chain does not begin"},
	{"an entry in between is gone", `DELETE FROM entries WHERE seq = 3`, "something is missing"},
	{"the newest entry is gone", `DELETE FROM entries WHERE seq = (SELECT max(seq) FROM entries)`, "not the head"},
	{"all entries are gone", `DELETE FROM entries`, "entries"},
	{"an entry's hash", `UPDATE entries SET hash = zeroblob(32) WHERE seq = 3`, "does not have the hash"},
	{"an entry's previous hash", `UPDATE entries SET prev_hash = zeroblob(32) WHERE seq = 3`, "does not"},
	{"the head of the chain", `UPDATE wallets SET head = zeroblob(32)`, "not the head"},
	{"the number of entries", `UPDATE wallets SET seq = seq + 1`, "has counted"},
	{"credits minted", `UPDATE grants SET amount = amount + 5, available = available + 5 WHERE n = 1`, "amount is"},
	{"credits unspent", `UPDATE grants SET available = available + 5, spent = spent - 5 WHERE spent >= 5 AND metered = 0`, "available is"},
	{"credits spent by nobody", `UPDATE grants SET available = available - 5, spent = spent + 5 WHERE available >= 5`, "spent is"},
	{"credits unexpired", `UPDATE grants SET available = expired, expired = 0, is_open = 1, status = 'active' WHERE expired > 0`, "expired is"},
	{"credits frozen by nobody", `UPDATE grants SET available = available - 5, frozen = frozen + 5 WHERE available >= 5`, "frozen is"},
	{"held credits let go", `UPDATE grants SET available = available + held, held = 0 WHERE held > 0`, "held"},
	{"a grant ended by hand", `UPDATE grants SET status = 'expired' WHERE available > 0`, "is still there"},
	{"a grant that commands do not see", `UPDATE grants SET is_open = 0 WHERE available > 0`, "no command sees it"},
	{"a grant is gone", `DELETE FROM grants WHERE n = 1`, "does not exist"},
	{"a hold's slices", `UPDATE holds SET slices = replace(slices, '7', '6') WHERE status = 'pending'`, "pending reservations hold"},
	{"a hold is gone", `DELETE FROM holds WHERE status = 'pending'`, "pending reservations hold"},
	{"a hold closed by hand", `UPDATE holds SET status = 'released' WHERE status = 'pending'`, "pending reservations hold"},
	{"the overage", `UPDATE standings SET overage = overage - 1 WHERE overage > 0`, "overage is"},
	{"what was used", `UPDATE standings SET used_outside = used_outside + 1`, "used, but entries say"},
	{"usage uncounted", `UPDATE tallies SET due = due - 1`, "makes 17 due"},
	{"a tally is gone", `DELETE FROM tallies`, "makes 0 due"},
	{"what nothing covered", `UPDATE standings SET uncovered = uncovered - 1 WHERE uncovered > 0`, "is uncovered"},
	{"what meters drew of the overage", `UPDATE standings SET metered_overage = metered_overage - 1 WHERE metered_overage > 0`, "is overage and"},
	{"what a grant paid for meters", `UPDATE grants SET metered = metered - 1 WHERE metered > 0`, "but grants paid 10 of it"},
	{"an order is gone", `DELETE FROM orders WHERE n = 1`, "1 orders are stored"},
	{"an order is paid no more", `UPDATE orders SET status = 'open' WHERE n = 1`, "is open, and granted something"},
	{"an order granted nothing", `UPDATE orders SET grants = '' WHERE n = 1`, "granted 0 of 1 items"},
	{"an order granted another's", `UPDATE orders SET grants = (SELECT grants FROM orders WHERE n = 2) WHERE n = 1`, "is order 2's and order 1's"},
	{"an order bought more", `UPDATE orders SET items = replace(items, '10', '11') WHERE n = 1`, "is another"},
	{"an order took back more", `UPDATE orders SET grants = replace(grants, '"amount":10', '"amount":10,"revoked":11') WHERE n = 1`, "took back 11"},
	{"a standing is gone", `DELETE FROM standings`, "entries"},
}

// TestAuditFindsDamage makes books, damages copies of them in every way, and audits them.
func TestAuditFindsDamage(t *testing.T) {
	db := newDatabase(t, "sqlite")
	keepBooks(t, db)
	original := db.path()
	runSQL(t, original, "PRAGMA wal_checkpoint(TRUNCATE)") // all of it into the one file
	undamaged := copyOf(t, original)
	if found := differences(t, undamaged); found != "" {
		t.Fatalf("before any damage: %s", found)
	}
	for _, d := range damages {
		t.Run(d.name, func(t *testing.T) {
			path := copyOf(t, original)
			if runSQL(t, path, d.sql) == 0 {
				t.Fatal("the damage hit nothing")
			}
			found := differences(t, path)
			if !strings.Contains(found, d.found) {
				t.Errorf("the audit says %q, of which nothing is about %q", found, d.found)
			}
			out, err := scripCommand(t, "verify", "--db", "sqlite:"+path)
			if err == nil || !strings.Contains(out, d.found) {
				t.Errorf("scrip verify says %q (%v)", out, err)
			}
		})
	}
}

// keepBooks makes a wallet with something of everything: grants, spent, expired and held
// credits, and overage.
func keepBooks(t *testing.T, db *database) {
	t.Helper()
	w := newWorld(t, db)
	f := forgeOver(t, w)
	credit, err := f.CreateCredit(t.Context(), v1.CreateCredit{Name: "Plain", Unit: "x", Overage: v1.Overage{Enabled: true}})
	noError(t, err)
	ctx := context.Background()
	spend := func(amount money.Decimal, shortfall string) {
		c := direct("u", credit.ID, amount)
		c.Shortfall, c.Reason = shortfall, "usage"
		_, err := f.Deduct(ctx, v1.DeductRequest{Charge: c})
		noError(t, err)
	}
	keepMeters(t, f)
	keepOrders(t, w)
	f.give("u", credit.ID, "30")
	spend("50", "overage")
	_, err = f.Grant(ctx, v1.GrantRequest{CustomerID: "u", CreditID: credit.ID, Amount: "9", ExpiresAt: v1.ExpiresAt(f.clock.Now().Add(time.Hour))})
	noError(t, err)
	f.clock.Advance(time.Hour)
	f.give("u", credit.ID, "100")
	spend("8", "")
	d, err := f.Reserve(ctx, v1.ReserveRequest{Charge: direct("u", credit.ID, "7")})
	noError(t, err)
	f.allowed(d)
}

// keepOrders makes a customer who bought something, and paid for it.
func keepOrders(t *testing.T, w *world) {
	t.Helper()
	f := w.as(w.app, catalog.Test) // where the sandbox sells
	credit, err := f.CreateCredit(t.Context(), v1.CreateCredit{Name: "Sold", Unit: "x"})
	noError(t, err)
	pack, err := f.CreatePack(t.Context(), v1.CreatePack{Name: "P", Price: 900, Currency: "usd", Items: []v1.PackItem{{CreditID: credit.ID, Amount: "10"}}})
	noError(t, err)
	for range 2 {
		order, err := f.Checkout(t.Context(), v1.CheckoutRequest{CustomerID: "buyer", PackID: pack.ID})
		noError(t, err)
		selltest.Pay(t, w.sandbox, order.URL)
	}
}

// keepMeters makes a customer for whom meters count 18: a grant pays 11, 5 are overage, and 2 are
// not covered.
func keepMeters(t *testing.T, f *forge) {
	t.Helper()
	ctx, limit := context.Background(), money.Decimal("5")
	credit, err := f.CreateCredit(ctx, v1.CreateCredit{Name: "Metered", Unit: "x", Overage: v1.Overage{Enabled: true, Limit: &limit}})
	noError(t, err)
	_, err = f.CreateMeter(ctx, v1.CreateMeter{
		Name: "M", EventName: "e", Aggregation: v1.Aggregation{Type: "sum", Key: "n"}, MeasurementUnit: "x", Links: []v1.MeterLink{{CreditID: credit.ID}},
	})
	noError(t, err)
	f.give("metered", credit.ID, "11")
	_, err = f.IngestEvents(ctx, v1.IngestRequest{Events: []v1.UsageEvent{{EventID: "e", CustomerID: "metered", EventName: "e", Metadata: number("n", "18")}}})
	noError(t, err)
}

// copyOf copies a database file.
func copyOf(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	noError(t, err)
	if wal, err := os.Stat(path + "-wal"); err == nil && wal.Size() > 0 {
		t.Fatal("the file is not all of the database")
	}
	to := filepath.Join(t.TempDir(), "copy.db")
	noError(t, os.WriteFile(to, data, 0o600))
	return to
}

// runSQL executes SQL on a file behind the store's back and counts the rows that it hit.
func runSQL(t *testing.T, path, statement string) int64 {
	t.Helper()
	raw, err := sql.Open("sqlite", path)
	noError(t, err)
	defer func() { noError(t, raw.Close()) }()
	res, err := raw.ExecContext(t.Context(), statement)
	noError(t, err)
	n, err := res.RowsAffected()
	noError(t, err)
	return n
}

// differences is what an audit finds, one a line.
func differences(t *testing.T, path string) string {
	t.Helper()
	s, err := scrip.Open(t.Context(), scrip.DB("sqlite:"+path), scrip.SweepEvery(0), scrip.WithoutMigration())
	noError(t, err)
	defer func() { noError(t, s.Close(context.Background())) }()
	report, err := s.Verify(t.Context())
	noError(t, err)
	var lines []string
	for _, d := range report.Differences {
		lines = append(lines, d.String())
	}
	return strings.Join(lines, "\n")
}

// lock takes SQLite's write lock, as another program may, until it is told to let go.
func lock(t *testing.T, db *database) (unlock func()) {
	t.Helper()
	raw, err := sql.Open("sqlite", db.path())
	noError(t, err)
	c, err := raw.Conn(t.Context())
	noError(t, err)
	_, err = c.ExecContext(t.Context(), "BEGIN IMMEDIATE")
	noError(t, err)
	unlock = sync.OnceFunc(func() {
		_, err := c.ExecContext(context.Background(), "ROLLBACK")
		noError(t, errors.Join(err, c.Close(), raw.Close()))
	})
	t.Cleanup(unlock)
	return unlock
}
