package wallet

import (
	"cmp"
	"slices"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/money"
)

// work is a decision in the making: what has changed so far lies over the state, which stays
// untouched. Reads go through the overlay, so a command sees its own effects.
type work struct {
	s    *State
	cx   Context
	at   clock.Instant // the instant that the change takes effect
	op   int64
	d    Decision
	note Note

	grants  map[int64]*Grant
	holds   map[int64]*Hold
	credits map[string]*CreditState
	usages  map[string]*Usage
	tallies map[TallyKey]*Tally
	uniques map[UniqueKey]*Unique
	prepaid []HoldSlice // what the hold that is being committed has set aside for meters
	pinned  []MeteredPart
	denied  *Charge // for want of credits
	// settling is the order that is paid while its plan begins: it pays the plan's first invoice.
	settling *Order
	// stuck is why what was paid cannot be granted; nil: it can.
	stuck error

	periodFrom, periodTo clock.Instant // the billing period that was looked up last

	err error // the first overflow or broken law; nothing is decided then
}

func newWork(s *State, cx Context, at clock.Instant) *work {
	at = max(at, s.LastAt) // a wallet's time does not go backwards, whatever the machine's does
	return &work{
		s: s, cx: cx, at: at, op: s.Seq + 1,
		d: Decision{
			seq: s.Seq, grantSeq: s.GrantSeq, holdSeq: s.HoldSeq, usageSeq: s.UsageSeq, subSeq: s.subSeq(),
			invoiceSeq: s.InvoiceSeq, orderSeq: s.OrderSeq, head: s.Head, at: at,
		},
	}
}

// Decide says what a command comes to at an instant, and changes nothing. The state must have
// been settled to that instant. A denial is an answer; an error means that the command makes
// no sense (bad input, something unknown, a closed hold), or a *Missing.
func Decide(s *State, c Command, cx Context) (*Decision, error) {
	w := newWork(s, cx, cx.Now)
	if n, ok := c.(noting); ok {
		if err := n.checkNote(); err != nil {
			return nil, err
		}
	}
	if err := c.decide(w); err != nil {
		return nil, err
	}
	w.endDue()
	w.topUps()
	w.d.Answer.CanContinue = w.denied != nil && w.recharge(w.denied)
	return w.finish()
}

func (w *work) finish() (*Decision, error) {
	const op = "wallet.Decide"
	if w.err != nil {
		return nil, w.err
	}
	for _, g := range w.d.Grants {
		before := int64(0)
		if have, ok := w.s.grants[g.N]; ok {
			before = have.openSpent()
		}
		if change := g.openSpent() - before; change != 0 {
			w.credit(g.Credit).openSpent += change
		}
		if !g.Conserved() {
			return nil, fault.New(op, fault.CodeInvariantViolated, "grant %d would not add up", g.N)
		}
	}
	for _, c := range w.d.Credits {
		if c.Overage < 0 || c.OverageHeld < 0 || c.Available() < 0 || c.Held() < 0 || c.Frozen() < 0 ||
			c.Uncovered < 0 || c.MeteredOverage < 0 || c.MeteredOverage > c.Overage {
			return nil, fault.New(op, fault.CodeInvariantViolated, "the balance of %s would be negative", c.Credit)
		}
	}
	w.d.Answer.Entries = w.d.Entries
	if w.d.Whole {
		w.d.Answer.Subscription = w.d.Subscription
	}
	for _, c := range w.d.Credits {
		w.d.Answer.Standing = append(w.d.Answer.Standing, *c)
	}
	w.d.Low = w.lowBalances()
	return &w.d, nil
}

// fail keeps the first error of a step that cannot return one.
func (w *work) fail(err error) {
	if w.err == nil && err != nil {
		w.err = err
	}
}

// see returns the grant as this work sees it, for reading.
func (w *work) see(g *Grant) *Grant {
	if c, ok := w.grants[g.N]; ok {
		return c
	}
	return g
}

// grant returns a grant for changing. The number must be in memory.
func (w *work) grant(n int64) *Grant {
	if c, ok := w.grants[n]; ok {
		return c
	}
	c := *w.s.grants[n]
	return w.putGrant(&c)
}

func (w *work) putGrant(g *Grant) *Grant {
	if w.grants == nil {
		w.grants = make(map[int64]*Grant, 4)
	}
	w.grants[g.N] = g
	w.d.Grants = append(w.d.Grants, g)
	return g
}

// credit returns the standing in a credit, for changing.
func (w *work) credit(id string) *CreditState {
	if c, ok := w.credits[id]; ok {
		return c
	}
	c := &CreditState{Credit: id}
	if have, ok := w.s.Credits[id]; ok {
		*c = *have
	}
	if w.credits == nil {
		w.credits = make(map[string]*CreditState, 2)
	}
	w.credits[id] = c
	w.d.Credits = append(w.d.Credits, c)
	return c
}

// seeCredit returns the standing in a credit for reading.
func (w *work) seeCredit(id string) CreditState {
	if c, ok := w.credits[id]; ok {
		return *c
	}
	if c, ok := w.s.Credits[id]; ok {
		return *c
	}
	return CreditState{Credit: id}
}

// hold returns a pending hold for changing.
func (w *work) hold(n int64) *Hold {
	if h, ok := w.holds[n]; ok {
		return h
	}
	h := *w.s.holds[n]
	return w.putHold(&h)
}

func (w *work) putHold(h *Hold) *Hold {
	if w.holds == nil {
		w.holds = make(map[int64]*Hold, 1)
	}
	w.holds[h.N] = h
	w.d.Holds = append(w.d.Holds, h)
	return h
}

