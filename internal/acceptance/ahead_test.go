package acceptance

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/engine"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/money"
	"github.com/seed42445051/scrip/store"
	v1 "github.com/seed42445051/scrip/v1"
)

// hovering is a store that tells of each batch that was decided ahead, and has it wait until the test
// says what becomes of it.
type hovering struct {
	store.Store
	on    atomic.Bool
	began chan *store.Changes
	fate  chan func(write func() error) error
	looks atomic.Int64 // transactions that looked first
}

func (h *hovering) Write(ctx context.Context, want *store.Want, changes *store.Changes) error {
	write := func() error { return h.Store.Write(ctx, want, changes) }
	if !h.on.Load() {
		return write()
	}
	h.began <- changes
	return (<-h.fate)(write)
}

func (h *hovering) Transact(ctx context.Context, want *store.Want, decide func(*store.Found) (*store.Changes, error)) error {
	h.looks.Add(1)
	return h.Store.Transact(ctx, want, decide)
}

// fate is what becomes of a batch that could be written.
type fate struct {
	become func(f *forge, credit string, write func() error) error
	code   fault.Code    // what its command is told; empty: that it succeeded
	anew   bool          // what was decided upon it is decided anew
	used   money.Decimal // in the end
}

var fates = map[string]fate{
	"it is written": {used: "4", become: func(_ *forge, _ string, write func() error) error { return write() }},
	"it is lost on the way": {used: "4", anew: true, become: func(*forge, string, func() error) error {
		return store.Retry(fault.New("held", fault.CodeStoreUnavailable, "the wire is cut"))
	}},
	"another server was faster": {used: "104", anew: true, become: func(f *forge, credit string, write func() error) error {
		other := startServer(f.t, f.db.open(f.t), f.options())
		_, err := other.as(f.app, catalog.Live).Deduct(context.Background(), v1.DeductRequest{Charge: direct("u", credit, "100")})
		noError(f.t, err)
		return write()
	}},
	"nobody can tell": {used: "4", anew: true, code: fault.CodeStoreUnavailable, become: func(_ *forge, _ string, write func() error) error {
		if err := write(); err != nil {
			return err
		}
		return fault.New("held", fault.CodeStoreUnavailable, "nobody can tell what became of the commit")
	}},
	"it breaks a rule": {used: "3", anew: true, code: fault.CodeInvariantViolated, become: func(*forge, string, func() error) error {
		return fault.New("held", fault.CodeInvariantViolated, "the rows break a rule")
	}},
}

// TestDecidedWhileTheLastIsWritten has a batch wait in the store while the next one is decided upon
// it, and lets it come to various ends: nothing is answered before it is durable, and nothing holds
// that was decided on what did not happen.
func TestDecidedWhileTheLastIsWritten(t *testing.T) {
	onBoth(t, func(t *testing.T, db *database) {
		for name, c := range fates {
			t.Run(name, func(t *testing.T) { c.follow(t, db) })
		}
	})
}

func (c fate) follow(t *testing.T, db *database) {
	h := &hovering{Store: db.store, began: make(chan *store.Changes), fate: make(chan func(func() error) error)}
	f := forgeOver(t, newWorldOver(t, db, h, engine.Options{Shards: 1}))
	credit := f.plain("Plain")
	f.give("u", credit, "1000")
	const others = 3
	var wg sync.WaitGroup
	var answered atomic.Int64
	errs := make([]error, 1+others)
	deduct := func(i int) {
		wg.Go(func() {
			_, errs[i] = f.Deduct(context.Background(), v1.DeductRequest{Charge: direct("u", credit, "1")})
			answered.Add(1)
		})
	}
	h.on.Store(true)
	ahead, looks := f.engine.Stats().DecidedAhead.Load(), h.looks.Load()
	deduct(0)
	first := (<-h.began).Wallets[0]
	for i := range others {
		deduct(1 + i)
	}
	until(t, "the others to be decided", func() bool { return f.engine.Stats().DecidedAhead.Load() == ahead+1+others })
	equal(t, "answered before anything is durable", answered.Load(), 0)
	h.fate <- func(write func() error) error { return c.become(f, credit, write) }
	if c.anew {
		h.on.Store(false)
	} else {
		second := (<-h.began).Wallets[0]
		equal(t, "entries of the next batch", len(second.Entries), others)
		equal(t, "what they follow upon", second.Entries[0].Prev, first.Header.Head)
		equal(t, "transactions that looked", h.looks.Load(), looks)
		h.fate <- func(write func() error) error { return write() }
	}
	wg.Wait()
	for i, err := range errs {
		if i > 0 || c.code == "" {
			noError(t, err)
		} else {
			wantCode(t, err, c.code)
		}
	}
	h.on.Store(false)
	equal(t, "used", balance(t, f, "u", credit).Used, c.used)
}
