package stripefake

import (
	"encoding/json"

	"github.com/seed42445051/scrip/clock"
)

// ref is an id, or another text, that is null while it is empty: an empty id
// would read as an object without one.
type ref string

// MarshalJSON returns the text, or null.
func (r ref) MarshalJSON() ([]byte, error) {
	if r == "" {
		return []byte("null"), nil
	}
	return json.Marshal(string(r))
}

// stamp is a time in Unix seconds, null when it is 0.
type stamp int64

// MarshalJSON returns the number, or null.
func (s stamp) MarshalJSON() ([]byte, error) {
	if s == 0 {
		return []byte("null"), nil
	}
	return json.Marshal(int64(s))
}

// entity is anything that can be looked up by its id.
type entity interface{ base() *head }

// head is what all objects have.
type head struct {
	ID       string            `json:"id"`
	Object   string            `json:"object"`
	Created  int64             `json:"created"`
	Livemode bool              `json:"livemode"`
	Metadata map[string]string `json:"metadata,omitzero"`
}

func (h *head) base() *head { return h }

// add stores an object under a new id, unless it has one.
func (f *Fake) add(e entity, object, prefix string) {
	h := e.base()
	if h.ID == "" {
		h.ID = f.newID(prefix)
	}
	h.Object, h.Created, h.Livemode = object, f.unix(), f.live
	if h.Metadata == nil {
		h.Metadata = map[string]string{}
	}
	f.byID[h.ID] = e
	f.kinds[object] = append(f.kinds[object], e)
}

// find looks an object up. The error names the parameter that had the id, or
// is 404 where that was the path.
func find[T entity](f *Fake, noun, id, param string) (T, error) {
	if e, ok := f.byID[id].(T); ok {
		return e, nil
	}
	e := refused("resource_missing", param, "No such %s: '%s'", noun, id)
	if param == "" {
		e.status, e.body.Param = 404, "id"
	}
	var none T
	return none, e
}

// listOf is a list inside of an object.
type listOf[T any] struct {
	Object  string `json:"object"`
	Data    []T    `json:"data"`
	HasMore bool   `json:"has_more"`
	URL     string `json:"url"`
}

func newList[T any](url string, data ...T) *listOf[T] {
	if data == nil {
		data = []T{}
	}
	return &listOf[T]{Object: "list", Data: data, URL: url}
}

type customer struct {
	head
	Email           ref             `json:"email"`
	Name            ref             `json:"name"`
	Description     ref             `json:"description"`
	Phone           ref             `json:"phone"`
	InvoiceSettings invoiceSettings `json:"invoice_settings"`
}

type invoiceSettings struct {
	DefaultPaymentMethod ref `json:"default_payment_method"`
}

type paymentMethod struct {
	head
	Type     string `json:"type"`
	Customer ref    `json:"customer"`
	Card     *card  `json:"card,omitempty"`

	outcome  outcome // of every charge
	attaches bool    // it can be saved
}

type card struct {
	Brand    string `json:"brand"`
	Last4    string `json:"last4"`
	ExpMonth int    `json:"exp_month"`
	ExpYear  int    `json:"exp_year"`
	Funding  string `json:"funding"`
}

type product struct {
	head
	Name        string `json:"name"`
	Description ref    `json:"description"`
	Active      bool   `json:"active"`
}

type price struct {
	head
	Active     bool       `json:"active"`
	Currency   string     `json:"currency"`
	UnitAmount int64      `json:"unit_amount"`
	Product    string     `json:"product"`
	Type       string     `json:"type"`
	Recurring  *recurring `json:"recurring"`
}

type recurring struct {
	Interval      string `json:"interval"`
	IntervalCount int64  `json:"interval_count"`
	UsageType     string `json:"usage_type"`
}

type lineItem struct {
	ID             string `json:"id"`
	Object         string `json:"object"`
	AmountSubtotal int64  `json:"amount_subtotal"`
	AmountTotal    int64  `json:"amount_total"`
	Currency       string `json:"currency"`
	Description    string `json:"description"`
	Price          *price `json:"price"`
	Quantity       int64  `json:"quantity"`
}

