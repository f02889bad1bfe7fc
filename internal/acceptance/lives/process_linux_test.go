package lives

import (
	"os/exec"
	"syscall"
)

// dieTogether makes the kernel kill a child when this process dies.
func dieTogether(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
