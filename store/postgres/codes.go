package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/wallet"
)

const (
	codeColumns = "c.id, c.app_id, c.code, c.pack_id, c.credit_id, c.amount, c.category, c.expires_after_days, c.valid_from, c.valid_until, " +
		"c.max_uses, c.max_uses_per_customer, c.description, c.metadata, c.created_at, c.updated_at, c.archived_at"

	codeUseColumns = "u.app_id, u.code_id, u.mode, u.n, u.customer_id, u.idempotency_key, u.actor, u.uses_left, u.claimed_at, u.granted_at, u.grants"

	// Uses are numbered without gaps, so the last number is how many there are.
	selectCodes = "SELECT " + codeColumns + ", (SELECT coalesce(max(u.n), 0) FROM code_uses u WHERE u.code_id = c.id AND u.mode = $1::text) FROM codes c"

	lockCode = "SELECT " + codeColumns + ", 0::bigint FROM codes c WHERE c.app_id = $1::text AND c.id = $2::text FOR UPDATE"

	countUses = "SELECT coalesce(max(n), 0) FROM code_uses WHERE code_id = $1::text AND mode = $2::text"

	selectUsesOf = "SELECT " + codeUseColumns + ` FROM code_uses u WHERE u.code_id = $1::text AND u.mode = $2::text AND u.customer_id = $3::text
		ORDER BY u.n`

	selectUseUnder = "SELECT " + codeUseColumns + ` FROM code_uses u WHERE u.app_id = $1::text AND u.mode = $2::text AND u.customer_id = $3::text
		AND u.idempotency_key = $4::text AND u.idempotency_key <> ''`

	selectClaimed = "SELECT " + codeUseColumns + ` FROM code_uses u WHERE u.granted_at = 0 AND (u.code_id, u.mode, u.n) > ($1::text, $2::text, $3::bigint)
		ORDER BY u.code_id, u.mode, u.n LIMIT $4::bigint`

	insertUse = `INSERT INTO code_uses (app_id, code_id, mode, n, customer_id, idempotency_key, actor, uses_left, claimed_at, granted_at, grants)
		VALUES ($1::text, $2::text, $3::text, $4::bigint, $5::text, $6::text, $7::text, $8::bigint, $9::bigint, $10::bigint, $11::jsonb)`

	useGranted = `UPDATE code_uses SET granted_at = $4::bigint, grants = $5::jsonb
		WHERE code_id = $1::text AND mode = $2::text AND n = $3::bigint AND granted_at = 0`

	// What a code gives, and its text, stay as they are.
	upsertCode = `INSERT INTO codes (id, app_id, code, folded, pack_id, credit_id, amount, category, expires_after_days, valid_from,
			valid_until, max_uses, max_uses_per_customer, description, metadata, created_at, updated_at, archived_at)
		VALUES ($1::text, $2::text, $3::text, $4::text, $5::text, $6::text, $7::bigint, $8::text, $9::bigint, $10::bigint,
			$11::bigint, $12::bigint, $13::bigint, $14::text, $15::jsonb, $16::bigint, $17::bigint, $18::bigint)
		ON CONFLICT (id) DO UPDATE SET valid_from = EXCLUDED.valid_from, valid_until = EXCLUDED.valid_until,
			max_uses = EXCLUDED.max_uses, max_uses_per_customer = EXCLUDED.max_uses_per_customer, description = EXCLUDED.description,
			metadata = EXCLUDED.metadata, updated_at = EXCLUDED.updated_at, archived_at = EXCLUDED.archived_at
		WHERE codes.app_id = EXCLUDED.app_id`
)

// Codes lists codes, the newest first, with how often they were used in the query's mode.
func (s *Store) Codes(ctx context.Context, q store.CodeQuery) ([]store.FoundCode, error) {
	f := &filter{}
	f.arg(string(q.Mode))
	f.and("c.app_id = ?::text", q.App)
	switch {
	case q.ID != "":
		f.and("c.id = ?::text", q.ID)
	case q.Text != "":
		f.and("c.folded = ?::text AND c.archived_at = 0", catalog.FoldCode(q.Text))
	default:
		f.and("(c.archived_at <> 0) = ?::boolean", q.Archived)
		if q.After != "" {
			f.and("c.id < ?::text", q.After)
		}
	}
	sql := f.sql(selectCodes, "c.id DESC", store.PageLimit(q.Limit))
	return readAll(ctx, s, query{"postgres.Codes", sql, f.args}, scanCode)
}

func scanCode(r pgx.Rows) (store.FoundCode, error) {
	c := &catalog.Code{}
	found := store.FoundCode{Code: c}
	return found, r.Scan(
		&c.ID, &c.App, &c.Text, &c.Pack, &c.Credit, &c.Amount, (*string)(&c.Category), &c.ExpiresAfterDays, instant(&c.ValidFrom),
		instant(&c.ValidUntil), &c.MaxUses, &c.MaxUsesPerCustomer, &c.Description, doc(&c.Metadata), instant(&c.CreatedAt),
		instant(&c.UpdatedAt), instant(&c.ArchivedAt), &found.Uses,
	)
}

// codes writes all codes of a change in one round trip: there may be a thousand.
func (d *definer) codes(codes []*catalog.Code) error {
	if len(codes) == 0 {
		return nil
	}
	var batch pgx.Batch
	for _, c := range codes {
		metadata, err := metadataText(opDefine, c.Metadata)
		if err != nil {
			return err
		}
		batch.Queue(upsertCode, c.ID, d.app, c.Text, catalog.FoldCode(c.Text), c.Pack, c.Credit, c.Amount, string(c.Category),
			int64(c.ExpiresAfterDays), int64(c.ValidFrom), int64(c.ValidUntil), c.MaxUses, c.MaxUsesPerCustomer, c.Description, metadata,
			int64(c.CreatedAt), int64(c.UpdatedAt), int64(c.ArchivedAt))
	}
	results := d.tx.SendBatch(d.ctx, &batch)
	for _, c := range codes {
		tag, err := results.Exec()
		if err == nil {
			err = owned(tag.RowsAffected(), nil, c.ID)
		} else {
			err = &failure{partNamed, err}
		}
		if err != nil {
			_ = results.Close() // it repeats the error, which is being returned
			return err
		}
	}
	return results.Close()
}

