package acceptance

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/money"
	v1 "github.com/seed42445051/scrip/v1"
)

// post sends a body under the secret key.
func (g *gauge) post(path string, body any, headers ...string) reply {
	g.t.Helper()
	return g.call(g.secret, http.MethodPost, path, body, headers...)
}

// ask reads a path under the secret key.
func (g *gauge) ask(path string) reply {
	g.t.Helper()
	return g.call(g.secret, http.MethodGet, path, nil)
}

// lines sends a stream of events.
func (g *gauge) lines(text string) reply {
	g.t.Helper()
	return g.post("/v1/events", text, "Content-Type", "application/x-ndjson")
}

// TestTermsOfALink is law 7 for meters. Terms change in March: what March has counted already
// stays at 10 units a credit with 20 free, until March ends, for late events too; April has 5 a
// credit with none free. A link that comes later counts what comes later.
//
//	March: 100 -> (100 - 20) / 10 = 8; the terms change; 200 -> 18; in April, late: 250 -> 23
//	April: 100 / 5 = 20
//	the other credit, linked after the first 100: 100 + 50 in March, 100 in April = 250, one to one
func TestTermsOfALink(t *testing.T) {
	overGauge(t, func(t *testing.T, g *gauge) {
		ctx := context.Background()
		credit, other := g.credit(v1.CreateCredit{Name: "C"}), g.credit(v1.CreateCredit{Name: "Other"})
		meter := g.meter("call", "sum", "n", linked(credit, "10", "20"))
		g.give("c", credit, "1000", 0)
		g.give("c", other, "1000", 0)
		send := func(n, at, left, leftOther string) {
			t.Helper()
			e := g.event("c", "call", number("n", n))
			e.Timestamp.Instant = clockOf(at)
			g.ingest(e)
			g.stands("c", credit, decimal(left), "0")
			g.stands("c", other, decimal(leftOther), "0")
		}
		send("100", "2026-03-01T10:00:00Z", "992", "1000")
		_, err := g.UpdateMeter(ctx, meter, v1.UpdateMeter{Links: &[]v1.MeterLink{linked(credit, "5", "0"), linked(other, "", "")}})
		noError(t, err)
		send("100", "2026-03-01T11:00:00Z", "982", "900")
		g.to("2026-04-01T00:00:00Z")
		send("100", "2026-04-01T00:00:00Z", "962", "800")
		send("50", "2026-03-31T23:59:59.999999Z", "957", "750")

		_, err = g.ArchiveMeter(ctx, meter)
		noError(t, err)
		send("100", "2026-04-01T00:00:00Z", "957", "750")
		page, err := g.MeterUsages(ctx, "c", v1.MeterUsageQuery{})
		noError(t, err)
		var history []string
		for _, u := range page.Data {
			if u.CreditID == credit {
				history = append(history, fmt.Sprintf("%s: %s of %d events, %s free, %s each: %s", u.PeriodStart, u.Aggregate, u.Events, u.FreeThreshold, u.UnitsPerCredit, u.Credits))
			}
		}
		same(t, "history", history, []string{
			"2026-04-01T00:00:00Z: 100 of 1 events, 0 free, 5 each: 20",
			"2026-03-01T00:00:00Z: 250 of 3 events, 20 free, 10 each: 23",
		})

		// The list goes on where a page ends.
		var paged []v1.MeterUsage
		for q := (v1.MeterUsageQuery{Limit: 1}); ; {
			one, err := g.MeterUsages(ctx, "c", q)
			noError(t, err)
			paged = append(paged, one.Data...)
			if q.Cursor = one.NextCursor; !one.HasMore {
				break
			}
		}
		same(t, "page by page", paged, page.Data)
		equal(t, "number of tallies", len(paged), 4)
		march, err := g.MeterUsages(ctx, "c", v1.MeterUsageQuery{MeterID: meter, To: day("2026-04-01")})
		noError(t, err)
		equal(t, "tallies of March", len(march.Data), 2)
		_, err = g.MeterUsages(ctx, "c", v1.MeterUsageQuery{Cursor: "bm9uc2Vuc2U"})
		wantCode(t, err, fault.CodeInvalidCursor)
	})
}

