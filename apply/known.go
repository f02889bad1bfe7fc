package apply

import (
	"encoding"
	"encoding/json"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// checkFields refuses names that mean nothing where they stand, and says which do.
func (f *File) checkFields(n ast.Node, t reflect.Type) error {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if anchor, ok := n.(*ast.AnchorNode); ok {
		n = anchor.Value
	}
	if readsItself(t) {
		return nil
	}
	switch n := n.(type) {
	case *ast.SequenceNode:
		for _, element := range n.Values {
			if t.Kind() != reflect.Slice {
				break
			}
			if err := f.checkFields(element, t.Elem()); err != nil {
				return err
			}
		}
	case *ast.MappingNode:
		for _, pair := range n.Values {
			if err := f.checkField(pair, t); err != nil {
				return err
			}
		}
	case *ast.MappingValueNode:
		return f.checkField(n, t)
	}
	return nil
}

func (f *File) checkField(pair *ast.MappingValueNode, t reflect.Type) error {
	if _, merged := pair.Key.(*ast.MergeKeyNode); merged || t.Kind() != reflect.Struct {
		return nil
	}
	name := pair.Key.GetToken().Value
	var known []string
	for _, field := range reflect.VisibleFields(t) {
		is, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if is == "" {
			continue
		}
		if is == name {
			return f.checkFields(pair.Value, field.Type)
		}
		known = append(known, is)
	}
	slices.Sort(known)
	return f.wrong(pair.Key, "unknown field %q; known: %s", name, strings.Join(known, ", "))
}

func readsItself(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return p.Implements(reflect.TypeFor[json.Unmarshaler]()) || p.Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}
