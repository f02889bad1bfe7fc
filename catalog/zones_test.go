//go:build !race

package catalog_test

// How many time zones TestCalendar looks at: all of them.
const usualZones = 10_000
