package accounts

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/store"
)

// How long a customer token may live.
const (
	DefaultTokenTTL = time.Hour
	MaxTokenTTL     = 24 * time.Hour
)

const tokenPrefix = "ct_"

// claims is what a customer token says. It is signed with the hash of the secret key that
// minted it, so revoking that key ends its tokens.
type claims struct {
	App      string        `json:"a"`
	Mode     catalog.Mode  `json:"m"`
	Key      string        `json:"k"`
	Customer string        `json:"c"`
	Expires  clock.Instant `json:"e"`
}

// MintToken makes a token with which a publishable key may read one customer.
func (a *Accounts) MintToken(ctx context.Context, who Identity, customer string, ttl time.Duration) (string, clock.Instant, error) {
	const op = "accounts.MintToken"
	if ttl == 0 {
		ttl = DefaultTokenTTL
	}
	if ttl < time.Second || ttl > MaxTokenTTL {
		return "", 0, fault.New(op, fault.CodeInvalidRequest, "ttl_seconds must be 1 to %d", int(MaxTokenTTL.Seconds())).In("ttl_seconds")
	}
	key, err := a.keyByID(ctx, who.App, who.Key)
	if err != nil {
		return "", 0, err
	}
	c := claims{App: who.App, Mode: who.Mode, Key: who.Key, Customer: customer, Expires: a.Clock.Now().Add(ttl)}
	body, err := json.Marshal(c)
	if err != nil {
		return "", 0, fault.New(op, fault.CodeInternalError, "the token cannot be made").Because(err)
	}
	text := base64.RawURLEncoding.EncodeToString(body)
	return tokenPrefix + text + "." + sign(key, text), c.Expires, nil
}

func sign(key store.Key, text string) string {
	mac := hmac.New(sha256.New, append([]byte("scrip customer token\n"), key.Hash[:]...))
	mac.Write([]byte(text))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// Restrict checks a customer token against the publishable key that came with it, and limits
// the identity to the token's customer.
func (a *Accounts) Restrict(ctx context.Context, who Identity, token string) (Identity, error) {
	const op = "accounts.Restrict"
	refuse := fault.New(op, fault.CodeCustomerTokenRequired, "the customer token is missing, wrong or expired: have your backend mint one and send it as Scrip-Customer-Token")
	text, mac, ok := strings.Cut(strings.TrimPrefix(token, tokenPrefix), ".")
	if !ok || !strings.HasPrefix(token, tokenPrefix) {
		return who, refuse
	}
	body, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return who, refuse
	}
	var c claims
	if json.Unmarshal(body, &c) != nil || c.App != who.App || c.Mode != who.Mode {
		return who, refuse
	}
	key, err := a.keyByID(ctx, c.App, c.Key)
	if fault.CodeOf(err) == fault.CodeKeyNotFound {
		return who, refuse
	}
	if err != nil {
		return who, err
	}
	if !key.RevokedAt.IsZero() || !hmac.Equal([]byte(sign(key, text)), []byte(mac)) || c.Expires <= a.Clock.Now() {
		return who, refuse
	}
	who.Customer = c.Customer
	return who, nil
}
