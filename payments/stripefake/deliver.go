package stripefake

import (
	"bytes"
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/seed42445051/scrip/clock"
)

// retryAfter is how long after each failed attempt the next one follows; the
// last one repeats, until retriesEnd after the event.
var retryAfter = []time.Duration{5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 12 * time.Hour}

const (
	retriesEnd      = 3 * 24 * time.Hour
	deliveryTimeout = 20 * time.Second // for the endpoint's answer, on the machine's clock
)

// Policy is what goes wrong with webhooks, from when it is set on. The zero
// value delivers each event once, in order, at once.
type Policy struct {
	Duplicates     int           // how many more times an event is sent, with the same id
	Twins          int           // how many more events there are about the same thing, with ids of their own
	Shuffle        bool          // what is due together is sent in a random order
	Delay          time.Duration // before an event's first attempt
	DropThousandth int           // chance, in thousandths, that an event is never sent; it can still be listed
	FailFirst      int           // how many attempts of a delivery fail before the endpoint sees one
}

// Endpoint is where webhooks go.
type Endpoint struct {
	URL    string   // on this machine
	Secret string   // signs what is sent
	Types  []string // of the events that are sent; empty: all
}

// endpoint is one with the secret that it had before.
type endpoint struct {
	Endpoint
	previous string
	until    clock.Instant // when the previous secret ends
}

// delivery is one event on its way to one endpoint.
type delivery struct {
	event    *event
	to       *endpoint
	due      clock.Instant
	attempts int
}

// Attempt is one try at a delivery.
type Attempt struct {
	Event  string // its id
	Type   string // of the event
	URL    string
	Number int           // 1 for the first try of this delivery
	Status int           // of the answer; 0 when there was none
	Err    error         // why there was none
	Next   clock.Instant // when the next try is due; none when there will be none
}

// errFailed is why an attempt failed that a Policy made fail.
var errFailed = errors.New("stripefake: the policy lets this attempt fail")

func newDeliveryClient() *http.Client {
	return &http.Client{
		Timeout:   deliveryTimeout,
		Transport: &http.Transport{DisableKeepAlives: true},
		// A redirect is an answer that is not 2xx, and so a failure.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// AddEndpoint sends the events from now on to an endpoint too. Its URL must be of
// this machine: a fake tells nobody else.
func (f *Fake) AddEndpoint(e Endpoint) error {
	u, err := url.Parse(e.URL)
	if err != nil {
		return fmt.Errorf("stripefake: %w", err)
	}
	if !isLoopback(u.Hostname()) {
		return fmt.Errorf("stripefake: %s is not on the loopback interface", e.URL)
	}
	f.lock()
	defer f.mu.Unlock()
	f.endpoints = append(f.endpoints, &endpoint{Endpoint: e})
	return nil
}

// RollSecret gives the endpoint with a URL a new secret. For as long as keep says
// the old one signs as well. It is an error for there to be no such endpoint.
func (f *Fake) RollSecret(endpointURL, secret string, keep time.Duration) error {
	f.lock()
	defer f.mu.Unlock()
	for _, e := range f.endpoints {
		if e.URL == endpointURL {
			e.previous, e.until, e.Secret = e.Secret, f.now().Add(keep), secret
			return nil
		}
	}
	return fmt.Errorf("stripefake: no endpoint has the URL %s", endpointURL)
}

// SetPolicy says what goes wrong with webhooks from now on.
func (f *Fake) SetPolicy(p Policy) {
	f.lock()
	defer f.mu.Unlock()
	f.policy = p
}

// Redeliver sends an event again to every endpoint at the next Deliver: the same
// one, or as a new event with an id of its own. It returns the id.
func (f *Fake) Redeliver(id string, asNew bool) (string, error) {
	f.lock()
	defer f.mu.Unlock()
	ev, err := find[*event](f, "event", id, "event")
	if err != nil {
		return "", err
	}
	if !asNew {
		f.enqueue(ev, 1)
		return id, nil
	}
	twin := *ev
	f.publish(&twin)
	return twin.ID, nil
}

// Deliver sends what is due, and what becomes due by that, and returns every
// attempt in order. It returns early, with the error, when ctx ends.
func (f *Fake) Deliver(ctx context.Context) ([]Attempt, error) {
	var all []Attempt
	for {
		due := f.takeDue()
		if len(due) == 0 {
			return all, nil
		}
		for i, d := range due {
			if err := ctx.Err(); err != nil {
				f.putBack(due[i:]...)
				return all, err
			}
			all = append(all, f.try(ctx, d))
		}
	}
}

// Run moves time on by d as Advance does, and delivers what falls due on the way
// at its own time. It returns every attempt in order.
func (f *Fake) Run(ctx context.Context, d time.Duration) ([]Attempt, error) {
	end := f.Now().Add(d)
	var all []Attempt
	for {
		attempts, err := f.Deliver(ctx)
		all = append(all, attempts...)
		now := f.Now()
		if err != nil || now >= end {
			return all, err
		}
		f.Advance(max(0, min(f.nextDue(), end).Sub(now)))
	}
}

// nextDue returns when something is next to happen by itself, far away when
// nothing is: a delivery falls due, or a session expires.
func (f *Fake) nextDue() clock.Instant {
	f.lock()
	defer f.mu.Unlock()
	next := f.now().Add(retriesEnd)
	for _, d := range f.queue {
		next = min(next, d.due)
	}
	for _, s := range f.open {
		if s.Status == isOpen {
			next = min(next, clock.At(time.Unix(s.ExpiresAt, 0)))
		}
	}
	return next
}

// deliverAlways is the automatic mode.
func (f *Fake) deliverAlways() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	f.loops.Go(func() {
		<-f.done
		cancel()
	})
	for {
		if _, err := f.Deliver(ctx); err != nil {
			return // the fake is being closed
		}
		select {
		case <-f.wake:
		case <-f.clock.After(f.nextDue().Sub(f.Now())):
		case <-f.done:
			return
		}
	}
}

// enqueue lines up the deliveries of an event. The lock is held.
func (f *Fake) enqueue(ev *event, copies int) {
	for _, e := range f.endpoints {
		if len(e.Types) > 0 && !slices.Contains(e.Types, ev.Type) {
			continue
		}
		for range copies {
			if f.luck.IntN(perMille) < f.policy.DropThousandth {
				continue
			}
			f.queue = append(f.queue, &delivery{event: ev, to: e, due: f.now().Add(f.policy.Delay)})
		}
	}
	f.rouse()
}

// takeDue takes what is due out of the queue, so that nobody else sends it too.
func (f *Fake) takeDue() []*delivery {
	f.lock()
	defer f.mu.Unlock()
	now := f.now()
	var due []*delivery
	kept := f.queue[:0]
	for _, d := range f.queue {
		if d.due <= now {
			due = append(due, d)
			continue
		}
		kept = append(kept, d)
	}
	clear(f.queue[len(kept):])
	f.queue = kept
	slices.SortStableFunc(due, func(a, b *delivery) int { return cmp.Compare(a.due, b.due) })
	if f.policy.Shuffle {
		f.luck.Shuffle(len(due), func(i, j int) { due[i], due[j] = due[j], due[i] })
	}
	return due
}

func (f *Fake) putBack(all ...*delivery) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.queue = append(f.queue, all...)
}

