package model

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Dump writes down everything that a value holds, what pointers point at and what is not exported
// included: two dumps are equal when nothing differs.
func Dump(v any) string {
	var b strings.Builder
	dumpTo(&b, reflect.ValueOf(v))
	return b.String()
}

func dumpTo(b *strings.Builder, v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			b.WriteString("nil")
			return
		}
		dumpTo(b, v.Elem())
	case reflect.Struct:
		b.WriteByte('{')
		for i := range v.NumField() {
			b.WriteString(v.Type().Field(i).Name + ":")
			dumpTo(b, v.Field(i))
			b.WriteByte(' ')
		}
		b.WriteByte('}')
	case reflect.Slice, reflect.Array:
		if v.Len() > 0 && v.Index(0).Kind() == reflect.Uint8 {
			fmt.Fprintf(b, "%x", v)
			return
		}
		b.WriteByte('[')
		for i := range v.Len() {
			dumpTo(b, v.Index(i))
			b.WriteByte(' ')
		}
		b.WriteByte(']')
	case reflect.Map:
		var lines []string
		for _, key := range v.MapKeys() {
			var line strings.Builder
			dumpTo(&line, key)
			line.WriteByte('=')
			dumpTo(&line, v.MapIndex(key))
			lines = append(lines, line.String())
		}
		slices.Sort(lines)
		b.WriteString("map[" + strings.Join(lines, " ") + "]")
	default:
		fmt.Fprintf(b, "%v", v)
	}
}
