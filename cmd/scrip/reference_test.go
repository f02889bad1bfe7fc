package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

//go:generate go test -run TestReferenceIsCurrent -update .

var update = flag.Bool("update", false, "write the pages that are made from the program")

func TestReferenceIsCurrent(t *testing.T) {
	for name, want := range map[string]string{"cli.md": commandLine(t), "limits.md": limitsPage()} {
		path := filepath.Join(repository, "docs", "reference", name)
		if *update {
			if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if got := readFile(t, path); got != want {
			t.Errorf("docs/reference/%s is not current; run: go generate ./cmd/scrip", name)
		}
	}
}

const generated = "<!-- Generated from the program by go generate ./cmd/scrip; do not edit. -->\n\n"

// commandLine is the help of every command.
func commandLine(t *testing.T) string {
	var b strings.Builder
	b.WriteString(generated + `# The command line

A flag given on the command line wins over its environment variable, which stands in brackets.

Exit codes: 0 done, 1 failed (one line on standard error says why and what would be right), 2 the
command line is wrong.
`)
	var commands func(node *kong.Node, path ...string)
	commands = func(node *kong.Node, path ...string) {
		fmt.Fprintf(&b, "\n## scrip%s\n\n```text\n%s```\n", strings.Join(append([]string{""}, path...), " "), help(t, path))
		for _, child := range node.Children {
			commands(child, append(path[:len(path):len(path)], child.Name)...)
		}
	}
	commands(newParser(&cli{}).Model.Node)
	return b.String()
}

// exited is what the parser throws after it has shown a help.
type exited int

// help is what --help prints.
func help(t *testing.T, path []string) (text string) {
	t.Helper()
	var out bytes.Buffer
	parser := newParser(&cli{})
	parser.Stdout, parser.Exit = &out, func(code int) { panic(exited(code)) }
	defer func() {
		if code, ok := recover().(exited); !ok || code != 0 {
			t.Fatalf("no help for %v", path)
		}
		text = out.String()
	}()
	_, err := parser.Parse(append(path[:len(path):len(path)], "--help"))
	t.Fatal(err)
	return ""
}

func TestEveryFlagHasAnEnvironmentVariable(t *testing.T) {
	var visit func(node *kong.Node)
	visit = func(node *kong.Node) {
		for _, f := range node.Flags {
			want := "SCRIP_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
			if f.Name != "help" && !reflect.DeepEqual(f.Envs, []string{want}) {
				t.Errorf("%s --%s has the environment variables %v, want %s", node.FullPath(), f.Name, f.Envs, want)
			}
		}
		for _, child := range node.Children {
			visit(child)
		}
	}
	visit(newParser(&cli{}).Model.Node)
}
