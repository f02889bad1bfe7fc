package catalog

import (
	"fmt"
	"strings"
	"testing"

	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/money"
)

// TestMatchEvent: exact, a prefix that ends in a dot and a star, or everything.
func TestMatchEvent(t *testing.T) {
	for _, c := range []struct {
		pattern, event string
		want           bool
	}{
		{"image.a", "image.a", true},
		{"image.a", "image.A", false},
		{"image.a", "image.a.b", false},
		{"image.*", "image.a", true},
		{"image.*", "image.a.b", true}, // the star also covers further dots
		{"image.*", "image.gemini-3.1", true},
		{"image.*", "image.", false},
		{"image.*", "image", false},
		{"image.*", "images.a", false},
		{"image.*", "video.a", false},
		{"a.b.*", "a.b.c", true},
		{"a.b.*", "a.c", false},
		{"*", "anything", true},
	} {
		if got := MatchEvent(c.pattern, c.event); got != c.want {
			t.Errorf("%q matches %q: %t", c.pattern, c.event, got)
		}
	}
}

// TestScopeMatch: the first rule that accepts the usage, with every pair of its metadata equal.
func TestScopeMatch(t *testing.T) {
	scope := Scope{
		{Event: "image.a", Metadata: map[string]string{"tier": "high"}, UnitsPerCredit: money.Ratio{Num: 1, Den: 2}},
		{Event: "image.a", Metadata: map[string]string{"tier": "high", "size": "2"}},
		{Event: "image.*", UnitsPerCredit: money.Ratio{Num: 3, Den: 1}},
		{Event: "video.x", Metadata: map[string]string{"free": ""}},
	}
	for _, c := range []struct {
		event    string
		metadata map[string]string
		rate     string // of the rule that matches; empty: none does
	}{
		{"image.a", map[string]string{"tier": "high", "size": "2"}, "0.5"},
		{"image.a", map[string]string{"tier": "low"}, "3"},
		{"image.a", nil, "3"},
		{"image.b", map[string]string{"tier": "high"}, "3"},
		{"video.x", map[string]string{"free": ""}, "0"},
		{"video.x", nil, ""}, // an absent pair is not an empty one
		{"audio", nil, ""},
	} {
		rule, ok := scope.Match(c.event, c.metadata)
		if ok != (c.rate != "") || ok && rule.UnitsPerCredit.String() != c.rate {
			t.Errorf("%s %v: matched %t by %+v, want rate %q", c.event, c.metadata, ok, rule, c.rate)
		}
	}
}

// TestCovers is the usage filter of vevee-golivekit-stripe.md section 1.4.
func TestCovers(t *testing.T) {
	for _, c := range []struct {
		rule, filter string
		want         bool
	}{
		{"image.dall-e-3", "image.dall-e-3", true},
		{"image.*", "image.dall-e-3", true},
		{"*", "image.dall-e-3", true},
		{"video.veo-3", "image.dall-e-3", false},
		{"image.dall-e-3", "image.*", true},
		{"image.*", "image.*", true},
		{"image.hd.*", "image.*", true},
		{"image.*", "image.hd.*", true},
		{"*", "image.*", true},
		{"video.veo-3", "image.*", false},
		{"video.*", "image.*", false},
		{"video.veo-3", "*", true},
		{"image.dall-e-3", "image", false},
	} {
		if got := (Rule{Event: c.rule}).Covers(c.filter); got != c.want {
			t.Errorf("rule %q concerns filter %q: %t", c.rule, c.filter, got)
		}
	}
}

func TestBroadScopes(t *testing.T) {
	for _, c := range []struct {
		scope           Scope
		broad, anything bool
	}{
		{nil, true, false},
		{Scope{{Event: "image.a"}}, false, false},
		{Scope{{Event: "image.a"}, {Event: "image.b"}}, false, false},
		{Scope{{Event: "image.a"}, {Event: "image.*"}}, true, false},
		{Scope{{Event: "*"}}, true, true},
		{Scope{{Event: "*", Metadata: map[string]string{"tier": "high"}}}, true, false},
	} {
		if c.scope.IsBroad() != c.broad || c.scope.AcceptsAnything() != c.anything {
			t.Errorf("%+v: broad %t, accepts anything %t", c.scope, c.scope.IsBroad(), c.scope.AcceptsAnything())
		}
	}
}

