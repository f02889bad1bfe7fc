package wallet

import (
	"slices"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/money"
)

// Gated metering (design section 5.2): a charge by an event that a count or sum meter links to a
// credit is paid by the meter's credit at the meter's rate, and recorded as a usage event that is
// paid already. So one event can be metered and still be refused.

// gate is one link that a charge by event goes through.
type gate struct {
	tally  *Tally
	micros int64 // what the charge adds to the tally, as far as that can cost anything
	units  int64 // what that makes due, with all that pending holds may still add
	scales bool  // micros grow with the quantity; not those of one call of many tokens
}

// gates lists the links that a charge goes through; none when no meter charges its event.
func (w *work) gates(c *Charge, quantity int64) ([]gate, error) {
	if !c.Gated() {
		return nil, nil
	}
	var all []gate
	u := w.meteredUsage(c, quantity, "", nil)
	summed := w.summed(c.Event, nil)
	for _, m := range w.gateMeters(c, u.Metadata) {
		links := w.links(m, w.at)
		for i := range links {
			if links[i].Credit == "" || c.Credit != "" && links[i].Credit != c.Credit {
				continue
			}
			t, err := w.tally(m, &links[i], w.at)
			if err != nil {
				return nil, err
			}
			g := gate{tally: t, micros: u.Quantity, scales: !summed}
			if m.Aggregation.Kind == catalog.Sum {
				value, _, _ := m.Counts(c.Event, u.Metadata)
				_, given := c.Metadata[m.Aggregation.Key]
				g.micros, g.scales = max(0, value), !given
			}
			if g.units, err = w.added(t, g.micros); err != nil {
				return nil, err
			}
			all = append(all, g)
		}
	}
	if len(all) > 0 && c.Shortfall == Partial {
		return nil, fault.New("wallet.Charge", fault.CodeInvalidRequest, "an event that a meter charges is taken whole: shortfall must be deny or overage").In("shortfall")
	}
	return all, nil
}

// gateMeters lists the count and sum meters that count an event and are linked to a credit.
func (w *work) gateMeters(c *Charge, metadata catalog.Values) []*catalog.Meter {
	var meters []*catalog.Meter
	for _, m := range w.cx.Defs.MetersOf(c.Event) {
		if kind := m.Aggregation.Kind; kind != catalog.Count && kind != catalog.Sum || len(w.links(m, w.at)) == 0 {
			continue
		}
		if _, _, ok := m.Counts(c.Event, metadata); ok {
			meters = append(meters, m)
		}
	}
	return meters
}

// added is what more usage makes due, over what is counted and what pending holds may add.
func (w *work) added(t *Tally, micros int64) (int64, error) {
	r, err := w.rateOf(t)
	if err != nil {
		return 0, err
	}
	base, err := money.Add(t.Aggregate, t.Held)
	if err != nil {
		return 0, errUsageOutOfRange()
	}
	total, err := money.Add(base, micros)
	if err != nil {
		return 0, errUsageOutOfRange()
	}
	before, err := t.dueFor(base, r)
	if err != nil {
		return 0, err
	}
	after, err := t.dueFor(total, r)
	return after - before, err
}

// affordable is how much of a gate's usage a number of units pays for.
func (w *work) affordable(g *gate, units int64) int64 {
	r, err := w.rateOf(g.tally)
	if err != nil {
		return 0
	}
	base := g.tally.Aggregate + g.tally.Held
	before, err := g.tally.dueFor(base, r)
	if err != nil {
		return 0
	}
	// The most usage whose due, rounded down, is within reach.
	most, err := money.MulDivCeil(before+units+1, r.den, r.num)
	if err != nil {
		return g.micros
	}
	return max(0, min(g.micros, most-1-base+g.tally.FreeThreshold))
}

