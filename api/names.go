package api

import (
	"bytes"
	"encoding/json"
	"reflect"
)

// shape is which names an object of a type has; nil is any value, whose objects may have any.
type shape struct {
	fields map[string]int // the position of each among values
	values []*shape
	list   bool // a list of values[0]
}

// shapeOf reads the names that JSON gives the fields of a type.
func shapeOf(t reflect.Type) *shape {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case readsItself(t):
		return nil
	case t.Kind() == reflect.Slice:
		return &shape{list: true, values: []*shape{shapeOf(t.Elem())}}
	case t.Kind() != reflect.Struct:
		return nil
	}
	s := &shape{fields: map[string]int{}}
	for _, f := range fieldsOf(t) {
		s.fields[f.name] = len(s.values)
		s.values = append(s.values, shapeOf(f.Type))
	}
	return s
}

// exact reports whether every object in a well-formed value has each name once, and spelled as the
// shape has it. The decoder lets both pass: it takes Amount for amount, and the last of several,
// where who checked the call before it may have taken the first.
func (s *shape) exact(data []byte) bool {
	w := names{data: data}
	return w.value(s)
}

// names goes through a well-formed JSON value.
type names struct {
	data []byte
	at   int
}

func (w *names) space() byte {
	for {
		switch c := w.data[w.at]; c {
		case ' ', '\t', '\r', '\n', ',', ':':
			w.at++
		default:
			return c
		}
	}
}

func (w *names) value(s *shape) bool {
	switch w.space() {
	case '{':
		if s == nil || s.list {
			return w.anyObject()
		}
		return w.object(s)
	case '[':
		var element *shape
		if s != nil && s.list {
			element = s.values[0]
		}
		for w.at++; w.space() != ']'; {
			if !w.value(element) {
				return false
			}
		}
		w.at++
	case '"':
		w.text()
	default:
		w.at += literal(w.data[w.at:])
	}
	return true
}

func (w *names) object(s *shape) bool {
	var room [64]bool
	seen := room[:]
	if len(s.values) > len(room) {
		seen = make([]bool, len(s.values))
	}
	for w.at++; w.space() != '}'; {
		i, ok := s.fields[string(w.text())]
		if !ok || seen[i] || !w.value(s.values[i]) {
			return false
		}
		seen[i] = true
	}
	w.at++
	return true
}

func (w *names) anyObject() bool {
	var seen map[string]bool
	for w.at++; w.space() != '}'; {
		if seen == nil {
			seen = map[string]bool{}
		}
		name := string(w.text())
		if seen[name] || !w.value(nil) {
			return false
		}
		seen[name] = true
	}
	w.at++
	return true
}

// text goes past a string, and returns what it says.
func (w *names) text() []byte {
	from := w.at
	plain := true
	for w.at++; w.data[w.at] != '"'; w.at++ {
		if w.data[w.at] == '\\' {
			plain = false
			w.at++
		}
	}
	w.at++
	if plain {
		return w.data[from+1 : w.at-1]
	}
	var text string
	if json.Unmarshal(w.data[from:w.at], &text) != nil {
		return w.data[from:w.at] // never: the value is well-formed
	}
	return []byte(text)
}

// literal is the length of a number, true, false or null.
func literal(data []byte) int {
	if i := bytes.IndexAny(data, " \t\r\n,]}"); i >= 0 {
		return i
	}
	return len(data)
}

// member is a name and its value in an object.
type member struct {
	name  string
	value json.RawMessage
}

// members lists what an object has, in its order; false where the value is none.
func members(value json.RawMessage) ([]member, bool) {
	d := json.NewDecoder(bytes.NewReader(value))
	if begin, err := d.Token(); err != nil || begin != json.Delim('{') {
		return nil, false
	}
	var all []member
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, false
		}
		m := member{name: name.(string)} // what a name always is
		if d.Decode(&m.value) != nil {
			return nil, false
		}
		all = append(all, m)
	}
	return all, true
}
