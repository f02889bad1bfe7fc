package acceptance

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// program is the server's binary, built once by the first test that runs it.
type program struct {
	once sync.Once
	dir  string
	path string
	err  error
}

var built program

func (p *program) build(t testing.TB) string {
	t.Helper()
	p.once.Do(func() {
		if p.dir, p.err = os.MkdirTemp("", "scrip-acceptance"); p.err != nil {
			return
		}
		p.path = filepath.Join(p.dir, "scrip")
		cmd := exec.Command("go", "build", "-o", p.path, "github.com/seed42445051/scrip/cmd/scrip")
		if out, err := cmd.CombinedOutput(); err != nil {
			p.err = fmt.Errorf("go build: %w\n%s", err, out)
		}
	})
	if p.err != nil {
		t.Fatal(p.err)
	}
	return p.path
}

func (p *program) remove() error {
	if p.dir == "" {
		return nil
	}
	return os.RemoveAll(p.dir)
}

// process is one life of a real server.
type process struct {
	*wire
	cmd  *exec.Cmd
	log  *log
	done chan struct{} // closed when it has ended
	err  error         // how, once done is closed
}

// listening finds the address in the line that a server logs when it serves.
var listening = regexp.MustCompile(`msg=serving address=(\S+)`)

// runServer starts a server over a database and returns when it listens.
func runServer(t testing.TB, db string, flags ...string) *process {
	t.Helper()
	return listens(t, launch(t, db, flags...))
}

// listens waits until a server listens.
func listens(t testing.TB, p *process) *process {
	t.Helper()
	select {
	case address := <-p.log.ready:
		p.wire = newWire(t, "http://"+address)
	case <-p.done:
		t.Fatalf("the server ended while it started: %v\n%s", p.err, p.log)
	case <-time.After(longestWait):
		t.Fatalf("the server does not listen after %s\n%s", longestWait, p.log)
	}
	return p
}

// launch starts a server and does not wait for it. It is killed when the test ends, if not
// before, and dies with this process.
func launch(t testing.TB, db string, flags ...string) *process {
	t.Helper()
	return launchIn(t, nil, db, flags...)
}

// launchIn is launch with variables of the environment besides this process's own.
func launchIn(t testing.TB, env []string, db string, flags ...string) *process {
	t.Helper()
	cmd := exec.Command(built.build(t), append([]string{"serve", "--addr", "127.0.0.1:0", "--db", db}, flags...)...)
	p := &process{cmd: cmd, log: &log{ready: make(chan string, 1)}, done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	p.cmd.Env = append(os.Environ(), env...)
	dieTogether(p.cmd)
	if err := p.start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	return p
}

// start starts the process and waits for its end from one goroutine that keeps its thread: the
// kernel takes the end of that thread for the death of the parent.
func (p *process) start() error {
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.cmd.Start()
		started <- err
		if err == nil {
			p.err = p.cmd.Wait()
			close(p.done)
		}
	}()
	return <-started
}

// kill ends the server as kill -9 does.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended already
	<-p.done
}

// stop asks the server to end and returns how it did.
func (p *process) stop(t testing.TB) error {
	t.Helper()
	noError(t, p.cmd.Process.Signal(syscall.SIGTERM))
	<-p.done
	return p.err
}

// log keeps what a server says, and finds where it listens.
type log struct {
	mu    sync.Mutex
	text  bytes.Buffer
	found bool
	ready chan string
}

func (l *log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.Write(b)
	if !l.found {
		if m := listening.FindSubmatch(l.text.Bytes()); m != nil {
			l.found = true
			l.ready <- string(m[1])
		}
	}
	return len(b), nil
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// scripCommand runs a command of the program to its end and returns what it printed.
func scripCommand(t testing.TB, args ...string) (string, error) {
	t.Helper()
	var out, diagnostics bytes.Buffer
	cmd := exec.CommandContext(context.Background(), built.build(t), args...)
	cmd.Stdout, cmd.Stderr = &out, &diagnostics
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("scrip %s: %w\n%s%s", args[0], err, out.String(), diagnostics.String())
	}
	return strings.TrimSpace(out.String()), nil
}

// makeKey makes a secret key, and its app, as an operator does.
func makeKey(t testing.TB, db, app, mode string) string {
	t.Helper()
	key, err := scripCommand(t, "keys", "create", "--db", db, "--app", app, "--mode", mode, "--kind", "secret")
	noError(t, err)
	return key
}

// verify runs scrip verify, which must find nothing.
func verify(t testing.TB, db string) {
	t.Helper()
	if _, err := scripCommand(t, "verify", "--db", db); err != nil {
		t.Fatal(err)
	}
}
