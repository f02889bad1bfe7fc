package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/internal/selltest"
	"github.com/seed42445051/scrip/money"
	"github.com/seed42445051/scrip/store"
	v1 "github.com/seed42445051/scrip/v1"
)

// both makes a call over HTTP and in process. A call that changes something is the same call
// under one idempotency key, so that the second is the answer to the first.
func both[Out any](t *testing.T, called map[string]bool, name string, over, direct v1.Operations, call func(v1.Operations) (Out, error)) Out {
	t.Helper()
	called[name] = true
	got, err := call(over)
	if err != nil {
		t.Fatalf("%s over HTTP: %v", name, err)
	}
	want, err := call(direct)
	if err != nil {
		t.Fatalf("%s in process: %v", name, err)
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s differs (-in process +over HTTP):\n%s", name, diff)
	}
	return got
}

// TestEveryOperation makes every call of v1.Operations over HTTP, and compares its answer with
// that of the call in process.
func TestEveryOperation(t *testing.T) {
	f := newFixture(t)
	over, _ := calling(t, serve(t, f.handler), f.key)
	ctx := context.Background()
	called := map[string]bool{}
	key := func(k string) v1.Option { return v1.IdempotencyKey(k) }

	credit := both(t, called, "CreateCredit", over, f.direct, func(o v1.Operations) (v1.Credit, error) {
		limit := money.Decimal("5")
		return o.CreateCredit(ctx, v1.CreateCredit{
			Name: "api", Unit: "call", Precision: 2, DrawOrder: v1.DrawOrder{"fifo"}, Scope: []v1.Rule{{Event: "chat.*", Metadata: map[string]string{"model": "large"}}},
			Overage:  v1.Overage{Enabled: true, Limit: &limit, Behavior: "carry_deficit"},
			Rollover: v1.Rollover{Percent: 75, ValidityCount: 1, ValidityUnit: "month"},
		}, key("credit"))
	})
	both(t, called, "UpdateCredit", over, f.direct, func(o v1.Operations) (v1.Credit, error) {
		unit := "request"
		return o.UpdateCredit(ctx, credit.ID, v1.UpdateCredit{Unit: &unit}, key("update"))
	})
	var none []v1.Rule
	if c, err := over.UpdateCredit(ctx, credit.ID, v1.UpdateCredit{Scope: &none}); err != nil || c.Unit != "request" || len(c.Scope) != 0 {
		t.Errorf("the scope was not cleared: %+v, %v", c, err)
	}
	pack := both(t, called, "CreatePack", over, f.direct, func(o v1.Operations) (v1.Pack, error) {
		return o.CreatePack(ctx, v1.CreatePack{Name: "starter", Price: 500, Items: []v1.PackItem{{CreditID: "api", Amount: "50"}}}, key("pack"))
	})
	both(t, called, "UpdatePack", over, f.direct, func(o v1.Operations) (v1.Pack, error) {
		return o.UpdatePack(ctx, pack.ID, v1.CreatePack{Name: "starter", Price: 700, Items: pack.Items}, key("update-pack"))
	})
	plan := both(t, called, "CreatePlan", over, f.direct, func(o v1.Operations) (v1.Plan, error) {
		return o.CreatePlan(ctx, v1.CreatePlan{
			Name: "pro", Price: 900, TrialDays: 7, RunsFor: &v1.Interval{Count: 2, Unit: "year"}, Metadata: v1.Metadata{"a": "b"},
			Allowances: []v1.PlanAllowance{{Label: "Images", Quota: "40", Rules: []v1.UsageRule{{Event: "image.*"}}, Period: "monthly"}},
			Credits:    []v1.PlanCredit{{CreditID: "api", Amount: "50", Overage: &v1.OverageOverride{Behavior: "carry_deficit"}}},
		}, key("plan"))
	})
	both(t, called, "UpdatePlan", over, f.direct, func(o v1.Operations) (v1.Plan, error) {
		return o.UpdatePlan(ctx, plan.ID, v1.CreatePlan{Name: "pro", Price: 1200, Allowances: plan.Allowances, Credits: plan.Credits}, key("update-plan"))
	})
	both(t, called, "GetPlan", over, f.direct, func(o v1.Operations) (v1.Plan, error) { return o.GetPlan(ctx, "PRO") })
	both(t, called, "ListPlans", over, f.direct, func(o v1.Operations) (v1.Page[v1.Plan], error) { return o.ListPlans(ctx) })
	both(t, called, "ArchivePlan", over, f.direct, func(o v1.Operations) (v1.Plan, error) { return o.ArchivePlan(ctx, plan.ID, key("archive-plan")) })
	both(t, called, "SaveCustomer", over, f.direct, func(o v1.Operations) (v1.Customer, error) {
		return o.SaveCustomer(ctx, "c", v1.SaveCustomer{Name: "C", Metadata: v1.Metadata{"plan": "pro"}}, key("customer"))
	})
	both(t, called, "UpdateCustomer", over, f.direct, func(o v1.Operations) (v1.Customer, error) {
		phone := "+41 44 000 00 00"
		return o.UpdateCustomer(ctx, "c", v1.UpdateCustomer{Phone: &phone, Metadata: &v1.Metadata{}}, key("update-customer"))
	})
	grants := both(t, called, "Grant", over, f.direct, func(o v1.Operations) (v1.Grants, error) {
		return o.Grant(ctx, v1.GrantRequest{
			CustomerID: "c", CreditID: "api", Amount: "100.25", Category: "promotional", ExpiresAt: v1.NeverExpires(),
			Metadata: v1.Metadata{"a": "b"}, Reason: "because",
		}, key("grant"))
	})
	both(t, called, "Adjust", over, f.direct, func(o v1.Operations) (v1.Deducted, error) {
		return o.Adjust(ctx, v1.AdjustRequest{CustomerID: "c", CreditID: "api", Amount: "-0.25", Reason: "because"}, key("adjust"))
	})
	deducted := both(t, called, "Deduct", over, f.direct, func(o v1.Operations) (v1.Deducted, error) {
		return o.Deduct(ctx, v1.DeductRequest{Charge: charge("5")}, key("deduct"))
	})
	both(t, called, "Reverse", over, f.direct, func(o v1.Operations) (v1.Entry, error) {
		return o.Reverse(ctx, deducted.Entry.ID, v1.ReverseRequest{}, key("reverse"))
	})
	reserve := func(name string) string {
		return both(t, called, "Reserve", over, f.direct, func(o v1.Operations) (v1.Decision, error) {
			return o.Reserve(ctx, v1.ReserveRequest{Charge: charge("3"), TTLSeconds: 600}, key(name))
		}).ReservationID
	}
	one, two := reserve("one"), reserve("two")
	both(t, called, "Extend", over, f.direct, func(o v1.Operations) (v1.Reservation, error) {
		return o.Extend(ctx, v1.ExtendRequest{ReservationID: one, TTLSeconds: 900}, key("extend"))
	})
	both(t, called, "Commit", over, f.direct, func(o v1.Operations) (v1.Reservation, error) {
		part := money.Decimal("2")
		return o.Commit(ctx, v1.CommitRequest{ReservationID: one, Amount: &part}, key("commit"))
	})
	both(t, called, "Release", over, f.direct, func(o v1.Operations) (v1.Reservation, error) {
		return o.Release(ctx, v1.ReleaseRequest{ReservationID: two, ErrorCode: "upstream"}, key("release"))
	})
	both(t, called, "Track", over, f.direct, func(o v1.Operations) (v1.Tracked, error) {
		return o.Track(ctx, v1.TrackRequest{Charge: v1.Charge{CustomerID: "c", Event: "chat", Quantity: "2"}}, key("track"))
	})
	both(t, called, "RevokeGrant", over, f.direct, func(o v1.Operations) (v1.Grant, error) {
		part := money.Decimal("1")
		return o.RevokeGrant(ctx, grants.Grants[0].ID, v1.RevokeRequest{Amount: &part, Reason: "because"}, key("revoke"))
	})
	meter := both(t, called, "CreateMeter", over, f.direct, func(o v1.Operations) (v1.Meter, error) {
		return o.CreateMeter(ctx, v1.CreateMeter{
			Name: "tokens", EventName: "llm", MeasurementUnit: "token", Aggregation: v1.Aggregation{Type: "sum", Key: "n"},
			Filter: &v1.Filter{Conjunction: catalog.And, Conditions: []catalog.Condition{{Key: "n", Operator: catalog.GreaterThan, Value: catalog.Number("0.50")}}},
			Links:  []v1.MeterLink{{CreditID: "api", UnitsPerCredit: "1000", FreeThreshold: "100"}},
		}, key("meter"))
	})
	at := v1.Timestamp{Instant: f.clock.Now() - 1}
	both(t, called, "IngestEvents", over, f.direct, func(o v1.Operations) (v1.Ingested, error) {
		return o.IngestEvents(ctx, v1.IngestRequest{Events: []v1.UsageEvent{
			{EventID: "e/1", CustomerID: "c", EventName: "llm", Timestamp: at, Metadata: catalog.Values{"n": catalog.Number("1500.0"), "model": catalog.Text("x")}},
			{EventID: "e2", CustomerID: "c", EventName: "llm", Metadata: catalog.Values{"n": catalog.Text("500")}},
		}}, key("events"))
	})
	both(t, called, "CorrectEvent", over, f.direct, func(o v1.Operations) (v1.Event, error) {
		return o.CorrectEvent(ctx, "e/1", v1.CorrectEvent{CustomerID: "c", EventID: "e3", Metadata: catalog.Values{"n": catalog.Number("2500")}, Reason: "late"}, key("correct"))
	})
	both(t, called, "VoidEvent", over, f.direct, func(o v1.Operations) (v1.Event, error) {
		return o.VoidEvent(ctx, "e2", v1.VoidEvent{CustomerID: "c", Reason: "a test"}, key("void"))
	})
	both(t, called, "GetEvent", over, f.direct, func(o v1.Operations) (v1.Event, error) {
		return o.GetEvent(ctx, "e/1", v1.EventOwner{CustomerID: "c"})
	})
	both(t, called, "ListEvents", over, f.direct, func(o v1.Operations) (v1.Page[v1.Event], error) {
		q := v1.EventQuery{CustomerID: "c", MeterID: "tokens", Limit: 2}
		page, err := o.ListEvents(ctx, q)
		if err != nil || !page.HasMore {
			t.Errorf("no second page: %v", err)
			return page, err
		}
		q.Cursor = page.NextCursor
		return o.ListEvents(ctx, q)
	})
	both(t, called, "UsageSeries", over, f.direct, func(o v1.Operations) (v1.Series, error) {
		return o.UsageSeries(ctx, v1.SeriesQuery{CustomerID: "c", MeterID: meter.ID, Window: "minute", From: f.clock.Now() - 60_000_000})
	})
	both(t, called, "MeterUsages", over, f.direct, func(o v1.Operations) (v1.Page[v1.MeterUsage], error) {
		return o.MeterUsages(ctx, "c", v1.MeterUsageQuery{MeterID: meter.ID})
	})
	both(t, called, "UpdateMeter", over, f.direct, func(o v1.Operations) (v1.Meter, error) {
		none := []v1.MeterLink{}
		return o.UpdateMeter(ctx, meter.ID, v1.UpdateMeter{Links: &none}, key("update-meter"))
	})
	both(t, called, "ArchiveMeter", over, f.direct, func(o v1.Operations) (v1.Meter, error) { return o.ArchiveMeter(ctx, meter.ID, key("archive-meter")) })
	both(t, called, "ListMeters", over, f.direct, func(o v1.Operations) (v1.Page[v1.Meter], error) {
		return o.ListMeters(ctx, v1.MeterQuery{Archived: "true"})
	})
	both(t, called, "UnarchiveMeter", over, f.direct, func(o v1.Operations) (v1.Meter, error) {
		return o.UnarchiveMeter(ctx, meter.ID, key("unarchive-meter"))
	})
	both(t, called, "GetMeter", over, f.direct, func(o v1.Operations) (v1.Meter, error) { return o.GetMeter(ctx, "TOKENS") })
	both(t, called, "ArchivePack", over, f.direct, func(o v1.Operations) (v1.Pack, error) { return o.ArchivePack(ctx, pack.ID, key("archive-pack")) })

	reads(t, f, over, called, reading{credit: credit.ID, pack: pack.ID, grant: grants.Grants[0].ID, entry: deducted.Entry.ID, hold: one})
	billingCalls(t, f, over, called)
	codes(t, f, over, called)
	purchases(t, f, over, called)
	webhooks(t, f, over, called)
	made, err := over.CreateKey(ctx, v1.CreateKey{Kind: "publishable", Label: "browser"})
	if called["CreateKey"] = true; err != nil || !strings.HasPrefix(made.Key, "pk_test_") || made.Label != "browser" {
		t.Errorf("CreateKey: %+v, %v", made, err)
	}
	both(t, called, "ListKeys", over, f.direct, func(o v1.Operations) (v1.Page[v1.Key], error) { return o.ListKeys(ctx) })
	both(t, called, "RevokeKey", over, f.direct, func(o v1.Operations) (v1.Key, error) { return o.RevokeKey(ctx, made.ID) })
	both(t, called, "MintToken", over, f.direct, func(o v1.Operations) (v1.Token, error) { return o.MintToken(ctx, v1.MintToken{CustomerID: "c"}) })
	both(t, called, "AdvanceTestClock", over, f.direct, func(o v1.Operations) (v1.TestClock, error) {
		return o.AdvanceTestClock(ctx, v1.AdvanceTestClock{BySeconds: 60}, key("advance"))
	})
	both(t, called, "TestClock", over, f.direct, func(o v1.Operations) (v1.TestClock, error) { return o.TestClock(ctx) })
	both(t, called, "ArchiveCredit", over, f.direct, func(o v1.Operations) (v1.Credit, error) {
		return o.ArchiveCredit(ctx, credit.ID, key("archive-credit"))
	})
	both(t, called, "UnarchiveCredit", over, f.direct, func(o v1.Operations) (v1.Credit, error) {
		return o.UnarchiveCredit(ctx, credit.ID, key("unarchive-credit"))
	})

	for m := range reflect.TypeFor[v1.Operations]().Methods() {
		if !called[m.Name] {
			t.Errorf("%s was not called", m.Name)
		}
	}
}

