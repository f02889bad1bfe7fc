package model_test

import (
	"testing"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/internal/model"
	"github.com/seed42445051/scrip/wallet"
)

// TestLongChainOfRollovers gives credits back to a grant that has rolled over every day for ten
// years: they follow it to where it is now, and all of what lies between is fetched at once.
func TestLongChainOfRollovers(t *testing.T) {
	const days, day = 3_650, clock.Instant(24 * 3600 * 1_000_000)
	defs := catalog.NewDefinitions("app_model", "model", 1)
	defs.Credits["crd_1"] = &catalog.Credit{ID: "crd_1", Name: "credits", ExpiresAfterDays: 1}
	b := model.NewBare(model.Customer, defs)
	do := func(at clock.Instant, c wallet.Command) {
		t.Helper()
		if _, err := b.Do(at, c); err != nil {
			t.Fatal(err)
		}
	}
	start := clock.Instant(1_769_817_600_000_000)
	do(start, &wallet.GiveCredits{Credit: "crd_1", Amount: 100, Rollover: &catalog.Rollover{Percent: 100, Validity: catalog.Interval{Count: 1, Unit: catalog.Day}}})
	do(start, &wallet.Deduct{Charge: wallet.Charge{Credit: "crd_1", Amount: 40}})
	end := start + days*day
	do(end, nil)
	b.Restart()
	do(end, &wallet.Reverse{Entry: 2})
	last := b.Stored(days + 1)
	if last.Available != 100 {
		t.Fatalf("the last grant of the chain has %d available: 60 rolled over and 40 came back", last.Available)
	}
}
