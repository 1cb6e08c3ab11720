package base

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/leads-etl/leads-etl/pipeline/flatten"
	"github.com/leads-etl/leads-etl/pipeline/internal/freeze"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/known"
	"github.com/leads-etl/leads-etl/pipeline/window"
	"github.com/leads-etl/leads-etl/schema"
)

// sliceLeads is the number of leads beyond which a page is read in slices of time,
// so that memory does not grow with the largest page.
const sliceLeads = 4_000

// pages flattens pages, and keeps no account: what is pruned was counted before.
type pages struct {
	journal   *journal.Journal
	flattener flatten.Flattener
}

// Page implements known.Pages.
func (p pages) Page(seq journal.Seq, w window.Window) (flatten.Result, error) {
	page, err := p.journal.Page(seq)
	if err != nil {
		return flatten.Result{}, fmt.Errorf("reading landed page %d: %w", seq, err)
	}
	result, err := p.flattener.Page(page, page.Window.Intersect(w))
	if err != nil {
		return flatten.Result{}, fmt.Errorf("flattening landed page %d: %w", seq, err)
	}
	return result, nil
}

// build puts the base for the records before n together in an empty folder.
func (s *Store) build(ctx context.Context, draft string, n journal.Seq) error {
	for _, name := range []string{known.BaseFolder, rowsFolder} {
		folder := filepath.Join(draft, name)
		if err := os.Mkdir(folder, 0o700); err != nil {
			return err
		}
		if s.base == nil {
			continue
		}
		if err := share(filepath.Join(s.base.folder, name), folder); err != nil {
			return fmt.Errorf("share the files of the base before: %w", err)
		}
	}
	b := &builder{journal: s.journal, pages: pages{s.journal, s.flattener}, chronicle: newChronicle(s.base.Past())}
	return b.build(ctx, draft, n, s)
}

// builder takes the records that are to be pruned into a base.
type builder struct {
	*chronicle
	journal *journal.Journal
	pages   pages
	known   *known.Store
	rows    *pebble.DB
}

func (b *builder) build(ctx context.Context, draft string, n journal.Seq, s *Store) (err error) {
	defer recoverFatal(&err)
	// Where the base before is of no use for it, the store makes itself anew from it
	// in the ordinary way.
	b.known, err = known.Open(ctx, known.Options{
		Dir: filepath.Join(draft, known.BaseFolder), Journal: s.journal, Pages: b.pages, Flattener: b.pages.flattener, Logger: s.logger, Draft: true,
	})
	if err != nil {
		return err
	}
	o, disk := options(s.logger), freeze.New(vfs.Default)
	o.DisableWAL = true // a crash takes all of the draft; what is in force is flushed
	o.FS = disk
	b.rows, err = pebble.Open(filepath.Join(draft, rowsFolder), o)
	if err != nil {
		return errors.Join(err, b.known.Close())
	}
	err = b.takeAll(ctx, n)
	if err := errors.Join(err, b.rows.Close(), b.known.Close(), disk.Err()); err != nil {
		return err
	}
	return b.past().write(draft)
}

// takeAll takes in the records before n and leaves everything on the disk.
func (b *builder) takeAll(ctx context.Context, n journal.Seq) error {
	if err := b.known.AdvanceTo(ctx, n); err != nil {
		return fmt.Errorf("working out what was known: %w", err)
	}
	if err := b.known.Forget(n); err != nil {
		return err
	}
	if b.Next > 0 && b.Until.IsZero() {
		var err error
		if b.Until, err = lastSeen(ctx, b.rows); err != nil {
			return fmt.Errorf("looking when the base before ends: %w", err)
		}
	}
	refs := b.journal.Pages()
	for r, err := range b.journal.Records(ctx, b.Next) {
		if err != nil {
			return fmt.Errorf("reading the journal: %w", err)
		}
		if r.Seq >= n {
			break
		}
		var bytes int64
		if r.Page != nil {
			i, _ := slices.BinarySearchFunc(refs, r.Seq, func(p journal.PageRef, seq journal.Seq) int { return int(p.Seq) - int(seq) })
			bytes = refs[i].Bytes
			if err := b.take(ctx, r.Seq, r.Page); err != nil {
				return fmt.Errorf("keeping the rows of landed page %d: %w", r.Seq, err)
			}
		}
		b.apply(r, bytes)
	}
	if err := b.dropUnused(ctx); err != nil {
		return err
	}
	stats := b.known.Stats()
	b.Known, b.Vanished = stats.Live, stats.Vanished
	if err := b.known.Flush(ctx); err != nil {
		return err
	}
	return b.rows.Flush()
}

