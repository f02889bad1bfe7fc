package engine

import (
	"context"

	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/wallet"
)

// Reading is a wallet as it is at an instant, time's doing included, whether or not anybody
// has written that down.
type Reading struct {
	State   *wallet.State
	Entries []wallet.Entry          // made by time, not written yet; oldest first
	Grants  map[int64]*wallet.Grant // changed or made by time, not written yet
	Holds   map[int64]*wallet.Hold  // lapsed by time, not written yet
	// Invoices and History are what time made of the subscription and is not written yet.
	Invoices []*wallet.Invoice
	History  []wallet.SubscriptionEvent
}

// Read returns a wallet as it is now. Nothing is written. It is nil when the wallet does not
// exist.
func (e *Engine) Read(ctx context.Context, w id.Wallet) (*Reading, error) {
	sn, err := e.store.Snapshot(ctx, w)
	if err != nil || sn == nil {
		return nil, err
	}
	defs, err := e.Definitions(ctx, sn.Key.App)
	if err != nil {
		return nil, err
	}
	r := &Reading{
		State: wallet.Load(sn, defs), Grants: map[int64]*wallet.Grant{}, Holds: map[int64]*wallet.Hold{},
	}
	return r, e.settleCopy(ctx, r, wallet.Context{Now: defs.Now(sn.Key.Mode, e.clock.Now()), Defs: defs})
}

// settleCopy brings a private copy of a wallet to now, fetching what it looks back at.
func (e *Engine) settleCopy(ctx context.Context, r *Reading, cx wallet.Context) error {
	for {
		d, err := wallet.Settle(r.State, cx)
		if m, ok := asMissing(err); ok {
			f, err := e.store.Fetch(ctx, r.State.ID, m.Needs)
			if err != nil {
				return err
			}
			r.State.Adopt(&m.Needs, f)
			continue
		}
		if err != nil || d == nil {
			return err
		}
		for _, g := range d.Grants {
			r.Grants[g.N] = g
		}
		for _, h := range d.Holds {
			r.Holds[h.N] = h
		}
		r.Entries = append(r.Entries, d.Entries...)
		r.Invoices = append(r.Invoices, d.Invoices...)
		r.History = append(r.History, d.History...)
		r.State.Apply(d, cx.Defs)
	}
}

// Ahead brings a reading, which is a private copy, on to a later instant as though nobody did
// anything until then, and returns what is invoiced meanwhile.
func (e *Engine) Ahead(ctx context.Context, r *Reading, at clock.Instant) ([]*wallet.Invoice, error) {
	defs, err := e.Definitions(ctx, r.State.Key.App)
	if err != nil {
		return nil, err
	}
	have := len(r.Invoices)
	if err := e.settleCopy(ctx, r, wallet.Context{Now: at, Defs: defs}); err != nil {
		return nil, err
	}
	return r.Invoices[have:], nil
}

// Stored is the sequence of the newest entry that was written when the wallet was read. What was
// written since is not part of the reading.
func (r *Reading) Stored() int64 { return r.State.Seq - int64(len(r.Entries)) }

// Grant returns a grant that is open, or that time has just changed.
func (r *Reading) Grant(n int64) (*wallet.Grant, bool) {
	if g, ok := r.Grants[n]; ok {
		return g, true
	}
	return r.State.Grant(n)
}

// Hold returns a hold that is pending, or that has just lapsed.
func (r *Reading) Hold(n int64) (*wallet.Hold, bool) {
	if h, ok := r.Holds[n]; ok {
		return h, true
	}
	return r.State.Hold(n)
}
