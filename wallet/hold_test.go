package wallet_test

import (
	"testing"
	"time"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/money"
	"github.com/seed42445051/scrip/wallet"
)

// TestHoldTable is the table of design section 5.3. A grant of 10 has 4 held by a hold when its
// fate befalls it: the other 6 go at once, the 4 stay with the hold. Then the hold ends.
func TestHoldTable(t *testing.T) {
	fates := []struct {
		name   string
		credit *catalog.Credit
		befall func(b *book, grant int64)
		while  string // how the grant stands while held
		ends   []struct{ by, grant, said string }
	}{
		{
			"live", calls(), func(*book, int64) {},
			"active, 6 available, 4 held",
			[]struct{ by, grant, said string }{
				{"commit", "active, 6 available, 4 spent", "credit_deducted -4 =6"},
				{"release", "active, 10 available", "hold_released +4 =10"},
				{"expiry", "active, 10 available", "hold_released +4 =10"},
			},
		},
		{
			"expired", calls(), func(b *book, _ int64) { b.pass(time.Hour) },
			"expired, 4 held, 6 expired",
			[]struct{ by, grant, said string }{
				{"commit", "expired, 4 spent, 6 expired", "credit_deducted -4 =0"},
				{"release", "expired, 10 expired", "hold_released +4 =4, credit_expired -4 =0"},
				{"expiry", "expired, 10 expired", "hold_released +4 =4, credit_expired -4 =0"},
			},
		},
		{
			"revoked", calls(), func(b *book, n int64) { b.do(&wallet.RevokeGrant{Grant: n}) },
			"revoked, 4 held, 6 revoked",
			[]struct{ by, grant, said string }{
				{"commit", "revoked, 4 spent, 6 revoked", "credit_deducted -4 =0"},
				{"release", "revoked, 10 revoked", "hold_released +4 =4, revoked -4 =0"},
				{"expiry", "revoked, 10 revoked", "hold_released +4 =4, revoked -4 =0"},
			},
		},
		{
			"refunded", calls(), func(b *book, n int64) { b.do(&wallet.RevokeGrant{Grant: n, Entry: wallet.Refund}) },
			"revoked, 4 held, 6 revoked",
			[]struct{ by, grant, said string }{
				{"commit", "revoked, 4 spent, 6 revoked", "credit_deducted -4 =0"},
				{"release", "revoked, 10 revoked", "hold_released +4 =4, revoked -4 =0"},
				{"expiry", "revoked, 10 revoked", "hold_released +4 =4, revoked -4 =0"},
			},
		},
		{
			// A refund names how much: when that is all there is, what is held belongs to it too.
			"refunded in full by amount", calls(),
			func(b *book, n int64) {
				b.do(&wallet.RevokeGrant{Grant: n, Amount: some(10), Entry: wallet.Refund})
			},
			"revoked, 4 held, 6 revoked",
			[]struct{ by, grant, said string }{
				{"commit", "revoked, 4 spent, 6 revoked", "credit_deducted -4 =0"},
				{"release", "revoked, 10 revoked", "hold_released +4 =4, revoked -4 =0"},
				{"expiry", "revoked, 10 revoked", "hold_released +4 =4, revoked -4 =0"},
			},
		},
		{
			"refunded in part", calls(),
			func(b *book, n int64) {
				b.do(&wallet.RevokeGrant{Grant: n, Amount: some(9), Entry: wallet.Refund})
			},
			"active, 4 held, 6 revoked",
			[]struct{ by, grant, said string }{
				{"commit", "depleted, 4 spent, 6 revoked", "credit_deducted -4 =0"},
				{"release", "active, 4 available, 6 revoked", "hold_released +4 =4"},
				{"expiry", "active, 4 available, 6 revoked", "hold_released +4 =4"},
			},
		},
		{
			"forfeited", calls(rolls(50, 1, catalog.Month, 1)),
			func(b *book, _ int64) { b.pass(time.Hour) },
			"expired, 4 held, 6 expired",
			[]struct{ by, grant, said string }{
				{"commit", "expired, 4 spent, 6 expired", "credit_deducted -4 =0"},
				{"release", "expired, 10 expired", "hold_released +4 =4, rollover_forfeited -4 =0"},
				{"expiry", "expired, 10 expired", "hold_released +4 =4, rollover_forfeited -4 =0"},
			},
		},
		{
			// 75 % of the 6 unused are 4.5, so 4 roll over and 2 expire. Of the 4 that come back
			// 75 % are 3, and 1 expires.
			"rolled over", calls(rolls(75, 1, catalog.Month, 0)), func(b *book, _ int64) { b.pass(time.Hour) },
			"rolled_over, 4 held, 2 expired, 4 rolled over",
			[]struct{ by, grant, said string }{
				{"commit", "rolled_over, 4 spent, 2 expired, 4 rolled over", "credit_deducted -4 =4"},
				{"release", "rolled_over, 3 expired, 7 rolled over", "hold_released +4 =8, credit_rolled_over -3 =5, credit_rolled_over +3 =8, credit_expired -1 =7"},
				{"expiry", "rolled_over, 3 expired, 7 rolled over", "hold_released +4 =8, credit_rolled_over -3 =5, credit_rolled_over +3 =8, credit_expired -1 =7"},
			},
		},
	}
	for _, fate := range fates {
		for _, end := range fate.ends {
			t.Run(fate.name+"/"+end.by, func(t *testing.T) {
				b := open(t, fate.credit)
				var limits []func(*wallet.GiveCredits)
				if fate.name == "expired" || fate.name == "rolled over" {
					limits = append(limits, expires(start.Add(time.Hour)))
				}
				n := b.give(10, limits...)
				if fate.name == "forfeited" {
					n = rolledOnce(b)
				}
				h := b.reserve(units(4))
				fate.befall(b, n)
				b.is(n, fate.while)
				b.said()
				switch end.by {
				case "commit":
					b.do(&wallet.Commit{Hold: h})
				case "release":
					b.do(&wallet.Release{Hold: h})
				case "expiry":
					b.pass(wallet.MaxTTL)
				}
				b.is(n, end.grant)
				b.says(end.said)
				if fate.name == "rolled over" && end.by != "commit" {
					b.is(2, "active, 7 available") // 4 at once and 3 later, in the same grant
				}
			})
		}
	}
}

