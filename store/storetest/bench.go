package storetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/money"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/wallet"
)

// What newBench defines.
const (
	start = clock.Instant(1_750_000_000_000_000)
	day   = clock.Instant(24 * 3600 * 1_000_000)

	app     = "app_bench"
	calls   = "crd_calls"   // plain
	tokens  = "crd_tokens"  // rolls over
	dollars = "crd_dollars" // may go beyond zero
	hook    = "whk_bench"   // an endpoint
)

// bench is a store under test, with an app and three credits in it.
type bench struct {
	*testing.T
	store.Store
	ctx  context.Context
	defs *catalog.Definitions
	now  clock.Instant
}

func newBench(t *testing.T, s store.Store) *bench {
	t.Helper()
	b := &bench{T: t, Store: s, ctx: t.Context(), now: start}
	b.must(s.CreateApp(b.ctx, store.App{ID: app, Name: "Bench", Version: 1, CreatedAt: start}))
	b.must(s.Define(b.ctx, app, 1, store.Definition{
		Credits: benchCredits(), Meters: benchMeters(), Endpoints: []*catalog.Endpoint{plainEndpoint(hook)}, At: start,
	}, nil))
	defs, err := s.Definitions(b.ctx, app)
	b.must(err)
	b.defs = defs
	return b
}

func benchCredits() []*catalog.Credit {
	credit := func(key, name string) *catalog.Credit {
		return &catalog.Credit{
			ID: key, App: app, Name: name, Unit: "unit", DrawOrder: catalog.DefaultDrawOrder(),
			CreatedAt: start, UpdatedAt: start,
		}
	}
	all := []*catalog.Credit{credit(calls, "Calls"), credit(tokens, "Tokens"), credit(dollars, "Dollars")}
	all[1].Rollover = catalog.Rollover{Percent: 75, Validity: catalog.Interval{Count: 1, Unit: catalog.Month}}
	all[2].Overage = catalog.Overage{Enabled: true}
	return all
}

// benchMeters charge events called metered: what they sum up, and how many users there were.
func benchMeters() []*catalog.Meter {
	meter := func(key, name string, a catalog.Aggregation, credit string) *catalog.Meter {
		return &catalog.Meter{
			ID: key, App: app, Name: name, Event: "metered", Unit: "unit", Aggregation: a, CreatedAt: start, UpdatedAt: start,
			Links: []catalog.MeterLink{{Credit: credit, UnitsPerCredit: money.Ratio{Num: 10, Den: 1}}},
		}
	}
	return []*catalog.Meter{
		meter("mtr_sum", "Sum", catalog.Aggregation{Kind: catalog.Sum, Key: "n"}, dollars),
		meter("mtr_users", "Users", catalog.Aggregation{Kind: catalog.UniqueCount, Key: "user"}, calls),
		meter("mtr_most", "Most", catalog.Aggregation{Kind: catalog.Max, Key: "n"}, dollars),
	}
}

// key names a wallet of the bench's app.
func key(customer string) wallet.Key {
	return wallet.Key{App: app, Mode: catalog.Live, Customer: customer}
}

func (b *bench) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatalf("unexpected error: %v", err)
	}
}

// wantCode fails unless err is a fault with the code.
func (b *bench) wantCode(err error, code fault.Code) {
	b.Helper()
	if f, ok := errors.AsType[*fault.Error](err); !ok || f.Code != code {
		b.Fatalf("error %v, want code %s", err, code)
	}
}

// wantRetry fails unless err says that trying again may help.
func (b *bench) wantRetry(err error) {
	b.Helper()
	if !errors.Is(err, store.ErrRetry) {
		b.Fatalf("error %v, want ErrRetry", err)
	}
}

// wantRefused fails unless err says that the rows make no sense, however often they are tried.
func (b *bench) wantRefused(err error) {
	b.Helper()
	if err == nil {
		b.Fatal("the change was accepted")
	}
	if errors.Is(err, store.ErrRetry) {
		b.Fatalf("error %v must not ask for another try", err)
	}
	if f, ok := errors.AsType[*fault.Error](err); !ok || f.Kind() != fault.Internal {
		b.Fatalf("error %v, want a fault of kind internal", err)
	}
}

// same compares values; lanes by what is stored of them, empty lists as absent ones.
func (b *bench) same(what string, got, want any) {
	b.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.IgnoreUnexported(wallet.Lane{}, wallet.InvoiceLine{}, catalog.Definitions{})); diff != "" {
		b.Fatalf("%s (-want +got):\n%s", what, diff)
	}
}

// snapshot reads a wallet that must exist.
func (b *bench) snapshot(key wallet.Key) *wallet.Snapshot {
	b.Helper()
	sn, err := b.Snapshot(b.ctx, key.ID())
	b.must(err)
	if sn == nil {
		b.Fatalf("wallet of %s does not exist", key.Customer)
	}
	return sn
}

