package dodo

import (
	"fmt"
	"math"
	"net/http"
	"strings"
	"time"

	"github.com/seed42445051/scrip/billing"
	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/money"
	"github.com/seed42445051/scrip/payments"
	v1 "github.com/seed42445051/scrip/v1"
	"github.com/seed42445051/scrip/wallet"
	"github.com/seed42445051/scrip/wording"
)

// subscriptionRoutes are what customers have of products that recur (dodo.md section 11).
var subscriptionRoutes = []route{
	{http.MethodGet, "/subscriptions", http.StatusOK, (*call).listSubscriptions},
	{http.MethodPost, "/subscriptions", http.StatusOK, (*call).createSubscription},
	{http.MethodGet, "/subscriptions/{subscription}", http.StatusOK, (*call).getSubscription},
	{http.MethodPatch, "/subscriptions/{subscription}", http.StatusOK, (*call).updateSubscription},
	{http.MethodPost, "/subscriptions/{subscription}/change-plan", http.StatusOK, (*call).changePlan},
	{http.MethodPost, "/subscriptions/{subscription}/change-plan/preview", http.StatusOK, (*call).previewChangePlan},
	{http.MethodDelete, "/subscriptions/{subscription}/change-plan/scheduled", http.StatusOK, (*call).cancelChangePlan},
	{http.MethodGet, "/subscriptions/{subscription}/credit-usage", http.StatusOK, (*call).creditUsage},
	{http.MethodGet, "/subscriptions/{subscription}/usage-history", http.StatusOK, (*call).usageHistory},
	{http.MethodPost, "/subscriptions/{subscription}/charge", http.StatusOK, (*call).chargeSubscription},
	{http.MethodPost, "/subscriptions/{subscription}/update-payment-method", http.StatusOK, (*call).updateMethod},
}

// subscriptionRow is a subscription as a list has it.
type subscriptionRow struct {
	SubscriptionID    string            `json:"subscription_id"`
	ProductID         string            `json:"product_id"`
	ProductName       *string           `json:"product_name"`
	BrandID           string            `json:"brand_id"`
	Status            string            `json:"status"`
	Quantity          int64             `json:"quantity"`
	Currency          string            `json:"currency"`
	RecurringAmount   int64             `json:"recurring_pre_tax_amount"`
	TaxInclusive      bool              `json:"tax_inclusive"`
	CreatedAt         clock.Instant     `json:"created_at"`
	PreviousBilling   clock.Instant     `json:"previous_billing_date"`
	NextBilling       clock.Instant     `json:"next_billing_date"`
	FrequencyCount    int               `json:"payment_frequency_count"`
	FrequencyInterval *string           `json:"payment_frequency_interval"`
	PeriodCount       int               `json:"subscription_period_count"`
	PeriodInterval    *string           `json:"subscription_period_interval"`
	TrialDays         int               `json:"trial_period_days"`
	TrialAmount       *int64            `json:"trial_amount"`
	CancelAtNext      bool              `json:"cancel_at_next_billing_date"`
	CancelledAt       clock.Instant     `json:"cancelled_at"`
	PausedAt          clock.Instant     `json:"paused_at"`
	OnDemand          bool              `json:"on_demand"`
	HasPaymentMethod  bool              `json:"has_payment_method"`
	PaymentMethodID   *string           `json:"payment_method_id"`
	Customer          subscriber        `json:"customer"`
	Billing           address           `json:"billing"`
	BusinessName      *string           `json:"customer_business_name"`
	TaxID             *string           `json:"tax_id"`
	Discounts         []struct{}        `json:"discounts"`
	ScheduledChange   *scheduledChange  `json:"scheduled_change"`
	Metadata          map[string]string `json:"metadata"`
}

// subscription is one subscription.
type subscription struct {
	subscriptionRow
	ExpiresAt    clock.Instant  `json:"expires_at"`
	Feedback     *string        `json:"cancellation_feedback"`
	Comment      *string        `json:"cancellation_comment"`
	Addons       []struct{}     `json:"addons"`
	Meters       []meterCart    `json:"meters"`
	Credits      []creditCart   `json:"credit_entitlement_cart"`
	MeterCredits []meterCredits `json:"meter_credit_entitlement_cart"`
}

