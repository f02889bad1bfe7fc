package rules

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// sample parses pieces of code, keyed by their path.
func sample(t *testing.T, files map[string]string) []*Source {
	t.Helper()
	var sources []*Source
	for name, text := range files {
		s, err := Parse(name, []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		sources = append(sources, s)
	}
	return sources
}

// expect compares findings with the parts that they must contain, in any order.
func expect(t *testing.T, findings []Finding, want ...string) {
	t.Helper()
	left := findings
next:
	for _, w := range want {
		for i, f := range left {
			if strings.Contains(f.String(), w) {
				left = append(left[:i:i], left[i+1:]...)
				continue next
			}
		}
		t.Errorf("no finding says %q", w)
	}
	for _, f := range left {
		t.Errorf("unexpected: %s", f)
	}
}

func TestImportsCanFail(t *testing.T) {
	ours := func(pkg, imported string) string {
		return "package " + pkg + "\nimport _ \"" + module + "/" + imported + "\"\n"
	}
	for _, tt := range []struct {
		path, code string
		want       []string
	}{
		{"money/a.go", ours("money", "wallet"), []string{"money/a.go:2: money imports wallet; it may not"}},
		{"money/a.go", ours("money", "fault"), nil},
		{"wallet/a.go", ours("wallet", "store"), []string{"wallet imports store"}},
		{"wallet/a.go", "package wallet\nimport _ \"context\"", []string{"wallet imports context"}},
		{"wallet/a_test.go", "package wallet\nimport _ \"context\"", nil},
		{"store/sqlite/a.go", ours("sqlite", "store/postgres"), []string{"store/sqlite imports store/postgres"}},
		{"store/postgres/a.go", ours("postgres", "store/sqlite"), []string{"store/postgres imports store/sqlite"}},
		{"store/a.go", ours("store", "store/sqlite"), []string{"store imports store/sqlite"}},
		{"engine/a.go", ours("engine", "store/sqlite"), []string{"engine imports store/sqlite"}},
		{"billing/a.go", ours("billing", "payments"), []string{"billing imports payments"}},
		{"billing/a.go", ours("billing", "engine"), nil},
		{"credits/a.go", ours("credits", "v1"), nil},
		{"engine/a.go", ours("engine", "v1"), []string{"engine imports v1"}},
		{"api/a.go", ours("api", "store"), []string{"api imports store"}},
		{"api/a.go", "package api\nimport _ \"" + module + "\"\n", []string{"api imports ."}},
		{"compat/dodo/a.go", ours("dodo", "credits"), nil},
		{"compat/dodo/a.go", ours("dodo", "compat/dodo/wire"), nil},
		{"compat/dodo/a.go", ours("dodo", "compat/paymentkit"), []string{"compat/dodo imports compat/paymentkit"}},
		{"client/a.go", ours("client", "wallet"), []string{"client imports wallet"}},
		{"client/a.go", ours("client", "v1"), nil},
		{"credits/a.go", ours("credits", "internal/pgtest"), []string{"credits imports internal/pgtest"}},
		{"scrip.go", ours("scrip", "store/sqlite"), nil},
		{"cmd/scrip/a.go", ours("main", "engine"), []string{"cmd/scrip imports engine"}},
		{"newcomer/a.go", "package newcomer", []string{"package newcomer is not in the table of layers: add a row"}},
	} {
		t.Run(tt.path, func(t *testing.T) {
			expect(t, Imports(sample(t, map[string]string{tt.path: tt.code})), tt.want...)
		})
	}
}

func TestLayersAreRows(t *testing.T) {
	for i, l := range layers {
		if l.why == "" {
			t.Errorf("the row of %s has no reason", l.pkg)
		}
		if layerOf(layers[:i], l.pkg) != nil {
			t.Errorf("%s has two rows", l.pkg)
		}
		for _, may := range l.may {
			if layerOf(layers, strings.Replace(may, "/*", "/x", 1)) == nil {
				t.Errorf("the row of %s names %s, which has none", l.pkg, may)
			}
		}
	}
}

func TestFloatsCanFail(t *testing.T) {
	const bad = `package money
import ("math"; "math/big"; "strconv")
var (
	a float64
	b []float32
	c = 1.5
	d = math.Floor(2)
	e, _ = strconv.ParseFloat("1", 64)
	f *big.Float
	g = ratio.Float64()
	fine = math.MaxInt64 + math.MinInt + math.MaxUint32
	rat *big.Rat
)`
	want := []string{
		":4: float64", ":5: float32", ":6: the constant 1.5", ":7: math.Floor",
		":8: ParseFloat", ":9: big.Float", ":10: Float64",
	}
	for _, dir := range exactPackages {
		expect(t, Floats(sample(t, map[string]string{dir + "/a.go": bad})), want...)
	}
	expect(t, Floats(sample(t, map[string]string{"store/sqlite/a.go": bad})), want...)
	expect(t, Floats(sample(t, map[string]string{"money/a_test.go": bad, "internal/bench/a.go": bad})))
	renamed := "package money\nimport m \"math\"\nvar a = m.Sqrt(2)"
	expect(t, Floats(sample(t, map[string]string{"money/a.go": renamed})), "math.Sqrt")
}

func TestClockCanFail(t *testing.T) {
	const bad = `package engine
import "time"
var a, b, c = time.Now(), time.Since(x), time.Until(x)
var fine = time.Second
`
	want := []string{":3: time.Now", ":3: time.Since", ":3: time.Until"}
	expect(t, Clock(sample(t, map[string]string{"engine/a.go": bad})), want...)
	expect(t, Clock(sample(t, map[string]string{"engine/a_test.go": bad})), want...)
	expect(t, Clock(sample(t, map[string]string{"clock/a.go": bad})))
	expect(t, Clock(sample(t, map[string]string{
		"engine/alias.go": "package engine\nimport clock \"time\"\nvar a = clock.Now()",
		"engine/dot.go":   "package engine\nimport . \"time\"\nvar a = Now()",
		"engine/own.go":   "package engine\nvar a = time.Now()",
	})), "alias.go:3: time.Now", "dot.go:1: package time is imported with a dot")
}

func TestPackageCommentsCanFail(t *testing.T) {
	expect(t, PackageComments(sample(t, map[string]string{
		"none/a.go":       "package none",
		"one/a.go":        "// Package one does a thing.\npackage one",
		"two/a.go":        "// Package two owns a thing. It leaves the rest to others.\npackage two",
		"split/a.go":      "// Package split owns a thing. It leaves the rest to others.\npackage split",
		"split/b.go":      "package split",
		"tests/a_test.go": "package tests",
	})), "package none needs", "package one needs")
}

func TestCommentsCanFail(t *testing.T) {
	const bad = `package p
func Function() {}
func (t *Type) Method() {}
func (g Generic[T]) Method() {}
func (h hidden) Method() {}
func quiet() {}
type Type struct{}
// Generic has a comment.
type Generic[T any] struct{}
type hidden int
const Constant = 1
var First, Second int
// A group.
const (
	A = iota
	B
)
type (
	// C has a comment.
	C int
	D int
)
`
	expect(t, Comments(sample(t, map[string]string{"p/a.go": bad})),
		":2: Function", ":3: Method", ":4: Method", ":7: Type", ":11: Constant", ":12: First", ":12: Second", ":21: D")
	generated := "// Code generated by hand. DO NOT EDIT.\n\n" + bad
	expect(t, Comments(sample(t, map[string]string{"p/a_test.go": bad, "p/b.go": generated})))
}

func TestSizeCanFail(t *testing.T) {
	function := func(lines int) string {
		return "package p\nfunc long() {" + strings.Repeat("\n", lines-1) + "}\n"
	}
	file := func(lines int) string { return "package p" + strings.Repeat("\n", lines) }
	expect(t, Size(sample(t, map[string]string{
		"p/a.go": function(71), "p/b.go": function(70), "p/a_test.go": function(71),
		"p/c.go": file(701), "p/d.go": file(700),
	})), "p/a.go:2: long has 71 lines", "p/c.go: has more than 700 lines")
}

func TestTestsCanFail(t *testing.T) {
	const bad = `package p
import ("testing"; "time")
func TestX(t *testing.T) {
	time.Sleep(time.Second)
	t.Skip()
	t.Skipf("")
	t.SkipNow()
	if testing.Short() {}
	decoder.Skip()
}
`
	want := []string{
		":4: a test sleeps", ":5: a test skips", ":6: a test skips", ":7: a test skips", ":8: testing.Short",
	}
	expect(t, Tests(sample(t, map[string]string{"p/a_test.go": bad})), want...)
	expect(t, Tests(sample(t, map[string]string{"p/helper.go": bad})), want...)
	expect(t, Tests(sample(t, map[string]string{"p/a.go": "package p\nimport \"time\"\nfunc f() { time.Sleep(1) }"})))
}

// mod writes a go.mod file and reads it as the rules do.
func mod(t *testing.T, text string) Mod {
	t.Helper()
	name := filepath.Join(t.TempDir(), "go.mod")
	if err := os.WriteFile(name, []byte("module m\n\ngo 1.26\n\n"+text), 0o644); err != nil {
		t.Fatal(err)
	}
	m, err := ReadMod(name)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestDependenciesCanFail(t *testing.T) {
	m := mod(t, `require (
	example.org/listed v1.0.0
	example.org/unlisted v1.0.0
	example.org/terse v1.0.0
	example.org/deep v1.0.0 // indirect
)
replace example.org/deep => ../deep
`)
	tools := mod(t, "tool example.org/lint/cmd/lint\nrequire example.org/lint v1.0.0 // indirect\n")
	page := `
| Module | What for | Licence | Weight | Why not another |
|---|---|---|---|---|
| ` + "`example.org/listed`" + ` | a | MIT | 1 | none |
| ` + "`example.org/terse`" + ` | a | | 1 | none |
| ` + "`example.org/gone`" + ` | a | MIT | 1 | none |
`
	expect(t, Dependencies(page, m, tools),
		"replaces example.org/deep", "no row for example.org/unlisted", "the row of example.org/terse",
		"a row for example.org/gone", "no row for example.org/lint")
}

func TestLibcCanFail(t *testing.T) {
	driver := mod(t, "require modernc.org/libc v1.5.0")
	expect(t, Libc(mod(t, "require modernc.org/libc v1.5.0"), driver))
	expect(t, Libc(mod(t, "require modernc.org/libc v1.6.0"), driver), "go get modernc.org/libc@v1.5.0")
	expect(t, Libc(mod(t, ""), driver), "modernc.org/libc")
	expect(t, Libc(mod(t, ""), mod(t, "")), "modernc.org/libc")
}

func TestMissingCodesCanFail(t *testing.T) {
	page := "# Codes\n\n## known\n\ntext about unknown\n"
	expect(t, MissingCodes("errors.md", page, []string{"known", "unknown"}), "no section for unknown")
}

func TestTextCanFail(t *testing.T) {
	bad := []string{
		"open(\"/wo" + "rk/x\")", "/fa" + "rm/x", "https://proxy.golang" + ".org/x",
		"registry.npmjs" + ".org", "http://deb.debian" + ".org/debian",
		"// TO" + "DO: later", "FIX" + "ME", "X" + "XX",
	}
	for _, line := range bad {
		if got := Text("a", []byte("fine\n"+line+"\n")); len(got) != 1 || got[0].Line != 2 {
			t.Errorf("%q gives %v", line, got)
		}
	}
	fine := "a frame" + "wo" + "rk/x ./wo" + "rk/x wo" + "rk/ golang.org debian.org mktemp.XXXXXX TODOS\n"
	expect(t, Text("a", []byte(fine)))
	expect(t, Text("a.png", []byte("\x00 TO"+"DO")))
}

func TestExceptions(t *testing.T) {
	findings := []Finding{{"a/b.go", 1, "one"}, {"a/c/d.go", 2, "two"}, {"ab.go", 3, "three"}}
	expect(t, except(findings, []Allowance{{"a/c", "reason"}}), "one", "three")
	expect(t, except(findings, []Allowance{{"a", "reason"}, {"gone.go", "reason"}}), "three", "gone.go: is on a list")
	expect(t, except(findings, nil), "one", "two", "three")
}

func TestLoadLeavesOthersOut(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{
		"go.mod", "a.go", "p/b.go", "p/testdata/c.go", ".hidden/d.go", "tools/go.mod", "tools/e.go", "node_modules/f.go",
	} {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte("package p\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	sources, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range sources {
		got = append(got, s.Path+" in "+s.Dir)
	}
	if want := "a.go in .; p/b.go in p"; strings.Join(got, "; ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
	if err := os.WriteFile(filepath.Join(dir, "p/b.go"), []byte("not Go"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(dir); err == nil {
		t.Error("a file that cannot be parsed is passed over")
	}
}
