package postgres_test

import (
	"bytes"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

// proxy stands between a store and its server, counts round trips, and breaks connections at
// the moment when COMMIT passes. It can see that only in the exec modes that send statements
// as text.
type proxy struct {
	t       testing.TB
	network string
	address string
	l       net.Listener
	trips   atomic.Int64
	atEnd   atomic.Pointer[fate] // what happens to the next COMMIT

	mu    sync.Mutex
	conns []net.Conn
	wg    sync.WaitGroup
}

// commit is the statement as it looks on its way.
var commit = []byte("COMMIT\x00")

// fate is what a proxy does when COMMIT passes, instead of forwarding it.
type fate struct {
	forward func(chunk []byte) []byte // what still reaches the server
	answer  bool                      // the server's answer is awaited, and dropped
	keep    bool                      // the server is not told that the client has gone
	then    func()                    // called when it is done, before the client learns
	late    chan struct{}             // the client loses its connection now, and all of it reaches the server when this closes
}

// pair is a client's connection and the one to the server behind it.
type pair struct {
	client, server net.Conn
	asked          atomic.Bool   // whether the last to speak was the client
	muted          atomic.Bool   // whether the server's answers are dropped
	doomed         atomic.Bool   // whether the client is to learn of its fate only afterwards
	answered       chan struct{} // receives when an answer was dropped
}

func newProxy(t testing.TB, target string) *proxy {
	t.Helper()
	config, err := pgconn.ParseConfig(target)
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{t: t}
	p.network, p.address = pgconn.NetworkAddress(config.Host, config.Port)
	if p.l, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	p.wg.Go(p.accept)
	t.Cleanup(func() {
		_ = p.l.Close()
		p.mu.Lock()
		for _, c := range p.conns {
			_ = c.Close()
		}
		p.mu.Unlock()
		p.wg.Wait()
	})
	return p
}

// url is the target's address by way of the proxy.
func (p *proxy) url(target, parameters string) string {
	config, err := pgconn.ParseConfig(target)
	if err != nil {
		p.t.Fatal(err)
	}
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword(config.User, config.Password), Host: p.l.Addr().String(),
		Path: "/" + config.Database, RawQuery: "sslmode=disable",
	}
	return with(u.String(), parameters)
}

func (p *proxy) accept() {
	for {
		client, err := p.l.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial(p.network, p.address)
		if err != nil {
			_ = client.Close() // the server is down
			continue
		}
		p.mu.Lock()
		p.conns = append(p.conns, client, server)
		p.mu.Unlock()
		c := &pair{client: client, server: server, answered: make(chan struct{}, 1)}
		p.wg.Go(func() { p.requests(c) })
		p.wg.Go(c.answers)
	}
}

func (p *proxy) requests(c *pair) {
	defer func() { _ = c.client.Close() }()
	buffer := make([]byte, 1<<20)
	for {
		n, err := c.client.Read(buffer)
		if err != nil {
			_ = c.server.Close()
			return
		}
		if !c.asked.Swap(true) {
			p.trips.Add(1)
		}
		chunk := buffer[:n]
		if bytes.Contains(chunk, commit) {
			if f := p.atEnd.Swap(nil); f != nil {
				c.suffer(f, chunk)
				return
			}
		}
		if _, err := c.server.Write(chunk); err != nil {
			return
		}
	}
}

func (c *pair) suffer(f *fate, chunk []byte) {
	if f.late != nil {
		c.muted.Store(true)
		_ = c.client.Close()
		<-f.late
		_, _ = c.server.Write(chunk)
		<-c.answered
		_ = c.server.Close()
		f.then()
		return
	}
	c.muted.Store(f.answer)
	c.doomed.Store(true)
	if f.forward != nil {
		_, _ = c.server.Write(f.forward(chunk)) // what does not arrive is part of the fate
	}
	if f.answer {
		<-c.answered
	}
	if !f.keep {
		_ = c.server.Close()
	}
	if f.then != nil {
		f.then()
	}
}

func (c *pair) answers() {
	buffer := make([]byte, 1<<20)
	for {
		n, err := c.server.Read(buffer)
		switch {
		case err != nil:
			if !c.doomed.Load() {
				_ = c.client.Close()
			}
			return
		case c.muted.Load():
			c.answered <- struct{}{}
			return
		}
		c.asked.Store(false)
		if _, err := c.client.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// fates of a COMMIT, and whether it takes effect.
var fates = map[string]struct {
	fate
	committed bool
}{
	"forwarded, and the answer lost": {fate{forward: func(c []byte) []byte { return c }, answer: true}, true},
	"lost":                           {fate{}, false},
	"cut in the middle":              {fate{forward: func(c []byte) []byte { return c[:bytes.Index(c, commit)+3] }}, false},
	"lost, and the server not told":  {fate{keep: true}, false},
}
