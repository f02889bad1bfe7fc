package pgtest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// superuser is the role that the cluster is made with. It needs no password:
// the server listens on a socket in a folder that only its owner can enter.
const superuser = "scrip"

// startLimit is how long a server may take to answer, stopLimit how long to
// end. Both are far beyond what a loaded machine with two cores needs.
const (
	startLimit = 2 * time.Minute
	stopLimit  = time.Minute
)

// Option changes how a server is run.
type Option func(*config)

// config is what options change.
type config struct{ settings []string }

// WithoutFsync lets the server lose data when the machine stops, which tests
// of anything but durability do not mind. It is faster by a factor.
func WithoutFsync() Option {
	return func(c *config) {
		c.settings = append(c.settings, "fsync=off", "synchronous_commit=off", "full_page_writes=off")
	}
}

// WithSetting passes a setting of postgresql.conf.
func WithSetting(name, value string) Option {
	return func(c *config) { c.settings = append(c.settings, name+"="+value) }
}

// Server is a PostgreSQL cluster that this process owns. Its methods may be
// called from several goroutines; stopping and starting take turns.
type Server struct {
	bin      string
	owner    *account // the user it runs as, nil for this process's own
	data     string
	run      string // socket, log and lock; always short-lived
	lock     *os.File
	settings []string

	mu      sync.Mutex
	process *process // nil while the server is down

	preparing sync.Once
	unready   error // why there is no original
}

// process is one life of the server.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
	err  error         // how it ended, once done is closed
}

// Start makes a cluster in a new folder "pgdata" of dir and starts it. The user
// that the server runs as must be able to reach dir. Without a dir, the data
// goes to a temporary folder. Close ends the server and removes what was made.
func Start(dir string, options ...Option) (*Server, error) {
	bin, err := findBinaries()
	if err != nil {
		return nil, err
	}
	owner, err := serverAccount()
	if err != nil {
		return nil, err
	}
	sweep()
	var c config
	for _, o := range options {
		o(&c)
	}
	s := &Server{bin: bin, owner: owner, settings: c.settings}
	err = s.makeFolders(dir)
	if err == nil {
		err = s.initialize()
	}
	if err == nil {
		err = s.Start()
	}
	if err != nil {
		return nil, fmt.Errorf("pgtest: %w", errors.Join(err, s.Close()))
	}
	return s, nil
}

// makeFolders makes the folder for the data and the one for everything else. A
// folder's name is kept in s, which Close removes, only once it has been made
// here.
func (s *Server) makeFolders(dir string) error {
	run, lock, err := makeRunFolder()
	if err != nil {
		return err
	}
	s.run, s.lock = run, lock
	if dir == "" {
		dir = run
	}
	dir, err = filepath.Abs(dir)
	if err != nil {
		return err
	}
	data := filepath.Join(dir, "pgdata")
	if err := os.Mkdir(data, 0o700); err != nil {
		return err
	}
	s.data = data
	return errors.Join(s.owner.takes(s.run), s.owner.takes(s.data))
}

// initialize runs initdb. The cluster sorts text by language, as most databases
// in production do, so that a query which relies on byte order without saying
// so is found out. Nothing of the first files needs to survive a power cut.
func (s *Server) initialize() error {
	args := []string{
		"-D", s.data, "-U", superuser, "--auth=trust", "--no-sync",
		"-E", "UTF8", "--locale=C", "--locale-provider=icu", "--icu-locale=en-US",
	}
	out, err := s.command("initdb", args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return nil
}

// command prepares a program of PostgreSQL, run as the cluster's owner.
func (s *Server) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(s.bin, name), args...)
	cmd.Dir = s.run
	cmd.Env = append(os.Environ(), "LC_ALL=C", "TZ=UTC")
	cmd.SysProcAttr = s.owner.attributes()
	return cmd
}

// Start starts the server again after Stop or Kill, and returns when it
// answers. It does nothing while the server runs.
func (s *Server) Start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process != nil {
		return nil
	}
	logFile, err := os.OpenFile(s.logPath(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = logFile.Close() }() // the server has its own copy
	args := []string{"-D", s.data, "-k", s.run}
	for _, setting := range append([]string{
		"listen_addresses=", "max_connections=200", "timezone=UTC", "log_timezone=UTC",
	}, s.settings...) {
		args = append(args, "-c", setting)
	}
	cmd := s.command("postgres", args...)
	cmd.Stdout, cmd.Stderr = logFile, logFile
	p := &process{cmd: cmd, done: make(chan struct{})}
	if err := p.start(); err != nil {
		return err
	}
	s.process = p
	if err := s.waitReady(p); err != nil {
		s.process = nil
		return errors.Join(err, p.end(syscall.SIGQUIT), fmt.Errorf("the server's log ends:\n%s", s.logTail()))
	}
	return nil
}

