package browse

import (
	"context"
	"fmt"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/schema"
)

// Written is what one sink was given.
type Written struct {
	Sink        string
	Rows, Files int
	Bytes       int64
}

// writeRows is how many rows go to a sink at a time.
const writeRows = 512

// Table writes the latest version of every lead, as of the moment of l, to sinks
// that replace: each date in one transaction, and leads without a time at last.
// source is what the sinks are bound to in the place of the journal's id, so that
// nobody goes on from there as if it were the output of the journal.
//
// Its memory does not grow with the number of leads.
func (l *Landed) Table(ctx context.Context, sinks []deliver.Sink, source string) ([]Written, error) {
	t := &tableWriter{sinks: sinks, position: deliver.Position{Journal: source, Next: l.journal.End()}}
	for _, s := range sinks {
		t.written = append(t.written, Written{Sink: s.Name()})
	}
	defer t.rollback()
	for row, err := range l.view.Latest(ctx, l.view.Span()) {
		if err != nil {
			return nil, err
		}
		if err := t.write(ctx, deliver.DateOf(row.SubmittedTime), row); err != nil {
			return nil, err
		}
	}
	undated, err := l.view.Undated(ctx)
	if err != nil {
		return nil, err
	}
	for _, row := range undated {
		if err := t.write(ctx, deliver.Partition{}, row); err != nil {
			return nil, err
		}
	}
	return t.written, t.commit(ctx)
}

// tableWriter hands rows, which come partition by partition, to all sinks.
type tableWriter struct {
	sinks    []deliver.Sink
	position deliver.Position
	written  []Written

	partition deliver.Partition
	open      []deliver.Transaction // one for each sink; none before the first row
	rows      []schema.Row
}

func (t *tableWriter) write(ctx context.Context, p deliver.Partition, row schema.Row) error {
	if len(t.open) > 0 && p != t.partition {
		if err := t.commit(ctx); err != nil {
			return err
		}
	}
	if len(t.open) == 0 {
		t.partition = p
		for _, s := range t.sinks {
			tx, err := s.Begin(ctx, p)
			if err != nil {
				return fmt.Errorf("%s: beginning %s: %w", s.Name(), p, err)
			}
			t.open = append(t.open, tx)
		}
	}
	if t.rows = append(t.rows, row); len(t.rows) < writeRows {
		return nil
	}
	return t.flush(ctx)
}

func (t *tableWriter) flush(ctx context.Context) error {
	for i, tx := range t.open {
		if err := tx.Write(ctx, t.rows); err != nil {
			return fmt.Errorf("%s: writing %s: %w", t.sinks[i].Name(), t.partition, err)
		}
	}
	t.rows = t.rows[:0]
	return nil
}

func (t *tableWriter) commit(ctx context.Context) error {
	if err := t.flush(ctx); err != nil {
		return err
	}
	for i, tx := range t.open {
		receipt, err := tx.Commit(ctx, t.position)
		if err != nil {
			return fmt.Errorf("%s: committing %s: %w", t.sinks[i].Name(), t.partition, err)
		}
		t.written[i].Rows += receipt.Rows
		t.written[i].Files += receipt.Files
		t.written[i].Bytes += receipt.Bytes
	}
	t.open = t.open[:0]
	return nil
}

func (t *tableWriter) rollback() {
	for _, tx := range t.open {
		_ = tx.Rollback() // the error that led here is the one to report
	}
}
