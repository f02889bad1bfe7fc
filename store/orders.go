package store

import (
	"context"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/wallet"
)

// OrderQuery selects orders, newest first. With Wallet they are those of one wallet, else those of
// all wallets of the app and mode.
type OrderQuery struct {
	App     string
	Mode    catalog.Mode
	Wallet  id.Wallet // zero: all
	N       int64     // this one only; 0: all
	Status  []wallet.OrderStatus
	Kind    wallet.OrderKind // empty: all
	Session string           // the provider's id of the page; then App and Mode may be empty
	Payment string           // the provider's id of the payment; as Session
	Paid    bool             // only those of which something was paid, whatever became of it
	Unmet   bool             // only those that were paid and gave nothing for it
	From    clock.Instant    // made at or after
	To      clock.Instant    // made before; zero: no bound
	After   ListPosition
	Skip    int
	Limit   int
}

// FoundOrder is an order, and whose it is.
type FoundOrder struct {
	Key   wallet.Key
	Order *wallet.Order
}

// TopUpQuery selects what was agreed about automatic top-ups, by wallet and credit.
type TopUpQuery struct {
	App    string
	Mode   catalog.Mode
	Wallet id.Wallet // zero: all
	After  TopUpPlace
	Limit  int
}

// TopUpPlace is a place in a list of automatic top-ups; the zero place is before the first.
type TopUpPlace struct {
	Wallet id.Wallet
	Credit string
}

// FoundTopUp is what was agreed, and whose it is.
type FoundTopUp struct {
	Key   wallet.Key
	TopUp *wallet.TopUp
}

// ProviderObjects are what the sandbox provider of payments knows: its pages, cards, payments and
// refunds. No other part of Scrip reads them.
type ProviderObjects interface {
	// PutProviderObject stores an object. Version is the one that was read, and 0 of one that must not
	// exist yet; where it is another by now nothing is written, and the error is ErrRetry. The stored
	// version is one more. Body and Ref change with it; all else stays as it was made.
	PutProviderObject(ctx context.Context, o ProviderObject) error
	// ProviderObject reads one; nil when there is none.
	ProviderObject(ctx context.Context, id string) (*ProviderObject, error)
	// ProviderObjects lists those of a kind and a reference, oldest first; without App and Mode those of
	// all apps and modes.
	ProviderObjects(ctx context.Context, q ProviderQuery) ([]ProviderObject, error)
}

// ProviderObject is one thing that the sandbox provider knows.
type ProviderObject struct {
	ID        string
	App       string
	Mode      catalog.Mode
	Kind      string
	Ref       string // what it belongs to, to be found by: an order's id, or a customer's
	Version   int64
	Body      []byte // JSON
	CreatedAt clock.Instant
}

// ProviderQuery selects objects.
type ProviderQuery struct {
	App   string // empty, with Mode: all
	Mode  catalog.Mode
	Kind  string
	Ref   string
	Limit int
}
