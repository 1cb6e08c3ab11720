package deliver

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/known"
)

// Changes are the events that the landed pages amount to: *known.Store has them.
type Changes interface {
	// Position returns the record up to which events are known.
	Position() journal.Seq
	// Changed returns a channel that is closed when Position moves.
	Changed() <-chan struct{}
	// Events yields the events of the pages [from, to), in order.
	Events(ctx context.Context, from, to journal.Seq) iter.Seq2[known.Event, error]
}

// chunkEvents is how many events are turned into rows at a time: it bounds the
// rows in memory, and should be many where several events come of one page.
const chunkEvents = 2_000

// events keeps an Append sink up to date where the journal has a stream: every
// event goes into it, in order, as what it was when it came about.
//
// A transaction holds the events of whole pages, for the position that is
// committed with it is a page's number.
type events struct {
	sink    Sink
	journal *journal.Journal
	changes Changes
	rows    *eventReader
	limit   int // rows of a transaction that does not linger, but for the page that passes it
	report  func(Receipt)

	tx        Transaction
	inTx      int         // rows in tx
	next      journal.Seq // the first record that is not in the sink or in tx
	committed journal.Seq // the position in the sink
}

func newEvents(ctx context.Context, sink Sink, o Options, limit int, report func(Receipt)) (*events, error) {
	p, err := sink.Position(ctx, Whole)
	if err != nil {
		return nil, fmt.Errorf("reading the position: %w", err)
	}
	if p, err = snapshotIfPruned(ctx, sink, p, o, limit, report); err != nil {
		return nil, err
	}
	next := p.Next
	return &events{
		sink: sink, journal: o.Journal, changes: o.Changes, limit: limit, report: report,
		rows: newEventReader(o.Journal, o.Reader, o.Base),
		next: next, committed: next,
	}, nil
}

// step implements follower. A transaction that lingers stays open between steps.
func (e *events) step(ctx context.Context, last bool) (wake, error) {
	changed := e.changes.Changed() // asked for before Position, to miss nothing
	to := e.changes.Position()
	if err := e.write(ctx, to); err != nil {
		return wake{}, err
	}
	if e.next < to {
		e.next = to // no events behind the last page that has some
	}
	if last {
		if e.committed < e.next {
			return wake{}, e.commit(ctx)
		}
		return wake{}, nil
	}
	linger := e.linger()
	if linger > 0 {
		return wake{changed: changed, due: time.After(linger)}, nil
	}
	// A position that moved over pages without events is worth a commit: the lag
	// goes by it. One that moved over other records only is not.
	if e.inTx > 0 || e.passedPages() {
		return wake{changed: changed}, e.commit(ctx)
	}
	return wake{changed: changed}, nil
}

// write writes the events of all pages before to, and commits whenever a
// transaction is full.
func (e *events) write(ctx context.Context, to journal.Seq) error {
	var chunk []known.Event
	flush := func() error {
		err := e.writeChunk(ctx, chunk)
		chunk = chunk[:0]
		return err
	}
	for event, err := range e.changes.Events(ctx, e.next, to) {
		if err != nil {
			return fmt.Errorf("reading the events: %w", err)
		}
		if event.Seq >= e.next { // all events of the pages before are in the chunk
			if e.full(len(chunk)) {
				if err := flush(); err != nil {
					return err
				}
				e.next = event.Seq
				if err := e.commit(ctx); err != nil {
					return err
				}
			}
			e.next = event.Seq + 1
		}
		if chunk = append(chunk, event); len(chunk) == chunkEvents {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}

// writeChunk puts the events' rows into the transaction.
func (e *events) writeChunk(ctx context.Context, chunk []known.Event) error {
	if len(chunk) == 0 {
		return nil
	}
	rows, err := e.rows.rows(ctx, chunk)
	if err != nil {
		return err
	}
	if err := e.begin(ctx); err != nil {
		return err
	}
	for len(rows) > 0 {
		part := rows[:min(len(rows), writeRows)]
		if err := e.tx.Write(ctx, part); err != nil {
			return fmt.Errorf("writing: %w", err)
		}
		e.inTx += len(part)
		rows = rows[len(part):]
	}
	return nil
}

func (e *events) begin(ctx context.Context) (err error) {
	if e.tx != nil {
		return nil
	}
	if e.tx, err = e.sink.Begin(ctx, Whole); err != nil {
		return fmt.Errorf("beginning a transaction: %w", err)
	}
	return nil
}

// full reports whether the transaction is to be committed while there is more
// for it: one that lingers knows by itself, whatever the number of its rows.
func (e *events) full(pending int) bool {
	if tx, ok := e.tx.(Lingering); ok {
		return tx.Linger() <= 0
	}
	return e.inTx+pending >= e.limit
}

// linger returns how long the open transaction may wait for more rows.
func (e *events) linger() time.Duration {
	if e.inTx == 0 {
		return 0
	}
	tx, ok := e.tx.(Lingering)
	if !ok {
		return 0
	}
	return tx.Linger()
}

// passedPages reports whether pages were landed since the committed position.
func (e *events) passedPages() bool {
	pages := e.journal.Pages()
	for i := len(pages) - 1; i >= 0 && pages[i].Seq >= e.committed; i-- {
		if pages[i].Seq < e.next {
			return true
		}
	}
	return false
}

// commit commits the rows, if any, and the position.
func (e *events) commit(ctx context.Context) error {
	if err := e.begin(ctx); err != nil {
		return err
	}
	receipt, err := e.tx.Commit(ctx, Position{Journal: e.journal.ID(), Next: e.next})
	if err != nil {
		return fmt.Errorf("committing: %w", err)
	}
	e.tx, e.inTx, e.committed = nil, 0, e.next
	e.report(receipt)
	return nil
}

// close gives up what was not committed.
func (e *events) close() {
	if e.tx != nil {
		_ = e.tx.Rollback() // the error that led here is the one to report
	}
}
