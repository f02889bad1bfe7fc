package dodo

import (
	"cmp"
	"context"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"

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

// absent are parts of the vendor's requests that have no counterpart here. They are refused, and not
// dropped.
type absent struct {
	Addons        []struct{}       `json:"addons"`
	DiscountCode  optional[string] `json:"discount_code"`
	DiscountCodes []string         `json:"discount_codes"`
	OneTimeCart   []struct{}       `json:"one_time_product_cart"`
	ByLink        bool             `json:"collect_via_payment_link"`
}

// decodeWhole is decode of a request that is refused for any such part.
func (c *call) decodeWhole(into any) error {
	var none absent
	return cmp.Or(c.decode(into), c.decode(&none), none.check())
}

func (b *absent) check() error {
	missing := ""
	switch {
	case len(b.Addons) > 0:
		missing = "add-ons: leave out addons"
	case b.DiscountCode.has() || len(b.DiscountCodes) > 0:
		missing = "discount codes: leave out discount_codes"
	case len(b.OneTimeCart) > 0:
		missing = "subscriptions that are sold together with other products: leave out one_time_product_cart"
	case b.ByLink:
		missing = "payment links for changes of plan, which the card that is kept is charged for: leave out collect_via_payment_link"
	default:
		return nil
	}
	return fault.New("dodo.absent", fault.CodeNotImplemented, "Scrip has no %s", missing)
}

// subscribeBody is what creating a subscription takes.
type subscribeBody struct {
	ProductID    optional[string]      `json:"product_id"`
	Quantity     optional[int64]       `json:"quantity"`
	Customer     optional[customerRef] `json:"customer"`
	Billing      optional[address]     `json:"billing"`
	Metadata     optional[v1.Metadata] `json:"metadata"`
	TrialDays    optional[int]         `json:"trial_period_days"`
	Currency     optional[string]      `json:"billing_currency"`
	BusinessName optional[string]      `json:"customer_business_name"`
	TaxID        optional[string]      `json:"tax_id"`

	ByLink        bool      `json:"payment_link"`
	PaymentMethod string    `json:"payment_method_id"`
	OnDemand      *onDemand `json:"on_demand"`
	ReturnURL     string    `json:"return_url"`
}

// madeSubscription is what creating a subscription came to. Where nobody is asked to pay, no field of a
// payment says anything.
type madeSubscription struct {
	SubscriptionID  string            `json:"subscription_id"`
	RecurringAmount int64             `json:"recurring_pre_tax_amount"`
	TrialAmount     *int64            `json:"trial_amount"`
	Customer        subscriber        `json:"customer"`
	Metadata        map[string]string `json:"metadata"`
	Addons          []struct{}        `json:"addons"`
	PaymentID       string            `json:"payment_id"`
	MethodRequired  bool              `json:"payment_method_required"`
	ClientSecret    *string           `json:"client_secret"`
	PaymentLink     *string           `json:"payment_link"`
	ExpiresOn       clock.Instant     `json:"expires_on"`
}

// plan finds the product that is subscribed to, and refuses a number of it that makes no sense.
func (c *call) plan(productID string, quantity optional[int64]) (*catalog.Product, error) {
	defs, err := c.Catalog(c)
	if err != nil {
		return nil, err
	}
	p, ok := defs.Products[productID]
	switch {
	case !ok:
		return nil, notFound("there is no such product")
	case !p.ArchivedAt.IsZero():
		return nil, &refusal{http.StatusUnprocessableEntity, "PRODUCT_IS_DELETED", "the product is archived"}
	case !p.Recurs():
		return nil, invalidValue("the product is sold once: it cannot be subscribed to")
	case quantity.value < 1 || quantity.value > wallet.MaxPlanQuantity || p.Price.Kind == catalog.UsageBasedPrice && quantity.value != 1:
		return nil, &refusal{http.StatusUnprocessableEntity, "INVALID_QUANTITY", "quantity must be at least 1, and 1 of a product that is priced by usage"}
	}
	return p, nil
}

// createSubscription begins a subscription: when it is paid where it is to be paid on a page or with the
// card that is kept, else at once, and somebody else collects what it comes to.
func (c *call) createSubscription() (any, error) {
	var body subscribeBody
	var none absent
	if err := cmp.Or(c.decode(&body), c.decode(&none)); err != nil {
		return nil, err
	}
	if !body.ProductID.has() || !body.Quantity.has() || !body.Customer.has() || !body.Billing.has() {
		return nil, invalidBody("product_id, quantity, customer and billing are required")
	}
	if err := none.check(); err != nil {
		return nil, err
	}
	p, err := c.plan(body.ProductID.value, body.Quantity)
	if err != nil {
		return nil, err
	}
	if body.Currency.has() && body.Currency.value != currencyOut(p.Price.Currency) {
		return nil, &refusal{http.StatusUnprocessableEntity, "UNSUPPORTED_CURRENCY", "the product is billed in " + currencyOut(p.Price.Currency)}
	}
	customer, err := body.Customer.value.resolve(c)
	if err != nil {
		return nil, err
	}
	command, err := c.SubscribeCommand(v1.Subscribe{
		CustomerID: customer.ID, PlanID: p.ID, Quantity: body.Quantity.value, TrialDays: body.TrialDays.pointer(), Metadata: body.Metadata.value,
	})
	if err != nil {
		return nil, err
	}
	about := contact{business: body.BusinessName, tax: body.TaxID, billing: body.Billing}
	if err := about.save(c, &customer); err != nil {
		return nil, err
	}
	if body.ByLink || body.PaymentMethod != "" || body.OnDemand != nil {
		return c.sellSubscription(&body, customer.ID)
	}
	command.New = true
	made, err := c.Begin(c, customer.ID, command)
	if err != nil {
		return nil, err
	}
	d, err := c.told(&made)
	if err != nil {
		return nil, err
	}
	return madeOut(d), nil
}

func madeOut(d *subscribed) madeSubscription {
	row := d.row()
	return madeSubscription{
		SubscriptionID: row.SubscriptionID, RecurringAmount: row.RecurringAmount, TrialAmount: row.TrialAmount, Customer: row.Customer,
		Metadata: row.Metadata, Addons: []struct{}{},
	}
}

// sellSubscription has a subscription paid for before it begins.
func (c *call) sellSubscription(body *subscribeBody, customer string) (any, error) {
	if err := c.keptCard(customer, body.PaymentMethod); err != nil {
		return nil, err
	}
	found, err := c.sell(&sale{
		cart: []cartLine{{ProductID: body.ProductID.value, Quantity: body.Quantity.value}}, trialDays: body.TrialDays.pointer(),
		onDemand: body.OnDemand, metadata: body.Metadata.value, returnURL: body.ReturnURL, quiet: body.PaymentMethod != "",
	}, customer)
	if err != nil {
		return nil, err
	}
	d, err := c.promised(found)
	if err != nil {
		return nil, err
	}
	out := madeOut(d)
	out.PaymentID, out.PaymentLink, out.ExpiresOn = paymentID(found), unlessZero(found.Order.URL), found.Order.ExpiresAt
	out.MethodRequired = found.Order.SaveCard
	return out, nil
}

// updateSubscriptionBody is what a PATCH takes.
type updateSubscriptionBody struct {
	Status          optional[string]        `json:"status"`
	CancelAtNext    optional[bool]          `json:"cancel_at_next_billing_date"`
	CancelReason    optional[string]        `json:"cancel_reason"`
	Feedback        optional[string]        `json:"cancellation_feedback"`
	Comment         optional[string]        `json:"cancellation_comment"`
	NextBilling     optional[clock.Instant] `json:"next_billing_date"`
	Credits         optional[[]cartBody]    `json:"credit_entitlement_cart"`
	PeriodCount     optional[int]           `json:"subscription_period_count"`
	PeriodInterval  optional[string]        `json:"subscription_period_interval"`
	Metadata        optional[v1.Metadata]   `json:"metadata"`
	Billing         optional[address]       `json:"billing"`
	CustomerName    optional[string]        `json:"customer_name"`
	BusinessName    optional[string]        `json:"customer_business_name"`
	TaxID           optional[string]        `json:"tax_id"`
	Pause           optional[bool]          `json:"pause"`
	DisableOnDemand optional[struct{}]      `json:"disable_on_demand"`
}

// cartBody is other terms of a credit that comes along. What is absent or null stays.
type cartBody struct {
	CreditEntitlement string                  `json:"credit_entitlement_id"`
	CreditsAmount     optional[money.Decimal] `json:"credits_amount"`
	ExpiresAfterDays  optional[int]           `json:"expires_after_days"`
	LowBalancePercent optional[int]           `json:"low_balance_threshold_percent"`
	MaxRolloverCount  optional[int]           `json:"max_rollover_count"`
	OverageEnabled    optional[bool]          `json:"overage_enabled"`
	OverageLimit      optional[money.Decimal] `json:"overage_limit"`
	RolloverEnabled   optional[bool]          `json:"rollover_enabled"`
	RolloverPercent   optional[int]           `json:"rollover_percentage"`
	RolloverCount     optional[int]           `json:"rollover_timeframe_count"`
	RolloverInterval  optional[string]        `json:"rollover_timeframe_interval"`
}

// given counts the fields of a body that are there.
func given(body any) int {
	n := 0
	v := reflect.ValueOf(body)
	for i := range v.NumField() {
		if v.Field(i).FieldByName("given").Bool() {
			n++
		}
	}
	return n
}

var (
	feedbacks     = strings.Fields("too_expensive missing_features switched_service unused customer_service low_quality too_complex other")
	cancelReasons = strings.Fields("cancelled_by_customer cancelled_by_merchant cancelled_by_merchant_send_dunning cancelled_by_merchant_grace_period_expired dodo_team")
)

func (b *updateSubscriptionBody) check() error {
	switch {
	case b.Pause.has():
		return invalidValue("pause was removed: set status to paused, and to active to resume")
	case b.Status.has() && !slices.Contains([]string{"cancelled", "paused", "active"}, b.Status.value):
		return invalidValue("status must be cancelled, paused or active")
	case b.Status.has() && b.Status.value != "cancelled" && given(*b) > 1:
		return invalidValue("status paused or active must be alone in a request")
	case b.Feedback.has() && !slices.Contains(feedbacks, b.Feedback.value):
		return invalidValue("cancellation_feedback must be one of " + strings.Join(feedbacks, ", "))
	case b.CancelReason.has() && !slices.Contains(cancelReasons, b.CancelReason.value):
		return invalidValue("cancel_reason must be one of " + strings.Join(cancelReasons, ", "))
	case b.PeriodInterval.has() && !b.PeriodCount.has():
		return invalidValue("subscription_period_interval goes with subscription_period_count")
	case b.NextBilling.has() && b.Status.value == "cancelled":
		return invalidValue("next_billing_date makes no sense of a subscription that is cancelled")
	}
	return nil
}

// updateSubscription changes a subscription, all of it at once, and then what is said of its
// customer.
func (c *call) updateSubscription() (any, error) {
	var body updateSubscriptionBody
	if err := c.decode(&body); err != nil {
		return nil, err
	}
	if err := body.check(); err != nil {
		return nil, err
	}
	have, err := c.found()
	if err != nil {
		return nil, err
	}
	switch {
	case body.DisableOnDemand.has() && !have.Subscription.Terms.OnDemand:
		return nil, errNotOnDemand
	case body.DisableOnDemand.has():
		return nil, fault.New("dodo.update", fault.CodeNotImplemented, "a subscription on demand stays one: cancel it, and begin another")
	}
	if body.Status.has() && body.Status.value != "cancelled" {
		f, err := c.Change(c, have.V1.ID, func(n int64) wallet.Command {
			return &wallet.PauseSubscription{N: n, Resume: body.Status.value == "active"}
		})
		if err != nil {
			return nil, err
		}
		return c.whole(&f)
	}
	command, err := body.command(c, have.Subscription)
	if err == nil && command != nil {
		have, err = c.Change(c, have.V1.ID, command)
	}
	if err != nil {
		return nil, err
	}
	customer, err := c.GetCustomer(c, have.Key.Customer)
	if err != nil {
		return nil, err
	}
	about := contact{name: body.CustomerName, business: body.BusinessName, tax: body.TaxID, billing: body.Billing}
	if err := about.save(c, &customer); err != nil {
		return nil, err
	}
	return c.whole(&have)
}

// command is what the body changes of the subscription itself; nil when that is nothing.
func (b *updateSubscriptionBody) command(c *call, have *wallet.Subscription) (func(n int64) wallet.Command, error) {
	about := updateSubscriptionBody{CustomerName: b.CustomerName, BusinessName: b.BusinessName, TaxID: b.TaxID, Billing: b.Billing}
	end := b.end()
	switch given(*b) - given(about) {
	case 0:
		return nil, nil
	case given(updateSubscriptionBody{Status: b.Status, CancelAtNext: b.CancelAtNext, Comment: b.Comment}):
		if end != nil { // and nothing else
			return func(n int64) wallet.Command { end.N = n; return end }, nil
		}
	}
	edit, err := b.edit(c, have)
	if err != nil {
		return nil, err
	}
	edit.End = end
	return func(n int64) wallet.Command { edit.N = n; return edit }, nil
}

// end is how the body ends the subscription; nil when it does not.
func (b *updateSubscriptionBody) end() *wallet.EndSubscription {
	if b.Status.value != "cancelled" && !b.CancelAtNext.value {
		return nil
	}
	return &wallet.EndSubscription{AtCycleEnd: b.Status.value != "cancelled", Note: wallet.Note{Reason: b.Comment.value}}
}

func (b *updateSubscriptionBody) edit(c *call, have *wallet.Subscription) (*wallet.EditSubscription, error) {
	edit := &wallet.EditSubscription{NextCycle: b.NextBilling.value, KeepOn: b.CancelAtNext.has() && !b.CancelAtNext.value}
	if b.PeriodCount.has() {
		edit.Runs = cmp.Or(have.Terms.Runs, endless)
		edit.Runs.Count = b.PeriodCount.value
		if b.PeriodInterval.has() {
			unit, err := intervalIn(b.PeriodInterval.value, "subscription_period_interval")
			if err != nil {
				return nil, err
			}
			edit.Runs.Unit = catalog.IntervalUnit(unit)
		}
	}
	defs, err := c.Catalog(c)
	if err != nil {
		return nil, err
	}
	for i := range b.Credits.value {
		credit, err := b.Credits.value[i].credit(defs, have)
		if err != nil {
			return nil, err
		}
		edit.Credits = append(edit.Credits, credit)
	}
	edit.Data = b.metadata(have)
	return edit, nil
}

// metadata is the subscription's, with why it is cancelled; nil when it stays.
func (b *updateSubscriptionBody) metadata(have *wallet.Subscription) wallet.Metadata {
	if !b.Metadata.given && !b.Feedback.has() && !b.CancelReason.has() {
		return nil
	}
	data := wallet.Metadata{}
	maps.Copy(data, have.Metadata)
	if b.Metadata.given {
		data = wallet.Metadata{}
		maps.Copy(data, b.Metadata.value)
	}
	if b.Feedback.has() {
		data[feedback] = b.Feedback.value
	}
	if b.CancelReason.has() {
		data[cancelReason] = b.CancelReason.value
	}
	return data
}

func (b *cartBody) credit(defs *catalog.Definitions, have *wallet.Subscription) (catalog.ProductCredit, error) {
	out := catalog.ProductCredit{
		Credit: b.CreditEntitlement, ExpiresAfterDays: b.ExpiresAfterDays.pointer(), LowBalancePercent: b.LowBalancePercent.pointer(),
		OverageEnabled: b.OverageEnabled.pointer(), RolloverEnabled: b.RolloverEnabled.pointer(),
		RolloverPercent: b.RolloverPercent.pointer(), RolloverMaxCount: b.MaxRolloverCount.pointer(),
	}
	def, ok := defs.Credits[b.CreditEntitlement]
	if i := slices.IndexFunc(have.Terms.Credits, func(c wallet.IncludedCredit) bool { return c.Credit == b.CreditEntitlement }); !ok || i < 0 {
		return out, notFound("the subscription has no such credit entitlement")
	}
	if b.RolloverCount.has() != b.RolloverInterval.has() {
		return out, invalidValue("rollover_timeframe_count and rollover_timeframe_interval go together")
	}
	if b.RolloverCount.has() {
		unit, err := intervalIn(b.RolloverInterval.value, "rollover_timeframe_interval")
		if err != nil {
			return out, err
		}
		out.RolloverValidity = &catalog.Interval{Count: b.RolloverCount.value, Unit: catalog.IntervalUnit(unit)}
	}
	if b.CreditsAmount.has() {
		units, err := b.CreditsAmount.value.Units(def.Precision)
		if err != nil {
			return out, err
		}
		if units <= 0 || units > wallet.MaxUnits {
			return out, fault.New("dodo.cart", fault.CodeInvalidAmount, "credits_amount must be positive")
		}
		out.Amount = units
	}
	var err error
	out.OverageLimit, err = unitsOf(b.OverageLimit, def.Precision)
	return out, err
}

// changePlanBody is what a change of plan takes. What it says of payments is for when there are any.
type changePlanBody struct {
	ProductID       optional[string] `json:"product_id"`
	Quantity        optional[int64]  `json:"quantity"`
	Proration       optional[string] `json:"proration_billing_mode"`
	EffectiveAt     optional[string] `json:"effective_at"`
	CancelScheduled bool             `json:"cancel_scheduled_change_plan"`
}

// chargings are the vendor's ways of charging a change of plan.
var chargings = map[string]wallet.Charging{
	"full_immediately": wallet.ChargeFull, "prorated_immediately": wallet.ChargeProrated,
	"difference_immediately": wallet.ChargeDifference, "do_not_bill": wallet.ChargeNothing,
}

const atNextBilling = "next_billing_date"

func (b *changePlanBody) check() error {
	_, known := chargings[b.Proration.value]
	switch {
	case !b.ProductID.has() || !b.Quantity.has() || !b.Proration.has():
		return invalidBody("product_id, quantity and proration_billing_mode are required")
	case !known:
		return invalidValue("proration_billing_mode must be prorated_immediately, full_immediately, difference_immediately or do_not_bill")
	case b.EffectiveAt.has() && b.EffectiveAt.value != "immediately" && b.EffectiveAt.value != atNextBilling:
		return invalidValue("effective_at must be immediately or next_billing_date")
	case b.EffectiveAt.value == atNextBilling && b.Proration.value != "full_immediately":
		return &refusal{http.StatusUnprocessableEntity, "INVALID_PRORATION_MODE_WITH_NEXT_BILLING_DATE", "with effective_at next_billing_date proration_billing_mode must be full_immediately"}
	}
	return nil
}

// allows refuses a change of plan that the vendor does not allow as the subscription stands
// (section 2).
func (b *changePlanBody) allows(have *billing.Found) error {
	switch s := have.Subscription; {
	case have.V1.Status == wording.Ended || have.V1.Status == wording.Paused:
		return &refusal{http.StatusUnprocessableEntity, "INACTIVE_SUBSCRIPTION_PLAN_CHANGE_NOT_SUPPORTED", "the subscription is " + have.V1.Status}
	case cancels(s):
		return &refusal{http.StatusUnprocessableEntity, "PLAN_CHANGE_NOT_ALLOWED_FOR_SCHEDULED_CANCELLATION", "the subscription is going to be cancelled: drop that first"}
	case s.Next != nil && !b.CancelScheduled:
		return &refusal{http.StatusConflict, "SCHEDULED_PLAN_CHANGE_EXISTS", "a change of plan waits for the next billing date: cancel it, or set cancel_scheduled_change_plan"}
	}
	return nil
}

// changing is Change of the service, or PreviewChange.
type changing func(ctx context.Context, subscriptionID string, command func(n int64) wallet.Command, opts ...v1.Option) (billing.Found, error)

// planChange changes the plan with change, or previews that. It returns how the subscription was as
// well.
func (c *call) planChange(change changing) (body changePlanBody, was, is billing.Found, err error) {
	var none absent
	if err := cmp.Or(c.decode(&body), c.decode(&none), body.check(), none.check()); err != nil {
		return body, was, is, err
	}
	if was, err = c.found(); err != nil {
		return body, was, is, err
	}
	p, err := c.plan(body.ProductID.value, body.Quantity)
	if err == nil {
		err = body.allows(&was)
	}
	if err != nil {
		return body, was, is, err
	}
	r := v1.Subscribe{
		CustomerID: was.Key.Customer, PlanID: p.ID, Quantity: body.Quantity.value, Retake: true, Charge: string(chargings[body.Proration.value]),
	}
	if body.EffectiveAt.value == atNextBilling {
		r.When = "cycle_end"
	}
	command, err := c.SubscribeCommand(r)
	if err != nil {
		return body, was, is, err
	}
	is, err = change(c, was.V1.ID, func(n int64) wallet.Command { command.N = n; return command })
	return body, was, is, err
}

// changedPlan is what a change of plan answers: the payment by which the card that is kept is charged.
type changedPlan struct {
	PaymentID    *string `json:"payment_id"`
	PaymentLink  *string `json:"payment_link"`
	ClientSecret *string `json:"client_secret"`
	ExpiresOn    *string `json:"expires_on"`
}

func (c *call) changePlan() (any, error) {
	_, _, is, err := c.planChange(c.Change)
	if err != nil {
		return nil, err
	}
	var out changedPlan
	for i := range is.V1.Invoices {
		if out.PaymentID, err = c.chargeFor(is.Key.ID(), is.V1.Invoices[i].ID); err != nil || out.PaymentID != nil {
			return out, err
		}
	}
	return out, nil
}

// chargeFor is the payment by which an invoice is charged to the card that is kept; nil when it is not.
func (c *call) chargeFor(w id.Wallet, invoiceID string) (*string, error) {
	found, err := c.OrdersWhere(c, payments.Selection{Wallet: w, Kind: wallet.InvoiceOrder, Limit: 1}, func(f *payments.Found) bool {
		return id.Object(id.PrefixInvoice, w, f.Order.Invoice) == invoiceID
	})
	if err != nil || len(found) == 0 {
		return nil, err
	}
	payment := paymentID(&found[0])
	return &payment, nil
}

func (c *call) cancelChangePlan() (any, error) {
	have, err := c.found()
	if err != nil {
		return nil, err
	}
	if have.Subscription.Next == nil || have.V1.Status == wording.Ended {
		return nil, &refusal{http.StatusNotFound, "SCHEDULED_PLAN_CHANGE_NOT_FOUND", "no change of plan waits for the next billing date"}
	}
	_, err = c.Change(c, have.V1.ID, func(n int64) wallet.Command { return &wallet.EditSubscription{N: n, KeepPlan: true} })
	return nil, err
}
