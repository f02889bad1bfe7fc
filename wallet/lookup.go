package wallet

import (
	"cmp"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
)

// needUniques asks for what unique_count meters have seen, as far as the definitions tell which.
func (e *UsageEvent) needUniques(needs *Needs, defs *catalog.Definitions) {
	e.uniques(defs, func(m *catalog.Meter, value [16]byte) {
		for i := range m.Links {
			needs.Uniques = append(needs.Uniques, UniqueRef{m.ID, m.Links[i].Credit, value})
		}
	})
}

// uniques hands over the unique_count meters that count an event, with the value that they look for.
func (e *UsageEvent) uniques(defs *catalog.Definitions, each func(m *catalog.Meter, value [16]byte)) {
	for _, m := range defs.MetersOf(e.Event) {
		if m.Aggregation.Kind != catalog.UniqueCount {
			continue
		}
		if _, value, ok := m.Counts(e.Event, e.Metadata); ok {
			each(m, valueHash(value))
		}
	}
}

// Foresee adds to a command's needs what only the wallet can tell: what the unique_count meters of
// its plan have seen.
func (s *State) Foresee(c Command, defs *catalog.Definitions, needs *Needs) {
	ingest, ok := c.(*Ingest)
	if !ok || s.Subscription == nil || len(s.Subscription.Terms.Meters) == 0 {
		return
	}
	for i := range ingest.Events {
		ingest.Events[i].uniques(defs, func(m *catalog.Meter, value [16]byte) {
			for _, t := range s.Subscription.Terms.Meters {
				if t.Meter == m.ID {
					needs.Uniques = append(needs.Uniques, UniqueRef{m.ID, t.Credit, value})
				}
			}
		})
	}
}

// lookup gathers what a command has to know of the past before it counts usage, so that it is
// fetched at one time: a back-fill of years concerns many periods, and a call many values.
type lookup struct {
	w     *work
	needs Needs
	seen  map[any]bool
}

func (l *lookup) once(key any) bool {
	if l.seen[key] {
		return false
	}
	if l.seen == nil {
		l.seen = map[any]bool{}
	}
	l.seen[key] = true
	return true
}

// tally asks for a tally that is not in memory and may exist.
func (l *lookup) tally(key TallyKey, to clock.Instant) {
	if _, ok := l.w.tallies[key]; ok {
		return
	}
	if _, ok := l.w.s.tallies[key]; !ok && !l.w.s.knowsTally(key, to) && l.once(key) {
		l.needs.Tallies = append(l.needs.Tallies, key)
	}
}

// unique asks whether a value was seen before.
func (l *lookup) unique(ref UniqueRef) {
	if !l.w.s.askedUnique[ref] && l.once(ref) {
		l.needs.Uniques = append(l.needs.Uniques, ref)
	}
}

// err is what fetches it; nil when all is known.
func (l *lookup) err() error {
	if len(l.needs.Tallies)+len(l.needs.Uniques) == 0 {
		return nil
	}
	return &Missing{l.needs}
}

// askFor asks for what it takes to count events.
func (w *work) askFor(events []UsageEvent) error {
	l := lookup{w: w}
	for i := range events {
		e := &events[i]
		at := cmp.Or(e.At, w.at)
		from, to := w.billingPeriod(at)
		recent := to > w.s.talliesFrom // its tallies are in memory
		for _, m := range w.cx.Defs.MetersOf(e.Event) {
			if recent && m.Aggregation.Kind != catalog.UniqueCount {
				continue
			}
			_, value, ok := m.Counts(e.Event, e.Metadata)
			if !ok {
				continue
			}
			for _, link := range w.links(m, at) {
				l.tally(TallyKey{Meter: m.ID, Credit: link.Credit, From: from}, to)
				if m.Aggregation.Kind == catalog.UniqueCount {
					l.unique(UniqueRef{m.ID, link.Credit, valueHash(value)})
				}
			}
		}
	}
	return l.err()
}

// askCounted asks for what it takes to count an event no more.
func (w *work) askCounted(u *Usage) error {
	l := lookup{w: w}
	for _, key := range u.Counted {
		l.tally(key, 0)
		m := w.cx.Defs.Meters[key.Meter]
		if m.Aggregation.Kind != catalog.UniqueCount {
			continue
		}
		_, value := reads(m, u)
		l.unique(UniqueRef{m.ID, key.Credit, valueHash(value)})
	}
	return l.err()
}
