package model

import (
	"math"
	"math/rand/v2"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/wallet"
)

// History is a random life of one wallet. It is reproduced from its seeds alone, so that any
// steps can be left out and the others still make sense.
type History struct {
	Seed  uint64 // of the definitions
	Steps []Step
}

// Step is one thing that happens. What exactly follows from its seed and from how the wallet
// stands when its turn comes.
type Step struct {
	Kind Kind
	Seed uint64
}

// Kind is what a step is about.
type Kind int

// The kinds of step. Settle is time alone; Restart loses the memory; Redefine edits a credit.
const (
	Give Kind = iota
	Deduct
	Track
	Reserve
	Commit
	Release
	Extend
	Revoke
	Freeze
	Adjust
	Reverse
	Subscribe
	Unsubscribe
	Pause
	Edit
	CloseInvoice
	ResetOverage
	Buy
	News
	AskBack
	CancelBuy
	AgreeTopUp
	ForgetCard
	Settle
	Restart
	Redefine
	kinds
)

var weights = [kinds]int{
	Give: 20, Deduct: 14, Track: 7, Reserve: 22, Commit: 12, Release: 5, Extend: 3, Revoke: 5, Freeze: 4, Adjust: 5,
	Reverse: 8, Subscribe: 4, Unsubscribe: 1, Pause: 2, Edit: 1, CloseInvoice: 1, ResetOverage: 1,
	Buy: 6, News: 16, AskBack: 2, CancelBuy: 1, AgreeTopUp: 2, ForgetCard: 1, Settle: 4, Restart: 2, Redefine: 1,
}

// early is how many grants a history begins with.
const early = 4

// NewHistory draws a history of so many steps.
func NewHistory(seed uint64, steps int) History {
	h := History{Seed: seed}
	r := rand.New(rand.NewPCG(seed, 2))
	total := 0
	for _, w := range weights {
		total += w
	}
	for i := range steps {
		if i < early { // an empty wallet has little to tell
			h.Steps = append(h.Steps, Step{Kind: Give, Seed: r.Uint64()})
			continue
		}
		at, kind := r.IntN(total), Kind(0)
		for ; at >= weights[kind]; kind++ {
			at -= weights[kind]
		}
		h.Steps = append(h.Steps, Step{Kind: kind, Seed: r.Uint64()})
	}
	return h
}

// Move is a step made concrete.
type Move struct {
	At      clock.Instant
	Command wallet.Command // nil: time alone
	Restart bool
	Defs    *catalog.Definitions // edited; nil: as they are
}

// start is when histories begin: before the end of a month, a leap day and a change of clocks.
var starts = []clock.Instant{
	1_769_817_600_000_000, // 2026-01-31T00:00:00Z
	1_835_308_799_999_999, // 2028-02-27T23:59:59.999999Z
	1_774_740_000_000_000, // 2026-03-28T23:20:00Z
}

// maker makes steps concrete against the model's wallet.
type maker struct {
	u     *universe
	m     *Model
	clock clock.Instant
	r     *rand.Rand
}

func newMaker(u *universe, m *Model, seed uint64) *maker {
	return &maker{u: u, m: m, clock: starts[seed%uint64(len(starts))]}
}

func (k *maker) move(s Step) Move {
	k.r = rand.New(rand.NewPCG(s.Seed, 3))
	k.clock = k.later()
	if most := k.now() + k.farthest(); k.clock > most {
		k.clock = most
	}
	move := Move{At: k.clock}
	switch s.Kind {
	case Restart:
		move.Restart = true
	case Redefine:
		move.Defs = edited(k.r, k.m.Defs, k.u.credits)
	case Settle:
	default:
		move.Command = k.command(s.Kind)
	}
	return move
}

// farthest is how far the clock may go in one step. Most often no hold lapses, so that grants
// end under holds; and what rolls over every day would fill the wallet with nothing but that.
func (k *maker) farthest() clock.Instant {
	if chance(k.r, 70) {
		for i := len(k.m.holds) - 1; i >= 0; i-- {
			if h := &k.m.holds[i]; h.status == wallet.ReservationPending {
				return h.expires - 1 - k.now()
			}
		}
	}
	if len(k.m.grants) > 100 {
		return 2 * day
	}
	most := 400 * day
	for i := range k.m.grants {
		if k.m.grants[i].rollover.Percent > 0 {
			most = 12 * day
			break
		}
	}
	return min(most, k.m.someCycles())
}

// someCycles is how long a few of the plan's shortest cycles last: each writes its own lines.
func (m *Model) someCycles() clock.Instant {
	p := m.plan
	if !p.runs(m.now) {
		return 400 * day
	}
	shortest := p.to - p.from
	for i := range p.included {
		shortest = min(shortest, p.included[i].end-p.included[i].start)
	}
	return max(2*day, 5*shortest)
}

