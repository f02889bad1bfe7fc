package postgres

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/wallet"
)

// A wallet of whose holder nothing was told is a customer without a name.
const selectCustomers = `SELECT w.customer_id, coalesce(c.name, ''), coalesce(c.email, ''), coalesce(c.phone, ''), coalesce(c.metadata, '{}'),
		coalesce(c.created_at, w.created_at), coalesce(c.updated_at, w.created_at)
	FROM wallets w LEFT JOIN customers c ON c.bucket = w.bucket AND c.wallet = w.wallet`

// Customers lists the wallets of an app and mode by customer id.
func (s *Store) Customers(ctx context.Context, q store.CustomerQuery) ([]store.Customer, error) {
	f := &filter{}
	if q.ID != "" {
		f = within("w", wallet.Key{App: q.App, Mode: q.Mode, Customer: q.ID}.ID())
	}
	f.and("w.app_id = ?::text", q.App)
	f.and("w.mode = ?::text", string(q.Mode))
	f.and("w.customer_id > ?::text", q.After)
	if q.Email != "" {
		f.and("c.address = ?::text AND c.address <> ''", store.FoldName(q.Email))
	}
	if q.Name != "" {
		f.and("strpos(c.folded, ?::text) > 0", store.FoldName(q.Name))
	}
	if !q.From.IsZero() {
		f.and("coalesce(c.created_at, w.created_at) >= ?::bigint", int64(q.From))
	}
	if !q.To.IsZero() {
		f.and("coalesce(c.created_at, w.created_at) < ?::bigint", int64(q.To))
	}
	sql := f.sql(selectCustomers, "w.customer_id", store.PageLimit(q.Limit)) + f.offset(q.Offset)
	return readAll(ctx, s, query{"postgres.Customers", sql, f.args}, func(r pgx.Rows) (store.Customer, error) {
		c := store.Customer{Key: wallet.Key{App: q.App, Mode: q.Mode}}
		err := r.Scan(&c.Key.Customer, &c.Name, &c.Email, &c.Phone, doc(&c.Metadata), instant(&c.CreatedAt), instant(&c.UpdatedAt))
		return c, err
	})
}

// SaveCustomer stores what is known of a customer, and makes the wallet where there is none.
func (s *Store) SaveCustomer(ctx context.Context, c store.Customer) error {
	const op = "postgres.SaveCustomer"
	metadata, err := metadataText(op, c.Metadata)
	if err != nil {
		return err
	}
	w := c.Key.ID()
	bucket, head := int16(w.Bucket()), wallet.Hash{}
	var work script
	work.exec(begin)
	work.exec(`INSERT INTO wallets (bucket, wallet, app_id, mode, customer_id, version, seq, grant_seq, hold_seq, usage_seq, invoice_seq, tell_seq, head,
			last_at, next_due, created_at)
		VALUES ($1::smallint, $2::uuid, $3::text, $4::text, $5::text, 1, 0, 0, 0, 0, 0, 0, $6::bytea, 0, 0, $7::bigint)
		ON CONFLICT (bucket, wallet) DO NOTHING`,
		bucket, uuid(w), c.Key.App, string(c.Key.Mode), c.Key.Customer, head[:], int64(c.CreatedAt))
	work.exec(`INSERT INTO customers (bucket, wallet, name, folded, email, address, phone, metadata, created_at, updated_at)
		VALUES ($1::smallint, $2::uuid, $3::text, $4::text, $5::text, $6::text, $7::text, $8::jsonb, $9::bigint, $10::bigint)
		ON CONFLICT (bucket, wallet) DO UPDATE SET name = EXCLUDED.name, folded = EXCLUDED.folded, email = EXCLUDED.email,
			address = EXCLUDED.address, phone = EXCLUDED.phone, metadata = EXCLUDED.metadata, updated_at = EXCLUDED.updated_at`,
		bucket, uuid(w), c.Name, store.FoldName(c.Name), c.Email, store.FoldName(c.Email), c.Phone, metadata,
		int64(c.CreatedAt), int64(c.UpdatedAt))
	work.exec("COMMIT")
	// Saving the same again changes nothing, so a connection that broke needs no inquiry.
	return s.read(ctx, op, &work)
}

