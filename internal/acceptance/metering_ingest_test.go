package acceptance

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed42445051/scrip/client"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/internal/pgtest"
	v1 "github.com/seed42445051/scrip/v1"
)

// TestIngestFromManyClients has 16 clients that each make 2 calls of 1,000 events at the same time,
// over HTTP. 100 of each call are those with which another client's call begins, so 32 x 900 =
// 28,800 are different and 3,200 come twice. They are of 4 customers, 7,200 each, and 7 units make
// a credit at a precision of 2: floor(7,200 / 7 x 100) = 1028.57 are due to each.
func TestIngestFromManyClients(t *testing.T) {
	const clients, calls, size, twice, customers = 16, 2, 1000, 100, 4
	overGauge(t, func(t *testing.T, g *gauge) {
		ctx := context.Background()
		credit := g.credit(v1.CreateCredit{Name: "C", Precision: 2})
		meter := g.meter("call", "sum", "n", linked(credit, "7", ""))
		for i := range customers {
			g.give(fmt.Sprint("c", i), credit, "2000", 0)
		}
		event := func(client, call, i int) v1.UsageEvent {
			return v1.UsageEvent{
				EventID: fmt.Sprintf("e-%d-%d-%d", client, call, i), CustomerID: fmt.Sprint("c", i%customers), EventName: "call",
				Metadata: number("n", "1"),
			}
		}
		var ingested, duplicates atomic.Int64
		together(clients, func(client int) {
			for call := range calls {
				var r v1.IngestRequest
				for i := range size - twice {
					r.Events = append(r.Events, event(client, call, i))
				}
				for i := range twice {
					r.Events = append(r.Events, event((client+1)%clients, call, i))
				}
				done, err := g.IngestEvents(ctx, r)
				if err != nil || done.Ingested+done.Duplicates != size {
					t.Errorf("client %d, call %d: %+v, %v", client, call, done, err)
				}
				ingested.Add(int64(done.Ingested))
				duplicates.Add(int64(done.Duplicates))
			}
		})
		equal(t, "ingested", ingested.Load(), clients*calls*(size-twice))
		equal(t, "duplicates", duplicates.Load(), clients*calls*twice)
		for i := range customers {
			customer := fmt.Sprint("c", i)
			g.stands(customer, credit, "971.43", "0")
			equal(t, "events of "+customer, g.counted(customer, meter).Events, 7200)
		}

		// One that comes twice within a call: nothing of the call is stored.
		r := v1.IngestRequest{Events: []v1.UsageEvent{event(99, 0, 0), event(99, 0, 1), event(99, 0, 0)}}
		_, err := g.IngestEvents(ctx, r)
		wantCode(t, err, fault.CodeDuplicateEvent)
		equal(t, "field", fault.As(err).Field, "events.2.event_id")
		_, err = g.GetEvent(ctx, "e-99-0-1", v1.EventOwner{})
		wantCode(t, err, fault.CodeEventNotFound)
		g.stands("c0", credit, "971.43", "0")
		// The same id of two customers is two events.
		other := event(99, 0, 0)
		other.CustomerID = "c1"
		g.ingest(event(99, 0, 0), other)
	})
}