// drawGates finds what pays for a charge that meters count: for each credit the grants that a
// direct charge of it would draw, then overage where the charge and the credit allow it. It is
// all or nothing. The measure of a denied charge is its quantity.
func (w *work) drawGates(c *Charge, gates []gate, quantity int64) (drawn, error) {
	d := drawn{matched: true, taken: quantity, gates: gates}
	for _, credit := range gateCredits(gates) {
		units := int64(0)
		for i := range gates {
			if gates[i].tally.Credit == credit {
				units += gates[i].units // each is at most MaxUnits, and they are few
			}
		}
		if units == 0 {
			continue
		}
		sources, order, err := w.sources(&Charge{Credit: credit, Amount: units})
		if err != nil {
			return d, err
		}
		picks, rest := w.pick(sources, order, units)
		d.picks = append(d.picks, picks...)
		if rest == 0 {
			continue
		}
		room := w.overageRoom(credit)
		if c.Shortfall == Overage && rest <= room {
			d.overage = append(d.overage, OveragePart{Credit: credit, Units: rest})
			continue
		}
		d.reasons = []Reason{CreditsExhausted}
		if c.Shortfall == Overage && w.cx.Defs.Credits[credit].Overage.Enabled {
			d.reasons = append(d.reasons, OverageLimitReached)
			rest -= room
		}
		d.taken = min(d.taken, w.coveredBy(gates, credit, quantity, units-rest))
	}
	d.taken -= d.taken % grain(quantity)
	d.short = quantity - d.taken
	return d, nil
}

// grain is the last decimal in which a quantity is given. What there is of it is told as finely
// as it was asked for, and not as 0.999999 of a call.
func grain(quantity int64) int64 {
	g := int64(1)
	for g < MicrosPerUnit && quantity%(10*g) == 0 {
		g *= 10
	}
	return g
}

func gateCredits(gates []gate) []string {
	var credits []string
	for i := range gates {
		if c := gates[i].tally.Credit; !slices.Contains(credits, c) {
			credits = append(credits, c)
		}
	}
	slices.Sort(credits)
	return credits
}

// coveredBy is how much of a charge's quantity units of one credit cover. A gate whose usage does
// not grow with the quantity, such as one call of many tokens, is covered or is not.
func (w *work) coveredBy(gates []gate, credit string, quantity, units int64) int64 {
	least := quantity
	for i := range gates {
		g := &gates[i]
		if g.tally.Credit != credit {
			continue
		}
		covers := w.affordable(g, units)
		if !g.scales && covers < g.micros {
			covers = 0
		} else if !g.scales {
			covers = quantity
		}
		least = min(least, covers)
	}
	return least
}

// spendMetered records the usage event that a charge becomes and books what it makes due.
func (w *work) spendMetered(c *Charge, quantity int64, response string) error {
	u := w.meteredUsage(c, quantity, response, nil)
	w.note.RefType = RefUsage
	if err := w.record(u); err != nil {
		return err
	}
	w.d.Answer.Usage = u
	return w.settleMeters()
}

// meteredUsage is the usage event that a charge becomes. The quantity stands for the property
// that a sum meter reads, unless the caller gave that; where only count meters count, it says how
// many events these are. Meters that were held for are those of the reservation, whatever the plan
// says by now.
func (w *work) meteredUsage(c *Charge, quantity int64, response string, held []MeteredPart) *Usage {
	u := &Usage{
		Event: c.Event, Quantity: quantity, Metadata: catalog.ValuesOf(c.Metadata), Metered: true,
		Response: clipResponse(response), At: w.at, RecordedAt: w.at,
	}
	if w.summed(c.Event, held) {
		u.Quantity = MicrosPerUnit
	}
	for _, m := range w.cx.Defs.MetersOf(c.Event) {
		if m.Aggregation.Kind != catalog.Sum || !w.charges(m, held) {
			continue
		}
		if _, given := c.Metadata[m.Aggregation.Key]; given {
			continue
		}
		if u.Metadata == nil {
			u.Metadata = catalog.Values{}
		}
		u.Metadata[m.Aggregation.Key] = catalog.Number(money.FormatUnits(quantity, QuantityDecimals))
	}
	return u
}

