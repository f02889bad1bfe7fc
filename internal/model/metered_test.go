package model_test

import (
	"fmt"
	"maps"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/internal/model"
	"github.com/seed42445051/scrip/internal/testenv"
	"github.com/seed42445051/scrip/money"
	"github.com/seed42445051/scrip/wallet"
)

// meteredNow is when everything in these histories is decided: events differ in when they took
// place, and grants do not change by time.
const meteredNow clock.Instant = 1_767_261_600_000_000 // 2026-01-01T10:00:00Z

// metered is a random world: what is defined, what the customer was granted, and what happened.
// A part of what happened is voided or corrected afterwards.
type metered struct {
	defs   *catalog.Definitions
	grants []*wallet.GiveCredits
	events []wallet.UsageEvent
	fate   map[string]wallet.Command // of some events, by id
}

func newMetered(r *rand.Rand) *metered {
	m := &metered{defs: catalog.NewDefinitions("app", "app", 1), fate: map[string]wallet.Command{}}
	orders := [][]catalog.DrawKey{catalog.DefaultDrawOrder(), {catalog.ByCreatedAt}, {catalog.ByCategory, catalog.ByPriority}}
	for _, id := range []string{"a", "b"} {
		c := &catalog.Credit{ID: id, App: "app", Name: id, Unit: "u", Precision: r.IntN(3), DrawOrder: orders[r.IntN(3)]}
		switch r.IntN(3) {
		case 0:
			c.Overage = catalog.Overage{Enabled: true}
		case 1:
			c.Overage = catalog.Overage{Enabled: true, Limited: true, Limit: r.Int64N(20)}
		}
		m.defs.Credits[id] = c
	}
	kinds := []catalog.AggregationKind{catalog.Count, catalog.Sum, catalog.Max, catalog.Last, catalog.UniqueCount}
	for i := range 1 + r.IntN(3) {
		mt := &catalog.Meter{
			ID: fmt.Sprint("m", i), Event: "e", Aggregation: catalog.Aggregation{Kind: kinds[r.IntN(5)], Key: "n"},
		}
		for _, id := range []string{"a", "b"}[:1+r.IntN(2)] {
			ratio, _ := money.NewRatio(1+r.Int64N(9), []int64{1, 1, 2, 5, 10}[r.IntN(5)])
			mt.Links = append(mt.Links, catalog.MeterLink{Credit: id, UnitsPerCredit: ratio, FreeThreshold: r.Int64N(4) * 1_000_000})
		}
		m.defs.AddMeter(mt)
	}
	for range r.IntN(5) {
		g := &wallet.GiveCredits{Credit: []string{"a", "b"}[r.IntN(2)], Amount: 1 + r.Int64N(30)}
		if r.IntN(2) == 0 {
			g.Category, g.ExpiresAt = catalog.Promotional, meteredNow+1+clock.Instant(r.IntN(3))
		}
		m.grants = append(m.grants, g)
	}
	for i := range 1 + r.IntN(8) {
		e := m.event(r, fmt.Sprint("e", i))
		m.events = append(m.events, e)
		switch r.IntN(5) {
		case 0:
			m.fate[e.ID] = &wallet.VoidUsage{ID: e.ID}
		case 1:
			m.fate[e.ID] = &wallet.CorrectUsage{ID: e.ID, Event: m.event(r, "c"+e.ID)}
		}
	}
	return m
}

func (m *metered) event(r *rand.Rand, id string) wallet.UsageEvent {
	const month = 31 * 24 * 3600 * 1_000_000
	e := wallet.UsageEvent{ID: id, Event: "e", At: meteredNow - clock.Instant(r.IntN(4))*(month/3), Metadata: catalog.Values{}}
	switch r.IntN(8) {
	case 0:
	case 1:
		e.Metadata["n"] = catalog.Text("no number")
	case 2:
		e.Metadata["n"] = catalog.Number(fmt.Sprintf("%d.%d", r.IntN(9)-4, r.IntN(10)))
	default:
		e.Metadata["n"] = catalog.Text(fmt.Sprint(r.IntN(20)))
	}
	return e
}

