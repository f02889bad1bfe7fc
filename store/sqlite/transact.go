package sqlite

import (
	"context"

	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/wallet"
)

// Transact runs one transaction over the wanted wallets. SQLite has one write lock for the
// whole file, so there are no rows to lock and no order to lock them in.
func (s *Store) Transact(ctx context.Context, want *store.Want, decide func(*store.Found) (*store.Changes, error)) error {
	const op = "sqlite.Transact"
	var refusal error
	err := s.change(ctx, op, func(c *session) error {
		ctx := context.WithoutCancel(ctx)
		found, err := c.find(ctx, want)
		if err != nil {
			return err
		}
		changes, err := decide(found)
		if err != nil {
			refusal = err
			return err
		}
		return c.writeChanges(ctx, changes)
	})
	if refusal != nil {
		return refusal // as it is, whatever it is
	}
	return err
}

// Write proves what is known and writes, under the file's write lock.
func (s *Store) Write(ctx context.Context, want *store.Want, changes *store.Changes) error {
	return s.change(ctx, "sqlite.Write", func(c *session) error {
		ctx := context.WithoutCancel(ctx)
		if err := c.prove(ctx, want); err != nil {
			return err
		}
		return c.writeChanges(ctx, changes)
	})
}

// prove compares the file with what is known.
func (c *session) prove(ctx context.Context, want *store.Want) error {
	if err := c.look(ctx); err != nil {
		return err
	}
	for _, a := range want.Apps {
		version, err := c.appVersion(ctx, a.App)
		if err != nil {
			return err
		}
		if version != a.Version {
			return stale()
		}
	}
	for i := range want.Wallets {
		if err := c.proveWallet(ctx, &want.Wallets[i]); err != nil {
			return err
		}
	}
	return nil
}

// proveWallet need not look at a wallet while the mark holds: nobody else has written.
func (c *session) proveWallet(ctx context.Context, want *store.WantWallet) error {
	if want.Mark != c.mark {
		var version int64
		if err := c.query(ctx, selectVersion, func(r row) error { version = r.int(0); return nil }, of(want.ID)...); err != nil {
			return err
		}
		if version != want.Version {
			return stale()
		}
		want.Mark = c.mark
	}
	if len(want.Answers) > 0 {
		if err := c.answers(ctx, want.ID, want.Answers, func(store.StoredAnswer) error { return stale() }); err != nil {
			return err
		}
	}
	none := func(row) error { return stale() }
	switch len(want.Fresh) {
	case 0:
		return nil
	case 1:
		return c.query(ctx, selectStored, none, of(want.ID, want.Fresh[0])...)
	}
	return c.query(ctx, selectStoredAmong, none, of(want.ID, jsonOf(want.Fresh, 1))...)
}

func (c *session) writeChanges(ctx context.Context, changes *store.Changes) error {
	if changes == nil {
		return nil
	}
	for i := range changes.Wallets {
		if err := c.writeWallet(ctx, &changes.Wallets[i]); err != nil {
			return err
		}
	}
	return nil
}

func (c *session) find(ctx context.Context, want *store.Want) (*store.Found, error) {
	found := &store.Found{Wallets: make([]store.FoundWallet, len(want.Wallets))}
	if err := c.look(ctx); err != nil {
		return nil, err
	}
	for _, a := range want.Apps {
		version, err := c.appVersion(ctx, a.App)
		if err != nil {
			return nil, err
		}
		if version == 0 || version == a.Version {
			continue
		}
		defs, err := c.definitions(ctx, a.App)
		if err != nil {
			return nil, err
		}
		found.Definitions = append(found.Definitions, defs)
	}
	for i := range want.Wallets {
		if err := c.findWallet(ctx, &want.Wallets[i], &found.Wallets[i]); err != nil {
			return nil, err
		}
	}
	return found, nil
}

func (c *session) findWallet(ctx context.Context, want *store.WantWallet, found *store.FoundWallet) error {
	if want.Version == 0 || want.Mark != c.mark {
		if err := c.findChanged(ctx, want, found); err != nil || !found.Exists {
			return err
		}
	}
	found.Exists, found.Mark = true, c.mark
	if !want.Needs.Empty() {
		if err := c.fetch(ctx, want.ID, want.Needs, &found.Fetched); err != nil {
			return err
		}
	}
	if len(want.Answers) == 0 {
		return nil
	}
	return c.answers(ctx, want.ID, want.Answers, func(a store.StoredAnswer) error {
		found.Answers = append(found.Answers, a)
		return nil
	})
}

// findChanged reads a wallet unless it has the version that the caller knows.
func (c *session) findChanged(ctx context.Context, want *store.WantWallet, found *store.FoundWallet) error {
	var version int64
	err := c.query(ctx, selectVersion, func(r row) error {
		found.Exists, version = true, r.int(0)
		return nil
	}, of(want.ID)...)
	if err != nil || !found.Exists || want.Version == version {
		return err
	}
	found.Snapshot, err = c.snapshot(ctx, want.ID)
	return err
}

func (c *session) answers(ctx context.Context, w id.Wallet, keys []string, each func(store.StoredAnswer) error) error {
	st, arg := selectAnswer, keys[0]
	if len(keys) > 1 {
		st, arg = selectAnswers, jsonOf(keys, 1)
	}
	return c.query(ctx, st, func(r row) error {
		return each(store.StoredAnswer{Key: r.text(0), Request: [32]byte(r.blob(1)), Answer: r.blob(2), At: r.instant(3)})
	}, of(w, arg)...)
}

// Snapshot reads a wallet; nil when it does not exist.
func (s *Store) Snapshot(ctx context.Context, w id.Wallet) (*wallet.Snapshot, error) {
	var sn *wallet.Snapshot
	err := s.view(ctx, "sqlite.Snapshot", func(c *session) error {
		var err error
		sn, err = c.snapshot(ctx, w)
		return err
	})
	return sn, err
}

// Fetch reads closed things that a command looks back at.
func (s *Store) Fetch(ctx context.Context, w id.Wallet, needs wallet.Needs) (*wallet.Found, error) {
	found := &wallet.Found{}
	err := s.view(ctx, "sqlite.Fetch", func(c *session) error { return c.fetch(ctx, w, needs, found) })
	if err != nil {
		return nil, err
	}
	return found, nil
}
