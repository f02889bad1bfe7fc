package model_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed42445051/scrip/internal/testenv"
)

// A deliberate fault: one place of one file, made wrong. What a test does not notice when it is
// broken, it does not test.
type deliberate struct {
	name     string
	file     string // from the module's root
	right    string // must occur exactly once in the file
	wrong    string
	pkg, run string // the tests that must notice
}

const (
	modelTests = "./internal/model"
	histories  = "^TestHistories$"
)

var faults = []deliberate{
	{
		"wrong tie-break", "wallet/work.go",
		`return cmp.Compare(a.N, b.N)`,
		`return cmp.Compare(b.N, a.N)`,
		modelTests, histories,
	},
	{
		"expiry off by one instant", "wallet/settle.go",
		`if due.IsZero() || due > cx.Now {`,
		`if due.IsZero() || due >= cx.Now {`,
		modelTests, histories,
	},
	{
		"release to the wrong grant", "wallet/hold.go",
		`parts[i] = Slice{Grant: s.Grant, Held: -s.Units, Available: s.Units}`,
		`parts[i] = Slice{Grant: h.Slices[0].Grant, Held: -s.Units, Available: s.Units}`,
		modelTests, histories,
	},
	{
		"hold counted twice", "wallet/work.go",
		`sums.Held += s.Held`,
		`sums.Held += 2 * s.Held`,
		modelTests, histories,
	},
	{
		// Under a key that was used before, the engine would decide anew.
		"idempotency key applied again", "engine/batch.go",
		`ok && j.Idempotency != "" {`,
		`ok && j.Idempotency == "no such key" {`,
		"./internal/acceptance", "^TestReplayWithinABatch$/^sqlite$",
	},
	{
		"replay applied twice", "wallet/grant.go",
		`len(existing) > 0 {`,
		`len(existing) > 1 {`,
		modelTests, histories,
	},
	{
		"prorated by the used share", "wallet/cycle.go",
		`int64(c.End-max(at, c.Start))`,
		`int64(max(at, c.Start)-c.Start)`,
		modelTests, histories,
	},
	{
		"a deficit that is carried is forgiven", "wallet/cycle.go",
		`case catalog.CarryDeficit, catalog.CarryDeficitAutoRepay:`,
		`case catalog.CarryDeficitAutoRepay:`,
		modelTests, histories,
	},
	{
		"credits of a paused cycle end while it stands still", "wallet/cycle.go",
		"w.reschedule(&sub.Included[i], 0)\n\t}\n\tw.moveTallies(sub.CycleStart, Forever)",
		"w.reschedule(&sub.Included[i], sub.Included[i].End)\n\t}\n\tw.moveTallies(sub.CycleStart, Forever)",
		modelTests, histories,
	},
	{
		"a refund takes a share of less than was granted", "wallet/refund.go",
		`back.Mul(back, big.NewInt(og.Amount))`,
		`back.Mul(back, big.NewInt(og.Amount-1))`,
		modelTests, histories,
	},
	{
		"what comes back from a hold stays though its money was refunded", "wallet/refund.go",
		`h.Slices[i].Order, h.Slices[i].Item = o.N, item`,
		`_ = item`,
		"./wallet", "^TestRefundWhileHeld$",
	},
	{
		"topped up at the threshold", "wallet/topup.go",
		`w.topUpBalance(credit) >= t.Threshold`,
		`w.topUpBalance(credit) > t.Threshold`,
		"./wallet", "^TestTopUp$",
	},
	{
		"a cap that is reached is passed once", "wallet/topup.go",
		`under(t.Caps.DayCount, day.Count+1)`,
		`under(t.Caps.DayCount, day.Count)`,
		"./wallet", "^TestTopUpCaps$",
	},
	{
		"what is held is announced", "wallet/notice.go",
		`n.Units += g.Available`,
		`n.Units += g.Available + g.Held`,
		modelTests, histories,
	},
	{
		"an invoice that was paid is charged all the same", "wallet/invoice.go",
		`w.dropCharges(&v, "the invoice is "+string(status))`,
		`_ = status`,
		modelTests, histories,
	},
}

// TestFaults breaks the code in one place at a time and runs tests on it in a child process.
// They must fail; that they pass when nothing is wrong is the first case.
func TestFaults(t *testing.T) {
	t.Run("nothing wrong", func(t *testing.T) {
		whole := deliberate{"", "wallet/work.go", "package wallet\n", "package wallet\n", modelTests, histories}
		if out, err := whole.test(t); err != nil {
			t.Fatalf("the tests fail on code that is right: %v\n%s", err, out)
		}
	})
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			out, err := f.test(t)
			switch {
			case err == nil:
				t.Errorf("%s is wrong and %s of %s passes:\n%s", f.file, f.run, f.pkg, out)
			case !strings.Contains(out, "--- FAIL: "):
				t.Errorf("the tests did not run: %v\n%s", err, out)
			}
		})
	}
}

// test runs the fault's tests with the file replaced, and returns what they say.
func (f *deliberate) test(t *testing.T) (string, error) {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	original := filepath.Join(root, f.file)
	text, err := os.ReadFile(original)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), f.right); n != 1 {
		t.Fatalf("%s contains %q %d times, not once: the code has changed, so update this fault", f.file, f.right, n)
	}
	replaced := filepath.Join(t.TempDir(), filepath.Base(f.file))
	write(t, replaced, []byte(strings.Replace(string(text), f.right, f.wrong, 1)))
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {original: replaced}})
	if err != nil {
		t.Fatal(err)
	}
	list := filepath.Join(t.TempDir(), "overlay.json")
	write(t, list, overlay)

	cmd := exec.CommandContext(t.Context(), "go", "test", "-count=1", "-overlay", list, "-run", f.run, f.pkg)
	cmd.Dir = root
	// Always the same histories: whether a fault is found must not be luck.
	cmd.Env = append(os.Environ(), testenv.OpsVariable+"=20000", testenv.SeedVariable+"=1")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func write(t *testing.T, name string, text []byte) {
	t.Helper()
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
}
