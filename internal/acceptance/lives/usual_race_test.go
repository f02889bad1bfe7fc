//go:build race

package lives

// How many lives TestLives has under the race detector, which is slow.
const usualLives = 200