// TestTimestamps sends what events name as their time, as it comes. The clock says 12:00.
func TestTimestamps(t *testing.T) {
	overGauge(t, func(t *testing.T, g *gauge) {
		for i, c := range []struct {
			sent string // JSON
			want string // empty: refused
		}{
			{`"2026-03-01T09:30:00Z"`, "2026-03-01T09:30:00Z"},
			{`"2026-03-01T09:30:00.25+02:00"`, "2026-03-01T07:30:00.250000Z"},
			{`"2026-03-01T09:30:00.123456"`, "2026-03-01T09:30:00.123456Z"},
			{`"2026-03-01T09:30:00"`, "2026-03-01T09:30:00Z"},
			{`"1999-12-31T23:59:59Z"`, "1999-12-31T23:59:59Z"},
			{`"2026-03-01T12:05:00Z"`, "2026-03-01T12:05:00Z"},
			{`"2026-03-01T12:05:00.000001Z"`, ""},
			{`"2027-03-01T12:00:00Z"`, ""},
			{`"2026-02-30T12:00:00Z"`, ""},
			{`"yesterday"`, ""},
			{`1767225600`, ""},
		} {
			id := fmt.Sprint("t", i)
			r := g.post("/v1/events", `{"events": [{"event_id": "`+id+`", "customer_id": "c", "event_name": "call", "timestamp": `+c.sent+`}]}`)
			if c.want == "" {
				r.is(t, http.StatusBadRequest, fault.CodeInvalidTime)
				continue
			}
			r.is(t, http.StatusOK, "")
			equal(t, c.sent, read[v1.Event](t, g.ask("/v1/events/"+id)).Timestamp.String(), c.want)
		}
		g.post("/v1/events", `{"events": [{"event_id": "none", "customer_id": "c", "event_name": "call"}]}`).is(t, http.StatusOK, "")
		equal(t, "without a timestamp", read[v1.Event](t, g.ask("/v1/events/none")).Timestamp, begin)
	})
}

// TestStream sends 5,000 lines, and then streams that break. What came before the place is stored,
// the error says where it is, and sending all of it again is safe.
func TestStream(t *testing.T) {
	overGauge(t, func(t *testing.T, g *gauge) {
		credit := g.credit(v1.CreateCredit{Name: "C"})
		g.meter("call", "count", "", linked(credit, "", ""))
		g.give("c", credit, "100000", 0)
		stream := func(name string, n int, lines map[int]string) string {
			var b strings.Builder
			for i := 1; i <= n; i++ {
				if line, ok := lines[i]; ok {
					b.WriteString(line + "\n")
					continue
				}
				fmt.Fprintf(&b, `{"event_id": "%s-%d", "customer_id": "c", "event_name": "call", "timestamp": "2026-02-%02dT10:00:00Z"}`+"\n", name, i, 1+i%28)
			}
			return b.String()
		}
		all := stream("a", 5000, nil)
		same(t, "first", read[v1.Ingested](t, g.lines(all)), v1.Ingested{Ingested: 5000})
		g.stands("c", credit, "95000", "0")
		same(t, "again", read[v1.Ingested](t, g.lines(all)), v1.Ingested{Duplicates: 5000})
		same(t, "blank lines, and no last end of line", read[v1.Ingested](t, g.lines("\n\n"+strings.TrimSuffix(stream("b", 2, nil), "\n"))), v1.Ingested{Ingested: 2})

		for _, c := range []struct {
			name, line, says string
			code             fault.Code
			status, stored   int
		}{
			{"no JSON", `{"event_id": `, "line 2500: ", fault.CodeInvalidJSON, 400, 2000},
			{"an unknown field", `{"event_id": "x", "customer_id": "c", "event_name": "call", "time": 1}`, "line 2500: ", fault.CodeUnknownField, 400, 2000},
			{"no customer", `{"event_id": "x", "event_name": "call"}`, "line 2500: ", fault.CodeMissingField, 400, 2000},
			{"the id of another line", `{"event_id": "the id of another line-2501", "customer_id": "c", "event_name": "call"}`, "lines 2001 to 3000: ", fault.CodeDuplicateEvent, 400, 2000},
			{"a long line", `{"event_id": "` + strings.Repeat("x", 64<<10) + `"}`, "line 2500: ", fault.CodeRequestTooLarge, 413, 2000},
		} {
			r := g.lines(stream(c.name, 5000, map[int]string{2500: c.line}))
			var problem struct {
				Detail     string
				Ingested   int
				Duplicates int
			}
			noError(t, json.Unmarshal(r.body, &problem))
			if r.status != c.status || r.code != c.code || !strings.Contains(problem.Detail, c.says) || problem.Ingested != c.stored {
				t.Errorf("%s: %d %s", c.name, r.status, r.body)
			}
			done := read[v1.Ingested](t, g.lines(stream(c.name, 5000, nil)))
			same(t, c.name+" put right", done, v1.Ingested{Ingested: 5000 - c.stored, Duplicates: c.stored})
		}
		g.stands("c", credit, "69998", "0")
	})
}

