package storetest

import (
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/wallet"
)

var needsTests = []test{
	{"a closed grant, with those that it rolled into", checkNeedsGrants},
	{"a hold, pending or closed", checkNeedsHolds},
	{"an entry, with its reversals and its grants", checkNeedsEntries},
	{"the grants of an external reference", checkNeedsExternal},
	{"everything at once", checkNeedsAll},
}

// chain writes grants that rolled into one another: 1, 2, 3 closed, and 4 on its own.
func chain(b *bench) []*wallet.Grant {
	b.Helper()
	k := key("a")
	var grants []*wallet.Grant
	for n := int64(1); n <= 4; n++ {
		g := plainGrant(n)
		g.Lane, g.Available, g.Spent = 1, 0, 10
		grants = append(grants, g)
	}
	grants[0].RolledInto, grants[1].RolledInto = 2, 3
	grants[1].Parent, grants[2].Parent = 1, 2
	b.must(b.write(store.WalletChange{
		Header: wallet.Header{ID: k.ID(), Key: k, Version: 1, GrantSeq: 4}, Created: true,
		Lanes: []*wallet.Lane{{N: 1, Credit: calls}}, NewGrants: grants,
	}))
	return grants
}

func checkNeedsGrants(b *bench) {
	grants := chain(b)
	w := key("a").ID()
	b.same("the first", b.find(w, wallet.Needs{Grants: []int64{1}}).Grants, grants[:3])
	b.same("the last twice", b.find(w, wallet.Needs{Grants: []int64{4, 2, 4}}).Grants, grants[1:])
	b.same("none", b.find(w, wallet.Needs{Grants: []int64{99, -1}}).Grants, []*wallet.Grant{})
	if sn := b.snapshot(key("a")); len(sn.Grants) != 0 {
		b.Fatalf("closed grants in the snapshot: %v", sn.Grants)
	}
}

func checkNeedsHolds(b *bench) {
	k := key("a")
	b.do(k, give(calls, 100))
	b.do(k, reserve(calls, 5))
	b.do(k, reserve(calls, 6))
	b.do(k, &wallet.Release{Hold: 1, ErrorCode: "E", Response: hard})
	holds := b.find(k.ID(), wallet.Needs{Holds: []int64{2, 1, 7}}).Holds
	if len(holds) != 2 || holds[0].N != 1 || holds[1].N != 2 {
		b.Fatalf("holds %v", holds)
	}
	if holds[0].Status != wallet.ReservationReleased || holds[0].Response != hard || holds[1].Status != wallet.ReservationPending {
		b.Fatalf("holds %+v %+v", holds[0], holds[1])
	}
	b.wantCode(b.try(k, &wallet.Release{Hold: 1}), "reservation_not_pending")
	b.do(k, &wallet.Commit{Hold: 2})
}

func checkNeedsEntries(b *bench) {
	k := key("a")
	b.do(k, give(calls, 10))
	b.do(k, give(calls, 10))
	b.do(k, spend(calls, 15)) // entry 3, of grants 1 and 2
	b.do(k, spend(calls, 5))
	six, one := int64(6), int64(1)
	b.do(k, &wallet.Reverse{Entry: 3, Amount: &six})
	b.do(k, &wallet.Reverse{Entry: 4, Amount: &one})
	b.do(k, &wallet.Reverse{Entry: 3, Amount: &one})
	all, err := b.Entries(b.ctx, store.EntryQuery{Wallet: k.ID()})
	b.must(err)
	entry := func(seq int64) wallet.Entry { return all[int64(len(all))-seq] }
	if entry(5).RefID != id.Object(id.PrefixEntry, k.ID(), 3) {
		b.Fatalf("entry 5 refers to %s", entry(5).RefID)
	}
	found := b.find(k.ID(), wallet.Needs{Entries: []int64{4, 3, 99}})
	b.same("past", found.Past, []*wallet.Past{
		{Entry: entry(3), Reversals: []wallet.Entry{entry(5), entry(7)}},
		{Entry: entry(4), Reversals: []wallet.Entry{entry(6)}},
	})
	if len(found.Grants) != 2 || found.Grants[0].N != 1 || found.Grants[1].N != 2 {
		b.Fatalf("grants %v", found.Grants)
	}
	b.wantCode(b.try(k, &wallet.Reverse{Entry: 99}), "entry_not_found")
	b.do(k, &wallet.Reverse{Entry: 3})
	b.wantCode(b.try(k, &wallet.Reverse{Entry: 3}), "already_reversed")
}

