package wallet

import (
	"cmp"
	"slices"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/id"
)

// Apply takes a decision into the state. It must be the decision that was just made about it.
// What it closes, and the entries that it makes, stay in memory until Trim: the next command may
// look back at them before they can be fetched from anywhere.
func (s *State) Apply(d *Decision, defs *catalog.Definitions) {
	for _, lane := range d.Lanes {
		s.AddLane(lane, defs)
	}
	for _, g := range d.Grants {
		s.update(g)
		if !g.open() {
			s.closed = append(s.closed, g.N)
		}
	}
	for _, h := range d.Holds {
		s.updateHold(h)
	}
	for _, c := range d.Credits {
		s.Credits[c.Credit] = c
	}
	if d.Subscription != nil {
		s.Subscription = d.Subscription
	}
	s.applyUsage(d)
	s.noteReversals(d.Entries)
	if s.recent == nil {
		s.recent = slices.Clip(d.Entries) // most often all there is: no copy
	} else {
		s.recent = append(s.recent, d.Entries...)
	}
	s.Seq, s.GrantSeq, s.HoldSeq, s.UsageSeq, s.Head = d.seq, d.grantSeq, d.holdSeq, d.usageSeq, d.head
	s.InvoiceSeq, s.OrderSeq = d.invoiceSeq, d.orderSeq
	s.applyOrders(d)
	for _, v := range d.Invoices {
		s.keepInvoice(v)
	}
	s.LastAt = max(s.LastAt, d.at)
}

// applyOrders takes what was bought, and what was agreed about buying, into the state.
func (s *State) applyOrders(d *Decision) {
	for _, o := range d.Orders {
		s.LoadOrder(o)
	}
	for _, t := range d.TopUps {
		s.LoadTopUp(t)
	}
	if d.Payer != nil {
		s.Payer = d.Payer
	}
}

// LoadOrder puts an order into memory.
func (s *State) LoadOrder(o *Order) {
	if s.orders == nil {
		s.orders = map[int64]*Order{}
	}
	s.orders[o.N] = o
	i, known := slices.BinarySearch(s.charging, o.N)
	switch {
	case o.charging() && !known:
		s.charging = slices.Insert(s.charging, i, o.N)
	case !o.charging() && known:
		s.charging = slices.Delete(s.charging, i, i+1)
	}
}

// LoadTopUp puts what was agreed about a credit into memory.
func (s *State) LoadTopUp(t *TopUp) {
	i, known := slices.BinarySearchFunc(s.TopUps, t.Credit, func(have *TopUp, credit string) int { return cmp.Compare(have.Credit, credit) })
	if known {
		s.TopUps[i] = t
		return
	}
	s.TopUps = slices.Insert(s.TopUps, i, t)
}

// trimOrders forgets the orders that are not being charged.
func (s *State) trimOrders() {
	if len(s.orders) == len(s.charging) {
		return
	}
	for n, o := range s.orders {
		if !o.charging() {
			delete(s.orders, n)
		}
	}
}

// applyUsage takes what was counted into the state.
func (s *State) applyUsage(d *Decision) {
	if len(d.Usages) > 0 && s.usages == nil {
		s.usages = make(map[string]*Usage, len(d.Usages))
	}
	for _, u := range d.Usages {
		s.usages[u.ID] = u
	}
	for _, t := range d.Tallies {
		s.tallies[t.TallyKey] = t
	}
	for _, u := range d.Uniques {
		s.uniques[u.UniqueKey] = u
	}
}

// noteReversals lets the next reversal of the same entry see this one.
func (s *State) noteReversals(entries []Entry) {
	for i := range entries {
		e := &entries[i]
		if len(s.entries) == 0 || e.Type != Refund || e.RefType != RefEntry {
			continue
		}
		if _, seq, err := id.ParseObject(id.PrefixEntry, e.RefID); err == nil && s.entries[seq] != nil {
			s.entries[seq].Reversals = append(s.entries[seq].Reversals, *e)
		}
	}
}

// past finds an entry that was fetched, or made since Trim.
func (s *State) past(seq int64) (*Past, bool) {
	if p, ok := s.entries[seq]; ok {
		return p, true
	}
	if len(s.recent) == 0 || seq < s.recent[0].Seq || seq > s.Seq {
		return nil, false
	}
	i := int(seq - s.recent[0].Seq)
	p := &Past{Entry: s.recent[i]}
	ref := id.Object(id.PrefixEntry, s.ID, seq)
	for _, e := range s.recent[i+1:] {
		if e.Type == Refund && e.RefType == RefEntry && e.RefID == ref {
			p.Reversals = append(p.Reversals, e)
		}
	}
	return p, true
}

// AddLane adds a lane as its definitions order it.
func (s *State) AddLane(lane *Lane, defs *catalog.Definitions) {
	lane.order = laneOrder(lane, defs)
	s.Lanes = append(s.Lanes, lane)
}

