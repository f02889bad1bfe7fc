package wallet_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/internal/model"
	"github.com/seed42445051/scrip/wallet"
)

// start is when every example begins.
const start clock.Instant = 1_767_261_600_000_000 // 2026-01-01T10:00:00Z

const day = 24 * time.Hour

// book is a wallet in an example: it carries commands out, keeps the time, and says how grants
// stand in one line.
type book struct {
	*model.Bare
	t     *testing.T
	defs  *catalog.Definitions
	now   clock.Instant
	seen  int // entries that said has told
	heard int // events of orders that told has checked

	// restless loses its memory before every other command.
	restless bool
	turn     int
}

// calls is the credit of most examples: whole numbers, the default draw order, nothing special.
// A change makes it what the example needs.
func calls(change ...func(*catalog.Credit)) *catalog.Credit { return credit("calls", 0, change...) }

func credit(id string, precision int, change ...func(*catalog.Credit)) *catalog.Credit {
	c := &catalog.Credit{
		ID: id, App: "app", Name: id, Unit: "u", Precision: precision, DrawOrder: catalog.DefaultDrawOrder(),
	}
	for _, f := range change {
		f(c)
	}
	return c
}

func rolls(percent, count int, unit catalog.IntervalUnit, most int) func(*catalog.Credit) {
	return func(c *catalog.Credit) {
		c.Rollover = catalog.Rollover{Percent: percent, Validity: catalog.Interval{Count: count, Unit: unit}, MaxCount: most}
	}
}

func overage(o catalog.Overage) func(*catalog.Credit) {
	return func(c *catalog.Credit) { c.Overage = o }
}

func ordered(keys ...catalog.DrawKey) func(*catalog.Credit) {
	return func(c *catalog.Credit) { c.DrawOrder = keys }
}

// open starts an example with an empty wallet.
func open(t *testing.T, credits ...*catalog.Credit) *book {
	t.Helper()
	defs := catalog.NewDefinitions("app", "app", 1)
	if len(credits) == 0 {
		credits = append(credits, calls())
	}
	for _, c := range credits {
		if err := c.Validate(); err != nil {
			t.Fatal(err)
		}
		defs.Credits[c.ID] = c
	}
	key := wallet.Key{App: "app", Mode: catalog.Live, Customer: "anna"}
	return &book{Bare: model.NewBare(key, defs), t: t, defs: defs, now: start}
}

// do carries a command out that must be an answer.
func (b *book) do(c wallet.Command) wallet.Answer {
	b.t.Helper()
	if b.turn++; b.restless && b.turn%2 == 0 {
		b.Restart()
	}
	a, err := b.Do(b.now, c)
	if err != nil {
		b.t.Fatalf("%T: %v", c, err)
	}
	return a
}

// refused carries a command out that must fail with a code and change nothing.
func (b *book) refused(c wallet.Command, code fault.Code) {
	b.t.Helper()
	before := len(b.View().Entries)
	_, err := b.Do(b.now, c)
	if fault.CodeOf(err) != code {
		b.t.Fatalf("%T: got %v, want %s", c, err, code)
	}
	if e := fault.As(err); e.Kind() == fault.NotFound && code != fault.CodeSubscriptionNotFound && e.Field == "" {
		b.t.Fatalf("%T: %v names no field", c, err)
	}
	var missing *wallet.Missing
	if errors.As(err, &missing) {
		b.t.Fatalf("%T asks for what there is not: %+v", c, missing.Needs)
	}
	if after := len(b.View().Entries); after != before {
		b.t.Fatalf("%T failed and yet wrote %d entries", c, after-before)
	}
}

// pass lets time pass.
func (b *book) pass(d time.Duration) {
	b.t.Helper()
	b.now = b.now.Add(d)
	if _, err := b.Do(b.now, nil); err != nil {
		b.t.Fatal(err)
	}
}

// give grants and returns the grant's number.
func (b *book) give(amount int64, change ...func(*wallet.GiveCredits)) int64 {
	b.t.Helper()
	c := &wallet.GiveCredits{Credit: "calls", Amount: amount}
	for _, f := range change {
		f(c)
	}
	return b.do(c).Grants[0].N
}

func expires(at clock.Instant) func(*wallet.GiveCredits) {
	return func(c *wallet.GiveCredits) { c.ExpiresAt = at }
}

