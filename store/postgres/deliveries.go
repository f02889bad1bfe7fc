package postgres

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/store"
)

// Statements about deliveries. What is due is found without a lock, by an index over all buckets;
// it is locked, and looked at again, by its key.
var (
	selectDueOf = selectLeased + ` WHERE v.endpoint_id = $1::text AND v.status = 'pending' AND v.next_at <= $2::bigint
		ORDER BY v.next_at LIMIT $3::bigint`

	selectDueWallets = `SELECT DISTINCT wallet FROM (SELECT d.wallet FROM deliveries d
		WHERE d.endpoint_id = $1::text AND d.status = 'pending' AND d.next_at <= $2::bigint AND d.wallet <> ALL($3::uuid[])
		ORDER BY d.next_at LIMIT $4::bigint) AS due`

	// Whoever holds a lock on one of them is leasing it, and so it is passed over.
	lockDue = over(`SELECT x.wallet, x.n FROM unnest($1::smallint[], $2::uuid[], $3::bigint[], $4::bigint[]) AS d (bucket, wallet, n, next_at)
		JOIN deliveries x ON x.bucket = {d.bucket} AND x.wallet = d.wallet AND x.n = d.n
		WHERE x.status = 'pending' AND x.next_at = d.next_at FOR UPDATE OF x SKIP LOCKED`)

	// The head of a customer's line must not be passed over, or the next one would go before it.
	// All wait in the order of the wallets.
	lockRuns = over(`SELECT r.wallet, r.n, r.next_at FROM unnest($1::smallint[], $2::uuid[], $3::text[], $4::bigint[]) AS d (bucket, wallet, endpoint_id, length)
		CROSS JOIN LATERAL (SELECT x.wallet, x.n, x.next_at FROM deliveries x WHERE x.bucket = {d.bucket} AND x.wallet = d.wallet
			AND x.endpoint_id = d.endpoint_id AND x.status = 'pending' ORDER BY x.n LIMIT d.length FOR UPDATE OF x) AS r
		ORDER BY r.wallet, r.n`)

	selectByKey = over(selectLeased + ` JOIN unnest($1::smallint[], $2::uuid[], $3::bigint[]) AS d (bucket, wallet, n)
		ON v.bucket = {d.bucket} AND v.wallet = d.wallet AND v.n = d.n`)

	leaseRows = over(`UPDATE deliveries AS t SET next_at = d.until
		FROM unnest($1::smallint[], $2::uuid[], $3::bigint[], $4::bigint[]) AS d (bucket, wallet, n, until)
		WHERE t.bucket = {d.bucket} AND t.wallet = d.wallet AND t.n = d.n`)

	finishRows = over(`UPDATE deliveries AS t SET status = d.status, tries = d.tries, next_at = d.next_at, finished_at = d.finished_at, log = d.log::jsonb
		FROM unnest($1::smallint[], $2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::text[], $9::text[])
			AS d (bucket, wallet, n, lease, tries, next_at, finished_at, status, log)
		WHERE t.bucket = {d.bucket} AND t.wallet = d.wallet AND t.n = d.n AND t.status = 'pending' AND t.next_at = d.lease`)

	deleteRows = over(`DELETE FROM deliveries AS t USING unnest($1::smallint[], $2::uuid[], $3::bigint[], $4::boolean[]) AS d (bucket, wallet, n, pending)
		WHERE t.bucket = {d.bucket} AND t.wallet = d.wallet AND t.n = d.n AND (t.status <> 'pending' OR d.pending) RETURNING 1`)

	followRows = over(`UPDATE deliveries AS t SET next_at = d.at
		FROM unnest($1::smallint[], $2::uuid[], $3::bigint[], $4::bigint[], $5::text[], $6::boolean[]) AS d (bucket, wallet, after, at, endpoint_id, hold)
		WHERE t.bucket = {d.bucket} AND t.wallet = d.wallet AND t.endpoint_id = d.endpoint_id AND t.status = 'pending'
			AND t.n > d.after AND t.next_at <> d.at AND (d.hold OR t.next_at > d.at)`)
)

// Statements that prune. Who prunes takes turns: the rows of a stretch are locked in no order.
const (
	prunedEndpoints = "SELECT id, archived_at FROM webhook_endpoints WHERE id >= $1::text ORDER BY id LIMIT 2"
	prunedRows      = `SELECT created_at, wallet, n, status = 'pending' FROM deliveries WHERE endpoint_id = $1::text AND created_at < $2::bigint
		AND (created_at, wallet, n) > ($3::bigint, $4::uuid, $5::bigint) ORDER BY created_at, wallet, n LIMIT $6::bigint`
	pruning = "SELECT pg_advisory_xact_lock(hashtextextended('scrip: prune', 0))"
)

