// Package store is the interface between the engine and the rows: a method for each thing that
// is done, not for each table, and the types of what passes.
//
// It owns the shape of that exchange and the promise behind it (storetest checks it against
// every implementation). It decides nothing: which grant pays is package wallet's business,
// when to write and whether to try again is package engine's.
package store

import (
	"context"
	"slices"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/wallet"
)

// Limits of what one call may carry.
const (
	// MaxPage bounds a page of any list.
	MaxPage = 1000
	// MaxIdempotencyKey bounds an idempotency key, in bytes.
	MaxIdempotencyKey = 255
)

// Store keeps everything that Scrip knows. Implementations are safe for concurrent use.
//
// Errors are *fault.Error. What an implementation knows to be worth another try it marks with
// ErrRetry (errors.Is): nothing was written then.
type Store interface {
	Wallets
	Definitions
	Keys
	Customers
	Deliveries
	Sandboxes
	ProviderObjects
	Codes

	// Migrate brings the schema up to date. It refuses a schema newer than this program knows
	// (newer_schema).
	Migrate(ctx context.Context) error
	// Ping reports whether the store answers.
	Ping(ctx context.Context) error
	// Close releases what the store holds. Calls under way finish first.
	Close() error
}

// Wallets are written by the engine alone, and read by everyone.
type Wallets interface {
	// Transact runs one transaction over the wanted wallets. It locks their rows in the order
	// of their ids, reads what is wanted, calls decide once, and writes and commits what decide
	// returns (nil writes nothing). It returns nil only when the changes are durable, decide's
	// own error unchanged, and ErrRetry when nothing was written and trying again may help
	// (serialization failure, deadlock, a version that moved, a lost connection). Where the
	// connection is lost during commit it finds out which it was before it answers.
	Transact(ctx context.Context, want *Want, decide func(*Found) (*Changes, error)) error

	// Write writes what was decided on what the caller knows, and proves in the same transaction
	// that it is so: every wallet of want exists in the version that is known, every app is
	// defined as is known, no idempotency key has an answer yet, and no fresh event is stored.
	// Where that is not so nothing is written, and the error is ErrStale. Changes may be nil; the
	// proof is made all the same. It errs as Transact does, and leaves the marks of what it has
	// proved in want.
	Write(ctx context.Context, want *Want, changes *Changes) error

	// Snapshot reads a wallet; nil when it does not exist.
	Snapshot(ctx context.Context, w id.Wallet) (*wallet.Snapshot, error)
	// Fetch reads closed things that a command looks back at.
	Fetch(ctx context.Context, w id.Wallet, needs wallet.Needs) (*wallet.Found, error)
	// Grants lists a wallet's grants, in order of their numbers.
	Grants(ctx context.Context, q GrantQuery) ([]*wallet.Grant, error)
	// Entries lists a wallet's entries, newest first.
	Entries(ctx context.Context, q EntryQuery) ([]wallet.Entry, error)
	// Usages lists usage events by when they took place, newest first.
	Usages(ctx context.Context, q UsageQuery) ([]CustomerUsage, error)
	// Tallies lists what meters have counted of a wallet, newest period first.
	Tallies(ctx context.Context, q TallyQuery) ([]*wallet.Tally, error)
	// Subscriptions lists subscriptions, newest first.
	Subscriptions(ctx context.Context, q SubscriptionQuery) ([]FoundSubscription, error)
	// SubscriptionEvents lists the history of one subscription, newest first: at most limit lines
	// with numbers below before, or from the last when before is 0.
	SubscriptionEvents(ctx context.Context, w id.Wallet, n, before int64, limit int) ([]wallet.SubscriptionEvent, error)
	// Invoices lists invoices, newest first.
	Invoices(ctx context.Context, q InvoiceQuery) ([]FoundInvoice, error)
	// Orders lists orders, newest first.
	Orders(ctx context.Context, q OrderQuery) ([]FoundOrder, error)
	// TopUps lists what was agreed about automatic top-ups, by wallet and credit.
	TopUps(ctx context.Context, q TopUpQuery) ([]FoundTopUp, error)
	// Due lists wallets in which time has something to write down, at most limit of them. Now is
	// real time; those of a test mode with a clock are reckoned with its time.
	Due(ctx context.Context, now clock.Instant, limit int) ([]wallet.Key, error)
	// Headers lists wallets in order of their ids, for verification.
	Headers(ctx context.Context, after id.Wallet, limit int) ([]wallet.Header, error)
}

