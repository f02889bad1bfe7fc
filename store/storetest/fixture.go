package storetest

import (
	"crypto/sha256"
	"math"
	"reflect"
	"strings"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/money"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/wallet"
)

// Texts that a store must give back unchanged: quotes, line breaks, what JSON escapes, letters
// of two, three and four bytes, and a combining mark that must not be normalised away.
const hard = "o'Brien \"x\" \\ <&> \n\t ü ñ 漢字 🪙 e\u0301 %_ $1 ?1"

// longest is a customer id of 256 characters, four bytes each.
var longest = strings.Repeat("🪙", 256)

func hardMetadata() wallet.Metadata {
	return wallet.Metadata{hard: hard, "empty": "", "": "empty", "plain": "1"}
}

func fullScope() catalog.Scope {
	return catalog.Scope{
		{Event: "image.*", Metadata: hardMetadata(), UnitsPerCredit: money.Ratio{Num: 3, Den: 40}},
		{Event: "*"},
	}
}

func fullRollover() catalog.Rollover {
	return catalog.Rollover{Percent: 75, Validity: catalog.Interval{Count: 3, Unit: catalog.Month}, MaxCount: 2, Off: true}
}

func fullHeader(key wallet.Key) wallet.Header {
	return wallet.Header{
		ID: key.ID(), Key: key, Version: 1, Seq: 1, GrantSeq: 3, HoldSeq: 2, UsageSeq: 4, InvoiceSeq: 5, OrderSeq: 6, TellSeq: math.MaxInt64, Head: sum("head"),
		LastAt: math.MaxInt64 - 1, NextDue: 1, CreatedAt: math.MinInt64,
	}
}

func sum(text string) wallet.Hash { return sha256.Sum256([]byte(text)) }

func fullLane(n int) *wallet.Lane {
	return &wallet.Lane{N: n, Credit: calls, Scope: fullScope(), Inherited: true}
}

func fullStanding() wallet.Standing {
	return wallet.Standing{
		Credit: calls, Overage: math.MaxInt64, UsedOutside: math.MinInt64, Uncovered: 1, MeteredOverage: math.MaxInt64 - 1,
	}
}

// fullGrant has every field set; its parts add up to the greatest amount there is.
func fullGrant(n int64) *wallet.Grant {
	return &wallet.Grant{
		N: n, Lane: 1, Credit: calls, Amount: math.MaxInt64,
		Available: math.MaxInt64 - 27, Frozen: 2, Held: 3, Spent: 4, Metered: 4, Expired: 5, Revoked: 6, RolledOver: 7,
		Status: wallet.GrantActive, Disputed: true, Category: catalog.Promotional, Priority: 100,
		EffectiveAt: math.MinInt64, ExpiresAt: math.MaxInt64, EndedAt: -1, CreatedAt: 1,
		Scope: fullScope(), Inherited: true, Source: wallet.SourcePurchase, SourceID: hard, Pack: "pck_" + hard,
		PackItem: "pki_" + hard, ExternalRef: hard, CostBasis: "0.000000000000000001", CostCurr: "EUR",
		Rollover: fullRollover(), RolloverCount: math.MaxInt32, Parent: 3, RolledInto: 2,
		Reason: hard, Actor: hard, Metadata: hardMetadata(),
	}
}

// plainGrant has as few fields set as the rules allow.
func plainGrant(n int64) *wallet.Grant {
	return &wallet.Grant{
		N: n, Lane: 2, Credit: calls, Amount: 10, Available: 10, Status: wallet.GrantActive,
		Category: catalog.Paid, EffectiveAt: start, CreatedAt: start, Source: wallet.SourceAPI,
	}
}

func fullHold(n int64) *wallet.Hold {
	return &wallet.Hold{
		N: n,
		Charge: wallet.Charge{
			Credit: calls, Amount: math.MaxInt64, Event: hard, Quantity: math.MaxInt64,
			Metadata: hardMetadata(), Shortfall: wallet.Overage,
		},
		Plan:    []wallet.PlanPart{{Allowance: hard, WindowStart: start + 1, Micros: math.MaxInt64}, {Allowance: "b", WindowStart: 1, Micros: 1}},
		Slices:  []wallet.HoldSlice{{Grant: 1, Units: math.MaxInt64, Measure: math.MinInt64, Order: math.MaxInt64 - 2, Item: 3}, {Grant: 2, Units: 1, Measure: 1}},
		Overage: []wallet.OveragePart{{Credit: calls, Units: math.MaxInt64, Measure: math.MinInt64}},
		Metered: []wallet.MeteredPart{{TallyKey: wallet.TallyKey{Meter: hard, Credit: calls, From: start + 1}, Micros: math.MaxInt64}},
		Status:  wallet.ReservationPending, Committed: math.MaxInt64,
		CreatedAt: 1, ExpiresAt: math.MaxInt64, ClosedAt: math.MinInt64,
		Reason: hard, ErrorCode: hard, Response: strings.Repeat("漢", wallet.MaxResponseBytes/3), Actor: hard,
	}
}

