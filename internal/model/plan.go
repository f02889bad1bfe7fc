package model

import (
	"maps"
	"math/big"
	"reflect"
	"slices"
	"strings"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/wallet"
)

// plan is the subscription: the terms that were agreed, the cycle that runs, and the allowances.
type plan struct {
	n        int64
	id       string
	terms    wallet.Terms
	quantity int64

	starts, ends  clock.Instant
	until         clock.Instant // when the plan itself is over; zero: never
	data          wallet.Metadata
	trial, paused clock.Instant // the end of the trial, the start of the pause; zero: none
	ended         bool

	anchor   clock.Instant
	zone     string
	from, to clock.Instant // the billing cycle
	past     int           // how many cycles there were before
	included []included    // as terms.Credits
	next     *wallet.PlanChange
	owed     int64 // to the customer, in minor units
	collect  bool  // invoices are charged to the card that is kept
	unpaid   int64 // the invoice that the running cycle waits for; 0: none
	held     bool  // that was declined, or there is no card

	allowances []allowance
}

// included is the running cycle of a credit that comes with the plan.
type included struct {
	start, end clock.Instant
	grant      int64
	bound      bool // the grant ends with the cycle
	waits      bool // what it gives comes when the cycle is paid
	order      int64
}

// runs reports whether there is a plan: one that is paused does not end meanwhile.
func (p *plan) runs(at clock.Instant) bool {
	return p != nil && !p.ended && p.starts <= at && (p.ends == 0 || at < p.ends || p.paused != 0)
}

// gives reports whether the allowances count.
func (p *plan) gives(at clock.Instant) bool { return p.runs(at) && p.paused == 0 }

// agreed is the policy for use of a credit beyond zero: the plan's while it runs, else the credit's.
func (m *Model) agreed(credit string) catalog.Overage {
	if m.plan.runs(m.now) {
		for i := range m.plan.terms.Credits {
			if c := &m.plan.terms.Credits[i]; c.Credit == credit {
				return c.Overage
			}
		}
	}
	return m.Defs.Credits[credit].Overage
}

func (m *Model) tell(change wallet.SubscriptionChange, from, to string) {
	m.happened("subscription " + string(change))
	m.story = append(m.story, StoryView{Subscription: m.plan.n, Change: change, From: from, To: to, At: m.now})
}

func (m *Model) subscribe(c *wallet.Subscribe) Outcome {
	m.checkPlan(c)
	running := m.plan.runs(m.now)
	refuse(running && c.New, fault.CodeSubscriptionExists)
	if running && c.Plan == m.plan.id && !c.Retake {
		m.refresh(c)
		return Outcome{Allowed: true, Grants: m.made, Invoices: m.billed}
	}
	quantity := max(1, c.Quantity)
	if running && c.Quantity == 0 {
		quantity = m.plan.quantity
	}
	m.affords(&c.Terms, quantity)
	agreed := slices.Clone(c.Allowances)
	limitQuotas(c.Limits, func(yield func(id, label string, quota *int64)) {
		for i := range agreed {
			yield(agreed[i].ID, agreed[i].Label, &agreed[i].Quota)
		}
	})
	if !running {
		m.beginPlan(c, agreed)
		return Outcome{Allowed: true, Grants: m.made, Invoices: m.billed}
	}
	change := &wallet.PlanChange{Plan: c.Plan, Terms: c.Terms, Quantity: c.Quantity, Allowances: agreed, OnChange: c.OnChange}
	if t := &change.Terms; t.Minor == 0 && t.TrialMinor == 0 {
		t.Currency = m.plan.terms.Currency // it is free
	}
	if m.plan.owed > 0 && change.Terms.Currency != m.plan.terms.Currency {
		m.happened("a balance in another currency")
		panic(refused{fault.CodeInvalidRequest})
	}
	if c.AtCycleEnd {
		if before := m.plan.next; before == nil || !reflect.DeepEqual(*before, *change) {
			m.plan.next = change
			m.tell(wallet.SubscriptionChangeSet, m.plan.id, c.Plan)
		}
		m.endAt(c.EndsAt)
		return Outcome{Allowed: true, Grants: m.made, Invoices: m.billed}
	}
	refuse(m.plan.paused != 0, fault.CodeSubscriptionPaused)
	m.changePlan(change, c.Charge)
	m.refresh(c)
	return Outcome{Allowed: true, Grants: m.made, Invoices: m.billed}
}

