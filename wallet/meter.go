package wallet

import (
	"crypto/sha256"
	"maps"
	"slices"
	"time"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/money"
)

// TallyKey names a tally: a meter's link to a credit in one billing period.
type TallyKey struct {
	Meter  string
	Credit string
	From   clock.Instant // the start of the period
}

// Tally is what a meter has counted towards a credit in one billing period. The credits due are
// floor(max(0, aggregate - free threshold) / units per credit) at the credit's precision, and what
// is booked is always the difference to what was booked before (design section 5.6): so nothing
// drifts, remainders carry, and whatever changes the aggregate falls out of one rule.
type Tally struct {
	TallyKey
	To clock.Instant // the end of the period, exclusive

	// The link's terms when the period's first event came. An edit counts from the next period on
	// (law 7).
	UnitsPerCredit money.Ratio
	FreeThreshold  int64 // micros

	Events    int64         // how many it counts
	Aggregate int64         // micros
	Held      int64         // micros that pending holds may add
	LastAt    clock.Instant // of the event that aggregation last goes by
	LastID    string
	Due       int64 // units of the credit
}

// dueFor is what an aggregate comes to, in units of the credit.
func (t *Tally) dueFor(aggregate int64, r rate) (int64, error) {
	over, err := money.Add(aggregate, -t.FreeThreshold)
	if err != nil || over <= 0 {
		return 0, nil // it cannot overflow upwards: the threshold is not negative
	}
	units, err := money.MulDivFloor(over, r.num, r.den)
	if err != nil || units > MaxUnits {
		return 0, errUsageOutOfRange()
	}
	return units, nil
}

func errUsageOutOfRange() error {
	return fault.New("wallet.Tally", fault.CodeAmountOutOfRange, "the usage of the period would pass what can be counted").In("events")
}

// UniqueKey names a value that a unique_count meter has seen in a period.
type UniqueKey struct {
	TallyKey
	Value [16]byte // hash of the value's text
}

// UniqueRef names a value that a meter may have seen, in whatever period.
type UniqueRef struct {
	Meter, Credit string
	Value         [16]byte
}

// valueHash stands for a value of any length.
func valueHash(text string) [16]byte {
	sum := sha256.Sum256([]byte(text))
	return [16]byte(sum[:16])
}

// Unique is how many events that count have a value.
type Unique struct {
	UniqueKey
	Events int64
}

// UsageRange is the usage events of one name in a stretch of time.
type UsageRange struct {
	Event    string
	From, To clock.Instant // half-open
}

func (r UsageRange) holds(u *Usage) bool {
	return u.Event == r.Event && u.At >= r.From && u.At < r.To
}

// UsageEvent is something that happened, as a caller reports it.
type UsageEvent struct {
	ID       string
	Event    string
	At       clock.Instant // zero: when it is decided
	Metadata catalog.Values
}

// Ingest records usage events, each id once for ever, and books what the meters make of them. It
// never refuses an event for want of credits: what nothing covers is written down as uncovered.
type Ingest struct {
	Events []UsageEvent
	Call   string // what else the caller asked for at once: under one idempotency key that may not differ
	Note
}

// VoidUsage takes a usage event out of every count. Voiding again changes nothing.
type VoidUsage struct {
	ID string
	Note
}

// CorrectUsage voids a usage event and records another in its place.
type CorrectUsage struct {
	ID    string
	Event UsageEvent
	Note
}

// Needs asks for the events that are there already, and for what unique_count meters have seen.
func (c *Ingest) Needs(defs *catalog.Definitions) Needs {
	needs := Needs{Usages: make([]string, len(c.Events))}
	for i := range c.Events {
		e := &c.Events[i]
		needs.Usages[i] = e.ID
		e.needUniques(&needs, defs)
	}
	return needs
}

// Needs asks for the event.
func (c *VoidUsage) Needs(*catalog.Definitions) Needs { return Needs{Usages: []string{c.ID}} }

// Needs asks for both events.
func (c *CorrectUsage) Needs(defs *catalog.Definitions) Needs {
	needs := Needs{Usages: []string{c.ID, c.Event.ID}}
	c.Event.needUniques(&needs, defs)
	return needs
}

// RefUsage is the reference type of entries that pay for usage events.
const RefUsage = "usage"

