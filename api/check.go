package api

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/seed42445051/scrip/fault"
)

// check is what the tags of a field of a body say of its value: the same tags that the document
// is made from, so that what is written there is what is refused.
type check struct {
	name     string
	index    []int
	required bool       // text or a list that must not be empty
	optional bool       // the zero value is as good as absent
	code     fault.Code // of a value that is not allowed
	enum     []string
	min, max *int64 // of a number, of the length of text, of the length of a list
	inside   []check
}

// checksOf reads the tags of a struct.
func checksOf(t reflect.Type) []check {
	var checks []check
	for _, f := range fieldsOf(t) {
		c := check{name: f.name, index: f.Index, code: fault.CodeInvalidRequest}
		c.optional = strings.Contains(f.Tag.Get("json"), ",omit")
		if code := f.Tag.Get("code"); code != "" {
			c.code = fault.Code(code)
		}
		if enum := f.Tag.Get("enum"); enum != "" {
			c.enum = strings.Split(strings.TrimSuffix(enum, ","), ",")
		}
		kind := f.Type
		if kind.Kind() == reflect.Pointer {
			kind = kind.Elem()
		}
		switch kind.Kind() {
		case reflect.String:
			c.required = !c.optional
			c.min, c.max = bound(f, "minLength"), bound(f, "maxLength")
		case reflect.Slice:
			c.required = !c.optional
			c.min, c.max = bound(f, "minItems"), bound(f, "maxItems")
			kind = kind.Elem()
		default:
			c.min, c.max = bound(f, "minimum"), bound(f, "maximum")
		}
		if kind.Kind() == reflect.Struct && !readsItself(kind) {
			c.inside = checksOf(kind)
		}
		if c.required || c.enum != nil || c.min != nil || c.max != nil || c.inside != nil {
			checks = append(checks, c)
		}
	}
	return checks
}

func bound(f field, tag string) *int64 {
	n, err := strconv.ParseInt(f.Tag.Get(tag), 10, 64)
	if err != nil {
		return nil
	}
	return &n
}

// run holds a body against its checks.
func run(checks []check, body reflect.Value, path string) *fault.Error {
	for i := range checks {
		c := &checks[i]
		if found := c.run(body.FieldByIndex(c.index), path); found != nil {
			return found
		}
	}
	return nil
}

func (c *check) run(v reflect.Value, path string) *fault.Error {
	if v.IsZero() {
		if c.required {
			return fault.New("api.check", fault.CodeMissingField, "%s is missing", join(path, c.name)).In(join(path, c.name))
		}
		if c.optional {
			return nil
		}
	}
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	switch v.Kind() {
	case reflect.String:
		if text := v.String(); c.enum != nil && !slices.Contains(c.enum, text) {
			return c.refuse(path, "be one of "+strings.Join(c.enum, ", "))
		} else if c.outside(int64(utf8.RuneCountInString(text))) {
			return c.refuse(path, "have "+c.limits()+" characters")
		}
	case reflect.Int, reflect.Int64:
		if c.outside(v.Int()) {
			return c.refuse(path, "be "+c.limits())
		}
	case reflect.Struct:
		return run(c.inside, v, join(path, c.name))
	case reflect.Slice:
		if c.outside(int64(v.Len())) {
			return c.refuse(path, "have "+c.limits()+" elements")
		}
		for i := range v.Len() {
			if found := run(c.inside, v.Index(i), join(join(path, c.name), strconv.Itoa(i))); found != nil {
				return found
			}
		}
	}
	return nil
}

func (c *check) outside(n int64) bool {
	return c.min != nil && n < *c.min || c.max != nil && n > *c.max
}

func (c *check) limits() string {
	switch {
	case c.max == nil:
		return "at least " + strconv.FormatInt(*c.min, 10)
	case c.min == nil:
		return "at most " + strconv.FormatInt(*c.max, 10)
	}
	return strconv.FormatInt(*c.min, 10) + " to " + strconv.FormatInt(*c.max, 10)
}

func (c *check) refuse(path, how string) *fault.Error {
	field := join(path, c.name)
	return fault.New("api.check", c.code, "%s must %s", field, how).In(field)
}
