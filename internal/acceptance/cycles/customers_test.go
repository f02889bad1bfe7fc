//go:build !race

package cycles

// How many customers TestTwelveCycles has.
const usualCustomers = 1000
