//go:build race

package catalog_test

// How many time zones TestCalendar looks at under the race detector, which is slow.
const usualZones = 8
