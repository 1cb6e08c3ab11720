package deliver

import (
	"context"
	"fmt"
	"slices"

	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/schema"
)

// defaultTransactionRows is how many rows a transaction of a log gathers while
// more pages are waiting: enough that the cost of a commit does not show.
const defaultTransactionRows = 10_000

// log keeps an Append sink up to date: page after page, those leads go into it
// that it does not have yet as they are now.
//
// It works in stretches of the journal: what was landed when a stretch began is
// delivered whole before the next one begins. At the end of a stretch the last
// event of each lead in the log is the lead's latest version in the journal up
// to there; that is what the next stretch builds on.
type log struct {
	sink   Sink
	feed   *feed
	fresh  *fresh
	limit  int // rows of a transaction, but for the page that passes it
	report func(Receipt)

	stretch   stretch
	next      journal.Seq // the first record that is not looked at yet
	committed journal.Seq // the position in the sink
}

// stretch is the part [base, through) of the journal.
type stretch struct{ base, through journal.Seq }

func newLog(ctx context.Context, sink Sink, f *feed, o Options, limit int, report func(Receipt)) (*log, error) {
	p, err := sink.Position(ctx, Whole)
	if err != nil {
		return nil, fmt.Errorf("reading the position: %w", err)
	}
	if p, err = snapshotIfPruned(ctx, sink, p, o, limit, report); err != nil {
		return nil, err
	}
	next := f.resume(p)
	l := &log{sink: sink, feed: f, fresh: newFresh(o.Reader, o.Base, f.index), limit: limit, report: report, next: next, committed: next}
	if next > 0 {
		l.stretch = stretch{p.Base, p.Through}
	}
	return l, nil
}

// step delivers all pages that have been taken in. last says that nothing more
// will be landed.
func (l *log) step(ctx context.Context, last bool) error {
	for l.next < l.feed.next {
		if l.next >= l.stretch.through {
			l.stretch = stretch{base: l.next, through: l.feed.next}
		}
		if err := l.deliver(ctx); err != nil {
			return err
		}
	}
	// A position that moved over pages without news is not worth a transaction,
	// for looking at them again gives the same nothing; but the last word is.
	if last && l.committed < l.next {
		tx := &logTransaction{log: l}
		defer tx.rollback()
		return tx.commit(ctx)
	}
	return nil
}

// deliver delivers the rest of the stretch, in transactions that end where a page
// does.
func (l *log) deliver(ctx context.Context) error {
	tx := &logTransaction{log: l}
	defer func() { tx.rollback() }()
	var todo []slice
	for _, page := range l.feed.index.from(l.next) {
		if page.seq >= l.stretch.through {
			break
		}
		todo = append(todo, slicesOf([]ref{page}, page.window)...)
	}
	for s, err := range flattenAhead(ctx, l.fresh.reader, todo) {
		if err != nil {
			return err
		}
		if s.first() {
			l.next = s.page.seq // those before are complete
			if tx.rows >= l.limit {
				if err := tx.commit(ctx); err != nil {
					return err
				}
				tx = &logTransaction{log: l}
			}
		}
		for news, err := range l.fresh.rows(ctx, s, l.stretch) {
			if err != nil {
				return err
			}
			if err := tx.write(ctx, news); err != nil {
				return err
			}
		}
	}
	l.next = l.stretch.through
	if tx.rows == 0 {
		return nil
	}
	return tx.commit(ctx)
}

// logTransaction is a transaction that begins with the first row.
type logTransaction struct {
	log  *log
	tx   Transaction
	rows int
}

func (t *logTransaction) begin(ctx context.Context) (err error) {
	if t.tx != nil {
		return nil
	}
	if t.tx, err = t.log.sink.Begin(ctx, Whole); err != nil {
		return fmt.Errorf("beginning a transaction: %w", err)
	}
	return nil
}

func (t *logTransaction) write(ctx context.Context, rows []schema.Row) error {
	t.rows += len(rows)
	for part := range slices.Chunk(rows, writeRows) {
		if err := t.begin(ctx); err != nil {
			return err
		}
		if err := t.tx.Write(ctx, part); err != nil {
			return fmt.Errorf("writing: %w", err)
		}
	}
	return nil
}

// commit commits the rows, if any, and the position that the log has come to.
func (t *logTransaction) commit(ctx context.Context) error {
	if err := t.begin(ctx); err != nil {
		return err
	}
	l := t.log
	receipt, err := t.tx.Commit(ctx, Position{
		Journal: l.feed.journal.ID(), Next: l.next, Base: l.stretch.base, Through: l.stretch.through,
	})
	if err != nil {
		return fmt.Errorf("committing: %w", err)
	}
	l.committed = l.next
	l.report(receipt)
	return nil
}

// rollback gives up what was not committed.
func (t *logTransaction) rollback() {
	if t.tx != nil {
		_ = t.tx.Rollback() // does nothing after the commit; before, another error is on its way
	}
}
