// Package audit proves the books: it recomputes every wallet from its entries and compares what
// comes out with the rows that commands rely on.
//
// It owns the checks of the laws (conservation, the chain of hashes, the agreement of entries,
// grants, holds, standings and purchases). It changes nothing and repairs nothing: a difference is a fault
// to be understood, not to be smoothed over.
package audit

import (
	"bytes"
	"context"
	"fmt"

	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/wallet"
)

const (
	page = 500
	// maxTries bounds how often a wallet is read again because it changed while it was read.
	maxTries = 20
)

// Difference is something that does not add up.
type Difference struct {
	Wallet   id.Wallet
	Key      wallet.Key
	Found    string // what is wrong, with both figures
	Sequence int64  // of the entry concerned; 0: none
}

// String is one line for people.
func (d Difference) String() string {
	at := ""
	if d.Sequence > 0 {
		at = fmt.Sprintf(" entry %d", d.Sequence)
	}
	return fmt.Sprintf("app %s, %s, customer %q%s: %s", d.Key.App, d.Key.Mode, d.Key.Customer, at, d.Found)
}

// Report is what an audit found.
type Report struct {
	Wallets     int
	Entries     int64
	Grants      int64
	Differences []Difference
}

// Run audits every wallet of a store. It may run while servers write: a wallet that changes
// under its eyes is read again.
func Run(ctx context.Context, st store.Store) (Report, error) {
	var report Report
	var after id.Wallet
	for {
		headers, err := st.Headers(ctx, after, page)
		if err != nil {
			return report, err
		}
		for i := range headers {
			if err := auditWallet(ctx, st, headers[i].ID, &report); err != nil {
				return report, err
			}
		}
		if len(headers) < page {
			return report, nil
		}
		after = headers[len(headers)-1].ID
	}
}

// auditWallet reads a wallet until it gets it in one piece, and checks it.
func auditWallet(ctx context.Context, st store.Store, w id.Wallet, report *Report) error {
	for try := 1; ; try++ {
		b, err := readBooks(ctx, st, w)
		if err != nil {
			return err
		}
		sn, err := st.Snapshot(ctx, w)
		if err != nil {
			return err
		}
		if sn.Version != b.sn.Version && try < maxTries {
			continue
		}
		report.Wallets++
		report.Entries += b.entries
		report.Grants += int64(len(b.grants))
		b.check()
		if sn.Version != b.sn.Version {
			b.differ(0, "the wallet changes too fast to be audited now; audit it again")
			b.found = b.found[len(b.found)-1:]
		}
		report.Differences = append(report.Differences, b.found...)
		return nil
	}
}

// books is one wallet's rows beside what its entries say they should be.
type books struct {
	sn      *wallet.Snapshot
	grants  map[int64]*wallet.Grant
	dues    map[string]int64        // what all tallies make due, by credit
	sums    map[int64]*wallet.Grant // recomputed from entries: the live parts, and where the rest went
	credits map[string]*standing
	orders  []*wallet.Order // newest first
	entries int64
	next    *wallet.Entry // the entry read before: one later in the chain
	found   []Difference
}

// standing is what entries say of a credit.
type standing struct {
	newest  *wallet.Entry
	oldest  *wallet.Entry
	used    int64
	balance int64 // sum of the slices
}

func (b *books) differ(seq int64, format string, args ...any) {
	b.found = append(b.found, Difference{Wallet: b.sn.ID, Key: b.sn.Key, Sequence: seq, Found: fmt.Sprintf(format, args...)})
}

