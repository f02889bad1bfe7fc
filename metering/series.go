package metering

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/seed42445051/scrip/caller"
	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/money"
	"github.com/seed42445051/scrip/store"
	v1 "github.com/seed42445051/scrip/v1"
	"github.com/seed42445051/scrip/wallet"
	"github.com/seed42445051/scrip/wording"
)

// windows are the lengths of the stretches of a time series, which begin at multiples of them
// in UTC.
var windows = map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour}

// UsageSeries reads how much a customer used in each stretch of time, from the events that are
// not void. Windows without usage are left out.
func (s *Session) UsageSeries(ctx context.Context, q v1.SeriesQuery) (v1.Series, error) {
	if q.Window == "" {
		q.Window = "hour"
	}
	out := v1.Series{CustomerID: q.CustomerID, Window: q.Window, Data: []v1.Window{}}
	if q.To.IsZero() {
		now, err := s.now(ctx)
		if err != nil {
			return out, err
		}
		q.To = now + 1
	}
	length, err := checkSeries(&q)
	if err != nil {
		return out, err
	}
	if _, err := caller.Wallet(s.caller, q.CustomerID); err != nil {
		return out, err
	}
	query := store.UsageQuery{App: s.caller.App, Mode: s.caller.Mode, Customer: q.CustomerID, Event: q.EventName, From: q.From, To: q.To}
	meter := &catalog.Meter{Event: q.EventName, Aggregation: catalog.Aggregation{Kind: catalog.Count}}
	if q.MeterID != "" {
		if meter, err = s.meter(ctx, q.MeterID); err != nil {
			return out, err
		}
		query.Event = meter.Event
	}
	points := map[clock.Instant]*point{}
	err = s.eachEvent(ctx, query, func(u *store.CustomerUsage) bool {
		if u.VoidedAt.IsZero() && counts(meter, &u.Usage) {
			start := u.At - u.At%clock.Instant(length.Microseconds())
			if points[start] == nil {
				points[start] = &point{}
			}
			points[start].add(meter, &u.Usage)
		}
		return true
	})
	for _, start := range slices.Sorted(maps.Keys(points)) {
		p := points[start]
		out.Data = append(out.Data, v1.Window{
			Start: start, End: start.Add(length), Value: wording.Amount(p.value, wallet.QuantityDecimals), Events: p.events,
		})
	}
	return out, err
}

func checkSeries(q *v1.SeriesQuery) (time.Duration, error) {
	const op = "metering.UsageSeries"
	length, ok := windows[q.Window]
	switch {
	case !ok:
		return 0, fault.New(op, fault.CodeInvalidRequest, "window must be minute, hour or day").In("window")
	case (q.MeterID == "") == (q.EventName == ""):
		return 0, fault.New(op, fault.CodeConflictingFields, "name a meter_id or an event_name").In("meter_id")
	case q.From.IsZero():
		return 0, fault.New(op, fault.CodeMissingField, "from is missing: when the series begins").In("from")
	case q.To < q.From:
		return 0, fault.New(op, fault.CodeInvalidTime, "to lies before from").In("to")
	case q.To.Sub(q.From) > v1.MaxWindows*length:
		return 0, fault.New(op, fault.CodeInvalidRequest, "a series has at most %d windows: take a longer window, or a shorter time", v1.MaxWindows).In("from")
	}
	return length, nil
}

// point is the usage in one window. Events come newest first.
type point struct {
	value  int64 // micros
	events int
	seen   map[string]bool
}

func (p *point) add(m *catalog.Meter, u *wallet.Usage) {
	value, unique, _ := m.Reads(u.Event, u.Metadata)
	p.events++
	switch m.Aggregation.Kind {
	case catalog.Max:
		if p.events == 1 || value > p.value {
			p.value = value
		}
		return
	case catalog.Last:
		if p.events == 1 {
			p.value = value
		}
		return
	case catalog.UniqueCount:
		if p.seen[unique] {
			return
		}
		if p.seen == nil {
			p.seen = map[string]bool{}
		}
		p.seen[unique] = true
	case catalog.Count:
		value = u.Quantity
	}
	if sum, err := money.Add(p.value, value); err == nil {
		p.value = sum // a period's sum that cannot be counted was refused when it came in
	}
}
