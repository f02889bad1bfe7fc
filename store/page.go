package store

import (
	"strings"
	"unicode"
)

// PageLimit is how many rows a list with this limit returns: none given, or more than MaxPage,
// reads as MaxPage.
func PageLimit(limit int) int {
	if limit <= 0 || limit > MaxPage {
		return MaxPage
	}
	return limit
}

// FoldName is what two names share exactly when strings.EqualFold takes them for equal. Stores
// keep it beside the name under a unique index: what a database's own lower() does depends on
// its locale, and SQLite's knows ASCII only.
func FoldName(name string) string {
	return strings.Map(func(r rune) rune {
		least := r
		for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
			least = min(least, next)
		}
		return least
	}, name)
}
