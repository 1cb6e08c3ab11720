package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// made returns a state folder whose journal has a few records and is closed.
func made(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "state")
	j := open(t, dir, Options{SegmentBytes: 2 << 10})
	appendAll(t, j, records(20, 500)...)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// snapshot returns the names and contents of all files of a folder.
func snapshot(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == lockFile {
			return err
		}
		b, err := os.ReadFile(path)
		all[path] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestIdentityOfAnother(t *testing.T) {
	dir := made(t)
	for _, other := range []Identity{
		{"other", seller.Marketplace, seller.API},
		{seller.Account, "EBAY_GB", seller.API},
		{seller.Account, seller.Marketplace, "https://api.sandbox.example.com"},
	} {
		_, err := Open(dir, Options{Identity: other})
		e, ok := errors.AsType[*IdentityError](err)
		if !ok || e.Have != seller || e.Want != other {
			t.Fatalf("Open for %s: %v", other, err)
		}
		for _, part := range []string{dir, seller.String(), other.String(), "another state folder"} {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("the error does not say %q: %v", part, err)
			}
		}
	}
	open(t, dir, Options{}) // nothing holds the lock
}

func TestLockOfThisProcess(t *testing.T) {
	dir := made(t)
	j := open(t, dir, Options{})
	_, err := Open(dir, Options{Identity: seller})
	if e, ok := errors.AsType[*LockedError](err); !ok || e.PID != os.Getpid() || e.Dir != dir {
		t.Errorf("second Open: %v", err)
	}
	if says := fmt.Sprintf("%s is in use by process %d", dir, os.Getpid()); !strings.Contains(err.Error(), says) {
		t.Errorf("second Open: %v, want it to say %q", err, says)
	}
	if err := os.WriteFile(filepath.Join(dir, lockFile), []byte("nonsense"), fileMode); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, Options{Identity: seller}); err == nil || !strings.Contains(err.Error(), "in use by another process") {
		t.Errorf("third Open: %v", err)
	}
	j.Close()
	if err := os.WriteFile(filepath.Join(dir, lockFile), []byte("nonsense"), fileMode); err != nil {
		t.Fatal(err)
	}
	open(t, dir, Options{}).Close() // what a lock file says locks nothing
}

func TestIncompleteStateIsNotMadeAnew(t *testing.T) {
	write := func(content string) func(t *testing.T, folder string) {
		return func(t *testing.T, folder string) {
			if err := os.WriteFile(filepath.Join(folder, identityFile), []byte(content), fileMode); err != nil {
				t.Fatal(err)
			}
		}
	}
	const uuid = "7f8c1f0e-3c52-4a7c-9b0e-6c9a6cf7a001"
	tests := map[string]struct {
		harm func(t *testing.T, folder string)
		says string
	}{
		"no identity": {func(t *testing.T, folder string) {
			if err := os.Remove(filepath.Join(folder, identityFile)); err != nil {
				t.Fatal(err)
			}
		}, "identity.json is missing"},
		"no segments": {func(t *testing.T, folder string) {
			for _, path := range segmentPaths(t, filepath.Dir(folder)) {
				if err := os.Remove(path); err != nil {
					t.Fatal(err)
				}
			}
		}, "holds no segment"},
		"neither, but something else": {func(t *testing.T, folder string) {
			if err := os.RemoveAll(folder); err != nil {
				t.Fatal(err)
			}
			if err := os.Mkdir(folder, folderMode); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(folder, "notes"), nil, fileMode); err != nil {
				t.Fatal(err)
			}
		}, "not empty"},
		"a segment of a strange name": {func(t *testing.T, folder string) {
			if err := os.WriteFile(filepath.Join(folder, "copy.journal"), nil, fileMode); err != nil {
				t.Fatal(err)
			}
		}, "copy.journal"},
		"empty identity":         {write(""), "damaged"},
		"identity of no journal": {write(`{"format":1}`), "names no journal"},
		"identity and more":      {write(`{"format":1,"journal":"` + uuid + `"}{}`), "after top-level value"},
		"unknown field":          {write(`{"format":1,"journal":"` + uuid + `","colour":"red"}`), "colour"},
		"format zero":            {write(`{"format":0,"journal":"` + uuid + `"}`), "no format 0"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			dir := made(t)
			test.harm(t, filepath.Join(dir, journalFolder))
			before := snapshot(t, dir)
			_, err := Open(dir, Options{Identity: seller})
			if e, ok := errors.AsType[*StateError](err); !ok || e.Dir != dir || !strings.Contains(e.Problem, test.says) {
				t.Errorf("Open: %v", err)
			}
			after := snapshot(t, dir)
			if len(after) != len(before) {
				t.Errorf("Open changed the folder: %d files, were %d", len(after), len(before))
			}
			for path, content := range before {
				if after[path] != content {
					t.Errorf("Open changed %s", path)
				}
			}
		})
	}
}

