// Package rules holds what this repository demands of its own code, as tests
// that run with all the others. Each rule is a function from sources to
// findings, so that it can be shown to fail on a bad sample; the tables of what
// is allowed, each with its reason, are at the head of the rule's file.
//
// A rule that is wrong for a piece of code is changed here, in the open, with
// the reason beside it; there is no comment that switches a rule off.
package rules
