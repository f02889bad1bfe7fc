package lives

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed42445051/scrip/clock"
	v1 "github.com/seed42445051/scrip/v1"
)

// tally counts what was checked, so that a run that proved nothing is seen.
type tally struct {
	payments, granted, refunded, shortOf, disputes, lost, topUps, retries, renewals, renewed int
}

func (t *tally) String() string {
	return fmt.Sprintf("%d payments, %d of them with credits, %d refunded (%d after some was spent), %d disputed (%d lost), %d automatic top-ups (%d charges declined), %d plan cycles (%d that gave something)",
		t.payments, t.granted, t.refunded, t.shortOf, t.disputes, t.lost, t.topUps, t.retries, t.renewals, t.renewed)
}

// check holds what a customer has against what the provider's record says of money. It asks Scrip only
// for what the customer has: grants, entries, invoices; what they should be is reckoned from the record
// and from what the customer knows to have asked for.
type check struct {
	*life
	record  *record
	tally   *tally
	credits map[string]string // names of credits by id
	grants  []v1.Grant
	entries []v1.Entry
	cycles  map[string]string // orders that paid for a cycle of a plan, by what it gave
	failed  bool
}

// creditNames reads the names of credits by id.
func creditNames(t testing.TB, ops v1.Operations) map[string]string {
	t.Helper()
	all, err := ops.ListCredits(context.Background())
	noError(t, err)
	names := map[string]string{}
	for _, c := range all.Data {
		names[c.ID] = c.Name
	}
	return names
}

func (l *life) check(r *record, names map[string]string, sum *tally) {
	l.t.Helper()
	c := &check{life: l, record: r, tally: sum, credits: names}
	c.read()
	c.payments()
	c.noneWithoutMoney()
	c.takenBackWhereItBelongs()
	c.topUps()
	c.invoices()
	c.nothingBelowZero()
	if c.failed {
		c.tell()
	}
}

// tell says what there is to know of a customer who has not what they should.
func (c *check) tell() {
	c.t.Helper()
	for _, a := range c.agreed {
		c.t.Logf("%s: agreed at %s: %+v", c.id, a.at, a)
	}
	for _, e := range c.entries {
		c.t.Logf("%s: %s (of %s): %s %s of %s leaves %s, %s %s, %v", c.id, e.RecordedAt, e.EffectiveAt, e.Type, e.Amount, c.credits[e.CreditID], e.BalanceAfter, e.ReferenceType, e.ReferenceID, e.Slices)
	}
	for _, p := range c.record.payments {
		if p.customer() == c.id {
			c.t.Logf("%s: %s: %s, %d refunds of %d, dispute %+v", c.id, p.at(), p, len(p.refunds), p.refunded(), p.dispute)
		}
	}
}

func (c *check) failf(format string, args ...any) {
	c.t.Helper()
	c.failed = true
	c.t.Errorf("%s: %s", c.id, fmt.Sprintf(format, args...))
}

func (c *check) read() {
	c.t.Helper()
	ctx := context.Background()
	gq := v1.GrantQuery{Limit: v1.MaxPage}
	for {
		page, err := c.ops.CustomerGrants(ctx, c.id, gq)
		noError(c.t, err)
		c.grants = append(c.grants, page.Data...)
		if gq.Cursor = page.NextCursor; !page.HasMore {
			break
		}
	}
	eq := v1.LedgerQuery{Limit: v1.MaxPage}
	for {
		page, err := c.ops.Ledger(ctx, c.id, eq)
		noError(c.t, err)
		c.entries = append(c.entries, page.Data...)
		if eq.Cursor = page.NextCursor; !page.HasMore {
			break
		}
	}
	slices.Reverse(c.entries)
	c.cycles = map[string]string{}
	for order, all := range c.mine() {
		if _, gives := c.expected(order, all[0]); gives != nil {
			continue
		}
		o, err := c.ops.GetOrder(ctx, order)
		noError(c.t, err)
		for _, g := range o.Grants {
			c.cycles[g.GrantID] = order
		}
	}
}