func fullSubscription(n int64) *wallet.Subscription {
	waiting := fullAllowance("w")
	waiting.WindowStart, waiting.WindowEnd = start, start+1
	return &wallet.Subscription{
		N: n, Plan: hard, Terms: fullTerms(), Quantity: math.MaxInt64,
		StartedAt: math.MinInt64, EndsAt: math.MaxInt64, TrialEnds: math.MinInt64, PausedAt: math.MaxInt64, Ended: true,
		Anchor: math.MinInt64, Zone: "Europe/Zurich", CycleStart: math.MinInt64, CycleEnd: math.MaxInt64,
		Cycles:   []clock.Instant{math.MinInt64, -1, math.MaxInt64},
		Included: []wallet.CreditCycle{{Start: start, End: start + 1, Grant: math.MaxInt64, Ends: true, Waits: true, Order: math.MaxInt64}, {}},
		Next: &wallet.PlanChange{
			Plan: hard, Terms: fullTerms(), Quantity: math.MaxInt64, Allowances: []wallet.Allowance{waiting}, OnChange: catalog.KeepCounts, At: start + 1,
		},
		Owed: math.MaxInt64, Collect: true, Unpaid: math.MaxInt64 - 1, Outside: "sub_outside", PaidTo: math.MaxInt64 - 20, HeldAt: math.MinInt64 + 20, Allowances: []wallet.Allowance{fullAllowance("a"), fullAllowance("b"), fullAllowance("c")},
		Reason: hard, Metadata: hardMetadata(), Events: math.MaxInt64,
	}
}

// plainSubscription has as few fields set as the rules allow.
func plainSubscription(n int64, allowances ...wallet.Allowance) *wallet.Subscription {
	return &wallet.Subscription{N: n, Allowances: allowances}
}

func fullTerms() wallet.Terms {
	every := catalog.Interval{Count: 3, Unit: catalog.Month}
	return wallet.Terms{
		Name: hard, Currency: "JPY", Minor: math.MaxInt64, Every: every, Runs: every, Until: start + 1, TrialMinor: math.MaxInt64, TrialDays: math.MaxInt64, TaxInside: true, OnDemand: true,
		Credits: []wallet.IncludedCredit{{
			Credit: calls, Amount: math.MaxInt64, Every: every, Trial: of(int64(math.MaxInt64)), TrialExpires: true, Prorate: true,
			AtCycleEnd: true, ExpiresAfterDays: catalog.MaxExpiryDays, Category: catalog.Promotional, Priority: 100,
			Scope: fullScope(), Inherited: true, Rollover: fullRollover(), Overage: fullOverage(), LowPercent: 100,
		}, {Credit: tokens, Trial: of(int64(0))}},
		Meters: []wallet.MeterTerm{
			{Meter: hard, Credit: calls, UnitsPerCredit: money.Ratio{Num: 3, Den: 40}, FreeThreshold: math.MaxInt64, PricePerUnit: "0.000000000000000001"},
			{Meter: "m", PricePerUnit: "0.50"},
		},
	}
}

func fullOverage() catalog.Overage {
	return catalog.Overage{
		Enabled: true, Limited: true, Limit: math.MaxInt64, Behavior: catalog.CarryDeficit, PricePerUnit: "0.075", Currency: "USD",
	}
}

func fullEvent(subscription, n int64) wallet.SubscriptionEvent {
	return wallet.SubscriptionEvent{
		Subscription: subscription, N: n, Change: wallet.SubscriptionPlanChanged, From: hard, To: hard + "2", Reason: hard, Actor: hard,
		At: math.MinInt64,
	}
}

