package client

import (
	"context"
	"net/http"

	"github.com/seed42445051/scrip/clock"
	v1 "github.com/seed42445051/scrip/v1"
)

const (
	post  = http.MethodPost
	put   = http.MethodPut
	patch = http.MethodPatch

	endpoints = "/v1/webhook-endpoints"
)

// Grant gives a customer credits. Under an external_ref it does so once, for ever.
func (c *Client) Grant(ctx context.Context, r v1.GrantRequest, opts ...v1.Option) (v1.Grants, error) {
	return do[v1.Grants](ctx, c, acts("client.Grant", post, "/v1/grants", opts), r)
}

// GetGrant reads a grant.
func (c *Client) GetGrant(ctx context.Context, grantID string) (v1.Grant, error) {
	return do[v1.Grant](ctx, c, asks("client.GetGrant", at("/v1/grants", grantID)), nil)
}

// RevokeGrant takes back what is left of a grant; what was spent stays spent.
func (c *Client) RevokeGrant(ctx context.Context, grantID string, r v1.RevokeRequest, opts ...v1.Option) (v1.Grant, error) {
	return do[v1.Grant](ctx, c, acts("client.RevokeGrant", post, at("/v1/grants", grantID, "revoke"), opts), r)
}

// Adjust corrects a balance by hand.
func (c *Client) Adjust(ctx context.Context, r v1.AdjustRequest, opts ...v1.Option) (v1.Deducted, error) {
	return do[v1.Deducted](ctx, c, acts("client.Adjust", post, "/v1/adjust", opts), r)
}

// Deduct spends at once; insufficient_credits when it cannot.
func (c *Client) Deduct(ctx context.Context, r v1.DeductRequest, opts ...v1.Option) (v1.Deducted, error) {
	return do[v1.Deducted](ctx, c, acts("client.Deduct", post, "/v1/deduct", opts), r)
}

// CanUse says what a charge would come to, and changes nothing.
func (c *Client) CanUse(ctx context.Context, r v1.CanUseRequest) (v1.Decision, error) {
	return do[v1.Decision](ctx, c, request{op: "client.CanUse", method: post, path: "/v1/can-use"}, r)
}

// Reserve sets credits aside until they are committed, released, or the time is up.
func (c *Client) Reserve(ctx context.Context, r v1.ReserveRequest, opts ...v1.Option) (v1.Decision, error) {
	return do[v1.Decision](ctx, c, acts("client.Reserve", post, "/v1/reserve", opts), r)
}

// Commit takes a reservation, or part of it.
func (c *Client) Commit(ctx context.Context, r v1.CommitRequest, opts ...v1.Option) (v1.Reservation, error) {
	return do[v1.Reservation](ctx, c, acts("client.Commit", post, "/v1/commit", opts), r)
}

// Release gives a reservation back to the very grants it came from.
func (c *Client) Release(ctx context.Context, r v1.ReleaseRequest, opts ...v1.Option) (v1.Reservation, error) {
	return do[v1.Reservation](ctx, c, acts("client.Release", post, "/v1/release", opts), r)
}

// Extend moves a reservation's expiry.
func (c *Client) Extend(ctx context.Context, r v1.ExtendRequest, opts ...v1.Option) (v1.Reservation, error) {
	return do[v1.Reservation](ctx, c, acts("client.Extend", post, "/v1/extend", opts), r)
}

// GetReservation reads a reservation.
func (c *Client) GetReservation(ctx context.Context, reservationID string) (v1.Reservation, error) {
	return do[v1.Reservation](ctx, c, asks("client.GetReservation", at("/v1/reservations", reservationID)), nil)
}

// Track records a usage event and charges it; limit_reached when it cannot.
func (c *Client) Track(ctx context.Context, r v1.TrackRequest, opts ...v1.Option) (v1.Tracked, error) {
	return do[v1.Tracked](ctx, c, acts("client.Track", post, "/v1/track", opts), r)
}

// Reverse gives a deduction back to the very grants it came from.
func (c *Client) Reverse(ctx context.Context, entryID string, r v1.ReverseRequest, opts ...v1.Option) (v1.Entry, error) {
	return do[v1.Entry](ctx, c, acts("client.Reverse", post, at("/v1/entries", entryID, "reverse"), opts), r)
}