// Want is what a transaction needs to see.
type Want struct {
	Apps    []WantApp
	Wallets []WantWallet // sorted by ID, each once
}

// WantApp asks for the definitions of an app, unless they still have the version that the
// caller knows.
type WantApp struct {
	App     string
	Version int64
}

// WantWallet asks for a wallet, unless it still has the version that the caller knows.
type WantWallet struct {
	ID      id.Wallet
	Version int64        // 0: nothing is known
	Mark    int64        // what came with the version: see FoundWallet
	Needs   wallet.Needs // closed things to fetch besides
	Answers []string     // idempotency keys whose stored answers are wanted
	Fresh   []string     // for Write: usage events that are taken to be new, by id
}

// Found is what the transaction saw. Wallets is parallel to Want.Wallets.
type Found struct {
	Definitions []*catalog.Definitions // only those whose version differs from the wanted one
	Wallets     []FoundWallet
}

// FoundWallet is one wallet under lock.
type FoundWallet struct {
	Exists bool
	// Mark stands for a stretch of time in which nobody but the holder of this store has written:
	// while it holds, a version that came with it is current, and the store need not look. Zero
	// in a store that cannot tell.
	Mark     int64
	Snapshot *wallet.Snapshot // nil when the known version is current, or nothing exists
	Fetched  wallet.Found
	Answers  []StoredAnswer
}

// StoredAnswer is the answer that an idempotency key got. Without a time window: it is kept as
// long as the wallet (design law 2).
type StoredAnswer struct {
	Key     string
	Request [32]byte // hash of the request
	Answer  []byte   // JSON of wallet.Answer
	At      clock.Instant
}

// Changes is what a transaction writes.
type Changes struct {
	Wallets []WalletChange
}

// WalletChange is everything that changed in one wallet, final values only. The header's
// Version is one above the version that was read; a wallet with Created set did not exist.
type WalletChange struct {
	Header       wallet.Header
	Created      bool
	Entries      []wallet.Entry
	NewGrants    []*wallet.Grant
	Spent        []*wallet.Grant // changed in what is available, held, spent and metered alone
	Grants       []*wallet.Grant // changed otherwise
	NewHolds     []*wallet.Hold
	Holds        []*wallet.Hold // changed
	Standings    []wallet.Standing
	Lanes        []*wallet.Lane             // new
	Subscription *wallet.Subscription       // new or changed, with all its allowances; nil: unchanged
	Counts       *wallet.Subscription       // only the windows and counts of its allowances changed; then Subscription is nil
	Ended        []*wallet.Subscription     // earlier ones that ended within the change; their allowances are gone
	History      []wallet.SubscriptionEvent // new
	NewInvoices  []*wallet.Invoice
	Invoices     []*wallet.Invoice // closed
	NewOrders    []*wallet.Order
	Orders       []*wallet.Order // changed
	TopUps       []*wallet.TopUp // new or changed
	Payer        *wallet.Payer   // nil: unchanged
	NewUsages    []*wallet.Usage
	Usages       []*wallet.Usage  // changed
	Tallies      []*wallet.Tally  // new or changed
	Uniques      []*wallet.Unique // new or changed
	Answers      []StoredAnswer   // new
	Deliveries   []Delivery       // new and pending; their Wallet is the header's
}

// GrantQuery selects grants of a wallet.
type GrantQuery struct {
	Wallet id.Wallet
	Credit string  // empty: all
	After  int64   // numbers above this one
	Only   []int64 // these numbers only
	Ref    string  // made under this external reference; empty: all
	Limit  int
}

// EntryQuery selects entries of a wallet, newest first.
type EntryQuery struct {
	Wallet id.Wallet
	Credit string
	Types  []wallet.EntryType
	From   clock.Instant // effective at or after
	To     clock.Instant // effective before; zero: no bound
	Before int64         // sequences below this one; zero: no bound
	Seq    int64         // this one only, when not zero
	Offset int           // how many to leave out
	Limit  int
}

