package model

import (
	"cmp"
	"math"
	"math/big"
	"slices"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/wallet"
)

// cover is what pays for a charge.
type cover struct {
	counted []counted
	slices  []wallet.HoldSlice
	overage *wallet.OveragePart
	taken   int64
	short   int64
	matched bool
	denied  []wallet.Reason
	charge  *wallet.Charge
}

// rate is how many units of a credit pay for one of the charge's own measure.
type rate struct{ num, den *big.Int }

// rateOf reports whether a grant's scope lets it pay for a charge, and at which rate.
func (m *Model) rateOf(g *grant, c *wallet.Charge) (rate, bool) {
	def := m.Defs.Credits[g.credit]
	if def == nil || (c.Credit != "" && c.Credit != g.credit) {
		return rate{}, false
	}
	if c.Event == "" {
		open := len(g.scope) == 0 || g.inherited
		for _, rule := range g.scope {
			open = open || (rule.Event == "*" && len(rule.Metadata) == 0)
		}
		return rate{big.NewInt(1), big.NewInt(1)}, open
	}
	if len(g.scope) == 0 {
		return perQuantity(def.Precision, catalog.Rule{}), c.Credit != ""
	}
	rule, ok := g.scope.Match(c.Event, c.Metadata)
	return perQuantity(def.Precision, rule), ok
}

// perQuantity: a quantity of 1 (a million micros) costs one whole credit (10^precision units),
// unless the rule says how much quantity a credit pays for.
func perQuantity(precision int, rule catalog.Rule) rate {
	num := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(precision)), nil)
	den := big.NewInt(1_000_000)
	if u := rule.UnitsPerCredit; u.Num != 0 {
		num.Mul(num, big.NewInt(u.Den))
		den.Mul(den, big.NewInt(u.Num))
	}
	return rate{num, den}
}

// units is what a measure costs, rounded up; no more than an int64 can tell.
func (r rate) units(measure int64) int64 { return capped(scaled(measure, r.num, r.den, true)) }

// measure is what units pay for, rounded down.
func (r rate) measure(units int64) int64 { return capped(scaled(units, r.den, r.num, false)) }

func capped(v *big.Int) int64 {
	if !v.IsInt64() {
		return math.MaxInt64
	}
	return v.Int64()
}

// cover finds what pays for a charge: allowances, then grants along the draw order, then
// overage; and why it is denied when that is not enough.
func (m *Model) cover(c *wallet.Charge, measure int64) cover {
	if c.Credit != "" && m.Defs.Credits[c.Credit] == nil {
		panic(refused{fault.CodeCreditNotFound})
	}
	d := cover{matched: true}
	d.charge = c
	rest := measure
	counts := m.matching(c)
	if c.Event != "" && len(counts) > 0 {
		part := rest
		for _, a := range counts {
			part = min(part, max(0, a.quota-a.used))
		}
		if part > 0 {
			for _, a := range counts {
				d.counted = append(d.counted, counted{a.counter, part})
			}
			rest -= part
		}
	}
	for _, g := range m.inOrder(c) {
		if rest == 0 {
			break
		}
		r, _ := m.rateOf(g, c)
		pays := min(rest, r.measure(min(g.available, r.units(rest))))
		if pays == 0 {
			continue
		}
		d.slices = append(d.slices, wallet.HoldSlice{Grant: g.n, Units: r.units(pays), Measure: pays})
		rest -= pays
	}
	rows := m.rows(c)
	var limit []wallet.Reason
	if rest > 0 && c.Shortfall == wallet.Overage {
		limit = m.goBeyond(c, rows, rest, &d)
		if d.overage != nil {
			rest = 0
		}
	}
	d.taken, d.short = measure-rest, rest
	if rest > 0 && (c.Shortfall != wallet.Partial || d.taken == 0) {
		d.denied, d.matched = m.why(c, len(counts) > 0, len(rows) > 0)
		d.denied = append(d.denied, limit...)
	}
	return d
}

// matching lists the allowances that count a charge, while the plan runs.
func (m *Model) matching(c *wallet.Charge) []*allowance {
	var found []*allowance
	if c.Event == "" || !m.plan.gives(m.now) {
		return nil
	}
	for i := range m.plan.allowances {
		a := &m.plan.allowances[i]
		if _, ok := a.rules.Match(c.Event, c.Metadata); ok {
			found = append(found, a)
		}
	}
	return found
}

// rows lists every grant that ever was and that accepts the charge, oldest first.
func (m *Model) rows(c *wallet.Charge) []*grant {
	var found []*grant
	for i := range m.grants {
		if _, ok := m.rateOf(&m.grants[i], c); ok {
			found = append(found, &m.grants[i])
		}
	}
	return found
}

