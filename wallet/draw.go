package wallet

import (
	"math"
	"slices"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/money"
)

// drawn is which allowances and grants cover a charge, before anything is booked.
type drawn struct {
	plan    []PlanPart
	picks   []HoldSlice
	overage []OveragePart
	taken   int64 // in the charge's own measure
	short   int64
	matched bool
	reasons []Reason // not empty: denied
	gates   []gate   // not empty: meters charge it, and nothing else does
}

// source is a lane that may pay for a charge, and at which rate.
type source struct {
	lane  *Lane
	queue []*Grant // the lane's, in the order of the charge
	next  int      // index into the queue
	rate  rate
}

// rate converts between a charge's measure and the units of a credit: units = measure*num/den,
// rounded up, so that rounding never mints.
type rate struct{ num, den int64 }

var oneToOne = rate{1, 1}

// gatedRate is how many units of a credit pay for a micro of quantity.
func gatedRate(precision int, rule catalog.Rule) rate {
	num, den := int64(1), int64(MicrosPerUnit)
	for range precision {
		num *= 10
	}
	if r := rule.UnitsPerCredit; !r.IsZero() {
		// a pack of quantity Num/Den costs one credit
		n, d := reduce(num, r.Num)
		m, e := reduce(r.Den, den)
		return rate{n * m, d * e}
	}
	n, d := reduce(num, den)
	return rate{n, d}
}

func reduce(a, b int64) (int64, int64) {
	x, y := a, b
	for y != 0 {
		x, y = y, x%y
	}
	return a / x, b / x
}

// units is what a measure costs, rounded up; more than any grant can hold when it overflows.
func (r rate) units(measure int64) int64 {
	if r == oneToOne {
		return measure
	}
	u, err := money.MulDivCeil(measure, r.num, r.den)
	if err != nil {
		return math.MaxInt64
	}
	return u
}

// measure is how much of a charge units can pay for, rounded down.
func (r rate) measure(units int64) int64 {
	if r == oneToOne {
		return units
	}
	m, err := money.MulDivFloor(units, r.den, r.num)
	if err != nil {
		return math.MaxInt64
	}
	return m
}

// draw finds what pays for measure of a charge: allowances first, then grants in their order,
// then overage where the charge and the credit allow it (design sections 5.1 and 5.2,
// vevee-golivekit-stripe.md section 1.3). Nothing is booked.
func (w *work) draw(c *Charge, measure int64) (drawn, error) {
	d := drawn{matched: true}
	rest := measure
	planMatched := false
	if c.Gated() {
		d.plan, planMatched = w.drawPlan(c, rest)
		if len(d.plan) > 0 {
			rest -= d.plan[0].Micros
		}
	}
	sources, order, err := w.sources(c)
	if err != nil {
		return d, err
	}
	d.picks, rest = w.pick(sources, order, rest)
	if rest > 0 && c.Shortfall == Overage {
		rest, d.reasons = w.drawOverage(c, sources, rest, &d)
	}
	d.taken, d.short = measure-rest, rest
	if rest == 0 || (c.Shortfall == Partial && d.taken > 0) {
		return d, nil
	}
	limit := d.reasons
	d.reasons, d.matched = w.denial(c, planMatched, len(sources) > 0)
	d.reasons = append(d.reasons, limit...)
	return d, nil
}

// drawPlan takes what every matching allowance can give: all of them count the same part, so
// the smallest decides.
func (w *work) drawPlan(c *Charge, want int64) ([]PlanPart, bool) {
	sub := w.seeSubscription()
	if !sub.ActiveAt(w.at) {
		return nil, false
	}
	part := want
	var parts []PlanPart
	for _, a := range sub.Allowances {
		if _, ok := a.Rules.Match(c.Event, c.Metadata); !ok {
			continue
		}
		a.roll(sub, w.at)
		part = min(part, a.Left())
		parts = append(parts, PlanPart{Allowance: a.ID, WindowStart: a.WindowStart})
	}
	if len(parts) == 0 {
		return nil, false
	}
	if part == 0 {
		return nil, true
	}
	for i := range parts {
		parts[i].Micros = part
	}
	return parts, true
}

