package deliver

import (
	"context"
	"encoding/base64"
	"fmt"
	"iter"
	"strings"

	"github.com/leads-etl/leads-etl/pipeline/base"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/known"
	"github.com/leads-etl/leads-etl/schema"
)

// snapshot gives an Append sink that has not come as far as the journal was pruned
// what the pruned pages came to: one row for each lead as it was then. What follows
// goes on from there as with any sink.
//
// The positions of its transactions go up one by one below the base's Next, for
// outputs are named by them; where exactly it goes on is in their Snapshot.
type snapshot struct {
	sink    Sink
	journal *journal.Journal
	base    *base.Base
	// events says that the sink is given events: the leads as they are known, else
	// as a table has them.
	events bool
	limit  int
	report func(Receipt)

	at    Position
	tx    Transaction
	inTx  int
	place []byte // of the last row in the transaction
}

// snapshotIfPruned brings the sink to where the journal begins, if it is not there
// yet, and returns its position.
func snapshotIfPruned(ctx context.Context, sink Sink, p Position, o Options, limit int, report func(Receipt)) (Position, error) {
	b, release := o.Base.Pin()
	defer release()
	if b.Next() < o.Journal.First() {
		return p, fmt.Errorf("the journal is pruned up to record %d, and what stands for that is not open", o.Journal.First())
	}
	if p.Journal != o.Journal.ID() {
		p = Position{Journal: o.Journal.ID()}
	}
	if p.Next >= b.Next() {
		return p, nil
	}
	if p.Next > 0 && p.Snapshot == "" {
		o.Logger.WarnContext(ctx, "the journal was pruned beyond the position of this sink: it is given all leads as they were then",
			"sink", sink.Name(), "position", p.Next, "pruned_before", b.Next())
	}
	s := &snapshot{sink: sink, journal: o.Journal, base: b, events: o.Changes != nil, limit: limit, report: report, at: p}
	defer s.rollback()
	err := s.run(ctx)
	return s.at, err
}

// place returns where in a base that ends with next a snapshot goes on; nil for the
// beginning: also if it was begun with another base, whose leads may differ.
func (p Position) place(next journal.Seq, kinds string) []byte {
	of, text, _ := strings.Cut(p.Snapshot, ":")
	place, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || of != fmt.Sprint(next) || len(place) == 0 || !strings.ContainsRune(kinds, rune(place[0])) {
		return nil
	}
	return place
}

func (s *snapshot) run(ctx context.Context) error {
	past := s.base.Past()
	total, all := past.Rows, s.rows
	after := s.at.place(s.base.Next(), base.RowKinds)
	if s.events {
		total, all = past.Known+past.Vanished, s.leads
		after = s.at.place(s.base.Next(), known.LeadKinds)
	}
	// So many commits are possible before the last.
	commits := int(s.base.Next() - s.at.Next - 1)
	s.limit = max(s.limit, (total+commits)/(commits+1))
	rows := make([]schema.Row, 0, writeRows)
	for row, err := range all(ctx, after) {
		if err != nil {
			return err
		}
		if rows = append(rows, row); len(rows) < writeRows {
			continue
		}
		if err := s.write(ctx, rows); err != nil {
			return err
		}
		rows = rows[:0]
		if s.due() && s.at.Next+1 < s.base.Next() {
			next := Position{Journal: s.journal.ID(), Next: s.at.Next + 1}
			next.Snapshot = fmt.Sprintf("%d:%s", s.base.Next(), base64.RawURLEncoding.EncodeToString(s.place))
			if err := s.commit(ctx, next); err != nil {
				return err
			}
		}
	}
	if err := s.write(ctx, rows); err != nil {
		return err
	}
	return s.commit(ctx, Position{Journal: s.journal.ID(), Next: s.base.Next(), Base: s.base.Next(), Through: s.base.Next()})
}

// rows yields what tables hold.
func (s *snapshot) rows(ctx context.Context, after []byte) iter.Seq2[schema.Row, error] {
	return func(yield func(schema.Row, error) bool) {
		for l, err := range s.base.Rows(ctx, after) {
			s.place = l.Place
			if !yield(l.Row, err) || err != nil {
				return
			}
		}
	}
}

// leads yields the known leads, as they were last told of.
func (s *snapshot) leads(ctx context.Context, after []byte) iter.Seq2[schema.Row, error] {
	return func(yield func(schema.Row, error) bool) {
		for l, err := range s.base.Leads(ctx, after) {
			var row schema.Row
			if err == nil {
				row, err = s.base.Row(&l.Event)
			}
			s.place = l.Place
			if !yield(row, err) || err != nil {
				return
			}
		}
	}
}

func (s *snapshot) begin(ctx context.Context) (err error) {
	if s.tx != nil {
		return nil
	}
	if s.tx, err = s.sink.Begin(ctx, Whole); err != nil {
		return fmt.Errorf("beginning a transaction: %w", err)
	}
	return nil
}

func (s *snapshot) write(ctx context.Context, rows []schema.Row) error {
	if len(rows) == 0 {
		return nil
	}
	if err := s.begin(ctx); err != nil {
		return err
	}
	if err := s.tx.Write(ctx, rows); err != nil {
		return fmt.Errorf("writing: %w", err)
	}
	s.inTx += len(rows)
	return nil
}

// due reports whether the transaction is to be committed while there is more.
func (s *snapshot) due() bool {
	if tx, ok := s.tx.(Lingering); ok {
		return tx.Linger() <= 0
	}
	return s.inTx >= s.limit
}

func (s *snapshot) commit(ctx context.Context, next Position) error {
	if err := s.begin(ctx); err != nil {
		return err
	}
	receipt, err := s.tx.Commit(ctx, next)
	if err != nil {
		return fmt.Errorf("committing: %w", err)
	}
	s.at, s.tx, s.inTx = next, nil, 0
	s.report(receipt)
	return nil
}

func (s *snapshot) rollback() {
	if s.tx != nil {
		_ = s.tx.Rollback() // the error that led here is the one to report
	}
}