// line is one movement to be booked: the only way that balances change.
type line struct {
	kind    EntryType
	credit  string
	amount  int64 // what the entry says
	slices  []Slice
	overage int64 // change of the overage
	used    int64 // change of the lifetime usage
	metered bool  // it pays for what meters count, or gives that back
}

// book moves credits within and between grants, keeps every total, and writes the entry.
// What a slice takes out of a grant's live parts goes to the part that the entry's type
// names; so law 1 holds by construction, and finish checks it again.
func (w *work) book(l line) *Entry {
	c := w.credit(l.credit)
	e := Entry{
		Seq: w.d.seq + 1, Type: l.kind, Credit: l.credit, Amount: l.amount, Slices: l.slices,
		BalanceBefore: c.Balance(), OverageBefore: c.Overage,
		Op: w.op, RefType: w.note.RefType, RefID: w.note.RefID, Reason: w.note.Reason,
		Metadata: w.note.Metadata, Idempotency: w.cx.Idempotency, Actor: w.cx.Actor,
		EffectiveAt: w.at, RecordedAt: max(w.cx.Now, w.at), Prev: w.d.head,
	}
	for _, s := range l.slices {
		w.move(l.kind, c, s)
		if l.metered {
			w.grant(s.Grant).Metered -= s.Sum()
		}
	}
	c.Overage += l.overage
	used, err := money.Add(c.Used, l.used)
	w.fail(err)
	c.Used = used
	e.BalanceAfter, e.OverageAfter = c.Balance(), c.Overage
	if e.BalanceAfter > MaxUnits || e.OverageAfter > MaxUnits {
		w.fail(fault.New("wallet.book", fault.CodeAmountOutOfRange, "the balance would pass what a wallet can hold"))
	}
	e.Hash = e.Seal(w.s.ID)
	w.d.seq, w.d.head = e.Seq, e.Hash
	w.d.Entries = append(w.d.Entries, e)
	return &w.d.Entries[len(w.d.Entries)-1]
}

// move applies one slice to its grant and to the totals of the credit.
func (w *work) move(kind EntryType, c *CreditState, s Slice) {
	g := w.grant(s.Grant)
	g.Available += s.Available
	g.Frozen += s.Frozen
	g.Held += s.Held
	out := -s.Sum()
	switch kind {
	case CreditDeducted:
		g.Spent += out
	case CreditExpired, RolloverForfeited:
		g.Expired += out
	case Revoked:
		g.Revoked += out
	case CreditRolledOver:
		if out > 0 {
			g.RolledOver += out
		}
	case Refund:
		if out > 0 {
			g.Revoked += out // money went back, so the credits go
		} else {
			g.Spent += out // usage was undone
		}
	case ManualAdjustment:
		if out > 0 {
			g.Spent += out
		}
	}
	sums := c.sums(g.Category)
	sums.Available += s.Available
	sums.Frozen += s.Frozen
	sums.Held += s.Held
}

// definition returns what the operator defined a credit to be.
func (w *work) definition(credit string) (*catalog.Credit, error) {
	if d, ok := w.cx.Defs.Credits[credit]; ok {
		return d, nil
	}
	return nil, fault.New("wallet.Decide", fault.CodeCreditNotFound, "credit %q does not exist in this app", credit).In("credit_id")
}

// byCredit groups slices by the credit of their grant, in order of first appearance, so that
// each credit gets one entry.
func (w *work) byCredit(parts []Slice) []creditSlices {
	var groups []creditSlices
	for _, s := range parts {
		credit := w.see(w.s.grantOrNew(w, s.Grant)).Credit
		i := slices.IndexFunc(groups, func(g creditSlices) bool { return g.credit == credit })
		if i < 0 {
			groups = append(groups, creditSlices{credit: credit})
			i = len(groups) - 1
		}
		groups[i].slices = append(groups[i].slices, s)
	}
	return groups
}

type creditSlices struct {
	credit string
	slices []Slice
}

func (cs creditSlices) sum() (total int64) {
	for _, s := range cs.slices {
		total += s.Sum()
	}
	return total
}

// grantOrNew finds a grant that may have been made within this very work.
func (s *State) grantOrNew(w *work, n int64) *Grant {
	if g, ok := w.grants[n]; ok {
		return g
	}
	return s.grants[n]
}

// compareBy orders grants by a draw order; the number breaks the last tie, so the order is
// total (design section 5.1).
func compareBy(order []catalog.DrawKey) func(a, b *Grant) int {
	return func(a, b *Grant) int {
		for _, key := range order {
			if c := compareKey(key, a, b); c != 0 {
				return c
			}
		}
		return cmp.Compare(a.N, b.N)
	}
}

func compareKey(key catalog.DrawKey, a, b *Grant) int {
	switch key {
	case catalog.ByPriority:
		return cmp.Compare(a.Priority, b.Priority)
	case catalog.ByExpiry:
		return compareExpiry(a.ExpiresAt, b.ExpiresAt)
	case catalog.ByCategory:
		return cmp.Compare(rank(a.Category), rank(b.Category))
	case catalog.ByEffectiveAt:
		return cmp.Compare(a.EffectiveAt, b.EffectiveAt)
	default:
		return cmp.Compare(a.CreatedAt, b.CreatedAt)
	}
}

// compareExpiry puts the sooner first and "never" last.
func compareExpiry(a, b clock.Instant) int {
	switch {
	case a == b:
		return 0
	case a.IsZero():
		return 1
	case b.IsZero():
		return -1
	}
	return cmp.Compare(a, b)
}

func rank(c catalog.Category) int {
	if c == catalog.Promotional {
		return 0
	}
	return 1
}
