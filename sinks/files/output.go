package files

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
)

// output is what a table and events have in common: where they are, for whom,
// in which format, and how files come to be there.
type output struct {
	layout
	format  Format
	binding deliver.Binding
	disk    disk
	logger  *slog.Logger
	now     func() time.Time
}

func newOutput(spec Spec) (output, error) {
	var problems []error
	spec.Options.Validate(func(key, problem string) {
		problems = append(problems, fmt.Errorf("%s: %s", key, problem))
	})
	if !spec.Options.On() {
		problems = append(problems, errors.New("dir: must be set"))
	}
	if spec.Binding.JournalID == "" || spec.Binding.Account == "" || spec.Binding.Marketplace == "" {
		problems = append(problems, errors.New("the journal, the account and the marketplace must be named"))
	}
	root, err := filepath.Abs(spec.Options.Dir)
	problems = append(problems, err)
	if err := errors.Join(problems...); err != nil {
		return output{}, &deliver.PermanentError{Err: fmt.Errorf("open %s output: %w", spec.Format.Name, err)}
	}
	fileMode, _ := parseMode(spec.Options.FileMode, 0) // validated above
	dirMode, _ := parseMode(spec.Options.DirMode, 0)
	return output{
		layout:  spec.layout(root),
		format:  spec.Format,
		binding: spec.Binding,
		disk:    disk{fileMode: fileMode, dirMode: dirMode, folders: new(sync.Mutex), step: spec.Step},
		logger:  spec.Logger,
		now:     time.Now,
	}, nil
}

// Name is the format's name.
func (o *output) Name() string { return o.format.Name }

// eachPartition calls f for each partition that there is a folder for.
func (o *output) eachPartition(ctx context.Context, f func(id deliver.Partition, folder string) error) error {
	base := filepath.Join(o.root, o.marketplaceFolder())
	entries, err := readFolder(base)
	if err != nil {
		return err
	}
	for _, e := range entries {
		id, ok := partitionOf(e.Name())
		if !ok || !e.IsDir() {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := f(id, filepath.Join(base, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

// scanFolder lists the files of a folder that are ours by name, with their
// sizes, -1 for what is not a regular file, and the temporary names of such.
func scanFolder(folder string, owns func(name string) bool) (sizes map[string]int64, temps []string, err error) {
	entries, err := readFolder(folder)
	if err != nil {
		return nil, nil, err
	}
	sizes = make(map[string]int64)
	for _, e := range entries {
		name := e.Name()
		if final, _, ok := cutTemp(name); ok && owns(final) {
			temps = append(temps, name)
		}
		if !owns(name) {
			continue
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // gone since the folder was read
		}
		if err != nil {
			return nil, nil, explain("look at", filepath.Join(folder, name), err)
		}
		sizes[name] = -1
		if info.Mode().IsRegular() {
			sizes[name] = info.Size()
		}
	}
	return sizes, temps, nil
}

// place gives the files that a transaction wrote to a folder their final names,
// as far as they have not got them yet, and reports whether any did. The caller
// syncs the folder.
func (o *output) place(folder, transaction string, files []file) (placed bool, err error) {
	for _, f := range files {
		from := filepath.Join(folder, temp(f.Name, transaction))
		there, err := exists(from)
		if err != nil {
			return placed, err
		}
		if !there {
			continue
		}
		if err := o.disk.rename(from, filepath.Join(folder, f.Name)); err != nil {
			return placed, err
		}
		placed = true
	}
	return placed, nil
}

// setAside moves a file of a folder out of the output, if it is still there and
// not already a new one of that name: while that waits under its temporary name,
// it is the old one.
func (o *output) setAside(folder string, mv move, transaction string, files []file) error {
	if fileNamed(files, mv.Name) != nil {
		waiting, err := exists(filepath.Join(folder, temp(mv.Name, transaction)))
		if err != nil || !waiting {
			return err
		}
	}
	from, to := filepath.Join(folder, mv.Name), filepath.Join(o.root, mv.To)
	there, err := exists(from)
	if err != nil || !there {
		return err
	}
	if err := o.disk.makeAll(filepath.Dir(to)); err != nil {
		return err
	}
	if err := o.disk.rename(from, to); err != nil {
		return err
	}
	return o.disk.syncFolder(filepath.Dir(to))
}

// asidePath is where a file goes that is set aside, relative to the root as its
// folder is. The time is for people; what makes the path one of its own is the
// transaction.
func (o *output) asidePath(folder, name, transaction string) string {
	when := o.now().UTC().Format("20060102T150405Z") + "-" + transaction
	return filepath.Join(supersededFolder, when, folder, name+supersededSuffix)
}

// removeTemps removes temporary files, and their folder if nothing else is in
// it.
func (o *output) removeTemps(folder string, temps []string) error {
	if len(temps) == 0 {
		return nil
	}
	for _, name := range temps {
		if err := o.disk.remove(filepath.Join(folder, name)); err != nil {
			return err
		}
	}
	return o.disk.prune(o.root, folder)
}

// removeManifestTemps removes manifests that were never renamed from a folder,
// relative to the root.
func (o *output) removeManifestTemps(manifests string) error {
	folder := filepath.Join(o.root, manifests)
	entries, err := readFolder(folder)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") && strings.HasSuffix(e.Name(), ".json"+tempSuffix) {
			if err := o.disk.remove(filepath.Join(folder, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// newTransaction returns the id of a transaction.
func newTransaction() string {
	var nonce [8]byte
	_, _ = rand.Read(nonce[:]) // never fails
	return hex.EncodeToString(nonce[:])
}