func TestNewerFormat(t *testing.T) {
	dir := made(t)
	path := filepath.Join(dir, journalFolder, identityFile)
	if err := os.WriteFile(path, []byte(`{"format":3,"what":"is not known"}`), fileMode); err != nil {
		t.Fatal(err)
	}
	_, err := Open(dir, Options{Identity: seller})
	if e, ok := errors.AsType[*VersionError](err); !ok || *e != (VersionError{Path: path, Have: 3, Supported: 2}) {
		t.Errorf("Open: %v", err)
	}
	for _, said := range []string{"format 3", "format 2", "use the version of leads-etl that wrote it"} {
		if !strings.Contains(err.Error(), said) {
			t.Errorf("the error does not say %q: %v", said, err)
		}
	}
	if _, err := Verify(t.Context(), dir); err == nil || !strings.Contains(err.Error(), "newer") {
		t.Errorf("Verify: %v", err)
	}
}

func TestSegmentOfANewerFormat(t *testing.T) {
	dir := made(t)
	path := segmentPaths(t, dir)[0]
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	binary.LittleEndian.PutUint32(b[8:], formatVersion+1)
	binary.LittleEndian.PutUint32(b[36:], crc32.Checksum(b[:36], castagnoli))
	if err := os.WriteFile(path, b, fileMode); err != nil {
		t.Fatal(err)
	}
	before := snapshot(t, dir)
	_, openErr := Open(dir, Options{Identity: seller})
	_, readErr := OpenReadOnly(dir, nil)
	_, verifyErr := Verify(t.Context(), dir)
	_, salvageErr := OpenDamaged(t.Context(), dir, SalvageOptions{Identity: seller})
	for what, err := range map[string]error{"Open": openErr, "OpenReadOnly": readErr, "Verify": verifyErr, "OpenDamaged": salvageErr} {
		if e, ok := errors.AsType[*VersionError](err); !ok || e.Have != 2 || e.Supported != 1 || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if !maps.Equal(before, snapshot(t, dir)) {
		t.Error("something was changed")
	}
}

func TestCreationThatWasInterrupted(t *testing.T) {
	dir := t.TempDir()
	left := filepath.Join(dir, ".journal-123.tmp")
	if err := os.Mkdir(left, folderMode); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(left, identityFile), []byte("{"), fileMode); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, journalFolder), folderMode); err != nil {
		t.Fatal(err)
	}
	j := open(t, dir, Options{})
	appendAll(t, j, recordOf(1, 10))
	names, err := os.ReadDir(dir)
	if err != nil || len(names) != 2 {
		t.Errorf("the state folder holds %v (%v), want the lock and the journal", names, err)
	}
}

func TestSegmentOfAnotherJournal(t *testing.T) {
	dir, other := made(t), made(t)
	from, to := segmentPaths(t, other)[1], segmentPaths(t, dir)[1]
	b, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, b, fileMode); err != nil {
		t.Fatal(err)
	}
	_, err = Open(dir, Options{Identity: seller})
	if e, ok := errors.AsType[*CorruptionError](err); !ok || e.Segment != to || !strings.Contains(e.Reason, "belongs to journal") {
		t.Errorf("Open with a segment of another journal: %v", err)
	}
	report, err := Verify(t.Context(), dir)
	if err != nil || len(report.Problems) != 1 || report.Problems[0].Segment != to {
		t.Errorf("Verify: %+v, %v", report, err)
	}
}