// codes makes every call about codes, and registers who redeems them.
func codes(t *testing.T, f *fixture, over v1.Operations, called map[string]bool) {
	ctx := context.Background()
	key := func(k string) v1.Option { return v1.IdempotencyKey(k) }
	both(t, called, "RegisterCustomer", over, f.direct, func(o v1.Operations) (v1.Registered, error) {
		return o.RegisterCustomer(ctx, v1.RegisterCustomer{Name: "R", Metadata: v1.Metadata{"a": "b"}}, key("register"))
	})
	made := both(t, called, "CreateCodes", over, f.direct, func(o v1.Operations) (v1.Page[v1.Code], error) {
		return o.CreateCodes(ctx, v1.CreateCodes{
			CreditID: "api", Amount: "1.5", ValidFrom: 1, ValidUntil: f.clock.Now() + 3_600_000_000, MaxUses: 2, Metadata: v1.Metadata{"a": "b"},
		}, key("codes"))
	}).Data[0]
	both(t, called, "UpdateCode", over, f.direct, func(o v1.Operations) (v1.Code, error) {
		return o.UpdateCode(ctx, made.ID, v1.UpdateCode{ValidFrom: v1.NeverExpires(), Metadata: &v1.Metadata{}}, key("update-code"))
	})
	both(t, called, "RedeemCode", over, f.direct, func(o v1.Operations) (v1.Redeemed, error) {
		return o.RedeemCode(ctx, v1.RedeemCode{CustomerID: "c", Code: strings.ToLower(made.Code)}, key("redeem"))
	})
	both(t, called, "GetCode", over, f.direct, func(o v1.Operations) (v1.Code, error) { return o.GetCode(ctx, made.Code) })
	both(t, called, "ListCodes", over, f.direct, func(o v1.Operations) (v1.Page[v1.Code], error) { return o.ListCodes(ctx, v1.CodeQuery{Limit: 1}) })
	both(t, called, "ArchiveCode", over, f.direct, func(o v1.Operations) (v1.Code, error) { return o.ArchiveCode(ctx, made.ID, key("archive-code")) })
}

