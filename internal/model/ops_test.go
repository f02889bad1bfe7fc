//go:build !race

package model_test

// usualOps is how many steps TestHistories takes.
const usualOps = 1_000_000
