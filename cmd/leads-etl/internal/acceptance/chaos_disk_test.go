package acceptance

import (
	"fmt"
	"io/fs"
	"os/exec"
	"path/filepath"
	"time"
)

// fullDisk lets the program run out of disk: on a disk of its own by filling that
// up, now and then while it runs, else by a limit.
func (c *chaos) fullDisk(cmd *exec.Cmd) *running {
	if c.disk == nil || c.random.IntN(3) == 0 {
		return c.limitedFiles(cmd)
	}
	c.deed("full disk")
	var r *running
	if left := c.random.Int64N(400 << 10); c.random.IntN(2) == 0 {
		c.disk.fill(left)
		r = c.startCommand(nil, cmd)
	} else {
		r = c.startCommand(nil, cmd)
		c.pause(r, time.Second)
		c.disk.fill(left)
	}
	c.pause(r, 3*time.Second)
	if c.random.IntN(2) == 0 {
		c.kill(r, "on a full disk")
	}
	c.disk.empty()
	c.pause(r, time.Second)
	c.kill(r, "after a full disk")
	return r
}

// limitedFiles runs the program so that no file can become much larger than the
// largest one is.
func (c *chaos) limitedFiles(cmd *exec.Cmd) *running {
	c.deed("limited files")
	largest := int64(0)
	err := filepath.WalkDir(c.path("state"), func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil //nolint:nilerr // what is not there has no size
		}
		if info, err := d.Info(); err == nil {
			largest = max(largest, info.Size())
		}
		return nil
	})
	if err != nil {
		c.t.Fatal(err)
	}
	shell, err := exec.LookPath("bash")
	if err != nil {
		c.t.Fatal("a full disk is played by bash's ulimit: ", err)
	}
	limit := largest/1024 + 1 + c.random.Int64N(200)
	cmd.Args = append([]string{shell, "-c", fmt.Sprintf(`ulimit -f %d; exec "$0" "$@"`, limit), cmd.Path}, cmd.Args[1:]...)
	cmd.Path = shell
	r := c.startCommand(nil, cmd)
	select {
	case <-r.ended:
	case <-time.After(3 * time.Second):
		c.kill(r, "on a full disk")
	}
	return r
}