// purchases makes every call about what is bought.
func purchases(t *testing.T, f *fixture, over v1.Operations, called map[string]bool) {
	ctx := context.Background()
	key := func(k string) v1.Option { return v1.IdempotencyKey(k) }
	made, err := over.CreatePack(ctx, v1.CreatePack{Name: "to buy", Price: 500, Currency: "usd", Items: []v1.PackItem{{CreditID: "api", Amount: "50"}}})
	if err != nil {
		t.Fatal(err)
	}
	pack := made.ID
	request := v1.CheckoutRequest{
		CustomerID: "b", Email: "b@example.test", PackID: pack, Quantity: 2, SaveCard: true, SuccessURL: "https://shop.test/ok", Metadata: v1.Metadata{"a": "b"},
	}
	both(t, called, "PreviewCheckout", over, f.direct, func(o v1.Operations) (v1.Order, error) { return o.PreviewCheckout(ctx, request) })
	order := both(t, called, "Checkout", over, f.direct, func(o v1.Operations) (v1.Order, error) { return o.Checkout(ctx, request, key("checkout")) })
	selltest.Pay(t, f.pages, order.URL)
	paid := both(t, called, "GetOrder", over, f.direct, func(o v1.Operations) (v1.Order, error) { return o.GetOrder(ctx, order.ID) })
	if paid.Status != "paid" || len(paid.Grants) != 1 || paid.InvoiceID == "" {
		t.Errorf("the order that was paid is %+v", paid)
	}
	both(t, called, "ListOrders", over, f.direct, func(o v1.Operations) (v1.Page[v1.Order], error) {
		return o.ListOrders(ctx, v1.OrderQuery{CustomerID: "b", Status: "paid"})
	})
	both(t, called, "PreviewRefund", over, f.direct, func(o v1.Operations) (v1.RefundPreview, error) {
		return o.PreviewRefund(ctx, order.ID, v1.RefundQuery{Amount: paid.Amount / 2})
	})
	back := both(t, called, "RefundOrder", over, f.direct, func(o v1.Operations) (v1.Order, error) {
		return o.RefundOrder(ctx, order.ID, v1.RefundRequest{Amount: paid.Amount / 2, Reason: "half of it"}, key("refund"))
	})
	if back.Refunded != paid.Amount/2 || back.Refunds[0].Status != "succeeded" || back.Grants[0].Revoked == "" {
		t.Errorf("the order of which half was paid back is %+v", back)
	}
	both(t, called, "SetAutoTopUp", over, f.direct, func(o v1.Operations) (v1.AutoTopUp, error) {
		return o.SetAutoTopUp(ctx, "b", v1.SetAutoTopUp{CreditID: "api", Enabled: true, Threshold: "10", PackID: pack, Caps: v1.TopUpCaps{DayCount: 2}}, key("agree"))
	})
	both(t, called, "AutoTopUps", over, f.direct, func(o v1.Operations) (v1.Page[v1.AutoTopUp], error) { return o.AutoTopUps(ctx, "b") })
	method := both(t, called, "PaymentMethod", over, f.direct, func(o v1.Operations) (v1.PaymentMethod, error) { return o.PaymentMethod(ctx, "b") })
	if !method.Saved || method.Label != "visa •••• 4242" {
		t.Errorf("the card that is kept is %+v", method)
	}
	called["PaymentPortal"] = true
	for _, o := range []v1.Operations{over, f.direct} { // each call opens another page
		if portal, err := o.PaymentPortal(ctx, "b", v1.PortalRequest{ReturnURL: "https://shop.test"}); err != nil || portal.URL == "" {
			t.Errorf("PaymentPortal: %+v, %v", portal, err)
		}
	}
	both(t, called, "Reconcile", over, f.direct, func(o v1.Operations) (v1.Reconciled, error) {
		return o.Reconcile(ctx, v1.ReconcileRequest{CustomerID: "b"}, key("reconcile"))
	})
	both(t, called, "ForgetPaymentMethod", over, f.direct, func(o v1.Operations) (v1.PaymentMethod, error) {
		return o.ForgetPaymentMethod(ctx, "b", key("forget"))
	})
	other, err := over.Checkout(ctx, v1.CheckoutRequest{CustomerID: "b", PackID: pack})
	if err != nil {
		t.Fatal(err)
	}
	both(t, called, "CancelOrder", over, f.direct, func(o v1.Operations) (v1.Order, error) {
		return o.CancelOrder(ctx, other.ID, v1.CancelOrder{Reason: "no"}, key("cancel"))
	})
	mails := both(t, called, "ListMails", over, f.direct, func(o v1.Operations) (v1.Page[v1.Mail], error) { return o.ListMails(ctx, v1.MailQuery{}) })
	if len(mails.Data) == 0 || mails.Data[len(mails.Data)-1].Kind != "top_up_receipt" || mails.Data[0].Subject == "" {
		t.Errorf("the letters are %+v", mails.Data)
	}
	both(t, called, "OutboxPage", over, f.direct, func(o v1.Operations) (v1.HTML, error) { return o.OutboxPage(ctx, v1.MailQuery{Limit: 1}) })
}

