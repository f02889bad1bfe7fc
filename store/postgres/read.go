package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/wallet"
)

// beginRead heads a script whose statements must see the same instant.
const beginRead = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"

// Snapshot reads a wallet; nil when it does not exist.
func (s *Store) Snapshot(ctx context.Context, w id.Wallet) (*wallet.Snapshot, error) {
	const op = "postgres.Snapshot"
	var work script
	sn := &wallet.Snapshot{}
	exists := false
	work.exec(beginRead)
	work.add(partOther, func(r pgx.Rows) error {
		exists = true
		return scanHeader(r, &sn.Header)
	}, "SELECT "+headerColumns+" FROM wallets w WHERE w.bucket = $1::smallint AND w.wallet = $2::uuid", int16(w.Bucket()), uuid(w))
	work.snapshots(map[id.Wallet]*wallet.Snapshot{w: sn})
	work.exec("COMMIT")
	if err := s.read(ctx, op, &work); err != nil || !exists {
		return nil, err
	}
	return sn, nil
}

// Fetch reads closed things that a command looks back at.
func (s *Store) Fetch(ctx context.Context, w id.Wallet, needs wallet.Needs) (*wallet.Found, error) {
	const op = "postgres.Fetch"
	if err := s.enter(op); err != nil {
		return nil, err
	}
	defer s.leave()
	var found store.FoundWallet
	l := &look{found: func(id.Wallet) *store.FoundWallet { return &found }}
	l.want(w, needs)
	err := s.with(ctx, func(conn *pgx.Conn) error {
		// Closed things do not change, except that grants may roll on: reading them after
		// the entries that name them is as good as reading all at one instant.
		var first, second script
		first.things(l)
		if err := first.run(ctx, conn); err != nil {
			return err
		}
		second.grants(l)
		return second.run(ctx, conn)
	})
	if err != nil {
		return nil, fail(ctx, op, err)
	}
	return &found.Fetched, nil
}

const selectGrantList = "SELECT " + grantColumns + " FROM grants g " +
	"JOIN lanes l ON l.bucket = g.bucket AND l.wallet = g.wallet AND l.n = g.lane"

// Grants lists a wallet's grants, in order of their numbers.
func (s *Store) Grants(ctx context.Context, q store.GrantQuery) ([]*wallet.Grant, error) {
	f := within("g", q.Wallet)
	f.and("g.n > ?::bigint", q.After)
	if q.Credit != "" {
		f.and("g.credit_id = ?::text", q.Credit)
	}
	if len(q.Only) > 0 {
		f.and("g.n = ANY(?::bigint[])", q.Only)
	}
	if q.Ref != "" { // as the index on it has them
		f.and("g.external_ref = ?::text AND g.external_ref <> '' AND g.parent = 0", q.Ref)
	}
	var w id.Wallet
	sql := f.sql(selectGrantList, "g.n", store.PageLimit(q.Limit))
	return readAll(ctx, s, query{"postgres.Grants", sql, f.args}, func(r pgx.Rows) (*wallet.Grant, error) {
		g, err := scanGrant(r, &w)
		return g, err
	})
}

// Entries lists a wallet's entries, newest first.
func (s *Store) Entries(ctx context.Context, q store.EntryQuery) ([]wallet.Entry, error) {
	f := within("e", q.Wallet)
	if q.Before != 0 {
		f.and("e.seq < ?::bigint", q.Before)
	}
	if q.Seq != 0 {
		f.and("e.seq = ?::bigint", q.Seq)
	}
	if q.Credit != "" {
		f.and("e.credit_id = ?::text", q.Credit)
	}
	if len(q.Types) > 0 {
		types := make([]string, len(q.Types))
		for i, t := range q.Types {
			types[i] = string(t)
		}
		f.and("e.type = ANY(?::text[])", types)
	}
	if !q.From.IsZero() {
		f.and("e.effective_at >= ?::bigint", int64(q.From))
	}
	if !q.To.IsZero() {
		f.and("e.effective_at < ?::bigint", int64(q.To))
	}
	var w id.Wallet
	sql := f.sql("SELECT "+entryColumns+" FROM entries e", "e.seq DESC", store.PageLimit(q.Limit)) + f.offset(q.Offset)
	return readAll(ctx, s, query{"postgres.Entries", sql, f.args}, func(r pgx.Rows) (e wallet.Entry, err error) {
		err = scanEntry(r, &w, &e)
		return e, err
	})
}