func metadataText(op string, m wallet.Metadata) (string, error) {
	if len(m) == 0 {
		return "{}", nil
	}
	text, err := json.Marshal(m)
	if err != nil {
		return "", fault.New(op, fault.CodeInternalError, "the metadata cannot be stored").Because(err)
	}
	return string(text), nil
}

// UpdateCustomer changes what is known of a customer; false when there is no such wallet.
func (s *Store) UpdateCustomer(ctx context.Context, c store.CustomerChange) (bool, error) {
	const op = "postgres.UpdateCustomer"
	var metadata *string
	if c.Metadata != nil {
		text, err := metadataText(op, *c.Metadata)
		if err != nil {
			return false, err
		}
		metadata = &text
	}
	w := c.Key.ID()
	found := false
	var work script
	work.add(partOther, func(r pgx.Rows) error { found = true; return nil },
		`INSERT INTO customers (bucket, wallet, name, folded, email, address, phone, metadata, created_at, updated_at)
		SELECT w.bucket, w.wallet, coalesce($3::text, ''), coalesce($4::text, ''), coalesce($5::text, ''), coalesce($6::text, ''),
			coalesce($7::text, ''), coalesce($8::jsonb, '{}'), w.created_at, $9::bigint
		FROM wallets w WHERE w.bucket = $1::smallint AND w.wallet = $2::uuid
		ON CONFLICT (bucket, wallet) DO UPDATE SET name = coalesce($3::text, customers.name),
			folded = coalesce($4::text, customers.folded), email = coalesce($5::text, customers.email),
			address = coalesce($6::text, customers.address), phone = coalesce($7::text, customers.phone),
			metadata = coalesce($8::jsonb, customers.metadata), updated_at = $9::bigint
		RETURNING 1`,
		int16(w.Bucket()), uuid(w), c.Name, folded(c.Name), c.Email, folded(c.Email), c.Phone, metadata, int64(c.At))
	// As in SaveCustomer.
	err := s.read(ctx, op, &work)
	return found, err
}

func folded(s *string) *string {
	if s == nil {
		return nil
	}
	text := store.FoldName(*s)
	return &text
}

// Holders lists the wallets that were ever granted a credit, or used it, by customer id.
func (s *Store) Holders(ctx context.Context, q store.HolderQuery) ([]store.Holder, error) {
	f := &filter{}
	credit := f.arg(q.Credit) + "::text"
	if q.Customer != "" {
		w := wallet.Key{App: q.App, Mode: q.Mode, Customer: q.Customer}.ID()
		f.and("w.bucket = ?::smallint", int16(w.Bucket()))
		f.and("w.wallet = ?::uuid", uuid(w))
	}
	f.and("w.app_id = ?::text", q.App)
	f.and("w.mode = ?::text", string(q.Mode))
	f.and("w.customer_id > ?::text", q.After)
	head := strings.ReplaceAll(selectHolders, "{credit}", credit)
	sql := f.sql(head, "w.customer_id", store.PageLimit(q.Limit)) + f.offset(q.Offset)
	return readAll(ctx, s, query{"postgres.Holders", sql, f.args}, func(r pgx.Rows) (store.Holder, error) {
		var h store.Holder
		err := r.Scan(&h.Customer, instant(&h.CreatedAt), instant(&h.LastAt))
		return h, err
	})
}

const selectHolders = `SELECT w.customer_id,
		coalesce((SELECT g.created_at FROM grants g WHERE g.bucket = w.bucket AND g.wallet = w.wallet AND g.credit_id = {credit}
			ORDER BY g.n LIMIT 1), w.created_at),
		coalesce((SELECT e.effective_at FROM entries e WHERE e.bucket = w.bucket AND e.wallet = w.wallet AND e.credit_id = {credit}
			AND e.type NOT IN ('hold_placed', 'hold_released') ORDER BY e.seq DESC LIMIT 1), 0)
	FROM (SELECT bucket, wallet FROM lanes WHERE credit_id = {credit}
		UNION SELECT bucket, wallet FROM standings WHERE credit_id = {credit}) h
	JOIN wallets w ON w.bucket = h.bucket AND w.wallet = h.wallet`
