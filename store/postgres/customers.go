package postgres

import (
	"context"
	"encoding/json"

	"github.com/jackc/pgx/v5"

	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/wallet"
)

// A wallet of whose holder nothing was told is a customer without a name.
const selectCustomers = `SELECT w.customer_id, coalesce(c.name, ''), coalesce(c.email, ''), coalesce(c.metadata, '{}'),
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
	var list []store.Customer
	var work script
	work.add(partOther, func(r pgx.Rows) error {
		c := store.Customer{Key: wallet.Key{App: q.App, Mode: q.Mode}}
		err := r.Scan(&c.Key.Customer, &c.Name, &c.Email, doc(&c.Metadata), instant(&c.CreatedAt), instant(&c.UpdatedAt))
		list = append(list, c)
		return err
	}, f.sql(selectCustomers, "w.customer_id", store.PageLimit(q.Limit)), f.args...)
	if err := s.read(ctx, "postgres.Customers", &work); err != nil {
		return nil, err
	}
	return list, nil
}

// SaveCustomer stores what is known of a customer, and makes the wallet where there is none.
func (s *Store) SaveCustomer(ctx context.Context, c store.Customer) error {
	const op = "postgres.SaveCustomer"
	metadata, err := json.Marshal(c.Metadata)
	if err != nil {
		return fault.New(op, fault.CodeInternalError, "the metadata cannot be stored").Because(err)
	}
	if len(c.Metadata) == 0 {
		metadata = []byte("{}")
	}
	w := c.Key.ID()
	bucket, head := int16(w.Bucket()), wallet.Hash{}
	var work script
	work.exec(begin)
	work.exec(`INSERT INTO wallets (bucket, wallet, app_id, mode, customer_id, version, seq, grant_seq, hold_seq, usage_seq, head,
			last_at, next_due, created_at)
		VALUES ($1::smallint, $2::uuid, $3::text, $4::text, $5::text, 1, 0, 0, 0, 0, $6::bytea, 0, 0, $7::bigint)
		ON CONFLICT (bucket, wallet) DO NOTHING`,
		bucket, uuid(w), c.Key.App, string(c.Key.Mode), c.Key.Customer, head[:], int64(c.CreatedAt))
	work.exec(`INSERT INTO customers (bucket, wallet, name, email, metadata, created_at, updated_at)
		VALUES ($1::smallint, $2::uuid, $3::text, $4::text, $5::jsonb, $6::bigint, $7::bigint)
		ON CONFLICT (bucket, wallet) DO UPDATE SET name = EXCLUDED.name, email = EXCLUDED.email,
			metadata = EXCLUDED.metadata, updated_at = EXCLUDED.updated_at`,
		bucket, uuid(w), c.Name, c.Email, string(metadata), int64(c.CreatedAt), int64(c.UpdatedAt))
	work.exec("COMMIT")
	// Saving the same again changes nothing, so a connection that broke needs no inquiry.
	return s.read(ctx, op, &work)
}
