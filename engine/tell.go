package engine

import (
	"slices"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/wallet"
)

// tell writes what a decision makes known to each receiver that wants to hear of it, into the
// very transaction of the decision: what did not happen is told to nobody, and what happened
// cannot be forgotten.
func (b *batch) tell(o *open, d *wallet.Decision, defs *catalog.Definitions) {
	receivers := b.shard.engine.receivers(defs, o.state.Key.Mode)
	for i := range d.Entries {
		e := &d.Entries[i]
		b.tellTo(o, receivers, store.Delivery{Seq: e.Seq, Type: e.Event()})
		for j := range d.Low {
			if d.Low[j].Seq == e.Seq {
				b.tellTo(o, receivers, store.Delivery{Seq: e.Seq, Type: catalog.EventBalanceLow, About: store.About{Low: &d.Low[j]}})
			}
		}
	}
	for i := range d.History {
		change := &d.History[i]
		b.tellTo(o, receivers, store.Delivery{Type: change.Event(), About: store.About{Change: change}})
	}
	for _, v := range d.Invoices {
		for _, event := range v.Events() {
			b.tellTo(o, receivers, store.Delivery{Type: event, About: store.About{Invoice: v.N}})
		}
	}
	for i := range d.Told {
		told := &d.Told[i]
		b.tellTo(o, receivers, store.Delivery{Type: told.Type, About: store.About{Order: told}})
	}
	for i := range d.Notices {
		notice := &d.Notices[i]
		b.tellTo(o, receivers, store.Delivery{Type: notice.Type, About: store.About{Notice: notice}})
	}
}

// receivers are the endpoints of a mode, and the receivers within Scrip itself.
func (e *Engine) receivers(defs *catalog.Definitions, mode catalog.Mode) []*catalog.Endpoint {
	endpoints := defs.Receivers(mode)
	if len(endpoints) == 0 {
		return e.opts.Receivers
	}
	return append(endpoints, e.opts.Receivers...)
}

// tellTo writes one event to every receiver that wants to hear of it.
func (b *batch) tellTo(o *open, receivers []*catalog.Endpoint, d store.Delivery) {
	if d.Type == "" {
		return
	}
	d.Wallet, d.Event, d.Status, d.CreatedAt, d.NextAt = o.state.ID, o.tellSeq+1, store.DeliveryPending, b.now, b.now
	for _, r := range receivers {
		if !r.Accepts(d.Type) {
			continue
		}
		o.tellSeq++
		d.N, d.Endpoint = o.tellSeq, r.ID
		o.change.Deliveries = append(o.change.Deliveries, d)
		if !slices.Contains(b.told, r) {
			b.told = append(b.told, r)
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
