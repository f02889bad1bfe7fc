package postgres

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/store"
)

// CreateApp stores an app under a new name; name_taken when another has it.
func (s *Store) CreateApp(ctx context.Context, app store.App) error {
	const op = "postgres.CreateApp"
	if err := s.enter(op); err != nil {
		return err
	}
	defer s.leave()
	err := s.with(ctx, func(conn *pgx.Conn) error {
		tag, err := conn.Exec(ctx, `INSERT INTO apps (id, name, version, created_at)
			VALUES ($1::text, $2::text, $3::bigint, $4::bigint) ON CONFLICT (name) DO NOTHING`,
			app.ID, app.Name, app.Version, int64(app.CreatedAt))
		if err == nil && tag.RowsAffected() == 0 {
			return fault.New(op, fault.CodeNameTaken, "another app has the name %q", app.Name).In("name")
		}
		return failCommit(ctx, op, err)
	})
	if errors.Is(err, store.ErrRetry) {
		return err
	}
	return fail(ctx, op, err)
}

// Apps lists all apps by name.
func (s *Store) Apps(ctx context.Context) ([]store.App, error) {
	q := query{op: "postgres.Apps", sql: "SELECT id, name, version, created_at FROM apps ORDER BY name"}
	return readAll(ctx, s, q, func(r pgx.Rows) (store.App, error) {
		var a store.App
		err := r.Scan(&a.ID, &a.Name, &a.Version, instant(&a.CreatedAt))
		return a, err
	})
}

// Definitions reads everything that an app defines; nil when there is no such app.
func (s *Store) Definitions(ctx context.Context, app string) (*catalog.Definitions, error) {
	var work script
	work.exec(beginRead)
	defs := work.definitions([]string{app}, false)
	work.exec("COMMIT")
	if err := s.read(ctx, "postgres.Definitions", &work); err != nil {
		return nil, err
	}
	return defs[app], nil
}

// definitions queues what reads the definitions of apps. The map it returns is filled when the
// script has run. In a transaction whose statements each see a later instant, locked keeps the
// apps as their versions say until it ends.
func (s *script) definitions(apps []string, locked bool) map[string]*catalog.Definitions {
	defs := make(map[string]*catalog.Definitions, len(apps))
	if len(apps) == 0 {
		return defs
	}
	heads := "SELECT id, name, version FROM apps WHERE id = ANY($1::text[]) ORDER BY id"
	if locked {
		heads += " FOR SHARE"
	}
	s.add(partOther, func(r pgx.Rows) error {
		var app, name string
		var version int64
		err := r.Scan(&app, &name, &version)
		defs[app] = catalog.NewDefinitions(app, name, version)
		return err
	}, heads, apps)
	for _, kind := range []struct {
		columns, table string
		keep           func(pgx.Rows) error
	}{
		{creditColumns, "credits", keep(scanCredit, func(c *catalog.Credit) { defs[c.App].Credits[c.ID] = c })},
		{packColumns, "packs", keep(scanPack, func(p *catalog.Pack) { defs[p.App].Packs[p.ID] = p })},
		{meterColumns, "meters", keep(scanMeter, func(m *catalog.Meter) { defs[m.App].AddMeter(m) })},
		{productColumns, "products", keep(scanProduct, func(p *catalog.Product) { defs[p.App].Products[p.ID] = p })},
		{endpointColumns, "webhook_endpoints", keep(scanEndpoint, func(e *catalog.Endpoint) { defs[e.App].Endpoints[e.ID] = e })},
	} {
		s.add(partOther, kind.keep, "SELECT "+kind.columns+" FROM "+kind.table+" WHERE app_id = ANY($1::text[])", apps)
	}
	s.add(partOther, func(r pgx.Rows) error {
		var app, key string
		if err := r.Scan(&app, &key); err != nil {
			return err
		}
		defs[app].Keys[key] = true
		return nil
	}, "SELECT app_id, id FROM api_keys WHERE app_id = ANY($1::text[]) AND revoked_at = 0", apps)
	s.clocks(apps, defs)
	return defs
}

