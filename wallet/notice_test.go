package wallet_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/wallet"
)

// announced tells the notices in one line each.
func (b *book) announced(want ...string) {
	b.t.Helper()
	var got []string
	for _, n := range b.Notices() {
		what := fmt.Sprintf("%s: %d %s %v", n.At, n.Units, n.Credit, n.Grants)
		if n.Type == catalog.EventTrialEnding {
			what = fmt.Sprintf("%s: trial of %d", n.At, n.Subscription)
		}
		got = append(got, what)
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		b.t.Errorf("announced:\n  got  %s\n  want %s", strings.Join(got, "\n       "), strings.Join(want, "\n       "))
	}
}

// looks are the ways in which time passes: at once, by the day, by an odd number of hours, and by the
// day with the memory lost.
var looks = map[string]func(b *book, d time.Duration){
	"in one jump": func(b *book, d time.Duration) { b.pass(d) },
	"daily":       func(b *book, d time.Duration) { steps(b, d, day) },
	"oddly":       func(b *book, d time.Duration) { steps(b, d, 7*time.Hour+3*time.Microsecond) },
	"forgetful": func(b *book, d time.Duration) {
		for ; d > 0; d -= day {
			b.Restart()
			b.pass(min(d, day))
		}
	},
}

func steps(b *book, d, by time.Duration) {
	for ; d > 0; d -= by {
		b.pass(min(d, by))
	}
}

// TestExpiryNotice: seven days before credits end their customer is told, once, at that very instant,
// whoever looks and whenever.
func TestExpiryNotice(t *testing.T) {
	for name, pass := range looks {
		t.Run(name, func(t *testing.T) {
			b := shop(t)
			b.give(100, expires(start.Add(30*day)))
			b.give(50, expires(start.Add(30*day)))
			b.give(7, expires(start.Add(20*day)))
			b.give(9)                                                           // never ends
			b.give(1, expires(start.Add(7*day)))                                // shorter than the notice
			b.give(2, expires(start.Add(7*day+time.Microsecond)))               // just longer
			b.give(3, begins(start.Add(5*day)), expires(start.Add(11*day)))     // too short, and begins later
			b.give(4, begins(start.Add(40*day)), expires(start.Add(50*day)))    // long enough, and begins later
			b.give(5, expires(start.Add(32*day)), func(c *wallet.GiveCredits) { // used up by then
				zero := 0
				c.Priority = &zero
			})
			b.deduct(units(5))
			pass(b, 60*day)
			b.announced(
				"2026-01-01T10:00:00.000001Z: 2 calls [6]",
				"2026-01-14T10:00:00Z: 7 calls [3]",
				"2026-01-24T10:00:00Z: 150 calls [1 2]",
				"2026-02-13T10:00:00Z: 4 calls [8]",
			)
			if n := b.Notices()[1]; n.Ends != start.Add(20*day) || n.Type != catalog.EventCreditExpiring {
				t.Errorf("announced %+v", n)
			}
		})
	}
}

// TestExpiryNoticeOfWhatIsLeft: what is held or frozen at that instant is not announced.
func TestExpiryNoticeOfWhatIsLeft(t *testing.T) {
	b := shop(t)
	b.give(100, expires(start.Add(10*day)))
	b.give(50, expires(start.Add(10*day)))
	b.do(&wallet.Freeze{Grant: 2, Frozen: true})
	b.pass(2*day + 12*time.Hour)
	b.reserve(units(30))
	b.deduct(units(5))
	b.pass(5 * day)
	b.announced("2026-01-04T10:00:00Z: 65 calls [1]")
}

// TestExpiryNoticeBesideCommands: a command at the very instant of a notice announces nothing twice,
// and none is missed by one.
func TestExpiryNoticeBesideCommands(t *testing.T) {
	for _, off := range []time.Duration{-time.Microsecond, 0, time.Microsecond} {
		for _, restart := range []bool{false, true} {
			b := shop(t)
			b.give(100, expires(start.Add(10*day)))
			b.now = start.Add(3*day + off)
			for range 3 {
				b.deduct(units(1))
				if restart {
					b.Restart()
				}
			}
			b.now = start.Add(3 * day)
			b.deduct(units(1))
			b.pass(time.Hour)
			b.deduct(units(1))
			want := "97"
			if off > 0 {
				b.now = start.Add(3*day + off)
			}
			switch off {
			case 0, time.Microsecond: // time comes before the command
				want = "100"
			}
			b.announced("2026-01-04T10:00:00Z: " + want + " calls [1]")
		}
	}
}

// TestNoNoticeOfPlans: what a plan gives comes again with the next cycle.
func TestNoNoticeOfPlans(t *testing.T) {
	b := shop(t)
	b.do(plan(gives(included(50, func(in *wallet.IncludedCredit) {
		in.Rollover = catalog.Rollover{Percent: 50, Validity: every(1, catalog.Month)}
	}))))
	b.pass(100 * day)
	b.announced()
}

// TestTrialNotice: three days before a trial ends its customer is told, once.
func TestTrialNotice(t *testing.T) {
	for name, pass := range looks {
		t.Run(name, func(t *testing.T) {
			b := shop(t)
			b.do(plan(costs(1000), gives(included(5)), trial(14, 0, 5)))
			pass(b, 60*day)
			b.announced("2026-01-12T10:00:00Z: trial of 1")
			if n := b.Notices()[0]; n.Ends != start.Add(14*day) {
				t.Errorf("announced %+v", n)
			}
		})
	}
	b := shop(t)
	b.do(plan(costs(1000), gives(included(5)), trial(3, 0, 5))) // as short as the notice
	b.pass(10 * day)
	b.announced()
	b = shop(t)
	b.do(plan(costs(1000), gives(included(5)), trial(14, 0, 5)))
	b.pass(10 * day)
	b.do(&wallet.PauseSubscription{})
	b.pass(10 * day)
	b.announced() // it stands still
	b.do(&wallet.PauseSubscription{Resume: true})
	b.pass(30 * day)
	b.announced("2026-01-22T10:00:00Z: trial of 1")
	b = shop(t)
	b.do(plan(costs(1000), gives(included(5)), trial(14, 0, 5)))
	b.do(&wallet.EndSubscription{At: start.Add(12 * day)})
	b.pass(30 * day)
	b.announced() // it ends, and nothing follows it
}
