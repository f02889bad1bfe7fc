package model

import (
	"slices"
	"time"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/wallet"
)

// topUp is an agreement that a pack is bought below a threshold.
type topUp struct {
	credit    string
	on        bool
	threshold int64
	pack      string
	quantity  int64
	caps      wallet.Caps
	running   int64
	notBefore clock.Instant
	reason    string
	charges   []spent // what was charged and not given back
}

// spent is a charge that counts under caps.
type spent struct {
	order int64
	at    clock.Instant
	minor int64
}

func (m *Model) topUpOf(credit string) *topUp {
	for i := range m.topUps {
		if m.topUps[i].credit == credit {
			return &m.topUps[i]
		}
	}
	return nil
}

func (m *Model) agree(c *wallet.SetTopUp) Outcome {
	refuse(m.Defs.Credits[c.Credit] == nil, fault.CodeCreditNotFound)
	refuse(c.Threshold < 0 || c.Threshold > wallet.MaxUnits, fault.CodeInvalidAmount)
	refuse(c.Quantity < 0 || c.Quantity > wallet.MaxOrderQuantity, fault.CodeInvalidQuantity)
	for _, most := range []int64{c.Caps.DayCount, c.Caps.DayMinor, c.Caps.MonthCount, c.Caps.MonthMinor} {
		refuse(most < 0 || most > mostMinor, fault.CodeInvalidRequest)
	}
	if c.Enabled {
		var o order
		o.quantity = max(1, c.Quantity)
		m.offerPack(&o, &wallet.PlaceOrder{Kind: wallet.TopUpOrder, Pack: c.Pack, Quantity: c.Quantity})
		refuse(!slices.ContainsFunc(o.items, func(it wallet.OrderItem) bool { return it.Credit == c.Credit }), fault.CodeInvalidRequest)
		refuse(m.payer == nil || m.payer.card == "", fault.CodeNoPaymentMethod)
	}
	t := m.topUpOf(c.Credit)
	if t == nil {
		m.topUps = append(m.topUps, topUp{credit: c.Credit})
		t = &m.topUps[len(m.topUps)-1]
	}
	if c.Enabled && !t.on {
		t.notBefore = 0
	}
	t.on, t.threshold, t.pack, t.quantity, t.caps, t.reason = c.Enabled, c.Threshold, c.Pack, max(1, c.Quantity), c.Caps, ""
	if t.running != 0 && !t.on {
		if o := m.orderOf(t.running); o.status == wallet.OrderWaiting {
			m.happened("a charge that waited was dropped")
			m.shut(o, wallet.OrderCanceled)
		}
	}
	return Outcome{Allowed: true}
}

func (m *Model) forgetCard() Outcome {
	if m.payer == nil || m.payer.card == "" {
		return Outcome{Allowed: true}
	}
	m.payer = &payer{customer: m.payer.customer}
	for i := range m.topUps {
		if t := &m.topUps[i]; t.on {
			t.on, t.reason = false, "payment_method_removed"
		}
	}
	return Outcome{Allowed: true}
}

// buy begins every top-up that is wanted now. What was agreed by the command itself comes last; else the
// credits go by their ids.
func (m *Model) buy() {
	for i := range m.topUps {
		m.buyFor(&m.topUps[i])
	}
	slices.SortFunc(m.topUps, func(a, b topUp) int {
		if a.credit < b.credit {
			return -1
		}
		return 1
	})
}

func (m *Model) buyFor(t *topUp) {
	usable := int64(0) // what holds have set aside is part of it, what is frozen is not
	for i := range m.grants {
		if g := &m.grants[i]; g.credit == t.credit {
			usable += g.available + g.held
		}
	}
	if !t.on || t.running != 0 || t.notBefore > m.now || usable >= t.threshold || m.payer == nil || m.payer.card == "" {
		return
	}
	o := order{kind: wallet.TopUpOrder, status: wallet.OrderDue, quantity: t.quantity, alone: true, attempt: 1}
	var code fault.Code
	func() {
		defer func() {
			if r, ok := recover().(refused); ok {
				code = r.code
			}
		}()
		m.offerPack(&o, &wallet.PlaceOrder{Kind: wallet.TopUpOrder, Pack: t.pack, Quantity: t.quantity})
	}()
	if code != "" {
		m.happened("a pack cannot be bought any more")
		t.on, t.reason = false, string(code)
		return
	}
	if !t.affords(m.now, o.minor) {
		m.happened("a cap bounds what is bought")
		return
	}
	m.happened("topped up automatically")
	t.running = m.add(o)
	t.charges = append(t.charges, spent{t.running, m.now, o.minor})
}

