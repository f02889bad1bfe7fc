package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/wallet"
)

var lifecycleTests = []test{
	{"migrating again changes nothing", func(b *bench) {
		b.do(key("a"), give(calls, 5))
		before := b.snapshot(key("a"))
		b.must(b.Migrate(b.ctx))
		b.must(b.Migrate(b.ctx))
		b.same("snapshot", b.snapshot(key("a")), before)
		b.must(b.Ping(b.ctx))
	}},
	{"a closed store refuses, and closes again without complaint", checkClosed},
}

func checkClosed(b *bench) {
	k := key("a")
	b.do(k, give(calls, 5))
	b.must(b.Close())
	b.must(b.Close())
	w := k.ID()
	unreached := func(*store.Found) (*store.Changes, error) {
		b.Error("decide was called on a closed store")
		return nil, nil
	}
	for name, call := range map[string]func() error{
		"Ping":     func() error { return b.Ping(b.ctx) },
		"Migrate":  func() error { return b.Migrate(b.ctx) },
		"Transact": func() error { return b.Transact(b.ctx, &store.Want{}, unreached) },
		"Write":    func() error { return b.Write(b.ctx, &store.Want{}, nil) },
		"Snapshot": func() error { _, err := b.Snapshot(b.ctx, w); return err },
		"Fetch":    func() error { _, err := b.Fetch(b.ctx, w, wallet.Needs{Grants: []int64{1}}); return err },
		"Entries":  func() error { _, err := b.Entries(b.ctx, store.EntryQuery{Wallet: w}); return err },
		"Due":      func() error { _, err := b.Due(b.ctx, b.now, 1); return err },
		"Prune":    func() error { _, err := b.PruneDeliveries(b.ctx, store.PruneQuery{Limit: 1}); return err },
		"Backlog":  func() error { _, err := b.Backlog(b.ctx); return err },
		"DueIn":    func() error { _, err := b.DueIn(b.ctx, app, catalog.Test, b.now, 1); return err },
		"Take":     func() error { _, err := b.TakeOperations(b.ctx, app, "2026-03", 1); return err },
		"Return":   func() error { return b.ReturnOperations(b.ctx, app, "2026-03", 1) },
		"Apps":     func() error { _, err := b.Apps(b.ctx); return err },
		"Define":   func() error { return b.Define(b.ctx, app, 2, store.Definition{}, nil) },
		"FindKey":  func() error { _, err := b.FindKey(b.ctx, [32]byte{}); return err },
	} {
		err := call()
		if f, ok := errors.AsType[*fault.Error](err); !ok || f.Code != fault.CodeStoreUnavailable {
			b.Errorf("%s on a closed store: %v, want store_unavailable", name, err)
		}
	}
}

var transactTests = []test{
	{"nothing is found of a wallet that does not exist", checkNothing},
	{"a known version is not read again", checkKnownVersion},
	{"definitions come when their version is not the known one", checkFoundDefinitions},
	{"decide's error comes back unchanged and nothing is written", checkDecideError},
	{"nil changes write nothing", func(b *bench) {
		b.must(b.Transact(b.ctx, &store.Want{}, func(*store.Found) (*store.Changes, error) { return nil, nil }))
		b.must(b.Transact(b.ctx, &store.Want{}, func(*store.Found) (*store.Changes, error) { return &store.Changes{}, nil }))
	}},
	{"a canceled context begins nothing", checkCanceled},
	{"a context that ends during decide leaves all or nothing", checkCanceledLate},
	{"a version that moved asks for another try", checkMoved},
	{"a wallet that exists cannot be created", checkCreated},
	{"many wallets in one transaction", checkMany},
	{"answers", checkAnswers},
	{"what was decided ahead is written only where all that was known is so", checkWrite},
}