// run carries everything out in a random order, several events a call and some of them twice,
// and tells how the wallet ends.
func (m *metered) run(r *rand.Rand, key wallet.Key) (string, error) {
	b := model.NewBare(key, m.defs)
	for _, g := range m.grants {
		if _, err := b.Do(meteredNow, g); err != nil {
			return "", err
		}
	}
	order := r.Perm(len(m.events))
	var due []wallet.Command
	for len(order) > 0 {
		n := 1 + r.IntN(len(order))
		call := &wallet.Ingest{}
		for _, i := range order[:n] {
			call.Events = append(call.Events, m.events[i])
			if fate, ok := m.fate[m.events[i].ID]; ok {
				due = append(due, fate)
			}
		}
		order = order[n:]
		for range 1 + r.IntN(2) {
			if _, err := b.Do(meteredNow, call); err != nil {
				return "", err
			}
		}
		for len(due) > 0 && (len(order) == 0 || r.IntN(2) == 0) {
			i := r.IntN(len(due))
			for range 1 + r.IntN(2) {
				if _, err := b.Do(meteredNow, due[i]); err != nil {
					return "", err
				}
			}
			due = slices.Delete(due, i, i+1)
		}
		if r.IntN(4) == 0 {
			b.Restart()
		}
	}
	if err := b.Check(); err != nil {
		return "", err
	}
	return m.ending(b), nil
}

// ending is how the wallet stands: every grant, and what the credits say.
func (m *metered) ending(b *model.Bare) string {
	var out strings.Builder
	for i := range m.grants {
		g := b.Stored(int64(i) + 1)
		fmt.Fprintf(&out, "grant %d of %s has %d, metered %d\n", g.N, g.Credit, g.Available, g.Metered)
	}
	for _, id := range slices.Sorted(maps.Keys(m.defs.Credits)) {
		c, ok := b.State().Credits[id]
		if !ok {
			c = &wallet.CreditState{}
		}
		fmt.Fprintf(&out, "%s: overage %d of it %d, uncovered %d, used %d\n", id, c.Overage, c.MeteredOverage, c.Uncovered, c.Used)
	}
	return out.String()
}

// expected works the ending out from what counts in the end, with big rationals and without any
// notion of order.
func (m *metered) expected() string {
	var counted []wallet.UsageEvent
	for _, e := range m.events {
		switch fate := m.fate[e.ID].(type) {
		case nil:
			counted = append(counted, e)
		case *wallet.CorrectUsage:
			counted = append(counted, fate.Event)
		}
	}
	due := map[string]int64{}
	for _, mt := range m.defs.Meters {
		for _, events := range byMonth(counted) {
			for _, l := range mt.Links {
				due[l.Credit] += m.due(mt, &l, events)
			}
		}
	}
	var out strings.Builder
	left := maps.Clone(due)
	available, spent := m.draw(left)
	for i, g := range m.grants {
		fmt.Fprintf(&out, "grant %d of %s has %d, metered %d\n", i+1, g.Credit, available[i], spent[i])
	}
	for _, id := range slices.Sorted(maps.Keys(m.defs.Credits)) {
		policy, room := m.defs.Credits[id].Overage, int64(0)
		if policy.Enabled {
			room = 1 << 40
			if policy.Limited {
				room = policy.Limit
			}
		}
		over := min(left[id], room)
		fmt.Fprintf(&out, "%s: overage %d of it %d, uncovered %d, used %d\n", id, over, over, left[id]-over, due[id]-left[id]+over)
	}
	return out.String()
}

func byMonth(events []wallet.UsageEvent) map[string][]wallet.UsageEvent {
	months := map[string][]wallet.UsageEvent{}
	for _, e := range events {
		month := e.At.Time().Format("2006-01")
		months[month] = append(months[month], e)
	}
	return months
}

