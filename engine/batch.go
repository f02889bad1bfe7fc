package engine

import (
	"bytes"
	"encoding/json"
	"slices"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/wallet"
)

// batch is one transaction in the making.
type batch struct {
	shard   *shard
	jobs    []*job
	want    *store.Want
	now     clock.Instant // real time; each wallet has its own
	wallets map[id.Wallet]*open
	order   []*open // parallel to want.Wallets
	defs    map[string]*catalog.Definitions
	told    []*catalog.Endpoint // for which deliveries are written
}

// open is one wallet within a batch.
type open struct {
	*cached
	want      store.WantWallet
	first     *job // the first command that concerns it
	count     int  // how many do
	asked     bool // by previews alone so far: what time did must not be written for them
	exists    bool
	now       clock.Instant // of the wallet's mode: see catalog.Definitions.Now
	answers   map[string]store.StoredAnswer
	change    store.WalletChange
	grants    index[int64] // where in change a grant, hold or standing stands
	otherwise []int64      // grants in which more has changed than what is spent
	holds     index[int64]
	usages    index[int64]
	credits   index[string]
	tallies   index[wallet.TallyKey]
	uniques   index[wallet.UniqueKey]
	invoices  index[int64]
	orders    index[int64]
	topUps    index[string]
	from      wallet.Header // as it was before the batch
}

// newBatch begins a batch that looks at the store before it decides.
func newBatch(s *shard, jobs []*job, back []*lookBack) *batch {
	b := emptyBatch(s, len(jobs))
	b.jobs, b.now = jobs, s.engine.clock.Now()
	for _, j := range jobs {
		b.wantApp(j.Wallet.App)
		o := b.wallets[j.id]
		if o == nil {
			o = b.open(j, s.cache.get(j.id))
		}
		o.note(j)
		o.want.Needs.Add(o.cached.needs(j, b.defs[j.Wallet.App]))
	}
	for _, l := range back {
		if o, ok := b.wallets[l.wallet]; ok {
			o.want.Needs.Add(l.needs)
		}
	}
	b.sort()
	return b
}

func emptyBatch(s *shard, wallets int) *batch {
	return &batch{shard: s, want: &store.Want{}, wallets: make(map[id.Wallet]*open, wallets), defs: map[string]*catalog.Definitions{}}
}

// open adds the wallet of a command, with what the cache knows of it.
func (b *batch) open(j *job, known *cached) *open {
	o := &open{cached: known, want: store.WantWallet{ID: j.id}, first: j, asked: true}
	if known != nil {
		o.want.Version, o.want.Mark = known.state.Version, known.mark
	}
	b.wallets[j.id] = o
	b.order = append(b.order, o)
	return o
}

// note adds a command to those that concern the wallet.
func (o *open) note(j *job) {
	o.count++
	o.asked = o.asked && j.Preview
	if j.Idempotency == "" {
		return
	}
	if o.answers == nil {
		o.answers = map[string]store.StoredAnswer{}
	}
	if !slices.Contains(o.want.Answers, j.Idempotency) {
		o.want.Answers = append(o.want.Answers, j.Idempotency)
	}
}

// sort puts the wallets into the order in which every transaction locks them.
func (b *batch) sort() {
	slices.SortFunc(b.order, func(x, y *open) int { return bytes.Compare(x.want.ID[:], y.want.ID[:]) })
	b.want.Wallets = make([]store.WantWallet, len(b.order))
	for i, o := range b.order {
		b.want.Wallets[i] = o.want
	}
}

// needs leaves out holds and grants that the cache has: asking for them would cost a query.
func (c *cached) needs(j *job, defs *catalog.Definitions) wallet.Needs {
	if j.Command == nil {
		return wallet.Needs{}
	}
	if defs == nil { // nobody asked for the app before; what is missing then is looked back at
		defs = catalog.NewDefinitions(j.Wallet.App, "", 0)
	}
	needs := j.Command.Needs(defs)
	if c != nil {
		c.state.Foresee(j.Command, defs, &needs)
		needs.Holds = slices.DeleteFunc(needs.Holds, func(n int64) bool { _, ok := c.state.Hold(n); return ok })
		needs.Grants = slices.DeleteFunc(needs.Grants, func(n int64) bool { _, ok := c.state.Grant(n); return ok })
	}
	return needs
}

