package rules

import (
	"go/ast"
	"slices"
)

// clockAllowed are the places besides package clock that may read the machine's
// clock. None of them decides anything about credits.
var clockAllowed = []Allowance{
	{"internal/bench", "measures how long things take on this machine"},
	{"internal/cmd/testsum/main.go", "prints how long a stage of the tests took"},
}

// Clock finds code that reads the machine's clock outside of package clock.
// Time is an argument: what happened at an instant can then be computed again.
func Clock(sources []*Source) []Finding {
	var findings []Finding
	for _, s := range sources {
		if s.Dir == "clock" {
			continue
		}
		if s.nameOf("time") == "." {
			findings = append(findings, s.at(s.AST.Name, "package time is imported with a dot, which hides reading the clock"))
		}
		s.uses("time", func(sel *ast.SelectorExpr) {
			if slices.Contains([]string{"Now", "Since", "Until"}, sel.Sel.Name) {
				findings = append(findings, s.at(sel, "time.%s: take the instant as an argument, or a clock.Clock", sel.Sel.Name))
			}
		})
	}
	return findings
}