// webhooks makes every call about webhooks.
func webhooks(t *testing.T, f *fixture, over v1.Operations, called map[string]bool) {
	ctx := context.Background()
	key := func(k string) v1.Option { return v1.IdempotencyKey(k) }
	receiver := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("thanks")) }))
	hook := both(t, called, "CreateWebhookEndpoint", over, f.direct, func(o v1.Operations) (v1.WebhookEndpoint, error) {
		return o.CreateWebhookEndpoint(ctx, v1.CreateWebhookEndpoint{
			URL: receiver, Events: []string{"credit.added"}, Headers: map[string]string{"X-Team": "billing"}, RateLimit: 5,
			Metadata: v1.Metadata{"a": "b"}, Ordered: true,
		}, key("hook"))
	})
	both(t, called, "UpdateWebhookEndpoint", over, f.direct, func(o v1.Operations) (v1.WebhookEndpoint, error) {
		about := "of the shop"
		return o.UpdateWebhookEndpoint(ctx, hook.ID, v1.UpdateWebhookEndpoint{Description: &about}, key("update-hook"))
	})
	var all []string
	if e, err := over.UpdateWebhookEndpoint(ctx, hook.ID, v1.UpdateWebhookEndpoint{Events: &all}); err != nil || len(e.Events) != 0 || e.Description != "of the shop" {
		t.Errorf("the filter was not cleared: %+v, %v", e, err)
	}
	both(t, called, "RotateWebhookSecret", over, f.direct, func(o v1.Operations) (v1.WebhookSecret, error) {
		return o.RotateWebhookSecret(ctx, hook.ID, key("rotate"))
	})
	both(t, called, "GetWebhookSecret", over, f.direct, func(o v1.Operations) (v1.WebhookSecret, error) { return o.GetWebhookSecret(ctx, hook.ID) })
	both(t, called, "GetWebhookEndpoint", over, f.direct, func(o v1.Operations) (v1.WebhookEndpoint, error) { return o.GetWebhookEndpoint(ctx, hook.ID) })
	both(t, called, "ListWebhookEndpoints", over, f.direct, func(o v1.Operations) (v1.Page[v1.WebhookEndpoint], error) { return o.ListWebhookEndpoints(ctx) })
	made, err := over.TestWebhookEndpoint(ctx, hook.ID)
	if called["TestWebhookEndpoint"] = true; err != nil || !made.Succeeded || made.StatusCode != 200 || made.Response != "thanks" {
		t.Errorf("TestWebhookEndpoint: %+v, %v", made, err)
	}
	for range 3 {
		if _, err := over.Grant(ctx, v1.GrantRequest{CustomerID: "c", CreditID: "api", Amount: "1"}); err != nil {
			t.Fatal(err)
		}
	}
	page := both(t, called, "ListWebhookDeliveries", over, f.direct, func(o v1.Operations) (v1.Page[v1.WebhookDelivery], error) {
		q := v1.WebhookDeliveryQuery{Status: "pending", Type: "credit.added", Limit: 2}
		page, err := o.ListWebhookDeliveries(ctx, hook.ID, q)
		if err != nil || !page.HasMore {
			return page, err
		}
		q.Cursor = page.NextCursor
		return o.ListWebhookDeliveries(ctx, hook.ID, q)
	})
	if len(page.Data) != 1 {
		t.Fatalf("the second page is %+v", page)
	}
	delivery := page.Data[0].ID
	both(t, called, "GetWebhookDelivery", over, f.direct, func(o v1.Operations) (v1.WebhookDelivery, error) { return o.GetWebhookDelivery(ctx, delivery) })
	both(t, called, "RedeliverWebhook", over, f.direct, func(o v1.Operations) (v1.WebhookDelivery, error) {
		return o.RedeliverWebhook(ctx, delivery, key("again"))
	})
	both(t, called, "RedeliverWebhooks", over, f.direct, func(o v1.Operations) (v1.Redelivered, error) {
		return o.RedeliverWebhooks(ctx, hook.ID, v1.RedeliverWebhooks{From: 1, FailedOnly: true}, key("all-again"))
	})
	both(t, called, "ArchiveWebhookEndpoint", over, f.direct, func(o v1.Operations) (v1.WebhookEndpoint, error) {
		return o.ArchiveWebhookEndpoint(ctx, hook.ID, key("archive-hook"))
	})
	if d, err := over.GetWebhookDelivery(ctx, delivery); err != nil || d.Status != "canceled" {
		t.Errorf("a delivery of an archived endpoint: %+v, %v", d, err)
	}
	if _, err := over.RedeliverWebhook(ctx, delivery); fault.CodeOf(err) != fault.CodeWebhookEndpointNotFound {
		t.Errorf("sending again to an archived endpoint: %v", err)
	}
}

