package sqlite

import (
	"context"
	"encoding/json"
	"math"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/wallet"
)

// writeOrders writes what changed of a wallet's purchases, and of how its holder can be charged.
func (c *session) writeOrders(ctx context.Context, o owner, w *store.WalletChange) error {
	for _, x := range w.NewOrders {
		if err := c.newOrder(ctx, o, x); err != nil {
			return err
		}
	}
	for _, x := range w.Orders {
		n, err := c.exec(ctx, updateOrder, string(x.Status), x.Invoice, x.Session, x.URL, int64(x.ExpiresAt), int64(x.Attempt),
			int64(x.NextTry), x.Payment, x.Paid, x.Cumulative, jsonOf(x.Refunds, len(x.Refunds)),
			jsonOf(x.Disputes, len(x.Disputes)), string(x.Dispute), declineOf(x), jsonOf(x.Grants, len(x.Grants)), int64(x.PaidAt), int64(x.ClosedAt), x.Reason, x.Subscription,
			int64(x.DisputedAt), flag(x.Unmet), o.bucket, o.wallet, x.N)
		if err != nil {
			return err
		}
		if n != 1 {
			return missing("order", x.N)
		}
	}
	for _, t := range w.TopUps {
		_, err := c.exec(ctx, upsertTopUp, o.bucket, o.wallet, t.Credit, flag(t.Enabled), t.Threshold, t.Pack, t.Quantity,
			jsonOf(t.Caps, 1), int64(t.ConsentAt), t.ConsentBy, jsonOf(t.Metadata, len(t.Metadata)), t.Running, int64(t.NotBefore),
			t.OffReason, jsonOf(t.Day, 1), jsonOf(t.Month, 1))
		if err != nil {
			return err
		}
	}
	if p := w.Payer; p != nil {
		_, err := c.exec(ctx, upsertPayer, o.bucket, o.wallet, p.Provider, p.Customer, p.Method, p.Label, int64(p.SavedAt))
		return err
	}
	return nil
}

func (c *session) newOrder(ctx context.Context, o owner, x *wallet.Order) error {
	plan := ""
	if x.Plan != nil {
		plan = jsonOf(x.Plan, 1)
	}
	_, err := c.exec(ctx, insertOrder, o.bucket, o.wallet, x.N, string(x.Kind), string(x.Status), x.Provider, x.Minor, x.Currency,
		jsonOf(x.Items, len(x.Items)), x.What, x.Text, x.Quantity, plan, x.Invoice, x.PriceRef, flag(x.SaveCard), flag(x.OffSession),
		x.Session, x.URL, x.SuccessURL, x.CancelURL, int64(x.ExpiresAt), int64(x.Attempt), int64(x.NextTry), x.Payment, x.Paid, x.Cumulative,
		jsonOf(x.Refunds, len(x.Refunds)), jsonOf(x.Disputes, len(x.Disputes)), string(x.Dispute), declineOf(x), jsonOf(x.Grants, len(x.Grants)),
		int64(x.CreatedAt), int64(x.PaidAt), int64(x.ClosedAt), x.Reason, x.Actor, jsonOf(x.Metadata, len(x.Metadata)),
		jsonOf(x.Cart, len(x.Cart)), x.Subscription, int64(x.DisputedAt), flag(x.Unmet))
	return err
}

func declineOf(x *wallet.Order) string {
	if x.LastDecline == nil {
		return ""
	}
	return jsonOf(x.LastDecline, 1)
}

// purchases reads the part of a snapshot that a wallet has from its first order on: nobody is known to
// pay before one is placed. A top-up may be agreed on earlier, as long as it is switched off.
func (c *session) purchases(ctx context.Context, sn *wallet.Snapshot) error {
	err := c.query(ctx, selectTopUps, func(r row) error {
		t, err := r.topUp()
		sn.TopUps = append(sn.TopUps, t)
		return err
	}, of(sn.ID)...)
	if err != nil || sn.OrderSeq == 0 {
		return err
	}
	if sn.Orders, err = c.orders(ctx, selectChargingOrders, of(sn.ID)...); err != nil {
		return err
	}
	return c.query(ctx, selectPayer, func(r row) error {
		sn.Payer = &wallet.Payer{Provider: r.text(0), Customer: r.text(1), Method: r.text(2), Label: r.text(3), SavedAt: r.instant(4)}
		return nil
	}, of(sn.ID)...)
}

func (c *session) orders(ctx context.Context, s statement, args ...any) ([]*wallet.Order, error) {
	var all []*wallet.Order
	err := c.query(ctx, s, func(r row) error {
		o, err := r.order()
		all = append(all, o)
		return err
	}, args...)
	return all, err
}

