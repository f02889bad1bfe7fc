package model

import (
	"slices"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/wallet"
)

// Model is one wallet as the design describes it: lists of grants, holds and entries. Nothing
// is indexed and no total is kept; what is asked is counted each time.
type Model struct {
	Defs *catalog.Definitions
	// Happened counts the rare situations that a history went through, by name.
	Happened map[string]int

	now      clock.Instant
	grants   []grant // number n is at n-1
	holds    []hold
	ledger   []line
	plan     *plan
	subs     int64         // how many subscriptions there ever were
	story    []StoryView   // what happened to them
	bills    []InvoiceView // number n is at n-1
	lines    [][]billLine  // of each invoice
	orders   []order       // number n is at n-1
	topUps   []topUp       // by credit
	payer    *payer        // nil: nobody ever paid
	said     []NoticeView
	heard    clock.Instant // when something was last announced, or was not
	settling int64         // the order whose plan begins
	stuck    bool          // what is paid cannot be granted
	paidFor  bool          // what is granted was paid for
	denied   *wallet.Charge
	counters int    // how many counters there ever were
	cause    string // what gives credits back, for the count of situations

	made, billed []int64 // grants and invoices of the command that is carried out
}

// New returns an empty wallet under the given definitions.
func New(defs *catalog.Definitions) *Model {
	return &Model{Defs: defs, Happened: map[string]int{}}
}

// grant is a block of credits and the buckets that it is divided into.
type grant struct {
	n                                                           int64
	credit                                                      string
	amount                                                      int64
	available, frozen, held, spent, expired, revoked, rolledOut int64

	status    wallet.GrantStatus
	disputed  bool
	category  catalog.Category
	priority  int
	effective clock.Instant
	expires   clock.Instant // zero: never
	ended     clock.Instant
	created   clock.Instant
	scope     catalog.Scope
	inherited bool
	ref, what string // the caller's reference, and what was granted under it
	rollover  catalog.Rollover
	rolled    int   // how often these credits have rolled over
	included  bool  // it comes with a plan
	parent    int64 // rolled over from
	into      int64 // rolled over into
}

func (g *grant) live() int64 { return g.available + g.frozen + g.held }

// overdue reports whether something is left in a grant whose time is over.
func (g *grant) overdue(now clock.Instant) bool {
	return g.status == wallet.GrantActive && g.live() > 0 && g.expires != 0 && g.expires <= now
}

// hold is what a reservation has set aside.
type hold struct {
	n         int64
	charge    wallet.Charge
	counted   []counted
	slices    []wallet.HoldSlice
	overage   *wallet.OveragePart
	status    wallet.HoldStatus
	expires   clock.Instant
	committed int64
	claims    []claimed
}

func (h *hold) measure() int64 {
	var total int64
	if len(h.counted) > 0 {
		total = h.counted[0].micros
	}
	for _, s := range h.slices {
		total += s.Measure
	}
	if h.overage != nil {
		total += h.overage.Measure
	}
	return total
}

// allowance counts in one counter a window: a new window is a new counter, so that what is
// given back later finds the counter it was taken from or none.
type allowance struct {
	label      string
	id         string
	quota      int64
	rules      catalog.Scope
	period     catalog.Period
	counter    int
	used       int64
	start, end clock.Instant
}

// counted is what a charge took from an allowance.
type counted struct {
	counter int
	micros  int64
}

// line is an entry as the model expects it.
type line struct {
	kind     wallet.EntryType
	credit   string
	at       clock.Instant
	amount   int64
	overage  int64 // change of the overage
	used     int64 // change of the lifetime usage
	parts    []wallet.Slice
	reverses int64 // the entry that this one undoes; 0: none
	balance  int64 // of the credit, afterwards
	owed     int64 // overage of the credit, afterwards
}

// clone lets a command be tried: what it breaks is thrown away with the copy.
func (m *Model) clone() *Model {
	c := *m
	c.grants = slices.Clone(m.grants)
	c.holds = slices.Clone(m.holds)
	c.ledger = slices.Clip(m.ledger)
	c.story = slices.Clip(m.story)
	c.bills = slices.Clone(m.bills)
	c.made, c.billed = nil, nil
	c.lines, c.said = slices.Clone(m.lines), slices.Clone(m.said)
	c.orders, c.topUps = slices.Clone(m.orders), slices.Clone(m.topUps)
	for i := range c.orders {
		o := &c.orders[i]
		o.refunds, o.bought = slices.Clone(o.refunds), slices.Clone(o.bought)
	}
	for i := range c.topUps {
		c.topUps[i].charges = slices.Clone(c.topUps[i].charges)
	}
	if m.plan != nil {
		p := *m.plan
		p.allowances = slices.Clone(p.allowances)
		p.included = slices.Clone(p.included)
		c.plan = &p
	}
	return &c
}

func (m *Model) grant(n int64) *grant {
	if n < 1 || n > int64(len(m.grants)) {
		return nil
	}
	return &m.grants[n-1]
}

func (m *Model) hold(n int64) *hold {
	if n < 1 || n > int64(len(m.holds)) {
		return nil
	}
	return &m.holds[n-1]
}

// balance is available + frozen + held over all grants of a credit (law 1).
func (m *Model) balance(credit string) int64 {
	var total int64
	for i := range m.grants {
		if m.grants[i].credit == credit {
			total += m.grants[i].live()
		}
	}
	return total
}

// coming is what pending grants of a credit will add.
func (m *Model) coming(credit string) int64 {
	var total int64
	for i := range m.grants {
		if g := &m.grants[i]; g.credit == credit && g.status == wallet.GrantPending {
			total += g.amount - g.revoked
		}
	}
	return total
}

func (m *Model) overage(credit string) int64 {
	for i := len(m.ledger) - 1; i >= 0; i-- {
		if m.ledger[i].credit == credit {
			return m.ledger[i].owed
		}
	}
	return 0
}

func (m *Model) overageHeld(credit string) int64 {
	var total int64
	for i := range m.holds {
		if h := &m.holds[i]; h.status == wallet.ReservationPending && h.overage != nil && h.overage.Credit == credit {
			total += h.overage.Units
		}
	}
	return total
}

// happened counts a situation, so that a run can show that it has met it.
func (m *Model) happened(what string) { m.Happened[what]++ }
