package notify

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/store"
)

// worker makes the deliveries to one endpoint, so that a receiver that hangs slows nobody else.
// One goroutine decides; requests are made by goroutines of their own and report to it. Leases
// and results are written many at a time: while some are being written, the next ones collect.
type worker struct {
	d        *Dispatcher
	app      string
	endpoint string
	woken    chan struct{}
	done     chan outcome

	more  bool // something may be due that is not leased yet
	queue []run
	busy  map[id.Wallet]bool // customers of runs that are leased, for an ordered endpoint
	held  int                // deliveries that are leased and not finished
	under int                // runs under way
	slot  clock.Instant      // when the rate allows the next request; zero: at once
}

// run is deliveries that are made one after the other: those of one customer to an ordered
// endpoint, or a single one.
type run struct {
	deliveries []store.Leased
	endpoint   *catalog.Endpoint
	defs       *catalog.Definitions // nil: each delivery's own app's
	gap        time.Duration        // between two requests
}

// outcome is what came of a run.
type outcome struct {
	results []store.Result
	follow  []store.Follow
	run     run
}

func newWorker(d *Dispatcher, app, endpoint string) *worker {
	return &worker{
		d: d, app: app, endpoint: endpoint, woken: make(chan struct{}, 1), done: make(chan outcome, InFlight),
		busy: map[id.Wallet]bool{},
	}
}

func (w *worker) run() {
	for {
		select {
		case <-w.d.stop: // before anything more is begun
			w.drain()
			return
		default:
		}
		w.refill()
		wait := w.begin()
		select {
		case o := <-w.done:
			w.finish(o)
		case <-w.woken:
			w.more = true
		case <-wait:
		case <-w.d.stop:
		}
	}
}

// refill leases what is due, as long as there is room for it.
func (w *worker) refill() {
	for w.more && w.held <= Ahead/2 {
		s := w.d.service
		endpoint, defs, err := w.reads()
		if err != nil {
			w.failed("reading an endpoint failed", err)
			return
		}
		if endpoint == nil || !endpoint.Live() {
			w.more = false // what is pending waits until it is live again
			return
		}
		limit := w.room(endpoint)
		now := s.Clock.Now()
		leased, err := s.Store.Lease(w.d.ctx, store.LeaseQuery{
			Endpoint: w.endpoint, Now: now, Until: now.Add(LeaseFor), Limit: limit, Ordered: endpoint.Ordered, Busy: w.customers(),
		})
		if err != nil {
			w.failed("leasing webhook deliveries failed", err)
			return
		}
		// Of an order only the beginnings of lines are leased, however much is due.
		w.more = len(leased) >= limit || endpoint.Ordered && len(leased) > 0
		w.enqueue(leased, endpoint, defs)
	}
}

// reads is where the deliveries go: an endpoint of an app, or a receiver of this process, which serves
// all apps; nil when there is none.
func (w *worker) reads() (*catalog.Endpoint, *catalog.Definitions, error) {
	s := w.d.service
	if slices.Contains(catalog.Receivers(), w.endpoint) {
		if s.Receivers[w.endpoint] == nil {
			return nil, nil, nil
		}
		return &catalog.Endpoint{ID: w.endpoint}, nil, nil
	}
	defs, err := s.Engine.Definitions(w.d.ctx, w.app)
	if err != nil {
		return nil, nil, err
	}
	return defs.Endpoints[w.endpoint], defs, nil
}

// failed leaves it to the dispatcher's next look to try again.
func (w *worker) failed(what string, err error) {
	w.more = false
	w.d.service.Log.Warn(what, "endpoint", w.endpoint, "cause", err)
}

// room is how much to lease: no more than can be sent well before the lease ends.
func (w *worker) room(e *catalog.Endpoint) int {
	const share = int(LeaseFor / time.Second / 4)
	room := Ahead - w.held
	if e.RateLimit > 0 {
		room = min(room, max(1, e.RateLimit*share-w.held))
	}
	return room
}

func (w *worker) customers() []id.Wallet {
	var all []id.Wallet
	for customer := range w.busy {
		all = append(all, customer)
	}
	return all
}

