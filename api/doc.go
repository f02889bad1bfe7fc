// Package api is the native API: the operations of v1 over HTTP, under /v1, and the OpenAPI
// document that describes them.
//
// It owns routes, who may call them, the reading of requests and the writing of answers and of
// problem bodies (RFC 9457). It decides nothing about credits: every route is one line in the
// table of routes.go and one method of v1.Operations, which in-process callers have as well.
//
// Huma makes the OpenAPI document from the same table and the same Go types, when
// `go generate` runs; it is not on the path of a request. Requests are read by one strict
// decoder over encoding/json, because our catalogue of errors has to name the field that is
// wrong, and because it is cheaper: for a deduction, huma's reading and validation cost 5
// microseconds more, of 17 without the service behind it. So the committed
// openapi.json is what is served, and a test holds it against the table.
package api

//go:generate go run ../internal/cmd/genopenapi -o openapi.json
//go:generate npm --prefix ../sdk/typescript run --silent generate
