package accounts

import (
	"context"
	"time"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/store"
	v1 "github.com/seed42445051/scrip/v1"
)

// Session does what one caller asks about keys, tokens and its app.
type Session struct {
	accounts *Accounts
	who      Identity
}

// As returns the session of a caller.
func (a *Accounts) As(who Identity) *Session { return &Session{accounts: a, who: who} }

// CanWrite reports whether the identity may do more than read one customer.
func (i Identity) CanWrite() bool { return i.Kind == store.Secret }

// CreateKey makes an API key. Its text is in this answer and nowhere else; under an
// idempotency key the answer is not kept, so that no key's text is ever stored.
func (s *Session) CreateKey(ctx context.Context, r v1.CreateKey, opts ...v1.Option) (v1.Key, error) {
	if v1.NewCall(opts).IdempotencyKey != "" {
		return v1.Key{}, fault.New("accounts.CreateKey", fault.CodeInvalidRequest, "keys cannot be made under an idempotency key, because their text is stored nowhere: list the keys and revoke one made by mistake").In("Idempotency-Key")
	}
	mode := catalog.Mode(r.Mode)
	if mode == "" {
		mode = s.who.Mode
	}
	if mode.Valid() && !s.mayManage(mode) {
		return v1.Key{}, fault.New("accounts.CreateKey", fault.CodeInvalidRequest, "a key of mode %s makes keys of mode %s only: use a key of mode %s, or scrip keys create", s.who.Mode, s.who.Mode, mode).In("mode")
	}
	key, text, err := s.accounts.CreateKey(ctx, s.who.App, mode, store.KeyKind(r.Kind), r.Label)
	if err != nil {
		return v1.Key{}, err
	}
	out := keyOut(key)
	out.Key = text
	return out, nil
}

// mayManage reports whether the caller may see, make and end keys of a mode. An API key manages
// those of its own mode, and one of test those of the sandboxes: a test key that made a live one would
// open live balances (design law 8). The process itself, the command line for one, manages all.
func (s *Session) mayManage(mode catalog.Mode) bool {
	return s.who.Key == "" || mode == s.who.Mode || s.who.Mode == catalog.Test && mode.Base() == catalog.Test
}

// ListKeys lists the keys that the caller manages, revoked ones included.
func (s *Session) ListKeys(ctx context.Context) (v1.Page[v1.Key], error) {
	keys, err := s.accounts.Keys(ctx, s.who.App)
	page := v1.Page[v1.Key]{Data: make([]v1.Key, 0, len(keys))}
	for _, key := range keys {
		if s.mayManage(key.Mode) {
			page.Data = append(page.Data, keyOut(key))
		}
	}
	return page, err
}

// RevokeKey ends a key at once. Revoking again is no error.
func (s *Session) RevokeKey(ctx context.Context, keyID string, _ ...v1.Option) (v1.Key, error) {
	key, err := s.accounts.keyByID(ctx, s.who.App, keyID)
	if err == nil && !s.mayManage(key.Mode) {
		err = errNoKey()
	}
	if err != nil {
		return v1.Key{}, fault.As(err).In("key_id")
	}
	key, err = s.accounts.RevokeKey(ctx, s.who.App, keyID)
	return keyOut(key), err
}

// MintToken lets a browser read one customer.
func (s *Session) MintToken(ctx context.Context, r v1.MintToken) (v1.Token, error) {
	if err := v1.CheckCustomerID(r.CustomerID); err != nil {
		return v1.Token{}, err
	}
	token, expires, err := s.accounts.MintToken(ctx, s.who, r.CustomerID, time.Duration(r.TTLSeconds)*time.Second)
	return v1.Token{Token: token, ExpiresAt: expires}, err
}

// GetApp reads the app that the caller acts for.
func (s *Session) GetApp(ctx context.Context) (v1.App, error) {
	app, ok, err := s.accounts.FindApp(ctx, s.who.App)
	if err != nil || !ok {
		return v1.App{}, err
	}
	return v1.App{ID: app.ID, Name: app.Name, Mode: string(s.who.Mode), CreatedAt: app.CreatedAt}, nil
}

func keyOut(key store.Key) v1.Key {
	return v1.Key{
		ID: key.ID, AppID: key.App, Mode: string(key.Mode), Kind: string(key.Kind), Label: key.Label,
		Prefix: key.Prefix, CreatedAt: key.CreatedAt, RevokedAt: key.RevokedAt,
	}
}
