package bench

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// How long a server may take to answer after it was started, and to end after it was asked to.
const (
	startLimit = 30 * time.Second
	stopLimit  = 30 * time.Second
)

// Process is a server in an operating-system process of its own, on 127.0.0.1.
type Process struct {
	Address string
	cmd     *exec.Cmd
	ended   chan struct{} // closed when it has
	err     error         // how it ended, once ended is closed
}

// AddressMark stands for the server's address in the arguments of Start.
const AddressMark = "{address}"

// Start runs a program that serves on the address that stands for AddressMark in its arguments,
// and returns when it answers there. What it writes goes to log.
func Start(ctx context.Context, log io.Writer, command ...string) (*Process, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	args := make([]string, len(command))
	for i, arg := range command {
		args[i] = strings.ReplaceAll(arg, AddressMark, address)
	}
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = stopLimit
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &Process{Address: address, cmd: cmd, ended: make(chan struct{})}
	go func() {
		p.err = cmd.Wait()
		close(p.ended)
	}()
	if err := p.ready(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("bench: %s does not serve: %w", args[0], err), p.Stop())
	}
	return p, nil
}

// freeAddress finds a port that nobody listens on.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String(), nil
}

// ready waits until the server answers 200.
func (p *Process) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		err := p.ask(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-p.ended:
			return errors.New("it ended at once")
		case <-tick.C:
		}
	}
}

func (p *Process) ask(ctx context.Context) error {
	c, err := Dial(ctx, p.Address)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	status, body, err := c.Do([]byte("GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"))
	if err != nil {
		return err
	}
	return want(status, body)
}

// Stop ends the server in good order.
func (p *Process) Stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	<-p.ended
	if exit, ok := errors.AsType[*exec.ExitError](p.err); ok && exit.Sys().(syscall.WaitStatus).Signaled() {
		return nil // it does not handle the signal, which ends it as well
	}
	return p.err
}

// Measure loads the server, and finds out what it and the load generator spend on it.
func (p *Process) Measure(ctx context.Context, l Load, op Operation) (*Sample, error) {
	_, before, err := processor(p.cmd.Process.Pid)
	if err != nil {
		return nil, err
	}
	_, own, err := processor(os.Getpid())
	if err != nil {
		return nil, err
	}
	l.Address = p.Address
	s, err := l.Run(ctx, op)
	if err != nil {
		return nil, err
	}
	_, after, err := processor(p.cmd.Process.Pid)
	if err != nil {
		return nil, err
	}
	_, ownAfter, err := processor(os.Getpid())
	s.Server = (after - before) / time.Duration(s.Calls)
	s.Client = (ownAfter - own) / time.Duration(s.Calls)
	return s, err
}

// tick is the unit in which Linux counts processor time for those who read /proc.
const tick = 10 * time.Millisecond

// processor reads a process's parent and the processor time that it has used.
func processor(pid int) (parent int, used time.Duration, err error) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0, 0, err
	}
	// The name comes second, in brackets, and may hold anything. Behind it the parent is the
	// second field; user and system time are the twelfth and the thirteenth.
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(fields) < 13 {
		return 0, 0, errors.New("bench: the system does not tell how much time a process has used")
	}
	var numbers [3]int
	for i, field := range []int{1, 11, 12} {
		if numbers[i], err = strconv.Atoi(fields[field]); err != nil {
			return 0, 0, err
		}
	}
	return numbers[0], time.Duration(numbers[1]+numbers[2]) * tick, nil
}

// Family is the processor time that a process's children have used which are alive now. It is
// meant for PostgreSQL, whose connections are processes.
func Family(parent int) (time.Duration, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return 0, err
	}
	var total time.Duration
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue // not a process
		}
		of, used, err := processor(pid)
		if err == nil && of == parent { // an error: it has ended meanwhile
			total += used
		}
	}
	return total, nil
}

// Parent is the process that started another one.
func Parent(pid int) (int, error) {
	parent, _, err := processor(pid)
	return parent, err
}

// Memory is what the process has in memory now, in bytes (VmRSS).
func (p *Process) Memory() (int64, error) {
	f, err := os.Open("/proc/" + strconv.Itoa(p.cmd.Process.Pid) + "/status")
	if err != nil {
		return 0, err
	}
	defer func() { _ = f.Close() }()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if value, ok := strings.CutPrefix(lines.Text(), "VmRSS:"); ok {
			kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
			return kib << 10, err
		}
	}
	return 0, errors.New("bench: the system does not tell how much memory a process has")
}
