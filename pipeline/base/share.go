package base

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// share makes a copy of a database that nobody writes to. The tables, which never
// change, are the same files where the file system has hard links.
func share(from, to string) error {
	files, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, file := range files {
		source, target := filepath.Join(from, file.Name()), filepath.Join(to, file.Name())
		if file.Name() == "LOCK" || strings.HasSuffix(file.Name(), ".sst") && os.Link(source, target) == nil {
			continue
		}
		if err := copyFile(source, target); err != nil {
			return err
		}
	}
	return nil
}

func copyFile(from, to string) error {
	r, err := os.Open(from)
	if err != nil {
		return err
	}
	defer r.Close()
	w, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, r) // synced with all of the base
	return errors.Join(err, w.Close())
}
