package catalog

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/money"
)

// Value is one value of an event's metadata: text, a number or a truth value, kept as it was
// written.
type Value struct {
	Kind ValueKind
	Text string // the text, or the literal of a number or truth value
}

// ValueKind says what a Value is.
type ValueKind uint8

// The kinds of value.
const (
	TextValue ValueKind = iota
	NumberValue
	BoolValue
	NullValue
)

// Text makes a text value.
func Text(s string) Value { return Value{Text: s} }

// Number makes a number of its literal.
func Number(literal string) Value { return Value{Kind: NumberValue, Text: literal} }

// Values is the metadata of an event.
type Values map[string]Value

// Micros is the value as a number in millionths, rounded half away from zero; text that reads
// as a number counts as one (design section 5.6).
func (v Value) Micros() (int64, bool) {
	if v.Kind != NumberValue && v.Kind != TextValue {
		return 0, false
	}
	return money.ParseRounded(strings.TrimSpace(v.Text), 6)
}

// String is the value's text.
func (v Value) String() string { return v.Text }

// MarshalJSON writes the value as it was read.
func (v Value) MarshalJSON() ([]byte, error) {
	switch v.Kind {
	case TextValue:
		return json.Marshal(v.Text)
	case NullValue:
		return []byte("null"), nil
	}
	return []byte(v.Text), nil
}

// UnmarshalJSON reads text, a number, a truth value or null, and refuses anything deeper.
func (v *Value) UnmarshalJSON(data []byte) error {
	data = bytes.TrimSpace(data)
	switch data[0] {
	case '"':
		v.Kind = TextValue
		return json.Unmarshal(data, &v.Text)
	case '{', '[':
		return fault.New("catalog.Value", fault.CodeInvalidMetadata, "metadata values must be text, numbers or truth values, not objects or lists").In("metadata")
	case 'n':
		v.Kind, v.Text = NullValue, ""
	case 't', 'f':
		v.Kind, v.Text = BoolValue, string(data)
	default:
		v.Kind, v.Text = NumberValue, string(data)
	}
	return nil
}

// Text is the metadata as JSON; empty for none.
func (vs Values) Text() string {
	if len(vs) == 0 {
		return ""
	}
	b := make([]byte, 0, 32*len(vs))
	b = append(b, '{')
	for i, key := range slices.Sorted(maps.Keys(vs)) {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendJSON(b, key), ':')
		switch v := vs[key]; v.Kind {
		case TextValue:
			b = appendJSON(b, v.Text)
		case NullValue:
			b = append(b, "null"...)
		default:
			b = append(b, v.Text...)
		}
	}
	return string(append(b, '}'))
}

// appendJSON writes text as a JSON string. Nearly all of it needs no escape, and events are many.
func appendJSON(b []byte, text string) []byte {
	for i := range len(text) {
		if c := text[i]; c < 0x20 || c == '"' || c == '\\' || c >= 0x7f {
			quoted, _ := json.Marshal(text) // text always marshals
			return append(b, quoted...)
		}
	}
	return append(append(append(b, '"'), text...), '"')
}

// Strings is the metadata as flat text, for rules that compare text.
func (vs Values) Strings() map[string]string {
	if len(vs) == 0 {
		return nil
	}
	out := make(map[string]string, len(vs))
	for key, v := range vs {
		out[key] = v.Text
	}
	return out
}

// ValuesOf makes metadata of flat text.
func ValuesOf(text map[string]string) Values {
	if len(text) == 0 {
		return nil
	}
	out := make(Values, len(text))
	for key, s := range text {
		out[key] = Text(s)
	}
	return out
}