func laneOrder(lane *Lane, defs *catalog.Definitions) []catalog.DrawKey {
	if def, ok := defs.Credits[lane.Credit]; ok {
		return def.DrawOrder
	}
	return catalog.DefaultDrawOrder()
}

// Redefine reorders the queues after the definitions were edited.
func (s *State) Redefine(defs *catalog.Definitions) {
	for _, lane := range s.Lanes {
		order := laneOrder(lane, defs)
		if !slices.Equal(order, lane.order) {
			lane.order = order
			slices.SortFunc(lane.queue, compareBy(order))
		}
	}
}

// Found is what a command's Needs named, as far as it exists.
type Found struct {
	Grants   []*Grant
	Holds    []*Hold
	Past     []*Past
	Usages   []*Usage
	Ranges   map[UsageRange][]*Usage
	Tallies  []*Tally
	Uniques  []*Unique
	Invoices []*Invoice
	Orders   []*Order
}

// Adopt puts what commands look back at into memory; what was needed and not found does not
// exist. Trim removes it.
func (s *State) Adopt(needs *Needs, found *Found) {
	for _, g := range found.Grants {
		if _, ok := s.grants[g.N]; !ok {
			s.update(g)
			s.closed = append(s.closed, g.N)
		}
	}
	for _, h := range found.Holds {
		if _, ok := s.holds[h.N]; !ok {
			s.holds[h.N] = h
			s.closedHolds = append(s.closedHolds, h.N)
		}
	}
	for _, p := range found.Past {
		s.entries[p.Entry.Seq] = p
	}
	for _, o := range found.Orders {
		if _, ok := s.orders[o.N]; !ok {
			s.LoadOrder(o)
		}
	}
	for _, v := range found.Invoices {
		if _, ok := s.invoices[v.N]; !ok {
			s.keepInvoice(v)
		}
	}
	for _, ref := range needs.External {
		if s.askedExternal == nil {
			s.askedExternal = map[ExternalRef]bool{}
		}
		s.askedExternal[ref] = true
	}
	s.adoptUsage(needs, found)
}

// adoptUsage adopts what lies outside grants and holds. What was made since the last Trim is
// newer than what was fetched.
func (s *State) adoptUsage(needs *Needs, found *Found) {
	if len(needs.Usages)+len(needs.Ranges)+len(needs.Tallies)+len(needs.Uniques)+len(needs.Metered) == 0 {
		return
	}
	if s.usages == nil {
		s.usages = make(map[string]*Usage, len(needs.Usages))
	}
	if s.ranges == nil {
		s.ranges, s.uniques = map[UsageRange][]*Usage{}, map[UniqueKey]*Unique{}
		s.askedUnique, s.meteredKnown = map[UniqueRef]bool{}, map[string]bool{}
	}
	for _, u := range found.Usages {
		if _, ok := s.usages[u.ID]; !ok {
			s.usages[u.ID] = u
		}
	}
	for _, r := range needs.Ranges {
		s.ranges[r] = found.Ranges[r]
	}
	for _, ref := range needs.Uniques {
		s.askedUnique[ref] = true
	}
	for _, u := range found.Uniques {
		if _, ok := s.uniques[u.UniqueKey]; !ok {
			s.uniques[u.UniqueKey] = u
		}
	}
	for _, credit := range needs.Metered {
		s.meteredKnown[credit] = true
	}
	s.adoptTallies(needs.Tallies, found.Tallies)
}

func (s *State) adoptTallies(asked []TallyKey, found []*Tally) {
	if s.askedTally == nil && len(asked) > 0 {
		s.askedTally = make(map[TallyKey]bool, len(asked))
	}
	for _, key := range asked {
		s.askedTally[key] = true
	}
	for _, t := range found {
		if _, ok := s.tallies[t.TallyKey]; !ok {
			s.tallies[t.TallyKey] = t
		}
	}
}

// Trim forgets what is closed, whether it was adopted or closed since the last Trim, and entries
// that a later command may have made stale.
func (s *State) Trim() {
	clear(s.entries)
	clear(s.askedExternal)
	s.recent, s.invoices = nil, nil
	s.trimOrders()
	s.usages, s.ranges, s.uniques, s.askedUnique, s.meteredKnown = nil, nil, nil, nil, nil
	for _, n := range s.closedHolds {
		if h, ok := s.holds[n]; ok && h.Status != ReservationPending {
			delete(s.holds, n)
		}
	}
	s.closedHolds = s.closedHolds[:0]
	for _, n := range s.closed {
		if g, ok := s.grants[n]; ok && !g.open() {
			s.forget(g)
		}
	}
	s.closed = s.closed[:0]
}

// LoadGrant takes a stored grant into memory; lanes must be there already.
func (s *State) LoadGrant(g *Grant) {
	s.update(g)
	if g.Status == GrantPending {
		return
	}
	c := s.standing(g.Credit)
	sums := c.sums(g.Category)
	sums.Available += g.Available
	sums.Frozen += g.Frozen
	sums.Held += g.Held
	c.Used += g.openSpent()
	c.openSpent += g.openSpent()
}

