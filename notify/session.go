package notify

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/seed42445051/scrip/caller"
	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/store"
	v1 "github.com/seed42445051/scrip/v1"
)

// CreateWebhookEndpoint says where events of the caller's mode are to be sent. The secret is in
// the answer.
func (s *Session) CreateWebhookEndpoint(ctx context.Context, r v1.CreateWebhookEndpoint, opts ...v1.Option) (v1.WebhookEndpoint, error) {
	return caller.Define(ctx, s.service.Engine, s.caller, opts, r, func(defs *catalog.Definitions) (store.Definition, v1.WebhookEndpoint, error) {
		e, err := s.readEndpoint(defs, &r)
		if err != nil {
			return store.Definition{}, v1.WebhookEndpoint{}, err
		}
		out := endpointOut(e)
		out.Secret = e.Secret
		return store.Definition{Endpoints: []*catalog.Endpoint{e}}, out, nil
	})
}

func (s *Session) readEndpoint(defs *catalog.Definitions, r *v1.CreateWebhookEndpoint) (*catalog.Endpoint, error) {
	open := 0
	for _, other := range defs.Endpoints {
		if other.ArchivedAt.IsZero() {
			open++
		}
	}
	if open >= catalog.MaxEndpoints {
		return nil, fault.New("notify.CreateWebhookEndpoint", fault.CodeTooManyWebhookEndpoints, "an app has at most %d webhook endpoints, both modes together", catalog.MaxEndpoints)
	}
	now := s.service.Clock.Now()
	e := &catalog.Endpoint{
		ID: id.New(id.PrefixWebhook), App: s.caller.App, Mode: s.caller.Mode, URL: r.URL, Description: r.Description,
		Format: r.Format, Headers: r.Headers, Secret: newSecret(), Disabled: r.Disabled, Ordered: r.Ordered,
		RateLimit: r.RateLimit, Metadata: r.Metadata, CreatedAt: now, UpdatedAt: now,
	}
	if e.Format == "" {
		e.Format = catalog.NativeFormat
	}
	e.Events = events(r.Events)
	return e, s.check(e)
}

func events(names []string) []catalog.EventType {
	var list []catalog.EventType
	for _, name := range names {
		if !slices.Contains(list, catalog.EventType(name)) {
			list = append(list, catalog.EventType(name))
		}
	}
	return list
}

// check refuses an endpoint that would never get what its operator expects.
func (s *Session) check(e *catalog.Endpoint) error {
	if err := e.Validate(); err != nil {
		return err
	}
	if _, ok := s.service.Formats[e.Format]; !ok {
		return errFormat(e.Format)
	}
	for _, event := range e.Events {
		// A vendor's format may have events of its own.
		if e.Format == catalog.NativeFormat && !slices.Contains(catalog.EventTypes(), event) {
			return fault.New("notify.check", fault.CodeInvalidRequest, "there is no event %q", event).In("events")
		}
	}
	return nil
}

func endpointOut(e *catalog.Endpoint) v1.WebhookEndpoint {
	out := v1.WebhookEndpoint{
		ID: e.ID, Mode: string(e.Mode), URL: e.URL, Description: e.Description, Format: e.Format, Events: make([]string, len(e.Events)),
		Headers: e.Headers, Disabled: e.Disabled, Ordered: e.Ordered, RateLimit: e.RateLimit, Metadata: e.Metadata,
		CreatedAt: e.CreatedAt, UpdatedAt: e.UpdatedAt, ArchivedAt: e.ArchivedAt,
	}
	for i, event := range e.Events {
		out.Events[i] = string(event)
	}
	return out
}

// find finds an endpoint of the caller's mode.
func (s *Session) find(defs *catalog.Definitions, endpointID string) (*catalog.Endpoint, error) {
	e, ok := defs.Endpoints[endpointID]
	if !ok || e.Mode != s.caller.Mode {
		return nil, fault.New("notify.find", fault.CodeWebhookEndpointNotFound, "there is no such webhook endpoint in this app and mode").In("endpoint_id")
	}
	return e, nil
}

