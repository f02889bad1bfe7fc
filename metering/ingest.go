package metering

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/seed42445051/scrip/caller"
	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/engine"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/store"
	v1 "github.com/seed42445051/scrip/v1"
	"github.com/seed42445051/scrip/wallet"
)

// Limits of usage events.
const (
	// MaxAhead is how far in the future an event may lie: clocks differ, and nothing more.
	MaxAhead = 5 * time.Minute
	// MaxMetadataKey bounds a name in an event's metadata, in bytes; the rest is as in any metadata.
	MaxMetadataKey = 100
)

// IngestEvents records usage events, all of them or none that is wrong, and takes the credits
// before it returns. Where some of many customers could not be written, asking again is safe: an
// event counts once, for ever.
func (s *Session) IngestEvents(ctx context.Context, r v1.IngestRequest, opts ...v1.Option) (v1.Ingested, error) {
	const op = "metering.IngestEvents"
	if len(r.Events) == 0 {
		return v1.Ingested{}, fault.New(op, fault.CodeMissingField, "events is missing: a list of 1 to %d events", v1.MaxEvents).In("events")
	}
	if len(r.Events) > v1.MaxEvents {
		return v1.Ingested{}, fault.New(op, fault.CodeInvalidRequest, "a call has at most %d events", v1.MaxEvents).In("events")
	}
	defs, err := s.core.Engine.Known(ctx, s.caller.App)
	if err != nil {
		return v1.Ingested{}, err
	}
	key := v1.NewCall(opts).IdempotencyKey
	requests, err := s.ingests(&r, defs.Now(s.caller.Mode, s.core.Clock.Now()), key)
	if fault.CodeOf(err) == fault.CodeInvalidTime && s.caller.Mode != catalog.Live {
		// Another process may have advanced the test clock: it is asked for before the answer is no.
		now, failed := s.now(ctx)
		if failed != nil {
			return v1.Ingested{}, failed
		}
		requests, err = s.ingests(&r, now, key)
	}
	if err != nil {
		return v1.Ingested{}, err
	}
	results, err := s.core.Engine.DoAll(ctx, requests)
	var out v1.Ingested
	for i := range results {
		out.Ingested += results[i].Ingested
		out.Duplicates += results[i].Duplicates
	}
	return out, err
}

// ingests makes a command a customer, and refuses a call in which anything is wrong.
func (s *Session) ingests(r *v1.IngestRequest, now clock.Instant, idempotency string) ([]engine.Request, error) {
	byCustomer := make(map[string]*wallet.Ingest, 1)
	seen := make(map[string]bool, len(r.Events))
	var requests []engine.Request
	for i := range r.Events {
		e := &r.Events[i]
		in := func(err error) error {
			f := fault.As(err)
			return f.In("events." + strconv.Itoa(i) + "." + f.Field)
		}
		event, err := readEvent(e, now)
		if err != nil {
			return nil, in(err)
		}
		if unique := e.EventID + "\x00" + e.CustomerID; seen[unique] {
			return nil, in(fault.New("metering.ingests", fault.CodeDuplicateEvent, "the call has two events %q of this customer", caller.Clip(e.EventID)).In("event_id"))
		} else {
			seen[unique] = true
		}
		command, ok := byCustomer[e.CustomerID]
		if !ok {
			key, err := caller.Wallet(s.caller, e.CustomerID)
			if err != nil {
				return nil, in(err)
			}
			command = &wallet.Ingest{}
			byCustomer[e.CustomerID] = command
			requests = append(requests, engine.Request{
				Wallet: key, Command: command, Idempotency: idempotency, Actor: s.caller.Name(), APIKey: s.caller.Key,
			})
		}
		command.Events = append(command.Events, event)
	}
	if idempotency == "" || len(requests) == 1 {
		return requests, nil
	}
	whole, err := json.Marshal(r)
	if err != nil {
		return nil, fault.New("metering.ingests", fault.CodeInternalError, "the request cannot be remembered").Because(err)
	}
	call := fmt.Sprintf("%x", sha256.Sum256(whole))
	for _, command := range byCustomer {
		command.Call = call
	}
	return requests, nil
}