func (c *Ingest) decide(w *work) error {
	w.note = c.Note
	w.note.RefType = RefUsage
	if err := w.askFor(c.Events); err != nil {
		return err
	}
	counted := 0
	for i := range c.Events {
		e := &c.Events[i]
		if _, known := w.usage(e.ID); known {
			w.d.Answer.Duplicates++
			continue
		}
		if counted++; counted == 1 {
			w.note.RefID = e.ID
		}
		if err := w.record(e.usage(w.at)); err != nil {
			return err
		}
	}
	if len(c.Events) == 1 {
		w.note = w.note.about(c.Events[0].Metadata)
	}
	w.d.Answer.Ingested, w.d.Answer.Allowed = counted, true
	return w.settleMeters()
}

// about puts an event's metadata into the record, unless the caller gave other.
func (n Note) about(metadata catalog.Values) Note {
	if n.Metadata == nil {
		n.Metadata = metadata.Strings()
	}
	return n
}

func (e *UsageEvent) usage(now clock.Instant) *Usage {
	at := e.At
	if at.IsZero() {
		at = now
	}
	return &Usage{
		ID: e.ID, Event: e.Event, Quantity: MicrosPerUnit, Metadata: e.Metadata, Metered: true, At: at, RecordedAt: now,
	}
}

func (c *VoidUsage) decide(w *work) error {
	w.note = c.Note
	w.note.RefType, w.note.RefID = RefUsage, c.ID
	u, _, err := w.void(c.ID)
	if err != nil {
		return err
	}
	w.d.Answer.Allowed, w.d.Answer.Usage = true, u
	return w.settleMeters()
}

func (c *CorrectUsage) decide(w *work) error {
	const op = "wallet.CorrectUsage"
	w.note = c.Note
	w.note.RefType, w.note.RefID = RefUsage, c.Event.ID
	w.note = w.note.about(c.Event.Metadata)
	if have, known := w.usage(c.Event.ID); known {
		if have.Corrects != c.ID {
			return fault.New(op, fault.CodeEventExists, "there is an event %q already: give the correction an id of its own", c.Event.ID).In("event_id")
		}
		w.d.Answer.Allowed, w.d.Answer.Usage, w.d.Answer.Existing = true, have, true
		return nil
	}
	old, now, err := w.void(c.ID)
	if err != nil {
		return err
	}
	if !now {
		return fault.New(op, fault.CodeEventVoided, "the event was voided at %s: what is void cannot be corrected", old.VoidedAt).In("event_id")
	}
	if err := w.askFor([]UsageEvent{c.Event}); err != nil {
		return err
	}
	u := c.Event.usage(w.at)
	u.Corrects = c.ID
	if err := w.record(u); err != nil {
		return err
	}
	w.d.Answer.Allowed, w.d.Answer.Usage = true, u
	return w.settleMeters()
}

// void takes an event out of the counts, and says whether it was not void before. One that was is
// returned as it is.
func (w *work) void(id string) (u *Usage, now bool, err error) {
	const op = "wallet.VoidUsage"
	have, known := w.usage(id)
	if !known {
		return nil, false, fault.New(op, fault.CodeEventNotFound, "the customer has no event %q", id).In("event_id")
	}
	if !have.VoidedAt.IsZero() {
		return have, false, nil
	}
	if !have.Metered {
		return nil, false, fault.New(op, fault.CodeEventNotVoidable, "the event was charged when it was tracked, not by a meter: reverse its entry instead").In("event_id")
	}
	voided := *have
	voided.VoidedAt = w.at
	w.putUsage(&voided)
	return &voided, true, w.uncount(&voided)
}

// usage finds a usage event by its id. The command's Needs named it, so that what is not in
// memory does not exist.
func (w *work) usage(id string) (*Usage, bool) {
	if u, ok := w.usages[id]; ok {
		return u, true
	}
	u, ok := w.s.usages[id]
	return u, ok
}

func (w *work) putUsage(u *Usage) {
	if w.usages == nil {
		w.usages = make(map[string]*Usage, 8)
	}
	w.usages[u.ID] = u
	w.d.Usages = append(w.d.Usages, u)
}

// record numbers a new usage event and counts it.
func (w *work) record(u *Usage) error {
	w.d.usageSeq++
	u.N = w.d.usageSeq
	if u.ID == "" && w.cx.NewID != nil {
		u.ID = w.cx.NewID()
	}
	w.putUsage(u)
	if !u.Metered {
		return nil
	}
	u.Match = Unmatched
	for _, m := range w.cx.Defs.MetersOf(u.Event) {
		if _, _, ok := m.Counts(u.Event, u.Metadata); !ok {
			continue
		}
		u.Match = Matched
		links := w.links(m, u.At)
		for i := range links {
			t, err := w.tally(m, &links[i], u.At)
			if err != nil {
				return err
			}
			u.Counted = append(u.Counted, t.TallyKey)
			if err := w.count(t, m, u); err != nil {
				return err
			}
		}
		if err := w.countPinned(m, links, u); err != nil {
			return err
		}
	}
	return nil
}

