package fault

import (
	"bytes"
	"flag"
	"fmt"
	"go/format"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite codes.go from the catalogue")

// initialisms are the words of codes that Go writes in capitals.
var initialisms = map[string]string{"id": "ID", "json": "JSON"}

func constantName(c Code) string {
	name := "Code"
	for word := range strings.SplitSeq(string(c), "_") {
		if up, ok := initialisms[word]; ok {
			name += up
			continue
		}
		name += strings.ToUpper(word[:1]) + word[1:]
	}
	return name
}

// TestConstantsAreCurrent keeps codes.go equal to what the catalogue demands:
// no constant without a line in the table, no line without a constant.
func TestConstantsAreCurrent(t *testing.T) {
	var b bytes.Buffer
	b.WriteString("// Code generated from catalogue.go by go generate; DO NOT EDIT.\n\npackage fault\n\n")
	b.WriteString("// The codes of the catalogue, with their HTTP status.\nconst (\n")
	for _, e := range Catalogue() {
		fmt.Fprintf(&b, "// %s (%d): %s\n%s Code = %q\n",
			constantName(e.Code), e.Kind.HTTPStatus(), e.Meaning, constantName(e.Code), e.Code)
	}
	b.WriteString(")\n")
	want, err := format.Source(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("codes.go", want, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile("codes.go")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("codes.go does not match the catalogue; run: go generate ./fault")
	}
}

func TestCatalogueIsComplete(t *testing.T) {
	form := regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`)
	all := Catalogue()
	for i, e := range all {
		if !form.MatchString(string(e.Code)) {
			t.Errorf("%q is not in snake_case", e.Code)
		}
		if e.Title == "" || e.Meaning == "" || e.Remedy == "" {
			t.Errorf("%s: title, meaning and remedy must not be empty: %+v", e.Code, e)
		}
		if e.Kind < Invalid || e.Kind > Internal {
			t.Errorf("%s has no kind", e.Code)
		}
		if i > 0 && all[i-1].Code == e.Code {
			t.Errorf("%s is in the catalogue twice", e.Code)
		}
	}
	if !slices.IsSortedFunc(all, func(a, b Entry) int { return strings.Compare(string(a.Code), string(b.Code)) }) {
		t.Error("Catalogue is not sorted by code")
	}
	all[0].Title = "scribbled"
	if Catalogue()[0].Title == "scribbled" {
		t.Error("Catalogue hands out its own table")
	}
}

// TestStatusOfCodes pins the statuses that the public contract promises.
func TestStatusOfCodes(t *testing.T) {
	for code, want := range map[Code]int{
		CodeInvalidRequest:        400,
		CodeInvalidJSON:           400,
		CodeInvalidConfig:         400,
		CodeReservationExpired:    400,
		CodeReservationNotPending: 400,
		CodeReservationTooSmall:   400,
		CodeEntryNotReversible:    400,
		CodeIdempotencyKeyInvalid: 400,
		CodeInvalidKey:            401,
		CodeInsufficientCredits:   402,
		CodeOverageLimitReached:   402,
		CodeRequiresSecretKey:     403,
		CodeWrongCustomer:         403,
		CodeNotFound:              404,
		CodeReservationNotFound:   404,
		CodeMethodNotAllowed:      405,
		CodeIdempotencyKeyReused:  409,
		CodeAlreadyReversed:       409,
		CodeNameTaken:             409,
		CodeAlreadyCanceled:       409,
		CodeCreditArchived:        409,
		CodeTooManyGrants:         409,
		CodeTooManyHolds:          409,
		CodeTooManyScopes:         409,
		CodeRequestTooLarge:       413,
		CodeUnsupportedMediaType:  415,
		CodeLimitReached:          429,
		CodeWorkspaceLimitReached: 429,
		CodeInvariantViolated:     500,
		CodeInternalError:         500,
		CodeNotImplemented:        501,
		CodeOverloaded:            503,
		CodeStoreUnavailable:      503,
		CodeShuttingDown:          503,
		CodeNewerSchema:           503,
		"never_heard_of_it":       500,
	} {
		if got := New("t", code, "x").Kind().HTTPStatus(); got != want {
			t.Errorf("%s: status %d, want %d", code, got, want)
		}
	}
}

func TestKinds(t *testing.T) {
	names := map[string]bool{}
	for k := Invalid; k <= Internal; k++ {
		if http.StatusText(k.HTTPStatus()) == "" {
			t.Errorf("kind %d has status %d", k, k.HTTPStatus())
		}
		if k.String() == "" || names[k.String()] {
			t.Errorf("kind %d has no name of its own: %q", k, k)
		}
		names[k.String()] = true
	}
	for _, k := range []Kind{0, Internal + 1, 255} {
		if k.HTTPStatus() != 500 || k.String() != "internal" {
			t.Errorf("kind %d: got %d %s, want 500 internal", k, k.HTTPStatus(), k)
		}
	}
	if Gone.HTTPStatus() != 410 {
		t.Errorf("Gone: %d", Gone.HTTPStatus())
	}
}