// of is the order that a grant belongs to.
func (c *check) of(g *v1.Grant) string {
	if order := c.cycles[g.ID]; order != "" {
		return order
	}
	return g.SourceID
}

// mine are the customer's payments, by order.
func (c *check) mine() map[string][]*payment { return c.record.of(c.id) }

// expected is what an order gives that the customer asked for, or that was placed for them: the pack
// that the payment names. Neither is a plan's, which says so in its invoices.
func (c *check) expected(order string, p *payment) (minor int64, gives map[string]int64) {
	if want := c.bought[order]; want != nil {
		return want.minor, want.gives
	}
	if pack := p.Metadata[metaPack]; pack != "" && p.attempt() > 0 {
		return packs[pack].price, packs[pack].gives
	}
	return p.Amount, nil // the next cycle of a plan
}

// payments: paid exactly if credited once, refunded exactly if taken back once.
func (c *check) payments() {
	c.t.Helper()
	mine := c.mine()
	for _, order := range slices.Sorted(maps.Keys(mine)) {
		var paid *payment
		attempts := map[int]bool{}
		for _, p := range mine[order] {
			if n := p.attempt(); n > 0 && attempts[n] {
				c.failf("attempt %d was made twice: %s", n, p)
			} else {
				attempts[n] = true
			}
			if !p.paid() {
				continue
			}
			if paid != nil {
				c.failf("paid twice: %s and %s", paid, p)
			}
			paid = p
		}
		if paid != nil {
			c.paid(order, paid)
		}
	}
}

func (c *check) paid(order string, p *payment) {
	c.t.Helper()
	c.tally.payments++
	minor, gives := c.expected(order, p)
	if p.Received != minor || p.Currency != "usd" {
		c.failf("%s: %d was expected", p, minor)
	}
	if p.refunded() > 0 {
		c.tally.refunded++
	}
	if p.dispute != nil {
		c.tally.disputes++
		if p.dispute.Status == "lost" {
			c.tally.lost++
		}
	}
	if len(gives) > 0 {
		c.tally.granted++
	}
	if gives == nil && slices.Contains(slices.Collect(maps.Values(c.cycles)), order) {
		c.tally.renewed++
		gives = map[string]int64{tokens: weekly}
	}
	for _, credit := range slices.Sorted(maps.Keys(gives)) {
		c.credited(order, p, credit, gives[credit])
	}
}

// credited checks one credit of an order that was paid.
func (c *check) credited(order string, p *payment, credit string, granted int64) {
	c.t.Helper()
	var bought []v1.Grant
	revoked, again, left, frozen := int64(0), int64(0), int64(0), int64(0)
	for _, g := range c.grants {
		if c.of(&g) != order || c.credits[g.CreditID] != credit {
			continue
		}
		n := decimals[credit]
		switch g.Source {
		case "purchase", "subscription":
			bought = append(bought, g)
		case "refund":
			again += units(c.t, g.Amount, n)
		default:
			c.failf("grant %s of order %s is of %s", g.ID, order, g.Source)
		}
		revoked += units(c.t, g.Revoked, n)
		frozen += units(c.t, g.Frozen, n)
		left += units(c.t, g.Available, n) // what a hold still has is taken when it comes back
	}
	if len(bought) != 1 || units(c.t, bought[0].Amount, decimals[credit]) != granted {
		o, err := c.ops.GetOrder(context.Background(), order)
		c.failf("%s gave %d grants of %s, of %v; want one of %d (the order is %s: %v)", p, len(bought), credit, bought, granted, o.Status, err)
		return
	}
	taken, target := revoked-again, granted*p.refunded()/p.Received
	open := p.dispute != nil && slices.Contains([]string{"needs_response", "warning_needs_response"}, p.dispute.Status)
	if p.dispute != nil && p.dispute.Status == "lost" {
		target = granted
	}
	switch {
	case taken > target || taken < 0:
		c.failf("%s: %d of %d %s were taken back for %d of %d refunded, at most %d may be", p, taken, granted, credit, p.refunded(), p.Received, target)
	case taken < target && left+frozen > 0:
		c.failf("%s: only %d of %d %s were taken back, %d should be, and %d are left", p, taken, granted, credit, target, left+frozen)
	case taken < target:
		c.tally.shortOf++
	}
	if !open && frozen > 0 {
		c.failf("%s: %d %s are frozen without a dispute", p, frozen, credit)
	}
	for _, g := range c.grants {
		if open && c.of(&g) == order && c.credits[g.CreditID] == credit && units(c.t, g.Available, decimals[credit]) > 0 {
			c.failf("%s: %s of %s can be spent in spite of a dispute", p, g.Available, credit)
		}
	}
}

