// Package dodo has the vendor's own SDK work against a server, on each store.
package dodo

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed42445051/scrip"
	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/internal/pgtest"
	v1 "github.com/seed42445051/scrip/v1"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m, pgtest.WithoutFsync())) }

// onBoth runs a test once on each store, with the address of an empty database.
func onBoth(t *testing.T, test func(t *testing.T, address string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, "sqlite:"+filepath.Join(t.TempDir(), "scrip.db")+"?sync=off") }) // as PostgreSQL is without fsync
	t.Run("postgres", func(t *testing.T) { test(t, pgtest.URL(t)) })
}

func noError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// nodeFolder is where the vendors' npm packages are, and the scripts that use them.
const nodeFolder = "../node"

// server is Scrip as a program mounts it, on the machine's clock, since the SDK goes by it too.
type server struct {
	app  *scrip.App
	base string // for the SDK
	key  string
}

func newServer(t *testing.T, address string, options ...scrip.Option) *server {
	t.Helper()
	ctx := context.Background()
	var handler http.Handler // once there is one: the pages' addresses are the server's
	over := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	s, err := scrip.Open(ctx, append(options, scrip.DB(address), scrip.WebhooksToLoopback(), scrip.PublicURL(over.URL))...)
	noError(t, err)
	t.Cleanup(func() { noError(t, s.Close(ctx)) })
	d := &server{}
	d.app, err = s.App(ctx, t.Name(), scrip.Test)
	noError(t, err)
	key, err := d.app.CreateKey(ctx, v1.CreateKey{Kind: "secret"})
	noError(t, err)
	d.key = key.Key
	handler = s.Handler()
	t.Cleanup(over.Close)
	d.base = over.URL + "/dodo"
	t.Cleanup(func() {
		report, err := s.Verify(ctx)
		noError(t, err)
		for _, difference := range report.Differences {
			t.Errorf("audit: %s", difference)
		}
	})
	return d
}

// run has node execute a script, which fails the test when it fails. Its modules are those of
// the folder, and its relative imports begin there.
func (d *server) run(t *testing.T, script string, env ...string) {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Fatalf("node is not installed (%v); run: make setup", err)
	}
	if _, err := os.Stat(filepath.Join(nodeFolder, "node_modules", "dodopayments")); err != nil {
		t.Fatalf("the SDK is not installed (%v); run: make setup", err)
	}
	cmd := exec.CommandContext(t.Context(), node, "--input-type=module", "-")
	cmd.Dir = nodeFolder
	cmd.Env = append(env, "PATH="+os.Getenv("PATH"), "DODO_PAYMENTS_BASE_URL="+d.base, "DODO_PAYMENTS_API_KEY="+d.key)
	cmd.Stdin = strings.NewReader(script)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		t.Fatalf("node: %v\n%s", err, out.String())
	}
}

func readScript(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(nodeFolder, "dodo", name))
	noError(t, err)
	return string(text)
}

// TestSDK has the vendor's unmodified SDK do what it can.
func TestSDK(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		for _, script := range []string{"entitlements", "balances", "customers", "products", "usage", "paging", "webhooks", "checkout", "cart", "methods", "absent", "text", "reserve"} {
			t.Run(script, func(t *testing.T) {
				newServer(t, address).run(t, readScript(t, script+".mjs"))
			})
		}
	})
}

// TestSeed runs the examples of the vendor's own skill: as they stand where the SDK can do
// what they say, and corrected where it cannot (dodo.md section 16). Customers bear the ids that
// the examples have; the id of a credit is made by the server, and replaced.
func TestSeed(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		for _, script := range []string{"quickstart", "entitlements", "update", "balances", "patterns", "checkout", "usage"} {
			t.Run(script, func(t *testing.T) {
				d := newServer(t, address)
				credit, err := d.app.CreateCredit(t.Context(), v1.CreateCredit{Name: "Example", Unit: "call", DrawOrder: v1.DrawOrder{"fifo"}})
				noError(t, err)
				_, err = d.app.SaveCustomer(t.Context(), "cus_abc123", v1.SaveCustomer{Email: "customer@example.com"})
				noError(t, err)
				if script == "usage" {
					d.meters(t, credit.ID)
				}
				known := append([]string{"cent_credit_id", credit.ID}, d.products(t, credit.ID)...)
				d.run(t, strings.NewReplacer(known...).Replace(readScript(t, "seed/"+script+".mjs")))
			})
		}
	})
}

// products makes the products of the examples, and returns the names that they have there with their ids.
func (d *server) products(t *testing.T, credit string) []string {
	t.Helper()
	month := catalog.Interval{Count: 1, Unit: catalog.Month}
	var all []string
	for _, p := range []struct {
		name  string
		price catalog.Price
		units int64
	}{
		{"prod_ai_pro_plan", catalog.Price{Kind: catalog.RecurringPrice, Minor: 9900, Every: month}, 100_000},
		{"prod_credit_pack_500", catalog.Price{Kind: catalog.OneTimePrice, Minor: 500}, 500},
		{"prod_pro_with_credits", catalog.Price{Kind: catalog.RecurringPrice, Minor: 4900, Every: month}, 10_000},
	} {
		p.price.Currency = "usd"
		made, err := d.app.CreateProduct(t.Context(), catalog.Product{
			Name: p.name, TaxCategory: "saas", Price: p.price, Credits: []catalog.ProductCredit{{Credit: credit, Amount: p.units}},
		})
		noError(t, err)
		all = append(all, p.name, made.ID)
	}
	return all
}

// meters gives the customer of the examples credits, and links meters to them.
func (d *server) meters(t *testing.T, credit string) {
	t.Helper()
	_, err := d.app.Grant(t.Context(), v1.GrantRequest{CustomerID: "cus_abc123", CreditID: credit, Amount: "100"})
	noError(t, err)
	for _, m := range []v1.CreateMeter{
		{Name: "Tokens", EventName: "ai.tokens", Aggregation: v1.Aggregation{Type: "sum", Key: "tokens"}, MeasurementUnit: "token", Links: []v1.MeterLink{{CreditID: credit, UnitsPerCredit: "1000"}}},
		{Name: "Calls", EventName: "api.call", Aggregation: v1.Aggregation{Type: "count"}, MeasurementUnit: "call", Links: []v1.MeterLink{{CreditID: credit}}},
	} {
		_, err := d.app.CreateMeter(t.Context(), m)
		noError(t, err)
	}
}
