package acceptance

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/client"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/wallet"
)

// breakable is a store that can be taken away: every call fails as one whose connection is cut.
type breakable struct {
	store.Store
	down atomic.Bool
}

func (b *breakable) cut() error {
	if !b.down.Load() {
		return nil
	}
	return store.Retry(fault.New("breakable", fault.CodeStoreUnavailable, "the wire is cut"))
}

func (b *breakable) Transact(ctx context.Context, want *store.Want, decide func(*store.Found) (*store.Changes, error)) error {
	if err := b.cut(); err != nil {
		return err
	}
	return b.Store.Transact(ctx, want, decide)
}

func (b *breakable) Write(ctx context.Context, want *store.Want, changes *store.Changes) error {
	if err := b.cut(); err != nil {
		return err
	}
	return b.Store.Write(ctx, want, changes)
}

func (b *breakable) Snapshot(ctx context.Context, w id.Wallet) (*wallet.Snapshot, error) {
	if err := b.cut(); err != nil {
		return nil, err
	}
	return b.Store.Snapshot(ctx, w)
}

func (b *breakable) DefinitionsVersion(ctx context.Context, app string) (int64, error) {
	if err := b.cut(); err != nil {
		return 0, err
	}
	return b.Store.DefinitionsVersion(ctx, app)
}

func (b *breakable) Definitions(ctx context.Context, app string) (*catalog.Definitions, error) {
	if err := b.cut(); err != nil {
		return nil, err
	}
	return b.Store.Definitions(ctx, app)
}

func (b *breakable) Ping(ctx context.Context) error {
	if err := b.cut(); err != nil {
		return err
	}
	return b.Store.Ping(ctx)
}

// forgetful is a store that loses the answer of one commit: the rows are written, and nobody can
// tell.
type forgetful struct {
	store.Store
	left atomic.Int64 // transactions until that one, itself included
}

func (f *forgetful) forgetAfter(n int64) { f.left.Store(n) }

func (f *forgetful) Transact(ctx context.Context, want *store.Want, decide func(*store.Found) (*store.Changes, error)) error {
	return f.forget(f.Store.Transact(ctx, want, decide))
}

func (f *forgetful) Write(ctx context.Context, want *store.Want, changes *store.Changes) error {
	return f.forget(f.Store.Write(ctx, want, changes))
}

func (f *forgetful) forget(err error) error {
	if err == nil && f.left.Add(-1) == 0 {
		return fault.New("forgetful", fault.CodeStoreUnavailable, "nobody can tell what became of the commit")
	}
	return err
}

// gated is a store whose transactions wait at a gate while it is shut, so that a test decides
// what has queued behind one when it goes on.
type gated struct {
	store.Store
	mu      sync.Mutex
	open    chan struct{} // closed while the gate is open
	arrived chan struct{} // receives when a transaction comes to the shut gate
}

func newGated(st store.Store) *gated {
	g := &gated{Store: st, open: make(chan struct{}), arrived: make(chan struct{}, 1000)}
	close(g.open)
	return g
}

// shut makes transactions wait until the returned function is called.
func (g *gated) shut() (reopen func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	open := make(chan struct{})
	g.open = open
	return sync.OnceFunc(func() { close(open) })
}

func (g *gated) Transact(ctx context.Context, want *store.Want, decide func(*store.Found) (*store.Changes, error)) error {
	g.pass()
	return g.Store.Transact(ctx, want, decide)
}

func (g *gated) Write(ctx context.Context, want *store.Want, changes *store.Changes) error {
	g.pass()
	return g.Store.Write(ctx, want, changes)
}

// pass waits while the gate is shut.
func (g *gated) pass() {
	g.mu.Lock()
	open := g.open
	g.mu.Unlock()
	select {
	case <-open:
	default:
		g.arrived <- struct{}{}
		<-open
	}
}

// asShort is the client's error of a charge that is not covered; nil when it is another one.
func asShort(err error) *client.InsufficientCreditsError {
	short, _ := errors.AsType[*client.InsufficientCreditsError](err)
	return short
}
