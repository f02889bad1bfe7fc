package accounts

import (
	"encoding/binary"
	"testing"

	"github.com/seed42445051/scrip/store"
)

// TestCachedKeysAreLimited fills the cache of keys to its limit, and adds one more.
func TestCachedKeysAreLimited(t *testing.T) {
	var c keyCache
	hash := func(n int) (h [32]byte) {
		binary.BigEndian.PutUint64(h[:], uint64(n))
		return h
	}
	for n := range maxCachedKeys {
		c.put(hash(n), store.Key{ID: "k"})
	}
	if _, ok := c.get(hash(0)); !ok || len(c.known) != maxCachedKeys {
		t.Errorf("at the limit %d keys are known", len(c.known))
	}
	c.put(hash(maxCachedKeys), store.Key{ID: "last"})
	if _, ok := c.get(hash(0)); ok || len(c.known) != 1 {
		t.Errorf("past the limit %d keys are known", len(c.known))
	}
	if key, ok := c.get(hash(maxCachedKeys)); !ok || key.ID != "last" {
		t.Errorf("the last one is %+v", key)
	}
}
