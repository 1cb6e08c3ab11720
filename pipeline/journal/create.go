package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

const (
	journalFolder = "journal"
	// newFolder is the pattern of the temporary name under which a journal is
	// put together.
	newFolder = ".journal-*.tmp"
)

// createJournal makes an empty journal in a locked state folder that has none. It
// appears as a whole, by one rename, so that an identity without segments, or
// the other way round, is never what a crash left.
func createJournal(fsys files, dir string, of Identity) (identity, error) {
	if err := removeUnfinished(dir); err != nil {
		return identity{}, err
	}
	id, err := newIdentity(of)
	if err != nil {
		return identity{}, err
	}
	content, err := id.encode()
	if err != nil {
		return identity{}, fmt.Errorf("encode the journal's identity: %w", err)
	}
	temporary, err := os.MkdirTemp(dir, newFolder)
	if err != nil {
		return identity{}, &WriteError{Op: "create the journal in", Path: dir, Err: err}
	}
	if err := fill(fsys, temporary, id, content); err != nil {
		return identity{}, errors.Join(err, os.RemoveAll(temporary))
	}
	folder := filepath.Join(dir, journalFolder)
	// An empty folder stands in the way of the rename; one with content is no
	// place for a new journal, and stays.
	if err := os.Remove(folder); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return identity{}, errors.Join(
			&StateError{Dir: dir, Problem: fmt.Sprintf("%s holds no journal and is not empty", folder)},
			os.RemoveAll(temporary))
	}
	if err := os.Rename(temporary, folder); err != nil {
		return identity{}, errors.Join(&WriteError{Op: "create", Path: folder, Err: err}, os.RemoveAll(temporary))
	}
	if err := fsys.syncDir(dir); err != nil {
		return identity{}, &WriteError{Op: "sync", Path: dir, Err: err}
	}
	return id, nil
}

// fill writes what an empty journal consists of to a folder, and syncs it.
func fill(fsys files, folder string, id identity, content []byte) error {
	if err := writeFile(fsys, filepath.Join(folder, identityFile), content); err != nil {
		return err
	}
	header, _ := segmentHeader{base: id.First, journal: id.Journal}.encode()
	if err := writeFile(fsys, filepath.Join(folder, segmentName(id.First)), header[:]); err != nil {
		return err
	}
	if err := fsys.syncDir(folder); err != nil {
		return &WriteError{Op: "sync", Path: folder, Err: err}
	}
	return nil
}

// removeUnfinished removes what a crash left while a journal was created.
func removeUnfinished(dir string) error {
	files, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("look for an unfinished journal: %w", err)
	}
	for _, file := range files {
		if unfinished, _ := filepath.Match(newFolder, file.Name()); !unfinished {
			continue
		}
		if err := os.RemoveAll(filepath.Join(dir, file.Name())); err != nil {
			return fmt.Errorf("remove an unfinished journal: %w", err)
		}
	}
	return nil
}