// subscriber is whom a subscription is of.
type subscriber struct {
	CustomerID  string            `json:"customer_id"`
	Email       string            `json:"email"`
	Name        string            `json:"name"`
	PhoneNumber *string           `json:"phone_number"`
	Metadata    map[string]string `json:"metadata"`
}

// scheduledChange is a change of plan that waits for the end of the cycle.
type scheduledChange struct {
	ID                 string        `json:"id"`
	Addons             []struct{}    `json:"addons"`
	CreatedAt          clock.Instant `json:"created_at"`
	EffectiveAt        clock.Instant `json:"effective_at"`
	ProductID          string        `json:"product_id"`
	ProductName        *string       `json:"product_name"`
	ProductDescription *string       `json:"product_description"`
	Quantity           int64         `json:"quantity"`
}

// meterCart is a meter that a subscription counts.
type meterCart struct {
	MeterID         string         `json:"meter_id"`
	Name            string         `json:"name"`
	Description     *string        `json:"description"`
	MeasurementUnit string         `json:"measurement_unit"`
	Currency        string         `json:"currency"`
	FreeThreshold   int64          `json:"free_threshold"`
	PricePerUnit    *money.Decimal `json:"price_per_unit"`
}

// meterCredits is a meter that takes a credit.
type meterCredits struct {
	CreditEntitlement string        `json:"credit_entitlement_id"`
	MeterID           string        `json:"meter_id"`
	MeterName         string        `json:"meter_name"`
	UnitsPerCredit    money.Decimal `json:"meter_units_per_credit"`
	ProductID         string        `json:"product_id"`
}

// creditCart is a credit that comes with a subscription, under the terms that hold, and the
// customer's standing in it.
type creditCart struct {
	CreditEntitlement string         `json:"credit_entitlement_id"`
	Name              string         `json:"credit_entitlement_name"`
	Unit              string         `json:"unit"`
	ProductID         string         `json:"product_id"`
	CreditsAmount     money.Decimal  `json:"credits_amount"`
	RemainingBalance  money.Decimal  `json:"remaining_balance"`
	OverageBalance    money.Decimal  `json:"overage_balance"`
	OverageEnabled    bool           `json:"overage_enabled"`
	OverageBehavior   string         `json:"overage_behavior"`
	OverageLimit      *money.Decimal `json:"overage_limit"`
	RolloverEnabled   bool           `json:"rollover_enabled"`
	RolloverPercent   *int           `json:"rollover_percentage"`
	RolloverCount     *int           `json:"rollover_timeframe_count"`
	RolloverInterval  *string        `json:"rollover_timeframe_interval"`
	MaxRolloverCount  *int           `json:"max_rollover_count"`
	ExpiresAfterDays  *int           `json:"expires_after_days"`
	LowBalancePercent *int           `json:"low_balance_threshold_percent"`
}

// promisedStatuses are how a subscription stands that an order will begin.
var promisedStatuses = map[wallet.OrderStatus]string{
	wallet.OrderOpen: "pending", wallet.OrderDue: "pending", wallet.OrderProcessing: "pending",
	wallet.OrderFailed: "failed", wallet.OrderExpired: "failed", wallet.OrderCanceled: "failed", wallet.OrderMismatched: "failed",
}

// statusOut is how a subscription stands that has begun.
func statusOut(s *wallet.Subscription, at clock.Instant) string {
	switch wording.SubscriptionStatus(s, at) {
	case wording.Paused:
		return "paused"
	case wording.Ended:
		if s.RanOut() {
			return "expired"
		}
		return "cancelled"
	}
	if !s.HeldAt.IsZero() {
		return "on_hold"
	}
	return "active"
}

// endless is the period of a subscription that runs until it is cancelled: the vendor has none.
var endless = catalog.Interval{Count: 20, Unit: catalog.Year}

