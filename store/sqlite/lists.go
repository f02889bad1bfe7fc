package sqlite

import (
	"context"
	"encoding/json"
	"math"

	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/wallet"
)

// Grants lists a wallet's grants, in order of their numbers.
func (s *Store) Grants(ctx context.Context, q store.GrantQuery) ([]*wallet.Grant, error) {
	only := ""
	if len(q.Only) > 0 {
		only = numbers(q.Only)
	}
	var grants []*wallet.Grant
	err := s.view(ctx, "sqlite.Grants", func(c *session) error {
		lanes, err := c.lanes(ctx, q.Wallet)
		if err != nil {
			return err
		}
		grants, err = c.grants(ctx, lanes, selectGrants, of(q.Wallet, q.After, q.Credit, only, q.Ref, limit(q.Limit))...)
		return err
	})
	return grants, err
}

// Entries lists a wallet's entries, newest first.
func (s *Store) Entries(ctx context.Context, q store.EntryQuery) ([]wallet.Entry, error) {
	first, last := int64(1), int64(math.MaxInt64)
	if q.Before != 0 {
		last = q.Before - 1
	}
	if q.Seq != 0 {
		first, last = q.Seq, min(q.Seq, last)
	}
	types := ""
	if len(q.Types) > 0 {
		b, _ := json.Marshal(q.Types) // texts always marshal
		types = string(b)
	}
	var entries []wallet.Entry
	err := s.read(ctx, "sqlite.Entries", func(c *session) error {
		var err error
		entries, err = c.entries(ctx, selectEntries,
			of(q.Wallet, first, last, q.Credit, types, int64(q.From), int64(q.To), limit(q.Limit), int64(q.Offset))...)
		return err
	})
	return entries, err
}

// Usages lists usage events by when they took place, newest first.
func (s *Store) Usages(ctx context.Context, q store.UsageQuery) ([]store.CustomerUsage, error) {
	to := int64(math.MaxInt64)
	if !q.To.IsZero() {
		to = int64(q.To)
	}
	after := q.After
	if after == (store.UsagePosition{}) {
		after = store.UsagePosition{At: math.MaxInt64}
	}
	var st statement
	var args []any
	switch {
	case q.ID != "":
		st, args = selectUsagesByID, []any{q.App, string(q.Mode), q.ID, q.Customer, q.Event, limit(q.Limit)}
	case q.Customer != "":
		w := wallet.Key{App: q.App, Mode: q.Mode, Customer: q.Customer}.ID()
		st, args = selectUsages, of(w, int64(q.From), to, int64(after.At), after.N, q.Event, limit(q.Limit), int64(q.Skip))
	default:
		st, args = selectAllUsages, []any{
			q.App, string(q.Mode), int64(q.From), to, int64(after.At), int64(after.Wallet.Bucket()), after.Wallet[:], after.N,
			q.Event, limit(q.Limit), int64(q.Skip),
		}
	}
	return readAll(ctx, s, query{"sqlite.Usages", st, args}, func(r row) (store.CustomerUsage, error) {
		u, err := r.usage()
		return store.CustomerUsage{Usage: *u, Customer: r.text(14), Wallet: id.Wallet(r.blob(15))}, err
	})
}

// Tallies lists what meters have counted of a wallet, newest period first.
func (s *Store) Tallies(ctx context.Context, q store.TallyQuery) ([]*wallet.Tally, error) {
	to := int64(math.MaxInt64)
	if !q.To.IsZero() {
		to = int64(q.To)
	}
	after := q.After
	if after == (wallet.TallyKey{}) {
		after.From = math.MaxInt64
	}
	var tallies []*wallet.Tally
	err := s.read(ctx, "sqlite.Tallies", func(c *session) error {
		var err error
		tallies, err = c.tallies(ctx, selectTallies, of(q.Wallet, q.Meter, int64(q.From), to,
			int64(after.From), after.Meter, after.Credit, limit(q.Limit))...)
		return err
	})
	return tallies, err
}

// Due lists wallets in which time has something to write down, the longest due first.
func (s *Store) Due(ctx context.Context, now clock.Instant, most int) ([]wallet.Key, error) {
	return s.due(ctx, "sqlite.Due", selectDue, int64(now), limit(most))
}

