package sandbox

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"

	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/store"
	"github.com/seed42445051/scrip/wallet"
)

// outcome is what comes of a payment with a card.
type outcome string

const (
	pays     outcome = "pays"
	declines outcome = "declines"
	asks     outcome = "asks" // on a page: the bank wants to see the customer
	waits    outcome = "waits"
)

// card is a test card: what it is called, and what it does. The names and numbers are Stripe's.
type card struct {
	name    string // by which a charge can name it without its being kept
	number  string // empty: it is not typed
	brand   string
	last4   string
	meaning string // for people
	page    outcome
	charge  outcome        // without the customer
	decline wallet.Decline // where either declines
}

var (
	genericDecline = wallet.Decline{Code: "card_declined", Text: "The card was declined.", Class: wallet.DeclineSoft}
	fundsDecline   = wallet.Decline{Code: "insufficient_funds", Text: "The card has insufficient funds.", Class: wallet.DeclineSoft}
	lostDecline    = wallet.Decline{Code: "lost_card", Text: "The card was reported lost.", Class: wallet.DeclineHard}
	expiredDecline = wallet.Decline{Code: "expired_card", Text: "The card has expired.", Class: wallet.DeclineHard}
	actionDecline  = wallet.Decline{Code: "authentication_required", Text: "The bank wants the customer to confirm the payment.", Class: wallet.DeclineAction}
	absentDecline  = wallet.Decline{Code: "authentication_failed", Text: "The payment was not confirmed to the bank.", Class: wallet.DeclineSoft}
	bankDecline    = wallet.Decline{Code: "bank_refused", Text: "The bank did not send the money.", Class: wallet.DeclineSoft}
	goneDecline    = wallet.Decline{Code: "resource_missing", Text: "The card is not kept any more.", Class: wallet.DeclineHard}
)

// cards are all test cards, as the page lists them. What is paid later is paid from the bank account.
var cards = []card{
	{"pm_card_visa", "4242424242424242", "visa", "4242", "Pays", pays, pays, wallet.Decline{}},
	{"pm_card_mastercard", "5555555555554444", "mastercard", "4444", "Pays", pays, pays, wallet.Decline{}},
	{"pm_card_authenticationRequiredOnSetup", "4000002500003155", "visa", "3155", "Asks once, later charges work", asks, pays, wallet.Decline{}},
	{"pm_card_authenticationRequired", "4000002760003184", "visa", "3184", "Asks every time", asks, declines, actionDecline},
	{"pm_card_chargeCustomerFail", "4000000000000341", "visa", "0341", "Pays, later charges fail", pays, declines, genericDecline},
	{"pm_card_chargeDeclined", "4000000000000002", "visa", "0002", "Declined", declines, declines, genericDecline},
	{"pm_card_chargeDeclinedInsufficientFunds", "4000000000009995", "visa", "9995", "Declined: insufficient funds", declines, declines, fundsDecline},
	{"pm_card_chargeDeclinedLostCard", "4000000000009987", "visa", "9987", "Declined: lost card", declines, declines, lostDecline},
	{"pm_card_chargeDeclinedExpiredCard", "4000000000000069", "visa", "0069", "Declined: expired card", declines, declines, expiredDecline},
	{bankAccount, "", "bank account", "6789", "Pays later", waits, waits, bankDecline},
}

// bankAccount is from what is paid later.
const bankAccount = "pm_usBankAccount"

// missing stands for a card that is not kept.
var missing = &card{name: "missing", page: declines, charge: declines, decline: goneDecline}

// label is the card for people, as "visa •••• 4242".
func (c *card) label() string { return c.brand + " •••• " + c.last4 }

// spaced is the number as it is printed on the card.
func (c *card) spaced() string {
	var groups []string
	for four := range slices.Chunk([]byte(c.number), 4) {
		groups = append(groups, string(four))
	}
	return strings.Join(groups, " ")
}