// rolledOnce gives 20, of which 10 roll over into a grant that may not roll over again, and that
// ends an hour from then; what was there before it is taken away.
func rolledOnce(b *book) int64 {
	b.do(&wallet.RevokeGrant{Grant: 1})
	b.give(20, expires(b.now.Add(time.Hour)), func(c *wallet.GiveCredits) {
		c.Rollover = &catalog.Rollover{Percent: 50, MaxCount: 1, Validity: catalog.Interval{Count: 1, Unit: catalog.Day}}
	})
	b.pass(24 * time.Hour)
	return 3
}

// TestCommitLessEqualMore: less gives the rest back to the grants that were drawn last, more
// draws the excess afresh and only when the caller says so.
func TestCommitLessEqualMore(t *testing.T) {
	for _, c := range []struct {
		name         string
		amount       money.Decimal
		more         bool
		first, other string
		taken        int64
	}{
		// 5 are held: 3 of the first grant, 2 of the other.
		{"equal", "", false, "depleted, 3 spent", "active, 5 available, 2 spent", 5},
		{"equal by amount", "5", false, "depleted, 3 spent", "active, 5 available, 2 spent", 5},
		{"less: the last drawn comes back first", "4", false, "depleted, 3 spent", "active, 6 available, 1 spent", 4},
		{"less than the first grant's part", "2", false, "active, 1 available, 2 spent", "active, 7 available", 2},
		{"nothing", "0", false, "active, 3 available", "active, 7 available", 0},
		{"more: 2 are drawn afresh", "7", true, "depleted, 3 spent", "active, 3 available, 4 spent", 7},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := open(t)
			first, other := b.give(3), b.give(7)
			h := b.reserve(units(5))
			a := b.do(&wallet.Commit{Hold: h, Amount: c.amount, AllowMore: c.more})
			if !a.Allowed || a.Taken != c.taken || a.Hold.Status != wallet.ReservationCommitted || a.Hold.Committed != c.taken {
				t.Errorf("allowed %t, taken %d, hold %+v", a.Allowed, a.Taken, a.Hold)
			}
			b.is(first, c.first)
			b.is(other, c.other)
		})
	}
}