// start starts the process and waits for its end from one goroutine that keeps
// its thread: the kernel takes the end of the thread that started a child for
// the death of the parent.
func (p *process) start() error {
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.cmd.Start()
		started <- err
		if err != nil {
			return
		}
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	return <-started
}

// end sends a signal and waits for the process to end.
func (p *process) end(signal os.Signal) error {
	if err := p.cmd.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-p.done:
		return nil
	case <-time.After(stopLimit):
		_ = p.cmd.Process.Kill() // it may have ended just now
		<-p.done
		return fmt.Errorf("the server did not end within %s of %s and was killed", stopLimit, signal)
	}
}

// waitReady returns when the server accepts a connection.
func (s *Server) waitReady(p *process) error {
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := pgx.Connect(ctx, s.URL("postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-p.done:
			return fmt.Errorf("the server ended while starting: %w", p.err)
		case <-ctx.Done():
			return fmt.Errorf("the server does not answer after %s: %w", startLimit, err)
		case <-tick.C:
		}
	}
}

// Stop ends the server in good order: open transactions are rolled back,
// connections closed, everything written. Start starts it again.
func (s *Server) Stop() error { return s.down(syscall.SIGINT) }

// Kill ends the server at once, as a crash would: every connection is cut in
// the middle of what it does, and the next Start recovers from the log.
func (s *Server) Kill() error { return s.down(syscall.SIGQUIT) }

// down ends the server if it runs.
func (s *Server) down(signal os.Signal) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.process
	if p == nil {
		return nil
	}
	s.process = nil
	return p.end(signal)
}

// Close ends the server and removes its data. There is nothing to save, so it
// does not wait for connections or a checkpoint.
func (s *Server) Close() error {
	err := s.Kill()
	if s.data != "" {
		err = errors.Join(err, os.RemoveAll(s.data))
	}
	if s.run != "" {
		err = errors.Join(err, os.RemoveAll(s.run))
	}
	if s.lock != nil {
		err = errors.Join(err, s.lock.Close())
		s.lock = nil
	}
	return err
}

// URL is the address of one of the server's databases. It stays the same when
// the server is stopped and started.
func (s *Server) URL(database string) string {
	u := url.URL{
		Scheme: "postgres", User: url.User(superuser), Path: "/" + database,
		RawQuery: url.Values{"host": {s.run}}.Encode(),
	}
	return u.String()
}

// NewDatabase creates an empty database and returns its address. It goes with
// the server.
func (s *Server) NewDatabase(ctx context.Context) (string, error) {
	address, _, err := createDatabase(ctx, s.URL("postgres"), emptyTemplate)
	return address, err
}

func (s *Server) logPath() string { return filepath.Join(s.run, "postgres.log") }

// logTail returns the end of the server's log, for an error message.
func (s *Server) logTail() string {
	text, err := os.ReadFile(s.logPath())
	if err != nil {
		return err.Error()
	}
	const most = 4000
	return string(text[max(0, len(text)-most):])
}

// prepared makes the original that Prepared copies, once.
func (s *Server) prepared(ctx context.Context, prepare func(ctx context.Context, address string) error) error {
	s.preparing.Do(func() {
		if s.unready = execute(ctx, s.URL("postgres"), "CREATE DATABASE "+original); s.unready == nil {
			s.unready = prepare(ctx, s.URL(original))
		}
	})
	return s.unready
}

// original is the database that Prepared copies.
const original = "original"

// emptyTemplate is the database that PostgreSQL itself copies for an empty one.
const emptyTemplate = "template1"

// createDatabase makes a database with a random name through an administrative
// address, as a copy of another, and returns its own address and its name.
func createDatabase(ctx context.Context, admin, template string) (address, name string, err error) {
	var random [8]byte
	_, _ = rand.Read(random[:]) // never fails
	name = fmt.Sprintf("scrip_%x", random)
	if address, err = withDatabase(admin, name); err != nil {
		return "", "", err
	}
	return address, name, execute(ctx, admin, "CREATE DATABASE "+name+" TEMPLATE "+template)
}

// dropDatabase removes a database, whoever may still be connected to it.
func dropDatabase(ctx context.Context, admin, name string) error {
	return execute(ctx, admin, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)")
}

// execute runs one statement on a connection of its own.
func execute(ctx context.Context, address, statement string) error {
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, statement)
	return errors.Join(err, conn.Close(ctx))
}