func (s *Session) endpoint(ctx context.Context, endpointID string) (*catalog.Endpoint, error) {
	defs, err := s.service.Engine.Definitions(ctx, s.caller.App)
	if err != nil {
		return nil, err
	}
	return s.find(defs, endpointID)
}

// GetWebhookEndpoint reads an endpoint.
func (s *Session) GetWebhookEndpoint(ctx context.Context, endpointID string) (v1.WebhookEndpoint, error) {
	e, err := s.endpoint(ctx, endpointID)
	if err != nil {
		return v1.WebhookEndpoint{}, err
	}
	return endpointOut(e), nil
}

// ListWebhookEndpoints lists the endpoints of the caller's mode in order of creation, archived
// ones included.
func (s *Session) ListWebhookEndpoints(ctx context.Context) (v1.Page[v1.WebhookEndpoint], error) {
	page := v1.Page[v1.WebhookEndpoint]{Data: []v1.WebhookEndpoint{}}
	defs, err := s.service.Engine.Definitions(ctx, s.caller.App)
	if err != nil {
		return page, err
	}
	for _, e := range defs.Endpoints {
		if e.Mode == s.caller.Mode {
			page.Data = append(page.Data, endpointOut(e))
		}
	}
	slices.SortFunc(page.Data, func(a, b v1.WebhookEndpoint) int { return strings.Compare(a.ID, b.ID) })
	return page, nil
}

// UpdateWebhookEndpoint changes an endpoint. What is absent stays.
func (s *Session) UpdateWebhookEndpoint(ctx context.Context, endpointID string, r v1.UpdateWebhookEndpoint, opts ...v1.Option) (v1.WebhookEndpoint, error) {
	return caller.Define(ctx, s.service.Engine, s.caller, opts, struct {
		ID string
		v1.UpdateWebhookEndpoint
	}{endpointID, r}, func(defs *catalog.Definitions) (store.Definition, v1.WebhookEndpoint, error) {
		return s.change(defs, endpointID, func(e *catalog.Endpoint) error {
			set(&e.URL, r.URL)
			set(&e.Description, r.Description)
			set(&e.Headers, r.Headers)
			set(&e.Disabled, r.Disabled)
			set(&e.Ordered, r.Ordered)
			set(&e.RateLimit, r.RateLimit)
			set(&e.Metadata, (*map[string]string)(r.Metadata))
			if r.Events != nil {
				e.Events = events(*r.Events)
			}
			return s.check(e)
		})
	})
}

// AddWebhookHeaders sets headers of an endpoint, under whatever case they have been set before,
// and leaves its others.
func (s *Session) AddWebhookHeaders(ctx context.Context, endpointID string, headers map[string]string, opts ...v1.Option) (v1.WebhookEndpoint, error) {
	return caller.Define(ctx, s.service.Engine, s.caller, opts, struct {
		ID      string
		Headers map[string]string
	}{endpointID, headers}, func(defs *catalog.Definitions) (store.Definition, v1.WebhookEndpoint, error) {
		return s.change(defs, endpointID, func(e *catalog.Endpoint) error {
			all := map[string]string{}
			for name, value := range e.Headers {
				if !hasHeader(headers, name) {
					all[name] = value
				}
			}
			maps.Copy(all, headers)
			e.Headers = all
			return s.check(e)
		})
	})
}

func hasHeader(headers map[string]string, name string) bool {
	for other := range headers {
		if strings.EqualFold(name, other) {
			return true
		}
	}
	return false
}

func set[T any](to *T, value *T) {
	if value != nil {
		*to = *value
	}
}

