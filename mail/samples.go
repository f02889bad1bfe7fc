package mail

import "github.com/seed42445051/scrip/clock"

// sampleInstant is 2 January 2026, 15:04 UTC.
const sampleInstant = clock.Instant(1_767_366_240_000_000)

// sparseSamples have what their kind cannot do without.
var sparseSamples = map[Kind]Letter{
	TopUpReceipt:          {Amount: "$10.00"},
	LowBalance:            {Credit: "API calls", Balance: "0"},
	CreditsExpiring:       {Credit: "API calls", Credits: "1", When: sampleInstant},
	AutoTopUpSucceeded:    {Credit: "API calls", Credits: "1000", Amount: "$10.00"},
	AutoTopUpFailed:       {Credit: "API calls"},
	AutoTopUpActionNeeded: {Credit: "API calls", Link: "https://acme.example.com/confirm"},
	TrialEnding:           {Plan: "Pro", When: sampleInstant},
	PaymentFailed:         {Plan: "Pro"},
}

// Samples are two letters of a kind, for trying templates and for showing what they look like: one
// with every fact that there is, and one with those only that the kind cannot do without. There is no
// sample of what is not a kind.
func Samples(kind Kind) []Letter {
	sparse, ok := sparseSamples[kind]
	if !ok {
		return nil
	}
	full := Letter{
		Kind: kind, To: "ann@example.com", Name: "Ann Example", App: "Acme", Credit: "API calls", Credits: "1000", Balance: "12.5",
		Threshold: "50", Plan: "Pro", Amount: "$10.00", Card: "visa •••• 4242", When: sampleInstant, Zone: "Europe/Zurich",
		Invoice: "2026-0001", Reason: "Your card has expired.", Link: "https://acme.example.com/billing?a=1&b=2",
		Lines: []Line{{"Starter pack", "1", "$9.00"}, {"Support, <i>January</i>", "", "$1.00"}},
	}
	sparse.Kind, sparse.To, sparse.App = kind, full.To, full.App
	return []Letter{full, sparse}
}
