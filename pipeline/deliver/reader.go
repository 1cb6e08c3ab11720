package deliver

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"

	"github.com/leads-etl/leads-etl/pipeline/flatten"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/window"
)

// Reader turns landed pages into rows, and keeps account of what could not
// become one. All sinks of a run share it; it is safe for concurrent use.
type Reader struct {
	journal   *journal.Journal
	flattener flatten.Flattener
	dead      *DeadLetters
	logger    *slog.Logger
	sharing   *sharing
	undated   *undated
	cuts      *cuts

	mu    sync.Mutex
	seen  map[journal.Seq]*window.Set // the parts of each page that are counted
	tally Tally
}

// Tally counts what flattening met, each page once however many sinks read it.
type Tally struct {
	// Pages and Leads that were flattened.
	Pages, Leads int
	// Unfit values did not fit their column and are in extra.
	Unfit int
	// Strays were submitted at a time that was not asked for.
	Strays int
	// Dead responses could not be read at all and are in the dead letters.
	Dead int
}

// NewReader returns a Reader of j that writes dead letters to dead.
func NewReader(j *journal.Journal, f flatten.Flattener, dead *DeadLetters, logger *slog.Logger) *Reader {
	return &Reader{journal: j, flattener: f, dead: dead, logger: logger, sharing: newSharing(sharedBytes), undated: newUndated(undatedBytes), cuts: newCuts(cutBytes), seen: make(map[journal.Seq]*window.Set)}
}

// Tally returns the counts so far.
func (r *Reader) Tally() Tally {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.tally
}

// Join says that one more sink will read the pages, until the function that it
// returns is called. Sinks that have joined share the work, where they read the
// same at about the same time.
func (r *Reader) Join() (leave func()) { return r.sharing.join() }

// rest says that a sink that has joined has all there is, until the function that it
// returns is called. While all rest, no page is kept in memory.
func (r *Reader) rest() (resume func()) {
	resume = r.sharing.rest()
	r.Free()
	return resume
}

// Free lets go of the pages that are kept for sinks, if all of them have what there
// is: others than sinks, who read pages too, leave some behind.
func (r *Reader) Free() {
	if r.sharing.freeAtRest() {
		r.cuts.clear()
	}
}

// Page returns the rows of the page that were submitted within w, and those
// without a time. They are shared with all who ask for the same: nobody may change
// them.
func (r *Reader) Page(seq journal.Seq, w window.Window) (flatten.Result, error) {
	return r.begin(seq, w)()
}

// begin asks for what Page returns, and returns the function that does the work,
// which must be called. Sinks that ask in the same order share the work, whenever it
// is done; it blocks while one is too far ahead of the others.
func (r *Reader) begin(seq journal.Seq, w window.Window) (rows func() (flatten.Result, error)) {
	if w.Empty() {
		if result, ok := r.undated.of(seq); ok {
			return func() (flatten.Result, error) { return result, nil }
		}
	}
	ref, ok := r.ref(seq)
	if !ok || !r.sharing.shared() {
		return func() (flatten.Result, error) { return r.flatten(seq, w) }
	}
	part := pagePart{seq, ref.Window.Intersect(w)}
	if ref.Leads > sliceLeads {
		return r.sharing.begin(part, func() (flatten.Result, error) { return r.flatten(seq, part.within) })
	}
	// Pages of usual size are flattened whole, so that all meet who want any of one.
	whole := r.sharing.begin(pagePart{seq, ref.Window}, func() (flatten.Result, error) { return r.flatten(seq, ref.Window) })
	return func() (flatten.Result, error) {
		result, err := whole()
		if err != nil {
			return flatten.Result{}, err
		}
		return result.Within(part.within), nil
	}
}

// ref returns what the journal has in memory of a page.
func (r *Reader) ref(seq journal.Seq) (journal.PageRef, bool) {
	pages := r.journal.Pages()
	i, ok := slices.BinarySearchFunc(pages, seq, func(p journal.PageRef, seq journal.Seq) int { return cmp.Compare(p.Seq, seq) })
	if !ok {
		return journal.PageRef{}, false
	}
	return pages[i], true
}