// absent fails when the wallet exists.
func (b *bench) absent(key wallet.Key) {
	b.Helper()
	sn, err := b.Snapshot(b.ctx, key.ID())
	b.must(err)
	if sn != nil {
		b.Fatalf("wallet of %s exists", key.Customer)
	}
}

// write stores changes as they are, whatever the store holds.
func (b *bench) write(changes ...store.WalletChange) error {
	want := &store.Want{}
	for _, c := range changes {
		want.Wallets = append(want.Wallets, store.WantWallet{ID: c.Header.ID})
	}
	slices.SortFunc(want.Wallets, func(x, y store.WantWallet) int { return slices.Compare(x.ID[:], y.ID[:]) })
	return b.Transact(b.ctx, want, func(*store.Found) (*store.Changes, error) {
		return &store.Changes{Wallets: changes}, nil
	})
}

// do runs commands on a wallet in one transaction, as the engine would, and must succeed.
func (b *bench) do(key wallet.Key, commands ...wallet.Command) {
	b.Helper()
	b.must(b.try(key, commands...))
}

// try runs commands on a wallet in one transaction.
func (b *bench) try(key wallet.Key, commands ...wallet.Command) error {
	want := store.WantWallet{ID: key.ID()}
	for _, c := range commands {
		want.Needs.Add(c.Needs(b.defs))
	}
	for {
		err := b.Transact(b.ctx, &store.Want{Wallets: []store.WantWallet{want}}, func(found *store.Found) (*store.Changes, error) {
			change, err := b.decide(key, &want.Needs, &found.Wallets[0], commands)
			if err != nil || change == nil {
				return nil, err
			}
			return &store.Changes{Wallets: []store.WalletChange{*change}}, nil
		})
		var missing *wallet.Missing
		if !errors.As(err, &missing) {
			return err
		}
		want.Needs.Add(missing.Needs)
	}
}

// decide lets the wallet's rules decide commands, and gathers what is to be written.
func (b *bench) decide(key wallet.Key, needs *wallet.Needs, found *store.FoundWallet, commands []wallet.Command) (*store.WalletChange, error) {
	d := newDraft(key, needs, found, b.defs, b.now)
	cx := wallet.Context{Now: b.now, Defs: b.defs, Actor: "key_bench", Idempotency: "idem"}
	for {
		decision, err := wallet.Settle(d.state, cx)
		if err != nil {
			return nil, err
		}
		if decision == nil {
			break
		}
		d.take(decision, b.defs)
	}
	for _, c := range commands {
		decision, err := wallet.Decide(d.state, c, cx)
		if err != nil {
			return nil, err
		}
		d.take(decision, b.defs)
	}
	return d.finish(), nil
}

// draft gathers the final values that decisions leave in one wallet.
type draft struct {
	state     *wallet.State
	before    wallet.Header
	change    store.WalletChange
	grants    map[int64]*wallet.Grant
	otherwise map[int64]bool // grants in which more than what is spent has changed
	holds     map[int64]*wallet.Hold
	standings map[string]wallet.Standing
	usages    map[int64]*wallet.Usage
	tallies   map[wallet.TallyKey]*wallet.Tally
	uniques   map[wallet.UniqueKey]*wallet.Unique
	invoices  map[int64]*wallet.Invoice
	orders    map[int64]*wallet.Order
	topUps    map[string]*wallet.TopUp
}

func newDraft(key wallet.Key, needs *wallet.Needs, found *store.FoundWallet, defs *catalog.Definitions, now clock.Instant) *draft {
	d := &draft{
		state: wallet.NewState(key), before: wallet.Header{ID: key.ID(), Key: key, CreatedAt: now},
		grants: map[int64]*wallet.Grant{}, otherwise: map[int64]bool{}, holds: map[int64]*wallet.Hold{}, standings: map[string]wallet.Standing{},
		usages: map[int64]*wallet.Usage{}, tallies: map[wallet.TallyKey]*wallet.Tally{}, uniques: map[wallet.UniqueKey]*wallet.Unique{},
		invoices: map[int64]*wallet.Invoice{}, orders: map[int64]*wallet.Order{}, topUps: map[string]*wallet.TopUp{},
	}
	if found.Exists {
		d.state, d.before = wallet.Load(found.Snapshot, defs), found.Snapshot.Header
	}
	d.change.Created = !found.Exists
	d.state.Adopt(needs, &found.Fetched)
	return d
}