func (b *batch) wantApp(app string) {
	if slices.ContainsFunc(b.want.Apps, func(a store.WantApp) bool { return a.App == app }) {
		return
	}
	var version int64
	if known := b.shard.engine.known(app); known != nil {
		version = known.Version
		b.defs[app] = known
	}
	b.want.Apps = append(b.want.Apps, store.WantApp{App: app, Version: version})
}

// decide runs inside the transaction: the wallets are locked and what was found is true.
func (b *batch) decide(found *store.Found) (*store.Changes, error) {
	for _, defs := range found.Definitions {
		b.shard.engine.learn(defs)
		b.defs[defs.App] = defs
	}
	for i, o := range b.order {
		b.openWallet(o, &found.Wallets[i])
	}
	for _, j := range b.jobs {
		if err := b.run(j); err != nil {
			return nil, err
		}
	}
	return b.changes(), nil
}

func (b *batch) openWallet(o *open, f *store.FoundWallet) {
	o.exists = f.Exists
	key := o.key(f)
	app := key.App
	defs := b.defs[app]
	if defs == nil && app != o.first.Wallet.App {
		// Only callers of other apps asked for it: they are told that it does not exist, and
		// it is not cached under definitions that are not its own.
		o.cached = nil
		return
	}
	if defs == nil {
		defs = catalog.NewDefinitions(app, "", 0)
	}
	o.now = defs.Now(key.Mode, b.now)
	switch {
	case f.Snapshot != nil:
		b.shard.engine.stats.Loads.Add(1)
		o.cached = &cached{state: wallet.Load(f.Snapshot, defs), defs: defs.Version, nextDue: f.Snapshot.NextDue, tellSeq: f.Snapshot.TellSeq, created: f.Snapshot.CreatedAt, stored: f.Snapshot.Standings}
	case !f.Exists:
		// There was no row to lock: what was fetched after that is of a wallet that somebody else has made
		// meanwhile, and this batch will not be written.
		o.cached, f.Fetched, f.Answers = nil, wallet.Found{}, nil
		if state := emptyState(o.first); state != nil {
			o.cached = &cached{state: state, defs: defs.Version, created: o.now}
		}
	case o.defs != defs.Version:
		o.state.Redefine(defs)
		o.defs = defs.Version
	}
	if o.cached == nil {
		return
	}
	o.mark = f.Mark
	o.from = o.header()
	o.state.Adopt(&o.want.Needs, &f.Fetched)
	for _, a := range f.Answers {
		o.answers[a.Key] = a
	}
}

// key names the wallet: by its own name where it exists, whoever asks.
func (o *open) key(f *store.FoundWallet) wallet.Key {
	switch {
	case f.Snapshot != nil:
		return f.Snapshot.Key
	case f.Exists && o.cached != nil:
		return o.state.Key
	}
	return o.first.Wallet
}

func (o *open) header() wallet.Header {
	s := o.state
	return wallet.Header{
		ID: s.ID, Key: s.Key, Version: s.Version, Seq: s.Seq, GrantSeq: s.GrantSeq, HoldSeq: s.HoldSeq, UsageSeq: s.UsageSeq, InvoiceSeq: s.InvoiceSeq,
		OrderSeq: s.OrderSeq, Head: s.Head, LastAt: s.LastAt, TellSeq: o.tellSeq, NextDue: o.nextDue, CreatedAt: o.created,
	}
}

