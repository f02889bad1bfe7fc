package catalog

import (
	"cmp"
	"encoding/base64"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/seed42445051/scrip/clock"
	"github.com/seed42445051/scrip/fault"
)

// Endpoint is where an app wants to be told what happens in one of its modes.
type Endpoint struct {
	ID          string            `json:"id"`
	App         string            `json:"app_id"`
	Mode        Mode              `json:"mode"`
	URL         string            `json:"url"`
	Description string            `json:"description,omitempty"`
	Format      string            `json:"format"`           // how bodies are written; NativeFormat unless a compatibility layer has its own
	Events      []EventType       `json:"events,omitempty"` // empty: all
	Headers     map[string]string `json:"headers,omitempty"`
	Secret      string            `json:"secret"`
	// PreviousSecret signs beside Secret until PreviousUntil, so that receivers can be changed
	// over one after the other.
	PreviousSecret string            `json:"previous_secret,omitempty"`
	PreviousUntil  clock.Instant     `json:"previous_until"`
	Disabled       bool              `json:"disabled"`
	Ordered        bool              `json:"ordered"`              // each customer's events one at a time, in order
	RateLimit      int               `json:"rate_limit,omitempty"` // requests per second; 0: no limit
	Metadata       map[string]string `json:"metadata,omitempty"`
	CreatedAt      clock.Instant     `json:"created_at"`
	UpdatedAt      clock.Instant     `json:"updated_at"`
	ArchivedAt     clock.Instant     `json:"archived_at"`
}

// The receivers within Scrip itself: what is told to them goes through the same outbox as what is told
// to endpoints, under these ids, for all apps. No endpoint of an operator has such an id.
const (
	MailReceiver     = "mail"     // letters to customers
	HooksReceiver    = "hooks"    // functions of the program that Scrip is a library in
	PaymentsReceiver = "payments" // charges and refunds that a provider is to be asked for
)

// Receivers lists the receivers within Scrip itself.
func Receivers() []string { return []string{MailReceiver, HooksReceiver, PaymentsReceiver} }

// NativeFormat is the format of Scrip's own bodies.
const NativeFormat = "native"

// SecretPrefix heads the text of a signing secret, as the Standard Webhooks specification has it.
const SecretPrefix = "whsec_"

// SecretOverlap is how long a secret stays valid after another took its place.
const SecretOverlap = 24 * time.Hour

// Limits of endpoints. One entry of a wallet makes at most two events for each endpoint, and the
// deliveries of an entry are numbered within it, hence the bound on their number.
const (
	MaxEndpoints           = 50   // of an app, both modes together, archived ones aside
	MaxEndpointURL         = 2000 // bytes
	MaxEndpointEvents      = 100  // of a filter
	MaxEndpointEvent       = 100  // bytes of one type of event
	MaxEndpointHeaders     = 20
	MaxEndpointHeaderName  = 100  // bytes
	MaxEndpointHeaderValue = 1000 // bytes
	MaxEndpointMetadata    = 50   // pairs
	MaxEndpointMetaKey     = 100  // bytes
	MaxEndpointMetaValue   = 500  // bytes
	MaxEndpointRate        = 10_000
	MaxFormatLength        = 50 // bytes
	minSecretBytes         = 24
	maxSecretBytes         = 64
)

// Live reports whether events are written for the endpoint.
func (e *Endpoint) Live() bool { return !e.Disabled && e.ArchivedAt.IsZero() }

// Accepts reports whether the endpoint wants to hear of an event.
func (e *Endpoint) Accepts(event EventType) bool {
	return len(e.Events) == 0 && !event.Internal() || slices.Contains(e.Events, event)
}

// Receivers lists the live endpoints of a mode, in order of their ids.
func (d *Definitions) Receivers(mode Mode) []*Endpoint {
	var live []*Endpoint
	for _, e := range d.Endpoints {
		if e.Mode == mode && e.Live() {
			live = append(live, e)
		}
	}
	slices.SortFunc(live, func(a, b *Endpoint) int { return cmp.Compare(a.ID, b.ID) })
	return live
}

// Validate checks an endpoint as an operator wrote it.
func (e *Endpoint) Validate() error {
	const op = "catalog.Endpoint.Validate"
	if !e.Mode.Valid() {
		return fault.New(op, fault.CodeInvalidRequest, "mode must be "+ModeWords).In("mode")
	}
	if err := validateURL(e.URL); err != nil {
		return err
	}
	if len(e.Description) > MaxDescriptionLength || !ValidText(e.Description) {
		return fault.New(op, fault.CodeInvalidRequest, "description must be valid Unicode of at most %d bytes", MaxDescriptionLength).In("description")
	}
	if e.Format == "" || len(e.Format) > MaxFormatLength || !ValidText(e.Format) {
		return fault.New(op, fault.CodeInvalidRequest, "format must have 1 to %d bytes", MaxFormatLength).In("format")
	}
	if e.RateLimit < 0 || e.RateLimit > MaxEndpointRate {
		return fault.New(op, fault.CodeInvalidRequest, "rate_limit must be 1 to %d requests per second, or absent for no limit", MaxEndpointRate).In("rate_limit")
	}
	if err := validateEvents(e.Events); err != nil {
		return err
	}
	if err := validateHeaders(e.Headers); err != nil {
		return err
	}
	if err := validatePairs(e.Metadata); err != nil {
		return err
	}
	_, err := SecretKey(e.Secret)
	return err
}

