package model

import (
	"slices"
	"unicode/utf8"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/wallet"
)

func (m *Model) give(c *wallet.GiveCredits) Outcome {
	refuse(utf8.RuneCountInString(c.ExternalRef) > wallet.MaxExternalRefLength, fault.CodeInvalidRequest)
	o := Outcome{Allowed: true}
	what := c.Pack
	if what == "" {
		what = c.Credit
	}
	for i := range m.grants {
		g := &m.grants[i]
		if c.ExternalRef != "" && g.ref == c.ExternalRef && g.what == what && g.parent == 0 {
			o.Existing = true
			o.Grants = append(o.Grants, g.n)
		}
	}
	if o.Existing {
		m.happened("external_ref replayed")
		return o
	}
	refuse(!slices.Contains([]wallet.EntryType{"", wallet.CreditAdded, wallet.AutoTopUp, wallet.ManualAdjustment}, c.Entry), fault.CodeInvalidRequest)
	for _, item := range m.items(c) {
		o.Grants = append(o.Grants, m.newGrant(c, item, what))
	}
	for _, n := range o.Grants {
		if m.grant(n).effective <= m.now {
			kind := c.Entry
			if kind == "" {
				kind = wallet.CreditAdded
			}
			m.begin(m.grant(n), kind)
		}
	}
	return o
}

// items is what is granted: the pack's items, or the one credit.
func (m *Model) items(c *wallet.GiveCredits) []catalog.PackItem {
	items := []catalog.PackItem{{Credit: c.Credit, Amount: c.Amount, Scope: c.Scope, Category: catalog.Paid, Priority: 50}}
	if c.Pack != "" {
		refuse(c.Credit != "" || c.Amount != 0 || len(c.Scope) > 0, fault.CodeConflictingFields)
		pack := m.Defs.Packs[c.Pack]
		refuse(pack == nil, fault.CodePackNotFound)
		items = slices.Clone(pack.Items)
	}
	for i := range items {
		if c.Priority != nil {
			items[i].Priority = *c.Priority
		}
		if c.Category != "" {
			items[i].Category = c.Category
		}
	}
	return items
}

func (m *Model) newGrant(c *wallet.GiveCredits, item catalog.PackItem, what string) int64 {
	def := m.Defs.Credits[item.Credit]
	refuse(def == nil, fault.CodeCreditNotFound)
	refuse(def.ArchivedAt != 0 && !m.paidFor, fault.CodeCreditArchived)
	refuse(item.Amount <= 0 || item.Amount > wallet.MaxUnits, fault.CodeInvalidAmount)
	refuse(item.Priority < 0 || item.Priority > 100, fault.CodeInvalidPriority)
	refuse(item.Category != catalog.Paid && item.Category != catalog.Promotional, fault.CodeInvalidRequest)
	if err := item.Scope.Validate(); err != nil {
		panic(refused{fault.CodeOf(err)})
	}
	g := grant{
		n: int64(len(m.grants)) + 1, credit: item.Credit, amount: item.Amount, status: wallet.GrantPending,
		category: item.Category, priority: item.Priority, created: m.now, effective: max(c.EffectiveAt, m.now),
		scope: item.Scope, ref: c.ExternalRef, what: what, rollover: def.Rollover,
	}
	if c.Rollover != nil {
		r := *c.Rollover
		refuse(r.Percent < 0 || r.Percent > 100 || r.MaxCount < 0 || (r.Percent > 0 && !r.Validity.Valid()), fault.CodeInvalidRequest)
		g.rollover = r
	}
	g.expires = m.expiry(c, def, g.effective)
	if len(g.scope) == 0 && len(def.Scope) > 0 {
		g.scope, g.inherited = def.Scope, true
	}
	// What is there and what is yet to come must fit together, or its time could not come.
	refuse(m.balance(g.credit)+m.coming(g.credit)+g.amount > wallet.MaxUnits, fault.CodeAmountOutOfRange)
	m.grants = append(m.grants, g)
	return g.n
}

func (m *Model) expiry(c *wallet.GiveCredits, def *catalog.Credit, effective clock.Instant) clock.Instant {
	if c.Never {
		return 0
	}
	if c.ExpiresAt != 0 {
		refuse(c.ExpiresAt <= effective, fault.CodeInvalidTime)
		return c.ExpiresAt
	}
	days := def.ExpiresAfterDays
	if c.Pack != "" && m.Defs.Packs[c.Pack].ExpiresAfterDays != 0 { // 0: as the credit says
		days = m.Defs.Packs[c.Pack].ExpiresAfterDays
	}
	if days == 0 {
		return 0
	}
	return effective + clock.Instant(days)*24*60*60*1_000_000
}

