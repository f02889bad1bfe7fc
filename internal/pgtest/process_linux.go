package pgtest

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// account is the ordinary user that the server runs as, since it refuses to
// run as root.
type account struct{ uid, gid uint32 }

// serverAccount returns whom to run the server as: nil for this process's own
// user, unless that is root.
func serverAccount() (*account, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		if err != nil {
			return nil, err
		}
		gid, err := strconv.ParseUint(u.Gid, 10, 32)
		if err != nil {
			return nil, err
		}
		return &account{uint32(uid), uint32(gid)}, nil
	}
	return nil, errors.New("pgtest: the server refuses to run as root, and there is no user postgres or nobody")
}

// takes hands a folder over.
func (a *account) takes(folder string) error {
	if a == nil {
		return nil
	}
	return os.Chown(folder, int(a.uid), int(a.gid))
}

// attributes makes the server die with this process, by the signal for an
// immediate shutdown, and keeps it out of the terminal's process group, so that
// an interrupt reaches the tests first.
func (a *account) attributes() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Pdeathsig: syscall.SIGQUIT, Setpgid: true}
	if a != nil {
		attr.Credential = &syscall.Credential{Uid: a.uid, Gid: a.gid}
	}
	return attr
}

// folderPattern and lockName make the folders recognizable: one whose lock is
// free belongs to a process that is gone.
const (
	folderPattern = "scrip-pg-*"
	lockName      = "lock"
)

// makeRunFolder makes a folder and locks it for as long as the file is open.
// The lock gets its name when it is held, so that sweep never sees it free.
func makeRunFolder() (string, *os.File, error) {
	folder, err := os.MkdirTemp("", folderPattern)
	if err != nil {
		return "", nil, err
	}
	made := filepath.Join(folder, "unlocked")
	lock, err := os.OpenFile(made, os.O_CREATE|os.O_RDWR, 0o600)
	if err == nil {
		err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	}
	if err == nil {
		err = os.Rename(made, filepath.Join(folder, lockName))
	}
	if err != nil {
		return "", nil, fmt.Errorf("%w, %w", err, os.RemoveAll(folder))
	}
	return folder, lock, nil
}

// sweep removes the folders of processes that were killed. It is a courtesy:
// what cannot be removed, such as another user's folder, is left alone.
func sweep() {
	folders, _ := filepath.Glob(filepath.Join(os.TempDir(), folderPattern)) // the pattern is well-formed
	for _, folder := range folders {
		lock, err := os.OpenFile(filepath.Join(folder, lockName), os.O_RDWR, 0)
		if err != nil {
			continue
		}
		if syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			_ = os.RemoveAll(folder)
		}
		_ = lock.Close()
	}
}