func fullInvoice(n int64) *wallet.Invoice {
	return &wallet.Invoice{
		N: n, Subscription: math.MaxInt64, Status: wallet.InvoicePaid, Currency: "JPY", Total: math.MaxInt64,
		Lines: []wallet.InvoiceLine{
			{
				Kind: wallet.OverageLine, What: hard, Text: hard, Quantity: "0.50", Price: "0.000000000000000001", Minor: math.MaxInt64,
				From: start, To: start + 1,
			},
			{Kind: wallet.BalanceLine, Quantity: "1", Price: "-5", Minor: math.MinInt64},
		},
		From: math.MinInt64, To: math.MaxInt64, IssuedAt: math.MinInt64, ClosedAt: math.MaxInt64, Ref: hard,
	}
}

// fullOrder is being charged.
func fullOrder(n int64) *wallet.Order {
	return &wallet.Order{
		N: n, Kind: wallet.PlanOrder, Status: wallet.OrderDue, Provider: hard + " a", Minor: math.MaxInt64, Currency: "JPY",
		Items: []wallet.OrderItem{
			*fullItem(),
			{Credit: tokens, Amount: 1},
		},
		What: hard + " b", Text: hard + " c", Quantity: math.MaxInt64 - 1, Plan: fullSubscribe(), Invoice: math.MaxInt64 - 2, PriceRef: hard + " d", SaveCard: true,
		OffSession: true, Session: hard + " e", URL: hard + " f", SuccessURL: hard + " g", CancelURL: hard + " h", ExpiresAt: math.MaxInt64,
		Attempt: math.MaxInt32, NextTry: math.MinInt64, Payment: hard + " i", Paid: math.MaxInt64 - 3, Unmet: true, Cumulative: math.MaxInt64 - 4,
		Refunds: []wallet.OrderRefund{
			{ID: hard, Own: math.MaxInt64, Minor: math.MaxInt64, Status: wallet.RefundFailed, Reason: hard, Meta: hardMetadata(), At: start, Lines: []wallet.RefundLine{{Line: 1, Minor: math.MaxInt64}}},
			{Minor: 1, Status: wallet.RefundAsked},
		},
		Disputes: []wallet.OrderDispute{{ID: hard + " j", Status: wallet.DisputeLost}, {ID: "", Status: wallet.DisputeOpen}}, Dispute: wallet.DisputeLost, DisputedAt: math.MinInt64 + 3, Subscription: math.MaxInt64 - 5,
		Cart:        []wallet.OrderLine{{Product: hard, Text: hard + " m", Quantity: math.MaxInt64, Minor: math.MaxInt64 - 6}, {Product: "b"}},
		LastDecline: &wallet.Decline{Code: hard, Text: hard, Class: wallet.DeclineHard, Attempt: math.MaxInt32, At: start},
		Grants: []wallet.OrderGrant{
			{Grant: 1, Amount: math.MaxInt64, Revoked: math.MaxInt64 - 1, Returned: math.MaxInt64 - 2, Instead: []int64{2, math.MaxInt64}, Item: fullItem()},
			{Grant: 2},
		},
		CreatedAt: math.MinInt64 + 1, PaidAt: math.MaxInt64 - 1, ClosedAt: math.MinInt64 + 2, Reason: hard + " k", Actor: hard + " l",
		Metadata: hardMetadata(),
	}
}

func fullItem() *wallet.OrderItem {
	return &wallet.OrderItem{
		Item: hard, Credit: calls, Amount: math.MaxInt64, Scope: fullScope(), Category: catalog.Promotional, Priority: 100,
		ExpiresAfterDays: catalog.MaxExpiryDays, CostBasis: "0.000000000000000001", Line: catalog.MaxExpiryDays,
		Rollover: &catalog.Rollover{Percent: 100, Validity: catalog.Interval{Count: 1, Unit: catalog.Year}, MaxCount: 2, Off: true},
	}
}

// plainOrder has as few fields set as the rules allow.
func plainOrder(n int64, status wallet.OrderStatus) *wallet.Order {
	return &wallet.Order{N: n, Kind: wallet.CardOrder, Status: status}
}

