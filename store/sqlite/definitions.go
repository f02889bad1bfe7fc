package sqlite

import (
	"context"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/store"
)

// CreateApp stores an app under a new name.
func (s *Store) CreateApp(ctx context.Context, app store.App) error {
	const op = "sqlite.CreateApp"
	return s.change(ctx, op, func(c *session) error {
		_, err := c.exec(context.WithoutCancel(ctx), insertApp, app.ID, app.Name, int64(app.CreatedAt))
		return nameTaken(op, err, "app", app.Name)
	})
}

// nameTaken names the only unique index that a definition can run into; a repeated id has
// another code.
func nameTaken(op string, err error, kind, name string) error {
	if codeOf(err) == uniqueIndex {
		return fault.New(op, fault.CodeNameTaken, "another %s has the name %q", kind, name).In("name").Because(err)
	}
	return err
}

// Apps lists all apps by name.
func (s *Store) Apps(ctx context.Context) ([]store.App, error) {
	return readAll(ctx, s, query{"sqlite.Apps", selectApps, nil}, func(r row) (store.App, error) {
		return store.App{ID: r.text(0), Name: r.text(1), Version: r.int(2), CreatedAt: r.instant(3)}, nil
	})
}

// Definitions reads everything that an app defines; nil when there is no such app.
func (s *Store) Definitions(ctx context.Context, app string) (*catalog.Definitions, error) {
	var defs *catalog.Definitions
	err := s.view(ctx, "sqlite.Definitions", func(c *session) error {
		var err error
		defs, err = c.definitions(ctx, app)
		return err
	})
	return defs, err
}

func (c *session) definitions(ctx context.Context, app string) (*catalog.Definitions, error) {
	var defs *catalog.Definitions
	err := c.query(ctx, selectApp, func(r row) error {
		defs = catalog.NewDefinitions(r.text(0), r.text(1), r.int(2))
		return nil
	}, app)
	if err != nil || defs == nil {
		return nil, err
	}
	for _, kind := range []struct {
		st   statement
		keep func(row) error
	}{
		{selectCredits, keep(row.credit, func(c *catalog.Credit) { defs.Credits[c.ID] = c })},
		{selectPacks, keep(row.pack, func(p *catalog.Pack) { defs.Packs[p.ID] = p })},
		{selectMeters, keep(row.meter, defs.AddMeter)},
		{selectProducts, keep(row.product, func(p *catalog.Product) { defs.Products[p.ID] = p })},
		{selectEndpoints, keep(row.endpoint, func(e *catalog.Endpoint) { defs.Endpoints[e.ID] = e })},
		{selectValidKeys, func(r row) error { defs.Keys[r.text(0)] = true; return nil }},
	} {
		if err := c.query(ctx, kind.st, kind.keep, app); err != nil {
			return nil, err
		}
	}
	return defs, c.clocks(ctx, defs)
}

// keep takes definitions of a kind out of their rows and puts them where they belong.
func keep[D any](read func(row) (*D, error), put func(*D)) func(row) error {
	return func(r row) error {
		d, err := read(r)
		if err == nil {
			put(d)
		}
		return err
	}
}

// DefinitionsVersion reads only their version; 0 when there is no such app.
func (s *Store) DefinitionsVersion(ctx context.Context, app string) (int64, error) {
	var version int64
	err := s.read(ctx, "sqlite.DefinitionsVersion", func(c *session) error {
		var err error
		version, err = c.appVersion(ctx, app)
		return err
	})
	return version, err
}

func (c *session) appVersion(ctx context.Context, app string) (int64, error) {
	var version int64
	err := c.query(ctx, selectAppVersion, func(r row) error { version = r.int(0); return nil }, app)
	return version, err
}

// Define writes definitions and raises the app's version.
func (s *Store) Define(ctx context.Context, app string, expect int64, change store.Definition, answer *store.AppAnswer) error {
	const op = "sqlite.Define"
	return s.change(ctx, op, func(c *session) error {
		ctx := context.WithoutCancel(ctx)
		if err := c.raiseVersion(ctx, app, expect); err != nil {
			return err
		}
		for _, credit := range change.Credits {
			if err := c.writeCredit(ctx, app, credit); err != nil {
				return nameTaken(op, err, "credit", credit.Name)
			}
		}
		for _, pack := range change.Packs {
			if err := c.writePack(ctx, app, pack); err != nil {
				return nameTaken(op, err, "pack", pack.Name)
			}
		}
		for _, meter := range change.Meters {
			if err := c.writeMeter(ctx, app, meter); err != nil {
				return nameTaken(op, err, "meter", meter.Name)
			}
		}
		for _, product := range change.Products {
			if err := c.writeProduct(ctx, app, product); err != nil {
				return err
			}
		}
		for _, endpoint := range change.Endpoints {
			if err := c.writeEndpoint(ctx, app, endpoint); err != nil {
				return err
			}
		}
		for _, code := range change.Codes {
			if err := c.writeCode(ctx, app, code); err != nil {
				return nameTaken(op, err, "code", code.Text)
			}
		}
		if err := c.writeClocks(ctx, app, change.Clocks); err != nil {
			return err
		}
		if err := c.writeKeys(ctx, app, &change); err != nil || answer == nil {
			return err
		}
		_, err := c.exec(ctx, insertAppAnswer, app, answer.Key, answer.Request[:], bytesOf(answer.Answer), int64(answer.At))
		return raced(err)
	})
}

func (c *session) raiseVersion(ctx context.Context, app string, expect int64) error {
	const op = "sqlite.Define"
	n, err := c.exec(ctx, raiseAppVersion, app, expect)
	if err != nil || n == 1 {
		return err
	}
	version, err := c.appVersion(ctx, app)
	if err != nil {
		return err
	}
	if version == 0 {
		return fault.New(op, fault.CodeNotFound, "there is no app %q", app)
	}
	return moved(op)
}