// Balances reads a customer's standing, now or at any earlier instant; at is zero for now.
func (c *Client) Balances(ctx context.Context, customerID, creditID string, when clock.Instant) (v1.Balances, error) {
	return do[v1.Balances](ctx, c, asks("client.Balances", at("/v1/customers", customerID, "balances")+query(v1.BalanceQuery{CreditID: creditID, At: when})), nil)
}

// Usage reads what a customer may still use of an event, or of all events when empty.
func (c *Client) Usage(ctx context.Context, customerID, event string) (v1.Usage, error) {
	return do[v1.Usage](ctx, c, asks("client.Usage", "/v1/usage"+query(v1.UsageQuery{CustomerID: customerID, Event: event})), nil)
}

// Ledger reads a customer's entries, newest first.
func (c *Client) Ledger(ctx context.Context, customerID string, q v1.LedgerQuery) (v1.Page[v1.Entry], error) {
	return do[v1.Page[v1.Entry]](ctx, c, asks("client.Ledger", at("/v1/customers", customerID, "ledger")+query(q)), nil)
}

// CustomerGrants reads a customer's grants in the order in which they are drawn.
func (c *Client) CustomerGrants(ctx context.Context, customerID string, q v1.GrantQuery) (v1.Page[v1.Grant], error) {
	return do[v1.Page[v1.Grant]](ctx, c, asks("client.CustomerGrants", at("/v1/customers", customerID, "grants")+query(q)), nil)
}

// GetEntry reads one entry.
func (c *Client) GetEntry(ctx context.Context, entryID string) (v1.Entry, error) {
	return do[v1.Entry](ctx, c, asks("client.GetEntry", at("/v1/entries", entryID)), nil)
}

// Explain says which grants an entry concerns and which rule decided.
func (c *Client) Explain(ctx context.Context, entryID string) (v1.Explanation, error) {
	return do[v1.Explanation](ctx, c, asks("client.Explain", at("/v1/entries", entryID, "explain")), nil)
}

// ExplainCharge says the same of a charge that was not made, or would be refused.
func (c *Client) ExplainCharge(ctx context.Context, r v1.CanUseRequest) (v1.Explanation, error) {
	return do[v1.Explanation](ctx, c, request{op: "client.ExplainCharge", method: post, path: "/v1/explain"}, r)
}

// IngestEvents records usage events, each id once for ever.
func (c *Client) IngestEvents(ctx context.Context, r v1.IngestRequest, opts ...v1.Option) (v1.Ingested, error) {
	return do[v1.Ingested](ctx, c, acts("client.IngestEvents", post, "/v1/events", opts), r)
}

// GetEvent reads a usage event.
func (c *Client) GetEvent(ctx context.Context, eventID string, owner v1.EventOwner) (v1.Event, error) {
	return do[v1.Event](ctx, c, asks("client.GetEvent", at("/v1/events", eventID)+query(owner)), nil)
}

// ListEvents lists usage events, newest first.
func (c *Client) ListEvents(ctx context.Context, q v1.EventQuery) (v1.Page[v1.Event], error) {
	return do[v1.Page[v1.Event]](ctx, c, asks("client.ListEvents", "/v1/events"+query(q)), nil)
}

// VoidEvent takes a usage event out of every count.
func (c *Client) VoidEvent(ctx context.Context, eventID string, r v1.VoidEvent, opts ...v1.Option) (v1.Event, error) {
	return do[v1.Event](ctx, c, acts("client.VoidEvent", post, at("/v1/events", eventID, "void"), opts), r)
}

// CorrectEvent puts another usage event in the place of one.
func (c *Client) CorrectEvent(ctx context.Context, eventID string, r v1.CorrectEvent, opts ...v1.Option) (v1.Event, error) {
	return do[v1.Event](ctx, c, acts("client.CorrectEvent", post, at("/v1/events", eventID, "correct"), opts), r)
}

// UsageSeries reads a customer's usage by minute, hour or day.
func (c *Client) UsageSeries(ctx context.Context, q v1.SeriesQuery) (v1.Series, error) {
	return do[v1.Series](ctx, c, asks("client.UsageSeries", "/v1/usage/series"+query(q)), nil)
}

// MeterUsages reads what meters have counted of a customer.
func (c *Client) MeterUsages(ctx context.Context, customerID string, q v1.MeterUsageQuery) (v1.Page[v1.MeterUsage], error) {
	return do[v1.Page[v1.MeterUsage]](ctx, c, asks("client.MeterUsages", at("/v1/customers", customerID, "meters")+query(q)), nil)
}

