package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/store"
)

const (
	insertProviderObject = `INSERT INTO provider_objects (id, app_id, mode, kind, ref, version, body, created_at)
		VALUES ($1::text, $2::text, $3::text, $4::text, $5::text, 1, $6::text, $7::bigint) ON CONFLICT (id) DO NOTHING`

	updateProviderObject = `UPDATE provider_objects SET app_id = $2::text, mode = $3::text, kind = $4::text, ref = $5::text,
		version = version + 1, body = $6::text, created_at = $7::bigint WHERE id = $1::text AND version = $8::bigint`

	selectProviderObject = `SELECT id, app_id, mode, kind, ref, version, body, created_at FROM provider_objects WHERE `
)

// PutProviderObject stores an object of the sandbox provider, unless it has another version by now.
func (s *Store) PutProviderObject(ctx context.Context, o store.ProviderObject) error {
	const op = "postgres.PutProviderObject"
	if err := s.enter(op); err != nil {
		return err
	}
	defer s.leave()
	sql, args := insertProviderObject, []any{o.ID, o.App, string(o.Mode), o.Kind, o.Ref, string(o.Body), int64(o.CreatedAt)}
	if o.Version != 0 {
		sql, args = updateProviderObject, append(args, o.Version)
	}
	// Once only: where it is not certain that it was done, another try would find another version.
	err := s.with(ctx, func(conn *pgx.Conn) error {
		tag, err := conn.Exec(ctx, sql, args...)
		if err != nil {
			return failCommit(ctx, op, err)
		}
		if tag.RowsAffected() != 1 {
			return store.Retry(fault.New(op, fault.CodeStoreUnavailable, "somebody else changed it first"))
		}
		return nil
	})
	if errors.Is(err, store.ErrRetry) {
		return err
	}
	return fail(ctx, op, err)
}

// ProviderObject reads an object of the sandbox provider; nil when there is none.
func (s *Store) ProviderObject(ctx context.Context, id string) (*store.ProviderObject, error) {
	found, err := s.providerObjects(ctx, "postgres.ProviderObject", selectProviderObject+"id = $1::text", id)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], nil
}

// ProviderObjects lists those of a kind and a reference, oldest first.
func (s *Store) ProviderObjects(ctx context.Context, q store.ProviderQuery) ([]store.ProviderObject, error) {
	return s.providerObjects(ctx, "postgres.ProviderObjects", selectProviderObject+
		"kind = $3::text AND ref = $4::text AND ($1::text = '' OR app_id = $1::text AND mode = $2::text) ORDER BY created_at, id LIMIT $5::bigint",
		q.App, string(q.Mode), q.Kind, q.Ref, int64(store.PageLimit(q.Limit)))
}

func (s *Store) providerObjects(ctx context.Context, op, sql string, args ...any) ([]store.ProviderObject, error) {
	return readAll(ctx, s, query{op, sql, args}, func(r pgx.Rows) (store.ProviderObject, error) {
		var o store.ProviderObject
		var body string
		err := r.Scan(&o.ID, &o.App, (*string)(&o.Mode), &o.Kind, &o.Ref, &o.Version, &body, instant(&o.CreatedAt))
		o.Body = []byte(body)
		return o, err
	})
}
