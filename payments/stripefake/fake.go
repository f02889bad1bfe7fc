package stripefake

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/seed42445051/scrip/clock"
)

// DefaultAPIVersion is the api_version of events unless Options say otherwise:
// the one that the Go library v85 is pinned to.
const DefaultAPIVersion = "2026-03-25.dahlia"

// start is where a fake's own clock stands at first: 2026-01-01T00:00:00Z.
const start clock.Instant = 1_767_225_600_000_000

// Time is what a fake asks of a clock. clock.Manual and clock.System have it.
type Time interface {
	clock.Clock
	clock.Waiter
}

// Options say what a fake is like. The zero value is a fake in test mode with a
// clock of its own that stands at the beginning of 2026.
type Options struct {
	Clock      Time   // nil: a clock of its own, that only Advance moves
	Seed       uint64 // of ids, shuffling and faults at random
	Live       bool   // live keys and live objects instead of those of test mode
	APIVersion string // of events; empty: DefaultAPIVersion
	Automatic  bool   // deliver webhooks as soon as they are due, without Deliver
	Addr       string // for Start; empty: a free port of 127.0.0.1
}

// Fake is one Stripe account, in memory. It is an http.Handler and safe for
// concurrent use. Make it with New or Start.
type Fake struct {
	// URL is where Start listens, such as http://127.0.0.1:40123; empty after New.
	URL string

	clock  Time
	live   bool
	mux    *http.ServeMux
	client *http.Client
	server *http.Server
	done   chan struct{} // closed by Close
	wake   chan struct{} // has room for one; tells the automatic mode to look
	loops  sync.WaitGroup

	mu     sync.Mutex
	offset time.Duration // by which Advance moved a clock that cannot be moved
	ids    *rand.Rand
	luck   *rand.Rand // of deliveries and faults, apart from ids so that these stay the same
	ticked clock.Instant

	byID    map[string]entity
	kinds   map[string][]entity // by the name of the object, in order of creation
	open    []*session          // sessions that may still expire
	cause   *cause              // of events, while a request is executed
	version string              // of events
	next    []outcome           // what becomes of the next charges, whatever the card

	keys     map[string]*keyed
	requests []*Request
	faults   []Fault
	chance   chance
	holding  holding

	endpoints []*endpoint
	policy    Policy
	queue     []*delivery
}

// New returns a fake that listens nowhere: serve it with httptest, or mount it.
// Close it after use.
func New(o Options) *Fake {
	f := &Fake{
		clock: o.Clock, live: o.Live, version: o.APIVersion,
		done: make(chan struct{}), wake: make(chan struct{}, 1),
		ids: rand.New(rand.NewPCG(o.Seed, 1)), luck: rand.New(rand.NewPCG(o.Seed, 2)),
		byID: map[string]entity{}, kinds: map[string][]entity{}, keys: map[string]*keyed{},
		holding: newHolding(),
	}
	if f.clock == nil {
		f.clock = clock.NewManual(start)
	}
	if f.version == "" {
		f.version = DefaultAPIVersion
	}
	f.client = newDeliveryClient()
	f.mux = f.newMux()
	if o.Automatic {
		f.loops.Go(f.deliverAlways)
	}
	return f
}

// Start returns a fake that listens on Options.Addr. It is an error for that not
// to be an address of the loopback interface: a fake takes any key, so nobody
// else may reach it.
func Start(o Options) (*Fake, error) {
	if o.Addr == "" {
		o.Addr = "127.0.0.1:0"
	}
	host, _, err := net.SplitHostPort(o.Addr)
	if err != nil {
		return nil, fmt.Errorf("stripefake: %w", err)
	}
	if !isLoopback(host) {
		return nil, fmt.Errorf("stripefake: %s is not an address of the loopback interface", o.Addr)
	}
	listener, err := net.Listen("tcp", o.Addr)
	if err != nil {
		return nil, fmt.Errorf("stripefake: %w", err)
	}
	f := New(o)
	f.URL = "http://" + listener.Addr().String()
	f.server = &http.Server{Handler: f, ReadHeaderTimeout: headerTimeout}
	f.loops.Go(func() { _ = f.server.Serve(listener) }) // it ends when Close says so
	return f, nil
}

// headerTimeout is how long a client of Start may take to send its headers.
const headerTimeout = 10 * time.Second

// isLoopback tells whether a host, without its port, is this machine alone.
func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

// Close stops listening and delivering, lets held requests go, and waits for
// what is under way. It is called once.
func (f *Fake) Close() error {
	close(f.done)
	var err error
	if f.server != nil {
		err = f.server.Shutdown(context.Background())
	}
	f.loops.Wait()
	return err
}

// Now returns the instant at which the fake's time stands.
func (f *Fake) Now() clock.Instant {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now()
}

// mover is a clock that can be moved, such as clock.Manual.
type mover interface{ Advance(time.Duration) }

// Advance moves time on by d. A clock of Options that can be moved is moved
// itself, so that all who share it see the same time. Checkout sessions that ran
// out meanwhile expire; webhooks that fell due wait for Deliver.
func (f *Fake) Advance(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if m, ok := f.clock.(mover); ok {
		m.Advance(d)
	} else {
		f.offset += d
	}
	f.tick()
	f.rouse()
}

// SetAPIVersion sets the api_version of the events that come from now on.
func (f *Fake) SetAPIVersion(version string) {
	f.lock()
	defer f.mu.Unlock()
	f.version = version
}

// lock takes the lock and brings about what the time has made due, since the
// clock may have been moved by others.
func (f *Fake) lock() {
	f.mu.Lock()
	f.tick()
}

// now and those below need the lock to be held.

func (f *Fake) now() clock.Instant { return f.clock.Now().Add(f.offset) }

func (f *Fake) unix() int64 { return f.now().Time().Unix() }

func (f *Fake) tick() {
	now := f.now()
	if now == f.ticked {
		return
	}
	f.ticked = now
	f.expireSessions()
	f.forgetEvents()
}

// rouse tells the automatic mode that there may be something to deliver.
func (f *Fake) rouse() {
	select {
	case f.wake <- struct{}{}:
	default: // it has been told already
	}
}

// idLength is how many characters follow an id's prefix.
const idLength = 24

// newID returns an id that does not tell what came first, like Stripe's.
func (f *Fake) newID(prefix string) string {
	const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	id := []byte(prefix + "_")
	for range idLength {
		id = append(id, alphabet[f.ids.IntN(len(alphabet))])
	}
	return string(id)
}