// CreateMeter defines a meter.
func (c *Client) CreateMeter(ctx context.Context, r v1.CreateMeter, opts ...v1.Option) (v1.Meter, error) {
	return do[v1.Meter](ctx, c, acts("client.CreateMeter", post, "/v1/meters", opts), r)
}

// GetMeter reads a meter.
func (c *Client) GetMeter(ctx context.Context, meterID string) (v1.Meter, error) {
	return do[v1.Meter](ctx, c, asks("client.GetMeter", at("/v1/meters", meterID)), nil)
}

// ListMeters lists meters.
func (c *Client) ListMeters(ctx context.Context, q v1.MeterQuery) (v1.Page[v1.Meter], error) {
	return do[v1.Page[v1.Meter]](ctx, c, asks("client.ListMeters", "/v1/meters"+query(q)), nil)
}

// UpdateMeter changes a meter; what was counted stays as it is.
func (c *Client) UpdateMeter(ctx context.Context, meterID string, r v1.UpdateMeter, opts ...v1.Option) (v1.Meter, error) {
	if r.Links != nil && *r.Links == nil {
		r.Links = &[]v1.MeterLink{} // as null it would mean "as they are"
	}
	return do[v1.Meter](ctx, c, acts("client.UpdateMeter", patch, at("/v1/meters", meterID), opts), r)
}

// ArchiveMeter ends a meter.
func (c *Client) ArchiveMeter(ctx context.Context, meterID string, opts ...v1.Option) (v1.Meter, error) {
	return do[v1.Meter](ctx, c, acts("client.ArchiveMeter", post, at("/v1/meters", meterID, "archive"), opts), nil)
}

// UnarchiveMeter lets a meter count again.
func (c *Client) UnarchiveMeter(ctx context.Context, meterID string, opts ...v1.Option) (v1.Meter, error) {
	return do[v1.Meter](ctx, c, acts("client.UnarchiveMeter", post, at("/v1/meters", meterID, "unarchive"), opts), nil)
}

// CreateCredit defines a credit.
func (c *Client) CreateCredit(ctx context.Context, r v1.CreateCredit, opts ...v1.Option) (v1.Credit, error) {
	return do[v1.Credit](ctx, c, acts("client.CreateCredit", post, "/v1/credits", opts), r)
}

// GetCredit reads a credit.
func (c *Client) GetCredit(ctx context.Context, creditID string) (v1.Credit, error) {
	return do[v1.Credit](ctx, c, asks("client.GetCredit", at("/v1/credits", creditID)), nil)
}

// ListCredits lists the credits of the app.
func (c *Client) ListCredits(ctx context.Context) (v1.Page[v1.Credit], error) {
	return do[v1.Page[v1.Credit]](ctx, c, asks("client.ListCredits", "/v1/credits"), nil)
}

// UpdateCredit changes a credit; existing grants stay as they are.
func (c *Client) UpdateCredit(ctx context.Context, creditID string, r v1.UpdateCredit, opts ...v1.Option) (v1.Credit, error) {
	return do[v1.Credit](ctx, c, acts("client.UpdateCredit", patch, at("/v1/credits", creditID), opts), clearing(r))
}

// ArchiveCredit ends granting a credit.
func (c *Client) ArchiveCredit(ctx context.Context, creditID string, opts ...v1.Option) (v1.Credit, error) {
	return do[v1.Credit](ctx, c, acts("client.ArchiveCredit", post, at("/v1/credits", creditID, "archive"), opts), nil)
}

// UnarchiveCredit lets a credit be granted again.
func (c *Client) UnarchiveCredit(ctx context.Context, creditID string, opts ...v1.Option) (v1.Credit, error) {
	return do[v1.Credit](ctx, c, acts("client.UnarchiveCredit", post, at("/v1/credits", creditID, "unarchive"), opts), nil)
}

// CreditBalances reads the standing of every customer who holds a credit.
func (c *Client) CreditBalances(ctx context.Context, creditID string, q v1.CreditBalanceQuery) (v1.Page[v1.CustomerBalance], error) {
	return do[v1.Page[v1.CustomerBalance]](ctx, c, asks("client.CreditBalances", at("/v1/credits", creditID, "balances")+query(q)), nil)
}