// subscribed is all that a subscription is told with.
type subscribed struct {
	app      string
	defs     *catalog.Definitions
	key      wallet.Key
	sub      *wallet.Subscription
	at       clock.Instant
	customer v1.Customer
	method   string        // the card that is kept; empty: none is
	order    *wallet.Order // that will begin it; nil: it has begun
	balances []v1.Balance  // only of one that is told whole
}

func (d *subscribed) status() string {
	if d.order != nil {
		return promisedStatuses[d.order.Status]
	}
	return statusOut(d.sub, d.at)
}

func (d *subscribed) row() subscriptionRow {
	s, t := d.sub, &d.sub.Terms
	period := t.Runs
	if period == (catalog.Interval{}) {
		period = endless
	}
	out := subscriptionRow{
		SubscriptionID: s.ID(d.key.ID()), ProductID: s.Plan, ProductName: unlessZero(t.Name), BrandID: d.app, Status: d.status(),
		Quantity: max(1, s.Quantity), Currency: currencyOut(t.Currency), RecurringAmount: t.Minor * max(1, s.Quantity), TaxInclusive: t.TaxInside,
		CreatedAt: s.StartedAt, PreviousBilling: s.CycleStart, NextBilling: s.CycleEnd,
		FrequencyCount: t.Every.Count, FrequencyInterval: intervalOut(string(t.Every.Unit)),
		PeriodCount: period.Count, PeriodInterval: intervalOut(string(period.Unit)), TrialAmount: unlessZero(t.TrialMinor),
		OnDemand: t.OnDemand, HasPaymentMethod: d.method != "", PaymentMethodID: unlessZero(d.method),
		PausedAt: s.PausedAt, Customer: subscriberOut(&d.customer), Billing: addressOut(&d.customer),
		BusinessName: unlessZero(d.customer.Metadata[businessName]), TaxID: unlessZero(d.customer.Metadata[taxID]),
		Discounts: []struct{}{}, ScheduledChange: d.scheduled(), Metadata: present(s.Metadata),
	}
	if !s.TrialEnds.IsZero() {
		out.TrialDays = daysBetween(s.StartedAt, s.TrialEnds)
	}
	if out.Status == "cancelled" {
		out.CancelledAt = s.EndsAt
	}
	out.CancelAtNext = cancelsNext(s, out.Status)
	return out
}

// daysBetween counts days: one of 23 or 25 hours is one too.
func daysBetween(from, to clock.Instant) int {
	const day = float64(24 * time.Hour)
	return int(math.Round(float64(to.Time().Sub(from.Time())) / day))
}

// cancels reports whether a subscription is going to end because somebody asked for it.
func cancels(s *wallet.Subscription) bool { return !s.EndsAt.IsZero() && !s.RanOut() }

// cancelsNext reports whether one that stands so is going to end with its cycle.
func cancelsNext(s *wallet.Subscription, status string) bool {
	return status != "cancelled" && cancels(s) && s.EndsAt <= s.CycleEnd
}

func subscriberOut(c *v1.Customer) subscriber {
	return subscriber{CustomerID: c.ID, Email: c.Email, Name: c.Name, PhoneNumber: unlessZero(c.Phone), Metadata: present(c.Metadata)}
}

func (d *subscribed) scheduled() *scheduledChange {
	n := d.sub.Next
	if n == nil {
		return nil
	}
	_, own, _ := strings.Cut(d.sub.ID(d.key.ID()), "_")
	out := &scheduledChange{
		ID: fmt.Sprintf("chg_%s_%d", own, int64(n.At)), Addons: []struct{}{}, CreatedAt: n.At, EffectiveAt: d.sub.CycleEnd,
		ProductID: n.Plan, ProductName: unlessZero(n.Terms.Name), Quantity: max(1, n.Quantity),
	}
	if p, ok := d.defs.Products[n.Plan]; ok {
		out.ProductDescription = unlessZero(p.Description)
	}
	return out
}

