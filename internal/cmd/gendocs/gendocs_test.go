package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed42445051/scrip/fault"
)

func TestErrorCodes(t *testing.T) {
	page := string(errorCodes([]fault.Entry{{
		Code: "too_blue", Kind: fault.Conflict, Title: "Too blue",
		Meaning: "The thing is blue.", Remedy: "Paint it.",
	}}))
	for _, want := range []string{
		"| [`too_blue`](#too_blue) | 409 | Too blue |\n",
		"\n## too_blue\n\n**Too blue** (status 409). The thing is blue.\n\nWhat to do: Paint it.\n",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q:\n%s", want, page)
		}
	}
}

func TestCommittedPageIsCurrent(t *testing.T) {
	dir := t.TempDir()
	if err := write(dir); err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(filepath.Join(dir, errorsPage))
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join("../../../docs/reference", errorsPage))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("docs/reference/%s is not current; run: go generate ./internal/cmd/gendocs", errorsPage)
	}
}
