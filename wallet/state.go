package wallet

import (
	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/money"
)

// Key names a wallet: one customer of one app in one mode.
type Key struct {
	App      string       `json:"app_id"`
	Mode     catalog.Mode `json:"mode"`
	Customer string       `json:"customer_id"`
}

// ID is the wallet's identity in tables and in the ids of what it contains.
func (k Key) ID() id.Wallet { return id.WalletOf(k.App, string(k.Mode), k.Customer) }

// GrantStatus is where a grant is in its life.
type GrantStatus string

// The statuses of a grant. Depleted is never stored: it is how an active grant with nothing
// left reads.
const (
	GrantPending    GrantStatus = "pending" // not yet effective; not part of any balance
	GrantActive     GrantStatus = "active"
	GrantDepleted   GrantStatus = "depleted"
	GrantExpired    GrantStatus = "expired"
	GrantRevoked    GrantStatus = "revoked"
	GrantRolledOver GrantStatus = "rolled_over"
)

// Grant is a block of one credit given to one customer. All amounts are in units of the credit.
// Law 1: Amount = Available + Frozen + Held + Spent + Expired + Revoked + RolledOver, once the
// grant is effective; until then it has no part but what was revoked of it.
type Grant struct {
	N          int64 `json:"n"` // the number within the wallet
	Lane       int   `json:"lane"`
	Credit     string
	Amount     int64
	Available  int64
	Frozen     int64 // unspendable while a dispute is open
	Held       int64 // set aside by pending holds
	Spent      int64
	Metered    int64 // the part of Spent that meters drew
	Expired    int64
	Revoked    int64
	RolledOver int64

	Status   GrantStatus
	Disputed bool // what returns to a disputed grant is frozen

	Category    catalog.Category
	Priority    int
	EffectiveAt clock.Instant
	ExpiresAt   clock.Instant // zero: never
	EndedAt     clock.Instant // when it expired or rolled over; zero: not yet
	CreatedAt   clock.Instant

	// Scope says which usage the grant may pay for. Empty means any use that names its credit.
	// When Inherited, it came from the credit, which restricts gated usage but not a direct
	// charge that names the credit itself.
	Scope     catalog.Scope
	Inherited bool

	Source      Source
	SourceID    string
	Pack        string
	PackItem    string
	ExternalRef string
	CostBasis   money.Decimal // what one whole credit cost, in minor units of CostCurrency
	CostCurr    string

	Rollover      catalog.Rollover
	RolloverCount int
	Parent        int64 // the grant this one was rolled over from; 0 = none
	RolledInto    int64 // the grant this one was rolled over into; 0 = none

	Reason   string
	Actor    string
	Metadata Metadata
}

// Source says how a grant came about.
type Source string

// The sources of a grant.
const (
	SourcePurchase     Source = "purchase"
	SourceGrant        Source = "grant"
	SourceRefund       Source = "refund"
	SourceManual       Source = "manual"
	SourceAPI          Source = "api"
	SourceSubscription Source = "subscription"
	SourceRollover     Source = "rollover"
)

// Valid reports whether s is a source that a caller may name.
func (s Source) Valid() bool {
	switch s {
	case SourcePurchase, SourceGrant, SourceRefund, SourceManual, SourceAPI, SourceSubscription:
		return true
	}
	return false
}

// Metadata is flat text given by the caller and given back unchanged.
type Metadata map[string]string

// open is what keeps a grant in memory: it still holds something, or will.
func (g *Grant) open() bool {
	return g.Status == GrantPending || g.Available|g.Frozen|g.Held != 0
}

// OnlySpent reports whether nothing that can change in a grant differs between two of its states
// but what is available, held and spent: as it is after most commands.
func (g *Grant) OnlySpent(before *Grant) bool {
	return g.open() == before.open() && g.Amount == before.Amount && g.Frozen == before.Frozen && g.Expired == before.Expired &&
		g.Revoked == before.Revoked && g.RolledOver == before.RolledOver && g.Status == before.Status &&
		g.Disputed == before.Disputed && g.EffectiveAt == before.EffectiveAt && g.ExpiresAt == before.ExpiresAt &&
		g.EndedAt == before.EndedAt && g.RolledInto == before.RolledInto
}

// openSpent is what the grant shows as spent while it is open.
func (g *Grant) openSpent() int64 {
	if !g.open() {
		return 0
	}
	return g.Spent
}