func (d *subscribed) whole() subscription {
	s := d.sub
	out := subscription{
		subscriptionRow: d.row(), ExpiresAt: s.Terms.Until, Addons: []struct{}{}, Feedback: unlessZero(s.Metadata[feedback]),
		Meters: []meterCart{}, Credits: make([]creditCart, len(s.Terms.Credits)), MeterCredits: []meterCredits{},
	}
	if cancels(s) {
		out.Comment = unlessZero(s.Reason)
	}
	for i := range s.Terms.Credits {
		out.Credits[i] = d.credit(&s.Terms.Credits[i])
	}
	for i := range s.Terms.Meters {
		m := &s.Terms.Meters[i]
		cart := meterCart{
			MeterID: m.Meter, Name: m.Meter, Currency: out.Currency, FreeThreshold: m.FreeThreshold / wallet.MicrosPerUnit,
			PricePerUnit: unlessZero(m.PricePerUnit),
		}
		if def, ok := d.defs.Meters[m.Meter]; ok {
			cart.Name, cart.Description, cart.MeasurementUnit = def.Name, unlessZero(def.Description), def.Unit
		}
		out.Meters = append(out.Meters, cart)
		if m.Credit != "" {
			units := money.Decimal(m.UnitsPerCredit.String())
			out.MeterCredits = append(out.MeterCredits, meterCredits{m.Credit, m.Meter, cart.Name, units, s.Plan})
		}
	}
	return out
}

func (d *subscribed) credit(c *wallet.IncludedCredit) creditCart {
	out := creditCart{
		CreditEntitlement: c.Credit, ProductID: d.sub.Plan, RemainingBalance: "0", OverageBalance: "0",
		OverageEnabled: c.Overage.Enabled, OverageBehavior: string(c.Overage.Behavior), RolloverEnabled: c.Rollover.Enabled(),
		RolloverPercent: unlessZero(c.Rollover.Percent), MaxRolloverCount: unlessZero(c.Rollover.MaxCount),
		ExpiresAfterDays: unlessZero(c.ExpiresAfterDays), LowBalancePercent: unlessZero(c.LowPercent),
	}
	if out.OverageBehavior == "" {
		out.OverageBehavior = string(catalog.ForgiveAtReset)
	}
	if c.Rollover.Validity.Count > 0 {
		out.RolloverCount, out.RolloverInterval = &c.Rollover.Validity.Count, intervalOut(string(c.Rollover.Validity.Unit))
	}
	precision := 0
	if def, ok := d.defs.Credits[c.Credit]; ok {
		out.Name, out.Unit, precision = def.Name, def.Unit, def.Precision
	}
	out.CreditsAmount = wording.Amount(c.Amount, precision)
	if c.Overage.Limited {
		limit := wording.Amount(c.Overage.Limit, precision)
		out.OverageLimit = &limit
	}
	for i := range d.balances {
		if b := &d.balances[i]; b.CreditID == c.Credit {
			out.RemainingBalance, out.OverageBalance = b.Balance, b.Overage
		}
	}
	return out
}

// told gathers what a subscription is told with in a list; complete adds what the whole has.
func (c *call) told(f *billing.Found) (*subscribed, error) {
	d := &subscribed{app: c.app, key: f.Key, sub: f.Subscription}
	var err error
	if d.at, err = c.Now(c); err != nil {
		return nil, err
	}
	if d.defs, err = c.Catalog(c); err != nil {
		return nil, err
	}
	kept, err := c.PaymentMethod(c, f.Key.Customer)
	if err != nil {
		return nil, err
	}
	d.method = kept.ID
	d.customer, err = c.GetCustomer(c, f.Key.Customer)
	return d, err
}

// complete adds what the customer holds to what was gathered.
func (c *call) complete(d *subscribed, err error) (*subscribed, error) {
	if err != nil {
		return nil, err
	}
	balances, err := c.Balances(c, d.key.Customer, "", 0)
	d.balances = balances.Data
	return d, err
}

// whole tells everything of a subscription.
func (c *call) whole(f *billing.Found) (any, error) {
	d, err := c.complete(c.told(f))
	if err != nil {
		return nil, err
	}
	return d.whole(), nil
}

func (c *call) found() (billing.Found, error) {
	return c.FindSubscription(c, c.path("subscription"))
}

