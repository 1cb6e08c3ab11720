package journal

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

const (
	basePrefix = "base-"
	// draftSuffix ends the names of what is not in force yet.
	draftSuffix = ".tmp"
	// listFile lists what a base consists of; the identity holds its checksum.
	listFile = "files.json"
)

func baseName(n Seq) string { return fmt.Sprintf("%s%020d", basePrefix, n) }

// parseBaseName is the inverse of baseName.
func parseBaseName(name string) (Seq, bool) {
	n, err := strconv.ParseUint(strings.TrimPrefix(name, basePrefix), 10, 64)
	if err != nil || baseName(Seq(n)) != name {
		return 0, false
	}
	return Seq(n), true
}

// baseFile is a file of a base, by its path from there, with slashes.
type baseFile struct {
	Path   string `json:"path"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// isLock reports whether a file is only there to be locked, and no part of the
// base.
func isLock(name string) bool { return name == lockFile }

// seal syncs all of a draft and lists it. It returns the list's checksum. The
// checksums of files that the draft shares with the base before are taken from
// there: of a large base most are the same.
func (p *pruner) seal(draft string) (string, error) {
	if err := p.do("seal"); err != nil {
		return "", err
	}
	var files []baseFile
	var folders []string
	old := p.sums(filepath.Dir(draft))
	err := filepath.WalkDir(draft, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			folders = append(folders, path)
			return nil
		case isLock(d.Name()):
			return nil
		}
		f, err := sealFile(path, old)
		if f.Path, _ = filepath.Rel(draft, path); err == nil {
			f.Path = filepath.ToSlash(f.Path)
			files = append(files, f)
		}
		return err
	})
	if err != nil {
		return "", &WriteError{Op: "seal", Path: draft, Err: err}
	}
	list, err := json.MarshalIndent(files, "", "  ")
	if err != nil {
		return "", fmt.Errorf("list the files of a base: %w", err)
	}
	if err := writeFile(p.files, filepath.Join(draft, listFile), list); err != nil {
		return "", err
	}
	for _, folder := range folders {
		if err := p.files.syncDir(folder); err != nil {
			return "", &WriteError{Op: "sync", Path: folder, Err: err}
		}
	}
	return sumOf(list), nil
}

// known is a file whose checksum is known.
type known struct {
	info fs.FileInfo
	sum  string
}

// sums are the files of the base in force, by their names.
func (p *pruner) sums(folder string) map[string][]known {
	sums := make(map[string][]known)
	if p.id.Base == "" {
		return sums
	}
	folder = filepath.Join(folder, p.id.Base)
	files, err := readList(folder, p.id.BaseSum)
	if err != nil {
		return sums // all are read, then
	}
	for _, f := range files {
		path := filepath.Join(folder, filepath.FromSlash(f.Path))
		if info, err := os.Stat(path); err == nil && info.Size() == f.Bytes {
			name := filepath.Base(path)
			sums[name] = append(sums[name], known{info, f.SHA256})
		}
	}
	return sums
}

func sealFile(path string, old map[string][]known) (baseFile, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return baseFile{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return baseFile{}, err
	}
	for _, k := range old[filepath.Base(path)] {
		if os.SameFile(k.info, info) {
			return baseFile{Bytes: info.Size(), SHA256: k.sum}, nil
		}
	}
	if err := errors.Join(f.Chmod(fileMode), f.Sync()); err != nil {
		return baseFile{}, err
	}
	sum := sha256.New()
	n, err := io.Copy(sum, f)
	return baseFile{Bytes: n, SHA256: hex.EncodeToString(sum.Sum(nil))}, err
}

func sumOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// readList reads a base's list of files.
func readList(folder, sum string) ([]baseFile, error) {
	path := filepath.Join(folder, listFile)
	list, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &BaseError{Path: path, Problem: "it is missing"}
	}
	if err != nil {
		return nil, fmt.Errorf("read the journal's base: %w", err)
	}
	var files []baseFile
	if sumOf(list) != sum || json.Unmarshal(list, &files) != nil {
		return nil, &BaseError{Path: path, Problem: "it is not what was written"}
	}
	return files, nil
}

// checkBase finds out whether all files of the base are there, and as large as
// they were. Their contents are for verifyBase, and for who reads them.
func checkBase(folder string, id identity) error {
	if id.Base == "" {
		return nil
	}
	folder = filepath.Join(folder, id.Base)
	files, err := readList(folder, id.BaseSum)
	if err != nil {
		return err
	}
	for _, f := range files {
		path := filepath.Join(folder, filepath.FromSlash(f.Path))
		info, err := os.Stat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return &BaseError{Path: path, Problem: "it is missing"}
		case err != nil:
			return fmt.Errorf("look at the journal's base: %w", err)
		case info.Size() != f.Bytes:
			return &BaseError{Path: path, Problem: sizeProblem(info.Size(), f.Bytes)}
		}
	}
	return nil
}

func sizeProblem(have, had int64) string {
	return fmt.Sprintf("it has %d bytes, and had %d", have, had)
}

// verifyBase reads all files of the base and compares them with their checksums.
// It returns their size and those that are damaged.
func verifyBase(ctx context.Context, folder string, id identity) (size int64, damaged []*BaseError, err error) {
	if id.Base == "" {
		return 0, nil, nil
	}
	folder = filepath.Join(folder, id.Base)
	files, err := readList(folder, id.BaseSum)
	if damage, ok := errors.AsType[*BaseError](err); ok {
		return 0, []*BaseError{damage}, nil
	}
	if err != nil {
		return 0, nil, err
	}
	for _, f := range files {
		if err := ctx.Err(); err != nil {
			return size, damaged, err
		}
		path := filepath.Join(folder, filepath.FromSlash(f.Path))
		sum, n, err := sumOfFile(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			damaged = append(damaged, &BaseError{Path: path, Problem: "it is missing"})
		case err != nil:
			return size, damaged, err
		case n != f.Bytes:
			damaged = append(damaged, &BaseError{Path: path, Problem: sizeProblem(n, f.Bytes)})
		case sum != f.SHA256:
			damaged = append(damaged, &BaseError{Path: path, Problem: "it does not match its checksum"})
		}
		size += n
	}
	return size, damaged, nil
}

func sumOfFile(path string) (string, int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	sum := sha256.New()
	n, err := io.Copy(sum, f)
	return hex.EncodeToString(sum.Sum(nil)), n, err
}
