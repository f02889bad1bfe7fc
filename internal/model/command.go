package model

import (
	"math/big"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/wallet"
)

// Do lets time pass up to an instant and carries a command out; nil is time alone.
func (m *Model) Do(at clock.Instant, c wallet.Command) (o Outcome) {
	m.advance(at)
	if c == nil {
		return Outcome{}
	}
	try := m.clone()
	defer func() {
		switch r := recover().(type) {
		case nil:
			*m = *try
		case refused:
			o = Outcome{Code: r.code}
		default:
			panic(r)
		}
	}()
	o = try.run(c)
	try.endOverdue()
	try.buy()
	o.CanContinue = !o.Allowed && try.denied != nil && try.comes(try.denied, o.Required-o.There)
	try.denied, try.heard = nil, try.now
	return o
}

// refuse ends a command with an error when a condition holds.
func refuse(when bool, code fault.Code) {
	if when {
		panic(refused{code})
	}
}

func (m *Model) run(c wallet.Command) Outcome {
	switch c := c.(type) {
	case *wallet.GiveCredits:
		checkNote(&c.Note)
		return m.give(c)
	case *wallet.Deduct:
		checkNote(&c.Note)
		return m.deduct(&c.Charge)
	case *wallet.Track:
		checkNote(&c.Note)
		return m.track(c)
	case *wallet.Reserve:
		checkNote(&c.Note)
		return m.reserve(c)
	case *wallet.Commit:
		checkNote(&c.Note)
		return m.commit(c)
	case *wallet.Release:
		checkNote(&c.Note)
		return m.release(c)
	case *wallet.Extend:
		return m.extend(c)
	case *wallet.RevokeGrant:
		checkNote(&c.Note)
		return m.revoke(c)
	case *wallet.Freeze:
		checkNote(&c.Note)
		return m.dispute(c)
	case *wallet.Adjust:
		checkNote(&c.Note)
		return m.adjust(c)
	case *wallet.Reverse:
		checkNote(&c.Note)
		return m.reverse(c)
	case *wallet.Subscribe:
		checkNote(&c.Note)
		return m.subscribe(c)
	case *wallet.EndSubscription:
		checkNote(&c.Note)
		return m.unsubscribe(c)
	case *wallet.PauseSubscription:
		checkNote(&c.Note)
		return m.pause(c)
	case *wallet.EditSubscription:
		checkNote(&c.Note)
		return m.editPlan(c)
	case *wallet.CloseInvoice:
		checkNote(&c.Note)
		return m.closeInvoice(c)
	case *wallet.ResetOverage:
		checkNote(&c.Note)
		return m.resetOverage(c)
	}
	return m.runOrder(c)
}

// runOrder is run for what concerns purchases.
func (m *Model) runOrder(c wallet.Command) Outcome {
	switch c := c.(type) {
	case *wallet.PlaceOrder:
		checkNote(&c.Note)
		return m.place(c)
	case *wallet.OpenOrder:
		checkNote(&c.Note)
		return m.openPage(c)
	case *wallet.CancelOrder:
		checkNote(&c.Note)
		return m.cancel(c)
	case *wallet.AskRefund:
		checkNote(&c.Note)
		return m.askBack(c)
	case *wallet.TellOrder:
		return m.hear(c)
	case *wallet.SetTopUp:
		checkNote(&c.Note)
		return m.agree(c)
	case *wallet.ForgetPayer:
		checkNote(&c.Note)
		return m.forgetCard()
	}
	broken("unknown command %T", c)
	return Outcome{}
}

func checkNote(n *wallet.Note) {
	refuse(utf8.RuneCountInString(n.Reason) > wallet.MaxReasonLength, fault.CodeInvalidRequest)
	checkMetadata(n.Metadata)
}

func checkMetadata(pairs wallet.Metadata) {
	refuse(len(pairs) > wallet.MaxMetadataPairs, fault.CodeMetadataTooLarge)
	for k, v := range pairs {
		refuse(len(k) > wallet.MaxMetadataKey || len(v) > wallet.MaxMetadataValue, fault.CodeMetadataTooLarge)
	}
}

func checkCharge(c *wallet.Charge) {
	refuse(c.Credit == "" && c.Event == "", fault.CodeMissingField)
	refuse(c.Event != "" && c.Amount != 0, fault.CodeConflictingFields)
	refuse(!slices.Contains([]wallet.Shortfall{"", wallet.Deny, wallet.Partial, wallet.Overage}, c.Shortfall), fault.CodeInvalidRequest)
	checkMetadata(c.Metadata)
	if c.Event == "" {
		refuse(c.Amount <= 0 || c.Amount > wallet.MaxUnits, fault.CodeInvalidAmount)
		return
	}
	refuse(c.Quantity <= 0 || c.Quantity > wallet.MaxQuantity, fault.CodeInvalidQuantity)
	refuse(catalog.ValidateEventName(c.Event) != nil, fault.CodeInvalidRequest)
}

