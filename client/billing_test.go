package client

import (
	"context"
	"testing"
	"time"

	v1 "github.com/seed42445051/scrip/v1"
)

// billingCalls makes every call about subscriptions and invoices.
func billingCalls(t *testing.T, f *fixture, over v1.Operations, called map[string]bool) {
	ctx := context.Background()
	key := func(k string) v1.Option { return v1.IdempotencyKey(k) }
	if _, err := over.CreatePlan(ctx, v1.CreatePlan{
		ID: "gold", Name: "Gold", Price: 900, Allowances: []v1.PlanAllowance{{Label: "Images", Quota: "40", Rules: []v1.UsageRule{{Event: "image.*"}}, Period: "monthly"}},
		Credits: []v1.PlanCredit{{CreditID: "api", Amount: "50"}},
	}); err != nil {
		t.Fatal(err)
	}
	f.clock.Advance(time.Second) // so that nothing else is as new
	ask := v1.Subscribe{
		CustomerID: "s", PlanID: "Gold", Quantity: 2, Zone: "Europe/Zurich", Limits: v1.Limits{"Images": "50"}, Metadata: v1.Metadata{"a": "b"},
	}
	both(t, called, "PreviewSubscription", over, f.direct, func(o v1.Operations) (v1.Subscription, error) { return o.PreviewSubscription(ctx, ask) })
	sub := both(t, called, "Subscribe", over, f.direct, func(o v1.Operations) (v1.Subscription, error) { return o.Subscribe(ctx, ask, key("subscribe")) })
	if len(sub.Invoices) != 1 || sub.Invoices[0].Total != 1800 || sub.Allowances[0].Quota != "50" {
		t.Fatalf("subscribed: %+v", sub)
	}
	both(t, called, "UpdateSubscription", over, f.direct, func(o v1.Operations) (v1.Subscription, error) {
		days := 5
		return o.UpdateSubscription(ctx, sub.ID, v1.UpdateSubscription{
			NextCycleAt: sub.Cycle.End + 1, Credits: []v1.CreditTerms{{CreditID: "api", Amount: "60", ExpiresAfterDays: &days}}, Reason: "because",
		}, key("update-subscription"))
	})
	both(t, called, "PauseSubscription", over, f.direct, func(o v1.Operations) (v1.Subscription, error) {
		return o.PauseSubscription(ctx, sub.ID, v1.PauseSubscription{Reason: "away"}, key("pause"))
	})
	both(t, called, "ResumeSubscription", over, f.direct, func(o v1.Operations) (v1.Subscription, error) {
		return o.ResumeSubscription(ctx, sub.ID, v1.PauseSubscription{}, key("resume"))
	})
	both(t, called, "NextInvoice", over, f.direct, func(o v1.Operations) (v1.Invoice, error) { return o.NextInvoice(ctx, sub.ID) })
	both(t, called, "CancelSubscription", over, f.direct, func(o v1.Operations) (v1.Subscription, error) {
		return o.CancelSubscription(ctx, v1.CancelSubscription{SubscriptionID: sub.ID, AtCycleEnd: true, Reason: "too dear"}, key("cancel"))
	})
	both(t, called, "GetSubscription", over, f.direct, func(o v1.Operations) (v1.Subscription, error) { return o.GetSubscription(ctx, sub.ID) })
	f.clock.Advance(time.Second)
	if _, err := over.Subscribe(ctx, v1.Subscribe{CustomerID: "t", PlanID: "gold"}); err != nil {
		t.Fatal(err)
	}
	both(t, called, "ListSubscriptions", over, f.direct, func(o v1.Operations) (v1.Page[v1.Subscription], error) {
		return second(t, func(cursor string) (v1.Page[v1.Subscription], error) {
			return o.ListSubscriptions(ctx, v1.SubscriptionQuery{PlanID: "gold", Status: "active", Limit: 1, Cursor: cursor})
		})
	})
	both(t, called, "SubscriptionHistory", over, f.direct, func(o v1.Operations) (v1.Page[v1.SubscriptionEvent], error) {
		return second(t, func(cursor string) (v1.Page[v1.SubscriptionEvent], error) {
			return o.SubscriptionHistory(ctx, sub.ID, v1.PageQuery{Limit: 2, Cursor: cursor})
		})
	})
	invoices := both(t, called, "ListInvoices", over, f.direct, func(o v1.Operations) (v1.Page[v1.Invoice], error) {
		return second(t, func(cursor string) (v1.Page[v1.Invoice], error) {
			return o.ListInvoices(ctx, v1.InvoiceQuery{Status: "open", Limit: 1, Cursor: cursor})
		})
	})
	first := invoices.Data[0].ID
	both(t, called, "GetInvoice", over, f.direct, func(o v1.Operations) (v1.Invoice, error) { return o.GetInvoice(ctx, first) })
	both(t, called, "InvoicePage", over, f.direct, func(o v1.Operations) (v1.HTML, error) { return o.InvoicePage(ctx, first) })
	both(t, called, "PayInvoice", over, f.direct, func(o v1.Operations) (v1.Invoice, error) {
		return o.PayInvoice(ctx, first, v1.CloseInvoice{Reference: "ch_1"}, key("pay"))
	})
	theirs, err := over.ListInvoices(ctx, v1.InvoiceQuery{CustomerID: "t"})
	if err != nil || len(theirs.Data) != 1 {
		t.Fatalf("invoices of t: %+v, %v", theirs, err)
	}
	both(t, called, "VoidInvoice", over, f.direct, func(o v1.Operations) (v1.Invoice, error) {
		return o.VoidInvoice(ctx, theirs.Data[0].ID, v1.CloseInvoice{Reference: "a mistake"}, key("void-invoice"))
	})
}

// second is the second page of a list, which must have one.
func second[T any](t *testing.T, list func(cursor string) (v1.Page[T], error)) (v1.Page[T], error) {
	t.Helper()
	page, err := list("")
	if err != nil || !page.HasMore {
		t.Fatalf("no second page: %v", err)
	}
	return list(page.NextCursor)
}
