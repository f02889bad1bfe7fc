package audit

import (
	"maps"
	"slices"

	"github.com/seed42445051/scrip/wallet"
)

// check compares the rows with what the entries say.
func (b *books) check() {
	if b.entries != b.sn.Seq {
		b.differ(0, "there are %d entries, but the wallet has counted %d", b.entries, b.sn.Seq)
	}
	if b.next != nil && (b.next.Seq != 1 || b.next.Prev != wallet.Hash{}) {
		b.differ(b.next.Seq, "the chain does not begin with it")
	}
	live, open := map[string]int64{}, map[string]int64{} // balance, and what open grants show as spent
	for _, n := range slices.Sorted(maps.Keys(b.grants)) {
		g := b.grants[n]
		b.checkGrant(g)
		if g.Status != wallet.GrantPending {
			live[g.Credit] += g.Live()
		}
		if g.Open() {
			open[g.Credit] += g.Spent
		}
	}
	for _, n := range slices.Sorted(maps.Keys(b.sums)) {
		if b.grants[n] == nil {
			b.differ(0, "entries speak of grant %d, which does not exist", n)
		}
	}
	b.checkHolds()
	b.checkOrders()
	b.checkMetered()
	b.checkStandings(live, open)
}

func (b *books) checkGrant(g *wallet.Grant) {
	if !g.Conserved() {
		b.differ(0, "grant %d does not add up to its amount of %d", g.N, g.Amount)
	}
	if ended(g.Status) && g.Available+g.Frozen != 0 {
		b.differ(0, "grant %d is %s, but %d of it is still there", g.N, g.Status, g.Available+g.Frozen)
	}
	isThis := func(loaded *wallet.Grant) bool { return loaded.N == g.N }
	if g.Open() && !slices.ContainsFunc(b.sn.Grants, isThis) {
		b.differ(0, "grant %d holds something, but is not loaded with its wallet: no command sees it", g.N)
	}
	said, ok := b.sums[g.N]
	if !ok {
		said = &wallet.Grant{}
	}
	amount := g.Amount
	if g.Status == wallet.GrantPending {
		amount = g.Revoked // what is revoked of it begins and goes at once, the rest has not begun
	}
	for _, part := range []struct {
		name      string
		row, said int64
	}{
		{"amount", amount, said.Amount},
		{"available", g.Available, said.Available},
		{"frozen", g.Frozen, said.Frozen},
		{"held", g.Held, said.Held},
		{"spent", g.Spent, said.Spent},
		{"expired", g.Expired, said.Expired},
		{"revoked", g.Revoked, said.Revoked},
		{"rolled over", g.RolledOver, said.RolledOver},
	} {
		if part.row != part.said {
			b.differ(0, "grant %d: %s is %d, but entries say %d", g.N, part.name, part.row, part.said)
		}
	}
}

// ended reports whether a grant is over, so that only pending holds may have something of it.
func ended(status wallet.GrantStatus) bool {
	return status == wallet.GrantExpired || status == wallet.GrantRevoked || status == wallet.GrantRolledOver
}

// checkHolds compares what grants have held with what pending holds are pinned to.
func (b *books) checkHolds() {
	held := map[int64]int64{}
	for _, h := range b.sn.Holds {
		for _, s := range h.Slices {
			held[s.Grant] += s.Units
		}
	}
	for _, n := range slices.Sorted(maps.Keys(b.grants)) {
		if g := b.grants[n]; g.Held != held[n] {
			b.differ(0, "grant %d has %d held, but pending reservations hold %d of it", n, g.Held, held[n])
		}
	}
}

func (b *books) checkStandings(live, open map[string]int64) {
	stored := map[string]wallet.Standing{}
	for _, s := range b.sn.Standings {
		stored[s.Credit] = s
	}
	for _, credit := range slices.Sorted(maps.Keys(b.credits)) {
		c, row := b.credits[credit], stored[credit]
		if c.balance != live[credit] || c.newest.BalanceAfter != live[credit] {
			b.differ(c.newest.Seq, "credit %s: grants hold %d, entries sum to %d and end at %d", credit, live[credit], c.balance, c.newest.BalanceAfter)
		}
		if c.oldest.BalanceBefore != 0 || c.oldest.OverageBefore != 0 {
			b.differ(c.oldest.Seq, "credit %s does not begin at zero", credit)
		}
		if row.Overage != c.newest.OverageAfter {
			b.differ(c.newest.Seq, "credit %s: overage is %d, but entries end at %d", credit, row.Overage, c.newest.OverageAfter)
		}
		if used := row.UsedOutside + open[credit]; used != c.used {
			b.differ(0, "credit %s: %d used, but entries say %d", credit, used, c.used)
		}
	}
	for credit, balance := range live {
		if b.credits[credit] == nil && balance != 0 {
			b.differ(0, "credit %s has %d in grants and no entries", credit, balance)
		}
	}
}

// checkMetered compares what all tallies make due with what was booked for it: everything due is
// paid by grants, is overage, or is covered by nothing.
func (b *books) checkMetered() {
	paid := map[string]int64{}
	for _, g := range b.grants {
		paid[g.Credit] += g.Metered
	}
	stored := map[string]wallet.Standing{}
	for _, s := range b.sn.Standings {
		stored[s.Credit] = s
	}
	credits := map[string]bool{}
	for _, some := range []map[string]int64{paid, b.dues} {
		for credit := range some {
			credits[credit] = true
		}
	}
	for credit := range stored {
		credits[credit] = true
	}
	for _, credit := range slices.Sorted(maps.Keys(credits)) {
		row := stored[credit]
		if booked := row.Uncovered + row.MeteredOverage + paid[credit]; b.dues[credit] != booked {
			b.differ(0, "credit %s: what meters have counted makes %d due, but grants paid %d of it, %d is overage and %d is uncovered",
				credit, b.dues[credit], paid[credit], row.MeteredOverage, row.Uncovered)
		}
		if row.MeteredOverage > row.Overage {
			b.differ(0, "credit %s: meters drew %d of the overage, of which there is only %d", credit, row.MeteredOverage, row.Overage)
		}
	}
}
