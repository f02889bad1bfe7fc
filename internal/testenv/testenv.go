// Package testenv reads the few settings by which the environment changes how
// much the tests do. It owns the names of those settings and what they mean
// when they are absent; tests ask it and never read the environment themselves.
package testenv

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
)

// OpsVariable names the setting that Ops reads. scripts/test.sh sets it for
// the stage of long tests.
const OpsVariable = "SCRIP_TEST_OPS"

// Ops returns how many random operations a property test should carry out: the
// number in SCRIP_TEST_OPS, or usual where it is not set. Packages whose tests
// call it are run a second time by scripts/test.sh, without the race detector
// and with a larger number.
func Ops(t testing.TB, usual int) int {
	t.Helper()
	return number(t, OpsVariable, usual, "a number of operations")
}

// KillsVariable names the setting that Kills reads.
const KillsVariable = "SCRIP_TEST_KILLS"

// Kills returns how often the tests of crashes should kill something: the number in
// SCRIP_TEST_KILLS, or usual where it is not set. A night's worth is a few thousand.
func Kills(t testing.TB, usual int) int {
	t.Helper()
	return number(t, KillsVariable, usual, "a number of kills")
}

// number reads a setting that is a positive number.
func number(t testing.TB, variable string, usual int, what string) int {
	t.Helper()
	text, ok := os.LookupEnv(variable)
	if !ok {
		return usual
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s=%q is not %s", variable, text, what)
	}
	return n
}

// SeedVariable names the setting that Seed reads.
const SeedVariable = "SCRIP_TEST_SEED"

// Seed returns what a random test draws from: the number in SCRIP_TEST_SEED, which repeats the
// run that printed it, or another one each time.
func Seed(t testing.TB) uint64 {
	t.Helper()
	text, ok := os.LookupEnv(SeedVariable)
	if !ok {
		return rand.Uint64()
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s=%q is not a seed", SeedVariable, text)
	}
	return n
}