// answer turns what covers a charge into the outcome.
func (m *Model) answer(d *cover) Outcome {
	o := Outcome{Allowed: len(d.denied) == 0, Matched: d.matched, Reasons: d.denied}
	for _, s := range d.slices {
		o.Draw = append(o.Draw, wallet.Drawn{Grant: s.Grant, Credit: m.grant(s.Grant).credit, Units: s.Units, Measure: s.Measure})
	}
	if o.Allowed {
		o.Taken, o.Short = d.taken, d.short
	} else {
		o.Required, o.There = d.taken+d.short, d.taken
		m.denied = d.charge
	}
	return o
}

func (m *Model) deduct(c *wallet.Charge) Outcome {
	checkCharge(c)
	d := m.cover(c, c.Measure())
	if len(d.denied) == 0 {
		m.spend(&d)
	}
	return m.answer(&d)
}

func (m *Model) track(c *wallet.Track) Outcome {
	refuse(c.Event == "", fault.CodeMissingField)
	o := m.deduct(&c.Charge)
	o.Quantity = c.Quantity
	switch {
	case o.Allowed:
		o.Match = wallet.Matched
	case o.Matched:
		o.Quantity = 0 // blocked: nothing is recorded
	case o.Reasons[0] == wallet.NoSubscription:
		o.Match = wallet.NotSubscribed
	default:
		o.Match = wallet.Unmatched
	}
	return o
}

// spend makes available credits spent, one entry a credit.
func (m *Model) spend(d *cover) {
	m.count(d.counted, +1)
	var parts []part
	for _, s := range d.slices {
		parts = append(parts, part{n: s.Grant, available: -s.Units, spent: s.Units})
	}
	m.deducted(parts)
	m.overdraw(d.overage)
}

func (m *Model) deducted(parts []part) {
	for _, same := range m.byCredit(parts) {
		e := m.move(wallet.CreditDeducted, m.grant(same[0].n).credit, same...)
		m.uses(e, -e.amount)
	}
}

func (m *Model) overdraw(o *wallet.OveragePart) {
	if o != nil && o.Units > 0 {
		m.uses(m.owe(wallet.OverageCharged, o.Credit, o.Units), o.Units)
	}
}

// byCredit splits parts by the credit of their grant, in order of first appearance.
func (m *Model) byCredit(parts []part) [][]part {
	var groups [][]part
	for _, p := range parts {
		i := slices.IndexFunc(groups, func(g []part) bool { return m.grant(g[0].n).credit == m.grant(p.n).credit })
		if i < 0 {
			groups = append(groups, nil)
			i = len(groups) - 1
		}
		groups[i] = append(groups[i], p)
	}
	return groups
}

// count adds to counters, or gives back to those that still run.
func (m *Model) count(parts []counted, sign int64) {
	if m.plan == nil {
		return
	}
	for _, p := range parts {
		for i := range m.plan.allowances {
			if a := &m.plan.allowances[i]; a.counter == p.counter {
				a.used += sign * p.micros
				if a.used < 0 {
					broken("allowance %s counted %d", a.id, a.used)
				}
			}
		}
	}
}

func checkTTL(ttl time.Duration) time.Duration {
	if ttl == 0 {
		return time.Minute
	}
	refuse(ttl < time.Second || ttl > 24*time.Hour, fault.CodeInvalidRequest)
	return ttl
}

func (m *Model) reserve(c *wallet.Reserve) Outcome {
	checkCharge(&c.Charge)
	ttl := checkTTL(c.TTL)
	d := m.cover(&c.Charge, c.Measure())
	o := m.answer(&d)
	if !o.Allowed {
		return o
	}
	o.Hold = int64(len(m.holds)) + 1
	m.holds = append(m.holds, hold{
		n: o.Hold, charge: c.Charge, counted: d.counted, slices: d.slices,
		status: wallet.ReservationPending, expires: m.now.Add(ttl),
	})
	m.count(d.counted, +1)
	var parts []part
	for _, s := range d.slices {
		parts = append(parts, part{n: s.Grant, available: -s.Units, held: s.Units})
	}
	for _, same := range m.byCredit(parts) {
		m.move(wallet.HoldPlaced, m.grant(same[0].n).credit, same...)
	}
	m.holds[o.Hold-1].overage = d.overage
	return o
}

// open returns a hold that can still be closed.
func (m *Model) open(n int64) *hold {
	h := m.hold(n)
	refuse(h == nil, fault.CodeReservationNotFound)
	refuse(h.status == wallet.ReservationExpired, fault.CodeReservationExpired)
	refuse(h.status != wallet.ReservationPending, fault.CodeReservationNotPending)
	return h
}

