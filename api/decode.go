package api

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/seed42445051/scrip/fault"
)

const opDecode = "api.decode"

// reader returns what reads bodies of one type: one JSON object of known fields, within what
// their tags allow.
func reader[In any]() func([]byte) (In, error) {
	t := reflect.TypeFor[In]()
	checks, names := checksOf(t), shapeOf(t)
	return func(data []byte) (In, error) {
		var in In
		if err := decode(data, &in, names); err != nil {
			return in, err
		}
		if found := run(checks, reflect.ValueOf(&in).Elem(), ""); found != nil {
			return in, found
		}
		return in, nil
	}
}

// decode reads a body strictly: each name once, and as it is documented. No body at all reads as
// an object without fields, so that what it lacks is named.
func decode(data []byte, into any, names *shape) error {
	data = bytes.TrimSpace(data)
	if len(data) == 0 {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	switch {
	case err != nil && !json.Valid(data), err == nil && d.InputOffset() != int64(len(data)):
		return fault.New(opDecode, fault.CodeInvalidJSON, "the body is not one well-formed JSON value").Because(err)
	case data[0] != '{':
		return fault.New(opDecode, fault.CodeInvalidJSON, "the body must be a JSON object")
	case err != nil || !names.exact(data):
		return explain(reflect.TypeOf(into).Elem(), data, err)
	}
	return nil
}

// explain finds out which field made decoding fail, and why. The decoder cannot say it where a
// type reads itself, as amounts and instants do.
func explain(t reflect.Type, data []byte, cause error) error {
	if found := locate(t, data, ""); found != nil {
		return found.Because(cause)
	}
	return fault.New(opDecode, fault.CodeInvalidJSON, "the body does not have the form that this call reads").Because(cause)
}

// locate returns the first thing wrong in a value of type t; nil when nothing is. The value is
// well-formed.
func locate(t reflect.Type, value json.RawMessage, path string) *fault.Error {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if string(value) == "null" {
		return nil
	}
	if !readsItself(t) {
		switch t.Kind() {
		case reflect.Struct:
			return locateField(t, value, path)
		case reflect.Slice:
			return locateElement(t, value, path)
		}
	}
	err := json.Unmarshal(value, reflect.New(t).Interface())
	if err == nil {
		return repeated(value, path)
	}
	if known, ok := errors.AsType[*fault.Error](err); ok {
		return known.In(path)
	}
	return wrongType(path, t)
}

func locateField(t reflect.Type, value json.RawMessage, path string) *fault.Error {
	given, ok := members(value)
	if !ok {
		return wrongType(path, t)
	}
	known := fieldsOf(t)
	for _, m := range given {
		i := slices.IndexFunc(known, func(f field) bool { return f.name == m.name })
		if i < 0 {
			return unknown(opDecode, "field", m.name, namesOf(known)).In(join(path, clip(m.name)))
		}
		if found := locate(known[i].Type, m.value, join(path, m.name)); found != nil {
			return found
		}
	}
	return repeated(value, path)
}

// repeated finds a name that an object has more than once, here or further inside.
func repeated(value json.RawMessage, path string) *fault.Error {
	var list []json.RawMessage
	if json.Unmarshal(value, &list) == nil {
		for i, element := range list {
			if found := repeated(element, join(path, strconv.Itoa(i))); found != nil {
				return found
			}
		}
		return nil
	}
	given, _ := members(value)
	seen := map[string]bool{}
	for _, m := range given {
		at := join(path, clip(m.name))
		if seen[m.name] {
			return fault.New(opDecode, fault.CodeInvalidRequest, "%s was given more than once", at).In(at)
		}
		seen[m.name] = true
		if found := repeated(m.value, at); found != nil {
			return found
		}
	}
	return nil
}

func locateElement(t reflect.Type, value json.RawMessage, path string) *fault.Error {
	var given []json.RawMessage
	if json.Unmarshal(value, &given) != nil {
		return wrongType(path, t)
	}
	for i, element := range given {
		if found := locate(t.Elem(), element, join(path, strconv.Itoa(i))); found != nil {
			return found
		}
	}
	return nil
}

func readsItself(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return p.Implements(reflect.TypeFor[json.Unmarshaler]()) || p.Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

// field is a field of a struct under its name in JSON.
type field struct {
	reflect.StructField
	name string
}

// fieldsOf lists the fields that JSON reads into a struct, those of embedded structs included.
func fieldsOf(t reflect.Type) []field {
	var fields []field
	for _, f := range reflect.VisibleFields(t) {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); !f.Anonymous && name != "" {
			fields = append(fields, field{f, name})
		}
	}
	return fields
}

func namesOf(fields []field) []string {
	var all []string
	for _, f := range fields {
		all = append(all, f.name)
	}
	return all
}

// unknown is the error of a field or parameter that a call does not take, and says which it takes.
func unknown(op, kind, name string, known []string) *fault.Error {
	takes := "none"
	if len(known) > 0 {
		takes = strings.Join(slices.Sorted(slices.Values(known)), ", ")
	}
	return fault.New(op, fault.CodeUnknownField, "there is no %s %s here; known: %s", kind, strconv.QuoteToASCII(clip(name)), takes).In(clip(name))
}

func wrongType(path string, t reflect.Type) *fault.Error {
	return fault.New(opDecode, fault.CodeInvalidJSON, "%s must be %s", path, kindName(t.Kind())).In(path)
}

func kindName(k reflect.Kind) string {
	switch k {
	case reflect.String:
		return "text"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice:
		return "a list"
	case reflect.Struct, reflect.Map:
		return "an object"
	}
	return "a whole number that is not too large"
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// clip shortens what a caller sent, to name it in an answer.
func clip(text string) string {
	const most = 80
	if len(text) > most {
		return strings.ToValidUTF8(text[:most], "") + "..."
	}
	return text
}
