package api

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/go-cmp/cmp"
)

func TestOpenAPIIsCommitted(t *testing.T) {
	made, err := OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	committed, err := os.ReadFile("openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(made, committed) {
		t.Errorf("openapi.json is not what the routes give; run: go generate ./api\n%s",
			cmp.Diff(strings.Split(string(committed), "\n"), strings.Split(string(made), "\n")))
	}
}

func TestOpenAPIIsServed(t *testing.T) {
	f := newFixture(t, Options{})
	a := f.send("", "GET", "/openapi.json", "")
	if a.status != 200 || a.text != string(openAPI) || a.header.Get("Content-Type") != "application/json" {
		t.Errorf("GET /openapi.json answered %d with %d bytes", a.status, len(a.text))
	}
}

// TestOpenAPIHasEveryRoute compares the paths of the document with what the server answers, and
// with the table.
func TestOpenAPIHasEveryRoute(t *testing.T) {
	var doc struct {
		OpenAPI string
		Paths   map[string]map[string]struct{ OperationID string }
	}
	if err := json.Unmarshal(openAPI, &doc); err != nil {
		t.Fatal(err)
	}
	if doc.OpenAPI != "3.1.0" {
		t.Errorf("the document is OpenAPI %s", doc.OpenAPI)
	}
	documented := map[string]string{}
	for path, methods := range doc.Paths {
		for method, op := range methods {
			documented[strings.ToUpper(method)+" "+path] = op.OperationID
		}
	}
	routed := map[string]string{}
	for _, section := range sections {
		for _, rt := range section.routes {
			routed[rt.method+" "+rt.path] = rt.id
		}
	}
	if diff := cmp.Diff(documented, routed); diff != "" {
		t.Errorf("document and table differ (-document +table):\n%s", diff)
	}
	ids := slices.Sorted(maps.Values(routed))
	if len(slices.Compact(ids)) != len(routed) {
		t.Error("two routes share an operationId")
	}
	f := newFixture(t, Options{})
	for pattern := range documented {
		method, path, _ := strings.Cut(pattern, " ")
		a := f.send("", method, strings.ReplaceAll(path, "{id}", "x"), "")
		if a.status != 401 {
			t.Errorf("%s without a key answered %d, not 401", pattern, a.status)
		}
	}
}

// TestAnswersAreAsDocumented holds the answer of every route against its schema in the document.
func TestAnswersAreAsDocumented(t *testing.T) {
	doc := document()
	f := newFixture(t, Options{})
	for _, section := range sections {
		for _, rt := range section.routes {
			t.Run(rt.id, func(t *testing.T) {
				f.use(rt.id)
				w := newWorld(f)
				f.must("PUT", "/v1/customers/c", `{"name":"C","metadata":{"plan":"pro"}}`)
				path, body := w.request(&rt)
				a := f.must(rt.method, path, body)
				if a.status != rt.status {
					t.Fatalf("answered %d, documented is %d", a.status, rt.status)
				}
				if kind, _, _ := strings.Cut(a.header.Get("Content-Type"), ";"); kind != contentOf(&rt) {
					t.Errorf("answered %s, documented is %s", kind, contentOf(&rt))
				}
				said := any(a.body)
				if contentOf(&rt) == "text/html" {
					said = a.text
				}
				schema := doc.Components.Schemas.Schema(rt.out, true, "")
				found := &huma.ValidateResult{}
				huma.Validate(doc.Components.Schemas, schema, huma.NewPathBuffer(nil, 0), huma.ModeReadFromServer, said, found)
				for _, err := range found.Errors {
					t.Errorf("%v in %s", err, a.text)
				}
			})
		}
	}
}