// Headers lists wallets in order of their ids.
func (s *Store) Headers(ctx context.Context, after id.Wallet, most int) ([]wallet.Header, error) {
	return readAll(ctx, s, query{"sqlite.Headers", selectHeaders, of(after, limit(most))}, func(r row) (wallet.Header, error) {
		return r.header(), nil
	})
}

// Customers lists the wallets of an app and mode by customer id.
func (s *Store) Customers(ctx context.Context, q store.CustomerQuery) ([]store.Customer, error) {
	st, args := selectCustomers, []any{
		q.App, string(q.Mode), q.After, store.FoldName(q.Name), int64(q.From), int64(q.To), limit(q.Limit), int64(q.Offset),
	}
	switch {
	case q.ID != "":
		st, args = selectCustomer, []any{q.App, string(q.Mode), q.ID}
	case q.Email != "":
		st, args = selectCustomersAt, append(args, store.FoldName(q.Email))
	}
	return readAll(ctx, s, query{"sqlite.Customers", st, args}, func(r row) (store.Customer, error) {
		c := store.Customer{
			Key:  wallet.Key{App: q.App, Mode: q.Mode, Customer: r.text(0)},
			Name: r.text(1), Email: r.text(2), Phone: r.text(3), CreatedAt: r.instant(5), UpdatedAt: r.instant(6),
		}
		err := r.json(4, &c.Metadata)
		return c, err
	})
}

// Holders lists the wallets that were ever granted a credit, or used it, by customer id.
func (s *Store) Holders(ctx context.Context, q store.HolderQuery) ([]store.Holder, error) {
	st, args := selectHolders, []any{q.App, string(q.Mode), q.Credit, q.After, limit(q.Limit), int64(q.Offset)}
	if q.Customer != "" {
		st, args = selectHolder, of(wallet.Key{App: q.App, Mode: q.Mode, Customer: q.Customer}.ID(), q.Credit)
	}
	return readAll(ctx, s, query{"sqlite.Holders", st, args}, func(r row) (store.Holder, error) {
		return store.Holder{Customer: r.text(0), CreatedAt: r.instant(1), LastAt: r.instant(2)}, nil
	})
}

// SaveCustomer stores what is known of a customer, and makes the wallet where there is none.
func (s *Store) SaveCustomer(ctx context.Context, cu store.Customer) error {
	return s.change(ctx, "sqlite.SaveCustomer", func(c *session) error {
		ctx := context.WithoutCancel(ctx)
		// Version 1, since 0 means that nothing is known of a wallet.
		h := wallet.Header{ID: cu.Key.ID(), Key: cu.Key, Version: 1, CreatedAt: cu.CreatedAt}
		o := owner{int64(h.ID.Bucket()), h.ID[:]}
		if _, err := c.exec(ctx, insertWalletOnce, headerValues(o, &h)...); err != nil {
			return err
		}
		_, err := c.exec(ctx, upsertCustomer, o.bucket, o.wallet, cu.Name, store.FoldName(cu.Name), cu.Email, store.FoldName(cu.Email),
			cu.Phone, jsonOf(cu.Metadata, len(cu.Metadata)), int64(cu.CreatedAt), int64(cu.UpdatedAt))
		return err
	})
}

// UpdateCustomer changes what is known of a customer; false when there is no such wallet.
func (s *Store) UpdateCustomer(ctx context.Context, cu store.CustomerChange) (bool, error) {
	var metadata any
	if cu.Metadata != nil {
		metadata = jsonOf(*cu.Metadata, len(*cu.Metadata))
	}
	found := false
	err := s.change(ctx, "sqlite.UpdateCustomer", func(c *session) error {
		args := of(cu.Key.ID(), textOrNull(cu.Name, nil), textOrNull(cu.Name, store.FoldName), textOrNull(cu.Email, nil),
			textOrNull(cu.Email, store.FoldName), textOrNull(cu.Phone, nil), metadata, int64(cu.At))
		n, err := c.exec(context.WithoutCancel(ctx), updateCustomer, args...)
		found = n > 0
		return err
	})
	return found, err
}

// textOrNull is a text, folded when fold is given, or the database's null where there is none.
func textOrNull(s *string, fold func(string) string) any {
	switch {
	case s == nil:
		return nil
	case fold != nil:
		return fold(*s)
	}
	return *s
}

func limit(n int) int64 { return int64(store.PageLimit(n)) }