// SecretKey is the key that a secret's text stands for.
func SecretKey(secret string) ([]byte, error) {
	text, ok := strings.CutPrefix(secret, SecretPrefix)
	key, err := base64.StdEncoding.DecodeString(text)
	if !ok || err != nil || len(key) < minSecretBytes || len(key) > maxSecretBytes {
		return nil, fault.New("catalog.SecretKey", fault.CodeInvalidRequest, "a secret is %s and %d to %d bytes in base64", SecretPrefix, minSecretBytes, maxSecretBytes).In("secret")
	}
	return key, nil
}

func validateURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || len(text) > MaxEndpointURL || (u.Scheme != "https" && u.Scheme != "http") || u.Hostname() == "" || u.User != nil || !ValidText(text) {
		return fault.New("catalog.validateURL", fault.CodeInvalidRequest, "url must be an http or https address without a user's name, of at most %d bytes", MaxEndpointURL).In("url").Because(err)
	}
	return nil
}

func validateEvents(events []EventType) error {
	const op = "catalog.validateEvents"
	if len(events) > MaxEndpointEvents {
		return fault.New(op, fault.CodeInvalidRequest, "events has at most %d types", MaxEndpointEvents).In("events")
	}
	for _, e := range events {
		if !wellFormed(e) {
			return fault.New(op, fault.CodeInvalidRequest, "%q is no type of event: one reads like credit.added", clip(string(e))).In("events")
		}
	}
	return nil
}

// wellFormed accepts words of a-z, 0-9 and _ with dots between, at least two of them.
func wellFormed(e EventType) bool {
	words := strings.Split(string(e), ".")
	odd := func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '_' }
	bad := func(word string) bool { return word == "" || strings.ContainsFunc(word, odd) }
	return len(e) <= MaxEndpointEvent && len(words) >= 2 && !slices.ContainsFunc(words, bad)
}

// reservedHeaders are those that the sender sets, or the connection needs.
var reservedHeaders = []string{
	"webhook-id", "webhook-timestamp", "webhook-signature", "content-type", "content-length", "content-encoding", "host",
	"connection", "transfer-encoding", "te", "trailer", "upgrade", "expect", "keep-alive", "proxy-connection",
}

func validateHeaders(headers map[string]string) error {
	const op = "catalog.validateHeaders"
	if len(headers) > MaxEndpointHeaders {
		return fault.New(op, fault.CodeInvalidRequest, "headers has at most %d names", MaxEndpointHeaders).In("headers")
	}
	for name, value := range headers {
		if !validHeaderName(name) {
			return fault.New(op, fault.CodeInvalidRequest, "%q is no name of a header of at most %d bytes", clip(name), MaxEndpointHeaderName).In("headers")
		}
		if slices.Contains(reservedHeaders, strings.ToLower(name)) {
			return fault.New(op, fault.CodeInvalidRequest, "the header %s is set by Scrip and cannot be changed", clip(name)).In("headers." + clip(name))
		}
		odd := func(r rune) bool { return r < 0x20 || r > 0x7e }
		if len(value) > MaxEndpointHeaderValue || strings.ContainsFunc(value, odd) {
			return fault.New(op, fault.CodeInvalidRequest, "the value of a header has at most %d visible ASCII characters", MaxEndpointHeaderValue).In("headers." + clip(name))
		}
	}
	return nil
}

func validHeaderName(name string) bool {
	const token = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	return name != "" && len(name) <= MaxEndpointHeaderName && strings.Trim(name, token) == ""
}

func validatePairs(metadata map[string]string) error {
	const op = "catalog.validatePairs"
	if len(metadata) > MaxEndpointMetadata {
		return fault.New(op, fault.CodeMetadataTooLarge, "metadata has at most %d pairs", MaxEndpointMetadata).In("metadata")
	}
	for key, value := range metadata {
		if key == "" || len(key) > MaxEndpointMetaKey || len(value) > MaxEndpointMetaValue {
			return fault.New(op, fault.CodeMetadataTooLarge, "metadata has keys of 1 to %d bytes and values of at most %d", MaxEndpointMetaKey, MaxEndpointMetaValue).In("metadata")
		}
		if !ValidText(key) || !ValidText(value) {
			return fault.New(op, fault.CodeInvalidMetadata, "metadata must be valid Unicode without the character U+0000").In("metadata")
		}
	}
	return nil
}
