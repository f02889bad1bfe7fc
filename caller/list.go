package caller

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/store"
	v1 "github.com/seed42445051/scrip/v1"
)

// Page cuts what was found, one more than asked for when there is more.
func Page[T, Out any](found []T, limit int, write func(*T) (Out, string)) v1.Page[Out] {
	out := v1.Page[Out]{Data: []Out{}}
	for i := range found {
		if i == limit {
			out.HasMore = true
			_, out.NextCursor = write(&found[i-1])
			break
		}
		one, _ := write(&found[i])
		out.Data = append(out.Data, one)
	}
	return out
}

// Cursor writes, and Position reads, a place in a list over wallets.
func Cursor(kind string, at clock.Instant, w id.Wallet, n int64) string {
	return v1.Cursor(kind, fmt.Sprintf("%d.%s.%d", int64(at), w, n))
}

// Position reads what Cursor wrote; invalid_cursor when it did not.
func Position(kind, text string) (store.ListPosition, error) {
	raw, err := v1.FromCursor(kind, text)
	if err != nil {
		return store.ListPosition{}, err
	}
	parts := strings.Split(raw, ".")
	if len(parts) != 3 {
		return store.ListPosition{}, v1.ErrCursor()
	}
	at, err1 := strconv.ParseInt(parts[0], 10, 64)
	w, err2 := id.ParseWallet(parts[1])
	n, err3 := strconv.ParseInt(parts[2], 10, 64)
	if err1 != nil || err2 != nil || err3 != nil {
		return store.ListPosition{}, v1.ErrCursor()
	}
	return store.ListPosition{At: clock.Instant(at), Wallet: w, N: n}, nil
}
