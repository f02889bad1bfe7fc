// Package lookup reads which apps and keys a database has, for an operator who asks about
// things that may not exist.
//
// It owns finding without making: scrip.App makes the app that it does not find, which is right
// for a program and wrong for a mistyped name. It writes nothing.
package lookup

import (
	"context"
	"strings"

	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/store/postgres"
	"github.com/seed42445051/scrip/store/sqlite"
)

// Directory is an open database. Close it.
type Directory struct{ store store.Store }

// Key is an API key and the name of its app.
type Key struct {
	store.Key
	AppName string
}

// Open opens a database by its address, as scrip.DB takes it. Its schema stays as it is.
func Open(ctx context.Context, db string) (*Directory, error) {
	if path, ok := strings.CutPrefix(db, "sqlite:"); ok {
		st, err := sqlite.Open(ctx, path)
		if err != nil {
			return nil, err
		}
		return &Directory{st}, nil
	}
	if !strings.HasPrefix(db, "postgres://") && !strings.HasPrefix(db, "postgresql://") {
		return nil, fault.New("lookup.Open", fault.CodeInvalidConfig, "the database address must begin with sqlite: or postgres://").In("db")
	}
	st, err := postgres.Open(ctx, db, postgres.Options{})
	if err != nil {
		return nil, err
	}
	return &Directory{st}, nil
}

// Close closes the database.
func (d *Directory) Close() error { return d.store.Close() }

// App finds an app by name or id; the only one there is when the name is empty.
func (d *Directory) App(ctx context.Context, name string) (store.App, error) {
	const op = "lookup.App"
	apps, err := d.store.Apps(ctx)
	if err != nil {
		return store.App{}, err
	}
	for _, a := range apps {
		if a.ID == name || strings.EqualFold(a.Name, name) || name == "" && len(apps) == 1 {
			return a, nil
		}
	}
	if name == "" {
		return store.App{}, fault.New(op, fault.CodeInvalidConfig, "the database has %d apps: name one with --app (SCRIP_APP)%s", len(apps), names(apps)).In("app")
	}
	return store.App{}, fault.New(op, fault.CodeNotFound, "there is no app %q in this database%s", name, names(apps)).In("app")
}

func names(apps []store.App) string {
	if len(apps) == 0 {
		return ""
	}
	list := make([]string, len(apps))
	for i, a := range apps {
		list[i] = a.Name
	}
	return "; there is " + strings.Join(list, ", ")
}

// Keys lists the keys of one app, or of all when its name is empty.
func (d *Directory) Keys(ctx context.Context, app string) ([]Key, error) {
	apps, err := d.store.Apps(ctx)
	if err != nil {
		return nil, err
	}
	if app != "" {
		one, err := d.App(ctx, app)
		if err != nil {
			return nil, err
		}
		apps = []store.App{one}
	}
	var all []Key
	for _, a := range apps {
		keys, err := d.store.ListKeys(ctx, a.ID)
		if err != nil {
			return nil, err
		}
		for _, k := range keys {
			all = append(all, Key{k, a.Name})
		}
	}
	return all, nil
}

// Key finds one key by its id.
func (d *Directory) Key(ctx context.Context, keyID string) (Key, error) {
	all, err := d.Keys(ctx, "")
	if err != nil {
		return Key{}, err
	}
	for _, k := range all {
		if k.ID == keyID {
			return k, nil
		}
	}
	return Key{}, fault.New("lookup.Key", fault.CodeKeyNotFound, "there is no key with the id %q in this database", keyID).In("id")
}
