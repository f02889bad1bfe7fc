package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/wallet"
)

var concurrencyTests = []test{
	{"of two that create a wallet, one must try again", checkCreators},
	{"readers see committed states only", checkReaders},
	{"writers of overlapping wallets lose nothing", checkWriters},
}

func checkCreators(b *bench) {
	for round := range 10 {
		k := key(fmt.Sprint(round))
		errs := make([]error, 2)
		var wg sync.WaitGroup
		for i := range errs {
			wg.Go(func() { errs[i] = b.write(fullChange(k)) })
		}
		wg.Wait()
		winner := slices.Index(errs, nil)
		if winner < 0 {
			b.Fatalf("nobody created the wallet: %v", errs)
		}
		b.wantRetry(errs[1-winner])
		b.same("snapshot", b.snapshot(k), fullSnapshot(fullChange(k)))
	}
}

// checkReaders lets a writer spend one unit at a time, while readers check that header, grant,
// standing and entries always belong together.
func checkReaders(b *bench) {
	const spends = 60
	k := key("a")
	b.do(k, give(calls, spends))
	var done atomic.Bool
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for last := int64(0); !done.Load(); {
				sn, err := b.Snapshot(b.ctx, k.ID())
				if err != nil || sn == nil {
					b.Errorf("snapshot %v, %v", sn, err)
					return
				}
				spent := sn.Version - 1
				left := int64(0)
				if len(sn.Grants) > 0 {
					left = sn.Grants[0].Available
				}
				if sn.Seq != sn.Version || usedIn(sn) != spent || left != spends-spent || spent < last {
					b.Errorf("torn: version %d, seq %d, used %d, available %d", sn.Version, sn.Seq, usedIn(sn), left)
					return
				}
				last = spent
				entries, err := b.Entries(b.ctx, store.EntryQuery{Wallet: k.ID(), Limit: 1})
				if err != nil || entries[0].Seq < sn.Seq {
					b.Errorf("the last entry is %v (%v), the header said %d", entries, err, sn.Seq)
					return
				}
			}
		})
	}
	for range spends {
		if err := b.try(k, spend(calls, 1)); err != nil {
			b.Errorf("spend: %v", err)
		}
	}
	done.Store(true)
	wg.Wait()
}

// checkWriters lets 32 writers spend from two of five wallets at a time.
func checkWriters(b *bench) {
	const writers, each, wallets = 32, 6, 5
	keys := make([]wallet.Key, wallets)
	for i := range keys {
		keys[i] = key(fmt.Sprint(i))
		b.do(keys[i], give(calls, 2*writers*each))
	}
	counts := make([]atomic.Int64, wallets)
	var wg sync.WaitGroup
	for writer := range writers {
		wg.Go(func() {
			for n := range each {
				one, two := (writer+n)%wallets, (writer+2*n+1)%wallets
				if one == two {
					two = (two + 1) % wallets
				}
				if err := b.spendBoth(keys[one], keys[two]); err != nil {
					b.Errorf("writer %d: %v", writer, err)
					return
				}
				counts[one].Add(1)
				counts[two].Add(1)
			}
		})
	}
	wg.Wait()
	for i, k := range keys {
		sn := b.snapshot(k)
		n := counts[i].Load()
		if sn.Version != n+1 || sn.Seq != n+1 || usedIn(sn) != n || sn.Grants[0].Spent != n {
			b.Errorf("wallet %d: version %d, seq %d, used %d, want %d spends", i, sn.Version, sn.Seq, usedIn(sn), n)
		}
		b.sameAsRules(k)
	}
}

// spendBoth takes one unit from each of two wallets in one transaction, as often as it takes.
func (b *bench) spendBoth(one, two wallet.Key) error {
	pair := []wallet.Key{one, two}
	slices.SortFunc(pair, func(x, y wallet.Key) int { return compareIDs(x.ID(), y.ID()) })
	want := &store.Want{Wallets: []store.WantWallet{{ID: pair[0].ID()}, {ID: pair[1].ID()}}}
	for {
		err := b.Transact(context.WithoutCancel(b.ctx), want, func(found *store.Found) (*store.Changes, error) {
			changes := &store.Changes{}
			for i, k := range pair {
				change, err := b.decide(k, &wallet.Needs{}, &found.Wallets[i], []wallet.Command{spend(calls, 1)})
				if err != nil {
					return nil, err
				}
				changes.Wallets = append(changes.Wallets, *change)
			}
			return changes, nil
		})
		if !errors.Is(err, store.ErrRetry) {
			return err
		}
	}
}

// usedIn is what was used of the first credit.
func usedIn(sn *wallet.Snapshot) int64 {
	used := sn.Standings[0].UsedOutside
	for _, g := range sn.Grants {
		if g.Open() {
			used += g.Spent
		}
	}
	return used
}
