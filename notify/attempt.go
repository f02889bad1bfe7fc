package notify

import (
	"context"
	"errors"
	"net/http"

	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/store"
)

func errFormat(format string) error {
	return fault.New("notify.render", fault.CodeInvalidConfig, "this server knows no format %q", format).In("format")
}

// send makes the deliveries of a run in order, until one is not acknowledged: those behind it
// wait for its next attempt.
func (d *Dispatcher) send(r run) outcome {
	now := d.service.Clock.Now
	o := outcome{run: r}
	for i := range r.deliveries {
		if i > 0 && r.gap > 0 && !d.pause(r) {
			o.results = append(o.results, giveBack(r, i, now())...)
			return o
		}
		next := &r.deliveries[i]
		if d.stopping(i) || next.NextAt < now().Add(Timeout) {
			// The lease could end while the answer is awaited.
			o.results = append(o.results, giveBack(r, i, now())...)
			return o
		}
		result := d.attempt(next, r)
		o.results = append(o.results, result)
		if result.Status == store.DeliveryPending {
			o.follow = behind(r, next, result.NextAt, true)
			return o
		}
	}
	o.follow = behind(r, &r.deliveries[len(r.deliveries)-1], now(), false)
	return o
}

// stopping reports whether the rest of a run must be left to others.
func (d *Dispatcher) stopping(done int) bool {
	select {
	case <-d.stop:
		return done > 0
	default:
		return false
	}
}

// pause keeps to the endpoint's rate within a run; false when the dispatcher stops.
func (d *Dispatcher) pause(r run) bool {
	select {
	case <-d.service.Clock.After(r.gap):
		return true
	case <-d.stop:
		return false
	}
}

// behind is what becomes of a customer's line behind a delivery.
func behind(r run, last *store.Leased, at clock.Instant, hold bool) []store.Follow {
	if !r.endpoint.Ordered {
		return nil
	}
	return []store.Follow{{Wallet: last.Wallet, Endpoint: last.Endpoint, After: last.N, At: at, Hold: hold}}
}

// attempt makes one delivery once, and says what it comes to.
func (d *Dispatcher) attempt(l *store.Leased, r run) store.Result {
	s := d.service
	result := store.Result{Wallet: l.Wallet, N: l.N, Lease: l.NextAt, Tries: l.Tries, Log: l.Log}
	if receiver := s.Receivers[r.endpoint.ID]; receiver != nil {
		return d.hand(receiver, l, r, result)
	}
	body, err := s.write(d.ctx, l, r)
	if err == nil && body == nil {
		result.Status, result.FinishedAt = store.DeliverySkipped, s.Clock.Now()
		return result
	}
	made := store.Attempt{At: s.Clock.Now()}
	if err != nil {
		made.Error = clean(err.Error())
	} else {
		made = s.sender.send(d.ctx, r.endpoint, l.Message(), body)
	}
	if errors.Is(context.Cause(d.ctx), errStopping) && !acknowledged(&made) {
		result.Status, result.NextAt = store.DeliveryPending, s.Clock.Now() // cut off by us: it was no attempt
		return result
	}
	return d.judge(noted(result, made), &made)
}

// noted adds an attempt to what came of a delivery.
func noted(result store.Result, made store.Attempt) store.Result {
	result.Log = append(result.Log[:len(result.Log):len(result.Log)], made)
	result.Log = result.Log[max(0, len(result.Log)-store.MaxLog):]
	result.Tries++
	return result
}

// hand gives a delivery to a receiver of this process. What it acknowledges has the status of a request
// that was, so that the log reads alike.
func (d *Dispatcher) hand(to Receiver, l *store.Leased, r run, result store.Result) store.Result {
	s := d.service
	made := store.Attempt{At: s.Clock.Now()}
	e, err := s.event(d.ctx, l, r.defs, r.endpoint)
	if err == nil {
		err = to.Receive(d.ctx, e)
	}
	made.Micros = s.Clock.Now().Sub(made.At).Microseconds()
	if errors.Is(err, ErrNotForMe) {
		result.Status, result.FinishedAt = store.DeliverySkipped, s.Clock.Now()
		return result
	}
	if err != nil && errors.Is(context.Cause(d.ctx), errStopping) {
		result.Status, result.NextAt = store.DeliveryPending, s.Clock.Now() // cut off by us: it was no attempt
		return result
	}
	if err == nil {
		made.Status = http.StatusOK
	} else {
		made.Error = clean(err.Error())
	}
	result = noted(result, made)
	if errors.Is(err, ErrGiveUp) {
		s.stats.count(&made)
		s.stats.GivenUp.Add(1)
		result.Status, result.FinishedAt = store.DeliveryFailed, s.Clock.Now()
		return result
	}
	return d.judge(result, &made)
}

// judge says what an attempt means: done, another one later, or given up.
func (d *Dispatcher) judge(result store.Result, made *store.Attempt) store.Result {
	now, schedule := d.service.Clock.Now(), Schedule()
	d.service.stats.count(made)
	switch {
	case acknowledged(made):
		result.Status, result.FinishedAt = store.DeliveryDelivered, now
	case result.Tries > len(schedule):
		d.service.stats.GivenUp.Add(1)
		result.Status, result.FinishedAt = store.DeliveryFailed, now
	default:
		result.Status, result.NextAt = store.DeliveryPending, now.Add(schedule[result.Tries-1])
	}
	return result
}

func (s *Stats) count(made *store.Attempt) {
	switch {
	case acknowledged(made):
		s.Acknowledged.Add(1)
	case made.Status != 0:
		s.Rejected.Add(1)
	default:
		s.Unanswered.Add(1)
	}
}

// write is the body of a delivery.
func (s *Service) write(ctx context.Context, l *store.Leased, r run) ([]byte, error) {
	e, err := s.event(ctx, l, r.defs, r.endpoint)
	if err != nil {
		return nil, err
	}
	return s.render(ctx, e)
}
