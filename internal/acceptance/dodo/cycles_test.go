package dodo

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/seed42445051/scrip"
	"github.com/seed42445051/scrip/clock"
)

// begin is when the scripts of subscriptions begin: on the last of a month, so that months are
// clamped.
const begin = "2026-01-31T12:00:00Z"

// TestCycles has the vendor's SDK watch cycles end, under every policy, on a clock that the scripts
// move themselves.
func TestCycles(t *testing.T) {
	onBoth(t, func(t *testing.T, address string) {
		for _, script := range []string{"subscriptions", "planchange", "overage", "rollover", "examples", "collect"} {
			t.Run(script, func(t *testing.T) {
				start, err := clock.Parse(begin)
				noError(t, err)
				now := clock.NewManual(start)
				d := newServer(t, address, scrip.WithClock(now))
				d.run(t, readScript(t, script+".mjs"), "CLOCK="+moved(t, now))
			})
		}
	})
}

// moved is where a script moves a clock: it posts the instant.
func moved(t *testing.T, now *clock.Manual) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		to, err := clock.Parse(r.URL.Query().Get("to"))
		if err != nil || to < now.Now() {
			http.Error(w, "the clock goes forward only", http.StatusBadRequest)
			return
		}
		now.Set(to)
	}))
	t.Cleanup(server.Close)
	return server.URL
}
