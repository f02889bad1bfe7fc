package client

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	mathrand "math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/seed42445051/scrip/fault"
	v1 "github.com/seed42445051/scrip/v1"
)

// Pauses between retries double from firstPause, each shortened by chance so that many clients
// do not come back together. A server's Retry-After is heeded up to longestPause.
const (
	firstPause   = 100 * time.Millisecond
	longestPause = 20 * time.Second
)

// maxAnswer bounds what is read of an answer; the largest page is far below it.
const maxAnswer = 64 << 20

// request is one call, as often as it is sent.
type request struct {
	op, method, path string
	body             []byte
	idempotency      string
	once             bool // it must not be sent twice
}

// asks is a call that only reads.
func asks(op, path string) request { return request{op: op, method: http.MethodGet, path: path} }

// acts is a call that changes something. Where the caller gave no idempotency key it gets one,
// so that sending it again never does it again.
func acts(op, method, path string, opts []v1.Option) request {
	r := request{op: op, method: method, path: path, idempotency: v1.NewCall(opts).IdempotencyKey}
	if r.idempotency == "" {
		r.idempotency = rand.Text()
	}
	return r
}

// do makes a call and reads its answer.
func do[Out any](ctx context.Context, c *Client, r request, body any) (Out, error) {
	var out Out
	if body != nil {
		var err error
		if r.body, err = json.Marshal(body); err != nil {
			return out, fault.New(r.op, fault.CodeInvalidRequest, "the request cannot be written as JSON").Because(err)
		}
	}
	answer, err := c.send(ctx, &r)
	if err != nil {
		return out, err
	}
	if page, ok := any(&out).(*v1.HTML); ok {
		*page = v1.HTML(answer)
		return out, nil
	}
	if err := json.Unmarshal(answer, &out); err != nil {
		return out, fault.New(r.op, fault.CodeInternalError, "the server's answer is not what this client reads").Because(err)
	}
	return out, nil
}

// send sends a call until it is answered, for as many times as it may.
func (c *Client) send(ctx context.Context, r *request) ([]byte, error) {
	pause := firstPause
	for left := c.retries; ; left-- {
		answer, after, err := c.try(ctx, r)
		if err == nil || left <= 0 || r.once || ctx.Err() != nil || !IsRetryable(err) {
			return answer, err
		}
		wait := max(after, pause/2+mathrand.N(pause/2))
		pause = min(2*pause, longestPause)
		select {
		case <-c.waiter.After(wait):
		case <-ctx.Done():
			return nil, unreachable(r.op, errors.Join(ctx.Err(), err))
		}
	}
}

// try sends a call once. After is how long the server asks to wait, if it does.
func (c *Client) try(ctx context.Context, r *request) (answer []byte, after time.Duration, err error) {
	req, err := http.NewRequestWithContext(ctx, r.method, c.base+r.path, bytes.NewReader(r.body))
	if err != nil {
		return nil, 0, fault.New(r.op, fault.CodeInvalidRequest, "the call cannot be addressed").Because(err)
	}
	req.Header.Set("Authorization", "Bearer "+c.key)
	req.Header.Set("Accept", "application/json")
	if r.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if r.idempotency != "" {
		req.Header.Set("Idempotency-Key", r.idempotency)
	}
	if c.token != "" {
		req.Header.Set("Scrip-Customer-Token", c.token)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, 0, unreachable(r.op, err)
	}
	defer res.Body.Close()
	answer, err = io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return nil, 0, unreachable(r.op, err)
	}
	if res.StatusCode >= 200 && res.StatusCode < 300 {
		return answer, 0, nil
	}
	return nil, retryAfter(res.Header), refused(r.op, res, answer)
}

// unreachable is a call whose answer did not arrive. Whether it took effect is unknown.
func unreachable(op string, err error) error {
	return fault.New(op, fault.CodeStoreUnavailable, "the server cannot be reached, or did not answer").Because(err)
}

// retryAfter reads a number of seconds; a date would need a clock that agrees with the server's.
func retryAfter(h http.Header) time.Duration {
	seconds, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return 0
	}
	return min(time.Duration(seconds)*time.Second, longestPause)
}
