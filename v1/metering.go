package v1

import (
	"bytes"
	"encoding/json"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/money"
)

// Limits of metering.
const (
	// MaxEvents bounds the usage events of one call.
	MaxEvents = 1000
	// MaxEventID bounds the id of a usage event, in characters.
	MaxEventID = 255
	// MaxEventsBody bounds the body of a call with usage events, in bytes.
	MaxEventsBody = 8 << 20
	// MaxWindows bounds the points of a time series.
	MaxWindows = 1500
)

// Timestamp is an instant that an event names: RFC 3339, or without a zone, which reads as UTC.
type Timestamp struct{ clock.Instant }

// UnmarshalJSON reads an instant, with or without a zone.
func (t *Timestamp) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return fault.New("v1.Timestamp", fault.CodeInvalidTime, "a timestamp is text, such as 2026-01-31T09:30:00Z").In("timestamp")
	}
	at, err := clock.ParseLoose(text)
	t.Instant = at
	return err
}

// UsageEvent is something that happened, as the caller reports it.
type UsageEvent struct {
	EventID    string         `json:"event_id" maxLength:"255" doc:"Your own id of the event: for one customer it is counted once, for ever"`
	CustomerID string         `json:"customer_id"`
	EventName  string         `json:"event_name" doc:"Which meters count it; case matters"`
	Timestamp  Timestamp      `json:"timestamp,omitzero" doc:"When it took place; now when absent. Without a zone it reads as UTC"`
	Metadata   catalog.Values `json:"metadata,omitempty" doc:"Text, numbers and truth values. Text that is a number counts as one"`
}

// IngestRequest reports usage events.
type IngestRequest struct {
	Events []UsageEvent `json:"events" minItems:"1" maxItems:"1000"`
}

// Ingested is what reporting usage events came to. The credits are taken when it returns.
type Ingested struct {
	Ingested   int `json:"ingested" doc:"Events that were new"`
	Duplicates int `json:"duplicates" doc:"Events that were reported before; they changed nothing"`
}

// Event is a usage event as it is kept.
type Event struct {
	EventID       string         `json:"event_id"`
	CustomerID    string         `json:"customer_id"`
	EventName     string         `json:"event_name"`
	Timestamp     clock.Instant  `json:"timestamp"`
	RecordedAt    clock.Instant  `json:"recorded_at"`
	Quantity      money.Decimal  `json:"quantity"`
	Metadata      catalog.Values `json:"metadata,omitempty"`
	MatchStatus   string         `json:"match_status" enum:"matched,unmatched,no_subscription"`
	ReservationID string         `json:"reservation_id,omitempty" doc:"The reservation whose commit it is"`
	Response      string         `json:"response,omitempty"`
	VoidedAt      clock.Instant  `json:"voided_at,omitzero" doc:"Since when it counts no more"`
	Corrects      string         `json:"corrects,omitempty" doc:"The event in whose place it stands"`
}

// EventQuery selects usage events, newest first.
type EventQuery struct {
	CustomerID string        `query:"customer_id" doc:"Of one customer; of all when absent"`
	EventName  string        `query:"event_name"`
	MeterID    string        `query:"meter_id" doc:"Only events that this meter counts"`
	From       clock.Instant `query:"from" doc:"At or after"`
	To         clock.Instant `query:"to" doc:"Before"`
	Limit      int           `query:"limit" minimum:"1" maximum:"500" doc:"50 when absent"`
	Offset     int           `query:"offset" minimum:"0" doc:"How many to leave out; a cursor is faster"`
	Cursor     string        `query:"cursor" doc:"next_cursor of the page before"`
}

// EventOwner says whose event is meant, where several customers have one of the same id.
type EventOwner struct {
	CustomerID string `query:"customer_id" doc:"Needed where several customers have an event of this id"`
}

