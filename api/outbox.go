package api

import "net/http"

// outboxRoute is the page of letters for whoever calls the API, and outboxPath where a browser opens it.
const (
	outboxRoute = "/v1/mails/page"
	outboxPath  = "/outbox"
)

// outbox has a browser ask for a secret key, as the password of any name, and answers with the page. It
// only reads, so that it does not matter who has the browser send the key along again.
func (s *server) outbox(w http.ResponseWriter, r *http.Request) {
	asked := r.Clone(r.Context())
	asked.URL.Path, asked.URL.RawPath = outboxRoute, ""
	if _, key, given := r.BasicAuth(); given {
		asked.Header.Set("Authorization", "Bearer "+key)
	}
	s.mux.ServeHTTP(&asksForKey{w}, asked)
}

// asksForKey has a browser ask for a key where none was given that is taken.
type asksForKey struct{ http.ResponseWriter }

func (w *asksForKey) WriteHeader(status int) {
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Basic realm="Scrip: a secret key is the password, whatever the name", charset="UTF-8"`)
	}
	w.ResponseWriter.WriteHeader(status)
}