// Accepts reports whether an entry is one that the query selects, its offset and limit aside.
func (q *EntryQuery) Accepts(e *wallet.Entry) bool {
	return (q.Credit == "" || e.Credit == q.Credit) &&
		(len(q.Types) == 0 || slices.Contains(q.Types, e.Type)) &&
		e.EffectiveAt >= q.From && (q.To.IsZero() || e.EffectiveAt < q.To) &&
		(q.Before == 0 || e.Seq < q.Before) && (q.Seq == 0 || e.Seq == q.Seq)
}

// SubscriptionQuery selects subscriptions, newest first. With Wallet they are those of one wallet,
// else those of all wallets of the app and mode.
type SubscriptionQuery struct {
	App    string
	Mode   catalog.Mode
	Wallet id.Wallet // zero: all
	N      int64     // this one only; 0: all
	Plan   string    // empty: all
	Status SubscriptionStatus
	At     clock.Instant // when the status is asked for
	From   clock.Instant // started at or after
	To     clock.Instant // started before; zero: no bound
	After  ListPosition
	Skip   int
	Limit  int
}

// SubscriptionStatus is how a subscription stands; it follows from its instants.
type SubscriptionStatus string

// The statuses of a subscription; empty is any.
const (
	SubscriptionRuns   SubscriptionStatus = "active" // it runs, on trial or not
	SubscriptionPaused SubscriptionStatus = "paused"
	SubscriptionEnded  SubscriptionStatus = "ended"
)

// ListPosition is a place in a list over wallets; the zero position is before the first.
type ListPosition struct {
	At     clock.Instant
	Wallet id.Wallet
	N      int64
}

// FoundSubscription is a subscription as it was last written, and whose it is.
type FoundSubscription struct {
	Key          wallet.Key
	Subscription *wallet.Subscription // of one that is not its wallet's last, without allowances
}

// InvoiceQuery selects invoices, newest first. With Wallet they are those of one wallet, else those
// of all wallets of the app and mode.
type InvoiceQuery struct {
	App          string
	Mode         catalog.Mode
	Wallet       id.Wallet // zero: all
	N            int64     // this one only; 0: all
	Subscription int64     // of this one only; 0: all; with Wallet
	Status       wallet.InvoiceStatus
	After        ListPosition
	Skip         int
	Limit        int
}

// FoundInvoice is an invoice, and whose it is.
type FoundInvoice struct {
	Key     wallet.Key
	Invoice *wallet.Invoice
}

// UsageQuery selects usage events, newest first by when they took place. With Customer they are
// those of one wallet, else those of all wallets of the app and mode.
type UsageQuery struct {
	App      string
	Mode     catalog.Mode
	Customer string
	Event    string // empty: all
	ID       string // this one only, in whichever wallets; these come in the order of the wallets
	From     clock.Instant
	To       clock.Instant // before; zero: no bound
	After    UsagePosition // further down the list than this one
	Skip     int           // rows to leave out first
	Limit    int
}

// UsagePosition is a place in a list of usage events; the zero position is before the first.
type UsagePosition struct {
	At     clock.Instant
	Wallet id.Wallet
	N      int64
}

// CustomerUsage is a usage event with whose it is.
type CustomerUsage struct {
	Customer string
	Wallet   id.Wallet
	wallet.Usage
}

// Position is where the event stands in a list.
func (u *CustomerUsage) Position() UsagePosition { return UsagePosition{u.At, u.Wallet, u.N} }

// TallyQuery selects tallies of a wallet.
type TallyQuery struct {
	Wallet id.Wallet
	Meter  string
	From   clock.Instant   // whose period ends after this
	To     clock.Instant   // and begins before this; zero: no bound
	After  wallet.TallyKey // further down the list than this one
	Limit  int
}

// Definitions are small tables, read whole.
type Definitions interface {
	// CreateApp stores an app under a new name; name_taken when another has it.
	CreateApp(ctx context.Context, app App) error
	// Apps lists all apps by name.
	Apps(ctx context.Context) ([]App, error)
	// Definitions reads everything that an app defines; nil when there is no such app.
	Definitions(ctx context.Context, app string) (*catalog.Definitions, error)
	// DefinitionsVersion reads only their version; 0 when there is no such app.
	DefinitionsVersion(ctx context.Context, app string) (int64, error)
	// Define writes definitions and raises the app's version, in one transaction. expect is the
	// version that the caller decided on; when it moved, nothing is written and ErrRetry is
	// returned. A name that is taken gives name_taken. Where an idempotency key comes along,
	// its answer is stored with the change.
	Define(ctx context.Context, app string, expect int64, change Definition, answer *AppAnswer) error
	// AppAnswer reads the answer that an idempotency key of an app got; nil when it is new.
	AppAnswer(ctx context.Context, app string, key string) (*AppAnswer, error)
}

