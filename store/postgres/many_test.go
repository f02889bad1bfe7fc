package postgres_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/internal/pgtest"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/wallet"
)

// TestManyBuckets does everything that a transaction can do with several wallets at once, and
// checks each against what is read and written of it alone: the statements for many buckets
// are other ones.
func TestManyBuckets(t *testing.T) {
	s := openURL(t, pgtest.URL(t))
	define(t, s)
	var keys []wallet.Key
	for i := range 7 {
		keys = append(keys, key(fmt.Sprint(i)))
	}
	slices.SortFunc(keys, func(x, y wallet.Key) int { x1, y1 := x.ID(), y.ID(); return slices.Compare(x1[:], y1[:]) })
	before := transactAll(t, s, keys, 0, full)
	needs := wallet.Needs{
		Entries: []int64{2, 1}, Holds: []int64{1, 2}, Invoices: []int64{2, 1}, Grants: []int64{2}, External: []wallet.ExternalRef{{What: calls, Ref: "r"}},
	}
	want := &store.Want{}
	for i, k := range keys {
		w := store.WantWallet{ID: k.ID(), Version: int64(i % 2), Needs: needs, Answers: []string{"k", "none"}}
		want.Wallets = append(want.Wallets, w)
	}
	err := s.Transact(t.Context(), want, func(found *store.Found) (*store.Changes, error) {
		for i, f := range found.Wallets {
			w := keys[i].ID()
			alone, err := s.Fetch(t.Context(), w, needs)
			if err != nil {
				return nil, err
			}
			same(t, "fetched", &f.Fetched, alone)
			if len(alone.Past) != 2 || len(alone.Past[1].Reversals) != 1 || len(alone.Holds) != 2 || len(alone.Grants) != 3 ||
				len(alone.Invoices) != 2 {
				t.Errorf("wallet %d: fetched %+v", i, alone)
			}
			same(t, "answers", f.Answers, before[i].Answers)
			sn, err := s.Snapshot(t.Context(), w)
			if err != nil {
				return nil, err
			}
			if (f.Snapshot == nil) != (i%2 == 1) {
				t.Errorf("wallet %d: snapshot %v", i, f.Snapshot)
			}
			if f.Snapshot != nil {
				same(t, "snapshot", f.Snapshot, sn)
			}
		}
		return nil, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	after := transactAll(t, s, keys, 1, changed)
	last := transactAll(t, s, keys, 2, counted)
	for i, k := range keys {
		sn, err := s.Snapshot(t.Context(), k.ID())
		if err != nil {
			t.Fatal(err)
		}
		sub := *after[i].Subscription
		sub.Allowances = []wallet.Allowance{{ID: "c", Used: int64(k.ID()[1]), WindowStart: 1, WindowEnd: 2}}
		same(t, "changed wallet", sn, &wallet.Snapshot{
			Header: last[i].Header, Standings: after[i].Standings, Lanes: before[i].Lanes,
			Grants: []*wallet.Grant{before[i].NewGrants[0]}, Subscription: &sub,
		})
	}
}

// transactAll changes all wallets in one transaction.
func transactAll(t *testing.T, s store.Store, keys []wallet.Key, version int64, change func(wallet.Header) store.WalletChange) []store.WalletChange {
	t.Helper()
	changes := &store.Changes{}
	want := &store.Want{}
	for _, k := range keys {
		changes.Wallets = append(changes.Wallets, change(wallet.Header{ID: k.ID(), Key: k, Version: version + 1, CreatedAt: start}))
		want.Wallets = append(want.Wallets, store.WantWallet{ID: k.ID()})
	}
	err := s.Transact(t.Context(), want, func(*store.Found) (*store.Changes, error) { return changes, nil })
	if err != nil {
		t.Fatal(err)
	}
	return changes.Wallets
}

func full(h wallet.Header) store.WalletChange {
	w := h.ID
	h.Seq, h.GrantSeq, h.HoldSeq = 3, 3, 2
	grant := func(n int64, ref string) *wallet.Grant {
		return &wallet.Grant{
			N: n, Lane: 1, Credit: calls, Amount: 10, Available: 10, Status: wallet.GrantActive, Category: catalog.Paid,
			EffectiveAt: start, CreatedAt: start, Source: wallet.SourceAPI, ExternalRef: ref, SourceID: w.String(),
		}
	}
	closed, referred := grant(2, ""), grant(3, "r")
	closed.Available, closed.Spent = 0, 10
	referred.Available, referred.Spent = 0, 10
	return store.WalletChange{
		Header: h, Created: true, Lanes: []*wallet.Lane{{N: 1, Credit: calls}}, Standings: []wallet.Standing{{Credit: calls, UsedOutside: 20}},
		NewGrants: []*wallet.Grant{grant(1, ""), closed, referred},
		NewHolds: []*wallet.Hold{
			{N: 1, Status: wallet.ReservationPending, Actor: w.String()}, {N: 2, Status: wallet.ReservationExpired, Actor: w.String()},
		},
		Entries: []wallet.Entry{
			{Seq: 1, Type: wallet.CreditAdded, Slices: []wallet.Slice{{Grant: 1, Available: 10}}, Actor: w.String()},
			{Seq: 2, Type: wallet.CreditDeducted, Slices: []wallet.Slice{{Grant: 2, Available: -10}}, Actor: w.String()},
			{Seq: 3, Type: wallet.Refund, RefType: wallet.RefEntry, RefID: id.Object(id.PrefixEntry, w, 2), Actor: w.String()},
		},
		Subscription: &wallet.Subscription{N: 2, Reason: w.String(), Allowances: []wallet.Allowance{{ID: "a"}, {ID: "b"}}},
		Ended:        []*wallet.Subscription{{N: 1, Reason: w.String(), Ended: true}},
		History:      []wallet.SubscriptionEvent{{Subscription: 2, N: 1, Reason: w.String()}},
		NewInvoices:  []*wallet.Invoice{{N: 1, Status: wallet.InvoiceOpen, Ref: w.String()}, {N: 2, Status: wallet.InvoiceOpen}},
		NewUsages:    []*wallet.Usage{{N: 1, ID: "u", Response: w.String()}},
		Answers:      []store.StoredAnswer{{Key: "k", Answer: []byte(w.String())}},
	}
}

func changed(h wallet.Header) store.WalletChange {
	h.Seq, h.GrantSeq, h.HoldSeq, h.NextDue = 3, 3, 2, 7
	c := full(h)
	return store.WalletChange{
		Header: h, Grants: []*wallet.Grant{c.NewGrants[0], c.NewGrants[1]},
		Holds:        []*wallet.Hold{{N: 1, Status: wallet.ReservationReleased}},
		Standings:    []wallet.Standing{{Credit: calls, UsedOutside: 21}},
		Subscription: &wallet.Subscription{N: 3, Plan: "p", Reason: h.ID.String(), Allowances: []wallet.Allowance{{ID: "c"}}},
		Ended:        []*wallet.Subscription{{N: 2, Reason: h.ID.String(), Ended: true}},
		Invoices:     []*wallet.Invoice{{N: 1, Status: wallet.InvoicePaid, Ref: "paid"}},
	}
}

// counted writes what a use of allowances changes, which is all the more after the first.
func counted(h wallet.Header) store.WalletChange {
	h.Seq, h.GrantSeq, h.HoldSeq, h.NextDue = 3, 3, 2, 7
	return store.WalletChange{
		Header: h, Counts: &wallet.Subscription{Allowances: []wallet.Allowance{{Used: int64(h.ID[1]), WindowStart: 1, WindowEnd: 2}}},
	}
}

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.IgnoreUnexported(wallet.Lane{}, wallet.InvoiceLine{})); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}
