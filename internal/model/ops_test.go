//go:build !race

package model_test

// How many steps TestHistories takes, and how many histories TestOrderOfEvents has.
const (
	usualOps       = 1_000_000
	usualHistories = 100_000
)
