package wallet

import (
	"time"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/money"
)

// Shortfall says what a charge does when the balance does not cover it (design section 5.2).
type Shortfall string

// The shortfall policies.
const (
	Deny    Shortfall = "deny"    // all or nothing; the zero value reads as this
	Partial Shortfall = "partial" // take what is there, report the rest
	Overage Shortfall = "overage" // the rest becomes overage, as the credit's policy allows
)

// Valid reports whether s is a known policy; empty is Deny.
func (s Shortfall) Valid() bool {
	return s == "" || s == Deny || s == Partial || s == Overage
}

// Charge is what a spend or a hold asks for. It is direct (Credit and Amount) or gated (Event
// and Quantity, with Credit to restrict it to one credit).
type Charge struct {
	Credit    string
	Amount    int64 // units of Credit
	Event     string
	Quantity  int64 // micros
	Metadata  Metadata
	Shortfall Shortfall
}

// Gated reports whether the charge goes by event and quantity.
func (c *Charge) Gated() bool { return c.Event != "" }

// Measure is the size of the charge: micros when gated, units of the credit when direct.
func (c *Charge) Measure() int64 {
	if c.Gated() {
		return c.Quantity
	}
	return c.Amount
}

// Note is what every command may say about itself; entries carry it.
type Note struct {
	Reason   string
	Metadata Metadata
	RefType  string
	RefID    string
}

// noting is a command with a note.
type noting interface{ checkNote() error }

// checkNote refuses texts that are longer than what is kept.
func (n *Note) checkNote() error {
	if catalog.Longer(n.Reason, MaxReasonLength) {
		return fault.New("wallet.Note", fault.CodeInvalidRequest, "reason has at most %d characters", MaxReasonLength).In("reason")
	}
	return n.Metadata.check()
}

// check refuses metadata that is too large to be kept with every entry, or cannot be kept as it
// is.
func (m Metadata) check() error {
	const op = "wallet.Metadata"
	if len(m) > MaxMetadataPairs {
		return fault.New(op, fault.CodeMetadataTooLarge, "metadata has at most %d names", MaxMetadataPairs).In("metadata")
	}
	for key, value := range m {
		if len(key) > MaxMetadataKey || len(value) > MaxMetadataValue {
			return fault.New(op, fault.CodeMetadataTooLarge, "a name in metadata has at most %d bytes and a value at most %d", MaxMetadataKey, MaxMetadataValue).In("metadata")
		}
		if !catalog.ValidText(key) || !catalog.ValidText(value) {
			return fault.New(op, fault.CodeInvalidMetadata, "metadata must be valid Unicode without the character U+0000").In("metadata")
		}
	}
	return nil
}

// RefEvent is the reference type of entries that paid for an event: the ledger alone tells then
// which scopes accepted it.
const RefEvent = "event"

// noteFor is the note of a charge: what says which usage it is goes into the record with it.
func (n Note) noteFor(c *Charge) Note {
	if n.Metadata == nil {
		n.Metadata = c.Metadata
	}
	if n.RefType == "" && c.Gated() {
		n.RefType, n.RefID = RefEvent, c.Event
	}
	return n
}

// Command is one thing that a wallet can be asked to do. Its fields are its whole content: two
// commands with equal fields are the same request.
type Command interface {
	// Needs names what must be fetched besides what an open wallet always has in memory. The
	// definitions are those last seen: where they have changed since, the decision asks again.
	Needs(defs *catalog.Definitions) Needs
	decide(w *work) error
}

// Needs are closed things that a command looks back at.
type Needs struct {
	Entries  []int64 // with their reversals and the grants that they touched
	Holds    []int64
	Grants   []int64
	External []ExternalRef
	Usages   []string     // usage events, by id
	Ranges   []UsageRange // usage events that are not void, by when they took place
	Tallies  []TallyKey
	Uniques  []UniqueRef
	Metered  []string // credits: the grants that pay for usage which meters count
	Invoices []int64
	Orders   []int64
}

// ExternalRef is the caller's own name of a granting, under what was granted.
type ExternalRef struct {
	What string // pack id, or credit id for a grant outside a pack
	Ref  string
}

// Empty reports whether nothing needs to be fetched.
func (n Needs) Empty() bool {
	return len(n.Entries) == 0 && len(n.Holds) == 0 && len(n.Grants) == 0 && len(n.External) == 0 &&
		len(n.Usages) == 0 && len(n.Ranges) == 0 && len(n.Tallies) == 0 && len(n.Uniques) == 0 && len(n.Metered) == 0 &&
		len(n.Invoices) == 0 && len(n.Orders) == 0
}

// Add joins what two commands need.
func (n *Needs) Add(more Needs) {
	n.Entries = append(n.Entries, more.Entries...)
	n.Holds = append(n.Holds, more.Holds...)
	n.Grants = append(n.Grants, more.Grants...)
	n.External = append(n.External, more.External...)
	n.Usages = append(n.Usages, more.Usages...)
	n.Ranges = append(n.Ranges, more.Ranges...)
	n.Tallies = append(n.Tallies, more.Tallies...)
	n.Uniques = append(n.Uniques, more.Uniques...)
	n.Metered = append(n.Metered, more.Metered...)
	n.Invoices = append(n.Invoices, more.Invoices...)
	n.Orders = append(n.Orders, more.Orders...)
}

