//go:build unix

package kafkatest

import (
	"os/exec"
	"syscall"
)

// canKeep says whether the keeper can run here.
func canKeep() error {
	_, err := exec.LookPath("sh")
	return err
}

// detach puts the keeper into a process group of its own: an interrupt from the
// terminal goes to the tests alone, and the keeper can tidy up after them.
func detach(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
