package sqlite

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/wallet"
)

// snapshot reads a wallet whole; nil when it does not exist.
func (c *session) snapshot(ctx context.Context, w id.Wallet) (*wallet.Snapshot, error) {
	var sn *wallet.Snapshot
	err := c.query(ctx, selectHeader, func(r row) error {
		sn = &wallet.Snapshot{Header: r.header()}
		return nil
	}, of(w)...)
	if err != nil || sn == nil {
		return nil, err
	}
	err = c.query(ctx, selectStandings, func(r row) error {
		sn.Standings = append(sn.Standings, wallet.Standing{
			Credit: r.text(0), Overage: r.int(1), UsedOutside: r.int(2), Uncovered: r.int(3), MeteredOverage: r.int(4),
		})
		return nil
	}, of(w)...)
	if err != nil {
		return nil, err
	}
	if sn.Lanes, err = c.lanes(ctx, w); err != nil {
		return nil, err
	}
	if sn.Grants, err = c.openGrants(ctx, w, sn.Lanes); err != nil {
		return nil, err
	}
	if sn.Holds, err = c.holds(ctx, selectPendingHolds, of(w)...); err != nil {
		return nil, err
	}
	if sn.Subscription, err = c.subscription(ctx, w); err != nil {
		return nil, err
	}
	if err := c.purchases(ctx, sn); err != nil {
		return nil, err
	}
	sn.Tallies, err = c.tallies(ctx, selectOpenTallies, of(w, int64(sn.LastAt))...)
	return sn, err
}

func (c *session) tallies(ctx context.Context, s statement, args ...any) ([]*wallet.Tally, error) {
	var tallies []*wallet.Tally
	err := c.query(ctx, s, func(r row) error {
		tallies = append(tallies, r.tally())
		return nil
	}, args...)
	return tallies, err
}

func (c *session) usages(ctx context.Context, s statement, args ...any) ([]*wallet.Usage, error) {
	var usages []*wallet.Usage
	err := c.query(ctx, s, func(r row) error {
		u, err := r.usage()
		usages = append(usages, u)
		return err
	}, args...)
	return usages, err
}