// method is the id under which the card is kept of a customer: another for each of both, and the same
// when it is kept again.
func (c *card) method(customer string) string {
	sum := sha256.Sum256([]byte(customer + " " + c.name))
	return "pm_sbx_" + base64.RawURLEncoding.EncodeToString(sum[:16])
}

// named is the test card of a name, nil when there is none.
func named(name string) *card {
	return find(func(c *card) bool { return c.name == name })
}

// numbered is the test card of a number as it is typed, nil when there is none.
func numbered(typed string) *card {
	number := strings.NewReplacer(" ", "", "-", "").Replace(typed)
	return find(func(c *card) bool { return c.number != "" && c.number == number })
}

func find(is func(*card) bool) *card {
	for i := range cards {
		if is(&cards[i]) {
			return &cards[i]
		}
	}
	return nil
}

// customer is what is known of a customer.
type customer struct {
	ID    string `json:"id"`
	Cards []kept `json:"cards"` // in the order in which they were first kept
}

// kept is a card that is kept.
type kept struct {
	Method string        `json:"method"`
	Card   string        `json:"card"` // its name
	At     clock.Instant `json:"at"`
}

// customerID is what a customer is called here: it follows from whose they are, and is in the store
// once they have a card.
func customerID(key wallet.Key) string { return "cus_sbx_" + key.ID().String() }

// customer reads what is known of a customer.
func (p *Provider) customer(ctx context.Context, op string, key wallet.Key) (*customer, error) {
	c := &customer{ID: customerID(key)}
	o, err := p.Objects.ProviderObject(ctx, c.ID)
	if err != nil || o == nil {
		return c, unreachable(op, err)
	}
	return c, unreachable(op, decode(o.Body, c))
}

// changeCustomer changes what is known of a customer.
func (p *Provider) changeCustomer(ctx context.Context, op string, key wallet.Key, f func(*customer) error) error {
	name := customerID(key)
	blank := store.ProviderObject{ID: name, App: key.App, Mode: key.Mode, Kind: customerKind, Ref: name, CreatedAt: p.Clock.Now()}
	return p.swap(ctx, op, blank, func(o *store.ProviderObject) error {
		c := &customer{ID: name}
		if err := decode(o.Body, c); err != nil {
			return err
		}
		if err := f(c); err != nil {
			return err
		}
		var err error
		o.Body, err = json.Marshal(c)
		return err
	})
}

// keep keeps a card of a customer. When there are too many the oldest goes.
func (p *Provider) keep(ctx context.Context, op string, key wallet.Key, c *card) error {
	return p.changeCustomer(ctx, op, key, func(have *customer) error {
		method := c.method(have.ID)
		if slices.ContainsFunc(have.Cards, func(k kept) bool { return k.Method == method }) {
			return nil
		}
		have.Cards = append(have.Cards, kept{Method: method, Card: c.name, At: p.Clock.Now()})
		have.Cards = have.Cards[max(0, len(have.Cards)-maxCards):]
		return nil
	})
}

// forget takes a card from a customer. The error's code is not_found when it is not kept.
func (p *Provider) forget(ctx context.Context, op string, key wallet.Key, method string) error {
	return p.changeCustomer(ctx, op, key, func(have *customer) error {
		i := slices.IndexFunc(have.Cards, func(k kept) bool { return k.Method == method })
		if i < 0 {
			return fault.New(op, fault.CodeNotFound, "This card is not kept.")
		}
		have.Cards = slices.Delete(have.Cards, i, i+1)
		return nil
	})
}

// cardOf is the card that a method stands for: one that is kept of the customer, or a test card by its
// name. One that is neither declines.
func (p *Provider) cardOf(ctx context.Context, op string, key wallet.Key, method string) (*card, error) {
	if c := named(method); c != nil {
		return c, nil
	}
	have, err := p.customer(ctx, op, key)
	if err != nil {
		return nil, err
	}
	for _, k := range have.Cards {
		if c := named(k.Card); k.Method == method && c != nil {
			return c, nil
		}
	}
	return missing, nil
}
