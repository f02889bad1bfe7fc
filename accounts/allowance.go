package accounts

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
)

// allowances are the operations that this process has taken for apps and not used yet.
type allowances struct {
	mu   sync.Mutex
	apps map[string]*allowance
}

type allowance struct {
	mu    sync.Mutex
	month string
	left  int64
}

func (a *allowances) of(app string) *allowance {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.apps == nil {
		a.apps = map[string]*allowance{}
	}
	if a.apps[app] == nil {
		a.apps[app] = &allowance{}
	}
	return a.apps[app]
}

// Operate counts one operation that changes something. In a test mode it is refused when the app
// has used up its allowance for the month; live has none.
func (a *Accounts) Operate(ctx context.Context, who Identity) error {
	if a.SandboxOperations <= 0 || who.Mode == catalog.Live {
		return nil
	}
	now := a.Clock.Now()
	month := now.Time().Format("2006-01")
	mine := a.taken.of(who.App)
	mine.mu.Lock()
	defer mine.mu.Unlock()
	if mine.month != month {
		mine.month, mine.left = month, 0
	}
	if mine.left == 0 {
		var err error
		if mine.left, err = a.Store.TakeOperations(ctx, who.App, month, a.SandboxOperations); err != nil {
			return fault.As(err)
		}
	}
	if mine.left == 0 {
		return usedUp(a.SandboxOperations, now)
	}
	mine.left--
	return nil
}

func usedUp(allowance int64, now clock.Instant) error {
	year, month, _ := now.Time().Date()
	resets := clock.At(time.Date(year, month+1, 1, 0, 0, 0, 0, time.UTC))
	return fault.New("accounts.Operate", fault.CodeWorkspaceLimitReached,
		"the app has used up its %d operations of this month in test modes; they start anew at %s", allowance, resets).
		With("limit", allowance).With("resets_at", resets)
}

// Close gives back the operations that were taken and not used. Call it when nothing is served any
// more.
func (a *Accounts) Close(ctx context.Context) error {
	a.taken.mu.Lock()
	defer a.taken.mu.Unlock()
	var errs []error
	for app, mine := range a.taken.apps {
		if mine.left > 0 {
			errs = append(errs, a.Store.ReturnOperations(ctx, app, mine.month, mine.left))
			mine.left = 0
		}
	}
	return errors.Join(errs...)
}