// keep takes definitions of a kind out of their rows and puts them where they belong.
func keep[D any](scan func(pgx.Rows) (*D, error), put func(*D)) func(pgx.Rows) error {
	return func(r pgx.Rows) error {
		d, err := scan(r)
		if err == nil {
			put(d)
		}
		return err
	}
}

// DefinitionsVersion reads only the version of an app's definitions; 0 when there is no such app.
func (s *Store) DefinitionsVersion(ctx context.Context, app string) (int64, error) {
	var version int64
	var work script
	work.add(partOther, func(r pgx.Rows) error { return r.Scan(&version) },
		"SELECT version FROM apps WHERE id = $1::text", app)
	err := s.read(ctx, "postgres.DefinitionsVersion", &work)
	return version, err
}

// AppAnswer reads the answer that an idempotency key of an app got; nil when it is new.
func (s *Store) AppAnswer(ctx context.Context, app, key string) (*store.AppAnswer, error) {
	var answer *store.AppAnswer
	var work script
	work.add(partOther, func(r pgx.Rows) error {
		answer = &store.AppAnswer{}
		return r.Scan(&answer.Key, (*fixed)(&answer.Request), &answer.Answer, instant(&answer.At))
	}, "SELECT key, request, answer, created_at FROM app_answers WHERE app_id = $1::text AND key = $2::text", app, key)
	if err := s.read(ctx, "postgres.AppAnswer", &work); err != nil {
		return nil, err
	}
	return answer, nil
}

// FindKey finds a key by the SHA-256 of its text; nil when there is none.
func (s *Store) FindKey(ctx context.Context, hash [32]byte) (*store.Key, error) {
	keys, err := s.keys(ctx, "postgres.FindKey", "hash = $1::bytea", hash[:])
	if err != nil || len(keys) == 0 {
		return nil, err
	}
	return &keys[0], nil
}

// ListKeys lists an app's keys by creation, revoked ones included.
func (s *Store) ListKeys(ctx context.Context, app string) ([]store.Key, error) {
	return s.keys(ctx, "postgres.ListKeys", "app_id = $1::text", app)
}

func (s *Store) keys(ctx context.Context, op, condition string, arg any) ([]store.Key, error) {
	sql := "SELECT " + apiKeyColumns + " FROM api_keys WHERE " + condition + " ORDER BY created_at, id"
	return readAll(ctx, s, query{op, sql, []any{arg}}, scanAPIKey)
}

const opDefine = "postgres.Define"

