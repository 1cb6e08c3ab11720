//go:build !unix

package kafkatest

import (
	"errors"
	"os/exec"
)

// canKeep says whether the keeper can run here: it is a shell script.
func canKeep() error { return errors.New("a Kafka process is only started on Unix") }

func detach(*exec.Cmd) {}
