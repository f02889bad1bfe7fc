package rules

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// unwanted is a pattern that no file may contain. The patterns are put together
// from pieces, so that this file does not contain what it forbids.
type unwanted struct {
	pattern *regexp.Regexp
	why     string
}

var unwantedText = []unwanted{
	{
		regexp.MustCompile(`(^|[^\w./-])/(` + "wo" + `rk|` + "fa" + `rm)/`),
		"is a path of one machine",
	},
	{
		regexp.MustCompile(strings.Join([]string{
			"proxy" + `\.golang\.org`, "sum" + `\.golang\.org`, "registry" + `\.npmjs\.org`,
			"registry" + `\.yarnpkg\.com`, `(deb|security|snapshot|ftp)` + `\.debian\.org`,
		}, "|")),
		"names a package registry; packages come from where the machine is set up to get them",
	},
	{
		regexp.MustCompile(`\b(` + "TO" + "DO|FIX" + "ME|X" + `XX)\b`),
		"marks something unfinished; finish it or file it",
	},
}

// textAllowed are files whose text is not ours to change.
var textAllowed = []Allowance{}

// Text finds unwanted text in one file. Binary files are passed over.
func Text(path string, text []byte) []Finding {
	if bytes.IndexByte(text, 0) >= 0 {
		return nil
	}
	var findings []Finding
	line := 0
	for l := range bytes.Lines(text) {
		line++
		for _, u := range unwantedText {
			if found := u.pattern.Find(l); found != nil {
				findings = append(findings, Finding{path, line, fmt.Sprintf("%q %s", bytes.TrimSpace(found), u.why)})
			}
		}
	}
	return findings
}

// MissingCodes finds error codes that the page about them has no section for.
func MissingCodes(path, page string, codes []string) []Finding {
	var findings []Finding
	for _, code := range codes {
		if !strings.Contains(page, "\n## "+code+"\n") {
			findings = append(findings, Finding{path, 0, "has no section for " + code + "; run: go generate ./internal/cmd/gendocs"})
		}
	}
	return findings
}

// trackedFiles lists the files of the repository: what git tracks, and what it
// would if it were added.
func trackedFiles(root string) ([]string, error) {
	// The work tree may belong to another user, as in a container.
	cmd := exec.Command("git", "-c", "safe.directory=*", "ls-files", "-coz", "--exclude-standard")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("git ls-files: %w (the rules about text need git and a work tree)", err)
	}
	var files []string
	for name := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		info, err := os.Lstat(filepath.Join(root, name))
		if err == nil && info.Mode().IsRegular() {
			files = append(files, name)
		}
	}
	return files, nil
}
