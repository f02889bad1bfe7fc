package wallet_test

import (
	"testing"
	"time"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/wallet"
)

func numbers(grants []*wallet.Grant) string {
	var n []int64
	for _, g := range grants {
		n = append(n, g.N)
	}
	return text(n)
}

// TestSortForReading: what can be drawn in the order of its credit, then the rest.
func TestSortForReading(t *testing.T) {
	grant := func(n int64, credit string, priority int, created clock.Instant) *wallet.Grant {
		return &wallet.Grant{
			N: n, Credit: credit, Priority: priority, CreatedAt: created, Amount: 1, Available: 1, Status: wallet.GrantActive,
		}
	}
	gone := func(n int64, status wallet.GrantStatus) *wallet.Grant {
		return &wallet.Grant{N: n, Credit: "calls", Amount: 1, Spent: 1, Status: status}
	}
	defs := func(credits ...*catalog.Credit) *catalog.Definitions {
		d := catalog.NewDefinitions("app", "app", 1)
		for _, c := range credits {
			d.Credits[c.ID] = c
		}
		return d
	}
	for _, c := range []struct {
		name   string
		defs   *catalog.Definitions
		grants []*wallet.Grant
		want   string
	}{
		{
			"what is gone comes last, newest first", defs(calls()),
			[]*wallet.Grant{gone(1, wallet.GrantExpired), grant(2, "calls", 50, 1), gone(3, wallet.GrantActive), grant(4, "calls", 40, 1), gone(5, wallet.GrantPending)},
			"[4 2 5 3 1]",
		},
		{
			"credits of one order stand in it together", defs(calls(), credit("other", 0)),
			[]*wallet.Grant{grant(1, "calls", 60, 1), grant(2, "other", 50, 1), grant(3, "calls", 40, 1)},
			"[3 2 1]",
		},
		{
			// By the default 3 goes before 2 and 2 before 1; but fifo has 1 before 3.
			"credits of different orders follow one another", defs(calls(), credit("fifo", 0, ordered(catalog.ByCreatedAt))),
			[]*wallet.Grant{grant(3, "fifo", 40, 9), grant(2, "calls", 50, 5), grant(1, "fifo", 60, 1)},
			"[2 1 3]",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			wallet.SortForReading(c.grants, c.defs)
			if got := numbers(c.grants); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

// TestDecidingKey names what put one grant before the other.
func TestDecidingKey(t *testing.T) {
	one := &wallet.Grant{N: 1, Priority: 50, ExpiresAt: 9}
	for _, c := range []struct {
		other *wallet.Grant
		want  string
	}{
		{&wallet.Grant{N: 2, Priority: 60, ExpiresAt: 8}, "priority"},
		{&wallet.Grant{N: 2, Priority: 50}, "expires_at"},
		{&wallet.Grant{N: 2, Priority: 50, ExpiresAt: 9}, "sequence"},
	} {
		if got := wallet.DecidingKey(one, c.other, catalog.DefaultDrawOrder()); got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
}

// TestReadersSeeWhatCanBeDrawnAndCounted at an instant.
func TestReadersSeeWhatCanBeDrawnAndCounted(t *testing.T) {
	b := open(t)
	b.give(1, priority(60))
	b.give(1)
	b.deduct(units(1)) // of the second
	b.give(1, begins(start.Add(time.Hour)))
	b.give(1, scoped(event("image.*")), priority(40))
	if got := numbers(b.State().Drawable(b.defs)); got != "[4 1]" {
		t.Errorf("drawable %s", got)
	}
	if got := b.State().CountersAt(start, ""); len(got) != 0 {
		t.Errorf("counters without a subscription: %+v", got)
	}
	subscribed(b, 5, event("image.*"))
	b.deduct(uses("image.a", 2))
	for _, c := range []struct {
		at     clock.Instant
		filter string
		used   []int64
	}{
		{start, "", []int64{2_000_000}},
		{start, "image.a", []int64{2_000_000}},
		{start, "image.*", []int64{2_000_000}},
		{start, "video.x", nil},
		{start.Add(31 * day), "", []int64{0}}, // the next month, although nobody has counted in it
	} {
		var used []int64
		for _, a := range b.State().CountersAt(c.at, c.filter) {
			used = append(used, a.Used)
		}
		if text(used) != text(c.used) {
			t.Errorf("at %s for %q: %v, want %v", c.at, c.filter, used, c.used)
		}
	}
}
