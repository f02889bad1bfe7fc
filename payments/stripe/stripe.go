package stripe

import (
	"net/http"

	api "github.com/stripe/stripe-go/v85"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/payments/provider"
)

// Name is what orders remember of this provider.
const Name = "stripe"

// Provider is Stripe. Make it with New; it is safe for concurrent use.
type Provider struct {
	clock    interface{ Now() clock.Instant }
	accounts map[catalog.Mode]*account // live and test, where they are configured
}

var _ provider.Provider = (*Provider)(nil)

// account is Stripe in one mode: two modes have nothing in common but the address.
type account struct {
	names
	keys    Keys
	backend api.Backend
}

// New returns the provider. The clock tells real time, not that of a test clock: Stripe lives in it
// too. An error is invalid_config.
func New(c Config, real interface{ Now() clock.Instant }) (*Provider, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	p := &Provider{clock: real, accounts: map[catalog.Mode]*account{}}
	backend := newBackend(c.URL)
	for _, mode := range []catalog.Mode{catalog.Live, catalog.Test} {
		if c.Has(mode) {
			p.accounts[mode] = &account{names: namesOf(mode), keys: c.keys(mode), backend: backend}
		}
	}
	return p, nil
}

// newBackend sends requests, each once: what is repeated, and when, the caller decides. It logs
// nothing, since bodies are about customers.
func newBackend(address string) api.Backend {
	config := &api.BackendConfig{
		EnableTelemetry:   api.Bool(false),
		MaxNetworkRetries: api.Int64(0),
		LeveledLogger:     &api.LeveledLogger{Level: api.LevelNull},
		HTTPClient: &http.Client{
			Timeout: provider.Timeout,
			// Stripe redirects nothing, and what somebody else redirects carries the key.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	if address != "" {
		config.URL = &address
	}
	return api.GetBackendWithConfig(api.APIBackend, config)
}

// Name is "stripe".
func (p *Provider) Name() string { return Name }

// account is what a mode is used with. The error is payments_not_configured.
func (p *Provider) account(op string, mode catalog.Mode) (*account, error) {
	if a := p.accounts[mode.Base()]; a != nil {
		return a, nil
	}
	n := namesOf(mode)
	return nil, fault.New(op, fault.CodePaymentsNotConfigured,
		"Stripe is not set up for the mode %s: set %s and %s, and start again", n.mode, n.key, n.webhook)
}
