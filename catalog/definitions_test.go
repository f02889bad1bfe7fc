package catalog

import (
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
