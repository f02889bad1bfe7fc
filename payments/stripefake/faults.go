package stripefake

import (
	"context"
	"net/http"
	"strings"
	"sync"
)

// FaultKind is a way in which a request goes wrong.
type FaultKind string

// The faults. What is refused before execution leaves no trace under its
// idempotency key; what happens after it has been done all the same.
const (
	RateLimit   FaultKind = "rate_limit"   // 429, nothing is executed
	LockTimeout FaultKind = "lock_timeout" // 429, nothing is executed
	ErrorBefore FaultKind = "error_before" // 500, nothing is executed
	ErrorAfter  FaultKind = "error_after"  // executed, and 500 is what the key replays
	ResetBefore FaultKind = "reset_before" // the connection is cut, nothing is executed
	ResetAfter  FaultKind = "reset_after"  // executed, and the connection is cut before the answer
	Hold        FaultKind = "hold"         // execution waits for Release; the key is in use until then
)

// perMille is what chances are parts of.
const perMille = 1000

// Fault is one fault that waits for its request.
type Fault struct {
	Kind FaultKind
	Path string // how the request's path begins; empty: any request
}

// chance is that of a fault at random.
type chance struct {
	perMille int
	kinds    []FaultKind
}

// holding is what Hold and Release talk through.
type holding struct {
	changed *sync.Cond
	held    int
	release chan struct{}
}

func newHolding() holding {
	return holding{changed: sync.NewCond(&sync.Mutex{}), release: make(chan struct{})}
}

// Fail lines faults up. Each befalls the first request that its path fits, and
// one request meets one fault.
func (f *Fake) Fail(faults ...Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults = append(f.faults, faults...)
}

// FailRandomly gives each request a chance, in thousandths, of one of the kinds.
// 0 ends it. Faults that are lined up come first.
func (f *Fake) FailRandomly(thousandths int, kinds ...FaultKind) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.chance = chance{thousandths, kinds}
}

// WaitHeld returns when n requests are being held, so that a test can be sure
// that a request is in the air.
func (f *Fake) WaitHeld(n int) {
	f.holding.changed.L.Lock()
	defer f.holding.changed.L.Unlock()
	for f.holding.held < n {
		f.holding.changed.Wait()
	}
}

// Release lets all requests that are held go on.
func (f *Fake) Release() {
	f.holding.changed.L.Lock()
	defer f.holding.changed.L.Unlock()
	close(f.holding.release)
	f.holding.release = make(chan struct{})
}

// hold waits for Release, for the client to give up, or for Close.
func (f *Fake) hold(ctx context.Context) {
	h := &f.holding
	h.changed.L.Lock()
	h.held++
	release := h.release
	h.changed.Broadcast()
	h.changed.L.Unlock()
	select {
	case <-release:
	case <-ctx.Done():
	case <-f.done:
	}
	h.changed.L.Lock()
	h.held--
	h.changed.L.Unlock()
}

// takeFault returns the fault that a request meets, or "". The lock is held.
func (f *Fake) takeFault(path string) FaultKind {
	for i, fault := range f.faults {
		if strings.HasPrefix(path, fault.Path) {
			f.faults = append(f.faults[:i:i], f.faults[i+1:]...)
			return fault.Kind
		}
	}
	if len(f.chance.kinds) > 0 && f.luck.IntN(perMille) < f.chance.perMille {
		return f.chance.kinds[f.luck.IntN(len(f.chance.kinds))]
	}
	return ""
}

// faultBefore returns the answer of a fault that keeps a request from execution.
func faultBefore(id string, kind FaultKind) (answer, bool) {
	switch kind {
	case RateLimit:
		return refusal(id, failure(http.StatusTooManyRequests, typeInvalid, "rate_limit", "Request rate limit exceeded.")), true
	case LockTimeout:
		return refusal(id, failure(http.StatusTooManyRequests, typeInvalid, "lock_timeout",
			"This object cannot be accessed right now because another request is accessing it.")), true
	case ErrorBefore:
		return refusal(id, serverError()), true
	case ResetBefore:
		return answer{cut: true}, true
	}
	return answer{}, false
}

func serverError() *apiError {
	return failure(http.StatusInternalServerError, typeAPI, "", "An unknown error occurred.")
}
