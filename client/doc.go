// Package client calls a Scrip server over HTTP. Its Client implements v1.Operations, so a
// program that uses the library in process can move to a server, and back, by changing one line.
//
// It owns retries: a call that may not have arrived is sent again, always under the same
// idempotency key, so that it happens once however often it is sent. It decides nothing about
// credits, and every error is a *fault.Error with the code that the server gave.
package client
