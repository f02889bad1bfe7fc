package pgtest

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
)

// errMissing says what to do where PostgreSQL is not installed.
var errMissing = errors.New("pgtest: PostgreSQL is not installed (no postgres in /usr/lib/postgresql/*/bin or PATH); " +
	"run: apt-get install -y postgresql, or set " + Variable + " to the URL of a server")

// debianFolders is where Debian keeps the server, which it leaves out of PATH.
const debianFolders = "/usr/lib/postgresql/*/bin"

// findBinaries returns the folder of the newest installed server.
func findBinaries() (string, error) { return findBinariesIn(debianFolders, exec.LookPath) }

// findBinariesIn searches folders named by their version, then the path.
func findBinariesIn(pattern string, lookPath func(string) (string, error)) (string, error) {
	folders, err := filepath.Glob(pattern)
	if err != nil {
		return "", err
	}
	version := func(folder string) int {
		n, _ := strconv.Atoi(filepath.Base(filepath.Dir(folder))) // 0 for a name that is no version
		return n
	}
	slices.SortFunc(folders, func(a, b string) int { return version(b) - version(a) })
	for _, folder := range folders {
		if hasServer(folder) {
			return folder, nil
		}
	}
	if path, err := lookPath("postgres"); err == nil {
		// What is in PATH may be a link into the folder that has initdb too.
		if path, err = filepath.EvalSymlinks(path); err == nil && hasServer(filepath.Dir(path)) {
			return filepath.Dir(path), nil
		}
	}
	return "", errMissing
}

// hasServer tells whether a folder has the programs that a cluster needs.
func hasServer(folder string) bool {
	for _, name := range []string{"postgres", "initdb"} {
		if _, err := os.Stat(filepath.Join(folder, name)); err != nil {
			return false
		}
	}
	return true
}
