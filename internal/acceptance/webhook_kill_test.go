package acceptance

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed42445051/scrip"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/notify"
	v1 "github.com/seed42445051/scrip/v1"
)

// inbox is a receiver that notes what comes, and in which order it came first.
type inbox struct {
	sync.Mutex
	url   string
	slow  time.Duration
	times map[string]int     // how often each message came
	first map[string][]int64 // the entries of each customer, as each came first
}

func newInbox(t *testing.T, slow time.Duration) *inbox {
	box := &inbox{slow: slow, times: map[string]int{}, first: map[string][]int64{}}
	server := httptest.NewServer(box)
	t.Cleanup(server.Close)
	box.url = server.URL
	return box
}

func (box *inbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var event struct {
		ID   string          `json:"id"`
		Data v1.WebhookEntry `json:"data"`
	}
	if json.NewDecoder(r.Body).Decode(&event) != nil {
		w.WriteHeader(http.StatusBadRequest) // cut off; it is sent again
		return
	}
	<-time.After(box.slow)
	box.Lock()
	defer box.Unlock()
	if box.times[event.ID]++; box.times[event.ID] == 1 {
		box.first[event.Data.CustomerID] = append(box.first[event.Data.CustomerID], event.Data.Sequence)
	}
}

// order is the entries of a customer as each came first.
func (box *inbox) order(customer string) []int64 {
	box.Lock()
	defer box.Unlock()
	return slices.Clone(box.first[customer])
}

// arrived are the messages that have come.
func (box *inbox) arrived() map[string]int {
	box.Lock()
	defer box.Unlock()
	return maps.Clone(box.times)
}

func (box *inbox) requests() int {
	n := 0
	for _, times := range box.arrived() {
		n += times
	}
	return n
}

// ahead is the machine's clock for somebody who comes later.
type ahead struct {
	clock.System
	by time.Duration
}

func (a ahead) Now() clock.Instant { return a.System.Now().Add(a.by) }

// TestKilledWhileSending kills servers with kill -9 while they send, so that what they have leased
// is nobody's. Whoever comes when the leases have run out sends all of it: whatever was written
// arrives, in order where that is asked for, and twice only what a killed one had under way.
func TestKilledWhileSending(t *testing.T) {
	random := seeded(t)
	const least, customers, each = 4, 5, 100 // rounds, and events a round, at least
	onBoth(t, func(t *testing.T, db *database) {
		noError(t, db.store.Close())
		secret := makeKey(t, db.address, "sending", "live")
		plain, inOrder := newInbox(t, 5*time.Millisecond), newInbox(t, 5*time.Millisecond)
		var credit string
		written := map[string]int64{} // by customer, the last entry that was acknowledged
		var sum, rounds int
		met := false // a kill has met a delivery
		for round := 0; round < least || !met && round < least+patience; round++ {
			rounds++
			p := runServer(t, db.address, "--webhook-allow-private")
			c := p.client(secret)
			if round == 0 {
				made, err := c.CreateCredit(t.Context(), v1.CreateCredit{Name: "Plain", Unit: "x"})
				noError(t, err)
				credit = made.ID
				for _, r := range []v1.CreateWebhookEndpoint{{URL: plain.url}, {URL: inOrder.url, Ordered: true}} {
					_, err := c.CreateWebhookEndpoint(t.Context(), r)
					noError(t, err)
				}
			}
			var stop atomic.Bool
			var mu sync.Mutex
			var wg sync.WaitGroup
			for i := range customers {
				customer := fmt.Sprint("c", i)
				wg.Go(func() {
					for !stop.Load() {
						_, err := c.Grant(context.Background(), v1.GrantRequest{CustomerID: customer, CreditID: credit, Amount: "1"})
						if err != nil {
							continue
						}
						mu.Lock()
						written[customer]++
						sum++
						mu.Unlock()
					}
				})
			}
			until(t, "events", func() bool {
				mu.Lock()
				defer mu.Unlock()
				return sum >= each*(round+1)
			})
			<-time.After(time.Duration(random.Int64N(int64(50 * time.Millisecond))))
			p.kill()
			stop.Store(true)
			wg.Wait()
			for _, box := range []*inbox{plain, inOrder} { // nothing comes any more but what was under way
				met = met || len(box.arrived()) < sum
			}
		}
		left := sum - len(plain.arrived())

		s, err := scrip.Open(t.Context(), scrip.DB(db.address), scrip.WithClock(ahead{by: notify.LeaseFor}), scrip.WebhooksToLoopback())
		noError(t, err)
		until(t, "all to arrive", func() bool {
			backlog, err := s.Backlog(t.Context())
			noError(t, err)
			return backlog.Pending == 0
		})
		noError(t, s.Close(t.Context()))
		for name, box := range map[string]*inbox{"plain": plain, "ordered": inOrder} {
			for customer, n := range written {
				seen, came := map[int64]bool{}, box.order(customer)
				for i, seq := range came {
					seen[seq] = true
					if name == "ordered" && seq != int64(i+1) {
						t.Fatalf("%s: entry %d came first as number %d: %v", customer, seq, i+1, came)
					}
				}
				for seq := range n {
					if !seen[seq+1] {
						t.Errorf("%s, %s: entry %d of %d never came", name, customer, seq+1, n)
					}
				}
			}
		}
		twice := plain.requests() - len(plain.arrived())
		t.Logf("%d events were acknowledged; %d had not arrived when the last server was killed, %d came twice", sum, left, twice)
		if !met {
			t.Error("no kill ever met a delivery: the rounds are too short to show anything")
		}
		if bound := rounds * notify.Ahead; twice > bound {
			t.Errorf("%d came twice, of at most %d that were under way", twice, bound)
		}
		verify(t, db.address)
	})
}