func fullSubscribe() *wallet.Subscribe {
	agreed := fullAllowance("agreed")
	agreed.WindowStart, agreed.WindowEnd = start, start+1
	return &wallet.Subscribe{
		Plan: hard, Terms: fullTerms(), Allowances: []wallet.Allowance{agreed}, Quantity: math.MaxInt64, Limits: map[string]int64{hard: math.MaxInt64},
		OnChange: catalog.KeepCounts, TrialDays: of(1), CycleStart: start, Zone: "Europe/Zurich", EndsAt: start + 1, New: true, Retake: true,
		Collect: true, Outside: hard + "o", N: math.MaxInt64 - 1, AtCycleEnd: true, Charge: wallet.ChargeDifference,
		Note: wallet.Note{Reason: hard, Metadata: hardMetadata(), RefType: hard + "t", RefID: hard + "i"},
	}
}

func fullTopUp(credit string) *wallet.TopUp {
	return &wallet.TopUp{
		Credit: credit, Enabled: true, Threshold: math.MaxInt64, Pack: hard, Quantity: math.MaxInt64 - 1,
		Caps:      wallet.Caps{DayCount: 1, DayMinor: math.MaxInt64, MonthCount: 2, MonthMinor: math.MaxInt64 - 1},
		ConsentAt: math.MinInt64, ConsentBy: hard + " by", Metadata: hardMetadata(), Running: math.MaxInt64 - 2, NotBefore: math.MaxInt64,
		OffReason: hard + " off", Day: wallet.Spent{Start: start, Count: 3, Minor: math.MaxInt64}, Month: wallet.Spent{Start: start - 1, Count: 4, Minor: 5},
	}
}

func fullPayer() *wallet.Payer {
	return &wallet.Payer{Provider: hard + " a", Customer: hard + " b", Method: hard + " c", Label: "visa •••• 4242 " + hard, SavedAt: math.MinInt64}
}

func fullObject(id string) store.ProviderObject {
	return store.ProviderObject{
		ID: id, App: app, Mode: alice, Kind: hard, Ref: hard + "r", Version: 1, Body: []byte("{ \"a\":1.50e3,\"a\" : \"\\u0000" + "漢字 🪙\"}\n"), CreatedAt: math.MinInt64,
	}
}

func fullAllowance(name string) wallet.Allowance {
	return wallet.Allowance{
		ID: name, Label: hard, Unit: hard, Quota: math.MaxInt64, Rules: fullScope(),
		Period: fullPeriod(), WindowStart: math.MinInt64, WindowEnd: math.MaxInt64, Used: math.MaxInt64,
	}
}

func fullPeriod() catalog.Period {
	return catalog.Period{Kind: catalog.Monthly, Anchor: catalog.AnchorStart, Zone: "Europe/Zurich"}
}

func fullEntry(seq int64) wallet.Entry {
	return wallet.Entry{
		Seq: seq, Type: wallet.ManualAdjustment, Credit: calls, Amount: math.MinInt64,
		BalanceBefore: math.MaxInt64, BalanceAfter: 1, OverageBefore: math.MaxInt64, OverageAfter: 2,
		Slices: []wallet.Slice{{Grant: 1, Available: math.MinInt64, Frozen: math.MaxInt64, Held: -1}, {Grant: math.MaxInt64}},
		Op:     math.MaxInt64, RefType: hard, RefID: hard, Reason: hard, Metadata: hardMetadata(), Idempotency: hard,
		Actor: hard, EffectiveAt: math.MinInt64, RecordedAt: math.MaxInt64, Prev: sum("prev"), Hash: sum("hash"),
	}
}

func fullUsage(name string, n int64) *wallet.Usage {
	return &wallet.Usage{
		N: n, ID: name, Event: hard, Quantity: math.MaxInt64, Metadata: hardValues(), Match: wallet.Unmatched, Metered: true,
		Hold: math.MaxInt64, Response: hard, At: math.MaxInt64 - 1, RecordedAt: math.MinInt64, VoidedAt: 1, Corrects: hard, Counted: []wallet.TallyKey{{Meter: hard, Credit: calls, From: math.MinInt64}, {From: math.MaxInt64}},
	}
}

// hardValues are values of every kind; numbers must come back as they were written.
func hardValues() catalog.Values {
	return catalog.Values{
		hard: catalog.Text(hard), "": catalog.Number("1.50e3"), "n": catalog.Number("-0.10"),
		"b": {Kind: catalog.BoolValue, Text: "true"}, "z": {Kind: catalog.NullValue},
	}
}