// Open reports whether the grant still holds something, or will when it becomes effective.
func (g *Grant) Open() bool { return g.open() }

// Live is Available + Frozen + Held: the grant's part of the balance.
func (g *Grant) Live() int64 { return g.Available + g.Frozen + g.Held }

// over reports whether something is left in a grant whose time is over.
func (g *Grant) over(at clock.Instant) bool {
	return g.Status == GrantActive && !g.ExpiresAt.IsZero() && g.ExpiresAt <= at && g.open()
}

// Conserved checks law 1.
func (g *Grant) Conserved() bool {
	for _, part := range []int64{g.Available, g.Frozen, g.Held, g.Spent, g.Expired, g.Revoked, g.RolledOver} {
		if part < 0 {
			return false
		}
	}
	if g.Metered < 0 || g.Metered > g.Spent {
		return false
	}
	if g.Status == GrantPending {
		return g.Live()+g.Spent+g.Expired+g.RolledOver == 0 && g.Amount > g.Revoked
	}
	return g.Amount == g.Live()+g.Spent+g.Expired+g.Revoked+g.RolledOver
}

// ReadStatus is the status as a reader sees it at an instant.
func (g *Grant) ReadStatus() GrantStatus {
	if g.Status == GrantActive && g.Live() == 0 {
		return GrantDepleted
	}
	return g.Status
}

// HoldStatus is where a hold is in its life.
type HoldStatus string

// The statuses of a hold.
const (
	ReservationPending   HoldStatus = "pending"
	ReservationCommitted HoldStatus = "committed"
	ReservationReleased  HoldStatus = "released"
	ReservationExpired   HoldStatus = "expired"
)

// Hold is credits and allowance set aside by reserve, pinned to named grants.
type Hold struct {
	N         int64
	Charge    Charge
	Plan      []PlanPart
	Slices    []HoldSlice
	Overage   []OveragePart
	Metered   []MeteredPart // what meters will count when it is committed; then Plan is empty
	Status    HoldStatus
	Committed int64 // what commit took, in the charge's own measure
	CreatedAt clock.Instant
	ExpiresAt clock.Instant
	ClosedAt  clock.Instant
	Reason    string
	ErrorCode string
	Response  string
	Actor     string
}

// Measure is the size of the hold in the charge's own measure: units of the credit for a
// direct charge, micros of quantity for a gated one.
func (h *Hold) Measure() int64 {
	if len(h.Metered) > 0 {
		return h.Charge.Quantity
	}
	var total int64
	if len(h.Plan) > 0 {
		total = h.Plan[0].Micros
	}
	for _, s := range h.Slices {
		total += s.Measure
	}
	for _, o := range h.Overage {
		total += o.Measure
	}
	return total
}

// HoldSlice is the part of a hold that one grant carries.
type HoldSlice struct {
	Grant   int64
	Units   int64 // of the grant's credit
	Measure int64 // how much of the charge these units cover, in the charge's own measure
	// Order is one whose money was refunded while these were held: what of them comes back it takes, as
	// far as it misses something. 0: none does. Item is which of its grants these came of, from 0.
	Order int64 `json:",omitempty"`
	Item  int   `json:",omitempty"`
}

// PlanPart is the part of a charge that an allowance carries. Every matching allowance counts
// the same part.
type PlanPart struct {
	Allowance   string
	WindowStart clock.Instant // the window in which it was counted; zero: in none that still runs
	Micros      int64
}

// OveragePart is the part of a charge that goes beyond zero.
type OveragePart struct {
	Credit  string
	Units   int64
	Measure int64
}

// MeteredPart is usage that a hold announces to a tally.
type MeteredPart struct {
	TallyKey
	Micros int64
}

// CreditState is a wallet's standing in one credit, in units of it.
type CreditState struct {
	Credit      string
	Paid        Sums
	Promotional Sums
	Overage     int64 // used beyond zero, never negative
	OverageHeld int64 // overage that pending holds may become
	Used        int64 // all that was ever deducted, less what was reversed
	openSpent   int64 // the part of Used that open grants show as spent

	// What meters made due, over all tallies, is Uncovered + MeteredOverage + what the grants paid
	// of it (Grant.Metered).
	Uncovered      int64 // what nothing paid: there was no balance, and no overage to be had
	MeteredOverage int64 // the part of Overage that meters drew
}

// Sums are totals over grants.
type Sums struct {
	Available, Frozen, Held int64
}