func (c *session) writeCredit(ctx context.Context, app string, d *catalog.Credit) error {
	n, err := c.exec(ctx, upsertCredit, store.FoldName(d.Name), d.ID, app, d.Name, d.Unit, d.Description, int64(d.Precision),
		jsonOf(d.DrawOrder, len(d.DrawOrder)), jsonOf(d.Scope, len(d.Scope)), int64(d.ExpiresAfterDays),
		jsonOf(d.Overage, 1), jsonOf(d.Rollover, 1), int64(d.CreatedAt), int64(d.UpdatedAt), int64(d.ArchivedAt), d.LowBalance,
		jsonOf(d.Sales, 1))
	return foreign(n, err, d.ID)
}

func (c *session) writePack(ctx context.Context, app string, p *catalog.Pack) error {
	_, err := c.exec(ctx, upsertPack, store.FoldName(p.Name), p.ID, app, p.Name, p.Description, p.PriceMinor, p.Currency,
		int64(p.ExpiresAfterDays), jsonOf(p.Items, len(p.Items)), int64(p.CreatedAt), int64(p.UpdatedAt), int64(p.ArchivedAt), p.PriceRef)
	return err
}

func (c *session) writeMeter(ctx context.Context, app string, m *catalog.Meter) error {
	filter := 0
	if m.Filter != nil {
		filter = 1
	}
	n, err := c.exec(ctx, upsertMeter, store.FoldName(m.Name), m.ID, app, m.Name, m.Description, m.Event,
		jsonOf(m.Filter, filter), jsonOf(m.Aggregation, 1), m.Unit, jsonOf(m.Links, len(m.Links)),
		int64(m.CreatedAt), int64(m.UpdatedAt), int64(m.ArchivedAt))
	return foreign(n, err, m.ID)
}

func (c *session) writeProduct(ctx context.Context, app string, p *catalog.Product) error {
	_, err := c.exec(ctx, upsertProduct, app, p.ID, p.Name, p.Description, p.TaxCategory, jsonOf(p.Price, 1),
		jsonOf(p.Credits, len(p.Credits)), jsonOf(p.Metadata, len(p.Metadata)),
		int64(p.CreatedAt), int64(p.UpdatedAt), int64(p.ArchivedAt), jsonOf(p.Allowances, len(p.Allowances)), string(p.OnChange))
	return err
}

func (c *session) writeEndpoint(ctx context.Context, app string, e *catalog.Endpoint) error {
	n, err := c.exec(ctx, upsertEndpoint, e.ID, app, string(e.Mode), e.URL, e.Description, e.Format, jsonOf(e.Events, len(e.Events)),
		jsonOf(e.Headers, len(e.Headers)), e.Secret, e.PreviousSecret, int64(e.PreviousUntil), flag(e.Disabled), flag(e.Ordered),
		int64(e.RateLimit), jsonOf(e.Metadata, len(e.Metadata)), int64(e.CreatedAt), int64(e.UpdatedAt), int64(e.ArchivedAt))
	return foreign(n, err, e.ID)
}

// foreign refuses to replace what another app defined.
func foreign(n int64, err error, what string) error {
	if err == nil && n != 1 {
		return fault.New("sqlite.Define", fault.CodeInvariantViolated, "%s belongs to another app", what)
	}
	return err
}

func (c *session) writeKeys(ctx context.Context, app string, change *store.Definition) error {
	for i := range change.NewKeys {
		k := &change.NewKeys[i]
		_, err := c.exec(ctx, insertKey, k.ID, app, string(k.Mode), string(k.Kind), k.Label, k.Prefix, k.Hash[:],
			int64(k.CreatedAt), int64(k.RevokedAt))
		if err != nil {
			return err
		}
	}
	for _, key := range change.Revoke {
		n, err := c.exec(ctx, revokeKey, int64(change.At), app, key)
		if err != nil {
			return err
		}
		if n == 1 {
			continue
		}
		known := false
		err = c.query(ctx, selectKeyExists, func(row) error { known = true; return nil }, app, key)
		if err != nil {
			return err
		}
		if !known {
			return fault.New("sqlite.Define", fault.CodeKeyNotFound, "there is no API key %q", key)
		}
	}
	return nil
}

// AppAnswer reads the answer that an idempotency key of an app got; nil when it is new.
func (s *Store) AppAnswer(ctx context.Context, app, key string) (*store.AppAnswer, error) {
	var answer *store.AppAnswer
	err := s.read(ctx, "sqlite.AppAnswer", func(c *session) error {
		return c.query(ctx, selectAppAnswer, func(r row) error {
			answer = &store.AppAnswer{Key: key, Request: [32]byte(r.blob(0)), Answer: r.blob(1), At: r.instant(2)}
			return nil
		}, app, key)
	})
	return answer, err
}

// FindKey finds a key by the SHA-256 of its text; nil when there is none.
func (s *Store) FindKey(ctx context.Context, hash [32]byte) (*store.Key, error) {
	keys, err := s.keys(ctx, "sqlite.FindKey", selectKeyByHash, hash[:])
	if err != nil || len(keys) == 0 {
		return nil, err
	}
	return &keys[0], nil
}

// ListKeys lists an app's keys by creation, revoked ones included.
func (s *Store) ListKeys(ctx context.Context, app string) ([]store.Key, error) {
	return s.keys(ctx, "sqlite.ListKeys", selectKeys, app)
}

func (s *Store) keys(ctx context.Context, op string, st statement, arg any) ([]store.Key, error) {
	return readAll(ctx, s, query{op, st, []any{arg}}, func(r row) (store.Key, error) {
		return r.key(), nil
	})
}
