package engine

import (
	"runtime"
	"slices"

	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/wallet"
)

// flight is a batch that was decided on what is known and is now being written.
type flight struct {
	batch *batch
	done  chan struct{} // closed when it is certain what became of it
	err   error
}

// landed is closed once the batch that is being written is certain; nil when there is none.
func (s *shard) landed() <-chan struct{} {
	if s.flying == nil {
		return nil
	}
	return s.flying.done
}

// take makes a batch of a group of commands and of those that come behind it until it can be
// written: at once where nothing is being written, else for as long as that takes. So commands
// wait for one write at most before theirs begins, and are decided meanwhile.
func (s *shard) take(group []*job) {
	if s.flying == nil {
		group = s.gather(group, s.engine.opts.Batch)
		if !s.knowsAll(group) { // one look for all of them
			s.process(group)
			return
		}
	}
	b := emptyBatch(s, len(group))
	rest := b.ahead(group)
	for len(rest) == 0 && s.flying != nil && len(b.jobs) < s.engine.opts.Batch {
		more := s.more()
		if more == nil {
			break
		}
		rest = b.ahead(more)
	}
	if !s.land() {
		b.dropped()
		s.process(slices.Concat(b.jobs, rest))
		return
	}
	if len(rest) == 0 {
		rest = s.late(b)
	}
	if len(b.jobs) > 0 {
		s.fly(b)
	}
	if len(rest) > 0 {
		s.land()
		s.process(s.gather(rest, s.engine.opts.Batch))
	}
}

// late lets those go first who are about to ask, and adds what they ask for: the writes that this saves
// cost more than the wait. Where nobody is about to ask it takes no time.
func (s *shard) late(b *batch) []*job {
	for len(b.jobs) < s.engine.opts.Batch {
		runtime.Gosched()
		group := s.gather(nil, s.engine.opts.Batch-len(b.jobs))
		if len(group) == 0 {
			return nil
		}
		if rest := b.ahead(group); len(rest) > 0 {
			return rest
		}
	}
	return nil
}

// knowsAll reports whether all that commands need is known.
func (s *shard) knowsAll(jobs []*job) bool {
	return s.careful == 0 && !slices.ContainsFunc(jobs, func(j *job) bool { known, _ := s.known(j); return known == nil })
}

// more waits for commands, or for the batch that is being written to land: nil then.
func (s *shard) more() []*job {
	select {
	case group := <-s.queue:
		return group // nil once the queue is closed
	case <-s.landed():
		return nil
	}
}

// gather adds to commands those that wait behind them, group by group, until there are so many.
func (s *shard) gather(jobs []*job, enough int) []*job {
	jobs = slices.Clip(jobs)
	for len(jobs) < enough {
		select {
		case group := <-s.queue:
			if group == nil {
				return jobs
			}
			jobs = append(jobs, group...)
		default:
			return jobs
		}
	}
	return jobs
}

// fly has a batch written.
func (s *shard) fly(b *batch) {
	changes := b.seal()
	f := &flight{batch: b, done: make(chan struct{})}
	s.flying = f
	go func() {
		defer close(f.done)
		if f.err = s.engine.store.Write(s.engine.ctx, b.want, changes); f.err == nil {
			s.written(b)
		}
	}()
}

// land waits for the batch that is being written, if any. Where it could not be written it is
// decided anew on what the store has, and what was decided upon it since is void: false.
func (s *shard) land() bool {
	f := s.flying
	if f == nil {
		return true
	}
	<-f.done
	s.flying = nil
	if f.err != nil {
		f.batch.dropped()
		s.resume(f.batch.jobs, f.err)
		return false
	}
	for i, o := range f.batch.order {
		o.mark = f.batch.want.Wallets[i].Mark
	}
	return true
}

// ahead decides commands in their order, and returns them from the first on that cannot be
// decided on what is known.
func (b *batch) ahead(jobs []*job) []*job {
	if b.shard.careful > 0 {
		return jobs
	}
	b.now = b.shard.engine.clock.Now()
	for i, j := range jobs {
		if !b.know(j) || b.run(j) != nil {
			return jobs[i:]
		}
		b.jobs = append(b.jobs, j)
		b.shard.engine.stats.DecidedAhead.Add(1)
	}
	return nil
}

// know opens the wallet of a command as the cache has it, if that is all that the command needs.
func (b *batch) know(j *job) bool {
	known, fresh := b.shard.known(j)
	if known == nil {
		return false
	}
	b.wantApp(j.Wallet.App)
	o := b.wallets[j.id]
	if o == nil {
		o = b.open(j, known)
		b.openWallet(o, &store.FoundWallet{Exists: true, Mark: known.mark})
	}
	o.note(j)
	o.want.Fresh = append(o.want.Fresh, fresh...)
	o.now = b.defs[j.Wallet.App].Now(known.state.Key.Mode, b.now)
	return true
}

// known is the wallet of a command as the cache has it, with the usage events that are taken to be
// new; nil where the command needs more. Most events are new: that is proved when they are written.
func (s *shard) known(j *job) (known *cached, fresh []string) {
	known = s.cache.get(j.id)
	defs := s.engine.known(j.Wallet.App)
	if known == nil || defs == nil || known.state.Key.App != j.Wallet.App || s.answering(j) {
		return nil, nil
	}
	needs := known.needs(j, defs)
	if _, ok := j.Command.(*wallet.Ingest); ok {
		fresh, needs.Usages = needs.Usages, nil
	}
	if !needs.Empty() {
		return nil, nil
	}
	return known, fresh
}

// answering reports whether a command repeats one whose answer is being written.
func (s *shard) answering(j *job) bool {
	if s.flying == nil || j.Idempotency == "" {
		return false
	}
	o := s.flying.batch.wallets[j.id]
	return o != nil && slices.Contains(o.want.Answers, j.Idempotency)
}

// seal ends a batch that was decided ahead: it is what the cache has from now on.
func (b *batch) seal() *store.Changes {
	b.sort()
	changes := b.changes()
	b.settled()
	return changes
}
