package notify

import (
	"context"
	"iter"
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

// author is the caller as one who defines.
func (s *Session) author() caller.Author {
	return caller.Author{Engine: s.service.Engine, Clock: s.service.Clock, By: s.caller}
}

// kept is how endpoints of the caller's mode are kept, where out is what is said of one.
func kept[Out any](s *Session, out func(*catalog.Endpoint) Out) caller.Kind[catalog.Endpoint, Out] {
	return caller.Kind[catalog.Endpoint, Out]{
		Author: s.author(), Name: "webhook endpoint",
		All:   s.all,
		Find:  s.find,
		Head:  (*catalog.Endpoint).Head,
		Store: func(e *catalog.Endpoint) store.Definition { return store.Definition{Endpoints: []*catalog.Endpoint{e}} },
		Out:   func(e *catalog.Endpoint, _ *catalog.Definitions) Out { return out(e) },
	}
}

func (s *Session) all(defs *catalog.Definitions) iter.Seq[*catalog.Endpoint] {
	return func(yield func(*catalog.Endpoint) bool) {
		for _, e := range defs.Endpoints {
			if e.Mode == s.caller.Mode && !yield(e) {
				return
			}
		}
	}
}

func (s *Session) find(defs *catalog.Definitions, endpointID string) (*catalog.Endpoint, error) {
	e, ok := defs.Endpoints[endpointID]
	if !ok || e.Mode != s.caller.Mode {
		return nil, fault.New("notify.find", fault.CodeWebhookEndpointNotFound, "there is no such webhook endpoint in this app and mode").In("endpoint_id")
	}
	return e, nil
}

// endpoint reads an endpoint as it is defined.
func (s *Session) endpoint(ctx context.Context, endpointID string) (*catalog.Endpoint, error) {
	return kept(s, func(e *catalog.Endpoint) *catalog.Endpoint { return e }).Get(ctx, endpointID)
}

// CreateWebhookEndpoint says where events of the caller's mode are to be sent. The secret is in
// the answer.
func (s *Session) CreateWebhookEndpoint(ctx context.Context, r v1.CreateWebhookEndpoint, opts ...v1.Option) (v1.WebhookEndpoint, error) {
	withSecret := func(e *catalog.Endpoint) v1.WebhookEndpoint {
		out := endpointOut(e)
		out.Secret = e.Secret
		return out
	}
	return kept(s, withSecret).Create(ctx, r, opts, func(defs *catalog.Definitions) (*catalog.Endpoint, error) {
		return s.readEndpoint(defs, &r)
	})
}

// GetWebhookEndpoint reads an endpoint.
func (s *Session) GetWebhookEndpoint(ctx context.Context, endpointID string) (v1.WebhookEndpoint, error) {
	return kept(s, endpointOut).Get(ctx, endpointID)
}

// ListWebhookEndpoints lists the endpoints of the caller's mode in order of creation, archived
// ones included.
func (s *Session) ListWebhookEndpoints(ctx context.Context) (v1.Page[v1.WebhookEndpoint], error) {
	return kept(s, endpointOut).List(ctx, func(catalog.Head) bool { return true })
}

// UpdateWebhookEndpoint changes an endpoint. What is absent stays.
func (s *Session) UpdateWebhookEndpoint(ctx context.Context, endpointID string, r v1.UpdateWebhookEndpoint, opts ...v1.Option) (v1.WebhookEndpoint, error) {
	request := struct {
		ID string
		v1.UpdateWebhookEndpoint
	}{endpointID, r}
	return kept(s, endpointOut).Change(ctx, endpointID, request, opts, func(e *catalog.Endpoint, _ *catalog.Definitions) error {
		v1.Set(&e.URL, r.URL)
		v1.Set(&e.Description, r.Description)
		v1.Set(&e.Headers, r.Headers)
		v1.Set(&e.Disabled, r.Disabled)
		v1.Set(&e.Ordered, r.Ordered)
		v1.Set(&e.RateLimit, r.RateLimit)
		v1.Set(&e.Metadata, (*map[string]string)(r.Metadata))
		if r.Events != nil {
			e.Events = events(*r.Events)
		}
		return s.check(e)
	})
}

// AddWebhookHeaders sets headers of an endpoint, under whatever case they have been set before,
// and leaves its others.
func (s *Session) AddWebhookHeaders(ctx context.Context, endpointID string, headers map[string]string, opts ...v1.Option) (v1.WebhookEndpoint, error) {
	request := struct {
		ID      string
		Headers map[string]string
	}{endpointID, headers}
	return kept(s, endpointOut).Change(ctx, endpointID, request, opts, func(e *catalog.Endpoint, _ *catalog.Definitions) error {
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
}

func hasHeader(headers map[string]string, name string) bool {
	for other := range headers {
		if strings.EqualFold(name, other) {
			return true
		}
	}
	return false
}

// ArchiveWebhookEndpoint ends an endpoint: nothing is sent to it any more, what is pending
// included. Archiving again is no error.
func (s *Session) ArchiveWebhookEndpoint(ctx context.Context, endpointID string, opts ...v1.Option) (v1.WebhookEndpoint, error) {
	return kept(s, endpointOut).Archive(ctx, endpointID, opts)
}

// GetWebhookSecret reads what signs.
func (s *Session) GetWebhookSecret(ctx context.Context, endpointID string) (v1.WebhookSecret, error) {
	return kept(s, s.secretOut).Get(ctx, endpointID)
}

// RotateWebhookSecret makes a new secret. The one before signs as well for a day.
func (s *Session) RotateWebhookSecret(ctx context.Context, endpointID string, opts ...v1.Option) (v1.WebhookSecret, error) {
	request := "rotate webhook secret " + endpointID
	return kept(s, s.secretOut).Change(ctx, endpointID, request, opts, func(e *catalog.Endpoint, _ *catalog.Definitions) error {
		e.PreviousSecret, e.PreviousUntil = e.Secret, s.service.Clock.Now().Add(catalog.SecretOverlap)
		e.Secret = newSecret()
		return nil
	})
}

func (s *Session) secretOut(e *catalog.Endpoint) v1.WebhookSecret {
	out := v1.WebhookSecret{Secret: e.Secret}
	if len(secrets(e, s.service.Clock.Now())) > 1 {
		out.Previous, out.PreviousUntil = e.PreviousSecret, e.PreviousUntil
	}
	return out
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
	e := &catalog.Endpoint{
		ID: id.New(id.PrefixWebhook), Mode: s.caller.Mode, URL: r.URL, Description: r.Description,
		Format: r.Format, Headers: r.Headers, Secret: newSecret(), Disabled: r.Disabled, Ordered: r.Ordered,
		RateLimit: r.RateLimit, Metadata: r.Metadata,
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
