package catalog

import (
	"reflect"
	"strings"
	"testing"

	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/money"
)

// FuzzScope makes a scope of whatever comes: it is refused with the code of scopes, or else it
// matches as its words say, and has a canonical text that no other scope has.
func FuzzScope(f *testing.F) {
	for _, seed := range [][6]string{
		{"image.*", "size", "hd", "2", "image.a", "hd"},
		{"*", "", "", "", "chat", ""},
		{"chat", "k", "v", "0.5", "chat", "w"},
		{"a.*.b", "k", "v", "1e400", "a.x.b", "v"},
		{".*", "\x00", "\xff", "-1", "x", "\xff"},
		{`a" b`, `k"="v`, `"`, "1/3", `a" b`, `"`},
		{"a\n", "k", "v", "999999999999", "a\n", "v"},
	} {
		f.Add(seed[0], seed[1], seed[2], seed[3], seed[4], seed[5])
	}
	f.Fuzz(func(t *testing.T, pattern, key, value, units, event, have string) {
		rule := Rule{Event: pattern, Metadata: map[string]string{key: value}}
		if ratio, err := money.ParseRatio(units); err == nil {
			rule.UnitsPerCredit = ratio
		}
		scope := Scope{rule, {Event: "other"}}
		if err := scope.Validate(); err != nil {
			if fault.CodeOf(err) != fault.CodeInvalidScope || fault.As(err).Field == "" {
				t.Fatalf("%q is refused with %v", pattern, err)
			}
			return
		}
		got, ok := scope.Match(event, map[string]string{key: have})
		if first := covers(pattern, event) && have == value; first != (ok && reflect.DeepEqual(got, rule)) && event != "other" {
			t.Fatalf("%q with %q=%q accepts %q with %q: %t", pattern, key, value, event, have, ok)
		}
		if _, ok := scope.Match(event, nil); ok && event != "other" {
			t.Fatalf("%q with %q=%q accepts %q without metadata", pattern, key, value, event)
		}
		if !rule.Covers(pattern) {
			t.Fatalf("%q does not concern itself", pattern)
		}
		apart(t, scope, Scope{{Event: event, Metadata: map[string]string{key: have}, UnitsPerCredit: rule.UnitsPerCredit}, {Event: "other"}})
		apart(t, scope, scope[:1])
		apart(t, scope, Scope{{Event: pattern, Metadata: map[string]string{value: key}, UnitsPerCredit: rule.UnitsPerCredit}, {Event: "other"}})
	})
}

// covers is MatchEvent, written down anew.
func covers(pattern, event string) bool {
	if pattern == "*" || pattern == event {
		return true
	}
	prefix, isGlob := strings.CutSuffix(pattern, "*")
	return isGlob && prefix != "" && len(event) > len(prefix) && event[:len(prefix)] == prefix
}

// apart finds two scopes to share their canonical text exactly when they are the same.
func apart(t *testing.T, a, b Scope) {
	t.Helper()
	if same := reflect.DeepEqual(a, b); same != (a.Canonical() == b.Canonical()) {
		t.Fatalf("%+v and %+v are the same: %t, and read %q and %q", a, b, same, a.Canonical(), b.Canonical())
	}
}
