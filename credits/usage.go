package credits

import (
	"context"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	v1 "github.com/seed42445051/scrip/v1"
	"github.com/seed42445051/scrip/wallet"
	"github.com/seed42445051/scrip/wording"
)

// Usage reads what a customer may still use: the allowances of their plan and the grants that
// can be drawn, filtered by a concrete event or a glob (vevee-golivekit-stripe.md section 1.4).
// A customer nobody has seen has nothing, which is not an error.
func (s *Session) Usage(ctx context.Context, customerID, event string) (v1.Usage, error) {
	out := v1.Usage{CustomerID: customerID, Counters: []v1.Counter{}, Credits: []v1.UsableCredit{}}
	if event != "" {
		if err := catalog.ValidateEventPattern(event); err != nil {
			return out, fault.As(err).In("event")
		}
	}
	r, err := s.read(ctx, customerID)
	if err != nil || r.Reading == nil {
		return out, err
	}
	now, err := s.Now(ctx)
	if err != nil {
		return out, err
	}
	out.Counters = append(out.Counters, wording.Counters(r.State.CountersAt(now, event))...)
	out.Period = period(out.Counters, r.State, now)
	for _, g := range r.State.Usable(r.defs) {
		if covers(g.Scope, event) {
			out.Credits = append(out.Credits, r.usable(g))
		}
	}
	return out, nil
}

// period is that of the first counter that is shown, else of the plan's first, else the
// subscription's own: a subscriber has one whatever the filter leaves. Without a subscription it
// is null.
func period(shown []v1.Counter, state *wallet.State, now clock.Instant) *v1.Period {
	if len(shown) > 0 {
		return &v1.Period{Start: shown[0].PeriodStart, End: shown[0].ResetsAt}
	}
	if all := state.CountersAt(now, ""); len(all) > 0 {
		return &v1.Period{Start: all[0].WindowStart, End: all[0].WindowEnd}
	}
	if sub := state.Subscription; sub.ActiveAt(max(now, state.LastAt)) {
		return &v1.Period{Start: sub.CycleStart, End: sub.CycleEnd}
	}
	return nil
}

// covers reports whether a grant concerns a filter. A grant without a scope pays for what names
// its credit, so it concerns no event in particular: it shows only without a filter.
func covers(scope catalog.Scope, event string) bool {
	if event == "" {
		return true
	}
	for _, rule := range scope {
		if rule.Covers(event) {
			return true
		}
	}
	return false
}

func (r *reading) usable(g *wallet.Grant) v1.UsableCredit {
	p := r.precision(g.Credit)
	out := v1.UsableCredit{
		GrantID: r.grantID(g.N), CreditID: g.Credit, PackID: g.Pack, PackItemID: g.PackItem, Events: wording.Events(g.Scope),
		Granted: decimal(g.Amount, p), Remaining: decimal(g.Available, p), Held: decimal(g.Held, p),
		ExpiresAt: g.ExpiresAt, Source: string(g.Source), Priority: g.Priority, GrantedAt: g.CreatedAt,
	}
	if def, ok := r.defs.Credits[g.Credit]; ok {
		out.CreditName, out.Unit = def.Name, def.Unit
	}
	if pack, ok := r.defs.Packs[g.Pack]; ok {
		out.PackName = pack.Name
	}
	return out
}
