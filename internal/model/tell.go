package model

import (
	"fmt"
	"reflect"
	"strings"
)

// tell writes a value down with only the fields that are set, and what pointers point at.
func tell(v any) string {
	var b strings.Builder
	tellTo(&b, reflect.ValueOf(v))
	return b.String()
}

func tellTo(b *strings.Builder, v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		tellTo(b, v.Elem())
	case reflect.Struct:
		b.WriteByte('{')
		first := true
		for i := range v.NumField() {
			if v.Field(i).IsZero() || !v.Type().Field(i).IsExported() {
				continue
			}
			if !first {
				b.WriteByte(' ')
			}
			first = false
			if !v.Type().Field(i).Anonymous {
				b.WriteString(v.Type().Field(i).Name + ":")
			}
			tellTo(b, v.Field(i))
		}
		b.WriteByte('}')
	default:
		text := fmt.Sprintf("%v", v)
		if len(text) > 300 {
			text = text[:300] + "..."
		}
		b.WriteString(text)
	}
}
