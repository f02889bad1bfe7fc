package client

import (
	"net/url"
	"reflect"
	"strconv"
	"strings"

	"github.com/seed42445051/scrip/clock"
	v1 "github.com/seed42445051/scrip/v1"
)

// at is the path of something named by an id that may be any text.
func at(collection, id string, action ...string) string {
	escaped := url.PathEscape(id)
	if strings.Trim(id, ".") == "" {
		escaped = strings.ReplaceAll(id, ".", "%2E") // what would be a step in the path
	}
	return strings.Join(append([]string{collection, escaped}, action...), "/")
}

// query writes the fields that are set as parameters, with ? before them.
func query(q any) string {
	values := url.Values{}
	fields := reflect.ValueOf(q)
	for name, field := range fields.Fields() {
		if field.IsZero() {
			continue
		}
		text := ""
		switch v := field.Interface().(type) {
		case string:
			text = v
		case bool:
			text = "true"
		case int:
			text = strconv.Itoa(v)
		case int64:
			text = strconv.FormatInt(v, 10)
		case clock.Instant:
			text = v.String()
		}
		values.Set(name.Tag.Get("query"), text)
	}
	if len(values) == 0 {
		return ""
	}
	return "?" + values.Encode()
}

// clearing makes a nil list, which means "none any more" in Go, an empty one: as null it would
// mean "as it is".
func clearing(r v1.UpdateCredit) v1.UpdateCredit {
	if r.Scope != nil && *r.Scope == nil {
		r.Scope = &[]v1.Rule{}
	}
	if r.DrawOrder != nil && *r.DrawOrder == nil {
		r.DrawOrder = &v1.DrawOrder{}
	}
	return r
}

// emptying does the same for an endpoint: nil means none any more.
func emptying(r v1.UpdateWebhookEndpoint) v1.UpdateWebhookEndpoint {
	if r.Events != nil && *r.Events == nil {
		r.Events = &[]string{}
	}
	if r.Headers != nil && *r.Headers == nil {
		r.Headers = &map[string]string{}
	}
	if r.Metadata != nil && *r.Metadata == nil {
		r.Metadata = &v1.Metadata{}
	}
	return r
}
