// Package storetest is the conformance suite of package store: what every implementation must
// do, and so what the engine may rely on (design law 9).
//
// It owns the promises and how they are checked. It owns no store, and knows nothing of how one
// keeps its rows: it sees them through the interface only.
package storetest

import (
	"testing"

	"github.com/seed42445051/scrip/store"
)

// Run checks a store. open returns a fresh, migrated, empty one for each subtest, and arranges
// with t.Cleanup that it is closed.
func Run(t *testing.T, open func(t *testing.T) store.Store) {
	for _, group := range []struct {
		name  string
		tests []test
	}{
		{"Lifecycle", lifecycleTests},
		{"Transact", transactTests},
		{"RoundTrip", roundTripTests},
		{"Looking", needsTests},
		{"Refusal", refusalTests},
		{"Lists", listTests},
		{"Definitions", definitionTests},
		{"Keys", keyTests},
		{"Customers", customerTests},
		{"Deliveries", deliveryTests},
		{"Sandboxes", sandboxTests},
		{"Codes", codeTests},
		{"Orders", orderTests},
		{"Provider", providerTests},
		{"Concurrency", concurrencyTests},
	} {
		t.Run(group.name, func(t *testing.T) {
			for _, test := range group.tests {
				t.Run(test.name, func(t *testing.T) { test.check(newBench(t, open(t))) })
			}
		})
	}
}

// test is one promise. It gets a store with the definitions that newBench writes.
type test struct {
	name  string
	check func(b *bench)
}
