// Package serve runs an HTTP handler as a server that operators can live with: timeouts for
// slow clients, metrics, and an end that answers what was accepted.
//
// It owns listening, stopping and what /metrics says. It does not own any route of the API and
// knows nothing of credits: the handler and the counters are given to it.
package serve

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"syscall"
	"time"

	"github.com/seed42445051/scrip/fault"
)

// How long clients may take. A request of the API is small and so is its answer: who needs
// longer than this is not there any more, or means harm.
const (
	headerTimeout = 10 * time.Second
	readTimeout   = 30 * time.Second
	writeTimeout  = 60 * time.Second
	idleTimeout   = 2 * time.Minute
	// maxHeader bounds the headers of a request, in bytes.
	maxHeader = 64 << 10
)

// DefaultGrace is how long accepted requests may take once the server is asked to stop. It is
// below the 30 seconds after which most supervisors kill.
const DefaultGrace = 20 * time.Second

// Server is a handler and how to serve it.
type Server struct {
	Handler http.Handler
	Log     *slog.Logger
	Grace   time.Duration // zero: DefaultGrace
}

// Listen takes an address, such as 127.0.0.1:8080.
func Listen(ctx context.Context, addr string) (net.Listener, error) {
	const op = "serve.Listen"
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", addr)
	switch {
	case err == nil:
		return l, nil
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fault.New(op, fault.CodeInvalidConfig, "another program listens on %s already: stop it, or choose another address with --addr", addr).In("addr")
	case errors.Is(err, syscall.EACCES):
		return nil, fault.New(op, fault.CodeInvalidConfig, "listening on %s is not allowed: ports below 1024 need privileges, so choose a higher one with --addr", addr).In("addr")
	}
	return nil, fault.New(op, fault.CodeInvalidConfig, "nothing can listen on %q: an address is a host and a port, such as 127.0.0.1:8080", addr).In("addr").Because(err)
}

// Run serves until ctx ends, and then until what was accepted is answered or the grace is over.
// It closes the listener.
func (s *Server) Run(ctx context.Context, l net.Listener) error {
	const op = "serve.Run"
	heap := ballast()
	defer runtime.KeepAlive(heap)
	server := &http.Server{
		Handler: s.Handler, MaxHeaderBytes: maxHeader,
		ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
		ErrorLog: slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug), // clients that misbehave
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	select {
	case err := <-failed:
		return fault.New(op, fault.CodeInternalError, "the server stopped by itself").Because(err)
	case <-ctx.Done():
	}
	grace := s.Grace
	if grace <= 0 {
		grace = DefaultGrace
	}
	s.Log.Info("stopping: requests under way are finished first", "grace", grace.String())
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	if err := server.Shutdown(bounded); err != nil {
		_ = server.Close() // what is left is cut off; Shutdown's error says so
		return fault.New(op, fault.CodeShuttingDown, "some requests did not finish within %s and were cut off", grace).Because(err)
	}
	return nil
}
