// Package mail writes letters to customers and hands them to an SMTP server: receipts, and what
// somebody who holds prepaid credits has to know in time.
//
// It owns the kinds of letters, their templates, the operator's replacements of these, the address of
// the mail server, and what a server's refusal means. It does not decide when a letter is due, to whom
// it goes, or when a failed one is tried again, and keeps nothing: whoever calls it keeps the letters
// that are still to be sent, beside their causes.
package mail

import (
	netmail "net/mail"
	"net/url"
	"slices"
	"strings"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/money"
)

// Kind says what a letter is about. The names of the templates begin with it.
type Kind string

// The kinds of letters.
const (
	TopUpReceipt          Kind = "top_up_receipt"            // credits were bought and paid for
	LowBalance            Kind = "low_balance"               // a balance fell below its threshold
	CreditsExpiring       Kind = "credits_expiring"          // credits will be lost unless they are used
	AutoTopUpSucceeded    Kind = "auto_top_up_succeeded"     // credits were bought as agreed beforehand
	AutoTopUpFailed       Kind = "auto_top_up_failed"        // the payment for them was declined
	AutoTopUpActionNeeded Kind = "auto_top_up_action_needed" // the bank wants the customer to confirm it
	TrialEnding           Kind = "trial_ending"              // a plan will cost something from then on
	PaymentFailed         Kind = "payment_failed"            // a plan's renewal was declined
)

// Kinds returns every kind. The slice is the caller's own.
func Kinds() []Kind {
	return []Kind{
		TopUpReceipt, LowBalance, CreditsExpiring, AutoTopUpSucceeded, AutoTopUpFailed, AutoTopUpActionNeeded,
		TrialEnding, PaymentFailed,
	}
}

// Limits of a letter.
const (
	// MaxAddress bounds an address, in bytes, as RFC 5321 does.
	MaxAddress = 254
	// MaxFact bounds each text of a letter, in characters; what is longer is cut.
	MaxFact = 500
	// MaxSubject bounds a subject, in characters; what is longer is cut.
	MaxSubject = 200
)

// Letter is what is to be said to one person. Which facts a kind cannot do without is the business
// of Check; the templates leave out what else is empty.
//
// A Letter survives JSON, so that it can be kept until it is sent.
type Letter struct {
	Kind Kind   `json:"kind"`
	To   string `json:"to"`             // the address alone: ann@example.com
	Name string `json:"name,omitempty"` // of the person, for the greeting
	App  string `json:"app"`            // the name of the operator's product
	Test bool   `json:"test,omitempty"` // of a mode that is not live; the subject says so

	Credit    string        `json:"credit,omitempty"`    // as people call it: "API calls"
	Credits   money.Decimal `json:"credits,omitempty"`   // how many it is about: added, to be added, or expiring
	Balance   money.Decimal `json:"balance,omitempty"`   // as it is now
	Threshold money.Decimal `json:"threshold,omitempty"` // below which the customer is told, or credits are bought

	Plan    string        `json:"plan,omitempty"`    // the plan's name
	Amount  string        `json:"amount,omitempty"`  // of money, as money.Display writes it: "$10.00"
	Card    string        `json:"card,omitempty"`    // what paid, or should have: "visa •••• 4242"
	When    clock.Instant `json:"when,omitzero"`     // it was paid, expires, ends, or is tried again
	Zone    string        `json:"zone,omitempty"`    // IANA name of the zone to tell it in; empty: UTC
	Invoice string        `json:"invoice,omitempty"` // its number
	Lines   []Line        `json:"lines,omitempty"`   // of a receipt, whose total is Amount
	Reason  string        `json:"reason,omitempty"`  // of a failure, as a sentence: "Your card has expired."
	Link    string        `json:"link,omitempty"`    // where the customer can act, http or https
}

// Line is one line of a receipt.
type Line struct {
	Text     string `json:"text"`
	Quantity string `json:"quantity,omitempty"`
	Amount   string `json:"amount,omitempty"` // as Letter.Amount
}

// needs are the facts without which a letter of a kind would be a riddle.
var needs = map[Kind][]string{
	TopUpReceipt:          {"amount"},
	LowBalance:            {"credit", "balance"},
	CreditsExpiring:       {"credit", "credits", "when"},
	AutoTopUpSucceeded:    {"credit", "credits", "amount"},
	AutoTopUpFailed:       {"credit"},
	AutoTopUpActionNeeded: {"credit", "link"},
	TrialEnding:           {"plan", "when"},
	PaymentFailed:         {"plan"},
}

// Check tells whether a letter can be written and sent. The error's code is mail_refused for a wrong
// address, missing_field for a missing fact, and invalid_request for anything else, such as a link
// that does not lead to a web page; its field is the letter's.
func (l *Letter) Check() error {
	const op = "mail.Letter.Check"
	if err := checkAddress(l.To); err != nil {
		return err
	}
	required, ok := needs[l.Kind]
	if !ok {
		return fault.New(op, fault.CodeInvalidRequest, "There is no kind of letter %q.", l.Kind).In("kind")
	}
	facts := l.facts()
	for _, field := range append([]string{"app"}, required...) {
		if facts[field] == "" {
			return fault.New(op, fault.CodeMissingField, "A letter of kind %s needs %s.", l.Kind, field).In(field)
		}
	}
	if l.Link != "" && !isWeb(l.Link) {
		return fault.New(op, fault.CodeInvalidRequest, "The link must be an http or https address.").In("link")
	}
	return catalog.CheckZone(l.Zone, "zone")
}

// facts are those that a kind may need, by the names of their fields.
func (l *Letter) facts() map[string]string {
	return map[string]string{
		"app": clean(l.App), "credit": clean(l.Credit), "credits": string(l.Credits), "balance": string(l.Balance),
		"plan": clean(l.Plan), "amount": clean(l.Amount), "when": l.When.String(), "link": l.Link,
	}
}

// checkAddress refuses what is not one plain address: with a name, a comment or a quoted part it
// could mean another recipient to the next program that reads it.
func checkAddress(address string) error {
	parsed, err := netmail.ParseAddress(address)
	if err == nil && parsed.Address == address && len(address) <= MaxAddress && clean(address) == address {
		return nil
	}
	return fault.New("mail.checkAddress", fault.CodeMailRefused, "The address is not one that mail can be sent to.").In("to")
}

// isWeb reports whether a link leads to a web page, and not to a program that a mail client would run.
func isWeb(link string) bool {
	u, err := url.Parse(link)
	web := err == nil && u.Host != "" && slices.Contains([]string{"http", "https"}, u.Scheme)
	return web && !strings.ContainsAny(link, " <>\"") && clean(link) == link
}
