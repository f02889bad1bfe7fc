// Package notify tells endpoints what happened: it keeps what an operator says of them, and sends
// what the engine has written for them, signed, until they acknowledge it or it is given up.
//
// It owns the endpoints of an app, the dispatcher, the schedule of attempts, the signature and
// the native form of an event. It does not decide what is an event (package wallet does), and
// writes none: the engine does, in the transaction of its cause. Bodies in a vendor's form are
// written by that vendor's compatibility layer, which is given to it as a Renderer.
package notify

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/engine"
	"github.com/seed42445051/scrip/store"
	v1 "github.com/seed42445051/scrip/v1"
)

// How deliveries are made.
const (
	// Timeout bounds one request, from dialling to the end of the answer.
	Timeout = 15 * time.Second
	// InFlight bounds the requests to one endpoint at one time.
	InFlight = 32
	// Ahead bounds the deliveries of one endpoint that a dispatcher has leased.
	Ahead = 4 * InFlight
	// LeaseFor is how long a delivery is a dispatcher's own. It outlasts the requests that may
	// come before it, so that it runs out only when a dispatcher was killed.
	LeaseFor = 2 * time.Minute
	// PollEvery is how often the dispatcher looks for what other servers have written.
	PollEvery = time.Second
	// Keep is how long deliveries are kept after they were made, unless an operator decides
	// otherwise.
	Keep = 30 * 24 * time.Hour
	// PruneEvery is how often a dispatcher looks for deliveries that are older.
	PruneEvery = 15 * time.Minute
	// PruneBatch bounds the deliveries that are deleted at one time, so that nobody waits long.
	PruneBatch = 200
	// MaxResponse bounds what is kept of an answer, in bytes.
	MaxResponse = 1 << 10
)

// Schedule is the pause before each attempt after the first. When the attempt after the last
// pause fails, the delivery is given up.
func Schedule() []time.Duration {
	return []time.Duration{
		0, 5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 10 * time.Hour,
	}
}

// Options configure a service.
type Options struct {
	Store  store.Store
	Engine *engine.Engine
	Clock  engine.Clock
	Log    *slog.Logger
	// Formats writes bodies in other forms than the native one, by the format of the endpoint.
	Formats map[string]Renderer
	// Receivers take events within this process, by the id of the receiver (catalog.Receivers). What is
	// written for one that is not here waits for a server that has it.
	Receivers map[string]Receiver
	// Allow says which addresses may be sent to besides public ones.
	Allow Addresses
	// Keep is how long deliveries are kept after they were made; zero: for ever. What is pending is
	// kept.
	Keep time.Duration
}

// Service keeps endpoints and makes their deliveries. Make it with New.
type Service struct {
	Options
	sender     *sender
	stats      Stats
	dispatcher atomic.Pointer[Dispatcher] // nil: nothing is sent from here
}

// Stats counts what came of webhooks since the service was made.
type Stats struct {
	Acknowledged atomic.Int64 // attempts that were answered with 2xx
	Rejected     atomic.Int64 // attempts that were answered with another status
	Unanswered   atomic.Int64 // attempts that had no answer, or none in time
	GivenUp      atomic.Int64 // deliveries whose last attempt failed
	Pruned       atomic.Int64 // deliveries that were deleted since they were old
}

// Stats returns the counters.
func (s *Service) Stats() *Stats { return &s.stats }

// Backlog tells what waits to be sent, by whichever server.
func (s *Service) Backlog(ctx context.Context) (store.Backlog, error) { return s.Store.Backlog(ctx) }

// New returns a service. It sends nothing by itself: see Start.
func New(o Options) *Service {
	formats := map[string]Renderer{catalog.NativeFormat: native{}}
	for name, r := range o.Formats {
		formats[name] = r
	}
	o.Formats = formats
	return &Service{Options: o, sender: newSender(o.Clock, o.Allow)}
}

// Session does what one caller asks about endpoints and deliveries.
type Session struct {
	service *Service
	caller  v1.Caller
}

// As returns the session of a caller.
func (s *Service) As(caller v1.Caller) *Session { return &Session{service: s, caller: caller} }

// lookAgain has the dispatcher of this process look for what is due; those of others look by
// themselves.
func (s *Service) lookAgain() {
	if d := s.dispatcher.Load(); d != nil {
		d.lookAgain()
	}
}

// Receiver takes events within this process, as an endpoint does elsewhere: at least once each, again
// on the same schedule after an error.
type Receiver interface {
	// Receive takes one event. ErrNotForMe, by errors.Is, is no failure: the event does not concern it.
	Receive(ctx context.Context, e *Event) error
}

// ErrNotForMe is a receiver's answer to an event with which it has nothing to do.
var ErrNotForMe = errors.New("the event does not concern this receiver")

// ErrGiveUp marks an error after which trying again cannot help.
var ErrGiveUp = errors.New("trying again cannot help")

// Renderer writes events in one format.
type Renderer interface {
	// Render writes the body of an event, the same for the same event as long as the definitions
	// stay. No body and no error means that the format has no such event: nothing is sent.
	Render(ctx context.Context, e *Event) ([]byte, error)
}
