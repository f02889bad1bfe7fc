// Package catalog holds the definitions that an operator writes: credits, packs, plans, and
// the small vocabularies they are written in (categories, draw orders, scopes, periods).
//
// It owns their types, their validation and the questions that can be answered from a
// definition alone ("does this scope accept that event?", "which window holds this instant?").
// It does not own storage, and it knows nothing of balances: package wallet decides with
// these definitions, package store keeps them.
package catalog
