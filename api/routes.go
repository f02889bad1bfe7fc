package api

import (
	"context"
	"net/http"

	v1 "github.com/seed42445051/scrip/v1"
)

// Methods, short enough for one line a route.
const (
	read  = http.MethodGet
	post  = http.MethodPost
	put   = http.MethodPut
	patch = http.MethodPatch
)

// section is the routes that a reader of the document looks for together.
type section struct {
	name, about string
	routes      []route
}

// sections is the table of all routes under /v1.
var sections = []section{
	{"Spending", "Spend, hold and ask.", []route{
		{post, "/v1/deduct", "deduct", "Spend at once; 402 when the balance does not cover it", secretOnly, checked(act(v1.Operations.Deduct))},
		{post, "/v1/can-use", "canUse", "What a charge would come to; changes nothing", secretOnly, checked(ask(v1.Operations.CanUse))},
		{post, "/v1/reserve", "reserve", "Set credits aside until they are committed, released, or the time is up", secretOnly, checked(act(v1.Operations.Reserve))},
		{post, "/v1/commit", "commit", "Take a reservation, or part of it", secretOnly, checked(act(v1.Operations.Commit))},
		{post, "/v1/release", "release", "Give a reservation back to the grants it came from", secretOnly, checked(act(v1.Operations.Release))},
		{post, "/v1/extend", "extend", "Move a reservation's expiry", secretOnly, checked(act(v1.Operations.Extend))},
		{read, "/v1/reservations/{id}", "getReservation", "Read a reservation", secretOnly, get(v1.Operations.GetReservation)},
		{post, "/v1/track", "track", "Record a usage event and charge it", secretOnly, checked(act(v1.Operations.Track))},
		{read, "/v1/usage", "getUsage", "What a customer may still use", ownCustomer, list(usage)},
	}},
	{"Grants", "Give credits and take them back.", []route{
		{post, "/v1/grants", "grant", "Give a customer credits, or a pack", secretOnly, checked(act(v1.Operations.Grant))},
		{read, "/v1/grants/{id}", "getGrant", "Read a grant", secretOnly, get(v1.Operations.GetGrant)},
		{post, "/v1/grants/{id}/revoke", "revokeGrant", "Take back what is left of a grant", secretOnly, checked(actOn(v1.Operations.RevokeGrant))},
		{post, "/v1/adjust", "adjust", "Correct a balance by hand", secretOnly, checked(act(v1.Operations.Adjust))},
	}},
	{"Billing", "Plans that customers have, and what they come to.", []route{
		{post, "/v1/subscriptions", "subscribe", "Give a customer a plan, or change what they have of one", secretOnly, checked(act(v1.Operations.Subscribe))},
		{post, "/v1/subscriptions/preview", "previewSubscription", "What that would come to; changes nothing", secretOnly, checked(ask(v1.Operations.PreviewSubscription))},
		{post, "/v1/subscriptions/cancel", "cancelSubscription", "End a subscription, at once or later", secretOnly, checked(act(v1.Operations.CancelSubscription))},
		{read, "/v1/subscriptions", "listSubscriptions", "Subscriptions, newest first", secretOnly, list(v1.Operations.ListSubscriptions)},
		{read, "/v1/subscriptions/{id}", "getSubscription", "Read a subscription", secretOnly, get(v1.Operations.GetSubscription)},
		{patch, "/v1/subscriptions/{id}", "updateSubscription", "Change what was agreed with one customer", secretOnly, checked(actOn(v1.Operations.UpdateSubscription))},
		{post, "/v1/subscriptions/{id}/pause", "pauseSubscription", "Let the cycle stand still", secretOnly, checked(actOn(v1.Operations.PauseSubscription))},
		{post, "/v1/subscriptions/{id}/resume", "resumeSubscription", "Let it go on where it was", secretOnly, checked(actOn(v1.Operations.ResumeSubscription))},
		{read, "/v1/subscriptions/{id}/history", "listSubscriptionHistory", "What happened to a subscription, newest first", secretOnly, listOf(v1.Operations.SubscriptionHistory)},
		{read, "/v1/subscriptions/{id}/next-invoice", "getNextInvoice", "What the running cycle's end would invoice; a draft", secretOnly, get(v1.Operations.NextInvoice)},
		{read, "/v1/invoices", "listInvoices", "Invoices, newest first", secretOnly, list(v1.Operations.ListInvoices)},
		{read, "/v1/invoices/{id}", "getInvoice", "Read an invoice", secretOnly, get(v1.Operations.GetInvoice)},
		{read, "/v1/invoices/{id}/page", "getInvoicePage", "An invoice as a page to be read and printed", secretOnly, get(v1.Operations.InvoicePage)},
		{post, "/v1/invoices/{id}/pay", "payInvoice", "Say that an invoice was paid", secretOnly, checked(actOn(v1.Operations.PayInvoice))},
		{post, "/v1/invoices/{id}/void", "voidInvoice", "Say that an invoice is owed no longer", secretOnly, checked(actOn(v1.Operations.VoidInvoice))},
	}},
	{"Purchases", "Sell credits and plans, pay back, and top up automatically.", []route{
		{post, "/v1/checkout", "checkout", "Open a page on which a customer pays, or charge the saved card", secretOnly, act(v1.Operations.Checkout)},
		{post, "/v1/checkout/preview", "previewCheckout", "What that would come to; changes nothing", secretOnly, ask(v1.Operations.PreviewCheckout)},
		{read, "/v1/orders", "listOrders", "Purchases, newest first", secretOnly, list(v1.Operations.ListOrders)},
		{read, "/v1/orders/{id}", "getOrder", "Read a purchase", secretOnly, get(v1.Operations.GetOrder)},
		{post, "/v1/orders/{id}/cancel", "cancelOrder", "End a purchase that is not paid", secretOnly, actOn(v1.Operations.CancelOrder)},
		{post, "/v1/orders/{id}/refund", "refundOrder", "Pay back, in full or in part", secretOnly, actOn(v1.Operations.RefundOrder)},
		{read, "/v1/orders/{id}/refund-preview", "previewRefund", "What a refund would take back, and what may fairly be paid back", secretOnly, listOf(v1.Operations.PreviewRefund)},
		{post, "/v1/orders/reconcile", "reconcile", "Ask the payment provider about orders of which no webhook told", secretOnly, act(v1.Operations.Reconcile)},
		{put, "/v1/customers/{id}/auto-top-ups", "setAutoTopUp", "Agree on automatic top-ups of a credit", secretOnly, actOn(v1.Operations.SetAutoTopUp)},
		{read, "/v1/customers/{id}/auto-top-ups", "listAutoTopUps", "What is agreed about automatic top-ups", secretOnly, get(v1.Operations.AutoTopUps)},
		{read, "/v1/customers/{id}/payment-method", "getPaymentMethod", "Which card is kept of a customer", secretOnly, get(v1.Operations.PaymentMethod)},
		{post, "/v1/customers/{id}/payment-method/forget", "forgetPaymentMethod", "Forget the card that is kept", secretOnly, end(v1.Operations.ForgetPaymentMethod)},
		{post, "/v1/customers/{id}/payment-portal", "paymentPortal", "Open the payment provider's page for a customer's cards", secretOnly, askOn(v1.Operations.PaymentPortal)},
		{read, "/v1/mails", "listMails", "Letters to customers, newest first: sent, or waiting until mail is set up", secretOnly, list(v1.Operations.ListMails)},
		{read, outboxRoute, "outboxPage", "The letters to customers as a page for people; a browser opens it at /outbox", secretOnly, list(v1.Operations.OutboxPage)},
	}},
	{"Metering", "Usage events, and the meters that turn them into credits.", []route{
		{post, "/v1/events", "ingestEvents", "Report usage events; their credits are taken when it answers", secretOnly, lines(checked(act(v1.Operations.IngestEvents)), ingestLines)},
		{read, "/v1/events", "listEvents", "Usage events, newest first", secretOnly, list(v1.Operations.ListEvents)},
		{read, "/v1/events/{id}", "getEvent", "Read a usage event", secretOnly, listOf(v1.Operations.GetEvent)},
		{post, "/v1/events/{id}/void", "voidEvent", "Take a usage event out of every count, and give back what it cost", secretOnly, actOn(v1.Operations.VoidEvent)},
		{post, "/v1/events/{id}/correct", "correctEvent", "Put another usage event in the place of one", secretOnly, actOn(v1.Operations.CorrectEvent)},
		{read, "/v1/usage/series", "usageSeries", "Usage of a customer by minute, hour or day", secretOnly, list(v1.Operations.UsageSeries)},
		{read, "/v1/customers/{id}/meters", "listMeterUsages", "What meters have counted of a customer, period by period", secretOnly, listOf(v1.Operations.MeterUsages)},
		{post, "/v1/meters", "createMeter", "Define a meter", secretOnly, created(act(v1.Operations.CreateMeter))},
		{read, "/v1/meters", "listMeters", "List meters", secretOnly, list(v1.Operations.ListMeters)},
		{read, "/v1/meters/{id}", "getMeter", "Read a meter", secretOnly, get(v1.Operations.GetMeter)},
		{patch, "/v1/meters/{id}", "updateMeter", "Change a meter; what was counted stays as it is", secretOnly, actOn(v1.Operations.UpdateMeter)},
		{post, "/v1/meters/{id}/archive", "archiveMeter", "End a meter", secretOnly, end(v1.Operations.ArchiveMeter)},
		{post, "/v1/meters/{id}/unarchive", "unarchiveMeter", "Let a meter count again", secretOnly, end(v1.Operations.UnarchiveMeter)},
	}},
	{"Ledger", "What happened, and why.", []route{
		{read, "/v1/entries/{id}", "getEntry", "Read an entry", secretOnly, get(v1.Operations.GetEntry)},
		{read, "/v1/entries/{id}/explain", "explainEntry", "Which grants an entry concerns and which rule decided", secretOnly, get(v1.Operations.Explain)},
		{post, "/v1/entries/{id}/reverse", "reverseEntry", "Give a deduction back to the grants it came from", secretOnly, checked(actOn(v1.Operations.Reverse))},
		{post, "/v1/explain", "explainCharge", "Explain a charge that was not made, or would be refused", secretOnly, ask(v1.Operations.ExplainCharge)},
	}},
	{"Customers", "The holders of wallets, and what they hold.", []route{
		{post, "/v1/customers", "registerCustomer", "Register a customer, who gets the sign-up bonus once; what is known already and not told again stays", secretOnly, created(act(v1.Operations.RegisterCustomer))},
		{read, "/v1/customers", "listCustomers", "List customers", secretOnly, list(v1.Operations.ListCustomers)},
		{read, "/v1/customers/{id}", "getCustomer", "Read a customer", secretOnly, get(v1.Operations.GetCustomer)},
		{put, "/v1/customers/{id}", "saveCustomer", "Tell what is known of a customer", secretOnly, actOn(v1.Operations.SaveCustomer)},
		{patch, "/v1/customers/{id}", "updateCustomer", "Change what is known of a customer", secretOnly, actOn(v1.Operations.UpdateCustomer)},
		{read, "/v1/customers/{id}/balances", "getBalances", "A customer's balances, now or at an earlier instant", ownCustomer, listOf(balances)},
		{read, "/v1/customers/{id}/ledger", "listEntries", "A customer's entries, newest first", secretOnly, listOf(v1.Operations.Ledger)},
		{read, "/v1/customers/{id}/grants", "listGrants", "A customer's grants, in the order in which they are drawn", secretOnly, listOf(v1.Operations.CustomerGrants)},
	}},
	{"Codes", "Texts that customers redeem for credits.", []route{
		{post, "/v1/codes", "createCodes", "Make a code, or many at once", secretOnly, created(act(v1.Operations.CreateCodes))},
		{read, "/v1/codes", "listCodes", "List codes, the newest first, with their uses in the key's mode", secretOnly, list(v1.Operations.ListCodes)},
		{read, "/v1/codes/{id}", "getCode", "Read a code, by its id or its text", secretOnly, get(v1.Operations.GetCode)},
		{patch, "/v1/codes/{id}", "updateCode", "Change when and how often a code can be used; what it gives stays", secretOnly, actOn(v1.Operations.UpdateCode)},
		{post, "/v1/codes/{id}/archive", "archiveCode", "End a code; what it gave stays", secretOnly, end(v1.Operations.ArchiveCode)},
		{post, "/v1/codes/redeem", "redeemCode", "Give a customer what a code gives", secretOnly, act(v1.Operations.RedeemCode)},
	}},
	{"Definitions", "Credits, and the packs and plans that are sold.", []route{
		{post, "/v1/credits", "createCredit", "Define a credit", secretOnly, created(act(v1.Operations.CreateCredit))},
		{read, "/v1/credits", "listCredits", "List credits", secretOnly, all(v1.Operations.ListCredits)},
		{read, "/v1/credits/{id}", "getCredit", "Read a credit", secretOnly, get(v1.Operations.GetCredit)},
		{patch, "/v1/credits/{id}", "updateCredit", "Change a credit; existing grants stay as they are", secretOnly, actOn(v1.Operations.UpdateCredit)},
		{post, "/v1/credits/{id}/archive", "archiveCredit", "End granting a credit", secretOnly, end(v1.Operations.ArchiveCredit)},
		{post, "/v1/credits/{id}/unarchive", "unarchiveCredit", "Grant a credit again", secretOnly, end(v1.Operations.UnarchiveCredit)},
		{read, "/v1/credits/{id}/balances", "listCreditBalances", "The balances of all customers who hold a credit", secretOnly, listOf(v1.Operations.CreditBalances)},
		{post, "/v1/packs", "createPack", "Define a pack", secretOnly, created(act(v1.Operations.CreatePack))},
		{read, "/v1/packs", "listPacks", "List packs", anyKey, all(v1.Operations.ListPacks)},
		{read, "/v1/packs/{id}", "getPack", "Read a pack", secretOnly, get(v1.Operations.GetPack)},
		{put, "/v1/packs/{id}", "updatePack", "Replace a pack; what was granted from it stays as it is", secretOnly, actOn(v1.Operations.UpdatePack)},
		{post, "/v1/packs/{id}/archive", "archivePack", "End selling a pack", secretOnly, end(v1.Operations.ArchivePack)},
		{post, "/v1/plans", "createPlan", "Define a plan", secretOnly, created(act(v1.Operations.CreatePlan))},
		{read, "/v1/plans", "listPlans", "List plans", anyKey, all(v1.Operations.ListPlans)},
		{read, "/v1/plans/{id}", "getPlan", "Read a plan", secretOnly, get(v1.Operations.GetPlan)},
		{put, "/v1/plans/{id}", "updatePlan", "Replace a plan; subscriptions and grants stay as they are", secretOnly, actOn(v1.Operations.UpdatePlan)},
		{post, "/v1/plans/{id}/archive", "archivePlan", "End selling a plan", secretOnly, end(v1.Operations.ArchivePlan)},
	}},
	{"Webhooks", "Where events are sent, and what came of it.", []route{
		{post, "/v1/webhook-endpoints", "createWebhookEndpoint", "Have events sent to an address; the secret is in the answer", secretOnly, created(act(v1.Operations.CreateWebhookEndpoint))},
		{read, "/v1/webhook-endpoints", "listWebhookEndpoints", "List the endpoints of the key's mode", secretOnly, all(v1.Operations.ListWebhookEndpoints)},
		{read, "/v1/webhook-endpoints/{id}", "getWebhookEndpoint", "Read an endpoint", secretOnly, get(v1.Operations.GetWebhookEndpoint)},
		{patch, "/v1/webhook-endpoints/{id}", "updateWebhookEndpoint", "Change an endpoint", secretOnly, actOn(v1.Operations.UpdateWebhookEndpoint)},
		{post, "/v1/webhook-endpoints/{id}/archive", "archiveWebhookEndpoint", "End an endpoint, what is pending included", secretOnly, end(v1.Operations.ArchiveWebhookEndpoint)},
		{read, "/v1/webhook-endpoints/{id}/secret", "getWebhookSecret", "What signs", secretOnly, get(v1.Operations.GetWebhookSecret)},
		{post, "/v1/webhook-endpoints/{id}/rotate-secret", "rotateWebhookSecret", "Make a new secret; the one before signs as well for 24 hours", secretOnly, end(v1.Operations.RotateWebhookSecret)},
		{post, "/v1/webhook-endpoints/{id}/test", "testWebhookEndpoint", "Send endpoint.test now, once, and see what comes of it", secretOnly, try(v1.Operations.TestWebhookEndpoint)},
		{read, "/v1/webhook-endpoints/{id}/deliveries", "listWebhookDeliveries", "An endpoint's deliveries, newest first", secretOnly, listOf(v1.Operations.ListWebhookDeliveries)},
		{post, "/v1/webhook-endpoints/{id}/redeliver", "redeliverWebhooks", "Send again what was made in a stretch of time", secretOnly, actOn(v1.Operations.RedeliverWebhooks)},
		{read, "/v1/webhook-deliveries/{id}", "getWebhookDelivery", "A delivery, with every attempt", secretOnly, get(v1.Operations.GetWebhookDelivery)},
		{post, "/v1/webhook-deliveries/{id}/redeliver", "redeliverWebhook", "Send a delivery again", secretOnly, end(v1.Operations.RedeliverWebhook)},
	}},
	{"Test clock", "The time of a test mode, to see what it brings.", []route{
		{read, "/v1/test-clock", "getTestClock", "The time of the key's test mode", secretOnly, all(v1.Operations.TestClock)},
		{post, "/v1/test-clock/advance", "advanceTestClock", "Move the clock on; it answers when all that fell due by then is written down", secretOnly, act(v1.Operations.AdvanceTestClock)},
	}},
	{"Access", "API keys, and tokens for browsers.", []route{
		{post, "/v1/keys", "createKey", "Make an API key; its text is shown in this answer only", secretOnly, created(act(v1.Operations.CreateKey))},
		{read, "/v1/keys", "listKeys", "List the keys of the calling key's app and mode", secretOnly, all(v1.Operations.ListKeys)},
		{post, "/v1/keys/{id}/revoke", "revokeKey", "End a key at once", secretOnly, end(v1.Operations.RevokeKey)},
		{post, "/v1/customer-tokens", "mintToken", "Make a token with which a browser may read one customer", secretOnly, ask(v1.Operations.MintToken)},
		{read, "/v1/app", "getApp", "The app and mode of the calling key", secretOnly, all(v1.Operations.GetApp)},
	}},
}

func balances(ops v1.Operations, ctx context.Context, customer string, q v1.BalanceQuery) (v1.Balances, error) {
	return ops.Balances(ctx, customer, q.CreditID, q.At)
}

func usage(ops v1.Operations, ctx context.Context, q v1.UsageQuery) (v1.Usage, error) {
	return ops.Usage(ctx, q.CustomerID, q.Event)
}
