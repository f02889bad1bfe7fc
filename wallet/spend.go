package wallet

import (
	"strings"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/id"
)

func (c *Deduct) decide(w *work) error {
	if err := c.check(); err != nil {
		return err
	}
	w.note = c.noteFor(&c.Charge)
	d, err := w.find(&c.Charge, c.Measure())
	if err != nil || !w.d.Answer.Allowed {
		return err
	}
	if len(d.gates) > 0 {
		return w.spendMetered(&c.Charge, c.Quantity, "")
	}
	w.spend(d)
	return nil
}

// find finds what pays for a charge, by meters where they charge its event, and answers it.
func (w *work) find(c *Charge, measure int64) (drawn, error) {
	gates, err := w.gates(c, measure)
	if err != nil {
		return drawn{}, err
	}
	var d drawn
	if len(gates) > 0 {
		d, err = w.drawGates(c, gates, measure)
	} else {
		d, err = w.draw(c, measure)
	}
	if err != nil {
		return d, err
	}
	w.answerDraw(c, d)
	if !w.d.Answer.Allowed {
		w.tallies, w.d.Tallies = nil, nil // nothing is counted
	}
	return d, nil
}

func (c *Track) decide(w *work) error {
	if !c.Gated() {
		return fault.New("wallet.Track", fault.CodeMissingField, "name the event that took place").In("event")
	}
	if err := c.check(); err != nil {
		return err
	}
	w.note = c.noteFor(&c.Charge)
	d, err := w.find(&c.Charge, c.Measure())
	if err != nil {
		return err
	}
	match := Matched
	switch {
	case w.d.Answer.Allowed && len(d.gates) > 0:
		return w.spendMetered(&c.Charge, c.Quantity, c.Response)
	case w.d.Answer.Allowed:
		w.spend(d)
	case d.matched:
		return nil // blocked: nothing is charged, nothing is recorded
	case len(d.reasons) > 0 && d.reasons[0] == NoSubscription:
		match = NotSubscribed
	default:
		match = Unmatched
	}
	return w.track(&Usage{
		Event: c.Event, Quantity: c.Quantity, Metadata: catalog.ValuesOf(c.Charge.Metadata), Match: match,
		Response: clipResponse(c.Response), At: w.at, RecordedAt: w.at,
	})
}

// track records a usage event that was charged already, and reports it.
func (w *work) track(u *Usage) error {
	w.d.Answer.Usage = u
	return w.record(u)
}

// answerDraw says in the answer what a draw came to.
func (w *work) answerDraw(c *Charge, d drawn) {
	a := &w.d.Answer
	a.Allowed, a.Matched, a.Reasons = len(d.reasons) == 0, d.matched, d.reasons
	a.Draw, a.Charges = w.drawnParts(d.picks), gateCredits(d.gates)
	if !a.Allowed {
		a.Shortage = &Shortage{Required: d.taken + d.short, Available: d.taken}
		if !c.Gated() {
			a.Shortage.Credit = c.Credit
		}
		w.denied = c
		w.counters(c)
		return
	}
	a.Taken, a.Short = d.taken, d.short
}

func (w *work) drawnParts(picks []HoldSlice) []Drawn {
	parts := make([]Drawn, len(picks))
	for i, p := range picks {
		parts[i] = Drawn{Grant: p.Grant, Credit: w.s.grantOrNew(w, p.Grant).Credit, Units: p.Units, Measure: p.Measure}
	}
	return parts
}

// counters reports the allowances that match a charge, as they stand now.
func (w *work) counters(c *Charge) {
	sub := w.seeSubscription()
	if !c.Gated() || !sub.ActiveAt(w.at) {
		return
	}
	for _, a := range sub.Allowances {
		if _, ok := a.Rules.Match(c.Event, c.Metadata); ok {
			a.roll(sub, w.at)
			w.d.Answer.Counters = append(w.d.Answer.Counters, a)
		}
	}
}

// spend books a draw as usage: available becomes spent.
func (w *work) spend(d drawn) {
	w.countPlan(d.plan)
	parts := make([]Slice, len(d.picks))
	for i, p := range d.picks {
		parts[i] = Slice{Grant: p.Grant, Available: -p.Units}
	}
	w.bookUsage(parts)
	for _, o := range d.overage {
		w.bookOverage(o)
	}
}

// bookUsage writes one credit_deducted entry a credit.
func (w *work) bookUsage(parts []Slice) {
	if len(parts) == 0 {
		return
	}
	for _, group := range w.byCredit(parts) {
		sum := group.sum()
		w.book(line{kind: CreditDeducted, credit: group.credit, amount: sum, slices: group.slices, used: -sum})
	}
}

func (w *work) bookOverage(o OveragePart) {
	w.book(line{kind: OverageCharged, credit: o.Credit, amount: -o.Units, overage: o.Units, used: o.Units})
}

// countPlan counts parts against their allowances, which sit in the window of now.
func (w *work) countPlan(parts []PlanPart) {
	if len(parts) == 0 {
		return
	}
	sub := w.counting()
	for _, p := range parts {
		for i := range sub.Allowances {
			if a := &sub.Allowances[i]; a.ID == p.Allowance {
				a.roll(sub, w.at)
				a.Used += p.Micros
				w.d.Answer.Counters = append(w.d.Answer.Counters, *a)
			}
		}
	}
}

// uncountPlan gives counted parts back, where the window in which they were counted still
// runs: a hold counts in the period in which it was made (vevee-golivekit-stripe.md 1.2).
func (w *work) uncountPlan(parts []PlanPart) {
	if len(parts) == 0 || w.seeSubscription() == nil {
		return
	}
	sub := w.counting()
	for _, p := range parts {
		for i := range sub.Allowances {
			a := &sub.Allowances[i]
			if a.ID == p.Allowance && a.WindowStart == p.WindowStart {
				a.Used = max(0, a.Used-p.Micros)
			}
		}
	}
}

