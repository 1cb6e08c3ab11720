package files

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/pipeline/journal"
)

// eventManifest is what one commit of events consists of. Those of a journal
// follow one another without a hole: each begins where another has ended.
type eventManifest struct {
	Version     int    `json:"version"`
	Account     string `json:"account"`
	Marketplace string `json:"marketplace"`
	// From is the first record of the journal whose events are in the files,
	// Position.Next the first whose are not.
	From     journal.Seq      `json:"from"`
	Position deliver.Position `json:"position"`
	// Committed is when the manifest was written, by this machine's clock.
	Committed time.Time `json:"committed"`
	// Transaction is the id of the commit; the temporary names of its parts follow
	// from it.
	Transaction string      `json:"transaction"`
	Files       []eventFile `json:"files"`
	// Aside is what is still to be set aside to complete the commit; a complete
	// commit has none.
	Aside []eventMove `json:"aside,omitempty"`
}

// eventFile is one part in its folder, which is relative to the root.
type eventFile struct {
	Folder string `json:"folder"`
	file
}

// eventMove sets a file of a folder aside.
type eventMove struct {
	Folder string `json:"folder"`
	move
}

// successor is where the commit after m begins; m is nil before the first. What
// has no files is extended by the next.
func (m *eventManifest) successor() journal.Seq {
	switch {
	case m == nil:
		return 0
	case len(m.Files) == 0:
		return m.From
	}
	return m.Position.Next
}

// ref is what the name of m says.
func (m *eventManifest) ref() eventManifestRef {
	return eventManifestRef{tag: m.Position.Journal[:tagLength], next: m.Position.Next}
}

// next is the position after m, nil before the first.
func (m *eventManifest) next() journal.Seq {
	if m == nil {
		return 0
	}
	return m.Position.Next
}

// inFolder is what a manifest says of one folder.
type inFolder struct {
	path  string // relative to the root
	files []file
	aside []move
}

// folders are the folders that the manifest names.
func (m *eventManifest) folders() []inFolder {
	var list []inFolder
	at := make(map[string]int)
	in := func(path string) *inFolder {
		i, ok := at[path]
		if !ok {
			i = len(list)
			at[path] = i
			list = append(list, inFolder{path: path})
		}
		return &list[i]
	}
	for _, f := range m.Files {
		d := in(f.Folder)
		d.files = append(d.files, f.file)
	}
	for _, mv := range m.Aside {
		d := in(mv.Folder)
		d.aside = append(d.aside, mv.move)
	}
	return list
}

// parseEventManifest reads the manifest of that name and checks that everything
// in it is what this package writes: the names in it will be opened and renamed.
func (l layout) parseEventManifest(data []byte, ref eventManifestRef) (*eventManifest, error) {
	var m eventManifest
	if err := decodeManifest(data, &m); err != nil {
		return nil, err
	}
	if m.Account != l.account || m.Marketplace != l.marketplace {
		return nil, &foreignOwnerError{m.Account, m.Marketplace}
	}
	if err := m.check(l, ref); err != nil {
		return nil, err
	}
	return &m, nil
}

func (m *eventManifest) check(l layout, ref eventManifestRef) error {
	if err := checkCommit(m.Position, m.Transaction); err != nil {
		return err
	}
	tag, err := journalTag(m.Position.Journal)
	if err != nil {
		return err
	}
	if ref != (eventManifestRef{tag, m.Position.Next}) {
		return fmt.Errorf("the manifest is that of journal %s at %d", tag, m.Position.Next)
	}
	if m.From > m.Position.Next || len(m.Files) > 0 && m.From == m.Position.Next {
		return fmt.Errorf("it goes from %d to %d", m.From, m.Position.Next)
	}
	seen := make(map[string]bool)
	for i := range m.Files {
		f := &m.Files[i]
		path := filepath.Join(f.Folder, f.Name)
		if t, from, ok := l.parseEventPart(f.Name); !ok || t != tag || from != m.From || !l.isFolder(f.Folder) {
			return fmt.Errorf("%q is not a part of this commit", path)
		}
		if seen[path] {
			return fmt.Errorf("%s is listed twice", path)
		}
		if err := f.check(); err != nil {
			return err
		}
		seen[path] = true
	}
	for _, mv := range m.Aside {
		if !l.ownsEvents(mv.Name) || !l.isFolder(mv.Folder) {
			return fmt.Errorf("%q is not to be set aside", filepath.Join(mv.Folder, mv.Name))
		}
		if err := mv.check(); err != nil {
			return err
		}
	}
	return nil
}

// isFolder reports whether a path, relative to the root, is the folder of a
// partition.
func (l layout) isFolder(path string) bool {
	id, ok := partitionOf(filepath.Base(path))
	return ok && path == l.folder(id)
}

// eventManifestRefs lists the manifests of events, the newest of each journal
// first.
func (l layout) eventManifestRefs() ([]eventManifestRef, error) {
	path := filepath.Join(l.root, l.eventManifests())
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, explain("read folder", path, err)
	}
	// os.ReadDir would look at each file, and there may be very many.
	names, err := f.Readdirnames(-1)
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, explain("read folder", path, err)
	}
	var refs []eventManifestRef
	for _, name := range names {
		if r, ok := parseEventManifest(name); ok {
			refs = append(refs, r)
		}
	}
	slices.SortFunc(refs, func(a, b eventManifestRef) int {
		return cmp.Or(cmp.Compare(a.tag, b.tag), cmp.Compare(b.next, a.next))
	})
	return refs, nil
}

// readEventManifest reads the manifest of that name; nil if there is none. A
// manifest that is not to be understood is a *damagedError; one that must not be
// touched is a *deliver.PermanentError.
func (l layout) readEventManifest(ref eventManifestRef) (*eventManifest, error) {
	path := filepath.Join(l.root, l.eventManifests(), ref.name())
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, explain("read", path, err)
	}
	m, err := l.parseEventManifest(data, ref)
	return m, judge(path, err)
}

// newestEvents returns the newest manifest of each journal, by its tag, and what
// was wrong with those that were passed over.
func (l layout) newestEvents() (newest map[string]*eventManifest, damages []error, err error) {
	refs, err := l.eventManifestRefs()
	if err != nil {
		return nil, nil, err
	}
	newest = make(map[string]*eventManifest)
	for _, r := range refs {
		if newest[r.tag] != nil {
			continue
		}
		m, err := l.readEventManifest(r)
		if _, damaged := errors.AsType[*damagedError](err); damaged {
			damages = append(damages, err)
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		if m == nil {
			// One without files that a newer one has taken the place of since.
			return l.newestEvents()
		}
		newest[r.tag] = m
	}
	return newest, damages, nil
}
