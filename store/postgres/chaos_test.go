package postgres_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/internal/pgtest"
	"github.com/seed42445051/scrip/internal/testenv"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/store/postgres"
	"github.com/seed42445051/scrip/wallet"
)

// TestChaos lets writers work while connections are cut and the server crashes, and checks that
// every acknowledged operation was written exactly once, and no other.
func TestChaos(t *testing.T) {
	const writers, wallets, crashes, cuts = 6, 3, 4, 30
	each := max(1, testenv.Ops(t, 1200)/writers)
	server := pgtest.New(t) // durable: what a crash leaves is the point
	url, err := server.NewDatabase(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s := openURL(t, with(url, "pool_max_conns=8"))
	define(t, s)
	done := make(chan struct{}, writers*each)
	var wg sync.WaitGroup
	for writer := range writers {
		wg.Go(func() {
			for n := range each {
				k := key(fmt.Sprint((writer + n) % wallets))
				stubborn(t, s, k, fmt.Sprintf("%d-%d", writer, n))
				done <- struct{}{}
			}
		})
	}
	disturb(t, server, url, done, writers*each, crashes, cuts)
	wg.Wait()
	var got, want []string
	for i := range wallets {
		got = append(got, operations(t, s, key(fmt.Sprint(i)))...)
	}
	for writer := range writers {
		for n := range each {
			want = append(want, fmt.Sprintf("%d-%d", writer, n))
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Fatalf("%d operations were written, %d acknowledged; twice: %v", len(got), len(want), repeated(got))
	}
}

// stubborn carries out one operation, as often as the store says that it was not written. The
// first on a wallet only makes it, and is carried out again.
func stubborn(t *testing.T, s *postgres.Store, k wallet.Key, operation string) {
	for {
		made := false
		want := &store.Want{Wallets: []store.WantWallet{{ID: k.ID()}}}
		err := s.Transact(t.Context(), want, func(found *store.Found) (*store.Changes, error) {
			f := found.Wallets[0]
			if made = f.Exists; !made {
				return &store.Changes{Wallets: []store.WalletChange{opening(k)}}, nil
			}
			return &store.Changes{Wallets: []store.WalletChange{spending(f.Snapshot.Header, operation)}}, nil
		})
		switch {
		case err == nil && made:
			return
		case err != nil && !errors.Is(err, store.ErrRetry):
			t.Errorf("operation %s: %v", operation, err)
			return
		case err != nil:
			<-clock.System{}.After(time.Millisecond) // as the engine pauses between tries
		}
	}
}

// disturb counts operations as they are done, and in between cuts connections and crashes the
// server, evenly over the run.
func disturb(t *testing.T, server *pgtest.Server, url string, done <-chan struct{}, all, crashes, cuts int) {
	t.Helper()
	for n := 1; n <= all; n++ {
		<-done
		if n%(all/(crashes+1)) == 0 && n < all {
			if err := errors.Join(server.Kill(), server.Start()); err != nil {
				t.Fatal(err)
			}
		} else if n%max(1, all/cuts) == 0 {
			cut(t, url, n%2 == 0)
		}
	}
}

// cut ends the server's processes of other connections: all, or those at work.
func cut(t *testing.T, url string, all bool) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	_, err = conn.Exec(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
		WHERE datname = current_database() AND pid <> pg_backend_pid() AND ($1 OR state = 'active')`, all)
	if err != nil {
		t.Fatal(err)
	}
}

func repeated(sorted []string) []string {
	var twice []string
	for i := 1; i < len(sorted); i++ {
		if sorted[i] == sorted[i-1] {
			twice = append(twice, sorted[i])
		}
	}
	return twice
}
