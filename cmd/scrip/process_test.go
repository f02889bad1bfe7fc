package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"regexp"
	"sync"
	"testing"
	"time"
)

// patience is how long a process may take for anything that a test waits for.
const patience = 5 * time.Minute

// process is a running scrip.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	stdout *output
	stderr *output
	closed sync.WaitGroup // both outputs are at their end
}

// startScrip runs scrip in a folder of its own.
func startScrip(t *testing.T, dir string, args ...string) *process {
	t.Helper()
	return start(t, exec.Command("scrip", args...), dir)
}

func start(t *testing.T, cmd *exec.Cmd, dir string) *process {
	t.Helper()
	// The test's own context ends before its cleanups, which may want to stop the process.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience)
	bounded := exec.CommandContext(ctx, cmd.Path, cmd.Args[1:]...)
	bounded.Dir, bounded.Env = dir, cmd.Env
	p := &process{t: t, cmd: bounded}
	p.stdout = p.read(bounded.StdoutPipe)
	p.stderr = p.read(bounded.StderrPipe)
	if err := bounded.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		p.wait()
	})
	return p
}

// read begins to collect a pipe of the process, line by line.
func (p *process) read(pipe func() (io.ReadCloser, error)) *output {
	r, err := pipe()
	if err != nil {
		p.t.Fatal(err)
	}
	o := &output{}
	o.grown = sync.NewCond(&o.mu)
	p.closed.Go(func() {
		lines := bufio.NewScanner(r)
		for lines.Scan() {
			o.add(lines.Bytes())
		}
		o.end()
	})
	return o
}

// output is what a process has written so far.
type output struct {
	mu    sync.Mutex
	grown *sync.Cond
	text  bytes.Buffer
	done  bool
}

func (o *output) add(line []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text.Write(line)
	o.text.WriteByte('\n')
	o.grown.Broadcast()
}

func (o *output) end() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.done = true
	o.grown.Broadcast()
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// find waits until the output matches, and returns the first group of the match.
func (o *output) find(t *testing.T, pattern string) string {
	t.Helper()
	re := regexp.MustCompile(pattern)
	o.mu.Lock()
	defer o.mu.Unlock()
	for {
		if m := re.FindStringSubmatch(o.text.String()); m != nil {
			return m[len(m)-1]
		}
		if o.done {
			t.Fatalf("the process ended without writing %s; it wrote:\n%s", pattern, o.text.String())
		}
		o.grown.Wait()
	}
}

// wait waits for the end and returns the exit code.
func (p *process) wait() int {
	p.closed.Wait()
	err := p.cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) && p.cmd.ProcessState == nil {
		p.t.Errorf("%v: %v", p.cmd.Args, err)
	}
	return p.cmd.ProcessState.ExitCode()
}

// stop asks the process to end, and checks that it does so in order.
func (p *process) stop(signal os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(signal); err != nil {
		p.t.Fatal(err)
	}
	if code := p.wait(); code != 0 {
		p.t.Fatalf("%v: exit code %d\n%s", p.cmd.Args, code, p.stderr)
	}
}

// runScrip runs scrip to its end and returns what it wrote to standard output.
func runScrip(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "scrip", args...)
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s%s", cmd.Args, err, out, stderr.Bytes())
	}
	return string(out)
}
