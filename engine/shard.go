package engine

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/wallet"
)

// job is one command on its way through a shard.
type job struct {
	Request
	id     id.Wallet
	hash   [32]byte // of the request, when it has an idempotency key
	result Result
	err    error
	done   chan struct{}
	alone  [1]*job // the group that the job is when it comes by itself
}

func newJob(r Request) (*job, error) {
	j := &job{Request: r, id: r.ID, done: make(chan struct{})}
	if r.Wallet.Customer != "" {
		j.id = r.Wallet.ID()
	}
	if r.Idempotency == "" {
		return j, nil
	}
	if err := checkIdempotencyKey(r.Idempotency); err != nil {
		return nil, err
	}
	hash, err := requestHash(r)
	j.hash = hash
	return j, err
}

func checkIdempotencyKey(key string) error {
	bad := func(r rune) bool { return r < 0x21 || r > 0x7e }
	if len(key) > store.MaxIdempotencyKey || bytes.ContainsFunc([]byte(key), bad) {
		return fault.New("engine.Do", fault.CodeIdempotencyKeyInvalid, "an idempotency key has 1 to %d visible ASCII characters", store.MaxIdempotencyKey).In("Idempotency-Key")
	}
	return nil
}

// group is the job by itself.
func (j *job) group() []*job {
	j.alone[0] = j
	return j.alone[:]
}

// carefulBatches is for how many batches a shard looks before it decides once that was needed:
// while two processes write the same wallets, deciding ahead is mostly in vain.
const carefulBatches = 64

// shard is one queue and its worker. All commands of a wallet pass through the same shard. Jobs
// wait in groups: those of one call over many wallets take one place in the queue.
//
// The worker decides the next batch on what it knows while the last one is being written (see
// ahead.go), and looks at the store first (here) where a command needs what is not in memory, or
// somebody else writes too.
type shard struct {
	engine *Engine
	queue  chan []*job
	cache  *cache // as of the last batch that was decided, written or not
	flying *flight
	// careful is how many more batches look before they decide, since another process has written
	// a wallet of ours.
	careful int
}

func newShard(e *Engine) *shard {
	return &shard{engine: e, queue: make(chan []*job, e.opts.Queue), cache: newCache(e.opts.CacheWeight)}
}

func (s *shard) run() {
	for {
		select {
		case group, ok := <-s.queue:
			if !ok {
				s.land()
				return
			}
			s.take(group)
		case <-s.landed():
			s.land()
		}
	}
}

// process looks, decides and writes until the outcome is certain, and answers every command of
// the batch.
func (s *shard) process(jobs []*job) { s.resume(jobs, s.try(jobs, nil)) }

// resume goes on with a batch of which a try came to this.
func (s *shard) resume(jobs []*job, err error) {
	var back []*lookBack
	pause := FirstPause
	for try := 1; err != nil; try++ {
		var more *lookBack
		switch {
		case errors.As(err, &more) && len(back) < MaxLookBacks:
			back = append(back, more)
		case errors.Is(err, store.ErrRetry) && try < MaxTries:
			s.engine.stats.Retries.Add(1)
			if errors.Is(err, store.ErrStale) {
				s.careful = carefulBatches
				break
			}
			if !s.wait(pause) {
				s.fail(jobs, err)
				return
			}
			pause *= 2
		case len(jobs) > 1 && isOfOne(err):
			// One command must not take the others down with it.
			for _, j := range jobs {
				s.process(j.group())
			}
			return
		default:
			s.fail(jobs, err)
			return
		}
		err = s.try(jobs, back)
	}
}

// try runs a batch in a transaction that looks first.
func (s *shard) try(jobs []*job, back []*lookBack) error {
	b := newBatch(s, jobs, back)
	if err := s.engine.store.Transact(s.engine.ctx, b.want, b.decide); err != nil {
		b.dropped()
		return err
	}
	b.settled()
	s.careful = max(0, s.careful-1)
	s.written(b)
	return nil
}

// written answers every command of a batch that is durable.
func (s *shard) written(b *batch) {
	s.engine.stats.Batches.Add(1)
	b.count(&s.engine.stats)
	s.engine.wake(b.told)
	s.answer(b.jobs)
}

// isOfOne reports whether an error of a batch can be the doing of one of its commands, so that
// the others succeed without it. A store that is not there fails every command alike; and where
// it cannot tell what became of a commit, trying again could do everything twice.
func isOfOne(err error) bool {
	return !errors.Is(err, store.ErrRetry) && fault.CodeOf(err) != fault.CodeStoreUnavailable
}

// wait pauses before a retry; false when the engine gives up.
func (s *shard) wait(pause time.Duration) bool {
	select {
	case <-s.engine.clock.After(pause):
		return true
	case <-s.engine.ctx.Done():
		return false
	}
}

func (s *shard) answer(jobs []*job) {
	s.engine.stats.Commands.Add(int64(len(jobs)))
	for _, j := range jobs {
		close(j.done)
	}
}

// fail answers every command of a batch that could not be written.
func (s *shard) fail(jobs []*job, cause error) {
	const op = "engine.process"
	var answer error
	switch {
	case s.engine.ctx.Err() != nil:
		answer = fault.New(op, fault.CodeShuttingDown, "the server is shutting down: try again").Because(cause)
	case errors.Is(cause, store.ErrRetry):
		answer = fault.New(op, fault.CodeStoreUnavailable, "the database does not answer; nothing was written: try again").Because(cause)
	default:
		answer = fault.As(cause)
	}
	s.engine.log.LogAttrs(context.Background(), levelOf(answer), "batch failed", attrs(jobs, cause)...)
	for _, j := range jobs {
		j.result, j.err = Result{}, answer
	}
	s.answer(jobs)
}

// emptyState is where a wallet starts that nobody has seen.
func emptyState(j *job) *wallet.State {
	if j.Wallet.Customer == "" {
		return nil
	}
	return wallet.NewState(j.Wallet)
}
