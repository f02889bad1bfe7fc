package model

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/wallet"
)

// Bare is a wallet without an engine: a State, and beside it everything that decisions said
// was to be stored. What is closed is fetched from there, as an engine does from its store.
type Bare struct {
	state *wallet.State
	defs  *catalog.Definitions
	at    clock.Instant
	count int

	// Watched has every decision compared with what it must not change: the state. It is slow.
	Watched bool

	grants       []wallet.Grant
	holds        []wallet.Hold
	entries      []wallet.Entry
	standings    map[string]wallet.Standing
	lanes        []wallet.Lane
	subscription *wallet.Subscription
	usages       map[string]wallet.Usage
	tallies      map[wallet.TallyKey]wallet.Tally
	uniques      map[wallet.UniqueKey]wallet.Unique
	invoices     []wallet.Invoice
	orders       []wallet.Order
	topUps       map[string]wallet.TopUp
	payer        *wallet.Payer
	told         []wallet.OrderEvent
	notices      []wallet.Notice

	// What changed since the last Trim: an engine's store does not have it until the batch is
	// written, and what was read from the store was read before.
	newGrants  map[int64]bool
	newHolds   map[int64]bool
	newBills   map[int64]bool
	newOrders  map[int64]bool
	newEntries int
	known      map[int64]bool // entries that were fetched for this batch: that happens once

	grantViews []GrantView
	holdViews  []HoldView
	storyViews []StoryView
	billViews  []InvoiceView
	orderViews []OrderView
}

// mostTries bounds how often a decision asks for something closed.
const mostTries = 20

// NewBare returns the empty wallet of a customer.
func NewBare(key wallet.Key, defs *catalog.Definitions) *Bare {
	return &Bare{
		state: wallet.NewState(key), defs: defs, standings: map[string]wallet.Standing{},
		usages: map[string]wallet.Usage{}, tallies: map[wallet.TallyKey]wallet.Tally{}, uniques: map[wallet.UniqueKey]wallet.Unique{},
		newGrants: map[int64]bool{}, newHolds: map[int64]bool{}, newBills: map[int64]bool{}, known: map[int64]bool{},
		newOrders: map[int64]bool{}, topUps: map[string]wallet.TopUp{},
	}
}

// State is the wallet's state, for tests that look closer than View does.
func (b *Bare) State() *wallet.State { return b.state }

// Stored returns a grant as it was last stored, open or closed.
func (b *Bare) Stored(n int64) wallet.Grant { return b.grants[n-1] }

// Order returns an order as it was last stored.
func (b *Bare) Order(n int64) wallet.Order { return b.orders[n-1] }

// Invoice returns an invoice as it was last stored.
func (b *Bare) Invoice(n int64) wallet.Invoice { return b.invoices[n-1] }

// TopUp returns what is agreed about a credit, as it was last stored.
func (b *Bare) TopUp(credit string) wallet.TopUp { return b.topUps[credit] }

// Told returns what orders ever told, oldest first.
func (b *Bare) Told() []wallet.OrderEvent { return b.told }

// Notices returns what was ever announced, oldest first.
func (b *Bare) Notices() []wallet.Notice { return b.notices }

// Do settles the wallet to the instant, decides the command, and applies and stores what was
// decided. Every few commands the decision is made twice, which must give the same.
func (b *Bare) Do(at clock.Instant, c wallet.Command) (wallet.Answer, error) {
	b.at = max(at, b.state.LastAt)
	b.count++
	cx := wallet.Context{Now: at, Defs: b.defs, Actor: "model", NewID: b.newID}
	if err := b.settle(cx); err != nil || c == nil {
		return wallet.Answer{}, err
	}
	b.fetch(c.Needs(b.defs))
	d, err := b.decide(c, cx)
	if err == nil && b.count%8 == 0 {
		again, errAgain := b.decide(c, cx)
		if errAgain != nil || !slices.EqualFunc(d.Entries, again.Entries, func(x, y wallet.Entry) bool { return x.Hash == y.Hash }) {
			return wallet.Answer{}, fmt.Errorf("deciding twice is not the same: %w", errAgain)
		}
	}
	if err != nil {
		return wallet.Answer{}, err
	}
	b.apply(d)
	if b.count%3 == 0 {
		b.write()
	}
	return d.Answer, nil
}