func fullTally() *wallet.Tally {
	return &wallet.Tally{
		TallyKey: wallet.TallyKey{Meter: hard, Credit: calls, From: math.MinInt64}, To: math.MaxInt64,
		UnitsPerCredit: money.Ratio{Num: math.MaxInt64, Den: math.MaxInt64}, FreeThreshold: math.MaxInt64,
		Events: math.MaxInt64, Aggregate: math.MinInt64, Held: math.MinInt64, LastAt: math.MinInt64, LastID: hard, Due: math.MaxInt64,
	}
}

func fullUnique() *wallet.Unique {
	return &wallet.Unique{UniqueKey: wallet.UniqueKey{TallyKey: fullTally().TallyKey, Value: [16]byte{1, 15: 2}}, Events: math.MaxInt64}
}

func fullConditions() []catalog.Condition {
	return []catalog.Condition{{Key: hard, Operator: catalog.GreaterThan, Value: catalog.Value{Kind: catalog.NumberValue, Text: "1.50e1"}}}
}

func fullMeter(key, name string) *catalog.Meter {
	return &catalog.Meter{
		ID: key, App: app, Name: name, Description: hard, Event: hard, Unit: hard,
		Filter: &catalog.Filter{Conjunction: catalog.Or, Conditions: fullConditions(), Filters: []catalog.Filter{{
			Conjunction: catalog.And, Conditions: fullConditions(),
		}}},
		Aggregation: catalog.Aggregation{Kind: catalog.Sum, Key: hard},
		Links:       []catalog.MeterLink{{Credit: calls, UnitsPerCredit: money.Ratio{Num: 3, Den: 40}, FreeThreshold: math.MaxInt64}},
		CreatedAt:   math.MinInt64, UpdatedAt: math.MaxInt64, ArchivedAt: 1,
	}
}

func fullAnswer(key string) store.StoredAnswer {
	return store.StoredAnswer{
		Key: key, Request: sha256.Sum256([]byte(key)), Answer: []byte("{\"Allowed\":true,\"x\":\"\x00\xff" + hard + "\"}"), At: math.MinInt64,
	}
}

func fullCredit(key, name string) *catalog.Credit {
	return &catalog.Credit{
		ID: key, App: app, Name: name, Unit: hard, Description: hard, Precision: 10,
		DrawOrder: []catalog.DrawKey{catalog.ByCreatedAt, catalog.ByPriority}, Scope: fullScope(), ExpiresAfterDays: catalog.MaxExpiryDays,
		Overage: fullOverage(), Rollover: fullRollover(), LowBalance: math.MaxInt64,
		Sales:     catalog.Sales{Off: true, PricePerCredit: "0.075", Currency: "JPY", AnyAmount: true, SignupBonus: math.MaxInt64},
		CreatedAt: math.MinInt64, UpdatedAt: math.MaxInt64, ArchivedAt: 1,
	}
}

func fullPack(key, name string) *catalog.Pack {
	return &catalog.Pack{
		ID: key, App: app, Name: name, Description: hard, PriceMinor: math.MaxInt64, Currency: "JPY",
		ExpiresAfterDays: catalog.MaxExpiryDays,
		Items: []catalog.PackItem{
			{ID: "pki_1", Credit: calls, Amount: catalog.MaxItemAmount, Scope: fullScope(), Category: catalog.Promotional, Priority: 100},
			{ID: "pki_2", Credit: tokens, Amount: 1, Scope: fullScope(), Category: catalog.Paid, Priority: 1},
		},
		PriceRef: hard, CreatedAt: math.MinInt64, UpdatedAt: math.MaxInt64, ArchivedAt: 1,
	}
}

