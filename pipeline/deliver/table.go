package deliver

import (
	"context"
	"fmt"

	"github.com/leads-etl/leads-etl/pipeline/base"
	"github.com/leads-etl/leads-etl/pipeline/window"
	"github.com/leads-etl/leads-etl/schema"
)

// writeRows is how many rows go to a sink at a time.
const writeRows = 512

// table keeps a Replace sink up to date: every day that a page touches holds
// the latest version of every lead ever landed for it. A day is written when
// something was landed for it since its position, and the running batch, if it
// wants the day at all, has dealt with all of it.
type table struct {
	sink      Sink
	feed      *feed
	reader    *Reader
	base      *base.Store
	batch     string
	positions map[Partition]Position
	report    func(Receipt)
}

// step writes all days that are ready. last says that nothing more will be
// landed.
func (t *table) step(ctx context.Context, last bool) error {
	ready, err := t.ready(ctx)
	if err != nil {
		return err
	}
	for len(ready) > 0 {
		// Days that follow each other are swept together: a page that spans them
		// is read once.
		n := 1
		for n < len(ready) && ready[n] == ready[n-1]+1 {
			n++
		}
		if err := t.write(ctx, ready[:n]); err != nil {
			return err
		}
		ready = ready[n:]
	}
	if last {
		return t.writeUndated(ctx)
	}
	return nil
}

// ready returns the days to be written, in order.
func (t *table) ready(ctx context.Context) ([]day, error) {
	batch, running := t.feed.tracker.Batch(t.batch)
	var ready []day
	for _, d := range t.feed.index.days() {
		if running && !batch.Dealt(d.window()) {
			continue
		}
		p, err := t.position(ctx, d.partition())
		if err != nil {
			return nil, err
		}
		if t.feed.index.last(d) >= t.feed.resume(p) {
			ready = append(ready, d)
		}
	}
	return ready, nil
}

// position returns the partition's position, asking the sink once.
func (t *table) position(ctx context.Context, p Partition) (Position, error) {
	if pos, ok := t.positions[p]; ok {
		return pos, nil
	}
	pos, err := t.sink.Position(ctx, p)
	if err != nil {
		return Position{}, fmt.Errorf("reading the position of %s: %w", p, err)
	}
	t.positions[p] = pos
	return pos, nil
}

// write replaces the days, which follow each other, in one sweep.
func (t *table) write(ctx context.Context, days []day) error {
	span := window.Window{From: days[0].start(), To: days[len(days)-1].window().To}
	w := &dayWriter{table: t, days: days}
	defer w.rollback()
	b, release := t.base.Pin()
	defer release()
	for row, err := range merge(ctx, t.reader, b, t.feed.index.touching(span), span) {
		if err != nil {
			return err
		}
		if err := w.write(ctx, row); err != nil {
			return err
		}
	}
	return w.finish(ctx)
}

func (t *table) writeUndated(ctx context.Context) error {
	pages := t.feed.index.undated
	pos, err := t.position(ctx, Partition{})
	if err != nil {
		return err
	}
	if newest, ok := t.feed.index.lastUndated(); !ok || newest < t.feed.resume(pos) {
		return nil
	}
	b, release := t.base.Pin()
	defer release()
	rows, err := mergeUndated(ctx, t.reader, b, pages)
	if err != nil {
		return err
	}
	tx, err := t.sink.Begin(ctx, Partition{})
	if err != nil {
		return fmt.Errorf("beginning %s: %w", Partition{}, err)
	}
	defer func() { _ = tx.Rollback() }() // does nothing after the commit
	if err := tx.Write(ctx, rows); err != nil {
		return fmt.Errorf("writing %s: %w", Partition{}, err)
	}
	return t.commit(ctx, Partition{}, tx)
}

// commit commits the transaction on the partition and waits for it.
func (t *table) commit(ctx context.Context, p Partition, tx Transaction) error {
	return t.committed(t.beginCommit(ctx, p, tx))
}

// commit is one that is under way.
type commit struct {
	partition Partition
	position  Position
	tx        Transaction
	done      chan struct{} // closed when what follows is set
	receipt   Receipt
	err       error
}

// beginCommit begins to commit the transaction. It lets the next day be written
// meanwhile, for a commit mostly waits for the disk.
func (t *table) beginCommit(ctx context.Context, p Partition, tx Transaction) *commit {
	c := &commit{partition: p, position: Position{Journal: t.feed.journal.ID(), Next: t.feed.next}, tx: tx, done: make(chan struct{})}
	go func() {
		defer close(c.done)
		c.receipt, c.err = tx.Commit(ctx, c.position)
	}()
	return c
}

// committed waits for the commit and takes its outcome in.
func (t *table) committed(c *commit) error {
	<-c.done
	if c.err != nil {
		return fmt.Errorf("committing %s: %w", c.partition, c.err)
	}
	t.positions[c.partition] = c.position
	t.report(c.receipt)
	return nil
}

// dayWriter hands sorted rows to one transaction a day, days without rows
// included. While one day is committed, the next is written.
type dayWriter struct {
	table *table
	days  []day // not committed yet; the first is open if tx is set
	tx    Transaction
	rows  []schema.Row
	last  *commit // that of the day before, if its outcome is not taken in
}

func (w *dayWriter) write(ctx context.Context, row *schema.Row) error {
	for dayOf(row.SubmittedTime.Value) != w.days[0] {
		if err := w.next(ctx); err != nil {
			return err
		}
	}
	w.rows = append(w.rows, *row)
	if len(w.rows) == writeRows {
		return w.flush(ctx)
	}
	return nil
}

// next begins to commit the first day and goes on to the one after it.
func (w *dayWriter) next(ctx context.Context) error {
	if err := w.flush(ctx); err != nil {
		return err
	}
	if err := w.settle(); err != nil {
		return err
	}
	w.last = w.table.beginCommit(ctx, w.days[0].partition(), w.tx)
	w.tx = nil
	w.days = w.days[1:]
	return nil
}

// settle waits for the commit that is under way.
func (w *dayWriter) settle() error {
	if w.last == nil {
		return nil
	}
	if err := w.table.committed(w.last); err != nil {
		return err // rollback finds it
	}
	w.last = nil
	return nil
}

func (w *dayWriter) finish(ctx context.Context) error {
	for len(w.days) > 0 {
		if err := w.next(ctx); err != nil {
			return err
		}
	}
	return w.settle()
}

func (w *dayWriter) flush(ctx context.Context) error {
	p := w.days[0].partition()
	if w.tx == nil {
		tx, err := w.table.sink.Begin(ctx, p)
		if err != nil {
			return fmt.Errorf("beginning %s: %w", p, err)
		}
		w.tx = tx
	}
	if len(w.rows) == 0 {
		return nil
	}
	if err := w.tx.Write(ctx, w.rows); err != nil {
		return fmt.Errorf("writing %s: %w", p, err)
	}
	w.rows = w.rows[:0]
	return nil
}

// rollback gives up what is not committed, having waited for a commit that is under
// way.
func (w *dayWriter) rollback() {
	if w.last != nil && w.settle() != nil {
		_ = w.last.tx.Rollback() // as below
	}
	if w.tx != nil {
		_ = w.tx.Rollback() // the error that led here is the one to report
	}
}