type reading struct{ credit, pack, grant, entry, hold string }

func reads(t *testing.T, f *fixture, over v1.Operations, called map[string]bool, id reading) {
	ctx := context.Background()
	both(t, called, "CreditBalances", over, f.direct, func(o v1.Operations) (v1.Page[v1.CustomerBalance], error) {
		return o.CreditBalances(ctx, id.credit, v1.CreditBalanceQuery{CustomerID: "c", Limit: 1})
	})
	both(t, called, "GetCredit", over, f.direct, func(o v1.Operations) (v1.Credit, error) { return o.GetCredit(ctx, id.credit) })
	both(t, called, "ListCredits", over, f.direct, func(o v1.Operations) (v1.Page[v1.Credit], error) { return o.ListCredits(ctx) })
	both(t, called, "GetPack", over, f.direct, func(o v1.Operations) (v1.Pack, error) { return o.GetPack(ctx, id.pack) })
	both(t, called, "ListPacks", over, f.direct, func(o v1.Operations) (v1.Page[v1.Pack], error) { return o.ListPacks(ctx) })
	both(t, called, "GetGrant", over, f.direct, func(o v1.Operations) (v1.Grant, error) { return o.GetGrant(ctx, id.grant) })
	both(t, called, "GetEntry", over, f.direct, func(o v1.Operations) (v1.Entry, error) { return o.GetEntry(ctx, id.entry) })
	both(t, called, "Explain", over, f.direct, func(o v1.Operations) (v1.Explanation, error) { return o.Explain(ctx, id.entry) })
	both(t, called, "GetReservation", over, f.direct, func(o v1.Operations) (v1.Reservation, error) { return o.GetReservation(ctx, id.hold) })
	both(t, called, "CanUse", over, f.direct, func(o v1.Operations) (v1.Decision, error) {
		return o.CanUse(ctx, v1.CanUseRequest{Charge: charge("1000")})
	})
	both(t, called, "ExplainCharge", over, f.direct, func(o v1.Operations) (v1.Explanation, error) {
		return o.ExplainCharge(ctx, v1.CanUseRequest{Charge: charge("1000")})
	})
	both(t, called, "Usage", over, f.direct, func(o v1.Operations) (v1.Usage, error) { return o.Usage(ctx, "c", "chat") })
	both(t, called, "Balances", over, f.direct, func(o v1.Operations) (v1.Balances, error) {
		return o.Balances(ctx, "c", "api", f.clock.Now())
	})
	both(t, called, "Ledger", over, f.direct, func(o v1.Operations) (v1.Page[v1.Entry], error) {
		q := v1.LedgerQuery{CreditID: "api", Type: "credit_added,credit_deducted", From: 1, To: f.clock.Now() + 1, Limit: 2}
		page, err := o.Ledger(ctx, "c", q)
		if err != nil || !page.HasMore {
			return page, err
		}
		q.Cursor = page.NextCursor
		return o.Ledger(ctx, "c", q)
	})
	both(t, called, "CustomerGrants", over, f.direct, func(o v1.Operations) (v1.Page[v1.Grant], error) {
		return o.CustomerGrants(ctx, "c", v1.GrantQuery{Status: "active,depleted", Limit: 10, Offset: 1})
	})
	both(t, called, "GetCustomer", over, f.direct, func(o v1.Operations) (v1.Customer, error) { return o.GetCustomer(ctx, "c") })
	both(t, called, "ListCustomers", over, f.direct, func(o v1.Operations) (v1.Page[v1.Customer], error) {
		return o.ListCustomers(ctx, v1.CustomerQuery{Limit: 1, Name: "c", From: 1, To: f.clock.Now() + 1})
	})
	both(t, called, "GetApp", over, f.direct, func(o v1.Operations) (v1.App, error) { return o.GetApp(ctx) })
}