// affords refuses so many of a plan that what it grants is more than a wallet holds.
func (m *Model) affords(t *wallet.Terms, quantity int64) {
	for i := range t.Credits {
		most := t.Credits[i].Amount
		if trial := t.Credits[i].Trial; trial != nil {
			most = max(most, *trial)
		}
		v := new(big.Int).Mul(big.NewInt(most), big.NewInt(quantity))
		refuse(v.Cmp(big.NewInt(wallet.MaxUnits)) > 0, fault.CodeAmountOutOfRange)
	}
}

// limitQuotas sets quotas by the id of their allowance, or its label in any case.
func limitQuotas(limits map[string]int64, all func(yield func(id, label string, quota *int64))) {
	for name, limit := range limits {
		found := false
		all(func(id, label string, quota *int64) {
			if id == name || strings.EqualFold(label, name) {
				*quota, found = limit, true
			}
		})
		refuse(!found, fault.CodeInvalidRequest)
	}
}

// endAt plans an end, or drops one: then the plan ends when it is over, if it ever is.
func (m *Model) endAt(at clock.Instant) {
	p := m.plan
	if at == 0 {
		at = p.until
	}
	if at == p.ends {
		return
	}
	p.ends = at
	if at == p.until {
		m.tell(wallet.SubscriptionReactivated, "", "")
	} else {
		m.tell(wallet.SubscriptionCancelSet, "", "")
	}
}

func (m *Model) checkPlan(c *wallet.Subscribe) {
	refuse(len(c.Allowances) > wallet.MaxAllowances, fault.CodeInvalidRequest)
	var ids []string
	for i := range c.Allowances {
		a := &c.Allowances[i]
		refuse(slices.Contains(ids, a.ID) || a.Quota < 0 || a.Quota > wallet.MaxQuantity, fault.CodeInvalidRequest)
		if err := a.Period.Validate(); err != nil {
			panic(refused{fault.CodeOf(err)})
		}
		if err := a.Rules.Validate(); err != nil {
			panic(refused{fault.CodeOf(err)})
		}
		ids = append(ids, a.ID)
	}
	t := &c.Terms
	refuse(t.Every == catalog.Interval{}, fault.CodePlanNotFound) // then the plan itself would say, and there is none
	for _, price := range []int64{t.Minor, t.TrialMinor} {
		refuse(price < 0 || price > catalog.MaxPrice, fault.CodeInvalidRequest)
	}
	refuse(!t.Every.Valid(), fault.CodeInvalidRequest)
	for i := range t.Credits {
		in := &t.Credits[i]
		refuse(m.Defs.Credits[in.Credit] == nil, fault.CodeCreditNotFound)
		refuse(in.Amount < 0 || in.Amount > wallet.MaxUnits, fault.CodeInvalidAmount)
		refuse(in.Trial != nil && (*in.Trial < 0 || *in.Trial > wallet.MaxUnits), fault.CodeInvalidAmount)
		refuse(!in.Every.Valid() || in.ExpiresAfterDays < 0, fault.CodeInvalidRequest)
		refuse(in.Priority < 0 || in.Priority > catalog.MaxPriority, fault.CodeInvalidPriority)
		refuse(in.Category != catalog.Paid && in.Category != catalog.Promotional, fault.CodeInvalidRequest)
		if _, err := catalog.ReadPrice(in.Overage.PricePerUnit, ""); in.Overage.PricePerUnit != "" && err != nil {
			panic(refused{fault.CodeOf(err)})
		}
		if err := in.Scope.Validate(); err != nil {
			panic(refused{fault.CodeOf(err)})
		}
		if err := in.Rollover.Validate(); err != nil {
			panic(refused{fault.CodeOf(err)})
		}
	}
	refuse(c.Quantity < 0 || c.Quantity > wallet.MaxPlanQuantity, fault.CodeInvalidQuantity)
	refuse(c.TrialDays != nil && (*c.TrialDays < 0 || *c.TrialDays > catalog.MaxTrialDays), fault.CodeInvalidRequest)
	refuse(!slices.Contains([]catalog.OnChange{"", catalog.ResetCounts, catalog.KeepCounts, catalog.BlockCounts}, c.OnChange), fault.CodeInvalidRequest)
	refuse(!slices.Contains([]wallet.Charging{"", wallet.ChargeFull, wallet.ChargeProrated, wallet.ChargeDifference, wallet.ChargeNothing}, c.Charge), fault.CodeInvalidRequest)
	refuse(c.EndsAt != 0 && c.EndsAt <= m.now, fault.CodeInvalidTime)
	if err := catalog.CheckZone(c.Zone, "zone"); err != nil {
		panic(refused{fault.CodeOf(err)})
	}
}

