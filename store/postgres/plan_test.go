package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/internal/pgtest"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/wallet"
)

// A wallet's idempotency keys are looked for one by one, however many there are, although the
// statement was planned when there was none, and before the server has analyzed anything.
func TestPlansFollowGrowth(t *testing.T) {
	server := pgtest.New(t, pgtest.WithoutFsync(), pgtest.WithSetting("autovacuum", "off"))
	url, err := server.NewDatabase(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s := openURL(t, url)
	define(t, s)
	const transactions, each = 600, 16
	l := newLoad(t, s, "growing", 1)
	for range transactions {
		l.batch(t, 1, each, true)
	}
	if err := s.Close(); err != nil { // its connections tell what they did when they end
		t.Fatal(err)
	}
	// Looked for one by one, what is not there is not read. Read whole each time, it would
	// have been half the rows a transaction.
	const most = transactions * each * 10
	if read := indexReads(t, url, "answers_pkey"); read > most {
		t.Errorf("%d rows of the index were read for %d keys, want at most %d", read, transactions*each, most)
	}
}

// What a provider's id finds, what is being charged, and what the sandbox provider knows, is found by
// an index of its own, before the server has analyzed anything.
func TestPurchasesAreFoundByIndex(t *testing.T) {
	server := pgtest.New(t, pgtest.WithoutFsync(), pgtest.WithSetting("autovacuum", "off"))
	url, err := server.NewDatabase(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s := openURL(t, url)
	define(t, s)
	const customers, each, looks = 40, 100, 20
	for i := range customers {
		k := key(fmt.Sprint("c", i))
		c := store.WalletChange{Header: wallet.Header{ID: k.ID(), Key: k, Version: 1, OrderSeq: each}, Created: true}
		for n := range each {
			o := &wallet.Order{N: int64(n + 1), Kind: wallet.PackOrder, Status: wallet.OrderPaid, CreatedAt: start + clock.Instant(i*each+n)}
			o.Session, o.Payment = fmt.Sprintf("cs_%d_%d", i, n), fmt.Sprintf("pi_%d_%d", i, n)
			if n == each/2 {
				o.Status = wallet.OrderWaiting
			}
			c.NewOrders = append(c.NewOrders, o)
			object := store.ProviderObject{ID: o.Session, App: app, Mode: catalog.Live, Kind: "page", Ref: o.Payment, Body: []byte("{}")}
			if err := s.PutProviderObject(t.Context(), object); err != nil {
				t.Fatal(err)
			}
		}
		want := &store.Want{Wallets: []store.WantWallet{{ID: k.ID()}}}
		err := s.Transact(t.Context(), want, func(*store.Found) (*store.Changes, error) {
			return &store.Changes{Wallets: []store.WalletChange{c}}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for i := range looks {
		of := fmt.Sprintf("_%d_%d", i, 2*i)
		bySession, err1 := s.Orders(t.Context(), store.OrderQuery{Session: "cs" + of})
		byPayment, err2 := s.Orders(t.Context(), store.OrderQuery{Payment: "pi" + of, Status: []wallet.OrderStatus{wallet.OrderPaid}})
		objects, err3 := s.ProviderObjects(t.Context(), store.ProviderQuery{App: app, Mode: catalog.Live, Kind: "page", Ref: "pi" + of})
		sn, err4 := s.Snapshot(t.Context(), key(fmt.Sprint("c", i)).ID())
		if err := errors.Join(err1, err2, err3, err4); err != nil {
			t.Fatal(err)
		}
		if len(bySession) != 1 || len(byPayment) != 1 || len(objects) != 1 || len(sn.Orders) != 1 {
			t.Fatalf("%s: found %d, %d, %d, %d", of, len(bySession), len(byPayment), len(objects), len(sn.Orders))
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, index := range []string{"orders_session", "orders_payment", "orders_charging", "provider_objects_ref"} {
		if read := indexReads(t, url, index); read > 2*looks {
			t.Errorf("%d rows of the index %s were read for %d looks", read, index, looks)
		}
	}
	if read := rowsScanned(t, url, "orders"); read > 0 {
		t.Errorf("%d orders were read without an index", read)
	}
}

// rowsScanned is how many rows of a table were read without an index.
func rowsScanned(t *testing.T, url, table string) (read int64) {
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if err := conn.QueryRow(t.Context(), "SELECT seq_tup_read FROM pg_stat_user_tables WHERE relname = $1", table).Scan(&read); err != nil {
		t.Fatal(err)
	}
	return read
}

// indexReads is how many entries of an index were read, once the statistics say anything.
func indexReads(t *testing.T, url, index string) (read int64) {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for scans := int64(0); scans == 0; <-tick.C {
		err := conn.QueryRow(ctx, "SELECT idx_scan, idx_tup_read FROM pg_stat_user_indexes WHERE indexrelname = $1", index).Scan(&scans, &read)
		if err != nil {
			t.Fatal(err)
		}
	}
	return read
}
