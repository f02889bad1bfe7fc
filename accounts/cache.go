package accounts

import (
	"context"
	"sync"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/store"
)

// maxCachedKeys bounds the cache of keys; past it the cache starts anew.
const maxCachedKeys = 10_000

// keyCache remembers which key a text belongs to. That never changes; whether the key was
// revoked is asked of the definitions, whose version every write checks.
type keyCache struct {
	mu    sync.RWMutex
	known map[[32]byte]store.Key
}

func (c *keyCache) get(hash [32]byte) (store.Key, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	key, ok := c.known[hash]
	return key, ok
}

func (c *keyCache) put(hash [32]byte, key store.Key) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil || len(c.known) >= maxCachedKeys {
		c.known = make(map[[32]byte]store.Key)
	}
	c.known[hash] = key
}

// definitions is where the validity of a known key is read: the store's, or this process's own.
type definitions func(ctx context.Context, app string) (*catalog.Definitions, error)

// findKey finds a key by the hash of its text.
func (a *Accounts) findKey(ctx context.Context, hash [32]byte, definitionsOf definitions) (*store.Key, error) {
	if key, ok := a.cache.get(hash); ok {
		defs, err := definitionsOf(ctx, key.App)
		if err != nil {
			return nil, err
		}
		if !defs.Keys[key.ID] {
			// Revoked, or made after the definitions that this process remembers.
			if defs, err = a.Engine.Definitions(ctx, key.App); err != nil {
				return nil, err
			}
		}
		if !defs.Keys[key.ID] {
			return nil, nil
		}
		return &key, nil
	}
	key, err := a.Store.FindKey(ctx, hash)
	if err != nil || key == nil {
		return nil, err
	}
	if key.RevokedAt.IsZero() {
		a.cache.put(hash, *key)
	}
	return key, nil
}