// beginPlan starts a subscription with its first cycle, which is the trial where there is one.
func (m *Model) beginPlan(c *wallet.Subscribe, agreed []wallet.Allowance) {
	m.subs++
	p := &plan{
		n: m.subs, id: c.Plan, terms: c.Terms, quantity: max(1, c.Quantity), starts: m.now, ends: c.EndsAt,
		anchor: m.now, zone: c.Zone, collect: c.Collect,
	}
	p.until, p.data = over(&p.terms, m.now), c.Metadata
	if p.ends == 0 {
		p.ends = p.until
	}
	days := c.Terms.TrialDays
	if c.TrialDays != nil {
		days = *c.TrialDays
	}
	if days > 0 {
		_, p.trial = catalog.Interval{Count: days, Unit: catalog.Day}.Window(m.now, c.Zone, m.now)
		p.anchor = p.trial
	}
	if c.CycleStart != 0 {
		p.anchor = c.CycleStart
	}
	m.plan = p
	m.allow(agreed, c.OnChange, nil)
	m.tell(wallet.SubscriptionStarted, "", p.id)
	m.cycle()
	p.included = make([]included, len(p.terms.Credits))
	m.billCycle(nil)
}

// over is when a plan taken at an instant is over; zero: never.
func over(t *wallet.Terms, at clock.Instant) clock.Instant {
	if t.Runs == (catalog.Interval{}) {
		return 0
	}
	return t.Runs.After(at)
}

// allow gives the allowances of a plan that is entered, from the old ones where there were any.
func (m *Model) allow(all []wallet.Allowance, how catalog.OnChange, old *plan) {
	m.plan.allowances = nil
	for i := range all {
		a := &all[i]
		mine := allowance{id: a.ID, label: a.Label, quota: a.Quota, rules: a.Rules, period: a.Period}
		m.fresh(&mine)
		was := kept(old, a.ID)
		switch {
		case old != nil && how == catalog.BlockCounts:
			m.happened("allowance blocked")
			mine.used = mine.quota
		case was != nil && how == catalog.KeepCounts:
			m.happened("allowance kept")
			mine.counter, mine.used = was.counter, was.used
			if was.period == a.Period { // the window that runs goes on
				mine.start, mine.end = was.start, was.end
			}
		}
		m.plan.allowances = append(m.plan.allowances, mine)
	}
}

func kept(old *plan, id string) *allowance {
	if old == nil {
		return nil
	}
	for i := range old.allowances {
		if old.allowances[i].id == id {
			return &old.allowances[i]
		}
	}
	return nil
}

