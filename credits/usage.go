package credits

import (
	"context"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/fault"
	v1 "github.com/seed42445051/scrip/v1"
	"github.com/seed42445051/scrip/wallet"
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
	out.Counters = append(out.Counters, r.counters(r.State.CountersAt(s.core.Clock.Now(), event))...)
	if len(out.Counters) > 0 {
		first := out.Counters[0]
		out.Period = &v1.Period{Start: first.PeriodStart, End: first.ResetsAt}
	}
	for _, g := range r.State.Drawable(r.defs) {
		if covers(g.Scope, event) {
			out.Credits = append(out.Credits, r.usable(g))
		}
	}
	return out, nil
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
		GrantID: r.grantID(g.N), CreditID: g.Credit, PackID: g.Pack, PackItemID: g.PackItem, Events: eventsOf(g.Scope),
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
