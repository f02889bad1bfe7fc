package wallet

import (
	"slices"
	"time"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/id"
)

func (c *Reserve) decide(w *work) error {
	if err := c.check(); err != nil {
		return err
	}
	ttl, err := checkTTL(c.TTL)
	if err != nil {
		return err
	}
	if w.s.pendingN >= MaxPendingHolds {
		return fault.New("wallet.Reserve", fault.CodeTooManyHolds, "a customer has at most %d open reservations: commit or release some", MaxPendingHolds)
	}
	w.note = c.noteFor(&c.Charge)
	d, err := w.find(&c.Charge, c.Measure())
	if err != nil || !w.d.Answer.Allowed {
		return err
	}
	w.d.holdSeq++
	h := w.putHold(&Hold{
		N: w.d.holdSeq, Charge: c.Charge, Plan: d.plan, Slices: d.picks, Overage: d.overage,
		Status: ReservationPending, CreatedAt: w.at, ExpiresAt: w.at.Add(ttl), Reason: c.Reason, Actor: w.cx.Actor,
	})
	w.refer(h)
	w.holdMetered(h, d.gates)
	w.countPlan(d.plan)
	parts := make([]Slice, len(d.picks))
	for i, p := range d.picks {
		parts[i] = Slice{Grant: p.Grant, Available: -p.Units, Held: p.Units}
	}
	for _, group := range w.byCredit(parts) {
		w.book(line{kind: HoldPlaced, credit: group.credit, amount: -group.held(), slices: group.slices})
	}
	for _, o := range d.overage {
		w.credit(o.Credit).OverageHeld += o.Units
	}
	w.d.Answer.Hold = h
	return nil
}

func (cs creditSlices) held() (total int64) {
	for _, s := range cs.slices {
		total += s.Held
	}
	return total
}

// RefReservation is the reference type of entries that belong to a hold.
const RefReservation = "reservation"

// refer makes what is booked next point at the hold.
func (w *work) refer(h *Hold) {
	w.note.RefType, w.note.RefID = RefReservation, id.Object(id.PrefixReservation, w.s.ID, h.N)
}

func checkTTL(ttl time.Duration) (time.Duration, error) {
	if ttl == 0 {
		return DefaultTTL, nil
	}
	if ttl < MinTTL || ttl > MaxTTL {
		return 0, fault.New("wallet.Reserve", fault.CodeInvalidRequest, "ttl_seconds must be %d to %d", int(MinTTL.Seconds()), int(MaxTTL.Seconds())).In("ttl_seconds")
	}
	return ttl, nil
}

// tell keeps what a command says of the hold; what it leaves out stays as it was.
func (h *Hold) tell(reason, errorCode, response string) {
	if reason != "" {
		h.Reason = reason
	}
	if errorCode != "" {
		h.ErrorCode = errorCode
	}
	if response != "" {
		h.Response = clipResponse(response)
	}
}

func checkErrorCode(code string) error {
	if catalog.Longer(code, MaxErrorCodeLength) {
		return fault.New("wallet.Hold", fault.CodeInvalidRequest, "error_code has at most %d characters", MaxErrorCodeLength).In("error_code")
	}
	return nil
}

// pending returns an open hold, or says in what way it is not.
func (w *work) pending(op string, n int64) (*Hold, error) {
	h, ok := w.s.holds[n]
	if !ok {
		if n < 1 || n > w.s.HoldSeq {
			return nil, fault.New(op, fault.CodeReservationNotFound, "there is no such reservation").In("reservation_id")
		}
		return nil, &Missing{Needs{Holds: []int64{n}}}
	}
	switch h.Status {
	case ReservationPending:
		return w.hold(n), nil
	case ReservationExpired:
		return nil, fault.New(op, fault.CodeReservationExpired, "the reservation expired at %s and its credits went back; reserve again", h.ExpiresAt)
	}
	return nil, fault.New(op, fault.CodeReservationNotPending, "the reservation was %s at %s; it can be closed once", h.Status, h.ClosedAt)
}

func (c *Commit) decide(w *work) error {
	const op = "wallet.Commit"
	if err := checkErrorCode(c.ErrorCode); err != nil {
		return err
	}
	h, err := w.pending(op, c.Hold)
	if err != nil {
		return err
	}
	held := h.Measure()
	take := held
	if c.Amount != "" {
		if take, err = c.Amount.Units(w.decimalsOf(&h.Charge)); err != nil {
			return fault.As(err).In("amount")
		}
	}
	if take < 0 || take > MaxUnits {
		return fault.New(op, fault.CodeInvalidAmount, "the amount to commit must not be negative").In("amount")
	}
	if take > held && !c.AllowMore {
		return fault.New(op, fault.CodeReservationTooSmall, "more than was reserved; set allow_more to draw the excess afresh").In("amount").With("reserved", held)
	}
	w.note = c.Note
	w.refer(h)
	excess, err := w.drawExcess(h, take-held)
	if err != nil || !w.d.Answer.Allowed {
		return err
	}
	h.Status, h.ClosedAt, h.Committed = ReservationCommitted, w.at, min(take, held)+excess.taken
	h.tell(c.Reason, c.ErrorCode, c.Response)
	a := &w.d.Answer
	a.Taken, a.Short, a.Hold = h.Committed, excess.short, h
	if len(h.Metered) > 0 {
		return w.commitMetered(h)
	}
	w.takeHeld(h, min(take, held))
	w.spend(excess)
	if !h.Charge.Gated() {
		return nil
	}
	return w.track(&Usage{
		Event: h.Charge.Event, Quantity: h.Committed, Metadata: catalog.ValuesOf(h.Charge.Metadata), Match: Matched,
		Hold: h.N, Response: h.Response, At: w.at, RecordedAt: w.at,
	})
}

