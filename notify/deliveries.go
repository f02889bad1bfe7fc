package notify

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/seed42445051/scrip/caller"
	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/store"
	v1 "github.com/seed42445051/scrip/v1"
)

// canceled is how a pending delivery reads once its endpoint was archived.
const canceled = "canceled"

func deliveryOut(d *store.Delivery, e *catalog.Endpoint) v1.WebhookDelivery {
	out := v1.WebhookDelivery{
		ID: id.Object(id.PrefixDelivery, d.Wallet, d.N), EndpointID: d.Endpoint, MessageID: d.Message(), Type: string(d.Type),
		Status: string(d.Status), Tries: d.Tries, CreatedAt: d.CreatedAt, NextAt: d.NextAt, FinishedAt: d.FinishedAt,
	}
	switch {
	case d.Seq != 0:
		out.EntryID = id.Object(id.PrefixEntry, d.Wallet, d.Seq)
	case d.About.Change != nil:
		out.SubscriptionID = id.Object(id.PrefixSubscription, d.Wallet, d.About.Change.Subscription)
	default:
		out.InvoiceID = id.Object(id.PrefixInvoice, d.Wallet, d.About.Invoice)
	}
	if d.Status == store.DeliveryPending && !e.ArchivedAt.IsZero() {
		out.Status, out.NextAt = canceled, 0
	}
	for i := range d.Log {
		out.Attempts = append(out.Attempts, attemptOut(&d.Log[i]))
	}
	return out
}

func attemptOut(a *store.Attempt) v1.WebhookAttempt {
	return v1.WebhookAttempt{
		At: a.At, Succeeded: acknowledged(a), StatusCode: a.Status, Error: a.Error, DurationMS: a.Micros / 1000, Response: a.Response,
	}
}

// ListWebhookDeliveries lists an endpoint's deliveries, newest first.
func (s *Session) ListWebhookDeliveries(ctx context.Context, endpointID string, q v1.WebhookDeliveryQuery) (v1.Page[v1.WebhookDelivery], error) {
	page := v1.Page[v1.WebhookDelivery]{Data: []v1.WebhookDelivery{}}
	e, err := s.endpoint(ctx, endpointID)
	if err != nil {
		return page, err
	}
	query, err := deliveryQuery(e, &q)
	if err != nil {
		return page, err
	}
	limit := query.Limit
	query.Limit++
	found, err := s.service.Store.ListDeliveries(ctx, query)
	if err != nil {
		return page, err
	}
	if len(found) > limit {
		found, page.HasMore = found[:limit], true
		page.NextCursor = cursor(&found[limit-1])
	}
	for i := range found {
		page.Data = append(page.Data, deliveryOut(&found[i], e))
	}
	return page, nil
}

func deliveryQuery(e *catalog.Endpoint, q *v1.WebhookDeliveryQuery) (store.DeliveryQuery, error) {
	const op = "notify.ListWebhookDeliveries"
	out := store.DeliveryQuery{Endpoint: e.ID, Status: store.DeliveryStatus(q.Status), Type: catalog.EventType(q.Type)}
	var err error
	if out.Limit, err = v1.PageLimit(q.Limit); err != nil {
		return out, err
	}
	known := []store.DeliveryStatus{"", store.DeliveryPending, store.DeliveryDelivered, store.DeliveryFailed, store.DeliverySkipped}
	if !slices.Contains(known, out.Status) {
		return out, fault.New(op, fault.CodeInvalidRequest, "status must be pending, delivered, failed or skipped").In("status")
	}
	if q.Type != "" && e.Format == catalog.NativeFormat && !slices.Contains(catalog.EventTypes(), out.Type) {
		return out, fault.New(op, fault.CodeInvalidRequest, "there is no such event").In("type")
	}
	if q.Cursor != "" {
		if out.Before, err = place(q.Cursor); err != nil {
			return out, err
		}
	}
	return out, nil
}

// cursorKind tells cursors of deliveries from those of other lists.
const cursorKind = "d"

func cursor(d *store.Delivery) string {
	return v1.Cursor(cursorKind, fmt.Sprintf("%d:%s", int64(d.CreatedAt), id.Object(id.PrefixDelivery, d.Wallet, d.N)))
}

// place is where a cursor says that the last page ended.
func place(cursor string) (*store.DeliveryPlace, error) {
	text, err := v1.FromCursor(cursorKind, cursor)
	if err != nil {
		return nil, err
	}
	since, delivery, _ := strings.Cut(text, ":")
	at, err := strconv.ParseInt(since, 10, 64)
	if err != nil {
		return nil, v1.ErrCursor()
	}
	w, n, err := id.ParseObject(id.PrefixDelivery, delivery)
	if err != nil {
		return nil, v1.ErrCursor()
	}
	return &store.DeliveryPlace{At: clock.Instant(at), Wallet: w, N: n}, nil
}

