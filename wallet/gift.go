package wallet

import (
	"slices"
	"strconv"
	"strings"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/fault"
)

// Redeem grants what a code gives, once for each use of it. That the use is this customer's, and
// within the code's limits, was decided before: the uses of a code are counted across wallets.
type Redeem struct {
	Code     string // id
	Text     string
	Use      int64 // the number of the use, from 1; 0 in a preview, before there is one
	Pack     string
	Credit   string
	Amount   int64
	Category catalog.Category
	Days     int // how long the grant lives; 0: the default of the pack or credit
}

// RefCode is the reference type of entries that a code caused; the reference is the code's id.
const RefCode = "code"

// give is the granting that the use comes to.
func (c *Redeem) give() *GiveCredits {
	return &GiveCredits{
		Pack: c.Pack, Credit: c.Credit, Amount: c.Amount, Category: c.Category,
		ExternalRef: RefCode + ":" + c.Code + ":" + strconv.FormatInt(c.Use, 10), Source: SourceGrant, SourceID: c.Code,
		Note: Note{Reason: "Code " + c.Text, RefType: RefCode, RefID: c.Code},
	}
}

// Needs asks for the grants of the same use.
func (c *Redeem) Needs(defs *catalog.Definitions) Needs { return c.give().Needs(defs) }

func (c *Redeem) decide(w *work) error {
	give := c.give()
	if c.Days > 0 {
		give.ExpiresAt = catalog.Interval{Count: c.Days, Unit: catalog.Day}.After(w.at)
	}
	return give.decide(w)
}

// Register gives a customer who registers the bonus of every credit that has one: once for each
// credit and customer, for ever, whatever else the wallet was used for before.
type Register struct {
	Told string // what was told of the customer: who tells something else asks for something else
}

// RefSignupBonus is the external reference under which the bonus of a credit is granted.
const RefSignupBonus = "signup_bonus"

// bonuses are the grantings that a registration comes to, in order of the credits' ids.
func (c *Register) bonuses(defs *catalog.Definitions) []GiveCredits {
	var all []GiveCredits
	for id, def := range defs.Credits {
		if bonus := def.SignupBonus(); bonus > 0 {
			all = append(all, GiveCredits{
				Credit: id, Amount: bonus, Category: catalog.Promotional, ExternalRef: RefSignupBonus, Source: SourceGrant,
				Note: Note{Reason: "Sign-up bonus"},
			})
		}
	}
	slices.SortFunc(all, func(a, b GiveCredits) int { return strings.Compare(a.Credit, b.Credit) })
	return all
}

// Needs asks for the bonuses that were granted before.
func (c *Register) Needs(defs *catalog.Definitions) Needs {
	var needs Needs
	for _, give := range c.bonuses(defs) {
		needs.Add(give.Needs(defs))
	}
	return needs
}

func (c *Register) decide(w *work) error {
	// Which bonuses there are, the definitions say, and they may have changed since the needs were read:
	// a bonus that nobody asked about may have been granted and spent.
	if missing := w.s.unasked(c.Needs(w.cx.Defs).External); len(missing) > 0 {
		return &Missing{Needs{External: missing}}
	}
	var due []GiveCredits
	for _, give := range c.bonuses(w.cx.Defs) {
		existing := w.s.underRef(give.Needs(w.cx.Defs).External)
		if len(existing) == 0 {
			due = append(due, give)
		}
		w.d.Answer.Grants = append(w.d.Answer.Grants, existing...)
	}
	w.d.Answer.Allowed, w.d.Answer.Existing = true, len(due) == 0 && len(w.d.Answer.Grants) > 0
	if w.s.openN+len(due) > MaxOpenGrants {
		return fault.New(opGrant, fault.CodeTooManyGrants, "a customer has at most %d grants with something left", MaxOpenGrants)
	}
	for i := range due {
		if err := due[i].decide(w); err != nil {
			return err
		}
	}
	return nil
}
