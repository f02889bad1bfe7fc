package sqlite

import (
	"context"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/wallet"
)

// Codes lists codes, the newest first, with how often they were used in the query's mode.
func (s *Store) Codes(ctx context.Context, q store.CodeQuery) ([]store.FoundCode, error) {
	st, args := selectCodes, []any{flag(q.Archived), q.After, int64(store.PageLimit(q.Limit))}
	switch {
	case q.ID != "":
		st, args = selectCode, []any{q.ID}
	case q.Text != "":
		st, args = selectCodeByText, []any{catalog.FoldCode(q.Text)}
	}
	args = append([]any{string(q.Mode), q.App}, args...)
	return readAll(ctx, s, query{"sqlite.Codes", st, args}, row.code)
}

func (c *session) writeCode(ctx context.Context, app string, d *catalog.Code) error {
	n, err := c.exec(ctx, upsertCode, catalog.FoldCode(d.Text), d.ID, app, d.Text, d.Pack, d.Credit, d.Amount, string(d.Category),
		int64(d.ExpiresAfterDays), int64(d.ValidFrom), int64(d.ValidUntil), d.MaxUses, d.MaxUsesPerCustomer, d.Description,
		jsonOf(d.Metadata, len(d.Metadata)), int64(d.CreatedAt), int64(d.UpdatedAt), int64(d.ArchivedAt))
	return foreign(n, err, d.ID)
}

// ClaimCode runs one transaction on one code. SQLite has one write lock for the whole file, so
// nobody else claims meanwhile.
func (s *Store) ClaimCode(ctx context.Context, q store.CodeClaim, decide func(*store.FoundCode, []store.CodeUse) (*store.CodeUse, error)) error {
	const op = "sqlite.ClaimCode"
	var refusal error
	err := s.change(ctx, op, func(c *session) error {
		ctx := context.WithoutCancel(ctx)
		var found *store.FoundCode
		err := c.query(ctx, selectCode, func(r row) error {
			code, err := r.code()
			found = &code
			return err
		}, string(q.Mode), q.App, q.Code)
		if err != nil {
			return err
		}
		if found == nil {
			return fault.New(op, fault.CodeNotFound, "there is no code %q", q.Code)
		}
		own, err := c.codeUses(ctx, selectCodeUsesOf, q.Code, string(q.Mode), q.Customer)
		if err != nil {
			return err
		}
		use, err := decide(found, own)
		if err != nil || use == nil {
			refusal = err
			return err
		}
		_, err = c.exec(ctx, insertCodeUse, q.App, q.Code, string(q.Mode), use.N, q.Customer, use.Idempotency, use.Actor, use.Left,
			int64(use.ClaimedAt), int64(use.GrantedAt), jsonOf(use.Grants, len(use.Grants)))
		return raced(err)
	})
	if refusal != nil {
		return refusal // as it is, whatever it is
	}
	return err
}

// CodeUseUnder finds what a customer claimed under an idempotency key; nil when there is nothing.
func (s *Store) CodeUseUnder(ctx context.Context, k wallet.Key, idempotency string) (*store.CodeUse, error) {
	var found []store.CodeUse
	err := s.read(ctx, "sqlite.CodeUseUnder", func(c *session) (err error) {
		found, err = c.codeUses(ctx, selectCodeUseUnder, k.App, string(k.Mode), k.Customer, idempotency)
		return err
	})
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], nil
}

// CodeGranted notes that a use was granted.
func (s *Store) CodeGranted(ctx context.Context, u *store.CodeUse) error {
	return s.change(ctx, "sqlite.CodeGranted", func(c *session) error {
		_, err := c.exec(context.WithoutCancel(ctx), codeGranted, u.Code, string(u.Mode), u.N, int64(u.GrantedAt), jsonOf(u.Grants, len(u.Grants)))
		return err
	})
}

// ClaimedCodes lists uses of all apps that were claimed and not noted as granted.
func (s *Store) ClaimedCodes(ctx context.Context, after store.CodeUsePosition, most int) ([]store.CodeUse, error) {
	var found []store.CodeUse
	err := s.read(ctx, "sqlite.ClaimedCodes", func(c *session) (err error) {
		found, err = c.codeUses(ctx, selectClaimedCodes, after.Code, string(after.Mode), after.N, int64(store.PageLimit(most)))
		return err
	})
	return found, err
}

func (c *session) codeUses(ctx context.Context, st statement, args ...any) ([]store.CodeUse, error) {
	var uses []store.CodeUse
	err := c.query(ctx, st, func(r row) error {
		u := store.CodeUse{
			App: r.text(0), Code: r.text(1), Mode: catalog.Mode(r.text(2)), N: r.int(3), Customer: r.text(4), Idempotency: r.text(5),
			Actor: r.text(6), Left: r.int(7), ClaimedAt: r.instant(8), GrantedAt: r.instant(9),
		}
		err := r.json(10, &u.Grants)
		uses = append(uses, u)
		return err
	}, args...)
	return uses, err
}

func (r row) code() (store.FoundCode, error) {
	c := &catalog.Code{
		ID: r.text(0), App: r.text(1), Text: r.text(2), Pack: r.text(3), Credit: r.text(4), Amount: r.int(5),
		Category: catalog.Category(r.text(6)), ExpiresAfterDays: int(r.int(7)), ValidFrom: r.instant(8), ValidUntil: r.instant(9),
		MaxUses: r.int(10), MaxUsesPerCustomer: r.int(11), Description: r.text(12),
		CreatedAt: r.instant(14), UpdatedAt: r.instant(15), ArchivedAt: r.instant(16),
	}
	return store.FoundCode{Code: c, Uses: r.int(17)}, r.json(13, &c.Metadata)
}
