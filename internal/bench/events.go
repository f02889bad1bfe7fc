package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/seed42445051/scrip"
	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	v1 "github.com/seed42445051/scrip/v1"
)

// meteredEvent is what the fixture's meter sums up.
const meteredEvent = "ai.generation"

// metered is the most customers whose events one call has.
const metered = 10

// PrepareEvents makes the fixture in a database, with a meter that uses up its credit, and reports
// so many events before anything is measured. They lie in the hour before, in order.
func PrepareEvents(ctx context.Context, db, app string, customers, stored int) (f *Fixture, err error) {
	if f, err = Prepare(ctx, db, app, customers); err != nil {
		return nil, err
	}
	s, err := scrip.Open(ctx, scrip.DB(db), scrip.SweepEvery(0))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close(ctx)) }()
	a, err := s.App(ctx, app, scrip.Test)
	if err != nil {
		return nil, err
	}
	_, err = a.CreateMeter(ctx, v1.CreateMeter{
		Name: "Tokens", EventName: meteredEvent, MeasurementUnit: "token", Aggregation: v1.Aggregation{Type: "sum", Key: "tokens"},
		Links: []v1.MeterLink{{CreditID: f.Credit, UnitsPerCredit: "1000"}},
	})
	if err != nil {
		return nil, err
	}
	begin := clock.At(time.Now().Add(-time.Hour))
	return f, Many((stored+v1.MaxEvents-1)/v1.MaxEvents, func(call int) error {
		var r v1.IngestRequest
		for i := call * v1.MaxEvents; i < min(stored, (call+1)*v1.MaxEvents); i++ {
			e := v1.UsageEvent{
				EventID: fmt.Sprintf("before_%010d", i), CustomerID: f.Customer((call*metered + i%metered) % customers), EventName: meteredEvent,
				Metadata: catalog.Values{"tokens": catalog.Text("1500"), "model": catalog.Text("gpt-4")},
			}
			e.Timestamp.Instant = begin + clock.Instant(int64(i)*time.Hour.Microseconds()/int64(stored))
			r.Events = append(r.Events, e)
		}
		_, err := a.IngestEvents(ctx, r)
		return err
	})
}

// Ingest reports events, so many a call, of customers drawn at random. Their ids rise with time, as
// those of the vendor's examples do.
func (f *Fixture) Ingest(perCall int) Operation {
	const before = `{"event_id":"`
	head := postHead("/v1/events", f.Key)
	tail := `","event_name":"` + meteredEvent + `","metadata":{"model":"gpt-4","tokens":"1500"}}`
	var calls atomic.Uint64
	began := uint64(time.Now().UnixNano())
	return func(c *Conn, random *rand.Rand) error {
		id := began + calls.Add(1)
		first := random.IntN(f.Customers)
		body := append(make([]byte, 0, perCall*160+20), `{"events":[`...)
		for i := range perCall {
			if i > 0 {
				body = append(body, ',')
			}
			body = append(body, before...)
			body = strconv.AppendUint(body, id, 10)
			body = append(body, '_')
			body = strconv.AppendInt(body, int64(i), 10)
			body = append(body, `","customer_id":"`...)
			body = append(body, f.Customer((first+i%metered)%f.Customers)...)
			body = append(body, tail...)
		}
		body = append(body, `]}`...)
		c.out = append(c.out[:0], head...)
		c.out = strconv.AppendInt(c.out, int64(len(body)), 10)
		c.out = append(append(c.out, headEnd...), body...)
		status, answer, err := c.Do(c.out)
		if err != nil {
			return err
		}
		return want(status, answer)
	}
}

// CheckEvents reads what the meter has counted of every customer: every event that was
// acknowledged, once.
func CheckEvents(ctx context.Context, db string, f *Fixture, acknowledged int) (err error) {
	s, err := scrip.Open(ctx, scrip.DB(db), scrip.SweepEvery(0))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close(ctx)) }()
	a, err := s.App(ctx, f.App, scrip.Test)
	if err != nil {
		return err
	}
	counted := 0
	for i := range f.Customers {
		page, err := a.MeterUsages(ctx, f.Customer(i), v1.MeterUsageQuery{})
		if err != nil {
			return err
		}
		for _, u := range page.Data {
			counted += int(u.Events)
		}
	}
	if counted != acknowledged {
		return fmt.Errorf("bench: %d events were acknowledged, and the meter has counted %d", acknowledged, counted)
	}
	return nil
}