// refresh brings the plan that runs to what is said of it.
func (m *Model) refresh(c *wallet.Subscribe) {
	p := m.plan
	m.endAt(c.EndsAt)
	if p.next != nil && !c.AtCycleEnd {
		p.next = nil
		m.tell(wallet.SubscriptionChangeUnset, "", "")
	}
	was := *p
	was.allowances = slices.Clone(p.allowances)
	if c.Quantity > 0 {
		m.affords(&p.terms, c.Quantity)
		p.quantity = c.Quantity
	}
	if len(c.Metadata) > 0 {
		p.data = c.Metadata
	}
	limitQuotas(c.Limits, func(yield func(id, label string, quota *int64)) {
		for i := range p.allowances {
			yield(p.allowances[i].id, p.allowances[i].label, &p.allowances[i].quota)
		}
	})
	if c.Zone != "" {
		p.zone = c.Zone
	}
	switch {
	case c.CycleStart != 0 && c.CycleStart != p.anchor:
		m.reanchor(c.CycleStart)
	case p.zone != was.zone:
		m.reanchor(p.anchor)
	}
	other := p.quantity != was.quantity || p.anchor != was.anchor || p.zone != was.zone || !maps.Equal(p.data, was.data)
	for i := range p.allowances {
		other = other || p.allowances[i].quota != was.allowances[i].quota
	}
	if other {
		m.tell(wallet.SubscriptionUpdated, "", "")
	}
}

// mustRun refuses to change a plan that is not there, or there no longer.
func (m *Model) mustRun() {
	refuse(m.plan == nil, fault.CodeSubscriptionNotFound)
	refuse(!m.plan.runs(m.now), fault.CodeAlreadyCanceled)
}

func (m *Model) unsubscribe(c *wallet.EndSubscription) Outcome {
	p := m.plan
	m.mustRun()
	switch end := max(c.At, m.now); {
	case c.AtCycleEnd && p.ends != p.to:
		p.ends = p.to
		m.tell(wallet.SubscriptionCancelSet, "", "")
	case c.AtCycleEnd:
	case end == m.now:
		m.happened("ended within a cycle")
		m.endPlan()
	case end != p.ends:
		p.ends = end
		m.tell(wallet.SubscriptionCancelSet, "", "")
	}
	return Outcome{Allowed: true, Invoices: m.billed}
}

// endPlan is the end: use beyond the plan is billed or forgiven, and grants live to their own end.
func (m *Model) endPlan() {
	p := m.plan
	if p.paused != 0 {
		m.goOn()
	}
	lines := m.beyond(true)
	p.ended, p.ends, p.next = true, m.now, nil
	m.tell(wallet.SubscriptionEnded, "", "")
	m.bill(lines)
}

func (m *Model) pause(c *wallet.PauseSubscription) Outcome {
	p := m.plan
	m.mustRun()
	switch {
	case c.Resume && p.paused != 0:
		if m.now > p.to {
			m.happened("paused over a cycle's end")
		}
		m.goOn()
		m.tell(wallet.SubscriptionResumed, "", "")
	case !c.Resume && p.paused == 0:
		m.turn()
		p.paused = m.now
		for _, in := range p.included {
			if g := m.cycleGrant(&in); g != nil {
				g.expires = 0
			}
		}
		m.tell(wallet.SubscriptionPaused, "", "")
	}
	return Outcome{Allowed: true}
}

// goOn moves all that was yet to come when the plan was paused.
func (m *Model) goOn() {
	p := m.plan
	by := m.now - p.paused
	for i := range p.allowances {
		if a := &p.allowances[i]; a.frozen(p) {
			a.end += by
		}
	}
	p.paused = 0
	p.to += by
	p.anchor = p.to
	if p.ends != 0 {
		p.ends += by
	}
	if p.until != 0 {
		p.until += by
	}
	if p.trial != 0 {
		p.trial += by
	}
	for i := range p.included {
		in := &p.included[i]
		in.end += by
		if g := m.cycleGrant(in); g != nil {
			g.expires = in.end
		}
	}
}