// later is when the step happens: at once, a little later, or on, just before or just after an
// instant at which something changes. Now and then the machine's clock is set back.
func (k *maker) later() clock.Instant {
	r := k.r
	switch n := r.IntN(200); {
	case n < 90:
		return k.clock
	case n < 104:
		return k.clock + 1
	case n < 154:
		return k.clock + clock.Instant(r.IntN(30)*1_000_000)
	case n < 180:
		if at := k.someBoundary() + clock.Instant(r.IntN(3)-1); at > k.clock {
			return at
		}
		return k.clock
	case n < 190:
		return k.clock + clock.Instant(r.IntN(20)*3600*1_000_000)
	case n < 195:
		return k.clock + clock.Instant(1+r.IntN(3))*day
	case n < 196:
		return k.clock + clock.Instant(10+r.IntN(40))*day
	}
	// Only what was written binds a wallet, so the clock goes back only after an entry.
	if n := len(k.m.ledger); n > 0 && k.m.ledger[n-1].at == k.m.now && k.clock == k.m.now {
		return k.clock - clock.Instant(1+r.IntN(5_000_000))
	}
	return k.clock
}

// someBoundary is an instant at which something ends or begins; 0 when there is none.
func (k *maker) someBoundary() clock.Instant {
	all := k.m.boundaries()
	if p := k.m.plan; p != nil {
		all = append(all, p.ends, p.to)
		for i := range p.allowances {
			all = append(all, p.allowances[i].end)
		}
	}
	if len(all) == 0 {
		return 0
	}
	return pick(k.r, all...)
}

// now is the instant at which the wallet will see the step.
func (k *maker) now() clock.Instant { return max(k.clock, k.m.now) }

func (k *maker) credit() string {
	if chance(k.r, 1) {
		return "crd_unknown"
	}
	return pick(k.r, k.u.credits...)
}

// amount is units of a credit: few, some whole credits, or now and then too much or nonsense.
func (k *maker) amount(credit string) int64 {
	r := k.r
	whole := int64(1)
	if def := k.m.Defs.Credits[credit]; def != nil {
		for range def.Precision {
			whole *= 10
		}
	}
	switch n := r.IntN(200); {
	case n < 80:
		return 1 + int64(r.IntN(12))
	case n < 190:
		return (1 + int64(r.IntN(10))) * max(whole, 10) / pick[int64](r, 1, 1, 1, 3)
	case n < 196:
		return pick(r, 0, -1, -whole, wallet.MaxUnits+1, math.MaxInt64, math.MinInt64)
	}
	return pick[int64](r, wallet.MaxUnits, wallet.MaxUnits-1, wallet.MaxUnits/2, wallet.MaxUnits/2+1)
}

func (k *maker) quantity() int64 {
	r := k.r
	switch n := r.IntN(200); {
	case n < 50:
		return 1 + int64(r.IntN(12))
	case n < 90:
		return int64(1+r.IntN(20)) * 100_000
	case n < 190:
		return int64(1+r.IntN(12)) * 1_000_000
	case n < 196:
		return pick[int64](r, 0, -1, wallet.MaxQuantity+1, math.MaxInt64, math.MinInt64)
	}
	return pick[int64](r, wallet.MaxQuantity, wallet.MaxQuantity/3)
}

// direct is how many in a hundred charges name a credit and an amount.
const direct = 40

// charge makes a charge; from is 0, or direct for a gated one.
func (k *maker) charge(from int) wallet.Charge {
	r := k.r
	c := wallet.Charge{Shortfall: pick(r, "", wallet.Deny, wallet.Deny, wallet.Partial, wallet.Overage, wallet.Overage)}
	switch n := from + r.IntN(100-from); {
	case n < direct:
		c.Credit = k.credit()
		c.Amount = k.amount(c.Credit)
	case n < 80:
		c.Event, c.Quantity, c.Metadata = pick(r, events...), k.quantity(), metadata(r)
	case n < 96:
		c.Event, c.Quantity, c.Metadata = pick(r, events...), k.quantity(), metadata(r)
		c.Credit = k.credit()
	case n < 97:
		c.Event, c.Amount = "image.a", 1
	case n < 98:
		c.Shortfall, c.Credit, c.Amount = "maybe", k.credit(), 1
	case n < 99:
		c.Event, c.Quantity = pick(r, "image.*", "*", "a\x00b"), 1
	}
	return c
}

func (k *maker) note() wallet.Note {
	switch {
	case chance(k.r, 90):
		return wallet.Note{}
	case chance(k.r, 95):
		return wallet.Note{Reason: "a reason", Metadata: wallet.Metadata{"k": "v"}, RefType: "order", RefID: "ord_1"}
	}
	return longNote(k.r)
}
