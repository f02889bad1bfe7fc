package acceptance

import (
	"context"
	"fmt"
	"testing"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/client"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/money"
	"github.com/seed42445051/scrip/store"
	v1 "github.com/seed42445051/scrip/v1"
	"github.com/seed42445051/scrip/wallet"
)

// gauge is an app that meters, called over HTTP.
type gauge struct {
	*world
	*wire
	*client.Client
	t      *testing.T
	secret string
	sent   int // events that got an id of ours
}

func newGauge(t *testing.T, db *database) *gauge {
	t.Helper()
	w := newWorld(t, db)
	g := &gauge{world: w, wire: w.serve(t), t: t}
	_, g.secret = w.newKey(t, w.app, catalog.Live, store.Secret)
	g.Client = g.client(g.secret)
	return g
}

// overGauge runs a test on both stores.
func overGauge(t *testing.T, test func(t *testing.T, g *gauge)) {
	t.Helper()
	onBoth(t, func(t *testing.T, db *database) { test(t, newGauge(t, db)) })
}

// credit defines a credit and returns its id.
func (g *gauge) credit(c v1.CreateCredit) string {
	g.t.Helper()
	if c.Unit == "" {
		c.Unit = "unit"
	}
	made, err := g.CreateCredit(context.Background(), c)
	noError(g.t, err)
	return made.ID
}

// meter defines a meter of an event under the event's name.
func (g *gauge) meter(event, kind, key string, links ...v1.MeterLink) string {
	g.t.Helper()
	made, err := g.CreateMeter(context.Background(), v1.CreateMeter{
		Name: event + " " + kind, EventName: event, Aggregation: v1.Aggregation{Type: kind, Key: key}, MeasurementUnit: "unit", Links: links,
	})
	noError(g.t, err)
	return made.ID
}

// at is a link at so many units a credit beyond a free threshold.
func linked(credit string, units, free money.Decimal) v1.MeterLink {
	return v1.MeterLink{CreditID: credit, UnitsPerCredit: units, FreeThreshold: free}
}

// give grants a customer credits, until an instant unless that is zero.
func (g *gauge) give(customer, credit string, amount money.Decimal, until clock.Instant) v1.Grant {
	g.t.Helper()
	r := v1.GrantRequest{CustomerID: customer, CreditID: credit, Amount: amount}
	if !until.IsZero() {
		r.ExpiresAt = v1.ExpiresAt(until)
	}
	made, err := g.Grant(context.Background(), r)
	noError(g.t, err)
	return made.Grants[0]
}

// event is one of the customer's with an id of its own.
func (g *gauge) event(customer, name string, metadata catalog.Values) v1.UsageEvent {
	g.sent++
	return v1.UsageEvent{EventID: fmt.Sprintf("e%05d", g.sent), CustomerID: customer, EventName: name, Metadata: metadata}
}

// send reports one event and returns its id.
func (g *gauge) send(customer, name string, metadata catalog.Values) string {
	g.t.Helper()
	e := g.event(customer, name, metadata)
	g.ingest(e)
	return e.EventID
}

// ingest reports events, which must all be new.
func (g *gauge) ingest(events ...v1.UsageEvent) {
	g.t.Helper()
	done, err := g.IngestEvents(context.Background(), v1.IngestRequest{Events: events})
	noError(g.t, err)
	same(g.t, "ingested", done, v1.Ingested{Ingested: len(events)})
}

// number is metadata of one number, as it is written.
func number(key, literal string) catalog.Values { return catalog.Values{key: catalog.Number(literal)} }

// stands fails the test unless a balance and its overage are these.
func (g *gauge) stands(customer, credit string, want, overage money.Decimal) {
	g.t.Helper()
	b := balance(g.t, g, customer, credit)
	if b.Balance != want || b.Overage != overage {
		g.t.Fatalf("balance %s, overage %s, want %s and %s", b.Balance, b.Overage, want, overage)
	}
}

// uncovered is what nothing paid for, in units of the credit: no operation shows it.
func (g *gauge) uncovered(customer, credit string) int64 {
	g.t.Helper()
	sn, err := g.store.Snapshot(context.Background(), g.key(customer).ID())
	noError(g.t, err)
	for _, s := range sn.Standings {
		if s.Credit == credit {
			return s.Uncovered
		}
	}
	return 0
}

// counted reads what a meter has counted of a customer in the newest period.
func (g *gauge) counted(customer, meter string) v1.MeterUsage {
	g.t.Helper()
	page, err := g.MeterUsages(context.Background(), customer, v1.MeterUsageQuery{MeterID: meter})
	noError(g.t, err)
	if len(page.Data) == 0 {
		g.t.Fatal("the meter has counted nothing")
	}
	return page.Data[0]
}

// used is a charge by event.
func used(customer, event string, quantity money.Decimal) v1.Charge {
	return v1.Charge{CustomerID: customer, Event: event, Quantity: quantity}
}

// overdrawn is the same, beyond zero if need be.
func overdrawn(customer, event string, quantity money.Decimal) v1.Charge {
	c := used(customer, event, quantity)
	c.Shortfall = "overage"
	return c
}

// hold reserves, which must be allowed.
func (g *gauge) hold(c v1.Charge) string {
	g.t.Helper()
	d, err := g.Reserve(context.Background(), v1.ReserveRequest{Charge: c, TTLSeconds: 3600})
	noError(g.t, err)
	if !d.Allowed {
		g.t.Fatalf("denied: %v", d.Reasons)
	}
	return d.ReservationID
}

// take commits an amount of a reservation; all of it when empty.
func (g *gauge) take(reservation string, amount money.Decimal, more bool) v1.Reservation {
	g.t.Helper()
	r := v1.CommitRequest{ReservationID: reservation, AllowMore: more}
	if amount != "" {
		r.Amount = &amount
	}
	done, err := g.Commit(context.Background(), r)
	noError(g.t, err)
	return done
}

// denies fails the test unless can-use and reserve deny a charge for these reasons, and say how
// much there was.
func (g *gauge) denies(c v1.Charge, available money.Decimal, reasons ...string) {
	g.t.Helper()
	asked, err := g.CanUse(context.Background(), v1.CanUseRequest{Charge: c})
	noError(g.t, err)
	reserved, err := g.Reserve(context.Background(), v1.ReserveRequest{Charge: c})
	noError(g.t, err)
	for _, d := range []v1.Decision{asked, reserved} {
		if d.Allowed || d.ReservationID != "" {
			g.t.Fatal("allowed")
		}
		same(g.t, "reasons", d.Reasons, reasons)
		equal(g.t, "available", d.Available, available)
	}
}

// resetOverage ends a cycle's overage, as billing will.
func (g *gauge) resetOverage(customer, credit string) {
	g.t.Helper()
	g.do(catalog.Live, customer, &wallet.ResetOverage{Credit: credit})
}

// to moves the clock to an instant.
func (g *gauge) to(at string) clock.Instant {
	then := must(clock.Parse(at))
	g.clock.Set(then)
	return then
}

func day(at string) clock.Instant { return must(clock.Parse(at + "T00:00:00Z")) }

func clockOf(at string) clock.Instant { return must(clock.Parse(at)) }

func decimal(text string) money.Decimal { return money.Decimal(text) }