// inOrder lists the grants that can pay, the first to pay first. Where grants of several
// credits can pay and their credits' orders differ, the default order decides.
func (m *Model) inOrder(c *wallet.Charge) []*grant {
	var can []*grant
	for _, g := range m.rows(c) {
		if g.status == wallet.GrantActive && g.available > 0 {
			can = append(can, g)
		}
	}
	if len(can) == 0 {
		return nil
	}
	order := m.Defs.Credits[can[0].credit].DrawOrder
	for _, g := range can {
		if !slices.Equal(order, m.Defs.Credits[g.credit].DrawOrder) {
			order = catalog.DefaultDrawOrder()
			break
		}
	}
	return sorted(can, order)
}

func sorted(grants []*grant, order []catalog.DrawKey) []*grant {
	slices.SortFunc(grants, func(a, b *grant) int {
		for _, key := range order {
			if c := byKey(key, a, b); c != 0 {
				return c
			}
		}
		return cmp.Compare(a.n, b.n)
	})
	return grants
}

func byKey(key catalog.DrawKey, a, b *grant) int {
	never := func(at clock.Instant) clock.Instant {
		if at == 0 {
			return math.MaxInt64
		}
		return at
	}
	switch key {
	case catalog.ByPriority:
		return a.priority - b.priority
	case catalog.ByExpiry:
		return cmp.Compare(never(a.expires), never(b.expires))
	case catalog.ByCategory:
		return cmp.Compare(b.category, a.category) // "promotional" before "paid"
	case catalog.ByEffectiveAt:
		return cmp.Compare(a.effective, b.effective)
	case catalog.ByCreatedAt:
		return cmp.Compare(a.created, b.created)
	}
	broken("unknown draw key %q", key)
	return 0
}

// goBeyond lets the rest become overage, all of it or none, of the credit that the charge
// names or of the first that accepts it and allows overage.
func (m *Model) goBeyond(c *wallet.Charge, rows []*grant, rest int64, d *cover) []wallet.Reason {
	credit, r, found := "", rate{}, false
	for _, g := range rows {
		if m.agreed(g.credit).Enabled {
			credit, found = g.credit, true
			r, _ = m.rateOf(g, c)
			break
		}
	}
	if len(rows) == 0 && c.Credit != "" && m.agreed(c.Credit).Enabled {
		// Never granted: the credit itself says what it pays for.
		def := m.Defs.Credits[c.Credit]
		itself := grant{credit: c.Credit, scope: def.Scope, inherited: len(def.Scope) > 0}
		credit = c.Credit
		r, found = m.rateOf(&itself, c)
	}
	if !found {
		return nil
	}
	policy := m.agreed(credit)
	units := scaled(rest, r.num, r.den, true)
	total := new(big.Int).Add(units, big.NewInt(m.overage(credit)+m.overageHeld(credit)))
	if total.Cmp(big.NewInt(wallet.MaxUnits)) > 0 || (policy.Limited && total.Cmp(big.NewInt(policy.Limit)) > 0) {
		return []wallet.Reason{wallet.OverageLimitReached}
	}
	d.overage = &wallet.OveragePart{Credit: credit, Units: units.Int64(), Measure: rest}
	return nil
}

// why is the table of vevee-golivekit-stripe.md section 1.3, row by row; a charge that names
// its credit and no event is only ever short of credits.
func (m *Model) why(c *wallet.Charge, group, rows bool) (reasons []wallet.Reason, matched bool) {
	if c.Event == "" {
		return []wallet.Reason{wallet.CreditsExhausted}, true
	}
	table := []struct {
		sub, group, rows bool
		reasons          []wallet.Reason
		matched          bool
	}{
		{true, true, false, []wallet.Reason{wallet.PlanExhausted}, true},
		{true, true, true, []wallet.Reason{wallet.PlanAndCreditsExhausted}, true},
		{true, false, true, []wallet.Reason{wallet.CreditsExhausted}, true},
		{true, false, false, []wallet.Reason{wallet.UnmatchedEvent}, false},
		{false, false, true, []wallet.Reason{wallet.NoSubscription, wallet.CreditsExhausted}, true},
		{false, false, false, []wallet.Reason{wallet.NoSubscription}, false},
	}
	for _, row := range table {
		if row.sub == m.plan.gives(m.now) && row.group == group && row.rows == rows {
			return row.reasons, row.matched
		}
	}
	broken("no row for group=%t rows=%t", group, rows)
	return nil, false
}