// checkWrite is wrong about one thing after the other, and then about nothing.
func checkWrite(b *bench) {
	k := key("a")
	b.do(k, give(calls, 5), &wallet.Ingest{Events: []wallet.UsageEvent{{ID: "evt_old", Event: "metered", At: b.now}}})
	sn := b.snapshot(k)
	h := sn.Header
	h.Version++
	old := store.StoredAnswer{Key: "old", Answer: []byte("{}"), At: start}
	b.must(b.write(store.WalletChange{Header: h, Answers: []store.StoredAnswer{old}}))
	sn = b.snapshot(k)
	h.Version++
	changes := &store.Changes{Wallets: []store.WalletChange{{Header: h}}}
	known := func() *store.Want {
		return &store.Want{
			Apps:    []store.WantApp{{App: app, Version: b.defs.Version}},
			Wallets: []store.WantWallet{{ID: k.ID(), Version: sn.Version, Answers: []string{"new"}, Fresh: []string{"evt_new"}}},
		}
	}
	for name, wrong := range map[string]func(*store.Want, *store.WantWallet){
		"the wallet was written since":    func(_ *store.Want, w *store.WantWallet) { w.Version-- },
		"the wallet is to be written yet": func(_ *store.Want, w *store.WantWallet) { w.Version++ },
		"there is no such wallet":         func(_ *store.Want, w *store.WantWallet) { w.ID = key("b").ID() },
		"the app was defined anew":        func(w *store.Want, _ *store.WantWallet) { w.Apps[0].Version-- },
		"there is no such app":            func(w *store.Want, _ *store.WantWallet) { w.Apps[0].App = "app_none" },
		"the key was used":                func(_ *store.Want, w *store.WantWallet) { w.Answers = []string{"old"} },
		"one of the keys was used":        func(_ *store.Want, w *store.WantWallet) { w.Answers = []string{"new", "old"} },
		"the event is stored":             func(_ *store.Want, w *store.WantWallet) { w.Fresh = []string{"evt_old"} },
		"one of the events is stored":     func(_ *store.Want, w *store.WantWallet) { w.Fresh = []string{"evt_new", "evt_old"} },
	} {
		for _, c := range []*store.Changes{changes, nil, {}} {
			want := known()
			wrong(want, &want.Wallets[0])
			if err := b.Write(b.ctx, want, c); !errors.Is(err, store.ErrStale) || !errors.Is(err, store.ErrRetry) {
				b.Errorf("%s: error %v, want ErrStale", name, err)
			}
			b.same(name+": snapshot", b.snapshot(k), sn)
		}
	}
	b.must(b.Write(b.ctx, known(), nil))
	b.same("snapshot where nothing is to be written", b.snapshot(k), sn)
	b.must(b.Write(b.ctx, known(), changes))
	sn.Version++
	b.same("snapshot", b.snapshot(k), sn)
	if err := b.Write(b.ctx, &store.Want{Wallets: []store.WantWallet{{ID: k.ID(), Version: sn.Version - 1}}}, changes); !errors.Is(err, store.ErrStale) {
		b.Errorf("the same again: %v", err)
	}
}

func checkNothing(b *bench) {
	b.absent(key("a"))
	w := key("a").ID()
	want := &store.Want{Wallets: []store.WantWallet{{
		ID: w, Version: 3, Answers: []string{"k"},
		Needs: wallet.Needs{Entries: []int64{1}, Holds: []int64{1}, Grants: []int64{1}, External: []wallet.ExternalRef{{What: calls, Ref: "r"}}},
	}}}
	b.must(b.Transact(b.ctx, want, func(found *store.Found) (*store.Changes, error) {
		b.same("found", found, &store.Found{Wallets: []store.FoundWallet{{}}})
		return nil, nil
	}))
	b.absent(key("a"))
}

func checkKnownVersion(b *bench) {
	k := key("a")
	b.do(k, give(calls, 5))
	b.do(k, give(calls, 6))
	sn := b.snapshot(k)
	for version, known := range map[int64]bool{0: false, 1: false, 2: true, 3: false} {
		want := &store.Want{Wallets: []store.WantWallet{{ID: k.ID(), Version: version}}}
		b.must(b.Transact(b.ctx, want, func(found *store.Found) (*store.Changes, error) {
			f := found.Wallets[0]
			if !f.Exists || (f.Snapshot == nil) != known {
				b.Errorf("version %d known: exists %t, snapshot %v", version, f.Exists, f.Snapshot)
			}
			if f.Snapshot != nil {
				b.same("snapshot", f.Snapshot, sn)
			}
			return nil, nil
		}))
	}
}

func checkFoundDefinitions(b *bench) {
	b.must(b.CreateApp(b.ctx, store.App{ID: "app_other", Name: "Other", Version: 1, CreatedAt: start}))
	want := &store.Want{Apps: []store.WantApp{{App: "app_other", Version: 1}, {App: app, Version: 1}, {App: "app_none"}}}
	b.must(b.Transact(b.ctx, want, func(found *store.Found) (*store.Changes, error) {
		if len(found.Definitions) != 1 {
			b.Fatalf("%d definitions, want those of one app", len(found.Definitions))
		}
		b.same("definitions", found.Definitions[0], b.defs)
		return nil, nil
	}))
	want = &store.Want{Apps: []store.WantApp{{App: app, Version: b.defs.Version}}}
	b.must(b.Transact(b.ctx, want, func(found *store.Found) (*store.Changes, error) {
		b.same("definitions of a known version", found.Definitions, []*catalog.Definitions{})
		return nil, nil
	}))
}

func checkDecideError(b *bench) {
	b.do(key("a"), give(calls, 5))
	before := b.snapshot(key("a"))
	own := &wallet.Missing{Needs: wallet.Needs{Grants: []int64{7}}}
	want := &store.Want{Wallets: []store.WantWallet{{ID: key("a").ID()}}}
	err := b.Transact(b.ctx, want, func(*store.Found) (*store.Changes, error) {
		return &store.Changes{Wallets: []store.WalletChange{fullChange(key("b"))}}, own
	})
	if err != error(own) {
		b.Fatalf("error %v, want decide's own", err)
	}
	b.same("snapshot", b.snapshot(key("a")), before)
	b.absent(key("b"))
	b.do(key("a"), spend(calls, 1)) // the store is not stuck in a transaction
}

