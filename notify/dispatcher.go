package notify

import (
	"context"
	"sync"
	"time"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
)

// Dispatcher sends what is due, until it is closed. Any number of them may work on one database.
// Make it with Service.Start.
type Dispatcher struct {
	service *Service
	ctx     context.Context // of requests under way
	cancel  context.CancelCauseFunc
	stop    chan struct{} // closed when Close begins
	poke    chan struct{} // something may be due sooner than was thought
	wg      sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	workers map[string]*worker // by endpoint
}

// Start begins to send. Close the dispatcher before the engine and the store.
func (s *Service) Start() *Dispatcher {
	d := &Dispatcher{service: s, stop: make(chan struct{}), poke: make(chan struct{}, 1), workers: map[string]*worker{}}
	d.ctx, d.cancel = context.WithCancelCause(context.Background())
	s.Engine.WhenTold(func(e *catalog.Endpoint) { d.wake(e.App, e.ID) })
	s.dispatcher.Store(d)
	d.wg.Go(d.watch)
	if s.Keep > 0 {
		d.wg.Go(d.prune)
	}
	return d
}

// Close stops taking deliveries on, waits for requests under way, and gives back what was not
// sent. When ctx ends first those requests are cut off; they will be made again.
func (d *Dispatcher) Close(ctx context.Context) error {
	d.mu.Lock()
	if !d.closed {
		d.closed = true
		close(d.stop)
	}
	d.mu.Unlock()
	done := make(chan struct{})
	go func() { d.wg.Wait(); close(done) }()
	defer d.service.sender.client.CloseIdleConnections()
	select {
	case <-done:
		d.cancel(errStopping)
		return nil
	case <-ctx.Done():
		d.cancel(errStopping)
		<-done
		return ctx.Err()
	}
}

// watch looks for what is due: what other servers have written, what a killed one has left
// behind, and what has waited for its next attempt.
func (d *Dispatcher) watch() {
	for {
		from := d.service.Clock.Now()
		wait := d.look(from)
		due := d.service.Clock.After(wait)
		if d.service.Clock.Now().Sub(from) >= wait {
			d.lookAgain() // the time has passed while it looked
		}
		select {
		case <-due:
		case <-d.poke:
		case <-d.stop:
			return
		}
	}
}

// look wakes the worker of every endpoint for which something is due, and returns how long to
// wait before looking again.
func (d *Dispatcher) look(now clock.Instant) time.Duration {
	due, err := d.service.Store.DueDeliveries(d.ctx, now)
	if err != nil {
		d.service.Log.Warn("looking for webhook deliveries failed", "cause", err)
		return PollEvery
	}
	wait := PollEvery
	for _, e := range due {
		if e.Now {
			d.wake(e.App, e.Endpoint)
		}
		if !e.Next.IsZero() {
			wait = min(wait, e.Next.Sub(now))
		}
	}
	return wait
}

// lookAgain has watch look now.
func (d *Dispatcher) lookAgain() { signal(d.poke) }

// wake lets an endpoint's worker know that something may be due. It does not block.
func (d *Dispatcher) wake(app, endpoint string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return
	}
	w, ok := d.workers[endpoint]
	if !ok {
		w = newWorker(d, app, endpoint)
		d.workers[endpoint] = w
		d.wg.Go(w.run)
	}
	signal(w.woken)
}

// signal leaves a note in a channel that has room for one.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
