package wallet

import (
	"slices"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/money"
)

// Order is one purchase, from what is expected to payment, credits, refunds and disputes (design
// section 5.7). What is expected is written before anybody is asked to pay, and never changes; what
// a payment provider tells of it is only ever added, so that the same news in any order, and any
// number of times, come to the same. Money is in minor units of Currency.
type Order struct {
	N        int64 // the number within the wallet
	Kind     OrderKind
	Status   OrderStatus
	Provider string // who is asked for the money; empty: nobody, as it costs nothing

	// What is expected.
	Minor    int64
	Currency string
	Items    []OrderItem // what is granted when it is paid
	What     string      // the pack, credit or plan: its id
	Text     string      // for people
	Quantity int64       // how many of What
	Cart     []OrderLine // of products: what they are and cost, which adds up to Minor
	Plan     *Subscribe  // of a plan: how it is taken when it is paid
	Invoice  int64       // of an invoice: the one that is paid; else the receipt, once there is one; 0: none
	// Subscription is the one that it pays for; 0: none. Of a plan that is not paid yet it is the one
	// that would begin now: none but that can begin or run when it is paid, unless that has ended too.
	Subscription int64
	PriceRef     string // the price that the provider has of it already; empty: none
	SaveCard     bool   // the card is kept for later charges

	// Where it is paid: on a page of the provider, or with the card that is kept.
	OffSession bool
	Session    string // the provider's id of the page
	URL        string // of the page
	SuccessURL string
	CancelURL  string
	ExpiresAt  clock.Instant // of the page; zero: never
	Attempt    int           // of a charge without a page; each has an idempotency key of its own
	NextTry    clock.Instant // when the next attempt is made; zero: none is waited for

	// What is known of the payment.
	Payment     string // the provider's id
	Paid        int64  // what was paid, once Status says so
	Unmet       bool   // it gave nothing for that: Reason says why, and somebody has to look
	Cumulative  int64  // the most that the provider said was refunded in all
	Refunds     []OrderRefund
	Disputes    []OrderDispute
	Dispute     DisputeStatus // how it stands with all of them; empty: there is none
	DisputedAt  clock.Instant // when a dispute was opened first; zero: never
	LastDecline *Decline
	Grants      []OrderGrant // what was granted, in order of Items

	CreatedAt clock.Instant
	PaidAt    clock.Instant
	ClosedAt  clock.Instant // when it failed, expired or was canceled; zero: it did not
	Reason    string
	Actor     string
	Metadata  Metadata
}

// OrderKind says what is bought.
type OrderKind string

// The kinds of order.
const (
	PackOrder    OrderKind = "pack"
	CreditOrder  OrderKind = "credits" // any amount of a credit at its own price
	PlanOrder    OrderKind = "plan"
	InvoiceOrder OrderKind = "invoice"
	CardOrder    OrderKind = "card" // nothing: a card is kept for later
	TopUpOrder   OrderKind = "auto_top_up"
	ProductOrder OrderKind = "product" // products that are sold once, with the credits that come along
)

// OrderStatus is where an order is in its life.
type OrderStatus string

// The statuses of an order. One that is paid stays so: refunds and disputes are told beside it.
const (
	OrderOpen       OrderStatus = "open"       // a page waits for the customer
	OrderDue        OrderStatus = "due"        // the card that is kept is being charged
	OrderWaiting    OrderStatus = "waiting"    // was declined, and is tried again at NextTry
	OrderProcessing OrderStatus = "processing" // the customer has done their part, the money is on its way
	OrderPaid       OrderStatus = "paid"
	OrderFailed     OrderStatus = "failed"
	OrderExpired    OrderStatus = "expired"
	OrderCanceled   OrderStatus = "canceled"
	// OrderMismatched was paid otherwise than expected: nothing is granted, and somebody must look.
	OrderMismatched OrderStatus = "mismatched"
)

// Settled reports whether no payment is expected any more. One that comes all the same counts.
func (s OrderStatus) Settled() bool {
	return slices.Contains([]OrderStatus{OrderPaid, OrderFailed, OrderExpired, OrderCanceled, OrderMismatched}, s)
}

// OrderLine is one product of an order of products, as it was offered (law 7).
type OrderLine struct {
	Product  string `json:"product"` // id
	Text     string `json:"text"`    // for people
	Quantity int64  `json:"quantity"`
	Minor    int64  `json:"minor"` // what it comes to
}