func (m *Model) commit(c *wallet.Commit) Outcome {
	h := m.open(c.Hold)
	held := h.measure()
	take := held
	if c.Amount != "" {
		take = m.parse(string(c.Amount), &h.charge)
	}
	refuse(take < 0 || take > wallet.MaxUnits, fault.CodeInvalidAmount)
	refuse(take > held && !c.AllowMore, fault.CodeReservationTooSmall)
	o := Outcome{Allowed: true, Matched: true}
	var more cover
	if take > held {
		more = m.cover(&h.charge, take-held)
		if len(more.denied) > 0 && h.charge.Shortfall == wallet.Partial {
			more = cover{short: take - held} // nothing more is there: that is no denial
		} else if o = m.answer(&more); !o.Allowed {
			return o
		}
	}
	m.settleHold(h, min(take, held))
	m.spend(&more)
	h.committed = min(take, held) + more.taken
	o.Taken, o.Short, o.Hold = h.committed, more.short, h.n
	if h.charge.Event != "" {
		o.Match, o.Quantity = wallet.Matched, h.committed
	}
	return o
}

// parse reads an amount in a charge's own measure: whole credits, or quantity.
func (m *Model) parse(text string, c *wallet.Charge) int64 {
	decimals := int64(6)
	if c.Event == "" {
		decimals = int64(m.Defs.Credits[c.Credit].Precision)
	}
	v, ok := new(big.Rat).SetString(text)
	refuse(!ok, fault.CodeInvalidAmount)
	v.Mul(v, new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(decimals), nil)))
	refuse(!v.IsInt(), fault.CodeAmountTooPrecise)
	refuse(!v.Num().IsInt64(), fault.CodeAmountOutOfRange)
	return v.Num().Int64()
}

// settleHold spends the first part of a hold and gives the rest back: what allowances carry
// goes first, then the grants in the order in which they were drawn, then overage.
func (m *Model) settleHold(h *hold, take int64) {
	m.cause = "commit"
	h.status = wallet.ReservationCommitted
	if len(h.counted) > 0 {
		used := min(take, h.counted[0].micros)
		take -= used
		m.count(less(h.counted, used), -1)
	}
	var spent, back []part
	for _, s := range h.slices {
		used := min(take, s.Measure)
		take -= used
		// A part of a slice costs its share, rounded up.
		units := rate{big.NewInt(s.Units), big.NewInt(s.Measure)}.units(used)
		if units > 0 {
			spent = append(spent, part{n: s.Grant, held: -units, spent: units})
			m.happened("commit while " + string(m.grant(s.Grant).status))
		}
		if rest := s.Units - units; rest > 0 {
			back = append(back, part{n: s.Grant, held: -rest, available: rest})
		}
	}
	m.deducted(spent)
	if o := h.overage; o != nil {
		units := rate{big.NewInt(o.Units), big.NewInt(o.Measure)}.units(min(take, o.Measure))
		m.overdraw(&wallet.OveragePart{Credit: o.Credit, Units: units})
	}
	m.unheld(h, back)
}

func less(parts []counted, micros int64) []counted {
	var rest []counted
	for _, p := range parts {
		rest = append(rest, counted{p.counter, p.micros - micros})
	}
	return rest
}

// unheld gives held credits back to the grants that they came from.
func (m *Model) unheld(h *hold, parts []part) {
	for _, same := range m.byCredit(parts) {
		m.move(wallet.HoldReleased, m.grant(same[0].n).credit, same...)
	}
	for _, p := range parts {
		m.takeClaimed(h, p)
		m.returned(p.n)
	}
}

// giveBack gives all of a hold back.
func (m *Model) giveBack(h *hold, status wallet.HoldStatus) {
	h.status = status
	m.count(h.counted, -1)
	var parts []part
	for _, s := range h.slices {
		parts = append(parts, part{n: s.Grant, held: -s.Units, available: s.Units})
	}
	m.unheld(h, parts)
}

func (m *Model) release(c *wallet.Release) Outcome {
	refuse(utf8.RuneCountInString(c.ErrorCode) > wallet.MaxErrorCodeLength, fault.CodeInvalidRequest)
	h := m.open(c.Hold)
	m.cause = "release"
	m.giveBack(h, wallet.ReservationReleased)
	return Outcome{Allowed: true, Hold: h.n}
}

func (m *Model) extend(c *wallet.Extend) Outcome {
	ttl := checkTTL(c.TTL)
	h := m.open(c.Hold)
	h.expires = m.now.Add(ttl)
	return Outcome{Allowed: true, Hold: h.n}
}
