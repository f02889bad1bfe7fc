package stripe

import "encoding/json"

// What is read of Stripe's objects: the fields that have the same names and meanings in all versions
// of the API that are in use, and no more. Amounts are as Stripe counts them.

// named is an object with an id, or a list.
type named interface{ name() string }

// object is the head of every object.
type object struct {
	ID string `json:"id"`
}

func (o object) name() string { return o.ID }

// ref is another object: its id, and the object itself where it was expanded.
type ref[T any] struct {
	ID    string
	Value *T
}

// UnmarshalJSON reads an id, an object, or null.
func (r *ref[T]) UnmarshalJSON(data []byte) error {
	switch data[0] {
	case 'n':
		return nil
	case '"':
		return json.Unmarshal(data, &r.ID)
	}
	var o object
	if err := json.Unmarshal(data, &o); err != nil {
		return err
	}
	r.ID, r.Value = o.ID, new(T)
	return json.Unmarshal(data, r.Value)
}

// list is one page of a list.
type list[T any] struct {
	Object  string `json:"object"`
	Data    []T    `json:"data"`
	HasMore bool   `json:"has_more"`
}

func (l list[T]) name() string { return l.Object }

type session struct {
	object
	Mode          string            `json:"mode"`
	Status        string            `json:"status"`
	PaymentStatus string            `json:"payment_status"`
	URL           string            `json:"url"`
	AmountTotal   int64             `json:"amount_total"`
	Currency      string            `json:"currency"`
	Customer      ref[object]       `json:"customer"`
	PaymentIntent ref[intent]       `json:"payment_intent"`
	SetupIntent   ref[intent]       `json:"setup_intent"`
	Metadata      map[string]string `json:"metadata"`
}

// intent is a PaymentIntent, or a SetupIntent, which has no amounts.
type intent struct {
	object
	Status         string            `json:"status"`
	AmountReceived int64             `json:"amount_received"`
	Currency       string            `json:"currency"`
	Customer       ref[object]       `json:"customer"`
	PaymentMethod  ref[method]       `json:"payment_method"`
	LatestCharge   ref[charge]       `json:"latest_charge"`
	LastError      *problem          `json:"last_payment_error"`
	Metadata       map[string]string `json:"metadata"`
}

type method struct {
	object
	Card *struct {
		Brand string `json:"brand"`
		Last4 string `json:"last4"`
	} `json:"card"`
}

type charge struct {
	object
	AmountRefunded int64             `json:"amount_refunded"`
	Currency       string            `json:"currency"`
	Disputed       bool              `json:"disputed"`
	PaymentIntent  ref[object]       `json:"payment_intent"`
	Metadata       map[string]string `json:"metadata"`
}

type refund struct {
	object
	Amount        int64             `json:"amount"`
	Currency      string            `json:"currency"`
	Status        string            `json:"status"`
	FailureReason string            `json:"failure_reason"`
	PaymentIntent ref[object]       `json:"payment_intent"`
	Metadata      map[string]string `json:"metadata"`
}

type dispute struct {
	object
	Status        string      `json:"status"`
	Reason        string      `json:"reason"`
	PaymentIntent ref[object] `json:"payment_intent"`
}

// problem is why a request was refused, or a payment declined.
type problem struct {
	Type          string      `json:"type"`
	Code          string      `json:"code"`
	DeclineCode   string      `json:"decline_code"`
	AdviceCode    string      `json:"advice_code"`
	Message       string      `json:"message"`
	Param         string      `json:"param"`
	PaymentIntent ref[object] `json:"payment_intent"`
}

type subscription struct {
	object
	Status            string            `json:"status"`
	CancelAt          int64             `json:"cancel_at"` // seconds
	CancelAtPeriodEnd bool              `json:"cancel_at_period_end"`
	LatestInvoice     ref[invoice]      `json:"latest_invoice"`
	Metadata          map[string]string `json:"metadata"`
	Items             list[struct {
		Quantity int64 `json:"quantity"`
		Start    int64 `json:"current_period_start"` // seconds
		End      int64 `json:"current_period_end"`
	}] `json:"items"`
}

type invoice struct {
	object
	Status        string `json:"status"`
	BillingReason string `json:"billing_reason"`
	Created       int64  `json:"created"` // seconds
	Parent        *struct {
		Details *struct {
			Subscription ref[object] `json:"subscription"`
		} `json:"subscription_details"`
	} `json:"parent"`
	// Older is where the subscription was before invoices had parents.
	Older ref[object] `json:"subscription"`
}

// portal is a session of the page on which customers manage their cards.
type portal struct {
	object
	URL string `json:"url"`
}
