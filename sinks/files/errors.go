package files

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
)

// advice says, for the errors of the operating system that somebody has to act
// on, what to do. These are permanent: trying again cannot mend them.
var advice = []struct {
	errno syscall.Errno
	text  string
}{
	{syscall.ENOSPC, "free space there, or choose another dir"},
	{syscall.EDQUOT, "the disk quota is used up: free space, or choose another dir"},
	{syscall.EFBIG, "files of this size are not allowed there: lower roll-bytes, or raise the limit"},
	{syscall.EACCES, "give the user that runs leads-etl the right to write there, or choose another dir"},
	{syscall.EPERM, "give the user that runs leads-etl the right to write there, or choose another dir"},
	{syscall.EROFS, "mount it for writing, or choose another dir"},
	{syscall.ENOTDIR, "something else is where a folder should be: move it away, or choose another dir"},
	{syscall.EISDIR, "a folder is where a file should be: move it away"},
	{syscall.ENAMETOOLONG, "choose a shorter dir, or a shorter name for the account"},
}

// explain wraps an error of the operating system with what was being done to
// which path, and with advice where there is some.
func explain(op, path string, err error) error {
	if err == nil {
		return nil
	}
	// The text of path and link errors repeats what is said here.
	cause := err
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		cause = e.Err
	} else if e, ok := errors.AsType[*os.LinkError](err); ok {
		cause = e.Err
	}
	for _, a := range advice {
		if errors.Is(cause, a.errno) {
			return &deliver.PermanentError{Err: fmt.Errorf("%s %s: %w; %s", op, path, cause, a.text)}
		}
	}
	return fmt.Errorf("%s %s: %w", op, path, cause)
}