// run decides one command. An error here ends the batch; what is wrong with the command alone
// becomes the command's own answer.
func (b *batch) run(j *job) error {
	j.result, j.err = Result{}, nil
	o := b.wallets[j.id]
	defs := b.defs[j.Wallet.App]
	if j.err = b.admit(j, o, defs); j.err != nil {
		return nil
	}
	j.result.Key, j.result.At = o.state.Key, o.now
	if stored, ok := o.answers[j.Idempotency]; ok && j.Idempotency != "" {
		return j.replay(stored)
	}
	cx := wallet.Context{Now: o.now, Defs: defs}
	if err := b.settle(o, cx); err != nil {
		return err
	}
	if j.Command == nil {
		return nil
	}
	cx.Actor, cx.Idempotency, cx.NewID = j.Actor, j.Idempotency, newEventID
	d, err := wallet.Decide(o.state, j.Command, cx)
	if m, ok := asMissing(err); ok {
		return &lookBack{j.id, m.Needs}
	}
	if err != nil {
		j.err = err
		return nil
	}
	j.result.Answer = d.Answer
	if j.Preview {
		return nil
	}
	b.apply(o, d, defs)
	return b.remember(j, o)
}

// newEventID names a usage event for which the caller has no id.
func newEventID() string { return id.New(id.PrefixEvent) }

// admit checks that the wallet is one that the caller may see, and that the key still holds.
func (b *batch) admit(j *job, o *open, defs *catalog.Definitions) error {
	const op = "engine.Do"
	if defs == nil {
		return errNoApp(j.Wallet.App)
	}
	if j.APIKey != "" && !defs.Keys[j.APIKey] {
		return fault.New(op, fault.CodeInvalidKey, "the API key was revoked")
	}
	if o.cached == nil || o.state.Key.App != j.Wallet.App || o.state.Key.Mode != j.Wallet.Mode {
		return notFound(j.Command)
	}
	if j.Wallet.Customer != "" && o.state.Key.Customer != j.Wallet.Customer {
		return fault.New(op, fault.CodeInvariantViolated, "two customers have the same wallet id")
	}
	return nil
}

// notFound names what a command was about.
func notFound(c wallet.Command) error {
	const op = "engine.Do"
	switch c.(type) {
	case *wallet.Commit, *wallet.Release, *wallet.Extend:
		return fault.New(op, fault.CodeReservationNotFound, "there is no such reservation").In("reservation_id")
	case *wallet.RevokeGrant, *wallet.Freeze:
		return fault.New(op, fault.CodeGrantNotFound, "there is no such grant").In("grant_id")
	case *wallet.VoidUsage, *wallet.CorrectUsage:
		return fault.New(op, fault.CodeEventNotFound, "the customer has no such event").In("event_id")
	case *wallet.EndSubscription, *wallet.PauseSubscription, *wallet.EditSubscription, *wallet.Subscribe:
		return fault.New(op, fault.CodeSubscriptionNotFound, "there is no such subscription").In("subscription_id")
	case *wallet.OpenOrder, *wallet.CancelOrder, *wallet.AskRefund, *wallet.RetryOrder, *wallet.TellOrder:
		return fault.New(op, fault.CodeOrderNotFound, "there is no such order").In("order_id")
	case *wallet.CloseInvoice:
		return fault.New(op, fault.CodeInvoiceNotFound, "there is no such invoice").In("invoice_id")
	case *wallet.Reverse:
		return fault.New(op, fault.CodeEntryNotFound, "there is no such entry").In("entry_id")
	}
	return fault.New(op, fault.CodeCustomerNotFound, "there is no such customer").In("customer_id")
}

// replay gives the original answer back, or says that the key was used for something else.
func (j *job) replay(stored store.StoredAnswer) error {
	const op = "engine.Do"
	if stored.Request != j.hash {
		j.err = fault.New(op, fault.CodeIdempotencyKeyReused, "this idempotency key was used before with another request: use a new key for a new request").In("Idempotency-Key")
		return nil
	}
	if err := json.Unmarshal(stored.Answer, &j.result.Answer); err != nil {
		j.err = fault.New(op, fault.CodeInternalError, "the stored answer cannot be read").Because(err)
		return nil
	}
	j.result.Replayed, j.result.At = true, stored.At
	return nil
}

// settle brings the wallet to now.
func (b *batch) settle(o *open, cx wallet.Context) error {
	for {
		d, err := wallet.Settle(o.state, cx)
		if m, ok := asMissing(err); ok {
			return &lookBack{o.state.ID, m.Needs}
		}
		if err != nil {
			return err
		}
		if d == nil {
			return nil
		}
		b.apply(o, d, cx.Defs)
	}
}

