//go:build race

package model_test

// How many steps TestHistories takes, and how many histories TestOrderOfEvents has, under the
// race detector, which is slow.
const (
	usualOps       = 100_000
	usualHistories = 2_000
)
