package dodo

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"

	"github.com/seed42445051/scrip/fault"
)

// optional tells a field that is absent from one that is null and one that has a value: a PATCH
// leaves, clears and sets (dodo.md section 4).
type optional[T any] struct {
	given bool
	null  bool
	value T
}

// UnmarshalJSON reads a value or null.
func (o *optional[T]) UnmarshalJSON(data []byte) error {
	o.given, o.null = true, string(data) == "null"
	if o.null {
		return nil
	}
	return json.Unmarshal(data, &o.value)
}

// has reports whether there is a value.
func (o optional[T]) has() bool { return o.given && !o.null }

// apply sets what the field says: nothing when absent, the zero value when null.
func (o optional[T]) apply(to *T) {
	if o.given {
		*to = o.value
	}
}

// pointer is the value, or nil.
func (o optional[T]) pointer() *T {
	if !o.has() {
		return nil
	}
	return &o.value
}

// setting is what the field says: nil when absent, the zero value when null.
func (o *optional[T]) setting() *T {
	if !o.given {
		return nil
	}
	return &o.value
}

// or is the field, or another one where it is absent.
func (o optional[T]) or(older optional[T]) optional[T] {
	if o.given {
		return o
	}
	return older
}

// decode reads the body. Fields that the vendor has and Scrip does not know are passed over, as
// the vendor passes over what it does not know: newer SDKs send newer fields.
func (c *call) decode(into any) error {
	body := bytes.TrimSpace(c.body)
	if len(body) == 0 || body[0] != '{' {
		return invalidBody("the body must be a JSON object")
	}
	err := json.Unmarshal(body, into)
	switch {
	case err == nil:
		return nil
	case !json.Valid(body):
		return invalidBody("the body is not one well-formed JSON object")
	}
	return blame(body, reflect.TypeOf(into).Elem())
}

// blame finds the field that does not have the form that it should. The decoder cannot say it
// where a type reads itself, as optional does.
func blame(body []byte, t reflect.Type) error {
	var given map[string]json.RawMessage
	if err := json.Unmarshal(body, &given); err != nil {
		return invalidBody("the body must be a JSON object")
	}
	for f := range t.Fields() {
		name := f.Tag.Get("json")
		value, ok := given[name]
		if !ok {
			continue
		}
		err := json.Unmarshal(value, reflect.New(f.Type).Interface())
		if known, ok := errors.AsType[*fault.Error](err); ok {
			return invalidBody(name + ": " + known.Message)
		}
		if err != nil {
			return invalidBody(name + " has the wrong type")
		}
	}
	return invalidBody("a field of the body has the wrong type")
}