// CreatePack defines a pack.
func (c *Client) CreatePack(ctx context.Context, r v1.CreatePack, opts ...v1.Option) (v1.Pack, error) {
	return do[v1.Pack](ctx, c, acts("client.CreatePack", post, "/v1/packs", opts), r)
}

// GetPack reads a pack.
func (c *Client) GetPack(ctx context.Context, packID string) (v1.Pack, error) {
	return do[v1.Pack](ctx, c, asks("client.GetPack", at("/v1/packs", packID)), nil)
}

// ListPacks lists the packs of the app.
func (c *Client) ListPacks(ctx context.Context) (v1.Page[v1.Pack], error) {
	return do[v1.Page[v1.Pack]](ctx, c, asks("client.ListPacks", "/v1/packs"), nil)
}

// UpdatePack replaces a pack; what was granted from it stays as it is.
func (c *Client) UpdatePack(ctx context.Context, packID string, r v1.CreatePack, opts ...v1.Option) (v1.Pack, error) {
	return do[v1.Pack](ctx, c, acts("client.UpdatePack", put, at("/v1/packs", packID), opts), r)
}

// ArchivePack ends selling a pack.
func (c *Client) ArchivePack(ctx context.Context, packID string, opts ...v1.Option) (v1.Pack, error) {
	return do[v1.Pack](ctx, c, acts("client.ArchivePack", post, at("/v1/packs", packID, "archive"), opts), nil)
}

// CreatePlan defines a plan.
func (c *Client) CreatePlan(ctx context.Context, r v1.CreatePlan, opts ...v1.Option) (v1.Plan, error) {
	return do[v1.Plan](ctx, c, acts("client.CreatePlan", post, "/v1/plans", opts), r)
}

// GetPlan reads a plan.
func (c *Client) GetPlan(ctx context.Context, planID string) (v1.Plan, error) {
	return do[v1.Plan](ctx, c, asks("client.GetPlan", at("/v1/plans", planID)), nil)
}

// ListPlans lists the plans of the app.
func (c *Client) ListPlans(ctx context.Context) (v1.Page[v1.Plan], error) {
	return do[v1.Page[v1.Plan]](ctx, c, asks("client.ListPlans", "/v1/plans"), nil)
}

// UpdatePlan replaces a plan; subscriptions to it and what it granted stay as they are.
func (c *Client) UpdatePlan(ctx context.Context, planID string, r v1.CreatePlan, opts ...v1.Option) (v1.Plan, error) {
	return do[v1.Plan](ctx, c, acts("client.UpdatePlan", put, at("/v1/plans", planID), opts), r)
}

// ArchivePlan ends selling a plan.
func (c *Client) ArchivePlan(ctx context.Context, planID string, opts ...v1.Option) (v1.Plan, error) {
	return do[v1.Plan](ctx, c, acts("client.ArchivePlan", post, at("/v1/plans", planID, "archive"), opts), nil)
}

// CreateCodes makes a code that customers can redeem, or many at once.
func (c *Client) CreateCodes(ctx context.Context, r v1.CreateCodes, opts ...v1.Option) (v1.Page[v1.Code], error) {
	return do[v1.Page[v1.Code]](ctx, c, acts("client.CreateCodes", post, "/v1/codes", opts), r)
}

// GetCode reads a code, by its id or its text.
func (c *Client) GetCode(ctx context.Context, codeID string) (v1.Code, error) {
	return do[v1.Code](ctx, c, asks("client.GetCode", at("/v1/codes", codeID)), nil)
}

// ListCodes lists codes, the newest first.
func (c *Client) ListCodes(ctx context.Context, q v1.CodeQuery) (v1.Page[v1.Code], error) {
	return do[v1.Page[v1.Code]](ctx, c, asks("client.ListCodes", "/v1/codes"+query(q)), nil)
}

// UpdateCode changes when and how often a code can be used.
func (c *Client) UpdateCode(ctx context.Context, codeID string, r v1.UpdateCode, opts ...v1.Option) (v1.Code, error) {
	return do[v1.Code](ctx, c, acts("client.UpdateCode", patch, at("/v1/codes", codeID), opts), r)
}

// ArchiveCode ends a code; what it gave stays.
func (c *Client) ArchiveCode(ctx context.Context, codeID string, opts ...v1.Option) (v1.Code, error) {
	return do[v1.Code](ctx, c, acts("client.ArchiveCode", post, at("/v1/codes", codeID, "archive"), opts), nil)
}