func clipResponse(s string) string {
	if len(s) > MaxResponseBytes {
		return strings.ToValidUTF8(s[:MaxResponseBytes], "") // the cut may go through a character
	}
	return s
}

func (c *Reverse) decide(w *work) error {
	const op = "wallet.Reverse"
	past, ok := w.s.past(c.Entry)
	if !ok {
		if c.Entry < 1 || c.Entry > w.s.Seq {
			return fault.New(op, fault.CodeEntryNotFound, "there is no such entry").In("entry_id")
		}
		return &Missing{Needs{Entries: []int64{c.Entry}}}
	}
	e := &past.Entry
	if e.Type != CreditDeducted && e.Type != OverageCharged {
		return fault.New(op, fault.CodeEntryNotReversible, "only credit_deducted and overage_charged can be reversed; this entry is %s", e.Type)
	}
	for _, s := range e.Slices {
		if _, ok := w.s.grants[s.Grant]; !ok {
			return &Missing{Needs{Grants: []int64{s.Grant}}}
		}
	}
	w.note = c.Note
	w.note.RefType, w.note.RefID = RefEntry, id.Object(id.PrefixEntry, w.s.ID, e.Seq)
	left := w.reversible(past)
	want := left
	if c.Amount != nil {
		want = *c.Amount
	}
	if left == 0 {
		return fault.New(op, fault.CodeAlreadyReversed, "all of this entry was reversed before, or its usage was voided")
	}
	if want <= 0 || want > left {
		return fault.New(op, fault.CodeInvalidAmount, "the amount to reverse must be positive and at most what was not reversed yet").In("amount").With("reversible_units", left)
	}
	if e.Type == OverageCharged {
		return w.reverseOverage(e, want)
	}
	if err := w.fits(e.Credit, want); err != nil {
		return err
	}
	w.reverseUsage(past, want)
	return nil
}

// reversible is how much of a deduction was not given back yet.
func (w *work) reversible(past *Past) int64 {
	left := -past.Entry.Amount
	for _, r := range past.Reversals {
		left -= r.Amount
	}
	if past.Entry.Type == OverageCharged {
		return left
	}
	parts := int64(0)
	for _, units := range w.reversibleSlices(past) {
		parts += units
	}
	return min(left, parts)
}

// reversibleSlices is what each slice of a deduction can give back. What meters drew may have
// gone back already because the usage turned out not to have taken place.
func (w *work) reversibleSlices(past *Past) []int64 {
	given := map[int64]int64{}
	for _, r := range past.Reversals {
		for _, s := range r.Slices {
			given[s.Grant] += s.Sum()
		}
	}
	units := make([]int64, len(past.Entry.Slices))
	for i, s := range past.Entry.Slices {
		units[i] = -s.Sum() - given[s.Grant]
		if past.Entry.paysMeters() {
			units[i] = min(units[i], w.see(w.s.grants[s.Grant]).Metered)
		}
	}
	return units
}

// paysMeters reports whether an entry pays for what meters made due, at once or as overage that a
// later grant repaid.
func (e *Entry) paysMeters() bool {
	return e.RefType == RefUsage || e.RefType == RefRepayment && e.RefID == RefUsage
}

// RefEntry is the reference type of an entry that points at an earlier one.
const RefEntry = "entry"

// reverseOverage takes overage away again; what was billed or forgiven meanwhile is no longer
// there to take.
func (w *work) reverseOverage(e *Entry, want int64) error {
	standing := w.seeCredit(e.Credit)
	if standing.Overage < want {
		return fault.New("wallet.Reverse", fault.CodeEntryNotReversible, "the overage was billed or reset meanwhile, so there is less of it than was asked to be reversed")
	}
	w.book(line{kind: Refund, credit: e.Credit, amount: want, overage: -want, used: -want})
	w.uncoverOverage(w.credit(e.Credit))
	w.d.Answer.Allowed = true
	return nil
}

// reverseUsage gives units back to the grants that they came from, the last drawn first.
func (w *work) reverseUsage(past *Past, want int64) {
	var parts []Slice
	left := w.reversibleSlices(past)
	for i := len(left) - 1; i >= 0 && want > 0; i-- {
		units := min(want, left[i])
		if units <= 0 {
			continue
		}
		want -= units
		parts = append(parts, Slice{Grant: past.Entry.Slices[i].Grant, Available: units})
	}
	sum := creditSlices{slices: parts}.sum()
	w.book(line{kind: Refund, credit: past.Entry.Credit, amount: sum, slices: parts, used: -sum})
	if past.Entry.paysMeters() {
		w.uncoverSpent(parts)
	}
	for _, p := range parts {
		w.returned(w.grant(p.Grant))
	}
	w.d.Answer.Allowed = true
}

// uncoverSpent keeps the books of metered usage when a deduction is given back by hand: what the
// meters made due is then no longer covered, so that it is not given back a second time when the
// usage turns out not to have taken place.
func (w *work) uncoverSpent(parts []Slice) {
	for _, p := range parts {
		g := w.grant(p.Grant)
		g.Metered -= p.Available
		w.credit(g.Credit).Uncovered += p.Available
	}
}

// uncoverOverage does the same where overage was taken away.
func (w *work) uncoverOverage(c *CreditState) {
	if lost := c.MeteredOverage - c.Overage; lost > 0 {
		c.MeteredOverage -= lost
		c.Uncovered += lost
	}
}