func begins(at clock.Instant) func(*wallet.GiveCredits) {
	return func(c *wallet.GiveCredits) { c.EffectiveAt = at }
}

func priority(n int) func(*wallet.GiveCredits) {
	return func(c *wallet.GiveCredits) { c.Priority = &n }
}

func promotional(c *wallet.GiveCredits) { c.Category = catalog.Promotional }

func of(credit string) func(*wallet.GiveCredits) {
	return func(c *wallet.GiveCredits) { c.Credit = credit }
}

func scoped(rules ...catalog.Rule) func(*wallet.GiveCredits) {
	return func(c *wallet.GiveCredits) { c.Scope = rules }
}

func event(name string) catalog.Rule { return catalog.Rule{Event: name} }

// plan is a plan by the month that costs nothing and gives nothing. A change makes it what the
// example needs.
func plan(change ...func(*wallet.Subscribe)) *wallet.Subscribe {
	c := &wallet.Subscribe{Plan: "pln", Terms: wallet.Terms{
		Name: "Plan", Currency: "usd", Every: catalog.Interval{Count: 1, Unit: catalog.Month},
	}}
	for _, f := range change {
		f(c)
	}
	return c
}

func counts(all ...wallet.Allowance) func(*wallet.Subscribe) {
	return func(c *wallet.Subscribe) { c.Allowances = all }
}

// units is a direct charge of calls.
func units(n int64) wallet.Charge { return wallet.Charge{Credit: "calls", Amount: n} }

// uses is a gated charge of a whole quantity.
func uses(event string, quantity int64) wallet.Charge {
	return wallet.Charge{Event: event, Quantity: quantity * wallet.MicrosPerUnit}
}

func (b *book) deduct(c wallet.Charge) wallet.Answer {
	b.t.Helper()
	return b.do(&wallet.Deduct{Charge: c})
}

// reserve holds a charge for the longest time and returns the hold's number.
func (b *book) reserve(c wallet.Charge) int64 {
	b.t.Helper()
	a := b.do(&wallet.Reserve{Charge: c, TTL: wallet.MaxTTL})
	if !a.Allowed {
		b.t.Fatalf("the hold is denied: %v", a.Reasons)
	}
	return a.Hold.N
}

// grant says in one line how a grant stands: its status and the buckets that are not empty.
func (b *book) grant(n int64) string {
	g := b.Stored(n)
	text := string(g.ReadStatus())
	for _, part := range []struct {
		name  string
		units int64
	}{
		{"available", g.Available},
		{"frozen", g.Frozen},
		{"held", g.Held},
		{"spent", g.Spent},
		{"expired", g.Expired},
		{"revoked", g.Revoked},
		{"rolled over", g.RolledOver},
	} {
		if part.units != 0 {
			text += fmt.Sprintf(", %d %s", part.units, part.name)
		}
	}
	return text
}

// is checks how a grant stands.
func (b *book) is(n int64, want string) {
	b.t.Helper()
	if got := b.grant(n); got != want {
		b.t.Errorf("grant %d is %q, want %q", n, got, want)
	}
}

// said tells the entries since it was last called: type, signed amount and balance afterwards.
func (b *book) said() string {
	var lines []string
	entries := b.View().Entries
	for _, e := range entries[b.seen:] {
		lines = append(lines, fmt.Sprintf("%s %+d =%d", e.Type, e.Amount, e.BalanceAfter))
	}
	b.seen = len(entries)
	return strings.Join(lines, ", ")
}

// says checks the entries since it was last called.
func (b *book) says(want ...string) {
	b.t.Helper()
	if got := b.said(); got != strings.Join(want, ", ") {
		b.t.Errorf("entries:\n  got  %s\n  want %s", got, strings.Join(want, ", "))
	}
}

// stands checks a credit: balance (available + frozen + held), what is available, and overage.
func (b *book) stands(credit string, balance, available, overage int64) {
	b.t.Helper()
	c := b.State().Credits[credit]
	if c == nil {
		c = &wallet.CreditState{}
	}
	if c.Balance() != balance || c.Available() != available || c.Overage != overage {
		b.t.Errorf("%s: balance %d, available %d, overage %d; want %d, %d, %d",
			credit, c.Balance(), c.Available(), c.Overage, balance, available, overage)
	}
}

func text(values any) string { return fmt.Sprint(values) }

func some(n int64) *int64 { return &n }