func readBooks(ctx context.Context, st store.Store, w id.Wallet) (*books, error) {
	sn, err := st.Snapshot(ctx, w)
	if err != nil {
		return nil, err
	}
	b := &books{sn: sn, grants: map[int64]*wallet.Grant{}, sums: map[int64]*wallet.Grant{}, credits: map[string]*standing{}, dues: map[string]int64{}}
	if err := b.readTallies(ctx, st, w); err != nil {
		return nil, err
	}
	if err := b.readOrders(ctx, st, w); err != nil {
		return nil, err
	}
	for q := (store.GrantQuery{Wallet: w, Limit: page}); ; {
		found, err := st.Grants(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, g := range found {
			b.grants[g.N] = g
			q.After = g.N
		}
		if len(found) < page {
			break
		}
	}
	for q := (store.EntryQuery{Wallet: w, Limit: page}); ; {
		found, err := st.Entries(ctx, q)
		if err != nil {
			return nil, err
		}
		for i := range found {
			b.entry(&found[i])
			q.Before = found[i].Seq
		}
		if len(found) < page {
			return b, nil
		}
	}
}

func (b *books) readTallies(ctx context.Context, st store.Store, w id.Wallet) error {
	for q := (store.TallyQuery{Wallet: w, Limit: page}); ; {
		found, err := st.Tallies(ctx, q)
		if err != nil {
			return err
		}
		for _, t := range found {
			b.dues[t.Credit] += t.Due
			q.After = t.TallyKey
		}
		if len(found) < page {
			return nil
		}
	}
}

// entry takes one entry in; they come newest first.
func (b *books) entry(e *wallet.Entry) {
	b.entries++
	b.chain(e)
	c, ok := b.credits[e.Credit]
	if !ok {
		c = &standing{newest: e}
		b.credits[e.Credit] = c
	}
	if later := c.oldest; later != nil {
		if later.BalanceBefore != e.BalanceAfter {
			b.differ(later.Seq, "balance before is %d, but the entry before it left %d", later.BalanceBefore, e.BalanceAfter)
		}
		if later.OverageBefore != e.OverageAfter {
			b.differ(later.Seq, "overage before is %d, but the entry before it left %d", later.OverageBefore, e.OverageAfter)
		}
	}
	c.oldest = e
	c.used += e.UsedChange()
	change := int64(0)
	for _, s := range e.Slices {
		change += s.Sum()
		b.slice(e, s)
	}
	c.balance += change
	if e.BalanceAfter-e.BalanceBefore != change {
		b.differ(e.Seq, "the balance changed by %d, but its slices say %d", e.BalanceAfter-e.BalanceBefore, change)
	}
}

func (b *books) chain(e *wallet.Entry) {
	if e.Seal(b.sn.ID) != e.Hash {
		b.differ(e.Seq, "its content does not have the hash that is stored with it")
	}
	switch later := b.next; {
	case later == nil:
		if e.Seq != b.sn.Seq || e.Hash != b.sn.Head {
			b.differ(e.Seq, "the newest entry is not the head of the chain (%d)", b.sn.Seq)
		}
	case later.Seq != e.Seq+1:
		b.differ(e.Seq, "the entry after it has the sequence %d: something is missing between them", later.Seq)
	case !bytes.Equal(later.Prev[:], e.Hash[:]):
		b.differ(later.Seq, "it does not continue the entry before it")
	}
	b.next = e
}

// slice adds what an entry did to a grant, by the type of the entry.
func (b *books) slice(e *wallet.Entry, s wallet.Slice) {
	g, ok := b.sums[s.Grant]
	if !ok {
		g = &wallet.Grant{N: s.Grant}
		b.sums[s.Grant] = g
	}
	g.Available += s.Available
	g.Frozen += s.Frozen
	g.Held += s.Held
	out := -s.Sum()
	switch e.Type {
	case wallet.CreditAdded, wallet.AutoTopUp:
		g.Amount -= out
	case wallet.CreditDeducted:
		g.Spent += out
	case wallet.CreditExpired, wallet.RolloverForfeited:
		g.Expired += out
	case wallet.Revoked:
		g.Revoked += out
	case wallet.CreditRolledOver:
		if out > 0 {
			g.RolledOver += out
		} else {
			g.Amount -= out
		}
	case wallet.Refund:
		if out > 0 {
			g.Revoked += out
		} else {
			g.Spent += out
		}
	case wallet.ManualAdjustment:
		if out > 0 {
			g.Spent += out
		} else {
			g.Amount -= out
		}
	}
}
