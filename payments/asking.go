package payments

import (
	"context"
	"sync"
)

// asking lets one goroutine at a time ask a provider about an order: whoever places a charge waits for
// its answer, while the outbox hands the same charge over. Asked together, a provider answers one of
// them that the key is in use. Other processes are kept apart by that key alone.
type asking struct {
	mu sync.Mutex
	of map[string]chan struct{} // closed when done
}

// alone waits for its turn, until ctx ends. Call done after it.
func (a *asking) alone(ctx context.Context, order string) (done func(), err error) {
	for {
		a.mu.Lock()
		before, busy := a.of[order]
		if !busy {
			break
		}
		a.mu.Unlock()
		select {
		case <-before:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	defer a.mu.Unlock()
	if a.of == nil {
		a.of = map[string]chan struct{}{}
	}
	mine := make(chan struct{})
	a.of[order] = mine
	return func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		delete(a.of, order)
		close(mine)
	}, nil
}