// newID names an event; a command makes at most one that has no name.
func (b *Bare) newID() string { return fmt.Sprintf("evt_%d", b.state.UsageSeq+1) }

// write ends a batch: from here on the store has what was decided.
func (b *Bare) write() {
	b.state.Trim()
	clear(b.newGrants)
	clear(b.newHolds)
	clear(b.newBills)
	clear(b.newOrders)
	clear(b.known)
	b.newEntries = len(b.entries)
}

func (b *Bare) settle(cx wallet.Context) error {
	for {
		d, err := b.lookingBack(wallet.Needs{}, func() (*wallet.Decision, error) { return wallet.Settle(b.state, cx) })
		if err != nil {
			return fmt.Errorf("settle: %w", err)
		}
		if d == nil {
			return nil
		}
		b.apply(d)
	}
}

func (b *Bare) decide(c wallet.Command, cx wallet.Context) (*wallet.Decision, error) {
	return b.lookingBack(c.Needs(b.defs), func() (*wallet.Decision, error) { return wallet.Decide(b.state, c, cx) })
}

// lookingBack decides, and again with what turned out to be missing. An engine would begin its
// batch anew, with fewer commands in the end; here what was decided before counts as written.
func (b *Bare) lookingBack(known wallet.Needs, decide func() (*wallet.Decision, error)) (*wallet.Decision, error) {
	var missing *wallet.Missing
	for tries := 0; ; tries++ {
		before := b.watch()
		d, err := decide()
		if after := b.watch(); after != before {
			return nil, fmt.Errorf("deciding has changed the state:\n  before %s\n  after  %s", before, after)
		}
		if !errors.As(err, &missing) || tries == mostTries {
			return d, err
		}
		known.Add(missing.Needs)
		b.write()
		b.fetch(known)
	}
}

func (b *Bare) watch() string {
	if !b.Watched {
		return ""
	}
	return Dump(b.state)
}

// apply stores copies first: the state keeps what a decision holds, and changes it later.
func (b *Bare) apply(d *wallet.Decision) {
	if d.Empty() {
		return
	}
	for _, lane := range d.Lanes {
		b.lanes = append(b.lanes, bareLane(lane))
	}
	for _, g := range d.Grants {
		b.grants = put(b.grants, g.N, *g)
		b.newGrants[g.N] = true
		b.grantViews = put(b.grantViews, g.N, ViewGrant(g))
	}
	for _, h := range d.Holds {
		b.holds = put(b.holds, h.N, *h)
		b.newHolds[h.N] = true
		b.holdViews = put(b.holdViews, h.N, ViewHold(h))
	}
	for _, c := range d.Credits {
		b.standings[c.Credit] = c.Standing()
	}
	for _, u := range d.Usages {
		b.usages[u.ID] = *u
	}
	for _, t := range d.Tallies {
		b.tallies[t.TallyKey] = *t
	}
	for _, u := range d.Uniques {
		b.uniques[u.UniqueKey] = *u
	}
	if d.Subscription != nil {
		s := *d.Subscription
		s.Allowances = slices.Clone(s.Allowances)
		b.subscription = &s
	}
	for i := range d.History {
		b.storyViews = append(b.storyViews, ViewStory(&d.History[i]))
	}
	for _, v := range d.Invoices {
		b.invoices = put(b.invoices, v.N, *v)
		b.newBills[v.N] = true
		b.billViews = put(b.billViews, v.N, ViewInvoice(v))
	}
	b.applyOrders(d)
	b.entries = append(b.entries, d.Entries...)
	b.state.Apply(d, b.defs)
}

func (b *Bare) applyOrders(d *wallet.Decision) {
	for _, o := range d.Orders {
		b.orders = put(b.orders, o.N, copied(o))
		b.newOrders[o.N] = true
		b.orderViews = put(b.orderViews, o.N, ViewOrder(o))
	}
	for _, t := range d.TopUps {
		b.topUps[t.Credit] = *t
	}
	if d.Payer != nil {
		p := *d.Payer
		b.payer = &p
	}
	b.told = append(b.told, d.Told...)
	b.notices = append(b.notices, d.Notices...)
}

// copied is an order that shares no list with another, as one that was read from a store.
func copied(o *wallet.Order) wallet.Order {
	c := *o
	c.Refunds, c.Grants = slices.Clone(o.Refunds), slices.Clone(o.Grants)
	for i := range c.Grants {
		c.Grants[i].Instead = slices.Clone(c.Grants[i].Instead)
	}
	return c
}