// try sends a delivery once, and lines the next try up when that fails.
func (f *Fake) try(ctx context.Context, d *delivery) Attempt {
	d.attempts++
	a := Attempt{Event: d.event.ID, Type: d.event.Type, URL: d.to.URL, Number: d.attempts}
	r, err := f.post(ctx, d)
	if err == nil {
		a.Status, err = f.send(r)
	}
	a.Err = err
	if a.Status/100 == 2 {
		return a
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	next := f.now().Add(retryAfter[min(d.attempts, len(retryAfter))-1])
	if next <= clock.At(time.Unix(d.event.Created, 0)).Add(f.policy.Delay+retriesEnd) {
		a.Next, d.due = next, next
		f.queue = append(f.queue, d)
	}
	return a
}

// post makes the request of an attempt, signed with the time of now.
func (f *Fake) post(ctx context.Context, d *delivery) (*http.Request, error) {
	f.lock()
	now, fails := f.now(), d.attempts <= f.policy.FailFirst
	secrets := []string{d.to.Secret}
	if now < d.to.until {
		secrets = append(secrets, d.to.previous)
	}
	body, err := encode(d.event)
	f.mu.Unlock()
	if err != nil {
		return nil, err
	}
	if fails {
		return nil, errFailed
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, d.to.URL, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	r.Header.Set("User-Agent", "Stripe/1.0 (+https://stripe.com/docs/webhooks)")
	r.Header.Set("Stripe-Signature", Sign(body, now, secrets...))
	return r, nil
}

func (f *Fake) send(r *http.Request) (int, error) {
	answer, err := f.client.Do(r)
	if err != nil {
		return 0, err
	}
	defer func() { _ = answer.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, mostBody))
	return answer.StatusCode, nil
}

// Sign returns the Stripe-Signature header of a body at an instant, with one v1
// for each secret. A secret is the key as it stands, whsec_ included.
func Sign(body []byte, at clock.Instant, secrets ...string) string {
	timestamp := strconv.FormatInt(at.Time().Unix(), 10)
	header := "t=" + timestamp
	for _, secret := range secrets {
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte(timestamp + "."))
		mac.Write(body)
		header += ",v1=" + hex.EncodeToString(mac.Sum(nil))
	}
	return header
}
