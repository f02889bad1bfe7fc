package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/wallet"
)

// Columns, each list in the order in which its scan function takes them.
const (
	orderColumns = "o.wallet, o.n, o.kind, o.status, o.provider, o.minor, o.currency, o.items, o.what, o.text, o.quantity, o.plan, " +
		"o.invoice, o.price_ref, o.save_card, o.off_session, o.session, o.url, o.success_url, o.cancel_url, o.expires_at, o.attempt, " +
		"o.next_try, o.payment, o.paid, o.cumulative, o.refunds, o.disputes, o.dispute, o.last_decline, o.grants, o.created_at, " +
		"o.paid_at, o.closed_at, o.reason, o.actor, o.metadata, o.cart, o.subscription, o.disputed_at, o.unmet"

	topUpColumns = "t.wallet, t.credit_id, t.enabled, t.threshold, t.pack_id, t.quantity, t.caps, t.consent_at, t.consent_by, " +
		"t.metadata, t.running, t.not_before, t.off_reason, t.day, t.month"
)

// scanOrder reads orderColumns, and more columns behind them.
func scanOrder(r pgx.Rows, w *id.Wallet, more ...any) (*wallet.Order, error) {
	o := &wallet.Order{}
	return o, r.Scan(append([]any{
		key(w), &o.N, (*string)(&o.Kind), (*string)(&o.Status), &o.Provider, &o.Minor, &o.Currency, doc(&o.Items), &o.What, &o.Text,
		&o.Quantity, doc(&o.Plan), &o.Invoice, &o.PriceRef, &o.SaveCard, &o.OffSession, &o.Session, &o.URL, &o.SuccessURL, &o.CancelURL,
		instant(&o.ExpiresAt), &o.Attempt, instant(&o.NextTry), &o.Payment, &o.Paid, &o.Cumulative, doc(&o.Refunds), doc(&o.Disputes),
		(*string)(&o.Dispute), doc(&o.LastDecline), doc(&o.Grants), instant(&o.CreatedAt), instant(&o.PaidAt), instant(&o.ClosedAt),
		&o.Reason, &o.Actor, doc(&o.Metadata), doc(&o.Cart), &o.Subscription, instant(&o.DisputedAt), &o.Unmet,
	}, more...)...)
}

// scanTopUp reads topUpColumns, and more columns behind them.
func scanTopUp(r pgx.Rows, w *id.Wallet, more ...any) (*wallet.TopUp, error) {
	t := &wallet.TopUp{}
	return t, r.Scan(append([]any{
		key(w), &t.Credit, &t.Enabled, &t.Threshold, &t.Pack, &t.Quantity, doc(&t.Caps), instant(&t.ConsentAt), &t.ConsentBy,
		doc(&t.Metadata), &t.Running, instant(&t.NotBefore), &t.OffReason, doc(&t.Day), doc(&t.Month),
	}, more...)...)
}

// purchases queues what reads the orders that are being charged, and how customers can be charged.
// A wallet has none of that before its first order, but for a top-up that was never switched on;
// whether there was one is not known where its header comes in the same round trip.
func (s *script) purchases(loaded map[id.Wallet]*wallet.Snapshot, all *keys) {
	var w id.Wallet
	s.over(partOther, func(r pgx.Rows) error {
		t, err := scanTopUp(r, &w)
		if err != nil {
			return err
		}
		loaded[w].TopUps = append(loaded[w].TopUps, t)
		return nil
	}, selectTopUps, all)
	var bought keys
	for i := range all.buckets {
		if sn := loaded[all.wallets[i].Bytes]; sn.Version == 0 || sn.OrderSeq > 0 {
			bought.add(all.wallets[i].Bytes)
		}
	}
	s.over(partOther, func(r pgx.Rows) error {
		o, err := scanOrder(r, &w)
		if err != nil {
			return err
		}
		loaded[w].Orders = append(loaded[w].Orders, o)
		return nil
	}, selectChargingOrders, &bought)
	s.over(partOther, func(r pgx.Rows) error {
		p := &wallet.Payer{}
		if err := r.Scan(key(&w), &p.Provider, &p.Customer, &p.Method, &p.Label, instant(&p.SavedAt)); err != nil {
			return err
		}
		loaded[w].Payer = p
		return nil
	}, selectPayers, &bought)
}

