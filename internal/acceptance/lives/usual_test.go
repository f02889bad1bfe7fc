//go:build !race

package lives

// How many lives TestLives has.
const usualLives = 10_000