// ClaimCode runs one transaction on one code, whose row keeps all others from claiming meanwhile.
func (s *Store) ClaimCode(ctx context.Context, q store.CodeClaim, decide func(*store.FoundCode, []store.CodeUse) (*store.CodeUse, error)) error {
	const op = "postgres.ClaimCode"
	if err := s.enter(op); err != nil {
		return err
	}
	defer s.leave()
	c := &claim{CodeClaim: q, decide: decide}
	err := s.with(ctx, func(conn *pgx.Conn) error {
		tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.ReadCommitted, AccessMode: pgx.ReadWrite})
		if err != nil {
			return err
		}
		written, err := c.run(ctx, tx)
		if err != nil || !written {
			_ = tx.Rollback(context.WithoutCancel(ctx)) // a failure closes the connection, which does the same
			return err
		}
		return failCommit(ctx, op, tx.Commit(ctx))
	})
	if c.refusal != nil {
		return c.refusal // as it is, whatever it is
	}
	if errors.Is(err, store.ErrRetry) {
		return err
	}
	return fail(ctx, op, err)
}

// claim is one call of ClaimCode under way.
type claim struct {
	store.CodeClaim
	decide  func(*store.FoundCode, []store.CodeUse) (*store.CodeUse, error)
	refusal error // decide's own
}

// run reports whether there is something to commit.
func (c *claim) run(ctx context.Context, tx pgx.Tx) (bool, error) {
	found, own, err := c.look(ctx, tx)
	if err != nil {
		return false, err
	}
	use, err := c.decide(found, own)
	if err != nil || use == nil {
		c.refusal = err
		return false, err
	}
	grants, err := documents(use.Grants)
	if err != nil {
		return false, err
	}
	_, err = tx.Exec(ctx, insertUse, c.App, c.Code, string(c.Mode), use.N, c.Customer, use.Idempotency, use.Actor, use.Left,
		int64(use.ClaimedAt), int64(use.GrantedAt), grants[0])
	if err != nil {
		return false, &failure{partUnique, err}
	}
	return true, nil
}

// look locks the code and reads what is known of it then, in one round trip.
func (c *claim) look(ctx context.Context, tx pgx.Tx) (*store.FoundCode, []store.CodeUse, error) {
	var found *store.FoundCode
	var uses int64
	var own []store.CodeUse
	var work script
	// A process that stands still with the lock in hand must not hold up all others for ever.
	work.exec("SELECT set_config('idle_in_transaction_session_timeout', '60s', true)")
	work.add(partOther, func(r pgx.Rows) error {
		code, err := scanCode(r)
		found = &code
		return err
	}, lockCode, c.App, c.Code)
	work.add(partOther, func(r pgx.Rows) error { return r.Scan(&uses) }, countUses, c.Code, string(c.Mode))
	work.add(partOther, scanUses(&own), selectUsesOf, c.Code, string(c.Mode), c.Customer)
	if err := work.run(ctx, tx.Conn()); err != nil {
		return nil, nil, err
	}
	if found == nil {
		return nil, nil, fault.New("postgres.ClaimCode", fault.CodeNotFound, "there is no code %q", c.Code)
	}
	found.Uses = uses
	return found, own, nil
}

func scanUses(uses *[]store.CodeUse) func(pgx.Rows) error {
	return func(r pgx.Rows) error {
		var u store.CodeUse
		err := r.Scan(&u.App, &u.Code, (*string)(&u.Mode), &u.N, &u.Customer, &u.Idempotency, &u.Actor, &u.Left,
			instant(&u.ClaimedAt), instant(&u.GrantedAt), doc(&u.Grants))
		*uses = append(*uses, u)
		return err
	}
}

// CodeUseUnder finds what a customer claimed under an idempotency key; nil when there is nothing.
func (s *Store) CodeUseUnder(ctx context.Context, k wallet.Key, idempotency string) (*store.CodeUse, error) {
	var found []store.CodeUse
	var work script
	work.add(partOther, scanUses(&found), selectUseUnder, k.App, string(k.Mode), k.Customer, idempotency)
	if err := s.read(ctx, "postgres.CodeUseUnder", &work); err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], nil
}

// CodeGranted notes that a use was granted.
func (s *Store) CodeGranted(ctx context.Context, u *store.CodeUse) error {
	grants, err := documents(u.Grants)
	if err != nil {
		return err
	}
	var work script
	work.exec(useGranted, u.Code, string(u.Mode), u.N, int64(u.GrantedAt), grants[0])
	// Noting it again changes nothing, so a connection that broke needs no inquiry.
	return s.read(ctx, "postgres.CodeGranted", &work)
}

// ClaimedCodes lists uses of all apps that were claimed and not noted as granted.
func (s *Store) ClaimedCodes(ctx context.Context, after store.CodeUsePosition, limit int) ([]store.CodeUse, error) {
	var found []store.CodeUse
	var work script
	work.add(partOther, scanUses(&found), selectClaimed, after.Code, string(after.Mode), after.N, int64(store.PageLimit(limit)))
	if err := s.read(ctx, "postgres.ClaimedCodes", &work); err != nil {
		return nil, err
	}
	return found, nil
}
