// Package metering turns usage into credits: meters are defined here, usage events come in, are
// looked at, voided and corrected, and what the meters made of them can be read.
//
// It owns the checks of events as callers report them, and the reads over them. What an event
// costs, and who pays, package wallet decides; a gated charge of a metered event goes through
// package credits, like any other charge.
package metering

import (
	"context"

	"github.com/seed42445051/scrip/caller"
	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/engine"
	"github.com/seed42445051/scrip/store"
	v1 "github.com/seed42445051/scrip/v1"
)

// Core is what every session shares.
type Core struct {
	Engine *engine.Engine
	Store  store.Store
	Clock  clock.Clock
}

// Session does what one caller asks.
type Session struct {
	core   *Core
	caller v1.Caller
}

// As returns the session of a caller.
func (c *Core) As(caller v1.Caller) *Session { return &Session{core: c, caller: caller} }

// now is the time of the caller's mode.
func (s *Session) now(ctx context.Context) (clock.Instant, error) {
	return s.core.Engine.Now(ctx, s.caller.App, s.caller.Mode)
}

// author is the caller as one who defines.
func (s *Session) author() caller.Author {
	return caller.Author{Engine: s.core.Engine, Clock: s.core.Clock, By: s.caller}
}

// meter finds a meter by id or name.
func (s *Session) meter(ctx context.Context, idOrName string) (*catalog.Meter, error) {
	return caller.Look(ctx, s.author(), func(defs *catalog.Definitions) (*catalog.Meter, error) { return findMeter(defs, idOrName) })
}