// OrderItem is one grant that an order stands for, as it was offered (law 7). Amount is what is
// granted in all.
type OrderItem struct {
	Item             string           `json:"item,omitempty"` // of the pack or the product: its id
	Line             int              `json:"line,omitempty"` // of an order of products: which of them, from 0
	Credit           string           `json:"credit"`
	Amount           int64            `json:"amount"` // units
	Scope            catalog.Scope    `json:"scope,omitempty"`
	Category         catalog.Category `json:"category"`
	Priority         int              `json:"priority"`
	ExpiresAfterDays int              `json:"expires_after_days,omitempty"` // 0: never
	CostBasis        money.Decimal    `json:"cost_basis,omitempty"`         // of one whole credit, in minor units
	// Rollover is what becomes of what is unused; nil: as the credit says when it is granted.
	Rollover *catalog.Rollover `json:"rollover,omitempty"`
}

// OrderGrant is what became of an item.
type OrderGrant struct {
	Grant    int64   `json:"grant"`
	Amount   int64   `json:"amount"`             // units
	Revoked  int64   `json:"revoked,omitempty"`  // taken back for money that went back
	Returned int64   `json:"returned,omitempty"` // of Revoked: given again, since a refund failed
	Instead  []int64 `json:"instead,omitempty"`  // the grants by which it was given again
	// Item is what a cycle of a plan included, which was not known when the order was placed. Nil: it is
	// the order's item of the same place. Those of a cycle come last.
	Item *OrderItem `json:"item,omitempty"`
}

// ItemOf is what a grant of the order was.
func (o *Order) ItemOf(i int) *OrderItem {
	if it := o.Grants[i].Item; it != nil {
		return it
	}
	return &o.Items[i]
}

// OrderRefund is money that goes back, or went.
type OrderRefund struct {
	ID     string        `json:"id"`            // the provider's; empty until it is known
	Own    int64         `json:"own,omitempty"` // the number within the order of one that was asked for here; 0: it was not
	Minor  int64         `json:"minor"`
	Status RefundStatus  `json:"status"`
	Reason string        `json:"reason,omitempty"`
	Meta   Metadata      `json:"metadata,omitempty"`
	Lines  []RefundLine  `json:"lines,omitempty"` // of which products it is; empty: of all in proportion
	At     clock.Instant `json:"at"`
}

// RefundLine is what is paid back of one line of an order of products.
type RefundLine struct {
	Line  int   `json:"line"`
	Minor int64 `json:"minor"`
}

// RefundStatus is where a refund is in its life.
type RefundStatus string

// The statuses of a refund.
const (
	RefundAsked     RefundStatus = "asked" // the provider has not been told of it yet
	RefundPending   RefundStatus = "pending"
	RefundSucceeded RefundStatus = "succeeded"
	RefundFailed    RefundStatus = "failed"
)

// OrderDispute is that the payer wants the money back from the bank. A payment may be disputed more
// than once.
type OrderDispute struct {
	ID     string        `json:"id"` // the provider's
	Status DisputeStatus `json:"status"`
}

// DisputeStatus is how a dispute stands.
type DisputeStatus string

// The statuses of a dispute.
const (
	DisputeOpen DisputeStatus = "open"
	DisputeWon  DisputeStatus = "won" // or withdrawn: the money stays
	DisputeLost DisputeStatus = "lost"
)

// Decline says why a payment was not made.
type Decline struct {
	Code    string        `json:"code"` // the provider's, as card_declined or insufficient_funds
	Text    string        `json:"text"`
	Class   DeclineClass  `json:"class"`
	Attempt int           `json:"attempt,omitempty"`
	At      clock.Instant `json:"at"`
}

// DeclineClass says what can be done about a decline (vevee-golivekit-stripe.md section 4.3).
type DeclineClass string

// The classes of declines.
const (
	DeclineSoft   DeclineClass = "soft"            // may succeed later
	DeclineHard   DeclineClass = "hard"            // will not, with this card
	DeclineAction DeclineClass = "action_required" // the customer has to be there
)

// Payer is how a customer can be charged without being there.
type Payer struct {
	Provider string
	Customer string        // the provider's id of the customer; empty: it knows none
	Method   string        // the provider's id of the card that is kept; empty: none is
	Label    string        // for people, as "visa •••• 4242"
	SavedAt  clock.Instant // when the card was kept
}

// ID is the order's public id.
func (o *Order) ID(w id.Wallet) string { return id.Object(id.PrefixOrder, w, o.N) }

// Refunded is how much of what was paid went back, or is on its way: what is known of single
// refunds, or what the provider said of them in all, whichever is more.
func (o *Order) Refunded() int64 {
	known, failed := int64(0), int64(0)
	for i := range o.Refunds {
		r := &o.Refunds[i]
		switch r.Status {
		case RefundPending, RefundSucceeded:
			known += r.Minor
		case RefundFailed:
			if r.ID != "" { // else it never was a refund there, and is no part of what is said of all
				failed += r.Minor
			}
		}
	}
	return min(max(known, o.Cumulative-failed), o.Paid)
}

