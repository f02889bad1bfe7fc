package postgres

import (
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/internal/pgtest"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/wallet"
)

// TestOutcome asks about transactions that the test makes up. A crashed server gives the
// numbers of what it forgot to strangers, so a number alone must not pass for a commit.
func TestOutcome(t *testing.T) {
	s, err := Open(t.Context(), pgtest.URL(t), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.CreateApp(t.Context(), store.App{ID: "app", Name: "App", Version: 1}); err != nil {
		t.Fatal(err)
	}
	k := wallet.Key{App: "app", Mode: catalog.Live, Customer: "a"}
	written := store.WalletChange{
		Header:  wallet.Header{ID: k.ID(), Key: k, Version: 1, Seq: 1, Head: wallet.Hash{1}},
		Created: true, Entries: []wallet.Entry{{Seq: 1, Type: wallet.OverageReset, Hash: wallet.Hash{1}}},
		Answers:   []store.StoredAnswer{{Key: "k", Answer: []byte("{}"), At: 5}},
		History:   []wallet.SubscriptionEvent{{Subscription: 1, N: 1, At: 5, Actor: "a"}},
		NewUsages: []*wallet.Usage{{N: 1, ID: "u", At: 5}},
		NewHolds:  []*wallet.Hold{{N: 1, Status: wallet.ReservationPending, CreatedAt: 5}},
		NewOrders: []*wallet.Order{{N: 1, Kind: wallet.PackOrder, Status: wallet.OrderOpen, CreatedAt: 5, Actor: "a"}},
	}
	err = s.Transact(t.Context(), &store.Want{Wallets: []store.WantWallet{{ID: k.ID()}}}, func(*store.Found) (*store.Changes, error) {
		return &store.Changes{Wallets: []store.WalletChange{written}}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	number := func(end string) (n string) {
		var work script
		work.exec("BEGIN")
		work.add(partOther, func(r pgx.Rows) error { return r.Scan(&n) }, "SELECT pg_current_xact_id()::text")
		work.exec(end)
		if err := s.read(t.Context(), "test", &work); err != nil {
			t.Fatal(err)
		}
		return n
	}
	committed, aborted, future := number("COMMIT"), number("ROLLBACK"), "4000000000"
	change := func(edit func(c *store.WalletChange)) store.WalletChange {
		c := store.WalletChange{Header: written.Header}
		edit(&c)
		return c
	}
	for _, c := range []struct {
		name, number string
		change       store.WalletChange
		committed    bool
	}{
		{"what it says", committed, written, true},
		{"an entry that is there", aborted, change(func(c *store.WalletChange) { c.Entries = written.Entries }), true},
		{"an answer that is there", future, change(func(c *store.WalletChange) { c.Answers = written.Answers }), true},
		{"an event of a subscription that is there", aborted, change(func(c *store.WalletChange) { c.History = written.History }), true},
		{"a usage that is there", committed, change(func(c *store.WalletChange) { c.Usages = written.Usages }), true},
		{"a hold that is there", committed, change(func(c *store.WalletChange) { c.NewHolds = written.NewHolds }), true},
		{"an order that is there", aborted, change(func(c *store.WalletChange) { c.NewOrders = written.NewOrders }), true},
		{"a header that is there", committed, change(func(*store.WalletChange) {}), true},
		{"a stranger's number, another entry", committed, change(func(c *store.WalletChange) {
			c.Entries = []wallet.Entry{{Seq: 1, Hash: wallet.Hash{2}}}
		}), false},
		{"a stranger's number, another answer", committed, change(func(c *store.WalletChange) {
			c.Answers = []store.StoredAnswer{{Key: "k", Answer: []byte("{}"), At: 6}}
		}), false},
		{"a stranger's number, another event of a subscription", committed, change(func(c *store.WalletChange) {
			c.History = []wallet.SubscriptionEvent{{Subscription: 1, N: 1, At: 6, Actor: "a"}}
		}), false},
		{"a stranger's number, another usage", committed, change(func(c *store.WalletChange) {
			c.NewUsages = []*wallet.Usage{{N: 2, ID: "v", At: 5}}
		}), false},
		{"a stranger's number, another grant", committed, change(func(c *store.WalletChange) {
			c.NewGrants = []*wallet.Grant{{N: 1}}
		}), false},
		{"a stranger's number, another order", committed, change(func(c *store.WalletChange) {
			c.NewOrders = []*wallet.Order{{N: 1, Kind: wallet.PackOrder, CreatedAt: 5, Actor: "b"}}
		}), false},
		{"a stranger's number, another header", committed, change(func(c *store.WalletChange) { c.Header.LastAt++ }), false},
		{"a stranger's number, a header to come", committed, change(func(c *store.WalletChange) { c.Header.Version++ }), false},
		{"a header that was written again", committed, change(func(c *store.WalletChange) { c.Header.Version-- }), true},
		{"an aborted number, a header that was written again", aborted, change(func(c *store.WalletChange) { c.Header.Version-- }), false},
		{"a number from the future", future, change(func(c *store.WalletChange) { c.Header.Version-- }), false},
		{"a wallet that is not there", committed, store.WalletChange{Header: wallet.Header{Version: 1}}, false},
	} {
		err := s.outcome(t.Context(), &lost{
			number: c.number, cause: errors.New("lost"), witness: witnessOf(&store.Changes{Wallets: []store.WalletChange{c.change}}),
		})
		if (err == nil) != c.committed || (err != nil && !errors.Is(err, store.ErrRetry)) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// TestUnreadable reads a row that somebody else has damaged: no other try can help.
func TestUnreadable(t *testing.T) {
	s, err := Open(t.Context(), pgtest.URL(t), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.CreateApp(t.Context(), store.App{ID: "app", Name: "App", Version: 1}); err != nil {
		t.Fatal(err)
	}
	k := wallet.Key{App: "app", Mode: catalog.Live, Customer: "a"}
	if err := s.SaveCustomer(t.Context(), store.Customer{Key: k}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.pool.Exec(t.Context(), `UPDATE customers SET metadata = '{"a": 1}'`); err != nil {
		t.Fatal(err)
	}
	_, err = s.Customers(t.Context(), store.CustomerQuery{App: "app", Mode: catalog.Live})
	if fault.CodeOf(err) != fault.CodeInternalError || errors.Is(err, store.ErrRetry) {
		t.Errorf("error %v, want internal_error", err)
	}
}