// sources lists the lanes that may pay, and the order between their grants.
func (w *work) sources(c *Charge) ([]source, []catalog.DrawKey, error) {
	var found []source
	if c.Credit != "" {
		if _, err := w.definition(c.Credit); err != nil {
			return nil, nil, err
		}
	}
	for _, lane := range w.s.Lanes {
		if c.Credit != "" && lane.Credit != c.Credit {
			continue
		}
		if r, ok := w.laneRate(c, lane); ok {
			found = append(found, source{lane: lane, queue: lane.queue, rate: r})
		}
	}
	return found, commonOrder(found), nil
}

// commonOrder is the order between the grants of several lanes: their credits' own where that
// is the same, else the default. Only lanes in which something is left have a say, so that
// what was used up long ago changes nothing; the queues of those that are ordered otherwise
// are put in the common order.
func commonOrder(sources []source) []catalog.DrawKey {
	var order []catalog.DrawKey
	for i := range sources {
		s := &sources[i]
		if len(s.queue) == 0 {
			continue
		}
		if order != nil && !slices.Equal(order, s.lane.order) {
			order = catalog.DefaultDrawOrder()
			break
		}
		order = s.lane.order
	}
	for i := range sources {
		if s := &sources[i]; len(s.queue) > 1 && !slices.Equal(order, s.lane.order) {
			s.queue = slices.SortedFunc(slices.Values(s.queue), compareBy(order))
		}
	}
	return order
}

// laneRate says whether a lane's grants may pay for a charge, and at which rate. A direct
// charge names its credit: grants without a scope of their own pay for it, and those whose
// scope accepts everything. A gated charge needs a scope that accepts it; where it names a
// credit too, unscoped grants of that credit pay one for one.
func (w *work) laneRate(c *Charge, lane *Lane) (rate, bool) {
	def, ok := w.cx.Defs.Credits[lane.Credit]
	if !ok {
		return rate{}, false
	}
	rule, ok := c.accepted(lane.Scope, lane.Inherited)
	if !ok || !c.Gated() {
		return oneToOne, ok
	}
	return gatedRate(def.Precision, rule), true
}

// accepted returns the rule by which grants of a scope pay for the charge, if they do.
func (c *Charge) accepted(scope catalog.Scope, inherited bool) (catalog.Rule, bool) {
	if !c.Gated() {
		return catalog.Rule{}, len(scope) == 0 || inherited || scope.AcceptsAnything()
	}
	if len(scope) == 0 {
		return catalog.Rule{}, c.Credit != ""
	}
	return scope.Match(c.Event, c.Metadata)
}

// pick walks the lanes' queues in the common order and takes from each grant what it can give.
func (w *work) pick(sources []source, order []catalog.DrawKey, rest int64) ([]HoldSlice, int64) {
	var picks []HoldSlice
	compare := compareBy(order)
	live := slices.Clone(sources)
	for rest > 0 {
		s := w.nextSource(live, compare)
		if s == nil {
			break
		}
		g := w.see(s.queue[s.next])
		s.next++
		take := min(s.rate.units(rest), g.Available)
		covers := min(rest, s.rate.measure(take))
		if covers == 0 {
			continue // less than the smallest quantity that can be counted
		}
		take = s.rate.units(covers)
		picks = append(picks, HoldSlice{Grant: g.N, Units: take, Measure: covers})
		rest -= covers
	}
	return picks, rest
}

// nextSource is the lane whose first unvisited grant goes first.
func (w *work) nextSource(live []source, compare func(a, b *Grant) int) *source {
	var best *source
	for i := range live {
		s := &live[i]
		for s.next < len(s.queue) && w.see(s.queue[s.next]).Available == 0 {
			s.next++
		}
		if s.next == len(s.queue) {
			continue
		}
		if best == nil || compare(s.queue[s.next], best.queue[best.next]) < 0 {
			best = s
		}
	}
	return best
}