// remember stores the answer under the caller's key, in the same transaction.
func (b *batch) remember(j *job, o *open) error {
	if j.Idempotency == "" {
		return nil
	}
	body, err := json.Marshal(j.result.Answer)
	if err != nil {
		return fault.New("engine.Do", fault.CodeInternalError, "the answer cannot be remembered").Because(err)
	}
	stored := store.StoredAnswer{Key: j.Idempotency, Request: j.hash, Answer: body, At: o.now}
	o.answers[j.Idempotency] = stored
	o.change.Answers = append(o.change.Answers, stored)
	return nil
}

// apply takes a decision into the state and into what will be written, and tells of it whoever
// wants to hear of it.
func (b *batch) apply(o *open, d *wallet.Decision, defs *catalog.Definitions) {
	if d.Empty() {
		return
	}
	o.take(d, defs)
	b.tell(o, d, defs)
}

// takeSubscription notes what is to be written of the subscription: most often only counts.
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

func (o *open) take(d *wallet.Decision, defs *catalog.Definitions) {
	o.noteChanges(d.Grants)
	o.state.Apply(d, defs)
	c := &o.change
	if c.Entries == nil {
		c.Entries = make([]wallet.Entry, 0, max(o.count, len(d.Entries)))
	}
	c.Entries = append(c.Entries, d.Entries...)
	c.Lanes = append(c.Lanes, d.Lanes...)
	takeSubscription(c, d)
	for _, u := range d.Usages {
		latest(&o.usages, u.N, u, pick(u.N > o.from.UsageSeq, &c.NewUsages, &c.Usages))
	}
	for _, t := range d.Tallies {
		latest(&o.tallies, t.TallyKey, t, &c.Tallies)
	}
	for _, u := range d.Uniques {
		latest(&o.uniques, u.UniqueKey, u, &c.Uniques)
	}
	for _, g := range d.Grants {
		latest(&o.grants, g.N, g, pick(g.N > o.from.GrantSeq, &c.NewGrants, &c.Grants))
	}
	for _, h := range d.Holds {
		latest(&o.holds, h.N, h, pick(h.N > o.from.HoldSeq, &c.NewHolds, &c.Holds))
	}
	for _, v := range d.Invoices {
		latest(&o.invoices, v.N, v, pick(v.N > o.from.InvoiceSeq, &c.NewInvoices, &c.Invoices))
	}
	for _, x := range d.Orders {
		latest(&o.orders, x.N, x, pick(x.N > o.from.OrderSeq, &c.NewOrders, &c.Orders))
	}
	for _, t := range d.TopUps {
		latest(&o.topUps, t.Credit, t, &c.TopUps)
	}
	if d.Payer != nil {
		c.Payer = d.Payer
	}
	for _, s := range d.Credits {
		latest(&o.credits, s.Credit, s.Standing(), &c.Standings)
	}
}

// noteChanges remembers the grants in which more changes than what is spent.
func (o *open) noteChanges(grants []*wallet.Grant) {
	for _, g := range grants {
		if have, ok := o.state.Grant(g.N); ok && !g.OnlySpent(have) && !slices.Contains(o.otherwise, g.N) {
			o.otherwise = append(o.otherwise, g.N)
		}
	}
}

// splitGrants sets the grants apart in which only what is spent has changed.
func (o *open) splitGrants() {
	c := &o.change
	all := c.Grants
	c.Grants = nil
	for _, g := range all {
		if slices.Contains(o.otherwise, g.N) {
			c.Grants = append(c.Grants, g)
		} else {
			c.Spent = append(c.Spent, g)
		}
	}
}

func pick[T any](first bool, a, b *[]T) *[]T {
	if first {
		return a
	}
	return b
}

// index knows where in a list of changes a thing stands. Nearly always a batch changes one or
// two things of a wallet, for which a map would cost more than it saves.
type index[K comparable] struct {
	first []place[K]
	rest  map[K]int
}

type place[K comparable] struct {
	key K
	at  int
}

// mostFirst is how many things are looked for one by one.
const mostFirst = 8