// countPinned counts an event for which credits were set aside while its meter was linked to them,
// though the link went with a plan since: the hold was made in time (design section 5.3).
func (w *work) countPinned(m *catalog.Meter, links []catalog.MeterLink, u *Usage) error {
	for _, p := range w.pinned {
		linked := func(l catalog.MeterLink) bool { return l.Credit == p.Credit }
		if p.Meter != m.ID || slices.ContainsFunc(links, linked) {
			continue
		}
		t, err := w.tallyAt(p.TallyKey, 0)
		if err != nil {
			return err
		}
		u.Counted = append(u.Counted, t.TallyKey)
		if err := w.count(t, m, u); err != nil {
			return err
		}
	}
	return nil
}

// reads is what an event counts for with a meter that counts it, or did when the event came.
func reads(m *catalog.Meter, u *Usage) (value int64, unique string) {
	if m.Aggregation.Kind == catalog.Count {
		return u.Quantity, ""
	}
	value, unique, _ = m.Reads(u.Event, u.Metadata)
	return value, unique
}

// links says what a meter counts towards: as the plan that runs at an instant agreed, else as the
// meter itself says.
func (w *work) links(m *catalog.Meter, at clock.Instant) []catalog.MeterLink {
	sub := w.seeSubscription()
	if _, _, ok := sub.period(at); !ok {
		return m.Links
	}
	var own []catalog.MeterLink
	for i := range sub.Terms.Meters {
		if t := &sub.Terms.Meters[i]; t.Meter == m.ID {
			own = append(own, catalog.MeterLink{Credit: t.Credit, UnitsPerCredit: t.UnitsPerCredit, FreeThreshold: t.FreeThreshold})
		}
	}
	if own == nil {
		return m.Links
	}
	return own
}

// tally returns the tally of a link in the period that holds an instant, for changing. It is
// made where the event is the period's first.
func (w *work) tally(m *catalog.Meter, l *catalog.MeterLink, at clock.Instant) (*Tally, error) {
	from, to := w.billingPeriod(at)
	key := TallyKey{Meter: m.ID, Credit: l.Credit, From: from}
	t, err := w.tallyAt(key, to)
	if err != nil || t != nil {
		return t, err
	}
	return w.putTally(&Tally{
		TallyKey: key, To: to, UnitsPerCredit: l.UnitsPerCredit, FreeThreshold: l.FreeThreshold,
	}), nil
}

// tallyAt returns a tally for changing; nil when there is none.
func (w *work) tallyAt(key TallyKey, to clock.Instant) (*Tally, error) {
	if t, ok := w.tallies[key]; ok {
		return t, nil
	}
	have, ok := w.s.tallies[key]
	if !ok {
		if !w.s.knowsTally(key, to) {
			return nil, &Missing{Needs{Tallies: []TallyKey{key}}}
		}
		return nil, nil
	}
	t := *have
	return w.putTally(&t), nil
}

func (w *work) putTally(t *Tally) *Tally {
	if w.tallies == nil {
		w.tallies = make(map[TallyKey]*Tally, 2)
	}
	w.tallies[t.TallyKey] = t
	w.d.Tallies = append(w.d.Tallies, t)
	return t
}

// count adds an event to a tally.
func (w *work) count(t *Tally, m *catalog.Meter, u *Usage) error {
	value, unique := reads(m, u)
	t.Events++
	switch m.Aggregation.Kind {
	case catalog.Max:
		if t.Events == 1 || value > t.Aggregate {
			t.Aggregate = value
		}
	case catalog.Last:
		if t.Events == 1 || u.At > t.LastAt || u.At == t.LastAt && u.ID > t.LastID {
			t.Aggregate, t.LastAt, t.LastID = value, u.At, u.ID
		}
	case catalog.UniqueCount:
		seen, err := w.unique(t, unique)
		if err != nil {
			return err
		}
		if seen.Events++; seen.Events == 1 {
			return t.add(value)
		}
	default:
		return t.add(value)
	}
	return nil
}

func (t *Tally) add(value int64) error {
	sum, err := money.Add(t.Aggregate, value)
	if err != nil {
		return errUsageOutOfRange()
	}
	t.Aggregate = sum
	return nil
}

