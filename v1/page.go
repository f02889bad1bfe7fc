package v1

import (
	"encoding/base64"
	"strings"

	"github.com/seed42445051/scrip/fault"
)

// PageLimit is how many rows a list returns: DefaultPage when none is asked for.
func PageLimit(n int) (int, error) {
	if n == 0 {
		return DefaultPage, nil
	}
	if n < 1 || n > MaxPage {
		return 0, fault.New("v1.PageLimit", fault.CodeInvalidLimit, "limit must be 1 to %d", MaxPage).In("limit")
	}
	return n, nil
}

// Cursor makes a position opaque, and tells which kind of list it belongs to.
func Cursor(kind, position string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(kind + ":" + position))
}

// FromCursor returns the position that a cursor of this kind of list stands for.
func FromCursor(kind, text string) (string, error) {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	position, ok := strings.CutPrefix(string(raw), kind+":")
	if err != nil || !ok || position == "" {
		return "", ErrCursor()
	}
	return position, nil
}

// ErrCursor is the error of a cursor that is not one of this list's.
func ErrCursor() error {
	return fault.New("v1.FromCursor", fault.CodeInvalidCursor, "the cursor was not given out by this list: pass next_cursor unchanged").In("cursor")
}
