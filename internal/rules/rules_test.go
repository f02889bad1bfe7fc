package rules

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seed42445051/scrip/fault"
)

// root is the module's folder, seen from this package.
const root = "../.."

func report(t *testing.T, findings []Finding) {
	t.Helper()
	for _, f := range findings {
		t.Error(f)
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestSources(t *testing.T) {
	sources, err := Load(root)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(sources, func(s *Source) bool { return s.Path == "internal/rules/rules_test.go" }) {
		t.Fatal("the sources were not found")
	}
	for _, rule := range []struct {
		name    string
		check   func([]*Source) []Finding
		allowed []Allowance
	}{
		{"imports", Imports, nil},
		{"floats", Floats, floatsAllowed},
		{"clock", Clock, clockAllowed},
		{"package comments", PackageComments, nil},
		{"comments", Comments, nil},
		{"size", Size, nil},
		{"tests", Tests, nil},
	} {
		t.Run(rule.name, func(t *testing.T) {
			report(t, except(rule.check(sources), rule.allowed))
		})
	}
}

func TestDependencies(t *testing.T) {
	var mods []Mod
	for _, name := range []string{"go.mod", "tools/go.mod"} {
		m, err := ReadMod(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		mods = append(mods, m)
	}
	report(t, Dependencies(read(t, "DEPENDENCIES.md"), mods...))
}

func TestLibc(t *testing.T) {
	ours, err := ReadMod(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("go", "list", "-m", "-f", "{{.GoMod}}", "modernc.org/sqlite").Output()
	if err != nil {
		t.Fatal(err)
	}
	drivers, err := ReadMod(strings.TrimSpace(string(out)))
	if err != nil {
		t.Fatal(err)
	}
	report(t, Libc(ours, drivers))
}

func TestErrorCodesAreDocumented(t *testing.T) {
	var codes []string
	for _, e := range fault.Catalogue() {
		codes = append(codes, string(e.Code))
	}
	const page = "docs/reference/errors.md"
	report(t, MissingCodes(page, read(t, page), codes))
}

func TestText(t *testing.T) {
	files, err := trackedFiles(root)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(files, "go.mod") {
		t.Fatal("the files were not found")
	}
	var findings []Finding
	for _, name := range files {
		findings = append(findings, Text(name, []byte(read(t, name)))...)
	}
	report(t, except(findings, textAllowed))
}