func (w *worker) enqueue(leased []store.Leased, e *catalog.Endpoint, defs *catalog.Definitions) {
	w.held += len(leased)
	next := run{endpoint: e, defs: defs}
	if e.RateLimit > 0 {
		next.gap = time.Second / time.Duration(e.RateLimit)
	}
	for len(leased) > 0 {
		n := 1
		for e.Ordered && n < len(leased) && leased[n].Wallet == leased[0].Wallet {
			n++
		}
		next.deliveries = leased[:n]
		if e.Ordered {
			w.busy[leased[0].Wallet] = true
		}
		w.queue = append(w.queue, next)
		leased = leased[n:]
	}
}

// begin starts as many runs as may be under way, and returns when to come back for the sake of a
// rate; nil for never.
func (w *worker) begin() <-chan time.Time {
	for len(w.queue) > 0 && w.under < InFlight {
		next := w.queue[0]
		if next.gap > 0 {
			now := w.d.service.Clock.Now()
			if w.slot > now {
				free := w.d.service.Clock.After(w.slot.Sub(now))
				if w.d.service.Clock.Now() >= w.slot {
					continue // the time has passed meanwhile
				}
				return free
			}
			w.slot = now.Add(next.gap * time.Duration(len(next.deliveries)))
		}
		w.queue = w.queue[1:]
		w.under++
		go func() { w.done <- w.d.send(next) }()
	}
	return nil
}

// finish writes what came of runs: this one, and all that have ended meanwhile.
func (w *worker) finish(o outcome) {
	all := outcome{}
	for {
		w.under--
		w.held -= len(o.run.deliveries)
		if o.run.endpoint.Ordered {
			delete(w.busy, o.run.deliveries[0].Wallet)
			w.more = true // more may stand in this customer's line
		}
		all.results = append(all.results, o.results...)
		all.follow = append(all.follow, o.follow...)
		select {
		case o = <-w.done:
			continue
		default:
		}
		break
	}
	w.write(all)
}

// Tries of writing results, and the first pause between them. What cannot be written is sent
// again when its lease ends.
const (
	writeTries = 5
	writePause = 50 * time.Millisecond
)

func (w *worker) write(o outcome) {
	s := w.d.service
	// What came of requests is written even when there is no time left to make more.
	ctx := context.WithoutCancel(w.d.ctx)
	pause := writePause
	for try := 1; ; try++ {
		err := s.Store.Finish(ctx, o.results, o.follow)
		if err == nil {
			break
		}
		s.Log.Warn("writing what came of webhook deliveries failed", "endpoint", w.endpoint, "cause", err)
		if try == writeTries || !errors.Is(err, store.ErrRetry) {
			return
		}
		select {
		case <-s.Clock.After(pause):
		case <-w.d.ctx.Done():
			return
		}
		pause *= 2
	}
	now := s.Clock.Now()
	for i := range o.results {
		switch r := &o.results[i]; {
		case r.Status != store.DeliveryPending:
		case r.NextAt <= now:
			w.more = true
		default:
			w.d.lookAgain()
		}
	}
}

// drain ends the worker: what was not begun is given back, what is under way is waited for.
func (w *worker) drain() {
	back := outcome{}
	for _, r := range w.queue {
		o := giveBack(r, 0, w.d.service.Clock.Now())
		back.results = append(back.results, o...)
	}
	w.queue = nil
	for w.under > 0 {
		o := <-w.done
		w.under--
		back.results, back.follow = append(back.results, o.results...), append(back.follow, o.follow...)
	}
	if len(back.results) > 0 {
		w.write(back)
	}
}

// giveBack makes what was not sent of a run due again, as if it had not been leased.
func giveBack(r run, from int, at clock.Instant) []store.Result {
	var results []store.Result
	for i := range r.deliveries[from:] {
		d := &r.deliveries[from+i]
		results = append(results, store.Result{
			Wallet: d.Wallet, N: d.N, Lease: d.NextAt, Status: store.DeliveryPending, Tries: d.Tries, NextAt: at, Log: d.Log,
		})
	}
	return results
}