type session struct {
	head
	Mode               string           `json:"mode"`
	Status             string           `json:"status"`
	PaymentStatus      string           `json:"payment_status"`
	UIMode             string           `json:"ui_mode"`
	URL                ref              `json:"url"`
	AmountSubtotal     *int64           `json:"amount_subtotal"`
	AmountTotal        *int64           `json:"amount_total"`
	Currency           ref              `json:"currency"`
	Customer           ref              `json:"customer"`
	CustomerCreation   ref              `json:"customer_creation"`
	CustomerEmail      ref              `json:"customer_email"`
	CustomerDetails    *customerDetails `json:"customer_details"`
	ClientReferenceID  ref              `json:"client_reference_id"`
	ExpiresAt          int64            `json:"expires_at"`
	PaymentIntent      ref              `json:"payment_intent"`
	SetupIntent        ref              `json:"setup_intent"`
	Subscription       ref              `json:"subscription"`
	Invoice            ref              `json:"invoice"`
	SuccessURL         ref              `json:"success_url"`
	CancelURL          ref              `json:"cancel_url"`
	ReturnURL          ref              `json:"return_url"`
	Locale             ref              `json:"locale"`
	PaymentMethodTypes []string         `json:"payment_method_types"`

	lines     []*lineItem
	intent    *form // payment_intent_data
	terms     *form // subscription_data
	trialDays int64
}

type customerDetails struct {
	Email ref `json:"email"`
	Name  ref `json:"name"`
}

type paymentIntent struct {
	head
	Amount             int64      `json:"amount"`
	AmountReceived     int64      `json:"amount_received"`
	Currency           string     `json:"currency"`
	Status             string     `json:"status"`
	Customer           ref        `json:"customer"`
	PaymentMethod      ref        `json:"payment_method"`
	PaymentMethodTypes []string   `json:"payment_method_types"`
	LatestCharge       ref        `json:"latest_charge"`
	LastPaymentError   *errorBody `json:"last_payment_error"`
	Description        ref        `json:"description"`
	SetupFutureUsage   ref        `json:"setup_future_usage"`
	CaptureMethod      string     `json:"capture_method"`
	ClientSecret       string     `json:"client_secret"`
	NextAction         *action    `json:"next_action"`
	CanceledAt         stamp      `json:"canceled_at"`
	CancellationReason ref        `json:"cancellation_reason"`
}

type action struct {
	Type string `json:"type"`
}

type setupIntent struct {
	head
	Status             string     `json:"status"`
	Customer           ref        `json:"customer"`
	PaymentMethod      ref        `json:"payment_method"`
	PaymentMethodTypes []string   `json:"payment_method_types"`
	Usage              string     `json:"usage"`
	Description        ref        `json:"description"`
	LastSetupError     *errorBody `json:"last_setup_error"`
	ClientSecret       string     `json:"client_secret"`
}

type charge struct {
	head
	Amount               int64         `json:"amount"`
	AmountCaptured       int64         `json:"amount_captured"`
	AmountRefunded       int64         `json:"amount_refunded"`
	Captured             bool          `json:"captured"`
	Currency             string        `json:"currency"`
	Customer             ref           `json:"customer"`
	Description          ref           `json:"description"`
	Disputed             bool          `json:"disputed"`
	FailureCode          ref           `json:"failure_code"`
	FailureMessage       ref           `json:"failure_message"`
	Paid                 bool          `json:"paid"`
	PaymentIntent        ref           `json:"payment_intent"`
	PaymentMethod        ref           `json:"payment_method"`
	PaymentMethodDetails methodDetails `json:"payment_method_details"`
	Refunded             bool          `json:"refunded"`
	Status               string        `json:"status"`

	lost bool // to a dispute
}

type methodDetails struct {
	Type string `json:"type"`
	Card *card  `json:"card,omitempty"`
}

type refund struct {
	head
	Amount        int64  `json:"amount"`
	Charge        string `json:"charge"`
	Currency      string `json:"currency"`
	PaymentIntent ref    `json:"payment_intent"`
	Reason        ref    `json:"reason"`
	Status        string `json:"status"`
	FailureReason string `json:"failure_reason,omitempty"`
}

type dispute struct {
	head
	Amount             int64  `json:"amount"`
	Charge             string `json:"charge"`
	Currency           string `json:"currency"`
	PaymentIntent      ref    `json:"payment_intent"`
	Reason             string `json:"reason"`
	Status             string `json:"status"`
	IsChargeRefundable bool   `json:"is_charge_refundable"`
}

