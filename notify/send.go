package notify

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/seed42445051/scrip/catalog"
	"github.com/seed42445051/scrip/engine"
	"github.com/seed42445051/scrip/store"
)

// sender makes requests to endpoints.
type sender struct {
	client *http.Client
	clock  engine.Clock
}

// maxDrain bounds what is read of an answer only so that its connection can be used again.
const maxDrain = 64 << 10

// userAgent is what requests call themselves, unless the endpoint has a header for it.
const userAgent = "Scrip-Webhooks/1"

func newSender(now engine.Clock, allow Addresses) *sender {
	dialer := &net.Dialer{Timeout: Timeout, Control: allow.control}
	transport := &http.Transport{
		// No proxy: it would be asked for addresses that nobody here has seen.
		DialContext: dialer.DialContext, ForceAttemptHTTP2: true, DisableCompression: true,
		MaxIdleConnsPerHost: InFlight, IdleConnTimeout: 90 * time.Second, TLSHandshakeTimeout: Timeout,
		MaxResponseHeaderBytes: maxDrain,
	}
	return &sender{clock: now, client: &http.Client{
		Transport: transport,
		// Where a redirect leads was not what the operator has agreed to.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Reasons why a request ended early.
var (
	errTimeout  = errors.New("no answer within " + Timeout.String())
	errStopping = errors.New("the server is shutting down")
)

// acknowledged tells whether an attempt was a success: any 2xx is, whatever becomes of the rest
// of the answer.
func acknowledged(a *store.Attempt) bool { return a.Status >= 200 && a.Status <= 299 }

// send makes one request. What it says of the outcome is never an error of ours.
func (s *sender) send(ctx context.Context, endpoint *catalog.Endpoint, message string, body []byte) store.Attempt {
	begun := s.clock.Now()
	attempt := store.Attempt{At: begun}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	timeout := s.clock.After(Timeout)
	go func() {
		select {
		case <-timeout:
			cancel(errTimeout)
		case <-ctx.Done():
		}
	}()
	err := s.exchange(ctx, endpoint, message, body, &attempt)
	if cause := context.Cause(ctx); err != nil && cause != nil {
		err = cause
	}
	if err != nil {
		attempt.Error = clean(err.Error())
	}
	attempt.Micros = s.clock.Now().Sub(begun).Microseconds()
	return attempt
}

func (s *sender) exchange(ctx context.Context, endpoint *catalog.Endpoint, message string, body []byte, into *store.Attempt) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint.URL, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("User-Agent", userAgent)
	for name, value := range endpoint.Headers {
		r.Header.Set(name, value)
	}
	r.Header.Set("Content-Type", "application/json")
	if err := sign(r.Header, endpoint, message, into.At, body); err != nil {
		return err
	}
	res, err := s.client.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	into.Status = res.StatusCode
	// The status is the answer; what of the body does not arrive is missed by nobody.
	head, _ := io.ReadAll(io.LimitReader(res.Body, MaxResponse))
	into.Response = clean(string(head))
	_, _ = io.CopyN(io.Discard, res.Body, maxDrain)
	return nil
}

// clean makes text that a store keeps as it is.
func clean(text string) string {
	text = strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
	if len(text) > MaxResponse {
		text = strings.ToValidUTF8(text[:MaxResponse], "")
	}
	return text
}
