package wallet

import (
	"slices"
	"time"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
)

// TopUp is a customer's agreement that a pack is bought for them, with the card that is kept, as
// soon as a balance is below a threshold (design section 5.7).
type TopUp struct {
	Credit    string
	Enabled   bool
	Threshold int64 // units; a balance that is strictly less is topped up
	Pack      string
	Quantity  int64
	Caps      Caps
	ConsentAt clock.Instant // when the customer agreed
	ConsentBy string
	Metadata  Metadata

	Running   int64         // the order that is charged; 0: none
	NotBefore clock.Instant // no other is begun before; zero: at any time
	OffReason string        // why it was switched off by itself: the code of a decline, or the like
	Day       Spent         // in the running day, UTC
	Month     Spent         // in the running month
}

// Caps bound what is bought automatically; zero is no bound. Money is in minor units of the pack's
// currency.
type Caps struct {
	DayCount   int64 `json:"day_count,omitempty"`
	DayMinor   int64 `json:"day_minor,omitempty"`
	MonthCount int64 `json:"month_count,omitempty"`
	MonthMinor int64 `json:"month_minor,omitempty"`
}

// Spent is what was bought in a stretch of time that began at Start.
type Spent struct {
	Start clock.Instant `json:"start,omitzero"`
	Count int64         `json:"count,omitempty"`
	Minor int64         `json:"minor,omitempty"`
}

// MaxTopUps bounds the credits that a customer has automatic top-ups of.
const MaxTopUps = 20

// TopUpPause is how long nothing is bought automatically after a charge was given up.
const TopUpPause = 24 * time.Hour

// topUpRetries are the pauses before a soft decline is tried again: three within 24 hours
// (vevee-golivekit-stripe.md section 4.3). invoiceRetries are those of an invoice.
var (
	topUpRetries   = []time.Duration{time.Hour, 5 * time.Hour, 16 * time.Hour}
	invoiceRetries = []time.Duration{24 * time.Hour, 48 * time.Hour, 96 * time.Hour}
)

// SetTopUp agrees on automatic top-ups of a credit, or changes what was agreed. Switching on takes
// the customer's consent, and a card that is kept.
type SetTopUp struct {
	Credit    string
	Enabled   bool
	Threshold int64
	Pack      string
	Quantity  int64 // zero: one
	Caps      Caps
	Note
}

// Needs asks for nothing.
func (c *SetTopUp) Needs(*catalog.Definitions) Needs { return Needs{} }

const opTopUp = "wallet.SetTopUp"

func (c *SetTopUp) decide(w *work) error {
	w.note = c.Note
	def, err := w.definition(c.Credit)
	if err != nil {
		return err
	}
	if err := c.check(w, def); err != nil {
		return err
	}
	have := w.s.topUp(def.ID)
	if have == nil && len(w.s.TopUps) >= MaxTopUps {
		return fault.New(opTopUp, fault.CodeInvalidRequest, "a customer has automatic top-ups of at most %d credits", MaxTopUps).In("credit_id")
	}
	t := TopUp{Credit: def.ID}
	if have != nil {
		t = *have
	}
	if c.Enabled && !t.Enabled {
		t.ConsentAt, t.ConsentBy, t.NotBefore = w.at, w.cx.Actor, 0
	}
	t.Enabled, t.Threshold, t.Pack, t.Quantity, t.Caps = c.Enabled, c.Threshold, c.Pack, max(1, c.Quantity), c.Caps
	t.OffReason, t.Metadata = "", c.Metadata
	w.putTopUp(&t)
	if !c.Enabled {
		w.dropTopUp(&t)
	}
	w.d.Answer.Allowed = true
	return nil
}

// dropTopUp ends a charge that waits to be tried again: nobody agrees to it any more. One that is due may
// be on its way to the provider, and still comes.
func (w *work) dropTopUp(t *TopUp) {
	have := w.seeOrder(t.Running)
	if have == nil || have.Status != OrderWaiting {
		return
	}
	o := w.order(have)
	o.Reason = "automatic top-ups were switched off"
	w.close(o, OrderCanceled)
}

// agreedTo reports whether the customer still agrees to a charge that is under way.
func (w *work) agreedTo(o *Order) bool {
	for _, have := range w.s.TopUps {
		if t := w.seeTopUp(have.Credit); t.Running == o.N {
			return t.Enabled
		}
	}
	return false
}

