package postgres_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/seed42445051/scrip/internal/pgtest"
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

// indexReads is how many entries of an index were read, once the statistics say anything.
func indexReads(t *testing.T, url, index string) (read int64) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
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