// Statements of Define. A definition is replaced under its id, but never another app's; a pack's
// id may be the operator's own choice, and is its app's alone.
const (
	raiseVersion = "UPDATE apps SET version = version + 1 WHERE id = $1::text AND version = $2::bigint"

	upsertCredit = `INSERT INTO credits (id, app_id, name, folded, unit, description, decimals, draw_order, scope,
			expires_after_days, overage, rollover, created_at, updated_at, archived_at, low_balance, sales)
		VALUES ($1::text, $2::text, $3::text, $4::text, $5::text, $6::text, $7::bigint, $8::jsonb, $9::jsonb,
			$10::bigint, $11::jsonb, $12::jsonb, $13::bigint, $14::bigint, $15::bigint, $16::bigint, $17::jsonb)
		ON CONFLICT (id) DO UPDATE SET name = EXCLUDED.name, folded = EXCLUDED.folded, unit = EXCLUDED.unit,
			description = EXCLUDED.description, decimals = EXCLUDED.decimals, draw_order = EXCLUDED.draw_order,
			scope = EXCLUDED.scope, expires_after_days = EXCLUDED.expires_after_days, overage = EXCLUDED.overage,
			rollover = EXCLUDED.rollover, created_at = EXCLUDED.created_at, updated_at = EXCLUDED.updated_at,
			archived_at = EXCLUDED.archived_at, low_balance = EXCLUDED.low_balance,
			sales = EXCLUDED.sales
		WHERE credits.app_id = EXCLUDED.app_id`

	upsertPack = `INSERT INTO packs (id, app_id, name, folded, description, price_minor, currency, expires_after_days,
			items, created_at, updated_at, archived_at, price_ref)
		VALUES ($1::text, $2::text, $3::text, $4::text, $5::text, $6::bigint, $7::text, $8::bigint,
			$9::jsonb, $10::bigint, $11::bigint, $12::bigint, $13::text)
		ON CONFLICT (app_id, id) DO UPDATE SET name = EXCLUDED.name, folded = EXCLUDED.folded,
			description = EXCLUDED.description, price_minor = EXCLUDED.price_minor, currency = EXCLUDED.currency,
			expires_after_days = EXCLUDED.expires_after_days, items = EXCLUDED.items, price_ref = EXCLUDED.price_ref,
			created_at = EXCLUDED.created_at, updated_at = EXCLUDED.updated_at, archived_at = EXCLUDED.archived_at`

	upsertMeter = `INSERT INTO meters (id, app_id, name, folded, description, event, filter, aggregation, unit, links,
			created_at, updated_at, archived_at)
		VALUES ($1::text, $2::text, $3::text, $4::text, $5::text, $6::text, $7::text, $8::jsonb, $9::text, $10::jsonb,
			$11::bigint, $12::bigint, $13::bigint)
		ON CONFLICT (id) DO UPDATE SET name = EXCLUDED.name, folded = EXCLUDED.folded, description = EXCLUDED.description,
			event = EXCLUDED.event, filter = EXCLUDED.filter, aggregation = EXCLUDED.aggregation, unit = EXCLUDED.unit,
			links = EXCLUDED.links, created_at = EXCLUDED.created_at, updated_at = EXCLUDED.updated_at,
			archived_at = EXCLUDED.archived_at
		WHERE meters.app_id = EXCLUDED.app_id`

	upsertProduct = `INSERT INTO products (app_id, id, name, description, tax_category, price, credits, allowances, on_change,
			metadata, created_at, updated_at, archived_at)
		VALUES ($1::text, $2::text, $3::text, $4::text, $5::text, $6::jsonb, $7::jsonb, $8::jsonb, $9::text, $10::jsonb, $11::bigint,
			$12::bigint, $13::bigint)
		ON CONFLICT (app_id, id) DO UPDATE SET name = EXCLUDED.name, description = EXCLUDED.description,
			tax_category = EXCLUDED.tax_category, price = EXCLUDED.price, credits = EXCLUDED.credits,
			allowances = EXCLUDED.allowances, on_change = EXCLUDED.on_change, metadata = EXCLUDED.metadata,
			created_at = EXCLUDED.created_at, updated_at = EXCLUDED.updated_at, archived_at = EXCLUDED.archived_at`

	upsertEndpoint = `INSERT INTO webhook_endpoints (id, app_id, mode, url, description, format, events, headers, secret,
			previous_secret, previous_until, disabled, ordered, rate_limit, metadata, created_at, updated_at, archived_at)
		VALUES ($1::text, $2::text, $3::text, $4::text, $5::text, $6::text, $7::jsonb, $8::jsonb, $9::text, $10::text,
			$11::bigint, $12::boolean, $13::boolean, $14::bigint, $15::jsonb, $16::bigint, $17::bigint, $18::bigint)
		ON CONFLICT (id) DO UPDATE SET mode = EXCLUDED.mode, url = EXCLUDED.url, description = EXCLUDED.description,
			format = EXCLUDED.format, events = EXCLUDED.events, headers = EXCLUDED.headers, secret = EXCLUDED.secret,
			previous_secret = EXCLUDED.previous_secret, previous_until = EXCLUDED.previous_until,
			disabled = EXCLUDED.disabled, ordered = EXCLUDED.ordered, rate_limit = EXCLUDED.rate_limit,
			metadata = EXCLUDED.metadata, created_at = EXCLUDED.created_at, updated_at = EXCLUDED.updated_at,
			archived_at = EXCLUDED.archived_at
		WHERE webhook_endpoints.app_id = EXCLUDED.app_id`

	insertKey = `INSERT INTO api_keys (id, app_id, mode, kind, label, prefix, hash, created_at, revoked_at)
		VALUES ($1::text, $2::text, $3::text, $4::text, $5::text, $6::text, $7::bytea, $8::bigint, $9::bigint)`

	// Revoking again does not move the instant.
	revokeKey = `UPDATE api_keys SET revoked_at = CASE revoked_at WHEN 0 THEN $3::bigint ELSE revoked_at END
		WHERE app_id = $1::text AND id = $2::text`

	insertAppAnswer = `INSERT INTO app_answers (app_id, key, request, answer, created_at)
		VALUES ($1::text, $2::text, $3::bytea, $4::bytea, $5::bigint)`
)