// TestErrorsAreThoseOfTheProcess makes calls that fail over HTTP and in process.
func TestErrorsAreThoseOfTheProcess(t *testing.T) {
	f := newFixture(t)
	f.world()
	over, waited := calling(t, serve(t, f.handler), f.key)
	ctx := context.Background()
	for name, call := range map[string]func(v1.Operations) error{
		"too much": func(o v1.Operations) error {
			_, err := o.Deduct(ctx, v1.DeductRequest{Charge: charge("1000")})
			return err
		},
		"too precise": func(o v1.Operations) error {
			_, err := o.Deduct(ctx, v1.DeductRequest{Charge: charge("0.001")})
			return err
		},
		"no number": func(o v1.Operations) error {
			_, err := o.Deduct(ctx, v1.DeductRequest{Charge: charge("abc")})
			return err
		},
		"negative": func(o v1.Operations) error {
			_, err := o.Reserve(ctx, v1.ReserveRequest{Charge: charge("-1")})
			return err
		},
		"unknown entry":  func(o v1.Operations) error { _, err := o.GetEntry(ctx, "nope"); return err },
		"unknown credit": func(o v1.Operations) error { _, err := o.GetCredit(ctx, "nope"); return err },
		"unknown pack": func(o v1.Operations) error {
			_, err := o.Grant(ctx, v1.GrantRequest{CustomerID: "c", PackID: "nope"})
			return err
		},
		"reused key": func(o v1.Operations) error {
			if _, err := o.Deduct(ctx, v1.DeductRequest{Charge: charge("1")}, v1.IdempotencyKey("k")); err != nil {
				return err
			}
			_, err := o.Deduct(ctx, v1.DeductRequest{Charge: charge("2")}, v1.IdempotencyKey("k"))
			return err
		},
		"key under a key": func(o v1.Operations) error {
			_, err := o.CreateKey(ctx, v1.CreateKey{Kind: "secret"}, v1.IdempotencyKey("k"))
			return err
		},
	} {
		got, want := fault.As(call(over)), fault.As(call(f.direct))
		if got == nil || want == nil || got.Code != want.Code || got.Message != want.Message || got.Field != want.Field {
			t.Errorf("%s: %v over HTTP, %v in process", name, got, want)
			continue
		}
		for detail := range want.Details {
			if got.Details[detail] == nil {
				t.Errorf("%s: the detail %s was lost: %v", name, detail, got.Details)
			}
		}
		if len(got.Details) != len(want.Details) || IsRetryable(got) {
			t.Errorf("%s: %v, retryable %v", name, got.Details, IsRetryable(got))
		}
	}
	if len(waited.took) > 0 {
		t.Errorf("refusals were sent again after %v", waited.took)
	}
}