func (c *call) getSubscription() (any, error) {
	f, err := c.found()
	if fault.CodeOf(err) == fault.CodeSubscriptionNotFound {
		order, err := c.FindPromised(c, c.path("subscription"))
		if err != nil {
			return nil, err
		}
		d, err := c.complete(c.promised(order))
		if err != nil {
			return nil, err
		}
		return d.whole(), nil
	}
	if err != nil {
		return nil, err
	}
	return c.whole(&f)
}

// promised is the subscription of an order: the one that it will begin, or has begun.
func (c *call) promised(found *payments.Found) (*subscribed, error) {
	s := found.Order.Promised()
	if s == nil {
		begun, err := c.FindSubscription(c, id.Object(id.PrefixSubscription, found.Key.ID(), found.Order.Subscription))
		if err != nil {
			return nil, err
		}
		return c.told(&begun)
	}
	d, err := c.told(&billing.Found{Key: found.Key, Subscription: s})
	if err == nil {
		d.order = found.Order
	}
	return d, err
}

// subscriptionFilters are the vendor's statuses that a subscription here can have, by ours.
var subscriptionFilters = map[string]string{
	"active": wording.Active, "on_hold": wording.Active, "paused": wording.Paused, "cancelled": wording.Ended, "expired": wording.Ended,
}

// notBegun are the statuses of what is only ordered; pastDue is what nothing here ever is.
var notBegun = map[string]bool{"pending": true, "failed": true}

const pastDue = "past_due"

func (c *call) listSubscriptions() (any, error) {
	w, err := c.window()
	if err != nil {
		return nil, err
	}
	cancel, err := c.flag("cancel_at_next_billing_date")
	if err != nil {
		return nil, err
	}
	now, err := c.Now(c)
	if err != nil {
		return nil, err
	}
	q := billing.Selection{At: now, PlanID: c.query.Get("product_id"), CustomerID: c.query.Get("customer_id"), Skip: w.offset, Limit: w.limit}
	if q.From, q.To, err = c.span("created_at_gte", "created_at_lte"); err != nil {
		return nil, err
	}
	q.To = inclusive(q.To)
	status := c.query.Get("status")
	ours, ok := subscriptionFilters[status]
	if status != "" && !ok && !notBegun[status] && status != pastDue {
		return nil, invalidQuery("status must be pending, active, on_hold, paused, cancelled, failed, expired or past_due")
	}
	if brand := c.query.Get("brand_id"); status == pastDue || brand != "" && brand != c.app {
		return listed[subscriptionRow](nil), nil
	}
	if notBegun[status] {
		return c.listPromised(&q, status)
	}
	q.Status = ours
	if cancel != nil || ours == wording.Ended || ours == wording.Active {
		q.Keep = func(f *billing.Found) bool {
			state := statusOut(f.Subscription, q.At)
			return (status == "" || status == state) && (cancel == nil || *cancel == cancelsNext(f.Subscription, state))
		}
	}
	all, err := c.Matching(c, q)
	if err != nil {
		return nil, err
	}
	rows := make([]subscriptionRow, len(all))
	for i := range all {
		d, err := c.told(&all[i])
		if err != nil {
			return nil, err
		}
		rows[i] = d.row()
	}
	return listed(rows), nil
}

// listPromised lists what was ordered, and has not begun or never will.
func (c *call) listPromised(sel *billing.Selection, status string) (any, error) {
	q := payments.Selection{Kind: wallet.PlanOrder, From: sel.From, To: sel.To, Skip: sel.Skip, Limit: sel.Limit}
	for ours, theirs := range promisedStatuses {
		if theirs == status {
			q.Status = append(q.Status, ours)
		}
	}
	if sel.CustomerID != "" {
		q.Wallet = c.wallet(sel.CustomerID)
	}
	found, err := c.OrdersWhere(c, q, func(f *payments.Found) bool { return sel.PlanID == "" || sel.PlanID == f.Order.What })
	if err != nil {
		return nil, err
	}
	rows := make([]subscriptionRow, len(found))
	for i := range found {
		d, err := c.promised(&found[i])
		if err != nil {
			return nil, err
		}
		rows[i] = d.row()
	}
	return listed(rows), nil
}
