package rules

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"
)

// exactPackages are those whose amounts must be integers, with all below them:
// a float rounds, and a credit that was rounded into being was minted. The root stands for itself.
var exactPackages = []string{
	".", "money", "wallet", "catalog", "store", "engine", "credits", "v1", "metering", "billing", "payments",
	"accounts", "api", "apply", "audit", "client", "mail",
}

// floatsAllowed are the places where a float is no amount.
var floatsAllowed = []Allowance{}

// floatMethods are methods and functions that convert to or from a float,
// whatever they are called on.
var floatMethods = []string{
	"Float32", "Float64", "SetFloat64", "ParseFloat", "FormatFloat", "AppendFloat",
	"NewFloat", "SetFloat", "CanFloat", "Float64frombits", "Float64bits", "Float32frombits", "Float32bits",
}

// Floats finds floating point in the packages whose amounts must be exact.
func Floats(sources []*Source) []Finding {
	var findings []Finding
	for _, s := range sources {
		top, _, _ := strings.Cut(s.Dir, "/")
		if s.Test || !slices.Contains(exactPackages, top) {
			continue
		}
		report := func(n ast.Node, what string) {
			findings = append(findings, s.at(n, "%s: amounts are integers and exact ratios", what))
		}
		ast.Inspect(s.AST, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.Ident:
				if slices.Contains([]string{"float32", "float64", "complex64", "complex128"}, n.Name) {
					report(n, n.Name)
				}
			case *ast.BasicLit:
				if n.Kind == token.FLOAT || n.Kind == token.IMAG {
					report(n, "the constant "+n.Value)
				}
			case *ast.SelectorExpr:
				if slices.Contains(floatMethods, n.Sel.Name) {
					report(n, n.Sel.Name)
				}
			}
			return true
		})
		s.uses("math", func(sel *ast.SelectorExpr) {
			if !integerLimit(sel.Sel.Name) {
				report(sel, "math."+sel.Sel.Name)
			}
		})
		s.uses("math/big", func(sel *ast.SelectorExpr) {
			if sel.Sel.Name == "Float" {
				report(sel, "big.Float")
			}
		})
	}
	return findings
}

// integerLimit tells whether a name of package math is a limit of an integer
// type, the only thing there that is not about floats.
func integerLimit(name string) bool {
	for _, prefix := range []string{"MaxInt", "MinInt", "MaxUint"} {
		if rest, ok := strings.CutPrefix(name, prefix); ok && strings.Trim(rest, "0123456789") == "" {
			return true
		}
	}
	return false
}
