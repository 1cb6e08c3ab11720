package deliver

import (
	"context"
	"fmt"
	"log/slog"
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

	mu    sync.Mutex
	seen  map[journal.Seq]struct{}
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
	return &Reader{journal: j, flattener: f, dead: dead, logger: logger, seen: make(map[journal.Seq]struct{})}
}

// Tally returns the counts so far.
func (r *Reader) Tally() Tally {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.tally
}

// Page returns the rows of the page that were submitted within w, and those
// without a time.
func (r *Reader) Page(seq journal.Seq, w window.Window) (flatten.Result, error) {
	page, err := r.journal.Page(seq)
	if err != nil {
		return flatten.Result{}, fmt.Errorf("reading landed page %d: %w", seq, err)
	}
	result, err := r.flattener.Page(page, page.Window.Intersect(w))
	if err != nil {
		return flatten.Result{}, fmt.Errorf("flattening landed page %d: %w", seq, err)
	}
	if err := r.account(seq, page, result); err != nil {
		return flatten.Result{}, err
	}
	return result, nil
}

// account counts the page and saves its dead letters, the first time that it is
// read in this run.
func (r *Reader) account(seq journal.Seq, page *journal.Page, result flatten.Result) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.seen[seq]; ok {
		return nil
	}
	if len(result.Dead) > 0 {
		path, err := r.dead.Save(seq, page, result.Dead)
		if err != nil {
			return err
		}
		// The first is worth a warning; how many there were is told at the end.
		level := slog.LevelDebug
		if r.tally.Dead == 0 {
			level = slog.LevelWarn
		}
		r.logger.Log(context.Background(), level, "responses that cannot be read went to the dead letters", "page", seq, "count", len(result.Dead), "file", path)
	}
	strays := 0
	for i := range result.Undated {
		if result.Undated[i].SubmittedTime.Valid {
			strays++
		}
	}
	if strays > 0 && r.tally.Strays == 0 {
		r.logger.Warn("the API shows leads that were submitted at another time than was asked for: they are exported with those that have no time",
			"page", seq, "window", page.Window.String(), "count", strays)
	}
	r.seen[seq] = struct{}{}
	r.tally.Pages++
	r.tally.Leads += page.Leads
	r.tally.Unfit += result.Unfit
	r.tally.Strays += strays
	r.tally.Dead += len(result.Dead)
	return nil
}