func checkNeedsExternal(b *bench) {
	k := key("a")
	grant := func(n int64, ref, pack, item, credit string, parent int64) *wallet.Grant {
		g := plainGrant(n)
		g.Lane, g.ExternalRef, g.Pack, g.PackItem, g.Credit, g.Parent = 1, ref, pack, item, credit, parent
		return g
	}
	grants := []*wallet.Grant{
		grant(1, "order", "pck", "i1", calls, 0),
		grant(2, "order", "pck", "i2", calls, 0),
		grant(3, "order", "", "", calls, 0),
		grant(4, "order", "", "", tokens, 0),
		grant(5, "order", "pck", "i1", calls, 1), // rolled over from 1
		grant(6, "other", "pck", "i1", calls, 0),
		grant(7, "", "pck", "i1", calls, 0),
		grant(8, "", "pck", "i1", calls, 0),
	}
	b.must(b.write(store.WalletChange{
		Header: wallet.Header{ID: k.ID(), Key: k, Version: 1, GrantSeq: 8}, Created: true,
		Lanes: []*wallet.Lane{{N: 1, Credit: calls}}, NewGrants: grants,
	}))
	under := func(what, ref string) []*wallet.Grant {
		return b.find(k.ID(), wallet.Needs{External: []wallet.ExternalRef{{What: what, Ref: ref}}}).Grants
	}
	b.same("a pack", under("pck", "order"), grants[:2])
	b.same("a credit", under(calls, "order"), grants[2:3])
	b.same("another credit", under(tokens, "order"), grants[3:4])
	b.same("another reference", under("pck", "other"), grants[5:6])
	b.same("an unknown reference", under("pck", "none"), []*wallet.Grant{})
	both := wallet.Needs{External: []wallet.ExternalRef{{What: calls, Ref: "order"}, {What: "pck", Ref: "other"}}}
	b.same("two references", b.find(k.ID(), both).Grants, []*wallet.Grant{grants[2], grants[5]})
	b.same("no reference", under("pck", ""), []*wallet.Grant{})

	again := store.WalletChange{Header: b.snapshot(k).Header, NewGrants: []*wallet.Grant{grant(9, "order", "pck", "i1", calls, 0)}}
	again.Header.Version = 2
	b.wantRetry(b.write(again))
	b.do(key("b"), &wallet.GiveCredits{Credit: calls, Amount: 3, ExternalRef: "order"})
	b.do(key("b"), &wallet.GiveCredits{Credit: calls, Amount: 3, ExternalRef: "order"})
	if n := len(b.snapshot(key("b")).Grants); n != 1 {
		b.Fatalf("%d grants under one reference", n)
	}
}

func checkNeedsAll(b *bench) {
	k := key("a")
	b.do(k, &wallet.GiveCredits{Credit: calls, Amount: 10, ExternalRef: "r"})
	b.do(k, give(calls, 10), spend(calls, 10), reserve(calls, 1))
	b.do(key("b"), &wallet.GiveCredits{Credit: calls, Amount: 10, ExternalRef: "r"}, spend(calls, 1), reserve(calls, 1))
	found := b.find(k.ID(), wallet.Needs{
		Entries: []int64{3}, Holds: []int64{1}, Grants: []int64{2}, External: []wallet.ExternalRef{{What: calls, Ref: "r"}},
	})
	if len(found.Past) != 1 || len(found.Holds) != 1 || len(found.Grants) != 2 {
		b.Fatalf("found %+v", found)
	}
}
