package postgres_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/seed42445051/scrip/internal/pgtest"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/wallet"
)

// spendAhead takes a unit for each operation from a wallet whose header is known, before the
// database was asked.
func spendAhead(ctx context.Context, s store.Store, h wallet.Header, change func(*store.Want), operations ...string) error {
	want := &store.Want{Apps: []store.WantApp{{App: app, Version: 2}}, Wallets: []store.WantWallet{{ID: h.ID, Version: h.Version}}}
	if change != nil {
		change(want)
	}
	return s.Write(ctx, want, &store.Changes{Wallets: []store.WalletChange{spending(h, operations...)}})
}

func headerOf(t *testing.T, s store.Store, k wallet.Key) wallet.Header {
	t.Helper()
	sn, err := s.Snapshot(t.Context(), k.ID())
	if err != nil {
		t.Fatal(err)
	}
	return sn.Header
}

// TestAhead decides on what is known: what is so takes one round trip, and what is not so any more
// is refused as a whole.
func TestAhead(t *testing.T) {
	target := pgtest.URL(t)
	direct := openURL(t, target)
	define(t, direct)
	p := newProxy(t, target)
	for _, mode := range []string{"cache_statement", "cache_describe", "exec", "simple_protocol"} {
		t.Run(mode, func(t *testing.T) {
			s := openURL(t, p.url(target, "pool_max_conns=1&default_query_exec_mode="+mode))
			k := key(mode)
			must := func(err error) {
				t.Helper()
				if err != nil {
					t.Fatal(err)
				}
			}
			must(spend(t.Context(), s, k))
			must(spendAhead(t.Context(), s, headerOf(t, direct, k), nil, "first")) // prepares statements
			before := p.trips.Load()
			must(spendAhead(t.Context(), s, headerOf(t, direct, k), nil, "second"))
			if trips := p.trips.Load() - before; trips != 1 {
				t.Errorf("%d round trips, want 1", trips)
			}
			h := headerOf(t, direct, k)
			must(answer(t.Context(), s, h, "used"))
			h.Version++
			for name, change := range map[string]func(*store.Want){
				"the wallet was written": func(w *store.Want) { w.Wallets[0].Version-- },
				"the app was redefined":  func(w *store.Want) { w.Apps[0].Version-- },
				"the key was used":       func(w *store.Want) { w.Wallets[0].Answers = []string{"new", "used"} },
			} {
				for _, operations := range [][]string{{"wrong"}, nil} { // one that writes, and one that only answers
					err := spendAhead(t.Context(), s, h, change, operations...)
					if !errors.Is(err, store.ErrStale) || !errors.Is(err, store.ErrRetry) {
						t.Errorf("%s: error %v, want ErrStale", name, err)
					}
				}
			}
			must(spendAhead(t.Context(), s, h, func(w *store.Want) { w.Wallets[0].Answers = []string{"new"} }, "third"))
			if got, want := operations(t, direct, k), []string{"first", "second", "third"}; !slices.Equal(got, want) {
				t.Errorf("operations %v, want %v", got, want)
			}
		})
	}
}

// answer stores an answer under a key, and nothing else.
func answer(ctx context.Context, s store.Store, h wallet.Header, key string) error {
	want := &store.Want{Wallets: []store.WantWallet{{ID: h.ID, Version: h.Version}}}
	return s.Transact(ctx, want, func(*store.Found) (*store.Changes, error) {
		h.Version++
		return &store.Changes{Wallets: []store.WalletChange{{
			Header: h, Answers: []store.StoredAnswer{{Key: key, Request: hash("r"), Answer: []byte("{}"), At: start}},
		}}}, nil
	})
}

// TestAheadLocksInOrder lets many transactions over the same wallets decide ahead: none waits for
// another in a circle, and each unit is taken once.
func TestAheadLocksInOrder(t *testing.T) {
	s := openURL(t, pgtest.URL(t))
	define(t, s)
	keys := []wallet.Key{key("a"), key("b"), key("c"), key("d")}
	for _, k := range keys {
		if err := spend(t.Context(), s, k); err != nil {
			t.Fatal(err)
		}
	}
	const each = 25
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for done := 0; done < each; {
				want := &store.Want{}
				var changes store.Changes
				for _, w := range ids(keys) {
					sn, err := s.Snapshot(t.Context(), w)
					if err != nil {
						t.Error(err)
						return
					}
					want.Wallets = append(want.Wallets, store.WantWallet{ID: w, Version: sn.Version})
					changes.Wallets = append(changes.Wallets, spending(sn.Header, "x"))
				}
				err := s.Write(t.Context(), want, &changes)
				switch {
				case err == nil:
					done++
				case !errors.Is(err, store.ErrStale):
					t.Error(err) // a deadlock is ErrRetry alone
					return
				}
			}
		})
	}
	wg.Wait()
	for _, k := range keys {
		if got := operations(t, s, k); len(got) != 8*each {
			t.Errorf("%s: %d operations, want %d", k.Customer, len(got), 8*each)
		}
	}
}

// TestAheadLostCommit is TestLostCommit for what was decided ahead, where nothing of the
// transaction may have arrived.
func TestAheadLostCommit(t *testing.T) {
	for name, c := range fates {
		for _, mode := range []string{"exec", "simple_protocol"} {
			t.Run(name+"/"+mode, func(t *testing.T) {
				target := pgtest.URL(t)
				direct := openURL(t, target)
				define(t, direct)
				p := newProxy(t, target)
				s := openURL(t, p.url(target, "default_query_exec_mode="+mode))
				k := key("a")
				if err := spend(t.Context(), s, k); err != nil {
					t.Fatal(err)
				}
				var want []string
				for _, operation := range []string{"one", "two", "three"} {
					h := headerOf(t, direct, k)
					f := c.fate
					p.atEnd.Store(&f)
					err := spendAhead(t.Context(), s, h, nil, operation)
					switch {
					case p.atEnd.Load() != nil:
						t.Fatal("no COMMIT passed the proxy")
					case c.committed && err != nil:
						t.Fatalf("the commit took effect, but: %v", err)
					case !c.committed && !errors.Is(err, store.ErrRetry):
						t.Fatalf("the commit took no effect, but: %v", err)
					}
					if c.committed {
						want = append(want, operation)
					}
				}
				if got := operations(t, direct, k); !slices.Equal(got, want) {
					t.Fatalf("operations %v, want %v", got, want)
				}
			})
		}
	}
}

// TestAheadArrivesLate lets a transaction arrive after its caller was told that it took no effect.
func TestAheadArrivesLate(t *testing.T) {
	target := pgtest.URL(t)
	direct := openURL(t, target)
	define(t, direct)
	p := newProxy(t, target)
	s := openURL(t, p.url(target, "default_query_exec_mode=exec"))
	k := key("a")
	if err := spend(t.Context(), s, k); err != nil {
		t.Fatal(err)
	}
	told := make(chan struct{})
	arrived := make(chan struct{})
	p.atEnd.Store(&fate{late: told, then: func() { close(arrived) }})
	if err := spendAhead(t.Context(), s, headerOf(t, direct, k), nil, "late"); !errors.Is(err, store.ErrRetry) {
		t.Fatalf("error %v, want ErrRetry", err)
	}
	close(told)
	<-arrived
	if err := spend(t.Context(), direct, k, "after"); err != nil {
		t.Fatal(err)
	}
	if got := operations(t, direct, k); !slices.Equal(got, []string{"after"}) {
		t.Errorf("operations %v: what was told not to have happened did", got)
	}
}
