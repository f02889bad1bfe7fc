package postgres_test

import (
	"context"
	"crypto/sha256"
	"slices"
	"testing"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/wallet"
)

const (
	app   = "app_test"
	calls = "crd_calls"
	start = clock.Instant(1_750_000_000_000_000)
	stock = int64(1_000_000_000) // what each wallet begins with
)

// define makes the app and the credit that these tests use.
func define(t testing.TB, s store.Store) {
	t.Helper()
	if err := s.CreateApp(t.Context(), store.App{ID: app, Name: "Test", Version: 1, CreatedAt: start}); err != nil {
		t.Fatal(err)
	}
	credit := &catalog.Credit{ID: calls, App: app, Name: "Calls", Unit: "call", DrawOrder: catalog.DefaultDrawOrder(), CreatedAt: start}
	if err := s.Define(t.Context(), app, 1, store.Definition{Credits: []*catalog.Credit{credit}, At: start}, nil); err != nil {
		t.Fatal(err)
	}
}

func key(customer string) wallet.Key {
	return wallet.Key{App: app, Mode: catalog.Live, Customer: customer}
}

// opening is a new wallet with one grant.
func opening(k wallet.Key) store.WalletChange {
	g := &wallet.Grant{
		N: 1, Lane: 1, Credit: calls, Amount: stock, Available: stock, Status: wallet.GrantActive,
		Category: catalog.Paid, Priority: 50, EffectiveAt: start, CreatedAt: start, Source: wallet.SourceAPI,
	}
	c := store.WalletChange{
		Header: wallet.Header{ID: k.ID(), Key: k, Version: 1, GrantSeq: 1, LastAt: start, CreatedAt: start}, Created: true,
		NewGrants: []*wallet.Grant{g}, Lanes: []*wallet.Lane{{N: 1, Credit: calls}},
		Standings: []wallet.Standing{{Credit: calls}},
	}
	addEntry(&c, wallet.CreditAdded, stock, 0, "")
	return c
}

// spending takes one unit for each operation from a wallet as the header says it is.
func spending(h wallet.Header, operations ...string) store.WalletChange {
	h.Version++
	c := store.WalletChange{Header: h}
	for _, operation := range operations {
		addEntry(&c, wallet.CreditDeducted, -1, stock-c.Header.Seq+1, operation)
	}
	spent := c.Header.Seq - 1
	c.Grants = []*wallet.Grant{{
		N: 1, Amount: stock, Available: stock - spent, Spent: spent, Status: wallet.GrantActive, EffectiveAt: start,
	}}
	c.Standings = []wallet.Standing{{Credit: calls, UsedOutside: spent}}
	return c
}

// addEntry adds a line to the ledger: the operation stands in its idempotency key.
func addEntry(c *store.WalletChange, kind wallet.EntryType, amount, before int64, operation string) {
	h := &c.Header
	h.Seq++
	h.LastAt++
	e := wallet.Entry{
		Seq: h.Seq, Type: kind, Credit: calls, Amount: amount, BalanceBefore: before, BalanceAfter: before + amount,
		Slices: []wallet.Slice{{Grant: 1, Available: amount}}, Op: h.Seq, Idempotency: operation, Actor: "key_test",
		EffectiveAt: h.LastAt, RecordedAt: h.LastAt, Prev: h.Head,
	}
	e.Hash = e.Seal(h.ID)
	h.Head = e.Hash
	c.Entries = append(c.Entries, e)
}

// spend runs one transaction that takes a unit for each operation, making the wallet if need be.
func spend(ctx context.Context, s store.Store, k wallet.Key, operations ...string) error {
	want := &store.Want{Wallets: []store.WantWallet{{ID: k.ID()}}}
	return s.Transact(ctx, want, func(found *store.Found) (*store.Changes, error) {
		f := found.Wallets[0]
		if !f.Exists {
			return &store.Changes{Wallets: []store.WalletChange{opening(k)}}, nil
		}
		return &store.Changes{Wallets: []store.WalletChange{spending(f.Snapshot.Header, operations...)}}, nil
	})
}

// operations lists what was written to a wallet, oldest first, and checks that header, chain,
// grant and entries belong together.
func operations(t testing.TB, s store.Store, k wallet.Key) []string {
	t.Helper()
	sn, err := s.Snapshot(t.Context(), k.ID())
	if err != nil {
		t.Fatal(err)
	}
	if sn == nil {
		return nil
	}
	var list []string
	head := sn.Head
	for before := int64(0); ; {
		page, err := s.Entries(t.Context(), store.EntryQuery{Wallet: k.ID(), Before: before})
		if err != nil {
			t.Fatal(err)
		}
		for i := range page {
			e := &page[i]
			if e.Hash != head || e.Seal(k.ID()) != e.Hash {
				t.Fatalf("the chain of %s breaks at entry %d", k.Customer, e.Seq)
			}
			head, before = e.Prev, e.Seq
			if e.Idempotency != "" {
				list = append(list, e.Idempotency)
			}
		}
		if len(page) == 0 {
			break
		}
	}
	if n := int64(len(list)); sn.Seq != n+1 || sn.Grants[0].Spent != n || sn.Standings[0].UsedOutside != n {
		t.Fatalf("wallet of %s: %d operations, header %+v, grant %+v", k.Customer, n, sn.Header, sn.Grants[0])
	}
	slices.Reverse(list)
	return list
}

// ids sorts wallets as a transaction wants them.
func ids(keys []wallet.Key) []id.Wallet {
	list := make([]id.Wallet, len(keys))
	for i, k := range keys {
		list[i] = k.ID()
	}
	slices.SortFunc(list, func(x, y id.Wallet) int { return slices.Compare(x[:], y[:]) })
	return list
}

func hash(text string) [32]byte { return sha256.Sum256([]byte(text)) }
