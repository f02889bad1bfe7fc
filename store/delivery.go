package store

import (
	"context"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/wallet"
)

// Limits of deliveries.
const (
	// MaxBacklog bounds the deliveries that Backlog looks at.
	MaxBacklog = 100_000
	// MaxLog bounds the attempts that are kept of a delivery; the oldest go first.
	MaxLog = 20
	// MaxRun bounds the deliveries of one customer that an ordered lease takes.
	MaxRun = 32
)

// Deliveries are events on their way to endpoints, or to receivers within Scrip itself. The engine writes each in the transaction of
// its cause (WalletChange.Deliveries); a dispatcher leases what is due, sends it, and says what
// came of it. Any number of them may work on one database.
type Deliveries interface {
	// DueDeliveries tells when something is due, for each endpoint that is not archived and each
	// receiver within Scrip itself (catalog.Receivers) that has anything pending.
	DueDeliveries(ctx context.Context, now clock.Instant) ([]Due, error)
	// Lease takes deliveries that are due: it moves their next attempt to q.Until under a row
	// lock, so that nobody else takes them before. What another lease holds locked is passed
	// over, not waited for, except for the sake of an order.
	Lease(ctx context.Context, q LeaseQuery) ([]Leased, error)
	// Finish writes what came of leased deliveries, in one transaction. What is no longer under
	// the lease that it names stays as it is.
	Finish(ctx context.Context, results []Result, follow []Follow) error
	// Redeliver makes deliveries pending again, to be sent at q.At, and returns how many.
	Redeliver(ctx context.Context, q RedeliverQuery) (int64, error)
	// ListDeliveries lists an endpoint's deliveries, newest first, without their logs.
	ListDeliveries(ctx context.Context, q DeliveryQuery) ([]Delivery, error)
	// FindDelivery reads one with its log; nil when it does not exist.
	FindDelivery(ctx context.Context, w id.Wallet, n int64) (*Leased, error)
	// PruneDeliveries looks at a stretch of the deliveries that were made before q.Before, endpoint
	// by endpoint and oldest first, and deletes those that nothing is to become of: what is pending
	// stays, unless its endpoint was archived before then.
	PruneDeliveries(ctx context.Context, q PruneQuery) (Pruned, error)
	// Backlog tells what waits to be sent to endpoints that are neither archived nor disabled, and to
	// receivers within Scrip itself.
	Backlog(ctx context.Context) (Backlog, error)
}

// Delivery is one event on its way to one endpoint.
type Delivery struct {
	Wallet     id.Wallet
	N          int64 // the number within the wallet, in order of what happened
	Event      int64 // the number of the event, the same for every endpoint: that of its first delivery
	Seq        int64 // of the entry that it tells of; 0: of none
	Endpoint   string
	Type       catalog.EventType
	About      About
	Status     DeliveryStatus
	Tries      int // attempts since it was last made pending
	CreatedAt  clock.Instant
	NextAt     clock.Instant // when it is sent next, or its lease ends; zero unless pending
	FinishedAt clock.Instant
	Log        []Attempt // oldest first
}

// About is what an event tells besides an entry; of most it is empty.
type About struct {
	Low     *wallet.LowBalance        `json:"low,omitempty"`     // of a balance_low; its Seq is the delivery's
	Change  *wallet.SubscriptionEvent `json:"change,omitempty"`  // of a subscription
	Invoice int64                     `json:"invoice,omitempty"` // its number
	Order   *wallet.OrderEvent        `json:"order,omitempty"`
	Notice  *wallet.Notice            `json:"notice,omitempty"`
}

// Message is the id of the event: the same for every endpoint and every attempt.
func (d *Delivery) Message() string { return id.Object(id.PrefixMessage, d.Wallet, d.Event) }

// Complete fills in what About repeats of the delivery, and is stored with that only.
func (d *Delivery) Complete() {
	if d.About.Low != nil {
		d.About.Low.Seq = d.Seq
	}
	if d.About.Order != nil {
		d.About.Order.Type = d.Type
	}
	if d.About.Notice != nil {
		d.About.Notice.Type = d.Type
	}
}

