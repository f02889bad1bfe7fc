package dodo

import (
	"net/http"
	"strconv"
	"time"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	v1 "github.com/seed42445051/scrip/v1"
)

// eventRoutes are usage as it is reported (dodo.md section 7).
var eventRoutes = []route{
	{http.MethodPost, "/events/ingest", http.StatusOK, (*call).ingest},
	{http.MethodGet, "/events", http.StatusOK, (*call).listEvents},
	{http.MethodGet, "/events/{event}", http.StatusOK, (*call).getEvent},
}

// maxAge is how long ago an event may have happened: the vendor takes no history.
const maxAge = time.Hour

// event is something that happened.
type event struct {
	BusinessID string         `json:"business_id"`
	CustomerID string         `json:"customer_id"`
	EventID    string         `json:"event_id"`
	EventName  string         `json:"event_name"`
	Timestamp  clock.Instant  `json:"timestamp"`
	Metadata   catalog.Values `json:"metadata"`
}

func (c *call) event(e *v1.Event) event {
	return event{c.app, e.CustomerID, e.EventID, e.EventName, e.Timestamp, e.Metadata}
}

// ingestBody is a report of usage.
type ingestBody struct {
	Events []eventBody `json:"events"`
}

// eventBody is one event of it. A timestamp without a zone is UTC, as the vendor's own example
// for Python sends it.
type eventBody struct {
	EventID    optional[string]         `json:"event_id"`
	CustomerID optional[string]         `json:"customer_id"`
	EventName  optional[string]         `json:"event_name"`
	Timestamp  optional[v1.Timestamp]   `json:"timestamp"`
	Metadata   optional[catalog.Values] `json:"metadata"`
}

// ingested is what a report came to: events that were reported before do not count again.
type ingested struct {
	Count int `json:"ingested_count"`
}

// ingest records events, all or none. The credits that meters take are taken when it answers.
func (c *call) ingest() (any, error) {
	var body ingestBody
	if err := c.decode(&body); err != nil {
		return nil, err
	}
	if n := len(body.Events); n == 0 || n > v1.MaxEvents {
		return nil, wrongEvent("events must have 1 to " + strconv.Itoa(v1.MaxEvents) + " elements")
	}
	r := v1.IngestRequest{Events: make([]v1.UsageEvent, len(body.Events))}
	for i := range body.Events {
		e, err := body.Events[i].read(i)
		if err != nil {
			return nil, err
		}
		r.Events[i] = e
	}
	if err := c.checkEvents(r.Events); err != nil {
		return nil, err
	}
	done, err := c.IngestEvents(c, r)
	if err != nil {
		return nil, asWrongEvent(err)
	}
	return ingested{done.Ingested}, nil
}

func (b *eventBody) read(i int) (v1.UsageEvent, error) {
	if !b.EventID.has() || !b.CustomerID.has() || !b.EventName.has() {
		return v1.UsageEvent{}, invalidBody("events." + strconv.Itoa(i) + ": event_id, customer_id and event_name are required")
	}
	return v1.UsageEvent{
		EventID: b.EventID.value, CustomerID: b.CustomerID.value, EventName: b.EventName.value,
		Timestamp: b.Timestamp.value, Metadata: b.Metadata.value,
	}, nil
}

// checkEvents refuses a report for what only this interface refuses: an id that is there twice, be
// it of two customers, an event that is too old, and a customer nobody has made.
func (c *call) checkEvents(events []v1.UsageEvent) error {
	now, err := c.Now(c)
	if err != nil {
		return err
	}
	oldest := now.Add(-maxAge)
	seen, known := make(map[string]bool, len(events)), make(map[string]bool, 1)
	for i := range events {
		e := &events[i]
		if seen[e.EventID] {
			return wrongEvent("events." + strconv.Itoa(i) + ": the event_id is in the request twice")
		}
		seen[e.EventID] = true
		if !e.Timestamp.IsZero() && e.Timestamp.Instant < oldest {
			return wrongEvent("events." + strconv.Itoa(i) + ": the timestamp is more than an hour old")
		}
		if known[e.CustomerID] {
			continue
		}
		if _, err := c.GetCustomer(c, e.CustomerID); err != nil {
			return asWrongEvent(err)
		}
		known[e.CustomerID] = true
	}
	return nil
}

func wrongEvent(message string) error {
	return &refusal{http.StatusBadRequest, "INVALID_REQUEST_PARAMETERS", message}
}

// asWrongEvent answers 400 where a service finds an event wrong (section 7.1).
func asWrongEvent(err error) error {
	if e := fault.As(err); e.Kind() == fault.Invalid || e.Kind() == fault.NotFound || e.Code == fault.CodeDuplicateEvent {
		return wrongEvent(e.Message)
	}
	return err
}

func (c *call) listEvents() (any, error) {
	w, err := c.window()
	if err != nil {
		return nil, err
	}
	from, to, err := c.span("start", "end")
	if err != nil {
		return nil, err
	}
	if !to.IsZero() && to < from {
		return nil, invalidQuery("end lies before start")
	}
	page, err := c.ListEvents(c, v1.EventQuery{
		CustomerID: c.query.Get("customer_id"), EventName: c.query.Get("event_name"), MeterID: c.query.Get("meter_id"),
		From: from, To: inclusive(to), Limit: w.limit, Offset: w.offset,
	})
	if fault.CodeOf(err) == fault.CodeConflictingFields {
		return nil, asWrongEvent(err) // an event_name that is not the meter's
	}
	if err != nil {
		return nil, err
	}
	return each(page.Data, c.event), nil
}

// getEvent reads an event by its id. Where two customers have one of it, customer_id tells which:
// the vendor has no such parameter, and its ids are of the business.
func (c *call) getEvent() (any, error) {
	found, err := c.GetEvent(c, c.path("event"), v1.EventOwner{CustomerID: c.query.Get("customer_id")})
	if fault.CodeOf(err) == fault.CodeMissingField {
		return nil, invalidQuery(fault.As(err).Message)
	}
	if err != nil {
		return nil, err
	}
	return c.event(&found), nil
}