// VoidEvent takes an event out of every count.
type VoidEvent struct {
	CustomerID string `json:"customer_id"`
	Reason     string `json:"reason,omitempty"`
}

// CorrectEvent puts another event in the place of one.
type CorrectEvent struct {
	CustomerID string         `json:"customer_id"`
	EventID    string         `json:"event_id" maxLength:"255" doc:"Of the correction"`
	Timestamp  Timestamp      `json:"timestamp,omitzero" doc:"That of the corrected event when absent"`
	Metadata   catalog.Values `json:"metadata,omitempty"`
	Reason     string         `json:"reason,omitempty"`
}

// SeriesQuery asks how much was used in each stretch of time.
type SeriesQuery struct {
	CustomerID string        `query:"customer_id" required:"true"`
	MeterID    string        `query:"meter_id" doc:"What is counted, and how"`
	EventName  string        `query:"event_name" doc:"Or: how many events of this name"`
	Window     string        `query:"window" enum:"minute,hour,day" doc:"hour when absent"`
	From       clock.Instant `query:"from" required:"true"`
	To         clock.Instant `query:"to" doc:"Now when absent"`
}

// Series is usage over time. Windows without usage are left out.
type Series struct {
	CustomerID string   `json:"customer_id"`
	Window     string   `json:"window"`
	Data       []Window `json:"data"`
}

// Window is usage in one stretch of time, in UTC.
type Window struct {
	Start  clock.Instant `json:"start"`
	End    clock.Instant `json:"end"`
	Value  money.Decimal `json:"value"`
	Events int           `json:"events"`
}

// MeterUsageQuery selects what meters have counted of a customer.
type MeterUsageQuery struct {
	MeterID string        `query:"meter_id"`
	From    clock.Instant `query:"from" doc:"Periods that end after this"`
	To      clock.Instant `query:"to" doc:"Periods that begin before this"`
	Limit   int           `query:"limit" minimum:"1" maximum:"500" doc:"50 when absent"`
	Cursor  string        `query:"cursor" doc:"next_cursor of the page before"`
}

// MeterUsage is what a meter has counted towards a credit in one billing period.
type MeterUsage struct {
	MeterID        string        `json:"meter_id"`
	MeterName      string        `json:"meter_name"`
	CreditID       string        `json:"credit_id"`
	PeriodStart    clock.Instant `json:"period_start"`
	PeriodEnd      clock.Instant `json:"period_end" doc:"null while the plan is paused, and the period stands still"`
	Events         int64         `json:"events"`
	Aggregate      money.Decimal `json:"aggregate" doc:"In the meter's measurement unit"`
	FreeThreshold  money.Decimal `json:"free_threshold"`
	Chargeable     money.Decimal `json:"chargeable" doc:"What is beyond the free threshold"`
	UnitsPerCredit money.Decimal `json:"units_per_credit"`
	Credits        money.Decimal `json:"credits" doc:"What that makes due, in whole credits; the rest is carried"`
}

// Filter is a tree of conditions on an event's metadata: on the wire a conjunction and clauses,
// which are either all conditions or all filters.
type Filter catalog.Filter

// MarshalJSON writes conjunction and clauses.
func (f Filter) MarshalJSON() ([]byte, error) {
	clauses := make([]any, 0, len(f.Conditions)+len(f.Filters))
	for i := range f.Conditions {
		clauses = append(clauses, &f.Conditions[i])
	}
	for i := range f.Filters {
		clauses = append(clauses, Filter(f.Filters[i]))
	}
	return json.Marshal(struct {
		Conjunction catalog.Conjunction `json:"conjunction"`
		Clauses     []any               `json:"clauses"`
	}{f.Conjunction, clauses})
}

// UnmarshalJSON reads conjunction and clauses. catalog.Filter.Validate judges what they say.
func (f *Filter) UnmarshalJSON(data []byte) error { return f.read(data, 1) }