// Refundable is how much can still be paid back: what was asked for already is not counted twice.
func (o *Order) Refundable() int64 {
	asked := int64(0)
	for i := range o.Refunds {
		if o.Refunds[i].Status == RefundAsked {
			asked += o.Refunds[i].Minor
		}
	}
	if o.Status != OrderPaid && o.Status != OrderMismatched || o.Dispute == DisputeLost {
		return 0
	}
	return max(0, o.Paid-o.Refunded()-asked)
}

// LineRefunded is how much of what was paid for a line of an order of products went back by name, or
// is on its way; with asked, what was only asked for as well.
func (o *Order) LineRefunded(line int, asked bool) int64 {
	back := int64(0)
	for i := range o.Refunds {
		r := &o.Refunds[i]
		if r.Status == RefundFailed || r.Status == RefundAsked && !asked {
			continue
		}
		for _, l := range r.Lines {
			if l.Line == line {
				back += l.Minor
			}
		}
	}
	return back
}

// charging reports whether the order is charged without a page, now or later: such orders stay in
// memory.
func (o *Order) charging() bool { return o.Status == OrderDue || o.Status == OrderWaiting }

// Promised is the subscription that an unpaid order of a plan stands for: as if it had begun when the
// order was made. Nil where there is none.
func (o *Order) Promised() *Subscription {
	if o.Kind != PlanOrder || o.Status == OrderPaid || o.Plan == nil {
		return nil
	}
	s := &Subscription{
		N: o.Subscription, Plan: o.Plan.Plan, Terms: o.Plan.Terms, Quantity: o.Quantity, StartedAt: o.CreatedAt, Zone: o.Plan.Zone,
		TrialEnds: o.Plan.trialEnds(o.CreatedAt), Anchor: o.CreatedAt, CycleStart: o.CreatedAt, Metadata: o.Metadata,
		Included: make([]CreditCycle, len(o.Plan.Terms.Credits)),
	}
	s.Terms.begin(o.CreatedAt)
	s.EndsAt, s.CycleEnd = s.Terms.Until, s.cycleEnd(s.Terms.Every, o.CreatedAt)
	return s
}

// copied is a copy that can be changed: lists included, since states share what lies behind them.
func (o *Order) copied() *Order {
	c := *o
	c.Refunds, c.Disputes, c.Grants = slices.Clone(o.Refunds), slices.Clone(o.Disputes), slices.Clone(o.Grants)
	return &c
}

// OrderEvent is what an order tells the outside.
type OrderEvent struct {
	Order  int64             `json:"order"`
	Type   catalog.EventType `json:"-"`
	Refund string            `json:"refund,omitempty"` // of refund.*: its id, see OrderRefund
	Own    int64             `json:"own,omitempty"`
	Failed *Failed           `json:"failed,omitempty"` // of what tells of a decline
	At     clock.Instant     `json:"at"`
}

// Failed is how an order stood when it was declined. It may have been tried again, or paid, by the time
// at which that is told.
type Failed struct {
	Status  OrderStatus   `json:"status"` // waiting or failed
	Attempt int           `json:"attempt,omitempty"`
	Payment string        `json:"payment,omitempty"` // the provider's id of the last attempt that had one
	NextTry clock.Instant `json:"next_try,omitzero"`
	Decline *Decline      `json:"decline,omitempty"` // the last one; nil: the provider said only that nothing will come
}

// AsTold is the order as an event tells of it: one that failed is shown as it failed, without what came of
// it later, and any other as it is now.
func (o *Order) AsTold(e *OrderEvent) *Order {
	if e.Failed == nil {
		return o
	}
	c := o.copied()
	c.Status, c.Attempt, c.Payment, c.NextTry, c.LastDecline = e.Failed.Status, e.Failed.Attempt, e.Failed.Payment, e.Failed.NextTry, e.Failed.Decline
	c.Paid, c.PaidAt, c.Grants = 0, 0, nil
	c.Cumulative, c.Refunds, c.Disputes, c.Dispute, c.DisputedAt = 0, nil, nil, "", 0
	c.Unmet, c.Reason, c.ClosedAt = false, "", 0
	if c.Kind != InvoiceOrder {
		c.Invoice = 0 // the receipt
	}
	if c.Status == OrderFailed {
		c.ClosedAt = e.At
	}
	return c
}

// Limits of orders.
const (
	// MaxOrderQuantity bounds how many of a pack are bought at one time.
	MaxOrderQuantity = 10_000
	// MaxOrderRefunds bounds the refunds of an order.
	MaxOrderRefunds = 100
	// MaxOrderDisputes bounds the disputes of an order that are told apart.
	MaxOrderDisputes = 100
	// MaxReferenceLength bounds a provider's ids, and MaxAddressLength addresses of pages, in bytes.
	MaxReferenceLength = 255
	MaxAddressLength   = 2_000
)
