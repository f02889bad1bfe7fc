//go:build race

package model_test

// usualOps is how many steps TestHistories takes under the race detector, which is slow.
const usualOps = 100_000
