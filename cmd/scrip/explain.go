package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/seed42445051/scrip/fault"
)

// hints say what an operator can do, where the message does not say it already. The remedies of
// the catalogue are for callers of the API.
var hints = map[fault.Code]string{
	fault.CodeStoreUnavailable: "check that the database of --db (SCRIP_DB) is there and can be written",
	fault.CodeNewerSchema:      "install the version of scrip that migrated it, or a later one",
	fault.CodeInternalError:    "is this a database of scrip, and migrated by this version? scrip serve migrates it",
	fault.CodeKeyNotFound:      "scrip keys list shows what there is",
	fault.CodeShuttingDown:     "allow more with --grace (SCRIP_GRACE)",
}

// explain is one line for people: what is wrong, why, and what would be right.
func explain(err error) string {
	e, ok := errors.AsType[*fault.Error](err)
	if !ok {
		return oneLine(err.Error())
	}
	text := e.Message
	if e.Err != nil {
		text += " (" + oneLine(root(e.Err)) + ")"
	}
	hint := hints[e.Code]
	if e.Field == "db" {
		hint = "name the database with --db (SCRIP_DB)"
	}
	if hint != "" {
		text = strings.TrimSuffix(text, ".") + ": " + hint
	}
	return oneLine(text)
}

// root is the text of a cause without the wrapping that only developers can read.
func root(err error) string {
	if e, ok := errors.AsType[*fault.Error](err); ok && e.Err != nil {
		return root(e.Err)
	}
	return err.Error()
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// count is a number of things: 1 change, 2 changes.
func count[N int | int64](n N, one, many string) string {
	if n == 1 {
		many = one
	}
	return fmt.Sprintf("%d %s", n, many)
}
