package client

import (
	"context"

	v1 "github.com/seed42445051/scrip/v1"
)

// Checkout opens a page on which a customer pays, or charges the saved card.
func (c *Client) Checkout(ctx context.Context, r v1.CheckoutRequest, opts ...v1.Option) (v1.Order, error) {
	return do[v1.Order](ctx, c, acts("client.Checkout", post, "/v1/checkout", opts), r)
}

// PreviewCheckout is what Checkout would come to; it changes nothing.
func (c *Client) PreviewCheckout(ctx context.Context, r v1.CheckoutRequest) (v1.Order, error) {
	return do[v1.Order](ctx, c, request{op: "client.PreviewCheckout", method: post, path: "/v1/checkout/preview"}, r)
}

// GetOrder reads a purchase.
func (c *Client) GetOrder(ctx context.Context, orderID string) (v1.Order, error) {
	return do[v1.Order](ctx, c, asks("client.GetOrder", at("/v1/orders", orderID)), nil)
}

// ListOrders lists purchases, newest first.
func (c *Client) ListOrders(ctx context.Context, q v1.OrderQuery) (v1.Page[v1.Order], error) {
	return do[v1.Page[v1.Order]](ctx, c, asks("client.ListOrders", "/v1/orders"+query(q)), nil)
}

// CancelOrder ends a purchase that is not paid.
func (c *Client) CancelOrder(ctx context.Context, orderID string, r v1.CancelOrder, opts ...v1.Option) (v1.Order, error) {
	return do[v1.Order](ctx, c, acts("client.CancelOrder", post, at("/v1/orders", orderID, "cancel"), opts), r)
}

// RefundOrder pays back, in full or in part.
func (c *Client) RefundOrder(ctx context.Context, orderID string, r v1.RefundRequest, opts ...v1.Option) (v1.Order, error) {
	return do[v1.Order](ctx, c, acts("client.RefundOrder", post, at("/v1/orders", orderID, "refund"), opts), r)
}

// PreviewRefund says what a refund would take back, and what may fairly be paid back.
func (c *Client) PreviewRefund(ctx context.Context, orderID string, q v1.RefundQuery) (v1.RefundPreview, error) {
	return do[v1.RefundPreview](ctx, c, asks("client.PreviewRefund", at("/v1/orders", orderID, "refund-preview")+query(q)), nil)
}

// SetAutoTopUp agrees on automatic top-ups of a credit.
func (c *Client) SetAutoTopUp(ctx context.Context, customerID string, r v1.SetAutoTopUp, opts ...v1.Option) (v1.AutoTopUp, error) {
	return do[v1.AutoTopUp](ctx, c, acts("client.SetAutoTopUp", put, at("/v1/customers", customerID, "auto-top-ups"), opts), r)
}

// AutoTopUps reads what is agreed about automatic top-ups.
func (c *Client) AutoTopUps(ctx context.Context, customerID string) (v1.Page[v1.AutoTopUp], error) {
	return do[v1.Page[v1.AutoTopUp]](ctx, c, asks("client.AutoTopUps", at("/v1/customers", customerID, "auto-top-ups")), nil)
}

// PaymentMethod reads which card is kept of a customer.
func (c *Client) PaymentMethod(ctx context.Context, customerID string) (v1.PaymentMethod, error) {
	return do[v1.PaymentMethod](ctx, c, asks("client.PaymentMethod", at("/v1/customers", customerID, "payment-method")), nil)
}

// ForgetPaymentMethod forgets the card that is kept.
func (c *Client) ForgetPaymentMethod(ctx context.Context, customerID string, opts ...v1.Option) (v1.PaymentMethod, error) {
	return do[v1.PaymentMethod](ctx, c, acts("client.ForgetPaymentMethod", post, at("/v1/customers", customerID, "payment-method", "forget"), opts), nil)
}

// PaymentPortal opens the payment provider's page for a customer's cards.
func (c *Client) PaymentPortal(ctx context.Context, customerID string, r v1.PortalRequest) (v1.Portal, error) {
	return do[v1.Portal](ctx, c, request{op: "client.PaymentPortal", method: post, path: at("/v1/customers", customerID, "payment-portal")}, r)
}

// Reconcile asks the payment provider about orders of which no webhook told.
func (c *Client) Reconcile(ctx context.Context, r v1.ReconcileRequest, opts ...v1.Option) (v1.Reconciled, error) {
	return do[v1.Reconciled](ctx, c, acts("client.Reconcile", post, "/v1/orders/reconcile", opts), r)
}

// ListMails reads the letters to customers, newest first.
func (c *Client) ListMails(ctx context.Context, q v1.MailQuery) (v1.Page[v1.Mail], error) {
	return do[v1.Page[v1.Mail]](ctx, c, asks("client.ListMails", "/v1/mails"+query(q)), nil)
}

// OutboxPage reads the letters to customers as a page for people.
func (c *Client) OutboxPage(ctx context.Context, q v1.MailQuery) (v1.HTML, error) {
	return do[v1.HTML](ctx, c, asks("client.OutboxPage", "/v1/mails/page"+query(q)), nil)
}
