//go:build race

package cycles

// How many customers TestTwelveCycles has under the race detector, which is slow.
const usualCustomers = 25
