package api

import (
	"log/slog"
	"maps"
	"net/http"

	"github.com/seed42445051/scrip/fault"
	"github.com/seed42445051/scrip/id"
)

// docsURL is where the page of error codes is published; a code is the anchor of its section.
const docsURL = "https://github.com/seed42445051/scrip/blob/main/docs/reference/errors.md#"

// Problem is the body of every failure (RFC 9457). Details of the code stand beside these
// members.
type Problem struct {
	Type      string `json:"type" doc:"Where the code is explained"`
	Title     string `json:"title" doc:"The same for every occurrence of the code"`
	Status    int    `json:"status"`
	Detail    string `json:"detail" doc:"What is wrong with this call"`
	Code      string `json:"code" doc:"Stable: branch on this" example:"insufficient_credits"`
	Field     string `json:"field,omitempty" doc:"The field or header that is wrong" example:"amount"`
	RequestID string `json:"request_id,omitempty" doc:"Of a failure on our side, to find it in the log"`
}

// entries is the catalogue of codes by code.
var entries = func() map[fault.Code]fault.Entry {
	m := map[fault.Code]fault.Entry{}
	for _, e := range fault.Catalogue() {
		m[e.Code] = e
	}
	return m
}()

// problem answers with a failure. What is our side's fault goes to the log under an id, and the
// caller learns no more than that id.
func (s *server) problem(w http.ResponseWriter, r *http.Request, err error) {
	e := fault.As(err)
	entry, ok := entries[e.Code]
	if !ok {
		entry = entries[fault.CodeInternalError]
	}
	status := entry.Kind.HTTPStatus()
	body := make(map[string]any, len(e.Details)+7)
	p := Problem{
		Type: docsURL + string(entry.Code), Title: entry.Title, Status: status,
		Detail: e.Message, Code: string(entry.Code), Field: e.Field,
	}
	if entry.Kind == fault.Internal || entry.Kind == fault.Unavailable {
		p.Detail, p.Field, p.RequestID = entry.Meaning, "", id.New("req")
		s.log.LogAttrs(r.Context(), severity(r, entry.Kind), "request failed", slog.String("request_id", p.RequestID),
			slog.String("route", r.Pattern), slog.String("error", e.Error()))
	} else {
		maps.Copy(body, e.Details)
	}
	p.members(body)
	h := w.Header()
	switch entry.Kind {
	case fault.Unauthenticated:
		h.Set("WWW-Authenticate", "Bearer")
	case fault.Unavailable:
		h.Set("Retry-After", "1")
	}
	s.write(w, "application/problem+json", status, body)
}

// members puts the problem's members into a body, over details of the same name.
func (p *Problem) members(body map[string]any) {
	body["type"], body["title"], body["status"], body["detail"], body["code"] = p.Type, p.Title, p.Status, p.Detail, p.Code
	delete(body, "field")
	delete(body, "request_id")
	if p.Field != "" {
		body["field"] = p.Field
	}
	if p.RequestID != "" {
		body["request_id"] = p.RequestID
	}
}

// severity tells a defect from what an operator can wait out, and from callers who hung up.
func severity(r *http.Request, kind fault.Kind) slog.Level {
	switch {
	case r.Context().Err() != nil:
		return slog.LevelDebug
	case kind == fault.Unavailable:
		return slog.LevelWarn
	}
	return slog.LevelError
}