// TestSeries draws usage over time with each aggregation. The events of c are:
//
//	10:00:00 n=1 user=ann; 10:00:30 n=4 user=bob; 10:59:59 n=2 user=ann; 11:00 n=8 user=cid; next day 10:00 n=16 user=ann
//	and 10:00:10 n=32, which is voided
func TestSeries(t *testing.T) {
	overGauge(t, func(t *testing.T, g *gauge) {
		ctx := context.Background()
		g.to("2026-03-03T00:00:00Z")
		send := func(at, n, user string) string {
			e := g.event("c", "call", catalog.Values{"n": catalog.Number(n), "user": catalog.Text(user)})
			e.Timestamp.Instant = clockOf(at)
			g.ingest(e)
			return e.EventID
		}
		send("2026-03-01T10:00:00Z", "1", "ann")
		g.void("c", send("2026-03-01T10:00:10Z", "32", "ann"))
		send("2026-03-01T10:00:30Z", "4", "bob")
		send("2026-03-01T10:59:59.999999Z", "2", "ann")
		send("2026-03-01T11:00:00Z", "8", "cid")
		send("2026-03-02T10:00:00Z", "16", "ann")
		for _, c := range []struct{ kind, key, window, want string }{
			{"count", "", "minute", "10:00=2 10:59=1 11:00=1 10:00=1"},
			{"count", "", "hour", "10:00=3 11:00=1 10:00=1"},
			{"count", "", "day", "00:00=4 00:00=1"},
			{"sum", "n", "minute", "10:00=5 10:59=2 11:00=8 10:00=16"},
			{"sum", "n", "hour", "10:00=7 11:00=8 10:00=16"},
			{"sum", "n", "day", "00:00=15 00:00=16"},
			{"max", "n", "hour", "10:00=4 11:00=8 10:00=16"},
			{"max", "n", "day", "00:00=8 00:00=16"},
			{"last", "n", "hour", "10:00=2 11:00=8 10:00=16"},
			{"last", "n", "day", "00:00=8 00:00=16"},
			{"unique_count", "user", "minute", "10:00=2 10:59=1 11:00=1 10:00=1"},
			{"unique_count", "user", "hour", "10:00=2 11:00=1 10:00=1"},
			{"unique_count", "user", "day", "00:00=3 00:00=1"},
		} {
			name := c.kind + " by " + c.window
			made, err := g.CreateMeter(ctx, v1.CreateMeter{Name: name, EventName: "call", Aggregation: v1.Aggregation{Type: c.kind, Key: c.key}, MeasurementUnit: "x"})
			noError(t, err)
			series, err := g.UsageSeries(ctx, v1.SeriesQuery{CustomerID: "c", MeterID: made.ID, Window: c.window, From: clockOf("2026-03-01T10:00:00Z"), To: clockOf("2026-03-02T10:01:00Z")})
			noError(t, err)
			var points []string
			for _, w := range series.Data {
				points = append(points, w.Start.Time().Format("15:04")+"="+string(w.Value))
			}
			equal(t, name, strings.Join(points, " "), c.want)
		}
		byName, err := g.UsageSeries(ctx, v1.SeriesQuery{CustomerID: "c", EventName: "call", From: clockOf("2026-03-01T10:00:30Z"), To: clockOf("2026-03-01T11:00:00Z")})
		noError(t, err)
		same(t, "part of an hour", byName.Data, []v1.Window{{
			Start: clockOf("2026-03-01T10:00:00Z"), End: clockOf("2026-03-01T11:00:00Z"), Value: "2", Events: 2,
		}})
		for _, c := range []struct {
			q    v1.SeriesQuery
			code fault.Code
		}{
			{v1.SeriesQuery{CustomerID: "c", EventName: "call", Window: "month", From: begin}, fault.CodeInvalidRequest},
			{v1.SeriesQuery{CustomerID: "c", From: begin}, fault.CodeConflictingFields},
			{v1.SeriesQuery{CustomerID: "c", EventName: "call", MeterID: "sum by day", From: begin}, fault.CodeConflictingFields},
			{v1.SeriesQuery{CustomerID: "c", MeterID: "nothing", From: begin}, fault.CodeMeterNotFound},
			{v1.SeriesQuery{CustomerID: "c", EventName: "call", From: begin, To: begin - 1}, fault.CodeInvalidTime},
			{v1.SeriesQuery{CustomerID: "c", EventName: "call", Window: "minute", From: begin, To: begin.Add(v1.MaxWindows*time.Minute + time.Microsecond)}, fault.CodeInvalidRequest},
			{v1.SeriesQuery{CustomerID: "c", EventName: "call", Window: "minute", From: clockOf("1400-01-01T00:00:00Z"), To: begin}, fault.CodeInvalidRequest},
			{v1.SeriesQuery{CustomerID: "c", EventName: "call", Window: "minute", From: begin, To: begin.Add(v1.MaxWindows * time.Minute)}, ""},
		} {
			_, err := g.UsageSeries(ctx, c.q)
			equal(t, fmt.Sprintf("%+v", c.q), fault.CodeOf(err), c.code)
		}
	})
}

