// Package model is a second statement of the rules of credits, written from the design and not
// from package wallet, to be compared with it. It owns a naive Model (plain lists, plain loops,
// everything recomputed each time), a generator of random histories, and the comparison of a
// Subject with the Model after every step.
//
// It shares with package wallet only the words: commands, answers, entry types, instants and
// definitions. It is slow on purpose and is used by tests only; a Subject may be a bare
// wallet.State or an engine over a real store.
package model
