// Package engine is the only writer of wallets. It makes many concurrent commands into few
// transactions: commands queue per shard, and a shard's worker decides, in order, everything that
// comes while the previous batch is being committed, and has it committed as one transaction. A
// hot wallet costs one row lock per batch, not per call, and an idle engine adds no delay.
//
// It owns group commit, the cache of wallets, idempotency, retries and the sweep that writes
// down what time has done. It decides nothing about credits (package wallet does) and knows no
// SQL (package store does).
package engine

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/wallet"
)

// Limits of the engine.
const (
	// DefaultBatch bounds the commands of one transaction: it takes no more groups of commands
	// from then on.
	DefaultBatch = 256
	// DefaultQueue bounds the calls whose commands wait in one shard; one more is refused with
	// overloaded.
	DefaultQueue = 8192
	// DefaultCacheWeight bounds the cached wallets of one shard, in grants, holds and lanes.
	DefaultCacheWeight = 200_000
	// MaxTries bounds how often a batch is tried again after a serialization failure or a lost
	// connection, with pauses that double from FirstPause.
	MaxTries = 8
	// MaxLookBacks bounds how often a batch is repeated because a command looks back at
	// something closed that was not fetched yet.
	MaxLookBacks = 16
)

// FirstPause is the pause before the first retry.
const FirstPause = 5 * time.Millisecond

// Options configure an engine. The zero value of each field takes the default.
type Options struct {
	Clock       Clock
	Shards      int // how many batches may be under way at one time; 1 for a store with one writer
	Batch       int
	Queue       int
	CacheWeight int
	SweepEvery  time.Duration // zero: nothing is swept
	Log         *slog.Logger
	// Receivers are those within Scrip itself to which is written what happens: their ids, and which events
	// they want.
	Receivers []*catalog.Endpoint
}

// Clock tells the time and lets the background wait.
type Clock interface {
	clock.Clock
	clock.Waiter
}

// Engine runs commands. Make it with New and end it with Close.
type Engine struct {
	store  store.Store
	clock  Clock
	log    *slog.Logger
	opts   Options
	shards []*shard

	mu       sync.RWMutex
	defs     map[string]*catalog.Definitions
	defining chan struct{} // holds a token while definitions are changed
	closing  atomic.Bool
	stop     chan struct{} // closed when Close begins
	gate     sync.RWMutex  // held for reading while a job is handed to a queue
	wg       sync.WaitGroup
	ctx      context.Context // ends when the engine gives up waiting for its work
	cancel   context.CancelFunc
	stats    Stats
	woken    atomic.Pointer[func(*catalog.Endpoint)]
}

// Stats counts what the engine did since it was made.
type Stats struct {
	Commands atomic.Int64 // commands that were answered, previews and denials included
	// DecidedAhead are commands that were decided before the store was asked, each time that they were.
	DecidedAhead atomic.Int64
	Batches      atomic.Int64 // transactions
	Retries      atomic.Int64 // transactions that were tried again
	Refused      atomic.Int64 // commands refused because a queue was full
	Loads        atomic.Int64 // wallets read because the cache did not have them

	Usages     atomic.Int64 // usage events that were stored
	Duplicates atomic.Int64 // usage events that were there already
}

