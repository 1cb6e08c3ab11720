package files

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/browse"
	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/pipeline/window"
	"github.com/leads-etl/leads-etl/schema"
)

// Reader reads back what one account's manifests list, of the table and of events,
// of whatever journal. It follows the manifests, changes nothing, and may be used
// beside a sink that is at work. It implements browse.Output.
type Reader struct {
	layout
	backward func(ctx context.Context, file Stored, spool *Spool) iter.Seq2[schema.Row, error]
}

// NewReader returns the reader of the output that Open and OpenEvents would write
// to; of the binding, it needs no journal.
func NewReader(spec Spec) (*Reader, error) {
	root, err := filepath.Abs(spec.Options.Dir)
	if err != nil {
		return nil, fmt.Errorf("read %s output: %w", spec.Format.Name, err)
	}
	return &Reader{layout: spec.layout(root), backward: spec.Format.Backward}, nil
}

// Rows yields the rows, those of events first, from the last seen to the first, and
// then those of the table, from the last submitted to the first, after those that
// have no time. Files of dates outside of the window are not opened; an empty
// window is all. Memory does not grow with the files; rows of large ones are kept
// in a temporary file meanwhile (see Spool).
func (r *Reader) Rows(ctx context.Context, within window.Window) iter.Seq2[schema.Row, error] {
	return func(yield func(schema.Row, error) bool) {
		dates, err := r.tableDates()
		if err != nil {
			yield(schema.Row{}, err)
			return
		}
		commits, err := r.eventManifestRefs()
		if err == nil && len(dates)+len(commits) == 0 {
			err = fmt.Errorf("%s holds no %s files of account %q on %s: export there first, or check dir, account and marketplace in the configuration",
				r.root, r.format, r.account, r.marketplace)
		}
		if err != nil {
			yield(schema.Row{}, err)
			return
		}
		spool := NewSpool(spoolMemory)
		defer spool.Close() // what is left in it is not wanted any more
		for row, err := range r.events(ctx, commits, within, spool) {
			if !yield(row, err) || err != nil {
				return
			}
		}
		for _, date := range dates {
			if !touches(within, date) {
				continue
			}
			for row, err := range r.table(ctx, date, spool) {
				if !yield(row, err) || err != nil {
					return
				}
			}
		}
	}
}

func touches(within window.Window, p deliver.Partition) bool {
	if within.Empty() {
		return true
	}
	return p.Date != "" && deliver.Touches(within, p)
}

// tableDates are the partitions that have a manifest: undated rows, and then the
// dates, the last first.
func (r *Reader) tableDates() ([]deliver.Partition, error) {
	entries, err := readFolder(filepath.Join(r.root, r.manifests()))
	if err != nil {
		return nil, err
	}
	var dates []deliver.Partition
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), ".json")
		if name == undatedName {
			name = ""
		}
		p := deliver.Partition{Date: name}
		if ok && !e.IsDir() && checkPartition(p) == nil {
			dates = append(dates, p)
		}
	}
	slices.SortFunc(dates, func(a, b deliver.Partition) int {
		if a.Date == "" || b.Date == "" {
			return cmp.Compare(a.Date, b.Date)
		}
		return cmp.Compare(b.Date, a.Date)
	})
	return dates, nil
}

// openAttempts is how often a manifest is read whose files are replaced meanwhile.
const openAttempts = 5

// table yields a date's rows of the table from the last to the first.
func (r *Reader) table(ctx context.Context, p deliver.Partition, spool *Spool) iter.Seq2[schema.Row, error] {
	return func(yield func(schema.Row, error) bool) {
		parts, err := r.openTable(p)
		if err != nil {
			yield(schema.Row{}, err)
			return
		}
		defer closeParts(parts)
		for _, part := range slices.Backward(parts) {
			for row, err := range part.backward(ctx, holdRows, spool) {
				if !yield(row, err) || err != nil {
					return
				}
			}
		}
	}
}

