package client

import (
	"context"

	v1 "github.com/seed42445051/scrip/v1"
)

// Subscribe gives a customer a plan, or changes what they have of one.
func (c *Client) Subscribe(ctx context.Context, r v1.Subscribe, opts ...v1.Option) (v1.Subscription, error) {
	return do[v1.Subscription](ctx, c, acts("client.Subscribe", post, "/v1/subscriptions", opts), r)
}

// PreviewSubscription is what Subscribe would come to; it changes nothing.
func (c *Client) PreviewSubscription(ctx context.Context, r v1.Subscribe) (v1.Subscription, error) {
	return do[v1.Subscription](ctx, c, request{op: "client.PreviewSubscription", method: post, path: "/v1/subscriptions/preview"}, r)
}

// CancelSubscription ends a subscription, at once or later.
func (c *Client) CancelSubscription(ctx context.Context, r v1.CancelSubscription, opts ...v1.Option) (v1.Subscription, error) {
	return do[v1.Subscription](ctx, c, acts("client.CancelSubscription", post, "/v1/subscriptions/cancel", opts), r)
}

// PauseSubscription lets the cycle stand still.
func (c *Client) PauseSubscription(ctx context.Context, subscriptionID string, r v1.PauseSubscription, opts ...v1.Option) (v1.Subscription, error) {
	return do[v1.Subscription](ctx, c, acts("client.PauseSubscription", post, at("/v1/subscriptions", subscriptionID, "pause"), opts), r)
}

// ResumeSubscription lets it go on where it was.
func (c *Client) ResumeSubscription(ctx context.Context, subscriptionID string, r v1.PauseSubscription, opts ...v1.Option) (v1.Subscription, error) {
	return do[v1.Subscription](ctx, c, acts("client.ResumeSubscription", post, at("/v1/subscriptions", subscriptionID, "resume"), opts), r)
}

// UpdateSubscription changes what was agreed with one customer.
func (c *Client) UpdateSubscription(ctx context.Context, subscriptionID string, r v1.UpdateSubscription, opts ...v1.Option) (v1.Subscription, error) {
	return do[v1.Subscription](ctx, c, acts("client.UpdateSubscription", patch, at("/v1/subscriptions", subscriptionID), opts), r)
}

// GetSubscription reads a subscription.
func (c *Client) GetSubscription(ctx context.Context, subscriptionID string) (v1.Subscription, error) {
	return do[v1.Subscription](ctx, c, asks("client.GetSubscription", at("/v1/subscriptions", subscriptionID)), nil)
}

// ListSubscriptions lists subscriptions, newest first.
func (c *Client) ListSubscriptions(ctx context.Context, q v1.SubscriptionQuery) (v1.Page[v1.Subscription], error) {
	return do[v1.Page[v1.Subscription]](ctx, c, asks("client.ListSubscriptions", "/v1/subscriptions"+query(q)), nil)
}

// SubscriptionHistory lists what happened to a subscription, newest first.
func (c *Client) SubscriptionHistory(ctx context.Context, subscriptionID string, q v1.PageQuery) (v1.Page[v1.SubscriptionEvent], error) {
	return do[v1.Page[v1.SubscriptionEvent]](ctx, c, asks("client.SubscriptionHistory", at("/v1/subscriptions", subscriptionID, "history")+query(q)), nil)
}

// NextInvoice is what the running cycle's end would invoice.
func (c *Client) NextInvoice(ctx context.Context, subscriptionID string) (v1.Invoice, error) {
	return do[v1.Invoice](ctx, c, asks("client.NextInvoice", at("/v1/subscriptions", subscriptionID, "next-invoice")), nil)
}

// GetInvoice reads an invoice.
func (c *Client) GetInvoice(ctx context.Context, invoiceID string) (v1.Invoice, error) {
	return do[v1.Invoice](ctx, c, asks("client.GetInvoice", at("/v1/invoices", invoiceID)), nil)
}

// InvoicePage reads an invoice as a page to be read and printed.
func (c *Client) InvoicePage(ctx context.Context, invoiceID string) (v1.HTML, error) {
	return do[v1.HTML](ctx, c, asks("client.InvoicePage", at("/v1/invoices", invoiceID, "page")), nil)
}

// ListInvoices lists invoices, newest first.
func (c *Client) ListInvoices(ctx context.Context, q v1.InvoiceQuery) (v1.Page[v1.Invoice], error) {
	return do[v1.Page[v1.Invoice]](ctx, c, asks("client.ListInvoices", "/v1/invoices"+query(q)), nil)
}

// PayInvoice says that an invoice was paid.
func (c *Client) PayInvoice(ctx context.Context, invoiceID string, r v1.CloseInvoice, opts ...v1.Option) (v1.Invoice, error) {
	return do[v1.Invoice](ctx, c, acts("client.PayInvoice", post, at("/v1/invoices", invoiceID, "pay"), opts), r)
}

// VoidInvoice says that an invoice is owed no longer.
func (c *Client) VoidInvoice(ctx context.Context, invoiceID string, r v1.CloseInvoice, opts ...v1.Option) (v1.Invoice, error) {
	return do[v1.Invoice](ctx, c, acts("client.VoidInvoice", post, at("/v1/invoices", invoiceID, "void"), opts), r)
}
