package client

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/seed42445051/scrip/clock"
	v1 "github.com/seed42445051/scrip/v1"
)

// What a client does unless it is told otherwise.
const (
	// DefaultRetries is how often a call is sent again when it may not have arrived.
	DefaultRetries = 2
	// DefaultTimeout bounds one sending of a call, from connecting to the end of the answer.
	DefaultTimeout = 30 * time.Second
	// idleConnections is how many connections stay open between calls: as many as a busy
	// program has calls under way. The standard library's 2 would connect anew for most.
	idleConnections = 256
)

// Client calls one server under one key. It is safe for concurrent use. Make it with New.
type Client struct {
	base    string // without a slash at its end
	key     string
	token   string
	http    *http.Client
	retries int
	waiter  clock.Waiter
}

var _ v1.Operations = (*Client)(nil)

// Option changes how a client works.
type Option func(*Client)

// WithHTTPClient makes calls through h, with its transport and timeout.
func WithHTTPClient(h *http.Client) Option {
	return func(c *Client) {
		own := *h
		own.CheckRedirect = neverFollow
		c.http = &own
	}
}

// WithRetries sends a call again at most n times; 0 turns retries off.
func WithRetries(n int) Option { return func(c *Client) { c.retries = max(n, 0) } }

// WithWaiter waits between retries by w instead of by the machine's clock.
func WithWaiter(w clock.Waiter) Option { return func(c *Client) { c.waiter = w } }

// WithCustomerToken sends a customer token along, as a publishable key needs it to read its
// customer.
func WithCustomerToken(token string) Option { return func(c *Client) { c.token = token } }

// New returns a client of the server at baseURL, such as https://credits.example.com, under an
// API key. A path in baseURL is kept, for a server that is mounted below one.
func New(baseURL, key string, opts ...Option) (*Client, error) {
	u, err := url.Parse(baseURL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("client: %q is not the http or https URL of a server", baseURL)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = idleConnections
	transport.MaxIdleConns = idleConnections
	c := &Client{
		base: strings.TrimRight(baseURL, "/"), key: key, retries: DefaultRetries, waiter: clock.System{},
		http: &http.Client{Transport: transport, Timeout: DefaultTimeout, CheckRedirect: neverFollow},
	}
	for _, opt := range opts {
		opt(c)
	}
	return c, nil
}

// neverFollow ends a call at a redirect: a POST that became a GET on its way would look like an
// answer.
func neverFollow(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