// RedeemCode gives a customer what a code gives.
func (c *Client) RedeemCode(ctx context.Context, r v1.RedeemCode, opts ...v1.Option) (v1.Redeemed, error) {
	return do[v1.Redeemed](ctx, c, acts("client.RedeemCode", post, "/v1/codes/redeem", opts), r)
}

// RegisterCustomer says that somebody has registered: they get the sign-up bonus, once for ever.
func (c *Client) RegisterCustomer(ctx context.Context, r v1.RegisterCustomer, opts ...v1.Option) (v1.Registered, error) {
	return do[v1.Registered](ctx, c, acts("client.RegisterCustomer", post, "/v1/customers", opts), r)
}

// GetCustomer reads what is known of a customer.
func (c *Client) GetCustomer(ctx context.Context, customerID string) (v1.Customer, error) {
	return do[v1.Customer](ctx, c, asks("client.GetCustomer", at("/v1/customers", customerID)), nil)
}

// SaveCustomer tells what is known of a customer.
func (c *Client) SaveCustomer(ctx context.Context, customerID string, r v1.SaveCustomer, opts ...v1.Option) (v1.Customer, error) {
	return do[v1.Customer](ctx, c, acts("client.SaveCustomer", put, at("/v1/customers", customerID), opts), r)
}

// UpdateCustomer changes what is known of a customer.
func (c *Client) UpdateCustomer(ctx context.Context, customerID string, r v1.UpdateCustomer, opts ...v1.Option) (v1.Customer, error) {
	return do[v1.Customer](ctx, c, acts("client.UpdateCustomer", patch, at("/v1/customers", customerID), opts), r)
}

// ListCustomers lists customers by id.
func (c *Client) ListCustomers(ctx context.Context, q v1.CustomerQuery) (v1.Page[v1.Customer], error) {
	return do[v1.Page[v1.Customer]](ctx, c, asks("client.ListCustomers", "/v1/customers"+query(q)), nil)
}

// CreateKey makes an API key. It is sent once and never again, since a key's text is stored
// nowhere and an answer that was lost cannot be repeated.
func (c *Client) CreateKey(ctx context.Context, r v1.CreateKey, opts ...v1.Option) (v1.Key, error) {
	return do[v1.Key](ctx, c, request{op: "client.CreateKey", method: post, path: "/v1/keys", idempotency: v1.NewCall(opts).IdempotencyKey, once: true}, r)
}

// ListKeys lists the app's keys, revoked ones included.
func (c *Client) ListKeys(ctx context.Context) (v1.Page[v1.Key], error) {
	return do[v1.Page[v1.Key]](ctx, c, asks("client.ListKeys", "/v1/keys"), nil)
}

// RevokeKey ends a key at once.
func (c *Client) RevokeKey(ctx context.Context, keyID string, opts ...v1.Option) (v1.Key, error) {
	return do[v1.Key](ctx, c, acts("client.RevokeKey", post, at("/v1/keys", keyID, "revoke"), opts), nil)
}

// MintToken makes a token with which a browser may read one customer.
func (c *Client) MintToken(ctx context.Context, r v1.MintToken) (v1.Token, error) {
	return do[v1.Token](ctx, c, request{op: "client.MintToken", method: post, path: "/v1/customer-tokens"}, r)
}

// GetApp reads the app and mode of the key.
func (c *Client) GetApp(ctx context.Context) (v1.App, error) {
	return do[v1.App](ctx, c, asks("client.GetApp", "/v1/app"), nil)
}

// TestClock reads the time of the key's test mode.
func (c *Client) TestClock(ctx context.Context) (v1.TestClock, error) {
	return do[v1.TestClock](ctx, c, asks("client.TestClock", "/v1/test-clock"), nil)
}

// AdvanceTestClock moves the clock of the key's test mode on, and returns when all that fell due by
// then is written down.
func (c *Client) AdvanceTestClock(ctx context.Context, r v1.AdvanceTestClock, opts ...v1.Option) (v1.TestClock, error) {
	return do[v1.TestClock](ctx, c, acts("client.AdvanceTestClock", post, "/v1/test-clock/advance", opts), r)
}

// CreateWebhookEndpoint says where events of the key's mode are to be sent.
func (c *Client) CreateWebhookEndpoint(ctx context.Context, r v1.CreateWebhookEndpoint, opts ...v1.Option) (v1.WebhookEndpoint, error) {
	return do[v1.WebhookEndpoint](ctx, c, acts("client.CreateWebhookEndpoint", post, endpoints, opts), r)
}