func (x *index[K]) find(key K) (int, bool) {
	for i := range x.first {
		if x.first[i].key == key {
			return x.first[i].at, true
		}
	}
	at, ok := x.rest[key]
	return at, ok
}

func (x *index[K]) add(key K, at int) {
	if len(x.first) < mostFirst {
		x.first = append(x.first, place[K]{key, at})
		return
	}
	if x.rest == nil {
		x.rest = map[K]int{}
	}
	x.rest[key] = at
}

// latest keeps only the last value of each thing: that is what will be written.
func latest[K comparable, T any](x *index[K], key K, value T, list *[]T) {
	if at, ok := x.find(key); ok {
		(*list)[at] = value
		return
	}
	x.add(key, len(*list))
	*list = append(*list, value)
}

// changes collects what the batch writes; nil when that is nothing.
func (b *batch) changes() *store.Changes {
	changes := store.Changes{Wallets: make([]store.WalletChange, 0, len(b.order))}
	for _, o := range b.order {
		if o.cached == nil {
			continue
		}
		o.state.Trim()
		o.change.Standings = slices.DeleteFunc(o.change.Standings, o.isStored)
		o.splitGrants()
		if o.asked || (o.unchanged() && !o.overdue()) {
			continue
		}
		o.nextDue = dueAfter(o.nextDue, o.state.NextDue(), o.now)
		o.state.LastAt = max(o.state.LastAt, o.now)
		o.state.Version++
		o.change.Created = !o.exists
		o.change.Header = o.header()
		changes.Wallets = append(changes.Wallets, o.change)
	}
	if len(changes.Wallets) == 0 {
		return nil
	}
	return &changes
}

// isStored reports whether a standing is in the store as it is: most deductions change none.
func (o *open) isStored(st wallet.Standing) bool { return slices.Contains(o.stored, st) }

func (o *open) unchanged() bool {
	c := &o.change
	return len(c.Entries)+len(c.NewGrants)+len(c.Spent)+len(c.Grants)+len(c.NewHolds)+len(c.Holds)+len(c.Standings)+
		len(c.Lanes)+len(c.NewUsages)+len(c.Usages)+len(c.Tallies)+len(c.Answers) == 0 && c.Subscription == nil &&
		c.Counts == nil && len(c.NewInvoices)+len(c.Invoices)+len(c.NewOrders)+len(c.Orders)+len(c.TopUps)+len(c.Deliveries) == 0 &&
		c.Payer == nil
}

// overdue reports whether the row says that time has something to do which turned out to be
// nothing: it must stop saying so, or it would be looked at for ever.
func (o *open) overdue() bool { return o.exists && !o.nextDue.IsZero() && o.nextDue <= o.now }

// dueAfter is what the row says about when time changes the wallet next. It may be too early,
// never too late: so a hold that comes and goes does not move an index entry each time.
func dueAfter(stored, due, now clock.Instant) clock.Instant {
	if stored.IsZero() || stored <= now || (!due.IsZero() && due < stored) {
		return due
	}
	return stored
}

// settled takes what was written into the cache. A wallet that was only asked about, and to which
// time has done something, is read anew next time: what it saw here is not written.
func (b *batch) settled() {
	for _, o := range b.order {
		switch {
		case o.cached == nil:
		case o.asked && !o.unchanged():
			b.shard.cache.drop(o.want.ID)
		case o.exists || o.change.Created:
			for _, st := range o.change.Standings {
				same := func(have wallet.Standing) bool { return have.Credit == st.Credit }
				o.stored = append(slices.DeleteFunc(o.stored, same), st)
			}
			b.shard.cache.put(o.cached)
		}
	}
}

// dropped forgets every wallet of a batch that was not written: their states have seen
// decisions that did not happen.
func (b *batch) dropped() {
	for w := range b.wallets {
		b.shard.cache.drop(w)
	}
}

// count adds the usage events of a batch that is written.
func (b *batch) count(stats *Stats) {
	for _, o := range b.order {
		stats.Usages.Add(int64(len(o.change.NewUsages)))
	}
	for _, j := range b.jobs {
		if j.err == nil && !j.result.Replayed && !j.Preview {
			stats.Duplicates.Add(int64(j.result.Duplicates))
		}
	}
}