// delivery finds one of the caller's mode, with its endpoint.
func (s *Session) delivery(ctx context.Context, deliveryID string) (*store.Leased, *catalog.Endpoint, error) {
	none := fault.New("notify.delivery", fault.CodeWebhookDeliveryNotFound, "there is no such webhook delivery in this app and mode").In("delivery_id")
	w, n, err := id.ParseObject(id.PrefixDelivery, deliveryID)
	if err != nil {
		return nil, nil, none
	}
	d, err := s.service.Store.FindDelivery(ctx, w, n)
	if err != nil {
		return nil, nil, err
	}
	if d == nil || d.Key.App != s.caller.App || d.Key.Mode != s.caller.Mode {
		return nil, nil, none
	}
	e, err := s.endpoint(ctx, d.Endpoint)
	return d, e, err
}

// GetWebhookDelivery reads a delivery with its attempts.
func (s *Session) GetWebhookDelivery(ctx context.Context, deliveryID string) (v1.WebhookDelivery, error) {
	d, e, err := s.delivery(ctx, deliveryID)
	if err != nil {
		return v1.WebhookDelivery{}, err
	}
	return deliveryOut(&d.Delivery, e), nil
}

// RedeliverWebhook sends a delivery again, whatever became of it, with a fresh schedule.
func (s *Session) RedeliverWebhook(ctx context.Context, deliveryID string, opts ...v1.Option) (v1.WebhookDelivery, error) {
	return once(ctx, s, opts, "redeliver "+deliveryID, func() (v1.WebhookDelivery, error) {
		d, e, err := s.delivery(ctx, deliveryID)
		if err != nil {
			return v1.WebhookDelivery{}, err
		}
		if err := sendable(e); err != nil {
			return v1.WebhookDelivery{}, err
		}
		now := s.service.Clock.Now()
		if _, err := s.service.Store.Redeliver(ctx, store.RedeliverQuery{Wallet: d.Wallet, N: d.N, At: now}); err != nil {
			return v1.WebhookDelivery{}, err
		}
		d.Status, d.Tries, d.NextAt, d.FinishedAt = store.DeliveryPending, 0, now, 0
		return deliveryOut(&d.Delivery, e), nil
	})
}

// RedeliverWebhooks sends an endpoint's deliveries again that were made in a stretch of time, or
// those of them that were given up. What is pending is left alone.
func (s *Session) RedeliverWebhooks(ctx context.Context, endpointID string, r v1.RedeliverWebhooks, opts ...v1.Option) (v1.Redelivered, error) {
	const op = "notify.RedeliverWebhooks"
	if r.From.IsZero() {
		return v1.Redelivered{}, fault.New(op, fault.CodeMissingField, "from is missing").In("from")
	}
	if !r.To.IsZero() && r.To < r.From {
		return v1.Redelivered{}, fault.New(op, fault.CodeInvalidTime, "to lies before from").In("to")
	}
	return once(ctx, s, opts, struct {
		ID string
		v1.RedeliverWebhooks
	}{endpointID, r}, func() (v1.Redelivered, error) {
		e, err := s.endpoint(ctx, endpointID)
		if err != nil {
			return v1.Redelivered{}, err
		}
		if err := sendable(e); err != nil {
			return v1.Redelivered{}, err
		}
		n, err := s.service.Store.Redeliver(ctx, store.RedeliverQuery{
			Endpoint: e.ID, From: r.From, To: r.To, Failed: r.FailedOnly, At: s.service.Clock.Now(),
		})
		return v1.Redelivered{Count: n}, err
	})
}

// sendable refuses to send again what could not be sent.
func sendable(e *catalog.Endpoint) error {
	if e.ArchivedAt.IsZero() {
		return nil
	}
	return fault.New("notify.sendable", fault.CodeWebhookEndpointNotFound, "the webhook endpoint was archived: nothing is sent to it any more").In("endpoint_id")
}

// once does something that is no definition once per idempotency key, and looks for what is due
// then. Whoever dies between doing it and remembering it does it again, which costs a receiver
// nothing that it does not expect: every delivery may come twice.
func once[T any](ctx context.Context, s *Session, opts []v1.Option, request any, do func() (T, error)) (T, error) {
	defer s.service.lookAgain()
	if v1.NewCall(opts).IdempotencyKey == "" {
		return do()
	}
	var out T
	done := false
	return caller.Define(ctx, s.author(), request, opts, func(*catalog.Definitions) (d store.Definition, _ T, err error) {
		if !done { // it may be asked for again, when somebody else changes definitions meanwhile
			out, err = do()
			done = err == nil
		}
		return d, out, err
	})
}
