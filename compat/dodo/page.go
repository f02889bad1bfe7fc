package dodo

import (
	"strconv"

	"github.com/seed42445051/scrip/clock"
)

// The size of pages (dodo.md section 3).
const (
	defaultPage = 10
	maxPage     = 100
)

// window is the rows that a page holds.
type window struct{ offset, limit int }

// items is a page as it is answered: no total, and no word on whether there is more.
type items[T any] struct {
	Items []T `json:"items"`
}

// listed is items where none are an empty list.
func listed[T any](all []T) items[T] {
	if all == nil {
		all = []T{}
	}
	return items[T]{all}
}

// window reads page_number, from zero, and page_size.
//
// The SDKs' iterators take a missing page_number for 1 and ask for page 2 next, so that the rows
// of page 1 would never be read. A request of an SDK without page_number is therefore answered
// with both first pages, and the iterator then goes on where they end (dodo.md section 3).
func (c *call) window() (window, error) {
	size, err := c.number("page_size", defaultPage, 1, maxPage)
	if err != nil {
		return window{}, err
	}
	const farthest = 1_000_000_000 // beyond it there is nothing, and the product still fits
	page, err := c.number("page_number", 0, 0, farthest)
	if err != nil {
		return window{}, err
	}
	w := window{page * size, size}
	if c.query.Get("page_number") == "" && c.r.Header.Get("X-Stainless-Lang") != "" {
		w.limit = 2 * size
	}
	return w, nil
}

func (c *call) number(name string, absent, least, most int) (int, error) {
	text := c.query.Get(name)
	if text == "" {
		return absent, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		return 0, invalidQuery(name + " must be a whole number from " + strconv.Itoa(least) + " to " + strconv.Itoa(most))
	}
	return n, nil
}

// flag reads a truth value of the query; nil when it is absent.
func (c *call) flag(name string) (*bool, error) {
	text := c.query.Get(name)
	if text == "" {
		return nil, nil
	}
	yes := text == "true"
	if !yes && text != "false" {
		return nil, invalidQuery(name + " must be true or false")
	}
	return &yes, nil
}

// instant reads a time of the query; zero when it is absent.
func (c *call) instant(name string) (clock.Instant, error) {
	text := c.query.Get(name)
	if text == "" {
		return 0, nil
	}
	at, err := clock.Parse(text)
	if err != nil {
		return 0, invalidQuery(name + " must be a time in RFC 3339 form")
	}
	return at, nil
}

// span reads two bounds of time, each zero where there is none.
func (c *call) span(from, to string) (begin, end clock.Instant, err error) {
	if begin, err = c.instant(from); err != nil {
		return 0, 0, err
	}
	end, err = c.instant(to)
	return begin, end, err
}

// inclusive is the bound of a query of ours, which are exclusive, for the vendor's, which are not.
func inclusive(at clock.Instant) clock.Instant {
	if at.IsZero() {
		return 0
	}
	return at + 1
}

// cut takes a page out of a list that is whole.
func cut[T any](all []T, w window) []T {
	all = all[min(len(all), w.offset):]
	return all[:min(len(all), w.limit)]
}
