package apply_test

import (
	"strings"
	"testing"

	"github.com/seed42445051/scrip/apply"
	"github.com/seed42445051/scrip/fault"
	v1 "github.com/seed42445051/scrip/v1"
)

const coded = `
credits: [{name: tokens, unit: token, precision: 3}]
packs: [{name: Starter, items: [{credit_id: tokens, amount: 5}]}]
codes:
  - {code: Summer-25, credit_id: TOKENS, amount: 0.125, expires_after_days: 30, max_uses: 500, max_uses_per_customer: 2, valid_from: 2026-03-01T00:00:00Z, valid_until: "2040-01-01T00:00:00Z", description: newsletter, metadata: {season: "2"}}
  - {code: pack-1, pack_id: starter, category: promotional}
`

// TestCodes makes codes, changes and archives them.
func TestCodes(t *testing.T) {
	everywhere(t, func(t *testing.T, ops v1.Operations) {
		diff, text := compare(t, ops, coded)
		const want = `+ code "Summer-25"
    gives: 0.125 of "tokens"
    category: promotional
    expires_after_days: 30
    valid_from: 2026-03-01T00:00:00Z
    valid_until: 2040-01-01T00:00:00Z
    max_uses: 500
    max_uses_per_customer: 2
    description: newsletter
    metadata: season="2"
+ code "pack-1"
    gives: pack "Starter"
    category: promotional
    max_uses_per_customer: 1
`
		if !strings.HasSuffix(text, want) {
			t.Fatalf("the difference is\n%s", text)
		}
		if ops == nil {
			return
		}
		if err := diff.Apply(t.Context()); err != nil {
			t.Fatal(err)
		}
		if again, text := compare(t, ops, coded); !again.Empty() {
			t.Fatalf("applied again it is\n%s", text)
		}
		edited := strings.NewReplacer("Summer-25", "SUMMER-25", "max_uses: 500", "max_uses: 900", ", description: newsletter, metadata: {season: \"2\"}", "",
			`, valid_until: "2040-01-01T00:00:00Z"`, "", "category: promotional}", "category: promotional, archived: true}").Replace(coded)
		diff, text = compare(t, ops, edited)
		const change = `~ code "Summer-25"
    valid_until: 2040-01-01T00:00:00Z -> (not set)
    max_uses: 500 -> 900
    description: newsletter -> (not set)
    metadata: season="2" -> (not set)
- code "pack-1" is archived; what it gave stays
`
		if text != change {
			t.Fatalf("the difference is\n%s", text)
		}
		if err := diff.Apply(t.Context()); err != nil {
			t.Fatal(err)
		}
		if again, text := compare(t, ops, edited); !again.Empty() {
			t.Fatalf("applied again it is\n%s", text)
		}
		code, err := ops.GetCode(t.Context(), "summer-25")
		if err != nil || code.MaxUses != 900 || !code.ValidUntil.IsZero() || code.ValidFrom.IsZero() || len(code.Metadata) > 0 {
			t.Errorf("%+v, %v", code, err)
		}
		f, err := apply.Read("f", []byte(strings.Replace(edited, "0.125", "0.25", 1)))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Compare(t.Context(), ops); fault.CodeOf(err) != fault.CodeInvalidConfig || !strings.Contains(err.Error(), "f:5: what the code") {
			t.Errorf("another gift: %v", err)
		}
	})
}

// TestCodesRefused has what a file may not say of codes.
func TestCodesRefused(t *testing.T) {
	for text, want := range map[string]string{
		"codes: [{credit_id: t, amount: 1}]":                                                  "f:2: code is missing",
		"codes: [{code: abc, count: 5, credit_id: t, amount: 1}]":                             "f:2: count and prefix",
		"codes: [{code: abc, prefix: x, credit_id: t, amount: 1}]":                            "f:2: count and prefix",
		"codes: [{code: ab, credit_id: t, amount: 1}]":                                        "f:2: code: a code has 3 to 64",
		"codes: [{code: abc, pack_id: none}]":                                                 "f:2: pack_id: there is no pack",
		"codes: [{code: abc, credit_id: t}]":                                                  "amount is missing",
		"codes: [{code: abc, credit_id: t, amount: 1, valid_from: soon}]":                     "f:2:",
		"codes: [{code: abc, credit_id: t, amount: 1}, {code: ABC, credit_id: t, amount: 1}]": `f:2: the file has the code "ABC" twice`,
	} {
		f, err := apply.Read("f", []byte("credits: [{name: t, unit: u}]\n"+text))
		if err == nil {
			_, err = f.Compare(t.Context(), nil)
		}
		if fault.CodeOf(err) != fault.CodeInvalidConfig || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