// lockOrder has transactions that keep an order take turns, one endpoint at a time: they look at
// the beginnings of lines and change what stands behind, in no order that would keep them from
// waiting for one another.
const lockOrder = "SELECT pg_advisory_xact_lock(hashtextextended($1::text, 0))"

// DueDeliveries tells when something is due, for each endpoint. Each is asked for by statements of
// its own, which read one entry of an index.
func (s *Store) DueDeliveries(ctx context.Context, now clock.Instant) ([]store.Due, error) {
	const op = "postgres.DueDeliveries"
	var all []store.Due
	var endpoints, soonest script
	endpoints.add(partOther, func(r pgx.Rows) error {
		all = append(all, store.Due{})
		return r.Scan(&all[len(all)-1].App, &all[len(all)-1].Endpoint)
	}, "SELECT app_id, id FROM webhook_endpoints WHERE archived_at = 0 ORDER BY id")
	if err := s.read(ctx, op, &endpoints); err != nil {
		return nil, err
	}
	for _, name := range catalog.Receivers() {
		all = append(all, store.Due{Endpoint: name})
	}
	for i := range all {
		const pending = "SELECT next_at FROM deliveries WHERE endpoint_id = $1::text AND status = 'pending' AND next_at "
		soonest.add(partOther, func(pgx.Rows) error { all[i].Now = true; return nil },
			pending+"<= $2::bigint LIMIT 1", all[i].Endpoint, int64(now))
		soonest.add(partOther, func(r pgx.Rows) error { return r.Scan(instant(&all[i].Next)) },
			pending+"> $2::bigint ORDER BY next_at LIMIT 1", all[i].Endpoint, int64(now))
	}
	if err := s.read(ctx, op, &soonest); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(d store.Due) bool { return !d.Now && d.Next.IsZero() }), nil
}