// GiveCredits grants one credit, or every item of a pack. The pack's items are read when the
// command is decided, so what was edited before counts and what is edited later does not
// (law 7).
type GiveCredits struct {
	Pack   string // id; then Credit and Amount are empty
	Credit string
	Amount int64 // units of Credit

	Category    catalog.Category // empty: paid, or the pack item's
	Priority    *int             // nil: 50, or the pack item's
	EffectiveAt clock.Instant    // zero: now
	ExpiresAt   clock.Instant    // zero: the default of the pack or credit
	Never       bool             // never expires, whatever the default
	Scope       catalog.Scope    // empty: the credit's
	ExternalRef string           // granting the same thing under the same reference again changes nothing
	Source      Source
	SourceID    string
	CostBasis   money.Decimal
	CostCurr    string
	Rollover    *catalog.Rollover // nil: the credit's
	Entry       EntryType         // empty: credit_added
	Note
}

// Deduct spends at once.
type Deduct struct {
	Charge
	Note
}

// Track spends at once and records the usage event; unmatched usage is recorded too, and
// charges nothing.
type Track struct {
	Charge
	Response string
	Note
}

// Reserve sets aside what a charge asks for.
type Reserve struct {
	Charge
	TTL time.Duration // zero: DefaultTTL
	Note
}

// Commit takes a hold, or part of it.
type Commit struct {
	Hold int64
	// Amount is decimal text in the charge's own measure, whole credits or quantity: only the
	// hold knows which. Empty takes all.
	Amount    money.Decimal
	AllowMore bool // the excess over the hold is drawn afresh
	ErrorCode string
	Response  string
	Note
}

// Release gives a hold back.
type Release struct {
	Hold      int64
	ErrorCode string
	Response  string
	Note
}

// Extend moves a hold's expiry to TTL from now.
type Extend struct {
	Hold      int64
	TTL       time.Duration // zero: DefaultTTL
	ErrorCode string
	Response  string
	Note
}

// RevokeGrant takes back what is left of a grant: all of it, or at most Amount.
type RevokeGrant struct {
	Grant  int64
	Amount *int64    // nil: all that is left, and all that comes back later
	Entry  EntryType // revoked (default), or refund for credits taken back for refunded money
	Note
}

// Freeze makes what is left of a grant unspendable while a dispute is open; Frozen=false ends it.
type Freeze struct {
	Grant  int64
	Frozen bool
	Note
}

// Adjust corrects a balance by hand: up with a new grant, down along the draw order.
type Adjust struct {
	Credit string
	Delta  int64 // units, not zero
	Note
}

// Reverse gives a deduction back to the very grants that it came from.
type Reverse struct {
	Entry  int64
	Amount *int64 // units of the entry's credit; nil: all that was not reversed yet
	Note
}

// ResetOverage takes the overage of a credit away, as at the end of a cycle.
type ResetOverage struct {
	Credit string
	Note
}

// Needs implementations: what lies outside an open wallet's memory.

// Needs asks for the grants made under the same external reference.
func (c *GiveCredits) Needs(*catalog.Definitions) Needs {
	if c.ExternalRef == "" {
		return Needs{}
	}
	what := c.Pack
	if what == "" {
		what = c.Credit
	}
	return Needs{External: []ExternalRef{{What: what, Ref: c.ExternalRef}}}
}

// Needs asks for nothing.
func (c *Deduct) Needs(*catalog.Definitions) Needs { return Needs{} }

// Needs asks for nothing.
func (c *Track) Needs(*catalog.Definitions) Needs { return Needs{} }

// Needs asks for nothing.
func (c *Reserve) Needs(*catalog.Definitions) Needs { return Needs{} }

// Needs asks for the hold, which may be closed.
func (c *Commit) Needs(*catalog.Definitions) Needs { return Needs{Holds: []int64{c.Hold}} }

// Needs asks for the hold, which may be closed.
func (c *Release) Needs(*catalog.Definitions) Needs { return Needs{Holds: []int64{c.Hold}} }

// Needs asks for the hold, which may be closed.
func (c *Extend) Needs(*catalog.Definitions) Needs { return Needs{Holds: []int64{c.Hold}} }

// Needs asks for the grant, which may be closed.
func (c *RevokeGrant) Needs(*catalog.Definitions) Needs { return Needs{Grants: []int64{c.Grant}} }

// Needs asks for the grant, which may be closed.
func (c *Freeze) Needs(*catalog.Definitions) Needs { return Needs{Grants: []int64{c.Grant}} }

// Needs asks for nothing.
func (c *Adjust) Needs(*catalog.Definitions) Needs { return Needs{} }

// Needs asks for the entry that is reversed.
func (c *Reverse) Needs(*catalog.Definitions) Needs { return Needs{Entries: []int64{c.Entry}} }

// Needs asks for nothing.
func (c *ResetOverage) Needs(*catalog.Definitions) Needs { return Needs{} }
