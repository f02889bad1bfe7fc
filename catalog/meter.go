package catalog

import (
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/money"
)

// AggregationKind says how a meter makes one number of many events.
type AggregationKind string

// The aggregations (design section 5.6).
const (
	Count       AggregationKind = "count"
	Sum         AggregationKind = "sum"
	Max         AggregationKind = "max"
	Last        AggregationKind = "last"
	UniqueCount AggregationKind = "unique_count"
)

// Aggregation is a kind and the metadata property that it reads.
type Aggregation struct {
	Kind AggregationKind `json:"type"`
	Key  string          `json:"key,omitempty"` // not for count
}

// Meter turns usage events into an amount of a credit.
type Meter struct {
	ID          string        `json:"id"`
	App         string        `json:"app_id"`
	Name        string        `json:"name"`
	Description string        `json:"description,omitempty"`
	Event       string        `json:"event_name"` // exact, case-sensitive
	Filter      *Filter       `json:"filter,omitempty"`
	Aggregation Aggregation   `json:"aggregation"`
	Unit        string        `json:"measurement_unit"`
	Links       []MeterLink   `json:"links,omitempty"`
	CreatedAt   clock.Instant `json:"created_at"`
	UpdatedAt   clock.Instant `json:"updated_at"`
	ArchivedAt  clock.Instant `json:"archived_at"`
}

// MeterLink is the rate at which a meter uses up a credit.
type MeterLink struct {
	Credit         string      `json:"credit_id"`
	UnitsPerCredit money.Ratio `json:"units_per_credit"`
	FreeThreshold  int64       `json:"free_threshold"` // micros of the aggregate, each billing period
}

// MaxMeterLinks bounds the credits that one meter uses up.
const MaxMeterLinks = 10

// Validate checks a meter as an operator wrote it; credits must resolve in defs.
func (m *Meter) Validate(defs *Definitions) error {
	const op = "catalog.Meter.Validate"
	if err := validateName(op, m.Name); err != nil {
		return err
	}
	if err := ValidateEventName(m.Event); err != nil {
		return fault.As(err).In("event_name")
	}
	if Longer(m.Unit, MaxUnitLength) || m.Unit == "" {
		return fault.New(op, fault.CodeInvalidRequest, "measurement_unit must have 1 to %d characters", MaxUnitLength).In("measurement_unit")
	}
	switch m.Aggregation.Kind {
	case Count:
	case Sum, Max, Last, UniqueCount:
		if m.Aggregation.Key == "" {
			return fault.New(op, fault.CodeMissingField, "aggregation %s needs the key of a metadata property", m.Aggregation.Kind).In("aggregation.key")
		}
	default:
		return fault.New(op, fault.CodeInvalidRequest, "aggregation type must be count, sum, max, last or unique_count").In("aggregation.type")
	}
	if err := m.Filter.Validate(); err != nil {
		return err
	}
	if len(m.Links) > MaxMeterLinks {
		return fault.New(op, fault.CodeInvalidRequest, "a meter uses up at most %d credits", MaxMeterLinks).In("links")
	}
	linked := map[string]bool{}
	for _, l := range m.Links {
		def, ok := defs.Credits[l.Credit]
		if !ok {
			return fault.New(op, fault.CodeCreditNotFound, "credit %q does not exist in this app", clip(l.Credit)).In("links.credit_id")
		}
		if linked[l.Credit] {
			return fault.New(op, fault.CodeInvalidRequest, "the credit %q is linked twice: a meter has one rate for each", def.Name).In("links")
		}
		linked[l.Credit] = true
		u := l.UnitsPerCredit
		if u.Num <= 0 || u.Num > maxRatioPart || u.Den <= 0 || maxRatioPart%u.Den != 0 {
			return fault.New(op, fault.CodeInvalidRequest, "units_per_credit must be a positive decimal of at most 12 digits").In("links.units_per_credit")
		}
		if l.FreeThreshold < 0 {
			return fault.New(op, fault.CodeInvalidRequest, "free_threshold must not be negative").In("links.free_threshold")
		}
	}
	return nil
}

// Counts reports whether an event counts for the meter, and with which value in micros. An
// event without the property, or without a number where one is needed, does not count. For
// unique_count the value is the text that must be new.
func (m *Meter) Counts(event string, metadata Values) (micros int64, unique string, ok bool) {
	if !m.ArchivedAt.IsZero() {
		return 0, "", false
	}
	return m.Reads(event, metadata)
}

// Reads is Counts for what happened while the meter was in use, archived or not by now.
func (m *Meter) Reads(event string, metadata Values) (micros int64, unique string, ok bool) {
	if event != m.Event || !m.Filter.Accepts(metadata) {
		return 0, "", false
	}
	if m.Aggregation.Kind == Count {
		return 1_000_000, "", true
	}
	value, there := metadata[m.Aggregation.Key]
	if !there || value.Kind == NullValue {
		return 0, "", false
	}
	if m.Aggregation.Kind == UniqueCount {
		return 1_000_000, value.Text, true
	}
	micros, ok = value.Micros()
	return micros, "", ok
}
