package model

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/wallet"
)

// Customer is whose wallet histories are about.
var Customer = wallet.Key{App: "app_model", Mode: catalog.Test, Customer: "customer"}

// Factory makes the subject of a history: an empty wallet under the given definitions.
type Factory func(key wallet.Key, defs *catalog.Definitions) Subject

// Failure is where a subject and the model part.
type Failure struct {
	Step    int // index in the history
	Problem string
}

// Coverage counts what histories went through, so that a run can show that it tested something.
type Coverage struct {
	Steps     int
	Commands  map[string]int // "Deduct: ok", "Deduct: denied [credits_exhausted]", "Deduct: invalid_amount"
	Reasons   map[wallet.Reason]int
	Entries   map[wallet.EntryType]int
	Situation map[string]int
}

// NewCoverage returns empty counts.
func NewCoverage() *Coverage {
	return &Coverage{
		Commands: map[string]int{}, Reasons: map[wallet.Reason]int{}, Entries: map[wallet.EntryType]int{},
		Situation: map[string]int{},
	}
}

// checkable is a Subject that can check itself beyond what View shows.
type checkable interface{ Check() error }

// Run leads a subject and the model through a history and compares them after every step. It
// returns nil when they agree to the end. log, when not nil, is told every move.
func Run(h History, make Factory, cov *Coverage, log func(step int, m Move, got Outcome)) (f *Failure) {
	u := newUniverse(h.Seed)
	m := New(u.defs)
	subject := make(Customer, u.defs)
	k := newMaker(u, m, h.Seed)
	check := newChecker(m, Customer)
	at := 0
	defer func() {
		if r := recover(); r != nil {
			f = &Failure{Step: at, Problem: fmt.Sprintf("panic: %v", r)}
		}
	}()
	for i, step := range h.Steps {
		at = i
		move := k.move(step)
		got, want, err := do(subject, m, move)
		if log != nil {
			log(i, move, got)
		}
		if err != nil {
			return &Failure{i, err.Error()}
		}
		if !got.equal(&want) {
			return &Failure{i, fmt.Sprintf("the outcome differs:\n   got %s\n  want %s", got, want)}
		}
		view := subject.View()
		if problem := check.check(view, m.View()); problem != "" {
			return &Failure{i, problem}
		}
		sampled := i%16 == 0 || i == len(h.Steps)-1
		if sampled || check.stands() {
			check.remember(view)
		}
		if sampled {
			if c, ok := subject.(checkable); ok {
				if err := c.Check(); err != nil {
					return &Failure{i, err.Error()}
				}
			}
		}
		if cov != nil {
			cov.count(move, &got)
		}
	}
	if problem := check.past(subject.View().Entries); problem != "" {
		return &Failure{at, problem}
	}
	if cov != nil {
		cov.finish(m)
	}
	return nil
}

// do takes one step on both sides.
func do(subject Subject, m *Model, move Move) (got, want Outcome, err error) {
	if move.Restart {
		if s, ok := subject.(Restarter); ok {
			s.Restart()
		}
	}
	if move.Defs != nil {
		s, ok := subject.(Redefiner)
		if ok {
			s.Redefine(move.Defs)
			m.Defs = move.Defs
		}
	}
	answer, err := subject.Do(move.At, move.Command)
	got = OutcomeOf(answer, err)
	if move.Command == nil && err != nil {
		return got, want, err
	}
	return got, m.Do(move.At, move.Command), nil
}

func (c *Coverage) count(move Move, o *Outcome) {
	c.Steps++
	what := "time"
	if move.Command != nil {
		what = strings.TrimPrefix(fmt.Sprintf("%T", move.Command), "*wallet.")
	}
	switch {
	case o.Code != "":
		what += ": " + string(o.Code)
	case o.Allowed && o.Existing:
		what += ": existing"
	case o.Allowed || move.Command == nil:
		what += ": ok"
	default:
		what += fmt.Sprintf(": denied %v", o.Reasons)
	}
	c.Commands[what]++
	for _, reason := range o.Reasons {
		c.Reasons[reason]++
	}
}

func (c *Coverage) finish(m *Model) {
	for i := range m.ledger {
		c.Entries[m.ledger[i].kind]++
	}
	for what, n := range m.Happened {
		c.Situation[what] += n
	}
}

// String lists the counts, one a line.
func (c *Coverage) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d steps\n", c.Steps)
	list(&b, "command", c.Commands)
	list(&b, "reason", c.Reasons)
	list(&b, "entry", c.Entries)
	list(&b, "situation", c.Situation)
	return b.String()
}

func list[K cmp.Ordered](b *strings.Builder, what string, counts map[K]int) {
	for _, key := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(b, "  %-10s %8d  %v\n", what, counts[key], key)
	}
}

// Shrink leaves out steps for as long as the history still fails, in at most tries runs.
func Shrink(h History, make Factory, f *Failure, tries int) (History, *Failure) {
	h.Steps = h.Steps[:f.Step+1]
	for chunk := len(h.Steps) / 2; chunk > 0; {
		dropped := false
		for from := 0; from+chunk <= len(h.Steps) && tries > 0; {
			tries--
			less := History{Seed: h.Seed, Steps: slices.Delete(slices.Clone(h.Steps), from, from+chunk)}
			if g := Run(less, make, nil, nil); g != nil {
				less.Steps = less.Steps[:g.Step+1]
				h, f, dropped = less, g, true
				continue
			}
			from += chunk
		}
		if tries == 0 {
			break
		}
		if !dropped || chunk > len(h.Steps) {
			chunk /= 2
		}
	}
	return h, f
}

// Tell writes down a history move by move, with the definitions that it is about.
func Tell(h History, make Factory) string {
	var b strings.Builder
	u := newUniverse(h.Seed)
	for _, id := range u.credits {
		fmt.Fprintf(&b, "%+v\n", *u.defs.Credits[id])
	}
	for _, id := range u.packs {
		fmt.Fprintf(&b, "%+v\n", *u.defs.Packs[id])
	}
	Run(h, make, nil, func(i int, m Move, got Outcome) {
		fmt.Fprintf(&b, "%3d %d %s ", i, m.At, m.At)
		switch {
		case m.Restart:
			b.WriteString("restart")
		case m.Defs != nil:
			b.WriteString("redefine")
			for _, id := range u.credits {
				fmt.Fprintf(&b, "\n      %+v", *m.Defs.Credits[id])
			}
		case m.Command == nil:
			b.WriteString("time passes")
		default:
			fmt.Fprintf(&b, "%s %s", strings.TrimPrefix(fmt.Sprintf("%T", m.Command), "*wallet."), tell(m.Command))
		}
		fmt.Fprintf(&b, "\n      -> %s\n", got)
	})
	return b.String()
}
