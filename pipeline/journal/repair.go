package journal

import (
	"fmt"
	"io"
	"path/filepath"
)

// repair makes the last segment ready for writing: it cuts off a torn end,
// writes again what no later frame says was synced, and syncs. It returns the
// file, which is the caller's, and where the segment ends.
//
// The writing again is for the case that the journal was left by a failed
// sync: the system may have the bytes in memory, as if written, and not on the
// disk, and a sync does nothing about them.
func repair(fs files, folder string, id identity, t tail) (segmentFile, int64, error) {
	h := segmentHeader{base: t.base, journal: id.Journal}
	path := filepath.Join(folder, segmentName(t.base))
	f, err := fs.open(path)
	if err != nil {
		return nil, 0, fmt.Errorf("open the journal's last segment: %w", err)
	}
	end, err := repairFile(f, path, h, t)
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	// The names may be new as well, of a segment or of the whole journal.
	for _, dir := range []string{folder, filepath.Dir(folder)} {
		if err := fs.syncDir(dir); err != nil {
			f.Close()
			return nil, 0, &WriteError{Op: "sync", Path: dir, Err: err}
		}
	}
	return f, end, nil
}

func repairFile(f segmentFile, path string, h segmentHeader, t tail) (int64, error) {
	if t.torn != nil {
		if err := f.Truncate(t.end); err != nil {
			return 0, &WriteError{Op: "truncate", Path: path, Err: err}
		}
	}
	if t.end < segmentHeaderSize || t.committed == 0 {
		header, _ := h.encode()
		if n, err := f.WriteAt(header[:], 0); err != nil || n < len(header) {
			return 0, &WriteError{Op: "write", Path: path, Err: orShort(err)}
		}
	}
	end := max(t.end, segmentHeaderSize)
	if err := rewrite(f, path, max(t.committed, segmentHeaderSize), end); err != nil {
		return 0, err
	}
	if err := f.Sync(); err != nil {
		return 0, &WriteError{Op: "sync", Path: path, Err: err}
	}
	return end, nil
}

// rewrite writes the stretch [from, to) of a file with the bytes that are
// there.
func rewrite(f segmentFile, path string, from, to int64) error {
	r, _, err := openSegment(path)
	if err != nil {
		return err
	}
	defer r.Close()
	_, err = io.Copy(io.NewOffsetWriter(f, from), io.NewSectionReader(r, from, to-from))
	if err != nil {
		return &WriteError{Op: "write again the end of", Path: path, Err: err}
	}
	return nil
}