func bareLane(l *wallet.Lane) wallet.Lane {
	return wallet.Lane{N: l.N, Credit: l.Credit, Scope: l.Scope, Inherited: l.Inherited}
}

func put[T any](list []T, n int64, value T) []T {
	for int64(len(list)) < n {
		list = append(list, value)
	}
	list[n-1] = value
	return list
}

// fetch adopts what a command looks back at, as far as the store has it.
func (b *Bare) fetch(needs wallet.Needs) {
	var grants []*wallet.Grant
	var holds []*wallet.Hold
	var past []*wallet.Past
	want := slices.Clone(needs.Grants)
	for _, seq := range needs.Entries {
		if seq >= 1 && seq <= int64(b.newEntries) && !b.known[seq] {
			b.known[seq] = true
			p := b.past(seq)
			past = append(past, p)
			for _, s := range p.Entry.Slices {
				want = append(want, s.Grant)
			}
		}
	}
	for _, n := range want {
		if n >= 1 && n <= int64(len(b.grants)) && !b.newGrants[n] {
			g := b.grants[n-1]
			grants = append(grants, &g)
		}
	}
	for _, ref := range needs.External {
		for _, g := range b.grants {
			what := g.Pack
			if what == "" {
				what = g.Credit
			}
			if g.ExternalRef == ref.Ref && what == ref.What && g.Parent == 0 && !b.newGrants[g.N] {
				grants = append(grants, &g)
			}
		}
	}
	for _, n := range needs.Holds {
		if n >= 1 && n <= int64(len(b.holds)) && !b.newHolds[n] {
			h := b.holds[n-1]
			holds = append(holds, &h)
		}
	}
	var invoices []*wallet.Invoice
	for _, n := range needs.Invoices {
		if n >= 1 && n <= int64(len(b.invoices)) && !b.newBills[n] {
			v := b.invoices[n-1]
			invoices = append(invoices, &v)
		}
	}
	for _, credit := range needs.Metered {
		for _, g := range b.grants {
			if g.Credit == credit && g.Metered > 0 && !b.newGrants[g.N] {
				grants = append(grants, &g)
			}
		}
	}
	var orders []*wallet.Order
	for _, n := range needs.Orders {
		if n >= 1 && n <= int64(len(b.orders)) && !b.newOrders[n] {
			o := copied(&b.orders[n-1])
			orders = append(orders, &o)
		}
	}
	found := &wallet.Found{Grants: b.following(grants), Holds: holds, Past: past, Invoices: invoices, Orders: orders}
	b.fetchUsage(&needs, found)
	b.state.Adopt(&needs, found)
}

// following adds what grants rolled into, however often, as the stores do.
func (b *Bare) following(grants []*wallet.Grant) []*wallet.Grant {
	for at := 0; at < len(grants); at++ {
		if n := grants[at].RolledInto; n != 0 && !b.newGrants[n] {
			g := b.grants[n-1]
			grants = append(grants, &g)
		}
	}
	return grants
}

func (b *Bare) fetchUsage(needs *wallet.Needs, found *wallet.Found) {
	for _, name := range needs.Usages {
		if u, ok := b.usages[name]; ok {
			found.Usages = append(found.Usages, &u)
		}
	}
	for _, r := range needs.Ranges {
		if found.Ranges == nil {
			found.Ranges = map[wallet.UsageRange][]*wallet.Usage{}
		}
		for _, u := range b.usages {
			if u.Event == r.Event && u.At >= r.From && u.At < r.To && u.VoidedAt.IsZero() {
				found.Ranges[r] = append(found.Ranges[r], &u)
			}
		}
	}
	for _, key := range needs.Tallies {
		if t, ok := b.tallies[key]; ok {
			found.Tallies = append(found.Tallies, &t)
		}
	}
	for _, ref := range needs.Uniques {
		for key, u := range b.uniques {
			if key.Meter == ref.Meter && key.Credit == ref.Credit && key.Value == ref.Value {
				found.Uniques = append(found.Uniques, &u)
			}
		}
	}
}

