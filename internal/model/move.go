package model

import (
	"fmt"
	"math/big"

	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/wallet"
)

// broken is panicked with when the model contradicts itself: a mistake of the model.
func broken(format string, args ...any) { panic("model: " + fmt.Sprintf(format, args...)) }

// refused is panicked with when a movement must not be; the command then changes nothing.
type refused struct{ code fault.Code }

// part is a movement between the buckets of one grant, every bucket named.
type part struct {
	n                                                           int64
	available, frozen, held, spent, expired, revoked, rolledOut int64
	enters                                                      int64 // from outside: a grant begins, or receives a rollover
}

// move carries parts out and writes the entry about them.
func (m *Model) move(kind wallet.EntryType, credit string, parts ...part) *line {
	e := line{kind: kind, credit: credit, at: m.now}
	for _, p := range parts {
		g := m.grant(p.n)
		live := p.available + p.frozen + p.held
		if live+p.spent+p.expired+p.revoked+p.rolledOut != p.enters {
			broken("%s moves %+v, which does not add up", kind, p)
		}
		g.available += p.available
		g.frozen += p.frozen
		g.held += p.held
		g.spent += p.spent
		g.expired += p.expired
		g.revoked += p.revoked
		g.rolledOut += p.rolledOut
		e.amount += live
		if kind == wallet.HoldPlaced || kind == wallet.HoldReleased {
			e.amount += p.available // the balance stays: the entry tells what can be spent
		}
		e.parts = append(e.parts, wallet.Slice{Grant: p.n, Available: p.available, Frozen: p.frozen, Held: p.held})
	}
	return m.write(e)
}

// owe changes the overage of a credit and leaves its balance alone.
func (m *Model) owe(kind wallet.EntryType, credit string, units int64) *line {
	return m.write(line{kind: kind, credit: credit, at: m.now, amount: -units, overage: units})
}

func (m *Model) write(e line) *line {
	e.balance = m.balance(e.credit)
	e.owed = m.overage(e.credit) + e.overage
	if e.balance > wallet.MaxUnits || e.owed > wallet.MaxUnits {
		panic(refused{fault.CodeAmountOutOfRange})
	}
	if e.balance < 0 || e.owed < 0 {
		broken("%s leaves a balance of %d and an overage of %d", e.kind, e.balance, e.owed)
	}
	m.ledger = append(m.ledger, e)
	return &m.ledger[len(m.ledger)-1]
}

// uses notes that the last entry was usage: it counts towards what was ever used.
func (m *Model) uses(e *line, units int64) {
	e.used = units
	var total int64
	for i := range m.ledger {
		if m.ledger[i].credit != e.credit {
			continue
		}
		sum := total + m.ledger[i].used
		if m.ledger[i].used > 0 && sum < total {
			panic(refused{fault.CodeAmountOutOfRange})
		}
		total = sum
	}
}

// scaled is value*num/den, rounded down or up.
func scaled(value int64, num, den *big.Int, up bool) *big.Int {
	v := new(big.Int).Mul(big.NewInt(value), num)
	rest := new(big.Int)
	v.QuoRem(v, den, rest)
	if up && rest.Sign() > 0 {
		v.Add(v, big.NewInt(1))
	}
	return v
}
