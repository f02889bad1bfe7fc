package v1

import (
	"context"

	"github.com/seed42445051/scrip/clock"
)

// Operations is what can be asked of Scrip for one app and mode. The Go library does it in
// process, the Go client over HTTP; both are this interface, so a program can move from one to
// the other. Every error is a *fault.Error with a stable code.
type Operations interface {
	// Grant gives a customer credits. Under an external_ref it does so once, for ever.
	Grant(ctx context.Context, r GrantRequest, opts ...Option) (Grants, error)
	// GetGrant reads a grant.
	GetGrant(ctx context.Context, grantID string) (Grant, error)
	// RevokeGrant takes back what is left of a grant; what was spent stays spent.
	RevokeGrant(ctx context.Context, grantID string, r RevokeRequest, opts ...Option) (Grant, error)
	// Adjust corrects a balance by hand.
	Adjust(ctx context.Context, r AdjustRequest, opts ...Option) (Deducted, error)

	// Deduct spends at once; insufficient_credits when it cannot.
	Deduct(ctx context.Context, r DeductRequest, opts ...Option) (Deducted, error)
	// CanUse says what a charge would come to, and changes nothing.
	CanUse(ctx context.Context, r CanUseRequest) (Decision, error)
	// Reserve sets credits aside until they are committed, released, or the time is up.
	Reserve(ctx context.Context, r ReserveRequest, opts ...Option) (Decision, error)
	// Commit takes a reservation, or part of it.
	Commit(ctx context.Context, r CommitRequest, opts ...Option) (Reservation, error)
	// Release gives a reservation back to the very grants it came from.
	Release(ctx context.Context, r ReleaseRequest, opts ...Option) (Reservation, error)
	// Extend moves a reservation's expiry.
	Extend(ctx context.Context, r ExtendRequest, opts ...Option) (Reservation, error)
	// GetReservation reads a reservation.
	GetReservation(ctx context.Context, reservationID string) (Reservation, error)
	// Track records a usage event and charges it; limit_reached when it cannot.
	Track(ctx context.Context, r TrackRequest, opts ...Option) (Tracked, error)
	// Reverse gives a deduction back to the very grants it came from.
	Reverse(ctx context.Context, entryID string, r ReverseRequest, opts ...Option) (Entry, error)

	// Balances reads a customer's standing, now or at any earlier instant; at is zero for now.
	Balances(ctx context.Context, customerID, creditID string, at clock.Instant) (Balances, error)
	// Usage reads what a customer may still use of an event, or of all events when empty.
	Usage(ctx context.Context, customerID, event string) (Usage, error)
	// Ledger reads a customer's entries, newest first.
	Ledger(ctx context.Context, customerID string, q LedgerQuery) (Page[Entry], error)
	// CustomerGrants reads a customer's grants in the order in which they are drawn.
	CustomerGrants(ctx context.Context, customerID string, q GrantQuery) (Page[Grant], error)
	// GetEntry reads one entry.
	GetEntry(ctx context.Context, entryID string) (Entry, error)
	// CreditBalances reads the standing of every customer who holds a credit.
	CreditBalances(ctx context.Context, creditID string, q CreditBalanceQuery) (Page[CustomerBalance], error)
	// Explain says which grants an entry concerns and which rule decided.
	Explain(ctx context.Context, entryID string) (Explanation, error)
	// ExplainCharge says the same of a charge that was not made, or would be refused.
	ExplainCharge(ctx context.Context, r CanUseRequest) (Explanation, error)

	// IngestEvents records usage events, each id once for ever, and takes what meters make of
	// them before it returns.
	IngestEvents(ctx context.Context, r IngestRequest, opts ...Option) (Ingested, error)
	// GetEvent and ListEvents read usage events; VoidEvent and CorrectEvent take one out of the
	// counts, and put another in its place.
	GetEvent(ctx context.Context, eventID string, owner EventOwner) (Event, error)
	ListEvents(ctx context.Context, q EventQuery) (Page[Event], error)
	VoidEvent(ctx context.Context, eventID string, r VoidEvent, opts ...Option) (Event, error)
	CorrectEvent(ctx context.Context, eventID string, r CorrectEvent, opts ...Option) (Event, error)
	// UsageSeries reads a customer's usage by minute, hour or day; MeterUsages what meters have
	// counted in each billing period.
	UsageSeries(ctx context.Context, q SeriesQuery) (Series, error)
	MeterUsages(ctx context.Context, customerID string, q MeterUsageQuery) (Page[MeterUsage], error)
	// CreateMeter, GetMeter, ListMeters, UpdateMeter, ArchiveMeter and UnarchiveMeter define meters.
	CreateMeter(ctx context.Context, r CreateMeter, opts ...Option) (Meter, error)
	GetMeter(ctx context.Context, meterID string) (Meter, error)
	ListMeters(ctx context.Context, q MeterQuery) (Page[Meter], error)
	UpdateMeter(ctx context.Context, meterID string, r UpdateMeter, opts ...Option) (Meter, error)
	ArchiveMeter(ctx context.Context, meterID string, opts ...Option) (Meter, error)
	UnarchiveMeter(ctx context.Context, meterID string, opts ...Option) (Meter, error)

	// Subscribe gives a customer a plan, or changes what they have of one; PreviewSubscription is
	// what that would come to.
	Subscribe(ctx context.Context, r Subscribe, opts ...Option) (Subscription, error)
	PreviewSubscription(ctx context.Context, r Subscribe) (Subscription, error)
	// CancelSubscription ends one, at once or later; Pause and Resume let its cycle stand still and
	// go on; Update changes what was agreed with one customer.
	CancelSubscription(ctx context.Context, r CancelSubscription, opts ...Option) (Subscription, error)
	PauseSubscription(ctx context.Context, subscriptionID string, r PauseSubscription, opts ...Option) (Subscription, error)
	ResumeSubscription(ctx context.Context, subscriptionID string, r PauseSubscription, opts ...Option) (Subscription, error)
	UpdateSubscription(ctx context.Context, subscriptionID string, r UpdateSubscription, opts ...Option) (Subscription, error)
	// GetSubscription, ListSubscriptions and SubscriptionHistory read subscriptions.
	GetSubscription(ctx context.Context, subscriptionID string) (Subscription, error)
	ListSubscriptions(ctx context.Context, q SubscriptionQuery) (Page[Subscription], error)
	SubscriptionHistory(ctx context.Context, subscriptionID string, q PageQuery) (Page[SubscriptionEvent], error)
	// NextInvoice is what the running cycle's end would invoice; GetInvoice and ListInvoices read
	// what was invoiced, and InvoicePage shows it to people; PayInvoice and VoidInvoice close an invoice.
	NextInvoice(ctx context.Context, subscriptionID string) (Invoice, error)
	GetInvoice(ctx context.Context, invoiceID string) (Invoice, error)
	InvoicePage(ctx context.Context, invoiceID string) (HTML, error)
	ListInvoices(ctx context.Context, q InvoiceQuery) (Page[Invoice], error)
	PayInvoice(ctx context.Context, invoiceID string, r CloseInvoice, opts ...Option) (Invoice, error)
	VoidInvoice(ctx context.Context, invoiceID string, r CloseInvoice, opts ...Option) (Invoice, error)

	// Checkout opens a page on which a customer pays for a pack, credits, a plan or an invoice, or saves
	// a card; or it charges the saved card. PreviewCheckout is what that would come to.
	Checkout(ctx context.Context, r CheckoutRequest, opts ...Option) (Order, error)
	PreviewCheckout(ctx context.Context, r CheckoutRequest) (Order, error)
	// GetOrder and ListOrders read purchases; CancelOrder ends one that is not paid.
	GetOrder(ctx context.Context, orderID string) (Order, error)
	ListOrders(ctx context.Context, q OrderQuery) (Page[Order], error)
	CancelOrder(ctx context.Context, orderID string, r CancelOrder, opts ...Option) (Order, error)
	// RefundOrder pays back; PreviewRefund says what that would take back of the credits.
	RefundOrder(ctx context.Context, orderID string, r RefundRequest, opts ...Option) (Order, error)
	PreviewRefund(ctx context.Context, orderID string, q RefundQuery) (RefundPreview, error)
	// SetAutoTopUp agrees on automatic top-ups of a credit; AutoTopUps reads what is agreed.
	SetAutoTopUp(ctx context.Context, customerID string, r SetAutoTopUp, opts ...Option) (AutoTopUp, error)
	AutoTopUps(ctx context.Context, customerID string) (Page[AutoTopUp], error)
	// PaymentMethod reads which card is kept of a customer, ForgetPaymentMethod forgets it, and
	// PaymentPortal opens the payment provider's page for it.
	PaymentMethod(ctx context.Context, customerID string) (PaymentMethod, error)
	ForgetPaymentMethod(ctx context.Context, customerID string, opts ...Option) (PaymentMethod, error)
	PaymentPortal(ctx context.Context, customerID string, r PortalRequest) (Portal, error)
	// Reconcile asks the payment provider about all orders that may have news of which no webhook told.
	Reconcile(ctx context.Context, r ReconcileRequest, opts ...Option) (Reconciled, error)
	// ListMails reads the letters to customers, newest first: sent, or waiting until mail is set up.
	// OutboxPage shows them to people.
	ListMails(ctx context.Context, q MailQuery) (Page[Mail], error)
	OutboxPage(ctx context.Context, q MailQuery) (HTML, error)

	// CreateCredit, GetCredit, ListCredits, UpdateCredit, ArchiveCredit and UnarchiveCredit
	// define credits.
	CreateCredit(ctx context.Context, r CreateCredit, opts ...Option) (Credit, error)
	GetCredit(ctx context.Context, creditID string) (Credit, error)
	ListCredits(ctx context.Context) (Page[Credit], error)
	UpdateCredit(ctx context.Context, creditID string, r UpdateCredit, opts ...Option) (Credit, error)
	ArchiveCredit(ctx context.Context, creditID string, opts ...Option) (Credit, error)
	UnarchiveCredit(ctx context.Context, creditID string, opts ...Option) (Credit, error)
	// CreatePack, GetPack, ListPacks, UpdatePack and ArchivePack define packs. An update
	// replaces the pack under its id; what was granted from it stays as it is.
	CreatePack(ctx context.Context, r CreatePack, opts ...Option) (Pack, error)
	GetPack(ctx context.Context, packID string) (Pack, error)
	ListPacks(ctx context.Context) (Page[Pack], error)
	UpdatePack(ctx context.Context, packID string, r CreatePack, opts ...Option) (Pack, error)
	ArchivePack(ctx context.Context, packID string, opts ...Option) (Pack, error)

	// CreatePlan, GetPlan, ListPlans, UpdatePlan and ArchivePlan define plans. An update replaces
	// the plan under its id; subscriptions to it and what it granted stay as they are.
	CreatePlan(ctx context.Context, r CreatePlan, opts ...Option) (Plan, error)
	GetPlan(ctx context.Context, planID string) (Plan, error)
	ListPlans(ctx context.Context) (Page[Plan], error)
	UpdatePlan(ctx context.Context, planID string, r CreatePlan, opts ...Option) (Plan, error)
	ArchivePlan(ctx context.Context, planID string, opts ...Option) (Plan, error)

	// CreateCodes, GetCode, ListCodes, UpdateCode and ArchiveCode define what customers can redeem.
	CreateCodes(ctx context.Context, r CreateCodes, opts ...Option) (Page[Code], error)
	GetCode(ctx context.Context, codeID string) (Code, error)
	ListCodes(ctx context.Context, q CodeQuery) (Page[Code], error)
	UpdateCode(ctx context.Context, codeID string, r UpdateCode, opts ...Option) (Code, error)
	ArchiveCode(ctx context.Context, codeID string, opts ...Option) (Code, error)
	// RedeemCode gives a customer what a code gives, as often as the code allows.
	RedeemCode(ctx context.Context, r RedeemCode, opts ...Option) (Redeemed, error)

	// RegisterCustomer says that somebody has registered: they get the sign-up bonus of every credit
	// that has one, once for ever, and what is told of them is kept.
	RegisterCustomer(ctx context.Context, r RegisterCustomer, opts ...Option) (Registered, error)
	// GetCustomer, SaveCustomer, UpdateCustomer and ListCustomers keep what is known of
	// customers.
	GetCustomer(ctx context.Context, customerID string) (Customer, error)
	SaveCustomer(ctx context.Context, customerID string, r SaveCustomer, opts ...Option) (Customer, error)
	UpdateCustomer(ctx context.Context, customerID string, r UpdateCustomer, opts ...Option) (Customer, error)
	ListCustomers(ctx context.Context, q CustomerQuery) (Page[Customer], error)

	// CreateWebhookEndpoint and those after it say where events are sent. An endpoint belongs to
	// the mode of the caller.
	CreateWebhookEndpoint(ctx context.Context, r CreateWebhookEndpoint, opts ...Option) (WebhookEndpoint, error)
	GetWebhookEndpoint(ctx context.Context, endpointID string) (WebhookEndpoint, error)
	ListWebhookEndpoints(ctx context.Context) (Page[WebhookEndpoint], error)
	UpdateWebhookEndpoint(ctx context.Context, endpointID string, r UpdateWebhookEndpoint, opts ...Option) (WebhookEndpoint, error)
	ArchiveWebhookEndpoint(ctx context.Context, endpointID string, opts ...Option) (WebhookEndpoint, error)
	// GetWebhookSecret reads what signs; RotateWebhookSecret makes a new one, and the one before
	// signs as well for a day.
	GetWebhookSecret(ctx context.Context, endpointID string) (WebhookSecret, error)
	RotateWebhookSecret(ctx context.Context, endpointID string, opts ...Option) (WebhookSecret, error)
	// TestWebhookEndpoint sends endpoint.test now, once, and says what came of it.
	TestWebhookEndpoint(ctx context.Context, endpointID string) (WebhookAttempt, error)
	// ListWebhookDeliveries and GetWebhookDelivery tell what was sent to an endpoint, and what came
	// of it; the others send it again.
	ListWebhookDeliveries(ctx context.Context, endpointID string, q WebhookDeliveryQuery) (Page[WebhookDelivery], error)
	GetWebhookDelivery(ctx context.Context, deliveryID string) (WebhookDelivery, error)
	RedeliverWebhook(ctx context.Context, deliveryID string, opts ...Option) (WebhookDelivery, error)
	RedeliverWebhooks(ctx context.Context, endpointID string, r RedeliverWebhooks, opts ...Option) (Redelivered, error)

	// CreateKey, ListKeys and RevokeKey manage API keys; MintToken lets a browser read one
	// customer.
	CreateKey(ctx context.Context, r CreateKey, opts ...Option) (Key, error)
	ListKeys(ctx context.Context) (Page[Key], error)
	RevokeKey(ctx context.Context, keyID string, opts ...Option) (Key, error)
	MintToken(ctx context.Context, r MintToken) (Token, error)
	// TestClock reads the time of the caller's test mode; AdvanceTestClock moves it on, and returns
	// when all that fell due by then is written down. Live has no such clock.
	TestClock(ctx context.Context) (TestClock, error)
	AdvanceTestClock(ctx context.Context, r AdvanceTestClock, opts ...Option) (TestClock, error)
	// GetApp reads the app that the caller acts for.
	GetApp(ctx context.Context) (App, error)
}

// Option changes how one call is made.
type Option func(*Call)

// Call is what options set.
type Call struct {
	// IdempotencyKey makes the call happen once: asked again under the same key it gets the
	// original answer.
	IdempotencyKey string
}

// IdempotencyKey is the option that makes a call happen once.
func IdempotencyKey(key string) Option { return func(c *Call) { c.IdempotencyKey = key } }

// NewCall applies options.
func NewCall(opts []Option) Call {
	var c Call
	for _, opt := range opts {
		opt(&c)
	}
	return c
}
