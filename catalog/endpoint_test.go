package catalog

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/seed42445051/scrip/fault"
)

func secretOf(n int) string {
	return SecretPrefix + base64.StdEncoding.EncodeToString(make([]byte, n))
}

func validEndpoint() *Endpoint {
	return &Endpoint{Mode: Live, URL: "https://example.test/hook?a=b", Format: NativeFormat, Secret: secretOf(minSecretBytes)}
}

func pairsOf(n int) map[string]string {
	m := map[string]string{}
	for i := range n {
		m[fmt.Sprint("k", i)] = "v"
	}
	return m
}

// What is allowed, at each limit and within it.
func TestEndpointsAreAccepted(t *testing.T) {
	for name, edit := range map[string]func(e *Endpoint){
		"plain":            func(*Endpoint) {},
		"http and a port":  func(e *Endpoint) { e.URL = "http://[::1]:8080" },
		"longest url":      func(e *Endpoint) { e.URL += strings.Repeat("x", MaxEndpointURL-len(e.URL)) },
		"longest text":     func(e *Endpoint) { e.Description = strings.Repeat("x", MaxDescriptionLength) },
		"longest format":   func(e *Endpoint) { e.Format = strings.Repeat("x", MaxFormatLength) },
		"most events":      func(e *Endpoint) { e.Events = make([]EventType, MaxEndpointEvents); fillEvents(e.Events) },
		"longest event":    func(e *Endpoint) { e.Events = []EventType{EventType("a." + strings.Repeat("b", MaxEndpointEvent-2))} },
		"a vendor's event": func(e *Endpoint) { e.Events = []EventType{"license_key.created.v2"} },
		"most headers":     func(e *Endpoint) { e.Headers = pairsOf(MaxEndpointHeaders) },
		"longest header": func(e *Endpoint) {
			e.Headers = map[string]string{strings.Repeat("x", MaxEndpointHeaderName): strings.Repeat("v", MaxEndpointHeaderValue)}
		},
		"most metadata": func(e *Endpoint) { e.Metadata = pairsOf(MaxEndpointMetadata) },
		"longest metadata": func(e *Endpoint) {
			e.Metadata = map[string]string{strings.Repeat("x", MaxEndpointMetaKey): strings.Repeat("v", MaxEndpointMetaValue)}
		},
		"highest rate":   func(e *Endpoint) { e.RateLimit = MaxEndpointRate },
		"longest secret": func(e *Endpoint) { e.Secret = secretOf(maxSecretBytes) },
	} {
		e := validEndpoint()
		if edit(e); e.Validate() != nil {
			t.Errorf("%s: %v", name, e.Validate())
		}
	}
}

func fillEvents(events []EventType) {
	for i := range events {
		events[i] = EventType(fmt.Sprintf("a.b%d", i))
	}
}

