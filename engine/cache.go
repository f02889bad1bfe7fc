package engine

import (
	"container/list"

	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/wallet"
)

// cache keeps a shard's wallets between batches, the least recently used going first. What it
// holds is only ever a guess: the transaction that relies on it checks the version.
type cache struct {
	most   int
	weight int
	order  *list.List // of *cached, most recently used first
	byID   map[id.Wallet]*list.Element
}

// cached is a wallet with what the engine knows of its row besides.
type cached struct {
	state    *wallet.State
	defs     int64 // the version of the definitions that ordered its queues
	nextDue  clock.Instant
	tellSeq  int64 // number of the last delivery
	created  clock.Instant
	mark     int64             // what the store said with the version
	stored   []wallet.Standing // the standings as they are stored
	weighing int
}

func newCache(most int) *cache {
	return &cache{most: most, order: list.New(), byID: map[id.Wallet]*list.Element{}}
}

func (c *cache) get(w id.Wallet) *cached {
	el, ok := c.byID[w]
	if !ok {
		return nil
	}
	c.order.MoveToFront(el)
	return el.Value.(*cached)
}

// put adds a wallet, or weighs it anew, and makes room.
func (c *cache) put(x *cached) {
	if el, ok := c.byID[x.state.ID]; ok && el.Value.(*cached) == x {
		c.weight -= x.weighing
		c.order.MoveToFront(el)
	} else {
		c.drop(x.state.ID)
		c.byID[x.state.ID] = c.order.PushFront(x)
	}
	x.weighing = x.state.Weight()
	c.weight += x.weighing
	for c.weight > c.most && c.order.Len() > 1 {
		c.drop(c.order.Back().Value.(*cached).state.ID)
	}
}

func (c *cache) drop(w id.Wallet) {
	el, ok := c.byID[w]
	if !ok {
		return
	}
	c.weight -= el.Value.(*cached).weighing
	c.order.Remove(el)
	delete(c.byID, w)
}
