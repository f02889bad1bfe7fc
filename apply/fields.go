package apply

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/money"
)

// field is a property of a credit, meter, pack or plan as text; empty is not set.
type field struct{ name, value string }

// creditFields lists what can be compared of a credit.
func creditFields(c *catalog.Credit) []field {
	order := make([]string, len(c.DrawOrder))
	for i, key := range c.DrawOrder {
		order[i] = string(key)
	}
	return []field{
		{"name", c.Name},
		{"unit", c.Unit},
		{"description", c.Description},
		{"precision", strconv.Itoa(c.Precision)},
		{"draw_order", strings.Join(order, ", ")},
		{"scope", scopeText(c.Scope)},
		{"expires_after_days", number(c.ExpiresAfterDays)},
		{"overage", overageText(&c.Overage, c.Precision)},
		{"rollover", rolloverText(c.Rollover)},
		{"low_balance_threshold", amountText(c.LowBalance, c.Precision)},
		{"sales", salesText(&c.Sales, c.Precision)},
	}
}

// packFields lists what can be compared of a pack.
func packFields(p *catalog.Pack, defs *catalog.Definitions) []field {
	fields := []field{
		{"name", p.Name},
		{"description", p.Description},
		{"price", fmt.Sprintf("%d %s", p.PriceMinor, p.Currency)},
		{"price_ref", p.PriceRef},
		{"expires_after_days", number(p.ExpiresAfterDays)},
	}
	for i := range p.Items {
		fields = append(fields, field{fmt.Sprintf("items[%d]", i), itemText(p, i, defs)})
	}
	return fields
}

func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func scopeText(s catalog.Scope) string {
	rules := make([]string, len(s))
	for i, r := range s {
		rules[i] = r.Event
		for _, key := range slices.Sorted(maps.Keys(r.Metadata)) {
			rules[i] += fmt.Sprintf(" %s=%q", key, r.Metadata[key])
		}
		if !r.UnitsPerCredit.IsZero() {
			rules[i] += " at " + r.UnitsPerCredit.String() + " units per credit"
		}
	}
	return strings.Join(rules, "; ")
}

func overageText(o *catalog.Overage, precision int) string {
	if !o.Enabled && !o.Limited && o.PricePerUnit == "" && o.Currency == "" && o.Behavior == catalog.ForgiveAtReset {
		return ""
	}
	text := "off"
	if o.Enabled {
		text = "on"
	}
	if o.Limited {
		text += ", limit " + money.FormatUnits(o.Limit, precision)
	}
	text += ", " + string(o.Behavior)
	if o.PricePerUnit != "" || o.Currency != "" {
		text += fmt.Sprintf(", %s %s each", o.PricePerUnit, o.Currency)
	}
	return text
}

func rolloverText(r catalog.Rollover) string {
	if r == (catalog.Rollover{}) {
		return ""
	}
	text := fmt.Sprintf("%d %% for %d %s", r.Percent, r.Validity.Count, r.Validity.Unit)
	if r.MaxCount > 0 {
		text += fmt.Sprintf(", at most %d times", r.MaxCount)
	}
	if r.Off {
		text += ", off"
	}
	return text
}

func amountText(units int64, precision int) string {
	if units == 0 {
		return ""
	}
	return money.FormatUnits(units, precision)
}

func salesText(s *catalog.Sales, precision int) string {
	var parts []string
	if s.Off {
		parts = append(parts, "off")
	}
	if s.PricePerCredit != "" {
		parts = append(parts, fmt.Sprintf("%s %s each", s.PricePerCredit, s.Currency))
	}
	if s.AnyAmount {
		parts = append(parts, "any amount")
	}
	if s.SignupBonus > 0 {
		parts = append(parts, amountText(s.SignupBonus, precision)+" for signing up")
	}
	return strings.Join(parts, ", ")
}

func itemText(p *catalog.Pack, i int, defs *catalog.Definitions) string {
	it := &p.Items[i]
	name, precision := it.Credit, 0
	if def, ok := defs.Credits[it.Credit]; ok {
		name, precision = def.Name, def.Precision
	}
	text := fmt.Sprintf("%s of %q, %s, priority %d", money.FormatUnits(it.Amount, precision), name, it.Category, it.Priority)
	if len(it.Scope) > 0 {
		text += ", for " + scopeText(it.Scope)
	}
	if it.ID != p.DefaultItemID(i) {
		text += ", id " + it.ID
	}
	return text
}