// uncount takes an event out of every tally that counted it, whatever has become of the meter, its
// links and the customer's periods since.
func (w *work) uncount(u *Usage) error {
	if err := w.askCounted(u); err != nil {
		return err
	}
	for _, key := range u.Counted {
		t, err := w.tallyAt(key, 0)
		if err != nil {
			return err
		}
		if err := w.uncountFrom(t, w.cx.Defs.Meters[key.Meter], u); err != nil {
			return err
		}
	}
	return nil
}

func (w *work) uncountFrom(t *Tally, m *catalog.Meter, u *Usage) error {
	value, unique := reads(m, u)
	t.Events--
	switch m.Aggregation.Kind {
	case catalog.Max:
		if value < t.Aggregate {
			return nil
		}
		return w.recountTally(t, m)
	case catalog.Last:
		if u.ID != t.LastID {
			return nil
		}
		return w.recountTally(t, m)
	case catalog.UniqueCount:
		seen, err := w.unique(t, unique)
		if err != nil {
			return err
		}
		if seen.Events--; seen.Events > 0 {
			return nil
		}
	}
	return t.add(-value)
}

// mostAhead is more than an event may lie in the future when it is counted.
const mostAhead = time.Hour

// recountTally makes the aggregate of max and last anew from the events that are left, which is the
// only way when the one that decided is gone.
func (w *work) recountTally(t *Tally, m *catalog.Meter) error {
	// The period may have been cut short since events were counted in it, at this instant or by a
	// clock that was ahead.
	events, err := w.usagesIn(UsageRange{Event: m.Event, From: t.From, To: max(t.To, t.To.Add(mostAhead))})
	if err != nil {
		return err
	}
	t.Events, t.Aggregate, t.LastAt, t.LastID = 0, 0, 0, ""
	for _, u := range events {
		if !slices.Contains(u.Counted, t.TallyKey) {
			continue
		}
		if err := w.count(t, m, u); err != nil {
			return err
		}
	}
	return nil
}

// usagesIn lists the events of a range that are not void: those that were fetched, and over
// them what this batch of commands has done since.
func (w *work) usagesIn(r UsageRange) ([]*Usage, error) {
	fetched, ok := w.s.ranges[r]
	if !ok {
		return nil, &Missing{Needs{Ranges: []UsageRange{r}}}
	}
	latest := make(map[string]*Usage, len(fetched))
	for _, u := range fetched {
		latest[u.ID] = u
	}
	for _, over := range []map[string]*Usage{w.s.usages, w.usages} {
		for id, u := range over {
			if r.holds(u) {
				latest[id] = u
			}
		}
	}
	var events []*Usage
	for _, id := range slices.Sorted(maps.Keys(latest)) {
		if u := latest[id]; u.VoidedAt.IsZero() {
			events = append(events, u)
		}
	}
	return events, nil
}

// unique returns how often a value was seen, for changing.
func (w *work) unique(t *Tally, value string) (*Unique, error) {
	key := UniqueKey{TallyKey: t.TallyKey, Value: valueHash(value)}
	if u, ok := w.uniques[key]; ok {
		return u, nil
	}
	u := Unique{UniqueKey: key}
	if have, ok := w.s.uniques[key]; ok {
		u = *have
	} else if ref := (UniqueRef{t.Meter, t.Credit, key.Value}); !w.s.askedUnique[ref] {
		return nil, &Missing{Needs{Uniques: []UniqueRef{ref}}}
	}
	if w.uniques == nil {
		w.uniques = make(map[UniqueKey]*Unique, 8)
	}
	w.uniques[key] = &u
	w.d.Uniques = append(w.d.Uniques, &u)
	return &u, nil
}

// rateOf is how many units of a credit a micro of usage costs under a tally's terms.
func (w *work) rateOf(t *Tally) (rate, error) {
	def, err := w.definition(t.Credit)
	if err != nil {
		return rate{}, err
	}
	return gatedRate(def.Precision, catalog.Rule{UnitsPerCredit: t.UnitsPerCredit}), nil
}

// settleMeters books, credit by credit, the difference between what is due now and what was
// due before.
func (w *work) settleMeters() error {
	dues, err := w.dues()
	if err != nil {
		return err
	}
	for _, credit := range slices.Sorted(maps.Keys(dues)) {
		if err := w.settleMetered(credit, dues[credit]); err != nil {
			return err
		}
	}
	return nil
}

