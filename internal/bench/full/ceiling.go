package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/wallet"
)

// The store's own ceiling: the rows that deductions write, made before and written in batches,
// with nothing else around. What Scrip reaches less than it is what Scrip costs.
const (
	ceilingBatch   = 100 // deductions in a transaction
	ceilingBatches = 200 // measured, on each connection
	ceilingApp     = "app_ceiling"
	ceilingCredit  = "crd_ceiling"
)

// book is a wallet whose changes are made ahead of their writing.
type book struct {
	state *wallet.State
	from  wallet.Header
}

// ceiling writes to an empty store over some connections, spreading each batch over some
// wallets, and returns deductions per second.
func ceiling(ctx context.Context, st store.Store, connections, wallets int) (float64, error) {
	defs, err := ceilingDefinitions(ctx, st)
	if err != nil {
		return 0, err
	}
	work := make([][]*store.Changes, connections)
	for i := range work {
		books := make([]*book, max(1, wallets/connections))
		for j := range books {
			key := wallet.Key{App: ceilingApp, Mode: catalog.Live, Customer: fmt.Sprintf("c%d_%d", i, j)}
			books[j] = &book{state: wallet.NewState(key), from: wallet.Header{ID: key.ID(), Key: key, CreatedAt: 1}}
			give := &wallet.GiveCredits{Credit: ceilingCredit, Amount: 1_000_000_000}
			change, err := books[j].decide(defs, give)
			if err != nil {
				return 0, err
			}
			change.Created = true
			if err := write(ctx, st, &store.Changes{Wallets: []store.WalletChange{change}}); err != nil {
				return 0, err
			}
		}
		if work[i], err = prepare(books, defs); err != nil {
			return 0, err
		}
	}
	var group errgroup.Group
	begin := time.Now()
	for _, batches := range work {
		group.Go(func() error {
			for _, changes := range batches {
				if err := write(ctx, st, changes); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return 0, err
	}
	return float64(connections*ceilingBatches*ceilingBatch) / time.Since(begin).Seconds(), nil
}

func ceilingDefinitions(ctx context.Context, st store.Store) (*catalog.Definitions, error) {
	if err := st.CreateApp(ctx, store.App{ID: ceilingApp, Name: "ceiling", Version: 1, CreatedAt: 1}); err != nil {
		return nil, err
	}
	credit := &catalog.Credit{
		ID: ceilingCredit, App: ceilingApp, Name: "Credits", Unit: "credit", DrawOrder: catalog.DefaultDrawOrder(),
		CreatedAt: 1, UpdatedAt: 1,
	}
	err := st.Define(ctx, ceilingApp, 1, store.Definition{Credits: []*catalog.Credit{credit}, At: 1}, nil)
	if err != nil {
		return nil, err
	}
	return st.Definitions(ctx, ceilingApp)
}

// prepare makes the changes of every batch: the wallets take turns.
func prepare(books []*book, defs *catalog.Definitions) ([]*store.Changes, error) {
	each := min(len(books), ceilingBatch)
	batches := make([]*store.Changes, ceilingBatches)
	next := 0
	for i := range batches {
		batches[i] = &store.Changes{}
		for range each {
			change, err := books[next].deductions(ceilingBatch/each, defs)
			if err != nil {
				return nil, err
			}
			batches[i].Wallets = append(batches[i].Wallets, change)
			next = (next + 1) % len(books)
		}
	}
	return batches, nil
}

func (b *book) deductions(n int, defs *catalog.Definitions) (store.WalletChange, error) {
	commands := make([]wallet.Command, n)
	for i := range commands {
		commands[i] = &wallet.Deduct{Charge: wallet.Charge{Credit: ceilingCredit, Amount: 1}}
	}
	return b.decide(defs, commands...)
}

// decide lets the rules decide commands and gathers the rows that follow: every entry, and the
// last value of the grant, the standing and the wallet.
func (b *book) decide(defs *catalog.Definitions, commands ...wallet.Command) (store.WalletChange, error) {
	var c store.WalletChange
	now := clock.Instant(b.from.Version + 1_000_000)
	for _, command := range commands {
		d, err := wallet.Decide(b.state, command, wallet.Context{Now: now, Defs: defs, Actor: "key_7zzzzzzzzzzzzzzzzzzzzzzzzz"})
		if err != nil {
			return c, err
		}
		b.state.Apply(d, defs)
		c.Entries = append(c.Entries, d.Entries...)
		c.Lanes = append(c.Lanes, d.Lanes...)
		if b.from.Version == 0 {
			c.NewGrants = append(c.NewGrants, d.Grants...)
		} else {
			c.Spent = d.Grants
		}
		if b.from.Version == 0 { // a deduction changes no standing
			for _, s := range d.Credits {
				c.Standings = []wallet.Standing{s.Standing()}
			}
		}
	}
	s := b.state
	b.from.Version++
	b.from.Seq, b.from.GrantSeq, b.from.Head, b.from.LastAt = s.Seq, s.GrantSeq, s.Head, s.LastAt
	c.Header = b.from
	return c, nil
}

// write is one transaction.
func write(ctx context.Context, st store.Store, changes *store.Changes) error {
	w := &store.Want{Apps: []store.WantApp{{App: ceilingApp, Version: 2}}}
	for i := range changes.Wallets {
		h := &changes.Wallets[i].Header
		w.Wallets = append(w.Wallets, store.WantWallet{ID: h.ID, Version: h.Version - 1})
	}
	slices.SortFunc(w.Wallets, func(x, y store.WantWallet) int { return slices.Compare(x.ID[:], y.ID[:]) })
	return st.Transact(ctx, w, func(*store.Found) (*store.Changes, error) { return changes, nil })
}
