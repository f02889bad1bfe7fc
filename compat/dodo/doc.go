// Package dodo lets a program that was written for Dodo Payments' credit-based billing use
// Scrip: the vendor's unmodified SDKs work when their base URL is where this handler is mounted.
//
// It owns the names, shapes, statuses and paging of that interface, and how they read in the
// vocabulary of package v1. It holds no state and decides nothing: what it needs and the services
// lack is missing from the services. What the vendor leaves open is decided in docs/dodo.md.
package dodo