// TestEventsList pages through 47 events of three customers, of which many have the same time,
// forwards to the last, all of them and some.
func TestEventsList(t *testing.T) {
	overGauge(t, func(t *testing.T, g *gauge) {
		ctx := context.Background()
		_, err := g.CreateMeter(ctx, v1.CreateMeter{
			Name: "Large", EventName: "call", Aggregation: v1.Aggregation{Type: "count"}, MeasurementUnit: "x",
			Filter: &v1.Filter{Conjunction: catalog.And, Conditions: []catalog.Condition{{Key: "size", Operator: catalog.GreaterThan, Value: catalog.Number("5")}}},
		})
		noError(t, err)
		var all []v1.UsageEvent
		for i := range 47 {
			e := v1.UsageEvent{
				EventID: fmt.Sprint("e", i), CustomerID: fmt.Sprint("c", i%3), EventName: []string{"call", "other"}[i%2],
				Metadata: catalog.Values{"size": catalog.Text(fmt.Sprint(i % 10))},
			}
			e.Timestamp.Instant = begin - clock.Instant(i/10)
			all = append(all, e)
		}
		g.ingest(all...)
		count := func(q v1.EventQuery, wanted func(e *v1.UsageEvent) bool) {
			t.Helper()
			q.Limit = 4
			seen, last := map[string]bool{}, clock.Instant(1<<62)
			for {
				page, err := g.ListEvents(ctx, q)
				noError(t, err)
				for _, e := range page.Data {
					if seen[e.EventID] || e.Timestamp > last {
						t.Fatalf("%s comes twice, or is out of order", e.EventID)
					}
					seen[e.EventID], last = true, e.Timestamp
				}
				if q.Cursor = page.NextCursor; !page.HasMore {
					break
				}
				equal(t, "page", len(page.Data), 4)
			}
			for i := range all {
				if seen[all[i].EventID] != wanted(&all[i]) {
					t.Errorf("%+v: listed %t", all[i], seen[all[i].EventID])
				}
			}
		}
		count(v1.EventQuery{}, func(*v1.UsageEvent) bool { return true })
		count(v1.EventQuery{CustomerID: "c1"}, func(e *v1.UsageEvent) bool { return e.CustomerID == "c1" })
		count(v1.EventQuery{EventName: "other"}, func(e *v1.UsageEvent) bool { return e.EventName == "other" })
		large := func(e *v1.UsageEvent) bool { return e.EventName == "call" && e.Metadata["size"].Text > "5" }
		count(v1.EventQuery{MeterID: "large"}, large)
		count(v1.EventQuery{MeterID: "large", CustomerID: "c2"}, func(e *v1.UsageEvent) bool { return large(e) && e.CustomerID == "c2" })
		count(v1.EventQuery{From: begin - 2, To: begin}, func(e *v1.UsageEvent) bool {
			return e.Timestamp.Instant == begin-1 || e.Timestamp.Instant == begin-2
		})
		_, err = g.ListEvents(ctx, v1.EventQuery{MeterID: "large", EventName: "other"})
		wantCode(t, err, fault.CodeConflictingFields)
		_, err = g.ListEvents(ctx, v1.EventQuery{MeterID: "nothing"})
		wantCode(t, err, fault.CodeMeterNotFound)

		// An id that two customers have.
		g.ingest(v1.UsageEvent{EventID: "e0", CustomerID: "c1", EventName: "call"})
		_, err = g.GetEvent(ctx, "e0", v1.EventOwner{})
		wantCode(t, err, fault.CodeMissingField)
		e, err := g.GetEvent(ctx, "e0", v1.EventOwner{CustomerID: "c1"})
		noError(t, err)
		equal(t, "customer", e.CustomerID, "c1")
		_, err = g.GetEvent(ctx, "E0", v1.EventOwner{})
		wantCode(t, err, fault.CodeEventNotFound)
		strange := "100 %/ü?#\t"
		g.ingest(v1.UsageEvent{EventID: strange, CustomerID: "c1", EventName: "call"})
		e, err = g.GetEvent(ctx, strange, v1.EventOwner{})
		noError(t, err)
		equal(t, "strange id", e.EventID, strange)
		g.void("c1", strange)
	})
}