func fullProduct(key, name string) *catalog.Product {
	every := catalog.Interval{Count: 3, Unit: catalog.Month}
	return &catalog.Product{
		ID: key, App: app, Name: name, Description: hard, TaxCategory: "saas",
		Price: catalog.Price{
			Kind: catalog.UsageBasedPrice, Currency: "JPY", Minor: math.MaxInt64, DiscountBps: 1, TaxInclusive: true, PayWhatYouWant: true,
			SuggestedMinor: math.MaxInt64, Every: every, Period: every, TrialDays: 1, TrialMinor: math.MaxInt64, TrialDiscounted: true,
			TrialWithoutMethod: true, FreeWithoutMethod: true,
			Meters: []catalog.ProductMeter{{Meter: hard, PricePerUnit: "0.5", FreeThreshold: math.MaxInt64, Credit: calls, UnitsPerCredit: "1.5"}},
		},
		Credits: []catalog.ProductCredit{{
			ID: hard, Credit: calls, Amount: math.MaxInt64, Every: every, AtCycleEnd: true, Never: true, Category: catalog.Promotional,
			Priority: of(100), Scope: fullScope(), Trial: of(int64(math.MaxInt64)), TrialExpires: true, LowBalancePercent: of(20),
			Prorate: true, ExpiresAfterDays: of(1), OverageEnabled: of(true), OverageBehavior: of(catalog.CarryDeficit),
			OverageLimit: of(int64(math.MaxInt64)), PricePerUnit: of(money.Decimal("0.075")), Currency: of("EUR"), RolloverEnabled: of(true),
			RolloverPercent: of(50), RolloverValidity: &every, RolloverMaxCount: of(2),
		}},
		Allowances: []catalog.PlanAllowance{{
			ID: hard, Label: hard, Unit: hard, Quota: math.MaxInt64, Rules: fullScope(), Period: fullPeriod(),
		}},
		OnChange: catalog.BlockCounts,
		Metadata: hardMetadata(), CreatedAt: math.MinInt64, UpdatedAt: math.MaxInt64, ArchivedAt: 1,
	}
}

func fullEndpoint(key string) *catalog.Endpoint {
	return &catalog.Endpoint{
		ID: key, App: app, Mode: catalog.Test, URL: "https://example.test/" + hard, Description: hard, Format: hard,
		Events: []catalog.EventType{"a.b", catalog.EventCreditAdded}, Headers: map[string]string{"X-A": hard}, Secret: hard,
		PreviousSecret: hard, PreviousUntil: math.MaxInt64, Disabled: true, Ordered: true, RateLimit: catalog.MaxEndpointRate,
		Metadata: hardMetadata(), CreatedAt: math.MinInt64, UpdatedAt: math.MaxInt64, ArchivedAt: 1,
	}
}

func plainEndpoint(key string) *catalog.Endpoint {
	return &catalog.Endpoint{ID: key, App: app, Mode: catalog.Live, CreatedAt: start, UpdatedAt: start}
}

func of[T any](v T) *T { return &v }

func fullKey(name string) store.Key {
	return store.Key{
		ID: name, App: app, Mode: catalog.Test, Kind: store.Publishable, Label: hard, Prefix: "pk_test_" + name,
		Hash: sha256.Sum256([]byte(name)), CreatedAt: start, RevokedAt: start + 1,
	}
}

func fullCustomer(key wallet.Key) store.Customer {
	return store.Customer{
		Key: key, Name: hard, Email: "ö@example.test", Phone: hard, Metadata: hardMetadata(), CreatedAt: start - day, UpdatedAt: start,
	}
}

// newDelivery is one that a transaction writes.
func newDelivery(w id.Wallet, n, seq int64) store.Delivery {
	return store.Delivery{
		Wallet: w, N: n, Event: n, Seq: seq, Endpoint: hook, Type: catalog.EventBalanceLow, Status: store.DeliveryPending,
		About: store.About{
			Low: &wallet.LowBalance{Subscription: hard, Allowance: math.MaxInt64, Percent: 100, Seq: seq, Credit: hard, Balance: math.MaxInt64 - 1, Threshold: math.MaxInt64},
			Change: &wallet.SubscriptionEvent{
				Subscription: 1, N: math.MaxInt64, Change: wallet.SubscriptionEnded, From: hard, To: hard, Reason: hard, Actor: hard, At: start - 1,
			},
			Invoice: math.MaxInt64,
			Order: &wallet.OrderEvent{
				Order: math.MaxInt64, Type: catalog.EventBalanceLow, Refund: hard, Own: math.MaxInt64 - 1, At: start - 2,
				Failed: &wallet.Failed{
					Status: wallet.OrderWaiting, Attempt: math.MaxInt32, Payment: hard, NextTry: start + 5,
					Decline: &wallet.Decline{Code: hard, Text: hard, Class: wallet.DeclineSoft, Attempt: math.MaxInt32, At: start},
				},
			},
			Notice: &wallet.Notice{
				Type: catalog.EventBalanceLow, Credit: hard, Units: math.MaxInt64, Ends: start + 1, Grants: []int64{1, math.MaxInt64}, Subscription: 2, At: start - 3,
			},
		},
		CreatedAt: start, NextAt: start,
	}
}

