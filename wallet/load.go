package wallet

import (
	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/id"
)

// Header is the one row of a wallet: its counters and the head of its chain.
type Header struct {
	ID         id.Wallet
	Key        Key
	Version    int64
	Seq        int64
	GrantSeq   int64
	HoldSeq    int64
	UsageSeq   int64
	InvoiceSeq int64
	OrderSeq   int64
	TellSeq    int64 // of the last delivery of an event
	Head       Hash
	LastAt     clock.Instant
	NextDue    clock.Instant // no later than the next instant at which time changes the wallet; zero: none known
	CreatedAt  clock.Instant
}

// Snapshot is a wallet as it is stored: the header, what is open, and what is never forgotten.
type Snapshot struct {
	Header
	Standings    []Standing
	Lanes        []*Lane
	Grants       []*Grant      // open ones, and closed ones that an open one rolled into
	Holds        []*Hold       // pending ones
	Subscription *Subscription // the last one, whether it runs or has ended
	Tallies      []*Tally      // those whose period had not ended at LastAt
	Orders       []*Order      // those that are being charged without a page, now or later
	TopUps       []*TopUp
	Payer        *Payer // nil: nobody ever paid
}

// Standing is the stored part of a CreditState; the rest follows from grants and holds.
type Standing struct {
	Credit  string
	Overage int64
	// UsedOutside is what was ever used, less what open grants show as spent: so a deduction
	// that leaves its grants open changes no standing, and most do.
	UsedOutside    int64
	Uncovered      int64
	MeteredOverage int64
}

// Standing is the part of the state that is stored.
func (c *CreditState) Standing() Standing {
	return Standing{
		Credit: c.Credit, Overage: c.Overage, UsedOutside: c.Used - c.openSpent,
		Uncovered: c.Uncovered, MeteredOverage: c.MeteredOverage,
	}
}

// Load builds the state from a snapshot under the definitions of its app.
func Load(sn *Snapshot, defs *catalog.Definitions) *State {
	s := NewState(sn.Key)
	s.Version, s.Seq, s.GrantSeq, s.HoldSeq = sn.Version, sn.Seq, sn.GrantSeq, sn.HoldSeq
	s.UsageSeq, s.InvoiceSeq, s.talliesFrom = sn.UsageSeq, sn.InvoiceSeq, sn.LastAt
	s.Head, s.LastAt, s.Subscription = sn.Head, sn.LastAt, sn.Subscription
	for _, lane := range sn.Lanes {
		s.AddLane(lane, defs)
	}
	for _, st := range sn.Standings {
		s.LoadStanding(st)
	}
	for _, t := range sn.Tallies {
		s.tallies[t.TallyKey] = t
	}
	for _, g := range sn.Grants {
		s.LoadGrant(g)
	}
	for _, h := range sn.Holds {
		s.LoadHold(h)
	}
	for _, o := range sn.Orders {
		s.LoadOrder(o)
	}
	for _, t := range sn.TopUps {
		s.LoadTopUp(t)
	}
	s.OrderSeq, s.Payer = sn.OrderSeq, sn.Payer
	return s
}
