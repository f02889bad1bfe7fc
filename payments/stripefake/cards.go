package stripefake

import (
	"net/http"
	"slices"
	"strings"
)

// DefaultCard is the test card that pays when none is named.
const DefaultCard = "pm_card_visa"

// AuthenticationRequired is the code of a charge that the customer must confirm
// in person. Off session it is declined with it; else it waits.
const AuthenticationRequired = "authentication_required"

// outcome is what becomes of a charge. The zero value is that it succeeds.
type outcome struct {
	code    string // of the error; empty: none
	decline string // the issuer's reason
	late    bool   // it takes days, and is decided by a control
}

// declined returns the outcome with a reason as a test may name it: a decline
// code, or one of the codes that stand for themselves.
func declined(reason string) outcome {
	if slices.Contains([]string{"expired_card", "incorrect_cvc", "processing_error", AuthenticationRequired}, reason) {
		return outcome{code: reason, decline: reason}
	}
	return outcome{code: "card_declined", decline: reason}
}

// testCard is a payment method that Stripe has under a name in test mode.
type testCard struct {
	last4    string
	outcome  outcome
	attaches bool // it can be saved, whatever becomes of its charges
}

// testCards are the names that are known. Those that decline can also be
// written with visa in them, such as pm_card_visa_chargeDeclined.
var testCards = map[string]testCard{
	"pm_card_visa":                            {"4242", outcome{}, true},
	"pm_card_mastercard":                      {"4444", outcome{}, true},
	"pm_card_authenticationRequired":          {"3184", declined(AuthenticationRequired), true},
	"pm_card_chargeCustomerFail":              {"0341", declined("generic_decline"), true},
	"pm_card_chargeDeclined":                  {"0002", declined("generic_decline"), false},
	"pm_card_chargeDeclinedInsufficientFunds": {"9995", declined("insufficient_funds"), false},
	"pm_card_chargeDeclinedLostCard":          {"9987", declined("lost_card"), false},
	"pm_card_chargeDeclinedStolenCard":        {"9979", declined("stolen_card"), false},
	"pm_card_chargeDeclinedExpiredCard":       {"0069", declined("expired_card"), false},
	"pm_card_chargeDeclinedIncorrectCvc":      {"0127", declined("incorrect_cvc"), false},
	"pm_card_chargeDeclinedProcessingError":   {"0119", declined("processing_error"), false},
	"pm_usBankAccount_success":                {"6789", outcome{late: true}, true},
}

// cardYear is when the test cards expire.
const cardYear = 2040

// method returns a stored payment method, or a new one where the id is the name
// of a test card.
func (f *Fake) method(id, param string) (*paymentMethod, error) {
	name := strings.Replace(id, "pm_card_visa_", "pm_card_", 1)
	known, ok := testCards[name]
	if !ok {
		return find[*paymentMethod](f, "PaymentMethod", id, param)
	}
	pm := &paymentMethod{Type: "card", outcome: known.outcome, attaches: known.attaches}
	if known.outcome.late {
		pm.Type = "us_bank_account"
	} else {
		brand := "visa"
		if name == "pm_card_mastercard" {
			brand = "mastercard"
		}
		pm.Card = &card{Brand: brand, Last4: known.last4, ExpMonth: 12, ExpYear: cardYear, Funding: "credit"}
	}
	f.add(pm, "payment_method", "pm")
	return pm, nil
}

// attach saves a payment method for a customer.
func (f *Fake) attach(pm *paymentMethod, customer ref) {
	if pm.Customer == customer || customer == "" {
		return
	}
	pm.Customer = customer
	f.happened("payment_method.attached", pm)
}

// outcomeOf returns what becomes of a charge: what a control asked for comes
// before what the card does by itself.
func (f *Fake) outcomeOf(pm *paymentMethod) outcome {
	if len(f.next) == 0 {
		return pm.outcome
	}
	o := f.next[0]
	f.next = f.next[1:]
	return o
}

// cardError is the 402 of an outcome.
func cardError(o outcome, pm *paymentMethod) *apiError {
	messages := map[string]string{
		"card_declined":        "Your card was declined.",
		"expired_card":         "Your card has expired.",
		"incorrect_cvc":        "Your card's security code is incorrect.",
		"processing_error":     "An error occurred while processing your card. Try again in a little bit.",
		AuthenticationRequired: "Your card was declined. This transaction requires authentication.",
	}
	e := failure(http.StatusPaymentRequired, typeCard, o.code, messages[o.code])
	e.body.DeclineCode, e.body.PaymentMethod = o.decline, pm
	return e
}

func attachMethod(f *Fake, c *call) (any, error) {
	owner, err := find[*customer](f, "customer", c.text("customer"), "customer")
	if err != nil {
		return nil, err
	}
	pm, err := f.method(c.id, "")
	if err != nil {
		return nil, err
	}
	if pm.Customer != "" && pm.Customer != ref(owner.ID) {
		return nil, refused("payment_method_unexpected_state", "", "The payment method is attached to another customer already.")
	}
	if !pm.attaches {
		return nil, cardError(pm.outcome, pm)
	}
	f.attach(pm, ref(owner.ID))
	return pm, nil
}

func detachMethod(f *Fake, c *call) (any, error) {
	pm, err := find[*paymentMethod](f, "PaymentMethod", c.id, "")
	if err != nil {
		return nil, err
	}
	if pm.Customer == "" {
		return nil, refused("payment_method_unexpected_state", "", "The payment method is not attached to a customer.")
	}
	before := snapshot(pm)
	pm.Customer = ""
	f.changed("payment_method.detached", pm, before)
	return pm, nil
}

func createCustomer(f *Fake, c *call) (any, error) {
	who := &customer{}
	if err := f.fill(who, c); err != nil {
		return nil, err
	}
	f.add(who, "customer", "cus")
	f.happened("customer.created", who)
	return who, nil
}

func updateCustomer(f *Fake, c *call) (any, error) {
	who, err := find[*customer](f, "customer", c.id, "")
	if err != nil {
		return nil, err
	}
	before := snapshot(who)
	if err := f.fill(who, c); err != nil {
		return nil, err
	}
	f.changed("customer.updated", who, before)
	return who, nil
}

// fill sets what a request says of a customer.
func (f *Fake) fill(who *customer, c *call) error {
	if id := c.text("invoice_settings", "default_payment_method"); id != "" {
		pm, err := find[*paymentMethod](f, "PaymentMethod", id, "invoice_settings[default_payment_method]")
		if err != nil {
			return err
		}
		if who.ID == "" || pm.Customer != ref(who.ID) {
			return refused("resource_missing", "invoice_settings[default_payment_method]",
				"The customer does not have a payment method with the ID %s.", id)
		}
		who.InvoiceSettings.DefaultPaymentMethod = ref(id)
	}
	for name, field := range map[string]*ref{"email": &who.Email, "name": &who.Name, "description": &who.Description, "phone": &who.Phone} {
		if c.has(name) {
			*field = ref(c.text(name))
		}
	}
	who.merge(c.pairs("metadata"))
	return nil
}

// merge sets pairs of metadata; an empty value removes its name.
func (h *head) merge(pairs map[string]string) {
	all := map[string]string{}
	for name, value := range h.Metadata {
		all[name] = value
	}
	for name, value := range pairs {
		all[name] = value
		if value == "" {
			delete(all, name)
		}
	}
	h.Metadata = all
}
