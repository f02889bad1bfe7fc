package stripe

import (
	"slices"

	"github.com/seed42445051/scrip/wallet"
)

// needsCustomer are codes of payments that the customer has to confirm in person.
var needsCustomer = []string{"authentication_required", "authentication_not_handled", "payment_intent_authentication_failure"}

// hopeless are codes of payments that the same card will not make later either (reference section 4.3,
// and what Stripe's own retries give up on: docs.stripe.com/declines/codes).
var hopeless = []string{
	"lost_card", "stolen_card", "pickup_card", "restricted_card", "fraudulent", "highest_risk_level", "merchant_blacklist",
	"revocation_of_authorization", "revocation_of_all_authorizations", "stop_payment_order", "do_not_try_again",
	"expired_card", "incorrect_number", "incorrect_cvc", "incorrect_zip", "incorrect_address", "incorrect_pin",
	"invalid_account", "invalid_number", "invalid_cvc", "invalid_expiry_month", "invalid_expiry_year",
	"card_not_supported", "currency_not_supported", "transaction_not_allowed", codeMissing,
}

// Reasons of our own.
const (
	reasonCanceled    = "canceled"             // somebody canceled the payment at Stripe
	reasonAsync       = "async_payment_failed" // the bank did not pay in the end
	reasonNoMethod    = "no_payment_method"
	reasonUnknown     = "declined"
	adviceGiveUp      = "do_not_try_again"
	reasonNeedsPerson = "authentication_required"
)

// declined is what Stripe says of a payment that was not made.
func (p *problem) declined(attempt int) *wallet.Decline {
	d := &wallet.Decline{Code: reasonUnknown, Text: p.Message, Class: p.class(), Attempt: attempt}
	for _, code := range []string{p.DeclineCode, p.Code, p.Type} {
		if code != "" {
			d.Code = code
			break
		}
	}
	if d.Text == "" {
		d.Text = "The payment was declined."
	}
	return d
}

// class says what can be done about a decline. The issuer's code is the more exact one, and its advice
// counts as well.
func (p *problem) class() wallet.DeclineClass {
	codes := []string{p.DeclineCode, p.Code}
	is := func(table []string) bool {
		return slices.ContainsFunc(codes, func(c string) bool { return slices.Contains(table, c) })
	}
	switch {
	case is(needsCustomer):
		return wallet.DeclineAction
	case is(hopeless) || p.AdviceCode == adviceGiveUp:
		return wallet.DeclineHard
	}
	return wallet.DeclineSoft
}

// hard is a decline for a reason that is not the issuer's.
func hard(code, text string, attempt int) *wallet.Decline {
	return &wallet.Decline{Code: code, Text: text, Class: wallet.DeclineHard, Attempt: attempt}
}