type subscription struct {
	head
	Status               string                     `json:"status"`
	Customer             string                     `json:"customer"`
	Currency             string                     `json:"currency"`
	Items                *listOf[*subscriptionItem] `json:"items"`
	LatestInvoice        ref                        `json:"latest_invoice"`
	DefaultPaymentMethod ref                        `json:"default_payment_method"`
	CollectionMethod     string                     `json:"collection_method"`
	BillingCycleAnchor   int64                      `json:"billing_cycle_anchor"`
	StartDate            int64                      `json:"start_date"`
	CancelAtPeriodEnd    bool                       `json:"cancel_at_period_end"`
	CancelAt             stamp                      `json:"cancel_at"`
	CanceledAt           stamp                      `json:"canceled_at"`
	EndedAt              stamp                      `json:"ended_at"`
	TrialStart           stamp                      `json:"trial_start"`
	TrialEnd             stamp                      `json:"trial_end"`

	anchor  clock.Instant // to which every period is counted
	periods int64         // that have begun since, the trial apart
}

type subscriptionItem struct {
	head
	Price              *price `json:"price"`
	Quantity           int64  `json:"quantity"`
	Subscription       string `json:"subscription"`
	CurrentPeriodStart int64  `json:"current_period_start"`
	CurrentPeriodEnd   int64  `json:"current_period_end"`
}

type invoice struct {
	head
	Status           string                `json:"status"`
	BillingReason    string                `json:"billing_reason"`
	CollectionMethod string                `json:"collection_method"`
	Currency         string                `json:"currency"`
	Customer         string                `json:"customer"`
	CustomerEmail    ref                   `json:"customer_email"`
	AmountDue        int64                 `json:"amount_due"`
	AmountPaid       int64                 `json:"amount_paid"`
	AmountRemaining  int64                 `json:"amount_remaining"`
	Subtotal         int64                 `json:"subtotal"`
	Total            int64                 `json:"total"`
	AttemptCount     int64                 `json:"attempt_count"`
	Attempted        bool                  `json:"attempted"`
	Lines            *listOf[*invoiceLine] `json:"lines"`
	Parent           invoiceParent         `json:"parent"`
	PeriodStart      int64                 `json:"period_start"`
	PeriodEnd        int64                 `json:"period_end"`
	Transitions      transitions           `json:"status_transitions"`

	payment *invoicePayment
}

type transitions struct {
	FinalizedAt stamp `json:"finalized_at"`
	PaidAt      stamp `json:"paid_at"`
}

type invoiceParent struct {
	Type                string         `json:"type"`
	SubscriptionDetails subscribedFrom `json:"subscription_details"`
}

type subscribedFrom struct {
	Subscription string            `json:"subscription"`
	Metadata     map[string]string `json:"metadata"`
}

type invoiceLine struct {
	ID       string            `json:"id"`
	Object   string            `json:"object"`
	Amount   int64             `json:"amount"`
	Currency string            `json:"currency"`
	Quantity int64             `json:"quantity"`
	Invoice  string            `json:"invoice"`
	Period   period            `json:"period"`
	Metadata map[string]string `json:"metadata"`
	Parent   lineParent        `json:"parent"`
	Pricing  linePricing       `json:"pricing"`
}

type period struct {
	Start int64 `json:"start"`
	End   int64 `json:"end"`
}

type lineParent struct {
	Type                    string     `json:"type"`
	SubscriptionItemDetails lineOrigin `json:"subscription_item_details"`
}

type lineOrigin struct {
	Subscription     string `json:"subscription"`
	SubscriptionItem string `json:"subscription_item"`
}

type linePricing struct {
	Type         string       `json:"type"`
	PriceDetails priceDetails `json:"price_details"`
}

type priceDetails struct {
	Price   string `json:"price"`
	Product string `json:"product"`
}

type invoicePayment struct {
	head
	Invoice         string      `json:"invoice"`
	AmountPaid      *int64      `json:"amount_paid"`
	AmountRequested int64       `json:"amount_requested"`
	Currency        string      `json:"currency"`
	IsDefault       bool        `json:"is_default"`
	Status          string      `json:"status"`
	Payment         paymentOfIt `json:"payment"`
}

type paymentOfIt struct {
	Type          string `json:"type"`
	PaymentIntent string `json:"payment_intent"`
}

type portal struct {
	head
	Customer  string `json:"customer"`
	ReturnURL ref    `json:"return_url"`
	URL       string `json:"url"`
}
