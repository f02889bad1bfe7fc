package catalog

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/money"
)

func goodCredit() Credit {
	return Credit{ID: "crd", App: "app", Name: "API calls", Unit: "call", DrawOrder: DefaultDrawOrder()}
}

func TestCreditValidate(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Credit)
		code   fault.Code // empty: accepted
	}{
		{"as it is", func(*Credit) {}, ""},
		{"no name", func(c *Credit) { c.Name = " " }, fault.CodeInvalidRequest},
		{"the longest name", func(c *Credit) { c.Name = strings.Repeat("n", MaxNameLength) }, ""},
		{"one past the longest name", func(c *Credit) { c.Name = strings.Repeat("n", MaxNameLength+1) }, fault.CodeInvalidRequest},
		{"no unit", func(c *Credit) { c.Unit = "" }, fault.CodeInvalidRequest},
		{"the longest unit", func(c *Credit) { c.Unit = strings.Repeat("u", MaxUnitLength) }, ""},
		{"one past the longest unit", func(c *Credit) { c.Unit = strings.Repeat("u", MaxUnitLength+1) }, fault.CodeInvalidRequest},
		{"the longest name, of other letters", func(c *Credit) { c.Name = strings.Repeat("名", MaxNameLength) }, ""},
		{"one past it", func(c *Credit) { c.Name = strings.Repeat("名", MaxNameLength+1) }, fault.CodeInvalidRequest},
		{"the longest unit, of other letters", func(c *Credit) { c.Unit = strings.Repeat("é", MaxUnitLength) }, ""},
		{"the longest description", func(c *Credit) { c.Description = strings.Repeat("d", MaxDescriptionLength) }, ""},
		{"the longest description, of other letters", func(c *Credit) { c.Description = strings.Repeat("ß", MaxDescriptionLength) }, ""},
		{"an overage price", func(c *Credit) { c.Overage = Overage{PricePerUnit: "0.000000001", Currency: "eur"} }, ""},
		{"the greatest overage price", func(c *Credit) { c.Overage = Overage{PricePerUnit: "1000000000", Currency: "eur"} }, ""},
		{"more than the greatest overage price", func(c *Credit) { c.Overage = Overage{PricePerUnit: "1000000000.000000001", Currency: "eur"} }, fault.CodeInvalidAmount},
		{"an overage price of too many decimals", func(c *Credit) { c.Overage = Overage{PricePerUnit: "0.0000000001", Currency: "eur"} }, fault.CodeInvalidAmount},
		{"a negative overage price", func(c *Credit) { c.Overage = Overage{PricePerUnit: "-1", Currency: "eur"} }, fault.CodeInvalidAmount},
		{"an overage price that is none", func(c *Credit) { c.Overage = Overage{PricePerUnit: "NaN", Currency: "eur"} }, fault.CodeInvalidAmount},
		{"an overage price without a currency", func(c *Credit) { c.Overage = Overage{PricePerUnit: "1"} }, fault.CodeMissingField},
		{"an overage currency that is none", func(c *Credit) { c.Overage = Overage{Currency: "euro"} }, fault.CodeInvalidRequest},
		{"an overage currency in capitals", func(c *Credit) { c.Overage = Overage{Currency: "EUR"} }, fault.CodeInvalidRequest},
		{"one past the longest description", func(c *Credit) { c.Description = strings.Repeat("d", MaxDescriptionLength+1) }, fault.CodeInvalidRequest},
		{"the greatest precision", func(c *Credit) { c.Precision = money.MaxPrecision }, ""},
		{"one past the greatest precision", func(c *Credit) { c.Precision = money.MaxPrecision + 1 }, fault.CodeInvalidRequest},
		{"negative precision", func(c *Credit) { c.Precision = -1 }, fault.CodeInvalidRequest},
		{"the longest expiry", func(c *Credit) { c.ExpiresAfterDays = MaxExpiryDays }, ""},
		{"one past the longest expiry", func(c *Credit) { c.ExpiresAfterDays = MaxExpiryDays + 1 }, fault.CodeInvalidRequest},
		{"negative expiry", func(c *Credit) { c.ExpiresAfterDays = -1 }, fault.CodeInvalidRequest},
		{"malformed scope", func(c *Credit) { c.Scope = Scope{{Event: "a*"}} }, fault.CodeInvalidScope},
		{"no draw order", func(c *Credit) { c.DrawOrder = nil }, fault.CodeInvalidDrawOrder},
		{"overage limit zero", func(c *Credit) { c.Overage = Overage{Enabled: true, Limited: true} }, ""},
		{"negative overage limit", func(c *Credit) { c.Overage = Overage{Limited: true, Limit: -1} }, fault.CodeInvalidAmount},
		{"unknown overage behavior", func(c *Credit) { c.Overage.Behavior = "forget" }, fault.CodeInvalidRequest},
		{"all rolls over", func(c *Credit) { c.Rollover = Rollover{Percent: 100, Validity: Interval{1, Month}} }, ""},
		{"more than all rolls over", func(c *Credit) { c.Rollover = Rollover{Percent: 101, Validity: Interval{1, Month}} }, fault.CodeInvalidRequest},
		{"less than nothing rolls over", func(c *Credit) { c.Rollover = Rollover{Percent: -1} }, fault.CodeInvalidRequest},
		{"rolls over into nothing", func(c *Credit) { c.Rollover = Rollover{Percent: 50} }, fault.CodeInvalidRequest},
		{"rolls over less than no times", func(c *Credit) {
			c.Rollover = Rollover{Percent: 50, Validity: Interval{1, Month}, MaxCount: -1}
		}, fault.CodeInvalidRequest},
	} {
		t.Run(c.name, func(t *testing.T) {
			credit := goodCredit()
			c.change(&credit)
			if err := credit.Validate(); fault.CodeOf(err) != c.code {
				t.Errorf("%v, want %q", err, c.code)
			}
		})
	}
}

