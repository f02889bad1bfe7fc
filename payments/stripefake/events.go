package stripefake

import (
	"bytes"
	"encoding/json"
	"time"
)

// eventsKept is how long events can be listed.
const eventsKept = 30 * 24 * time.Hour

// event is something that happened, with the object as it was then.
type event struct {
	head
	Type            string    `json:"type"`
	APIVersion      string    `json:"api_version"`
	Data            eventData `json:"data"`
	PendingWebhooks int       `json:"pending_webhooks"`
	Request         *cause    `json:"request"`
}

type eventData struct {
	Object   json.RawMessage            `json:"object"`
	Previous map[string]json.RawMessage `json:"previous_attributes,omitempty"`
}

// fields is an object's JSON, a field at a time.
type fields map[string]json.RawMessage

// snapshot returns how an object looks now. What is stored here has no values
// that JSON lacks, so that encoding cannot fail.
func snapshot(v any) fields {
	var all fields
	body, _ := encode(v)
	_ = json.Unmarshal(body, &all)
	return all
}

// happened emits an event about an object.
func (f *Fake) happened(kind string, e entity) { f.emit(kind, e, nil) }

// changed emits an event about an object that looked otherwise before: the
// event says what its changed fields were.
func (f *Fake) changed(kind string, e entity, before fields) {
	previous := fields{}
	now := snapshot(e)
	for name, value := range before {
		if !bytes.Equal(value, now[name]) {
			previous[name] = value
		}
	}
	f.emit(kind, e, previous)
}

func (f *Fake) emit(kind string, e entity, previous fields) {
	body, _ := encode(e)
	ev := &event{
		Type: kind, APIVersion: f.version, Request: f.cause,
		Data: eventData{Object: bytes.TrimSpace(body), Previous: previous},
	}
	for range 1 + f.policy.Twins {
		twin := *ev
		f.publish(&twin)
	}
}

// publish stores an event and lines up its deliveries.
func (f *Fake) publish(ev *event) {
	ev.PendingWebhooks = len(f.endpoints)
	ev.ID = ""
	f.add(ev, "event", "evt")
	ev.Metadata = nil // events have none
	f.enqueue(ev, 1+f.policy.Duplicates)
}

// forgetEvents drops events that are too old to be listed.
func (f *Fake) forgetEvents() {
	oldest := f.now().Add(-eventsKept).Time().Unix()
	all := f.kinds["event"]
	for len(all) > 0 && all[0].base().Created < oldest {
		delete(f.byID, all[0].base().ID)
		all = all[1:]
	}
	f.kinds["event"] = all
}