// GetWebhookEndpoint reads an endpoint.
func (c *Client) GetWebhookEndpoint(ctx context.Context, endpointID string) (v1.WebhookEndpoint, error) {
	return do[v1.WebhookEndpoint](ctx, c, asks("client.GetWebhookEndpoint", at(endpoints, endpointID)), nil)
}

// ListWebhookEndpoints lists the endpoints of the key's mode.
func (c *Client) ListWebhookEndpoints(ctx context.Context) (v1.Page[v1.WebhookEndpoint], error) {
	return do[v1.Page[v1.WebhookEndpoint]](ctx, c, asks("client.ListWebhookEndpoints", endpoints), nil)
}

// UpdateWebhookEndpoint changes an endpoint.
func (c *Client) UpdateWebhookEndpoint(ctx context.Context, endpointID string, r v1.UpdateWebhookEndpoint, opts ...v1.Option) (v1.WebhookEndpoint, error) {
	return do[v1.WebhookEndpoint](ctx, c, acts("client.UpdateWebhookEndpoint", patch, at(endpoints, endpointID), opts), emptying(r))
}

// ArchiveWebhookEndpoint ends an endpoint, what is pending included.
func (c *Client) ArchiveWebhookEndpoint(ctx context.Context, endpointID string, opts ...v1.Option) (v1.WebhookEndpoint, error) {
	return do[v1.WebhookEndpoint](ctx, c, acts("client.ArchiveWebhookEndpoint", post, at(endpoints, endpointID, "archive"), opts), nil)
}

// GetWebhookSecret reads what signs.
func (c *Client) GetWebhookSecret(ctx context.Context, endpointID string) (v1.WebhookSecret, error) {
	return do[v1.WebhookSecret](ctx, c, asks("client.GetWebhookSecret", at(endpoints, endpointID, "secret")), nil)
}

// RotateWebhookSecret makes a new secret; the one before signs as well for a day.
func (c *Client) RotateWebhookSecret(ctx context.Context, endpointID string, opts ...v1.Option) (v1.WebhookSecret, error) {
	return do[v1.WebhookSecret](ctx, c, acts("client.RotateWebhookSecret", post, at(endpoints, endpointID, "rotate-secret"), opts), nil)
}

// TestWebhookEndpoint sends endpoint.test now, once, and says what came of it.
func (c *Client) TestWebhookEndpoint(ctx context.Context, endpointID string) (v1.WebhookAttempt, error) {
	return do[v1.WebhookAttempt](ctx, c, request{op: "client.TestWebhookEndpoint", method: post, path: at(endpoints, endpointID, "test")}, nil)
}

// ListWebhookDeliveries lists an endpoint's deliveries, newest first.
func (c *Client) ListWebhookDeliveries(ctx context.Context, endpointID string, q v1.WebhookDeliveryQuery) (v1.Page[v1.WebhookDelivery], error) {
	return do[v1.Page[v1.WebhookDelivery]](ctx, c, asks("client.ListWebhookDeliveries", at(endpoints, endpointID, "deliveries")+query(q)), nil)
}

// GetWebhookDelivery reads a delivery with its attempts.
func (c *Client) GetWebhookDelivery(ctx context.Context, deliveryID string) (v1.WebhookDelivery, error) {
	return do[v1.WebhookDelivery](ctx, c, asks("client.GetWebhookDelivery", at("/v1/webhook-deliveries", deliveryID)), nil)
}

// RedeliverWebhook sends a delivery again.
func (c *Client) RedeliverWebhook(ctx context.Context, deliveryID string, opts ...v1.Option) (v1.WebhookDelivery, error) {
	return do[v1.WebhookDelivery](ctx, c, acts("client.RedeliverWebhook", post, at("/v1/webhook-deliveries", deliveryID, "redeliver"), opts), nil)
}

// RedeliverWebhooks sends again what was made for an endpoint in a stretch of time.
func (c *Client) RedeliverWebhooks(ctx context.Context, endpointID string, r v1.RedeliverWebhooks, opts ...v1.Option) (v1.Redelivered, error) {
	return do[v1.Redelivered](ctx, c, acts("client.RedeliverWebhooks", post, at(endpoints, endpointID, "redeliver"), opts), r)
}
