package api

import (
	"net/url"
	"reflect"
	"slices"
	"strconv"

	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
)

// readQuery reads the parameters of a query into the fields that bear their names. A parameter
// that no field bears is refused, since a misspelt filter would show too much.
func readQuery(given url.Values, into reflect.Value) error {
	const op = "api.readQuery"
	read := 0
	for i := range into.NumField() {
		name := into.Type().Field(i).Tag.Get("query")
		values, ok := given[name]
		if !ok {
			continue
		}
		read++
		if len(values) > 1 {
			return fault.New(op, fault.CodeInvalidRequest, "%s was given more than once", name).In(name)
		}
		if err := readParameter(values[0], into.Type().Field(i).Tag, into.Field(i)); err != nil {
			return fault.As(err).In(name)
		}
	}
	if read == len(given) {
		return nil
	}
	known := parameterNames(into.Type())
	for name := range given {
		if !slices.Contains(known, name) {
			return unknown(op, "parameter", name, known)
		}
	}
	return nil
}

func readParameter(text string, tag reflect.StructTag, into reflect.Value) error {
	switch field := into.Addr().Interface().(type) {
	case *string:
		*field = text
	case *clock.Instant:
		return field.UnmarshalText([]byte(text))
	case *bool:
		if text != "true" && text != "false" {
			return fault.New("api.readParameter", fault.CodeInvalidRequest, "it must be true or false")
		}
		*field = text == "true"
	case *int: // the size of a page, or where it begins
		n, err := strconv.Atoi(text)
		if least, _ := strconv.Atoi(tag.Get("minimum")); err != nil || n < least {
			return fault.New("api.readParameter", fault.CodeInvalidLimit, "it must be a whole number, %d at least", least)
		}
		*field = n
	case *int64: // minor units
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 0 {
			return fault.New("api.readParameter", fault.CodeInvalidAmount, "it must be a whole number of minor units, 0 at least")
		}
		*field = n
	}
	return nil
}

func parameterNames(t reflect.Type) []string {
	var names []string
	for i := range t.NumField() {
		names = append(names, t.Field(i).Tag.Get("query"))
	}
	return names
}