// fetchUsage reads what needs name of usage events and of what meters made of them.
func (c *session) fetchUsage(ctx context.Context, w id.Wallet, needs *wallet.Needs, into *wallet.Found) error {
	if len(needs.Usages) > 0 {
		var err error
		if into.Usages, err = c.usages(ctx, selectUsagesAmong, of(w, jsonOf(needs.Usages, 1))...); err != nil {
			return err
		}
	}
	for _, r := range needs.Ranges {
		found, err := c.usages(ctx, selectUsageRange, of(w, int64(r.From), int64(r.To), r.Event)...)
		if err != nil {
			return err
		}
		if into.Ranges == nil {
			into.Ranges = map[wallet.UsageRange][]*wallet.Usage{}
		}
		into.Ranges[r] = found
	}
	for _, key := range needs.Tallies {
		found, err := c.tallies(ctx, selectTally, of(w, key.Meter, key.Credit, int64(key.From))...)
		if err != nil {
			return err
		}
		into.Tallies = append(into.Tallies, found...)
	}
	for _, ref := range needs.Uniques {
		err := c.query(ctx, selectUniques, func(r row) error {
			key := wallet.UniqueKey{
				TallyKey: wallet.TallyKey{Meter: r.text(0), Credit: r.text(1), From: r.instant(2)}, Value: [16]byte(r.blob(3)),
			}
			into.Uniques = append(into.Uniques, &wallet.Unique{UniqueKey: key, Events: r.int(4)})
			return nil
		}, of(w, ref.Meter, ref.Credit, ref.Value[:])...)
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *session) lanes(ctx context.Context, w id.Wallet) ([]*wallet.Lane, error) {
	var lanes []*wallet.Lane
	err := c.query(ctx, selectLanes, func(r row) error {
		lane := &wallet.Lane{N: int(r.int(0)), Credit: r.text(1), Inherited: r.bool(3)}
		lanes = append(lanes, lane)
		return r.json(2, &lane.Scope)
	}, of(w)...)
	return lanes, err
}

// openGrants reads the grants that still hold something, with those that they rolled into.
func (c *session) openGrants(ctx context.Context, w id.Wallet, lanes []*wallet.Lane) ([]*wallet.Grant, error) {
	grants, err := c.grants(ctx, lanes, selectOpenGrants, of(w)...)
	if err != nil {
		return nil, err
	}
	open := make(map[int64]bool, len(grants))
	for _, g := range grants {
		open[g.N] = true
	}
	var closed []int64
	for _, g := range grants {
		if g.RolledInto != 0 && !open[g.RolledInto] {
			closed = append(closed, g.RolledInto)
		}
	}
	if len(closed) == 0 {
		return grants, nil
	}
	more, err := c.grants(ctx, lanes, selectGrantsThrough, of(w, numbers(closed))...)
	if err != nil {
		return nil, err
	}
	for _, g := range more {
		if !open[g.N] {
			grants = append(grants, g)
		}
	}
	slices.SortFunc(grants, func(a, b *wallet.Grant) int { return int(a.N - b.N) })
	return grants, nil
}

// grants reads grants; a grant's scope is that of its lane.
func (c *session) grants(ctx context.Context, lanes []*wallet.Lane, s statement, args ...any) ([]*wallet.Grant, error) {
	var grants []*wallet.Grant
	err := c.query(ctx, s, func(r row) error {
		g, err := r.grant()
		if err != nil {
			return err
		}
		if i, ok := slices.BinarySearchFunc(lanes, g.Lane, func(l *wallet.Lane, n int) int { return l.N - n }); ok {
			g.Scope, g.Inherited = lanes[i].Scope, lanes[i].Inherited
		}
		grants = append(grants, g)
		return nil
	}, args...)
	return grants, err
}

func (c *session) holds(ctx context.Context, s statement, args ...any) ([]*wallet.Hold, error) {
	var holds []*wallet.Hold
	err := c.query(ctx, s, func(r row) error {
		h, err := r.hold()
		holds = append(holds, h)
		return err
	}, args...)
	return holds, err
}

func (c *session) entries(ctx context.Context, s statement, args ...any) ([]wallet.Entry, error) {
	var entries []wallet.Entry
	err := c.query(ctx, s, func(r row) error {
		e, err := r.entry()
		entries = append(entries, e)
		return err
	}, args...)
	return entries, err
}

// fetch reads what needs name, as far as it exists.
func (c *session) fetch(ctx context.Context, w id.Wallet, needs wallet.Needs, into *wallet.Found) error {
	if err := c.fetchUsage(ctx, w, &needs, into); err != nil {
		return err
	}
	wanted := slices.Clone(needs.Grants)
	for _, credit := range needs.Metered {
		err := c.query(ctx, selectMeteredGrants, func(r row) error {
			wanted = append(wanted, r.int(0))
			return nil
		}, of(w, credit)...)
		if err != nil {
			return err
		}
	}
	for _, ref := range needs.External {
		err := c.query(ctx, selectGrantsUnder, func(r row) error {
			wanted = append(wanted, r.int(0))
			return nil
		}, of(w, ref.Ref, ref.What)...)
		if err != nil {
			return err
		}
	}
	entries := slices.Clone(needs.Entries)
	slices.Sort(entries)
	for _, seq := range slices.Compact(entries) {
		past, err := c.past(ctx, w, seq)
		if err != nil {
			return err
		}
		if past == nil {
			continue
		}
		into.Past = append(into.Past, past)
		for _, s := range past.Entry.Slices {
			wanted = append(wanted, s.Grant)
		}
	}
	if len(needs.Holds) > 0 {
		var err error
		if into.Holds, err = c.holds(ctx, selectHolds, of(w, numbers(needs.Holds))...); err != nil {
			return err
		}
	}
	if len(needs.Invoices) > 0 {
		var err error
		if into.Invoices, err = c.invoices(ctx, w, needs.Invoices); err != nil {
			return err
		}
	}
	if len(needs.Orders) > 0 {
		var err error
		if into.Orders, err = c.orders(ctx, selectOrders, of(w, numbers(needs.Orders))...); err != nil {
			return err
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	lanes, err := c.lanes(ctx, w)
	if err != nil {
		return err
	}
	into.Grants, err = c.grants(ctx, lanes, selectGrantsThrough, of(w, numbers(wanted))...)
	return err
}

// past reads an entry with its reversals; nil when it does not exist.
func (c *session) past(ctx context.Context, w id.Wallet, seq int64) (*wallet.Past, error) {
	entry, err := c.entries(ctx, selectEntry, of(w, seq)...)
	if err != nil || len(entry) == 0 {
		return nil, err
	}
	reversals, err := c.entries(ctx, selectReversals, of(w, id.Object(id.PrefixEntry, w, seq), wallet.RefEntry)...)
	return &wallet.Past{Entry: entry[0], Reversals: reversals}, err
}

// of is the arguments of a statement about a wallet: its key, and what else there is.
func of(w id.Wallet, more ...any) []any {
	return append([]any{int64(w.Bucket()), w[:]}, more...)
}

// numbers is a list as SQLite's json_each reads it.
func numbers(list []int64) string {
	b, _ := json.Marshal(list) // integers always marshal
	return string(b)
}