// Usages lists usage events by when they took place, newest first.
func (s *Store) Usages(ctx context.Context, q store.UsageQuery) ([]store.CustomerUsage, error) {
	f := usageFilter(&q)
	sql := f.sql("SELECT "+usageColumns+", w.customer_id FROM usages u JOIN wallets w ON w.bucket = u.bucket AND w.wallet = u.wallet",
		"u.at DESC, u.bucket DESC, u.wallet DESC, u.n DESC", store.PageLimit(q.Limit)) + " OFFSET " + f.arg(int64(q.Skip)) + "::bigint"
	return readAll(ctx, s, query{"postgres.Usages", sql, f.args}, func(r pgx.Rows) (store.CustomerUsage, error) {
		var c store.CustomerUsage
		u, err := scanUsage(r, &c.Wallet, &c.Customer)
		c.Usage = *u
		return c, err
	})
}

func usageFilter(q *store.UsageQuery) *filter {
	f := &filter{}
	if q.Customer != "" {
		f = within("u", wallet.Key{App: q.App, Mode: q.Mode, Customer: q.Customer}.ID())
	}
	f.and("w.app_id = ?::text", q.App)
	f.and("w.mode = ?::text", string(q.Mode))
	if q.ID != "" {
		f.and("u.id = ?::text", q.ID)
	}
	if q.Event != "" {
		f.and("u.event = ?::text", q.Event)
	}
	if !q.From.IsZero() {
		f.and("u.at >= ?::bigint", int64(q.From))
	}
	if !q.To.IsZero() {
		f.and("u.at < ?::bigint", int64(q.To))
	}
	if after := q.After; after != (store.UsagePosition{}) {
		f.conditions = append(f.conditions, "(u.at, u.bucket, u.wallet, u.n) < ("+f.arg(int64(after.At))+"::bigint, "+
			f.arg(int16(after.Wallet.Bucket()))+"::smallint, "+f.arg(uuid(after.Wallet))+"::uuid, "+f.arg(after.N)+"::bigint)")
	}
	return f
}

// Tallies lists what meters have counted of a wallet, newest period first.
func (s *Store) Tallies(ctx context.Context, q store.TallyQuery) ([]*wallet.Tally, error) {
	f := within("t", q.Wallet)
	f.and("t.period_end > ?::bigint", int64(q.From))
	if !q.To.IsZero() {
		f.and("t.period_start < ?::bigint", int64(q.To))
	}
	if q.Meter != "" {
		f.and("t.meter_id = ?::text", q.Meter)
	}
	if after := q.After; after != (wallet.TallyKey{}) {
		f.conditions = append(f.conditions, "(t.period_start, t.meter_id, t.credit_id) < ("+f.arg(int64(after.From))+"::bigint, "+
			f.arg(after.Meter)+"::text, "+f.arg(after.Credit)+"::text)")
	}
	var w id.Wallet
	sql := f.sql("SELECT "+tallyColumns+" FROM tallies t", "t.period_start DESC, t.meter_id DESC, t.credit_id DESC", store.PageLimit(q.Limit))
	return readAll(ctx, s, query{"postgres.Tallies", sql, f.args}, func(r pgx.Rows) (*wallet.Tally, error) {
		t, err := scanTally(r, &w)
		return t, err
	})
}

// Headers lists wallets in order of their ids, for verification.
func (s *Store) Headers(ctx context.Context, after id.Wallet, limit int) ([]wallet.Header, error) {
	q := query{"postgres.Headers", "SELECT " + headerColumns + ` FROM wallets w WHERE (w.bucket, w.wallet) > ($1::smallint, $2::uuid)
		ORDER BY w.bucket, w.wallet LIMIT $3::bigint`, []any{int16(after.Bucket()), uuid(after), int64(store.PageLimit(limit))}}
	return readAll(ctx, s, q, func(r pgx.Rows) (h wallet.Header, err error) {
		err = scanHeader(r, &h)
		return h, err
	})
}
