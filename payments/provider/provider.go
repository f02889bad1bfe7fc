// Package provider is what a payment provider is to Scrip: a page on which somebody pays, a card that
// is charged without anybody there, money that goes back, and news of all that.
//
// It owns the words in which package payments and the providers speak, and nothing else. What an order
// comes to, and what its news mean, is decided in package wallet; how a provider is spoken to, in the
// provider's own package. No code outside a provider knows which one it is. Money is in minor units.
package provider

import (
	"context"
	"net/http"
	"time"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/wallet"
)

// Provider moves money. Implementations are safe for concurrent use. Errors are *fault.Error: those
// that a caller can mend say how; payment_provider_error means that the outcome is not known, and that
// the same call may be made again.
type Provider interface {
	// Name is what orders remember of the provider, as "stripe".
	Name() string
	// Minimum is the smallest amount of a currency that can be charged.
	Minimum(currency string) int64
	// OpenPage opens a page on which an order is paid. Asked again for the same order it opens no other.
	OpenPage(ctx context.Context, p Page) (Opened, error)
	// ClosePage closes an order's page, so that it cannot be paid any more. One that is closed already,
	// or paid, is no error: the news tells.
	ClosePage(ctx context.Context, p Place, session string) error
	// Charge charges the card that is kept. Under the same order and attempt it charges once, however
	// often it is asked. A decline is news, not an error.
	Charge(ctx context.Context, c Charge) (wallet.OrderNews, error)
	// Refund pays back. Under the same order and number it does so once.
	Refund(ctx context.Context, r Refund) (wallet.OrderNews, error)
	// Look asks what became of an order, for when no webhook told: all news that there are of it.
	Look(ctx context.Context, q Question) ([]wallet.OrderNews, error)
	// Past tells again what was told of money that went back since an instant: refunds and disputes, which
	// come to orders that nobody waits for any more. A cursor is where the page before ended; empty: the
	// newest page. So is the next one behind the last.
	Past(ctx context.Context, mode catalog.Mode, since clock.Instant, cursor string) (events []Event, next string, err error)
	// Portal opens the provider's own page on which a customer manages their cards; not every provider
	// has one (not_implemented).
	Portal(ctx context.Context, p Place, returnURL string) (string, error)
	// Read verifies a webhook and says what it tells: nothing, where it is about nothing of ours. A
	// signature that does not verify is invalid_signature.
	Read(ctx context.Context, mode catalog.Mode, header http.Header, body []byte) ([]Event, error)
}

// Place is whose money it is: the customer, and what the provider knows them by.
type Place struct {
	Key      wallet.Key
	Customer string // the provider's id of the customer; empty: it knows none yet
	Email    string
	Name     string
}

// Page is what a page shows, and what is expected of it.
type Page struct {
	Place
	Order     *wallet.Order
	OrderID   string // public id: it is in the metadata of all that the provider makes of it
	AppName   string
	CreditsAs string // for people, what is bought: "1,000 credits"
	// Thanks is where the customer ends once they have paid an order that has no SuccessURL, for
	// providers whose page must lead somewhere.
	Thanks string
}

// Opened is a page that was opened.
type Opened struct {
	Session  string
	URL      string
	Customer string // the provider's id of the customer
}

// Charge is what is charged without a page.
type Charge struct {
	Place
	Order   *wallet.Order // its Attempt tells the charges of one order apart
	OrderID string
	Method  string // the card that is kept
}

// Refund is what is paid back of an order's payment.
type Refund struct {
	Place
	Order   *wallet.Order
	OrderID string
	Own     int64 // the number of the refund within the order
	Minor   int64
	Reason  string
}

// Question is an order of which nothing was heard.
type Question struct {
	Place
	Order   *wallet.Order
	OrderID string
}

// Event is what a webhook tells.
type Event struct {
	ID string // the provider's id of the event, for the log
	// OrderID is the public id of the order, as the provider's metadata has it; empty where it has none:
	// then the order is found by News.Session or News.Payment.
	OrderID string
	News    wallet.OrderNews
	// Subscription is news of a subscription that the provider bills by itself; then there is no order.
	Subscription *Subscription
}

// Subscription is how a subscription stands that the provider bills by itself. It names the customer
// and the plan in its metadata.
type Subscription struct {
	Ref      string // the provider's id
	App      string // id; empty where the metadata does not say
	Customer string // Scrip's id of the customer
	Plan     string // id or name
	Quantity int64
	Start    clock.Instant // of the cycle that runs
	End      clock.Instant
	// Paid tells that the cycle from Start to End is paid, by the invoice Invoice.
	Paid    bool
	Invoice string
	// Ended tells that it is over; EndsAt, unless zero, when it will be.
	Ended  bool
	EndsAt clock.Instant
}

// Timeout bounds one request to a provider.
const Timeout = 30 * time.Second
