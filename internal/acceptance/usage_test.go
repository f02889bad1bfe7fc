package acceptance

import (
	"context"
	"testing"

	v1 "github.com/seed42445051/scrip/v1"
)

// usageRows are what a page shows of a customer's plan and credits.
var usageRows = []row[*forge]{
	{"a subscriber has a period whatever the filter leaves", func(t *testing.T, f *forge) {
		f.subscribe("u", "pro")
		for _, event := range []string{"", gemini, "image.*", veo} {
			u, err := f.Usage(context.Background(), "u", event)
			noError(t, err)
			if u.Period == nil {
				t.Fatalf("no period with the filter %q", event)
			}
			equal(t, "period with the filter "+event, u.Period.Start.String()+" "+u.Period.End.String(), "2026-03-01T00:00:00Z 2026-04-01T00:00:00Z")
		}
		u, err := f.Usage(context.Background(), "u", veo)
		noError(t, err)
		equal(t, "counters", len(u.Counters), 0)
		f.unsubscribe("u")
		u, err = f.Usage(context.Background(), "u", veo)
		noError(t, err)
		equal(t, "no period once it ended", u.Period == nil, true)
	}},
	{"a plan without allowances has a period", func(t *testing.T, f *forge) {
		f.createPlan(v1.CreatePlan{Name: "Bare"})
		f.subscribe("u", "bare")
		u, err := f.Usage(context.Background(), "u", "")
		noError(t, err)
		equal(t, "period", u.Period.Start.String()+" "+u.Period.End.String(), "2026-03-01T12:00:00Z 2026-04-01T12:00:00Z")
	}},
	{"what is held stays in sight", func(t *testing.T, f *forge) {
		f.buy("u", topUp, "cs_1")
		d := f.reserve("u", gemini, "50")
		u, err := f.Usage(context.Background(), "u", gemini)
		noError(t, err)
		equal(t, "credits", len(u.Credits), 1)
		equal(t, "remaining", u.Credits[0].Remaining, "0")
		equal(t, "held", u.Credits[0].Held, "50")
		_, err = f.Commit(context.Background(), v1.CommitRequest{ReservationID: d.ReservationID})
		noError(t, err)
		u, err = f.Usage(context.Background(), "u", gemini)
		noError(t, err)
		equal(t, "credits once they are spent", len(u.Credits), 0)
	}},
}

func TestUsage(t *testing.T) { runRows(t, usageRows, newForge) }
