package engine

import (
	"slices"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/wallet"
)

// tell writes what a decision makes known to each endpoint that wants to hear of it, into the
// very transaction of the decision: what did not happen is told to nobody, and what happened
// cannot be forgotten.
func (b *batch) tell(o *open, d *wallet.Decision, defs *catalog.Definitions) {
	receivers := defs.Receivers(o.state.Key.Mode)
	if len(receivers) == 0 {
		return
	}
	for i := range d.Entries {
		e := &d.Entries[i]
		next := e.Seq * store.PerEntry
		add := func(event catalog.EventType, low *wallet.LowBalance) {
			for _, r := range receivers {
				if event == "" || !r.Accepts(event) {
					continue
				}
				o.change.Deliveries = append(o.change.Deliveries, store.Delivery{
					Wallet: o.state.ID, N: next, Seq: e.Seq, Endpoint: r.ID, Type: event, Low: low,
					Status: store.DeliveryPending, CreatedAt: b.now, NextAt: b.now,
				})
				next++
				if !slices.Contains(b.told, r) {
					b.told = append(b.told, r)
				}
			}
		}
		add(e.Event(), nil)
		for j := range d.Low {
			if d.Low[j].Seq == e.Seq {
				add(catalog.EventBalanceLow, &d.Low[j])
			}
		}
	}
}

// WhenTold sets what is called once deliveries to an endpoint are durable, so that they need not
// wait for somebody to look. It must not block.
func (e *Engine) WhenTold(wake func(*catalog.Endpoint)) { e.woken.Store(&wake) }

func (e *Engine) wake(endpoints []*catalog.Endpoint) {
	wake := e.woken.Load()
	if wake == nil {
		return
	}
	for _, endpoint := range endpoints {
		(*wake)(endpoint)
	}
}