// noneWithoutMoney: what was bought has been paid for.
func (c *check) noneWithoutMoney() {
	c.t.Helper()
	mine := c.mine()
	for _, g := range c.grants {
		switch {
		case g.Source == "subscription":
			if !c.paidPlan(mine) {
				c.failf("grant %s of a plan, and none was paid", g.ID)
			}
		case !slices.ContainsFunc(mine[g.SourceID], (*payment).paid):
			c.failf("grant %s (%s) of order %s, which was not paid", g.ID, g.Source, g.SourceID)
		}
	}
}

func (c *check) paidPlan(mine map[string][]*payment) bool {
	for order, p := range c.bought {
		if p.kind == "plan" && slices.ContainsFunc(mine[order], (*payment).paid) {
			return true
		}
	}
	return false
}

// takenBackWhereItBelongs: a refund takes from the grants of its own order.
func (c *check) takenBackWhereItBelongs() {
	c.t.Helper()
	of := map[string]string{}
	for _, g := range c.grants {
		of[g.ID] = c.of(&g)
	}
	for _, e := range c.entries {
		for _, s := range e.Slices {
			if e.Type == "refund" && of[s.GrantID] != e.ReferenceID {
				c.failf("entry %d takes back for order %s from a grant of %s", e.Sequence, e.ReferenceID, of[s.GrantID])
			}
		}
	}
}

// placed is an automatic top-up, as the provider and the order tell of it.
type placed struct {
	order    v1.Order
	payments []*payment
	paid     bool
}

// toppedUp tells whether an order is an automatic top-up: a pack that was charged without a page, and
// that the customer did not ask for.
func (l *life) toppedUp(order string, payments []*payment) bool {
	return l.bought[order] == nil && payments[0].attempt() > 0 && payments[0].Metadata[metaPack] != ""
}

// topUps: none without consent, each after a crossing, one at a time, under the caps.
func (c *check) topUps() {
	c.t.Helper()
	var all []placed
	for order, payments := range c.mine() {
		if !c.toppedUp(order, payments) {
			continue
		}
		o, err := c.ops.GetOrder(context.Background(), order)
		noError(c.t, err)
		p := placed{order: o, payments: payments, paid: slices.ContainsFunc(payments, (*payment).paid)}
		c.tally.topUps++
		for _, x := range payments {
			if !x.paid() {
				c.tally.retries++
			}
		}
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b placed) int {
		return strings.Compare(a.order.CreatedAt.String()+a.order.ID, b.order.CreatedAt.String()+b.order.ID)
	})
	for i := range all {
		p := &all[i]
		c.consented(p)
		c.crossed(p)
		if i > 0 {
			before := all[i-1].order
			settled := max(before.PaidAt, before.ClosedAt)
			if settled.IsZero() || settled > p.order.CreatedAt {
				c.failf("top-up %s was begun while %s was under way", p.order.ID, before.ID)
			}
		}
		for j := range all[:i] {
			for _, x := range all[j].payments {
				if x.ends() && !c.agreedBetween(all[j].order.CreatedAt, p.order.CreatedAt) {
					c.failf("top-up %s was begun after %s, which needs the customer", p.order.ID, x)
				}
			}
		}
	}
	c.capped(all, day, func(a *agreement) (int64, int64) { return a.caps.DayCount, a.caps.DayAmount })
	c.capped(all, month, func(a *agreement) (int64, int64) { return a.caps.MonthCount, a.caps.MonthAmount })
}

