//go:build !linux

package acceptance

import "os/exec"

// dieTogether does nothing where the kernel has no such service: a child outlives a test binary
// that is killed itself.
func dieTogether(*exec.Cmd) {}