func TestCommitMoreThanHeld(t *testing.T) {
	b := open(t)
	n := b.give(10)
	h := b.reserve(units(5))
	b.refused(&wallet.Commit{Hold: h, Amount: "6"}, fault.CodeReservationTooSmall)

	// Denied, the hold stays as it was: the excess of 6 needs more than the 5 that are left.
	a := b.do(&wallet.Commit{Hold: h, Amount: "11", AllowMore: true})
	if a.Allowed || text(a.Reasons) != "[credits_exhausted]" {
		t.Errorf("allowed %t, reasons %v", a.Allowed, a.Reasons)
	}
	b.is(n, "active, 5 available, 5 held")
	a = b.do(&wallet.Commit{Hold: h, Amount: "10", AllowMore: true})
	if !a.Allowed || a.Taken != 10 {
		t.Errorf("allowed %t, taken %d", a.Allowed, a.Taken)
	}
	b.is(n, "depleted, 10 spent")
}

// TestCommitMoreUnderTheHoldsOwnPolicy: the excess of 5 over a hold of 5 meets 2 that are left.
func TestCommitMoreUnderTheHoldsOwnPolicy(t *testing.T) {
	for _, c := range []struct {
		shortfall    wallet.Shortfall
		taken, short int64
		overage      int64
	}{
		{wallet.Partial, 7, 3, 0},
		{wallet.Overage, 10, 0, 3},
	} {
		t.Run(string(c.shortfall), func(t *testing.T) {
			b := open(t, calls(overage(catalog.Overage{Enabled: true})))
			b.give(7)
			charge := units(5)
			charge.Shortfall = c.shortfall
			a := b.do(&wallet.Commit{Hold: b.reserve(charge), Amount: "10", AllowMore: true})
			if !a.Allowed || a.Taken != c.taken || a.Short != c.short {
				t.Errorf("allowed %t, taken %d, short %d", a.Allowed, a.Taken, a.Short)
			}
			b.stands("calls", 0, 0, c.overage)
		})
	}
	t.Run("partial with nothing left is no denial", func(t *testing.T) {
		b := open(t)
		b.give(5)
		charge := units(5)
		charge.Shortfall = wallet.Partial
		a := b.do(&wallet.Commit{Hold: b.reserve(charge), Amount: "9", AllowMore: true})
		if !a.Allowed || a.Taken != 5 || a.Short != 4 {
			t.Errorf("allowed %t, taken %d, short %d", a.Allowed, a.Taken, a.Short)
		}
	})
}

// TestHoldClosesOnce: a second commit or release changes nothing, nor does one that is late.
func TestHoldClosesOnce(t *testing.T) {
	closings := map[string]func(h int64) wallet.Command{
		"commit":  func(h int64) wallet.Command { return &wallet.Commit{Hold: h} },
		"release": func(h int64) wallet.Command { return &wallet.Release{Hold: h} },
		"extend":  func(h int64) wallet.Command { return &wallet.Extend{Hold: h} },
	}
	for name, again := range closings {
		t.Run(name+" after commit", func(t *testing.T) {
			b := open(t)
			n := b.give(10)
			h := b.reserve(units(4))
			b.do(&wallet.Commit{Hold: h})
			b.refused(again(h), fault.CodeReservationNotPending)
			b.is(n, "active, 6 available, 4 spent")
		})
		t.Run(name+" after release", func(t *testing.T) {
			b := open(t)
			h := func() int64 { b.give(10); return b.reserve(units(4)) }()
			b.do(&wallet.Release{Hold: h})
			b.refused(again(h), fault.CodeReservationNotPending)
		})
		t.Run(name+" too late", func(t *testing.T) {
			b := open(t)
			n := b.give(10)
			h := b.reserve(units(4))
			b.now = b.now.Add(wallet.MaxTTL) // at the instant itself it is over
			b.refusedLate(again(h))
			b.is(n, "active, 10 available")
		})
		t.Run(name+" of nothing", func(t *testing.T) {
			b := open(t)
			for _, h := range []int64{-1, 0, 1, 99} {
				b.refused(again(h), fault.CodeReservationNotFound)
			}
		})
	}
}