// Define writes definitions and raises the app's version, in one transaction. It is rare, and
// so it takes a round trip for each statement and looks at each result.
func (s *Store) Define(ctx context.Context, app string, expect int64, change store.Definition, answer *store.AppAnswer) error {
	if err := s.enter(opDefine); err != nil {
		return err
	}
	defer s.leave()
	err := s.with(ctx, func(conn *pgx.Conn) error {
		tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.ReadCommitted, AccessMode: pgx.ReadWrite})
		if err != nil {
			return err
		}
		d := &definer{ctx: ctx, tx: tx, app: app}
		if err := d.write(expect, &change, answer); err != nil {
			_ = tx.Rollback(context.WithoutCancel(ctx)) // a failure closes the connection, which does the same
			return err
		}
		return failCommit(ctx, opDefine, tx.Commit(ctx))
	})
	if errors.Is(err, store.ErrRetry) {
		return err
	}
	return fail(ctx, opDefine, err)
}

// definer is one call of Define under way.
type definer struct {
	ctx context.Context
	tx  pgx.Tx
	app string
}

// exec runs a statement and returns how many rows it changed.
func (d *definer) exec(p part, sql string, args ...any) (int64, error) {
	tag, err := d.tx.Exec(d.ctx, sql, args...)
	if err != nil {
		return 0, &failure{p, err}
	}
	return tag.RowsAffected(), nil
}

func (d *definer) write(expect int64, change *store.Definition, answer *store.AppAnswer) error {
	n, err := d.exec(partOther, raiseVersion, d.app, expect)
	if err != nil {
		return err
	}
	if n == 0 {
		return d.notRaised()
	}
	for _, write := range []func() error{
		func() error { return each(change.Credits, d.credit) },
		func() error { return each(change.Packs, d.pack) },
		func() error { return each(change.Meters, d.meter) },
		func() error { return each(change.Products, d.product) },
		func() error { return each(change.Endpoints, d.endpoint) },
		func() error { return d.codes(change.Codes) },
	} {
		if err := write(); err != nil {
			return err
		}
	}
	for i := range change.NewKeys {
		k := &change.NewKeys[i]
		if _, err := d.exec(partOther, insertKey, k.ID, d.app, string(k.Mode), string(k.Kind), k.Label, k.Prefix, k.Hash[:],
			int64(k.CreatedAt), int64(k.RevokedAt)); err != nil {
			return err
		}
	}
	if err := d.clocks(change.Clocks); err != nil {
		return err
	}
	for _, key := range change.Revoke {
		n, err := d.exec(partOther, revokeKey, d.app, key, int64(change.At))
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.New(opDefine, fault.CodeKeyNotFound, "key %q does not exist in this app", key)
		}
	}
	if answer == nil {
		return nil
	}
	_, err = d.exec(partUnique, insertAppAnswer, d.app, answer.Key, answer.Request[:], present(answer.Answer), int64(answer.At))
	return err
}

func each[D any](list []*D, write func(*D) error) error {
	for _, one := range list {
		if err := write(one); err != nil {
			return err
		}
	}
	return nil
}