// TestIngestUnderAKey: the answer of a call is kept under its idempotency key, also when its
// events leave their timestamp to the server and time has gone on.
func TestIngestUnderAKey(t *testing.T) {
	overGauge(t, func(t *testing.T, g *gauge) {
		ctx := context.Background()
		credit := g.credit(v1.CreateCredit{Name: "C"})
		g.meter("call", "count", "", linked(credit, "", ""))
		key := v1.IdempotencyKey("k")
		r := v1.IngestRequest{Events: []v1.UsageEvent{g.event("a", "call", nil), g.event("a", "call", nil), g.event("b", "call", nil)}}
		for range 3 {
			done, err := g.IngestEvents(ctx, r, key)
			noError(t, err)
			same(t, "answer", done, v1.Ingested{Ingested: 3})
			g.clock.Advance(time.Hour)
		}
		done, err := g.IngestEvents(ctx, r)
		noError(t, err)
		same(t, "without the key", done, v1.Ingested{Duplicates: 3})
		for _, other := range [][]v1.UsageEvent{
			{g.event("a", "call", nil)},
			{r.Events[0], r.Events[1], g.event("b", "call", nil)},
			{r.Events[0], r.Events[1], g.event("c", "call", nil)},
			r.Events[:2],
		} {
			_, err := g.IngestEvents(ctx, v1.IngestRequest{Events: other}, key)
			wantCode(t, err, fault.CodeIdempotencyKeyReused)
		}
		// A key is a customer's: about others only, it is another request, and remembered as well.
		strangers := v1.IngestRequest{Events: []v1.UsageEvent{g.event("d", "call", nil), g.event("e", "call", nil)}}
		for range 2 {
			done, err := g.IngestEvents(ctx, strangers, key)
			noError(t, err)
			same(t, "of others", done, v1.Ingested{Ingested: 2})
		}
		page, err := g.ListEvents(ctx, v1.EventQuery{})
		noError(t, err)
		for _, e := range page.Data {
			if e.CustomerID == "a" || e.CustomerID == "b" { // whose event may have been new
				equal(t, "timestamp of "+e.EventID, e.Timestamp, begin)
			}
		}
	})
}

// deliveries is what some clients have sent, and which of it was acknowledged.
type deliveries struct {
	sync.Mutex
	sent, acknowledged map[string]bool
}

func (d *deliveries) note(r v1.IngestRequest, acknowledged bool) {
	d.Lock()
	defer d.Unlock()
	for _, e := range r.Events {
		d.sent[e.EventID] = true
		if acknowledged {
			d.acknowledged[e.EventID] = true
		}
	}
}

// done is how many were acknowledged.
func (d *deliveries) done() int {
	d.Lock()
	defer d.Unlock()
	return len(d.acknowledged)
}

// TestKilledWhileIngesting kills the server with kill -9 while events come in. What was
// acknowledged is there, once; all of it is sent again to the next server, and then everything
// is there once.
func TestKilledWhileIngesting(t *testing.T) {
	random := seeded(t)
	onBoth(t, func(t *testing.T, db *database) {
		noError(t, db.store.Close())
		secret := makeKey(t, db.address, "metered", "live")
		p := runServer(t, db.address)
		setUpMetering(t, p.client(secret))
		d := &deliveries{sent: map[string]bool{}, acknowledged: map[string]bool{}}
		for round := range 3 {
			var stop atomic.Bool
			var wg sync.WaitGroup
			for i := range 4 {
				c, chance := p.client(secret), rand.New(rand.NewPCG(random.Uint64(), 0))
				wg.Go(func() {
					for call := 0; !stop.Load(); call++ {
						r := someEvents(fmt.Sprintf("e-%d-%d-%d", round, i, call), 1+chance.IntN(200))
						_, err := c.IngestEvents(context.Background(), r)
						d.note(r, err == nil)
					}
				})
			}
			before := d.done()
			until(t, "something to be acknowledged", func() bool { return d.done() > before })
			<-time.After(time.Duration(100+random.IntN(200)) * time.Millisecond)
			p.kill()
			stop.Store(true)
			wg.Wait()
			p = runServer(t, db.address)
			stored := allEvents(t, p.client(secret))
			for id := range d.acknowledged {
				if stored[id] != 1 {
					t.Fatalf("%s was acknowledged, and is there %d times", id, stored[id])
				}
			}
		}
		again := slices.Collect(maps.Keys(d.sent))
		for ids := range slices.Chunk(again, v1.MaxEvents) {
			var r v1.IngestRequest
			for _, id := range ids {
				r.Events = append(r.Events, someEvent(id))
			}
			_, err := p.client(secret).IngestEvents(context.Background(), r)
			noError(t, err)
		}
		equal(t, "events", len(allEvents(t, p.client(secret))), len(d.sent))
		t.Logf("%d events were sent, %d acknowledged", len(d.sent), len(d.acknowledged))
		checkUsed(t, p.client(secret), len(d.sent))
		noError(t, p.stop(t))
		verify(t, db.address)
	})
}