func (c *SetTopUp) check(w *work, def *catalog.Credit) error {
	if c.Threshold < 0 || c.Threshold > MaxUnits {
		return fault.New(opTopUp, fault.CodeInvalidAmount, "the threshold must be 0 to %d units of the credit's precision", int64(MaxUnits)).In("threshold")
	}
	if c.Quantity < 0 || c.Quantity > MaxOrderQuantity {
		return fault.New(opTopUp, fault.CodeInvalidQuantity, "the quantity of a pack is 1 to %d", MaxOrderQuantity).In("quantity")
	}
	for _, bound := range []int64{c.Caps.DayCount, c.Caps.DayMinor, c.Caps.MonthCount, c.Caps.MonthMinor} {
		if bound < 0 || bound > maxLine {
			return fault.New(opTopUp, fault.CodeInvalidRequest, "a cap is a whole number above zero, or absent for none").In("caps")
		}
	}
	if !c.Enabled {
		return nil
	}
	buy := PlaceOrder{Kind: TopUpOrder, Pack: c.Pack, Quantity: c.Quantity}
	o, err := buy.quote(w.cx.Defs)
	if err != nil {
		return err // it could not be bought either when its time comes
	}
	if !slices.ContainsFunc(o.Items, func(it OrderItem) bool { return it.Credit == def.ID }) {
		return fault.New(opTopUp, fault.CodeInvalidRequest, "the pack %s gives nothing of this credit", o.Text).In("pack_id")
	}
	if w.s.Payer == nil || w.s.Payer.Method == "" {
		return fault.New(opTopUp, fault.CodeNoPaymentMethod, "the customer has no card that can be charged: let them save one on a checkout page first")
	}
	return nil
}

// ForgetPayer forgets the card that is kept. Automatic top-ups end with it.
type ForgetPayer struct{ Note }

// Needs asks for nothing.
func (c *ForgetPayer) Needs(*catalog.Definitions) Needs { return Needs{} }

func (c *ForgetPayer) decide(w *work) error {
	w.note = c.Note
	w.d.Answer.Allowed = true
	if w.s.Payer == nil || w.s.Payer.Method == "" {
		return nil
	}
	p := *w.s.Payer
	p.Method, p.Label, p.SavedAt = "", "", 0
	w.putPayer(&p)
	for _, t := range w.s.TopUps {
		if t.Enabled {
			w.switchOff(w.changeTopUp(t.Credit), "payment_method_removed")
		}
	}
	return nil
}

// topUp finds what was agreed about a credit; nil when nothing was.
func (s *State) topUp(credit string) *TopUp {
	for _, t := range s.TopUps {
		if t.Credit == credit {
			return t
		}
	}
	return nil
}

// seeTopUp returns what is agreed about a credit as this work sees it; nil when nothing is.
func (w *work) seeTopUp(credit string) *TopUp {
	for _, t := range w.d.TopUps {
		if t.Credit == credit {
			return t
		}
	}
	return w.s.topUp(credit)
}

// changeTopUp returns what is agreed about a credit, for changing. It must exist.
func (w *work) changeTopUp(credit string) *TopUp {
	for _, t := range w.d.TopUps {
		if t.Credit == credit {
			return t
		}
	}
	c := *w.s.topUp(credit)
	return w.putTopUp(&c)
}

func (w *work) putTopUp(t *TopUp) *TopUp {
	w.d.TopUps = append(w.d.TopUps, t)
	return t
}

func (w *work) putPayer(p *Payer) *Payer {
	w.d.Payer = p
	return p
}

// seePayer returns how the customer can be charged, as this work sees it; nil when they cannot.
func (w *work) seePayer() *Payer {
	if w.d.Payer != nil {
		return w.d.Payer
	}
	return w.s.Payer
}

// topUps begins the top-ups that are wanted now. It looks at the end of every decision, one that
// denies something included: when a new day makes room under a cap nothing else tells.
func (w *work) topUps() {
	for _, t := range w.s.TopUps {
		w.beginTopUp(t.Credit)
	}
	for _, t := range w.d.TopUps {
		if w.s.topUp(t.Credit) == nil { // agreed just now
			w.beginTopUp(t.Credit)
		}
	}
}

// topUpBalance is what a top-up looks at: holds are part of it, so that a reservation that is
// released buys nothing; what a dispute has frozen is not, since it cannot be spent for long.
func (w *work) topUpBalance(credit string) int64 {
	c := w.seeCredit(credit)
	return c.Available() + c.Held()
}