// purchases adds what changed of a wallet's orders, and of how its holder can be charged.
func (w *writer) purchases(c *store.WalletChange) {
	key := c.Header.ID
	for _, o := range c.NewOrders {
		plan := "{}"
		if o.Plan != nil {
			plan = w.json(o.Plan)
		}
		w.newOrders.add(key).
			nums(
				o.N, o.Minor, o.Quantity, int64(o.CreatedAt), o.Invoice, int64(o.ExpiresAt), int64(o.Attempt), int64(o.NextTry), o.Paid,
				o.Cumulative, int64(o.PaidAt), int64(o.ClosedAt), o.Subscription, int64(o.DisputedAt),
			).
			strs(
				string(o.Kind), string(o.Status), o.Provider, o.Currency, o.What, o.Text, o.PriceRef, o.Session, o.URL, o.SuccessURL,
				o.CancelURL, o.Payment, string(o.Dispute), o.Reason, o.Actor,
			).
			docs(list(w, o.Items), plan, list(w, o.Refunds), list(w, o.Disputes), w.decline(o), list(w, o.Grants), w.metadata(o.Metadata), list(w, o.Cart)).
			bits(o.SaveCard, o.OffSession, o.Unmet)
	}
	for _, o := range c.Orders {
		w.orders.add(key).
			nums(
				o.N, o.Invoice, int64(o.ExpiresAt), int64(o.Attempt), int64(o.NextTry), o.Paid, o.Cumulative, int64(o.PaidAt),
				int64(o.ClosedAt), o.Subscription, int64(o.DisputedAt),
			).
			strs(string(o.Status), o.Session, o.URL, o.Payment, string(o.Dispute), o.Reason).
			docs(list(w, o.Refunds), list(w, o.Disputes), w.decline(o), list(w, o.Grants)).bits(o.Unmet)
	}
	for _, t := range c.TopUps {
		w.topUps.add(key).
			nums(t.Threshold, t.Quantity, int64(t.ConsentAt), t.Running, int64(t.NotBefore)).
			strs(t.Credit, t.Pack, t.ConsentBy, t.OffReason).
			docs(w.json(t.Caps), w.metadata(t.Metadata), w.json(t.Day), w.json(t.Month)).bits(t.Enabled)
	}
	if p := c.Payer; p != nil {
		w.payers.add(key).nums(int64(p.SavedAt)).strs(p.Provider, p.Customer, p.Method, p.Label)
	}
}

func (w *writer) decline(o *wallet.Order) string {
	if o.LastDecline == nil {
		return "{}"
	}
	return w.json(o.LastDecline)
}

// Orders lists orders, newest first.
func (s *Store) Orders(ctx context.Context, q store.OrderQuery) ([]store.FoundOrder, error) {
	f, order := orderFilter(&q)
	var w id.Wallet
	sql := f.sql("SELECT "+orderColumns+ownerColumns+" FROM orders o JOIN wallets w ON w.bucket = o.bucket AND w.wallet = o.wallet",
		order, store.PageLimit(q.Limit)) + f.offset(q.Skip)
	return readAll(ctx, s, query{"postgres.Orders", sql, f.args}, func(r pgx.Rows) (store.FoundOrder, error) {
		var found store.FoundOrder
		var err error
		found.Order, err = scanOrder(r, &w, owner(&found.Key)...)
		return found, err
	})
}

func orderFilter(q *store.OrderQuery) (f *filter, order string) {
	f, order = listing{table: "o", time: "created_at", app: q.App, mode: q.Mode, wallet: q.Wallet, after: q.After}.filter()
	if q.Wallet == (id.Wallet{}) && (q.Session != "" || q.Payment != "") {
		// Few are found; an order that no index has keeps the database from looking for them by time.
		order = "o.created_at + 0 DESC, o.bucket DESC, o.wallet DESC, o.n DESC"
	}
	if q.N != 0 {
		f.and("o.n = ?::bigint", q.N)
	}
	if len(q.Status) > 0 {
		statuses := make([]string, len(q.Status))
		for i, status := range q.Status {
			statuses[i] = string(status)
		}
		f.and("o.status = ANY(?::text[])", statuses)
	}
	if q.Kind != "" {
		f.and("o.kind = ?::text", string(q.Kind))
	}
	if q.Session != "" { // as the index on it has them, and the next
		f.and("o.session = ?::text AND o.session <> ''", q.Session)
	}
	if q.Payment != "" {
		f.and("o.payment = ?::text AND o.payment <> ''", q.Payment)
	}
	if q.Paid {
		f.conditions = append(f.conditions, "o.paid > 0")
	}
	if q.Unmet {
		f.conditions = append(f.conditions, "o.unmet")
	}
	if !q.From.IsZero() {
		f.and("o.created_at >= ?::bigint", int64(q.From))
	}
	if !q.To.IsZero() {
		f.and("o.created_at < ?::bigint", int64(q.To))
	}
	return f, order
}

// TopUps lists what was agreed about automatic top-ups, by wallet and credit.
func (s *Store) TopUps(ctx context.Context, q store.TopUpQuery) ([]store.FoundTopUp, error) {
	f := &filter{}
	if q.Wallet != (id.Wallet{}) {
		f = within("t", q.Wallet)
	}
	if q.App != "" {
		f.and("w.app_id = ?::text", q.App)
	}
	if q.Mode != "" {
		f.and("w.mode = ?::text", string(q.Mode))
	}
	f.conditions = append(f.conditions, "(t.bucket, t.wallet, t.credit_id) > ("+f.arg(int16(q.After.Wallet.Bucket()))+"::smallint, "+
		f.arg(uuid(q.After.Wallet))+"::uuid, "+f.arg(q.After.Credit)+"::text)")
	var w id.Wallet
	sql := f.sql("SELECT "+topUpColumns+ownerColumns+" FROM top_ups t JOIN wallets w ON w.bucket = t.bucket AND w.wallet = t.wallet",
		"t.bucket, t.wallet, t.credit_id", store.PageLimit(q.Limit))
	return readAll(ctx, s, query{"postgres.TopUps", sql, f.args}, func(r pgx.Rows) (store.FoundTopUp, error) {
		var found store.FoundTopUp
		var err error
		found.TopUp, err = scanTopUp(r, &w, owner(&found.Key)...)
		return found, err
	})
}