// inForce are the agreements that hold at an instant: those of the instant itself as well, since the
// clock stands still in between.
func (c *check) inForce(at clock.Instant) []*agreement {
	var all []*agreement
	for i := range c.agreed {
		a := &c.agreed[i]
		if a.at > at {
			break
		}
		if a.at < at {
			all = all[:0]
		}
		if i > 0 && c.agreed[i-1].at < at && a.at == at {
			all = append(all, &c.agreed[i-1])
		}
		all = append(all, a)
	}
	return all
}

func (c *check) agreedBetween(from, to clock.Instant) bool {
	return slices.ContainsFunc(c.agreed, func(a agreement) bool { return a.on && a.at >= from && a.at <= to })
}

// consented: every charge was made while the customer agreed to charges.
func (c *check) consented(p *placed) {
	c.t.Helper()
	for i, x := range p.payments {
		if !c.alone { // it may have been on its way when they ended it
			if !c.agreedBetween(0, x.at().Add(time.Second)) {
				c.failf("nobody ever agreed to %s of %s", x, x.at())
			}
			continue
		}
		// It was due from the order's beginning, or from a pause after the attempt before; from then on it
		// may be on its way.
		due := p.order.CreatedAt
		if i > 0 {
			due = p.payments[i-1].at().Add(retryAfter[min(i, len(retryAfter))-1])
		}
		agreed := slices.ContainsFunc(c.inForce(x.at()), (*agreement).holds) || slices.ContainsFunc(c.inForce(due), (*agreement).holds)
		if !agreed && !c.agreedBetween(due, x.at()) {
			c.failf("nobody agreed to %s of %s", x, x.at())
		}
	}
}

// retryAfter is how long after a decline a charge is made again.
var retryAfter = []time.Duration{time.Hour, 5 * time.Hour, 16 * time.Hour}

// crossed: the balance was below the threshold when the charge was begun.
func (c *check) crossed(p *placed) {
	c.t.Helper()
	if c.disputed || !c.alone {
		return // what is frozen is not in the balance that counts, and is in that of entries
	}
	at := p.order.CreatedAt
	lowest := int64(0)
	for _, e := range c.entries {
		if c.credits[e.CreditID] != tokens || e.EffectiveAt > at {
			continue
		}
		if after := units(c.t, e.BalanceAfter, 0); e.EffectiveAt < at {
			lowest = after
		} else {
			lowest = min(lowest, after)
		}
	}
	if !slices.ContainsFunc(c.inForce(at), func(a *agreement) bool { return a.on && lowest < a.threshold }) {
		c.failf("top-up %s was begun at a balance of %d, at which nobody agreed to it", p.order.ID, lowest)
	}
}

// capped: in no stretch of time was more bought than the loosest agreement in it allows.
func (c *check) capped(all []placed, stretch func(clock.Instant) string, caps func(*agreement) (int64, int64)) {
	c.t.Helper()
	count, minor := map[string]int64{}, map[string]int64{}
	for _, p := range all {
		if !p.paid {
			continue
		}
		in := stretch(p.order.CreatedAt)
		count[in]++
		minor[in] += p.payments[0].Amount
		unbounded := func(bound int64) bool { return bound == 0 }
		within := slices.ContainsFunc(c.agreed, func(a agreement) bool {
			most, money := caps(&a)
			return a.on && (unbounded(most) || count[in] <= most) && (unbounded(money) || minor[in] <= money)
		})
		if !within {
			c.failf("%d automatic top-ups of %d in all in %s are more than was agreed", count[in], minor[in], in)
		}
	}
}

// wanted fails the test when an automatic top-up is due now and is not under way.
func (l *life) wanted(r *record) {
	l.t.Helper()
	if len(l.agreed) == 0 {
		return
	}
	all, err := l.ops.AutoTopUps(context.Background(), l.id)
	noError(l.t, err)
	card, err := l.ops.PaymentMethod(context.Background(), l.id)
	noError(l.t, err)
	for _, t := range all.Data {
		last := l.agreed[len(l.agreed)-1]
		if !t.Enabled || !card.Saved || t.OrderID != "" || t.NotBefore > l.now() {
			continue
		}
		if !last.on {
			l.t.Errorf("%s: automatic top-ups are on, and the customer ended them", l.id)
		}
		b, err := l.ops.Balances(context.Background(), l.id, tokens, 0)
		noError(l.t, err)
		have := int64(0)
		if len(b.Data) > 0 {
			have = units(l.t, b.Data[0].Available, 0) + units(l.t, b.Data[0].Held, 0)
		}
		if have < last.threshold && l.room(r, &last) {
			l.t.Errorf("%s: %d tokens are below %d, and nothing is bought: %+v", l.id, have, last.threshold, t)
		}
	}
}

