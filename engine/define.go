package engine

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/store"
)

// Define changes the definitions of an app. The change is decided on what the store has now;
// when somebody else was faster it is decided anew.
func (e *Engine) Define(ctx context.Context, app string, change func(*catalog.Definitions) (store.Definition, error)) error {
	return e.takeTurns(ctx, func() error {
		defs, err := e.Definitions(ctx, app)
		if err != nil {
			return err
		}
		d, err := change(defs)
		if err != nil {
			return err
		}
		return e.store.Define(ctx, app, defs.Version, d, nil)
	})
}

// takeTurns runs a change of definitions, again while somebody else is faster. Within the
// process they go one by one, so that only other processes can be.
func (e *Engine) takeTurns(ctx context.Context, change func() error) error {
	const op = "engine.Define"
	select {
	case e.defining <- struct{}{}:
		defer func() { <-e.defining }()
	case <-ctx.Done():
		return fault.New(op, fault.CodeOverloaded, "the call ended before its turn; nothing was written").Because(ctx.Err())
	}
	pause := FirstPause
	for try := 1; ; try++ {
		err := change()
		if !errors.Is(err, store.ErrRetry) {
			return err
		}
		err = fault.New(op, fault.CodeStoreUnavailable, "the definitions are being changed by many at once: try again").Because(err)
		if try == MaxTries {
			return err
		}
		select {
		case <-e.clock.After(pause):
		case <-ctx.Done():
			return err
		}
		pause *= 2
	}
}

// DefineOnce is Define under an idempotency key: asked again with the same request it returns
// the answer that was stored with the change. Without a key it is Define.
func (e *Engine) DefineOnce(ctx context.Context, who Definer, request []byte, change func(*catalog.Definitions) (store.Definition, []byte, error)) ([]byte, error) {
	var answer []byte
	if who.Idempotency == "" {
		err := e.Define(ctx, who.App, func(defs *catalog.Definitions) (d store.Definition, err error) {
			d, answer, err = change(defs)
			return d, err
		})
		return answer, err
	}
	if err := checkIdempotencyKey(who.Idempotency); err != nil {
		return nil, err
	}
	hash := sha256.Sum256(request)
	err := e.takeTurns(ctx, func() (err error) {
		answer, err = e.defineUnder(ctx, who.App, who.key(), hash, change)
		return err
	})
	return answer, err
}

func (e *Engine) defineUnder(ctx context.Context, app, key string, hash [32]byte, change func(*catalog.Definitions) (store.Definition, []byte, error)) ([]byte, error) {
	// Definitions before the answer: whoever was faster with the same request is then seen with
	// its answer, and never as a rival who took the name.
	defs, err := e.Definitions(ctx, app)
	if err != nil {
		return nil, err
	}
	stored, err := e.store.AppAnswer(ctx, app, key)
	if err != nil {
		return nil, err
	}
	if stored != nil && stored.Request != hash {
		return nil, fault.New("engine.DefineOnce", fault.CodeIdempotencyKeyReused, "this idempotency key was used before with another request: use a new key for a new request").In("Idempotency-Key")
	}
	if stored != nil {
		return stored.Answer, nil
	}
	d, answer, err := change(defs)
	if err != nil {
		return nil, err
	}
	return answer, e.store.Define(ctx, app, defs.Version, d, &store.AppAnswer{Key: key, Request: hash, Answer: answer, At: e.clock.Now()})
}

// Definer is who changes definitions, and under which idempotency key.
type Definer struct {
	App         string
	Mode        catalog.Mode // the idempotency keys of each are its own, as what it is answered may be
	APIKey      string       // id of the API key that must still be valid; empty: the process itself
	Idempotency string       // empty: none
}

// key is the idempotency key as it is stored. No key that a caller can choose has a space.
func (d Definer) key() string {
	if d.Mode == catalog.Live {
		return d.Idempotency
	}
	return string(d.Mode) + " " + d.Idempotency
}

// DefineAs is DefineOnce for a request and an answer that are values: it remembers them as JSON.
// The request's type is part of what is remembered, so that two calls with equal fields differ.
func DefineAs[T any](ctx context.Context, e *Engine, who Definer, request any, change func(*catalog.Definitions) (store.Definition, T, error)) (T, error) {
	const op = "engine.DefineAs"
	var out T
	body, err := json.Marshal(request)
	if err != nil {
		return out, fault.New(op, fault.CodeInternalError, "the request cannot be remembered").Because(err)
	}
	body = fmt.Appendf(body, "\n%T", request)
	answer, err := e.DefineOnce(ctx, who, body, func(defs *catalog.Definitions) (store.Definition, []byte, error) {
		if who.APIKey != "" && !defs.Keys[who.APIKey] {
			return store.Definition{}, nil, fault.New(op, fault.CodeInvalidKey, "the API key was revoked")
		}
		d, made, err := change(defs)
		if err != nil {
			return d, nil, err
		}
		d.At = e.clock.Now()
		text, err := json.Marshal(made)
		return d, text, err
	})
	if err != nil {
		return out, err
	}
	return out, json.Unmarshal(answer, &out)
}
