package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// diskStatus is what the state and the outputs take, in bytes.
type diskStatus struct {
	Journal     int64        `json:"journal"`
	Known       int64        `json:"known"`
	DeadLetters int64        `json:"dead_letters"`
	Outputs     []outputDisk `json:"outputs"`
}

// outputDisk is a folder of outputs; several sinks may share one.
type outputDisk struct {
	Dir   string `json:"dir"`
	Bytes int64  `json:"bytes"`
	Files int    `json:"files"`
}

func (s *settings) disk() (d diskStatus, err error) {
	for _, part := range []struct {
		folder string
		bytes  *int64
	}{{journalFolder, &d.Journal}, {knownFolder, &d.Known}, {deadLettersFolder, &d.DeadLetters}} {
		var diskErr error
		*part.bytes, _, diskErr = diskUse(filepath.Join(s.State.Dir, part.folder))
		err = errors.Join(err, diskErr)
	}
	d.Outputs = []outputDisk{}
	for _, dir := range []string{s.Parquet.Dir, s.NDJSON.Dir} {
		if dir == "" || slices.ContainsFunc(d.Outputs, func(o outputDisk) bool { return filepath.Clean(o.Dir) == filepath.Clean(dir) }) {
			continue
		}
		bytes, files, diskErr := diskUse(dir)
		d.Outputs = append(d.Outputs, outputDisk{dir, bytes, files})
		err = errors.Join(err, diskErr)
	}
	return d, err
}

// journalFolder is the journal's in the state folder.
const journalFolder = "journal"

// diskUse adds up the files under a folder, which need not be there. Files that
// vanish meanwhile, as they do where something runs, do not count.
func diskUse(dir string) (bytes int64, files int, err error) {
	err = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		if err == nil {
			bytes += info.Size()
			files++
		}
		return err
	})
	return bytes, files, err
}
