package model

import (
	"cmp"
	"slices"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/wallet"
)

// advance lets time pass up to and including an instant, one boundary after the other. Time
// does not go backwards.
func (m *Model) advance(to clock.Instant) {
	for {
		at := m.boundary()
		if at == 0 || at > to {
			break
		}
		m.now = max(m.now, at)
		m.instant()
	}
	m.now = max(m.now, to)
	m.turn()
}

// boundary is the next instant at which time changes something; zero: never.
func (m *Model) boundary() clock.Instant {
	var next clock.Instant
	for _, at := range m.boundaries() {
		if next == 0 || at < next {
			next = at
		}
	}
	return next
}

func (m *Model) boundaries() []clock.Instant {
	var all []clock.Instant
	for i := range m.holds {
		if m.holds[i].status == wallet.ReservationPending {
			all = append(all, m.holds[i].expires)
		}
	}
	for i := range m.grants {
		g := &m.grants[i]
		if g.status == wallet.GrantPending {
			all = append(all, g.effective)
		}
		if g.status == wallet.GrantActive && g.live() > 0 && g.expires != 0 {
			all = append(all, g.expires)
		}
	}
	for i := range m.orders {
		if m.orders[i].status == wallet.OrderWaiting {
			all = append(all, m.orders[i].next)
		}
	}
	all = append(all, m.notices()...)
	if p := m.plan; p != nil && !p.ended && p.paused == 0 {
		all = append(all, p.to)
		for i := range p.included {
			all = append(all, p.included[i].end)
		}
		if p.ends != 0 {
			all = append(all, p.ends)
		}
	}
	return all
}

// instant does what falls on this instant: holds lapse, then grants end, then
// the plan's cycle turns, then grants begin.
func (m *Model) instant() {
	var lapsing []int64
	for i := range m.holds {
		if h := &m.holds[i]; h.status == wallet.ReservationPending && h.expires <= m.now {
			lapsing = append(lapsing, h.n)
		}
	}
	slices.SortFunc(lapsing, func(a, b int64) int {
		return cmp.Or(cmp.Compare(m.hold(a).expires, m.hold(b).expires), cmp.Compare(a, b))
	})
	for _, n := range lapsing {
		m.cause = "hold expiry"
		m.giveBack(m.hold(n), wallet.ReservationExpired)
	}
	m.endOverdue()
	m.turnCycle()
	var starting []int64
	for i := range m.grants {
		if g := &m.grants[i]; g.status == wallet.GrantPending && g.effective <= m.now {
			starting = append(starting, g.n)
		}
	}
	slices.SortFunc(starting, func(a, b int64) int {
		return cmp.Or(cmp.Compare(m.grant(a).effective, m.grant(b).effective), cmp.Compare(a, b))
	})
	for _, n := range starting {
		m.happened("grant begins later")
		m.begin(m.grant(n), wallet.CreditAdded)
	}
	m.tryAgain()
	m.buy()
	if m.heard != m.now {
		m.announce()
	}
	m.heard = m.now
}

// endOverdue ends every grant whose time is over and that has something left, the one that
// ended first going first. What that makes overdue in turn ends after it.
func (m *Model) endOverdue() {
	for {
		var over []int64
		for i := range m.grants {
			if m.grants[i].overdue(m.now) {
				over = append(over, m.grants[i].n)
			}
		}
		if len(over) == 0 {
			return
		}
		slices.SortFunc(over, func(a, b int64) int {
			return cmp.Or(cmp.Compare(m.grant(a).expires, m.grant(b).expires), cmp.Compare(a, b))
		})
		for _, n := range over {
			if m.grant(n).overdue(m.now) {
				m.end(n)
			}
		}
	}
}

// begin makes a pending grant part of the balance.
func (m *Model) begin(g *grant, kind wallet.EntryType) {
	n := g.n
	rest := g.amount - g.revoked // a part may have been revoked before it began
	g.status = wallet.GrantActive
	m.move(kind, g.credit, part{n: n, available: rest, enters: rest})
	if m.grant(n).disputed {
		m.happened("disputed grant begins")
		m.freeze(n)
	}
	m.repay(n)
}

// repay takes overage from a new grant first, where the credit's policy says so.
func (m *Model) repay(n int64) {
	g := m.grant(n)
	def := m.Defs.Credits[g.credit]
	if def == nil || m.agreed(g.credit).Behavior != catalog.CarryDeficitAutoRepay {
		return
	}
	if pay := min(m.overage(g.credit), g.available); pay > 0 {
		m.happened("overage repaid")
		e := m.move(wallet.CreditDeducted, g.credit, part{n: n, available: -pay, spent: pay})
		e.overage = -pay
		e.owed -= pay
	}
}

// freeze sets what is available in a grant aside while a dispute is open.
func (m *Model) freeze(n int64) {
	if g := m.grant(n); g.available > 0 {
		m.move(wallet.HoldPlaced, g.credit, part{n: n, available: -g.available, frozen: g.available})
	}
}

