package payments

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/payments/provider"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/wallet"
)

var errDown = errors.New("down")

// teller is a provider that has so many pages of the past, each with one event.
type teller struct {
	provider.Provider
	pages int
	down  bool
	asked []string // cursors
	since []clock.Instant
}

func (p *teller) Past(_ context.Context, _ catalog.Mode, since clock.Instant, cursor string) ([]provider.Event, string, error) {
	p.asked, p.since = append(p.asked, cursor), append(p.since, since)
	if p.down {
		return nil, "", errDown
	}
	n, _ := strconv.Atoi(cursor)
	next := ""
	if n+1 < p.pages {
		next = strconv.Itoa(n + 1)
	}
	return []provider.Event{{ID: "evt", News: wallet.OrderNews{Kind: wallet.NewsRefund, Payment: "pi"}}}, next, nil
}

// lost is a store that finds no order, or cannot be asked.
type lost struct {
	store.Store
	down bool
	seen int
}

func (s *lost) Orders(context.Context, store.OrderQuery) ([]store.FoundOrder, error) {
	s.seen++
	if s.down {
		return nil, errDown
	}
	return nil, nil
}

// TestPast: a pass goes on where the round before it ended, begins anew where it broke off, and moves on
// once all of it was taken.
func TestPast(t *testing.T) {
	const start = clock.Instant(1_772_366_400_000_000)
	p, st := &teller{pages: 2*ReconcilePages + 3}, &lost{}
	c, s, now := &Core{Store: st}, &past{mode: catalog.Live}, start
	round := func(calls, events int, since clock.Instant, first string, failed bool) {
		t.Helper()
		p.asked, p.since, st.seen = nil, nil, 0
		if err := s.read(t.Context(), c, p, now); (err != nil) != failed {
			t.Error(err)
		}
		if len(p.asked) != calls || st.seen != events || p.since[0] != since || p.asked[0] != first {
			t.Errorf("%d calls, %d events since %s from page %q; want %d, %d, %s, %q", len(p.asked), st.seen, p.since[0], p.asked[0], calls, events, since, first)
		}
		now = now.Add(ReconcileEvery)
	}
	back := start.Add(-ReconcileBack)
	round(ReconcilePages, ReconcilePages, back, "", false)
	p.down = true
	round(1, 0, back, strconv.Itoa(ReconcilePages), true)
	p.down = false
	begun := now // the pass begins anew, and longer ago than that nobody remembers
	back = begun.Add(-ReconcileBack)
	round(ReconcilePages, ReconcilePages, back, "", false)
	round(ReconcilePages, ReconcilePages, back, strconv.Itoa(ReconcilePages), false)
	round(3, 3, back, strconv.Itoa(2*ReconcilePages), false)

	p.pages = 2
	round(2, 2, begun.Add(-ReconcileOverlap), "", false)
	st.down = true
	since := now.Add(-ReconcileEvery - ReconcileOverlap)
	round(2, 2, since, "", true) // one that cannot be taken keeps no other
	round(2, 2, since, "", true)
	st.down = false
	round(2, 2, since, "", false)
	round(2, 2, now.Add(-ReconcileEvery-ReconcileOverlap), "", false)

	now = now.Add(2 * ReconcileBack) // a clock that leaps
	round(2, 2, now.Add(-ReconcileBack), "", false)
	if ReconcileOverlap < time.Minute {
		t.Error("clocks differ by more")
	}
}