func readEvent(e *v1.UsageEvent, now clock.Instant) (wallet.UsageEvent, error) {
	out := wallet.UsageEvent{ID: e.EventID, Event: e.EventName, At: e.Timestamp.Instant, Metadata: e.Metadata}
	if err := checkEventID(e.EventID); err != nil {
		return out, err
	}
	if e.EventName == "" {
		return out, fault.New("metering.readEvent", fault.CodeMissingField, "event_name is missing").In("event_name")
	}
	if err := catalog.ValidateEventName(e.EventName); err != nil {
		return out, fault.As(err).In("event_name")
	}
	if out.At > now.Add(MaxAhead) {
		return out, fault.New("metering.readEvent", fault.CodeInvalidTime, "timestamp lies in the future: at most %s ahead is taken for a clock that differs", MaxAhead).In("timestamp")
	}
	return out, checkMetadata(e.Metadata)
}

func checkEventID(text string) error {
	const op = "metering.checkEventID"
	if text == "" {
		return fault.New(op, fault.CodeMissingField, "event_id is missing: the id by which the event is counted once").In("event_id")
	}
	if utf8.RuneCountInString(text) > v1.MaxEventID || !catalog.ValidText(text) {
		return fault.New(op, fault.CodeInvalidID, "event_id must be valid Unicode of at most %d characters", v1.MaxEventID).In("event_id")
	}
	return nil
}

func checkMetadata(metadata catalog.Values) error {
	const op = "metering.checkMetadata"
	if len(metadata) > wallet.MaxMetadataPairs {
		return fault.New(op, fault.CodeMetadataTooLarge, "metadata has at most %d names", wallet.MaxMetadataPairs).In("metadata")
	}
	for key, value := range metadata {
		if len(key) > MaxMetadataKey || len(value.Text) > wallet.MaxMetadataValue {
			return fault.New(op, fault.CodeMetadataTooLarge, "a name in metadata has at most %d bytes and a value at most %d", MaxMetadataKey, wallet.MaxMetadataValue).In("metadata")
		}
		if !catalog.ValidText(key) || !catalog.ValidText(value.Text) {
			return fault.New(op, fault.CodeInvalidMetadata, "metadata must be valid Unicode without the character U+0000").In("metadata")
		}
	}
	return nil
}

// VoidEvent takes a usage event out of every count, and gives back what it cost. Voiding again
// changes nothing.
func (s *Session) VoidEvent(ctx context.Context, eventID string, r v1.VoidEvent, opts ...v1.Option) (v1.Event, error) {
	return s.onEvent(ctx, r.CustomerID, &wallet.VoidUsage{ID: eventID, Note: wallet.Note{Reason: r.Reason}}, opts)
}

// CorrectEvent voids a usage event and records another in its place.
func (s *Session) CorrectEvent(ctx context.Context, eventID string, r v1.CorrectEvent, opts ...v1.Option) (v1.Event, error) {
	old, err := s.event(ctx, eventID, r.CustomerID)
	if err != nil {
		return v1.Event{}, err
	}
	e := v1.UsageEvent{EventID: r.EventID, EventName: old.Event, Timestamp: r.Timestamp, Metadata: r.Metadata}
	if e.Timestamp.IsZero() {
		e.Timestamp.Instant = old.At
	}
	now, err := s.now(ctx)
	if err != nil {
		return v1.Event{}, err
	}
	event, err := readEvent(&e, now)
	if err != nil {
		return v1.Event{}, err
	}
	return s.onEvent(ctx, r.CustomerID, &wallet.CorrectUsage{ID: eventID, Event: event, Note: wallet.Note{Reason: r.Reason}}, opts)
}

func (s *Session) onEvent(ctx context.Context, customer string, c wallet.Command, opts []v1.Option) (v1.Event, error) {
	key, err := caller.Wallet(s.caller, customer)
	if err != nil {
		return v1.Event{}, err
	}
	res, err := s.core.Engine.Do(ctx, caller.Request(s.caller, opts, key, c))
	if err != nil {
		return v1.Event{}, err
	}
	return eventOut(&store.CustomerUsage{Customer: customer, Wallet: key.ID(), Usage: *res.Usage}), nil
}