// DeliveryStatus is where a delivery is in its life.
type DeliveryStatus string

// The statuses of a delivery.
const (
	DeliveryPending   DeliveryStatus = "pending"
	DeliveryDelivered DeliveryStatus = "delivered"
	DeliveryFailed    DeliveryStatus = "failed"  // given up after the last attempt
	DeliverySkipped   DeliveryStatus = "skipped" // the endpoint's format has no such event
)

// Attempt is what came of one request.
type Attempt struct {
	At       clock.Instant `json:"at"`
	Status   int           `json:"status,omitempty"` // of HTTP; 0: there was no answer
	Error    string        `json:"error,omitempty"`
	Micros   int64         `json:"micros"` // how long it took
	Response string        `json:"response,omitempty"`
}

// Due is an endpoint for which something is pending.
type Due struct {
	App, Endpoint string        // of a receiver within Scrip itself no app
	Now           bool          // something is due at the instant that was asked for
	Next          clock.Instant // the soonest instant after it at which something is due; zero: none
}

// LeaseQuery selects what to lease.
type LeaseQuery struct {
	Endpoint string
	Now      clock.Instant
	Until    clock.Instant
	Limit    int
	// Ordered leases, for each customer, only the oldest that is pending and those right behind
	// it (at most MaxRun), and only when the oldest is due. Those behind one that waits for its
	// next attempt are made to wait as long.
	Ordered bool
	Busy    []id.Wallet // with Ordered: wallets to leave alone, since the caller is at work on them
}

// Leased is a delivery with what it takes to write its body.
type Leased struct {
	Delivery
	Key   wallet.Key
	Entry *wallet.Entry // nil: it tells of none
}

// Result is what came of a leased delivery.
type Result struct {
	Wallet     id.Wallet
	N          int64
	Lease      clock.Instant // the lease's end: NextAt as Lease returned it
	Status     DeliveryStatus
	Tries      int
	NextAt     clock.Instant
	FinishedAt clock.Instant
	Log        []Attempt
}

// Follow concerns what is pending for one customer behind a delivery to an ordered endpoint:
// it may not be sent before At (Hold), or need not wait any longer than that.
type Follow struct {
	Wallet   id.Wallet
	Endpoint string
	After    int64 // numbers above this one
	At       clock.Instant
	Hold     bool
}

// RedeliverQuery selects deliveries to make pending again: one, or those of an endpoint that were
// made in a stretch of time.
type RedeliverQuery struct {
	At clock.Instant

	Wallet id.Wallet // with N: this one, unless it is pending already: then it is only sent sooner
	N      int64

	Endpoint string
	From     clock.Instant // made at or after
	To       clock.Instant // made before; zero: no bound
	Failed   bool          // only those that were given up
}

// DeliveryQuery selects deliveries of an endpoint, newest first.
type DeliveryQuery struct {
	Endpoint string
	App      string       // of a receiver within Scrip itself (catalog.Receivers), which serves all apps
	Mode     catalog.Mode // with App
	Status   DeliveryStatus
	Type     catalog.EventType
	Before   *DeliveryPlace // behind this one in the list
	Limit    int
}

// DeliveryPlace is a delivery's place in the list of its endpoint.
type DeliveryPlace struct {
	At     clock.Instant
	Wallet id.Wallet
	N      int64
}

// PruneQuery selects a stretch of deliveries to look at.
type PruneQuery struct {
	Before clock.Instant // made before
	After  PrunePlace    // behind this one; zero: from the beginning
	Limit  int           // looked at
}

// PrunePlace is a delivery's place among those of all endpoints.
type PrunePlace struct {
	Endpoint string
	DeliveryPlace
}

// Pruned is what became of a stretch.
type Pruned struct {
	Deleted int64
	Next    *PrunePlace // behind which the next stretch lies; nil: all were looked at
}

// Backlog is what waits to be sent.
type Backlog struct {
	Pending int64         // at most MaxBacklog
	Oldest  clock.Instant // when the oldest of them was made; zero: there is none
}