// TestLimitsOfMetering is at each limit, and one beyond it, where nothing may be stored.
func TestLimitsOfMetering(t *testing.T) {
	overGauge(t, func(t *testing.T, g *gauge) {
		ctx := context.Background()
		many := func(n int) v1.IngestRequest {
			var r v1.IngestRequest
			for range n {
				r.Events = append(r.Events, g.event("c", "call", nil))
			}
			return r
		}
		values := func(n int, key, value string) catalog.Values {
			m := catalog.Values{key: catalog.Text(value)}
			for i := range n - 1 {
				m[fmt.Sprint(i)] = catalog.Number("1")
			}
			return m
		}
		one := func(id string, metadata catalog.Values) v1.IngestRequest {
			return v1.IngestRequest{Events: []v1.UsageEvent{{EventID: id, CustomerID: "c", EventName: "call", Metadata: metadata}}}
		}
		for _, c := range []struct {
			what string
			r    v1.IngestRequest
			code fault.Code
		}{
			{"no event", v1.IngestRequest{}, fault.CodeMissingField},
			{"1,000 events", many(1000), ""},
			{"1,001 events", many(1001), fault.CodeInvalidRequest},
			{"50 pairs", one("a", values(50, "k", "v")), ""},
			{"51 pairs", one("b", values(51, "k", "v")), fault.CodeMetadataTooLarge},
			{"a key of 100", one("c", values(1, strings.Repeat("k", 100), "v")), ""},
			{"a key of 101", one("d", values(1, strings.Repeat("k", 101), "v")), fault.CodeMetadataTooLarge},
			{"a value of 500", one("e", values(1, "k", strings.Repeat("v", 500))), ""},
			{"a value of 501", one("f", values(1, "k", strings.Repeat("v", 501))), fault.CodeMetadataTooLarge},
			{"an id of 255 characters", one(strings.Repeat("ü", 255), nil), ""},
			{"an id of 256 characters", one(strings.Repeat("ü", 256), nil), fault.CodeInvalidRequest},
			{"an empty id", one("", nil), fault.CodeMissingField},
		} {
			_, err := g.IngestEvents(ctx, c.r)
			equal(t, c.what, fault.CodeOf(err), c.code)
			for _, e := range c.r.Events[:min(1, len(c.r.Events))] {
				if e.EventID == "" {
					continue
				}
				_, err := g.GetEvent(ctx, e.EventID, v1.EventOwner{})
				equal(t, "stored of "+c.what, err == nil, c.code == "")
			}
		}

		// A body of events may have 8 MB, and no more.
		body := toJSON(t, many(1))
		room := v1.MaxEventsBody - len(body)
		g.post("/v1/events", string(body)+strings.Repeat(" ", room)).is(t, http.StatusOK, "")
		g.post("/v1/events", string(toJSON(t, many(1)))+strings.Repeat(" ", room+1)).is(t, http.StatusRequestEntityTooLarge, fault.CodeRequestTooLarge)
		g.post("/v1/events", `{"events": [{"event_id": "x", "customer_id": "c", "event_name": "call", "metadata": {"a": {"b": 1}}}]}`).
			is(t, http.StatusBadRequest, fault.CodeInvalidMetadata)

		filter := func(depth, clauses int) *v1.Filter {
			f := catalog.Filter{Conjunction: catalog.Or}
			for range clauses {
				f.Conditions = append(f.Conditions, catalog.Condition{Key: "k", Operator: catalog.Equals, Value: catalog.Text("v")})
			}
			for range depth - 1 {
				f = catalog.Filter{Conjunction: catalog.And, Filters: []catalog.Filter{f}}
			}
			return (*v1.Filter)(&f)
		}
		var links []v1.MeterLink
		for i := range catalog.MaxMeterLinks + 1 {
			links = append(links, linked(g.credit(v1.CreateCredit{Name: fmt.Sprint("C", i)}), "", ""))
		}
		for i, c := range []struct {
			what string
			m    v1.CreateMeter
			code fault.Code
		}{
			{"a filter of depth 3", v1.CreateMeter{Filter: filter(3, 1)}, ""},
			{"a filter of depth 4", v1.CreateMeter{Filter: filter(4, 1)}, fault.CodeInvalidRequest},
			{"20 clauses", v1.CreateMeter{Filter: filter(1, 20)}, ""},
			{"21 clauses", v1.CreateMeter{Filter: filter(1, 21)}, fault.CodeInvalidRequest},
			{"no clause", v1.CreateMeter{Filter: filter(1, 0)}, fault.CodeInvalidRequest},
			{"10 links", v1.CreateMeter{Links: links[:10]}, ""},
			{"11 links", v1.CreateMeter{Links: links}, fault.CodeInvalidRequest},
			{"a credit twice", v1.CreateMeter{Links: []v1.MeterLink{links[0], linked("c0", "2", "")}}, fault.CodeInvalidRequest},
			{"an unknown credit", v1.CreateMeter{Links: []v1.MeterLink{linked("nothing", "", "")}}, fault.CodeCreditNotFound},
			{"0 units a credit", v1.CreateMeter{Links: []v1.MeterLink{linked("c0", "0", "")}}, fault.CodeInvalidAmount},
			{"less than nothing free", v1.CreateMeter{Links: []v1.MeterLink{linked("c0", "", "-1")}}, fault.CodeInvalidAmount},
			{"a sum of nothing", v1.CreateMeter{Aggregation: v1.Aggregation{Type: "sum"}}, fault.CodeMissingField},
			{"a median", v1.CreateMeter{Aggregation: v1.Aggregation{Type: "median", Key: "k"}}, fault.CodeInvalidRequest},
		} {
			c.m.Name, c.m.EventName, c.m.MeasurementUnit = fmt.Sprint("M", i), "call", "x"
			if c.m.Aggregation.Type == "" {
				c.m.Aggregation.Type = "count"
			}
			_, err := g.CreateMeter(ctx, c.m)
			equal(t, c.what, fault.CodeOf(err), c.code)
		}
	})
}