// due is floor(max(0, aggregate - threshold) / units per credit) at the credit's precision.
func (m *metered) due(mt *catalog.Meter, l *catalog.MeterLink, events []wallet.UsageEvent) int64 {
	aggregate, last, any := new(big.Rat), wallet.UsageEvent{}, false
	seen := map[string]bool{}
	for _, e := range events {
		text, value := e.Metadata["n"].Text, new(big.Rat)
		_, has := e.Metadata["n"]
		_, number := value.SetString(text)
		switch kind := mt.Aggregation.Kind; {
		case kind == catalog.Count:
			aggregate.Add(aggregate, big.NewRat(1, 1))
		case !has:
		case kind == catalog.UniqueCount:
			seen[text] = true
			aggregate = big.NewRat(int64(len(seen)), 1)
		case !number:
		case kind == catalog.Sum:
			aggregate.Add(aggregate, value)
		case kind == catalog.Max:
			if !any || value.Cmp(aggregate) > 0 {
				aggregate.Set(value)
			}
			any = true
		case kind == catalog.Last:
			if !any || e.At > last.At || e.At == last.At && e.ID > last.ID {
				aggregate.Set(value)
				last = e
			}
			any = true
		}
	}
	aggregate.Sub(aggregate, big.NewRat(l.FreeThreshold, 1_000_000))
	if aggregate.Sign() <= 0 {
		return 0
	}
	aggregate.Mul(aggregate, big.NewRat(l.UnitsPerCredit.Den, l.UnitsPerCredit.Num))
	for range m.defs.Credits[l.Credit].Precision {
		aggregate.Mul(aggregate, big.NewRat(10, 1))
	}
	return new(big.Int).Quo(aggregate.Num(), aggregate.Denom()).Int64()
}

// draw takes what is due from the grants in their order, and leaves what they lack.
func (m *metered) draw(due map[string]int64) (available, spent []int64) {
	available, spent = make([]int64, len(m.grants)), make([]int64, len(m.grants))
	order := make([]int, len(m.grants))
	for i, g := range m.grants {
		order[i], available[i] = i, g.Amount
	}
	slices.SortStableFunc(order, func(x, y int) int {
		a, b := m.grants[x], m.grants[y]
		if a.Credit != b.Credit {
			return strings.Compare(a.Credit, b.Credit)
		}
		for _, key := range m.defs.Credits[a.Credit].DrawOrder {
			c := 0
			switch key {
			case catalog.ByCategory:
				c = rankOf(a) - rankOf(b)
			case catalog.ByExpiry:
				c = int(endOf(a) - endOf(b))
			}
			if c != 0 {
				return c
			}
		}
		return x - y
	})
	for _, id := range []string{"a", "b"} {
		for _, i := range order {
			if m.grants[i].Credit == id {
				take := min(available[i], due[id])
				available[i], spent[i] = available[i]-take, take
				due[id] -= take
			}
		}
	}
	return available, spent
}

func rankOf(g *wallet.GiveCredits) int {
	if g.Category == catalog.Promotional {
		return 0
	}
	return 1
}

func endOf(g *wallet.GiveCredits) clock.Instant {
	if g.ExpiresAt.IsZero() {
		return 1 << 60
	}
	return g.ExpiresAt - meteredNow
}

// TestOrderOfEvents: whatever order events come in, late, in other calls, twice, voided and
// corrected in between, the books end the same, to the remainder of every grant; and as a second
// reckoning says.
func TestOrderOfEvents(t *testing.T) {
	seed := testenv.Seed(t)
	t.Logf("SCRIP_TEST_SEED=%d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	key := wallet.Key{App: "app", Mode: catalog.Live, Customer: "c"}
	for i := range usualHistories {
		m := newMetered(r)
		want := m.expected()
		for range 10 {
			got, err := m.run(r, key)
			if err != nil {
				t.Fatalf("history %d: %v", i, err)
			}
			if got != want {
				t.Fatalf("history %d ends as\n%snot as\n%s%s", i, got, want, m)
			}
		}
	}
}

// String shows a world in which something went wrong.
func (m *metered) String() string {
	var out strings.Builder
	for _, c := range m.defs.Credits {
		fmt.Fprintf(&out, "credit %+v\n", *c)
	}
	for _, mt := range m.defs.Meters {
		fmt.Fprintf(&out, "meter %+v\n", *mt)
	}
	for _, g := range m.grants {
		fmt.Fprintf(&out, "grant %+v\n", *g)
	}
	for _, e := range m.events {
		fmt.Fprintf(&out, "event %+v, then %T %+v\n", e, m.fate[e.ID], m.fate[e.ID])
	}
	return out.String()
}
