package credits

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/seed42445051/scrip/clock"
)

// FinishEvery is how often claims are looked for that were not granted. There are some only after a
// process has ended at the wrong moment, and whoever claims tries again by themselves.
const FinishEvery = time.Minute

// Finisher grants in the background what was claimed with codes and not granted: at once when it
// starts, and then again and again. Make it with Core.Finish, and end it with Close.
type Finisher struct {
	stop context.CancelFunc
	done sync.WaitGroup
}

// Finish starts a finisher. What it cannot grant now it logs, and tries again each time.
func (c *Core) Finish(every time.Duration, wait clock.Waiter, log *slog.Logger) *Finisher {
	ctx, stop := context.WithCancel(context.Background())
	f := &Finisher{stop: stop}
	f.done.Go(func() {
		for {
			if _, err := c.FinishCodes(ctx); err != nil && ctx.Err() == nil {
				log.Warn("what was claimed with codes could not be granted", "cause", err)
			}
			select {
			case <-wait.After(every):
			case <-ctx.Done():
				return
			}
		}
	})
	return f
}

// Close ends the finisher, and waits for what it is doing.
func (f *Finisher) Close() {
	f.stop()
	f.done.Wait()
}