// refusedLate is refused for a hold that lapses at this instant: only the lapse is written.
func (b *book) refusedLate(c wallet.Command) {
	b.t.Helper()
	b.said()
	if _, err := b.Do(b.now, c); fault.CodeOf(err) != fault.CodeReservationExpired {
		b.t.Errorf("%T: %v", c, err)
	}
	b.says("hold_released +4 =10")
}

// TestHoldLapsesAtItsInstant: one microsecond before it is pending, at the instant it is over,
// and its credits are free for others (law 4: nobody need have swept it).
func TestHoldLapsesAtItsInstant(t *testing.T) {
	b := open(t)
	b.give(4)
	a := b.do(&wallet.Reserve{Charge: units(4)})
	if want := start.Add(wallet.DefaultTTL); a.Hold.ExpiresAt != want {
		t.Fatalf("expires at %s, want %s", a.Hold.ExpiresAt, want)
	}
	b.pass(wallet.DefaultTTL - time.Microsecond)
	if a := b.deduct(units(1)); a.Allowed {
		t.Error("held credits were spent")
	}
	b.pass(time.Microsecond)
	if a := b.deduct(units(4)); !a.Allowed {
		t.Errorf("denied %v although the hold is over", a.Reasons)
	}
}

func TestExtendCountsFromNow(t *testing.T) {
	b := open(t)
	b.give(4)
	h := b.do(&wallet.Reserve{Charge: units(4), TTL: time.Minute}).Hold.N
	b.pass(30 * time.Second)
	a := b.do(&wallet.Extend{Hold: h, TTL: 2 * time.Minute})
	if want := start.Add(150 * time.Second); a.Hold.ExpiresAt != want {
		t.Errorf("expires at %s, want %s", a.Hold.ExpiresAt, want)
	}
	b.pass(119 * time.Second)
	b.do(&wallet.Commit{Hold: h})
}

// TestClosingsTellOfTheHold: each command may say why, with which error and with which answer; what
// it leaves out stays.
func TestClosingsTellOfTheHold(t *testing.T) {
	b := open(t)
	b.give(9)
	told := func(h *wallet.Hold, want string) {
		t.Helper()
		if got := h.Reason + "/" + h.ErrorCode + "/" + h.Response; got != want {
			t.Errorf("told %q, want %q", got, want)
		}
	}
	committed, released := b.reserve(units(1)), b.reserve(units(1))
	for _, n := range []int64{committed, released} {
		told(b.do(&wallet.Extend{Hold: n, ErrorCode: "slow", Response: "half", Note: wallet.Note{Reason: "still at it"}}).Hold, "still at it/slow/half")
		told(b.do(&wallet.Extend{Hold: n}).Hold, "still at it/slow/half")
	}
	told(b.do(&wallet.Commit{Hold: committed, ErrorCode: "cut", Response: "all", Note: wallet.Note{Reason: "done"}}).Hold, "done/cut/all")
	told(b.do(&wallet.Release{Hold: released, ErrorCode: "down"}).Hold, "still at it/down/half")
}

// TestExtendsByTheUsualTime: without a time it is as for a new reservation.
func TestExtendsByTheUsualTime(t *testing.T) {
	b := open(t)
	b.give(9)
	h := b.reserve(units(1))
	b.pass(30 * time.Second)
	if got, want := b.do(&wallet.Extend{Hold: h}).Hold.ExpiresAt, b.now.Add(wallet.DefaultTTL); got != want {
		t.Errorf("expires at %s, want %s", got, want)
	}
}

