package files

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/sinks/sinktest"
)

func TestModes(t *testing.T) {
	for _, c := range []struct {
		file, folder string
		wantFile     fs.FileMode
		wantFolder   fs.FileMode
	}{
		{"0600", "0700", 0o600, 0o700},
		{"0664", "0775", 0o664, 0o775},
	} {
		// The configured modes hold whatever the umask.
		old := syscall.Umask(0o077)
		base := t.TempDir()
		dir := filepath.Join(base, "a", "out")
		sp := spec(dir)
		sp.Options.FileMode, sp.Options.DirMode = c.file, c.folder
		mustCommit(t, mustOpen(t, sp), today, sinktest.Leads(day, 0, 5), 1)
		syscall.Umask(old)

		for _, path := range append(tree(t, base), "a/out/") {
			info, err := os.Stat(filepath.Join(base, path))
			if err != nil {
				t.Fatal(err)
			}
			want := c.wantFile
			if info.IsDir() {
				want = c.wantFolder
			}
			if got := info.Mode().Perm(); got != want {
				t.Errorf("%s has mode %o, want %o", path, got, want)
			}
		}
	}
}

// Folders that were there keep their mode.
func TestModeOfGivenFolder(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	mustCommit(t, mustOpen(t, spec(dir)), today, sinktest.Leads(day, 0, 1), 1)
	info, err := os.Stat(dir)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o755 {
		t.Errorf("the mode became %o", info.Mode().Perm())
	}
}

// What the operating system says for good is permanent, names the path and says
// what to do, wherever it is met.
func TestPermanentErrors(t *testing.T) {
	for errno, hint := range map[syscall.Errno]string{
		syscall.ENOSPC: "free space", syscall.EDQUOT: "quota", syscall.EACCES: "right", syscall.EPERM: "right", syscall.EROFS: "mount",
		syscall.EFBIG: "roll-bytes",
	} {
		var ops []string
		for n := 1; ; n++ {
			dir := t.TempDir()
			steps := 0
			var op string
			sp := spec(dir)
			sp.Step = func(o, path string) error {
				if steps++; steps == n {
					op = o
					return &fs.PathError{Op: "x", Path: path, Err: errno}
				}
				return nil
			}
			_, err := commit(t.Context(), mustOpen(t, sp), today, sinktest.Leads(day, 0, 5), 1)
			if op == "" {
				break
			}
			ops = append(ops, op)
			if err == nil {
				t.Errorf("%v at %q: no error", errno, op)
				continue
			}
			permanent, ok := errors.AsType[*deliver.PermanentError](err)
			if !ok || !errors.Is(permanent, errno) {
				t.Errorf("%v at %q is not permanent: %v", errno, op, err)
			}
			if text := err.Error(); !strings.Contains(text, dir) || !strings.Contains(text, hint) {
				t.Errorf("%v at %q: %v", errno, op, err)
			}
			wantNoTemps(t, dir)
		}
		for _, op := range []string{"make folder", "create", "write", "sync", "close", "sync folder", "rename to"} {
			if !slices.Contains(ops, op) {
				t.Errorf("a commit has no step %q: %v", op, ops)
			}
		}
	}
}

func TestOtherErrorsMayPass(t *testing.T) {
	err := explain("write", "/x", &fs.PathError{Op: "write", Path: "/x", Err: syscall.EIO})
	if _, ok := errors.AsType[*deliver.PermanentError](err); ok || !errors.Is(err, syscall.EIO) {
		t.Errorf("%v", err)
	}
	if got := err.Error(); got != "write /x: input/output error" {
		t.Errorf("%q", got)
	}
}

// Something else stands where a folder or a file has to be.
func TestInTheWay(t *testing.T) {
	l := spec("").layout("")
	for name, path := range map[string]string{
		"file for dir":         "",
		"file for marketplace": l.marketplaceFolder(),
		"file for date":        l.folder(today),
		"file for manifests":   manifestFolder,
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "out")
			full := filepath.Join(dir, path)
			if err := os.MkdirAll(filepath.Dir(full), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(full, []byte("x"), 0o600); err != nil {
				t.Fatal(err)
			}
			s, err := Open(t.Context(), spec(dir))
			if err == nil {
				_, err = commit(t.Context(), s, today, sinktest.Leads(day, 0, 5), 1)
			}
			if _, ok := errors.AsType[*deliver.PermanentError](err); !ok {
				t.Fatalf("not permanent: %v", err)
			}
			if !strings.Contains(err.Error(), full) {
				t.Errorf("the error does not name %s: %v", full, err)
			}
			wantNoTemps(t, filepath.Dir(dir))
		})
	}
}

