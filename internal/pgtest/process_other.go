//go:build !linux

package pgtest

import (
	"os"
	"syscall"
)

// account is the user that the server runs as. Elsewhere than on Linux it is
// always this process's own: developers' machines do not run tests as root.
type account struct{}

// serverAccount returns nil, for this process's own user.
func serverAccount() (*account, error) { return nil, nil }

// takes has nothing to do.
func (*account) takes(string) error { return nil }

// attributes returns none: only Linux can tie a child's life to its parent's.
// Main stops the server.
func (*account) attributes() *syscall.SysProcAttr { return nil }

// makeRunFolder makes the folder, without a lock.
func makeRunFolder() (string, *os.File, error) {
	folder, err := os.MkdirTemp("", "scrip-pg-*")
	return folder, nil, err
}

// sweep does nothing where no lock tells a folder in use from an abandoned one.
func sweep() {}