func (d *draft) take(decision *wallet.Decision, defs *catalog.Definitions) {
	for _, g := range decision.Grants {
		if have, ok := d.state.Grant(g.N); ok && !g.OnlySpent(have) {
			d.otherwise[g.N] = true
		}
		d.grants[g.N] = g
	}
	for _, h := range decision.Holds {
		d.holds[h.N] = h
	}
	for _, c := range decision.Credits {
		d.standings[c.Credit] = c.Standing()
	}
	d.change.Entries = append(d.change.Entries, decision.Entries...)
	d.change.Lanes = append(d.change.Lanes, decision.Lanes...)
	takeSubscription(&d.change, decision)
	for _, v := range decision.Invoices {
		d.invoices[v.N] = v
	}
	for _, o := range decision.Orders {
		d.orders[o.N] = o
	}
	for _, t := range decision.TopUps {
		d.topUps[t.Credit] = t
	}
	if decision.Payer != nil {
		d.change.Payer = decision.Payer
	}
	for _, u := range decision.Usages {
		if u.ID == "" {
			u.ID = fmt.Sprintf("evt_%d_%d", d.before.Version, u.N)
		}
		d.usages[u.N] = u
	}
	for _, t := range decision.Tallies {
		d.tallies[t.TallyKey] = t
	}
	for _, u := range decision.Uniques {
		d.uniques[u.UniqueKey] = u
	}
	d.state.Apply(decision, defs)
}

// takeSubscription does what the engine does: most often only counts change.
func takeSubscription(c *store.WalletChange, d *wallet.Decision) {
	c.History = append(c.History, d.History...)
	switch {
	case d.Subscription == nil:
	case c.Subscription != nil && c.Subscription.N != d.Subscription.N:
		c.Ended, c.Subscription = append(c.Ended, c.Subscription), d.Subscription
	case d.Whole || c.Subscription != nil:
		c.Subscription, c.Counts = d.Subscription, nil
	default:
		c.Counts = d.Subscription
	}
}

// finish is nil when nothing changed.
func (d *draft) finish() *store.WalletChange {
	c, s := &d.change, d.state
	for n, g := range d.grants {
		if n > d.before.GrantSeq {
			c.NewGrants = append(c.NewGrants, g)
		} else if d.otherwise[n] {
			c.Grants = append(c.Grants, g)
		} else {
			c.Spent = append(c.Spent, g)
		}
	}
	for n, h := range d.holds {
		if n > d.before.HoldSeq {
			c.NewHolds = append(c.NewHolds, h)
		} else {
			c.Holds = append(c.Holds, h)
		}
	}
	for _, st := range d.standings {
		c.Standings = append(c.Standings, st)
	}
	for n, u := range d.usages {
		if n > d.before.UsageSeq {
			c.NewUsages = append(c.NewUsages, u)
		} else {
			c.Usages = append(c.Usages, u)
		}
	}
	for n, v := range d.invoices {
		if n > d.before.InvoiceSeq {
			c.NewInvoices = append(c.NewInvoices, v)
		} else {
			c.Invoices = append(c.Invoices, v)
		}
	}
	for n, o := range d.orders {
		if n > d.before.OrderSeq {
			c.NewOrders = append(c.NewOrders, o)
		} else {
			c.Orders = append(c.Orders, o)
		}
	}
	c.TopUps = slices.Collect(maps.Values(d.topUps))
	c.Tallies = slices.Collect(maps.Values(d.tallies))
	c.Uniques = slices.Collect(maps.Values(d.uniques))
	if len(c.Entries)+len(d.grants)+len(d.holds)+len(d.standings)+len(d.usages)+len(d.tallies)+len(d.invoices)+
		len(d.orders)+len(d.topUps) == 0 && c.Subscription == nil && c.Counts == nil && c.Payer == nil {
		return nil
	}
	c.Header = wallet.Header{
		ID: s.ID, Key: s.Key, Version: d.before.Version + 1, Seq: s.Seq, GrantSeq: s.GrantSeq, HoldSeq: s.HoldSeq, UsageSeq: s.UsageSeq,
		InvoiceSeq: s.InvoiceSeq, OrderSeq: s.OrderSeq, TellSeq: d.before.TellSeq, Head: s.Head, LastAt: s.LastAt, NextDue: s.NextDue(), CreatedAt: d.before.CreatedAt,
	}
	return c
}

// give is the plainest grant.
func give(credit string, amount int64) *wallet.GiveCredits {
	return &wallet.GiveCredits{Credit: credit, Amount: amount}
}

// spend is the plainest deduction.
func spend(credit string, amount int64) *wallet.Deduct {
	return &wallet.Deduct{Charge: wallet.Charge{Credit: credit, Amount: amount}}
}

// reserve is the plainest hold.
func reserve(credit string, amount int64) *wallet.Reserve {
	return &wallet.Reserve{Charge: wallet.Charge{Credit: credit, Amount: amount}}
}

// find reads what a command would look back at in a transaction, and outside of one; both must
// see the same.
func (b *bench) find(w id.Wallet, needs wallet.Needs) wallet.Found {
	b.Helper()
	var inside wallet.Found
	want := &store.Want{Wallets: []store.WantWallet{{ID: w, Needs: needs}}}
	b.must(b.Transact(b.ctx, want, func(found *store.Found) (*store.Changes, error) {
		inside = found.Wallets[0].Fetched
		return nil, nil
	}))
	outside, err := b.Fetch(b.ctx, w, needs)
	b.must(err)
	b.same("Fetch against Transact", outside, &inside)
	return inside
}
