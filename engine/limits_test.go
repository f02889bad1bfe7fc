package engine

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/wallet"
)

// impatient is a clock on which every pause is over at once.
type impatient struct{ *clock.Manual }

func (impatient) After(time.Duration) <-chan time.Time {
	c := make(chan time.Time, 1)
	c <- time.Time{}
	return c
}

// reluctant is a store that loses so many transactions before one goes well, and has the closed
// things that are looked back at only from a certain transaction on.
type reluctant struct {
	yes
	lost  int // transactions that are lost first
	from  int // the transaction from which on it has what it is asked for
	hold  wallet.Hold
	calls int
	// header is that of the wallet as it is stored; its version is 0 while it is not.
	header wallet.Header
}

func (r *reluctant) Transact(_ context.Context, want *store.Want, decide func(*store.Found) (*store.Changes, error)) error {
	r.calls++
	if r.calls <= r.lost {
		return store.Retry(fault.New("reluctant", fault.CodeStoreUnavailable, "the wire is cut"))
	}
	found := &store.Found{Wallets: make([]store.FoundWallet, len(want.Wallets))}
	for i := range want.Wallets {
		found.Wallets[i].Exists = want.Wallets[i].Version > 0 || r.header.Version > 0
		if want.Wallets[i].Version == 0 && r.header.Version > 0 {
			found.Wallets[i].Snapshot = &wallet.Snapshot{Header: r.header}
		}
		if r.from > 0 && r.calls >= r.from && len(want.Wallets[i].Needs.Holds) > 0 {
			h := r.hold
			found.Wallets[i].Fetched.Holds = []*wallet.Hold{&h}
		}
	}
	_, err := decide(found)
	return err
}

// newQuietShard is a shard over a store, with an app that defines one credit. It has no worker: a
// test calls process itself.
func newQuietShard(t *testing.T, st store.Store) *shard {
	t.Helper()
	e := New(st, Options{Clock: impatient{clock.NewManual(1_770_000_000_000_000)}})
	t.Cleanup(func() { _ = e.Close(context.Background()) })
	defs := catalog.NewDefinitions("app", "app", 1)
	defs.Credits["crd"] = &catalog.Credit{ID: "crd", App: "app", Name: "c", DrawOrder: catalog.DefaultDrawOrder()}
	e.learn(defs)
	return newShard(e)
}

func (s *shard) runs(t *testing.T, c wallet.Command) *job {
	t.Helper()
	j, err := newJob(Request{Wallet: wallet.Key{App: "app", Mode: catalog.Live, Customer: "u"}, Command: c})
	if err != nil {
		t.Fatal(err)
	}
	s.process([]*job{j})
	return j
}

// TestBatchesAreLimited queues one command more than a transaction takes.
func TestBatchesAreLimited(t *testing.T) {
	s := newQuietShard(t, yes{})
	for range DefaultBatch + 1 {
		s.queue <- (&job{}).group()
	}
	if n := len(s.gather(nil, DefaultBatch)); n != DefaultBatch {
		t.Errorf("a batch of %d, want %d", n, DefaultBatch)
	}
	if n := len(s.gather(nil, DefaultBatch)); n != 1 {
		t.Errorf("then one of %d, want 1", n)
	}
	for range DefaultBatch {
		s.queue <- (&job{}).group()
	}
	if n := len(s.gather(nil, DefaultBatch)); n != DefaultBatch || len(s.queue) > 0 {
		t.Errorf("a batch of %d with %d left", n, len(s.queue))
	}
}

// TestBatchesDecidedAheadAreLimited is the same for commands of a wallet that is known.
func TestBatchesDecidedAheadAreLimited(t *testing.T) {
	s := newQuietShard(t, yes{})
	s.runs(t, &wallet.GiveCredits{Credit: "crd", Amount: 2 * DefaultBatch})
	for range DefaultBatch + 1 {
		j, err := newJob(Request{Wallet: wallet.Key{App: "app", Mode: catalog.Live, Customer: "u"}, Command: &wallet.Deduct{Charge: wallet.Charge{Credit: "crd", Amount: 1}}})
		if err != nil {
			t.Fatal(err)
		}
		s.queue <- j.group()
	}
	for _, want := range []int{DefaultBatch, 1} {
		s.take(<-s.queue)
		if n := len(s.flying.batch.jobs); n != want {
			t.Errorf("a batch of %d, want %d", n, want)
		}
	}
	if !s.land() {
		t.Error("the last batch was not written")
	}
}