// New starts an engine over a migrated store.
func New(st store.Store, opts Options) *Engine {
	if opts.Clock == nil {
		opts.Clock = clock.System{}
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	for field, standard := range map[*int]int{
		&opts.Shards: 1, &opts.Batch: DefaultBatch, &opts.Queue: DefaultQueue, &opts.CacheWeight: DefaultCacheWeight,
	} {
		if *field <= 0 {
			*field = standard
		}
	}
	e := &Engine{
		store: st, clock: opts.Clock, log: opts.Log, opts: opts,
		defs: map[string]*catalog.Definitions{}, defining: make(chan struct{}, 1), stop: make(chan struct{}),
	}
	e.ctx, e.cancel = context.WithCancel(context.Background())
	for range opts.Shards {
		s := newShard(e)
		e.shards = append(e.shards, s)
		e.wg.Go(s.run)
	}
	if opts.SweepEvery > 0 {
		e.wg.Go(e.sweepLoop)
	}
	return e
}

// Request is a command and what surrounds it.
type Request struct {
	// Wallet names the wallet. A command about something inside a wallet (a hold, a grant, an
	// entry) may leave Wallet.Customer empty and set ID instead; app and mode must be those
	// of the wallet, or it is not found.
	Wallet wallet.Key
	ID     id.Wallet // zero: that of Wallet

	Command     wallet.Command // nil only settles the wallet
	Idempotency string         // the caller's key; empty: none
	Actor       string         // who asks, for the record
	APIKey      string         // id of the API key that must still be valid; empty: the process itself
	Preview     bool           // decide, and change nothing
}

// Result is what a command came to.
type Result struct {
	wallet.Answer
	Key      wallet.Key // of the wallet
	Replayed bool       // the answer is the one that the idempotency key got before
	At       clock.Instant
}

// Do runs one command. The answer is durable when Do returns. A command that was accepted
// finishes even when ctx ends; its caller then learns the outcome by asking again under the
// same idempotency key.
func (e *Engine) Do(ctx context.Context, r Request) (Result, error) {
	j, err := newJob(r)
	if err != nil {
		return Result{}, err
	}
	if err := e.enqueue(e.shardOf(j.id), j.group()); err != nil {
		return Result{}, err
	}
	select {
	case <-j.done:
		return j.result, j.err
	case <-ctx.Done():
		return Result{}, fault.New("engine.Do", fault.CodeOverloaded, "the call ended before its answer: ask again under the same idempotency key").Because(ctx.Err())
	}
}

// DoAll runs one command on each of several wallets, in as few transactions as they need. It
// waits for all, and returns the results of those that succeeded with the first error.
func (e *Engine) DoAll(ctx context.Context, requests []Request) ([]Result, error) {
	if len(requests) == 1 {
		result, err := e.Do(ctx, requests[0])
		return []Result{result}, err
	}
	jobs, failed := e.enqueueAll(requests)
	results := make([]Result, len(jobs))
	for i, j := range jobs {
		select {
		case <-j.done:
		case <-ctx.Done():
			return nil, fault.New("engine.DoAll", fault.CodeOverloaded, "the call ended before its answer: asking again is safe").Because(ctx.Err())
		}
		if results[i] = j.result; j.err != nil && failed == nil {
			failed = j.err
		}
	}
	return results, failed
}

// enqueueAll hands over the jobs of one call in groups, one or more to a shard. What was handed
// over when something failed is returned with the error: it is under way.
func (e *Engine) enqueueAll(requests []Request) ([]*job, error) {
	jobs := make([]*job, 0, len(requests))
	groups := make(map[*shard][]*job, len(e.shards))
	for _, r := range requests {
		j, err := newJob(r)
		if err != nil {
			return nil, err
		}
		s := e.shardOf(j.id)
		groups[s] = append(groups[s], j)
	}
	for s, all := range groups {
		for group := range slices.Chunk(all, e.opts.Batch) {
			if err := e.enqueue(s, group); err != nil {
				return jobs, err
			}
			jobs = append(jobs, group...)
		}
	}
	return jobs, nil
}

func (e *Engine) enqueue(s *shard, group []*job) error {
	const op = "engine.Do"
	e.gate.RLock()
	defer e.gate.RUnlock()
	if e.closing.Load() {
		return fault.New(op, fault.CodeShuttingDown, "the server is shutting down: try again")
	}
	select {
	case s.queue <- group:
		return nil
	default:
		e.stats.Refused.Add(1)
		return fault.New(op, fault.CodeOverloaded, "too many commands are waiting: try again shortly")
	}
}

func (e *Engine) shardOf(w id.Wallet) *shard { return e.shards[w.Bucket()%len(e.shards)] }

// Stats returns the engine's counters.
func (e *Engine) Stats() *Stats { return &e.stats }

// Waiting is how many calls are queued now.
func (e *Engine) Waiting() int {
	n := 0
	for _, s := range e.shards {
		n += len(s.queue)
	}
	return n
}

// Close refuses new commands, finishes what was accepted, and ends the workers. When ctx ends
// first, what is still waiting is answered with shutting_down.
func (e *Engine) Close(ctx context.Context) error {
	e.gate.Lock()
	first := !e.closing.Swap(true)
	if first {
		close(e.stop)
		for _, s := range e.shards {
			close(s.queue)
		}
	}
	e.gate.Unlock()
	done := make(chan struct{})
	go func() { e.wg.Wait(); close(done) }()
	select {
	case <-done:
		e.cancel()
		return nil
	case <-ctx.Done():
		e.cancel()
		<-done
		return ctx.Err()
	}
}

// Definitions returns what an app defines, as the store has it now: the version is always
// asked for, the definitions only when it moved.
func (e *Engine) Definitions(ctx context.Context, app string) (*catalog.Definitions, error) {
	version, err := e.store.DefinitionsVersion(ctx, app)
	if err != nil {
		return nil, err
	}
	if known := e.known(app); known != nil && known.Version == version {
		return known, nil
	}
	if version == 0 {
		return nil, errNoApp(app)
	}
	fresh, err := e.store.Definitions(ctx, app)
	if err != nil {
		return nil, err
	}
	if fresh == nil {
		return nil, errNoApp(app)
	}
	e.learn(fresh)
	return fresh, nil
}

func errNoApp(app string) error {
	return fault.New("engine.Definitions", fault.CodeNotFound, "there is no app %q", app)
}

// Known returns the definitions of an app as this process last saw them: good enough to read
// a request by, since the transaction that relies on them checks their version.
func (e *Engine) Known(ctx context.Context, app string) (*catalog.Definitions, error) {
	if known := e.known(app); known != nil {
		return known, nil
	}
	return e.Definitions(ctx, app)
}

func (e *Engine) known(app string) *catalog.Definitions {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return e.defs[app]
}

func (e *Engine) learn(defs *catalog.Definitions) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if have := e.defs[defs.App]; have == nil || have.Version < defs.Version {
		e.defs[defs.App] = defs
	}
}

// lookBack is the error of a batch in which a command needs something closed.
type lookBack struct {
	wallet id.Wallet
	needs  wallet.Needs
}

func (l *lookBack) Error() string { return "engine: something closed must be fetched first" }

func asMissing(err error) (*wallet.Missing, bool) {
	if err == nil {
		return nil, false // nearly always, and errors.As allocates
	}
	var m *wallet.Missing
	ok := errors.As(err, &m)
	return m, ok
}