// App is one product of the operator.
type App struct {
	ID        string
	Name      string
	Version   int64
	CreatedAt clock.Instant
}

// Definition is a change of definitions: what is set is inserted, or replaced under its id.
type Definition struct {
	Credits   []*catalog.Credit
	Packs     []*catalog.Pack
	Meters    []*catalog.Meter
	Products  []*catalog.Product
	Endpoints []*catalog.Endpoint
	Codes     []*catalog.Code // what they give and their texts stay as they were written first
	NewKeys   []Key
	Clocks    map[catalog.Mode]catalog.TestClock
	Revoke    []string // ids of keys to revoke
	At        clock.Instant
}

// AppAnswer is the answer that an idempotency key got outside any wallet.
type AppAnswer struct {
	Key     string
	Request [32]byte
	Answer  []byte
	At      clock.Instant
}

// Keys are stored hashed: what is shown once at creation cannot be read again.
type Keys interface {
	// FindKey finds a key by the SHA-256 of its text; nil when there is none. A revoked key is
	// found, with RevokedAt set.
	FindKey(ctx context.Context, hash [32]byte) (*Key, error)
	// ListKeys lists an app's keys by creation, revoked ones included.
	ListKeys(ctx context.Context, app string) ([]Key, error)
}

// Key is an API key as it is stored.
type Key struct {
	ID        string
	App       string
	Mode      catalog.Mode
	Kind      KeyKind
	Label     string
	Prefix    string // the first characters, to recognise it by
	Hash      [32]byte
	CreatedAt clock.Instant
	RevokedAt clock.Instant
}

// KeyKind says what a key may do.
type KeyKind string

// The kinds of key.
const (
	Secret      KeyKind = "secret"
	Publishable KeyKind = "publishable"
)

// Customers are what callers tell about the holders of wallets; the wallet itself exists from
// its first use.
type Customers interface {
	// Customers lists the wallets of an app and mode by customer id.
	Customers(ctx context.Context, q CustomerQuery) ([]Customer, error)
	// Holders lists the wallets that were ever granted a credit, or used it, by customer id.
	Holders(ctx context.Context, q HolderQuery) ([]Holder, error)
	// SaveCustomer stores what is known of a customer, and makes the wallet where there is none.
	SaveCustomer(ctx context.Context, c Customer) error
	// UpdateCustomer changes what is known of a customer; false when there is no such wallet.
	UpdateCustomer(ctx context.Context, c CustomerChange) (bool, error)
}

// Customer is what is known of a wallet's holder.
type Customer struct {
	Key       wallet.Key
	Name      string
	Email     string
	Phone     string
	Metadata  wallet.Metadata
	CreatedAt clock.Instant
	UpdatedAt clock.Instant
}

// CustomerChange is what is newly known of a wallet's holder. What is nil stays as it is.
type CustomerChange struct {
	Key      wallet.Key
	Name     *string
	Email    *string
	Phone    *string
	Metadata *wallet.Metadata
	At       clock.Instant
}

// CustomerQuery selects customers.
type CustomerQuery struct {
	App    string
	Mode   catalog.Mode
	ID     string        // this one only
	Email  string        // the whole address, in any case
	Name   string        // part of the name, in any case
	From   clock.Instant // known at or after
	To     clock.Instant // known before; zero: no bound
	After  string        // customer ids above this one
	Offset int           // how many to leave out
	Limit  int
}

// Holder is a wallet that has something to say about a credit.
type Holder struct {
	Customer  string
	CreatedAt clock.Instant // of its first grant of the credit, or else of the wallet
	LastAt    clock.Instant // of the last entry that changed its balance or overage; zero: none
}

// HolderQuery selects the holders of a credit.
type HolderQuery struct {
	App      string
	Mode     catalog.Mode
	Credit   string
	Customer string // this one only
	After    string // customer ids above this one
	Offset   int    // how many to leave out
	Limit    int
}