// TestTypedErrors asks the same errors.As of what the process answers and of what came over HTTP.
func TestTypedErrors(t *testing.T) {
	f := newFixture(t)
	f.world()
	over, _ := calling(t, serve(t, f.handler), f.key, WithRetries(0))
	ctx := context.Background()
	deduct := func(amount string, opts ...v1.Option) func(v1.Operations) error {
		return func(o v1.Operations) error {
			_, err := o.Deduct(ctx, v1.DeductRequest{Charge: charge(amount)}, opts...)
			return err
		}
	}
	if _, err := f.direct.CreateCredit(ctx, v1.CreateCredit{Name: "limited", Unit: "u", Overage: v1.Overage{Enabled: true, Limit: new(money.Decimal("1"))}}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.direct.Grant(ctx, v1.GrantRequest{CustomerID: "c", CreditID: "api", Amount: "1", Scope: []v1.Rule{{Event: "chat"}}}); err != nil {
		t.Fatal(err)
	}
	if err := deduct("1", v1.IdempotencyKey("used"))(f.direct); err != nil {
		t.Fatal(err)
	}
	expired, released := f.hold(), f.hold()
	if _, err := f.direct.Release(ctx, v1.ReleaseRequest{ReservationID: released}); err != nil {
		t.Fatal(err)
	}
	f.clock.Advance(time.Hour)
	commit := func(id string) func(v1.Operations) error {
		return func(o v1.Operations) error {
			_, err := o.Commit(ctx, v1.CommitRequest{ReservationID: id})
			return err
		}
	}
	for name, c := range map[string]struct {
		call func(v1.Operations) error
		want string // what as tells
	}{
		"insufficient credits": {deduct("100.5"), "insufficient 100.5 99 [credits_exhausted]"},
		"overage limit": {func(o v1.Operations) error {
			_, err := o.Deduct(ctx, v1.DeductRequest{Charge: v1.Charge{CustomerID: "c", CreditID: "limited", Amount: "2", Shortfall: "overage"}})
			return err
		}, "overage 2 0 [credits_exhausted overage_limit_reached]"},
		"limit": {func(o v1.Operations) error {
			_, err := o.Track(ctx, v1.TrackRequest{Charge: v1.Charge{CustomerID: "c", Event: "chat", Quantity: "5"}})
			return err
		}, "limit [no_subscription credits_exhausted]"},
		"entry":            {func(o v1.Operations) error { _, err := o.GetEntry(ctx, "nope"); return err }, "not found entry entry_id"},
		"customer":         {func(o v1.Operations) error { _, err := o.GetCustomer(ctx, "nobody"); return err }, "not found customer customer_id"},
		"credit":           {func(o v1.Operations) error { _, err := o.GetCredit(ctx, "nope"); return err }, "not found credit credit_id"},
		"key":              {func(o v1.Operations) error { _, err := o.RevokeKey(ctx, "nope"); return err }, "not found key key_id"},
		"reservation":      {commit("nope"), "not found reservation reservation_id"},
		"expired":          {commit(expired), "expired"},
		"not pending":      {commit(released), "not pending"},
		"reused key":       {deduct("2", v1.IdempotencyKey("used")), "reused"},
		"something else":   {deduct("0"), ""},
		"too precise, too": {deduct("0.001"), ""},
	} {
		for where, ops := range map[string]v1.Operations{"in process": f.direct, "over HTTP": over} {
			if got := as(c.call(ops)); got != c.want {
				t.Errorf("%s %s: %q, want %q", name, where, got, c.want)
			}
		}
	}
	down, _ := calling(t, "http://127.0.0.1:1", f.key, WithRetries(0))
	if got := as(deduct("1")(down)); got != "unavailable store_unavailable" {
		t.Errorf("nobody there: %q", got)
	}
	if err := f.core.Engine.Close(ctx); err != nil {
		t.Fatal(err)
	}
	for where, ops := range map[string]v1.Operations{"in process": f.direct, "over HTTP": over} {
		if got := as(deduct("1")(ops)); got != "unavailable shutting_down" {
			t.Errorf("shutting down %s: %q", where, got)
		}
	}
}

// hold reserves one credit.
func (f *fixture) hold() string {
	f.t.Helper()
	d, err := f.direct.Reserve(context.Background(), v1.ReserveRequest{Charge: charge("1")})
	if err != nil {
		f.t.Fatal(err)
	}
	return d.ReservationID
}

// as tells which typed error an error is; nothing when it is none.
func as(err error) string {
	var (
		short   *InsufficientCreditsError
		overage *fault.OverageLimitReachedError
		limit   *fault.LimitReachedError
		missing *fault.NotFoundError
		reused  *fault.IdempotencyKeyReusedError
		expired *fault.ReservationExpiredError
		closed  *fault.ReservationNotPendingError
		down    *fault.UnavailableError
		told    []string
	)
	tell := func(is bool, text func() string) {
		if is {
			told = append(told, text())
		}
	}
	tell(errors.As(err, &short), func() string {
		return fmt.Sprint("insufficient ", short.Required, " ", short.Available, " ", short.Reasons)
	})
	tell(errors.As(err, &overage), func() string {
		return fmt.Sprint("overage ", overage.Required, " ", overage.Available, " ", overage.Reasons)
	})
	tell(errors.As(err, &limit), func() string { return fmt.Sprint("limit ", limit.Reasons) })
	tell(errors.As(err, &missing), func() string { return "not found " + missing.What + " " + missing.Field })
	tell(errors.As(err, &reused), func() string { return "reused" })
	tell(errors.As(err, &expired), func() string { return "expired" })
	tell(errors.As(err, &closed), func() string { return "not pending" })
	tell(errors.As(err, &down), func() string { return "unavailable " + string(down.Code) })
	return strings.Join(told, " and ")
}

func TestCustomersOfEveryForm(t *testing.T) {
	f := newFixture(t)
	f.world()
	over, _ := calling(t, serve(t, f.handler), f.key)
	ctx := context.Background()
	for _, id := range []string{"a/b", "%2F", "a b", "ä", "?x=1", "#x", "a+b", "..", ".", "...", "a;b", "🙂", strings.Repeat("é", 256)} {
		if _, err := over.Grant(ctx, v1.GrantRequest{CustomerID: id, CreditID: "api", Amount: "1"}); err != nil {
			t.Fatal(err)
		}
		b, err := over.Balances(ctx, id, "", 0)
		if err != nil || b.CustomerID != id || len(b.Data) != 1 {
			t.Errorf("%q: %+v, %v", id, b, err)
		}
		if u, err := over.Usage(ctx, id, ""); err != nil || u.CustomerID != id {
			t.Errorf("%q: %+v, %v", id, u, err)
		}
	}
}

func TestCustomerToken(t *testing.T) {
	f := newFixture(t)
	f.world()
	ctx := context.Background()
	url := serve(t, f.handler)
	backend, _ := calling(t, url, f.key)
	token, err := backend.MintToken(ctx, v1.MintToken{CustomerID: "c"})
	if err != nil {
		t.Fatal(err)
	}
	_, publishable, err := f.acc.CreateKey(ctx, f.who.App, catalog.Test, store.Publishable, "")
	if err != nil {
		t.Fatal(err)
	}
	browser, err := New(url, publishable, WithCustomerToken(token.Token))
	if err != nil {
		t.Fatal(err)
	}
	if b, err := browser.Balances(ctx, "c", "", clock.Instant(0)); err != nil || b.Data[0].Balance != "100" {
		t.Errorf("%+v, %v", b, err)
	}
	if _, err := browser.Balances(ctx, "d", "", 0); fault.CodeOf(err) != fault.CodeWrongCustomer {
		t.Errorf("another customer: %v", err)
	}
	if _, err := browser.Deduct(ctx, v1.DeductRequest{Charge: charge("1")}); fault.CodeOf(err) != fault.CodeRequiresSecretKey {
		t.Errorf("a deduction: %v", err)
	}
}

func TestServerBelowAPath(t *testing.T) {
	f := newFixture(t)
	f.world()
	mux := http.NewServeMux()
	mux.Handle("/credits/", http.StripPrefix("/credits", f.handler))
	over, _ := calling(t, serve(t, mux)+"/credits/", f.key)
	if _, err := over.Deduct(context.Background(), v1.DeductRequest{Charge: charge("1")}); err != nil {
		t.Error(err)
	}
}

func TestAddressesThatAreNone(t *testing.T) {
	for _, url := range []string{"", "localhost:8080", "ftp://example.com", "http://", "://", "/v1"} {
		if _, err := New(url, "sk_test_x"); err == nil {
			t.Errorf("%q was taken", url)
		}
	}
}
