package catalog

import (
	"strings"
	"testing"

	"github.com/seed42445051/scrip/fault"
)

func goodCode() Code {
	return Code{ID: "code_1", App: "app", Text: "Summer_25-x", Credit: "crd", Amount: 1, Category: Promotional, MaxUsesPerCustomer: 1}
}

func TestCodeValidate(t *testing.T) {
	defs := NewDefinitions("app", "app", 1)
	defs.Credits["crd"] = &Credit{ID: "crd"}
	defs.Packs["pck"] = &Pack{ID: "pck"}
	packed := func(c *Code) { c.Pack, c.Credit, c.Amount, c.Category = "pck", "", 0, "" }
	for _, c := range []struct {
		name   string
		change func(*Code)
		code   fault.Code // empty: accepted
	}{
		{"as it is", func(*Code) {}, ""},
		{"the shortest text", func(c *Code) { c.Text = strings.Repeat("x", MinCodeLength) }, ""},
		{"one short of it", func(c *Code) { c.Text = strings.Repeat("x", MinCodeLength-1) }, fault.CodeInvalidRequest},
		{"the longest text", func(c *Code) { c.Text = strings.Repeat("Z", MaxCodeLength) }, ""},
		{"one past it", func(c *Code) { c.Text = strings.Repeat("Z", MaxCodeLength+1) }, fault.CodeInvalidRequest},
		{"a space", func(c *Code) { c.Text = "a b" }, fault.CodeInvalidRequest},
		{"a letter of another language", func(c *Code) { c.Text = "été" }, fault.CodeInvalidRequest},
		{"another sign", func(c *Code) { c.Text = "50%off" }, fault.CodeInvalidRequest},
		{"a pack", packed, ""},
		{"a pack as a gift", func(c *Code) { packed(c); c.Category = Promotional }, ""},
		{"a pack in an unknown category", func(c *Code) { packed(c); c.Category = "x" }, fault.CodeInvalidRequest},
		{"no pack of ours", func(c *Code) { packed(c); c.Pack = "x" }, fault.CodePackNotFound},
		{"a pack and an amount", func(c *Code) { packed(c); c.Amount = 1 }, fault.CodeConflictingFields},
		{"a pack and a credit", func(c *Code) { c.Pack = "pck" }, fault.CodeConflictingFields},
		{"neither", func(c *Code) { c.Credit = "" }, fault.CodeMissingField},
		{"no credit of ours", func(c *Code) { c.Credit = "x" }, fault.CodeCreditNotFound},
		{"nothing of the credit", func(c *Code) { c.Amount = 0 }, fault.CodeInvalidAmount},
		{"the greatest amount", func(c *Code) { c.Amount = MaxItemAmount }, ""},
		{"one past it", func(c *Code) { c.Amount = MaxItemAmount + 1 }, fault.CodeInvalidAmount},
		{"no category", func(c *Code) { c.Category = "" }, fault.CodeInvalidRequest},
		{"the longest life", func(c *Code) { c.ExpiresAfterDays = MaxExpiryDays }, ""},
		{"one past it", func(c *Code) { c.ExpiresAfterDays = MaxExpiryDays + 1 }, fault.CodeInvalidRequest},
		{"a negative life", func(c *Code) { c.ExpiresAfterDays = -1 }, fault.CodeInvalidRequest},
		{"an end", func(c *Code) { c.ValidFrom, c.ValidUntil = 5, 6 }, ""},
		{"an end at its beginning", func(c *Code) { c.ValidFrom, c.ValidUntil = 5, 5 }, fault.CodeInvalidTime},
		{"the most uses", func(c *Code) { c.MaxUses = MaxCodeUses }, ""},
		{"one past them", func(c *Code) { c.MaxUses = MaxCodeUses + 1 }, fault.CodeInvalidRequest},
		{"negative uses", func(c *Code) { c.MaxUses = -1 }, fault.CodeInvalidRequest},
		{"the most uses by one", func(c *Code) { c.MaxUsesPerCustomer = MaxCodeUsesPerCustomer }, ""},
		{"one past them", func(c *Code) { c.MaxUsesPerCustomer = MaxCodeUsesPerCustomer + 1 }, fault.CodeInvalidRequest},
		{"no use by one", func(c *Code) { c.MaxUsesPerCustomer = 0 }, fault.CodeInvalidRequest},
		{"the longest description", func(c *Code) { c.Description = strings.Repeat("ß", MaxDescriptionLength) }, ""},
		{"one past it", func(c *Code) { c.Description = strings.Repeat("d", MaxDescriptionLength+1) }, fault.CodeInvalidRequest},
	} {
		t.Run(c.name, func(t *testing.T) {
			code := goodCode()
			c.change(&code)
			if got := fault.CodeOf(code.Validate(defs)); got != c.code {
				t.Errorf("%q, want %q", got, c.code)
			}
		})
	}
}

func TestCodePrefix(t *testing.T) {
	for prefix, want := range map[string]bool{
		"": true, "GIFT-": true, strings.Repeat("x", 44): true, strings.Repeat("x", 45): false, "a b": false, "é": false,
	} {
		if got := ValidCodePrefix(prefix, 20); got != want {
			t.Errorf("%q: %v", prefix, got)
		}
	}
}
