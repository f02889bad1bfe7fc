package accounts

import (
	"context"
	"time"

	"github.com/seed42445051/scrip/caller"
	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/engine"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/store"
	v1 "github.com/seed42445051/scrip/v1"
)

// TestClock reads the time of the caller's test mode.
func (s *Session) TestClock(ctx context.Context) (v1.TestClock, error) {
	if err := s.inTest(); err != nil {
		return v1.TestClock{}, err
	}
	defs, err := s.accounts.Engine.Definitions(ctx, s.who.App)
	if err != nil {
		return v1.TestClock{}, err
	}
	return clockOut(s.who.Mode, defs.Clocks[s.who.Mode], s.accounts.Clock.Now()), nil
}

// AdvanceTestClock moves the clock of the caller's test mode on, and answers when all that fell due
// by then is written down. Where it fails in between, asking again finishes it.
func (s *Session) AdvanceTestClock(ctx context.Context, r v1.AdvanceTestClock, opts ...v1.Option) (v1.TestClock, error) {
	if err := s.inTest(); err != nil {
		return v1.TestClock{}, err
	}
	if err := checkAdvance(&r); err != nil {
		return v1.TestClock{}, err
	}
	a, mode := s.accounts, s.who.Mode
	author := caller.Author{Engine: a.Engine, Clock: a.Clock, By: v1.Caller{App: s.who.App, Mode: s.who.Mode, Key: s.who.Key}}
	out, err := caller.Define(ctx, author, r, opts, func(defs *catalog.Definitions) (store.Definition, v1.TestClock, error) {
		real := a.Clock.Now()
		to := r.To
		if to.IsZero() {
			to = defs.Now(mode, real).Add(time.Duration(r.BySeconds) * time.Second)
		}
		change, err := engine.Advance(defs, mode, real, to)
		if moved, ok := change.Clocks[mode]; ok {
			return change, clockOut(mode, moved, real), err
		}
		return change, clockOut(mode, defs.Clocks[mode], real), err
	})
	if err != nil {
		return v1.TestClock{}, err
	}
	return out, a.Engine.SettleMode(ctx, s.who.App, mode)
}

func (s *Session) inTest() error {
	if s.who.Mode == catalog.Live {
		return fault.New("accounts.inTest", fault.CodeRequiresTestKey, "live has no test clock: use a key of mode test, or of a sandbox")
	}
	return nil
}

func checkAdvance(r *v1.AdvanceTestClock) error {
	const op = "accounts.AdvanceTestClock"
	const most = int64(catalog.MaxAhead / time.Second)
	switch {
	case !r.To.IsZero() && r.BySeconds != 0:
		return fault.New(op, fault.CodeConflictingFields, "send to or by_seconds, not both").In("by_seconds")
	case r.To.IsZero() && r.BySeconds == 0:
		return fault.New(op, fault.CodeMissingField, "to is missing: the instant to advance to, or by_seconds").In("to")
	case r.BySeconds < 0 || r.BySeconds > most:
		return fault.New(op, fault.CodeInvalidTime, "by_seconds must be 1 to %d", most).In("by_seconds")
	}
	return nil
}

func clockOut(mode catalog.Mode, t catalog.TestClock, real clock.Instant) v1.TestClock {
	return v1.TestClock{Mode: string(mode), Now: real.Add(t.Offset), OffsetSeconds: int64(t.Offset / time.Second)}
}