// TestTriesAreLimited loses one transaction less than is tried, and as many.
func TestTriesAreLimited(t *testing.T) {
	give := &wallet.GiveCredits{Credit: "crd", Amount: 1}
	st := &reluctant{lost: MaxTries - 1}
	if j := newQuietShard(t, st).runs(t, give); j.err != nil || st.calls != MaxTries {
		t.Errorf("the last try: %v after %d", j.err, st.calls)
	}
	st = &reluctant{lost: MaxTries}
	if j := newQuietShard(t, st).runs(t, give); fault.CodeOf(j.err) != fault.CodeStoreUnavailable || st.calls != MaxTries {
		t.Errorf("one try too late: %v after %d", j.err, st.calls)
	}
}

// TestLookBacksAreLimited has what a command looks back at there in the last transaction that is
// made for it, and one too late.
func TestLookBacksAreLimited(t *testing.T) {
	for _, c := range []struct {
		after int // look-backs until it is there
		code  fault.Code
	}{{MaxLookBacks, fault.CodeReservationNotPending}, {MaxLookBacks + 1, fault.CodeInternalError}} {
		key := wallet.Key{App: "app", Mode: catalog.Live, Customer: "u"}
		st := &reluctant{
			from: c.after + 1, hold: wallet.Hold{N: 1, Status: wallet.ReservationReleased},
			header: wallet.Header{ID: key.ID(), Key: key, Version: 1, HoldSeq: 1},
		}
		s := newQuietShard(t, st)
		if j := s.runs(t, &wallet.Commit{Hold: 1}); fault.CodeOf(j.err) != c.code {
			t.Errorf("after %d look-backs and %d transactions: %v, want %s", c.after, st.calls, j.err, c.code)
		}
	}
}

// TestCacheIsLimitedByWeight fills a cache to its weight and one wallet beyond it: what was used
// least recently goes, and one wallet stays however heavy it is.
func TestCacheIsLimitedByWeight(t *testing.T) {
	state := func(n int) *wallet.State {
		return wallet.NewState(wallet.Key{App: "app", Mode: catalog.Live, Customer: fmt.Sprint(n)})
	}
	weight := state(0).Weight()
	c := newCache(3 * weight)
	ids := make([]id.Wallet, 5)
	for n := range ids {
		s := state(n)
		ids[n] = s.ID
		if n == 3 {
			c.get(ids[0]) // now the second is the least recently used
		}
		c.put(&cached{state: s})
		if c.weight > c.most {
			t.Fatalf("weight %d after %d wallets, at most %d", c.weight, n+1, c.most)
		}
		if n == 2 && c.order.Len() != 3 {
			t.Errorf("%d wallets at the limit, want 3", c.order.Len())
		}
	}
	var kept []bool
	for _, w := range ids {
		_, ok := c.byID[w]
		kept = append(kept, ok)
	}
	if got := fmt.Sprint(kept); got != "[true false false true true]" {
		t.Errorf("kept %s", got)
	}
	small := newCache(1)
	heavy := &cached{state: state(9)}
	small.put(heavy)
	small.put(heavy)
	if small.order.Len() != 1 || small.weight != weight {
		t.Errorf("%d wallets of weight %d", small.order.Len(), small.weight)
	}
}

// TestLookBackIsNoAnswer keeps what the engine says to itself from reaching a caller.
func TestLookBackIsNoAnswer(t *testing.T) {
	var look *lookBack
	if err := fault.As(&lookBack{}); err.Code != fault.CodeInternalError || !errors.As(err, &look) {
		t.Errorf("a look-back reads as %v", err)
	}
}
