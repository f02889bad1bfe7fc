// Package accounts knows who may ask: apps, API keys, and the short-lived tokens with which a
// browser reads one customer; and what apps have for trying out: the clocks of their test modes, and
// an allowance of operations.
//
// It owns how keys and tokens are made, stored (hashed) and checked. It does not own what a
// caller may then do with credits, and it keeps nothing in memory that a transaction does not
// check again: a key revoked by any process stops working at once.
package accounts

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"strings"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/engine"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/store"
	v1 "github.com/seed42445051/scrip/v1"
)

// Limits of accounts.
const (
	// MaxAppName bounds the name of an app, in characters.
	MaxAppName = 100
	// prefixLength is how much of a key's text is kept to recognise it by.
	prefixLength = 12
)

// Accounts is the service. Its fields are set once, before it is used.
type Accounts struct {
	Store  store.Store
	Engine *engine.Engine
	Clock  clock.Clock
	// SandboxOperations is how many operations that change something an app has in a calendar month
	// (UTC), in all its test modes together; zero: any number.
	SandboxOperations int64

	cache keyCache
	taken allowances
}

// Identity is who is asking.
type Identity struct {
	App      string
	Mode     catalog.Mode
	Kind     store.KeyKind
	Key      string // id of the API key
	Customer string // set when a customer token restricts the caller to one customer
}

var textEncoding = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// newKeyText makes a key's text: kind and live or test in front, 160 random bits behind.
func newKeyText(mode catalog.Mode, kind store.KeyKind) string {
	var secret [20]byte
	rand.Read(secret[:])
	prefix := "sk_"
	if kind == store.Publishable {
		prefix = "pk_"
	}
	return prefix + string(mode.Base()) + "_" + textEncoding.EncodeToString(secret[:])
}

// CreateKey makes a key for an app and returns its text, which is stored nowhere.
func (a *Accounts) CreateKey(ctx context.Context, app string, mode catalog.Mode, kind store.KeyKind, label string) (store.Key, string, error) {
	const op = "accounts.CreateKey"
	if !mode.Valid() {
		return store.Key{}, "", fault.New(op, fault.CodeInvalidRequest, "mode must be %s", catalog.ModeWords).In("mode")
	}
	if kind != store.Secret && kind != store.Publishable {
		return store.Key{}, "", fault.New(op, fault.CodeInvalidRequest, "kind must be secret or publishable").In("kind")
	}
	if catalog.Longer(label, v1.MaxKeyLabel) {
		return store.Key{}, "", fault.New(op, fault.CodeInvalidRequest, "label must have at most %d characters", v1.MaxKeyLabel).In("label")
	}
	text := newKeyText(mode, kind)
	key := store.Key{
		ID: id.New(id.PrefixKey), App: app, Mode: mode, Kind: kind, Label: label,
		Prefix: text[:prefixLength], Hash: sha256.Sum256([]byte(text)), CreatedAt: a.Clock.Now(),
	}
	err := a.Engine.Define(ctx, app, func(*catalog.Definitions) (store.Definition, error) {
		return store.Definition{NewKeys: []store.Key{key}, At: key.CreatedAt}, nil
	})
	return key, text, err
}

// RevokeKey ends a key. Revoking again is no error.
func (a *Accounts) RevokeKey(ctx context.Context, app, keyID string) (store.Key, error) {
	key, err := a.keyByID(ctx, app, keyID)
	if err != nil || !key.RevokedAt.IsZero() {
		return key, err
	}
	key.RevokedAt = a.Clock.Now()
	err = a.Engine.Define(ctx, app, func(*catalog.Definitions) (store.Definition, error) {
		return store.Definition{Revoke: []string{keyID}, At: key.RevokedAt}, nil
	})
	return key, err
}

// Keys lists an app's keys, revoked ones included.
func (a *Accounts) Keys(ctx context.Context, app string) ([]store.Key, error) {
	return a.Store.ListKeys(ctx, app)
}

func (a *Accounts) keyByID(ctx context.Context, app, keyID string) (store.Key, error) {
	keys, err := a.Store.ListKeys(ctx, app)
	if err != nil {
		return store.Key{}, err
	}
	for _, key := range keys {
		if key.ID == keyID {
			return key, nil
		}
	}
	return store.Key{}, errNoKey()
}

func errNoKey() error {
	return fault.New("accounts.keyByID", fault.CodeKeyNotFound, "there is no such key in this app and mode")
}

// App finds an app by name, and makes it where there is none.
func (a *Accounts) App(ctx context.Context, name string) (store.App, error) {
	const op = "accounts.App"
	if strings.TrimSpace(name) == "" || catalog.Longer(name, MaxAppName) {
		return store.App{}, fault.New(op, fault.CodeInvalidRequest, "an app's name has 1 to %d characters", MaxAppName).In("app")
	}
	if app, ok, err := a.FindApp(ctx, name); ok || err != nil {
		return app, err
	}
	app := store.App{ID: id.New(id.PrefixApp), Name: name, Version: 1, CreatedAt: a.Clock.Now()}
	err := a.Store.CreateApp(ctx, app)
	if fault.CodeOf(err) != fault.CodeNameTaken {
		return app, err
	}
	app, _, err = a.FindApp(ctx, name) // somebody else was faster
	return app, err
}

// FindApp finds an app by name or id.
func (a *Accounts) FindApp(ctx context.Context, nameOrID string) (store.App, bool, error) {
	apps, err := a.Store.Apps(ctx)
	if err != nil {
		return store.App{}, false, err
	}
	for _, app := range apps {
		if app.ID == nameOrID || strings.EqualFold(app.Name, nameOrID) {
			return app, true, nil
		}
	}
	return store.App{}, false, nil
}

// Authenticate reads a key's text, and asks the store whether the key is still valid: a key
// that any process revoked is refused at once.
func (a *Accounts) Authenticate(ctx context.Context, text string) (Identity, error) {
	return a.identify(ctx, text, a.Engine.Definitions)
}

// Identify reads a key's text by what this process last saw of the key, and does not ask the
// store about one that it knows. It is for commands on a wallet only: their transaction checks
// the key again (engine.Request.APIKey), so a key that another process just revoked is refused
// there, and asking twice would only cost. Before anything else is told under the identity,
// and be it an error, the key must be asked for with Authenticate.
func (a *Accounts) Identify(ctx context.Context, text string) (Identity, error) {
	return a.identify(ctx, text, a.Engine.Known)
}

func (a *Accounts) identify(ctx context.Context, text string, defs definitions) (Identity, error) {
	if !strings.HasPrefix(text, "sk_") && !strings.HasPrefix(text, "pk_") || len(text) > 100 {
		return Identity{}, errInvalidKey()
	}
	key, err := a.findKey(ctx, sha256.Sum256([]byte(text)), defs)
	if err != nil {
		return Identity{}, err
	}
	if key == nil || !key.RevokedAt.IsZero() {
		return Identity{}, errInvalidKey()
	}
	return Identity{App: key.App, Mode: key.Mode, Kind: key.Kind, Key: key.ID}, nil
}

func errInvalidKey() error {
	return fault.New("accounts.Authenticate", fault.CodeInvalidKey, "the API key is missing, unknown or revoked: send Authorization: Bearer sk_...")
}
