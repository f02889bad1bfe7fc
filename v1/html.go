package v1

import (
	"io"
	"net/http"
)

// HTML is a page for people to read, as it is. It needs nothing but itself.
type HTML string

// ServeHTTP sends the page. A browser runs nothing in it, lets no other page show it in a frame, and keeps
// no copy: it may say what concerns one customer only.
func (p HTML) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	_, _ = io.WriteString(w, string(p)) // whoever asked is gone then
}
