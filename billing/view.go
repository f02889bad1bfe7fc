package billing

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/store"
	v1 "github.com/seed42445051/scrip/v1"
	"github.com/seed42445051/scrip/wallet"
	"github.com/seed42445051/scrip/wording"
)

// view writes subscriptions and invoices in the vocabulary of v1.
type view struct {
	defs *catalog.Definitions
	key  wallet.Key
	id   id.Wallet
}

func newView(defs *catalog.Definitions, key wallet.Key) view {
	return view{defs: defs, key: key, id: key.ID()}
}

func (v view) subscription(s *wallet.Subscription, at clock.Instant) v1.Subscription {
	return wording.Subscription(v.defs, v.key, v.id, s, at)
}

func (v view) invoice(i *wallet.Invoice) v1.Invoice { return wording.Invoice(v.key, v.id, i) }

// page cuts what was found, one more than asked for when there is more.
func page[T, Out any](found []T, limit int, write func(*T) (Out, string)) v1.Page[Out] {
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

// cursor and position write and read a place in a list over wallets.
func cursor(kind string, at clock.Instant, w id.Wallet, n int64) string {
	return v1.Cursor(kind, fmt.Sprintf("%d.%s.%d", int64(at), w, n))
}

func position(kind, text string) (store.ListPosition, error) {
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