// TestUsageBeyondCounting: usage that cannot be counted is refused, and leaves no trace.
func TestUsageBeyondCounting(t *testing.T) {
	overGauge(t, func(t *testing.T, g *gauge) {
		ctx := context.Background()
		credit := g.credit(v1.CreateCredit{Name: "C", Precision: 10})
		g.meter("call", "sum", "n", linked(credit, "0.000001", ""))
		g.give("c", credit, "1", 0)
		for _, n := range []string{"9000000000000", "1e30", "99999999999999999999999999"} {
			_, err := g.IngestEvents(ctx, v1.IngestRequest{Events: []v1.UsageEvent{
				{EventID: "fine", CustomerID: "c", EventName: "call", Metadata: number("n", "0")},
				{EventID: "huge", CustomerID: "c", EventName: "call", Metadata: number("n", n)},
			}})
			if err == nil {
				// A number that does not fit does not count, as text would not.
				equal(t, "due", g.counted("c", "call sum").Credits, money.Decimal("0"))
				continue
			}
			wantCode(t, err, fault.CodeAmountOutOfRange)
			_, err = g.GetEvent(ctx, "fine", v1.EventOwner{})
			wantCode(t, err, fault.CodeEventNotFound)
		}
		g.stands("c", credit, "1", "0")
	})
}