func TestHoldLastsOneSecondToOneDay(t *testing.T) {
	for _, c := range []struct {
		ttl time.Duration
		ok  bool
	}{
		{wallet.MinTTL, true},
		{wallet.MinTTL - 1, false},
		{-time.Second, false},
		{wallet.MaxTTL, true},
		{wallet.MaxTTL + 1, false},
	} {
		t.Run(c.ttl.String(), func(t *testing.T) {
			b := open(t)
			b.give(4)
			h := b.reserve(units(1))
			for _, command := range []wallet.Command{
				&wallet.Reserve{Charge: units(1), TTL: c.ttl}, &wallet.Extend{Hold: h, TTL: c.ttl},
			} {
				if c.ok {
					b.do(command)
				} else {
					b.refused(command, fault.CodeInvalidRequest)
				}
			}
		})
	}
}

// TestReleaseGoesBackToTheGrantsDrawn: two grants, the hold draws both; each gets its own back.
func TestReleaseGoesBackToTheGrantsDrawn(t *testing.T) {
	b := open(t)
	first, other := b.give(3), b.give(7)
	h := b.reserve(units(5))
	b.is(first, "active, 3 held")
	b.is(other, "active, 5 available, 2 held")
	b.do(&wallet.Release{Hold: h, ErrorCode: "provider_error", Note: wallet.Note{Reason: "it failed"}})
	b.is(first, "active, 3 available")
	b.is(other, "active, 7 available")
	b.says("credit_added +3 =3", "credit_added +7 =10", "hold_placed -5 =10", "hold_released +5 =10")
}

// TestHeldOverageBecomesOverageOrNothing: a hold that goes beyond zero reserves room under the
// limit, and only its commit owes.
func TestHeldOverageBecomesOverageOrNothing(t *testing.T) {
	limit10 := calls(overage(catalog.Overage{Enabled: true, Limited: true, Limit: 10}))
	beyond := func(n int64) wallet.Charge {
		c := units(n)
		c.Shortfall = wallet.Overage
		return c
	}
	t.Run("commit", func(t *testing.T) {
		b := open(t, limit10)
		b.give(3)
		h := b.reserve(beyond(10)) // 3 held, 7 beyond zero
		b.stands("calls", 3, 0, 0)
		if a := b.deduct(beyond(4)); a.Allowed { // 7 + 4 > 10
			t.Error("the limit does not see what is held")
		}
		b.do(&wallet.Commit{Hold: h, Amount: "8"}) // 3 from the grant, 5 overage
		b.stands("calls", 0, 0, 5)
		if a := b.deduct(beyond(5)); !a.Allowed { // 5 + 5 = 10
			t.Errorf("denied %v within the limit", a.Reasons)
		}
	})
	t.Run("release", func(t *testing.T) {
		b := open(t, limit10)
		h := b.reserve(beyond(10))
		b.do(&wallet.Release{Hold: h})
		b.stands("calls", 0, 0, 0)
		if a := b.deduct(beyond(10)); !a.Allowed {
			t.Errorf("denied %v after the release", a.Reasons)
		}
	})
}

// TestCommitRecordsUsage: a gated hold's commit is the usage event, in the size that was taken.
func TestCommitRecordsUsage(t *testing.T) {
	b := open(t)
	b.give(10, scoped(event("image.a")))
	h := b.reserve(uses("image.a", 4))
	a := b.do(&wallet.Commit{Hold: h, Amount: "2.5", Response: "done"})
	u := a.Usage
	if u == nil || u.Event != "image.a" || u.Quantity != 2_500_000 || u.Hold != h || u.Match != wallet.Matched || u.Response != "done" {
		t.Errorf("usage %+v", u)
	}
	// 2.5 cost 3 whole calls: a part of a slice is rounded up, so that rounding never mints.
	b.is(1, "active, 7 available, 3 spent")
}
