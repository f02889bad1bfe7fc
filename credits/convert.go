package credits

import (
	"slices"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/id"
	"github.com/seed42445051/scrip/money"
	v1 "github.com/seed42445051/scrip/v1"
	"github.com/seed42445051/scrip/wallet"
	"github.com/seed42445051/scrip/wording"
)

// units reads an amount of a credit, naming the field that is wrong.
func units(d money.Decimal, precision int, field string) (int64, error) {
	if d == "" {
		return 0, fault.New("credits.units", fault.CodeMissingField, "%s is missing", field).In(field)
	}
	n, err := d.Units(precision)
	if err != nil {
		return 0, fault.As(err).In(field)
	}
	return n, nil
}

func decimal(n int64, precision int) money.Decimal { return wording.Amount(n, precision) }

func quantity(micros int64) money.Decimal { return wording.Quantity(micros) }

// view writes wallet values in the vocabulary of v1, under the definitions of their app.
type view struct {
	defs *catalog.Definitions
	key  wallet.Key
	id   id.Wallet
}

func newView(defs *catalog.Definitions, key wallet.Key) view {
	return view{defs: defs, key: key, id: key.ID()}
}

func (v view) precision(credit string) int { return wording.Precision(v.defs, credit) }

func (v view) grantID(n int64) string { return wording.GrantID(v.id, n) }

func (v view) entry(e *wallet.Entry) v1.Entry { return wording.Entry(v.defs, v.key, v.id, e) }

func (v view) entries(entries []wallet.Entry) []v1.Entry {
	out := make([]v1.Entry, len(entries))
	for i := range entries {
		out[i] = v.entry(&entries[i])
	}
	return out
}

func (v view) grant(g *wallet.Grant) v1.Grant {
	p := v.precision(g.Credit)
	return v1.Grant{
		ID: v.grantID(g.N), CustomerID: v.key.Customer, CreditID: g.Credit, Amount: decimal(g.Amount, p),
		Available: decimal(g.Available, p), Held: decimal(g.Held, p), Frozen: decimal(g.Frozen, p),
		Spent: decimal(g.Spent, p), Expired: decimal(g.Expired, p), Revoked: decimal(g.Revoked, p),
		RolledOver: decimal(g.RolledOver, p), Status: string(g.ReadStatus()), Disputed: g.Disputed,
		Category: string(g.Category), Priority: g.Priority, EffectiveAt: g.EffectiveAt, ExpiresAt: g.ExpiresAt,
		CreatedAt: g.CreatedAt, Scope: rulesOut(g.Scope), Source: string(g.Source), SourceID: g.SourceID,
		PackID: g.Pack, PackItemID: g.PackItem, ExternalRef: g.ExternalRef, CostBasis: g.CostBasis,
		CostCurrency: g.CostCurr, ParentID: v.grantID(g.Parent), RolledIntoID: v.grantID(g.RolledInto),
		RolloverCount: g.RolloverCount, Reason: g.Reason, Metadata: g.Metadata,
	}
}

func (v view) balance(c *wallet.CreditState) v1.Balance {
	p := v.precision(c.Credit)
	out := v1.Balance{
		CreditID: c.Credit, Balance: decimal(c.Balance(), p), Available: decimal(c.Available(), p),
		Held: decimal(c.Held(), p), Frozen: decimal(c.Frozen(), p), Overage: decimal(c.Overage, p), Used: decimal(c.Used, p),
		ByCategory: v1.ByCategory{Paid: sums(c.Paid, p), Promotional: sums(c.Promotional, p)},
	}
	if def, ok := v.defs.Credits[c.Credit]; ok {
		out.CreditName, out.Unit = def.Name, def.Unit
	}
	return out
}

func sums(s wallet.Sums, p int) v1.Sums {
	return v1.Sums{Available: decimal(s.Available, p), Held: decimal(s.Held, p), Frozen: decimal(s.Frozen, p)}
}

func (v view) balances(states []wallet.CreditState) []v1.Balance {
	out := make([]v1.Balance, len(states))
	for i := range states {
		out[i] = v.balance(&states[i])
	}
	return out
}

func (v view) drawn(parts []wallet.Drawn) []v1.Drawn {
	out := make([]v1.Drawn, len(parts))
	for i, d := range parts {
		out[i] = v1.Drawn{GrantID: v.grantID(d.Grant), CreditID: d.Credit, Amount: decimal(d.Units, v.precision(d.Credit))}
	}
	return out
}

// measure writes a charge's own measure: an amount of its credit, or a quantity.
func (v view) measure(c *wallet.Charge, n int64) money.Decimal {
	if c.Gated() {
		return quantity(n)
	}
	return decimal(n, v.precision(c.Credit))
}

func (v view) reservation(h *wallet.Hold, credits map[int64]string) v1.Reservation {
	out := v1.Reservation{
		ID: id.Object(id.PrefixReservation, v.id, h.N), CustomerID: v.key.Customer, Status: string(h.Status),
		CreditID: h.Charge.Credit, Event: h.Charge.Event, Reserved: v.measure(&h.Charge, h.Measure()),
		Committed: v.measure(&h.Charge, h.Committed), Short: v.measure(&h.Charge, h.Charge.Measure()-h.Measure()), Grants: make([]v1.Drawn, len(h.Slices)),
		Metadata: h.Charge.Metadata, CreatedAt: h.CreatedAt, ExpiresAt: h.ExpiresAt, ClosedAt: h.ClosedAt,
		Reason: h.Reason, ErrorCode: h.ErrorCode, Response: h.Response,
	}
	for i, s := range h.Slices {
		credit := credits[s.Grant]
		out.Grants[i] = v1.Drawn{GrantID: v.grantID(s.Grant), CreditID: credit, Amount: decimal(s.Units, v.precision(credit))}
	}
	return out
}

func rulesIn(rules []v1.Rule) (catalog.Scope, error) {
	scope := make(catalog.Scope, len(rules))
	for i, r := range rules {
		scope[i] = catalog.Rule{Event: r.Event, Metadata: r.Metadata}
		if r.UnitsPerCredit == "" {
			continue
		}
		ratio, err := money.ParseRatio(string(r.UnitsPerCredit))
		if err != nil {
			return nil, fault.New("credits.rulesIn", fault.CodeInvalidScope, "units_per_credit must be a positive decimal").In("scope.units_per_credit").Because(err)
		}
		if ratio.IsZero() {
			return nil, fault.New("credits.rulesIn", fault.CodeInvalidScope, "units_per_credit must not be zero").In("scope.units_per_credit")
		}
		scope[i].UnitsPerCredit = ratio
	}
	return slices.Clip(scope), scope.Validate()
}

func rulesOut(scope catalog.Scope) []v1.Rule {
	if len(scope) == 0 {
		return nil
	}
	rules := make([]v1.Rule, len(scope))
	for i, r := range scope {
		rules[i] = v1.Rule{Event: r.Event, Metadata: r.Metadata}
		if !r.UnitsPerCredit.IsZero() {
			rules[i].UnitsPerCredit = money.Decimal(r.UnitsPerCredit.String())
		}
	}
	return rules
}