// restrictedRole commits in a process that lacks something, and prints the
// error.
func restrictedRole() int {
	if limit := os.Getenv("LIMIT"); limit != "" {
		var size uint64
		if _, err := fmt.Sscan(limit, &size); err != nil {
			return 2
		}
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: size, Max: size}); err != nil {
			return 2
		}
	}
	sp := spec(os.Args[1])
	sp.Format = manyIDs
	s, err := Open(context.Background(), sp)
	if err == nil {
		_, err = commit(context.Background(), s, today, sinktest.Leads(day, 0, 2000), 2)
	}
	_, permanent := errors.AsType[*deliver.PermanentError](err)
	fmt.Printf("%t %v", permanent, err)
	return 0
}

func runRestricted(t *testing.T, dir string, change func(cmd *exec.Cmd)) string {
	t.Helper()
	cmd := exec.Command(os.Args[0], dir)
	cmd.Env = append(os.Environ(), roleVariable+"=restricted")
	change(cmd)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}

// TestFileSizeLimit runs out of room in the midst of a file, really.
func TestFileSizeLimit(t *testing.T) {
	dir := t.TempDir()
	rows := sinktest.Leads(day, 0, 3)
	mustCommit(t, mustOpen(t, spec(dir)), today, rows, 1)
	out := runRestricted(t, dir, func(cmd *exec.Cmd) { cmd.Env = append(cmd.Env, "LIMIT=20000") })
	if !strings.HasPrefix(out, "true ") || !strings.Contains(out, dir) || !strings.Contains(out, "roll-bytes") {
		t.Errorf("the error is: %s", out)
	}
	wantNoTemps(t, dir)
	wantEqual(t, globbed(t, dir, today), leadIDs(rows))
	if pos := position(t, mustOpen(t, spec(dir)), today); pos.Next != 1 {
		t.Errorf("the position is %+v", pos)
	}
}

// TestNoRight writes to a folder of another user, really.
func TestNoRight(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "out")
	if err := os.Mkdir(out, 0o500); err != nil {
		t.Fatal(err)
	}
	// Root may write anywhere, so that the process has to be somebody else's;
	// who has to be able to run the test binary and to reach the folder.
	binary := filepath.Join(dir, "test")
	data, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(binary, data, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Chmod(binary, 0o755), os.Chmod(out, 0o555), os.Chmod(dir, 0o755), os.Chmod(filepath.Dir(dir), 0o755)); err != nil {
		t.Fatal(err)
	}
	text := runRestricted(t, out, func(cmd *exec.Cmd) {
		cmd.Path, cmd.Dir = binary, "/"
		if os.Geteuid() == 0 {
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		}
	})
	if !strings.HasPrefix(text, "true ") || !strings.Contains(text, out) || !strings.Contains(text, "right to write") {
		t.Errorf("the error is: %s", text)
	}
	if left := tree(t, out); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

func TestCheck(t *testing.T) {
	base := t.TempDir()
	o := DefaultOptions(filepath.Join(base, "a", "b"))
	if err := Check(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if left := tree(t, base); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	free, err := Free(o.Dir)
	if err != nil || free == 0 {
		t.Errorf("free space: %d, %v", free, err)
	}

	// A folder that was there stays, with what is in it.
	mustCommit(t, mustOpen(t, spec(o.Dir)), today, sinktest.Leads(day, 0, 3), 1)
	before := tree(t, base)
	if err := Check(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if after := tree(t, base); !slices.Equal(after, before) {
		t.Errorf("%v became %v", before, after)
	}

	o.Dir = filepath.Join(base, "file", "x")
	if err := os.WriteFile(filepath.Join(base, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, ok := errors.AsType[*deliver.PermanentError](Check(t.Context(), o)); !ok {
		t.Error("a file in the way is no permanent error")
	}
}

func TestOptions(t *testing.T) {
	o := DefaultOptions("x")
	o.Validate(func(key, problem string) { t.Errorf("default %s: %s", key, problem) })

	bad := Options{Dir: "x", Roll: 0, FileMode: "0400", DirMode: "rwx"}
	var keys []string
	bad.Validate(func(key, _ string) { keys = append(keys, key) })
	if want := []string{"roll-bytes", "roll-rows", "roll-interval", "file-mode", "dir-mode"}; !slices.Equal(keys, want) {
		t.Errorf("reported %v, want %v", keys, want)
	}
	sp := spec("x")
	sp.Options = bad
	if _, err := Open(t.Context(), sp); err == nil {
		t.Error("opened with bad options")
	}
}
