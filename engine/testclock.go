package engine

import (
	"context"
	"time"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/store"
)

// Now is the time of an app's mode: what is told of wallets is told as of then. In live it is real
// time, and nobody is asked.
func (e *Engine) Now(ctx context.Context, app string, mode catalog.Mode) (clock.Instant, error) {
	if mode == catalog.Live {
		return e.clock.Now(), nil
	}
	defs, err := e.Definitions(ctx, app)
	if err != nil {
		return 0, err
	}
	return defs.Now(mode, e.clock.Now()), nil
}

// Advance decides to move the clock of a test mode to an instant. Moving it again to where it was
// last moved changes nothing.
func Advance(defs *catalog.Definitions, mode catalog.Mode, real, to clock.Instant) (store.Definition, error) {
	const op = "engine.Advance"
	now, ahead := defs.Now(mode, real), to.Sub(real)
	switch {
	case to == defs.Clocks[mode].Reached:
		return store.Definition{}, nil
	case to < now:
		return store.Definition{}, fault.New(op, fault.CodeInvalidTime, "the test clock stands at %s and does not go back", now).In("to")
	case ahead > catalog.MaxAhead:
		return store.Definition{}, fault.New(op, fault.CodeInvalidTime, "a test clock can be at most %d days ahead of real time", catalog.MaxAhead/(24*time.Hour)).In("to")
	}
	return store.Definition{Clocks: map[catalog.Mode]catalog.TestClock{mode: {Offset: ahead, Reached: to}}}, nil
}

// SettleMode writes down all that time has done in a test mode until now.
func (e *Engine) SettleMode(ctx context.Context, app string, mode catalog.Mode) error {
	until, err := e.Now(ctx, app, mode) // once: what falls due meanwhile is the sweep's
	if err != nil {
		return err
	}
	for {
		due, err := e.store.DueIn(ctx, app, mode, until, SweepBatch)
		if err != nil || len(due) == 0 {
			return err
		}
		if err := e.settleAll(ctx, due); err != nil {
			return err
		}
	}
}
