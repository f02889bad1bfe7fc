// Command testsum runs the stages of the test suite one after the other and
// closes with one line that adds them up: "N passed, N failed". It exists
// because the suite is several runs of go test with different settings, and a
// reader, or a program that reads the log, wants a single verdict at the end.
//
// Stages are separated by a plus sign. A stage is its name, then settings for
// its environment, then either arguments for go test or the word exec and a
// command, which counts as one check:
//
//	testsum lint exec scripts/lint.sh + race -race ./... + long SCRIP_TEST_OPS=100000 ./wallet
//
// It fails when a test, a build or a command failed, and when a stage of go
// test ran no test at all: a suite that tests nothing must not look green.
package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

func main() {
	stages, err := parse(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "testsum:", err)
		os.Exit(2)
	}
	var sum tally
	for _, s := range stages {
		sum.add(s.run(os.Stdout, os.Stderr))
	}
	fmt.Println(sum)
	if sum.failed > 0 {
		os.Exit(1)
	}
}

// stage is one part of the suite: a run of go test, or a command.
type stage struct {
	name string
	env  []string // KEY=VALUE, on top of this process's environment
	test []string // arguments of go test, when command is empty
	cmd  []string // the command and its arguments
}

// parse reads the stages from the command line.
func parse(args []string) ([]stage, error) {
	var stages []stage
	for {
		end := slices.Index(args, "+")
		part := args
		if end >= 0 {
			part = args[:end]
		}
		s, err := parseStage(part)
		if err != nil {
			return nil, err
		}
		stages = append(stages, s)
		if end < 0 {
			return stages, nil
		}
		args = args[end+1:]
	}
}

func parseStage(args []string) (stage, error) {
	if len(args) == 0 {
		return stage{}, fmt.Errorf("a stage needs a name: testsum NAME [KEY=VALUE...] ARGS [+ ...]")
	}
	s := stage{name: args[0]}
	rest := args[1:]
	for len(rest) > 0 && !strings.HasPrefix(rest[0], "-") && strings.Contains(rest[0], "=") {
		s.env = append(s.env, rest[0])
		rest = rest[1:]
	}
	if len(rest) > 0 && rest[0] == "exec" {
		s.cmd = rest[1:]
		if len(s.cmd) == 0 {
			return stage{}, fmt.Errorf("stage %s: exec needs a command", s.name)
		}
		return s, nil
	}
	if len(rest) == 0 {
		return stage{}, fmt.Errorf("stage %s: name the packages to test", s.name)
	}
	s.test = rest
	return s, nil
}

// run carries the stage out and prints its name, what it found and its time.
func (s stage) run(stdout, stderr io.Writer) tally {
	start := time.Now()
	fmt.Fprintf(stdout, "=== stage %s\n", s.name)
	var t tally
	if len(s.cmd) > 0 {
		t = s.runCommand(stdout, stderr)
	} else {
		t = s.runTests(stdout, stderr)
	}
	took := time.Since(start).Round(100 * time.Millisecond)
	fmt.Fprintf(stdout, "=== stage %s took %s (%s)\n\n", s.name, took, t)
	return t
}

// runCommand counts a command as one check.
func (s stage) runCommand(stdout, stderr io.Writer) tally {
	cmd := exec.Command(s.cmd[0], s.cmd[1:]...)
	cmd.Env = append(os.Environ(), s.env...)
	cmd.Stdout, cmd.Stderr = stdout, stderr
	if err := cmd.Run(); err != nil {
		fmt.Fprintf(stdout, "FAIL %s: %s: %v\n", s.name, strings.Join(s.cmd, " "), err)
		return tally{failed: 1}
	}
	return tally{passed: 1}
}

// runTests runs go test and reads its events.
func (s stage) runTests(stdout, stderr io.Writer) tally {
	cmd := exec.Command("go", append([]string{"test", "-json"}, s.test...)...)
	cmd.Env = append(os.Environ(), s.env...)
	cmd.Stderr = stderr
	events, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		fmt.Fprintf(stdout, "FAIL %s: %v\n", s.name, err)
		return tally{failed: 1}
	}
	c := newCollector(stdout)
	readErr := c.read(events)
	exitErr := cmd.Wait()
	c.close()
	switch {
	case readErr != nil:
		fmt.Fprintf(stdout, "FAIL %s: cannot read the events of go test: %v\n", s.name, readErr)
		c.failed++
	case exitErr != nil && c.failed == 0:
		fmt.Fprintf(stdout, "FAIL %s: go test: %v, though no test failed\n", s.name, exitErr)
		c.failed++
	case c.passed+c.failed == 0:
		fmt.Fprintf(stdout, "FAIL %s: no test was run\n", s.name)
		c.failed++
	}
	return c.tally
}

// tally counts tests. A test with subtests is not counted beside them.
type tally struct{ passed, failed, skipped int }

func (t *tally) add(u tally) {
	t.passed += u.passed
	t.failed += u.failed
	t.skipped += u.skipped
}

// String is the closing line. Skipped tests appear in it only when there are
// any, since this repository allows none.
func (t tally) String() string {
	s := fmt.Sprintf("%d passed, %d failed", t.passed, t.failed)
	if t.skipped > 0 {
		s += fmt.Sprintf(", %d skipped", t.skipped)
	}
	return s
}
