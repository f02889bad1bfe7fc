package rules

import "go/ast"

// What a reader can hold in mind at once.
const (
	mostFunctionLines = 70
	mostFileLines     = 700
)

// Size finds functions and files that are too long to read in one go. Tests are
// exempt, since a long table of cases is read line by line.
func Size(sources []*Source) []Finding {
	var findings []Finding
	for _, s := range sources {
		if s.Test || s.Generated {
			continue
		}
		if s.Lines > mostFileLines {
			findings = append(findings, Finding{
				s.Path, 0,
				"has more than 700 lines: split it by what its parts own",
			})
		}
		for _, d := range s.AST.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			lines := s.fset.Position(f.End()).Line - s.fset.Position(f.Pos()).Line + 1
			if lines > mostFunctionLines {
				findings = append(findings, s.at(f, "%s has %d lines; at most %d", f.Name.Name, lines, mostFunctionLines))
			}
		}
	}
	return findings
}
