package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// module writes a Go module with one package per entry and returns its folder.
func module(t *testing.T, packages map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("go.mod", "module sample\n\ngo 1.26\n")
	for name, text := range packages {
		write(filepath.Join(name, name+"_test.go"), "package "+name+"\n\n"+text)
	}
	return dir
}

// runIn runs a stage of go test on a module.
func runIn(t *testing.T, dir string, args ...string) (tally, string) {
	t.Helper()
	t.Chdir(dir)
	var stdout, stderr bytes.Buffer // two, since go test writes to both at once
	s := stage{name: "sample", test: args, env: []string{"GOFLAGS="}}
	got := s.run(&stdout, &stderr)
	return got, stdout.String() + stderr.String()
}

func TestCounts(t *testing.T) {
	const pass = `import "testing"
func TestOne(t *testing.T) {}
func TestTwo(t *testing.T) {
	t.Run("a/b", func(t *testing.T) {})
	t.Run("c", func(t *testing.T) {})
}`
	const fail = `import "testing"
func TestSub(t *testing.T) {
	t.Run("good", func(t *testing.T) {})
	t.Run("bad", func(t *testing.T) { t.Error("broken on purpose") })
}
func TestParentItself(t *testing.T) {
	t.Run("good", func(t *testing.T) {})
	t.Error("the parent fails")
}`
	const skip = `import "testing"
func TestSkipped(t *testing.T) { t.Skip("for a reason") }
func TestKept(t *testing.T) {}`
	tests := []struct {
		name     string
		packages map[string]string
		want     tally
		prints   []string
	}{
		{"passing", map[string]string{"pass": pass}, tally{passed: 3}, []string{"ok   sample/pass", "3 tests"}},
		{
			"failing",
			map[string]string{"pass": pass, "bad": fail},
			tally{passed: 5, failed: 2},
			[]string{"FAIL sample/bad", "broken on purpose", "the parent fails"},
		},
		{
			"build",
			map[string]string{"broken": "import \"testing\"\nfunc TestX(t *testing.T) { undefinedName() }"},
			tally{failed: 1},
			[]string{"undefined: undefinedName", "(build failed)"},
		},
		{
			"panic",
			map[string]string{"panics": "import \"testing\"\nfunc TestX(t *testing.T) { panic(\"at the disco\") }"},
			tally{failed: 1},
			[]string{"at the disco"},
		},
		{
			"exit",
			map[string]string{"exits": "import (\"os\"; \"testing\")\nfunc TestX(t *testing.T) { os.Exit(3) }"},
			tally{failed: 1},
			[]string{"FAIL sample/exits"},
		},
		{"none", map[string]string{"empty": ""}, tally{failed: 1}, []string{"no test was run"}},
		{"skip", map[string]string{"skips": skip}, tally{passed: 1, skipped: 1}, []string{"for a reason"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, out := runIn(t, module(t, tt.packages), "./...")
			if got != tt.want {
				t.Errorf("counted %+v, want %+v", got, tt.want)
			}
			for _, want := range tt.prints {
				if !strings.Contains(out, want) {
					t.Errorf("does not print %q", want)
				}
			}
			if t.Failed() {
				t.Log(out)
			}
		})
	}
}

func TestTimeLimit(t *testing.T) {
	dir := module(t, map[string]string{"hangs": "import (\"os/signal\"; \"os\"; \"testing\")\nfunc TestX(t *testing.T) { c := make(chan os.Signal, 1); signal.Notify(c); <-c }"})
	got, out := runIn(t, dir, "-timeout", "1s", "./...")
	if got != (tally{failed: 1}) || !strings.Contains(out, "panic: test timed out") {
		t.Errorf("counted %+v and printed:\n%s", got, out)
	}
}

func TestMissingPackage(t *testing.T) {
	got, out := runIn(t, module(t, map[string]string{"pass": ""}), "./nowhere")
	if got.failed == 0 {
		t.Errorf("a package that does not exist passes:\n%s", out)
	}
}

func TestCommandStage(t *testing.T) {
	var out bytes.Buffer
	good := stage{name: "good", env: []string{"WORD=hello"}, cmd: []string{"sh", "-c", `test "$WORD" = hello`}}
	if got := good.run(&out, &out); got != (tally{passed: 1}) {
		t.Errorf("a command that works: %+v\n%s", got, out.String())
	}
	bad := stage{name: "bad", cmd: []string{"false"}}
	if got := bad.run(&out, &out); got != (tally{failed: 1}) {
		t.Errorf("a command that fails: %+v", got)
	}
	missing := stage{name: "missing", cmd: []string{"/no/such/program"}}
	if got := missing.run(&out, &out); got != (tally{failed: 1}) {
		t.Errorf("a command that does not exist: %+v", got)
	}
}

func TestParse(t *testing.T) {
	got, err := parse(strings.Fields("lint exec a b=c + race -race -run=X ./... + long OPS=5 ./wallet"))
	if err != nil {
		t.Fatal(err)
	}
	want := []stage{
		{name: "lint", cmd: []string{"a", "b=c"}},
		{name: "race", test: []string{"-race", "-run=X", "./..."}},
		{name: "long", env: []string{"OPS=5"}, test: []string{"./wallet"}},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(stage{})); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []string{"", "name", "name exec", "a ./x +"} {
		if _, err := parse(strings.Fields(bad)); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}

func TestClosingLine(t *testing.T) {
	if got := (tally{passed: 7}).String(); got != "7 passed, 0 failed" {
		t.Error(got)
	}
	if got := (tally{passed: 7, failed: 1, skipped: 2}).String(); got != "7 passed, 1 failed, 2 skipped" {
		t.Error(got)
	}
}
