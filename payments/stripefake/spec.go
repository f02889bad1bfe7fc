package stripefake

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// The limits of metadata.
const (
	mostMetadata      = 50
	mostMetadataName  = 40
	mostMetadataValue = 500
)

// spec is the tree of the parameters that a call knows. It is written as words:
//
//	amount:int! mode:payment|setup line_items[*][price] metadata[*]
//
// A name * stands for any. After a colon comes what values must be: int, bool,
// or one of the words; otherwise they are text. An exclamation mark is for
// those that must be there.
type spec struct {
	kind     string
	leaf     bool
	required bool
	fields   map[string]*spec
}

// parseSpec reads the words. They are written in this package, and a wrong one
// would be found by every test of its route.
func parseSpec(words string) *spec {
	root := &spec{}
	for _, word := range strings.Fields(words) {
		word, required := strings.CutSuffix(word, "!")
		name, kind, _ := strings.Cut(word, ":")
		path, _ := splitKey(name)
		at := root
		for _, part := range path {
			if at.fields == nil {
				at.fields = map[string]*spec{}
			}
			if at.fields[part] == nil {
				at.fields[part] = &spec{}
			}
			at = at.fields[part]
		}
		at.kind, at.leaf, at.required = kind, true, required
	}
	return root
}

// check finds the first parameter that the call does not know, that is not what
// it must be, or that is missing.
func (s *spec) check(f *form) error {
	if err := s.below(f, nil); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(s.fields)) {
		if s.fields[name].required && f.text(name) == "" {
			return missingParam(name)
		}
	}
	return nil
}

func (s *spec) below(f *form, path []string) error {
	for _, name := range slices.Sorted(maps.Keys(f.fields)) {
		inner := append(slices.Clone(path), name)
		child := f.fields[name]
		known := s.fields[name]
		if known == nil {
			known = s.fields["*"]
		}
		if known == nil || child.leaf != known.leaf {
			return invalid("parameter_unknown", key(inner), "Received unknown parameter: %s", key(inner))
		}
		if name == "metadata" {
			if err := checkMetadata(child, inner); err != nil {
				return err
			}
		}
		if err := known.value(child, inner); err != nil {
			return err
		}
		if err := known.below(child, inner); err != nil {
			return err
		}
	}
	return nil
}

// value checks one value. An empty one unsets a parameter, so it is of any kind.
func (s *spec) value(f *form, path []string) error {
	v, name := f.value, key(path)
	switch {
	case v == "" || s.kind == "":
		return nil
	case s.kind == "int":
		if _, err := strconv.ParseInt(v, 10, 64); err != nil {
			return invalid("parameter_invalid_integer", name, "Invalid integer: %s", v)
		}
	case s.kind == "bool":
		if v != "true" && v != "false" {
			return invalid("parameter_invalid_boolean", name, "Invalid boolean: %s", v)
		}
	default:
		if words := strings.Split(s.kind, "|"); !slices.Contains(words, v) {
			return invalid("parameter_invalid", name, "Invalid %s: must be one of %s", name, strings.Join(words, ", "))
		}
	}
	return nil
}

func checkMetadata(f *form, path []string) error {
	if len(f.fields) > mostMetadata {
		return invalid("parameter_invalid", key(path), "Metadata can only have up to %d keys.", mostMetadata)
	}
	for name, value := range f.pairs() {
		if len(name) > mostMetadataName || len(value) > mostMetadataValue {
			return invalid("parameter_invalid", key(path),
				"Metadata keys can have up to %d characters and values up to %d.", mostMetadataName, mostMetadataValue)
		}
	}
	return nil
}