// Available is what can be spent now.
func (c *CreditState) Available() int64 { return c.Paid.Available + c.Promotional.Available }

// Held is what pending holds have set aside.
func (c *CreditState) Held() int64 { return c.Paid.Held + c.Promotional.Held }

// Frozen is what open disputes keep from being spent.
func (c *CreditState) Frozen() int64 { return c.Paid.Frozen + c.Promotional.Frozen }

// Balance is Available + Frozen + Held (law 1); overage is kept apart from it.
func (c *CreditState) Balance() int64 { return c.Available() + c.Frozen() + c.Held() }

func (c *CreditState) sums(cat catalog.Category) *Sums {
	if cat == catalog.Promotional {
		return &c.Promotional
	}
	return &c.Paid
}

// Lane is the set of a wallet's grants of one credit under one scope. Lanes are never
// forgotten: that a customer once held something for an event decides which denial they read.
type Lane struct {
	N         int
	Credit    string
	Scope     catalog.Scope
	Inherited bool

	order []catalog.DrawKey
	queue []*Grant // what can be drawn now, first to go first
}

// State is all that one customer holds in one app and mode. It belongs to one goroutine.
type State struct {
	ID  id.Wallet
	Key Key

	Version  int64 // counts the transactions that changed the wallet; 0 = not stored yet
	Seq      int64 // number of the last entry
	GrantSeq int64
	HoldSeq  int64
	UsageSeq int64
	// InvoiceSeq is the number of the last invoice.
	InvoiceSeq int64
	OrderSeq   int64
	Head       Hash          // hash of the last entry
	LastAt     clock.Instant // the latest instant at which something took effect

	Credits      map[string]*CreditState
	Lanes        []*Lane
	Subscription *Subscription
	TopUps       []*TopUp // by credit
	Payer        *Payer   // nil: nobody ever paid

	// Tallies whose period ends after talliesFrom are all in memory; of older ones those that
	// were asked for.
	tallies     map[TallyKey]*Tally
	askedTally  map[TallyKey]bool
	talliesFrom clock.Instant

	// Until Trim: what was fetched, and over it what was made since.
	usages      map[string]*Usage
	ranges      map[UsageRange][]*Usage
	uniques     map[UniqueKey]*Unique
	askedUnique map[UniqueRef]bool
	// askedExternal are the references whose grants are in memory, were there any.
	askedExternal map[ExternalRef]bool
	meteredKnown  map[string]bool // credits all of whose metered grants are in memory
	invoices      map[int64]*Invoice
	// orders are those that are being charged, and until Trim those that were fetched or made.
	orders   map[int64]*Order
	charging []int64 // in order of their numbers

	grants      map[int64]*Grant
	holds       map[int64]*Hold
	entries     map[int64]*Past // entries fetched for a reversal; see Adopt
	closed      []int64         // grants that are in memory until Trim; see Adopt and Apply
	closedHolds []int64
	recent      []Entry // made since Trim, in order: they cannot be fetched yet
	openN       int     // grants that are open
	pendingN    int     // holds that are pending

	starting []*Grant // pending, by effective instant
	ending   []*Grant // effective with an expiry, by expiry
	lapsing  []*Hold  // pending holds, by expiry
}

// NewState returns the empty wallet of a customer.
func NewState(key Key) *State {
	return &State{
		ID: key.ID(), Key: key,
		Credits: map[string]*CreditState{},
		grants:  map[int64]*Grant{},
		holds:   map[int64]*Hold{},
		entries: map[int64]*Past{},
		tallies: map[TallyKey]*Tally{},
	}
}

// Grant returns a grant that is in memory: every open one, and until Trim those that were adopted
// or closed.
func (s *State) Grant(n int64) (*Grant, bool) { g, ok := s.grants[n]; return g, ok }

// Hold returns a hold that is in memory: every pending one, and until Trim those that were
// adopted or closed.
func (s *State) Hold(n int64) (*Hold, bool) { h, ok := s.holds[n]; return h, ok }

// Weight is how much memory the state is worth, in grants and holds, for a cache to bound.
func (s *State) Weight() int { return 4 + len(s.grants) + len(s.holds) + len(s.Lanes) + len(s.tallies) }

// knowsTally reports whether a tally that is not in memory does not exist.
func (s *State) knowsTally(key TallyKey, to clock.Instant) bool {
	return to > s.talliesFrom || s.askedTally[key]
}
