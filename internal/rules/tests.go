package rules

import (
	"go/ast"
	"slices"
)

// Tests finds tests that sleep, which makes them slow and still uncertain, and
// tests that skip themselves, which makes a green run say less than it seems
// to. A helper for tests counts as one.
func Tests(sources []*Source) []Finding {
	var findings []Finding
	for _, s := range sources {
		if !s.Test && s.nameOf("testing") == "" {
			continue
		}
		s.uses("time", func(sel *ast.SelectorExpr) {
			if sel.Sel.Name == "Sleep" {
				findings = append(findings, s.at(sel, "a test sleeps: inject a clock, or wait for the event itself"))
			}
		})
		s.uses("testing", func(sel *ast.SelectorExpr) {
			if sel.Sel.Name == "Short" {
				findings = append(findings, s.at(sel, "testing.Short: every run is the whole run; set amounts of work with testenv.Ops"))
			}
		})
		ast.Inspect(s.AST, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok || !slices.Contains([]string{"Skip", "Skipf", "SkipNow"}, sel.Sel.Name) {
				return true
			}
			if id, ok := sel.X.(*ast.Ident); ok && slices.Contains([]string{"t", "tb", "b", "f"}, id.Name) {
				findings = append(findings, s.at(sel, "a test skips itself: fail, and say which command installs what is missing"))
			}
			return true
		})
	}
	return findings
}
