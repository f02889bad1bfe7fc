package model

import (
	"math/big"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/wallet"
)

// turnCycle does what falls on this instant in the plan (design section 5.5): grants have ended.
func (m *Model) turnCycle() {
	p := m.plan
	if p == nil || p.ended || p.paused != 0 {
		return
	}
	m.turn() // windows are over as well, and were counted as the plan was
	if p.ends != 0 && p.ends <= m.now {
		if m.now < p.to {
			m.happened("ended within a cycle")
		} else {
			m.happened("ended with the cycle")
		}
		m.endPlan()
		return
	}
	if p.to <= m.now {
		m.renew()
		return
	}
	var over []int
	for i := range p.included {
		if p.included[i].end <= m.now {
			over = append(over, i)
		}
	}
	for _, i := range over {
		if b := p.terms.Credits[i].Overage.Behavior; b == "" || b == catalog.ForgiveAtReset {
			m.forget(p.terms.Credits[i].Credit)
		}
	}
	for _, i := range over {
		m.happened("credits granted within a cycle")
		m.creditCycle(i)
	}
}

// renew begins the next cycle.
func (m *Model) renew() {
	p := m.plan
	next, from := p.next, p.id
	if next != nil {
		m.cut()
	}
	lines := m.beyond(next != nil)
	switch {
	case next != nil:
		m.happened("changed at the cycle's end")
		p.next = nil
		m.enter(next)
		m.tell(wallet.SubscriptionPlanChanged, from, p.id)
	case p.trial == p.to:
		m.happened("trial converted")
		m.tell(wallet.SubscriptionConverted, "", "")
	default:
		m.happened("cycle renewed")
		m.tell(wallet.SubscriptionRenewed, "", "")
	}
	if start, _ := p.terms.Every.Window(p.anchor, p.zone, m.now); start != m.now {
		m.happened("cycles begin anew from here")
		p.anchor = m.now
	}
	m.cycle()
	m.billCycle(lines)
}

// cycle begins a billing cycle.
func (m *Model) cycle() {
	p := m.plan
	if p.to != 0 && p.from < m.now {
		p.past = min(p.past+1, wallet.MaxCycles) // the oldest are forgotten
	}
	p.from, p.to = m.now, m.cycleEnd(p.terms.Every)
}

// cycleEnd is when a cycle that begins now ends.
func (m *Model) cycleEnd(every catalog.Interval) clock.Instant {
	p := m.plan
	if m.now < p.trial {
		return p.trial
	}
	_, end := every.Window(p.anchor, p.zone, m.now)
	return end
}

// creditCycle begins a cycle of an included credit with what it grants.
func (m *Model) creditCycle(i int) {
	p := m.plan
	in := &p.terms.Credits[i]
	p.included[i] = included{start: m.now, end: m.cycleEnd(in.Every), waits: p.unpaid != 0}
	if p.included[i].waits {
		return
	}
	m.include(i, times(m.amount(in), p.quantity))
}

// amount is what a credit grants each cycle: another amount while the trial runs.
func (m *Model) amount(in *wallet.IncludedCredit) int64 {
	if m.now < m.plan.trial && in.Trial != nil {
		m.happened("trial credits")
		return *in.Trial
	}
	return in.Amount
}

// times is a product that is no more than what a wallet can hold.
func times(a, b int64) int64 {
	v := new(big.Int).Mul(big.NewInt(a), big.NewInt(b))
	if v.Cmp(big.NewInt(wallet.MaxUnits)) > 0 {
		return wallet.MaxUnits
	}
	return v.Int64()
}

// include grants units of an included credit, as far as there is room for them.
func (m *Model) include(i int, units int64) {
	p := m.plan
	in, c := &p.terms.Credits[i], &p.included[i]
	def := m.Defs.Credits[in.Credit]
	if def == nil || def.ArchivedAt != 0 {
		m.happened("included credit archived")
		return
	}
	if room := wallet.MaxUnits - m.balance(in.Credit) - m.coming(in.Credit); units > room {
		m.happened("no room for included credits")
		units = room
	}
	if units <= 0 {
		return
	}
	g := grant{
		n: int64(len(m.grants)) + 1, credit: in.Credit, amount: units, status: wallet.GrantPending,
		category: in.Category, priority: in.Priority, created: m.now, effective: m.now,
		scope: in.Scope, inherited: in.Inherited, rollover: in.Rollover, included: true,
	}
	end := c.end
	if m.now < p.trial && !in.TrialExpires { // it ends with the first cycle that is paid for
		m.happened("trial credits outlive the trial")
		_, end = in.Every.Window(p.anchor, p.zone, p.trial)
	}
	bound := in.AtCycleEnd
	switch {
	case m.now < p.trial && in.TrialExpires:
		g.expires, g.rollover, bound = p.trial, catalog.Rollover{}, true
		m.happened("trial credits expire")
	case in.AtCycleEnd:
		g.expires = end
		m.happened("included until the cycle's end")
	case in.ExpiresAfterDays > 0:
		g.expires = m.now + clock.Instant(in.ExpiresAfterDays)*day
		m.happened("included for some days")
	default:
		m.happened("included for ever")
	}
	if g.rollover.Enabled() && (g.expires == 0 || g.expires >= end) {
		m.happened("rolls over with its cycle at the latest")
		g.expires, bound = end, true
	}
	c.bound = bound && g.expires == c.end
	c.grant = g.n
	m.grants = append(m.grants, g)
	m.made = append(m.made, g.n)
	owed := m.overage(in.Credit)
	m.begin(m.grant(g.n), wallet.CreditAdded)
	if m.overage(in.Credit) < owed {
		m.happened("deficit repaid at renewal")
	}
}

