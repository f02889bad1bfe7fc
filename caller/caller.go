// Package caller puts what somebody asks through v1 into the engine's terms: in whose name, on
// whose wallet, and under which idempotency key.
//
// It owns what every service does with a caller, and nothing else: what is asked, and what becomes
// of it, the services decide.
package caller

import (
	"github.com/seed42445051/scrip/engine"
	"github.com/seed42445051/scrip/id"
	v1 "github.com/seed42445051/scrip/v1"
	"github.com/seed42445051/scrip/wallet"
)

// Wallet names the wallet of a customer of the caller's app and mode.
func Wallet(by v1.Caller, customer string) (wallet.Key, error) {
	if err := v1.CheckCustomerID(customer); err != nil {
		return wallet.Key{}, err
	}
	return wallet.Key{App: by.App, Mode: by.Mode, Customer: customer}, nil
}

// Request is a command on a wallet, in the caller's name.
func Request(by v1.Caller, opts []v1.Option, key wallet.Key, command wallet.Command) engine.Request {
	return engine.Request{
		Wallet: key, Command: command, Idempotency: v1.NewCall(opts).IdempotencyKey,
		Actor: by.Name(), APIKey: by.Key,
	}
}

// Inside is a request about something in a wallet that is named by its own id, as ids of grants and
// entries do; a wallet of another app or mode is then not found.
func Inside(by v1.Caller, opts []v1.Option, w id.Wallet) engine.Request {
	r := Request(by, opts, wallet.Key{App: by.App, Mode: by.Mode}, nil)
	r.ID = w
	return r
}