// flatten reads and flattens a page, or the part of it that lies in w.
func (r *Reader) flatten(seq journal.Seq, w window.Window) (flatten.Result, error) {
	if ref, ok := r.ref(seq); ok && ref.Leads > sliceLeads && !w.Empty() {
		cut, err := r.cut(ref, w)
		if err != nil {
			return flatten.Result{}, err
		}
		if cut != nil {
			result, err := cut.Page(w)
			if err != nil {
				return flatten.Result{}, fmt.Errorf("flattening landed page %d: %w", seq, err)
			}
			return result, r.take(seq, cut.Source(), w, result)
		}
	}
	page, err := r.journal.Page(seq)
	if err != nil {
		return flatten.Result{}, fmt.Errorf("reading landed page %d: %w", seq, err)
	}
	result, err := r.flattener.Page(page, page.Window.Intersect(w))
	if err != nil {
		return flatten.Result{}, fmt.Errorf("flattening landed page %d: %w", seq, err)
	}
	return result, r.take(seq, page, w, result)
}

// cut returns a large page cut, or nil if there is no room for it.
func (r *Reader) cut(ref journal.PageRef, w window.Window) (*flatten.Cut, error) {
	last := !w.To.Before(ref.Window.To)
	return r.cuts.get(ref.Seq, last, r.sharing.joined(), func() (*flatten.Cut, error) {
		page, err := r.journal.Page(ref.Seq)
		if err != nil {
			return nil, fmt.Errorf("reading landed page %d: %w", ref.Seq, err)
		}
		cut, err := r.flattener.Cut(page, sliceWidth(ref.Window, ref.Leads))
		if err != nil {
			return nil, fmt.Errorf("flattening landed page %d: %w", ref.Seq, err)
		}
		return cut, nil
	})
}

// take accounts for what was read of a page, and keeps what belongs to no window.
func (r *Reader) take(seq journal.Seq, page *journal.Page, w window.Window, result flatten.Result) error {
	if err := r.account(seq, page, page.Window.Intersect(w), result); err != nil {
		return err
	}
	r.undated.keep(seq, result)
	return nil
}

// account counts what was read of the page, unless it was counted before: most
// pages are read once by each sink, large ones slice by slice.
func (r *Reader) account(seq journal.Seq, page *journal.Page, within window.Window, result flatten.Result) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	counted, ok := r.seen[seq]
	if !ok {
		if err := r.accountOnce(seq, page, result); err != nil {
			return err
		}
		counted = &window.Set{}
		r.seen[seq] = counted
	}
	if missing := counted.Missing(within); len(missing) == 1 && missing[0] == within {
		counted.Add(within)
		r.tally.Unfit += result.Unfit - result.UnfitUndated
	}
	return nil
}

// accountOnce counts what comes with every part of the page, and saves its dead
// letters.
func (r *Reader) accountOnce(seq journal.Seq, page *journal.Page, result flatten.Result) error {
	if len(result.Dead) > 0 {
		path, err := r.dead.Save(seq, page, result.Dead)
		if err != nil {
			return err
		}
		r.logger.Log(context.Background(), firstTime(r.tally.Dead), "responses that cannot be read went to the dead letters",
			"page", seq, "count", len(result.Dead), "file", path)
	}
	strays := 0
	for i := range result.Undated {
		if result.Undated[i].SubmittedTime.Valid {
			strays++
		}
	}
	if strays > 0 {
		r.logger.Log(context.Background(), firstTime(r.tally.Strays),
			"the API shows leads that were submitted at another time than was asked for: they are exported with those that have no time",
			"page", seq, "window", page.Window.String(), "count", strays)
	}
	r.tally.Pages++
	r.tally.Leads += page.Leads
	r.tally.Unfit += result.UnfitUndated
	r.tally.Strays += strays
	r.tally.Dead += len(result.Dead)
	return nil
}

// firstTime is the level at which something is logged that there were so many of
// before: the first is worth a warning, how many there were is told at the end.
func firstTime(before int) slog.Level {
	if before == 0 {
		return slog.LevelWarn
	}
	return slog.LevelDebug
}