// TestBackFillOfYears sends usage of sixty months in one call, to a server that has not seen the
// customer, and then to others: each month has a threshold of its own, 1 call is free.
func TestBackFillOfYears(t *testing.T) {
	overGauge(t, func(t *testing.T, g *gauge) {
		const months = 60
		ctx := context.Background()
		credit := g.credit(v1.CreateCredit{Name: "C"})
		meter := g.meter("call", "count", "", linked(credit, "", "1"))
		g.give("c", credit, "1000", 0)
		call := func(round int) v1.IngestRequest {
			var r v1.IngestRequest
			for i := range months {
				at := begin.Time().AddDate(0, -1-i, 0)
				r.Events = append(r.Events, v1.UsageEvent{
					EventID: fmt.Sprint(round, "-", i), CustomerID: "c", EventName: "call", Timestamp: v1.Timestamp{Instant: clock.At(at)},
				})
			}
			return r
		}
		for round := range 3 {
			done, err := startServer(t, g.store, g.options()).as(g.app, catalog.Live).IngestEvents(ctx, call(round))
			noError(t, err)
			same(t, "answer", done, v1.Ingested{Ingested: months})
			g.stands("c", credit, money.Decimal(fmt.Sprint(1000-round*months)), "0")
		}
		page, err := g.MeterUsages(ctx, "c", v1.MeterUsageQuery{MeterID: meter, Limit: 500})
		noError(t, err)
		equal(t, "periods", len(page.Data), months)

		// One event that twenty meters count, corrected and voided long after.
		const meters = 20
		wide := g.credit(v1.CreateCredit{Name: "W"})
		for i := range meters {
			_, err := g.CreateMeter(ctx, v1.CreateMeter{
				Name: fmt.Sprint("wide ", i), EventName: "wide", MeasurementUnit: "x", Links: []v1.MeterLink{linked(wide, "", "")},
				Aggregation: v1.Aggregation{Type: []string{"sum", "max", "last", "unique_count"}[i%4], Key: "n"},
			})
			noError(t, err)
		}
		g.give("w", wide, "1000", 0)
		old := v1.Timestamp{Instant: clock.At(begin.Time().AddDate(-1, 0, 0))}
		g.ingest(v1.UsageEvent{EventID: "wide", CustomerID: "w", EventName: "wide", Timestamp: old, Metadata: number("n", "3")})
		g.stands("w", wide, "950", "0") // 15 x 3 + 5 x 1
		fresh := func() *ops { return startServer(t, g.store, g.options()).as(g.app, catalog.Live) }
		_, err = fresh().CorrectEvent(ctx, "wide", v1.CorrectEvent{CustomerID: "w", EventID: "right", Metadata: number("n", "4")})
		noError(t, err)
		g.stands("w", wide, "935", "0") // 15 x 4 + 5 x 1
		_, err = fresh().VoidEvent(ctx, "right", v1.VoidEvent{CustomerID: "w"})
		noError(t, err)
		g.stands("w", wide, "1000", "0")
	})
}
