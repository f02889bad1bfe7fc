package acceptance

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/seed42445051/scrip/catalog"
	v1 "github.com/seed42445051/scrip/v1"
)

// TestRemindersOfAnAdvancedClock moves a test clock over the time at which a customer has to be told
// that credits expire and that a trial ends, in one jump and day by day: there is one letter for each,
// written for the instant at which it was due.
func TestRemindersOfAnAdvancedClock(t *testing.T) {
	onEach(t, func(t *testing.T, kind string) {
		s := newSite(t, kind)
		_, err := s.as(catalog.Test).CreatePlan(t.Context(), v1.CreatePlan{
			Name: "pro", Price: 900, TrialDays: 14, Credits: []v1.PlanCredit{{CreditID: "credits", Amount: "50"}},
		})
		noError(t, err)
		for name, steps := range map[catalog.Mode]int{"test/jump": 1, "test/days": 30} {
			key := s.key(name)
			begun := s.first.now(key).Now
			s.first.call(key, http.MethodPut, "/v1/customers/u", v1.SaveCustomer{Name: "Ann", Email: "ann@example.test"})
			s.first.give(key, "u", "70", begun.Add(20*24*time.Hour))
			read[v1.Subscription](t, s.first.call(key, http.MethodPost, "/v1/subscriptions", v1.Subscribe{CustomerID: "u", PlanID: "pro"}))
			for range steps {
				s.first.advance(key, 30*24*time.Hour/time.Duration(steps))
			}
			var kinds []string
			for _, m := range read[v1.Page[v1.Mail]](t, s.first.call(key, http.MethodGet, "/v1/mails", nil)).Data {
				kinds = append(kinds, m.Kind)
				if m.To != "ann@example.test" || m.Status != "pending" {
					t.Errorf("%s: a letter to %q is %s", name, m.To, m.Status)
				}
			}
			slices.Sort(kinds)
			if want := []string{"credits_expiring", "trial_ending"}; !slices.Equal(kinds, want) {
				t.Errorf("%s: the letters are %q, want %q", name, kinds, want)
			}
		}
	})
}