func checkCanceled(b *bench) {
	ctx, cancel := context.WithCancel(b.ctx)
	cancel()
	err := b.Transact(ctx, &store.Want{}, func(*store.Found) (*store.Changes, error) {
		b.Error("decide was called")
		return &store.Changes{Wallets: []store.WalletChange{fullChange(key("a"))}}, nil
	})
	if !errors.Is(err, context.Canceled) {
		b.Fatalf("error %v, want the context's among its causes", err)
	}
	b.absent(key("a"))
}

func checkCanceledLate(b *bench) {
	ctx, cancel := context.WithCancel(b.ctx)
	err := b.Transact(ctx, &store.Want{}, func(*store.Found) (*store.Changes, error) {
		cancel()
		return &store.Changes{Wallets: []store.WalletChange{fullChange(key("a"))}}, nil
	})
	if err == nil {
		b.snapshot(key("a"))
	} else {
		b.absent(key("a"))
	}
	b.do(key("b"), give(calls, 1))
}

func checkMoved(b *bench) {
	b.must(b.write(fullChange(key("a"))))
	b.must(b.write(fullChange(key("b"))))
	first := b.snapshot(key("a"))
	for _, version := range []int64{1, 3, 100} {
		stale := store.WalletChange{
			Header: first.Header, Entries: []wallet.Entry{fullEntry(2)}, NewGrants: []*wallet.Grant{plainGrant(9)},
			Standings: []wallet.Standing{{Credit: calls, Overage: 1}}, Subscription: plainSubscription(9),
		}
		stale.Header.Version = version
		fine := store.WalletChange{Header: b.snapshot(key("b")).Header, Entries: []wallet.Entry{fullEntry(2)}}
		fine.Header.Version = 2
		b.wantRetry(b.write(fine, stale))
		b.same("snapshot", b.snapshot(key("a")), first)
		entries, err := b.Entries(b.ctx, store.EntryQuery{Wallet: fine.Header.ID})
		b.must(err)
		if len(entries) != 1 {
			b.Fatal("a part of the transaction was written")
		}
	}
}

func checkCreated(b *bench) {
	first := fullChange(key("a"))
	b.must(b.write(first))
	second := store.WalletChange{Header: first.Header, Created: true, Entries: []wallet.Entry{fullEntry(2)}}
	b.wantRetry(b.write(second))
	missing := store.WalletChange{Header: fullHeader(key("b"))}
	missing.Header.Version = 2
	b.wantRetry(b.write(missing))
	b.same("snapshot", b.snapshot(key("a")), fullSnapshot(first))
	b.absent(key("b"))
}

func checkMany(b *bench) {
	const wallets = 256
	var changes []store.WalletChange
	for i := range wallets {
		changes = append(changes, fullChange(key(fmt.Sprint(i))))
	}
	b.must(b.write(changes...))
	slices.SortFunc(changes, func(x, y store.WalletChange) int { return compareIDs(x.Header.ID, y.Header.ID) })

	want := &store.Want{}
	for i, c := range changes {
		want.Wallets = append(want.Wallets, store.WantWallet{ID: c.Header.ID, Version: int64(i % 2)})
	}
	missing := store.WantWallet{ID: key("missing").ID()}
	at, _ := slices.BinarySearchFunc(want.Wallets, missing, func(x, y store.WantWallet) int { return compareIDs(x.ID, y.ID) })
	want.Wallets = slices.Insert(want.Wallets, at, missing)
	b.must(b.Transact(b.ctx, want, func(found *store.Found) (*store.Changes, error) {
		if len(found.Wallets) != wallets+1 || found.Wallets[at].Exists {
			b.Fatalf("%d wallets found, the missing one %t", len(found.Wallets), found.Wallets[at].Exists)
		}
		for i, f := range slices.Delete(found.Wallets, at, at+1) {
			if !f.Exists || (f.Snapshot == nil) != (i%2 == 1) {
				b.Fatalf("wallet %d: %+v", i, f)
			}
			if f.Snapshot != nil {
				b.same("snapshot", f.Snapshot, fullSnapshot(changes[i]))
			}
		}
		return nil, nil
	}))
}

func compareIDs(x, y id.Wallet) int { return slices.Compare(x[:], y[:]) }

func checkAnswers(b *bench) {
	first, second := fullChange(key("a")), fullChange(key("b"))
	one, two, other := fullAnswer("one"), fullAnswer("two"), fullAnswer("one")
	other.Answer = []byte("another wallet's")
	first.Answers, second.Answers = []store.StoredAnswer{one, two}, []store.StoredAnswer{other}
	b.must(b.write(first, second))
	w := first.Header.ID
	b.same("answers of one", b.answers(w, "two"), []store.StoredAnswer{two})
	b.same("answers of two", b.answers(w, "two", "none", "one"), []store.StoredAnswer{one, two})
	b.same("answers of nobody", b.answers(w, "none"), []store.StoredAnswer{})
	b.same("answers of the other", b.answers(second.Header.ID, "one", "two"), []store.StoredAnswer{other})

	again := store.WalletChange{Header: first.Header, Answers: []store.StoredAnswer{one}}
	again.Header.Version = 2
	b.wantRetry(b.write(again))
	if b.snapshot(key("a")).Version != 1 {
		b.Fatal("the header was written without the answer")
	}
}
