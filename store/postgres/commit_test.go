package postgres_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/internal/pgtest"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/store/postgres"
	"github.com/seed42445051/scrip/wallet"
)

// TestLostCommit breaks the connection at the moment of COMMIT, in several ways, and checks
// that the store tells what became of it.
func TestLostCommit(t *testing.T) {
	for name, c := range fates {
		for _, mode := range []string{"exec", "simple_protocol"} {
			t.Run(name+"/"+mode, func(t *testing.T) {
				target := pgtest.URL(t)
				direct := openURL(t, target)
				define(t, direct)
				p := newProxy(t, target)
				s := openURL(t, p.url(target, "default_query_exec_mode="+mode))
				k := key("a")
				var want []string
				if err := spend(t.Context(), s, k); err != nil {
					t.Fatal(err)
				}
				for _, operation := range []string{"one", "two", "three"} {
					f := c.fate
					p.atEnd.Store(&f)
					err := spend(t.Context(), s, k, operation)
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

// TestLostCreation is about wallets that did not exist, where no row could be locked.
func TestLostCreation(t *testing.T) {
	target := pgtest.URL(t)
	direct := openURL(t, target)
	define(t, direct)
	p := newProxy(t, target)
	s := openURL(t, p.url(target, "default_query_exec_mode=exec"))
	for name, c := range fates {
		f := c.fate
		p.atEnd.Store(&f)
		err := spend(t.Context(), s, key(name))
		if (err == nil) != c.committed || (err != nil && !errors.Is(err, store.ErrRetry)) {
			t.Errorf("%s: %v", name, err)
		}
		sn, err := direct.Snapshot(t.Context(), key(name).ID())
		if err != nil || (sn != nil) != c.committed {
			t.Errorf("%s: snapshot %v, %v", name, sn, err)
		}
	}
}

// TestRoundTrips counts how often the client waits for the server.
func TestRoundTrips(t *testing.T) {
	target := pgtest.URL(t)
	define(t, openURL(t, target))
	p := newProxy(t, target)
	for _, mode := range []string{"cache_statement", "cache_describe", "exec", "simple_protocol"} {
		t.Run(mode, func(t *testing.T) {
			s := openURL(t, p.url(target, "pool_max_conns=1&default_query_exec_mode="+mode))
			keys := []wallet.Key{key(mode + "a"), key(mode + "b"), key(mode + "c")}
			var headers []wallet.Header
			for _, k := range keys {
				if err := spend(t.Context(), s, k); err != nil {
					t.Fatal(err)
				}
			}
			for _, w := range ids(keys) {
				sn, err := s.Snapshot(t.Context(), w)
				if err != nil {
					t.Fatal(err)
				}
				headers = append(headers, sn.Header)
			}
			for round := range 3 { // the first prepares statements
				before := p.trips.Load()
				headers = roundTrip(t, s, headers)
				if trips := p.trips.Load() - before; round > 0 && trips != 2 {
					t.Errorf("%d round trips, want 2", trips)
				}
			}
		})
	}
}

// roundTrip spends from several wallets at once, with everything known that can be known.
func roundTrip(t *testing.T, s store.Store, headers []wallet.Header) []wallet.Header {
	t.Helper()
	want := &store.Want{Apps: []store.WantApp{{App: app, Version: 2}}}
	for _, h := range headers {
		want.Wallets = append(want.Wallets, store.WantWallet{
			ID: h.ID, Version: h.Version, Answers: []string{"k"},
			Needs: wallet.Needs{Holds: []int64{7}, Grants: []int64{1}, External: []wallet.ExternalRef{{What: calls, Ref: "r"}}},
		})
	}
	var next []wallet.Header
	err := s.Transact(t.Context(), want, func(found *store.Found) (*store.Changes, error) {
		changes := &store.Changes{}
		for i, h := range headers {
			if f := found.Wallets[i]; f.Snapshot != nil || len(f.Fetched.Grants) != 1 {
				t.Errorf("found %+v", f)
			}
			c := spending(h, "x")
			c.Answers = []store.StoredAnswer{{Key: c.Header.Head.String(), Request: hash("r"), Answer: []byte("{}")}}
			changes.Wallets = append(changes.Wallets, c)
			next = append(next, c.Header)
		}
		return changes, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return next
}

// TestCrashReusesNumbers loses a commit in a crash that happens before anything of the
// transaction has reached the disk. The recovered server gives its number to a stranger, who
// commits; the store must not take that for its own.
func TestCrashReusesNumbers(t *testing.T) {
	server := pgtest.New(t)
	target, err := server.NewDatabase(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	direct := openURL(t, target)
	define(t, direct)
	p := newProxy(t, target)
	s := openURL(t, p.url(target, "default_query_exec_mode=exec"))
	for _, customer := range []string{"a", "b"} {
		if err := spend(t.Context(), s, key(customer)); err != nil {
			t.Fatal(err)
		}
	}
	p.atEnd.Store(&fate{then: func() {
		if err := errors.Join(server.Kill(), server.Start()); err != nil {
			t.Error(err)
		}
		for range 20 {
			err := store.ErrRetry
			for errors.Is(err, store.ErrRetry) { // the connections are from before the crash
				err = spend(t.Context(), direct, key("b"), "stranger")
			}
			if err != nil {
				t.Error(err)
			}
		}
	}})
	if err := spend(t.Context(), s, key("a"), "lost"); !errors.Is(err, store.ErrRetry) {
		t.Errorf("error %v, want ErrRetry", err)
	}
	if got := operations(t, direct, key("a")); len(got) != 0 {
		t.Errorf("operations %v, want none", got)
	}
	if got := operations(t, direct, key("b")); len(got) != 20 {
		t.Errorf("%d operations of strangers, want 20", len(got))
	}
}

// TestUnknownCommit loses a commit and the server with it: the store may say neither that the
// change was made nor that it was not.
func TestUnknownCommit(t *testing.T) {
	server := pgtest.New(t)
	target, err := server.NewDatabase(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	direct := openURL(t, target)
	define(t, direct)
	p := newProxy(t, target)
	s, err := postgres.Open(t.Context(), p.url(target, "default_query_exec_mode=exec"), postgres.Options{CommitLimit: 300 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	if err := spend(t.Context(), direct, key("a")); err != nil { // this one may take its time
		t.Fatal(err)
	}
	p.atEnd.Store(&fate{then: func() {
		if err := server.Kill(); err != nil {
			t.Error(err)
		}
	}})
	err = spend(t.Context(), s, key("a"), "unknown")
	if fault.CodeOf(err) != fault.CodeStoreUnavailable || errors.Is(err, store.ErrRetry) {
		t.Errorf("error %v, want store_unavailable and no promise", err)
	}
}