// room tells whether the caps leave any, by what was charged.
func (l *life) room(r *record, a *agreement) bool {
	var dayCount, dayMinor, monthCount, monthMinor int64
	now := l.now()
	for _, p := range r.payments {
		if p.customer() != l.id || p.attempt() == 0 || p.Metadata[metaPack] == "" || l.bought[p.order()] != nil || !p.paid() {
			continue
		}
		o, err := l.ops.GetOrder(context.Background(), p.order())
		noError(l.t, err)
		if day(o.CreatedAt) == day(now) {
			dayCount, dayMinor = dayCount+1, dayMinor+p.Amount
		}
		if month(o.CreatedAt) == month(now) {
			monthCount, monthMinor = monthCount+1, monthMinor+p.Amount
		}
	}
	under := func(bound, n int64) bool { return bound == 0 || n <= bound }
	price := packs[a.pack].price
	return under(a.caps.DayCount, dayCount+1) && under(a.caps.DayAmount, dayMinor+price) &&
		under(a.caps.MonthCount, monthCount+1) && under(a.caps.MonthAmount, monthMinor+price)
}

// invoices: every payment is on one invoice that is paid, and every invoice that is paid has its payment.
func (c *check) invoices() {
	c.t.Helper()
	q := v1.InvoiceQuery{CustomerID: c.id, Status: "paid", Limit: v1.MaxPage}
	page, err := c.ops.ListInvoices(context.Background(), q)
	noError(c.t, err)
	on := map[string]int{}
	for _, v := range page.Data {
		if v.Total == 0 {
			continue
		}
		on[v.Reference]++
		i := slices.IndexFunc(c.record.payments, func(p *payment) bool { return p.ID == v.Reference })
		if i < 0 || !c.record.payments[i].paid() || c.record.payments[i].Received != v.Total || c.record.payments[i].customer() != c.id {
			c.failf("invoice %s of %d is paid by %q, and the provider knows of no such payment", v.ID, v.Total, v.Reference)
		}
	}
	for _, p := range c.record.payments {
		if p.customer() != c.id || !p.paid() {
			continue
		}
		if on[p.ID] != 1 && !(on[p.ID] == 0 && c.paidForNothing(p)) {
			c.failf("%s is on %d invoices", p, on[p.ID])
		}
		if _, gives := c.expected(p.order(), p); gives == nil {
			c.tally.renewals++
		}
	}
}

// paidForNothing tells whether a plan was paid that the customer has already, from another page: then
// somebody is told, who pays it back.
func (c *check) paidForNothing(p *payment) bool {
	c.t.Helper()
	want := c.bought[p.order()]
	if want == nil || want.kind != "plan" {
		return false
	}
	o, err := c.ops.GetOrder(context.Background(), p.order())
	noError(c.t, err)
	others := 0
	for order, payments := range c.mine() {
		if b := c.bought[order]; order != p.order() && b != nil && b.kind == "plan" && slices.ContainsFunc(payments, (*payment).paid) {
			others++
		}
	}
	return o.Status == "paid" && o.Reason != "" && others > 0
}

func (c *check) nothingBelowZero() {
	c.t.Helper()
	for _, g := range c.grants {
		for _, d := range []string{string(g.Available), string(g.Held), string(g.Frozen), string(g.Spent), string(g.Revoked), string(g.Expired)} {
			if strings.HasPrefix(d, "-") {
				c.failf("grant %s has %s", g.ID, d)
			}
		}
	}
	for _, e := range c.entries {
		if strings.HasPrefix(string(e.BalanceAfter), "-") {
			c.failf("entry %d leaves %s", e.Sequence, e.BalanceAfter)
		}
	}
}