// beyond settles what was used beyond the plan at the end of a cycle: lines for what is billed, and
// what is billed or forgiven is gone. Every says that the cycles of all credits end with it.
func (m *Model) beyond(every bool) []billLine {
	p := m.plan
	var lines []billLine
	for i := range p.terms.Credits {
		in := &p.terms.Credits[i]
		over := m.overage(in.Credit)
		switch in.Overage.Behavior {
		case catalog.InvoiceAtBilling:
			if over > 0 && in.Overage.PricePerUnit != "" {
				m.happened("overage invoiced")
				lines = append(lines, m.overageLine(in, over))
			}
			m.forget(in.Credit)
		case catalog.ForgiveAtReset, "":
			if over > 0 && (every || p.included[i].end <= m.now) {
				m.happened("overage forgiven")
				m.forget(in.Credit)
			}
		default:
			if over > 0 {
				m.happened("overage kept: " + string(in.Overage.Behavior))
			}
		}
	}
	return lines
}

// forget takes the overage of a credit away.
func (m *Model) forget(credit string) {
	if over := m.overage(credit); over > 0 {
		m.owe(wallet.OverageReset, credit, -over)
	}
}

// cut ends the grants that would have ended with their cycles.
func (m *Model) cut() {
	for _, in := range m.plan.included {
		if g := m.cycleGrant(&in); g != nil {
			g.expires = m.now
		}
	}
	m.endOverdue()
}

// enter replaces the plan that runs by another.
func (m *Model) enter(c *wallet.PlanChange) {
	old := *m.plan
	p := m.plan
	p.id, p.terms = c.Plan, c.Terms
	p.until = over(&p.terms, m.now)
	if old.id == p.id && old.terms.Runs == p.terms.Runs {
		p.until = old.until
	}
	if p.ends == old.until {
		p.ends = p.until
	}
	if c.Quantity > 0 {
		p.quantity = c.Quantity
	}
	p.included = make([]included, len(c.Terms.Credits))
	m.allow(c.Allowances, c.OnChange, &old)
}

// changePlan takes another plan now.
func (m *Model) changePlan(c *wallet.PlanChange, charge wallet.Charging) {
	p := m.plan
	from := p.id
	if p.from == m.now {
		m.happened("plan changed at the very start of a cycle")
	}
	if charge == "" || charge == wallet.ChargeFull {
		m.happened("plan changed and cycle begun anew")
		m.cut()
		lines := append(m.takeBack(), m.beyond(true)...)
		if p.owed > 0 && c.Terms.Currency != p.terms.Currency {
			m.happened("a balance in another currency")
			panic(refused{fault.CodeInvalidRequest})
		}
		p.trial, p.anchor = 0, m.now
		m.enter(c)
		m.tell(wallet.SubscriptionPlanChanged, from, p.id)
		m.cycle()
		m.billCycle(lines)
		return
	}
	m.happened("plan changed within a cycle: " + string(charge))
	lines := m.changeLines(c, charge)
	old := *p
	var lose []int64
	for i := range old.terms.Credits {
		lose = append(lose, m.amount(&old.terms.Credits[i]))
	}
	m.enter(c)
	m.tell(wallet.SubscriptionPlanChanged, from, p.id)
	for i := range old.included {
		in := &old.included[i]
		if g := in.grant; old.terms.Credits[i].Prorate && g != 0 && m.grant(g).status == wallet.GrantActive {
			take := min(m.grant(g).available, m.rest(times(lose[i], old.quantity), in.start, in.end))
			if take > 0 {
				m.happened("credits of the old plan taken back in part")
				m.move(wallet.Revoked, m.grant(g).credit, part{n: g, available: -take, revoked: take})
			}
		}
	}
	for i := range p.included {
		m.goOnWith(i, &old)
	}
	m.bill(lines)
}

// goOnWith begins an included credit within a cycle: the credit's cycle in the old plan goes on,
// else the one that would run by the anchor.
func (m *Model) goOnWith(i int, old *plan) {
	p := m.plan
	in := &p.terms.Credits[i]
	c := included{start: p.from, end: m.cycleEnd(in.Every)}
	if m.now >= p.trial {
		c.start, _ = in.Every.Window(p.anchor, p.zone, m.now)
	}
	for j := range old.terms.Credits {
		if was := &old.terms.Credits[j]; was.Credit == in.Credit && was.Every == in.Every {
			c = included{start: old.included[j].start, end: old.included[j].end}
		}
	}
	p.included[i] = c
	if p.unpaid != 0 {
		m.happened("a plan changes before its cycle is paid")
		p.included[i].waits = true
	} else if in.Prorate {
		m.happened("credits of the new plan given in part")
		m.include(i, m.rest(times(m.amount(in), p.quantity), c.start, c.end))
	}
}

// rest is the part of an amount for what is left of a cycle, rounded down.
func (m *Model) rest(amount int64, start, end clock.Instant) int64 {
	if end <= m.now || end <= start {
		return 0
	}
	return scaled(amount, big.NewInt(int64(end-m.now)), big.NewInt(int64(end-start)), false).Int64()
}
