package rules

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// module is the path of the module whose packages the rules are about.
const module = "github.com/seed42445051/scrip"

// Source is one parsed Go file.
type Source struct {
	Path      string // from the module's root, with slashes
	Dir       string // the package's folder; "." is the root
	AST       *ast.File
	Lines     int
	Test      bool // a _test.go file
	Generated bool // says of itself that a program wrote it

	fset *token.FileSet
}

// Finding is one place where a rule is broken.
type Finding struct {
	Path string
	Line int // 0 where the file as a whole is meant
	Text string
}

// String gives the finding in the form that editors jump from.
func (f Finding) String() string {
	if f.Line == 0 {
		return f.Path + ": " + f.Text
	}
	return fmt.Sprintf("%s:%d: %s", f.Path, f.Line, f.Text)
}

// at makes a finding about a node of the file.
func (s *Source) at(n ast.Node, format string, args ...any) Finding {
	return Finding{s.Path, s.fset.Position(n.Pos()).Line, fmt.Sprintf(format, args...)}
}

// Parse parses one file. The path is from the module's root.
func Parse(name string, text []byte) (*Source, error) {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, name, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	return &Source{
		Path: name, Dir: path.Dir(name), AST: f, fset: fset,
		Lines: bytes.Count(text, []byte{'\n'}), Test: strings.HasSuffix(name, "_test.go"),
		Generated: ast.IsGenerated(f),
	}, nil
}

// Load parses every Go file of the module below root, whatever its build tags.
// Folders that the go command ignores, and other modules, are left out.
func Load(root string) ([]*Source, error) {
	var sources []*Source
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if name != root && ignoredFolder(name) {
				return fs.SkipDir
			}
			return nil
		}
		if filepath.Ext(name) != ".go" {
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		name, err = filepath.Rel(root, name)
		if err != nil {
			return err
		}
		s, err := Parse(filepath.ToSlash(name), text)
		sources = append(sources, s)
		return err
	})
	return sources, err
}

// ignoredFolder tells whether a folder is no part of the module.
func ignoredFolder(name string) bool {
	base := filepath.Base(name)
	if strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") ||
		slices.Contains([]string{"testdata", "node_modules", "bin"}, base) {
		return true
	}
	_, err := os.Stat(filepath.Join(name, "go.mod"))
	return err == nil
}

// imports returns the imported paths.
func (s *Source) imports() map[string]*ast.ImportSpec {
	all := map[string]*ast.ImportSpec{}
	for _, spec := range s.AST.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		if err == nil { // always: the file has been parsed
			all[p] = spec
		}
	}
	return all
}

// nameOf returns the name by which the file refers to an imported package,
// "." for a dot import, and "" when it does not import it.
func (s *Source) nameOf(importPath string) string {
	spec := s.imports()[importPath]
	switch {
	case spec == nil:
		return ""
	case spec.Name != nil:
		return spec.Name.Name
	default:
		return path.Base(importPath)
	}
}

// uses calls found for every selector of an imported package, such as time.Now.
func (s *Source) uses(importPath string, found func(sel *ast.SelectorExpr)) {
	name := s.nameOf(importPath)
	if name == "" {
		return
	}
	ast.Inspect(s.AST, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if id, ok := sel.X.(*ast.Ident); ok && id.Name == name {
				found(sel)
			}
		}
		return true
	})
}

// Allowance exempts a file, or a folder with all below it, from a rule.
type Allowance struct{ Path, Reason string }

// except drops the findings that are allowed, and adds one for each allowance
// that no longer allows anything: a list of exceptions stays as short as it can.
func except(findings []Finding, allowed []Allowance) []Finding {
	used := make([]bool, len(allowed))
	kept := slices.DeleteFunc(slices.Clone(findings), func(f Finding) bool {
		i := slices.IndexFunc(allowed, func(a Allowance) bool {
			return f.Path == a.Path || strings.HasPrefix(f.Path, a.Path+"/")
		})
		if i >= 0 {
			used[i] = true
		}
		return i >= 0
	})
	for i, a := range allowed {
		if !used[i] {
			kept = append(kept, Finding{a.Path, 0, "is on a list of exceptions and needs none; remove it from the list"})
		}
	}
	return kept
}
