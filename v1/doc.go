// Package v1 is the vocabulary of the native API: the requests and responses of /v1, as they
// are on the wire and as the Go library and the Go client take and return them.
//
// It owns names, shapes and their documentation. It does not own behaviour: package credits
// and package accounts do what these types ask for.
//
// Amounts are decimal text in whole credits ("12.5"), quantities decimal text in whole units
// of usage, instants RFC 3339 in UTC.
package v1