func TestPackValidate(t *testing.T) {
	defs := NewDefinitions("app", "app", 1)
	credit := goodCredit()
	defs.Credits["crd"] = &credit
	item := func(change func(*PackItem)) []PackItem {
		it := PackItem{ID: "pki", Credit: "crd", Amount: 10, Category: Paid, Priority: NarrowPriority}
		change(&it)
		return []PackItem{it}
	}
	same := func(*PackItem) {}
	for _, c := range []struct {
		name  string
		pack  Pack
		code  fault.Code // empty: accepted
		field string
	}{
		{"as it is", Pack{Name: "p", Items: item(same)}, "", ""},
		{"no name", Pack{Items: item(same)}, fault.CodeInvalidRequest, "name"},
		{"no items", Pack{Name: "p"}, fault.CodeInvalidRequest, "items"},
		{"the most items", Pack{Name: "p", Items: distinct(item(same)[0], MaxPackItems)}, "", ""},
		{"one past the most items", Pack{Name: "p", Items: many(item(same)[0], MaxPackItems+1)}, fault.CodeInvalidRequest, "items"},
		{"the longest description", Pack{Name: "p", Description: strings.Repeat("ß", MaxDescriptionLength), Items: item(same)}, "", ""},
		{"one past the longest description", Pack{Name: "p", Description: strings.Repeat("d", MaxDescriptionLength+1), Items: item(same)}, fault.CodeInvalidRequest, "description"},
		{"the greatest price", Pack{Name: "p", PriceMinor: MaxPrice, Items: item(same)}, "", ""},
		{"one past the greatest price", Pack{Name: "p", PriceMinor: MaxPrice + 1, Items: item(same)}, fault.CodeInvalidRequest, "price"},
		{"a currency of two letters", Pack{Name: "p", Currency: "us", Items: item(same)}, fault.CodeInvalidRequest, "currency"},
		{"a currency of four letters", Pack{Name: "p", Currency: "usdt", Items: item(same)}, fault.CodeInvalidRequest, "currency"},
		{"a currency that is no letters", Pack{Name: "p", Currency: "u$d", Items: item(same)}, fault.CodeInvalidRequest, "currency"},
		{"the longest expiry", Pack{Name: "p", ExpiresAfterDays: MaxExpiryDays, Items: item(same)}, "", ""},
		{"negative price", Pack{Name: "p", PriceMinor: -1, Items: item(same)}, fault.CodeInvalidRequest, "price"},
		{"one past the longest expiry", Pack{Name: "p", ExpiresAfterDays: MaxExpiryDays + 1, Items: item(same)}, fault.CodeInvalidRequest, "expires_after_days"},
		{"two items with one id", Pack{Name: "p", Items: many(item(same)[0], 2)}, fault.CodeInvalidID, "items.1.id"},
		{"the longest id of an item", Pack{Name: "p", Items: item(func(i *PackItem) { i.ID = strings.Repeat("x", MaxItemID) })}, "", ""},
		{"one past the longest", Pack{Name: "p", Items: item(func(i *PackItem) { i.ID = strings.Repeat("x", MaxItemID+1) })}, fault.CodeInvalidID, "items.0.id"},
		{"an id that no database keeps", Pack{Name: "p", Items: item(func(i *PackItem) { i.ID = "a\x00b" })}, fault.CodeInvalidID, "items.0.id"},
		{"unknown credit", Pack{Name: "p", Items: item(func(i *PackItem) { i.Credit = "gold" })}, fault.CodeCreditNotFound, "items.0.credit_id"},
		{"amount zero", Pack{Name: "p", Items: item(func(i *PackItem) { i.Amount = 0 })}, fault.CodeInvalidAmount, "items.0.amount"},
		{"the greatest amount", Pack{Name: "p", Items: item(func(i *PackItem) { i.Amount = MaxItemAmount })}, "", ""},
		{"one past the greatest amount", Pack{Name: "p", Items: item(func(i *PackItem) { i.Amount = MaxItemAmount + 1 })}, fault.CodeInvalidAmount, "items.0.amount"},
		{"priority 101", Pack{Name: "p", Items: item(func(i *PackItem) { i.Priority = 101 })}, fault.CodeInvalidPriority, "items.0.priority"},
		{"no category", Pack{Name: "p", Items: item(func(i *PackItem) { i.Category = "" })}, fault.CodeInvalidRequest, "items.0.category"},
		{"malformed scope", Pack{Name: "p", Items: item(func(i *PackItem) { i.Scope = Scope{{Event: ""}} })}, fault.CodeInvalidScope, "items.0.scope.event"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.pack.Currency == "" {
				c.pack.Currency = "usd"
			}
			err := c.pack.Validate(defs)
			if fault.CodeOf(err) != c.code {
				t.Fatalf("%v, want %q", err, c.code)
			}
			if err != nil && fault.As(err).Field != c.field {
				t.Errorf("field %q, want %q", fault.As(err).Field, c.field)
			}
		})
	}
}