// notRaised says why the version did not rise: it moved, or there is no such app.
func (d *definer) notRaised() error {
	var one int
	err := d.tx.QueryRow(d.ctx, "SELECT 1 FROM apps WHERE id = $1::text", d.app).Scan(&one)
	if errors.Is(err, pgx.ErrNoRows) {
		return fault.New(opDefine, fault.CodeNotFound, "there is no app %q", d.app)
	}
	if err != nil {
		return err
	}
	return store.Retry(fault.New(opDefine, fault.CodeStoreUnavailable, "the definitions were changed by another process meanwhile"))
}

func (d *definer) credit(c *catalog.Credit) error {
	docs, err := documents(c.DrawOrder, c.Scope, c.Overage, c.Rollover, c.Sales)
	if err != nil {
		return err
	}
	n, err := d.exec(partNamed, upsertCredit, c.ID, d.app, c.Name, store.FoldName(c.Name), c.Unit, c.Description,
		int64(c.Precision), docs[0], docs[1], int64(c.ExpiresAfterDays), docs[2], docs[3], int64(c.CreatedAt),
		int64(c.UpdatedAt), int64(c.ArchivedAt), c.LowBalance, docs[4])
	return owned(n, err, c.ID)
}

func (d *definer) pack(p *catalog.Pack) error {
	docs, err := documents(p.Items)
	if err != nil {
		return err
	}
	_, err = d.exec(partNamed, upsertPack, p.ID, d.app, p.Name, store.FoldName(p.Name), p.Description, p.PriceMinor,
		p.Currency, int64(p.ExpiresAfterDays), docs[0], int64(p.CreatedAt), int64(p.UpdatedAt), int64(p.ArchivedAt), p.PriceRef)
	return err
}

func (d *definer) meter(m *catalog.Meter) error {
	docs, err := documents(m.Filter, m.Aggregation, m.Links)
	if err != nil {
		return err
	}
	if m.Filter == nil {
		docs[0] = ""
	}
	n, err := d.exec(partNamed, upsertMeter, m.ID, d.app, m.Name, store.FoldName(m.Name), m.Description, m.Event,
		docs[0], docs[1], m.Unit, docs[2], int64(m.CreatedAt), int64(m.UpdatedAt), int64(m.ArchivedAt))
	return owned(n, err, m.ID)
}

func (d *definer) product(p *catalog.Product) error {
	docs, err := documents(p.Price, p.Credits, p.Allowances)
	if err != nil {
		return err
	}
	metadata, err := metadataText(opDefine, p.Metadata)
	if err != nil {
		return err
	}
	_, err = d.exec(partOther, upsertProduct, d.app, p.ID, p.Name, p.Description, p.TaxCategory, docs[0], docs[1], docs[2],
		string(p.OnChange), metadata, int64(p.CreatedAt), int64(p.UpdatedAt), int64(p.ArchivedAt))
	return err
}

func (d *definer) endpoint(e *catalog.Endpoint) error {
	docs, err := documents(e.Events, e.Headers, e.Metadata)
	if err != nil {
		return err
	}
	n, err := d.exec(partOther, upsertEndpoint, e.ID, d.app, string(e.Mode), e.URL, e.Description, e.Format, docs[0], docs[1],
		e.Secret, e.PreviousSecret, int64(e.PreviousUntil), e.Disabled, e.Ordered, int64(e.RateLimit), docs[2],
		int64(e.CreatedAt), int64(e.UpdatedAt), int64(e.ArchivedAt))
	return owned(n, err, e.ID)
}

// owned refuses a definition that another app has under the same id.
func owned(rows int64, err error, id string) error {
	if err == nil && rows == 0 {
		return fault.New(opDefine, fault.CodeInvariantViolated, "%q belongs to another app", id)
	}
	return err
}

// documents are values as JSON text; a list that is not there is an empty one.
func documents(values ...any) ([]string, error) {
	texts := make([]string, len(values))
	for i, v := range values {
		b, err := json.Marshal(v)
		if err != nil {
			return nil, fault.New(opDefine, fault.CodeInternalError, "the definition cannot be stored").Because(err)
		}
		texts[i] = string(b)
		if texts[i] == "null" {
			texts[i] = "[]"
		}
	}
	return texts, nil
}
