package engine

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"reflect"
	"slices"

	"github.com/seed42445051/scrip/fault"
)

// requestHash is equal for equal requests: the same command with the same fields. It walks the
// command itself, because JSON leaves out fields of the same name that two embedded structs have,
// and two commands that differ in those alone would pass for one.
func requestHash(r Request) ([32]byte, error) {
	b := make([]byte, 0, 512)
	v := reflect.ValueOf(r.Command)
	if v.IsValid() {
		b = appendText(b, v.Type().String())
	}
	b = appendFlag(b, r.Preview)
	b, ok := appendValue(b, v)
	if !ok {
		return [32]byte{}, fault.New("engine.Do", fault.CodeInternalError, "the request cannot be remembered")
	}
	return sha256.Sum256(b), nil
}

// appendValue writes a value so that different values are written differently: every part has a
// length, a width or an end of its own. An empty list or map is the same as none. It reports false
// for what has no lasting value, such as a function.
func appendValue(b []byte, v reflect.Value) ([]byte, bool) {
	switch v.Kind() {
	case reflect.Invalid:
		return append(b, 0), true
	case reflect.Pointer, reflect.Interface:
		return appendPointer(b, v)
	case reflect.Struct:
		return appendStruct(b, v)
	case reflect.Slice, reflect.Array:
		return appendList(b, v)
	case reflect.Map:
		return appendMap(b, v)
	case reflect.String:
		return appendText(b, v.String()), true
	case reflect.Bool:
		return appendFlag(b, v.Bool()), true
	}
	switch {
	case v.CanInt():
		return binary.AppendVarint(b, v.Int()), true
	case v.CanUint():
		return binary.AppendUvarint(b, v.Uint()), true
	}
	return b, false
}

func appendPointer(b []byte, v reflect.Value) ([]byte, bool) {
	if v.IsNil() {
		return append(b, 0), true
	}
	return appendValue(append(b, 1), v.Elem())
}

func appendStruct(b []byte, v reflect.Value) ([]byte, bool) {
	ok := true
	for i := range v.NumField() {
		// A field that a command got later says nothing while it is empty: requests that were remembered
		// before there was such a field are still the same. Otherwise it says which it is.
		if f := v.Type().Field(i); f.Tag.Get("hash") == "later" {
			if v.Field(i).IsZero() {
				continue
			}
			b = appendText(b, f.Name)
		}
		if b, ok = appendValue(b, v.Field(i)); !ok {
			return b, false
		}
	}
	return b, true
}

func appendList(b []byte, v reflect.Value) ([]byte, bool) {
	b, ok := binary.AppendUvarint(b, uint64(v.Len())), true
	for i := range v.Len() {
		if b, ok = appendValue(b, v.Index(i)); !ok {
			return b, false
		}
	}
	return b, true
}

func appendMap(b []byte, v reflect.Value) ([]byte, bool) {
	pairs := make([][]byte, 0, v.Len())
	for each := v.MapRange(); each.Next(); {
		pair, ok := appendValue(nil, each.Key())
		if ok {
			pair, ok = appendValue(pair, each.Value())
		}
		if !ok {
			return b, false
		}
		pairs = append(pairs, pair)
	}
	slices.SortFunc(pairs, bytes.Compare)
	b = binary.AppendUvarint(b, uint64(len(pairs)))
	return append(b, bytes.Join(pairs, nil)...), true
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendFlag(b []byte, yes bool) []byte {
	if yes {
		return append(b, 1)
	}
	return append(b, 0)
}