// decimalsOf is how many decimals a charge's own measure has.
func (w *work) decimalsOf(c *Charge) int {
	if c.Gated() {
		return QuantityDecimals
	}
	return w.cx.Defs.Credits[c.Credit].Precision
}

// drawExcess draws what a commit wants beyond its hold, under the hold's own shortfall policy.
// Denied, the hold stays as it was.
func (w *work) drawExcess(h *Hold, excess int64) (drawn, error) {
	w.d.Answer.Allowed, w.d.Answer.Matched = true, true
	if excess <= 0 {
		return drawn{}, nil
	}
	if len(h.Metered) > 0 {
		err := w.findExcess(&h.Charge, excess)
		if !w.d.Answer.Allowed {
			w.d.Holds, w.holds = nil, nil
			w.tallies, w.d.Tallies = nil, nil
		}
		return drawn{taken: excess}, err
	}
	d, err := w.draw(&h.Charge, excess)
	if err != nil {
		return d, err
	}
	if len(d.reasons) > 0 && h.Charge.Shortfall == Partial {
		return drawn{short: excess}, nil
	}
	w.answerDraw(&h.Charge, d)
	if !w.d.Answer.Allowed {
		w.d.Holds, w.holds = nil, nil // the hold is untouched
	}
	return d, nil
}

// takeHeld spends the first part of a hold and gives the rest back: allowances count first,
// then the slices in the order they were drawn, then overage.
func (w *work) takeHeld(h *Hold, take int64) {
	var back []PlanPart
	counted := int64(0)
	for _, p := range h.Plan {
		counted = min(take, p.Micros)
		if rest := p.Micros - counted; rest > 0 {
			back = append(back, PlanPart{Allowance: p.Allowance, WindowStart: p.WindowStart, Micros: rest})
		}
	}
	take -= counted
	w.uncountPlan(back)

	var spent, rest []Slice
	for _, s := range h.Slices {
		units := heldUnits(s.Units, s.Measure, min(take, s.Measure))
		take -= min(take, s.Measure)
		if units > 0 {
			spent = append(spent, Slice{Grant: s.Grant, Held: -units})
		}
		if s.Units > units {
			rest = append(rest, Slice{Grant: s.Grant, Held: units - s.Units, Available: s.Units - units})
		}
	}
	w.bookUsage(spent)
	for _, o := range h.Overage {
		w.credit(o.Credit).OverageHeld -= o.Units
		units := heldUnits(o.Units, o.Measure, min(take, o.Measure))
		take -= min(take, o.Measure)
		if units > 0 {
			w.bookOverage(OveragePart{Credit: o.Credit, Units: units})
		}
	}
	w.giveBack(h, rest)
}

// heldUnits is what a part of a slice's measure costs, rounded up, at the slice's own rate.
func heldUnits(units, measure, part int64) int64 {
	if part == measure {
		return units
	}
	return rate{units, measure}.units(part)
}

// giveBack returns units of a hold to their grants. An order whose money was refunded takes what it
// misses of them, and each grant's fate the rest.
func (w *work) giveBack(h *Hold, parts []Slice) {
	if len(parts) == 0 {
		return
	}
	for _, group := range w.byCredit(parts) {
		w.book(line{kind: HoldReleased, credit: group.credit, amount: -group.held(), slices: group.slices})
	}
	for _, p := range parts {
		g := w.grant(p.Grant)
		if i := slices.IndexFunc(h.Slices, func(s HoldSlice) bool { return s.Grant == p.Grant && s.Order != 0 }); i >= 0 {
			w.takeClaimed(&h.Slices[i], g, p.Available)
		}
		w.returned(g)
	}
}

func (c *Release) decide(w *work) error {
	const op = "wallet.Release"
	if err := checkErrorCode(c.ErrorCode); err != nil {
		return err
	}
	h, err := w.pending(op, c.Hold)
	if err != nil {
		return err
	}
	w.note = c.Note
	w.refer(h)
	w.closeHold(h, ReservationReleased)
	h.tell(c.Reason, c.ErrorCode, c.Response)
	w.d.Answer.Allowed, w.d.Answer.Hold = true, h
	return nil
}

// closeHold gives all of a hold back.
func (w *work) closeHold(h *Hold, status HoldStatus) {
	w.uncountPlan(h.Plan)
	w.unholdMetered(h)
	parts := make([]Slice, len(h.Slices))
	for i, s := range h.Slices {
		parts[i] = Slice{Grant: s.Grant, Held: -s.Units, Available: s.Units}
	}
	for _, o := range h.Overage {
		w.credit(o.Credit).OverageHeld -= o.Units
	}
	h.Status, h.ClosedAt = status, w.at
	w.giveBack(h, parts)
}

func (c *Extend) decide(w *work) error {
	const op = "wallet.Extend"
	if err := checkErrorCode(c.ErrorCode); err != nil {
		return err
	}
	ttl, err := checkTTL(c.TTL)
	if err != nil {
		return err
	}
	h, err := w.pending(op, c.Hold)
	if err != nil {
		return err
	}
	h.ExpiresAt = w.at.Add(ttl)
	h.tell(c.Reason, c.ErrorCode, c.Response)
	w.d.Answer.Allowed, w.d.Answer.Hold = true, h
	return nil
}