// summed reports whether a sum meter charges an event. Then a charge is one event, and its quantity
// what the meter sums up.
func (w *work) summed(event string, held []MeteredPart) bool {
	return slices.ContainsFunc(w.cx.Defs.MetersOf(event), func(m *catalog.Meter) bool {
		return m.Aggregation.Kind == catalog.Sum && w.charges(m, held)
	})
}

// charges reports whether a meter charges the customer for what it counts, or did when it was held
// for.
func (w *work) charges(m *catalog.Meter, held []MeteredPart) bool {
	return len(w.links(m, w.at)) > 0 || slices.ContainsFunc(held, func(p MeteredPart) bool { return p.Meter == m.ID })
}

// findExcess finds what pays for what a commit wants beyond its hold: one call that takes longer
// is not another call.
func (w *work) findExcess(c *Charge, excess int64) error {
	gates, err := w.gates(c, excess)
	if err != nil {
		return err
	}
	d, err := w.drawGates(c, slices.DeleteFunc(gates, func(g gate) bool { return !g.scales }), excess)
	if err != nil {
		return err
	}
	w.answerDraw(c, d)
	return nil
}

// holdMetered announces to the tallies what a hold may add to them.
func (w *work) holdMetered(h *Hold, gates []gate) {
	for i := range gates {
		g := &gates[i]
		g.tally.Held += g.micros
		h.Metered = append(h.Metered, MeteredPart{TallyKey: g.tally.TallyKey, Micros: g.micros})
	}
}

// unholdMetered takes that back when the hold is closed.
func (w *work) unholdMetered(h *Hold) {
	for _, p := range h.Metered {
		t, err := w.tallyAt(p.TallyKey, 0) // its period may end elsewhere by now
		w.fail(err)
		if t != nil {
			t.Held -= p.Micros
		}
	}
}

// commitMetered makes a hold, or part of it or more, a usage event. What that makes due is taken
// from what the hold set aside, and the rest goes back; where it is more, which can also be for
// the sake of rounding, the rest is drawn afresh.
func (w *work) commitMetered(h *Hold) error {
	refer := w.note
	w.note.RefType = RefUsage
	w.unholdMetered(h)
	w.prepaid, w.pinned = slices.Clone(h.Slices), h.Metered
	for _, o := range h.Overage {
		w.credit(o.Credit).OverageHeld -= o.Units
	}
	if h.Committed > 0 {
		u := w.meteredUsage(&h.Charge, h.Committed, h.Response, h.Metered)
		u.Hold = h.N
		if err := w.record(u); err != nil {
			return err
		}
		w.d.Answer.Usage = u
	}
	if err := w.settleMeters(); err != nil {
		return err
	}
	w.note = refer
	var rest []Slice
	for _, left := range w.prepaid {
		if left.Units > 0 {
			rest = append(rest, Slice{Grant: left.Grant, Held: -left.Units, Available: left.Units})
		}
	}
	w.giveBack(h, rest)
	return nil
}

// payPrepaid pays due units from what the hold that is being committed has set aside, and
// returns what is left to be paid.
func (w *work) payPrepaid(credit string, units int64) int64 {
	var parts []Slice
	for i := range w.prepaid {
		held := &w.prepaid[i]
		take := min(units, held.Units)
		if take == 0 || w.s.grants[held.Grant].Credit != credit {
			continue
		}
		parts = append(parts, Slice{Grant: held.Grant, Held: -take})
		held.Units -= take
		units -= take
	}
	if sum := (creditSlices{slices: parts}).sum(); sum < 0 {
		w.book(line{kind: CreditDeducted, credit: credit, amount: sum, slices: parts, used: -sum, metered: true})
	}
	return units
}