// LoadHold takes a stored pending hold into memory.
func (s *State) LoadHold(h *Hold) {
	s.updateHold(h)
	for _, o := range h.Overage {
		s.standing(o.Credit).OverageHeld += o.Units
	}
}

// LoadStanding takes what is stored of a credit's standing: the rest follows from the grants,
// which are loaded after it.
func (s *State) LoadStanding(st Standing) {
	c := s.standing(st.Credit)
	c.Overage, c.Used = st.Overage, st.UsedOutside
	c.Uncovered, c.MeteredOverage = st.Uncovered, st.MeteredOverage
}

func (s *State) keepInvoice(v *Invoice) {
	if s.invoices == nil {
		s.invoices = map[int64]*Invoice{}
	}
	s.invoices[v.N] = v
}

// subSeq is the number of the last subscription.
func (s *State) subSeq() int64 {
	if s.Subscription == nil {
		return 0
	}
	return s.Subscription.N
}

func (s *State) standing(credit string) *CreditState {
	c, ok := s.Credits[credit]
	if !ok {
		c = &CreditState{Credit: credit}
		s.Credits[credit] = c
	}
	return c
}

// update replaces a grant's values in place and moves it between the queues. The object stays
// the same, so that a queue in which it keeps its place need not be touched.
func (s *State) update(g *Grant) {
	have, known := s.grants[g.N]
	before := places{}
	if known {
		before = placesOf(have)
		if have.ExpiresAt != g.ExpiresAt { // its place in the queues is another
			s.move(have, before, places{})
			before = places{}
		}
		*have = *g
		g = have
	} else {
		s.grants[g.N] = g
	}
	s.move(g, before, placesOf(g))
}

// move takes a grant out of the queues in which it stands no longer, and puts it into those in
// which it stands now.
func (s *State) move(g *Grant, before, after places) {
	if before == after {
		return
	}
	s.openN += after.open - before.open
	lane := s.Lanes[g.Lane-1]
	lane.queue = place(lane.queue, g, before.queued, after.queued, compareBy(lane.order))
	s.starting = place(s.starting, g, before.starting, after.starting, byStart)
	s.ending = place(s.ending, g, before.ending, after.ending, byEnd)
}

// places says in which queues a grant stands.
type places struct {
	queued, starting, ending bool
	open                     int
}

func placesOf(g *Grant) places {
	p := places{
		queued:   g.Status == GrantActive && g.Available > 0,
		starting: g.Status == GrantPending,
		ending:   g.Status == GrantActive && !g.ExpiresAt.IsZero() && g.open(),
	}
	if g.open() {
		p.open = 1
	}
	return p
}

// forget drops a closed grant from memory, unless an open one may still roll into it.
func (s *State) forget(g *Grant) {
	if parent, ok := s.grants[g.Parent]; g.Parent != 0 && ok && parent.open() {
		return
	}
	delete(s.grants, g.N)
	if next, ok := s.grants[g.RolledInto]; ok && !next.open() {
		s.forget(next)
	}
}

func (s *State) updateHold(h *Hold) {
	have, known := s.holds[h.N]
	wasPending := known && have.Status == ReservationPending
	if wasPending {
		s.lapsing = place(s.lapsing, have, true, false, byLapse)
		s.pendingN--
	}
	s.holds[h.N] = h
	if h.Status != ReservationPending {
		s.closedHolds = append(s.closedHolds, h.N)
		return
	}
	s.pendingN++
	s.lapsing = place(s.lapsing, h, false, true, byLapse)
}

// place keeps a sorted queue: it takes x out, puts it in, or leaves it.
func place[T any](queue []*T, x *T, was, is bool, compare func(a, b *T) int) []*T {
	if was == is {
		return queue
	}
	i, found := slices.BinarySearchFunc(queue, x, compare)
	if !was {
		return slices.Insert(queue, i, x)
	}
	if !found {
		return queue
	}
	if i == 0 {
		queue[0] = nil
		return queue[1:] // the usual case: what is first in order is used up
	}
	return slices.Delete(queue, i, i+1)
}

func byStart(a, b *Grant) int {
	return cmp.Or(compareInstants(a.EffectiveAt, b.EffectiveAt), cmp.Compare(a.N, b.N))
}

func byEnd(a, b *Grant) int {
	return cmp.Or(compareInstants(a.ExpiresAt, b.ExpiresAt), cmp.Compare(a.N, b.N))
}

func byLapse(a, b *Hold) int {
	return cmp.Or(compareInstants(a.ExpiresAt, b.ExpiresAt), cmp.Compare(a.N, b.N))
}

func compareInstants(a, b clock.Instant) int { return cmp.Compare(a, b) }
