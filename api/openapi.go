package api

import (
	"bytes"
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/money"
	v1 "github.com/seed42445051/scrip/v1"
)

// schemaPrefix is where schemas are referred to.
const schemaPrefix = "#/components/schemas/"

// Stand-ins for types whose JSON is not what their Go kind suggests. They keep huma out of the
// packages of those types.
type (
	decimalSchema   struct{}
	instantSchema   struct{}
	metadataSchema  struct{}
	drawOrderSchema struct{}
	valuesSchema    struct{}
	filterSchema    struct{}
)

// Schema describes money.Decimal, once for all fields.
func (decimalSchema) Schema(registry huma.Registry) *huma.Schema {
	registry.Map()["Decimal"] = &huma.Schema{
		Type: huma.TypeString, Pattern: `^-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$`,
		Description: "Exact decimal text. In requests a JSON number is accepted as well, and read by its digits, never as a float.",
		Examples:    []any{"12.5"},
	}
	return &huma.Schema{Ref: schemaPrefix + "Decimal"}
}

// Schema describes clock.Instant and v1.Expiry.
func (instantSchema) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Format: "date-time"}
}

// Schema describes v1.Metadata.
func (metadataSchema) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{
		Type: huma.TypeObject, Description: "Flat text. Numbers and booleans are accepted and kept as their text.",
		AdditionalProperties: &huma.Schema{OneOf: []*huma.Schema{{Type: huma.TypeString}, {Type: huma.TypeNumber}, {Type: huma.TypeBoolean}}},
	}
}

// Schema describes v1.DrawOrder.
func (drawOrderSchema) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{OneOf: []*huma.Schema{
		{Type: huma.TypeString, Enum: []any{"default", "fifo", "promotional_first"}},
		{Type: huma.TypeArray, Items: &huma.Schema{Type: huma.TypeString}},
	}}
}

// Schema describes catalog.Values.
func (valuesSchema) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{
		Type: huma.TypeObject, Description: "Text, numbers and truth values, kept as they were sent.",
		AdditionalProperties: &huma.Schema{AnyOf: []*huma.Schema{
			{Type: huma.TypeString}, {Type: huma.TypeNumber}, {Type: huma.TypeBoolean}, {Type: "null"},
		}},
	}
}

// Schema describes v1.Filter: its clauses are all conditions, or all filters of the same form.
func (filterSchema) Schema(registry huma.Registry) *huma.Schema {
	value := &huma.Schema{OneOf: []*huma.Schema{{Type: huma.TypeString}, {Type: huma.TypeNumber}, {Type: huma.TypeBoolean}}}
	operators := []any{"equals", "not_equals", "greater_than", "greater_than_or_equals", "less_than", "less_than_or_equals", "contains", "does_not_contain"}
	registry.Map()["Condition"] = &huma.Schema{
		Type: huma.TypeObject, Required: []string{"key", "operator", "value"},
		Properties: map[string]*huma.Schema{"key": {Type: huma.TypeString}, "operator": {Type: huma.TypeString, Enum: operators}, "value": value},
	}
	registry.Map()["Filter"] = &huma.Schema{
		Type: huma.TypeObject, Required: []string{"conjunction", "clauses"},
		Description: "A tree of conditions on an event's metadata, at most 3 levels deep",
		Properties: map[string]*huma.Schema{
			"conjunction": {Type: huma.TypeString, Enum: []any{"and", "or"}},
			"clauses":     {Type: huma.TypeArray, Items: &huma.Schema{OneOf: []*huma.Schema{{Ref: schemaPrefix + "Condition"}, {Ref: schemaPrefix + "Filter"}}}},
		},
	}
	return &huma.Schema{Ref: schemaPrefix + "Filter"}
}

func newRegistry() huma.Registry {
	registry := huma.NewMapRegistry(schemaPrefix, huma.DefaultSchemaNamer)
	for t, alias := range map[reflect.Type]reflect.Type{
		reflect.TypeFor[money.Decimal]():  reflect.TypeFor[decimalSchema](),
		reflect.TypeFor[clock.Instant]():  reflect.TypeFor[instantSchema](),
		reflect.TypeFor[v1.Expiry]():      reflect.TypeFor[instantSchema](),
		reflect.TypeFor[v1.Metadata]():    reflect.TypeFor[metadataSchema](),
		reflect.TypeFor[v1.DrawOrder]():   reflect.TypeFor[drawOrderSchema](),
		reflect.TypeFor[v1.Timestamp]():   reflect.TypeFor[instantSchema](),
		reflect.TypeFor[v1.Filter]():      reflect.TypeFor[filterSchema](),
		reflect.TypeFor[catalog.Values](): reflect.TypeFor[valuesSchema](),
	} {
		registry.RegisterTypeAlias(t, alias)
	}
	return registry
}