func (f *Filter) read(data []byte, depth int) error {
	if depth > catalog.MaxFilterDepth {
		return fault.New("v1.Filter", fault.CodeInvalidRequest, "a filter is at most %d levels deep", catalog.MaxFilterDepth).In("filter")
	}
	var in struct {
		Conjunction catalog.Conjunction `json:"conjunction"`
		Clauses     []json.RawMessage   `json:"clauses"`
	}
	if err := strictly(data, &in); err != nil {
		return err
	}
	f.Conjunction, f.Conditions, f.Filters = in.Conjunction, nil, nil
	for _, clause := range in.Clauses {
		var has struct {
			Conjunction *json.RawMessage `json:"conjunction"`
		}
		if json.Unmarshal(clause, &has) == nil && has.Conjunction != nil {
			var inner Filter
			if err := inner.read(clause, depth+1); err != nil {
				return err
			}
			f.Filters = append(f.Filters, catalog.Filter(inner))
			continue
		}
		var c catalog.Condition
		if err := strictly(clause, &c); err != nil {
			return err
		}
		f.Conditions = append(f.Conditions, c)
	}
	return nil
}

func strictly(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fault.New("v1.Filter", fault.CodeInvalidRequest, "a filter has a conjunction and clauses; a clause has a key, an operator and a value, or is a filter").In("filter").Because(err)
	}
	return nil
}

// Aggregation says how a meter makes one number of many events.
type Aggregation struct {
	Type string `json:"type" enum:"count,sum,max,last,unique_count"`
	Key  string `json:"key,omitempty" doc:"The metadata property that is read; not for count"`
}

// MeterLink is the rate at which a meter uses up a credit.
type MeterLink struct {
	CreditID       string        `json:"credit_id" doc:"Id or name of the credit"`
	UnitsPerCredit money.Decimal `json:"units_per_credit,omitempty" doc:"How much usage one credit pays for; 1 when absent"`
	FreeThreshold  money.Decimal `json:"free_threshold,omitempty" doc:"Usage in each billing period that costs nothing"`
}

// Meter turns usage events into an amount of a credit.
type Meter struct {
	ID              string        `json:"id"`
	Name            string        `json:"name"`
	Description     string        `json:"description,omitempty"`
	EventName       string        `json:"event_name"`
	Filter          *Filter       `json:"filter,omitempty"`
	Aggregation     Aggregation   `json:"aggregation"`
	MeasurementUnit string        `json:"measurement_unit"`
	Links           []MeterLink   `json:"links"`
	CreatedAt       clock.Instant `json:"created_at"`
	UpdatedAt       clock.Instant `json:"updated_at"`
	ArchivedAt      clock.Instant `json:"archived_at,omitzero"`
}

// CreateMeter defines a meter. What it counts and how cannot be changed later.
type CreateMeter struct {
	Name            string      `json:"name" maxLength:"255"`
	Description     string      `json:"description,omitempty"`
	EventName       string      `json:"event_name" doc:"Events of exactly this name are counted"`
	Filter          *Filter     `json:"filter,omitempty" doc:"Which of them; all when absent"`
	Aggregation     Aggregation `json:"aggregation"`
	MeasurementUnit string      `json:"measurement_unit" maxLength:"50" example:"token"`
	Links           []MeterLink `json:"links,omitempty" maxItems:"10" doc:"Which credits it uses up"`
}

// UpdateMeter changes a meter. What is absent stays. A link's new terms count from the next
// billing period on; what was counted stays as it is.
type UpdateMeter struct {
	Name            *string      `json:"name,omitempty"`
	Description     *string      `json:"description,omitempty"`
	MeasurementUnit *string      `json:"measurement_unit,omitempty"`
	Links           *[]MeterLink `json:"links,omitempty"`
}

// MeterQuery selects meters.
type MeterQuery struct {
	Archived string `query:"archived" enum:"true,false" doc:"true: those that are archived; those in use when absent"`
}