func (b *Bare) past(seq int64) *wallet.Past {
	p := &wallet.Past{Entry: b.entries[seq-1]}
	ref := id.Object(id.PrefixEntry, b.state.ID, seq)
	for _, e := range b.entries[seq:b.newEntries] {
		if e.Type == wallet.Refund && e.RefType == wallet.RefEntry && e.RefID == ref {
			p.Reversals = append(p.Reversals, e)
		}
	}
	return p
}

// Restart drops the state and builds it anew from what was stored.
func (b *Bare) Restart() {
	b.write()
	b.state = wallet.Load(b.Snapshot(), b.defs)
}

// Snapshot is the wallet as a store would give it.
func (b *Bare) Snapshot() *wallet.Snapshot {
	s := b.state
	sn := &wallet.Snapshot{
		Header: wallet.Header{
			ID: s.ID, Key: s.Key, Version: s.Version, Seq: int64(len(b.entries)), GrantSeq: int64(len(b.grants)),
			HoldSeq: int64(len(b.holds)), UsageSeq: s.UsageSeq, InvoiceSeq: int64(len(b.invoices)),
			OrderSeq: int64(len(b.orders)), LastAt: s.LastAt,
		},
	}
	for i := range b.orders {
		if o := copied(&b.orders[i]); o.Status == wallet.OrderDue || o.Status == wallet.OrderWaiting {
			sn.Orders = append(sn.Orders, &o)
		}
	}
	for _, credit := range slices.Sorted(maps.Keys(b.topUps)) {
		t := b.topUps[credit]
		sn.TopUps = append(sn.TopUps, &t)
	}
	if b.payer != nil {
		p := *b.payer
		sn.Payer = &p
	}
	if b.subscription != nil {
		sub := *b.subscription
		sub.Allowances = slices.Clone(sub.Allowances)
		sn.Subscription = &sub
	}
	if n := len(b.entries); n > 0 {
		sn.Head = b.entries[n-1].Hash
	}
	for _, st := range b.standings {
		sn.Standings = append(sn.Standings, st)
	}
	for i := range b.lanes {
		lane := bareLane(&b.lanes[i])
		sn.Lanes = append(sn.Lanes, &lane)
	}
	for _, t := range b.tallies {
		if t.To > s.LastAt {
			sn.Tallies = append(sn.Tallies, &t)
		}
	}
	wanted := map[int64]bool{}
	for i := range b.grants { // what a grant rolled into comes after it
		if g := &b.grants[i]; g.Open() || wanted[g.N] {
			wanted[g.N], wanted[g.RolledInto] = true, true
		}
	}
	for i := range b.grants {
		if g := b.grants[i]; wanted[g.N] {
			sn.Grants = append(sn.Grants, &g)
		}
	}
	for i := range b.holds {
		if h := b.holds[i]; h.Status == wallet.ReservationPending {
			sn.Holds = append(sn.Holds, &h)
		}
	}
	return sn
}

// Check compares what the state has in memory with what was stored: everything open is there,
// and nothing differs.
func (b *Bare) Check() error {
	for i := range b.grants {
		g, ok := b.state.Grant(b.grants[i].N)
		if b.grants[i].Open() && !ok {
			return fmt.Errorf("open grant %d is not in memory", b.grants[i].N)
		}
		if ok && ViewGrant(g) != b.grantViews[i] {
			return fmt.Errorf("grant in memory %+v, stored %+v", *g, b.grants[i])
		}
	}
	for i := range b.holds {
		h, ok := b.state.Hold(b.holds[i].N)
		if b.holds[i].Status == wallet.ReservationPending && !ok {
			return fmt.Errorf("pending hold %d is not in memory", b.holds[i].N)
		}
		if ok && ViewHold(h) != b.holdViews[i] {
			return fmt.Errorf("hold in memory %+v, stored %+v", *h, b.holds[i])
		}
	}
	return nil
}

// Redefine edits the definitions.
func (b *Bare) Redefine(defs *catalog.Definitions) {
	b.defs = defs
	b.state.Redefine(defs)
}

// View tells how the wallet stands; the lists are the subject's own and not to be changed.
func (b *Bare) View() View {
	return View{
		Grants: b.grantViews, Holds: b.holdViews, Credits: ViewCredits(b.state.Credits),
		Counters: ViewCounters(b.subscription, b.at), Entries: b.entries,
		Plan: ViewPlan(b.subscription, b.storyViews, b.billViews), Sales: b.sales(),
	}
}