// dues brings every changed tally's due up to date, and sums up the differences by credit.
func (w *work) dues() (map[string]int64, error) {
	var dues map[string]int64
	for _, t := range w.d.Tallies {
		if t.Credit == "" {
			continue // it is paid for in money, when the cycle ends
		}
		r, err := w.rateOf(t)
		if err != nil {
			return nil, err
		}
		due, err := t.dueFor(t.Aggregate, r)
		if err != nil {
			return nil, err
		}
		if due == t.Due {
			continue
		}
		if dues == nil {
			dues = map[string]int64{}
		}
		if dues[t.Credit], err = money.Add(dues[t.Credit], due-t.Due); err != nil {
			return nil, errUsageOutOfRange()
		}
		t.Due = due
	}
	return dues, nil
}

func (w *work) settleMetered(credit string, difference int64) error {
	c := w.credit(credit)
	if difference < 0 {
		return w.returnMetered(c, -difference)
	}
	return w.payMetered(c, difference)
}

// payMetered takes what meters made due: from the grants that a direct charge of the credit
// would draw, then as overage as far as the credit's policy goes. The rest stays uncovered: the
// usage took place, and nobody owes for it (dodo.md section 15).
func (w *work) payMetered(c *CreditState, units int64) error {
	units = w.payPrepaid(c.Credit, units)
	if units == 0 {
		return nil
	}
	sources, order, err := w.sources(&Charge{Credit: c.Credit, Amount: units})
	if err != nil {
		return err
	}
	picks, rest := w.pick(sources, order, units)
	parts := make([]Slice, len(picks))
	for i, p := range picks {
		parts[i] = Slice{Grant: p.Grant, Available: -p.Units}
	}
	if len(parts) > 0 {
		w.book(line{kind: CreditDeducted, credit: c.Credit, amount: rest - units, slices: parts, used: units - rest, metered: true})
	}
	over := min(rest, w.overageRoom(c.Credit))
	if over > 0 {
		w.bookOverage(OveragePart{Credit: c.Credit, Units: over})
		c.MeteredOverage += over
	}
	if c.Uncovered, err = money.Add(c.Uncovered, rest-over); err != nil {
		return errUsageOutOfRange()
	}
	return nil
}

// overageRoom is how far beyond zero a credit may still go, holds included.
func (w *work) overageRoom(credit string) int64 {
	policy := w.overagePolicy(credit)
	if !policy.Enabled {
		return 0
	}
	limit := int64(MaxUnits)
	if policy.Limited {
		limit = min(limit, policy.Limit)
	}
	standing := w.seeCredit(credit)
	return max(0, limit-standing.Overage-standing.OverageHeld)
}

// returnMetered gives back what is due no longer, the reverse way of how it was taken: first
// what nothing covered, then overage, then to the grants that the usage drew, last in draw order
// first. So the books end where they would be had the usage never been reported.
func (w *work) returnMetered(c *CreditState, units int64) error {
	forgiven := min(units, c.Uncovered)
	c.Uncovered -= forgiven
	units -= forgiven
	if over := min(units, c.MeteredOverage); over > 0 {
		c.MeteredOverage -= over
		units -= over
		w.book(line{kind: Refund, credit: c.Credit, amount: over, overage: -over, used: -over})
	}
	if units == 0 {
		return nil
	}
	if !w.s.meteredKnown[c.Credit] {
		return &Missing{Needs{Metered: []string{c.Credit}}}
	}
	if err := w.fits(c.Credit, units); err != nil {
		return err
	}
	var parts []Slice
	drawn := w.meteredGrants(c.Credit)
	for i := len(drawn) - 1; i >= 0 && units > 0; i-- {
		back := min(units, drawn[i].Metered)
		units -= back
		parts = append(parts, Slice{Grant: drawn[i].N, Available: back})
	}
	sum := creditSlices{slices: parts}.sum()
	w.book(line{kind: Refund, credit: c.Credit, amount: sum, slices: parts, used: -sum, metered: true})
	for _, p := range parts {
		w.returned(w.grant(p.Grant))
	}
	return nil
}

// meteredGrants lists the grants of a credit that pay for metered usage, in draw order.
func (w *work) meteredGrants(credit string) []*Grant {
	var drawn []*Grant
	for _, g := range w.s.grants {
		if g = w.see(g); g.Credit == credit && g.Metered > 0 {
			drawn = append(drawn, g)
		}
	}
	slices.SortFunc(drawn, compareBy(w.cx.Defs.Credits[credit].DrawOrder))
	return drawn
}
