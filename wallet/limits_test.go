package wallet_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/money"
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
		{"reason, of other letters", wallet.MaxReasonLength, tooLong, func(n int) wallet.Command {
			return &wallet.GiveCredits{Credit: "calls", Amount: 1, Note: wallet.Note{Reason: strings.Repeat("é", n)}}
		}},
		{"V52 error code, of other letters", wallet.MaxErrorCodeLength, tooLong, func(n int) wallet.Command {
			return &wallet.Release{Hold: 1, ErrorCode: strings.Repeat("錯", n)}
		}},
		{"error code of a commit", wallet.MaxErrorCodeLength, tooLong, func(n int) wallet.Command {
			return &wallet.Commit{Hold: 1, ErrorCode: long(n)}
		}},
		{"error code of an extension", wallet.MaxErrorCodeLength, tooLong, func(n int) wallet.Command {
			return &wallet.Extend{Hold: 1, ErrorCode: long(n)}
		}},
		{"reason of an extension", wallet.MaxReasonLength, tooLong, func(n int) wallet.Command {
			return &wallet.Extend{Hold: 1, Note: wallet.Note{Reason: long(n)}}
		}},
		{"external reference, of other letters", wallet.MaxExternalRefLength, tooLong, func(n int) wallet.Command {
			return &wallet.GiveCredits{Credit: "calls", Amount: 1, ExternalRef: strings.Repeat("ß", n)}
		}},
		{"event of a charge", catalog.MaxEventNameLength, tooLong, func(n int) wallet.Command {
			return &wallet.Deduct{Charge: uses(long(n), 1)}
		}},
		{"event of a held charge, of other letters", catalog.MaxEventNameLength, tooLong, func(n int) wallet.Command {
			return &wallet.Reserve{Charge: uses(strings.Repeat("図", n), 1)}
		}},
		{"event of a record", catalog.MaxEventNameLength, tooLong, func(n int) wallet.Command {
			return &wallet.Track{Charge: uses(long(n), 1)}
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

// TestAmountsAreLimited: an adjustment, an overage and a commit of the greatest amount, and of one
// unit more.
func TestAmountsAreLimited(t *testing.T) {
	t.Run("adjustment up", func(t *testing.T) {
		b := open(t)
		b.refused(&wallet.Adjust{Credit: "calls", Delta: wallet.MaxUnits + 1}, fault.CodeInvalidAmount)
		b.do(&wallet.Adjust{Credit: "calls", Delta: wallet.MaxUnits})
		b.says("manual_adjustment +1000000000000000000 =1000000000000000000")
	})
	t.Run("adjustment down", func(t *testing.T) {
		b := open(t)
		b.give(wallet.MaxUnits)
		b.refused(&wallet.Adjust{Credit: "calls", Delta: -wallet.MaxUnits - 1}, fault.CodeInvalidAmount)
		b.do(&wallet.Adjust{Credit: "calls", Delta: -wallet.MaxUnits})
		b.stands("calls", 0, 0, 0)
	})
	t.Run("overage", func(t *testing.T) {
		b := open(t, calls(overage(catalog.Overage{Enabled: true})))
		most := units(wallet.MaxUnits - 1)
		most.Shortfall = wallet.Overage
		b.deduct(most)
		one := units(1)
		one.Shortfall = wallet.Overage
		if a := b.deduct(one); !a.Allowed {
			t.Errorf("denied %v", a.Reasons)
		}
		b.stands("calls", 0, 0, wallet.MaxUnits)
		if a := b.deduct(one); a.Allowed || text(a.Reasons) != "[credits_exhausted overage_limit_reached]" {
			t.Errorf("allowed %t, reasons %v", a.Allowed, a.Reasons)
		}
		b.stands("calls", 0, 0, wallet.MaxUnits)
	})
	t.Run("commit", func(t *testing.T) {
		b := open(t)
		b.give(wallet.MaxUnits)
		h := b.reserve(units(1))
		b.refused(&wallet.Commit{Hold: h, Amount: "1000000000000000001", AllowMore: true}, fault.CodeInvalidAmount)
		b.do(&wallet.Commit{Hold: h, Amount: "1000000000000000000", AllowMore: true})
		b.stands("calls", 0, 0, 0)
	})
}

// TestCostIsAPrice: what a credit cost is a decimal within bounds and has a currency.
func TestCostIsAPrice(t *testing.T) {
	give := func(cost money.Decimal, currency string) *wallet.GiveCredits {
		return &wallet.GiveCredits{Credit: "calls", Amount: 1, CostBasis: cost, CostCurr: currency}
	}
	for _, c := range []struct {
		cost     money.Decimal
		currency string
		code     fault.Code
		field    string
	}{
		{"0", "usd", "", ""},
		{"0.000000001", "usd", "", ""},
		{"1000000000", "jpy", "", ""},
		{"1000000000.000000001", "usd", fault.CodeInvalidAmount, "cost_basis"},
		{"1000000001", "usd", fault.CodeInvalidAmount, "cost_basis"},
		{"0.0000000001", "usd", fault.CodeInvalidAmount, "cost_basis"},
		{"-1", "usd", fault.CodeInvalidAmount, "cost_basis"},
		{"1e30", "usd", fault.CodeInvalidAmount, "cost_basis"},
		{"NaN", "usd", fault.CodeInvalidAmount, "cost_basis"},
		{"1", "", fault.CodeMissingField, "cost_currency"},
		{"", "usd", fault.CodeMissingField, "cost_basis"},
		{"1", "us", fault.CodeInvalidRequest, "cost_currency"},
		{"1", "USD", fault.CodeInvalidRequest, "cost_currency"},
		{"1", "usdc", fault.CodeInvalidRequest, "cost_currency"},
	} {
		t.Run(string(c.cost)+" "+c.currency, func(t *testing.T) {
			b := open(t)
			if c.code == "" {
				b.do(give(c.cost, c.currency))
				return
			}
			_, err := b.Do(b.now, give(c.cost, c.currency))
			if e := fault.As(err); fault.CodeOf(err) != c.code || e.Field != c.field {
				t.Errorf("%v, want %s in %s", err, c.code, c.field)
			}
		})
	}
}

func TestAllowancesOfAPlanAreLimited(t *testing.T) {
	with := func(n int) *wallet.Subscribe {
		c := plan()
		for i := range n {
			c.Allowances = append(c.Allowances, wallet.Allowance{
				ID: strconv.Itoa(i), Rules: catalog.Scope{event("*")},
				Period: catalog.Period{Kind: catalog.Daily, Anchor: catalog.AnchorCalendar},
			})
		}
		return c
	}
	b := open(t)
	b.refused(with(wallet.MaxAllowances+1), fault.CodeInvalidRequest)
	b.do(with(wallet.MaxAllowances))
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
