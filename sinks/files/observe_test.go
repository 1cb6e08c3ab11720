package files

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/sinks/sinktest"
)

// An observer tells the position that a sink would tell, at every step of a
// commit that fails, and leaves every file as it is.
func TestObserver(t *testing.T) {
	leads := sinktest.Leads(sinktest.Day, 0, 50)
	for step := 0; ; step++ {
		dir := sinktest.Folder(t)
		mustCommit(t, mustOpen(t, spec(dir)), today, leads[:20], 3)
		sp := spec(dir)
		n := 0
		sp.Step = func(string, string) error {
			if n++; n > step {
				return errors.New("the disk is gone")
			}
			return nil
		}
		failing, err := Open(t.Context(), sp)
		if err != nil {
			t.Fatal(err)
		}
		_, err = commit(t.Context(), failing, today, leads, 7)
		done := err == nil

		before := snapshot(t, dir)
		o, err := Observe(spec(dir))
		if err != nil {
			t.Fatal(err)
		}
		got, err := o.Position(t.Context(), today)
		if err != nil {
			t.Fatal(err)
		}
		if after := snapshot(t, dir); !reflect.DeepEqual(after, before) {
			t.Errorf("step %d: the observer changed the files: %v, before %v", step, after, before)
		}
		if want := position(t, mustOpen(t, spec(dir)), today); got != want {
			t.Errorf("step %d: observed %+v, the sink says %+v", step, got, want)
		}
		if err := o.Close(); err != nil {
			t.Error(err)
		}
		if done {
			if step < 5 {
				t.Errorf("only %d steps", step)
			}
			return
		}
	}
}

func TestObserverOfNothing(t *testing.T) {
	o, err := Observe(spec(filepath.Join(t.TempDir(), "not", "there")))
	if err != nil {
		t.Fatal(err)
	}
	if p, err := o.Position(t.Context(), today); p != (deliver.Position{}) || err != nil {
		t.Errorf("%+v, %v", p, err)
	}
	if _, err := o.Position(t.Context(), deliver.Whole); err == nil {
		t.Error("a table has no position as a whole")
	}
	if o.Semantics() != deliver.Replace {
		t.Error("files are a table")
	}
}

// A manifest that cannot be read means that the partition will be written anew.
func TestObserverOfDamage(t *testing.T) {
	dir := t.TempDir()
	mustCommit(t, mustOpen(t, spec(dir)), today, sinktest.Leads(sinktest.Day, 0, 5), 3)
	damaged := 0
	for path := range snapshot(t, dir) {
		if strings.HasSuffix(path, ".json") {
			damaged++
			if err := os.WriteFile(filepath.Join(dir, path), []byte("{"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	o, err := Observe(spec(dir))
	if err != nil {
		t.Fatal(err)
	}
	if p, err := o.Position(t.Context(), today); damaged != 1 || p != (deliver.Position{}) || err != nil {
		t.Errorf("%d manifests, %+v, %v", damaged, p, err)
	}
}

// snapshot is every file under dir with its content.
func snapshot(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := make(map[string]string)
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(os.DirFS(dir), path)
		files[path] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
