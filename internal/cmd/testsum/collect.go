package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
)

// slowSeconds is the time from which on a test is named in the list of slow
// ones, so that a suite that grows too long says where.
const slowSeconds = 5

// event is one line of go test -json (see go doc test2json).
type event struct {
	Action      string
	Package     string
	Test        string
	Output      string
	Elapsed     float64
	FailedBuild string
}

// testRun is one test while it runs.
type testRun struct {
	output     strings.Builder
	hasSubtest bool
	hasFailure bool // a subtest of it failed, and is counted instead of it
}

// packageRun is one package's tests while they run.
type packageRun struct {
	output  strings.Builder
	running map[string]*testRun
	tests   int
	failed  int
}

// slowTest is a test that took longer than slowSeconds.
type slowTest struct {
	name    string
	seconds float64
}

// collector turns events into the tally and into readable output: the output
// of what failed, a line for each package, and the slow tests.
type collector struct {
	tally
	out      io.Writer
	packages map[string]*packageRun
	slow     []slowTest
}

func newCollector(out io.Writer) *collector {
	return &collector{out: out, packages: map[string]*packageRun{}}
}

// read takes every event. A line that is no event is printed as it is: go
// prints some errors, such as a package that does not exist, outside of JSON.
func (c *collector) read(r io.Reader) error {
	br := bufio.NewReader(r)
	for {
		line, err := br.ReadBytes('\n')
		if len(line) > 0 {
			var e event
			if json.Unmarshal(line, &e) == nil && e.Action != "" {
				c.handle(e)
			} else {
				fmt.Fprintf(c.out, "%s", line)
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (c *collector) handle(e event) {
	if e.Action == "build-output" {
		fmt.Fprint(c.out, e.Output)
		return
	}
	if e.Package == "" {
		return
	}
	p := c.packages[e.Package]
	if p == nil {
		p = &packageRun{running: map[string]*testRun{}}
		c.packages[e.Package] = p
	}
	if e.Test == "" {
		c.packageEvent(p, e)
	} else {
		c.testEvent(p, e)
	}
}

func (c *collector) packageEvent(p *packageRun, e event) {
	switch e.Action {
	case "output":
		p.output.WriteString(e.Output)
	case "pass":
		fmt.Fprintf(c.out, "ok   %-60s %7.1fs %5d tests\n", e.Package, e.Elapsed, p.tests)
	case "skip":
		fmt.Fprintf(c.out, "     %-60s no test files\n", e.Package)
	case "fail":
		c.packageFailed(p, e)
	default:
		return
	}
	if e.Action != "output" {
		delete(c.packages, e.Package)
	}
}

// packageFailed prints what is left to say about a package: the output of
// tests that never ended (a panic or the time limit ends all of them) and the
// package's own. Where no test is to blame, the package counts as one failure.
func (c *collector) packageFailed(p *packageRun, e event) {
	names := make([]string, 0, len(p.running))
	for name := range p.running {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintf(c.out, "---- %s did not end:\n%s", name, p.running[name].output.String())
	}
	fmt.Fprint(c.out, p.output.String())
	if p.failed == 0 {
		c.failed++
	}
	why := ""
	if e.FailedBuild != "" {
		why = " (build failed)"
	}
	fmt.Fprintf(c.out, "FAIL %-60s %7.1fs %5d tests%s\n", e.Package, e.Elapsed, p.tests, why)
}

func (c *collector) testEvent(p *packageRun, e event) {
	t := p.running[e.Test]
	if t == nil {
		t = &testRun{}
		p.running[e.Test] = t
	}
	parent := p.parentOf(e.Test)
	switch e.Action {
	case "run":
		if parent != nil {
			parent.hasSubtest = true
		}
		return
	case "output":
		t.output.WriteString(e.Output)
		return
	case "pass":
		if !t.hasSubtest {
			c.passed++
			p.tests++
		}
	case "fail":
		fmt.Fprint(c.out, t.output.String())
		if !t.hasFailure {
			c.failed++
			p.tests++
		}
		p.failed++
		if parent != nil {
			parent.hasFailure = true
		}
	case "skip":
		fmt.Fprint(c.out, t.output.String())
		c.skipped++
	default: // pause, cont, bench, attr
		return
	}
	if !t.hasSubtest && e.Elapsed >= slowSeconds {
		c.slow = append(c.slow, slowTest{e.Package + "." + e.Test, e.Elapsed})
	}
	delete(p.running, e.Test)
}

// parentOf gives the running test that a subtest belongs to, or nil. The name
// of a subtest may itself contain slashes, hence the search upwards.
func (p *packageRun) parentOf(test string) *testRun {
	for {
		i := strings.LastIndexByte(test, '/')
		if i < 0 {
			return nil
		}
		test = test[:i]
		if t := p.running[test]; t != nil {
			return t
		}
	}
}

// close prints the slowest tests and counts packages that never ended, which
// happens when go test itself is killed.
func (c *collector) close() {
	for name, p := range c.packages {
		c.packageFailed(p, event{Package: name})
	}
	slices.SortFunc(c.slow, func(a, b slowTest) int { return cmp.Compare(b.seconds, a.seconds) })
	if len(c.slow) > 10 {
		c.slow = c.slow[:10]
	}
	for _, s := range c.slow {
		fmt.Fprintf(c.out, "slow %7.1fs %s\n", s.seconds, s.name)
	}
}