func (w *work) beginTopUp(credit string) {
	t := w.seeTopUp(credit)
	if !t.Enabled || t.Running != 0 || t.NotBefore > w.at || w.topUpBalance(credit) >= t.Threshold {
		return
	}
	payer := w.seePayer()
	if payer == nil || payer.Method == "" {
		return
	}
	buy := PlaceOrder{Kind: TopUpOrder, Pack: t.Pack, Quantity: t.Quantity, Provider: payer.Provider, Note: Note{Metadata: t.Metadata}}
	o, err := buy.quote(w.cx.Defs)
	if err != nil {
		w.switchOff(w.changeTopUp(credit), string(fault.CodeOf(err)))
		return
	}
	if !t.allows(w.at, o.Minor) {
		return
	}
	t = w.changeTopUp(credit)
	t.Day, t.Month = t.Day.add(dayOf(w.at), o.Minor), t.Month.add(monthOf(w.at), o.Minor)
	o.What, o.OffSession, o.Attempt, o.Status = t.Pack, true, 1, OrderDue
	t.Running = w.addOrder(o).N
	w.tellOrder(o, catalog.EventPaymentDue)
}

// allows reports whether the caps leave room for one more charge.
func (t *TopUp) allows(at clock.Instant, minor int64) bool {
	day, month := t.Day.in(dayOf(at)), t.Month.in(monthOf(at))
	under := func(bound, have int64) bool { return bound == 0 || have <= bound }
	return under(t.Caps.DayCount, day.Count+1) && under(t.Caps.DayMinor, day.Minor+minor) &&
		under(t.Caps.MonthCount, month.Count+1) && under(t.Caps.MonthMinor, month.Minor+minor)
}

// in is what was bought in the stretch that began at start.
func (s Spent) in(start clock.Instant) Spent {
	if s.Start != start {
		return Spent{Start: start}
	}
	return s
}

func (s Spent) add(start clock.Instant, minor int64) Spent {
	s = s.in(start)
	s.Count++
	s.Minor += minor
	return s
}

// less takes back what was not paid after all.
func (s Spent) less(start clock.Instant, minor int64) Spent {
	if s.Start == start {
		s.Count--
		s.Minor -= minor
	}
	return s
}

func dayOf(at clock.Instant) clock.Instant { return calendar(catalog.Daily, at) }

func monthOf(at clock.Instant) clock.Instant { return calendar(catalog.Monthly, at) }

// calendar is the start of the calendar's day or month, in UTC.
func calendar(kind catalog.PeriodKind, at clock.Instant) clock.Instant {
	from, _ := catalog.Period{Kind: kind, Anchor: catalog.AnchorCalendar}.Window(at, at)
	return from
}

// switchOff ends automatic top-ups of a credit until the customer agrees anew.
func (w *work) switchOff(t *TopUp, reason string) {
	t.Enabled, t.OffReason = false, reason
}

// topUpEnded takes what became of an automatic top-up into what was agreed.
func (w *work) topUpEnded(o *Order) {
	for _, have := range w.s.TopUps {
		if w.seeTopUp(have.Credit).Running != o.N {
			continue
		}
		t := w.changeTopUp(have.Credit)
		t.Running = 0
		if o.Status == OrderPaid {
			return
		}
		if o.Status != OrderMismatched { // that one took money
			t.Day, t.Month = t.Day.less(dayOf(o.CreatedAt), o.Minor), t.Month.less(monthOf(o.CreatedAt), o.Minor)
		}
		if d := o.LastDecline; d != nil && d.Class != DeclineSoft {
			w.switchOff(t, d.Code)
			return
		}
		t.NotBefore = w.at.Add(TopUpPause)
	}
}

// recharge reports whether what a denied charge is short of comes with the top-ups that are under way.
func (w *work) recharge(c *Charge) bool {
	missing := w.d.Answer.Shortage.Required - w.d.Answer.Shortage.Available
	for _, t := range w.s.TopUps {
		o := w.seeOrder(w.seeTopUp(t.Credit).Running)
		if o == nil || o.Status != OrderDue {
			continue // it waits to be tried again, or for a bank, for longer than anybody waits
		}
		for i := range o.Items {
			if missing -= w.covers(c, &o.Items[i]); missing <= 0 {
				return true // before the rest, which may be more than can be counted
			}
		}
	}
	return false
}

// covers is how much of a charge an item will pay for, in the charge's own measure.
func (w *work) covers(c *Charge, it *OrderItem) int64 {
	def, ok := w.cx.Defs.Credits[it.Credit]
	if !ok || c.Credit != "" && c.Credit != it.Credit {
		return 0
	}
	scope, inherited := it.Scope, false
	if len(scope) == 0 {
		scope, inherited = def.Scope, len(def.Scope) > 0
	}
	rule, ok := c.accepted(scope, inherited)
	switch {
	case !ok:
		return 0
	case !c.Gated():
		return it.Amount
	}
	return gatedRate(def.Precision, rule).measure(it.Amount)
}
