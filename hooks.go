package scrip

import (
	"context"
	"encoding/json"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/money"
	"github.com/seed42445051/scrip/notify"
	v1 "github.com/seed42445051/scrip/v1"
)

// Hooks are functions that are called when something has happened, in the program that Scrip is a
// library in. They are called from the outbox, at least once each and again after an error, as webhooks
// are: whatever one returns, no credits are undone. Those that are nil are not called. Of what another
// process decides they hear only when that was opened with hooks as well.
type Hooks struct {
	// OnCreditsTopUp is called when credits were bought and paid for.
	OnCreditsTopUp func(ctx context.Context, e CreditsTopUp) error
	// OnPayment is called for payment.*, OnRefund for refund.*, OnDispute for dispute.* and OnAutoTopUp for
	// auto_top_up.*; the event's type tells which.
	OnPayment   func(ctx context.Context, e OrderEvent) error
	OnRefund    func(ctx context.Context, e OrderEvent) error
	OnDispute   func(ctx context.Context, e OrderEvent) error
	OnAutoTopUp func(ctx context.Context, e OrderEvent) error
	// OnEvent is called for every event, in the form that a webhook has.
	OnEvent func(ctx context.Context, e v1.WebhookEvent) error
}

// CreditsTopUp is what OnCreditsTopUp is told (vevee-golivekit-stripe.md section 3.1).
type CreditsTopUp struct {
	UserID       string
	Email        string
	Name         string
	CreditsAdded money.Decimal
	AmountText   string // "$10.00"
	Order        v1.Order
}

// OrderEvent is what happened to an order.
type OrderEvent struct {
	Type string
	v1.WebhookOrder
}

// WithHooks has functions called when something has happened.
func WithHooks(h Hooks) Option { return func(o *options) { o.hooks = &h } }

// Receive calls the hooks that an event concerns.
func (h *Hooks) Receive(ctx context.Context, e *notify.Event) error {
	data, err := e.Data(ctx)
	if err != nil {
		return err
	}
	called := false
	if about, ok := data.(v1.WebhookOrder); ok {
		if called, err = h.order(ctx, e.Type, about); err != nil {
			return err
		}
	}
	if h.OnEvent == nil {
		if !called {
			return notify.ErrNotForMe
		}
		return nil
	}
	body, err := json.Marshal(data)
	if err != nil {
		return err
	}
	return h.OnEvent(ctx, v1.WebhookEvent{
		ID: e.ID, Type: string(e.Type), AppID: e.Key.App, Mode: string(e.Key.Mode), Timestamp: e.At, Data: body,
	})
}

func (h *Hooks) order(ctx context.Context, event catalog.EventType, about v1.WebhookOrder) (bool, error) {
	if event == catalog.EventCreditsTopUp {
		if h.OnCreditsTopUp == nil {
			return false, nil
		}
		return true, h.OnCreditsTopUp(ctx, CreditsTopUp{
			UserID: about.UserID, Email: about.Email, Name: about.Name, CreditsAdded: about.CreditsAdded,
			AmountText: about.AmountText, Order: about.Order,
		})
	}
	hook := map[string]func(context.Context, OrderEvent) error{
		"payment": h.OnPayment, "refund": h.OnRefund, "dispute": h.OnDispute, "auto_top_up": h.OnAutoTopUp,
	}[event.Group()]
	if hook == nil {
		return false, nil
	}
	return true, hook(ctx, OrderEvent{Type: string(event), WebhookOrder: about})
}