// TestPriceHasOneForm: two ways to write a price are the same price.
func TestPriceHasOneForm(t *testing.T) {
	for text, want := range map[money.Decimal]money.Decimal{"0.10": "0.1", "1e2": "100", "007": "7", "-0": "0"} {
		if got, err := ReadPrice(text, "price"); err != nil || got != want {
			t.Errorf("%s reads as %s, %v", text, got, err)
		}
	}
}

// TestMeterLimits: a meter's links and unit, and the depth and width of its filter.
func TestMeterLimits(t *testing.T) {
	defs := NewDefinitions("app", "app", 1)
	for i := range MaxMeterLinks + 1 {
		credit := goodCredit()
		defs.Credits[fmt.Sprint("crd", i)] = &credit
	}
	wide := func(n int) *Filter {
		f := &Filter{Conjunction: And}
		for range n {
			f.Conditions = append(f.Conditions, Condition{Key: "k", Operator: Equals})
		}
		return f
	}
	deep := func(n int) *Filter {
		f := wide(1)
		for range n - 1 {
			f = &Filter{Conjunction: Or, Filters: []Filter{*f}}
		}
		return f
	}
	links := func(n int) []MeterLink {
		all := make([]MeterLink, n)
		for i := range all {
			all[i] = MeterLink{Credit: fmt.Sprint("crd", i), UnitsPerCredit: money.Ratio{Num: 1, Den: 1}}
		}
		return all
	}
	for _, c := range []struct {
		name   string
		change func(*Meter)
		field  string // empty: accepted
	}{
		{"as it is", func(*Meter) {}, ""},
		{"the most links", func(m *Meter) { m.Links = links(MaxMeterLinks) }, ""},
		{"one past the most links", func(m *Meter) { m.Links = links(MaxMeterLinks + 1) }, "links"},
		{"a credit twice", func(m *Meter) { m.Links = append(links(1), links(1)...) }, "links"},
		{"the most clauses", func(m *Meter) { m.Filter = wide(MaxFilterClauses) }, ""},
		{"one past the most clauses", func(m *Meter) { m.Filter = wide(MaxFilterClauses + 1) }, "filter.clauses"},
		{"the deepest filter", func(m *Meter) { m.Filter = deep(MaxFilterDepth) }, ""},
		{"one deeper", func(m *Meter) { m.Filter = deep(MaxFilterDepth + 1) }, "filter"},
		{"the longest unit", func(m *Meter) { m.Unit = strings.Repeat("ß", MaxUnitLength) }, ""},
		{"one past the longest unit", func(m *Meter) { m.Unit = strings.Repeat("u", MaxUnitLength+1) }, "measurement_unit"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := Meter{Name: "m", Event: "e", Unit: "u", Aggregation: Aggregation{Kind: Count}}
			c.change(&m)
			err := m.Validate(defs)
			if (err == nil) != (c.field == "") || err != nil && fault.As(err).Field != c.field {
				t.Errorf("%v, want field %q", err, c.field)
			}
		})
	}
}

