// Package apply makes the definitions of an app what a file says: credits, meters, packs,
// plans and codes to redeem, reviewed and versioned like a program.
//
// It owns the file's form and the comparison of what it says with what is defined. It defines
// through v1.Operations only, so the same file works in process and over HTTP, and what it may
// not do, nobody may: it changes no existing grant and deletes nothing.
package apply