// Lease takes deliveries that are due.
func (s *Store) Lease(ctx context.Context, q store.LeaseQuery) ([]store.Leased, error) {
	var taken []store.Leased
	err := s.deliver(ctx, "postgres.Lease", func(l *leasing) (err error) {
		if q.Ordered {
			taken, err = l.ordered(&q)
		} else {
			taken, err = l.due(&q)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return taken, nil
}

// leasing is one transaction over deliveries.
type leasing struct {
	ctx         context.Context
	conn        *pgx.Conn
	distributed bool
	begun       bool
}

// script is what travels next; the first takes the beginning of the transaction along.
func (l *leasing) script() *script {
	s := &script{distributed: l.distributed}
	if !l.begun {
		l.begun = true
		s.exec(begin)
	}
	return s
}

func (l *leasing) run(s *script) error { return s.run(l.ctx, l.conn) }

// deliver runs a transaction over deliveries. What is lost with its connection is found again
// when its lease has run out, so that nobody need ask what became of a commit.
func (s *Store) deliver(ctx context.Context, op string, work func(*leasing) error) error {
	if err := s.enter(op); err != nil {
		return err
	}
	defer s.leave()
	err := s.with(ctx, func(conn *pgx.Conn) error {
		distributed, err := s.distributed(ctx, conn)
		if err != nil {
			return err
		}
		l := &leasing{ctx: ctx, conn: conn, distributed: distributed}
		if err := work(l); err != nil {
			if !conn.IsClosed() {
				_, undone := conn.Exec(context.WithoutCancel(ctx), "ROLLBACK")
				err = errors.Join(err, undone)
			}
			return err
		}
		_, err = conn.Exec(ctx, "COMMIT")
		return failCommit(ctx, op, err)
	})
	if errors.Is(err, store.ErrRetry) {
		return err
	}
	return fail(ctx, op, err)
}

// due takes what is due, whoever it concerns.
func (l *leasing) due(q *store.LeaseQuery) ([]store.Leased, error) {
	var found []store.Leased
	look := l.script()
	look.add(partOther, func(r pgx.Rows) error {
		d, err := scanLeased(r)
		found = append(found, d)
		return err
	}, selectDueOf, q.Endpoint, int64(q.Now), int64(store.PageLimit(q.Limit)))
	if err := l.run(look); err != nil || len(found) == 0 {
		return nil, err
	}
	slices.SortFunc(found, func(a, b store.Leased) int { return byPlace(&a.Delivery, &b.Delivery) })
	k, numbers, due := places(found)
	locked := map[place]bool{}
	lock := l.script()
	lock.over(partOther, func(r pgx.Rows) error {
		var p place
		err := r.Scan(key(&p.wallet), &p.n)
		locked[p] = true
		return err
	}, lockDue, k, numbers, due)
	if err := l.run(lock); err != nil {
		return nil, err
	}
	found = slices.DeleteFunc(found, func(d store.Leased) bool { return !locked[place{d.Wallet, d.N}] })
	return l.take(found, q.Until)
}

// place identifies a delivery.
type place struct {
	wallet id.Wallet
	n      int64
}

func byPlace(a, b *store.Delivery) int {
	return cmp.Or(compareIDs(a.Wallet, b.Wallet), cmp.Compare(a.N, b.N))
}

// places are the keys of deliveries as arrays, with when each is due.
func places(list []store.Leased) (k *keys, numbers, due []int64) {
	k = &keys{}
	for i := range list {
		k.add(list[i].Wallet)
		numbers = append(numbers, list[i].N)
		due = append(due, int64(list[i].NextAt))
	}
	return k, numbers, due
}

// take moves what is locked to the end of the lease.
func (l *leasing) take(list []store.Leased, until clock.Instant) ([]store.Leased, error) {
	k, numbers, ends := places(list)
	for i := range list {
		list[i].NextAt, ends[i] = until, int64(until)
	}
	move := l.script()
	move.over(partOther, nil, leaseRows, k, numbers, ends)
	return list, l.run(move)
}

// ordered takes, for each customer for whom something is due, the head of the line and what
// stands right behind it, or makes them wait for the head.
func (l *leasing) ordered(q *store.LeaseQuery) ([]store.Leased, error) {
	busy := make(pgtype.FlatArray[pgtype.UUID], len(q.Busy))
	for i, w := range q.Busy {
		busy[i] = uuid(w)
	}
	for {
		taken, waiting, err := l.runs(q, busy)
		if err != nil || len(taken) > 0 || !waiting {
			return taken, err
		}
		// All that was looked at has to wait, and is not due any more.
	}
}

func (l *leasing) runs(q *store.LeaseQuery, busy pgtype.FlatArray[pgtype.UUID]) (taken []store.Leased, waiting bool, err error) {
	var wallets []id.Wallet
	look := l.script()
	look.exec(lockOrder, q.Endpoint)
	look.add(partOther, func(r pgx.Rows) error {
		var w id.Wallet
		err := r.Scan(key(&w))
		wallets = append(wallets, w)
		return err
	}, selectDueWallets, q.Endpoint, int64(q.Now), busy, int64(store.PageLimit(q.Limit)))
	if err := l.run(look); err != nil || len(wallets) == 0 {
		return nil, false, err
	}
	slices.SortFunc(wallets, compareIDs)
	heads, follow, err := l.lockRuns(q, wallets)
	if err != nil {
		return nil, false, err
	}
	k, numbers, _ := places(heads)
	var found []store.Leased
	read := l.script()
	read.over(partOther, func(r pgx.Rows) error {
		d, err := scanLeased(r)
		found = append(found, d)
		return err
	}, selectByKey, k, numbers)
	read.follow(follow)
	if err := l.run(read); err != nil {
		return nil, false, err
	}
	slices.SortFunc(found, func(a, b store.Leased) int { return byPlace(&a.Delivery, &b.Delivery) })
	taken, err = l.take(found, q.Until)
	return taken, len(follow) > 0, err
}

// lockRuns locks the beginnings of the lines of some customers: what may be sent, and whom the
// rest waits for.
func (l *leasing) lockRuns(q *store.LeaseQuery, wallets []id.Wallet) (due []store.Leased, follow []store.Follow, err error) {
	var k keys
	var endpoints []string
	var lengths []int64
	for _, w := range wallets {
		k.add(w)
		endpoints = append(endpoints, q.Endpoint)
		lengths = append(lengths, int64(min(store.MaxRun, q.Limit)))
	}
	waits := map[id.Wallet]bool{}
	lock := l.script()
	lock.over(partOther, func(r pgx.Rows) error {
		var d store.Leased
		if err := r.Scan(key(&d.Wallet), &d.N, instant(&d.NextAt)); err != nil {
			return err
		}
		waiting, seen := waits[d.Wallet]
		if !seen {
			waiting = d.NextAt > q.Now || len(due) >= q.Limit
			waits[d.Wallet] = waiting
			if d.NextAt > q.Now {
				follow = append(follow, store.Follow{Wallet: d.Wallet, Endpoint: q.Endpoint, After: d.N, At: d.NextAt, Hold: true})
			}
		}
		if !waiting {
			due = append(due, d)
		}
		return nil
	}, lockRuns, &k, endpoints, lengths)
	return due, follow, l.run(lock)
}

// Finish writes what came of leased deliveries.
func (s *Store) Finish(ctx context.Context, results []store.Result, follow []store.Follow) error {
	results = slices.SortedFunc(slices.Values(results), func(a, b store.Result) int {
		return cmp.Or(compareIDs(a.Wallet, b.Wallet), cmp.Compare(a.N, b.N))
	})
	return s.deliver(ctx, "postgres.Finish", func(l *leasing) error {
		work := l.script()
		for _, endpoint := range endpointsOf(follow) {
			work.exec(lockOrder, endpoint)
		}
		if err := work.finish(results); err != nil {
			return err
		}
		work.follow(follow)
		return l.run(work)
	})
}

// endpointsOf lists those whose order is concerned, in an order of their own.
func endpointsOf(follow []store.Follow) []string {
	var all []string
	for i := range follow {
		all = append(all, follow[i].Endpoint)
	}
	return distinct(all)
}

func (s *script) finish(results []store.Result) error {
	var k keys
	var numbers, leases, tries, next, finished []int64
	var statuses, logs []string
	for i := range results {
		r := &results[i]
		log, err := json.Marshal(r.Log)
		if err != nil {
			return fault.New("postgres.Finish", fault.CodeInternalError, "the log of a delivery cannot be stored").Because(err)
		}
		if len(r.Log) == 0 {
			log = []byte("[]")
		}
		k.add(r.Wallet)
		numbers, leases, tries = append(numbers, r.N), append(leases, int64(r.Lease)), append(tries, int64(r.Tries))
		next, finished = append(next, int64(r.NextAt)), append(finished, int64(r.FinishedAt))
		statuses, logs = append(statuses, string(r.Status)), append(logs, string(log))
	}
	s.over(partOther, nil, finishRows, &k, numbers, leases, tries, next, finished, statuses, logs)
	return nil
}

func (s *script) follow(list []store.Follow) {
	list = slices.SortedFunc(slices.Values(list), func(a, b store.Follow) int { return compareIDs(a.Wallet, b.Wallet) })
	var k keys
	var after, at []int64
	var endpoints []string
	var holds []bool
	for i := range list {
		f := &list[i]
		k.add(f.Wallet)
		after, at = append(after, f.After), append(at, int64(f.At))
		endpoints, holds = append(endpoints, f.Endpoint), append(holds, f.Hold)
	}
	s.over(partOther, nil, followRows, &k, after, at, endpoints, holds)
}

// Redeliver makes deliveries pending again.
func (s *Store) Redeliver(ctx context.Context, q store.RedeliverQuery) (int64, error) {
	f := &filter{}
	at := f.arg(int64(q.At))
	if q.N != 0 {
		f.and("bucket = ?::smallint", int16(q.Wallet.Bucket()))
		f.and("wallet = ?::uuid", uuid(q.Wallet))
		f.and("n = ?::bigint", q.N)
	} else {
		f.and("endpoint_id = ?::text", q.Endpoint)
		f.and("created_at >= ?::bigint", int64(q.From))
		f.and("(status = 'failed' OR status <> 'pending' AND NOT ?::boolean)", q.Failed)
		if !q.To.IsZero() {
			f.and("created_at < ?::bigint", int64(q.To))
		}
	}
	var n int64
	err := s.deliver(ctx, "postgres.Redeliver", func(l *leasing) error {
		if err := l.run(l.script()); err != nil {
			return err
		}
		tag, err := l.conn.Exec(l.ctx, f.changing("UPDATE deliveries SET status = 'pending', tries = 0, finished_at = 0, next_at = "+at+"::bigint"), f.args...)
		n = tag.RowsAffected()
		return err
	})
	return n, err
}

// ListDeliveries lists an endpoint's deliveries, newest first.
func (s *Store) ListDeliveries(ctx context.Context, q store.DeliveryQuery) ([]store.Delivery, error) {
	f := &filter{}
	f.and("v.endpoint_id = ?::text", q.Endpoint)
	from := " FROM deliveries v"
	if q.App != "" || q.Mode != "" {
		from += " JOIN wallets w ON w.bucket = v.bucket AND w.wallet = v.wallet"
	}
	if q.App != "" {
		f.and("w.app_id = ?::text", q.App)
	}
	if q.Mode != "" {
		f.and("w.mode = ?::text", string(q.Mode))
	}
	if q.Status != "" {
		f.and("v.status = ?::text", string(q.Status))
	}
	if q.Type != "" {
		f.and("v.type = ?::text", string(q.Type))
	}
	if b := q.Before; b != nil {
		f.and("(v.created_at, v.wallet, v.n) < (?::bigint, "+f.arg(uuid(b.Wallet))+"::uuid, "+f.arg(b.N)+"::bigint)", int64(b.At))
	}
	sql := f.sql("SELECT "+deliveryColumns+from, "v.created_at DESC, v.wallet DESC, v.n DESC", store.PageLimit(q.Limit))
	return readAll(ctx, s, query{"postgres.ListDeliveries", sql, f.args}, func(r pgx.Rows) (store.Delivery, error) {
		var d store.Delivery
		err := r.Scan(deliveryTargets(&d)...)
		d.Complete()
		return d, err
	})
}

// FindDelivery reads one delivery; nil when it does not exist.
func (s *Store) FindDelivery(ctx context.Context, w id.Wallet, n int64) (*store.Leased, error) {
	f := within("v", w)
	f.and("v.n = ?::bigint", n)
	var found *store.Leased
	var work script
	work.add(partOther, func(r pgx.Rows) error {
		d, err := scanLeased(r)
		found = &d
		return err
	}, f.sql(selectLeased, "v.n", 1), f.args...)
	if err := s.read(ctx, "postgres.FindDelivery", &work); err != nil {
		return nil, err
	}
	return found, nil
}

// PruneDeliveries deletes, of a stretch of deliveries, those that nothing is to become of.
func (s *Store) PruneDeliveries(ctx context.Context, q store.PruneQuery) (store.Pruned, error) {
	const op = "postgres.PruneDeliveries"
	var stretch store.Stretch
	var endpoints, rows script
	endpoints.add(partOther, func(r pgx.Rows) error {
		var endpoint string
		var archivedAt clock.Instant
		err := r.Scan(&endpoint, instant(&archivedAt))
		stretch.Endpoint(endpoint, archivedAt)
		return err
	}, prunedEndpoints, q.After.Endpoint)
	if err := s.read(ctx, op, &endpoints); err != nil || !stretch.Begin(&q) {
		return store.Pruned{}, err
	}
	at, limit := stretch.After, store.PageLimit(q.Limit)
	rows.add(partOther, func(r pgx.Rows) error {
		var d store.DeliveryPlace
		var pending bool
		err := r.Scan(instant(&d.At), key(&d.Wallet), &d.N, &pending)
		stretch.Row(d, pending)
		return err
	}, prunedRows, at.Endpoint, int64(q.Before), int64(at.At), uuid(at.Wallet), at.N, int64(limit))
	if err := s.read(ctx, op, &rows); err != nil {
		return store.Pruned{}, err
	}
	out := store.Pruned{Next: stretch.Next(limit)}
	if len(stretch.Doomed) == 0 {
		return out, nil
	}
	err := s.deliver(ctx, op, func(l *leasing) (err error) {
		out.Deleted, err = l.remove(&stretch)
		return err
	})
	return out, err
}

// remove deletes what a stretch has no use for, and returns how many.
func (l *leasing) remove(stretch *store.Stretch) (deleted int64, err error) {
	doomed := slices.SortedFunc(slices.Values(stretch.Doomed), func(a, b store.DeliveryPlace) int {
		return cmp.Or(compareIDs(a.Wallet, b.Wallet), cmp.Compare(a.N, b.N))
	})
	var k keys
	var numbers []int64
	for _, d := range doomed {
		k.add(d.Wallet)
		numbers = append(numbers, d.N)
	}
	work := l.script()
	work.exec(pruning)
	work.over(partOther, func(pgx.Rows) error { deleted++; return nil }, deleteRows, &k, numbers, slices.Repeat([]bool{stretch.All}, len(doomed)))
	return deleted, l.run(work)
}

// Backlog tells what waits to be sent.
func (s *Store) Backlog(ctx context.Context) (b store.Backlog, err error) {
	var work script
	work.add(partOther, func(r pgx.Rows) error { return r.Scan(&b.Pending, instant(&b.Oldest)) },
		`SELECT count(*), coalesce(min(created_at), 0) FROM (SELECT d.created_at FROM (
				SELECT id FROM webhook_endpoints WHERE archived_at = 0 AND NOT disabled UNION ALL SELECT id FROM unnest($2::text[]) AS r (id)) AS p
			JOIN deliveries d ON d.endpoint_id = p.id AND d.status = 'pending' LIMIT $1::bigint) AS waiting`,
		int64(store.MaxBacklog), catalog.Receivers())
	err = s.read(ctx, "postgres.Backlog", &work)
	return b, err
}