func (r row) order() (*wallet.Order, error) {
	o := &wallet.Order{
		N: r.int(0), Kind: wallet.OrderKind(r.text(1)), Status: wallet.OrderStatus(r.text(2)), Provider: r.text(3),
		Minor: r.int(4), Currency: r.text(5), What: r.text(7), Text: r.text(8), Quantity: r.int(9), Invoice: r.int(11), PriceRef: r.text(12),
		SaveCard: r.bool(13), OffSession: r.bool(14), Session: r.text(15), URL: r.text(16), SuccessURL: r.text(17), CancelURL: r.text(18),
		ExpiresAt: r.instant(19), Attempt: int(r.int(20)), NextTry: r.instant(21), Payment: r.text(22), Paid: r.int(23), Cumulative: r.int(24),
		Dispute:   wallet.DisputeStatus(r.text(27)),
		CreatedAt: r.instant(30), PaidAt: r.instant(31), ClosedAt: r.instant(32), Reason: r.text(33), Actor: r.text(34),
		Subscription: r.int(37), DisputedAt: r.instant(38), Unmet: r.bool(39),
	}
	for i, into := range map[int]any{6: &o.Items, 10: &o.Plan, 25: &o.Refunds, 26: &o.Disputes, 28: &o.LastDecline, 29: &o.Grants, 35: &o.Metadata, 36: &o.Cart} {
		if err := r.json(i, into); err != nil {
			return nil, err
		}
	}
	return o, nil
}

func (r row) topUp() (*wallet.TopUp, error) {
	t := &wallet.TopUp{
		Credit: r.text(0), Enabled: r.bool(1), Threshold: r.int(2), Pack: r.text(3), Quantity: r.int(4), ConsentAt: r.instant(6),
		ConsentBy: r.text(7), Running: r.int(9), NotBefore: r.instant(10), OffReason: r.text(11),
	}
	for i, into := range map[int]any{5: &t.Caps, 8: &t.Metadata, 12: &t.Day, 13: &t.Month} {
		if err := r.json(i, into); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// Orders lists orders, newest first.
func (s *Store) Orders(ctx context.Context, q store.OrderQuery) ([]store.FoundOrder, error) {
	statuses := ""
	if len(q.Status) > 0 {
		b, _ := json.Marshal(q.Status) // texts always marshal
		statuses = string(b)
	}
	from, to := int64(math.MinInt64), int64(math.MaxInt64)
	if !q.From.IsZero() {
		from = int64(q.From)
	}
	if !q.To.IsZero() {
		to = int64(q.To)
	}
	args := append(listed(q.App, q.Mode, q.After), q.N, string(q.Kind), statuses, from, to, flag(q.Paid), q.Session, q.Payment, flag(q.Unmet),
		limit(q.Limit), int64(q.Skip))
	all := selectAllOrders
	switch {
	case q.Session != "":
		all = selectOrdersBySession
	case q.Payment != "":
		all = selectOrdersByPayment
	}
	st, args := oneOrAll(q.Wallet, selectOrdersOf, all, args)
	return readAll(ctx, s, query{"sqlite.Orders", st, args}, func(r row) (store.FoundOrder, error) {
		const key = 40 // where the columns of the wallet begin
		o, err := r.order()
		return store.FoundOrder{Key: r.keyAt(key), Order: o}, err
	})
}

// TopUps lists what was agreed about automatic top-ups, by wallet and credit.
func (s *Store) TopUps(ctx context.Context, q store.TopUpQuery) ([]store.FoundTopUp, error) {
	after := q.After
	args := []any{q.App, string(q.Mode), int64(after.Wallet.Bucket()), after.Wallet[:], after.Credit, limit(q.Limit)}
	st, args := oneOrAll(q.Wallet, selectTopUpsOf, selectAllTopUps, args)
	return readAll(ctx, s, query{"sqlite.TopUps", st, args}, func(r row) (store.FoundTopUp, error) {
		const key = 14 // where the columns of the wallet begin
		t, err := r.topUp()
		return store.FoundTopUp{Key: r.keyAt(key), TopUp: t}, err
	})
}

// PutProviderObject stores an object of the sandbox provider, unless it has another version by now.
func (s *Store) PutProviderObject(ctx context.Context, o store.ProviderObject) error {
	const op = "sqlite.PutProviderObject"
	return s.change(ctx, op, func(c *session) error {
		st, args := insertProviderObject, []any{o.ID, o.App, string(o.Mode), o.Kind, o.Ref, string(o.Body), int64(o.CreatedAt)}
		if o.Version != 0 {
			st, args = updateProviderObject, append(args, o.Version)
		}
		n, err := c.exec(context.WithoutCancel(ctx), st, args...)
		if err == nil && n != 1 {
			err = moved(op)
		}
		return err
	})
}

// ProviderObject reads an object of the sandbox provider; nil when there is none.
func (s *Store) ProviderObject(ctx context.Context, id string) (*store.ProviderObject, error) {
	found, err := s.providerObjects(ctx, "sqlite.ProviderObject", selectProviderObject, id)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], nil
}

// ProviderObjects lists those of a kind and a reference, oldest first.
func (s *Store) ProviderObjects(ctx context.Context, q store.ProviderQuery) ([]store.ProviderObject, error) {
	return s.providerObjects(ctx, "sqlite.ProviderObjects", selectProviderObjects, q.App, string(q.Mode), q.Kind, q.Ref, limit(q.Limit))
}

func (s *Store) providerObjects(ctx context.Context, op string, st statement, args ...any) ([]store.ProviderObject, error) {
	return readAll(ctx, s, query{op, st, args}, func(r row) (store.ProviderObject, error) {
		return store.ProviderObject{
			ID: r.text(0), App: r.text(1), Mode: catalog.Mode(r.text(2)), Kind: r.text(3), Ref: r.text(4), Version: r.int(5),
			Body: []byte(r.text(6)), CreatedAt: r.instant(7),
		}, nil
	})
}