// TestTwoServersIngest lets two server processes on one PostgreSQL take the same events at the
// same time: each counts once.
func TestTwoServersIngest(t *testing.T) {
	address := pgtest.URL(t)
	secret := makeKey(t, address, "metered", "live")
	servers := []*process{runServer(t, address), runServer(t, address)}
	setUpMetering(t, servers[0].client(secret))
	const clients, calls, size = 8, 4, 250
	var ingested, duplicates atomic.Int64
	together(2*clients, func(i int) {
		c := servers[i%2].client(secret, client.WithRetries(3))
		for call := range calls {
			done, err := c.IngestEvents(context.Background(), someEvents(fmt.Sprintf("e-%d-%d", i/2, call), size))
			if err != nil {
				t.Error(err)
			}
			ingested.Add(int64(done.Ingested))
			duplicates.Add(int64(done.Duplicates))
		}
	})
	equal(t, "ingested", ingested.Load(), clients*calls*size)
	equal(t, "duplicates", duplicates.Load(), clients*calls*size)
	for _, p := range servers {
		checkUsed(t, p.client(secret), clients*calls*size)
		noError(t, p.stop(t))
	}
	verify(t, address)
}

func setUpMetering(t *testing.T, c *client.Client) {
	t.Helper()
	credit, err := c.CreateCredit(t.Context(), v1.CreateCredit{Name: "C", Unit: "x", Overage: v1.Overage{Enabled: true}})
	noError(t, err)
	_, err = c.CreateMeter(t.Context(), v1.CreateMeter{
		Name: "M", EventName: "call", Aggregation: v1.Aggregation{Type: "sum", Key: "n"}, MeasurementUnit: "x",
		Links: []v1.MeterLink{{CreditID: credit.ID}},
	})
	noError(t, err)
	for i := range meteredCustomers {
		_, err = c.Grant(t.Context(), v1.GrantRequest{CustomerID: fmt.Sprint("c", i), CreditID: credit.ID, Amount: "10000"})
		noError(t, err)
	}
}

const meteredCustomers = 3

// someEvent has a customer that its id decides, and counts 1.
func someEvent(id string) v1.UsageEvent {
	return v1.UsageEvent{EventID: id, CustomerID: fmt.Sprint("c", len(id)*7%meteredCustomers), EventName: "call", Metadata: number("n", "1")}
}

func someEvents(name string, n int) v1.IngestRequest {
	var r v1.IngestRequest
	for i := range n {
		r.Events = append(r.Events, someEvent(fmt.Sprintf("%s-%d", name, i)))
	}
	return r
}

// allEvents counts the events that there are, by id.
func allEvents(t *testing.T, c *client.Client) map[string]int {
	t.Helper()
	all := map[string]int{}
	for q := (v1.EventQuery{Limit: v1.MaxPage}); ; {
		page, err := c.ListEvents(t.Context(), q)
		noError(t, err)
		for _, e := range page.Data {
			all[e.EventID]++
		}
		if q.Cursor = page.NextCursor; !page.HasMore {
			return all
		}
	}
}

// checkUsed fails the test unless exactly so much was used of the only credit, by all.
func checkUsed(t *testing.T, c *client.Client, want int) {
	t.Helper()
	total := 0
	for i := range meteredCustomers {
		b, err := c.Balances(t.Context(), fmt.Sprint("c", i), "C", 0)
		noError(t, err)
		var used int
		_, err = fmt.Sscan(string(b.Data[0].Used), &used)
		noError(t, err)
		total += used
	}
	equal(t, "used by all", total, want)
}
