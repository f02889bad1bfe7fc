// Command gendocs writes the pages of the documentation that are made from
// code. Today that is the page of error codes, made from fault.Catalogue; a
// page that can be generated is, so that it cannot disagree with the program.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/seed42445051/scrip/fault"
)

//go:generate go run . -dir ../../../docs/reference

// errorsPage is the name of the page of error codes.
const errorsPage = "errors.md"

func main() {
	dir := flag.String("dir", "docs/reference", "the folder to write to")
	flag.Parse()
	if err := write(*dir); err != nil {
		fmt.Fprintln(os.Stderr, "gendocs:", err)
		os.Exit(1)
	}
}

// write writes every page into a folder.
func write(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, errorsPage), errorCodes(fault.Catalogue()), 0o644)
}

// errorCodes renders the page of error codes: a table to scan, and a section
// for each code, whose heading is the anchor that error bodies link to.
func errorCodes(codes []fault.Entry) []byte {
	var b bytes.Buffer
	b.WriteString(`<!-- Generated from the catalogue in package fault by go generate; do not edit. -->

# Error codes

Every failed call answers with a problem body (RFC 9457) whose ` + "`code`" + ` is one of
these. Branch on the code: a code keeps its meaning once released, while the
text of a message may change. A denial by can-use or reserve is not an error; it
is an answer with status 200 and ` + "`allowed: false`" + `.

| Code | Status | Title |
|---|---|---|
`)
	for _, e := range codes {
		fmt.Fprintf(&b, "| [`%s`](#%s) | %d | %s |\n", e.Code, e.Code, e.Kind.HTTPStatus(), e.Title)
	}
	for _, e := range codes {
		fmt.Fprintf(&b, "\n## %s\n\n**%s** (status %d). %s\n\nWhat to do: %s\n",
			e.Code, e.Title, e.Kind.HTTPStatus(), e.Meaning, e.Remedy)
	}
	return b.Bytes()
}
