package wallet_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/wallet"
)

// TestTextLimits: at the limit a command is carried out, one past it nothing happens.
func TestTextLimits(t *testing.T) {
	const tooLong, tooLarge = fault.CodeInvalidRequest, fault.CodeMetadataTooLarge
	long := func(n int) string { return strings.Repeat("x", n) }
	pairs := func(n int) wallet.Metadata {
		m := wallet.Metadata{}
		for i := range n {
			m[strconv.Itoa(i)] = "v"
		}
		return m
	}
	for _, c := range []struct {
		name  string
		limit int
		code  fault.Code
		make  func(n int) wallet.Command
	}{
		{"reason", wallet.MaxReasonLength, tooLong, func(n int) wallet.Command {
			return &wallet.GiveCredits{Credit: "calls", Amount: 1, Note: wallet.Note{Reason: long(n)}}
		}},
		{"reason of a release", wallet.MaxReasonLength, tooLong, func(n int) wallet.Command {
			return &wallet.Release{Hold: 1, Note: wallet.Note{Reason: long(n)}}
		}},
		{"error code", wallet.MaxErrorCodeLength, tooLong, func(n int) wallet.Command {
			return &wallet.Release{Hold: 1, ErrorCode: long(n)}
		}},
		{"external reference", wallet.MaxExternalRefLength, tooLong, func(n int) wallet.Command {
			return &wallet.GiveCredits{Credit: "calls", Amount: 1, ExternalRef: long(n)}
		}},
		{"metadata pairs", wallet.MaxMetadataPairs, tooLarge, func(n int) wallet.Command {
			return &wallet.Adjust{Credit: "calls", Delta: 1, Note: wallet.Note{Metadata: pairs(n)}}
		}},
		{"metadata name", wallet.MaxMetadataKey, tooLarge, func(n int) wallet.Command {
			return &wallet.Commit{Hold: 1, Note: wallet.Note{Metadata: wallet.Metadata{long(n): ""}}}
		}},
		{"metadata value", wallet.MaxMetadataValue, tooLarge, func(n int) wallet.Command {
			return &wallet.Reverse{Entry: 3, Note: wallet.Note{Metadata: wallet.Metadata{"k": long(n)}}}
		}},
		{"metadata of a charge", wallet.MaxMetadataPairs, tooLarge, func(n int) wallet.Command {
			c := units(1)
			c.Metadata = pairs(n)
			return &wallet.Deduct{Charge: c}
		}},
		{"metadata value of a held charge", wallet.MaxMetadataValue, tooLarge, func(n int) wallet.Command {
			c := units(1)
			c.Metadata = wallet.Metadata{"k": long(n)}
			return &wallet.Reserve{Charge: c}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := open(t)
			b.give(9)
			b.reserve(units(1))
			b.deduct(units(1)) // entry 3
			b.refused(c.make(c.limit+1), c.code)
			b.do(c.make(c.limit))
		})
	}
}

func TestAllowancesOfAPlanAreLimited(t *testing.T) {
	plan := func(n int) *wallet.Subscribe {
		c := &wallet.Subscribe{}
		for i := range n {
			c.Subscription.Allowances = append(c.Subscription.Allowances, wallet.Allowance{
				ID: strconv.Itoa(i), Rules: catalog.Scope{event("*")},
				Period: catalog.Period{Kind: catalog.Daily, Anchor: catalog.AnchorCalendar},
			})
		}
		return c
	}
	b := open(t)
	b.refused(plan(wallet.MaxAllowances+1), fault.CodeInvalidRequest)
	b.do(plan(wallet.MaxAllowances))
}

// TestScopesOfAWalletAreLimited: one more scope is refused, another grant of a known one is not,
// and neither is a rollover.
func TestScopesOfAWalletAreLimited(t *testing.T) {
	b := open(t, calls(rolls(50, 1, catalog.Month, 0)))
	last := ""
	for i := range wallet.MaxLanes {
		last = "event." + strconv.Itoa(i)
		b.give(10, scoped(event(last)), expires(start.Add(day)))
	}
	b.refused(&wallet.GiveCredits{Credit: "calls", Amount: 1}, fault.CodeTooManyScopes)
	b.refused(&wallet.GiveCredits{Credit: "calls", Amount: 1, Scope: catalog.Scope{event("one.more")}}, fault.CodeTooManyScopes)
	b.give(1, scoped(event(last)))
	b.pass(day)
	if a := b.deduct(uses(last, 6)); !a.Allowed { // 1 and the 5 that rolled over
		t.Errorf("denied %v", a.Reasons)
	}
}

// TestReservationsOfAWalletAreLimited: closing one makes room for one.
func TestReservationsOfAWalletAreLimited(t *testing.T) {
	b := open(t)
	b.give(wallet.MaxPendingHolds + 1)
	for range wallet.MaxPendingHolds {
		b.reserve(units(1))
	}
	b.refused(&wallet.Reserve{Charge: units(1)}, fault.CodeTooManyHolds)
	if a := b.deduct(units(1)); !a.Allowed {
		t.Errorf("a charge at once is no reservation, yet denied %v", a.Reasons)
	}
	b.do(&wallet.Release{Hold: 1})
	b.reserve(units(1))
	b.refused(&wallet.Reserve{Charge: units(1)}, fault.CodeTooManyHolds)
	b.pass(wallet.MaxTTL)
	b.reserve(units(1))
}

// TestOpenGrantsOfAWalletAreLimited: what is used up does not count, what is yet to begin does.
func TestOpenGrantsOfAWalletAreLimited(t *testing.T) {
	b := open(t)
	const size = 20
	pack := &catalog.Pack{ID: "pck"}
	for range size {
		pack.Items = append(pack.Items, catalog.PackItem{Credit: "calls", Amount: 1, Category: catalog.Paid, Priority: 50})
	}
	b.defs.Packs["pck"] = pack
	for range wallet.MaxOpenGrants/size - 1 {
		b.do(&wallet.GiveCredits{Pack: "pck"})
	}
	for range size - 1 {
		b.give(1)
	}
	b.give(1, begins(start.Add(day)), expires(start.Add(2*day)))
	b.refused(&wallet.GiveCredits{Credit: "calls", Amount: 1}, fault.CodeTooManyGrants)
	b.deduct(units(1))
	b.refused(&wallet.GiveCredits{Pack: "pck"}, fault.CodeTooManyGrants) // 20 do not fit where 1 does
	b.give(1)
	b.refused(&wallet.GiveCredits{Credit: "calls", Amount: 1}, fault.CodeTooManyGrants)
	b.pass(2 * day)
	b.give(1)
}
