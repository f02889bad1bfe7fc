// Package services is all services over one engine, as those who present them need them: together,
// and for one caller at a time.
//
// It owns that a session is every operation of v1. What the operations do is in the services, and
// which store and clock they have is decided where they are put together, in package scrip.
package services

import (
	"github.com/seed42445051/scrip/accounts"
	"github.com/seed42445051/scrip/billing"
	"github.com/seed42445051/scrip/credits"
	"github.com/seed42445051/scrip/letters"
	"github.com/seed42445051/scrip/metering"
	"github.com/seed42445051/scrip/notify"
	"github.com/seed42445051/scrip/payments"
	v1 "github.com/seed42445051/scrip/v1"
)

// Set is one of each service, over the same engine.
type Set struct {
	Accounts *accounts.Accounts
	Credits  *credits.Core
	Metering *metering.Core
	Billing  *billing.Core
	Payments *payments.Core
	Letters  *letters.Core
	Notify   *notify.Service
}

// Session is every operation of v1, for one caller.
type Session struct {
	*creditSession
	*meteringSession
	*billingSession
	*paymentSession
	*letterSession
	*accountSession
	*notifySession
}

// Aliases, so that sessions can be embedded beside each other.
type (
	creditSession   = credits.Session
	meteringSession = metering.Session
	billingSession  = billing.Session
	paymentSession  = payments.Session
	letterSession   = letters.Session
	accountSession  = accounts.Session
	notifySession   = notify.Session
)

var _ v1.Operations = (*Session)(nil)

// As returns the session of a caller. What it does is recorded under actor; under the id of the
// caller's key when that is empty.
func (s *Set) As(who accounts.Identity, actor string) *Session {
	by := v1.Caller{App: who.App, Mode: who.Mode, Key: who.Key, Actor: actor}
	return &Session{s.Credits.As(by), s.Metering.As(by), s.Billing.As(by), s.Payments.As(by), s.Letters.As(by), s.Accounts.As(who), s.Notify.As(by)}
}