// drawOverage lets the rest go beyond zero, all of it or none, as the credit's policy allows.
func (w *work) drawOverage(c *Charge, sources []source, rest int64, d *drawn) (int64, []Reason) {
	credit, r, ok := w.overageCredit(c, sources)
	if !ok {
		return rest, nil
	}
	policy := w.overagePolicy(credit)
	units := r.units(rest)
	standing := w.seeCredit(credit)
	total, err := money.Add(standing.Overage+standing.OverageHeld, units)
	if err != nil || total > MaxUnits || (policy.Limited && total > policy.Limit) {
		return rest, []Reason{OverageLimitReached}
	}
	d.overage = append(d.overage, OveragePart{Credit: credit, Units: units, Measure: rest})
	return 0, nil
}

// overageCredit is the credit that a charge may overdraw: the one it names, or the first that
// accepts its event and allows overage.
func (w *work) overageCredit(c *Charge, sources []source) (string, rate, bool) {
	if c.Credit != "" && len(sources) == 0 {
		def := w.cx.Defs.Credits[c.Credit]
		if c.Gated() {
			rule, ok := def.Scope.Match(c.Event, c.Metadata)
			return c.Credit, gatedRate(def.Precision, rule), (ok || len(def.Scope) == 0) && w.overagePolicy(c.Credit).Enabled
		}
		return c.Credit, oneToOne, w.overagePolicy(c.Credit).Enabled
	}
	for _, s := range sources {
		if w.overagePolicy(s.lane.Credit).Enabled {
			return s.lane.Credit, s.rate, true
		}
	}
	return "", rate{}, false
}

// denial is the table of vevee-golivekit-stripe.md section 1.3: rows exist when the wallet was
// ever granted something that accepts the event, be it drained, expired or revoked.
func (w *work) denial(c *Charge, planMatched, rowsExist bool) ([]Reason, bool) {
	if !c.Gated() {
		return []Reason{CreditsExhausted}, true
	}
	if !w.seeSubscription().ActiveAt(w.at) {
		if rowsExist {
			return []Reason{NoSubscription, CreditsExhausted}, true
		}
		return []Reason{NoSubscription}, false
	}
	switch {
	case planMatched && rowsExist:
		return []Reason{PlanAndCreditsExhausted}, true
	case planMatched:
		return []Reason{PlanExhausted}, true
	case rowsExist:
		return []Reason{CreditsExhausted}, true
	}
	return []Reason{UnmatchedEvent}, false
}

// check refuses charges that make no sense, before anything is looked at.
func (c *Charge) check() error {
	const op = "wallet.Charge"
	if c.Credit == "" && c.Event == "" {
		return fault.New(op, fault.CodeMissingField, "name a credit_id and an amount, or an event and a quantity").In("credit_id")
	}
	if c.Gated() && c.Amount != 0 {
		return fault.New(op, fault.CodeConflictingFields, "an event goes with a quantity, a credit_id with an amount: not both amount and event").In("amount")
	}
	if !c.Shortfall.Valid() {
		return fault.New(op, fault.CodeInvalidRequest, "shortfall must be deny, partial or overage").In("shortfall")
	}
	if err := c.Metadata.check(); err != nil {
		return err
	}
	if c.Gated() {
		if c.Quantity <= 0 || c.Quantity > MaxQuantity {
			return fault.New(op, fault.CodeInvalidQuantity, "quantity must be positive and at most %d", int64(MaxQuantity/MicrosPerUnit)).In("quantity")
		}
		return catalog.ValidateEventName(c.Event)
	}
	if c.Amount <= 0 || c.Amount > MaxUnits {
		return fault.New(op, fault.CodeInvalidAmount, "amount must be positive and at most %d units of the credit's precision", int64(MaxUnits)).In("amount")
	}
	return nil
}