// end is a grant's natural end.
func (m *Model) end(n int64) {
	g := m.grant(n)
	g.ended = g.expires
	switch {
	case g.rollover.Percent == 0:
		g.status = wallet.GrantExpired
		m.lose(n, wallet.CreditExpired)
	case g.rollover.MaxCount > 0 && g.rolled >= g.rollover.MaxCount:
		m.happened("rollover forfeited")
		g.status = wallet.GrantExpired
		m.lose(n, wallet.RolloverForfeited)
	default:
		m.happened("rollover")
		g.status = wallet.GrantRolledOver
		m.rollOver(n)
	}
}

// lose takes all that is unheld off the balance, as expired.
func (m *Model) lose(n int64, kind wallet.EntryType) {
	if g := m.grant(n); g.available+g.frozen > 0 {
		m.move(kind, g.credit, part{n: n, available: -g.available, frozen: -g.frozen, expired: g.available + g.frozen})
	}
}

// rollOver moves floor(unused x percent / 100) to the next grant and expires the rest.
func (m *Model) rollOver(n int64) {
	g := m.grant(n)
	if g.available > 0 && g.frozen > 0 {
		broken("grant %d rolls over both available and frozen credits", n)
	}
	percent := int64(g.rollover.Percent)
	if available, frozen := floorPercent(g.available, percent), floorPercent(g.frozen, percent); available+frozen > 0 {
		next := m.successor(n)
		g = m.grant(n)
		m.move(wallet.CreditRolledOver, g.credit, part{n: n, available: -available, frozen: -frozen, rolledOut: available + frozen})
		m.grant(next).amount += available + frozen
		m.cause = "rollover"
		m.move(wallet.CreditRolledOver, g.credit, part{n: next, available: available, frozen: frozen, enters: available + frozen})
		m.returned(next)
	}
	m.lose(n, wallet.CreditExpired)
}

// floorPercent counts hundredths one digit group at a time, so that it cannot overflow.
func floorPercent(units, percent int64) int64 {
	hundreds, rest := units/100, units%100
	return hundreds*percent + (rest*percent)/100
}

// successor is the grant that another rolls over into: one, however often something comes back.
func (m *Model) successor(n int64) int64 {
	g := m.grant(n)
	if g.into != 0 {
		m.happened("rolled over again into the same grant")
		return g.into
	}
	g.into = int64(len(m.grants)) + 1
	next := *g
	next.n, next.parent, next.into = g.into, n, 0
	next.amount, next.available, next.frozen, next.held = 0, 0, 0, 0
	next.spent, next.expired, next.revoked, next.rolledOut = 0, 0, 0, 0
	next.included = false
	next.status, next.rolled, next.ref = wallet.GrantActive, g.rolled+1, ""
	next.effective, next.created, next.ended = m.now, m.now, 0
	next.expires = g.rollover.Validity.After(g.ended)
	m.grants = append(m.grants, next)
	return next.n
}

// returned settles what has just come back to a grant: the table of design section 5.3.
func (m *Model) returned(n int64) {
	g := m.grant(n)
	if g.available == 0 {
		return
	}
	switch g.status {
	case wallet.GrantActive:
		if g.disputed {
			m.happened("back to disputed by " + m.cause)
			m.freeze(n)
		}
		if g.overdue(m.now) {
			m.happened("back to overdue by " + m.cause)
		}
	case wallet.GrantExpired:
		if r := g.rollover; r.Percent > 0 && r.MaxCount > 0 && g.rolled >= r.MaxCount {
			m.happened("back to forfeited by " + m.cause)
			m.lose(n, wallet.RolloverForfeited)
			return
		}
		m.happened("back to expired by " + m.cause)
		m.lose(n, wallet.CreditExpired)
	case wallet.GrantRevoked:
		m.happened("back to revoked by " + m.cause)
		m.move(wallet.Revoked, g.credit, part{n: n, available: -g.available, revoked: g.available})
	case wallet.GrantRolledOver:
		m.happened("back to rolled over by " + m.cause)
		m.rollOver(n)
	}
}

// turn gives every allowance whose window is over a new counter.
func (m *Model) turn() {
	if m.plan == nil {
		return
	}
	for i := range m.plan.allowances {
		a := &m.plan.allowances[i]
		if a.end != 0 && (m.now < a.start || m.now >= a.end) && !a.frozen(m.plan) {
			m.fresh(a)
			m.happened("allowance window turns")
		}
	}
}

func (m *Model) fresh(a *allowance) {
	m.counters++
	a.counter, a.used = m.counters, 0
	anchor := m.plan.anchor
	if a.period.Kind == catalog.Lifetime {
		anchor = m.plan.starts
	}
	a.start, a.end = a.period.Window(anchor, m.now)
}