// frozen reports whether a paused plan's allowance keeps its window meanwhile.
func (a *allowance) frozen(p *plan) bool {
	return p.paused != 0 && a.period.Anchor == catalog.AnchorStart && a.period.Kind != catalog.Lifetime
}

// cycleGrant is the grant that ends with a cycle; nil where it has an end of its own or is gone.
func (m *Model) cycleGrant(in *included) *grant {
	if in.grant == 0 || !in.bound || m.grant(in.grant).status != wallet.GrantActive {
		return nil
	}
	return m.grant(in.grant)
}

func (m *Model) editPlan(c *wallet.EditSubscription) Outcome {
	p := m.plan
	m.mustRun()
	if c.NextCycle != 0 {
		refuse(c.NextCycle <= m.now, fault.CodeInvalidTime)
		refuse(p.paused != 0, fault.CodeSubscriptionPaused)
		m.happened("cycle's end moved")
		m.endCycleAt(c.NextCycle)
	}
	for i := range c.Credits {
		m.editCredit(&c.Credits[i])
	}
	if c.KeepPlan && p.next != nil {
		p.next = nil
		m.tell(wallet.SubscriptionChangeUnset, "", "")
	}
	if c.KeepOn && p.ends != p.until {
		p.ends = p.until
		m.tell(wallet.SubscriptionReactivated, "", "")
	}
	m.tell(wallet.SubscriptionUpdated, "", "")
	return Outcome{Allowed: true}
}

// editCredit overrides what was agreed of an included credit.
func (m *Model) editCredit(edit *catalog.ProductCredit) {
	p := m.plan
	p.terms.Credits = slices.Clone(p.terms.Credits)
	for i := range p.terms.Credits {
		in := &p.terms.Credits[i]
		if in.Credit != edit.Credit {
			continue
		}
		if edit.Amount > 0 {
			in.Amount = edit.Amount
		}
		if edit.OverageEnabled != nil {
			in.Overage.Enabled = *edit.OverageEnabled
		}
		if edit.OverageLimit != nil {
			in.Overage.Limited, in.Overage.Limit = true, *edit.OverageLimit
		}
		if edit.RolloverPercent != nil {
			in.Rollover.Percent = *edit.RolloverPercent
		}
		if edit.ExpiresAfterDays != nil {
			in.ExpiresAfterDays, in.AtCycleEnd = *edit.ExpiresAfterDays, false
		}
		if err := in.Rollover.Validate(); err != nil { // a share of nothing that has a length
			panic(refused{fault.CodeOf(err)})
		}
		m.affords(&p.terms, p.quantity)
		return
	}
	panic(refused{fault.CodeCreditNotFound})
}

// endCycleAt lets the running cycle end at another instant, and all after it follow from there.
func (m *Model) endCycleAt(end clock.Instant) {
	p := m.plan
	old := p.to
	if p.trial == old {
		p.trial = end
	}
	p.anchor, p.to = end, end
	for i := range p.included {
		in := &p.included[i]
		if in.end == old {
			in.end = end
		} else {
			in.end = m.cycleEnd(p.terms.Credits[i].Every)
		}
		if g := m.cycleGrant(in); g != nil {
			g.expires = in.end
		}
	}
}

// reanchor lets the cycle end where that of an outside biller does.
func (m *Model) reanchor(anchor clock.Instant) {
	p := m.plan
	refuse(p.paused != 0, fault.CodeSubscriptionPaused)
	m.happened("cycle anchored anew")
	if m.now >= p.trial { // a trial ends when it ends
		_, end := p.terms.Every.Window(anchor, p.zone, m.now)
		m.endCycleAt(end)
	}
	p.anchor = anchor
	for i := range p.allowances {
		a := &p.allowances[i]
		if a.period.Anchor != catalog.AnchorStart || a.period.Kind == catalog.Lifetime {
			continue
		}
		was := a.start
		from, to := a.period.Window(anchor, m.now)
		if from > was {
			m.fresh(a)
		}
		a.start, a.end = from, to
	}
}