func sameDay(a, b clock.Instant) bool   { return date(a) == date(b) }
func sameMonth(a, b clock.Instant) bool { return date(a)[:7] == date(b)[:7] }
func date(at clock.Instant) string      { return at.Time().UTC().Format(time.DateOnly) }

// in counts what was charged in a stretch of the calendar.
func (t *topUp) in(now clock.Instant, same func(a, b clock.Instant) bool) (count, minor int64) {
	for _, s := range t.charges {
		if same(s.at, now) {
			count++
			minor += s.minor
		}
	}
	return count, minor
}

func (t *topUp) affords(now clock.Instant, minor int64) bool {
	dayCount, dayMinor := t.in(now, sameDay)
	monthCount, monthMinor := t.in(now, sameMonth)
	within := func(most, is int64) bool { return most == 0 || is <= most }
	return within(t.caps.DayCount, dayCount+1) && within(t.caps.DayMinor, dayMinor+minor) &&
		within(t.caps.MonthCount, monthCount+1) && within(t.caps.MonthMinor, monthMinor+minor)
}

// ran takes what became of an automatic top-up into its agreement.
func (m *Model) ran(n int64) {
	o := m.orderOf(n)
	for i := range m.topUps {
		t := &m.topUps[i]
		if t.running != n {
			continue
		}
		t.running = 0
		if o.status == wallet.OrderPaid {
			return
		}
		if o.status != wallet.OrderMismatched { // else money was taken
			t.charges = slices.DeleteFunc(slices.Clone(t.charges), func(s spent) bool { return s.order == n })
		}
		if o.declined != "" && o.declined != wallet.DeclineSoft {
			m.happened("automatic top-ups are switched off")
			t.on, t.reason = false, o.code
			return
		}
		t.notBefore = m.now + day
	}
}

// comes reports whether what a denied charge is short of comes with the charges that are being made.
func (m *Model) comes(c *wallet.Charge, short int64) bool {
	for i := range m.topUps {
		if m.topUps[i].running == 0 || m.orderOf(m.topUps[i].running).status != wallet.OrderDue {
			continue
		}
		for _, it := range m.orderOf(m.topUps[i].running).items {
			g := grant{credit: it.Credit, scope: it.Scope}
			if def := m.Defs.Credits[it.Credit]; len(g.scope) == 0 && len(def.Scope) > 0 {
				g.scope, g.inherited = def.Scope, true
			}
			r, ok := m.rateOf(&g, c)
			if !ok {
				continue
			}
			if short -= r.measure(it.Amount); short <= 0 {
				return true
			}
		}
	}
	return false
}

// notice is how long before something ends it is announced.
const (
	expiryNotice = 7 * day
	trialNotice  = 3 * day
)

// announced reports whether the end of a grant is announced: not what a plan gives again with its next
// cycle, nor what lives no longer than the notice.
func (g *grant) announced() bool {
	return !g.included && g.parent == 0 && g.status == wallet.GrantActive && g.available > 0 && g.expires != 0 &&
		g.expires-g.effective > expiryNotice
}

// trialEnding is when it is said that the trial ends; zero: never.
func (p *plan) trialEnding() clock.Instant {
	if p == nil || p.ended || p.paused != 0 || p.trial == 0 || p.trial-p.starts <= trialNotice || p.ends != 0 && p.ends <= p.trial {
		return 0
	}
	return p.trial - trialNotice
}

// notices are the instants at which something is announced.
func (m *Model) notices() []clock.Instant {
	var all []clock.Instant
	for i := range m.grants {
		if g := &m.grants[i]; g.announced() && g.expires-expiryNotice > m.now {
			all = append(all, g.expires-expiryNotice)
		}
	}
	if at := m.plan.trialEnding(); at > m.now {
		all = append(all, at)
	}
	return all
}

// announce says what ends in so long, in the order in which it ends and was given.
func (m *Model) announce() {
	for i := range m.grants {
		g := &m.grants[i]
		if !g.announced() || g.expires != m.now+expiryNotice {
			continue
		}
		m.happened("an expiry is announced")
		at := slices.IndexFunc(m.said, func(n NoticeView) bool { return n.At == m.now && n.Credit == g.credit })
		if at < 0 {
			m.said = append(m.said, NoticeView{Type: catalog.EventCreditExpiring, Credit: g.credit, Ends: g.expires, At: m.now})
			at = len(m.said) - 1
		}
		m.said[at].Units += g.available
		m.said[at].Grants += tellNumber(g.n)
	}
	if at := m.plan.trialEnding(); at == m.now && at != 0 {
		m.happened("a trial's end is announced")
		m.said = append(m.said, NoticeView{Type: catalog.EventTrialEnding, Ends: m.plan.trial, At: m.now})
	}
}
