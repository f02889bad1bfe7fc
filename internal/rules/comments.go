package rules

import (
	"go/ast"
	"go/token"
	"regexp"
)

// sentenceEnd is where a sentence ends, well enough to count to two.
var sentenceEnd = regexp.MustCompile(`[.!?:](\s|$)`)

// PackageComments finds packages that do not say, in at least two sentences,
// what they own. Packages of tests only are exempt.
func PackageComments(sources []*Source) []Finding {
	sentences := map[string]int{}
	first := map[string]*Source{}
	var order []string
	for _, s := range sources {
		if s.Test {
			continue
		}
		if first[s.Dir] == nil {
			first[s.Dir] = s
			order = append(order, s.Dir)
		}
		sentences[s.Dir] += len(sentenceEnd.FindAllString(s.AST.Doc.Text(), -1))
	}
	var findings []Finding
	for _, dir := range order {
		if sentences[dir] < 2 {
			findings = append(findings, Finding{
				first[dir].Path, 0,
				"package " + dir + " needs a comment of at least two sentences that says what it owns and what it leaves to others",
			})
		}
	}
	return findings
}

// Comments finds exported symbols without a comment: functions, types, methods
// of exported types, constants and variables. A comment on a group counts for
// its members.
func Comments(sources []*Source) []Finding {
	var findings []Finding
	for _, s := range sources {
		if s.Test || s.Generated {
			continue
		}
		for _, d := range s.AST.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Doc.Text() == "" && d.Name.IsExported() && (d.Recv == nil || ast.IsExported(receiver(d))) {
					findings = append(findings, s.at(d, "%s is exported and has no comment", d.Name.Name))
				}
			case *ast.GenDecl:
				findings = append(findings, s.uncommented(d)...)
			}
		}
	}
	return findings
}

// receiver returns the name of a method's type.
func receiver(d *ast.FuncDecl) string {
	t := d.Recv.List[0].Type
	for {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.ParenExpr:
			t = x.X
		case *ast.Ident:
			return x.Name
		default:
			return ""
		}
	}
}

// uncommented finds the members of a declaration that are exported and covered
// by no comment.
func (s *Source) uncommented(d *ast.GenDecl) []Finding {
	if d.Tok == token.IMPORT || (d.Doc.Text() != "" && d.Tok != token.TYPE) {
		return nil
	}
	var findings []Finding
	for _, spec := range d.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			// The comment of an ungrouped type is the declaration's.
			alone := !d.Lparen.IsValid() && d.Doc.Text() != ""
			if spec.Name.IsExported() && spec.Doc.Text() == "" && spec.Comment.Text() == "" && !alone {
				findings = append(findings, s.at(spec, "%s is exported and has no comment", spec.Name.Name))
			}
		case *ast.ValueSpec:
			if spec.Doc.Text() != "" || spec.Comment.Text() != "" {
				continue
			}
			for _, name := range spec.Names {
				if name.IsExported() {
					findings = append(findings, s.at(name, "%s is exported and has no comment", name.Name))
				}
			}
		}
	}
	return findings
}
