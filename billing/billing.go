// Package billing is what recurs: subscriptions to plans, their cycles and changes, and the
// invoices that say what they come to.
//
// It owns how a plan becomes the terms of a subscription, and the reads over subscriptions and
// invoices. What a cycle's end brings about, and when, package wallet decides; that it is written
// down without anybody asking is the engine's sweep. It collects no money: package payments does.
package billing

import (
	"context"

	"github.com/seed42445051/scrip/caller"
	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/engine"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/id"
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

// request is a command for a customer, before it has one.
func (s *Session) request(customer string, opts []v1.Option) (engine.Request, error) {
	key, err := caller.Wallet(s.caller, customer)
	return caller.Request(s.caller, opts, key, nil), err
}

// now is the time of the caller's mode.
func (s *Session) now(defs *catalog.Definitions) clock.Instant {
	return defs.Now(s.caller.Mode, s.core.Clock.Now())
}

// plan finds a plan by id or name.
func (s *Session) plan(ctx context.Context, idOrName string) (*catalog.Product, error) {
	const op = "billing.plan"
	if idOrName == "" {
		return nil, fault.New(op, fault.CodeMissingField, "plan_id is missing").In("plan_id")
	}
	author := caller.Author{Engine: s.core.Engine, Clock: s.core.Clock, By: s.caller}
	return caller.Look(ctx, author, func(defs *catalog.Definitions) (*catalog.Product, error) {
		if p, ok := defs.Plan(idOrName); ok {
			return p, nil
		}
		return nil, fault.New(op, fault.CodePlanNotFound, "there is no plan %q in this app", idOrName).In("plan_id")
	})
}

// parse reads the id of something within a wallet.
func parse(prefix, text, field string, code fault.Code) (id.Wallet, int64, error) {
	w, n, err := id.ParseObject(prefix, text)
	if err != nil {
		// What is not even an id of ours cannot exist.
		return w, 0, fault.New("billing.parse", code, "there is no such %s", field).In(field).Because(err)
	}
	return w, n, nil
}
