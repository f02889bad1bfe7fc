package wallet

import (
	"slices"

	"github.com/seed42445051/scrip/clock"
)

// Settle is the decision that time alone brings about: what happened at the next instant that
// is due, up to now. It returns nil when nothing is. The caller applies it and asks again, so
// that a wallet idle for a year goes through its instants in order. At one instant holds lapse
// first, so that what they give back expires with its grant; then grants end; then the plan's
// cycle turns; then new grants begin (design section 5.5).
//
// Nothing depends on when Settle runs (law 4): every command runs it first, readers run it on
// their own copy, and a background sweep only writes down what is already true.
func Settle(s *State, cx Context) (*Decision, error) {
	due := s.NextDue()
	if due.IsZero() || due > cx.Now {
		return nil, nil
	}
	w := newWork(s, cx, due)
	for _, h := range s.lapsing {
		if h.ExpiresAt > due {
			break
		}
		w.note = Note{Reason: "reservation expired"}
		w.refer(h)
		w.closeHold(w.hold(h.N), ReservationExpired)
	}
	w.endDue()
	w.turn()
	for _, g := range s.starting {
		if g.EffectiveAt > due {
			break
		}
		w.note = Note{Reason: g.Reason, Metadata: g.Metadata}.noteOf(g.Source, g.ExternalRef)
		w.activate(w.grant(g.N), "")
	}
	w.tryAgain()
	w.topUps()
	w.remind()
	return w.finish()
}

// NextDue is the next instant at which time changes the wallet; zero when none is known.
func (s *State) NextDue() clock.Instant {
	var due clock.Instant
	sooner := func(at clock.Instant) {
		if due.IsZero() || at < due {
			due = at
		}
	}
	if len(s.lapsing) > 0 {
		sooner(s.lapsing[0].ExpiresAt)
	}
	if len(s.ending) > 0 {
		sooner(s.ending[0].ExpiresAt)
	}
	if len(s.starting) > 0 {
		sooner(s.starting[0].EffectiveAt)
	}
	for _, at := range []clock.Instant{s.Subscription.boundary(), s.nextTry(), s.nextNotice()} {
		if !at.IsZero() {
			sooner(at)
		}
	}
	return due
}

// endDue ends the grants whose time is over and in which something is left, in the order of
// their expiry. That can be a grant that was used up when it expired, and to which something
// came back since; and what it rolls into can be over as well.
func (w *work) endDue() {
	var due []*Grant
	for _, g := range w.s.ending {
		if g.ExpiresAt > w.at {
			break
		}
		due = append(due, g)
	}
	for {
		for _, g := range w.d.Grants {
			if g.over(w.at) {
				due = append(due, g)
			}
		}
		if len(due) == 0 {
			return
		}
		slices.SortFunc(due, byEnd)
		for _, g := range due {
			if w.see(g).over(w.at) {
				w.note = Note{Reason: "grant ended"}
				w.end(w.grant(g.N))
			}
		}
		due = due[:0]
	}
}

// end is a grant's natural end: what is unused rolls over as its policy says, the rest
// expires. What holds have set aside stays with them; its fate is settled when it comes back.
func (w *work) end(g *Grant) {
	unused := g.Available + g.Frozen
	g.EndedAt = g.ExpiresAt
	if !g.Rollover.Enabled() {
		g.Status = GrantExpired
		w.expire(g, CreditExpired)
		return
	}
	if g.forfeits() {
		g.Status = GrantExpired
		w.expire(g, RolloverForfeited)
		return
	}
	if unused == 0 && g.Held == 0 {
		g.Status = GrantExpired
		return
	}
	g.Status = GrantRolledOver
	w.rollOver(g)
}

// forfeits reports whether what is left at the end has rolled over as often as it may.
func (g *Grant) forfeits() bool {
	r := g.Rollover
	return r.Enabled() && r.MaxCount > 0 && g.RolloverCount >= r.MaxCount
}