// ArchiveWebhookEndpoint ends an endpoint: nothing is sent to it any more, what is pending
// included. Archiving again is no error.
func (s *Session) ArchiveWebhookEndpoint(ctx context.Context, endpointID string, opts ...v1.Option) (v1.WebhookEndpoint, error) {
	return caller.Define(ctx, s.service.Engine, s.caller, opts, "archive webhook endpoint "+endpointID, func(defs *catalog.Definitions) (store.Definition, v1.WebhookEndpoint, error) {
		return s.change(defs, endpointID, func(e *catalog.Endpoint) error {
			if e.ArchivedAt.IsZero() {
				e.ArchivedAt = s.service.Clock.Now()
			}
			return nil
		})
	})
}

func (s *Session) change(defs *catalog.Definitions, endpointID string, change func(*catalog.Endpoint) error) (store.Definition, v1.WebhookEndpoint, error) {
	have, err := s.find(defs, endpointID)
	if err != nil {
		return store.Definition{}, v1.WebhookEndpoint{}, err
	}
	e := *have
	if err := change(&e); err != nil {
		return store.Definition{}, v1.WebhookEndpoint{}, err
	}
	e.UpdatedAt = s.service.Clock.Now()
	return store.Definition{Endpoints: []*catalog.Endpoint{&e}}, endpointOut(&e), nil
}

// GetWebhookSecret reads what signs.
func (s *Session) GetWebhookSecret(ctx context.Context, endpointID string) (v1.WebhookSecret, error) {
	e, err := s.endpoint(ctx, endpointID)
	if err != nil {
		return v1.WebhookSecret{}, err
	}
	return s.secretOut(e), nil
}

func (s *Session) secretOut(e *catalog.Endpoint) v1.WebhookSecret {
	out := v1.WebhookSecret{Secret: e.Secret}
	if len(secrets(e, s.service.Clock.Now())) > 1 {
		out.Previous, out.PreviousUntil = e.PreviousSecret, e.PreviousUntil
	}
	return out
}

// RotateWebhookSecret makes a new secret. The one before signs as well for a day.
func (s *Session) RotateWebhookSecret(ctx context.Context, endpointID string, opts ...v1.Option) (v1.WebhookSecret, error) {
	return caller.Define(ctx, s.service.Engine, s.caller, opts, "rotate webhook secret "+endpointID, func(defs *catalog.Definitions) (store.Definition, v1.WebhookSecret, error) {
		var out v1.WebhookSecret
		d, _, err := s.change(defs, endpointID, func(e *catalog.Endpoint) error {
			e.PreviousSecret, e.PreviousUntil = e.Secret, s.service.Clock.Now().Add(catalog.SecretOverlap)
			e.Secret = newSecret()
			out = s.secretOut(e)
			return nil
		})
		return d, out, err
	})
}

// TestWebhookEndpoint sends endpoint.test now, once, and says what came of it. It works for a
// disabled endpoint too, and is in no list of deliveries.
func (s *Session) TestWebhookEndpoint(ctx context.Context, endpointID string) (v1.WebhookAttempt, error) {
	defs, err := s.service.Engine.Definitions(ctx, s.caller.App)
	if err != nil {
		return v1.WebhookAttempt{}, err
	}
	e, err := s.find(defs, endpointID)
	if err != nil {
		return v1.WebhookAttempt{}, err
	}
	event := &Event{
		ID: id.New(id.PrefixMessage), Type: catalog.EventEndpointTest, At: s.service.Clock.Now(), Defs: defs, Endpoint: e, store: s.service.Store,
	}
	event.Key.App, event.Key.Mode = e.App, e.Mode
	body, err := s.service.render(ctx, event)
	if err != nil {
		return v1.WebhookAttempt{}, err
	}
	if body == nil {
		return v1.WebhookAttempt{}, fault.New("notify.TestWebhookEndpoint", fault.CodeNotImplemented, "the format %q has no test event", e.Format)
	}
	made := s.service.sender.send(ctx, e, event.ID, body)
	return attemptOut(&made), nil
}
