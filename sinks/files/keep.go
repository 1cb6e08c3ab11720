package files

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
)

// Partitions returns the partitions that have a manifest.
func (o *Observer) Partitions() ([]deliver.Partition, error) {
	folder := filepath.Join(o.sink.root, o.sink.manifests())
	entries, err := readFolder(folder)
	if err != nil {
		return nil, err
	}
	var all []deliver.Partition
	for _, e := range entries {
		date, ok := strings.CutSuffix(e.Name(), ".json")
		if date == undatedName {
			date = ""
		}
		if p := (deliver.Partition{Date: date}); ok && checkPartition(p) == nil {
			all = append(all, p)
		}
	}
	return all, nil
}

// Keep keeps copies of the files of some partitions, beside those that were set
// aside: what made them cannot be had again, and they are about to be replaced. It
// returns how many there are, and the folder, relative to the root. The copies
// take no room where the file system has links.
func (o *Observer) Keep(which func(deliver.Partition) bool, now time.Time) (kept int, folder string, err error) {
	s := o.sink
	partitions, err := o.Partitions()
	if err != nil {
		return 0, "", err
	}
	folder, err = s.newKept(filepath.Join(supersededFolder, now.UTC().Format("20060102T150405Z")+"-repair"))
	if err != nil {
		return 0, "", err
	}
	for _, p := range partitions {
		if !which(p) {
			continue
		}
		m, err := readManifest(s.layout, p)
		if _, damaged := errors.AsType[*damagedError](err); damaged || m == nil && err == nil {
			continue // the next commit sets aside what is there
		}
		if err != nil {
			return kept, folder, err
		}
		for _, f := range m.Files {
			from := filepath.Join(s.root, s.folder(p), f.Name)
			to := filepath.Join(s.root, folder, s.folder(p), f.Name+supersededSuffix)
			if err := s.keep(from, to); err != nil {
				return kept, folder, err
			}
			kept++
		}
	}
	return kept, folder, nil
}

// newKept returns the first of name, name-2, name-3 … that is not there: there may
// have been another repair in the same second. The folder is relative to the root.
func (s *Sink) newKept(name string) (string, error) {
	folder := name
	for n := 2; ; n++ {
		path := filepath.Join(s.root, folder)
		if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
			return folder, nil
		} else if err != nil {
			return "", explain("look for", path, err)
		}
		folder = fmt.Sprintf("%s-%d", name, n)
	}
}

// keep makes to a copy of from, which is never changed, only replaced.
func (s *Sink) keep(from, to string) error {
	if err := s.disk.makeAll(filepath.Dir(to)); err != nil {
		return err
	}
	err := os.Link(from, to)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return nil // its owner may have removed the file
	}
	in, err := os.Open(from)
	if err != nil {
		return explain("open", from, err)
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, s.disk.fileMode)
	if err != nil {
		return explain("create", to, err)
	}
	_, err = io.Copy(out, in)
	if err = errors.Join(err, out.Sync(), out.Close()); err != nil {
		return explain("write", to, err)
	}
	return nil
}
