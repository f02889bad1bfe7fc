package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Operation is what a client does again and again; one call is one latency.
type Operation func(c *Conn, random *rand.Rand) error

// Load is a number of clients, each of which waits for its answer before it asks again.
type Load struct {
	Address  string
	Clients  int
	Warmup   time.Duration // not measured
	Duration time.Duration
	Seed     uint64
}

// Sample is what a load measured: every latency, sorted.
type Sample struct {
	Latencies []time.Duration
	Elapsed   time.Duration
	Calls     int // all operations, those of the warm-up included
	// Processor time for one operation, of the server's process and of this one. It tells what
	// an operation costs even while others use the machine.
	Server, Client time.Duration
}

// Rate is operations per second.
func (s *Sample) Rate() float64 { return float64(len(s.Latencies)) / s.Elapsed.Seconds() }

// Percentile is the latency that p percent of all operations did not exceed (nearest rank).
func (s *Sample) Percentile(p float64) time.Duration {
	if len(s.Latencies) == 0 {
		return 0
	}
	rank := int(p/100*float64(len(s.Latencies)) + 0.999999)
	return s.Latencies[min(max(rank, 1), len(s.Latencies))-1]
}

// Run loads the server. Any answer but 200 ends it with an error: a rate with failures in it
// says nothing.
func (l Load) Run(ctx context.Context, op Operation) (*Sample, error) {
	conns := make([]*Conn, l.Clients)
	for i := range conns {
		c, err := Dial(ctx, l.Address)
		if err != nil {
			return nil, err
		}
		defer func() { _ = c.Close() }()
		conns[i] = c
	}
	return l.each(ctx, func(i int, random *rand.Rand) error { return op(conns[i], random) })
}

// InProcess loads a function of this process instead of a server.
func (l Load) InProcess(ctx context.Context, call func(random *rand.Rand) error) (*Sample, error) {
	return l.each(ctx, func(_ int, random *rand.Rand) error { return call(random) })
}

func (l Load) each(ctx context.Context, call func(client int, random *rand.Rand) error) (*Sample, error) {
	var wg sync.WaitGroup
	latencies := make([][]time.Duration, l.Clients)
	calls := make([]int, l.Clients)
	errs := make([]error, l.Clients)
	begin := time.Now()
	from := begin.Add(l.Warmup)
	until := from.Add(l.Duration)
	for i := range l.Clients {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(l.Seed, uint64(i)))
			mine := make([]time.Duration, 0, 1<<14)
			start := time.Now()
			for start.Before(until) && ctx.Err() == nil {
				if errs[i] = call(i, random); errs[i] != nil {
					return
				}
				calls[i]++
				end := time.Now()
				if end.After(from) && !end.After(until) {
					mine = append(mine, end.Sub(start))
				}
				start = end
			}
			latencies[i] = mine
		})
	}
	wg.Wait()
	if err := errors.Join(append(errs, ctx.Err())...); err != nil {
		return nil, err
	}
	s := &Sample{Elapsed: l.Duration, Latencies: slices.Concat(latencies...)}
	slices.Sort(s.Latencies)
	for _, n := range calls {
		s.Calls += n
	}
	return s, nil
}

// Deduct takes one credit from one of the first n customers, drawn at random.
func (f *Fixture) Deduct(n int) Operation {
	requests := make([][]byte, n)
	for i := range requests {
		requests[i] = post("/v1/deduct", f.Key, f.charge(i))
	}
	return func(c *Conn, random *rand.Rand) error {
		status, body, err := c.Do(requests[random.IntN(n)])
		if err != nil {
			return err
		}
		return want(status, body)
	}
}

// DeductOnce is Deduct under a fresh idempotency key each time.
func (f *Fixture) DeductOnce(n int) Operation {
	bodies := make([]string, n)
	for i := range bodies {
		bodies[i] = f.charge(i)
	}
	head := "POST /v1/deduct HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer " + f.Key +
		"\r\nContent-Type: application/json\r\nIdempotency-Key: "
	return func(c *Conn, random *rand.Rand) error {
		body := bodies[random.IntN(n)]
		c.out = append(c.out[:0], head...)
		c.out = strconv.AppendUint(c.out, random.Uint64(), 36)
		c.out = strconv.AppendUint(c.out, random.Uint64(), 36)
		c.out = append(c.out, "\r\nContent-Length: "...)
		c.out = strconv.AppendInt(c.out, int64(len(body)), 10)
		c.out = append(append(c.out, headEnd...), body...)
		status, answer, err := c.Do(c.out)
		if err != nil {
			return err
		}
		return want(status, answer)
	}
}

// ReserveAndCommit sets one credit of a customer aside and takes it: two calls, one operation.
func (f *Fixture) ReserveAndCommit(n int) Operation {
	requests := make([][]byte, n)
	for i := range requests {
		requests[i] = post("/v1/reserve", f.Key, f.charge(i))
	}
	commit := postHead("/v1/commit", f.Key)
	field := []byte(`"reservation_id":"`)
	return func(c *Conn, random *rand.Rand) error {
		status, answer, err := c.Do(requests[random.IntN(n)])
		if err != nil {
			return err
		}
		if err := want(status, answer); err != nil {
			return err
		}
		_, rest, ok := bytes.Cut(answer, field)
		end := bytes.IndexByte(rest, '"')
		if !ok || end < 0 {
			return fmt.Errorf("bench: the reservation was not made: %s", answer)
		}
		c.out = append(c.out[:0], commit...)
		c.out = strconv.AppendInt(c.out, int64(len(`{"reservation_id":""}`)+end), 10)
		c.out = append(append(append(c.out, headEnd...), '{'), field...)
		c.out = append(append(c.out, rest[:end]...), `"}`...)
		if status, answer, err = c.Do(c.out); err != nil {
			return err
		}
		return want(status, answer)
	}
}