// OpenAPI makes the document of the API from the table of routes. It is what openapi.json
// holds, and takes part in no request.
func OpenAPI() ([]byte, error) {
	doc := document()
	compact, err := json.Marshal(doc)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := json.Indent(&out, compact, "", "  "); err != nil {
		return nil, err
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

func document() *huma.OpenAPI {
	registry := newRegistry()
	doc := &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info: &huma.Info{
			Title: "Scrip", Version: "v1",
			Description: "Prepaid credits: define, grant, spend, hold, and prove where every credit went.",
			License:     &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"},
		},
		Paths:    map[string]*huma.PathItem{},
		Security: []map[string][]string{{"secretKey": {}}},
		Components: &huma.Components{
			Schemas: registry,
			SecuritySchemes: map[string]*huma.SecurityScheme{
				"secretKey":      {Type: "http", Scheme: "bearer", Description: "A secret key (sk_...). It names app and mode."},
				"publishableKey": {Type: "http", Scheme: "bearer", Description: "A publishable key (pk_...), which may be shown in a browser."},
				"customerToken":  {Type: "apiKey", In: "header", Name: headerToken, Description: "A short-lived token for one customer, minted by the backend."},
			},
		},
	}
	for _, section := range sections {
		doc.Tags = append(doc.Tags, &huma.Tag{Name: section.name, Description: section.about})
		for i := range section.routes {
			doc.AddOperation(describe(registry, section.name, &section.routes[i]))
		}
	}
	tidy(registry, bodies(registry))
	return doc
}

// contentOf is the type of what a route answers.
func contentOf(rt *route) string {
	if rt.out == reflect.TypeFor[v1.HTML]() {
		return "text/html"
	}
	return "application/json"
}

// describe makes one operation of the document.
func describe(registry huma.Registry, tag string, rt *route) *huma.Operation {
	op := &huma.Operation{
		Method: rt.method, Path: rt.path, OperationID: rt.id, Summary: rt.summary, Tags: []string{tag},
		Responses: map[string]*huma.Response{
			strconv.Itoa(rt.status): {
				Description: http.StatusText(rt.status),
				Content:     map[string]*huma.MediaType{contentOf(rt): {Schema: registry.Schema(rt.out, true, "")}},
			},
			"default": {
				Description: "A failure",
				Content:     map[string]*huma.MediaType{"application/problem+json": {Schema: registry.Schema(reflect.TypeFor[Problem](), true, "")}},
			},
		},
	}
	switch rt.access {
	case anyKey:
		op.Security = []map[string][]string{{"secretKey": {}}, {"publishableKey": {}}}
	case ownCustomer:
		op.Security = []map[string][]string{{"secretKey": {}}, {"publishableKey": {}, "customerToken": {}}}
	}
	if strings.Contains(rt.path, "{id}") {
		op.Parameters = append(op.Parameters, &huma.Param{Name: "id", In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString}})
	}
	if rt.query != nil {
		op.Parameters = append(op.Parameters, parameters(registry, rt.query)...)
	}
	if rt.method != read && rt.id != "createKey" {
		most := 255
		op.Parameters = append(op.Parameters, &huma.Param{
			Name: headerIdempotency, In: "header", Schema: &huma.Schema{Type: huma.TypeString, MaxLength: &most},
			Description: "Makes the call happen once: asked again under the same key, it gets the original answer",
		})
	}
	if rt.body != nil && rt.stream != nil {
		op.Description = "Also takes " + ndjson + ": any number of events, one a line, stored as they come."
	}
	if rt.body != nil {
		op.RequestBody = &huma.RequestBody{
			Required: true,
			Content:  map[string]*huma.MediaType{"application/json": {Schema: registry.Schema(rt.body, true, "")}},
		}
	}
	return op
}

func parameters(registry huma.Registry, t reflect.Type) []*huma.Param {
	var out []*huma.Param
	for i := range t.NumField() {
		f := t.Field(i)
		schema := huma.SchemaFromField(registry, f, "")
		schema.Nullable = false
		about := schema.Description
		schema.Description = ""
		out = append(out, &huma.Param{
			Name: f.Tag.Get("query"), In: "query", Description: about, Required: f.Tag.Get("required") == "true", Schema: schema,
		})
	}
	return out
}

// bodies names the schemas that a request may hold.
func bodies(registry huma.Registry) map[string]bool {
	found := map[string]bool{}
	var visit func(*huma.Schema)
	visit = func(s *huma.Schema) {
		if s == nil {
			return
		}
		if name, ok := strings.CutPrefix(s.Ref, schemaPrefix); ok && !found[name] {
			found[name] = true
			visit(registry.Map()[name])
		}
		visit(s.Items)
		for _, p := range s.Properties {
			visit(p)
		}
	}
	for _, section := range sections {
		for _, rt := range section.routes {
			if rt.body != nil {
				visit(registry.Schema(rt.body, true, ""))
			}
		}
	}
	return found
}

// tidy says of each schema what huma cannot know: only what a request may hold is closed to
// fields that come later, an enum's empty text means absent, and a field is null only where its
// description says when.
func tidy(registry huma.Registry, closed map[string]bool) {
	for name, schema := range registry.Map() {
		if schema.Type == huma.TypeObject && !closed[name] {
			schema.AdditionalProperties = true
		}
		for _, p := range schema.Properties {
			p.Enum = slices.DeleteFunc(p.Enum, func(v any) bool { return v == "" })
			p.Nullable = strings.Contains(p.Description, "null")
			if p.Nullable && p.Ref != "" {
				p.AnyOf = []*huma.Schema{{Ref: p.Ref}, {Type: "null"}}
				p.Nullable, p.Ref = false, ""
			}
		}
	}
}