// openTable opens the files that the date's manifest lists.
func (r *Reader) openTable(p deliver.Partition) (parts []*openPart, err error) {
	for range openAttempts {
		m, err := readManifest(r.layout, p)
		if err != nil {
			return nil, readAdvice(err)
		}
		if m == nil {
			return nil, nil // gone since the folder was read
		}
		parts, err = r.openParts(r.folder(p), m.Transaction, m.Files)
		if err == nil {
			return parts, nil
		}
		if _, ok := errors.AsType[*notListedError](err); !ok {
			return nil, err
		}
		// A sink may have replaced the files since.
		if again, e := readManifest(r.layout, p); e != nil || again == nil || again.Transaction == m.Transaction {
			return nil, err
		}
	}
	return nil, fmt.Errorf("the files of %s in %s are replaced again and again: try once more when the export is done", p, r.root)
}

// openParts opens all files of a commit in one folder, or none.
func (r *Reader) openParts(folder, transaction string, files []file) ([]*openPart, error) {
	var parts []*openPart
	for i := range files {
		part, err := r.openPart(folder, transaction, &files[i])
		if err != nil {
			closeParts(parts)
			return nil, err
		}
		parts = append(parts, part)
	}
	return parts, nil
}

// events yields the events of the commits, the newest first.
func (r *Reader) events(ctx context.Context, commits []eventManifestRef, within window.Window, spool *Spool) iter.Seq2[schema.Row, error] {
	return func(yield func(schema.Row, error) bool) {
		commits, err := r.byJournal(commits)
		if err != nil {
			yield(schema.Row{}, err)
			return
		}
		for _, ref := range commits {
			m, err := r.readEventManifest(ref)
			if err != nil {
				yield(schema.Row{}, readAdvice(err))
				return
			}
			if m == nil {
				continue // one without files, gone since the folder was read
			}
			for row, err := range r.commit(ctx, m, within, spool) {
				if !yield(row, err) || err != nil {
					return
				}
			}
		}
	}
}

// byJournal brings commits, which come journal by journal, into the order of their
// times: journals follow one another.
func (r *Reader) byJournal(commits []eventManifestRef) ([]eventManifestRef, error) {
	at := make(map[string]time.Time)
	for _, ref := range commits {
		if _, seen := at[ref.tag]; seen {
			continue
		}
		m, err := r.readEventManifest(ref)
		if err != nil {
			return nil, readAdvice(err)
		}
		if m != nil {
			at[ref.tag] = m.Committed
		}
	}
	if len(slices.Collect(maps.Keys(at))) > 1 {
		slices.SortStableFunc(commits, func(a, b eventManifestRef) int { return at[b.tag].Compare(at[a.tag]) })
	}
	return commits, nil
}

// commit yields the events of one commit, of which each date has files of its own.
func (r *Reader) commit(ctx context.Context, m *eventManifest, within window.Window, spool *Spool) iter.Seq2[schema.Row, error] {
	return func(yield func(schema.Row, error) bool) {
		var parts []*openPart
		defer func() { closeParts(parts) }()
		for i := range m.Files {
			f := &m.Files[i]
			if p, ok := partitionOf(filepath.Base(f.Folder)); !ok || !touches(within, p) {
				continue
			}
			part, err := r.openPart(f.Folder, m.Transaction, &f.file)
			if errors.Is(err, fs.ErrNotExist) {
				continue // removed by its owner, as old files of events may be
			}
			if err != nil {
				yield(schema.Row{}, err)
				return
			}
			parts = append(parts, part)
		}
		runs := make([]iter.Seq2[schema.Row, error], len(parts))
		for i, part := range parts {
			runs[i] = part.backward(ctx, max(holdRows/len(parts), leastHeld), spool)
		}
		browse.NewestFirst(runs)(yield)
	}
}

// readAdvice adds to a manifest's error what helps.
func readAdvice(err error) error {
	if _, damaged := errors.AsType[*damagedError](err); damaged {
		return fmt.Errorf("%w; run 'leads-etl repair' to see what can be done, or 'leads-etl replay' to have it written anew", err)
	}
	return err
}