func (m *Model) revoke(c *wallet.RevokeGrant) Outcome {
	g := m.grant(c.Grant)
	refuse(g == nil, fault.CodeGrantNotFound)
	refuse(c.Amount != nil && *c.Amount <= 0, fault.CodeInvalidAmount)
	refuse(!slices.Contains([]wallet.EntryType{"", wallet.Revoked, wallet.Refund}, c.Entry), fault.CodeInvalidRequest)
	kind := c.Entry
	if kind == "" {
		kind = wallet.Revoked
	}
	o := Outcome{Allowed: true, Grants: []int64{g.n}}
	if g.status == wallet.GrantPending {
		m.revokePending(g, kind, c.Amount)
		return o
	}
	available, frozen := g.available, g.frozen
	whole := c.Amount == nil
	if live := available + frozen + g.held; !whole && live > 0 && *c.Amount >= live && (g.held > 0 || g.spent == 0) {
		m.happened("all of a grant revoked by amount")
		whole = true
	}
	if c.Amount != nil {
		available = min(available, *c.Amount)
		frozen = min(frozen, *c.Amount-available)
	}
	if available+frozen > 0 {
		m.move(kind, g.credit, part{n: g.n, available: -available, frozen: -frozen, revoked: available + frozen})
	}
	if whole && (g.status == wallet.GrantActive || g.held > 0) {
		g.status = wallet.GrantRevoked
	}
	return o
}

// revokePending takes from a grant that has not begun: what is taken begins and goes at once,
// the rest begins when it should.
func (m *Model) revokePending(g *grant, kind wallet.EntryType, most *int64) {
	take := g.amount - g.revoked
	all := most == nil || *most >= take
	if !all {
		m.happened("part of a pending grant revoked")
		take = *most
	}
	m.move(wallet.CreditAdded, g.credit, part{n: g.n, available: take, enters: take})
	m.move(kind, g.credit, part{n: g.n, available: -take, revoked: take})
	if all {
		g.status = wallet.GrantRevoked
	}
}

func (m *Model) dispute(c *wallet.Freeze) Outcome {
	g := m.grant(c.Grant)
	refuse(g == nil, fault.CodeGrantNotFound)
	g.disputed = c.Frozen
	if c.Frozen {
		m.freeze(g.n)
	} else if g.frozen > 0 {
		m.move(wallet.HoldReleased, g.credit, part{n: g.n, available: g.frozen, frozen: -g.frozen})
	}
	return Outcome{Allowed: true, Grants: []int64{g.n}}
}

func (m *Model) adjust(c *wallet.Adjust) Outcome {
	refuse(c.Delta == 0 || c.Delta > wallet.MaxUnits || c.Delta < -wallet.MaxUnits, fault.CodeInvalidAmount)
	if c.Delta > 0 {
		return m.give(&wallet.GiveCredits{
			Credit: c.Credit, Amount: c.Delta, Category: catalog.Promotional, Entry: wallet.ManualAdjustment,
		})
	}
	def := m.Defs.Credits[c.Credit]
	refuse(def == nil, fault.CodeCreditNotFound)
	var all []*grant
	for i := range m.grants {
		if g := &m.grants[i]; g.credit == c.Credit && g.status == wallet.GrantActive {
			all = append(all, g)
		}
	}
	var parts []part
	rest := -c.Delta
	for _, g := range sorted(all, def.DrawOrder) {
		if take := min(rest, g.available); take > 0 {
			parts = append(parts, part{n: g.n, available: -take, spent: take})
			rest -= take
		}
	}
	if rest > 0 {
		return Outcome{Matched: true, Reasons: []wallet.Reason{wallet.CreditsExhausted}, Required: -c.Delta, There: -c.Delta - rest}
	}
	m.move(wallet.ManualAdjustment, c.Credit, parts...)
	return Outcome{Allowed: true}
}

func (m *Model) reverse(c *wallet.Reverse) Outcome {
	refuse(c.Entry < 1 || c.Entry > int64(len(m.ledger)), fault.CodeEntryNotFound)
	e := m.ledger[c.Entry-1]
	refuse(e.kind != wallet.CreditDeducted && e.kind != wallet.OverageCharged, fault.CodeEntryNotReversible)
	left := -e.amount
	given := map[int64]int64{} // by grant
	for _, r := range m.ledger {
		if r.reverses != c.Entry {
			continue
		}
		left -= r.amount
		for _, p := range r.parts {
			given[p.Grant] += p.Available
		}
	}
	refuse(left == 0, fault.CodeAlreadyReversed)
	want := left
	if c.Amount != nil {
		want = *c.Amount
	}
	refuse(want <= 0 || want > left, fault.CodeInvalidAmount)
	if e.kind == wallet.OverageCharged {
		refuse(m.overage(e.credit) < want, fault.CodeEntryNotReversible)
		back := m.owe(wallet.Refund, e.credit, -want)
		back.reverses = c.Entry
		m.uses(back, -want)
		return Outcome{Allowed: true}
	}
	refuse(m.balance(e.credit)+m.coming(e.credit)+want > wallet.MaxUnits, fault.CodeAmountOutOfRange)
	var parts []part
	for i := len(e.parts) - 1; i >= 0; i-- { // last drawn, first back
		p := e.parts[i]
		taken := -(p.Available + p.Held) - given[p.Grant]
		if units := min(want, taken); units > 0 {
			parts = append(parts, part{n: p.Grant, available: units, spent: -units})
			want -= units
		}
	}
	back := m.move(wallet.Refund, e.credit, parts...)
	back.reverses = c.Entry
	m.uses(back, -back.amount)
	for _, p := range parts {
		m.cause = "reversal"
		m.happened("reversal while " + string(m.grant(p.n).status))
		m.returned(p.n)
	}
	return Outcome{Allowed: true}
}

func (m *Model) resetOverage(c *wallet.ResetOverage) Outcome {
	m.forget(c.Credit)
	return Outcome{Allowed: true}
}
