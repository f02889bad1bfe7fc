package catalog

import (
	"strings"

	"github.com/seed42445051/scrip/fault"
)

// Operator compares a property of an event with a value.
type Operator string

// The eight operators of a filter (dodo.md section 8).
const (
	Equals              Operator = "equals"
	NotEquals           Operator = "not_equals"
	GreaterThan         Operator = "greater_than"
	GreaterThanOrEquals Operator = "greater_than_or_equals"
	LessThan            Operator = "less_than"
	LessThanOrEquals    Operator = "less_than_or_equals"
	Contains            Operator = "contains"
	DoesNotContain      Operator = "does_not_contain"
)

// Conjunction joins the clauses of a filter.
type Conjunction string

// The conjunctions.
const (
	And Conjunction = "and"
	Or  Conjunction = "or"
)

// Limits of a filter.
const (
	MaxFilterDepth   = 3
	MaxFilterClauses = 20
)

// Filter is a tree of conditions. Its clauses are either all conditions or all filters.
type Filter struct {
	Conjunction Conjunction `json:"conjunction"`
	Conditions  []Condition `json:"conditions,omitempty"`
	Filters     []Filter    `json:"filters,omitempty"`
}

// Condition compares one property.
type Condition struct {
	Key      string   `json:"key"`
	Operator Operator `json:"operator"`
	Value    Value    `json:"value"`
}

// Accepts reports whether an event with this metadata passes. A property that the event lacks
// fails its condition, whatever the operator: such an event does not count.
func (f *Filter) Accepts(metadata Values) bool {
	if f == nil {
		return true
	}
	all := f.Conjunction != Or
	for i := range f.Conditions {
		if f.Conditions[i].holds(metadata) != all {
			return !all
		}
	}
	for i := range f.Filters {
		if f.Filters[i].Accepts(metadata) != all {
			return !all
		}
	}
	return all
}

func (c *Condition) holds(metadata Values) bool {
	have, ok := metadata[c.Key]
	if !ok || have.Kind == NullValue {
		return false
	}
	switch c.Operator {
	case Equals:
		return sameValue(have, c.Value)
	case NotEquals:
		return !sameValue(have, c.Value)
	case Contains:
		return strings.Contains(have.Text, c.Value.Text)
	case DoesNotContain:
		return !strings.Contains(have.Text, c.Value.Text)
	}
	a, okA := have.Micros()
	b, okB := c.Value.Micros()
	if !okA || !okB {
		return false
	}
	switch c.Operator {
	case GreaterThan:
		return a > b
	case GreaterThanOrEquals:
		return a >= b
	case LessThan:
		return a < b
	default:
		return a <= b
	}
}

// sameValue compares numbers as numbers, also where one of them came as text.
func sameValue(a, b Value) bool {
	if a.Kind == NumberValue || b.Kind == NumberValue {
		x, okA := a.Micros()
		y, okB := b.Micros()
		return okA && okB && x == y
	}
	return a.Text == b.Text
}

// Validate checks the vocabulary, the depth and the size of a filter.
func (f *Filter) Validate() error { return f.validate(1) }

func (f *Filter) validate(depth int) error {
	const op = "catalog.Filter.Validate"
	if f == nil {
		return nil
	}
	if depth > MaxFilterDepth {
		return fault.New(op, fault.CodeInvalidRequest, "a filter is at most %d levels deep", MaxFilterDepth).In("filter")
	}
	if f.Conjunction != And && f.Conjunction != Or {
		return fault.New(op, fault.CodeInvalidRequest, "a filter's conjunction must be and, or or").In("filter.conjunction")
	}
	if (len(f.Conditions) == 0) == (len(f.Filters) == 0) {
		return fault.New(op, fault.CodeInvalidRequest, "a filter's clauses must be all conditions or all filters, and at least one").In("filter.clauses")
	}
	if len(f.Conditions)+len(f.Filters) > MaxFilterClauses {
		return fault.New(op, fault.CodeInvalidRequest, "a filter has at most %d clauses a level", MaxFilterClauses).In("filter.clauses")
	}
	for i := range f.Conditions {
		if err := f.Conditions[i].validate(); err != nil {
			return err
		}
	}
	for i := range f.Filters {
		if err := f.Filters[i].validate(depth + 1); err != nil {
			return err
		}
	}
	return nil
}

func (c *Condition) validate() error {
	const op = "catalog.Condition.validate"
	if c.Key == "" || Longer(c.Key, MaxEventNameLength) {
		return fault.New(op, fault.CodeInvalidRequest, "a condition needs the key of a metadata property").In("filter.key")
	}
	switch c.Operator {
	case Equals, NotEquals, Contains, DoesNotContain:
		return nil
	case GreaterThan, GreaterThanOrEquals, LessThan, LessThanOrEquals:
		if _, ok := c.Value.Micros(); !ok {
			return fault.New(op, fault.CodeInvalidRequest, "%s compares numbers, and %q is none", c.Operator, clip(c.Value.Text)).In("filter.value")
		}
		return nil
	}
	return fault.New(op, fault.CodeInvalidRequest, "operator %q is unknown: use equals, not_equals, greater_than, greater_than_or_equals, less_than, less_than_or_equals, contains or does_not_contain", clip(string(c.Operator))).In("filter.operator")
}
