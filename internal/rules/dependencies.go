package rules

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"slices"
	"strings"
)

// Mod is what the rules want to know of a go.mod file.
type Mod struct {
	Path    string // of the file, for findings
	Require []Requirement
	Replace []struct{ Old struct{ Path string } }
	Tool    []struct{ Path string }
}

// Requirement is one module that a go.mod asks for.
type Requirement struct {
	Path     string
	Version  string
	Indirect bool
}

// ReadMod reads a go.mod file by way of the go command, which knows its form.
func ReadMod(path string) (Mod, error) {
	out, err := exec.Command("go", "mod", "edit", "-json", path).Output()
	if err != nil {
		return Mod{}, fmt.Errorf("go mod edit -json %s: %w", path, err)
	}
	m := Mod{Path: path}
	return m, json.Unmarshal(out, &m)
}

// version returns the version that is asked for of a module.
func (m Mod) version(path string) string {
	for _, r := range m.Require {
		if r.Path == path {
			return r.Version
		}
	}
	return ""
}

// direct returns the modules that somebody here chose: what the code imports,
// and the modules of the tools.
func (m Mod) direct() []string {
	var all []string
	for _, r := range m.Require {
		isTool := slices.ContainsFunc(m.Tool, func(t struct{ Path string }) bool {
			return t.Path == r.Path || strings.HasPrefix(t.Path, r.Path+"/")
		})
		if !r.Indirect || isTool {
			all = append(all, r.Path)
		}
	}
	return all
}

// Dependencies checks that every module somebody chose is a complete row of the
// page about dependencies, that the page has no other rows, and that none is
// replaced: a replacement does not reach the programs that import this module.
func Dependencies(page string, mods ...Mod) []Finding {
	const name = "DEPENDENCIES.md"
	var findings []Finding
	rows := dependencyRows(page)
	chosen := map[string]bool{}
	for _, m := range mods {
		for _, r := range m.Replace {
			findings = append(findings, Finding{m.Path, 0, "replaces " + r.Old.Path + ", which does not reach those who import this module"})
		}
		for _, module := range m.direct() {
			chosen[module] = true
			cells, ok := rows[module]
			if !ok {
				findings = append(findings, Finding{
					name, 0,
					"has no row for " + module + ": say what for, licence, weight, and why not another",
				})
				continue
			}
			if len(cells) != 4 || slices.Contains(cells, "") {
				findings = append(findings, Finding{name, 0, "the row of " + module + " must fill its four cells"})
			}
		}
	}
	for module := range rows {
		if !chosen[module] {
			findings = append(findings, Finding{name, 0, "has a row for " + module + ", which no go.mod asks for directly"})
		}
	}
	return findings
}

// dependencyRows reads the rows of the page's tables: those that begin with a
// module in backquotes. The module maps to the other cells.
func dependencyRows(page string) map[string][]string {
	rows := map[string][]string{}
	for line := range strings.Lines(page) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		rows[strings.Trim(cells[0], "`")] = cells[1:]
	}
	return rows
}

// Libc checks that the C library of the SQLite driver is the version that the
// driver's own go.mod names. The two are generated together, and another pair
// compiles and then misbehaves.
func Libc(ours, drivers Mod) []Finding {
	const libc = "modernc.org/libc"
	if have, want := ours.version(libc), drivers.version(libc); have != want || want == "" {
		return []Finding{{ours.Path, 0, fmt.Sprintf(
			"has %s %s, but the SQLite driver was made with %q; run: go get %s@%s", libc, have, want, libc, want)}}
	}
	return nil
}
