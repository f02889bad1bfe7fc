package postgres

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/wallet"
)

const (
	ownerColumns = ", w.app_id, w.mode, w.customer_id"
	// statusOf is how a subscription stands at an instant.
	statusOf = `CASE WHEN NOT s.ended AND s.paused_at <> 0 THEN '` + string(store.SubscriptionPaused) + `'
		WHEN NOT s.ended AND s.started_at <= {at} AND (s.ends_at = 0 OR s.ends_at > {at}) THEN '` + string(store.SubscriptionRuns) + `'
		ELSE '` + string(store.SubscriptionEnded) + `' END`
)

// Subscriptions lists subscriptions, newest first.
func (s *Store) Subscriptions(ctx context.Context, q store.SubscriptionQuery) ([]store.FoundSubscription, error) {
	f, order := listing{table: "s", time: "started_at", app: q.App, mode: q.Mode, wallet: q.Wallet, after: q.After}.filter()
	if q.N != 0 {
		f.and("s.n = ?::bigint", q.N)
	}
	if q.Plan != "" {
		f.and("s.plan_id = ?::text", q.Plan)
	}
	if q.Status != "" {
		at := f.arg(int64(q.At)) + "::bigint"
		f.and(strings.ReplaceAll(statusOf, "{at}", at)+" = ?::text", string(q.Status))
	}
	if !q.From.IsZero() {
		f.and("s.started_at >= ?::bigint", int64(q.From))
	}
	if !q.To.IsZero() {
		f.and("s.started_at < ?::bigint", int64(q.To))
	}
	var w id.Wallet
	sql := f.sql("SELECT "+subscriptionColumns+ownerColumns+" FROM subscriptions s JOIN wallets w ON w.bucket = s.bucket AND w.wallet = s.wallet",
		order, store.PageLimit(q.Limit)) + f.offset(q.Skip)
	return readAll(ctx, s, query{"postgres.Subscriptions", sql, f.args}, func(r pgx.Rows) (store.FoundSubscription, error) {
		var found store.FoundSubscription
		var err error
		found.Subscription, err = scanSubscription(r, &w, owner(&found.Key)...)
		return found, err
	})
}

// SubscriptionEvents lists the history of one subscription, newest first.
func (s *Store) SubscriptionEvents(ctx context.Context, w id.Wallet, n, before int64, limit int) ([]wallet.SubscriptionEvent, error) {
	f := within("h", w)
	f.and("h.subscription = ?::bigint", n)
	if before != 0 {
		f.and("h.n < ?::bigint", before)
	}
	sql := f.sql("SELECT h.n, h.change, h.from_plan, h.to_plan, h.reason, h.actor, h.at FROM subscription_events h", "h.n DESC",
		store.PageLimit(limit))
	return readAll(ctx, s, query{"postgres.SubscriptionEvents", sql, f.args}, func(r pgx.Rows) (wallet.SubscriptionEvent, error) {
		e := wallet.SubscriptionEvent{Subscription: n}
		err := r.Scan(&e.N, (*string)(&e.Change), &e.From, &e.To, &e.Reason, &e.Actor, instant(&e.At))
		return e, err
	})
}

// Invoices lists invoices, newest first.
func (s *Store) Invoices(ctx context.Context, q store.InvoiceQuery) ([]store.FoundInvoice, error) {
	f, order := listing{table: "v", time: "issued_at", app: q.App, mode: q.Mode, wallet: q.Wallet, after: q.After}.filter()
	if q.N != 0 {
		f.and("v.n = ?::bigint", q.N)
	}
	if q.Subscription != 0 {
		f.and("v.subscription = ?::bigint", q.Subscription)
	}
	if q.Status != "" {
		f.and("v.status = ?::text", string(q.Status))
	}
	var w id.Wallet
	sql := f.sql("SELECT "+invoiceColumns+ownerColumns+" FROM invoices v JOIN wallets w ON w.bucket = v.bucket AND w.wallet = v.wallet",
		order, store.PageLimit(q.Limit)) + f.offset(q.Skip)
	return readAll(ctx, s, query{"postgres.Invoices", sql, f.args}, func(r pgx.Rows) (store.FoundInvoice, error) {
		var found store.FoundInvoice
		var err error
		found.Invoice, err = scanInvoice(r, &w, owner(&found.Key)...)
		return found, err
	})
}

// owner receives ownerColumns.
func owner(k *wallet.Key) []any { return []any{&k.App, (*string)(&k.Mode), &k.Customer} }

// listing is a list over wallets, newest first, of a table (by its name in the statement) that has
// the instant to go by in the column time. What is zero of the rest limits nothing.
type listing struct {
	table, time string
	app         string
	mode        catalog.Mode
	wallet      id.Wallet
	after       store.ListPosition
}

// filter begins the list's filter, and says how the list is ordered. Within a wallet numbers rise
// with time, so that one wallet's list goes by its key.
func (l listing) filter() (f *filter, order string) {
	f = &filter{}
	order = strings.ReplaceAll("t."+l.time+" DESC, t.bucket DESC, t.wallet DESC, t.n DESC", "t.", l.table+".")
	one := l.wallet != (id.Wallet{})
	if one {
		f, order = within(l.table, l.wallet), l.table+".n DESC"
	}
	if l.app != "" {
		f.and("w.app_id = ?::text", l.app)
	}
	if l.mode != "" {
		f.and("w.mode = ?::text", string(l.mode))
	}
	after := l.after
	switch {
	case after == (store.ListPosition{}):
	case one:
		f.and(l.table+".n < ?::bigint", after.N)
	default:
		f.conditions = append(f.conditions, "("+l.table+"."+l.time+", "+l.table+".bucket, "+l.table+".wallet, "+l.table+".n) < ("+
			f.arg(int64(after.At))+"::bigint, "+f.arg(int16(after.Wallet.Bucket()))+"::smallint, "+
			f.arg(uuid(after.Wallet))+"::uuid, "+f.arg(after.N)+"::bigint)")
	}
	return f, order
}
