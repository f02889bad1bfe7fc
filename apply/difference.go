package apply

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/seed42445051/scrip/fault"
)

// Kind is what happens to a credit, meter, pack, plan or code.
type Kind int

// The kinds of change, in the order in which they are made: what is not a credit needs its credits,
// and what is archived is needed by nothing that comes after it.
const (
	Created Kind = iota
	Changed
	Archived
)

// Change is what happens to one credit, meter, pack, plan or code.
type Change struct {
	Kind   Kind
	What   string // credit, meter, pack, plan or code
	Name   string
	Fields []FieldChange
	do     func(context.Context) error
}

// FieldChange is a property that gets another value; empty is not set.
type FieldChange struct{ Name, Old, New string }

// Difference is what has to be done.
type Difference struct{ Changes []Change }

func (d *Difference) add(c Change) { d.Changes = append(d.Changes, c) }

// order sorts the changes so that each finds what it needs: credits before all else and
// codes last, except that the rest leaves before credits.
func (d *Difference) order() {
	rank := func(c Change) int {
		switch {
		case c.Kind != Archived && c.What == "credit":
			return 0
		case c.Kind != Archived && c.What != "code":
			return 1
		case c.Kind != Archived:
			return 2
		case c.What != "credit":
			return 3
		}
		return 4
	}
	slices.SortStableFunc(d.Changes, func(a, b Change) int { return rank(a) - rank(b) })
}

// changes lists the fields whose values differ, in order; a side that lacks a field has it
// empty.
func changes(old, now []field) []FieldChange {
	var out []FieldChange
	before := map[string]string{}
	for _, f := range old {
		before[f.name] = f.value
	}
	for _, f := range now {
		if before[f.name] != f.value {
			out = append(out, FieldChange{f.name, before[f.name], f.value})
		}
		delete(before, f.name)
	}
	for _, f := range old { // what is left only the old side has
		if value, ok := before[f.name]; ok && value != "" {
			out = append(out, FieldChange{f.name, value, ""})
		}
	}
	return out
}

// Write shows the difference to people: + what is made, ~ what changes, - what is archived.
func (d *Difference) Write(w io.Writer) error {
	var b strings.Builder
	for _, c := range d.Changes {
		switch c.Kind {
		case Created:
			fmt.Fprintf(&b, "+ %s %q\n", c.What, c.Name)
			for _, f := range c.Fields {
				if f.Name != "name" {
					fmt.Fprintf(&b, "    %s: %s\n", f.Name, f.New)
				}
			}
		case Changed:
			fmt.Fprintf(&b, "~ %s %q\n", c.What, c.Name)
			for _, f := range c.Fields {
				fmt.Fprintf(&b, "    %s: %s -> %s\n", f.Name, shown(f.Old), shown(f.New))
			}
		case Archived:
			stays := map[string]string{"meter": "what it counted stays", "plan": "who has it keeps it", "code": "what it gave stays"}[c.What]
			if stays == "" {
				stays = "what was granted stays"
			}
			fmt.Fprintf(&b, "- %s %q is archived; %s\n", c.What, c.Name, stays)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func shown(value string) string {
	if value == "" {
		return "(not set)"
	}
	return value
}

// Empty reports whether there is nothing to do.
func (d *Difference) Empty() bool { return len(d.Changes) == 0 }

// Apply makes the changes, in order. When one fails those before it stay; applying the file
// again goes on from there.
func (d *Difference) Apply(ctx context.Context) error {
	for i, c := range d.Changes {
		if err := c.do(ctx); err != nil {
			e := fault.As(err)
			return fault.New("apply.Apply", e.Code, "%s %q: %s (%d of %d changes were made; apply the file again to go on)",
				c.What, c.Name, e.Message, i, len(d.Changes)).Because(e.Err)
		}
	}
	return nil
}
