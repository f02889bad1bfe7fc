package model

import (
	"fmt"
	"math/big"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/wallet"
)

// CheckMetered proves the books of metering from what was stored: every tally from the events that
// say it counted them and the holds that announced something to it, what is due from the tally, and
// what was booked from what is due.
func (b *Bare) CheckMetered() error {
	due := map[string]int64{}
	for key, t := range b.tallies {
		due[t.Credit] += t.Due
		if err := b.checkTally(key, &t); err != nil {
			return err
		}
	}
	for _, c := range b.defs.Credits {
		s := b.standings[c.ID]
		paid := int64(0)
		for i := range b.grants {
			if b.grants[i].Credit == c.ID {
				paid += b.grants[i].Metered
			}
		}
		if due[c.ID] != s.Uncovered+s.MeteredOverage+paid {
			return fmt.Errorf("%s: %d due, but %d uncovered, %d overage and %d paid", c.ID, due[c.ID], s.Uncovered, s.MeteredOverage, paid)
		}
		if err := b.checkOverageHeld(c.ID); err != nil {
			return err
		}
	}
	return nil
}

// checkOverageHeld compares what holds may still become as overage.
func (b *Bare) checkOverageHeld(credit string) error {
	held := int64(0)
	for i := range b.holds {
		for _, o := range b.holds[i].Overage {
			if b.holds[i].Status == wallet.ReservationPending && o.Credit == credit {
				held += o.Units
			}
		}
	}
	if c, ok := b.state.Credits[credit]; ok && c.OverageHeld != held {
		return fmt.Errorf("%s: %d overage held, but pending holds have %d", credit, c.OverageHeld, held)
	}
	return nil
}

func (b *Bare) checkTally(key wallet.TallyKey, t *wallet.Tally) error {
	m := b.defs.Meters[key.Meter]
	events, aggregate, last := int64(0), new(big.Int), wallet.Usage{}
	seen := map[string]bool{}
	for _, u := range b.usages {
		counted := false
		for _, k := range u.Counted {
			counted = counted || k == key
		}
		if !counted || !u.VoidedAt.IsZero() {
			continue
		}
		events++
		value, unique, _ := m.Reads(u.Event, u.Metadata)
		v := big.NewInt(value)
		switch m.Aggregation.Kind {
		case catalog.Count:
			aggregate.Add(aggregate, big.NewInt(u.Quantity))
		case catalog.Sum:
			aggregate.Add(aggregate, v)
		case catalog.Max:
			if events == 1 || v.Cmp(aggregate) > 0 {
				aggregate = v
			}
		case catalog.Last:
			if events == 1 || u.At > last.At || u.At == last.At && u.ID > last.ID {
				aggregate, last = v, u
			}
		case catalog.UniqueCount:
			seen[unique] = true
			aggregate = big.NewInt(int64(len(seen)) * wallet.MicrosPerUnit)
		}
	}
	held := int64(0)
	for i := range b.holds {
		for _, p := range b.holds[i].Metered {
			if b.holds[i].Status == wallet.ReservationPending && p.TallyKey == key {
				held += p.Micros
			}
		}
	}
	if t.Events != events || t.Aggregate != aggregate.Int64() || t.Held != held {
		return fmt.Errorf("%+v: %d events, aggregate %s, held %d by what was stored", *t, events, aggregate, held)
	}
	want := int64(0) // for money
	if t.Credit != "" {
		want = dueOf(t, aggregate, b.defs.Credits[t.Credit].Precision)
	}
	if t.Due != want {
		return fmt.Errorf("%+v: due is %d", *t, want)
	}
	if from, to := b.state.BillingPeriod(b.at); t.From == from && t.To != to {
		return fmt.Errorf("%+v: the period that runs is [%s, %s)", *t, from, to)
	}
	return nil
}

// dueOf is floor(max(0, aggregate - threshold) / units per credit) at the credit's precision.
func dueOf(t *wallet.Tally, aggregate *big.Int, precision int) int64 {
	over := new(big.Int).Sub(aggregate, big.NewInt(t.FreeThreshold))
	if over.Sign() <= 0 {
		return 0
	}
	over.Mul(over, big.NewInt(t.UnitsPerCredit.Den))
	over.Mul(over, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(precision)), nil))
	return over.Div(over, new(big.Int).Mul(big.NewInt(wallet.MicrosPerUnit), big.NewInt(t.UnitsPerCredit.Num))).Int64()
}