// TestCanonical: scopes written differently never read alike, whatever is in their texts.
func TestCanonical(t *testing.T) {
	pair := func(k, v string) map[string]string { return map[string]string{k: v} }
	scopes := []Scope{
		nil,
		{{Event: "a"}},
		{{Event: "b"}},
		{{Event: "a"}, {Event: "b"}},
		{{Event: "b"}, {Event: "a"}},
		{{Event: "a", Metadata: pair("k", "v")}},
		{{Event: "a", Metadata: pair("k", "v\nb")}},
		{{Event: "a", Metadata: pair("k", "v\n\"b\"")}},
		{{Event: "a", Metadata: pair("k", "v")}, {Event: "b"}},
		{{Event: "a", Metadata: map[string]string{"k": "v", "l": "w"}}},
		{{Event: "a", Metadata: pair("k", "v\x00l\x01w")}},
		{{Event: "a", Metadata: pair("k", `v" "l"="w`)}},
		{{Event: "a", Metadata: pair("k", "v\x022")}},
		{{Event: "a", Metadata: pair("k", "v"), UnitsPerCredit: money.Ratio{Num: 2, Den: 1}}},
		{{Event: "a", UnitsPerCredit: money.Ratio{Num: 2, Den: 1}}},
		{{Event: "a", UnitsPerCredit: money.Ratio{Num: 1, Den: 2}}},
	}
	seen := map[string]Scope{}
	for _, s := range scopes {
		text := s.Canonical()
		if other, ok := seen[text]; ok {
			t.Errorf("%+v and %+v are both %q", s, other, text)
		}
		seen[text] = s
	}
	one := Scope{{Event: "a", Metadata: map[string]string{"x": "1", "y": "2", "z": "3"}}}
	first := one.Canonical()
	for range 20 { // maps have no order
		if again := one.Canonical(); again != first {
			t.Fatalf("a scope reads %q and then %q", first, again)
		}
	}
}

func TestScopeValidate(t *testing.T) {
	rate := func(num, den int64) Scope {
		return Scope{{Event: "*", UnitsPerCredit: money.Ratio{Num: num, Den: den}}}
	}
	many := func(n int) (s Scope) {
		for i := range n {
			s = append(s, Rule{Event: fmt.Sprint("e", i)})
		}
		return s
	}
	pairs := func(n int) Scope {
		m := map[string]string{}
		for i := range n {
			m[fmt.Sprint(i)] = ""
		}
		return Scope{{Event: "*", Metadata: m}}
	}
	pair := func(key, value int) Scope {
		return Scope{{Event: "*", Metadata: map[string]string{strings.Repeat("k", key): strings.Repeat("v", value)}}}
	}
	long := strings.Repeat("e", MaxEventNameLength)
	for _, c := range []struct {
		name  string
		scope Scope
		ok    bool
	}{
		{"none", nil, true},
		{"the longest name", Scope{{Event: long}}, true},
		{"one past the longest name", Scope{{Event: long + "e"}}, false},
		{"the most rules", many(MaxRules), true},
		{"one past the most rules", many(MaxRules + 1), false},
		{"the most pairs", pairs(MaxRuleMetadata), true},
		{"one past the most pairs", pairs(MaxRuleMetadata + 1), false},
		{"the longest pair", pair(MaxRuleKey, MaxRuleValue), true},
		{"one past the longest name of a pair", pair(MaxRuleKey+1, MaxRuleValue), false},
		{"one past the longest value of a pair", pair(MaxRuleKey, MaxRuleValue+1), false},
		{"the longest name, of other letters", Scope{{Event: strings.Repeat("図", MaxEventNameLength)}}, true},
		{"one past it", Scope{{Event: strings.Repeat("図", MaxEventNameLength+1)}}, false},
		{"no event", Scope{{}}, false},
		{"a star alone after a dot", Scope{{Event: ".*"}}, false},
		{"a star without a dot", Scope{{Event: "image*"}}, false},
		{"a star in the middle", Scope{{Event: "a.*.b"}}, false},
		{"two stars", Scope{{Event: "a.**"}}, false},
		{"a control character", Scope{{Event: "a\nb"}}, false},
		{"text that is none", Scope{{Event: "a\xffb"}}, false},
		{"a rate", rate(3, 2), true},
		{"the smallest rate", rate(1, 1_000_000_000_000), true},
		{"the greatest rate", rate(1_000_000_000_000, 1), true},
		{"one past the greatest rate", rate(1_000_000_000_001, 1), false},
		{"a rate that is no decimal", rate(1, 3), false},
		{"a negative rate", rate(-1, 1), false},
		{"a rate over nothing", rate(1, 0), false},
		{"a rate over less than nothing", rate(1, -1), false},
	} {
		err := c.scope.Validate()
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
		if err != nil && fault.CodeOf(err) != fault.CodeInvalidScope {
			t.Errorf("%s: code %s", c.name, fault.CodeOf(err))
		}
	}
}

func TestValidateDrawOrder(t *testing.T) {
	for _, c := range []struct {
		name  string
		order []DrawKey
		ok    bool
	}{
		{"default", DefaultDrawOrder(), true},
		{"one key", []DrawKey{ByCategory}, true},
		{"none", nil, false},
		{"unknown", []DrawKey{ByPriority, "colour"}, false},
		{"empty key", []DrawKey{""}, false},
		{"twice", []DrawKey{ByPriority, ByExpiry, ByPriority}, false},
	} {
		err := ValidateDrawOrder(c.order)
		if (err == nil) != c.ok || (err != nil && fault.CodeOf(err) != fault.CodeInvalidDrawOrder) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	for _, name := range []string{PresetDefault, PresetFIFO, PresetPromotionalFirst} {
		order, ok := DrawPreset(name)
		if err := ValidateDrawOrder(order); !ok || err != nil {
			t.Errorf("preset %s: %v, %v", name, order, err)
		}
	}
	if _, ok := DrawPreset("random"); ok {
		t.Error("an unknown preset is accepted")
	}
	if order := DefaultDrawOrder(); fmt.Sprint(order) != "[priority expires_at category effective_at created_at]" {
		t.Errorf("the default is %v", order) // design section 5.1
	}
}