// fullDelivery has every field set.
func fullDelivery(w id.Wallet) store.Delivery {
	d := newDelivery(w, 1, 1)
	d.Tries, d.FinishedAt, d.Log = math.MaxInt32, math.MaxInt64, fullLog()
	return d
}

func fullLog() []store.Attempt {
	return []store.Attempt{
		{At: start - 1, Status: 599, Error: hard, Micros: math.MaxInt64, Response: strings.Repeat("漢", 300)},
		{At: start, Micros: 1},
	}
}

// wantFull fails when an exported field of a fixture is zero, so that a field that is added to
// a type cannot be forgotten by the stores. Fields within metadata are free, and so are filters
// within filters.
func (b *bench) wantFull(path string, v reflect.Value) {
	b.Helper()
	switch v.Kind() {
	case reflect.Pointer:
		if v.Type() == reflect.TypeFor[*catalog.Filter]() {
			return
		}
		if v.IsNil() {
			b.Fatalf("the fixture leaves %s empty", path)
		}
		b.wantFull(path, v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				b.wantFull(path+"."+f.Name, v.Field(i))
			}
		}
	case reflect.Slice:
		if v.Len() == 0 {
			b.Fatalf("the fixture leaves %s empty", path)
		}
		b.wantFull(path, v.Index(0))
	default:
		if v.IsZero() {
			b.Fatalf("the fixture leaves %s empty", path)
		}
	}
}

// fullChange is a new wallet with every kind of row in it. Grant 1 is open and rolled into
// grant 2, which is closed and belongs to the snapshot for that; grant 3 does not. The subscription
// is its second: the first has come and gone.
func fullChange(key wallet.Key) store.WalletChange {
	second := plainGrant(2)
	second.Available, second.Spent, second.Parent = 0, 10, 1
	third := plainGrant(3)
	third.Available, third.Revoked, third.Status, third.RolledInto = 0, 10, wallet.GrantRevoked, 1
	return store.WalletChange{
		Header: fullHeader(key), Created: true,
		Entries:   []wallet.Entry{fullEntry(1)},
		NewGrants: []*wallet.Grant{fullGrant(1), second, third},
		NewHolds:  []*wallet.Hold{fullHold(1), closedHold(2)},
		Standings: []wallet.Standing{fullStanding(), {Credit: tokens}},
		Lanes:     []*wallet.Lane{fullLane(1), {N: 2, Credit: calls}},

		Subscription: fullSubscription(2),
		Ended:        []*wallet.Subscription{endedSubscription(1)},
		History:      []wallet.SubscriptionEvent{fullEvent(1, 1), fullEvent(2, 1), fullEvent(2, math.MaxInt64-1)},
		NewInvoices:  []*wallet.Invoice{fullInvoice(1), {N: 2, Status: wallet.InvoiceOpen}},
		NewOrders:    []*wallet.Order{fullOrder(1), plainOrder(2, wallet.OrderOpen)},
		TopUps:       []*wallet.TopUp{fullTopUp(calls), {Credit: tokens}},
		Payer:        fullPayer(),
		NewUsages:    []*wallet.Usage{fullUsage(hard, 1)},
		Tallies:      []*wallet.Tally{fullTally()},
		Uniques:      []*wallet.Unique{fullUnique()},
		Answers:      []store.StoredAnswer{fullAnswer(hard)},
		Deliveries:   []store.Delivery{newDelivery(key.ID(), 1, 1), newDelivery(key.ID(), math.MaxInt64, 1)},
	}
}

// endedSubscription is one whose allowances are gone.
func endedSubscription(n int64) *wallet.Subscription {
	s := fullSubscription(n)
	s.Allowances = nil
	return s
}

func closedHold(n int64) *wallet.Hold {
	return &wallet.Hold{
		N: n, Charge: wallet.Charge{Credit: calls, Amount: 1}, Status: wallet.ReservationReleased,
		CreatedAt: start, ExpiresAt: start + 1, ClosedAt: clock.Instant(start + 1),
	}
}

// fullSnapshot is what fullChange reads as.
func fullSnapshot(c store.WalletChange) *wallet.Snapshot {
	return &wallet.Snapshot{
		Header: c.Header, Standings: c.Standings, Lanes: c.Lanes, Grants: c.NewGrants[:2], Holds: c.NewHolds[:1],
		Subscription: c.Subscription, Tallies: c.Tallies, Orders: c.NewOrders[:1], TopUps: c.TopUps, Payer: c.Payer,
	}
}