// distinct is n items that differ in their ids alone.
func distinct(it PackItem, n int) []PackItem {
	items := many(it, n)
	for i := range items {
		items[i].ID += strconv.Itoa(i)
	}
	return items
}

func many(item PackItem, n int) []PackItem {
	items := make([]PackItem, n)
	for i := range items {
		items[i] = item
	}
	return items
}

// TestDefinitionsByName: by id, or by name in any case while it is not archived.
func TestDefinitionsByName(t *testing.T) {
	defs := NewDefinitions("app", "app", 1)
	old, now := goodCredit(), goodCredit()
	old.ID, old.ArchivedAt = "crd_old", 1
	now.ID = "crd_now"
	defs.Credits[old.ID], defs.Credits[now.ID] = &old, &now
	defs.Packs["pck"] = &Pack{ID: "pck", Name: "Starter"}
	for name, want := range map[string]string{
		"crd_old": "crd_old", "crd_now": "crd_now", "API calls": "crd_now", "api CALLS": "crd_now", "api": "", "": "",
	} {
		got := ""
		if c, ok := defs.Credit(name); ok {
			got = c.ID
		}
		if got != want {
			t.Errorf("credit %q is %q, want %q", name, got, want)
		}
	}
	for name, want := range map[string]bool{"pck": true, "starter": true, "STARTER": true, "other": false} {
		if _, ok := defs.Pack(name); ok != want {
			t.Errorf("pack %q found: %t", name, ok)
		}
	}
}

func TestVocabulary(t *testing.T) {
	for value, want := range map[Mode]bool{Live: true, Test: true, "": false, "sandbox": false} {
		if value.Valid() != want {
			t.Errorf("mode %q valid: %t", value, !want)
		}
	}
	for value, want := range map[Category]bool{Paid: true, Promotional: true, "": false, "bonus": false} {
		if value.Valid() != want {
			t.Errorf("category %q valid: %t", value, !want)
		}
	}
	for _, b := range []OverageBehavior{ForgiveAtReset, InvoiceAtBilling, CarryDeficit, CarryDeficitAutoRepay} {
		if !b.Valid() {
			t.Errorf("behavior %q is not valid", b)
		}
	}
}
