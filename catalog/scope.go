package catalog

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/money"
)

// Rule accepts a kind of usage: an event name and metadata that must be equal
// (vevee-golivekit-stripe.md section 1.1).
type Rule struct {
	// Event is an exact name, a prefix glob ("image.*", where the star also covers further
	// dots), or "*" for everything.
	Event string `json:"event"`
	// Metadata lists pairs that must all be present and equal.
	Metadata map[string]string `json:"metadata,omitempty"`
	// UnitsPerCredit is how much quantity one credit pays for; zero reads as one.
	UnitsPerCredit money.Ratio `json:"units_per_credit,omitzero"`
}

// Scope is the list of rules of which any may accept. An empty scope has no opinion: see
// Grant.Scope in package wallet for what that means to a grant.
type Scope []Rule

// Limits on scopes.
const (
	MaxRules           = 20
	MaxEventNameLength = 200
	MaxRuleMetadata    = 10
	// MaxRuleKey and MaxRuleValue bound a compared pair, in bytes, as metadata itself is bounded: a
	// longer one could never be equal.
	MaxRuleKey   = 100
	MaxRuleValue = 500
	// maxRatioPart keeps every conversion inside 128 bits: a rate is a decimal of at most
	// twelve digits on either side of the point.
	maxRatioPart = 1_000_000_000_000
)

// Match returns the first rule that accepts the usage.
func (s Scope) Match(event string, metadata map[string]string) (Rule, bool) {
	for _, rule := range s {
		if rule.accepts(event, metadata) {
			return rule, true
		}
	}
	return Rule{}, false
}

func (r Rule) accepts(event string, metadata map[string]string) bool {
	if !MatchEvent(r.Event, event) {
		return false
	}
	for key, want := range r.Metadata {
		if got, ok := metadata[key]; !ok || got != want {
			return false
		}
	}
	return true
}

// MatchEvent reports whether a pattern (exact, "prefix.*" or "*") covers an event name.
func MatchEvent(pattern, event string) bool {
	if pattern == "*" {
		return true
	}
	if prefix, ok := strings.CutSuffix(pattern, "*"); ok && strings.HasSuffix(prefix, ".") {
		return strings.HasPrefix(event, prefix) && len(event) > len(prefix)
	}
	return pattern == event
}

// Covers reports whether a filter given by a reader (a concrete event or a glob) concerns a
// rule: for a concrete event the rule must accept it, for a glob either may cover the other
// (vevee-golivekit-stripe.md section 1.4, usage filter).
func (r Rule) Covers(filter string) bool {
	return MatchEvent(r.Event, filter) || (IsPattern(filter) && MatchEvent(filter, r.Event))
}

// IsPattern reports whether an event name is a glob rather than one event.
func IsPattern(event string) bool { return event == "*" || strings.HasSuffix(event, ".*") }

// IsBroad reports whether any rule is a glob. Broad grants are drawn after exact ones by
// default (design section 5.1).
func (s Scope) IsBroad() bool {
	return len(s) == 0 || slices.ContainsFunc(s, func(r Rule) bool { return IsPattern(r.Event) })
}

// AcceptsAnything reports whether some rule accepts every usage.
func (s Scope) AcceptsAnything() bool {
	return slices.ContainsFunc(s, func(r Rule) bool { return r.Event == "*" && len(r.Metadata) == 0 })
}

// Canonical is a text that two scopes share exactly when they are written alike. Every part is
// quoted, so that no text in one part can pass for another.
func (s Scope) Canonical() string {
	var b []byte
	for _, rule := range s {
		b = strconv.AppendQuote(b, rule.Event)
		for _, key := range slices.Sorted(maps.Keys(rule.Metadata)) {
			b = strconv.AppendQuote(append(b, ' '), key)
			b = strconv.AppendQuote(append(b, '='), rule.Metadata[key])
		}
		if !rule.UnitsPerCredit.IsZero() {
			b = append(append(b, ' '), rule.UnitsPerCredit.String()...)
		}
		b = append(b, '\n')
	}
	return string(b)
}

// Validate checks every rule.
func (s Scope) Validate() error {
	const op = "catalog.Scope.Validate"
	if len(s) > MaxRules {
		return fault.New(op, fault.CodeInvalidScope, "a scope has at most %d rules", MaxRules).In("scope")
	}
	for _, rule := range s {
		if err := rule.validate(); err != nil {
			return err
		}
	}
	return nil
}

func (r Rule) validate() error {
	const op = "catalog.Rule.validate"
	if err := ValidateEventPattern(r.Event); err != nil {
		return err
	}
	if len(r.Metadata) > MaxRuleMetadata {
		return fault.New(op, fault.CodeInvalidScope, "a scope rule compares at most %d metadata keys", MaxRuleMetadata).In("scope.metadata")
	}
	for key, value := range r.Metadata {
		if len(key) > MaxRuleKey || len(value) > MaxRuleValue {
			return fault.New(op, fault.CodeInvalidScope, "a name in the metadata of a scope rule has at most %d bytes and a value at most %d", MaxRuleKey, MaxRuleValue).In("scope.metadata")
		}
		if !ValidText(key) || !ValidText(value) {
			return fault.New(op, fault.CodeInvalidScope, "the metadata of a scope rule must be valid Unicode without the character U+0000").In("scope.metadata")
		}
	}
	u := r.UnitsPerCredit
	if !u.IsZero() && (u.Num <= 0 || u.Num > maxRatioPart || u.Den <= 0 || maxRatioPart%u.Den != 0) {
		return fault.New(op, fault.CodeInvalidScope, "units_per_credit must be a positive decimal of at most 12 digits").In("scope.units_per_credit")
	}
	return nil
}

// ValidateEventPattern accepts an exact event name, "prefix.*" and "*".
func ValidateEventPattern(pattern string) error {
	const op = "catalog.ValidateEventPattern"
	if pattern == "*" {
		return nil
	}
	name := strings.TrimSuffix(pattern, ".*")
	if strings.Contains(name, "*") {
		return fault.New(op, fault.CodeInvalidScope, "event pattern %q is not understood: use an exact name, a prefix such as image.* or *", clip(pattern)).In("scope.event")
	}
	if err := ValidateEventName(name); err != nil {
		return fault.New(op, fault.CodeInvalidScope, "event pattern %q is not understood: use an exact name, a prefix such as image.* or *", clip(pattern)).In("scope.event")
	}
	return nil
}

// ValidateEventName accepts 1 to MaxEventNameLength printable characters without a star.
func ValidateEventName(name string) error {
	const op = "catalog.ValidateEventName"
	bad := func(r rune) bool { return r < 0x20 || r == 0x7f || r == '*' || r == '\uFFFD' }
	if name == "" || Longer(name, MaxEventNameLength) || strings.ContainsFunc(name, bad) {
		return fault.New(op, fault.CodeInvalidRequest, "event must have 1 to %d printable characters and no star", MaxEventNameLength).In("event")
	}
	return nil
}

func clip(s string) string {
	const most = 60
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "..."
}
