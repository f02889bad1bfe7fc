package clock

import (
	"sync"
	"sync/atomic"
	"time"
)

// Clock tells the present instant.
type Clock interface{ Now() Instant }

// Waiter lets a background loop wait for time to pass. It is apart from Clock
// because few things may wait; most only need to know the time.
type Waiter interface {
	// After returns a channel that receives once, when d has passed.
	After(d time.Duration) <-chan time.Time
}

// System is the machine's clock. Now never goes backwards within the process,
// even when the operating system's clock is set back: an entry recorded later
// must not carry an earlier instant.
type System struct{}

// latest is the greatest instant that any System has told.
var latest atomic.Int64

// Now returns the present instant, or the last one told when the machine's
// clock has been set back since.
func (System) Now() Instant {
	return Instant(raise(&latest, int64(At(time.Now()))))
}

// After returns a channel that receives once, when d has passed.
func (System) After(d time.Duration) <-chan time.Time { return time.After(d) }

// raise lifts m to v unless it is higher already, and returns what it then
// holds.
func raise(m *atomic.Int64, v int64) int64 {
	for {
		seen := m.Load()
		if v <= seen {
			return seen
		}
		if m.CompareAndSwap(seen, v) {
			return v
		}
	}
}

// Manual is a clock that stands still until it is moved; tests and simulations
// use it, so that nothing has to sleep. It is safe for concurrent use. Make it
// with NewManual.
type Manual struct {
	mu      sync.Mutex
	changed *sync.Cond // signalled when waiting grows
	now     Instant
	waiting []timer
}

// timer is one channel handed out by Manual.After that has not fired yet.
type timer struct {
	due Instant
	ch  chan time.Time
}

// NewManual returns a clock that stands at start.
func NewManual(start Instant) *Manual {
	m := &Manual{now: start}
	m.changed = sync.NewCond(&m.mu)
	return m
}

// Now returns the instant at which the clock stands.
func (m *Manual) Now() Instant {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now
}

// Set moves the clock to i, forwards or backwards, and fires every channel of
// After that is due by then.
func (m *Manual) Set(i Instant) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.set(i)
}

// Advance moves the clock by d and fires every channel of After that is due by
// then.
func (m *Manual) Advance(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.set(m.now.Add(d))
}

// After returns a channel that receives once, when the clock has been moved d
// or more past where it stands now; at once when d is not positive.
func (m *Manual) After(d time.Duration) <-chan time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	ch := make(chan time.Time, 1)
	if d <= 0 {
		ch <- m.now.Time()
		return ch
	}
	m.waiting = append(m.waiting, timer{due: m.now.Add(d), ch: ch})
	m.changed.Broadcast()
	return ch
}

// BlockUntil returns once at least n channels of After have not fired yet. A
// test calls it before it advances the clock, to be sure that the loop under
// test has begun to wait. A channel that its receiver gave up on still counts.
func (m *Manual) BlockUntil(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for len(m.waiting) < n {
		m.changed.Wait()
	}
}

// set moves the clock and fires what is due. The caller holds mu. The channels
// have room for their one value, so that sending never blocks.
func (m *Manual) set(i Instant) {
	m.now = i
	kept := m.waiting[:0]
	for _, t := range m.waiting {
		if t.due <= i {
			t.ch <- i.Time()
			continue
		}
		kept = append(kept, t)
	}
	clear(m.waiting[len(kept):])
	m.waiting = kept
}
