package journal

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/gofrs/flock"
)

const lockFile = "LOCK"

// lock takes the lock of a state folder. It dies with the process, so that a
// crash leaves none behind; the file stays, because removing it would let two
// processes lock two files of one name. The file's content is only for people
// who are refused.
func lock(dir string) (release func() error, err error) {
	path := filepath.Join(dir, lockFile)
	l := flock.New(path, flock.SetFlag(os.O_CREATE|os.O_RDWR), flock.SetPermissions(fileMode))
	got, err := l.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock the state folder: %w", err)
	}
	if !got {
		return nil, &LockedError{Dir: dir, PID: holder(path)}
	}
	// The lock holds whether or not its file says whose it is: a full disk is no
	// reason to stop here.
	_ = os.WriteFile(path, []byte(strconv.Itoa(os.Getpid())+"\n"), fileMode)
	return func() error {
		_ = os.Truncate(path, 0)
		return l.Close()
	}, nil
}

// holder returns the process named in a lock file; 0 if none is.
func holder(path string) int {
	b, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil || pid < 0 {
		return 0
	}
	return pid
}