// One past each limit, and what makes no sense at all. The error names the field.
func TestEndpointsAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		field string
		edit  func(e *Endpoint)
	}{
		"no mode":           {"mode", func(e *Endpoint) { e.Mode = "demo" }},
		"no url":            {"url", func(e *Endpoint) { e.URL = "" }},
		"no host":           {"url", func(e *Endpoint) { e.URL = "https:///hook" }},
		"a port only":       {"url", func(e *Endpoint) { e.URL = "https://:80" }},
		"another scheme":    {"url", func(e *Endpoint) { e.URL = "ftp://example.test" }},
		"no scheme":         {"url", func(e *Endpoint) { e.URL = "example.test/hook" }},
		"a password":        {"url", func(e *Endpoint) { e.URL = "https://user:pass@example.test" }},
		"a line break":      {"url", func(e *Endpoint) { e.URL = "https://example.test/\n" }},
		"a longer url":      {"url", func(e *Endpoint) { e.URL += strings.Repeat("x", MaxEndpointURL-len(e.URL)+1) }},
		"a longer text":     {"description", func(e *Endpoint) { e.Description = strings.Repeat("x", MaxDescriptionLength+1) }},
		"no format":         {"format", func(e *Endpoint) { e.Format = "" }},
		"a longer format":   {"format", func(e *Endpoint) { e.Format = strings.Repeat("x", MaxFormatLength+1) }},
		"more events":       {"events", func(e *Endpoint) { e.Events = make([]EventType, MaxEndpointEvents+1); fillEvents(e.Events) }},
		"a longer event":    {"events", func(e *Endpoint) { e.Events = []EventType{EventType("a." + strings.Repeat("b", MaxEndpointEvent-1))} }},
		"an event of one":   {"events", func(e *Endpoint) { e.Events = []EventType{"credit"} }},
		"an empty word":     {"events", func(e *Endpoint) { e.Events = []EventType{"credit..added"} }},
		"an odd event":      {"events", func(e *Endpoint) { e.Events = []EventType{"Credit.added"} }},
		"more headers":      {"headers", func(e *Endpoint) { e.Headers = pairsOf(MaxEndpointHeaders + 1) }},
		"a nameless header": {"headers", func(e *Endpoint) { e.Headers = map[string]string{"": "v"} }},
		"a header in two":   {"headers", func(e *Endpoint) { e.Headers = map[string]string{"a b": "v"} }},
		"a longer header":   {"headers", func(e *Endpoint) { e.Headers = map[string]string{strings.Repeat("x", MaxEndpointHeaderName+1): "v"} }},
		"our id":            {"headers.webhook-ID", func(e *Endpoint) { e.Headers = map[string]string{"webhook-ID": "v"} }},
		"our signature":     {"headers.Webhook-Signature", func(e *Endpoint) { e.Headers = map[string]string{"Webhook-Signature": "v"} }},
		"our length":        {"headers.Content-Length", func(e *Endpoint) { e.Headers = map[string]string{"Content-Length": "1"} }},
		"a longer value":    {"headers.x", func(e *Endpoint) { e.Headers = map[string]string{"x": strings.Repeat("v", MaxEndpointHeaderValue+1)} }},
		"a value in two":    {"headers.x", func(e *Endpoint) { e.Headers = map[string]string{"x": "a\r\nWebhook-Id: b"} }},
		"more metadata":     {"metadata", func(e *Endpoint) { e.Metadata = pairsOf(MaxEndpointMetadata + 1) }},
		"a longer key":      {"metadata", func(e *Endpoint) { e.Metadata = map[string]string{strings.Repeat("x", MaxEndpointMetaKey+1): "v"} }},
		"a longer metadata": {"metadata", func(e *Endpoint) { e.Metadata = map[string]string{"x": strings.Repeat("v", MaxEndpointMetaValue+1)} }},
		"odd metadata":      {"metadata", func(e *Endpoint) { e.Metadata = map[string]string{"x": "\x00"} }},
		"a negative rate":   {"rate_limit", func(e *Endpoint) { e.RateLimit = -1 }},
		"a higher rate":     {"rate_limit", func(e *Endpoint) { e.RateLimit = MaxEndpointRate + 1 }},
		"no secret":         {"secret", func(e *Endpoint) { e.Secret = "" }},
		"a shorter secret":  {"secret", func(e *Endpoint) { e.Secret = secretOf(minSecretBytes - 1) }},
		"a longer secret":   {"secret", func(e *Endpoint) { e.Secret = secretOf(maxSecretBytes + 1) }},
		"a bare secret":     {"secret", func(e *Endpoint) { e.Secret = strings.TrimPrefix(e.Secret, SecretPrefix) }},
		"no base64":         {"secret", func(e *Endpoint) { e.Secret = SecretPrefix + "nicht base64!" }},
	} {
		e := validEndpoint()
		c.edit(e)
		err := fault.As(e.Validate())
		if err == nil || err.Field != c.field {
			t.Errorf("%s: %v", name, err)
		}
	}
}
