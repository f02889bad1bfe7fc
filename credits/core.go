// Package credits is what is done with credits: grant, spend, hold, give back, read, explain,
// and define. It speaks the vocabulary of package v1 on one side and wallet commands on the
// other.
//
// It owns the translation between whole credits and their units, the resolution of names, and
// the reads that need more than one row. It decides nothing about balances (package wallet
// does) and knows nothing of HTTP.
package credits

import (
	"context"

	"github.com/seed42445051/scrip/caller"
	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/engine"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/store"
	v1 "github.com/seed42445051/scrip/v1"
	"github.com/seed42445051/scrip/wallet"
)

// Core is what every session shares.
type Core struct {
	Engine *engine.Engine
	Store  store.Store
	Clock  clock.Clock
}

// Session does what one caller asks.
type Session struct {
	core   *Core
	caller v1.Caller
}

// As returns the session of a caller.
func (c *Core) As(caller v1.Caller) *Session { return &Session{core: c, caller: caller} }

// author is the caller as one who defines.
func (s *Session) author() caller.Author {
	return caller.Author{Engine: s.core.Engine, Clock: s.core.Clock, By: s.caller}
}

// do runs a command for a customer.
func (s *Session) do(ctx context.Context, customer string, c wallet.Command, opts []v1.Option) (engine.Result, error) {
	key, err := caller.Wallet(s.caller, customer)
	if err != nil {
		return engine.Result{}, err
	}
	return s.core.Engine.Do(ctx, caller.Request(s.caller, opts, key, c))
}

// credit finds a credit by id or name.
func (s *Session) credit(ctx context.Context, idOrName string) (*catalog.Credit, error) {
	if idOrName == "" {
		return nil, errCreditMissing()
	}
	return caller.Look(ctx, s.author(), func(defs *catalog.Definitions) (*catalog.Credit, error) { return findCredit(defs, idOrName) })
}

func errCreditMissing() error {
	return fault.New("credits.credit", fault.CodeMissingField, "credit_id is missing").In("credit_id")
}

// pack finds a pack by id or name.
func (s *Session) pack(ctx context.Context, idOrName string) (*catalog.Pack, error) {
	return caller.Look(ctx, s.author(), func(defs *catalog.Definitions) (*catalog.Pack, error) { return findPack(defs, idOrName) })
}

// Now is the time of the caller's mode, as of which wallets are told of.
func (s *Session) Now(ctx context.Context) (clock.Instant, error) {
	return s.core.Engine.Now(ctx, s.caller.App, s.caller.Mode)
}

// after returns definitions that know every credit of what a command just returned. The
// process's own may be older when another process defined something.
func (s *Session) after(ctx context.Context) (*catalog.Definitions, error) {
	return s.core.Engine.Known(ctx, s.caller.App)
}

// checkNote bounds the texts that explain a command.
func checkNote(reason string, metadata v1.Metadata) error {
	const op = "credits.checkNote"
	if catalog.Longer(reason, wallet.MaxReasonLength) {
		return fault.New(op, fault.CodeInvalidRequest, "reason has at most %d characters", wallet.MaxReasonLength).In("reason")
	}
	if len(metadata) > wallet.MaxMetadataPairs {
		return fault.New(op, fault.CodeMetadataTooLarge, "metadata has at most %d pairs", wallet.MaxMetadataPairs).In("metadata")
	}
	for key, value := range metadata {
		if key == "" || len(key) > wallet.MaxMetadataKey {
			return fault.New(op, fault.CodeMetadataTooLarge, "metadata keys have 1 to %d bytes", wallet.MaxMetadataKey).In("metadata")
		}
		if !catalog.ValidText(key) || !catalog.ValidText(value) {
			return fault.New(op, fault.CodeInvalidMetadata, "metadata must be valid Unicode without the character U+0000").In("metadata")
		}
		if len(value) > wallet.MaxMetadataValue {
			return fault.New(op, fault.CodeMetadataTooLarge, "metadata values have at most %d bytes", wallet.MaxMetadataValue).In("metadata." + caller.Clip(key))
		}
	}
	return nil
}