// rolled is the part of unused units that rolls over, rounded down (design section 5.5). The
// product of the percentage is formed in two parts so that it cannot overflow.
func rolled(units int64, percent int) int64 {
	p := int64(percent)
	return units/100*p + units%100*p/100
}

// rollOver moves the grant's share into the grant it rolls into, which is made on the first
// call, and expires the rest.
func (w *work) rollOver(g *Grant) {
	part := Slice{Available: rolled(g.Available, g.Rollover.Percent), Frozen: rolled(g.Frozen, g.Rollover.Percent)}
	if part.Sum() > 0 {
		next := w.successor(g)
		if next == nil {
			return
		}
		w.book(line{
			kind: CreditRolledOver, credit: g.Credit, amount: -part.Sum(),
			slices: []Slice{{Grant: g.N, Available: -part.Available, Frozen: -part.Frozen}},
		})
		next.Amount += part.Sum()
		w.book(line{
			kind: CreditRolledOver, credit: g.Credit, amount: part.Sum(),
			slices: []Slice{{Grant: next.N, Available: part.Available, Frozen: part.Frozen}},
		})
		w.returned(next)
	}
	w.expire(g, CreditExpired)
}

// successor is the grant that g rolls into.
func (w *work) successor(g *Grant) *Grant {
	if g.RolledInto != 0 {
		if _, ok := w.s.grants[g.RolledInto]; !ok && w.grants[g.RolledInto] == nil {
			w.fail(&Missing{Needs{Grants: []int64{g.RolledInto}}})
			return nil
		}
		return w.grant(g.RolledInto)
	}
	next := &Grant{
		Credit: g.Credit, Status: GrantActive, Category: g.Category, Priority: g.Priority,
		EffectiveAt: w.at, CreatedAt: w.at, ExpiresAt: g.Rollover.Validity.After(g.EndedAt),
		Scope: g.Scope, Inherited: g.Inherited, Source: SourceRollover, SourceID: g.SourceID, Pack: g.Pack,
		PackItem: g.PackItem, CostBasis: g.CostBasis, CostCurr: g.CostCurr, Rollover: g.Rollover,
		RolloverCount: g.RolloverCount + 1, Parent: g.N, Disputed: g.Disputed, Metadata: g.Metadata,
	}
	made, err := w.addGrant(next)
	w.fail(err)
	if err != nil {
		return nil
	}
	g.RolledInto = made.N
	return made
}

// expire takes what is left of a grant, frozen or not, off the balance.
func (w *work) expire(g *Grant, kind EntryType) {
	if g.Available+g.Frozen == 0 {
		return
	}
	s := Slice{Grant: g.N, Available: -g.Available, Frozen: -g.Frozen}
	w.book(line{kind: kind, credit: g.Credit, amount: s.Sum(), slices: []Slice{s}})
}

// returned lets the fate of a grant take what just came to it: the table of design section
// 5.3.
func (w *work) returned(g *Grant) {
	w.freezeDisputed(g)
	w.settleFate(g)
}

// freezeDisputed keeps what came to a grant from being spent while a dispute is open.
func (w *work) freezeDisputed(g *Grant) {
	if g.Disputed && g.Status == GrantActive && g.Available > 0 {
		w.freeze(g)
	}
}

// settleFate brings what is available in a grant that has ended to where it belongs: expired
// at once, revoked at once, or on to the grant it rolled into.
func (w *work) settleFate(g *Grant) {
	if g.Available == 0 {
		return
	}
	switch g.Status {
	case GrantExpired:
		kind := CreditExpired
		if g.forfeits() {
			kind = RolloverForfeited // as what was there when it ended
		}
		w.expire(g, kind)
	case GrantRevoked:
		w.book(line{
			kind: Revoked, credit: g.Credit, amount: -g.Available,
			slices: []Slice{{Grant: g.N, Available: -g.Available}},
		})
	case GrantRolledOver:
		w.rollOver(g)
	}
}