// take keeps the rows of a page.
func (b *builder) take(ctx context.Context, seq journal.Seq, p *journal.Page) error {
	for i, w := range slicesOf(p) {
		if err := ctx.Err(); err != nil {
			return err
		}
		result, err := b.pages.Page(seq, w)
		if err != nil {
			return err
		}
		if err := b.keep(seq, p.Received, result.Rows, false); err != nil {
			return err
		}
		if i > 0 {
			continue // those without a time come with every slice
		}
		if err := b.keep(seq, p.Received, result.Undated, true); err != nil {
			return err
		}
	}
	return nil
}

func slicesOf(p *journal.Page) []window.Window {
	w := p.Window
	n := time.Duration(p.Leads/sliceLeads + 1)
	width := max(window.Second, (w.Length()/n + window.Second - 1).Truncate(window.Second))
	var slices []window.Window
	for w.Length() > width {
		end := w.From.Add(width)
		slices = append(slices, window.Window{From: w.From, To: end})
		w.From = end
	}
	return append(slices, w)
}

// keep makes the rows the latest of their ids.
func (b *builder) keep(seq journal.Seq, received time.Time, rows []schema.Row, undated bool) error {
	batch := b.rows.NewBatch()
	defer batch.Close()
	var value []byte
	for i := range rows {
		row := &rows[i]
		key, err := rowKey(row, undated)
		if err != nil {
			return err
		}
		s, err := sightingOf(seq, received, row)
		if err != nil {
			return err
		}
		before, err := get(b.rows, key)
		if err != nil {
			return err
		}
		if before == nil {
			b.Rows++
		} else if err := b.displace(batch, before, &s); err != nil {
			return err
		}
		if value, err = schema.AppendJSON(s.append(value[:0]), row); err != nil {
			return err
		}
		if err := batch.Set(key, value, nil); err != nil {
			return err
		}
	}
	return batch.Commit(pebble.NoSync) // all is flushed in the end, and synced with the base
}

// displace makes place for a newer row of the same id: the run of its content goes
// on, and the old row is kept if the content of a known lead is in it.
func (b *builder) displace(batch *pebble.Batch, before []byte, now *sighting) error {
	old, err := readSighting(before)
	if err != nil {
		return err
	}
	if old.hash == now.hash {
		now.since = old.since
	}
	if old.seq == now.seq {
		return nil
	}
	_, row, err := readRow(before)
	if err != nil {
		return err
	}
	leads, err := b.known.Shown(old.seq, &row)
	if err != nil {
		return err
	}
	for _, lead := range leads {
		if err := batch.Set(contentKey(lead), before, nil); err != nil {
			return err
		}
	}
	return nil
}

// dropUnused drops the contents of known leads that have others by now.
func (b *builder) dropUnused(ctx context.Context) (err error) {
	batch := b.rows.NewBatch()
	defer batch.Close()
	all, err := b.rows.NewIter(&pebble.IterOptions{LowerBound: []byte{contentKind}, UpperBound: []byte{contentKind + 1}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, all.Close()) }()
	for ok := all.First(); ok; ok = all.Next() {
		if err := ctx.Err(); err != nil {
			return err
		}
		lead, err := contentOf(all.Key())
		if err != nil {
			return err
		}
		value, err := all.ValueAndErr()
		if err != nil {
			return err
		}
		s, row, err := readRow(value)
		if err != nil {
			return err
		}
		leads, err := b.known.Shown(s.seq, &row)
		if err != nil {
			return err
		}
		if !slices.Contains(leads, lead) {
			if err := batch.Delete(all.Key(), nil); err != nil {
				return err
			}
		}
	}
	if err := all.Error(); err != nil {
		return err
	}
	return batch.Commit(pebble.NoSync)
}
